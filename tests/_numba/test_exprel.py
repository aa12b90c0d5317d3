"""exprel(z) = (exp(z) - 1) / z against decimal numbers of 60 digits, over the whole range of both precisions."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from izhnumba._numba.compile import CONTRACT, STRICT, compiled
from izhnumba._numba.exprel import SHORT_RANGE, dt_exprel, dt_exprel_full, exprel_full, exprel_short

DTYPES = ("float32", "float64")
OVERFLOW = {"float32": 93.2, "float64": 716.4}  # beyond it exprel is larger than any number


def evaluate(dt, z, short, full, narrow, wide, everywhere):
    for i in range(z.size):
        short[i], full[i], everywhere[i] = exprel_short(dt, z[i]), exprel_full(dt, z[i]), dt_exprel_full(dt, z[i], True)
        narrow[i], wide[i] = dt_exprel(dt, z[i], False), dt_exprel(dt, z[i], True)


EVALUATE = {"contracted": compiled(evaluate, fastmath=CONTRACT), "plain": compiled(evaluate, fastmath=STRICT)}


@pytest.fixture(params=EVALUATE)
def forms(request):
    """A function from z to dt times the values of (short, full, narrow, wide, everywhere)."""

    def forms_of(z, dt=1.0):
        values = [np.empty_like(z) for _ in range(5)]
        EVALUATE[request.param](z.dtype.type(dt), z, *values)
        return values

    return forms_of


def exact(z):
    z = Decimal(z)
    if abs(z) < Decimal("1e-25"):
        return 1 + z / 2
    with localcontext() as context:
        context.prec = 60
        return (min(z, Decimal(1000)).exp() - 1) / z


def errors_in_ulp(z, values):
    """Distances from the exact values, in units of the last place of values of that size."""
    largest = Decimal(float(np.finfo(z.dtype).max))
    errors = []
    for x, value in zip(z.tolist(), values.tolist(), strict=True):
        true = exact(x)
        if x > 1000 or true > largest:
            errors.append(0.0 if value == math.inf else math.inf)
        else:
            errors.append(float(abs(Decimal(value) - true) / Decimal(float(np.spacing(z.dtype.type(true))))))
    return np.array(errors)


def both_signs(z):
    return np.concatenate([z, -z])


def full_range(dtype):
    """Zeros, numbers of all sizes, the whole range in which the value varies, and the seams of the reduction."""
    info = np.finfo(dtype)
    sizes = both_signs(np.geomspace(float(info.tiny), float(info.max) / 2, 400))
    subnormal = both_signs(np.array([info.smallest_subnormal, info.tiny / 3], dtype))
    seams = (np.arange(-60, 120) + 0.5) * math.log(2)
    seams = np.concatenate([seams, seams * (1 + 4 * info.eps), seams * (1 - 4 * info.eps)])
    varies = np.concatenate([np.linspace(-60, OVERFLOW[dtype], 1500), np.linspace(-2, 2, 1500)])
    return np.concatenate([[0.0, -0.0], sizes, subnormal, seams, varies]).astype(dtype)


def within_short_range(dtype):
    edge = np.array([SHORT_RANGE, math.nextafter(SHORT_RANGE, 0)])
    tiny = np.geomspace(float(np.finfo(dtype).smallest_subnormal), SHORT_RANGE, 300)
    z = np.concatenate([[0.0], edge, tiny, np.linspace(0, SHORT_RANGE, 1500)])
    return both_signs(np.minimum(z.astype(dtype), np.dtype(dtype).type(SHORT_RANGE)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_full_range(forms, dtype):
    z = full_range(dtype)
    _, full, _, wide, everywhere = forms(z)
    errors = errors_in_ulp(z, full)
    assert errors.max() <= 4, z[errors.argmax()]
    assert errors_in_ulp(z, wide).max() <= 4
    assert full.tobytes() == everywhere.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_short_range(forms, dtype):
    z = within_short_range(dtype)
    short = forms(z)[0]
    errors = errors_in_ulp(z, short)
    assert errors.max() <= 1.5, z[errors.argmax()]


@pytest.mark.parametrize("dtype", DTYPES)
def test_form_is_chosen_by_each_z_alone(forms, dtype):
    inside, edge = within_short_range(dtype), np.dtype(dtype).type(SHORT_RANGE)
    outside = both_signs(np.array([np.nextafter(edge, np.dtype(dtype).type(1)), 0.9, 7.4, 60.0], dtype))
    short, _, narrow, wide, _ = forms(inside)
    assert short.tobytes() == narrow.tobytes() == wide.tobytes()
    _, full, _, wide, _ = forms(outside)
    assert full.tobytes() == wide.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dt", [0.1, 0.37, 2.0])
def test_dt_is_a_factor(forms, dtype, dt):
    z = np.linspace(-SHORT_RANGE, SHORT_RANGE, 999).astype(dtype)
    true = np.array([float(exact(x)) * float(z.dtype.type(dt)) for x in z.tolist()])
    for values in forms(z, dt):
        assert np.abs(values / true - 1).max() <= 3 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_is_one(forms, dtype):
    for values in forms(np.array([0.0, -0.0], dtype)):
        assert np.abs(values - 1).max() <= np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_far_from_zero(forms, dtype):
    last = OVERFLOW[dtype]
    z = np.linspace(last - 0.5, last + 0.5, 200).astype(dtype)
    full = forms(z)[1]
    assert errors_in_ulp(z, full).max() <= 4  # infinite where the true value is too large, and only there
    assert np.isinf(full).any()
    assert np.isfinite(full).any()
    full = forms(np.array([1e30, np.inf, -1e30, -np.inf], dtype))[1]
    assert full.tolist() == [np.inf, np.inf, pytest.approx(1e-30), 0.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_nan(forms, dtype):
    assert np.isnan(forms(np.array([np.nan], dtype))).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_arrays_give_the_bits_of_single_numbers(forms, dtype):
    z = np.linspace(-30, 30, 999).astype(dtype)
    together = forms(z)[3]
    alone = np.concatenate([forms(z[i : i + 1])[3] for i in range(z.size)])
    assert together.tobytes() == alone.tobytes()
