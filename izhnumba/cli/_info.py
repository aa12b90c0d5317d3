"""`izhnumba info`: versions, threads, cache and speed of this machine."""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np

import izhnumba as iz
from izhnumba._numba.compile import cache_folder, target_features
from izhnumba.cli._files import Subparsers


def add(commands: Subparsers) -> argparse.ArgumentParser:
    return commands.add_parser("info", help="versions, threads, cache and speed of this machine")


def run(arguments: argparse.Namespace) -> None:
    import llvmlite
    import numba

    for package in (iz, np, numba, llvmlite):
        print(f"{package.__name__:16} {package.__version__}")
    print(f"python           {platform.python_version()}")
    print(f"threading layer  {_threading_layer()}")
    print(f"threads          {numba.config.NUMBA_NUM_THREADS}")
    print(f"cache            {cache_folder() or 'none: no folder can be written, each process compiles'}")
    print(f"SIMD             {_simd()}")
    for dtype in ("float32", "float64"):
        print(f"speed {dtype}    {_giga_steps_per_second(dtype):.2f} G neuron-steps/s, 10,000 neurons, 1 thread")


def _giga_steps_per_second(dtype: str) -> float:
    """The highest rate of `Population.run` within half a second, 1e9 neurons x steps per second."""
    population = iz.Population(10_000, dtype=dtype, threads=1)
    population.run(10.0, 10.0)
    times: list[float] = []
    while sum(times) < 0.5:
        started = time.perf_counter()
        population.run(100.0, 10.0)
        times.append(time.perf_counter() - started)
    return 10_000 * 1000 / min(times) / 1e9


def _threading_layer() -> str:
    """Name of the threading layer that Numba has chosen, which is known only after a parallel kernel has run."""
    import numba

    try:
        iz.Population(10_000, threads=min(2, numba.config.NUMBA_NUM_THREADS)).run(10.0, 10.0)
        return str(numba.threading_layer())
    except ValueError:
        return f"not started, configured: {numba.config.THREADING_LAYER}"


def _simd() -> str:
    """The widest vectors that LLVM may use, in words."""
    features = target_features()
    widths = {"avx512f": 512, "avx2": 256, "avx": 256, "sse2": 128, "neon": 128}
    return next((f"{width} bits ({name})" for name, width in widths.items() if name in features), "unknown")
