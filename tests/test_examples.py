"""Each example runs and leaves one picture; the documents show the pictures of the examples."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

PROJECT = Path(__file__).parent.parent
EXAMPLES = sorted((PROJECT / "examples").glob("*.py"))
NUMBERED = [example for example in EXAMPLES if example.name[0].isdigit()]
WITH_JAX = {"14_fit_parameters", "15_train_network"}


# Examples that take longer than their rules need to be seen at work: what is written for what.
SHORTER = {
    "08_polychronization": [("SECONDS = 60", "SECONDS = 6")],
    "09_conductances": [
        ("iz.Network(dt=0.1, seed=9)", "iz.Network(dt=0.1, seed=9, threads=1)"),
        ("BLOCK = 3000.0", "BLOCK = 1000.0"),
        (", 3500.0, ", ", 1000.0, "),
        ("start + 2500", "start + 1000"),
        ("> 10]", "> 2]"),
    ],
    "11_reward_learning": [("T, REWARD = 1_500_000.0", "T, REWARD = 60_000.0"), ("earned > 900", "earned > 0")],
}


def run(example, folder, monkeypatch, capsys):
    """What it prints, run in this process: the packages that a new one would import take longer than most examples."""
    source = example.read_text()
    for text, shorter in SHORTER.get(example.stem, []):
        assert source.count(text) == 1
        source = source.replace(text, shorter)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(example), str(folder)])
    with mpl.rc_context():
        exec(compile(source, str(example), "exec"), {"__name__": "__main__"})
    plt.close("all")
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def run_as_a_user(example, folder):
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, str(example), str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)


def png_size(file):
    """Width and height of a PNG file, whose last chunk must be there too."""
    content = file.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert content[-8:-4] == b"IEND"
    return struct.unpack(">II", content[16:24])


def marked(example):
    return pytest.param(example, id=example.stem, marks=[pytest.mark.jax] * (example.stem in WITH_JAX))


@pytest.mark.parametrize("example", [marked(example) for example in NUMBERED])
def test_example_runs_and_leaves_one_figure(example, tmp_path, monkeypatch, capsys):
    assert run(example, tmp_path, monkeypatch, capsys).strip() != ""
    figures = list(tmp_path.glob("*.png"))
    assert len(figures) == 1
    width, height = png_size(figures[0])
    assert 900 <= width <= 3000
    assert 400 <= height <= 3000


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example_is_short_and_uses_public_names_only(example):
    source = example.read_text()
    assert len(source.splitlines()) < 60
    assert "izhnumba._" not in source
    assert "iz._" not in source


def test_the_numbers_of_the_examples_have_no_gap():
    assert [int(example.name[:2]) for example in NUMBERED] == list(range(1, len(NUMBERED) + 1))


def test_an_example_runs_as_a_user_runs_it(tmp_path):
    done = run_as_a_user(NUMBERED[0], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_the_document_on_the_patterns_of_2004_shows_what_its_example_makes(tmp_path, monkeypatch, capsys):
    width, height = png_size(PROJECT / "docs" / "concepts" / "patterns2004.png")
    text = run(PROJECT / "examples" / "patterns2004_step_size.py", tmp_path, monkeypatch, capsys)
    printed = {panel: tuple(rest) for panel, *rest in map(str.split, text.splitlines()[1:])}
    assert png_size(tmp_path / "patterns2004.png") == (width, height)

    text = (PROJECT / "docs" / "concepts" / "patterns2004.md").read_text()
    cells = [[cell.strip(" *") for cell in line.split("|")] for line in text.splitlines() if line.startswith("|")]
    table = {row[1]: (row[4], row[7], row[6].split()[0], row[9]) for row in cells[2:]}
    assert table == printed
    for panel, _pattern, _dt, _count, exact_count, fine_count, _first, exact, fine in (row[1:10] for row in cells[2:]):
        assert exact_count == fine_count or panel == "T"
        assert float(fine) == pytest.approx(float(exact), abs=0.03)
