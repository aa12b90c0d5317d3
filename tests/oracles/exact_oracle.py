"""A slow and obvious twin of the exact scheme: continuous time, one neuron at a time, one event after the other.

It imports nothing from izhnumba. The equations are those of `oracle`, the receptors those of `network_oracle`, in their
closed forms. A neuron is integrated from event to event by DOP853 of SciPy, whose steps have order 8; what it says
between its steps has order 7 only, so a threshold is found by taking the last step again, to where V meets it.

At one time, first come all arrivals, whose jumps of V are added up, and then the spike, if V is at the threshold.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import DOP853
from scipy.optimize import brentq

RTOL, ATOL = 3e-14, 1e-14  # at 1e-12 and 1e-13 errors of spike times are ten times as large, and no time is won
CLOSEST = {"xtol": 1e-15, "rtol": 4 * np.finfo(float).eps}


class Cell:
    """A neuron. `model`: from `oracle`; `segments`: rows (start, I, slope) of its current; `wave`: one more, I(t)."""

    def __init__(self, model, V, u, segments=((0.0, 0.0, 0.0),), wave=None, tau_ref=0.0):
        self.model, self.V, self.u, self.t = model, float(V), float(u), 0.0
        self.segments, self.wave = [tuple(map(float, row)) for row in segments], wave
        self.tau_ref, self.free_at = tau_ref, -math.inf
        self.arrived = {}  # course -> times, weights
        self.spikes = []

    def advance(self, end):
        """To `end`, or to a spike on the way. Returns whether there was one."""
        self.t = max(self.t, min(self.free_at, end))  # V and u rest as long as it is refractory
        while self.t < end:
            edges = [start for start, _, _ in self.segments if self.t < start < end]
            if self._leg(min([end, *edges])):
                self._fire()
                return True
        return False

    def kick(self, jump):
        """V jumps, unless the neuron is refractory. Returns whether it spikes."""
        if self.t < self.free_at:
            return False
        self.V += jump
        spikes = self._excess(self.V, self.u) >= 0
        if spikes:
            self._fire()
        return spikes

    def receive(self, course, weight):
        """What arrives acts from now on, refractory or not."""
        times, weights = self.arrived.get(course, ((), ()))
        self.arrived[course] = np.append(times, self.t), np.append(weights, weight)

    def _fire(self):
        self.spikes.append(self.t)
        self.V, self.u = float(self.model.reset_value(self.u)), float(self.model.kicked(self.u))
        self.free_at = self.t + self.tau_ref

    def _excess(self, V, u):
        return V - self.model.threshold(u)

    def _slopes(self):
        """The equations from now on to the next edge of the current, in the time since now."""
        now, model, wave, arrived = self.t, self.model, self.wave, self.arrived.items()
        start, level, slope = [row for row in self.segments if row[0] <= now][-1]
        level += slope * (now - start)

        def slopes(s, y):
            V, u = y.tolist()
            I = level + slope * s + (wave(now + s) if wave else 0.0)
            for course, (times, weights) in arrived:
                received = float(np.dot(weights, course.after(now - times + s)))
                I += received if course.E is None else received * (course.E - V)
            return model.current(V, u, I) / model.C, model.rate * model.drive(V, u, V)

        return slopes

    def _leg(self, end):
        """Integrate to `end`, or to where V meets its threshold. Returns whether it does."""
        now, slopes = self.t, self._slopes()
        solver = DOP853(slopes, 0.0, [self.V, self.u], end - now, rtol=RTOL, atol=ATOL)
        while solver.status == "running":
            before = solver.t, solver.y
            solver.step()
            assert solver.status != "failed"
            step = Step(self, slopes, *before)
            high = step.highest(solver)
            if high is not None:
                s = brentq(step.excess, before[0], high, **CLOSEST)
                self.V, self.u = map(float, step.to(s))
                self.t = now + s
                return True
        self.V, self.u = map(float, solver.y)
        self.t = end
        return False


class Step:
    """A step of the integration that has been taken, to be taken again to any time on the way."""

    def __init__(self, cell, slopes, s, y):
        self.cell, self.slopes, self.s, self.y = cell, slopes, s, y

    def to(self, s):
        if s == self.s:
            return self.y
        solver = DOP853(self.slopes, self.s, self.y, s, rtol=RTOL, atol=ATOL, first_step=s - self.s)
        while solver.status == "running":
            solver.step()
        return solver.y

    def excess(self, s):
        """V above the threshold."""
        return self.cell._excess(*self.to(s))

    def rise(self, s, y):
        """The derivative of the excess; thresholds are linear in u."""
        (dV, du), threshold = self.slopes(s, y), self.cell.model.threshold
        return dV - (threshold(du) - threshold(0.0))

    def highest(self, solver):
        """A time at which V is at its threshold or above: the end of the step or a maximum inside it. Else None."""
        if self.cell._excess(*solver.y) >= 0 and self.excess(solver.t) >= 0:
            return solver.t
        if self.rise(self.s, self.y) > 0 > self.rise(solver.t, solver.y):
            between = solver.dense_output()
            top = brentq(lambda s: self.rise(s, between(s)), self.s, solver.t)
            if self.excess(top) >= 0:
                return top
        return None


@dataclass
class Pairs:
    """Additive STDP of pairs, as a sum over earlier spikes, or with the latest alone."""

    A_plus: float
    A_minus: float
    tau_plus: float
    tau_minus: float
    w_min: float
    w_max: float
    nearest: bool = False

    def change(self, weight, t, earlier, amplitude, tau):
        earlier = np.array(earlier[-1:] if self.nearest else earlier)
        return min(max(weight + amplitude * float(np.sum(np.exp(-(t - earlier) / tau))), self.w_min), self.w_max)


@dataclass
class Synapse:
    """From cell `pre` to cell `post`, with a `delay` in ms and a rule of plasticity or none."""

    pre: int
    post: int
    course: object
    weight: float
    delay: float
    rule: Pairs | None = None
    arrivals: list = field(default_factory=list)

    def arrive(self, t, spikes):
        """Deliver the weight, then weaken it by the earlier spikes of the target."""
        delivered = self.weight
        if self.rule:
            self.weight = self.rule.change(self.weight, t, spikes, -self.rule.A_minus, self.rule.tau_minus)
            self.arrivals.append(t)
        return delivered

    def target_spiked(self, t):
        """Strengthen it by the arrivals up to now."""
        if self.rule:
            self.weight = self.rule.change(self.weight, t, self.arrivals, self.rule.A_plus, self.rule.tau_plus)


class ExactNetwork:
    """Cells and synapses; `events`: (time, cell, course, weight) that come from outside."""

    def __init__(self, cells, synapses=(), events=()):
        self.cells, self.synapses, self.t = cells, list(synapses), 0.0
        self.shortest = min((synapse.delay for synapse in self.synapses), default=math.inf)
        self._order = itertools.count()
        self.waiting = [[] for _ in cells]  # for each cell, by time, then by the order in which they were sent
        for t, i, course, weight in events:
            self._send(t, Synapse(-1, i, course, weight, 0.0))

    def run(self, T):
        """To T, in pieces within which no spike can reach another cell. Events at T wait for the next run."""
        while self.t < T:
            end = min(self.t + self.shortest, T)
            for i in range(len(self.cells)):
                self._advance(i, end)
            self.t = end
        return self

    @property
    def spikes(self):
        """Cells and times of all spikes, by time."""
        t = np.concatenate([cell.spikes for cell in self.cells])
        i = np.repeat(np.arange(len(self.cells)), [len(cell.spikes) for cell in self.cells])
        order = np.lexsort((i, t))
        return i[order], t[order]

    def _send(self, t, synapse):
        heapq.heappush(self.waiting[synapse.post], (t, next(self._order), synapse))

    def _advance(self, i, end):
        cell, queue = self.cells[i], self.waiting[i]
        while True:
            t = min(queue[0][0], end) if queue else end
            while cell.advance(t):
                self._spiked(i)
            if t == end:
                return
            jump = 0.0
            while queue and queue[0][0] == t:
                jump += self._arrive(cell, heapq.heappop(queue)[2])
            if cell.kick(jump):
                self._spiked(i)

    def _arrive(self, cell, synapse):
        """Returns the jump of V."""
        weight = synapse.arrive(cell.t, cell.spikes)
        if synapse.course.kind == "delta":
            return weight
        cell.receive(synapse.course, weight)
        return 0.0

    def _spiked(self, i):
        t = self.cells[i].spikes[-1]
        for synapse in self.synapses:
            if synapse.post == i:
                synapse.target_spiked(t)
        for synapse in self.synapses:
            if synapse.pre == i:
                self._send(t + synapse.delay, synapse)


def passage(V0, V1, k2, k1, k0):
    """The time V' = k2 V^2 + k1 V + k0 takes from V0 to V1, above all points of rest: in closed form."""
    x0, x1, D = 2 * k2 * V0 + k1, 2 * k2 * V1 + k1, 4 * k2 * k0 - k1 * k1
    if D == 0:
        return 2 * (x1 - x0) / (x0 * x1)
    root = math.sqrt(abs(D))
    if D > 0:
        return 2 / root * (math.atan(x1 / root) - math.atan(x0 / root))
    return (math.log((x1 - root) / (x1 + root)) - math.log((x0 - root) / (x0 + root))) / root
