"""The loop of a run: compiled calls of about 25 ms, and between them inputs, records, progress and Ctrl-C."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from time import perf_counter
from typing import Any, NamedTuple

from izhnumba._base import checks
from izhnumba._engine.codes import BUSY, FAILURE
from izhnumba._engine.protocol import Engine, Feeds, RunRecorder
from izhnumba._engine.timebase import Instant, Timebase

_SLICE_SECONDS = 0.025  # wall time of a slice: Ctrl-C, progress and the check for finite values wait so long

Progress = Callable[[float, float], Any]  # (done, total), both in ms


class Condition(NamedTuple):
    """A run ends when `holds()` is true; it is called at multiples of `every` (steps, or ms in continuous time)."""

    holds: Callable[[], object]
    every: Instant


def run_slices(
    engine: Engine,
    stop: Instant,
    feeds: Feeds,
    recorders: Sequence[RunRecorder],
    threads: int | None,
    progress: Progress | None,
    condition: Condition | None = None,
) -> set[int]:
    """Advance to `stop`, or until the condition holds, or V or u is not finite.

    Ctrl-C ends a run between two slices; `engine.now` is then where it ended.

    Parameters
    ----------
    engine : Engine
    stop : int (step) or float (ms, in continuous time)
    feeds : Feeds
        Inputs of the run.
    recorders : sequence of RunRecorder
    threads : int or None
        None: the engine chooses.
    progress : function of (done, total) in ms, or None
        Called after each slice.
    condition : Condition, optional

    Returns
    -------
    set of int
        The codes that the engine returned for its slices.
    """
    time, start, codes, length = engine.time, engine.now, set[int](), None
    try:
        while not codes & {FAILURE, BUSY} and engine.now < stop:
            began, now = perf_counter(), engine.now
            looks = [recorder._next_look() for recorder in recorders]
            until = min(feeds.reach(now, length), stop, _next_question(time, now, condition), *looks)
            inputs = feeds.between(now, until)
            engine.record([record for recorder in recorders for record in recorder._records(until)])
            codes.add(engine.advance(until, inputs, engine.threads_for(until, stop, threads)))
            for recorder in recorders:
                recorder._take()
            length = (until - now) * min(4.0, _SLICE_SECONDS / (perf_counter() - began))
            if progress or condition:
                engine.publish_state()
            if progress:
                progress(time.ms(engine.now - start), time.ms(stop - start))
            if condition and time.is_sample(engine.now, condition.every) and condition.holds():
                break
    finally:
        engine.record([])
        codes.add(engine.publish_state())
        with ExitStack() as ends:  # each recorder's, whatever happens to the others'
            for recorder in recorders:
                ends.callback(recorder._finish)
    return codes


def _next_question(time: Timebase, now: Instant, condition: Condition | None) -> Instant:
    """When the condition is next to be tested; infinity without one."""
    return time.next_sample(now, condition.every) if condition else math.inf


def progress_shown(where: str, progress: object, unit: str = "ms") -> Progress | None:
    """The argument `progress` of a run as a function of (done, total): a new ProgressBar for True, None for False."""
    must_be = f"True, False or a function of (done, total) in {unit}"
    shown = checks.kind(where, progress, (bool, Callable, type(None)), must_be)
    if callable(shown):
        checks.takes(where, shown, "done", "total")
    return ProgressBar(unit) if shown is True else shown or None


class ProgressBar:
    """One line on standard error: a bar, the part that is done, the speed and the time left."""

    def __init__(self, unit: str = "ms") -> None:
        self._unit = unit
        self._start = perf_counter()
        self._shown = 0.0

    def __call__(self, done: float, total: float) -> None:
        now = perf_counter()
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
