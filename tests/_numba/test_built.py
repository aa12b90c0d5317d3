"""Kernels that came with the package: used where they fit, harmless where they do not."""

from __future__ import annotations

import hashlib

import pytest
from processes import COUNT, run, write

from izhnumba._numba import built
from izhnumba._numba.compile import target_features

LEVEL = built.level_of(target_features())
pytestmark = pytest.mark.skipif(LEVEL is None, reason="levels are those of x86-64")

SCRIPT = """
import json, sys, pathlib
import numpy as np
from izhnumba._clock.kernels.rows import copy
from izhnumba._numba import built
built.folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
row = np.zeros(2, np.float32)
copy("d", "f")(np.array([0.5, 2.0]), row)
print(json.dumps([row.tolist(), compiles()]))
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    return write(tmp_path_factory.mktemp("built") / "script.py", COUNT, SCRIPT)


@pytest.fixture(scope="module")
def folder(script):
    """Kernels for all processors of the level of this one, and what they return."""
    cache = script.parent / "built"
    other = run(script, cache=cache, NUMBA_CPU_NAME=LEVEL, NUMBA_CPU_FEATURES=built.LEVELS[LEVEL])
    return cache / "izhnumba", other


def test_levels():
    assert built.level_of(frozenset()) is None
    v3 = frozenset(name[1:] for name in built.LEVELS["x86-64-v3"].split(","))
    assert built.level_of(v3) == "x86-64-v3"
    assert built.level_of(v3 | {"avx512f"}) == "x86-64-v3"
    assert built.level_of(v3 | {f"avx512{part}" for part in ("f", "bw", "cd", "dq", "vl")}) == "x86-64-v4"


def test_nothing_is_compiled_that_was_built(script, folder):
    kernels, (result, n_compiled) = folder
    assert result == [0.5, 2.0]
    assert n_compiled > 0
    kernels.chmod(0o555)
    try:
        assert run(script, kernels, cache="/dev/null") == [result, 0]  # no folder of the user's can be written
    finally:
        kernels.chmod(0o755)


def test_another_processor_than_this_one_is_compiled_for(script, folder, tmp_path):
    kernels, (result, n_compiled) = folder
    generic = run(script, kernels, cache=tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert generic == [result, n_compiled]


def test_files_that_cannot_be_read_are_compiled_anew(script, folder, tmp_path):
    """Short ones, of which the check sum is wrong, are among the tests of the cache."""
    kernels, (result, n_compiled) = folder
    foreign = b"of another version"
    for file in kernels.iterdir():
        (tmp_path / file.name).write_bytes(hashlib.sha256(foreign).digest() + foreign)
    assert run(script, tmp_path, cache=tmp_path / "cache") == [result, n_compiled]
    assert list((tmp_path / "cache" / "izhnumba").iterdir())
