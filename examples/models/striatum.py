"""Striatum and dopamine
========================

Dopamine sets apart two kinds of medium spiny neurons (MSN), by AMPA, NMDA and channels of their own.

Source: M. D. Humphries et al. 2009, doi:10.3389/neuro.10.026.2009, with the numbers of their program (ModelDB 128818),
and the network of Humphries, Wood and Gurney 2009, doi:10.1016/j.neunet.2009.07.018 (ModelDB 128874).
Kept: MSN with D1 receptors (KIR and calcium currents, NMDA), with D2 receptors (sodium current, AMPA) or without
dopamine; fast spiking interneurons (FSI); AMPA and NMDA by one spike, with the magnesium block; GABA; Euler, 0.1 ms.
Differs: in the network the MSN of the first paper, 1000 MSN and 10 FSI, wired at random, without gap junctions.
Reproduced: rates of a detailed model (J. T. Moyer et al. 2007) for the same input, to 1 Hz (rms), D1 to 2.5 Hz.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python striatum.py [folder]
T, START, EACH = 5000.0, 1000.0, 20  # ms; from here on spikes count; cells for each rate
TAUS = {"AMPA": 6.0, "NMDA": 160.0, "GABA": 4.0}  # ms
# By a spike, nS. In the program conductances have decayed for a step when they first act.
SHARES = {"AMPA": 1.0, "NMDA": 1 / 2.0, "GABA": 1 / 1.4}
AMPA, NMDA, GABA = (6.86875 * SHARES[name] / tau * np.exp(-0.1 / tau) for name, tau in TAUS.items())

# Rates of the input (spikes/s, half of them GABA) and of the detailed model (Hz).
INPUT = np.array([850.08, 900.14, 950.21, 1000.27, 1050.34, 1100.4, 1150.46, 1200.53, 1250.59, 1300.66, 1350.72])
MOYER = {
    "no dopamine": [0, 0.78, 1.44, 2.56, 3.0, 5.0, 5.33, 7.56, 7.89, 9.56, 10.22],
    "D1": [0.44, 1.22, 3.22, 4.22, 6.33, 8.78, 9.33, 13.13, 13.67, 16.44, 17.33],
    "D2": [0, 0, 0.44, 0.56, 1.0, 2.0, 2.44, 4.0, 4.56, 6.44, 6.67],
}


def msn(n, D1=0.0, D2=0.0, **more):
    """n medium spiny neurons, where D1 and D2 are the active shares of their dopamine receptors."""
    numbers = dict(C=15.22941946, k=1.0 - 0.032 * D2, vr=-80.0 * (1 + 0.02885046 * D1), vt=-29.73031799, vpeak=40.0,
                   a=0.01, b=-20.0, c=-55.0, d=90.90961934 * (1 - 0.33083313 * D1))  # fmt: skip
    return iz.Population(n, model=iz.Izhikevich2007, V=numbers["vr"], **numbers, **more)


def glutamate(D1=0.0, D2=0.0):
    """What an input of weight 1 does to an MSN with so much dopamine."""
    fast, slow = iz.AMPA(TAUS["AMPA"]), iz.NMDA(tau_rise=0.0, tau_decay=TAUS["NMDA"])
    return AMPA * (1 - 0.215 * D2) * fast + NMDA * (1 + 6.3 * D1) * slow


def stimulate(net, cells, rate, weight, receptor):
    """Poisson trains to each of these cells; rate: Hz, of all trains of a cell."""
    net.drive(cells, iz.Poisson(rate=rate, weight=weight, receptor=receptor))


KINDS = {"no dopamine": {}, "D1": {"D1": 0.8}, "D2": {"D2": 0.8}}
COLORS = {"no dopamine": "black", "D1": plot.VERMILLION, "D2": plot.BLUE}
gaba = iz.GABA_A(TAUS["GABA"], E=-60.0)
net = iz.Network(dt=0.1, scheme="euler", seed=4)
alone, rates = {}, {}
for kind, dopamine in KINDS.items():
    cells = net.add(msn(EACH * INPUT.size, **dopamine), name=kind)
    stimulate(net, cells, np.repeat(INPUT / 2, EACH), 1.0, glutamate(**dopamine))
    stimulate(net, cells, np.repeat(INPUT / 2, EACH), GABA, gaba)
    alone[kind] = net.record(cells, "spikes")
net.run(T)
for kind, spikes in alone.items():
    count = np.bincount(spikes.i[spikes.t > START] // EACH, minlength=INPUT.size)
    rates[kind] = count / EACH / (T - START) * 1000
    error = np.sqrt(np.mean((rates[kind] - MOYER[kind]) ** 2))
    print(f"{kind}: {rates[kind][-1]:.1f} Hz at the highest rate, off the detailed model by {error:.1f} Hz (rms)")


def striatum(dopamine, duration):
    """A network of 500 MSN of each kind and 10 FSI, and its recorders by name."""
    net = iz.Network(dt=0.1, scheme="euler", seed=5)
    msns = {"D1": net.add(msn(500, D1=dopamine), name="D1"), "D2": net.add(msn(500, D2=dopamine), name="D2")}
    fsi = iz.Population(10, model=iz.Izhikevich2007, C=80.0, k=1.0, vr=-70.0 * (1 - 0.1 * dopamine), vt=-50.0, a=0.2,
                        b=0.0, c=-60.0, d=0.0, vpeak=25.0, V_cubic=-55.0, cubic=0.025, V=-70.0)  # fmt: skip
    fsi = net.add(fsi, name="FSI")
    stimulate(net, fsi, 475.0, 1.0, glutamate())
    for kind, post in msns.items():
        stimulate(net, post, 475.0, 1.0, glutamate(**{kind: dopamine}))
        wiring = [(fsi, 4, 5 * GABA)] + [(pre, 132, GABA) for pre in msns.values()]
        for pre, inputs, weight in wiring:
            net.connect(pre, post, iz.FixedInDegree(inputs), weight=weight, delay=iz.Uniform(0.1, 2.0), receptor=gaba)
    net.connect(fsi, fsi, iz.FixedInDegree(3), weight=5 * GABA * (1 - 0.625 * dopamine), delay=1.0, receptor=gaba)
    found = {name: net.record(pop, "spikes") for name, pop in net.populations.items()}
    net.run(duration)
    return net, found


levels = (0.0, 0.2, 0.4, 0.6, 0.8)
networks, found = zip(*(striatum(level, T / 2) for level in levels), strict=True)
sizes = {"D1": 500, "D2": 500, "FSI": 10}
mean = {name: [len(spikes[name]) / n / T * 2000 for spikes in found] for name, n in sizes.items()}
for name, hz in mean.items():
    print(f"network, {name}: {hz[0]:.1f} Hz without and {hz[-1]:.1f} Hz with dopamine")

plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplot_mosaic([["rates", "means"], ["none", "much"]], figsize=(10, 7.5), layout="constrained")
for kind, color in COLORS.items():
    axes["rates"].plot(INPUT, rates[kind], color=color, label=kind)
    axes["rates"].plot(INPUT, MOYER[kind], "o", color=color, fillstyle="none")
axes["rates"].set(
    xlabel="input (spikes/s)", ylabel="rate (Hz)", title="single MSN; circles: detailed model, Moyer et al."
)
axes["rates"].legend(frameon=False)
for name, color in (("D1", plot.VERMILLION), ("D2", plot.BLUE), ("FSI", "0.5")):
    axes["means"].plot(levels, mean[name], "o-", color=color, label=name)
axes["means"].set(xlabel="dopamine", ylabel="mean rate (Hz)", title="the network", ylim=(0, None))
axes["means"].legend(frameon=False)
for panel, which in (("none", 0), ("much", -1)):
    for base, name, color in ((0, "D1", plot.VERMILLION), (500, "D2", plot.BLUE), (1000, "FSI", "0.5")):
        spikes = found[which][name]
        seen = spikes.t > T / 2 - 1000
        axes[panel].plot(spikes.t[seen] - T / 2 + 1000, spikes.i[seen] + base, ".", color=color, markersize=1.5)
    axes[panel].set(
        xlabel="time (ms)", ylabel="cell", xlim=(0, 1000), ylim=(0, 1012), title=f"dopamine {levels[which]:g}"
    )
fig.savefig(folder / "striatum.png", dpi=150)
