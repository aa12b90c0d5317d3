"""Closed forms for V' quadratic in V and u' linear: the resting state and the currents at which it is lost.

    V' = k2 V^2 + k1 V + k0 + kI I + ku u            u' = ua V + ub u + uc

On the u nullcline V' is the parabola k2 V^2 + beta V + gamma with beta = k1 - ku ua / ub and
gamma = k0 - ku uc / ub + kI I. Its slope R at a fixed point gives the determinant of the Jacobian, ub R, so one of two
fixed points is always a saddle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._model.normal_form import Coefficients, NotPolynomial, coefficients
from izhnumba._population.population import Population
from izhnumba.analysis._phase_plane import must_have_a_plane, parameters_of

Array = np.ndarray[Any, np.dtype[Any]]


def resting_state(neuron: object, I: ArrayLike = 0.0) -> tuple[Array, Array]:
    """V and u of the stable fixed point at constant input, in closed form.

    Parameters
    ----------
    neuron : Population, preset or other mapping of parameters, or Model
        A Model stands for its default parameters. V' must be quadratic in V and u' linear.
    I : float or array that broadcasts to the population, mV/ms (2007 form: pA)

    Returns
    -------
    V, u : ndarray of the shape of the population, () for anything else
        NaN for neurons without a stable fixed point.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or shape, and for a model with other equations (2007/FS, 2007/TC, 2007/RTN).

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> cells = iz.Population(3, b=[0.2, 0.25, 0.26])
    >>> cells.V, cells.u = analysis.resting_state(cells)
    >>> cells.V.round(2)
    array([-70.  , -64.41, -62.5 ])
    """
    return stable_point("resting_state", neuron, I)


def stable_point(owner: str, neuron: object, I: ArrayLike = 0.0) -> tuple[Array, Array]:
    """`resting_state` for a function with the name `owner`, with which errors begin."""
    k, shape = _of(owner, neuron)
    unit = parameters_of(owner, neuron)[0].I.unit
    I = checks.array(f"{owner}.I", I, unit)
    try:
        I = np.broadcast_to(I, np.broadcast_shapes(shape, I.shape))
    except ValueError:
        raise ValueError(f"{owner}.I must broadcast to shape {shape}, got shape {I.shape}.") from None
    with np.errstate(all="ignore"):
        beta, gamma = k.k1 - k.ku * k.ua / k.ub, k.k0 - k.ku * k.uc / k.ub + k.kI * I
        focus = (np.sign(k.ub) * np.sqrt(beta**2 - 4 * k.k2 * gamma) - beta) / (2 * k.k2)  # where ub R > 0
        V = np.where(k.ub == 0, -k.uc / k.ua, focus)
        u = -((k.k2 * V + k.k1) * V + k.k0 + k.kI * I) / k.ku
        slope = 2 * k.k2 * V + k.k1
        stable = (slope + k.ub < 0) & (slope * k.ub - k.ku * k.ua > 0)
    return np.where(stable, V, np.nan), np.where(stable, u, np.nan)


def saddle_node_current(neuron: object) -> Array:
    """The constant input at which the two fixed points merge and vanish.

    There the parabola that V' is on the u nullcline has one root, beta^2 = 4 k2 gamma. For the 2003 form

        I = (5 - b)^2 / 0.16 - 140

    and for the 2007 form I = (b + k (vt - vr))^2 / (4 k). It is the least current of endless firing from every start
    where the fixed point is stable up to there; otherwise see `hopf_current`.

    Parameters
    ----------
    neuron : Population, preset or other mapping of parameters, or Model
        A Model stands for its default parameters. V' must be quadratic in V and u' linear.

    Returns
    -------
    ndarray of the shape of the population, () for anything else, mV/ms (2007 form: pA)
        NaN where u' does not depend on u (ub = 0): then there is one fixed point, or none, at any current.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind, and for a model with other equations (2007/FS, 2007/TC, 2007/RTN).

    References
    ----------
    E. M. Izhikevich, Dynamical Systems in Neuroscience, MIT Press 2007, section 8.2; J. Touboul, Bifurcation analysis
    of a general class of nonlinear integrate-and-fire neurons, 2008, doi:10.1137/070687268.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> print(f"{analysis.saddle_node_current(iz.presets['RS']):.3f}")
    4.000
    """
    k, shape = _of("saddle_node_current", neuron)
    with np.errstate(all="ignore"):
        beta = k.k1 - k.ku * k.ua / k.ub
        I = (beta**2 / (4 * k.k2) - k.k0 + k.ku * k.uc / k.ub) / k.kI
    return _known(I, k.ub != 0, shape)


def hopf_current(neuron: object) -> Array:
    """The constant input at which the fixed point that is no saddle changes its stability and goes on to exist.

    There the Jacobian has trace 0, 2 k2 V + k1 + ub = 0, and a positive determinant, -ub^2 - ku ua > 0, so that its
    eigenvalues are imaginary: an Andronov-Hopf bifurcation. For the 2003 form

        V = (a - 5) / 0.08,  I = -(0.04 V^2 + (5 - b) V + 140),  if b > a

    It comes before the saddle-node: between the two currents the fixed point exists, and is unstable.

    Parameters
    ----------
    neuron : Population, preset or other mapping of parameters, or Model
        A Model stands for its default parameters. V' must be quadratic in V and u' linear.

    Returns
    -------
    ndarray of the shape of the population, () for anything else, mV/ms (2007 form: pA)
        NaN where there is none: the fixed point keeps its stability until it vanishes.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind, and for a model with other equations (2007/FS, 2007/TC, 2007/RTN).

    References
    ----------
    As for `saddle_node_current`.

    Examples
    --------
    Class 1 excitable cells have none:

    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> for name in ("FS", "RZ", "2004/G"):
    ...     print(f"{analysis.hopf_current(iz.presets[name]):.4f}")
    3.9375
    0.2625
    nan
    """
    k, shape = _of("hopf_current", neuron)
    with np.errstate(all="ignore"):
        V = -(k.k1 + k.ub) / (2 * k.k2)
        u = -(k.ua * V + k.uc) / k.ub
        I = -((k.k2 * V + k.k1) * V + k.k0 + k.ku * u) / k.kI
    return _known(I, (k.ub != 0) & (-(k.ub**2) - k.ku * k.ua > 0), shape)


def has_closed_form(neuron: Population) -> bool:
    """Whether V' of these neurons is quadratic in V and u' linear."""
    try:
        stable_point("resting_state", neuron)
    except ValueError:
        return False
    return True


def _of(owner: str, neuron: object) -> tuple[Coefficients, tuple[int, ...]]:
    """(coefficients of V' and u', shape of the result); refused for other equations."""
    model, values = parameters_of(owner, neuron)
    must_have_a_plane(owner, model)
    got = ""
    try:
        k = coefficients(model, model.named_tuple()(*values.values()))
        if not np.all(k.k2 != 0):
            got = f"the model {model.name} with V^2 times 0"
    except NotPolynomial:
        got = f"the model {model.name}"
    if got:
        must = f"{owner}.neuron must have V' quadratic in V and u' linear in V and u"
        raise ValueError(f"{must}, got {got}. Use fixed_points, which takes any model.")
    return k, neuron.shape if isinstance(neuron, Population) else ()


def _known(I: Array, known: Array, shape: tuple[int, ...]) -> Array:
    """Currents in this shape, NaN where they are not known."""
    return np.broadcast_to(np.where(known, I, np.nan), shape).copy()
