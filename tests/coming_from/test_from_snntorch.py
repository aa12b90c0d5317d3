"""docs/coming_from/snntorch.md, held against snnTorch: its script, its terms, and what differs."""

from __future__ import annotations

import warnings

import jax
import numpy as np
import pages
import pytest

import izhnumba.jax as izj

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import snntorch as snn
    import torch
    from snntorch import backprop, functional, spikegen, surrogate, utils

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
BETA, STEPS = 0.875, 60


@pytest.fixture(scope="module")
def scripts():
    return pages.run("snntorch", ours=False), pages.run("snntorch", ours=True)


def test_the_scripts_have_the_same_spikes_and_gradients(scripts):
    (spikes, gradient), (found, slope) = scripts[0]["theirs"], scripts[1]["ours"]
    assert f"the same {int(found.sum())} spikes" in pages.text("snntorch")
    assert spikes.dtype == found.dtype == np.float32
    np.testing.assert_array_equal(spikes, found)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-5)
    assert np.abs(slope).max() > 1.0


@pytest.mark.parametrize("code", pages.spans("snntorch", 0))
def test_terms_of_theirs_run(code):
    lif = snn.Leaky(beta=0.9)
    spikes, mem = lif(torch.ones(2, 3))
    names = {
        "snn": snn, "torch": torch, "surrogate": surrogate, "spikegen": spikegen, "lif": lif,
        "backprop": backprop, "functional": functional, "SF": functional, "utils": utils, "spikes": spikes, "mem": mem,
        "x": torch.ones(2, 3), "net": torch.nn.Sequential(lif), "data": torch.rand(2, 3),
        "weights": torch.ones(2, requires_grad=True), "rule": lambda x, grad, out: grad,
    }  # fmt: skip
    eval(code, names)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (surrogate.fast_sigmoid(slope=25), izj.InvSquareGrad(25.0)),
        (surrogate.atan(alpha=2.0), izj.Arctan(2.0)),
        (surrogate.sigmoid(slope=25), izj.Sigmoid(25.0)),
        (surrogate.straight_through_estimator(), izj.surrogate(lambda x: x * 0 + 1)),
    ],
    ids=["fast_sigmoid", "atan", "sigmoid", "straight_through_estimator"],
)
def test_slopes(theirs, ours):
    values = np.linspace(-2.0, 2.0, 21).astype("float32") + 0.05
    x = torch.tensor(values, requires_grad=True)
    spikes = theirs(x)
    spikes.sum().backward()
    np.testing.assert_array_equal(spikes.detach().numpy(), np.asarray(ours(values)))
    np.testing.assert_allclose(x.grad.numpy(), np.asarray(jax.vmap(jax.grad(ours))(values)), rtol=2e-4, atol=1e-9)


def leaky(current, **options):
    """Spikes of a cell and mem after each step; current: one number for each step."""
    lif, mem, found = snn.Leaky(beta=BETA, **options), torch.zeros(1), []
    for x in torch.tensor(current):
        spike, mem = lif(x[None], mem)
        found.append((spike.item(), mem.item()))
    return np.array(found).T


def ours(current, model, reset):
    params, state = izj.init(1, model=model, dtype="float32")
    options = {"model": model, "scheme": "izhikevich2004", "reset": reset}
    out = izj.run(params, state, current[:, None], 0.5, record=("spikes", "V"), **options)[1]
    return np.asarray(out.spikes)[:, 0], np.asarray(out.V)[:, 0]


def test_resets(scripts):
    """zero, and subtract without its delay, are resets of ours; the default takes the threshold off after the leak."""
    model = scripts[1]["Leaky"]
    current = np.random.default_rng(2).uniform(0.0, 0.6, STEPS).astype("float32")
    spikes, V = ours(current, model, "hard")
    theirs, mem = leaky(current, reset_mechanism="zero")
    np.testing.assert_array_equal(theirs, spikes)
    np.testing.assert_allclose(np.where(theirs, 0.0, mem), V, atol=1e-5)
    assert np.all(mem[theirs > 0] > 1.0)
    spikes, V = ours(current, model, "soft")
    theirs, mem = leaky(current, reset_mechanism="subtract", reset_delay=False)
    np.testing.assert_array_equal(theirs, spikes)
    np.testing.assert_allclose(mem, V, atol=1e-5)
    default, _ = leaky(current)
    assert spikes.sum() > 5
    assert default.sum() < spikes.sum()


def test_a_spike_is_above_the_threshold(scripts):
    at = np.array([1.0, 0.0], "float32")
    assert leaky(at, reset_mechanism="zero")[0].tolist() == [0.0, 0.0]
    assert ours(at, scripts[1]["Leaky"], "hard")[0].tolist() == [0.0, 0.0]


def test_a_derivative_passes_through_a_reset_without_delay():
    slopes = []
    slope = surrogate.fast_sigmoid(slope=25)
    for delay in (True, False):
        lif = snn.Leaky(beta=BETA, reset_mechanism="zero", reset_delay=delay, spike_grad=slope)
        x = torch.tensor([1.2], requires_grad=True)
        _, mem = lif(x, torch.zeros(1))
        _, mem = lif(torch.tensor([0.5]), mem)
        mem.sum().backward()
        slopes.append(x.grad.item())
    assert slopes[0] == 0.0
    assert slopes[1] != 0.0


def test_spikes_stay_float32():
    spike, mem = snn.Leaky(beta=0.5)(torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    assert (spike.dtype, mem.dtype) == (torch.float32, torch.float64)
