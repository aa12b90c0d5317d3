"""Statistics of spike trains beside those of elephant 1.2.1, of the same trains and at the edges, where they differ by
what is written here.

elephant's bins hold their left end and ours their right one, where a spike of the last step of a bin is: trains are
handed over as docs/howto/spike_trains.md says, from start + dt to stop + dt.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis

pytestmark = pytest.mark.elephant
pytest.importorskip("elephant")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecations in what it imports
    import elephant.conversion
    import elephant.spectral
    import elephant.spike_train_correlation
    import elephant.statistics
    import neo
    import quantities as pq

DT = 0.5


@pytest.fixture(scope="module")
def spikes():
    """A noisy network: silent cells, one with a single spike, irregular and bursting ones."""
    net = iz.Network(dt=DT, seed=4)
    cells = net.add(iz.Population(40, **iz.presets["RS"]), name="cells")
    bursting = net.add(iz.Population(20, **iz.presets["CH"]), name="bursting")
    net.drive(cells, iz.Noise(std=12.0) + np.linspace(-30.0, 10.0, 40))
    net.drive(bursting, iz.Noise(std=5.0) + np.linspace(0.0, 10.0, 20))
    rec = net.record(cells + bursting, "spikes")
    net.run(2000.0)
    counts = rec.spikes.counts()
    assert {0, 1, 2, 3} < set(counts.tolist())
    return rec.spikes


def handed_over(spikes):
    """As the page says."""
    limits = {"t_start": (spikes.start + DT) * pq.ms, "t_stop": (spikes.stop + DT) * pq.ms}
    return [neo.SpikeTrain(train, units="ms", **limits) for train in spikes.trains()]


def test_intervals_and_their_variation(spikes):
    trains = handed_over(spikes)
    intervals = [elephant.statistics.isi(train).magnitude for train in trains if len(train)]
    ours = [one for one, train in zip(analysis.isi(spikes), trains, strict=True) if len(train)]
    for one, other in zip(ours, intervals, strict=True):
        np.testing.assert_array_equal(one, other)
    enough = spikes.counts() > 2
    for mine, theirs in (
        (analysis.cv, elephant.statistics.cv),
        (analysis.cv2, elephant.statistics.cv2),
        (analysis.lv, elephant.statistics.lv),
    ):
        found = mine(spikes)
        expected = [theirs(np.diff(train)) for train in spikes.trains() if len(train) > 2]
        np.testing.assert_allclose(found[enough], expected, rtol=1e-12)
        assert np.isnan(found[~enough]).all()
        np.testing.assert_array_equal(mine(trains), found)  # their trains are taken, units and all


def test_few_spikes():
    """With one interval: 0 there, NaN here, for cv; an error there, or a warning and NaN, for cv2 and lv."""
    assert elephant.statistics.cv(np.array([5.0])) == 0.0
    assert np.isnan(analysis.cv([10.0, 15.0]))
    for mine, theirs in ((analysis.cv2, elephant.statistics.cv2), (analysis.lv, elephant.statistics.lv)):
        for train in ([], [10.0], [10.0, 15.0]):
            assert np.isnan(mine(train))
            with pytest.raises(ValueError, match="Input size is too small"):
                theirs(np.diff(train))
        assert mine([10.0, 15.0, 35.0]) == pytest.approx(theirs(np.array([5.0, 20.0])))


def test_rates(spikes):
    expected = [elephant.statistics.mean_firing_rate(train).rescale("Hz").magnitude for train in handed_over(spikes)]
    np.testing.assert_allclose(spikes.rates(), expected)


@pytest.mark.parametrize("width", [2.5, 50.0])
def test_counts_in_bins_have_the_same_variance(spikes, width):
    """Of spikes on the ends of bins, too."""
    binned = elephant.conversion.BinnedSpikeTrain(handed_over(spikes), bin_size=width * pq.ms)
    counts = binned.to_array()
    assert counts.sum() == len(spikes)
    rate = np.bincount(spikes.step // round(width / DT), minlength=counts.shape[1])
    np.testing.assert_array_equal(counts.sum(axis=0), rate)
    found = analysis.fano_factor(spikes, width)
    for one, train in zip(found, counts, strict=True):
        windows = [np.zeros(count) for count in train]  # a train for each, of which elephant counts the spikes
        np.testing.assert_allclose(one, elephant.statistics.fanofactor(windows))
    correlation = analysis.spike_count_correlation(spikes, width)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about silent trains
        expected = elephant.spike_train_correlation.correlation_coefficient(binned)
    silent = spikes.counts() == 0
    np.testing.assert_allclose(correlation, expected, atol=1e-12)
    assert np.isnan(correlation[silent]).all()


def test_spectrum(spikes):
    binned = elephant.conversion.BinnedSpikeTrain(handed_over(spikes), bin_size=1.0 * pq.ms)
    rate = binned.to_array().mean(axis=0) * 1000.0
    signal = neo.AnalogSignal(rate[:, None], units="Hz", sampling_rate=1.0 * pq.kHz)
    f, power = elephant.spectral.welch_psd(signal, len_segment=500, fs=1.0 * pq.kHz)
    mine = analysis.rate_spectrum(spikes, segment=500.0)
    np.testing.assert_allclose(mine[0], f.rescale("Hz").magnitude)
    np.testing.assert_allclose(mine[1], power.magnitude[0], rtol=1e-9)
