"""Scripts in processes of their own, as users run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import izhnumba

PACKAGE = Path(izhnumba.__file__).parent

# What a script writes first to count how often Numba compiles something.
COUNT = """
from numba.core import event
_compiled = event.RecordingListener()
event.register("numba:compile", _compiled)
def compiles():
    return sum(e.is_start for _, e in _compiled.buffer)
"""


def write(path, *parts):
    """A file of these pieces of text."""
    path.write_text("\n".join(textwrap.dedent(part) for part in parts))
    return path


def start(script, *arguments, package=PACKAGE, **environment):
    """Start a Python script. A variable of the environment that is None is left out. `cache` is its NUMBA_CACHE_DIR, if
    that must not be the one of the tests: what is there does not have to be compiled."""
    if "cache" in environment:
        environment["NUMBA_CACHE_DIR"] = environment.pop("cache")
    variables = {**os.environ, "PYTHONPATH": Path(package).parent, **environment}
    variables = {name: str(value) for name, value in variables.items() if value is not None}
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process, timeout=120):
    """What the last line that it prints means, as JSON."""
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def run(script, *arguments, timeout=120, **where):
    return finish(start(script, *arguments, **where), timeout)
