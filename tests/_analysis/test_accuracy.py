"""Matching of spikes, and reports of accuracy: against made-up trains, and against the exact engine."""

from __future__ import annotations

import re

import matplotlib as mpl
import numpy as np
import pytest
from cells import state
from hypothesis import given
from hypothesis import strategies as st

mpl.use("Agg")
from matplotlib import pyplot as plt

import izhnumba as iz
from izhnumba import analysis
from izhnumba._engine.timebase import Steps
from izhnumba.analysis._accuracy import _compared
from izhnumba.analysis._matching import trains


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def pairs(reference, other):
    return list(zip(*analysis.match_spikes(reference, other), strict=True))


@pytest.mark.parametrize(
    ("reference", "other", "expected"),
    [
        ([], [], []),
        ([1.0], [], []),
        ([], [1.0], []),
        ([57.6], [68.2], [(0, 0)]),  # lone spikes: late, but the same
        ([10, 20, 30], [10.2, 20.4, 30.6], [(0, 0), (1, 1), (2, 2)]),
        ([10, 20, 30], [10, 30], [(0, 0), (2, 1)]),  # one missed
        ([10, 30], [10, 20, 30], [(0, 0), (1, 2)]),  # one spurious
        ([10, 20, 30], [15.1, 25.1, 35.1], [(1, 0), (2, 1)]),  # more than half an interval late
        ([10, 12, 14, 50], [10.5, 13.2, 14.1, 60], [(0, 0), (2, 2), (3, 3)]),  # a burst has a shorter interval
        ([10, 12], [14.0], []),
        ([10, 20], [14.9, 15.1], [(0, 0), (1, 1)]),
        ([10, 20], [10, 10], [(0, 0)]),  # one partner at most
    ],
)
def test_pairs_are_mutual_and_within_half_an_interval(reference, other, expected):
    assert pairs(reference, other) == expected


TRAINS = st.lists(st.integers(0, 200), max_size=12, unique=True).map(lambda t: np.sort(t) / 2.0)


@given(TRAINS, TRAINS)
def test_no_spike_has_two_partners_and_a_nearer_one_is_never_left(reference, other):
    i, j = analysis.match_spikes(reference, other)
    assert len(np.unique(i)) == len(i) == len(np.unique(j))
    for k, m in zip(i, j, strict=True):
        distance = abs(other[m] - reference[k])
        assert distance <= np.abs(other - reference[k]).min()
        assert distance <= np.abs(reference - other[m]).min()
    assert pairs(reference, reference) == [(k, k) for k in range(len(reference))]


def test_match_spikes_says_what_it_must_be_given():
    must = "must be one-dimensional and ascending, got"
    with pytest.raises(
        ValueError, match=rf"match_spikes\.reference {must} times that go back\. Pass the spikes of one"
    ):
        analysis.match_spikes([2.0, 1.0], [1.0])
    with pytest.raises(ValueError, match=rf"match_spikes\.other {must} an array of shape \(\)"):
        analysis.match_spikes([2.0], 1.0)


# --- reports ----------------------------------------------------------------------------------------------------------


def events(times, dt=0.5, n=4):
    """Spikes of a batch of populations of n neurons: flat index to steps."""
    i = np.repeat(list(times), [len(steps) for steps in times.values()])
    step = np.concatenate(list(times.values()))
    order = np.lexsort((i, step))
    return iz.Spikes(i[order], step[order], Steps(dt), n, 2)


def test_neurons_and_batches_are_compared_each_by_itself():
    expected = trains(events({0: [9, 19, 29], 5: [9], 6: [3]}))
    found = trains(events({0: [9, 20, 29], 1: [10], 5: [11]}))
    assert list(expected) == [(0, 0), (1, 1), (1, 2)]
    np.testing.assert_array_equal(expected[0, 0], [5.0, 10.0, 15.0])
    row = _compared("euler", 0.5, expected, found, 0.1)
    assert row == ("euler", 0.5, 5, 1, 1, 1.0, 0.25, 0.1)


def test_no_spikes_at_all_leave_no_errors():
    row = _compared("euler", 0.5, trains(events({0: []})), {}, 0.1)
    assert row[2:5] == (0, 0, 0)
    assert np.isnan(row.max_error)
    assert np.isnan(row.median_error)


@pytest.fixture
def made_up():
    rows = [
        analysis.Accuracy("euler", 0.1, 19, 2, 1, 3.0, 1.0, 0.001),
        analysis.Accuracy("euler", 0.01, 20, 0, 0, 0.3, 0.1, 0.01),
        analysis.Accuracy("rk4", 0.1, 20, 0, 0, 0.5, 0.2, 0.004),
    ]
    return analysis.AccuracyReport(rows, n_spikes=20, seconds=2e-4, duration=1000.0)


def test_report_is_a_table(made_up):
    first, names, *rows = repr(made_up).splitlines()
    assert first == "20 spikes in 1000 ms of continuous time, found in 0.2 ms of wall time"
    assert [line.split() for line in rows] == [
        ["euler", "0.1", "19", "2", "1", "3", "1", "1"],
        ["euler", "0.01", "20", "0", "0", "0.3", "0.1", "10"],
        ["rk4", "0.1", "20", "0", "0", "0.5", "0.2", "4"],
    ]
    assert {len(line) for line in rows} == {len(names)}
    frame = made_up.to_dataframe()
    assert list(frame.columns) == list(analysis.Accuracy._fields)
    assert list(frame.missed) == [2, 0, 0]


@pytest.mark.parametrize(("against", "label"), [("dt", "time step (ms)"), ("seconds", "wall time (s)")])
def test_report_draws_a_line_per_scheme_and_opens_the_marks_of_lost_spikes(made_up, against, label):
    ax = plt.figure().add_subplot()
    assert made_up.plot(ax, against=against) is ax
    lines = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert [line.get_label() for line in lines] == ["euler", "rk4"]
    np.testing.assert_array_equal(lines[0].get_ydata(), [0.3, 3.0])
    marks = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [mark.get_markerfacecolor() == "white" for mark in marks] == [False, True, False]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (label, "largest error (ms)")
    with pytest.raises(ValueError, match=r"AccuracyReport\.plot\.against must be a known name, got 'time'"):
        made_up.plot(against="time")


def test_errors_fall_linearly_with_dt():
    cell = iz.Population(1, **iz.presets["RS"])
    dts = np.array([0.1, 0.05, 0.02, 0.01])
    report = analysis.accuracy_report(cell, 10.0, 400.0, schemes=["euler", "exp_euler"], dts=dts)
    assert not any(row.missed or row.spurious for row in report.rows)
    for k in (0, 4):
        errors = [row.max_error for row in report.rows[k : k + 4]]
        assert np.polyfit(np.log(dts), np.log(errors), 1)[0] == pytest.approx(1.0, abs=0.2)


def test_report_counts_all_neurons_and_takes_input_objects():
    cells = iz.Population(3, **iz.presets["RS"])
    pulse = iz.Pulses(10.0, 60.0, [10.0], base=1.0) + iz.Constant([0.0, 2.0, 4.0])
    report = analysis.accuracy_report(cells, pulse, 100.0, schemes=["rk4"], dts=[0.01])
    fine = iz.Population(3, **iz.presets["RS"], scheme="rk4", dt=0.01).run(100.0, pulse)
    assert report.rows[0].spikes == report.n_spikes == len(fine.spikes)
    assert report.rows[0].max_error < 0.1
    assert report.seconds > 0


def test_a_report_leaves_the_population_alone_and_starts_where_it_started():
    cells = iz.Population(2, **iz.presets["CH"], seed=1)
    fresh = analysis.accuracy_report(cells, 10.0, 100.0, schemes=["euler"], dts=[0.1])
    cells.run(33.0, 10.0)
    before, result = state(cells), cells.result
    later = analysis.accuracy_report(cells, 10.0, 100.0, schemes=["euler"], dts=[0.1])
    assert state(cells) == before
    assert cells.result is result
    assert later.rows[0][:-1] == fresh.rows[0][:-1]


def test_a_scheme_that_breaks_down_is_reported_too():
    cell = iz.Population(1, **iz.presets["RS"])
    report = analysis.accuracy_report(cell, 10.0, 200.0, schemes=["rk4"], dts=[5.0, 20.0])  # not finite at 60, 80 ms
    assert all(row.missed > 0 for row in report.rows)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pop": iz.presets["RS"]}, TypeError, "pop must be a Population, got <preset 'RS'"),
        ({"schemes": "euler"}, TypeError, "schemes must be a list, got 'euler'. Pass [x] for a single one."),
        ({"schemes": ["eurel"]}, ValueError, "schemes must be a known name, got 'eurel'. Did you mean 'euler'?"),
        ({"schemes": ["exact"]}, ValueError, "schemes must be a known name, got 'exact'."),
        ({"dts": 0.1}, TypeError, "dts must be a list, got 0.1. Pass [x] for a single one."),
        ({"dts": [0.1, 0.0]}, ValueError, "dts must be a finite number > 0 ms, got 0.0."),
        ({"dts": [0.3]}, ValueError, "duration must be a whole number of steps of 0.3 ms, got 100.0. Use 99.9 or"),
        ({"duration": -1.0}, ValueError, "duration must be a finite number > 0 ms, got -1.0."),
        ({"I": np.zeros((1000, 1))}, ValueError, "I must be constant, one value per neuron or an input object, got an"),
    ],
)
def test_accuracy_report_says_what_it_must_be_given(options, error, message):
    with pytest.raises(error, match=re.escape(f"accuracy_report.{message}")):
        analysis.accuracy_report(**{"pop": iz.Population(1), "duration": 100.0, **options})
