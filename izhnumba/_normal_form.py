"""The normal form of a model: V and u as x and y with x' = x^2 + y + z, y' = A x + B y + C, and z the input.

From V' = p V^2 + q V + r + gu u + gI I and u' = a V + b u + c follow x = p V + q / 2 and y = y0 + p gu u, where
y0 = p r - q^2 / 4, and z = p gI I. A conductance g towards E adds gI g (xE - x), where xE = p E + q / 2. The threshold
V >= vp + w u is x + kappa y >= theta.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba import _polynomial
from izhnumba._models import Model
from izhnumba._polynomial import Polynomial, polynomial

Array = NDArray[Any]
_1, _V, _VV, _U, _I = (0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 1)


class NormalForm(NamedTuple):
    """Coefficients, each of shape () or (n,); p, gu and gI are those of V', half is q / 2."""

    A: Array
    B: Array
    C: Array
    theta: Array
    kappa: Array
    p: Array
    half: Array
    y0: Array
    gu: Array
    gI: Array

    def x(self, V: Any) -> Array:
        return np.asarray(self.p * V + self.half)

    def y(self, u: Any) -> Array:
        return np.asarray(self.y0 + self.p * self.gu * u)


def normal_form(model: Model, p: Any) -> NormalForm:
    """Of a model with the parameters p, a named tuple of float64 of shape () or (n,)."""
    try:
        return _normal_form(model, p)
    except _NotPolynomial as error:
        guilty = [name for name in p._fields if _cured(model, p._replace(**{name: model.parameters[name].default}))]
        which = f"that with {' and '.join(guilty)} set" if guilty else f"{error} of {model.name}"
        raise ValueError(
            "Population.model must have V' quadratic in V, and u' and the threshold linear in V and u, with the scheme "
            f"'exact', got {which}. Use a clock scheme such as 'rk4'."
        ) from None


class _NotPolynomial(Exception):
    """An equation, by name, has other terms than the normal form."""


def _cured(model: Model, p: Any) -> bool:
    try:
        _normal_form(model, p)
    except (_NotPolynomial, ValueError):
        return False
    return True


def _normal_form(model: Model, p: Any) -> NormalForm:
    dV = _equation(model, "dV", _V, _VV, _1, _U, _I, arguments=(_polynomial.V, _polynomial.U, _polynomial.I, p))
    if model.C is not None:
        dV = dV / model.C(p)
    pull = _equation(model, "pull", _V, _U, _1, arguments=(_polynomial.V, _polynomial.V, _polynomial.U, p))
    du = pull * polynomial(model.rate(p))
    threshold = _equation(model, "threshold", _1, _U, arguments=(_polynomial.U, p))
    square, half, r, gu, gI = (np.asarray(x, float) for x in (dV[_VV], dV[_V] / 2, dV[_1], dV[_U], dV[_I]))
    _refuse(model, "dV", "rise with V^2", square > 0)
    _refuse(model, "dV", "depend on u", gu != 0)
    y0 = np.asarray(square * r - half * half)
    with np.errstate(all="ignore"):  # what is not finite is found below
        w = threshold[_U] / gu  # V_th = vp + w (y - y0) / p
        C = square * gu * du[_1] - gu * du[_V] * half - du[_U] * y0
        theta = square * threshold[_1] + half - w * y0
        found = NormalForm(
            np.asarray(gu * du[_V]), np.asarray(du[_U], float), np.asarray(C), np.asarray(theta), np.asarray(-w),
            square, half, y0, gu, gI,
        )  # fmt: skip
    for name, values in found._asdict().items():
        _refuse(model, name, "be finite in the normal form", np.isfinite(values))
    return found


def _equation(model: Model, name: str, *known: tuple[int, int, int], arguments: tuple[Any, ...]) -> Polynomial:
    """An equation as a polynomial with no other powers of V, u and I than those known."""
    try:
        found = polynomial(getattr(model, name)(*arguments))
        good = found.within(*known)
    except Exception:  # whatever the equation raises when V is no number
        good = False
    if not good:
        raise _NotPolynomial(name)
    return found


def _refuse(model: Model, name: str, must: str, good: Array) -> None:
    if not np.all(good):
        first = int(np.argmin(np.ravel(good)))
        raise ValueError(
            f"Population.model must have {name} that {must} with the scheme 'exact', got {model.name} with other "
            f"parameters in neuron {first}. Use a clock scheme such as 'rk4'."
        )
