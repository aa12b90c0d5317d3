"""Spike sources
================

STDP finds the inputs whose rates rise and fall together, and recorded spikes are sent again.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 18_spike_sources.py [folder]
HALF, SECONDS, BIN = 150, 30, 5.0  # inputs, s, ms

# Rates in time, a row per bin and a column per input: those of the first half are high together, now and then.
high = np.random.default_rng(2).random(int(SECONDS * 1000 / BIN)) < 0.05
rates = np.full((high.size, 2 * HALF), 16.0)
rates[:, :HALF] = np.where(high, 149.0, 9.0)[:, np.newaxis]


def network(source):
    """A cell that learns from a source, by a rule whose depression outweighs potentiation by a fifth."""
    net = iz.Network(dt=0.5, seed=1)
    inputs, cell = net.add(source, "inputs"), net.add(iz.Population(1, **iz.presets["RS"]), "cell")
    rule = iz.STDP(A_plus=0.005, A_minus=0.006, w_max=1.0)
    syn = net.connect(inputs, cell, iz.AllToAll(), weight=0.5, delay=1.0, receptor=iz.Exponential(3.0), plasticity=rule)
    return net, syn, net.record(inputs, name="sent"), net.record(cell, name="spikes")


net, syn, sent, spikes = network(iz.PoissonSource(2 * HALF, iz.TimedArray(rates, dt=BIN)))
weights = net.record(syn, "weight", every=500.0)
net.run(SECONDS * 1000.0)

# The same spikes once more, from the record: the cell learns the same weights, to the last bit.
again, same, _, repeated = network(iz.SpikeSource(sent, n=2 * HALF))
again.run(SECONDS * 1000.0)
assert np.array_equal(same.weight, syn.weight)
assert np.array_equal(repeated.t, spikes.t)

first, second = syn.weight[:HALF], syn.weight[HALF:]
print(f"{len(sent)} spikes sent, {len(spikes)} of the cell; weights {first.mean():.2f} and {second.mean():.2f}")
_, (raster, course, final) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
plot.raster(sent.spikes[:1000.0], raster, size=1.5, color="black").set(ylabel="input", title="the first second")
halves = (slice(HALF), "together", plot.BLUE), (slice(HALF, None), "each by itself", plot.VERMILLION)
for part, name, color in halves:
    course.plot(weights.t / 1000.0, weights.weight[:, part].mean(axis=1), color=color, label=name)
    final.hist(syn.weight[part], np.linspace(0.0, 1.0, 21), color=color, alpha=0.6, label=name)
course.set(xlabel="t (s)", ylabel="mean weight (mV/ms)", ylim=0)
final.set(xlabel="weight at the end (mV/ms)", ylabel="synapses")
course.legend(title="rates high")
plt.savefig(folder / "18_spike_sources.png", dpi=150)
