"""One step of one neuron as a scalar function, put together from a model, a scheme and the input kinds in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core.errors import NumbaError

from izhnumba._compile import compiled, inlined
from izhnumba._kernels.exprel import dt_exprel, dt_exprel_full, exprel_full
from izhnumba._models import Model, equations_of
from izhnumba._schemes import Equations, Scheme


class Variant(NamedTuple):
    """What the compiler must know; every other difference between populations is data."""

    model: Model
    scheme: Scheme
    dtype: str
    reset: str = "hard"
    varies: int = 0  # bit k: parameter k differs between neurons
    refractory: bool = False
    floor: bool = False
    jumps: bool = False
    conductances: bool = False
    ring: bool = False  # V jumps come from synapses
    receptors: bool = False  # synaptic currents and conductances add to the input
    magnesium: float = 0.0  # mM, of the block of NMDA receptors; 0: there are none
    affine: bool = False  # dt_slope is z0 + z1 V, known beforehand
    short: bool = False  # the short exprel holds for every V from CAREFUL_V to the threshold


def neuron_step(variant: Variant) -> Callable[..., Any]:
    """`step(V, u, held, x, p, gain, dt, wide)` -> new V, new u, spiked; the arguments are those of a rule."""
    RESET_FIRST, REFRACTORY = variant.scheme.reset_first, variant.refractory
    at_threshold, reset = _spike(variant)
    assert variant.scheme.rule is not None  # the exact scheme, which has none, has kernels of its own
    rule = inlined(variant.scheme.rule(_equations(variant)))

    def step(V, u, held, x, p, gain, dt, wide):
        if RESET_FIRST:
            V, u = reset(V, u, at_threshold(V, u, p), p)
        V_new, u_new = rule(V, u, x, p, gain, dt, wide)
        if REFRACTORY:
            V, u = V if held else V_new, u if held else u_new
            spiked = at_threshold(V, u, p) & (not held)
        else:
            V, u = V_new, u_new
            spiked = at_threshold(V, u, p)
        if not RESET_FIRST:
            V, u = reset(V, u, spiked, p)
        return V, u, spiked

    return step


def compile_equations(model: Model, number: Any) -> None:
    """Compile the equations one by one, to say in a line which of them Numba does not take, and why."""
    p = types.NamedUniTuple(number, len(model.parameters), model.named_tuple())
    for name, equation, arguments in equations_of(model):
        try:
            dispatcher = compiled(equation)
            dispatcher.compile((*[number] * (len(arguments) - 1), p))
            (compiled_one,) = dispatcher.overloads.values()  # from the disk its types are others of the same names
            result = compiled_one.signature.return_type
            if not isinstance(result, (types.Float, types.Integer)):
                raise TypeError(f"Model.{name} must return a number, got {result} from {equation.__name__}.")
        except NumbaError as error:
            reason = next(line for line in str(error).splitlines()[1:] if line.strip())
            reason = reason.replace("NRT required but not enabled", "it makes a list or an array")
            raise TypeError(
                f"Model.{name} must be an equation that Numba can compile, got {equation.__name__}: "
                f"{reason.strip(' .:')}. Use arithmetic on the arguments and izhnumba.where; the last argument has "
                f"{', '.join(model.parameters)}."
            ) from None


def _equations(variant: Variant) -> Equations:
    """The model's equations with the inputs, the jumps and the floor of this variant folded in."""
    model = variant.model
    dV = inlined(getattr(model.dV, "horner", model.dV) if variant.scheme.horner else model.dV)
    dV_slope = inlined(model.dV_slope)
    HAS_C, C = model.C is not None, inlined(model.C or model.rate)
    AFFINE, CONDUCTANCES, FLOOR = variant.affine, variant.conductances, variant.floor
    JUMP_AS_CURRENT = variant.jumps and variant.scheme.jump_as_current
    JUMP = variant.jumps and not variant.scheme.jump_as_current
    number = np.dtype(variant.dtype).type
    zero, one = number(0.0), number(1.0)
    BLOCKED, steepness, unblocked = variant.magnesium > 0, *magnesium_block(variant.magnesium, number)

    def current_change(V, u, x, p):
        I = x[0]  # noqa: E741
        if CONDUCTANCES:
            I = I + (x[3] - x[2] * V)  # noqa: E741
        if BLOCKED:
            I = I + unblocked(V) * (x[5] - x[4] * V)  # noqa: E741
        if JUMP_AS_CURRENT and HAS_C:
            return dV(V, u, I, p) + x[1] * C(p)
        if JUMP_AS_CURRENT:
            return dV(V, u, I, p) + x[1]
        return dV(V, u, I, p)

    change = inlined(current_change)

    def dt_f(dt, V, u, x, p):
        if HAS_C:
            return dt * change(V, u, x, p) / C(p)
        return dt * change(V, u, x, p)

    def dt_slope(dt, V, x, p):
        if AFFINE:
            return p.z1 * V + p.z0
        dI = -x[2] if CONDUCTANCES else zero
        if BLOCKED:
            B = unblocked(V)
            dI = dI + B * (steepness * (one - B) * (x[5] - x[4] * V) - x[4])
        if HAS_C:
            return dt * (dV_slope(V, dI, p) / C(p))
        return dt * dV_slope(V, dI, p)

    def jump(V, x):
        if JUMP:
            return V + x[1]
        return V

    def floor(V, p):
        if FLOOR:
            return p.V_min if V < p.V_min else V
        return V

    phi = dt_exprel if variant.short else dt_exprel_full
    return Equations(
        inlined(dt_f), inlined(dt_slope), inlined(model.rate), inlined(model.pull), inlined(jump), inlined(floor),
        inlined(phi), number,
    )  # fmt: skip


def magnesium_block(magnesium: float, number: Any) -> tuple[Any, Callable[..., Any]]:
    """The share of NMDA channels that magnesium leaves open at V, and the steepness s of this curve B, whose slope is
    s B (1 - B) (C. E. Jahr and C. F. Stevens 1990)."""
    one, steepness, ratio = number(1.0), number(0.062), number(magnesium / 3.57)

    def unblocked(V):
        z = -steepness * V
        return one / (one + ratio * (one + z * exprel_full(one, z)))

    return steepness, inlined(unblocked)


def start_of_step(variant: Variant) -> Callable[..., Any]:
    """`start(V, u, p)`: V from which a step leads on, after the reset of schemes that reset first."""
    RESET_FIRST = variant.scheme.reset_first
    at_threshold, reset = _spike(variant)

    def start(V, u, p):
        if RESET_FIRST:
            V, u = reset(V, u, at_threshold(V, u, p), p)
        return V

    return inlined(start)


def _spike(variant: Variant) -> tuple[Callable[..., Any], Callable[..., Any]]:
    model = variant.model
    threshold, V_reset, u_reset = inlined(model.threshold), inlined(model.V_reset), inlined(model.u_reset)
    STRICT, SOFT, OVERSHOOT = variant.scheme.strict_test, variant.reset == "soft", variant.reset == "overshoot"
    RESET_FIRST = variant.scheme.reset_first
    infinity = np.dtype(variant.dtype).type(np.inf)

    def at_threshold(V, u, p):
        if RESET_FIRST:
            return threshold(u, p) <= V
        # an infinite V is a failure to be reported: a reset at once would hide it
        if STRICT:
            return (threshold(u, p) < V) & (V < infinity)
        return (threshold(u, p) <= V) & (V < infinity)

    def reset(V, u, spiked, p):
        target = V_reset(u, p)
        if SOFT:
            target = V - threshold(u, p)
        if OVERSHOOT:
            target = target + (V - threshold(u, p))
        return target if spiked else V, u_reset(u, p) if spiked else u

    return inlined(at_threshold), inlined(reset)
