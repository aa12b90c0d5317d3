"""The one partition of neurons: words of 64, and parts that threads share. Engines, synapses and files agree by it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

WORD = 64  # neurons: arrays of a population end with whole words of spike bits and with whole vectors
MOST_PARTS = 8  # a power of 2: each partition with fewer parts joins parts of this one


def words(n: int) -> int:
    """How many words of 64 neurons hold n neurons; the last one need not be full."""
    return -(-n // WORD)


def parts_of(n: int) -> int:
    """Into how many parts n neurons are cut at most: by n alone, so that results do not depend on the number of
    threads."""
    return MOST_PARTS if words(n) >= MOST_PARTS else 1


def partition(n: int) -> list[tuple[int, int]]:
    """(first, last + 1) neuron of each part, in order. All parts but the last one hold whole words."""
    parts = parts_of(n)
    edges = [min(n, WORD * -(-part * words(n) // parts)) for part in range(parts + 1)]
    return list(zip(edges, edges[1:], strict=False))


def part_of(neuron: NDArray[Any], n: int, parts: int) -> NDArray[Any]:
    """The part of each neuron, from 0, if n neurons are cut into `parts`: the cuts are those of `partition`, or of it
    with neighbours joined."""
    return neuron // WORD * parts // words(n)
