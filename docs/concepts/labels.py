"""The picture of docs/concepts/labels.md: the order of one step, and the way of a spike from its step to its targets.

Run it with: python docs/concepts/labels.py [outfolder]
"""

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

import izhnumba as iz

DT, D, K, LAST, COLUMNS = 0.5, 3, 2, 9, 4  # ms; delay, step of the spike, steps and boxes in a row
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#666666"  # colour-blind safe
ORDER = (  # what a step does
    ("inputs", "evaluated at $k\\,dt$,\nheld for the step", GREY),
    ("reset", "of spikes of step $k-1$\n(in two schemes)", GREY),
    ("V and u", "advance, and arriving\nV jumps are added", BLUE),
    ("spike test", "$V \\geq V_{th}$: step = $k$,\nt = $(k+1)\\,dt$", ORANGE),
    ("delay 0", "V jumps of spikes\nof this very step", GREY),
    ("reset", "in all other schemes", GREY),
    ("receptors", "decay, then rise\nby what arrives", GREEN),
    ("sample", "the state at $(k+1)\\,dt$", GREY),
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
    """The boxes of one step, in two rows, from k dt to (k + 1) dt."""
    width, height = 1.0 / COLUMNS, 0.42
    for place, (name, text, color) in enumerate(ORDER):
        row, column = divmod(place, COLUMNS)
        left, bottom = column * width + 0.012, 0.56 - 0.5 * row
        shape = FancyBboxPatch(
            (left, bottom), width - 0.024, height, boxstyle="round,pad=0,rounding_size=0.012", facecolor=color,
            alpha=0.12, edgecolor="none", mutation_aspect=3.0,
        )  # fmt: skip
        ax.add_patch(shape)
        middle = left + width / 2 - 0.012
        ax.text(middle, bottom + 0.34, f"{place + 1}  {name}", ha="center", va="center", color=color, fontweight="bold")
        ax.text(middle, bottom + 0.15, text, ha="center", va="center", fontsize=9, linespacing=1.25)
        if column < COLUMNS - 1:
            ax.annotate("", (left + width - 0.002, bottom + 0.21), (left + width - 0.024, bottom + 0.21),
                        arrowprops={"arrowstyle": "->", "color": GREY, "shrinkA": 0, "shrinkB": 0})  # fmt: skip
    ax.set_title("step $k$, from $t = k\\,dt$ to $(k+1)\\,dt$", loc="left", fontsize=10)
    ax.set(xlim=(0, 1), ylim=(0.02, 1.0))
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
    fig = plt.figure(figsize=(7.5, 6.6), layout="constrained")
    grid = fig.add_gridspec(4, 1, height_ratios=(1.75, 1, 1, 1))
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
        current.text(k + 0.5, -0.06, f"step {k}", ha="center", va="top", fontsize=8, color=GREY, transform=place)
    current.tick_params(axis="x", pad=10)
    current.set(xlabel="time (dt)", xlim=(0, LAST))
    for ax in (source, jump):
        ax.tick_params(labelbottom=False)
    source.set_ylim(-80, 32)
    fig.align_ylabels()
    fig.savefig(folder / "labels.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
