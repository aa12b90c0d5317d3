"""Spike sources of the exact engine: a block without neurons, in which spikes come at given times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.codes import OK
from izhnumba._engine.table import Table
from izhnumba._exact.blocks import blocks_of
from izhnumba._exact.kernels import layout
from izhnumba._exact.network import ExactNetwork

Array = NDArray[Any]


class ExactSource:
    """n cells that spike at given times, and are nothing else. See `SourceEngine`."""

    def __init__(self, n: int, clock: ExactNetwork) -> None:
        self.n, self.time, self._clock, self.dtype = n, clock.time, clock, np.dtype(np.float64)
        self.table, self.blocks = Table(layout.SOURCE_SIZE), blocks_of([(0, 0)])
        self.table[layout.N] = n
        self.table.put(layout.BLOCKS, self.blocks[0].rows, self.blocks, also={layout.N_BLOCKS: 1})
        self._before = np.zeros(n, np.bool_)  # `spikes` before the first advance

    @property
    def now(self) -> float:
        return self._clock.now

    reliable = now

    @property
    def fired(self) -> bool:
        """Whether there are spikes in the last call, perhaps later than now."""
        return bool(self.blocks[0].table[layout.N_SPIKES])

    @property
    def spikes(self) -> Array:
        """Whether each cell spiked in the latest advance, bool (n,)."""
        spikes = self._before.copy()
        spikes[self.blocks[0].spikes(self.now)[0]] = True
        return spikes

    def spike_list(self, since: float) -> tuple[Array, Array]:
        """Cells, int64, and times (ms) of the spikes of the last advance, in order of time and cell."""
        i, when = self.blocks[0].spikes(self.now)
        return i.copy(), when.copy()

    def come(self, times: Array, cells: Array) -> None:
        """Let these spikes, in order of time, be those that come next, and no others."""
        self._before = np.zeros(self.n, np.bool_)
        coming = np.concatenate([times, cells.astype(np.float64)])
        self.table.put(layout.COMING, coming, also={layout.N_COMING: times.size, layout.SENT: 0})

    def bind(self) -> None:
        """Compile the kernel, and write its address to the table."""
        from izhnumba._exact.kernels.source import send_coming

        self.table[layout.ADVANCE] = send_coming()

    def publish_state(self) -> int:
        """No-op: there is no V. Required by `SpikingEngine`."""
        return OK

    def rewind(self) -> None:
        """Back to time 0, without spikes."""
        self.blocks[0].clear()
        self.come(np.empty(0), np.empty(0, np.int64))

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from."""
        self._clock.finish_slice()
        return {"spikes": self.spikes}

    def restore(self, state: dict[str, Any], now: float) -> None:
        """Go on from a state at time `now`, ms, that of the network."""
        self._before[:] = state["spikes"]
