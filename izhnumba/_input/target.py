"""The neurons that an input drives, as inputs and engines see them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.random import stream_key
from izhnumba._model.model import Model

Array = NDArray[Any]
# Of (step, count): values (count, 1), or (count, neurons) in flat order. They hold until the next ones are asked for,
# and are the caller's to overwrite if they are writeable.
Rows = Callable[[int, int], Array]
Memory = dict[int, Any]  # what random inputs need to go on, by stream


class Spikes(NamedTuple):
    """Spikes from outside in some steps.

    starts: int64, (steps + 1,): those of step k are starts[k] to starts[k + 1]; neurons: uint32, (spikes,); weights: of
    each spike, of the dtype of the target.
    """

    starts: Array
    neurons: Array
    weights: Array


class Walk(Protocol):
    """An Ornstein-Uhlenbeck process: x <- keep x + the numbers of a noise (`_numba.philox.relax_row`).

    keep: exp(-dt / tau); first_scale: instead of the scale of the noise, (neurons,), in the step in which it begins.
    """

    keep: float
    first_scale: Array

    def start(self, step: int, count: int) -> tuple[Array, Array, bool]:
        """For `count` steps from `step` on: x before them, which is the caller's; where to put x after them; whether
        it begins with them."""
        ...


class Drawn(NamedTuple):
    """Noise that kernels make by themselves: shift + scale times a normal number for each neuron and step, or, if
    there is a walk, what that makes of them, plus `offset`.

    key: (seed, stream); scale, float32, shift and offset, of the dtype of the target: (neurons,) or (1,).
    """

    key: tuple[int, int]
    scale: Array
    shift: Array
    walk: Walk | None = None
    offset: Array | None = None

    def plus(self, constant: Array) -> Drawn:
        """This noise, to which nothing has been added yet, plus a constant."""
        return self._replace(shift=constant) if self.walk is None else self._replace(offset=constant)


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
    """The neurons that an input drives, a population or chosen neurons of one: the arguments of `Input.bind`."""

    shape: tuple[int, ...]
    dt: float
    dtype: np.dtype[Any]
    key: tuple[int, int]
    memory: Memory
    unit: str

    @property
    def n(self) -> int:
        """How many neurons."""
        return math.prod(self.shape)

    def kept(self, is_state: Callable[[Any, Any, int], bool]) -> dict[Any, Any]:
        """What an input has kept in its memory, by time. is_state: (time, value, neurons) -> whether it is of its kind:
        what another input has left there, or a file that somebody has changed, is not."""
        found = self.memory.get(self.key[1])
        if not isinstance(found, dict):
            return {}
        return {when: value for when, value in found.items() if is_state(when, value, self.n)}

    def new(self, count: int) -> Array:
        """A new array (count, neurons) to be filled."""
        return np.empty((count, self.n), self.dtype)


class Reused:
    """Rows (count, neurons) to be filled, in the same memory again and again: they hold until the next ones are asked
    for."""

    def __init__(self, to: Target) -> None:
        self._to, self._held = to, to.new(0)

    def __call__(self, count: int) -> Array:
        if len(self._held) < count:
            self._held = self._to.new(count)
        return self._held[:count]


def target(driven: Driven, unit: str, ordinal: int = 0) -> Target:
    """A population as the target of one of its inputs. unit: of its values; ordinal: keys its random numbers."""
    key = stream_key(driven.seed, driven.name, "input", ordinal)
    return Target(driven.shape, driven.dt, driven.dtype, key, driven._memory, unit)
