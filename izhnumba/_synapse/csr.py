"""The synapse table: the pairs that a rule draws, as rows for delivery (compressed sparse rows).

A row holds the synapses of one source neuron, in continuous time those to one part of the targets, sorted by (delay,
target); those that agree in both stay in the order in which they were drawn. A synapse is an offset, delay * lanes +
target lane, and a weight; in continuous time the offset is the target lane, and the delay in ms stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, SupportsInt

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.partition import part_of, parts_of
from izhnumba._base.random import Random
from izhnumba._base.words import counted
from izhnumba._synapse.connectivity import Rule
from izhnumba._synapse.ends import Ends

Array = NDArray[Any]
Shown = Callable[[float, float], Any]  # (synapses done, all of them): shows progress
MOST_CELLS = 2**31  # cells of a ring: place in it + offset must stay below 2^32, and go around once at most
_SORTED = 2**20  # synapses sorted at a time
FEWER = "Connect fewer neurons, or use float32."
_SHORTEST = 1e-6  # ms: the least delay in continuous time
_IN_STEPS = " Delay 0 is for schemes with steps: there a spike acts at the end of its own."


class Piece(NamedTuple):
    """Synapses for which numbers are drawn together: how many came before, how many they are, and, if it is known, the
    places of their sources and targets among the ends."""

    before: int
    n: int
    pre: Array | None = None
    post: Array | None = None


Draw = Callable[[Piece], Array]  # as many weights or delays
# The shortest delay: "step"; "zero": 0, or else a step; "round": whatever is nearest to 0 or to a step
Least = Literal["step", "zero", "round"]


class SynapseTable(NamedTuple):
    """All synapses of one `connect`, sorted by row.

    Attributes
    ----------
    starts : int64, shape (sources * parts + 1,)
        Synapses starts[r] to starts[r + 1] are row r = source * parts + part.
    offsets : uint32, shape (synapses,), or None
        delay (steps) * lanes + target lane; with `times` the target lane alone. None for whole rows, which reach every
        target in order after the same `delay`.
    weights : shape (synapses,), dtype of the target population; (1,) if whole rows share one
    parts : int
        Into how many parts the targets are cut.
    delay : int, steps
        Of whole rows, else 0.
    times : float64, shape (synapses,), ms, or None
        Delays in continuous time.
    """

    starts: Array
    offsets: Array | None
    weights: Array
    parts: int = 1
    delay: int = 0
    times: Array | None = None

    @property
    def n(self) -> int:
        """Synapses."""
        return int(self.starts[-1])

    @property
    def shared(self) -> bool:
        """Whether they share one weight. (A single one has its own.)"""
        return self.offsets is None and self.weights.size != self.n

    def delays(self, lanes: int) -> tuple[Any, Any]:
        """The shortest and the longest delay, in steps or ms; without synapses (0, 0)."""
        if not self.weights.size:
            return 0, 0
        if self.times is not None:
            return float(self.times.min()), float(self.times.max())
        if self.offsets is None:
            return self.delay, self.delay
        return int(self.offsets.min()) // lanes, int(self.offsets.max()) // lanes

    def later(self, lanes: int) -> Array:
        """Where in each row the synapses begin whose delays are a step or more, int64 (rows,): those of delay 0 come
        before."""
        if self.offsets is None:
            return self.starts
        at_once = np.concatenate([[0], np.cumsum(self.offsets < lanes)])
        return self.starts[:-1] + np.diff(at_once[self.starts])


class TargetLanes(NamedTuple):
    """How target neurons are numbered in a table: target j of a connection is lane first + j of `lanes`, the neurons of
    the target population. dtype: of the weights."""

    lanes: int
    first: int
    dtype: np.dtype[Any]
    continuous: bool = False  # whether delays are any times, in ms, or whole steps

    def delays(self, draw: Draw, dt: float, where: str, cure: str, least: Least) -> Draw:
        """Delays as a table keeps them, in ms or in steps of dt, from delays in ms. cure: of one that is too short;
        least: the shortest, of whole steps."""
        return delay_times(draw, where, cure) if self.continuous else delay_steps(draw, dt, where, cure, least)

    @property
    def synapse_bytes(self) -> int:
        """Bytes of a synapse in a table with offsets."""
        return 4 + self.dtype.itemsize + 8 * self.continuous

    def row(self, pre: Array, post: Array, parts: int) -> Array:
        """The row of each synapse, from 0, if the targets are cut into `parts`."""
        if parts == 1:
            return pre
        return pre * parts + part_of(post + self.first, self.lanes, parts)

    def offsets(self, post: Array, delay: Array) -> Array:
        """delay (steps) * lanes + target lane of each synapse; refused where it would not be below MOST_CELLS."""
        longest = MOST_CELLS // self.lanes - 1
        if np.max(delay, initial=0) > longest:
            raise ValueError(
                f"Network.connect.delay must be at most {counted(longest, 'step')} for "
                f"{counted(self.lanes, 'target')}, got {np.max(delay)}. "
                "Use shorter delays or smaller populations."
            )
        return delay * self.lanes + (post + self.first)


def build(
    rule: Rule, ends: Ends, targets: TargetLanes, weight: Draw, delay: Draw, random: Random, shown: Shown
) -> SynapseTable:
    """The table of all synapses that a rule draws.

    Parameters
    ----------
    rule : Rule
    ends : Ends
        Sources and targets.
    targets : TargetLanes
    weight, delay : Draw
        Weights, and delays in steps (in continuous time in ms), in the order in which the rule yields its pairs.
    random : Random
        "pairs" is asked for twice: rows are counted first, then filled.
    shown : Shown
        Called after each piece.
    """
    parts = parts_of(targets.lanes) if targets.continuous else 1  # blocks of the exact engine have their own part each
    counts = np.zeros(ends.n_rows * parts, np.int64)
    for pairs in rule.pairs(ends, random("pairs")):
        counts += np.bincount(targets.row(*ends.laid(*pairs), parts), minlength=counts.size)
    starts = np.concatenate([[0], np.cumsum(counts)])
    times = np.empty(_room(starts[-1], 8)) if targets.continuous else None
    rows = SynapseTable(
        starts, np.empty(_room(starts[-1], 4), np.uint32), _weights(starts[-1], targets), parts, times=times
    )
    cursor, drawn = starts[:-1].copy(), 0
    for pre, post in rule.pairs(ends, random("pairs")):
        row, column = ends.laid(pre, post)
        places, piece = _places(targets.row(row, column, parts), cursor), Piece(drawn, len(pre), pre, post)
        delays = delay(piece)
        if times is not None:
            times[places], delays = delays, np.zeros(len(pre), np.int64)
        rows.offsets[places] = targets.offsets(column, delays)  # type: ignore[index]
        rows.weights[places] = weight(piece)
        drawn += len(pre)
        shown(drawn, starts[-1])
    _sort(rows)
    return rows


def build_whole(
    rule: Rule, ends: Ends, targets: TargetLanes, weight: Draw, delay: int, random: Random, shown: Shown
) -> SynapseTable:
    """The table of a rule that reaches every target in order, perhaps without autapses, with one delay.

    Parameters
    ----------
    rule : Rule
    ends : Ends
        Sources and targets.
    targets : TargetLanes
    weight : Draw
    delay : int, steps
    random : Random
    shown : Shown
        Called after each piece.
    """
    counts = np.zeros(ends.n_pre, np.int64)
    for pre, _ in rule.pairs(ends, random("pairs")):
        counts += np.bincount(pre, minlength=counts.size)
    starts = np.concatenate([[0], np.cumsum(counts)])
    targets.offsets(np.zeros(1, np.int64), np.array([delay]))
    weights = _weights(starts[-1], targets)
    for first in range(0, weights.size, _SORTED):
        count = min(_SORTED, weights.size - first)
        weights[first : first + count] = weight(Piece(first, count))
        shown(first + count, weights.size)
    return SynapseTable(starts, None, weights, 1, delay)


def build_shared(ends: Ends, leaves_out: bool, targets: TargetLanes, weight: Draw, delay: int) -> SynapseTable:
    """The table of all-to-all synapses, perhaps without autapses, that share a weight and a delay (steps)."""
    counts = np.zeros(ends.n_rows, np.int64)
    pre = np.arange(ends.n_pre)
    counts[pre if ends.rows is None else ends.rows] = ends.n_post - (leaves_out & (ends.own(pre) >= 0))
    starts = np.concatenate([[0], np.cumsum(counts)])
    targets.offsets(np.zeros(1, np.int64), np.array([delay]))
    return SynapseTable(starts, None, weight(Piece(0, 1)).astype(targets.dtype), 1, delay)


def _weights(n: SupportsInt, targets: TargetLanes) -> Array:
    return np.empty(_room(n, targets.dtype.itemsize), targets.dtype)


def _room(n: SupportsInt, item: int) -> int:
    """n, if n items of so many bytes fit into free memory."""
    checks.fits("Network.connect.rule", int(n) * item, FEWER, counted(int(n), "synapse", form=".6g"))
    return int(n)


def _places(row: Array, cursor: Array) -> Array:
    """The place in the table of each synapse of these rows. cursor: the next free place of every row, moved on here."""
    order = None if np.all(row[1:] >= row[:-1]) else np.argsort(row, kind="stable")
    ordered = row if order is None else row[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(row) else np.empty(0, np.int64)
    counts = np.diff(np.concatenate([first, [len(row)]]))
    places = np.repeat(cursor[ordered[first]] - first, counts) + np.arange(len(row))
    cursor[ordered[first]] += counts
    if order is None:
        return places
    result = np.empty_like(places)
    result[order] = places
    return result


def _sort(rows: SynapseTable) -> None:
    """Sort each row by offset, in place and stably."""
    assert rows.offsets is not None
    for first, last in _groups(rows.starts):
        begin, end = rows.starts[first], rows.starts[last]
        offsets, n = rows.offsets[begin:end], int(end - begin)
        lengths = np.diff(rows.starts[first : last + 1])
        row = np.repeat(np.arange(last - first), lengths)
        if rows.times is not None:
            order = np.lexsort((offsets, rows.times[begin:end], row))
            for array in (rows.times, rows.offsets, rows.weights):
                array[begin:end] = array[begin:end][order]
            continue
        if np.all((offsets[1:] >= offsets[:-1]) | (row[1:] > row[:-1])):
            continue
        bits = (last - first).bit_length(), n.bit_length()
        if sum(bits) <= 32:  # one word for (row, offset, place) sorts far faster than indices do
            row_bits, place_bits = (np.uint64(b) for b in bits)
            words = row.astype(np.uint64) << np.uint64(64 - int(row_bits))
            words |= offsets.astype(np.uint64) << place_bits
            words |= np.arange(n, dtype=np.uint64)
            words.sort()
            order = (words & ((np.uint64(1) << place_bits) - np.uint64(1))).astype(np.int64)
        else:
            order = np.lexsort((offsets, row))
        rows.offsets[begin:end] = offsets[order]
        rows.weights[begin:end] = rows.weights[begin:end][order]


def _groups(starts: Array) -> Iterator[tuple[int, int]]:
    """(first, last + 1) row of groups with at most _SORTED synapses, or with a single row that has more."""
    first, n_rows = 0, len(starts) - 1
    while first < n_rows:
        last = int(np.searchsorted(starts, starts[first] + _SORTED, side="right")) - 1
        last = min(max(last, first + 1), first + 4096, n_rows)
        yield first, last
        first = last


def delay_times(draw: Draw, where: str, cure: str) -> Draw:
    """`draw` with a check: delays in ms, each at least _SHORTEST."""

    def times(piece: Piece) -> Array:
        delays = draw(piece)
        short = np.flatnonzero(delays < _SHORTEST)
        if short.size:
            raise ValueError(
                f"{where} must be at least {_SHORTEST:g} ms with the scheme 'exact', got {delays[short[0]]:g} ms for "
                f"synapse {piece.before + short[0]}.{cure or _IN_STEPS * bool(delays[short[0]] == 0)}"
            )
        return delays

    return times


def delay_steps(draw: Draw, dt: float, where: str, cure: str, least: Least) -> Draw:
    """`draw` with a check: delays as the nearest whole numbers of steps (int64), not below the least."""
    must = f"{where} must be {'0 or ' * (least != 'step')}at least one step of {dt:g} ms"

    def steps(piece: Piece) -> Array:
        delays = draw(piece)
        ratio = np.floor(delays / dt + 0.5)
        if np.any(ratio >= MOST_CELLS):
            raise ValueError(f"{where} must be at most {MOST_CELLS - 1} steps of {dt:g} ms, got {np.max(delays):g} ms.")
        short = (delays < 0) if least == "round" else (delays < dt * (1 - 1e-3)) & ((delays != 0) | (least == "step"))
        if np.any(short):
            first = int(np.argmax(short))
            raise ValueError(f"{must}, got {delays[first]:g} ms for synapse {piece.before + first}.{cure}")
        return ratio.astype(np.int64)

    return steps
