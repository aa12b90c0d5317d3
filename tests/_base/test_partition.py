"""The partition of neurons: whole words, every neuron once, and the same by edges as by numbers."""

from __future__ import annotations

import numpy as np
import pytest

from izhnumba._base.partition import MOST_PARTS, WORD, part_of, partition, parts_of, words


@pytest.mark.parametrize("n", [1, 63, 64, 65, 448, 449, 511, 512, 513, 1000, 4095, 4097, 100_001])
def test_edges_and_numbers_agree(n):
    edges, parts = partition(n), parts_of(n)
    assert [first for first, _ in edges] == [0, *(last for _, last in edges[:-1])]
    assert edges[-1][1] == n
    assert len(edges) == parts
    assert all(first % WORD == 0 and first < last for first, last in edges)
    neurons = np.arange(n)
    expected = np.repeat(np.arange(parts), [last - first for first, last in edges])
    assert np.array_equal(part_of(neurons, n, parts), expected)
    fewer = MOST_PARTS // 2
    assert np.array_equal(part_of(neurons, n, fewer), np.minimum(words(n), neurons // WORD * fewer // words(n)))
    if parts > 1:  # half as many parts are pairs of these
        assert np.array_equal(part_of(neurons, n, fewer), expected // 2)
