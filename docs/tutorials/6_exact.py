"""
Exact spike times
=================

See what a time step does to spikes, simulate without one, and use the derivatives of spike times.

Most simulators cut time into steps. A spike takes about a millisecond to rise, the reset falls on a step, and what is
lost there shifts all that follows. ``scheme="exact"`` has no step: each neuron is computed from one of its events to
the next, as a Taylor series that is right to the last digits of a float64.
"""

# %%
# The same cell, four ways
# ------------------------
# A chattering cell fires bursts, which no step rule gets quite right. Here it is exactly, and by exponential Euler
# with three steps.

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis, plot

cell = iz.presets["CH"]
exact = iz.Population(1, scheme="exact", **cell).run(300.0, 10.0).spikes
print(exact)
print("first three:", exact.t[:3], "ms")

fig, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
rows = {"exact": exact.t}
for dt in (0.02, 0.1, 0.5):
    rows[f"dt = {dt:g} ms"] = iz.Population(1, dt=dt, **cell).run(300.0, 10.0).spikes.t
ax.eventplot(list(rows.values()), lineoffsets=range(len(rows)), linelengths=0.7, colors=plot.COLORS[: len(rows)])
ax.set_yticks(range(len(rows)), [f"{name}: {len(t)} spikes" for name, t in rows.items()])
ax.set(xlabel="time (ms)", xlim=(0, 300))
ax.invert_yaxis()
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(axis="y", length=0)

# %%
# What does your step cost?
# -------------------------
# ``accuracy_report`` answers it for any population and input: it runs it exactly and by several schemes and steps,
# and pairs the spikes. *Missed* are exact spikes without a partner, *spurious* those that should not be there.

regular = iz.Population(1, scheme="exact", **iz.presets["RS"])
report = analysis.accuracy_report(regular, I=10.0, duration=500.0)
print("\n".join(line[:65] for line in str(report).splitlines()[1:]))  # without medians and the times it took

# %%
# The error of a scheme of order n falls with dt to the power n, as long as nothing else is in its way. At a spike
# something is: the reset falls on the step, so that even a method of order 4 gains a factor of ten for ten times as
# many steps, and no more.

steps = np.array([0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005])
truth = regular.run(50.0, 10.0).spikes.t

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for scheme, color in zip(("euler", "exp_euler", "rk4"), plot.COLORS, strict=False):
    errors = []
    for dt in steps:
        t = iz.Population(1, scheme=scheme, dt=dt, **iz.presets["RS"]).run(50.0, 10.0).spikes.t
        errors.append(abs(t[1] - truth[1]))
    ax.loglog(steps, errors, "o-", color=color, label=scheme)
ax.loglog(steps, steps, color="0.6", linestyle="--", label="error = dt")
ax.set(xlabel="dt (ms)", ylabel="error of the second spike (ms)")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# Networks without a step
# -----------------------
# The same word makes a network exact. Delays are real numbers, and spikes act when they arrive. Here an input of 100
# spike trains meets 50 cells, exactly and in steps of 0.1 ms; all else is the same, down to the wiring.


def network(scheme):
    """Recorded spikes of 50 cells under 100 trains."""
    net = iz.Network(dt=0.1, scheme=scheme, seed=4)
    rng = np.random.default_rng(4)
    times = np.cumsum(2.0 + rng.exponential(11.0, (100, 30)), axis=1)  # ms, a row for each train
    source = net.add(iz.SpikeSource(np.arange(100).repeat(30), times.ravel(), n=100), name="trains")
    cells = net.add(iz.Population(50, **iz.presets["RS"]), name="cells")
    rule = iz.FixedInDegree(40)
    net.connect(source, cells, rule, weight=2.0, delay=iz.Uniform(0.5, 5.0), receptor=iz.Exponential(3.0))
    spikes = net.record(cells, "spikes")
    net.run(400.0)
    return spikes


exact = network("exact").spikes
stepped = network("exp_euler").spikes
i, errors = [], []
for k in range(50):
    true, seen = exact.of(k), stepped.of(k)
    paired, partners = analysis.match_spikes(true, seen)
    i.append(paired.size)
    errors.append(seen[partners] - true[paired])
errors = np.concatenate(errors)
print(f"{len(exact)} exact spikes, of which {sum(i)} have a partner among {len(stepped)}")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", width_ratios=(3, 2))
for spikes, shift, color, label in ((exact, -0.17, plot.BLUE, "exact"), (stepped, 0.17, plot.VERMILLION, "in steps")):
    seen = spikes.i < 8
    left.plot(spikes.t[seen], spikes.i[seen] + shift, "|", color=color, markersize=6, label=label)
left.set(xlabel="time (ms)", ylabel="cell", xlim=(0, 400), ylim=(-0.5, 7.5))
left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
right.hist(errors, np.arange(-2.0, 2.01, 0.1), color="0.5")
right.set(xlabel="error of a spike in steps of 0.1 ms (ms)", ylabel="spikes")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)

# %%
# A cell that is just about to fire makes much of little: errors of some tenths of a ms are common, and now and then a
# spike is there in one simulation alone. In a recurrent network such spikes make others.
#
# Times have derivatives
# ----------------------
# An exact spike time is a smooth function of the current, of a, b, c, d and of the start. ``spike_time_gradients``
# has the derivatives, to rounding and through all resets before. One use: at which current does the third spike come
# at 60 ms? Newton's method doubles the right digits in each step.

I, wanted = 10.0, 60.0
for _ in range(5):
    slopes = analysis.spike_time_gradients(iz.Population(1, scheme="exact", **iz.presets["RS"]), 100.0, I)
    print(f"I = {I:.12f} mV/ms: third spike at {slopes.t[2]:.12f} ms")
    I -= (slopes.t[2] - wanted) / slopes.I[2]

# %%
# Another: with a current that has a row for each ms, there is a derivative by each row. It says how much a short
# pulse moves a spike, as a function of when it comes: the *phase response* of the cell, for all times at once.

rows = iz.TimedArray(np.full(165, 10.0), dt=1.0)
slopes = analysis.spike_time_gradients(iz.Population(1, scheme="exact", **iz.presets["RS"]), 165.0, rows)

fig, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
ax.plot(np.arange(165) + 0.5, slopes.I[-1], color=plot.BLUE)
ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
for t in slopes.t:
    ax.axvline(t, color="0.7", linestyle=":", zorder=0)
ax.set(xlabel="time of the pulse (ms); spikes at the dotted lines", xlim=(0, 165))
ax.set_ylabel("shift of the last spike\n(ms per mV/ms)")
ax.spines[["top", "right"]].set_visible(False)

# %%
# Below zero the spike comes sooner. A pulse late in an interval brings the next spike forward; one early in it does
# hardly anything; and what is brought forward stays so.
#
# What you have seen
# ------------------
# - ``scheme="exact"`` for populations and networks: spike times to rounding, real delays, no step to choose.
# - ``analysis.accuracy_report`` says what your step costs, ``analysis.match_spikes`` pairs two trains.
# - ``analysis.spike_time_gradients`` differentiates spike times; under JAX ``izhnumba.jax.spike_times`` does.
#
# It takes models whose V' is a parabola in V, without noise and NMDA, and says so where it cannot; it is fastest
# where spikes are rare. The page on :doc:`exact simulation </concepts/exact>` has the limits and how it works.
