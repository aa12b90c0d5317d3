"""The command line: `izhnumba demo | run | explore | presets | info | compile`, each in a file of its own.

Wrong input gives one line on stderr and exit code 2; output files appear complete or not at all.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import izhnumba as iz
from izhnumba._base.words import did_you_mean
from izhnumba._numba.compile import telling
from izhnumba.cli import _compile, _demo, _explore, _info, _presets, _run

__all__ = ["main"]

_COMMANDS = (_demo, _run, _explore, _presets, _info, _compile)  # each has `add`, its options, and `run`, what it does
_EXIT_CODES = (
    "Exit codes: 0 done, as is this help, 1 a simulation failed, 2 wrong input, 130 stopped by Ctrl-C, "
    "141 nobody reads the output any more."
)
_OPTION_OF = {  # options with another name than the argument in the Python API
    "presets.name": "preset",
    "Population.run.I": "current",
    "Population.run.T": "duration",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for a failed simulation, 2 for wrong input, 130 after Ctrl-C, 141 if
    nobody reads standard output any more."""
    try:
        try:
            with _any_text_on_stdout():
                return _run_one(argv)
        finally:
            print(end="", flush=True)  # what cannot be written is told here, and not by the interpreter at its end
    except BrokenPipeError:  # as of `izhnumba presets | head -1`
        _print_to_nowhere()
        return 141
    except OSError as error:
        _print_to_nowhere()
        print(f"izhnumba: standard output: {error.strerror}", file=sys.stderr)
        return 2


def _run_one(argv: Sequence[str] | None) -> int:
    """As `main`, which looks after standard output."""
    parser = _parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        options = [f"--{name.replace('_', '-')}" for name in vars(arguments) if name not in ("name", "command")]
        near = did_you_mean(unknown[0].partition("=")[0], options)
        parser.error(f"unrecognized arguments: {' '.join(unknown)}. {near}".rstrip(" ."))
    if arguments.name is None:
        parser.print_help()
        return 0
    arguments.line = shlex.join(["izhnumba", *(sys.argv[1:] if argv is None else argv)])
    arguments.told = _Once()
    with warnings.catch_warnings(), telling(arguments.told):
        warnings.showwarning = lambda message, *_: _warn(arguments, str(message))
        try:
            arguments.command(arguments)
        except BrokenPipeError:
            raise
        except OSError as error:
            return _say(arguments, f"{error.filename or 'error'}: {error.strerror}", 2)
        except (ValueError, ImportError) as error:
            return _say(arguments, str(error), 2)
        except RuntimeError as error:  # V or u became non-finite
            return _say(arguments, str(error).replace("; reset() starts again", ""), 1)
        except KeyboardInterrupt:
            return _say(arguments, "interrupted, no file was written.", 130)
    return 0


@contextmanager
def _any_text_on_stdout() -> Iterator[None]:
    """Print letters that the encoding of standard output lacks, as of names of files, as their numbers."""
    if not isinstance(sys.stdout, io.TextIOWrapper):
        yield
        return
    stream, before = sys.stdout, sys.stdout.errors
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        stream.reconfigure(errors=before)


def _print_to_nowhere() -> None:
    """Let the interpreter get rid of what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _say(arguments: argparse.Namespace, message: str, code: int) -> int:
    """Print an error as one line. Returns the exit code."""
    print(f"izhnumba {arguments.name}: {' '.join(_in_options(arguments, message).split())}", file=sys.stderr)
    return code


def _warn(arguments: argparse.Namespace, message: str) -> None:
    print(f"izhnumba: warning: {_in_options(arguments, message)}", file=sys.stderr)


def _in_options(arguments: argparse.Namespace, message: str) -> str:
    """A message of the Python API, with the option in place of the argument it begins with."""

    def option(api: re.Match[str]) -> str:
        name = _OPTION_OF.get(api[0], api[1])
        return f"--{name.replace('_', '-')}" if getattr(arguments, name, None) is not None else api[0]

    return re.sub(r"^(?:presets|Population|Population\.run)\.(\w+)\b(?!\.)", option, message)


class _Once:
    """Says on stderr that something is compiled: nothing else is seen meanwhile."""

    said = False

    def __call__(self, text: str) -> None:
        if not self.said:
            print(f"izhnumba: {text}", file=sys.stderr, flush=True)
        self.said = True


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")  # argparse would print the usage before it


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="izhnumba", description="Simulate Izhikevich neurons.", epilog=_EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"izhnumba {iz.__version__}")
    commands = parser.add_subparsers(dest="name", title="commands, each with its own --help", metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands).set_defaults(command=command.run)
    return parser
