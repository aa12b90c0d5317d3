"""The commands demo, presets and info, and standard output."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from command_line import environment, izhnumba, refused
from processes import PACKAGE

import izhnumba as iz
from izhnumba import cli
from izhnumba.cli import _figures


def test_demo(folder):
    done = izhnumba("demo")
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("1000000 synapses, 1000 ms", "Hz excitatory", "wall time", "to compile or load", "real-time factor"):
        assert part in done.stdout
    picture = (folder / "izhnumba-demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    shown = (PACKAGE.parent / "docs" / "_static" / "demo.png").read_bytes()  # by the README
    assert picture[16:24] == shown[16:24], "width and height"


def test_demo_without_matplotlib_says_how_to_get_it(folder, capsys, monkeypatch):
    monkeypatch.setattr(_figures, "HAVE_MATPLOTLIB", False)
    assert cli.main(["demo", "--duration", "100"]) == 0
    assert 'pip install ".[plot]"' in capsys.readouterr().out
    assert os.listdir() == ["stim.csv"]


def test_presets_lists_each_with_title_and_numbers(capsys):
    assert cli.main(["presets"]) == 0
    head, *lines, empty, units, more = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "a", "b", "c", "d", "what", "it", "is"]
    assert len(lines) == len(iz.presets)
    for line, (name, preset) in zip(lines, iz.presets.items(), strict=True):
        assert line.split(maxsplit=5) == [name, *(f"{preset[key]:g}" for key in "abcd"), preset.title]
    assert (empty, more) == ("", "One in full, such as RS: izhnumba presets RS")
    assert "a in 1/ms" in units


def test_a_preset_in_full(capsys):
    assert cli.main(["presets", "2007/TC"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2007/TC: thalamocortical relay, cat LGN\n")
    for part in (iz.presets["2007/TC"].source, "d        10    pA", "scheme euler, dt 0.25 ms", "100.0)  (pA)",
                 'izhnumba.presets[\'2007/TC\']', "izhnumba run --preset 2007/TC --current FILE\n"):  # fmt: skip
        assert part in out


def test_a_preset_that_is_not_there(capsys):
    assert refused(capsys, "presets", "rs").startswith(
        "izhnumba presets: NAME must be a known name, got 'rs'. Did you mean 'RS'?"
    )


def test_info_reports_versions_and_speed(capsys):
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    for name in ("izhnumba", "numba", "llvmlite", "threading layer", "cache", "SIMD", "speed float32", "speed float64"):
        assert f"\n{name} " in f"\n{out}"
    assert "G neuron-steps/s" in out


# --- standard output --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of Windows end otherwise")
@pytest.mark.parametrize("arguments", [["presets"], ["presets", "--help"], []])
def test_a_reader_that_leaves_is_no_error(arguments):
    out, into = os.pipe()
    os.close(out)
    buffered = environment()
    buffered.pop("PYTHONUNBUFFERED", None)
    command = [sys.executable, "-m", "izhnumba", *arguments]
    done = subprocess.run(command, stdout=into, stderr=subprocess.PIPE, env=buffered, timeout=60)
    os.close(into)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk")
def test_an_output_that_takes_nothing():
    buffered = environment()
    buffered.pop("PYTHONUNBUFFERED", None)
    command = [sys.executable, "-m", "izhnumba", "presets", "RS"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=buffered, timeout=60)
    assert (done.returncode, done.stderr) == (2, b"izhnumba: standard output: No space left on device\n")


def test_names_that_the_encoding_of_the_output_lacks(folder, monkeypatch):
    ascii_only = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    assert cli.main(["run", "--current", "stim.csv", "--out", "caf\u00e9.csv"]) == 0
    assert ascii_only.buffer.getvalue().splitlines()[-1] == b"spikes   caf\\xe9.csv"
    assert ascii_only.errors == "strict"
