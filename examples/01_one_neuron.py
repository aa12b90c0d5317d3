"""One regular-spiking neuron under a step of current: voltage, recovery variable, phase plane.

Run it with: python examples/01_one_neuron.py [outfolder]
"""

import sys
from pathlib import Path

from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

neuron = iz.Population(1, **iz.presets["RS"])  # parameters and start of a published cell, dt = 0.1 ms
result = neuron.run(300.0, iz.Pulses(50.0, 250.0, 10.0), record=["V", "u"])  # 10 mV/ms from 50 to 250 ms

print("spikes at", ", ".join(f"{t:.1f}" for t in result.spikes.t), "ms")

fig, axes = plt.subplot_mosaic(
    [["V", "plane"], ["u", "plane"], ["I", "plane"]], figsize=(9, 4.2), layout="constrained", height_ratios=(3, 2, 1)
)
plot.trace(result, axes["V"], peak=30.0)
plot.trace(result, axes["u"], variable="u", color=plot.VERMILLION)
axes["I"].plot([0, 50, 50, 250, 250, 300], [0, 0, 10, 10, 0, 0], color="black", linewidth=1.0)
axes["I"].set(xlabel="time (ms)", ylabel="I (mV/ms)")
axes["I"].spines[["top", "right"]].set_visible(False)
for name in ("V", "u"):
    axes[name].sharex(axes["I"])
    axes[name].set_xlabel("")
    axes[name].tick_params(labelbottom=False)
plot.phase_plane(neuron, I=10.0, ax=axes["plane"], trajectory=result)
axes["plane"].set_title("phase plane at I = 10 mV/ms", fontsize="medium")

fig.savefig(folder / "01_one_neuron.png", dpi=150)
