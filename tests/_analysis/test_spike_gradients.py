"""Derivatives of spike times: against differences of exact runs, closed forms, identities and another integrator."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle

import numpy as np
import pytest
from exact_cells import different
from exact_oracle import passage
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

import izhnumba as iz
from izhnumba import analysis
from izhnumba._exact.sensitivities import slopes
from izhnumba._numba.where import where

STENCIL, WEIGHTS = np.array([-3, -2, -1, 1, 2, 3]), np.array([-1, 9, -45, 45, -9, 1]) / 60
NOISE = 3e-11  # ms, of a difference of spike times


def population(cells, model=iz.Izhikevich, reset="hard"):
    """cells: arrays (n,) by name, and perhaps their I."""
    given = {name: values for name, values in cells.items() if name != "I"}
    return iz.Population(len(cells["V"]), model, scheme="exact", reset=reset, **given)


def complete(cells, model):
    """With all that is left to defaults, and a tau_ref that can be made smaller."""
    n = len(cells["V"])
    defaults = {name: np.full(n, quantity.default) for name, quantity in model.parameters.items()}
    return defaults | {"tau_ref": np.full(n, 0.25)} | cells


def table(spikes, values, n, width=None):
    """A row per neuron, in the order of time, with NaN behind its last spike."""
    order = np.lexsort((spikes.t, spikes.i))
    i = spikes.i[order]
    nth = np.arange(len(i)) - np.searchsorted(i, i)
    rows = np.full((n, max(nth.max(initial=-1) + 1, width or 0)), np.nan)
    rows[i, nth] = values[order]
    return rows


def difference(cells, name, h, T, row=None, dt=None, **options):
    """The table of spike times, differentiated by the quantity `name` in steps of h (n,)."""
    copies = {key: np.repeat(values, len(STENCIL), axis=0) for key, values in cells.items()}
    changed = copies[name] if row is None else copies[name][:, row]
    changed += np.outer(h, STENCIL).ravel()
    I = copies["I"] if dt is None else iz.TimedArray(copies["I"].T, dt)
    spikes = population(copies, **options).run(T, I).spikes
    times = table(spikes, spikes.t, len(changed)).reshape(len(h), len(STENCIL), -1)
    return np.einsum("k,nks->ns", WEIGHTS, times) / h[:, np.newaxis]


def agree_with_differences(cells, T, model=iz.Izhikevich, reset="hard", dt=None, moved=3e-3, leave_out=()):
    """Steps are such that the spike that moves most moves by `moved` ms. Returns the number of spikes."""
    cells, options = complete(cells, model), dict(model=model, reset=reset)
    n, I = len(cells["V"]), cells["I"] if dt is None else iz.TimedArray(cells["I"].T, dt)
    found = analysis.spike_time_gradients(population(cells, **options), T, I)
    expected = population(cells, **options).run(T, I).spikes
    np.testing.assert_array_equal(found.i, expected.i)
    np.testing.assert_array_equal(found.t, expected.t)
    quantities = [(name, None) for name in ("V", "u", *model.parameters, "tau_ref", "I") if name not in leave_out]
    if dt is not None:
        quantities = [*quantities[:-1], *(("I", row) for row in range(cells["I"].shape[1]))]
    for name, row in quantities:
        slopes, base = getattr(found, name), cells[name]
        if row is not None:
            slopes, base = slopes[:, row], base[:, row]
        slopes = table(found, slopes, n)
        most = np.nanmax(np.abs(np.c_[slopes, np.zeros(n)]), axis=1)
        h = np.minimum(moved / np.maximum(most, 1e-9), 1e-3 * np.maximum(np.abs(base), 1.0))
        h[~np.isfinite(base)] = 1.0
        measured = difference(cells, name, h, T, row, dt, **options)
        compared = np.isfinite(measured[:, : slopes.shape[1]])  # a spike at the end may come or go
        assert compared.sum() >= 0.95 * len(found.t)
        off = np.abs(measured[:, : slopes.shape[1]] - slopes)
        assert np.all((off <= 1e-6 * np.abs(slopes) + NOISE / h[:, np.newaxis])[compared]), (name, row)
    return len(found.t)


# --- differences ------------------------------------------------------------------------------------------------------


def presets(names, I, model=iz.Izhikevich):
    """Cells with these names, each with a constant current."""
    defaults = {name: quantity.default for name, quantity in model.parameters.items()}
    filled = [{**defaults, **iz.presets[name]} for name in names]
    cells = {key: np.array([cell[key] for cell in filled]) for key in (*defaults, "V", "u")}
    return cells | {"I": np.resize(np.asarray(I, float), len(names))}


def test_the_cells_of_2003():
    assert agree_with_differences(presets(["RS", "IB", "CH", "FS", "TC", "RZ", "LTS"], 10.0), 100.0) > 50


def test_the_patterns_of_2004():
    assert agree_with_differences(presets([f"2004/{panel}" for panel in "ABCDEFGHIJKLMNOPQ"], 8.0), 60.0) > 100
    assert agree_with_differences(presets(["2004/S", "2004/T"], 75.0), 60.0) > 10
    accommodation = presets(["2004/R"], 10.0, iz.IzhikevichAccommodation)
    assert agree_with_differences(accommodation, 100.0, iz.IzhikevichAccommodation) > 1


def test_the_cells_of_2007():
    """Thresholds and resets that depend on u, and a u that is capped."""
    cells = presets(["2007/RS", "2007/IB", "2007/CH", "2007/LTS"], [100.0, 500.0, 400.0, 300.0], iz.Izhikevich2007)
    assert agree_with_differences(cells, 250.0, iz.Izhikevich2007, leave_out=["cubic"]) > 20


@pytest.mark.parametrize(("reset", "d"), [("hard", 5.0), ("soft", 60.0), ("overshoot", 3.0)])
def test_other_cells(reset, d):
    cells = different(20, seed=3, d=d, tau_ref=np.resize([0.25, 2.0], 20))
    assert agree_with_differences(cells, 60.0, reset=reset) > 50


@pytest.mark.parametrize("reset", ["hard", "overshoot"])
def test_cells_that_start_above_their_threshold(reset):
    """They spike at time 0 and stay there; what they leave behind depends on the start, or does not."""
    cells = different(10, seed=4, V=np.linspace(20.0, 60.0, 10), tau_ref=0.5)
    assert agree_with_differences(cells, 40.0, reset=reset) > 10
    found = analysis.spike_time_gradients(population(cells, reset=reset), 40.0, cells["I"])
    at_once = found.t == 0
    assert np.count_nonzero(at_once) == 7
    assert not any(getattr(found, name)[at_once].any() for name in ("V", "u", "c", "V_th", "tau_ref", "I"))
    first = table(found, found.V, 10)[-1]
    assert (first[1] == 0) == (reset == "hard")


def test_several_spikes_at_time_0():
    """A soft reset takes V_th away, as often as it must."""
    cells = different(4, seed=5, V=100.0, tau_ref=0.5, I=20.0)
    assert agree_with_differences(cells, 20.0, reset="soft") > 12
    found = analysis.spike_time_gradients(population(cells, reset="soft"), 20.0, cells["I"])
    np.testing.assert_allclose(table(found, found.tau_ref, 4)[:, :4], np.tile(np.arange(4), (4, 1)), rtol=1e-14)


@pytest.mark.parametrize("tau_ref", [0.25, 3.0])
def test_rows_of_input(tau_ref):
    rows = np.random.default_rng(6).uniform(0.0, 20.0, (6, 9))
    cells = different(6, seed=7, tau_ref=tau_ref) | {"I": rows}
    assert agree_with_differences(cells, 45.0, dt=5.0, moved=3e-4) > 25


# --- users' models ----------------------------------------------------------------------------------------------------


def own_dV(V, u, I, p):
    return (p.k2 * V + p.k1 / p.scale) * V + p.k0 - u * p.pull**2 + I / p.scale


def own_slope(V, dI, p):
    return p.k2 * V + p.k2 * V + (p.k1 + dI) / p.scale


def own_du(V, V_new, u, p):
    return p.b * V - u + p.a


def own_threshold(u, p):
    return p.V_th - p.w * u


def own_V_reset(u, p):
    return p.c + abs(p.scale) * u * u / (u * u + p.half)


def own_u_reset(u, p):
    u_new = u + p.d
    u_new += p.w
    return where(u_new < p.u_top, u_new, p.u_top + (u - p.u_top) * p.w)


OWN = dataclasses.replace(
    iz.Izhikevich, name="Own", dV=own_dV, dV_slope=own_slope, du=own_du, threshold=own_threshold, V_reset=own_V_reset,
    u_reset=own_u_reset,
    parameters=iz.Izhikevich.parameters | {
        "scale": iz.Quantity(-1.5, "", ""), "pull": iz.Quantity(1.2, "", ""), "w": iz.Quantity(0.2, "", ""),
        "half": iz.Quantity(9.0, "", ""), "u_top": iz.Quantity(1.5, "", ""),
    },
)  # fmt: skip


@pytest.mark.parametrize("reset", ["hard", "overshoot"])
def test_a_model_of_ones_own(reset):
    """Rational in its parameters and not linear in u at the reset, with both branches taken."""
    cells = different(8, seed=8, tau_ref=0.5, k1=-7.5, I=-15.0, d=4.0)
    assert agree_with_differences(cells, 60.0, OWN, reset) > 30


def test_a_parameter_that_leads_out_of_the_form_has_no_derivative():
    cells = presets(["2007/RS"], [100.0], iz.Izhikevich2007)
    found = analysis.spike_time_gradients(population(cells, iz.Izhikevich2007), 100.0, 100.0)
    assert np.isnan(found.cubic).all()
    assert found.V_cubic.tolist() == found.b_low.tolist() == [0.0] * len(found.t)


FORMULAS = {  # with their derivatives by x
    "abs": (lambda x, y: y * abs(x), lambda x, y: y * np.sign(x)),
    "sign": (lambda x, y: np.sign(x) * x * y, lambda x, y: np.sign(x) * y),
    "max": (lambda x, y: np.maximum(x, y) ** 3, lambda x, y: np.where(x > y, 3 * x**2, 0.0)),
    "where": (lambda x, y: abs(where(x > y, x / y, y * y)), lambda x, y: np.where(x > y, np.sign(x / y) / y, 0.0)),
    "exp": (lambda x, y: np.exp(x * y) / (1 + np.exp(x * y)), lambda x, y: y / (2 + 2 * np.cosh(x * y))),
    "inf": (lambda x, y: where(x < np.inf, x * y, y), lambda x, y: y),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives_of_equations(name):
    f, slope = FORMULAS[name]
    x, y = np.array([-2.0, -0.5, 0.3, 1.5]), np.array([0.7, -1.0, 0.2, 2.0])
    found = slopes(f, (x, y))
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found[0], slope(x, y), rtol=1e-14)


# --- without differences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("V", "I"), [(-70.0, 60.0), (-40.0, 2.0)])
def test_closed_form(V, I):
    """With u at rest the time from V to V_th is a function F(V, V_th, ...) known in closed form, whose derivatives by
    its ends are 1 / V' there. The derivative by the current is told by complex steps."""
    given = dict(a=0.0, b=0.2, d=0.0, c=V - 3.0, V=V, u=0.0)
    pop = iz.Population(1, scheme="exact", tau_ref=0.5, **given)
    found = analysis.spike_time_gradients(pop, 30.0, I)
    later = np.arange(len(found.t))
    assert later.size > 3

    def rate(x):
        return 0.04 * x * x + 5.0 * x + 140.0 + I

    first, every = passage(V, 30.0, 0.04, 5.0, 140.0 + I), passage(V - 3.0, 30.0, 0.04, 5.0, 140.0 + I)
    np.testing.assert_allclose(found.t, first + later * (every + 0.5), rtol=1e-12)
    np.testing.assert_allclose(found.V, -1 / rate(V), rtol=1e-12)
    np.testing.assert_allclose(found.c, -later / rate(V - 3.0), rtol=1e-12)
    np.testing.assert_allclose(found.V_th, (1 + later) / rate(30.0), rtol=1e-12)
    np.testing.assert_allclose(found.tau_ref, later, rtol=1e-13)
    by_I = by_current(V, I) + later * by_current(V - 3.0, I)
    np.testing.assert_allclose(found.I, by_I, rtol=1e-12)
    np.testing.assert_allclose(found.u[0], -by_I[0], rtol=1e-12)


def by_current(V, I):
    """The derivative of the passage time to 30 mV by I: the integral of -1 / V'^2 by dV, in closed form."""
    k2, k1, k0 = 0.04, 5.0, 140.0 + I
    x, D = 2 * k2 * np.array([V, 30.0]) + k1, 4 * k2 * k0 - k1 * k1
    ends = x / (x * x + D)
    time = passage(V, 30.0, k2, k1, k0)
    return -2 * k2 / D * (2 * (ends[1] - ends[0]) + time)


def weighted(found, cells, powers):
    """Derivatives by a common factor, of which each quantity takes a power."""
    parts = [n * getattr(found, name) * cells[name][found.i] for name, n in powers.items()]
    return np.sum(parts, axis=0), 1e-12 * np.max(np.abs(parts))


def test_units_do_not_matter():
    """A smaller unit of time makes all times longer, and that of u and I changes none."""
    cells = complete(different(12, seed=10), iz.Izhikevich)
    found = analysis.spike_time_gradients(population(cells), 150.0, cells["I"])
    assert len(found.t) > 50
    of_time = dict.fromkeys(["a", "b", "d", "k2", "k1", "k0", "u", "I"], 1) | {"tau_ref": -1}
    total, rounding = weighted(found, cells, of_time)
    np.testing.assert_allclose(total, -found.t, rtol=0, atol=rounding)
    np.testing.assert_allclose(found.k0, found.I, rtol=1e-13)


def test_units_do_not_matter_to_the_cells_of_2007():
    """Nor does it matter where 0 mV is."""
    cells = complete(presets(["2007/RS", "2007/LTS"], [100.0, 300.0], iz.Izhikevich2007), iz.Izhikevich2007)
    cells["u_max"] = np.array([1000.0, 670.0])
    found = analysis.spike_time_gradients(population(cells, iz.Izhikevich2007), 150.0, cells["I"])
    assert len(found.t) > 8
    shifted = found.vr + found.vt + found.vpeak + found.c + found.V
    np.testing.assert_allclose(shifted, 0.0, atol=1e-10)
    of_charge = dict.fromkeys(["C", "k", "b", "d", "u", "I", "u_max"], 1) | {"vpeak_u": -1, "c_u": -1}
    total, rounding = weighted(found, cells, of_charge)
    np.testing.assert_allclose(total, 0.0, atol=rounding)


def test_rows_add_up_to_the_constant_current():
    cells = different(6, seed=11)
    one = analysis.spike_time_gradients(population(cells), 60.0, cells["I"])
    rows = np.broadcast_to(cells["I"], (25, 6))
    many = analysis.spike_time_gradients(population(cells), 60.0, iz.TimedArray(rows, 2.5))
    np.testing.assert_allclose(many.t, one.t, rtol=1e-13)
    np.testing.assert_allclose(many.I.sum(1), one.I, rtol=1e-11)
    np.testing.assert_allclose(many.k1, one.k1, rtol=1e-11)
    for row in range(25):
        assert not many.I[many.t < 2.5 * row, row].any()


def test_another_integrator():
    """Variational equations by DOP853, with the jumps at thresholds and resets written out: d of V, u by V0, u0, I, b,
    c, d and V_th."""
    a, b, c, d, V_th, I = 0.02, 0.2, -55.0, 4.0, 30.0, 12.0
    found = analysis.spike_time_gradients(iz.Population(1, scheme="exact", b=b, c=c, d=d, u=-13.0), 80.0, I)

    def rates(t, y):
        V, u, S = y[0], y[1], y[2:].reshape(2, 7)
        J = np.array([[0.08 * V + 5.0, -1.0], [a * b, -a]])
        forcing = np.zeros((2, 7))
        forcing[0, 2], forcing[1, 3] = 1.0, a * V
        return [0.04 * V * V + 5 * V + 140 - u + I, a * (b * V - u), *(J @ S + forcing).ravel()]

    def crossing(t, y):
        return y[0] - V_th

    crossing.terminal, crossing.direction = True, 1.0
    t, V, u, S = 0.0, -65.0, -13.0, np.eye(2, 7)
    for k in range(len(found.t)):
        run = solve_ivp(rates, (t, 100.0), [V, u, *S.ravel()], "DOP853", rtol=1e-13, atol=1e-13, events=crossing)
        t, y = run.t[-1], run.y[:, -1]
        S, before = y[2:].reshape(2, 7), np.array(rates(t, y)[:2])
        dt = (np.eye(7)[6] - S[0]) / before[0]
        expected = [found.V[k], found.u[k], found.I[k], found.b[k], found.c[k], found.d[k], found.V_th[k]]
        np.testing.assert_allclose(expected, dt, rtol=1e-8, atol=1e-10)
        V, u = c, y[1] + d
        after = np.array(rates(t, np.r_[V, u, y[2:]])[:2])
        S = np.array([np.eye(7)[4], S[1] + before[1] * dt + np.eye(7)[5]]) - np.outer(after, dt)
    assert k > 3


def test_a_spike_that_barely_reaches_the_threshold():
    """The derivative grows as one over the root of the height of the peak above the threshold."""
    start = dict(a=0.5, b=0.26, V=-60.0, u=-17.25)
    pop = iz.Population(1, scheme="exact", **start)
    pop.run(6.0)
    top = -minimize_scalar(lambda t: -pop.state_at(t)[0][0], bounds=(3.0, 5.0), options={"xatol": 1e-9}).fun
    assert -58.0 < top < -57.0
    slopes = []
    for below in (1e-4, 1e-6):
        one = iz.Population(1, scheme="exact", V_th=top - below, c=-70.0, **start)
        slopes.append(analysis.spike_time_gradients(one, 6.0).V_th[0] * math.sqrt(below))
    assert slopes[0] == pytest.approx(slopes[1], rel=0.02)


# --- what a user meets ------------------------------------------------------------------------------------------------


def test_the_population_is_not_touched():
    cells = different(5, seed=12)
    pop = population(cells)
    pop.V[2] = -61.0
    twin, state = copy.deepcopy(pop), pickle.dumps(pop.__getstate__())
    found = analysis.spike_time_gradients(pop, 80.0, cells["I"])
    assert pickle.dumps(pop.__getstate__()) == state
    assert pop.result is None
    assert pop.t == 0.0
    spikes, expected = (one.run(80.0, cells["I"]).spikes for one in (pop, twin))
    np.testing.assert_array_equal(spikes.t, expected.t)
    np.testing.assert_array_equal(found.t, expected.t)
    pop.reset()
    pop.V[2] = -61.0
    again = analysis.spike_time_gradients(pop, 80.0, cells["I"])
    np.testing.assert_array_equal(again.V, found.V)


def test_shapes():
    I = np.linspace(0.0, 15.0, 6).reshape(2, 3)
    pop = iz.Population((2, 3), scheme="exact", a=[[0.02] * 3, [0.1] * 3], V=-60.0)
    flat = iz.Population(6, scheme="exact", a=np.repeat([0.02, 0.1], 3), V=-60.0)
    found, expected = (analysis.spike_time_gradients(p, 60.0, i) for p, i in ((pop, I), (flat, I.ravel())))
    np.testing.assert_array_equal(found.i, expected.i)
    np.testing.assert_array_equal(found.a, expected.a)
    row = analysis.spike_time_gradients(pop, 60.0, iz.TimedArray([I, 2 * I, I], 5.0, hold=False))
    assert row.I.shape == (len(row.t), 3)
    shared = analysis.spike_time_gradients(pop, 60.0, iz.TimedArray([5.0, 9.0], 7.0))
    assert shared.I.shape == (len(shared.t), 2)
    constant = analysis.spike_time_gradients(flat, 60.0, iz.Constant(I.ravel()))
    np.testing.assert_array_equal(constant.I, expected.I)


def test_without_spikes():
    pop = iz.Population(3, scheme="exact")
    found = analysis.spike_time_gradients(pop, 5.0)
    assert found.t.shape == found.i.shape == found.a.shape == found.I.shape == (0,)
    assert analysis.spike_time_gradients(pop, 5.0, iz.TimedArray([0.0, 1.0], 1.0)).I.shape == (0, 2)


def test_many_steps_between_spikes():
    """More than there is room for at first."""
    pop = iz.Population(1, scheme="exact", **iz.presets["RS"])
    rows = np.zeros(3000)
    rows[2500:] = 10.0
    found = analysis.spike_time_gradients(pop, 30.0, iz.TimedArray(rows, 0.01))
    assert len(found.t) == 1
    whole = analysis.spike_time_gradients(pop, 30.0, iz.TimedArray([0.0, 10.0], 25.0))
    np.testing.assert_allclose(found.k2, whole.k2, rtol=1e-10)
    np.testing.assert_allclose([found.I[0, :2500].sum(), found.I[0, 2500:].sum()], whole.I[0], rtol=1e-10)


def scalars_only(u, p):
    return u + p.d if u < p.d else u


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: analysis.spike_time_gradients("RS", 1.0), TypeError, ["pop must be a Population, got 'RS'"]),
        (lambda: analysis.spike_time_gradients(iz.Population(1), 1.0), ValueError, ["scheme 'exact', got 'exp_euler'"]),
        (lambda: analysis.spike_time_gradients(exact(), 0.0), ValueError, ["T must be", "> 0 ms, got 0.0"]),
        (lambda: analysis.spike_time_gradients(exact(), "a"), TypeError, ["spike_time_gradients.T must be"]),
        (lambda: analysis.spike_time_gradients(exact(), 1.0, iz.Sine(1.0, 2.0)), ValueError, ["TimedArray, got Sine("]),
        (lambda: analysis.spike_time_gradients(exact(), 1.0, iz.Noise(1.0)), ValueError, ["a TimedArray, got Noise("]),
        (lambda: analysis.spike_time_gradients(exact(), 1.0, [1.0, 2.0, 3.0]), ValueError, ["spike_time_gradients.I"]),
        (lambda: analysis.spike_time_gradients(exact(), 1.0, np.nan), ValueError, ["I must be finite, got nan"]),
        (lambda: analysis.spike_time_gradients(exact(2.0), 1.0), ValueError, ["at t = 0, got 2 ms. Call its reset()"]),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match="spike_time_gradients") as raised:
        call()
    assert all(word in str(raised.value) for word in words)


def exact(t=0.0):
    pop = iz.Population(2, scheme="exact")
    pop.run(t)
    return pop


def test_equations_without_a_derivative_are_refused():
    model = dataclasses.replace(iz.Izhikevich, name="Mine", u_reset=scalars_only)
    with pytest.raises(ValueError, match=r"Population.model must have equations of.*got Mine \(.*Write them"):
        analysis.spike_time_gradients(iz.Population(1, model, scheme="exact"), 1.0)


def test_a_neuron_that_runs_away():
    with pytest.warns(UserWarning, match="a spike leaves neuron 0 at 40 mV"):
        pop = iz.Population(1, scheme="exact", c=40.0)
    with pytest.raises(RuntimeError, match="runs away"):
        analysis.spike_time_gradients(pop, 100.0, 10.0)
    assert pop.t == 0.0


def test_unknown_names():
    found = analysis.spike_time_gradients(iz.Population(1, scheme="exact"), 50.0, 10.0)
    with pytest.raises(AttributeError, match="SpikeTimeGradients has no 'v_th'. Known: i, t, V, u, a"):
        _ = found.v_th
    assert copy.copy(found).a is found.a
