"""An independent, slow and obvious twin of the package, written from the papers and the published programs.

It imports nothing from izhnumba and shares no line with it. One `Oracle` holds N neurons of one model under one scheme;
`step` advances them by one step, operation by operation. All arrays are NumPy, all branches are `np.where`.

A model is written as  C V' = current(V, u, I),  u' = rate * drive(V, u):  the 2003 form has C = 1. This split keeps the
order of operations of the programs that the clock schemes follow: V + (dt * current) / C and u + (dt * rate) * drive.
"""

from __future__ import annotations

import numpy as np

SCHEMES = (
    "exp_euler",
    "euler",
    "izhikevich2003",
    "izhikevich2004",
    "nest",
    "nest_published",
    "rk4",
    "midpoint",
    "heun",
)
RESET_FIRST = ("exp_euler", "izhikevich2003")
RESETS = ("hard", "soft", "overshoot")


class Quadratic:
    """The 2003 form: V' = k2 V^2 + k1 V + k0 - u + I, u' = a (b V - u); at V_th: V = c, u += d."""

    C = 1.0

    def __init__(self, a=0.02, b=0.2, c=-65.0, d=8.0, V_th=30.0, k2=0.04, k1=5.0, k0=140.0):
        self.rate, self.b, self.c, self.d, self.V_th = a, b, c, d, V_th
        self.k2, self.k1, self.k0 = k2, k1, k0

    def current(self, V, u, I):
        return self.k2 * V * V + self.k1 * V + self.k0 - u + I

    def current_slope(self, V):
        return 2 * self.k2 * V + self.k1

    def drive(self, V, u, region):
        return self.b * V - u

    drive_slope = -1.0  # derivative of the drive with respect to u

    def threshold(self, u):
        return self.V_th

    def reset_value(self, u):
        return self.c

    def kicked(self, u):
        return u + self.d


class Accommodation(Quadratic):
    """Panel R of 2004: u' = a b (V - V_b), without a leak of u."""

    drive_slope = 0.0

    def __init__(self, V_b=-65.0, **parameters):
        super().__init__(**parameters)
        self.V_b = V_b

    def drive(self, V, u, region):
        return self.b * (V - self.V_b)


class Book:
    """The 2007 form: C V' = k (V - vr)(V - vt) - u + I, u' = a (U(V) - u), with the rules of the book's cells.

    `region` is the voltage that selects the branch of U. The published program takes the new V for it, and the old V
    for the value, in one and the same forward Euler step; elsewhere both are the same voltage.
    """

    drive_slope = -1.0

    def __init__(self, C, k, vr, vt, vpeak, a, b, c, d, cell="RS"):
        self.C, self.k, self.vr, self.vt, self.vpeak = C, k, vr, vt, vpeak
        self.rate, self.b, self.c, self.d = a, b, c, d
        self.cell = cell.removesuffix("_burst")

    def current(self, V, u, I):
        return self.k * (V - self.vr) * (V - self.vt) - u + I

    def current_slope(self, V):
        return self.k * (2 * V - self.vr - self.vt)

    def drive(self, V, u, region):
        b = self.b
        if self.cell == "FS":
            w = V - self.d  # the recorded parameter table keeps the cell's vb = -55 mV in d
            return np.where(region < self.d, 0.0, 0.025 * (w * w * w)) - u
        if self.cell == "TC":
            b = np.where(region > -65, 0.0, 15.0)
        if self.cell == "RTN":
            b = np.where(region > -65, 2.0, 10.0)
        return b * (V - self.vr) - u

    def threshold(self, u):
        return self.vpeak + {"LTS": -0.1, "TC": 0.1}.get(self.cell, 0.0) * u

    def reset_value(self, u):
        return self.c + {"LTS": 0.04, "TC": -0.1}.get(self.cell, 0.0) * u

    def kicked(self, u):
        if self.cell == "FS":
            return u
        return np.minimum(u + self.d, 670.0) if self.cell == "LTS" else u + self.d


def exprel(z):
    """(exp(z) - 1) / z, with its limit 1 at 0."""
    z = np.asarray(z)
    return np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))


class Blocked:
    """A conductance under the magnesium block of NMDA (Jahr and Stevens 1990), or one that is a function of V."""

    def __init__(self, g, Mg):
        self.g, self.Mg = g, Mg

    def at(self, V):
        if callable(self.Mg):
            return self.g * self.Mg(V)
        return self.g / (1 + self.Mg * np.exp(-0.062 * V) / 3.57)


def synaptic(g, E, V):
    """The current of a conductance."""
    return (g.at(V) if isinstance(g, Blocked) else g) * (E - V)


def slope_of(g, E, V):
    """Its derivative by V, by a step in the imaginary direction, which loses no digits."""
    return np.imag(synaptic(g, E, V + 1e-30j)) / 1e-30


def steps_held(tau_ref, dt):
    """Steps held after a spike: ceil(tau_ref / dt) - 1, where a ratio within 1e-3 of an integer is that integer."""
    ratio = np.asarray(tau_ref, dtype=np.float64) / dt
    whole = np.round(ratio)
    ratio = np.where(np.abs(ratio - whole) < 1e-3, whole, ratio)
    return np.maximum(0, np.ceil(ratio) - 1).astype(int)


class Oracle:
    """N neurons of `model`; after `step` the state is in V, u, spikes, refractory and last_spike_time."""

    def __init__(self, n, model, scheme, dt, V, u, reset="hard", V_min=-np.inf, tau_ref=0.0, dtype=np.float64):
        self.model, self.scheme, self.dt, self.reset, self.V_min = model, scheme, dt, reset, V_min
        self.dtype = np.dtype(dtype)
        self.V = np.full(n, V, dtype=dtype)
        self.u = np.full(n, u, dtype=dtype)
        self.n_held = np.broadcast_to(steps_held(tau_ref, dt), self.V.shape)
        self.left = np.zeros(n, dtype=int)  # steps still to be held
        self.jumps_late = False  # V jumps after the spike test: then schemes that reset first must know who spiked
        self.spikes = np.zeros(n, dtype=bool)
        self.refractory = np.zeros(n, dtype=bool)
        self.last_spike_time = np.full(n, -np.inf)
        self.k = 0

    def step(self, I=0.0, delta=0.0, g=(), E=()):
        """Advance by dt; I, delta and every g, E broadcast against V. Returns the spikes of this step."""
        held = self.held = self.left > 0
        if self.scheme in RESET_FIRST:
            # Held or not: the recorded program does so too. It matters where a soft reset leaves V above threshold.
            self._reset(self.spikes if self.jumps_late else self.V >= self.model.threshold(self.u))
        V, u = self._advanced(self.V, self.u, I, delta, g, E)
        self.V = np.where(held, self.V, V).astype(self.dtype)
        self.u = np.where(held, self.u, u).astype(self.dtype)
        threshold = self.model.threshold(self.u)
        above = self.V > threshold if self.scheme == "izhikevich2004" else self.V >= threshold
        self.spikes = above & ~held & (self.V < np.inf)
        if self.scheme not in RESET_FIRST:
            self._reset(self.spikes)
        self.refractory = held | self.spikes
        self.left = np.where(self.spikes, self.n_held, self.left - held)
        self.k += 1
        self.last_spike_time = np.where(self.spikes, self.k * self.dt, self.last_spike_time)
        return self.spikes

    def jump(self, by):
        """Let V jump after the spike test of the step that has been done, before the reset of who spiked in it: a hard
        one leaves nothing of the jump. Neurons that are held, or will be after this spike, do not jump."""
        lost = self.held | (self.spikes & ((self.reset == "hard") | (self.n_held > 0)))
        self.V = np.where(lost | (by == 0), self.V, np.maximum(self.V + by, self.V_min)).astype(self.dtype)

    def _advanced(self, V, u, I, delta, g, E):
        """By the rule of the scheme; of "euler/5" five times, V jumps the last time, and who is at V_th stays."""
        name, _, n = self.scheme.partition("/")
        rule, dt, n = getattr(self, "_" + name), self.dt, int(n or 1)
        self.dt, over = dt / n, np.zeros(V.shape, bool)
        for k in range(n):
            V_new, u_new = rule(V, u, I, delta if k == n - 1 else 0.0, g, E)
            V, u = np.where(over, V, V_new), np.where(over, u, u_new)
            over = V >= self.model.threshold(u)
        self.dt = dt
        return V, u

    def _reset(self, which):
        value, threshold = self.model.reset_value(self.u), self.model.threshold(self.u)
        if self.reset == "soft":
            value = self.V - threshold
        if self.reset == "overshoot":
            value = value + (self.V - threshold)
        self.V = np.where(which, value, self.V).astype(self.dtype)
        self.u = np.where(which, self.model.kicked(self.u), self.u).astype(self.dtype)

    # One step of each scheme, without reset and refractoriness: (V, u) -> (V, u).

    def _current(self, V, u, I, g, E):
        return self.model.current(V, u, I + sum(synaptic(gj, Ej, V) for gj, Ej in zip(g, E, strict=True)))

    def _euler(self, V, u, I, delta, g, E):
        new = np.maximum(V + (self.dt * self._current(V, u, I, g, E) / self.model.C + delta), self.V_min)
        return new, u + self.dt * self.model.rate * self.model.drive(V, u, new)

    _nest = _euler

    def _nest_published(self, V, u, I, delta, g, E):
        for _ in range(2):
            V = V + 0.5 * self.dt * (self._current(V, u, I, g, E) / self.model.C + delta)  # mV, taken as mV/ms
        u = u + self.dt * self.model.rate * self.model.drive(V, u, V)
        return np.maximum(V, self.V_min), u  # NEST applies the floor after u

    def _izhikevich2003(self, V, u, I, delta, g, E):
        for _ in range(2):
            V = V + 0.5 * self.dt * self._current(V, u, I, g, E) / self.model.C
        V = np.maximum(V + delta, self.V_min)
        return V, u + self.dt * self.model.rate * self.model.drive(V, u, V)

    def _izhikevich2004(self, V, u, I, delta, g, E):
        V = np.maximum(V + self.dt * self._current(V, u, I, g, E) / self.model.C + delta, self.V_min)
        return V, u + self.dt * self.model.rate * self.model.drive(V, u, V)

    def _exp_euler(self, V, u, I, delta, g, E):
        C, dt = self.model.C, self.dt
        slope = (self.model.current_slope(V) + sum(slope_of(gj, Ej, V) for gj, Ej in zip(g, E, strict=True))) / C
        V = (V + dt * exprel(dt * slope) * self._current(V, u, I, g, E) / C) + delta
        V = np.maximum(V, self.V_min)
        rate = self.model.rate
        return V, u + dt * exprel(dt * rate * self.model.drive_slope) * rate * self.model.drive(V, u, V)

    def _midpoint(self, V, u, I, delta, g, E):
        h, r = self.dt, self.model.rate
        V_mid = V + h / 2 * self._current(V, u, I, g, E) / self.model.C
        u_mid = u + h / 2 * r * self.model.drive(V, u, V)
        V = V + h * self._current(V_mid, u_mid, I, g, E) / self.model.C
        return np.maximum(V + delta, self.V_min), u + h * r * self.model.drive(V_mid, u_mid, V_mid)

    def _heun(self, V, u, I, delta, g, E):
        h, r = self.dt, self.model.rate
        V1, u1 = h * self._current(V, u, I, g, E) / self.model.C, h * r * self.model.drive(V, u, V)
        V2 = h * self._current(V + V1, u + u1, I, g, E) / self.model.C
        u2 = h * r * self.model.drive(V + V1, u + u1, V + V1)
        return np.maximum(V + (V1 + V2) / 2 + delta, self.V_min), u + (u1 + u2) / 2

    def _rk4(self, V, u, I, delta, g, E):
        def slopes(V, u):
            return self._current(V, u, I, g, E) / self.model.C, self.model.rate * self.model.drive(V, u, V)

        h = self.dt
        V1, u1 = slopes(V, u)
        V2, u2 = slopes(V + h / 2 * V1, u + h / 2 * u1)
        V3, u3 = slopes(V + h / 2 * V2, u + h / 2 * u2)
        V4, u4 = slopes(V + h * V3, u + h * u3)
        V = V + h / 6 * (V1 + 2 * V2 + 2 * V3 + V4)
        u = u + h / 6 * (u1 + 2 * u2 + 2 * u3 + u4)
        return np.maximum(V + delta, self.V_min), u
