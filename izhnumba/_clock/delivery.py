"""Delivery to a receptor of the clock engine: the ring that its neurons read, and the spikes that wait for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._clock.kernels import layout
from izhnumba._engine.table import Table

Array = NDArray[Any]
_MOST_FETCHED = 8  # cache lines of a row that are fetched ahead
_RING, _RING_PER_SYNAPSE = 2**26, 128  # bytes that a ring over all delays may have in any case, and beside that
_CACHED = 2**23  # bytes of rows under way that the last cache may be counted on to hold, which others use, too
# Measured on a busy machine, where little of the last cache is ours: ns to come back to a row of the queue, by bytes of
# the rows under way (beyond _CACHED they are fetched further ahead); and ns to add to a random cell of a ring, by its
# bytes.
_VISIT = ((_CACHED, 20.0), (1.5 * _CACHED, 16.0), (2**25, 16.0), (2**26, 25.0))
_ADD = ((2**19, 1.0), (2**20, 1.3), (2**22, 2.1), (2**24, 5.0), (2**26, 9.0), (2**30, 13.0))


class Rows(NamedTuple):
    """Rows and synapses that reach the receptors of a population, with delays from `shortest` to `longest` steps.
    under_way: about how many bytes of them are under way, if each neuron spikes ten times a second."""

    n_rows: int
    n_synapses: int
    shortest: int
    longest: int
    under_way: float = 0.0


def window_for(rows: Rows, length: int, steps: int, row_bytes: int) -> int:
    """How many steps the rings of a population should hold, in whole slices of `length`, so that an arrival takes least
    time: to add to a long ring is slow, to come back to a row often is slow, too. 0: all that is under way, `steps`,
    unless that would be gigabytes for a few synapses.
    row_bytes: of a row of the ring."""
    n_bytes = steps * row_bytes
    best, least = 0, _between(_ADD, n_bytes) if n_bytes <= _RING + _RING_PER_SYNAPSE * rows.n_synapses else np.inf
    for slices in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64):
        window = slices * length
        if window >= steps or not rows.n_synapses:
            break
        visits = (rows.longest - rows.shortest) / window + 1.0 + (slices > 1)
        visit = _between(_VISIT, rows.under_way) * rows.n_rows / rows.n_synapses
        time = _between(_ADD, window * row_bytes) + visit * visits
        if time < least:
            best, least = window, time
    return best


def _between(measured: tuple[tuple[float, float], ...], n_bytes: float) -> float:
    """The time for so many bytes, from times for others."""
    sizes, times = zip(*measured, strict=True)
    return float(np.interp(np.log2(n_bytes + 1), np.log2(sizes), times))


class Delivery:
    """The spikes under way to one receptor: the arrivals of the next steps in a ring; those of later steps in a queue
    of rows that have not been delivered to their ends, which kernels fill, and in a backlog.

    Parameters
    ----------
    held : ndarray, shape (steps, lanes)
        All that is under way: row k % steps arrives in step k.
    window : int
        Steps that the ring is to hold, as long as a slice or several; 0: `held` is the ring, and nothing ever waits.
    now : int
        The present step.
    backlog : bool
        Whether there is anything in `held`.
    """

    def __init__(self, held: Array, window: int, now: int, backlog: bool = True) -> None:
        self.steps, self.window = len(held), window
        self.ring = np.zeros((window, held.shape[1]), held.dtype) if window else held
        self.table = Table(layout.DELIVERY_SIZE)
        self.table.put(layout.ARRIVALS, self.ring)
        self.table[[layout.WINDOWED, layout.BACKLOG_STEPS]] = window > 0, self.steps
        if window and backlog:
            self.table.put(layout.BACKLOG, held, also={layout.BACKLOG_END: now + self.steps})
        self._put_queues([np.zeros((0, layout.ENTRY_SIZE), np.int64)], now)

    def bind(self, population: Table, senders: list[Table], rows: Rows, length: int) -> None:
        """Let the spikes of these projections come into the queue. rows: of the population; length: of a slice."""
        from izhnumba._clock.kernels import network as k

        table, n_rows = self.table, sum(int(one[k.N_ROWS] * one[k.PARTS]) for one in senders)
        line = 64 // self.ring.itemsize
        in_window = rows.n_synapses * max(self.window, 1) // max((rows.longest - rows.shortest + 1) * rows.n_rows, 1)
        table.put_table(layout.POPULATION, population)
        table.put_tables(layout.SENDERS, senders)
        fetched = min(in_window // line + 2, _MOST_FETCHED) if self.window else _MOST_FETCHED
        far = self.window > 0 and rows.under_way > _CACHED
        table[[layout.N_SENDERS, layout.SHORTEST, layout.FETCHED, layout.FAR]] = (
            len(senders), rows.shortest, fetched, far,
        )  # fmt: skip
        table[layout.MOST_SENT] = n_rows * (length if self.window else 1)
        self.make_room(n_rows * (2 * length if self.window else 1))

    @property
    def queues(self) -> Table:
        """A queue for each share of the cells."""
        return self.table.table(layout.QUEUES)

    @property
    def waiting(self) -> int:
        """Rows in the queue."""
        return int(self.queues[layout.QUEUE_COUNT])

    def make_room(self, room: int) -> None:
        """Let there be room in the queues for so many rows. (Memory that nobody touches costs nothing.)"""
        for first in range(0, self.queues.numbers.size, layout.QUEUE_SIZE):
            if self.queues[first + layout.QUEUE_ROOM] < room:
                count, longer = self.queues[first + layout.QUEUE_COUNT], np.empty((room, layout.ENTRY_SIZE), np.int64)
                longer[:count] = self.queues.array(first + layout.QUEUE_ENTRIES)[:count]
                self.queues.put(first + layout.QUEUE_ENTRIES, longer, also={first + layout.QUEUE_ROOM: room})

    def grow(self) -> None:
        """Make queues twice as long, if there may be rows that wait."""
        if self.window:
            room, shares = 2 * int(self.queues[layout.QUEUE_ROOM]), int(self.table[layout.SHARES])
            n_bytes = room * shares * layout.ENTRY_SIZE * 8
            checks.fits("Network.connect.delay", n_bytes, "Use shorter delays, or fewer spikes.", "rows under way")
            self.make_room(room)

    def share(self, n: int) -> None:
        """Let n threads share the cells of the window. A row may be anywhere before what is next of it: so the queues
        of all are those of the first."""
        if self.window and n * layout.QUEUE_SIZE != self.queues.numbers.size:
            entries = self.queues.array(layout.QUEUE_ENTRIES)
            copies = [entries, *(_copy(entries, self.waiting) for _ in range(1, n))]
            self._put_queues(copies, int(self.queues[layout.OPENED]), self.waiting)

    def _put_queues(self, entries: list[Array], opened: int, count: int = 0) -> None:
        queues = Table(len(entries) * layout.QUEUE_SIZE)
        for first, array in zip(range(0, queues.numbers.size, layout.QUEUE_SIZE), entries, strict=True):
            queues.put(first + layout.QUEUE_ENTRIES, array)
            places = [first + k for k in (layout.QUEUE_ROOM, layout.QUEUE_COUNT, layout.OPENED)]
            queues[places] = len(array), count, opened
        self.table.put(layout.QUEUES, queues.numbers, queues, also={layout.SHARES: len(entries)})

    def settle(self, *, now: bool = True) -> None:
        """Empty the queue into the backlog at the end of each call from now on. now: also at once, which must not be
        while a call runs."""
        if self.window:
            if not self.table[layout.BACKLOG]:
                n_bytes = self.steps * self.ring.shape[1] * self.ring.itemsize
                checks.fits("Synapses.weight", n_bytes, "Use shorter delays, or float32.", "spikes under way")
                self.table.put(layout.BACKLOG, np.zeros((self.steps, self.ring.shape[1]), self.ring.dtype))
            if now and self.waiting:
                self._settle(self.table)
            self.table[layout.SETTLES] = 1

    def _settle(self, table: Table) -> None:
        from izhnumba._clock.kernels.delivery import deliver
        from izhnumba._numba.intrinsics import entry_at

        entry_at(deliver(self.ring.dtype.name))(table.address, 0, layout.SETTLE)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way."""
        return not (self.waiting or self.table[layout.BACKLOG_END] or self.ring.any())

    def held(self, now: int) -> Array:
        """All that is under way at step `now`: row k % steps arrives in step k. Not always a copy."""
        if not self.window:
            return self.ring
        held, opened = np.zeros((self.steps, self.ring.shape[1]), self.ring.dtype), int(self.queues[layout.OPENED])
        if self.table[layout.BACKLOG_END]:
            held[...] = self.table.array(layout.BACKLOG)
        for step in range(now, opened):
            held[step % self.steps] = self.ring[step % self.window]
        if self.waiting:
            table, queues = Table(self.table.numbers.copy()), self.queues.numbers.copy()
            table.put(layout.QUEUES, queues, also={layout.SHARES: 1})
            table.put(layout.BACKLOG, held)
            self._settle(table)
        return held

    def clear(self) -> None:
        """Back to step 0: nothing is under way."""
        self.ring[...] = 0
        if self.table[layout.BACKLOG]:
            self.table.array(layout.BACKLOG)[...] = 0
        self.table[layout.BACKLOG_END] = 0
        for first in range(0, self.queues.numbers.size, layout.QUEUE_SIZE):
            self.queues[[first + layout.QUEUE_COUNT, first + layout.OPENED]] = 0


def _copy(entries: Array, count: int) -> Array:
    """A queue as long as this one, with its first `count` entries."""
    other = np.empty_like(entries)
    other[:count] = entries[:count]
    return other


def resized(ring: Array, steps: int, now: int) -> Array:
    """A ring of so many steps with what is in this one, at step `now`."""
    before = len(ring)
    if steps == before:
        return ring
    slots, other = now + np.arange(min(before, steps)), np.zeros((steps, ring.shape[1]), ring.dtype)
    other[slots % steps] = ring[slots % before]
    return other
