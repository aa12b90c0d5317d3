"""Networks of the exact scheme against their twin, event by event."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exact_cells import RECEPTORS, agree, assert_same_spikes, both, different, raster, resting
from exact_oracle import Cell, ExactNetwork
from oracle import Book
from recorded import judge
from scipy import stats

import izhnumba as iz

STRENGTH = {
    "delta": 4.0, "exponential": 2.5, "alpha": 2.0, "dual": 2.0, "conductance": 0.06, "alpha conductance": 0.05,
    "dual conductance": 0.06,
}  # fmt: skip


def wires(names, n, m, seed, *, low=0.4, high=8.0, only_excite=False):
    """m synapses of each receptor between n cells, no pair twice; currents and jumps have either sign."""
    rng = np.random.default_rng(seed)
    for name in names:
        pre, post = np.divmod(rng.choice(n * n, m, replace=False), n)
        least = 0.0 if only_excite or RECEPTORS[name][1].E is not None else -0.7
        yield name, pre, post, rng.uniform(least, 1.0, m) * STRENGTH[name], rng.uniform(low, high, m)


@pytest.mark.parametrize("name", RECEPTORS)
def test_each_receptor(name):
    net, twin = both(different(8, seed=1), [*wires([name], 8, 24, seed=2)])
    assert agree(net, twin, 40.0) > 12


def test_all_receptors_between_three_populations():
    net, twin = both(different(12, seed=7), [*wires(RECEPTORS, 12, 20, seed=8)], cuts=[3, 7])
    assert agree(net, twin, 40.0) > 20


@pytest.mark.parametrize("tau_ref", [0.0, 2.7])
def test_events_from_outside(tau_ref):
    rng = np.random.default_rng(9)
    events = [
        (float(t), int(i), name, float(sign * STRENGTH[name]))
        for name in RECEPTORS
        for sign in ((1.0,) if RECEPTORS[name][1].E is not None else (1.0, -0.5))
        for t, i in zip(rng.uniform(0.0, 40.0, 20), rng.integers(4, size=20), strict=True)
    ]
    net, twin = both(different(4, seed=10, tau_ref=tau_ref), events=events, cuts=[1])
    assert agree(net, twin, 45.0) > 8


def test_currents_and_events_together():
    """A wave for all, pulses for some, and a drive that is changed between runs."""
    cells = different(6, seed=17, I=0.0)
    net, twin = both(cells, [*wires(["exponential", "delta"], 6, 15, seed=18)])
    (pop,) = net.populations.values()
    net.drive(pop, iz.Sine(3.0, frequency=60.0))
    net.drive(pop[2:4], iz.Pulses(6.25, 30.5, 5.0))
    level = net.drive(pop, 6.0)
    for i, cell in enumerate(twin.cells):
        more = [(0.0, 0.0), (6.25, 5.0), (30.5, 0.0)] if i in (2, 3) else [(0.0, 0.0)]
        steps = [(0.0, 6.0), (21.3, 9.0)]
        edges = sorted(t for t, _ in {*more, *steps})
        cell.segments = [(t, sum([h for s, h in row if s <= t][-1] for row in (more, steps)), 0.0) for t in edges]
        cell.wave = lambda t: 3.0 * math.sin(0.12 * math.pi * t)
    net.run(21.3)
    level.value = 9.0
    assert agree(net, twin, 45.0) > 10


def test_cells_of_the_book():
    """Their weights are in pA and nS; jumps are in mV for all."""
    book, times = judge("izhikevich2007_book_cells")["params"]["RS"], [5.5, 30.25, 31.125]
    events = [("delta", 8.0), ("exponential", 150.0), ("conductance", 4.0)]
    net = iz.Network(scheme="exact")
    pop = net.add(iz.Population(1, **iz.presets["2007/RS"], tau_ref=1.5))
    net.drive(pop, 100.0)
    for name, weight in events:
        net.drive(pop, iz.SpikeTrain([0] * 3, times, weight, RECEPTORS[name][0]))
    spikes = net.record(pop, "spikes")
    net.run(200.0)
    cell = Cell(Book(**book, cell="RS"), book["vr"], 0.0, [(0.0, 100.0, 0.0)], tau_ref=1.5)
    twin = ExactNetwork([cell], (), [(t, 0, RECEPTORS[name][1], w) for name, w in events for t in times]).run(200.0)
    assert_same_spikes((spikes.i, spikes.t), twin.spikes)
    assert len(cell.spikes) >= 3


# --- events at difficult times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "spikes"),
    [
        ([(2.0, 150.0)], [2.0]),
        ([(2.0, 60.0), (2.0, 60.0)], [2.0]),  # jumps of one time are added up, and then looked at
        ([(2.0, 150.0), (2.0, -140.0)], []),
        ([(2.0, 150.0), (2.0, 150.0), (2.1, 150.0)], [2.0, 2.1]),
        ([(0.0, 150.0), (1.0, 150.0), (4.0, 150.0)], [0.0, 1.0, 4.0]),
    ],
)
@pytest.mark.parametrize("pieces", [1, 5])
def test_jumps_across_the_threshold(events, spikes, pieces):
    """The spike is at the time of the event, to the last bit, also where a run begins with it."""
    net, twin = both(resting(1), events=[(t, 0, "delta", w) for t, w in events])
    for _ in range(pieces):
        net.run(5.0 / pieces)
    assert raster(net)[1].tolist() == spikes == twin.run(5.0).cells[0].spikes
    pop = net.populations["cells 0"]
    assert (pop.V[0], pop.u[0]) == pytest.approx((twin.cells[0].V, twin.cells[0].u), rel=1e-12)


def test_a_spike_passes_through_a_chain():
    """Times are sums of delays; the last cell takes two arrivals at one time."""
    chain = ("delta", np.array([0, 1, 0, 2]), np.array([1, 2, 3, 3]), np.array([150.0, 150.0, 60.0, 60.0]),
             np.array([0.7, 0.3, 1.5, 0.5]))  # fmt: skip
    net, twin = both(resting(4), [chain], [(0.25, 0, "delta", 150.0)], cuts=[2])
    net.run(5.0)
    i, t = raster(net)
    assert (i.tolist(), t.tolist()) == ([0, 1, 2, 3], [0.25, 0.25 + 0.7, 0.25 + 0.7 + 0.3, 1.75])
    assert t.tobytes() == twin.run(5.0).spikes[1].tobytes()


@pytest.mark.parametrize("shift", [-1e-7, 1e-7])
def test_events_around_a_spike(shift):
    """A little before a spike the jump makes it; a little after it acts on the reset neuron."""
    cells = resting(1) | {"I": np.array([12.0])}
    alone, _ = both(cells)
    alone.run(60.0)
    t = raster(alone)[1]
    assert len(t) >= 2
    events = [(t[0] + shift, 0, "delta", 3.0), (t[1] + shift, 0, "delta", 3.0)]
    net, twin = both(cells, events=events)
    assert agree(net, twin, 60.0) >= 2


def test_an_event_at_the_time_of_a_spike():
    """Before or after it, the neuron is refractory then and the jump has no effect."""
    cells = resting(1) | {"I": np.array([12.0]), "tau_ref": np.array([2.0])}
    alone, _ = both(cells)
    alone.run(60.0)
    i, t = raster(alone)
    assert len(t) >= 2
    net, _ = both(cells, events=[(float(time), 0, "delta", 3.0) for time in t])
    net.run(60.0)
    assert_same_spikes(raster(net), (i, t))


@pytest.mark.parametrize("how", ["steps", "until"])
def test_an_input_changes_where_a_step_or_a_question_ends(how):
    def cells():
        net = iz.Network(scheme="exact", seed=1)
        pop = net.add(iz.Population(3, **iz.presets["RS"]))
        net.drive(pop, iz.Pulses(5.0, 12.0, 12.0))
        return net, pop

    net, pop = cells()
    whole, same = cells()
    whole.run(20.0)
    if how == "until":
        net.run(20.0, until=lambda net: False, every=1.0)
    else:
        for _ in range(20):
            net.step(1.0)
    np.testing.assert_array_equal(pop.V, same.V)
    np.testing.assert_array_equal(pop.last_spike_time, same.last_spike_time)


@pytest.mark.parametrize("delay", [1.0, 0.1])
@pytest.mark.parametrize("pieces", [1, 12])
def test_events_at_the_edges_of_slices(delay, pieces):
    """Delays that are all the shortest one, and events at its multiples and at the ends of runs."""
    cells = different(4, seed=12)
    pre, post = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])
    ring = ("delta", pre, post, np.full(4, 5.0), np.full(4, delay))
    events = [(float(t), t % 4, "delta", 6.0) for t in range(12)]
    net, twin = both(cells, [ring], events)
    for _ in range(pieces - 1):
        net.run(12.0 / pieces)
    assert agree(net, twin, 12.0) > 4


def test_a_storm_of_inhibition():
    """Hundreds of arrivals within two ms take V to where it rises at more than 1000 mV/ms."""
    rng = np.random.default_rng(13)
    events = [(float(t), 0, "delta", -4.0) for t in rng.uniform(5.0, 7.0, 300)]
    events += [(float(t), 1, "exponential", -5.0) for t in rng.uniform(5.0, 7.0, 100)]
    events += [(6.5, 0, "delta", -500.0), (6.5, 0, "delta", 700.0)]
    cells = resting(2) | {"I": np.array([12.0, 12.0])}
    net, twin = both(cells, events=events)
    assert agree(net, twin, 80.0) >= 3


def test_autapses_and_synapses_that_are_there_twice():
    pre, post = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
    wire = ("exponential", pre, post, np.array([1.0, 1.5, 2.5, -1.0]), np.array([0.9, 2.0, 2.0, 3.3]))
    net, twin = both(different(2, seed=14, I=12.0), [wire])
    assert agree(net, twin, 40.0) > 4


# --- plasticity -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("receptor", ["delta", "exponential"])
@pytest.mark.parametrize("pairing", ["all", "nearest"])
def test_plasticity_of_pairs(pairing, receptor):
    cells = different(8, seed=15, I=13.0)
    (wire,) = wires([receptor], 8, 30, seed=16, only_excite=True)
    net, twin = both(cells, [(*wire, pairing)])
    assert agree(net, twin, 60.0) > 20
    (syn,) = net.synapses.values()
    found = {(int(i), int(j)): w for i, j, w in zip(syn.pre, syn.post, syn.weight, strict=True)}
    expected = {(one.pre, one.post): one.weight for one in twin.synapses}
    assert found.keys() == expected.keys()
    for pair, w in expected.items():
        assert found[pair] == pytest.approx(w, rel=0, abs=1e-9)
    first = dict(zip(zip(wire[1].tolist(), wire[2].tolist(), strict=True), wire[3], strict=True))
    assert np.mean([abs(expected[pair] - first[pair]) > 0.01 for pair in first]) > 0.8


def test_an_arrival_that_makes_the_spike_is_before_it():
    """Arrival and target spike at one time: the old weight is delivered, no depression, full potentiation."""
    wire = ("delta", np.array([0]), np.array([1]), np.array([1.0]), np.array([1.5]), "all")
    events = [(3.0, 0, "delta", 150.0), (4.5, 1, "delta", 150.0)]
    net, twin = both(resting(2), [wire], events)
    net.run(10.0)
    twin.run(10.0)
    assert raster(net)[1].tolist() == [3.0, 4.5]
    assert net.synapses[next(iter(net.synapses))].weight[0] == twin.synapses[0].weight == 1.3


# --- Poisson --------------------------------------------------------------------------------------------------------


def relays(seed, threads=None, rate=50.0):
    """Cells that spike at each event from outside, and at no other time."""
    net = iz.Network(scheme="exact", seed=seed, threads=threads)
    pop = net.add(iz.Population(100, a=0.5, b=0.2, c=-65.0, d=0.0, V=-70.0, u=-14.0))
    net.drive(pop, iz.Poisson(rate, weight=400.0))
    return net, net.record(pop, "spikes")


def test_poisson_events_come_at_any_time():
    net, spikes = relays(seed=4)
    net.run(2000.0)
    assert abs(len(spikes.t) - 10_000) < 500
    waits = np.concatenate([np.diff(spikes.t[spikes.i == i], prepend=0.0) for i in range(100)])
    assert stats.kstest(waits[waits < 2000.0], stats.expon(scale=20.0).cdf).pvalue > 1e-3
    assert stats.kstest(spikes.t % 0.1, stats.uniform(0.0, 0.1).cdf).pvalue > 1e-3


def test_poisson_events_are_those_of_the_seed():
    trains = []
    for seed, threads, pieces in ((4, 1, 1), (4, 2, 7), (5, 1, 1)):
        net, spikes = relays(seed, threads)
        for _ in range(pieces):
            net.run(70.0 / pieces)
        trains.append((spikes.i.tolist(), spikes.t.tobytes()))
    assert trains[0] == trains[1] != trains[2]


def test_recorded_currents():
    """Through a current and a conductance, as the formula of one arrival has them."""
    net = iz.Network(scheme="exact")
    cells = net.add(iz.Population(3, **iz.presets["RS"]))
    net.drive(cells, iz.SpikeTrain([0], [1.0], 150.0))
    pairs = [(receptor, net.connect(cells, cells, ([0], [j]), weight=0.5, delay=2.0, receptor=receptor))
             for j, receptor in ((1, iz.Exponential(4.0)), (2, iz.Exponential(4.0, E=0.0)))]  # fmt: skip
    recorders = [net.record(syn, "current", every=0.5, neurons=[j]) for j, (_, syn) in enumerate(pairs, 1)]
    voltage = net.record(cells, "V", every=0.5, neurons=[2])
    net.run(20.0)
    t = recorders[0].t
    state = np.where(t >= 3.0, 0.5 * np.exp(-(t - 3.0) / 4.0), 0.0)
    np.testing.assert_allclose(recorders[0].current[:, 0], state, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(recorders[1].current[:, 0], -state * voltage.V[:, 0], rtol=1e-12, atol=1e-15)


def test_samples_are_taken_every_dt_of_the_network():
    net = iz.Network(dt=0.5, scheme="exact")
    voltage = net.record(net.add(iz.Population(1, scheme="exact")), "V")
    net.run(2.0)
    np.testing.assert_array_equal(voltage.t, [0.5, 1.0, 1.5, 2.0])
