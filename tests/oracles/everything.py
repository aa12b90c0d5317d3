"""The model of `states_oracle.Everything` as a user of izhnumba writes it."""

from __future__ import annotations

import dataclasses

from states_oracle import PARAMETERS

import izhnumba as iz

quadratic, quadratic_slope, recovery = iz.Izhikevich.dV, iz.Izhikevich.dV_slope, iz.Izhikevich.du
two = {"half": 0.5, "tenth": 0.1, "hundredth": 0.01, "thousandth": 0.001, "one": 1.0, "middle": -50.0, "low": -60.0}


def dV(V, u, I, p):
    coupled = p.g_dend * (p.dend - V) - p.g_ca * p.ca - p.g_gate * p.gate * (V - p.E_gate)
    return quadratic(V, u, I, p) + coupled


def dV_slope(V, dI, p):
    return quadratic_slope(V, dI, p) - p.g_dend - p.g_gate * p.gate


def du(V, V_new, u, p):
    return recovery(V, V_new, u, p) + p.ca_u * p.ca


def threshold(u, p):
    return p.V_th + p.rise


def V_reset(u, p):
    return p.c + p.half * p.rise


def u_reset(u, p):
    return u + p.d + p.tenth * p.ca


def opening(V, p):
    return p.r_gate / (p.one + p.hundredth * (V - p.middle) * (V - p.middle))


def ca(V, u, I, p):
    return -p.r_ca * p.ca


def ca_slope(V, p):
    return -p.r_ca


def ca_reset(u, p):
    return p.ca + p.jump


def dend(V, u, I, p):
    return p.r_dend * (p.E_dend - p.dend) + p.g_dend * (V - p.dend) + p.share * I + p.hundredth * p.ca


def dend_slope(V, p):
    return -p.r_dend - p.g_dend


def gate(V, u, I, p):
    return opening(V, p) * (iz_where(V > p.low, p.one, p.tenth) - p.gate)


def gate_slope(V, p):
    return -opening(V, p)


def gate_reset(u, p):
    return p.gate * p.half


def rise(V, u, I, p):
    return -p.r_rise * p.rise - p.bend * p.rise * p.rise + p.thousandth * (p.dend - p.E_dend)


def rise_reset(u, p):
    return p.rise + p.lift + p.hundredth * u


iz_where = iz.where
STATES = {
    "ca": iz.StateVariable(0.5, "uM", "calcium", ca, ca_slope, ca_reset),
    "dend": iz.StateVariable(-65.0, "mV", "voltage of a dendrite", dend, dend_slope),
    "gate": iz.StateVariable(0.1, "", "part of channels that is open", gate, gate_slope, gate_reset),
    "rise": iz.StateVariable(0.0, "mV", "rise of the threshold", rise, reset=rise_reset),
}
Everything = dataclasses.replace(
    iz.Izhikevich, name="Everything", source="a test", dV=dV, dV_slope=dV_slope, du=du, threshold=threshold,
    V_reset=V_reset, u_reset=u_reset, states=STATES,
    parameters=iz.Izhikevich.parameters | {name: iz.Quantity(x, "", name) for name, x in (PARAMETERS | two).items()},
)  # fmt: skip


def adapting_dV(V, u, I, p):
    return quadratic(V, u, I, p) - p.g_ca * p.ca


# What most users write: states with constant slopes, of which one enters the current and one the threshold.
Adapting = dataclasses.replace(
    iz.Izhikevich, name="Adapting", source="a test", dV=adapting_dV, threshold=threshold,
    states={
        "ca": STATES["ca"],
        "rise": iz.StateVariable(0.0, "mV", "rise of the threshold", lambda V, u, I, p: -p.r_rise * p.rise,
                                 lambda V, p: -p.r_rise, lambda u, p: p.rise + p.lift),
    },
    parameters=iz.Izhikevich.parameters | {name: iz.Quantity(PARAMETERS[name], "", name)
                                           for name in ("g_ca", "r_ca", "jump", "r_rise", "lift")},
)  # fmt: skip
