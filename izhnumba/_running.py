"""Running in slices: one compiled call of about 25 ms after the other; input, records and progress lie between them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, Protocol

from izhnumba import _checks
from izhnumba._clock_engine import Record
from izhnumba._feeds import Feed
from izhnumba._kernels.codes import FAILURE
from izhnumba._recorders import Recorder

_SLICE_SECONDS = 0.025  # Ctrl-C, progress and the look for values that are not finite wait that long
_FIRST_SLICE = 10_000_000  # neuron-steps; later slices follow the measured speed
_MOST_STEPS = 2**16

Progress = Callable[[float, float], Any]


class Condition(NamedTuple):
    """Ends a run when it holds; it is asked every so many steps."""

    holds: Callable[[], Any]
    every: int


class Engine(Protocol):
    """What can be run: the engine of a population or of a network."""

    dt: float

    @property
    def n(self) -> int: ...

    @property
    def item(self) -> int:
        """Bytes of a number."""
        ...

    @property
    def step(self) -> int: ...

    def advance(self, n_steps: int, inputs: dict[Any, Any], threads: int) -> int: ...

    def threads_for(self, n_steps: int, n_left: int, wanted: int | None) -> int: ...

    def record(self, wanted: list[Record]) -> None: ...


def run_slices(
    engine: Engine,
    n_steps: int,
    feeds: dict[Any, Feed],
    recorders: Sequence[Recorder],
    threads: int | None,
    progress: Progress | None,
    condition: Condition | None = None,
) -> set[int]:
    """Advance by `n_steps`, or until the condition holds, or V or u is not finite. Returns the engine's codes.

    Ctrl-C ends it between two slices: the engine's step says how far it came.
    """
    start, stop, codes = engine.step, engine.step + n_steps, set[int]()
    longest = min([_MOST_STEPS, *(f.most_steps(engine.item) for f in feeds.values())])
    length = max(1, _FIRST_SLICE // engine.n)
    inputs: dict[Any, Any] = {name: f.rows(start, 1) for name, f in feeds.items() if f.constant}
    try:
        while FAILURE not in codes and engine.step < stop:
            began, left = time.perf_counter(), stop - engine.step
            count = min(length, longest)
            if longest < _MOST_STEPS:
                count = _in_fours(engine.step, count)
            count = int(min(count, left, *(recorder.most_steps() for recorder in recorders)))
            if condition:
                count = min(count, condition.every - engine.step % condition.every)
            inputs |= {name: f.rows(engine.step, count) for name, f in feeds.items() if not f.constant}
            engine.record([record for recorder in recorders for record in recorder.records(count)])
            codes.add(engine.advance(count, inputs, engine.threads_for(count, left, threads)))
            for recorder in recorders:
                recorder.take()
            length = max(1, int(count * min(4.0, _SLICE_SECONDS / (time.perf_counter() - began))))
            if progress:
                progress((engine.step - start) * engine.dt, n_steps * engine.dt)
            if condition and engine.step % condition.every == 0 and condition.holds():
                break
    finally:
        engine.record([])
        with ExitStack() as ends:  # each recorder's, whatever happens to the others'
            for recorder in recorders:
                ends.callback(recorder.end)
    return codes


def _in_fours(step: int, count: int) -> int:
    """About `count` steps that end at a multiple of 4: random numbers are made four steps at a time."""
    return max(1, (step + max(count, 4)) // 4 * 4 - step)


def progress_shown(where: str, progress: Any, unit: str = "ms") -> Progress | None:
    """What a user passes as `progress`, as something to call or nothing."""
    must_be = f"True, False or a function of (done, total) in {unit}"
    shown = _checks.kind(where, progress, (bool, Callable, type(None)), must_be)
    return ProgressBar(unit) if shown is True else shown or None


class ProgressBar:
    """One line on standard error: what is done, speed and the time left."""

    def __init__(self, unit: str = "ms") -> None:
        self._unit = unit
        self._start = time.perf_counter()
        self._shown = 0.0

    def __call__(self, done: float, total: float) -> None:
        now = time.perf_counter()
        if done < total and now - self._shown < 0.1:
            return
        self._shown = now
        elapsed = now - self._start
        filled = int(30 * done / total) if total else 30
        speed = done / 1000 / elapsed if elapsed else 0.0
        rate = f"{speed:.3g} x real time, " if self._unit == "ms" else ""
        left = elapsed * (total - done) / done if done else 0.0
        bar = "#" * filled + "." * (30 - filled)
        sys.stderr.write(f"\r[{bar}] {done:.6g} of {total:.6g} {self._unit}, {rate}{left:.0f} s left  ")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line, whether the run has ended or was stopped."""
        if self._shown:
            sys.stderr.write("\n")
