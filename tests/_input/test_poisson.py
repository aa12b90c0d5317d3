"""Poisson spikes: their law in every neuron and step, independence, and the same spikes however steps are grouped."""

import math

import numpy as np
import pytest
from scipy import stats

import izhnumba as iz
from izhnumba._numba import poisson

N, STEPS = 400, 500
PER_NEURON = np.repeat([0.0, 20.0, 300.0, 2500.0], 100)
RATES = {
    "shared": 400.0,
    "each": PER_NEURON,
    "changing": iz.TimedArray([100.0, 0.0, 900.0], dt=7.0),
    "each changing": iz.TimedArray([PER_NEURON, PER_NEURON[::-1], 0.0 * PER_NEURON, PER_NEURON], dt=7.0),
}


def counts(rate, steps=STEPS, *, step=0, n=N, dt=1.0, key=(3, 4), weight=1.0):
    return iz.Poisson(rate, weight=weight).bind((n,), dt, "float64", key, {}, unit="")(step, steps)


def p_value(found, mean):
    """Of the chi-square test that these are Poisson numbers of this mean."""
    values = np.arange(math.ceil(stats.poisson.isf(8 / found.size, mean)) + 1)
    expected = stats.poisson.pmf(values, mean) * found.size
    kept = expected >= 5
    expected, seen = expected[kept], np.bincount(found.astype(int).ravel(), minlength=values.size)
    seen = np.append(seen[: values.size][kept], found.size - seen[: values.size][kept].sum())
    expected = np.append(expected, found.size - expected.sum())
    whole = expected > 1
    return stats.chisquare(seen[whole], expected[whole] * seen[whole].sum() / expected[whole].sum()).pvalue


@pytest.mark.parametrize("mean", [0.003, 0.05, 0.4, 3.0, 25.0])
@pytest.mark.parametrize("n", [1, 3, 400])
def test_the_number_of_each_neuron_and_step_has_the_law(mean, n):
    found = counts(1e3 * mean, 200_000 // n, n=n)
    assert p_value(found, mean) > 1e-3
    assert abs(found.mean() - mean) < 4 * math.sqrt(mean / found.size)
    assert abs(found.var() - mean) < 4 * math.sqrt((mean + 2 * mean**2) / found.size)


@pytest.mark.parametrize("mean", [0.02, 2.5])
def test_rates_of_their_own_have_the_law_in_each_neuron(mean):
    share = np.array([0.0, 0.1, 0.5, 1.0, 1.0, 3.4, 1e-3])
    found = counts(1e3 * mean * np.repeat(share, 10), 20_000, n=70)
    for k, one in enumerate(share):
        mine = found[:, 10 * k : 10 * k + 10]
        assert p_value(mine, one * mean) > 1e-3 if one else not mine.any()
        assert stats.chisquare(mine.sum(axis=0)).pvalue > 1e-3 if one > 0.01 else True


def test_rates_that_change_hold_in_their_steps():
    found = counts(RATES["each changing"], 28)
    for first, rates in ((0, PER_NEURON), (7, PER_NEURON[::-1]), (14, 0 * PER_NEURON), (21, PER_NEURON)):
        for k in range(4):
            mine, mean = found[first : first + 7, 100 * k : 100 * k + 100], 1e-3 * rates[100 * k]
            assert abs(mine.sum() - mean * mine.size) <= 4 * math.sqrt(mean * mine.size)
    assert not counts(RATES["changing"], 7, step=7).any()


@pytest.mark.parametrize("rate", [30.0, 2000.0, PER_NEURON + 50.0], ids=["low", "high", "each"])
def test_neurons_and_steps_are_independent(rate):
    found = counts(rate)
    found = (found - 1e-3 * rate) / np.sqrt(1e-3 * rate)  # of mean 0 and variance 1
    for steps, neurons in ((1, 0), (2, 0), (4, 0), (0, 1), (0, 2), (0, 100), (1, 1)):
        pairs = found[steps:, neurons:] * found[: STEPS - steps, : N - neurons]
        assert abs(pairs.mean()) < 4 / math.sqrt(pairs.size)
    for axis in (0, 1):  # sums have the variance of independent numbers
        sums = found.sum(axis=axis) / math.sqrt(found.shape[axis])
        assert abs(sums.var() - 1) < 4 * math.sqrt(2 / sums.size) + 4 / math.sqrt(found.size * 0.03)


@pytest.mark.parametrize("other", [dict(key=(4, 4)), dict(key=(3, 5)), dict(step=1), dict(step=4), dict(step=2**33)])
def test_other_keys_and_steps_give_unrelated_spikes(other):
    one, two = (counts(400.0, **place) - 0.4 for place in ({}, other))
    assert abs((one * two).mean()) < 4 * 0.4 / math.sqrt(one.size)


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("n_weights", [1, N])
def test_any_piece_has_the_spikes_of_the_whole(name, n_weights):
    weight = np.linspace(0.5, 1.5, n_weights) if n_weights > 1 else 2.0
    whole, step, pieces = counts(RATES[name], 41, weight=weight), 0, []
    for count in (1, 1, 5, 13, 20, 1):
        pieces.append(counts(RATES[name], count, step=step, weight=weight))
        step += count
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert (whole > 0).any()


@pytest.mark.parametrize("mean", [1e-6, 0.3, 15.9, 16.0, 700.0, 3e4])
def test_the_quantile_of_a_sum_shares_the_interval_by_probabilities(mean):
    most = math.floor(mean)
    away = np.arange(1, int(12 * math.sqrt(mean)) + 30)
    order = np.append(most, np.stack([most + away, most - away], axis=1).ravel())
    edges = np.cumsum(np.where(order >= 0, stats.poisson.pmf(np.maximum(order, 0), mean), 0.0))
    assert abs(edges[-1] - 1) < 1e-10  # as SciPy has them
    for u in np.random.default_rng(5).random(300):
        j = int(np.searchsorted(edges, u, side="right"))
        if min(abs(edges[max(j - 1, 0) : j + 1] - u)) > 1e-10:
            assert poisson.poisson_quantile(mean, u) == order[j]
    assert poisson.poisson_quantile(mean, 1.0) >= 0


@pytest.mark.parametrize("means", [[1.0], [0.0, 2.0], [3.0, 3.0, 3.0], [1e-7, 1.0, 50.0, 0.0, 0.3], None])
def test_shares_are_in_proportion_to_the_means(means):
    means = np.random.default_rng(6).lognormal(0.0, 2.0, 1000) if means is None else np.array(means)
    n = means.size
    share, other = np.empty((2, n), np.uint32)
    poisson.fill_shares(share, other, means.copy(), np.empty(n, np.int64))
    found = (share / 2.0**32 + np.bincount(other, 1 - share / 2.0**32, n)) / n
    np.testing.assert_allclose(found, means / means.sum(), rtol=0, atol=2.0**-32)
    assert not found[means == 0].any()


# --- In networks: spikes come into the rings of receptors -----------------------------------------------------------


def silent(net, n=6, **options):
    return net.add(iz.Population(n, **iz.presets["RS"], **options))


def jumps(dtype="float64", threads=1, pieces=(60,)):
    """V of cells on which a slice, all of them twice, and synapses act, over a run in pieces of so many steps."""
    net = iz.Network(dt=0.1, seed=4, threads=threads)
    cells = silent(net, dtype=dtype)
    net.connect(cells, cells, iz.AllToAll(), weight=0.25, delay=0.3)
    net.drive(cells[2:5], iz.Poisson(3000.0, weight=[3.0, 8.0, 13.0]))
    net.drive(cells, iz.SpikeTrain([1, 1, 5, 1], [1.0, 1.0, 2.0, 3.05], weight=30.0))
    net.drive(cells, iz.Poisson(np.linspace(0.0, 900.0, 6), weight=4.0))
    rec = net.record(cells, "V")
    for steps in pieces:
        net.run(steps * 0.1)
    return rec.V


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_in_pieces_has_the_bits_of_the_whole(dtype):
    whole = jumps(dtype)
    np.testing.assert_array_equal(jumps(dtype, pieces=(1, 1, 3, 8, 40, 7)), whole)
    assert np.diff(whole, axis=0).max() > 10


def test_jumps_of_a_network_are_those_of_rows():
    spikes = iz.Poisson(np.linspace(0.0, 9000.0, 6), weight=0.5)
    net = iz.Network(dt=0.1, seed=9)
    cells, alone = silent(net), iz.Population(6, **iz.presets["RS"], dt=0.1)
    drive, rec = net.drive(cells, spikes), net.record(cells, "V")
    rows = spikes.bind((6,), 0.1, "float64", drive._to.key, {}, unit="mV")(0, 300)
    net.run(30.0)
    np.testing.assert_array_equal(rec.V, alone.run(30.0, delta=rows, record="V").V)


class Clicks(iz.Poisson):
    """A spike input of one's own, which gives rows."""

    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        return lambda step, count: np.array([[7.0 * (k % 50 == 3)] for k in range(step, step + count)], dtype)


def test_rows_of_ones_own_are_spikes_too():
    net = iz.Network(dt=0.1, seed=9)
    cells, twin = silent(net), silent(net)
    net.drive(cells, Clicks(1.0))
    net.drive(twin, iz.SpikeTrain(np.tile(np.arange(6), 4), np.repeat([0.3, 5.3, 10.3, 15.3], 6), weight=7.0))
    one, other = net.record(cells, "V"), net.record(twin, "V")
    net.run(20.0)
    np.testing.assert_array_equal(one.V, other.V)
    assert np.flatnonzero(np.diff(one.V[:, 0]) > 3).tolist() == [2, 52, 102, 152]
