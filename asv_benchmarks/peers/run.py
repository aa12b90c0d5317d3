"""Compare simulators: the same networks in izhnumba, Brian2, NEST, GeNN, ANNarchy, brainpy.state and NumPy, on one
thread each.

    python asv_benchmarks/peers/run.py [--workload NAME ...] [--simulator NAME ...] [--repeats N]
                                       [--seconds S] [--python NAME=PATH ...]

Each simulator has a process of its own, which builds the network and then waits for its turns. Times are of the runs
alone: the best of the repeats, and their median in brackets. Ratios are to izhnumba's time in the same dtype.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from networks import WORKLOADS, arrays

BOTH = ("float64", "float32")
SIMULATORS = {
    "izhnumba": BOTH, "brian2": BOTH, "nest": ("float64",), "genn": BOTH, "annarchy": BOTH, "brainpy": BOTH,
    "numpy": BOTH,
}  # fmt: skip
MODULES = {"genn": "pygenn", "annarchy": "ANNarchy"}  # of those that are imported by another name
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ENVIRONMENT = os.environ | dict.fromkeys(THREADS, "1") | {"JAX_PLATFORMS": "cpu"}
ROW = "| {} | {} | {} | {} | {} | {} | {} | {} |"
HEAD = ("workload", "simulator", "dtype", "build s", "run s", "its time / izhnumba's", "spikes", "rate Hz")


class Worker:
    """A process that simulates one network with one simulator."""

    def __init__(self, simulator: str, dtype: str, python: str, network: Path, seconds: float) -> None:
        self.simulator, self.dtype, self.times = simulator, dtype, []
        self.said = {"version": simulator}  # all of its answers
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        script = Path(__file__).with_name(f"with_{simulator}.py")
        self.process = subprocess.Popen(
            [python, script, network, str(seconds), dtype], env=ENVIRONMENT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )  # fmt: skip
        self._listen()

    def simulate(self) -> None:
        if "cannot" not in self.said:
            print(file=self.process.stdin, flush=True)
            self._listen()

    def end(self) -> None:
        self.process.communicate()
        self.errors.close()

    def _listen(self) -> None:
        answer = next((line for line in self.process.stdout if line.startswith("{")), None)  # some greet first
        new = json.loads(answer) if answer else {"cannot": self._last_words()}
        self.said |= new
        if "seconds" in new:
            self.times.append(new["seconds"])

    def _last_words(self) -> str:
        self.errors.seek(0)
        return (self.errors.read().strip() or "it ended").splitlines()[-1]


class Notes(list):
    def mark(self, text: str) -> str:
        if text not in self:
            self.append(text)
        return f" [{self.index(text) + 1}]"


def main() -> None:
    arguments = parsed()
    print(ROW.format(*HEAD), "|---" * len(HEAD) + "|", sep="\n")
    notes = Notes()
    absent = [name for name in arguments.simulator if not installed(name, arguments.python[name])]
    for name in arguments.workload:
        seconds = arguments.seconds or WORKLOADS[name].seconds
        workers = measure(name, seconds, [x for x in arguments.simulator if x not in absent], arguments)
        ours = {worker.dtype: worker.times for worker in workers if worker.simulator == "izhnumba"}
        for worker in workers:
            print(row(worker, ours.get(worker.dtype), f"{name}, {seconds:g} s", seconds, notes), flush=True)
    for number, note in enumerate(notes, 1):
        print(f"\n[{number}] {note}")
    for name in absent:
        print(f"\n{name}: not installed")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", nargs="+", metavar="NAME", default=list(WORKLOADS), choices=WORKLOADS)
    parser.add_argument("--simulator", nargs="+", metavar="NAME", default=list(SIMULATORS), choices=SIMULATORS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, help="of model time, in place of the workload's own")
    parser.add_argument("--python", nargs="+", metavar="NAME=PATH", default=[], help="of other environments")
    arguments = parser.parse_args()
    arguments.python = dict.fromkeys(SIMULATORS, sys.executable) | dict(x.partition("=")[::2] for x in arguments.python)
    for name, path in arguments.python.items():
        if name not in SIMULATORS or not shutil.which(path):
            parser.error(f"argument --python: {name}={path} must be one of {', '.join(SIMULATORS)} and an interpreter")
    return arguments


def installed(simulator: str, python: str) -> bool:
    module = MODULES.get(simulator, simulator)
    find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", find]).returncode == 0


def measure(name: str, seconds: float, simulators: list[str], arguments: argparse.Namespace) -> list[Worker]:
    """Workers that have simulated the workload in turn, so that a busy machine slows all of them alike."""
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder, "network.npz")
        workload = WORKLOADS[name]
        np.savez(network, workload=name, stepped=workload.stepped, **arrays(workload.build("float64")))
        workers = [
            Worker(simulator, dtype, arguments.python[simulator], network, seconds)
            for simulator in simulators
            for dtype in SIMULATORS[simulator]
        ]
        for _ in range(arguments.repeats):
            for worker in workers:
                worker.simulate()
        for worker in workers:
            worker.end()
    return workers


def row(worker: Worker, ours: list[float] | None, workload: str, seconds: float, notes: Notes) -> str:
    said, version = worker.said, worker.said["version"]
    first = (workload, version, worker.dtype)
    if "cannot" in said:
        return ROW.format(*first, "-" + notes.mark(f"{version}: {said['cannot']}"), *"----")
    note = notes.mark(f"{version}: {said['note']}") if said["note"] else ""
    best, median = min(worker.times), statistics.median(worker.times)
    ratio = f"{best / min(ours):.3g} ({median / statistics.median(ours):.3g})" if ours else "-"
    rate = f"{said['spikes'] / said['neurons'] / seconds:.3g}{note}"
    return ROW.format(*first, f"{said['build']:.2g}", f"{best:.3g} ({median:.3g})", ratio, said["spikes"], rate)


if __name__ == "__main__":
    main()
