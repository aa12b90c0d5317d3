"""Models of a user: what is refused when they are made, and what when they are compiled."""

from __future__ import annotations

import copy
import functools
import pickle
from dataclasses import replace

import numba
import numpy as np
import pytest

import izhnumba as iz
from izhnumba._models import _TAKEN

A = iz.Quantity(1.0, "", "something")


def dV(V, u, I, p):  # noqa: E741
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I


def short(V, u, I):  # noqa: E741
    return V


def word(V, u, I, p):  # noqa: E741
    return "fast"


def nothing(V, u, I, p):  # noqa: E741
    return None


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (dict(dV=short), TypeError, "Model.dV must be a function of 4 arguments, got short of 3."),
        (dict(threshold=lambda u: u), TypeError, "Model.threshold must be a function of 2 arguments, got <lambda>"),
        (dict(dV=functools.partial(dV, 1.0)), TypeError, "Model.dV must be a function made by def or lambda, got func"),
        (dict(dV=max), TypeError, "Model.dV must be a function made by def or lambda, got <built-in function max>"),
        (dict(dV=np.vectorize(dV)), TypeError, "Model.dV must be a function made by def or lambda, got <numpy.vector"),
        (dict(rate=3), TypeError, "Model.rate must be a function made by def or lambda, got 3."),
        (dict(V=-65.0), TypeError, r"Model.V must be a Quantity\(default, unit, meaning\), got -65.0."),
        (dict(parameters={"a": 3.0}), TypeError, r"Model.parameters\['a'\] must be a Quantity\(default, .*, got 3.0."),
        (dict(parameters={"lambda": A}), ValueError, "must have names of their own, got 'lambda'. Use letters and"),
        (dict(parameters={"a b": A}), ValueError, "must have names of their own, got 'a b'. Use letters and"),
        (dict(parameters={"dt": A}), ValueError, "must have names of their own, got 'dt'. That name is taken by"),
        (dict(parameters={f"q{k}": A for k in range(70)}), ValueError, "Model.parameters must be at most 60, got 70."),
        (dict(parameters=[A]), TypeError, "Model.parameters must be a mapping of names to Quantity, got"),
    ],
)
def test_refused_when_made(changes, kind, message):
    with pytest.raises(kind, match=message):
        replace(iz.Izhikevich, name="mine", **changes)


@pytest.mark.parametrize(("equation", "result"), [(word, "unicode_type|Literal"), (nothing, "none")])
def test_refused_when_compiled(equation, result):
    pop = iz.Population(2, model=replace(iz.Izhikevich, name="mine", dV=equation))
    with pytest.raises(TypeError, match=f"Model.dV must return a number, got ({result}).* from {equation.__name__}."):
        pop.step()


def test_equations_may_be_compiled_already():
    mine = replace(iz.Izhikevich, name="mine", dV=numba.njit(dV))
    one, other = iz.Population(3, model=mine), iz.Population(3)
    for pop in (one, other):
        pop.run(50.0, 10.0)
    np.testing.assert_allclose(one.V, other.V, rtol=1e-9)


def test_as_many_parameters_as_allowed():
    parameters = {**iz.Izhikevich.parameters, **{f"q{k}": A for k in range(52)}}
    wide = replace(iz.Izhikevich, name="wide", parameters=parameters)
    pop = iz.Population(3, model=wide, q7=[1.0, 2.0, 3.0])
    pop.run(10.0, 10.0)
    assert len(wide.parameters) == 60


def test_models_do_not_change():
    with pytest.raises(TypeError, match="Model.parameters cannot be changed. Make a new model"):
        iz.Izhikevich.parameters["a"] = A
    assert copy.deepcopy(iz.Izhikevich) is iz.Izhikevich
    assert pickle.loads(pickle.dumps(iz.IzhikevichRef)) is iz.IzhikevichRef
    mine = replace(iz.Izhikevich, name="mine", dV=dV)
    assert list(pickle.loads(pickle.dumps(mine)).parameters) == list(iz.Izhikevich.parameters)


def test_a_model_is_shown_in_a_line():
    assert repr(iz.Izhikevich) == "<model Izhikevich: a, b, c, d, V_th, k2, k1, k0>"


def test_names_taken_cover_a_population():
    pop = iz.Population(1)
    public = {name for name in dir(pop) if not name.startswith("_")} - set(pop.model.parameters)
    assert public <= _TAKEN
