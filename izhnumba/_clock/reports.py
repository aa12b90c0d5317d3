"""What kernels tell of a call: the REPORT of a population, block by block, and lists of its spikes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._clock.kernels import layout
from izhnumba._engine.protocol import SpikeList
from izhnumba._engine.table import Table

Array = NDArray[Any]


class Failed(NamedTuple):
    """The first step after which V or u of a neuron was not finite: of how many neurons, of which first, and which of
    both."""

    step: int
    n_failed: int
    neuron: int
    name: str


class Reports:
    """The reports of so many blocks. numbers: int64, (blocks * REPORT_SIZE,)."""

    def __init__(self, n_blocks: int) -> None:
        self.numbers: Array = np.zeros(layout.REPORT_SIZE * n_blocks, np.int64)
        self._single = n_blocks == 1

    def clear(self) -> None:
        """Before a call."""
        self.numbers.fill(0)

    def any(self, entry: int) -> bool:
        """Whether an entry is not 0 for a block."""
        if self._single:  # the short way
            return self.numbers.item(entry) != 0
        return bool(self.numbers[entry :: layout.REPORT_SIZE].any())

    @property
    def n_spikes(self) -> int:
        """How many spikes there were."""
        if self._single:
            return self.numbers.item(layout.N_SPIKES)
        return sum(self.numbers[layout.N_SPIKES :: layout.REPORT_SIZE].tolist())

    def failed(self) -> Failed | None:
        """The first failure, None if there was none."""
        if not self.any(layout.FAILED_COUNT):
            return None
        rows = self.numbers.reshape(-1, layout.REPORT_SIZE)
        step = int(rows[rows[:, layout.FAILED_COUNT] > 0, layout.FAILED_STEP].min())
        blocks = np.flatnonzero((rows[:, layout.FAILED_COUNT] > 0) & (rows[:, layout.FAILED_STEP] == step))
        first, count = rows[blocks[0]], int(rows[blocks, layout.FAILED_COUNT].sum())
        neuron = int(blocks[0]) * layout.BLOCK + int(first[layout.FAILED_LANE])
        return Failed(step, count, neuron, "V" if first[layout.FAILED_V] else "u")


def table_of(listed: SpikeList) -> Table:
    """The table of a list of spikes, for kernels."""
    engine, table = listed.engine, Table(layout.LIST_SIZE)
    table.put_table(layout.LIST_POPULATION, engine.table)
    table[[layout.LIST_FIRST, layout.LIST_LAST, layout.LIST_EVERY]] = listed.first, listed.last, listed.every
    table.put(layout.LIST_COUNTS, listed.counts)
    for entry, column in zip((layout.LIST_ROWS, layout.LIST_MORE), listed.columns, strict=True):
        table.put(entry, column)
    return table
