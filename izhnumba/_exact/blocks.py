"""Blocks: runs of neurons that one thread of the exact engine owns, with memory for the events under way to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._engine.protocol import Failure
from izhnumba._engine.table import Table
from izhnumba._exact.kernels import layout

Array = NDArray[Any]
_FIRST_ROOM = 64  # spikes, and sorted events, for which there is memory at first


def simd_rows(size: int) -> Array:
    """Memory for SIMD rows, of this number, each in one cache line."""
    room = np.zeros((size + 1) * layout.LANES)
    first = -room.ctypes.data // room.itemsize % layout.LANES
    return room[first : first + size * layout.LANES]


def blocks_of(edges: list[tuple[int, int]]) -> list[Block]:
    """Blocks whose tables lie one behind the other. edges: first neuron of each and the one behind its last."""
    rows = np.zeros((len(edges), layout.BLOCK_SIZE), np.int64)
    return [Block(rows, number, *ends) for number, ends in enumerate(edges)]


def shared(blocks: list[Block], events: Array) -> list[Array]:
    """The events of each block, among events whose targets are neurons of the population."""
    owner = np.searchsorted([block.first for block in blocks], events["target"], side="right") - 1
    return [events[owner == number] for number in range(len(blocks))]


def under_way(blocks: list[Block]) -> Array:
    """The events that have not arrived, EVENT (k,). Their targets are neurons of the population."""
    pieces = [block.under_way() for block in blocks]
    for block, events in zip(blocks, pieces, strict=True):
        events["target"] += block.first
    return np.concatenate(pieces)


def put_under_way(blocks: list[Block], events: Array, per_ms: float) -> None:
    """Put events, EVENT (k,), whose targets are neurons of the population, into the slots of their times."""
    for block, mine in zip(blocks, shared(blocks, events), strict=True):
        mine["target"] -= block.first
        block.put_under_way(mine, per_ms)


class Block:
    """The table of a block, a row of `rows`, which owns its arrays. first, last: its first neuron and the one behind
    its last."""

    def __init__(self, rows: Array, number: int, first: int, last: int) -> None:
        self.rows, self.table, self.first, self.n = rows, Table(rows[number]), first, last - first
        self.table[[layout.FIRST, layout.N_NEURONS, layout.SORTED_ROOM]] = first, self.n, _FIRST_ROOM
        for entry, array in (
            (layout.CURSORS, np.zeros(self.n + layout.LANES, np.int64)),
            (layout.ENDS, np.zeros(self.n + layout.LANES, np.int64)),
            (layout.ACTIVE, np.zeros(self.n + 1, np.int64)),
            (layout.OWNERS, np.zeros(3 * layout.LANES, np.int64)), (layout.SORTED, np.zeros(_FIRST_ROOM, layout.EVENT)),
            (layout.CHUNKS, np.zeros(0, layout.EVENT)), (layout.LINKS, np.zeros(0, np.int64)),
            (layout.OUTSIDE, np.zeros(0, layout.EVENT)),
        ):  # fmt: skip
            self.table.put(entry, array)
        self._put_spikes(_FIRST_ROOM)
        self.lay_slots(1)

    def _put_spikes(self, room: int) -> None:
        n = int(self.table[layout.N_SPIKES])
        for entry, dtype in ((layout.SPIKE_T, np.float64), (layout.SPIKE_I, np.int64)):
            array = np.empty(room, dtype)
            if n:
                array[:n] = self.table.array(entry)[:n]
            self.table.put(entry, array)
        self.table[layout.SPIKE_ROOM] = room

    def lay_simd_rows(self, size: int) -> None:
        """New SIMD rows, of this number."""
        self.table.put(layout.SIMD_ROWS, simd_rows(size))

    # --- events under way -----------------------------------------------------------------------------------------

    def lay_slots(self, n_slots: int) -> None:
        """Empty slots of time, of this number: no events are under way."""
        self.table.put(layout.FILLED, np.zeros(n_slots, np.int64))
        n = int(self.table[layout.N_CHUNKS])
        links = self.table.array(layout.LINKS)
        links[:] = np.arange(1, n + 1)
        links[-1:] = -1
        self.table[[layout.FREE, layout.N_FREE]] = 0 if n else -1, n
        self.table.put(
            layout.TAILS, np.full(n_slots, -1, np.int64)
        )  # last: from its size `prepare` concludes that all is done

    @property
    def expects(self) -> bool:
        """Whether events are, or may be, under way."""
        return bool(self.table[layout.N_CHUNKS] or self.table[layout.N_OUTSIDE])

    def prepare(self, n_slots: int) -> None:
        """Have this number of slots of time."""
        if self.table.array(layout.TAILS).size != n_slots:
            self.lay_slots(n_slots)

    def under_way(self) -> Array:
        """The events that have not arrived, EVENT (n,), by slot, and in each in the order in which they were put in."""
        chunks, links = self.table.array(layout.CHUNKS), self.table.array(layout.LINKS)
        pieces = [chunks[:0]]
        if not self.table[layout.N_CHUNKS]:
            return pieces[0]
        for chunk, count in zip(self.table.array(layout.TAILS), self.table.array(layout.FILLED), strict=True):
            chain = []
            while chunk >= 0:
                chain.append(chunks[chunk * layout.CHUNK : chunk * layout.CHUNK + count])
                chunk, count = links[chunk], layout.CHUNK
            pieces += chain[::-1]
        return np.concatenate(pieces)

    def put_under_way(self, events: Array, per_ms: float) -> None:
        """Put events, EVENT (n,), into the slots of their times."""
        if not events.size:  # as at the start of every network, which need not compile what puts them
            return
        from izhnumba._exact.kernels.events import put_events

        self._reserve_for(events, per_ms)
        put_events(self.table.numbers, events, per_ms, self.table.array(layout.TAILS).size)

    def _reserve_for(self, events: Array, per_ms: float) -> None:
        counts = np.bincount((events["t"] * per_ms).astype(np.int64) % self.table.array(layout.TAILS).size)
        self.reserve(int(np.sum(counts // layout.CHUNK)) + int(np.count_nonzero(counts)))

    def set_outside(self, events: Array, per_ms: float) -> None:
        """Set the events from outside of the next call. Their targets are neurons of the population."""
        if events.size:
            events["target"] -= self.first
            self._reserve_for(events, per_ms)
            self.table.put(layout.OUTSIDE, events)
        self.table[layout.N_OUTSIDE] = events.size

    def reserve(self, wanted: int) -> None:
        """Have at least this number of free chunks."""
        free, n = int(self.table[layout.N_FREE]), int(self.table[layout.N_CHUNKS])
        if free >= wanted:
            return
        more = max(wanted - free, n, 8)
        checks.fits("Network.run", (n + more) * layout.CHUNK * layout.EVENT.itemsize, "Fewer spikes must be under way.")
        chunks, links = np.zeros((n + more) * layout.CHUNK, layout.EVENT), np.empty(n + more, np.int64)
        for room, entry, used in ((chunks, layout.CHUNKS, n * layout.CHUNK), (links, layout.LINKS, n)):
            room[:used] = self.table.array(entry)[:used]  # an interrupt may have left more room than is counted
        links[n:] = np.arange(n + 1, n + more + 1)
        links[-1] = self.table[layout.FREE]
        self.table.put(layout.CHUNKS, chunks)
        self.table.put(layout.LINKS, links)
        self.table[[layout.FREE, layout.N_FREE, layout.N_CHUNKS]] = n, free + more, n + more

    def grow(self) -> None:
        """Make the room that kernels lacked."""
        table = self.table
        if table[layout.SPIKE_ROOM] - table[layout.N_SPIKES] < layout.MOST_SPIKES:
            self._put_spikes(2 * int(table[layout.SPIKE_ROOM]))
        if table[layout.WANTED_SORTED] > table[layout.SORTED_ROOM]:
            events = np.zeros(2 * table[layout.WANTED_SORTED], layout.EVENT)
            self.table.put(layout.SORTED, events)
            table[layout.SORTED_ROOM] = events.size  # last: Ctrl-C may strike in between
        self.reserve(int(table[layout.WANTED_CHUNKS]))
        table[[layout.WANTED_SORTED, layout.WANTED_CHUNKS]] = 0

    # --- spikes ---------------------------------------------------------------------------------------------------

    def spikes(self, now: float) -> tuple[Array, Array]:
        """Neurons, int64, and times (ms) of the spikes of the last call, up to `now`: not those of a slice that has not
        ended."""
        n = int(self.table[layout.N_SPIKES])
        i, when = self.table.array(layout.SPIKE_I)[:n], self.table.array(layout.SPIKE_T)[:n]
        return i[when <= now], when[when <= now]

    def failure(self) -> Failure | None:
        """The neuron that ran away, or None."""
        if not self.table[layout.FAILED]:
            return None
        t = float(self.table[layout.FAILED_TIME : layout.FAILED_TIME + 1].view(np.float64)[0])
        neuron = int(self.table[layout.FAILED_NEURON])
        return Failure(
            t, neuron, f"neuron {neuron} runs away at t = {t:.6g} ms: it fires without end, takes ever smaller steps, "
            "or V or u is not finite. There is no solution beyond.", "other parameters or input",
        )  # fmt: skip

    def clear(self) -> None:
        """Back to the start: no events, no spikes, no failure."""
        self.lay_slots(self.table.array(layout.TAILS).size)
        self.table[[layout.N_SPIKES, layout.DELIVERED, layout.FAILED, layout.GATHERED, layout.N_OUTSIDE]] = 0
        for entry in (layout.CURSORS, layout.ENDS):
            self.table.array(entry)[:] = 0
