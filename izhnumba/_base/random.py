"""Keys of the counter-based random numbers (Philox)."""

from __future__ import annotations

import functools
import hashlib


@functools.lru_cache(maxsize=256)  # asked for in each run
def stream_key(seed: int, owner: str, role: str, ordinal: int) -> tuple[int, int]:
    """(seed, stream), each 32 bits: the key of the random numbers of one purpose, `role` number `ordinal` of `owner`.

    The stream is a hash of the names, so that adding another object or purpose leaves all others as they are."""
    digest = hashlib.sha256(f"{seed}/{owner}/{role}/{ordinal}".encode()).digest()
    return seed & 0xFFFFFFFF, int.from_bytes(digest[:4], "little")
