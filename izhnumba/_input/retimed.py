"""Inputs that come later, faster or slower than they were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._engine.timebase import snapped
from izhnumba._input.arithmetic import in_brackets, take_input
from izhnumba._input.input import OPERATIONS, Input
from izhnumba._input.target import Array
from izhnumba._input.values import Levels, Wave


@dataclass(frozen=True, eq=False, repr=False)
class Retimed(Input):
    """At t what an input is at (t - delay) / stretch; made by `Input.delayed` and `Input.stretched`.

    Steps are counted in the time of that input, so that a thousandth of a step is forgiven there, too.
    """

    input: Input
    delay: float = 0.0
    stretch: float = 1.0

    def __post_init__(self) -> None:
        take_input(self)
        assign(self, delay=checks.number("Input.delayed.by", self.delay, "ms"))
        assign(self, stretch=checks.number("Input.stretched.factor", self.stretch, above=0))
        if not self.input._of_time:
            must = "Input.delayed and stretched must have a function of time, without random parts and spikes"
            raise TypeError(
                f"{must}, got {checks.shown(self.input)}. Change the other parts, and add or multiply then."
            )

    def __repr__(self) -> str:
        made = in_brackets(self.input)
        made += f".stretched({self.stretch!r})" * (self.stretch != 1)
        return made + f".delayed({self.delay!r})" * (self.delay != 0 or self.stretch == 1)

    def _values(self, k: Array, dt: float) -> Array:
        return self.input._values(snapped(k - self.delay / dt), dt / self.stretch)

    def _breaks(self) -> Array | None:
        times = self.input._breaks()
        return None if times is None else times * self.stretch + self.delay

    def _lines(self, t: Array) -> tuple[Array, Array]:
        levels, slopes = self.input._lines(self._before(t))
        return levels, slopes / self.stretch

    def _waves(self) -> list[Wave]:
        return [
            Wave(rate := wave.rate / self.stretch, wave.amplitude, wave.phase - rate * self.delay, self._levels(wave))
            for wave in self.input._waves()
        ]

    def _levels(self, wave: Wave) -> Levels | None:
        levels = wave.levels
        return None if levels is None else lambda t: levels(self._before(t))

    def _before(self, t: Array) -> Array:
        """Times of the input, as it was written, between the same of its breaks: rounding must not put one that is at
        a break before it."""
        times: Any = self.input._breaks()
        edges = np.concatenate([[-np.inf], times, [np.inf]])
        last = np.searchsorted(times * self.stretch + self.delay, t, side="right")
        before = np.clip((t - self.delay) / self.stretch, edges[last], np.nextafter(edges[last + 1], -np.inf))
        return np.asarray(before)

    @property
    def _made_of(self) -> tuple[Input, ...]:
        return (self.input,)


def _delayed(value: Input, by: Any) -> Input:
    if isinstance(value, Retimed):
        return Retimed(value.input, value.delay + checks.number("Input.delayed.by", by, "ms"), value.stretch)
    return Retimed(value, delay=by)


def _stretched(value: Input, factor: Any) -> Input:
    if isinstance(value, Retimed):
        factor = checks.number("Input.stretched.factor", factor, above=0)
        return Retimed(value.input, value.delay * factor, value.stretch * factor)
    return Retimed(value, stretch=factor)


OPERATIONS.update({"delayed": _delayed, "stretched": _stretched})
