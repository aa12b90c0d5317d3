"""Values of inputs: read from what users pass, and brought to the shape of a population."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from izhnumba._base import checks

Array = NDArray[Any]
_UNITS = ("mV/ms", "pA", "mV", "1/ms", "nS")  # of currents, V jumps and reversal potentials, conductances


def amplitude(where: str, value: object) -> tuple[float | Array, str | None]:
    """`value` without its unit, and the unit: None for plain numbers, which pass for any."""
    fitting: dict[str, Any] = {}
    reason = None
    for unit in _UNITS:
        try:
            fitting[unit] = checks.magnitude(where, value, unit)
        except ValueError as error:
            reason = reason or error
    if reason and not fitting:
        raise reason
    unit, number = next(iter(fitting.items()))
    return number, unit if reason else None


def frozen(where: str, value: object, unit: str = "", **limits: Any) -> float | Array:
    """`value` as a float, or as an array of our own that nobody can change."""
    plain = checks.magnitude(where, value, unit)
    array = np.array(checks.array(where, plain, "", [np.shape(plain)], **limits))
    array.flags.writeable = False
    return array if array.ndim else float(array)


def flag(where: str, value: object) -> bool:
    """`value`, which must be True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{where} must be True or False, got {value!r}.")
    return bool(value)


def shown(value: object) -> str:
    """A field of an input, as its repr shows it."""
    if isinstance(value, np.ndarray):
        return str(value.tolist()) if value.size <= 8 else f"<array of shape {value.shape}>"
    return repr(value)


def fit_shape(where: str, value: ArrayLike, shape: tuple[int, ...]) -> None:
    """Refuse a value that does not broadcast to the shape of the population."""
    own = np.shape(value)
    if len(own) > len(shape) or any(n not in (1, m) for n, m in zip(own[::-1], shape[::-1], strict=False)):
        checks.array(where, value, "", [shape[axis:] for axis in range(len(shape))])


def aligned(values: Array, dimensions: int) -> Array:
    """(steps, *shape of a value) with axes of length 1 put in, so that a value has as many `dimensions`."""
    return values.reshape((len(values), *(1,) * (dimensions + 1 - values.ndim), *values.shape[1:]))


def per_neuron(values: Array, shape: tuple[int, ...]) -> Array:
    """(steps, *shape of a value) as (steps, neurons) of a population of this shape, in flat order."""
    full = np.broadcast_to(aligned(values, len(shape)), (len(values), *shape))
    return full.reshape(len(values), math.prod(shape))


def total(values: list[Array]) -> Array:
    """The sum of values (steps, *shape of a value) of inputs, some of one value for all neurons."""
    dimensions = max(value.ndim for value in values) - 1
    return reduce(np.add, [aligned(value, dimensions) for value in values])


def flat(value: ArrayLike, shape: tuple[int, ...]) -> Array:
    """A value for each neuron, (neurons,), in flat order."""
    return np.broadcast_to(value, shape).flatten()
