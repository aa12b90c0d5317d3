"""Synapses of delay 0: what a spike does at the end of its own step. Against slow twins, and in other pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from interrupts import interrupted, moments, passed
from network_oracle import Course, NetworkOracle
from oracle import Oracle, Quadratic
from plastic_oracle import Pairs, PlasticOracle

import izhnumba as iz
from izhnumba._clock import network as clock_network
from izhnumba._clock.network import ClockNetwork

DT, SIZES = 0.1, {"a": 30, "b": 70}
DELTA = iz.Delta(), Course("delta"), 12.0
CONDUCTANCE = iz.AMPA(), Course("exp", 5.0, E=0.0), 0.05
ALL = [
    DELTA,
    (iz.Exponential(3.0), Course("exp", 3.0), 4.0),
    (iz.DualExponential(1.0, 6.0), Course("dual", 1.0, 6.0), 3.0),
    CONDUCTANCE,
    (iz.GapJunction(), Course("gap", E="that of the source"), 0.01),
]
SPARSE, MIXED, WHOLE = iz.FixedProbability(0.08), iz.Uniform(0.0, 1.0), iz.AllToAll(autapses=False)
SOME_REFRACTORY = np.resize([0.0, 0.1, 0.2, 1.5], 70)


def pair(scheme, receptors, rule, delay, reset="hard", tau_ref=None, V_min=-np.inf):
    """A network of two populations, and its twin."""
    rng = np.random.default_rng(0)
    net = iz.Network(dt=DT, scheme=scheme, seed=1)
    twins, current, wired, p = {}, {}, [], dict(a=0.05, b=0.2, c=-60.0, d=5.0)
    for name, n in SIZES.items():
        V, u, current[name] = rng.uniform(-75, -60, n), rng.uniform(-16, -12, n), rng.uniform(2, 14, n)
        tau = 0.0 if tau_ref is None else np.broadcast_to(tau_ref, 70)[:n]
        held = {} if tau_ref is None else {"model": iz.IzhikevichRef, "tau_ref": tau}
        cells = net.add(iz.Population(n, **p, **held, V=V, u=u, reset=reset, V_min=V_min), name)
        net.drive(cells, iz.Constant(current[name]))
        twins[name] = Oracle(n, Quadratic(**p), scheme, DT, V, u, reset, V_min, tau)
        twins[name].jumps_late = receptors[0] is DELTA
        net.record(cells, "spikes", name=f"spikes {name}")
        net.record(cells, ["V", "u"], name=f"states {name}")
    for source, target in (("a", "b"), ("b", "a"), ("b", "b")):
        for receptor, course, strength in receptors:
            gap = course.kind == "gap"
            most = strength * (0.08 if rule is WHOLE else 1.0)
            weight = iz.Uniform(-0.5 * most if course.E is None else 0.0, most)
            syn = net.connect(net.populations[source], net.populations[target], SPARSE if gap else rule, weight=weight,
                              delay=None if gap else delay, receptor=receptor)  # fmt: skip
            steps = np.rint(syn.delay / DT).astype(int)
            assert gap or steps.min() == 0
            edges = zip(syn.pre, syn.post, syn._rows.weights.tolist(), steps, strict=True)
            wired.append((source, target, course, list(edges)))
    return net, NetworkOracle(twins, wired, DT, current)


CASES = {
    "only 0": ("euler", [DELTA], SPARSE, 0.0),
    "reset first": ("exp_euler", [DELTA], SPARSE, MIXED),
    "two half steps": ("izhikevich2003", ALL, SPARSE, MIXED),
    "jumps as currents": ("nest_published", ALL, SPARSE, MIXED),
    "strict test": ("izhikevich2004", [DELTA], WHOLE, 0.0),
    "whole rows": ("exp_euler", ALL[:4], WHOLE, 0.0),
    "refractory": ("exp_euler", [DELTA], SPARSE, MIXED, "hard", 1.0),
    "some refractory, overshoot": ("euler", [DELTA], SPARSE, MIXED, "overshoot", SOME_REFRACTORY),
    "reset first, overshoot": ("exp_euler", [DELTA], SPARSE, MIXED, "overshoot", SOME_REFRACTORY),
    "floor": ("euler", [DELTA], SPARSE, 0.0, "hard", None, -66.0),
    "no jumps": ("exp_euler", ALL[1:], SPARSE, MIXED),
}


@pytest.mark.parametrize("case", CASES)
def test_steps_are_those_of_a_slow_twin(case):
    net, twin = pair(*CASES[case])
    # What overshoots differs at the last digit, and soon at the first; whole rows take the twin long.
    n_steps = 60 if "overshoot" in case or case == "whole rows" else 250
    for _ in range(n_steps):
        twin.step()
    net.run(n_steps * DT)
    spikes = [(k, name, i) for name in SIZES for spikes in [net.recorders[f"spikes {name}"]]
              for k, i in zip(spikes.step.tolist(), spikes.i.tolist(), strict=True)]  # fmt: skip
    assert sorted(spikes) == sorted(twin.spikes)
    assert len(spikes) > 50
    for name, cells in net.populations.items():
        np.testing.assert_allclose(cells.V, twin.populations[name].V, rtol=1e-6)
        np.testing.assert_array_equal(net.recorders[f"states {name}"].V[-1], cells.V)


def test_a_jump_over_the_threshold_is_a_spike_of_the_next_step():
    for scheme in ("euler", "exp_euler"):
        net, spikes = kicked(scheme, [0.6], 120.0)
        net.run(2.0)
        assert (net.recorders["source"].step.tolist(), spikes.step.tolist()) == ([6], [7])


def kicked(scheme, times, weight, **options):
    """A source that spikes in the steps that end at these times plus dt, and a target."""
    net = iz.Network(dt=DT, scheme=scheme)
    source, target = net.add(iz.Population(1), "source"), net.add(iz.Population(1, u=-13.0, **options), "target")
    net.drive(source, iz.SpikeTrain(np.zeros(len(times), int), times, weight=500.0))
    net.connect(source, target, iz.AllToAll(), weight=weight, delay=0.0, name="at once")
    net.record(source, "spikes", name="source")
    return net, net.record(target, "spikes", name="target")


@pytest.mark.parametrize("scheme", ["euler", "exp_euler"])
def test_a_neuron_above_the_threshold_spikes_also_if_its_synapses_have_gone(scheme, tmp_path):
    net, spikes = kicked(scheme, [0.6], 120.0)
    net.run(0.7)
    assert net.populations["target"].V[0] > 30.0
    net.remove(net.synapses["at once"])
    net.save(tmp_path / "net.npz")
    for one in (net, iz.load(tmp_path / "net.npz")):
        one.run(1.0)
        assert one.recorders["target"].step.tolist() == [7]
        one.connect(*one.populations.values(), iz.AllToAll(), weight=0.0, receptor=iz.AMPA())
        one.run(1.0)
        one.reset()
        one.run(1.0)
        assert one.populations["target"]._engine.arrivals.jump_at_once is False


def test_samples_are_those_of_each_step_when_synapses_without_delay_have_gone():
    """The network advances in slices then, and the way of V that jumps after the test is left with the next change."""
    found = []
    for pieces in (1, 40):
        net, _ = kicked("euler", [0.6], 20.0)
        V = net.record(net.populations["target"], "V")
        net.run(1.0)
        net.remove(net.synapses["at once"])
        for _ in range(pieces):
            net.run(4.0 / pieces)
        found.append(V.V)
    np.testing.assert_array_equal(*found)
    assert np.unique(found[0]).size == 50


def test_jumps_meet_spikes_as_in_brian2():
    """A hard reset leaves nothing of the jump in the step of a spike; refractory neurons do not jump."""
    alone, spikes = kicked("euler", [], 3.0, a=0.02, b=0.2, c=-65.0, d=8.0)
    alone.drive(alone.populations["target"], 10.0)
    V = alone.record(alone.populations["target"], "V")
    alone.run(20.0)
    spike = int(spikes.step[0])
    for reset, tau_ref, *jumps in (("hard", 0.0, 0, 3, 3), ("overshoot", 0.0, 3, 3, 3), ("overshoot", 2.0, 0, 0, 3)):
        before = V.V[:spike, 0]
        for at, jump in zip((spike, spike + 1, spike + 20), jumps, strict=True):
            found = []
            for times in ([], [at * DT]):
                net, _ = kicked("euler", times, 3.0, model=iz.IzhikevichRef, tau_ref=tau_ref, reset=reset)
                net.drive(net.populations["target"], 10.0)
                states = net.record(net.populations["target"], "V")
                net.run(20.0)
                np.testing.assert_array_equal(states.V[:spike, 0], before)
                found.append(states.V[at, 0])
            assert found[1] - found[0] == pytest.approx(jump, abs=1e-12)


def pieces(threads=None, seed=5):
    """Large enough for two blocks; every kind of synapse, some of delay 0."""
    net = iz.Network(dt=0.5, seed=seed, threads=threads)
    exc = net.add(iz.Population(2500, **iz.presets["RS"], dtype="float32"), "exc")
    inh = net.add(iz.Population(300, **iz.presets["FS"], dtype="float32"), "inh")
    net.connect(exc, exc, iz.FixedOutDegree(100), weight=iz.Uniform(0, 0.3), delay=iz.Uniform(0.0, 10.0), name="mixed")
    net.connect(exc, inh, iz.FixedInDegree(50), weight=0.02, delay=iz.Uniform(0.0, 4.0), receptor=iz.AMPA())
    net.connect(inh, exc, iz.AllToAll(), weight=-0.05, delay=0.0)
    net.connect(inh[:100], inh, iz.AllToAll(autapses=False), weight=0.01, delay=0.0, receptor=iz.GABA_B())
    net.connect(exc[::3], exc, iz.AllToAll(autapses=False), weight=iz.Shared(-0.002), delay=3.0, name="shared")
    net.connect(inh, exc, iz.AllToAll(), weight=iz.Shared(0.001), delay=0.0, receptor=iz.GABA_A())
    rule = iz.STDP(0.01, 0.012, w_max=0.4)
    few, short = iz.FixedOutDegree(30), iz.Uniform(0.0, 3.0)
    net.connect(exc[:200], exc, few, weight=0.2, delay=short, plasticity=rule, name="st")
    net.drive(exc, iz.Noise(std=9.0))
    net.record(exc, "spikes", name="spikes")
    net.record(exc, "V", every=2.0, neurons=[0, 2100], name="V")
    net.record(net.synapses["st"], every=5.0, synapses=[3, 4], name="weight")
    return net


def outcome(net):
    spikes, V, weight = (net.recorders[name] for name in ("spikes", "V", "weight"))
    states = [array.copy() for cells in net.populations.values() for array in (cells.V, cells.u)]
    return [spikes.i, spikes.step, V.t, V.V, weight.weight, net.synapses["st"]._rows.weights.copy(), *states]


def test_pieces_threads_and_files_do_not_change_a_bit(tmp_path, monkeypatch):
    whole = pieces(threads=1)
    whole.run(60.0)
    expected, rng = outcome(whole), np.random.default_rng(0)
    assert expected[0].size > 500
    monkeypatch.setattr(ClockNetwork, "threads_for", lambda clock, until, stop, wanted: wanted)
    monkeypatch.setattr(clock_network, "window_for", lambda rows, length, steps, row_bytes: 4 * length)
    for threads, saved_at in ((1, 43), (2, 1)):
        net = pieces(threads=threads)
        while net.n_steps < 120:
            net.step()
            net.run(min(int(rng.integers(0, 20)), 120 - net.n_steps) * 0.5)
            if net.n_steps > saved_at:
                net.save(tmp_path / "net.npz")
                net, saved_at = iz.load(tmp_path / "net.npz"), 1000
        for array, value in zip(outcome(net), expected, strict=True):
            np.testing.assert_array_equal(array, value)
    whole.reset(weights=True)
    whole.run(60.0)
    for array, value in zip(outcome(whole), expected, strict=True):
        np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize("scheme", ["euler", "exp_euler"])
def test_pairs_of_plasticity(scheme):
    """An arrival of delay 0 comes before the target spikes of its step, as any arrival of that step."""
    rng, n, n_steps, p = np.random.default_rng(2), 12, 300, dict(a=0.02, b=0.2, c=-65.0, d=8.0)
    current = rng.uniform(-20, 60, (n_steps, n))
    twin = Oracle(n, Quadratic(**p), scheme, 0.5, -65.0, -13.0)
    twin.jumps_late = True
    net = iz.Network(dt=0.5, scheme=scheme, seed=1)
    cells = net.add(iz.Population(n, **p, V=-65.0, u=-13.0), "cells")
    net.drive(cells, iz.TimedArray(current, 0.5))
    rule = iz.STDP(0.5, 0.4, 10.0, 20.0, w_max=8.0)
    syn = net.connect(cells, cells, iz.FixedProbability(0.4, autapses=True), weight=iz.Uniform(0.0, 8.0), delay=0.0,
                      plasticity=rule)  # fmt: skip
    edges = list(zip(syn.pre, syn.post, syn.weight.tolist(), [0] * len(syn), strict=True))
    oracle = PlasticOracle(twin, [], edges, Pairs(0.5, 0.4, 10.0, 20.0, 8.0), 0.5, current)
    spikes = net.record(cells, "spikes")
    expected = [oracle.step() for _ in range(n_steps)]
    net.run(n_steps * 0.5)
    assert [spikes.i[spikes.step == k].tolist() for k in range(n_steps)] == expected
    assert spikes.i.size > 100
    np.testing.assert_allclose(syn.weight, [one.w for one in oracle.plastic], rtol=1e-9)


@dataclass(frozen=True)
class Pool(iz.Receptor):
    tau: float = 5.0
    states = 1

    @staticmethod
    def advance(s, arrived, p):
        return (s[0] * p.tau / (p.tau + p.dt) + arrived,)


ZERO_OR_MORE, MORE = ("Network.connect.delay must be " + rest for rest in (
    "0 or at least one step of 0.1 ms, got ", "at least one step of 0.1 ms, got "))  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(delay=0.05), ZERO_OR_MORE + "0.05 ms for synapse 0."),
        (dict(delay=[0.0, 0.09]), ZERO_OR_MORE + "0.09 ms for synapse 1."),
        (dict(delay=iz.Uniform(0.01, 0.02)), ZERO_OR_MORE + "0.01"),
        (dict(delay=lambda rng, size: np.full(size, -1.0)), ZERO_OR_MORE + "-1 ms for synapse 0."),
        (dict(delay=0.0, receptor=iz.Pulse()), MORE + "0 ms for synapse 0. What arrives through Pulse(duration=None) "
                                                      "acts during the step itself, which must not be over."),
        (dict(delay=0.0, receptor=Pool()), MORE + "0 ms for synapse 0. What arrives through Pool(tau=5.0) acts during"),
        (dict(delay=0.0, receptor=iz.GapJunction()), "Network.connect.delay must be left out with GapJunction(), which "
                                                     "acts at all times."),
    ],
)  # fmt: skip
def test_what_cannot_be_0_is_refused(options, message):
    net = iz.Network()
    cells = net.add(iz.Population(2))
    with pytest.raises(ValueError, match=re.escape(message)):
        net.connect(cells, cells, ([0, 1], [1, 0]), **options)
    assert not net.synapses


def test_the_scheme_exact_has_no_delay_0():
    net = iz.Network(scheme="exact")
    cells = net.add(iz.Population(2))
    message = ("Network.connect.delay must be at least 1e-06 ms with the scheme 'exact', got 0 ms for synapse 0. Delay "
               "0 is for schemes with steps: there a spike acts at the end of its own.")  # fmt: skip
    with pytest.raises(ValueError, match=re.escape(message)):
        net.connect(cells, cells, iz.AllToAll(), delay=0.0)


def test_distributions_from_0_on_round_to_the_nearest_step():
    net = iz.Network(dt=1.0)
    cells = net.add(iz.Population(40))
    for delay in (iz.Uniform(0.0, 2.2), iz.Normal(1.0, 1.0, low=0.0, high=2.2)):
        syn = net.connect(cells, cells, iz.AllToAll(), delay=delay)
        assert sorted(set(syn.delay.tolist())) == [0.0, 1.0, 2.0]
        assert 0.1 < np.mean(syn.delay == 0.0) < 0.4
    others = net.add(iz.Population(40))
    syn = net.connect(cells + others, cells, iz.FixedProbability(0.5), delay=iz.Uniform(0.0, 2.2))
    assert sorted(set(syn.delay.tolist())) == [0.0, 1.0, 2.0]


def test_a_jump_to_infinity_is_told_in_its_step():
    net, _ = kicked("euler", [0.6], 1e308)
    net.connect(*net.populations.values(), iz.AllToAll(), weight=1e308, delay=0.0)
    with pytest.raises(RuntimeError, match=r"V became non-finite in 1 of 1 neuron at t = 0.7 ms, first neuron 0"):
        net.run(0.7)


def test_receptors_that_share_a_weight():
    """At delay 0, too, a mixture is what its parts are one by one."""

    def spikes(*mixture):
        net = iz.Network(dt=DT, seed=2)
        cells = net.add(iz.Population(50, **iz.presets["RS"]), "cells")
        net.drive(cells, iz.Noise(std=20.0))
        pairs = np.nonzero(np.random.default_rng(0).random((50, 50)) < 0.3)
        for receptor, weight in mixture:
            net.connect(cells, cells, pairs, weight=weight, delay=0.0, receptor=receptor)
        recorder = net.record(cells, "spikes")
        net.run(60.0)
        return recorder.i, recorder.step

    slow = iz.DualExponential(2.0, 30.0, E=0.0)
    one, several = spikes((iz.AMPA() + 0.5 * slow, 0.01)), spikes((iz.AMPA(), 0.01), (slow, 0.005))
    assert one[0].size > 50
    for array, value in zip(one, several, strict=True):
        np.testing.assert_array_equal(array, value)


def test_calls_are_interrupted_at_any_line():
    """Where synapses of delay 0, plastic ones and such that share a weight come and go."""

    def run_to(net, step):
        if net.n_steps < step:
            net.run((step - net.n_steps) * 0.5)

    def go_on(net):
        run_to(net, 6)
        if "shared" not in net.synapses:
            cells = net.populations["cells"]
            net.connect(cells, cells, iz.AllToAll(), weight=iz.Shared(0.5), delay=0.0, name="shared")
        run_to(net, 12)
        if "at once" in net.synapses:
            net.remove(net.synapses["at once"])
        run_to(net, 60)
        return net.populations["cells"].V.copy()

    def made():
        net = iz.Network(dt=0.5, seed=2)
        cells = net.add(iz.Population(20, **iz.presets["RS"]), "cells")
        net.drive(cells, iz.Noise(std=30.0))
        mixed = dict(weight=3.0, delay=iz.Uniform(0.0, 2.0))
        net.connect(cells, cells, iz.FixedOutDegree(8), **mixed, name="at once")
        net.connect(cells, cells, iz.FixedOutDegree(8), **mixed, plasticity=iz.STDP(w_max=5.0), name="plastic")
        return net

    expected, lines, net = go_on(made()), [], made()
    lines = passed(lambda: go_on(net))
    ours = ("_clock/at_once.py", "_clock/shared.py", "_clock/network.py", "_clock/receptors.py", "_network/run.py")
    mine = [at for at in moments(lines) if lines[at - 1][0].endswith(ours)]
    assert len(mine) > 50
    for at in mine:
        net = made()
        assert interrupted(lambda net=net: go_on(net), at)
        np.testing.assert_array_equal(go_on(net), expected, err_msg=str(lines[at - 1]))
