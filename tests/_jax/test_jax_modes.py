"""Modes and transformations of JAX: what kernels have agrees with the scan, and the rest names the way out."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import izhnumba.jax as izj

pytestmark = pytest.mark.jax

MODES = {  # that kernels do not have
    "jvp": lambda f: jax.jvp(f, (1.0,), (1.0,)),
    "linearize": lambda f: jax.linearize(f, 1.0)[1](1.0),
    "jacfwd": lambda f: jax.jacfwd(f)(1.0),
    "jacfwd in jit": lambda f: jax.jit(jax.jacfwd(f))(1.0),
    "jacfwd of jit": lambda f: jax.jacfwd(jax.jit(f))(1.0),
    "jvp of scan": lambda f: jax.jvp(lambda s: jax.lax.map(lambda k: f(k * s), jnp.arange(2.0)), (1.0,), (1.0,)),
    "hessian": lambda f: jax.hessian(f)(1.0),
    "jacrev of grad": lambda f: jax.jacrev(jax.grad(f))(1.0),
    "grad of grad in jit": lambda f: jax.jit(jax.grad(jax.grad(jax.jit(f))))(1.0),
    "jacrev of jacfwd": lambda f: jax.jacrev(jax.jacfwd(f))(1.0),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("parts", ["whole", "checkpoints", "recurrent"])
def test_modes_that_kernels_do_not_have_name_the_way_out(mode, parts):
    params, state = izj.init(2, V=-60.0)

    def f(s):
        if parts == "recurrent":
            options = {"n_steps": 4, "delay": 0.2, "record": "V"}
            return izj.recurrent(params, jnp.ones((2, 2)), state, 5.0 * s, 0.1, **options)[1].V.sum()
        return izj.run(
            params, state, 5.0 * s, 0.1, n_steps=4, checkpoint=2 if parts == "checkpoints" else False, record="V"
        )[1].V.sum()

    with pytest.raises(TypeError, match=r"^run\.backend must be 'xla' in forward mode and for second derivatives"):
        MODES[mode](f)


@pytest.mark.parametrize("checkpoint", [False, 3])
def test_grad_in_and_of_vmap_and_scan(checkpoint):
    """Whatever encloses what, derivatives are those of the scan that JAX differentiates itself."""
    params, state = izj.init(3, V=-55.0)

    def f(given, backend):
        I, params, state = given
        after, out = izj.run(params, state, I, 0.1, n_steps=7, checkpoint=checkpoint, backend=backend)
        return (out.V**2).mean() + out.spikes.sum() + after.u.sum()

    def of_vmap(given, backend):
        return jax.vmap(lambda I: f((I, *given[1:]), backend))(jnp.arange(3.0) * given[0]).sum()

    def of_scan_of_vmap(given, backend):
        body = lambda total, I: (total + of_vmap((I * given[0], *given[1:]), backend), None)  # noqa: E731
        return jax.lax.scan(body, 0.0, jnp.arange(3.0))[0]

    for function in (of_vmap, of_scan_of_vmap):
        own, reference = (
            jax.grad(lambda given, b=b, g=function: g(given, b), allow_int=True)((10.0, params, state))
            for b in ("numba", "xla")
        )
        for x, y in zip(jax.tree.leaves(own), jax.tree.leaves(reference), strict=True):
            if jnp.issubdtype(jnp.result_type(x), jnp.inexact):
                np.testing.assert_allclose(x, y, rtol=2e-4, atol=1e-4)
