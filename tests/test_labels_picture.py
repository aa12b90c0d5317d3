"""The picture of docs/concepts/labels.md is what its script makes, and shows what it says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import izhnumba as iz

mpl.use("Agg")
from matplotlib import pyplot as plt

CONCEPTS = Path(__file__).parent.parent / "docs" / "concepts"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("labels", CONCEPTS / "labels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_what_its_script_makes(script, tmp_path):
    with mpl.rc_context():
        script.main(tmp_path)
    plt.close("all")
    made, kept = (plt.imread(folder / "labels.png") for folder in (tmp_path, CONCEPTS))
    assert made.shape == kept.shape
    assert np.mean(np.abs(made - kept)) < 0.02


@pytest.mark.parametrize(("receptor", "first"), [(iz.Delta(), 5), (iz.Exponential(5.0), 6)])
def test_its_titles_are_true(script, receptor, first):
    V, spikes = script.target(receptor, 3.0)
    assert (spikes.i.tolist(), spikes.step.tolist()) == ([0], [2])
    moved = np.flatnonzero(abs(V.V[:, 1] + 70.0) > 1e-9)
    assert round(V.t[moved[0]] / script.DT) - 1 == first
