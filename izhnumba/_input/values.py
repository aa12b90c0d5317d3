"""Values of inputs: read from what users pass, and brought to the shape of a population."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import reduce, wraps
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from izhnumba._base import checks

Array = NDArray[Any]
_UNITS = ("mV/ms", "pA", "mV", "1/ms", "nS")  # of currents, V jumps and reversal potentials, conductances


Levels = Callable[[Array], Array]


class Wave(NamedTuple):
    """amplitude sin(rate t + phase), t in ms. amplitude, phase: one value, or any shape that broadcasts to the
    population. levels: if it is not None, a factor that is constant between the breaks of the input: from times (t,) to
    values (t, *shape of a value)."""

    rate: float
    amplitude: float | Array
    phase: float | Array
    levels: Levels | None = None

    def times(self, levels: Levels) -> Wave:
        """The product of this wave with such a factor."""
        known = self.levels
        return self._replace(levels=levels if known is None else lambda t: product([known(t), levels(t)]))


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
    """`value` as a float, or as an array of our own, row by row in memory, that nobody can change."""
    plain = checks.magnitude(where, value, unit)
    array = np.array(checks.array(where, plain, "", [np.shape(plain)], **limits), order="C")
    array.flags.writeable = False
    return array if array.ndim else float(array)


def flag(where: str, value: object) -> bool:
    """`value`, which must be True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{where} must be True or False, got {checks.shown(value)}.")
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


def fit_together(owner: str, shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape to which arguments of these shapes broadcast together; refused if they do not."""
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        arrays = {name: shape for name, shape in shapes.items() if shape}
        *most, last = arrays
        got = ", ".join(map(str, arrays.values()))
        must = f"{owner}.{', '.join(most)} and {last} must broadcast to one shape, that of the population"
        raise ValueError(f"{must}, got shapes {got} of one value.") from None


def of_any_times(at: Callable[..., Any], where: str) -> Callable[..., Any]:
    """A user's method at(self, t) for t of shape (steps,), as one for a time or an array of times of any shape."""
    is_method = inspect.isfunction(at)  # else a staticmethod or another callable
    checks.takes(where, at, *["self"] * is_method, "t")

    def cure(self: object) -> str:
        """What to do about a function of one time; nothing where it is called so."""
        advice = " t is an array: use np.sin, not math.sin, and np.where, not if"
        if where != "Function.at":
            return f"{advice}."
        return f"{advice}; or write Function(f, vectorized=False)." if getattr(self, "vectorized", False) else ""

    @wraps(at)
    def at_any(self: object, t: ArrayLike) -> Any:
        times = checks.array(f"{where}.t", t, "ms")
        try:
            found = at(*[self] * is_method, times.flatten())
        except (TypeError, ValueError) as error:
            if "array" not in str(error) or not cure(self):
                raise
            got = f"{type(error).__name__}: {str(error).rstrip('.')}"
            raise TypeError(f"{where} must compute with arrays, got {got}.{cure(self)}") from error
        found = checks.magnitude(where, found, "")
        with np.errstate(over="ignore"):  # a longdouble beyond float64 becomes infinite
            values = np.asarray(found, np.float64)
        if values.shape[:1] != (times.size,):
            must = f"{where} must give a value for each time t, shape ({times.size},) or ({times.size}, ...)"
            raise ValueError(f"{must}, got shape {values.shape}.{'' if values.ndim else cure(self)}")
        values = values.reshape(times.shape + values.shape[1:])
        return values if values.ndim else float(values)

    return at_any


def check_rows(where: str, rows: Array, step: int, dtype: np.dtype[Any], finite: str = "be finite") -> None:
    """Refuse rows (steps, 1 or neurons), from step `step` on, that are not finite in dtype: the error names the first
    neuron and step. finite: what they must, in words."""

    def require(must: str, good: Array) -> None:
        if not good.all():
            row, neuron = (int(place) for place in np.argwhere(~good)[0])
            whose = f"neuron {neuron}" if rows.shape[1] > 1 else "all neurons"
            raise ValueError(f"{where} must {must}, got {rows[row, neuron]} for {whose} in step {step + row}.")

    require(finite, np.isfinite(rows))
    if dtype.itemsize < rows.dtype.itemsize:
        highest = np.finfo(dtype).max
        require(f"be at most {highest:.6g} in size ({dtype})", np.abs(rows) <= highest)


def aligned(values: Array, dimensions: int) -> Array:
    """(steps, *shape of a value) with axes of length 1 put in, so that a value has as many `dimensions`."""
    return values.reshape((len(values), *(1,) * (dimensions + 1 - values.ndim), *values.shape[1:]))


def per_neuron(values: Array, shape: tuple[int, ...]) -> Array:
    """(steps, *shape of a value) as (steps, neurons) of a population of this shape, in flat order."""
    full = np.broadcast_to(aligned(values, len(shape)), (len(values), *shape))
    return full.reshape(len(values), math.prod(shape))


def total(values: list[Array]) -> Array:
    """The sum of values (steps, *shape of a value) of inputs, some of one value for all neurons."""
    return reduce(np.add, _alike(values))


def product(values: list[Array]) -> Array:
    """The product of such values."""
    return reduce(np.multiply, _alike(values))


def _alike(values: list[Array]) -> list[Array]:
    dimensions = max(value.ndim for value in values) - 1
    return [aligned(value, dimensions) for value in values]


def combined(operation: Any, one: Array, other: Array) -> Array:
    """The sum or product of rows, by a ufunc, in place of those that are as wide as it and may be overwritten."""
    width = max(one.shape[1], other.shape[1])
    places = [rows for rows in (one, other) if rows.shape[1] == width and rows.flags.writeable]
    return np.asarray(operation(one, other, out=places[0] if places else None))


def read_only(values: Array) -> Array:
    """The same array, as one through which nobody writes."""
    view = values.view()
    view.flags.writeable = False
    return view


def flat(value: ArrayLike, shape: tuple[int, ...]) -> Array:
    """A value for each neuron, (neurons,), in flat order."""
    return np.broadcast_to(value, shape).flatten()
