"""Inputs: currents as functions of time, evaluated at t = k dt, the start of step k.

Amplitudes are numbers in the unit of the model's input, mV/ms (pA for Izhikevich2007), or quantities in that unit.
Times become numbers of steps and a thousandth of a step is forgiven, so that step 3 of 0.1 ms is at 0.3 ms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from izhnumba import _checks

Array = NDArray[Any]
Rows = Callable[[int, int], Array]


class _Target(NamedTuple):
    """The population an input is bound to."""

    shape: tuple[int, ...]
    dt: float
    dtype: np.dtype[Any]
    key: tuple[int, int]
    memory: dict[int, Any]
    unit: str


class Input:
    """What `Population.run` takes as `I` besides numbers and arrays.

    Inputs cannot be changed. Two of them, or one and a number, add up to a new one.

    Examples
    --------
    >>> import izhnumba as iz
    >>> stimulus = 2.0 + iz.Ramp(slope=0.5, start=10.0)
    >>> stimulus
    Constant(value=2.0) + Ramp(slope=0.5, start=10.0, stop=inf, base=0.0, strict=False)
    >>> stimulus.at([5.0, 14.0])
    array([2., 4.])
    """

    _unit: str | None = None  # of the amplitudes; None if they are plain numbers
    _per_neuron: tuple[str, ...] = ()  # arguments that must broadcast to the population
    __array_ufunc__ = None  # array + input is one input, not an array of them

    def __add__(self, other: Any) -> Sum:
        return Sum((self, other))

    def __radd__(self, other: Any) -> Sum:
        return Sum((other, self))

    def __repr__(self) -> str:
        values = [(field.name, getattr(self, field.name)) for field in fields(self)]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{name}={_shown(value)}' for name, value in values)})"

    def at(self, t: Any) -> Any:
        """The values at the times `t` (ms, one or an array), for plots. Shape: that of t, then that of one value."""
        fine, t = 1e-6, _frozen("Input.at: t", t, "ms")
        values = self._values(_snapped(np.ravel(t) / fine), fine)
        values = values.reshape(np.shape(t) + values.shape[1:])
        return values if values.ndim else float(values)

    def bind(
        self, shape: tuple[int, ...], dt: float, dtype: DTypeLike, key: tuple[int, int], memory: dict[int, Any],
        *, unit: str = "mV/ms",
    ) -> Rows:  # fmt: skip
        """A function of (step, count) that returns the values of `count` steps for a population of `shape`: a new
        C-contiguous array (count, 1), or (count, neurons) if they may differ between neurons.

        key: seed and stream, 32 bits each. memory: where random inputs keep what they need to go on.
        """
        return self._rows(_Target(shape, dt, np.dtype(dtype), key, memory, unit))

    def _rows(self, to: _Target) -> Rows:
        self._fit(to)

        def rows(step: int, count: int) -> Array:
            values = self._values(step + np.arange(count, dtype=np.float64), to.dt)
            if values.ndim == 1:
                return values.astype(to.dtype)[:, np.newaxis]
            full = np.broadcast_to(_aligned(values, len(to.shape)), (count, *to.shape))
            return full.astype(to.dtype, order="C").reshape(count, math.prod(to.shape))

        return rows

    def _values(self, k: Array, dt: float) -> Array:
        """One value for each of the steps k, of dt ms: shape (steps, *shape of a value), float64."""
        raise NotImplementedError

    def _fit(self, to: _Target) -> None:
        name = type(self).__name__
        if self._unit not in (None, to.unit):
            raise ValueError(f"{name} must be in {to.unit}, the unit of the model's input, got {self._unit}.")
        for argument in self._per_neuron:
            _fit(f"{name}.{argument}", getattr(self, argument), to.shape)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _set_amplitudes(self, *names: str, scalar: bool = False, at_least: float | None = None) -> None:
        """Make these arguments floats or read-only arrays, and note the unit they have in common."""
        for name in names:
            where = f"{type(self).__name__}.{name}"
            value, unit = _amplitude(where, getattr(self, name))
            value = _checks.number(where, value) if scalar else _frozen(where, value, at_least=at_least)
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
        self._set(parts=tuple(flat))

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))

    def _rows(self, to: _Target) -> Rows:
        (seed, stream), bound = to.key, []
        for part in self.parts:
            bound.append(part._rows(to._replace(key=(seed, stream))))
            stream = (stream + isinstance(part, _Random)) % 2**32
        return lambda step, count: reduce(np.add, [rows(step, count) for rows in bound])

    def _values(self, k: Array, dt: float) -> Array:
        values = [part._values(k, dt) for part in self.parts]
        dimensions = max(value.ndim for value in values) - 1
        return reduce(np.add, [_aligned(value, dimensions) for value in values])


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
        self._set_amplitudes("value")

    def _values(self, k: Array, dt: float) -> Array:
        return np.broadcast_to(self.value, (len(k), *np.shape(self.value)))


@dataclass(frozen=True, eq=False, repr=False)
class TimedArray(Input):
    """A recorded or computed current: row j holds for j dt <= t < (j + 1) dt.

    Parameters
    ----------
    values : array, shape (rows,) or (rows, *shape of one value)
        One value has shape () or one that broadcasts to the population.
    dt : float, ms, > 0
        Time between rows. It need not fit the dt of the population: step k takes row floor(k dt_population / dt), where
        a quotient a thousandth below a whole number, or closer, counts as that number.
    hold : bool
        Whether the last row stays on after its time; otherwise the input is 0 from then on.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.TimedArray([1.0, 2.0, 4.0], dt=0.5).at([0.0, 0.4, 0.5, 9.0])
    array([1., 1., 2., 4.])
    """

    values: Any
    dt: float
    hold: bool = True

    def __post_init__(self) -> None:
        self._set_amplitudes("values")
        shape = np.shape(self.values)
        if not shape or not math.prod(shape):
            raise ValueError(f"TimedArray.values must have shape (rows,) or (rows, ...) with rows >= 1, got {shape}.")
        self._set(dt=_checks.number("TimedArray.dt", self.dt, "ms", above=0), hold=_flag("TimedArray.hold", self.hold))

    def _fit(self, to: _Target) -> None:
        super()._fit(to)
        _fit("TimedArray.values[0]", self.values[0], to.shape)

    def _values(self, k: Array, dt: float) -> Array:
        row, end = np.floor(_snapped(k * (dt / self.dt))), len(self.values)
        values: Array = self.values[np.clip(row, 0, end - 1).astype(np.intp)]
        values[(row < 0) | ((row >= end) & (not self.hold))] = 0.0
        return values


@dataclass(frozen=True, eq=False, repr=False)
class Sine(Input):
    """offset + amplitude sin(2 pi frequency t + phase), the same for all neurons.

    Parameters
    ----------
    amplitude, offset : float
    frequency : float, Hz, >= 0
    phase : float, rad

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Sine(5.0, frequency=10.0, offset=3.0).at([0.0, 25.0, 75.0])
    array([ 3.,  8., -2.])
    """

    amplitude: Any
    frequency: float
    phase: float = 0.0
    offset: Any = 0.0

    def __post_init__(self) -> None:
        self._set_amplitudes("amplitude", "offset", scalar=True)
        self._set(frequency=_checks.number("Sine.frequency", self.frequency, "Hz", at_least=0))
        self._set(phase=_checks.number("Sine.phase", self.phase, "rad"))

    def _values(self, k: Array, dt: float) -> Array:
        angle = 2e-3 * math.pi * self.frequency * (k * dt) + self.phase  # 1e-3: Hz times ms
        return np.asarray(self.offset + self.amplitude * np.sin(angle))


@dataclass(frozen=True, eq=False, repr=False)
class Ramp(Input):
    """base + slope (t - start) for start <= t < stop, base before and after; the same for all neurons.

    Parameters
    ----------
    slope : float
        Change in a ms, always a plain number.
    start, stop : float, ms, start <= stop
        `stop` may be infinite.
    base : float
    strict : bool
        Whether the ramp is on for start < t < stop instead, as in figure1.m of 2004.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Ramp(0.5, start=10.0, stop=20.0, base=1.0).at([5.0, 10.0, 16.0, 20.0])
    array([1., 1., 4., 1.])
    """

    slope: float
    start: float = 0.0
    stop: float = math.inf
    base: Any = 0.0
    strict: bool = False

    def __post_init__(self) -> None:
        self._set_amplitudes("base", scalar=True)
        self._set(slope=_checks.number("Ramp.slope", self.slope), start=_checks.number("Ramp.start", self.start, "ms"))
        self._set(stop=_checks.number("Ramp.stop", self.stop, "ms", at_least=self.start, finite=False))
        self._set(strict=_flag("Ramp.strict", self.strict))

    def _values(self, k: Array, dt: float) -> Array:
        on = _between(k, self.start / dt, self.stop / dt, self.strict)
        return np.asarray(self.base + np.where(on, self.slope * (k * dt - self.start), 0.0))


@dataclass(frozen=True, eq=False, repr=False)
class Pulses(Input):
    """base plus the amplitude of every pulse that is on, start <= t < stop; the same for all neurons.

    Parameters
    ----------
    start, stop : float or sequence, ms, start <= stop
        `stop` may be infinite.
    amplitude : float or sequence
        Above base. Sequences have one length, and a single number serves all pulses.
    base : float
    strict : bool
        Whether a pulse is on for start < t < stop instead, as in figure1.m of 2004.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Pulses([10.0, 30.0], [12.0, 32.0], 5.0, base=1.0).at([0.0, 10.0, 12.0, 31.0])
    array([1., 6., 1., 6.])
    """

    start: Any
    stop: Any
    amplitude: Any
    base: Any = 0.0
    strict: bool = False

    def __post_init__(self) -> None:
        self._set_amplitudes("amplitude")
        self._set_amplitudes("base", scalar=True)
        start, stop = _frozen("Pulses.start", self.start, "ms"), _frozen("Pulses.stop", self.stop, "ms", finite=False)
        self._set(start=start, stop=stop, strict=_flag("Pulses.strict", self.strict))
        shapes = [np.shape(value) for value in (start, stop, self.amplitude)]
        if len({(), *shapes}) > 2 or max(map(len, shapes)) > 1:
            got = ", ".join(map(str, shapes))
            raise ValueError(f"Pulses.start, stop and amplitude must be numbers or of one length, got shapes {got}.")
        length = np.atleast_1d(np.subtract(stop, start))
        if (length < 0).any():
            j = int(np.argmin(length >= 0))
            raise ValueError(f"Pulses.stop must be >= start, got {-length[j]} ms less at index {j}.")

    def _values(self, k: Array, dt: float) -> Array:
        start, stop, amplitude = map(np.atleast_1d, np.broadcast_arrays(self.start, self.stop, self.amplitude))
        near = (start <= k.max(initial=-math.inf) * dt + dt) & (stop >= k.min(initial=math.inf) * dt - dt)
        values = np.full(len(k), self.base)
        for first, last, height in zip(start[near] / dt, stop[near] / dt, amplitude[near], strict=True):
            values += height * _between(k, first, last, self.strict)
        return values


class _Random(Input):
    """Numbers drawn for each neuron by itself. They follow from seed, stream, step and neuron alone, so any split of
    a run, any number of threads and both dtypes see the same ones."""

    def _values(self, k: Array, dt: float) -> Array:
        raise TypeError(f"Input.at must have an input without random parts, got {self!r}. Record it in a run instead.")


@dataclass(frozen=True, eq=False, repr=False)
class Noise(_Random):
    """std times a standard normal number, a new one for each neuron and step.

    It is not scaled with dt, as in net.m of 2003: half the dt is half the power at low frequencies. For noise whose law
    does not depend on dt take `OrnsteinUhlenbeck`.

    Parameters
    ----------
    std : float or array, >= 0
        One value, or any shape that broadcasts to the population.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Constant(2.0) + iz.Noise(5.0)
    Constant(value=2.0) + Noise(std=5.0)
    """

    std: Any
    _per_neuron = ("std",)

    def __post_init__(self) -> None:
        self._set_amplitudes("std", at_least=0)

    def _rows(self, to: _Target) -> Rows:
        self._fit(to)
        std = _lanes(self.std, to)
        return lambda step, count: _normals(to, step, count) * std


@dataclass(frozen=True, eq=False, repr=False)
class OrnsteinUhlenbeck(_Random):
    """Noise around a mean with a memory of tau ms, for each neuron by itself and of the same law for every dt.

    The first value is mean + std N(0, 1), the stationary law. From step to step, exactly,
    x <- x + (1 - exp(-dt / tau)) (mean - x) + std sqrt(1 - exp(-2 dt / tau)) N(0, 1). A run right after a run with such
    an input goes on from its last value; after a reset, or steps without it, it starts afresh.

    Parameters
    ----------
    mean, std : float or array, std >= 0
        Of the stationary law. One value, or any shape that broadcasts to the population.
    tau : float, ms, > 0
        Correlation time: values s ms apart have the correlation exp(-s / tau).

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.OrnsteinUhlenbeck(mean=3.0, std=1.0, tau=5.0)
    OrnsteinUhlenbeck(mean=3.0, std=1.0, tau=5.0)
    """

    mean: Any
    std: Any
    tau: float
    _per_neuron = ("mean", "std")

    def __post_init__(self) -> None:
        self._set_amplitudes("mean")
        self._set_amplitudes("std", at_least=0)
        self._set(tau=_checks.number("OrnsteinUhlenbeck.tau", self.tau, "ms", above=0))

    def _rows(self, to: _Target) -> Rows:
        self._fit(to)
        mean, std = _lanes(self.mean, to), _lanes(self.std, to)
        pull, kick = (to.dtype.type(x) for x in (self._pull(to.dt), math.sqrt(self._pull(2 * to.dt))))

        def rows(step: int, count: int) -> Array:
            values = _normals(to, step, count) * std
            start = x = to.memory.get(to.key[1], {}).get(step)
            for value in values:
                if x is None:
                    value += mean
                else:
                    value *= kick
                    value += x + pull * (mean - x)
                x = value
            # Both ends are kept: a piece that was not used, because the run was stopped, is made again as it was.
            to.memory[to.key[1]] = {step: start, step + count: x.copy() if count else start}
            return values

        return rows

    def _pull(self, time: float) -> float:
        return -math.expm1(-time / self.tau)


def _normals(to: _Target, step: int, count: int) -> Array:
    """Standard normal numbers, (count, neurons), float32 for every population."""
    from izhnumba._kernels.philox import fill_normals

    words = np.empty((count, math.prod(to.shape)), np.uint32)
    fill_normals(words, step, 0, *to.key)
    return words.view(np.float32)


def _lanes(value: Any, to: _Target) -> Array:
    """One value, or one per neuron in flat order, in the dtype of the population."""
    return np.broadcast_to(value, to.shape if np.ndim(value) else (1,)).astype(to.dtype).ravel()


def _fit(where: str, value: Any, shape: tuple[int, ...]) -> None:
    """Refuse a value that does not broadcast to the shape of the population."""
    try:
        if np.broadcast_shapes(np.shape(value), shape) == shape:
            return
    except ValueError:
        pass
    _checks.array(where, value, "", [shape[axis:] for axis in range(len(shape))])


def _aligned(values: Array, dimensions: int) -> Array:
    """(steps, *shape of a value) with axes of length 1 put in, so that a value has as many `dimensions`."""
    return values.reshape(len(values), *(1,) * (dimensions + 1 - values.ndim), *values.shape[1:])


def _between(k: Array, start: float, stop: float, strict: bool) -> Array:
    first, last = _snapped(start), _snapped(stop)
    return ((first < k) if strict else (first <= k)) & (k < last)


def _snapped(x: Any) -> Array:
    nearest = np.rint(x)
    return np.where(np.isclose(x, nearest, rtol=0, atol=1e-3), nearest, x)


def _amplitude(where: str, value: Any) -> tuple[float | Array, str | None]:
    """`value` without its unit, and the unit: None for plain numbers, which pass for either."""
    plain: dict[str, Any] = {}
    for unit in ("mV/ms", "pA"):
        try:
            plain[unit] = _checks.magnitude(where, value, unit)
        except ValueError:
            if unit == "pA" and not plain:
                raise
    unit, number = plain.popitem()
    return number, None if plain else unit


def _frozen(where: str, value: Any, unit: str = "", **limits: Any) -> float | Array:
    """`value` as a float, or as an array of our own that nobody can change."""
    plain = _checks.magnitude(where, value, unit)
    array = np.array(_checks.array(where, plain, "", [np.shape(plain)], **limits))
    array.flags.writeable = False
    return array if array.ndim else float(array)


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{where} must be True or False, got {value!r}.")
    return bool(value)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value.tolist()) if value.size <= 8 else f"<array of shape {value.shape}>"
    return repr(value)
