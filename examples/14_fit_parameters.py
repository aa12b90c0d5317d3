"""Fitting a hidden neuron
==========================

The four parameters of a hidden neuron, found in half a second of its voltage under a known current.
Whole traces do not compare: a spike early or late spoils the rest. So the model starts anew from each recorded V and
predicts 1 ms of V below -40 mV, with resets among it. Its u, which nobody recorded, is that of the model held on the
recording by a large conductance, a voltage clamp, from rest on. In spite of noise all four come to within 0.5 %.
"""

import sys
from pathlib import Path

import numpy as np
import optax
from matplotlib import pyplot as plt

import izhnumba as iz
import izhnumba.jax as izj
from izhnumba import analysis, plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 14_fit_parameters.py [folder]
hidden, start = {"a": 0.023, "b": 0.21, "c": -56.0, "d": 4.4}, {"a": 0.1, "b": 0.25, "c": -65.0, "d": 1.0}
bounds = {"a": (0.002, 0.25), "b": (0.02, 0.4), "c": (-80.0, -35.0), "d": (0.0, 15.0)}
rng, path = np.random.default_rng(14), []
steps = rng.uniform(-5.0, 15.0, (2, 10)).repeat(500, axis=1) + rng.normal(0.0, 5.0, (2, 250)).repeat(20, axis=1)
I, other = np.where(np.arange(5000) < 500, 0.0, steps)[..., None]  # mV/ms, one every 0.1 ms
neuron = iz.Population(1, **hidden, u="nullcline", dt=0.1)
neuron.run(1000.0)  # to rest
V = neuron.run(500.0, I, record="V").V
V = np.where(V < 30.0, np.minimum(V + rng.normal(0.0, 0.2, V.shape), 29.0), V)  # noise of 0.2 mV, but not in spikes
first = np.flatnonzero((np.lib.stride_tricks.sliding_window_view(V[1:, 0], 10) < -40.0).all(axis=1))
ahead, rest = first + np.arange(1, 11)[:, None], V[:500].mean()


def loss(params):
    u = izj.run(params, izj.init(1, V=rest, u=params["b"] * rest)[1], I, 0.1, g=1e5, E=V, record="u")[1].u[first, 0]
    recorded = izj.init(len(first), V=V[first, 0], u=u)[1]
    return ((izj.run(params, recorded, I[ahead, 0], 0.1, record="V")[1].V - V[ahead, 0]) ** 2).mean()


found = izj.fit(loss, start, bounds=bounds, steps=40, optimizer=optax.lbfgs(), progress=lambda *x: path.append(x[2]))
print(", ".join(f"{x} = {found.params[x]:.4g} ({found.params[x] / hidden[x] - 1:+.2%})" for x in hidden))
cells = iz.Population(3, **{x: [start[x], hidden[x], found.params[x]] for x in hidden}, u="nullcline", dt=0.1)
cells.run(1000.0)
result = cells.run(500.0, other * np.ones(3), record="V")
same = len(analysis.match_spikes(result.spikes.of(1), result.spikes.of(2))[0])
print(f"{same} of {len(result.spikes.of(1))} spikes under another current")
plt.rc("axes", prop_cycle=plt.cycler(color=plot.COLORS))
fig, axes = plt.subplot_mosaic("VV;lp", figsize=(10, 6), layout="constrained", height_ratios=(4, 3))
axes["V"].set_prop_cycle(color=(plot.COLORS[5], "0.5", plot.VERMILLION), linewidth=(0.7, 3.0, 1.0))
axes["V"].plot(0.1 * np.arange(5000), np.minimum(result.V, 30.0), label=("start of the fit", "hidden neuron", "found"))
axes["V"].set(xlabel="time under another current (ms)", ylabel="V (mV)")
axes["l"].semilogy(found.losses, color="black")
axes["l"].set(xlabel="step of the fit", ylabel="mean squared error (mV$^2$)")
axes["p"].plot([[params[x] / hidden[x] for x in hidden] for params in path], label=[*hidden])
axes["p"].set(xlabel="step of the fit", ylabel="parameter / its true value")
axes["V"].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
axes["p"].legend(frameon=False)
fig.savefig(folder / "14_fit_parameters.png", dpi=150)
