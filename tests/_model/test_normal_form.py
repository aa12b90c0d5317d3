"""The normal form: equations as polynomials, x(V), y(u) and back, and what has no such form."""

from __future__ import annotations

import dataclasses

import numba
import numpy as np
import pytest

import izhnumba as iz
from izhnumba._model import polynomial as _polynomial
from izhnumba._model.normal_form import normal_form
from izhnumba._model.polynomial import Comparison, Polynomial, polynomial
from izhnumba._numba.where import where

V, u, I = _polynomial.V, _polynomial.U, _polynomial.I


def numbers(model, **some):
    """The named tuple of a model's defaults and these, arrays as the engine passes them."""
    default = {name: quantity.default for name, quantity in model.parameters.items()}
    return model.named_tuple()(**{name: np.asarray(value, float) for name, value in (default | some).items()})


def form_of(model, **some):
    return normal_form(model, numbers(model, **some))


def assert_equal(form, **expected):
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(form, name), value, rtol=1e-13, atol=1e-13, err_msg=name)


# --- the models -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [iz.Izhikevich, iz.IzhikevichRef])
def test_2003(model):
    """y' = a (b V - u) with y = y0 - k2 u and x = k2 V + k1 / 2."""
    form = form_of(model, a=0.03, b=0.25, V_th=28.0, k2=0.05, k1=4.0, k0=110.0)
    y0 = 0.05 * 110.0 - 4.0
    assert_equal(
        form, A=-0.03 * 0.25, B=-0.03, C=0.03 * 0.25 * 2.0 + 0.03 * y0, theta=0.05 * 28 + 2, kappa=0.0,
        p=0.05, half=2.0, y0=y0, gu=-1.0, gI=1.0,
    )  # fmt: skip


def test_accommodation():
    """u' = a b (V - V_b): it has no leak."""
    form = form_of(iz.IzhikevichAccommodation, a=0.02, b=1.0, V_b=-60.0)
    assert_equal(form, A=-0.02, B=0.0, C=0.02 * 2.5 + 0.04 * 0.02 * -60.0, kappa=0.0, y0=0.04 * 140 - 6.25)


def test_2007():
    """C V' = k (V - vr) (V - vt) - u + I, and a threshold that moves with u."""
    form = form_of(iz.Izhikevich2007, vpeak_u=0.1, k=0.8, vr=-58.0, vt=-42.0)
    p, q, r = 0.8 / 100, -0.8 * -100 / 100, 0.8 * 58 * 42 / 100
    y0 = p * r - q * q / 4
    # y = y0 - p u / 100, so V_th = 35 + 0.1 u is 35 - 10 (y - y0) / p
    assert_equal(
        form, p=p, half=q / 2, y0=y0, gu=-0.01, gI=0.01, B=-0.03, A=-0.01 * 0.03 * -2.0,
        C=p * -0.01 * 0.03 * -2.0 * 58.0 + 0.01 * 0.03 * -2.0 * q / 2 + 0.03 * y0,
        kappa=10.0, theta=p * 35 + q / 2 + 10.0 * y0,
    )  # fmt: skip


MODELS = {
    "2003": (iz.Izhikevich, dict(b=[0.2, 0.25, -0.1], k0=140.0)),
    "accommodation": (iz.IzhikevichAccommodation, dict(V_b=[-65.0, -60.0, -70.0])),
    "2007": (iz.Izhikevich2007, dict(C=[50.0, 100.0, 150.0], vpeak_u=[0.0, 0.1, -0.1], b=[-2.0, 5.0, 8.0])),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_is_the_equations_in_other_letters(name):
    """x', y' and the threshold, at random V, u and I; an entry for each neuron."""
    model, some = MODELS[name]
    p, form, rng = numbers(model, **some), form_of(model, **some), np.random.default_rng(1)
    for _ in range(20):
        V, u, I = rng.uniform(-90.0, 40.0, 3), rng.uniform(-20.0, 20.0, 3), rng.uniform(-10.0, 10.0, 3)
        dV, du = model.derivatives(V, u, I, p)
        x, y, z = form.x(V), form.y(u), form.p * form.gI * I
        np.testing.assert_allclose(x * x + y + z, form.p * dV, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(form.A * x + form.B * y + form.C, form.p * form.gu * du, rtol=1e-11, atol=1e-12)
        above = V >= model.threshold(u, p)
        np.testing.assert_array_equal(x + form.kappa * y >= form.theta, above)
        np.testing.assert_allclose((x - form.half) / form.p, V, rtol=1e-12)
        np.testing.assert_allclose((y - form.y0) / (form.p * form.gu), u, rtol=1e-9, atol=1e-9)
        on = form.x(model.threshold(u, p)) + form.kappa * y - form.theta
        np.testing.assert_allclose(on, 0.0, rtol=0, atol=1e-11)


# --- users' models --------------------------------------------------------------------------------------------------


@numba.njit
def square(V, k):
    return k * V**2


def jitted_dV(V, u, I, p):
    return square(V, p.k2) + p.k1 * V - (u - I) + p.k0


def halved_slope(p):
    return -p.a / 2.0


def halved(V, V_new, u, p):
    return (p.b * V_new - u) / 2.0


def same_twice(V, V_new, u, p):
    return where(V > -60.0, p.b * V, p.b * V) - u


def switched(V, V_new, u, p):
    return where(V > -60.0, p.b * V, p.a * V) - u


def moving(u, p):
    return p.V_th - u * 0.5


def with_product(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 - u + I + p.a * V * u


def straight(V, u, I, p):
    return p.k1 * V + p.k0 - u + I


def straight_slope(V, dI, p):
    return p.k1 + dI


def with_nothing_of_u(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p.k0 + I


def quadratic(V, V_new, u, p):
    return p.b * V * V - u


def of_numpy(V, u, I, p):
    return p.k2 * np.square(V) + p.k1 * V + p.k0 - u + I


def mine(**equations):
    return dataclasses.replace(iz.Izhikevich, name="Mine", **equations)


def test_a_users_function_compiled_with_numba():
    reference = form_of(iz.Izhikevich)
    form = form_of(mine(dV=numba.njit(lambda V, u, I, p: p.k2 * V * V + p.k1 * V + p.k0 - u + I)))
    for name, value in reference._asdict().items():
        assert_equal(form, **{name: value})


def test_other_ways_to_write_an_equation():
    assert_equal(form_of(mine(du=halved, u_slope=halved_slope)), A=-0.002, B=-0.01)
    assert_equal(form_of(mine(du=same_twice)), A=-0.004, B=-0.02)
    form = form_of(mine(threshold=moving))
    assert_equal(form, kappa=-0.5 * -1 * -1, theta=0.04 * 30 + 2.5 - 0.5 * form.y0)


@pytest.mark.parametrize(
    ("equations", "which"),
    [
        (dict(dV=with_product), "dV of Mine"),
        (dict(dV=of_numpy), "dV of Mine"),
        (dict(dV=jitted_dV), "dV of Mine"),  # a compiled helper cannot be looked into
        (dict(du=switched), "du of Mine"),
        (dict(du=quadratic), "du of Mine"),
        (dict(threshold=lambda u, p: p.V_th + u * u), "threshold of Mine"),
        (dict(dV=with_nothing_of_u), "dV that depend on u"),
        (dict(dV=straight, dV_slope=straight_slope), "dV that rise with V^2"),
    ],
)
def test_refusals_name_the_equation(equations, which):
    with pytest.raises(ValueError, match=r"Population.model must have") as error:
        iz.Population(1, model=mine(**equations), scheme="exact")
    assert which in str(error.value)


@pytest.mark.parametrize(
    ("model", "some", "words"),
    [
        (iz.Izhikevich2007, dict(V_b=-65.0, b_low=3.0), ["with V_b set"]),
        (iz.Izhikevich2007, dict(V_b=[-np.inf, -65.0]), ["with V_b set"]),
        (iz.Izhikevich2007, dict(cubic=0.1, V_cubic=-55.0), ["with cubic set"]),
        (iz.Izhikevich, dict(k2=[0.04, -0.04]), ["V^2", "neuron 1"]),
        (iz.Izhikevich, dict(k2=0.0), ["V^2", "neuron 0"]),
    ],
)
def test_refusals_name_the_parameters(model, some, words):
    size = max(np.size(value) for value in some.values())
    with pytest.raises(ValueError, match="scheme 'exact'") as error:
        iz.Population(size, model=model, scheme="exact", **some)
    assert all(word in str(error.value) for word in words)


def test_rules_that_parameters_leave_out_do_no_harm():
    """b_low equal to b, and no cubic term: the comparisons cannot be decided and need not be."""
    assert_equal(form_of(iz.Izhikevich2007, V_b=-65.0, b_low=-2.0, V_cubic=-55.0), A=0.01 * 0.03 * 2.0, B=-0.03)
    assert_equal(form_of(iz.Izhikevich2007, V_b=np.inf, b_low=3.0), A=-0.01 * 0.03 * 3.0)


def test_setting_a_parameter_that_has_no_form_is_refused_at_the_next_run():
    pop = iz.Population(2, model=iz.Izhikevich2007, scheme="exact")
    pop.run(1.0)
    pop.cubic = [0.0, 1.0]
    with pytest.raises(ValueError, match="cubic"):
        pop.run(1.0)
    assert pop.t == 1.0
    pop.cubic = 0.0
    pop.run(1.0)
    assert pop.t == 2.0


# --- polynomials ----------------------------------------------------------------------------------------------------


def test_arithmetic():
    """Against numbers: the polynomial of a formula has its value everywhere."""
    formulas = [
        lambda V, u, I: 3.0 * V * V - V / 4.0 + 2.0 - u + I,
        lambda V, u, I: (V - 1.5) * (2.0 + V) * 0.5 - (u - I) * 2.0 + 1.0 - V,
        lambda V, u, I: V**2 * np.array([1.0, 2.0]) + np.array([0.5, -0.5]) - 2.0 * u,
        lambda V, u, I: np.array([1.0, 2.0]) * V**3 - -u + np.float64(2.0) * I - V**1,
    ]
    for formula in formulas:
        found = formula(V, u, I)
        for v, w, i in np.random.default_rng(2).uniform(-2.0, 2.0, (10, 3)):
            total = sum(c * v**a * w**b * i**d for (a, b, d), c in found.terms.items())
            np.testing.assert_allclose(total + np.zeros(2), formula(v, w, i) + np.zeros(2), rtol=1e-13, atol=1e-13)


def test_which_terms():
    found = 2.0 * V * V + 0.0 * V * u + 1.0
    assert found.within((2, 0, 0), (0, 0, 0))
    assert not found.within((2, 0, 0))
    assert (found[2, 0, 0], found[1, 0, 0], found[1, 1, 0]) == (2.0, 0.0, 0.0)
    assert polynomial(found) is found


@pytest.mark.parametrize("operation", [lambda: V**4, lambda: 1.0 / V, lambda: V / V, lambda: V**0.5, lambda: np.exp(V)])
def test_what_is_no_polynomial(operation):
    with pytest.raises(TypeError):
        operation()


def test_comparisons():
    """Decided where V does not count: between numbers, and against infinite bounds."""
    bounds = np.array([-np.inf, np.inf, -60.0])
    above, below = V > bounds, V < bounds
    assert (above.holds.tolist(), above.fails.tolist()) == ([True, False, False], [False, True, False])
    assert (below.holds.tolist(), below.fails.tolist()) == ([False, True, False], [True, False, False])
    for decided in (polynomial(3.0) > 2.0, polynomial(1.0) < 2.0, polynomial([3.0, 3.0]) >= 1.0):
        assert isinstance(decided, Comparison)
        assert np.all(decided.holds)
        assert not np.any(decided.fails)


def test_where():
    bounds, yes, no = np.array([-np.inf, np.inf, -60.0]), np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 3.0])
    found = where(V > bounds, yes * V, no * V)
    assert isinstance(found, Polynomial)
    assert found[1, 0, 0].tolist() == [1.0, 5.0, 3.0]
    assert where(np.array([True, False]), 1.0, 2.0).tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="no polynomial"):
        where(V > bounds, yes * V, [4.0, 5.0, 6.0] * V)
