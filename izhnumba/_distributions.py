"""What weights and delays are drawn from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from izhnumba import _checks

Array = NDArray[Any]
_NOT_NEGATIVE = {"at_least": 0.0}
_WORTH_DRAWING = 1e-3  # of what is drawn


class Distribution(ABC):
    """Weights or delays that are drawn for each synapse: `izhnumba.Uniform`, `Normal` or `LogNormal`."""

    @abstractmethod
    def draw(self, rng: Generator, size: int) -> Array:
        """`size` independent numbers."""

    def _check(self, **bounds: dict[str, Any]) -> None:
        self.__dict__.update(_checks.numbers(self, bounds))  # the class is frozen for everybody else


@dataclass(frozen=True)
class Uniform(Distribution):
    """Evenly between low and high.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Uniform(1.0, 20.0)
    Uniform(low=1.0, high=20.0)
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
    """Normal with mean and std; what falls outside low to high is drawn again.

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
        if self._share() >= _WORTH_DRAWING:
            return _within(lambda n: rng.normal(self.mean, self.std, n), size, self.low, self.high)
        return _from_piece(rng, size, self.mean, self.std, self.low, self.high)

    def _share(self) -> float:
        """Of the normal law, how much lies between low and high."""
        if self.std == 0:
            return 1.0
        low, high = ((bound - self.mean) / (math.sqrt(2) * self.std) for bound in (self.low, self.high))
        return (math.erfc(low) - math.erfc(high)) / 2 if low > 0 else (math.erfc(-high) - math.erfc(-low)) / 2


@dataclass(frozen=True)
class LogNormal(Distribution):
    """exp of a normal number with `mean` and `std`, both of the logarithm.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.LogNormal(-0.7, 0.9)
    LogNormal(mean=-0.7, std=0.9)
    """

    mean: float
    std: float

    def __post_init__(self) -> None:
        self._check(std=_NOT_NEGATIVE)

    def draw(self, rng: Generator, size: int) -> Array:
        return rng.lognormal(self.mean, self.std, size)


def _from_piece(rng: Generator, size: int, mean: float, std: float, low: float, high: float) -> Array:
    """Normal numbers between two bounds so near each other, or so far out, that the law of numbers drawn evenly between
    them is not far from it: each is kept with its density, as a share of the highest there."""
    values, wanted = rng.uniform(low, high, size), np.arange(size)
    highest = (min(max(mean, low), high) - mean) / std
    while wanted.size:
        x = (values[wanted] - mean) / std
        kept = rng.random(wanted.size) < np.exp((highest - x) * (highest + x) / 2)
        wanted = wanted[~kept]
        values[wanted] = rng.uniform(low, high, wanted.size)
    return values


def _within(draw: Any, size: int, low: float, high: float) -> Array:
    values: Array = draw(size)
    while True:
        outside = np.flatnonzero((values < low) | (values > high))
        if not outside.size:
            return values
        values[outside] = draw(outside.size)
