"""The plots draw the numbers they are given, into the Axes they are given."""

from __future__ import annotations

import dataclasses
import importlib
import re
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis, plot


@pytest.fixture(autouse=True)
def _close_figures(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("a plot opened a window"))
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    cells = iz.Population(5, **iz.presets["RS"])
    return cells.run(200.0, np.linspace(5, 15, 5), record=["V", "u"], neurons=[1, 4])


def test_raster_draws_every_spike_into_the_given_axes(result):
    ax = plt.figure().add_subplot()
    assert plot.raster(result.spikes, ax) is ax
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.column_stack([result.spikes.t, result.spikes.i]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "neuron")
    assert ax.get_ylim() == (-0.5, 4.5)


def test_raster_takes_a_result_without_spikes_and_makes_its_own_axes():
    ax = plot.raster(iz.Population(2).run(1.0))
    assert len(ax.collections[0].get_offsets()) == 0


def test_raster_draws_one_member_of_a_batch():
    spikes = iz.Population(2, batch=3, **iz.presets["RS"]).run(50.0, 10.0).spikes
    ax = plot.raster(spikes, batch=2)
    assert 0 < len(ax.collections[0].get_offsets()) == np.count_nonzero(spikes.batch == 2)


def test_raster_of_many_neurons_uses_small_dots():
    cells = iz.Population(2000, **iz.presets["RS"])
    few, many = (plot.raster(cells.run(10.0, 20.0), size=size) for size in (10.0, None))
    assert few.collections[0].get_sizes()[0] == 100
    assert many.collections[0].get_sizes()[0] < 4


def test_trace_draws_the_record(result):
    ax = plt.figure().add_subplot()
    assert plot.trace(result, ax) is ax
    for line, recorded in zip(ax.lines, result.V.T, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), result.t)
        np.testing.assert_array_equal(line.get_ydata(), recorded)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "V (mV)")
    assert plot.trace(result, variable="u", columns=[0], color="red").lines[0].get_color() == "red"


@pytest.mark.parametrize("scheme", ["exp_euler", "euler"])
@pytest.mark.parametrize("every", [0.1, 2.5])
def test_trace_with_a_peak_shows_every_spike_once(scheme, every):
    cells = iz.Population(2, scheme=scheme, **iz.presets["RS"])
    result = cells.run(200.0, [10.0, 14.0], record="V", every=every)
    line = plot.trace(result, columns=[1], peak=30.0).lines[0]
    t, V = line.get_data()
    assert np.all(np.diff(t) >= 0)
    assert V.max() == 30.0
    np.testing.assert_array_equal(np.unique(t[V == 30.0]), result.spikes.t[result.spikes.i == 1])


def test_trace_of_a_batch_and_of_pico_amperes():
    cells = iz.Population(2, batch=3, **iz.presets["2007/RS"])
    result = cells.run(20.0, 100.0, record="u")
    ax = plot.trace(result, variable="u", batch=1, unit="pA")
    assert ax.get_ylabel() == "u (pA)"
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), result.u[:, 1, 1])


@pytest.fixture(scope="module")
def recorders():
    """Spikes and states of a network of 4 neurons of 2007, those of its neurons 1 to 3."""
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(4, **iz.presets["2007/RS"]))
    net.drive(cells, [200.0, 300.0, 400.0, 500.0])
    recorders = net.record(cells[1:]), net.record(cells[1:], ["V", "u"])
    net.run(200.0)
    return recorders


def test_raster_and_trace_of_recorders(recorders):
    spikes, states = recorders
    offsets = plot.raster(spikes).collections[0].get_offsets()
    np.testing.assert_array_equal(offsets, np.column_stack([spikes.t, spikes.i]))
    assert len(offsets) > 0
    ax = plot.trace(states, variable="u", columns=(0, -1))
    assert ax.get_ylabel() == "u (pA)"
    np.testing.assert_array_equal([line.get_ydata() for line in ax.lines], states.u[:, [0, 2]].T)


def test_style_goes_by_every_name_that_matplotlib_knows(result):
    marks = plot.raster(result, s=7.0, c="red", lw=3.0).collections[0]
    assert (*marks.get_sizes(), *marks.get_linewidths()) == (7.0, 3.0)
    np.testing.assert_array_equal(marks.get_facecolors()[0], (1, 0, 0, 1))
    marks = plot.raster(result, c=result.spikes.t, linewidths=2.0).collections[0]
    np.testing.assert_array_equal(marks.get_array(), result.spikes.t)
    np.testing.assert_array_equal(plot.raster(result, color="red").collections[0].get_facecolors()[0], (1, 0, 0, 1))
    line = plot.trace(result, c="red", lw=3.0, ls=":").lines[0]
    assert (line.get_color(), line.get_linewidth(), line.get_linestyle()) == ("red", 3.0, ":")


SEVERAL = "must be a Result, Spikes, SpikeRecorder or Network, or a list or dict of them"
R = "must be a whole number >= -2 and <= 1, got "  # of the two neurons in `result`


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"spikes": 5}, TypeError, f"spikes {SEVERAL}, got 5."),
        ({"spikes": iz.Population(2)}, TypeError, f"spikes {SEVERAL}, got Population(2"),
        ({"ax": 5}, TypeError, "ax must be an Axes, got 5."),
        ({"batch": 7}, ValueError, "batch must be a whole number >= -1 and <= 0, got 7."),
        ({"batch": "a"}, TypeError, "batch must be a whole number >= -1 and <= 0, got 'a'."),
        ({"size": -1}, ValueError, "size must be a finite number >= 0 and <= 1000000, got -1."),
    ],
)
def test_raster_says_what_it_must_be_given(result, options, error, message):
    with pytest.raises(error, match=re.escape(f"raster.{message}")):
        plot.raster(**{"spikes": result, **options})


def test_raster_of_a_batch_says_what_an_entry_is():
    spikes = iz.Population(2, batch=3, **iz.presets["RS"]).run(50.0, 10.0).spikes
    with pytest.raises(ValueError, match=r"raster\.batch must be a whole number.*, got -4\."):
        plot.raster(spikes, batch=-4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"result": 5}, TypeError, "result must be a Result or a StateRecorder, got 5."),
        ({"result": iz.Population(2)}, TypeError, "result must be a Result or a StateRecorder, got Population(2"),
        ({"ax": [1, 2]}, TypeError, "ax must be an Axes, got [1, 2]."),
        ({"variable": "w"}, ValueError, "variable must be a known name, got 'w'. Known: V, u."),
        ({"columns": 0}, TypeError, "columns must be a list of whole numbers, got 0. Pass [0] for the first neuron."),
        ({"columns": np.array(1)}, TypeError, "columns must be a list of whole numbers, got 1. Pass [0]"),
        ({"columns": [0, 5]}, ValueError, f"columns {R}5."),
        ({"columns": [0.5]}, ValueError, f"columns {R}0.5."),
        ({"columns": "01"}, TypeError, f"columns {R}'0'."),
        ({"batch": 1}, ValueError, "batch must be a whole number >= -1 and <= 0, got 1."),
        ({"peak": "30"}, TypeError, "peak must be a number in mV, got '30'."),
    ],
)
def test_trace_says_what_it_must_be_given(result, options, error, message):
    with pytest.raises(error, match=re.escape(f"trace.{message}")):
        plot.trace(**{"result": result, **options})


def test_a_peak_needs_spikes_of_all_neurons_that_are_drawn():
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(4, **iz.presets["2007/RS"]), name="cells")
    states, spikes = net.record(cells, ["V", "u"]), net.record(cells[:2])
    net.run(1.0)
    plot.trace(states, columns=[0, 1], peak=30.0)
    cure = r"got none of cells\[2\]\. Record them, net\.record\(population\), or pass spikes=\."
    with pytest.raises(ValueError, match=r"trace\.spikes must be those of all neurons that are drawn, " + cure):
        plot.trace(states, peak=30.0)
    with pytest.raises(ValueError, match=r"trace\.spikes must be those"):
        plot.trace(states, columns=[3], peak=30.0, spikes=spikes)
    must = r"phase_plane\.trajectory must come with spikes, got none of cells\[2\]\. Record them: net\.record\(popul"
    with pytest.raises(ValueError, match=must):
        plot.phase_plane(iz.Izhikevich2007, trajectory=states, column=2)
    net.remove(spikes)
    plot.trace(states, columns=[0], peak=30.0, spikes=spikes)
    with pytest.raises(TypeError, match=re.escape(f"trace.spikes {SEVERAL}, got 5.")):
        plot.trace(states, peak=30.0, spikes=5)


def test_a_recorder_finds_the_spikes_of_its_neurons(recorders):
    spikes, states = recorders
    t, V = plot.trace(states, columns=[2], peak=30.0).lines[0].get_data()
    assert V.max() == 30.0
    assert np.isin(spikes.spikes.of(3), t[V == 30.0]).all()
    own = plot.trace(states, columns=[2], peak=30.0, spikes=spikes.spikes).lines[0]
    np.testing.assert_array_equal(own.get_data(), (t, V))
    path = plot.phase_plane(iz.Izhikevich2007, trajectory=states, column=2).lines[2].get_xdata()
    assert np.count_nonzero(np.isnan(path)) == len(spikes.spikes.of(3))


def test_spikes_outside_of_what_a_recorder_of_states_saw_are_not_drawn():
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(1, **iz.presets["RS"]), name="cells")
    net.drive(cells, 15.0)
    spikes, states = net.record(cells), net.record(cells, "V", start=50.0, stop=100.0)
    net.run(150.0)
    t, V = plot.trace(states, peak=30.0).lines[0].get_data()
    inside = spikes.t[(spikes.t > 50.0) & (spikes.t <= 100.0)]
    assert 0 < len(inside) < len(spikes)
    np.testing.assert_array_equal(np.unique(t[V == 30.0]), inside)


def test_traces_of_several_populations_and_of_a_current():
    net = iz.Network(seed=1)
    a, b = (net.add(iz.Population(2, **iz.presets["RS"]), name=name) for name in "ab")
    syn = net.connect(a, b, iz.AllToAll(), weight=0.1, receptor=iz.AMPA())
    net.drive(a + b, 10.0)
    spikes, states, current = net.record(a + b), net.record(a + b, "V"), net.record(syn, "current")
    net.run(50.0)
    lines = plot.trace(states, columns=[1, 2], peak=30.0).lines
    assert [line.get_label() for line in lines] == ["a[1]", "b[0]"]
    for line, column in zip(lines, (1, 2), strict=True):
        assert np.count_nonzero(line.get_ydata() == 30.0) >= np.count_nonzero(spikes.i == column) > 0
    ax = plot.trace(current, variable="current", columns=[0])
    assert ax.get_ylabel() == "current (mV/ms)"
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), current.current[:, 0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"neuron": 5}, TypeError, "neuron must be a Population, a preset or other mapping, or a Model, got 5."),
        ({"neuron": {"model": 5}}, TypeError, "neuron['model'] must be an izhnumba.Model, got 5."),
        ({"neuron": {"b": "x"}}, TypeError, "neuron['b'] must be a finite number in 1/ms, got 'x'."),
        (
            {"neuron": {"b": [0.2, 0.3]}},
            ValueError,
            "neuron['b'] must be a finite number in 1/ms, got [0.2, 0.3]. Pass one",
        ),
        ({"neuron": iz.Population(2), "index": 2}, ValueError, f"index {R}2."),
        ({"I": [1.0, 2.0]}, ValueError, "I must be a finite number in mV/ms, got [1.0, 2.0]. Pass one value."),
        ({"I": np.nan}, ValueError, "I must be a finite number in mV/ms, got nan."),
        ({"V": 5}, ValueError, "V must be a pair of numbers in mV, got 5. Pass (low, high)."),
        ({"V": (0.0, np.inf)}, ValueError, "V must be finite, got inf at index 1."),
    ],
)
@pytest.mark.parametrize("function", [plot.phase_plane, analysis.fixed_points])
def test_phase_plane_and_fixed_points_say_what_they_must_be_given(function, options, error, message):
    with pytest.raises(error, match=re.escape(f"{function.__name__}.{message}")):
        function(**{"neuron": iz.Izhikevich, **options})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"ax": 5}, TypeError, "ax must be an Axes, got 5."),
        ({"u": "ab"}, TypeError, "u must be a number or an array of numbers in mV/ms, got 'ab'."),
        (
            {"trajectory": 5},
            TypeError,
            "trajectory must be a Result of a run with record=['V', 'u'], or a StateRecorder of both, got 5.",
        ),
        ({"column": 2}, ValueError, f"column {R}2."),
    ],
)
def test_phase_plane_says_what_it_must_be_given(result, options, error, message):
    with pytest.raises(error, match=re.escape(f"phase_plane.{message}")):
        plot.phase_plane(iz.Izhikevich, **{"trajectory": result, **options})


@pytest.mark.units
@pytest.mark.parametrize("package", ["saiunit", "pint", "astropy.units", "quantities"])
def test_quantities_are_converted(package):
    u = importlib.import_module(package)
    u = u.UnitRegistry() if package == "pint" else u
    cell = iz.presets["2007/RS"]
    for point, twin in zip(analysis.fixed_points(cell, 0.04 * u.nA), analysis.fixed_points(cell, 40.0), strict=True):
        assert point[:2] == pytest.approx(twin[:2])
    limits = np.array([-0.08, 0.0]) * u.volt
    assert plot.phase_plane(cell, 0.04 * u.nA, V=limits).get_xlim() == pytest.approx((-80.0, 0.0))
    with pytest.raises(ValueError, match=r"phase_plane\.I must be a finite number in pA, got .* Its unit must convert"):
        plot.phase_plane(cell, 3 * u.mV)


def test_trace_of_something_that_was_not_recorded():
    with pytest.raises(AttributeError, match=r"Result has no 'V'.*record"):
        plot.trace(iz.Population(1).run(1.0))


def test_phase_plane_of_one_neuron_of_a_population_with_its_path(result):
    cells = iz.Population(3, b=[0.2, 0.25, 0.26])
    ax = plt.figure().add_subplot()
    assert plot.phase_plane(cells, 0.0, ax, index=1, trajectory=result, column=1) is ax
    lines = {line.get_label(): line for line in ax.lines}
    V, u = lines["V' = 0"].get_data()
    np.testing.assert_allclose(u, 0.04 * V**2 + 5 * V + 140)
    V, u = lines["u' = 0"].get_data()
    np.testing.assert_allclose(u, 0.25 * V)
    path = lines["path"].get_xdata()
    assert np.nanmax(path) == 30.0
    assert np.count_nonzero(np.isnan(path)) == np.count_nonzero(result.spikes.i == 4)  # broken at every reset
    assert lines["stable focus"].get_markerfacecolor() == "black"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "V' = 0", "u' = 0", "path", "stable focus", "saddle"
    ]  # fmt: skip
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("V (mV)", "u (mV/ms)")


@pytest.mark.parametrize("neuron", [iz.Izhikevich, iz.Izhikevich2007, iz.presets["2007/TC"], iz.presets["2004/R"]])
def test_phase_plane_of_models_and_presets(neuron):
    ax = plot.phase_plane(neuron, V=(-80.0, 0.0), u=(-100.0, 200.0))
    assert ax.get_xlim() == (-80.0, 0.0)
    assert ax.get_ylim() == (-100.0, 200.0)


def test_phase_plane_of_a_users_own_model():
    def du(V, V_new, u, p):
        return p.b * (V + 70) - u

    model = dataclasses.replace(iz.Izhikevich, name="Shifted", du=du)
    for point in analysis.fixed_points(model):
        assert point.u == pytest.approx(0.2 * (point.V + 70))


def test_missing_matplotlib_is_named_with_the_cure():
    code = "import sys; sys.modules['matplotlib'] = None; import izhnumba as iz; from izhnumba import plot; "
    code += "plot.phase_plane(iz.Izhikevich)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    cure = 'Install it, in the folder of the project, with: pip install ".[plot]"'
    assert f"ImportError: izhnumba.plot needs matplotlib. {cure}" in done.stderr
