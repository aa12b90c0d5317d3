"""Corners of the exact scheme: steps, constant conductances, inputs over several runs, buffers that grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from exact_cells import assert_same_spikes, different, population, twins
from exact_oracle import ExactNetwork

import izhnumba as iz

REST = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-70.0, u=-14.0)
RELAY = dict(a=0.5, b=0.2, c=-70.0, d=0.0, V=-70.0, u=-14.0)


def cell(n=1, **options):
    return iz.Population(n, scheme="exact", **REST | options)


def network(*drives, n=2, **options):
    """A network of cells that rest, the spikes of which are recorded."""
    net = iz.Network(scheme="exact", seed=1, **options)
    pop = net.add(iz.Population(n, **RELAY), name="cells")
    for one in drives:
        net.drive(pop, one)
    return net, pop, net.record(pop, "spikes", name="spikes")


def state(pop):
    return pop.V.tobytes(), pop.u.tobytes(), pop.last_spike_time.tobytes(), pop.t


# --- step -----------------------------------------------------------------------------------------------------------


def test_steps_are_a_run():
    cells = different(5, seed=1)
    pop, whole = population(cells), population(cells)
    found = []
    for dt in np.random.default_rng(1).uniform(0.01, 0.9, 60):
        spiked = pop.step(cells["I"], dt=dt)
        assert spiked is pop.spikes
        found += [(i, pop.last_spike_time[i]) for i in np.flatnonzero(spiked)]
    spikes = whole.run(pop.t, cells["I"]).spikes
    assert sorted(found) == sorted(zip(spikes.i, spikes.t, strict=True))  # none of them twice within a step
    np.testing.assert_array_equal(pop.last_spike_time, whole.last_spike_time)
    np.testing.assert_allclose([pop.V, pop.u], [whole.V, whole.u], rtol=1e-9)
    assert len(found) > 5


@pytest.mark.parametrize("I", [3.0, 3, np.array([3.0]), np.array([3], np.int32), [3.0], iz.Constant(3.0)])
def test_what_a_step_takes(I):
    pop, expected = cell(), cell()
    pop.step(I)
    expected.run(0.1, 3.0)
    assert state(pop) == state(expected)


def test_jumps_of_a_step_come_at_its_end():
    pop = cell(3)
    assert pop.step(0.0, delta=[400.0, 5.0, 0.0], dt=0.7).tolist() == [True, False, False]
    assert pop.last_spike_time.tolist() == [0.7, -np.inf, -np.inf]
    assert pop.V.tolist() == pytest.approx([-65.0, -65.0, -70.0])
    assert pop.step(0.0, delta=-1.0).any() == np.False_
    assert pop.V[2] == pytest.approx(-71.0)


def test_a_long_step_shows_all_its_spikes():
    pop = cell((2, 2), V=[[-30.0, -70.0], [-70.0, -30.0]])
    spikes = pop.step(0.0, dt=5000.0)
    assert spikes.tolist() == [[True, False], [False, True]]
    assert spikes is pop.spikes
    assert not pop.step(0.0).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(dt=0.0), r"Population.step.dt must be a finite number > 0 ms, got 0.0"),
        (dict(dt="1"), r"Population.step.dt must be"),
        (dict(delta=np.nan), r"Population.step.delta must be finite"),
        (dict(delta=[1.0, 2.0, 3.0]), r"Population.step.delta must"),
        (dict(I=np.inf), r"Population.step.I must be finite"),
        (dict(I=iz.Sine(1.0, 5.0)), r"Population.step.I must be a number or an array, got Sine"),
        (dict(g=1.0), r"Population.step.g must come with E"),
        (dict(g=[1.0, 2.0], E=[0.0]), r"g must have one entry per entry of E"),
        (dict(g=-np.inf, E=0.0), r"Population.step.g must be finite"),
        (dict(g=0.1, E=np.nan), r"Population.step.E must"),
    ],
)
def test_refusals_of_a_step(arguments, message):
    pop = cell(2)
    before = state(pop)
    with pytest.raises((TypeError, ValueError), match=message):
        pop.step(**arguments)
    assert state(pop) == before


def test_dt_of_a_step_is_for_the_exact_scheme():
    with pytest.raises(ValueError, match=r"Population.step.dt must be left out with the scheme 'exp_euler', got 1.0"):
        iz.Population(1).step(0.0, dt=1.0)
    net = iz.Network(scheme="rk4")
    net.add(iz.Population(1))
    with pytest.raises(ValueError, match=r"Network.step.dt must be left out with the scheme 'rk4', got 1.0"):
        net.step(1.0)
    net, _, _ = network()
    net.step(0.37)
    net.step()
    assert net.t == 0.47


# --- conductances that stay -----------------------------------------------------------------------------------------


def test_constant_conductances():
    """g (E - V) is a parabola with other coefficients."""
    g, E = np.array([0.0, 0.05, 0.2, 0.5]), np.array([0.0, 0.0, -40.0, -80.0])
    pop = cell(4)
    equal = cell(4, k1=5.0 - g, k0=140.0 + g * E)
    found, expected = pop.run(100.0, 12.0, g=g, E=E).spikes, equal.run(100.0, 12.0).spikes
    assert_same_spikes((found.i, found.t), (expected.i, expected.t))
    assert len(found) > 8
    np.testing.assert_allclose(pop.V, equal.V, rtol=1e-10)
    several = cell(4).run(100.0, 12.0, g=[0.5 * g, 0.25 * g, 0.25 * g], E=[E, E, E]).spikes
    assert_same_spikes((several.i, several.t), (expected.i, expected.t))
    steps = cell(4)
    for _ in range(40):
        steps.step(12.0, g=g, E=E, dt=2.5)
    np.testing.assert_allclose(steps.last_spike_time, equal.last_spike_time, atol=1e-9)


def test_conductances_that_change_at_breaks():
    table = iz.TimedArray([0.0, 0.2, 0.05], dt=20.0)
    pop, equal = cell(), cell()
    found = [pop.run(T, 10.0, g=table, E=-10.0).spikes.t for T in (13.3, 46.7)]
    expected = []
    for g in (0.0, 0.2, 0.05):
        equal.k1, equal.k0 = 5.0 - g, 140.0 + g * -10.0
        expected.append(equal.run(20.0, 10.0).spikes.t)
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), rtol=0, atol=1e-9)
    assert len(np.concatenate(found)) > 2
    for g in (iz.Sine(0.1, 50.0), iz.Ramp(0.1), iz.Constant(0.1) + iz.Sine(0.1, 50.0)):
        with pytest.raises(
            ValueError, match=r"Population.run.g must stay as it is between steps with the scheme 'exact'"
        ):
            pop.run(1.0, g=g, E=0.0)


# --- inputs over several runs ---------------------------------------------------------------------------------------

WAVES = {
    "sine": iz.Sine(9.0, frequency=35.0, phase=0.3, offset=6.0),
    "ramp": iz.Ramp(0.3, 11.1, 47.7, base=4.0),
    "ramp that has begun": iz.Ramp(0.2),
    "all": iz.Sine(5.0, 35.0) + iz.Ramp(0.3, 11.1, 47.7) + iz.Pulses([10.0, 33.3], [20.0, 35.0], 8.0),
}


@pytest.mark.parametrize("name", WAVES)
def test_waves_go_on_over_runs(name):
    def spikes(ends):
        net = iz.Network(scheme="exact", seed=1)
        cells = different(12, seed=2)
        pop = net.add(population(cells))
        net.drive(pop, WAVES[name])
        net.drive(pop[3:7], iz.Sine(3.0, frequency=20.0))
        found = net.record(pop)
        for end in ends:
            net.run(end - net.t)
        return found.i.tolist(), found.t.tobytes(), state(pop)

    whole = spikes([80.0])
    assert len(whole[0]) > 10
    assert spikes([11.1, 20.0, 29.37, 80.0]) == whole
    assert spikes([*np.linspace(0.77, 80.0, 60)]) == whole


def test_tables_for_each_neuron_and_drives_of_slices():
    cells = different(6, seed=3)
    table = np.random.default_rng(3).uniform(0.0, 15.0, (5, 3))
    pop = population(cells)
    net = iz.Network(scheme="exact", seed=1)
    net.add(pop)
    net.drive(pop[2:5], iz.TimedArray(table, dt=7.3))
    net.drive(pop[4:], 4.0)
    net.drive(pop[:1], iz.Pulses(10.0, 31.0, 12.0))
    found = net.record(pop)
    for T in (9.9, 0.1, 30.0):
        net.run(T)
    net.drives[list(net.drives)[1]].value = np.array([6.0, 2.0])
    net.run(20.0)
    twin = twins(cells)
    for i, one in enumerate(twin):
        levels = dict.fromkeys([0.0, 10.0, 31.0, 40.0, *(7.3 * np.arange(1, 5))], 0.0)
        for t in levels:
            levels[t] += table[min(int(t / 7.3 + 1e-9), 4), i - 2] if 2 <= i < 5 else 0.0
            levels[t] += (4.0 if t < 40.0 else [6.0, 2.0][i - 4]) if i >= 4 else 0.0
            levels[t] += 12.0 if i == 0 and 10.0 <= t < 31.0 else 0.0
        one.segments = [(t, level, 0.0) for t, level in sorted(levels.items())]
    assert_same_spikes((found.i, found.t), ExactNetwork(twin).run(60.0).spikes)
    assert len(found) > 5


def test_spikes_that_are_first_sent_after_a_run():
    """Jumps need an inlet of their own, also where the cells have been laid out without one."""
    pop = cell()
    pop.run(10.0)
    assert pop.run(10.0, delta=iz.SpikeTrain([0], [15.0], 400.0)).spikes.t.tolist() == [15.0]
    net, cells, spikes = network(iz.SpikeTrain([0], [3.0], 0.1, iz.Exponential(2.0)))
    net.run(10.0)
    net.drive(cells, iz.SpikeTrain([1], [15.0], 400.0))
    net.run(10.0)
    net.connect(cells, cells, ([0], [1]), weight=400.0, delay=1.5)
    net.drive(cells, iz.SpikeTrain([0], [25.0], 400.0))
    net.run(10.0)
    assert (spikes.i.tolist(), spikes.t.tolist()) == ([1, 0, 1], [15.0, 25.0, 26.5])


# --- buffers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counting(iz.Plasticity):
    """e counts arrivals, which deliver nothing."""

    @staticmethod
    def arrival(w, e, x, y, p):
        return 0.0, w, e + 1, x


def test_many_events_in_one_slot_of_time():
    """160 000 arrivals within half a ms, of which none is lost, and again."""
    n = 400
    net, cells, spikes = network(iz.SpikeTrain([*range(n)] * 2, np.repeat([0.25, 6.0], n), weight=400.0), n=n)
    delay = np.random.default_rng(1).uniform(1.0, 1.5, n * n)
    syn = net.connect(cells, cells, np.divmod(np.arange(n * n), n), delay=delay, plasticity=Counting())
    for end, count in ((1.2, 0), (1.25, 0), (1.75, 1), (6.9, 1), (10.0, 2)):
        net.run(end - net.t)
        assert set(syn.eligibility) == {count}
    assert spikes.t.tolist() == [0.25] * n + [6.0] * n


def test_many_spikes_in_one_slice():
    n = 20_000
    net, _, spikes = network(iz.SpikeTrain(np.arange(n), np.linspace(1.0, 2.0, n), weight=400.0), n=n)
    net.run(5.0)
    assert spikes.i.tolist() == list(range(n))
    np.testing.assert_array_equal(spikes.t, np.linspace(1.0, 2.0, n))


def test_short_delays_beside_long_ones():
    net, cells, spikes = network(iz.SpikeTrain([0, 0], [1.0, 70.0], weight=400.0), n=3)
    net.connect(cells, cells, ([0, 0], [1, 2]), weight=400.0, delay=[1e-3, 50.0])
    net.run(130.0)
    expected = [(1.0, 0), (1.0 + 1e-3, 1), (51.0, 2), (70.0, 0), (70.0 + 1e-3, 1), (120.0, 2)]
    assert list(zip(spikes.t.tolist(), spikes.i.tolist(), strict=True)) == expected


def test_delays_that_are_too_different():
    net, cells, _ = network()
    net.connect(cells, cells, ([0, 1], [1, 0]), weight=1.0, delay=[1e-5, 50.0])
    with pytest.raises(
        ValueError, match=r"Network.connect.delay must be at least .* ms beside one of 50 ms with .*, got 1e-05"
    ):
        net.run(1.0)
    assert net.t == 0.0
