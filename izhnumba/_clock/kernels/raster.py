"""The list of spikes from a raster of one bit per neuron and step."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types

from izhnumba._numba.compile import compiled, entry_point
from izhnumba._numba.intrinsics import trailing_zeros


def spike_list(words, words_per_step: int, first_step: int, n: int) -> tuple[Any, Any]:
    """Neurons and steps, int64 (n,) each, of the n bits set in `words`, uint64 (steps x words_per_step,), in order."""
    neurons, steps = np.empty(n, np.int64), np.empty(n, np.int64)
    if n:
        _entry()(words, first_step, np.empty(words_per_step, np.int64), neurons, steps)
    return neurons, steps


@functools.cache
def _entry():
    list_bits = compiled(_list_bits)
    integers = types.int64[::1]
    return entry_point(list_bits, (types.uint64[::1], types.int64, integers, integers, integers))


def _list_bits(words, first_step, filled, neurons, steps):
    n = 0
    for step in range(words.size // filled.size):
        first, n_filled = step * filled.size, 0
        for w in range(filled.size):  # words that are not 0, without a branch that nobody can predict
            filled[n_filled] = w
            n_filled += words[first + w] != 0
        for k in range(n_filled):
            bits = words[first + filled[k]]
            while bits and n < neurons.size:
                neurons[n], steps[n] = filled[k] * 64 + np.int64(trailing_zeros(bits)), first_step + step
                bits &= bits - np.uint64(1)
                n += 1
