"""The time loop of populations: every block of neurons advances by STRETCH steps, one block after the other.

A call reaches everything through one table of integers (`kernels.layout`), so that it costs 0.3 us from Python.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype, prange, types

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.block import unusual
from izhnumba._engine.codes import BAD_INPUT, BUSY, FAILURE, LEAP, NOT_PLAIN, OK, RECOUNT
from izhnumba._numba.compile import address_of, called, compiled, entry_point, inlined
from izhnumba._numba.intrinsics import call_at, claim, copy_bytes, ints_at, release, row_at


@functools.cache
def slice_address(parallel: bool) -> int:
    """Address of `advance_slice(table, start, stop)` -> FAILURE, LEAP or OK, for networks: steps `start` to `stop` of
    this call, which has begun with `begin`."""
    loop = prange if parallel else range

    def advance_slice(address, start, stop):
        table = ints_at(address)
        n_blocks, threads = (table[layout.PADDED] + layout.BLOCK - 1) // layout.BLOCK, table[layout.THREADS]
        table[layout.START], table[layout.STOP], advance_block = start, stop, table[layout.ADVANCE_BLOCK]
        for thread in loop(threads):
            for block in range(thread * n_blocks // threads, (thread + 1) * n_blocks // threads):
                call_at(advance_block, address, thread, block)
        reports = ints_at(table[layout.REPORT])
        if reported(reports, n_blocks, layout.FAILED_COUNT):
            return FAILURE
        return LEAP if table[layout.LEAPS] and reported(reports, n_blocks, layout.WAS_CAREFUL) else OK

    return address_of(advance_slice, parallel=parallel)


@functools.cache
def entry(dtype: str, parallel: bool) -> Callable[..., int]:
    """`advance(call, I, level)` -> code, without type dispatch: STEPS steps. call: int64 (CALL_SIZE,), see `layout`;
    I: the current of a single step, shape (n,), or empty: then the current is `level` for all neurons, or, if that is
    NaN, the INPUT_I of the table."""
    number, loop = np.dtype(dtype).type, prange if parallel else range
    admit = _admit(number)

    def advance(call, I, level):  # noqa: E741
        address = call[0]
        table, in_use = ints_at(address), address + layout.IN_USE * 8
        if not claim(in_use):
            return BUSY
        for k in range(layout.FORM_SIZE):
            table[layout.FORM + k] = call[1 + k]
        code = OK
        if table[layout.STEP] - table[layout.BASE] > layout.MOST_STEPS:
            code = RECOUNT
        elif I.size:
            code = admit(table, I)
        elif level == level:
            current = row_at(table[layout.INPUT_I], number)
            for i in range(np.uint64(table[layout.N])):
                current[i] = level
        if code == OK:
            advance_block = table[layout.ADVANCE_BLOCK]
            n_blocks, threads = (table[layout.PADDED] + layout.BLOCK - 1) // layout.BLOCK, table[layout.THREADS]
            reports, done = begin(table), 0
            while done < table[layout.STEPS] and not reported(reports, n_blocks, layout.FAILED_COUNT):
                stop = done + layout.STRETCH if done + layout.STRETCH < table[layout.STEPS] else table[layout.STEPS]
                table[layout.START], table[layout.STOP] = done, stop
                for thread in loop(threads):
                    for block in range(thread * n_blocks // threads, (thread + 1) * n_blocks // threads):
                        call_at(advance_block, address, thread, block)
                done = stop
            table[layout.STEP] += done
            if reported(reports, n_blocks, layout.FAILED_COUNT):
                code = FAILURE
            elif table[layout.LEAPS] and reported(reports, n_blocks, layout.WAS_CAREFUL):
                code = LEAP
        release(in_use)
        return code

    real = from_dtype(np.dtype(dtype))
    return entry_point(compiled(advance, parallel=parallel), (types.int64[::1], real[::1], types.float64))


@inlined
def begin(table):
    """Begin a call: nothing has been reported of it. Returns the REPORT, a Row."""
    reports, n_blocks = ints_at(table[layout.REPORT]), (table[layout.PADDED] + layout.BLOCK - 1) // layout.BLOCK
    for i in range(n_blocks * layout.REPORT_SIZE):
        reports[i] = 0
    table[layout.BEGAN] = table[layout.STEP]
    return reports


@called
def reported(reports, n_blocks, entry):
    """Whether an entry of REPORT is not 0 for any block."""
    block = 0
    while block < n_blocks and not reports[block * layout.REPORT_SIZE + entry]:
        block += 1
    return block < n_blocks


def _admit(number: Callable[..., Any]) -> Callable[..., Any]:
    """`admit(table, I)` -> code: check the inputs of a single step, then copy I to INPUT_I; nothing else changes."""
    item = number(0).itemsize

    def admit(table, I):  # noqa: E741
        n = table[layout.N]
        if I.size != n or (n > 1 and I.strides[0] != item):
            return NOT_PLAIN
        highest = row_at(table[layout.CONSTANTS], number)[layout.HIGHEST]
        odd = unusual(row_at(I.ctypes.data, number), n, -highest)
        if table[layout.DELTAS]:
            odd |= unusual(row_at(table[layout.INPUT_DELTA], number), n, -highest)
        if table[layout.CONDUCTANCES]:
            odd |= unusual(row_at(table[layout.INPUT_G], number), n, -highest)
            odd |= unusual(row_at(table[layout.INPUT_GE], number), n, -highest)
        if odd:
            return BAD_INPUT
        if I.ctypes.data != table[layout.INPUT_I]:
            copy_bytes(table[layout.INPUT_I], I.ctypes.data, n * item)
        return OK

    return inlined(admit)
