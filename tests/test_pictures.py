"""Pictures of networks: all neurons have a place, populations are told apart, and a second call hides nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

import izhnumba as iz
from izhnumba import plot


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def net():
    """Two populations and a source, with recorders of spikes, rates and V."""
    net = iz.Network(seed=1, dt=0.5)
    exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc")
    inh = net.add(iz.Population(20, **iz.presets["FS"]), name="inh")
    poisson = net.add(iz.PoissonSource(3, 20.0), name="poisson")
    net.connect(exc, inh, iz.FixedInDegree(10), weight=iz.Uniform(0.0, 2.0), delay=1.0)
    net.drive(exc + inh, iz.Noise(std=30.0))
    for source in (exc, inh, poisson):
        net.record(source)
    net.record(exc, "V", neurons=[7])
    net.record(inh, "rate", every=5.0)
    net.run(200.0)
    return net


def drawn(ax):
    """Time and height of all marks."""
    return np.concatenate([np.asarray(marks.get_offsets()) for marks in ax.collections])


def hidden(ax):
    """How many marks lie outside of the limits."""
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    x, y = drawn(ax).T
    return np.count_nonzero((x < x0) | (x > x1) | (y < y0) | (y > y1))


def colors(ax):
    return [to_hex(marks.get_facecolor()[0]) for marks in ax.collections]


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


# --- rasters --------------------------------------------------------------------------------------------------------


def test_a_network_is_a_stack_of_its_populations(net):
    ax = plot.raster(net)
    exc, inh, poisson = (net.recorders[f"{name} spikes"] for name in ("exc", "inh", "poisson"))
    assert names(ax) == ["exc\n80", "inh\n20", "poisson\n3"]
    assert colors(ax) == list(plot.COLORS[:3])
    assert [to_hex(label.get_color()) for label in ax.get_yticklabels()] == colors(ax)
    assert len(drawn(ax)) == len(exc) + len(inh) + len(poisson)
    assert hidden(ax) == 0
    assert ax.get_xlim() == (0.0, 200.0)
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.column_stack([exc.t, exc.i]))
    np.testing.assert_allclose(ax.collections[1].get_offsets(), np.column_stack([inh.t, inh.i + 80]))
    low, high = ax.get_ylim()
    middle = ax.get_yticks()
    edges = np.array([low, *(line.get_ydata()[0] for line in ax.lines), high])
    np.testing.assert_allclose((edges[1:] + edges[:-1]) / 2, middle)
    assert (high - edges[2]) / (high - low) > 0.04  # three cells beside 80 have room for their name
    rows = np.unique(ax.collections[2].get_offsets()[:, 1])
    assert len(rows) == len(np.unique(poisson.i))


def test_lists_dicts_and_assemblies_are_stacks(net):
    exc, inh = net.recorders["exc spikes"], net.recorders["inh spikes"]
    assert names(plot.raster([exc, inh])) == ["exc\n80", "inh\n20"]
    assert names(plot.raster({"first": inh, "second": exc.spikes})) == ["first\n20", "second\n80"]
    assert names(plot.raster((exc.spikes, inh.spikes))) == ["0\n80", "1\n20"]
    other = iz.Network(seed=1)
    a, b = (other.add(iz.Population(2, **iz.presets["RS"]), name=name) for name in "ab")
    other.drive(a + b, 10.0)
    joined = other.record(a + b)
    other.run(20.0)
    ax = plot.raster(joined)
    assert names(ax) == ["a\n2", "b\n2"]
    np.testing.assert_array_equal(np.unique(drawn(ax)[:, 1]), np.unique(joined.i))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_second_raster_hides_no_neuron_of_the_first(order):
    net = iz.Network(seed=1, dt=0.5)
    exc, inh = (net.add(iz.Population(n, **iz.presets["RS"])) for n in (80, 20))
    net.drive(exc + inh, iz.Noise(std=30.0))
    recorders = net.record(exc), net.record(inh)
    net.run(100.0)
    _, ax = plt.subplots()
    for k in order:
        plot.raster(recorders[k], ax)
    assert ax.get_ylim() == (-0.5, 79.5)
    assert hidden(ax) == 0
    assert len(set(colors(ax))) == 2


def test_silent_neurons_and_silent_times_have_a_place():
    net = iz.Network(dt=0.5)
    cells = net.add(iz.Population(100, **iz.presets["RS"]), name="cells")
    net.drive(cells[:1], iz.Pulses(10.0, 50.0, 20.0))
    late = net.record(cells[40:], start=20.0)
    early = net.record(cells[:50], stop=80.0)
    net.run(100.0)
    assert plot.raster(early).get_ylim() == (-0.5, 49.5)
    ax = plot.raster(late)
    assert (ax.get_xlim(), ax.get_ylim()) == ((20.0, 100.0), (39.5, 99.5))
    assert ax.get_ylabel() == "neuron of cells[40:100]"
    plot.raster(early, ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((0.0, 100.0), (-0.5, 99.5))


def test_chosen_neurons_are_counted_by_place_in_a_stack():
    net = iz.Network(dt=0.5)
    cells = net.add(iz.Population(100, **iz.presets["RS"]), name="cells")
    net.drive(cells, 20.0)
    some, others = net.record(cells, neurons=[5, 50, 95]), net.record(cells[10:13])
    net.run(20.0)
    assert plot.raster(some).get_ylim() == (4.5, 95.5)
    np.testing.assert_array_equal(np.unique(drawn(plot.raster([some, others]))[:, 1]), np.arange(6))


def test_limits_of_the_user_stay(net):
    _, ax = plt.subplots()
    ax.set(xlim=(50.0, 60.0), ylim=(0.0, 10.0))
    plot.raster(net, ax)
    plot.raster(net.recorders["exc spikes"], ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((50.0, 60.0), (0.0, 10.0))


def test_a_stack_over_a_stack_keeps_its_names(net):
    exc, inh, poisson = (net.recorders[f"{name} spikes"] for name in ("exc", "inh", "poisson"))
    ax = plot.raster([exc, inh])
    plot.raster({"again": exc, "poisson": poisson}, ax)
    assert names(ax)[:2] == ["exc\n80, again\n80", "inh\n20"]
    assert names(ax)[2] == "poisson\n3"
    assert hidden(ax) == 0
    assert len(set(colors(ax))) == 4


def test_many_low_populations_have_names_of_one_line():
    quiet = iz.Population(5).run(1.0)
    ax = plot.raster({f"p{k}": quiet for k in range(40)})
    assert names(ax)[0] == "p0 5"
    assert np.all(np.diff(ax.get_yticks()) == 5.0)


def test_dots_leave_the_picture_white():
    cells = iz.Population(1000, **iz.presets["RS"])
    result = cells.run(200.0, 20.0)
    (marks,) = plot.raster(result).collections
    area = np.prod(marks.axes.get_window_extent().size) * (72 / marks.figure.dpi) ** 2
    assert marks.get_sizes()[0] * len(result.spikes) < max(0.3 * area, 0.26 * len(result.spikes))
    assert not plot.raster(result.spikes[:1.0]).collections[0].get_rasterized()


def test_a_million_spikes_are_a_picture_in_a_vector_file():
    spikes = iz.Population(2, **iz.presets["RS"]).run(20.0, 10.0).spikes
    i, labels = np.tile(np.arange(100), 200), np.repeat(np.arange(200), 100)
    many = type(spikes)(i, labels, spikes._time, 100, None)
    assert plot.raster(many).collections[0].get_rasterized()
    assert len(drawn(plot.raster(many))) == 20_000


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
    assert image.get_clim() == (0.0, 5.0)
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
    assert plot.weights(ones, kind="histogram").patches[0].get_data().values.sum() == 5000
    joined = net.connect(a + b, b, iz.FixedProbability(0.5), weight=1.0)
    (image,) = plot.weights(joined).images
    assert image.get_array().shape == (250, 10)
    assert plot.weights(net.connect(b, b, ([], []))).get_xlabel().startswith("target")


# --- overview -------------------------------------------------------------------------------------------------------


def test_an_overview_shows_all_that_is_recorded(net):
    figure = plot.overview(net)
    raster, rate, trace = figure.axes
    assert [ax.get_ylabel() for ax in figure.axes] == ["neurons", "rate (Hz)", "V (mV)"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "time (ms)"]
    assert figure.get_suptitle() == "100 neurons, 200 synapses"
    assert names(raster) == ["exc\n80", "inh\n20", "poisson\n3"]
    assert [line.get_color() for line in rate.lines] == colors(raster)[:2]  # none of 3 cells
    assert trace.get_title("right") == "exc[7]"
    assert trace.lines[0].get_color() == colors(raster)[0]
    assert trace.lines[0].get_ydata().max() == 30.0
    assert {ax.get_xlim() for ax in figure.axes} == {(0.0, 200.0)}
    assert hidden(raster) == 0


def texts(figure):
    """Boxes of all texts that are seen."""
    FigureCanvasAgg(figure).draw()
    unseen = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        unseen |= {tick.label1 for tick in axis.get_major_ticks() if not low - 1e-9 <= tick.get_loc() <= high + 1e-9}
    for text in set(figure.findobj(mpl.text.Text)) - unseen:
        if text.get_visible() and text.get_text() and text.get_window_extent().width > 1:
            yield text.get_window_extent()


def test_an_overview_is_legible_in_a_column_of_a_paper(net):
    figure = plot.overview(net)
    width, _ = figure.get_size_inches()
    assert width * 2.54 == pytest.approx(8.5, abs=0.02)
    assert min(text.get_fontsize() for text in figure.findobj(mpl.text.Text) if text.get_text()) >= 7.0
    boxes = list(texts(figure))
    assert len(boxes) > 15
    whole = figure.bbox
    for k, box in enumerate(boxes):
        assert whole.x0 <= box.x0
        assert box.x1 <= whole.x1
        assert whole.y0 <= box.y0
        assert box.y1 <= whole.y1
        assert not any(box.overlaps(other) for other in boxes[:k])


def test_an_overview_of_a_result_and_of_parts_of_a_network():
    result = iz.Population(1, **iz.presets["RS"]).run(50.0, 10.0, record="V")
    figure = plot.overview(result, peak=20.0)
    assert [ax.get_ylabel() for ax in figure.axes] == ["neuron", "V (mV)"]
    assert figure.axes[1].lines[0].get_ydata().max() == 20.0
    assert figure.get_suptitle() == f"1 neuron, {len(result.spikes)} spikes"
    net = iz.Network()
    cells = [net.add(iz.Population(20, **iz.presets["RS"]), name=name) for name in "ab"]
    for one in cells:
        net.record(one, "rate", every=1.0)
    net.record(cells[0], "V", neurons=[3])
    net.run(10.0)
    canvas = mpl.figure.Figure(layout="constrained")
    assert plot.overview(net, canvas, title="mine") is canvas
    rate, trace = canvas.axes
    assert [text.get_text() for text in rate.get_legend().get_texts()] == ["a", "b"]
    assert canvas.get_suptitle() == "mine"
    assert trace.get_title("right") == "a[3]"


# --- limits, labels and colours of the others -----------------------------------------------------------------------


def test_a_second_trace_is_told_apart_and_said():
    cells = iz.Population(2, **iz.presets["RS"])
    one, other = (cells.run(20.0, I, record=["V", "u"]) for I in (0.0, 10.0))
    ax = plot.trace(one)
    plot.trace(other, ax)
    plot.trace(one, ax, variable="u")
    assert ax.get_ylabel() == "V (mV), u (mV/ms)"
    assert ax.get_xlabel() == "time (ms)"
    assert [line.get_color() for line in ax.lines] == list(plot.COLORS[:6])
    low, high = ax.get_ylim()
    for line in ax.lines:
        assert low <= line.get_ydata().min()
        assert line.get_ydata().max() <= high
    assert ax.get_xlim() == pytest.approx((0.1, 40.0))


def test_a_second_phase_plane_hides_nothing_of_the_first():
    ax = plot.phase_plane(iz.presets["RS"], V=(-80.0, -40.0), u=(-20.0, 0.0))
    plot.phase_plane(iz.presets["FS"], 4.0, ax, V=(-70.0, 30.0), u=(-30.0, -10.0))
    assert (ax.get_xlim(), ax.get_ylim()) == ((-80.0, 30.0), (-30.0, 0.0))
    ax = plt.figure().add_subplot()
    ax.set(xlim=(-60.0, -50.0), ylim=(0.0, 1.0))
    plot.phase_plane(iz.presets["RS"], ax=ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-60.0, -50.0), (0.0, 1.0))


def test_importing_pictures_does_not_look_for_a_window_system():
    code = (
        "import sys, izhnumba as iz; from izhnumba import plot; assert 'matplotlib' not in sys.modules; "
        "from matplotlib.figure import Figure; plot.overview(iz.Population(1).run(1.0), Figure()); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


SEVERAL = "must be a Result, Spikes, SpikeRecorder or Network, or a list or dict of them"


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda net: plot.raster([]), ValueError, f"raster.spikes {SEVERAL}, got []."),
        (lambda net: plot.raster({"a": 5}), TypeError, f"raster.spikes['a'] {SEVERAL}, got 5."),
        (lambda net: plot.raster([net, [net, "x"]]), TypeError, f"raster.spikes[1][1] {SEVERAL}, got 'x'."),
        (
            lambda net: plot.raster(iz.Network()),
            ValueError,
            "raster.spikes must be a network whose spikes are recorded, got <network: 0 neurons in 0 populations, 0 "
            "synapses, t = 0 ms>. Record spikes before the run: net.record(population).",
        ),
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
            "weights.synapses must be Synapses, got <network: 100 neurons in 2 p...es, 200 synapses, t = 200 ms>. "
            "Pass one of its net.synapses.",
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
        (lambda net: plot.overview(5), TypeError, "overview.net must be a Network or a Result, got 5."),
        (lambda net: plot.overview(net, 5), TypeError, "overview.figure must be a matplotlib Figure, got 5."),
        (lambda net: plot.overview(net, title=5), TypeError, "overview.title must be a str, got 5."),
        (lambda net: plot.overview(net, peak="x"), TypeError, "overview.peak must be a finite number in mV, got 'x'."),
        (
            lambda net: plot.overview(iz.Network()),
            ValueError,
            "overview.net must be a network with recorders of spikes or V, got <network: 0 neurons in 0 populations, 0 "
            "synapses, t = 0 ms>. Record before the run: net.record(population), net.record(population, 'V', "
            "neurons=[0]).",
        ),
    ],
)
def test_pictures_say_what_they_must_be_given(net, draw, error, message):
    with pytest.raises(error, match=re.escape(message)):
        draw(net)
    assert not plt.get_fignums()


# --- the command line -----------------------------------------------------------------------------------------------


def test_the_picture_of_the_demo(tmp_path, monkeypatch, capsys):
    from izhnumba import cli

    figures = []
    monkeypatch.setattr(mpl.figure.Figure, "savefig", lambda figure, path, format: figures.append(figure) or path.touch())
    assert cli.main(["demo", "--duration", "200", "--plot", str(tmp_path / "demo.png")]) == 0
    (figure,) = figures
    raster, rate, trace = figure.axes
    assert names(raster) == ["excitatory\n800", "inhibitory\n200"]
    assert colors(raster) == [line.get_color() for line in rate.lines] == list(plot.COLORS[:2])
    assert trace.get_title("right") == "cells[0]"
    assert trace.lines[0].get_ydata().max() == 30.0
    assert {ax.get_xlim() for ax in figure.axes} == {(0.0, 200.0)}
    rates = re.search(r"rates +(.*)", capsys.readouterr().out)[1]
    assert figure.get_suptitle() == f"Network of 2003: 1000 neurons, 1,000,000 synapses\n{rates}"
    assert hidden(raster) == 0
    boxes = list(texts(figure))
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
