"""izhnumba.brainpy beside brainpy.state itself: the same scripts, and `run` in place of their loops."""

from __future__ import annotations

import inspect
import re
import runpy
import sys
import unittest
import warnings
from functools import partial
from pathlib import Path

import brainpy
import brainstate
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import izhnumba.brainpy as plug
from izhnumba.brainpy import Izhikevich, IzhikevichRef

pytestmark = pytest.mark.brainpy
NAMES = ("Izhikevich", "IzhikevichRef")
BACKENDS = ("numba", "xla")
RATE, DT = u.mV / u.ms, 0.1 * u.ms
N, N_STEPS = 10, 400
X = np.ones((5, 3)) * RATE


@pytest.fixture(autouse=True)
def environ(request):
    """float64 unless a test asks for float32, a time step, and no warning given yet."""
    plug._warn_of_soft_reset.cache_clear()
    precision = getattr(request, "param", 64)
    with brainstate.environ.context(precision=precision, dt=DT):
        yield precision


both = pytest.mark.parametrize("name", NAMES)


def pair(name, *args, **kwargs):
    """Neurons of brainpy.state and ours, made alike."""
    made = [getattr(module, name)(*args, **kwargs) for module in (brainpy.state, plug)]
    for neurons in made:
        neurons.init_state()
    return made


def by_tau_ref(tau_ref, size=N):
    """The same, of the class with refractoriness unless tau_ref is None."""
    if tau_ref is None:
        return pair("Izhikevich", size)
    tau_ref = np.resize(tau_ref, size) if np.ndim(tau_ref) else tau_ref
    return pair("IzhikevichRef", size, tau_ref=tau_ref * u.ms, ref_var=True)


def drive(shape=(N,), n_steps=N_STEPS, mean=40.0, std=30.0, unit=RATE):
    return jnp.asarray(mean + std * np.random.default_rng(0).standard_normal((n_steps, *shape))) * unit


def states_of(module):
    return {".".join(map(str, path)): state.value for path, state in module.states().items()}


def times(start, stop):
    return brainstate.environ.context(t=jnp.arange(start, stop) * DT)


def stepped(neurons, inputs, delta=None, start=0):
    """Spikes, V and u of a for_loop over the indices of steps, as scripts of brainpy.state have it."""

    def step(i, x, jump):
        with brainstate.environ.context(i=i, t=i * brainstate.environ.get_dt()):
            if delta is not None:
                neurons.add_delta_input("jump", jump)
            return neurons(x), neurons.V.value, neurons.u.value

    rows = inputs, inputs if delta is None else delta
    return brainstate.transform.for_loop(step, start + jnp.arange(len(inputs)), *rows)


def assert_same(one, other, tolerance=0.0):
    """Two pytrees with the same units, and numbers as near as that relative to the largest of their array."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        np.testing.assert_allclose(x, y, rtol=0.0, atol=tolerance * np.max(np.abs(y), initial=0.0))


@both
def test_they_are_the_classes_of_brainpy_state(name):
    ours, theirs = getattr(plug, name), getattr(brainpy.state, name)
    assert issubclass(ours, theirs)
    assert all(getattr(ours, m) is getattr(theirs, m) for m in ("update", "init_state", "reset_state", "get_spike"))
    assert inspect.signature(ours.__init__) == inspect.signature(theirs.__init__)
    assert repr(ours(3)) == repr(theirs(3))
    assert ours.__module__ == "izhnumba.brainpy"


@both
def test_examples_of_the_docstrings(name):
    """Word for word, with another module, and less of it."""
    script = "\n".join(re.findall(r"(?:>>>|\.\.\.) (.*)", getattr(brainpy.state, name).__doc__))
    script = script.replace("time_steps = 100", "time_steps = 5")  # each operation is a call of its own
    assert f"brainpy.state.{name}" in script
    results = []
    for text in (script, script.replace(f"brainpy.state.{name}", f"plug.{name}")):
        brainstate.random.seed(0)
        names = {"plug": plug}
        exec(text, names)
        neurons = next(value for value in names.values() if isinstance(value, getattr(brainpy.state, name)))
        results.append((names["spikes"], states_of(neurons)))
    assert_same(*results)


def test_the_tests_of_brainpy_state():
    """Its own file, with another import."""
    file = Path(inspect.getsourcefile(brainpy.state.Izhikevich.update)).with_name("izhikevich_test.py")
    if not file.exists():
        pytest.skip("this brainpy.state comes without its tests")
    text, n = re.subn("from brainpy.state import", "from izhnumba.brainpy import", file.read_text())
    text, m = re.subn(r"brainstate.environ.set\(dt=0.1 \* u.ms\)", "pass", text)  # for good; the fixture does
    assert (n, m) == (1, 1)
    names, result = {"__name__": "izhikevich_test"}, unittest.TestResult()
    exec(text, names)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(names["TestIzhikevichNeuron"])
    with brainstate.environ.context(precision=32), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        suite.run(result)
    assert result.testsRun >= 10
    assert result.wasSuccessful()
    assert [str(one.message)[:16] for one in caught] == ["spk_reset='soft'"]


@pytest.mark.parametrize("tau_ref", [None, 0.5], ids=NAMES)
def test_a_plain_loop_and_a_jitted_step(tau_ref):
    theirs, ours = by_tau_ref(tau_ref, 3)
    x = jnp.array([5.0, 20.0, 60.0]) * RATE
    for call in (lambda neurons: neurons, brainstate.transform.jit):
        calls = call(theirs), call(ours)
        for k in range(8):
            with brainstate.environ.context(t=k * DT):
                assert_same(*(step(x) for step in calls))
                assert_same(states_of(theirs), states_of(ours))


class Net(brainstate.nn.Module):
    """A population that excites and inhibits itself, by currents and by jumps of V."""

    def __init__(self, cls, n=20):
        super().__init__()
        self.pop = cls(n)
        self.spikes = brainstate.ShortTermState(jnp.zeros(n))
        weights = [braintools.init.Normal(0.0 * unit, 3.0 * unit) for unit in (u.mS, u.mV)]
        by_current, by_jump = (brainstate.nn.Linear(n, n, w_init=w, b_init=None) for w in weights)
        decay, current = brainpy.state.Expon.desc(n, tau=5.0 * u.ms), brainpy.state.CUBA.desc(scale=RATE / u.mS)
        self.currents = brainpy.state.AlignPostProj(comm=by_current, syn=decay, out=current, post=self.pop)
        self.jumps = brainpy.state.DeltaProj(comm=by_jump, post=self.pop)

    def update(self, i, x):
        with brainstate.environ.context(i=i, t=i * brainstate.environ.get_dt()):
            self.currents(self.spikes.value)
            self.jumps(self.spikes.value)
            self.spikes.value = self.pop(x)
            return self.spikes.value


@both
def test_a_network_of_projections(name):
    results = []
    for module in (brainpy.state, plug):
        brainstate.random.seed(0)
        net = Net(getattr(module, name))
        brainstate.nn.init_all_states(net)
        spikes = brainstate.transform.for_loop(net.update, jnp.arange(500), drive((20,), 500))
        results.append((spikes, states_of(net)))
    assert_same(*results)
    assert spikes.sum() > 50
    must = f"^{name}.run must be of neurons without projections and delays, got current_inputs, before_updates. Those"
    with pytest.raises(ValueError, match=must):
        net.pop.run(drive((20,)))


# --- run ------------------------------------------------------------------------------------------------------------

TAU_REFS = {"none": None, "0": 0.0, "0.5": 0.5, "2": 2.0, "5": 5.0, "all": np.linspace(0.0, 4.0, N)}


@pytest.mark.parametrize("environ", [64, 32], indirect=True, ids=["f64", "f32"])
@pytest.mark.parametrize("tau_ref", TAU_REFS.values(), ids=TAU_REFS)
def test_run_is_the_loop(tau_ref, environ):
    """With the refractory periods of brainpy.state, a step longer or shorter as its times are rounded."""
    theirs, ours = by_tau_ref(tau_ref, 100)
    inputs = drive((100,), 2000)
    expected, found = stepped(theirs, inputs), ours.run(inputs, record=("spikes", "V", "u"))
    moved = found[0] != expected[0]
    assert found[0].dtype == f"float{environ}"
    assert expected[0].sum() > 1000
    assert moved.sum() <= (environ == 32) * 1e-5 * moved.size
    for name in {"last_spike_time", "refractory"} & states_of(ours).keys():
        assert_same(*(states_of(neurons)[name][~moved.any(0)] for neurons in (ours, theirs)))
    if environ == 64:
        assert_same(found, expected, 1e-8)
        assert_same(states_of(ours), states_of(theirs), 1e-8)


@pytest.mark.parametrize("environ", [32], indirect=True, ids=["f32"])
def test_times_of_another_making(environ):
    """In float32 k * dt of Python is not always i * dt of JAX: runs take any times from the environment."""
    inputs, rasters = drive((20,), 2000), []
    for t in (np.arange(2000) * 0.1 * u.ms, jnp.arange(2000) * DT):
        theirs, ours = pair("IzhikevichRef", 20, tau_ref=2.0 * u.ms)

        def step(t, x, neurons=theirs):
            with brainstate.environ.context(t=t):
                return neurons(x)

        rasters.append(brainstate.transform.for_loop(step, t, inputs))
        with brainstate.environ.context(t=t):
            assert_same(ours.run(inputs), rasters[-1])
    assert (rasters[0] != rasters[1]).any()


@pytest.mark.parametrize("tau_ref", [None, 2.0], ids=NAMES)
def test_runs_go_on(tau_ref):
    """In pieces, with times of the environment; none, one and many steps; after a reset it all comes again."""
    _, ours = by_tau_ref(tau_ref)
    inputs = drive()
    whole, after = ours.run(inputs), states_of(ours)
    ours.reset_state()
    pieces = []
    for a, b in ((0, 150), (150, 150), (150, 151), (151, N_STEPS)):
        with times(a, b):
            pieces.append(ours.run(inputs[a:b]))
    assert_same(jnp.concatenate(pieces), whole)
    assert_same(states_of(ours), after)


@both
@pytest.mark.parametrize("shape", [(2, 3), (4, 2, 3)], ids=["size", "batch"])
def test_shapes_and_parameters(name, shape):
    """Neurons in two dimensions, and batches of them; parameters, initial values and rows of every shape."""
    normal, uniform = braintools.init.Normal(-60.0 * u.mV, 5.0 * u.mV), braintools.init.Uniform(2.0 * RATE, 8.0 * RATE)
    a, c = jnp.array([0.02, 0.1, 0.03]) / u.ms, -jnp.array([[50.0], [65.0]]) * u.mV
    made = []
    for module in (brainpy.state, plug, plug):
        brainstate.random.seed(1)
        cls = getattr(module, name)
        made.append(cls((2, 3), a, 200.0 / u.second, c, uniform, 0.03 * u.volt, V_initializer=normal))
        made[-1].init_state(*shape[:-2])
    theirs, *ours = made
    assert_same(states_of(theirs), states_of(ours[0]))
    for k, row in enumerate([(3,), ()] if len(shape) == 2 else [shape, (2, 1)]):
        x = drive(row, 100, unit=RATE if row else u.volt / u.second)
        delta = drive((3,), 100, 0.0, 0.5, u.mV) if k % 2 else None
        expected = stepped(theirs, x, delta, start=100 * k)
        for neurons, backend in zip(ours, BACKENDS, strict=True):
            with times(100 * k, 100 * k + 100):
                found = neurons.run(x, delta, record=("u", "spikes"), backend=backend)
            assert_same(found, (expected[2], expected[0]), 1e-7)  # shapes, too


@both
def test_run_under_transformations(name):
    """jit, for_loop over trials and vmap over neurons give what a run on its own gives."""
    _, ours = pair(name, N)
    inputs = drive()
    with brainstate.environ.context(t=0.0 * u.ms):
        expected = ours.run(inputs), states_of(ours)
        ours.reset_state()
        assert_same((brainstate.transform.jit(ours.run)(inputs), states_of(ours)), expected)
    ours.reset_state()

    def trial(t, rows):
        with brainstate.environ.context(t=t):
            return ours.run(rows)

    t = (jnp.arange(N_STEPS) * DT).reshape((4, 100))
    spikes = brainstate.transform.for_loop(trial, t, inputs.reshape((4, 100, N)))
    assert_same((spikes.reshape(N_STEPS, N), states_of(ours)), expected)

    @jax.vmap
    def alone(column):
        neuron = getattr(plug, name)(1)
        neuron.init_state()
        with brainstate.environ.context(t=0.0 * u.ms):
            return neuron.run(column)[:, 0]

    assert_same(alone(inputs.T).T, expected[0])


def test_times_of_spikes():
    _, ours = pair("IzhikevichRef", 2, tau_ref=1.0 * u.ms, ref_var=True)
    assert (ours.last_spike_time.value / u.ms).tolist() == [-1e7, -1e7]
    for start in (0.0, 64.0):
        with brainstate.environ.context(t=start * u.ms):
            spikes = ours.run(jnp.array([[0.0, 40.0]] * 50) * RATE)
        last = int(np.flatnonzero(spikes[:, 1])[-1])
        assert (ours.last_spike_time.value / u.ms).tolist() == [-1e7, start + last * 0.1]
        assert ours.refractory.value.tolist() == [False, 49 - last < 10]
    with pytest.raises(ValueError, match="environ.t must be set where neurons .* after a spike at 66.6 ms. Run"):
        ours.run(X[:, :2])


def test_precision_follows_V():
    _, ours = pair("Izhikevich", N)
    ours.V.value = ours.V.value.astype(np.float32)
    spikes, V = ours.run(drive(), record=("spikes", "V"))
    assert {spikes.dtype, V.dtype, ours.V.value.dtype, ours.u.value.dtype} == {np.dtype(np.float32)}


# --- gradients ------------------------------------------------------------------------------------------------------


class Own(braintools.surrogate.Surrogate):
    def surrogate_grad(self, x):
        return jnp.exp(-2.0 * x**2)


SURROGATES = {
    "ReluGrad": (braintools.surrogate.ReluGrad(), None),
    "Sigmoid": (braintools.surrogate.Sigmoid(3.0), 1.0),
    "MultiGaussianGrad": (braintools.surrogate.MultiGaussianGrad(), None),
    "S2NN": (braintools.surrogate.S2NN(), 1.0),
    "relu_grad": (braintools.surrogate.relu_grad, None),
    "Own": (Own(), 1.0),
}
PARAMETERS = {"a": u.ms**-1, "b": u.ms**-1, "c": u.mV, "d": RATE, "V_th": u.mV}


@pytest.mark.parametrize(("surrogate", "tau_ref"), SURROGATES.values(), ids=SURROGATES)
def test_gradients(surrogate, tau_ref):
    """By parameters, states, inputs and jumps, of all that a run returns and leaves, as those of the loop."""
    theirs, ours = by_tau_ref(tau_ref, 4)
    x, delta = drive((4,), 150), drive((4,), 150, 0.0, 0.1, u.mV)
    values = {name: jnp.full(4, getattr(theirs, name) / unit) for name, unit in PARAMETERS.items()}
    values |= {"V": jnp.full(4, -60.0), "u": jnp.full(4, -12.0), "x": x / RATE, "delta": delta / u.mV}
    weights = np.random.default_rng(1).standard_normal((3, 150, 4))

    def gradients(neurons, runs):
        trained = {name: brainstate.ParamState(value) for name, value in values.items()}
        neurons.spk_fun = surrogate

        def loss():
            now = {name: state.value for name, state in trained.items()}
            vars(neurons).update({name: now[name] * unit for name, unit in PARAMETERS.items()})
            neurons.reset_state()
            neurons.V.value, neurons.u.value = now["V"] * u.mV, now["u"] * RATE
            with brainstate.environ.context(t=0.0 * u.ms):
                spikes, V, u_ = runs(neurons, now["x"] * RATE, now["delta"] * u.mV)
            parts = spikes, V / u.mV / 100.0, u_ / RATE
            left = (neurons.V.value / u.mV).sum() / 100.0 - (neurons.u.value / RATE).sum()
            return sum((w * part).sum() for w, part in zip(weights, parts, strict=True)) + left, spikes

        return brainstate.transform.jit(brainstate.transform.grad(loss, trained, has_aux=True))()

    expected, spikes = gradients(theirs, stepped)
    assert spikes.sum() > 10
    assert all(jnp.abs(gradient).max() > 0 for gradient in expected.values())
    for backend in BACKENDS:
        run = partial(Izhikevich.run, record=("spikes", "V", "u"), backend=backend)
        assert_same(gradients(ours, run), (expected, spikes), 1e-9)


def test_surrogates_are_equal_by_value():
    """A neuron with a new surrogate of braintools does not compile anew."""
    one, other, third = (plug._surrogate("", braintools.surrogate.ReluGrad(alpha)) for alpha in (0.3, 0.3, 0.4))
    assert one == other != third
    odd = braintools.surrogate.Sigmoid(alpha=-4.0)  # which ours refuses
    assert plug._surrogate("", odd) is odd


# --- what is refused ------------------------------------------------------------------------------------------------


def test_soft_acts_as_hard_and_warns_once():
    expected = brainpy.state.Izhikevich(N, spk_reset="soft")
    with pytest.warns(UserWarning, match="'soft' acts as 'hard', as in brainpy.state: after a spike V is c") as caught:
        ours = Izhikevich(N, spk_reset="soft")
    assert caught[0].filename == __file__
    IzhikevichRef(N, spk_reset="soft")  # would fail if it warned
    expected.init_state()
    ours.init_state()
    assert_same(ours.run(drive()), stepped(expected, drive())[0])


@both
def test_thresholds(name):
    cls = getattr(plug, name)
    for V_th, lowest in ((0.0, "0"), (-40.0, "-40"), (np.array([30.0, -1.5]), "-1.5"), (np.nan, "nan")):
        with pytest.raises(ValueError, match=f"^{name}.V_th must be > 0 mV, got {lowest} mV. brainpy.state div"):
            cls(2, V_th=V_th * u.mV)
    jax.jit(lambda V_th: cls(2, V_th=V_th * u.mV).V_th / u.mV)(30.0)  # is not looked at
    cls(2, V_th=brainstate.ParamState(30.0 * u.mV))  # made, as by brainpy.state, whose update cannot take it
    neurons = cls(2)
    neurons.init_state()
    neurons.V_th = -40.0 * u.mV
    with pytest.raises(ValueError, match="V_th must be > 0 mV, got -40 mV"):
        neurons.run(drive((2,)))


NUMBERS = "must be a number or an array of numbers"


def within(neurons, **environment):
    with brainstate.environ.context(**environment):
        return neurons.run(X)


REFUSED = [
    (lambda it: it.run(X / RATE), TypeError, "run.inputs must be a quantity in mV / ms, got an array"),
    (lambda it: it.run(X * u.mA), ValueError, f"run.inputs {NUMBERS} in mV / ms, got .* must convert to mV / ms"),
    (lambda it: it.run(10.0 * RATE), ValueError, r"run.inputs must have a row for each step, .* \(\)"),
    (lambda it: it.run(X[:, :2]), ValueError, r"run.inputs\[k\] must broadcast to \(3,\), .* got \(2,\)"),
    (lambda it: it.run(X * 1j), TypeError, f"run.inputs {NUMBERS}, got complex"),
    (lambda it: it.run(X, X[1:] * u.ms), ValueError, "run.delta must have a row for each step, as many as inputs"),
    (lambda it: it.run(X, None, "V"), TypeError, "run.. takes from 2 to 3 positional"),
    (lambda it: it.run(X, record="spike"), ValueError, "run.record must be .* got 'spike'. Did you mean 'spikes'"),
    (lambda it: it.run(X, backend="jax"), ValueError, "run.backend must be a known name, got 'jax'"),
    (lambda it: IzhikevichRef(3).run(X), ValueError, "run must come after init_state, got neurons without V"),
    (lambda it: setattr(it, "a", 0.02) or it.run(X), TypeError, "Ref.a must be a quantity in 1 / ms, got 0.02"),
    (lambda it: it.add_delta_input("jump", X) or it.run(X), ValueError, "and delays, got delta_inputs. Those"),
    (lambda it: it.align_pre(brainpy.state.Expon.desc(3)) and it.run(X), ValueError, "got after_updates. Those"),
    (lambda it: within(it, dt=None), TypeError, "brainstate.environ.dt must be a quantity in ms, got None"),
    (lambda it: within(it, dt=0.1), TypeError, "brainstate.environ.dt must be a quantity in ms, got 0.1"),
    (lambda it: within(it, dt=-DT), ValueError, "brainstate.environ.dt must be a finite number > 0 ms, got -0.1"),
    (lambda it: within(it, dt=0.1 * u.mV), ValueError, "brainstate.environ.dt must .* Its unit must convert to ms"),
    (lambda it: within(it, t=X[0] / RATE * DT), ValueError, r"environ.t must have shape \(\) or \(5,\), got \(3,\)"),
    (lambda it: brainstate.transform.jit(it.run)(X), ValueError, "environ.t must be set .*, got none while JAX traces"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "match"), REFUSED)
def test_runs_that_are_refused(call, kind, match):
    _, ours = pair("IzhikevichRef", 3)
    before = states_of(ours)
    with pytest.raises(kind, match=match):
        call(ours)
    assert_same(states_of(ours), before)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "brainpy", None)
    with pytest.raises(ImportError, match=r'needs brainpy.state. Install it, .*: pip install "\.\[brainpy\]"$'):
        runpy.run_path(plug.__file__)
