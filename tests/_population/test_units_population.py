"""Quantities of the unit packages at every public door of a population: as the plain numbers, or refused."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from cells import assert_same, assert_same_result, state

import izhnumba as iz

pytestmark = pytest.mark.units


@pytest.fixture(params=["saiunit", "pint", "astropy.units", "quantities"])
def u(request):
    """The namespace of units of one package: u.mV, u.ms, ..."""
    module = importlib.import_module(request.param)
    return module.UnitRegistry() if request.param == "pint" else module


def array_of(values, unit):
    return np.asarray(values) * unit


def plain(**options):
    return iz.Population(3, **{"seed": 1, "c": -65.0, "V": [-70.0, -65.0, -60.0], **options})


def test_making_a_population(u):
    pop = iz.Population(
        3, seed=1, dt=100 * u.us, a=0.02 / u.ms, b=200 * u.Hz, c=array_of([-65.0, -60.0, -55.0], u.mV),
        d=8 * (u.volt / u.second), V_th=30 * u.mV, k2=0.04 / (u.mV * u.ms), k1=5 / u.ms, k0=140 * (u.mV / u.ms),
        V=array_of([-70.0, -65.0, -60.0], u.mV), u=-13 * (u.mV / u.ms), V_min=-0.09 * u.volt, tau_ref=0.002 * u.second,
    )  # fmt: skip
    twin = plain(c=[-65.0, -60.0, -55.0], u=-13.0, V_min=-90.0, tau_ref=2.0)
    for name in (*pop.model.parameters, "V", "u", "V_min", "tau_ref", "dt"):
        np.testing.assert_allclose(getattr(pop, name), getattr(twin, name), rtol=1e-14, err_msg=name)
        assert type(getattr(pop, name)) in (np.ndarray, float)
    drawn = plain(V=lambda rng, shape: rng.uniform(-70.0, -60.0, shape) * u.mV)
    np.testing.assert_array_equal(drawn.V, plain(V=lambda rng, shape: rng.uniform(-70.0, -60.0, shape)).V)


def test_assigning(u):
    pop, twin = plain(), plain()
    pop.c, pop.tau_ref, pop.V, pop.a = array_of([-60.0] * 3, u.mV), 2 * u.ms, -60 * u.mV, 0.1 / u.ms
    twin.c, twin.tau_ref, twin.V, twin.a = np.full(3, -60.0), 2.0, -60.0, 0.1
    assert_same(pop, twin)


def test_input(u):
    pop, twin = plain(), plain()
    I, delta, g, E = array_of([5.0, 10.0, 15.0], u.mV / u.ms), 0.5 * u.mV, 0.1 / u.ms, [-80 * u.mV]
    pop.step(I)
    pop.step(I, delta=delta, g=[g], E=E)
    pop.step(10 * (u.mV / u.ms))
    twin.step([5.0, 10.0, 15.0])
    twin.step([5.0, 10.0, 15.0], delta=0.5, g=0.1, E=-80.0)
    twin.step(10.0)
    table = np.arange(60.0).reshape(20, 3)
    result = pop.run(2 * u.ms, array_of(table, u.mV / u.ms), delta=delta, g=g, E=E[0], record="V", every=0.2 * u.ms)
    assert_same_result(result, twin.run(2.0, table, delta=0.5, g=0.1, E=-80.0, record="V", every=0.2))
    stimulus = (
        iz.Constant(I) + iz.Sine(2 * (u.mV / u.ms), 40 * u.Hz) + iz.TimedArray(table[:, 0] * (u.mV / u.ms), 1 * u.ms)
    )
    same = iz.Constant([5.0, 10.0, 15.0]) + iz.Sine(2.0, 40.0) + iz.TimedArray(table[:, 0], 1.0)
    pop.run(20 * u.ms, stimulus)
    twin.run(20.0, same)
    np.testing.assert_allclose(pop.V, twin.V, rtol=1e-9)


def test_the_book_model(u):
    pop = iz.Population(2, iz.Izhikevich2007, C=0.1 * u.nF, k=0.7 * (u.nS / u.mV), b=-2 * u.nS, d=100 * u.pA)
    twin = iz.Population(2, iz.Izhikevich2007)
    for name in "Ckbd":
        np.testing.assert_allclose(getattr(pop, name), getattr(twin, name), rtol=1e-14)
    pop.run(1.0, 70 * u.pA, g=1 * u.nS, E=0 * u.mV)
    twin.run(1.0, 70.0, g=1.0, E=0.0)
    np.testing.assert_allclose(pop.V, twin.V, rtol=1e-12)


def test_misfits_are_refused_by_name(u):
    pop, book = plain(), iz.Population(3, iz.Izhikevich2007)
    pop.run(1.0, 5.0)
    before = state(pop), state(book)
    current, conductance = 2.5 * u.pA, 2.5 * u.nS
    for name, unit, call in (
        ("Population.dt", "ms", lambda: plain(dt=0.1 * u.mV)),
        ("Population.a", "1/ms", lambda: plain(a=0.02 * u.mV)),
        ("Population.V", "mV", lambda: plain(V=-65 * u.ms)),
        ("Population.u", "mV/ms", lambda: plain(u=-13 * u.mV)),
        ("Population.V_min", "mV", lambda: plain(V_min=-90 * u.ms)),
        ("Population.tau_ref", "ms", lambda: setattr(pop, "tau_ref", array_of([2.0] * 3, u.mV))),
        ("Population.c", "mV", lambda: setattr(pop, "c", -65 * u.ms)),
        ("Population.V", "mV", lambda: setattr(pop, "V", -65 * u.ms)),
        ("Population.step.I", "mV/ms", lambda: pop.step(current)),
        ("Population.step.I", "mV/ms", lambda: pop.step([0.0, current, 0.0])),
        ("Population.step.delta", "mV", lambda: pop.step(delta=0.5 * u.ms)),
        ("Population.step.g", "1/ms", lambda: pop.step(g=conductance, E=0.0)),
        ("Population.step.E", "mV", lambda: pop.step(g=0.1, E=-70 * u.ms)),
        ("Population.run.T", "ms", lambda: pop.run(1.0 * u.mV)),
        ("Population.run.I", "mV/ms", lambda: pop.run(1.0, array_of(np.zeros((10, 3)), u.pA))),
        ("Population.run.every", "ms", lambda: pop.run(1.0, record="V", every=0.1 * u.mV)),
        ("Population.run.I", "pA", lambda: book.run(1.0, 5 * (u.mV / u.ms))),
        ("Population.run.g", "nS", lambda: book.run(1.0, g=0.1 / u.ms, E=0.0)),
        ("Population.C", "pF", lambda: setattr(book, "C", 100 * u.mV)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=rf"^{name} must be .*got .*\. Its unit must convert to {unit}\.$"):
            call()
    for name, call in (
        ("Population.size", lambda: iz.Population(3 * u.ms)),
        ("Population.seed", lambda: plain(seed=3 * u.ms)),
        ("Population.run.neurons", lambda: pop.run(1.0, record="V", neurons=array_of([0, 1], u.ms))),
    ):
        with pytest.raises(ValueError, match=rf"^{name} must be .*got .*\. Pass it without a unit\.$"):
            call()
    for pop_in, stimulus in ((pop, iz.Constant(current)), (book, iz.Sine(5 * (u.mV / u.ms), 10.0))):
        with pytest.raises(ValueError, match=r"^(Constant|Sine) must be in .* for this model and use, got "):
            pop_in.run(1.0, stimulus)
    assert (state(pop), state(book)) == before
