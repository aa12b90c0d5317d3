"""Projections of the exact engine: the table by which its kernels turn a spike into events at other neurons."""

from __future__ import annotations

from typing import Any

import numpy as np

from izhnumba._engine.projection import Projection
from izhnumba._engine.table import Table, address_of
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
        _put_released(table, one)
    return table


def _put_released(table: Table, one: Projection) -> None:
    """Put down by whose spikes the modulator grows."""
    if not one.released:
        return
    from izhnumba._exact.kernels.modulation import modulate

    rows, amounts = list[list[int]](), [np.array([released.amount]) for released in one.released]
    for released, amount in zip(one.released, amounts, strict=True):
        engine: Any = released.by
        members = address_of(released.members)
        stop = released.first + released.members.size
        rows.append([engine.table.address, released.first, stop, members, address_of(amount)])
    table.put(layout.RELEASES, np.array(rows, np.int64).reshape(-1), (one.released, amounts))
    table[[layout.N_RELEASES, layout.MODULATE]] = len(rows), modulate()
