"""A recurrent layer: neurons that are connected among themselves, with delays, differentiable in the weights.

No spike acts before the shortest delay has passed. So the layer advances in slices of that length: each is one `run` of
all neurons, and its synaptic inputs are one product of earlier spikes with the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._model.izhikevich import Izhikevich
from izhnumba._model.model import Model
from izhnumba._synapse.receptor import Mixed, Propagator, Receptor
from izhnumba._synapse.receptor_contract import propagator_of
from izhnumba._synapse.receptors import Delta
from izhnumba.jax import _arguments
from izhnumba.jax._finite import check_values, watched
from izhnumba.jax._run import Outputs, State, check_state, run

Synapses = tuple[jax.Array, jax.Array]  # y and x of the receptor


class LayerState(NamedTuple):
    """The state of a recurrent layer, a pytree.

    Attributes
    ----------
    neurons : State
    past : array of shape (longest delay in steps, *Shape)
        1 for each spike of the last steps, else 0, oldest first: they may still be under way.
    synapses : tuple of two arrays of Shape
        The states of the receptor: its output, and its second state or zeros.
    """

    neurons: State
    past: jax.Array
    synapses: Synapses


def recurrent(
    params: Mapping[str, Any],
    weights: object,
    state: State | LayerState,
    I: object,  # noqa: E741
    dt: object,
    *,
    delay: object = None,
    pre: object = None,
    post: object = None,
    receptor: Receptor = Delta(),  # noqa: B008 - frozen
    n_steps: int | None = None,
    record: str | Sequence[str] = ("spikes",),
    check: bool = False,
    **options: Any,
) -> tuple[LayerState, Outputs]:
    """Advance neurons that are connected among themselves, differentiably.

    Parameters
    ----------
    params, I, dt, n_steps, record, check
        As in `run`. Neurons are the last axis of Shape; axes before it are a batch.
    weights : array of shape (N, N), or (n_synapses,) with `pre` and `post`, or a sparse matrix (BCOO, SciPy)
        Entry [i, j] leads from neuron i to neuron j. The unit is the receptor's: mV for `Delta`, else mV/ms, or 1/ms
        with a reversal potential.
    state : State or LayerState
        Where to start: neurons without spikes under way, or the state in which an earlier call ended.
    delay : float, or array of shape (n_synapses,), ms, >= dt, default dt
        Rounded to whole steps. Not a traced value. Different delays need `pre` and `post`, or a sparse matrix.
    pre, post : int array of shape (n_synapses,), optional
        Source and target of each weight: indices along the last axis of Shape.
    receptor : Receptor
        `Delta`, `Pulse`, `Exponential`, `Alpha`, `DualExponential`, `AMPA`, `GABA_A`, `GABA_B`.
    **options
        Of `run`: model, scheme, reset, tau_ref, surrogate, detach_reset, backend.

    Returns
    -------
    state : LayerState
        After the last step.
    outputs : Outputs
        With an entry for each recorded name.

    Raises
    ------
    TypeError, ValueError
        As `run`, and for weights, pairs and delays that do not fit.

    Notes
    -----
    The timing is that of `Network`: a spike of step k arrives in step k + delay. Time is advanced in slices of the
    shortest delay, so a delay of 1 ms costs much less than one of 0.1 ms. To take less memory, advance in several calls
    with `jax.checkpoint` around each.

    Examples
    --------
    >>> import jax, numpy as np, izhnumba as iz, izhnumba.jax as izj
    >>> params, state = izj.init(20, **iz.presets["RS"])
    >>> def mean_rate(weights):
    ...     state_after, out = izj.recurrent(params, weights, state, 10.0, 0.1, delay=1.0, n_steps=500)
    ...     return out.spikes.mean()
    >>> weights = np.full((20, 20), 0.1)
    >>> jax.jit(jax.grad(mean_rate))(weights).shape
    (20, 20)
    """
    for name in options:
        if name not in _OPTIONS:
            checks.unknown("recurrent", name, (*_OPTIONS, *_OWN))
    model = _arguments.checked_model("recurrent.model", options.get("model", Izhikevich))
    step = _arguments.known("recurrent.dt", dt, "ms")
    neurons = _neurons(state.neurons if isinstance(state, LayerState) else state, model)
    shape, dtype = neurons.V.shape, neurons.V.dtype
    unit = _unit(receptor, model)
    wiring = _wiring(checks.without_unit("recurrent.weights", weights, unit), delay, pre, post, shape[-1], step, dtype)
    course = _course(receptor, step)
    lanes = _arguments.Lanes("recurrent", neurons.V, n_steps)
    current = lanes.over_time("recurrent.I", I, model.I.unit)
    n_steps = lanes.all_steps()
    start = _layer(state, neurons, wiring.longest)
    names = set(_arguments.names("recurrent.record", record))
    if checks.kind("recurrent.check", check, bool, "True or False"):
        leaves = params, wiring.weights, start, current
        current += watched("recurrent", step, (n_steps, *shape), lanes.dtype, leaves)
    kept = {"V", "u"} if check else set()
    needed = names | kept | {"spikes"}

    def advance(state: LayerState, row: jax.Array | None, length: int) -> tuple[LayerState, Outputs]:
        """One slice of `length` steps, with these rows of the input, or None if it is constant."""
        if row is None:  # written out where `run` could take a constant for rows
            row = jnp.broadcast_to(current, (length, *shape)) if current.shape[:1] == (length,) else current
        inputs, synapses = course(wiring.arrivals(state.past, length), state.synapses, row)
        neurons, out = run(params, state.neurons, dt=step, n_steps=length, record=sorted(needed), **inputs, **options)
        past = jnp.concatenate([state.past, jnp.asarray(out.spikes)])[length:]
        unwanted: dict[str, Any] = dict.fromkeys(needed - names - kept)
        return LayerState(neurons, past, synapses), out._replace(**unwanted)

    rows = current if current.ndim > len(shape) else None
    ended, outs = _slice_by_slice(advance, start, rows, n_steps, wiring.shortest)
    if check:
        check_values("recurrent", step, outs.V, outs.u)
    return ended, outs._replace(**dict.fromkeys(needed - names))


_MOST_STEPS = 100_000  # of a delay: the state keeps a row of spikes for each
_OWN = ("delay", "pre", "post", "receptor", "n_steps", "record", "check")
_OPTIONS = ("model", "scheme", "reset", "tau_ref", "surrogate", "detach_reset", "backend")


def _neurons(state, model: Model) -> State:
    """The state as arrays of one dtype, without units."""
    check_state("recurrent.state", state, "a State or a LayerState")
    V, u = (checks.without_unit(f"recurrent.state.{x}", getattr(state, x), getattr(model, x).unit) for x in ("V", "u"))
    V = jnp.asarray(V, _arguments.dtype("recurrent.state.V", getattr(V, "dtype", None)))
    if not V.ndim:
        raise ValueError("recurrent.state.V must have an axis of neurons, got shape (). Use init(size).")
    return State(V, jnp.asarray(u, V.dtype), state.refractory_steps)


def _layer(state, neurons: State, longest: int) -> LayerState:
    """The state at the start, with `longest` steps of past: no spikes are under way in a new layer."""
    zero = jnp.zeros_like(neurons.V)
    checks.fits("recurrent.delay", longest * zero.size * zero.dtype.itemsize, "Use shorter delays or fewer neurons.")
    if not isinstance(state, LayerState):
        return LayerState(neurons, jnp.zeros((longest, *zero.shape), zero.dtype), (zero, zero))
    if state.past.shape != (longest, *zero.shape):
        raise ValueError(
            "recurrent.delay must be that of the layer whose state this is, at most "
            f"{counted(len(state.past), 'step')}, got {longest}. Start from state.neurons to begin anew."
        )
    return state._replace(neurons=neurons)


def _unit(receptor, model: Model) -> str:
    """The unit of weights."""
    checks.kind("recurrent.receptor", receptor, Receptor, "a receptor", "Use izhnumba.Delta().")
    if receptor.adds_to == "V":
        return "mV"
    if receptor.E is None:
        return model.I.unit
    return "nS" if model.C is not None else "1/ms"


class _Wiring(NamedTuple):
    """The connections of a layer.

    Attributes
    ----------
    weights : array, without its unit
    arrivals : function of (past, length)
        Sums of weights that arrive in the next `length` steps, shape (length, *Shape).
    shortest, longest : int
        Delays, in steps.
    """

    weights: jax.Array
    arrivals: Callable[[jax.Array, int], jax.Array]
    shortest: int
    longest: int


def _wiring(weights, delay, pre, post, n: int, dt: float, dtype) -> _Wiring:
    """Check the connections, and write `arrivals` for a matrix or for pairs.

    Parameters
    ----------
    weights, delay, pre, post : as in `recurrent`, weights without a unit
    n : int
        Neurons.
    dt : float, ms
    dtype : dtype of the weights in the layer
    """
    if hasattr(weights, "tocoo") or hasattr(weights, "indices"):  # a matrix of scipy.sparse, or a BCOO
        if weights.shape != (n, n) or pre is not None or post is not None:
            got = f"one of shape {weights.shape}{', pre and post' * (pre is not None)}"
            raise ValueError(f"recurrent.weights must be a sparse matrix of shape {(n, n)} alone, got {got}.")
        weights = weights.tocoo() if hasattr(weights, "tocoo") else weights
        pre, post = (weights.row, weights.col) if hasattr(weights, "row") else weights.indices.T
        weights = weights.data
    w = _arguments.array("recurrent.weights", weights, "", dtype)
    if (pre is None) != (post is None):
        raise ValueError(f"recurrent.{'pre' if pre is None else 'post'} must be given with the other one, got None.")
    if pre is not None:
        pre, post = _ends("recurrent.pre", pre, n), _ends("recurrent.post", post, n)
        if pre.shape != post.shape:
            raise ValueError(f"recurrent.post must have the shape of pre, {pre.shape}, got {post.shape}.")
    expected = (n, n) if pre is None else pre.shape
    if w.shape != expected:
        must = "from each neuron to each" if pre is None else "as pre and post"
        raise ValueError(f"recurrent.weights must have shape {expected}, {must}, got {w.shape}.")
    steps = _delay_steps(delay, expected if pre is not None else (), dt)
    shortest, longest = int(steps.min(initial=1 << 30)), int(steps.max(initial=1))

    def dense(past: jax.Array, length: int) -> jax.Array:
        return past[:length] @ w

    def sparse(past: jax.Array, length: int) -> jax.Array:
        flat = past.reshape(longest, -1, n)
        when = longest - steps + np.arange(length)[:, None, None]
        sent = flat[when, np.arange(flat.shape[1])[:, None], pre]
        arrived = jnp.zeros((length, *flat.shape[1:]), dtype).at[..., post].add(w * sent)
        return arrived.reshape(length, *past.shape[1:])

    return _Wiring(w, dense if pre is None else sparse, min(shortest, longest), longest)


def _ends(where: str, value, n: int):
    """Indices of neurons, one for each weight."""
    if not isinstance(value, jax.core.Tracer):
        return checks.indices(where, np.asarray(value) if isinstance(value, jax.Array) else value, n)
    if value.ndim != 1 or not jnp.issubdtype(value.dtype, np.integer):
        raise ValueError(f"{where} must be a list of whole numbers, got {value.dtype} of shape {value.shape}.")
    return value


def _delay_steps(delay, shape: tuple[int, ...], dt: float):
    """Delays in steps, int64: one, or one for each weight. shape: () or (n_synapses,)."""
    if isinstance(delay, jax.core.Tracer):
        raise TypeError("recurrent.delay must be known when JAX traces, got a traced value. Pass a NumPy array.")
    exact = np.full((), dt) if delay is None else checks.array("recurrent.delay", delay, "ms", [shape])
    if np.any(exact < dt * (1 - 1e-3)):
        raise ValueError(f"recurrent.delay must be at least one step of {dt:g} ms, got {np.min(exact):g} ms.")
    if np.any(exact > _MOST_STEPS * dt):
        raise ValueError(f"recurrent.delay must be at most {_MOST_STEPS * dt:g} ms, got {np.max(exact):g} ms.")
    return np.floor(exact / dt + 0.5).astype(np.int64)


def _course(receptor, dt: float) -> Callable[..., Any]:
    """`course(arrivals, states, I)` -> (the inputs of `run` for the steps of these arrivals, the states of the receptor
    after them)."""
    if isinstance(receptor, Mixed):
        raise ValueError(f"recurrent.receptor must be one receptor, got {receptor!r}. Use its parts one by one.")
    if receptor.advance is not None or receptor.gate is not None or receptor.adds_to == "coupling":
        raise ValueError(
            f"recurrent.receptor must be linear in what arrives, got {receptor!r}. Use Delta, Pulse, Exponential, "
            "Alpha or DualExponential."
        )
    rule = propagator_of(receptor, dt)
    if rule.steps > 1:
        raise ValueError(
            f"recurrent.receptor must act in one step if it has no states, got {receptor!r}. Use Pulse() with more "
            "weight, or Exponential."
        )

    def course(arrivals: jax.Array, states: Synapses, I: jax.Array) -> tuple[dict[str, Any], Synapses]:  # noqa: E741
        if receptor.adds_to == "V":
            return {"I": I, "delta": arrivals}, states
        if rule.states:
            arrivals, states = _received(rule, arrivals, states)
        if receptor.E is None:
            return {"I": I + arrivals}, states
        return {"I": I, "g": arrivals, "E": receptor.E}, states

    return course


def _received(rule: Propagator, arrivals: jax.Array, states: Synapses):
    """(y at the start of each step, before its arrivals are added; the states after the last step)."""

    def one_step(now: Synapses, arrived: jax.Array) -> tuple[Synapses, jax.Array]:
        y, x = now
        if rule.states == 1:
            return (rule.decay_y * y + arrived, x), y
        return (rule.decay_y * y + rule.x_to_y * x, rule.decay_x * x + rule.to_x * arrived), y

    states, y = jax.lax.scan(one_step, states, arrivals)
    return y, states


def _slice_by_slice(advance, state: LayerState, rows, n_steps: int, length: int):
    """All slices of this length, and a shorter one for the steps that are left. rows: of the input, or None."""
    n_whole, left = divmod(n_steps, length)
    cut = n_whole * length
    several = None if rows is None else rows[:cut].reshape(n_whole, length, *rows.shape[1:])
    state, outs = jax.lax.scan(lambda now, row: advance(now, row, length), state, several, length=n_whole)
    outs = jax.tree.map(lambda out: out.reshape(cut, *out.shape[2:]), outs)
    if left:
        state, last = advance(state, None if rows is None else rows[cut:], left)
        outs = jax.tree.map(lambda *pair: jnp.concatenate(pair), outs, last)
    return state, outs
