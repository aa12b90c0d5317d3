"""Copies of users' numbers into rows of the dtype that kernels read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype

from izhnumba._numba.compile import compiled, entry_point


@functools.cache
def copy(source: str, target: str) -> Callable[[Any, Any], bool]:
    """`copy(values, row)` of these dtypes, "f" or "d", shape (n,) both: whether all values are finite in the row, to
    which they are copied. NumPy would warn of those that are not, and takes longer to be told not to than to copy."""
    number = np.dtype(target).type

    def copy(values, row):
        odd = np.int32(0)
        for i in range(np.uint64(row.size)):
            row[i] = x = number(values[i])
            odd = odd if x - x == 0 else np.int32(1)  # not a number if x is infinite
        return odd == 0

    return entry_point(compiled(copy), tuple(from_dtype(np.dtype(one))[::1] for one in (source, target)))
