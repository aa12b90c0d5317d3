"""Polychronization
===================

The network of 2006: 1000 neurons with delays to 20 ms and plastic synapses; minutes of model time in seconds.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 08_polychronization.py [folder]
SECONDS = 60
rng = np.random.default_rng(8)
excitatory = np.arange(1000) < 800

net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=8)
cells = net.add(
    iz.Population(1000, a=np.where(excitatory, 0.02, 0.1), b=0.2, d=np.where(excitatory, 8.0, 2.0), u=-13.0),
    name="cells",
)
pre, column = np.divmod(np.arange(100_000), 100)
post = np.concatenate([rng.choice(1000 if i < 800 else 800, 100, replace=False) for i in range(1000)])
weight, delay = np.where(pre < 800, 6.0, -5.0), np.where(pre < 800, 1.0 + column // 5, 1.0)
syn = net.connect(cells, cells, (pre, post), weight=weight, delay=delay, receptor=iz.Pulse(), plasticity=iz.STDP2006())
kicks = rng.integers(1000, size=SECONDS * 1000)  # every ms one neuron gets 20 mV/ms
net.drive(cells, iz.SpikeTrain(kicks, np.arange(len(kicks)), weight=20.0, receptor=iz.Pulse()))
spikes = net.record(cells, "spikes")
net.run(SECONDS * 1000.0)
print(f"{len(spikes)} spikes, {len(spikes) / 1000 / SECONDS:.1f} Hz in {SECONDS} s")

fig, axes = plt.subplot_mosaic([["first", "last"], ["weights", "rate"]], figsize=(11, 7), layout="constrained")
for name, start in (("first", 0), ("last", SECONDS * 1000 - 1000)):
    plot.raster(spikes.spikes[start : start + 1000.0], axes[name], size=1.5, color="black")
    axes[name].set_title(f"second {start // 1000 + 1}")
axes["weights"].hist(syn.weight[syn.pre < 800], bins=50, range=(0, 10), color="black")
axes["weights"].set(xlabel="excitatory weight (mV/ms)", ylabel="synapses", yscale="log")
rate = np.bincount(spikes.step // 1000, minlength=SECONDS) / 1000
axes["rate"].plot(np.arange(SECONDS) + 0.5, rate, color="black")
axes["rate"].set(xlabel="time (s)", ylabel="rate (Hz)", ylim=(0, None))
for name in ("weights", "rate"):
    axes[name].spines[["top", "right"]].set_visible(False)
fig.savefig(folder / "08_polychronization.png", dpi=150)
