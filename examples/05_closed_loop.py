"""Neurons in your own loop
===========================

A controller in NumPy turns the current of 100 different cells to hold a wanted rate.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python 05_closed_loop.py [folder]
rng = np.random.default_rng(1)
n, dt, n_steps = 100, 0.1, 40_000
tau, gain = 200.0, 1e-3  # ms, mV/ms per Hz and ms

different = {"V": iz.Uniform(-75.0, -55.0), "d": iz.Uniform(4.0, 10.0)}  # another number for each neuron
cells = iz.Population(n, dt=dt, seed=1, **iz.presets["RS"] | different)
current = np.full(n, 5.0)
rate = np.zeros(n)  # Hz, a running mean over tau
mean_rate, mean_current, wanted = np.empty(n_steps), np.empty(n_steps), np.empty(n_steps)

for k in range(n_steps):
    target = 10.0 if k * dt < 2000 else 20.0  # Hz
    noise = rng.normal(0.0, 1.0, n)
    spikes = cells.step(current + noise)  # a bool per neuron, the array is used again in the next step
    rate += spikes * (1000.0 / tau) - rate * (dt / tau)
    current += gain * dt * (target - rate)
    mean_rate[k], mean_current[k], wanted[k] = rate.mean(), current.mean(), target

t = (np.arange(n_steps) + 1) * dt
print(f"last second: {mean_rate[-10_000:].mean():.1f} Hz, wanted {target:g} Hz, current {mean_current[-1]:.1f} mV/ms")

fig, (top, bottom) = plt.subplots(2, sharex=True, figsize=(7, 4.5), layout="constrained")
top.plot(t, mean_rate, color="#0072b2", label="mean of 100 cells")
top.plot(t, wanted, color="black", linestyle="--", label="wanted")
top.set(ylabel="rate (Hz)", ylim=(0, None))
top.legend(frameon=False, loc="lower right")
bottom.plot(t, mean_current, color="#d55e00")
bottom.set(xlabel="time (ms)", ylabel="mean current (mV/ms)")
for ax in (top, bottom):
    ax.spines[["top", "right"]].set_visible(False)

fig.savefig(folder / "05_closed_loop.png", dpi=150)
