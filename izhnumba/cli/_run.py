"""`izhnumba run`: neurons driven with the currents of a file."""

from __future__ import annotations

import argparse
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._engine.timebase import SHORTEST_STEP
from izhnumba._input.current_file import read_currents
from izhnumba.cli import _figures
from izhnumba.cli._files import Subparsers, output


def add(commands: Subparsers) -> argparse.ArgumentParser:
    run = commands.add_parser("run", help="drive neurons with the currents of a file")
    file = (
        "text or .npy; a row per dt, a column per neuron, in mV/ms or for 2007/... in pA; a single row holds for "
        "--duration. Text may have a header, comments (#), and commas, semicolons, tabs or blanks between numbers. A "
        "first column named t or time, as in 't (s)', or rising by dt is the time"
    )
    run.add_argument("--current", required=True, metavar="FILE", help=file)
    run.add_argument("--preset", default="RS", metavar="NAME", help="see `izhnumba presets` (default: RS)")
    run.add_argument(
        "--dt",
        type=float,
        metavar="MS",
        help="step, or with --scheme exact time between rows and samples (default: the preset's)",
    )
    run.add_argument(
        "--duration",
        type=float,
        metavar="MS",
        help="default: the rows of the file times dt; it may be longer for a file of one row",
    )
    run.add_argument("--neurons", type=int, metavar="N", help="refuse a file that has not N columns")
    run.add_argument("--tau-ref", type=float, default=0.0, metavar="MS", help="refractory time (default: 0)")
    schemes = f"{', '.join(iz.schemes)} (default: the preset's)"
    run.add_argument("--scheme", metavar="NAME", help=schemes)
    run.add_argument("--dtype", default="float64", choices=("float64", "float32"), help="default: float64")
    run.add_argument(
        "--out", metavar="FILE", help="write the spikes as CSV: neuron, step (if there are steps), time in ms"
    )
    run.add_argument("--record", metavar="FILE", help="write V after every dt as CSV: time, one column per neuron")
    run.add_argument("--plot", metavar="FILE", help="write a raster and the trace of the first neuron")
    return run


def run(arguments: argparse.Namespace) -> None:
    names = (arguments.current, arguments.out, arguments.record, arguments.plot)
    paths = [os.path.realpath(name) for name in names if name is not None]
    if len(set(paths)) < len(paths):
        raise ValueError("--current, --out, --record and --plot must be different files.")
    if arguments.plot is not None:
        _figures.check_name(arguments.plot)
    preset = iz.presets[arguments.preset]
    scheme = preset.scheme if arguments.scheme is None else arguments.scheme
    dt = preset.dt if arguments.dt is None else arguments.dt
    dt = checks.number("--dt", dt, "ms", at_least=SHORTEST_STEP)
    path = Path(arguments.current)
    if not path.exists() and re.fullmatch(r"[-+]?[\d.]+", arguments.current):
        raise ValueError(f"{path}: --current must be a file. One with this number alone holds for --duration.")
    current, axis = read_currents(path, dt)
    rows, n = current.shape
    if arguments.neurons not in (None, n):
        beside = " beside the time" if axis else ""
        raise ValueError(f"{path}: must have {arguments.neurons} columns, one per neuron, got {n}{beside}.")
    population = iz.Population(n, scheme=scheme, dt=dt, dtype=arguments.dtype, tau_ref=arguments.tau_ref, **preset)
    duration = rows * dt if arguments.duration is None else arguments.duration
    if population.scheme.exact:  # rows are pieces of a current in continuous time
        too_long = checks.number("--duration", duration, "ms", at_least=0) > rows * dt
        given: iz.TimedArray | np.ndarray[Any, Any] = iz.TimedArray(current, dt)
    else:
        steps = checks.steps("--duration", duration, dt)
        too_long, given = steps > rows, current[:steps] if rows > 1 else np.broadcast_to(current, (steps, n))
    if too_long and rows > 1:  # a single row holds for as long as asked
        raise ValueError(f"--duration must be at most {rows * dt:g} ms, as long as the file, got {duration:g}.")

    with output(arguments.out) as out, output(arguments.record) as record, output(arguments.plot) as figure:
        started = time.perf_counter()
        recorded: dict[str, Any] = dict(record="V", neurons=None if record else [0]) if record or figure else {}
        result = population.run(duration, given, progress=True, **recorded)
        seconds = time.perf_counter() - started
        if out:
            _save_spikes(result.spikes, out)
        if record:
            header = ",".join(["t", *(f"V{i}" for i in range(n))])
            np.savetxt(record, np.column_stack([result.t, result.V]), "%.12g", ",", header=header, comments="")
        if figure:
            _figures.save(result, preset.get("vpeak", 30.0), figure)
    print(f"{n} x {arguments.preset}, {duration:g} ms: {len(result.spikes.i)} spikes, {seconds:.2f} s with compilation")
    if axis:
        print(f"time axis: {axis}")


def _save_spikes(spikes: iz.Spikes, path: Path) -> None:
    """Write spikes as CSV. Those of the exact scheme have no steps, and times with all their digits."""
    if spikes.step is None:
        np.savetxt(path, np.column_stack([spikes.i, spikes.t]), "%d,%s", header="i,t", comments="")
    else:
        columns = np.column_stack([spikes.i, spikes.step, spikes.t])
        np.savetxt(path, columns, "%d,%d,%.12g", header="i,step,t", comments="")
