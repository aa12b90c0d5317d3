"""Fixed points, bifurcations, rheobase and f-I curves against closed forms."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from scipy.optimize import brentq

import izhnumba as iz
from izhnumba import analysis
from izhnumba.analysis._bifurcations import coefficients
from izhnumba.analysis._firing import rates
from izhnumba.analysis._phase_plane import parameters_of

NOT_QUADRATIC = ("2007/FS", "2007/TC", "2007/RTN")
PLANES = [name for name, preset in iz.presets.items() if not preset["model"].states]
QUADRATIC = [name for name in PLANES if name not in NOT_QUADRATIC]
CLASS_2 = ["RS", "FS", "TC", "RZ", "LTS", "2004/F", "2004/J", "2007/IB", "2007/LTS"]


def equations_of(name):
    model, values = parameters_of("test", iz.presets[name])
    return model, model.named_tuple()(*map(float, values.values()))


def jacobian(model, p, V, u, I):
    """By differences of second order, which are exact for a parabola."""
    ahead, behind = model.derivatives(V + 1, u, I, p), model.derivatives(V - 1, u, I, p)
    by_u = np.subtract(model.derivatives(V, u + 1, I, p), model.derivatives(V, u - 1, I, p)) / 2
    return np.column_stack([np.subtract(ahead, behind) / 2, by_u])


# --- the phase plane --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["RS", "FS", "TC", "LTS", "2004/G", "2004/S", "2004/T"])
@pytest.mark.parametrize("I", [-1.0, 0.0, 0.2])
def test_fixed_points_are_the_roots_of_the_parabola(name, I):
    p = {"k2": 0.04, "k1": 5.0, "k0": 140.0, **iz.presets[name]}
    I = I + 75 * (p["b"] == -1.0)
    roots = np.roots([p["k2"], p["k1"] - p["b"], p["k0"] + I])
    roots = np.sort(roots[roots.imag == 0].real)
    points = analysis.fixed_points(p, I)
    np.testing.assert_allclose([point.V for point in points], roots, atol=1e-9)
    for point in points:
        assert point.u == pytest.approx(p["b"] * point.V, abs=1e-8)
        trace = 2 * p["k2"] * point.V + p["k1"] - p["a"]
        determinant = p["a"] * (p["b"] - 2 * p["k2"] * point.V - p["k1"])
        assert point.stable == (trace < 0 < determinant)
        assert sum(point.eigenvalues) == pytest.approx(trace, abs=1e-9)
        assert np.prod(point.eigenvalues) == pytest.approx(determinant, abs=1e-9)
        if determinant < 0:
            assert point.kind == "saddle"
        else:
            shape = "focus" if trace**2 < 4 * determinant else "node"
            assert point.kind == f"{'stable' if point.stable else 'unstable'} {shape}"


def test_the_fixed_point_of_the_accommodating_cell_is_at_its_resting_voltage():
    (point,) = analysis.fixed_points(iz.presets["2004/R"], 1.0)
    assert point[:2] == pytest.approx((-65.0, 0.04 * 65**2 - 5 * 65 + 140 + 1))


def test_a_leap_of_the_u_nullcline_is_no_fixed_point():
    points = analysis.fixed_points(iz.presets["2007/RTN"], 0.0)
    assert [round(point.V, 6) for point in points if point.V < -60] == [-65.0]  # vr, where also b changes
    for point in analysis.fixed_points(iz.presets["2007/TC"], -100.0):
        assert 1.6 * (point.V + 60) * (point.V + 50) - 100 == pytest.approx(point.u)


@pytest.mark.parametrize("name", PLANES)
def test_nothing_moves_at_a_fixed_point(name):
    model, p = equations_of(name)
    for point in analysis.fixed_points(iz.presets[name]):
        assert model.derivatives(point.V, point.u, 0.0, p) == pytest.approx((0.0, 0.0), abs=1e-9)
        assert point.eigenvalues[0].real >= point.eigenvalues[1].real


def test_nullclines_are_where_a_derivative_is_zero():
    V = np.array([[-80.0, -65.0], [-50.0, 0.0]])
    cells = iz.Population(2, b=[0.2, 0.25])
    at_rest_V, at_rest_u = analysis.nullclines(cells, 3.0, V, index=1)
    np.testing.assert_allclose(at_rest_V, 0.04 * V**2 + 5 * V + 143)
    np.testing.assert_allclose(at_rest_u, 0.25 * V)
    assert np.isnan(analysis.nullclines(iz.presets["2004/R"], 0.0, -60.0)[1])


# --- closed forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUADRATIC)
def test_coefficients_are_the_equations(name):
    model, p = equations_of(name)
    k = coefficients(model, p)
    V, u, I = np.random.default_rng(1).normal(0.0, (60.0, 20.0, 10.0), (50, 3)).T
    dV, du = model.derivatives(V, u, I, p)
    np.testing.assert_allclose(((k.k2 * V + k.k1) * V + k.k0) + k.kI * I + k.ku * u, dV, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(k.ua * V + k.ub * u + k.uc, du, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NOT_QUADRATIC)
@pytest.mark.parametrize("closed", [analysis.resting_state, analysis.saddle_node_current, analysis.hopf_current])
def test_a_closed_form_refuses_other_equations(name, closed):
    message = f"{closed.__name__}.neuron must have V' quadratic in V and u' linear in V and u, got the model Izh"
    with pytest.raises(ValueError, match=re.escape(message)):
        closed(iz.presets[name])


def test_a_users_cubic_model_has_no_closed_form():
    def dV(V, u, I, p):
        return p.k2 * V * V * V - u + I

    def slope(V, dI, p):
        return (p.k2 + p.k2 + p.k2) * V * V + dI

    model = dataclasses.replace(iz.Izhikevich, name="Cubic", dV=dV, dV_slope=slope)
    with pytest.raises(ValueError, match=r"got the model Cubic\. Use fixed_points, which takes any model\."):
        analysis.hopf_current(model)


@pytest.mark.parametrize("name", QUADRATIC)
def test_the_resting_state_is_the_stable_fixed_point(name):
    stable = [point for point in analysis.fixed_points(iz.presets[name]) if point.stable]
    expected = stable[0][:2] if stable else (np.nan, np.nan)
    assert np.array(analysis.resting_state(iz.presets[name])) == pytest.approx(
        np.array(expected), abs=1e-8, nan_ok=True
    )


def test_resting_states_of_a_population_with_a_current_each():
    cells = iz.Population((2, 2), b=[[0.2, 0.2], [0.25, -0.1]])
    I = np.array([[0.0, 4.5], [0.5, -3.0]])
    V, u = analysis.resting_state(cells, I)
    assert V.shape == u.shape == (2, 2)
    assert np.isnan(V[0, 1])  # beyond the saddle-node
    for index in (0, 2, 3):
        (point,) = (point for point in analysis.fixed_points(cells, I.flat[index], index=index) if point.stable)
        assert (V.flat[index], u.flat[index]) == pytest.approx(point[:2], abs=1e-8)
    assert analysis.resting_state(iz.presets["RS"], [0.0, 1.0, 2.0])[0].shape == (3,)


@pytest.mark.parametrize(
    ("name", "I"),
    [
        ("RS", 4.0),
        ("TC", 4.75**2 / 0.16 - 140),
        ("RZ", 4.74**2 / 0.16 - 140),
        ("2004/G", 2.25),
        ("2007/RS", 12**2 / 2.8),
    ],
)
def test_saddle_nodes_of_known_cells(name, I):
    assert analysis.saddle_node_current(iz.presets[name]) == pytest.approx(I)


@pytest.mark.parametrize("name", [name for name in QUADRATIC if name != "2004/R"])
def test_two_fixed_points_merge_and_vanish_at_the_saddle_node(name):
    I = float(analysis.saddle_node_current(iz.presets[name]))
    before, after = (analysis.fixed_points(iz.presets[name], I + shift) for shift in (-1e-3, 1e-3))
    assert len(before) == 2
    assert abs(before[0].V - before[1].V) < 1
    assert after == []
    assert (before[0].kind == "saddle") != (before[1].kind == "saddle")


@pytest.mark.parametrize("name", CLASS_2)
def test_stability_is_lost_at_the_hopf_current(name):
    I = float(analysis.hopf_current(iz.presets[name]))
    assert I < analysis.saddle_node_current(iz.presets[name])
    before, at, after = (
        next(point for point in analysis.fixed_points(iz.presets[name], I + shift) if point.kind != "saddle")
        for shift in (-1e-3, 0.0, 1e-3)
    )
    assert before.stable
    assert not after.stable
    eigenvalues = np.linalg.eigvals(jacobian(*equations_of(name), at.V, at.u, I))
    np.testing.assert_allclose(eigenvalues.real, 0.0, atol=1e-9)
    assert np.abs(eigenvalues.imag).min() > 1e-3


def test_hopf_currents_of_known_cells():
    cells = iz.Population(4, a=[0.02, 0.1, 0.1, 0.02], b=[0.2, 0.2, 0.26, -0.1])
    V = (cells.a - 5) / 0.08
    expected = -(0.04 * V**2 + (5 - cells.b) * V + 140)
    np.testing.assert_allclose(analysis.hopf_current(cells), [*expected[:3], np.nan], rtol=1e-12)
    assert np.isnan(analysis.hopf_current({"a": 0.2, "b": 0.2}))  # the double zero of Bogdanov and Takens
    assert np.isnan(analysis.hopf_current(iz.presets["2004/R"]))


def test_a_population_in_any_shape_has_a_current_per_neuron():
    cells = iz.Population((2, 3), batch=2, b=0.2)
    assert analysis.saddle_node_current(cells).shape == analysis.hopf_current(cells).shape == (2, 2, 3)
    np.testing.assert_allclose(analysis.saddle_node_current(cells), 4.0)


# --- firing -----------------------------------------------------------------------------------------------------------

FROZEN = {"a": 0.0, "c": -65.0, "d": 0.0, "V": -65.0, "u": 0.0}  # without u: the quadratic integrate-and-fire neuron


def passage(I, start=-65.0, end=30.0):
    """Time that V' = 0.04 V^2 + 5 V + 140 + I takes, above its fold at I = 16.25."""
    root = np.sqrt(0.04 * (I - 16.25))
    return (np.arctan((0.04 * end + 2.5) / root) - np.arctan((0.04 * start + 2.5) / root)) / root


def test_rates_of_made_up_trains():
    i = np.array([0, 2, 1, 0, 0, 2, 0, 0])
    t = np.array([5.0, 7.0, 8.0, 25.0, 55.0, 60.0, 75.0, 95.0])
    steady, first = rates(i, t, 4, 100.0)
    np.testing.assert_allclose(steady, [50.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(first, [50.0, 0.0, 1000 / 53, 0.0])


def test_fi_curve_of_a_neuron_without_u_is_the_inverse_passage_time():
    I = np.array([0.0, 16.0, 17.0, 20.0, 40.0, 100.0])
    curve = analysis.fi_curve(FROZEN, I)
    np.testing.assert_array_equal(curve.I, I)
    np.testing.assert_allclose(curve.rate[2:], 1000 / passage(I[2:]), rtol=1e-11)
    np.testing.assert_allclose(curve.first, curve.rate, rtol=1e-10)
    assert not curve.rate[:2].any()


def test_fi_curve_starts_at_rest_and_belongs_to_the_neuron_that_is_asked_for():
    cells = iz.Population(2, c=-65.0, d=8.0, a=[0.02, 0.1], b=0.2, V=-50.0, u=3.0)
    curve = analysis.fi_curve(cells, [5.0, 10.0, 20.0], index=1)
    same = analysis.fi_curve({"a": 0.1, "b": 0.2, "d": 8.0}, [5.0, 10.0, 20.0])
    for ours, theirs in zip(curve, same, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    V, u = analysis.resting_state(cells)
    resting = iz.Population(1, scheme="exact", a=0.1, b=0.2, d=8.0, V=V[1], u=u[1])
    t = resting.run(1000.0, 20.0).spikes.t
    assert curve.first[2] == 1000 / (t[1] - t[0])
    assert np.all(np.diff(curve.rate) > 0)


def test_rheobase_of_a_neuron_without_u_is_where_the_passage_takes_the_duration():
    expected = brentq(lambda I: passage(I) - 500.0, 16.25 + 1e-9, 20.0, xtol=1e-12)
    assert analysis.rheobase(FROZEN, duration=500.0, tolerance=1e-9) == pytest.approx(expected, abs=2e-9)


@pytest.mark.parametrize("name", ["RS", "FS", "RZ", "LTS"])
def test_rheobase_lies_between_the_fold_of_a_frozen_u_and_the_saddle_node(name):
    cell = iz.presets[name]
    _, u = analysis.resting_state(cell)
    fold = 5.0**2 / 0.16 - 140 + u
    once, often = (float(analysis.rheobase(cell, n_spikes=n)) for n in (1, 2))
    assert fold < once <= often
    assert once < analysis.saddle_node_current(cell)


@pytest.mark.parametrize("name", ["2004/G", "2004/Q"])
def test_rheobase_of_a_class_1_cell_is_a_little_above_its_saddle_node(name):
    cell = iz.presets[name]
    delay = (1 - cell["b"] / cell["a"]) ** 2 * (np.pi / 1000) ** 2 / 0.04
    excess = analysis.rheobase(cell) - analysis.saddle_node_current(cell)
    assert excess == pytest.approx(delay, rel=0.05)


def test_rheobases_of_a_population():
    cells = iz.Population((2, 2), b=[[0.2, 0.25], [0.26, 0.2]], k0=[[140.0, 140.0], [140.0, 150.0]])
    found = analysis.rheobase(cells, duration=200.0, tolerance=1e-4)
    assert found.shape == (2, 2)
    assert np.isnan(found[1, 1])  # fires without current
    single = analysis.rheobase({"b": 0.25}, duration=200.0, tolerance=1e-4)
    assert found[0, 1] == pytest.approx(single, abs=1e-4)
    V, u = analysis.resting_state(cells)
    for shift, count in ((0.0, 1), (-1e-4, 0)):
        cell = iz.Population(1, scheme="exact", b=0.26, V=V[1, 0], u=u[1, 0])
        assert min(len(cell.run(200.0, found[1, 0] + shift).spikes), 1) == count


def test_a_neuron_that_nothing_moves_has_no_rheobase():
    assert np.isnan(analysis.rheobase({"V_th": 1e9, "c": -65.0}, duration=1e-3))


@pytest.mark.parametrize(
    ("function", "options", "error", "message"),
    [
        ("rheobase", {"duration": 0.0}, ValueError, "duration must be a finite number > 0 ms, got 0.0."),
        ("rheobase", {"n_spikes": 0}, ValueError, "n_spikes must be a whole number >= 1, got 0."),
        ("rheobase", {"tolerance": 0.0}, ValueError, "tolerance must be a finite number > 0 mV/ms, got 0.0."),
        ("rheobase", {"neuron": 5}, TypeError, "neuron must be a Population, a preset or other mapping, or a Model"),
        ("fi_curve", {"I": [[1.0]]}, ValueError, "I must have shape (currents,), at least one, got (1, 1). Pass I.rav"),
        ("fi_curve", {"I": "x"}, TypeError, "I must be a number or an array of numbers in mV/ms, got 'x'."),
        ("fi_curve", {"I": 1.0, "index": 1}, ValueError, "index must be a whole number >= -1 and <= 0, got 1."),
    ],
)
def test_firing_says_what_it_must_be_given(function, options, error, message):
    with pytest.raises(error, match=re.escape(f"{function}.{message}")):
        getattr(analysis, function)(**{"neuron": iz.presets["RS"], **options})
