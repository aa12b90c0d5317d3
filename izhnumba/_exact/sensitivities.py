"""Derivatives of spike times by parameters, input and initial state, with the implicit function theorem at each spike.

At a spike V - threshold(u) = 0. A change dV, du of the state just before it, at a fixed time, moves the time by
-(dV - w du) / (V' - w u'), with the slope w of the threshold; the derivative of the reset leads to the state at the
start of the stretch to the next spike. `kernels.adjoint` has the derivatives within a stretch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from izhnumba._exact.kernels.adjoint import Stretches, follow
from izhnumba._model.model import Model
from izhnumba._model.normal_form import coefficients

Array = np.ndarray[Any, np.dtype[Any]]
_STEP = 1e-200  # of complex-step derivatives: its square is 0, and no comparison sees it
_FAR = 200.0  # equations are evaluated at V, u and I between -_FAR and _FAR
_PLACES = np.random.default_rng(0).uniform(-1.0, 1.0, (3, 12))  # V, u and I of twelve such places, in this unit


class Neurons(NamedTuple):
    """Neurons at time 0. p: the named tuple of parameters; p, tau_ref (ms), V, u: arrays of shape (n,)."""

    model: Model
    kind: str  # of the reset
    p: Any
    tau_ref: Array
    V: Array
    u: Array

    def at(self, i: Array) -> Neurons:
        """The neurons with these numbers."""
        p = type(self.p)(*(values[i] for values in self.p))
        return Neurons(self.model, self.kind, p, self.tau_ref[i], self.V[i], self.u[i])

    @property
    def x(self) -> tuple[Array, ...]:
        """The arguments V, u and parameters of their equations."""
        return self.V, self.u, *self.p

    def rates(self, V: Array, u: Array, I: Array, *p: Array) -> Array:
        """V' and u', (2, ...)."""
        return _stacked(*self.model.derivatives(V, u, I, type(self.p)(*p)))

    def threshold(self, V: Array, u: Array, *p: Array) -> Array:
        """The threshold of V, of the shape of V."""
        return _stacked(self.model.threshold(u, type(self.p)(*p)), V)[0]

    def reset(self, V: Array, u: Array, *p: Array) -> Array:
        """V and u after a spike, (2, ...)."""
        q = type(self.p)(*p)
        c, beyond = self.model.V_reset(u, q), V - self.model.threshold(u, q)
        V = {"hard": c, "soft": beyond, "overshoot": c + beyond}[self.kind]
        return _stacked(V, self.model.u_reset(u, q))


class Pieces(NamedTuple):
    """Input that is constant in pieces: levels, (pieces, n), from each of the edges, (pieces,), ms, on. The first edge
    is 0."""

    edges: Array
    levels: Array


def gradients(neurons: Neurons, pieces: Pieces, i: Array, t: Array) -> Array:
    """Derivatives of the times t (ms) of the first spikes of neurons i, in any order, by V, u, the parameters, tau_ref
    and each piece of the input: (spikes, columns)."""
    order = np.lexsort((t, i))
    chosen, i = np.unique(i[order], return_inverse=True)
    neurons, levels = neurons.at(chosen), pieces.levels[:, chosen]
    stretches, turns = _begun(neurons, i, t[order], len(levels))
    _follow(neurons, stretches, turns, pieces.edges, levels)
    found = np.empty((len(t), len(neurons.x) + 1 + len(levels)))
    found[order] = _composed(neurons, stretches, turns)
    return found


def _begun(neurons: Neurons, i: Array, t: Array, n_pieces: int) -> tuple[Stretches, list[Array]]:
    """The stretches to spikes, which are in the order of neurons and times, without what `follow` computes; and the
    numbers of those that come first, second, ... in their neurons."""
    nth = ordinals(i)
    turns = np.split(np.argsort(nth, kind="stable"), np.cumsum(np.bincount(nth))[:-1])
    free = np.where(nth > 0, np.roll(t, 1) + neurons.tau_ref[i], 0.0)
    shapes = (2,), (2, 2), (2, 2), (2, 2, 5), (2, n_pieces)
    unknown = (np.zeros((len(i), *shape)) for shape in shapes)
    return Stretches(i, np.stack([free, t], axis=1), np.stack([neurons.V[i], neurons.u[i]], axis=1), *unknown), turns


def ordinals(i: Array) -> Array:
    """For each spike, how many spikes its neuron has before it. i: the neurons of the spikes, ascending."""
    return np.arange(len(i)) - np.searchsorted(i, i)


def _follow(neurons: Neurons, stretches: Stretches, turns: list[Array], edges: Array, levels: Array) -> None:
    """Compute the stretches, first all first ones, then all second ones, ...: each begins where the reset of the one
    before leads."""
    K = _terms(neurons)
    for turn in turns:
        here = neurons.at(stretches.neuron[turn])
        if turn is not turns[0]:
            stretches.begin[turn] = here.reset(*stretches.end[turn - 1].T, *here.p).T
        follow(turn, stretches, K, edges, levels)
        V, u = stretches.end[turn].T
        stretches.end[turn, 0] = np.where(_rises(stretches, turn), here.threshold(V, u, *here.p), V)


def _rises(stretches: Stretches, turn: Array) -> Array:
    """Mask of the stretches in which V rises to its threshold, and is not there at the start already."""
    return np.asarray(stretches.span[turn, 1] > stretches.span[turn, 0])


def _composed(neurons: Neurons, stretches: Stretches, turns: list[Array]) -> Array:
    """Derivatives of the times of spikes, (spikes, columns), by the chain rule from spike to spike."""
    at = neurons.at(stretches.neuron)._replace(V=stretches.end[:, 0], u=stretches.end[:, 1])
    thresholds, resets = slopes(at.threshold, at.x).T, np.moveaxis(slopes(at.reset, at.x), -1, 0)
    n, by_parameters = len(at.x), _slopes_of_terms(neurons)[..., stretches.neuron]
    owed = np.zeros((len(at.V), 2, n + 1 + stretches.pieces.shape[2]))
    owed[:, :, 2:n] = np.einsum("soam,amps->sop", stretches.terms, by_parameters)
    owed[:, :, n + 1 :] = stretches.pieces
    d = np.zeros((len(owed), 3, owed.shape[2]))  # derivatives of the time of a spike, and of V and u just before it
    for turn in turns:
        start = _initial(d[turn]) if turn is turns[0] else _reset(d[turn - 1], resets[turn - 1])
        crossed = _crossed(start, owed[turn], thresholds[turn], stretches, turn)
        d[turn] = np.where(_rises(stretches, turn)[:, np.newaxis, np.newaxis], crossed, start)
    return d[:, 0]


def _initial(d: Array) -> Array:
    """d at the start of first stretches: time 0, and V and u then."""
    d[:, 1, 0] = d[:, 2, 1] = 1.0
    return d


def _reset(d: Array, reset: Array) -> Array:
    """d at the start of later stretches, the end of the refractory period, from d of the spike before. reset:
    derivatives of V and u after the reset."""
    n = reset.shape[2]
    d[:, 0, n] += 1.0  # tau_ref
    d[:, 1:] = reset[:, :, :2] @ d[:, 1:]
    d[:, 1:, 2:n] += reset[:, :, 2:]
    return d


def _crossed(start: Array, owed: Array, threshold: Array, stretches: Stretches, turn: Array) -> Array:
    """d of the time of a spike, and of V and u just before it, from d at the start of the stretch. owed: derivatives of
    V and u at a fixed time by the input and parameters of the stretch; threshold: derivatives of the threshold."""
    first, last = (stretches.slopes[turn, k, :, np.newaxis] for k in (0, 1))
    V, u = (stretches.back[turn] @ (start[:, 1:] - first * start[:, :1]) + owed).swapaxes(0, 1)  # at the old time
    w, raised = threshold[:, 1:2], np.zeros_like(V)
    raised[:, 2 : threshold.shape[1]] = threshold[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):  # V touches its threshold, or does not rise to it
        t = (raised + w * u - V) / (last[:, 0] - w * last[:, 1])
        u = u + last[:, 1] * t
        return np.stack([t, raised + w * u, u], axis=1)


# --- Derivatives of equations -----------------------------------------------------------------------------------------


def check_equations(neurons: Neurons) -> None:
    """Refuse equations that cannot be differentiated, such as those that take no arrays."""
    one = neurons.at(np.arange(1))
    try:
        slopes(one.threshold, one.x), slopes(one.reset, one.x), _slopes_of_terms(one)
    except Exception as error:
        raise ValueError(
            f"Population.model must have equations of arithmetic and `where`, which have derivatives, got "
            f"{neurons.model.name} ({error}). Write them for arrays, without if, min and math."
        ) from error


def _terms(neurons: Neurons) -> Array:
    """K, (n, 2, 5): coefficients of V' and u' for V^2, V, 1, u and I."""
    k, K = coefficients(neurons.model, neurons.p), np.zeros((len(neurons.V), 2, 5))
    K[:, 0] = _stacked(k.k2, k.k1, k.k0, k.ku, k.kI, neurons.V)[:5].T
    K[:, 1, 1:4] = _stacked(k.ua, k.uc, k.ub, neurons.V)[:3].T
    return K


def _slopes_of_terms(neurons: Neurons) -> Array:
    """d K / d each parameter, (2, 5, parameters, n), from values at a few places. NaN where more terms appear."""
    V, u, I = _PLACES
    terms, unit = np.array([V * V, V, np.ones_like(V), u, I]), _FAR ** np.array([2.0, 1.0, 0.0, 1.0, 1.0])
    places = _FAR * _PLACES[..., np.newaxis, np.newaxis]
    values = slopes(functools.partial(neurons.rates, *places), neurons.p)
    found = np.einsum("akpn,km->ampn", values, np.linalg.pinv(terms))
    beyond = np.abs(np.einsum("ampn,mk->akpn", found, terms) - values).max(axis=(0, 1))
    found[np.broadcast_to(beyond > 1e-9 * np.abs(values).max(axis=(0, 1)), found.shape)] = np.nan
    return found / unit[:, np.newaxis, np.newaxis]


def slopes(f: Callable[..., Array], x: tuple[Array, ...]) -> Array:
    """Derivatives of f by each of x, arrays of shape (n,): (..., len(x), n) for f of shape (..., n)."""
    step = 1j * _STEP * np.eye(len(x))[..., np.newaxis]
    stepped = ((value + one).view(_Stepped) for value, one in zip(x, step, strict=True))
    return np.asarray(np.imag(f(*stepped)) / _STEP)


class _Stepped(np.ndarray[Any, Any]):
    """Numbers with a tiny imaginary part, which a function multiplies by its derivative, exact to rounding. Equations
    need no change for that: `where` and max compare real parts, and abs and sign are defined here to do so."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> _Stepped:
        options.pop("out", None)  # x += y makes a new x
        x, *more = map(np.asarray, inputs)
        if ufunc is np.absolute:
            found = np.where(x.real < 0, -x, x)
        elif ufunc is np.sign:
            found = np.sign(x.real)
        else:
            found = getattr(ufunc, method)(x, *more, **options)
        return np.asarray(found).view(_Stepped)

    def __array_namespace__(self, **_: object) -> Any:
        return type(self)

    @staticmethod
    def where(condition: Array, yes: Any, no: Any) -> _Stepped:
        return np.where(condition, yes, no).view(_Stepped)


def _stacked(*values: Array) -> Array:
    return np.stack(np.broadcast_arrays(*values))
