"""Arrivals at a block of neurons: rings of what is under way, synaptic states, and what they add to the input."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._numba.compile import address_of, called, inlined
from izhnumba._numba.intrinsics import NOINLINE, WIDEST, add_attribute, array_at, call_at, ints_at

DECAY_Y, X_TO_Y, DECAY_X, TO_X, REVERSAL, RATIO, NUMBERS_SIZE = range(7)


@functools.cache
def receive(dtype: str) -> int:
    """Address of `receive(table, work, k)`: note the V jumps of step k, W_DELTA, to be cleared after use; and to the
    inputs W_I to W_BE add what the other receptors give, then let their states advance."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def arrived(table, work, ring, k):
        """Address of the row of a ring in step k: what spikes have brought."""
        slot = (table[layout.STEP] + k) % table[layout.RING_STEPS]
        return ring + (slot * table[layout.PADDED] + work[layout.FIRST_LANE]) * item

    arrivals_at = inlined(arrived)

    def receive(address, place, k):
        table, work = ints_at(address), ints_at(place)
        first, count = work[layout.FIRST_LANE], work[layout.COUNT]
        I = array_at(work[layout.W_I], count, number)  # noqa: E741
        g, gE = array_at(work[layout.W_G], count, number), array_at(work[layout.W_GE], count, number)
        b, bE = array_at(work[layout.W_B], count, number), array_at(work[layout.W_BE], count, number)
        if table[layout.RING]:
            work[layout.W_DELTA] = arrivals_at(table, work, table[layout.DELTA_RING], k)
        if table[layout.GATED]:
            clear(b)
            clear(bE)
        for p in range(table[layout.N_RECEPTORS]):
            receptor_place = table[layout.RECEPTORS] + p * layout.RECEPTOR_SIZE * 8
            receptor = ints_at(receptor_place)
            target, n_states, steps = (
                receptor[layout.RECEPTOR_TARGET],
                receptor[layout.RECEPTOR_STATES],
                receptor[layout.RECEPTOR_STEPS],
            )
            row = arrived = array_at(arrivals_at(table, work, receptor[layout.RECEPTOR_RING], k), count, number)
            numbers = array_at(receptor[layout.RECEPTOR_NUMBERS], NUMBERS_SIZE, number)
            if numbers[RATIO] != 1:
                row = array_at(place + layout.BLOCK * item, count, number)  # behind WORK
                scale_row(row, arrived, numbers[RATIO])
            several = steps > 1
            y = array_at(receptor[layout.RECEPTOR_Y] + first * item, count, number) if n_states or several else row
            if several:
                rows = array_at(
                    receptor[layout.RECEPTOR_X] + first * item, (steps + 1) * table[layout.PADDED] - first, number
                )
                sum_latest(y, rows, row, table[layout.PADDED], table[layout.STEP] + k, steps)
            x = array_at(receptor[layout.RECEPTOR_X] + first * item, count, number) if n_states == 2 else row
            if receptor[layout.RECEPTOR_CURRENT]:
                work[layout.W_Y], work[layout.W_X] = y.ctypes.data, x.ctypes.data
                call_at(table[layout.NOTE], address, place, receptor_place)
            if target == layout.TO_CURRENT:
                add_row(I, y)
            elif target == layout.TO_CONDUCTANCE:
                add_conductance(g, gE, y, numbers[REVERSAL])
            elif target == layout.TO_GATED:
                add_conductance(b, bE, y, numbers[REVERSAL])
            elif target == layout.TO_GATED_CURRENT:
                add_row(bE, y)
            else:
                add_row(g, y)
                add_row(gE, x)
            if receptor[layout.RECEPTOR_ADVANCE]:
                work[layout.W_ROW] = row.ctypes.data
                call_at(receptor[layout.RECEPTOR_ADVANCE], address, place, receptor_place)
            elif n_states == 1:
                advance_one(y, row, numbers)
            elif n_states == 2:
                advance_two(y, x, row, numbers)
            if receptor[layout.LAST_PART]:
                clear(arrived)
        return 0

    return address_of(receive)


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
def scale_row(scaled, row, ratio):
    add_attribute(WIDEST)
    add_attribute(NOINLINE)
    for i in range(row.size):
        scaled[i] = ratio * row[i]


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
