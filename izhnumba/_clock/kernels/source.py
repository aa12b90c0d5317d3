"""Spikes of a source, from lists to a raster, from where they go on like those of neurons; and lists in order."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of, compiled
from izhnumba._numba.intrinsics import array_at, ints_at, lowest_bits, mask64, row_at, trailing_zeros


@functools.cache
def send_listed() -> int:
    """Address of `send_listed(source, start, stop)` -> OK: set the bits of the steps `start` to `stop` of this call,
    and leave each of them once in the list of its step."""

    def send_listed(address, start, stop):
        s = ints_at(address)
        words, rows, reports = s[layout.PADDED] // 64, s[layout.SENT_ROWS], ints_at(s[layout.REPORT])
        starts, counts = ints_at(s[layout.SENT_STARTS]), ints_at(s[layout.SENT_COUNTS])
        s[layout.RASTER] = rows - start * words * 8
        bits, filled = row_at(rows, np.uint64), row_at(s[layout.SENT_FILLED], np.uint32)
        for x in range(s[layout.N_FILLED]):
            bits[np.uint64(filled[np.uint64(x)])] = np.uint64(0)
        n_filled = np.uint64(0)
        for k in range(start, stop):
            first, j = np.uint64((k - start) * words), s[layout.STEP] + k - s[layout.SENT_FROM]
            begin, end = starts[j], starts[j + 1]
            cells = array_at(s[layout.SENT_CELLS] + 4 * begin, end - begin, np.uint32)
            weights = array_at(s[layout.SENT_WEIGHTS] + 4 * begin, end - begin, np.float32)
            n = np.uint64(0)
            for x in range(cells.size):
                cell = cells[x]
                w, bit = first + np.uint64(cell >> np.uint32(6)), np.uint64(1) << np.uint64(cell & np.uint32(63))
                word = bits[w]
                if weights[x] > 0 and not word & bit:
                    if not word:
                        filled[n_filled] = np.uint32(w)
                        n_filled += np.uint64(1)
                    bits[w] = word | bit
                    cells[n] = cell
                    n += np.uint64(1)
            counts[j] = n
            reports[layout.N_SPIKES] += counts[j]
        s[layout.N_FILLED] = n_filled
        return OK

    return address_of(send_listed)


def _put_in_order(cells, starts, counts, scratch, words):
    """Put what has been sent in some steps in order.

    Parameters
    ----------
    cells : uint32, shape (spikes,)
        Those of a step begin at `starts`, int64 (steps,), and are `counts`, int64 (steps,), each there once.
    scratch : address of uint64, shape (words + RASTER_SLACK,)
        A bit for each cell: 0, and left so.
    words : int
    """
    bits = row_at(scratch, np.uint64)
    for k in range(counts.size):
        sent = cells[starts[k] : starts[k] + counts[k]]
        for x in range(sent.size):
            bits[sent[x] >> np.uint32(6)] |= np.uint64(1) << np.uint64(sent[x] & np.uint32(63))
        n = np.uint64(0)
        for w0 in range(0, words if sent.size else 0, 64):
            filled = mask64(bits, np.uint64(w0)) & lowest_bits(words - w0)
            while filled:
                w = np.uint64(w0) + trailing_zeros(filled)
                word, bits[w] = bits[w], np.uint64(0)
                while word:
                    sent[n] = np.uint32((w << np.uint64(6)) + trailing_zeros(word))
                    n += np.uint64(1)
                    word &= word - np.uint64(1)
                filled &= filled - np.uint64(1)


put_in_order = compiled(_put_in_order)
