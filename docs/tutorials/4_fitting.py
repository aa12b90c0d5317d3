"""
Fitting a neuron
================

Find the parameters of a cell from its recorded voltage: with ten thousand guesses at once, with SciPy, with gradients.

Somebody has recorded half a second of the voltage of a cell under a current that is known. Which a, b, c and d does it
have? Here the recording is simulated, so that the answer is known, and gets noise, so that it is not too easy. The
first half needs no more than SciPy; the second, with gradients, the extra ``jax``: ``pip install ".[plot,jax]"``.
"""

# %%
# The recording
# -------------
# The current changes at random every 20 ms, for a constant one would show little of the cell. Two stretches: one to
# fit and one to test what was found.

import numpy as np
from matplotlib import pyplot as plt
from scipy.optimize import differential_evolution

import izhnumba as iz
from izhnumba import analysis, plot

rng = np.random.default_rng(4)
dt, n_steps = 0.1, 5000  # ms; half a second
hidden = {"a": 0.03, "b": 0.21, "c": -58.0, "d": 5.0}
I, other = rng.normal(7.0, 6.0, (2, 25)).repeat(200, axis=1)  # mV/ms, one for each step
I[:500] = 0.0


def simulate(current, parameters, record=()):
    """Result of cells with these parameters, from rest, under one current."""
    n = max(np.size(x) for x in parameters.values())
    cells = iz.Population(n, dt=dt, **parameters)
    cells.V, cells.u = analysis.resting_state(cells)
    return cells.run(n_steps * dt, current[:, None], record=record)


result = simulate(I, hidden, record="V")
spikes = result.spikes
V = np.minimum(result.V[:, 0], 30.0)  # mV
recorded = np.where(V < 30.0, V + rng.normal(0.0, 0.2, n_steps), V)  # noise of 0.2 mV
t = dt * np.arange(1, n_steps + 1)

fig, (top, bottom) = plt.subplots(2, sharex=True, figsize=(8, 4), layout="constrained", height_ratios=(3, 1))
top.plot(t, recorded, color="black", linewidth=0.8)
top.set(ylabel="recorded V (mV)")
bottom.plot(t, I, color="0.4", linewidth=1.0)
bottom.set(xlabel="time (ms)", ylabel="I (mV/ms)", xlim=(0, 500))
for ax in (top, bottom):
    ax.spines[["top", "right"]].set_visible(False)
fig.align_ylabels()
print(len(spikes), "spikes")

# %%
# Ten thousand guesses
# --------------------
# A population is a sweep: ten thousand cells with ten thousand sets of parameters take a second or so. Whole traces
# do not compare well, because one spike early or late spoils the rest; the spikes themselves do. The *coincidence
# factor* Gamma (Kistler, Gerstner and van Hemmen 1997) counts those within 4 ms of a recorded one, less those that a
# Poisson process would have by chance: 1 is perfect, 0 is chance. For guesses that fire at 125 Hz and more there is
# no Gamma, but NaN: with a spike each 8 ms each recorded one is within 4 ms of some by chance alone. They count 0.

guesses = {
    "a": rng.uniform(0.01, 0.12, 10_000),
    "b": rng.uniform(0.15, 0.25, 10_000),
    "c": rng.uniform(-70.0, -45.0, 10_000),
    "d": rng.uniform(0.5, 10.0, 10_000),
}
found = simulate(I, guesses).spikes
score = np.nan_to_num(analysis.coincidence_factor(spikes.t, found, 4.0, stop=500.0))
best = int(np.argmax(score))
start = {name: float(values[best]) for name, values in guesses.items()}
print(f"best of all: Gamma = {score[best]:.2f}")
print(", ".join(f"{x} = {start[x]:.3g}" for x in start))

order = np.argsort(score)
fig, axes = plt.subplots(1, 4, figsize=(10, 2.8), sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, guesses.items(), strict=True):
    colors = {"cmap": "viridis", "vmin": 0.0, "vmax": 1.0}
    ax.scatter(values[order], score[order], 3, score[order], **colors, linewidth=0)
    ax.axvline(hidden[name], color=plot.VERMILLION, linestyle="--", linewidth=1.0)
    ax.set(xlabel=name, ylim=(-0.05, 1.05))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("coincidence factor")
fig.suptitle("10,000 guesses; dashed: the hidden cell", fontsize="medium")

# %%
# The best ones agree in a and d, hardly in b and c: many cells fire at these times.
#
# Without JAX
# -----------
# Guesses can improve on each other: ``differential_evolution`` of SciPy mixes the better ones into new ones, and
# with ``vectorized=True`` it asks for all of a generation at once, which is one population again. It wants a number
# to make small that tells how far off a guess is, also where all are bad. Gamma is flat there; here it is the mean
# squared difference of the times of spikes, first with first, second with second, and a fine for each too many or
# too few.


def distance(candidates):
    """How far candidates (parameters, n) are from the recording, ms^2; a fine of 100 for each
    spike that is missed or too many."""
    trains = simulate(I, dict(zip(hidden, candidates, strict=True))).spikes.trains()
    found = np.zeros(len(trains))
    for k, train in enumerate(trains):
        both = min(len(train), len(spikes))
        if both:
            found[k] = np.mean((train[:both] - spikes.t[:both]) ** 2)
        found[k] += 100.0 * abs(len(train) - len(spikes))
    return found


evolved = differential_evolution(
    distance,
    [(0.01, 0.12), (0.15, 0.25), (-70.0, -45.0), (0.5, 10.0)],
    vectorized=True,
    updating="deferred",
    maxiter=60,
    popsize=40,
    polish=False,
    seed=1,
)
by_scipy = dict(zip(hidden, evolved.x, strict=True))
print("by its spikes:", ", ".join(f"{x} = {by_scipy[x]:.3g}" for x in by_scipy))

# %%
# Ten thousand simulated cells as before, and this close to the hidden one, from the times of spikes alone. It asks
# for no derivative: any model, any score and any parameters with bounds will do, as long as they are few.
#
# The voltage between the spikes says more, and a gradient finds the way in ten steps rather than sixty generations:
# this is the second half.
#
# The voltage, a millisecond at a time
# ------------------------------------
# So let the model predict what comes next. From every recorded V below -40 mV it starts anew, under the same current,
# and its V over the next 1 ms is compared with the recording. It takes its u from a copy of itself that is held on
# the recorded V by a large conductance, a voltage clamp: u is then what these parameters make of that voltage. All
# this is one function of the parameters, and ``izhnumba.jax`` can differentiate it, through resets and all.

import jax
import optax

import izhnumba.jax as izj

ahead = 10  # steps: 1 ms
quiet = np.lib.stride_tricks.sliding_window_view(recorded[1:], ahead) < -40.0
first = np.flatnonzero(quiet.all(axis=1))
following = first + np.arange(1, ahead + 1)[:, None]  # (steps ahead, starts)
rest = recorded[:500].mean()


def loss(params):
    """Mean squared error of the predictions, mV^2."""
    clamped = izj.init(1, V=rest, u=params["b"] * rest)[1]
    held = izj.run(params, clamped, I[:, None], dt, g=1e5, E=recorded[:, None], record="u")[1]
    starts = izj.init(first.size, V=recorded[first], u=held.u[first, 0])[1]
    predicted = izj.run(params, starts, I[following], dt, record="V")[1].V
    return ((predicted - recorded[following]) ** 2).mean()


print("loss at the best guess:", float(loss(start)))
slopes = jax.grad(loss)(start)
print("its gradient:", {name: round(float(slope), 3) for name, slope in slopes.items()})

# %%
# ``izj.fit`` lowers it, within bounds. For few parameters and a smooth loss ``optax.lbfgs()`` is the optimizer to
# take: it converges in some ten steps.

path = []
fit = izj.fit(
    loss,
    start,
    bounds={
        "a": (0.002, 0.25),
        "b": (0.02, 0.3),
        "c": (-80.0, -35.0),
        "d": (0.0, 15.0),
    },
    steps=12,
    optimizer=optax.lbfgs(),
    progress=lambda step, value, params: path.append(params),
)
for name, value in fit.params.items():
    print(f"{name} = {value:8.4f}, hidden {hidden[name]:g}")

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
left.semilogy(fit.losses, color="black")
left.set(xlabel="step of the fit", ylabel="mean squared error (mV²)")
for name, color in zip(hidden, plot.COLORS, strict=False):
    ratios = [params[name] / hidden[name] for params in path]
    right.plot(ratios, color=color, label=name)
right.set(xlabel="step of the fit", ylabel="parameter / its true value")
right.legend(frameon=False, ncols=2)
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)

# %%
# The test
# --------
# A fit is worth what it predicts. Under the other current, which it has not seen:

cases = {"hidden cell": hidden, "best guess": start, "fit": fit.params}
true = simulate(other, hidden).spikes
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
for k, (name, parameters) in enumerate(cases.items()):
    result = simulate(other, parameters, record="V")
    color = ("0.3", plot.BLUE, plot.VERMILLION)[k]
    ax.plot(t, np.minimum(result.V, 30.0) - 120.0 * k, color=color, linewidth=0.8)
    gamma = float(analysis.coincidence_factor(true, result.spikes, delta=4.0)[0])
    ax.text(505, -60 - 120.0 * k, f"{name}\n{gamma:.2f}", va="center", fontsize="small")
ax.plot([0, 0], [-330, -280], color="black", linewidth=2.0)
ax.text(4, -305, "50 mV", va="center", fontsize="small")
ax.set(xlabel="time (ms)", xlim=(0, 500), yticks=[])
ax.set_title("another current; numbers: coincidence factor")
ax.spines[["top", "right", "left"]].set_visible(False)

# %%
# What you have seen
# ------------------
# - Guessing is cheap where a population is a sweep, and finds a start that a gradient can use.
# - SciPy's evolution with a population for each generation needs neither gradients nor JAX.
# - A loss that looks one millisecond ahead is smooth; one over whole traces is not.
# - ``izj.run`` simulates as ``Population.run`` does, as a function; ``jax.grad`` goes through it, ``izj.fit`` uses
#   that.
#
# Try: more noise; ``hidden`` with c = -50 and d = 1; or a recording of your own, with its current, in steps of dt.
# The gallery has :doc:`the same without guessing </gallery/14_fit_parameters>`, and the page on :doc:`gradients
# </concepts/gradients>` says how far they reach.
