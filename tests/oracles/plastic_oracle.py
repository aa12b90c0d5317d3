"""A slow and obvious twin of networks with plastic synapses: every trace is a sum over a list of past events.

It imports nothing from izhnumba. What acts is a current during the step in which a spike arrives, and with a delay of 0
a V jump after the test of the step. A rule is a function of lists: `Pairs`, `Dopamine` and `Homeostasis` below.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np


def trace(steps, now, dt, tau):
    """One for each event of these steps, decayed until step `now`."""
    return float(sum(np.exp(-(now - k) * dt / tau) for k in steps))


class Pairs:
    """STDP of all pairs, additive."""

    period = None

    def amount(self, syn, now, dt):
        """What an arrival delivers."""
        return syn.w

    def __init__(self, A_plus, A_minus, tau_plus, tau_minus, w_max):
        self.A, self.tau, self.w_max = (A_plus, A_minus), (tau_plus, tau_minus), w_max

    def arrival(self, syn, now, dt):
        syn.w = np.clip(syn.w - self.A[1] * trace(syn.spikes(), now, dt, self.tau[1]), 0.0, self.w_max)

    def target_spike(self, syn, now, dt):
        syn.w = np.clip(syn.w + self.A[0] * trace(syn.arrivals, now, dt, self.tau[0]), 0.0, self.w_max)


class Dopamine(Pairs):
    """The same pairs, or those with the nearest spike alone, change an eligibility, a list of jumps that decay, and
    dopamine is a list of rewards that decay."""

    def __init__(self, A_plus, A_minus, tau_plus, tau_minus, w_max, tau_e, tau_d, baseline, period, nearest=False):
        super().__init__(A_plus, A_minus, tau_plus, tau_minus, w_max)
        self.tau_e, self.tau_d, self.baseline, self.period = tau_e, tau_d, baseline, period
        self.count = slice(-1 if nearest else 0, None)
        self.rewards = []  # (steps done, how much)

    def arrival(self, syn, now, dt):
        syn.jumps.append((now, -self.A[1] * trace(syn.spikes()[self.count], now, dt, self.tau[1])))

    def target_spike(self, syn, now, dt):
        syn.jumps.append((now, self.A[0] * trace(syn.arrivals[self.count], now, dt, self.tau[0])))

    def eligibility(self, syn, now, dt):
        """At the end of step `now`, where the events of that step are, too."""
        return sum(size * np.exp(-(now - k) * dt / self.tau_e) for k, size in syn.jumps)

    def dopamine(self, now, dt):
        return sum(size * np.exp(-(now + 1 - done) * dt / self.tau_d) for done, size in self.rewards)

    def update(self, syn, now, dt):
        rate = (self.baseline + self.dopamine(now, dt)) * self.eligibility(syn, now, dt) / 10.0
        syn.w = np.clip(syn.w + rate * self.period, 0.0, self.w_max)


class ShortTerm:
    """An arrival uses the share u of what is left, R, of the weight that another rule changes (Tsodyks and others 2000:
    u' = -u / tau_facil and R' = (1 - R) / tau_rec between arrivals)."""

    def __init__(self, rule, U, tau_rec, tau_facil):
        self.rule, self.U, self.tau_rec, self.tau_facil, self.period = rule, U, tau_rec, tau_facil, rule.period
        self.arrival, self.target_spike = rule.arrival, rule.target_spike
        self.update, self.each_step = getattr(rule, "update", None), getattr(rule, "each_step", None)

    def amount(self, syn, now, dt):
        u, left, before = 0.0, 1.0, -np.inf
        for k in [*syn.arrivals, now]:  # from the first arrival on
            gone = (k - before) * dt
            u = u * np.exp(-gone / self.tau_facil)
            left = 1 - (1 - left) * np.exp(-gone / self.tau_rec)
            u = u + self.U * (1 - u)
            used, left, before = u * left, left - u * left, k
        return syn.w * used


class Voltage:
    """The voltage-based rule of 2010. In the step of a spike V is 30 mV."""

    period, amount = None, Pairs.amount

    def __init__(self, A_LTD, A_LTP, theta_minus, theta_plus, tau_minus, tau_plus, tau_x, w_max):
        self.A, self.theta, self.taus = (A_LTD, A_LTP), (theta_minus, theta_plus), (tau_minus, tau_plus)
        self.tau_x, self.w_max, self.V, self.filtered = tau_x, w_max, None, None

    def see(self, V, fired, dt):
        if self.filtered is None:
            self.filtered = [V.copy(), V.copy()]
        else:
            self.V = V.copy()
            self.V[fired] = 30.0
            for low, tau in zip(self.filtered, self.taus, strict=True):
                low += (1 - np.exp(-dt / tau)) * (self.V - low)

    def arrival(self, syn, now, dt):
        above = max(self.filtered[0][syn.post] - self.theta[0], 0.0)
        syn.w = np.clip(syn.w - self.A[0] * above, 0.0, self.w_max)

    def target_spike(self, syn, now, dt): ...

    def each_step(self, syn, now, dt):
        x = trace(syn.arrivals, now, dt, self.tau_x) / self.tau_x
        above = max(self.V[syn.post] - self.theta[1], 0.0) * max(self.filtered[1][syn.post] - self.theta[0], 0.0)
        syn.w = np.clip(syn.w + dt * self.A[1] * x * above, 0.0, self.w_max)


class Prediction(Voltage):
    """Spikes of the target add eta x, and the rate that its V predicts takes off eta x rate at all times."""

    def __init__(self, eta, rate, tau_x, tau_V, w_max):
        super().__init__(0.0, 0.0, 0.0, 0.0, tau_V, tau_V, tau_x, w_max)
        self.eta, self.rate = eta, rate

    def arrival(self, syn, now, dt): ...

    def target_spike(self, syn, now, dt):
        syn.w = np.clip(syn.w + self.eta * trace(syn.arrivals, now, dt, self.tau_x), 0.0, self.w_max)

    def each_step(self, syn, now, dt):
        x, rate = (
            trace(syn.arrivals, now, dt, self.tau_x),
            self.rate / (1 + np.exp(-(self.filtered[0][syn.post] + 55) / 5)),
        )
        syn.w = np.clip(syn.w - dt * self.eta * rate * x, 0.0, self.w_max)


class Homeostasis:
    """Synaptic scaling towards a target rate in Hz."""

    amount = Pairs.amount

    def __init__(self, target, eta, tau, period, w_max):
        self.target, self.eta, self.tau, self.period, self.w_max = target, eta, tau, period, w_max

    def arrival(self, syn, now, dt): ...

    def target_spike(self, syn, now, dt): ...

    def update(self, syn, now, dt):
        rate = 1000.0 * trace(syn.spikes(), now, dt, self.tau) / self.tau
        syn.w = np.clip(syn.w * (1 + self.eta * (1 - rate / self.target)), 0.0, self.w_max)


class Synapse:
    def __init__(self, pre, post, w, steps, spikes):
        self.pre, self.post, self.w, self.steps = pre, post, w, steps
        self.arrivals, self.jumps, self._spikes = [], [], spikes

    def spikes(self):
        """Steps in which the target has spiked."""
        return self._spikes[self.post]


class PlasticOracle:
    """cells: an Oracle; static: rows (pre, post, weight, steps); plastic: such under `rule`; current: (steps, n)."""

    def __init__(self, cells, static, plastic, rule, dt, current):
        self.cells, self.rule, self.dt, self.current, self.k = cells, rule, dt, current, 0
        self.spikes = defaultdict(list)  # of each neuron
        self.static = static
        self.plastic = [Synapse(*row, self.spikes) for row in plastic]

    def step(self):
        k, n = self.k, len(self.cells.V)
        arrived = np.zeros(n)
        sees = getattr(getattr(self.rule, "rule", self.rule), "see", None)
        if sees and k == 0:
            sees(self.cells.V, [], self.dt)
        for sent in range(k):  # the oldest first
            for pre, post, weight, steps in self.static:
                if sent + steps == k and sent in self.spikes[pre]:
                    arrived[post] += weight
        for sent in range(k):
            for syn in self.plastic:
                if sent + syn.steps == k and sent in self.spikes[syn.pre]:
                    arrived[syn.post] += self.rule.amount(syn, k, self.dt)
                    self.rule.arrival(syn, k, self.dt)
                    syn.arrivals.append(k)
        fired = np.flatnonzero(self.cells.step(arrived + self.current[k]))
        if sees:
            sees(self.cells.V, fired, self.dt)
        jumps = np.zeros(n)
        for syn in self.plastic:  # before the target spikes of the step
            if syn.steps == 0 and syn.pre in fired:
                jumps[syn.post] += self.rule.amount(syn, k, self.dt)
                self.rule.arrival(syn, k, self.dt)
                syn.arrivals.append(k)
        self.cells.jump(jumps)
        for i in fired:
            for syn in self.plastic:
                if syn.post == i:
                    self.rule.target_spike(syn, k, self.dt)
            self.spikes[int(i)].append(k)
        for syn in self.plastic if sees else ():
            self.rule.each_step(syn, k, self.dt)
        if self.rule.period and round((k + 1) * self.dt / self.rule.period, 9).is_integer():
            for syn in self.plastic:
                self.rule.update(syn, k, self.dt)
        self.k += 1
        return [int(i) for i in fired]
