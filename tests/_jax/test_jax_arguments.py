"""Arguments of izhnumba.jax.run and init: what is wrong is named before anything runs, and units are converted."""

from __future__ import annotations

import dataclasses
import importlib
import re

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from processes import run as run_script
from processes import write

import izhnumba as iz
import izhnumba.jax as izj
from izhnumba.jax import _run

pytestmark = pytest.mark.jax
PARAMS, STATE = izj.init(5, dtype="float32")
NAN = float("nan")


@pytest.fixture
def nothing_runs(monkeypatch):
    def started(*arguments):
        raise AssertionError("it ran")

    monkeypatch.setattr(_run, "_jitted", started)


def run(params=PARAMS, state=STATE, I=10.0, dt=0.1, *, n_steps=3, **options):
    return izj.run(params, state, I, dt, n_steps=n_steps, **options)


def changed(**values):
    return dict(state=STATE._replace(**values))


PLACES = "must broadcast to (5,) (constant) or have shape (3, 5) (a row for each step), got "
BAD = [
    (dict(model="Izhikevich"), TypeError, "run.model must be an izhnumba.Model, got 'Izhikevich'. Use"),
    (dict(state=(1, 2, 3)), TypeError, "run.state must be a State, got tuple. Take that of izhnumba.jax.init"),
    (dict(state=None), TypeError, "run.state must be a State, got NoneType."),
    # dt and n_steps
    (dict(dt=0.0), ValueError, "run.dt must be a finite number > 0 ms, got 0.0."),
    (dict(dt=NAN), ValueError, "run.dt must be a finite number > 0 ms, got nan."),
    (dict(dt=np.ones(3)), ValueError, "run.dt must be a finite number > 0 ms, got an array of shape (3,)"),
    (dict(dt=None), TypeError, "run.dt must be a finite number > 0 ms, got None."),
    (dict(n_steps=None), ValueError, "run.n_steps must be given if no input has a row for each step, got None."),
    (dict(n_steps=-1), ValueError, "run.n_steps must be a whole number >= 0, got -1."),
    (dict(n_steps=1.5), ValueError, "run.n_steps must be a whole number >= 0, got 1.5."),
    (dict(n_steps=True), TypeError, "run.n_steps must be a whole number >= 0, got True."),
    # the state
    (changed(V=np.zeros(5, np.float16)), ValueError, "run.state.V must be float32 or float64, got 'float16'."),
    (changed(V=jnp.zeros(5, "bfloat16")), ValueError, "run.state.V must be float32 or float64, got 'bfloat16'."),
    (changed(V=np.zeros(5)), ValueError, "run.state.V must be float32 as long as jax_enable_x64 is off, got float64. "
     "Call jax.config.update('jax_enable_x64', True) first, or use float32."),
    (changed(V=jnp.zeros(5, complex)), TypeError, "run.state.V must be a number or an array of numbers, got"),
    (changed(V=None), TypeError, "run.state.V must be a number or an array of numbers in mV, got None."),
    (changed(u=np.zeros(4, np.float32)), ValueError, "run.state.u must have the shape of state.V, (5,), got (4,)."),
    (changed(u=np.float32(0)), ValueError, "run.state.u must have the shape of state.V, (5,), got ()."),
    (changed(refractory_steps=np.full(5, 0.5)), ValueError, "run.state.refractory_steps must be "),
    (changed(refractory_steps=jnp.zeros(5)), ValueError, "run.state.refractory_steps must be "),
    (changed(refractory_steps=np.zeros(4, int)), ValueError, "run.state.refractory_steps must be "),
    (changed(refractory_steps=None), (TypeError, ValueError), "run.state.refractory_steps must be "),
    # parameters
    (dict(params=[1]), TypeError, "run.params must be a mapping of names to numbers or arrays, got [1]. Pass a dict"),
    (dict(params={"Vth": 3}), TypeError, "run.params has no parameter 'Vth'. Did you mean 'V_th'? Known: a, b,"),
    (dict(params={"vmin": 3}), TypeError, "run.params has no parameter 'vmin'. Did you mean 'V_min'?"),
    (dict(params={3: 3}), TypeError, "run.params has no parameter 3. Known: a, b,"),
    (dict(params={"C": 3}), TypeError, "run.params has no parameter 'C'."),
    (dict(params={"a": np.zeros(4)}), ValueError,
     "run.params['a'] must broadcast to (5,), the shape of V, got (4,)."),
    (dict(params={"a": np.zeros((3, 5))}), ValueError, "run.params['a'] must broadcast to (5,), the shape of"),
    (dict(params={"a": None}), TypeError, "run.params['a'] must be a number or an array of numbers in 1/ms, got None."),
    (dict(params={"a": "0.02"}), TypeError, "run.params['a'] must be a number or an array of numbers in 1/ms, got"),
    (dict(params={"a": np.float16(0.02)}), TypeError, "run.params['a'] must be float32 or float64, got float16."),
    # inputs
    (dict(I=np.zeros(4)), ValueError, "run.I must broadcast to (5,), the shape of V, got (4,)."),
    (dict(I=np.zeros((3, 4))), ValueError, f"run.I {PLACES}(3, 4)."),
    (dict(I=np.zeros((4, 5))), ValueError, f"run.I {PLACES}(4, 5)."),
    (dict(I=np.zeros((1, 3, 5))), ValueError, f"run.I {PLACES}(1, 3, 5)."),
    (dict(I=np.zeros(5, np.float16)), TypeError, "run.I must be float32 or float64, got float16. Convert it "
     "with .astype('float32')."),
    (dict(I=jnp.zeros(5, "bfloat16")), TypeError, "run.I must be float32 or float64, got bfloat16."),
    (dict(I=np.zeros(5, ml_dtypes.bfloat16)), TypeError, "run.I must be "),
    (dict(I=np.zeros(5, bool)), TypeError, "run.I must be a number or an array of numbers in mV/ms, got an array of"),
    (dict(I=jnp.zeros(5, bool)), TypeError, "run.I must be a number or an array of numbers, got bool."),
    (dict(I=np.zeros(5, complex)), TypeError, "run.I must be a number or an array of numbers in mV/ms, got an array"),
    (dict(I=None), TypeError, "run.I must be a number or an array of numbers in mV/ms, got None."),
    (dict(I=iz.Constant(3.0)), TypeError, "run.I must be a number or an array of numbers in mV/ms, got "
                                          "Constant(value=3.0). Pass rows of its values: input.at(t)"),
    (dict(delta=np.zeros((2, 5))), ValueError, f"run.delta {PLACES}(2, 5)."),
    (dict(g=np.zeros((2, 5)), E=0.0), ValueError, f"run.g {PLACES}(2, 5)."),
    (dict(g=0.1, E=np.zeros(4)), ValueError, "run.E must broadcast to (5,), the shape of V, got (4,)."),
    (dict(g=0.1), ValueError, "run.E must have one value for each g, got 0 for 1."),
    (dict(E=0.0), ValueError, "run.E must have one value for each g, got 1 for 0."),
    (dict(g=[0.1, 0.2], E=[0.0]), ValueError, "run.E must have one value for each g, got 1 for 2."),
    # choices
    (dict(scheme="eulr"), ValueError, "run.scheme must be a known name, got 'eulr'. Did you mean 'euler'? Known:"),
    (dict(scheme=None), TypeError, "run.scheme must be a known name, got None."),
    (dict(scheme="exact"), ValueError,
     "run.scheme must be one that has steps, got 'exact'. Use izhnumba.jax.spike_times."),
    (dict(reset="Hard"), ValueError, "run.reset must be a known name, got 'Hard'. Did you mean 'hard'?"),
    (dict(record="spike"), ValueError, "run.record must be a known name, got 'spike'. Did you mean 'spikes'? Known:"),
    (dict(record=["V", "w"]), ValueError, "run.record must be a known name, got 'w'."),
    (dict(record=None), TypeError, "run.record must be "),
    (dict(record=3), TypeError, "run.record must be "),
    (dict(backend="Numba"), ValueError, "run.backend must be a known name, got 'Numba'. Did you mean 'numba'?"),
    (dict(surrogate="SoftSgn"), ValueError, "run.surrogate must be a known name, got 'SoftSgn'. Did you mean"),
    (dict(surrogate=izj.SoftSign), TypeError, "run.surrogate must be a surrogate spike function or the name of one, "
     "got <class"),
    (dict(surrogate=3), TypeError, "run.surrogate must be a surrogate spike function or the name of one, got 3."),
    (dict(checkpoint=0), ValueError, "run.checkpoint must be a whole number >= 1, got 0."),
    (dict(checkpoint="all"), TypeError, "run.checkpoint must be a whole number >= 1, got 'all'."),
    # tau_ref
    (dict(tau_ref=-1.0), ValueError, "run.tau_ref must be >= 0 ms and less than 1.07374e+08 ms, got -1."),
    (dict(tau_ref=NAN), ValueError, "run.tau_ref must be >= 0 ms and less than 1.07374e+08 ms, got nan."),
    (dict(tau_ref=float("inf")), ValueError, "run.tau_ref must be >= 0 ms and less than 1.07374e+08 ms, got inf."),
    (dict(tau_ref=[0.0, 1.0, 2.0, 1e12, 0.0]), ValueError,
     "run.tau_ref must be >= 0 ms and less than 1.07374e+08 ms, got 1e+12."),
    (dict(tau_ref=np.ones(4)), ValueError, "run.tau_ref must broadcast to (5,), the shape of V, got (4,)."),
    (dict(tau_ref=None), TypeError, "run.tau_ref must be a number or an array of numbers in ms, got None."),
]  # fmt: skip


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(("arguments", "error", "message"), BAD, ids=lambda x: re.sub(r"\W+", " ", str(x))[:40])
def test_run(arguments, error, message):
    with pytest.raises(error, match="^" + re.escape(message)):
        run(**arguments)


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("arguments", [dict(I=np.zeros((2, 5))), dict(delta=np.ones((2, 5)), I=np.zeros((3, 5)))])
def test_rows_must_be_as_many_as_steps(arguments):
    n_steps = 4 if len(arguments) == 1 else None
    with pytest.raises(
        ValueError, match=r"^run\.I must broadcast to \(5,\) .* have shape \([24], 5\) .* got \([23], 5\)"
    ):
        run(**arguments, n_steps=n_steps)


@pytest.mark.usefixtures("nothing_runs")
def test_what_must_be_known_when_jax_traces():
    for name, message in {
        "tau_ref": r"run\.tau_ref must be known when JAX traces, got a traced value\. Pass a number",
        "dt": r"run\.dt must be known when JAX traces, got a traced value\. Pass a plain number\.",
        "n_steps": r"run\.n_steps must be known when JAX traces, got a traced value\. Pass a plain number\.",
    }.items():
        with pytest.raises(TypeError, match=message):
            jax.jit(lambda x, name=name: run(**{name: x}))(1)


@pytest.mark.usefixtures("nothing_runs")
def test_messages_are_the_same_inside_jit():
    with pytest.raises(ValueError, match=r"^run\.I must broadcast to \(5,\), the shape of V, got \(4,\)"):
        jax.jit(lambda I: run(I=I))(jnp.zeros(4))
    with pytest.raises(TypeError, match=r"^run\.I must be float32 or float64, got float16"):
        jax.jit(lambda I: run(I=I))(jnp.zeros(5, "float16"))
    with pytest.raises(ValueError, match=r"^run\.state\.V must be float32 or float64, got 'bfloat16'"):
        jax.jit(lambda V: run(state=STATE._replace(V=V)))(jnp.zeros(5, "bfloat16"))


@pytest.mark.usefixtures("nothing_runs")
def test_equations_that_jax_cannot_trace():
    def dV(V, u, I, p):
        return p.k2 * V * V + p.k1 * V + (p.k0 if V > p.c else p.k0 + p.a) - u + I

    model = dataclasses.replace(iz.Izhikevich, name="Bent", dV=dV)
    with pytest.raises(TypeError, match=r"^run\.model must have equations that JAX can trace, got dV of Bent "):
        run(model=model)


def test_large_time_steps_are_warned_about():
    with pytest.warns(
        UserWarning, match=r"^run\.dt = 0\.6 ms is too large for the scheme 'exp_euler': .* Use dt <= 0\.5 ms"
    ):
        run(dt=0.6)


def test_the_numba_backend_needs_a_cpu(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.raises(ValueError, match=r"^run\.backend must be 'xla' on a gpu, got 'numba'\. Kernels run on a CPU\."):
        run(backend="numba")
    chosen = []
    monkeypatch.setattr(_run, "_jitted", lambda task, backend, *rest: (chosen.append(backend), ((1, 1, 1), (1, 1)))[1])
    monkeypatch.setattr(_run.Lanes, "restore", lambda self, x: x)
    run()
    monkeypatch.undo()
    monkeypatch.setattr(_run, "_jitted", lambda task, backend, *rest: (chosen.append(backend), ((1, 1, 1), (1, 1)))[1])
    monkeypatch.setattr(_run.Lanes, "restore", lambda self, x: x)
    run()
    assert chosen == ["xla", "numba"]


INIT = [
    (dict(size=0), ValueError, "init.size must be a whole number >= 1, got 0."),
    (dict(size=()), ValueError, "init.size must be a whole number >= 1 or a tuple of 1 to 32 of them, got ()."),
    (dict(size="3"), TypeError, "init.size must be a whole number >= 1, got '3'."),
    (dict(batch=0), ValueError, "init.batch must be a whole number >= 1, got 0."),
    (dict(model="RS"), TypeError, "init.model must be an izhnumba.Model, got 'RS'. Use izhnumba.Izhikevich."),
    (dict(dtype="float16"), ValueError, "init.dtype must be float32 or float64, got 'float16'."),
    (dict(dtype=jnp.bfloat16), ValueError, "init.dtype must be float32 or float64, got 'bfloat16'."),
    (dict(dtype="float64"), ValueError, "init.dtype must be float32 as long as jax_enable_x64 is off, got float64."),
    (dict(Vth=30.0), TypeError, "init has no parameter 'Vth'. Did you mean 'V_th'? Known: a, b, c, d, V_th, k2, k1,"),
    (dict(tau_ref=2.0), TypeError, "init has no parameter 'tau_ref'."),
    (dict(a=np.zeros(4)), ValueError, "init.a must broadcast to (3,), "),
    (dict(a=None), TypeError, "init.a must be a number or an array of numbers in 1/ms, got None."),
    (dict(V=np.zeros(4)), ValueError, "init.V must broadcast to (3,), "),
    (dict(V=np.float16(-65)), TypeError, "init.V must be float32 or float64, got float16."),
    (dict(V="nullcline"), TypeError, "init.V must be a number or an array of numbers in mV, got 'nullcline'."),
    (dict(u="nul"), TypeError, "init.u must be a number or an array of numbers in mV/ms, got 'nul'."),
    (dict(u=lambda rng, size: 0), TypeError, "init.u must be a number or an array of numbers in mV/ms, got <function"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), INIT, ids=lambda x: re.sub(r"\W+", " ", str(x))[:40])
def test_init(arguments, error, message):
    with pytest.raises(error, match="^" + re.escape(message)):
        izj.init(**{"size": 3} | arguments)


def test_importing_the_package_imports_no_jax(tmp_path):
    lines = "import json, sys, izhnumba, izhnumba.analysis", "print(json.dumps('jax' in sys.modules))"
    assert run_script(write(tmp_path / "script.py", *lines), cache=tmp_path) is False


# --- units ----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["saiunit", "brainunit", "pint", "astropy.units", "quantities"])
def units(request):
    """The namespace of units of one package: units.mV, units.ms, ..."""
    module = pytest.importorskip(request.param)
    return module.UnitRegistry() if request.param == "pint" else importlib.import_module(request.param)


@pytest.mark.units
def test_quantities_are_converted(units):
    u, per_ms = units, 1 / units.ms
    for number, quantity in [
        (dict(I=10.0), dict(I=10.0 * (u.mV / u.ms))),
        (dict(I=10.0), dict(I=10.0 * (u.volt / u.second))),
        (dict(I=np.linspace(5.0, 15.0, 5)), dict(I=np.linspace(5.0, 15.0, 5) * (u.volt / u.second))),
        (dict(dt=0.1), dict(dt=100 * u.us if hasattr(u, "us") else 1e-4 * u.second)),
        (dict(tau_ref=2.0), dict(tau_ref=0.002 * u.second)),
        (dict(delta=0.5), dict(delta=5e-4 * u.volt)),
        (dict(g=0.1, E=-70.0), dict(g=0.1 * per_ms, E=-0.07 * u.volt)),
        (dict(g=[0.1, 0.2], E=[0.0, -70.0]), dict(g=[0.1 * per_ms, 0.2 * per_ms], E=[0.0 * u.mV, -0.07 * u.volt])),
        (dict(params={"a": 0.02, "V_min": -80.0}), dict(params={"a": 20 / u.second, "V_min": -80.0 * u.mV})),
    ]:
        expected, found = run(**number), run(**quantity)
        for x, y in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-5)
    with jax.enable_x64(True):
        state = izj.State(np.full(5, -60.0) * u.mV, np.full(5, -0.013) * (u.volt / u.ms), STATE.refractory_steps)
        after, _ = run(state=state)
        expected, _ = run(state=izj.State(np.full(5, -60.0), np.full(5, -13.0), STATE.refractory_steps))
        np.testing.assert_allclose(after.V, expected.V, rtol=1e-12)
    params, state = izj.init(3, a=20 / u.second, c=-0.05 * u.volt, V=-0.06 * u.volt, u=-13 * (u.mV / u.ms))
    assert (float(params["a"]), float(params["c"])) == pytest.approx((0.02, -50.0))
    np.testing.assert_allclose((state.V[0], state.u[0]), (-60, -13), rtol=1e-6)


@pytest.mark.units
@pytest.mark.usefixtures("nothing_runs")
def test_units_that_do_not_convert(units):
    u = units
    for arguments, name in [
        (dict(I=10.0 * u.mV), "I"), (dict(dt=0.1 * u.mV), "dt"), (dict(tau_ref=2.0 * u.mV), "tau_ref"),
        (dict(delta=1.0 * u.ms), "delta"), (dict(g=0.1 * u.mV, E=0.0), "g"), (dict(g=0.1, E=0.0 * u.ms), "E"),
        (dict(params={"a": 0.02 * u.mV}), r"params\['a'\]"), (changed(V=np.zeros(5, "float32") * u.ms), r"state\.V"),
        (changed(u=np.zeros(5, "float32") * u.mV), r"state\.u"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=rf"^run\.{name} must be .* Its unit must convert to "):
            run(**arguments)
    with pytest.raises(ValueError, match=r"^init\.c must be .* Its unit must convert to mV"):
        izj.init(3, c=-0.05 * u.ms)


@pytest.mark.units
def test_the_book_model_takes_its_own_units(units):
    u = units
    preset = iz.presets["2007/RS"]
    params, state = izj.init(5, **preset)
    one, other = (
        izj.run(params, state, I, 0.1, n_steps=50, model=iz.Izhikevich2007, g=g, E=-70.0)[1]
        for I, g in ((300.0, 2.0), (0.3 * u.nA, 2e-3 * u.uS))
    )
    np.testing.assert_allclose(one.V, other.V, rtol=1e-5)
    with pytest.raises(ValueError, match=r"^run\.I must be .* convert to pA"):
        izj.run(params, state, 300.0 * u.mV, 0.1, n_steps=50, model=iz.Izhikevich2007)


@pytest.mark.units
@pytest.mark.parametrize("package", ["saiunit", "brainunit"])
def test_quantities_inside_jit_and_grad(package):
    """Those of saiunit hold tracers."""
    u = pytest.importorskip(package)

    def loss(I, V):
        state = STATE._replace(V=V)
        return jnp.sum(run(state=state, I=I, n_steps=20)[1].V)

    I, V = jnp.float32(8.0), STATE.V
    expected = jax.value_and_grad(loss, argnums=(0, 1))(I, V)
    with_units = jax.jit(lambda I, V: loss(I * (u.mV / u.ms), V * u.mV))
    for function in (with_units, jax.jit(lambda I, V: loss(1e-3 * I * (u.volt / u.ms), 1e-3 * V * u.volt))):
        found = jax.value_and_grad(function, argnums=(0, 1))(I, V)
        for x, y in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-4)
    assert jax.jit(loss)(I * (u.mV / u.ms), V * u.mV) == pytest.approx(float(expected[0]), rel=1e-5)
    states = jax.vmap(lambda I: run(I=I)[0].V)(jnp.linspace(0, 10, 3) * (u.mV / u.ms))
    assert states.shape == (3, 5)


def test_sizes_that_do_not_fit_are_refused_before_they_are_made():
    for given, name in (
        ({"size": 2**40}, "size"),
        ({"size": 2**20, "batch": 2**20}, "batch"),
        ({"size": 10**400}, "size"),
    ):
        with pytest.raises(ValueError, match=rf"^init.{name} must (fit in the free memory|be less than 2\*\*63)"):
            izj.init(**given)
    params, state = izj.init(3)
    with pytest.raises(ValueError, match=r"^run.n_steps must fit in the free memory .*, got .* GiB. Record less"):
        izj.run(params, state, 1.0, 0.1, n_steps=2**50)


def test_parameters_keep_the_bounds_of_the_model():
    message = r"must be > 0, got -1.0"
    with pytest.raises(ValueError, match=rf"^init.C {message}"):
        izj.init(3, iz.Izhikevich2007, C=-1.0)
    params, state = izj.init(3, iz.Izhikevich2007)
    for C in (-1.0, np.full(3, -1.0), params["C"] * 0.0 - 1.0):
        with pytest.raises(ValueError, match=rf"^run.params\['C'\] {message}"):
            izj.run({**params, "C": C}, state, 1.0, 0.1, n_steps=2, model=iz.Izhikevich2007)
    assert jax.eval_shape(
        lambda C: izj.run({**params, "C": C}, state, 1.0, 0.1, n_steps=2, model=iz.Izhikevich2007)[1].V, 1.0
    ).shape == (2, 3)
