"""Poisson spikes of many neurons, without a number for each of them that has none.

Trains of independent neurons are together one train, of the sum of their rates: the spikes of a step are as many as a
Poisson number of the sum of the means, and each falls to a neuron by itself, with a probability in proportion to its
mean. That is the law of independent Poisson numbers, exactly, and costs in proportion to the spikes. All numbers of
step k come from the counters (k, ...) of `philox`, so that steps can be made one by one, and in any order.
"""

import math

from izhnumba._numba.compile import compiled
from izhnumba._numba.intrinsics import WIDEST, add_attribute
from izhnumba._numba.philox import _LOW, _32, fill_words, u4, u8, words

_HOW_MANY = u8(1 << 40)  # the counter's second half for the number of spikes; those from 0 on are for their neurons
_WHOLE = 2.0**32
_NEGLIGIBLE = 1e-20  # probability of what is never drawn: far below the resolution of the 64 bits


def poisson_quantile(mean, u):
    """The Poisson number of this mean to which u, between 0 and 1, leads.

    The numbers share the interval in the order in which they depart from the most probable one: m, m + 1, m - 1, ... So
    their probabilities follow from one by products, in about sqrt(mean) steps, with errors of rounding alone.
    """
    most = math.floor(mean)
    if most < 16:
        chance = math.exp(-mean)
        for k in range(1, most + 1):
            chance *= mean / k
    else:  # Stirling's series, relative error below 1e-13
        x = 1.0 / most
        series = x * (1 / 12 - x * x * (1 / 360 - x * x * (1 / 1260 - x * x / 1680)))
        above = mean - most
        chance = math.exp(most * math.log1p(above * x) - above - series) / math.sqrt(2 * math.pi * most)
    high, low, up, down = most, most, chance, chance
    u -= chance
    while u >= 0.0:
        high += 1
        up *= mean / high
        u -= up
        if u < 0.0:
            return high
        if low > 0:
            down *= low / mean
            low -= 1
            u -= down
            if u < 0.0:
                return low
        if up < _NEGLIGIBLE and (low == 0 or down < _NEGLIGIBLE):
            break
    return most


def _fill_totals(totals, means, first_step, seed, stream):
    """Draw how many spikes there are in each step.

    Parameters
    ----------
    totals : int64, shape (steps,)
        Filled: Poisson numbers.
    means : float64, shape (steps,) or (1,)
        Of all neurons together, in a step.
    first_step : int
    seed, stream : int, below 2^32
        The key.
    """
    key = u8(seed) & _LOW, u8(stream) & _LOW
    for k in range(totals.size):
        a, b, _, _ = words(u8(first_step + k), _HOW_MANY, key)
        u = ((a & _LOW) * _WHOLE + (b & _LOW) + 0.5) / (_WHOLE * _WHOLE)
        totals[k] = poisson_quantile(means[k % means.size], u)


fill_totals = compiled(_fill_totals)


def _fill_shares(share, other, means, stack):
    """Make a table from which a neuron is drawn with a probability in proportion to its mean, by Walker's method in
    Vose's form (1991, doi:10.1109/32.92917): neuron i, each being as likely, is kept with probability share[i] / 2^32,
    and else replaced by other[i].

    Parameters
    ----------
    share, other : uint32, shape (neurons,)
        Filled.
    means : float64, shape (neurons,), >= 0, not all 0
        Each is left as a multiple of the average.
    stack : int64, shape (neurons,)
        Scratch.
    """
    n, total = means.size, 0.0
    for i in range(n):
        total += means[i]
    low, high = 0, n  # neurons below the average are stack[:low], the others stack[high:]
    for i in range(n):
        means[i] *= n / total
        other[i] = i
        if means[i] < 1.0:
            stack[low] = i
            low += 1
        else:
            high -= 1
            stack[high] = i
    while low > 0 and high < n:
        low -= 1
        poor, rich = stack[low], stack[high]
        share[poor], other[poor] = u4(means[poor] * _WHOLE), rich
        means[rich] -= 1.0 - means[poor]
        if means[rich] < 1.0:
            high += 1
            stack[low] = rich
            low += 1
    while low > 0:  # by rounding alone is one left over; the last one that was rich takes what it lacks
        low -= 1
        share[stack[low]] = u4(min(means[stack[low]] * _WHOLE, _WHOLE - 1.0))
        other[stack[low]] = stack[n - 1] if high == n else stack[high]
    while high < n:
        share[stack[high]] = u4(_WHOLE - 1.0)
        high += 1


fill_shares = compiled(_fill_shares)


def _fill_spikes(neurons, weights, starts, totals, weight, share, other, scratch, first_step, seed, stream):
    """Draw the neurons of the spikes of some steps.

    Parameters
    ----------
    neurons : uint32, shape (spikes,)
        Filled.
    weights : real, shape (spikes,)
        Filled: of each spike.
    starts : int64, shape (steps + 1,)
        Where the spikes of each step begin. A step with more spikes than neurons has one entry for each neuron, with
        the sum of its weights.
    totals : int64, shape (steps,)
    weight : real, shape (neurons,)
    share, other : uint32, shape (neurons,) or (0,)
        As `fill_shares` left them; empty if all neurons are as likely.
    scratch : uint32, shape (4, width)
    first_step : int
    seed, stream : int, below 2^32
        The key.
    """
    key, n, width = (u8(seed) & _LOW, u8(stream) & _LOW), weight.size, scratch.shape[1]
    for k in range(totals.size):
        start, summed = starts[k], totals[k] > n
        if summed:
            for i in range(n):
                neurons[start + i], weights[start + i] = i, 0.0
        for first in range(0, (totals[k] + 1) // 2, width):
            half = min(width, (totals[k] + 1) // 2 - first)
            row0, row1, row2, row3 = scratch[0, :half], scratch[1, :half], scratch[2, :half], scratch[3, :half]
            fill_words(row0, row1, row2, row3, u8(first_step + k), u8(first), key)
            choose(row0, row1, n)
            choose(row2, row3, n)
            for row, begin, end in ((0, 0, half), (2, half, min(2 * half, totals[k] - 2 * first))):
                chosen, word = scratch[row], scratch[row + 1]
                place = start + 2 * first + begin
                for j in range(end - begin):
                    i = chosen[j]
                    if share.size:
                        instead = other[i]  # read in any case: a branch that nobody can predict would cost more
                        i = i if word[j] < share[i] else instead
                    if summed:
                        weights[start + i] += weight[i]
                    else:
                        neurons[place + j], weights[place + j] = i, weight[i]


def choose(first, second, n):
    """Make of two rows of words, together 64 bits, a number below n, and what is left over as 32 bits, in place."""
    add_attribute(WIDEST)
    for i in range(first.size):
        product = u8(first[i]) * u8(n) + ((u8(second[i]) * u8(n)) >> _32)
        first[i], second[i] = u4(product >> _32), u4(product & _LOW)


fill_spikes = compiled(_fill_spikes)


def _add_spikes(rows, starts, neurons, weights):
    """Add the weights of spikes to rows, real (steps, neurons): those of step k are starts[k] to starts[k + 1]."""
    for k in range(starts.size - 1):
        row = rows[k]
        for j in range(starts[k], starts[k + 1]):
            row[neurons[j]] += weights[j]


add_spikes = compiled(_add_spikes)


def _clear_spikes(rows, starts, neurons):
    """Set the places of spikes in rows to 0."""
    for k in range(starts.size - 1):
        row = rows[k]
        for j in range(starts[k], starts[k + 1]):
            row[neurons[j]] = 0.0


clear_spikes = compiled(_clear_spikes)
