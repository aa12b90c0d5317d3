"""Weights: conductances have no sign, plastic weights lie within their bounds, wherever they come in."""

from __future__ import annotations

import dataclasses
import math
import pickle
import re

import numpy as np
import pytest
from scipy import sparse

import izhnumba as iz
from izhnumba._network import synapses as _synapses

SCHEMES = ("exp_euler", "exact")
CONDUCTANCES = (iz.AMPA(), iz.GABA_A(), iz.Alpha(3.0, E=-80.0), iz.DualExponential(1.0, 5.0, E=0.0))
INHIBITION = iz.GABA_A()
SIGN = "Weights are conductances: E (-70 mV) sets the sign of the current."
MUST = "must be >= 0 for the conductance Exponential(tau=6.0, E=-70.0), got"


def network(sizes=(3, 4), scheme="exp_euler", **options):
    net = iz.Network(seed=1, scheme=scheme)
    return net, *(net.add(iz.Population(n, **options), name=name) for n, name in zip(sizes, "ab", strict=False))


def refused(message, call, *arguments, kind=ValueError, **named):
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    assert str(caught.value).startswith(message)


# --- signs ------------------------------------------------------------------------------------------------------------


def spikes_with(weight):
    net, a, b = network((40, 1), **iz.presets["RS"])
    if weight is not None:
        net.connect(a, b, iz.AllToAll(), weight=weight, delay=1.0, receptor=INHIBITION)
    net.drive(a, 10.0)
    net.drive(b, 10.0)
    spikes = net.record(b)
    net.run(500.0)
    return len(spikes)


def test_inhibition_inhibits():
    assert spikes_with(0.05) < spikes_with(None)
    with pytest.raises(ValueError, match="sets the sign of the current"):
        spikes_with(-0.05)


NEGATIVE = [
    (iz.AllToAll(), -0.5, "-0.5. " + SIGN),
    (iz.AllToAll(), 0.5 - np.eye(3, 4), "-0.5 for synapse 0. " + SIGN),
    (iz.AllToAll(), lambda rng, size: np.linspace(1.0, -1.0, size), "-0.0909091 for synapse 6. "),
    (iz.AllToAll(), iz.Normal(0.1, 0.5), "-"),
    (iz.AllToAll(), iz.Uniform(-1.0, 1.0), "-"),
    (iz.FixedProbability(1.0), iz.Normal(-5.0, 0.1), "-"),
    (iz.FixedOutDegree(5), -1e-30, "-1e-30. "),
    (([0, 1], [1, 2]), [1.0, -2.0], "-2 for synapse 1. "),
    (-np.eye(3, 4), None, "-1 for synapse 0. "),
    (sparse.coo_array(-np.eye(3, 4)), None, "-1 for synapse 0. "),
]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("rule", "weight", "message"), NEGATIVE)
def test_no_negative_conductance_is_connected(scheme, rule, weight, message):
    net, a, b = network(scheme=scheme)
    refused(f"Network.connect.weight {MUST} {message}", net.connect, a, b, rule, weight=weight, receptor=INHIBITION)
    assert not net.synapses
    net.run(1.0)
    net.connect(a, b, rule, weight=weight, receptor=iz.Exponential(5.0))  # a current has a sign
    net.connect(a, b, rule, weight=weight)


def test_a_file_of_negative_conductances(tmp_path):
    net, a, b = network()
    path = tmp_path / "edges.txt"
    path.write_text("0 1 0.5\n1 2 -0.5\n")
    refused(f"Network.connect.weight {MUST} -0.5 for synapse 1. {SIGN}", net.connect, a, b, path, receptor=INHIBITION)
    assert len(net.connect(a, b, path)) == 2


@pytest.mark.parametrize("receptor", [*CONDUCTANCES, iz.NMDA(), iz.GABA_B(), iz.GapJunction()], ids=repr)
def test_every_conductance_has_no_sign(receptor):
    net, a, b = network()
    refused(f"Network.connect.weight must be >= 0 for the conductance {receptor!r}, got -0.5. Weights are cond",
            net.connect, a, b, iz.AllToAll(), weight=-0.5, receptor=receptor)  # fmt: skip
    syn = net.connect(a, b, iz.AllToAll(), weight=[0.0, -0.0] * 6, receptor=receptor)
    net.run(1.0)
    syn.weight[5] = -2.0
    refused(f"Synapses.weight of 'a to b' must be >= 0 for the conductance {receptor!r}, got -2 for synapse 5. ",
            net.run, 1.0)  # fmt: skip


def test_truncated_distributions_are_conductances():
    net, a, b = network((30, 30))
    for weight in (iz.Normal(0.1, 0.5), iz.Uniform(-1.0, 1.0)):
        cure = f"{SIGN} Draw none below 0: {type(weight).__name__}(..., low=0)."
        with pytest.raises(ValueError, match=re.escape(cure)):
            net.connect(a, b, iz.AllToAll(), weight=weight, receptor=INHIBITION)
    for weight in (iz.Normal(0.1, 0.5, low=0.0), iz.Uniform(0.0, 1.0), iz.LogNormal(0.0, 1.0), iz.Normal(5.0, 0.01)):
        assert net.connect(a, b, iz.AllToAll(), weight=weight, receptor=INHIBITION).weight.min() >= 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_that_are_written_are_looked_at_before_the_next_run(scheme, tmp_path):
    net, a, b = network(scheme=scheme)
    syn = net.connect(a, b, iz.AllToAll(), weight=0.5, receptor=INHIBITION, name="syn")
    for value, got in ((-1.0, "-1."), ([0.1] * 5 + [-0.1] * 7, "-0.1 for synapse 5.")):
        refused(f"Synapses.weight {MUST} {got} {SIGN}", setattr, syn, "weight", value)
    assert set(syn.weight) == {0.5}
    net.run(1.0)
    live = syn.weight
    for value in (-1.0, np.nan, -np.inf):
        live[3] = value
        message = f"Synapses.weight of 'syn' {MUST} {value:g} for synapse 3. {SIGN}"
        for call in (lambda: net.run(1.0), net.step, lambda: net.save(tmp_path / "state.npz")):
            refused(message, call)
    assert round(net.t, 6) == 1.0
    assert not list(tmp_path.iterdir())
    live[3] = 0.0
    net.step()
    net.save(tmp_path / "state.npz")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_steps_of_a_large_network_check_its_weights_now_and_then(scheme, monkeypatch):
    monkeypatch.setattr(_synapses, "_PER_STEP", 2)
    net, a, b = network(scheme=scheme)
    live = net.connect(a, b, iz.AllToAll(), weight=0.5, receptor=INHIBITION).weight  # 12
    message = "Synapses.weight of 'a to b' must be >= 0"
    for _ in range(2):
        live[7] = -1.0
        for _ in range(5):
            net.step()
        refused(message, net.step)
        refused(message, net.run, 6 * net.dt)
        live[7] = 1.0
        net.run(6 * net.dt)


def test_what_is_written_into_an_array_that_is_held_is_checked_in_the_next_step():
    net, a, b = network()
    live = net.connect(a, b, iz.AllToAll(), weight=0.5, receptor=INHIBITION).weight
    for advance in (net.step, lambda: net.run(7.0), net.step):
        advance()
        live[3] = -1.0
        refused("Synapses.weight of 'a to b' must be >= 0", advance)
        live[3] = 1.0


def test_weights_that_nobody_asks_for_need_no_look(monkeypatch):
    net, a, b = network()
    syn = net.connect(a, b, iz.AllToAll(), weight=0.5, receptor=INHIBITION)
    net.record(syn, "weight")
    syn.weight = 0.25
    monkeypatch.setattr(_synapses.weight_limits, "check", lambda *arguments: pytest.fail("a look"))
    net.run(1.0)


@pytest.mark.parametrize("make", [lambda *a: iz.Poisson(100.0, *a), lambda *a: iz.SpikeTrain([0], [1.0], *a)])
def test_spikes_from_outside_have_no_sign(make):
    name = type(make()).__name__
    for weight, got in (
        (-0.1, "-0.1."),
        ([0.1, -0.1, 0.2], "-0.1 for neuron 1."),
        ([[0.1], [-0.2]], "-0.2 for neuron 1."),
    ):
        refused(f"{name}.weight {MUST} {got} {SIGN}", make, weight, INHIBITION)
        make(weight)
        make(weight, iz.Exponential(5.0))
    weight = np.array([0.1, 0.2, 0.3])
    made = make(weight, INHIBITION)
    weight[:] = -1.0
    assert made.weight.min() == 0.1


# --- rules ------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Falling(iz.Plasticity):
    step: float = 0.4
    w_min: float = -5.0

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w - p.step, e, x


@dataclasses.dataclass(frozen=True)
class Turning(Falling):
    @staticmethod
    def arrival(w, e, x, y, p):
        return -w, w, e, x


@pytest.mark.parametrize("scheme", SCHEMES)
def test_rules_that_make_negative_conductances(scheme, tmp_path):
    net, a, b = network(scheme=scheme, **iz.presets["RS"])
    refused("Turning.arrival of a weight of 1 must be >= 0 for the conductance Exponential(tau=6.0, E=-70.0), got -1. ",
            net.connect, a, b, iz.AllToAll(), receptor=INHIBITION, plasticity=Turning())  # fmt: skip
    net.connect(a, b, iz.AllToAll(), plasticity=Turning())
    net.connect(a, b, iz.AllToAll(), weight=1.0, receptor=INHIBITION, plasticity=Falling(), name="falling")
    net.drive(a, 20.0)
    net.run(5.0)
    message = f"Synapses.weight of 'falling' {MUST} -0.2 for synapse 0. {SIGN}"
    made = f"falling: Falling has made weights that cannot be: {message}"
    refused(made, net.run, 100.0, until=lambda net: net.synapses["falling"].weight.min() < 0, kind=RuntimeError)
    assert 5.0 < net.t < 105.0
    refused(message, net.run, 1.0)
    refused(message, net.save, tmp_path / "state.npz")
    net.synapses["falling"].weight = 5.0
    net.run(1.0)


@dataclasses.dataclass(frozen=True)
class Spending(iz.Plasticity):
    """Each arrival delivers less than the one before, in the end too little."""

    step: float = 0.3

    @staticmethod
    def arrival(w, e, x, y, p):
        return w - p.step * e, w, e + 1, x


@pytest.mark.parametrize("receptor", [*CONDUCTANCES, iz.NMDA()], ids=repr)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_rules_that_deliver_less_than_nothing(scheme, receptor):
    if scheme == "exact" and isinstance(receptor, iz.NMDA):
        return
    net, a, b = network(scheme=scheme, **iz.presets["RS"])
    net.connect(a, b, iz.AllToAll(), receptor=receptor, plasticity=Spending(), name="more")
    net.drive(a, 20.0)
    net.run(10.0)
    message = f"more: Spending.arrival must deliver no amount below 0 to {receptor!r}, got a conductance of -"
    refused(message, net.run, 400.0, kind=RuntimeError)
    net, a, b = network(scheme=scheme, **iz.presets["RS"])
    net.connect(a, b, iz.AllToAll(), receptor=receptor, plasticity=Spending(0.0))
    net.drive(a, 20.0)
    net.run(400.0)


RULES = [iz.STDP(w_max=4.0), iz.TripletSTDP(w_max=4.0), iz.DopamineSTDP(), iz.Scaling(target=5.0, w_max=4.0)]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_plastic_weights_start_within_their_bounds(scheme, rule):
    name, (net, a, b) = type(rule).__name__, network(scheme=scheme)
    must = f"must be from {name}.w_min (0) to {name}.w_max (4), got "
    for weight, got in (
        (-1.0, "-1."),
        (4.5, "4.5."),
        (iz.Uniform(5.0, 6.0), "5."),
        (np.diag([0.0, 0, 9, 0])[:3], "9 for synapse 10."),
    ):
        refused(f"Network.connect.weight {must}{got}", net.connect, a, b, iz.AllToAll(), weight=weight, plasticity=rule)
    assert not net.synapses
    syn = net.connect(a, b, iz.AllToAll(), weight=[0.0, 4.0] * 6, plasticity=rule)
    refused(f"Synapses.weight {must}7.", setattr, syn, "weight", 7.0)
    net.run(1.0)
    syn.weight[2] = -1.0
    refused(f"Synapses.weight of 'a to b' {must}-1 for synapse 2. The rule would clip it", net.run, 1.0)
    syn.weight[2] = 1.0
    net.run(1.0)
    low = dataclasses.replace(rule, w_min=-2.0)
    net.connect(a, b, iz.AllToAll(), weight=-1.0, plasticity=low)
    refused(f"{name}.w_min must be >= 0 for the conductance Exponential(tau=6.0, E=-70.0), got -2. {SIGN}",
            net.connect, a, b, iz.AllToAll(), receptor=INHIBITION, plasticity=low)  # fmt: skip


def test_bounds_that_are_none():
    net, a, b = network()
    for weight in (-50.0, 10.0):  # of 2006, negative weights stay as they are
        net.connect(a, b, iz.AllToAll(), weight=weight, plasticity=iz.STDP2006())
    refused("Network.connect.weight must be at most STDP2006.w_max (10), got 11. ", net.connect, a, b, iz.AllToAll(),
            weight=11.0, plasticity=iz.STDP2006())  # fmt: skip
    refused(f"Network.connect.weight {MUST} -1. ", net.connect, a, b, iz.AllToAll(), weight=-1.0, receptor=INHIBITION,
            plasticity=iz.STDP2006())  # fmt: skip
    net.connect(a, b, iz.AllToAll(), weight=-7.0, plasticity=Falling())  # what its numbers mean is its own affair
    net.connect(a, b, iz.AllToAll(), weight=-7.0, plasticity=iz.TsodyksMarkram())
    net.run(1.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bound", [0.1, 0.3, 0.7, 1e-3])
def test_bounds_are_those_that_kernels_have(dtype, bound):
    net, a, b = network(dtype=dtype, **iz.presets["RS"])
    rule = iz.STDP(A_plus=1.0, A_minus=0.0, w_max=bound)
    syn = net.connect(a, b, iz.AllToAll(), weight=bound, plasticity=rule)
    syn.weight = bound
    net.drive(a, 20.0)
    net.drive(b, 20.0)
    net.run(50.0)
    assert math.isclose(syn.weight.max(), bound, rel_tol=1e-6)
    net.run(1.0)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plasticity", [None, iz.TsodyksMarkram()])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_files_of_negative_conductances_are_refused(scheme, plasticity, tmp_path, monkeypatch):
    net, a, b = network(scheme=scheme)
    options = dict(weight=0.5, receptor=INHIBITION, plasticity=plasticity)
    syn = net.connect(a, b, iz.AllToAll(), name="syn", **options)
    syn.weight[4] = -1.0
    monkeypatch.setattr("izhnumba._network.save.check_weights", lambda net, time: None)  # as older versions wrote them
    net.save(tmp_path / "state.npz")
    monkeypatch.undo()
    message = f"whose network/synapses/syn/rows/weights {MUST} -1.0 at index 4."
    with pytest.raises(ValueError) as caught:
        iz.load(tmp_path / "state.npz")
    assert str(caught.value).endswith(message)


def test_plastic_weights_of_a_file_are_looked_at_in_the_next_run(tmp_path, monkeypatch):
    net, a, b = network()
    syn = net.connect(a, b, iz.AllToAll(), weight=0.5, plasticity=iz.STDP(w_max=4.0), name="syn")
    syn.weight[4] = 9.0
    monkeypatch.setattr("izhnumba._network.save.check_weights", lambda net, time: None)
    net.save(tmp_path / "state.npz")
    monkeypatch.undo()
    again = iz.load(tmp_path / "state.npz")
    refused(
        "Synapses.weight of 'syn' must be from STDP.w_min (0) to STDP.w_max (4), got 9 for synapse 4.", again.run, 1.0
    )


# --- what is fixed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("rule", [iz.AllToAll(), ([0, 1], [2, 3])])
@pytest.mark.parametrize("name", ["delay", "pre", "post"])
def test_delays_and_neurons_of_synapses_cannot_be_written(name, rule, scheme):
    net, a, b = network(scheme=scheme)
    for delay in (1.0, iz.Uniform(1.0, 2.0)):
        syn = net.connect(a, b, rule, weight=0.5, delay=delay)
        before = getattr(syn, name).copy()
        for where in (..., 0, slice(2)):
            with pytest.raises(
                ValueError, match="Synapses.delay, pre and post must be left as they are, got new values"
            ):
                getattr(syn, name)[where] = 3
        with pytest.raises(ValueError, match="WRITEABLE"):
            getattr(syn, name).setflags(write=True)
        assert {type(x) for x in (getattr(syn, name) + 1, pickle.loads(pickle.dumps(getattr(syn, name))))} == {
            np.ndarray
        }
        with pytest.raises(AttributeError, match=f"Synapses.{name} cannot be changed. Take .* out with Network.remove"):
            setattr(syn, name, 3)
        np.testing.assert_array_equal(getattr(syn, name), before)
    net.remove(syn)
    again = net.connect(a, b, (syn.pre, syn.post), weight=syn.weight, delay=syn.delay + 1.0)
    np.testing.assert_allclose(np.sort(again.delay), np.sort(syn.delay + 1.0))
