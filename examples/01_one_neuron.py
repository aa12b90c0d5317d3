"""One neuron
=============

One regular-spiking neuron: its answer to a step of current, and the phase plane that explains it.
"""

import sys
from pathlib import Path

from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 01_one_neuron.py [folder]

neuron = iz.Population(1, **iz.presets["RS"])  # parameters and start of a published cell; dt = 0.1 ms
stimulus = iz.Pulses(50.0, 250.0, 10.0)  # 10 mV/ms from 50 to 250 ms
result = neuron.run(300.0, stimulus, record=["V", "u"])
print("spikes at", ", ".join(f"{t:.1f}" for t in result.spikes.t), "ms")

fig, axes = plt.subplot_mosaic(
    [["V", "rest", "fire"], ["u", "rest", "fire"], ["I", "rest", "fire"]],
    figsize=(11, 4),
    layout="constrained",
    height_ratios=(3, 2, 1),
    width_ratios=(4, 3, 3),
)
plot.trace(result, axes["V"], peak=30.0)
plot.trace(result, axes["u"], variable="u")
axes["I"].plot(result.t, stimulus.at(result.t), color="black", linewidth=1.0)
axes["I"].set(xlabel="time (ms)", ylabel="I (mV/ms)")
axes["I"].spines[["top", "right"]].set_visible(False)
for name in ("V", "u"):
    axes[name].sharex(axes["I"])
    axes[name].set_xlabel("")
    axes[name].tick_params(labelbottom=False)
fig.align_ylabels([axes["V"], axes["u"], axes["I"]])

for name, current in (("rest", 0.0), ("fire", 10.0)):
    neuron.reset()
    path = neuron.run(200.0, current, record=["V", "u"])
    plot.phase_plane(neuron, current, axes[name], V=(-85.0, -35.0), u=(-18.0, 3.0), trajectory=path)
    axes[name].set_title(f"I = {current:g} mV/ms", fontsize="medium")

fig.savefig(folder / "01_one_neuron.png", dpi=150)
