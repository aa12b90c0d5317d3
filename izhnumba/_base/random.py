"""Keys of the counter-based random numbers (Philox)."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable

import numpy as np
from numpy.random import Generator, Philox

Random = Callable[[str], Generator]  # (purpose) -> its random numbers, from their beginning


@functools.lru_cache(maxsize=256)  # asked for in each run
def stream_key(seed: int, owner: str, role: str, ordinal: int) -> tuple[int, int]:
    """(seed, stream), each 32 bits: the key of the random numbers of one purpose, `role` number `ordinal` of `owner`.

    The stream is a hash of the names, so that adding another object or purpose leaves all others as they are."""
    digest = hashlib.sha256(f"{seed}/{owner}/{role}/{ordinal}".encode()).digest()
    return seed & 0xFFFFFFFF, int.from_bytes(digest[:4], "little")


def streams(seed: int, owner: str) -> Random:
    """The random numbers of an owner that are drawn before a run: a function of a purpose, such as "pairs", to a new
    generator."""
    return lambda role: Generator(Philox(key=np.array(stream_key(seed, owner, role, 0), np.uint64)))
