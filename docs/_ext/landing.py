"""Draws the picture of the first page, on light and on dark ground, from a run of the network of 2003."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from izhnumba.cli._demo import network_2003

LIGHT = ("#0072b2", "#d55e00", "#3f4854")  # excitatory, inhibitory, text
DARK = ("#6cbdec", "#f0984d", "#c8cfd8")


def network():
    """Spikes of a second of it: times (ms) and neurons, of which 800 are excitatory."""
    net = network_2003(seed=7, dt=1.0)
    net.run(1000.0)
    spikes = [net.recorders[kind].spikes for kind in ("excitatory", "inhibitory")]
    return np.concatenate([one.t for one in spikes]), np.concatenate([one.i for one in spikes])


def draw(t, i, colors, path):
    """Raster above, rate below, on no ground."""
    exc, inh, text = colors
    fig = Figure(figsize=(6.4, 3.9), layout="constrained")
    top, bottom = fig.subplots(2, sharex=True, height_ratios=(4, 1))
    top.scatter(t, i, s=1.6, c=np.where(i < 800, exc, inh), linewidth=0)
    top.set(ylim=(0, 1000), yticks=[])
    top.set_title("1000 neurons, a million synapses, a second", color=text, fontsize="medium", loc="left")
    for name, y, color in (("excitatory", 400, exc), ("inhibitory", 900, inh)):
        top.text(-12, y, name, color=color, rotation=90, ha="right", va="center", fontsize="small")
    bottom.fill_between(np.arange(1000), np.bincount(t.astype(int) - 1, minlength=1000)[:1000], color=text, linewidth=0)
    bottom.set(xlim=(0, 1000), yticks=[], xlabel="time (ms)", ylim=(0, None))
    bottom.text(-12, 0, "rate", color=text, rotation=90, ha="right", va="bottom", fontsize="small")
    for ax in (top, bottom):
        ax.patch.set_alpha(0.0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.spines["bottom"].set_color(text)
        ax.tick_params(colors=text, labelsize="small")
        ax.xaxis.label.set_color(text)
        ax.xaxis.label.set_size("small")
    top.spines["bottom"].set_visible(False)
    top.tick_params(bottom=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=200, transparent=True)


def pictures(app):
    """_build/landing/{light,dark}.png, where they are not there yet."""
    paths = [Path(app.srcdir) / "_build" / "landing" / f"{name}.png" for name in ("light", "dark")]
    if not all(path.exists() for path in paths):
        t, i = network()
        for path, colors in zip(paths, (LIGHT, DARK), strict=True):
            draw(t, i, colors, path)


def setup(app):
    app.connect("builder-inited", pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
