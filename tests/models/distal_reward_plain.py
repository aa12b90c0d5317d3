"""The loop of daspnet.m (E. M. Izhikevich 2007) in plain NumPy, with lists of synapses in place of its index tables.

As there, but the currents of a step are thalamus + (inhibition + excitation), and inhibition is summed up on its own.
`published`: eligibilities fade by 0.99 right after an update, which comes before the target spikes of its step. Else
they fade every ms, and the update comes after these spikes, as with `DopamineSTDP`.
"""

from __future__ import annotations

import numpy as np


def run(pre, post, weights, inhibition, thalamus, waits, *, within, published):
    """Spikes as pairs (step, cell), the weights at the end, and when rewards came or will.

    pre, post, weights: of the excitatory synapses, the first of which is rewarded; inhibition: (pre, post) of the
    others, of weight -1; thalamus: mV/ms, shape (ms, 1000); waits: iterator over delays of rewards, ms.
    """
    n = 1000
    a, d = np.repeat([0.02, 0.1], [800, 200]), np.repeat([8.0, 2.0], [800, 200])
    v, u = np.full(n, -65.0), np.full(n, -13.0)
    w, sd, DA = weights.copy(), np.zeros(len(weights)), 0.0
    to, of = [np.flatnonzero(pre == i) for i in range(n)], [np.flatnonzero(post == i) for i in range(n)]
    inhibited = [inhibition[1][inhibition[0] == i] for i in range(n)]
    trace_of_source, late = np.zeros(n), np.zeros(n)
    spikes, rewards, source_fired = [], [], -np.inf

    def potentiate(cells):
        for k in cells:
            sd[of[k]] += trace_of_source[pre[of[k]]]

    def update():
        w[:] = np.clip(w + (0.002 + DA) * sd, 0.0, 4.0)

    for t, current in enumerate(thalamus):
        fired = np.flatnonzero(v >= 30.0)
        v[fired], u[fired] = -65.0, u[fired] + d[fired]
        spikes += [(t - 1, int(k)) for k in fired]
        if pre[0] in fired:
            source_fired = t
        elif post[0] in fired and t - source_fired < within:
            rewards.append(t + next(waits))
        if published:
            potentiate(fired)  # by the arrivals up to the step before, which the cells answered
        else:
            sd *= 0.99 ** (1 / 10)
        trace_of_source *= 0.95
        late[:] = 0.95 * late
        late[fired] = 0.1
        less, more = np.zeros(n), np.zeros(n)
        for i in fired:
            less[inhibited[i]] -= 1.0
            more[post[to[i]]] += w[to[i]]
            sd[to[i]] -= 1.5 * late[post[to[i]]]
            trace_of_source[i] = 0.1
        current = current + (less + more)
        v = v + 0.5 * ((0.04 * v + 5.0) * v + 140.0 - u + current)
        v = v + 0.5 * ((0.04 * v + 5.0) * v + 140.0 - u + current)
        u = u + a * (0.2 * v - u)
        DA *= 0.995
        if not published:
            potentiate(np.flatnonzero(v >= 30.0))
        if (t + 1) % 10 == 0:
            update()
            if published:
                sd *= 0.99
        DA += 0.5 * sum(when == t + 1 for when in rewards)
    return spikes, w, rewards
