"""The state of a population as arrays, which the population owns and its engine advances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from izhnumba._base.partition import WORD, words
from izhnumba._engine.table import address_of

Array = NDArray[Any]


class StateArrays(NamedTuple):
    """V (mV), u, spikes (uint8, 0 or 1) and further states, by name, of n neurons, each of shape (padded,): whole words
    of 64 neurons."""

    V: Array
    u: Array
    spikes: Array
    further: dict[str, Array]

    @classmethod
    def of(cls, n: int, dtype: np.dtype[Any], further: Mapping[str, float]) -> StateArrays:
        """Zeros for n neurons, and these values of further states."""
        padded = words(n) * WORD
        states = {name: aligned(padded, dtype) for name in further}
        for name, value in further.items():
            states[name].fill(value)  # the lanes that hold no neurons, too: they advance as others do
        return cls(aligned(padded, dtype), aligned(padded, dtype), aligned(padded, np.uint8), states)


def aligned(size: int, dtype: DTypeLike) -> Array:
    """Zeros of shape (size,) that start on a cache line."""
    dtype = np.dtype(dtype)
    raw = np.zeros(size * dtype.itemsize + 64, np.uint8)
    start = -address_of(raw) % 64
    return raw[start : start + size * dtype.itemsize].view(dtype)
