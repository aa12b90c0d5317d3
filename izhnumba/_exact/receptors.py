"""Ports of the exact engine: what reaches a population from outside, as states that change by linear equations."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._exact.kernels import layout
from izhnumba._synapse.receptors import NMDA, GapJunction, Pulse, Rates, Receptor

Array = NDArray[Any]
_NO_BOUND = 1e300
_WHY_NOT = {
    NMDA: ("its magnesium block is no polynomial", "Use a clock scheme such as 'rk4', or DualExponential(E=0)."),
    GapJunction: ("it couples neurons at all times", "Use a clock scheme such as 'rk4'."),
    Pulse: ("it ends some time after its spike, and no event says so", "Use a clock scheme, or Exponential(tau)."),
}


class Waves(NamedTuple):
    """The part of an input that changes in time: lines (rate 0), or sines of so many radians per ms."""

    rate: float
    states: int = 2

    def linear(self) -> list[float]:
        """alpha, beta, delta, gamma: y' = rate x, x' = -rate y; for a line y' = x."""
        return [0.0, self.rate or 1.0, -self.rate, 0.0]


class Steady(NamedTuple):
    """Conductances towards E (one, or one for each neuron) that stay as they are between breaks."""

    E: float | tuple[float, ...]
    states: int = 1

    def linear(self) -> list[float]:
        return [0.0] * 4


class ExactPort:
    """A receptor, or a wave of the input, and where its states are."""

    def __init__(self, receptor: Receptor | Waves | Steady) -> None:
        self.receptor = receptor
        self.inner = isinstance(receptor, (Waves, Steady))
        rates = Rates(receptor.states) if isinstance(receptor, (Waves, Steady)) else receptor.rates()
        if rates is None:
            name = type(receptor).__name__
            reason, cure = _WHY_NOT.get(type(receptor), ("it does not tell its rates()", "Use Exponential(tau)."))
            raise ValueError(f"Network receptor {name} must be left out with the scheme 'exact': {reason}. {cure}")
        if not isinstance(rates, Rates) or rates.states not in (0, 1, 2) or not all(map(math.isfinite, rates[1:])):
            name = type(receptor).__name__
            raise ValueError(f"{name}.rates must return Rates of 0, 1 or 2 states, all finite, got {rates!r:.80}.")
        self.states, self.factor = rates.states, rates.factor
        self.E = getattr(receptor, "E", None)
        self.conductance = self.E is not None
        self.linear = [rates.alpha, rates.beta, 0.0, rates.gamma]
        if isinstance(receptor, (Waves, Steady)):
            self.linear = receptor.linear()
        self.current = np.empty(0)  # stands for its current among the sources of records

    def inlet(self, row: int) -> list[int]:
        """How what arrives gets into this row of a cell."""
        return [row, self.scale, int(np.float64(self.factor).view(np.int64))]

    @property
    def scale(self) -> int:
        """Which scale of a cell what arrives is multiplied by."""
        return layout.CONDUCTANCE if self.conductance else layout.CURRENT if self.states else layout.JUMP

    @property
    def reach(self) -> list[float]:
        """For each state, by what to multiply it for a bound of all that will come of it; no bound for waves."""
        alpha, beta, delta, gamma = self.linear
        if self.inner:
            return [_NO_BOUND] * self.states
        return [1.0, abs(beta) / max(abs(alpha), abs(gamma), 1e-300)][: self.states]

    def note_current(self) -> Array:
        """What stands for its current among the sources of records."""
        return self.current

    def describe(self) -> Any:
        """In terms that a checkpoint can store."""
        if isinstance(self.receptor, (Waves, Steady)):
            return {type(self.receptor).__name__: self.receptor[0]}
        return self.receptor


def described(value: Any) -> Any:
    """The receptor, or what stands for one, that a port described."""
    if isinstance(value, dict):
        ((kind, number),) = value.items()
        return {"Waves": Waves, "Steady": Steady}[kind](number)
    return value
