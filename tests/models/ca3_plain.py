"""The equations of CA3 (J. D. Kopsick et al. 2022) in plain NumPy: Izhikevich 2007, short-term plasticity, pairs.

At an arrival a synapse uses u R of its weight w, where u has risen by U (1 - u) and R is what has recovered. Pairs
change w of the synapses among pyramidal cells. Conductances act in the step after the arrival.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np


class Synapses:
    """pre, post, weights (nS), delays (steps), U, taus (ms), and E (mV) of one connection."""

    def __init__(self, pre, post, weights, delays, U, tau_facil, tau_rec, decay, E, pairs):
        self.pre, self.post, self.w, self.delays = pre, post, weights.copy(), delays
        self.U, self.tau_facil, self.tau_rec, self.decay, self.E, self.pairs = U, tau_facil, tau_rec, decay, E, pairs
        n = len(pre)
        self.u, self.R, self.last = np.zeros(n), np.ones(n), np.zeros(n)
        self.trace, self.under_way = np.zeros(n), defaultdict(list)
        self.rows = [np.flatnonzero(pre == i) for i in range(pre.max() + 1)]

    def arrive(self, k, dt, n, late):
        """What arrives in step k, nS, shape (n,). late: traces of the targets."""
        total = np.zeros(n)
        for s in self.under_way.pop(k, []):
            passed = (k - self.last[s]) * dt
            u, R = self.u[s] * np.exp(-passed / self.tau_facil), 1 - (1 - self.R[s]) * np.exp(-passed / self.tau_rec)
            u = u + self.U * (1 - u)
            np.add.at(total, self.post[s], self.w[s] * u * R)
            self.u[s], self.R[s], self.last[s] = u, R - u * R, k
            if self.pairs:
                A, most = self.pairs
                self.w[s] = np.clip(self.w[s] + A * late[self.post[s]], 0.0, most)
                self.trace[s] += 1.0
        return total

    def send(self, k, fired):
        for i in fired:
            row = self.rows[i] if i < len(self.rows) else []
            for delay in np.unique(self.delays[row]):
                self.under_way[k + delay].append(row[self.delays[row] == delay])


def run(cells, synapses, drives, *, dt, steps):
    """Spikes of each population as pairs (step, cell).

    cells: by name, V at the start and the numbers C, k, vr, vt, a, b, vpeak, c, d; synapses: (from, to, Synapses);
    drives: by name, pA, shape (steps, cells).
    """
    V = {name: start.copy() for name, (start, _) in cells.items()}
    u = {name: np.zeros(len(start)) for name, start in V.items()}
    g = [np.zeros(len(V[post])) for _, post, _ in synapses]
    late, spikes = np.zeros(len(V["pyramidal"])), {name: [] for name in cells}
    for k in range(steps):
        late *= np.exp(-dt / 20.0)
        arrived = []
        for _, post, syn in synapses:
            if syn.pairs:
                syn.trace *= np.exp(-dt / 20.0)
            arrived.append(syn.arrive(k, dt, len(V[post]), late))
        fired = {}
        for name, (_, (C, gain, vr, vt, a, b, vpeak, c, d)) in cells.items():
            here = [(one, syn.E) for one, (_, post, syn) in zip(g, synapses, strict=True) if post == name]

            def slopes(v, w, current=drives[name][k], here=here, C=C, gain=gain, vr=vr, vt=vt, a=a, b=b):
                total = current + sum(one * (E - v) for one, E in here)
                return (gain * (v - vr) * (v - vt) - w + total) / C, a * (b * (v - vr) - w)

            v, w = V[name], u[name]
            v1, w1 = slopes(v, w)
            v2, w2 = slopes(v + dt / 2 * v1, w + dt / 2 * w1)
            v3, w3 = slopes(v + dt / 2 * v2, w + dt / 2 * w2)
            v4, w4 = slopes(v + dt * v3, w + dt * w3)
            v, w = v + dt / 6 * (v1 + 2 * v2 + 2 * v3 + v4), w + dt / 6 * (w1 + 2 * w2 + 2 * w3 + w4)
            at = fired[name] = np.flatnonzero(v >= vpeak)
            v[at], w[at] = c, w[at] + d
            V[name], u[name] = v, w
            spikes[name] += [(k, int(i)) for i in at]
        for j, (pre, post, syn) in enumerate(synapses):
            g[j] = g[j] * np.exp(-dt / syn.decay) + arrived[j]
            syn.send(k, fired[pre])
            if syn.pairs and fired[post].size:
                A, most = syn.pairs
                onto = np.isin(syn.post, fired[post])
                syn.w[onto] = np.clip(syn.w[onto] + A * syn.trace[onto], 0.0, most)
        late[fired["pyramidal"]] += 1.0
    return spikes
