"""One step of a neuron for JAX: the equations and rules of the kernels, with a derivative for spikes and resets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from izhnumba._model.equations import Variant, equations
from izhnumba._model.model import Model
from izhnumba._model.schemes import Scheme
from izhnumba.jax._exprel import exprel

Spike = Callable[[Any], Any]  # (scaled distance from threshold) -> 0 or 1, with a derivative


class Cell(NamedTuple):
    """All that the code of a step depends on, hashable: JAX traces and compiles once for each. The rest is data."""

    model: Model
    scheme: Scheme
    dtype: str  # "float32" or "float64"
    reset: str  # "hard", "soft" or "overshoot"
    surrogate: Spike  # whose derivative a spike has
    detach_reset: bool  # whether the spike has no derivative in the reset of u
    hold: str  # "steps" or "time": how a refractory period is counted; "" if there is none
    floor: bool  # whether there is a V_min
    deltas: bool  # whether there are jumps of V
    conductances: bool

    @property
    def variant(self) -> Variant:
        return Variant(
            self.model, self.scheme, self.dtype, self.reset, refractory=bool(self.hold), floor=self.floor,
            deltas=self.deltas, conductances=self.conductances,
        )  # fmt: skip


def parameters_type(model: Model):
    """The type of `p`: a NamedTuple of the model's parameters and V_min."""
    return model.named_tuple("V_min")


def constants(cell: Cell, p, dt) -> tuple[Any, ...]:
    """Constants of a step: the parameters, V_min if there is a floor, and the factor by which exponential Euler
    multiplies du. p: of `parameters_type`; dt in ms."""
    *parameters, V_min = p
    gain = [dt * cell.model.rate(p) * exprel(dt * cell.model.u_slope(p))] if cell.scheme.exponential else []
    return *parameters, *[V_min] * cell.floor, *gain


def step(cell: Cell) -> Callable[..., Any]:
    """The function `one_step` of a neuron of this kind, on arrays of JAX or single numbers."""
    assert cell.scheme.rule is not None  # the exact scheme, which has none, has gradients of its own
    rule = cell.scheme.rule(equations(cell.variant, lambda f: f, _dt_exprel, _times_exprel))
    spike, reset = _spike(cell), _reset(cell)

    def one_step(V, u, refractory, x, p, gain, dt):
        """One step: the rule, and the reset before or after it.

        Parameters
        ----------
        V, u : mV, mV/ms (pA)
            Before the step.
        refractory : bool
            Whether the neuron is refractory in this step.
        x : tuple (I, delta, g, g E, None, None)
            Inputs of the step, as a rule of `_model/schemes.py` takes them.
        p : NamedTuple of `parameters_type`
        gain : last of `constants` with exponential Euler, else None
        dt : ms

        Returns
        -------
        V, u, spiked, s
            The state after the step, whether the neuron spiked, and that as a number with a derivative.
        """
        if cell.scheme.reset_first:
            V, u = reset(V, u, *spike(V, u, False, p), p)
        V_new, u_new, _ = rule(V, u, x, p, gain, dt, True)
        if cell.hold:
            V_new, u_new = jnp.where(refractory, V, V_new), jnp.where(refractory, u, u_new)
        spiked, s = spike(V_new, u_new, refractory, p)
        if not cell.scheme.reset_first:
            V_new, u_new = reset(V_new, u_new, spiked, s, p)
        return V_new, u_new, spiked, s

    return one_step


def refractoriness(cell: Cell) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Two functions: `is_refractory(memory, period, t)`, in the step at time t, and
    `renew(memory, period, t, refractory, spiked)`, the memory after the step.

    Counted in steps, memory is how many refractory steps are left, and period how many follow a spike. Counted in time,
    as brainpy.state does it, they are the time of the last spike and tau_ref, both in ms."""
    if cell.hold == "time":
        return (
            lambda last, tau_ref, t: t - last < tau_ref,
            lambda last, tau_ref, t, refractory, spiked: jnp.where(spiked, t, last),
        )
    return (
        lambda left, period, t: left > 0,
        lambda left, period, t, refractory, spiked: jnp.where(spiked, period, left - refractory.astype(left.dtype)),
    )


def _dt_exprel(dt, z, wide):
    return dt * exprel(z)


def _times_exprel(factor, z):
    return factor * exprel(z)


def _spike(cell: Cell) -> Callable[..., Any]:
    """`spike(V, u, refractory, p)` -> whether the neuron spikes, and that as a number with the derivative of the
    surrogate."""

    @jax.custom_jvp
    def as_number(x, spiked):
        return spiked.astype(x.dtype)

    @as_number.defjvp
    def _(primals, tangents):
        x, spiked = primals
        return as_number(x, spiked), jax.jvp(cell.surrogate, (x,), (tangents[0],))[1]

    def spike(V, u, refractory, p):
        threshold = cell.model.threshold(u, p)
        spiked = V > threshold if cell.scheme.strict_test else V >= threshold
        if cell.hold == "steps" and refractory is not False:
            spiked = spiked & ~refractory
        scale = jnp.abs(threshold)
        return spiked, as_number((V - threshold) / jnp.where(scale > 0, scale, 1), spiked)

    return spike


def _reset(cell: Cell) -> Callable[..., Any]:
    """`reset(V, u, spiked, s, p)` -> V and u, reset where `spiked`; s is the spike with a derivative.

    As in brainpy.state, that derivative reaches u alone; with `detach_reset` not even u."""

    @jax.custom_jvp
    def changed(s, spiked, before, after):
        return jnp.where(spiked, after, before)

    @changed.defjvp
    def _(primals, tangents):
        s, spiked, before, after = primals
        ds, _, dbefore, dafter = tangents
        return changed(*primals), jnp.where(spiked, dafter, dbefore) + ds * (after - before)

    def reset(V, u, spiked, s, p):
        target = cell.model.V_reset(u, p)
        if cell.reset == "soft":
            target = V - cell.model.threshold(u, p)
        if cell.reset == "overshoot":
            target = target + (V - cell.model.threshold(u, p))
        u_after = cell.model.u_reset(u, p)
        u_after = jnp.where(spiked, u_after, u) if cell.detach_reset else changed(s, spiked, u, u_after)
        return jnp.where(spiked, target, V), u_after

    return reset
