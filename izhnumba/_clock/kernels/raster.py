"""The list of spikes from a raster of one bit per neuron and step."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types

from izhnumba._numba.compile import compiled, entry_point
from izhnumba._numba.intrinsics import lowest_bits, mask64, trailing_zeros


def spike_list(words, words_per_step: int, first_step: int, n: int) -> tuple[Any, Any]:
    """Neurons and steps, int64 (n,) each, of the n bits set in `words`, uint64 (steps x words_per_step,), in order.
    RASTER_SLACK words behind them may be read."""
    neurons, steps = np.empty(n, np.int64), np.empty(n, np.int64)
    if n:
        _entry()(words, words_per_step, first_step, neurons, steps)
    return neurons, steps


@functools.cache
def _entry():
    list_bits = compiled(_list_bits)
    integers = types.int64[::1]
    return entry_point(list_bits, (types.uint64[::1], types.int64, types.int64, integers, integers))


def _list_bits(words, words_per_step, first_step, neurons, steps):
    n, size = np.uint64(0), np.uint64(neurons.size)
    for step in range(words.size // words_per_step):
        for first in range(0, words_per_step, 64):
            start = np.uint64(step * words_per_step + first)
            filled = mask64(words, start) & lowest_bits(words_per_step - first)
            while filled:
                w = trailing_zeros(filled)
                bits = words[start + w]
                while bits and n < size:
                    neurons[n] = (np.uint64(first) + w << np.uint64(6)) + trailing_zeros(bits)
                    steps[n] = first_step + step
                    bits &= bits - np.uint64(1)
                    n += np.uint64(1)
                filled &= filled - np.uint64(1)
