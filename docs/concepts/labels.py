"""The picture of docs/concepts/labels.md: the order of one step, and the way of a spike from its step to its targets.

Run it with: python docs/concepts/labels.py [outfolder]
"""

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import izhnumba as iz

DT, D, K, LAST = 0.5, 3, 2, 9  # ms; delay, step of the spike, and steps shown
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#666666"  # colour-blind safe
ORDER = (  # what a step does, from left to right
    ("inputs", "evaluated\nat $k\\,dt$, held\nfor the step", GREY),
    ("reset", "of spikes of\nstep $k-1$: in\nexp_euler and\nizhikevich2003", GREY),
    ("V and u", "advance, and\narriving jumps\nare added to V", BLUE),
    ("spike test", "$V \\geq V_{th}$:\nstep = $k$,\n$t = (k+1)\\,dt$", ORANGE),
    ("delay 0", "V jumps of\nspikes of\nthis step", GREY),
    ("reset", "in all other\nschemes", GREY),
    ("receptors", "decay, then\nrise by what\narrives", GREEN),
    ("sample", "the state at\n$(k+1)\\,dt$", GREY),
)


def target(receptor: iz.Receptor, weight: float) -> tuple[iz.StateRecorder, iz.SpikeRecorder]:
    """V of a source that spikes in step K and of its target, two neurons at rest."""
    net = iz.Network(dt=DT, scheme="euler")
    cells = net.add(iz.Population(2, V=-70.0, u=-14.0))
    net.drive(cells, iz.SpikeTrain(i=[0], t=[K * DT], weight=200.0))
    net.connect(cells, cells, ([0], [1]), weight=weight, delay=D * DT, receptor=receptor)
    V, spikes = net.record(cells, "V"), net.record(cells, "spikes")
    net.run(LAST * DT)
    return V, spikes


def draw_order(ax: plt.Axes) -> None:
    """The boxes of one step on an arrow from k dt to (k + 1) dt."""
    width = 1.0 / len(ORDER)
    for place, (name, text, color) in enumerate(ORDER):
        left = place * width + 0.008
        shape = FancyBboxPatch(
            (left, 0.16), width - 0.016, 0.74, boxstyle="round,pad=0,rounding_size=0.012", facecolor=color, alpha=0.12,
            edgecolor="none", mutation_aspect=3.0,
        )  # fmt: skip
        ax.add_patch(shape)
        middle = left + width / 2 - 0.008
        ax.text(middle, 0.76, name, ha="center", va="center", color=color, fontweight="bold", fontsize=9)
        ax.text(middle, 0.44, text, ha="center", va="center", fontsize=7, linespacing=1.3)
    ax.add_patch(FancyArrowPatch((0.0, 0.05), (1.0, 0.05), arrowstyle="-|>", mutation_scale=9, color="black", lw=0.8))
    ax.text(0.0, -0.04, "$t = k\\,dt$", ha="left", va="top", fontsize=9)
    ax.text(1.0, -0.04, "$t = (k+1)\\,dt$", ha="right", va="top", fontsize=9)
    ax.text(0.5, -0.04, "step $k$", ha="center", va="top", fontsize=9)
    ax.set(xlim=(0, 1), ylim=(-0.16, 0.95))
    ax.set_axis_off()


def draw_trace(ax: plt.Axes, V: iz.StateRecorder, neuron: int, label: str, color: str) -> None:
    """Samples of one neuron, at the ends of steps, and the steps of the spike and of its arrival."""
    t, start = [0.0, *(V.t / DT)], -70.0
    ax.plot(t, [start, *V.V[:, neuron]], "o-", color=color, markersize=3.5, linewidth=1.0, clip_on=False, zorder=3)
    ax.axvspan(K, K + 1, color=ORANGE, alpha=0.12, lw=0)
    ax.axvspan(K + D, K + D + 1, color=BLUE, alpha=0.12, lw=0)
    ax.set_ylabel("V (mV)")
    ax.set_title(label, loc="left", fontsize=9)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def main(folder: Path) -> None:
    """Draw it and leave labels.png in the folder."""
    mpl.rcParams.update({"font.size": 9})
    fig = plt.figure(figsize=(8.0, 6.0), layout="constrained")
    grid = fig.add_gridspec(4, 1, height_ratios=(1.5, 1, 1, 1))
    draw_order(fig.add_subplot(grid[0]))
    V, spikes = target(iz.Delta(), 3.0)
    smooth, _ = target(iz.Exponential(5.0), 3.0)
    source = fig.add_subplot(grid[1])
    jump, current = fig.add_subplot(grid[2], sharex=source), fig.add_subplot(grid[3], sharex=source)
    draw_trace(source, V, 0, "source: a spike of step 2", ORANGE)
    step, t = int(spikes.step[0]), float(spikes.t[0]) / DT
    source.vlines(t, V.V[step, 0], 30.0, color=ORANGE, linewidth=1.6)
    source.annotate("", (K + D + 0.5, -35.0), (K + 0.5, -35.0), arrowprops={"arrowstyle": "->", "color": "black"})
    source.text(K + (D + 1) / 2 + 0.25, -31.0, "delay: 3 steps", ha="center", va="bottom")
    source.annotate(f"step = {step}, t = {t:g} dt", (t, 20.0), (t + 0.3, 20.0), va="center", color=ORANGE)
    draw_trace(jump, V, 1, "target of Delta, delay 3 dt: the V jump is in the sample of step 5", BLUE)
    draw_trace(
        current,
        smooth,
        1,
        "target of Exponential: the current rises at the end of step 5, V moves from step 6 on",
        GREEN,
    )
    current.set_xticks(range(LAST + 1), [f"{k}" for k in range(LAST + 1)])
    for k in range(LAST):
        place = current.get_xaxis_transform()
        current.text(k + 0.5, -0.06, f"step {k}", ha="center", va="top", fontsize=7, color=GREY, transform=place)
    current.tick_params(axis="x", pad=10)
    current.set(xlabel="time (dt)", xlim=(0, LAST))
    for ax in (source, jump):
        ax.tick_params(labelbottom=False)
    source.set_ylim(-80, 32)
    fig.align_ylabels()
    fig.savefig(folder / "labels.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
