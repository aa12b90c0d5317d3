"""A run of neurons on flat arrays, with gradients: by JAX through `lax.scan`, or by two kernels.

The second kernel goes backwards in time: its step is the derivative of the first one's, as JAX derives it from the same
function. What it needs of the first are V and u at the start of each step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from izhnumba.jax._neuron import Cell, parameters_type, refractoriness, step
from izhnumba.jax._reverse import reverse_mode
from izhnumba.jax._scan import FIRST_REVERSE, by_kernel, by_xla

Arrays = tuple[jax.Array, ...]


class Task(NamedTuple):
    """What a trace depends on. inputs: of I, jump, g and gE, "constant" or "row", or "" where there is none."""

    cell: Cell
    inputs: tuple[str, ...]
    record: tuple[str, ...]
    n_steps: int


class Data(NamedTuple):
    """Flat arrays. memory and period: of refractoriness, with t of all steps if it is a matter of time; constants: of
    those of the cell and the constant inputs; rows: the other inputs."""

    V: Any
    u: Any
    memory: Any
    constants: Any
    rows: Any
    dt: Any
    period: Any
    t: Any = ()


def by_scan(task: Task) -> Callable[[Data], tuple[Arrays, Arrays]]:
    """`solve(data)` -> (V, u, refractory), what is recorded; in plain JAX."""
    one_step = _forwards(task, traced=False)

    def solve(data: Data) -> tuple[Arrays, Arrays]:
        state, outs = by_xla(one_step, *_operands(task, data), task.n_steps)
        return _with_memory(state, data), outs

    return solve


@functools.cache
def by_kernels(task: Task) -> Callable[[Data], tuple[Arrays, Arrays]]:
    """The same in kernels."""
    fastmath = task.cell.scheme.fastmath

    def forwards(data: Data, traced: bool) -> tuple[Arrays, Arrays]:
        state, outs = by_kernel(_forwards(task, traced), *_operands(task, data), task.n_steps, fastmath=fastmath)
        return _with_memory(state, data), outs

    def run(data: Data) -> Any:
        state, outs = forwards(data, traced=True)
        n = len(task.record)
        return (state, outs[:n]), (data, outs[n:])

    def pull_back(kept: Any, wanted: Data, cotangents: Any) -> Data:
        data, trace = kept
        return _pulled_back(task, data, trace, wanted, *cotangents)

    return reverse_mode(functools.partial(forwards, traced=False), run, pull_back, FIRST_REVERSE)


def _operands(task: Task, data: Data) -> tuple[Arrays, Arrays, Arrays]:
    """Carry, constants and rows of a scan."""
    rows = (*data.t, *data.rows)
    if task.cell.hold:
        return (data.V, data.u, data.memory), (*data.constants, data.dt, data.period), rows
    return (data.V, data.u), (*data.constants, data.dt), rows


def _with_memory(state: Arrays, data: Data) -> Arrays:
    """Without a refractory period no neuron is refractory afterwards."""
    return state if len(state) == 3 else (*state, jnp.zeros_like(data.memory))


@functools.cache
def _neuron(task: Task) -> Callable[..., Any]:
    """`neuron(V, u, refractory, constants, rows, dt)` -> V, u, spiked, what is recorded."""
    cell = task.cell
    p_type, one_step = parameters_type(cell.model), step(cell)

    def neuron(V, u, refractory, constants, rows, dt):
        given = iter(constants)
        values = [next(given) for _ in cell.model.parameters]
        p = p_type(*values, V_min=next(given) if cell.floor else None)
        gain = next(given) if cell.scheme.exponential else None
        sources = {"constant": given, "row": iter(rows)}
        I, jump, g, gE = (next(sources[kind]) if kind else jnp.zeros_like(V) for kind in task.inputs)  # noqa: E741
        V, u, spiked, s = one_step(V, u, refractory, (I, jump, g, gE, None, None), p, gain, dt)
        known = {"spikes": s, "V": V, "u": u}
        return V, u, spiked, tuple(known[name] for name in task.record)

    return neuron


@functools.cache
def _forwards(task: Task, traced: bool) -> Callable[..., Any]:
    """The step of a scan; if `traced`, the state at its start comes out, too."""
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
    """The constants, dt and, if there is one, the refractory period."""
    n = len(operands) - 1 - hold
    return operands[:n], *operands[n:]


def _pulled_back(task: Task, data: Data, trace: Arrays, wanted, state_bar, outs_bar) -> Data:
    """Cotangents of the data from those of the results."""
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
    none: Any = (None,) * len(data.t)
    return Data(V_bar, u_bar, None, constants_bar, _spread(rows_bar, data.rows, rows_wanted), None, None, none)


def _spread(bars, like: Arrays, wanted: tuple[bool, ...]) -> tuple[Any, ...]:
    """Cotangents of those that are wanted, summed where all lanes share a number; None for the rest."""
    rest = iter(bars)
    found = (next(rest) if want else None for want in wanted)
    pairs = zip(found, like, strict=True)
    return tuple(bar if bar is None or bar.ndim == x.ndim else jnp.sum(bar, axis=-1) for bar, x in pairs)


@functools.cache
def _backwards(
    task: Task, given: tuple[bool, ...], constants_wanted: tuple[bool, ...], rows_wanted: tuple[bool, ...]
) -> Callable[..., Any]:
    """The step of the scan backwards: the carry holds the cotangents of V and u and the sums for constants."""
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
    return tuple(value for value, want in zip(values, wanted, strict=True) if want)


def _merged(values, wanted: tuple[bool, ...], chosen: Arrays) -> Arrays:
    """`values`, with those that are wanted taken from `chosen`."""
    rest = iter(chosen)
    return tuple(next(rest) if want else value for value, want in zip(values, wanted, strict=True))
