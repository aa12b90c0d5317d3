"""What recording and reading cost: the time with them over the time without, of 10,000 float32 neurons, one thread."""

from __future__ import annotations

import statistics
import tempfile
from itertools import count
from pathlib import Path

import numpy as np

import izhnumba as iz

from .ratios import REPEATS, interleaved

CURRENT = np.linspace(4.0, 14.0, 10_000, dtype="float32")
REDUCED = {
    "V": "V",
    "mean": iz.Mean("V"),
    "groups": iz.Mean("V", groups=np.arange(10_000) % 8),
    "histogram": iz.Histogram("V", np.linspace(-80.0, 30.0, 51)),
}
READ = {"len": len, "t": lambda spikes: spikes.t, "i": lambda spikes: spikes.i[-1], "rate": lambda rate: rate.rate[-1]}


class Recording:
    """V of all at every step, in memory or to a file, of 2000 steps."""

    unit = "time / time without"
    params = ("memory", "file")
    param_names = ("to",)

    def track_voltage(self, to):
        with tempfile.TemporaryDirectory() as folder:
            paths = (Path(folder, f"{k}.rec") for k in count())
            runners = {"none": recorded(), "V": recorded("V", paths if to == "file" else None)}
            return ratio(runners, 2000)


class Reducing:
    """The mean V of all, of eight groups by label, or a histogram of V of 50 bins, in memory, of 2000 steps."""

    unit = "time / time without"
    params = (tuple(REDUCED), (0.1, 1.0))
    param_names = ("what", "every")

    def track_reduced(self, what, every):
        return ratio({"none": recorded(), "V": recorded(REDUCED[what], every=every)}, 2000)


class Reading:
    """A recorder of spikes, or of their rate in a ms, read after each step, when there are a million spikes."""

    unit = "time / time without"
    params = tuple(READ)
    param_names = ("what",)
    timeout = 300

    def track_loop(self, what):
        net = iz.Network(dt=0.1, threads=1)
        cells = net.add(iz.Population(10_000, u=-13.0, dtype="float32"))
        net.drive(cells, np.linspace(5.0, 20.0, 10_000))
        recorder = net.record(cells, "rate", every=1.0) if what == "rate" else net.record(cells)
        net.run(4000.0)

        def steps(n, look):
            for _ in range(n):
                net.step()
                look(recorder)

        return ratio({"none": lambda n: steps(n, id), "V": lambda n: steps(n, READ[what])}, 200)


def recorded(what=None, paths=None, every=None):
    """A function that runs a network for a number of steps, recorded from its first on."""

    def run(steps):
        net = iz.Network(dt=0.1, threads=1)
        cells = net.add(iz.Population(10_000, u=-13.0, dtype="float32"))
        net.drive(cells, CURRENT)
        if what:
            path = next(paths) if paths else None
            net.record(cells, what, to=path, every=every)
        net.run(steps * 0.1)
        if what and path:
            path.unlink()
        return steps

    return run


def ratio(runners, steps):
    times = interleaved(runners, steps, REPEATS)
    return statistics.median(times["V"]) / statistics.median(times["none"])
