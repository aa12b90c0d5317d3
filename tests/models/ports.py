"""Runs the ports of published models for tests: shortened, in this process, with the figures they make."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

MODELS = Path(__file__).parent.parent.parent / "examples" / "models"
# What is written for what, so that a test takes a second or two.
SHORTER = {
    "ca1": [
        ("T, N_PYR, N_PV, NOISE = 2000.0, 10_000, 500, 28.0", "T, N_PYR, N_PV, NOISE = 80.0, 1000, 50, 28.0"),
        ("iz.OrnsteinUhlenbeck(mean=0.0, std=NOISE, tau=2.73)", "iz.TimedArray(noise, dt=0.04)"),
    ],
    "ca3": [
        ("REST, TRAINING, EVERY = 1000.0, 40, 200.0", "REST, TRAINING, EVERY = 40.0, 2, 40.0"),
        ("iz.OrnsteinUhlenbeck(mean=0.0, std=std, tau=5.0)", "iz.TimedArray(noise(n, std), dt=0.2)"),
    ],
    "distal_reward": [
        ("T, REWARD, WITHIN = 600_000.0, 0.5, 20.0", "T, REWARD, WITHIN = 3_000.0, 0.5, 1000.0"),
        ("iz.UniformNoise(-6.5, 6.5)", "iz.TimedArray(thalamus, dt=1.0)"),
    ],
    "force": [
        ("N, DT = 1000,", "N, DT = 250,"),
        ("END, EVERY = 1000.0, 3000.0, 4600.0, 50", "END, EVERY = 100.0, 300.0, 400.0, 50"),
    ],
    "striatum": [
        ("T, START, EACH = 5000.0, 1000.0, 20", "T, START, EACH = 300.0, 50.0, 2"),
        (
            "net.drive(cells, iz.Poisson(rate=rate, weight=weight, receptor=receptor))",
            "trains(net, cells, rate, weight, receptor)",
        ),
        ("levels = (0.0, 0.2, 0.4, 0.6, 0.8)", "levels = (0.0, 0.8)"),
    ],
    "grid_cells": [("T, BOX = 120_000.0,", "T, BOX = 400.0,"), ("iz.Noise(std=12.0)", "iz.TimedArray(noise, dt=0.5)")],
}


def run_port(name, folder, monkeypatch, capsys, **more):
    """Run a shortened port, with `more` variables, and return its variables by name."""
    source = (MODELS / f"{name}.py").read_text()
    for text, shorter in SHORTER[name]:
        assert source.count(text) == 1
        source = source.replace(text, shorter)
    monkeypatch.setattr(sys, "argv", [name, str(folder)])
    variables = {"__name__": "__main__", **more}
    with mpl.rc_context():
        exec(compile(source, f"{name}.py", "exec"), variables)
    plt.close("all")
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out != ""
    assert (folder / f"{name}.png").stat().st_size > 20_000
    return variables


def events(spikes):
    """The spikes of a recorder as pairs (step, neuron)."""
    return list(zip(spikes.step.tolist(), spikes.i.tolist(), strict=True))
