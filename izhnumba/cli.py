"""The command line: `izhnumba demo | run | presets | info | compile`.

Wrong input gives one line on stderr and exit code 2; output files appear complete or not at all.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._base.files import replaced
from izhnumba._engine.timebase import SHORTEST_STEP
from izhnumba._input.current_file import read_currents
from izhnumba._numba import built
from izhnumba._numba.compile import cache_folder, target_features

HAVE_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None
NO_MATPLOTLIB = 'it needs matplotlib. Install it with: pip install "izhnumba[plot]"'
_CPUS = ("native", *reversed(built.LEVELS))
_OPTION_OF = {  # options with another name than the argument in the Python API
    "presets.name": "preset",
    "Population.run.I": "current",
    "Population.run.T": "duration",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for a failed simulation, 2 for wrong input, 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: _warn(arguments, str(message))
        try:
            arguments.command(arguments)
        except OSError as error:
            return _say(arguments, f"{error.filename or 'error'}: {error.strerror}", 2)
        except (ValueError, ImportError) as error:
            return _say(arguments, str(error), 2)
        except RuntimeError as error:  # V or u became non-finite
            return _say(arguments, str(error), 1)
        except KeyboardInterrupt:
            return _say(arguments, "interrupted, no file was written.", 130)
    return 0


def _say(arguments: argparse.Namespace, message: str, code: int) -> int:
    """Print an error as one line. Returns the exit code."""
    print(f"izhnumba {arguments.name}: {' '.join(_in_options(arguments, message).split())}", file=sys.stderr)
    return code


def _warn(arguments: argparse.Namespace, message: str) -> None:
    print(f"izhnumba: warning: {_in_options(arguments, message)}", file=sys.stderr)


def _in_options(arguments: argparse.Namespace, message: str) -> str:
    """A message of the Python API, with the option in place of the argument it begins with."""

    def option(api: re.Match[str]) -> str:
        name = _OPTION_OF.get(api[0], api[1])
        return f"--{name.replace('_', '-')}" if hasattr(arguments, name) else api[0]

    return re.sub(r"^(?:presets|Population|Population\.run)\.(\w+)\b(?!\.)", option, message)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")  # argparse would print the usage before it


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="izhnumba", description="Simulate Izhikevich neurons.")
    parser.add_argument("--version", action="version", version=f"izhnumba {iz.__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="demo|run|presets|info|compile")
    demo = commands.add_parser("demo", help="the network of 1000 neurons of 2003, with a figure")
    demo.add_argument("--duration", type=float, default=1000.0, metavar="MS", help="model time (default: 1000)")
    demo.add_argument("--seed", type=int, default=2003, help="seed of parameters and noise (default: 2003)")
    demo.add_argument("--plot", default="izhnumba-demo.png", metavar="FILE", help="default: izhnumba-demo.png")
    demo.set_defaults(command=_demo)

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
    run.set_defaults(command=_run)

    commands.add_parser("presets", help="names, schemes and sources of the presets").set_defaults(command=_presets)
    commands.add_parser("info", help="versions, threads, cache and speed of this machine").set_defaults(command=_info)

    ahead = commands.add_parser("compile", help="compile usual kernels, so that first runs need not")
    cpu = f"processors to compile for: {', '.join(_CPUS)} (default: native, this one); may be repeated"
    ahead.add_argument("--cpu", action="append", metavar="NAME", help=cpu)
    folder = "where to put them in place of those that are there (default: the package's own folder, where it looks)"
    ahead.add_argument("--to", metavar="FOLDER", help=folder)
    ahead.set_defaults(command=_compile)
    return parser


def _demo(arguments: argparse.Namespace) -> None:
    dt = 1.0  # ms, as in net.m, whose noise is a number per neuron and step
    duration = dt * checks.steps("--duration", arguments.duration, dt, at_least=1)
    seed = checks.integer("--seed", arguments.seed, at_least=0)
    if HAVE_MATPLOTLIB:
        _check_figure_name(arguments.plot)
    started = time.perf_counter()
    net, spikes, voltage = _network_2003(seed, dt)
    built = time.perf_counter()
    with _output(arguments.plot if HAVE_MATPLOTLIB else None) as figure_file:
        net.run(min(duration, 100.0))
        net.reset()
        ready = time.perf_counter()
        net.run(duration)
        seconds = time.perf_counter() - ready
        result = iz.Result(net.populations["cells"].model, spikes.spikes, voltage.samples)
        if figure_file:
            _save_figure(result, 30.0, figure_file)

    counts = np.bincount(result.spikes.i, minlength=1000) * 1000 / duration
    print(f"1000 neurons, 1000000 synapses, {duration:g} ms of model time, scheme izhikevich2003, dt {dt:g} ms")
    print(f"rates             {counts[:800].mean():.1f} Hz excitatory, {counts[800:].mean():.1f} Hz inhibitory")
    print(f"wall time         {seconds:.4f} s")
    print(
        f"before that       {built - started:.2f} s to build the network, {ready - built:.2f} s to compile or load it"
    )
    print(f"real-time factor  {duration / 1000 / seconds:.0f}")
    print(f"figure            {arguments.plot if figure_file else 'none: ' + NO_MATPLOTLIB}")


def _network_2003(seed: int, dt: float) -> tuple[iz.Network, iz.SpikeRecorder, iz.StateRecorder]:
    """net.m of Izhikevich 2003: all to all, random weights, a new random current for each neuron and step."""
    net = iz.Network(dt=dt, scheme="izhikevich2003", seed=seed)
    cells = net.add(iz.Population(1000, **_cells(seed)), name="cells")
    net.connect(cells[:800], cells, iz.AllToAll(), weight=iz.Uniform(0.0, 0.5), receptor=iz.Pulse())
    net.connect(cells[800:], cells, iz.AllToAll(), weight=iz.Uniform(-1.0, 0.0), receptor=iz.Pulse())
    net.drive(cells, iz.Noise(np.where(np.arange(1000) < 800, 5.0, 2.0)))
    return net, net.record(cells, "spikes"), net.record(cells, "V", neurons=[0])


def _cells(seed: int) -> dict[str, Any]:
    """Parameters of the 800 excitatory (RS to CH) and 200 inhibitory (LTS to FS) cells of net.m, Izhikevich 2003."""
    rng = np.random.default_rng(seed)
    e, i = rng.random(800), rng.random(200)
    a = np.append(0 * e + 0.02, 0.02 + 0.08 * i)
    b = np.append(0 * e + 0.2, 0.25 - 0.05 * i)
    c = np.append(15 * e**2 - 65, 0 * i - 65)
    d = np.append(8 - 6 * e**2, 0 * i + 2)
    return dict(a=a, b=b, c=c, d=d, u="nullcline")


def _run(arguments: argparse.Namespace) -> None:
    names = (arguments.current, arguments.out, arguments.record, arguments.plot)
    paths = [os.path.realpath(name) for name in names if name is not None]
    if len(set(paths)) < len(paths):
        raise ValueError("--current, --out, --record and --plot must be different files.")
    if arguments.plot is not None:
        _check_figure_name(arguments.plot)
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

    with _output(arguments.out) as out, _output(arguments.record) as record, _output(arguments.plot) as figure:
        started = time.perf_counter()
        recorded: dict[str, Any] = dict(record="V", neurons=None if record else [0]) if record or figure else {}
        result = population.run(duration, given, progress=sys.stderr.isatty(), **recorded)
        seconds = time.perf_counter() - started
        if out:
            _save_spikes(result.spikes, out)
        if record:
            header = ",".join(["t", *(f"V{i}" for i in range(n))])
            np.savetxt(record, np.column_stack([result.t, result.V]), "%.12g", ",", header=header, comments="")
        if figure:
            _save_figure(result, preset.get("vpeak", 30.0), figure)
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


def _output(name: str | None) -> AbstractContextManager[Path | None]:
    """Context of a scratch file that gets the name at its end; after an error or Ctrl-C no file is left. None for
    None."""
    if name is None:
        return nullcontext()
    path, folder = Path(name), Path(os.path.realpath(name)).parent
    plain = path.is_file() or not os.path.lexists(os.path.realpath(name))
    if plain and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ValueError(f"{path}: must be in a folder that exists and can be written.")
    try:
        return replaced(path)
    except PermissionError:
        raise ValueError(f"{path}: must be a file that can be written.") from None


def _check_figure_name(name: str) -> None:
    """Refuse a file type that matplotlib cannot write, and any figure without matplotlib."""
    if not HAVE_MATPLOTLIB:
        raise ImportError(f"--plot: {NO_MATPLOTLIB}")
    from matplotlib.backend_bases import FigureCanvasBase

    checks.one_of(f"{name}: file type", Path(name).suffix[1:], FigureCanvasBase.get_supported_filetypes())


def _save_figure(result: iz.Result, peak: float, path: Path) -> None:
    """Write a raster and the trace of the first recorded neuron, spikes drawn up to `peak` (mV)."""
    from matplotlib.figure import Figure  # without pyplot: nothing is shown, no window system is needed

    from izhnumba import plot

    figure = Figure(figsize=(8, 6), layout="constrained")
    raster, trace = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    plot.raster(result.spikes, ax=raster).set_xlabel("")
    plot.trace(result, ax=trace, columns=[0], peak=peak)
    figure.savefig(path, dpi=150)


def _presets(arguments: argparse.Namespace) -> None:
    for name, preset in iz.presets.items():
        print(f"{name:10} {preset.scheme:15} dt {preset.dt:<6g} {preset.source}")


def _info(arguments: argparse.Namespace) -> None:
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


def _compile(arguments: argparse.Namespace) -> None:
    """Compile in a process for each kind of processor, then put the files of all into the folder at once."""
    assert built.folder is not None
    folder, cpus = Path(arguments.to or built.folder), arguments.cpu or ["native"]
    level = built.level_of(target_features()) or "native"
    for cpu in cpus:
        if _CPUS.index(checks.one_of("--cpu", cpu, _CPUS)) > _CPUS.index(level):
            raise ValueError(f"--cpu must be one that this processor can run, {level} at most, got {cpu}.")
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ValueError(f"{folder}: must be a folder that can be written.")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        for cpu in cpus:
            where = dict(NUMBA_CACHE_DIR=scratch, PYTHONPATH=os.pathsep.join(sys.path))
            machine = {} if cpu == "native" else dict(NUMBA_CPU_NAME=cpu, NUMBA_CPU_FEATURES=built.LEVELS[cpu])
            command = [sys.executable, "-m", "izhnumba._ahead"]
            done = subprocess.run(command, env=os.environ | where | machine, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"compiling for {cpu} failed: {(done.stderr.splitlines() or ['stopped'])[-1]}")
        new = {file.name: file.read_bytes() for file in Path(scratch, "izhnumba").glob("*.nbc")}
    for name, content in new.items():
        with replaced(folder / name) as file:
            file.write_bytes(content)
    for old in folder.glob("*.nbc"):
        if old.name not in new:
            old.unlink()
    size, seconds = sum(map(len, new.values())) / 2**20, time.perf_counter() - started
    print(f"{len(new)} kernels for {', '.join(cpus)}, {size:.1f} MiB, {seconds:.0f} s: {folder}")


if __name__ == "__main__":
    sys.exit(main())
