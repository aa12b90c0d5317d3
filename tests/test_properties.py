"""What must not change a bit: how a run is cut, who the neighbours are, and how many threads work."""

from __future__ import annotations

import numpy as np
import pytest
from cells import assert_same, assert_same_result, chosen, different, events, population, state
from hypothesis import given, settings
from hypothesis import strategies as st

import izhnumba as iz
from izhnumba._clock import engine
from izhnumba._clock import inputs as clock_inputs
from izhnumba._engine import run_loop
from izhnumba._numba import threads as thread_policy

prop = settings(derandomize=True, deadline=None, max_examples=25)
sizes = st.sampled_from([1, 2, 5, 63, 64, 65, 130])
seeds = st.integers(0, 2**16)
lengths = st.lists(st.integers(0, 120), min_size=1, max_size=5)
dtypes = st.sampled_from(["float64", "float32"])
inputs = st.sampled_from(
    [iz.Noise(15.0), 8.0 + iz.OrnsteinUhlenbeck(4.0, 4.0, 3.0), iz.Sine(20.0, 80.0, offset=5.0), iz.Constant(12.0)]
)


@prop
@given(sizes, seeds, lengths, inputs, st.integers(1, 7))
def test_split_runs_are_the_whole_run(n, seed, n_steps, I, every):
    whole, split = (population(n, different(n, seed)) for _ in range(2))
    options = dict(record=["V", "u"], every=every * 0.1)
    parts = [split.run(k * 0.1, I, **options) for k in n_steps]
    assert_same_result(whole.run(sum(n_steps) * 0.1, I, **options), *parts)
    assert_same(whole, split)


@prop
@given(sizes, seeds, dtypes, st.randoms(use_true_random=False))
def test_permuted_neurons_permute_results(n, seed, dtype, random):
    cells, order = different(n, seed), list(range(n))
    random.shuffle(order)
    I = np.random.default_rng(seed).normal(10.0, 10.0, (150, n))
    pop = population(n, cells, dtype=dtype)
    permuted = population(n, chosen(cells, order), dtype=dtype)
    result, other = pop.run(15.0, I, record="V"), permuted.run(15.0, I[:, order], record="V")
    assert other.V.tobytes() == np.ascontiguousarray(result.V[:, order]).tobytes()
    assert permuted.u.tobytes() == pop.u[order].tobytes()
    place = np.argsort(order)
    expected = sorted(zip(result.spikes.step, place[result.spikes.i], strict=True))
    assert list(zip(other.spikes.step, other.spikes.i, strict=True)) == expected


@prop
@given(sizes, seeds, st.integers(1, 60), inputs)
def test_the_length_of_slices_changes_nothing(n, seed, most_steps, I):
    pop, sliced = (population(n, different(n, seed)) for _ in range(2))
    result = pop.run(20.0, I, record="V", every=0.3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock_inputs, "_MOST_STEPS", most_steps)
        assert_same_result(result, sliced.run(20.0, I, record="V", every=0.3))
    assert_same(pop, sliced)


def test_slices_that_follow_the_clock_change_nothing(monkeypatch):
    table = np.random.default_rng(5).normal(10.0, 10.0, (500, 65))
    pop = population(65)
    result = pop.run(50.0, table, record=["V", "u"])
    for first, seconds in ((1, 1e-9), (64 * 7 * 2, 1e-9), (1, 10.0), (64 * 200, 1e-4)):
        monkeypatch.setattr(clock_inputs, "_FIRST_SLICE", first)
        monkeypatch.setattr(run_loop, "_SLICE_SECONDS", seconds)
        sliced = population(65)
        assert_same_result(result, sliced.run(50.0, table, record=["V", "u"]))
        assert_same(pop, sliced)


@prop
@given(st.integers(1, 4), st.integers(1, 40), seeds)
def test_a_batch_is_a_loop_over_its_entries(n_batch, n, seed):
    cells = {name: values.reshape(n_batch, n) for name, values in different(n_batch * n, seed).items()}
    I = np.random.default_rng(seed).normal(10.0, 10.0, (150, n_batch, n))
    pop = iz.Population(n, batch=n_batch, **cells)
    result = pop.run(15.0, I, record=["V", "u"], every=0.2)
    for b in range(n_batch):
        entry = population(n, chosen(cells, b))
        alone = entry.run(15.0, I[:, b], record=["V", "u"], every=0.2)
        assert alone.V.tobytes() == np.ascontiguousarray(result.V[:, b]).tobytes()
        assert alone.u.tobytes() == np.ascontiguousarray(result.u[:, b]).tobytes()
        mine = result.spikes.batch == b
        np.testing.assert_array_equal(events(alone.spikes)[::2], events(result.spikes)[::2, mine])
        np.testing.assert_array_equal(entry.last_spike_time, pop.last_spike_time[b])


# --- neighbours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 63, 64, 65, 2047, 2048, 2049, 4095, 4096, 4097, 9000])
def test_each_neuron_is_as_alone(n):
    """Sizes around vectors, words of spike bits and blocks: neurons of a population against populations of one."""
    cells = different(n, seed=n)
    I = np.linspace(5.0, 15.0, n)
    pop = population(n, cells)
    result = pop.run(30.0, I, record="V")
    pop.step(I)
    for i in sorted({0, n // 3, max(0, n - 65), n - 2, n - 1} & set(range(n))):
        one = population(1, chosen(cells, [i]))
        alone = one.run(30.0, I[i], record="V")
        one.step(I[i])
        assert alone.V[:, 0].tobytes() == np.ascontiguousarray(result.V[:, i]).tobytes(), i
        assert alone.spikes.step.tolist() == result.spikes.step[result.spikes.i == i].tolist()
        assert (one.V[0], one.u[0], one.last_spike_time[0]) == (pop.V[i], pop.u[i], pop.last_spike_time[i])
    assert len(result.spikes) > n // 2


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_very_negative_neighbours_change_nothing(dtype):
    """They take a block from the short to the full range of exprel."""
    cells = dict(V=np.linspace(-80.0, 29.0, 130), u=np.linspace(-15.0, -5.0, 130))
    alone = population(130, cells, dtype=dtype)
    n_spikes = len(alone.run(20.0, 10.0).spikes)
    for low in (-300.0, -90.0, -1000.0):
        for where in (slice(None, None, 2), slice(0, 1), slice(129, 130)):
            V = np.stack([cells["V"], np.full(130, -65.0)])
            V[1, where] = low
            both = iz.Population(130, batch=2, dtype=dtype, V=V, u=cells["u"])
            spikes = both.run(20.0, 10.0).spikes
            assert both.V[0].tobytes() == alone.V.tobytes()
            assert both.u[0].tobytes() == alone.u.tobytes()
            assert np.sum(spikes.batch == 0) == n_spikes > 5


@prop
@given(sizes, seeds)
def test_equal_neurons_stay_equal_and_arrays_mean_what_numbers_mean(n, seed):
    cell = {name: float(values[0]) for name, values in different(1, seed).items()} | {"tau_ref": 0.0}
    as_arrays = {name: np.full(n, value) for name, value in cell.items()}
    numbers, arrays = population(n, cell), population(n, as_arrays)
    arrays.tau_ref = 1.0
    arrays.tau_ref = 0.0  # and so it runs the kernel with refractoriness, which is compiled anyway
    for pop in (numbers, arrays):
        pop.run(30.0, 12.0)
        for values in (pop.V, pop.u, pop.last_spike_time):
            assert values.tobytes() == np.full_like(values, values[0]).tobytes()
    assert numbers.V.tobytes() == arrays.V.tobytes()
    assert numbers.u.tobytes() == arrays.u.tobytes()


# --- step and run, threads ------------------------------------------------------------------------------------------


@prop
@given(sizes, seeds, dtypes)
def test_steps_are_the_run(n, seed, dtype):
    I = np.random.default_rng(seed).normal(10.0, 10.0, (100, n))
    stepped, ran = (population(n, different(n, seed), dtype=dtype) for _ in range(2))
    for row in I.astype(dtype):
        stepped.step(row)
    ran.run(10.0, I)
    assert_same(stepped, ran)


@pytest.mark.parametrize("n", [5000, 20_001])
def test_the_number_of_threads_changes_nothing(n, monkeypatch):
    monkeypatch.setattr(thread_policy, "_PAYS", 1)
    table = np.random.default_rng(1).normal(10.0, 10.0, (40, n))
    runs = []
    for threads in (1, 2, 4):
        pop = population(n, threads=threads)
        results = [pop.run(10.0, 10.0, record="V", every=1.0, neurons=[0, n - 1, 4097])]
        results += [pop.run(4.0, table), pop.run(6.0, iz.Noise(20.0))]
        for _k in range(10):
            pop.step(10.0)
        for row in table:
            pop.step(row)
        runs.append((state(pop), results))
    for pop_state, results in runs[1:]:
        assert pop_state == runs[0][0]
        for result, expected in zip(results, runs[0][1], strict=True):
            assert_same_result(result, expected)
    assert sum(len(result.spikes) for result in runs[0][1]) > n


def test_threads_are_used_when_they_are_asked_for(monkeypatch):
    """The test above would pass if all ran on one thread."""
    used = []
    prepare = engine.ClockEngine.prepare
    monkeypatch.setattr(engine.ClockEngine, "prepare", lambda *args: (used.append(args[-1]), prepare(*args))[1])
    population(20_001, threads=2).run(1.0, 10.0)
    population(20_001, threads=1).run(1.0, 10.0)
    population(20, threads=2).run(1.0, 10.0)
    assert used == [2, 1, 1]
