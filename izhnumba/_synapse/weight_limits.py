"""Which weights are right: those of conductances are not negative, those of plastic synapses lie within the bounds that
their rule keeps."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._synapse.receptor import Receptor

Array = NDArray[Any]


class Limit(NamedTuple):
    """Weights must be from low to high, in words, and why."""

    low: Any
    high: Any
    must: str
    why: str

    def holds(self, weights: Array) -> bool:
        """For all of these weights, of which there is one at least and none is NaN."""
        good: bool = self.low == -math.inf or np.minimum.reduce(weights) >= self.low
        return good and (self.high == math.inf or np.maximum.reduce(weights) <= self.high)


def sign_of(receptor: Receptor) -> list[Limit]:
    """The limit of a conductance: E sets the sign of the current, and a weight below 0 would turn it around."""
    if receptor.adds_to not in ("conductance", "coupling"):
        return []
    sets = "V of the source sets" if receptor.E is None else f"E ({receptor.E:g} mV) sets"
    why = f"Weights are conductances: {sets} the sign of the current."
    return [Limit(0.0, math.inf, f"be >= 0 for the conductance {receptor!r}", why)]


def bounds_of(rule: Any, dtype: Any) -> list[Limit]:
    """The bounds w_min and w_max of one of izhnumba's rules, which clips what is beyond, as numbers of this dtype."""
    name, low, high = type(rule).__name__, getattr(rule, "w_min", -math.inf), getattr(rule, "w_max", math.inf)
    if low == -math.inf and high == math.inf:
        return []
    if hasattr(rule, "w_min"):
        must = f"be from {name}.w_min ({low:g}) to {name}.w_max ({high:g})"
    else:
        must = f"be at most {name}.w_max ({high:g})"
    with np.errstate(over="ignore"):
        low, high = np.array([low, high], dtype)
    return [Limit(low, high, must, "The rule would clip it: choose other bounds or weights.")]


def check(
    where: str, weights: Any, limits: list[Limit], first: int = 0, cure: str = "", each: str = "synapse"
) -> None:  # fmt: skip
    """Refuse weights beyond these limits, and name the first of them. first: the number of the first weight; each: what
    has one."""
    values = np.asarray(weights).reshape(-1)
    for limit in limits:
        if not values.size or limit.holds(values):
            continue
        low, high, must, why = limit
        wrong = int(np.argmin((values >= low) & (values <= high)))  # NaN is one, too
        of = f" for {each} {first + wrong}" if np.ndim(weights) else ""
        raise ValueError(f"{where} must {must}, got {values[wrong]:g}{of}. {why}{cure}")
