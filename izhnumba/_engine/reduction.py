"""States of neurons that kernels reduce while they run: sums over groups of neurons, or counts above levels.

Sums are made in an order that depends on the group alone, not on threads, slices or the machine's vectors. The neurons
of a group ascend, and are taken in parts: those that lie in one block of 2048 flat indices. In a part there are 64
sums, of every 64th neuron, which are then folded: the upper half is added onto the lower, until one is left. The sums
of the parts of a group are added up, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.kernels import layout
from izhnumba._engine.table import Table

Array = NDArray[Any]
Form = Literal["sum", "magnitude", "count"]


class Reduction:
    """Sums, sums of magnitudes, or counts, of a state over groups of neurons.

    Parameters
    ----------
    form : "sum", "magnitude" or "count"
    groups : sequence of int64 arrays
        Flat indices of the neurons of each, ascending, each once; at least one.
    n : int
        Neurons of the population.
    dtype : float32 or float64
        Of the state.
    levels : ndarray of float64 (k,)
        For counts: of the neurons whose state is not below each.
    """

    def __init__(self, form: Form, groups: Sequence[Array], n: int, dtype: np.dtype[Any], levels: Array) -> None:
        self._form, self._dtype, self._table = form, dtype, Table(layout.TABLE_SIZE)
        group = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
        neurons = np.concatenate(groups)
        order = np.argsort(neurons // layout.BLOCK * len(groups) + group, kind="stable")
        neurons, group = neurons[order], group[order]
        block = neurons // layout.BLOCK
        first = np.flatnonzero(np.append(True, (np.diff(group) != 0) | (np.diff(block) != 0)))
        size = np.diff(np.append(first, neurons.size))
        parts = np.zeros((first.size, layout.PART_SIZE), np.int64)
        parts[:, layout.PART_FIRST], parts[:, layout.PART_N] = first, size
        parts[:, layout.PART_NEIGHBOURS] = neurons[first + size - 1] - neurons[first] == size - 1
        parts[np.lexsort((block[first], group[first])), layout.PART_CELL] = np.arange(first.size)
        self._parts_of = np.bincount(group[first], minlength=len(groups))
        n_blocks = -(-n // layout.BLOCK)
        starts = np.searchsorted(block[first], np.arange(n_blocks + 1)).astype(np.int64)
        self.neurons = np.flatnonzero(np.bincount(neurons, minlength=n))
        self.shape = first.size, levels.size if form == "count" else 1
        self._table.put_all(
            {layout.NEURONS: neurons, layout.STARTS: starts, layout.PARTS: parts, layout.LEVELS: levels.astype(dtype)}
        )
        self._table[[layout.N_BLOCKS, layout.N_LEVELS, layout.N_CELLS]] = n_blocks, levels.size, first.size

    @property
    def row_bytes(self) -> int:
        """Of the results of a sample."""
        return 8 * self.shape[0] * self.shape[1]

    def results(self, n_rows: int) -> Array:
        """An array for those of so many samples."""
        return np.empty((n_rows, *self.shape), np.int64 if self._form == "count" else np.float64)

    def bind(self, source: Array, results: Array) -> Table:
        """Read the state from `source`, and write to `results`. Returns the table."""
        from izhnumba._engine.kernels.reduction import reducer

        self._table.put_all({layout.SOURCE: source, layout.RESULTS: results})
        self._table[layout.KERNEL] = reducer(self._dtype.name, self._form)
        return self._table

    def added_up(self, results: Array) -> Array:
        """The results of the groups, (rows, groups, levels or 1), from those of their parts."""
        ends = np.cumsum(self._parts_of)
        starts = ends - self._parts_of
        if len(ends) < self._parts_of.max():  # in order in both: cumsum adds one after the other
            sums = [results[:, a:b].cumsum(axis=1)[:, -1] for a, b in zip(starts, ends, strict=True)]
            return np.stack(sums, axis=1)
        total = results[:, starts]
        for part in range(1, int(self._parts_of.max())):
            more = self._parts_of > part
            total[:, more] += results[:, starts[more] + part]
        return total
