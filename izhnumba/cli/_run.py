"""`izhnumba run`: neurons driven with the currents of a file."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._input.current_file import Currents, read_currents
from izhnumba.cli import _figures, _neurons, _report
from izhnumba.cli._files import Subparsers, output

_FILE = (
    "text or .npy, or - for text from standard input; a row per dt, a column per neuron, in mV/ms or for 2007/... in "
    "pA; a single row holds for --duration. Text may have a header, comments (#), and commas, semicolons, tabs or "
    "blanks between numbers. A first column named t or time, as in 't (s)', or rising by dt is the time"
)


def add(commands: Subparsers) -> argparse.ArgumentParser:
    run = commands.add_parser(
        "run",
        help="drive neurons with the currents of a file",
        allow_abbrev=False,
        usage="izhnumba run --current FILE [options]",
    )
    run.add_argument("--current", required=True, metavar="FILE", help=_FILE)
    run.add_argument(
        "--duration",
        type=float,
        metavar="MS",
        help="default: the rows of the file times dt; it may be longer for a file of one row",
    )
    run.add_argument("--neurons", type=int, metavar="N", help="refuse a file that has not N columns")
    run.add_argument("--dtype", default="float64", choices=("float64", "float32"), help="default: float64")
    run.add_argument(
        "--out", metavar="FILE", help="write the spikes as CSV: neuron, step (if there are steps), time in ms"
    )
    run.add_argument("--record", metavar="FILE", help="write V after every dt as CSV: time, one column per neuron")
    run.add_argument("--plot", metavar="FILE", help="write a raster and the trace of the first neuron")
    run.add_argument(
        "--html", metavar="FILE", help="write a page with picture, rates, parameters and this command line"
    )
    _neurons.add_options(run)
    return run


def run(arguments: argparse.Namespace) -> None:
    _check_files(arguments)
    neurons = _neurons.chosen(arguments)
    current = _read(arguments, neurons.dt)
    rows, n = current.values.shape
    population = iz.Population(n, scheme=neurons.scheme, dt=neurons.dt, dtype=arguments.dtype, **neurons.options)
    duration, given = _stimulus(arguments, population, current.values)
    with (
        output(arguments.out) as out,
        output(arguments.record) as record,
        output(arguments.plot) as figure,
        output(arguments.html) as page,
    ):
        started = time.perf_counter()
        draws = figure or page
        recorded: dict[str, Any] = dict(record="V", neurons=None if record else [0]) if record or draws else {}
        result = population.run(duration, given, progress=True, **recorded)
        seconds = time.perf_counter() - started
        compiled, source = arguments.told.said, str(_path(arguments))
        done = _report.Done(neurons, population, current, duration, result, seconds, compiled, source, arguments.line)
        if out:
            _save_spikes(result.spikes, out)
        if record:
            header = ",".join(["t", *(f"V{i}" for i in range(n))])
            np.savetxt(record, np.column_stack([result.t, result.V]), "%.12g", ",", header=header, comments="")
        if figure:
            _figures.save(result, neurons.peak(population), figure)
        if page:
            page.write_text(_report.page(done), "utf-8")
    print(done.summary)
    written = dict(spikes=arguments.out, V=arguments.record, figure=arguments.plot, page=arguments.html)
    for what, name in written.items():
        if name is not None:
            print(f"{what:8} {name}")


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuse names of files that cannot be, before anything is read."""
    names = [arguments.out, arguments.record, arguments.plot, arguments.html]
    names += [arguments.current] if arguments.current != "-" else []
    paths = [os.path.realpath(name) for name in names if name is not None]
    if len(set(paths)) < len(paths):
        raise ValueError("--current, --out, --record, --plot and --html must be different files.")
    if arguments.plot is not None:
        _figures.check_name(arguments.plot)
    if arguments.html is not None:
        _figures.require("--html")


def _path(arguments: argparse.Namespace) -> Path:
    """The file of currents, or what to call standard input."""
    return Path("standard input" if arguments.current == "-" else arguments.current)


def _read(arguments: argparse.Namespace, dt: float) -> Currents:
    """The currents, of as many neurons as they must be."""
    path = _path(arguments)
    if arguments.current == "-":
        if sys.stdin is None:
            raise ValueError(f"{path}: must be open for --current -, got none.")
        current = read_currents(path, dt, sys.stdin.buffer.read())
    elif not path.exists() and re.fullmatch(r"[-+]?[\d.]+", arguments.current):
        raise ValueError(f"{path}: --current must be a file. One with this number alone holds for --duration.")
    else:
        current = read_currents(path, dt)
    if arguments.neurons not in (None, n := current.values.shape[1]):
        beside = " beside the time" if current.time else ""
        raise ValueError(f"{path}: must have {counted(arguments.neurons, 'column')}, one per neuron, got {n}{beside}.")
    return current


def _stimulus(
    arguments: argparse.Namespace, population: iz.Population, current: np.ndarray[Any, Any]
) -> tuple[float, Any]:
    """How long to run, ms, and the input for so long."""
    (rows, n), dt = current.shape, population.dt
    duration = rows * dt if arguments.duration is None else arguments.duration
    given: Any
    if population.scheme.exact:  # rows are pieces of a current in continuous time
        too_long = checks.number("--duration", duration, "ms", at_least=0) > rows * dt
        given = iz.TimedArray(current, dt)
    else:
        steps = checks.steps("--duration", duration, dt)
        too_long, given = steps > rows, current[:steps] if rows > 1 else np.broadcast_to(current, (steps, n))
    if too_long and rows > 1:  # a single row holds for as long as asked
        raise ValueError(f"--duration must be at most {rows * dt:g} ms, as long as the file, got {duration:g}.")
    return duration, given


def _save_spikes(spikes: iz.Spikes, path: Path) -> None:
    """Write spikes as CSV. Those of the exact scheme have no steps, and times with all their digits."""
    if spikes.step is None:
        np.savetxt(path, np.column_stack([spikes.i, spikes.t]), "%d,%s", header="i,t", comments="")
    else:
        columns = np.column_stack([spikes.i, spikes.step, spikes.t])
        np.savetxt(path, columns, "%d,%d,%.12g", header="i,step,t", comments="")
