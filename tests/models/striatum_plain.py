"""The equations of M. D. Humphries et al. 2009 in plain NumPy: Euler, and conductances of three receptors."""

from __future__ import annotations

from collections import defaultdict

import numpy as np


class Cells:
    """Medium spiny neurons with active shares D1 and D2 of their dopamine receptors, or fast spiking interneurons."""

    def __init__(self, n, D1=0.0, D2=0.0, fsi=None):
        self.fsi = fsi is not None
        if self.fsi:  # fsi: the level of dopamine
            self.C, self.k, self.vr, self.vt = 80.0, 1.0, -70.0 * (1 - 0.1 * fsi), -50.0
            self.vpeak, self.c, self.d = 25.0, -60.0, 0.0
        else:
            self.C, self.k, self.vr, self.vt = (
                15.22941946,
                1.0 - 0.032 * D2,
                -80.0 * (1 + 0.02885046 * D1),
                -29.73031799,
            )
            self.vpeak, self.c, self.d = 40.0, -55.0, 90.90961934 * (1 - 0.33083313 * D1)
        self.v, self.u = np.full(n, -70.0 if self.fsi else self.vr), np.zeros(n)
        self.scales = {"AMPA": 1 - 0.215 * D2, "NMDA": 1 + 6.3 * D1, "GABA": 1.0}
        self.g = {name: np.zeros(n) for name in self.scales}

    def step(self, dt, arriving):
        """Advance by dt, ms. arriving: what conductances rise by afterwards, by receptor. Who fires."""
        v, u = self.v, self.u
        B = 1 / (1 + np.exp(-0.062 * v) / 3.57)
        I = self.g["AMPA"] * (0 - v) + B * self.g["NMDA"] * (0 - v) + self.g["GABA"] * (-60.0 - v)
        if self.fsi:
            du = 0.2 * (np.where(v >= -55.0, 0.025 * (v + 55.0) ** 3, 0.0) - u)
        else:
            du = 0.01 * (-20.0 * (v - self.vr) - u)
        self.v, self.u = v + dt * (self.k * (v - self.vr) * (v - self.vt) - u + I) / self.C, u + dt * du
        fired = np.flatnonzero(self.v >= self.vpeak)
        self.v[fired], self.u[fired] = self.c, self.u[fired] + self.d
        for name, tau in (("AMPA", 6.0), ("NMDA", 160.0), ("GABA", 4.0)):
            self.g[name] = self.g[name] * np.exp(-dt / tau) + self.scales[name] * arriving[name]
        return fired


def run(cells, synapses, cortex, inhibition, *, steps, dt=0.1):
    """Spikes of each population as pairs (step, cell).

    cells: by name; synapses: (from, to, pre, post, weights (nS), delays (steps)), all GABA; cortex, inhibition: by
    name, numbers of input spikes, shape (steps, cells).
    """
    rise = {name: 6.86875 / by / tau * np.exp(-0.1 / tau) for name, by, tau in
            (("AMPA", 1.0, 6.0), ("NMDA", 2.0, 160.0), ("GABA", 1.4, 4.0))}  # fmt: skip
    under_way, spikes = defaultdict(list), {name: [] for name in cells}
    for k in range(steps):
        all_fired = {}
        for name, pop in cells.items():
            onto = np.zeros(len(pop.v))
            for post, weights in under_way.pop((k, name), []):
                np.add.at(onto, post, weights)
            glutamate = cortex[name][k] if name in cortex else 0.0
            if name in inhibition:
                onto = onto + rise["GABA"] * inhibition[name][k]
            arriving = {"AMPA": rise["AMPA"] * glutamate, "NMDA": rise["NMDA"] * glutamate, "GABA": onto}
            all_fired[name] = pop.step(dt, arriving)
            spikes[name] += [(k, int(i)) for i in all_fired[name]]
        for pre_name, post_name, pre, post, weights, delays in synapses:
            for i in all_fired[pre_name]:
                for s in np.flatnonzero(pre == i):
                    under_way[k + delays[s], post_name].append((post[s : s + 1], weights[s]))
    return spikes
