"""Receptors and waves of the exact engine: inputs of a population as states that change by linear equations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.lent import Lent
from izhnumba._exact.kernels import layout
from izhnumba._synapse.receptor import Rates, Receptor
from izhnumba._synapse.receptor_contract import rates_of

Array = NDArray[Any]
_NO_BOUND = 1e300


class Waves(NamedTuple):
    """The part of an input that changes in time: lines (rate 0), or sines. rate: radians per ms."""

    rate: float
    states: int = 2

    def linear(self) -> list[float]:
        """alpha, beta, delta, gamma: y' = rate x, x' = -rate y; for a line y' = x."""
        return [0.0, self.rate or 1.0, -self.rate, 0.0]


class Steady(NamedTuple):
    """Conductances towards E (mV, one, or one for each neuron) that are constant between breaks of the input."""

    E: float | tuple[float, ...]
    states: int = 1

    def linear(self) -> list[float]:
        """alpha, beta, delta, gamma: y' = 0."""
        return [0.0] * 4


class ReceptorState:
    """A receptor, or a wave of the input, as linear states of each neuron: rates, scale and bound for the kernels."""

    def __init__(self, receptor: Receptor | Waves | Steady) -> None:
        self.definition = receptor
        self.inner = isinstance(receptor, (Waves, Steady))
        rates = Rates(receptor.states) if isinstance(receptor, (Waves, Steady)) else rates_of(receptor)
        self.states, self.factor = rates.states, rates.factor
        self.E = getattr(receptor, "E", None)
        self.conductance = self.E is not None
        self.linear = [rates.alpha, rates.beta, 0.0, rates.gamma]
        if isinstance(receptor, (Waves, Steady)):
            self.linear = receptor.linear()

    def inlet(self, row: int) -> list[int]:
        """Row of the table INLETS for arrivals into this row of a neuron's states: row, scale, the factor's bits."""
        return [row, self.scale, int(np.float64(self.factor).view(np.int64))]

    def settle(self, weights: Lent, *, now: bool = True) -> None:
        """No-op: spikes under way carry their weights. Those of the clock engine have to be told."""

    @property
    def scale(self) -> int:
        """Number of the neuron's scale by which arrivals are multiplied."""
        return layout.CONDUCTANCE if self.conductance else layout.CURRENT if self.states else layout.DELTA

    @property
    def reach(self) -> list[float]:
        """Factor for each state that bounds the input which it will ever cause; practically infinite for waves."""
        alpha, beta, delta, gamma = self.linear
        if self.inner:
            return [_NO_BOUND] * self.states
        return [1.0, abs(beta) / max(abs(alpha), abs(gamma), 1e-300)][: self.states]

    def describe(self) -> Any:
        """The receptor, or a dict of plain values for Waves and Steady, as a checkpoint stores it."""
        if isinstance(self.definition, (Waves, Steady)):
            return {type(self.definition).__name__: self.definition[0]}
        return self.definition


def described(value: object) -> Any:
    """The receptor, Waves or Steady that `describe` described."""
    if isinstance(value, dict):
        ((kind, number),) = value.items()
        return {"Waves": Waves, "Steady": Steady}[kind](number)
    return value
