"""Rates, spectra, intervals and weights: what is drawn are their numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

import izhnumba as iz
from izhnumba import analysis, plot

# --- rates ----------------------------------------------------------------------------------------------------------


def tops(line):
    """Ends of the bins and rates along a line of stairs."""
    x, y = line.get_data()
    return x[1::2], y[1::2]


def test_rates_are_those_of_a_rate_recorder(net):
    recorder = net.recorders["inh rate"]
    ax = plot.rate(net.recorders["inh spikes"], every=5.0)
    plot.rate(recorder, ax)
    for line in ax.lines:
        t, rate = tops(line)
        np.testing.assert_allclose(t, recorder.t)
        np.testing.assert_allclose(rate, recorder.rate)
        assert line.get_label() == "inh"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "rate (Hz)")
    assert ax.get_ylim()[0] == 0.0
    assert ax.get_ylim()[1] > recorder.rate.max()
    assert ax.get_xlim() == (0.0, 200.0)
    assert [line.get_color() for line in ax.lines] == list(plot.COLORS[:2])


@pytest.mark.parametrize(("start", "stop"), [(50.0, 150.0), (47.3, 152.05)])
def test_rates_of_a_slice_in_time(net, start, stop):
    recorder = net.recorders["inh rate"]
    t, rate = tops(plot.rate(net.recorders["inh spikes"].spikes[start:stop], every=5.0).lines[0])
    whole = (recorder.t >= 55.0) & (recorder.t <= 150.0)  # bins that lie within
    np.testing.assert_allclose(t, recorder.t[whole])
    np.testing.assert_allclose(rate, recorder.rate[whole])


def test_a_second_rate_stays_in_sight(net):
    quiet = iz.Population(20, dt=0.5, **iz.presets["FS"]).run(100.0)
    ax = plot.rate(quiet.spikes)
    plot.rate(net, ax)
    assert [line.get_label() for line in ax.lines[1:]] == ["exc", "inh", "poisson"]
    assert ax.get_ylim()[0] == 0.0
    assert ax.get_ylim()[1] > max(line.get_ydata().max() for line in ax.lines)


def test_a_smooth_rate_is_the_mean_under_a_gaussian(net):
    spikes, sigma, every = net.recorders["exc spikes"], 4.0, 2.0
    t, smooth = plot.rate(spikes, every=every, sigma=sigma).lines[0].get_data()
    ends, rate = tops(plot.rate(spikes, every=every).lines[0])
    np.testing.assert_allclose(t, ends - every / 2)
    distance = t[:, None] - t
    weight = np.where(np.abs(distance) <= 4 * sigma, np.exp(-0.5 * (distance / sigma) ** 2), 0.0)
    np.testing.assert_allclose(smooth, weight @ rate / weight.sum(axis=1))
    fine = plot.rate(spikes, sigma=4.0).lines[0].get_xdata()
    assert np.diff(fine)[0] == pytest.approx(1.0)  # a fifth, in nice steps
    assert np.ptp(plot.rate(spikes, sigma=1e4).lines[0].get_ydata()) < 0.1


def test_pauses_of_a_rate_recorder_are_gaps():
    net = iz.Network(dt=0.5)
    cells = net.add(iz.Population(3, **iz.presets["RS"]))
    net.drive(cells, 10.0)
    rate = net.record(cells, "rate", every=5.0, stop=20.0)
    net.run(40.0)
    rate.start, rate.stop = 40.0, 60.0
    net.run(20.0)
    line, smooth = (plot.rate(rate, sigma=sigma).lines[0] for sigma in (None, 5.0))
    for x, y in (line.get_data(), smooth.get_data()):
        assert np.count_nonzero(np.isnan(x)) == np.count_nonzero(np.isnan(y)) == 1
    assert 20.0 in line.get_xdata()
    assert 40.0 in line.get_xdata()


@pytest.mark.parametrize(("scheme", "dt"), [("exp_euler", 0.25), ("exact", 0.1)])
def test_bins_are_whole_steps_in_any_scheme(scheme, dt):
    cells = iz.Population(4, scheme=scheme, dt=dt, **iz.presets["RS"])
    spikes = cells.run(100.0, 10.0).spikes
    t, rate = tops(plot.rate(spikes).lines[0])
    width = t[1] - t[0]
    assert width == pytest.approx(10.0)
    assert plot.rate(spikes, sigma=1.5).lines[0].get_xdata()[0] == pytest.approx({0.25: 0.125, 0.1: 0.1}[dt])
    assert rate.sum() * width * 1e-3 * 4 == pytest.approx(len(spikes))


# --- intervals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [False, True])
def test_intervals_are_in_bins_of_whole_steps(net, log):
    spikes = net.recorders["exc spikes"].spikes
    intervals = np.concatenate([np.diff(train) for train in spikes.trains()])
    ax = plot.isi(spikes, log=log, bins=20)
    share, edges, _ = ax.patches[0].get_data()
    np.testing.assert_allclose(share, np.histogram(intervals, edges)[0] / len(intervals))
    assert share.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(edges / 0.5 % 1.0, 0.5)  # between two steps
    assert len(share) <= 20
    assert ax.get_xscale() == ("log" if log else "linear")
    assert ax.get_xlim()[1] >= intervals.max()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("interspike interval (ms)", "share of intervals")


def test_intervals_of_populations_share_their_bins(net):
    ax = plot.isi(net, bins=[0.0, 10.0, 100.0])
    assert [patch.get_label() for patch in ax.patches] == ["exc", "inh", "poisson"]
    assert len({to_hex(patch.get_edgecolor()) for patch in ax.patches}) == 3
    for patch in ax.patches:
        np.testing.assert_array_equal(patch.get_data().edges, [0.0, 10.0, 100.0])


def test_intervals_in_continuous_time_and_none_at_all():
    spikes = iz.Population(2, scheme="exact", **iz.presets["RS"]).run(100.0, 10.0).spikes
    for log in (False, True):
        share, edges, _ = plot.isi(spikes, log=log).patches[0].get_data()
        assert share.sum() == pytest.approx(1.0)
        assert len(share) == 50
        assert plot.isi(spikes[:1.0], log=log).patches[0].get_data().values.sum() == 0.0


# --- weights --------------------------------------------------------------------------------------------------------


def test_a_matrix_shows_each_weight_in_its_place():
    net = iz.Network()
    a, b = net.add(iz.Population(3), name="a"), net.add(iz.Population(4), name="b")
    syn = net.connect(a, b[1:], ([0, 0, 2, 2], [2, 0, 1, 1]), weight=[1.0, 2.0, 3.0, 5.0], receptor=iz.AMPA())
    ax = plot.weights(syn)
    (image,) = ax.images
    shown = np.ma.filled(image.get_array(), np.nan)
    nan = np.nan
    np.testing.assert_array_equal(shown, [[2.0, nan, 1.0], [nan, nan, nan], [nan, 4.0, nan]])
    assert image.get_clim() == (0.0, 4.0)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("target, neuron of b[1:4]", "source, neuron of a")
    assert [other.get_ylabel() for other in ax.figure.axes if other is not ax] == ["weight (1/ms)"]


def test_weights_of_both_signs_are_around_0():
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(20, **iz.presets["2007/RS"]))
    syn = net.connect(cells, cells, iz.AllToAll(), weight=iz.Uniform(-3.0, 1.0), receptor=iz.Pulse())
    (image,) = plot.weights(syn).images
    low, high = image.get_clim()
    assert -low == high == pytest.approx(-syn.weight.min())
    assert image.get_cmap().name == "RdBu_r"
    ax = plot.weights(syn, kind="histogram", bins=10)
    counts, edges, _ = ax.patches[0].get_data()
    np.testing.assert_array_equal(counts, np.histogram(syn.weight, 10)[0])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight (pA)", "synapses")


def test_large_matrices_are_means_and_shared_weights_count_for_each_synapse():
    net = iz.Network(seed=1)
    a, b = net.add(iz.Population(500)), net.add(iz.Population(10))
    ones = net.connect(a, b, iz.AllToAll(), weight=iz.Shared(0.5))
    (image,) = plot.weights(ones).images
    assert image.get_array().shape == (250, 10)
    assert np.all(image.get_array() == 0.5)
    mixed = net.connect(a, a, iz.AllToAll(), weight=iz.Normal(0.0, 1.0))
    (image,) = plot.weights(mixed).images  # colours are for means of 4 x 2 weights, which are smaller than these
    assert image.get_clim()[1] == np.abs(image.get_array()).max() < 0.75 * np.abs(mixed.weight).max()
    assert plot.weights(ones, kind="histogram").patches[0].get_data().values.sum() == 5000
    joined = net.connect(a + b, b, iz.FixedProbability(0.5), weight=1.0)
    (image,) = plot.weights(joined).images
    assert image.get_array().shape == (250, 10)
    assert plot.weights(net.connect(b, b, ([], []))).get_xlabel().startswith("target")


# --- spectra --------------------------------------------------------------------------------------------------------


def test_a_spectrum_is_that_of_the_analysis(net):
    spikes, recorder = net.recorders["inh spikes"], net.recorders["inh rate"]
    ax = plot.spectrum({"a": spikes, "b": recorder}, segment=100.0)
    for line, source, name in zip(ax.lines, (spikes, recorder), "ab", strict=True):
        f, power = analysis.rate_spectrum(source, segment=100.0)
        np.testing.assert_array_equal(line.get_data(), (f[1:], power[1:]))
        assert line.get_label() == name
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("frequency (Hz)", "power (Hz²/Hz)")
    assert plot.spectrum(net, bin=2.0, log=False).get_yscale() == "linear"
    batch = iz.Population(4, batch=2, **iz.presets["RS"]).run(100.0, 10.0)
    f, power = analysis.rate_spectrum(batch)
    np.testing.assert_array_equal(plot.spectrum(batch, batch=1).lines[0].get_ydata(), power[1, 1:])


SEVERAL = "must be a Result, Spikes, SpikeRecorder or Network, or a list or dict of them"


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda net: plot.rate(5), TypeError, f"rate.spikes {SEVERAL}, got 5."),
        (lambda net: plot.rate(net, sigma=0.0), ValueError, "rate.sigma must be a finite number > 0 ms, got 0.0."),
        (lambda net: plot.rate(net, every=0.7), ValueError, "rate.every must be a whole number of steps of 0.5 ms"),
        (
            lambda net: plot.rate(net.recorders["inh rate"], every=1.0),
            ValueError,
            "rate.every must be left out for a RateRecorder, got 1.0. It has its own bins.",
        ),
        (lambda net: plot.rate(net, batch=1), ValueError, "rate.batch must be a whole number >= -1 and <= 0, got 1."),
        (lambda net: plot.rate(net, 5), TypeError, "rate.ax must be an Axes, got 5."),
        (lambda net: plot.isi(5), TypeError, f"isi.spikes {SEVERAL}, got 5."),
        (lambda net: plot.isi(net, bins=0), ValueError, "isi.bins must be a whole number >= 1 and <= 100000, got 0."),
        (lambda net: plot.isi(net, bins="10"), TypeError, "isi.bins must be a whole number"),
        (
            lambda net: plot.isi(net, bins=[1.0, 1.0]),
            ValueError,
            "isi.bins must be a whole number or two or more ascending edges in ms, got [1.0, 1.0].",
        ),
        (
            lambda net: plot.isi(net, bins=[0.0, 1.0], log=True),
            ValueError,
            "isi.bins must begin above 0 ms on a logarithmic scale, got [0.0, 1.0].",
        ),
        (lambda net: plot.isi(net, log=1), TypeError, "isi.log must be True or False, got 1."),
        (
            lambda net: plot.weights(net),
            TypeError,
            "weights.synapses must be Synapses, got <network: 100 neurons",
        ),
        (
            lambda net: plot.weights(net.synapses["exc to inh"], kind="x"),
            ValueError,
            "weights.kind must be a known name, got 'x'. Known: matrix, histogram.",
        ),
        (
            lambda net: plot.weights(net.synapses["exc to inh"], bins=0),
            ValueError,
            "weights.bins must be a whole number >= 1",
        ),
        (lambda net: plot.spectrum(5), TypeError, f"spectrum.spikes {SEVERAL}, got 5."),
        (lambda net: plot.spectrum(net, bin=0.7), ValueError, "spectrum.bin must be a whole number of steps of 0.5 ms"),
        (lambda net: plot.spectrum(net, segment=1e9), ValueError, "spectrum.segment must be a finite number <= 200 ms"),
        (lambda net: plot.spectrum(net, log=1), TypeError, "spectrum.log must be True or False, got 1."),
        (lambda net: plot.spectrum(net, batch=1), ValueError, "spectrum.batch must be a whole number"),
    ],
)
def test_pictures_say_what_they_must_be_given(net, draw, error, message):
    with pytest.raises(error, match=re.escape(message)):
        draw(net)
    assert not plt.get_fignums()
