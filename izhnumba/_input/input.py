"""Inputs: how they are written, add up, and become rows of numbers for the steps of a population.

An input is evaluated at t = k dt, the start of step k. Times become numbers of steps, and a thousandth of a step is
forgiven, so that step 3 of 0.1 ms is at 0.3 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._engine.timebase import snapped
from izhnumba._input.target import Array, Drawn, Memory, Reused, Rows, Target
from izhnumba._input.values import (
    Wave,
    aligned,
    amplitude,
    check_rows,
    fit_shape,
    frozen,
    of_any_times,
    per_neuron,
    read_only,
    shown,
)

NO_TIMES = np.empty(0)
_FINITE = "give finite values"  # what the methods of a user's class must


# What operators and methods of `Input` make: functions by name, which the files of those classes enter here.
OPERATIONS: dict[str, Callable[..., Any]] = {}


class Input:
    """A current, or V jumps or conductances, in the course of time: what `Population.run` and `Network.drive` take
    besides numbers and arrays.

    Inputs cannot be changed. Two of them, or one and a number or an array with a value for each neuron, add up to a
    new one, are subtracted or multiplied; a number or an array divides one. `clip` keeps one within limits, `delayed`
    and `stretched` change it in time.

    To write an input of your own:

    1. Derive a class from `Input` and make it a frozen dataclass, `@dataclass(frozen=True, eq=False, repr=False)`,
       whose fields are its parameters. Check them in `__post_init__`. Its repr then shows them, and checkpoints store
       them; `izhnumba.load(path, define=[YourInput])` reads them back.
    2. If it is a function of time, define `at(t)`. t: times in ms, float64, shape (steps,), ascending. Return the
       values in the unit of what is driven, mV/ms for currents (pA for Izhikevich2007): shape (steps,), the same for
       all neurons, or (steps, ...) where one value broadcasts to the shape of the population.
    3. If it is not, because it draws random numbers or depends on what came before, define `bind`, which see, instead.
    4. Run it. What it returns is checked before a kernel reads it, and a ValueError names your class if shape, dtype
       or a value is wrong. It adds up, scales and drives slices and batches like all others.

    The scheme "exact" follows inputs between steps and takes none of your own: write a function there that returns a
    sum of `Constant`, `TimedArray`, `Ramp`, `Pulses` and `Sine`.

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
    >>> (iz.Sine(4.0, frequency=25.0) * iz.Pulses(20.0, 60.0, 1.0)).at([10.0, 30.0, 90.0])
    array([ 0., -4.,  0.])

    A sweep of your own, whose frequency rises from 0 by `rate` Hz in a second:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True, eq=False, repr=False)
    ... class Sweep(iz.Input):
    ...     amplitude: float
    ...     rate: float = 20.0
    ...
    ...     def at(self, t):
    ...         return self.amplitude * np.sin(1e-6 * np.pi * self.rate * t**2)
    >>> cell = iz.Population(1, **iz.presets["RS"])
    >>> cell.run(300.0, 4.0 + 2 * Sweep(3.0)).spikes
    <4 spikes of 1 neuron, 12.2 to 163.8 ms>
    """

    _unit: str | None = None  # of the amplitudes; None if they are plain numbers
    _per_neuron: tuple[str, ...] = ()  # arguments that must broadcast to the population
    _streams = 0  # of random numbers in use
    _unbounded = False  # whether it may have any value, as normal numbers
    __array_ufunc__ = None  # array + input is one input, not an array of them

    def __init_subclass__(cls, **options: object) -> None:
        """A class that defines `at` or `bind` inherits no other way to its values, so that none contradicts it; its
        `at` takes times of any shape."""
        super().__init_subclass__(**options)
        if "at" in vars(cls):
            setattr(cls, "at", of_any_times(vars(cls)["at"], f"{cls.__name__}.at"))  # noqa: B010 - no method for mypy
        if "at" in vars(cls) or "bind" in vars(cls):
            for name in {"_rows", "_drawn", "_values", "_breaks"} - vars(cls).keys():
                setattr(cls, name, getattr(Input, name))
        if "bind" in vars(cls):
            cls._streams = max(cls._streams, 1)  # it may draw

    def __add__(self, other: object) -> Input:
        return OPERATIONS["+"](self, other)

    def __radd__(self, other: object) -> Input:
        return OPERATIONS["+"](other, self)

    def __mul__(self, factor: object) -> Input:
        return OPERATIONS["*"](self, factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Input:
        return OPERATIONS["/"](self, divisor)

    def __neg__(self) -> Input:
        return -1.0 * self

    def __sub__(self, other: object) -> Input:
        return self + -(other if isinstance(other, Input) else Constant(other))

    def __rsub__(self, other: object) -> Input:
        return other + -self

    def __repr__(self) -> str:
        named: Any = fields(self) if is_dataclass(self) else ()  # one of your own may be no dataclass
        values = (f"{field.name}={shown(getattr(self, field.name))}" for field in named)
        return f"{type(self).__name__}({', '.join(values)})"

    def clip(self, low: Any = None, high: Any = None) -> Input:
        """This input, but `low` where it is below that, and `high` where it is above.

        A conductance must not be negative: `OrnsteinUhlenbeck(mean, std, tau).clip(0.0)` is the point conductance of
        A. Destexhe and others (2001), whose process goes on below 0 unseen. The scheme "exact" takes what is constant
        between breaks.

        Parameters
        ----------
        low, high : float or array, optional
            One value, or any shape that broadcasts to the population; one of the two at least, low <= high.

        Examples
        --------
        >>> import izhnumba as iz
        >>> iz.Ramp(1.0).clip(2.0, 5.0).at([1.0, 3.0, 9.0])
        array([2., 3., 5.])
        """
        return OPERATIONS["clip"](self, low, high)

    def delayed(self, by: float) -> Input:
        """This input, `by` ms later: at t it is what this one is at t - by.

        It must be a function of time, of any time: without noise and spikes.

        Parameters
        ----------
        by : float, ms
            Below 0: earlier.

        Examples
        --------
        >>> import izhnumba as iz
        >>> iz.TimedArray([1.0, 2.0], dt=1.0).delayed(10.0).at([9.0, 10.0, 11.0])
        array([0., 1., 2.])
        """
        return OPERATIONS["delayed"](self, by)

    def stretched(self, factor: float) -> Input:
        """This input, slower by a factor: at t it is what this one is at t / factor. Amplitudes stay.

        It must be a function of time, of any time: without noise and spikes.

        Parameters
        ----------
        factor : float, > 0
            2 takes twice as long, 0.5 half as long.

        Examples
        --------
        >>> import izhnumba as iz
        >>> iz.Pulses(10.0, 12.0, 5.0).stretched(3.0)
        Pulses(start=10.0, stop=12.0, amplitude=5.0, base=0.0, strict=False).stretched(3.0)
        >>> iz.Pulses(10.0, 12.0, 5.0).stretched(3.0).at([29.0, 30.0, 35.0, 36.0])
        array([0., 5., 5., 0.])
        """
        return OPERATIONS["stretched"](self, factor)

    def at(self, t: ArrayLike) -> Any:
        """The values at the times `t` (ms, one or an array), for plots. Shape: that of t, then that of one value.

        One of your own that is a function of time defines it. What you write is called with float64 times of shape
        (steps,), whatever is asked for.
        """
        fine, t = 1e-6, frozen("Input.at.t", t, "ms")
        values = self._values(snapped(np.ravel(t) / fine), fine)
        values = np.array(values).reshape(np.shape(t) + values.shape[1:])
        return values if values.ndim else float(values)

    def bind(
        self, shape: tuple[int, ...], dt: float, dtype: DTypeLike, key: tuple[int, int], memory: Memory,
        *, unit: str = "mV/ms",
    ) -> Rows:  # fmt: skip
        """The values for one population, step by step. One of your own that is no function of time defines it.

        Parameters
        ----------
        shape : tuple of int
            Of the population, (batch, *size) if it has a batch; (neurons,) for chosen neurons.
        dt : float, ms
            Step k begins at k dt.
        dtype : float64 or float32
        key : (seed, stream), int, 32 bits each
            For random numbers of its own. Make those of step k from (seed, stream, k), so that they are the same
            however steps are grouped.
        memory : dict
            For what it must keep from run to run, under `stream`: numbers, texts, arrays, lists and dicts, which
            checkpoints store. It is empty at time 0.
        unit : "mV/ms", "pA", "mV", "1/ms" or "nS"
            Of what is driven; "" for spikes.

        Returns
        -------
        function of (step, count)
            The values of `count` steps from `step` on: a C-contiguous array of dtype, shape (count, 1) if they are the
            same for all neurons, else (count, neurons) in flat order, all finite. The same steps may be asked for
            again, and must have the same values then: the first one always is, and after Ctrl-C those of a piece that
            was not used.

        Raises
        ------
        ValueError
            If values do not fit the population, before anything runs.

        Examples
        --------
        Exponentially distributed currents, new ones for each neuron and step:

        >>> import math, numpy as np, izhnumba as iz
        >>> class Shots(iz.Input):
        ...     def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        ...         n, seed = math.prod(shape), key[0] << 32 | key[1]
        ...
        ...         def row(step):
        ...             draw = np.random.Generator(np.random.Philox(key=seed, counter=[0, step, 0, 0]))
        ...             return draw.exponential(10.0, n)
        ...
        ...         return lambda step, count: np.array([row(k) for k in range(step, step + count)], dtype)
        >>> cells = iz.Population(100, seed=1)
        >>> len(cells.run(100.0, Shots()).spikes) > 100
        True
        """
        to = Target(shape, dt, np.dtype(dtype), key, memory, unit)
        made = self._rows(to)
        return lambda step, count: made(step, count).copy()

    def _bound(self, to: Target) -> Rows:
        """Rows that kernels may read by their address, which hold until the next ones are asked for. Those of a `bind`
        of a user's own are checked, block by block, and not written to."""
        if type(self).bind is Input.bind:
            return self._rows(to)
        name, n = type(self).__name__, to.n
        checks.takes(f"{name}.bind", self.bind, *Target._fields[:-1], unit=to.unit)
        rows = self.bind(to.shape, to.dt, to.dtype, to.key, to.memory, unit=to.unit)
        checks.takes(f"{name}.bind()", rows, "step", "count")

        def checked_rows(step: int, count: int) -> Array:
            found = rows(step, count)
            plain = type(found) in (np.ndarray, np.memmap)  # others may have a mask or a unit
            if not plain or found.dtype != to.dtype or found.shape not in ((count, 1), (count, n)):
                got = f"{found.dtype} of shape {found.shape}" if plain else f"{checks.shown(found)}"
                shapes = f"({count}, 1) or ({count}, {n})"
                cure = " Convert it: .astype(dtype)." if plain and found.dtype != to.dtype else ""
                raise ValueError(f"{name}.bind must give {to.dtype} of shape {shapes}, got {got}.{cure}")
            check_rows(f"{name}.bind", found, step, to.dtype, _FINITE)
            return read_only(np.ascontiguousarray(found))

        return checked_rows

    def _drawn(self, to: Target) -> Drawn | None:
        """The values as kernels make them by themselves; None if they do not."""
        return None

    def _rows(self, to: Target) -> Rows:
        """Rows made of the values at each step. A part of izhnumba's own that draws random numbers overrides it."""
        name, of_time = type(self).__name__, type(self).at is not Input.at
        if not of_time and type(self)._values is Input._values:
            must = f"{name} must define at(t) or bind({', '.join(Target._fields[:-1])}, *, unit)"
            raise TypeError(f"{must}, got neither. See help(izhnumba.Input).")
        self._fit(to)
        where, must = (f"{name}.at", _FINITE) if of_time else (name, "be finite")
        room = Reused(to)

        def rows(step: int, count: int) -> Array:
            values = self._values(step + np.arange(count, dtype=np.float64), to.dt)
            if of_time and values.ndim > 1 and count:
                fit_shape(f"{name}.at(t)[0]", values[0], to.shape)
            if values.ndim > 1 and not of_time:  # has been looked at before: that would cost time
                made = room(count)
                with np.errstate(over="ignore"):  # it shows in V
                    made.reshape(count, *to.shape)[...] = aligned(values, len(to.shape))
                return made
            flat = values[:, np.newaxis] if values.ndim == 1 else per_neuron(values, to.shape)
            check_rows(where, flat, step, to.dtype, must)
            return flat.astype(to.dtype, order="C")

        return rows

    def _values(self, k: Array, dt: float) -> Array:
        """One value for each of the steps k, of dt ms: shape (steps, *shape of a value), float64."""
        if type(self).at is not Input.at:
            return np.asarray(self.at(np.round(k * dt, 9)))  # so that step 3 of 0.7 ms is at 2.1 ms
        ours = type(self).bind is Input.bind
        which = "without random parts" if ours else "with values at any time, not only what bind() gives"
        raise TypeError(f"Input.at must have an input {which}, got {self!r}. Record it in a run instead.")

    def _breaks(self) -> Array | None:
        """Times in ms, ascending, between which the current is a line and waves; some may be below 0. None: it has no
        such pieces."""
        return None

    def _lines(self, t: Array) -> tuple[Array, Array]:
        """From each of these times on: levels and slopes, without waves, (times, *shape of a value) each, of which
        slopes may be (times,)."""
        fine = 1e-6
        return self._values(snapped(t / fine), fine), np.zeros(len(t))

    def _waves(self) -> list[Wave]:
        """Sine waves that are added to `_lines`."""
        return []

    @property
    def _made_of(self) -> tuple[Input, ...]:
        """The inputs that it adds up, multiplies or changes."""
        return ()

    @property
    def _of_time(self) -> bool:
        """Whether it is a function of time, which has values at any time."""
        own = type(self).at is not Input.at or type(self)._values is not Input._values
        return own and all(part._of_time for part in self._made_of)

    def _fit(self, to: Target) -> None:
        for part in self._made_of:
            part._fit(to)
        name = type(self).__name__
        if self._unit not in (None, to.unit):
            raise ValueError(f"{name} must be in {to.unit} for this model and use, got {self._unit}.")
        for argument in self._per_neuron:
            value = getattr(self, argument)
            fit_shape(f"{name}.{argument}", value, to.shape)
            checks.finite(f"{name}.{argument}", np.asarray(value), to.dtype)

    def _set_amplitude(self, name: str, *, scalar: bool = False, at_least: float | None = None) -> None:
        """Make this argument a float or a read-only array, and note the unit that all amplitudes have in common."""
        where = f"{type(self).__name__}.{name}"
        value, unit = amplitude(where, getattr(self, name))
        value = checks.number(where, value) if scalar else frozen(where, value, at_least=at_least)
        if unit and self._unit and unit != self._unit:
            raise ValueError(f"{where} must be in {self._unit} like the amplitude before it, got {unit}.")
        assign(self, **{name: value}, _unit=self._unit or unit)


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
