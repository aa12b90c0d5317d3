"""Derivatives of the spike times of a population by its parameters, initial state and input."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._exact.inputs import current_of
from izhnumba._exact.sensitivities import Neurons, Pieces, check_equations, gradients
from izhnumba._input.currents import TimedArray
from izhnumba._input.input import Constant, Input
from izhnumba._population.population import Population

Array = np.ndarray[Any, np.dtype[Any]]


class SpikeTimeGradients:
    """Result of `spike_time_gradients`: spikes, and the derivatives of their times.

    Attributes
    ----------
    i, t : ndarray (spikes,)
        Neurons and times (ms) of the spikes, as `Population.run` gives them, sorted by time, then neuron.
    V, u : ndarray (spikes,)
        d t / d initial V and u of the neuron that spikes, in ms per unit of V or u.
    I : ndarray (spikes,), or (spikes, rows) for a TimedArray
        d t / d I, or by each row of it, in ms per mV/ms (2007 form: pA).
    tau_ref : ndarray (spikes,)
        d t / d tau_ref, ms per ms.
    a, b, ... : ndarray (spikes,)
        d t / d each parameter of the model, by its name, in ms per unit of the parameter. NaN for one that cannot
        change without the neuron leaving the form that the exact scheme takes, as `cubic` of Izhikevich2007.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> slopes = analysis.spike_time_gradients(iz.Population(1, scheme="exact"), 90.0, I=10.0)
    >>> slopes
    <derivatives of 2 spike times by V, u, a, b, c, d, V_th, k2, k1, k0, tau_ref, I>
    """

    def __init__(self, i: Array, t: Array, columns: dict[str, Array]) -> None:
        self.i, self.t, self._columns = i, t, columns

    def __getattr__(self, name: str) -> Array:
        columns = vars(self).get("_columns", {})
        if name in columns:
            return columns[name]
        raise AttributeError(f"SpikeTimeGradients has no {name!r}. Known: i, t, {', '.join(columns)}.")

    def __repr__(self) -> str:
        return f"<derivatives of {counted(len(self.t), 'spike time')} by {', '.join(self._columns)}>"


def spike_time_gradients(pop: Population, T: object, I: object = 0.0) -> SpikeTimeGradients:
    """Derivatives of the spike times of a population by its parameters, its input and its initial state.

    A copy of the population runs exactly. The derivatives are those of the equations, accurate to rounding: through all
    threshold crossings and resets before a spike, without finite differences and without a surrogate.

    Parameters
    ----------
    pop : Population
        With the scheme "exact", at t = 0: new or after `reset`. It is not changed.
    T : float, ms, > 0
        How long to run.
    I : float, array that broadcasts to Shape, or TimedArray, mV/ms (2007 form: pA)

    Returns
    -------
    SpikeTimeGradients
        With `.i` and `.t` of the spikes, and an array with an entry per spike for each quantity.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range, before anything runs.
    RuntimeError
        If a neuron runs away, as in `Population.run`.

    Notes
    -----
    Between two spikes a change of the state is followed by the adjoint equation, from the spike backwards in Taylor
    series. A spike moves by -dg / g', where g is how far V is above the threshold. Where V barely reaches it, g' is
    nearly 0 and the derivative very large: it grows like 1 / sqrt(h), if V would rise h beyond the threshold. A spike
    that appears or vanishes has no derivative. At a neuron that starts at its threshold or above, the spike at time 0
    stays there.

    Equations of your own must be arithmetic, `where` and functions that NumPy has for complex numbers.

    References
    ----------
    T. C. Wunderlich, C. Pehle, Event-based backpropagation can compute exact gradients for spiking neural networks,
    2021, doi:10.1038/s41598-021-91786-z, for neurons with linear dynamics; K. A. Khan, V. P. Saxena, P. I. Barton,
    Sensitivity analysis of limit-cycle oscillating hybrid systems, 2011, doi:10.1137/100804632, on events in general.

    Examples
    --------
    By how many ms a unit of d delays each spike, and the same from two runs:

    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> cell = dict(iz.presets["RS"])
    >>> slopes = analysis.spike_time_gradients(iz.Population(1, scheme="exact", **cell), 100.0, I=10.0)
    >>> slopes.d.round(5)
    array([0.    , 5.6313, 8.7662])
    >>> pair = [iz.Population(1, scheme="exact", **cell | {"d": d}).run(100.0, I=10.0) for d in (7.999, 8.001)]
    >>> ((pair[1].spikes.t - pair[0].spikes.t) / 0.002).round(5)
    array([0.    , 5.6313, 8.7662])
    """
    where = "spike_time_gradients"
    checks.kind(f"{where}.pop", pop, Population, "a Population")
    if not pop.scheme.exact:
        raise ValueError(
            f"{where}.pop must have the scheme 'exact', got {pop.scheme.name!r}. Use Population(..., scheme='exact')."
        )
    if pop.t != 0.0:
        raise ValueError(f"{where}.pop must be at t = 0, got {pop.t:g} ms. Call its reset() first.")
    T = checks.number(f"{where}.T", T, "ms", above=0.0)
    pieces = _pieces(f"{where}.I", pop, I)
    twin = Population.__new__(Population)
    twin.__setstate__(pop.__getstate__())
    neurons = _neurons(twin)
    check_equations(neurons)
    spikes = twin.run(T, I).spikes
    names = ("V", "u", *pop.model.parameters, "tau_ref")
    n_bytes = 64 * len(spikes) * (len(names) + len(pieces.edges))
    checks.fits(f"{where}.T", n_bytes, "Use a shorter time, fewer neurons or fewer rows of I.")
    found = gradients(neurons, pieces, spikes.i, spikes.t)
    columns = dict(zip(names, found.T, strict=False))
    rows = found[:, len(names) :]
    columns["I"] = rows[:, : len(I.values)] if isinstance(I, TimedArray) else rows[:, 0]
    return SpikeTimeGradients(spikes.i, spikes.t, columns)


def _pieces(where: str, pop: Population, I: object) -> Pieces:
    """The input as a current that is constant between edges (ms)."""
    if isinstance(I, Input) and not isinstance(I, (Constant, TimedArray)):
        raise ValueError(
            f"{where} must be a number, an array or a TimedArray, got {checks.shown(I)}. Sample it: TimedArray(values, "
            "dt)."
        )
    current = current_of(where, I, pop.model.I.unit, pop)
    edges = np.arange(len(I.values) + (not I.hold)) * I.dt if isinstance(I, TimedArray) else np.zeros(1)
    return Pieces(edges, np.broadcast_to(current.levels(edges)[0], (len(edges), pop.n)))


def _neurons(pop: Population) -> Neurons:
    """The neurons, with their parameters and present state as arrays of shape (n,)."""

    def flat(values: ArrayLike) -> Array:
        return np.array(np.broadcast_to(values, pop.shape), float).ravel()

    p = pop.model.named_tuple()(*(flat(getattr(pop, name)) for name in pop.model.parameters))
    return Neurons(pop.model, pop.reset_kind, p, flat(pop.tau_ref), flat(pop.V), flat(pop.u))
