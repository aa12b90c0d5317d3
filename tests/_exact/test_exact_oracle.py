"""The twin of the exact scheme against closed forms and 113-bit spike times. It needs no izhnumba."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exact_oracle import Cell, ExactNetwork, Pairs, Synapse, passage
from network_oracle import Course
from oracle import Accommodation, Book, Quadratic
from recorded import Exact, exact_patterns
from scipy.linalg import expm

DELTA = Course("delta")
STILL = dict(k2=0.0, k1=0.0, k0=0.0, a=0.0, b=0.0, d=0.0, V_th=math.inf)  # V' = I - u, u' = 0


def run(cell, T):
    while cell.advance(T):
        pass
    return cell


def one(model, V, u, events=(), T=30.0, **options):
    """A single cell with events (time, course, weight)."""
    return ExactNetwork([Cell(model, V, u, **options)], (), [(t, 0, *event) for t, *event in events]).run(T).cells[0]


# --- 113 bits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", exact_patterns())
def test_exact_spike_times(name):
    exact = Exact(name)
    expected = exact.spikes[:15]
    cell = run(Cell(Quadratic(**exact.parameters), exact.V, exact.u, exact.segments), min(expected[-1] + 0.5, 1000.0))
    np.testing.assert_allclose(cell.spikes, expected[: len(cell.spikes)], rtol=0, atol=2e-10)
    assert len(cell.spikes) == np.searchsorted(expected, cell.t)


# --- closed forms ---------------------------------------------------------------------------------------------------

FROZEN = {
    "above the saddle node": (dict(k2=0.04, k1=5.0, k0=140.0), -70.0, 60.0),
    "below it": (dict(k2=0.04, k1=5.0, k0=140.0), -40.0, 2.0),
    "on it": (dict(k2=1 / 32, k1=4.0, k0=128.0), -63.0, 0.0),
}


@pytest.mark.parametrize("name", FROZEN)
def test_the_time_to_threshold_when_u_rests(name):
    parabola, V, I = FROZEN[name]
    k = parabola | {"k0": parabola["k0"] + I}
    # The derivative of the time by V1 is 1 / V'.
    slope = (passage(V, 20.001, **k) - passage(V, 19.999, **k)) / 0.002
    assert slope * (k["k2"] * 400 + k["k1"] * 20 + k["k0"]) == pytest.approx(1, rel=1e-7)
    expected = passage(V, 30.0, **k)
    cell = run(Cell(Quadratic(**parabola, a=0.0, c=V, d=0.0), V, 0.0, [(0.0, I, 0.0)]), 5.5 * expected)
    np.testing.assert_allclose(cell.spikes, expected * np.arange(1, 6), rtol=1e-12)


def test_u_decays_when_it_is_not_coupled():
    cell = run(Cell(Quadratic(b=0.0, a=0.07), -65.0, 3.0, [(0.0, 20.0, 0.0)]), 80.0)
    assert len(cell.spikes) > 2
    t = 80.0 - np.array([0.0, *cell.spikes])
    assert cell.u == pytest.approx(np.dot([3.0, *[8.0] * len(cell.spikes)], np.exp(-0.07 * t)), rel=1e-12)


def test_a_linear_neuron_under_a_ramp_and_a_wave():
    """V' = -V/5 - u + 2 + 0.3 t + sin(t), u' = 0.1 (0.4 V - u), as a matrix with the states 1, t, sin, cos behind."""
    matrix = np.zeros((6, 6))
    matrix[0] = [-0.2, -1, 2, 0.3, 1, 0]
    matrix[1, :2] = [0.04, -0.1]
    matrix[3, 2], matrix[4, 5], matrix[5, 4] = 1, 1, -1
    expected = expm(matrix * 17.0) @ [-3.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    model = Quadratic(**STILL | dict(k1=-0.2, k0=2.0, a=0.1, b=0.4))
    cell = run(Cell(model, -3.0, 1.0, [(0.0, 0.0, 0.3)], wave=math.sin), 17.0)
    assert (cell.V, cell.u) == pytest.approx(tuple(expected[:2]), rel=1e-11)
    pieces = run(Cell(model, -3.0, 1.0, [(t, 0.3 * t, 0.3) for t in (0.0, 2.5, 2.75, 16.0)], wave=math.sin), 17.0)
    assert (pieces.V, pieces.u) == pytest.approx((cell.V, cell.u), rel=1e-11)


PEAK = 6**-0.2 - 6**-1.2  # of exp(-t / 6) - exp(-t), at 1.2 ln 6
CURRENTS = {
    "exponential": (Course("exp", 3.0), [[-1 / 3]], [1.0]),
    "alpha": (Course("alpha", 2.0), [[-0.5, 1.0], [0.0, -0.5]], [0.0, math.e / 2]),
    "dual": (Course("dual", 1.0, 6.0), [[-1 / 6, 0.0], [0.0, -1.0]], [1 / PEAK, -1 / PEAK]),
}


@pytest.mark.parametrize("name", CURRENTS)
def test_synaptic_currents(name):
    """They are linear systems: V' = the first state, or the sum of both (dual), each arrival adding to the states."""
    course, system, kick = CURRENTS[name]
    n = len(kick)
    matrix = np.zeros((n + 1, n + 1))
    matrix[1:, 1:] = system
    matrix[0, 1:] = [1, 1] if name == "dual" else [1, 0][:n]
    kick = np.array([0.0, *kick])
    state = expm(matrix * 1.5) @ (2.0 * kick)
    state = expm(matrix * 9.0) @ (state - 5.0 * kick)
    cell = one(Quadratic(**STILL), -60.0, 0.0, [(1.0, course, 2.0), (2.5, course, -5.0)], T=11.5)
    assert cell.V == pytest.approx(-60.0 + state[0], rel=1e-12)


def test_a_conductance():
    cell = one(Quadratic(**STILL), -60.0, 0.0, [(1.0, Course("exp", 4.0, E=10.0), 0.2)], T=9.0)
    assert cell.V == pytest.approx(10.0 - 70.0 * math.exp(-0.8 * (1 - math.exp(-2.0))), rel=1e-12)


def test_the_models():
    """Every model rises by its own equations: against a plain integration of few lines."""
    book = Book(C=100, k=1.0, vr=-56, vt=-42, vpeak=40, a=0.03, b=8, c=-53, d=20, cell="LTS")
    for model, V, u, I in ((Accommodation(b=1.0), -65.0, -16.0, 4.0), (book, -56.0, 0.0, 200.0)):
        cell = run(Cell(model, V, u, [(0.0, I, 0.0)]), 1.0)
        for _ in range(100_000):
            v = V + 0.5e-5 * model.current(V, u, I) / model.C
            w = u + 0.5e-5 * model.rate * model.drive(V, u, V)
            V, u = V + 1e-5 * model.current(v, w, I) / model.C, u + 1e-5 * model.rate * model.drive(v, w, v)
        assert (cell.V, cell.u) == pytest.approx((V, u), rel=1e-10)


def test_thresholds_that_follow_u():
    book = Book(C=100, k=1.0, vr=-56, vt=-42, vpeak=40, a=0.03, b=8, c=-53, d=20, cell="LTS")
    cell = Cell(book, -56.0, 0.0, [(0.0, 300.0, 0.0)])
    assert cell.advance(100.0)
    u = cell.u - 20.0
    assert cell.V == pytest.approx(-53 + 0.04 * u)
    before = Cell(book, -56.0, 0.0, [(0.0, 300.0, 0.0)])
    assert not before.advance(math.nextafter(cell.t, 0.0) - 1e-12)
    assert (before.V, before.u) == (pytest.approx(40 - 0.1 * u, abs=1e-8), pytest.approx(u, abs=1e-8))


# --- events ---------------------------------------------------------------------------------------------------------

REST = dict(k2=0.0, k1=0.0, k0=0.0, a=0.0, b=0.0, d=1.0)  # V' = I - u: without a current and with u = 0, V rests


@pytest.mark.parametrize(
    ("tau_ref", "events", "spikes", "V"),
    [
        (0.0, [(2.0, 94.9)], [], 29.9),
        (0.0, [(2.0, 95.0)], [2.0], -65.0 - 1.0),
        (0.0, [(2.0, 50.0), (2.0, 50.0)], [2.0], -66.0),
        (0.0, [(2.0, 150.0), (2.0, -80.0)], [], 5.0),
        (2.5, [(0.0, 95.0), (2.4, 300.0), (2.5, 7.0)], [0.0], -58.5),
    ],
)
def test_jumps(tau_ref, events, spikes, V):
    cell = one(Quadratic(**REST), -65.0, 0.0, [(t, DELTA, w) for t, w in events], T=3.0, tau_ref=tau_ref)
    assert cell.spikes == spikes
    assert cell.V == pytest.approx(V, rel=1e-13)


def test_currents_go_on_while_v_rests():
    events = [(1.0, DELTA, 95.0), (2.0, Course("exp", 4.0), 3.0)]
    cell = one(Quadratic(**REST | {"d": 0.0}), -65.0, 0.0, events, T=9.0, tau_ref=4.0)
    assert cell.V == pytest.approx(-65.0 + 12.0 * (math.exp(-0.75) - math.exp(-1.75)), rel=1e-12)


@pytest.mark.parametrize("margin", [1e-2, 1e-4, 1e-7])
def test_peaks_that_just_reach_the_threshold(margin):
    """V = sin t - 66 and a threshold a little below the peak and above it."""
    below, above = (
        run(Cell(Quadratic(**STILL | {"V_th": V_th, "c": -70.0}), -66.0, 0.0, wave=math.cos), 4.0)
        for V_th in (-65.0 - margin, -65.0 + margin)
    )
    assert below.spikes == [pytest.approx(math.asin(1 - margin), abs=1e-12 / math.sqrt(margin))]
    assert above.spikes == []


def test_a_chain_of_cells():
    """Each passes the spike on; the last one takes two arrivals at one time."""
    cells = [Cell(Quadratic(**REST), -65.0, 0.0) for _ in range(4)]
    wires = [(0, 1, 95.0, 0.7), (1, 2, 95.0, 0.3), (0, 3, 50.0, 1.5), (2, 3, 50.0, 0.5)]
    net = ExactNetwork(cells, [Synapse(i, j, DELTA, w, d) for i, j, w, d in wires], [(0.25, 0, DELTA, 95.0)]).run(5.0)
    i, t = net.spikes
    assert (i.tolist(), t.tolist()) == ([0, 1, 2, 3], [0.25, 0.25 + 0.7, 0.25 + 0.7 + 0.3, 1.75])


PAIRS = dict(A_plus=0.1, A_minus=0.2, tau_plus=10.0, tau_minus=20.0, w_min=0.0, w_max=5.0)


@pytest.mark.parametrize("nearest", [False, True])
def test_plasticity_of_pairs(nearest):
    """Arrivals at 3, 6 and 9.5 ms, target spikes at 2, 7 and 9.5 ms."""
    source, target = (Cell(Quadratic(**REST | {"d": 0.0}), -65.0, 0.0) for _ in range(2))
    synapse = Synapse(0, 1, Course("exp", 1.0), 1.0, 1.0, Pairs(**PAIRS, nearest=nearest))
    events = [(t, 0, DELTA, 95.0) for t in (2.0, 5.0, 8.5)] + [(t, 1, DELTA, 295.0) for t in (2.0, 7.0, 9.5)]
    ExactNetwork([source, target], [synapse], events).run(12.0)
    assert (source.spikes, target.spikes) == ([2.0, 5.0, 8.5], [2.0, 7.0, 9.5])
    w = 1.0
    for time, past, amplitude, tau in (
        (3.0, [2.0], -0.2, 20.0), (6.0, [2.0], -0.2, 20.0), (7.0, [3.0, 6.0], 0.1, 10.0),
        (9.5, [2.0, 7.0], -0.2, 20.0), (9.5, [3.0, 6.0, 9.5], 0.1, 10.0),
    ):  # fmt: skip
        w += amplitude * sum(math.exp(-(time - t) / tau) for t in past[nearest * (len(past) - 1) :])
    assert synapse.weight == pytest.approx(w, rel=1e-14)
