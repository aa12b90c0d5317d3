"""The exact scheme: what a spike, an arrival and a silent neuron cost, and how that compares with steps of dt.
`python -m benchmarks.exact` in the folder above prints the table of docs/concepts/exact.md."""

from __future__ import annotations

import statistics
import time

import numpy as np

import izhnumba as iz

from .ratios import interleaved

NEURONS, DEGREE, KICK = 10_000, 100, 22.0  # mV: a kick makes nearly each cell at rest spike
BUSY, SPARSE = 5.0, 0.06  # kicks a second and neuron: 4.6 and 0.06 spikes
REPEATS = 5


def kicked(scheme: str, dt: float, kicks_per_second: float, duration: float) -> iz.Network:
    """The cells of 2003, 80 % excitatory, each with 100 weak jumps onto others and delays of 1 to 20 ms. Kicks at
    random times, the same ones for all schemes, make them spike."""
    rng = np.random.default_rng(1)
    excitatory, r = np.arange(NEURONS) < NEURONS * 4 // 5, rng.random(NEURONS)
    a, b = np.where(excitatory, 0.02, 0.02 + 0.08 * r), np.where(excitatory, 0.2, 0.25 - 0.05 * r)
    c, d = np.where(excitatory, -65 + 15 * r**2, -65.0), np.where(excitatory, 8 - 6 * r**2, 2.0)
    V = rng.uniform(-70.0, -65.0, NEURONS)
    net = iz.Network(scheme=scheme, dt=dt, seed=1, threads=1)
    cells = net.add(iz.Population(NEURONS, a=a, b=b, c=c, d=d, V=V, u=b * V), name="cells")
    pre, post = np.repeat(np.arange(NEURONS), DEGREE), rng.integers(NEURONS, size=NEURONS * DEGREE)
    weight = np.where(excitatory[pre], 1.0, -2.0) * rng.uniform(0.0, 2.0, pre.size)
    net.connect(cells, cells, (pre, post), weight=weight, delay=rng.uniform(1.0, 20.0, pre.size))
    n_kicks = rng.poisson(NEURONS * kicks_per_second * duration / 1000)
    times = np.sort(rng.uniform(0.0, duration, n_kicks))
    net.drive(cells, iz.SpikeTrain(rng.integers(NEURONS, size=n_kicks), times, weight=KICK))
    net.record(cells, "spikes", name="spikes")
    return net


class AgainstSteps:
    """Wall time of the exact network over that of the same network in steps of dt (exp_euler, float64), in turn."""

    unit = "exact time / time in steps"
    timeout = 600
    params = (((BUSY, 0.01), (BUSY, 0.1), (SPARSE, 0.05), (SPARSE, 0.1)),)
    param_names = ("kicks a second, dt",)

    def setup(self, case):
        kicks, dt = case
        self.T = 100.0 if kicks == BUSY else 500.0
        self.nets = {
            "exact": kicked("exact", 0.1, kicks, (REPEATS + 2) * self.T),
            "steps": kicked("exp_euler", dt, kicks, (REPEATS + 2) * self.T),
        }

    def track_network(self, case):
        times = interleaved({name: net.run for name, net in self.nets.items()}, self.T, REPEATS)
        return statistics.median(times["exact"]) / statistics.median(times["steps"])


class Event:
    """Nanoseconds of an arrival at a synapse, everything included."""

    unit = "ns"
    timeout = 300
    params = (BUSY, SPARSE)
    param_names = ("kicks a second",)

    def setup(self, kicks):
        self.T = 100.0 if kicks == BUSY else 500.0
        self.net = kicked("exact", 0.1, kicks, (REPEATS + 1) * self.T)
        self.net.run(self.T)

    def track_event(self, kicks):
        spikes, costs = self.net.recorders["spikes"], []
        for _ in range(REPEATS):
            before, started = len(spikes), time.perf_counter()
            self.net.run(self.T)
            costs.append((time.perf_counter() - started) * 1e9 / ((len(spikes) - before) * DEGREE))
        return min(costs)


class Spike:
    """Of 64 cells that fire on a constant current: nanoseconds of a spike."""

    unit = "ns"

    def setup(self):
        self.population = iz.Population(64, scheme="exact", threads=1, **iz.presets["RS"])
        self.current = np.linspace(8.0, 20.0, 64)
        self.population.run(100.0, self.current)

    def track_spike(self):
        costs = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            n_spikes = len(self.population.run(2000.0, self.current).spikes)
            costs.append((time.perf_counter() - started) * 1e9 / n_spikes)
        return min(costs)


class Step:
    """Steps of ten cells on a constant current."""

    def setup(self):
        self.population = iz.Population(10, scheme="exact", threads=1, **iz.presets["RS"])
        self.population.step(4.0)

    def time_step(self):
        self.population.step(4.0)


class Silent:
    """10,000 cells at rest, run for a second and shown at its end: microseconds for each."""

    unit = "us"

    def setup(self):
        self.population = iz.Population(NEURONS, scheme="exact", threads=1, **iz.presets["RS"])
        self.population.run(10.0)

    def track_second(self):
        times = []
        for _ in range(REPEATS):
            self.population.reset()
            started = time.perf_counter()
            self.population.run(1000.0)
            times.append(time.perf_counter() - started)
        return min(times) * 1e6 / NEURONS


def main() -> None:
    print("| kicks per second and neuron | exact, s | dt 0.1 ms, s | ratio |\n|---|---|---|---|")
    for kicks in (BUSY, 1.0, 0.5, SPARSE):
        case, times = AgainstSteps(), dict[str, list[float]]()
        case.setup((kicks, 0.1))
        for _ in range(REPEATS + 1):  # in turn; CPU time, for a busy machine lets programs wait
            for name, net in case.nets.items():
                started = time.process_time()
                net.run(case.T)
                times.setdefault(name, []).append(time.process_time() - started)
        exact, steps = (min(times[name][1:]) * 1000.0 / case.T for name in ("exact", "steps"))
        print(f"| {kicks:g} | {exact:.2g} | {steps:.2g} | {exact / steps:.2g} |")


if __name__ == "__main__":
    main()
