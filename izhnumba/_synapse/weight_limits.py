"""Limits of weights: conductances are not negative, and weights of plastic synapses lie within the bounds of their
rule."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from izhnumba._synapse.receptor import Receptor, parts_of

Array = NDArray[Any]
_CLIPS = "The rule would clip it: choose other bounds or weights."


class Limit(NamedTuple):
    """Weights must be from low to high."""

    low: float | np.floating[Any] | Array
    high: float | np.floating[Any] | Array
    must: str  # in words, as the error says it: "be >= 0 for ..."
    why: str  # a sentence behind it

    def holds(self, weights: Array) -> bool:
        """Whether all of these weights are within the limit; they are not empty, and without NaN."""
        if np.ndim(self.low) or np.ndim(self.high):
            return bool(np.all((weights >= self.low) & (weights <= self.high)))
        good: bool = self.low == -math.inf or np.minimum.reduce(weights) >= self.low
        return good and (self.high == math.inf or np.maximum.reduce(weights) <= self.high)


def sign_of(receptor: Receptor) -> list[Limit]:
    """[the limit of a conductance, >= 0], or [] for a current: E sets the sign of the current, a weight must not."""
    if receptor.adds_to not in ("conductance", "coupling"):
        return []
    levels = sorted({part.E for part, _ in parts_of(receptor) if part.E is not None})
    sets = f"E ({', '.join(f'{E:g}' for E in levels)} mV) sets" if levels else "V of the source sets"
    why = f"Weights are conductances: {sets} the sign of the current."
    return [Limit(0.0, math.inf, f"be >= 0 for the conductance {receptor!r}", why)]


def bounds_of(rule: object, dtype: np.dtype[Any]) -> list[Limit]:
    """[the limit w_min to w_max of a plasticity rule, as numbers of this dtype], or [] for a rule without bounds."""
    name, low, high = type(rule).__name__, getattr(rule, "w_min", -math.inf), getattr(rule, "w_max", math.inf)
    if np.ndim(low) or np.ndim(high):
        must = f"be from {name}.w_min to {name}.w_max of its synapse"
        return [Limit(np.asarray(low, dtype), np.asarray(high, dtype), must, _CLIPS)]
    if low == -math.inf and high == math.inf:
        return []
    if hasattr(rule, "w_min"):
        must = f"be from {name}.w_min ({low:g}) to {name}.w_max ({high:g})"
    else:
        must = f"be at most {name}.w_max ({high:g})"
    with np.errstate(over="ignore"):
        low, high = np.array([low, high], dtype)
    return [Limit(low, high, must, _CLIPS)]


def check(
    where: str, weights: ArrayLike, limits: list[Limit], first: int = 0, cure: str = "", each: str = "synapse"
) -> None:  # fmt: skip
    """Refuse weights beyond these limits; the error names the first of them.

    Parameters
    ----------
    where : str
        "Owner.argument": how the error begins.
    weights : number or array
    limits : list of Limit
    first : int
        Number of the first of these weights among all.
    cure : str
        End of the error.
    each : str
        Noun for the owner of one weight.
    """
    values = np.asarray(weights).reshape(-1)
    for limit in limits:
        if not values.size or limit.holds(values):
            continue
        low, high, must, why = limit
        values = values + np.zeros(np.broadcast(low, high).shape)  # one for all may be wrong for one of them
        wrong = int(np.argmin((values >= low) & (values <= high)))  # NaN is one, too
        of = f" for {each} {first + wrong}" if np.ndim(weights) else ""
        raise ValueError(f"{where} must {must}, got {values[wrong]:g}{of}. {why}{cure}")
