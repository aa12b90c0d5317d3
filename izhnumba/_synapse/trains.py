"""Receptors with states of sources, as they are for spikes from outside: each neuron has a train, and a state, of its
own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from izhnumba._synapse.receptor import Receptor
from izhnumba._synapse.states import States

Function = Callable[..., Any]


@dataclass(frozen=True)
class OneTrain(Receptor):
    """`receptor` for the trains of one drive. Its states are those of the source, and the weight of the latest spike
    behind them; several spikes of a step are one. stream: of the drive, so that no two share states."""

    receptor: Receptor
    stream: int

    @property
    def E(self) -> float | None:  # type: ignore[override]
        """That of the receptor, mV."""
        return self.receptor.E

    @property
    def gate(self) -> Any:
        """That of the receptor."""
        return self.receptor.gate

    @property
    def states(self) -> int:  # type: ignore[override]
        """One more than the receptor has."""
        return self.receptor.states + 1

    @property
    def advance(self) -> Function | None:  # type: ignore[override]
        """That of the receptor."""
        return self.receptor.advance

    def functions(self, dt: float) -> States:
        n, advance, strength, names, values = self.receptor.functions(dt)
        advanced, weighted = _weighted(n, advance, strength)
        return States(n + 1, advanced, weighted, names, values)


def as_trains(receptor: Receptor, stream: int) -> Receptor:
    """What spikes of a drive act through instead of this receptor."""
    return OneTrain(receptor, stream) if receptor.per_source else receptor


@functools.cache
def _weighted(n: int, advance: Any, strength: Any) -> tuple[Any, Any]:
    """The functions of n states and a weight, of those of n states and of arrivals that are 0 or 1."""

    def advanced(s: Any, arrived: Any, p: Any) -> Any:
        after = advance(s[:n], 1.0 if arrived != 0 else 0.0, p)
        return after + (arrived if arrived != 0 else s[n],)  # noqa: RUF005 - Numba joins tuples so

    def first(s: Any, p: Any) -> Any:
        return s[n] * s[0]

    def made(s: Any, p: Any) -> Any:
        return s[n] * strength(s[:n], p)

    return advanced, first if strength is None else made
