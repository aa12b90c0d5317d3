"""Receptors that saturate, and such with states by functions of one's own, against loops over single synapses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import kinetics_oracle as published
import numpy as np
import pytest

import izhnumba as iz

DT, N_STEPS = 0.1, 600


@dataclass(frozen=True)
class GabaB(iz.Receptor):
    """Three states of a source: r, for how many steps transmitter is there, and the G protein s."""

    alpha: float = 0.09
    beta: float = 0.0012
    duration: float = 2.0
    K3: float = 0.18
    K4: float = 0.034
    Kd: float = 1e-4
    states = 3
    per_source = True

    @staticmethod
    def advance(s, arrived, p):
        r, left, protein = s
        bound = p.alpha if left > 0 else 0.0
        rate = bound + p.beta
        after = bound / rate + (r - bound / rate) * math.exp(-rate * p.dt)
        protein = protein * math.exp(-p.K4 * p.dt) + p.K3 * 0.5 * (r + after) * p.dt
        left = max(left - 1, 0.0)
        if arrived > 0:
            left = p.duration / p.dt
        return after, left, protein

    @staticmethod
    def strength(s, p):
        return s[2] ** 4 / (s[2] ** 4 + p.Kd)


@dataclass(frozen=True)
class Shared(iz.Receptor):
    """All synapses of a target open receptors of one pool: s += arrived (1 - s)."""

    tau: float = 8.0
    peak: float = 5.0
    states = 1

    @staticmethod
    def advance(s, arrived, p):
        open_ = s[0] * math.exp(-p.dt / p.tau)
        return (open_ + min(arrived, 1.0) * (1 - open_),)

    @staticmethod
    def strength(s, p):
        return p.peak * s[0]


RECEPTORS = {
    "pulse": (
        iz.Kinetic(1.1, 0.19, duration=2.5),
        lambda k: published.first_order(k, N_STEPS, DT, 1.1, 0.19, 1.0, 2.5),
    ),
    "lost spikes": (
        iz.Kinetic(0.5, 0.05, T=2.0, duration=2.5, overlap="ignore"),
        lambda k: published.first_order(k, N_STEPS, DT, 0.5, 0.05, 2.0, 2.5, prolong=False),
    ),
    "jumps": (iz.Saturating(6.0, fraction=0.4), lambda k: published.jumps(k, N_STEPS, DT, 6.0, 0.4)),
    "second messenger": (
        GabaB(),
        lambda k: published.second_messenger(k, N_STEPS, DT, 0.09, 0.0012, 2.0, 0.18, 0.034, 1e-4),
    ),
}


def wired(receptor, *, dtype="float64", threads=None, plasticity=None, weights=(0.0, 1.0), at_once=False):
    """Six cells that kicks make spike in bursts, and 60 synapses onto eight others, with delays of all lengths; with
    `at_once` each fourth is 0."""
    rng = np.random.default_rng(5)
    net = iz.Network(dt=DT, scheme="euler", seed=1, threads=threads)
    source = net.add(iz.Population(6, dtype=dtype), name="source")
    target = net.add(iz.Population(8, dtype=dtype), name="target")
    i, t = rng.integers(6, size=40), np.round(rng.uniform(0, 55, 40), 1)
    net.drive(source, iz.SpikeTrain(i, t, weight=200.0))
    pre, post = rng.integers(6, size=60), rng.integers(8, size=60)
    weight, delay = rng.uniform(*weights, 60), rng.uniform(0.1, 9.0, 60)
    if at_once:
        delay[::4] = 0.0
    syn = net.connect(
        source, target, (pre, post), weight=weight, delay=delay,
        receptor=receptor, plasticity=plasticity, name="syn",
    )  # fmt: skip
    return net, syn, net.record(source, name="spikes"), net.record(syn, "current", name="current")


def expected(syn, spikes, course):
    """Of each target the sum over its synapses of weight times the state of that synapse, (n_steps, targets)."""
    total = np.zeros((N_STEPS, 8))
    for pre, post, weight, delay in zip(syn.pre, syn.post, syn.weight, syn.delay, strict=True):
        steps = {int(k) + round(float(delay) / DT) for k, i in zip(spikes.step, spikes.i, strict=True) if i == pre}
        total[1:, post] += weight * course(steps)[:-1]  # what a step has left acts in the next
    return total


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
@pytest.mark.parametrize("name", RECEPTORS)
def test_each_synapse_saturates_by_itself(name, at_once):
    receptor, course = RECEPTORS[name]
    net, syn, spikes, current = wired(receptor, at_once=at_once)
    net.run(N_STEPS * DT)
    assert len(spikes) > 30
    found = expected(syn, spikes, course)
    np.testing.assert_allclose(current.current, found, rtol=1e-7, atol=1e-9)
    assert found.max() > 0.3


def test_the_second_order_kinetics_of_wang():
    receptor = iz.WangNMDA(0.5, 2.0, 30.0, block=open_at_all_times)
    net, syn, spikes, current = wired(receptor, weights=(0.0, 1e-3))
    V = net.record(net.populations["target"], "V")
    net.run(N_STEPS * DT)
    found = expected(syn, spikes, lambda k: published.second_order(k, N_STEPS, DT, 0.5, 2.0, 30.0))
    at = np.vstack([np.full(8, -65.0), V.V[:-1]])
    np.testing.assert_allclose(current.current, found * -at, rtol=1e-7, atol=1e-9)
    assert found.max() > 1e-3


def open_at_all_times(V):
    return 1.0


def test_one_pool_of_receptors_for_all_synapses_of_a_target():
    net, syn, spikes, current = wired(Shared(), weights=(0.0, 0.4))
    net.run(N_STEPS * DT)
    arrived = np.zeros((N_STEPS + 100, 8))
    for pre, post, weight, delay in zip(syn.pre, syn.post, syn.weight, syn.delay, strict=True):
        for k in spikes.step[spikes.i == pre]:
            arrived[k + round(float(delay) / DT), post] += weight
    s, found = np.zeros(8), []
    for k in range(N_STEPS):
        found.append(5.0 * s)
        s = s * np.exp(-DT / 8.0)
        s = s + np.minimum(arrived[k], 1.0) * (1 - s)
    np.testing.assert_allclose(current.current, found, rtol=1e-9, atol=1e-12)
    assert np.max(found) > 2


@pytest.mark.parametrize(
    "receptor", [iz.Kinetic(1.1, 0.19, duration=2.5), GabaB(), Shared()], ids=["pulse", "own", "pool"]
)
def test_threads_pieces_and_files_do_not_change_a_bit(receptor, tmp_path):
    at_once = receptor.per_source  # the pool takes what arrives in the course of a step
    net, _, _, current = wired(receptor, at_once=at_once)
    net.run(40.0)
    other, *_ = wired(receptor, threads=2, at_once=at_once)
    other.run(7.3)
    for _ in range(6):
        other.step()
    other.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz", define=[GabaB, Shared])
    for one in (other, again):
        one.run(20.0)
        one.run(12.1)
        assert one.recorders["current"].current.tolist() == current.current.tolist()
        assert one.populations["target"].V.tolist() == net.populations["target"].V.tolist()
    before = current.current.copy()
    net.reset()
    net.run(40.0)
    assert current.current.tolist() == before.tolist()


def test_float32():
    (one, *_, current), (other, *_, exact) = (
        wired(iz.Kinetic(1.1, 0.19), dtype=dtype) for dtype in ("float32", "float64")
    )
    for net in (one, other):
        net.run(30.0)
    np.testing.assert_allclose(current.current, exact.current, rtol=1e-4, atol=1e-5)


def test_a_plastic_rule_sees_each_spike_once_and_changes_what_arrives():
    rule = iz.STDP(A_plus=0.0, A_minus=0.0, w_max=1.0)
    static, _, _, current = wired(iz.Kinetic(1.1, 0.19), at_once=True)
    plastic, _, _, same = wired(iz.Kinetic(1.1, 0.19), plasticity=rule, at_once=True)
    for one in (static, plastic):
        one.run(40.0)
    assert current.current.tolist() == same.current.tolist()
    rule = iz.STDP(A_plus=0.02, A_minus=0.03, w_max=1.0)
    weights = []
    for receptor in (iz.Kinetic(1.1, 0.19), iz.Exponential(1 / 0.19)):
        net, syn, *_ = wired(receptor, plasticity=rule, at_once=True)
        net.drive(net.populations["target"], iz.SpikeTrain([0, 3, 5, 3], [10.0, 14.0, 20.0, 33.0], weight=300.0))
        net.populations["target"].a = 0.0
        before = syn.weight.copy()
        net.run(40.0)
        weights.append(syn.weight.tolist())
        assert np.abs(syn.weight - before).max() > 0.01
    assert weights[0] == weights[1]


@pytest.mark.parametrize("receptor", [iz.Saturating(6.0), iz.Exponential(6.0)], ids=["saturating", "linear"])
def test_an_arrival_at_once_delivers_the_weight_before_it_changes(receptor):
    net = iz.Network(dt=DT, scheme="euler")
    cells = net.add(iz.Population(2))
    rule = iz.STDP(A_plus=0.0, A_minus=0.3, w_max=1.0)
    syn = net.connect(cells, cells, ([0], [1]), weight=0.8, delay=0.0, receptor=receptor, plasticity=rule)
    net.drive(cells, iz.SpikeTrain([1, 0], [1.0, 2.0], weight=200.0))  # so that the arrival depresses
    current = net.record(syn, "current")
    net.run(2.2)
    assert current.current[-1, 1] == 0.8
    assert syn.weight[0] < 0.7


def test_what_is_under_way_arrives_when_synapses_are_removed():
    net, syn, spikes, current = wired(iz.Saturating(6.0, fraction=0.4))
    net.run(20.0)
    target = net.populations["target"]
    other = net.connect(target, target, ([0], [1]), weight=0.0, receptor=syn.receptor, name="other")
    late = net.record(other, "current", name="late")
    copy, *_ = wired(iz.Saturating(6.0, fraction=0.4))
    del copy
    kept = [(int(k), int(i)) for k, i in zip(spikes.step, spikes.i, strict=True)]
    edges = list(zip(syn.pre.tolist(), syn.post.tolist(), syn.weight.tolist(), syn.delay.tolist(), strict=True))
    net.remove(current)
    net.remove(syn)
    net.run(20.0)
    total = np.zeros((400, 8))
    for pre, post, weight, delay in edges:
        steps = {k + round(delay / DT) for k, i in kept if i == pre}
        total[1:, post] += weight * published.jumps(steps, 400, DT, 6.0, 0.4)[:-1]
    np.testing.assert_allclose(late.current, total[200:], rtol=1e-7, atol=1e-9)
    assert total[200:].max() > 0.1


@pytest.mark.parametrize("name", RECEPTORS)
def test_spikes_from_outside_are_synapses_of_their_own(name, tmp_path):
    """Two drives of one receptor do not share what is open; several spikes of a step are one."""
    receptor, course = RECEPTORS[name]
    rng = np.random.default_rng(2)
    trains = [
        (rng.integers(3, size=20), np.round(rng.uniform(0, 55, 20), 1), weight) for weight in (0.7, [0.2, 0.3, 0.5])
    ]
    trains[0][1][0] = trains[0][1][1]
    trains[0][0][0] = trains[0][0][1]
    net = iz.Network(dt=DT, scheme="euler", seed=1)
    cells = net.add(iz.Population(3), name="cells")
    total = np.zeros((N_STEPS, 3))
    first = net.drive(cells, 0.0)  # taken out below: a file tells which of the drives were others
    for k, (i, t, weight) in enumerate(trains):
        drive = net.drive(cells, iz.SpikeTrain(i, t, weight=weight, receptor=receptor), name=str(k))
        net.record(drive, "current", name=f"current {k}")
        for j in range(3):
            steps = {round(float(x) / DT) for x in t[i == j]}
            total[1:, j] += np.broadcast_to(weight, 3)[j] * course(steps)[:-1]
    net.remove(first)
    net.run(23.4)
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz", define=[GabaB])
    for one in (net, again):
        one.run(N_STEPS * DT - 23.4)
        found = sum(one.recorders[f"current {k}"].current for k in range(2))
        np.testing.assert_allclose(found, total, rtol=1e-9, atol=1e-12)
    assert total.max() > 0.3


def test_poisson_spikes_and_a_drive_of_conductances():
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(50), name="cells")
    drive = net.drive(cells, iz.Poisson(300.0, weight=0.01, receptor=iz.Saturating(20.0, E=0.0)))
    rec = net.record(drive, "current")
    V = net.record(cells, "V")
    net.drive(cells, 0.02, receptor=iz.Kinetic(1.0, 0.1, E=-75.0))
    net.run(60.0)
    g = rec.current[1:] / (0.0 - V.V[:-1])
    g = g[V.V[:-1] < 25.0]
    assert 0.006 < np.median(g) < g.max() <= 0.01 * (1 + 1e-9)


REFUSED = [
    (dict(receptor=iz.Kinetic(1.0, 0.1, duration=0.25)), "Kinetic.duration must be a whole number of steps"),
    (
        dict(receptor=iz.Kinetic(1.0, 0.1), plasticity=iz.TsodyksMarkram()),
        "TsodyksMarkram.arrival must deliver the wei",
    ),
    (dict(receptor=iz.Kinetic(1.0, 0.1, E=0.0), weight=-1.0), "weight must be >= 0 for the conductance Kinetic"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_what_is_refused_by_connect(options, words):
    net, *_ = wired(iz.Exponential(2.0))
    with pytest.raises(ValueError, match=words):
        net.connect(net.populations["target"], net.populations["target"], iz.AllToAll(), **options)
    assert list(net.synapses) == ["syn"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: iz.Kinetic(0.0, 1.0), "Kinetic.alpha must be a finite number > 0"),
        (lambda: iz.Kinetic(1.0, -1.0), "Kinetic.beta must be a finite number > 0"),
        (lambda: iz.Kinetic(1.0, 1.0, overlap="restart"), "Kinetic.overlap must be "),
        (lambda: iz.Kinetic(1.0, 1.0, block="jahr-stevens"), "Kinetic.block must come with E"),
        (lambda: iz.Saturating(0.0), "Saturating.tau must be a finite number > 0"),
        (lambda: iz.Saturating(5.0, fraction=1.5), "Saturating.fraction must be a finite number > 0 and <= 1"),
        (lambda: iz.WangNMDA(tau_rise=0.0), "WangNMDA.tau_rise must be a finite number > 0"),
        (lambda: iz.WangNMDA(Mg=2.0, block="izhikevich"), "WangNMDA.Mg must be left out"),
        (lambda: iz.Kinetic(1.0, 0.1, E=0.0) + iz.AMPA(), "Mixed.parts must have no states of sources"),
    ],
)
def test_what_cannot_be(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_scheme_exact_refuses_them():
    net = iz.Network(scheme="exact")
    cells = net.add(iz.Population(2), name="cells")
    for receptor in (iz.Kinetic(1.0, 0.1), iz.Saturating(5.0), iz.WangNMDA()):
        with pytest.raises(
            ValueError, match="must be left out with the scheme 'exact': its kinetics are not linear. Use"
        ):
            net.connect(cells, cells, iz.AllToAll(), receptor=receptor)
    with pytest.raises(ValueError, match="Shared must be left out with the scheme 'exact': it does not tell its rates"):
        net.connect(cells, cells, iz.AllToAll(), receptor=Shared())


def own(**members):
    """A receptor of one state with these members."""
    rest = {"states": 1, "advance": staticmethod(lambda s, arrived, p: (0.5 * s[0] + arrived,))}
    return dataclass(frozen=True)(type("Own", (iz.Receptor,), {"__annotations__": {}, **rest, **members}))()


@pytest.mark.parametrize(
    ("members", "error", "words"),
    [
        (dict(states=0), ValueError, "Own.states must be 1 to 3, the number of states of advance, got 0"),
        (dict(states=4), ValueError, "Own.states must be 1 to 3"),
        (
            dict(advance=lambda self, s, arrived, p: s),
            TypeError,
            r"Own.advance must be a static method of \(s, arrived, p",
        ),
        (dict(advance=staticmethod(lambda s, p: s)), TypeError, r"Own.advance must be a function of \(s, arrived, p\)"),
        (
            dict(advance=staticmethod(lambda s, arrived, p: s[0])),
            ValueError,
            "Own.advance must return a tuple of 1 finite",
        ),
        (
            dict(advance=staticmethod(lambda s, arrived, p: (1.0,))),
            ValueError,
            "Own.advance must leave states of 0 as th",
        ),
        (
            dict(advance=staticmethod(lambda s, arrived, p: (1 / s[0],))),
            ValueError,
            "Own.advance must take states that",
        ),
        (dict(strength=staticmethod(lambda s, p: None)), ValueError, "Own.strength must return a finite number"),
        (dict(per_source=1), TypeError, "Own.per_source must be True or False"),
        (dict(per_source=True, quiet_tau=-1.0), ValueError, "Own.quiet_tau must be a finite number > 0 ms, got -1.0"),
        (
            dict(E=0.0, advance=staticmethod(lambda s, arrived, p: (0.5 * s[0] - arrived,))),
            ValueError,
            "Own.advance must make a conductance >= 0 of what arrives, got -1. E sets the sign of the current",
        ),
        (dict(E=0.0, strength=staticmethod(lambda s, p: -s[0])), ValueError, "Own.strength must make a conductance >="),
        (dict(advanced=lambda self: None), TypeError, "Own.advanced must be a method .* nothing calls|Did you mean"),
        (
            dict(advance=staticmethod(lambda s, arrived, p: (sum([x * arrived for x in s]) + arrived,))),
            TypeError,
            "Own must be a receptor that Numba can compile",
        ),
    ],
)
def test_own_states_that_cannot_be(members, error, words):
    net, *_ = wired(iz.Exponential(2.0))
    if "advanced" in members:
        members = members | {"advance": None}
    with pytest.raises(error, match=words):
        net.connect(net.populations["source"], net.populations["target"], iz.AllToAll(), receptor=own(**members))
    assert list(net.synapses) == ["syn"]
