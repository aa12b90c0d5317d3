"""What saturating synapses give, one synapse at a time: published equations in loops. It imports nothing from izhnumba.

Each function takes the arrivals of spikes at one synapse, as steps at whose ends they come, and returns the state of
its receptors at the end of each step, shape (n_steps,).
"""

from __future__ import annotations

import numpy as np


def first_order(arrivals, n_steps, dt, alpha, beta, T, duration, *, prolong=True):
    """r' = alpha T (1 - r) - beta r while a pulse of transmitter is there (A. Destexhe and others 1994)."""
    r, ends, found = 0.0, -1, []
    for k in range(n_steps):
        bound = alpha * T if k < ends else 0.0
        rate = bound + beta
        r = bound / rate + (r - bound / rate) * np.exp(-rate * dt)
        if k in arrivals and (prolong or k + 1 >= ends):
            ends = k + 1 + round(duration / dt)
        found.append(r)
    return np.array(found)


def jumps(arrivals, n_steps, dt, tau, fraction):
    """s += fraction (1 - s) at an arrival, s' = -s / tau."""
    s, found = 0.0, []
    for k in range(n_steps):
        s *= np.exp(-dt / tau)
        if k in arrivals:
            s += fraction * (1 - s)
        found.append(s)
    return np.array(found)


def second_order(arrivals, n_steps, dt, alpha, tau_rise, tau_decay, fine=4):
    """s' = alpha x (1 - s) - s / tau_decay, x' = -x / tau_rise, x += 1 at an arrival (X.-J. Wang 1999), by Runge-Kutta
    steps of dt / fine, with the solution for x."""

    def slope(s, x):
        return alpha * x * (1 - s) - s / tau_decay

    s, x, h, found = 0.0, 0.0, dt / fine, []
    half, whole = np.exp(-0.5 * h / tau_rise), np.exp(-h / tau_rise)
    for k in range(n_steps):
        for _ in range(fine if x > 0 else 0):
            a = slope(s, x)
            b = slope(s + 0.5 * h * a, x * half)
            c = slope(s + 0.5 * h * b, x * half)
            s += h / 6 * (a + 2 * b + 2 * c + slope(s + h * c, x * whole))
            x *= whole
        x += k in arrivals
        found.append(s)
    return np.array(found)


def second_messenger(arrivals, n_steps, dt, alpha, beta, duration, K3, K4, Kd):
    """GABA_B: r as of `first_order` with T 1, s' = K3 r - K4 s, and the strength s^4 / (s^4 + Kd) (A. Destexhe and
    T. J. Sejnowski 1995); s by Euler steps in which r is the mean of those before and after."""
    r, s, before, found = first_order(arrivals, n_steps, dt, alpha, beta, 1.0, duration), 0.0, 0.0, []
    for now in r:
        s = s * np.exp(-K4 * dt) + K3 * 0.5 * (before + now) * dt
        before = now
        found.append(s**4 / (s**4 + Kd))
    return np.array(found)
