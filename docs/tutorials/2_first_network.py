"""
A first network
===============

Connect excitatory and inhibitory cells, look at who fires when, and find out what inhibition does.

A network has populations, synapses between them, drives from outside and recorders. Each is one line. The network here
has 800 excitatory and 200 inhibitory cells, as in the cortex, and every cell hears one in ten of the others. You need
no more than the :doc:`first lesson <1_first_neuron>`.
"""

# %%
# Populations
# -----------
# ``dt`` is the time step of all, in ms, and ``seed`` makes all that is random repeatable: wiring, delays, noise. No
# two cells of a brain are equal, so some parameters are drawn: ``iz.Normal(mean, std)`` gives each cell its own.

import tempfile
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis, plot

net = iz.Network(dt=0.5, seed=1)
regular = iz.presets["RS"] | {"d": iz.Normal(8.0, 1.0), "V": iz.Uniform(-70.0, -60.0)}
exc = net.add(iz.Population(800, **regular), name="exc")
inh = net.add(iz.Population(200, **iz.presets["FS"]), name="inh")

# %%
# Synapses
# --------
# ``net.connect(pre, post, rule, ...)`` wires two populations. The rule says who connects to whom, ``weight`` how
# strongly and ``delay`` how long a spike travels. The *receptor* says what an arriving spike does. With
# ``Exponential(5.0)`` it opens a current of ``weight`` mV/ms that decays within 5 ms; an inhibitory weight is
# negative.

wired = {"rule": iz.FixedProbability(0.1), "delay": iz.Uniform(1.0, 5.0)}
for post in (exc, inh):
    net.connect(exc, post, weight=0.6, receptor=iz.Exponential(5.0), **wired, name=f"exc to {post.name}")
inhibition = [
    net.connect(inh, post, weight=-2.5, receptor=iz.Exponential(8.0), **wired, name=f"inh to {post.name}")
    for post in (exc, inh)
]
for name, syn in net.synapses.items():
    print(f"{name}: {syn}")

# %%
# A drive and two recorders
# -------------------------
# Nothing would happen without a drive. All cells get a noisy current: other inputs, of which we know little.
# Recorders are told what to keep; the state of five cells is enough to look at.

net.drive(exc, 3.0 + iz.Noise(std=10.0))
net.drive(inh, 2.0 + iz.Noise(std=6.0))
spikes = {pop: net.record(pop, "spikes") for pop in (exc, inh)}
voltage = net.record(exc[:5], "V")
net.run(1000.0)
for pop, record in spikes.items():
    print(f"{pop.name}: {record.spikes.rates().mean():.1f} Hz")

# %%
# Who fires when
# --------------
# Each dot of a *raster* is a spike, with its time across and its cell upwards. Below are the rates of both
# populations, counted in bins of 5 ms. A slice of recorded spikes is a slice in time, in ms.


def picture(start, title):
    """Raster and rates of the second from `start` (ms)."""
    parts = {pop.name: record.spikes[start : start + 1000.0] for pop, record in spikes.items()}
    fig, (top, bottom) = plt.subplots(2, sharex=True, figsize=(8, 5), layout="constrained", height_ratios=(3, 1))
    plot.raster(parts, top)
    plot.rate(parts, bottom, every=5.0, linewidth=1.0)
    top.set(title=title, xlabel="")


picture(0.0, "800 excitatory and 200 inhibitory cells")

# %%
# All cells start together, hence the burst at 0 ms. Then a rhythm of some 30 Hz comes and goes: excitation lifts all,
# inhibition follows within some ms and pulls all back, and when it has decayed the next round begins. No cell keeps
# up with it: each fires in some of the rounds, and its V wanders below the threshold in the others.

fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
for k in range(3):
    ax.plot(voltage.t, np.minimum(voltage.V[:, k], 30.0) + 110.0 * k, linewidth=0.8, color=plot.COLORS[k])
ax.set(xlabel="time (ms)", yticks=[], title="V of three excitatory cells", xlim=(0, 1000))
ax.plot([1010, 1010], [0, 50], color="black", linewidth=2.0, clip_on=False)
ax.text(1016, 25, "50 mV", va="center")
ax.spines[["top", "right", "left"]].set_visible(False)

# %%
# An experiment
# -------------
# What does inhibition do? Take most of it away and see, as bicuculline does in a slice. ``syn.weight`` is a live
# array: change it, and run on. The network goes on where it stopped.

for syn in inhibition:
    syn.weight *= 0.1
net.run(1000.0)
for pop, record in spikes.items():
    print(f"{pop.name}: {record.spikes[1000.0:].rates().mean():.1f} Hz")
picture(1000.0, "90 % of inhibition taken away at 1000 ms")

# %%
# Now the excitatory cells excite each other until their own adaptation, u, stops them all. When u has decayed they
# start again, together: the network bursts eight times a second, as slices do.
#
# How irregular?
# --------------
# A number for what the eye sees: the *coefficient of variation* (CV) of the intervals between the spikes of a cell.
# It is 0 for a clock and 1 for a Poisson process; above 1 there are bursts, with short intervals within and long ones
# between.

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for start, label, color in ((100.0, "with inhibition", plot.BLUE), (1100.0, "with a tenth of it", plot.VERMILLION)):
    part = spikes[exc].spikes[start : start + 900.0]
    cv = analysis.cv(part)[part.counts() > 5]  # of few intervals it says little
    print(f"{label}: mean CV {np.mean(cv):.2f}")
    ax.hist(cv, np.arange(0.0, 2.01, 0.05), color=color, alpha=0.7, label=label)
ax.set(xlabel="CV of interspike intervals", ylabel="excitatory cells")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# Keep it
# -------
# ``net.save`` writes the whole network into one file: wiring, weights, V and u, the spikes on their way, the random
# streams. ``iz.load`` goes on from there, to the last bit.

with tempfile.TemporaryDirectory() as folder:
    net.save(Path(folder) / "state.npz")
    again = iz.load(Path(folder) / "state.npz")
again.run(100.0)
net.run(100.0)
print("the same V:", np.array_equal(again.populations["exc"].V, exc.V))

# %%
# What you have seen
# ------------------
# - ``net.add``, ``net.connect``, ``net.drive``, ``net.record``, ``net.run``: a network is built of five calls.
# - ``plot.raster`` and ``plot.rate`` draw what was recorded; ``plot.overview(net)`` does so in one call.
# - Weights, V, u and the currents of drives are live arrays; experiments are changes between two runs.
# - Recorders give ``.i`` and ``.t`` of spikes, and ``.V`` of states; ``recorder.spikes[a:b]`` is a slice in time, and
#   ``izhnumba.analysis`` has CV, correlations, spectra and more.
#
# Try: other seeds; ``iz.Uniform(5.0, 20.0)`` as delays; conductances, ``receptor=iz.AMPA()`` with a weight of 0.004
# and ``iz.GABA_A()`` with 0.03 (both positive: the reversal potential makes the sign); or plastic synapses,
# ``plasticity=iz.STDP(...)``. The how-to pages answer single questions, and the gallery has networks that learn, make
# waves and hold a wanted rate.
