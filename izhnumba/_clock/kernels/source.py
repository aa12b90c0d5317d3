"""Spikes of a source, from lists to a raster, from where they go on like those of neurons."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels import layout
from izhnumba._engine.codes import OK
from izhnumba._numba.compile import address_of
from izhnumba._numba.intrinsics import array_at, ints_at, lowest_bits, mask64, row_at, trailing_zeros


@functools.cache
def send_listed() -> int:
    """Address of `send_listed(source, start, stop)` -> OK: set the bits of the steps `start` to `stop` of this call,
    and list each of them once, in order."""

    def send_listed(address, start, stop):
        s = ints_at(address)
        words, rows, reports = s[layout.PADDED] // 64, s[layout.SENT_ROWS], ints_at(s[layout.REPORT])
        starts, counts = ints_at(s[layout.SENT_STARTS]), ints_at(s[layout.SENT_COUNTS])
        s[layout.RASTER] = rows - start * words * 8
        for k in range(start, stop):
            place = rows + (k - start) * words * 8
            row, bits_of = array_at(place, words, np.uint64), row_at(place, np.uint64)
            for w in range(row.size):
                row[w] = 0
            j = s[layout.STEP] + k - s[layout.SENT_FROM]
            begin, end = starts[j], starts[j + 1]
            cells = array_at(s[layout.SENT_CELLS] + 4 * begin, end - begin, np.uint32)
            weights = array_at(s[layout.SENT_WEIGHTS] + 4 * begin, end - begin, np.float32)
            for x in range(cells.size):
                if weights[x] > 0:
                    row[cells[x] // np.uint32(64)] |= np.uint64(1) << np.uint64(cells[x] % np.uint32(64))
            n = np.uint64(0)
            for w0 in range(0, words, 64):
                filled = mask64(bits_of, np.uint64(w0)) & lowest_bits(words - w0)
                while filled:
                    w = np.uint64(w0) + trailing_zeros(filled)
                    bits = row[w]
                    while bits:
                        cells[n] = np.uint32((w << np.uint64(6)) + trailing_zeros(bits))
                        n += np.uint64(1)
                        bits &= bits - np.uint64(1)
                    filled &= filled - np.uint64(1)
            counts[j] = n
            reports[layout.N_SPIKES] += counts[j]
        return OK

    return address_of(send_listed)
