"""Commands as users type them, in a process or in this one, and a file of currents for them."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

import izhnumba as iz
from izhnumba import cli

CURRENT = np.full((1000, 2), 10.0)  # of two neurons for 100 ms
CURRENT[:, 1] = 4.0


def izhnumba(*arguments, **options):
    """Run a command in a process. What it says while it compiles, which depends on the cache, is left out."""
    command = [sys.executable, "-m", "izhnumba", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment(), **options)
    done.stderr = done.stderr.replace("izhnumba: compiling (first time only) ...\n", "")
    return done


def environment(**more):
    root = os.path.dirname(os.path.dirname(iz.__file__))
    return {**os.environ, "PYTHONPATH": root, **more}


def refused(capsys, *arguments):
    """The one line on stderr of a command that must end with code 2."""
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as exit:  # argparse leaves this way
        code = exit.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("izhnumba")
    return err
