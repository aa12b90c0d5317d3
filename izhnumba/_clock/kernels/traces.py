"""What a rule of plasticity finds when it is called in a step: traces, decayed until then, and the eligibility.

A trace decays by a table, which holds what is left after k steps, or, if synapses have time constants of their own, by
their rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.plastic_state import RuleForm
from izhnumba._numba.compile import inlined
from izhnumba._numba.records import GET_X, GET_Y, PUT_X, PUT_Y
from izhnumba._numba.tuples import put_tuple, tuple_of

Array = NDArray[Any]


class Arrays(NamedTuple):
    """The arrays of a projection, taken from its table once: else a kernel reads their addresses again after every
    store. x_decays, y_decays, fading: what is left of a trace, and of an eligibility, after k steps, or the rates of
    each synapse."""

    offsets: Array
    w: Array
    memory: Array
    y: tuple[Array, ...]
    spiked: Array
    starts: Array
    incoming: Array
    v: tuple[Array, ...]
    x_decays: tuple[Array, ...]
    y_decays: tuple[Array, ...]
    fading: Array


class Traces(NamedTuple):
    """Functions for kernels. a: Arrays; s: a synapse; lane: of its target; now: a step; fade: as `fade_after` gives it.

    x_of, y_of (a, s, lane, now) -> the traces at present; v_of (a, s, lane, now) -> what is seen of the target; put_x
    (a, s, lane, x, now), put_y (a, s, lane, y); e_of (a, s, fade) -> the eligibility at present; put_e (a, s, e, fade);
    fade_after (a, steps) -> what is left of an eligibility so many steps after the latest update, or these steps, if
    synapses have time constants of their own.
    """

    x_of: Any
    y_of: Any
    v_of: Any
    put_x: Any
    put_y: Any
    e_of: Any
    put_e: Any
    fade_after: Any


def traces(form: RuleForm, number: type[np.floating[Any]]) -> Traces:
    """The functions for a rule of this form. number: the dtype class of weights."""
    N_X, N_Y, HAS_E, NEAREST, FADES = form.n_x, form.n_y, form.keeps_e, form.nearest, form.fades
    OWN_Y, E_VARIES = form.own_y, form.e_varies
    zero, one = number(0.0), number(1.0)

    def by_table(decays, trace, s, steps):
        """A trace `steps` steps after its last event. decays: the last entry, 0, stands for all later steps."""
        return trace * decays[min(np.uint64(steps), np.uint64(decays.size - 1))]

    def by_rate(rates, trace, s, steps):
        """The same of synapse s, with a rate of its own."""
        return trace * number(math.exp(-number(steps) * rates[s]))

    def x_part(k: int) -> Callable[..., Any]:
        get, faded = inlined(GET_X[k]), inlined(by_rate if form.x_varies >> k & 1 else by_table)

        def latest(a, s, lane, steps):
            return faded(a.x_decays[k], one, s, steps)

        def kept(a, s, lane, steps):
            return faded(a.x_decays[k], get(a, s), s, steps)

        return latest if NEAREST else kept

    def y_part(j: int) -> Callable[..., Any]:
        get, faded = inlined(GET_Y[j]), inlined(by_rate if form.y_varies >> j & 1 else by_table)

        def of_target(a, s, lane, steps):
            return faded(a.y_decays[j], a.y[j][lane], s, steps)

        def of_synapse(a, s, lane, steps):
            return faded(a.y_decays[j], get(a, s), s, steps)

        return of_synapse if OWN_Y else of_target

    def put_y_part(j: int) -> Callable[..., Any]:
        def to_target(a, s, lane, value):
            a.y[j][lane] = value

        return to_target

    x_after, y_after = tuple_of([x_part(k) for k in range(N_X)]), tuple_of([y_part(j) for j in range(N_Y)])
    put_each_x = put_tuple([] if NEAREST else PUT_X[:N_X])

    def x_of(a, s, lane, now):
        return x_after(a, s, lane, np.uint32(np.uint32(now) - a.memory[s].arrival) if N_X else np.uint32(now))

    def y_of(a, s, lane, now):
        return y_after(a, s, lane, now - a.spiked[lane] if N_Y else now)

    def put_x(a, s, lane, x, now):
        if N_X > 0:
            a.memory[s].arrival = np.uint32(now)
        put_each_x(a, s, lane, x)

    def left_of(a, s, fade):
        return number(math.exp(-fade * a.fading[s])) if E_VARIES else fade

    left = inlined(left_of)

    def e_of(a, s, fade):
        return a.memory[s].e * left(a, s, fade) if HAS_E else zero

    def put_e(a, s, e, fade):
        if HAS_E:
            a.memory[s].e = e / left(a, s, fade)

    def fade_after(a, steps):
        if E_VARIES:
            return number(steps)
        return a.fading[steps] if FADES else one

    def v_part(j: int) -> Callable[..., Any]:
        def of_target(a, s, lane, now):
            return a.v[j][lane]

        return of_target

    v_of = tuple_of([v_part(j) for j in range(form.n_v)])
    put_y = put_tuple(PUT_Y[:N_Y] if OWN_Y else [put_y_part(j) for j in range(N_Y)])
    return Traces(inlined(x_of), inlined(y_of), v_of, inlined(put_x), put_y, inlined(e_of), inlined(put_e),
                  inlined(fade_after))  # fmt: skip
