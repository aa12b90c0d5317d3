"""The twenty patterns of 2004 in continuous time, and the spikes of the published step rule beside them.

Run it with: python examples/13_exact_vs_clock.py [outfolder]
"""

import sys
from pathlib import Path

from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis, plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
RUNS_AWAY = {"T": 110.0}  # ms; in continuous time panel T fires faster and faster without end

fig, axes = plt.subplots(5, 4, figsize=(10, 9), layout="constrained")
print("panel  pattern                       exact  published  paired")
for ax, panel in zip(axes.flat, "ABCDEFGHIJKLMNOPQRST", strict=True):
    preset = iz.presets[f"2004/{panel}"]
    end = RUNS_AWAY.get(panel, preset.duration)
    exact = iz.Population(1, scheme="exact", **preset).run(end, preset.stimulus, record="V", every=0.1)
    clock = iz.Population(1, scheme=preset.scheme, dt=preset.dt, **preset).run(preset.duration, preset.stimulus)
    pairs = analysis.match_spikes(exact.spikes.t, clock.spikes.t)
    print(f"{panel:5}  {preset.title:28}  {len(exact.spikes):5}  {len(clock.spikes):9}  {len(pairs[0]):6}")

    plot.trace(exact, ax, peak=30.0, color=plot.BLUE, linewidth=0.7)
    for spikes, color, height in ((exact.spikes, plot.BLUE, 52), (clock.spikes, plot.VERMILLION, 80)):
        ax.eventplot(spikes.t, lineoffsets=height, linelengths=20, colors=color, linewidths=0.9)
        count = f"{len(spikes)}+" if panel in RUNS_AWAY and color == plot.BLUE else len(spikes)
        ax.text(1.02 * preset.duration, height, count, color=color, va="center", fontsize="small")
    if panel in RUNS_AWAY:
        ax.axvline(end, color=plot.BLUE, linestyle=":", linewidth=1.0)
        note = "runs away:\nspikes without\nend"
        ax.text(end + 6, -35, note, color=plot.BLUE, va="center", fontsize="small")
    ax.plot([0, 20], [-112, -112], color="black", linewidth=2.0)  # 20 ms
    ax.set(title=f"({panel}) {preset.title}", xlim=(0, 1.1 * preset.duration), ylim=(-116, 92))
    ax.title.set_fontsize("small")
    ax.set_axis_off()
fig.supxlabel(
    "blue: V and spikes in continuous time; orange: spikes of the published step rule; right: their number; "
    "black bar: 20 ms",
    fontsize="small",
)

fig.savefig(folder / "13_exact_vs_clock.png", dpi=200)
