"""Our time over the time of a reference, the same neurons and steps: lower is better."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

from .references import RUNNERS, izhnumba_runner

REPEATS = 9


class Ratio:
    unit = "our time / reference time"
    timeout = 300
    params = (tuple(RUNNERS), (1000, 100_000), ("float32", "float64"))
    param_names = ("reference", "N", "dtype")

    def setup(self, reference, N, dtype):
        self.runners = {"izhnumba": izhnumba_runner(N, dtype), reference: RUNNERS[reference](N, dtype)}

    def track_run(self, reference, N, dtype):
        times = interleaved(self.runners, steps_for(N), REPEATS)
        return statistics.median(times["izhnumba"]) / statistics.median(times[reference])


def steps_for(N: int) -> int:
    """Fifty million neuron-steps, but 100 steps at least."""
    return max(100, 50_000_000 // N)


def interleaved(runners: Mapping[str, Callable[[int], int]], steps: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of every repeat. The runners take turns, so that a busy machine slows all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for repeat in range(repeats + 1):
        for name, run in runners.items():
            started = time.perf_counter()
            run(steps)
            if repeat:  # the first round compiles
                times[name].append(time.perf_counter() - started)
    return times
