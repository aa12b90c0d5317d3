"""What follows from the parameters before a run: constants of the kernel, and the ways round that they allow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._model.model import Model
from izhnumba._model.polynomial import V, polynomial
from izhnumba._model.schemes import Scheme

Array = NDArray[Any]

# Lanes that a kernel finds beside the parameters: what exponential Euler multiplies du by, and dt * dV_slope as the
# line z0 + z1 V.
LANES = ("gain", "z0", "z1")


class Derived(NamedTuple):
    """`lanes` by name, shape () or (n,); whether z0 and z1 hold, and whether the short exprel does; the V below which
    a step needs care, or None if that cannot be told."""

    lanes: dict[str, Array]
    affine: bool
    short: bool
    careful_V: float | None


def derived(model: Model, scheme: Scheme, reset: str, dt: float, p: Any) -> Derived:
    """p: the named tuple of parameters as float64, each of shape () or (n,)."""
    line = _slope_line(model, p)
    zero = np.zeros(())
    lanes = {"gain": _gain(model, dt, p), "z0": zero, "z1": zero}
    if line is None:
        return Derived(lanes, affine=False, short=False, careful_V=None)
    if not scheme.exponential:
        return Derived(lanes, affine=False, short=False, careful_V=_leap_V(line, scheme.euler_part * dt))
    lanes |= {"z0": np.asarray(dt * line.at_0), "z1": np.asarray(dt * line.rise)}
    short_V = _short_V(line, model, reset, dt, p)
    return Derived(lanes, affine=True, short=short_V is not None, careful_V=short_V)


def _gain(model: Model, dt: float, p: Any) -> Array:
    z = dt * np.asarray(model.u_slope(p), float)
    phi = np.where(np.abs(z) > 1e-300, np.expm1(z) / z, 1.0)
    return np.asarray(dt * np.asarray(model.rate(p), float) * phi)


class _Line(NamedTuple):
    """at_0 + rise * V."""

    at_0: Any
    rise: Any


def _slope_line(model: Model, p: Any) -> _Line | None:
    """The derivative of dV/dt by V as a line that rises with V, if it is one."""
    try:
        slope = polynomial(model.dV_slope(V, 0.0, p)) / (1.0 if model.C is None else model.C(p))
    except Exception:  # whatever the user's own equation raises when V is not a number
        return None
    line = _Line(slope[0, 0, 0], slope[1, 0, 0])
    return line if slope.within((0, 0, 0), (1, 0, 0)) and np.all(np.asarray(line.rise) > 0) else None


def _leap_V(line: _Line, step: float) -> float | None:
    """V from which a step of Euler leads to beyond the threshold."""
    return float(np.max(-2 * (line.at_0 + 1 / step) / line.rise)) if step else None


def _short_V(line: _Line, model: Model, reset: str, dt: float, p: Any) -> float | None:
    """V from which on, up to the threshold, z = z0 + z1 V stays within the range of the short exprel, with a margin
    for rounding; None if the reset cannot promise that."""
    from izhnumba._numba.exprel import SHORT_RANGE

    limit = SHORT_RANGE * 0.995 / dt
    thresholds = [np.asarray(model.threshold(float(u), p)) for u in (-100.0, 0.0, 100.0)]
    resets = [np.asarray(model.V_reset(float(u), p)) for u in (-100.0, 0.0, 100.0)]
    fixed = all(np.array_equal(x, y) for xs in (thresholds, resets) for x, y in zip(xs, xs[1:], strict=False))
    lowest = float(np.max((-limit - line.at_0) / line.rise))
    if not fixed or reset != "hard" or np.any(line.at_0 + line.rise * thresholds[0] > limit):
        return None
    return None if np.any(resets[0] < lowest) or np.any(resets[0] > thresholds[0]) else lowest
