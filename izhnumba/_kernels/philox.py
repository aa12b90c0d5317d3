"""Random numbers without state: each is a function of a key and of the place where it is used.

The generator is Philox4x32-10 (J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011,
doi:10.1145/2063384.2063405). The key is (seed, stream), the counter (step // 4, lane), and the four words of a call
belong to the steps 4 j to 4 j + 3 of one lane. So any piece of the table steps x lanes can be filled alone, in any
order and by any thread, with the same bits. Integers, additions, products and square roots round alike on every
machine, and nothing here is contracted to fused operations: a seed means the same numbers everywhere.
"""

import numpy as np

from izhnumba._compile import compiled

u4, u8, i4, f4 = np.uint32, np.uint64, np.int32, np.float32

_LOW, _32 = u8(0xFFFFFFFF), u8(32)
_FACTOR_0, _FACTOR_1 = u8(0xD2511F53), u8(0xCD9E8D57)
_WEYL_0, _WEYL_1 = u8(0x9E3779B9), u8(0xBB67AE85)  # golden ratio and sqrt(3) - 1, what the key grows by each round


def philox_round(c, key, r):
    """Round number r. Words are in the low halves of 64 bits, as the packed multiply takes them; the high halves
    may hold anything."""
    p0, p1 = (c[0] & _LOW) * _FACTOR_0, (c[2] & _LOW) * _FACTOR_1
    return (p1 >> _32) ^ c[1] ^ (key[0] + r * _WEYL_0), p1, (p0 >> _32) ^ c[3] ^ (key[1] + r * _WEYL_1), p0


def fill_words(row0, row1, row2, row3, group, first_lane, key):
    """The four words of each lane from `first_lane` on. group = step // 4; all numbers uint64."""
    for i in range(row0.size):
        lane = first_lane + u8(i)
        c = group & _LOW, group >> _32, lane & _LOW, lane >> _32
        c = philox_round(c, key, u8(0))
        c = philox_round(c, key, u8(1))  # written out: with a loop in it, this loop would not become vector code
        c = philox_round(c, key, u8(2))
        c = philox_round(c, key, u8(3))
        c = philox_round(c, key, u8(4))
        c = philox_round(c, key, u8(5))
        c = philox_round(c, key, u8(6))
        c = philox_round(c, key, u8(7))
        c = philox_round(c, key, u8(8))
        c = philox_round(c, key, u8(9))
        row0[i], row1[i], row2[i], row3[i] = u4(c[0]), u4(c[1]), u4(c[2]), u4(c[3])


# Chebyshev-weighted minimax fits: -log(1 + f) / f on [sqrt(1/2) - 1, sqrt(2) - 1], relative error 1.7e-7 of the log;
# sin(pi/4 t) / t and cos(pi/4 t) in powers of t^2 on [-1, 1], errors 2.4e-9 and 2.8e-8.
_LOG = tuple(f4(c) for c in (
    -0.9999999453106901, 0.5000036512438462, -0.3333505892260407, 0.24969908988412134, -0.19900166119853543,
    0.17250831389705215, -0.16222575792274235, 0.1010688409348108))  # fmt: skip
_SIN = tuple(f4(c) for c in (0.785398160983403, -0.08074543483021265, 0.0024900071270960306, -3.5954507784187516e-05))
_COS = tuple(f4(c) for c in (0.9999999724233207, -0.30842425356194914, 0.015849915256883645, -0.0003188805083826785))
_ONE, _PER_TURN = f4(1.0), f4(2.0**-31)
_UNIT = i4(32 << 23)  # exponent bits of 2^32, the value that a word stands for as 1
_ROOT_HALF, _EXPONENT = i4(0x3F3504F3 + (32 << 23)), i4(-(1 << 23))
_LN2 = f4(-np.log(2) * 2.0**-23)  # of an exponent that is still in its place in the bits
_SIGN, _1, _2 = u4(1 << 31), u4(1), u4(2)


def to_normals(row, next_row):
    """Box-Muller: turn two rows of words into two rows of normals, in place (float32 bits), at most 6.66 in size.

    The first word gives the radius sqrt(-2 log x), x = (word | 1) / 2^32. The second gives a sign for each of the two
    normals and an angle between -45 and 45 degrees; turned by 45 degrees it fills the first quadrant, where cosine and
    sine are (cos - sin) / sqrt(2) and (cos + sin) / sqrt(2). The roots of 2 cancel.
    """
    for i in range(row.size):
        a, b = row[i], next_row[i]
        bits = np.float32(u4(a | _1)).view(np.int32)
        exponent = i4(i4(bits - _ROOT_HALF) & _EXPONENT)
        f = i4(i4(bits - exponent) - _UNIT).view(np.float32) - _ONE
        c = _LOG
        p = ((((((c[7] * f + c[6]) * f + c[5]) * f + c[4]) * f + c[3]) * f + c[2]) * f + c[1]) * f + c[0]
        radius = np.float32(np.sqrt(p * f + f4(exponent) * _LN2))
        t = f4(i4(u4(b << _2))) * _PER_TURN
        z = t * t
        c = _SIN
        sine = (((c[3] * z + c[2]) * z + c[1]) * z + c[0]) * t
        c = _COS
        cosine = ((c[3] * z + c[2]) * z + c[1]) * z + c[0]
        x, y = np.float32(radius * (cosine + sine)), np.float32(radius * (cosine - sine))
        row[i] = x.view(np.uint32) ^ (b & _SIGN)
        next_row[i] = y.view(np.uint32) ^ (u4(b << _1) & _SIGN)


def _fill_normals(out, first_step, first_lane, seed, stream):
    """out[k, i] = a standard normal for step first_step + k and lane first_lane + i, as float32 bits in uint32.

    Costs least when the first step and the number of steps are multiples of 4.
    """
    count, n = out.shape
    spare = np.empty((4, n), np.uint32)  # rows of a group of four that nobody asked for
    key = u8(seed) & _LOW, u8(stream) & _LOW
    for group in range(first_step >> 2, (first_step + count + 3) >> 2):
        k = 4 * group - first_step
        row0 = out[k] if k >= 0 else spare[0]
        row1 = out[k + 1] if 0 <= k + 1 < count else spare[1]
        row2 = out[k + 2] if 0 <= k + 2 < count else spare[2]
        row3 = out[k + 3] if k + 3 < count else spare[3]
        fill_words(row0, row1, row2, row3, u8(group), u8(first_lane), key)
        to_normals(row0, row1)
        to_normals(row2, row3)


fill_normals = compiled(_fill_normals)
