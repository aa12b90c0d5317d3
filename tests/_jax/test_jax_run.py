"""izhnumba.jax.run: the steps of the recorded program, of the oracle and of Population, in both backends."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cells import different
from oracle import SCHEMES, Book, Oracle, Quadratic, steps_held
from recorded import CALM_NEURONS, CALM_STEPS, EXTRA_HELD, RUNS, judge, parameters, trajectory
from test_jax_gradients import compiled

import izhnumba as iz
import izhnumba.jax as izj

pytestmark = pytest.mark.jax
BACKENDS = ("numba", "xla")
RESETS = ("hard", "soft", "overshoot")
ALL = ("spikes", "V", "u")
DT = 0.1


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def relative_error(value, expected):
    """Relative to the expected value, or to 1 where that is less."""
    return np.abs(value - expected) / np.maximum(np.abs(expected), 1.0)


def assert_same(one, other, backend="numba"):
    """Two pytrees: every bit of a kernel, while XLA may order operations by the shape of arrays."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        if backend == "numba" or x.dtype == jnp.int32:
            np.testing.assert_array_equal(x, y)
        else:
            assert np.max(relative_error(x, y), initial=0) < (1e-9 if x.dtype == np.float64 else 1e-3)


# --- recorded runs --------------------------------------------------------------------------------------------------


def held_before(spikes, n_held):
    """For how many steps neurons are held yet, at the start of each step of a raster."""
    left = np.zeros((len(spikes) + 1, *spikes.shape[1:]), np.int32)
    for k, spiked in enumerate(spikes):
        left[k + 1] = np.where(spiked, n_held, np.maximum(left[k] - 1, 0))
    return left[:-1]


@pytest.mark.parametrize(
    ("name", "backend"),
    [(f"{run}_f64", backend) for run in RUNS for backend in BACKENDS] + [(f"{run}_f32", "numba") for run in RUNS],
)
def test_every_step_from_the_recorded_state(name, backend):
    """All steps at once, each a neuron of its own that starts where the recorded one did."""
    r = trajectory(name)
    n_held = steps_held(r["param_tau_ref"].astype(float), r["dt"])
    before = {x: np.concatenate([np.broadcast_to(r[f"param_{x}0"], r[x][:1].shape), r[x][:-1]]) for x in "Vu"}
    state = izj.State(**before, refractory_steps=held_before(r["spikes"], n_held))
    inputs = {key: r[key] for key in ("delta", "g", "E") if key in r}
    options = dict(n_steps=1, tau_ref=r["param_tau_ref"], backend=backend)
    step = compiled(lambda state, I, inputs: izj.run(parameters(r), state, I, r["dt"], **inputs, **options))
    after, out = step(state, r["I"], inputs)
    np.testing.assert_array_equal(out.spikes[0], r["spikes"])
    assert after.V.dtype == r["V"].dtype
    counted = np.setdiff1d(np.arange(len(r["V"])), EXTRA_HELD.get(name, ()))
    for value, expected in ((after.V, r["V"]), (after.u, r["u"])):
        assert relative_error(value, expected)[counted].max() < (1e-12 if name.endswith("f64") else 3e-5)


@pytest.mark.parametrize("name", RUNS)
def test_free_running_rasters(name):
    r = trajectory(f"{name}_f64")
    n_steps, *shape = r["V"].shape
    state = izj.State(np.broadcast_to(r["param_V0"], shape), np.broadcast_to(r["param_u0"], shape), 0)
    inputs = {key: r.get(key) for key in ("delta", "g", "E")}
    _, out = izj.run(parameters(r), state, r["I"], r["dt"], tau_ref=r["param_tau_ref"], record="spikes", **inputs)
    raster, recorded = (np.reshape(x, (n_steps, -1)) for x in (out.spikes, r["spikes"]))
    calm = CALM_STEPS.get(name, n_steps)
    np.testing.assert_array_equal(raster[:calm], recorded[:calm])
    neurons = CALM_NEURONS.get(name, slice(None))
    np.testing.assert_array_equal(raster[:, neurons], recorded[:, neurons])


# --- the oracle -----------------------------------------------------------------------------------------------------

CELLS = ("RS", "IB", "CH", "LTS", "FS", "TC", "RTN")
HELD = np.array([0.0, 0.1, 0.25, 0.5, 1.1, 0.7, 0.3])  # tau_ref in ms; 1.1 / 0.1 is above 11
FLOORS = np.array([-80.0, -75.0, -62.0, -70.0, -90.0, -66.0, -61.0])
SHAPE, N_STEPS = (60, 7), 14  # states drawn far and wide, of seven cells


def cells_of(model, rng):
    """Parameters of seven cells, the oracle's models for them, the scale of currents and the range of u."""
    if model is iz.Izhikevich2007:
        book = judge("izhikevich2007_book_cells")["params"]
        entries = [dict(iz.presets[f"2007/{cell}"]) for cell in CELLS]
        values = {
            x: np.array([p.get(x, quantity.default) for p in entries]) for x, quantity in model.parameters.items()
        }
        twins = [(slice(j, j + 1), Book(**book[cell], cell=cell)) for j, cell in enumerate(CELLS)]
        return values, twins, 25.0, (-100.0, 650.0)
    values = {
        "a": rng.uniform(0.02, 0.1, 7), "b": rng.uniform(0.15, 0.3, 7), "c": rng.uniform(-65, -45, 7),
        "d": rng.uniform(0, 8, 7), "V_th": rng.uniform(20, 35, 7), "k0": rng.uniform(130, 140, 7),
    }  # fmt: skip
    return values, [(slice(0, 7), Quadratic(**values))], 1.0, (-16.0, 6.0)


def oracle_run(twins, scheme, state, I, delta, g, E, reset, tau_ref, V_min):
    """Spikes, V and u of all steps, and for how many steps neurons are held at the end."""
    tau_ref, V_min, *E = (np.broadcast_to(x, 7) for x in (tau_ref, V_min, *E))
    parts = []
    for cells, model in twins:
        V, u, held = (x[:, cells] for x in state)
        oracle = Oracle(V.shape, model, scheme, DT, V, u, reset=reset, V_min=V_min[cells], tau_ref=tau_ref[cells])
        oracle.left = held
        steps = []
        for k in range(N_STEPS):
            oracle.step(I[k][:, cells], delta[k][:, cells], [x[k][:, cells] for x in g], [x[cells] for x in E])
            steps.append((oracle.spikes, oracle.V, oracle.u))
        parts.append((*map(np.array, zip(*steps, strict=True)), oracle.left))
    return [np.concatenate(pieces, axis=-1) for pieces in zip(*parts, strict=True)]


# Every scheme with every model and every reset. The last columns: V jumps, conductances, tau_ref, V_min.
MATRIX = [
    (scheme, model, RESETS[(s + m) % 3], bool(s % 2), bool((s + m) % 2), bool(s // 2 % 2), bool(s % 3 == m))
    for s, scheme in enumerate(SCHEMES)
    for m, model in enumerate((iz.Izhikevich, iz.Izhikevich2007))
]
MATRIX += [(scheme, iz.Izhikevich, RESETS[(s + 2) % 3], True, True, True, True) for s, scheme in enumerate(SCHEMES)]
MATRIX += [("midpoint/3", iz.Izhikevich2007, "hard", True, True, True, True)]  # with sub-steps


@pytest.mark.parametrize(
    ("scheme", "model", "reset", "jumps", "conductances", "refractory", "floor"),
    MATRIX,
    ids=lambda x: getattr(x, "name", str(x)),
)
def test_oracle(scheme, model, reset, jumps, conductances, refractory, floor):
    rng = np.random.default_rng(2003)
    params, twins, scale, u_range = cells_of(model, rng)
    held = rng.integers(0, 4, SHAPE) * rng.integers(0, 2, SHAPE) * refractory
    state = izj.State(rng.uniform(-85, 25, SHAPE), rng.uniform(*u_range, SHAPE), held)
    rows = (N_STEPS, *SHAPE)
    I, delta = scale * rng.normal(25, 10, rows), rng.normal(0, 3, rows) * jumps
    g = [scale * rng.uniform(0, 0.3, rows) for _ in range(2 * conductances)]
    E = [0.0, rng.uniform(-90, -70, 7)] if conductances else []
    tau_ref, V_min = HELD * refractory, FLOORS if floor else -np.inf
    with np.errstate(all="ignore"):  # a soft reset may run away
        spikes, V, u, left = oracle_run(twins, scheme, state, I, delta, g, E, reset, tau_ref, V_min)
        calm = np.logical_and.accumulate(np.concatenate([np.ones((1, *SHAPE), bool), np.abs(V[:-1]) < 100]))
    assert np.count_nonzero(spikes[calm]) > 100
    params |= {"V_min": V_min} if floor else {}
    for backend in BACKENDS:
        options = dict(model=model, scheme=scheme, reset=reset, tau_ref=tau_ref, record=ALL, backend=backend)
        inputs = (I, delta if jumps else None, g, E)
        after, out = compiled(
            lambda I, delta, g, E, o=options: izj.run(params, state, I, DT, delta=delta, g=g, E=E, **o)
        )(*inputs)
        np.testing.assert_array_equal(np.asarray(out.spikes)[calm], spikes[calm])
        for value, expected in ((out.V, V), (out.u, u)):
            assert relative_error(np.asarray(value)[calm], expected[calm]).max() < 1e-9
        np.testing.assert_array_equal(np.asarray(after.refractory_steps)[calm[-1]], left[calm[-1]])
        assert_same((after.V, after.u), (out.V[-1], out.u[-1]))


# --- Population -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "cells", "scale"),
    [(scheme, different(5, seed=4), 1.0) for scheme in ("exp_euler", "euler", "izhikevich2003", "rk4", "euler/3")]
    + [("exp_euler", dict(iz.presets["2007/CH"], tau_ref=1.1), 30.0)],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_population(scheme, cells, scale):
    rng = np.random.default_rng(5)
    I, delta, g = scale * rng.normal(20, 10, (800, 5)), rng.normal(0, 1, (800, 5)), scale * rng.uniform(0, 0.1, 5)
    res = iz.Population(5, scheme=scheme, **cells).run(80.0, I, delta=delta, g=g, E=-70.0, record=["V", "u"])
    raster = np.zeros((800, 5))
    raster[res.spikes.step, res.spikes.i] = 1
    assert raster.sum() > 40
    tau_ref, model = cells["tau_ref"], cells.get("model", iz.Izhikevich)
    params, state = izj.init(5, **{name: value for name, value in cells.items() if name != "tau_ref"})
    for backend in BACKENDS:
        _, out = izj.run(
            params, state, I, DT, model=model, scheme=scheme, tau_ref=tau_ref, delta=delta, g=g, E=-70.0, record=ALL,
            backend=backend,
        )  # fmt: skip
        np.testing.assert_array_equal(out.spikes, raster)
        assert relative_error(out.V, res.V).max() < 1e-10
        assert relative_error(out.u, res.u).max() < 1e-10
        if backend == "numba" and not iz.schemes[scheme].fastmath:  # the order of operations is all there is
            np.testing.assert_array_equal(out.V, res.V)


# --- shapes, time and transformations -------------------------------------------------------------------------------

backends = pytest.mark.parametrize("backend", BACKENDS)


def cells(*shape, dtype=None, seed=0):
    """Parameters and states of cells that differ, spiking ones."""
    rng = np.random.default_rng(seed)
    params = {"a": rng.uniform(0.02, 0.1, shape), "c": rng.uniform(-65, -50, shape), "d": rng.uniform(2, 8, shape)}
    params = {name: jnp.asarray(value, dtype) for name, value in params.items()}
    V, u = (jnp.asarray(rng.uniform(*limits, shape), dtype) for limits in ((-70, -50), (-14, -10)))
    return params, izj.State(V, u, jnp.zeros(shape, jnp.int32))


def currents(*shape, seed=1):
    return np.random.default_rng(seed).normal(15, 10, shape)


def run(params, state, I, dt=0.5, **options):
    return izj.run(params, state, I, dt, **{"tau_ref": 2.0, "record": ALL} | options)


@backends
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_shapes(backend, dtype):
    """However they are arranged, neurons do the same."""
    params, state = cells(2, 3, 4, dtype=dtype)
    I = currents(60, 2, 3, 4)
    after, out = run(params, state, I, backend=backend)
    assert out.spikes.sum() > 12
    assert {x.dtype.name for x in (*out, after.V, after.u)} == {dtype}
    assert after.refractory_steps.dtype == jnp.int32
    assert out.V.shape == out.u.shape == out.spikes.shape == (60, 2, 3, 4)
    flat = run(*jax.tree.map(lambda x: x.reshape(24), (params, state)), I.reshape(60, 24), backend=backend)
    assert_same(jax.tree.map(lambda x: x.reshape(*x.shape[:-1], 2, 3, 4), flat), (after, out), backend)
    alone = run(*jax.tree.map(lambda x: x[1, 2, 3], (params, state)), I[:, 1, 2, 3], backend=backend)
    assert_same(alone, jax.tree.map(lambda x: x[..., 1, 2, 3], (after, out)), backend)


@backends
def test_inputs_that_broadcast(backend):
    params, state = cells(3, 4)
    for I in (12.0, 12, [8.0, 10.0, 12.0, 14.0], np.array([[8], [10], [12]])):
        expected = run(params, state, I * np.ones((50, 3, 4)), backend=backend)
        assert_same(run(params, state, I, n_steps=50, backend=backend), expected, backend)
        assert_same(run(params, state, np.asarray(I) * np.ones((50, 1, 1)), backend=backend), expected, backend)


@backends
def test_conductances_add_up(backend):
    params, state = cells(4)
    rng = np.random.default_rng(3)
    g = [rng.uniform(0, 0.2, (60, 4)), 0.1, rng.uniform(0, 0.1, 4)]
    E = [0.0, np.full(4, -80.0), np.linspace(-90, 0, 240).reshape(60, 4)]
    total = g[0] + g[1] + g[2]
    drawn = sum(x * y for x, y in zip(g, E, strict=True))
    one, other = (run(params, state, 12.0, g=g, E=E, backend=backend) for g, E in ((g, E), (total, drawn / total)))
    assert relative_error(one[1].V, other[1].V).max() < 1e-10
    np.testing.assert_array_equal(one[1].spikes, other[1].spikes)


@backends
@pytest.mark.parametrize("I", [12.0, np.zeros((0, 3))], ids=["constant", "rows"])
def test_no_step(backend, I):
    params, state = cells(3)
    state = state._replace(refractory_steps=jnp.arange(3, dtype=jnp.int32))
    after, out = run(params, state, I, n_steps=0, backend=backend)
    assert_same(after, state)
    assert [x.shape for x in out] == [(0, 3)] * 3
    slope = jax.grad(lambda V: run(params, state._replace(V=V), I, n_steps=0, backend=backend)[0].V.sum())(state.V)
    assert slope.tolist() == [1.0] * 3


@backends
def test_a_run_in_parts_is_the_run(backend):
    params, state = cells(5)
    I, tau_ref = currents(301, 5), np.array([0.0, 1.0, 3.0, 5.5, 20.0])
    end, whole = run(params, state, I, tau_ref=tau_ref, backend=backend)
    parts, held = [], []
    for start, stop in ((0, 97), (97, 98), (98, 98), (98, 301)):
        held.append(np.max(state.refractory_steps))
        state, out = run(params, state, I[start:stop], tau_ref=tau_ref, backend=backend)
        parts.append(out)
    assert max(held) > 1
    assert_same((state, izj.Outputs(*map(jnp.concatenate, zip(*parts, strict=True)))), (end, whole), backend)


@backends
def test_steps_in_a_scan_are_the_run(backend):
    """A loop of the user's own around single steps, with the state as its carry."""
    params, state = cells(5)
    I = currents(80, 5)
    expected = run(params, state, I, backend=backend)
    end, out = jax.lax.scan(lambda now, I: run(params, now, I, n_steps=1, backend=backend), state, I)
    assert_same((end, jax.tree.map(lambda x: x[:, 0], out)), expected, backend)


@backends
def test_record(backend):
    params, state = cells(3)
    end, everything = run(params, state, 15.0, n_steps=60, backend=backend)
    for record in ("spikes", (), ["u", "V", "u"], {"u", "spikes"}):
        chosen = {record} if isinstance(record, str) else set(record)
        after, out = run(params, state, 15.0, n_steps=60, record=record, backend=backend)
        assert_same(after, end, backend)
        assert_same(out, izj.Outputs(**{name: getattr(everything, name) for name in chosen}), backend)
    _, default = izj.run(params, state, 15.0, 0.5, n_steps=60, tau_ref=2.0, backend=backend)
    assert_same(default, everything._replace(u=None), backend)


def test_the_backends_agree_in_float32():
    params, state = cells(33, dtype="float32")
    (_, one), (_, other) = (run(params, state, currents(40, 33), backend=backend) for backend in BACKENDS)
    np.testing.assert_array_equal(one.spikes, other.spikes)
    assert relative_error(one.V, other.V).max() < 1e-3
    assert one.spikes.sum() > 40


@backends
def test_jit_and_vmap(backend):
    params, state = cells(4, 3, seed=2)
    I = currents(2, 40, 3)

    def f(params, state, I):
        return run(params, state, I, backend=backend)

    one = compiled(f)
    four = [jax.tree.map(lambda x, j=j: x[j], (params, state)) for j in range(4)]
    expected = jax.tree.map(lambda *x: jnp.stack(x), *(one(*cell, row) for row in I for cell in four))
    assert expected[1].spikes.sum() > 24
    nested = compiled(jax.vmap(jax.vmap(f, (0, 0, None)), (None, None, 0)))(params, state, I)
    assert_same(jax.tree.map(lambda x: x.reshape(8, *x.shape[2:]), nested), expected, backend)
    over_I = compiled(jax.vmap(f, (None, None, 0)))(*four[0], I)
    assert_same(over_I, jax.tree.map(lambda x: x[::4], expected), backend)
    over_a = compiled(jax.vmap(lambda a: f({"a": a}, four[0][1], I[0])))(jnp.array([0.02, 0.1]))
    alone = compiled(lambda a: f({"a": a}, four[0][1], I[0]))(0.1)
    assert_same(jax.tree.map(lambda x: x[1], over_a), alone, backend)


def test_init():
    params, state = izj.init((2, 3), batch=4, V=np.linspace(-70, -50, 3), u="nullcline", b=np.array([[0.2], [0.25]]))
    assert list(params) == list(iz.Izhikevich.parameters)
    assert (state.V.shape, state.u.shape, state.refractory_steps.shape) == ((4, 2, 3),) * 3
    np.testing.assert_allclose(state.u[1], np.array([[0.2], [0.25]]) * np.linspace(-70, -50, 3))
    assert {x.dtype.name for x in jax.tree.leaves((params, state))} == {"float64", "int32"}
    assert {x.dtype.name for x in jax.tree.leaves(izj.init(3, dtype=np.float32, V_min=-80))} == {"float32", "int32"}
    with jax.enable_x64(False):
        assert izj.init(3)[1].V.dtype == jnp.float32
    assert float(izj.init(3, V_min=-80)[0]["V_min"]) == -80


@pytest.mark.parametrize("name", ["RS", "TC", "2004/R", "2007/LTS", "2007/TC"])
def test_init_of_presets_is_that_of_a_population(name):
    preset = iz.presets[name]
    params, state = izj.init(3, **preset)
    pop = iz.Population(3, **preset)
    for key in preset["model"].parameters if "model" in preset else iz.Izhikevich.parameters:
        np.testing.assert_array_equal(np.broadcast_to(params[key], 3), getattr(pop, key))
    np.testing.assert_array_equal(state.V, pop.V)
    np.testing.assert_array_equal(state.u, pop.u)
    pulls = run(params, state, 0.0, model=preset.get("model", iz.Izhikevich), n_steps=1, dt=0.1)
    assert np.isfinite(pulls[1].V).all()


def test_numbers_of_python_in_a_surrogate():
    """Without x64 they have no dtype of their own."""
    slope = izj.surrogate(lambda x: 0.01 * (x < -1.5))

    def loss(I, backend):
        return izj.run({}, state, I, 0.1, n_steps=20, surrogate=slope, backend=backend)[1].spikes.sum()

    with jax.enable_x64(False):
        state = izj.init(3)[1]
        one, other = (float(jax.grad(loss)(10.0, backend)) for backend in ("numba", "xla"))
    assert one == pytest.approx(other, rel=1e-5)
    assert one != 0.0
