"""`izhnumba presets`: the table of presets, and each in full."""

from __future__ import annotations

import argparse

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._base.documented import columns
from izhnumba.cli._files import Subparsers

_UNITS = "a in 1/ms, c in mV; b in 1/ms and d in mV/ms, or in nS and pA where the name begins with 2007 or 2008"


def add(commands: Subparsers) -> argparse.ArgumentParser:
    presets = commands.add_parser("presets", help="published neurons: a table, or one in full")
    about = "one of the table: its parameters with units, source and input, and how to use it"
    presets.add_argument("one", nargs="?", metavar="NAME", help=about)
    return presets


def run(arguments: argparse.Namespace) -> None:
    if arguments.one is None:
        rows: list[tuple[str, ...]] = [("name", "a", "b", "c", "d", "what it is")]
        for name, preset in iz.presets.items():
            rows.append((name, *(f"{preset[key]:g}" for key in "abcd"), preset.title))
        print("\n".join(line[4:] for line in columns(rows).splitlines()))
        print(f"\n{_UNITS}.\nOne in full, such as RS: izhnumba presets RS")
    else:
        preset = iz.presets[checks.one_of("NAME", arguments.one, iz.presets)]
        here = f"izhnumba run --preset {preset.name} --current FILE"
        print(f"{preset.__doc__}\nHere, with the currents of a file:\n\n    {here}")
