"""Drives: what comes to the populations of a network from outside, as feeds of its clock."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.random import stream_key
from izhnumba._base.sealed import Sealed, assign
from izhnumba._base.turns import Turn
from izhnumba._engine.protocol import Feeds, Incoming
from izhnumba._input.door import DRIVE, LIVE, Given, given, refuse_negative
from izhnumba._input.input import Input
from izhnumba._input.spike_trains import SpikeInput
from izhnumba._input.target import Memory, Target
from izhnumba._network import html
from izhnumba._network.parts import neurons_in, new_name
from izhnumba._population.engines import kind_of
from izhnumba._population.section import Section
from izhnumba._population.source import Source
from izhnumba._synapse.receptor import Receptor, unit_through

if TYPE_CHECKING:
    from izhnumba._network.network import Network

Array = NDArray[Any]


class Through(TypedDict, total=False):
    """The keywords of `Network.drive`."""

    receptor: Receptor | None
    name: str | None


class Drive(Sealed):
    """An input to a population or chosen neurons of one. Made by `Network.drive`.

    Attributes
    ----------
    value : float, array or input object
        It can be set between runs.
    section : neurons of a population
        As `pop[...]` gives them: `.population` and `.neurons`.
    receptor : Receptor or None
        Whose conductance, current or V jump the value is; None for a plain current, and for spikes, which have their
        own.
    """

    _turn: Turn | None = None  # of its network
    _recorders: Mapping[str, Any] = MappingProxyType({})  # those of its network
    _value: float | Array | Input
    _live: bool  # whether the value is an array, which somebody may write into
    _to: Target
    _made: Any  # of the value, for the engine of the population
    _receptor_state: Any  # through which it comes, None for a plain current

    def __init__(self, section: Section, value: object, receptor: Receptor | None, ordinal: int) -> None:
        self.section, self.receptor = section, receptor
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
        if isinstance(value, Source):
            cure = (
                "Connect it: net.connect(source, cells, OneToOne()); a train for each neuron is Poisson or SpikeTrain."
            )
            raise TypeError(f"{where} must be a number, an array or an input object, got {checks.shown(value)}. {cure}")
        spikes, pop = isinstance(value, SpikeInput), self.section.population
        if not spikes and _holds_spikes(value):
            raise TypeError(
                f"{where} must be currents or spikes, got {checks.shown(value)}. Give each spike input a drive of its "
                "own; its weight scales it."
            )
        if spikes and self.receptor is not None:
            raise ValueError(
                f"Network.drive.receptor must be left out for spikes, which have a receptor of their own, got "
                f"{self.receptor!r}. Write {type(value).__name__}(..., receptor={self.receptor!r})."
            )
        if any(one.source is self for one in self._recorders.values()) and _own(value) != _own(self._value):
            raise ValueError(
                f"{where} must act through {_own(self._value)!r}, whose current is recorded, got "
                f"{checks.shown(value)}. Remove the recorder first, or make another drive."
            )
        key = stream_key(pop.seed, pop.name, "input", self._ordinal)
        unit = "" if spikes else unit_through(self.receptor, pop.model.I.unit)
        to = Target(self.section.shape, pop.dt, pop.dtype, key, {}, unit)
        found = given(where, value, to, DRIVE)
        kept = found.value if isinstance(found.value, Input) or found.value.ndim else float(found.value)
        made, receptor = self._for_engine(where, found)
        assign(self, _value=kept, _live=isinstance(kept, np.ndarray), _to=to, _made=made, _receptor_state=receptor)

    def _read_again(self) -> None:
        """Copy a live array, as it is now, into the row of a clock engine that was made of it."""
        value: Any = self._value
        self._refuse_negative("Drive.value", value)
        if value.shape != self._to.shape or not self._made.take(value):
            made, _ = self._for_engine("Drive.value", given("Drive.value", value, self._to, LIVE))
            self._made.rows(0, 1)[...] = made.rows(0, 1)

    def _refuse_negative(self, where: str, value: Any) -> None:
        if self.receptor is not None and self.receptor.adds_to == "conductance":
            refuse_negative(where, value, self.receptor)

    @property
    def _memory(self) -> Memory:
        return self._to.memory

    def _for_engine(self, where: str, found: Given) -> tuple[Any, Any]:
        """The value as the engine has it, and the state of the receptor through which it comes."""
        pop = self.section.population
        self._refuse_negative(where, found.value)
        made, receptor = pop._kind.drive(where, found, pop._engine, self.section.where, self.receptor)
        return made, receptor

    def _incoming(self) -> Incoming:
        """The value as the engine of the population reads it: made anew only for arrays, which users may change."""
        if self._live:
            self._made, _ = self._for_engine("Drive.value", given("Drive.value", self._value, self._to, LIVE))
        part = self.section
        return Incoming(part.population._engine, self._receptor_state, part.where, self._made)

    def _clear(self) -> None:
        """Start random numbers again."""
        self._memory.clear()

    _repr_html_ = html.of_drive

    def __repr__(self) -> str:
        value = self._value
        array = f"<array of shape {value.shape}>" if isinstance(value, np.ndarray) else ""
        through = "" if self.receptor is None else f" through {self.receptor!r}"
        return f"<drive of {self.section!r}{through}: {array or value}>"


def drive(
    net: Network, population: object, input: object, receptor: Any, name: object, ordinal: int | None = None
) -> Drive:
    """Let an input act on a population of a network, or on chosen neurons of one, as a current or through a
    receptor.

    Parameters
    ----------
    net, population, input, receptor, name
        As of `Network.drive`.
    ordinal : int, optional
        That of a drive which is made again, with its random numbers and the states that are its own.
    """
    cure = "Drive neurons, and connect the source to them; its own spikes follow from its rate or its times."
    part, where = neurons_in(net, "Network.drive.population", population, cure), "Network.drive.receptor"
    if receptor is not None:
        checks.kind(where, receptor, Receptor, "a receptor such as AMPA()")
        if receptor.adds_to == "coupling":
            raise ValueError(f"{where} must be a conductance, a current or Delta(), got {receptor!r}.")
    if ordinal is None:
        others = [one._ordinal for one in net._drives.values() if one.section.population is part.population]
        ordinal = max(others, default=-1) + 1
    name = new_name("Network.drive.name", name, repr(part), net._drives)
    net._drives[name] = made = Drive(part, input, receptor, ordinal)
    made._turn, made._recorders = net._turn, net.recorders
    return made


def feeds_of(net: Network) -> Feeds:
    """All that comes into a network from outside, for its clock."""
    coming = [one._incoming() for one in net._drives.values()]
    coming += [one._incoming() for one in net._sources.values()]
    return kind_of(net.scheme).network_feeds(net._clock, coming)


def _own(value: object) -> Receptor | None:
    """The receptor that spikes have; None for other inputs."""
    return value.receptor if isinstance(value, SpikeInput) else None


def _holds_spikes(value: object) -> bool:
    return isinstance(value, SpikeInput) or (isinstance(value, Input) and any(map(_holds_spikes, value._made_of)))
