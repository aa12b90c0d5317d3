"""Feeds: a user's input, whatever its form, as rows of numbers that the engine reads step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.implausible import warn_of_base_unit
from izhnumba._base.random import stream_key
from izhnumba._input.currents import Constant, Input
from izhnumba._input.door import SAMPLE, broadcasts, misfit, pairs_of, refuse_function, warn_of_steps
from izhnumba._input.input import Target, rows_of

Array = NDArray[Any]
_FIRST_SLICE = 1_000_000  # neuron-steps; later slices follow the measured speed
_MOST_STEPS = 2**16
_CACHED = 2**21  # bytes of rows prepared at a time, so that they are still in the cache when they are read


class Feed:
    """Rows of one input: `rows(step, count)` gives (count or 1, neurons or 1) values of the population's dtype."""

    def __init__(self, rows: Callable[[int, int], Array], width: int, *, constant: bool, prepared: bool) -> None:
        self.rows, self.constant = rows, constant
        self._width = width if prepared else 0

    def most_steps(self, itemsize: int) -> int:
        """For how many steps rows should be asked for at a time: random numbers are made four steps at a time."""
        return max(4, _CACHED // (self._width * itemsize) // 4 * 4) if self._width else 2**62


class RowFeeds:
    """The feeds of a run, by the names that the engine has for them. n: its neurons, item: bytes of a number."""

    def __init__(self, feeds: dict[Any, Feed], n: int, item: int) -> None:
        self._longest = min([_MOST_STEPS, *(f.most_steps(item) for f in feeds.values())])
        self._first = _FIRST_SLICE // n
        self._constant = {name: f.rows(0, 1) for name, f in feeds.items() if f.constant}
        self._varying = {name: f for name, f in feeds.items() if not f.constant}

    def reach(self, now: int, length: float | None) -> int:
        """The step at which a slice of about that length should end."""
        count = max(1, int(min(self._first if length is None else length, self._longest)))
        if self._longest < _MOST_STEPS:
            count = _in_fours(now, count)
        return now + count

    def between(self, now: int, until: int) -> dict[Any, Array]:
        """The rows of these steps: one for all of them, or one for each."""
        return self._constant | {name: f.rows(now, until - now) for name, f in self._varying.items()}


def _in_fours(step: int, count: int) -> int:
    """About `count` steps that end at a multiple of 4: random numbers are made four steps at a time."""
    return max(1, (step + max(count, 4)) // 4 * 4 - step)


def population_feeds(where: str, pop: Any, stop: int, I: Any, delta: Any, g: Any, E: Any) -> RowFeeds:  # noqa: E741
    """All inputs of a population by itself in a run until step `stop`."""
    return RowFeeds(feeds(where, pop, I, delta, g, E, stop - pop.n_steps), pop.n, pop.dtype.itemsize)


def feeds(where: str, pop: Any, I: Any, delta: Any, g: Any, E: Any, n_steps: int | None) -> dict[str, Feed]:  # noqa: E741
    """All inputs of a run, or of a step, by the names the engine has for them."""
    unit = pop.model.I.unit
    inputs = {"I": feed(f"{where}.I", I, unit, pop, n_steps)}
    if delta is not None:
        inputs["delta"] = feed(f"{where}.delta", delta, "mV", pop, n_steps, 1)
    units = ("nS" if unit == "pA" else "1/ms", "mV")
    return inputs | conductances(where, g, E, units, pop, n_steps)


def feed(where: str, value: Any, unit: str, pop: Any, n_steps: int | None, ordinal: int = 0) -> Feed:
    """The feed of a scalar, an array that broadcasts to Shape, an array over time or an input object.

    n_steps: length of the run, None for a single step, which takes no array over time and no input object.
    """
    if isinstance(value, Input) and not isinstance(value, Constant) and n_steps is not None:
        key = stream_key(pop.seed, pop.name, "input", ordinal)
        bound = rows_of(value, Target(pop.shape, pop.dt, pop.dtype, key, pop._memory, unit))
        width = bound(pop.n_steps, 1).shape[1] if n_steps else 1
        return Feed(bound, width, constant=False, prepared=True)
    if isinstance(value, Constant):
        row = value.bind(pop.shape, pop.dt, pop.dtype, (0, 0), {}, unit=unit)(0, 1)
        return Feed(lambda step, count: row, row.size, constant=True, prepared=False)
    refuse_function(where, value, cure=SAMPLE if n_steps is not None else "Call it first.")
    values = np.asarray(checks.magnitude(where, value, unit))
    over_time = n_steps is not None and values.ndim == len(pop.shape) + 1 and len(values) == n_steps
    if not broadcasts(values.shape[over_time:], pop.shape):
        raise ValueError(misfit(where, values.shape, pop.shape, n_steps))
    checks.finite(where, values, pop.dtype)
    if over_time:
        return _table(values, pop)
    warn_of_steps(where, values, pop.shape, n_steps, f"Constant({where.rpartition('.')[2]})")
    if n_steps is not None and unit == "pA":
        warn_of_base_unit(where, values, unit)
    row = np.array(np.broadcast_to(values, pop.shape) if values.ndim else values, pop.dtype, order="C").reshape(1, -1)
    return Feed(lambda step, count: row, row.size, constant=True, prepared=False)


def _table(values: Array, pop: Any) -> Feed:
    """An array over time: used as it lies in memory if it can be, else converted a few steps at a time."""
    start, n = pop.n_steps, pop.n
    trailing = int(np.prod(values.shape[1:]))
    if trailing == 1 or values.shape[1:] == pop.shape:
        table = values.reshape(len(values), trailing)

        def rows(step: int, count: int) -> Array:
            return np.ascontiguousarray(table[step - start : step - start + count], pop.dtype)

        as_it_lies = table.flags.c_contiguous and table.dtype == pop.dtype
        return Feed(rows, trailing, constant=False, prepared=not as_it_lies)

    def broadcast_rows(step: int, count: int) -> Array:
        part = values[step - start : step - start + count]
        return np.broadcast_to(part, (count, *pop.shape)).reshape(count, n).astype(pop.dtype)

    return Feed(broadcast_rows, n, constant=False, prepared=True)


def conductances(where: str, g: Any, E: Any, units: tuple[str, str], pop: Any, n_steps: int | None) -> dict[str, Feed]:
    """The feeds "g" (sum of conductances) and "gE" (sum of g E) of one or several receptors, summed in order."""
    given = pairs_of(where, g, E)
    if not given:
        return {}
    pairs = []
    for k, (one, level) in enumerate(given):
        strength = feed(f"{where}.g", one, units[0], pop, n_steps, 100 + k)
        pairs.append((strength, feed(f"{where}.E", level, units[1], pop, n_steps, 200 + k)))

    def total(times_E: bool) -> Callable[[int, int], Array]:
        def rows(step: int, count: int) -> Array:
            with np.errstate(over="ignore", invalid="ignore"):  # V is infinite then, which is reported
                terms = [one.rows(step, count) * level.rows(step, count) if times_E else one.rows(step, count)
                         for one, level in pairs]  # fmt: skip
                return np.ascontiguousarray(sum(terms[1:], terms[0]))

        return rows

    constant = all(f.constant for pair in pairs for f in pair)
    return {
        "g": Feed(total(False), pop.n, constant=constant, prepared=not constant),
        "gE": Feed(total(True), pop.n, constant=constant, prepared=not constant),
    }
