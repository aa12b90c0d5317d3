"""Statistics of spike trains: against slow twins of one train, written as the definitions are, and made-up trains."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis
from izhnumba._engine.timebase import Continuous, Steps
from izhnumba._record.events import Spikes

RNG = np.random.default_rng(7)
# Irregular trains of few and many spikes; on a clock of 0.1 ms, so that spikes lie on the ends of bins.
TRAINS = [np.unique(RNG.integers(1, 10_000, size=n)) * 0.1 for n in (0, 1, 2, 3, 4, 40, 0, 300)]
TRAINS += [np.array([10.0, 20.0]), np.arange(5.0, 1001.0, 5.0)]


def spikes_of(trains, stop=1000.0, time=None, n_batch=None):
    """The same as Spikes, in steps of 0.1 ms or in continuous time."""
    time = time or Steps(0.1)
    n = len(trains) // (n_batch or 1)
    i = np.repeat(np.arange(len(trains)), list(map(len, trains)))
    t = np.concatenate(trains)
    labels = np.rint(t / 0.1).astype(np.int64) - 1 if isinstance(time, Steps) else t
    order = np.lexsort((i, labels))
    return Spikes(i[order], labels[order], time, n, n_batch, ((0, time.at("", stop)),))


def slow_cv(train):
    intervals = [b - a for a, b in itertools.pairwise(train)]
    if len(intervals) < 2:
        return math.nan
    mean = math.fsum(intervals) / len(intervals)
    return math.sqrt(math.fsum((one - mean) ** 2 for one in intervals) / len(intervals)) / mean


def slow_cv2(train):
    intervals = [b - a for a, b in itertools.pairwise(train)]
    terms = [2 * abs(b - a) / (b + a) for a, b in itertools.pairwise(intervals)]
    return math.fsum(terms) / len(terms) if terms else math.nan


def slow_lv(train):
    intervals = [b - a for a, b in itertools.pairwise(train)]
    terms = [3 * ((a - b) / (a + b)) ** 2 for a, b in itertools.pairwise(intervals)]
    return math.fsum(terms) / len(terms) if terms else math.nan


def slow_counts(train, width, start, stop):
    """In bins start + m width < t <= start + (m + 1) width, told by whole steps of 0.1 ms."""
    steps = [round(10 * t) for t in train]
    first, size, n_bins = round(10 * start), round(10 * width), round(10 * (stop - start)) // round(10 * width)
    return [sum(first + m * size < k <= first + (m + 1) * size for k in steps) for m in range(n_bins)]


def slow_fano(train, width, start=0.0, stop=1000.0):
    counts = slow_counts(train, width, start, stop)
    mean = sum(counts) / len(counts)
    return sum((one - mean) ** 2 for one in counts) / len(counts) / mean if mean else math.nan


# --- single trains ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "slow"), [(analysis.cv, slow_cv), (analysis.cv2, slow_cv2), (analysis.lv, slow_lv)]
)
def test_variation_of_intervals(function, slow):
    expected = [slow(train.tolist()) for train in TRAINS]
    assert np.isnan(expected).sum() == 5
    for given in (TRAINS, spikes_of(TRAINS), spikes_of(TRAINS, time=Continuous(0.1)), tuple(map(list, TRAINS))):
        np.testing.assert_allclose(function(given), expected, rtol=1e-9, atol=1e-9)
    for train, value in zip(TRAINS, expected, strict=True):
        one = function(train)
        assert isinstance(one, float)
        np.testing.assert_allclose(one, value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(function(spikes_of(TRAINS, n_batch=2)), np.reshape(expected, (2, 5)), atol=1e-9)


def test_intervals():
    expected = [np.diff(train) for train in TRAINS]
    found = analysis.isi(TRAINS)
    assert [one.tolist() for one in found] == [one.tolist() for one in expected]
    entries = analysis.isi(spikes_of(TRAINS, n_batch=5))
    assert [len(entry) for entry in entries] == [2] * 5
    for one, other in zip(itertools.chain(*entries), expected, strict=True):
        np.testing.assert_allclose(one, other)
    np.testing.assert_array_equal(analysis.isi(np.array([1.0, 2.0, 4.0])), [1.0, 2.0])
    assert analysis.isi([]).size == 0
    assert [one.tolist() for one in analysis.isi([[], [1.0]])] == [[], []]
    np.testing.assert_array_equal(analysis.isi(np.array([[1.0, 2.0], [3.0, 7.0]])), [[1.0], [4.0]])


def test_spikes_at_one_time():
    """Two intervals of 0 do not differ; a train of them has no CV."""
    together = [5.0, 5.0, 5.0]
    assert (analysis.cv2(together), analysis.lv(together)) == (0.0, 0.0)
    assert np.isnan(analysis.cv(together))


@pytest.mark.parametrize("width", [0.3, 10.0, 70.0])
def test_fano_factor_of_counts_in_windows(width):
    """Also of spikes that lie on the ends of windows, as they do in a simulation with steps."""
    expected = [slow_fano(train, width) for train in TRAINS]
    for given, options in (
        (TRAINS, {"stop": 1000.0}),
        (spikes_of(TRAINS), {}),
        (spikes_of(TRAINS, time=Continuous(0.1)), {}),
    ):
        np.testing.assert_allclose(analysis.fano_factor(given, width, **options), expected, rtol=1e-9, atol=1e-12)
    expected = [slow_fano(train, width, 120.3, 700.0) for train in TRAINS]
    for given in (TRAINS, spikes_of(TRAINS), spikes_of(TRAINS)[50.0:]):
        found = analysis.fano_factor(given, width, start=120.3, stop=700.0)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    batch = analysis.fano_factor(spikes_of(TRAINS, n_batch=2), width)
    np.testing.assert_allclose(batch.ravel(), [slow_fano(train, width) for train in TRAINS], rtol=1e-9, atol=1e-12)


def test_recorders_and_results_are_taken():
    net = iz.Network(dt=0.5, seed=3)
    cells = net.add(iz.Population(4, **iz.presets["CH"]), name="cells")
    net.drive(cells, [0.0, 5.0, 10.0, 12.0])
    rec, joined = net.record(cells), net.record(cells + net.add(iz.Population(1, **iz.presets["RS"])), "spikes")
    some = net.record(cells, neurons=[3, 1])
    rate = net.record(cells, "rate", every=1.0)
    net.run(300.0)
    trains = rec.spikes.trains()
    for function in (analysis.cv, analysis.cv2, analysis.lv):
        np.testing.assert_array_equal(function(rec), function(trains))
        np.testing.assert_array_equal(function(joined)[:4], function(trains))
        np.testing.assert_array_equal(function(some), function([trains[1], trains[3]]))
    assert set(analysis.bursts(some, 10.0).i) == {1, 3}
    pytest.importorskip("scipy")
    for one, other in zip(analysis.rate_spectrum(rec), analysis.rate_spectrum(rate), strict=True):
        np.testing.assert_allclose(one, other)
    for one, other in zip(
        analysis.rate_spectrum(rec, start=100.0, stop=250.0), analysis.rate_spectrum(rate, start=100.0, stop=250.0),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(one, other)
    result = iz.Population(4, **iz.presets["CH"], dt=0.5).run(300.0, [0.0, 5.0, 10.0, 12.0])
    np.testing.assert_array_equal(analysis.cv(result), analysis.cv(rec))


# --- bursts -----------------------------------------------------------------------------------------------------------


def slow_bursts(t, begin, end, ibi, duration, n_spikes):
    """As the manual says: find, merge, remove."""
    found, k = [], 0
    while k < len(t) - 1:
        if t[k + 1] - t[k] <= begin:
            first = k
            while k < len(t) - 1 and t[k + 1] - t[k] <= end:
                k += 1
            found.append((first, k))
        else:
            k += 1
    merged = found[:1]
    for first, last in found[1:]:
        if t[first] - t[merged[-1][1]] < ibi:
            merged[-1] = merged[-1][0], last
        else:
            merged.append((first, last))
    return [
        (t[a], t[b], b - a + 1) for a, b in merged if t[b] - t[a] >= duration and b - a + 1 >= n_spikes
    ]  # fmt: skip


@pytest.mark.parametrize("begin", [0.5, 2.0, 6.0])
@pytest.mark.parametrize(
    ("end", "rest"), [(1.0, {}), (2.0, {"min_ibi": 9.0}), (1.5, {"min_spikes": 2, "min_duration": 2.5, "min_ibi": 4.0})]
)
def test_bursts_are_those_of_the_slow_search(begin, end, rest):
    rng = np.random.default_rng(3)
    intervals = [0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 30.0]
    trains = [np.cumsum(rng.choice(intervals, size=n)) for n in (0, 1, 2, 3, 50, 900, 0, 90)]
    found = analysis.bursts(trains, begin, begin * end, **rest)
    options = rest.get("min_ibi", 0.0), rest.get("min_duration", 0.0), rest.get("min_spikes", 3)
    each = [slow_bursts(t.tolist(), begin, begin * end, *options) for t in trains]
    expected = [(i, *one) for i, some in enumerate(each) for one in some]
    assert len(expected) > 10
    assert list(zip(found.i, found.start, found.stop, found.n_spikes, strict=True)) == expected
    assert not found.batch.any()
    late = [np.array(train) + 40.0 for train in trains]
    entries = analysis.bursts(spikes_of(late, 1e5, Continuous(0.1), n_batch=2), begin, begin * end, **rest)
    assert list(zip(4 * entries.batch + entries.i, entries.n_spikes, strict=True)) == [(e[0], e[3]) for e in expected]


def test_no_bursts():
    for nothing in ([], [1.0], [[], []], [1.0, 2.0], [1.0, 100.0, 200.0]):
        found = analysis.bursts(nothing, 10.0)
        assert [one.size for one in found] == [0] * 5
        assert found.i.dtype == found.n_spikes.dtype == np.int64


# --- many trains ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [5.0, 20.0, 0.3])
def test_correlation_of_counts(width):
    counts = np.array([slow_counts(train, width, 0.0, 1000.0) for train in TRAINS], float)
    alike = np.ptp(counts, axis=1) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.corrcoef(counts)
    for given, options in ((TRAINS, {"stop": 1000.0}), (spikes_of(TRAINS), {})):
        found = analysis.spike_count_correlation(given, width, **options)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert np.isnan(found[alike]).all()
        assert (np.diag(found)[~alike] == 1.0).all()
    batch = analysis.spike_count_correlation(spikes_of(TRAINS, n_batch=2), width)
    np.testing.assert_allclose(batch, [expected[:5, :5], expected[5:, 5:]], atol=1e-12)
    assert alike.sum() == (3 if width == 5.0 else 2 + (width == 20.0))


def test_spectrum_of_poisson_trains_and_of_a_rhythm():
    pytest.importorskip("scipy")
    rng = np.random.default_rng(0)
    n, r, T = 50, 20.0, 100_000.0
    trains = [np.sort(rng.uniform(0.0, T, rng.poisson(r * T * 1e-3))) for _ in range(n)]
    f, power = analysis.rate_spectrum(trains, bin=2.0, segment=500.0, stop=T)
    np.testing.assert_allclose(f, np.arange(0.0, 251.0, 2.0))
    assert power[2:-2].mean() == pytest.approx(2 * r / n, rel=0.03)
    counts = np.sum([np.histogram(train, np.arange(0.0, T + 1, 2.0))[0] for train in trains], axis=0)
    assert np.sum(power) * 2.0 == pytest.approx(np.var(counts / (n * 2e-3)), rel=0.02)  # Parseval
    regular = [np.arange(7.0, 2000.0, 20.0)] * 3
    batch = analysis.rate_spectrum(spikes_of([*regular, [], [], []], 2000.0, n_batch=2))
    assert batch[1].shape == (2, 501)
    assert batch[0][10:80][np.argmax(batch[1][0, 10:80])] == 50.0
    assert not batch[1][1].any()
    short = analysis.rate_spectrum(np.array([1.0, 5.0]), stop=100.0)
    assert short[0][1] == pytest.approx(10.0)


# --- Gamma ------------------------------------------------------------------------------------------------------------


def slow_coincidences(a, b, delta):
    """The largest number of pairs: over all ways to pair, by the first spike of a that is left."""
    ticks = [[round(t * 1e6) for t in train] for train in (a, b)]
    delta = round(delta * 1e6)

    def most(i, free):
        if i == len(ticks[0]):
            return 0
        found = most(i + 1, free)
        for j in free:
            if abs(ticks[0][i] - ticks[1][j]) <= delta:
                found = max(found, 1 + most(i + 1, free - {j}))
        return found

    return most(0, frozenset(range(len(b))))


def slow_gamma(a, b, delta, T):
    rate = len(b) / T
    if not a and not b or 2 * rate * delta >= 1:
        return math.nan
    return (
        (slow_coincidences(a, b, delta) - 2 * rate * delta * len(a)) / ((len(a) + len(b)) / 2) / (1 - 2 * rate * delta)
    )


def test_gamma_of_all_ways_to_pair():
    """In trains on a clock, where spikes are just delta apart, and may be near several of the other."""
    rng = np.random.default_rng(5)
    trains = [[(np.unique(rng.integers(1, 60, size=n)) * 0.1).tolist() for n in rng.integers(0, 7, 60)] for _ in "ab"]
    for delta in (0.2, 0.3, 1.0):
        expected = [slow_gamma(a, b, delta, 6.0) for a, b in zip(*trains, strict=True)]
        assert np.isnan(expected).any()
        np.testing.assert_allclose(analysis.coincidence_factor(*trains, delta, stop=6.0), expected, atol=1e-12)
        one = analysis.coincidence_factor(trains[0][3], trains[1], delta, stop=6.0)
        np.testing.assert_allclose(one, [slow_gamma(trains[0][3], b, delta, 6.0) for b in trains[1]], atol=1e-12)
        one = analysis.coincidence_factor(trains[0], trains[1][3], delta, stop=6.0)
        np.testing.assert_allclose(one, [slow_gamma(a, trains[1][3], delta, 6.0) for a in trains[0]], atol=1e-12)


def test_gamma_is_one_for_itself_and_none_by_chance():
    rng = np.random.default_rng(2)
    poisson = [np.sort(rng.uniform(0.0, 1e5, 2000)) for _ in range(60)]
    same = analysis.coincidence_factor(poisson, poisson, stop=1e5)
    np.testing.assert_allclose(same, 1.0)
    by_chance = analysis.coincidence_factor(poisson[:30], poisson[30:], stop=1e5)
    assert abs(by_chance.mean()) < 0.01
    assert analysis.coincidence_factor(poisson[0], [], stop=1e5) == 0.0
    assert np.isnan(analysis.coincidence_factor([], [], stop=1e5))
    spikes = spikes_of(TRAINS)
    assert np.isnan(analysis.coincidence_factor(spikes, spikes)[7])  # 300 Hz: everything is within 2 ms by chance
    found = analysis.coincidence_factor(spikes, spikes, 0.5)
    assert np.isnan(found).tolist() == [not len(train) for train in TRAINS]
    np.testing.assert_allclose(found[~np.isnan(found)], 1.0)
    assert analysis.coincidence_factor(spikes_of(TRAINS, n_batch=2), spikes_of(TRAINS, n_batch=2)).shape == (2, 5)


# --- what is refused --------------------------------------------------------------------------------------------------

PLAIN = "Spikes, a Result, a recorder of spikes, a list of trains, or one train: its times in ms"
WRONG = {
    "a dict": (lambda: analysis.cv({0: [1.0]}), TypeError, f"cv.spikes must be {PLAIN}, got {{0: [1.0]}}. Pass list("),
    "a number": (lambda: analysis.cv(3.0), TypeError, f"cv.spikes must be {PLAIN}, got 3.0."),
    "text": (lambda: analysis.lv("abc"), TypeError, f"lv.spikes must be {PLAIN}, got 'abc'."),
    "intervals": (
        lambda: analysis.cv2([5.0, 3.0]),
        ValueError,
        "cv2.spikes must be ascending in each train, got times",
    ),
    "three axes": (lambda: analysis.isi(np.zeros((2, 2, 2))), ValueError, "got an array of shape (2, 2, 2)."),
    "nan": (lambda: analysis.isi([[1.0, np.nan]]), ValueError, "isi.spikes must be finite"),
    "no stop": (
        lambda: analysis.fano_factor([1.0], 10.0),
        ValueError,
        "fano_factor.stop must be given for plain trains",
    ),
    "wide": (
        lambda: analysis.fano_factor([1.0], 9.0, stop=15.0),
        ValueError,
        "fano_factor.window must be at most half",
    ),
    "part of a step": (
        lambda: analysis.fano_factor(spikes_of(TRAINS), 0.25),
        ValueError,
        "must be a whole number of s",
    ),
    "a file": (
        lambda: analysis.fano_factor(Spikes(np.zeros(1, int), np.ones(1, int), Steps(0.1), 1, None), 1.0),
        ValueError,
        "fano_factor.stop must be given for spikes of a file, which does not tell how long they were recorded, got n",
    ),
    "elsewhere": (
        lambda: analysis.fano_factor(spikes_of(TRAINS), 1.0, start=2000.0),
        ValueError,
        "fano_factor.spikes must be recorded for some time from start to stop, got spikes from 0 to 1000 ms.",
    ),
    "before": (
        lambda: analysis.rate_spectrum(spikes_of(TRAINS), start=-1.0),
        ValueError,
        "rate_spectrum.start must be a finite number >= 0 ms, got -1.0.",
    ),
    "backwards": (
        lambda: analysis.fano_factor(spikes_of(TRAINS), 1.0, start=50.0, stop=20.0),
        ValueError,
        "fano_factor.stop must be a number >= start (50) ms, got 20.0.",
    ),
    "a population": (lambda: analysis.cv(iz.Population((3, 2))), TypeError, f"cv.spikes must be {PLAIN}, got Popul"),
    "one train": (lambda: analysis.spike_count_correlation([1.0], 1.0, stop=9.0), ValueError, "must be several trains"),
    "short": (
        lambda: analysis.rate_spectrum([1.0], segment=1.0, stop=9.0),
        ValueError,
        "must be at least two bins of 1",
    ),
    "long": (
        lambda: analysis.rate_spectrum([1.0], segment=10.0, stop=9.0),
        ValueError,
        "rate_spectrum.segment must be",
    ),
    "end": (
        lambda: analysis.bursts([1.0], 5.0, 4.0),
        ValueError,
        "bursts.max_end_isi must be a finite number >= max_begin",
    ),
    "windows": (
        lambda: analysis.coincidence_factor(spikes_of(TRAINS), spikes_of(TRAINS)[:500.0]),
        ValueError,
        "must be recorded when the reference was, got 0 to 1000 ms and 0 to 500 ms. Give start and stop.",
    ),
    "numbers": (
        lambda: analysis.coincidence_factor(TRAINS, TRAINS[1:], stop=9.0),
        ValueError,
        "coincidence_factor.other must have trains of shape (10,), those of the reference, got (9,).",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_is_refused(case):
    call, kind, message = WRONG[case]
    with pytest.raises(kind) as raised:
        call()
    assert message in str(raised.value)


def test_a_pause_is_no_interval():
    spikes = Spikes(np.zeros(4, int), np.array([0, 5, 95, 99]), Steps(1.0), 1, None, ((0, 10), (90, 100)))
    with pytest.raises(ValueError) as raised:
        analysis.isi(spikes)
    message = (
        "isi.spikes must be recorded without a pause, got spikes with one from 10 to 90 ms. Cut them: spikes[:10] or "
    )
    assert str(raised.value) == message + "spikes[90:]."
    assert [analysis.isi(part)[0].tolist() for part in (spikes[:10.0], spikes[90.0:])] == [[5.0], [4.0]]


@pytest.mark.units
def test_quantities_are_times():
    quantities = pytest.importorskip("quantities")
    seconds = quantities.Quantity([0.01, 0.02, 0.05], "s")
    assert analysis.cv(seconds) == pytest.approx(0.5)
    np.testing.assert_allclose(analysis.cv([seconds, seconds[:2]]), [0.5, np.nan])
