"""What izhnumba is measured against: the same neurons in a NumPy loop, a naive Numba loop and a loop in C.

All take the reset of the last step's spikes, exponential Euler for V, u with the new V, and count the spikes; they
neither record spikes nor know refractoriness, which izhnumba does in the same run.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import math
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

import izhnumba as iz

Runner = Callable[[int], int]

DT = 0.1
A, B, C, D, V_TH = 0.02, 0.2, -65.0, 8.0, 30.0


def start(N: int, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """V, u and the constant current of the comparison: 4 to 14 mV/ms."""
    return np.full(N, -65.0, dtype), np.full(N, -13.0, dtype), np.linspace(4.0, 14.0, N, dtype=dtype)


def izhnumba_runner(N: int, dtype: str, *, threads: int = 1, tau_ref: float = 2.0, V_th: float = V_TH) -> Runner:
    """A function that runs a number of steps and returns the number of spikes."""
    V, u, current = start(N, dtype)
    population = iz.Population(N, V=V, u=u, dt=DT, dtype=dtype, threads=threads, tau_ref=tau_ref, V_th=V_th)
    return lambda steps: len(population.run(steps * DT, current).spikes.i)


def numpy_runner(N: int, dtype: str) -> Runner:
    V, u, current = start(N, dtype)
    dt, a, b, c, d, V_th = (np.dtype(dtype).type(x) for x in (DT, A, B, C, D, V_TH))
    decay = np.dtype(dtype).type(-math.expm1(-DT * A))

    def run(steps: int) -> int:
        n_spikes = 0
        for _ in range(steps):
            fired = V >= V_th
            V[fired] = c
            u[fired] += d
            slope = V * 0.08 + 5
            slope[slope == 0] = 1e-6
            V[:] += np.expm1(dt * slope) / slope * ((V * 0.04 + 5) * V + 140 - u + current)
            u[:] += decay * (b * V - u)
            n_spikes += np.count_nonzero(V >= V_th)
        return n_spikes

    return run


@numba.njit
def _naive_step(V, u, current, spikes, dt):
    for i in range(V.size):
        if V[i] >= 30.0:
            V[i] = -65.0
            u[i] += 8.0
        slope = 0.08 * V[i] + 5.0
        if slope == 0.0:
            slope = 1e-6
        V[i] += (math.exp(dt * slope) - 1.0) / slope * (0.04 * V[i] ** 2 + 5.0 * V[i] + 140.0 - u[i] + current[i])
        u[i] += (1.0 - math.exp(-0.02 * dt)) * (0.2 * V[i] - u[i])
        spikes[i] = V[i] >= 30.0


@numba.njit
def _naive_run(V, u, current, spikes, dt, steps):
    n_spikes = 0
    for _ in range(steps):
        _naive_step(V, u, current, spikes, dt)
        n_spikes += spikes.sum()
    return n_spikes


def naive_runner(N: int, dtype: str) -> Runner:
    V, u, current = start(N, dtype)
    spikes = np.zeros(N, bool)
    return lambda steps: _naive_run(V, u, current, spikes, np.dtype(dtype).type(DT), steps)


def compiler() -> str | None:
    """The first C compiler found."""
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)


@functools.cache
def _c_function(dtype: str) -> ctypes._CFuncPtr:
    source = Path(__file__).with_name("reference.c")
    real, c_real = {"float32": ("float", ctypes.c_float), "float64": ("double", ctypes.c_double)}[dtype]
    folder = tempfile.mkdtemp()
    try:
        library = Path(folder, "reference.so")
        options = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", f"-DREAL={real}"]
        if platform.machine() in ("x86_64", "AMD64"):
            options.append("-mprefer-vector-width=512")  # as izhnumba does
        subprocess.run([compiler(), *options, source, "-o", library, "-lm"], check=True)
        function = ctypes.CDLL(str(library)).run
    finally:
        shutil.rmtree(folder)
    function.restype = ctypes.c_long
    function.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_long] * 2 + [c_real]
    return function


def c_runner(N: int, dtype: str) -> Runner:
    V, u, current = start(N, dtype)
    function = _c_function(dtype)
    return lambda steps: function(V.ctypes.data, u.ctypes.data, current.ctypes.data, N, steps, DT)


def brainpy_runner(N: int, dtype: str) -> Runner:
    """brainpy.state.IzhikevichRef under for_loop, compiled for each number of steps."""
    import brainpy
    import brainstate
    import braintools
    import brainunit as unit
    import jax

    jax.config.update("jax_enable_x64", dtype == "float64")
    brainstate.environ.set(dt=DT * unit.ms, precision=int(dtype[-2:]))
    initial, rate = braintools.init.Constant, unit.mV / unit.ms
    neurons = brainpy.state.IzhikevichRef(
        N, tau_ref=2.0 * unit.ms, V_initializer=initial(-65.0 * unit.mV), u_initializer=initial(-13.0 * rate)
    )
    brainstate.nn.init_all_states(neurons)
    current = jax.numpy.asarray(start(N, dtype)[2]) * rate

    def step(k):
        with brainstate.environ.context(t=k * brainstate.environ.get_dt(), i=k):
            return unit.math.sum(neurons(current) > 0)

    @brainstate.transform.jit(static_argnums=1)
    def run(first, steps):
        return brainstate.transform.for_loop(step, first + jax.numpy.arange(steps)).sum()

    done = [0]

    def runner(steps: int) -> int:
        done[0] += steps
        return int(run(done[0] - steps, steps))

    return runner


def full_range_runner(N: int, dtype: str) -> Runner:
    """izhnumba where the short exprel does not reach: a threshold of 40 mV makes dt (0.08 V_th + 5) 0.82."""
    return izhnumba_runner(N, dtype, V_th=40.0)


RUNNERS = {"numpy": numpy_runner, "naive_njit": naive_runner, **({"c": c_runner} if compiler() else {})}
OPTIONAL = {"brainpy.state": brainpy_runner} if importlib.util.find_spec("brainpy") else {}
