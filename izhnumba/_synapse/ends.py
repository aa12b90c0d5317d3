"""The two ends of a connection: ordered sets of neurons, as rules, tables and functions of distance see them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._synapse.positions import Positions

Array = NDArray[Any]


class Ends(NamedTuple):
    """Two ordered sets of neurons to be connected, sources and targets, each numbered from 0: their places.

    Attributes
    ----------
    n_pre, n_post : int
    pre_shape, post_shape : tuple of int
        Their n-d sizes.
    shift : int or None
        If both are runs of neurons of one population: source i is the same neuron as target i + shift.
    rows, columns : int64, shape (n_pre,) and (n_post,), or None
        Of an end that is no run of neurons: where each is in the run that covers it, from the first neuron of the end
        to the last. Synapse tables have a row for each neuron of that.
    twins : int64, shape (n_pre,), or None
        If `shift` cannot say it: the target that is the same neuron as each source, -1 if there is none.
    pre_positions, post_positions : Positions or None
    """

    n_pre: int
    n_post: int
    pre_shape: tuple[int, ...]
    post_shape: tuple[int, ...]
    shift: int | None
    rows: Array | None = None
    columns: Array | None = None
    twins: Array | None = None
    pre_positions: Positions | None = None
    post_positions: Positions | None = None

    @property
    def n_rows(self) -> int:
        """How many rows a table has for each part of the targets."""
        return self.n_pre if self.rows is None else int(self.rows.max()) + 1

    @property
    def apart(self) -> bool:
        """Whether no neuron is at both ends because they are of two populations."""
        return self.shift is None and self.twins is None

    def laid(self, pre: Array, post: Array) -> tuple[Array, Array]:
        """Rows and columns in the table of the pairs of these places."""
        return pre if self.rows is None else self.rows[pre], post if self.columns is None else self.columns[post]

    def own(self, pre: Array) -> Array:
        """The target that is the same neuron as each of these sources, int64; -1 if there is none."""
        if self.twins is not None:
            return self.twins[pre]
        post = np.full(len(pre), -1) if self.shift is None else pre + self.shift
        return np.where((post >= 0) & (post < self.n_post), post, -1)

    def same(self, pre: Array, post: Array) -> Array | bool:
        """Whether source and target are the same neuron, pair by pair."""
        if self.twins is not None:
            return np.asarray(self.twins[pre] == post)
        return False if self.shift is None else pre + self.shift == post

    def turned(self) -> Ends:
        """Targets as sources, and sources as targets."""
        back = None if self.shift is None else -self.shift
        twins = None
        if self.twins is not None:
            twins, pre = np.full(self.n_post, -1), np.flatnonzero(self.twins >= 0)
            twins[self.twins[pre]] = pre
        return Ends(
            self.n_post, self.n_pre, self.post_shape, self.pre_shape, back, self.columns, self.rows, twins,
            self.post_positions, self.pre_positions,
        )  # fmt: skip
