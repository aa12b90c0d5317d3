"""Memory: the peak of a run, and what stays after 1e9 neuron-steps."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import izhnumba as iz


def peakmem_run():
    """A million neurons, 10 ms."""
    iz.Population(1_000_000, dtype="float32", tau_ref=2.0).run(10.0, 10.0)


def track_growth():
    """Growth of the resident memory over 1e9 neuron-steps, after a warm-up.

    Runs are short and spikes few, because results belong to the caller and their size would hide a leak.
    """
    population = iz.Population(10_000, dtype="float32", tau_ref=2.0)
    current = np.linspace(0.0, 6.0, 10_000)
    for _ in range(20):
        population.run(100.0, current)
    before = _resident_KiB()
    for _ in range(100):
        population.run(100.0, current)
    return _resident_KiB() - before


track_growth.unit = "KiB"


def _resident_KiB() -> float:
    """Linux tells what is resident now, other systems only the peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
