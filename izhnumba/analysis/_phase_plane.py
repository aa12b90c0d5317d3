"""The phase plane of one neuron of any model: nullclines and fixed points at constant input, found by search.

V' must be linear in u, and nothing else, so that the branches and cubic terms of the 2007 cells can be taken. Closed
forms, for V' quadratic in V, are in `_bifurcations`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._model.izhikevich import Izhikevich
from izhnumba._model.model import Model
from izhnumba._population.parameters import HABITS, OF_POPULATIONS
from izhnumba._population.population import Population
from izhnumba._population.presets import presets

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[[Any, Any], Array]


class FixedPoint(NamedTuple):
    """A state in which V and u stay.

    Attributes
    ----------
    V, u : float, mV, mV/ms (2007 form: pA)
    kind : str
        "saddle", or "stable" or "unstable" with "node" or "focus".
    stable : bool
        Whether both eigenvalues have a negative real part.
    eigenvalues : pair of complex, 1/ms
        Of the Jacobian, the one with the larger real part first: the state leaves or comes back as exp(eigenvalue t).

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.FixedPoint(-70.0, -14.0, "stable node", True, (-0.03 + 0j, -0.59 + 0j)).kind
    'stable node'
    """

    V: float
    u: float
    kind: str
    stable: bool
    eigenvalues: tuple[complex, complex]


def fixed_points(
    neuron: object, I: float = 0.0, *, index: int = 0, V: tuple[float, float] = (-120.0, 60.0)
) -> list[FixedPoint]:
    """Find the fixed points of a neuron at constant input, between two voltages, in order of V.

    u' along the V nullcline is bracketed on 4,000 intervals and bisected to rounding, for which V' must be linear in
    u; the kind follows from the eigenvalues of the Jacobian. `resting_state` gives the stable ones of many neurons.

    Parameters
    ----------
    neuron : Population, preset or other mapping of parameters, or Model
        A Model stands for its default parameters.
    I : float, mV/ms (2007 form: pA)
    index : int
        Which neuron of a Population, by its flat index.
    V : pair of float, mV
        Lowest and highest V of the search.

    Returns
    -------
    list of FixedPoint
        In order of V; empty if there are none.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind, range or unit.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> for point in analysis.fixed_points(iz.presets["RS"]):
    ...     print(f"{point.V:.1f} {point.u:.1f} {point.kind}, {point.eigenvalues[0].real:.3f} / ms")
    -70.0 -14.0 stable node, -0.027 / ms
    -50.0 -10.0 saddle, 0.996 / ms
    """
    model, p = one_neuron("fixed_points", neuron, index)
    I = checks.number("fixed_points.I", I, model.I.unit)
    return points_of(model, p, I, *limits("fixed_points.V", V, model.V.unit))


def points_of(model: Model, p: object, I: float, low: float, high: float) -> list[FixedPoint]:
    """The fixed points of one neuron from V = low to high, in order of V."""
    dV, du = equations(model, p, I)
    found = roots(lambda x: du(x, _u_of_zero(dV, x)), np.linspace(low, high, 4001))
    return [_classified(dV, du, x, y) for x, y in zip(found, _u_of_zero(dV, found), strict=True)]


def nullclines(neuron: object, I: float, V: ArrayLike, *, index: int = 0) -> tuple[Array, Array]:
    """The nullclines V' = 0 and u' = 0 at constant input: u as a function of V.

    Parameters
    ----------
    neuron, I, index
        As in `fixed_points`.
    V : float or array, mV

    Returns
    -------
    u_of_V, u_of_u : ndarray of the shape of V, mV/ms (2007 form: pA)
        u on the V nullcline, and u on the u nullcline; NaN where u' does not depend on u and the nullcline stands
        upright (the accommodating cell of 2004).

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind, range or unit.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> analysis.nullclines(iz.presets["RS"], 4.0, [-70.0, -60.0, -50.0])
    (array([-10., -12.,  -6.]), array([-14., -12., -10.]))
    """
    model, p = one_neuron("nullclines", neuron, index)
    dV, du = equations(model, p, checks.number("nullclines.I", I, model.I.unit))
    V = checks.array("nullclines.V", V, model.V.unit)
    return _u_of_zero(dV, V), _u_of_zero(du, V)


def parameters_of(owner: str, neuron: Any) -> tuple[Model, dict[str, Array]]:
    """(model, parameters by name) of a neuron as users pass it. Parameters: arrays that broadcast to its shape."""
    where = f"{owner}.neuron"
    neuron = {"model": neuron} if isinstance(neuron, Model) else neuron
    cure = f'Pass iz.presets["{neuron}"].' if neuron in presets else ""
    checks.kind(where, neuron, (Population, Mapping), "a Population, a preset or other mapping, or a Model", cure)
    if isinstance(neuron, Population):
        return neuron.model, {name: np.asarray(getattr(neuron, name), float) for name in neuron.model.parameters}
    model = checks.kind(f"{where}['model']", neuron.get("model", Izhikevich), Model, "an izhnumba.Model")
    for name in neuron:
        if name not in model.parameters and name not in model.states and name not in OF_POPULATIONS:
            checks.unknown(where, name, (*model.parameters, "model"), HABITS)
    return model, {
        name: np.asarray(
            checks.number(f"{where}[{name!r}]", neuron.get(name, quantity.default), quantity.unit, **quantity.bounds)
        )
        for name, quantity in model.parameters.items()
    }


def one_neuron(owner: str, neuron: object, index: object) -> tuple[Model, Any]:
    """(model, p) of the neuron of this flat index; p: named tuple of its parameters, floats."""
    model, values = parameters_of(owner, neuron)
    must_have_a_plane(owner, model)
    n = neuron.n if isinstance(neuron, Population) else 1
    i = checks.integer(f"{owner}.index", index, at_least=-n, at_most=n - 1) % n
    if isinstance(neuron, Population):
        values = {name: np.broadcast_to(value, neuron.shape).flat[i] for name, value in values.items()}
    return model, model.named_tuple()(*map(float, values.values()))


def must_have_a_plane(owner: str, model: Model) -> None:
    """Refuse a model with states beside V and u."""
    if model.states:
        raise ValueError(
            f"{owner}.neuron must be of a model with the states V and u alone, got {model.name} with "
            f"{', '.join(model.states)} as well. Record them in a run of a Population."
        )


def limits(where: str, value: object, unit: str) -> tuple[float, float]:
    """(low, high), a pair of numbers in `unit` with low < high."""
    pair = checks.array(where, value, unit)
    if pair.shape != (2,):
        raise ValueError(f"{where} must be a pair of numbers in {unit}, got {checks.shown(value)}. Pass (low, high).")
    low, high = map(float, pair)
    if not 0 < high - low < math.inf:
        raise ValueError(f"{where} must be (low, high) with low < high, a finite way apart, got ({low:g}, {high:g}).")
    return low, high


def equations(model: Model, p: object, I: float) -> tuple[Function, Function]:
    """V' and u' at constant input as functions of (V, u), arrays of one shape."""

    def one(k: int) -> Function:
        def each(V: Any, u: Any) -> Any:
            return model.derivatives(V, u, I, p)[k]

        return np.errstate(over="ignore", invalid="ignore")(_of_arrays(each))  # far out V^2 is infinite

    return one(0), one(1)


def _of_arrays(f: Function) -> Function:
    """An equation as a function of arrays, called with numbers, which takes a hundred times as long, only where it
    refuses arrays, as those with math.exp or `if` do."""
    by_number = np.vectorize(f, otypes=[float])

    def of_arrays(V: Any, u: Any) -> Any:
        try:
            found = np.asarray(f(V, u), float)
        except Exception:
            return by_number(V, u)
        return np.broadcast_to(found, np.broadcast_shapes(np.shape(V), np.shape(u)))

    return of_arrays


def roots(f: Callable[[Array], Array], grid: Array) -> Array:
    """Zeros of f between points of the grid, ascending, by bisection; leaps over zero are no zeros."""
    below = f(grid) < 0
    crossed = np.flatnonzero(below[1:] != below[:-1])
    low, high, side = grid[crossed], grid[crossed + 1], below[crossed]
    leap = np.abs(f(high) - f(low))
    for _ in range(60):
        middle = (low + high) / 2
        same = (f(middle) < 0) == side
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    smooth = np.abs(f(high)) <= 1e-6 * leap  # elsewhere f leaps over zero, as at a branch of a 2007 cell
    return np.asarray(high[smooth])


def _u_of_zero(f: Function, V: Array) -> Array:
    """The u at which f, linear in u, is zero; NaN where f does not depend on u."""
    at_0, at_1 = f(V, 0.0), f(V, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(at_1 != at_0, at_0 / (at_0 - at_1), np.nan)


def _classified(dV: Function, du: Function, V: float, u: float) -> FixedPoint:
    """The fixed point at V, u, with the eigenvalues of the Jacobian, by central differences."""
    h = 1e-3
    jacobian = [[f(V + h, u) - f(V - h, u), f(V, u + h) - f(V, u - h)] for f in (dV, du)]
    first, second = sorted(np.linalg.eigvals(np.array(jacobian) / (2 * h)), key=lambda z: (-z.real, -z.imag))
    stable = bool(first.real < 0)
    if first.imag == 0 and first.real * second.real < 0:
        kind = "saddle"
    else:
        kind = f"{'stable' if stable else 'unstable'} {'focus' if first.imag else 'node'}"
    return FixedPoint(float(V), float(u), kind, stable, (complex(first), complex(second)))
