"""Waves on a torus
===================

Delays by distance: a front goes around and meets itself, at a speed that its axons set.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 16_waves_on_a_torus.py [folder]
rest = dict(**iz.presets["RS"], tau_ref=60.0)  # after a spike, so that a front leaves silence behind


def tissue(size, velocity, scale, weight):
    """Cells 0.1 mm apart on a ring or torus. Axons conduct at `velocity` (mm/ms, which is m/s); scale in mm."""
    net = iz.Network(dt=0.1, seed=1)
    cells = net.add(iz.Population(size, **rest, positions=iz.Grid(0.1, periodic=True)), name="cells")
    near, delay = iz.Distance("gaussian", scale, p=0.6, autapses=False), iz.ByDistance(velocity, offset=1.0)
    net.connect(cells, cells, near, weight=weight, delay=delay, receptor=iz.Exponential(5.0))
    return net, cells


top, bottom = plt.figure(figsize=(10, 6.5), layout="constrained").subfigures(2, height_ratios=(1, 1.3))

# A torus of 6 x 9 mm, stimulated in a circle: a mask over the positions of its cells.
net, cells = tissue((60, 90), velocity=0.1, scale=0.25, weight=2.6)
y, x = cells.positions.coordinates.T
net.drive(cells[np.hypot(x - 3.0, y - 2.0) < 0.5], iz.Pulses(0.0, 10.0, 30.0))
axes = top.subplots(1, 4, sharex=True, sharey=True)
for ax in axes:
    net.run(30.0)
    since = net.t - cells.last_spike_time
    image = ax.imshow(since, "magma_r", extent=(0, 9, 0, 6), origin="lower", vmin=0.0, vmax=60.0)
    ax.set_title(f"{net.t:.0f} ms", fontsize="medium")
axes[0].set(xlabel="x (mm)", ylabel="y (mm)")
top.colorbar(image, ax=axes, label="since the last spike (ms)", shrink=0.7)

raster, curve = bottom.subplots(1, 2)  # rings of 30 mm: two fronts leave the middle and die where they meet
velocities, speeds = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2], []
for velocity in velocities:
    net, cells = tissue(300, velocity, scale=0.5, weight=8.0)
    net.drive(cells[145:155], iz.Pulses(0.0, 10.0, 30.0))
    spikes = net.record(cells, name="spikes")
    net.run(280.0)
    t_200, t_250 = (spikes.spikes.of(i)[0] for i in (200, 250))
    speeds.append(5.0 / (t_250 - t_200))  # mm/ms
    if velocity in (0.1, 0.2, 1.6):
        raster.plot(spikes.t, 0.1 * spikes.i, ".", markersize=2, label=f"axons of {velocity} m/s")
raster.set(xlabel="t (ms)", ylabel="along the ring (mm)", title="a ring of 30 mm")
curve.semilogx(velocities, speeds, "o-", label="fronts")
curve.set(xlabel="velocity of the axons (m/s)", ylabel="speed of the fronts (m/s)", ylim=0, title="rings of 30 mm")
raster.legend(markerscale=4, loc="center right")
print("fronts (m/s):", ", ".join(f"{speed:.3f} for {v:g}" for v, speed in zip(velocities, speeds, strict=True)))
plt.savefig(folder / "16_waves_on_a_torus.png", dpi=150)
