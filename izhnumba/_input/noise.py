"""Noise: currents that draw new random numbers for each neuron as time goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._input.input import Input
from izhnumba._input.target import Array, Reused, Rows, Target
from izhnumba._input.values import flat


@dataclass(frozen=True, eq=False, repr=False)
class Noise(Input):
    """std times a standard normal number, a new one for each neuron and step, or each `hold` ms.

    It is not scaled with dt, as in net.m of 2003: half the dt is half the power at low frequencies. With `hold` the
    current is the same function of time for every dt, so that a network published with dt = 1 ms can be refined. For
    noise in continuous time take `OrnsteinUhlenbeck`.

    Parameters
    ----------
    std : float or array, >= 0
        One value, or any shape that broadcasts to the population.
    hold : float, ms, > 0, a whole number of steps, optional
        How long a number holds; by default one step.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Constant(2.0) + iz.Noise(5.0, hold=1.0)
    Constant(value=2.0) + Noise(std=5.0, hold=1.0)
    """

    std: Any
    hold: float | None = None
    _per_neuron, _streams = ("std",), 1

    def __post_init__(self) -> None:
        self._set_amplitude("std", at_least=0)
        if self.hold is not None:
            assign(self, hold=checks.number("Noise.hold", self.hold, "ms", above=0))

    def _rows(self, to: Target) -> Rows:
        from izhnumba._numba.philox import fill_normals

        self._fit(to)
        std = (flat(self.std, to.shape) if np.ndim(self.std) else np.array([self.std])).astype(to.dtype)
        held = 1 if self.hold is None else checks.steps("Noise.hold", self.hold, to.dt, at_least=1)
        room = Reused(to)

        def rows(step: int, count: int) -> Array:
            values = room(count)
            if held == 1:
                fill_normals(values, std, step, *to.key)
                return values
            numbers = np.arange(step, step + count) // held
            first = step // held
            drawn = to.new((step + count - 1) // held - first + 1)
            fill_normals(drawn, std, first, *to.key)
            return np.take(drawn, numbers - first, axis=0, out=values, mode="clip")  # "raise" would copy

        return rows


def is_state(step: object, value: object, n: int) -> bool:
    """Whether this is what an OrnsteinUhlenbeck keeps of a step: the values of n neurons before it, or None."""
    if not isinstance(step, (int, np.integer)) or isinstance(step, bool) or step < 0:
        return False
    return value is None or (isinstance(value, np.ndarray) and value.dtype == np.float64 and value.shape == (n,))


@dataclass(frozen=True, eq=False, repr=False)
class OrnsteinUhlenbeck(Input):
    """Noise around a mean with a memory of tau ms, for each neuron by itself and of the same law for every dt.

    The first value is mean + std N(0, 1), the stationary law. From step to step, exactly,
    x <- x + (1 - exp(-dt / tau)) (mean - x) + std sqrt(1 - exp(-2 dt / tau)) N(0, 1). A run right after a run with such
    an input goes on from its last value; after a reset, or steps without it, it starts afresh.

    Parameters
    ----------
    mean, std : float or array, std >= 0
        Of the stationary law. One value, or any shape that broadcasts to the population.
    tau : float, ms, > 0
        Correlation time: values s ms apart have the correlation exp(-s / tau).

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.OrnsteinUhlenbeck(mean=3.0, std=1.0, tau=5.0)
    OrnsteinUhlenbeck(mean=3.0, std=1.0, tau=5.0)
    """

    mean: Any
    std: Any
    tau: float
    _per_neuron, _streams = ("mean", "std"), 1

    def __post_init__(self) -> None:
        self._set_amplitude("mean")
        self._set_amplitude("std", at_least=0)
        assign(self, tau=checks.number("OrnsteinUhlenbeck.tau", self.tau, "ms", above=0))

    def _rows(self, to: Target) -> Rows:
        from izhnumba._numba.philox import fill_normals, relax

        self._fit(to)
        mean, std = flat(self.mean, to.shape), flat(self.std, to.shape)
        pull = -math.expm1(-to.dt / self.tau)
        kick = std * math.sqrt(-math.expm1(-2 * to.dt / self.tau))
        room = Reused(to)

        def before(step: int) -> Array | None:
            """The values of the step before, None if there are none; where the last piece was not used to its end, they
            are made again."""
            kept = to.kept(is_state)
            if step not in kept and len(kept) == 2 and min(kept) < step < max(kept):
                rows(min(kept), step - min(kept))
                return before(step)
            return kept.get(step)

        def rows(step: int, count: int) -> Array:
            start = before(step)
            values = room(count)
            if count:
                fill_normals(values, np.ones(1, to.dtype), step, *to.key)
                x = mean + std * values[0] if start is None else start.copy()
                if start is None:
                    values[0] = x
                relax(values[start is None :], x, mean, kick, pull)
                # Both ends are kept: a piece that was not used, because the run was stopped, is made again as it was.
                to.memory[to.key[1]] = {step: start, step + count: x}
            return values

        return rows
