"""Cell types
=============

The seven cells of the 2003 paper in mV and mV/ms, and seven of the 2007 book in pF, nS and pA.
"""

import sys
from pathlib import Path

from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis, plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 03_cell_types.py [folder]
columns = (
    ("RS", "IB", "CH", "FS", "LTS", "TC", "RZ"),
    ("2007/RS", "2007/IB", "2007/CH", "2007/FS", "2007/LTS", "2007/TC", "2007/RTN"),
)

fig, axes = plt.subplots(7, 2, figsize=(9, 10), sharey=True, layout="constrained")
for column, names in enumerate(columns):
    for ax, name in zip(axes[:, column], names, strict=True):
        preset = iz.presets[name]
        cell = iz.Population(1, scheme=preset.scheme, dt=preset.dt, **preset)
        result = cell.run(preset.duration, preset.stimulus, record="V")
        plot.trace(result, ax, peak=preset.get("vpeak", 30.0))
        ax.set_title(f"{name}: {preset.title}", loc="left", fontsize="small")
        ax.set(xlabel="", ylabel="V (mV)" if column == 0 else "", xlim=(0, preset.duration), ylim=(-90, 60))
        least = analysis.rheobase(preset, duration=500.0, tolerance=0.01)  # of a current step on the resting cell
        how = f"{cell.model.I.unit}, {'exactly' if least.scheme == 'exact' else f'by {least.scheme}'}"
        print(f"{name:9} {len(result.spikes.t):3} spikes in {preset.duration:g} ms; rheobase {least:.2f} {how}")
for ax in axes[-1]:
    ax.set_xlabel("time (ms)")

fig.savefig(folder / "03_cell_types.png", dpi=150)
