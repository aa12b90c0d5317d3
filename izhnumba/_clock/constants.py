"""Numbers derived from the parameters before a run: constants of the kernels, and the short cuts that they allow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
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
_ZERO = np.zeros(())


class _Part(NamedTuple):
    """Something derived, and the names of the parameters that it has been computed from."""

    found: object
    read: frozenset[str]


class Derived(NamedTuple):
    """Numbers derived from the parameters, and the short cuts of kernels that they allow."""

    values: dict[str, Array]  # by the names of DERIVED, shape () or (n,)
    affine: bool  # z0 and z1 are right
    short: bool  # the short exprel is right for every V from careful_V to the threshold
    careful_V: float | None  # mV, below which a step needs care; None: no such V is known
    parts: dict[str, _Part]  # that these were made of


def derived(
    model: Model, scheme: Scheme, reset: str, dt: float, p: Any, before: Derived | None = None, changed: str = ""
) -> Derived:
    """Numbers derived from parameters.

    Parameters
    ----------
    model : Model
    scheme : Scheme
    reset : str
    dt : float, ms
    p : named tuple
        The parameters, float64, each of shape () or (n,).
    before : Derived, optional
        Of parameters that differ from these in `changed` alone: what has not read that is not computed again.
    changed : str
    """
    parts = dict[str, _Part]()

    def part(name: str, compute: Callable[[Any], Any], *sources: str) -> Any:
        known = None if before is None else before.parts.get(name)
        if known is None or changed in known.read:
            kind: Any = type(p)
            watched = _watching(kind)(*p)
            found = compute(watched)
            known = _Part(found, frozenset(watched.read).union(*(parts[source].read for source in sources)))
        parts[name] = known
        return known.found

    gain, line = part("gain", lambda p: _gain(model, dt, p)), part("line", lambda p: _slope_line(model, p))
    if line is None:
        return Derived({"gain": gain, "z0": _ZERO, "z1": _ZERO}, False, False, None, parts)
    if not scheme.exponential:
        low = part("leap", lambda p: _leap_V(line, scheme.euler_part * dt), "line")
        return Derived({"gain": gain, "z0": _ZERO, "z1": _ZERO}, False, False, low, parts)
    z0, z1 = part("z", lambda p: (np.asarray(dt * line.at_0), np.asarray(dt * line.rise)), "line")
    low = part("short", lambda p: _short_V(line, model, reset, dt, p), "line")
    return Derived({"gain": gain, "z0": z0, "z1": z1}, True, low is not None, low, parts)


@functools.cache
def _watching(kind: Any) -> Any:
    """A named tuple of this kind that notes in `read` which of its fields are looked at."""

    class Watched(kind):  # type: ignore[misc]
        def __init__(self, *values: object) -> None:
            self.read = set[str]()

        def __getattribute__(self, name: str) -> object:
            if name in kind._fields:
                self.read.add(name)
            return super().__getattribute__(name)

        def __iter__(self) -> Iterator[Any]:
            self.read.update(kind._fields)
            return super().__iter__()

        def __getitem__(self, key: object) -> object:
            self.read.update(kind._fields)
            return super().__getitem__(key)

    return Watched


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
