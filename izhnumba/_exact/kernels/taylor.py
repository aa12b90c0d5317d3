"""One Taylor step of eight neurons side by side, each with a step size of its own.

The equations (`kernels.bench`) hold products and sums alone, so the coefficients of order k + 1 follow from those up
to k (Parker and Sochacki; R. D. Stewart and W. Bair 2009, doi:10.1007/s10827-008-0131-5). The order is fixed, the step
size follows from the last two coefficients, and all is one straight line of fused operations in fixed order: a neuron's
bits do not depend on its neighbours.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from izhnumba._exact.kernels.bench import LANES, LONGEST, ORDER, SMALLEST, TOLERANCE, Bench, PortKind
from izhnumba._numba.compile import called
from izhnumba._numba.intrinsics import WIDEST, add_attribute


class _Vectors:
    """Arithmetic of eight numbers, written as LLVM code."""

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

    def rows(self, address) -> Rows:
        return Rows(self, self.builder.inttoptr(address, self.vector.as_pointer()))

    def spread(self, value):
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, value, ir.IntType(32)(0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), None))

    def log2(self, a):
        """Of positive numbers, too large by at most 0.0861: from the bits, so that it is the same everywhere."""
        b, word = self.builder, ir.VectorType(ir.IntType(64), LANES)
        high = b.trunc(b.lshr(b.bitcast(a, word), ir.Constant(word, [32] * LANES)), _half_words())
        return self.fma(b.sitofp(high, self.vector), self.const(2.0**-20), self.const(-1022.914))

    def exp2(self, a):
        """Too small by at most 6 %."""
        b, word = self.builder, ir.VectorType(ir.IntType(64), LANES)
        high = b.fptosi(self.mul(self.add(a, self.const(1022.914)), self.const(2.0**20)), _half_words())
        return b.bitcast(b.shl(b.zext(high, word), ir.Constant(word, [32] * LANES)), self.vector)

    def add_square(self, rest, x: list[Any], twice: list[Any], k: int):
        """rest + the coefficient k of x^2. twice: 2 x. What must wait longest for its factors is added last."""
        products = [(twice[i], x[k - i]) for i in range((k + 1) // 2 - 1, -1, -1)]
        if k % 2 == 0:
            products.insert(0, (x[k // 2], x[k // 2]))
        early, late = products[:-2], products[-2:]
        sums: list[Any] = []
        for n, product in enumerate(early):  # two chains of sums: less to wait for
            if n < 2:
                sums.append(self.mul(*product))
            else:
                sums[n % 2] = self.fma(*product, sums[n % 2])
        total = self.total([*sums, rest])
        for product in late:
            total = self.fma(*product, total)
        return total

    def product(self, a: list[Any], b: list[Any], k: int):
        """The coefficient k of a b."""
        total = self.mul(a[0], b[k])
        for i in range(1, k + 1):
            total = self.fma(a[i], b[k - i], total)
        return total

    def value(self, coefficients: list[Any], h, h2):
        """Of a polynomial at h: even and odd powers apart, which halves the wait."""
        even, odd = coefficients[-1], coefficients[-2]
        for k in range(ORDER - 2, -1, -1):
            if k % 2 == 0:
                even = self.fma(even, h2, coefficients[k])
            else:
                odd = self.fma(odd, h2, coefficients[k])
        return self.fma(odd, h, even)


def _half_words():
    return ir.VectorType(ir.IntType(32), LANES)


class Rows:
    """Rows of eight numbers in memory."""

    def __init__(self, vectors: _Vectors, pointer) -> None:
        self._builder, self._pointer = vectors.builder, pointer

    def _at(self, row: int):
        return self._builder.gep(self._pointer, [ir.IntType(64)(row)])

    def __getitem__(self, row: int):
        return self._builder.load(self._at(row), align=8)

    def __setitem__(self, row: int, value) -> None:
        self._builder.store(value, self._at(row), align=8)


def _expand(v: _Vectors, bench: Bench, rows: Rows, linear: list[Any]) -> tuple[list[Any], list[Any], list[list[Any]]]:
    """The coefficients of x, y and the states of the ports. linear: alpha, beta, delta, gamma of each port."""
    A, B = rows[bench.A], rows[bench.B]
    x, y = [rows[bench.X]], [rows[bench.Y]]
    z = [[rows[bench.Z + j]] for j in range(bench.n_z)]
    twice, G = list[Any](), list[Any]()
    conductances = [first for first, port in zip(bench.first_states(), bench.ports, strict=True) if port.conductance]
    for k in range(ORDER):
        weight = v.const(1 / (k + 1))
        twice.append(v.add(x[k], x[k]))
        terms = [y[k], *([rows[bench.I]] if k == 0 else [])]
        for first, port in zip(bench.first_states(), bench.ports, strict=True):
            terms += [] if port.conductance else [z[first][k]]
        if conductances:
            G.append(v.sub(v.const(0.0), v.total([z[first][k] for first in conductances])))
            terms += [v.mul(rows[bench.XE + n], z[first][k]) for n, first in enumerate(conductances)]
            terms.append(v.product(G, x, k))
        f = v.add_square(v.total(terms), x, twice, k)
        g = v.fma(A, x[k], v.mul(B, y[k]))
        g = v.add(g, rows[bench.C]) if k == 0 else g
        x.append(v.mul(f, weight) if k else f)
        y.append(v.mul(g, weight) if k else g)
        for number, (first, port) in enumerate(zip(bench.first_states(), bench.ports, strict=True)):
            alpha, beta, delta, gamma = linear[4 * number : 4 * number + 4]
            one = v.mul(alpha, z[first][k])
            if port.states == 2:
                one = v.fma(beta, z[first + 1][k], one)
                other = v.fma(delta, z[first][k], v.mul(gamma, z[first + 1][k]))
                z[first + 1].append(v.mul(other, weight))
            z[first].append(v.mul(one, weight))
    return x, y, z


def _step_size(v: _Vectors, x: list[Any], z: list[list[Any]]):
    """So long that the last two terms are within the tolerance."""
    longest = v.const(math.log2(LONGEST))
    for k in (ORDER, ORDER - 1):
        size = v.const(SMALLEST)
        for coefficients in (x, *z):
            size = v.larger(size, v.abs(coefficients[k]))
        longest = v.smaller(longest, v.mul(v.sub(v.const(math.log2(TOLERANCE)), v.log2(size)), v.const(1 / k)))
    return v.exp2(longest)


def _floor_of_pull(v: _Vectors, bench: Bench, rows: Rows, y: list[Any], z: list[list[Any]], h):
    """A bound from below of x' - x^2 at the threshold, all through the step."""
    currents, G, n = list[int](), list[Any](), 0
    for first, port in zip(bench.first_states(), bench.ports, strict=True):
        if port.conductance:
            G.append((first, v.sub(rows[bench.XE + n], rows[bench.THETA])))
            n += 1
        else:
            currents.append(first)

    def term(k: int):
        total = v.total([y[k], *(z[first][k] for first in currents)])
        for first, pull in G:
            total = v.fma(pull, z[first][k], total)
        return total

    off = v.abs(term(ORDER))
    for k in range(ORDER - 1, 0, -1):
        off = v.fma(off, h, v.abs(term(k)))
    return v.sub(v.add(term(0), rows[bench.I]), v.mul(off, h))


def _write_step(builder, bench: Bench, arguments):
    """Code of a step: (address of the bench, address of the ports' numbers, end of the slice) -> masks of lanes."""
    v = _Vectors(builder)
    rows, end = v.rows(arguments[0]), v.spread(arguments[2])
    numbers = builder.inttoptr(arguments[1], v.number.as_pointer())
    linear = [v.spread(builder.load(builder.gep(numbers, [ir.IntType(64)(k)]))) for k in range(4 * len(bench.ports))]
    x, y, z = _expand(v, bench, rows, linear)
    firsts = [bench.CX, bench.CY, *(bench.CZ + j * (ORDER + 1) for j in range(bench.n_z))]
    for first, coefficients in zip(firsts, (x, y, *z), strict=True):
        for k, one in enumerate(coefficients):
            rows[first + k] = one
    t, limit, held = rows[bench.T], rows[bench.LIMIT], rows[bench.HELD]
    full, room = _step_size(v, x, z), v.sub(limit, t)
    h = v.smaller(full, room)
    reached, h2 = v.compare(">=", h, room), v.mul(h, h)
    when = builder.select(reached, limit, v.add(t, h))
    new = [when, v.value(x, h, h2), v.value(y, h, h2), held, *(v.value(one, h, h2) for one in z)]
    safe = v.compare(">", v.add(_floor_of_pull(v, bench, rows, y, z, full), rows[bench.LEMMA]), v.const(0.0))
    crossed = v.compare(">=", v.fma(rows[bench.KAPPA], new[bench.Y], new[bench.X]), rows[bench.THETA])
    late, stuck, holds = v.compare(">", when, end), v.compare("<=", when, t), v.compare(">", held, t)
    trouble = functools.reduce(builder.or_, [crossed, late, stuck, holds, builder.not_(safe)])
    rows[bench.H], rows[bench.FULL], rows[bench.SAFE] = h, full, builder.uitofp(safe, v.vector)
    for k, value in enumerate(new):
        rows[bench.NEW + k] = value
        if k != bench.HELD:
            rows[k] = builder.select(trouble, rows[k], value)
    masks = [builder.bitcast(mask, ir.IntType(LANES)) for mask in (builder.or_(trouble, reached), trouble)]
    attention, left = (builder.zext(mask, ir.IntType(64)) for mask in masks)
    return builder.or_(attention, builder.shl(left, ir.IntType(64)(LANES)))


@functools.cache
def step_of(ports: tuple[PortKind, ...]):
    """`step(bench, numbers, end)` -> masks: expand the eight neurons on the bench, and move on those that come to no
    threshold, stay before the end, are not refractory, and for which no crossing can hide within the step. The low bits
    tell which need attention, because they have not been moved on or have reached their limit, and the high bits which
    have not been moved on."""
    bench = Bench(ports)

    @intrinsic
    def write(typingctx, address, numbers, end):
        def generate(context, builder, signature, arguments):
            return _write_step(builder, bench, arguments)

        return types.int64(types.int64, types.int64, types.float64), generate

    def step(address, numbers, end):
        add_attribute(WIDEST)
        return write(address, numbers, end)

    return called(step)
