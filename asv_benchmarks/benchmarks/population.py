"""Time of `Population.run` and `Population.step`, kernels compiled beforehand."""

from __future__ import annotations

import numpy as np

import izhnumba as iz

from .ratios import interleaved

SIZES = (1, 100, 10_000, 1_000_000)


class Run:
    """10 ms (100 steps) with refractoriness and spike recording."""

    scheme = "exp_euler"
    params = (SIZES, ("float32", "float64"), (1, 2))
    param_names = ("N", "dtype", "threads")

    def setup(self, N, dtype, threads):
        self.population = iz.Population(N, dtype=dtype, threads=threads, tau_ref=2.0, scheme=self.scheme)
        self.current = np.linspace(4.0, 14.0, N)
        self.population.run(10.0, self.current)

    def time_run(self, N, dtype, threads):
        self.population.run(10.0, self.current)


class RunEuler(Run):
    """The same by forward Euler."""

    scheme = "euler"


class Driven:
    """10,000 neurons with a random input, a second of model time, over the same with a constant current."""

    params = (("Noise", "OrnsteinUhlenbeck", "Poisson"), ("float32", "float64"))
    param_names = ("input", "dtype")
    timeout = 300

    def setup(self, kind, dtype):
        inputs = {
            "Noise": dict(I=iz.Noise(4.0)),
            "OrnsteinUhlenbeck": dict(I=iz.OrnsteinUhlenbeck(4.0, 2.0, tau=5.0)),
            "Poisson": dict(I=4.0, delta=iz.Poisson(500.0, weight=0.1)),
        }
        self.runners = {"constant": runner(dtype, dict(I=4.0)), kind: runner(dtype, inputs[kind])}

    def track_over_constant(self, kind, dtype):
        times = interleaved(self.runners, 10_000, 5)
        return min(times[kind]) / min(times["constant"])

    track_over_constant.unit = "time / time with a constant current"


def runner(dtype, inputs):
    """A function of a number of steps that runs 10,000 neurons with these inputs."""
    pop = iz.Population(10_000, dtype=dtype, threads=1, u=-13.0)

    def run(steps):
        pop.reset()
        pop.run(steps * pop.dt, **inputs)

    return run


class ShortRun:
    """Runs of one step, of a hundred neurons."""

    def setup(self):
        self.population = iz.Population(100, threads=1)
        self.population.run(0.1, 10.0)

    def time_run(self):
        self.population.run(0.1, 10.0)


class Step:
    """One call of `step` with an array of the population's dtype."""

    params = (SIZES, ("float32", "float64"), (1, 2))
    param_names = ("N", "dtype", "threads")

    def setup(self, N, dtype, threads):
        self.population = iz.Population(N, dtype=dtype, threads=threads, tau_ref=2.0)
        self.current = np.linspace(4.0, 14.0, N, dtype=dtype)
        self.population.step(self.current)

    def time_step(self, N, dtype, threads):
        self.population.step(self.current)


class StepInForms:
    """One call of `step` of a hundred neurons with inputs in other forms than an array of the population's dtype."""

    params = (("float64 array", "list", "V jump", "conductance"), ("float32", "float64"))
    param_names = ("form", "dtype")

    def setup(self, form, dtype):
        self.population, current = iz.Population(100, dtype=dtype, threads=1), np.linspace(4.0, 14.0, 100)
        more = {"V jump": {"delta": 0.1}, "conductance": {"g": 0.01, "E": 0.0}}.get(form, {})
        current = current.tolist() if form == "list" else current
        self.step = lambda: self.population.step(current, **more)
        self.step()

    def time_step(self, form, dtype):
        self.step()
