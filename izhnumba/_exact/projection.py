"""Projections of the exact engine: the table by which its kernels turn a spike into events at other neurons."""

from __future__ import annotations

from typing import Any

import numpy as np

from izhnumba._engine.projection import Projection
from izhnumba._engine.table import Table
from izhnumba._exact.kernels import layout


def bind(one: Projection, key: int) -> Table:
    """The table of a projection. key: of the events of its first synapse, in the next synapse the next one."""
    rows, table = one.rows, Table(layout.PROJECTION_SIZE)
    target: Any = one.target
    assert rows.offsets is not None
    assert rows.times is not None
    table.put_table(layout.SOURCE, one.source.table)
    table.put_table(layout.TARGET, target.table)
    table[[layout.FIRST_ROW, layout.N_ROWS, layout.PARTS, layout.KEY]] = (
        one.first_source,
        one.n_sources,
        rows.parts,
        key,
    )
    table[[layout.INLET, layout.RULE]] = target.receptors.index(one.receptor), -1
    table.put_all(
        {
            layout.STARTS: rows.starts,
            layout.TARGETS: rows.offsets,
            layout.DELAYS: rows.times,
            layout.WEIGHTS: rows.weights,
        }
    )
    table.put(layout.DONE, np.full(rows.parts, -1, np.int64))
    if one.plastic is not None:
        table[layout.RULE] = target.add_rule(one.plastic.bind(table, target.now), table)
    return table
