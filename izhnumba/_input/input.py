"""What all inputs have in common: how they add up and become rows of numbers for the steps of a population.

An input is evaluated at t = k dt, the start of step k. Times become numbers of steps, and a thousandth of a step is
forgiven, so that step 3 of 0.1 ms is at 0.3 ms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from izhnumba._base import checks
from izhnumba._engine.timebase import snapped

Array = NDArray[Any]
NO_TIMES = np.empty(0)
Rows = Callable[[int, int], Array]
_UNITS = ("mV/ms", "pA", "mV", "1/ms", "nS")  # of currents, V jumps and reversal potentials, conductances


class Target(NamedTuple):
    """The population an input is bound to."""

    shape: tuple[int, ...]
    dt: float
    dtype: np.dtype[Any]
    key: tuple[int, int]
    memory: dict[int, Any]
    unit: str


class Wave(NamedTuple):
    """amplitude sin(rate t + phase), t in ms."""

    rate: float
    amplitude: float
    phase: float


class Input:
    """What `Population.run` takes as `I` besides numbers and arrays.

    Inputs cannot be changed. Two of them, or one and a number, add up to a new one or are subtracted, and a number
    multiplies or divides one.

    Examples
    --------
    >>> import izhnumba as iz
    >>> stimulus = 2.0 + iz.Ramp(slope=0.5, start=10.0)
    >>> stimulus
    Constant(value=2.0) + Ramp(slope=0.5, start=10.0, stop=inf, base=0.0, strict=False)
    >>> stimulus.at([5.0, 14.0])
    array([2., 4.])
    >>> (3.0 - stimulus / 2).at([5.0, 14.0])
    array([2., 1.])
    """

    _unit: str | None = None  # of the amplitudes; None if they are plain numbers
    _per_neuron: tuple[str, ...] = ()  # arguments that must broadcast to the population
    _streams = 0  # of random numbers in use
    __array_ufunc__ = None  # array + input is one input, not an array of them

    def __add__(self, other: Any) -> Sum:
        return Sum((self, other))

    def __radd__(self, other: Any) -> Sum:
        return Sum((other, self))

    def __mul__(self, factor: Any) -> Input:
        return _scaled(factor, self)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Input:
        divisor = _factor(divisor, "divisor")
        if not divisor:
            raise ZeroDivisionError(f"Input.divisor must not be 0, got {divisor!r}.")
        return _scaled(1.0 / divisor, self)

    def __neg__(self) -> Input:
        return _scaled(-1.0, self)

    def __sub__(self, other: Any) -> Sum:
        return Sum((self, -(other if isinstance(other, Input) else Constant(other))))

    def __rsub__(self, other: Any) -> Sum:
        return Sum((other, -self))

    def __repr__(self) -> str:
        named: Any = fields(self) if is_dataclass(self) else ()  # one of your own may be no dataclass
        shown = (f"{f.name}={_shown(getattr(self, f.name))}" for f in named)
        return f"{type(self).__name__}({', '.join(shown)})"

    def at(self, t: Any) -> Any:
        """The values at the times `t` (ms, one or an array), for plots. Shape: that of t, then that of one value."""
        fine, t = 1e-6, frozen("Input.at.t", t, "ms")
        values = self._values(snapped(np.ravel(t) / fine), fine)
        values = np.array(values).reshape(np.shape(t) + values.shape[1:])
        return values if values.ndim else float(values)

    def bind(
        self, shape: tuple[int, ...], dt: float, dtype: DTypeLike, key: tuple[int, int], memory: dict[int, Any],
        *, unit: str = "mV/ms",
    ) -> Rows:  # fmt: skip
        """A function of (step, count) that returns the values of `count` steps for a population of `shape`: a new
        C-contiguous array (count, 1), or (count, neurons) if they may differ between neurons.

        key: seed and stream, 32 bits each. memory: where random inputs keep what they need to go on.
        """
        return self._rows(Target(shape, dt, np.dtype(dtype), key, memory, unit))

    def _rows(self, to: Target) -> Rows:
        self._fit(to)

        def rows(step: int, count: int) -> Array:
            values = self._values(step + np.arange(count, dtype=np.float64), to.dt)
            if values.ndim == 1:
                checks.finite(type(self).__name__, values, to.dtype)
                return values.astype(to.dtype)[:, np.newaxis]
            full = np.broadcast_to(aligned(values, len(to.shape)), (count, *to.shape))
            return full.astype(to.dtype, order="C").reshape(count, math.prod(to.shape))

        return rows

    def _values(self, k: Array, dt: float) -> Array:
        """One value for each of the steps k, of dt ms: shape (steps, *shape of a value), float64."""
        which = "without random parts" if _is_ours(self) else "with values at any time, not only what bind() gives"
        raise TypeError(f"Input.at must have an input {which}, got {self!r}. Record it in a run instead.")

    def _breaks(self) -> Array | None:
        """Times in ms, ascending, between which the current is a line and waves. None: it has no such pieces."""
        return None

    def _lines(self, t: Array) -> tuple[Array, Array]:
        """From each of these times on: levels (times, *shape of a value) and slopes (times,), without waves."""
        fine = 1e-6
        return self._values(snapped(t / fine), fine), np.zeros(len(t))

    def _waves(self) -> list[Wave]:
        """What it has besides lines."""
        return []

    def _fit(self, to: Target) -> None:
        name = type(self).__name__
        if self._unit not in (None, to.unit):
            raise ValueError(f"{name} must be in {to.unit} for this model and use, got {self._unit}.")
        for argument in self._per_neuron:
            value = getattr(self, argument)
            fit_shape(f"{name}.{argument}", value, to.shape)
            checks.finite(f"{name}.{argument}", np.asarray(value), to.dtype)

    def _set(self, **values: Any) -> None:
        self.__dict__.update(values)  # the class is frozen for everybody else

    def _set_amplitude(self, name: str, *, scalar: bool = False, at_least: float | None = None) -> None:
        """Make this argument a float or a read-only array, and note the unit that all amplitudes have in common."""
        where = f"{type(self).__name__}.{name}"
        value, unit = _amplitude(where, getattr(self, name))
        value = checks.number(where, value) if scalar else frozen(where, value, at_least=at_least)
        if unit and self._unit and unit != self._unit:
            raise ValueError(f"{where} must be in {self._unit} like the amplitude before it, got {unit}.")
        self._set(**{name: value}, _unit=self._unit or unit)


@dataclass(frozen=True, eq=False, repr=False)
class Sum(Input):
    """The sum of `parts`, inputs or numbers, added from left to right. Each random part draws its own numbers, even
    if it is the same object twice."""

    parts: tuple[Any, ...]

    def __post_init__(self) -> None:
        flat: list[Input] = []
        for part in self.parts:
            flat += part.parts if isinstance(part, Sum) else [part if isinstance(part, Input) else Constant(part)]
        units = {part._unit: None for part in flat if part._unit}
        if len(units) > 1:
            raise ValueError(f"Sum.parts must be in one unit, got {' and '.join(units)}.")
        self._set(parts=tuple(flat))

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))

    def _rows(self, to: Target) -> Rows:
        (seed, stream), bound = to.key, []
        for part in self.parts:
            bound.append(rows_of(part, to._replace(key=(seed, stream))))
            stream = (stream + max(part._streams, not _is_ours(part))) % 2**32  # one of your own may draw, too

        def total(step: int, count: int) -> Array:
            with np.errstate(over="ignore"):  # it is looked at
                values = reduce(np.add, [rows(step, count) for rows in bound])
            if values.shape[1] == 1:  # more would cost time, and shows in V
                checks.finite("Sum", values)
            return values

        return total

    def _values(self, k: Array, dt: float) -> Array:
        return _total([part._values(k, dt) for part in self.parts])

    def _breaks(self) -> Array | None:
        breaks = [part._breaks() for part in self.parts]
        known = [times for times in breaks if times is not None]
        return np.unique(np.concatenate(known)) if len(known) == len(breaks) else None

    def _lines(self, t: Array) -> tuple[Array, Array]:
        levels, slopes = zip(*(part._lines(t) for part in self.parts), strict=True)
        return _total(list(levels)), reduce(np.add, slopes)

    def _waves(self) -> list[Wave]:
        return [wave for part in self.parts for wave in part._waves()]

    def _fit(self, to: Target) -> None:
        for part in self.parts:
            part._fit(to)


@dataclass(frozen=True, eq=False, repr=False)
class Scaled(Input):
    """`factor` times the values of an input that is no sum; made by `*`, `/` and `-`."""

    factor: float
    input: Input

    def __post_init__(self) -> None:
        checks.kind("Scaled.input", self.input, Input, "an input object")
        streams = max(self.input._streams, not _is_ours(self.input))
        self._set(factor=_factor(self.factor), _unit=self.input._unit, _streams=streams)

    def __repr__(self) -> str:
        return f"{self.factor:g} * {self.input!r}"

    def _rows(self, to: Target) -> Rows:
        bound = rows_of(self.input, to)

        def rows(step: int, count: int) -> Array:
            with np.errstate(over="ignore", invalid="ignore"):  # it is looked at
                values = bound(step, count) * to.dtype.type(self.factor)
            if values.shape[1] == 1:
                checks.finite("Scaled", values)
            return values

        return rows

    def _values(self, k: Array, dt: float) -> Array:
        return self.factor * self.input._values(k, dt)

    def _breaks(self) -> Array | None:
        return self.input._breaks()

    def _lines(self, t: Array) -> tuple[Array, Array]:
        levels, slopes = self.input._lines(t)
        return self.factor * levels, self.factor * slopes

    def _waves(self) -> list[Wave]:
        return [wave._replace(amplitude=self.factor * wave.amplitude) for wave in self.input._waves()]

    def _fit(self, to: Target) -> None:
        self.input._fit(to)


def _scaled(factor: Any, value: Input) -> Input:
    """Sums are scaled part by part, each of which draws its own numbers."""
    if isinstance(value, Sum):
        return Sum(tuple(_scaled(factor, part) for part in value.parts))
    if isinstance(value, Scaled):
        return Scaled(_factor(factor) * value.factor, value.input)
    return Scaled(factor, value)


def _factor(value: Any, name: str = "factor") -> float:
    if isinstance(value, Input) or np.ndim(value):
        cure = "Sample products in time: TimedArray(values, dt); for a factor per neuron give amplitudes as an array."
        raise TypeError(f"Input.{name} must be a finite number, got {value!r:.60}. {cure}")
    return checks.number(f"Input.{name}", value)


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Input):
    """The same current at all times.

    Parameters
    ----------
    value : float or array
        One value, or any shape that broadcasts to the population.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Constant(10.0).at(3.0)
    10.0
    """

    value: Any
    _per_neuron = ("value",)

    def __post_init__(self) -> None:
        self._set_amplitude("value")

    def _values(self, k: Array, dt: float) -> Array:
        return np.broadcast_to(self.value, (len(k), *np.shape(self.value)))

    def _breaks(self) -> Array:
        return NO_TIMES

    def _lines(self, t: Array) -> tuple[Array, Array]:
        return self._values(t, 1.0), np.zeros(len(t))


def _is_ours(value: Input) -> bool:
    """Whether its rows are made of its values, and not by a bind of its own."""
    return type(value).bind is Input.bind


def rows_of(value: Input, to: Target) -> Rows:
    """The rows of an input, which may be a user's own: kernels read them by their address."""
    rows, n = value.bind(to.shape, to.dt, to.dtype, to.key, to.memory, unit=to.unit), math.prod(to.shape)

    def checked_rows(step: int, count: int) -> Array:
        found = rows(step, count)
        good = isinstance(found, np.ndarray) and found.dtype == to.dtype
        if not good or found.shape not in ((count, 1), (count, n)):
            got = f"{found.dtype} of shape {found.shape}" if isinstance(found, np.ndarray) else f"{found!r:.60}"
            shapes = f"({count}, 1) or ({count}, {n})"
            raise ValueError(f"{type(value).__name__}.bind must give {to.dtype} of shape {shapes}, got {got}.")
        return np.ascontiguousarray(found)

    return checked_rows


def fit_shape(where: str, value: Any, shape: tuple[int, ...]) -> None:
    """Refuse a value that does not broadcast to the shape of the population."""
    own = np.shape(value)
    if len(own) > len(shape) or any(n not in (1, m) for n, m in zip(own[::-1], shape[::-1], strict=False)):
        checks.array(where, value, "", [shape[axis:] for axis in range(len(shape))])


def aligned(values: Array, dimensions: int) -> Array:
    """(steps, *shape of a value) with axes of length 1 put in, so that a value has as many `dimensions`."""
    return values.reshape((len(values), *(1,) * (dimensions + 1 - values.ndim), *values.shape[1:]))


def _total(values: list[Array]) -> Array:
    """The sum of values (steps, *shape of a value) of inputs, some of one value for all neurons."""
    dimensions = max(value.ndim for value in values) - 1
    return reduce(np.add, [aligned(value, dimensions) for value in values])


def _amplitude(where: str, value: Any) -> tuple[float | Array, str | None]:
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


def frozen(where: str, value: Any, unit: str = "", **limits: Any) -> float | Array:
    """`value` as a float, or as an array of our own that nobody can change."""
    plain = checks.magnitude(where, value, unit)
    array = np.array(checks.array(where, plain, "", [np.shape(plain)], **limits))
    array.flags.writeable = False
    return array if array.ndim else float(array)


def flag(where: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{where} must be True or False, got {value!r}.")
    return bool(value)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value.tolist()) if value.size <= 8 else f"<array of shape {value.shape}>"
    return repr(value)
