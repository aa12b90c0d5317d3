"""Distal reward
================

Dopamine that comes 1 to 3 s after two cells fired one after the other finds the synapse between them.

Source: E. M. Izhikevich 2007, doi:10.1093/cercor/bhl152, and the program daspnet.m of its figure 1.
Kept: 800 excitatory and 200 inhibitory cells with 100 synapses each, delays of 1 ms, uniform currents of +-6.5 mV/ms,
nearest pairs (0.1 and 0.15, 0.95 per ms), eligibility (0.99 per 10 ms), dopamine (0.995 per ms, 0.5 by a reward),
updates every 10 ms, a reward if the target fires within 20 ms after the source.
Differs: the eligibility fades every ms, updates see the spikes of their own ms, and no two synapses have the same ends.
Reproduced: the rewarded synapse, 0 at first, grows to the most that it can be, 4 mV/ms, within 10 minutes; most fade.
"""

import math
import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python distal_reward.py [folder]
T, REWARD, WITHIN = 600_000.0, 0.5, 20.0  # ms; dopamine; ms
rng = np.random.default_rng(1)

rule = iz.DopamineSTDP(
    pairing="nearest", A_plus=0.1, A_minus=0.15 / 0.95, tau_plus=-1 / math.log(0.95), tau_minus=-1 / math.log(0.95),
    tau_e=-10 / math.log(0.99), tau_d=-1 / math.log(0.995), baseline=0.002, w_max=4.0, period=10.0,
)  # fmt: skip
a, d = np.repeat([0.02, 0.1], [800, 200]), np.repeat([8.0, 2.0], [800, 200])
net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=1)
cells = net.add(iz.Population(1000, a=a, b=0.2, c=-65.0, d=d, V=-65.0, u=-13.0), name="cells")
wired = dict(rule=iz.FixedOutDegree(100, multapses=False), delay=1.0, receptor=iz.Pulse())
inhibition = net.connect(cells[800:], cells[:800], weight=-1.0, **wired)
syn = net.connect(cells[:800], cells, weight=1.0, plasticity=rule, **wired)
net.drive(cells, iz.UniformNoise(-6.5, 6.5))
spikes = net.record(cells, "spikes", start=max(T - 1000.0, 0.0))
source, target = (net.record(cells[i : i + 1], "spikes") for i in (syn.pre[0], syn.post[0]))
syn.weight[0] = 0.0

rewards, samples, seen = [], [], 0  # rewards: when each comes, and for which spike
while net.t < T:
    # No reward comes within a second of its spike, so the network may run for so long, or until the next reward.
    net.run(min([when for when, _ in rewards if when > net.t] + [net.t + 1000.0, T]) - net.t)
    syn.modulator += REWARD * sum(when == net.t for when, _ in rewards)
    for t in target.t[seen:]:
        before = source.t[source.t < t]
        if before.size and t - before[-1] < WITHIN and t not in source.t:
            rewards.append((t + 1000.0 + rng.integers(1, 2001), t))
    seen = len(target)
    samples.append((net.t / 1000, *syn.weight[:20]))
print(f"{sum(when <= T for when, _ in rewards)} rewards: weight {syn.weight[0]:.2f} of at most 4 mV/ms, "
      f"median {np.median(syn.weight):.2f}; {len(spikes) / 1000:.1f} Hz in the last second")  # fmt: skip

come, t, weights = np.array([when for when, _ in rewards]) / 1000, *np.split(np.array(samples), [1], axis=1)
come = come[come <= T / 1000]
plt.rc("axes.spines", top=False, right=False)
panels = [["raster", "raster"], ["weight", "all"]]
fig, axes = plt.subplot_mosaic(panels, figsize=(10, 7), layout="constrained", width_ratios=(3, 2))
axes["raster"].plot(spikes.t - T + 1000, spikes.i, ".", color="black", markersize=1.5)
axes["raster"].set(xlabel="time in the last second (ms)", ylabel="cell", xlim=(0, 1000), ylim=(0, 1000))
axes["weight"].plot(t, weights[:, 1:], color="0.8", linewidth=0.6)
axes["weight"].plot(t, weights[:, 0], color=plot.VERMILLION)
axes["weight"].plot(come, np.full_like(come, -0.15), "|", color=plot.GREEN, label="rewards", clip_on=False)
axes["weight"].set(
    xlabel="time (s)", ylabel="weight (mV/ms)", title="the rewarded synapse and 19 others", ylim=(-0.3, 4.1)
)
axes["weight"].legend(frameon=False, loc="upper left")
axes["all"].hist(syn.weight, np.linspace(0, 4, 41), color="0.6")
axes["all"].set(xlabel="weight (mV/ms)", ylabel="synapses", yscale="log", title="all at the end; at first 1 mV/ms")
axes["all"].axvline(syn.weight[0], color=plot.VERMILLION)
fig.savefig(folder / "distal_reward.png", dpi=150)
