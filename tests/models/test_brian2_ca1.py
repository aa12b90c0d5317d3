"""The port of CA1 in Brian2, whose equations for saturating synapses are those of the published program.

They keep two courses for each synapse: s0 rises as long as there is transmitter, s1 is what is left when it has gone,
drawn out into the time before; the smaller one counts.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from ports import events

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it uses
    import brian2 as b

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
CELL = """
dv/dt = ((k*int(v < vt) + k_high*int(v >= vt))*(v - vr)*(v - vt) - u + noise(t, i) + I_PYR + I_PV)/(C*ms) : 1
du/dt = a*(bb*(v - vr) - u)/ms : 1
I_PYR = g_PYR*s_PYR*(-15 - v) : 1
I_PV = g_PV*s_PV*(-85 - v) : 1
s_PYR : 1
s_PV : 1
"""
KINETICS = """
ds0/dt = -(s0 - most)*(alpha + beta)/ms : 1 (clock-driven)
ds1/dt = -s1*beta/ms : 1 (clock-driven)
s_{pre}_post = clip(s0, 0, s1) : 1 (summed)
"""
SPIKE = "s0 = s1\ns1 = (most + (s1 - most)*exp(-(alpha + beta)))*exp(beta)"


def test_ca1_in_brian2(port):
    """Spike for spike. A delay of a step there is one of a step here."""
    noise = np.random.default_rng(3).normal(200.0, 200.0, (80, 1000)).repeat(25, axis=0)
    ours = port("ca1", noise=noise)
    b.prefs.codegen.target = "numpy"
    clock = b.Clock(0.04 * b.ms)
    into = {(pre, post): g for pre, post, _, g, *_ in ours["SYNAPSES"]}
    groups, monitors, parts = {}, {}, []
    for name, rows in (("PYR", noise), ("PV", np.zeros((1, 50)))):
        numbers = {"bb" if key == "b" else key: value for key, value in ours[name].items()}
        space = dict(numbers, noise=b.TimedArray(rows, 0.04 * b.ms), g_PYR=into["PYR", name], g_PV=into["PV", name])
        cells = groups[name] = b.NeuronGroup(
            rows.shape[1],
            CELL,
            threshold="v >= vpeak",
            reset="v = c\nu += d",
            method="euler",
            clock=clock,
            namespace=space,
        )
        cells.v = ours["starts"][name]
        monitors[name] = b.SpikeMonitor(cells)
    for syn, (pre, post, _, _, alpha, beta, _) in zip(ours["made"], ours["SYNAPSES"], strict=True):
        space = dict(alpha=alpha, beta=beta, most=alpha / (alpha + beta))
        made = b.Synapses(
            groups[pre], groups[post], KINETICS.format(pre=pre), on_pre=SPIKE, method="exact", clock=clock,
            namespace=space, delay=0.04 * b.ms,
        )  # fmt: skip
        made.connect(i=np.asarray(syn.pre), j=np.asarray(syn.post))
        parts.append(made)
    b.Network(*groups.values(), *monitors.values(), *parts).run(80 * b.ms)
    for name, monitor in monitors.items():
        steps = np.rint(np.asarray(monitor.t / b.ms) / 0.04).astype(int)
        assert list(zip(steps.tolist(), np.asarray(monitor.i).tolist(), strict=True)) == events(ours["spikes"][name])
        assert len(steps) > 50
