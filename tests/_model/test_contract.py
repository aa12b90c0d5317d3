"""What a new model must keep to: linear equations where they are said to be, and slopes that are derivatives."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._model import trial
from izhnumba._model.model import EQUATIONS, equations_of
from izhnumba._numba.where import where

MODELS = (iz.Izhikevich, iz.IzhikevichRef, iz.IzhikevichAccommodation, iz.Izhikevich2007)


def mine(**changes):
    return dataclasses.replace(iz.Izhikevich, name="Mine", **changes)


def half_a_slope(V, dI, p):
    return p.k2 * V + p.k1 + dI


def slope_without_input(V, dI, p):
    return (p.k2 + p.k2) * V + p.k1


def scaled_input(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I / p.d


def squared_input(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I * I


def rectified_input(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u + where(I > 0.0, I, I - I)


def saturating_input(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I / (1 + abs(I) / 1000)


def other_horner(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I


other_horner.horner = lambda V, u, I, p: (p.k2 * V + p.k1) * V - u + I


def with_gain(V, u, I, p):
    """What is wrong only if a parameter is no 0."""
    return p.k2 * V * V + (p.k1 + p.more) * V + p.k0 - u + I


def without_leak(V, V_new, u, p):
    return p.b * V


def whole_du(V, V_new, u, p):
    return p.a * (p.b * V - u)


def squared_u(V, V_new, u, p):
    return p.b * V - u * u


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            dict(dV_slope=half_a_slope),
            "Model.dV_slope must be the derivative of dV by V, got 1.222 instead of -2.556 with dI = 0 at V = -94.45, "
            "u = 0, a = 0.02, b = 0.2, c = -65, d = 8, V_th = 30, k2 = 0.04, k1 = 5, k0 = 140. Derive dV by V;",
        ),
        (
            dict(dV_slope=slope_without_input),
            "Model.dV_slope must be .* got -2.556 instead of -2.814.* with dI = -0.2588",
        ),
        (dict(dV=scaled_input), "Model.dV_slope must be .* instead of .* with dI = -"),
        (
            dict(dV=squared_input),
            "Model.dV must be linear in I, got 628.9, 24.58, 628.9, 5463 for I = -.*, 0, .* at V = -94.45, u = 0, a = ",
        ),
        (dict(dV=rectified_input), "Model.dV must be linear in I, .* Add I, or a factor made of parameters times I."),
        (dict(dV=saturating_input), "Model.dV must be linear in I, "),
        (dict(dV=other_horner), "Model.dV.horner must be dV in another order, got .* for .* at V"),
        (
            dict(dV=with_gain, parameters=iz.Izhikevich.parameters | {"more": iz.Quantity(0.0, "1/ms", "")}),
            "Model.dV_slope must be .* got -2.89.* instead of -2.79.* a = 0.022, .* more = 0.1",
        ),
        (dict(du=without_leak), "Model.u_slope must be the derivative of rate . du by u, got -0.02 instead of 0 at V"),
        (dict(du=whole_du), "Model.u_slope must be .*, got -0.02 instead of -0.0004 at"),
        (dict(u_slope=lambda p: p.a), "Model.u_slope must be .*, got 0.02 instead of -0.02 at"),
        (dict(du=squared_u), "Model.du must be linear in u, got .* for u = .* at V .* Use a model of other variables."),
    ],
)
def test_refused_when_made(changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        mine(**changes)


@pytest.mark.parametrize("model", MODELS)
def test_izhnumbas_own_models_keep_to_it(model):
    p = model.named_tuple()(*(quantity.default for quantity in model.parameters.values()))
    equations = {name: equation for name, equation, _ in equations_of(model)}
    trial.slopes_are_derivatives(equations, model.V.default, model.u.default, p)
    values = {"V": -65.0, "V_new": -65.0, "u": 0.0, "I": 0.0, "dI": 0.0, "p": p}
    arguments = EQUATIONS | {"dV.horner": EQUATIONS["dV"]}
    trial.results_are_numbers(equations, arguments, values)
    wrong = equations | {"dV_slope": lambda V, dI, p: model.dV_slope(V, dI, p) * 1.01}
    with pytest.raises(ValueError, match="Model.dV_slope must be the derivative of dV by V"):
        trial.slopes_are_derivatives(wrong, model.V.default, model.u.default, p)


def misspelt(V, u, I, p):
    return p.k2 * V * V + p.K_1 * V + p.k0 - u + I


def misspelt_horner(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I


misspelt_horner.horner = lambda V, u, I, p: (p.k2 * V + p.k1) * V + p.zero - u + I
WITHOUT_c = {name: quantity for name, quantity in iz.Izhikevich.parameters.items() if name != "c"}
HAS = "The model has a, b, c, d, V_th, k2, k1, k0."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(dV=misspelt), f"Model.dV must use parameters of the model, got p.K_1. Did you mean 'k1'? {HAS}"),
        (dict(du=lambda V, V_new, u, p: p.ww), f"Model.du must use parameters of the model, got p.ww. {HAS}"),
        (dict(dV=misspelt_horner), f"Model.dV.horner must use parameters of the model, got p.zero. {HAS}"),
        (dict(parameters=WITHOUT_c), "Model.V_reset must use parameters of the model, got p.c. "),
        (dict(parameters={}), "Model.dV must use parameters of the model, got p.k2. The model has no parameters."),
        (dict(dV=lambda V, u, I, p: (V, u)), "Model.dV(V, u, I, p) must be one number, got (-65.0, 0.0)."),
        (dict(u_reset=lambda u, p: [u]), "Model.u_reset(u, p) must be one number, got [0.0]."),
        (dict(C=lambda p: -p.k1), "Model.C(p) must be > 0 for the default parameters, got -5. V' is dV / C."),
        (dict(C=lambda p: p.k1 - p.k1), "Model.C(p) must be > 0 for the default parameters, got 0. V' is dV / C."),
    ],
)
def test_equations_that_cannot_be_used_are_refused_when_made(changes, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        mine(**changes)
    assert str(caught.value).startswith(message)


def test_a_model_may_have_no_parameters():
    plain = mine(
        parameters={}, dV=lambda V, u, I, p: 0.04 * V * V + 5.0 * V + 140.0 - u + I, dV_slope=lambda V, dI, p:
        0.08 * V + 5.0 + dI, du=lambda V, V_new, u, p: 0.2 * V - u, rate=lambda p: 0.02, u_slope=lambda p: -0.02,
        threshold=lambda u, p: 30.0, V_reset=lambda u, p: -65.0, u_reset=lambda u, p: u + 8.0,
    )  # fmt: skip
    found, expected = (
        iz.Population(1, model=model, scheme="exact").run(90.0, 10.0) for model in (plain, iz.Izhikevich)
    )
    np.testing.assert_allclose(found.spikes.t, expected.spikes.t, rtol=1e-9)
    assert len(found.spikes) > 1


# --- no false alarms -------------------------------------------------------------------------------------------------


def exponential(V, u, I, p):
    return p.k2 * (np.exp((V + 50.0) / p.sharp) * p.sharp - V - 70.0) - u + I


def exponential_slope(V, dI, p):
    return p.k2 * (np.exp((V + 50.0) / p.sharp) - 1.0) + dI


def overflowing(V, u, I, p):
    return p.k2 * (math.exp(V * V) - V) - u + I


def overflowing_slope(V, dI, p):
    return p.k2 * (2.0 * V * math.exp(V * V) - 1.0) + dI


def kinked(V, u, I, p):
    return where(V > p.c, p.k2 * (V - p.c), p.k1 * (p.c - V)) - u + I


def kinked_slope(V, dI, p):
    return where(V > p.c, p.k2, -p.k1) + dI


def stepped(V, u, I, p):
    return where(V > 16.0, p.k0, -p.k0) - u + I


def stepped_slope(V, dI, p):
    return dI


def conductances(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u * (V + 80.0) + I * V / 100.0


def conductances_slope(V, dI, p):
    return (p.k2 + p.k2) * V + p.k1 + dI * V / 100.0


def undefined_for_defaults(V, u, I, p):
    return p.k2 / p.zero * V - u + I


def slope_undefined_for_defaults(V, dI, p):
    return p.k2 / p.zero + dI


def in_volts(V, u, I, p):
    return p.k2 * V * V * 1e-3 + p.k1 * V * 1e-3 + p.k0 * 1e-3 - u + I


def in_volts_slope(V, dI, p):
    return (p.k2 * 2e-3) * V + p.k1 * 1e-3 + dI


def constant(V, u, I, p):
    return -u + I


def undefined_below_zero(V, u, I, p):
    return math.log(V) - u + I


def slope_undefined_at_zero(V, dI, p):
    return 1 / V + dI


@pytest.mark.parametrize("V", [-65.0, 0.0, 30.0, -6.5e-2, 1e6])
@pytest.mark.parametrize(
    "changes",
    [
        dict(dV=exponential, dV_slope=exponential_slope, sharp=2.0),
        dict(dV=exponential, dV_slope=exponential_slope, sharp=0.1),
        dict(dV=overflowing, dV_slope=overflowing_slope),
        dict(dV=kinked, dV_slope=kinked_slope),
        dict(dV=stepped, dV_slope=stepped_slope),
        dict(dV=conductances, dV_slope=conductances_slope),
        dict(dV=undefined_for_defaults, dV_slope=slope_undefined_for_defaults, zero=0.0),
        dict(dV=in_volts, dV_slope=in_volts_slope, V_th=3e-2, c=-6.5e-2),
        dict(dV=constant, dV_slope=stepped_slope),
        dict(dV=undefined_below_zero, dV_slope=slope_undefined_at_zero),
        dict(V_reset=lambda u, p: p.V_th, threshold=lambda u, p: p.V_th),
        dict(u_reset=lambda u, p: u),
        dict(u_reset=lambda u, p: p.top, top=math.inf),
    ],
)
def test_models_that_are_right_are_taken(changes, V):
    quantities = {name: iz.Quantity(value, "", "") for name, value in changes.items() if isinstance(value, float)}
    equations = {name: equation for name, equation in changes.items() if name not in quantities}
    model = mine(V=iz.Quantity(V, "mV", ""), parameters=iz.Izhikevich.parameters | quantities, **equations)
    assert model.name == "Mine"


def test_the_trial_takes_about_a_millisecond():
    took = []
    for _ in range(20):
        start = time.perf_counter()
        mine(dV_slope=lambda V, dI, p: (p.k2 + p.k2) * V + p.k1 + dI)
        took.append(time.perf_counter() - start)
    assert min(took) < 4e-3
