"""The equations of K. A. Ferguson et al. 2017 in plain NumPy: cells with two slopes, and synapses that saturate.

A spike brings transmitter for 1 ms from the next step on; r' = alpha (1 - r) - beta r while it is there, r' = -beta r
else, by the exact solution. Synapses of a cell have one r for each kind of target. The conductance of a step is that of
r after the last step but one.
"""

from __future__ import annotations

import numpy as np


def run(cells, synapses, noise, *, dt, steps):
    """Spikes of each kind of cell as pairs (step, cell), and r of the last step for each connection.

    cells: by name, V at the start and a dict of numbers; synapses: (from, to, pre, post, conductance (nS), alpha,
    beta (1/ms), E (mV)); noise: by name, pA, shape (steps, cells).
    """
    V = {name: start.copy() for name, (start, _) in cells.items()}
    u = {name: np.zeros(len(start)) for name, start in V.items()}
    left = {name: np.zeros(len(start), dtype=int) for name, start in V.items()}
    r = [np.zeros(len(V[name])) for name, *_ in synapses]
    before = [one.copy() for one in r]
    spikes = {name: [] for name in cells}
    for k in range(steps):
        current = {name: noise[name][k] if name in noise else 0.0 for name in cells}
        for (_, name, pre, post, weight, _, _, E), old in zip(synapses, before, strict=True):
            g = weight * np.bincount(post, old[pre], len(V[name]))
            current[name] = current[name] + g * (E - V[name])
        for j, (name, _, _, _, _, alpha, beta, _) in enumerate(synapses):
            most = alpha / (alpha + beta)
            rising = most + (r[j] - most) * np.exp(-(alpha + beta) * dt)
            before[j], r[j] = r[j], np.where(left[name] > 0, rising, r[j] * np.exp(-beta * dt))
        for name, (_, p) in cells.items():
            slope = np.where(V[name] < p["vt"], p["k"], p["k_high"])
            f = slope * (V[name] - p["vr"]) * (V[name] - p["vt"]) - u[name] + current[name]
            du = p["a"] * (p["b"] * (V[name] - p["vr"]) - u[name])
            V[name], u[name] = V[name] + dt * f / p["C"], u[name] + dt * du
            fired = np.flatnonzero(V[name] >= p["vpeak"])
            V[name][fired], u[name][fired] = p["c"], u[name][fired] + p["d"]
            left[name] = np.maximum(left[name] - 1, 0)
            left[name][fired] = round(1.0 / dt)
            spikes[name] += [(k, int(i)) for i in fired]
    return spikes, r
