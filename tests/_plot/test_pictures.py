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
    monkeypatch.setattr(
        mpl.figure.Figure, "savefig", lambda figure, path, format: figures.append(figure) or path.touch()
    )
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


# --- silent populations and dark grounds ----------------------------------------------------------------------------


def test_silence_has_an_axis_like_that_of_spikes():
    silent = iz.Population(5, dt=0.5, **iz.presets["FS"]).run(100.0)
    firing = iz.Population(5, dt=0.5, **iz.presets["FS"]).run(100.0, 10.0)
    assert plot.rate(silent).get_ylim() == pytest.approx((0.0, 1.05))
    assert plot.isi(silent).get_ylim() == pytest.approx((0.0, 1.05))
    pytest.importorskip("scipy")
    assert plot.spectrum([silent, silent]).get_yscale() == "linear"  # 0 has no logarithm, of which matplotlib warns
    assert plot.spectrum([silent, firing]).get_yscale() == "log"


def test_one_neuron_has_a_whole_number():
    ax = plot.raster(iz.Population(1, dt=0.5, **iz.presets["FS"]).run(100.0, 10.0))
    low, high = ax.get_ylim()
    assert [tick for tick in ax.get_yticks() if low <= tick <= high] == [0.0]


def test_matrices_of_few_neurons_have_whole_numbers():
    net = iz.Network()
    cells = net.add(iz.Population(2, **iz.presets["RS"]))
    ax = plot.weights(net.connect(cells, cells[:1], iz.AllToAll(), weight=0.0))
    for ticks, limits in ((ax.get_xticks(), ax.get_xlim()), (ax.get_yticks(), ax.get_ylim())):
        assert all(tick == round(tick) for tick in ticks if min(limits) <= tick <= max(limits))
    assert ax.images[0].get_clim() == (0.0, 1.0)


def test_a_cubic_nullcline_leaves_room_for_the_rest():
    ax = plot.phase_plane(iz.presets["2007/FS"], I=10.0)
    assert ax.get_ylim()[1] < 2500.0  # its own end is at 15,000 pA


def test_pictures_on_dark_ground():
    with plt.style.context("dark_background"):
        marks = {line.get_label(): line for line in plot.phase_plane(iz.presets["RS"], I=0.0).get_lines()}
        marks |= {one.get_label(): one for one in plt.gca().artists}
        for kind, inside in {"stable node": "white", "saddle": "black"}.items():
            assert to_hex(marks[kind].get_markerfacecolor()) == to_hex(inside)
            assert to_hex(marks[kind].get_markeredgecolor()) == to_hex("white")
        net = iz.Network(seed=1)
        cells = net.add(iz.Population(20, **iz.presets["RS"]))
        syn = net.connect(cells, cells, iz.AllToAll(), weight=iz.Uniform(0.0, 1.0))
        assert plot.weights(syn).images[0].get_cmap().name == "viridis"  # strong weights are bright
        ax = plot.raster(net.record(cells))
        for _ in range(len(plot.COLORS)):
            ax.plot([0.0], [0.0], color=plot._style.next_color(ax))
        assert to_hex("black") not in {line.get_color() for line in ax.lines}
