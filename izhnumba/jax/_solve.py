"""A run of neurons on flat arrays, with gradients: by JAX through `lax.scan`, or by two kernels.

The second kernel goes backwards in time: its step is the derivative of the first one's, which JAX finds. It needs V and
u at the start of each step, which the first one writes down when gradients are taken.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from izhnumba.jax._neuron import Cell, parameters_type, refractoriness, step
from izhnumba.jax._reverse import reverse_mode
from izhnumba.jax._scan import FIRST_REVERSE, by_kernel, by_xla

Arrays = tuple[jax.Array, ...]
Leaf = TypeVar("Leaf")


class ScanTask(NamedTuple):
    """All that the code of a run depends on, hashable: JAX traces and compiles once for each."""

    cell: Cell
    inputs: tuple[str, ...]  # of I, delta, g and g E: "constant" or "row", or "" for one that is not given
    record: tuple[str, ...]  # names, of "spikes", "V", "u"
    n_steps: int


class Data(NamedTuple, Generic[Leaf]):
    """The arrays of a run, a pytree; the leaves are bools or cotangents where gradients are taken.

    Attributes
    ----------
    V, u : (lanes,), mV, mV/ms (pA)
        At the start.
    memory : (lanes,)
        Of refractoriness: int32, steps left, or the time of the last spike, ms.
    constants : tuple of () or (lanes,)
        Those of `_neuron.constants`, then the constant inputs.
    rows : tuple of (n_steps,) or (n_steps, lanes)
        The other inputs.
    dt : (), ms
    period : () or (lanes,)
        Refractory period: int32, steps, or tau_ref, ms.
    t : ((n_steps,),), ms, or ()
        Times of the steps, if refractoriness is counted in time.
    """

    V: Leaf
    u: Leaf
    memory: Leaf
    constants: tuple[Leaf, ...]
    rows: tuple[Leaf, ...]
    dt: Leaf
    period: Leaf
    t: tuple[Leaf, ...] = ()


Solver = Callable[[Data[jax.Array]], tuple[Arrays, Arrays]]
Kept = tuple[Data[jax.Array], Arrays]  # for gradients: the data, and the carry at the start of each step


def by_scan(task: ScanTask) -> Solver:
    """`solve(data)` -> ((V, u, memory) after the last step; recorded rows in the order of `task.record`), by
    `lax.scan`."""
    one_step = _forwards(task, traced=False)

    def solve(data: Data[jax.Array]) -> tuple[Arrays, Arrays]:
        state, outs = by_xla(one_step, *_operands(task, data), task.n_steps)
        return _with_memory(state, data), outs

    return solve


@functools.cache
def by_kernels(task: ScanTask) -> Solver:
    """The same by compiled kernels, with gradients in reverse mode."""
    fastmath = task.cell.scheme.fastmath

    def forwards(data: Data[jax.Array], traced: bool) -> tuple[Arrays, Arrays]:
        state, outs = by_kernel(_forwards(task, traced), *_operands(task, data), task.n_steps, fastmath=fastmath)
        return _with_memory(state, data), outs

    def run(data: Data[jax.Array]) -> tuple[tuple[Arrays, Arrays], Kept]:
        state, outs = forwards(data, traced=True)
        n = len(task.record)
        return (state, outs[:n]), (data, outs[n:])

    def pull_back(kept: Kept, wanted: Data[bool], cotangents) -> Data[jax.Array | None]:
        return _pulled_back(task, *kept, wanted, *cotangents)

    return reverse_mode(functools.partial(forwards, traced=False), run, pull_back, FIRST_REVERSE)


def _operands(task: ScanTask, data: Data[jax.Array]) -> tuple[Arrays, Arrays, Arrays]:
    """(carry, constants, rows) of the scan."""
    rows = (*data.t, *data.rows)
    if task.cell.hold:
        return (data.V, data.u, data.memory), (*data.constants, data.dt, data.period), rows
    return (data.V, data.u), (*data.constants, data.dt), rows


def _with_memory(state: Arrays, data: Data[jax.Array]) -> Arrays:
    """(V, u, memory): without a refractory period the carry has no memory, and that afterwards is 0."""
    return state if len(state) == 3 else (*state, jnp.zeros_like(data.memory))


@functools.cache
def _neuron(task: ScanTask) -> Callable[..., Any]:
    """The function `neuron`: one step of a neuron, with the numbers that are recorded."""
    cell = task.cell
    p_type, one_step = parameters_type(cell.model), step(cell)

    def neuron(V, u, refractory, constants, rows, dt):
        """One step.

        Parameters
        ----------
        V, u : mV, mV/ms (pA)
            Before the step.
        refractory : bool
        constants : as in `Data`
        rows : the numbers of this step
        dt : ms

        Returns
        -------
        V, u, spiked, recorded numbers
        """
        given = iter(constants)
        values = [next(given) for _ in cell.model.parameters]
        p = p_type(*values, V_min=next(given) if cell.floor else None)
        gain = next(given) if cell.scheme.exponential else None
        sources = {"constant": given, "row": iter(rows)}
        I, delta, g, gE = (next(sources[kind]) if kind else jnp.zeros_like(V) for kind in task.inputs)  # noqa: E741
        V, u, spiked, s = one_step(V, u, refractory, (I, delta, g, gE, None, None), p, gain, dt)
        known = {"spikes": s, "V": V, "u": u}
        return V, u, spiked, tuple(known[name] for name in task.record)

    return neuron


@functools.cache
def _forwards(task: ScanTask, traced: bool) -> Callable[..., Any]:
    """The step of the scan. Recorded numbers come out, and if `traced` also the carry at the start of the step."""
    neuron, hold = _neuron(task), task.cell.hold
    is_refractory, renew = refractoriness(task.cell)

    def forwards(carry, constants, rows):
        (V, u, *memory), (constants, dt, *period) = carry, _parted(constants, bool(hold))
        t, inputs = (rows[0], rows[1:]) if hold == "time" else (None, rows)
        refractory = is_refractory(*memory, *period, t) if hold else False
        V, u, spiked, outs = neuron(V, u, refractory, constants, inputs, dt)
        renewed = (renew(*memory, *period, t, refractory, spiked),) if hold else ()
        return (V, u, *renewed), (*outs, *carry) if traced else outs

    return forwards


def _parted(operands: Arrays, hold: bool) -> tuple[Any, ...]:
    """(constants, dt), or (constants, dt, period), from the constants of the scan."""
    n = len(operands) - 1 - hold
    return operands[:n], *operands[n:]


def _pulled_back(
    task: ScanTask, data: Data[jax.Array], trace: Arrays, wanted: Data[bool], state_bar, outs_bar
) -> Data[jax.Array | None]:
    """Cotangents of the data from those of the results, by a kernel that goes backwards in time.

    Parameters
    ----------
    task : ScanTask
    data : Data
    trace : tuple of (n_steps, lanes)
        The carry at the start of each step.
    wanted : Data of bool
        The arrays of which the cotangent is used.
    state_bar, outs_bar : tuples of arrays, or None for 0
        Cotangents of the state after the last step and of the recorded rows.
    """
    given = tuple(bar is not None for bar in outs_bar)
    constants_wanted, rows_wanted = wanted.constants, wanted.rows
    V_bar, u_bar = (jnp.zeros_like(data.V) if bar is None else bar for bar in state_bar[:2])
    sums = tuple(jnp.zeros_like(data.V) for want in constants_wanted if want)
    rows = (*trace, *data.t, *data.rows, *(bar for bar, good in zip(outs_bar, given, strict=True) if good))
    (V_bar, u_bar, *sums_bar), rows_bar = by_kernel(
        _backwards(task, given, constants_wanted, rows_wanted), (V_bar, u_bar, *sums), _operands(task, data)[1], rows,
        task.n_steps, fastmath=task.cell.scheme.fastmath, backwards=True,
    )  # fmt: skip
    constants_bar = _spread(sums_bar, data.constants, constants_wanted)
    rows_bar = _spread(rows_bar, data.rows, rows_wanted)
    return Data(V_bar, u_bar, None, constants_bar, rows_bar, None, None, (None,) * len(data.t))


def _spread(bars, like: Arrays, wanted: tuple[bool, ...]) -> tuple[Any, ...]:
    """Cotangents of the arrays that are wanted, summed over lanes where these share a number; None for the others."""
    rest = iter(bars)
    found = (next(rest) if want else None for want in wanted)
    pairs = zip(found, like, strict=True)
    return tuple(bar if bar is None or bar.ndim == x.ndim else jnp.sum(bar, axis=-1) for bar, x in pairs)


@functools.cache
def _backwards(
    task: ScanTask, given: tuple[bool, ...], constants_wanted: tuple[bool, ...], rows_wanted: tuple[bool, ...]
) -> Callable[..., Any]:
    """The step of the scan backwards in time. The carry: cotangents of V and u, and the sums so far for those constants
    that are wanted. given: which recorded rows have a cotangent."""
    neuron, hold, (is_refractory, _) = _neuron(task), task.cell.hold, refractoriness(task.cell)

    def backwards(carry, operands, rows):
        (V_bar, u_bar, *sums), (constants, dt, *period), rest = carry, _parted(operands, bool(hold)), iter(rows)
        V, u = next(rest), next(rest)
        memory = next(rest) if hold else None
        refractory = is_refractory(memory, *period, next(rest) if hold == "time" else None) if hold else False
        inputs, bars = [next(rest) for _ in rows_wanted], tuple(rest)

        def forwards(V, u, chosen_constants, chosen_inputs):
            all_constants = _merged(constants, constants_wanted, chosen_constants)
            all_inputs = _merged(inputs, rows_wanted, chosen_inputs)
            V, u, _, outs = neuron(V, u, refractory, all_constants, all_inputs, dt)
            return V, u, tuple(out for out, good in zip(outs, given, strict=True) if good)

        chosen = _chosen(constants, constants_wanted), _chosen(inputs, rows_wanted)
        _, pull_back = jax.vjp(forwards, V, u, *chosen)
        V_bar, u_bar, more, rows_bar = pull_back((V_bar, u_bar, bars))
        return (V_bar, u_bar, *(total + term for total, term in zip(sums, more, strict=True))), rows_bar

    return backwards


def _chosen(values, wanted: tuple[bool, ...]) -> Arrays:
    """Those of the values that are wanted."""
    return tuple(value for value, want in zip(values, wanted, strict=True) if want)


def _merged(values, wanted: tuple[bool, ...], chosen: Arrays) -> Arrays:
    """The values, with those that are wanted replaced by `chosen`, in order."""
    rest = iter(chosen)
    return tuple(next(rest) if want else value for value, want in zip(values, wanted, strict=True))
