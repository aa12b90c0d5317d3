"""CA1: a theta rhythm
======================

Pyramidal cells (PYR) that adapt and fast cells (PV+) make a theta rhythm, through synapses that saturate.

Source: K. A. Ferguson, A. P. Chatzikalymniou and F. K. Skinner 2017, doi:10.1523/ENEURO.0131-17.2017, in the numbers of
a program of their laboratory (FKSkinnerLab, CA1_Minimal_Model_Hetero), with cells of Ferguson et al. 2013 and 2014.
Kept: strongly adapting PYR and PV+ cells, whose k differs below and above vt; probabilities and conductances of the
four connections; first-order kinetics with pulses of transmitter of 1 ms at each synapse; Euler in steps of 0.04 ms.
Differs: noise is a current, as strong as the conductance of 0.6 nS at rest; PYR cells are alike; delays of a step.
Reproduced: a rhythm at theta frequencies (3 to 12 Hz), in whose bursts few PYR cells fire, and PV+ cells that receive
more excitation than inhibition.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python ca1.py [folder]
T, N_PYR, N_PV, NOISE = 2000.0, 10_000, 500, 28.0  # ms; cells; pA
rng = np.random.default_rng(7)


def dV(V, u, I, p):
    """C V', with k where V is below vt and k_high above."""
    return iz.where(V < p.vt, p.k, p.k_high) * (V - p.vr) * (V - p.vt) - u + I


def dV_slope(V, dI, p):
    """Its derivative by V."""
    return iz.where(V < p.vt, p.k, p.k_high) * ((V - p.vr) + (V - p.vt)) + dI


k_high = {"k_high": iz.Quantity(3.3, "nS/mV", "steepness of the parabola above vt")}
TwoSlopes = dataclasses.replace(
    iz.Izhikevich2007, name="TwoSlopes", dV=dV, dV_slope=dV_slope, parameters={**iz.Izhikevich2007.parameters, **k_high}
)
PYR = dict(C=115.0, k=0.1, k_high=3.3, vr=-61.8, vt=-57.0, vpeak=22.6, a=0.0012, b=3.0, c=-65.8, d=10.0)
PV = dict(C=90.0, k=1.7, k_high=14.0, vr=-60.6, vt=-43.1, vpeak=2.5, a=0.1, b=-0.1, c=-67.0, d=0.1)
SYNAPSES = [  # from, to, probability, conductance (nS), alpha (1/ms) with 1 mM, beta (1/ms), E (mV)
    ("PYR", "PYR", 0.01, 0.094, 2.0, 0.33333, -15.0),
    ("PYR", "PV", 0.02, 3.0, 2.71, 0.483, -15.0),
    ("PV", "PYR", 0.3, 8.7, 3.333, 0.286, -85.0),
    ("PV", "PV", 0.12, 3.0, 3.7, 0.56, -85.0),
]

net = iz.Network(dt=0.04, scheme="euler", seed=7)
starts = {"PYR": rng.uniform(-65.0, -55.0, N_PYR), "PV": rng.uniform(-65.0, -55.0, N_PV)}
pops = {name: net.add(iz.Population(n, model=TwoSlopes, V=starts[name], u=0.0, **cell), name=name)
        for name, n, cell in (("PYR", N_PYR, PYR), ("PV", N_PV, PV))}  # fmt: skip
made = [
    net.connect(pops[pre], pops[post], iz.FixedProbability(p, autapses=False), weight=g, delay=0.04,
                receptor=iz.Kinetic(alpha=alpha, beta=beta, E=E))
    for pre, post, p, g, alpha, beta, E in SYNAPSES
]  # fmt: skip
net.drive(pops["PYR"], iz.OrnsteinUhlenbeck(mean=0.0, std=NOISE, tau=2.73))
spikes = {name: net.record(pop, "spikes") for name, pop in pops.items()}
rate = net.record(pops["PYR"], "rate", every=2.0)
voltage = {name: net.record(pop, "V", neurons=[0], every=0.2) for name, pop in pops.items()}
currents = {syn.source.population.name: net.record(syn, "current", every=1.0) for syn in (made[1], made[3])}
net.run(T)

late = rate.t > T / 4  # the start is not shown
power = np.abs(np.fft.rfft(rate.rate[late] - rate.rate[late].mean())) ** 2
frequency = np.fft.rfftfreq(late.sum(), 0.002)
peak = frequency[np.argmax(power)]
print(
    f"rhythm of {peak:.1f} Hz; "
    + ", ".join(f"{name} {len(spikes[name]) / pop.n / T * 1000:.2f} Hz" for name, pop in pops.items())
)
onto_PV = {pre: record.current[record.t > T / 4].mean() for pre, record in currents.items()}
print("currents onto PV+ cells: " + ", ".join(f"{onto_PV[pre]:.1f} pA from {pre} cells" for pre in onto_PV))

plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplot_mosaic([["PYR", "PYR"], ["PV", "PV"], ["V", "current"], ["V", "power"]], figsize=(10, 8.5),
                               layout="constrained", height_ratios=(3, 1.5, 2, 2))  # fmt: skip
for name, color, shown in (("PYR", plot.VERMILLION, 1000), ("PV", plot.BLUE, 500)):
    seen = spikes[name].i < shown
    axes[name].plot(spikes[name].t[seen], spikes[name].i[seen], ".", color=color, markersize=1.5)
    axes[name].set(xlim=(T / 4, T), ylim=(0, shown), ylabel=f"{name} cell")
    t, V = voltage[name].t, voltage[name].V[:, 0]
    axes["V"].plot(t[t > T / 2], V[t > T / 2] + 100 * (name == "PV"), color=color, linewidth=0.8, label=name)
    record = currents[name]
    seen = record.t > T / 2
    axes["current"].plot(record.t[seen], record.current[seen].mean(axis=1), color=color, label=f"from {name} cells")
axes["PYR"].set_title("a tenth of the PYR cells, and all PV+ cells")
axes["PV"].set_xlabel("time (ms)")
axes["V"].set(xlabel="time (ms)", ylabel="V (mV), PV+ 100 mV higher", title="a cell of each kind")
axes["current"].set(
    xlim=(T / 2, T), xlabel="time (ms)", ylabel="current (pA)", title="synaptic currents onto PV+ cells"
)
axes["current"].set_ylim(bottom=-420)
axes["current"].legend(frameon=False, loc="lower left", ncols=2)
axes["power"].plot(frequency, power / power.max(), color="black")
axes["power"].set(xlim=(0, 50), xlabel="frequency (Hz)", ylabel="power", title=f"rate of PYR cells: {peak:.1f} Hz")
fig.savefig(folder / "ca1.png", dpi=150)
