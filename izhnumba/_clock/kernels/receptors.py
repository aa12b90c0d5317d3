"""Arrivals at a block of neurons: rings of what is under way, synaptic states, and what they add to the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from izhnumba._clock.constants import DERIVED
from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.neuron import start_of_step
from izhnumba._model.equations import Variant, gate_of
from izhnumba._numba.compile import called, inlined
from izhnumba._numba.exprel import exprel_full
from izhnumba._numba.intrinsics import NOINLINE, WIDEST, add_attribute, array_at, parameters_of

DECAY_Y, X_TO_Y, DECAY_X, TO_X, REVERSAL, NUMBERS_SIZE = range(6)


def arrivals(variant: Variant) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`deltas(table, k, first, count, valid)`, the V jumps of step k, to be cleared after use, and `receive`."""
    number = np.dtype(variant.dtype).type
    item = number(0).itemsize
    note_current = _note_current(variant)

    def arrived(table, ring, drive, k, first, count, valid):
        """Row of a ring in step k, real (count,): weights that synapses sent, plus an input from outside.

        Parameters
        ----------
        table : int64 (TABLE_SIZE,)
        ring : int
            Address of the ring, real (RING_STEPS, PADDED).
        drive : int64 (3,)
            Address of the input, 0 if there is none, its STRIDE and SHARED.
        k : int
            Step of this call.
        first, count, valid : int
            First lane of the block, its lanes, and how many of them are neurons.
        """
        slot = (table[layout.STEP] + k) % table[layout.RING_STEPS]
        row = array_at(ring + (slot * table[layout.PADDED] + first) * item, count, number)
        if drive[0]:
            source = drive[0] + drive[layout.STRIDE] * k * item
            if drive[layout.SHARED]:
                add_value(row, valid, array_at(source, 1, number)[0])
            else:
                add_row(row, array_at(source + first * item, valid, number))
        return row

    row_of = inlined(arrived)

    def deltas(table, k, first, count, valid):
        return row_of(
            table, table[layout.DELTA_RING], table[layout.INPUT_DELTA : layout.INPUT_DELTA + 3], k, first, count, valid
        )

    def receive(table, k, first, count, valid, state, inputs):
        """Add to the inputs what the receptors give in step k, then let their states advance.

        Parameters
        ----------
        table, k, first, count, valid
            As of `arrived`.
        state : tuple
            V and u, real (count,), and parameters of `parameter_lanes`.
        inputs : tuple of five arrays, real (count,)
            I, g, gE, b and bE.
        """
        I, g, gE, b, bE = inputs  # noqa: E741
        for p in range(table[layout.N_RECEPTORS]):
            receptor = array_at(table[layout.RECEPTORS] + p * layout.RECEPTOR_SIZE * 8, layout.RECEPTOR_SIZE, np.int64)
            target, n_states, steps = (
                receptor[layout.RECEPTOR_TARGET],
                receptor[layout.RECEPTOR_STATES],
                receptor[layout.RECEPTOR_STEPS],
            )
            drive = receptor[layout.RECEPTOR_DRIVE : layout.RECEPTOR_DRIVE + 3]
            row = row_of(table, receptor[layout.RECEPTOR_RING], drive, k, first, count, valid)
            numbers = array_at(receptor[layout.RECEPTOR_NUMBERS], NUMBERS_SIZE, number)
            several = steps > 1
            y = array_at(receptor[layout.RECEPTOR_Y] + first * item, count, number) if n_states or several else row
            if several:
                rows = array_at(
                    receptor[layout.RECEPTOR_X] + first * item, (steps + 1) * table[layout.PADDED] - first, number
                )
                sum_latest(y, rows, row, table[layout.PADDED], table[layout.STEP] + k, steps)
            x = array_at(receptor[layout.RECEPTOR_X] + first * item, count, number) if n_states == 2 else row
            if receptor[layout.RECEPTOR_CURRENT]:
                current = array_at(receptor[layout.RECEPTOR_CURRENT] + first * item, count, number)
                note_current(current, target, state, y, x, numbers[REVERSAL])
            if target == layout.TO_CURRENT:
                add_row(I, y)
            elif target == layout.TO_CONDUCTANCE:
                add_conductance(g, gE, y, numbers[REVERSAL])
            elif target == layout.TO_GATED:
                add_conductance(b, bE, y, numbers[REVERSAL])
            else:
                add_row(g, y)
                add_row(gE, x)
            if n_states == 1:
                advance_one(y, row, numbers)
            elif n_states == 2:
                advance_two(y, x, row, numbers)
            clear(row)

    return inlined(deltas), inlined(receive)


def _note_current(variant: Variant) -> Callable[..., Any]:
    number = np.dtype(variant.dtype).type
    share, _ = gate_of(variant, inlined, exprel_full)
    start, p_type = start_of_step(variant), variant.model.named_tuple("V_min", *DERIVED)

    @called
    def note_current(current, target, state, y, x, E):
        """The current of a receptor in this step, at the V from which it leads on.

        Parameters
        ----------
        current : real (count,)
            Where it is written, in the unit of the model.
        target : int
            RECEPTOR_TARGET of the receptor.
        state : tuple
            V and u, real (count,), and parameters of `parameter_lanes`.
        y, x : real (count,)
            States of the receptor.
        E : float, mV
            Its reversal potential.
        """
        add_attribute(NOINLINE)
        V_lanes, u_lanes, parameters = state
        for i in range(np.uint64(current.size)):
            V = start(V_lanes[i], u_lanes[i], parameters_of(parameters, i, p_type, number))
            if target == layout.TO_CURRENT:
                current[i] = y[i]
            elif target == layout.TO_GAP:
                current[i] = x[i] - y[i] * V
            elif target == layout.TO_GATED:
                current[i] = share(V) * (y[i] * (E - V))
            else:
                current[i] = y[i] * (E - V)

    return note_current


@called
def clear(row):
    add_attribute(NOINLINE)
    for i in range(row.size):
        row[i] = 0


@called
def add_row(total, row):
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    for i in range(row.size):
        total[i] += row[i]


@called
def sum_latest(total, rows, row, stride, step, n):
    """Let the total be the sum of this row and the n - 1 before it. Steps are cut in blocks of n: a running sum of this
    block is in row n of `rows`, and row j holds what arrived at place j of this block, or from there on in the block
    before. So a step costs the same for every n, and nothing is left of what has gone, as if it had been subtracted.

    Parameters
    ----------
    total, row : real (count,)
    rows : real
        n + 1 rows, of which these lanes are the first `count` numbers of each `stride`.
    stride : int
        Lanes of the population.
    step : int
        Since the last reset.
    n : int
    """
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    size, place = row.size, step % n
    newest, running = rows[place * stride : place * stride + size], rows[n * stride : n * stride + size]
    if place == 0:
        clear(running)
    add_row(running, row)
    for i in range(size):
        newest[i] = row[i]
        total[i] = running[i]
    if place + 1 < n:
        add_row(total, rows[(place + 1) * stride : (place + 1) * stride + size])
        return
    for j in range(n - 2, -1, -1):
        add_row(rows[j * stride : j * stride + size], rows[(j + 1) * stride : (j + 1) * stride + size])


@called
def add_value(total, n, value):
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    for i in range(np.uint64(n)):
        total[i] += value


@called
def add_conductance(g, gE, row, E):
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    for i in range(row.size):
        g[i] += row[i]
        gE[i] += row[i] * E


@called
def advance_one(y, row, numbers):
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    decay = numbers[DECAY_Y]
    for i in range(row.size):
        y[i] = decay * y[i] + row[i]


@called
def advance_two(y, x, row, numbers):
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    decay_y, x_to_y, decay_x, to_x = numbers[DECAY_Y], numbers[X_TO_Y], numbers[DECAY_X], numbers[TO_X]
    for i in range(row.size):
        y[i] = decay_y * y[i] + x_to_y * x[i]
        x[i] = decay_x * x[i] + to_x * row[i]
