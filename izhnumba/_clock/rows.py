"""Rows of inputs in a table, from step to step of a slice."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from izhnumba._clock.kernels import layout
from izhnumba._engine.table import Table

Array = NDArray[Any]


class Moving(NamedTuple):
    """An entry of a table that points at the row of the next step of a slice. address: of the slice's first row; row:
    bytes from one to the next."""

    table: Table
    entry: int
    address: int
    row: int


def put_rows(table: Table, entry: int, rows: Array, several: bool = True) -> list[Moving]:
    """Point an input of a table at rows of shape (steps or 1, lanes or 1). several: whether one lane stands for several
    neurons. Returns the entry if it moves from step to step."""
    steps, lanes = rows.shape
    if not table.points_at(entry, rows):
        stride, shared = lanes if steps > 1 else 0, int(lanes == 1 and several)
        table.put(entry, rows, also={entry + layout.STRIDE: stride, entry + layout.SHARED: shared})
    return [Moving(table, entry, int(table[entry]), rows.strides[0])] if steps > 1 else []
