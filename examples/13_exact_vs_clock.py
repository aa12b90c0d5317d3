"""Exact spikes, published spikes
=================================

The twenty patterns of 2004 in continuous time, and the spikes of the published step rule beside them.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D

import izhnumba as iz
from izhnumba import analysis, plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 13_exact_vs_clock.py [folder]
RUNS_AWAY = {"T": 110.0}  # ms; in continuous time panel T fires faster and faster without end
GREY = "0.55"

fig, axes = plt.subplots(5, 4, figsize=(10, 9.4), layout="constrained")
print("panel  pattern                       exact  published  paired")
for ax, panel in zip(axes.flat, "ABCDEFGHIJKLMNOPQRST", strict=True):
    preset = iz.presets[f"2004/{panel}"]
    end = RUNS_AWAY.get(panel, preset.duration)
    exact = iz.Population(1, scheme="exact", **preset).run(end, preset.stimulus, record="V", every=0.1)
    clock = iz.Population(1, scheme=preset.scheme, dt=preset.dt, **preset).run(preset.duration, preset.stimulus)
    pairs = analysis.match_spikes(exact.spikes.t, clock.spikes.t)
    print(f"{panel:5}  {preset.title:28}  {len(exact.spikes):5}  {len(clock.spikes):9}  {len(pairs[0]):6}")

    plot.trace(exact, ax, peak=30.0, color=plot.BLUE, linewidth=0.7)
    weight = "normal" if len(exact.spikes) == len(clock.spikes) else "bold"
    for spikes, color, height in ((exact.spikes, plot.BLUE, 50), (clock.spikes, plot.VERMILLION, 74)):
        ax.eventplot(spikes.t, lineoffsets=height, linelengths=18, colors=color, linewidths=0.9)
        count = "no end" if panel in RUNS_AWAY and color == plot.BLUE else len(spikes)
        ax.text(1.02 * preset.duration, height, count, color=color, va="center", fontsize="small", weight=weight)
    if panel in RUNS_AWAY:
        ax.text(end + 6, -10, "stopped here", color=plot.BLUE, va="center", fontsize="small")
    t = np.linspace(0.0, preset.duration, 2000)
    current = preset.stimulus.at(t)
    ax.plot(t, -118 + 18 * (current - current.min()) / np.ptp(current), color=GREY, linewidth=0.9)
    ax.plot([0, 20], [-132, -132], color="black", linewidth=2.0, solid_capstyle="butt")
    ax.set(xlim=(0, 1.18 * preset.duration), ylim=(-138, 86))
    ax.set_title(f"({panel}) {preset.title}", loc="left", fontsize="small")
    ax.set_axis_off()
names = {
    "V and spikes in continuous time": plot.BLUE, "spikes of the published step rule": plot.VERMILLION,
    "input, each to its own scale": GREY, "20 ms": "black",
}  # fmt: skip
lines = [Line2D([], [], color=color, linewidth=2.0, label=name) for name, color in names.items()]
fig.legend(handles=lines, loc="outside lower center", ncols=4, frameon=False, fontsize="small")

fig.savefig(folder / "13_exact_vs_clock.png", dpi=200)
