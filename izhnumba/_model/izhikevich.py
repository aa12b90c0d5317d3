"""The models of Izhikevich, one page each: equations as scalar functions, then parameters with default and unit.

`help(izhnumba.Izhikevich2007)` shows a model as a user reads it, made from what stands here.
"""

from __future__ import annotations

import math
from dataclasses import replace

from izhnumba._model.model import Model
from izhnumba._model.quantity import Quantity
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
