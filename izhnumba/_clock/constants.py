"""Numbers derived from the parameters before a run: constants of the kernels, and the short cuts that they allow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._model.model import Model
from izhnumba._model.polynomial import V, polynomial
from izhnumba._model.schemes import Scheme

Array = NDArray[Any]

# Numbers beside the parameters of each lane: gain, by which exponential Euler multiplies du, and z0, z1 with
# dt * dV_slope = z0 + z1 V.
DERIVED = ("gain", "z0", "z1")


class Derived(NamedTuple):
    """Numbers derived from the parameters, and the short cuts of kernels that they allow."""

    values: dict[str, Array]  # by the names of DERIVED, shape () or (n,)
    affine: bool  # z0 and z1 are right
    short: bool  # the short exprel is right for every V from careful_V to the threshold
    careful_V: float | None  # mV, below which a step needs care; None: no such V is known


def derived(model: Model, scheme: Scheme, reset: str, dt: float, p: object) -> Derived:
    """Numbers derived from p, the named tuple of parameters as float64, each of shape () or (n,). dt: ms."""
    line = _slope_line(model, p)
    zero = np.zeros(())
    values = {"gain": _gain(model, dt, p), "z0": zero, "z1": zero}
    if line is None:
        return Derived(values, affine=False, short=False, careful_V=None)
    if not scheme.exponential:
        return Derived(values, affine=False, short=False, careful_V=_leap_V(line, scheme.euler_part * dt))
    values |= {"z0": np.asarray(dt * line.at_0), "z1": np.asarray(dt * line.rise)}
    short_V = _short_V(line, model, reset, dt, p)
    return Derived(values, affine=True, short=short_V is not None, careful_V=short_V)


def _gain(model: Model, dt: float, p: object) -> Array:
    """dt * rate * exprel(dt * u_slope), () or (n,)."""
    z = dt * np.asarray(model.u_slope(p), float)
    phi = np.where(np.abs(z) > 1e-300, np.expm1(z) / z, 1.0)
    return np.asarray(dt * np.asarray(model.rate(p), float) * phi)


class _Line(NamedTuple):
    """at_0 + rise * V."""

    at_0: Array
    rise: Array


def _slope_line(model: Model, p: object) -> _Line | None:
    """The derivative of dV/dt by V (1/ms) as a line that rises with V; None if it is not one."""
    try:
        slope = polynomial(model.dV_slope(V, 0.0, p)) / (1.0 if model.C is None else model.C(p))
    except Exception:  # whatever the user's own equation raises when V is not a number
        return None
    line = _Line(slope[0, 0, 0], slope[1, 0, 0])
    return line if slope.within((0, 0, 0), (1, 0, 0)) and np.all(np.asarray(line.rise) > 0) else None


def _leap_V(line: _Line, step: float) -> float | None:
    """The V (mV) below which a step of Euler, ms, leads beyond the threshold; None for a step of 0."""
    return float(np.max(-2 * (line.at_0 + 1 / step) / line.rise)) if step else None


def _short_V(line: _Line, model: Model, reset: str, dt: float, p: object) -> float | None:
    """The V (mV) from which on, up to the threshold, z = z0 + z1 V stays within the range of the short exprel, with a
    margin for rounding; None if a reset may lead out of it."""
    from izhnumba._numba.exprel import SHORT_RANGE

    limit = SHORT_RANGE * 0.995 / dt
    thresholds = [np.asarray(model.threshold(float(u), p)) for u in (-100.0, 0.0, 100.0)]
    resets = [np.asarray(model.V_reset(float(u), p)) for u in (-100.0, 0.0, 100.0)]
    fixed = all(np.array_equal(x, y) for xs in (thresholds, resets) for x, y in zip(xs, xs[1:], strict=False))
    lowest = float(np.max((-limit - line.at_0) / line.rise))
    if not fixed or reset != "hard" or np.any(line.at_0 + line.rise * thresholds[0] > limit):
        return None
    return None if np.any(resets[0] < lowest) or np.any(resets[0] > thresholds[0]) else lowest
