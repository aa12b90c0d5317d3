"""Each example runs as a user would run it and leaves one picture; the documents show the pictures of the examples."""

from __future__ import annotations

import doctest
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
EXAMPLES = sorted((PROJECT / "examples").glob("*.py"))
NUMBERED = [example for example in EXAMPLES if example.name[0].isdigit()]
WITH_JAX = {"14_fit_parameters", "15_train_network"}


def run(example, folder):
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
def test_example_runs_and_leaves_one_figure(example, tmp_path):
    done = run(example, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.strip() != ""
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


def test_the_document_on_the_patterns_of_2004_shows_what_its_example_makes(tmp_path):
    width, height = png_size(PROJECT / "docs" / "patterns2004.png")
    done = run(PROJECT / "examples" / "patterns2004_step_size.py", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert png_size(tmp_path / "patterns2004.png") == (width, height)

    text = (PROJECT / "docs" / "patterns2004.md").read_text()
    cells = [[cell.strip(" *") for cell in line.split("|")] for line in text.splitlines() if line.startswith("|")]
    table = {row[1]: (row[4], row[7], row[6].split()[0], row[9]) for row in cells[2:]}
    printed = {panel: tuple(rest) for panel, *rest in map(str.split, done.stdout.splitlines()[1:])}
    assert table == printed
    for panel, _pattern, _dt, _count, exact_count, fine_count, _first, exact, fine in (row[1:10] for row in cells[2:]):
        assert exact_count == fine_count or panel == "T"
        assert float(fine) == pytest.approx(float(exact), abs=0.03)


@pytest.mark.parametrize("name", ["exact.md", "patterns2004.md"])
def test_the_code_in_the_document_runs(name):
    failed, tried = doctest.testfile(str(PROJECT / "docs" / name), module_relative=False)
    assert failed == 0
    assert tried > 0
