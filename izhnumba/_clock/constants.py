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
from izhnumba._model.state_steps import DERIVED as DERIVED
from izhnumba._model.states import NotKnown, Unknown, gain_of, known

Array = NDArray[Any]

_ZERO = np.zeros(())


class _Part(NamedTuple):
    """Something derived, and the names of the parameters that it has been computed from."""

    found: object
    read: frozenset[str]


class Derived(NamedTuple):
    """Numbers derived from the parameters, and the short cuts of kernels that they allow."""

    values: dict[str, Array]  # by name: DERIVED and the gains of states, shape () or (n,)
    affine: bool  # z0 and z1 are right
    short: bool  # the short exprel is right for every V from careful_V to the threshold, or to cap_V
    capped: bool  # the threshold depends on a state, and V above cap_V, too, needs care
    careful_V: float | None  # mV, below which a step needs care; None: no such V is known
    cap_V: float  # mV
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
        The parameters, float64, each of shape () or (n,); states beside V and u are Unknown.
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
    values = {"gain": gain, "z0": _ZERO, "z1": _ZERO}
    for name in model.gains:
        slope: Any = model.states[name].slope
        values[gain_of(name)] = part(gain_of(name), lambda p: np.asarray(dt * _phi(dt * slope(Unknown("V"), p))))  # noqa: B023
    if line is None:
        return Derived(values, False, False, False, None, np.inf, parts)
    if not scheme.exponential:
        low = part("leap", lambda p: _leap_V(line, scheme.euler_part * dt), "line")
        return Derived(values, False, False, False, low, np.inf, parts)
    z0, z1 = part("z", lambda p: (np.asarray(dt * line.at_0), np.asarray(dt * line.rise)), "line")
    low, cap = part("short", lambda p: _short_V(line, model, reset, dt, p), "line")
    return Derived(values | {"z0": z0, "z1": z1}, True, low is not None, cap < np.inf, low, cap, parts)


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
    phi = _phi(dt * np.asarray(model.u_slope(p), float))
    return np.asarray(dt * np.asarray(model.rate(p), float) * phi)


def _phi(z: Any) -> Array:
    """(exp(z) - 1) / z, () or (n,)."""
    z = np.asarray(z, float)
    return np.where(np.abs(z) > 1e-300, np.expm1(z) / z, 1.0)


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


def _short_V(line: _Line, model: Model, reset: str, dt: float, p: object) -> tuple[float | None, float]:
    """The V (mV) from which on, up to the threshold, z = z0 + z1 V stays within the range of the short exprel, with a
    margin for rounding; None if a reset may lead out of it. If the threshold depends on a state, so that it is not
    known, also the V up to which z does so; else infinity."""
    from izhnumba._numba.exprel import SHORT_RANGE

    limit = SHORT_RANGE * 0.995 / dt
    lowest, highest = float(np.max((-limit - line.at_0) / line.rise)), (limit - line.at_0) / line.rise
    try:
        resets = [np.asarray(known(model.V_reset, u, p)) for u in (-100.0, 0.0, 100.0)]
    except NotKnown:
        return None, np.inf
    fixed = reset == "hard" and all(np.array_equal(x, y) for x, y in zip(resets, resets[1:], strict=False))
    if not fixed or np.any(resets[0] < lowest):
        return None, np.inf
    try:
        thresholds = [np.asarray(known(model.threshold, u, p)) for u in (-100.0, 0.0, 100.0)]
    except NotKnown:
        return (None, np.inf) if np.any(resets[0] > highest) else (lowest, float(np.min(highest)))
    fixed = all(np.array_equal(x, y) for x, y in zip(thresholds, thresholds[1:], strict=False))
    if not fixed or np.any(line.at_0 + line.rise * thresholds[0] > limit) or np.any(resets[0] > thresholds[0]):
        return None, np.inf
    return lowest, np.inf
