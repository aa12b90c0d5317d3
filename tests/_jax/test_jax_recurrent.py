"""izhnumba.jax.recurrent: the spikes of a Network, and gradients through synapses and delays."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse
from scipy import sparse as scipy_sparse
from test_jax_gradients import assert_near, compiled

import izhnumba as iz
import izhnumba.jax as izj

pytestmark = pytest.mark.jax
N, DT, DELAY, N_STEPS = 12, 0.1, 0.7, 304  # ms; 43 delays and 3 steps
RECEPTORS = [
    iz.Delta(), iz.Pulse(), iz.Exponential(3.0), iz.Alpha(2.0), iz.DualExponential(1.0, 4.0), iz.AMPA(), iz.GABA_A(),
    iz.GABA_B(),
]  # fmt: skip
SCALE = {"Delta()": 4.0, "Pulse()": 40.0}  # of weights, such that they move spikes; 0.05 of conductances, else 2
rng = np.random.default_rng(3)
EDGES = np.argwhere(rng.random((N, N)) < 0.4).T
DELAYS = 0.1 * rng.integers(4, 23, EDGES.shape[1])
PAIRS = {"pre": EDGES[0], "post": EDGES[1]}
CURRENT = rng.uniform(5.0, 25.0, N)
START = {"V": rng.uniform(-70.0, -55.0, N), "u": rng.uniform(-15.0, -10.0, N)}
CELLS = {"a": rng.uniform(0.02, 0.1, N), "d": rng.uniform(2.0, 8.0, N)}


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def weights_of(receptor):
    """One for each of EDGES."""
    drawn = np.random.default_rng(4).normal(size=EDGES.shape[1])
    return 0.05 * np.abs(drawn) if receptor.E is not None else SCALE.get(repr(receptor), 2.0) * drawn


def dense(weights, edges=EDGES):
    return jnp.zeros((N, N), jnp.asarray(weights).dtype).at[tuple(edges)].add(weights)


def layer(weights, state=None, I=CURRENT, **options):
    params, start = izj.init(N, **CELLS, **START)
    options = {"delay": DELAY, "n_steps": N_STEPS} | options
    return izj.recurrent(params, weights, start if state is None else state, I, DT, **options)


def ran(weights, state=None, I=CURRENT, **options):
    return compiled(lambda state, I: layer(weights, state, I, **options))(state, I)


def network(receptor, delay, weights=None, scheme="exp_euler", **options):
    """Spikes, and V and u at last, of the same neurons in a Network."""
    net = iz.Network(dt=DT, scheme=scheme, seed=1)
    cells = net.add(iz.Population(N, **CELLS, **START, **options))
    weights = weights_of(receptor) if weights is None else weights
    net.connect(cells, cells, tuple(EDGES), weight=weights, delay=delay, receptor=receptor)
    net.drive(cells, iz.Constant(CURRENT))
    spikes = net.record(cells, "spikes")
    net.run(N_STEPS * DT)
    raster = np.zeros((N_STEPS, N))
    raster[spikes.step, spikes.i] = 1
    return raster, cells.V.copy(), cells.u.copy()


def assert_like_network(found, expected, tolerance=1e-7):
    (state, out), (raster, V, u) = found, expected
    np.testing.assert_array_equal(out.spikes, raster)
    np.testing.assert_allclose(state.neurons.V, V, rtol=tolerance)
    np.testing.assert_allclose(state.neurons.u, u, rtol=tolerance)


def assert_identical(one, other):
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert (x.dtype, x.shape, np.asarray(x).tobytes()) == (y.dtype, y.shape, np.asarray(y).tobytes())


# --- the spikes of a Network ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("receptor", RECEPTORS, ids=repr)
def test_spike_for_spike_as_a_network(receptor):
    weights = weights_of(receptor)
    expected, apart = network(receptor, DELAY), network(receptor, DELAYS)
    alone = network(receptor, DELAY, 0.0 * weights)
    assert not np.array_equal(expected[0], alone[0])  # synapses matter, and so do delays
    assert not np.array_equal(expected[1], apart[1])
    assert_like_network(ran(dense(weights), receptor=receptor), expected)
    assert_like_network(ran(weights, receptor=receptor, delay=DELAYS, **PAIRS), apart)


@pytest.mark.parametrize("options", [{"tau_ref": 2.0}, {"scheme": "izhikevich2003"}], ids=str)
def test_options_of_run(options):
    receptor = iz.Exponential(3.0)
    found = ran(dense(weights_of(receptor)), receptor=receptor, **options)
    assert_like_network(found, network(receptor, DELAY, **options))


def test_other_models():
    book = {x: value for x, value in iz.presets["2007/RS"].items() if x not in ("model", "V", "u")}
    net = iz.Network(dt=DT, seed=1)
    cells = net.add(iz.Population(N, iz.Izhikevich2007, **book))
    receptor, weights = iz.Exponential(5.0, E=0.0), 3.0 * np.abs(weights_of(iz.Delta()))  # nS
    net.connect(cells, cells, tuple(EDGES), weight=weights, delay=DELAY, receptor=receptor)
    net.drive(cells, iz.Constant(20.0 * CURRENT))
    spikes = net.record(cells, "spikes")
    net.run(N_STEPS * DT)
    params, start = izj.init(N, iz.Izhikevich2007, **book)
    options = {"delay": DELAY, "receptor": receptor, "model": iz.Izhikevich2007, "n_steps": N_STEPS}
    state, out = izj.recurrent(params, dense(weights), start, 20.0 * CURRENT, DT, **options)
    np.testing.assert_array_equal(np.argwhere(out.spikes), np.transpose([spikes.step, spikes.i]))
    np.testing.assert_allclose(state.neurons.V, cells.V, rtol=1e-7)
    assert len(spikes) > N


def test_delays_are_rounded_as_in_a_network():
    delays = np.random.default_rng(5).uniform(0.35, 1.6, EDGES.shape[1])
    weights = weights_of(iz.Delta())
    assert_like_network(ran(weights, delay=delays, **PAIRS), network(iz.Delta(), delays))
    assert_like_network(ran(dense(weights), delay=None), network(iz.Delta(), None))  # a step


def test_float32():
    start = izj.init(N, dtype="float32", **START)[1]
    weights, options = dense(weights_of(iz.Exponential(3.0))), {"receptor": iz.Exponential(3.0), "record": "V"}
    state, out = ran(weights, start, **options)
    exact = ran(weights, **options)[1].V[:20]
    assert {x.dtype for x in jax.tree.leaves((state, out)) if x.dtype != np.int32} == {np.dtype("float32")}
    np.testing.assert_allclose(out.V[:20], exact, rtol=1e-3)


# --- forms of weights, inputs and state -----------------------------------------------------------------------------


def test_sparse_weights_are_dense_ones():
    receptor = iz.DualExponential(1.0, 4.0)
    w, options = weights_of(receptor), {"receptor": receptor, "record": ("spikes", "V")}
    bcoo = sparse.BCOO((jnp.asarray(w), jnp.asarray(EDGES.T)), shape=(N, N))
    csr = scipy_sparse.csr_array((w, tuple(EDGES)), (N, N))
    expected = ran(dense(w), **options)
    for state, out in (ran(bcoo, **options), ran(csr, **options), ran(w, **PAIRS, **options)):
        np.testing.assert_array_equal(out.spikes, expected[1].spikes)
        np.testing.assert_allclose(out.V, expected[1].V, rtol=1e-7)
        np.testing.assert_allclose(state.synapses[0], expected[0].synapses[0], atol=1e-9)


def test_several_synapses_of_one_pair_add_up():
    pre, post, w = np.array([0, 0, 3, 0]), np.array([1, 1, 2, 5]), np.array([3.0, 4.0, 5.0, -2.0])
    out = ran(w, pre=pre, post=post, record="V")[1]
    np.testing.assert_allclose(out.V, ran(dense(w, (pre, post)), record="V")[1].V, rtol=1e-9)
    apart = ran(w, pre=pre, post=post, delay=[0.7, 1.1, 0.7, 0.7], record="V")[1].V
    assert np.flatnonzero(np.any(apart != out.V, axis=0)).tolist() == [1]


def test_no_synapses_are_neurons_alone():
    params, start = izj.init(N, **CELLS, **START)
    record = ("spikes", "V", "u")
    expected = compiled(lambda I: izj.run(params, start, I, DT, n_steps=N_STEPS, record=record))(CURRENT)
    nobody = np.zeros(0, int)
    for state, out in (
        ran(np.zeros((N, N)), record=record),
        ran(np.zeros(0), pre=nobody, post=nobody, delay=None, record=record),
    ):
        np.testing.assert_array_equal(out.spikes, expected[1].spikes)
        assert_near((state.neurons, out), expected, 1e-9)


@pytest.mark.parametrize(("delay", "lengths"), [(DELAY, (14, 14, 276)), (DELAYS, (1, 0, 303))])
def test_a_state_goes_on(delay, lengths):
    """Bit for bit: synapses add up in the same order whatever the slices are."""
    weights, receptor = weights_of(iz.Alpha(2.0)), iz.Alpha(2.0)
    options = {"receptor": receptor, "delay": delay, "record": ("spikes", "V", "u")} | PAIRS
    expected = ran(weights, n_steps=N_STEPS, **options)
    state, outs = None, []
    for n_steps in lengths:
        state, out = ran(weights, state, n_steps=n_steps, **options)
        outs.append(out)
    assert_identical((state, jax.tree.map(lambda *parts: np.concatenate(parts), *outs)), expected)


def test_a_dense_layer_goes_on():
    weights = dense(weights_of(iz.AMPA()))
    state, first = ran(weights, receptor=iz.AMPA(), n_steps=70)
    state, second = ran(weights, state, receptor=iz.AMPA(), n_steps=N_STEPS - 70)
    expected = ran(weights, receptor=iz.AMPA())
    np.testing.assert_array_equal(np.concatenate([first.spikes, second.spikes]), expected[1].spikes)
    np.testing.assert_allclose(state.neurons.V, expected[0].neurons.V, rtol=1e-9)


def test_inputs_over_time():
    I = np.random.default_rng(6).uniform(0.0, 30.0, (N_STEPS, N))
    weights = weights_of(iz.Delta())
    net = iz.Network(dt=DT, seed=1)
    cells = net.add(iz.Population(N, **CELLS, **START))
    net.connect(cells, cells, tuple(EDGES), weight=weights, delay=DELAY)
    net.drive(cells, iz.TimedArray(I, DT))
    spikes = net.record(cells, "spikes")
    net.run(N_STEPS * DT)
    state, out = ran(dense(weights), None, I, n_steps=None)  # the rows tell how many steps
    np.testing.assert_array_equal(np.argwhere(out.spikes), np.transpose([spikes.step, spikes.i]))
    np.testing.assert_allclose(state.neurons.V, cells.V, rtol=1e-7)


@pytest.mark.parametrize("pairs", [{}, PAIRS], ids=["dense", "sparse"])
def test_a_batch_is_several_layers(pairs):
    weights = weights_of(iz.Alpha(2.0)) if pairs else dense(weights_of(iz.Alpha(2.0)))
    options = {"receptor": iz.Alpha(2.0), "record": ("spikes", "V")} | pairs
    I = jnp.stack([CURRENT, CURRENT[::-1], 0.5 * CURRENT])
    batch = ran(weights, izj.init(N, batch=3, **CELLS, **START)[1], I, **options)
    one = compiled(lambda I: layer(weights, None, I, **options))
    each = jax.tree.map(lambda *parts: jnp.stack(parts), *map(one, I))
    mapped = compiled(jax.vmap(lambda I: layer(weights, None, I, **options)))(I)
    for state, out in (mapped, (batch[0], jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), batch[1]))):
        np.testing.assert_array_equal(out.spikes, each[1].spikes)
        np.testing.assert_allclose(out.V, each[1].V, rtol=1e-7)
        np.testing.assert_allclose(state.synapses[1], each[0].synapses[1], atol=1e-9)
    assert len(np.unique(each[1].spikes.sum(axis=(1, 2)))) == 3


def test_what_is_recorded():
    weights = dense(weights_of(iz.Delta()))
    for record, names in (("V", {"V"}), (["u", "V"], {"u", "V"}), ((), set()), ("spikes", {"spikes"})):
        out = ran(weights, record=record, n_steps=10)[1]
        assert {name for name in ("spikes", "V", "u") if getattr(out, name) is not None} == names
        assert {x.shape for x in jax.tree.leaves(out)} <= {(10, N)}
    state, out = layer(weights, n_steps=0)
    assert out.spikes.shape == (0, N)
    np.testing.assert_array_equal(state.neurons.V, START["V"])


# --- gradients ------------------------------------------------------------------------------------------------------


def loss_of(out):
    ahead = np.linspace(0.5, 1.5, out.V.shape[0])[:, None] * np.linspace(1.0, 2.0, N)
    return (ahead * (out.spikes + 0.01 * out.V + 0.1 * out.u)).mean()


GRADIENTS = [(iz.Delta(), False), (iz.DualExponential(1.0, 4.0, E=0.0), False), (iz.Exponential(3.0), True)]


@pytest.mark.parametrize(("receptor", "sparsely"), GRADIENTS, ids=str)
def test_both_backends_have_one_gradient(receptor, sparsely):
    drawn = weights_of(receptor)
    params, start = izj.init(N, **CELLS, **START)
    options = PAIRS | {"delay": DELAYS} if sparsely else {"delay": DELAY}
    weights = jnp.asarray(drawn) if sparsely else dense(drawn)

    def loss(tree, backend):
        start = izj.State(tree["V"], tree["u"], jnp.zeros(N, jnp.int32))
        out = izj.recurrent(
            tree["params"], tree["weights"], start, tree["I"], DT, receptor=receptor, n_steps=105, backend=backend,
            record=("spikes", "V", "u"), **options,
        )[1]  # fmt: skip
        return loss_of(out)

    tree = {"params": params, "weights": weights, "V": start.V, "u": start.u, "I": jnp.asarray(CURRENT)}
    numba, xla = (compiled(jax.value_and_grad(lambda tree, b=b: loss(tree, b)))(tree) for b in ("numba", "xla"))
    assert_near(numba, xla, 1e-9)
    assert all(np.any(x != 0) for name in ("weights", "V", "u", "I") for x in jax.tree.leaves(numba[1][name]))


def test_slices_do_not_change_a_gradient():
    """The same layer step by step: each run is of one step, and hears spikes that are 7 steps old."""
    params, start = izj.init(N, **CELLS, **START)
    surrogate, n_steps = izj.Sigmoid(2.0), 60

    def stepwise(weights):
        def step(now, _):
            state, past = now
            delta = past[0] @ weights
            options = {"surrogate": surrogate, "record": ("spikes", "V", "u"), "detach_reset": True}
            state, out = izj.run(params, state, CURRENT, DT, n_steps=1, delta=delta, **options)
            return (state, jnp.concatenate([past[1:], out.spikes])), jax.tree.map(lambda x: x[0], out)

        return loss_of(jax.lax.scan(step, (start, jnp.zeros((7, N))), None, length=n_steps)[1])

    def sliced(weights):
        options = {"surrogate": surrogate, "n_steps": n_steps, "record": ("spikes", "V", "u"), "detach_reset": True}
        return loss_of(layer(weights, **options)[1])

    weights = dense(weights_of(iz.Delta()))
    ours, expected = (compiled(jax.value_and_grad(f))(weights) for f in (sliced, stepwise))
    assert_near(ours, expected, 1e-9)


@pytest.mark.parametrize("receptor", [iz.Delta(), iz.DualExponential(1.0, 4.0, E=0.0)], ids=repr)
def test_a_gradient_is_that_of_finite_differences_where_spikes_stay(receptor):
    """With a surrogate without slope only V and u count, whose derivative is true as long as no spike moves."""

    def loss(weights):
        options = {"surrogate": izj.ReluGrad(0.0), "n_steps": 150, "record": ("spikes", "V", "u")}
        out = layer(weights, receptor=receptor, delay=DELAYS, **PAIRS, **options)[1]
        return loss_of(out._replace(spikes=0.0)), out.spikes

    weights = jnp.asarray(weights_of(receptor))
    (_, spikes), gradient = compiled(jax.value_and_grad(loss, has_aux=True))(weights)
    h, chosen = 1e-6 * float(jnp.max(jnp.abs(weights))), np.arange(0, len(weights), 4)
    changes = h * jnp.eye(len(weights))[chosen]
    values, rasters = compiled(jax.vmap(loss))(jnp.concatenate([weights + changes, weights - changes]))
    high, low = values.reshape(2, -1)
    same = np.all(rasters == spikes, axis=(1, 2)).reshape(2, -1).all(axis=0)
    expected = ((high - low) / (2 * h))[same]
    assert same.sum() >= 8
    np.testing.assert_allclose(gradient[chosen][same], expected, rtol=1e-4, atol=1e-4 * np.max(np.abs(expected)))
    assert np.max(np.abs(expected)) > 0


def test_sparse_weights_have_the_gradients_of_dense_ones():
    weights = jnp.asarray(weights_of(iz.Alpha(2.0)))
    options = {"receptor": iz.Alpha(2.0), "n_steps": 105, "record": ("spikes", "V", "u")}
    matrix = sparse.BCOO((weights, jnp.asarray(EDGES.T)), shape=(N, N))
    expected = compiled(jax.grad(lambda w: loss_of(layer(w, **options)[1])))(dense(weights))[tuple(EDGES)]
    listed = compiled(jax.grad(lambda w: loss_of(layer(w, **PAIRS, **options)[1])))(weights)
    coo = compiled(jax.grad(lambda w: loss_of(layer(w, **options)[1]), allow_int=True))(matrix).data
    assert_near([listed, coo], [expected, expected], 1e-9)


def test_gradients_reach_back_through_a_layer_state():
    weights, options = dense(weights_of(iz.Alpha(2.0))), {"receptor": iz.Alpha(2.0), "record": ("spikes", "V", "u")}

    def in_two(weights):
        state, first = layer(weights, n_steps=40, **options)
        _, second = layer(weights, state, n_steps=65, **options)
        return loss_of(jax.tree.map(lambda *parts: jnp.concatenate(parts), first, second))

    whole = compiled(jax.grad(lambda w: loss_of(layer(w, n_steps=105, **options)[1])))(weights)
    assert_near(compiled(jax.grad(in_two))(weights), whole, 1e-9)


def test_under_jit_and_vmap():
    weights = jnp.stack([dense(weights_of(iz.Delta())) * share for share in (0.5, 1.0, 1.5)])
    options = {"n_steps": 105, "record": ("spikes", "V", "u")}
    gradient = jax.grad(lambda w: loss_of(layer(w, **options)[1]))
    together = compiled(jax.vmap(gradient))(weights)
    assert_near([*together], [compiled(gradient)(w) for w in weights], 1e-9)


# --- refusals -------------------------------------------------------------------------------------------------------

W = np.zeros((N, N))
PRE, POST = np.array([0, 1, 2]), np.array([1, 2, 3])
REFUSED = [
    (dict(weights=np.zeros((N, 3))), ValueError, "recurrent.weights must have shape (12, 12), from each"),
    (dict(weights=np.zeros(3)), ValueError, "recurrent.weights must have shape (12, 12), from each neuron to each"),
    (dict(weights=W, pre=PRE, post=POST), ValueError, "recurrent.weights must have shape (3,), as pre and post, got"),
    (dict(weights=np.zeros(3), pre=PRE), ValueError, "recurrent.post must be given with the other one, got None."),
    (dict(weights=np.zeros(3), post=POST), ValueError, "recurrent.pre must be given with the other one, got None."),
    (dict(weights=np.zeros(3), pre=PRE, post=POST[:2]), ValueError, "recurrent.post must have the shape of pre, (3,)"),
    (dict(weights=np.zeros(3), pre=PRE + 10, post=POST), ValueError, "recurrent.pre must be between 0 and 11, got 12."),
    (dict(weights=np.zeros(3), pre=PRE, post=POST - 2), ValueError, "recurrent.post must be between 0 and 11, got -1."),
    (dict(weights=np.zeros(3), pre=PRE + 0.5, post=POST), ValueError, "recurrent.pre must be a list of whole numbers"),
    (dict(weights="w"), TypeError, "recurrent.weights must be a number or an array of numbers, got 'w'."),
    (dict(delay=0.0), ValueError, "recurrent.delay must be at least one step of 0.1 ms, got 0 ms."),
    (dict(delay=0.05), ValueError, "recurrent.delay must be at least one step of 0.1 ms, got 0.05 ms."),
    (dict(delay=np.full((N, N), 1.0)), ValueError, "recurrent.delay must have shape (), got (12, 12)."),
    (dict(delay=np.nan), ValueError, "recurrent.delay must be finite, got nan."),
    (dict(weights=np.zeros(3), pre=PRE, post=POST, delay=[1.0, 2.0]), ValueError, "recurrent.delay must have shape ()"),
    (dict(receptor="AMPA"), TypeError, "recurrent.receptor must be a receptor, got 'AMPA'."),
    (dict(receptor=iz.NMDA()), ValueError, "recurrent.receptor must be linear in what arrives, got NMDA("),
    (dict(receptor=iz.GapJunction()), ValueError, "recurrent.receptor must be linear in what arrives, got Gap"),
    (dict(receptor=iz.Saturating(5.0)), ValueError, "recurrent.receptor must be linear in what arrives, got Satura"),
    (dict(receptor=iz.Alpha(2.0) + iz.Pulse()), ValueError, "recurrent.receptor must be one receptor, got Alpha("),
    (dict(receptor=iz.Pulse(1.0)), ValueError, "recurrent.receptor must act in one step if it has no states, got Pu"),
    (dict(n_steps=None), ValueError, "recurrent.n_steps must be given if no input has a row for each step, got None."),
    (dict(n_steps=1.5), ValueError, "recurrent.n_steps must be a whole number >= 0, got 1.5."),
    (dict(I=np.zeros((4, N)), n_steps=5), ValueError, "recurrent.I must broadcast to (12,) (constant) or have shape"),
    (dict(I=np.zeros(3)), ValueError, "recurrent.I must broadcast to (12,)"),
    (dict(dt=0.0), ValueError, "recurrent.dt must be a finite number > 0 ms, got 0.0."),
    (dict(record="W"), ValueError, "run.record must be a known name, got 'W'."),
    (dict(checkpoint=True), TypeError, "recurrent has no parameter 'checkpoint'."),
    (dict(delays=1.0), TypeError, "recurrent has no parameter 'delays'. Did you mean 'delay'?"),
    (dict(scheme="exact"), ValueError, "run.scheme must be one that has steps, got 'exact'."),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), REFUSED, ids=lambda x: re.sub(r"\W+", " ", str(x))[:50])
def test_refusals(arguments, error, message):
    params, state = izj.init(N)
    given = {"weights": W, "state": state, "I": 0.0, "dt": DT, "n_steps": 5} | arguments
    with pytest.raises(error, match="^" + re.escape(message)):
        izj.recurrent(params, **given)


def test_what_jax_traces_is_refused_where_values_must_be_known():
    params, state = izj.init(N)
    message = "recurrent.delay must be known when JAX traces, got a traced value."
    with pytest.raises(TypeError, match=re.escape(message)):
        jax.jit(lambda delay: izj.recurrent(params, W, state, 0.0, DT, delay=delay, n_steps=5))(1.0)


def test_a_state_without_neurons_is_refused():
    for state in (None, {"V": np.zeros(N)}):
        with pytest.raises(TypeError, match=r"^recurrent\.state must be a State or a LayerState, got "):
            layer(W, state or 0, n_steps=5)
    one = izj.State(np.float64(-65.0), np.float64(-13.0), 0)
    with pytest.raises(ValueError, match=r"^recurrent\.state\.V must have an axis of neurons, got shape \(\)\."):
        layer(W, one, n_steps=5)


def test_a_layer_state_with_other_delays_is_refused():
    state, _ = layer(W, delay=1.0, n_steps=5)
    with pytest.raises(ValueError, match=r"^recurrent\.delay must be that of the layer whose state this is"):
        layer(W, state, delay=2.0, n_steps=5)
