"""A recurrent layer: neurons that hear each other's spikes after a delay, differentiable in the weights.

No spike acts before the shortest delay has passed. So the layer advances in slices of that length: each is one `run` of
all neurons, and what the spikes before it send there is one product with the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from izhnumba import _checks
from izhnumba._models import Izhikevich
from izhnumba._receptors import Delta, Propagator, Pulse, Receptor
from izhnumba.jax import _arguments
from izhnumba.jax._run import Outputs, State, run


class LayerState(NamedTuple):
    """The state of a recurrent layer, a pytree.

    Attributes
    ----------
    neurons : State
    past : array of shape (longest delay in steps, *Shape)
        The spikes of the last steps, which may still be under way.
    synapses : tuple of two arrays of Shape
        The states of the receptor.
    """

    neurons: State
    past: jax.Array
    synapses: tuple[jax.Array, jax.Array]


def recurrent(
    params: Mapping[str, Any],
    weights: Any,
    state: State | LayerState,
    I: Any,  # noqa: E741
    dt: Any,
    *,
    delay: Any = None,
    pre: Any = None,
    post: Any = None,
    receptor: Receptor = Delta(),  # noqa: B008 - frozen
    n_steps: int | None = None,
    record: Any = ("spikes",),
    **options: Any,
) -> tuple[LayerState, Outputs]:
    """Advance neurons that are connected among themselves, differentiably.

    Parameters
    ----------
    params, I, dt, n_steps, record
        As in `run`. Neurons are the last axis of Shape; axes before it are a batch.
    weights : array of shape (N, N), or (n_synapses,) together with `pre` and `post`, or a jax.experimental.sparse.BCOO
        Entry [i, j] leads from neuron i to neuron j. The unit is the receptor's: mV for `Delta`, else mV/ms, or 1/ms
        with a reversal potential.
    state : State or LayerState
        Neurons without spikes under way, or where an earlier call ended.
    delay : float, or array like weights[...] of a sparse layer, ms, default dt
        Each a whole number of steps, nearest. Not a traced value. Different delays take `pre` and `post`.
    pre, post : int array of shape (n_synapses,)
        The neurons that a weight connects.
    receptor : Receptor
        `Delta`, `Pulse`, `Exponential`, `Alpha`, `DualExponential`, `AMPA`, `GABA_A`, `GABA_B`.
    **options
        Of `run`: model, scheme, reset, tau_ref, surrogate, detach_reset, backend.

    Returns
    -------
    state : LayerState
    outputs : Outputs

    Raises
    ------
    TypeError, ValueError
        As `run`, and for weights and delays that do not fit.

    Notes
    -----
    The timing is that of `Network`: a spike of step k arrives in step k + delay. Time is advanced in slices of the
    shortest delay, so a delay of 1 ms costs much less than one of 0.1 ms.

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
            _checks.unknown("recurrent", name, (*_OPTIONS, "delay", "pre", "post", "receptor", "n_steps", "record"))
    neurons = state.neurons if isinstance(state, LayerState) else state
    shape, dtype = np.shape(neurons.V), _arguments.dtype("recurrent.state.V", jnp.result_type(neurons.V))
    if not shape:
        raise ValueError("recurrent.state.V must have an axis of neurons, got shape (). Use init(size).")
    step = _checks.number("recurrent.dt", dt, "ms", above=0.0)
    wiring = _wiring(weights, delay, pre, post, shape[-1], step, dtype)
    course = _course(receptor, step, wiring.shortest, dtype)
    unit = options.get("model", Izhikevich).I.unit
    rows, n_steps = _rows(_arguments.array("recurrent.I", I, unit, dtype), shape, n_steps)
    if not isinstance(state, LayerState):
        zero = jnp.zeros(shape, dtype)
        state = LayerState(state, jnp.zeros((wiring.longest, *shape), dtype), (zero, zero))
    names = {record} if isinstance(record, str) else set(record)

    def advance(state: LayerState, row: Any, length: int) -> tuple[LayerState, Outputs]:
        inputs, synapses = course(wiring.arrivals(state.past, length), state.synapses, I if row is None else row)
        recorded = sorted(names | {"spikes"})
        neurons, out = run(params, state.neurons, dt=step, n_steps=length, record=recorded, **inputs, **options)
        past = jnp.concatenate([state.past, jnp.asarray(out.spikes)])[length:]
        return LayerState(neurons, past, synapses), out._replace(**({} if "spikes" in names else {"spikes": None}))

    return _slice_by_slice(advance, state, rows, n_steps, wiring.shortest)


_OPTIONS = ("model", "scheme", "reset", "tau_ref", "surrogate", "detach_reset", "backend")


class _Wiring(NamedTuple):
    """`arrivals(past, length)`: what the spikes of the past send to the next `length` steps, and delays in steps."""

    arrivals: Callable[[jax.Array, int], jax.Array]
    shortest: int
    longest: int


def _wiring(weights: Any, delay: Any, pre: Any, post: Any, n: int, dt: float, dtype: Any) -> _Wiring:
    if hasattr(weights, "indices") and hasattr(weights, "data"):  # a BCOO
        if weights.shape != (n, n):
            raise ValueError(f"recurrent.weights must have shape {(n, n)}, got {weights.shape}.")
        pre, post, weights = weights.indices[:, 0], weights.indices[:, 1], weights.data
    w = _arguments.array("recurrent.weights", weights, "", dtype)
    if (pre is None) != (post is None):
        raise ValueError(f"recurrent.{'pre' if pre is None else 'post'} must be given with the other one, got None.")
    expected = (n, n) if pre is None else np.shape(pre)
    if w.shape != expected or np.shape(post) != np.shape(pre):
        must = "from each neuron to each" if pre is None else "as pre and post"
        raise ValueError(f"recurrent.weights must have shape {expected}, {must}, got {w.shape}.")
    steps = _delay_steps(delay, expected if pre is not None else (), dt)
    shortest, longest = int(steps.min(initial=1 << 30)), int(steps.max(initial=1))

    def dense(past: jax.Array, length: int) -> jax.Array:
        return past[:length] @ w

    def sparse(past: jax.Array, length: int) -> jax.Array:
        flat = past.reshape(longest, -1, n)
        when = (longest - steps)[..., None, None] if not steps.ndim else longest - steps
        sent = flat[when + np.arange(length)[:, None, None], np.arange(flat.shape[1])[:, None], pre]
        arrived = jnp.zeros((length, *flat.shape[1:]), dtype).at[..., post].add(w * sent)
        return arrived.reshape(length, *past.shape[1:])

    return _Wiring(dense if pre is None else sparse, min(shortest, longest), longest)


def _delay_steps(delay: Any, shape: tuple[int, ...], dt: float) -> Any:
    """One whole number, or one for each weight."""
    if isinstance(delay, jax.core.Tracer):
        raise TypeError("recurrent.delay must be known when JAX traces, got a traced value. Pass a NumPy array.")
    exact = np.full((), dt) if delay is None else _checks.array("recurrent.delay", delay, "ms", [shape])
    if np.any(exact < dt * (1 - 1e-3)):
        raise ValueError(f"recurrent.delay must be at least one step of {dt:g} ms, got {np.min(exact):g} ms.")
    return np.floor(exact / dt + 0.5).astype(np.int64)


def _course(receptor: Any, dt: float, length: int, dtype: Any) -> Callable[..., Any]:
    """`course(arrivals, states, I)`: the inputs of the steps in which they arrive, and the states after these."""
    _checks.kind("recurrent.receptor", receptor, Receptor, "a receptor", "Use izhnumba.Delta().")
    if receptor.rates() is None and not isinstance(receptor, Pulse):
        raise ValueError(
            f"recurrent.receptor must be linear in what arrives, got {receptor!r}. Use Delta, Pulse, Exponential, "
            "Alpha or DualExponential."
        )
    rule = receptor.propagator(dt)

    def course(arrivals: jax.Array, states: Any, I: Any) -> Any:  # noqa: E741
        if isinstance(receptor, Delta):
            return {"I": I, "delta": arrivals}, states
        if rule.states:
            arrivals, states = _received(rule, dtype, arrivals, states)
        if receptor.E is None:
            return {"I": I + arrivals}, states
        return {"I": I, "g": arrivals, "E": receptor.E}, states

    return course


def _received(rule: Propagator, dtype: Any, arrivals: jax.Array, states: Any) -> Any:
    """y at the start of each step, before what arrives in it, and the states after the last one."""

    def one_step(now: Any, arrived: jax.Array) -> Any:
        y, x = now
        if rule.states == 1:
            return (rule.decay_y * y + arrived, x), y
        return (rule.decay_y * y + rule.x_to_y * x, rule.decay_x * x + rule.to_x * arrived), y

    states, y = jax.lax.scan(one_step, states, arrivals)
    return y, states


def _rows(current: jax.Array, shape: tuple[int, ...], n_steps: Any) -> tuple[Any, int]:
    """The input as rows, or None if it is constant, and the number of steps."""
    if current.ndim > len(shape):
        n_steps = current.shape[0] if n_steps is None else _checks.integer("recurrent.n_steps", n_steps, at_least=0)
        if current.ndim != len(shape) + 1 or current.shape[0] != n_steps:
            must = f"broadcast to {shape} (constant) or have shape {(n_steps, *shape)} (a row for each step)"
            raise ValueError(f"recurrent.I must {must}, got {current.shape}.")
        return current, n_steps
    if n_steps is None:
        raise ValueError("recurrent.n_steps must be given if I has no row for each step, got None.")
    return None, _checks.integer("recurrent.n_steps", n_steps, at_least=0)


def _slice_by_slice(advance: Any, state: LayerState, rows: Any, n_steps: int, length: int) -> Any:
    """All slices of this length, and then what is left."""
    n_whole, left = divmod(n_steps, length)
    cut = n_whole * length
    several = None if rows is None else rows[:cut].reshape(n_whole, length, *rows.shape[1:])
    state, outs = jax.lax.scan(lambda now, row: advance(now, row, length), state, several, length=n_whole)
    outs = jax.tree.map(lambda out: out.reshape(cut, *out.shape[2:]), outs)
    if left:
        state, last = advance(state, None if rows is None else rows[cut:], left)
        outs = jax.tree.map(lambda *pair: jnp.concatenate(pair), outs, last)
    return state, outs
