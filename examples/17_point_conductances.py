"""Fluctuating conductances
===========================

Background synapses as two conductances (A. Destexhe and others 2001), and what they do to f-I curves.

What thousands of synapses make of a cell is an excitatory and an inhibitory conductance, each an Ornstein-Uhlenbeck
process. They make cells fire below the threshold, and the foot of the f-I curve soft.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 17_point_conductances.py [folder]
T, COPIES = 1000.0, 20  # ms; cells for each current
currents = np.linspace(0.0, 24.0, 25)  # mV/ms
colors = {0.0: "black", 1.0: plot.BLUE, 2.0: plot.VERMILLION}  # by the size of the fluctuations

net = iz.Network(dt=0.1, seed=17)
spikes, voltage = {}, {}
for size in colors:
    cells = net.add(iz.Population((COPIES, currents.size), **iz.presets["RS"]), name=f"x{size:g}")
    net.drive(cells, currents)
    excitation = iz.OrnsteinUhlenbeck(mean=0.06, std=0.03 * size, tau=2.7).clip(0.0)  # 1/ms
    inhibition = iz.OrnsteinUhlenbeck(mean=0.2, std=0.06 * size, tau=10.5).clip(0.0)
    net.drive(cells, excitation, receptor=iz.AMPA(E=0.0))
    net.drive(cells, inhibition, receptor=iz.GABA_A(E=-75.0))
    spikes[size], voltage[size] = net.record(cells, "spikes"), net.record(cells, "V", neurons=[2])
net.run(T)

plt.rc("axes.spines", top=False, right=False)
fig, (curve, trace) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", width_ratios=(2, 3))
for size, color in colors.items():
    counts = np.bincount(spikes[size].i % currents.size, minlength=currents.size)
    rates = counts / (COPIES * T * 1e-3)
    print(f"fluctuations x{size:g}: {rates[::6].round(1)} Hz at {currents[::6]} mV/ms")
    curve.plot(currents, rates, color=color, label=f"x{size:g}")
    trace.plot(voltage[size].t, np.minimum(voltage[size].V[:, 0], 30.0), color=color, linewidth=0.7)
curve.set(xlabel="I (mV/ms)", ylabel="rate (Hz)")
curve.legend(title="fluctuations", frameon=False)
trace.set(xlabel="time (ms)", ylabel="V (mV)", title=f"I = {currents[2]:g} mV/ms", xlim=(0.0, T))
fig.savefig(folder / "17_point_conductances.png", dpi=150)
