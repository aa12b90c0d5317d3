"""Tables of synapses that share a weight, for `kernels.shared`."""

from __future__ import annotations

from izhnumba._clock.kernels import layout
from izhnumba._engine.projection import Projection
from izhnumba._engine.table import Table


def shared_table(one: Projection) -> Table:
    """The table of a projection whose synapses share a weight."""
    state, table = one.shared, Table(layout.SHARED_SIZE)
    table.put_table(layout.SHARED_SOURCE, one.source.table)
    table.put_table(layout.SHARED_TARGET, one.target.table)
    table[[layout.SHARED_DELAY, layout.SHARED_HOLES]] = state.delay, not state.apart
    table.put_all({
        layout.SHARED_SOURCES: state.sources, layout.SHARED_TARGETS: state.targets,
        layout.SHARED_WEIGHT: one.rows.weights, layout.SHARED_RING: one.receptor.ring,
        layout.SHARED_AT_ONCE: one.receptor.at_once, layout.SHARED_COUNTS: state.counts,
        layout.SHARED_SUMS: state.sums, layout.SHARED_SENT: state.sent,
    })  # fmt: skip
    return table
