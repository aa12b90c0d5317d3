"""Conductances
===============

The asynchronous irregular state of 5000 neurons, and the bursts it turns into as GABA_A is blocked.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 09_conductances.py [folder]
BLOCK, SHOWN = 3000.0, (-500.0, 500.0)  # ms; the second from the block

net = iz.Network(dt=0.1, seed=9)
exc = net.add(iz.Population(4000, **iz.presets["RS"]), name="exc")
inh = net.add(iz.Population(1000, **iz.presets["FS"]), name="inh")
sparse, delay = iz.FixedProbability(0.04, autapses=False), iz.Uniform(1.0, 5.0)
for post in (exc, inh):
    net.connect(exc, post, sparse, weight=0.04, delay=delay, receptor=iz.AMPA())  # conductances in 1/ms
    net.drive(post, iz.Poisson(rate=150.0, weight=0.1, receptor=iz.AMPA()))
inhibition = [net.connect(inh, post, sparse, weight=0.8, delay=delay, receptor=iz.GABA_A()) for post in (exc, inh)]
spikes = {pop: net.record(pop, "spikes") for pop in (exc, inh)}
rates = {pop: net.record(pop, "rate", every=5.0) for pop in (exc, inh)}
voltage = net.record(exc, "V", neurons=[0])
net.run(BLOCK)
for syn in inhibition:
    syn.weight *= 0.05  # what bicuculline leaves
net.run(BLOCK)

panels = [["raster", "CV"], ["rate", "CV"], ["V", "CV"]]
plt.rc("axes.spines", top=False, right=False)
sizes = dict(figsize=(11, 6.5), height_ratios=(4, 2, 2), width_ratios=(5, 2))
fig, axes = plt.subplot_mosaic(panels, layout="constrained", **sizes)
for name, pop, base, color in (("excitatory", exc, 0, plot.BLUE), ("inhibitory", inh, 400, plot.VERMILLION)):
    i, t = spikes[pop].i, spikes[pop].t - BLOCK
    seen = (i < pop.n // 10) & (np.abs(t) < SHOWN[1])
    axes["raster"].scatter(t[seen], i[seen] + base, s=1.5, color=color, linewidth=0)
    axes["rate"].plot(rates[pop].t - BLOCK - 2.5, rates[pop].rate, color=color, linewidth=1.0, label=name)
axes["V"].plot(voltage.t - BLOCK, np.minimum(voltage.V, 30.0), color="black", linewidth=0.7)
for label, start, color in (("before the block", 500.0, "0.6"), ("after it", 3500.0, "black")):
    i, t = spikes[exc].i, spikes[exc].t
    seen = (i < 1000) & (t > start) & (t <= start + 2500.0)
    intervals = [np.diff(t[seen][i[seen] == k]) for k in range(1000)]
    cv = [gaps.std() / gaps.mean() for gaps in intervals if len(gaps) >= 10]
    print(f"{label}: coefficient of variation of excitatory intervals {np.mean(cv):.2f}")
    axes["CV"].hist(cv, np.arange(0, 2.5, 0.05), color=color, alpha=0.7, label=label)
axes["CV"].plot([1, 1], [0, 110], color="black", linestyle=":", label="Poisson process")
axes["CV"].set(xlabel="CV of interspike intervals", ylabel="excitatory neurons, of 1000", ylim=(0, 130))
axes["raster"].set(ylabel="a tenth of the neurons", xlim=SHOWN, ylim=(0, 500), title="95 % of GABA$_A$ blocked at 0 ms")
axes["rate"].set(ylabel="rate (Hz)", xlim=SHOWN, ylim=(0, None))
axes["V"].set(ylabel="V (mV)", xlabel="time from the block (ms)", xlim=SHOWN)
for name in ("rate", "CV"):
    axes[name].legend(frameon=False, loc="upper left")
fig.savefig(folder / "09_conductances.png", dpi=150)
