"""Gradients of izhnumba.jax.run: those of the recorded program, alike in both backends, and true where spikes stay."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle import SCHEMES
from recorded import trajectory

import izhnumba as iz
import izhnumba.jax as izj

pytestmark = pytest.mark.jax
BACKENDS = ("numba", "xla")
ALL = ("spikes", "V", "u")
SURROGATES = sorted(cls.__name__ for cls in izj.Surrogate.__subclasses__() if cls.__name__ in izj.__all__)
backends = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def compiled(function):
    """Compiled by XLA without its slow passes: most of these functions run once."""
    options = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    return jax.jit(function, compiler_options=options)


def distance(x, y):
    """The largest difference, relative to the largest value."""
    x, y = np.asarray(x), np.asarray(y)
    return np.max(np.abs(x - y), initial=0) / max(np.max(np.abs(y), initial=0), 1e-12)


def assert_near(one, other, tolerance):
    pairs = zip(jax.tree.leaves_with_path(one), jax.tree.leaves(other), strict=True)
    apart = {jax.tree_util.keystr(path): float(distance(x, y)) for (path, x), y in pairs}
    assert not {name: x for name, x in apart.items() if not x <= tolerance}


# --- the recorded program -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "backend", "tolerance"), [("f64", "numba", 1e-8), ("f64", "xla", 1e-8), ("f32", "numba", 1e-2)]
)
@pytest.mark.parametrize("name", ["Izhikevich", "IzhikevichRef"])
def test_recorded_gradients(name, kind, backend, tolerance):
    r = trajectory(f"gradients/grad_{name}_{kind}")
    dtype = r["grad_a"].dtype
    V, u = (np.full(5, r[key], dtype) for key in ("param_V0", "param_u0"))
    tau_ref = r["param_tau_ref"] if name == "IzhikevichRef" else 0.0

    def loss(params, I):
        _, out = izj.run(params, izj.State(V, u, 0), I, r["dt"], tau_ref=tau_ref, backend=backend)
        return jnp.sum(r["ws"] * out.spikes) + jnp.sum(r["wv"] * out.V)

    params = {key: jnp.asarray(r[f"param_{key}"], dtype) for key in ("a", "b", "c", "d", "V_th")}
    value, (by_params, by_I) = jax.value_and_grad(loss, argnums=(0, 1))(params, jnp.asarray(r["I"], dtype))
    assert float(value) == pytest.approx(float(r["loss"]), rel=tolerance)
    assert_near({x: by_params[x] for x in "abcd"} | {"I": by_I}, {x: r[f"grad_{x}"] for x in "abcdI"}, tolerance)
    if kind == "f64":  # each of them, small or large
        np.testing.assert_allclose(by_I, r["grad_I"], rtol=1e-8)


# --- a loss of everything that comes out by everything that goes in -------------------------------------------------

N_STEPS, N = 30, 6
BOOK = ("RS", "IB", "CH", "LTS", "FS", "TC")


def problem(model=iz.Izhikevich, inputs=False, n_steps=N_STEPS, seed=7):
    """A tree of all arguments that have a gradient. Starts are drawn so that neurons spike, with and without `inputs`:
    V jumps, two conductances and a floor that some reach."""
    rng = np.random.default_rng(seed)
    book = model.C is not None
    scale, rows = (25.0 if book else 1.0), (n_steps, N)
    if book:
        presets = [dict(iz.presets[f"2007/{name}"]) for name in BOOK]
        params = {
            x: np.array([p.get(x, quantity.default) for p in presets]) for x, quantity in model.parameters.items()
        }
    else:
        params = {x: np.full(N, quantity.default) for x, quantity in model.parameters.items()}
        params |= {"a": rng.uniform(0.02, 0.1, N), "b": rng.uniform(0.15, 0.3, N)}
        params |= {"c": rng.uniform(-65, -45, N), "d": rng.uniform(1, 8, N)}
    given = {
        "params": params,
        "V": np.array([-30.0, 0.0, 10.0, -28.0, 5.0, -70.0]) if book else rng.uniform(-65, 25, N),
        "u": np.array([-10.0, 0.0, 0.0, 675.0, -20.0, -10.0]) if book else rng.uniform(-10, 0, N),
        "I": scale * rng.normal(25, 10, rows),
    }
    if inputs:
        given["params"] |= {"V_min": np.array([-58.0, -55.0, -50.0, -60.0, -52.0, -90.0])}
        given["delta"] = rng.normal(0, 2, rows)
        given["g"] = [scale * rng.uniform(0, 0.2, rows), np.asarray(0.1 * scale)]
        given["E"] = [np.asarray(0.0), rng.uniform(-90, -70, N)]
    return jax.tree.map(jnp.asarray, given)


def advance(given, backend="numba", dt=0.2, **options):
    given = dict(given)
    state = izj.State(given.pop("V"), given.pop("u"), jnp.zeros(N, jnp.int32))
    options = {"record": ALL, "backend": backend} | options
    return izj.run(given.pop("params"), state, given.pop("I"), dt, **given, **options)


def loss(given, **options):
    """A weighted sum, beside the outputs."""
    after, out = advance(given, **options)
    weights = np.random.default_rng(1).normal(0, 1, (3, *given["I"].shape))
    total = sum(jnp.sum(w * x) for w, x in zip(weights, out, strict=True) if x is not None)
    return total + after.V.sum() + 3 * after.u.sum(), out


def value_and_gradients(given, **options):
    return compiled(jax.value_and_grad(lambda given: loss(given, **options), has_aux=True))(given)


def assert_backends_agree(given, **options):
    """The gradients and the outputs."""
    (values, one), (expected, other) = (value_and_gradients(given, backend=backend, **options) for backend in BACKENDS)
    assert_near(values, expected, 1e-10)
    assert_near(one, other, 1e-9)
    return one, values[1]


IDLE = {"['params']['V_b']"}  # a bound at which another rule begins
CASES = [(iz.Izhikevich, "izhikevich2003")]
CASES += [(iz.Izhikevich2007, scheme) for scheme in ("exp_euler", "euler", "nest_published", "rk4")]


@pytest.mark.parametrize(("model", "scheme"), CASES, ids=lambda x: getattr(x, "name", x))
def test_both_backends(model, scheme):
    given = problem(model, inputs=True)
    gradients, out = assert_backends_agree(given, model=model, scheme=scheme, tau_ref=np.linspace(0, 1.5, N))
    assert out.spikes.sum() > 4
    assert {jax.tree_util.keystr(path) for path, x in jax.tree.leaves_with_path(gradients) if not np.any(x)} <= IDLE
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(gradients))


@pytest.mark.parametrize(
    ("scheme", "reset", "detach"),
    [("exp_euler", "soft", 1), ("exp_euler", "overshoot", 0), ("euler", "soft", 0), ("euler", "overshoot", 1)],
)
def test_resets(scheme, reset, detach):
    options = dict(scheme=scheme, reset=reset, detach_reset=bool(detach), tau_ref=0.9, dt=0.1)
    _, out = assert_backends_agree(problem(seed=3), **options)
    assert out.spikes.sum() > 6


@backends
@pytest.mark.parametrize("V_th", [20.0, -20.0])
@pytest.mark.parametrize("detach", [False, True])
def test_one_spike_by_hand(backend, V_th, detach):
    """A V jump across the threshold: the derivative of the spike reaches u through its reset, and V not at all."""
    surrogate = izj.SoftSign(2.0)

    def step(jump):
        state = izj.State(jnp.float64(-60.0), jnp.float64(-12.0), 0)
        after, out = izj.run(
            {"V_th": V_th, "d": 5.0}, state, 0.0, 0.1, n_steps=1, scheme="euler", delta=jump, surrogate=surrogate,
            detach_reset=detach, backend=backend,
        )  # fmt: skip
        return after.V, after.u, out.spikes[0], out.V[0]

    jump = V_th + 62.0
    assert [float(x) for x in step(jump)] == pytest.approx([-65, -12 + 0.1 * 0.02 * (0.2 * -60 + 12) + 5, 1, -65])
    V_before = jump - 60 + 0.1 * (0.04 * 3600 - 300 + 140 + 12)
    slope = float(surrogate.slope(jnp.float64((V_before - V_th) / abs(V_th)))) / abs(V_th)
    slopes = [float(x) for x in jax.jacrev(step)(jump)]
    assert slopes == pytest.approx([0, 0 if detach else 5 * slope, slope, 0], rel=1e-12)


@pytest.fixture(scope="module")
def by_surrogate():
    """For each backend the gradients under all surrogates, compiled together, which takes a quarter of the time."""
    with jax.enable_x64(True):
        given = problem(n_steps=12)

        def f(chosen, backend, name):
            options = dict(scheme="euler", surrogate=getattr(izj, name)(), record="spikes")
            return loss(given | chosen, backend=backend, **options)[0]

        chosen = {"V": given["V"], "I": given["I"]}
        return [
            compiled(lambda x, b=b: {name: jax.grad(f)(x, b, name) for name in SURROGATES})(chosen) for b in BACKENDS
        ]


@pytest.mark.parametrize("name", SURROGATES)
def test_surrogates(by_surrogate, name):
    one, other = (gradients[name] for gradients in by_surrogate)
    assert_near(one, other, 1e-9)
    assert np.any(one["I"])


def test_all_18_surrogates_differ(by_surrogate):
    assert len({np.asarray(gradients["I"]).tobytes() for gradients in by_surrogate[0].values()}) == 18


def test_float32():
    given = jax.tree.map(lambda x: x.astype("float32"), problem())
    (_, one), (_, other) = (value_and_gradients(given, backend=b, tau_ref=1.0, scheme="euler") for b in BACKENDS)
    assert {x.dtype.name for x in jax.tree.leaves((one, other))} == {"float32"}
    assert_near(one, other, 1e-3)


# --- differences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "scheme"), [*((iz.Izhikevich, s) for s in (*SCHEMES, "heun/3")), (iz.Izhikevich2007, "exp_euler")],
    ids=lambda x: getattr(x, "name", x),
)  # fmt: skip
def test_differences(model, scheme):
    """Where no spike moves to another step, V and u have a derivative across resets, with no help of a surrogate."""
    given = problem(model, inputs=True)
    options = dict(model=model, scheme=scheme, tau_ref=np.linspace(0, 1.5, N), record=("V", "u"), detach_reset=True)
    gradients = value_and_gradients(given, **options)[1]
    value = jax.jit(lambda given: loss(given, **options)[0])
    leaves, tree = jax.tree.flatten(given)
    rng = np.random.default_rng(2)
    for k, (x, gradient) in enumerate(zip(leaves, jax.tree.leaves(gradients), strict=True)):
        direction = rng.normal(0, 1, x.shape) * np.where(np.isfinite(x), np.maximum(np.abs(x), 0.01), 0)
        plus, minus = (value(tree.unflatten([*leaves[:k], x + h * direction, *leaves[k + 1 :]])) for h in (1e-6, -1e-6))
        assert float(jnp.sum(gradient * direction)) == pytest.approx(float(plus - minus) / 2e-6, rel=1e-5, abs=1e-3)


# --- memory ---------------------------------------------------------------------------------------------------------


@backends
def test_checkpoints_give_the_same(backend):
    given, options = problem(), dict(backend=backend, scheme="euler", tau_ref=1.0)
    expected = value_and_gradients(given, **options)
    for checkpoint in (True, 7, N_STEPS) if backend == "numba" else (7,):
        assert_near(value_and_gradients(given, checkpoint=checkpoint, **options), expected, 1e-12)


@backends
def test_checkpoints_need_the_square_root_of_the_memory(backend):
    params, state = izj.init(50, V=-60.0, u=-13.0)

    def memory(n_steps, checkpoint):
        def last_V(I):
            options = dict(n_steps=n_steps, tau_ref=2.0, record=(), checkpoint=checkpoint, scheme="izhikevich2003")
            return izj.run(params, state, I, 0.5, backend=backend, **options)[0].V.sum()

        made = compiled(jax.grad(last_V)).lower(jnp.full(50, 15.0)).compile()
        return made.memory_analysis().temp_size_in_bytes

    (few, many), (few_kept, many_kept) = ([memory(n, kept) for n in (400, 6400)] for kept in (False, True))
    assert many / few == pytest.approx(16, rel=0.1)
    assert many_kept / few_kept < 4.4
    assert few_kept < few / 8


# --- what is differentiated -----------------------------------------------------------------------------------------


def test_some_arguments_and_some_outputs():
    """What is left out does not change the rest; a kernel of its own is made for each choice."""
    given = problem(n_steps=12, inputs=True)

    def slopes(chosen, select):
        return compiled(jax.grad(lambda chosen: select(*advance(given | chosen, tau_ref=0.5))))(chosen)

    def last(after, out):
        return after.V.sum() + jnp.sum(out.u**2)

    everything = slopes(given, last)
    for name in ("params", "u", "g"):
        assert_near(slopes({name: given[name]}, last), {name: everything[name]}, 1e-12)
    assert not np.any(jax.tree.leaves(slopes({"I": given["I"]}, lambda after, out: 1.0)))
    only_d = compiled(jax.grad(lambda d: jnp.sum(advance(given | {"params": {"d": d}})[1].spikes)))
    assert np.any(only_d(given["params"]["d"]))


def test_leaves_without_a_gradient():
    """The integers of a state, and arguments that are None."""
    given = problem(n_steps=12)
    state = izj.State(given["V"], given["u"], jnp.ones(N, jnp.int32))

    def last_V(params, state, delta):
        return izj.run(params, state, given["I"], 0.2, tau_ref=1.0, delta=delta)[0].V.sum()

    slopes = compiled(jax.grad(last_V, argnums=(0, 1, 2), allow_int=True))
    by_params, by_state, by_delta = slopes({"a": 0.02, "b": 1}, state, None)
    assert by_params["a"] != 0
    assert by_state.refractory_steps.dtype == by_params["b"].dtype == jax.dtypes.float0
    assert by_state.V.shape == (N,)
    assert by_delta is None


def test_gradients_of_many():
    """Under vmap, alone and nested, and as a matrix."""
    given = problem(n_steps=10, inputs=True)
    scales = jnp.array([0.5, 1.0, 1.5])

    def f(a, s):
        params = given["params"] | {"a": a * given["params"]["a"]}
        return loss(given | {"params": params, "I": s * given["I"]}, tau_ref=0.5)[0]

    slopes = jax.value_and_grad(f, argnums=(0, 1))
    one = compiled(slopes)
    expected = jax.tree.map(lambda *x: jnp.stack(x).reshape(3, 3), *(one(a, s) for a in scales for s in scales))
    nested = compiled(jax.vmap(jax.vmap(slopes, (None, 0)), (0, None)))(scales, scales)
    assert_near(nested, expected, 1e-11)
    over_I = compiled(jax.vmap(slopes, (None, 0)))(scales[2], scales)
    assert_near(over_I, jax.tree.map(lambda x: x[2], expected), 1e-11)

    def last_V(I):
        return advance(given | {"I": I})[0].V

    matrix = compiled(jax.jacrev(last_V))(given["I"])
    assert_near(matrix[3], compiled(jax.grad(lambda I: last_V(I)[3]))(given["I"]), 1e-12)


def test_forward_mode_and_second_derivatives():
    given = problem(n_steps=10)
    # d = 0: what a spike adds to u moves with the surrogate in a derivative of slopes, but not in their differences.
    given["params"] |= {"d": jnp.zeros(N)}

    def f(s, backend="xla"):
        return loss(given | {"I": s * given["I"]}, backend=backend, scheme="euler")[0]

    slope, second = compiled(jax.grad(f)), float(compiled(jax.hessian(f))(1.0))
    assert float(compiled(lambda s: jax.jvp(f, (s,), (1.0,))[1])(1.0)) == pytest.approx(float(slope(1.0)), rel=1e-10)
    assert float(slope(1 + 1e-5) - slope(1 - 1e-5)) / 2e-5 == pytest.approx(second, rel=1e-4)


def test_a_loop_of_gradient_steps():
    """Training inside of lax.scan."""
    given = problem(n_steps=10)

    def f(s):
        return jnp.mean((advance(given | {"I": s * given["I"]}, record="V")[1].V + 60) ** 2)

    steps = compiled(lambda s: jax.lax.scan(lambda s, _: (s - 1e-4 * jax.grad(f)(s), f(s)), s, length=20))
    _, losses = steps(1.0)
    assert losses[-1] < 0.9 * losses[0]


# --- what users bring -----------------------------------------------------------------------------------------------


@izj.surrogate
def triangle(x):
    return jnp.maximum(1.0 - jnp.abs(x), 0.0)


@jax.custom_jvp
def of_another_package(x):
    return (x >= 0).astype(x.dtype)


@of_another_package.defjvp
def _(primals, tangents):
    return of_another_package(*primals), tangents[0] * jnp.exp(-(primals[0] ** 2))


@izj.surrogate
def with_a_loop(x):
    return jax.lax.fori_loop(0, 5, lambda k, y: 0.5 * y + jnp.exp(-jnp.abs(x)), x)


@jax.custom_vjp
def reverse_only(x):
    return (x >= 0).astype(x.dtype)


reverse_only.defvjp(lambda x: (reverse_only(x), x), lambda x, bar: (bar * jnp.exp(-(x**2)),))


@pytest.mark.parametrize("surrogate", [triangle, of_another_package])
def test_surrogates_of_your_own(surrogate):
    gradients, _ = assert_backends_agree(problem(n_steps=12), scheme="euler", surrogate=surrogate)
    assert np.any(gradients["params"]["V_th"])


@pytest.mark.parametrize(("surrogate", "operation"), [(with_a_loop, "scan"), (reverse_only, "custom_lin")])
def test_surrogates_that_kernels_do_not_know(surrogate, operation):
    """They run, on the other backend."""
    given = problem(n_steps=12)
    one, other = (
        value_and_gradients(given, scheme="euler", surrogate=surrogate, backend=backend) for backend in (None, "xla")
    )
    assert_near(one, other, 0)
    with pytest.raises(
        ValueError, match=rf"^run\.backend must be 'xla' for .* takes {operation}, got 'numba'\. Kernels know"
    ):
        advance(given, scheme="euler", surrogate=surrogate)


def du(V, V_new, u, p):
    return p.b * V


def no_leak(p):
    return p.a - p.a


def quartic(V, u, I, p):
    w = V - p.c
    return p.k2 * w * w * (p.k2 * w) ** 2 - u + I


def quartic_slope(V, dI, p):
    w = V - p.c
    return (p.k2 + p.k2) * w * (p.k2 * w) ** 2 * (p.d / p.d + p.d / p.d) + dI


def threshold(u, p):
    return p.V_th + u


def wavy(V, u, I, p):
    return V % 10.0 + p.k2 * V * V + p.k1 * V + p.k0 - u + I


def wavy_slope(V, dI, p):
    return p.d / p.d + (p.k2 + p.k2) * V + p.k1 + dI


INTEGRATING = dataclasses.replace(iz.Izhikevich, name="Integrating", du=du, u_slope=no_leak)
QUARTIC = dataclasses.replace(iz.Izhikevich, name="Quartic", dV=quartic, dV_slope=quartic_slope, threshold=threshold)
WAVY = dataclasses.replace(iz.Izhikevich, name="Wavy", dV=wavy, dV_slope=wavy_slope)


@pytest.mark.parametrize("model", [INTEGRATING, QUARTIC], ids=lambda model: model.name)
def test_models_of_your_own(model):
    gradients, out = assert_backends_agree(problem(n_steps=12), model=model, dt=0.02)
    assert out.spikes.sum() > 1
    assert np.any(gradients["params"]["b"])


def test_models_that_kernels_do_not_know():
    given = problem(n_steps=12)
    one, other = (value_and_gradients(given, scheme="euler", model=WAVY, backend=backend) for backend in (None, "xla"))
    assert_near(one, other, 0)
    with pytest.raises(ValueError, match=r"^run\.backend must be 'xla' for .* takes rem, got 'numba'\. Kernels know"):
        advance(given, scheme="euler", model=WAVY)
