"""A refractory period bounds the rate: f-I curves of regular- and fast-spiking cells, all currents in one population.

Run it with: python examples/04_refractory_fi_curve.py [outfolder]
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
current = np.linspace(0.0, 40.0, 161)  # mV/ms, one neuron each
settle, duration = 500.0, 2000.0  # ms

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for ax, name in ((left, "RS"), (middle, "FS")):
    for tau_ref, color in zip((0.0, 5.0, 10.0), plot.COLORS, strict=False):
        cells = iz.Population(len(current), tau_ref=tau_ref, **iz.presets[name])
        cells.run(settle, current)
        spikes = cells.run(duration, current).spikes
        rate = 1000 * np.bincount(spikes.i, minlength=len(current)) / duration
        ax.plot(current, rate, color=color, label=rf"$\tau_\mathrm{{ref}}$ = {tau_ref:g} ms")
    ax.set(xlabel="I (mV/ms)", ylabel="rate (Hz)", ylim=(0, None))
    ax.set_title(f"{name}: {iz.presets[name].title}", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
left.legend(frameon=False)

cell = iz.Population(1, tau_ref=5.0, **iz.presets["FS"])
plot.trace(cell.run(50.0, 20.0, record="V"), right, peak=30.0, color=plot.VERMILLION)
right.set_title("FS at 20 mV/ms, held 5 ms after a spike", fontsize="medium")

fig.savefig(folder / "04_refractory_fi_curve.png", dpi=150)
