"""From one bit per neuron and step to the list of spikes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba import types

from izhnumba._compile import compiled, entry_point
from izhnumba._kernels.lanes import trailing_zeros


def spike_list(words: Any, words_per_step: int, first_step: int, n: int) -> tuple[Any, Any]:
    """(neuron int64, step int64) of the n bits set in words (uint64, steps x words_per_step), in order."""
    neurons, steps = np.empty(n, np.int64), np.empty(n, np.int64)
    if n:
        _entry()(words, words_per_step, first_step, neurons, steps)
    return neurons, steps


@functools.cache
def _entry() -> Any:
    list_bits = compiled(_list_bits)
    return entry_point(list_bits, (types.uint64[::1], types.int64, types.int64, types.int64[::1], types.int64[::1]))


def _list_bits(words, words_per_step, first_step, neurons, steps):
    n = 0
    for step in range(words.size // words_per_step):
        for w in range(words_per_step):
            bits = words[step * words_per_step + w]
            while bits:
                neurons[n], steps[n] = w * 64 + np.int64(trailing_zeros(bits)), first_step + step
                bits &= bits - np.uint64(1)
                n += 1
