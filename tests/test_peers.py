"""The comparison of simulators: asv_benchmarks/peers/run.py prints a table, and says what it could not run."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from processes import PACKAGE

RUN = Path(__file__).parents[1] / "asv_benchmarks" / "peers" / "run.py"


def run(*arguments):
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.run([sys.executable, RUN, *arguments], env=environment, capture_output=True, text=True)


def table(*arguments):
    """The rows below the head, each with its cells, and the lines below the table."""
    done = run("--repeats", "1", *arguments)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    notes = [line for line in done.stdout.splitlines() if line and line not in rows]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]], notes


def test_table_shows_the_same_network_in_each_simulator():
    workloads = ("stdp2006", "population")
    rows, notes = table("--workload", *workloads, "--simulator", "izhnumba", "numpy", "--seconds", "0.1")
    assert notes == []
    assert [row[0] for row in rows] == [f"{name}, 0.1 s" for name in workloads for _ in range(4)]
    for ours, theirs in zip(rows[::4], rows[2::4], strict=True):
        assert ours[1].startswith("izhnumba ")
        assert theirs[1].startswith("NumPy ")
        assert ours[2] == theirs[2] == "float64"
        assert ours[6:] == theirs[6:]  # spikes and rate
        assert int(ours[6]) > 50
        assert float(theirs[5].split()[0]) > 0


def test_ratio_needs_izhnumba():
    rows, _ = table("--workload", "network2003", "--simulator", "numpy", "--seconds", "0.02")
    assert [row[5] for row in rows] == ["-", "-"]


def test_what_is_not_installed_is_named(tmp_path):
    venv.create(tmp_path)
    folder = "Scripts" if sys.platform == "win32" else "bin"
    rows, notes = table(
        "--workload", "network2003", "--simulator", "numpy", "nest", "--seconds", "0.02",
        "--python", f"nest={tmp_path / folder / 'python'}",
    )  # fmt: skip
    assert len(rows) == 2
    assert notes == ["nest: not installed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workload", "network2004"], "invalid choice: 'network2004'"),
        (["--simulator", "neuron"], "invalid choice: 'neuron'"),
        (
            ["--python", "neuron=python"],
            "neuron=python must be one of izhnumba, brian2, nest, genn, annarchy, brainpy, numpy",
        ),
        (["--python", "nest=/nowhere/python"], "nest=/nowhere/python must be one of"),
    ],
)
def test_unknown_names_are_refused(arguments, message, monkeypatch, capsys):
    monkeypatch.syspath_prepend(RUN.parent)
    monkeypatch.setattr("sys.argv", ["run.py", *arguments])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(RUN), run_name="__main__")
    assert message in capsys.readouterr().err
