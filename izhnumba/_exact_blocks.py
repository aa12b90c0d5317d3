"""Blocks: runs of neurons that one thread of the exact engine owns, with room for what is under way to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks
from izhnumba._kernels import exact_table as t

Array = NDArray[Any]
_WORD, _MOST = 64, 8  # as the targets of synapses are cut in parts
_FIRST_ROOM = 64  # spikes and sorted events for which there is room at first
_LANES = 8


def bounds(n: int) -> list[tuple[int, int]]:
    """The neurons of each block. How many blocks there are depends on nothing else."""
    words = -(-n // _WORD)
    parts = _MOST if words >= _MOST else 1
    edges = [min(n, _WORD * -(-part * words // parts)) for part in range(parts + 1)]
    return list(zip(edges, edges[1:], strict=False))


class Block:
    """The table of a block and the arrays it points at."""

    def __init__(self, table: Array, first: int, last: int, bench_size: int) -> None:
        self.table, self.n = table, last - first
        self._kept: dict[int, Array] = {}
        self.table[[t.FIRST, t.N_CELLS]] = first, self.n
        for entry in (t.CURSORS, t.ENDS):
            self._put(entry, np.zeros(self.n, np.int64))
        self._put(t.OWNERS, np.zeros(_LANES, np.int64))
        self.lay_bench(bench_size)
        self._put(t.SORTED, np.zeros(_FIRST_ROOM, t.EVENT))
        self._put_spikes(_FIRST_ROOM)
        self.table[t.SORTED_ROOM] = _FIRST_ROOM
        self._put(t.CHUNKS, np.zeros(0, t.EVENT))
        self._put(t.LINKS, np.zeros(0, np.int64))
        self.lay_slots(1)

    def _put(self, entry: int, array: Array) -> None:
        self._kept[entry] = array
        self.table[entry] = array.ctypes.data

    def _put_spikes(self, room: int) -> None:
        n = int(self.table[t.N_SPIKES])
        for entry, dtype in ((t.SPIKE_T, np.float64), (t.SPIKE_I, np.int64)):
            array = np.empty(room, dtype)
            if n:
                array[:n] = self._kept[entry][:n]
            self._put(entry, array)
        self.table[t.SPIKE_ROOM] = room

    def lay_bench(self, size: int) -> None:
        """Make room for eight neurons side by side."""
        self._put(t.BENCH, np.zeros(size * _LANES + _LANES)[-size * _LANES :])

    # --- events under way -----------------------------------------------------------------------------------------

    def lay_slots(self, n_slots: int) -> None:
        """Start with empty slots of time; nothing is under way then."""
        self._put(t.TAILS, np.full(n_slots, -1, np.int64))
        self._put(t.FILLED, np.zeros(n_slots, np.int64))
        n = int(self.table[t.N_CHUNKS])
        links = self._kept[t.LINKS]
        links[:] = np.arange(1, n + 1)
        links[-1:] = -1
        self.table[[t.FREE, t.N_FREE]] = 0 if n else -1, n

    def prepare(self, n_slots: int) -> None:
        """Make slots of time, once."""
        if self._kept[t.TAILS].size != n_slots:
            self.lay_slots(n_slots)

    def under_way(self) -> Array:
        """The events that have not arrived, by slot and from first to last put in."""
        chunks, links = self._kept[t.CHUNKS], self._kept[t.LINKS]
        pieces = [chunks[:0]]
        for chunk, count in zip(self._kept[t.TAILS], self._kept[t.FILLED], strict=True):
            chain = []
            while chunk >= 0:
                chain.append(chunks[chunk * t.CHUNK : chunk * t.CHUNK + count])
                chunk, count = links[chunk], t.CHUNK
            pieces += chain[::-1]
        return np.concatenate(pieces)

    def put_under_way(self, events: Array, width: float) -> None:
        """Put events into the slots of their times."""
        n_slots = self._kept[t.TAILS].size
        slots = (events["t"] / width).astype(np.int64) % n_slots
        events = events[np.argsort(slots, kind="stable")]
        counts = np.bincount(slots, minlength=n_slots)
        self.reserve(int(np.sum(-(-counts // t.CHUNK))) + int(np.count_nonzero(counts)))
        _append_all(self, np.sort(slots), events)

    def reserve(self, wanted: int) -> None:
        """Make room for so many more chunks of events."""
        free, n = int(self.table[t.N_FREE]), int(self.table[t.N_CHUNKS])
        if free >= wanted:
            return
        more = max(wanted - free, n, 8)
        _checks.fits("Network.run", (n + more) * t.CHUNK * t.EVENT.itemsize, "Fewer spikes must be under way.")
        chunks, links = np.zeros((n + more) * t.CHUNK, t.EVENT), np.empty(n + more, np.int64)
        chunks[: n * t.CHUNK], links[:n] = self._kept[t.CHUNKS], self._kept[t.LINKS]
        links[n:] = np.arange(n + 1, n + more + 1)
        links[-1] = self.table[t.FREE]
        self._put(t.CHUNKS, chunks)
        self._put(t.LINKS, links)
        self.table[[t.FREE, t.N_FREE, t.N_CHUNKS]] = n, free + more, n + more

    def grow(self) -> None:
        """Give a kernel what it has found wanting."""
        table = self.table
        if table[t.SPIKE_ROOM] - table[t.N_SPIKES] < t.MOST_SPIKES:
            self._put_spikes(2 * int(table[t.SPIKE_ROOM]))
        if table[t.WANTED_SORTED] > table[t.SORTED_ROOM]:
            table[t.SORTED_ROOM] = 2 * table[t.WANTED_SORTED]
            self._put(t.SORTED, np.zeros(table[t.SORTED_ROOM], t.EVENT))
        self.reserve(int(table[t.WANTED_CHUNKS]))
        table[[t.WANTED_SORTED, t.WANTED_CHUNKS]] = 0

    # --- spikes ---------------------------------------------------------------------------------------------------

    def take_spikes(self) -> tuple[Array, Array]:
        """Neurons and times of the spikes since the last time."""
        n = int(self.table[t.N_SPIKES])
        self.table[[t.N_SPIKES, t.DELIVERED]] = 0
        return self._kept[t.SPIKE_I][:n].copy(), self._kept[t.SPIKE_T][:n].copy()


def _append_all(block: Block, slots: Array, events: Array) -> None:
    from izhnumba._kernels.queue import append_all

    append_all(block.table, slots, events)
