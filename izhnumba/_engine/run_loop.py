"""The loop of a run: compiled calls of about 25 ms, and between them inputs, records, progress and Ctrl-C."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from time import perf_counter
from typing import NamedTuple

from izhnumba._engine.codes import BUSY, FAILURE, OK
from izhnumba._engine.progress import Progress
from izhnumba._engine.protocol import Engine, Feeds, RunRecorder
from izhnumba._engine.timebase import Instant

STOPS = {FAILURE, BUSY}  # codes after which a run does not go on
_SLICE_SECONDS = 0.025  # wall time of a slice: Ctrl-C, progress and the check for finite values wait so long


class Condition(NamedTuple):
    """A run ends when `holds()` is true; it is called at multiples of `every` (steps, or ms in continuous time)."""

    holds: Callable[[], object]
    every: Instant


class Slices:
    """A run of an engine, slice by slice: each is made ready once, with its inputs and records, and then advanced in
    one call, or in several where somebody looks in between.

    Parameters
    ----------
    engine : Engine
    stop : int (step) or float (ms, in continuous time)
        Where the run ends at the latest.
    feeds : Feeds
        Inputs of the run.
    recorders : sequence of RunRecorder
        All have begun.
    threads : int or None
        None: the engine chooses.

    Attributes
    ----------
    length : float or None
        About how long the next slice is to be, in the engine's count of time. None: one with which to measure.
    now, end : int or float
        How far the engine has come, and where the slice ends that has been made ready last.
    """

    def __init__(
        self, engine: Engine, stop: Instant, feeds: Feeds, recorders: Sequence[RunRecorder], threads: int | None
    ) -> None:
        self.engine, self.stop, self.recorders, self.length = engine, stop, recorders, None
        self.feeds, self._wanted, self.now, self.end = feeds, threads, engine.now, engine.now

    def advance(self, until: Instant) -> int:
        """Advance to `until`, or to the end of the slice if that is sooner. Returns the code of the engine."""
        if self.now >= self.end:
            self._prepare(min(until, self.stop))
        code = self.engine.advance(until if until < self.end else self.end)
        self.now = self.engine.now
        return code

    def _prepare(self, until: Instant) -> None:
        """Make the engine ready for a slice. until: where its first call ends at the latest."""
        engine, now = self.engine, self.now
        looks = [recorder._next_look() for recorder in self.recorders]
        end = min(self.feeds.reach(now, self.length), self.stop, *looks)
        threads = engine.threads_for(min(end, until), self.stop, self._wanted)
        if threads > 1 or not self.feeds.ahead:  # how many there may be is another question each time
            end = min(end, until)
        engine.record([record for recorder in self.recorders for record in recorder._records(end)])
        engine.prepare(end, self.feeds.between(now, end), threads)
        self.end = end

    def finish(self) -> int:
        """End the run where it is: V and u are shown, recorders store the last. Returns a code of the engine."""
        self.engine.record([])
        code = self.engine.publish_state()
        with ExitStack() as ends:  # each recorder's, whatever happens to the others'
            for recorder in self.recorders:
                ends.callback(recorder._finish)
        return code


def run_slices(slices: Slices, progress: Progress | None = None, condition: Condition | None = None) -> set[int]:
    """Advance to the end of the run, or until the condition holds, or V or u is not finite.

    Ctrl-C ends a run between two calls of the engine, whose `now` is then where it ended.

    Parameters
    ----------
    slices : Slices
        Of the run.
    progress : function of (done, total) in ms, or None
        Called after each slice, or part of one.
    condition : Condition, optional

    Returns
    -------
    set of int
        The codes that the engine returned.
    """
    engine, stop, codes, code = slices.engine, slices.stop, set[int](), OK
    time, began, start = engine.time, perf_counter(), engine.now
    since = now = start
    asked = time.samples_by(start, condition.every) + 1 if condition else 0  # number of the next question
    question = time.sample(asked, condition.every) if condition else math.inf
    try:
        while now < stop and code not in STOPS:
            code = slices.advance(question)
            codes.add(code)
            for recorder in slices.recorders:
                recorder._take()
            now = slices.now
            if progress or condition:
                engine.publish_state()
            took = perf_counter() - began
            if progress:
                progress(time.ms(now - start), time.ms(stop - start))
            if now >= slices.end:
                slices.length = (now - since) * min(4.0, _SLICE_SECONDS / took)
                began, since = perf_counter(), now
            if condition and now >= question:
                if condition.holds():
                    break
                asked += 1
                question = time.sample(asked, condition.every)
    finally:
        codes.add(slices.finish())
    return codes
