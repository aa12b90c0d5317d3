"""Checks of a population in a checkpoint: its arguments, and the state of its engine."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.partition import WORD, words
from izhnumba._base.saved import Misfit, Saved
from izhnumba._base.words import counted
from izhnumba._clock.kernels import layout as clock_table
from izhnumba._clock.receptors import state_sizes
from izhnumba._engine.timebase import LONGEST_SLICE
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.simd_rows import ReceptorKind, SimdRows
from izhnumba._exact.receptors import ReceptorState, described
from izhnumba._model.model import Model
from izhnumba._synapse.csr import MOST_CELLS
from izhnumba._synapse.positions import Positions
from izhnumba._synapse.receptor import Receptor

Array = NDArray[Any]
_MOST_REFRACTORY = 2**29 + 1  # steps that `until` can be ahead of the present
_NEVER = -(2**30)  # `until` of neurons that have not spiked
OF_NETWORK = ("dt", "scheme", "batch", "seed", "threads", "name")  # arguments that a population has from its network


class Frame(NamedTuple):
    """Numbers of the whole network. dt: ms; exact: whether its scheme is "exact"; now: steps, or ms if it is exact."""

    dt: float
    exact: bool
    seed: int
    now: float


class SavedPopulation(NamedTuple):
    """A population or spike source, as far as synapses, drives and recorders refer to it. n: neurons, of all copies of
    a batch; padded: lanes of its arrays; spikes_alone: whether it is a source, which nothing reaches."""

    size: tuple[int, ...]
    n: int
    padded: int
    dtype: np.dtype[Any]
    receptors: list[Any]
    spikes_alone: bool = False


class Part(NamedTuple):
    """Chosen neurons of a population: those from start to stop, or of these `neurons`, ndarray of int64 (n,)."""

    name: str
    population: SavedPopulation
    start: int
    stop: int
    neurons: Array | None = None

    def __len__(self) -> int:
        return self.stop - self.start if self.neurons is None else len(self.neurons)

    def has(self, neurons: Array) -> Array:
        """Whether each of these flat indices is of one of its neurons."""
        inside = (neurons >= self.start) & (neurons < self.stop)
        if self.neurons is not None:
            inside &= np.isin(neurons, self.neurons)
        return np.asarray(inside)

    def __str__(self) -> str:
        """Which neurons, in words."""
        among = "" if self.neurons is None else f"{len(self)} of those "
        return f"{among}from {self.start} to {self.stop - 1}"


def part_of(saved: Saved, key: str, populations: dict[str, SavedPopulation]) -> Part:
    """The section stored under `key`: [population, start, stop], and False behind them for a slice that covers the
    population; or [population, flat indices] of neurons that are no slice."""
    value = saved.kind(key, list, "a list [population, start, stop]")
    good = len(value) in (2, 3, 4) and isinstance(value[0], str) and value[0] in populations
    if good and len(value) == 2:
        return _some(saved, key, value[0], populations[value[0]], value[1])
    good = good and all(type(n) is int for n in value[1:3]) and 0 <= value[1] < value[2] <= populations[value[0]].n
    good = good and (len(value) == 3 or (value[3] is False and value[2] - value[1] == populations[value[0]].n))
    saved.require(good, key, "be neurons of a population of the network")
    return Part(value[0], populations[value[0]], value[1], value[2])


def _some(saved: Saved, key: str, name: str, population: SavedPopulation, neurons: object) -> Part:
    """The neurons of these flat indices."""
    good = isinstance(neurons, np.ndarray) and neurons.dtype == np.int64 and neurons.ndim == 1 and neurons.size > 0
    saved.require(good, key, "have flat indices of neurons behind the name of a population")
    assert isinstance(neurons, np.ndarray)
    start, stop = int(neurons.min()), int(neurons.max()) + 1
    good = start >= 0 and stop <= population.n and np.unique(neurons).size == neurons.size
    saved.require(good, key, f"be neurons of a population of the network, each once, of {population.n}", str(neurons))
    return Part(name, population, start, stop, neurons)


def check_population(one: dict[str, Any], place: str, frame: Frame, batch: int | None = None) -> SavedPopulation:
    """The population stored at `place`; a Misfit if its parts do not fit together. batch: its copies, of one alone."""
    saved = Saved(one, place, ("arguments", "state", "warned"))
    saved.kind("warned", bool, "True or False")
    model = Saved(one["arguments"], saved.at("arguments"), ("model",), one["arguments"]).kind("model", Model, "a model")
    names = ("size", "model", "dtype", "reset", *model.variables, "V_min", "tau_ref", *model.parameters)
    arguments = saved.part("arguments", names, ("positions",))
    size = arguments.kind("size", tuple, "a tuple of whole numbers")
    good = size and len(size) <= 64 and all(type(n) is int and n > 0 for n in size)
    good = good and math.prod(size) * (batch or 1) < 2**40
    arguments.require(good, "size", "be a tuple of whole numbers >= 1, less than 2**40 in all")
    dtype = np.dtype(arguments.one_of("dtype", ("float64",) if frame.exact else ("float32", "float64")))
    shape = size if batch is None else (batch, *size)
    for name in model.variables:
        arguments.array(name, dtype, shape)
    for name in ("V_min", "tau_ref", *model.parameters):
        arguments.array(name, dtype, (), size, shape)
    n, places = math.prod(shape), math.prod(size)
    if "positions" in arguments.value:
        positions = arguments.kind("positions", Positions, "positions")
        arguments.require(len(positions) == places, "positions", f"be those of {counted(places, 'neuron')}", positions)
    population = SavedPopulation(size, n, words(n) * WORD, dtype, [])
    if frame.exact:
        return population._replace(receptors=_exact_state(saved, frame, population))
    return population._replace(receptors=_clock_state(saved, frame, population, list(model.states)))


def _clock_state(saved: Saved, frame: Frame, population: SavedPopulation, further: list[str]) -> list[Any]:
    """Returns the receptors. further: names of the states beside V and u."""
    state = Saved(saved.value["state"], saved.at("state"), ("receptors",), saved.value["state"])
    receptors = state.kind("receptors", list, "a list of receptors")
    rings = [f"{name}{k}" for k in range(len(receptors)) for name in ("ring", "y", "x")]
    names = ("V", "u", "last", "spikes", "until", "receptors", "ring_steps", "count", *rings)
    names += ("states",) * bool(further)
    state = saved.part("state", names, optional=("at_once",))  # which only says that there are such jumps of V
    state.require(state.value.get("at_once", True) is True, "at_once", "be True if it is there")
    lanes = (population.padded,)
    for name in ("V", "u"):
        state.array(name, population.dtype, lanes)
    if further:
        states = state.part("states", further)
        for name in further:
            states.array(name, population.dtype, lanes)
    state.array("last", np.int64, lanes, low=-1, high=max(-1, frame.now - 1))
    state.array("spikes", np.uint8, lanes, high=1)
    count = state.array("count", np.int64, (2,), low=0, high=frame.now)
    state.require(count[0] == frame.now, "count", f"begin with {frame.now}, the steps of the network", str(count))
    done = int(count[0] - count[1])
    state.require(done <= clock_table.MOST_STEPS, "count", f"be at most {clock_table.MOST_STEPS} apart", str(count))
    state.array("until", np.int32, (0,), lanes, low=_NEVER, high=min(done + _MOST_REFRACTORY, 2**31 - 1))
    steps = state.integer("ring_steps", 1, 2 * MOST_CELLS // population.padded)
    for k, receptor in enumerate(receptors):
        good = isinstance(receptor, Receptor) and receptor not in receptors[:k]
        state.require(good, "receptors", "be receptors, each another one", receptor)
        state.array(f"ring{k}", population.dtype, (steps, population.padded))
        for name, size in zip("yx", state_sizes(receptor, frame.dt, population.padded), strict=True):
            state.array(f"{name}{k}", population.dtype, (size,))
    return list(receptors)


def _exact_state(saved: Saved, frame: Frame, population: SavedPopulation) -> list[Any]:
    """Returns the receptors."""
    names = ("V", "u", "shown", "spikes", "last", "next", "ports", "n_laid", "cells", "form", "changed", "in_force")
    state = saved.part("state", (*names, "events", "now"))
    n, lanes, late = (population.n,), (population.padded,), frame.now + LONGEST_SLICE
    for name in ("V", "u"):
        state.array(name, np.float64, lanes)
    state.array("shown", np.float64, (2, population.n))
    state.array("spikes", np.uint8, lanes, high=1)
    state.array("last", np.float64, n, high=late)
    state.require_all("next", ~np.isnan(state.array("next", np.float64, n)), "be numbers")
    state.require(state.real("now", 0.0) == frame.now, "now", f"be {frame.now}, that of the network")
    state.kind("changed", bool, "True or False")
    receptors = [_receptor_state(state, one, population.n) for one in state.kind("ports", list, "a list of ports")]
    unlike = all(one not in state.value["ports"][:k] for k, one in enumerate(state.value["ports"]))
    state.require(unlike, "ports", "be receptors, each another one")
    n_laid = state.integer("n_laid", -1, sum(receptor.states > 0 for receptor in receptors))
    if n_laid < 0:
        for name in ("cells", "form", "in_force"):
            state.require(state.value[name] is None, name, "be None if no cells are laid out")
    else:
        _check_cells(state, frame, population, [receptor for receptor in receptors if receptor.states][:n_laid])
    return [one for one in state.value["ports"] if isinstance(one, Receptor)]


def _receptor_state(state: Saved, one: object, n: int) -> ReceptorState:
    """The state of a stored receptor, or of a dict that describes Waves or Steady, for n neurons."""
    good = isinstance(one, Receptor)
    if isinstance(one, dict) and list(one) in (["Waves"], ["Steady"]):
        (number,) = one.values()
        several = isinstance(number, tuple) and len(number) == n and "Steady" in one
        numbers = number if several else (number,)
        good = all(type(x) in (int, float) and abs(x) < math.inf for x in numbers)
    state.require(good, "ports", "be receptors, Waves or Steady", one)
    try:
        return ReceptorState(described(one))
    except ValueError as error:
        raise Misfit(state.at("ports"), "be receptors of the scheme 'exact'", f"others: {error}") from error


def _check_cells(state: Saved, frame: Frame, population: SavedPopulation, laid: list[ReceptorState]) -> None:
    R = SimdRows(tuple(ReceptorKind(receptor.states, receptor.conductance) for receptor in laid))
    width = R.n_loaded + layout.N_EXTRA + R.n_z
    cells = state.value["cells"]
    if isinstance(cells, np.ndarray) and cells.shape == (population.n, width + 5):  # older: with a rectangle of rest
        first = R.n_loaded + layout.SINCE
        state.value["cells"] = np.delete(cells, slice(first, first + 5), axis=1)
    times = state.array("cells", np.float64, (population.n, width))[:, R.T]
    in_time = (times >= 0) & (times <= frame.now + LONGEST_SLICE)
    state.require_all("cells", in_time, f"have times from 0 to {frame.now}", times)
    form = state.array("form", np.float64, (10, population.n))
    state.require_all("form", np.isfinite(form), "be finite")
    piece = state.value["in_force"]
    if piece is not None:
        good = isinstance(piece, tuple) and len(piece) == 3 and type(piece[0]) in (int, float)
        good = good and all(isinstance(one, np.ndarray) for one in piece[1:])
        if good:
            rows, values = piece[1:]
            good = rows.dtype == np.int64 and rows.ndim == 1 and bool(np.all((rows >= 0) & (rows < width)))
            good &= values.dtype == np.float64 and values.shape in ((rows.size, 1), (rows.size, population.n))
        state.require(good, "in_force", "be a time, rows of a cell and their values")


def check_restored(engine: Any, state: dict[str, Any], place: str) -> None:
    """Raise a Misfit if constants in the states of a restored exact engine do not follow from its parameters. If these
    have been changed, or there are no such constants, they are made anew before the next advance."""
    if state.get("cells") is None or state["changed"]:
        return
    saved = Saved(state, place, state)
    form = np.array([np.broadcast_to(values, (engine.n,)) for values in engine.normal_form()])
    saved.require_all("form", form == state["form"], "follow from the parameters")
    saved_states = engine.states.copy()
    engine._fill()
    failed = np.isnan(saved_states) & np.isnan(engine.states)  # neurons that ran away
    saved.require_all("cells", (saved_states == engine.states) | failed, "follow from the parameters", saved_states)
