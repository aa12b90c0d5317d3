"""`check=True` of the classes of izhnumba.brainpy: the first step whose values or derivatives are not finite."""

from __future__ import annotations

import brainstate
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import izhnumba.brainpy as plug

pytestmark = pytest.mark.brainpy
NAMES = "Izhikevich", "IzhikevichRef"


def spikes(name, I, **options):
    """Of three neurons under currents of shape (n_steps, ...)."""
    neurons = getattr(plug, name)(3)
    neurons.init_state()
    with brainstate.environ.context(dt=0.1 * u.ms, t=0.0 * u.ms):
        return neurons.run(I * u.mV / u.ms, **options)


@pytest.mark.parametrize("name", NAMES)
def test_values(name):
    with pytest.raises(
        FloatingPointError, match=rf"^{name}\.run\.check must find finite values, got V = nan of neuron 1 a"
    ):
        spikes(name, jnp.zeros((9, 3)).at[4, 1].set(jnp.nan), check=True)
    with pytest.raises(TypeError, match=rf"^{name}\.run\.check must be True or False, got 1"):
        spikes(name, jnp.zeros((9, 3)), check=1)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives(name):
    def total(I):
        return spikes(name, I * jnp.ones((10_000, 1)), check=True).sum()

    with pytest.raises(
        Exception, match=rf"{name}\.run\.check must find finite derivatives, got nan by the input of neuron"
    ):
        jax.grad(total)(10.0)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_else_changes(name):
    I = np.random.default_rng(0).uniform(0.0, 20.0, (300, 3))
    outputs = [spikes(name, I, record=("V", "spikes"), check=check) for check in (True, False)]
    for checked, plain in zip(*outputs, strict=True):
        np.testing.assert_array_equal(u.get_mantissa(checked), u.get_mantissa(plain))
