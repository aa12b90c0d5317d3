"""Spike sources of the clock engine: what is listed for the steps of a slice becomes a raster, as neurons have one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.partition import WORD, words
from izhnumba._clock.kernels import layout
from izhnumba._clock.network import ClockNetwork
from izhnumba._clock.reports import Reports
from izhnumba._engine.codes import OK
from izhnumba._engine.table import Table, address_of
from izhnumba._input.target import Spikes

Array = NDArray[Any]


class Lists(NamedTuple):
    """Spikes of the steps from `first` on: those of a step begin at starts[k], int64 (steps + 1,), among the cells,
    uint32 (spikes,), of which counts[k], int64 (steps,), have been sent."""

    first: int
    starts: Array
    counts: Array
    cells: Array

    def sent(self, since: int, until: int) -> tuple[Array, Array]:
        """Cells and steps, int64, of those sent in the steps from `since` on, before `until`."""
        steps = np.arange(since, until)
        starts, counts = self.starts[steps - self.first], self.counts[steps - self.first]
        places = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        return self.cells[places].astype(np.int64), np.repeat(steps, counts)

    def put_in_order(self, since: int, until: int, words: int) -> None:
        """Let those of each of these steps be in order. words: of a bit for each cell."""
        from izhnumba._clock.kernels.source import put_in_order

        of, scratch = slice(since - self.first, until - self.first), np.zeros(words + layout.RASTER_SLACK, np.uint64)
        put_in_order(self.cells, self.starts[of], self.counts[of], address_of(scratch), words)


class ClockSource:
    """n cells that spike as lists say, and are nothing else. See `SourceEngine`.

    Its raster holds the steps between two deliveries only, and stays in the cache, and of it only the words with spikes
    are written: to clear that of a whole call would take most of the time of a source. So recorders read the lists.
    """

    n_blocks = 1

    def __init__(self, n: int, clock: ClockNetwork) -> None:
        self.n, self.time, self.dtype = n, clock.time, np.dtype(np.float32)  # of the weights in lists
        self._clock, self.padded = clock, words(n) * WORD
        self.table, self._reports = Table(layout.SOURCE_SIZE), Reports(-(-self.padded // layout.BLOCK))
        self.table.put(layout.REPORT, self._reports.numbers)
        self.table[[layout.N, layout.PADDED]] = n, self.padded
        self._rows = np.zeros(0, np.uint64)
        self._lists = self._earlier = _latest(0, np.zeros(n, np.bool_))  # `_earlier`: those before

    @property
    def now(self) -> int:
        """Steps done since the last reset."""
        return self.table.numbers.item(layout.STEP)

    reliable = now

    @property
    def fired(self) -> bool:
        """Whether there are spikes in the last call."""
        return self._reports.any(layout.N_SPIKES)

    @property
    def spikes(self) -> Array:
        """Whether each cell spiked in the latest step, bool (n,)."""
        spikes, now = np.zeros(self.n, np.bool_), self.now
        lists = self._lists if self._lists.first < now else self._earlier
        spikes[lists.sent(now - 1, now)[0]] = True
        return spikes

    def spike_list(self, since: int) -> tuple[Array, Array]:
        """Cells and steps, int64, of the spikes since step `since`, in order; all are in the last call."""
        since, now = max(since, int(self.table[layout.BEGAN]), self._lists.first), self.now
        self._lists.put_in_order(since, now, self.padded // WORD)  # here, as it takes time
        return self._lists.sent(since, now)

    def prepare_slice(self, until: int, listed: tuple[int, Spikes], threads: int) -> int:
        """Make ready for a slice from now to `until`. listed: a step, and the spikes from it on. Returns the address of
        the kernel `send_listed(table, start, stop)`."""
        from izhnumba._clock.kernels.source import send_listed

        n_words = self._clock.slice * (self.padded // WORD) + layout.RASTER_SLACK
        if self._rows.size < n_words:
            self._rows = self.table.put(layout.SENT_ROWS, np.zeros(n_words, np.uint64))
            self.table.put(layout.SENT_FILLED, np.empty(n_words, np.uint32))
            self.table[layout.N_FILLED] = 0
        first, (starts, cells, weights) = listed
        if starts is not self._lists.starts:  # else it is made ready again for the rest
            lists = Lists(first, starts, np.zeros(starts.size - 1, np.int64), cells)
            self._earlier, self._lists = self._lists, lists
            self.table.put(layout.SENT_STARTS, starts, (lists, weights), {
                layout.SENT_FROM: first, layout.SENT_COUNTS: address_of(lists.counts),
                layout.SENT_CELLS: address_of(cells), layout.SENT_WEIGHTS: address_of(weights),
            })  # fmt: skip
        return send_listed()

    def publish_state(self) -> int:
        """No-op: there is no V. Required by `SpikingEngine`."""
        return OK

    def rewind(self) -> None:
        """Back to step 0, without spikes."""
        self._reports.clear()
        self.restore({"spikes": np.zeros(self.n, np.bool_)}, 0)

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from."""
        return {"spikes": self.spikes}

    def restore(self, state: dict[str, Any], now: int) -> None:
        """Go on from a state at step `now`."""
        self._lists = self._earlier = _latest(now, state["spikes"])
        self.table[[layout.STEP, layout.BEGAN]] = now


def _latest(now: int, spikes: Array) -> Lists:
    """Lists of the step before `now` alone. spikes: bool (n,)."""
    cells = np.flatnonzero(spikes).astype(np.uint32)
    return Lists(now - 1, np.array([0, cells.size]), np.array([cells.size]), cells)
