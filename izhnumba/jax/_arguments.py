"""Arguments of the functions for JAX: numbers, arrays, quantities and tracers become flat arrays of one dtype.

Dtypes, shapes and names are checked when JAX traces. Values are not, as under `jit` there are none, but for the bounds
of parameters that JAX does not trace.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from izhnumba._base import checks
from izhnumba._engine.timebase import refractory_steps
from izhnumba._input.door import warn_of_steps
from izhnumba._input.input import Input
from izhnumba._model.model import Model, equations_of

Shape = tuple[int, ...]
AnyArray = TypeVar("AnyArray", bound=jax.Array | np.ndarray[Any, Any])


def dtype(where: str, value: object) -> np.dtype[Any]:
    """float32 or float64, the latter only with jax_enable_x64; JAX's own choice for None."""
    chosen = checks.dtype(where, jnp.zeros(0).dtype if value is None else value)
    if chosen == np.float64 and jax.dtypes.canonicalize_dtype(chosen) != chosen:
        raise ValueError(
            f"{where} must be float32 as long as jax_enable_x64 is off, got float64. Call "
            "jax.config.update('jax_enable_x64', True) first, or use float32."
        )
    return chosen


def array(where: str, value: object, unit: str, dtype: DTypeLike) -> jax.Array:
    """A number, array or quantity as an array of the same shape, in `unit` and in this dtype."""
    if isinstance(value, Input):
        cure = "Pass rows of its values: input.at(t) for the times t = k dt; noise is drawn by JAX."
        raise TypeError(f"{where} must be a number or an array of numbers in {unit}, got {checks.shown(value)}. {cure}")
    plain = checks.without_unit(where, value, unit)
    if not isinstance(plain, jax.Array):
        kept = getattr(plain, "dtype", None)
        plain = checks.magnitude(where, plain, unit) if kept != np.float16 else plain
    kind = jnp.result_type(plain)
    if kind in (np.dtype(np.float16), jnp.dtype(jnp.bfloat16)):
        raise TypeError(f"{where} must be float32 or float64, got {kind}. Convert it with .astype('float32').")
    if not (jnp.issubdtype(kind, np.floating) or jnp.issubdtype(kind, np.integer)):
        raise TypeError(f"{where} must be a number or an array of numbers, got {kind}.")
    with np.errstate(over="ignore"):  # infinity is allowed, as everywhere in JAX
        return jnp.asarray(plain, dtype)


def known(where: str, value: object, unit: str) -> float:
    """A positive float in `unit`; a TypeError if JAX traces it."""
    if isinstance(value, jax.core.Tracer):
        raise TypeError(f"{where} must be known when JAX traces, got a traced value. Pass a plain number.")
    return checks.number(where, value, unit, above=0.0)


def names(where: str, value: object) -> tuple[str, ...]:
    """One name, or a collection of them, as a tuple."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Collection) or not getattr(value, "ndim", 1):  # an array of no dimension is one too
        checks.refuse(where, value, "a name or several", "Use 'V' or ('spikes', 'V').")
    return tuple(value)


def checked_model(where: str, value: object) -> Model:
    """A model of the states V and u."""
    model: Model = checks.kind(where, value, Model, "an izhnumba.Model", "Use izhnumba.Izhikevich.")
    if model.states:
        raise ValueError(
            f"{where} must have no states beside V and u in JAX, got {model.name} with {', '.join(model.states)}. Use "
            "izhnumba.Population, which has no gradients."
        )
    return model


@functools.cache
def check_equations(where: str, model: Model) -> None:
    """Refuse a model with an equation that JAX cannot trace."""
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
    """The neurons of a run, as lanes: checks their arguments, and lays out arrays of Shape as flat arrays (lanes,).

    Parameters
    ----------
    owner : str
        Name of the function, with which errors begin.
    V : array or ShapeDtypeStruct
        Decides on Shape and dtype.
    n_steps : int or None
        None: the first input with a row for each step decides.
    """

    def __init__(self, owner: str, V, n_steps: object) -> None:
        self.owner = owner
        self.dtype = dtype(f"{owner}.state.V", float_of(V))
        self.shape: Shape = np.shape(V)
        if isinstance(n_steps, jax.core.Tracer):
            raise TypeError(f"{owner}.n_steps must be known when JAX traces, got a traced value. Pass a plain number.")
        self.n_steps = None if n_steps is None else checks.integer(f"{owner}.n_steps", n_steps, at_least=0)
        self._constant: list[tuple[str, jax.Array]] = []  # names and values of constant inputs

    def state(self, name: str, value: object, unit: str) -> jax.Array:
        """V or u of the state, in `unit`, as (lanes,)."""
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
        """A parameter, constant in time, as () for all neurons or (lanes,)."""
        return self._flat(self.fitting(where, array(where, value, unit, self.dtype)))

    def over_time(self, where: str, value: object, unit: str) -> jax.Array:
        """An input in its own shape: constant, or with a row for each step, which may decide on the number of steps."""
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
        """The number of steps, which inputs or the user must have decided on. Warns of an array that may be meant as
        rows and is taken as constant."""
        if self.n_steps is None:
            raise ValueError(f"{self.owner}.n_steps must be given if no input has a row for each step, got None.")
        for where, found in self._constant:
            name, known = where.rpartition(".")[2], not isinstance(found, jax.core.Tracer)
            whole = f"np.broadcast_to({name}, {(self.n_steps, *self.shape)})"
            warn_of_steps(where, found, self.shape, self.n_steps, whole, known=known)
        return self.n_steps

    def flat(self, values: jax.Array) -> tuple[jax.Array, str]:
        """(input, kind): (lanes,) or () is "constant"; (n_steps, lanes), or (n_steps,) for all neurons, is a "row"."""
        if values.ndim <= len(self.shape):
            return self._flat(values), "constant"
        if self.shape and math.prod(values.shape[1:]) == 1:  # one number for all neurons
            return values.reshape(-1), "row"
        whole = jnp.broadcast_to(values, (values.shape[0], *self.shape))
        return whole.reshape(values.shape[0], math.prod(self.shape)), "row"

    def restore(self, values: jax.Array) -> jax.Array:
        """(..., lanes) as (..., *Shape)."""
        return values.reshape(*values.shape[:-1], *self.shape)

    def refractory_period(self, tau_ref: object, dt: float) -> tuple[jax.Array, bool]:
        """(steps for which neurons are refractory after a spike, int32 (lanes,) or (); whether any is). dt in ms."""
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

    def fitting(self, where: str, values: AnyArray) -> AnyArray:
        """`values`, if their shape broadcasts to Shape."""
        if not self._fits(values.shape):
            raise ValueError(f"{where} must broadcast to {self.shape}, the shape of V, got {values.shape}.")
        return values

    def _flat(self, values: jax.Array) -> jax.Array:
        return jnp.broadcast_to(values, self.shape).reshape(-1) if values.ndim else values


def float_of(values: object) -> np.dtype[Any] | None:
    """The dtype of an array of floats, else None. Asked for, since JAX turns float64 into float32 without a word."""
    found = getattr(values, "dtype", None)
    if found is None or not jnp.issubdtype(found, np.floating):
        return None
    return found


def parameters(where: str, params: object, model: Model, extra: tuple[str, ...] = ("V_min",)) -> Mapping[str, Any]:
    """Parameters by name: those given, and the model's defaults for the rest. extra: names that may be given
    besides."""
    must_be = "a mapping of names to numbers or arrays"
    given: Mapping[str, object] = checks.kind(where, params, Mapping, must_be, "Pass a dict such as {'a': 0.02}.")
    for name in given:
        if name not in model.parameters and name not in extra:
            checks.unknown(where, name, (*model.parameters, *extra))
    return {name: quantity.default for name, quantity in model.parameters.items()} | dict(given)


def bounded(where: str, value: object, model: Model, name: str) -> object:
    """The value of a parameter, unchanged; refused beyond the bounds that the model sets, unless JAX traces it."""
    quantity = model.parameters.get(name)
    limits = {} if quantity is None else {key: getattr(quantity, key) for key in ("above", "at_least")}
    if any(bound is not None for bound in limits.values()):
        plain = checks.without_unit(where, value, unit_of(model, name))
        if not isinstance(plain, jax.core.Tracer):
            checks.array(where, np.asarray(plain) if isinstance(plain, jax.Array) else plain, "", **limits)
    return value


def unit_of(model: Model, name: str) -> str:
    """The unit of a parameter, or of V_min."""
    return "mV" if name == "V_min" else model.parameters[name].unit


def listed(value: object) -> Sequence[object]:
    """Conductances, given alone or as a list, as a sequence; () for None."""
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)
