"""Grid cells
=============

Inhibition on a torus makes bumps of activity, the rat's velocity moves them, and a cell fires in a grid.

Source: Y. Burak and I. R. Fiete 2009, doi:10.1371/journal.pcbi.1000291, periodic network.
Kept: each cell prefers one of four directions, its inhibitory weights exp(-beta x^2) - exp(-1.05 beta x^2), with
beta = 3 / 13^2, are shifted by 2 cells along that direction, and its drive is A (1 + alpha e.v).
Differs: fast spiking cells instead of rates, GABA_A conductances and noise, axons of 0.1 m/s with delays by distance,
32 x 36 cells, on which bumps 18 apart fit, alpha for a grid of 0.4 m, a random walk as the rat.
Reproduced: a hexagonal lattice of bumps that moves as the rat does, so that single cells fire in hexagonal grids (grid
scores above 0.3). As in the paper, noise moves the lattice too: grids last for minutes, not for an hour.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python grid_cells.py [folder]
T, BOX = 120_000.0, 1.0  # ms; m
SHIFT, BETA, W0, DRIVE, ALPHA = 2, 3 / 13**2, 3.0, 20.0, 0.27  # cells, 1/cells^2, 1/ms, mV/ms, s/m
rng = np.random.default_rng(5)


def walk(duration):
    """A rat's velocity (m/s) every 20 ms, shape (n, 2): smoothed noise, turned back at the walls, and its path (m)."""
    v, position, rows = np.zeros(2), np.full(2, BOX / 2), []
    for _ in range(round(duration / 20.0) + 2):
        v += -0.02 * v / 0.7 + 0.3 * np.sqrt(2 * 0.02 / 0.7) * rng.normal(size=2)
        outside = (position + 0.02 * v < 0) | (position + 0.02 * v > BOX)
        v[outside] *= -1
        rows.append((v.copy(), position))
        position = position + 0.02 * v
    return np.moveaxis(np.array(rows), 1, 0)


velocity, path = walk(T)
times = 20.0 * np.arange(len(velocity))  # ms
rows, columns = 32, 36
y, x = np.divmod(np.arange(rows * columns), columns)
prefers = np.array([[[1, 0], [0, 1]], [[0, -1], [-1, 0]]])[y % 2, x % 2]  # unit vectors, (x, y)
from_, to = np.divmod(np.arange(x.size**2), x.size)
dx = (x[to] - x[from_] - SHIFT * prefers[from_, 0] + columns / 2) % columns - columns / 2
dy = (y[to] - y[from_] - SHIFT * prefers[from_, 1] + rows / 2) % rows - rows / 2
weight = W0 * (np.exp(-BETA * (dx**2 + dy**2)) - np.exp(-1.05 * BETA * (dx**2 + dy**2)))  # 1/ms
near = weight > 0.02 * weight.max()

net = iz.Network(dt=0.5, seed=5)
V_start = rng.uniform(-65.0, -55.0, (rows, columns))
sheet = iz.Population((rows, columns), a=0.1, b=0.2, c=-65.0, d=2.0, V=V_start, u=-13.0,
                      positions=iz.Grid(0.02, periodic=True))  # fmt: skip
cells = net.add(sheet, name="cells")  # 0.02 mm apart
syn = net.connect(cells, cells, (from_[near], to[near]), weight=weight[near], receptor=iz.GABA_A(20.0, E=-75.0),
                  delay=iz.ByDistance(0.1, offset=1.0))  # fmt: skip


def drive(t):
    """A (1 + alpha e.v) at the times t, ms, shape (times, rows, columns)."""
    v = np.column_stack([np.interp(t, times, component) for component in velocity.T])
    return DRIVE * (1 + ALPHA * v @ prefers.T).reshape(-1, rows, columns)


net.drive(cells, iz.Function(drive))
net.drive(cells, iz.Noise(std=12.0))
spikes = net.record(cells, "spikes")
net.run(T)

# Where the rat was as a cell fired, its rate on a grid of 2.5 cm, and the correlation of this map with itself.
at_x, at_y = (np.interp(spikes.t, times, p) for p in path.T)
edges = np.linspace(0, BOX, 41)
blur = np.exp(-0.5 * (np.subtract.outer(np.arange(40), np.arange(40)) / 1.5) ** 2)
stay = blur @ np.histogram2d(*path.T, bins=edges)[0] @ blur
angle = np.deg2rad(np.arange(0, 360, 3))


def rate_map(cell):
    """Rate (Hz) by place, shape (40, 40), x first."""
    here = spikes.i == cell  # the path has 50 points a second
    return 50 * (blur @ np.histogram2d(at_x[here], at_y[here], bins=edges)[0] @ blur) / np.maximum(stay, 1e-3)


def correlation(rate):
    """The map with itself, shifted by -39 to 39 bins along x and y; 1 in the middle."""
    size, rest, ones = (79, 79), rate - rate.mean(), np.ones_like(rate)
    fold = lambda a, b: np.fft.irfft2(np.fft.rfft2(a, size) * np.fft.rfft2(b[::-1, ::-1], size), size)  # noqa: E731
    return fold(rest, rest) / np.sqrt(np.maximum(fold(rest**2, ones) * fold(ones, rest**2), 1e-12))


def grid_score(seen):
    """The ring around the middle against itself, turned: least at 60 and 120 less most at 30, 90, 150 degrees."""
    ring = np.array([seen[np.rint(39 + r * np.cos(angle)).astype(int), np.rint(39 + r * np.sin(angle)).astype(int)]
                     for r in range(8, 24)])  # fmt: skip
    ring -= ring.mean()
    like = {turn: np.sum(ring * np.roll(ring, turn // 3, axis=1)) for turn in range(30, 180, 30)}
    return (min(like[60], like[120]) - max(like[30], like[90], like[150])) / max(np.sum(ring**2), 1e-12)


scores = [grid_score(correlation(rate_map(cell))) for cell in range(0, rows * columns, 12)]
shown = 12 * int(np.argsort(scores)[len(scores) // 2])  # the median cell
rate = rate_map(shown)
print(f"{len(spikes) / x.size / (T / 1000):.1f} Hz; median grid score {np.median(scores):.2f}, "
      f"above 0.3 in {100 * np.mean(np.array(scores) > 0.3):.0f} % of cells")  # fmt: skip

plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplots(2, 3, figsize=(11, 7), layout="constrained")
last = spikes.i[spikes.t > T - 250.0]
image = axes[0, 0].imshow(4 * np.bincount(last, minlength=x.size).reshape(rows, columns), "magma", origin="lower")
axes[0, 0].set(title="the sheet, last 250 ms", xlabel="cell", ylabel="cell")
fig.colorbar(image, ax=axes[0, 0], label="rate (Hz)", shrink=0.8)
axes[0, 1].plot(*path.T, color="0.75", linewidth=0.6)
axes[0, 1].plot(at_x[spikes.i == shown], at_y[spikes.i == shown], ".", color=plot.VERMILLION, markersize=3)
axes[0, 1].set(title="path, and spikes of a cell", aspect="equal", xlabel="x (m)", ylabel="y (m)")
image = axes[0, 2].imshow(rate.T, "magma", origin="lower", extent=(0, BOX, 0, BOX))
axes[0, 2].set(title="its rate", xlabel="x (m)", ylabel="y (m)")
fig.colorbar(image, ax=axes[0, 2], label="rate (Hz)", shrink=0.8)
image = axes[1, 0].imshow(correlation(rate).T, "RdBu_r", origin="lower", extent=(-BOX, BOX, -BOX, BOX), vmin=-1, vmax=1)
axes[1, 0].set(title="its autocorrelation", xlabel="shift in x (m)", ylabel="shift in y (m)",
               xlim=(-0.75, 0.75), ylim=(-0.75, 0.75))  # fmt: skip
fig.colorbar(image, ax=axes[1, 0], label="correlation", shrink=0.8)
axes[1, 1].hist(scores, np.linspace(-1, 1.6, 27), color="0.6")
axes[1, 1].axvline(np.median(scores), color=plot.VERMILLION)
axes[1, 1].set(title="grid scores, line at the median", xlabel="grid score", ylabel="cells")
axes[1, 2].hist(syn.delay, np.arange(1, 8, 0.5) - 0.25, color="0.6")
axes[1, 2].set(title="delays by distance on the torus", xlabel="delay (ms)", ylabel="synapses")
fig.savefig(folder / "grid_cells.png", dpi=150)
