"""Random numbers without state: each is a function of a key and of the step and column (neuron) it is for.

The generator is Philox4x32-10 (J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011,
doi:10.1145/2063384.2063405). The key is (seed, stream), the counter (step // 4, column), and the four words of a call
belong to the steps 4 j to 4 j + 3 of one column. So any piece of the table steps x columns can be filled alone, in any
order and by any thread, with the same bits. Integers, additions, products and square roots round alike on every
machine, and nothing here is contracted to fused operations: a seed means the same numbers everywhere.
"""

import numpy as np
from numpy.typing import NDArray

from izhnumba._numba.compile import compiled, inlined
from izhnumba._numba.intrinsics import WIDEST, add_attribute

u4, u8, i4, f4 = np.uint32, np.uint64, np.int32, np.float32

_LOW, _32 = u8(0xFFFFFFFF), u8(32)
_FACTOR_0, _FACTOR_1 = u8(0xD2511F53), u8(0xCD9E8D57)
_WEYL_0, _WEYL_1 = u8(0x9E3779B9), u8(0xBB67AE85)  # golden ratio, sqrt(3) - 1: what a round adds to the key


@inlined
def words(group, column, key):
    """The four 32-bit words of one column, in the low halves of uint64. group = step // 4; key = (seed, stream);
    uint64."""
    c0, c1, c2, c3 = group & _LOW, group >> _32, column & _LOW, column >> _32
    k0, k1 = key
    for _ in range(10):
        p0, p1 = (c0 & _LOW) * _FACTOR_0, (c2 & _LOW) * _FACTOR_1
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1, (p0 >> _32) ^ c3 ^ k1, p0
        k0, k1 = k0 + _WEYL_0, k1 + _WEYL_1
    return c0, c1, c2, c3


def fill_words(row0, row1, row2, row3, group, first_column, key):
    """Fill four rows with the words of the columns from `first_column` on.

    In between, words are in the low halves of 64 bits, as the packed multiply takes them; high halves may hold
    anything.

    Parameters
    ----------
    row0, row1, row2, row3 : uint32, shape (columns,)
        Filled: row j belongs to step 4 group + j.
    group : uint64
        step // 4.
    first_column : uint64
    key : pair of uint64
        Seed and stream, each below 2^32.
    """
    add_attribute(WIDEST)
    for i in range(row0.size):
        c0, c1, c2, c3 = words(group, first_column + u8(i), key)
        row0[i], row1[i], row2[i], row3[i] = u4(c0), u4(c1), u4(c2), u4(c3)


# Minimax fits: -log(1 + f) / f on [sqrt(1/2) - 1, sqrt(2) - 1], relative error 1.7e-7 of the log;
# sin(pi/4 t) / t and cos(pi/4 t) in powers of t^2 on [-1, 1], errors 2.4e-9 and 2.8e-8.
_LOG = tuple(f4(c) for c in (
    -0.9999999453106901, 0.5000036512438462, -0.3333505892260407, 0.24969908988412134, -0.19900166119853543,
    0.17250831389705215, -0.16222575792274235, 0.1010688409348108))  # fmt: skip
_SIN = tuple(f4(c) for c in (0.785398160983403, -0.08074543483021265, 0.0024900071270960306, -3.5954507784187516e-05))
_COS = tuple(f4(c) for c in (0.9999999724233207, -0.30842425356194914, 0.015849915256883645, -0.0003188805083826785))
_ONE, _TO_UNIT = f4(1.0), f4(2.0**-31)
_ROOT_HALF, _EXPONENT = i4(0x3F3504F3), i4(-(1 << 23))  # bits of sqrt(1/2), and where the exponent is
_2_TO_32 = i4(32 << 23)  # what a division by 2^32 takes from the bits
_LN2 = f4(-np.log(2) * 2.0**-23)  # for an exponent that is still in its place
_SIGN, _1, _2 = u4(1 << 31), u4(1), u4(2)


def to_normals(words, next_words, even, odd, scale):
    """Box-Muller: turn two rows of words into two rows of normals, at most 6.66 in size, times `scale`.

    The first word gives the radius sqrt(-2 log x), x = (word | 1) / 2^32. The second gives a sign for each of the two
    normals and an angle between -45 and 45 degrees; turned by 45 degrees it fills the first quadrant, where cosine and
    sine are (cos - sin) / sqrt(2) and (cos + sin) / sqrt(2). The roots of 2 cancel.
    """
    add_attribute(WIDEST)
    for i in range(words.size):
        a, b = words[i], next_words[i]
        bits = i4(np.float32(u4(a | _1)).view(np.int32) - _2_TO_32)
        exponent = i4(i4(bits - _ROOT_HALF) & _EXPONENT)
        f = i4(bits - exponent).view(np.float32) - _ONE
        c = _LOG
        p = ((((((c[7] * f + c[6]) * f + c[5]) * f + c[4]) * f + c[3]) * f + c[2]) * f + c[1]) * f + c[0]
        radius = np.float32(np.sqrt(p * f + f4(exponent) * _LN2))
        t = f4(i4(u4(b << _2))) * _TO_UNIT
        z = t * t
        c = _SIN
        sine = (((c[3] * z + c[2]) * z + c[1]) * z + c[0]) * t
        c = _COS
        cosine = ((c[3] * z + c[2]) * z + c[1]) * z + c[0]
        x, y = np.float32(radius * (cosine + sine)), np.float32(radius * (cosine - sine))
        even[i] = scale[i] * u4(x.view(np.uint32) ^ (b & _SIGN)).view(np.float32)
        odd[i] = scale[i] * u4(y.view(np.uint32) ^ (u4(b << _1) & _SIGN)).view(np.float32)


_WIDTH = 512  # columns that are made at a time: what lies between words and normals stays in the first cache


def _fill_normals(out, scale, first_step, first_column, seed, stream, words, spare):
    """Fill an array with normals times `scale`.

    Parameters
    ----------
    out : real, shape (steps, columns)
        Filled.
    scale : real, shape (columns,), or (width,) if it is the same for all
    first_step, first_column : int
    seed, stream : int, below 2^32
        The key.
    words : uint32, shape (4, width)
    spare : real, shape (width,)
        Scratch for `width` columns at a time.
    """
    key = u8(seed) & _LOW, u8(stream) & _LOW
    width, columns, steps = words.shape[1], out.shape[1], len(out)
    for group in range(first_step // 4, (first_step + steps + 3) // 4):
        for first in range(0, columns, width):
            n = min(width, columns - first)
            row0, row1, row2, row3 = words[0, :n], words[1, :n], words[2, :n], words[3, :n]
            fill_words(row0, row1, row2, row3, u8(group), u8(first_column + first), key)
            factor = scale[first : first + n] if scale.size == columns else scale[:n]
            for k in range(4 * group - first_step, 4 * group - first_step + 4, 2):
                if -1 <= k < steps:
                    pair = (row0, row1) if (first_step + k) % 4 == 0 else (row2, row3)
                    even = out[k, first : first + n] if k >= 0 else spare[:n]
                    odd = out[k + 1, first : first + n] if k + 1 < steps else spare[:n]
                    to_normals(*pair, even, odd, factor)


_fill_all_normals = compiled(_fill_normals)


def fill_normals(
    out: NDArray[np.floating],
    scale: NDArray[np.floating],
    first_step: int,
    seed: int,
    stream: int,
    first_column: int = 0,
) -> None:
    """Fill an array with standard normal numbers, drawn in float32, times `scale`.

    Parameters
    ----------
    out : float32 or float64, shape (steps, columns), C-contiguous
        Filled with those of the steps from first_step on and of the columns from first_column on; whole groups of four
        steps, which begin at multiples of 4, cost least.
    scale : of the dtype of `out`, shape (columns,) or (1,)
    first_step, first_column : int
    seed, stream : int, below 2^32
        The key.
    """
    width = min(_WIDTH, out.shape[1])
    words, spare = np.empty((4, width), np.uint32), np.empty(width, out.dtype)
    if scale.size == 1:
        scale = np.repeat(scale, width)
    _fill_all_normals(out, scale, first_step, first_column, seed, stream, words, spare)


def _relax(values, x, mean, kick, pull):
    """Ornstein-Uhlenbeck process: turn normal numbers, shape (steps, columns), into its values, in place, step by step.

    x <- x + pull (mean - x) + kick value, then value <- x. x, mean, kick: float64, shape (columns,), whatever the dtype
    of the values: in a slow process x moves by less than a float32 can.
    """
    add_attribute(WIDEST)
    for first in range(0, x.size, _WIDTH):  # what x holds of them stays in the first cache
        last = min(first + _WIDTH, x.size)
        x_part, mean_part, kick_part = x[first:last], mean[first:last], kick[first:last]
        for k in range(len(values)):
            row = values[k, first:last]  # a row of the loop `for row in values` would not be known to be contiguous
            for i in range(row.size):
                x_part[i] += pull * (mean_part[i] - x_part[i]) + kick_part[i] * row[i]
                row[i] = x_part[i]


relax = compiled(_relax)


def _fill_arrivals(times, columns, numbers, after, count, until, most, seed, stream):
    """Write down the arrivals of a Poisson process in each column, up to `until`. Returns how many were written.

    Columns whose arrivals do not all fit into `times` are left at the first one that does not.

    Parameters
    ----------
    times, columns, numbers : arrays of one length
        Filled, in the order of columns: time (ms), column and number, within its column, of each arrival.
    after : float64, shape (columns,), ms
        When the next arrival of each column is due; moved on.
    count : int64, shape (columns,)
        The number of that arrival; moved on.
    until : float, ms
    most : float64, shape (columns,) or (1,), 1/ms
        Rates.
    seed, stream : int, below 2^32
        The key.
    """
    key, n = (u8(seed) & _LOW, u8(stream) & _LOW), 0
    for i in range(after.size):
        while after[i] <= until and n < times.size:
            times[n], columns[n], numbers[n] = after[i], i, count[i]
            n += 1
            count[i] += 1
            after[i] += waiting_time(u8(count[i]), u8(i), key) / most[i % most.size]
    return n


@inlined
def waiting_time(number, column, key):
    """Exponential number of mean 1: the time before arrival `number` of a column, in units of 1 / rate."""
    high, low, _, _ = words(number, column, key)
    return -np.log(((high & _LOW) * 2.0**32 + (low & _LOW) + 0.5) * 2.0**-64)


fill_arrivals = compiled(_fill_arrivals)


def _fill_first(after, most, now, seed, stream):
    """Set after, float64 (columns,), ms, to the first arrival of each column after `now`. most: rates, 1/ms."""
    key = u8(seed) & _LOW, u8(stream) & _LOW
    for i in range(after.size):
        after[i] = now + waiting_time(u8(0), u8(i), key) / most[i % most.size]


fill_first = compiled(_fill_first)


def _fill_thinning(keep, columns, numbers, share, seed, stream):
    """Thin out a Poisson process: keep arrival k with probability share[k].

    Parameters
    ----------
    keep : bool, shape (arrivals,)
        Filled.
    columns, numbers : shape (arrivals,)
        As `fill_arrivals` wrote them.
    share : float64, shape (arrivals,), 0 to 1
    seed, stream : int, below 2^32
        The key.
    """
    key = u8(seed) & _LOW, u8(stream) & _LOW
    for k in range(keep.size):
        _, _, word, _ = words(u8(numbers[k]), u8(columns[k]), key)
        keep[k] = ((word & _LOW) + 0.5) * 2.0**-32 < share[k]


fill_thinning = compiled(_fill_thinning)
