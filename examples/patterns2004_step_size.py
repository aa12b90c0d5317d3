"""Which patterns come from the step?
=====================================

Which of the twenty pictures of 2004 come from the coarse step? Table and figure of docs/concepts/patterns2004.md.
"""

import sys
from pathlib import Path

from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python patterns2004_step_size.py [folder]
RUNS_AWAY = {"T": 110.0}  # ms; solved accurately, panel T fires faster and faster without end


def simulate(preset, scheme, dt, duration):
    neuron = iz.Population(1, scheme=scheme, dt=dt, **preset)
    return neuron.run(duration, preset.stimulus, record="V", every=max(dt, 0.05))


def draw(ax, result, height, color, label):
    first = len(ax.lines)
    plot.trace(result, ax, peak=30.0, color=color, linewidth=0.7)
    line = ax.lines[first]
    line.set_ydata(line.get_ydata() + height)
    ax.text(0, height + 38, label, color=color, fontsize="small")


fig, axes = plt.subplots(4, 3, figsize=(10, 9), layout="constrained")
free = iter(axes.flat)
print("panel  published  first (ms)  fine  first (ms)")
for panel in "ABCDEFGHIJKLMNOPQRST":
    preset = iz.presets[f"2004/{panel}"]
    duration = preset.duration + preset.dt  # the program of 2004 also takes the sample at the end
    published = simulate(preset, preset.scheme, preset.dt, duration)
    fine = simulate(preset, "rk4", 0.001, RUNS_AWAY.get(panel, duration))
    counts, first = zip(*((len(r.spikes.t), r.spikes.t[0]) for r in (published, fine)), strict=True)
    print(f"{panel:5}  {counts[0]:9}  {first[0]:10.2f}  {counts[1]:4}  {first[1]:10.3f}")
    if panel not in "CDEHIMNPQST":
        continue
    ax = next(free)
    spikes = [f"{n} spike{'s' * (n > 1)}" for n in counts]
    note = f" by {RUNS_AWAY[panel]:g} ms, runs away" if panel in RUNS_AWAY else ""
    draw(ax, published, 160, plot.BLUE, f"published step, {preset.dt:g} ms: {spikes[0]}")
    draw(ax, fine, 0, plot.VERMILLION, f"0.001 ms: {spikes[1]}{note}")
    ax.set(title=f"({panel}) {preset.title}", xlim=(0, preset.duration), ylim=(-100, 225), ylabel="", yticks=())
    ax.title.set_fontsize("medium")
    ax.set_xlabel("time (ms)" if panel in "QST" else "")
    ax.spines["left"].set_visible(False)
ax = next(free)
ax.plot([0.1, 0.1], [0, 100], color="black", linewidth=2.0)
ax.text(0.15, 50, "100 mV", verticalalignment="center")
ax.set(xlim=(0, 1), ylim=(-100, 225))
ax.set_axis_off()

fig.savefig(folder / "patterns2004.png", dpi=150)
