"""exprel(z) = (exp(z) - 1) / z as straight-line arithmetic.

A call of expm1 would keep a loop scalar (20 times slower), so these are polynomials, interpolated at Chebyshev
nodes, which compilers turn into vector code. `short` holds for abs(z) <= SHORT_RANGE; `full` for every z.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from izhnumba._kernels.lanes import power_of_two

SHORT_RANGE = 0.8  # covers V up to 30 mV at dt = 0.1 ms: z = dt (0.08 V + 5) = 0.74


def exprel(dtype: Any) -> Callable[..., Any]:
    """`exprel(z, wide)` for scalars of `dtype`: at most 4 ulp off for every z, if `wide`.

    Without `wide` all z must lie within SHORT_RANGE. Where both may be used they give the same bits: `wide` only
    adds the choice, made for each z by itself. It does not change in a loop, so compilers write the loop twice.
    """
    short, full, limit = (_short4, _full4, _LIMIT4) if np.dtype(dtype) == np.float32 else (_short8, _full8, SHORT_RANGE)

    def either(z, wide):
        phi = short(z)
        if wide:
            phi = phi if abs(z) <= limit else full(z)
        return phi

    return either


def full_exprel(dtype: Any) -> Callable[..., Any]:
    """`exprel(z, wide)` that takes the form for every z: for steps at which most z are beyond SHORT_RANGE."""
    full = _full4 if np.dtype(dtype) == np.float32 else _full8

    def exprel(z, wide):
        return full(z)

    return exprel


# relative error of the exact polynomials on their range: 4.9e-9, 5.7e-18, 1.2e-8, 2.0e-17
_S4 = tuple(np.float32(c) for c in (
    0.9999999963457387, 0.4999999996352812, 0.1666668493466278, 0.04166668489985209, 0.008331907542620785,
    0.0013887465583676203, 0.00020196839124335302, 2.5156682346835828e-05))  # fmt: skip
_S8 = (
    1.0, 0.5, 0.16666666666666602, 0.04166666666666663, 0.008333333333349178, 0.0013888888888898782,
    0.00019841269826419595, 2.4801587292313978e-05, 2.7557325850705304e-06, 2.7557323362277123e-07,
    2.5050590945681017e-08, 2.0875809286563135e-09, 1.6231199479736944e-10, 1.157828305971634e-11)  # fmt: skip
_F4 = tuple(np.float32(c) for c in (
    1.0000000107765001, 0.5000000013463886, 0.1666650521114506, 0.041666464944505696, 0.00836915395971191,
    0.0013933647862928863))  # fmt: skip
_F8 = (
    1.0, 0.5000000000000006, 0.1666666666666667, 0.041666666666573086, 0.008333333333326136, 0.0013888888932508548,
    0.00019841269874815834, 2.4801504321690158e-05, 2.7557255406285044e-06, 2.7626367775723217e-07,
    2.5105214474751413e-08)  # fmt: skip


def _short4(z):
    c = _S4
    return ((((((c[7] * z + c[6]) * z + c[5]) * z + c[4]) * z + c[3]) * z + c[2]) * z + c[1]) * z + c[0]


def _short8(z):
    c = _S8
    high = ((((((c[13] * z + c[12]) * z + c[11]) * z + c[10]) * z + c[9]) * z + c[8]) * z + c[7]) * z + c[6]
    return (((((high * z + c[5]) * z + c[4]) * z + c[3]) * z + c[2]) * z + c[1]) * z + c[0]


# Full range: z = k ln2 + r, exp(z) - 1 = 2^k (r P(r) + 1) - 1. Adding 1.5 * 2^23 (2^52) rounds z / ln2 to the whole
# number k and leaves it in the low bits. Everything is scaled by 2^-8 (2^-11), for exp(z) overflows before exprel(z).
_TINY4, _LOW4, _HIGH4 = np.float32(1e-30), np.float32(-30.0), np.float32(94.0)
_LOG2E4, _ROUND4, _SCALE4 = np.float32(1.4426950408889634), np.float32(12582912.0), np.float32(2.0**-8)
_LN2_HIGH4, _LN2_LOW4 = np.float32(-0.693145751953125), np.float32(-1.428606765330187e-06)
_LIMIT4 = np.float32(SHORT_RANGE)
_LOW8, _HIGH8 = -50.0, 718.0
_ROUND8, _SCALE8 = 6755399441055744.0, 2.0**-11
_LN2_HIGH8, _LN2_LOW8 = -0.6931471803691238, -1.9082149292705877e-10


def _full4(z):
    z = z if abs(z) > _TINY4 else _TINY4
    x = _HIGH4 if z > _HIGH4 else z
    x = _LOW4 if x < _LOW4 else x
    t = x * _LOG2E4 + _ROUND4
    k = t - _ROUND4
    r = k * _LN2_LOW4 + (k * _LN2_HIGH4 + x)
    power = power_of_two(t, 23, 119)
    c = _F4
    p = ((((c[5] * r + c[4]) * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0]
    return (p * r * power + (power - _SCALE4)) / (z * _SCALE4)


def _full8(z):
    z = z if abs(z) > 1e-290 else 1e-290
    x = _HIGH8 if z > _HIGH8 else z
    x = _LOW8 if x < _LOW8 else x
    t = x * 1.4426950408889634 + _ROUND8
    k = t - _ROUND8
    r = k * _LN2_LOW8 + (k * _LN2_HIGH8 + x)
    power = power_of_two(t, 52, 1012)
    c = _F8
    p = (((((c[10] * r + c[9]) * r + c[8]) * r + c[7]) * r + c[6]) * r + c[5]) * r + c[4]
    p = (((p * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0]
    return (p * r * power + (power - _SCALE8)) / (z * _SCALE8)
