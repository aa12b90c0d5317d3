"""Projections of the clock engine: the table and the kernels by which spikes get from population to population."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from izhnumba._clock.delivery import Delivery, Rows
from izhnumba._engine.projection import Projection
from izhnumba._engine.table import Table


def is_gap(one: Projection) -> bool:
    """Whether it is one of gap junctions, which couple neurons before each step and deliver no spikes."""
    return bool(one.receptor.definition.adds_to == "coupling")


def stepwise(one: Projection) -> bool:
    """Whether they are plastic synapses, or such whose receptor has states of sources: kernels of their own deliver
    what arrives in a step."""
    return one.plastic is not None or one.release is not None


class Delays(NamedTuple):
    """The shortest and the longest delay of a projection, steps; 0 without synapses. at_once: whether some are 0. The
    shortest is 1 then, and of gap junctions and others whose kernels run in each step."""

    shortest: int
    longest: int
    at_once: bool


def delays(one: Projection) -> Delays:
    """Those of a projection."""
    shortest, longest = one.delays
    at_once = shortest == 0 and one.rows.weights.size > 0 and not is_gap(one)
    return Delays(1 if at_once or stepwise(one) or is_gap(one) else shortest, longest, at_once)


def rows_of(some: list[Projection], dt: float) -> Rows:
    """The rows of projections to one population. dt: ms."""
    found = [(*delays(one)[:2], one.n_sources, one.rows.weights.size) for one in some if one.rows.weights.size]
    firsts, lasts, rows, synapses = zip(*found, strict=True) if found else ((1,), (1,), (0,), (0,))
    n_bytes = sum(4 * one.rows.weights.size + one.rows.weights.nbytes for one in some)
    return Rows(sum(rows), sum(synapses), min(firsts), max(lasts), n_bytes * min(1.0, max(lasts) * dt / 100.0))


def bind_stepwise(one: Projection) -> Iterator[tuple[tuple[int, int, int], Table]]:
    """Addresses of the kernels of such synapses, before each step, after it and, if there are delays of 0, before that
    (0: none), and the table they take. Where strengths of sources arrive, what a plastic rule delivers goes nowhere."""
    from izhnumba._clock.kernels import network as k

    if one.release is not None:
        table = table_of(one)
        arrive, emit = one.release.bind(table)
        yield (arrive, 0, emit), table  # by the weights that plastic synapses have before the arrival
    if one.plastic is not None:
        table = table_of(one)
        if one.release is not None:
            nowhere = {k.RING: np.zeros_like(one.receptor.ring), k.AT_ONCE: np.zeros_like(one.receptor.at_once)}
            table.put_all(nowhere)
        yield one.plastic.bind(table), table


def watches(one: Projection) -> bool:
    """Whether its rule sees states of the targets."""
    return one.plastic is not None and one.plastic.watched is not None


def bind_released(one: Projection) -> Iterator[tuple[int, Table]]:
    """The kernel by which spikes release the modulator of plastic synapses, for each population that does, and its
    table."""
    from izhnumba._clock.kernels import modulation as k

    for released in one.released:
        table, dtype = Table(k.TABLE_SIZE), one.plastic.modulator.dtype
        table.put_table(k.BY, released.by.table)
        table[[k.FIRST, k.LAST]] = released.first, released.first + released.members.size
        table.put_all({k.MEMBERS: released.members, k.AMOUNT: np.array([released.amount], dtype)})
        table.put(k.ADDS_TO, one.plastic.modulator)
        yield k.modulate(dtype.name), table


def couple(one: Projection) -> tuple[int, Table]:
    """The address of the kernel `couple` of gap junctions (`kernels.gap`), and its table."""
    from izhnumba._clock.kernels import gap
    from izhnumba._clock.kernels import network as k

    source: Any = one.source
    table = table_of(one)
    table.put_all({k.RING: one.receptor.y, gap.SUM_V: one.receptor.x})
    return gap.couple(source.model, source.dtype.name, source.parameters.varies), table


def let_arrive(one: Projection) -> None:
    """Put what is under way through such synapses that have been removed into the ring of their receptor."""
    under_way = one.shared or one.release or (one.plastic and one.plastic.under_way)
    if under_way is None or under_way.over:
        return
    engine: Any = one.target
    laid, before = engine.arrivals.laid, one.receptor.delivery
    held = before.held(engine.now).copy()
    if one.shared is not None:
        for step, row in under_way.arrivals(engine.now):
            held[step % len(held)] += row
    else:
        cells, sent = under_way.arrivals(engine.now)
        amounts = one.rows.weights[sent]
        if one.release is not None:
            amounts = one.release.amounts_under_way(engine.now).astype(amounts.dtype) * amounts
        np.add.at(held.reshape(-1), cells % held.size, amounts)
    after = Delivery(held, before.window, engine.now)
    engine.arrivals.laid, under_way.over = laid | {one.receptor: after}, True  # no line in between


def table_of(one: Projection) -> Table:
    """The table of a projection, with the entries that all kernels use."""
    from izhnumba._clock.kernels import gap, plasticity, states
    from izhnumba._clock.kernels import network as k

    rows = one.rows
    table = Table(max(k.PROJECTION_SIZE, gap.TABLE_SIZE, plasticity.TABLE_SIZE, states.TABLE_SIZE))
    table.put_table(k.SOURCE, one.source.table)
    table.put_table(k.TARGET, one.target.table)
    table[[k.FIRST, k.N_ROWS, k.PARTS]] = one.first_source, one.n_sources, rows.parts
    table[[k.FIRST_TARGET, k.N_TARGETS]] = one.first_target, one.n_targets
    table.put_all({k.ROWS: rows.starts, k.WEIGHTS: rows.weights, k.RING: one.receptor.ring})
    table.put(k.LATER, rows.starts)
    if delays(one).at_once:
        table.put_all({k.LATER: rows.later(one.target.padded), k.AT_ONCE: one.receptor.at_once})
    if rows.offsets is None:
        whole = rows.weights.size == one.n_sources * one.n_targets
        table[[k.DELAY, k.HOLE]] = rows.delay, k.NO_HOLE if whole or one.shift is None else one.shift
    else:
        table.put(k.OFFSETS, rows.offsets)
    return table
