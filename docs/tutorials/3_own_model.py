"""
A model of your own
===================

Write a neuron from its equations, check it against a formula and against ten lines of NumPy, and put it into a network.

A model is data: two states and some parameters with their units, and equations as short Python functions. They are
compiled when the model first runs, so your own model is as fast as those that come along. This lesson builds a leaky
neuron whose threshold rises with each spike:

.. code-block:: text

    V' = leak (rest - V) + I
    u' = -a u

with a spike where V reaches V_th + u. Then V is set to c, and d is added to u: here u is the rise of the threshold.
"""

# %%
# The equations
# -------------
# Each is a function of numbers. ``p`` holds the parameters of one neuron by name. Every number is a parameter, so
# that it can differ between neurons and be fitted later. ``du`` comes without its rate, p.a, which the model
# multiplies in. ``dV_slope`` is the derivative of dV by V (dI is that of the input), which the default scheme,
# exponential Euler, uses.

import dataclasses

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot


def dV(V, u, I, p):
    return p.leak * (p.rest - V) + I


def dV_slope(V, dI, p):
    return dI - p.leak


def du(V, V_new, u, p):
    return -u


def threshold(u, p):
    return p.V_th + u


# %%
# The model
# ---------
# Its states, its input and its parameters are quantities: a default, a unit, a meaning. What is not said is as usual:
# after a spike V = p.c and u += p.d, and u has the rate p.a.

Leaky = iz.Model(
    name="Leaky",
    source="this lesson",
    V=iz.Quantity(-70.0, "mV", "membrane potential"),
    u=iz.Quantity(0.0, "mV", "rise of the threshold"),
    I=iz.Quantity(0.0, "mV/ms", "input current"),
    parameters={
        "rest": iz.Quantity(-70.0, "mV", "resting potential"),
        "leak": iz.Quantity(0.05, "1/ms", "rate at which V falls back"),
        "V_th": iz.Quantity(-50.0, "mV", "threshold at rest"),
        "a": iz.Quantity(0.01, "1/ms", "rate at which the threshold falls back"),
        "c": iz.Quantity(-65.0, "mV", "V after a spike"),
        "d": iz.Quantity(3.0, "mV", "rise of the threshold by a spike"),
    },
    dV=dV,
    dV_slope=dV_slope,
    du=du,
    threshold=threshold,
)
print(Leaky)

# %%
# The slope was checked just now, against a finite difference of dV. Had it been wrong, the error would say where:

try:
    iz.Model(
        name="Wrong", source="this lesson", V=Leaky.V, u=Leaky.u, I=Leaky.I, parameters=Leaky.parameters,
        dV=dV, dV_slope=lambda V, dI, p: dI + p.leak, du=du, threshold=threshold,
    )  # fmt: skip
except ValueError as error:
    print(error)

# %%
# Run it
# ------
# From here on it is a model like others: ``model=Leaky``, with its parameters by name, as numbers or arrays.

cell = iz.Population(1, model=Leaky, dt=0.1)
result = cell.run(300.0, 2.0, record=["V", "u"])

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
plot.trace(result, ax, peak=0.0, label="V")
ax.plot(result.t, -50.0 + result.u[:, 0], color=plot.VERMILLION, label="threshold, $V_{th} + u$")
ax.legend(frameon=False, loc="upper right", ncols=2)
ax.set_ylim(-75, 12)

# %%
# Each spike lifts the threshold, so the next takes longer: the cell adapts.
#
# Is it right?
# ------------
# Never trust a model that has not been compared with something. First with a formula: without adaptation (d = 0) the
# neuron is the leaky integrate-and-fire neuron, whose time from reset to threshold under a constant current is T =
# ln((V∞ - c) / (V∞ - V_th)) / leak, where V∞ = rest + I / leak.

current = np.linspace(0.0, 4.0, 81)  # mV/ms
V_end = -70.0 + current / 0.05
with np.errstate(all="ignore"):
    formula = 1000.0 * 0.05 / np.log((V_end + 65.0) / (V_end + 50.0))
    formula[V_end <= -50.0] = 0.0

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.plot(current, formula, color="0.75", linewidth=5.0, label="formula, without adaptation")
for d, color in ((0.0, "black"), (3.0, plot.VERMILLION)):
    cells = iz.Population(current.size, model=Leaky, d=d, dt=0.01)
    cells.run(500.0, current)
    rate = cells.run(4000.0, current).spikes.rates()
    ax.plot(current, rate, color=color, label=f"simulated, d = {d:g} mV")
    if d == 0.0:
        print(f"largest difference to the formula: {np.abs(rate - formula).max():.2f} Hz")
ax.set(xlabel="I (mV/ms)", ylabel="rate (Hz)", xlim=(0, 4), ylim=(0, None))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# Then with the slow and obvious program, for all that the formula does not know. ``scheme="euler"`` is the rule that
# everybody writes down first; the spikes must be the same, step for step.

dt, I = 0.1, 2.5
V, u, steps = -70.0, 0.0, []
for step in range(5000):
    V, u = V + dt * (0.05 * (-70.0 - V) + I), u + dt * 0.01 * -u
    if V >= -50.0 + u:
        V, u = -65.0, u + 3.0
        steps.append(step)
spikes = iz.Population(1, model=Leaky, scheme="euler", dt=dt).run(5000 * dt, I).spikes
print(f"{len(spikes)} spikes, the same steps: {np.array_equal(spikes.step, steps)}")

# %%
# One equation changed
# --------------------
# Often a model that exists differs in one thing. ``dataclasses.replace`` copies it with that. Here the cell of 2003
# gets a third state, a threshold that rises by ``lift`` at each spike and falls back at the rate ``fall``; all
# equations find it as ``p.rise``.


def raised(u, p):
    return p.V_th + p.rise


def falls(V, u, I, p):
    return -p.fall * p.rise


def falls_slope(V, p):
    return -p.fall


def lifted(u, p):
    return p.rise + p.lift


Guarded = dataclasses.replace(
    iz.Izhikevich,
    name="Guarded",
    source="this lesson",
    threshold=raised,
    parameters={
        **iz.Izhikevich.parameters,
        "fall": iz.Quantity(0.02, "1/ms", "rate at which the threshold falls back"),
        "lift": iz.Quantity(20.0, "mV", "rise of the threshold by a spike"),
    },
    states={"rise": iz.StateVariable(0.0, "mV", "rise of the threshold", falls, falls_slope, lifted)},
)
result = iz.Population(1, model=Guarded, u=-13.0).run(200.0, 10.0, record=["V", "rise"])
print(result.spikes, "rise at the end:", result.rise[-1].round(1), "mV")

# %%
# In a network
# ------------
# Populations of different models live in one network. Here 400 leaky cells excite each other and 100 fast spiking
# cells of 2003, which inhibit them.

net = iz.Network(dt=0.1, seed=3)
leaky = net.add(iz.Population(400, model=Leaky, V=iz.Uniform(-70.0, -50.0)), name="leaky")
fast = net.add(iz.Population(100, **iz.presets["FS"]), name="fast")
wired = {"rule": iz.FixedProbability(0.1), "delay": 1.5}
net.connect(leaky, leaky, weight=0.1, receptor=iz.Exponential(5.0), **wired)
net.connect(leaky, fast, weight=1.0, receptor=iz.Exponential(5.0), **wired)
net.connect(fast, leaky, weight=-0.4, receptor=iz.Exponential(8.0), **wired)
net.drive(leaky, 1.4 + iz.Noise(std=4.0))
spikes = {pop: net.record(pop, "spikes") for pop in (leaky, fast)}
net.run(500.0)

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
plot.raster(net, ax)
for pop, record in spikes.items():
    print(f"{pop.name}: {record.spikes.rates().mean():.1f} Hz")

# %%
# What you have seen
# ------------------
# - A model is an ``iz.Model`` of quantities and functions; ``dataclasses.replace`` makes a variant of one.
# - Wrong slopes, unknown parameters and equations that cannot be compiled are told in words before anything runs.
# - A formula and a loop in NumPy are cheap; a model that agrees with both can be built on.
#
# Try: ``plot.phase_plane(Leaky, 2.0)``; another scheme, ``scheme="rk4"``; or ``scheme="exact"`` with
# ``iz.Izhikevich`` and one changed parameter. Models also work under :doc:`gradients <5_training>`, if JAX can read
# them: arithmetic and ``iz.where`` in place of ``if``.
