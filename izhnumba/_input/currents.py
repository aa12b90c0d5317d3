"""Inputs: currents as functions of time, evaluated at t = k dt, the start of step k, or by the exact scheme followed in
continuous time.

Amplitudes are numbers in the unit of what they drive, mV/ms for currents (pA for Izhikevich2007), or quantities.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from izhnumba._base import checks
from izhnumba._base.implausible import users_level
from izhnumba._base.sealed import assign
from izhnumba._engine.timebase import snapped
from izhnumba._input.input import NO_TIMES, Input
from izhnumba._input.target import Array, Reused, Rows, Target
from izhnumba._input.values import Wave, aligned, fit_shape, fit_together, flag, frozen


@dataclass(frozen=True, eq=False, repr=False)
class TimedArray(Input):
    """A recorded or computed current: row j holds for j dt <= t < (j + 1) dt.

    Parameters
    ----------
    values : array, shape (rows,) or (rows, *shape of one value)
        One value has shape () or one that broadcasts to the population.
    dt : float, ms, > 0
        Time between rows. It need not fit the dt of the population: step k takes row floor(k dt_population / dt), and
        a quotient less than a thousandth below a whole number is that number.
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
    _size = 0.0  # the largest of the values, in size

    def __post_init__(self) -> None:
        self._set_amplitude("values")
        shape = np.shape(self.values)
        if not shape or not math.prod(shape):
            raise ValueError(f"TimedArray.values must have shape (rows,) or (rows, ...) with rows >= 1, got {shape}.")
        assign(self, dt=checks.number("TimedArray.dt", self.dt, "ms", above=0), hold=flag("TimedArray.hold", self.hold))
        assign(self, _size=max(abs(self.values.min()), abs(self.values.max())))  # once: a table may be large

    def _fit(self, to: Target) -> None:
        super()._fit(to)
        fit_shape("TimedArray.values[0]", self.values[0], to.shape)
        if self._size > np.finfo(to.dtype).max:
            checks.finite("TimedArray.values", self.values, to.dtype)

    def _rows(self, to: Target) -> Rows:
        if to.dt >= 100 * self.dt:
            warnings.warn(
                f"TimedArray.dt is {self.dt:g} ms, of which a step of {to.dt:g} ms takes one row in a hundred or less. "
                "Pass it in ms.",
                stacklevel=users_level(),
            )
        if self.values.size == len(self.values):
            return super()._rows(to)  # one value for all neurons
        self._fit(to)
        as_it_lies, room = self.values.dtype == to.dtype and self.values.shape[1:] == to.shape, Reused(to)

        def rows(step: int, count: int) -> Array:
            row, over = self._row_at(step + np.arange(count, dtype=np.float64), to.dt)
            first, last = (row[0], row[-1]) if count else (0, -1)
            part, each = self.values[first : last + 1], np.array_equal(row, first + np.arange(count))
            if as_it_lies and each and not over.any():
                return np.asarray(part.reshape(count, to.n))
            made = room(count)
            if each or last - first >= count:
                made.reshape(count, *to.shape)[...] = aligned(part if each else self.values[row], len(to.shape))
            else:  # each holds for several steps: it is converted once
                few = to.new(len(part))
                few.reshape(len(part), *to.shape)[...] = aligned(part, len(to.shape))
                np.take(few, row - first, axis=0, out=made, mode="clip")  # "raise" would copy
            made[over] = 0.0
            return made

        return rows

    def _values(self, k: Array, dt: float) -> Array:
        row, over = self._row_at(k, dt)
        values: Array = self.values[row]
        values[over] = 0.0
        return values

    def _row_at(self, k: Array, dt: float) -> tuple[Array, Array]:
        """The row for each of the steps k, of dt ms, and whether it is none, so that the input is 0."""
        row, end = np.floor(snapped(k * (dt / self.dt))), len(self.values)
        return np.clip(row, 0, end - 1).astype(np.intp), (row < 0) | ((row >= end) & (not self.hold))

    def _breaks(self) -> Array:
        rows = self._all_rows()
        changes = np.any((rows[1:] != rows[:-1]).reshape(len(rows) - 1, rows[0].size), axis=1)
        return np.append(0.0, (np.flatnonzero(changes) + 1) * self.dt)  # before 0 it is 0

    def _lines(self, t: Array) -> tuple[Array, Array]:
        rows = self._all_rows()
        edges = np.arange(1, len(rows)) * self.dt  # no part of a step is forgiven here
        levels = rows[np.searchsorted(edges, t, side="right")]
        levels[t < 0] = 0.0
        return levels, np.zeros(len(t))

    def _all_rows(self) -> Array:
        """With the one that holds from the end on."""
        return self.values if self.hold else np.concatenate([self.values, np.zeros_like(self.values[:1])])


@dataclass(frozen=True, eq=False, repr=False)
class Sine(Input):
    """offset + amplitude sin(2 pi frequency t + phase).

    Parameters
    ----------
    amplitude, offset : float or array
    frequency : float or array, Hz, >= 0
        The scheme "exact" takes one number for all neurons.
    phase : float or array, rad
        Each is one value, or any shape that broadcasts to the population.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Sine(5.0, frequency=10.0, offset=3.0).at([0.0, 25.0, 75.0])
    array([ 3.,  8., -2.])

    Two neurons half a period apart:

    >>> iz.Sine(5.0, frequency=10.0, phase=[0.0, 3.141592653589793]).at([25.0, 75.0]).round(9)
    array([[ 5., -5.],
           [-5.,  5.]])
    """

    amplitude: Any
    frequency: Any
    phase: Any = 0.0
    offset: Any = 0.0
    _per_neuron = ("amplitude", "frequency", "phase", "offset")
    _axes: ClassVar[tuple[int, ...]] = ()  # of one value, each of length 1

    def __post_init__(self) -> None:
        self._set_amplitude("amplitude")
        self._set_amplitude("offset")
        assign(self, frequency=frozen("Sine.frequency", self.frequency, "Hz", at_least=0.0))
        assign(self, phase=frozen("Sine.phase", self.phase, "rad"))
        shape = fit_together("Sine", {name: np.shape(getattr(self, name)) for name in self._per_neuron})
        assign(self, _axes=(1,) * len(shape))

    def _values(self, k: Array, dt: float) -> Array:
        times = (k * dt).reshape(-1, *self._axes)
        angles = 2e-3 * math.pi * self.frequency * times + self.phase  # 1e-3: Hz times ms
        return np.asarray(self.offset + self.amplitude * np.sin(angles))

    def _breaks(self) -> Array:
        if np.ndim(self.frequency):
            must = "Sine.frequency must be one number for all neurons with the scheme 'exact'"
            cure = "Drive the neurons of each frequency by themselves, or use a clock scheme such as 'rk4'."
            raise ValueError(f"{must}, got shape {np.shape(self.frequency)}. {cure}")
        return NO_TIMES

    def _lines(self, t: Array) -> tuple[Array, Array]:
        return np.broadcast_to(self.offset, (len(t), *np.shape(self.offset))), np.zeros(len(t))

    def _waves(self) -> list[Wave]:
        return [Wave(2e-3 * math.pi * self.frequency, self.amplitude, self.phase)]


@dataclass(frozen=True, eq=False, repr=False)
class Ramp(Input):
    """base + slope (t - start) for start <= t < stop, base before and after; the same for all neurons.

    Parameters
    ----------
    slope : float
        Change in a ms.
    start, stop : float, ms, start <= stop, `stop` may be infinite
    base : float
    strict : bool
        With True it is on for start < t < stop, as in figure1.m of 2004.

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
        self._set_amplitude("base", scalar=True)
        assign(self, slope=self._slope(), start=checks.number("Ramp.start", self.start, "ms"))
        start = checks.Other("start", self.start)
        assign(self, stop=checks.number("Ramp.stop", self.stop, "ms", at_least=start, finite=False))
        assign(self, strict=flag("Ramp.strict", self.strict))

    def _slope(self) -> float:
        """A plain number, or a quantity in the unit of base per ms."""
        try:
            return checks.number("Ramp.slope", self.slope)
        except ValueError as error:
            for unit in [self._unit] if self._unit else ["mV/ms", "pA"]:
                with contextlib.suppress(ValueError):
                    return checks.number("Ramp.slope", self.slope, f"{unit}/ms")
            raise error from None

    def _values(self, k: Array, dt: float) -> Array:
        on = between(k, self.start / dt, self.stop / dt, self.strict)
        return np.asarray(self.base + np.where(on, self.slope * (k * dt - self.start), 0.0))

    def _breaks(self) -> Array:
        return np.unique([x for x in (self.start, self.stop) if x < math.inf])

    def _lines(self, t: Array) -> tuple[Array, Array]:
        slopes = np.where((self.start <= t) & (t < self.stop), self.slope, 0.0)
        return self.base + slopes * (t - self.start), slopes


@dataclass(frozen=True, eq=False, repr=False)
class Pulses(Input):
    """A step or pulses of current: base plus the amplitude of every pulse that is on, start <= t < stop.

    Parameters
    ----------
    start, stop : float or array, ms, start <= stop, `stop` may be infinite
        Shape (pulses,), or (pulses, ...) where one value broadcasts to the population: then each neuron has pulses of
        its own. A single number serves all pulses.
    amplitude : float or array, shape (pulses,) or (pulses, ...)
        Above base.
    base : float or array
        One value, or any shape that broadcasts to the population.
    strict : bool
        With True a pulse is on for start < t < stop, as in figure1.m of 2004.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Pulses(50.0, 250.0, 10.0).at([49.0, 50.0, 249.0, 250.0])
    array([ 0., 10., 10.,  0.])

    Two pulses on a base:

    >>> iz.Pulses([10.0, 30.0], [12.0, 32.0], 5.0, base=1.0).at([0.0, 10.0, 12.0, 31.0])
    array([1., 6., 1., 6.])

    A pulse of 2 ms that reaches each of three neurons 10 ms later:

    >>> import numpy as np
    >>> start = np.array([[10.0, 20.0, 30.0]])
    >>> iz.Pulses(start, start + 2.0, 5.0).at([10.0, 21.0])
    array([[5., 0., 0.],
           [0., 5., 0.]])
    """

    start: Any
    stop: Any
    amplitude: Any
    base: Any = 0.0
    strict: bool = False
    _per_neuron = ("base",)
    _shape: ClassVar[tuple[int, ...]] = ()  # of one value
    _pulses: ClassVar[tuple[Array, ...]] = ()  # start, stop and amplitude, of one shape (pulses, ...)

    def __post_init__(self) -> None:
        self._set_amplitude("amplitude")
        self._set_amplitude("base")
        start, stop = frozen("Pulses.start", self.start, "ms"), frozen("Pulses.stop", self.stop, "ms", finite=False)
        assign(self, start=start, stop=stop, strict=flag("Pulses.strict", self.strict))
        shapes = [np.shape(value) for value in (start, stop, self.amplitude)]
        if len({shape[:1] for shape in ((), *shapes)}) > 2:
            got = ", ".join(map(str, shapes))
            raise ValueError(f"Pulses.start, stop and amplitude must be numbers or of one length, got shapes {got}.")
        each = dict(zip(("start", "stop", "amplitude"), (shape[1:] for shape in shapes), strict=True))
        shape = fit_together("Pulses", {**each, "base": np.shape(self.base)})
        values = [aligned(np.atleast_1d(value), len(shape)) for value in (start, stop, self.amplitude)]
        assign(self, _shape=shape, _pulses=np.broadcast_arrays(*values))
        start, stop, _ = self._pulses
        wrong = np.argwhere(~(start <= stop))
        if wrong.size:
            at = f" at index {', '.join(map(str, wrong[0]))}" if start.size > 1 else ""
            first, last = start[tuple(wrong[0])], stop[tuple(wrong[0])]
            raise ValueError(f"Pulses.stop must be >= start ({first:g}) ms, got {last:g}{at}.")

    def _fit(self, to: Target) -> None:
        super()._fit(to)
        for name in ("start", "stop", "amplitude"):
            fit_shape(f"Pulses.{name}[0]", np.empty(np.shape(getattr(self, name))[1:]), to.shape)
        checks.finite("Pulses.amplitude", np.asarray(self.amplitude), to.dtype)

    def _rows(self, to: Target) -> Rows:
        start, stop, _ = self._pulses
        first, last = np.ceil(snapped(start / to.dt)), np.ceil(snapped(stop / to.dt))
        lost = (first >= last) & (start < stop)
        if lost.any():
            warnings.warn(
                f"Pulses from {start[lost][0]:g} to {stop[lost][0]:g} ms lie between two steps of {to.dt:g} ms and are "
                "lost. Make them as long as a step.",
                stacklevel=users_level(),
            )
        return super()._rows(to)

    def _values(self, k: Array, dt: float) -> Array:
        neurons = tuple(range(1, len(self._shape) + 1))
        first, last, _ = self._pulses
        if neurons:
            first, last = first.min(neurons, initial=math.inf), last.max(neurons, initial=-math.inf)
        near = (first <= k.max(initial=-math.inf) * dt + dt) & (last >= k.min(initial=math.inf) * dt - dt)
        values, steps = np.full((len(k), *self._shape), self.base), k.reshape(-1, *(1,) * len(neurons))
        for start, stop, height in zip(*(value[near] for value in self._pulses), strict=True):
            values += height * between(steps, start / dt, stop / dt, self.strict)
        return values

    def _breaks(self) -> Array:
        times = np.unique(np.concatenate([np.ravel(self.start), np.ravel(self.stop)]))
        return times[np.isfinite(times)]

    def _lines(self, t: Array) -> tuple[Array, Array]:
        levels, times = np.full((len(t), *self._shape), self.base), t.reshape(-1, *(1,) * len(self._shape))
        for start, stop, height in zip(*self._pulses, strict=True):
            levels += height * ((start <= times) & (times < stop))
        return levels, np.zeros(len(t))


def between(k: Array, start: float | Array, stop: float | Array, strict: bool) -> Array:
    first, last = snapped(start), snapped(stop)
    return ((first < k) if strict else (first <= k)) & (k < last)
