"""Models of a user: what is refused when they are made, and what when they are compiled."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from dataclasses import replace

import numba
import numpy as np
import pytest
from step_alone import StepAlone

import izhnumba as iz
from izhnumba._clock.constants import DERIVED
from izhnumba._model.model import EQUATIONS
from izhnumba._model.quantity import MAX_PARAMETERS, MOST_PARAMETERS, TAKEN

A = iz.Quantity(1.0, "", "something")


def dV(V, u, I, p):  # noqa: E741
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I


def short(V, u, I):  # noqa: E741
    return V


def keyed(V, u, I, p, *, k=1.0):  # noqa: E741
    return V * k


def pair(V, u, I, p):  # noqa: E741
    return V / (I - I), u  # numbers of Python raise, so that it cannot be tried


@numba.njit
def decorated(V, u, I, p):  # noqa: E741
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I


def with_horner(horner):
    def dV(V, u, I, p):  # noqa: E741
        return V - u + I

    dV.horner = horner
    return dV


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (dict(dV=short), TypeError, r"Model.dV must be a function of \(V, u, I, p\), got short\(V, u, I\)."),
        (dict(dV=keyed), TypeError, r"Model.dV must be a function of \(V, u, I, p\), got keyed\(V, u, I, p, \*, k"),
        (dict(threshold=lambda u: u), TypeError, r"Model.threshold must be a function of \(u, p\), got <lambda>\(u\)."),
        (dict(dV=functools.partial(dV, 1.0)), TypeError, "Model.dV must be a function made by def or lambda, got func"),
        (dict(dV=max), TypeError, "Model.dV must be a function made by def or lambda, got <built-in function max>"),
        (dict(dV=np.vectorize(dV)), TypeError, "Model.dV must be a function made by def or lambda, got <numpy.vector"),
        (dict(rate=3), TypeError, "Model.rate must be a function made by def or lambda, got 3."),
        (dict(rate=None), TypeError, "Model.rate must be a function made by def or lambda, got None."),
        (dict(dV=with_horner(3)), TypeError, "Model.dV.horner must be a function made by def or lambda, got 3."),
        (dict(dV=with_horner(short)), TypeError, r"Model.dV.horner must be a function of .*, got short\(V, u, I\)."),
        (dict(source=5), TypeError, "Model.source must be a str, got 5."),
        (dict(V=-65.0), TypeError, r"Model.V must be a Quantity\(default, unit, meaning\), got -65.0."),
        (dict(parameters={"a": 3.0}), TypeError, r"Model.parameters\['a'\] must be a Quantity\(default, .*, got 3.0."),
        (dict(parameters={"lambda": A}), ValueError, "must have names of their own, got 'lambda'. Use letters and"),
        (dict(parameters={"a b": A}), ValueError, "must have names of their own, got 'a b'. Use letters and"),
        (dict(parameters={"self": A}), ValueError, "must have names of their own, got 'self'. That name is taken by"),
        (dict(parameters={"dt": A}), ValueError, "must have names of their own, got 'dt'. That name is taken by"),
        (dict(parameters={f"q{k}": A for k in range(70)}), ValueError, "Model.parameters must be at most 60, got 70."),
        (dict(parameters=[A]), TypeError, "Model.parameters must be a mapping of names to Quantity, got"),
    ],
)
def test_refused_when_made(changes, kind, message):
    with pytest.raises(kind, match=message):
        replace(iz.Izhikevich, name="mine", **changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("low", "", ""), "Quantity.default must be a number, got 'low'."),
        ((1.0, None, ""), "Quantity.unit must be a str, got None."),
        ((1.0, "", 5), "Quantity.meaning must be a str, got 5."),
        ((1.0, "", "", "0"), "Quantity.above must be a finite number, got '0'."),
        ((0.0, "", "", 0.0), "Quantity.default must be a number > above .0., got 0.0."),
        ((-1.0, "", "", None, 0.0), "Quantity.default must be a number >= at_least .0., got -1.0."),
    ],
)
def test_quantities_check_their_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        iz.Quantity(*arguments)


@pytest.mark.parametrize("result", ["fast", None, 1j])
@pytest.mark.parametrize("name", EQUATIONS)
def test_equations_give_numbers(name, result):
    arguments = ", ".join(EQUATIONS[name])
    equation = eval(f"lambda {arguments}: {result!r}")
    with pytest.raises(TypeError) as error:
        replace(iz.Izhikevich, name="mine", **{name: equation})
    assert str(error.value).startswith(
        f"Model.{name}({arguments}) must be a number or an array of numbers, got {result!r}."
    )


def test_refused_when_compiled():
    pop = iz.Population(2, model=replace(iz.Izhikevich, name="mine", dV=pair))
    with pytest.raises(TypeError, match=r"Model.dV must return a number, got UniTuple\(float64 x 2\) from pair"):
        pop.step()


def test_equations_may_be_compiled_already():
    mine = replace(iz.Izhikevich, name="mine", dV=decorated)
    one, other = iz.Population(3, model=mine), iz.Population(3)
    for pop in (one, other):
        alone = StepAlone(pop, "hard", "plain")
        for _ in range(500):
            alone.step(np.zeros(3, bool), np.full(3, 10.0))
    np.testing.assert_allclose(one.V, other.V, rtol=1e-9)


def test_as_many_parameters_as_allowed():
    parameters = {**iz.Izhikevich.parameters, **{f"q{k}": A for k in range(52)}}
    wide = replace(iz.Izhikevich, name="wide", parameters=parameters)
    pop = iz.Population(3, model=wide, q51=[1.0, 2.0, 3.0])
    pop.run(10.0, 10.0)
    assert len(wide.parameters) == MOST_PARAMETERS == MAX_PARAMETERS - len(("V_min", *DERIVED))


def test_models_do_not_change():
    with pytest.raises(TypeError, match="Model.parameters cannot be changed. Make a new model"):
        iz.Izhikevich.parameters["a"] = A
    assert copy.deepcopy(iz.Izhikevich) is iz.Izhikevich
    assert pickle.loads(pickle.dumps(iz.IzhikevichRef)) is iz.IzhikevichRef


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_of_models(twin):
    mine = replace(iz.Izhikevich, name="mine", dV=dV)
    assert mine.parameters is not iz.Izhikevich.parameters
    other = twin(replace(mine, source="here"))
    assert other.dV is twin(other).dV is mine.dV
    assert (repr(other), other.source, other.parameters) == (repr(mine), "here", mine.parameters)
    with pytest.raises(TypeError, match="Model.parameters cannot be changed. Make a new model"):
        other.parameters.update(a=A)


WELL_KNOWN = replace(iz.Izhikevich, name="WELL_KNOWN", dV=dV)
NAMESAKE = replace(iz.Izhikevich, name="WELL_KNOWN", dV=dV)


def test_a_model_is_pickled_by_the_name_under_which_its_module_holds_it():
    for twin in (copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))):
        assert twin(WELL_KNOWN) is WELL_KNOWN
        assert twin(NAMESAKE) is not WELL_KNOWN
        assert twin(iz.Izhikevich2007) is iz.Izhikevich2007
    impostor = replace(iz.Izhikevich, u_reset=lambda u, p: u)  # under the name of another
    assert copy.copy(impostor).u_reset is impostor.u_reset is not iz.Izhikevich.u_reset


def test_equations_may_come_from_no_module():
    names = {}
    exec("def u_reset(u, p):\n    return u + p.d\nequations = dict(dV=lambda V, u, I, p: p.k1 * V - u + I,"
         "dV_slope=lambda V, dI, p: p.k1 + dI, u_reset=u_reset)", names)  # fmt: skip
    equations = names["equations"]
    for equation in equations.values():
        equation.__module__ = None
    model = replace(iz.Izhikevich, name="mine", **equations)
    assert copy.copy(model).u_reset is names["u_reset"]


def test_a_model_is_shown_in_a_line():
    assert repr(iz.Izhikevich) == "<model Izhikevich: a, b, c, d, V_th, k2, k1, k0>"


def test_names_taken_cover_a_population():
    pop = iz.Population(1)
    public = {name for name in dir(pop) if not name.startswith("_")} - set(pop.model.parameters)
    arguments = set(inspect.signature(type(pop).__init__).parameters) - {"parameters"}
    assert public | arguments | set(DERIVED) <= TAKEN
