"""The network of 2003
======================

1000 neurons, all connected, with random weights and currents: alpha and gamma rhythms arise.
"""

import sys
from pathlib import Path

import numpy as np

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 07_network_2003.py [folder]
rng = np.random.default_rng(7)
excitatory, r = np.arange(1000) < 800, rng.random(1000)

net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=7)
b = np.where(excitatory, 0.2, 0.25 - 0.05 * r)
cells = net.add(
    iz.Population(
        1000, a=np.where(excitatory, 0.02, 0.02 + 0.08 * r), b=b, c=np.where(excitatory, -65 + 15 * r**2, -65.0),
        d=np.where(excitatory, 8 - 6 * r**2, 2.0), u=b * -65.0,
    ),
    name="cells",
)  # fmt: skip
net.connect(cells[:800], cells, iz.AllToAll(), weight=iz.Uniform(0.0, 0.5), receptor=iz.Pulse())
net.connect(cells[800:], cells, iz.AllToAll(), weight=iz.Uniform(-1.0, 0.0), receptor=iz.Pulse())
net.drive(cells, iz.Noise(std=np.where(excitatory, 5.0, 2.0)))
spikes = [net.record(cells[:800], name="excitatory"), net.record(cells[800:], name="inhibitory")]
net.record(cells, "V", neurons=[0])
net.run(1000.0)
for kind in spikes:
    print(f"{kind.name}: {len(kind)} spikes, {kind.spikes.rates().mean():.1f} Hz")

fig = plot.overview(net, title="Izhikevich 2003: 1000 neurons, 1,000,000 synapses")
fig.savefig(folder / "07_network_2003.png", dpi=300)
