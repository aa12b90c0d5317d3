"""Learning from late reward
============================

Dopamine comes seconds late and yet strengthens the synapse that earned it, by its eligibility (2007).
When its target fires within 10 ms after its source, a reward comes 1 to 3 s later (doi:10.1093/cercor/bhl152).
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 11_reward_learning.py [folder]
T, REWARD = 1_500_000.0, 0.5  # ms; dopamine
rng = np.random.default_rng(11)
a, d = np.repeat([0.02, 0.1], [800, 200]), np.repeat([8.0, 2.0], [800, 200])
net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=11)
cells = net.add(iz.Population(1000, a=a, b=0.2, d=d, u=-13.0, dtype="float32"), name="cells")
rule = iz.FixedOutDegree(100, autapses=False, multapses=False)
syn = net.connect(cells[:800], cells, rule, weight=1.0, receptor=iz.Pulse(), plasticity=iz.DopamineSTDP(tau_d=200.0))
net.connect(cells[800:], cells[:800], rule, weight=-1.0, receptor=iz.Pulse())
net.drive(cells, iz.Noise(std=3.75))
source, target = (net.record(cells[i : i + 1]) for i in (syn.pre[0], syn.post[0]))
syn.weight[0] = 0.0

rewards, samples, seen = [], [], 0  # rewards: when each comes, and for which spike
while net.t < T:
    # No reward comes within a second of its spike, so the network may run for so long, or until the next reward.
    net.run(min([when for when, _ in rewards if when > net.t] + [net.t + 1000.0, T]) - net.t)
    syn.modulator += REWARD * sum(when == net.t for when, _ in rewards)
    earned = [t for t in target.t[seen:] if np.any((source.t < t) & (source.t >= t - 10.0))]
    rewards += [(t + rng.integers(1000, 3001), t) for t in earned]
    seen = len(target)
    samples.append((net.t / 1000, *syn.weight[:20]))
print(f"{len(rewards)} rewards: weight {syn.weight[0]:.2f} of at most 4 mV/ms, median {np.median(syn.weight):.2f}")

(come, earned), (t, *weights) = np.transpose(rewards) / 1000, np.transpose(samples)
shown = earned[earned > 900][0] - 2 + np.arange(0.0, 20.0, 0.01)  # s
since = np.where(shown[:, None] < come, np.inf, shown[:, None] - come)
panels, spikes = [["events", "events"], ["weight", "all"]], [source.t / 1000, target.t / 1000]
plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplot_mosaic(panels, figsize=(10, 6.5), layout="constrained", height_ratios=(2, 3))
axes["events"].plot(shown, REWARD * np.exp(-since / 0.2).sum(axis=1), color=plot.GREEN)
axes["events"].eventplot(spikes, lineoffsets=[1.9, 1.5], linelengths=0.3, color="black")
for spike, reward in zip(earned, come, strict=True):
    axes["events"].annotate("", (reward, 0.6), (spike, 1.3), arrowprops={"arrowstyle": "->"}, annotation_clip=True)
axes["events"].set(xlim=shown[[0, -1]], ylim=(0, 2.2), xlabel="time (s)", title="coincidences and their rewards")
axes["events"].set_yticks([0, REWARD, 1.5, 1.9], ["0", f"dopamine {REWARD}", "target", "source"])
axes["weight"].plot(t, np.transpose(weights[1:]), color="0.8", linewidth=0.6)
axes["weight"].plot(t, weights[0], color=plot.VERMILLION)
axes["weight"].set(xlabel="time (s)", ylabel="weight (mV/ms)", title="the rewarded synapse and 19 others")
axes["all"].hist(syn.weight, np.linspace(0, 4, 41), color="0.6")
axes["all"].set(xlabel="weight (mV/ms)", ylabel="synapses", yscale="log", title="all at the end; at first 1 mV/ms")
axes["all"].axvline(syn.weight[0], color=plot.VERMILLION)
fig.savefig(folder / "11_reward_learning.png", dpi=150)
