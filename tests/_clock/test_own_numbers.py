"""Rules whose numbers each synapse has for itself: the same as one call of `connect` for each synapse."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

import izhnumba as iz

CELLS = dict(a=0.5, b=0.2, c=-70.0, d=0.0, V=-70.0, u=-14.0)
RS = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=iz.Uniform(-70.0, -60.0), u=-14.0)
PRE, POST, DELAY = np.array([0, 0, 1, 1, 2]), np.array([3, 4, 3, 4, 4]), np.array([5.0, 2.0, 1.0, 4.0, 3.0])
RNG = np.random.default_rng(3)
TRAINS = [np.sort(RNG.choice(np.arange(1, 145), 25, replace=False)) for _ in range(5)]


@dataclass(frozen=True)
class Own(iz.Plasticity):
    """Its number `jump` is read by `after_spike`: no trace of the target's spikes does for all synapses."""

    jump: float = 1.0
    fall: float = 0.01
    gain: float = 0.05
    tau: float = 20.0

    def taus(self):
        return [self.tau], [15.0]

    @staticmethod
    def arrival(w, e, x, y, p):
        return w * math.exp(-p.fall), w - p.fall * y[0], e, (x[0] + 1,)

    @staticmethod
    def target_spike(w, e, x, y, p):
        return w + p.gain * x[0], e

    @staticmethod
    def after_spike(y, p):
        return (p.jump * y[0] + p.jump,)


def each(low, high):
    return np.random.default_rng(1).uniform(low, high, PRE.size)


PAIRS = iz.STDP(A_plus=each(0.01, 0.2), tau_minus=each(5.0, 50.0), w_max=each(1.5, 2.0))
SHORT = iz.TsodyksMarkram(U=each(0.1, 0.9), tau_rec=each(20.0, 200.0), tau_facil=each(1.0, 50.0))
RULES = {
    "STDP": PAIRS,
    "amplitudes": iz.STDP(A_plus=each(0.01, 0.2), A_minus=each(0.01, 0.1), w_min=each(0.0, 0.9), pairing="nearest"),
    "TripletSTDP": iz.TripletSTDP(0.05, each(0.01, 0.1), 0.07, 0.02, tau_x=each(20.0, 200.0), tau_y=each(20.0, 200.0)),
    "DopamineSTDP": iz.DopamineSTDP(tau_e=each(10.0, 90.0), tau_plus=each(5.0, 30.0), baseline=each(0.5, 1.0)),
    "TsodyksMarkram": SHORT,
    "Scaling": iz.Scaling(target=each(120.0, 250.0), eta=0.1, tau=each(30.0, 90.0), period=4.0),
    "STDP2006": iz.STDP2006(A_plus=each(0.1, 0.3), A_minus=each(0.1, 0.3), drift=each(0.0, 0.1), period=10.0),
    "together": [SHORT, PAIRS],
    "STDP2006 together": [SHORT, iz.STDP2006(A_plus=each(0.1, 0.3), A_minus=each(0.1, 0.3), period=10.0)],
    "Own": Own(jump=each(0.5, 1.0), tau=each(5.0, 30.0)),
}  # fmt: skip


def of_synapse(rule, k):
    """The rule with the numbers of synapse k."""
    if isinstance(rule, list):
        return [of_synapse(one, k) for one in rule]
    fields = {name: float(value[k]) for name, value in vars(rule).items() if np.ndim(value) and name[-4:] != "_tau"}
    return replace(rule, **fields)


def network(scheme, calls):
    """calls: (synapses, rule) of each call of `connect`. What they have delivered is in the states of a receptor."""
    net = iz.Network(dt=0.5, scheme=scheme, seed=1)
    cells = net.add(iz.Population(5, **CELLS), name="cells")
    for k, (some, rule) in enumerate(calls):
        net.connect(cells, cells, (PRE[some], POST[some]), weight=1.0, delay=DELAY[some], receptor=iz.Exponential(0.05),
                    plasticity=rule, name=f"syn{k}")  # fmt: skip
    i = np.repeat(np.arange(5), [len(train) for train in TRAINS])
    net.drive(cells, iz.SpikeTrain(i, np.concatenate(TRAINS).astype(float), weight=400.0))
    return net


SCHEMES = [(name, "euler") for name in RULES]
SCHEMES += [(name, "exact") for name in ("TripletSTDP", "DopamineSTDP", "Scaling", "together", "Own")]


@pytest.mark.parametrize(("name", "scheme"), SCHEMES)
def test_as_if_each_synapse_were_connected_by_itself(scheme, name):
    rule, order = RULES[name], np.lexsort((POST, DELAY, PRE))
    net = network(scheme, [(slice(None), rule)])
    other = network(scheme, [([k], of_synapse(rule, k)) for k in range(PRE.size)])
    syn, parts = net.synapses["syn0"], list(other.synapses.values())
    spikes, currents = net.record(net.populations["cells"]), [
        one.record(one.populations["cells"], "V", every=1.0) for one in (net, other)
    ]  # fmt: skip
    start = syn.weight.copy()
    for T in (1.0, 79.0, 70.0):
        net.run(T)
        other.run(T)
        if scheme == "exact":  # synapses of one source are in parts
            ends = zip(syn.pre, syn.post, strict=True)
            order = np.array([np.flatnonzero((PRE == i) & (POST == j))[0] for i, j in ends])
        found = np.array([parts[k].weight[0] for k in order])
        np.testing.assert_allclose(syn.weight, found, rtol=1e-9)
        if name == "DopamineSTDP":
            np.testing.assert_allclose(syn.eligibility, [parts[k].eligibility[0] for k in order], rtol=1e-9)
    np.testing.assert_allclose(*(one.V for one in currents), rtol=1e-6)
    assert len(spikes) > 60
    assert name == "TsodyksMarkram" or np.ptp(syn.weight) > 0.01
    net.reset(weights=True)
    np.testing.assert_array_equal(syn.weight, start)


def drawn(**options):
    """100 plastic synapses with numbers that are drawn."""
    net = iz.Network(dt=1.0, scheme="euler", seed=3, **options)
    cells = net.add(iz.Population(20, **RS), name="cells")
    short = iz.TsodyksMarkram(U=iz.Normal(0.5, 0.1, low=0, high=1), tau_rec=iz.Uniform(50.0, 200.0))
    pairs = iz.STDP(A_plus=iz.Uniform(0, 0.1), tau_minus=iz.Normal(20.0, 5.0, low=1.0), w_max=iz.Uniform(9, 10))
    net.connect(cells, cells, iz.FixedOutDegree(5), weight=iz.Uniform(5.0, 8.0), delay=iz.Uniform(1.0, 9.0),
                receptor=iz.Pulse(), plasticity=[short, pairs], name="syn")  # fmt: skip
    net.drive(cells, iz.Noise(std=9.0))
    net.record(cells, "spikes", name="spikes")
    return net


def test_numbers_are_drawn_by_the_stream_of_the_synapses_and_leave_all_others_as_they_are(tmp_path):
    net = drawn()
    syn = net.synapses["syn"]
    short, long = syn.plasticity
    for values, low, high in ((short.U, 0, 1), (short.tau_rec, 50, 200), (long.A_plus, 0, 0.1), (long.w_max, 9, 10)):
        assert values.shape == (100,)
        assert low <= values.min() < values.max() <= high
        assert not values.flags.writeable
    plain = iz.Network(dt=1.0, scheme="euler", seed=3)
    cells = plain.add(iz.Population(20, **RS), name="cells")
    other = plain.connect(cells, cells, iz.FixedOutDegree(5), weight=iz.Uniform(5.0, 8.0), delay=iz.Uniform(1.0, 9.0),
                          receptor=iz.Pulse(), plasticity=iz.STDP(), name="syn")  # fmt: skip
    for name in ("pre", "post", "delay", "weight"):
        np.testing.assert_array_equal(getattr(syn, name), getattr(other, name))
    np.testing.assert_array_equal(drawn().synapses["syn"].plasticity[1].A_plus, long.A_plus)
    net.run(100.0)
    net.save(tmp_path / "net.npz")
    again = iz.load(tmp_path / "net.npz")
    np.testing.assert_array_equal(again.synapses["syn"].plasticity[0].U, short.U)
    whole = drawn(threads=2)
    whole.run(200.0)
    for one in (net, again):
        one.run(100.0)
        np.testing.assert_array_equal(one.synapses["syn"].weight, whole.synapses["syn"].weight)
        np.testing.assert_array_equal(one.recorders["spikes"].step, whole.recorders["spikes"].step)
    assert np.ptp(whole.synapses["syn"].weight - plain.synapses["syn"].weight) > 0.1


def test_arrays_go_with_their_pairs_and_take_memory_only_where_they_are_used():
    net = iz.Network(dt=1.0, scheme="euler")
    cells = net.add(iz.Population(5, **CELLS))
    A = np.linspace(0.1, 0.5, 5)
    syn = net.connect(cells, cells, (PRE, POST), weight=10 * A, delay=DELAY, plasticity=iz.STDP(A_plus=A))
    np.testing.assert_allclose(10 * syn.plasticity.A_plus, syn.weight)
    assert syn._plastic.memory.dtype.names == ("arrival", "x1")
    W = np.arange(25.0).reshape(5, 5)
    syn = net.connect(cells, cells, iz.AllToAll(autapses=False), weight=W, plasticity=iz.Scaling(target=W + 1))
    np.testing.assert_allclose(syn.plasticity.target, syn.weight + 1)


ONE = (
    " must be one number for all synapses, got an array of shape (5,) and dtype float64. Synapses of another value are"
)
WRONG = [
    (lambda: iz.STDP(A_plus=np.array([0.1, np.nan])), "STDP.A_plus must be finite, got nan at index 1."),
    (lambda: iz.STDP(tau_plus=np.array([0.0, 1.0])), "STDP.tau_plus must be > 0 ms, got 0.0 at index 0."),
    (lambda: iz.TsodyksMarkram(U=[0.1, 1.5]), "TsodyksMarkram.U must be <= 1, got 1.5 at index 1."),
    (lambda: iz.STDP(w_min=0.5, w_max=[1.0, 0.4]), "STDP.w_max must be >= w_min (0.5), got 0.4 at index 1."),
    (lambda: iz.STDP(w_min=[0.5, 2.0], w_max=1.0), "STDP.w_max must be a number >= w_min (2), got 1.0."),
    (lambda: iz.DopamineSTDP(tau_d=np.ones(5)), f"DopamineSTDP.tau_d{ONE}"),
    (lambda: iz.Scaling(5.0, period=np.ones(5)), f"Scaling.period{ONE}"),
    (lambda: iz.STDP2006(decay=np.ones(5)), f"STDP2006.decay{ONE}"),
    (lambda: iz.STDP(A_plus=np.ones(3)), "STDP.A_plus must have shape (), (5,) or (5, 5) (sources, targets)"),
    (lambda: iz.TsodyksMarkram(U=iz.Normal(0.9, 0.2)), "TsodyksMarkram.U must be <= 1, got 1."),
    (lambda: iz.STDP(w_max=iz.Uniform(0.5, 0.9)), "Network.connect.weight must be from STDP.w_min to STDP.w_max of "),
    (lambda: iz.DopamineSTDP(tau_e=each(0.01, 0.02)), "DopamineSTDP.period must be "),
]  # fmt: skip


def test_numbers_that_cannot_be():
    net = iz.Network(dt=1.0, scheme="euler", seed=2)
    cells = net.add(iz.Population(5, **CELLS))
    for make, message in WRONG:
        with pytest.raises((TypeError, ValueError)) as caught:
            net.connect(cells, cells, (PRE, POST), weight=1.0, plasticity=make())
        assert str(caught.value).startswith(message)
    assert net.synapses == {}
