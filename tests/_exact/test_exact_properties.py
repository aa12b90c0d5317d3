"""The exact scheme against its twin over many neurons, and what must not change a bit in it."""

from __future__ import annotations

import numpy as np
import pytest
from exact_cells import agree, assert_same_spikes, both, different, population, raster, resting, twins
from exact_oracle import Cell, ExactNetwork
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import Quadratic

import izhnumba as iz

prop = settings(derandomize=True, deadline=None, max_examples=40)

# --- the twin -------------------------------------------------------------------------------------------------------


def twin_spikes(parameters, V, u, I, tau_ref, T):
    return np.array(ExactNetwork([Cell(Quadratic(**parameters), V, u, [(0.0, I, 0.0)], None, tau_ref)]).run(T).spikes)


@prop
@given(
    a=st.floats(0.005, 0.2) | st.just(-0.02),
    b=st.floats(-0.1, 0.3),
    c=st.floats(-75.0, -55.0),
    d=st.floats(0.5, 10.0),
    V_th=st.floats(-45.0, -38.0) | st.floats(-38.0, 40.0),
    V=st.floats(-80.0, -50.0),
    u=st.floats(-20.0, -5.0),
    I=st.floats(0.0, 10.0) | st.floats(10.0, 40.0),
    tau_ref=st.sampled_from([0.0, 0.6, 3.1]),
)
def test_neurons(V, u, I, tau_ref, **parameters):
    """Where spikes hang on less than a millionth of a mV at the start, nothing can be compared."""
    T = 40.0
    _, expected = twin_spikes(parameters, V, u, I, tau_ref, T)
    for change in (1e-6, -1e-6):
        _, t = twin_spikes(parameters, V + change, u, I, tau_ref, T)
        assume(len(t) == len(expected) and np.abs(t - expected).max(initial=0.0) < 1e-3)
    found = iz.Population(1, scheme="exact", V=V, u=u, tau_ref=tau_ref, **parameters).run(T, I).spikes
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.t, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_populations(seed):
    cells = different(12, seed)
    expected = ExactNetwork(twins(cells)).run(50.0).spikes
    res = population(cells).run(50.0, cells["I"])
    assert_same_spikes((res.spikes.i, res.spikes.t), expected)
    assert len(expected[0]) > 20


# --- bits -----------------------------------------------------------------------------------------------------------


def bits(*spikes):
    """All spikes of results or recorders, one after the other, to the last bit."""
    i, t = (np.concatenate([getattr(part, name) for part in spikes]) for name in ("i", "t"))
    return i.tolist(), t.tobytes()


def state(pop):
    return pop.V.tobytes(), pop.u.tobytes(), pop.last_spike_time.tobytes()


def chosen(cells, index):
    return {name: values[index] for name, values in cells.items()}


def test_spikes_are_sorted_by_time_then_neuron():
    cells = {name: np.tile(values, 3) for name, values in different(40).items()}  # each of them three times
    spikes = population(cells).run(60.0, cells["I"]).spikes
    order = np.lexsort((spikes.i, spikes.t))
    assert order.tolist() == list(range(len(spikes)))
    assert (spikes.i.dtype, spikes.t.dtype) == (np.int64, np.float64)
    assert len(spikes) > 300


@pytest.mark.parametrize("I", [11.0, iz.Ramp(0.2, 3.3), iz.Pulses(10.0, 37.3, 12.0), iz.Sine(9.0, 50.0, offset=6.0)])
def test_split_runs_are_the_whole_run(I):
    cells = different(70)
    whole, split, fine = (population(cells) for _ in range(3))
    expected = bits(whole.run(100.0, I).spikes)
    assert bits(*(split.run(T, I).spikes for T in (37.3, 62.7))) == expected
    times = [*np.sort(np.random.default_rng(1).uniform(0.0, 100.0, 40)), 100.0]
    parts = [fine.run(end - fine.t, I).spikes for end in times]
    assert bits(*parts) == expected
    assert state(whole) == state(split)
    assert len(expected[0]) > 70


def test_a_reset_starts_again():
    cells = different(70)
    pop = population(cells)
    expected = bits(pop.run(50.0, cells["I"]).spikes), state(pop)
    pop.reset()
    pop.run(13.1, 30.0)
    pop.reset()
    assert (bits(pop.run(50.0, cells["I"]).spikes), state(pop)) == expected


def test_recording_changes_nothing():
    cells = different(70)
    plain, recorded = population(cells), population(cells)
    expected = bits(plain.run(50.0, cells["I"]).spikes)
    assert bits(recorded.run(50.0, cells["I"], record=["V", "u"], every=0.37).spikes) == expected
    assert state(plain) == state(recorded)


def test_the_number_of_threads_changes_nothing():
    cells = different(5000)
    runs = []
    for threads in (1, 2):
        pop = population(cells, threads=threads)
        runs.append((bits(pop.run(20.0, cells["I"]).spikes), state(pop)))
    assert runs[0] == runs[1]
    assert len(runs[0][0][0]) > 5000


@pytest.mark.parametrize("n", [1, 7, 8, 9, 65])
def test_each_neuron_is_as_alone(n):
    cells = different(n, seed=n)
    pop = population(cells)
    spikes = pop.run(50.0, cells["I"]).spikes
    for i in range(0, n, 1 + n // 5):
        one = population(chosen(cells, [i]))
        alone = one.run(50.0, cells["I"][i]).spikes
        assert alone.t.tobytes() == spikes.t[spikes.i == i].tobytes()
        assert (one.V[0], one.u[0]) == (pop.V[i], pop.u[i])


def test_permuted_neurons_permute_spikes():
    cells, order = different(70), np.random.default_rng(2).permutation(70)
    pop, permuted = population(cells), population(chosen(cells, order))
    spikes, other = pop.run(50.0, cells["I"]).spikes, permuted.run(50.0, cells["I"][order]).spikes
    for place, i in enumerate(order):
        assert other.t[other.i == place].tobytes() == spikes.t[spikes.i == i].tobytes()
    assert permuted.V.tobytes() == pop.V[order].tobytes()


# --- networks -------------------------------------------------------------------------------------------------------


def network(threads=None, order=None, n=120):
    """All receptors, real delays, plasticity, events from outside; `order` permutes the neurons."""
    rng = np.random.default_rng(3)
    cells, order = different(n, seed=6), np.arange(n) if order is None else order
    place = np.argsort(order)
    net = iz.Network(scheme="exact", seed=1, threads=threads)
    pop = net.add(population(chosen(cells, order)), name="cells")
    net.drive(pop, cells["I"][order])
    wires = [(None, 0.5), (iz.Exponential(3.0), 0.3), (iz.Alpha(2.0), -0.3), (iz.AMPA(), 0.01), (iz.GABA_A(), 0.02)]
    for receptor, strength in wires:
        pre, post = np.divmod(rng.choice(n * n, 1500, replace=False), n)
        options = dict(weight=strength * rng.random(1500), delay=rng.uniform(1.0, 9.0, 1500), receptor=receptor)
        rule = None if receptor else iz.STDP(0.05, 0.06, w_max=2.0)
        net.connect(pop, pop, (place[pre], place[post]), plasticity=rule, **options)
    i, t = rng.integers(n, size=300), rng.uniform(0.0, 60.0, 300)
    net.drive(pop, iz.SpikeTrain(place[i], t, weight=15.0))
    net.record(pop, "spikes", name="spikes")
    return net


def outcome(net):
    weights = [syn.weight.tobytes() for syn in net.synapses.values()]
    return bits(net.recorders["spikes"]), state(net.populations["cells"]), weights


@pytest.fixture(scope="module")
def whole():
    net = network(threads=1)
    net.run(60.0)
    assert len(net.recorders["spikes"].i) > 300
    return outcome(net)


def test_networks_and_threads(whole):
    for threads in (2, None):
        net = network(threads)
        net.run(60.0)
        assert outcome(net) == whole


def test_blocks_may_be_cut_and_joined_in_between():
    """Between runs, as for another number of threads, with events under way: nothing changes."""
    results = []
    for blocks in ((1,), (8, 1, 4, 3, 2)):
        net = network(threads=1, n=600)
        engine = net.populations["cells"]._engine
        for k in range(10):
            net.run(6.0)
            engine.cut(blocks[k % len(blocks)])
            assert len(engine.under_way()) > 0
        results.append(outcome(net))
    assert len(engine.blocks) == 2
    assert results[0] == results[1]


def test_networks_in_pieces(whole):
    rng = np.random.default_rng(0)
    for ends in ([22.3, 60.0], [*np.sort(rng.uniform(0.0, 60.0, 60)), 60.0], [*np.arange(1.0, 61.0)]):
        net = network()
        for end in ends:
            net.run(end - net.t)
        assert outcome(net) == whole


def test_networks_that_are_recorded(whole):
    net = network()
    pop = net.populations["cells"]
    voltage, weights = net.record(pop, ["V", "u"], every=0.7), net.record(next(iter(net.synapses.values())), every=5.0)
    net.run(60.0)
    assert outcome(net) == whole
    assert (voltage.V.shape, weights.weight.shape) == ((85, 120), (12, 1500))


def test_networks_saved_and_loaded(whole, tmp_path):
    net = network()
    for end in (17.7, 17.7, 33.0, 60.0):
        net.run(end - net.t)
        net.save(tmp_path / "net.npz")
        net = iz.load(tmp_path / "net.npz")
    assert outcome(net) == whole


def test_networks_start_again(whole):
    net = network()
    net.run(31.4)
    net.reset(weights=True)
    net.run(60.0)
    assert outcome(net) == whole


def test_networks_of_permuted_neurons(whole):
    """Arrivals have times of their own here, so that no sum depends on the order of neurons."""
    order = np.random.default_rng(5).permutation(120)
    net = network(order=order)
    net.run(60.0)
    spikes = net.recorders["spikes"]
    found = sorted(zip(spikes.t.tolist(), order[spikes.i].tolist(), strict=True))
    (i, t), *_ = whole
    assert found == sorted(zip(np.frombuffer(t).tolist(), i, strict=True))


def test_silent_cells_wake_up():
    """Cells at rest for long, by themselves, looked at every few ms, and in the twin."""
    events = [(900.0, 0, "delta", 30.0), (905.0, 1, "delta", 30.0), (1890.0, 0, "delta", 25.0)]
    events += [(1890.5, 0, "delta", 20.0), (1950.0, 1, "exponential", 9.0)]
    rasters = []
    for pieces in (1, 500):
        net, twin = both(resting(2), events=events)
        for _ in range(pieces - 1):
            net.run(2000.0 / pieces)
        assert agree(net, twin, 2000.0, atol=1e-8) >= 3
        rasters.append(raster(net)[1].tobytes())
    assert rasters[0] == rasters[1]


@pytest.mark.parametrize("V_th", [30.0, -50.0])
def test_a_cut_between_a_spike_and_the_next_event(V_th):
    """The step in which the spike lies is cut by the event only where that is known already."""
    n = 60
    current = np.linspace(6.0, 20.0, n)

    def population():
        return iz.Population(n, scheme="exact", **dict(iz.presets["RS"]) | {"V_th": V_th})

    spikes = population().run(12.0, current).spikes
    first = np.full(n, np.inf)
    np.minimum.at(first, spikes.i, spikes.t)
    early = np.flatnonzero(first < 11.0)
    assert early.size > 20
    events = iz.SpikeTrain(early, first[early] + 0.02, weight=0.0)
    whole = population()
    expected = whole.run(12.0, current, delta=events).spikes.t
    for cut in np.unique(np.round(first[early] + 0.01, 2))[::5].tolist():
        pop = population()
        pieces = [pop.run(cut, current, delta=events).spikes.t, pop.run(12.0 - cut, current, delta=events).spikes.t]
        assert np.concatenate(pieces).tobytes() == expected.tobytes()
        assert pop.u.tobytes() == whole.u.tobytes()
