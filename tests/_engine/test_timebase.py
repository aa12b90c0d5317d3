"""The two ways of counting time: the same questions, answered by integers and by floats without a tolerance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import izhnumba as iz
from izhnumba._engine.codes import OK
from izhnumba._engine.run_loop import Condition, Slices, run_slices
from izhnumba._engine.timebase import Column, Continuous, Steps, timebase_of
from izhnumba._record import blocks, storage
from izhnumba._record.results import Samples, Spikes
from izhnumba._record.sampler import WeightRecorder
from izhnumba._record.samples import StateRecorder
from izhnumba._record.spikes import RateRecorder, SpikeRecorder

steps, real = Steps(0.1), Continuous(0.1)
AWKWARD = [0.1, 0.3, 1 / 3, 0.7, 1e-3, math.pi, 1e7 / 3]
instants = st.floats(0.0, 1e6)


def test_what_users_give():
    assert (steps.at("x", 0.3), steps.interval("x", None), steps.interval("x", 0.3)) == (3, 1, 3)
    assert (real.at("x", 3 * 0.1), real.interval("x", None), real.interval("x", 0.3)) == (0.3, 0.1, 0.3)
    assert (steps.after("x", 7, 0.3), steps.ms(7), real.ms(0.7)) == (10, 7 * 0.1, 0.7)
    for call, value, message in (
        (steps.at, 0.25, r"x must be a whole number of steps of 0\.1 ms, got 0\.25"),
        (steps.interval, 0.0, r"x must be >= 0\.1 ms, got 0"),
        (real.at, -1.0, r"x must be a finite number >= 0 and <= 4294967296 ms, got -1"),
        (real.at, math.inf, r"x must be a finite number >= 0 and <= 4294967296 ms, got inf"),
        (real.interval, 0.0, r"x must be a finite number >= 1e-09 and <= 4294967296 ms, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            call("x", value)


@pytest.mark.parametrize("T", [0.1, 0.3, 0.7, 1.1])
def test_runs_in_a_row_end_where_one_does(T):
    now = 0.0
    for run in range(1, 1001):
        now = real.after("x", now, T)
        assert now == round(run * T, 9)


@pytest.mark.parametrize("every", [0.1, 0.3, 0.7, 1.1])
def test_a_run_of_so_many_samples_takes_all_of_them(every):
    """Though 3 * 0.1 is more than 0.3."""
    for m in range(1, 2000):
        assert real.after("x", 0.0, round(m * every, 1)) == real.sample(m, every)


@pytest.mark.parametrize("every", AWKWARD)
def test_samples_in_continuous_time(every):
    for m in (*range(1, 300), 10**6 + 1):
        at = real.sample(m, every)
        assert at == pytest.approx(m * every, abs=1e-9, rel=1e-15)
        before, after = np.nextafter(at, 0.0), np.nextafter(at, np.inf)
        assert [real.samples_by(x, every) for x in (before, at, after)] == [m - 1, m, m]
        assert [real.is_sample(x, every) for x in (before, at, after)] == [False, True, False]
        assert [real.next_sample(x, every) for x in (before, at)] == [at, real.sample(m + 1, every)]
        assert real.bins(np.array([before, at, after]), every).tolist() == [m - 1, m - 1, m]
    assert (real.samples_by(0.0, every), real.is_sample(0.0, every)) == (0, True)


@given(instants, st.sampled_from(AWKWARD) | st.floats(1e-3, 1e3))
def test_the_last_sample_is_the_last(instant, every):
    m = real.samples_by(instant, every)
    assert type(m) is int
    assert real.sample(m, every) <= instant < real.sample(m + 1, every)
    assert real.bins(np.array([instant]), every)[0] == m - real.is_sample(instant, every)


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_samples_in_steps(instant, every):
    m = steps.samples_by(instant, every)
    assert m * every <= instant < (m + 1) * every == steps.next_sample(instant, every)
    assert steps.is_sample(instant, every) == (instant % every == 0)
    assert steps.bins(np.array([instant - 1]), every)[0] == m - steps.is_sample(instant, every)


def test_labels():
    """A spike of step k is seen when k + 1 steps are done: windows leave out what is seen as they begin."""
    k, t = np.arange(6), np.arange(1, 7) * 0.1
    assert steps.labels(k + 1).tolist() == k.tolist()
    assert steps.t(k).tolist() == real.t(t).tolist() == t.tolist()
    assert steps.steps(k) is k
    assert real.steps(t) is None
    assert real.labels(t) is t
    assert np.flatnonzero(steps.within(k, 2, 4)).tolist() == [2, 3]
    assert np.flatnonzero(real.within(t, t[1], t[3])).tolist() == [2, 3]


def test_results_without_steps():
    pytest.importorskip("pandas")
    spikes = Spikes(np.array([4, 0]), np.array([0.25, 1 / 3]), real, 3, 2)
    assert spikes.step is None
    assert (spikes.t.tolist(), spikes.i.tolist(), spikes.batch.tolist()) == ([0.25, 1 / 3], [1, 0], [1, 0])
    assert list(spikes.to_dataframe()) == ["i", "t", "batch"]
    samples = Samples(np.array([0.3]), real, {"V": np.zeros((1, 2))}, np.arange(2))
    assert (samples.step, samples.t.tolist(), len(samples)) == (None, [0.3], 1)


def test_files_without_steps(tmp_path):
    t, V = np.array([0.1, 1 / 3]), np.array([[1.0], [2.0]])
    about = {"kind": "spikes", "name": "s", "dt": 0.1, "n": 3}
    stream = storage.FileStore(tmp_path / "s", [Column("i", "<i8"), real.column], 0.0, about, np.empty(0))
    stream.append(0.5, np.array([2, 0]), t)
    spikes = iz.io.read(tmp_path / "s")
    assert (spikes.step, spikes.t.tolist(), spikes.i.tolist()) == (None, t.tolist(), [2, 0])
    assert iz.SpikeTrain.from_file(tmp_path / "s").t.tolist() == t.tolist()
    columns = [real.column, Column("V", "<f8", (1,))]
    stream = storage.FileStore(tmp_path / "v", columns, 0.0, about | {"kind": "states"}, np.array([2]))
    stream.append(0.5, t, V)
    samples = iz.io.read(tmp_path / "v")
    assert (samples.step, samples.t.tolist(), samples.V.tolist()) == (None, t.tolist(), V.tolist())
    assert isinstance(timebase_of(blocks.read("read.path", tmp_path / "v")[0]), Continuous)


class Clockwork:
    """An engine and its feeds in continuous time: neuron i spikes every 0.37 (i + 1) ms, and V = i + t."""

    model, dtype, n, ahead, fired = iz.Izhikevich, np.dtype("float64"), 3, False, True
    period = 0.37 * np.arange(1, 4)

    def __init__(self):
        self.time, self.now, self.V, self.weights = real, 0.0, np.arange(3.0), np.zeros(2)

    reliable = property(lambda self: self.now)

    def reach(self, now, length):
        return now + (0.05 if length is None else min(length, 0.7))

    def between(self, now, until):
        return until - now

    def threads_for(self, until, stop, wanted):
        return wanted or 1

    def record(self, wanted):
        self.wanted = wanted

    def publish_state(self):
        """V is always that of now."""

    def prepare(self, until, inputs, threads):
        assert 0.0 < inputs == until - self.now

    def advance(self, until):
        for record in self.wanted:
            for m in range(record.first, record.first + len(record.samples)):
                t = self.time.sample(m, record.every)
                if self.now < t <= until:
                    record.samples[m - record.first, record.places] = record.neurons + t
        k, i = np.indices((200, 3)).reshape(2, -1)
        t = k * self.period[i]
        new = np.flatnonzero((t > self.now) & (t <= until))
        new = new[np.lexsort((i[new], t[new]))]
        self.began, self.now, self.spikes = self.now, until, (i[new], t[new])
        self.weights[:] = until
        return OK

    def spike_list(self, since):
        assert since == self.began
        return self.spikes


def recorded(T):
    """What recorders hold after runs of these lengths."""
    engine = Clockwork()
    recorders = (
        SpikeRecorder(engine, "spikes"),
        RateRecorder(engine, "rate", 0.7),
        StateRecorder("x", engine, "V", None, {"V": engine.V}, 0.3, [2, 0]),
        WeightRecorder(engine, "weight", {"weight": lambda: engine.weights}, engine.weights.size, 1.1),
    )
    recorders[0].start, recorders[2].stop = 0.74, 7.77
    for duration in T:
        stop = real.after("T", engine.now, duration)
        for recorder in recorders:
            recorder._begin(stop)
        run_slices(Slices(engine, stop, engine, recorders, None))
    return engine, *recorders


@pytest.mark.parametrize("T", [[10.0], [0.1] * 100, [3.3, 0.0, 1e-3, 6.699]])
def test_recorders_in_continuous_time(T):
    engine, spikes, rate, voltage, weight = recorded(T)
    assert engine.now == 10.0
    expected = sorted((k * p, i) for i, p in enumerate(Clockwork.period) for k in range(200) if 0.74 < k * p <= 10.0)
    assert list(zip(spikes.t, spikes.i, strict=True)) == expected
    assert spikes.step is None
    assert voltage.t.tolist() == [real.sample(m, 0.3) for m in range(1, 26)]
    np.testing.assert_array_equal(voltage.V, voltage.t[:, None] + [2, 0])
    assert weight.t.tolist() == [real.sample(m, 1.1) for m in range(1, 10)]
    np.testing.assert_array_equal(weight.weight, np.repeat(weight.t, 2).reshape(-1, 2))
    assert rate.t.tolist() == [real.sample(m, 0.7) for m in range(1, 15)]
    edges = [0.0, *rate.t]
    events = np.concatenate([np.arange(1, 200) * p for p in Clockwork.period])
    counts = [np.sum((events > a) & (events <= b)) for a, b in zip(edges, edges[1:], strict=False)]
    np.testing.assert_allclose(rate.rate, np.array(counts) / (3 * 0.7e-3))


def test_conditions_in_continuous_time():
    engine = Clockwork()
    asked = []
    condition = Condition(lambda: asked.append(engine.now) or len(asked) == 5, 0.3)
    run_slices(Slices(engine, 10.0, engine, [], None), None, condition)
    assert asked == [real.sample(m, 0.3) for m in range(1, 6)]
    assert engine.now == asked[-1]
