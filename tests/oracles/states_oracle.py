"""The oracle of neurons with states beside V and u. It imports nothing from izhnumba.

`Everything` is the 2003 form with four states that enter whatever they can: calcium (linear, with a constant slope),
the voltage of a dendrite (linear, driven by V and the input), a gate (linear, with a slope that depends on V) and a
rise of the threshold (not linear, and without a slope: Euler). They are attributes of the model, arrays over neurons.
"""

from __future__ import annotations

import numpy as np
from oracle import RESET_FIRST, Oracle, Quadratic, exprel, synaptic

NAMES = ("ca", "dend", "gate", "rise")
PARAMETERS = dict(
    g_ca=0.3, g_dend=0.2, g_gate=0.05, E_gate=-80.0, r_ca=0.01, jump=1.0, r_dend=0.1, E_dend=-65.0, share=0.05,
    r_gate=0.2, r_rise=0.02, bend=0.003, lift=1.5, ca_u=0.1,
)  # fmt: skip


class Everything(Quadratic):
    def __init__(self, **parameters):
        own = {name: parameters.pop(name, value) for name, value in PARAMETERS.items()}
        super().__init__(**parameters)
        vars(self).update(own)

    def current(self, V, u, I):
        coupled = self.g_dend * (self.dend - V) - self.g_ca * self.ca - self.g_gate * self.gate * (V - self.E_gate)
        return super().current(V, u, I) + coupled

    def current_slope(self, V):
        return super().current_slope(V) - self.g_dend - self.g_gate * self.gate

    def drive(self, V, u, region):
        return super().drive(V, u, region) + self.ca_u * self.ca

    def threshold(self, u):
        return self.V_th + self.rise

    def reset_value(self, u):
        return self.c + 0.5 * self.rise

    def kicked(self, u):
        return u + self.d + 0.1 * self.ca

    def opening(self, V):
        return self.r_gate / (1 + 0.01 * (V + 50) * (V + 50))  # 1/ms

    def derivative(self, name, V, u, I):
        if name == "ca":
            return -self.r_ca * self.ca
        if name == "dend":
            return (
                self.r_dend * (self.E_dend - self.dend)
                + self.g_dend * (V - self.dend)
                + self.share * I
                + 0.01 * self.ca
            )
        if name == "gate":
            return self.opening(V) * (np.where(V > -60, 1.0, 0.1) - self.gate)
        return -self.r_rise * self.rise - self.bend * self.rise * self.rise + 0.001 * (self.dend - self.E_dend)

    def slope(self, name, V):
        return {"ca": -self.r_ca, "dend": -self.r_dend - self.g_dend, "gate": -self.opening(V)}.get(name)

    def after(self, name, u):
        """The state after a spike."""
        return {"ca": self.ca + self.jump, "dend": self.dend, "gate": self.gate * 0.5,
                "rise": self.rise + self.lift + 0.01 * u}[name]  # fmt: skip


class StatesOracle(Oracle):
    """`Oracle` of a model whose states are attributes of it, named in `names`."""

    def __init__(self, n, model, *args, names=NAMES, start=None, **options):
        super().__init__(n, model, *args, **options)
        self.names = names
        for name in names:
            setattr(model, name, np.full(n, (start or {}).get(name, 0.0), self.dtype))

    @property
    def states(self):
        return {name: getattr(self.model, name) for name in self.names}

    def put(self, states):
        for name, values in states.items():
            setattr(self.model, name, np.asarray(values).astype(self.dtype))

    def step(self, I=0.0, delta=0.0, g=(), E=()):
        self.held = self.left > 0
        return super().step(I, delta, g, E)

    def _reset(self, which):
        after = {name: np.where(which, self.model.after(name, self.u), now) for name, now in self.states.items()}
        super()._reset(which)
        self.put(after)

    def _derivative(self, name, V, u, I, g, E):
        return self.model.derivative(name, V, u, I + sum(synaptic(gj, Ej, V) for gj, Ej in zip(g, E, strict=True)))

    def _keep(self, before):
        """Refractory neurons keep their states."""
        self.put({name: np.where(self.held, before[name], now) for name, now in self.states.items()})

    def _then_states(self, rule, V, u, I, delta, g, E):
        """V and u by a rule, then the states, one after the other, from the new values of all before them."""
        before = self.states
        V, u = rule(V, u, I, delta, g, E)
        for name in self.names:
            h, slope = self.dt, self.model.slope(name, V)
            if self.scheme == "exp_euler" and slope is not None:
                h = self.dt * exprel(self.dt * slope)
            self.put({name: getattr(self.model, name) + h * self._derivative(name, V, u, I, g, E)})
        self._keep(before)
        return V, u

    def _exp_euler(self, *args):
        return self._then_states(super()._exp_euler, *args)

    def _izhikevich2003(self, *args):
        return self._then_states(super()._izhikevich2003, *args)

    def _izhikevich2004(self, *args):
        return self._then_states(super()._izhikevich2004, *args)

    def _nest_published(self, V, u, I, delta, g, E):
        low, self.V_min = self.V_min, -np.inf  # the floor comes last
        V, u = self._then_states(super()._nest_published, V, u, I, delta, g, E)
        self.V_min = low
        return np.maximum(V, low), u

    def _euler(self, V, u, I, delta, g, E):
        """All from the old values."""
        before = self.states
        after = {name: now + self.dt * self._derivative(name, V, u, I, g, E) for name, now in before.items()}
        V, u = super()._euler(V, u, I, delta, g, E)
        self.put(after)
        self._keep(before)
        return V, u

    _nest = _euler

    def _stages(self, shares, weights, V, u, I, delta, g, E):
        """A rule of Runge and Kutta: each stage is a share of a step along the slopes of the one before."""
        start, slopes = {"V": V, "u": u, **self.states}, []
        k = dict.fromkeys(start, 0.0)
        for share in shares:
            point = {name: value + share * self.dt * k[name] for name, value in start.items()}
            self.put({name: point[name] for name in self.names})
            V, u = point["V"], point["u"]
            k = {"V": self._current(V, u, I, g, E) / self.model.C, "u": self.model.rate * self.model.drive(V, u, V)}
            k |= {name: self._derivative(name, V, u, I, g, E) for name in self.names}
            slopes.append(k)
        new = {name: value + self.dt * sum(w * k[name] for w, k in zip(weights, slopes, strict=True))
               for name, value in start.items()}  # fmt: skip
        self.put({name: new[name] for name in self.names})
        self._keep(start)
        return np.maximum(new["V"] + delta, self.V_min), new["u"]

    def _midpoint(self, *args):
        return self._stages((0.0, 0.5), (0.0, 1.0), *args)

    def _heun(self, *args):
        return self._stages((0.0, 1.0), (0.5, 0.5), *args)

    def _rk4(self, *args):
        return self._stages((0.0, 0.5, 0.5, 1.0), (1 / 6, 1 / 3, 1 / 3, 1 / 6), *args)


assert RESET_FIRST == ("exp_euler", "izhikevich2003")  # in which states are reset at the start of the next step, too
