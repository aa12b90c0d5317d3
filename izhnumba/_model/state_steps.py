"""How states beside V and u advance and are reset, as functions of the numbers p of a neuron, of which they are part.

Compiled code has no loops over functions: what does something for all states is composed of what does it for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from izhnumba._model.model import Model
from izhnumba._model.schemes import Scheme, StateSteps
from izhnumba._model.states import gain_of

Function = Callable[..., Any]
Inline = Callable[[Function], Any]  # makes a function one that others can call


# What is derived from the parameters of each lane: gain, by which exponential Euler multiplies du, and z0, z1 with
# dt * dV_slope = z0 + z1 V.
DERIVED = ("gain", "z0", "z1")


def lane_type(model: Model) -> Any:
    """The named-tuple type of all numbers of a lane: parameters, states beside V and u, V_min, DERIVED, and the gain
    dt * exprel(dt * slope) of each state whose slope is constant."""
    return model.named_tuple("V_min", *DERIVED, *map(gain_of, model.gains))


def state_steps(
    model: Model, scheme: Scheme, gains: Sequence[str], inline: Inline, current: Function, exprel: Function
) -> StateSteps:
    """The steps of the states beside V and u, of which there is at least one.

    Parameters
    ----------
    model, scheme
    gains : sequence of str
        States whose gain is a number of p.
    inline, exprel
        As those of `equations`.
    current : function (V, x)
        The input current at V, of all kinds of input.
    """
    from izhnumba._numba.intrinsics import with_entry  # which imports Numba

    first, fields = len(model.parameters), lane_type(model)._fields

    def changing(name: str) -> Function:
        """dt times the derivative of a state."""
        derivative = inline(model.states[name].derivative)

        def change(dt, V, u, x, p):
            return dt * derivative(V, u, current(V, x), p)

        return inline(change)

    def advancing(k: int, name: str) -> Function:
        """p with the new value of state number k."""
        K, derivative, given = first + k, inline(model.states[name].derivative), model.states[name].slope
        EXPONENTIAL, KNOWN = scheme.exponential and given is not None, name in gains
        GAIN, slope = fields.index(gain_of(name)) if KNOWN else 0, inline(given or model.rate)

        def advance(dt, V, u, x, p):
            h = dt
            if EXPONENTIAL and KNOWN:
                h = p[GAIN]
            if EXPONENTIAL and not KNOWN:
                h = exprel(dt, dt * slope(V, p))
            return with_entry(p, K, p[K] + h * derivative(V, u, current(V, x), p))

        return inline(advance)

    def moving(k: int) -> Function:
        """p with h times its change added to state number k."""
        K = first + k

        def move(p, h, changes):
            return with_entry(p, K, p[K] + h * changes[k])

        return inline(move)

    names = list(model.states)

    def single(dt, V, u, x, p):
        return (change(dt, V, u, x, p),)

    def all_changes(changes: Function, name: str) -> Function:
        change = changing(name)

        def of_all(dt, V, u, x, p):
            return changes(dt, V, u, x, p) + (change(dt, V, u, x, p),)  # noqa: RUF005 - Numba does not unpack

        return inline(of_all)

    def in_turn(before: Function, advance: Function) -> Function:
        def one_by_one(dt, V, u, x, p):
            return advance(dt, V, u, x, before(dt, V, u, x, p))

        return inline(one_by_one)

    def moved(before: Function, move: Function) -> Function:
        def each(p, h, changes):
            return move(before(p, h, changes), h, changes)

        return inline(each)

    change = changing(names[0])
    return StateSteps(
        True,
        reduce(all_changes, names[1:], inline(single)),
        reduce(moved, map(moving, range(len(names)))),
        reduce(in_turn, map(advancing, range(len(names)), names)),
        state_choice(model, inline),
    )


def state_reset(model: Model, inline: Inline) -> Function:
    """`reset(u, spiked, p, q)` -> q with the states of p, which are reset if it spiked."""
    from izhnumba._numba.intrinsics import with_entry

    def resetting(k: int, name: str) -> Function:
        K, given = len(model.parameters) + k, model.states[name].reset
        CHANGES, after = given is not None, inline(given or model.u_reset)

        def one(u, spiked, p, q):
            if CHANGES:
                return with_entry(q, K, after(u, p) if spiked else p[K])
            return q

        return inline(one)

    def both(before: Function, other: Function) -> Function:
        def each(u, spiked, p, q):
            return other(u, spiked, p, before(u, spiked, p, q))

        return inline(each)

    found: Function = reduce(both, map(resetting, range(len(model.states)), model.states))
    return found


def state_choice(model: Model, inline: Inline) -> Function:
    """`choose(first, p, q)` -> q, with the states of p if `first`."""
    from izhnumba._numba.intrinsics import with_entry

    def choosing(k: int) -> Function:
        K = len(model.parameters) + k

        def one(first, p, q):
            return with_entry(q, K, p[K] if first else q[K])

        return inline(one)

    def both(before: Function, other: Function) -> Function:
        def each(first, p, q):
            return other(first, p, before(first, p, q))

        return inline(each)

    found: Function = reduce(both, map(choosing, range(len(model.states))))
    return found
