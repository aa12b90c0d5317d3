"""A slow and obvious twin of networks: one step at a time, one synapse at a time, spikes under way in a list.

It imports nothing from izhnumba. A receptor is a name with its numbers: ("delta",), ("pulse", steps), ("exp", tau),
("alpha", tau), ("dual", rise, decay), the last three with a reversal potential, and mM of magnesium, or None behind; or
("gap",).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from oracle import Blocked, Oracle


class Course:
    """What a receptor has received, as a sum over arrivals: the closed form of each, no propagator."""

    def __init__(self, kind, *numbers, E=None, Mg=None):
        self.kind, self.numbers, self.E, self.Mg = kind, numbers, E, Mg

    def after(self, t):
        """The course at t ms after an arrival of weight 1."""
        if self.kind == "exp":
            return np.exp(-t / self.numbers[0])
        if self.kind == "alpha":
            return t / self.numbers[0] * np.exp(1 - t / self.numbers[0])
        rise, decay = self.numbers
        peak_at = np.log(decay / rise) * rise * decay / (decay - rise)
        peak = np.exp(-peak_at / decay) - np.exp(-peak_at / rise)
        return (np.exp(-t / decay) - np.exp(-t / rise)) / peak


class NetworkOracle:
    """populations: dict of name -> Oracle; synapses: (source, target, course, [(pre, post, weight, steps)])."""

    def __init__(self, populations: dict[str, Oracle], synapses, dt, current=None):
        self.populations, self.synapses, self.dt = populations, synapses, dt
        self.current = current or {}
        self.k = 0
        self.under_way = defaultdict(list)  # arrival step -> (target, course, post, weight), in order
        self.arrived = defaultdict(list)  # (target, course) -> (step, post, weight)
        self.spikes = []

    def step(self):
        arriving = self.under_way.pop(self.k, [])
        fired = {}
        self.gaps = {name: list(self.gap_junctions(name)) for name in self.populations}
        for target, course, post, weight in arriving:
            if course.kind == "pulse":
                self.arrived[target, course].append((self.k, post, weight))
        for name, cells in self.populations.items():
            n = len(cells.V)
            jump, I, g, E = np.zeros(n), np.zeros(n) + self.current.get(name, 0.0), [], []
            for target, course, post, weight in arriving:
                if target == name and course.kind == "delta":
                    jump[post] += weight
            for (target, course), events in self.arrived.items():
                if target != name:
                    continue
                if course.kind == "pulse":  # on in its own step and those behind
                    for step, post, weight in events:
                        I[post] += weight * (self.k - step < course.numbers[0])
                    continue
                total, (step, post, weight) = np.zeros(n), np.array(events).T
                np.add.at(total, post.astype(int), weight * course.after((self.k - 1 - step) * self.dt))
                if course.E is None:
                    I = I + total
                else:
                    g.append(total if course.Mg is None else Blocked(total, course.Mg))
                    E.append(course.E)
            for conductance, level in self.gaps[name]:
                g.append(conductance)
                E.append(level)
            fired[name] = np.flatnonzero(cells.step(I, jump, g, E))
            self.spikes += [(self.k, name, int(i)) for i in fired[name]]
        for target, course, post, weight in arriving:
            if course.kind not in ("delta", "pulse"):
                self.arrived[target, course].append((self.k, post, weight))
        self.at_once(fired)
        for source, target, course, edges in self.synapses:
            if course.kind == "gap":
                continue
            for i in fired[source]:
                for pre, post, weight, steps in edges:
                    if pre == i and steps > 0:
                        self.under_way[self.k + steps].append((target, course, post, weight))
        self.k += 1

    def at_once(self, fired):
        """What the spikes of this step do through synapses of delay 0, after all have been tested."""
        jumps = {name: np.zeros(len(cells.V)) for name, cells in self.populations.items()}
        for source, target, course, edges in self.synapses:
            for pre, post, weight, steps in edges:
                if steps == 0 and course.kind != "gap" and pre in fired[source]:
                    if course.kind == "delta":
                        jumps[target][post] += weight
                    else:
                        self.arrived[target, course].append((self.k, post, weight))
        for name, cells in self.populations.items():
            cells.jump(jumps[name])

    def gap_junctions(self, name):
        """Conductances of a population, and the mean V of the neurons behind them, before the step."""
        for source, target, course, edges in self.synapses:
            if course.kind == "gap" and target == name:
                behind, n = self.populations[source], len(self.populations[name].V)
                V = np.minimum(behind.V, behind.model.threshold(behind.u))
                conductance, pull = np.zeros(n), np.zeros(n)
                for pre, post, weight, _ in edges:
                    conductance[post] += weight
                    pull[post] += weight * V[pre]
                yield conductance, pull / np.where(conductance == 0, 1.0, conductance)
