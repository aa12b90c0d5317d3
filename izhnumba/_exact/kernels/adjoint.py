"""Adjoint sensitivities of the state at a spike, integrated backwards to the previous spike.

Between two spikes V and u obey (V', u') = K m with the monomials m = (V^2, V, 1, u, I). A small change of (V, u) at a
time changes V, or u, at the end by its product with l. That is (1, 0), or (0, 1), at the end, and before obeys
l' = -J^T l with the Jacobian J; a small change of K[a, m] changes them by the integral of l[a] m. V and u follow from
Taylor series step by step to the end, as in the exact engine, and l from series around the ends of these steps, back to
the start.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._exact.kernels.simd_rows import LONGEST, ORDER, SMALLEST, TOLERANCE
from izhnumba._numba.compile import CONTRACT, compiled

Array = NDArray[Any]
SQUARE, LINE, ONE, BY_U, BY_I = range(5)  # columns of K: V^2, V, 1, u, I
V, U, VV, L, VL = 0, 1, 2, 3, 5  # rows of coefficients: V, u, V^2, two of l, two of V l
N_ROWS = 7
H, END_V, END_U, PIECE = range(4)  # of a step: its length (ms), the state at its end and the piece of the input
_FIRST_ROOM = 1024  # steps


class Stretches(NamedTuple):
    """The courses that lead to S spikes, each from the end of the refractory period of the spike before, or from time
    0. Times in ms; float64 but for `neuron`."""

    neuron: Array  # (S,): row of K and column of the input
    span: Array  # (S, 2): time of the start and of the spike
    begin: Array  # (S, 2): V and u at the start
    end: Array  # (S, 2): V and u just before the spike
    slopes: Array  # (S, 2, 2): V' and u' at the start and just before the spike
    back: Array  # (S, 2, 2): l at the start, for V and for u at the end
    terms: Array  # (S, 2, 2, 5): derivatives of V and u at the end by each K[a, m]
    pieces: Array  # (S, 2, pieces): derivatives of V and u at the end by I in each piece of the input


def follow(which, stretches: Stretches, K, edges, levels) -> None:
    """Compute `end` to `pieces`, which must be 0 before, of the stretches `which` from their neurons, spans and starts.

    K: (neurons, 2, 5). edges: (pieces,), ms, the first 0, from which on I is levels, (pieces, neurons).
    """
    done, room, scratch = 0, _FIRST_ROOM, np.empty((N_ROWS, ORDER + 1))
    while done < len(which):
        done = _kernel()(which, done, stretches, K, edges, levels, np.empty((room, 4)), scratch)
        room *= 2  # if it is not done, it had no room for one more step


@functools.cache
def _kernel():
    return compiled(_follow, fastmath=CONTRACT)


def _follow(which, first, stretches, K, edges, levels, steps, s):
    """The stretches `which` from the one at place `first` on. Returns the place after the last that is done.

    Parameters
    ----------
    which : int64 (k,)
    first : int
    stretches, K, edges, levels
        As of `follow`.
    steps : float64 (room, 4)
        Scratch memory, a row per step: H, END_V, END_U, PIECE.
    s : float64 (N_ROWS, ORDER + 1)
        Scratch memory for Taylor coefficients.
    """
    for j in range(first, len(which)):
        spike = which[j]
        neuron = stretches.neuron[spike]
        n = _forwards(stretches, spike, K[neuron], edges, levels[:, neuron], steps, s)
        if n < 0:
            return j
        _backwards(stretches, spike, K[neuron], levels[:, neuron], steps, n, s)
    return len(which)


def _forwards(stretches, spike, k, edges, I, steps, s):
    """Integrate V and u to the spike. Returns the number of steps, or -1 if there is no room for them.

    Parameters
    ----------
    stretches : Stretches
    spike : int
        Its place in them.
    k : float64 (2, 5)
        K of the neuron.
    edges, I : float64 (pieces,)
        From which time (ms) on the input is I.
    steps, s
        As of `_follow`.
    """
    t, stop = stretches.span[spike, 0], stretches.span[spike, 1]
    v, u = stretches.begin[spike, 0], stretches.begin[spike, 1]
    n, piece = 0, 0
    while t < stop:
        if n == len(steps):
            return -1
        while piece + 1 < len(edges) and edges[piece + 1] <= t:
            piece += 1
        limit = min(stop, edges[piece + 1]) if piece + 1 < len(edges) else stop
        _expand(k, v, u, I[piece], 1.0, s)
        h = _step_size(k, s)
        if n == 0:
            stretches.slopes[spike, 0, 0], stretches.slopes[spike, 0, 1] = s[V, 1], s[U, 1]
        t, h = (t + h, h) if t + h < limit else (limit, limit - t)
        v, u = _value(s, V, h), _value(s, U, h)
        steps[n, H], steps[n, END_V], steps[n, END_U], steps[n, PIECE] = h, v, u, piece
        n += 1
    stretches.end[spike, 0], stretches.end[spike, 1] = v, u
    return n


def _backwards(stretches, spike, k, I, steps, n, s):
    """Integrate l, for V and for u at the end, from the spike back to the start, and sum up `terms` and `pieces`.

    Parameters
    ----------
    stretches, spike, k, I, steps, s
        As of `_forwards`.
    n : int
        Steps that it took.
    """
    back = stretches.back[spike]
    back[0, 0] = back[1, 1] = 1.0
    for step in range(n - 1, -1, -1):
        h, piece = steps[step, H], np.intp(steps[step, PIECE])
        _expand(k, steps[step, END_V], steps[step, END_U], I[piece], -1.0, s)
        if step == n - 1:
            stretches.slopes[spike, 1, 0], stretches.slopes[spike, 1, 1] = -s[V, 1], -s[U, 1]
        for o in range(2):
            s[L, 0], s[L + 1, 0] = back[o, 0], back[o, 1]
            stretches.pieces[spike, o, piece] += _expand_adjoint(k, I[piece], h, s, stretches.terms[spike, o])
            back[o, 0], back[o, 1] = _value(s, L, h), _value(s, L + 1, h)


def _expand(k, v, u, I, sign, s):
    """Write the Taylor coefficients of V, u and V^2 in sign * time to the rows V, U and VV of s.

    Parameters
    ----------
    k : float64 (2, 5)
        K of the neuron.
    v, u, I : float
        State and input.
    sign : 1.0 or -1.0
    s : float64 (N_ROWS, ORDER + 1)
    """
    s[V, 0], s[U, 0] = v, u
    for n in range(ORDER + 1):
        square = 0.0
        for j in range((n + 1) // 2):
            square += s[V, j] * s[V, n - j]
        square = 2.0 * square + (s[V, n // 2] ** 2 if n % 2 == 0 else 0.0)
        s[VV, n] = square
        for a in range(2 if n < ORDER else 0):
            slope = k[a, SQUARE] * square + k[a, LINE] * s[V, n] + k[a, BY_U] * s[U, n]
            slope += k[a, ONE] + k[a, BY_I] * I if n == 0 else 0.0
            s[a, n + 1] = sign * slope / (n + 1)


def _expand_adjoint(k, I, h, s, terms):
    """Write the Taylor coefficients of l, backwards in time, to the rows L of s, and add the integrals of l[a] m over a
    step h to `terms`. Returns the derivative by I in this step."""
    owed, power = 0.0, h
    for n in range(ORDER + 1):
        weight = power / (n + 1)
        for a in range(2):
            l, of_square, of_V, of_u = s[L + a, n], 0.0, 0.0, 0.0
            for j in range(n + 1):
                of_square += s[VV, j] * s[L + a, n - j]
                of_V += s[V, j] * s[L + a, n - j]
                of_u += s[U, j] * s[L + a, n - j]
            s[VL + a, n] = of_V
            terms[a, SQUARE] += weight * of_square
            terms[a, LINE] += weight * of_V
            terms[a, ONE] += weight * l
            terms[a, BY_U] += weight * of_u
            terms[a, BY_I] += weight * l * I
            owed += weight * l * k[a, BY_I]
        if n < ORDER:
            by_V = by_u = 0.0
            for a in range(2):
                by_V += 2.0 * k[a, SQUARE] * s[VL + a, n] + k[a, LINE] * s[L + a, n]
                by_u += k[a, BY_U] * s[L + a, n]
            s[L, n + 1], s[L + 1, n + 1] = by_V / (n + 1), by_u / (n + 1)
        power *= h
    return owed


def _step_size(k, s):
    """The step size (ms) of the exact engine, or less: the series of l, which moves while V rests, must be as good."""
    longest = LONGEST
    for n in (ORDER, ORDER - 1):
        size = max(abs(k[0, SQUARE] * s[V, n]), SMALLEST)
        longest = min(longest, math.exp((math.log(TOLERANCE) - math.log(size)) / n))
    fastest = max(abs(2.0 * k[0, SQUARE] * s[V, 0] + k[0, LINE]), abs(k[1, BY_U]))
    return min(longest, 1.5 / (fastest + math.sqrt(abs(k[0, BY_U] * k[1, LINE]))))


def _value(s, row, h):
    total = s[row, ORDER]
    for n in range(ORDER - 1, -1, -1):
        total = total * h + s[row, n]
    return total
