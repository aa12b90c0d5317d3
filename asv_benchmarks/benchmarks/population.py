"""Time of `Population.run` and `Population.step`, kernels compiled beforehand."""

from __future__ import annotations

import dataclasses

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


class States:
    """10,000 neurons with a state beside V and u that decays and jumps at spikes, and enters the current or the
    threshold; over the same without it."""

    params = (("current", "threshold"), ("float32", "float64"))
    param_names = ("enters", "dtype")
    timeout = 300

    def setup(self, enters, dtype):
        models = {"without": iz.Izhikevich, "with": with_state(enters)}
        self.runners = {name: runner(dtype, dict(I=CURRENTS), model=model) for name, model in models.items()}

    def track_over_without(self, enters, dtype):
        times = interleaved(self.runners, 2000, 9)
        return min(times["with"]) / min(times["without"])

    track_over_without.unit = "time / time without the state"


CURRENTS = np.linspace(0.0, 10.0, 10_000)
quadratic = iz.Izhikevich.dV


def less_current(V, u, I, p):
    return quadratic(V, u, I, p) - p.share * p.s


def raised_threshold(u, p):
    return p.V_th + p.s


def decay(V, u, I, p):
    return -p.rate * p.s


def decay_slope(V, p):
    return -p.rate


def jump(u, p):
    return p.s + p.jump


def with_state(enters):
    """The model with a state s that enters the current or the threshold."""
    changes = {"current": {"dV": less_current}, "threshold": {"threshold": raised_threshold}}[enters]
    more = {name: iz.Quantity(x, "", "") for name, x in {"share": 0.05, "rate": 0.01, "jump": 1.0}.items()}
    return dataclasses.replace(
        iz.Izhikevich, name="WithState", parameters=iz.Izhikevich.parameters | more, **changes,
        states={"s": iz.StateVariable(0.0, "", "", decay, decay_slope, jump)},
    )  # fmt: skip


def runner(dtype, inputs, **options):
    """A function of a number of steps that runs 10,000 neurons with these inputs."""
    pop = iz.Population(10_000, dtype=dtype, threads=1, u=-13.0, **options)

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
