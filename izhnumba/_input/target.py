"""The neurons that an input drives, as inputs and engines see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.random import stream_key
from izhnumba._model.model import Model

Array = NDArray[Any]
Rows = Callable[[int, int], Array]  # of (step, count): values (count, 1), or (count, neurons) in flat order
Memory = dict[int, Any]  # what random inputs need to go on, by stream


class Driven(Protocol):
    """A population, as far as inputs are concerned.

    shape: of its arrays; n: number of neurons; dt: time step, ms; dtype: of what kernels read; seed, name: keys of its
    random numbers; _memory: of its inputs; model: has the unit of a current.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def n(self) -> int: ...
    @property
    def dt(self) -> float: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def seed(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def model(self) -> Model: ...
    @property
    def _memory(self) -> Memory: ...


class Target(NamedTuple):
    """The neurons that an input drives, a population or a slice of one: the arguments of `Input.bind`."""

    shape: tuple[int, ...]
    dt: float
    dtype: np.dtype[Any]
    key: tuple[int, int]
    memory: Memory
    unit: str


def target(driven: Driven, unit: str, ordinal: int = 0) -> Target:
    """A population as the target of one of its inputs. unit: of its values; ordinal: keys its random numbers."""
    key = stream_key(driven.seed, driven.name, "input", ordinal)
    return Target(driven.shape, driven.dt, driven.dtype, key, driven._memory, unit)
