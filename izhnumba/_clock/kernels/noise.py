"""Noise: the current of a block, made by four steps at a time right before the first of them, so that it is still in
the cache when it is read."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.receptors import add_row
from izhnumba._numba.compile import address_of
from izhnumba._numba.intrinsics import WIDEST, add_attribute, array_at, copy_bytes, fma, ints_at, row_at
from izhnumba._numba.philox import _LOW, WIDTH, fill_words, relax_row, to_normals, u8


@functools.cache
def noise(dtype: str) -> int:
    """Address of `noise(table, work, step)`: the address of the row of noise of a step, for the block of `work`. There
    W_I has room for 4 WIDTH words."""
    number = np.dtype(dtype).type
    item = number(0).itemsize

    def noise(address, place, step):
        t, work = ints_at(address), ints_at(place)
        first = work[layout.FIRST_LANE]
        made = ints_at(t[layout.NOISE_MADE] + first // layout.BLOCK * 16)
        rows = t[layout.NOISE_ROWS] + 4 * first * item
        if not made[0] <= step < made[1]:
            end = step + 1 if step == t[layout.NOISE_AFRESH] else step // 4 * 4 + 4
            made[0], made[1] = step, min(end, t[layout.NOISE_UNTIL])
            fill(t, work, rows, made[0], made[1])
        return rows + step % 4 * layout.BLOCK * item

    def fill(t, work, rows, start, stop):
        """Fill the rows of the steps `start` to `stop`, and perhaps others of the group."""
        key, group = (u8(t[layout.NOISE_SEED]) & _LOW, u8(t[layout.NOISE_STREAM]) & _LOW), u8(start // 4)
        words = array_at(work[layout.W_I], 4 * WIDTH, np.uint32)
        block, valid = work[layout.FIRST_LANE], work[layout.VALID]
        for first in range(0, valid, WIDTH):
            n = min(WIDTH, valid - first)
            row0, row1, row2, row3 = words[:n], words[WIDTH:][:n], words[2 * WIDTH :][:n], words[3 * WIDTH :][:n]
            fill_words(row0, row1, row2, row3, group, u8(block + first), key)
            at = block + first if t[layout.NOISE_VARIES] else 0
            begins = start == t[layout.NOISE_AFRESH]
            scale = array_at(t[layout.NOISE_FIRST if begins else layout.NOISE_SCALE] + 4 * at, n, np.float32)
            shift = array_at(t[layout.NOISE_SHIFT] + item * at, n, number)
            four = array_at(rows + first * item, 3 * layout.BLOCK + n, number)
            to_normals(words, four[:n], four[layout.BLOCK :][:n], scale, shift)
            to_normals(words[2 * WIDTH :], four[2 * layout.BLOCK :][:n], four[3 * layout.BLOCK :][:n], scale, shift)
            if t[layout.NOISE_X]:
                x = array_at(t[layout.NOISE_X] + 8 * (block + first), n, np.float64)
                keep = row_at(t[layout.NOISE_KEEP], np.float64)[0]
                offset = array_at(t[layout.NOISE_OFFSET] + item * at, n, number)
                if stop - start == 4:
                    relax_four(four, x, offset, keep)
                else:
                    for step in range(start, stop):
                        row = four[step % 4 * layout.BLOCK :][:n]
                        relax_row(row, x, keep)
                        add_row(row, offset)
                if stop == t[layout.NOISE_UNTIL]:
                    copy_bytes(t[layout.NOISE_AFTER] + 8 * (block + first), x.ctypes.data, 8 * n)

    return address_of(noise)


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
