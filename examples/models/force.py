"""FORCE training
=================

A chaotic network of Izhikevich cells learns to swing by itself, from an error that shapes its feedback.

Source: W. Nicola and C. Clopath 2017, doi:10.1038/s41467-017-01827-3, and their program of the sine of 5 Hz (IZFORCE).
Kept: cells, step rule and dt (0.04 ms), synapses without delay, their filter (2 and 20 ms), sparse weights of gain G,
feedback of gain Q, recursive least squares (RLS) from the identity times 2.
Differs: 1000 cells instead of 2000, RLS every 2 ms instead of every 0.8 ms, shorter phases.
Reproduced: without learning the output z stays at 0; after 2 s of it the network goes on by itself, along the target.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python force.py [folder]
N, DT = 1000, 0.04  # cells; ms
LEARN, FREE, END, EVERY = 1000.0, 3000.0, 4600.0, 50  # ms: RLS begins and ends, end of the run; steps from RLS to RLS
G, Q, BIAS, P = 5000.0, 5000.0, 1000.0, 0.1  # pA: weights, feedback, current near the threshold; probability
RISE, DECAY = 2.0, 20.0  # ms
rng = np.random.default_rng(6)


@dataclass(frozen=True)
class Filter(iz.Receptor):
    """The published filter: y' = -y / RISE + x, x' = -x / DECAY, x in steps of Euler's rule where y takes it up."""

    rise: float = RISE
    decay: float = DECAY

    def propagator(self, dt):
        return iz.Propagator(2, math.exp(-dt / self.rise), dt, math.exp(-dt / self.decay), 1 / (self.rise * self.decay))


static = G * rng.normal(size=(N, N)) * (rng.random((N, N)) < P) / (math.sqrt(N) * P)  # pA: from row to column
feedback = Q * rng.uniform(-1.0, 1.0, N)  # pA
V_start = rng.uniform(-60.0, 30.0, N)

net = iz.Network(dt=DT, scheme="euler", seed=6)
cell = dict(C=250.0, k=2.5, vr=-60.0, vt=-19.2, vpeak=30.0, a=0.01, b=-2.0, c=-65.0, d=200.0)
cells = net.add(iz.Population(N, model=iz.Izhikevich2007, **cell, V=V_start, u=0.0), name="cells")
net.connect(cells, cells, static, delay=0.0, receptor=Filter())
current = np.full(N, BIAS)  # pA
net.drive(cells, current)
spikes, voltage = net.record(cells, "spikes"), net.record(cells, "V", every=0.4, neurons=range(5))

r, x, decoder, inverse, z = np.zeros(N), np.zeros(N), np.zeros(N), 2.0 * np.eye(N), 0.0
keep_r, keep_x, unit = math.exp(-DT / RISE), math.exp(-DT / DECAY), 1 / (RISE * DECAY)
steps = round(END / DT)
target = np.sin(2 * np.pi * 0.005 * DT * np.arange(steps))
output, decoders = np.zeros(steps), []
for k in range(steps):
    np.multiply(feedback, z, out=current)
    current += BIAS
    net.step()
    r *= keep_r  # the spikes, filtered as in the synapses
    r += DT * x
    x *= keep_x
    x[cells.spikes] += unit
    output[k] = z = decoder @ r
    if k % EVERY == 1 and LEARN / DT < k < FREE / DT:
        gain = inverse @ r
        decoder -= (z - target[k]) * gain
        inverse -= np.outer(gain, gain / (1 + r @ gain))
    if k % 250 == 0:
        decoders.append(decoder[:20].copy())

t = DT * np.arange(steps)
error = {name: np.sqrt(np.mean((output - target)[(t > start) & (t <= end)] ** 2))
         for name, start, end in (("before", 0.0, LEARN), ("after", FREE, END))}  # fmt: skip
print(f"root mean square of the error: {error['before']:.2f} before learning, {error['after']:.3f} after it")
print(f"{len(spikes) / N / (END / 1000):.1f} Hz")

plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplot_mosaic([["z", "z"], ["raster", "V"], ["weights", "V"]], figsize=(10, 7.5), layout="constrained",
                               height_ratios=(1.2, 1, 1), width_ratios=(3, 2))  # fmt: skip
axes["z"].plot(t / 1000, target, color="0.75", linewidth=3, label="target")
axes["z"].plot(t / 1000, output, color=plot.BLUE, linewidth=1, label="output")
axes["z"].set(ylabel="z", ylim=(-1.5, 1.9), title="the network's output; it learns between the dotted lines")
axes["z"].legend(frameon=False, ncols=2, loc="upper right")
shown = spikes.i < 100
axes["raster"].plot(spikes.t[shown] / 1000, spikes.i[shown], ".", color="black", markersize=1)
axes["raster"].set(ylabel="cell", ylim=(0, 100))
axes["weights"].plot(0.25 * DT * np.arange(len(decoders)), decoders, color="0.5", linewidth=0.6)
axes["weights"].set(ylabel="weights of 20 cells in z")
for name in ("z", "raster", "weights"):
    for when in (LEARN, FREE):
        axes[name].axvline(when / 1000, color="black", linestyle=":")
    axes[name].set(xlim=(0, END / 1000), xlabel="time (s)")
for row, V in enumerate(voltage.V.T):
    axes["V"].plot(voltage.t / 1000, V / 100 + row, color=plot.VERMILLION if row == 2 else "black", linewidth=0.6)
axes["V"].set(
    xlim=((END - 800) / 1000, END / 1000), xlabel="time (s)", yticks=[], ylabel="V (100 mV from cell to cell)"
)
axes["V"].set_title("five cells after learning")
fig.savefig(folder / "force.png", dpi=150)
