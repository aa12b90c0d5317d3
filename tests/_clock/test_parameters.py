"""Parameters that are set between steps: what follows from them is computed again, and nothing else; the same bits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._clock import constants
from izhnumba._clock.parameters import Parameters

A = list(iz.Izhikevich.parameters).index("a")
PARTS = ("_gain", "_slope_line", "_leap_V", "_short_V")
# A model that takes its parameters from the tuple by their places.
BY_PLACE = dataclasses.replace(iz.Izhikevich, name="by place", rate=lambda p: p[A], u_slope=lambda p: -p[A])


def population(model, scheme):
    a = np.linspace(0.02, 0.1, 5)
    return iz.Population(5, model=model, scheme=scheme, a=a, b=0.2, c=-65.0, d=8.0, seed=1)


def after_changes(model, scheme):
    """V and u after steps in between which parameters are set."""
    rng, pop, found = np.random.default_rng(2), population(model, scheme), []
    values = {name: one.default for name, one in model.parameters.items()} | {"a": pop.a}
    for k in range(150):
        name = rng.choice([*values, "V_th", "V_min", "tau_ref"])
        if name == "V_min":
            pop.V_min = -np.inf if k % 2 else -70.0
        elif name == "tau_ref":
            pop.tau_ref = rng.choice([0.5, 2.0])
        elif name == "V_th" and k % 3 == 0:
            pop.V_th = 40.0  # the short exprel does not reach there
        else:
            setattr(pop, name, values[name] * rng.uniform(0.9, 1.1))
        for _ in range(20):
            pop.step(12.0)
        found += [pop.V.copy(), pop.u.copy()]
    assert np.isfinite(found).all()
    assert (pop.last_spike_time > 200.0).any()
    return np.array(found)


@pytest.mark.parametrize(("model", "scheme"), [(iz.Izhikevich, "exp_euler"), (BY_PLACE, "exp_euler"),
                                               (iz.Izhikevich, "euler")], ids=str)  # fmt: skip
def test_what_follows_from_parameters_is_that_of_now(model, scheme, monkeypatch):
    found, take = after_changes(model, scheme), Parameters.set
    monkeypatch.setattr(Parameters, "set", lambda *given: take(*given) and False)  # all is computed for the next step
    np.testing.assert_array_equal(found, after_changes(model, scheme))


def test_only_what_has_read_a_parameter_is_computed_again(monkeypatch):
    called = []
    for name in PARTS:
        function = getattr(constants, name)
        monkeypatch.setattr(
            constants, name, lambda *given, name=name, function=function: called.append(name) or function(*given)
        )
    read = {
        "exp_euler": {"a": "_gain", "c": "_short_V", "V_th": "_short_V", "d": "", "k0": "", "tau_ref": "", "V_min": "",
                      "k1": "_slope_line _short_V"},
        "euler": {"a": "_gain", "c": "", "V_th": "", "d": "", "k1": "_slope_line _leap_V"},
    }  # fmt: skip
    for scheme, parts in read.items():
        pop = population(iz.Izhikevich, scheme)
        pop.step(1.0)
        for name, expected in parts.items():
            called.clear()
            setattr(pop, name, getattr(pop, name) * 1.01)
            pop.step(1.0)
            assert called == expected.split(), name
    pop = population(BY_PLACE, "exp_euler")
    pop.step(1.0)
    called.clear()
    pop.d = 7.0
    assert called == ["_gain"]
