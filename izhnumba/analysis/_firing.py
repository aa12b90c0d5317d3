"""Response of a neuron to a current step: rheobase and f-I curve, from spike times of the exact engine, or of the
neuron's own scheme where that engine cannot take it.

The step starts at t = 0 from the resting state without input; a neuron without one starts as its population does.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._input.input import Constant
from izhnumba._population.population import Population
from izhnumba._record.results import Spikes
from izhnumba.analysis._neurons import dt_of, resting
from izhnumba.analysis._phase_plane import parameters_of

Array = np.ndarray[Any, np.dtype[Any]]
_DOUBLINGS = 20  # of a current of 1: up to a million


class Rheobase(np.ndarray[Any, np.dtype[Any]]):
    """Rheobases, as `rheobase` returns them: an array, mV/ms (2007 form: pA), that also tells how they were found.

    Attributes
    ----------
    scheme : str
        "exact", or the scheme of the neuron where the exact engine cannot take it.
    dt : float, ms, or None
        Time step of that; None with "exact".

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> found = analysis.rheobase(iz.presets["2007/FS"])
    >>> print(f"{found:.1f} pA by {found.scheme} at {found.dt} ms")
    71.1 pA by euler at 0.25 ms
    """

    scheme: str
    dt: float | None

    def __array_finalize__(self, other: object) -> None:
        self.scheme, self.dt = getattr(other, "scheme", "exact"), getattr(other, "dt", None)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, scheme={self.scheme!r}, dt={self.dt})"

    def __reduce__(self) -> tuple[object, ...]:
        make, arguments, state = tuple(super().__reduce__())
        return make, arguments, (*state, self.scheme, self.dt)

    def __setstate__(self, state: Any) -> None:
        *array, self.scheme, self.dt = state
        super().__setstate__(tuple(array))


class _Curve(NamedTuple):
    I: Array
    rate: Array
    first: Array


class FICurve(_Curve):
    """Firing rates at constant currents, as `fi_curve` returns them: `I, rate, first = curve`.

    Attributes
    ----------
    I : ndarray, mV/ms (2007 form: pA)
    rate : ndarray, Hz
        Steady rate: spikes per time between the first and the last spike of the second half of the run, which is
        1000 / interval for periodic firing and the average over its bursts for a bursting cell. 0 with fewer than two
        spikes there.
    first : ndarray, Hz
        1000 / first interval; 0 with fewer than two spikes in all.
    scheme : str
        "exact", or the scheme of the neuron where the exact engine cannot take it.
    dt : float, ms, or None
        Time step of that; None with "exact".

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.FICurve(I=[0.0, 10.0], rate=[0.0, 22.3], first=[0.0, 58.4]).rate
    [0.0, 22.3]
    """

    scheme: str
    dt: float | None

    def __new__(cls, I: Array, rate: Array, first: Array, scheme: str = "exact", dt: float | None = None) -> FICurve:
        curve = super().__new__(cls, I, rate, first)
        curve.scheme, curve.dt = scheme, dt
        return curve

    def _replace(self, **changed: object) -> FICurve:
        return FICurve(**{**self._asdict(), "scheme": self.scheme, "dt": self.dt, **changed})

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, scheme={self.scheme!r}, dt={self.dt})"


def rheobase(neuron: object, *, duration: float = 1000.0, n_spikes: int = 1, tolerance: float = 1e-6) -> Rheobase:
    """The smallest current step that makes a resting neuron fire within `duration`.

    The current is switched on at t = 0 and stays. It is bracketed by doubling from 1 and bisected, all neurons at a
    time, on the assumption that a stronger current does not silence a neuron.

    With a slow u a neuron can fire once or a few times at a current that does not keep it firing. For endless firing
    ask for many spikes in a long time, `n_spikes=20, duration=20000.0`. From rest it begins at `hopf_current`, or at
    `saddle_node_current` where that is NaN, or a little below, where rest and firing are both stable: so do the seven
    cells of 2003.

    Spikes come from the exact engine. What that cannot take, such as the cells FS, TC and RTN of 2007, models that are
    no parabola, or a V_min, is advanced by the scheme and time step of its population, of a preset by those it was
    published with, else by exp_euler in steps of 0.1 ms; the result says so.

    Parameters
    ----------
    neuron : Population, preset or other mapping of parameters, or Model
        A neuron starts in its stable fixed point without input, or as its population does where there is none. Where
        V' is no parabola the point is searched for, that nearest to the V of its start if there are several.
    duration : float, ms, > 0
        Of a scheme that has steps a whole number of these.

        A neuron near a saddle-node needs long to fire: where b < a in the 2003 form, the result exceeds that for a step
        without end by about (1 - b / a)^2 (pi / duration)^2 / 0.04.
    n_spikes : int, >= 1
        Spikes that count as firing: 1 for the classical rheobase, more for repetitive firing.
    tolerance : float, mV/ms (2007 form: pA), > 0
        Largest error of the result.

    Returns
    -------
    Rheobase
        An ndarray of the shape of the population, () for anything else, mV/ms (2007 form: pA), with `.scheme` and
        `.dt`. A current at which it fires, at most `tolerance` above one at which it does not. NaN for a neuron that
        fires without current or stays silent up to a million units.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range.

    References
    ----------
    E. M. Izhikevich, Dynamical Systems in Neuroscience, MIT Press 2007.

    Examples
    --------
    A regular spiking cell fires once at a weaker current than that which makes it fire on and on, and this just before
    its resting state loses its stability:

    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> cell = iz.presets["RS"]
    >>> once, endless = analysis.rheobase(cell), analysis.rheobase(cell, n_spikes=20, duration=20000.0)
    >>> print(f"{once:.3f} {endless:.3f} {analysis.hopf_current(cell):.3f}")
    2.710 3.774 3.798
    """
    duration = checks.number("rheobase.duration", duration, "ms", above=0.0)
    n_spikes = checks.integer("rheobase.n_spikes", n_spikes, at_least=1)
    unit = parameters_of("rheobase", neuron)[0].I.unit
    tolerance = checks.number("rheobase.tolerance", tolerance, unit, above=0.0)
    neurons = resting("rheobase", neuron)
    n = neurons.n
    cells = neurons.population(n, "rheobase", duration)

    def fires(I: Array) -> Array:
        cells.reset()
        cure = "Ask for fewer spikes, a shorter duration or another neuron."
        return np.bincount(_spikes("rheobase", cells, duration, I, cure).i, minlength=n) >= n_spikes

    low, high, spontaneous = np.zeros(n), np.ones(n), fires(np.zeros(n))
    for _ in range(_DOUBLINGS):
        silent = ~fires(high)
        if not silent.any():
            break
        low, high = np.where(silent, high, low), np.where(silent, 2 * high, high)
    for _ in range(math.ceil(math.log2(max(2.0, np.max(high - low) / tolerance)))):
        middle = (low + high) / 2
        enough = fires(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    found = np.where(spontaneous | silent, np.nan, high)
    shaped = found.reshape(neuron.shape if isinstance(neuron, Population) else ()).view(Rheobase)
    shaped.scheme, shaped.dt = cells.scheme.name, dt_of(cells)
    return shaped


def fi_curve(neuron: object, I: ArrayLike, duration: float = 1000.0, *, index: int = 0) -> FICurve:
    """The f-I curve: firing rates of a neuron at many constant currents, in one population with a neuron per current.

    Draw it with `plt.plot(curve.I, curve.rate)`. Where it begins: `rheobase`, `hopf_current`, `saddle_node_current`.

    Spikes come from the exact engine, or, of a neuron that it cannot take, from the scheme that `rheobase` would use;
    the result says so.

    Parameters
    ----------
    neuron : Population, preset or other mapping of parameters, or Model
        Each copy starts in its stable fixed point without input, or as the population does where there is none.
    I : array (currents,), mV/ms (2007 form: pA)
    duration : float, ms, > 0
        Steady rates are those of the second half; rates below about 2000 / duration Hz come out as 0. Of a scheme that
        has steps a whole number of these.

        A rate of few bursts comes out too high, for it is counted from the first spike of one to the last of another:
        that of CH at I = 10 is 91 Hz in 1000 ms, 85 Hz in 5000 ms.
    index : int
        Which neuron of a Population, by its flat index.

    Returns
    -------
    FICurve
        With `.I`, `.rate`, `.first`, `.scheme` and `.dt`.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> curve = analysis.fi_curve(iz.presets["RS"], [0.0, 5.0, 10.0])
    >>> curve.rate.round()
    array([ 0., 11., 22.])
    >>> curve.scheme, analysis.fi_curve(iz.presets["2007/TC"], [0.0, 100.0]).scheme
    ('exact', 'euler')
    """
    duration = checks.number("fi_curve.duration", duration, "ms", above=0.0)
    unit = parameters_of("fi_curve", neuron)[0].I.unit
    I = np.array(checks.array("fi_curve.I", I, unit), ndmin=1)
    if I.ndim > 1 or not I.size:
        raise ValueError(f"fi_curve.I must have shape (currents,), at least one, got {I.shape}. Pass I.ravel().")
    neurons = resting("fi_curve", neuron)
    chosen = checks.integer("fi_curve.index", index, at_least=-neurons.n, at_most=neurons.n - 1)
    cells = neurons.one(chosen).population(I.size, "fi_curve", duration)
    spikes = _spikes("fi_curve", cells, duration, I, "Use weaker currents, a shorter duration or another neuron.")
    return FICurve(I, *rates(spikes.i, spikes.t, I.size, duration), cells.scheme.name, dt_of(cells))


def _spikes(owner: str, cells: Population, duration: float, I: Array, cure: str) -> Spikes:
    """The spikes of a run; a ValueError that ends with `cure` if V of a neuron becomes infinite."""
    try:
        return cells.run(duration, Constant(I)).spikes
    except RuntimeError:
        failure = cells._engine.failure()
        raise ValueError(
            f"{owner}.neuron must have a solution for duration ({duration:g} ms) at each current that is tried, got "
            f"one that at I = {I[failure.neuron]:g} {cells.model.I.unit} runs away at t = {failure.t:.6g} ms. {cure}"
        ) from None


def rates(i: Array, t: Array, n: int, duration: float) -> tuple[Array, Array]:
    """(steady rate, rate of the first interval), Hz, each of shape (n,), of n neurons with spikes i at t (ms)."""
    order = np.lexsort((t, i))
    i, t = i[order], t[order]
    late = t >= duration / 2
    number = np.bincount(i[late], minlength=n)
    begin, end = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(begin, i[late], t[late])
    np.maximum.at(end, i[late], t[late])
    steady, first = np.zeros(n), np.zeros(n)
    several = number > 1
    steady[several] = 1000 * (number[several] - 1) / (end - begin)[several]
    pairs = np.flatnonzero(i[1:] == i[:-1])[::-1]  # backwards, so that the first of a neuron is written last
    first[i[pairs]] = 1000 / (t[pairs + 1] - t[pairs])
    return steady, first
