"""Receptors that share a weight: against the slow twin, against one connection for each, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from network_oracle import Course, NetworkOracle
from oracle import Oracle, Quadratic

import izhnumba as iz

NMDA = iz.NMDA(1.0, 20.0)
CONDUCTANCES = 0.7 * iz.AMPA() + 0.3 * NMDA + iz.Alpha(4.0, E=-20.0)
COURSES = [
    (Course("exp", 5.0, E=0.0), 0.7),
    (Course("dual", 1.0, 20.0, E=0.0, Mg=1.0), 0.3),
    (Course("alpha", 4.0, E=-20.0), 1.0),
]
CURRENTS = 40 * iz.Pulse(0.5) + -10 * iz.Exponential(3.0)


def wired(receptor, scheme="exp_euler", *, threads=None, plasticity=None, dtype="float64", seed=0):
    """40 cells with a current each and 300 synapses among them, and the synapses as (pre, post, weight, steps)."""
    rng = np.random.default_rng(seed)
    net = iz.Network(scheme=scheme, seed=1, threads=threads)
    V = rng.uniform(-75, -60, 40)
    cells = net.add(iz.Population(40, a=0.05, c=-60.0, d=5.0, V=V, u=-14.0, dtype=dtype), name="cells")
    current = rng.uniform(0, 12, 40)
    net.drive(cells, iz.Constant(current))
    pre, post = rng.integers(40, size=(2, 300))
    steps, weight = rng.integers(1, 30, 300), rng.uniform(0.0, 0.1, 300)
    order = np.lexsort((post, steps, pre))
    edges = list(zip(pre[order], post[order], weight[order], steps[order], strict=True))
    connected = [
        net.connect(
            cells, cells, (pre, post), weight=ratio * weight, delay=0.1 * steps, receptor=one, plasticity=plasticity
        )
        for one, ratio in (receptor if isinstance(receptor, list) else [(receptor, 1.0)])
    ]
    return net, connected, edges, (V, current)


def outcome(net, *more):
    cells = net.populations["cells"]
    return [cells.V.tolist(), cells.u.tolist(), *(one.tolist() for one in more)]


@pytest.mark.parametrize("scheme", ["exp_euler", "izhikevich2003"])
def test_a_mixture_against_the_twin(scheme):
    net, _, edges, (V, current) = wired(CONDUCTANCES, scheme)
    twin = NetworkOracle(
        {"cells": Oracle(40, Quadratic(a=0.05, b=0.2, c=-60.0, d=5.0), scheme, 0.1, V, np.full(40, -14.0))},
        [("cells", "cells", course, [(i, j, ratio * w, D) for i, j, w, D in edges]) for course, ratio in COURSES],
        0.1, {"cells": current},
    )  # fmt: skip
    spikes = net.record(net.populations["cells"], "spikes")
    net.run(20.0)
    for _ in range(200):
        twin.step()
    assert [(int(k), "cells", int(i)) for k, i in zip(spikes.step, spikes.i, strict=True)] == sorted(twin.spikes)
    assert len(spikes) > 20
    np.testing.assert_allclose(net.populations["cells"].V, twin.populations["cells"].V, rtol=1e-6)


@pytest.mark.parametrize("mixture", [CONDUCTANCES, CURRENTS], ids=["conductances", "currents"])
def test_a_mixture_is_one_connection_for_each_part_and_its_current_is_their_sum(mixture):
    net, (syn,), *_ = wired(mixture)
    each, parts, *_ = wired(list(zip(mixture.parts, mixture.ratios, strict=True)))
    current = net.record(syn, "current")
    currents = [each.record(one, "current") for one in parts]
    for one in (net, each):
        one.run(15.0)
    np.testing.assert_allclose(current.current, sum(one.current for one in currents), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.populations["cells"].V, each.populations["cells"].V, rtol=1e-9)
    assert np.abs(current.current).max() > 1
    assert syn.weight.shape == (300,)


@pytest.mark.parametrize("mixture", [CONDUCTANCES, CURRENTS], ids=["conductances", "currents"])
def test_threads_pieces_and_files_do_not_change_a_bit(mixture, tmp_path):
    net, (syn,), *_ = wired(mixture)
    net.run(20.0)
    expected = outcome(net, syn.weight)
    other, (syn,), *_ = wired(mixture, threads=2)
    other.run(7.3)
    other.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    (loaded,) = again.synapses.values()
    assert loaded.receptor == mixture
    for one, its in ((other, syn), (again, loaded)):
        one.run(3.2)
        for _ in range(5):
            one.step()
        one.run(9.0)
        assert outcome(one, its.weight) == expected
    net.reset()
    net.run(20.0)
    assert outcome(net) == expected[:2]


def test_one_rule_changes_the_one_weight():
    rule = iz.STDP(w_max=0.1)
    net, (syn,), *_ = wired(0.7 * iz.AMPA() + 0.3 * iz.GABA_A(E=-10.0), plasticity=rule)
    each, (fast, slow), *_ = wired([(iz.AMPA(), 0.7), (iz.GABA_A(E=-10.0), 0.3)])
    before = syn.weight.copy()
    net.run(3.0)
    each.run(3.0)
    np.testing.assert_allclose(net.populations["cells"].V, each.populations["cells"].V, rtol=1e-12)  # no change yet
    net.run(40.0)
    assert np.abs(syn.weight - before).max() > 1e-4
    assert fast.weight.size == slow.weight.size == syn.weight.size


def test_spikes_from_outside():
    def current(*receptors):
        net = iz.Network(seed=1)
        cells = net.add(iz.Population(1), name="cells")
        for one, ratio in receptors:
            net.drive(cells, iz.SpikeTrain([0, 0], [1.0, 2.5], weight=0.2 * ratio, receptor=one))
        rec = net.record(cells, "V")
        net.run(20.0)
        return rec.V[:, 0]

    whole, each = current((CONDUCTANCES, 1.0)), current(*zip(CONDUCTANCES.parts, CONDUCTANCES.ratios, strict=True))
    np.testing.assert_allclose(whole, each, rtol=1e-12)
    assert (whole - current()).max() > 1


def test_how_it_is_written():
    assert repr(iz.Alpha(2.0) + 0.3 * iz.Pulse()) == "Alpha(tau=2.0, E=None) + 0.3 * Pulse(duration=None)"
    assert (iz.AMPA() + 0.5 * iz.GABA_A()) * 2 == 2 * iz.AMPA() + iz.GABA_A()
    assert (iz.Alpha(1.0) + iz.Alpha(2.0) + iz.Alpha(3.0)).parts == (iz.Alpha(1.0), iz.Alpha(2.0), iz.Alpha(3.0))
    assert CONDUCTANCES.adds_to == "conductance"
    assert CURRENTS.adds_to == "current"


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: iz.AMPA() + iz.Delta(), ValueError, r"Mixed.parts must be currents or conductances, got Delta\(\)"),
        (lambda: iz.AMPA() + iz.GapJunction(), ValueError, "Mixed.parts must be currents or conductances, got GapJ"),
        (lambda: iz.AMPA() + iz.Alpha(2.0), ValueError, "Mixed.parts must be all currents or all conductances"),
        (lambda: iz.AMPA() + -1 * iz.NMDA(), ValueError, "Mixed.ratios.0. must be above 0 for a conductance, got -1"),
        (lambda: 0 * iz.Alpha(2.0), ValueError, "Mixed.ratios.0. must be a number other than 0, got 0"),
        (lambda: float("nan") * iz.Alpha(2.0), ValueError, "Alpha ratio must be "),
        (lambda: iz.Mixed((), ()), ValueError, "Mixed.ratios must be one for each part .0, at least 1., got 0"),
        (lambda: iz.Mixed((iz.AMPA(),), (1.0, 2.0)), ValueError, "Mixed.ratios must be one for each part"),
        (lambda: iz.AMPA() + 1.0, TypeError, "unsupported operand"),
        (lambda: iz.AMPA() * iz.NMDA(), TypeError, "unsupported operand"),
    ],
)
def test_what_is_no_mixture(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_what_is_refused_elsewhere():
    net = iz.Network()
    cells = net.add(iz.Population(2), name="cells")
    with pytest.raises(ValueError, match=r"weight must be >= 0 for the conductance 0.7 \* .*E \(-20, 0 mV\) sets"):
        net.connect(cells, cells, iz.AllToAll(), weight=-1.0, receptor=CONDUCTANCES)
    with pytest.raises(ValueError, match="NMDA.Mg must be 1 mM like that of the population's other NMDA"):
        net.connect(cells, cells, iz.AllToAll(), weight=1.0, receptor=iz.NMDA() + iz.NMDA(Mg=2.0))
    assert not net.synapses
    exact = iz.Network(scheme="exact")
    cells = exact.add(iz.Population(2), name="cells")
    with pytest.raises(ValueError, match="receptor Mixed must be left out with the scheme 'exact': a spike has one"):
        exact.connect(cells, cells, iz.AllToAll(), weight=1.0, receptor=iz.AMPA() + iz.GABA_A())
