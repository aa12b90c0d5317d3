"""Equations of a new model, tried at a few points: they must use its parameters, and return numbers, and derivatives
that finite differences confirm. A wrong slope would otherwise show as spikes that are a little off.

A point at which an equation raises anything else, or is not finite, says nothing and is left out; what Numba cannot
compile is told when it is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from izhnumba._base import checks
from izhnumba._base.words import did_you_mean

Equation = Callable[..., Any]
Equations = Mapping[str, Equation]
_PLACES = (-0.31, 0.07, 0.43, 1.03)  # of V: shares of the way from the lowest to the highest of V, V_reset, threshold
_STEP = 1e-6  # of a finite difference: share of that way
_STATE_STEP = 1e-4  # the same for a further state: share of its value or its jump
_SLOPE = 1e-3  # relative error from which on a slope is wrong; differences of steep equations have errors of their own
_LINEAR = 1e-6  # relative error from which on values do not lie on a line


def results_are_numbers(
    equations: Equations, arguments: Mapping[str, Sequence[str]], values: Mapping[str, object]
) -> None:
    """TypeError for an equation that uses a parameter that is none, or returns anything but one number: it would fail
    far from there, or become NaN. ValueError for a capacitance that is not above 0.

    arguments: names of those of each equation; values: a value for each of these names.
    """
    for name, equation in equations.items():
        try:
            with np.errstate(all="ignore"):
                result = equation(*(values[argument] for argument in arguments[name]))
        except AttributeError as error:
            if error.obj is values["p"]:
                raise _no_parameter(name, error.name, values["p"]) from None
            continue
        except Exception:  # compiling it says what is wrong
            continue
        where = f"Model.{name}({', '.join(arguments[name])})"
        number = checks.magnitude(where, result, "")
        if np.ndim(number):
            checks.refuse(where, result, "one number")
        if name == "C" and number <= 0:
            raise ValueError(f"{where} must be > 0 for the default parameters, got {number:g}. V' is dV / C.")


def _no_parameter(equation: str, name: object, p: Any) -> TypeError:
    """The error of an equation that uses p.name, which the named tuple p has not."""
    cure = f"{did_you_mean(name, p._fields)}The model has {', '.join(p._fields) or 'no parameters'}."
    return TypeError(f"Model.{equation} must use parameters of the model, got p.{name}. {cure}")


class _Point(NamedTuple):
    """Where equations are tried: a state, the sizes of dV and of differences of V and u there, and parameters."""

    V: float
    u: float
    size: float
    step_V: float
    step_u: float
    p: Any

    def __str__(self) -> str:
        parameters = ", ".join(f"{name} = {value:.4g}" for name, value in zip(self.p._fields, self.p, strict=True))
        return f"V = {self.V:.4g}, u = {self.u:.4g}, {parameters}"


def slopes_are_derivatives(equations: Equations, V: float, u: float, p: Any, states: Iterable[str] = ()) -> None:
    """ValueError where dV is not linear in I, du not in u, or a slope not the derivative that it should be.

    V, u: default state; p: named tuple of the default parameters and states, which are tried, and values a tenth above
    them; states: names of those beside V and u.
    """
    with np.errstate(all="ignore"):
        for parameters in (p, p._make(_raised(value) for value in p)):
            try:
                points = list(_points(equations, V, u, parameters))
            except Exception:  # compiling the equation says what is wrong
                continue
            for point in points:
                _check_dV(equations, point)
                _check_du(equations, point)
                for state in states:
                    if f"states[{state!r}].slope" in equations:
                        _check_state(state, equations, point)


def _raised(value: float) -> float:
    return value + (0.1 * abs(value) or 0.1) if math.isfinite(value) else value


def _points(equations: Equations, V: float, u: float, p: object) -> Iterator[_Point]:
    known = [x for x in (V, equations["threshold"](u, p), equations["V_reset"](u, p)) if math.isfinite(x)]
    span = max(known) - min(known) or abs(V) or 1.0
    jump = equations["u_reset"](u, p) - u
    places = [min(known) + share * span for share in _PLACES]
    sizes = [abs(equations["dV"](V, u, 0.0, p)) for V in places]
    typical = sorted(sizes)[1] or 1.0
    for k, (V, size) in enumerate(zip(places, sizes, strict=True)):
        step_u = max(abs(jump), abs(equations["du"](V, V, u, p))) or 1.0
        yield _Point(V, u + k % 2 * jump, max(size, typical), _STEP * span, step_u, p)


def _value(equation: Equation, *arguments: Any) -> float | None:
    """The value of an equation, or None if it raises or is not finite."""
    try:
        found = float(equation(*arguments))
    except Exception:  # compiling it says what is wrong
        return None
    return found if math.isfinite(found) else None


def _values(equation: Callable[[float], Any], *arguments: float) -> list[float] | None:
    """The values of an equation of one argument, or None if there is none for one of them."""
    found = [_value(equation, argument) for argument in arguments]
    return None if None in found else cast("list[float]", found)


def _check_dV(equations: Equations, at: _Point) -> None:
    dV, size, h = equations["dV"], at.size, at.step_V
    line = _values(lambda I: dV(at.V, at.u, I, at.p), -size, 0.0, size, 3.0 * size)
    if line and not _linear(line):
        raise ValueError(
            f"Model.dV must be linear in I, got {_listed(line)} for I = {_listed((-size, 0, size, 3 * size))} at {at}. "
            "Add I, or a factor made of parameters times I."
        )
    if hasattr(dV, "horner"):
        one, other = (_value(equation, at.V, at.u, size, at.p) for equation in (dV, dV.horner))
        if one is not None and other is not None and abs(one - other) > _LINEAR * max(abs(one), size):
            raise ValueError(f"Model.dV.horner must be dV in another order, got {other:g} for {one:g} at {at}.")
    for dI in (0.0, -size * _STEP / h):
        near = _values(lambda x: dV(at.V + x, 0.0, dI * x, at.p), -h, 0.0, h)  # noqa: B023
        slope = _value(equations["dV_slope"], at.V, dI, at.p)
        if near is None or slope is None:
            continue
        left, middle, right = near
        differences = (right - left) / (2 * h), (right - middle) / h, (middle - left) / h  # one is right at a kink
        least = size * _STEP / h
        if not any(abs(slope - d) <= _SLOPE * max(abs(slope), abs(d), least) for d in differences):
            raise ValueError(
                f"Model.dV_slope must be the derivative of dV by V, got {slope:.6g} instead of {differences[0]:.6g} "
                f"with dI = {dI:.4g} at {at._replace(u=0.0)}. Derive dV by V; I has the derivative dI."
            )


def _check_du(equations: Equations, at: _Point) -> None:
    h = at.step_u
    line = _values(lambda u: equations["du"](at.V, at.V, u, at.p), at.u - h, at.u, at.u + h, at.u + 3.0 * h)
    rate, slope = _value(equations["rate"], at.p), _value(equations["u_slope"], at.p)
    if line is None or rate is None or slope is None:
        return
    if not _linear(line):
        raise ValueError(
            f"Model.du must be linear in u, got {_listed(line)} for u = "
            f"{_listed((at.u - h, at.u, at.u + h, at.u + 3 * h))} at {at}. Use a model of other variables."
        )
    left, _, right, _ = line
    derivative = rate * (right - left) / (2 * h)
    rounding = abs(rate) * (abs(left) + abs(right)) / h * 1e-9
    if abs(slope - derivative) > _SLOPE * max(abs(slope), abs(derivative)) + rounding:
        raise ValueError(
            f"Model.u_slope must be the derivative of rate * du by u, got {slope:.6g} instead of {derivative:.6g} at "
            f"{at}. Without a leak of u it is 0, written p.a - p.a."
        )


def _check_state(name: str, equations: Equations, at: _Point) -> None:
    """Compare the slope of a further state with differences of its derivative."""
    where, value = f"states[{name!r}]", getattr(at.p, name)
    derivative, slope = equations[f"{where}.derivative"], equations[f"{where}.slope"]
    after = _value(equations.get(f"{where}.reset", lambda u, p: value), at.u, at.p)
    h = _STATE_STEP * (max(abs(value), abs(value - (after or 0.0))) or 1.0)
    near = _values(lambda x: derivative(at.V, at.u, 0.0, at.p._replace(**{name: value + x})), -h, 0.0, h)
    found = _value(slope, at.V, at.p)
    if near is None or found is None:
        return
    left, middle, right = near
    differences = (right - left) / (2 * h), (right - middle) / h, (middle - left) / h  # one is right at a kink
    rounding = (abs(left) + abs(right)) / h * 1e-13
    if not any(abs(found - d) <= _SLOPE * max(abs(found), abs(d)) + rounding for d in differences):
        raise ValueError(
            f"Model.{where}.slope must be the derivative of {where}.derivative by {name}, got {found:.6g} instead of "
            f"{differences[0]:.6g} at {at}. Derive it by p.{name}, or leave the slope out."
        )


def _linear(line: list[float]) -> bool:
    """Whether values at -1, 0, 1 and 3 lie on a line."""
    a, b, c, d = line
    allowed = _LINEAR * sum(map(abs, line))
    return abs(a - 2 * b + c) <= allowed and abs(d - 3 * c + 2 * b) <= allowed


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
