"""The plots draw the numbers they are given, into the Axes they are given."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import plot


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


def test_trace_of_something_that_was_not_recorded():
    with pytest.raises(AttributeError, match=r"Result has no 'V'.*record"):
        plot.trace(iz.Population(1).run(1.0))


@pytest.mark.parametrize("name", ["RS", "FS", "TC", "LTS", "2004/G", "2004/S", "2004/T"])
@pytest.mark.parametrize("I", [-1.0, 0.0, 0.2])
def test_fixed_points_are_the_roots_of_the_parabola(name, I):
    p = {"k2": 0.04, "k1": 5.0, "k0": 140.0, **iz.presets[name]}
    I = I + 75 * (p["b"] == -1.0)
    roots = np.roots([p["k2"], p["k1"] - p["b"], p["k0"] + I])
    roots = np.sort(roots[roots.imag == 0].real)
    points = plot.fixed_points(p, I)
    np.testing.assert_allclose([point.V for point in points], roots, atol=1e-9)
    for point in points:
        assert point.u == pytest.approx(p["b"] * point.V, abs=1e-8)
        trace = 2 * p["k2"] * point.V + p["k1"] - p["a"]
        determinant = p["a"] * (p["b"] - 2 * p["k2"] * point.V - p["k1"])
        assert point.stable == (trace < 0 < determinant)
        if determinant < 0:
            assert point.kind == "saddle"
        else:
            shape = "focus" if trace**2 < 4 * determinant else "node"
            assert point.kind == f"{'stable' if point.stable else 'unstable'} {shape}"


def test_the_fixed_point_of_the_accommodating_cell_is_at_its_resting_voltage():
    (point,) = plot.fixed_points(iz.presets["2004/R"], 1.0)
    assert point[:2] == pytest.approx((-65.0, 0.04 * 65**2 - 5 * 65 + 140 + 1))


def test_a_leap_of_the_u_nullcline_is_no_fixed_point():
    points = plot.fixed_points(iz.presets["2007/RTN"], 0.0)
    assert [round(point.V, 6) for point in points if point.V < -60] == [-65.0]  # vr, where also b changes
    for point in plot.fixed_points(iz.presets["2007/TC"], -100.0):
        assert 1.6 * (point.V + 60) * (point.V + 50) - 100 == pytest.approx(point.u)


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
    def pull(V, V_new, u, p):
        return p.b * (V + 70) - u

    model = dataclasses.replace(iz.Izhikevich, name="Shifted", pull=pull)
    for point in plot.fixed_points(model):
        assert point.u == pytest.approx(0.2 * (point.V + 70))


def test_missing_matplotlib_is_named_with_the_cure():
    code = "import sys; sys.modules['matplotlib'] = None; import izhnumba as iz; from izhnumba import plot; "
    code += "plot.phase_plane(iz.Izhikevich)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'ImportError: izhnumba.plot needs matplotlib. Install it with: pip install "izhnumba[plot]"' in done.stderr
