"""Gradients: kernels against `lax.scan`, forwards and backwards, and what a call of a kernel costs."""

from __future__ import annotations

import statistics
import tempfile
from importlib.util import find_spec

import numpy as np

import izhnumba as iz

from .ratios import interleaved
from .startup import fresh_process

NEURONS, STEPS, DT, REPEATS = 1000, 2000, 0.1, 15
FIRST_GRADIENT = """
import jax, izhnumba.jax as izj
params, state = izj.init(100)
loss = lambda params: izj.run(params, state, 10.0, 0.1, n_steps=1000)[1].V.mean()
jax.block_until_ready(jax.jit(jax.grad(loss))(params))
"""


def need_jax():
    if find_spec("jax") is None or find_spec("optax") is None:
        raise NotImplementedError("needs the packages of the extra jax")  # asv skips the benchmark


def stimulus():
    return (10 + 5 * np.random.default_rng(0).standard_normal((STEPS, NEURONS))).astype(np.float32)


def jax_run(backend, record, grad=False):
    """A jitted run of 1000 regular spiking neurons, or its gradient by all parameters and the current."""
    import jax

    import izhnumba.jax as izj

    params, state = izj.init(NEURONS, dtype="float32", u=-13.0)
    weights = jax.numpy.asarray(stimulus()[::-1])

    def run(params, I):  # noqa: E741
        return izj.run(params, state, I, DT, record=record, backend=backend)[1]

    def loss(params, I):  # noqa: E741
        out = run(params, I)
        return (weights * out.V).sum() + out.spikes.sum()

    function = jax.jit(jax.grad(loss, argnums=(0, 1)) if grad else run)
    I = jax.numpy.asarray(stimulus())  # noqa: E741
    return lambda steps: jax.block_until_ready(function(params, I))


def population_run():
    pop = iz.Population(NEURONS, dtype="float32", u=-13.0, dt=DT, threads=1)
    I = stimulus()  # noqa: E741

    def run(steps):
        pop.reset()
        return pop.run(STEPS * DT, I, record="V")

    return run


class Ratio:
    """1000 neurons, 2000 steps, float32, one thread."""

    unit = "our time / reference time"
    timeout = 300
    params = (
        "forward V over scan", "forward V over Population.run", "forward spikes and V over scan", "gradient over scan",
    )  # fmt: skip
    param_names = ("what",)

    def setup(self, what):
        need_jax()
        record = ("spikes", "V") if "spikes" in what or "gradient" in what else "V"
        gradient = "gradient" in what
        reference = population_run() if "Population" in what else jax_run("xla", record, gradient)
        self.runners = {"ours": jax_run("numba", record, gradient), "reference": reference}

    def track_run(self, what):
        times = interleaved(self.runners, STEPS, REPEATS)
        return statistics.median(times["ours"]) / statistics.median(times["reference"])


class Call:
    """A jitted call of one neuron and one step, less one that gives back what it was given."""

    unit = "us"
    timeout = 300

    def setup(self):
        need_jax()
        import jax

        import izhnumba.jax as izj

        params, state = izj.init(1)
        I = jax.numpy.full((1, 1), 10.0)  # noqa: E741
        run = jax.jit(lambda params, state, I: izj.run(params, state, I, DT))
        empty = jax.jit(lambda params, state, I: (state, I + 1.0, I))
        self.runners = {
            name: lambda calls, f=f: [f(params, state, I) for _ in range(calls)][-1][1][0].block_until_ready()
            for name, f in {"run": run, "empty": empty}.items()
        }

    def track_overhead(self):
        calls = 2000
        times = interleaved(self.runners, calls, REPEATS)
        return (min(times["run"]) - min(times["empty"])) / calls * 1e6


class FirstGradient:
    """Wall time of a fresh process that takes one gradient, import and JAX's own compilation included."""

    unit = "s"
    timeout = 300

    def setup(self):
        need_jax()
        self.cache = tempfile.TemporaryDirectory()
        fresh_process(FIRST_GRADIENT, self.cache.name)

    def teardown(self):
        self.cache.cleanup()

    def track_warm(self):
        return min(fresh_process(FIRST_GRADIENT, self.cache.name)[0] for _ in range(3))

    def track_cold(self):
        with tempfile.TemporaryDirectory() as empty:
            return fresh_process(FIRST_GRADIENT, empty)[0]
