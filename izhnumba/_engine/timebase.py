"""How an engine counts time: an instant is an int, the steps done, or a float in ms.

A label, which recorders keep, is the step in which something happens, or the instant itself. With an interval `every`
sample m is taken at m * every, for m = 1, 2, ...: the start is not sampled.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks

Array = NDArray[Any]
Instant = Any  # an int or a float, as the timebase has it; an interval is a difference of two
GRID = 1e9  # points per ms: where users, runs and samples meet in continuous time, so that 3 * 0.1 is 0.3
SHORTEST_STEP = 1e-9  # ms, of clocks; rates and times stay far from the ends of floats
LATEST = 2.0**32  # ms, 49 days: points of the grid up to then can be counted in 64 bits
LONGEST_SLICE = 1000.0  # ms in continuous time: a neuron that failed stands within a slice that has not ended


class Column(NamedTuple):
    """A column of the rows of a recording: its name, and dtype and shape of an entry."""

    name: str
    dtype: str
    shape: tuple[int, ...] = ()

    def array(self, n_rows: int, data: bytes = b"") -> Array:
        return np.frombuffer(data, self.dtype).reshape((n_rows, *self.shape))

    @property
    def row_bytes(self) -> int:
        return int(np.dtype(self.dtype).itemsize) * math.prod(self.shape)


class Timebase(ABC):
    """Base of `Steps` and `Continuous`. dt: time step, or default sampling interval, ms; column: of labels, in the rows
    of a recording."""

    column: ClassVar[Column]

    def __init__(self, dt: float) -> None:
        self.dt = dt

    @abstractmethod
    def at(self, where: str, ms: object) -> Instant:
        """The instant at a user's time in ms."""

    @abstractmethod
    def nearest(self, ms: float) -> Instant:
        """The instant at a time in ms, which may lie within a step: then it is no whole number."""

    @abstractmethod
    def interval(self, where: str, every: object) -> Instant:
        """The interval between samples for a user's `every` in ms; dt if that is None."""

    def after(self, where: str, now: Instant, T: object) -> Instant:
        """The end of a run of a user's T ms from now on."""
        return now + self.at(where, T)

    @abstractmethod
    def ms(self, instant: Instant) -> float:
        """The time of an instant, ms."""

    @abstractmethod
    def in_steps(self, duration: Instant) -> float:
        """A difference of instants in steps of dt."""

    # --- samples --------------------------------------------------------------------------------------------------

    def sample(self, m: int | Array, every: Instant) -> Instant:
        """The instant of sample m."""
        return m * every

    @abstractmethod
    def samples_by(self, instant: Instant, every: Instant) -> int:
        """The number of the latest sample that is not later than an instant; 0 if there is none."""

    def is_sample(self, instant: Instant, every: Instant) -> bool:
        """Whether a sample is taken at an instant."""
        return bool(self.sample(self.samples_by(instant, every), every) == instant)

    def next_sample(self, instant: Instant, every: Instant) -> Instant:
        """The instant of the first sample later than an instant."""
        return self.sample(self.samples_by(instant, every) + 1, every)

    # --- labels ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def labels(self, instants: Array) -> Array:
        """Labels of what is seen at these instants."""

    @abstractmethod
    def instants(self, labels: Array) -> Array:
        """Instants at which what has these labels is seen."""

    @abstractmethod
    def steps(self, labels: Array) -> Array | None:
        """Labels as numbers of steps; None in continuous time."""

    @abstractmethod
    def bins(self, labels: Array, every: Instant) -> Array:
        """The bin of each label, int64: bin m lasts from sample m, which is not in it, to sample m + 1, which is."""

    def within(self, labels: Array, first: Instant, last: Instant) -> Array:
        """Mask of the labels of what is seen later than `first` and not later than `last`."""
        instants = self.instants(labels)
        return (instants > first) & (instants <= last)

    def t(self, labels: Array) -> Array:
        """Times of labels, ms."""
        return np.asarray(self.ms(self.instants(labels)))


class Steps(Timebase):
    """Whole steps of dt. What happens in step k is seen at its end, when k + 1 steps are done."""

    column = Column("step", "<i8")

    def at(self, where: str, ms: object) -> int:
        return checks.steps(where, ms, self.dt)

    def nearest(self, ms: float) -> Instant:
        return float(snapped(ms / self.dt))

    def after(self, where: str, now: Instant, T: object) -> int:
        end = now + self.at(where, T)
        if end >= 2**62:
            raise ValueError(
                f"{where} must end before step 2**62 of {self.dt:g} ms, got {checks.shown(T)} from step {now} on."
            )
        return end

    def interval(self, where: str, every: object) -> int:
        return 1 if every is None else checks.steps(where, every, self.dt, at_least=1)

    def ms(self, instant: Instant) -> float:
        return instant * self.dt

    def in_steps(self, duration: Instant) -> float:
        return float(duration)

    def samples_by(self, instant: Instant, every: Instant) -> int:
        return instant // every

    def labels(self, instants: Array) -> Array:
        return instants - 1

    def t(self, labels: Array) -> Array:
        return np.asarray((labels + 1) * self.dt)

    def instants(self, labels: Array) -> Array:
        return labels + 1

    def steps(self, labels: Array) -> Array:
        return labels

    def bins(self, labels: Array, every: Instant) -> Array:
        return labels // every


class Continuous(Timebase):
    """Real time in ms, in which dt is the default of `every` and nothing else. Instants and samples are compared
    exactly, as floats."""

    column = Column("t", "<f8")

    def at(self, where: str, ms: object) -> float:
        return float(_on_grid(checks.number(where, ms, "ms", at_least=0, at_most=LATEST)))

    def nearest(self, ms: float) -> Instant:
        return float(_on_grid(ms))

    def interval(self, where: str, every: object) -> float:
        return self.dt if every is None else checks.number(where, every, "ms", at_least=1 / GRID, at_most=LATEST)

    def after(self, where: str, now: Instant, T: object) -> float:
        end = float(_on_grid(now + self.at(where, T)))
        if end > LATEST:
            raise ValueError(
                f"{where} must be at most {LATEST - now:.12g} ms from t = {now:.12g} ms on, got {checks.shown(T)}."
            )
        return end

    def ms(self, instant: Instant) -> float:
        return instant

    def in_steps(self, duration: Instant) -> float:
        return float(duration / self.dt)

    def sample(self, m: int | Array, every: Instant) -> Instant:
        return _on_grid(m * every)

    def samples_by(self, instant: Instant, every: Instant) -> int:
        m = math.floor(instant / every)  # right, or off by one where the quotient was rounded
        m += self.sample(m + 1, every) <= instant
        return int(m - (self.sample(m, every) > instant))

    def labels(self, instants: Array) -> Array:
        return instants

    def instants(self, labels: Array) -> Array:
        return labels

    def steps(self, labels: Array) -> None:
        return None

    def bins(self, labels: Array, every: Instant) -> Array:
        m = np.ceil(labels / every) - 1
        m += self.sample(m + 1, every) < labels
        m -= self.sample(m, every) >= labels
        return m.astype(np.int64)


def _on_grid(ms: Any) -> Any:
    return np.rint(ms * GRID) / GRID


def timebase_of(about: dict[str, Any]) -> Timebase:
    """The timebase of a recording, from the head of its file."""
    names = [column["name"] for column in about["columns"]]
    return next(kind(about["dt"]) for kind in (Steps, Continuous) if kind.column.name in names)


def snapped(x: float | Array) -> Array:
    """Numbers, with those rounded that miss a whole number by a thousandth or less."""
    nearest = np.rint(x)
    return np.asarray(np.where(np.isclose(x, nearest, rtol=0, atol=1e-3), nearest, x))


def refractory_steps(tau_ref: Array, dt: float) -> Array:
    """Steps after a spike's own for which V and u stay, int32, of the shape of tau_ref; tau_ref and dt in ms."""
    return np.maximum(np.ceil(snapped(tau_ref / dt)) - 1, 0).astype(np.int32)
