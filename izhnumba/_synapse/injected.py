"""Receptors whose current or conductance is given from outside, instead of being made of spikes."""

from __future__ import annotations

from dataclasses import dataclass

from izhnumba._synapse.receptor import Gate, Mixed, Propagator, Receptor, parts_of
from izhnumba._synapse.receptor_contract import check_own


@dataclass(frozen=True)
class Injected(Receptor):
    """The current or conductance of `receptor`, as an input has it in each step: it has no states."""

    receptor: Receptor

    @property
    def E(self) -> float | None:  # type: ignore[override]
        """That of the receptor, mV."""
        return self.receptor.E

    @property
    def gate(self) -> Gate | None:
        """That of the receptor."""
        return self.receptor.gate

    @property
    def adds_to(self) -> str:
        """What the receptor adds to."""
        return self.receptor.adds_to

    def propagator(self, dt: float) -> Propagator:
        return Propagator(0)


def name_of(receptor: Receptor) -> str:
    """The name of its class, or that of the one that is given from outside."""
    return type(receptor.receptor if isinstance(receptor, Injected) else receptor).__name__


def injected(receptor: Receptor) -> Receptor:
    """What an input acts through instead of this receptor, whose current, conductance or V jump it is; each part of a
    mixture has its ratio of it."""
    check_own(receptor)
    if receptor.adds_to == "V":  # without states
        return receptor
    if isinstance(receptor, Mixed):
        return Mixed(tuple(Injected(part) for part, _ in parts_of(receptor)), receptor.ratios)
    return Injected(receptor)
