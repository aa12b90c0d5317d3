"""Spike times of the exact engine as a function that JAX can differentiate, without steps and without surrogates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from izhnumba._base import checks
from izhnumba._exact.sensitivities import Neurons, Pieces, check_equations, gradients, ordinals
from izhnumba._input.currents import TimedArray
from izhnumba._model.izhikevich import Izhikevich
from izhnumba._model.model import Model
from izhnumba._model.normal_form import NotPolynomial, coefficients, normal_form
from izhnumba._population.population import Population
from izhnumba.jax import _arguments
from izhnumba.jax._reverse import only_once, reverse_mode

Array = np.ndarray[Any, np.dtype[Any]]
Pair = tuple[jax.Array, jax.Array]  # V, u and parameters (..., quantities), and currents (..., rows)
_FIRST_REVERSE = (
    "spike_times must be differentiated once, in reverse mode (grad, vjp, jacrev), got forward mode or a derivative of "
    "its derivative (jvp, jacfwd, linearize, hessian). Use jax.jacrev for first derivatives, differences for second."
)


class Start(Protocol):
    """Where neurons start: a State, or another object with V and u."""

    @property
    def V(self) -> object: ...
    @property
    def u(self) -> object: ...


def spike_times(
    params: Mapping[str, Any],
    state: Start,
    I: object,
    T: float,
    *,
    n_spikes: int,
    model: Model = Izhikevich,
    tau_ref: float = 0.0,
    reset: str = "hard",
    dt: float | None = None,
) -> jax.Array:
    """The first spike times of neurons in continuous time, with their derivatives by parameters, start and input.

    The exact engine finds the times, and `jax.grad`, `jax.vjp` and `jax.jacrev` get their derivatives from the implicit
    function theorem, exactly but for rounding (`izhnumba.analysis.spike_time_gradients`). It works under `jax.jit` and
    `jax.vmap`. There are no derivatives in forward mode, and none of second order.

    Parameters
    ----------
    params : mapping of str to number or array
        Parameters of the model; those left out have its defaults.
    state : State, or another object with V and u, numbers or arrays, mV, mV/ms (pA)
        At time 0; `refractory_steps` is ignored.
    I : number or array, mV/ms (2007 form: pA)
        With `dt` an array (rows, ...): row j holds for j dt <= t < (j + 1) dt, and the last one from then on.
    T : float, ms, > 0
        How long to run. Not traced, nor are the following.
    n_spikes : int, >= 1
        Spikes of a neuron to return; later ones are left out.
    model : Model
    tau_ref : float, ms, >= 0
        For how long V and u stay at their reset after a spike.
    reset : "hard", "soft" or "overshoot"
    dt : float, ms, > 0, optional
        Length of the rows of I.

    Returns
    -------
    jax.Array of float64, (*Shape, n_spikes), ms
        Shape is that to which params, state and a row of I broadcast. Entries without a spike up to T are +inf, and
        have no derivative: it counts as 0.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind, range or shape, for parameters that the exact engine refuses, such as those of
        2007/FS and 2007/TC, and if jax_enable_x64 is not set; for derivatives in forward mode and second ones.
    RuntimeError
        For a neuron that fires without end.
    jax.errors.JaxRuntimeError
        In place of these, with the same words, where an outer `jax.jit` or `jax.vmap` hides the values of parameters.

    Notes
    -----
    Where V barely reaches its threshold the derivative grows without bound, and a spike appears or vanishes without
    one: a loss on spike times does not see spikes that are missing. The derivative is NaN by a parameter that cannot
    change without the neuron leaving the form that the exact engine takes, as `cubic` of Izhikevich2007.

    Examples
    --------
    With which d does a neuron fire for the second time at 30 ms? Newton's rule:

    >>> import jax, izhnumba as iz, izhnumba.jax as izj
    >>> def second(d):
    ...     params, state = izj.init(1, **iz.presets["RS"])
    ...     return izj.spike_times({**params, "d": d}, state, 10.0, 100.0, n_spikes=2)[0, 1]
    >>> d = 8.0
    >>> with jax.enable_x64(True):
    ...     for _ in range(5):
    ...         t, slope = jax.value_and_grad(second)(d)
    ...         d = d + (30.0 - t) / slope
    ...     print(f"d = {d:.9f}, t = {second(d):.9f} ms")
    d = 8.714380269, t = 30.000000000 ms
    """
    where = "spike_times"
    if jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise ValueError(
            f"{where} must have float64, got jax_enable_x64 = False. Call jax.config.update('jax_enable_x64', True)."
        )
    _arguments.checked_model(f"{where}.model", model)
    values = _arguments.parameters(f"{where}.params", params, model, extra=())
    task = SpikeTimesTask(
        model,
        checks.one_of(f"{where}.reset", reset, ("hard", "soft", "overshoot")),
        checks.number(f"{where}.tau_ref", tau_ref, "ms", at_least=0.0),
        _arguments.known(f"{where}.T", T, "ms"),
        checks.integer(f"{where}.n_spikes", n_spikes, at_least=1),
        0.0 if dt is None else _arguments.known(f"{where}.dt", dt, "ms"),
    )
    given = {"state.V": (state.V, model.V), "state.u": (state.u, model.u), "I": (I, model.I)}
    for x, known in model.parameters.items():
        given[f"params[{x!r}]"] = _arguments.bounded(f"{where}.params[{x!r}]", values[x], model, x), known
    V, u, I, *p = (
        _arguments.array(f"{where}.{x}", value, known.unit, jnp.float64) for x, (value, known) in given.items()
    )
    plain = {x: checks.without_unit(where, values[x], quantity.unit) for x, quantity in model.parameters.items()}
    _check_form(where, model, plain)
    function, failures = _differentiable(task)
    failures.clear()
    try:
        return function((V, u, *p), I)
    except Exception:
        if failures:  # JAX wraps what its callbacks raise
            raise failures.pop() from None
        raise


def _check_form(where: str, model: Model, values: Mapping[str, Any]) -> None:
    """Refuse parameters that the exact engine cannot take, as far as their values are known; under `jax.grad` they
    are."""
    defaults = {name: quantity.default for name, quantity in model.parameters.items()}
    known = {name: plain for name in defaults if not isinstance(plain := _plain(values[name]), jax.core.Tracer)}
    p = model.named_tuple()(**{name: np.asarray(x, np.float64) for name, x in (defaults | known).items()})
    try:
        np.broadcast_shapes(*map(np.shape, p))
        coefficients(model, p)
        if len(known) < len(defaults):  # what is not known may be what the rest depends on
            return
    except ValueError:
        return  # shapes are refused later
    except NotPolynomial:
        pass  # in words below
    normal_form(model, p, where, "Use izhnumba.jax.run.")


def _plain(value):
    """The value without a derivative: under `jax.grad` a number."""
    return jax.lax.stop_gradient(value) if isinstance(value, jax.core.Tracer) else value


class SpikeTimesTask(NamedTuple):
    """The arguments that JAX does not trace, hashable."""

    model: Model
    reset: str
    tau_ref: float
    T: float
    n_spikes: int
    dt: float  # of the rows of I, 0 if it has none

    def times(self, x: object, rows: object) -> Array:
        """Spike times (..., n_spikes), ms, for V, u and parameters x (..., quantities) and currents (..., rows)."""
        shape, (x, rows) = _flat(x, rows)
        given = dict(zip(("V", "u", *self.model.parameters), x.T, strict=True))
        pop = Population(len(x), self.model, scheme="exact", reset=self.reset, tau_ref=self.tau_ref, **given)
        spikes = pop.run(self.T, TimedArray(rows.T, self.dt) if rows.shape[1] > 1 else rows[:, 0]).spikes
        order = np.lexsort((spikes.t, spikes.i))
        i, t = spikes.i[order], spikes.t[order]
        times, nth = np.full((len(x), self.n_spikes), np.inf), ordinals(i)
        first = nth < self.n_spikes
        times[i[first], nth[first]] = t[first]
        return times.reshape(*shape, self.n_spikes)

    def pull_back(self, x: object, rows: object, times: object, weights: Array) -> tuple[Array, Array]:
        """Derivatives by x and by rows, in their shapes, of the sum of weights (..., n_spikes) x times (...,
        n_spikes)."""
        shape, (x, rows, times) = _flat(x, rows, times)
        known = np.isfinite(times)
        neurons, pieces, n = self.neurons(x), Pieces(np.arange(rows.shape[1]) * self.dt, rows.T), x.shape[1]
        slopes = np.zeros((*times.shape, n + 1 + rows.shape[1]))
        slopes[known] = gradients(neurons, pieces, np.nonzero(known)[0], times[known])
        weights = np.where(known.reshape(*shape, -1), weights, 0.0)
        found = np.einsum("...s,...sq->...q", weights, slopes.reshape(*shape, *slopes.shape[1:]))
        return found[..., :n], found[..., n + 1 :]  # between them is the derivative by tau_ref

    def neurons(self, x: Array) -> Neurons:
        """The neurons with V, u and parameters x (neurons, quantities)."""
        V, u, *p = x.T
        return Neurons(self.model, self.reset, self.model.named_tuple()(*p), np.full(len(x), self.tau_ref), V, u)


@functools.lru_cache
def _differentiable(task: SpikeTimesTask):
    """(`spike_times((V, u, *parameters), I)`, differentiable; the list of exceptions that its callbacks have
    raised)."""
    defaults = (task.model.V, task.model.u, *task.model.parameters.values())
    check_equations(task.neurons(np.array([[quantity.default for quantity in defaults]])))
    failures: list[Exception] = []
    run, pull_back = _callback(lambda *x: (task.times(*x),), failures), _callback(task.pull_back, failures)

    def times(given: Pair) -> jax.Array:
        x, rows = only_once(_FIRST_REVERSE, given)
        return run([(*x.shape[:-1], task.n_spikes)], x, rows)[0]

    def forwards(given: Pair) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        found = times(given)
        return found, (*given, found)

    def backwards(kept: tuple[jax.Array, ...], wanted: object, weights: jax.Array) -> tuple[jax.Array, ...]:
        kept, weights = only_once(_FIRST_REVERSE, (kept, weights))
        return pull_back([array.shape for array in kept[:2]], *kept, weights)

    differentiable = reverse_mode(times, forwards, backwards, _FIRST_REVERSE)
    return jax.jit(lambda values, I: differentiable(_laid_out(values, I, rows=task.dt > 0))), failures


def _callback(f: Callable[..., Sequence[Array]], failures: list[Exception]) -> Callable[..., tuple[jax.Array, ...]]:
    """`call(shapes of results, *arrays)`: a NumPy function of float64 arrays as a callback of JAX. failures: gets what
    it raises.

    Numbers go in and out as bits: JAX turns every float64 into float32 in threads which `with jax.enable_x64()` does
    not reach, such as those of XLA."""

    def of_bits(*arrays: object) -> list[Array]:
        try:
            found = f(*(np.ascontiguousarray(array).view(np.float64)[..., 0] for array in arrays))
        except Exception as error:
            failures.append(error)
            raise
        return [np.ascontiguousarray(array[..., np.newaxis]).view(np.uint32) for array in found]

    def call(shapes: Sequence[tuple[int, ...]], *arrays: jax.Array) -> tuple[jax.Array, ...]:
        results = jax.eval_shape(lambda: [jnp.zeros((*shape, 2), jnp.uint32) for shape in shapes])
        bits = (jax.lax.bitcast_convert_type(array, jnp.uint32) for array in arrays)
        found = jax.pure_callback(of_bits, results, *bits, vmap_method="expand_dims")
        return tuple(jax.lax.bitcast_convert_type(array, jnp.float64) for array in found)

    return call


def _laid_out(values: Sequence[jax.Array], I: jax.Array, rows: bool) -> tuple[jax.Array, jax.Array]:
    """(V, u and parameters as one array (*Shape, quantities), currents (*Shape, rows)). rows: whether I has rows."""
    if rows and not (I.ndim and len(I)):
        raise ValueError(f"spike_times.I must have shape (rows, ...) with dt, got {I.shape}. Leave out dt.")
    current = jnp.moveaxis(I, 0, -1) if rows else I[..., jnp.newaxis]
    shapes = dict.fromkeys([current.shape[:-1], *(value.shape for value in values)])
    try:
        shape = jnp.broadcast_shapes(*shapes)
    except ValueError:
        got = ", ".join(map(str, shapes))
        raise ValueError(f"spike_times must have params, state and I of shapes that broadcast, got {got}.") from None
    x = jnp.stack([jnp.broadcast_to(value, shape) for value in values], axis=-1)
    return x, jnp.broadcast_to(current, (*shape, current.shape[-1]))


def _flat(*arrays) -> tuple[tuple[int, ...], list[Array]]:
    """(shape, arrays of shape (n, k)) of arrays (*shape, k), after broadcasting; n is the product of the shape."""
    shape = np.broadcast_shapes(*(np.shape(array)[:-1] for array in arrays))
    sizes = (np.shape(array)[-1] for array in arrays)
    return shape, [np.broadcast_to(array, (*shape, k)).reshape(-1, k) for array, k in zip(arrays, sizes, strict=True)]
