"""Arguments of the functions for JAX: numbers, arrays, quantities and tracers become flat arrays of one dtype.

Values are never looked at, for under `jit` there are none; dtypes, shapes and names are.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from izhnumba._base import checks
from izhnumba._engine.timebase import refractory_steps
from izhnumba._input.door import warn_of_steps
from izhnumba._model.model import Model, equations_of

Shape = tuple[int, ...]


def dtype(where: str, value: object) -> Any:
    """float32 or float64, the latter only where JAX has it."""
    chosen = checks.dtype(where, jnp.zeros(0).dtype if value is None else value)
    if chosen == np.float64 and jax.dtypes.canonicalize_dtype(chosen) != chosen:
        raise ValueError(
            f"{where} must be float32 as long as jax_enable_x64 is off, got float64. Call "
            "jax.config.update('jax_enable_x64', True) first, or use float32."
        )
    return chosen


def array(where: str, value: object, unit: str, dtype: Any) -> jax.Array:
    """A number or an array of any shape, without its unit, in this dtype."""
    plain = checks.without_unit(where, value, unit)
    if not isinstance(plain, jax.Array):
        kept = getattr(plain, "dtype", None)
        plain = checks.magnitude(where, plain, unit) if kept != np.float16 else plain
    kind = jnp.result_type(plain)
    if kind in (np.dtype(np.float16), jnp.dtype(jnp.bfloat16)):
        raise TypeError(f"{where} must be float32 or float64, got {kind}. Convert it with .astype('float32').")
    if not (jnp.issubdtype(kind, np.floating) or jnp.issubdtype(kind, np.integer)):
        raise TypeError(f"{where} must be a number or an array of numbers, got {kind}.")
    with np.errstate(over="ignore"):  # what is not finite spreads
        return jnp.asarray(plain, dtype)


def known(where: str, value: object, unit: str) -> float:
    """A positive number that JAX does not trace."""
    if isinstance(value, jax.core.Tracer):
        raise TypeError(f"{where} must be known when JAX traces, got a traced value. Pass a plain number.")
    return checks.number(where, value, unit, above=0.0)


def names(where: str, value: Any) -> tuple[str, ...]:
    """One name or several."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Collection) or not getattr(value, "ndim", 1):  # an array of no dimension is one too
        checks.refuse(where, value, "a name or several", "Use 'V' or ('spikes', 'V').")
    return tuple(value)


@functools.cache
def check_equations(where: str, model: Model) -> None:
    """Refuse a model whose equations JAX cannot trace."""
    number = jax.ShapeDtypeStruct((), jnp.float32)
    p = model.named_tuple()(*(number for _ in model.parameters))
    for name, equation, arguments in equations_of(model):
        try:
            jax.eval_shape(equation, *(p if argument == "p" else number for argument in arguments))
        except Exception as error:
            raise TypeError(
                f"{where} must have equations that JAX can trace, got {name} of {model.name} ({type(error).__name__}). "
                "Use arithmetic and izhnumba.where, without if, min, int and math."
            ) from error


class Lanes:
    """The neurons of a run: how they are arranged, and what their arrays become. n_steps: None as long as it is not
    known."""

    def __init__(self, owner: str, V: Any, n_steps: object) -> None:
        self.owner = owner
        self.dtype = dtype(f"{owner}.state.V", float_of(V))
        self.shape: Shape = np.shape(V)
        if isinstance(n_steps, jax.core.Tracer):
            raise TypeError(f"{owner}.n_steps must be known when JAX traces, got a traced value. Pass a plain number.")
        self.n_steps = None if n_steps is None else checks.integer(f"{owner}.n_steps", n_steps, at_least=0)
        self._constant: list[tuple[str, jax.Array]] = []  # inputs that are

    def state(self, name: str, value: object, unit: str) -> jax.Array:
        found = array(f"{self.owner}.state.{name}", value, unit, self.dtype)
        if found.shape != self.shape:
            raise ValueError(
                f"{self.owner}.state.{name} must have the shape of state.V, {self.shape}, got {found.shape}."
            )
        return found.reshape(-1)

    def refractory_steps(self, value: object) -> jax.Array:
        """Steps for which neurons still are refractory."""
        found = value if isinstance(value, jax.Array) else np.asarray(value)
        if found.shape not in ((), self.shape) or not jnp.issubdtype(found.dtype, np.integer):
            raise ValueError(
                f"{self.owner}.state.refractory_steps must be int32 of shape {self.shape}, got {found.dtype} of shape "
                f"{found.shape}. Use that of izhnumba.jax.init or of another run."
            )
        return jnp.broadcast_to(jnp.asarray(found, jnp.int32), self.shape).reshape(-1)

    def constant(self, where: str, value: object, unit: str) -> jax.Array:
        """One number for all neurons, or one for each."""
        return self._flat(self.fitting(where, array(where, value, unit, self.dtype)))

    def over_time(self, where: str, value: object, unit: str) -> jax.Array:
        """An input, constant or with a row for each step, not flat yet; it may tell the number of steps."""
        found = array(where, value, unit, self.dtype)
        if found.ndim <= len(self.shape):
            self._constant.append((where, self.fitting(where, found)))
            return found
        n_steps, row = found.shape[0] if self.n_steps is None else self.n_steps, found.shape[1:]
        if found.ndim != len(self.shape) + 1 or found.shape[0] != n_steps or not self._fits(row):
            raise ValueError(
                f"{where} must broadcast to {self.shape} (constant) or have shape "
                f"{(n_steps, *self.shape)} (a row for each step), got {found.shape}."
            )
        self.n_steps = n_steps
        return found

    def all_steps(self) -> int:
        """Their number, which must be known by now."""
        if self.n_steps is None:
            raise ValueError(f"{self.owner}.n_steps must be given if no input has a row for each step, got None.")
        for where, found in self._constant:
            name, known = where.rpartition(".")[2], not isinstance(found, jax.core.Tracer)
            whole = f"np.broadcast_to({name}, {(self.n_steps, *self.shape)})"
            warn_of_steps(where, found, self.shape, self.n_steps, whole, known=known)
        return self.n_steps

    def flat(self, values: jax.Array) -> tuple[jax.Array, str]:
        """An input as lanes, and whether it is a "row" or "constant"."""
        if values.ndim <= len(self.shape):
            return self._flat(values), "constant"
        if self.shape and math.prod(values.shape[1:]) == 1:  # the same for all neurons
            return values.reshape(-1), "row"
        whole = jnp.broadcast_to(values, (values.shape[0], *self.shape))
        return whole.reshape(values.shape[0], math.prod(self.shape)), "row"

    def restore(self, values: jax.Array) -> jax.Array:
        """Rows or a row of lanes in the shape of the neurons."""
        return values.reshape(*values.shape[:-1], *self.shape)

    def n_ref(self, tau_ref: object, dt: float) -> tuple[jax.Array, bool]:
        """Steps for which neurons are held after a spike, and whether any is."""
        where = f"{self.owner}.tau_ref"
        if isinstance(tau_ref, jax.core.Tracer):
            raise TypeError(
                f"{where} must be known when JAX traces, got a traced value. Pass a number or a NumPy array: it counts "
                "steps, and has no gradient."
            )
        exact = np.asarray(checks.magnitude(where, tau_ref, "ms"), np.float64)
        self.fitting(where, exact)
        wrong = exact[~((exact >= 0) & (exact < 2**30 * dt))]
        if wrong.size:
            raise ValueError(f"{where} must be >= 0 ms and less than {2**30 * dt:g} ms, got {wrong[0]:g}.")
        steps = refractory_steps(exact, dt)
        return self._flat(jnp.asarray(steps)), bool(np.any(steps))

    def _fits(self, shape: Shape) -> bool:
        try:
            return np.broadcast_shapes(shape, self.shape) == self.shape
        except ValueError:
            return False

    def fitting(self, where: str, values: Any) -> Any:
        if not self._fits(values.shape):
            raise ValueError(f"{where} must broadcast to {self.shape}, the shape of V, got {values.shape}.")
        return values

    def _flat(self, values: jax.Array) -> jax.Array:
        return jnp.broadcast_to(values, self.shape).reshape(-1) if values.ndim else values


def float_of(values: object) -> Any:
    """The dtype that arrays of floats ask for; JAX would make float32 of float64 without a word."""
    found = getattr(values, "dtype", None)
    if found is None or not jnp.issubdtype(found, np.floating):
        return None
    return found


def parameters(where: str, params: Any, model: Model, extra: tuple[str, ...] = ("V_min",)) -> Mapping[str, Any]:
    """Values by name: those given, and the model's defaults for the rest. extra: what may be given besides."""
    checks.kind(where, params, Mapping, "a mapping of names to numbers or arrays", "Pass a dict such as {'a': 0.02}.")
    for name in params:
        if name not in model.parameters and name not in extra:
            checks.unknown(where, name, (*model.parameters, *extra))
    return {name: quantity.default for name, quantity in model.parameters.items()} | dict(params)


def bounded(where: str, value: object, model: Model, name: str) -> Any:
    """The value of a parameter as it is, within the bounds that the model sets, as far as JAX does not trace it."""
    quantity = model.parameters.get(name)
    limits = {} if quantity is None else {key: getattr(quantity, key) for key in ("above", "at_least")}
    if any(bound is not None for bound in limits.values()):
        plain = checks.without_unit(where, value, unit_of(model, name))
        if not isinstance(plain, jax.core.Tracer):
            checks.array(where, np.asarray(plain) if isinstance(plain, jax.Array) else plain, "", **limits)
    return value


def unit_of(model: Model, name: str) -> str:
    return "mV" if name == "V_min" else model.parameters[name].unit


def listed(value: object) -> Sequence[Any]:
    """Conductances come alone or as a list."""
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)
