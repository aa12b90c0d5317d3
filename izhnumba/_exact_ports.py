"""Ports of the exact engine: what reaches a population from outside, as states that change by linear equations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._kernels import exact_table as t
from izhnumba._receptors import NMDA, GapJunction, Pulse, Rates, Receptor

Array = NDArray[Any]
_WHY_NOT = {
    NMDA: ("its magnesium block is no polynomial", "Use a clock scheme such as 'rk4', or DualExponential(E=0)."),
    GapJunction: ("it couples neurons at all times", "Use a clock scheme such as 'rk4'."),
    Pulse: ("it lasts for one step, and there are no steps", "Use Exponential(tau)."),
}


class Wave(NamedTuple):
    """Part of a current that changes in time: a line (rate 0) or a sine of so many radians per ms."""

    rate: float

    def rates(self) -> list[float]:
        """alpha, beta, delta, gamma: y' = rate x, x' = -rate y; for a line y' = x."""
        return [0.0, self.rate or 1.0, -self.rate, 0.0]


class ExactPort:
    """A receptor, or a wave of the input, and where its states are."""

    def __init__(self, receptor: Receptor | Wave) -> None:
        self.receptor = receptor
        rates = Rates(2) if isinstance(receptor, Wave) else receptor.rates()
        if rates is None:
            name = type(receptor).__name__
            reason, cure = _WHY_NOT.get(type(receptor), ("it does not tell its rates()", "Use Exponential(tau)."))
            raise ValueError(f"Network receptor {name} must be left out with the scheme 'exact': {reason}. {cure}")
        self.states, self.factor = rates.states, rates.factor
        self.conductance = not isinstance(receptor, Wave) and receptor.E is not None
        self.linear = [rates.alpha, rates.beta, 0.0, rates.gamma]
        if isinstance(receptor, Wave):
            self.linear = receptor.rates()
        self.source = 0  # what is sampled when its current is recorded

    @property
    def scale(self) -> int:
        """Which scale of a cell what arrives is multiplied by."""
        return t.CONDUCTANCE if self.conductance else t.CURRENT if self.states else t.JUMP

    @property
    def reach(self) -> list[float]:
        """For each state, by what to multiply it for a bound of all that will come of it; infinite for waves."""
        alpha, beta, delta, gamma = self.linear
        if delta or (self.states == 2 and not gamma):
            return [np.inf] * self.states
        fastest = max(abs(alpha), abs(gamma))
        return [1.0, abs(beta) / fastest][: self.states]
