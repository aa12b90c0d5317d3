"""Spike sources in networks: what they send is what neurons would have sent, and nothing else can come of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from going_on import assert_goes_on_after_loading
from interrupts import interrupted, moments, passed

import izhnumba as iz
from izhnumba._input.sources import PoissonTrains

N = 80
SCHEMES = ["exp_euler", "exact"]
RECEPTORS = [iz.Delta(), iz.AMPA(), iz.Alpha(3.0)]


def senders(scheme="exp_euler", **options):
    """Neurons that fire, and all of their spikes."""
    net = iz.Network(scheme=scheme, seed=5, dt=0.5, **options)
    cells = net.add(iz.Population(N, **iz.presets["RS"]), "from")
    net.drive(cells, np.linspace(4.0, 14.0, N))
    return net, cells


def trains(scheme="exp_euler", T=100.0):
    net, cells = senders(scheme)
    spikes = net.record(cells)
    net.run(T)
    return spikes


def reached(net, source, receptor=None, plasticity=None, delay=None):
    """Neurons with synapses from a source, and what becomes of them."""
    to = net.add(iz.Population(40, **iz.presets["FS"]), "to")
    delay = iz.Uniform(1.0, 6.0) if delay is None else delay
    syn = net.connect(
        source[10:60], to, iz.FixedOutDegree(7), weight=0.4, delay=delay, receptor=receptor, plasticity=plasticity,
        name="syn",
    )  # fmt: skip
    net.drive(to, 5.0)
    return to, syn, net.record(to, name="spikes")


def replayed(scheme="exp_euler", spikes=None, **options):
    net = iz.Network(scheme=scheme, seed=5, dt=0.5, **options)
    return net, net.add(iz.SpikeSource(trains(scheme) if spikes is None else spikes, n=N), "from")


@pytest.mark.parametrize(
    ("scheme", "receptor"),
    [("exp_euler", iz.Pulse()), ("exp_euler", iz.WangNMDA()), *itertools.product(SCHEMES, RECEPTORS)],
    ids=repr,
)
def test_replayed_spikes_do_what_those_of_neurons_did(scheme, receptor):
    found = []
    for net, source in (senders(scheme), replayed(scheme)):
        to, _, spikes = reached(net, source, receptor)
        net.run(100.0)
        found.append((spikes.i, spikes.t, to.V.copy(), to.u.copy()))
    assert len(found[0][0]) > 50
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("rule", [iz.STDP(w_max=2.0), iz.TsodyksMarkram(), iz.DopamineSTDP(baseline=0.1, w_max=2.0)])
def test_plastic_synapses_of_a_source_are_those_of_neurons(scheme, rule):
    found = []
    for net, source in (senders(scheme), replayed(scheme)):
        to, syn, spikes = reached(net, source, iz.AMPA(), rule)
        net.run(100.0)
        found.append((spikes.i, spikes.t, to.V.copy(), syn.weight.copy()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_delay_0_of_a_source_is_that_of_neurons():
    found = []
    for net, source in (senders(), replayed()):
        to, _, spikes = reached(net, source, delay=0.0)
        net.run(100.0)
        found.append((spikes.i, spikes.t, to.V.copy(), to.u.copy()))
    assert len(found[0][0]) > 50
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_all_to_all_chosen_cells_and_distances_from_a_source():
    at = np.random.default_rng(1).random((N, 2)) * 100.0
    found = []
    for made in (lambda: iz.Population(N, **iz.presets["RS"], positions=at),
                 lambda: iz.SpikeSource(trains(), n=N, positions=at)):  # fmt: skip
        net = iz.Network(seed=5, dt=0.5)
        source = net.add(made(), "from")
        if isinstance(source, iz.Population):
            net.drive(source, np.linspace(4.0, 14.0, N))
        to = net.add(iz.Population(N, **iz.presets["FS"], positions=at[::-1].copy()), "to")
        net.connect(source[::3], to[:7], iz.AllToAll(), weight=0.2)
        net.connect(source[at[:, 0] < 50.0], to, iz.FixedOutDegree(3), weight=0.5)
        net.connect(source[[7, 3, 60]], to[[1, 2, 3]], iz.OneToOne(), weight=3.0)
        far = net.connect(
            source, to, iz.Distance(lambda d: 1.0 * (d < 20.0)), weight=0.3, delay=iz.ByDistance(10.0, offset=1.0)
        )
        spikes, states = net.record(to), net.record(to, "V", every=5.0)
        net.run(100.0)
        found.append((spikes.i, spikes.t, states.V, far.pre, far.delay, far.distance))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_least_delay_is_that_of_a_spike_train(scheme):
    """A spike at t arrives at t + delay; one of a SpikeTrain at t acts in the step that begins at t, to its end."""
    t = np.array([2.0, 7.5, 7.5, 31.0])
    i = np.array([0, 1, 2, 0])
    found = []
    for direct in (True, False):
        net = iz.Network(scheme=scheme, dt=0.5)
        cells = net.add(iz.Population(3, **iz.presets["RS"]))
        if direct:
            net.drive(cells, iz.SpikeTrain(i, t + 0.5 * (scheme == "exact"), weight=120.0))
        else:
            net.connect(net.add(iz.SpikeSource(i, t, n=3)), cells, iz.OneToOne(), weight=120.0, delay=0.5)
        spikes = net.record(cells)
        net.run(50.0)
        found.append((spikes.i, spikes.t, cells.V.copy()))
    np.testing.assert_array_equal(found[0][1], t + 0.5)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_spike_is_of_the_step_that_ends_with_it_or_in_which_it_lies():
    net = iz.Network(dt=0.5)
    source = net.add(iz.SpikeSource([0, 1, 2, 3, 4], [0.5, 0.7, 1.0, 1.0003, 0.2], n=5))
    spikes, rate = net.record(source), net.record(source, "rate", every=1.0)
    net.run(2.0)
    assert spikes.t.tolist() == [0.5, 0.5, 1.0, 1.0, 1.0]
    assert spikes.i.tolist() == [0, 4, 1, 2, 3]
    assert spikes.step.tolist() == [0, 0, 1, 1, 1]
    assert rate.rate.tolist() == [1000.0, 0.0]
    assert source.t.tolist() == [0.2, 0.5, 0.7, 1.0, 1.0003]  # as given, in order
    assert source.i.tolist() == [4, 0, 1, 2, 3]


# --- Poisson ----------------------------------------------------------------------------------------------------------


def background(scheme="exp_euler", threads=1, rate=None):
    net = iz.Network(scheme=scheme, seed=7, dt=0.5, threads=threads)
    rate = iz.TimedArray([20.0, 200.0], dt=20.0) if rate is None else rate
    source = net.add(iz.PoissonSource(N, rate), "noise")
    to = net.add(iz.Population(300, **iz.presets["RS"]), "to")
    net.connect(source, to, iz.FixedInDegree(20), weight=6.0, delay=iz.Uniform(1.0, 5.0), receptor=iz.Exponential(3.0))
    net.record(to, name="spikes")
    net.record(source, name="sent")
    return net


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("rate", [100.0, np.linspace(0.0, 200.0, N), None], ids=["one", "each", "in time"])
def test_the_same_spikes_however_a_run_is_split(scheme, rate, tmp_path):
    whole = background(scheme, rate=rate)
    whole.run(60.0)
    split = background(scheme, 2, rate)
    split.run(20.0)
    for _ in range(30):
        split.step(0.5) if scheme == "exact" else split.step()
    split.run(25.0, until=lambda net: net.t >= 50.0)
    split.run(60.0 - split.t)
    for name in ("spikes", "sent"):
        np.testing.assert_array_equal(split.recorders[name].i, whole.recorders[name].i)
        np.testing.assert_array_equal(split.recorders[name].t, whole.recorders[name].t)
    assert len(whole.recorders["spikes"]) > 100
    before = whole.recorders["sent"].t.copy()
    whole.reset()
    whole.run(60.0)
    np.testing.assert_array_equal(whole.recorders["sent"].t, before)
    for at in (25.0, 33.5):
        assert_goes_on_after_loading(lambda threads: background(scheme, threads, rate), 60.0, at, tmp_path)


@pytest.mark.parametrize("rate", [0.3, 20.0, 1900.0])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_recorded_is_what_was_drawn_once_and_in_order(rate, threads):
    """A few of the cells, or nearly all; and it arrives, recorded or not."""
    n, found = 5000, []
    for recorded in (True, False):
        net = iz.Network(seed=7, dt=0.5, threads=threads)
        source = net.add(iz.PoissonSource(n, rate), "from")
        cells = net.add(iz.Population(40, **iz.presets["FS"]))
        net.connect(source, cells, iz.FixedOutDegree(1), weight=0.02, delay=iz.Uniform(1.5, 4.0))
        if recorded:
            rec = net.record(source)
        for T in (0.5, 20.0, 0.5, 3.0):
            net.run(T)
        found.append((cells.V.copy(), cells.u.copy()))
        if recorded:
            drawn = PoissonTrains("", rate).steps(source._to)(0, 48)
            step = np.repeat(np.arange(48), np.diff(drawn.starts))[drawn.weights > 0]
            want = np.unique(np.column_stack([step, drawn.neurons[drawn.weights > 0]]), axis=0)
            np.testing.assert_array_equal(np.column_stack([rec.step, rec.i]), want)
            np.testing.assert_array_equal(np.flatnonzero(source.spikes), want[want[:, 0] == 47, 1])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_depend_on_the_seed_and_the_name_alone(scheme):
    def sent(seed, name, more=False):
        net = iz.Network(scheme=scheme, seed=seed)
        if more:
            net.add(iz.PoissonSource(3, 10.0), "other")
        rec = net.record(net.add(iz.PoissonSource(20, 50.0), name))
        net.run(100.0)
        return rec.i.tolist(), rec.t.tolist()

    assert sent(1, "a") == sent(1, "a", more=True)
    assert len({str(sent(*given)) for given in ((1, "a"), (2, "a"), (1, "b"))}) == 3


def test_rates_are_exact_and_cells_independent():
    """Also where rate * dt is not small: a Poisson number would come to 1 - exp(-0.6)."""
    rate = np.array([0.0, 100.0, 600.0, 999.0])
    net = iz.Network(seed=3, dt=1.0)
    source = net.add(iz.PoissonSource(4, rate))
    spikes = net.record(source)
    net.run(20_000.0)
    there = np.zeros((20_000, 4))
    there[spikes.step, spikes.i] += 1
    assert there.max() == 1.0
    p = rate * 1e-3
    assert np.all(np.abs(there.mean(axis=0) - p) <= 4 * np.sqrt(p * (1 - p) / 20_000))
    np.testing.assert_array_less(np.abs(np.corrcoef(there[:, 1:].T) - np.eye(3)), 0.03)
    lagged = np.corrcoef(there[1:, 2], there[:-1, 2])[0, 1]
    assert abs(lagged) < 0.03


@pytest.mark.parametrize("scheme", SCHEMES)
def test_rates_in_time_set_and_live(scheme):
    live = np.full(50, 100.0)
    net = iz.Network(scheme=scheme, seed=3)
    source = net.add(iz.PoissonSource(50, live))
    counts = []
    spikes = net.record(source)
    for rate in (100.0, 0.0, 400.0):
        live[:] = rate
        net.run(200.0)
        counts.append(len(spikes) - sum(counts))
    assert source.rate is live
    source.rate = iz.TimedArray([0.0, 200.0], dt=700.0)
    net.run(200.0)
    counts.append(len(spikes) - sum(counts))
    source.rate = 5.0
    assert source.rate == 5.0
    wanted = np.array([1000.0, 0.0, 4000.0, 1000.0])
    assert np.all(np.abs(np.array(counts) - wanted) <= 5 * np.sqrt(wanted))


def test_rates_are_inputs_that_are_functions_of_time(tmp_path):
    """As their values at the beginnings of steps would be."""
    t = 0.5 * np.arange(200)
    gains = np.linspace(0.0, 2.0, 20)
    for rate, values in (
        (iz.Sine(300.0, 20.0, offset=300.0), 300.0 + 300.0 * np.sin(2 * np.pi * 20.0 * t * 1e-3)),
        (iz.Function(lambda t: np.multiply.outer(5.0 * t, gains)), np.multiply.outer(5.0 * t, gains)),
        (iz.Pulses(20.0, 40.0, 500.0) + 10.0, np.where((t >= 20.0) & (t < 40.0), 510.0, 10.0)),
    ):
        found = []
        for one in (rate, iz.TimedArray(values, dt=0.5)):
            net = iz.Network(seed=2, dt=0.5)
            rec = net.record(net.add(iz.PoissonSource(20, one)))
            net.run(100.0)
            found.append((rec.i.tolist(), rec.t.tolist()))
        assert found[0] == found[1]
        assert len(found[0][0]) > 100
    net = iz.Network(seed=2)
    source = net.add(iz.PoissonSource(20, iz.Sine(30.0, 20.0)))
    with pytest.raises(ValueError, match="PoissonSource.rate must be at least 0 and below 10000 Hz.*, got -"):
        net.run(100.0)
    source.rate = iz.Function(lambda t: t)
    with pytest.raises(
        TypeError, match="Network.save cannot store a Function at network/sources/source/arguments/rate"
    ):
        net.save(tmp_path / "net.npz")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_live_rate_holds_from_the_next_step_on(scheme):
    net = iz.Network(scheme=scheme, seed=3, dt=0.5)
    rate = np.zeros(200)
    source = net.add(iz.PoissonSource(200, rate))
    net.add(iz.Population(2))
    seen = []
    for k in range(60):
        rate[:] = 400.0 * (k % 2)
        net.step()
        seen.append(source.spikes.sum())
    assert sum(seen[::2]) == 0
    assert 30 * 40 * 0.8 < sum(seen[1::2]) < 30 * 40 * 1.2
    rate[3] = -1.0
    with pytest.raises(ValueError, match=r"PoissonSource\.rate must be .* got -1 Hz"):
        net.step()
    assert net.t == 30.0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_further_spikes_between_runs(scheme):
    net = iz.Network(scheme=scheme, dt=0.5)
    source = net.add(iz.SpikeSource([], [], n=3))
    cells = net.add(iz.Population(3, **iz.presets["RS"]))
    net.connect(source, cells, iz.OneToOne(), weight=120.0, delay=0.5)
    spikes, sent = net.record(cells), net.record(source)
    for k in range(8):
        source.extend([k % 3], [net.t + 0.5])
        net.step()
        assert source.spikes.tolist() == [j == k % 3 for j in range(3)]
    assert sent.t.tolist() == source.t.tolist() == [0.5 * (k + 1) for k in range(8)]
    assert spikes.t[:3].tolist() == [1.0, 1.5, 2.0]
    with pytest.raises(ValueError, match=r"SpikeSource\.extend\.t must be later than 4 ms.*, got 3\.5 ms"):
        source.extend([0, 0], [9.0, 3.5])
    assert source.t.size == 8
    source.extend([0, 1], [9.0, 5.0])
    net.run(10.0)
    assert sent.t[8:].tolist() == [5.0, 9.0]
    net.reset()
    net.run(14.0)
    assert sent.t.tolist() == source.t.tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_source_may_release_dopamine(scheme):
    found = []
    for net, source in (senders(scheme), replayed(scheme)):
        to, syn, spikes = reached(net, source, None, iz.DopamineSTDP(w_max=2.0))
        syn.modulate(source[::3], 0.1)
        net.run(100.0)
        found.append((syn.modulator, syn.weight.copy(), spikes.t, to.V.copy()))
    assert found[0][0] > 0
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_source_and_neurons_are_one_end(scheme):
    """As two populations are."""
    found = []
    for net, source in (senders(scheme), replayed(scheme)):
        to = net.add(iz.Population(40, **iz.presets["FS"]), "to")
        net.drive(to, 5.0)
        joined = net.connect(source[:50] + to, to, iz.FixedInDegree(9), weight=0.5, delay=iz.Uniform(1.0, 4.0))
        spikes, both = net.record(to), net.record(to + source)
        net.run(100.0)
        found.append((joined.pre, spikes.i, spikes.t, both.i, both.t))
    assert len(found[0][1]) > 50
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_of_sources_alone():
    for scheme in SCHEMES:
        net = iz.Network(scheme=scheme, seed=1)
        source = net.add(iz.PoissonSource((4, 5), 100.0))
        rec = net.record(source[:3])
        net.run(100.0)
        net.step()
        assert source.spikes.shape == (4, 5)
        assert set(rec.i.tolist()) <= {0, 1, 2}
        assert len(rec) > 10


def test_removed_synapses_of_a_source_still_deliver(tmp_path):
    for scheme in SCHEMES:
        net = iz.Network(scheme=scheme, dt=0.5)
        source = net.add(iz.SpikeSource([0], [2.0], n=1))
        cell = net.add(iz.Population(1, **iz.presets["RS"]))
        syn = net.connect(source, cell, iz.AllToAll(), weight=120.0, delay=5.0)
        spikes, sent = net.record(cell), net.record(source)
        net.run(3.0)
        net.remove(syn)
        net.remove(sent)
        net.run(10.0)
        assert spikes.t.tolist() == [7.0]


def test_what_a_sampler_reads_of_a_source():
    net = iz.Network(seed=1, dt=0.5)
    source = net.add(iz.SpikeSource([1, 2, 0], [1.0, 1.0, 1.5], n=3))
    rec = net.record(source, HowMany(), every=0.5)
    net.run(2.0)
    assert rec.values.tolist() == [0.0, 2.0, 1.0, 0.0]


@dataclass(frozen=True)
class HowMany(iz.Sampler):
    def sample(self, source):
        return source.spikes.sum()


def test_interrupts_leave_a_network_that_goes_on():
    def make():
        net = background()
        net.run(5.0)
        return net

    whole = make()
    whole.run(10.0)
    wanted = [whole.recorders[name].t.tolist() for name in ("sent", "spikes")]
    lines = passed(lambda: make().run(5.0))
    for at in moments(lines)[::7]:
        net = make()
        interrupted(lambda: net.run(5.0), at)  # noqa: B023
        net.run(15.0 - net.t)
        assert [net.recorders[name].t.tolist() for name in ("sent", "spikes")] == wanted
