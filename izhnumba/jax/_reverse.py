"""Functions with first derivatives in reverse mode only, which refuse other modes with an error of our own.

`jax.custom_vjp` does the same, but its error in forward mode says only that there is a custom_vjp function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Tree = TypeVar("Tree")


def reverse_mode(
    function: Callable[[Any], Any],
    forwards: Callable[[Any], tuple[Any, Any]],
    pull_back: Callable[[Any, Any, Any], Any],
    words: str,
) -> Callable[[Any], Any]:
    """`function` of a pytree, with a derivative in reverse mode.

    Parameters
    ----------
    function : function of a pytree x, to a pytree of arrays
    forwards : function of x
        Returns (function(x), kept): kept is a pytree for `pull_back`.
    pull_back : function of (kept, wanted, cotangents)
        Cotangents of x from those of the results. wanted: a tree like x of bools; cotangents where it is False are not
        used. None stands for a cotangent 0, of results and of x.
    words : str
        The TypeError in other modes.
    """

    @jax.custom_jvp
    def call(x):
        return function(x)

    def rule(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
        directions, tree = jax.tree.flatten(tangents[0])
        wanted = [not isinstance(direction, SymbolicZero) for direction in directions]
        found, kept = forwards(primals[0])
        (results, results_tree), (residuals, kept_tree) = jax.tree.flatten(found), jax.tree.flatten(kept)
        real = [jnp.issubdtype(result.dtype, np.inexact) for result in results]

        def pull(residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
            given = iter(cotangents)
            bars = jax.tree.unflatten(results_tree, [next(given) if is_real else None for is_real in real])
            kept = jax.tree.unflatten(kept_tree, residuals)
            leaves = jax.tree.leaves(pull_back(kept, jax.tree.unflatten(tree, wanted), bars), is_leaf=_is_none)
            found = [bar for bar, want in zip(leaves, wanted, strict=True) if want]
            return [jnp.zeros(*like) if bar is None else bar for bar, like in zip(found, likes, strict=True)]

        chosen = [direction for direction, want in zip(directions, wanted, strict=True) if want]
        likes = [(direction.shape, direction.dtype) for direction in chosen]
        kinds = tuple((result.shape, result.dtype) for result, is_real in zip(results, real, strict=True) if is_real)
        slopes = iter(_linear.bind(*residuals, *chosen, pull=pull, n=len(residuals), kinds=kinds, words=words))
        none = (np.zeros(result.shape, jax.dtypes.float0) for result in results)
        leaves = [next(slopes) if is_real else zero for is_real, zero in zip(real, none, strict=True)]
        return found, jax.tree.unflatten(results_tree, leaves)

    call.defjvp(rule, symbolic_zeros=True)
    return call


def only_once(words: str, tree: Tree) -> Tree:
    """The tree, unchanged, through a primitive without a derivative: a TypeError with these words if one is taken."""
    found: Tree = jax.tree.map(lambda x: _once.bind(x, words=words), tree)
    return found


def _is_none(x) -> bool:
    return x is None


def _refuse(*_, words: str, **__):
    raise TypeError(words)


_once = Primitive("izhnumba_once")
_once.def_impl(lambda x, words: x)
_once.def_abstract_eval(lambda x, words: x)
mlir.register_lowering(_once, lambda context, x, words: [x])
batching.defvectorized(_once)
ad.primitive_jvps[_once] = _refuse

# A linear function of directions (tangents), of which only the transpose is known: `pull(residuals, cotangents)`. The
# first n operands are the residuals, the others the directions; kinds: shapes and dtypes of the results.
_linear = Primitive("izhnumba_linear")
_linear.multiple_results = True
_linear.def_impl(_refuse)
_linear.def_abstract_eval(lambda *_, kinds, **__: [jax.core.ShapedArray(*kind) for kind in kinds])
mlir.register_lowering(_linear, _refuse)
ad.primitive_jvps[_linear] = _refuse


def _transpose(cotangents: Sequence[Any], *operands, pull, n: int, **_) -> list[Any]:
    """Cotangents of the directions: the rule of JAX for the transpose of `_linear`."""
    given = [None if type(cotangent) is ad.Zero else cotangent for cotangent in cotangents]
    bars = zip(operands[n:], pull(operands[:n], given), strict=True)
    return [None] * n + [bar if ad.is_undefined_primal(direction) else None for direction, bar in bars]


def _of_many(operands: Sequence[Any], axes: Sequence[Any], *, pull, n: int, kinds, words: str):
    """`_linear` over a batch: the rule of JAX for `vmap`.

    Parameters
    ----------
    operands : residuals and directions
    axes : axis of the batch of each operand, or None
    pull, n, kinds, words : parameters of `_linear`

    Returns
    -------
    results, axes of the batch in them
    """
    size = next(x.shape[axis] for x, axis in zip(operands, axes, strict=True) if axis is not None)

    def pull_all(residuals: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        tree = jax.tree.structure([None if cotangent is None else 0 for cotangent in cotangents])
        in_axes = list(axes[:n]), 0
        bars = jax.vmap(lambda kept, given: pull(kept, jax.tree.unflatten(tree, given)), in_axes, 0, axis_size=size)(
            list(residuals), jax.tree.leaves(list(cotangents))
        )
        return [
            bar.sum(axis=0) if axis is None else jnp.moveaxis(bar, 0, axis)
            for bar, axis in zip(bars, axes[n:], strict=True)
        ]

    kinds = tuple(((size, *shape), dtype) for shape, dtype in kinds)
    found = _linear.bind(*operands, pull=pull_all, n=n, kinds=kinds, words=words)
    return found, [0] * len(found)


ad.primitive_transposes[_linear] = _transpose
batching.primitive_batchers[_linear] = _of_many
