"""The Izhikevich neurons of `brainpy.state`, with a `run` of a whole sequence in one compiled call (extra `brainpy`).

`from izhnumba.brainpy import Izhikevich` in place of `from brainpy.state import Izhikevich` keeps a script working: the
classes derive from those of brainpy.state, and have `run` beside `update`.
"""

from __future__ import annotations

import contextlib
import functools
import math
import warnings
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

try:
    import brainpy
    import brainstate
    import braintools
    from brainunit import Quantity, ms, mV
except ImportError as error:
    needs = 'needs brainpy.state. Install it, in the folder of the project, with: pip install ".[brainpy]"'
    raise ImportError(f"izhnumba.brainpy {needs}") from error
import jax
import jax.numpy as jnp
import numpy as np

from izhnumba._base import checks
from izhnumba._model.izhikevich import Izhikevich as _MODEL
from izhnumba._model.schemes import schemes
from izhnumba.jax import _run, _surrogates
from izhnumba.jax._arguments import Lanes, array
from izhnumba.jax._finite import check_values, watched
from izhnumba.jax._neuron import Cell, constants, parameters_type
from izhnumba.jax._solve import Data, ScanTask, by_kernels, by_scan

__all__ = ["Izhikevich", "IzhikevichRef"]

Arrays = dict[str, Any]

_UNITS = {  # by our names for messages: some versions of brainunit call 1 / ms kHz
    "mV": mV, "ms": ms, "mV / ms": mV / ms, "1 / ms": ms**-1, "1 / (mV * ms)": mV**-1 * ms**-1,
}  # fmt: skip
_UNIT_OF = {  # of states and parameters, by their names in brainpy.state
    "V": "mV", "u": "mV / ms", "last_spike_time": "ms",
    "a": "1 / ms", "b": "1 / ms", "c": "mV", "d": "mV / ms", "V_th": "mV", "tau_ref": "ms",
    "p1": "1 / (mV * ms)", "p2": "1 / ms", "p3": "mV / ms",
}  # fmt: skip
_COEFFICIENTS = {"k2": "p1", "k1": "p2", "k0": "p3"}  # names in our model: names in brainpy.state


class _Sequences:
    """The method `run`, for both classes."""

    spk_fun: object

    def run(
        self,
        inputs: object,
        delta: object = None,
        *,
        record: str | Sequence[str] = "spikes",
        backend: str | None = None,
        check: bool = False,
    ) -> Any:
        """Advance the neurons by one step for each row of `inputs`, in one compiled call.

        It does the same as a loop over `update`: dt and t are those of `brainstate.environ`, states are updated, and
        gradients pass through.

        Parameters
        ----------
        inputs : quantity of shape (n_steps, ...), mV/ms
            Row k is the argument x of update k, of a shape that broadcasts to that of V. Plain numbers are refused, as
            by `update`.
        delta : quantity of shape (n_steps, ...), mV, optional
            Jumps of V in each step, as by `add_delta_input`.
        record : of "spikes", "V", "u", one or several
            What to return; V and u are those after each step.
        backend : "numba", "xla", optional
            As in `izhnumba.jax.run`: compiled kernels, on a CPU only, or `jax.lax.scan`, which forward mode and second
            derivatives need.
        check : bool
            As in `izhnumba.jax.run`: FloatingPointError for the first step whose V, u or derivatives are not finite.

        Returns
        -------
        array or quantity of shape (n_steps, *shape of V)
            In the dtype of V; spikes without a unit, V in mV, u in mV/ms. For several names a tuple in their order.

        Raises
        ------
        TypeError, ValueError
            For inputs without a unit or of another shape; without dt in the environment, or without t where it has to
            be there; before `init_state`; for neurons with projections or delays, which advance step by step.

        Notes
        -----
        A neuron of `IzhikevichRef` is refractory for a time, not a number of steps. The time of step k is t + k * dt,
        with t of the environment and k * dt as a loop over integers of JAX computes it. Without t it begins at 0 if no
        neuron has spiked, which is not known under `jit` or `grad`. t may also be the times of all steps, shape
        (n_steps,), for a loop that computes them in another way: in float32 k * dt of Python is sometimes another
        number, and a refractory period one step longer or shorter.
        """
        owner, names = type(self).__name__, (record,) if isinstance(record, str) else tuple(record)
        for name in names:
            checks.one_of(f"{owner}.run.record", name, _run.RECORDED)
        _check_ready(owner, self)
        given = _given(owner, self, inputs, delta)
        cell = _cell(owner, self.spk_fun, given)
        wanted = {*names, "V", "u"} if checks.kind(f"{owner}.run.check", check, bool, "True or False") else names
        recorded = tuple(name for name in _run.RECORDED if name in wanted)
        backend = _run.backend_for(f"{owner}.run.backend", backend, cell)
        ended, found = _solved(owner, cell, recorded, backend, given["dt"] if check else None, given)
        if check:
            check_values(f"{owner}.run", given["dt"], found["V"], found["u"])
        for name, value in ended.items():
            if hasattr(self, name):  # refractory is there only with ref_var
                getattr(self, name).value = _with_unit(name, value)
        several = tuple(_with_unit(name, found[name]) for name in names)
        return several[0] if isinstance(record, str) else several


class Izhikevich(_Sequences, brainpy.state.Izhikevich):
    """`brainpy.state.Izhikevich` with `run`: its parameters, states, units and steps.

    Parameters
    ----------
    in_size, a, b, c, d, V_th, V_initializer, u_initializer, spk_fun, name
        As in `brainpy.state.Izhikevich`.
    spk_reset : "hard" or "soft"
        "soft" acts as "hard", as in `brainpy.state`; a warning says so once.

    Raises
    ------
    ValueError
        If V_th is not above 0: `brainpy.state` divides by it, and would take V below V_th for a spike.

    Examples
    --------
    >>> import brainstate
    >>> import brainunit as u
    >>> from izhnumba.brainpy import Izhikevich
    >>> neurons = Izhikevich(3)
    >>> neurons.init_state()
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     spikes = neurons.run([[0.0, 10.0, 20.0]] * 1000 * u.mV / u.ms)
    >>> spikes.sum(0).tolist()
    [0.0, 2.0, 5.0]
    """

    @functools.wraps(brainpy.state.Izhikevich.__init__)  # type: ignore[misc]
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _check_made(self)


class IzhikevichRef(_Sequences, brainpy.state.IzhikevichRef):
    """`brainpy.state.IzhikevichRef` with `run`: its parameters, states, units and steps.

    Parameters
    ----------
    in_size, a, b, c, d, V_th, tau_ref, V_initializer, u_initializer, spk_fun, ref_var, name
        As in `brainpy.state.IzhikevichRef`.
    spk_reset : "hard" or "soft"
        "soft" acts as "hard", as in `brainpy.state`; a warning says so once.

    Raises
    ------
    ValueError
        If V_th is not above 0: `brainpy.state` divides by it, and would take V below V_th for a spike.

    Examples
    --------
    >>> import brainstate
    >>> import brainunit as u
    >>> from izhnumba.brainpy import IzhikevichRef
    >>> neurons = IzhikevichRef(1, tau_ref=5.0 * u.ms)
    >>> neurons.init_state()
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     spikes, V = neurons.run([10.0] * 1000 * u.mV / u.ms, record=("spikes", "V"))
    >>> V.shape, round(float(neurons.last_spike_time.value[0] / u.ms), 1)
    ((1000, 1), 93.1)
    """

    @functools.wraps(brainpy.state.IzhikevichRef.__init__)  # type: ignore[misc]
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _check_made(self)


def _check_made(neuron) -> None:
    """Check V_th, and warn of spk_reset="soft", when neurons are made."""
    _check_threshold(type(neuron).__name__, neuron.V_th)
    if neuron.spk_reset == "soft":
        _warn_of_soft_reset()


def _check_threshold(owner: str, V_th) -> None:
    """Refuse a V_th <= 0, unless JAX traces it."""
    if not isinstance(V_th, Quantity) or _traced(V_th):
        return
    lowest = np.min(checks.magnitude(f"{owner}.V_th", V_th, "mV"))
    if not lowest > 0:
        why = "brainpy.state divides by it, and would take V below it for a spike. izhnumba.Population takes any V_th."
        raise ValueError(f"{owner}.V_th must be > 0 mV, got {lowest:g} mV. {why}")


@functools.cache
def _warn_of_soft_reset() -> None:
    warnings.warn(
        "spk_reset='soft' acts as 'hard', as in brainpy.state: after a spike V is c. izhnumba.Population has both.",
        stacklevel=5,  # past the class and the metaclass of brainstate
    )


def _check_ready(owner: str, neuron) -> None:
    """Refuse neurons before init_state, and those with inputs that advance step by step."""
    if not hasattr(neuron, "V"):
        raise ValueError(f"{owner}.run must come after init_state, got neurons without V. Call init_state() first.")
    _check_threshold(owner, neuron.V_th)
    stepped = ("current_inputs", "delta_inputs", "before_updates", "after_updates")
    if found := ", ".join(name for name in stepped if getattr(neuron, name)):
        cure = "Those advance step by step: call the neurons in brainstate.transform.for_loop."
        raise ValueError(f"{owner}.run must be of neurons without projections and delays, got {found}. {cure}")


def _given(owner: str, neuron, inputs, delta) -> Arrays:
    """States, parameters and inputs by name, without units (ms, mV), dt, and for IzhikevichRef the times of the
    steps."""
    kept = {name: getattr(neuron, name) for name in _UNIT_OF if hasattr(neuron, name)}
    given = {name: _without_unit(f"{owner}.{name}", value, _UNIT_OF[name]) for name, value in kept.items()}
    given["inputs"] = _without_unit(f"{owner}.run.inputs", inputs, "mV / ms")
    if delta is not None:
        given["delta"] = _without_unit(f"{owner}.run.delta", delta, "mV")
    dt = _without_unit("brainstate.environ.dt", brainstate.environ.get("dt", None), "ms")
    given["dt"] = checks.number("brainstate.environ.dt", dt, "ms", above=0.0)
    n_steps = _length(owner, given)
    if "last_spike_time" in given:
        given["times"] = _times(n_steps, Lanes(owner, given["V"], None).dtype, given)
    return given


def _without_unit(where: str, value, unit: str):
    """The magnitude, in `unit`, of a quantity or of a state that holds one; plain numbers are refused."""
    value = value.value if isinstance(value, brainstate.State) else value
    checks.kind(where, value, Quantity, f"a quantity in {unit}")
    with contextlib.suppress(Exception):  # the next line puts it in words
        return value.to_decimal(_UNITS[unit])
    return checks.without_unit(where, value, unit)


def _with_unit(name: str, value):
    """A state with the unit of this name; spikes and `refractory` have none."""
    return value * _UNITS[_UNIT_OF[name]] if name in _UNIT_OF else value


def _length(owner: str, given: Arrays) -> int:
    """The number of steps, which is that of rows of each input."""
    shapes = {name: np.shape(given[name]) for name in ("inputs", "delta") if name in given}
    for name, shape in shapes.items():
        if not shape or shape[0] != shapes["inputs"][0]:
            raise ValueError(f"{owner}.run.{name} must have a row for each step, as many as inputs, got shape {shape}.")
    return shapes["inputs"][0]


def _times(n_steps: int, dtype, given: Arrays):
    """The time of each step, shape (n_steps,), ms."""
    t, last = brainstate.environ.get("t", None), given["last_spike_time"]
    steps = np.arange(n_steps).astype(dtype) * dtype.type(given["dt"])
    if t is None:
        _check_not_spiked(last)
        return steps
    t = _without_unit("brainstate.environ.t", t, "ms")
    if np.shape(t) not in ((), steps.shape):
        raise ValueError(f"brainstate.environ.t must have shape () or {steps.shape}, got {np.shape(t)}.")
    return t if np.shape(t) else steps + jnp.asarray(t, dtype)


def _check_not_spiked(last) -> None:
    """Refuse neurons that may have spiked, at `last` (ms): with a clock from 0 they would be refractory until that
    time."""
    got = "while JAX traces" if _traced(last) else f"after a spike at {np.max(last):g} ms" if np.max(last) >= 0 else ""
    if got:
        must = "brainstate.environ.t must be set where neurons may have spiked before"
        raise ValueError(f"{must}, got none {got}. Run in brainstate.environ.context(t=0.0 * u.ms), for one.")


def _cell(owner: str, spk_fun, given: Arrays) -> Cell:
    """The kind of neuron, for the code of a step."""
    return Cell(
        _MODEL, schemes["exp_euler"], Lanes(owner, given["V"], None).dtype.name, "hard",
        _surrogate(f"{owner}.spk_fun", spk_fun), detach_reset=False, hold="time" if "times" in given else "",
        floor=False, deltas="delta" in given, conductances=False,
    )  # fmt: skip


def _surrogate(where: str, spk_fun):
    """Our own surrogate in place of one of braintools: ours are equal by value, so that a new one is not compiled
    anew."""
    name = type(spk_fun).__name__
    if type(spk_fun) is getattr(braintools.surrogate, name, None) and name in _surrogates.__all__:
        ours = getattr(_surrogates, name)
        with contextlib.suppress(AttributeError, TypeError, ValueError):  # parameters that ours does not take
            return ours(**{one.name: getattr(spk_fun, one.name) for one in fields(ours)})
    return _surrogates.as_surrogate(where, spk_fun)


def _traced(value) -> bool:
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(value))


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _solved(
    owner: str, cell: Cell, recorded: tuple[str, ...], backend: str, check: float | None, given: Arrays
) -> tuple[Arrays, Arrays]:
    """(states after the last step, recorded rows), by name, without units, in the shape of V.

    Parameters
    ----------
    owner : str
        Name of the class, with which errors begin.
    cell : Cell
    recorded : tuple of str
        Names, of "spikes", "V", "u".
    backend : "numba" or "xla"
    check : float or None
        dt (ms), if derivatives are checked.
    given : dict
        The numbers of `_given`.
    """
    lanes = Lanes(owner, given["V"], None)
    V, u = (lanes.state(name, given[name], "") for name in ("V", "u"))
    h, p = jnp.asarray(given["dt"], lanes.dtype), _parameters(owner, lanes, given)
    rows = tuple(_rows(f"{owner}.run.{name}", given[name], lanes) for name in ("inputs", "delta") if name in given)
    if check is not None:
        like = len(rows[0]), *V.shape
        one = rows[0] if rows[0].ndim == 2 else rows[0][:, None]
        rows = one + watched(f"{owner}.run", check, like, lanes.dtype, V, u, p, rows), *rows[1:]
    memory, period, t = _refractoriness(owner, lanes, given)
    task = ScanTask(cell, ("row", "row" if cell.deltas else "", "", ""), recorded, len(rows[0]))
    solve = (by_kernels if backend == "numba" else by_scan)(task)
    (V, u, last), outs = solve(Data(V, u, memory, constants(cell, p, h), rows, h, period, t))
    ended = {"V": V, "u": u}
    if cell.hold and task.n_steps:  # a neuron that has just spiked is refractory, whenever it did before
        refractory = (t[0][-1] - last < period) | (V >= p.V_th)
        ended |= {"last_spike_time": jax.lax.stop_gradient(last), "refractory": refractory}
    return jax.tree.map(lanes.restore, (ended, dict(zip(recorded, outs, strict=True))))


def _parameters(owner: str, lanes: Lanes, given: Arrays):
    """The parameters of our model as the NamedTuple of `parameters_type`; V_min is -inf."""
    names = {name: _COEFFICIENTS.get(name, name) for name in _MODEL.parameters}
    values = {name: lanes.constant(f"{owner}.{known}", given[known], "") for name, known in names.items()}
    return parameters_type(_MODEL)(**values, V_min=jnp.asarray(-math.inf, lanes.dtype))


def _rows(where: str, values, lanes: Lanes) -> jax.Array:
    """An input as (n_steps, lanes), or (n_steps,) where all neurons share it."""
    return jax.vmap(lambda row: lanes.constant(f"{where}[k]", row, ""))(array(where, values, "", lanes.dtype))


def _refractoriness(owner: str, lanes: Lanes, given: Arrays) -> tuple[jax.Array, jax.Array, Any]:
    """(last spike time, tau_ref, (times of the steps,)), ms; (0, 0, ()) for neurons without refractoriness."""
    if "times" not in given:
        return jnp.int32(0), jnp.int32(0), ()
    last = lanes.state("last_spike_time", given["last_spike_time"], "")
    tau_ref = lanes.constant(f"{owner}.tau_ref", given["tau_ref"], "")
    return last, tau_ref, (jnp.asarray(given["times"], lanes.dtype),)
