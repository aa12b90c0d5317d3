"""Single steps: plain arrays and numbers go to the compiled step by the shortest way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._clock.engine import Call, ClockEngine
from izhnumba._clock.inputs import feeds
from izhnumba._engine.codes import BAD_INPUT, NOT_PLAIN, RECOUNT

Array = NDArray[Any]
NUMBERS = {float, int, np.float64, np.int64, np.int32}


def converts(source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Whether numbers of one kind are also numbers of the other."""
    return source.kind in "fiu" and np.can_cast(source, target)


class ClockStepper:
    """The compiled calls for single steps of a population, and rows of its shape in which they find their inputs."""

    def __init__(self, engine: ClockEngine, shape: tuple[int, ...], threads: int | None) -> None:
        self._engine, self._shape, self._threads = engine, shape, threads
        self._rows: dict[str, Array] = {}
        self._highest = float(np.finfo(engine.dtype).max)

    def call(self, *others: str) -> Call:
        """`call(table, I, level)` for steps with a current and these other inputs."""
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

    def step_checked(self, where: str, pop: Any, I: Any, delta: Any, g: Any, E: Any, dt: object) -> int:  # noqa: E741
        """A step with inputs in any form, which are checked. Returns its code."""
        if dt is not None:
            scheme = self._engine.scheme.name
            raise ValueError(f"{where}.dt must be left out with the scheme {scheme!r}, got {dt!r}.")
        rows = {name: feed.rows(pop.n_steps, 1) for name, feed in feeds(where, pop, I, delta, g, E, None).items()}
        for name, values in rows.items():
            self._row(name).reshape(-1)[:] = values[0]
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
        return self.call(*others)(self._engine.table.numbers, self._row("I").reshape(-1), np.nan)

    def _row(self, name: str) -> Array:
        if name not in self._rows:
            self._rows[name] = self._engine.row(name).reshape(self._shape)
        return self._rows[name]

    def _fill(self, name: str, value: object) -> bool:
        plain = self._plain(value)
        if plain is not None:
            np.copyto(self._row(name), plain)
        return plain is not None

    def _fill_conductances(self, g: Any, E: Any) -> bool:
        """Sum the conductances, and their products with the reversal potentials, in the order of the receptors."""
        several = isinstance(g, (list, tuple)) and isinstance(E, (list, tuple))
        pairs = [(self._plain(one), self._plain(level)) for one, level in (zip(g, E) if several else [(g, E)])]  # noqa: B905
        if not pairs or (several and len(g) != len(E)) or any(x is None for pair in pairs for x in pair):
            return False
        (first, level), *others = pairs
        total, weighted = self._row("g"), self._row("gE")
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found by the compiled step
            np.copyto(total, first)
            np.multiply(first, level, out=weighted)
            for one, level in others:
                total += one
                weighted += one * level
        return True

    def _plain(self, value: Any) -> Any:
        """An array of the right shape, or a number of this dtype; None for everything else."""
        if type(value) is np.ndarray:
            safe = value.dtype is self._engine.dtype or converts(value.dtype, self._engine.dtype)
            return value if safe and value.shape == self._shape else None
        return self._engine.dtype.type(value) if type(value) in NUMBERS and abs(value) <= self._highest else None
