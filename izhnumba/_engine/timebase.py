"""How an engine counts time. An instant is where it is in that count: an int, the steps done, or a float in ms.

What happens is labelled by the step in which it does, or by the instant itself: labels are what recorders keep. Of what
is sampled every so often, sample m is taken at m * every; sample 0, the start, is not.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks

Array = NDArray[Any]
Instant = Any  # int or float; `every` is a difference of two
GRID = 1e9  # points per ms: where users, runs and samples meet in continuous time, so that 3 * 0.1 is 0.3
SHORTEST_STEP = 1e-9  # ms, of clocks; rates and times stay far from the ends of floats
LATEST = 2.0**32  # ms, 49 days: points of the grid up to then can be counted in 64 bits


class Column(NamedTuple):
    """Of rows: its name, the dtype and the shape of an entry."""

    name: str
    dtype: str
    shape: tuple[int, ...] = ()

    def array(self, n_rows: int, data: bytes = b"") -> Array:
        return np.frombuffer(data, self.dtype).reshape((n_rows, *self.shape))

    @property
    def row_bytes(self) -> int:
        return int(np.dtype(self.dtype).itemsize) * math.prod(self.shape)


class Timebase(ABC):
    """What steps and continuous time have in common.

    column: of labels, in rows of recorders.
    """

    column: ClassVar[Column]

    def __init__(self, dt: float) -> None:
        self.dt = dt

    @abstractmethod
    def at(self, where: str, ms: Any) -> Instant:
        """The instant that a user gives."""

    @abstractmethod
    def interval(self, where: str, every: Any) -> Instant:
        """Between samples: what a user gives for `every`, by default dt."""

    def after(self, where: str, now: Instant, T: Any) -> Instant:
        """The end of a run of T ms from now on."""
        return now + self.at(where, T)

    @abstractmethod
    def ms(self, instant: Instant) -> float: ...

    # --- samples --------------------------------------------------------------------------------------------------

    def sample(self, m: Any, every: Instant) -> Instant:
        """When sample m is taken."""
        return m * every

    @abstractmethod
    def samples_by(self, instant: Instant, every: Instant) -> int:
        """How many are taken by then: the number of the last one."""

    def is_sample(self, instant: Instant, every: Instant) -> bool:
        """Whether one is taken then."""
        return bool(self.sample(self.samples_by(instant, every), every) == instant)

    def next_sample(self, instant: Instant, every: Instant) -> Instant:
        """When the next one is taken."""
        return self.sample(self.samples_by(instant, every) + 1, every)

    # --- labels ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def labels(self, instants: Array) -> Array:
        """Of what is seen at these instants."""

    @abstractmethod
    def instants(self, labels: Array) -> Array:
        """At which things so labelled are seen."""

    @abstractmethod
    def steps(self, labels: Array) -> Array | None:
        """The steps that they name, if they do."""

    @abstractmethod
    def bins(self, labels: Array, every: Instant) -> Array:
        """The number of the bin into which each falls: bin 0 ends with sample 1."""

    def within(self, labels: Array, first: Instant, last: Instant) -> Array:
        """Which are later than `first` and no later than `last`."""
        instants = self.instants(labels)
        return (instants > first) & (instants <= last)

    def t(self, labels: Array) -> Array:
        """Their times, ms."""
        return np.asarray(self.ms(self.instants(labels)))


class Steps(Timebase):
    """Whole steps of dt. What happens in step k is seen at its end, when k + 1 steps are done."""

    column = Column("step", "<i8")

    def at(self, where: str, ms: Any) -> int:
        return checks.steps(where, ms, self.dt)

    def after(self, where: str, now: Instant, T: Any) -> int:
        end = now + self.at(where, T)
        if end >= 2**62:
            raise ValueError(f"{where} must end before step 2**62 of {self.dt:g} ms, got {T!r} from step {now} on.")
        return end

    def interval(self, where: str, every: Any) -> int:
        return 1 if every is None else checks.steps(where, every, self.dt, at_least=1)

    def ms(self, instant: Instant) -> float:
        return instant * self.dt

    def samples_by(self, instant: Instant, every: Instant) -> int:
        return instant // every

    def labels(self, instants: Array) -> Array:
        return instants - 1

    def instants(self, labels: Array) -> Array:
        return labels + 1

    def steps(self, labels: Array) -> Array:
        return labels

    def bins(self, labels: Array, every: Instant) -> Array:
        return labels // every


class Continuous(Timebase):
    """Real time in ms: dt is no more than the default of `every`. Comparisons with samples are exact, as floats."""

    column = Column("t", "<f8")

    def at(self, where: str, ms: Any) -> float:
        return float(_on_grid(checks.number(where, ms, "ms", at_least=0, at_most=LATEST)))

    def interval(self, where: str, every: Any) -> float:
        return self.dt if every is None else checks.number(where, every, "ms", at_least=1 / GRID, at_most=LATEST)

    def after(self, where: str, now: Instant, T: Any) -> float:
        end = float(_on_grid(now + self.at(where, T)))
        if end > LATEST:
            raise ValueError(f"{where} must be at most {LATEST - now:.12g} ms from t = {now:.12g} ms on, got {T!r}.")
        return end

    def ms(self, instant: Instant) -> float:
        return instant

    def sample(self, m: Any, every: Instant) -> Instant:
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
    """That of a file of a recorder, by its head."""
    names = [column["name"] for column in about["columns"]]
    return next(kind(about["dt"]) for kind in (Steps, Continuous) if kind.column.name in names)


def snapped(x: Any) -> Array:
    """Whole numbers in place of numbers that miss them by a thousandth or less."""
    nearest = np.rint(x)
    return np.asarray(np.where(np.isclose(x, nearest, rtol=0, atol=1e-3), nearest, x))


def steps_held(tau_ref: Array, dt: float) -> Array:
    """Steps for which a neuron is held after a spike, as int32; tau_ref and dt in ms."""
    return np.maximum(np.ceil(snapped(tau_ref / dt)) - 1, 0).astype(np.int32)
