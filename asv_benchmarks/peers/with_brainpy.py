"""brainpy.state: its `Izhikevich` with its exponential Euler, all steps in one compiled `for_loop`."""

from __future__ import annotations

import os
import time

if hasattr(os, "sched_setaffinity"):  # XLA starts a thread for each core that it sees
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import brainpy
import brainstate
import brainunit as unit
import jax
import worker

RATE = unit.mV / unit.ms
UNITS = {"a": 1 / unit.ms, "b": 1 / unit.ms, "c": unit.mV, "d": RATE}


def prepare(network, seconds, dtype):
    if network.plastic:
        raise worker.CannotSimulate("it has no STDP")
    if network.delay is not None and network.delay.min() < network.delay.max():
        raise worker.CannotSimulate("it has one delay per projection")
    if network.scheme == "euler":
        raise worker.CannotSimulate("its only scheme is exponential Euler: see population_exp_euler")
    if network.scheme == "izhikevich2003":
        network.note = "exponential Euler at a dt of 1 ms, hence another rate"
    jax.config.update("jax_enable_x64", dtype == "float64")
    brainstate.environ.set(dt=network.dt * unit.ms, precision=int(dtype[-2:]))
    brainstate.random.seed(1)
    model = Model(network, dtype)
    brainstate.nn.init_all_states(model)
    steps = jax.numpy.arange(round(1000.0 * seconds / network.dt))
    run = brainstate.transform.jit(lambda: brainstate.transform.for_loop(model.step, steps).sum())
    run().block_until_ready()  # compiles

    def simulate():
        brainstate.nn.reset_all_states(model)
        started = time.perf_counter()
        spikes = run().block_until_ready()
        return time.perf_counter() - started, spikes

    return simulate


class Model(brainstate.nn.Module):
    def __init__(self, network, dtype):
        super().__init__()
        parameters = {name: getattr(network, name) * its for name, its in UNITS.items()}
        start = {"V_initializer": constant(network.V, unit.mV), "u_initializer": constant(network.u, RATE)}
        self.cells = brainpy.state.Izhikevich(network.n, **parameters, **start)
        self.n, self.dtype = network.n, dtype
        self.current, self.std, self.weight = (
            None if x is None else jax.numpy.asarray(x, dtype) for x in (network.current, network.std, network.weight)
        )

    def step(self, k):
        """The number of spikes."""
        current = self.current if self.std is None else self.std * brainstate.random.randn(self.n, dtype=self.dtype)
        if self.weight is not None:
            current += self.cells.get_spike().astype(self.dtype) @ self.weight
        with brainstate.environ.context(t=k * brainstate.environ.get_dt(), i=k):
            return unit.math.sum(self.cells(current * RATE) > 0)


def constant(values, its):
    return lambda *_: jax.numpy.asarray(values) * its


if __name__ == "__main__":
    worker.work(prepare, f"brainpy {brainpy.__version__}")
