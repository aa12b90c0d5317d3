"""
A first neuron
==============

Make one neuron, give it a current, look at its spikes, and see why it fires when it does.

A neuron of Izhikevich has two variables: its voltage V, and a slower variable u that pulls V back. They obey

.. code-block:: text

    V' = 0.04 V² + 5 V + 140 - u + I
    u' = a (b V - u)

and when V reaches 30 mV there is a spike: V is set to c, and d is added to u. Four numbers a, b, c, d make the cells of
the cortex out of this: regular spiking ones, bursting ones, fast ones. Time is in ms, V in mV, and the current I in
mV/ms, as in the paper of 2003.
"""

# %%
# One cell, one current
# ---------------------
# A *preset* is a published cell: its parameters and its state at the start. ``RS`` is the regular spiking cell, the
# most common one of the cortex. ``**`` hands its numbers to a population, here a population of one.

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis, plot

print(iz.presets["RS"])
neuron = iz.Population(1, **iz.presets["RS"])

# %%
# ``run`` simulates so many ms under a current and returns what happened. Spikes are always there; V and u are kept if
# you ask for them. The current is off at first and is switched on at 50 ms.

step = iz.Pulses(start=50.0, stop=450.0, amplitude=10.0)  # 10 mV/ms from 50 to 450 ms
result = neuron.run(500.0, step, record=["V", "u"])
print(result.spikes)
print("spikes at", result.spikes.t.round(1), "ms")

# %%
# ``result.V`` has a row for each sample and a column for each neuron, and ``result.t`` its times: plain NumPy arrays,
# ready for whatever you do with arrays. For the usual pictures there is ``izhnumba.plot``. A spike lasts for a step
# or two, so samples may miss its top; ``peak=30.0`` draws it up to 30 mV, as papers do.

print("V:", result.V.shape, " t:", result.t.shape)

fig, (top, middle, bottom) = plt.subplots(3, sharex=True, figsize=(8, 5), layout="constrained", height_ratios=(3, 2, 1))
plot.trace(result, top, peak=30.0)
plot.trace(result, middle, variable="u", color=plot.VERMILLION)
bottom.plot(result.t, step.at(result.t), color="black", linewidth=1.0)
bottom.set(xlabel="time (ms)", ylabel="I (mV/ms)")
bottom.spines[["top", "right"]].set_visible(False)
for ax in (top, middle):
    ax.set_xlabel("")
fig.align_ylabels()

# %%
# The first two spikes come fast, then the cell settles to a slower rhythm. The middle panel says why: each spike adds
# d = 8 to u, u decays slowly (at the rate a = 0.02 per ms), and it works against V. This is *spike-frequency
# adaptation*.
#
# Other cells
# -----------
# Other numbers, other cells. All four below get the same current; what differs is a, b, c and d alone. A population
# may hold them all: every parameter may be an array with a number for each neuron.

names = ["RS", "IB", "CH", "FS"]
numbers = {key: [iz.presets[name][key] for name in names] for key in ("a", "b", "c", "d")}
four = iz.Population(4, **numbers, u="nullcline")  # u starts in balance with V
result = four.run(300.0, 10.0, record="V")

fig, axes = plt.subplots(4, sharex=True, sharey=True, figsize=(8, 6), layout="constrained")
for k, (ax, name) in enumerate(zip(axes, names, strict=True)):
    plot.trace(result, ax, columns=[k], peak=30.0)
    values = ", ".join(f"{key} = {numbers[key][k]:g}" for key in numbers)
    ax.set_title(f"{name}, {iz.presets[name].title}: {values}", loc="left", fontsize="medium")
    ax.set_xlabel("time (ms)" if k == 3 else "")

# %%
# ``izhnumba presets`` on the command line lists the cells of three publications; the :doc:`gallery
# </gallery/02_twenty_patterns>` shows twenty of them at work.
#
# How often does it fire?
# -----------------------
# The *f-I curve* is the rate of a cell under a constant current. There is no need for a loop over currents: make a
# population of 101 equal cells and give each its own. They are simulated at once, which takes some milliseconds.

current = np.linspace(0.0, 20.0, 101)  # mV/ms
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, color in (("RS", plot.BLUE), ("FS", plot.VERMILLION)):
    cells = iz.Population(current.size, **iz.presets[name])
    cells.run(500.0, current)  # the adaptation at the start is not counted: run goes on where it stopped
    rate = cells.run(2000.0, current).spikes.rates()  # Hz
    print(f"{name} fires from {current[rate > 0][0]:.1f} mV/ms on")
    ax.plot(current, rate, color=color, label=f"{name}, {iz.presets[name].title}")
ax.set(xlabel="I (mV/ms)", ylabel="rate (Hz)", xlim=(0, 20), ylim=(0, None))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# Why does it start to fire at all?
# ---------------------------------
# Draw u over V and the whole neuron is one point that moves in a plane. Where V' = 0 lies a parabola, where u' = 0 a
# line: the *nullclines*. Where they cross, nothing moves.

fig, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
for ax, I in zip(axes, (0.0, 10.0), strict=True):
    neuron.reset()
    path = neuron.run(200.0, I, record=["V", "u"])
    plot.phase_plane(neuron, I, ax, V=(-85.0, -35.0), u=(-20.0, 4.0), trajectory=path)
    ax.set_title(f"I = {I:g} mV/ms", fontsize="medium")

# %%
# Without a current there are two crossings: a stable one at -70 mV, where the cell rests, and a saddle. The current
# lifts the parabola, and the two come closer. Before they meet, the resting point loses its stability (an
# Andronov-Hopf bifurcation); where they meet, both vanish (a saddle-node bifurcation). From then on nothing is left
# to rest at: V runs up to the threshold, is reset, and comes back. ``izhnumba.analysis`` computes all that.

cell = iz.presets["RS"]
V, u = analysis.resting_state(cell)
print(f"rest: V = {V:.1f} mV, u = {u:.1f} mV/ms")
print(f"rest is unstable from I = {analysis.hopf_current(cell):.2f} mV/ms on")
print(f"and gone from {analysis.saddle_node_current(cell):.2f} mV/ms on")

# %%
# The f-I curve of RS began at 3.8 mV/ms, where rest becomes unstable: there is no need for it to vanish.
#
# What you have seen
# ------------------
# - ``iz.Population(n, **iz.presets[name])`` makes cells, ``pop.run(T, I, record=...)`` simulates them and goes on
#   where it stopped, ``pop.reset()`` takes it back to its start.
# - Parameters and currents are numbers, or arrays with one number for each neuron: a sweep is a population.
# - ``result.spikes.i`` and ``.t`` are the spikes, ``result.V`` the samples, all NumPy arrays; ``spikes.rates()`` and
#   ``spikes.trains()`` put them in order by neuron.
#
# Try: give the cell a ramp, ``iz.Ramp(0.04)``, which grows by 0.04 mV/ms in each ms; noise, ``5.0 +
# iz.Noise(std=10.0)``; or set ``neuron.V[:] = 0.0`` between two runs. Then go on to :doc:`a first network
# <2_first_network>`, or play with the phase plane of any cell in the :doc:`explorer </explore>`.
