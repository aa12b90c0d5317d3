"""The figures of docs/howto/pictures.md are what their script makes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import matplotlib as mpl
import numpy as np

import izhnumba as iz
from izhnumba import plot

mpl.use("Agg")
from matplotlib import pyplot as plt

HOWTO = Path(__file__).parents[2] / "docs" / "howto"


def test_the_figures_are_what_their_script_makes(tmp_path):
    spec = importlib.util.spec_from_file_location("pictures", HOWTO / "pictures.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with mpl.rc_context():
        script.main(tmp_path)
    plt.close("all")
    for name in ("pictures_overview.png", "pictures_four.png"):
        made, kept = (plt.imread(folder / name) for folder in (tmp_path, HOWTO))
        assert made.shape == kept.shape
        assert np.mean(np.abs(made - kept)) < 0.03


def test_numbers_on_a_logarithmic_axis_do_not_meet():
    """Written out, not as powers of ten, of which those between the decades ran into each other."""
    spikes = iz.Population(200, **iz.presets["RS"], dt=0.5, seed=1).run(1000.0, iz.Noise(std=20.0) + 6.0).spikes
    with mpl.rc_context(plot.PAPER):
        ax = plot.isi(spikes, log=True)
        ax.figure.canvas.draw()
        labels = [label for label in ax.get_xticklabels(which="both") if label.get_text()]
        inside = [label for label in labels if ax.get_xlim()[0] <= label.get_position()[0] <= ax.get_xlim()[1]]
        boxes = sorted((label.get_window_extent() for label in inside), key=lambda box: box.x0)
        assert len(boxes) >= 2
        assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))
    plt.close(ax.figure)
