"""Twenty firing patterns
=========================

The twenty firing patterns of Izhikevich 2004, each with its own model, input, step rule and time step.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 02_twenty_patterns.py [folder]

fig, axes = plt.subplots(5, 4, figsize=(10, 9), layout="constrained")
for ax, panel in zip(axes.flat, "ABCDEFGHIJKLMNOPQRST", strict=True):
    preset = iz.presets[f"2004/{panel}"]
    neuron = iz.Population(1, scheme=preset.scheme, dt=preset.dt, **preset)
    result = neuron.run(preset.duration, preset.stimulus, record="V")
    print(f"{panel}  {preset.title:28} {len(result.spikes.t):3} spikes")

    plot.trace(result, ax, peak=30.0, linewidth=0.8)
    current = preset.stimulus.at(result.t - preset.dt)
    ax.plot(result.t, -100 + 12 * (current - current.min()) / np.ptp(current), color=plot.VERMILLION, linewidth=0.8)
    ax.plot([0, 20], [-112, -112], color="black", linewidth=2.0)  # 20 ms
    ax.set(title=f"({panel}) {preset.title}", xlim=(0, preset.duration), ylim=(-116, 35))
    ax.title.set_fontsize("small")
    ax.set_axis_off()
fig.supxlabel("blue: V from rest to 30 mV; orange: input, scaled to fit; black bar: 20 ms", fontsize="small")

fig.savefig(folder / "02_twenty_patterns.png", dpi=200)
