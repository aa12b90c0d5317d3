"""Memory: the peak of a run, and what stays after 1e9 neuron-steps."""

from __future__ import annotations

import os
from pathlib import Path

import izhnumba as iz


def peakmem_run():
    """A million neurons, 10 ms."""
    iz.Population(1_000_000, dtype="float32", tau_ref=2.0).run(10.0, 10.0)


def track_growth():
    """Growth of the resident memory over 1e9 neuron-steps, after a warm-up of a tenth of that."""
    population = iz.Population(10_000, dtype="float32", tau_ref=2.0)
    population.run(1000.0, 10.0)
    before = _resident_KiB()
    for _ in range(10):
        population.run(1000.0, 10.0)
    return _resident_KiB() - before


track_growth.unit = "KiB"


def _resident_KiB() -> float:
    """Linux tells what is resident now, other systems only the peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
