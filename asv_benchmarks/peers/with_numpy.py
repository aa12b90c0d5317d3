"""Plain NumPy: one vector operation after another, as a reader of the papers would write it."""

from __future__ import annotations

import time

import numpy as np
import worker


def prepare(network, seconds, dtype):
    steps = round(1000.0 * seconds / network.dt)
    Cells(network, dtype)  # each run starts from new ones; this tells the time to build them

    def simulate():
        cells = Cells(network, dtype)
        started = time.perf_counter()
        for k in range(steps):
            cells.step(k)
        return time.perf_counter() - started, sum(map(len, cells.spikes))

    return simulate


class Cells:
    def __init__(self, network, dtype):
        self.rng, self.spikes, self.network, self.dt = np.random.default_rng(1), [], network, network.dt
        self.V, self.u, self.a, self.b = (as_dtype(getattr(network, x), dtype) for x in ("V", "u", "a", "b"))
        self.c, self.d = (np.full(network.n, getattr(network, x), dtype) for x in "cd")
        self.I = None if network.current is None else network.current.astype(dtype)
        self.advance, self.synapses = getattr(self, network.scheme), synapses(network, dtype)

    def step(self, k):
        self.advance(self.current(k), self.synapses.arrivals(k))
        fired = np.flatnonzero(self.V >= 30)
        self.V[fired] = self.c[fired]
        self.u[fired] += self.d[fired]
        self.synapses.send(fired, k)
        self.spikes.append(fired)

    def current(self, k):
        if self.I is not None:
            return self.I
        if self.network.std is not None:
            return (self.network.std * self.rng.standard_normal(self.network.n)).astype(self.V.dtype)
        current = np.zeros_like(self.V)
        current[self.network.kicked[k]] = self.network.kick
        return current

    def slope(self, current):
        return (0.04 * self.V + 5) * self.V + 140 - self.u + current

    def euler(self, current, jump):
        change = self.a * (self.b * self.V - self.u)
        self.V += self.dt * self.slope(current) + jump
        self.u += self.dt * change

    def izhikevich2003(self, current, arriving):
        current = current + arriving
        self.V += 0.5 * self.slope(current)
        self.V += 0.5 * self.slope(current)
        self.u += self.a * (self.b * self.V - self.u)

    def exp_euler(self, current, jump):
        rate = 0.08 * self.V + 5
        rate[rate == 0] = 1e-6
        self.V += np.expm1(self.dt * rate) / rate * self.slope(current) + jump
        self.u += -np.expm1(-self.a * self.dt) * (self.b * self.V - self.u)


class Unconnected:
    def arrivals(self, k):
        return 0.0

    def send(self, fired, k):
        pass


class AllToAll:
    """All synapses of a neuron deliver to all neurons in the next step."""

    def __init__(self, network, dtype):
        self.weight, self.next = network.weight.astype(dtype), np.zeros(network.n, dtype)

    def arrivals(self, k):
        return self.next

    def send(self, fired, k):
        self.next = self.weight[fired].sum(axis=0)


class Delayed:
    """What is to come lies in a ring with a row per step."""

    def __init__(self, network, dtype):
        self.ring = np.zeros((network.delay.max() + 1, network.n), dtype)
        self.slot = network.delay * np.int64(network.n) + network.post
        self.weight = network.weight.astype(dtype)

    def arrivals(self, k):
        row = self.ring[k % len(self.ring)]
        arriving = row.copy()
        row[:] = 0
        return arriving

    def send(self, fired, k):
        slots = (self.slot[fired] + k * self.ring.shape[1]) % self.ring.size
        np.add.at(self.ring.reshape(-1), slots, self.weight[fired])


class Plastic:
    """The rule of 2006: nearest spikes, changes that are added to the weights once a second. Steps are of 1 ms."""

    def __init__(self, network, dtype):
        self.delay, self.post, self.n = network.delay, network.post.ravel(), network.n
        self.weight = network.weight.astype(dtype).ravel()
        self.learns, self.change = self.weight > 0, np.zeros_like(self.weight)
        self.incoming = [np.flatnonzero((self.post == i) & self.learns) for i in range(self.n)]
        self.arrived, self.spiked = np.full(self.weight.size, -np.inf), np.full(self.n, -np.inf)
        self.queue = [[] for _ in range(network.delay.max() + 1)]

    def arrivals(self, k):
        due = self.queue[k % len(self.queue)]
        synapses = np.concatenate([np.empty(0, int), *due])
        due.clear()
        learning = synapses[self.learns[synapses]]
        self.change[learning] -= 0.12 * 0.95 ** (k - self.spiked[self.post[learning]])
        self.arrived[learning] = k
        return np.bincount(self.post[synapses], self.weight[synapses], self.n).astype(self.weight.dtype)

    def send(self, fired, k):
        if (k + 1) % 1000 == 0:
            self.change *= 0.9
            new = np.clip(self.weight + 0.01 + self.change, 0, 10)
            self.weight = np.where(self.learns, new, self.weight)
        self.spiked[fired] = k + 1
        for i in fired:
            self.change[self.incoming[i]] += 0.1 * 0.95 ** (k - self.arrived[self.incoming[i]])
        synapses = fired[:, None] * self.delay.shape[1] + np.arange(self.delay.shape[1])
        delays = self.delay[fired]
        for delay in np.unique(delays):
            self.queue[(k + delay) % len(self.queue)].append(synapses[delays == delay])


def synapses(network, dtype):
    if network.post is None:
        return Unconnected()
    if network.plastic:
        return Plastic(network, dtype)
    whole = network.post.shape == (network.n, network.n) and np.all(network.delay == 1)
    return (AllToAll if whole else Delayed)(network, dtype)


def as_dtype(values, dtype):
    """An array of its own; a number stays one, which takes the dtype of the arrays it meets."""
    return np.array(values, dtype) if np.ndim(values) else values


if __name__ == "__main__":
    worker.work(prepare, f"NumPy {np.__version__}")
