"""
Training with surrogate gradients
=================================

See why spikes have no derivative, what takes its place, and train three cells to tell three patterns of spikes apart.

A network that is to do something has thousands of weights, and only a gradient says how to change them all. Spikes
stand in its way: they are there or not. This lesson needs the extra ``jax``: ``pip install ".[plot,jax]"``.
"""

# %%
# A staircase has no slope
# ------------------------
# How many spikes does a cell fire within 100 ms, as a function of its current? ``izj.run`` simulates cells as a
# function of arrays: parameters and a state in, the state after and a record out.

import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib import pyplot as plt

import izhnumba as iz
import izhnumba.jax as izj
from izhnumba import plot

currents = jnp.linspace(0.0, 20.0, 401)  # mV/ms, each to a cell of its own
cells, rest = izj.init(401, **iz.presets["RS"])


def count(I, **options):
    """Spikes of each cell in 100 ms."""
    after, out = izj.run(cells, rest, I, 0.1, n_steps=1000, record="spikes", **options)
    return out.spikes.sum(axis=0)


fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(currents, count(currents), color="black")
ax.set(xlabel="I (mV/ms)", ylabel="spikes in 100 ms", xlim=(0, 20), ylim=(0, None))
ax.spines[["top", "right"]].set_visible(False)

# %%
# The derivative of a staircase is 0, except where it jumps. So a gradient would say: nothing you do matters.
#
# A slope in place of the step
# ----------------------------
# The way out is to leave the spikes as they are, and to take the slope of a smooth curve for that of the step: a
# *surrogate*. Forwards a spike is 0 or 1; backwards its slope is a triangle around the threshold. That is not enough:
# within each spike V runs away, and with it all that it deviates by, so that through several spikes the slope
# explodes. The cure is to take V for a constant every 2 ms and to leave the derivative to u, which is slow and
# forgets by itself.


def run(cells, rest, I, dt):
    """Spikes (steps, ...) under a current with a row for each step, with derivatives that last."""

    def window(state, rows):
        state = state._replace(V=jax.lax.stop_gradient(state.V))
        return izj.run(cells, state, rows, dt, record="spikes")

    spikes = jax.lax.scan(window, rest, I.reshape(-1, round(2.0 / dt), *I.shape[1:]))[1].spikes
    return spikes.reshape(I.shape)


bare = jax.grad(lambda I: count(I).sum())(currents)
held = jax.grad(lambda I: run(cells, rest, jnp.broadcast_to(I, (1000, 401)), 0.1).sum())(currents)
mean = count(currents)[-1] / 20.0

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for ax, slope, title in ((left, bare, "surrogate alone"), (right, held, "V held constant every 2 ms")):
    ax.plot(currents, slope, color=plot.BLUE)
    ax.axhline(mean, color=plot.VERMILLION, linestyle="--", label="slope of the whole staircase")
    ax.set(xlabel="I (mV/ms)", ylabel="spikes per mV/ms", title=title, xlim=(0, 20))
    ax.spines[["top", "right"]].set_visible(False)
left.set_yscale("symlog")
left.set_yticks([-1e6, -1e3, 0.0, 1e3, 1e6])
right.set_ylim(-0.02, 0.85)
right.legend(frameon=False, loc="upper left")

# %%
# On the left each further spike makes the slope some hundred times larger and may turn its sign. On the right it has
# the size of the slope of the whole staircase, wherever the cell fires. (Where it does not, it is 0: start with cells
# that fire.) The page on :doc:`gradients </concepts/gradients>` has the figures for other cells and longer runs.
#
# A task
# ------
# Three patterns: each of 40 inputs fires once in each of them, at a time of its own, and every trial has these times
# with a jitter of 2 ms. All inputs fire equally often, so only the times tell which pattern it was. Three cells shall
# answer: cell k by more spikes than the others to pattern k.

N_INPUTS, N_STEPS, DT = 40, 200, 0.5  # 100 ms
rng = np.random.default_rng(5)
patterns = rng.uniform(5.0, 80.0, (3, N_INPUTS))  # ms
labels = np.arange(90) % 3


def trials():
    """Inputs (steps, trials, inputs): what each spike leaves, decaying within 8 ms, and their times."""
    times = patterns[labels] + rng.normal(0.0, 2.0, (labels.size, N_INPUTS))
    since = DT * np.arange(N_STEPS)[:, None, None] - times
    return np.where(since > 0.0, np.exp(-since.clip(0.0) / 8.0), 0.0).astype("float32"), times


trio, at_rest = izj.init(3, batch=labels.size, **iz.presets["RS"])


def answer(weights, inputs):
    """Spikes (steps, trials, cells) of the three cells; without inputs they fire at a current of 6 mV/ms."""
    return run(trio, at_rest, inputs @ weights + 6.0, DT)


def loss(weights, inputs):
    """Cross entropy: small where the right cell fires most."""
    scores = 0.5 * answer(weights, inputs).sum(axis=0)
    return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()


# %%
# Training
# --------
# ``izj.fit`` lowers the loss step by step, with new trials in each. Adam, its default optimizer, moves the weights
# relative to their size at the start.

start = rng.normal(0.0, 1.0, (N_INPUTS, 3)).astype("float32")  # mV/ms
path = []
batches = (trials()[0] for _ in range(61))
fit = izj.fit(loss, start, steps=60, learning_rate=0.3, batches=batches, progress=lambda k, value, w: path.append(w))

new, times = trials()
right = [100.0 * np.mean(np.argmax(answer(w, new).sum(axis=0), axis=1) == labels) for w in path[::5]]
print(f"new trials right: {right[0]:.0f} % before training, {right[-1]:.0f} % after it")

fig, (a, b) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
a.plot(fit.losses, color="black")
a.set(xlabel="training step", ylabel="loss", ylim=(0, None))
b.plot(5 * np.arange(len(right)), right, "o-", color=plot.BLUE)
b.axhline(100 / 3, color="0.6", linestyle=":")
b.text(60, 36, "chance", ha="right", color="0.4", fontsize="small")
b.set(xlabel="training step", ylabel="new trials right (%)", ylim=(0, 103))
for ax in (a, b):
    ax.spines[["top", "right"]].set_visible(False)

# %%
# What was learned
# ----------------
# A new trial of each pattern: the inputs in grey, the spikes of the three cells above them, the right one filled out.

spikes = np.asarray(answer(fit.params, new))
fig, axes = plt.subplots(1, 3, figsize=(9, 3.6), sharey=True, layout="constrained")
for k, ax in enumerate(axes):
    ax.plot(times[k], np.arange(N_INPUTS), "|", color="0.5", markersize=5)
    for cell in range(3):
        t = DT * (1 + np.flatnonzero(spikes[:, k, cell]))
        face = plot.COLORS[cell] if cell == k else "white"
        ax.plot(t, np.full(t.size, 44 + 5 * cell), "o", color=plot.COLORS[cell], markerfacecolor=face, markersize=5)
    ax.set(xlabel="time (ms)", title=f"pattern {k + 1}", xlim=(0, 100), ylim=(-1, 58))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_yticks([20, 44, 49, 54], ["inputs", "cell 1", "cell 2", "cell 3"])

# %%
# And the weights, by the time at which an input fires in the pattern of the cell. Each cell has picked a stretch of
# its pattern: inputs that fire within it excite, and those that fire before or after it inhibit. In other patterns
# the same inputs come mixed, and cancel.

fig, axes = plt.subplots(1, 3, figsize=(9, 3.0), sharey=True, layout="constrained")
for k, ax in enumerate(axes):
    for weights, color, label in ((start, "0.75", "before"), (fit.params, plot.COLORS[k], "after")):
        ax.plot(patterns[k], weights[:, k], "o", color=color, markersize=4, label=label)
    ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xlabel=f"time in pattern {k + 1} (ms)", title=f"onto cell {k + 1}")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False)
axes[0].set_ylabel("weight (mV/ms)")

# %%
# What you have seen
# ------------------
# - ``izj.init`` and ``izj.run`` simulate as functions of arrays; ``jax.grad`` goes through them with a surrogate for
#   spikes.
# - Derivatives last if V is held constant every 2 ms; then training is a loss and ``izj.fit``.
# - Look at what was learned. Weights against times say more than a score.
#
# Try: a jitter of 10 ms; ten patterns and ten cells; ``iz.presets["FS"]``. The gallery has :doc:`a recurrent layer
# that remembers </gallery/15_train_network>`, with ``izj.recurrent``, which trains the synapses among the cells as
# well.
