"""Normal numbers between bounds: their law, and how many are drawn for one that is kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import izhnumba as iz
from izhnumba._synapse.distributions import _OFTEN, _far_out

INF = math.inf


@pytest.mark.parametrize("low", [0.5, -7.0, 0.0])
def test_normal_numbers_between_equal_bounds(low):
    mean = low + (low == 0.5)
    assert (iz.Normal(mean, 1.0, low=low, high=low).draw(np.random.default_rng(1), 1000) == low).all()


def test_normal_numbers_stay_as_they_were():
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    values = again.normal(0.5, 0.2, 1000)
    while (outside := np.flatnonzero((values < 0.4) | (values > 0.5))).size:
        values[outside] = again.normal(0.5, 0.2, outside.size)
    assert (iz.Normal(0.5, 0.2, 0.4, 0.5).draw(rng, 1000) == values).all()


BOUNDS = [
    (2.95, 2.951), (-0.0004, 0.0004), (-2.99, -2.98), (-1.0, 0.5), (-INF, -0.5), (-0.2, 0.3), (0.0, 0.4), (1.0, INF),
    (1.1, 2.0), (2.0, INF), (2.9, 3.5), (-INF, -3.0), (3.0, 40.0), (3.0, 3.0 + 1e-9),
]  # fmt: skip


class Counted:
    """A generator that counts the numbers that are proposed."""

    def __init__(self):
        self.rng, self.proposed = np.random.default_rng(1), 0

    def random(self, size):
        return self.rng.random(size)

    def __getattr__(self, name):
        def draw(*arguments):
            self.proposed += arguments[-1]
            return getattr(self.rng, name)(*arguments)

        return draw


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_few_numbers_are_drawn_for_one_that_is_kept(low, high):
    rng = Counted()
    iz.Normal(0.0, 1.0, low, high).draw(rng, 10_000)
    assert rng.proposed < 1.1 * 10_000 / _OFTEN
    if iz.Normal(0.0, 1.0, low, high)._share() < _OFTEN:
        assert rng.proposed < 2.1 * 10_000


@pytest.mark.parametrize("share", [0.5, 1e-3, 1e-9])
def test_no_bounds_make_it_slow(share):
    """Over all places of an interval with this share of the numbers, or as near as it can be."""
    for low in np.linspace(-3.0, 3.0, 61):
        high = stats.norm.ppf(stats.norm.cdf(low) + share) if stats.norm.sf(low) > share else INF
        rng = Counted()
        iz.Normal(0.0, 1.0, low, high).draw(rng, 2000)
        assert rng.proposed < 1.3 * 2000 / _OFTEN


def assert_lawful(found, mean, std, low, high):
    """Against the closed forms of the truncated law, of its mean and variance."""
    law = stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)
    assert low <= found.min() < found.max() <= high
    spread = law.std()
    assert abs(found.mean() - law.mean()) < 5 * spread / math.sqrt(found.size)
    assert found.std() == pytest.approx(spread, rel=0.02)
    assert stats.kstest(found, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize(("low", "high"), BOUNDS[:-1])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (-5.0, 0.01), (1e150, 1e149)])
def test_normal_numbers_between_bounds_have_the_exact_law(mean, std, low, high):
    low, high = mean + std * low, mean + std * high
    assert_lawful(iz.Normal(mean, std, low, high).draw(np.random.default_rng(1), 50_000), mean, std, low, high)


FAR = [(3.0, INF), (10.0, INF), (30.0, INF), (-INF, -30.0), (10.0, 10.05), (30.0, 30.04), (-10.2, -10.0), (30.0, 31.0)]


@pytest.mark.parametrize(("low", "high"), FAR)
def test_tails(low, high):
    """Further out than Normal admits."""
    rng = Counted()
    found = _far_out(rng, 50_000, 0.0, 1.0, low, high)
    assert rng.proposed < 2.1 * found.size
    assert_lawful(found, 0.0, 1.0, low, high)


EXTREMES = [
    (0.0, 1.0, 1e-300, 2e-300), (0.0, 1e300, -1.0, 1.0), (0.0, 5e-324, 5e-324, INF), (0.0, 1e-300, 0.0, 1e-301),
    (1.0, 1e-3, 1.0, 1.0 + 2.0**-52), (1e16, 1.0, 1e16 + 4, INF), (-1.7e308, 1.7e308, 1.7e308, INF),
    (3.0, 1.0, -1e300, 0.0), (1.7e308, 1.7e308, -1.7e308, -1e308), (5.0, 1.0, 8.0, 1e300),
    (1e10, 1.0, 1e10, 1e10), (0.0, 0.0, 0.0, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("mean", "std", "low", "high"), EXTREMES)
def test_extreme_numbers(mean, std, low, high):
    rng = Counted()
    found = iz.Normal(mean, std, low, high).draw(rng, 1000)
    assert rng.proposed < 1.3 * 1000 / _OFTEN
    assert low <= found.min() <= found.max() <= high


def test_a_range_of_tiny_numbers_is_filled():
    found = iz.Normal(0.0, 1.0, 1e-300, 2e-300).draw(np.random.default_rng(1), 50_000)
    assert found.mean() == pytest.approx(1.5e-300, rel=0.01)
    assert found.std() == pytest.approx(1e-300 / math.sqrt(12), rel=0.02)
