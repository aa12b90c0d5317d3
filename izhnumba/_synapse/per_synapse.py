"""Weights and delays as users pass them, turned into one number for each synapse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._synapse.connectivity import AllToAll, GivenPairs, OneToOne, Rule
from izhnumba._synapse.csr import Draw, Piece
from izhnumba._synapse.distributions import Distribution
from izhnumba._synapse.ends import Ends
from izhnumba._synapse.positions import ByDistance, OfPairs, of_pairs

Array = NDArray[Any]
Look = Callable[[Array, int], None]  # (numbers, how many came before them): raises an error for a wrong number
_EACH = "Pass one value for all synapses or one per synapse"


def of_rule(where: str, value: object, unit: str, rule: Rule, ends: Ends) -> object:
    """An array, or matrix (sources, targets), as numbers in the order in which the rule yields its pairs; a function of
    distance as one for these ends; a number, a Distribution or a function unchanged."""
    if isinstance(value, ByDistance):
        return of_pairs(where, value, ends.pre_positions, ends.post_positions)
    if isinstance(value, Distribution) or (callable(value) and not hasattr(value, "__array__")):
        return value
    numbers = np.asarray(checks.magnitude(where, value, unit))
    if not numbers.ndim:
        return value
    n, matrix = rule.count(ends), (ends.n_pre, ends.n_post)
    if numbers.shape == matrix and (entries := rule.of_matrix(numbers, ends)) is not None:
        return entries
    if isinstance(rule, OneToOne) and numbers.shape == ends.pre_shape:
        return numbers.reshape(-1)
    if isinstance(rule, (AllToAll, GivenPairs)) and numbers.shape != (n,):
        cure = "Transpose it." if numbers.shape == matrix[::-1] else f"{_EACH}, or a matrix."
        must = f"{where} must have shape (), {(n,)} or {matrix} (sources, targets)"
        raise ValueError(f"{must}, got {numbers.shape}. {cure}")
    if n is None:
        raise ValueError(
            f"{where} must have shape (), got {numbers.shape}. {type(rule).__name__} draws how many synapses there "
            f"are: pass one value, a distribution or a function of (rng, size).{_of_matrix(numbers)}"
        )
    return array(where, numbers, "", n)


def array(where: str, value: object, unit: str, n: int | None) -> Array:
    """`value` as float64, of shape () for all synapses or (n,) for each."""
    numbers = np.asarray(checks.magnitude(where, value, unit))
    if numbers.ndim and numbers.shape != (n,):
        cure = f"{_EACH}, in their order.{_of_matrix(numbers)}"
        raise ValueError(f"{where} must have shape () or {(n,)}, got {numbers.shape}. {cure}")
    return checks.array(where, numbers, "")


def _of_matrix(numbers: Array) -> str:
    """The end of an error about a matrix; "" for other arrays."""
    return " Of a matrix W of both populations use syn.weight = W[syn.pre, syn.post]." if numbers.ndim == 2 else ""


def drawer(where: str, value: object, unit: str, n: int | None, rng: Generator, look: Look) -> Draw:
    """A function of a Piece that returns its float64 numbers, checked.

    Parameters
    ----------
    where : str
        "Owner.argument": how an error begins.
    value : number, array of shape (n,), Distribution, OfPairs, or function of (rng, size)
    unit : str
    n : int or None
        Synapses; None if the rule draws how many there are.
    rng : Generator
        For a Distribution or a function.
    look : Look
        Checks every number.
    """
    if isinstance(value, Distribution):
        return lambda piece: _looked_at(look, value.draw(rng, piece.n), piece.before)
    if isinstance(value, OfPairs):
        return lambda piece: _looked_at(look, value.values(piece.pre, piece.post), piece.before)  # type: ignore[arg-type]
    if callable(value) and not hasattr(value, "__array__"):
        checks.takes(where, value, "rng", "size")

        def call(piece: Piece) -> Array:
            numbers = array(where, value(rng, piece.n), unit, piece.n)  # or one for all
            return np.broadcast_to(_looked_at(look, numbers, piece.before), (piece.n,))

        return call
    numbers = _looked_at(look, array(where, value, unit, n), 0)
    if not numbers.ndim:
        return lambda piece: np.full(piece.n, numbers)
    return lambda piece: numbers[piece.before : piece.before + piece.n]


def _looked_at(look: Look, numbers: Array, before: int) -> Array:
    look(numbers, before)
    return numbers
