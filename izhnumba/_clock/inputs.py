"""Feeds: a user's input, whatever its form, as rows of numbers that the engine reads step by step."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.implausible import users_level, warn_of_base_unit
from izhnumba._base.random import stream_key
from izhnumba._input.currents import Constant, Input
from izhnumba._input.input import Target, rows_of
from izhnumba._synapse.receptors import Receptor

Array = NDArray[Any]
_FIRST_SLICE = 1_000_000  # neuron-steps; later slices follow the measured speed
_MOST_STEPS = 2**16
SAMPLE = "Sample it: TimedArray(values, dt)."
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


def feeds(where: str, pop: Any, I: Any, delta: Any, g: Any, E: Any, n_steps: int | None) -> dict[str, Feed]:  # noqa: E741
    """All inputs of a run, or of a step, by the names the engine has for them."""
    unit = pop.model.I.unit
    inputs = {"I": feed(f"{where}.I", I, unit, pop, n_steps)}
    if delta is not None:
        inputs["jump"] = feed(f"{where}.delta", delta, "mV", pop, n_steps, 1)
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
    if n_steps is not None:
        warn_of_base_unit(where, values, unit if unit == "pA" else "")
    row = np.array(np.broadcast_to(values, pop.shape) if values.ndim else values, pop.dtype, order="C").reshape(1, -1)
    return Feed(lambda step, count: row, row.size, constant=True, prepared=False)


def refuse_function(where: str, value: Any, kinds: str = "an array or an input object", cure: str = SAMPLE) -> None:
    """Neither functions, of which it would be hidden when they are called, nor classes and receptors are inputs."""
    if (callable(value) or isinstance(value, Receptor)) and not (
        isinstance(value, Input) or hasattr(value, "__array__")
    ):
        if isinstance(value, type):
            cure = f"Make an object: {value.__name__}(...)."
        elif isinstance(value, Receptor):
            cure = "A receptor belongs to synapses and spike inputs; for currents take Pulses(start, stop, amplitude)."
        raise TypeError(f"{where} must be a number, {kinds}, got {value!r:.60}. {cure}")


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


def broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def misfit(
    where: str, got: tuple[int, ...], shape: tuple[int, ...], n_steps: int | None, over_time: str = ""
) -> str:  # fmt: skip
    """The message about a shape. over_time: what to pass instead of a row per step, where there are no steps."""
    if n_steps is None:
        cure = "Pass one value for all neurons or one per neuron."
        if len(got) != len(shape) and math.prod(got) == math.prod(shape):
            cure += f" Here: .reshape({', '.join(map(str, shape)) if len(shape) > 1 else -1})."
        elif over_time:
            cure += f" Over time, use {over_time}."
        return f"{where} must broadcast to shape {shape}, got shape {got}. {cure}"
    table = (n_steps, *shape)
    cure = "Pass one value for all neurons, one per neuron, or one row per step."
    if got == (n_steps,):
        cure = f"For the same input to all neurons, reshape it to {(n_steps, *(1,) * len(shape))}."
    return f"{where} must broadcast to shape {shape} or have shape {table}, got shape {got}. {cure}"


def warn_of_steps(
    where: str, values: Any, shape: tuple[int, ...], n_steps: int | None, constant: str, *, known: bool = True
) -> None:
    """Warn of an array that is taken per neuron, constant in time, and has the shape of a row per step as well.

    constant: how to write that it is meant so. known: whether values can be looked at; equal ones mean the same."""
    got = values.shape
    if n_steps in (None, 1) or got[:1] != (n_steps,) or (known and (values == values.ravel()[0]).all()):
        return
    rows = (n_steps, *(1,) * (len(shape) + 1 - len(got)), *got[1:])
    warnings.warn(
        f"{where} of shape {got} for {n_steps} steps is read as constant, with a value per neuron, and could mean a "
        f"row per step. Write {constant} for the first, np.reshape({where.rpartition('.')[2]}, {rows}) for the second.",
        stacklevel=users_level(),
    )


def pairs_of(where: str, g: Any, E: Any) -> list[tuple[Any, Any]]:
    """Each conductance with its reversal potential."""
    if g is None and E is None:
        return []
    if g is None or E is None:
        missing, given = ("g", "E") if g is None else ("E", "g")
        raise ValueError(f"{where}.{given} must come with {missing}, got {given} alone. Pass both or neither.")
    several = isinstance(g, (list, tuple)) and isinstance(E, (list, tuple))
    gs, Es = (g, E) if several else ([g], [E])
    if len(gs) != len(Es):
        raise ValueError(f"{where}.g must have one entry per entry of E ({len(Es)}), got {len(gs)}.")
    return list(zip(gs, Es, strict=True))


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
