"""Drives: what comes to the populations of a network from outside, as feeds of its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.random import stream_key
from izhnumba._base.sealed import Sealed, assign
from izhnumba._base.turns import Turn
from izhnumba._engine.protocol import Feeds, Incoming
from izhnumba._input.door import DRIVE, LIVE, Given, given
from izhnumba._input.input import Input
from izhnumba._input.spike_trains import SpikeInput
from izhnumba._input.target import Memory, Target
from izhnumba._network.parts import new_name, section_in
from izhnumba._population.engines import kind_of
from izhnumba._population.section import Section

if TYPE_CHECKING:
    from izhnumba._network.network import Network

Array = NDArray[Any]


class Drive(Sealed):
    """An input to a population or chosen neurons of one. Made by `Network.drive`.

    Attributes
    ----------
    value : float, array or input object
        It can be set between runs.
    section : neurons of a population
        As `pop[...]` gives them: `.population` and `.neurons`.
    """

    _turn: Turn | None = None  # of its network
    _value: float | Array | Input
    _live: bool  # whether the value is an array, which somebody may write into
    _to: Target
    _made: Any  # of the value, for the engine of the population
    _receptor_state: Any  # through which spikes come, None for currents

    def __init__(self, section: Section, value: object, ordinal: int) -> None:
        self.section = section
        self._ordinal = ordinal  # among the drives of the population: each draws its own random numbers
        self.value = value
        self._seal()

    @property
    def value(self) -> Any:
        """The input, number or array that drives the neurons; it can be set between runs."""
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        if self._turn is not None and self._turn.taken:
            raise RuntimeError("Network.run has not ended: until then drives cannot be changed, but live arrays can.")
        where = "Drive.value" if vars(self).get("_sealed") else "Network.drive.input"
        spikes, pop = isinstance(value, SpikeInput), self.section.population
        if not spikes and _holds_spikes(value):
            raise TypeError(
                f"{where} must be currents or spikes, got {value!r:.60}. Give each spike input a drive of its own; its "
                "weight scales it."
            )
        key = stream_key(pop.seed, pop.name, "input", self._ordinal)
        to = Target(self.section.shape, pop.dt, pop.dtype, key, {}, "" if spikes else pop.model.I.unit)
        found = given(where, value, to, DRIVE)
        kept = found.value if isinstance(found.value, Input) or found.value.ndim else float(found.value)
        made, receptor = self._for_engine(where, found), pop._engine.receptor_state(value.receptor) if spikes else None
        assign(self, _value=kept, _live=isinstance(kept, np.ndarray), _to=to, _made=made, _receptor_state=receptor)

    def _read_again(self) -> None:
        """Copy a live array, as it is now, into the row of a clock engine that was made of it."""
        value: Any = self._value
        if value.shape != self._to.shape or not self._made.take(value):
            made = self._for_engine("Drive.value", given("Drive.value", value, self._to, LIVE))
            self._made.rows(0, 1)[...] = made.rows(0, 1)

    @property
    def _memory(self) -> Memory:
        return self._to.memory

    def _for_engine(self, where: str, found: Given) -> Any:
        pop = self.section.population
        return pop._kind.drive(where, found, pop._engine, self.section.where)

    def _incoming(self) -> Incoming:
        """The value as the engine of the population reads it: made anew only for arrays, which users may change."""
        if self._live:
            self._made = self._for_engine("Drive.value", given("Drive.value", self._value, self._to, LIVE))
        part = self.section
        return Incoming(part.population._engine, self._receptor_state, part.where, self._made)

    def _clear(self) -> None:
        """Start random numbers again."""
        self._memory.clear()

    def __repr__(self) -> str:
        value = self._value
        array = f"<array of shape {value.shape}>" if isinstance(value, np.ndarray) else ""
        return f"<drive of {self.section!r}: {array or value}>"


def drive(net: Network, population: object, input: object, name: object) -> Drive:
    """Let a current or spikes act on a population of a network, or on chosen neurons of one."""
    part = section_in(net, "Network.drive.population", population)
    others = [one._ordinal for one in net._drives.values() if one.section.population is part.population]
    name = new_name("Network.drive.name", name, repr(part), net._drives)
    net._drives[name] = made = Drive(part, input, max(others, default=-1) + 1)
    made._turn = net._turn
    return made


def feeds_of(net: Network) -> Feeds:
    """All that comes into a network from outside, for its clock."""
    return kind_of(net.scheme).network_feeds(net._clock, [one._incoming() for one in net._drives.values()])


def _holds_spikes(value: object) -> bool:
    return isinstance(value, SpikeInput) or (isinstance(value, Input) and any(map(_holds_spikes, value._made_of)))
