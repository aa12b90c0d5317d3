"""One Taylor step of sixteen neurons side by side, each with a step size of its own.

The equations (`kernels.simd_rows`) consist of products and sums, so the coefficients of order k + 1 follow from those
up to k (Parker and Sochacki; R. D. Stewart and W. Bair 2009, doi:10.1007/s10827-008-0131-5). The order is fixed, the
step size follows from the last two coefficients, and the code is one straight line of fused operations in fixed order:
a neuron's bits do not depend on its neighbours.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from izhnumba._exact.kernels.simd_rows import LANES, LAST_TERMS, LONGEST, ORDER, SMALLEST, ReceptorKind, SimdRows
from izhnumba._numba.compile import called
from izhnumba._numba.intrinsics import ALIGNED, WIDEST, add_attribute


class _Vectors:
    """Arithmetic of LANES numbers, written as LLVM code: of two vectors, for one would wait for its own results."""

    def __init__(self, builder) -> None:
        self.builder, self.number = builder, ir.DoubleType()
        self.vector = ir.VectorType(self.number, LANES)
        self.mul, self.add, self.sub = builder.fmul, builder.fadd, builder.fsub
        self._fma, self._abs = self._llvm("fma", 3), self._llvm("fabs", 1)

    def _llvm(self, name: str, n: int):
        kind = ir.FunctionType(self.vector, [self.vector] * n)
        return cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.v{LANES}f64")

    def fma(self, a, b, c):
        return self.builder.call(self._fma, [a, b, c])

    def abs(self, a):
        return self.builder.call(self._abs, [a])

    def const(self, value: float):
        return ir.Constant(self.vector, [float(value)] * LANES)

    def compare(self, sign: str, a, b):
        return self.builder.fcmp_ordered(sign, a, b)

    def larger(self, a, b):
        return self.builder.select(self.compare(">", a, b), a, b)

    def smaller(self, a, b):
        return self.builder.select(self.compare("<", a, b), a, b)

    def total(self, terms: list[Any]):
        return functools.reduce(self.add, terms)

    def rows(self, address) -> VectorRows:
        return VectorRows(self, self.builder.inttoptr(address, self.vector.as_pointer()))

    def spread(self, value):
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, value, ir.IntType(32)(0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), None))

    def log2(self, a):
        """Logarithm of positive numbers, too large by at most 0.0861: from their bits, so the same on every machine."""
        b, word = self.builder, ir.VectorType(ir.IntType(64), LANES)
        high = b.trunc(b.lshr(b.bitcast(a, word), ir.Constant(word, [32] * LANES)), _half_words())
        return self.fma(b.sitofp(high, self.vector), self.const(2.0**-20), self.const(-1022.914))

    def exp2(self, a):
        """2^a, too small by at most 6 %: from the bits, so the same on every machine."""
        b, word = self.builder, ir.VectorType(ir.IntType(64), LANES)
        high = b.fptosi(self.mul(self.add(a, self.const(1022.914)), self.const(2.0**20)), _half_words())
        return b.bitcast(b.shl(b.zext(high, word), ir.Constant(word, [32] * LANES)), self.vector)

    def inner(self, a: list[Any], b: list[Any], k: int, last: int):
        """The sum of a[i] b[k - i] for i from `last` down to 1, 0 without terms: products of late factors come last."""
        total = self.const(0.0)
        for i in range(last, 0, -1):
            total = self.mul(a[i], b[k - i]) if i == last else self.fma(a[i], b[k - i], total)
        return total

    def value(self, coefficients: list[Any], h, h2):
        """The value of a polynomial at h: even and odd powers apart, which halves the latency. h2: h^2."""
        even, odd = coefficients[-1], coefficients[-2]
        for k in range(ORDER - 2, -1, -1):
            if k % 2 == 0:
                even = self.fma(even, h2, coefficients[k])
            else:
                odd = self.fma(odd, h2, coefficients[k])
        return self.fma(odd, h, even)


def _half_words():
    return ir.VectorType(ir.IntType(32), LANES)


class VectorRows:
    """Rows of LANES numbers in memory: rows[k] loads or stores one as a vector."""

    def __init__(self, vectors: _Vectors, pointer) -> None:
        self._builder, self._pointer = vectors.builder, pointer

    def _at(self, row: int):
        return self._builder.gep(self._pointer, [ir.IntType(64)(row)])

    def __getitem__(self, row: int):
        return self._builder.load(self._at(row), align=8)

    def __setitem__(self, row: int, value) -> None:
        self._builder.store(value, self._at(row), align=8)


def _expand(
    v: _Vectors, R: SimdRows, rows: VectorRows, linear: list[Any]
) -> tuple[list[Any], list[Any], list[list[Any]]]:
    """Taylor coefficients, order 0 to ORDER, of x, y and each state of the receptors. linear: alpha, beta, delta, gamma
    of each receptor."""
    A, B = rows[R.A], rows[R.B]
    x, y = [rows[R.X]], [rows[R.Y]]
    z = [[rows[R.Z + j]] for j in range(R.n_z)]
    G = list[Any]()
    conductances = [first for first, kind in zip(R.first_states(), R.receptors, strict=True) if kind.conductance]
    currents = [first for first, kind in zip(R.first_states(), R.receptors, strict=True) if not kind.conductance]
    for k in range(ORDER):
        weight = v.const(1 / (k + 1))
        if conductances:
            G.append(v.sub(v.const(0.0), v.total([z[first][k] for first in conductances])))
        half = v.inner(x, x, k, (k - 1) // 2)  # of the products that come twice, without that of x[0]
        f = v.add(half, half)
        if k > 0 and k % 2 == 0:
            f = v.fma(x[k // 2], x[k // 2], f)
        if k > 0 and conductances:
            f = v.add(f, v.inner(G, x, k, k))
        for n, first in enumerate(conductances):
            f = v.fma(rows[R.XE + n], z[first][k], f)
        f = v.total([f, *([rows[R.I]] if k == 0 else []), *(z[first][k] for first in currents), y[k]])
        once = v.add(x[0], G[0]) if conductances else x[0]
        f = v.fma(once if k == 0 else v.add(once, x[0]), x[k], f)  # last: what has just been computed comes in late
        x.append(v.mul(f, weight) if k else f)
        g = v.fma(A, x[k], v.mul(B, y[k]))
        g = v.add(g, rows[R.C]) if k == 0 else g
        y.append(v.mul(g, weight) if k else g)
        for number, (first, receptor) in enumerate(zip(R.first_states(), R.receptors, strict=True)):
            alpha, beta, delta, gamma = linear[4 * number : 4 * number + 4]
            one = v.mul(alpha, z[first][k])
            if receptor.states == 2:
                one = v.fma(beta, z[first + 1][k], one)
                other = v.fma(delta, z[first][k], v.mul(gamma, z[first + 1][k]))
                z[first + 1].append(v.mul(other, weight))
            z[first].append(v.mul(one, weight))
    return x, y, z


def _step_size(v: _Vectors, x: list[Any], z: list[list[Any]]):
    """The length of a step (ms) at which its last two terms are within LAST_TERMS."""
    longest = v.const(math.log2(LONGEST))
    for k in (ORDER, ORDER - 1):
        size = v.const(SMALLEST)
        for coefficients in (x, *z):
            size = v.larger(size, v.abs(coefficients[k]))
        longest = v.smaller(longest, v.mul(v.sub(v.const(math.log2(LAST_TERMS)), v.log2(size)), v.const(1 / k)))
    return v.exp2(longest)


def _floor_of_pull(v: _Vectors, R: SimdRows, rows: VectorRows, y: list[Any], z: list[list[Any]], h, h2):
    """A lower bound of x' - x^2 with x at the threshold, all through a step h.

    Parameters
    ----------
    v : _Vectors
    R : SimdRows
    rows : VectorRows
    y, z : list of vectors, list of such lists
        Coefficients of y and of each state of the receptors, from order 0 to ORDER.
    h, h2 : vector, ms
        The step, and its square.
    """
    currents, G, n = list[int](), list[Any](), 0
    for first, receptor in zip(R.first_states(), R.receptors, strict=True):
        if receptor.conductance:
            G.append((first, v.sub(rows[R.XE + n], rows[R.THETA])))
            n += 1
        else:
            currents.append(first)

    def term(k: int):
        total = v.total([y[k], *(z[first][k] for first in currents)])
        for first, pull in G:
            total = v.fma(pull, z[first][k], total)
        return total

    sizes = [v.const(0.0), *(v.abs(term(k)) for k in range(1, ORDER + 1))]
    return v.sub(v.add(term(0), rows[R.I]), v.value(sizes, h, h2))


def _write_step(builder, R: SimdRows, arguments):
    """LLVM code of `step(simd, numbers, end)` -> masks, as `step_of` describes it."""
    v = _Vectors(builder)
    rows, end = v.rows(arguments[0]), v.spread(arguments[2])
    numbers = builder.inttoptr(arguments[1], v.number.as_pointer())
    linear = [v.spread(builder.load(builder.gep(numbers, [ir.IntType(64)(k)]))) for k in range(4 * len(R.receptors))]
    x, y, z = _expand(v, R, rows, linear)
    t, limit, refractory_until = rows[R.T], rows[R.LIMIT], rows[R.REFRACTORY_UNTIL]
    full, room = _step_size(v, x, z), v.sub(limit, t)
    h = v.smaller(full, room)
    reached, h2 = v.compare(">=", h, room), v.mul(h, h)
    when = builder.select(reached, limit, v.add(t, h))
    new = [when, v.value(x, h, h2), v.value(y, h, h2), refractory_until, *(v.value(one, h, h2) for one in z)]
    safe = v.compare(">", v.add(_floor_of_pull(v, R, rows, y, z, full, v.mul(full, full)), rows[R.LEMMA]), v.const(0.0))
    crossed = v.compare(">=", v.fma(rows[R.KAPPA], new[R.Y], new[R.X]), rows[R.THETA])
    late, stuck, refractory = v.compare(">", when, end), v.compare("<=", when, t), v.compare(">", refractory_until, t)
    other = functools.reduce(builder.or_, [crossed, stuck, refractory, builder.not_(safe)])
    trouble, beyond = builder.or_(other, late), builder.and_(late, builder.not_(other))
    rows[R.H], rows[R.FULL], rows[R.SAFE] = h, full, builder.uitofp(safe, v.vector)
    for k, value in enumerate(new):
        rows[R.NEW + k] = value
        if k != R.REFRACTORY_UNTIL:
            rows[k] = builder.select(trouble, rows[k], value)
    with builder.if_then(builder.icmp_unsigned("!=", builder.bitcast(other, ir.IntType(LANES)), ir.IntType(LANES)(0))):
        firsts = [R.CX, R.CY, *(R.CZ + j * (ORDER + 1) for j in range(R.n_z))]
        for first, coefficients in zip(firsts, (x, y, *z), strict=True):
            for k, one in enumerate(coefficients):
                rows[first + k] = one
    masks = ir.IntType(64)(0)
    for k, mask in enumerate((builder.or_(trouble, reached), trouble, beyond)):
        bits = builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))
        masks = builder.or_(masks, builder.shl(bits, ir.IntType(64)(k * LANES)))
    return masks


@functools.cache
def step_of(receptors: tuple[ReceptorKind, ...]):
    """`step(simd, numbers, end)` -> masks: expand the neurons of all lanes, and move on those that reach no threshold,
    stay before the end (ms), are not refractory, and for which no crossing can hide within the step.

    simd, numbers: addresses of the SIMD rows and of NUMBERS. Bit k of the masks: lane k needs attention, for it has
    been left where it was, or has reached its LIMIT; bit LANES + k: it has been left where it was; bit 2 LANES + k: it
    has, and for no other reason than that the step ends beyond the end. The coefficients are written if another lane
    than such has been left."""
    R = SimdRows(receptors)

    @intrinsic
    def write(typingctx, address, numbers, end):
        def generate(context, builder, signature, arguments):
            return _write_step(builder, R, arguments)

        return types.int64(types.int64, types.int64, types.float64), generate

    def step(address, numbers, end):
        add_attribute(WIDEST)
        add_attribute(ALIGNED)
        return write(address, numbers, end)

    return called(step)
