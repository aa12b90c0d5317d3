"""All-to-all synapses that share a weight: the same spikes as with a weight for each, in memory for neurons alone."""

from __future__ import annotations

import re

import crafted
import numpy as np
import pytest

import izhnumba as iz
from izhnumba._base import checks

N, DT = 700, 0.5
GAPS = np.arange(3, 690, 3)
CASES = {
    "jumps": {},
    "without autapses": dict(autapses=False),
    "conductances, a long delay": dict(autapses=False, delay=7.0, receptor=iz.AMPA()),
    "delay 0": dict(autapses=False, delay=0.0),
    "a current of delay 0": dict(delay=0.0, receptor=iz.Exponential(3.0)),
    "pulses": dict(delay=2.0, receptor=iz.Pulse(), dtype="float64"),
    "slices": dict(autapses=False, pre=slice(10, 300), post=slice(200, 650)),
    "sets with gaps": dict(autapses=False, pre=[5, 1, 600], post=GAPS),
    "a set and a slice": dict(pre=slice(100), post=GAPS, delay=1.0),
    "none": dict(autapses=False, pre=[7], post=[7]),
    "a single one": dict(autapses=False, pre=[7], post=[650, 7, 3][:2]),
}


def network(weight, *, autapses=True, delay=DT, receptor=None, pre=slice(None), post=slice(None), dtype="float32",
            threads=None):  # fmt: skip
    net = iz.Network(dt=DT, seed=3, threads=threads)
    cells = net.add(iz.Population(N, **iz.presets["RS"], dtype=dtype), "cells")
    net.drive(cells, iz.Noise(std=12.0))
    rule = iz.AllToAll(autapses=autapses)
    net.connect(cells[pre], cells[post], rule, weight=weight, delay=delay, receptor=receptor, name="syn")
    net.record(cells, "spikes", name="spikes")
    return net


def outcome(net):
    spikes, cells = net.recorders["spikes"], net.populations["cells"]
    return [spikes.i.copy(), spikes.step.copy(), cells.V.copy(), cells.u.copy()]


def assert_same(one, other):
    for array, value in zip(outcome(one), outcome(other), strict=True):
        np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize("case", CASES)
def test_all_is_as_with_a_weight_for_each(case):
    shared, each = (network(weight, **CASES[case]) for weight in (iz.Shared(0.013), 0.013))
    for net in (shared, each):
        net.run(60.0)
    assert_same(shared, each)
    assert len(shared.recorders["spikes"]) > 400
    one, other = (net.synapses["syn"] for net in (shared, each))
    assert len(one) == len(other)
    for name in ("pre", "post", "delay"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.weight.shape == (1,)
    np.testing.assert_array_equal(one.to_scipy().toarray(), other.to_scipy().toarray())
    assert one.receptor == other.receptor


def test_pieces_threads_and_files_do_not_change_a_bit(tmp_path):
    whole, rng = network(iz.Shared(0.1), autapses=False, delay=4.0, threads=1), np.random.default_rng(1)
    whole.run(60.0)
    net, saved = network(iz.Shared(0.1), autapses=False, delay=4.0, threads=2), False
    while net.n_steps < 120:
        net.step()
        net.run(min(int(rng.integers(0, 20)), 120 - net.n_steps) * DT)
        if net.n_steps > 50 and not saved:
            saved = True
            assert net.synapses["syn"]._projection.shared.counts.any()
            net.save(tmp_path / "net.npz")
            net = iz.load(tmp_path / "net.npz")
    assert_same(net, whole)
    whole.reset()
    whole.run(60.0)
    assert_same(net, whole)


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("rows/starts", 5, 3496, "leave room for a weight of every target, got 3496 at index 4"),
        ("state/counts", 1, N + 1, "be at most 700, got 701 at index 1"),
        ("state/sums", (1, 0), np.nan, "be numbers, got nan at index 2"),
        ("state/sent", (0, -1), 2**63, "be spikes of sources, got 9223372036854775808"),
    ],
)
def test_what_a_file_says_of_them_is_looked_at(tmp_path, name, place, value, message):
    net = network(iz.Shared(0.1), autapses=False, delay=4.0)
    net.run(5.0)
    net.save(tmp_path / "net.npz")
    about, arrays = crafted.parts_of(tmp_path / "net.npz")
    arrays[f"network/synapses/syn/{name}"][place] = value
    crafted.write(tmp_path / "net.npz", about, arrays)
    with pytest.raises(ValueError, match=message):
        iz.load(tmp_path / "net.npz")


def test_spikes_keep_the_weight_with_which_they_were_sent():
    def changed(weight):
        net = network(weight, delay=5.0)
        for new in (0.2, -0.1, None):
            net.run(12.5)
            if new is not None:
                net.synapses["syn"].weight = new
        held = net.synapses["syn"].weight
        held[...] = 0.05
        net.run(10.0)
        net.remove(net.synapses["syn"])
        net.run(10.0)
        return net

    assert_same(changed(iz.Shared(0.02)), changed(0.02))


def test_sums_are_made_on_their_own_and_added_behind_others():
    """To what other synapses let arrive comes one number for the spikes of a step."""
    net = iz.Network(dt=DT, scheme="euler")
    source, target = net.add(iz.Population(3), "source"), net.add(iz.Population(1), "target")
    net.drive(source, iz.SpikeTrain([0, 1, 2], [1.0, 1.0, 1.0], weight=500.0))
    one = net.connect(source, target, iz.AllToAll(), weight=iz.Shared(0.1), receptor=iz.Pulse())
    net.connect(source[:1], target, iz.AllToAll(), weight=0.7, receptor=iz.Pulse())
    current = net.record(one, "current")
    net.run(3.0)
    assert current.current.max() == 0.7 + (0.1 + 0.1 + 0.1) != ((0.7 + 0.1) + 0.1) + 0.1


def test_recorded_weight_and_limits():
    net = network(iz.Shared(0.01), receptor=iz.AMPA())
    syn = net.synapses["syn"]
    weight, current = net.record(syn, every=5.0), net.record(syn, "current", every=5.0, neurons=[0, 9])
    net.run(10.0)
    syn.weight = np.array([0.02])
    net.run(10.0)
    np.testing.assert_array_equal(weight.weight[:, 0], np.float32([0.01, 0.01, 0.02, 0.02]))
    assert current.current.shape == (4, 2)
    assert current.current.any()
    with pytest.raises(ValueError, match="be >= 0 for the conductance"):
        syn.weight = -1.0
    syn.weight[0] = -1.0
    with pytest.raises(ValueError, match="be >= 0 for the conductance"):
        net.run(1e4)


def test_both_ends_may_be_several_populations():
    def joined(weight):
        net = iz.Network(dt=DT, seed=1)
        a, b = net.add(iz.Population(100, **iz.presets["RS"]), "a"), net.add(iz.Population(70, **iz.presets["FS"]), "b")
        net.drive(a + b, iz.Noise(std=12.0))
        syn = net.connect(a + b, b + a, iz.AllToAll(autapses=False), weight=weight)
        spikes = net.record(a + b, "spikes")
        net.run(50.0)
        return syn, spikes.i

    (one, spikes), (other, expected) = joined(iz.Shared(0.25)), joined(0.25)
    assert len(one) == len(other) == 170 * 169
    np.testing.assert_array_equal(spikes, expected)
    assert len(one.weight) == 4
    one.weight = 0.5


def test_it_takes_memory_for_neurons_alone(monkeypatch):
    monkeypatch.setattr(checks, "free_memory", lambda: 2**24)
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(10_000), "cells")
    cure = r"Connect fewer neurons, or use float32. If all have the same weight: weight=Shared\(0.5\)."
    with pytest.raises(ValueError, match=cure):
        net.connect(cells, cells, iz.AllToAll(), weight=0.5)
    syn = net.connect(cells, cells, iz.AllToAll(), weight=iz.Shared(0.5), delay=20.0)
    arrays = [syn._rows.starts, syn._rows.weights, *syn._projection.shared.state().values()]
    assert sum(array.nbytes for array in arrays) < 100 * cells.n


def test_the_scheme_exact_keeps_a_weight_for_each():
    net = iz.Network(scheme="exact")
    cells = net.add(iz.Population(20), "cells")
    syn = net.connect(cells, cells, iz.AllToAll(), weight=iz.Shared(0.5), delay=1.0)
    np.testing.assert_array_equal(syn.weight, np.full(400, 0.5))


CURE = "Pass the number itself as weight, so that each synapse has its own."


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        (iz.OneToOne(), {}, f"Network.connect.rule must be AllToAll() with a Shared weight, got OneToOne(). {CURE}"),
        (iz.AllToAll(), dict(delay=iz.Uniform(1.0, 2.0)),
         f"Network.connect.delay must be one number with a Shared weight, got Uniform(low=1.0, high=2.0). {CURE}"),
        (iz.AllToAll(), dict(receptor=iz.GapJunction()),
         f"Network.connect.receptor must be a linear one with a Shared weight, got GapJunction(). {CURE}"),
        (iz.AllToAll(), dict(plasticity=iz.STDP()), "Network.connect.plasticity must be None with a Shared weight, "
         f"got STDP(A_plus=0.01, A_minus=0....'all', dependence='additive'). {CURE}"),
        (iz.AllToAll(), dict(receptor=iz.AMPA(), weight=iz.Shared(-1.0)), "be >= 0 for the conductance"),
    ],
)  # fmt: skip
def test_what_cannot_share_a_weight(rule, options, message):
    net = iz.Network()
    cells = net.add(iz.Population(3))
    with pytest.raises(ValueError, match=re.escape(message)):
        net.connect(cells, cells, rule, **{"weight": iz.Shared(1.0), **options})
    assert not net.synapses


def test_one_weight_is_one_number():
    with pytest.raises(ValueError, match=r"^Shared.weight must be a finite number, got nan"):
        iz.Shared(np.nan)
    with pytest.raises(TypeError, match=r"^Shared.weight must be a finite number, got '0.5'"):
        iz.Shared("0.5")
    syn = network(iz.Shared(0.5)).synapses["syn"]
    with pytest.raises(ValueError, match=r"^Synapses.weight must have shape \(\) or \(1,\), got \(490000,\)"):
        syn.weight = np.zeros(N * N)
