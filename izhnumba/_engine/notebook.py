"""The progress of a run in a notebook: a bar of tqdm, which is a widget where those are."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from time import perf_counter
from typing import Any, TextIO


def in_notebook(stream: TextIO) -> bool:
    """Whether the stream is that of a kernel of Jupyter, and tqdm is installed to show a bar there."""
    return type(stream).__module__.partition(".")[0] == "ipykernel" and find_spec("tqdm") is not None


class NotebookBar:
    """How much is done, the speed and the time left, by `tqdm.auto`.

    unit: "ms", of model time, or what else is counted. stream: the standard error of the kernel.
    """

    _bar: Any

    def __init__(self, unit: str, stream: TextIO) -> None:
        self._unit, self._stream, self._bar = unit, stream, None
        self._since, self._first = 0.0, 0.0

    def __call__(self, done: float, total: float) -> None:
        now = perf_counter()
        if not self._since:
            self._since, self._first = now, done  # what came before was compiling
            self._show("", total)
        elif self._unit == "ms":
            speed = (done - self._first) / (1000 * max(now - self._since, 1e-9))
            self._bar.set_postfix_str(f"{speed:.3g} x real time", refresh=False)
        self._bar.update(done - self._bar.n)

    def compiling(self, text: str) -> None:
        """Say so, for nothing else is seen until it is done."""
        if not self._since:
            self._show(text, 1.0)

    def close(self) -> None:
        """Leave the bar as it is, whether all was done or the run was stopped."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, text: str, total: float) -> None:
        """Make the bar, or begin anew with the one that there is."""
        if self._bar is None:
            with warnings.catch_warnings(action="ignore"):  # that there are no widgets: a line of text does as well
                from tqdm.auto import tqdm
            form = "{desc}{percentage:3.0f}%|{bar}| {n:.6g} of {total:.6g} UNIT [{elapsed}<{remaining}{postfix}]"
            self._bar = tqdm(total=total, desc=text, bar_format=form.replace("UNIT", self._unit), file=self._stream)
        else:
            self._bar.set_description_str(text, refresh=False)
            self._bar.reset(total=total)
