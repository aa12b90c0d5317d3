"""The models of Izhikevich, one page each: equations as scalar functions, then parameters with default and unit.

`help(izhnumba.Izhikevich2007)` shows a model as a user reads it, made from what stands here.
"""

from __future__ import annotations

import math
from dataclasses import replace

from izhnumba._model.model import Model
from izhnumba._model.quantity import Quantity
from izhnumba._model.states import StateVariable
from izhnumba._numba.where import where

# --- Izhikevich 2003 ------------------------------------------------------------------------------------------------


def _quadratic(V, u, I, p):  # noqa: E741
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I


def _quadratic_horner(V, u, I, p):  # noqa: E741
    return (p.k2 * V + p.k1) * V + p.k0 - u + I


# It goes where the function goes: a model with another dV does not inherit it.
_quadratic.horner = _quadratic_horner  # type: ignore[attr-defined]


def _quadratic_slope(V, dI, p):
    return (p.k2 + p.k2) * V + p.k1 + dI


def _du_to_b_V(V, V_new, u, p):
    return p.b * V - u


Izhikevich = Model(
    name="Izhikevich",
    source="E. M. Izhikevich, Simple model of spiking neurons, 2003, doi:10.1109/TNN.2003.820440, equations 1-3",
    V=Quantity(-65.0, "mV", "membrane potential"),
    u=Quantity(0.0, "mV/ms", "recovery variable"),
    I=Quantity(0.0, "mV/ms", "input current"),
    parameters=dict(
        a=Quantity(0.02, "1/ms", "rate of recovery"),
        b=Quantity(0.2, "1/ms", "coupling of u to V"),
        c=Quantity(-65.0, "mV", "V after a spike"),
        d=Quantity(8.0, "mV/ms", "added to u by a spike"),
        V_th=Quantity(30.0, "mV", "spike threshold, of any sign"),
        k2=Quantity(0.04, "1/(mV*ms)", "coefficient of V^2"),
        k1=Quantity(5.0, "1/ms", "coefficient of V"),
        k0=Quantity(140.0, "mV/ms", "constant term"),
    ),
    dV=_quadratic,
    dV_slope=_quadratic_slope,
    du=_du_to_b_V,
)

IzhikevichRef = replace(Izhikevich, name="IzhikevichRef")


def _du_by_V(V, V_new, u, p):
    return p.b * (V - p.V_b)


def _no_leak(p):
    return p.a - p.a


IzhikevichAccommodation = replace(
    Izhikevich,
    name="IzhikevichAccommodation",
    source="E. M. Izhikevich, figure1.m of Which model to use for cortical spiking neurons?, 2004, panel R",
    parameters={**Izhikevich.parameters, "V_b": Quantity(-65.0, "mV", "V at which u rests")},
    du=_du_by_V,
    u_slope=_no_leak,
)


# --- Izhikevich 2007 ------------------------------------------------------------------------------------------------


def _dV_2007(V, u, I, p):  # noqa: E741
    return p.k * (V - p.vr) * (V - p.vt) - u + I


def _dV_slope_2007(V, dI, p):
    return p.k * (V - p.vr) + p.k * (V - p.vt) + dI


def _C(p):
    return p.C


def _du_2007(V, V_new, u, p):
    b = where(V_new > p.V_b, p.b, p.b_low)
    w = V - p.V_cubic
    cubic = where(V_new >= p.V_cubic, p.cubic, p.cubic - p.cubic)
    return b * (V - p.vr) + cubic * (w * w * w) - u


def _peak(u, p):
    return p.vpeak + p.vpeak_u * u


def _c_of_u(u, p):
    return p.c + p.c_u * u


def _u_capped(u, p):
    return where(u + p.d < p.u_max, u + p.d, p.u_max)


Izhikevich2007 = Model(
    name="Izhikevich2007",
    source="E. M. Izhikevich, Dynamical Systems in Neuroscience, MIT Press 2007, equations 8.5 and 8.6, section 8.2",
    V=Quantity(-60.0, "mV", "membrane potential"),
    u=Quantity(0.0, "pA", "recovery current"),
    I=Quantity(0.0, "pA", "input current"),
    parameters=dict(
        C=Quantity(100.0, "pF", "capacitance", above=0.0),
        k=Quantity(0.7, "nS/mV", "steepness of the parabola"),
        vr=Quantity(-60.0, "mV", "resting potential"),
        vt=Quantity(-40.0, "mV", "instantaneous threshold"),
        vpeak=Quantity(35.0, "mV", "spike cut-off"),
        a=Quantity(0.03, "1/ms", "rate of recovery"),
        b=Quantity(-2.0, "nS", "coupling of u to V"),
        c=Quantity(-50.0, "mV", "V after a spike"),
        d=Quantity(100.0, "pA", "added to u by a spike"),
        # The book's rules for single cell types; the defaults leave them out.
        V_b=Quantity(-math.inf, "mV", "b holds above this V, b_low below (TC, RTN)"),
        b_low=Quantity(0.0, "nS", "coupling of u to V up to V_b"),
        V_cubic=Quantity(0.0, "mV", "from here on u is also drawn to cubic (V - V_cubic)^3 (FS)"),
        cubic=Quantity(0.0, "pA/mV^3", "coefficient of the cubic term"),
        vpeak_u=Quantity(0.0, "mV/pA", "cut-off at vpeak + vpeak_u u (LTS, TC)"),
        c_u=Quantity(0.0, "mV/pA", "V after a spike is c + c_u u, u before d is added (LTS, TC)"),
        u_max=Quantity(math.inf, "pA", "u after a spike is at most this (LTS)"),
    ),
    dV=_dV_2007,
    dV_slope=_dV_slope_2007,
    C=_C,
    du=_du_2007,
    threshold=_peak,
    V_reset=_c_of_u,
    u_reset=_u_capped,
)


# --- Calcium that adapts ----------------------------------------------------------------------------------------------


def _dV_ahp(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u - p.g_ahp * p.ca * (V - p.E_K) + I


def _dV_ahp_slope(V, dI, p):
    return (p.k2 + p.k2) * V + p.k1 - p.g_ahp * p.ca + dI


def _ca_decays(V, u, I, p):
    return -p.r_ca * p.ca


def _ca_decay(V, p):
    return -p.r_ca


def _ca_enters(u, p):
    return p.ca + p.influx


IzhikevichCalcium = replace(
    Izhikevich,
    name="IzhikevichCalcium",
    source=(
        "the model of E. M. Izhikevich 2003 with the calcium-activated potassium current of Y.-H. Liu and X.-J. Wang, "
        "Spike-frequency adaptation of a generalized leaky integrate-and-fire model neuron, 2001, "
        "doi:10.1023/A:1008916026143"
    ),
    parameters={
        **Izhikevich.parameters,
        "g_ahp": Quantity(0.05, "1/(ms*uM)", "conductance of potassium channels per calcium", at_least=0.0),
        "E_K": Quantity(-80.0, "mV", "their reversal potential"),
        "r_ca": Quantity(0.0125, "1/ms", "rate at which calcium leaves", at_least=0.0),
        "influx": Quantity(0.2, "uM", "calcium that enters with a spike"),
    },
    dV=_dV_ahp,
    dV_slope=_dV_ahp_slope,
    states={"ca": StateVariable(0.0, "uM", "calcium", _ca_decays, _ca_decay, _ca_enters)},
)


# --- Soma and dendrite ------------------------------------------------------------------------------------------------


def _dV_soma(V, u, I, p):
    return p.k * (V - p.vr) * (V - p.vt) - u + p.G_down * (p.V_dend - V) + p.share * I


def _dV_soma_slope(V, dI, p):
    return p.k * (V - p.vr) + p.k * (V - p.vt) - p.G_down + p.share * dI


def _du_soma(V, V_new, u, p):
    return p.b * (V - p.vr) - u


def _vpeak(u, p):
    return p.vpeak


def _dV_dend(V, u, I, p):
    return (p.g_leak * (p.vr - p.V_dend) + p.G_up * (V - p.V_dend) + (I - p.share * I)) / p.C_dend


def _dV_dend_slope(V, p):
    return -(p.g_leak + p.G_up) / p.C_dend


TwoCompartments = Model(
    name="TwoCompartments",
    source=(
        "E. M. Izhikevich and G. M. Edelman, Large-scale model of mammalian thalamocortical systems, 2008, "
        "doi:10.1073/pnas.0712231105, supporting text: a soma and a dendrite, coupled by conductances; the "
        "dendrite is a passive one here"
    ),
    V=Quantity(-60.0, "mV", "potential of the soma"),
    u=Quantity(0.0, "pA", "recovery current of the soma"),
    I=Quantity(0.0, "pA", "input current"),
    parameters=dict(
        C=Quantity(100.0, "pF", "capacitance of the soma", above=0.0),
        k=Quantity(3.0, "nS/mV", "steepness of the parabola"),
        vr=Quantity(-60.0, "mV", "resting potential of soma and dendrite"),
        vt=Quantity(-50.0, "mV", "instantaneous threshold"),
        vpeak=Quantity(50.0, "mV", "spike cut-off"),
        a=Quantity(0.01, "1/ms", "rate of recovery"),
        b=Quantity(5.0, "nS", "coupling of u to V"),
        c=Quantity(-60.0, "mV", "V after a spike"),
        d=Quantity(400.0, "pA", "added to u by a spike"),
        G_down=Quantity(5.0, "nS", "coupling, in the current of the soma", at_least=0.0),
        G_up=Quantity(3.0, "nS", "coupling, in the current of the dendrite", at_least=0.0),
        C_dend=Quantity(100.0, "pF", "capacitance of the dendrite", above=0.0),
        g_leak=Quantity(30.0, "nS", "leak of the dendrite: k (vt - vr), as the parabola has at rest", at_least=0.0),
        share=Quantity(1.0, "", "part of the input that the soma gets; the dendrite gets the rest"),
    ),
    dV=_dV_soma,
    dV_slope=_dV_soma_slope,
    C=_C,
    du=_du_soma,
    threshold=_vpeak,
    states={"V_dend": StateVariable(-60.0, "mV", "potential of the dendrite", _dV_dend, _dV_dend_slope)},
)
