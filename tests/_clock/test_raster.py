"""The list of spikes against NumPy's own bits."""

from __future__ import annotations

import numpy as np
import pytest

from izhnumba._clock.kernels.layout import RASTER_SLACK
from izhnumba._clock.kernels.raster import spike_list


@pytest.mark.parametrize("words_per_step", [1, 64, 70])
def test_bits_are_listed_in_order(words_per_step):
    rng = np.random.default_rng(1)
    raster = rng.integers(2**64, size=5 * words_per_step + RASTER_SLACK, dtype=np.uint64)
    words = raster[: 5 * words_per_step]
    words &= rng.integers(2**64, size=words.size, dtype=np.uint64)
    words[rng.random(words.size) < 0.5] = 0
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), bitorder="little").reshape(5, -1)
    steps, neurons = np.nonzero(bits)
    listed = spike_list(words, words_per_step, 7, len(steps))
    assert np.array_equal(listed, [neurons, steps + 7])
