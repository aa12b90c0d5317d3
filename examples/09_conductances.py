"""Conductances
===============

The asynchronous irregular state of 5000 neurons, and the bursts it turns into as GABA_A is blocked.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis, plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 09_conductances.py [folder]
BLOCK = 3000.0  # ms

net = iz.Network(dt=0.1, seed=9)
exc = net.add(iz.Population(4000, **iz.presets["RS"]), name="exc")
inh = net.add(iz.Population(1000, **iz.presets["FS"]), name="inh")
sparse, delay = iz.FixedProbability(0.04, autapses=False), iz.Uniform(1.0, 5.0)
for post in (exc, inh):
    net.connect(exc, post, sparse, weight=0.04, delay=delay, receptor=iz.AMPA())  # conductances in 1/ms
    net.drive(post, iz.Poisson(rate=150.0, weight=0.1, receptor=iz.AMPA()))
inhibition = [net.connect(inh, post, sparse, weight=0.8, delay=delay, receptor=iz.GABA_A()) for post in (exc, inh)]
spikes = net.record(exc[:1000])
tenth = {"excitatory": net.record(exc[:400]), "inhibitory": net.record(inh[:100])}
rates = {"excitatory": net.record(exc, "rate", every=5.0), "inhibitory": net.record(inh, "rate", every=5.0)}
voltage = net.record(exc, "V", neurons=[0])
net.run(BLOCK)
for syn in inhibition:
    syn.weight *= 0.05  # what bicuculline leaves
net.run(BLOCK)

panels = [["raster", "CV"], ["rate", "CV"], ["V", "CV"]]
plt.rc("axes.spines", top=False, right=False)
sizes = dict(figsize=(11, 6.5), height_ratios=(4, 2, 2), width_ratios=(5, 2))
fig, axes = plt.subplot_mosaic(panels, layout="constrained", **sizes)
plot.raster(tenth, axes["raster"], size=1.5)
plot.rate(rates, axes["rate"])
plot.trace(voltage, axes["V"], peak=30.0, color="black", linewidth=0.7)
for label, start, color in (("before the block", 500.0, "0.6"), ("after it", 3500.0, "black")):
    part = spikes.spikes[start : start + 2500.0]
    cv = analysis.cv(part)[part.counts() > 10]
    print(f"{label}: coefficient of variation of excitatory intervals {np.mean(cv):.2f}")
    axes["CV"].hist(cv, np.arange(0, 2.5, 0.05), color=color, alpha=0.7, label=label)
axes["CV"].plot([1, 1], [0, 110], color="black", linestyle=":", label="Poisson process")
axes["CV"].set(xlabel="CV of interspike intervals", ylabel="excitatory neurons, of 1000", ylim=(0, 130))
axes["raster"].set(xlabel="", title=f"95 % of GABA$_A$ blocked at {BLOCK:g} ms; a tenth of the neurons")
axes["rate"].set_xlabel("")
for name in ("raster", "rate", "V"):
    axes[name].set_xlim(BLOCK - 500.0, BLOCK + 500.0)
    axes[name].axvline(BLOCK, color="black", linestyle=":", linewidth=1.0)
fig.align_ylabels([axes[name] for name in ("raster", "rate", "V")])
for name in ("rate", "CV"):
    axes[name].legend(frameon=False, loc="upper left")
fig.savefig(folder / "09_conductances.png", dpi=150)
