"""`run`: neurons over a number of steps, as a function that JAX can differentiate; `init` makes its arguments."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from izhnumba._base import checks
from izhnumba._base.renamed import renamed
from izhnumba._model.izhikevich import Izhikevich
from izhnumba._model.model import Model, equations_of, u_nullcline
from izhnumba._model.schemes import schemes
from izhnumba.jax import _arguments
from izhnumba.jax._arguments import Lanes
from izhnumba.jax._finite import check_values, watched
from izhnumba.jax._neuron import Cell, constants, parameters_type
from izhnumba.jax._programs import NotElementwise, program
from izhnumba.jax._solve import Data, ScanTask, by_kernels, by_scan
from izhnumba.jax._surrogates import ReluGrad, as_surrogate

Arrays = tuple[jax.Array, ...]
RECORDED = ("spikes", "V", "u")


@renamed(held="refractory_steps")
class State(NamedTuple):
    """The state of neurons, a pytree.

    Attributes
    ----------
    V : array of Shape, mV
    u : array of Shape, mV/ms (pA for Izhikevich2007)
    refractory_steps : int32 array of Shape
        For how many steps more a neuron is refractory. A run without `tau_ref` ignores it, and returns 0.
    """

    V: jax.Array
    u: jax.Array
    refractory_steps: jax.Array


class Outputs(NamedTuple):
    """The recorded outputs of `run`, a pytree; None for an output that was not recorded.

    Attributes
    ----------
    spikes : array of shape (n_steps, *Shape)
        1 where a neuron spiked in a step, else 0, in the dtype of V, with the derivative of the surrogate.
    V, u : array of shape (n_steps, *Shape), mV, mV/ms (pA for Izhikevich2007)
        The state after each step.
    """

    # Not declared as what may be None: whoever asked for V would have to say again that it is there.
    spikes: jax.Array = None  # type: ignore[assignment]
    V: jax.Array = None  # type: ignore[assignment]
    u: jax.Array = None  # type: ignore[assignment]


def init(
    size: int | tuple[int, ...],
    model: Model = Izhikevich,
    *,
    dtype: object = None,
    batch: int | None = None,
    V: object = None,
    u: object = None,
    **parameters: object,
) -> tuple[dict[str, jax.Array], State]:
    """Parameters and initial state of neurons, from the arguments of a `Population`.

    Parameters
    ----------
    size : int or tuple of int, >= 1
        Number of neurons, or the shape in which they are arranged.
    model : Model
    dtype : "float32" or "float64", by default JAX's own: float64 if jax_enable_x64 is on
    batch : int, >= 1, optional
        Independent copies, as a leading axis of the state: Shape = (batch, *size).
    V, u : float or array, default the model's
        Initial state; `u="nullcline"` starts where du/dt = 0.
    **parameters : float or array
        As in `Population`, each of a shape that broadcasts to Shape. Those left out are the model's defaults.

    Returns
    -------
    params : dict of str to array
        The parameters of the model by name: a pytree to take gradients by.
    state : State

    Raises
    ------
    TypeError, ValueError
        For unknown names, shapes that do not fit and units that do not convert; for float64 while jax_enable_x64 is
        off.

    Examples
    --------
    >>> import izhnumba as iz, izhnumba.jax as izj
    >>> params, state = izj.init(100, **iz.presets["CH"])
    >>> float(params["d"]), state.V.shape
    (2.0, (100,))
    """
    _arguments.checked_model("init.model", model)
    n_size = checks.size("init.size", size)
    shape = n_size if batch is None else (checks.integer("init.batch", batch, at_least=1), *n_size)
    lanes = Lanes("init", jax.ShapeDtypeStruct(shape, _arguments.dtype("init.dtype", dtype)), None)
    n_bytes = math.prod(shape) * (2 * lanes.dtype.itemsize + 4)
    checks.fits(f"init.{'size' if batch is None else 'batch'}", n_bytes, "Use fewer neurons or dtype float32.")
    values = _arguments.parameters("init", parameters, model)
    params = {
        name: _shaped(
            lanes,
            f"init.{name}",
            _arguments.bounded(f"init.{name}", value, model, name),
            _arguments.unit_of(model, name),
        )
        for name, value in values.items()
    }
    starts: dict[str, jax.Array] = {}
    for name, value in (("V", V), ("u", u)):
        quantity = getattr(model, name)
        if name == "u" and isinstance(value, str) and value == "nullcline":
            p = model.named_tuple()(*(np.asarray(params[key], float) for key in model.parameters))
            value = u_nullcline(model, np.asarray(starts["V"], float), p)
        value = quantity.default if value is None else value
        starts[name] = jnp.broadcast_to(_shaped(lanes, f"init.{name}", value, quantity.unit), shape)
    return params, State(starts["V"], starts["u"], jnp.zeros(shape, jnp.int32))


def _shaped(lanes: Lanes, where: str, value, unit: str) -> jax.Array:
    """A value that broadcasts to Shape, as an array."""
    return lanes.fitting(where, _arguments.array(where, value, unit, lanes.dtype))


def run(
    params: Mapping[str, Any],
    state: State,
    I: object,  # noqa: E741
    dt: object,
    *,
    n_steps: int | None = None,
    model: Model = Izhikevich,
    scheme: str = "exp_euler",
    reset: str = "hard",
    tau_ref: object = 0.0,
    delta: object = None,
    g: object = None,
    E: object = None,
    record: str | Sequence[str] = ("spikes", "V"),
    surrogate: object = ReluGrad(),  # noqa: B008 - frozen
    detach_reset: bool = False,
    checkpoint: bool | int = False,
    backend: str | None = None,
    check: bool = False,
) -> tuple[State, Outputs]:
    """Advance neurons by a number of steps, differentiably.

    Parameters
    ----------
    params : mapping of str to float or array
        Parameters of the model, and V_min, each of a shape that broadcasts to Shape, the shape of state.V. Those left
        out are the model's defaults.
    state : State
        Where to start: from `init`, or from another run. The dtype of V is that of everything.
    I : float or array, mV/ms (pA for Izhikevich2007)
        An array that broadcasts to Shape is constant in time; one of shape (n_steps, *Shape) has a row for each step.
    dt : float, ms, > 0
        Time step.
    n_steps : int, >= 0
        Number of steps. Needed if no input has rows.
    model, scheme, reset, tau_ref
        As in `Population`, with `tau_ref` known when JAX traces. The scheme "exact" has `spike_times` instead.
    delta, g, E : the same as I, mV, 1/ms (nS), mV, or for g and E lists of them
        V jumps, and conductances with their reversal potentials.
    record : of "spikes", "V", "u", one or several
    surrogate : Surrogate, its name, or a function that gives spikes and has a derivative
        Its slope stands for the derivative of a spike by (V - V_th) / abs(V_th). Make a function once: JAX compiles
        anew for each new one.
    detach_reset : bool
        False: the derivative of a spike also acts through the reset of u, as in brainpy.state, though not of V. True:
        through neither.
    checkpoint : bool or int
        Store the state only every so many steps (True: the square root of n_steps), and compute the steps between again
        when gradients are taken: less memory for one more run forwards.
    backend : "numba", "xla", optional
        Compiled kernels, on a CPU only, or `lax.scan`, which runs everywhere. Without it, kernels on a CPU.
    check : bool
        Check V and u after each step, and the derivatives in the reverse pass; an error names the first step in which
        they are not finite. It takes the memory of V and u of all steps.

    Returns
    -------
    state : State
        After the last step.
    outputs : Outputs
        With an entry for each recorded name.

    Raises
    ------
    TypeError, ValueError
        When JAX traces, before anything runs: for unknown names, dtypes and shapes that do not fit, units that do not
        convert. Values of states and inputs are not checked without `check`: NaN and infinity spread, as usual in JAX.
    FloatingPointError
        With `check`, for the first step that is not finite; from within `jax.jit` it comes as a
        `jax.errors.JaxRuntimeError` that ends with these words.

    Notes
    -----
    Works under `jit`, `grad`, `value_and_grad`, `vmap` and `lax.scan`, in float32 and, with jax_enable_x64, in
    float64. Gradients reach params, state.V, state.u, I, delta, g and E, through refractory periods and resets. The
    steps are those of `Population.step`. Both backends compute the same; the reverse pass of "numba" is a kernel, too,
    compiled from the derivative that JAX finds of the equations. Forward mode (`jvp`) and second derivatives take
    "xla".

    Examples
    --------
    How the mean voltage of 20 ms depends on the current, and on each parameter:

    >>> import jax, izhnumba as iz, izhnumba.jax as izj
    >>> params, state = izj.init(10, **iz.presets["RS"])
    >>> def mean_V(params, I):
    ...     state_after, out = izj.run(params, state, I, 0.1, n_steps=200, record="V")
    ...     return out.V.mean()
    >>> by_params, by_I = jax.jit(jax.grad(mean_V, argnums=(0, 1)))(params, 2.0)
    >>> round(float(by_I), 2), sorted(by_params)
    (2.01, ['V_th', 'a', 'b', 'c', 'd', 'k0', 'k1', 'k2'])
    """
    _arguments.checked_model("run.model", model)
    check_state("run.state", state, "a State")
    step = _arguments.known("run.dt", dt, "ms")
    lanes = Lanes("run", checks.without_unit("run.state.V", state.V, model.V.unit), n_steps)
    checks.finite("run.dt", np.asarray(step), lanes.dtype)
    V, u = (lanes.state(name, getattr(state, name), getattr(model, name).unit) for name in ("V", "u"))
    p = _parameters(lanes, params, model)
    given = _inputs(lanes, model, I, delta, g, E)
    n_steps = lanes.all_steps()
    if checks.kind("run.check", check, bool, "True or False"):
        given[0] += watched("run", step, (n_steps, *lanes.shape), lanes.dtype, V, u, p, given)
    flat = [(None, "") if values is None else lanes.flat(values) for values in given]
    kinds = tuple(kind for _, kind in flat)
    fixed, rows = (tuple(x for x, kind in flat if kind == wanted) for wanted in ("constant", "row"))
    period, refractory = lanes.refractory_period(tau_ref, step)
    _arguments.check_equations("run.model", model)
    cell = Cell(
        model, _scheme(scheme, step), lanes.dtype.name,
        reset=checks.one_of("run.reset", reset, ("hard", "soft", "overshoot")),
        surrogate=as_surrogate("run.surrogate", surrogate),
        detach_reset=checks.kind("run.detach_reset", detach_reset, bool, "True or False"), hold="steps" * refractory,
        floor="V_min" in params, deltas=bool(kinds[1]), conductances=bool(kinds[2]),
    )  # fmt: skip
    h = jnp.asarray(step, lanes.dtype)
    data = Data(V, u, lanes.refractory_steps(state.refractory_steps), (*constants(cell, p, h), *fixed), rows, h, period)
    names = _recorded(record)
    task = ScanTask(cell, kinds, _recorded({*names, "V", "u"}) if check else names, n_steps)
    n_bytes = n_steps * math.prod(lanes.shape) * lanes.dtype.itemsize * len(task.record)
    checks.fits("run.n_steps", n_bytes, "Record less, or run for a shorter time.")
    segment = _segment("run.checkpoint", checkpoint, n_steps)
    ended, outs = _jitted(task, backend_for("run.backend", backend, cell), segment, data)
    named = {name: lanes.restore(out) for name, out in zip(task.record, outs, strict=True)}
    if check:
        check_values("run", step, named["V"], named["u"])
    return State(*map(lanes.restore, ended)), Outputs(**{name: named[name] for name in names})


def check_state(where: str, state: object, must_be: str) -> None:
    """Refuse an object without the fields of a State."""
    if not all(hasattr(state, name) for name in State._fields):
        cure = "Take that of izhnumba.jax.init, or State(V, u, refractory_steps)."
        raise TypeError(f"{where} must be {must_be}, got {type(state).__name__}. {cure}")


def _parameters(lanes: Lanes, params, model: Model):
    """The parameters and V_min, each () or (lanes,), as the NamedTuple of `parameters_type`."""
    values = {"V_min": -math.inf} | dict(_arguments.parameters("run.params", params, model))
    p_type = parameters_type(model)
    return p_type(
        *(
            lanes.constant(where, _arguments.bounded(where, values[x], model, x), _arguments.unit_of(model, x))
            for x, where in ((x, f"run.params[{x!r}]") for x in p_type._fields)
        )
    )


def _inputs(lanes: Lanes, model: Model, I, delta, g, E) -> list[Any]:  # noqa: E741
    """[I, delta, sum of g, sum of g E], checked; None for an input that is not given.

    Parameters
    ----------
    lanes : Lanes
    model : Model
    I, delta, g, E : as in `run`
    """
    delta = None if delta is None else lanes.over_time("run.delta", delta, "mV")
    gs, Es = _arguments.listed(g), _arguments.listed(E)
    if len(gs) != len(Es):
        raise ValueError(f"run.E must have one value for each g, got {len(Es)} for {len(gs)}.")
    unit = "nS" if model.C is not None else "1/ms"
    conductances = [lanes.over_time("run.g", value, unit) for value in gs]
    reversals = [lanes.over_time("run.E", value, "mV") for value in Es]
    total = sum(conductances) if gs else None
    drawn = sum(map(operator.mul, conductances, reversals)) if gs else None
    return [lanes.over_time("run.I", I, model.I.unit), delta, total, drawn]


def _scheme(name: str, dt: float):
    """The scheme of this name, which must have steps. Warns of a dt (ms) that is too long for it."""
    chosen = schemes[checks.one_of("run.scheme", name, schemes)]
    if chosen.exact:
        raise ValueError("run.scheme must be one that has steps, got 'exact'. Use izhnumba.jax.spike_times.")
    chosen.warn_of("run.dt", dt, stacklevel=3)
    return chosen


def _recorded(record) -> tuple[str, ...]:
    """The names to record, each once, in the order of RECORDED."""
    chosen = {checks.one_of("run.record", name, RECORDED) for name in _arguments.names("run.record", record)}
    return tuple(name for name in RECORDED if name in chosen)


def _segment(where: str, checkpoint, n_steps: int) -> int:
    """Steps between stored states; 0 to store all."""
    if checkpoint is True:
        return max(1, math.isqrt(n_steps))
    return 0 if checkpoint is False else checks.integer(where, checkpoint, at_least=1)


def backend_for(where: str, name: object, cell: Cell) -> str:
    """The backend, "numba" or "xla": the one that the user names, else "numba" where kernels have all operations and
    run on a CPU."""
    if name is not None:
        checks.one_of(where, name, ("numba", "xla"))
    if name == "xla":
        return "xla"
    platform = jax.default_backend()
    unknown = _unknown(cell.model, cell.surrogate, cell.dtype) if platform == "cpu" else None
    if platform == "cpu" and unknown is None:
        return "numba"
    if name is None:
        return "xla"
    if unknown is None:
        raise ValueError(f"{where} must be 'xla' on a {platform}, got 'numba'. Kernels run on a CPU.")
    raise ValueError(
        f"{where} must be 'xla' for {unknown}, got 'numba'. Kernels know arithmetic, comparisons, where and functions "
        "such as exp."
    )


@functools.cache
def _unknown(model: Model, surrogate, dtype: str) -> str | None:
    """In words, the first operation of the slope of the surrogate or of the equations that kernels do not have; or
    None."""
    p_type = model.named_tuple()
    functions = {"a surrogate whose slope": (surrogate, 1)}
    for name, equation, arguments in equations_of(model):
        n = len(arguments) - 1
        of_numbers = functools.partial(lambda equation, n, *x: equation(*x[:n], p_type(*x[n:])), equation, n)
        functions[f"a model whose {name}"] = of_numbers, n + len(p_type._fields)
    for owner, (function, n) in functions.items():
        try:
            program(lambda *x, f=function: jax.jvp(f, x, tuple(map(jnp.ones_like, x))), [dtype] * n)
        except NotElementwise as error:
            return f"{owner} takes {error}"
    return None


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _jitted(task: ScanTask, backend: str, segment: int, data: Data[jax.Array]):
    return _in_segments(task, by_kernels if backend == "numba" else by_scan, segment, data)


def _in_segments(task: ScanTask, solver: Callable[[ScanTask], Any], segment: int, data: Data[jax.Array]):
    """The run in segments of so many steps, each under `jax.checkpoint`, and the steps that are left; 0: in one."""
    n_whole = task.n_steps // segment if segment else 0
    if n_whole < 2:
        return solver(task)(data)
    solve = jax.checkpoint(solver(task._replace(n_steps=segment)))
    cut = n_whole * segment

    def advance(state, rows: Arrays):
        return solve(data._replace(V=state[0], u=state[1], memory=state[2], rows=rows))

    segments = [row[:cut].reshape(n_whole, segment, *row.shape[1:]) for row in data.rows]
    state, outs = jax.lax.scan(advance, (data.V, data.u, data.memory), tuple(segments), length=n_whole)
    outs = tuple(out.reshape(cut, *out.shape[2:]) for out in outs)
    if cut == task.n_steps:
        return state, outs
    rest = data._replace(V=state[0], u=state[1], memory=state[2], rows=tuple(row[cut:] for row in data.rows))
    state, last = solver(task._replace(n_steps=task.n_steps - cut))(rest)
    return state, tuple(jnp.concatenate(pair) for pair in zip(outs, last, strict=True))
