"""Travelling waves
===================

A sheet of neurons connected to their neighbours is an excitable medium; a broken front curls up.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 10_travelling_waves.py [folder]
n = 80  # excitatory neurons along each side, 1 apart; inhibitory ones 2 apart

net = iz.Network(dt=0.5, seed=10)
exc = net.add(iz.Population((n, n), **iz.presets["RS"]), name="exc")
inh = net.add(iz.Population((n // 2, n // 2), **iz.presets["FS"]), name="inh")
near = iz.Distance("gaussian", scale=1.5, p=0.8, extent=(n, n), autapses=False)
wide = iz.Distance("gaussian", scale=3.0, p=0.3, extent=(n, n))
for post in (exc, inh):
    net.connect(exc, post, near, weight=3.0, delay=iz.Uniform(2.0, 4.0), receptor=iz.Exponential(5.0))
net.connect(inh, exc, wide, weight=-0.5, delay=iz.Uniform(2.0, 4.0), receptor=iz.Exponential(10.0))
net.drive(exc, 3.0)  # just below what makes them fire on their own

# A front that ends in the middle of the sheet, with refractory neurons on its left: it goes right and around its end.
exc.V[: n // 2, 40:44] = 29.0
exc.u[: n // 2, 26:40] += 10.0
row = net.record(exc[30 * n : 31 * n], "spikes")

fig = plt.figure(figsize=(10, 8), layout="constrained")
top, bottom = fig.subfigures(2, height_ratios=(5, 3))
axes = top.subplots(2, 4, sharex=True, sharey=True)
for ax in axes.flat:
    net.run(100.0)
    since = np.minimum(net.t - exc.last_spike_time, 120.0)  # ms; some have not spiked yet
    image = ax.imshow(since, cmap="magma_r", origin="lower", vmin=0.0, vmax=120.0)
    ax.set_title(f"{net.t:.0f} ms", fontsize="medium")
    ax.axhline(30, color="white", linewidth=0.8, linestyle=":")
top.supxlabel("x (neurons)", fontsize="medium")
top.supylabel("y (neurons)", fontsize="medium")
top.colorbar(image, ax=axes, label="time since the last spike (ms)", aspect=30)

intervals = np.diff(row.spikes.of(30 * n + 60))
period = np.median(intervals[intervals > 50.0])  # a front may make a neuron spike twice
print(f"{len(row)} spikes in row 30; the spiral turns once in {period:.0f} ms")
ax = bottom.subplots()
plot.raster(row, ax, size=1.5, color="black")
ax.set(xlim=(0, 800), ylim=(30 * n, 31 * n), ylabel="x (neurons)", title="row y = 30, dotted above")
ax.set_yticks(30 * n + np.arange(0, n + 1, 20), np.arange(0, n + 1, 20))
fig.savefig(folder / "10_travelling_waves.png", dpi=150)
