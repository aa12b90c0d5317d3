"""Refractoriness and f-I curves
================================

A refractory period bounds the rate: f-I curves of two cells, all currents in one population.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 04_refractory_fi_curve.py [folder]
current = np.linspace(0.0, 40.0, 161)  # mV/ms, one neuron each
settle, duration, dt = 500.0, 4000.0, 0.02  # ms

fig, axes = plt.subplot_mosaic(
    [["RS", "FS"], ["raster", "V"]], figsize=(9, 6), layout="constrained", height_ratios=(3, 2)
)
for name in ("RS", "FS"):
    for tau_ref, color in zip((0.0, 5.0, 10.0), plot.COLORS, strict=False):
        cells = iz.Population(len(current), dt=dt, tau_ref=tau_ref, **iz.presets[name])
        cells.run(settle, current)
        rate = cells.run(duration, current).spikes.rates()
        print(f"{name}, tau_ref {tau_ref:4.1f} ms: {rate[-1]:5.1f} Hz at {current[-1]:g} mV/ms")
        axes[name].plot(current, rate, color=color, label=rf"$\tau_\mathrm{{ref}}$ = {tau_ref:g} ms")
        if tau_ref and name == "FS":
            axes[name].axhline(1000 / tau_ref, color=color, linestyle=":", linewidth=1.0)
    axes[name].set(xlabel="I (mV/ms)", ylabel="rate (Hz)", ylim=(0, None))
    axes[name].set_title(f"{name}: {iz.presets[name].title}", fontsize="medium")
    axes[name].spines[["top", "right"]].set_visible(False)
axes["RS"].legend(frameon=False)
axes["FS"].text(40, 203, r"dotted: 1 / $\tau_\mathrm{ref}$", ha="right", va="bottom", fontsize="small")

cells = iz.Population(len(current), dt=dt, tau_ref=5.0, **iz.presets["FS"])
result = cells.run(60.0, current, record=["V"], neurons=[80])
plot.raster(result, axes["raster"])
axes["raster"].set_title(r"FS, $\tau_\mathrm{ref}$ = 5 ms: neuron k gets k/4 mV/ms", fontsize="medium")
plot.trace(result, axes["V"], peak=30.0)
axes["V"].set_title("neuron 80: held for 5 ms after a spike", fontsize="medium")

fig.savefig(folder / "04_refractory_fi_curve.png", dpi=150)
