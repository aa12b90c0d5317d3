"""Steps of the exact engine: a population by itself, advanced by any time with inputs that stay as they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._engine.codes import NOT_PLAIN, OK
from izhnumba._engine.protocol import Inputs
from izhnumba._exact.engine import ExactEngine
from izhnumba._exact.inputs import ExactFeeds, Source, SpikeSource, current_of, population_feeds
from izhnumba._input.door import is_constant
from izhnumba._input.input import Input
from izhnumba._synapse.receptors import Delta

Array = NDArray[Any]


class ExactStepper:
    """Steps of a population: all of them by way of `step_checked`, for there is no compiled step."""

    def __init__(self, engine: ExactEngine, shape: tuple[int, ...], threads: int | None) -> None:
        self._engine = engine

    def call(self) -> tuple[Callable[[Array, Array, float], int], Array]:
        """`call(form, I, level)`, which always returns NOT_PLAIN, and a `form`."""
        return lambda form, I, level: NOT_PLAIN, self._engine.empty  # noqa: E741

    def plain(self, value: object) -> None:
        """None: no value goes to a compiled step."""

    def step(self, I: object, delta: object, g: object, E: object) -> int:  # noqa: E741
        """NOT_PLAIN, and no step."""
        return NOT_PLAIN

    def step_checked(self, where: str, pop: Any, inputs: Inputs, dt: object) -> int:
        """Advance by dt ms (default that of the population) with constant inputs, and V jumps at the end."""
        engine = self._engine
        h = pop.dt if dt is None else checks.number(f"{where}.dt", dt, "ms", above=0.0)
        stop = engine.time.after(f"{where}.dt", engine.now, h)
        if isinstance(inputs.I, Input) and not is_constant(inputs.I):
            got = f"got {checks.shown(inputs.I)}. Use run for inputs that change."
            raise TypeError(f"{where}.I must be a number or an array, {got}")
        feeds = population_feeds(where, pop, stop, inputs._replace(delta=None))
        if inputs.delta is not None:
            deltas = current_of(f"{where}.delta", inputs.delta, "mV", pop).levels(np.zeros(1))[0]
            jumps = _deltas_at(stop, np.broadcast_to(deltas, (1, pop.n)).ravel(), engine)
            feeds = ExactFeeds([Source(engine, feeds.sources[0].currents, [jumps])], engine.clock)
        code, spiked = OK, np.zeros(engine.n, bool)
        while code == OK and engine.now < stop:
            until = min(stop, feeds.reach(engine.now, math.inf))
            engine.prepare(until, feeds.between(engine.now, until), 1)
            code = engine.advance(until)
            spiked |= engine.spikes[: engine.n] != 0
        shown = engine.publish_state()
        engine.spikes[: engine.n] = spiked
        return code if code != OK else shown


def _deltas_at(when: float, deltas: Array, engine: ExactEngine) -> SpikeSource:
    """V jumps (n,), mV, of all neurons at one time, ms."""
    neurons = np.flatnonzero(deltas)

    def events(since: float, until: float) -> tuple[Array, Array, Array, Array]:
        due = neurons if until >= when else neurons[:0]
        return np.full(due.size, when), due, deltas[due], due

    return SpikeSource(events, lambda places: places, engine.receptor_state(Delta()), engine.n)
