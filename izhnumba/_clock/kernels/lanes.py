"""The step of a variant for all lanes of a block: the only kernel of the clock engine that knows the equations.

It is called by its address from kernels that serve every variant, so a new model or scheme compiles little. The loop
over lanes is written so that LLVM vectorises it: whole rows from index 0, selects instead of branches, no integer wider
than a number of the state.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype
from numba.core.errors import NumbaError

from izhnumba._clock.kernels import layout
from izhnumba._clock.kernels.neuron import neuron_step, start_of_step
from izhnumba._clock.kernels.receptors import NUMBERS_SIZE, REVERSAL
from izhnumba._model.compiled import compile_equations
from izhnumba._model.equations import Variant, gate_of
from izhnumba._model.state_steps import lane_type
from izhnumba._numba.compile import STRICT, address_of, inlined
from izhnumba._numba.exprel import exprel_full
from izhnumba._numba.intrinsics import (
    WIDEST,
    add_attribute,
    array_at,
    interleaved,
    ints_at,
    parameter_lanes,
    parameters_of,
    put_entries,
)


@functools.cache
def step_lanes(variant: Variant) -> int:
    """Address of `step_lanes(table, work, careful)` -> careful (`build`)."""
    return _address(build(variant), variant, variant.scheme.fastmath)


@functools.cache
def note_current(variant: Variant) -> int:
    """Address of `note_current(table, work, receptor)`: write the current of a receptor in this step to its
    RECEPTOR_CURRENT, or add it there if it is not the first part of one, at the V from which the step leads on."""
    number, start = np.dtype(variant.dtype).type, start_of_step(variant)
    p_type, VARIES = lane_type(variant.model), variant.varies
    share, _ = gate_of(variant, inlined, exprel_full)
    zero = number(0.0)

    def note_current(address, place, receptor_address):
        add_attribute(WIDEST)
        table, work = ints_at(address), ints_at(place)
        receptor = ints_at(receptor_address)
        n, target = work[layout.COUNT], receptor[layout.RECEPTOR_TARGET]
        V_lanes, u_lanes = array_at(work[layout.W_V], n, number), array_at(work[layout.W_U], n, number)
        spikes = array_at(work[layout.W_SPIKES], n, np.uint8)
        y, x = array_at(work[layout.W_Y], n, number), array_at(work[layout.W_X], n, number)
        E = array_at(receptor[layout.RECEPTOR_NUMBERS], NUMBERS_SIZE, number)[REVERSAL]
        addresses = ints_at(table[layout.PARAMETERS])
        parameters = parameter_lanes(addresses, work[layout.FIRST_LANE], number, p_type, VARIES)
        current = array_at(receptor[layout.RECEPTOR_CURRENT] + work[layout.FIRST_LANE] * y.itemsize, n, number)
        for i in range(np.uint64(n)):
            V, _, _ = start(V_lanes[i], u_lanes[i], spikes[i] != 0, parameters_of(parameters, i, p_type, number))
            before = zero if receptor[layout.FIRST_PART] else current[i]
            if target == layout.TO_CURRENT:
                current[i] = before + y[i]
            elif target == layout.TO_GAP:
                current[i] = before + (x[i] - y[i] * V)
            elif target == layout.TO_GATED:
                current[i] = before + share(V) * (y[i] * (E - V))
            elif target == layout.TO_GATED_CURRENT:
                current[i] = before + share(V) * y[i]
            else:
                current[i] = before + y[i] * (E - V)
        return 0

    return _address(note_current, variant)


def _address(kernel: Callable[..., Any], variant: Variant, fastmath: frozenset[str] = STRICT) -> int:
    try:
        return address_of(kernel, fastmath=fastmath)
    except NumbaError:
        compile_equations(variant.model, from_dtype(np.dtype(variant.dtype)))
        raise


def build(variant: Variant) -> Callable[..., Any]:
    """`step_lanes(table, work, careful)` -> careful: one step of all lanes of a block; whether V of a lane
    is below CAREFUL_V or not finite now, so that the next step needs care."""
    number = np.dtype(variant.dtype).type
    p_type, VARIES = lane_type(variant.model), variant.varies
    all_lanes, SIZE, CAPPED = _all_lanes(variant), layout.CONSTANTS_SIZE, variant.capped

    def step_lanes(address, place, careful):
        add_attribute(WIDEST)
        table, work = ints_at(address), ints_at(place)
        n = work[layout.COUNT]
        V, u = array_at(work[layout.W_V], n, number), array_at(work[layout.W_U], n, number)
        refractory_until = array_at(work[layout.W_UNTIL], n, np.int32)
        spikes = array_at(work[layout.W_SPIKES], n, np.uint8)
        I, delta = array_at(work[layout.W_I], n, number), array_at(work[layout.W_DELTA], n, number)  # noqa: E741
        g, gE = array_at(work[layout.W_G], n, number), array_at(work[layout.W_GE], n, number)
        b, bE = array_at(work[layout.W_B], n, number), array_at(work[layout.W_BE], n, number)
        addresses = ints_at(table[layout.PARAMETERS])
        parameters = parameter_lanes(addresses, work[layout.FIRST_LANE], number, p_type, VARIES)
        inputs, constants = (I, delta, g, gE, b, bE), array_at(table[layout.CONSTANTS], SIZE, number)
        now = np.int32(work[layout.NOW])
        if CAPPED and work[layout.NOW] + table[layout.BASE] == table[layout.BEGAN]:  # V may have been set since
            careful |= above(V, constants[layout.CAP_V])
        return all_lanes(V, u, refractory_until, spikes, inputs, parameters, now, constants, careful)

    return step_lanes


@inlined
def above(V, cap):
    """1 if one of these V is above a cap, else 0."""
    found = np.int32(0)
    for i in range(np.uint64(V.size)):
        found = np.int32(1) if V[i] > cap else found
    return np.int64(found)


def _all_lanes(variant: Variant) -> Callable[..., Any]:
    """The loop of `build`. It is a function of its own because LLVM takes two vectors at a time if parameters are
    arguments, one if it has to load them."""
    step, start = neuron_step(variant), start_of_step(variant)
    p_type = lane_type(variant.model)
    number = np.dtype(variant.dtype).type
    zero = number(0.0)  # zero * V is not a number if V is infinite
    below = number(-np.inf)
    REFRACTORY, SHORT, RESET_FIRST = variant.refractory, variant.short, variant.scheme.reset_first
    AT_ONCE = variant.at_once  # V may be anything above the threshold, where the short way does not hold
    CAPPED = variant.capped  # for exponential Euler alone, which resets first: V of a spike does not matter
    # states beside V and u are among the parameters; V of a neuron is not a number if one of its states is none
    FIRST_STATE, N_STATES = len(variant.model.parameters), len(variant.model.states)
    # where LLVM's own choice of two vectors at a time takes 3 to 6 % longer: with others it is as good or better
    FOUR = (REFRACTORY or CAPPED) if SHORT else variant.scheme.euler_part == 1 and not REFRACTORY

    def all_lanes(V, u, refractory_until, spikes, inputs, parameters, now, constants, careful):
        """One step of the lanes of a block. Returns `careful` of the next.

        Parameters
        ----------
        V, u, refractory_until, spikes : arrays, shape (count,)
            Parts of the arrays in `layout`, changed but for refractory_until.
        inputs : tuple of six arrays, real (count,)
            I, delta, g, gE, b and bE, as x of `_model.schemes`.
        parameters : tuple
            Made by `parameter_lanes`.
        now : int32
            This step, counted from BASE.
        constants : real (CONSTANTS_SIZE,)
        careful : int
            Whether V of a lane may be too low, or too high, for the short way.
        """
        add_attribute(WIDEST)
        I, delta, g, gE, b, bE = inputs  # noqa: E741
        dt, low, cap = constants[layout.DT], constants[layout.CAREFUL_V], constants[layout.CAP_V]
        odd = np.int32(0)
        if SHORT and not AT_ONCE and not careful:
            for i in range(np.uint64(V.size) & ~np.uint64(63)):  # so LLVM knows that rows are whole vectors
                refractory = REFRACTORY and now < refractory_until[i]
                p = parameters_of(parameters, i, p_type, number)
                x = I[i], delta[i], g[i], gE[i], b[i], bE[i]
                V_new, u_new, q, spiked = step(V[i], u[i], refractory, x, p, p.gain, dt, False)
                if N_STATES:
                    V_new = V_new + put_entries(parameters, i, q, FIRST_STATE, N_STATES, zero)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
                if CAPPED:
                    V_new = V_new if (V_new <= cap) | spiked else below
                odd = odd if V_new >= low else np.int32(1)
            if FOUR:
                interleaved(4)
        else:
            for i in range(np.uint64(V.size) & ~np.uint64(63)):
                refractory = REFRACTORY and now < refractory_until[i]
                p = parameters_of(parameters, i, p_type, number)
                x = I[i], delta[i], g[i], gE[i], b[i], bE[i]
                V_old, u_old = V[i], u[i]
                if AT_ONCE:
                    V_old, u_old, p = start(V_old, u_old, spikes[i] != 0, p)
                V_new, u_new, q, spiked = step(V_old, u_old, refractory, x, p, p.gain, dt, True)
                if N_STATES:
                    V_new = V_new + put_entries(parameters, i, q, FIRST_STATE, N_STATES, zero)
                V[i], u[i], spikes[i] = V_new, u_new, spiked
                if not RESET_FIRST:  # else an infinite V counts as a spike here, and `collect` finds it
                    V_new = V_new + zero * V_new
                if CAPPED:
                    V_new = V_new if (V_new <= cap) | spiked else below
                odd = odd if V_new >= low else np.int32(1)
            if FOUR and not SHORT:
                interleaved(4)
        return np.int64(odd != 0)

    return all_lanes
