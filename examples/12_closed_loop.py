"""A network in a closed loop
=============================

A controller holds the rate of a network while the wanted rate changes and synapses are blocked.
As an optogenetic clamp (J. P. Newman et al. 2015, doi:10.7554/eLife.07192), with a current in place of the light.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 12_closed_loop.py [folder]
T, BLOCK, PERIOD, TAU = 8000.0, 5000.0, 5.0, 50.0  # ms: end, block of AMPA, control, mean of the rate
KP, KI = 0.05, 0.002  # mV/ms per Hz; the same per ms

net = iz.Network(dt=0.5, seed=12)
exc = net.add(iz.Population(800, **iz.presets["RS"]), name="exc")
inh = net.add(iz.Population(200, **iz.presets["FS"]), name="inh")
sparse, delay = iz.FixedProbability(0.1), iz.Uniform(1.0, 10.0)
ampa = [net.connect(exc, post, sparse, weight=0.004, delay=delay, receptor=iz.AMPA()) for post in (exc, inh)]
for post in (exc, inh):
    net.connect(inh, post, sparse, weight=0.03, delay=delay, receptor=iz.GABA_A())
    net.drive(post, iz.Noise(std=8.0))
spikes, counted = net.record(exc, "spikes"), net.record(exc, "rate", every=PERIOD)
light = net.drive(exc, 0.0)  # mV/ms
rate, integral, loop = 0.0, 0.0, []
while net.t < T:
    wanted = 6.0 if net.t < 1500 else 12.0 if net.t < 3000 else 8.0  # Hz
    integral += KI * (wanted - rate) * PERIOD
    light.value = KP * (wanted - rate) + integral
    if net.t == BLOCK:
        for syn in ampa:
            syn.weight *= 0.0
    net.run(PERIOD)
    rate += (counted.rate[-1] - rate) * PERIOD / TAU
    loop.append((net.t, wanted, rate, light.value))
t, wanted, rate, current = np.transpose(loop)
for stop in (1500, 3000, 5000, 8000):
    last = (t > stop - 500) & (t <= stop)
    print(f"{stop} ms: {rate[last].mean():.1f} Hz, wanted {wanted[last][0]:g}, by {current[last].mean():.1f} mV/ms")

plt.rc("axes.spines", top=False, right=False)
fig, (top, middle, bottom) = plt.subplots(3, sharex=True, figsize=(9, 7), layout="constrained", height_ratios=(2, 1, 2))
top.plot(t, rate, color=plot.BLUE, label="network")
top.plot(t, wanted, color="black", linestyle="--", linewidth=1.0, label="set point")
top.set(ylabel="rate (Hz)", ylim=(0, None), xlim=(0, T), title="AMPA receptors are blocked from the dotted line on")
top.legend(frameon=False, loc="upper right")
middle.plot(t, current, color=plot.VERMILLION)
middle.set_ylabel("current (mV/ms)")
plot.raster(spikes, bottom, size=1.0, color="black")
for ax in (top, middle, bottom):
    ax.axvline(BLOCK, color="black", linestyle=":", linewidth=1.0)
fig.align_ylabels()
fig.savefig(folder / "12_closed_loop.png", dpi=150)
