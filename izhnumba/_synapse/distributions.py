"""Distributions of weights and delays, a number for each synapse, and of parameters and states, one for each neuron."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.renamed import renamed
from izhnumba._base.sealed import assign

Array = NDArray[Any]
_NOT_NEGATIVE = {"at_least": 0.0}
_OFTEN = 1 / 6  # least share of normal numbers within the bounds for which numbers are drawn until all are within


class Distribution(ABC):
    """Numbers that are drawn, one for each synapse or neuron: `izhnumba.Uniform`, `Normal` or `LogNormal`."""

    @abstractmethod
    def draw(self, rng: Generator, size: int) -> Array:
        """`size` independent float64 numbers."""

    def _check(self, **bounds: dict[str, Any]) -> None:
        assign(self, **checks.numbers(self, bounds))


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform: evenly between low and high.

    It stands for weights and delays in `Network.connect`, for parameters and the initial V and u in `Population`, as do
    `Normal` and `LogNormal`.

    Parameters
    ----------
    low, high : float
        In the unit of what is drawn; low <= high.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Uniform(1.0, 20.0)
    Uniform(low=1.0, high=20.0)
    >>> pop = iz.Population(1000, a=iz.Uniform(0.02, 0.1), V=iz.Uniform(-70.0, -60.0))
    >>> bool(0.02 <= pop.a.min() < pop.a.max() <= 0.1)
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        self._check(high={"at_least": "low"})
        if not np.isfinite(self.high - self.low):
            raise ValueError(f"Uniform.high must be nearer to low ({self.low:g}), got {self.high:g}.")

    def draw(self, rng: Generator, size: int) -> Array:
        return rng.uniform(self.low, self.high, size)


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal, truncated: numbers outside of the bounds are drawn again.

    Parameters
    ----------
    mean, std : float
        Of the normal law before it is truncated, in the unit of what is drawn. std >= 0; the mean lies between the
        bounds, or within 3 std of them.
    low, high : float
        Bounds. A number costs about the same whatever they are.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Normal(0.5, 0.1, low=0.0)
    Normal(mean=0.5, std=0.1, low=0.0, high=inf)
    """

    mean: float
    std: float
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        self._check(std=_NOT_NEGATIVE, low={"finite": False}, high={"finite": False, "at_least": "low"})
        if not self.low - 3 * self.std <= self.mean <= self.high + 3 * self.std:
            raise ValueError(
                f"Normal.mean must be between low ({self.low:g}) and high ({self.high:g}) or within 3 std of them, got "
                f"{self.mean:g}."
            )

    def draw(self, rng: Generator, size: int) -> Array:
        if self._share() >= _OFTEN:
            return _within(lambda n: rng.normal(self.mean, self.std, n), size, self.low, self.high)
        return _far_out(rng, size, self.mean, self.std, self.low, self.high)

    def _share(self) -> float:
        """Share of the normal law that lies between low and high, 0 to 1."""
        if self.std == 0:
            return 1.0
        low, high = (_in_std(bound, self.mean, self.std) / math.sqrt(2) for bound in (self.low, self.high))
        return (math.erfc(low) - math.erfc(high)) / 2 if low > 0 else (math.erfc(-high) - math.erfc(-low)) / 2


@renamed(mean="mu", std="sigma")
@dataclass(frozen=True)
class LogNormal(Distribution):
    """exp of a normal number: of weights with a heavy tail.

    Parameters
    ----------
    mu, sigma : float
        Mean and standard deviation of the logarithm. The numbers themselves have the median exp(mu) and the mean
        exp(mu + sigma^2 / 2). sigma >= 0.

    Examples
    --------
    Numbers with a mean and a standard deviation that are given:

    >>> import math, izhnumba as iz
    >>> mean, std = 0.75, 0.8
    >>> sigma = math.sqrt(math.log(1 + (std / mean) ** 2))
    >>> weight = iz.LogNormal(mu=math.log(mean) - sigma**2 / 2, sigma=sigma)
    >>> round(weight.mu, 3), round(weight.sigma, 3)
    (-0.668, 0.872)
    """

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        self._check(sigma=_NOT_NEGATIVE)

    def draw(self, rng: Generator, size: int) -> Array:
        return rng.lognormal(self.mu, self.sigma, size)


def from_zero(value: object) -> bool:
    """Whether it is a distribution of numbers from 0 on."""
    return isinstance(value, Distribution) and getattr(value, "low", None) == 0


def _in_std(x: float, mean: float, std: float) -> float:
    """(x - mean) / std, where x - mean alone might overflow."""
    unit = 0.25 if std > 1 else 1.0
    return (x * unit - mean * unit) / (std * unit)


def _far_out(rng: Generator, size: int, mean: float, std: float, low: float, high: float) -> Array:
    """`size` normal numbers between bounds that lie far from the mean, by rejection.

    From the bound nearest to the mean outwards the normal density falls like an exponential one, or hardly if the
    bounds are near each other. So numbers are drawn from an exponential or a uniform law, and kept with a probability
    that is the ratio of the densities; about half are kept (C. P. Robert, Statistics and Computing 5, 121, 1995).

    Parameters
    ----------
    rng : Generator
    size : int
    mean, std : float
        Of the normal law, std > 0.
    low, high : float
        Bounds; one may be infinite.
    """
    nearest = min(max(mean, low), high)
    away, width = abs(_in_std(nearest, mean, std)), _in_std(high, low, std)
    even, side = away * width <= 1, std if nearest == low else -std
    values, wanted = np.empty(size), np.arange(size)
    while wanted.size:
        if even:
            x = rng.uniform(low, high, wanted.size)
            further = np.abs(x - nearest) / std
            share = np.exp(-further * (away + further / 2))
        else:
            further = rng.exponential(1 / away, wanted.size)
            share = np.exp(-further * further / 2)
            with np.errstate(over="ignore"):
                x = nearest + side * further
        kept = (low <= x) & (x <= high) & (rng.random(wanted.size) < share)
        values[wanted[kept]] = x[kept]
        wanted = wanted[~kept]
    return values


def _within(draw: Callable[[int], Array], size: int, low: float, high: float) -> Array:
    """`size` numbers from `draw(how many)`, drawn anew until all are from low to high."""
    values: Array = draw(size)
    while True:
        outside = np.flatnonzero((values < low) | (values > high))
        if not outside.size:
            return values
        values[outside] = draw(outside.size)
