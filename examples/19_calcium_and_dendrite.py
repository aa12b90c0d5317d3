"""Calcium and a dendrite
=========================

States beside V and u: calcium that makes a resonator adapt, and a dendrite that takes part of the current.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 19_calcium_and_dendrite.py [folder]
fig, axes = plt.subplots(2, 2, figsize=(10, 6), sharex="col", layout="constrained")

calcium = iz.presets["RZ/Ca"]
resonator = iz.Population(1, **calcium).run(calcium.duration, calcium.stimulus, record=["V", "ca"])
intervals = np.diff(resonator.spikes.t)
print(f"resonator: intervals from {intervals[0]:.1f} to {intervals[-1]:.1f} ms while calcium rises")
plot.trace(resonator, axes[0, 0], peak=30.0)
plot.trace(resonator, axes[1, 0], variable="ca")
axes[0, 0].set_title("resonator with calcium", loc="left")

pyramidal = iz.presets["2008/P23"]
shares = [1.0, 0.8, 0.6]
cells = iz.Population(3, share=shares, **pyramidal).run(pyramidal.duration, 600.0, record=["V", "V_dend"])
for share, count in zip(shares, cells.spikes.counts(), strict=True):
    print(f"pyramidal cell: {count} spikes with {share:.0%} of 600 pA in the soma")
plot.trace(cells, axes[0, 1], columns=[0, 2], peak=50.0)
plot.trace(cells, axes[1, 1], variable="V_dend")
axes[0, 1].set_title("soma and dendrite; V of the first and the last", loc="left")
axes[1, 1].set_ylim(-61, -42)
axes[1, 1].legend([f"{share:.0%} in the soma" for share in shares], loc="upper right", frameon=False)
for ax in axes[0]:
    ax.set_xlabel("")

fig.savefig(folder / "19_calcium_and_dendrite.png", dpi=150)
