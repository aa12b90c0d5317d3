"""IZFORCE of W. Nicola and C. Clopath 2017 in plain NumPy: the loop of their program, one step after the other.

As there, but dt multiplies a first, spikes of a step are added up cell by cell, and the input of a step is
(feedback z + bias) + synapses.
"""

from __future__ import annotations

import numpy as np


def run(weights, feedback, V, target, *, dt, learn, free, every, bias, tau_r=2.0, tau_d=20.0):
    """Spikes as pairs (step, cell), the output of each step, and the decoder at the end.

    weights[i, j]: pA, from i to j; feedback: pA; V: mV at the start; learn, free: ms; every: steps.
    """
    C, vr, b, k, vpeak, vreset, a, d = 250.0, -60.0, -2.0, 2.5, 30.0, -65.0, 0.01, 200.0
    vt = vr + 40.0 - b / k
    n = len(V)
    V, u = V.copy(), np.zeros(n)
    ipsc, h, r, hr, phi, P, z = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), 2.0 * np.eye(n), 0.0
    spikes, output = [], []
    for i, wanted in enumerate(target):
        current = (feedback * z + bias) + ipsc
        V, u = V + dt * (k * (V - vr) * (V - vt) - u + current) / C, u + dt * a * (b * (V - vr) - u)
        fired = np.flatnonzero(vpeak <= V)
        spikes += [(i, int(cell)) for cell in fired]
        jump = np.zeros(n)
        for cell in fired:
            jump += weights[cell]
        ipsc = ipsc * np.exp(-dt / tau_r) + h * dt
        h = h * np.exp(-dt / tau_d) + jump / (tau_r * tau_d)
        r = r * np.exp(-dt / tau_r) + hr * dt
        hr = hr * np.exp(-dt / tau_d)
        hr[fired] += 1 / (tau_r * tau_d)
        z = phi @ r
        output.append(z)
        if i % every == 1 and learn / dt < i < free / dt:
            cd = P @ r
            phi = phi - cd * (z - wanted)
            P = P - np.outer(cd, cd) / (1.0 + r @ cd)
        V[fired], u[fired] = vreset, u[fired] + d
    return spikes, np.array(output), phi
