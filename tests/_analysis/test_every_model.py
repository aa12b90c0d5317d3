"""rheobase, fi_curve and accuracy_report of neurons that the exact engine cannot take, against NumPy alone."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
import re
import warnings

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis

BOOK = {  # chapter 8 of 2007, figures 27, 31 and 32: C, k, vr, vt, a, c, d, and V and u at rest
    "2007/FS": (20.0, 1.0, -55.0, -40.0, 0.2, -45.0, 0.0),
    "2007/TC": (200.0, 1.6, -60.0, -50.0, 0.01, -60.0, 10.0),
    "2007/RTN": (40.0, 0.25, -65.0, -45.0, 0.015, -55.0, 50.0),
}


def pull(name, V, V_new):
    """The u towards which u goes: as in the book's program, the new V decides by which rule."""
    if name == "2007/FS":
        w = V + 55.0
        return np.where(V_new >= -55.0, 0.025 * (w * w * w), 0.0)
    low, high, vr = (15.0, 0.0, -60.0) if name == "2007/TC" else (10.0, 2.0, -65.0)
    return np.where(V_new > -65.0, high, low) * (V - vr)


def peak_and_reset(name, u, c):
    if name == "2007/FS":
        return 25.0, c
    return (35.0 + 0.1 * u, c - 0.1 * u) if name == "2007/TC" else (0.0, c)


def spikes_of(name, I, duration=1000.0, dt=0.25, V_min=-np.inf):
    """Times (ms) of each of several neurons, by forward Euler from rest, the reset at the end of the step."""
    C, k, vr, vt, a, c, d = BOOK[name]
    V, u, trains = np.full(len(I), vr), np.zeros(len(I)), [[] for _ in I]
    for step in range(round(duration / dt)):
        V_new = np.maximum(V + dt * ((k * (V - vr) * (V - vt) - u + I) / C), V_min)
        V, u = V_new, u + dt * a * (pull(name, V, V_new) - u)
        peak, reset = peak_and_reset(name, u, c)
        fired = peak <= V
        for neuron in np.flatnonzero(fired):
            trains[neuron].append((step + 1) * dt)
        V, u = np.where(fired, reset, V), np.where(fired, u + d, u)
    return trains


# --- rheobase ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOOK)
def test_rheobase_of_a_book_cell_by_its_published_scheme(name):
    found = analysis.rheobase(iz.presets[name], duration=400.0, tolerance=1e-3)
    assert (found.shape, found.scheme, found.dt) == ((), "euler", 0.25)
    fires = [len(train) > 0 for train in spikes_of(name, found - [1e-3, 0.0, -1.0], 400.0)]
    assert fires == [False, True, True]


def test_rheobases_of_a_population_by_its_own_scheme():
    V_cubic = [[-55.0, -50.0], [-52.0, -48.0]]
    cells = iz.Population((2, 2), scheme="rk4", dt=0.1, **iz.presets["2007/FS"] | {"V_cubic": V_cubic})
    found = analysis.rheobase(cells, duration=100.0, tolerance=0.01)
    assert (found.shape, found.scheme, found.dt) == ((2, 2), "rk4", 0.1)
    for k, one in enumerate(np.ravel(V_cubic)):
        single = analysis.rheobase(
            iz.presets["2007/FS"] | {"V_cubic": one, "scheme": "rk4"}, duration=100.0, tolerance=0.01
        )
        assert single == pytest.approx(found.flat[k], abs=0.01)
    assert found.argsort(axis=None).tolist() == [3, 1, 2, 0]


def test_a_mapping_stands_for_one_neuron_whatever_its_batch():
    cell = {**iz.presets["RS"], "batch": 3, "positions": iz.Grid()}
    assert analysis.rheobase(cell, tolerance=0.1).shape == ()
    assert analysis.fi_curve(cell, [5.0, 10.0], 100.0, index=-1).rate.shape == (2,)
    with pytest.raises(ValueError, match=r"^fi_curve.index must be "):
        analysis.fi_curve(cell, [5.0], index=1)


def test_a_floor_of_V_is_taken_by_the_scheme_of_the_population():
    with_floor, without = (iz.Population(1, V_min=floor, dt=0.05) for floor in (-66.0, -math.inf))
    floored, exact = (analysis.rheobase(pop, duration=100.0, tolerance=1e-3) for pop in (with_floor, without))
    assert (floored.scheme, floored.dt, exact.scheme, exact.dt) == ("exp_euler", 0.05, "exact", None)
    assert floored.shape == exact.shape == (1,)
    far = analysis.rheobase(iz.Population(1, V_min=-1000.0, dt=0.05), duration=100.0, tolerance=1e-3)
    assert far == pytest.approx(exact, rel=1e-2)


def test_refractory_cells_and_those_with_rules_for_single_cell_types_are_exact():
    for neuron in ({"model": iz.IzhikevichRef, "tau_ref": 2.0}, iz.presets["2007/LTS"], iz.presets["2004/R"]):
        found = analysis.fi_curve(neuron, [0.0, 1.0], 50.0)
        assert (found.scheme, found.dt) == ("exact", None)


def quartic(V, u, I, p):
    w = (V + 65.0) / 10.0
    return w * w * w * w - w * w - u + I


def quartic_slope(V, dI, p):
    w = (V + 65.0) / 10.0
    return 0.4 * w * w * w - 0.2 * w + dI


def test_a_model_of_a_user():
    """V' = w^4 - w^2 - u: with u = 0 rest is at w = -1 / sqrt(2) and the current that ends it 1/4."""
    base = iz.Izhikevich
    numbers = {
        "a": iz.Quantity(0.0, "1/ms", "rate"),
        **{name: base.parameters[name] for name in ("b", "c", "d", "V_th")},
    }
    model = iz.Model(
        name="Quartic", source="none", V=base.V, u=base.u, I=base.I, parameters=numbers, dV=quartic,
        dV_slope=quartic_slope, du=base.du, u_slope=base.u_slope,
    )  # fmt: skip
    found = analysis.rheobase(model, duration=2000.0, tolerance=1e-4)
    assert (found.scheme, found.dt) == ("exp_euler", 0.1)
    assert 0.25 < found < 0.26


@pytest.mark.parametrize("exp", [np.exp, math.exp])
def test_rest_is_searched_with_arrays_where_equations_take_them(exp):
    """V' = exp((V + 50) / 10) - 1 - u, u' = a (b V - u): the same points; of numbers alone 4001 calls and more each."""
    base, calls = iz.Izhikevich, []

    def leap(V, u, I, p):
        calls.append(V)
        return exp((V + 50.0) / 10.0) - (V + 70.0) / 8.0 - u + I

    def leap_slope(V, dI, p):
        return exp((V + 50.0) / 10.0) / 10.0 - 0.125 + dI

    model = iz.Model(
        name="Exponential", source="none", V=base.V, u=base.u, I=base.I, dV=leap, dV_slope=leap_slope, du=base.du,
        u_slope=base.u_slope, parameters={"a": iz.Quantity(0.02, "1/ms", "rate"),
        **{name: base.parameters[name] for name in ("b", "c", "d", "V_th")}},
    )  # fmt: skip
    first = analysis.fixed_points({"model": model, "b": 0.0})[0]
    V = first.V
    assert abs(math.exp((V + 50.0) / 10.0) - (V + 70.0) / 8.0) < 1e-9
    assert first.stable
    assert abs(V + 68.5) < 1.0
    assert (len(calls) < 1000) == (exp is np.exp)


@pytest.mark.parametrize("name", BOOK)
def test_neurons_are_at_rest_without_input(name):
    start = {"V": -45.0, "u": 30.0}
    curve = analysis.fi_curve(iz.presets[name] | start | {"scheme": "euler", "dt": 0.25}, [0.0, 150.0], 100.0)
    rested = analysis.fi_curve(iz.presets[name], [0.0, 150.0], 100.0)
    for ours, theirs in zip(curve, rested, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# --- f-I curves -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOOK)
def test_fi_curves_by_numpy_alone(name):
    I = np.array([0.0, 60.0, 120.0, 300.0, 500.0])
    curve = analysis.fi_curve(iz.presets[name], I, 600.0)
    assert (curve.scheme, curve.dt) == ("euler", 0.25)
    trains = [np.array(train) for train in spikes_of(name, I, 600.0)]
    late = [train[train >= 300.0] for train in trains]
    rate = [1000 * (len(t) - 1) / (t[-1] - t[0]) if len(t) > 1 else 0.0 for t in late]
    first = [1000 / (t[1] - t[0]) if len(t) > 1 else 0.0 for t in trains]
    np.testing.assert_allclose(curve.rate, rate, rtol=1e-12)
    np.testing.assert_allclose(curve.first, first, rtol=1e-12)
    assert np.count_nonzero(curve.rate) >= 3


def test_as_many_currents_as_steps_are_one_for_each_neuron():
    with warnings.catch_warnings(action="error"):
        curve = analysis.fi_curve(iz.presets["2007/FS"], np.linspace(100.0, 200.0, 400), 100.0)
    assert curve.rate.shape == (400,)
    assert curve.first[-1] > curve.first[0] > 0


def test_results_show_how_they_were_found():
    found = analysis.rheobase(iz.presets["2007/FS"], duration=50.0, tolerance=1.0)
    assert repr(found).endswith(", scheme='euler', dt=0.25)")
    curve = analysis.fi_curve(iz.presets["2007/FS"], [0.0, 300.0], 100.0)
    other = curve._replace(I=2 * curve.I)
    assert (other.scheme, other.dt, other.rate is curve.rate, other.I[1]) == ("euler", 0.25, True, 600.0)
    assert repr(other).startswith("FICurve(I=array(")
    assert repr(other).endswith(", scheme='euler', dt=0.25)")


def test_results_tell_of_their_scheme_when_copied_and_are_what_they_were():
    I, rate, first = curve = analysis.fi_curve(iz.presets["2007/FS"], [0.0, 300.0], 100.0)
    found = analysis.rheobase(iz.presets["2007/FS"], duration=50.0, tolerance=1.0)
    for one in (pickle.loads(pickle.dumps(curve)), copy.copy(curve), copy.deepcopy(curve)):
        assert (type(one), one.scheme, one.dt, len(one)) == (analysis.FICurve, "euler", 0.25, 3)
    for one in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found), found[...]):
        assert (type(one), one.scheme, one.dt, float(one)) == (analysis.Rheobase, "euler", 0.25, float(found))
    assert (I is curve.I, rate is curve.rate, first is curve.first) == (True, True, True)
    assert analysis.FICurve([0.0], [1.0], [2.0]).scheme == "exact"


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("rheobase", {"duration": 100.1}, "duration must be a whole number of steps of 0.25 ms, got 100.1. Use 100 or"),
        ("fi_curve", {"I": [1.0], "duration": 0.3}, "duration must be a whole number of steps of 0.25 ms, got 0.3."),
        ("rheobase", {"duration": 0.1}, "duration must be >= 0.25 ms, got 0.1."),
    ],
)
def test_durations_that_are_no_whole_number_of_steps(function, options, message):
    with pytest.raises(ValueError, match=re.escape(f"{function}.{message}")):
        getattr(analysis, function)(iz.presets["2007/FS"], **options)
    getattr(analysis, function)(iz.presets["2007/RS"], **options)  # which has no steps


# --- what a time step costs -------------------------------------------------------------------------------------------


def test_a_report_on_a_book_cell_compares_with_its_own_scheme_in_finer_steps():
    cell = iz.Population(1, scheme="euler", dt=0.25, **iz.presets["2007/FS"])
    report = analysis.accuracy_report(cell, 120.0, 100.0, schemes=["euler", "rk4"], dts=[0.1, 0.02])
    assert (report.scheme, report.dt) == ("euler", 0.002)
    fine = spikes_of("2007/FS", np.array([120.0]), 100.0, 0.002)[0]
    assert report.n_spikes == len(fine) > 3
    coarse = spikes_of("2007/FS", np.array([120.0]), 100.0, 0.1)[0]
    row = report.rows[0]
    assert (row.spikes, row.missed, row.spurious) == (len(coarse), 0, 0)
    assert row.max_error == pytest.approx(np.max(np.abs(np.subtract(coarse, fine))), abs=1e-9)
    assert report.rows[1].max_error < row.max_error / 3
    assert report.rows[2].max_error > report.rows[3].max_error
    begins = f"{len(fine)} spikes in 100 ms of euler in steps of 0.002 ms, found in "
    assert repr(report).startswith(begins)


def test_a_batch_is_compared_exactly():
    d = np.array([[8.0, 2.0], [6.0, 4.0], [5.0, 0.5]])
    batch = iz.Population(2, batch=3, d=d, b=[0.2, 0.25], dtype="float32", u=-13.0, positions=[0.0, 1.0])
    flat = iz.Population(6, d=d.ravel(), b=[0.2, 0.25] * 3, dtype="float32", u=-13.0)
    options = dict(schemes=["euler"], dts=[0.1])
    ours = analysis.accuracy_report(batch, [[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]], 100.0, **options)
    theirs = analysis.accuracy_report(flat, np.arange(5.0, 11.0), 100.0, **options)
    assert (ours.scheme, ours.dt, ours.n_spikes) == ("exact", None, theirs.n_spikes)
    assert ours.rows[0][:-1] == theirs.rows[0][:-1]
    assert theirs.rows[0].spikes > 10


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Hat(iz.Input):
    """A function of time of a user's own."""

    top: float

    def at(self, t):
        return self.top - np.abs(t - 50.0) / 5.0


def test_an_input_of_a_users_own():
    report = analysis.accuracy_report(iz.Population(1), Hat(20.0), 100.0, schemes=["exp_euler"], dts=[0.1, 0.05])
    assert (report.scheme, report.dt) == ("exp_euler", pytest.approx(0.005))
    assert report.n_spikes == report.rows[1].spikes > 1
    assert report.rows[1].max_error < 0.3


@pytest.mark.parametrize("noise", [iz.Noise(3.0), 2.0 + 3 * iz.OrnsteinUhlenbeck(1.0, 1.0, 5.0), iz.Poisson(9.0)])
@pytest.mark.parametrize("model", ["RS", "2007/FS"])
def test_noise_is_another_one_for_each_step(noise, model):
    must = "accuracy_report.I must be the same function of time for every dt, got "
    with pytest.raises(ValueError, match=f"^{re.escape(must)}.* Sample it: "):
        analysis.accuracy_report(iz.Population(1, **iz.presets[model]), noise, 10.0)
