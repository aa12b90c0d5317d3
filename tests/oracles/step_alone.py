"""The step of a neuron without the kernel around it, compiled in a tenth of the time: for the cells of a matrix."""

from __future__ import annotations

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from izhnumba._clock.constants import DERIVED, derived
from izhnumba._clock.kernels.neuron import neuron_step
from izhnumba._model.equations import Variant
from izhnumba._numba import intrinsics  # noqa: F401  (tells Numba what izhnumba.where is)
from izhnumba._numba.compile import compiled, inlined


class StepAlone:
    """Advances the states of a population by the step that its kernel is made of, one neuron after the other."""

    def __init__(self, pop, reset, inputs, refractory=False, floor=False):
        given = {name: np.asarray(getattr(pop, name), np.float64) for name in (*pop.model.parameters, "V_min")}
        with np.errstate(all="ignore"):
            known = derived(pop.model, pop.scheme, reset, pop.dt, pop.model.named_tuple("V_min")(**given))
        conductances = inputs in ("conductance", "all")
        variant = Variant(
            pop.model, pop.scheme, pop.dtype.name, reset, refractory=refractory, floor=floor,
            deltas=inputs in ("delta", "all"), conductances=conductances,
            affine=known.affine and not conductances, short=known.short and not conductances,
        )  # fmt: skip
        p_type, values = pop.model.named_tuple("V_min", *DERIVED), (given | known.values).values()
        self.pop, self.p = pop, np.stack([np.broadcast_to(x, pop.n) for x in values], 1).astype(pop.dtype)
        step, WIDTH = inlined(neuron_step(variant)), self.p.shape[1]

        def all_steps(V, u, held, spikes, inputs, parameters, dt):
            for i in range(V.size):
                p, x = p_type(*to_fixed_tuple(parameters[i], WIDTH)), to_fixed_tuple(inputs[i], 6)
                V[i], u[i], _, spikes[i] = step(V[i], u[i], held[i], x, p, p.gain, dt, True)

        self.call = compiled(all_steps, fastmath=pop.scheme.fastmath)

    def step(self, held, I, delta=None, g=(), E=()):
        pop, none, spikes = self.pop, np.zeros(self.pop.n), np.zeros(self.pop.n, bool)
        gE = [gj * Ej for gj, Ej in zip(g, E, strict=True)]
        inputs = np.stack([I, none if delta is None else delta, sum(g, none), sum(gE, none), none, none], 1)
        self.call(pop.V, pop.u, held, spikes, inputs.astype(pop.dtype), self.p, pop.dtype.type(pop.dt))
        return spikes
