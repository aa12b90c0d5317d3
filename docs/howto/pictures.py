"""The two figures of howto/pictures.md: python docs/howto/pictures.py [folder]"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot


def main(folder):
    r = np.random.default_rng(3).random(1000)
    net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=3)  # of 2003, whose rhythm comes and goes
    exc = net.add(
        iz.Population(800, a=0.02, b=0.2, c=-65 + 15 * r[:800] ** 2, d=8 - 6 * r[:800] ** 2, u=-13.0), name="exc"
    )
    inh = net.add(iz.Population(200, a=0.02 + 0.08 * r[800:], b=0.25 - 0.05 * r[800:], d=2.0, u=-13.0), name="inh")
    syn = net.connect(exc, exc + inh, iz.AllToAll(), weight=iz.Uniform(0.0, 0.5), receptor=iz.Pulse())
    net.connect(inh, exc + inh, iz.AllToAll(), weight=iz.Uniform(-1.0, 0.0), receptor=iz.Pulse())
    net.drive(exc, iz.Noise(std=5.0))
    net.drive(inh, iz.Noise(std=2.0))
    net.record(exc, "spikes")
    net.record(inh, "spikes")
    net.record(exc, "V", neurons=[0])
    net.run(1000.0)

    with mpl.rc_context(plot.PAPER):
        plot.overview(net).savefig(folder / "pictures_overview.png", dpi=200)

        net.run(9000.0)
        fig, axes = plt.subplots(2, 2, figsize=(6.9, 4.6), layout="constrained")
        plot.isi(net, axes[0, 0], log=True)
        plot.spectrum(net, axes[0, 1], segment=500.0)
        axes[0, 1].set_xlim(0.0, 100.0)
        axes[0, 1].legend()
        plot.weights(syn, axes[1, 0], kind="histogram")
        path = iz.Population(1, **iz.presets["RS"]).run(200.0, 10.0, record=["V", "u"])
        plot.phase_plane(iz.presets["RS"], 10.0, axes[1, 1], trajectory=path)
        fig.savefig(folder / "pictures_four.png", dpi=200)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
