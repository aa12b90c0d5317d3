"""Random numbers without state: each is a function of a key and of the step and column (neuron) it is for.

The generator is Philox4x32-10 (J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011,
doi:10.1145/2063384.2063405). The key is (seed, stream), the counter (step // 4, column), and the four words of a call
belong to the steps 4 j to 4 j + 3 of one column. So any piece of the table steps x columns can be filled alone, in any
order and by any thread, with the same bits. Integers, additions, products, square roots and fused multiply-adds round
alike on every machine, and what is fused is written as such: a seed means the same numbers everywhere. Processors
without a fused multiply-add (x86-64 before 2013) call the C library's, and take many times as long for normals.
"""

import numpy as np
from numpy.typing import NDArray

from izhnumba._numba.compile import compiled, inlined
from izhnumba._numba.intrinsics import WIDEST, add_attribute, fma, interleaved

u4, u8, i4, f4 = np.uint32, np.uint64, np.int32, np.float32

_LOW, _32 = u8(0xFFFFFFFF), u8(32)
_FACTOR_0, _FACTOR_1 = u8(0xD2511F53), u8(0xCD9E8D57)
_WEYL_0, _WEYL_1 = u8(0x9E3779B9), u8(0xBB67AE85)  # golden ratio, sqrt(3) - 1: what a round adds to the key


@inlined
def words(group, column, key):
    """The four 32-bit words of one column, in the low halves of uint64. group = step // 4; key = (seed, stream);
    uint64."""
    return _words(group & _LOW, group >> _32, column & _LOW, column >> _32, key)


@inlined
def _words(c0, c1, c2, c3, key):
    k0, k1 = key
    for _ in range(10):
        p0, p1 = (c0 & _LOW) * _FACTOR_0, (c2 & _LOW) * _FACTOR_1
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1, (p0 >> _32) ^ c3 ^ k1, p0
        k0, k1 = k0 + _WEYL_0, k1 + _WEYL_1
    return c0, c1, c2, c3


def fill_words(row0, row1, row2, row3, group, first_column, key):
    """Fill four rows with the words of the columns from `first_column` on.

    In between, words are in the low halves of 64 bits, as the packed multiply takes them; high halves may hold
    anything. What columns have in common, half of the first two rounds, is computed once.

    Parameters
    ----------
    row0, row1, row2, row3 : uint32, shape (columns,)
        Filled: row j belongs to step 4 group + j.
    group : uint64
        step // 4.
    first_column : uint64
        No multiple of 2^32 may lie between it and the last column.
    key : pair of uint64
        Seed and stream, each below 2^32.
    """
    add_attribute(WIDEST)
    low, high = first_column & _LOW, first_column >> _32
    for i in range(row0.size):
        c0, c1, c2, c3 = _words(group & _LOW, group >> _32, low + u8(i), high, key)
        row0[i], row1[i], row2[i], row3[i] = u4(c0), u4(c1), u4(c2), u4(c3)
    interleaved(2)  # ten rounds, each of which waits for the one before: two vectors alone do not fill the processor


# Minimax fits: -log(1 + f) / f on [sqrt(1/2) - 1, sqrt(2) - 1], relative error 1.7e-7 of the log;
# sin(pi/4 t) / t and cos(pi/4 t) in powers of t^2 on [-1, 1], errors 2.4e-9 and 2.8e-8.
_LOG = tuple(f4(c) for c in (
    -0.9999999453106901, 0.5000036512438462, -0.3333505892260407, 0.24969908988412134, -0.19900166119853543,
    0.17250831389705215, -0.16222575792274235, 0.1010688409348108))  # fmt: skip
_SIN = tuple(f4(c) for c in (0.785398160983403, -0.08074543483021265, 0.0024900071270960306, -3.5954507784187516e-05))
_COS = tuple(f4(c) for c in (0.9999999724233207, -0.30842425356194914, 0.015849915256883645, -0.0003188805083826785))
_ONE, _TO_UNIT = f4(1.0), f4(2.0**-31)
_ROOT_HALF, _EXPONENT = i4(0x3F3504F3), i4(-(1 << 23))  # bits of sqrt(1/2), and where the exponent is
_LN2 = f4(-np.log(2) * 2.0**-23)  # for an exponent that is still in its place
_32_LN2 = f4(-(32 << 23) * _LN2)  # what a division by 2^32 takes from the logarithm: exact
_SIGN, _1, _2 = u4(1 << 31), u4(1), u4(2)
WIDTH = 512  # columns that are made at a time: what lies between words and normals stays in the first cache


def to_normals(words, even, odd, scale, shift):
    """Box-Muller: turn two rows of words into two rows of normals, at most 6.66 in size, times `scale`,
    plus `shift`.

    The first word gives the radius sqrt(-2 log x), x = (word | 1) / 2^32. The second gives a sign for each of the two
    normals and an angle between -45 and 45 degrees; turned by 45 degrees it fills the first quadrant, where cosine and
    sine are (cos - sin) / sqrt(2) and (cos + sin) / sqrt(2). The roots of 2 cancel.

    Parameters
    ----------
    words : uint32, shape (2 WIDTH,) or more
        The first row, and from WIDTH on the second.
    even, odd : real, shape (columns,)
        Filled.
    scale, shift : float32 and real, shape (columns,) or more
    """
    add_attribute(WIDEST)
    for i in range(even.size):
        a, b = words[i], words[WIDTH + i]
        bits = np.float32(u4(a | _1)).view(np.int32)
        exponent = i4(i4(bits - _ROOT_HALF) & _EXPONENT)
        f = i4(bits - exponent).view(np.float32) - _ONE
        c = _LOG
        p = fma(fma(fma(fma(c[7], f, c[6]), f, c[5]), f, c[4]), f, c[3])
        p = fma(fma(fma(p, f, c[2]), f, c[1]), f, c[0])
        radius = np.float32(scale[i] * np.sqrt(fma(p, f, fma(f4(exponent), _LN2, _32_LN2))))
        t = f4(i4(u4(b << _2))) * _TO_UNIT
        z = t * t
        c = _SIN
        sine = fma(fma(fma(c[3], z, c[2]), z, c[1]), z, c[0]) * t
        c = _COS
        cosine = fma(fma(fma(c[3], z, c[2]), z, c[1]), z, c[0])
        x, y = np.float32(cosine + sine), np.float32(cosine - sine)
        x = u4(x.view(np.uint32) ^ (b & _SIGN)).view(np.float32)
        y = u4(y.view(np.uint32) ^ (u4(b << _1) & _SIGN)).view(np.float32)
        even[i] = np.float32(radius * x) + shift[i]
        odd[i] = np.float32(radius * y) + shift[i]


def _fill_normals(out, scale, shift, first_step, first_column, seed, stream, words, spare):
    """Fill an array with normals times `scale`, plus `shift`.

    Parameters
    ----------
    out : real, shape (steps, columns)
        Filled.
    scale, shift : float32 and real, shape (columns,), or (WIDTH,) if it is the same for all
    first_step, first_column : int
    seed, stream : int, below 2^32
        The key.
    words : uint32, shape (4 WIDTH,)
    spare : real, shape (WIDTH,)
        Scratch for WIDTH columns at a time.
    """
    key = u8(seed) & _LOW, u8(stream) & _LOW
    columns, steps = out.shape[1], len(out)
    for group in range(first_step // 4, (first_step + steps + 3) // 4):
        for first in range(0, columns, WIDTH):
            n = min(WIDTH, columns - first)
            row0, row1, row2, row3 = words[:n], words[WIDTH:][:n], words[2 * WIDTH :][:n], words[3 * WIDTH :][:n]
            fill_words(row0, row1, row2, row3, u8(group), u8(first_column + first), key)
            factor = scale[first : first + n] if scale.size == columns else scale[:n]
            added = shift[first : first + n] if shift.size == columns else shift[:n]
            for k in range(4 * group - first_step, 4 * group - first_step + 4, 2):
                if -1 <= k < steps:
                    pair = words if (first_step + k) % 4 == 0 else words[2 * WIDTH :]
                    even = out[k, first : first + n] if k >= 0 else spare[:n]
                    odd = out[k + 1, first : first + n] if k + 1 < steps else spare[:n]
                    to_normals(pair, even, odd, factor, added)


_fill_all_normals = compiled(_fill_normals)


def fill_normals(
    out: NDArray[np.floating],
    scale: NDArray[np.float32],
    shift: NDArray[np.floating],
    first_step: int,
    seed: int,
    stream: int,
    first_column: int = 0,
) -> None:
    """Fill an array with standard normal numbers, drawn in float32, times `scale`, plus `shift`.

    Parameters
    ----------
    out : float32 or float64, shape (steps, columns), C-contiguous
        Filled with those of the steps from first_step on and of the columns from first_column on; whole groups of four
        steps, which begin at multiples of 4, cost least.
    scale, shift : float32 and of the dtype of `out`, shape (columns,) or (1,)
    first_step, first_column : int
        Columns are below 2^32.
    seed, stream : int, below 2^32
        The key.
    """
    words, spare = np.empty(4 * WIDTH, np.uint32), np.empty(WIDTH, out.dtype)
    scale, shift = (np.repeat(one, WIDTH) if one.size == 1 else one for one in (scale, shift))
    _fill_all_normals(out, scale, shift, first_step, first_column, seed, stream, words, spare)


def to_uniforms(words, row, low, width):
    """Turn words into uniform numbers.

    Parameters
    ----------
    words : uint32, shape (columns,) or more
    row : real, shape (columns,)
        Filled.
    low, width : float64, shape (columns,) or more
    """
    add_attribute(WIDEST)
    for i in range(row.size):
        signed = i4(words[i] ^ _SIGN)  # which processors convert by themselves
        row[i] = fma(width[i], signed * 2.0**-32 + 0.5, low[i])


def _fill_uniforms(out, low, width, first_step, seed, stream, words):
    """Fill an array with uniform numbers from 0 on, below 1, times `width`, plus `low`.

    Parameters
    ----------
    out : real, shape (steps, columns)
        Filled.
    low, width : float64, shape (columns,), or (WIDTH,) if it is the same for all
    first_step : int
    seed, stream : int, below 2^32
        The key.
    words : uint32, shape (4 WIDTH,)
        Scratch for WIDTH columns at a time.
    """
    key = u8(seed) & _LOW, u8(stream) & _LOW
    columns, steps = out.shape[1], len(out)
    for group in range(first_step // 4, (first_step + steps + 3) // 4):
        for first in range(0, columns, WIDTH):
            n = min(WIDTH, columns - first)
            row0, row1, row2, row3 = words[:n], words[WIDTH:][:n], words[2 * WIDTH :][:n], words[3 * WIDTH :][:n]
            fill_words(row0, row1, row2, row3, u8(group), u8(first), key)
            begin = 0 if low.size != columns else first
            for j in range(4):
                k = 4 * group + j - first_step
                if 0 <= k < steps:
                    to_uniforms(words[j * WIDTH :], out[k, first : first + n], low[begin:], width[begin:])


_fill_all_uniforms = compiled(_fill_uniforms)


def fill_uniforms(
    out: NDArray[np.floating],
    low: NDArray[np.float64],
    width: NDArray[np.float64],
    first_step: int,
    seed: int,
    stream: int,
) -> None:
    """Fill an array with uniform numbers from `low` on, below low + width but for rounding.

    Parameters
    ----------
    out : float32 or float64, shape (steps, columns), C-contiguous
        Filled with those of the steps from first_step on.
    low, width : float64, shape (columns,) or (1,)
    first_step : int
    seed, stream : int, below 2^32
        The key.
    """
    low, width = (np.full(WIDTH, one) if one.size == 1 else np.ascontiguousarray(one) for one in (low, width))
    _fill_all_uniforms(out, low, width, first_step, seed, stream, np.empty(4 * WIDTH, np.uint32))


def relax_row(row, x, keep):
    """Ornstein-Uhlenbeck process: x <- keep x + number, then number <- x, for the numbers of a step.

    Parameters
    ----------
    row : real, shape (columns,)
        Normal numbers with the mean (1 - keep) mean and the standard deviation std sqrt(1 - keep^2), replaced.
    x : float64, shape (columns,), whatever the dtype of the row
        The values of the step before, changed: in a slow process they move by less than a float32 can.
    keep : float
        exp(-dt / tau).
    """
    add_attribute(WIDEST)
    for i in range(row.size):
        x[i] = fma(keep, x[i], row[i])
        row[i] = x[i]


def _relax(values, x, keep):
    """Relax rows of numbers, shape (steps, columns), step by step."""
    for first in range(0, x.size, WIDTH):  # what x holds of them stays in the first cache
        last = min(first + WIDTH, x.size)
        for k in range(len(values)):
            row = values[k, first:last]  # a row of the loop `for row in values` would not be known to be contiguous
            relax_row(row, x[first:last], keep)


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
