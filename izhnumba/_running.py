"""Running in slices: one compiled call of about 25 ms after the other; input, records and progress lie between them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from izhnumba import _checks
from izhnumba._clock_engine import ClockEngine
from izhnumba._feeds import Feed
from izhnumba._kernels.codes import FAILURE
from izhnumba._recorders import SpikeRecorder, StateRecorder

_SLICE_SECONDS = 0.025  # Ctrl-C, progress and the look for values that are not finite wait that long
_FIRST_SLICE = 10_000_000  # neuron-steps; later slices follow the measured speed
_MOST_STEPS = 2**16

Progress = Callable[[float, float], Any]


def run_slices(
    engine: ClockEngine,
    n_steps: int,
    feeds: dict[str, Feed],
    spikes: SpikeRecorder,
    states: StateRecorder,
    threads: int | None,
    progress: Progress | None,
) -> set[int]:
    """Advance by `n_steps`, or until V or u is not finite. Returns the engine's codes.

    Ctrl-C ends it between two slices: the engine's step says how far it came.
    """
    start, stop, codes = engine.step, engine.step + n_steps, set[int]()
    longest = min([_MOST_STEPS, *(f.most_steps(engine.dtype.itemsize) for f in feeds.values())])
    length = max(1, _FIRST_SLICE // engine.n)
    inputs: dict[str, Any] = {name: f.rows(start, 1) for name, f in feeds.items() if f.constant}
    while FAILURE not in codes and engine.step < stop:
        began, left = time.perf_counter(), stop - engine.step
        count = min(length, longest, left)
        inputs |= {name: f.rows(engine.step, count) for name, f in feeds.items() if not f.constant}
        states.aim()
        codes.add(engine.advance(count, inputs, engine.threads_for(count, left, threads)))
        spikes.take()
        length = max(1, int(count * min(4.0, _SLICE_SECONDS / (time.perf_counter() - began))))
        if progress:
            progress((engine.step - start) * engine.dt, n_steps * engine.dt)
    return codes


def progress_shown(where: str, progress: Any) -> Progress | None:
    """What a user passes as `progress`, as something to call or nothing."""
    must_be = "True, False or a function of (done, total) in ms"
    shown = _checks.kind(where, progress, (bool, Callable, type(None)), must_be)
    return ProgressBar() if shown is True else shown or None


class ProgressBar:
    """One line on standard error: model time, speed and the time left."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._shown = 0.0

    def __call__(self, done: float, total: float) -> None:
        now = time.perf_counter()
        if done < total and now - self._shown < 0.1:
            return
        self._shown = now
        elapsed = now - self._start
        filled = int(30 * done / total)
        speed = done / 1000 / elapsed if elapsed else 0.0
        left = elapsed * (total - done) / done if done else 0.0
        bar = "#" * filled + "." * (30 - filled)
        sys.stderr.write(f"\r[{bar}] {done:.6g} of {total:.6g} ms, {speed:.3g} x real time, {left:.0f} s left  ")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line, whether the run has ended or was stopped."""
        if self._shown:
            sys.stderr.write("\n")
