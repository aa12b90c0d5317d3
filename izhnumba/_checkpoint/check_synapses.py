"""Checks of synapses in a checkpoint: their rows, and the events under way through them.

The state of plastic synapses has checks of its own, in `_engine.plastic_state`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import partition
from izhnumba._base.saved import Saved
from izhnumba._base.words import counted
from izhnumba._checkpoint.check_populations import Frame, Part, SavedPopulation, part_of
from izhnumba._exact.kernels import layout
from izhnumba._synapse import csr, weight_limits
from izhnumba._synapse.connectivity import AllToAll
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptor import Receptor
from izhnumba._synapse.receptor_contract import acts_at_once
from izhnumba._synapse.weight_limits import Limit

Array = NDArray[Any]
_PIECE = 2**22  # synapses checked at a time
_FARTHEST = 1e12  # ms, of events: numbers of slots of time must fit 64 bits. (The synapses may be gone by now.)


class Projection(NamedTuple):
    """Synapses, as far as events under way refer to them. target: name of the population; key: of the events of synapse
    0, in the next synapse the next one; offsets: as in the synapse table."""

    target: str
    receptor: Receptor
    plastic: bool
    key: int
    offsets: Array


def check_synapses(
    one: dict[str, Any], place: str, frame: Frame, populations: dict[str, SavedPopulation], key: int
) -> Projection:
    """The synapses stored at `place`; a Misfit if their parts do not fit together. key: of their first events."""
    names = ("source", "target", "receptor", "rule", "rows", "plasticity", "first_weights", "state")
    saved = Saved(one, place, names, ("release", "modulated_by"))
    source, target = part_of(saved, "source", populations), part_of(saved, "target", populations)
    receptor = saved.kind("receptor", Receptor, "a receptor")
    saved.require(receptor in target.population.receptors, "receptor", "be one of its target population")
    gap = receptor.adds_to == "coupling"
    released = "release" in one
    saved.require(released == receptor.per_source, "receptor", "have states of sources if there are such", receptor)
    same = source.population.dtype == target.population.dtype and not source.population.spikes_alone
    saved.require(not gap or same, "source", "be neurons that have the dtype of the target")
    plastic = saved.value["plasticity"] is not None
    if plastic:
        rules = saved.kind("plasticity", (Plasticity, tuple), "a rule of plasticity, or two")
        good = isinstance(rules, Plasticity) or all(isinstance(one, Plasticity) for one in rules)
        saved.require(good, "plasticity", "be rules of plasticity")
        saved.require(not gap, "plasticity", "be None for gap junctions")
    rows = saved.part("rows", ("starts", "offsets", "weights", "parts", "delay", "times"))
    sign, any_delay = weight_limits.sign_of(receptor), gap or frame.exact or acts_at_once(receptor, frame.dt)
    n, shared = _weights(rows, "weights", target.population.dtype, None, sign), False
    if rows.value["offsets"] is None:
        saved.require(isinstance(one["rule"], AllToAll), "rule", "be AllToAll if there are no offsets")
        saved.require(not (plastic or gap or released or frame.exact), "rows", "have offsets", "none")
        shared = _whole_rows(rows, n, source, target, one["rule"], 1 - any_delay)
        for name, end in (("source", source), ("target", target)):
            good = shared or end.neurons is None
            saved.require(good, name, "be a run of neurons if there are no offsets and no shared weight")
    else:
        saved.require(one["rule"] is None, "rule", "be None if there are offsets")
        _sparse_rows(rows, n, source, target, frame, _parts(rows, target, frame, plastic), gap, 1 - any_delay)
    _check_modulated(saved, populations)
    saved.require(plastic or one["first_weights"] is None, "first_weights", "be None without plasticity")
    saved.require(plastic or shared or one["state"] is None, "state", "be None without plasticity or a shared weight")
    if plastic:
        _weights(saved, "first_weights", target.population.dtype, n, sign)
    offsets = one["rows"]["offsets"]
    return Projection(target.name, receptor, plastic, key, np.empty(0) if offsets is None else offsets)


def _check_modulated(saved: Saved, populations: dict[str, SavedPopulation]) -> None:
    """Check whose spikes release a modulator, if there are such."""
    if "modulated_by" not in saved.value:
        return
    rule = saved.value["plasticity"]
    rules = rule if isinstance(rule, tuple) else (rule,)
    there = any(getattr(one, "modulator_tau", 0) for one in rules)
    saved.require(there, "modulated_by", "be left out without a modulator")
    for k, one in enumerate(saved.kind("modulated_by", list, "a list of neurons and amounts")):
        released = Saved(one, f"{saved.at('modulated_by')}/{k}", ("by", "amount"))
        part_of(released, "by", populations)
        released.real("amount")


def _weights(saved: Saved, key: str, dtype: np.dtype[Any], n: int | None, sign: list[Limit]) -> int:
    size = saved.kind(key, np.ndarray, "an array").size
    values = saved.array(key, dtype, (size if n is None else n,))
    saved.require_all(key, np.isfinite(values), "be finite")
    for limit in sign:
        saved.require_all(key, values >= limit.low, limit.must)
    return size


def _starts(rows: Saved, n_rows: int, n: int) -> Array:
    starts = rows.array("starts", np.int64, (n_rows + 1,), low=0, high=n)
    rows.require_all("starts", starts[1:] >= starts[:-1], "ascend", starts[1:])
    good = starts[0] == 0 and starts[-1] == n
    rows.require(good, "starts", f"be from 0 to {n}", f"from {starts[0]} to {starts[-1]}")
    return starts


def _parts(rows: Saved, target: Part, frame: Frame, plastic: bool) -> int:
    """The number of parts of the targets, a power of 2."""
    most = partition.parts_of(target.population.padded)
    parts = rows.integer("parts", 1, most)
    allowed = [most] if frame.exact else [1] if plastic else [2**k for k in range(most.bit_length())]
    rows.require(parts in allowed, "parts", f"be one of {allowed}")
    return parts


def _whole_rows(rows: Saved, n: int, source: Part, target: Part, rule: AllToAll, least: int) -> bool:
    """Check dense rows: a weight for every pair, but for those of a neuron with itself if they are left out,
    or one that they share. Returns whether they do.

    Parameters
    ----------
    rows : Saved
        The saved SynapseTable.
    n : int
        Weights.
    source, target : Part
    rule : AllToAll
    least : int
        The shortest delay, steps.
    """
    rows.integer("parts", 1, 1)
    rows.integer("delay", least, _most_steps(target.population.padded))
    rows.require(rows.value["times"] is None, "times", "be None")
    every = np.arange(source.start, source.stop)
    sends = source.has(every)
    counts = len(target) * sends
    if not rule.autapses and source.name == target.name:
        counts -= sends & target.has(every)
    shared = n == 1 and int(counts.sum()) != 1
    starts = _starts(rows, every.size, int(counts.sum()) if shared else n)
    rows.require_all("starts", np.diff(starts) == counts, "leave room for a weight of every target", starts[1:])
    return shared


def _sparse_rows(
    rows: Saved, n: int, source: Part, target: Part, frame: Frame, parts: int, gap: bool, least: int
) -> None:
    """Check sparse rows: each offset leads to a target in the part that its row is for, and they ascend in a row.

    Parameters
    ----------
    rows : Saved
        The saved SynapseTable.
    n : int
        Synapses.
    source, target : Part
    frame : Frame
        Time step, present and engine of the network.
    parts : int
        Parts of the targets, each with a row of its own for every source.
    gap : bool
        Whether these are gap junctions, which have no delays.
    least : int
        The shortest delay, steps.
    """
    every = np.arange(source.start, source.stop)
    starts = _starts(rows, every.size * parts, n)
    edges = starts[::parts]
    rows.require_all(
        "starts", (edges[1:] == edges[:-1]) | source.has(every), f"have synapses of neurons {source} alone", every
    )
    rows.integer("delay", 0, 0)
    rows.array("offsets", np.uint32, (n,))
    if frame.exact:
        rows.array("times", np.float64, (n,), low=csr._SHORTEST, high=np.finfo(np.float64).max)
    else:
        rows.require(rows.value["times"] is None, "times", "be None without the scheme 'exact'")
    longest = 0 if gap or frame.exact else _most_steps(target.population.padded)
    for first in range(0, n, _PIECE):
        begin, end = max(first - 1, 0), min(first + _PIECE, n)  # with the one before, to compare
        some = slice(*np.searchsorted(starts, (begin, end - 1), side="right") - (1, 0))  # rows
        edges = np.clip(starts[some.start : some.stop + 1], begin, end)
        row = np.repeat(np.arange(some.start, some.stop), np.diff(edges))
        _piece_of_rows(rows, begin, row, target, parts, least, longest)


def _piece_of_rows(rows: Saved, begin: int, row: Array, target: Part, parts: int, least: int, longest: int) -> None:
    """Check a piece of the synapses.

    Parameters
    ----------
    rows : Saved
        The saved SynapseTable.
    begin : int
        Number of the first synapse of the piece.
    row : ndarray of int64, shape (n,)
        The row of each synapse of the piece.
    target : Part
    parts : int
    least, longest : int
        The shortest delay, and the longest that offsets can hold, in steps.
    """
    lanes, part = target.population.padded, slice(begin, begin + row.size)
    offsets, times = rows.value["offsets"][part], rows.value["times"]
    delays = offsets // np.uint32(lanes)
    lane = (offsets - delays * np.uint32(lanes)).astype(np.int64)
    inside = target.has(lane)
    of_part = np.ones(1, bool) if parts == 1 else partition.part_of(lane, lanes, parts) == row % parts
    ascending = np.append(True, (offsets[1:] >= offsets[:-1]) | (row[1:] > row[:-1]))
    if times is not None:
        earlier, later = times[part][:-1], times[part][1:]
        ascending[1:] = (later > earlier) | ((later == earlier) & ascending[1:]) | (row[1:] > row[:-1])
    for good, must in (
        (delays <= longest, f"have delays of at most {counted(longest, 'step')}"),
        (delays >= min(longest, least), f"have delays of at least {counted(least, 'step')}"),
        (inside, f"lead to neurons {target}"),
        (of_part, "lead to the part of the targets that their row is for"),
        (ascending, "ascend in each row"),
    ):
        rows.require_all("offsets", good, must, offsets, begin)


def _most_steps(lanes: int) -> int:
    """The longest delay, steps, that `TargetLanes.offsets` allows."""
    return csr.MOST_CELLS // lanes - 1


def check_events(
    state: Saved, frame: Frame, population: SavedPopulation, name: str, projections: list[Projection]
) -> None:
    """Check the events under way to a population; those with a rule must be of plastic synapses."""
    raw = state.kind("events", np.ndarray, "an array of events")
    good = raw.dtype == np.uint8 and raw.ndim == 1 and raw.size % layout.EVENT_SIZE == 0
    state.require(good, "events", f"be uint8, {layout.EVENT_SIZE} for each event")
    found, own = raw.view(layout.EVENT), [one for one in projections if one.target == name]
    ahead = (found["t"] > frame.now) & (found["t"] <= _FARTHEST)
    state.require_all("events", ahead, f"be later than {frame.now} and at most at {_FARTHEST:g}", found["t"])
    plastic = [one for one in own if one.plastic]
    for column, low, high in (
        ("target", 0, population.n - 1), ("inlet", 0, len(state.value["ports"]) - 1), ("rule", -1, len(plastic) - 1),
    ):  # fmt: skip
        good = (found[column] >= low) & (found[column] <= high)
        state.require_all("events", good, f"have a {column} from {low} to {high}", found[column])
    state.require_all("events", np.isfinite(found["w"]), "have finite weights", found["w"])
    for number, one in enumerate(plastic):
        mine = found[found["rule"] == number]
        synapse = mine["key"] - one.key
        good = (synapse >= 0) & (synapse < one.offsets.size)
        state.require_all("events", good, "be of synapses that are there", mine["key"])
        state.require_all("events", one.offsets[synapse] == mine["target"], "be of their synapses", mine["target"])
