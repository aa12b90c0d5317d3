"""CRC-32 of large arrays: that of zlib."""

import zlib

import numpy as np
import pytest

from izhnumba._numba import crc32 as module


@pytest.mark.parametrize("processor", ["this", "one that cannot"])
def test_it_is_that_of_zlib(processor, monkeypatch):
    if processor != "this":
        monkeypatch.setattr(module, "target_features", frozenset)
        monkeypatch.setattr(module, "_fold", module._fold.__wrapped__)
    rng = np.random.default_rng(0)
    for size in (0, 1, 63, 64, 65, 127, 128, 4096, 100_001):
        octets = rng.integers(0, 256, size, dtype=np.uint8)
        for before in (0, 1, 0xDEADBEEF, 0xFFFFFFFF):
            assert module.crc32(octets, before) == zlib.crc32(octets, before)
    rows = rng.random((50, 7))
    for some in (rows, rows[3:31], np.zeros((0, 7)), rows.astype("float32")):
        assert module.crc32(some) == zlib.crc32(some.tobytes())
