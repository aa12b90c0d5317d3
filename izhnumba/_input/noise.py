"""Noise: currents that draw new random numbers for each neuron as time goes on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._input.input import Input
from izhnumba._input.target import Array, Drawn, Reused, Rows, Target
from izhnumba._input.values import fit_together, flat, shown


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
    _per_neuron, _streams, _unbounded = ("std",), 1, True

    def __post_init__(self) -> None:
        self._set_amplitude("std", at_least=0)
        _check_hold(self)

    def _drawn(self, to: Target) -> Drawn | None:
        return self._each(to) if self.hold is None else None

    def _each(self, to: Target) -> Drawn:
        """The numbers, each for one step."""
        self._fit(to)
        std = flat(self.std, to.shape) if np.ndim(self.std) else np.array([self.std])
        return Drawn(to.key, _single("Noise.std", std), np.zeros(1, to.dtype))

    def _rows(self, to: Target) -> Rows:
        from izhnumba._numba.philox import fill_normals

        each = self._each(to)
        return _held(self, to, lambda values, first: fill_normals(values, each.scale, each.shift, first, *each.key))


@dataclass(frozen=True, eq=False, repr=False)
class UniformNoise(Input):
    """Random numbers between low and high, all alike likely: a new one for each neuron and step, or each `hold` ms.

    As `Noise` it is not scaled with dt. The scheme "exact" does not take it.

    Parameters
    ----------
    low, high : float or array, low <= high
        One value, or any shape that broadcasts to the population.
    hold : float, ms, > 0, a whole number of steps, optional
        How long a number holds; by default one step.

    Examples
    --------
    A current like 13 (rand - 0.5) in Matlab, new in each ms:

    >>> import izhnumba as iz
    >>> pop = iz.Population(100, **iz.presets["RS"], seed=1)
    >>> len(pop.run(100.0, 5.0 + iz.UniformNoise(-6.5, 6.5, hold=1.0)).spikes) > 100
    True
    """

    low: Any = 0.0
    high: Any = 1.0
    hold: float | None = None
    _per_neuron, _streams = ("low", "high"), 1

    def __post_init__(self) -> None:
        self._set_amplitude("low")
        self._set_amplitude("high")
        fit_together("UniformNoise", {"low": np.shape(self.low), "high": np.shape(self.high)})
        if np.any(np.less(self.high, self.low)):
            raise ValueError(f"UniformNoise.high must be >= low ({shown(self.low)}), got {shown(self.high)}.")
        _check_hold(self)

    def _rows(self, to: Target) -> Rows:
        from izhnumba._numba.philox import fill_uniforms

        self._fit(to)
        low = np.asarray(self.low, float)
        low, width = (np.broadcast_to(one, to.shape if np.ndim(self.low) + np.ndim(self.high) else 1).ravel()
                      for one in (low, self.high - low))  # fmt: skip
        return _held(self, to, lambda values, first: fill_uniforms(values, low, width, first, *to.key))


def _check_hold(noise: Noise | UniformNoise) -> None:
    if noise.hold is not None:
        assign(noise, hold=checks.number(f"{type(noise).__name__}.hold", noise.hold, "ms", above=0))


def _held(noise: Noise | UniformNoise, to: Target, fill: Callable[[Array, int], None]) -> Rows:
    """Rows of numbers, each of which holds for a while. fill: writes those from a number on to rows (count, n)."""
    held = 1 if noise.hold is None else checks.steps(f"{type(noise).__name__}.hold", noise.hold, to.dt, at_least=1)
    room = Reused(to)

    def rows(step: int, count: int) -> Array:
        values = room(count)
        if held == 1:
            fill(values, step)
            return values
        numbers = np.arange(step, step + count) // held
        first = step // held
        drawn = to.new((step + count - 1) // held - first + 1)
        fill(drawn, first)
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
    _per_neuron, _streams, _unbounded = ("mean", "std"), 1, True

    def __post_init__(self) -> None:
        self._set_amplitude("mean")
        self._set_amplitude("std", at_least=0)
        assign(self, tau=checks.number("OrnsteinUhlenbeck.tau", self.tau, "ms", above=0))

    def _drawn(self, to: Target) -> Drawn:
        self._fit(to)
        return _Process(self, to).drawn()

    def _rows(self, to: Target) -> Rows:
        self._fit(to)
        return _Process(self, to).rows


def _single(where: str, std: Array) -> Array:
    """In float32, in which normal numbers are drawn whatever the dtype of the population."""
    checks.finite(where, std, "float32")
    return std.astype(np.float32)


class _Process:
    """An Ornstein-Uhlenbeck process of some neurons, and its memory (`Walk`).

    The memory has the values before and after the steps that were asked for last. Those after them are NaN until they
    have been reached: where a run was stopped before, the values are made again from those before.

    Parameters
    ----------
    ou : OrnsteinUhlenbeck
    to : Target
    """

    def __init__(self, ou: OrnsteinUhlenbeck, to: Target) -> None:
        self._mean, std = flat(ou.mean, to.shape), flat(ou.std, to.shape)
        self.keep, self.first_scale = math.exp(-to.dt / ou.tau), _single("OrnsteinUhlenbeck.std", std)
        self._shift = (self._mean * -math.expm1(-to.dt / ou.tau)).astype(to.dtype)
        self._scale = (std * math.sqrt(-math.expm1(-2 * to.dt / ou.tau))).astype(np.float32)
        self._to, self._room = to, Reused(to)

    def drawn(self) -> Drawn:
        """For kernels."""
        return Drawn(self._to.key, self._scale, self._shift, self, np.zeros(1, self._to.dtype))

    def start(self, step: int, count: int) -> tuple[Array, Array, bool]:
        """See `Walk`."""
        before, after = self._before(step), np.full(self._to.n, np.nan)
        self._to.memory[self._to.key[1]] = {step: before, step + count: after}
        return (self._mean if before is None else before).copy(), after, before is None

    def _before(self, step: int) -> Array | None:
        """The values of the step before, None if there are none."""
        kept = self._to.kept(is_state)
        known = kept.get(step)
        if len(kept) == 2 and min(kept) < step <= max(kept) and (known is None or np.isnan(known).any()):
            self.rows(min(kept), step - min(kept))
            return self._before(step)
        return known

    def rows(self, step: int, count: int) -> Array:
        """Those of `count` steps from `step` on."""
        from izhnumba._numba.philox import fill_normals, relax

        values = self._room(count)
        if count:
            x, after, afresh = self.start(step, count)
            fill_normals(values[:afresh], self.first_scale, self._shift, step, *self._to.key)
            fill_normals(values[afresh:], self._scale, self._shift, step + afresh, *self._to.key)
            relax(values, x, self.keep)
            after[:] = x
        return values
