"""exprel(z) = (exp(z) - 1) / z as straight-line arithmetic.

A call of expm1 would keep a loop scalar (20 times slower), so these are polynomials, interpolated at Chebyshev
nodes, which LLVM turns into vector code. They are written as LLVM instructions because compiling the same chain from
Python takes a quarter of a second.
"""

from __future__ import annotations

import functools

from llvmlite import ir
from numba.extending import intrinsic

SHORT_RANGE = 0.8  # covers V up to 30 mV at dt = 0.1 ms: z = dt (0.08 V + 5) = 0.74

# Coefficients from the constant term up. Relative errors of the exact polynomials: 4.9e-9 and 5.7e-18 for
# abs(z) <= 0.8, 1.2e-8 and 2.0e-17 for abs(z) <= ln(2) / 2.
_SHORT = {
    32: (0.9999999963457387, 0.4999999996352812, 0.1666668493466278, 0.04166668489985209, 0.008331907542620785,
         0.0013887465583676203, 0.00020196839124335302, 2.5156682346835828e-05),
    64: (1.0, 0.5, 0.16666666666666602, 0.04166666666666663, 0.008333333333349178, 0.0013888888888898782,
         0.00019841269826419595, 2.4801587292313978e-05, 2.7557325850705304e-06, 2.7557323362277123e-07,
         2.5050590945681017e-08, 2.0875809286563135e-09, 1.6231199479736944e-10, 1.157828305971634e-11),
}  # fmt: skip
_REDUCED = {
    32: (1.0000000107765001, 0.5000000013463886, 0.1666650521114506, 0.041666464944505696, 0.00836915395971191,
         0.0013933647862928863),
    64: (1.0, 0.5000000000000006, 0.1666666666666667, 0.041666666666573086, 0.008333333333326136,
         0.0013888888932508548, 0.00019841269874815834, 2.4801504321690158e-05, 2.7557255406285044e-06,
         2.7626367775723217e-07, 2.5105214474751413e-08),
}  # fmt: skip


class _Full:
    """Constants of the full-range form.

    Parameters
    ----------
    tiny : float
        Stands for every z with abs(z) < 2^(16 - bias): there the bits `large` are all 0.
    low, high : float
        Below `low` 1 + exp(z) is 1, above `high` exprel overflows.
    mantissa, bias : int
        Bits of the mantissa and bias of the exponent of the numbers.
    scale : int
        exp(z), which overflows before exprel does, is computed times 2^-scale.
    ln2_high, ln2_low : float
        ln(2) as a sum. `ln2_high` has so few bits that its product with an exponent is exact.

    Attributes
    ----------
    round : float
        Added to a number, it leaves the nearest integer in the low bits.
    """

    def __init__(self, tiny, low, high, mantissa, bias, scale, ln2_high, ln2_low):
        self.tiny, self.low, self.high, self.mantissa, self.scale = tiny, low, high, mantissa, 2.0**-scale
        self.large = (2 * bias + 1 - 15) << mantissa
        self.round, self.exponent = 1.5 * 2.0**mantissa, (bias - scale) << mantissa
        self.ln2_high, self.ln2_low = ln2_high, ln2_low


_FULL = {
    32: _Full(1e-30, -30.0, 93.5, 23, 127, 8, 0.693145751953125, 1.428606765330187e-06),
    64: _Full(1e-290, -50.0, 717.0, 52, 1023, 11, 0.6931471803691238, 1.9082149292705877e-10),
}


@intrinsic
def exprel_short(typingctx, factor, z):
    """factor * exprel(z) for abs(z) <= SHORT_RANGE, at most 1 ulp off where the factor is 1.

    The factor is multiplied into the coefficients, once before a loop: one operation less for each neuron."""

    def generate(context, builder, signature, arguments):
        scale, x = arguments
        coefficients = [builder.fmul(scale, x.type(c)) for c in _SHORT[z.bitwidth]]
        return _horner(builder, x, coefficients)

    return z(factor, z), generate


@intrinsic
def exprel_full(typingctx, factor, z):
    """factor * exprel(z) for every z, at most 4 ulp off where the factor is 1."""

    def generate(context, builder, signature, arguments):
        scale, x = arguments
        return full_exprel(builder, scale, x, z.bitwidth)

    return z(factor, z), generate


def dt_exprel(dt, z, wide):
    """dt * exprel(z): the short form where it holds and, if `wide`, the full one for other z. Each z is treated by
    itself: a neuron's bits do not depend on neighbours that make a block `wide`."""
    phi = exprel_short(dt, z)
    if wide:
        phi = phi if abs(z) <= type(z)(SHORT_RANGE) else exprel_full(dt, z)
    return phi


def dt_exprel_full(dt, z, wide):
    """dt * exprel(z), for time steps at which z is often beyond SHORT_RANGE."""
    return exprel_full(dt, z)


def short_exprel(builder, z, bits):
    """LLVM code of the short form, for numbers of so many bits or vectors of them."""
    return _horner(builder, z, [_constant(z.type, coefficient) for coefficient in _SHORT[bits]])


def full_exprel(builder, factor, z, bits):
    """LLVM code of the full-range form, for numbers of so many bits or vectors of them: z = k ln2 + r, exp(z) - 1 =
    2^k (r P(r) + 1) - 1."""
    c, real = _FULL[bits], functools.partial(_constant, z.type)
    integer_type = ir.IntType(bits)
    if isinstance(z.type, ir.VectorType):
        integer_type = ir.VectorType(integer_type, z.type.count)
    integer = functools.partial(_constant, integer_type)
    large = builder.and_(builder.bitcast(z, integer_type), integer(c.large))
    z = builder.select(builder.icmp_unsigned("==", large, integer(0)), real(c.tiny), z)
    z = builder.select(builder.fcmp_ordered(">", z, real(c.high)), real(c.high), z)
    x = builder.select(builder.fcmp_ordered("<", z, real(c.low)), real(c.low), z)
    rounded = builder.fadd(builder.fmul(x, real(1.4426950408889634)), real(c.round))
    k = builder.fsub(rounded, real(c.round))
    r = builder.fadd(builder.fmul(k, real(-c.ln2_high)), x)
    r = builder.fadd(builder.fmul(k, real(-c.ln2_low)), r)
    moved = builder.shl(builder.bitcast(rounded, integer_type), integer(c.mantissa))
    power = builder.bitcast(builder.add(moved, integer(c.exponent)), z.type)
    series = _horner(builder, r, [real(coefficient) for coefficient in _REDUCED[bits]])
    top = builder.fmul(builder.fmul(series, r), power)
    top = builder.fadd(top, builder.fsub(power, real(c.scale)))
    return builder.fdiv(top, builder.fmul(z, builder.fdiv(real(c.scale), factor)))


def _constant(kind, value):
    """A number of an LLVM type, or a vector that repeats it."""
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def _horner(builder, x, coefficients):
    sum_ = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        sum_ = builder.fadd(builder.fmul(sum_, x), coefficient)
    return sum_
