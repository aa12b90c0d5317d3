"""CA3: an assembly forms
=========================

Synapses that tire and recover, and learn from pairs of spikes: an assembly then fires again and again.

Source: J. D. Kopsick et al. 2022, doi:10.1007/s12559-021-09954-2: their program with three types of cells, and numbers
of Hippocampome.org, and the pairs of their next paper (2024, doi:10.1007/s10827-024-00881-3).
Kept: cells (Izhikevich 2007), short-term plasticity, time constants and strength of each of nine connections, delays,
Runge-Kutta in steps of 0.2 ms, symmetric pairs of 20 ms on the synapses among pyramidal cells.
Differs: 1001 cells, one for 89, with ten times the probabilities, and weights that make up for the rest; currents as
input; an assembly of 100 cells, whose pairs change weights by half of what they were at first, up to 30 times as much.
Reproduced: interneurons that are busier than pyramidal cells, and an assembly that forms as its cells are stimulated
together, and then reactivates by itself, while inhibition silences the others. Before, a cue to half of it had no echo.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # python ca3.py [folder]
REST, TRAINING, EVERY = 1000.0, 40, 200.0  # ms before and after a cue; stimuli; ms from one to the next
ASSEMBLY, CUED, PULSE, LASTS, LEARN, MOST = 100, 50, 6000.0, 8.0, 0.5, 30.0  # cells; pA; ms; of the weight at first
SHARE = 89.2  # cells of the published network for one of ours
CELLS = {  # number, noise (pA), and the published C, k, vr, vt, a, b, vpeak, c, d
    "pyramidal": (834, 150.0, 366.0, 0.7923387, -63.2044, -33.60417, 0.0083835, -42.55248, 35.86146, -38.8681, 588.0),
    "basket": (35, 60.0, 45.0, 0.9951729, -57.50613, -23.37877, 0.003846186, 9.264277, 18.45493, -47.55566, -6.0),
    "MFA-ORDEN": (132, 60.0, 209.0, 1.379807, -57.07642, -39.10204, 0.00783806, 12.93329, 16.31327, -40.68066, 0.0),
}
SYNAPSES = [  # from, to, probability, weight (nS), U, tau_facil, tau_rec, decay of the conductance (ms)
    ("basket", "basket", 0.00663137, 2.139606, 0.162517, 11.19043, 689.5059, 3.007017),
    ("basket", "MFA-ORDEN", 0.00573676, 1.681118, 0.177068, 19.60369, 581.9355, 5.230610),
    ("basket", "pyramidal", 0.15, 2.463204, 0.118642, 16.73589, 384.3363, 7.638622),
    ("MFA-ORDEN", "basket", 0.01173451, 1.450174, 0.248141, 15.70448, 759.1191, 3.896196),
    ("MFA-ORDEN", "MFA-ORDEN", 0.00913902, 1.828413, 0.206753, 22.52028, 642.0975, 5.533747),
    ("MFA-ORDEN", "pyramidal", 0.06378368, 1.915443, 0.112589, 20.61711, 496.0484, 7.149050),
    ("pyramidal", "basket", 0.01617466, 0.910764, 0.217146, 21.16086, 691.4178, 3.971304),
    ("pyramidal", "MFA-ORDEN", 0.01767314, 1.118971, 0.182858, 29.01335, 444.9925, 5.948304),
    ("pyramidal", "pyramidal", 0.02506647, 0.304184, 0.279221, 21.44821, 318.5109, 10.21894),
]  # fmt: skip

net = iz.Network(dt=0.2, scheme="rk4", seed=3)
pops, spikes, starts = {}, {}, {}
for name, (n, std, *numbers) in CELLS.items():
    cell = dict(zip(("C", "k", "vr", "vt", "a", "b", "vpeak", "c", "d"), numbers, strict=True))
    starts[name] = cell["vr"] + np.random.default_rng(n).uniform(0.0, 10.0, n)
    pops[name] = net.add(iz.Population(n, model=iz.Izhikevich2007, V=starts[name], **cell), name=name)
    net.drive(pops[name], iz.OrnsteinUhlenbeck(mean=0.0, std=std, tau=5.0))
    spikes[name] = net.record(pops[name], "spikes")
made = []
for pre, post, p, weight, U, tau_facil, tau_rec, decay in SYNAPSES:
    dense = min(10 * p, 1.0)
    weight *= SHARE * p / dense / U  # so that the first of many spikes delivers the published amount
    rules, delay, receptor = [iz.TsodyksMarkram(U=U, tau_rec=tau_rec, tau_facil=tau_facil)], 1.0, iz.GABA_A(decay)
    if pre == "pyramidal":
        delay, receptor = iz.Uniform(1.0, 2.0), iz.AMPA(decay)
        if post == "pyramidal":
            rules.append(iz.STDP(A_plus=LEARN * weight, A_minus=-LEARN * weight, w_max=MOST * weight))
    rule = rules if len(rules) > 1 else rules[0]
    numbers = dict(weight=weight, delay=delay, receptor=receptor, plasticity=rule)
    made.append(net.connect(pops[pre], pops[post], iz.FixedProbability(dense, autapses=False), **numbers))
recurrent, at_first = made[-1], float(made[-1].weight[0])

whole, half = (net.drive(pops["pyramidal"][:n], 0.0) for n in (ASSEMBLY, CUED))


def stimulate(drive, rest):
    """A pulse to the cells of this drive, and then some rest, ms. When it came, ms."""
    drive.value = PULSE
    net.run(LASTS)
    drive.value = 0.0
    net.run(rest - LASTS)
    return net.t - rest


net.run(REST)
cues = {"before": stimulate(half, REST)}
for _ in range(TRAINING):
    stimulate(whole, EVERY)
trained = net.t
net.run(REST)
cues["after"] = stimulate(half, REST)

i, t = spikes["pyramidal"].i, spikes["pyramidal"].t
groups = {"cued": (0, CUED), "rest of the assembly": (CUED, ASSEMBLY), "others": (ASSEMBLY, 834)}
for phase, cue in cues.items():
    rates = [np.sum((i >= low) & (i < high) & (t > cue) & (t <= cue + REST)) / (high - low) / REST * 1000
             for low, high in groups.values()]  # fmt: skip
    print(f"{phase} training, from the cue on:", *(f"{name} {rates[k]:.2f} Hz" for k, name in enumerate(groups)))
print(", ".join(f"{name} {len(spikes[name]) / pop.n / net.t * 1000:.1f} Hz" for name, pop in pops.items()))
inside = (recurrent.pre < ASSEMBLY) & (recurrent.post < ASSEMBLY)

plt.rc("axes.spines", top=False, right=False)
fig, axes = plt.subplot_mosaic([["before", "after"], ["weights", "rate"]], figsize=(10, 7), layout="constrained",
                               height_ratios=(3, 2))  # fmt: skip
titles = {"before": "a cue to 50 cells, before training", "after": "after training, by itself, and a cue"}
for phase, cue in cues.items():
    for kind, base, color in zip(pops, (0, 200, 235), ("black", plot.VERMILLION, plot.BLUE), strict=True):
        seen = (np.abs(spikes[kind].t - cue) <= REST) & (spikes[kind].i < 200)
        axes[phase].plot(spikes[kind].t[seen] - cue, spikes[kind].i[seen] + base, ".", color=color, markersize=1.5)
    axes[phase].set(xlim=(-REST / 2, REST), ylim=(0, 367), yticks=[0, 50, 100, 200, 235, 367],
                    xlabel="time from the cue (ms)", title=titles[phase])  # fmt: skip
axes["before"].set_ylabel("50 cued, 50 others of the assembly, 100 others,\nbasket (red) and MFA-ORDEN cells (blue)")
bins = np.linspace(0.0, MOST, 41)
axes["weights"].hist(recurrent.weight[inside] / at_first, bins, color=plot.VERMILLION, label="within the assembly")
axes["weights"].hist(recurrent.weight[~inside] / at_first, bins, color="0.4", histtype="step", label="all others")
axes["weights"].set(xlabel="weight, of that at first", ylabel="synapses among pyramidal cells", yscale="log")
axes["weights"].legend(frameon=False)
for (name, (low, high)), color in zip(groups.items(), ("black", plot.VERMILLION, "0.6"), strict=True):
    count, edges = np.histogram(t[(i >= low) & (i < high)], np.arange(0.0, net.t + 1, 200.0))
    axes["rate"].plot(edges[:-1] / 1000 + 0.1, 5 * count / (high - low), color=color, label=name)
axes["rate"].axvspan(
    trained / 1000 - TRAINING * EVERY / 1000, trained / 1000, color=plot.GREEN, alpha=0.15, linewidth=0, label="stimuli"
)
axes["rate"].set(xlabel="time (s)", ylabel="rate of pyramidal cells (Hz)", xlim=(0, net.t / 1000), ylim=(0, None))
axes["rate"].legend(frameon=False)
fig.savefig(folder / "ca3.png", dpi=150)
