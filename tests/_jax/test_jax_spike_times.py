"""Spike times as a function of JAX: the same numbers and derivatives as those of the exact engine itself."""

from __future__ import annotations

import re
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_cells import different

import izhnumba as iz
import izhnumba.jax as izj
from izhnumba import analysis
from izhnumba.jax._spike_times import spike_times

pytestmark = pytest.mark.jax
T, N, S = 60.0, 5, 20  # ms, neurons, and more spikes than they have
NAMES = ("a", "b", "c", "d")


class Start(NamedTuple):
    V: object
    u: object


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def cells(n=N, seed=0):
    found = different(n, seed, tau_ref=0.0)
    return {name: found[name] for name in NAMES}, Start(found["V"], found["u"]), found["I"]


def reference(params, start, I, T=T, model=iz.Izhikevich, **options):
    """Times, and derivatives by V, u, each of params and I, (neurons, spikes, ...), with 0 behind the last spike."""
    n = len(start.V)
    pop = iz.Population(n, model, scheme="exact", V=start.V, u=start.u, **params, **options)
    found = analysis.spike_time_gradients(pop, T, I)
    order = np.lexsort((found.t, found.i))
    i = found.i[order]
    nth = np.arange(len(i)) - np.searchsorted(i, i)
    times = np.full((n, S), np.inf)
    times[i, nth] = found.t[order]
    slopes = {}
    for name in ("V", "u", *params, "I"):
        values = getattr(found, name)[order]
        slopes[name] = np.zeros((n, S, *values.shape[1:]))
        slopes[name][i, nth] = values
    return times, slopes


def weighted(weights, slopes):
    return np.einsum("ns,ns...->n...", weights, slopes)


def agree(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max(initial=1e-300))


def pull(weights, **options):
    """The derivative of a weighted sum of the spike times."""

    def total(params, start, I):
        t = spike_times(params, start, I, T, n_spikes=S, **options)
        return jnp.sum(weights * jnp.where(jnp.isfinite(t), t, 0.0))

    return jax.grad(total, argnums=(0, 1, 2))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("options", [{}, {"tau_ref": 1.5, "reset": "overshoot"}])
def test_times_and_gradients(compiled, options):
    params, start, I = cells()
    times, slopes = reference(params, start, I, **options)
    assert np.isfinite(times).sum() > 10
    wrap = jax.jit if compiled else lambda f: f
    found = wrap(lambda *x: spike_times(*x, T, n_spikes=S, **options))(params, start, I)
    assert found.dtype == jnp.float64
    np.testing.assert_array_equal(found, times)
    weights = np.random.default_rng(1).normal(size=(N, S))
    by_params, by_start, by_I = wrap(pull(weights, **options))(params, start, I)
    for name in NAMES:
        agree(by_params[name], weighted(weights, slopes[name]))
    agree(by_start.V, weighted(weights, slopes["V"]))
    agree(by_start.u, weighted(weights, slopes["u"]))
    agree(by_I, weighted(weights, slopes["I"]))


def test_rows_of_input():
    params, start, _ = cells()
    rows = np.random.default_rng(2).uniform(0.0, 15.0, (12, N))
    times, slopes = reference(params, start, iz.TimedArray(rows, 5.0))
    found = spike_times(params, start, rows, T, n_spikes=S, dt=5.0)
    np.testing.assert_array_equal(found, times)
    weights = np.random.default_rng(3).normal(size=(N, S))
    agree(pull(weights, dt=5.0)(params, start, rows)[2].T, weighted(weights, slopes["I"]))
    shared = pull(weights, dt=5.0)(params, start, rows[:, :1])[2]
    assert shared.shape == (12, 1)
    one = spike_times(params, start, rows[:1], T, n_spikes=S, dt=5.0)
    np.testing.assert_array_equal(one, spike_times(params, start, rows[0], T, n_spikes=S))


def test_jacobian():
    """Backwards for all spikes at a time, by one call."""
    params, start, I = cells()
    _, slopes = reference(params, start, I)
    by_I, by_d = (
        jax.jacrev(lambda x, name=name: spike_times(
            {**params, "d": x} if name == "d" else params, start, x if name == "I" else I, T, n_spikes=S))(value)
        for name, value in (("I", I), ("d", params["d"]))
    )  # fmt: skip
    for found, name in ((by_I, "I"), (by_d, "d")):
        assert found.shape == (N, S, N)
        agree(np.einsum("nsn->ns", found), slopes[name])
        assert np.count_nonzero(found) == np.count_nonzero(slopes[name])


@pytest.mark.parametrize("compiled", [False, True])
def test_vmap(compiled):
    params, start, I = cells()
    wrap = jax.jit if compiled else lambda f: f
    currents, ds = jnp.stack([I, I + 1.0, I + 2.0]), jnp.array([4.0, 6.0])

    def last(d, I):
        return jnp.where(jnp.isfinite(t := spike_times({**params, "d": d}, start, I, T, n_spikes=S)), t, 0.0).sum()

    both = jax.vmap(jax.vmap(jax.value_and_grad(last, argnums=(0, 1)), (None, 0)), (0, None))
    values, (by_d, by_I) = wrap(both)(ds, currents)
    assert (values.shape, by_d.shape, by_I.shape) == ((2, 3), (2, 3), (2, 3, N))
    for i, j in np.ndindex(2, 3):
        value, (one_d, one_I) = jax.value_and_grad(last, argnums=(0, 1))(ds[i], currents[j])
        agree(values[i, j], value)
        agree(by_d[i, j], one_d)
        agree(by_I[i, j], one_I)


def test_shapes_broadcast():
    start = Start(jnp.full((2, 1), -60.0), -13.0)
    I, d = jnp.array([5.0, 10.0, 15.0]), jnp.array(4.0)
    found = spike_times({"d": d}, start, I, T, n_spikes=3)
    assert found.shape == (2, 3, 3)
    assert spike_times({}, Start(-60.0, -13.0), 10.0, T, n_spikes=3).shape == (3,)
    by_V, by_d, by_I = jax.grad(lambda V, d, I: spike_times({"d": d}, Start(V, -13.0), I, T, n_spikes=2)[..., 0].sum(),
                                argnums=(0, 1, 2))(start.V, d, I)  # fmt: skip
    assert (by_V.shape, by_d.shape, by_I.shape) == ((2, 1), (), (3,))
    alone = jax.grad(lambda I: 2 * spike_times({"d": d}, Start(-60.0, -13.0), I, T, n_spikes=1)[0])(10.0)
    agree(by_I[1], alone)
    rows = spike_times({}, start, jnp.ones((4, 3)) * I, T, n_spikes=3, dt=100.0)
    np.testing.assert_array_equal(rows, spike_times({}, start, I, T, n_spikes=3))
    assert spike_times({}, start, np.float32([10.0, 12.0, 14.0]), T, n_spikes=1).dtype == jnp.float64


def test_fewer_spikes_than_there_are():
    params, start, I = cells()
    times, slopes = reference(params, start, I)
    found, back = jax.vjp(lambda I: spike_times(params, start, I, T, n_spikes=2), I)
    np.testing.assert_array_equal(found, times[:, :2])
    agree(back(jnp.ones((N, 2)))[0], slopes["I"][:, :2].sum(1))


@pytest.mark.parametrize("weight", [1.0, np.inf, np.nan])
def test_spikes_that_are_missing_have_no_derivative(weight):
    params, start, I = cells()
    times, slopes = reference(params, start, I)
    found, back = jax.vjp(lambda I: spike_times(params, start, I, T, n_spikes=S), I)
    weights = np.where(np.isfinite(times), 1.0, weight)
    agree(back(jnp.asarray(weights))[0], slopes["I"].sum(1))
    assert not jax.grad(lambda I: spike_times({}, Start(-70.0, -14.0), I, T, n_spikes=2)[1])(0.0)


def test_another_model():
    cell = {name: value for name, value in iz.presets["2007/LTS"].items() if name not in ("model", "V", "u")}
    options = {"model": iz.Izhikevich2007, "T": 200.0}
    params = {name: np.array([value]) for name, value in cell.items()}
    times, slopes = reference(params, Start(np.array([-56.0]), np.array([0.0])), 300.0, **options)

    def total(params):
        t = spike_times(params, Start(-56.0, 0.0), 300.0, 200.0, n_spikes=S, model=iz.Izhikevich2007)
        return jnp.where(jnp.isfinite(t), t, 0.0).sum()

    found = jax.grad(total)(cell)
    assert np.isfinite(times).sum() > 3
    for name in set(cell) - {"cubic"}:
        agree(found[name], slopes[name].sum())


def test_descent_finds_a_parameter():
    """Fit a, d and I to four spike times."""
    start = Start(-70.0, -14.0)
    goal = spike_times({"a": 0.03, "d": 6.0}, start, 11.0, 200.0, n_spikes=4)

    def times(x):
        return spike_times({"a": x[0], "d": x[1]}, start, x[2], 200.0, n_spikes=4)

    x = jnp.array([0.027, 6.5, 10.6])
    for _ in range(8):
        x -= jnp.linalg.lstsq(jax.jacrev(times)(x), times(x) - goal)[0]
    np.testing.assert_allclose(x, [0.03, 6.0, 11.0], rtol=1e-9)


# --- errors -----------------------------------------------------------------------------------------------------------

ONE = Start(-65.0, -13.0)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (({"aa": 1.0}, ONE, 1.0, T), {}, TypeError, "spike_times.params has no parameter 'aa'. Did you mean 'a'?"),
        ((3.0, ONE, 1.0, T), {}, TypeError, "spike_times.params must be a mapping of names to numbers or"),
        (
            ({}, ONE, iz.TimedArray([1.0], 1.0), T),
            {},
            TypeError,
            "spike_times.I must be a number or an array of numbers in",
        ),
        (({}, ONE, 1.0, -1.0), {}, ValueError, "spike_times.T must be a finite number > 0 ms, got -1.0"),
        (({}, ONE, 1.0, T), {"n_spikes": 0}, ValueError, "spike_times.n_spikes must be a whole number >= 1, got 0"),
        (({}, ONE, 1.0, T), {"reset": "softly"}, ValueError, "spike_times.reset must be a known name, got 'softly'"),
        (({}, ONE, 1.0, T), {"tau_ref": -1.0}, ValueError, "spike_times.tau_ref must be a finite number >= 0 ms"),
        (({}, ONE, 1.0, T), {"model": "RS"}, TypeError, "spike_times.model must be an izhnumba.Model, got 'RS'"),
        (({}, ONE, 1.0, T), {"dt": 1.0}, ValueError, "spike_times.I must have shape (rows, ...) with dt, got ()"),
        (({}, ONE, np.ones((0, 3)), T), {"dt": 1.0}, ValueError, "must have shape (rows, ...) with dt, got (0, 3)"),
        (({"a": np.ones(2)}, ONE, np.ones(3), T), {}, ValueError, "of shapes that broadcast, got (3,), (), (2,)."),
        (({"k2": -1.0}, ONE, 1.0, T), {}, ValueError, "spike_times.k2 must make dV rise with V^2"),
        (({"c": 40.0}, ONE, 10.0, T), {}, RuntimeError, "neuron 0 runs away"),
    ],
)
@pytest.mark.filterwarnings("ignore:Population. a spike leaves neuron 0 at 40 mV")
def test_errors(arguments, options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        spike_times(*arguments, **{"n_spikes": 2, **options})


@pytest.mark.parametrize(("name", "guilty"), [("FS", "cubic"), ("TC", "V_b and b_low"), ("RTN", "V_b")])
def test_cells_that_the_exact_engine_does_not_take_are_refused_at_once(name, guilty):
    preset = dict(iz.presets[f"2007/{name}"])
    model = preset.pop("model")
    params, state = izj.init(1, model, **preset)

    def first(params, I):
        return spike_times(params, state, I, T, n_spikes=1, model=model)[0, 0]

    must = "spike_times.model must have V' quadratic in V, and u' and the threshold linear in V and u, with the scheme"
    words = f"^{re.escape(must)} 'exact', got that with {guilty} set. Use izhnumba.jax.run."
    for call in (
        lambda: first(params, 100.0),
        lambda: jax.grad(first, argnums=(0, 1))(params, 100.0),
        lambda: jax.jacrev(first)(params, 100.0),
        lambda: jax.jit(lambda I: first(params, I))(100.0),
        lambda: jax.jit(lambda k: first({**params, "k": k}, 100.0))(params["k"]),
        lambda: jax.vmap(lambda I: first(params, I))(jnp.array([90.0, 100.0])),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(jax.errors.JaxRuntimeError, match=f"got that with {guilty} set"):  # nothing is known
        jax.jit(first)(params, 100.0)


@pytest.mark.filterwarnings("ignore:Population. a spike leaves neuron 0 at 40 mV")
def test_what_the_exact_engine_raises_comes_as_it_is():
    def total(c):
        return spike_times({"c": c}, ONE, 10.0, T, n_spikes=2).sum()

    for call in (total, jax.grad(total)):
        with pytest.raises(RuntimeError, match="^neuron 0 runs away at t = ") as caught:
            call(40.0)
        assert type(caught.value) is RuntimeError


def test_there_are_only_first_derivatives_in_reverse_mode():
    def first(I):
        return spike_times({}, ONE, I, T, n_spikes=1)[0]

    once = (jax.grad(jax.grad(first)), jax.jacrev(jax.jit(jax.grad(first))), jax.hessian(first))
    forwards = (jax.jacfwd(first), jax.jit(jax.jacfwd(first)), jax.jacfwd(jax.jit(first)))
    for mode in (*once, *forwards, lambda I: jax.jvp(first, (I,), (1.0,)), lambda I: jax.linearize(first, I)[1](1.0)):
        with pytest.raises(
            TypeError, match=r"^spike_times must be differentiated once, in reverse mode \(grad, vjp, ja"
        ):
            mode(10.0)
    with pytest.raises(TypeError, match="spike_times.T must be known when JAX traces"):
        jax.jit(lambda T: spike_times({}, ONE, 10.0, T, n_spikes=1))(50.0)


def test_double_precision_is_asked_for():
    words = "spike_times must have float64, got jax_enable_x64 = False. Call jax.config.update('jax_enable_x64', True)."
    with jax.enable_x64(False), pytest.raises(ValueError, match=re.escape(words)):
        spike_times({}, ONE, 1.0, T, n_spikes=1)
