"""Noise: the current of a block, made by four steps at a time right before the first of them, so that it is still in
the cache when it is read."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.receptors import add_row
from izhnumba._numba.compile import address_of
from izhnumba._numba.intrinsics import WIDEST, add_attribute, array_at, call_at, copy_bytes, fma, ints_at, row_at
from izhnumba._numba.philox import _LOW, WIDTH, fill_words, relax_row, to_normals, u8


@functools.cache
def noise(dtype: str) -> int:
    """Address of `noise(table, work, step)`: the address of the row of noise of a step, for the block of `work`. There
    W_I has room for 4 WIDTH words."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def noise(address, place, step):
        t, work = ints_at(address), ints_at(place)
        block = work[layout.FIRST_LANE]
        made = ints_at(t[layout.NOISE_MADE] + block // layout.BLOCK * 16)
        rows, row = t[layout.NOISE_ROWS] + 4 * block * item, layout.BLOCK * item
        if made[0] <= step < made[1]:
            return rows + step % 4 * row
        begins = step == t[layout.NOISE_AFRESH]
        made[0], made[1] = step, min(step + 1 if begins else step // 4 * 4 + 4, t[layout.NOISE_UNTIL])
        key = u8(t[layout.NOISE_SEED]) & _LOW, u8(t[layout.NOISE_STREAM]) & _LOW
        words, scales = work[layout.W_I], t[layout.NOISE_FIRST if begins else layout.NOISE_SCALE]
        for first in range(0, work[layout.VALID], WIDTH):
            n = min(WIDTH, work[layout.VALID] - first)
            row0, row1 = array_at(words, n, np.uint32), array_at(words + 4 * WIDTH, n, np.uint32)
            row2, row3 = array_at(words + 8 * WIDTH, n, np.uint32), array_at(words + 12 * WIDTH, n, np.uint32)
            fill_words(row0, row1, row2, row3, u8(step // 4), u8(block + first), key)
            at = block + first if t[layout.NOISE_VARIES] else 0
            scale = array_at(scales + 4 * at, n, np.float32)
            shift = array_at(t[layout.NOISE_SHIFT] + item * at, n, number)
            for pair in range(2):
                even = rows + first * item + 2 * pair * row
                both = array_at(words + 8 * WIDTH * pair, 2 * WIDTH, np.uint32)
                to_normals(both, array_at(even, n, number), array_at(even + row, n, number), scale, shift)
            if t[layout.NOISE_RELAX]:
                call_at(t[layout.NOISE_RELAX], address, place, first)
        return rows + step % 4 * row

    return address_of(noise)


@functools.cache
def relax(dtype: str) -> int:
    """Address of `relax(table, work, first)`: let an Ornstein-Uhlenbeck process go on for the steps that are made of
    WIDTH neurons from place `first` of a block on."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def relax(address, place, first):
        t, work = ints_at(address), ints_at(place)
        block, n = work[layout.FIRST_LANE], min(WIDTH, work[layout.VALID] - first)
        made, lane = ints_at(t[layout.NOISE_MADE] + block // layout.BLOCK * 16), block + first
        four = array_at(t[layout.NOISE_ROWS] + (4 * block + first) * item, 3 * layout.BLOCK + n, number)
        x = array_at(t[layout.NOISE_X] + 8 * lane, n, np.float64)
        offset = array_at(t[layout.NOISE_OFFSET] + (item * lane if t[layout.NOISE_VARIES] else 0), n, number)
        keep = row_at(t[layout.NOISE_KEEP], np.float64)[0]
        if made[1] - made[0] == 4:
            relax_four(four, x, offset, keep)
        else:
            for step in range(made[0], made[1]):
                row = four[step % 4 * layout.BLOCK :][:n]
                relax_row(row, x, keep)
                add_row(row, offset)
        if made[1] == t[layout.NOISE_UNTIL]:
            copy_bytes(t[layout.NOISE_AFTER] + 8 * lane, x.ctypes.data, 8 * n)
        return 0

    return address_of(relax)


def relax_four(rows, x, offset, keep):
    """`relax_row` for the four rows of a group, which begin BLOCK numbers apart; then the offset is added to them."""
    add_attribute(WIDEST)
    for i in range(x.size):
        x0 = fma(keep, x[i], rows[i])
        x1 = fma(keep, x0, rows[layout.BLOCK + i])
        x2 = fma(keep, x1, rows[2 * layout.BLOCK + i])
        x3 = fma(keep, x2, rows[3 * layout.BLOCK + i])
        rows[i] = x0
        rows[i] += offset[i]
        rows[layout.BLOCK + i] = x1
        rows[layout.BLOCK + i] += offset[i]
        rows[2 * layout.BLOCK + i] = x2
        rows[2 * layout.BLOCK + i] += offset[i]
        rows[3 * layout.BLOCK + i] = x3
        rows[3 * layout.BLOCK + i] += offset[i]
        x[i] = x3
