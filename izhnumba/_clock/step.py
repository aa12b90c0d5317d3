"""Single steps: plain arrays and numbers go to the compiled step by the shortest way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._clock.engine import Call, ClockEngine
from izhnumba._clock.inputs import feeds
from izhnumba._engine.codes import BAD_INPUT, NOT_PLAIN, RECOUNT
from izhnumba._engine.protocol import Inputs

Array = NDArray[Any]
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
NUMBERS = {float, int, np.float64, np.int64, np.int32}


class ClockStepper:
    """The compiled calls for single steps of a population, and rows of its shape in which they find their inputs."""

    def __init__(self, engine: ClockEngine, shape: tuple[int, ...], threads: int | None) -> None:
        self._engine, self._shape, self._threads = engine, shape, threads
        self._dtype, self._highest = engine.dtype, float(np.finfo(engine.dtype).max)
        self._narrow: Callable[[Array, Array], bool] | None = None  # compiled, when first needed

    def call(self, *others: str) -> Call:
        """`call(form, I, level)` for steps with a current and these other inputs, and its `form`."""
        names = ("I", *others)
        calls = self._engine.step_calls
        if names not in calls:
            calls[names] = self._engine.step_call(names, self._threads)
        return calls[names]

    def step(self, I: object, delta: object, g: object, E: object) -> int:  # noqa: E741
        """A step with V jumps or conductances. Returns its code, or NOT_PLAIN, without a step, for inputs that are no
        plain arrays and numbers."""
        names: tuple[str, ...] = ()
        plain = self._fill("I", I)
        if plain and delta is not None:
            names, plain = (*names, "delta"), self._fill("delta", delta)
        if plain and (g is not None or E is not None):
            names, plain = (*names, "g", "gE"), self._fill_conductances(g, E)
        return self._step_of_rows(names) if plain else NOT_PLAIN

    def step_checked(self, where: str, pop: Any, inputs: Inputs, dt: object) -> int:
        """A step with inputs in any form, which are checked. Returns its code. dt: refused unless it is None."""
        if dt is not None:
            scheme = self._engine.scheme.name
            raise ValueError(f"{where}.dt must be left out with the scheme {scheme!r}, got {checks.shown(dt)}.")
        rows = {name: feed.rows(pop.n_steps, 1) for name, feed in feeds(where, pop, inputs, None).items()}
        for name, values in rows.items():
            self._engine.row(name)[:] = values[0]
        others = tuple(name for name in rows if name != "I")
        code = self._step_of_rows(others)
        if code == RECOUNT:
            self._engine.step_calls.clear()  # a new call begins to count
            code = self._step_of_rows(others)
        if code == BAD_INPUT:  # each one is finite
            raise ValueError(
                f"{where}.g must be finite in {pop.dtype} when summed and when multiplied by E. Use smaller ones."
            )
        return code

    def _step_of_rows(self, others: tuple[str, ...]) -> int:
        """A step with the inputs in the rows of I and of these others. Returns its code."""
        call, form = self.call(*others)
        return call(form, self._engine.row("I"), np.nan)

    def _fill(self, name: str, value: object) -> bool:
        plain = self.plain(value)
        if plain is not None:
            self._engine.row(name)[...] = plain
        return plain is not None

    def _fill_conductances(self, g: Any, E: Any) -> bool:
        """Sum the conductances, and their products with the reversal potentials, in the order of the receptors."""
        several = isinstance(g, (list, tuple)) and isinstance(E, (list, tuple))
        pairs = [(self.plain(one), self.plain(level)) for one, level in (zip(g, E) if several else [(g, E)])]  # noqa: B905
        if not pairs or (several and len(g) != len(E)) or any(x is None for pair in pairs for x in pair):
            return False
        (first, level), *others = pairs
        total, weighted = self._engine.row("g"), self._engine.row("gE")
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found by the compiled step
            total[...], weighted[...] = first, first * level
            for one, level in others:
                total += one
                weighted += one * level
        return True

    def plain(self, value: Any) -> Any:
        """A number, or an array or list of numbers of the right shape, in the engine's dtype: infinite where they are
        too large for it, arrays flat, and not copied if they are so already. None for everything else."""
        if type(value) is np.ndarray:
            return self._converted(value) if value.shape == self._shape else None
        if type(value) in NUMBERS:
            return self._dtype.type(value) if abs(value) <= self._highest else None
        if type(value) in (list, tuple) and set(map(type, value)) <= NUMBERS:
            with suppress(OverflowError):  # an int beyond float64
                return self.plain(np.array(value, np.float64))
        return None

    def _converted(self, values: Array) -> Array | None:
        """An array, flat and in the engine's dtype; None if it does not hold numbers of the common kinds."""
        given = values.dtype
        if values.ndim > 1:
            values = values.reshape(-1)
        if given is self._dtype:
            return values
        if given is _FLOAT64:
            if self._narrow is None:
                from izhnumba._clock.kernels.rows import copy

                self._narrow = copy("d", "f")
            row = np.empty(values.size, _FLOAT32)
            self._narrow(np.ascontiguousarray(values), row)
            return row
        return values.astype(self._dtype, "C") if given.kind in "iu" or given in (_FLOAT32, _FLOAT64) else None
