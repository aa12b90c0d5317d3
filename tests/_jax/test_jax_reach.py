"""How far surrogate gradients reach: the tables of the document, and the settings that train over a second."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path

import jax
import numpy as np
import pytest

import izhnumba as iz
import izhnumba.jax as izj

pytestmark = pytest.mark.jax
ROOT = Path(__file__).parents[2]


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("surrogates", ROOT / "asv_benchmarks/surrogates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with jax.enable_x64(True):
        yield module


@pytest.fixture(scope="module")
def tables():
    """Numbers by name, of both tables."""
    page = (ROOT / "docs/concepts/gradients_reach.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| ([-+.\de| na]+) \|$", page, flags=re.MULTILINE)
    return [(name, [float(x) for x in numbers.split("|")]) for name, numbers in rows]


def number(tables, name, column, width):
    return next(numbers for found, numbers in tables if found == name and len(numbers) == width)[column]


def assert_near(number, expected):
    """To two digits, or to the power of ten of what has exploded."""
    if abs(expected) > 1e3:
        assert math.log10(abs(number)) == pytest.approx(math.log10(abs(expected)), abs=0.5)
    else:
        assert number == pytest.approx(expected, rel=0.06)


def test_every_surrogate_is_in_the_table(script, tables):
    names = [name for name, numbers in tables if len(numbers) == len(script.DURATIONS)]
    assert names[0] == "finite difference"
    assert names[1:19] == [f"`{type(one).__name__}()`" for one in script.SURROGATES]
    assert len(names) == 23


def test_cells_of_the_table(script, tables):
    for column, seconds in enumerate(script.DURATIONS):
        assert_near(script.smoothed("RS", seconds), number(tables, "finite difference", column, 4))
        assert_near(script.surrogate_gradient("RS", seconds, izj.ReluGrad()), number(tables, "`ReluGrad()`", column, 4))
    cut = script.surrogate_gradient("RS", 1.0, izj.ReluGrad(), window=20)
    assert_near(cut, number(tables, "`ReluGrad()`, V constant every 2 ms", 3, 4))
    assert number(tables, "`ReluGrad(0.3, 1.0)`, V constant every 2 ms", 0, 5) == pytest.approx(cut, rel=0.1)


@pytest.mark.parametrize("k", range(5))
def test_settings_that_train_in_other_cells(script, tables, k):
    """The sign and the size are right, though the second digit may depend on rounding."""
    truth, cell = script.smoothed(script.CELLS[k], 1.0), script.CELLS[k]
    assert_near(truth, number(tables, "finite difference", k, 5))
    found = script.surrogate_gradient(cell, 1.0, izj.ReluGrad(), window=20)
    assert found == pytest.approx(number(tables, "`ReluGrad(0.3, 1.0)`, V constant every 2 ms", k, 5), rel=0.3)
    assert 0.3 < found / truth < 1.3


def test_the_loss_over_a_second():
    """Over 1 s in float32; without its settings, nothing is finite."""
    text = next(
        block for block in (ROOT / "docs/howto/long_gradients.md").read_text().split("```") if "lax.scan(" in block
    )
    known = {"iz": iz}
    exec(text.removeprefix("python"), known)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((known["by_params"], known["by_I"])))
    assert 0.3 < known["by_I"] / (100 * 2.3) < 1.3  # of the spikes of 100 neurons
    assert known["by_params"]["d"] < 0 < known["by_params"]["a"]

    def as_it_is(params, I):
        _, out = izj.run(params, known["state"], I, 0.1, n_steps=10_000)
        return (out.V.mean() + 60.0) ** 2 + out.spikes.sum()

    assert not np.isfinite(jax.jit(jax.grad(as_it_is, argnums=1))(known["params"], 10.0))


def test_windows_of_a_layer():
    """V is a constant at their start, but not what synapses remember."""
    params, state = izj.init(5, **iz.presets["RS"])
    weights = np.full((5, 5), 0.1, np.float32)
    options = {"delay": 1.0, "receptor": iz.Exponential(20.0), "record": "spikes"}

    def spikes(weights, windows):
        def window(state, _):
            V = jax.lax.stop_gradient(state.neurons.V)
            state = state._replace(neurons=state.neurons._replace(V=V))
            return izj.recurrent(params, weights, state, 8.0, 0.1, n_steps=10_000 // windows, **options)

        start = izj.recurrent(params, weights, state, 8.0, 0.1, n_steps=0, **options)[0]
        return jax.lax.scan(window, start, length=windows)[1].spikes.sum()

    by_weights = jax.jit(jax.grad(spikes), static_argnums=1)
    assert np.all(np.asarray(by_weights(weights, 500)) > 0)
    assert np.all(np.abs(by_weights(weights, 1)) > 1e20)
