"""`check=True`: a FloatingPointError that names the first step whose V, u or derivatives are not finite.

Numbers that are known, also under `jax.grad`, are checked at once; those under `jax.jit` by a callback when it runs.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from izhnumba.jax._reverse import reverse_mode


def check_values(owner: str, dt: float, V: object, u: object) -> None:
    """FloatingPointError for the first step in which V or u, shape (n_steps, *Shape), is not finite. dt in ms."""
    _look("values", owner, dt, {"V": V, "u": u})


def watched(owner: str, dt: float, shape: tuple[int, ...], dtype: np.dtype[Any], *trees: object) -> jax.Array:
    """Zeros of shape (n_steps, *Shape) to be added to an input, to watch derivatives.

    When derivatives by anything in the trees are taken, the cotangent of the zeros is that of the input, and a
    FloatingPointError names the first step, from the end, in which it is not finite. dt in ms."""

    def zeros(_: object) -> jax.Array:
        return jnp.zeros(shape, dtype)

    def look(_: object, wanted: object, cotangent):
        if cotangent is not None:
            _look("derivatives", owner, dt, {"": cotangent[::-1]})
        return jax.tree.map(lambda _: None, wanted)

    words = f"{owner}.check must be False in forward mode (jvp, jacfwd, hessian), got True. It looks at reverse mode."
    leaves = [leaf for leaf in jax.tree.leaves(trees) if jnp.issubdtype(jnp.result_type(leaf), np.inexact)]
    return reverse_mode(zeros, lambda x: (zeros(x), ()), look, words)(leaves)


def _look(what: str, owner: str, dt: float, traces: dict[str, Any]) -> None:
    """Find the first row of traces (n_steps, *Shape) that is not finite, in JAX, and pass four numbers on to
    `_tell`."""
    plain = {name: jax.lax.stop_gradient(x) for name, x in traces.items()}
    if any(0 in x.shape for x in plain.values()):
        return
    shape = next(iter(plain.values())).shape
    flat = jnp.stack([x.reshape(shape[0], -1) for x in plain.values()], axis=1)
    bad = ~jnp.isfinite(flat)
    row = jnp.argmax(bad.any(axis=(1, 2)))
    place = jnp.argmax(bad[row].reshape(-1))
    found = bad.any(), row, place, flat[row].reshape(-1)[place]
    tell = partial(_tell, what, owner, dt, tuple(plain), shape)
    if isinstance(found[0], jax.core.Tracer):
        jax.debug.callback(tell, *found)
    else:
        tell(*found)


def _tell(what: str, owner: str, dt: float, names, shape, found, row, place, x) -> None:
    """Raise the FloatingPointError, if anything was found.

    Parameters
    ----------
    what : "values" or "derivatives"
    owner : str
        Name of the function, with which the error begins.
    dt : float, ms
    names : tuple of str
        Of the traces.
    shape : (n_steps, *Shape)
    found : bool
        Whether any number is not finite.
    row : int
        Its step, for derivatives counted from the end.
    place : int
        Its number in the row, trace by trace.
    x : float
        The number.
    """
    if not found:
        return
    which, lane = divmod(int(place), int(np.prod(shape[1:], dtype=np.int64)))
    neuron = tuple(map(int, np.unravel_index(lane, shape[1:])))
    of = f"of neuron {neuron[0] if len(neuron) == 1 else neuron}"
    if what == "values":
        step = int(row)
        got = f"{names[which]} = {float(x)} {of} after step {step} (t = {(step + 1) * dt:g} ms)"
        cure = "Use a shorter dt or a smaller input, where parameters are as meant."
    else:
        step = shape[0] - 1 - int(row)
        got = f"{float(x)} by the input {of} in step {step} (t = {step * dt:g} ms), coming from the end"
        cure = "docs/concepts/gradients_reach.md tells what helps."
    raise FloatingPointError(f"{owner}.check must find finite {what}, got {got}. {cure}")
