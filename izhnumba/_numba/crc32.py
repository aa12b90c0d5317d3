"""CRC-32 of large arrays by carry-less multiplication, several times as fast as zlib.

After Gopal et al., Fast CRC computation for generic polynomials using the PCLMULQDQ instruction (Intel, 2009): a part
of the message that is moved on by D bits is multiplied by x^D mod P, without carries. So lines of 64 bytes are folded
into 16 bytes with the same remainder. Bits are reflected, as in zlib.
"""

import functools
import zlib
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from izhnumba._numba.compile import compiled, entry_point, target_features

_ALL = 0xFFFFFFFF
_BY_64 = 0x154442BD4, 0x1C6E41596  # x^(512 + 32) and x^(512 - 32) mod P: on by a line
_BY_16 = 0x1751997D0, 0x0CCAA009E  # x^(128 + 32) and x^(128 - 32) mod P


def crc32(array: NDArray[Any], before: int = 0) -> int:
    """As `zlib.crc32` of the bytes of a contiguous array, behind others whose CRC-32 is `before`."""
    n_lines, fold = array.nbytes // 64, _fold()
    if not n_lines or fold is None:
        return zlib.crc32(array.data, before)
    octets, rest = array.reshape(-1).view(np.uint8), np.empty(2, np.uint64)
    fold(octets, n_lines, before ^ _ALL, rest)
    return zlib.crc32(octets[64 * n_lines :].data, zlib.crc32(rest.data, _ALL))


@functools.cache
def _fold() -> Any:
    """The kernel `fold`; None for a processor that cannot multiply so."""
    if "pclmul" not in target_features():
        return None
    return entry_point(compiled(fold), (types.uint8[::1], types.int64, types.int64, types.uint64[::1]))


def fold(octets, n_lines, register, rest):
    fold_lines(octets.ctypes.data, n_lines, register, rest.ctypes.data)


@intrinsic
def fold_lines(typingctx, address, n_lines, register, target):
    """Fold n_lines >= 1 lines from an address on into 16 bytes at another one. register: that of the CRC before."""

    def generate(context, builder, signature, arguments):
        word, byte = ir.IntType(64), ir.IntType(8)
        pair = ir.VectorType(word, 2)
        kind = ir.FunctionType(pair, (pair, pair, byte))
        multiply = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.pclmulqdq")
        address, n_lines, register, target = arguments

        def loaded(line, part):
            place = builder.add(address, builder.add(builder.mul(line, word(64)), word(16 * part)))
            return builder.load(builder.inttoptr(place, pair.as_pointer()), align=1)

        def moved(bits, by):
            low, high = (builder.call(multiply, (bits, pair(by), byte(halves))) for halves in (0x00, 0x11))
            return builder.xor(low, high)

        begin = builder.insert_element(pair([0, 0]), register, ir.IntType(32)(0))
        parts = [cgutils.alloca_once_value(builder, loaded(word(0), part)) for part in range(4)]
        builder.store(builder.xor(builder.load(parts[0]), begin), parts[0])
        with cgutils.for_range(builder, n_lines, start=word(1)) as loop:
            for k, part in enumerate(parts):
                builder.store(builder.xor(moved(builder.load(part), _BY_64), loaded(loop.index, k)), part)
        bits = builder.load(parts[0])
        for part in parts[1:]:
            bits = builder.xor(moved(bits, _BY_16), builder.load(part))
        builder.store(bits, builder.inttoptr(target, pair.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), generate
