"""What spike sources send: Poisson spikes of given rates, or given spikes; in steps, or in continuous time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from izhnumba._base import checks
from izhnumba._engine.timebase import snapped
from izhnumba._input.currents import TimedArray
from izhnumba._input.door import is_ours
from izhnumba._input.draws import PoissonDraws
from izhnumba._input.input import Input
from izhnumba._input.target import Array, Spikes, Target
from izhnumba._input.values import fit_shape, frozen, per_neuron

Events = Callable[[float, float], tuple[Array, Array]]
_MOST_HZ = 1e9  # in continuous time: a thousand spikes in a microsecond
_NEVER = 2.0**62  # steps, which no run reaches
_EVENT_BYTES = 64  # of a spike in continuous time: its time and cell, and copies of these
_ROOM = 1024  # arrivals that are written down at a time, at first


class Trains(Protocol):
    """What a source sends. live: whether it is an array that somebody may write into; ahead: whether it may be asked
    for what is perhaps not reached."""

    @property
    def live(self) -> bool: ...

    @property
    def ahead(self) -> bool: ...

    def steps(self, to: Target) -> Callable[[int, int], Spikes]:
        """A function of (step, count) that gives the spikes of these steps; cells of weight 0 have none."""
        ...

    def per_step(self, to: Target) -> float:
        """About how many spikes are made for a step, at the most; 0 if they are there already."""
        ...

    def events(self, to: Target) -> Events:
        """A function of (since, until) that gives the spikes later than the one and no later than the other, those at
        0 with the first ones, in order of time: times (ms), and cells."""
        ...

    def per_ms(self, to: Target) -> float:
        """How many spikes are drawn in a ms, all cells together. 0 for given ones."""
        ...


def checked_rate(where: str, value: object, shape: tuple[int, ...]) -> float | Array | Input:
    """The rate of Poisson spikes, Hz, as a user gives it: a plain array stays the user's own, and live."""
    if isinstance(value, Input):
        try:
            fit_shape(where, value._values(np.zeros(1), 1.0)[0], shape)
        except TypeError:
            must = f"{where} must be a number, an array or an input without random parts and spikes"
            raise TypeError(f"{must}, got {checks.shown(value)}.") from None
        return value
    if callable(value) and not hasattr(value, "__array__"):
        checks.refuse(where, value, "a number, an array or an input object", "Wrap a function: Function(f).")
    rate = frozen(where, value, "Hz", at_least=0.0)
    fit_shape(where, rate, shape)
    live = type(value) is np.ndarray and value.ndim and value.flags.writeable
    return value if live else rate  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class PoissonTrains:
    """Poisson spikes. where: "Owner.argument" of the rate; rate: as `checked_rate` returned it.

    In steps a cell spikes in each with probability p = rate dt. It does so if Poisson numbers of mean -log(1 - p) are
    not 0, of which there is a way to draw the few that are not (`PoissonDraws`).
    """

    where: str
    rate: float | Array | Input

    @property
    def live(self) -> bool:
        return isinstance(self.rate, np.ndarray) and self.rate.flags.writeable

    @property
    def ahead(self) -> bool:
        return is_ours(self.rate) and not self.live

    def steps(self, to: Target) -> Callable[[int, int], Spikes]:
        draws = PoissonDraws(np.ones(to.n, to.dtype), to.key)
        rate = self.rate
        if not isinstance(rate, Input):
            means = self._means(np.asarray(rate)[np.newaxis], to)
            return lambda step, count: draws.of(means, step, count)

        def spikes(step: int, count: int) -> Spikes:
            rates = rate._values(step + np.arange(count, dtype=np.float64), to.dt)
            return draws.of(self._means(rates, to), step, count)

        spikes(0, 1)  # so that what is wrong is refused now
        return spikes

    def per_step(self, to: Target) -> float:
        if isinstance(self.rate, Input):
            return to.n
        means = self._means(np.asarray(self.rate)[np.newaxis], to)
        return float(means.sum()) * (to.n if means.shape[1] == 1 else 1) + 1.0

    def _means(self, rate: Array, to: Target) -> Array:
        """Means of the Poisson numbers, (steps or 1, cells or 1). rate: Hz, (steps or 1, *shape of a value)."""
        fit_shape(self.where, rate[0], to.shape)
        p = np.asarray(rate * (to.dt * 1e-3))
        good = (p >= 0) & (p < 1)
        if not good.all():
            raise ValueError(
                f"{self.where} must be at least 0 and below {1e3 / to.dt:g} Hz, which is a spike in every step of "
                f"{to.dt:g} ms, got {rate[~good].flat[0]:g} Hz."
            )
        means = -np.log1p(-p)
        return means[:, np.newaxis] if means.ndim == 1 else per_neuron(means, to.shape)

    def events(self, to: Target) -> Events:
        from izhnumba._numba.philox import fill_thinning

        most, per_ms, varying = self._most(to), self.per_ms(to), isinstance(self.rate, Input)

        def events(since: float, until: float) -> tuple[Array, Array]:
            checks.fits(self.where, int(per_ms * (until - since)) * _EVENT_BYTES, "Use lower rates or fewer cells.")
            begin = _latest(to, since).moved(since, to).at_rates(most, since)
            times, cells, numbers, end = begin.arrivals(until, to)
            # Both ends are kept: what was not used, because the run was stopped, is made again as it was.
            to.memory[to.key[1]] = {since: tuple(begin), until: tuple(end)}
            if varying:
                share, keep = self._rates_at(times, cells, to) * 1e-3 / most[cells], np.empty(times.size, np.bool_)
                fill_thinning(keep, cells, numbers, share, *to.key)
                times, cells = times[keep], cells[keep]
            order = np.lexsort((cells, times))
            return times[order], cells[order]

        return events

    def _most(self, to: Target) -> Array:
        """The highest rate of each cell in continuous time, (cells,), 1/ms."""
        rate = self.rate
        if isinstance(rate, Input) and not (isinstance(rate, TimedArray) and type(rate)._values is TimedArray._values):
            raise ValueError(
                f"{self.where} must be a number, an array or a TimedArray with the scheme 'exact', got "
                f"{checks.shown(rate)}. Sample it: TimedArray(values, dt)."
            )
        values = rate.values if isinstance(rate, TimedArray) else np.asarray(rate, np.float64)[np.newaxis]
        fit_shape(self.where, values[0], to.shape)
        wrong = values[~((values >= 0) & (values <= _MOST_HZ))]
        if wrong.size:
            raise ValueError(f"{self.where} must be between 0 and {_MOST_HZ:g} Hz, got {wrong[0]:g} Hz.")
        most = np.max(values, axis=0) * 1e-3 + 0.0  # not -0.0, after which all waiting times are negative
        return np.broadcast_to(most, to.shape).flatten()

    def per_ms(self, to: Target) -> float:
        return float(self._most(to).sum())

    def _rates_at(self, times: Array, cells: Array, to: Target) -> Array:
        """Of each arrival, Hz."""
        assert isinstance(self.rate, TimedArray)
        values, _ = self.rate._lines(times)
        if values.ndim == 1:
            return np.asarray(values)
        return np.asarray(per_neuron(values, to.shape)[np.arange(len(times)), cells])


class _Waiting(NamedTuple):
    """Poisson cells in continuous time, each waiting for its next arrival; all (cells,).

    after: when that comes, ms; number: which one it is; of: the rate of now, 1/ms; rest: of cells of rate 0 what they
    have yet to wait, in units of 1 / rate.
    """

    after: Array
    number: Array
    of: Array
    rest: Array

    def moved(self, now: float, to: Target) -> _Waiting:
        """The same cells at a later time."""
        return self.arrivals(now, to)[-1]

    def at_rates(self, rate: Array, now: float) -> _Waiting:
        """The same cells with other rates from now on: waiting goes on, faster or slower."""
        after, number, of, rest = self
        if np.array_equal(of, rate):
            return self
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.where(of > 0, (after - now) * of, rest)
            after = np.where(rate > 0, now + rest / rate, np.inf)
        return _Waiting(after, number, rate, rest)

    def arrivals(self, until: float, to: Target) -> tuple[Array, Array, Array, _Waiting]:
        """All arrivals up to `until`, cell by cell: times, cells, numbers; and the cells then."""
        from izhnumba._numba.philox import fill_arrivals

        after, number, of, rest = self
        after, number, room, pieces = after.copy(), number.copy(), _ROOM, list[list[Array]]()
        while not pieces or pieces[-1][0].size == room // 2:
            arrays = np.empty(room), np.empty(room, np.int64), np.empty(room, np.int64)
            found = fill_arrivals(*arrays, after, number, until, of, *to.key)
            pieces.append([values[:found] for values in arrays])
            room *= 2
        times, cells, numbers = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        return times, cells, numbers, _Waiting(after, number, of, rest)


def is_waiting(time: Any, value: Any, n: int) -> bool:
    """Whether this is what Poisson cells keep of a time, ms: the arrays of `_Waiting` for n of them."""
    if not isinstance(time, (int, float)) or isinstance(time, bool) or not 0 <= time < np.inf:
        return False
    if not isinstance(value, tuple) or len(value) != 4:
        return False
    if not all(isinstance(one, np.ndarray) and one.shape == (n,) for one in value):
        return False
    after, number, of, rest = value
    if not all(one.dtype == np.float64 for one in (after, of, rest)) or number.dtype != np.int64:
        return False
    good = (after > 0) & (number >= 0) & (of >= 0) & (of <= _MOST_HZ) & (rest >= 0) & (rest < np.inf)
    return bool(np.all(good) and np.all((of > 0) <= (after < np.inf)))


def _latest(to: Target, now: float) -> _Waiting:
    """Poisson cells as they were at the latest time that has been kept, `now` or before; at first they have rate 0."""
    from izhnumba._numba.philox import fill_first

    held = {when: value for when, value in to.kept(is_waiting).items() if when <= now}
    if held:
        return _Waiting(*held[max(held)])
    rest = np.empty(to.n)
    fill_first(rest, np.ones(1), 0.0, *to.key)
    return _Waiting(np.full(to.n, np.inf), np.zeros(to.n, np.int64), np.zeros(to.n), rest)


@dataclass(frozen=True, eq=False)
class GivenTrains:
    """Given spikes. where: "Owner" of i and t; i: int64, t: ms, float64, in order of time."""

    where: str
    i: Array
    t: Array
    live, ahead = False, True

    def steps(self, to: Target) -> Callable[[int, int], Spikes]:
        steps = self.steps_of(to.dt)
        order = np.lexsort((self.i, steps))
        steps, cells = steps[order], self.i[order]
        twice = np.flatnonzero((steps[1:] == steps[:-1]) & (cells[1:] == cells[:-1]))
        if twice.size:
            one, other = self.t[order[twice[0] : twice[0] + 2]]
            cure = "Use a shorter dt." if one != other else "Name each spike once."
            raise ValueError(
                f"{self.where}.t must have at most one spike of a cell in a step of {to.dt:g} ms, got {one:g} and "
                f"{other:g} ms of cell {cells[twice[0]]}. {cure}"
            )
        cells, ones = cells.astype(np.uint32), np.ones(cells.size, to.dtype)

        def spikes(step: int, count: int) -> Spikes:
            starts = np.searchsorted(steps, np.arange(step, step + count + 1))
            part = slice(starts[0], starts[-1])
            return Spikes(starts - starts[0], cells[part], ones[part])

        return spikes

    def steps_of(self, dt: float) -> Array:
        """The step of each spike, which is the one that ends with it, or in which it lies."""
        with np.errstate(over="ignore"):
            steps = np.ceil(snapped(np.minimum(self.t / dt, _NEVER))).astype(np.int64) - 1
        early = self.t[steps < 0]
        if early.size:
            raise ValueError(
                f"{self.where}.t must be above 0, for a spike at t is one of the step that ends at t, got "
                f"{early[0]:g} ms. Add dt to times at which steps begin."
            )
        return steps

    def per_step(self, to: Target) -> float:
        return 0.0

    def events(self, to: Target) -> Events:
        order = np.lexsort((self.i, self.t))
        times, cells = self.t[order], self.i[order]

        def events(since: float, until: float) -> tuple[Array, Array]:
            first = np.searchsorted(times, since, side="right") if since > 0 else 0
            part = slice(first, np.searchsorted(times, until, side="right"))
            return times[part], cells[part]

        return events

    def per_ms(self, to: Target) -> float:
        return 0.0
