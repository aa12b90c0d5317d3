"""`check=True` names the first step whose values, or derivatives, are not finite."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import izhnumba as iz
import izhnumba.jax as izj

pytestmark = pytest.mark.jax
PARAMS, STATE = izj.init((2, 3), **iz.presets["RS"])
BAD = jnp.zeros((50, 2, 3)).at[20:, 1, 2].set(jnp.nan)
VALUES = "must find finite values, got V = nan of neuron (1, 2) after step 20 (t = 2.1 ms). Use a shorter dt or"
LONG = 10_000  # steps through which derivatives of float32 by the default surrogate overflow


def by_run(I, **options):
    n_steps = None if jnp.ndim(I) else LONG
    return izj.run(PARAMS, STATE, I, 0.1, **{"n_steps": n_steps, "record": "spikes", **options})[1].spikes.sum()


def by_recurrent(I, **options):
    return by_layer(I, jnp.zeros((3, 3)), **options)


def by_layer(I, weights, **options):
    given = {"n_steps": None if jnp.ndim(I) else LONG, "delay": 0.7, **options}
    return izj.recurrent(PARAMS, weights, STATE, I, 0.1, **given)[1].spikes.sum()


OWNERS = {"run": by_run, "recurrent": by_recurrent}


def where_it_overflows(message):
    """The step."""
    words = (
        r"(run|recurrent)\.check must find finite derivatives, got nan by the input of neuron \(0, 0\) in step (\d+)"
    )
    where = r"coming from the end\. docs/concepts/gradients_reach\.md tells"
    found = re.search(rf"{words} \(t = ([\d.]+) ms\), {where}", message)
    assert found is not None, message
    assert float(found[3]) == pytest.approx(0.1 * int(found[2]))
    return int(found[2])


@pytest.mark.parametrize("backend", ["numba", "xla"])
@pytest.mark.parametrize("owner", OWNERS)
def test_values(owner, backend):
    def total(I):
        return OWNERS[owner](I, check=True, backend=backend)

    words = re.escape(f"{owner}.check {VALUES}")
    for call in (total, jax.grad(total), lambda I: jax.vmap(total)(jnp.stack([jnp.zeros_like(I), I]))):
        with pytest.raises(FloatingPointError, match=f"^{words}"):
            call(BAD)
    for call in (jax.jit(total), jax.jit(jax.grad(total))):
        with pytest.raises(jax.errors.JaxRuntimeError, match=words):
            jax.block_until_ready(call(BAD))


def test_u_and_infinities_are_looked_at():
    for given, words in (
        ({"u": jnp.inf}, "got V = -inf of neuron 0 after step 0 (t = 0.1 ms)"),
        ({"b": jnp.nan}, "got u = nan of neuron 0 after step 0 (t = 0.1 ms)"),
    ):
        params, state = izj.init(1, **given)
        with pytest.raises(FloatingPointError, match=re.escape(words)):
            izj.run(params, state, 0.0, 0.1, n_steps=3, scheme="euler", check=True)


@pytest.mark.parametrize("backend", ["numba", "xla"])
def test_derivatives(backend):
    def total(I, d):
        params = PARAMS | {"d": d}
        options = {"n_steps": LONG, "record": "spikes", "check": True, "backend": backend}
        return izj.run(params, STATE, I, 0.1, **options)[1].spikes.sum()

    steps = []
    for argument in (0, 1, (0, 1)):
        with pytest.raises(FloatingPointError) as caught:
            jax.grad(total, argument)(10.0, 8.0)
        steps.append(where_it_overflows(str(caught.value)))
    with pytest.raises(jax.errors.JaxRuntimeError) as caught:
        jax.block_until_ready(jax.jit(jax.grad(total))(10.0, 8.0))
    steps.append(where_it_overflows(str(caught.value)))
    by_rows = jax.grad(lambda I: by_run(I, backend=backend))(jnp.full((LONG, 2, 3), 10.0))
    last = np.nonzero(~np.isfinite(np.asarray(by_rows)).all(axis=(1, 2)))[0].max()  # as the slow way finds it
    np.testing.assert_allclose(steps, last, atol=10)


def test_derivatives_of_a_layer():
    with pytest.raises(FloatingPointError) as caught:
        jax.grad(lambda weights: by_layer(10.0, weights, check=True))(jnp.zeros((3, 3)))
    assert 0 < where_it_overflows(str(caught.value)) < LONG


@pytest.mark.parametrize("owner", OWNERS)
def test_nothing_else_changes(owner):
    """Neither what is returned nor, but for rounding, derivatives."""
    rows = np.random.default_rng(0).uniform(0.0, 10.0, (100, 1, 3))
    weights = (jnp.zeros((3, 3)),) if owner == "recurrent" else ()
    options = {"delay": 0.7} if owner == "recurrent" else {}
    for I, n_steps in ((rows, None), (5.0, 100), (np.arange(3.0), 100)):

        def outputs(I, check, n_steps=n_steps):
            given = options | {"n_steps": n_steps, "record": "V", "check": check}
            return getattr(izj, owner)(PARAMS, *weights, STATE, I, 0.1, **given)[1]

        found, expected = outputs(I, True), outputs(I, False)
        assert (found.spikes, found.u) == (None, None)
        np.testing.assert_array_equal(found.V, expected.V)
        slopes = [jax.grad(lambda I, c=check: outputs(I, c).V.mean())(jnp.asarray(I, float)) for check in (True, False)]
        np.testing.assert_allclose(*slopes, rtol=1e-3, atol=1e-5)
    assert izj.run(PARAMS, STATE, 1.0, 0.1, n_steps=0, check=True)[1].V.shape == (0, 2, 3)


@pytest.mark.parametrize("owner", OWNERS)
def test_refusals(owner):
    with pytest.raises(TypeError, match=rf"^{owner}\.check must be True or False, got 1"):
        OWNERS[owner](BAD, check=1)
    with pytest.raises(
        TypeError, match=rf"^{owner}\.check must be False in forward mode \(jvp, jacfwd, hessian\), got"
    ):
        jax.jacfwd(lambda I: OWNERS[owner](I, n_steps=4, check=True, backend="xla"))(10.0)


def test_a_fit_ends_with_what_check_finds():
    with pytest.raises(jax.errors.JaxRuntimeError, match=r"run\.check must find finite derivatives"):
        izj.fit(lambda params: by_run(params["I"], check=True), {"I": 10.0}, steps=2)
