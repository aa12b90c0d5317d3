"""What weights and delays are drawn from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from izhnumba import _checks

Array = NDArray[Any]


class Distribution(ABC):
    """Weights or delays that are drawn for each synapse: `izhnumba.Uniform`, `Normal` or `LogNormal`."""

    @abstractmethod
    def draw(self, rng: Generator, size: int) -> Array:
        """`size` independent numbers."""

    def _check(self, **at_least: float) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            where, low = f"{type(self).__name__}.{field.name}", at_least.get(field.name)
            finite = field.name not in ("low", "high")
            value = _checks.number(where, getattr(self, field.name), at_least=low, finite=finite)
            self.__dict__[field.name] = value


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
        self._check(high=_checks.number("Uniform.low", self.low))
        _checks.number("Uniform.high", self.high)

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
        self._check(std=0.0)
        if not self.low - 3 * self.std <= self.mean <= self.high + 3 * self.std or self.low > self.high:
            raise ValueError(
                f"Normal.mean must be between low ({self.low:g}) and high ({self.high:g}) or within 3 std of them, got "
                f"{self.mean:g}."
            )

    def draw(self, rng: Generator, size: int) -> Array:
        return _within(lambda n: rng.normal(self.mean, self.std, n), size, self.low, self.high)


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
        self._check(std=0.0)

    def draw(self, rng: Generator, size: int) -> Array:
        return rng.lognormal(self.mean, self.std, size)


def _within(draw: Any, size: int, low: float, high: float) -> Array:
    values: Array = draw(size)
    while True:
        outside = np.flatnonzero((values < low) | (values > high))
        if not outside.size:
            return values
        values[outside] = draw(outside.size)
