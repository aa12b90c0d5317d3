"""Projections: synapses as engines deliver through them, without names and units."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.protocol import PopulationEngine, SourceEngine
from izhnumba._synapse.csr import SynapseTable


@dataclass(frozen=True, eq=False)
class Released:
    """Spikes that release a modulator: engine of a population, its first neuron that does, and which of those from
    there on do, uint8; amount: what a spike adds."""

    by: PopulationEngine
    first: int
    members: NDArray[np.uint8]
    amount: float


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses as an engine delivers spikes through them.

    source, target: engines of populations, the source also of a spike source; first_source, first_target: the neurons
    with which both ends begin; n_sources, n_targets: how many there are from there to the last ones; shift: source i is
    the same neuron as target i + shift, None if no run of neurons is at both ends; receptor: of the target, its
    ReceptorState; rows: the synapses; plastic: their plastic state, or None; release: the states of sources that their
    receptor has, or None; shared: a SharedState if they share a weight, or None; released: by whose spikes the
    modulator of a plastic state grows.
    """

    source: PopulationEngine | SourceEngine
    target: PopulationEngine
    first_source: int
    first_target: int
    n_sources: int
    n_targets: int
    shift: int | None
    receptor: Any
    rows: SynapseTable
    plastic: Any
    release: Any = None
    shared: Any = None
    released: list[Released] = field(default_factory=list)

    @functools.cached_property
    def delays(self) -> tuple[Any, Any]:
        """The shortest and the longest delay, in steps or ms; without synapses (0, 0)."""
        return self.rows.delays(self.target.padded)
