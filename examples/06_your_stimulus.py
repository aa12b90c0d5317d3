"""Your own stimulus file
=========================

A CSV with one column per neuron in mV/ms and one row per millisecond.

Files with a row per time step need no program: izhnumba run --current FILE --dt 0.1 --out spikes.csv
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 06_your_stimulus.py [folder]

# Here the file is made; put your own in its place.
t = np.arange(500.0)  # ms
columns = [6 + 6 * np.sin(2 * np.pi * t / 125), t / 25, np.where(t % 100 < 30, 15.0, 0.0)]
file = folder / "stimulus.csv"
np.savetxt(file, np.column_stack(columns), delimiter=",", fmt="%.6g")

current = np.loadtxt(file, delimiter=",", ndmin=2)
n_rows, n_neurons = current.shape
cells = iz.Population(n_neurons, **iz.presets["RS"])
result = cells.run(float(n_rows), iz.TimedArray(current, dt=1.0), record="V")  # the cells advance by 0.1 ms

for i, count in enumerate(result.spikes.counts()):
    print(f"neuron {i}: {count} spikes")

fig, axes = plt.subplots(n_neurons, sharex=True, sharey=True, figsize=(7, 6), layout="constrained")
for i, ax in enumerate(axes):
    plot.trace(result, ax, columns=[i], peak=30.0, color=plot.BLUE)
    ax.set_xlabel("time (ms)" if i == n_neurons - 1 else "")
    right = ax.twinx()
    right.step(np.arange(n_rows), current[:, i], where="post", color=plot.VERMILLION, linewidth=1.0)
    right.set(ylim=(0, 60), yticks=(0, 10, 20))
    right.set_ylabel("I (mV/ms)", color=plot.VERMILLION, loc="bottom")
    right.spines["top"].set_visible(False)
    ax.set_ylim(-130, 35)
    ax.set_yticks((-60, 0))
    ax.yaxis.label.set_y(0.7)

fig.savefig(folder / "06_your_stimulus.png", dpi=150)
