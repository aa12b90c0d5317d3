"""The normal form of a model: V and u as x and y with x' = x^2 + y + z, y' = A x + B y + C, and z the input.

From V' = k2 V^2 + k1 V + k0 + ku u + kI I and u' = ua V + ub u + uc follow x = k2 V + k1 / 2 and y = y0 + k2 ku u,
where y0 = k2 k0 - k1^2 / 4, and z = k2 kI I. A conductance g towards E adds kI g (xE - x), where xE = k2 E + k1 / 2.
The threshold V >= vp + w u is x + kappa y >= theta.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from izhnumba._model import polynomial as _polynomial
from izhnumba._model.model import Model
from izhnumba._model.polynomial import Polynomial, polynomial

Array = NDArray[Any]
_1, _V, _VV, _U, _I = (0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 1)


class Coefficients(NamedTuple):
    """Coefficients of V' = k2 V^2 + k1 V + k0 + kI I + ku u and u' = ua V + ub u + uc, each of shape () or (n,)."""

    k2: Array
    k1: Array
    k0: Array
    kI: Array
    ku: Array
    ua: Array
    ub: Array
    uc: Array


class NotPolynomial(Exception):
    """An equation, named by the argument, has other terms than those of `Coefficients`."""


class _Unfit(ValueError):
    """A quantity does not meet a requirement. Arguments: its name, the requirement, the first neuron that fails."""


class NormalForm(NamedTuple):
    """Coefficients of the normal form, float64 of shape () or (n,); p, gu and gI are k2, ku and kI, half is k1 / 2.

    A spike is x + kappa y >= theta.
    """

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

    def x(self, V: ArrayLike) -> Array:
        return np.asarray(self.p * V + self.half)

    def y(self, u: ArrayLike) -> Array:
        return np.asarray(self.y0 + self.p * self.gu * u)


def normal_form(
    model: Model, p: object, owner: str = "Population", cure: str = "Use a clock scheme such as 'rk4'."
) -> NormalForm:
    """The normal form of a model; ValueError if it has none.

    p: named tuple of the parameters, float64 of shape () or (n,); owner, cure: words of the error.
    """
    try:
        return _normal_form(model, p)
    except NotPolynomial as error:
        guilty = _guilty(model, p)
        which = f"that with {' and '.join(guilty)} set" if guilty else f"{error} of {model.name}"
        must = "V' quadratic in V, and u' and the threshold linear in V and u,"
        raise ValueError(f"{owner}.model must have {must} with the scheme 'exact', got {which}. {cure}") from None
    except _Unfit as error:
        quantity, must, neuron = error.args
        found = {name: np.ravel(getattr(p, name)) for name in _guilty(model, p)}
        values = " and ".join(f"{x[neuron % x.size]:g}" for x in found.values())
        whose = f"{' and '.join(found)} must make {quantity}" if found else f"model must have {quantity} that"
        got = values or f"{model.name} with other parameters"
        raise ValueError(
            f"{owner}.{whose} {must} with the scheme 'exact', got {got} in neuron {neuron}. {cure}"
        ) from None


def _guilty(model: Model, p: Any) -> list[str]:
    """Names of the parameters of which one, set back to its default, would give a normal form."""
    return [name for name in p._fields if _cured(model, p._replace(**{name: model.parameters[name].default}))]


def _cured(model: Model, p: object) -> bool:
    try:
        _normal_form(model, p)
    except (NotPolynomial, ValueError):
        return False
    return True


def _normal_form(model: Model, p: object) -> NormalForm:
    k, threshold = coefficients(model, p), _equation(model, "threshold", _1, _U, arguments=(_polynomial.U, p))
    half = np.asarray(k.k1 / 2)
    _refuse("dV", "rise with V^2", k.k2 > 0)
    _refuse("dV", "depend on u", k.ku != 0)
    with np.errstate(all="ignore"):  # what is not finite is found below
        y0 = np.asarray(k.k2 * k.k0 - half * half)
        w = threshold[_U] / k.ku  # V_th = vp + w (y - y0) / k2
        C = k.k2 * k.ku * k.uc - k.ku * k.ua * half - k.ub * y0
        theta = k.k2 * threshold[_1] + half - w * y0
        found = NormalForm(
            np.asarray(k.ku * k.ua), k.ub, np.asarray(C), np.asarray(theta), np.asarray(-w), k.k2, half, y0, k.ku, k.kI
        )
    for name, values in found._asdict().items():
        _refuse(name, "be finite in the normal form", np.isfinite(values))
    return found


def coefficients(model: Model, p: object) -> Coefficients:
    """Coefficients that the equations of a model have with the parameters p; NotPolynomial if they have other terms."""
    dV = _equation(model, "dV", _V, _VV, _1, _U, _I, arguments=(_polynomial.V, _polynomial.U, _polynomial.I, p))
    if model.C is not None:
        dV = dV / model.C(p)
    du = _equation(model, "du", _V, _U, _1, arguments=(_polynomial.V, _polynomial.V, _polynomial.U, p))
    du = du * polynomial(model.rate(p))
    found = (dV[_VV], dV[_V], dV[_1], dV[_I], dV[_U], du[_V], du[_U], du[_1])
    return Coefficients(*(np.asarray(value, float) for value in found))


def _equation(model: Model, name: str, *known: tuple[int, int, int], arguments: tuple[Any, ...]) -> Polynomial:
    """An equation as a polynomial with no other powers of V, u and I than those known."""
    try:
        found = polynomial(getattr(model, name)(*arguments))
        good = found.within(*known)
    except Exception:  # whatever the equation raises when V is no number
        good = False
    if not good:
        raise NotPolynomial(name)
    return found


def _refuse(quantity: str, must: str, good: Array) -> None:
    if not np.all(good):
        raise _Unfit(quantity, must, int(np.argmin(np.ravel(good))))
