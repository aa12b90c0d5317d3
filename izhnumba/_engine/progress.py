"""What the argument `progress` shows: on a terminal a line that is written over, in a notebook a bar of tqdm, in a file
or pipe a line each 10 s."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from time import perf_counter
from typing import Any, TextIO

from izhnumba._base import checks
from izhnumba._engine.notebook import NotebookBar, in_notebook
from izhnumba._numba.compile import telling

Progress = Callable[[float, float], Any]  # (done, total), both in ms or in synapses

_NOTHING: AbstractContextManager[None] = nullcontext()
_ON_TERMINALS, _IN_FILES = 0.1, 10.0  # s from one line to the next


def progress_shown(where: str, progress: object, unit: str = "ms") -> AbstractContextManager[Progress | None]:
    """The argument `progress` of a run as a context that gives a function of (done, total), or None to show nothing.

    where: "Owner.argument", how an error begins, which is raised at once. unit: "ms" or "synapses".
    """
    if progress is False:  # the short way
        return _NOTHING
    must_be = f"True, False or a function of (done, total) in {unit}"
    shown = checks.kind(where, progress, (bool, Callable, type(None)), must_be)
    if callable(shown):
        checks.takes(where, shown, "done", "total")
        return nullcontext(shown)
    return _bar(unit, sys.stderr) if shown and sys.stderr is not None else _NOTHING


@contextmanager
def _bar(unit: str, stream: TextIO) -> Iterator[Progress]:
    bar = (NotebookBar if in_notebook(stream) else ProgressBar)(unit, stream)
    with telling(bar.compiling):
        try:
            yield bar
        finally:
            bar.close()


class ProgressBar:
    """How much is done, the speed and the time left, on a stream: a bar in one line of a terminal, else a line each
    10 s, so that a file of a long run stays short; there a run of less than 10 s shows nothing.

    unit: "ms", of model time, or what else is counted.
    """

    def __init__(self, unit: str, stream: TextIO) -> None:
        self._unit, self._stream = unit, stream
        self._terminal = hasattr(stream, "isatty") and stream.isatty()  # what programs put in its place may lack it
        self._began = self._since = self._wrote = perf_counter()
        self._first = 0.0  # done at `_since`, when all was compiled
        self._last = self._shown = (0.0, 0.0)  # done and total: as last told, and as last written
        self._line = ""  # what stands in the line of the terminal

    def __call__(self, done: float, total: float) -> None:
        now = perf_counter()
        if not self._last[0]:
            self._since, self._first = now, done
        self._last = done, total
        if now - self._wrote >= (_ON_TERMINALS if self._terminal else _IN_FILES):
            self._write(now)

    def compiling(self, text: str) -> None:
        """Say so, for nothing else is seen until it is done."""
        if self._terminal and not self._line:
            self._put(text)

    def close(self) -> None:
        """Write the end, whether all was done or the run was stopped."""
        if self._last[1] and self._last != self._shown and (self._terminal or self._shown[1]):
            self._write(perf_counter())
        if self._line:
            self._stream.write("\n")

    def _write(self, now: float) -> None:
        """Write how much is done as a line."""
        self._wrote, self._shown = now, self._last
        done, total = self._last
        text = f"{done:.6g} of {total:.6g} {self._unit}"
        if speed := (done - self._first) / max(now - self._since, 1e-9):  # per s; 0 until it is known
            text += f", {speed / 1000:.3g} x real time" if self._unit == "ms" else ""
            text += f", {_seconds((total - done) / speed)} left" if done < total else ""
        text += f", {_seconds(now - self._began)}" if done == total else ""
        if not self._terminal:
            self._stream.write(f"{text}\n")
            self._stream.flush()
            return
        length = min(30, shutil.get_terminal_size().columns - len(text) - 4)
        filled = int(length * done / total)
        self._put(f"[{'#' * filled + '.' * (length - filled)}] {text}" if length > 3 else text)

    def _put(self, text: str) -> None:
        """Write over the line of the terminal, which must not be longer than the terminal is wide."""
        text = text[: shutil.get_terminal_size().columns - 1]
        self._stream.write("\r" + text.ljust(len(self._line)))
        self._stream.flush()
        self._line = text


def _seconds(seconds: float) -> str:
    """A time in words: "12 s" or "1:02:05"."""
    return f"{seconds:.0f} s" if seconds < 100 else str(timedelta(seconds=round(seconds)))
