"""One step over plain arrays: the kernel behind `izhnumba.kernel`, for users' own compiled loops."""

from __future__ import annotations

import functools

import numpy as np

from izhnumba._clock.kernels.neuron import neuron_step
from izhnumba._model.equations import Variant
from izhnumba._model.model import Model
from izhnumba._model.schemes import Scheme
from izhnumba._numba.compile import compiled, inlined
from izhnumba._numba.exprel import exprel_full
from izhnumba._numba.intrinsics import WIDEST, add_attribute, parameters_of, put_entries


@functools.cache
def build(model: Model, scheme: Scheme, dtype: str, reset: str):
    """The compiled `step(V, u, I, p, dt, spikes)` -> number of spikes."""
    one_step = neuron_step(Variant(model, scheme, dtype, reset))
    rate, u_slope = inlined(model.rate), inlined(model.u_slope)
    number = np.dtype(dtype).type
    p_type = model.named_tuple()
    EXPONENTIAL = scheme.exponential
    zero = number(0.0)
    FIRST_STATE, N_STATES = len(model.parameters), len(model.states)

    def step(V, u, I, p, dt, spikes):  # noqa: E741
        """Advance V and u in place by dt. Returns the number of spikes.

        Parameters
        ----------
        V, u : real (n,)
        I : real (n,)
            Current, in the unit of the model.
        p : tuple of numbers or arrays, real (n,)
            One for each parameter, and for each state beside V and u its array, which is changed in place.
        dt : float, ms
        spikes : bool or uint8 (n,)
            Set to whether the neuron spiked.
        """
        add_attribute(WIDEST)
        n_spikes, h = 0, number(dt)
        for i in range(np.uint64(V.size)):
            q = parameters_of(p, i, p_type, number)
            gain = zero
            if EXPONENTIAL:
                gain = rate(q) * exprel_full(h, h * u_slope(q))
            x = (I[i], zero, zero, zero, zero, zero)
            V[i], u[i], q, spikes[i] = one_step(V[i], u[i], False, x, q, gain, h, True)
            if N_STATES:
                put_entries(p, i, q, FIRST_STATE, N_STATES, zero)
        for i in range(spikes.size):
            n_spikes += spikes[i]
        return n_spikes

    return compiled(step, fastmath=scheme.fastmath)
