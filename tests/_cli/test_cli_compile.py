"""The command `izhnumba compile`. That its files are used, and harmless, is in `_numba/test_built.py`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from izhnumba import _ahead, cli
from izhnumba.cli import _compile


@pytest.fixture
def compiler(monkeypatch):
    """Stands in for the process that compiles: for each processor it makes a file. Returns the environments it saw."""
    seen = []

    def run(command, env, **options):
        assert command[1:] == ["-m", "izhnumba._ahead"]
        seen.append(env)
        cache = Path(env["NUMBA_CACHE_DIR"], "izhnumba")
        cache.mkdir(exist_ok=True)
        (cache / f"kernel-{len(seen)}.nbc").write_bytes(b"code")
        return subprocess.CompletedProcess(command, 1 if "fails" in env else 0, "", "Trace\nOSError: no room\n")

    monkeypatch.setattr(_compile.subprocess, "run", run)
    monkeypatch.setattr(_compile.built, "level_of", lambda features: "x86-64-v3")
    return seen


def test_compile_replaces_what_is_there(tmp_path, capsys, compiler):
    (tmp_path / "old.nbc").write_bytes(b"of another version")
    (tmp_path / "notes.txt").write_text("not ours")
    assert cli.main(["compile", "--to", str(tmp_path), "--cpu", "native", "--cpu", "x86-64-v3"]) == 0
    assert sorted(os.listdir(tmp_path)) == ["kernel-1.nbc", "kernel-2.nbc", "notes.txt"]
    assert capsys.readouterr().out.startswith("2 kernels for native, x86-64-v3, 0.0 MiB")
    assert [env.get("NUMBA_CPU_NAME") for env in compiler] == [os.environ.get("NUMBA_CPU_NAME"), "x86-64-v3"]


def test_compile_refuses_what_it_cannot_do(tmp_path, capsys, compiler, monkeypatch):
    def refused(*arguments):
        assert cli.main(["compile", *map(str, arguments)]) == 2
        return capsys.readouterr().err

    assert "--cpu must be a known name, got 'x86'" in refused("--cpu", "x86")
    wrong = "--cpu must be one that this processor can run, x86-64-v3 at most, got x86-64-v4."
    assert wrong in refused("--cpu", "x86-64-v4")
    (tmp_path / "file").touch()
    assert "must be a folder that can be written" in refused("--to", tmp_path / "file")
    assert not compiler
    monkeypatch.setenv("fails", "1")
    assert cli.main(["compile", "--to", str(tmp_path)]) == 1
    first, last = capsys.readouterr().err.splitlines()
    assert first == "izhnumba: compiling for native, which takes minutes ..."
    assert last == "izhnumba compile: compiling for native failed: OSError: no room"
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_compiled_ahead_runs():
    """The kinds of networks that `compile` runs. (All presets and schemes run elsewhere.)"""
    _ahead._networks("float64")
    _ahead._exact()
