"""Spikes by neuron and by time: against loops over events, and against recorders with the same start and stop."""

from __future__ import annotations

import copy
import math
import pickle
from pathlib import Path

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._engine.timebase import Continuous, Steps
from izhnumba._record.events import Spikes

EXACT = dict(scheme="exact")
ROUGH = dict(dt=0.5)


def network(n=9, **options):
    """Cells of which the first two are silent."""
    net = iz.Network(seed=3, **options)
    cells = net.add(iz.Population(n, **iz.presets["RS"]), name="cells")
    net.drive(cells, np.linspace(-5.0, 15.0, n))
    return net, cells


def slow_trains(spikes, entry, neurons):
    found = {i: [] for i in neurons}
    for i, t, b in zip(spikes.i.tolist(), spikes.t.tolist(), spikes.batch.tolist(), strict=True):
        if b == entry and i in found:
            found[i].append(t)
    return list(found.values())


def same(one, other):
    assert (one.start, one.stop, one.n, one._windows) == (other.start, other.stop, other.n, other._windows)
    for name in ("i", "t", "batch", "neurons"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# --- by neuron --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [ROUGH, EXACT], ids=["steps", "exact"])
def test_trains_counts_and_rates_are_those_of_a_loop(options):
    net, cells = network(**options)
    rec = net.record(cells)
    net.run(200.0)
    spikes = rec.spikes
    trains, expected = spikes.trains(), slow_trains(spikes, 0, range(9))
    assert [train.tolist() for train in trains] == expected
    assert not any(map(len, expected[:2]))
    assert all(map(len, expected[4:]))
    assert {train.dtype for train in trains} == {np.dtype(float)}
    assert not any(train.flags.writeable for train in trains)
    assert spikes.counts().tolist() == list(map(len, expected))
    assert spikes.counts().dtype == np.int64
    np.testing.assert_allclose(spikes.rates(), spikes.counts() / 0.2)
    for i in range(9):
        np.testing.assert_array_equal(spikes.of(i), trains[i])
    assert (spikes.n, spikes.neurons.tolist()) == (9, list(range(9)))


@pytest.mark.parametrize("n", [3, 300, 70_000])
def test_trains_of_few_and_many_neurons(n):
    """Whose places are sorted as numbers of 8, 16 and 32 bits."""
    rng = np.random.default_rng(n)
    steps = np.sort(rng.integers(0, 1000, 4000))
    i = np.concatenate([rng.integers(0, n, 3998), [0, n - 1]])
    spikes = Spikes(i, steps, Steps(0.1), n, None, ((0, 1000),))
    trains = spikes.trains()
    assert len(trains) == n
    for k in {0, n - 1, *i[:20].tolist()}:
        np.testing.assert_array_equal(trains[k], (steps[i == k] + 1) * 0.1)


def test_a_batch_has_trains_for_each_entry():
    pop = iz.Population(3, **iz.presets["RS"], batch=2)
    spikes = pop.run(100.0, I=np.array([[0.0, 6.0, 9.0], [12.0, 0.0, 15.0]])).spikes
    trains = spikes.trains()
    assert [[train.tolist() for train in entry] for entry in trains] == [
        slow_trains(spikes, b, range(3)) for b in (0, 1)
    ]
    assert spikes.counts().shape == spikes.rates().shape == (2, 3)
    assert spikes.counts().tolist() == [list(map(len, entry)) for entry in trains]
    assert (spikes.counts() > 0).tolist() == [[False, True, True], [True, False, True]]
    np.testing.assert_array_equal(spikes.of(2, batch=1), trains[1][2])
    late = spikes[50.0:]
    assert [[t.tolist() for t in entry] for entry in late.trains()] == [
        [[t for t in train if t > 50.0] for train in entry] for entry in trains
    ]
    with pytest.raises(ValueError, match=r"^Spikes\.of\.batch must be a whole number >= 0 and <= 1, got 2"):
        spikes.of(0, batch=2)


def test_neurons_that_were_not_recorded_are_not_silent():
    net, cells = network(**ROUGH)
    whole, part, few = net.record(cells), net.record(cells[3:8]), net.record(cells, neurons=[7, 0, 5])
    net.run(100.0)
    for rec, neurons in ((part, range(3, 8)), (few, [0, 5, 7])):
        spikes = rec.spikes
        assert (spikes.n, spikes.neurons.tolist()) == (len(neurons), list(neurons))
        assert [t.tolist() for t in spikes.trains()] == slow_trains(whole.spikes, 0, neurons)
        np.testing.assert_array_equal(spikes.rates(), whole.spikes.rates()[list(neurons)])
        np.testing.assert_array_equal(spikes.of(7), whole.spikes.of(7))
        same(spikes[10.0:50.0][20.0:], spikes[20.0:50.0])
        with pytest.raises(
            ValueError, match=r"^Spikes\.of\.i must be a neuron that was recorded, got 8\. See spikes.n"
        ):
            spikes.of(8)
    with pytest.raises(ValueError, match=r"^Spikes\.of\.i must be a whole number >= 0 and <= 8, got 9"):
        whole.spikes.of(9)


def test_several_populations_by_place():
    net, cells = network(**ROUGH)
    more = net.add(iz.Population(2, **iz.presets["FS"]))
    net.drive(more, [0.0, 10.0])
    both, one, other = net.record(cells + more, "spikes"), net.record(cells), net.record(more)
    net.run(100.0)
    expected = one.spikes.trains() + other.spikes.trains()
    assert [t.tolist() for t in both.spikes.trains()] == [t.tolist() for t in expected]
    assert (both.spikes.n, both.spikes.start, both.spikes.stop) == (11, 0.0, 100.0)
    net.run(20.0)
    assert both.spikes.stop == 120.0


# --- by time ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [dict(dt=0.1), EXACT], ids=["steps", "exact"])
@pytest.mark.parametrize(("start", "stop"), [(0.0, 30.0), (30.0, 70.3), (70.3, 70.3), (70.3, 90.0)])
def test_a_part_is_what_a_recorder_with_this_start_and_stop_has(options, start, stop):
    net, cells = network(**options)
    whole, part = net.record(cells), net.record(cells, start=start, stop=stop)
    net.run(100.0)
    same(whole.spikes[start:stop], part.spikes)
    assert (part.spikes.start, part.spikes.stop) == (start, stop)


def test_parts_side_by_side_share_no_spike_and_lose_none():
    net, cells = network(dt=0.1)
    rec = net.record(cells)
    net.run(100.0)
    spikes = rec.spikes
    edges = np.concatenate([[0.0], np.unique(spikes.t)[::3], [100.0]])  # each but the ends that of a spike
    parts = [spikes[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    np.testing.assert_array_equal(np.concatenate([part.step for part in parts]), spikes.step)
    for part in parts[:-1]:
        assert part.t[-1] == part.stop  # a spike at the end is in
        assert part.t[0] > part.start
    np.testing.assert_allclose(sum(part.counts() for part in parts), spikes.counts())


def test_ends_of_steps_are_found_in_spite_of_rounding():
    spikes = Spikes(np.zeros(10, int), np.arange(10), Steps(0.1), 1, None, ((0, 10),))
    assert spikes.t[2] > 0.3  # 3 * 0.1 in binary
    assert spikes[:0.3].step.tolist() == [0, 1, 2]
    assert spikes[0.3:0.7].step.tolist() == [3, 4, 5, 6]
    assert spikes[0.35:0.55].step.tolist() == [3, 4]  # in the course of steps: by the time of the spike
    assert (spikes[0.35:0.55].start, spikes[0.35:0.55].stop) == pytest.approx((0.35, 0.55))


def test_a_spike_at_the_very_start_of_continuous_time():
    spikes = Spikes(np.array([0, 0, 0]), np.array([0.0, 1.0, 2.0]), Continuous(0.1), 1, None, ((0.0, 2.0),))
    assert spikes[0.0:1.0].t.tolist() == [0.0, 1.0]
    assert spikes[1.0:].t.tolist() == [2.0]
    assert spikes[0.0:1.0][0.0:0.5].t.tolist() == [0.0]
    assert spikes[1.0:][1.0:].t.tolist() == [2.0]


def test_a_part_ends_with_the_recording():
    pop = iz.Population(2, **iz.presets["RS"])
    pop.run(50.0, 10.0)
    spikes = pop.run(50.0, 10.0).spikes
    assert (spikes.start, spikes.stop) == (50.0, 100.0)
    whole = spikes[0.0:1e300]
    assert (whole.start, whole.stop, len(whole)) == (50.0, 100.0, len(spikes))
    np.testing.assert_allclose(whole.rates(), spikes.counts() / 50e-3)
    nothing = spikes[:20.0]
    assert (nothing.start, nothing.stop, len(nothing)) == (50.0, 50.0, 0)
    assert (spikes[200.0:].start, len(spikes[200.0:])) == (100.0, 0)
    assert nothing.trains()[1].size == 0
    with pytest.raises(
        ValueError, match=r"^Spikes\.rates must know for how long they were recorded, got none\. Run fi"
    ):
        nothing.rates()


@pytest.mark.parametrize(
    ("key", "kind", "message"),
    [
        (3, TypeError, "Spikes must be cut by times in ms, as in spikes[100.0:200.0], got [3]. Loop over"),
        (slice(0.0, 10.0, 2.0), TypeError, "got [slice(0.0, 10.0, 2.0)]."),
        (slice(20.0, 10.0), ValueError, "Spikes[start:stop].stop must be >= start (20 ms), got 10 ms."),
        (slice(-20.0, None), ValueError, "Spikes[start:stop].start must be a number >= 0 ms, got -20.0."),
        (slice(None, "x"), TypeError, "Spikes[start:stop].stop must be a number >= 0 ms, got 'x'."),
    ],
)
def test_what_is_no_time(key, kind, message):
    spikes = iz.Population(2, **iz.presets["RS"]).run(50.0, 10.0).spikes
    with pytest.raises(kind) as raised:
        spikes[key]
    assert message in str(raised.value)


# --- when they were recorded ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [ROUGH, EXACT], ids=["steps", "exact"])
def test_pauses_are_no_time_of_recording(options):
    net, cells = network(**options)
    net.run(10.0)
    rec = net.record(cells)
    assert (rec.spikes.start, rec.spikes.stop) == (10.0, 10.0)
    net.run(30.0)
    assert (rec.spikes.start, rec.spikes.stop) == (10.0, 40.0)
    rec.stop = net.t
    net.run(60.0)
    assert rec.spikes.stop == 40.0
    rec.stop = math.inf
    net.run(20.0)
    rec.start, rec.stop = 130.0, 500.0
    net.run(20.0)
    assert rec.spikes._windows == tuple((rec._engine.time.at("", a), rec._engine.time.at("", b))
                                        for a, b in ((10.0, 40.0), (100.0, 120.0), (130.0, 140.0)))  # fmt: skip
    np.testing.assert_allclose(rec.spikes.rates(), rec.spikes.counts() / 60e-3)
    part = rec.spikes[20.0:110.0]
    np.testing.assert_allclose(part.rates(), part.counts() / 30e-3)
    assert (rec.spikes[50.0:90.0].start, rec.spikes[50.0:90.0].stop) == (50.0, 50.0)
    rec.stop = math.inf
    same(rec.spikes, pickle.loads(pickle.dumps(rec.spikes)))
    assert rec.spikes.stop == 140.0
    net.remove(rec)
    net.run(10.0)
    assert rec.spikes.stop == 140.0


def test_a_look_between_steps_and_a_reset():
    net, cells = network(**ROUGH)
    rec = net.record(cells)
    for k in range(5):
        net.step()
        assert rec.spikes.stop == (k + 1) * 0.5
    assert rec.spikes is rec.spikes
    net.reset()
    assert (rec.spikes.start, rec.spikes.stop) == (0.0, 0.0)
    net.run(20.0)
    assert (rec.spikes.start, rec.spikes.stop) == (0.0, 20.0)


@pytest.mark.parametrize("to", [False, True], ids=["memory", "file"])
def test_a_checkpoint_knows_when_they_were_recorded(tmp_path, to):
    net, cells = network(**ROUGH)
    net.run(10.0)
    rec = net.record(cells[2:], name="rec", **({"to": tmp_path / "x.rec"} if to else {}))
    net.run(20.0)
    rec.stop = net.t
    net.run(20.0)
    rec.stop = math.inf
    net.run(50.0)
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    same(again.recorders["rec"].spikes, rec.spikes)
    for one in (net, again):
        one.run(10.0)
    same(again.recorders["rec"].spikes, rec.spikes)
    np.testing.assert_allclose(rec.spikes.rates(), rec.spikes.counts() / 80e-3)


def test_a_population_keeps_the_window_of_its_last_run(tmp_path):
    pop = iz.Population(4, **iz.presets["RS"])
    pop.run(10.0, 10.0)
    spikes = pop.run(40.0, 10.0).spikes
    pop.step(10.0)
    pop.save(tmp_path / "pop.npz")
    for again in (
        iz.Population.load(tmp_path / "pop.npz").result.spikes,
        pickle.loads(pickle.dumps(spikes)),
        copy.copy(spikes),
    ):
        same(again, spikes)
    assert (spikes.start, spikes.stop) == (10.0, 50.0)


def test_files_tell_which_neurons_and_not_until_when(tmp_path):
    net, cells = network(**ROUGH)
    whole, some = (
        net.record(cells, to=tmp_path / "whole.rec"),
        net.record(cells, neurons=[8, 1], to=tmp_path / "some.rec"),
    )
    net.run(100.0)
    for rec in (whole, some):
        read = iz.io.read(rec.to)
        assert (read.n, read.neurons.tolist()) == (rec.spikes.n, rec.spikes.neurons.tolist())
        assert [t.tolist() for t in read.trains()] == [t.tolist() for t in rec.spikes.trains()]
        same(read[:100.0], rec.spikes)
        np.testing.assert_array_equal(read[:100.0].rates(), rec.spikes.rates())
        with pytest.raises(
            ValueError,
            match=r"got spikes of a file, which does not tell\. Say it: spikes\[0\.0:1000\.0\]\.rates\(\)\.$",
        ):
            read.rates()


def test_pickles_of_old_have_their_spikes():
    spikes = iz.Population(2, **iz.presets["RS"]).run(50.0, [0.0, 10.0]).spikes
    old = object.__new__(Spikes)
    vars(old).update(
        {name: vars(spikes)[name] for name in ("i", "step", "_labels", "_time", "n_batch", "_batch", "_sealed")}
    )
    np.testing.assert_array_equal(old.of(1), spikes.of(1))
    np.testing.assert_array_equal(old[10.0:].t, spikes[10.0:].t)
    for ask in (lambda: old.n, old.trains, old.counts, old.rates, lambda: old.neurons):
        with pytest.raises(ValueError, match=r"^Spikes\.n must be known, got spikes that an older version has pickled"):
            ask()


def test_names_of_other_simulators_lead_here():
    result = iz.Population(2, **iz.presets["RS"]).run(50.0, 10.0)
    for name, meant in {"spike_trains": "trains", "count": "counts", "rate": "rates"}.items():
        with pytest.raises(AttributeError, match=rf"^Spikes has no '{name}'\. Did you mean '{meant}'\?$"):
            getattr(result.spikes, name)
    net, cells = network()
    for one in (result, net.record(cells)):
        with pytest.raises(AttributeError, match=r"^\w+ has no 'trains'\. Write spikes\.trains\.$"):
            _ = one.trains
    for one in (result, result.spikes, net.record(cells)):
        for name, measure in {"isi": "isi", "cv": "cv", "burst": "bursts", "spectrum": "rate_spectrum"}.items():
            with pytest.raises(AttributeError, match=rf"^\w+ has no '{name}'\. Use izhnumba\.analysis\.{measure}\("):
                getattr(one, name)


def test_older_files_do_not_say_when_a_run_ended():
    folder = Path(__file__).parents[1] / "data" / "population_format_2"
    spikes = iz.Population.load(folder / "steps.npz").result.spikes
    assert len(spikes) == spikes.counts().sum() > 0
    assert (spikes.start, spikes.stop) == (0.0, math.inf)
    assert spikes[:30.0].stop == 30.0
