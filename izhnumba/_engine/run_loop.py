"""Running in slices: one compiled call of about 25 ms after the other; input, records and progress lie between them."""

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

_SLICE_SECONDS = 0.025  # Ctrl-C, progress and the look for values that are not finite wait that long

Progress = Callable[[float, float], Any]


class Condition(NamedTuple):
    """Ends a run when it holds; it is asked every so often."""

    holds: Callable[[], Any]
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
    """Advance to `stop`, or until the condition holds, or V or u is not finite. Returns the engine's codes.

    Ctrl-C ends it between two slices: the engine knows how far it came.
    """
    time, start, codes, length = engine.time, engine.now, set[int](), None
    try:
        while not codes & {FAILURE, BUSY} and engine.now < stop:
            began, now = perf_counter(), engine.now
            looks = [recorder.next_look() for recorder in recorders]
            until = min(feeds.reach(now, length), stop, _next_question(time, now, condition), *looks)
            inputs = feeds.between(now, until)
            engine.record([record for recorder in recorders for record in recorder.records(until)])
            codes.add(engine.advance(until, inputs, engine.threads_for(until, stop, threads)))
            for recorder in recorders:
                recorder.take()
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
                ends.callback(recorder.finish)
    return codes


def _next_question(time: Timebase, now: Instant, condition: Condition | None) -> Instant:
    return time.next_sample(now, condition.every) if condition else math.inf


def progress_shown(where: str, progress: Any, unit: str = "ms") -> Progress | None:
    """What a user passes as `progress`, as something to call or nothing."""
    must_be = f"True, False or a function of (done, total) in {unit}"
    shown = checks.kind(where, progress, (bool, Callable, type(None)), must_be)
    if callable(shown):
        checks.takes(where, shown, "done", "total")
    return ProgressBar(unit) if shown is True else shown or None


class ProgressBar:
    """One line on standard error: what is done, speed and the time left."""

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
