"""Keys of random numbers."""

from __future__ import annotations

import hashlib


def stream_key(seed: int, owner: str, role: str, ordinal: int) -> tuple[int, int]:
    """Seed and stream of the random numbers for one purpose: adding another purpose leaves them as they are."""
    digest = hashlib.sha256(f"{seed}/{owner}/{role}/{ordinal}".encode()).digest()
    return seed & 0xFFFFFFFF, int.from_bytes(digest[:4], "little")
