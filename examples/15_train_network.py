"""Training a network
=====================

A recurrent layer learns to remember: which of four patterns of spikes was shown 70 ms ago?
Every input fires once in each pattern, so only the times tell. When a current asks all neurons for an answer (grey),
nothing is left of the pattern but what slow synapses within the layer hold. Surrogate gradients train the weights of
inputs, layer and readout: of new trials over 95 % come right, and without those synapses a quarter, as by chance.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from optax import softmax_cross_entropy_with_integer_labels as cross_entropy

import izhnumba as iz
import izhnumba.jax as izj
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 15_train_network.py [folder]
N, M, DT, T, ASKED = 60, 20, 0.5, 260, 220  # neurons; inputs; ms; steps of a trial, and the one that begins the answer
rng = np.random.default_rng(15)
patterns, labels = rng.uniform(5.0, 35.0, (4, M)), np.arange(100) % 4  # ms; which one each of 100 trials shows
slope = izj.ReluGrad(0.003, 3.5)  # wide, to reach cells at rest, and low: V grows steeply, and so would gradients


def trials():
    times = patterns[labels] + rng.normal(0.0, 2.0, (100, M))
    return (np.arange(T)[:, None, None] == np.rint(times / DT)).astype("float32")


def answer(weights, inputs):
    cells, rest = izj.init(N, batch=100, a=0.1, d=2.0, V=-70.0, u=-14.0)  # u forgets within 10 ms
    I = inputs @ weights["in"] + 4.0 * (np.arange(T)[:, None, None] >= ASKED)  # mV/ms
    options = {"delay": 1.0, "receptor": iz.Exponential(100.0), "tau_ref": 3.0, "surrogate": slope}
    spikes = izj.recurrent(cells, weights["layer"], rest, I, DT, **options)[1].spikes
    return spikes, spikes[ASKED:].sum(axis=0) @ weights["out"]


weights = {"in": rng.normal(0, 20, (M, N)), "layer": rng.normal(0, 0.13, (N, N)), "out": np.eye(4).repeat(15, 0) / 10}
loss, path = lambda weights, inputs: cross_entropy(answer(weights, inputs)[1], labels).mean(), []
batches, watch = (trials() for _ in range(61)), lambda step, loss, weights: path.append(weights)
izj.fit(loss, weights, steps=60, learning_rate=0.05, batches=batches, progress=watch)
new, cut = trials(), path[-1] | {"layer": np.zeros((N, N))}
*right, chance = (100 * np.mean(answer(now, new)[1].argmax(axis=1) == labels) for now in (*path[::5], cut))
print(f"new trials right before training {right[0]:.0f} %, after it {right[-1]:.0f} %, without synapses {chance:.0f} %")
spikes = np.concatenate([answer(path[-1], new)[0], np.zeros((T, 100, 5)), new], axis=2)
colors = np.array([*np.repeat(plot.COLORS[:4], N // 4), *["black"] * 25])
fig, axes = plt.subplot_mosaic("0123;cccc", figsize=(10, 7), layout="constrained", height_ratios=(3, 2))
for k in range(4):
    step, i = np.nonzero(spikes[:, k])
    axes[f"{k}"].scatter(DT * (step + 1), i, 12, colors[i], marker="|")
    axes[f"{k}"].axvspan(DT * ASKED, DT * T, color="0.92", zorder=0)
    axes[f"{k}"].set(xlim=(0, DT * T), ylim=(-2, 86), yticks=[], xlabel="time (ms)", title=f"pattern {k + 1}")
axes["0"].set_yticks([7, 22, 37, 52, 75], ["vote for 1", "vote for 2", "vote for 3", "vote for 4", "inputs"])
axes["c"].plot(5 * np.arange(13), right, "ko-", [0, 60], [chance, chance], "k--")
axes["c"].set(xlabel="training step; dashed: trained, its synapses cut", ylabel="new trials right (%)", ylim=(0, 103))
fig.savefig(folder / "15_train_network.png", dpi=150)
