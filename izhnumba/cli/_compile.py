"""`izhnumba compile`: kernels compiled ahead, so that first runs need not."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from izhnumba._base import checks
from izhnumba._base.files import replaced
from izhnumba._base.words import counted
from izhnumba._numba import built
from izhnumba._numba.compile import target_features
from izhnumba.cli._files import Subparsers

_CPUS = ("native", *reversed(built.LEVELS))


def add(commands: Subparsers) -> argparse.ArgumentParser:
    ahead = commands.add_parser("compile", help="compile usual kernels, so that first runs need not")
    cpu = f"processors to compile for: {', '.join(_CPUS)} (default: native, this one); may be repeated"
    ahead.add_argument("--cpu", action="append", metavar="NAME", help=cpu)
    folder = "where to put them in place of those that are there (default: the package's own folder, where it looks)"
    ahead.add_argument("--to", metavar="FOLDER", help=folder)
    return ahead


def run(arguments: argparse.Namespace) -> None:
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
            print(f"izhnumba: compiling for {cpu}, which takes minutes ...", file=sys.stderr, flush=True)
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
    print(f"{counted(len(new), 'kernel')} for {', '.join(cpus)}, {size:.1f} MiB, {seconds:.0f} s: {folder}")
