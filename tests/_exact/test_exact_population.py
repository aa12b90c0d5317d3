"""Populations of the exact scheme against 113-bit spike times, closed forms and the slow twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exact_cells import assert_same_spikes, different, population, twins
from exact_oracle import Cell, ExactNetwork, passage
from oracle import Accommodation, Book, Quadratic
from recorded import Exact, exact_patterns, judge
from scipy.integrate import solve_ivp

import izhnumba as iz

# Errors over 10 s, in ms: a rebound amplifies rounding, and so does steady firing, slowly.
BOUNDS = {"M rebound spike": 1e-6, "RS": 5e-9, "CH": 5e-9, "TC": 5e-9, "LTS": 5e-9}


def in_pieces(pop, segments, T):
    """Spikes of a population whose current is given by rows (start, I, slope)."""
    ends = [*segments[1:, 0], T]
    results = [
        pop.run(end - start, iz.Ramp(slope, start, base=level) if slope else level)
        for (start, level, slope), end in zip(segments.tolist(), ends, strict=True)
    ]
    return [np.concatenate([getattr(result.spikes, name) for result in results]) for name in ("i", "t")]


def spikes(result):
    return result.spikes.i, result.spikes.t


# --- 113 bits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", exact_patterns())
def test_exact_spike_times(name):
    exact = Exact(name)
    pop = iz.Population(1, scheme="exact", V=exact.V, u=exact.u, **exact.parameters)
    _, t = in_pieces(pop, exact.segments, 10_000.0)
    assert len(t) == len(exact.spikes)
    np.testing.assert_allclose(t, exact.spikes, rtol=0, atol=BOUNDS.get(name, 1e-9))
    assert pop.t == 10_000.0


def test_exact_spike_times_side_by_side():
    """All piecewise constant patterns as one population, driven by a table of a row per ms."""
    names = [name for name in exact_patterns() if name != "G class 1"]
    exact = [Exact(name) for name in names]
    parameters = {key: np.array([e.parameters[key] for e in exact]) for key in exact[0].parameters}
    V, u = np.array([e.V for e in exact]), np.array([e.u for e in exact])
    pop = iz.Population(len(exact), scheme="exact", V=V, u=u, **parameters)
    res = pop.run(2000.0, iz.TimedArray(np.array([e.current(2000, 1.0) for e in exact]).T, dt=1.0))
    for j, e in enumerate(exact):
        expected = e.spikes[e.spikes < 2000.0]
        t = res.spikes.t[res.spikes.i == j]
        assert len(t) == len(expected), names[j]
        np.testing.assert_allclose(t, expected, rtol=0, atol=BOUNDS.get(names[j], 1e-9), err_msg=names[j])


# --- closed forms ---------------------------------------------------------------------------------------------------


def frozen(V, I, d=0.0, spikes=6, **parabola):
    """Spike times in closed form of a neuron with u' = 0 that is reset to its initial V."""
    k2, k1, k0 = (parabola.get(key, value) for key, value in (("k2", 0.04), ("k1", 5.0), ("k0", 140.0)))
    return np.cumsum([passage(V, 30.0, k2, k1, k0 + I - k * d) for k in range(spikes)])


@pytest.mark.parametrize("d", [0.0, -2.0])
def test_times_to_threshold_when_u_rests(d):
    """Without points of rest (the first three), with them but started above, and both signs in one population."""
    V = np.array([-70.0, -80.0, -65.0, -40.0, -45.0, -30.0])
    I = np.array([26.0, 40.0, 100.0, 2.0, 10.0, -20.0])
    res = iz.Population(6, scheme="exact", a=0.0, c=V, d=d, V=V, u=0.0).run(30.0, I)
    for j in range(6):
        found = res.spikes.t[res.spikes.i == j][:6]
        assert len(found) >= 3
        np.testing.assert_allclose(found, frozen(V[j], I[j], d)[: len(found)], rtol=1e-13)


def test_the_time_to_threshold_on_the_saddle_node():
    parabola = dict(k2=1 / 32, k1=4.0, k0=120.0)
    pop = iz.Population(1, scheme="exact", a=0.0, c=-63.0, d=0.0, V=-63.0, u=0.0, **parabola)
    np.testing.assert_allclose(pop.run(200.0, 8.0).spikes.t, frozen(-63.0, 8.0, **parabola), rtol=1e-13)


def test_u_decays_when_it_is_not_coupled():
    a = np.array([0.005, 0.02, 0.3])
    pop = iz.Population(3, scheme="exact", a=a, b=0.0, d=5.0, V=-65.0, u=[3.0, -4.0, 0.0])
    res = pop.run(100.0, 30.0, record="u", every=0.7)
    for j, first in enumerate([3.0, -4.0, 0.0]):
        kicks = [(0.0, first), *((t, 5.0) for t in res.spikes.t[res.spikes.i == j])]
        assert len(kicks) > 4
        for t, u in [*zip(res.t, res.u[:, j], strict=True), (100.0, pop.u[j])]:
            expected = sum(height * math.exp(-a[j] * (t - start)) for start, height in kicks if start < t)
            assert u == pytest.approx(expected, rel=1e-12, abs=1e-12)


# --- the twin -------------------------------------------------------------------------------------------------------

INPUTS = {
    "number": (9.0, [(0.0, 9.0, 0.0)], None),
    "ramp": (iz.Ramp(0.4, 5.5, 30.25, base=3.0), [(0.0, 3.0, 0.0), (5.5, 3.0, 0.4), (30.25, 3.0, 0.0)], None),
    "pulses": (
        iz.Pulses([3.0, 7.5], [9.25, 40.0], [6.0, 4.0], base=2.0),
        [(0.0, 2.0, 0.0), (3.0, 8.0, 0.0), (7.5, 12.0, 0.0), (9.25, 6.0, 0.0), (40.0, 2.0, 0.0)], None,
    ),
    "table": (
        iz.TimedArray([4.0, 14.0, 0.0, 9.0], dt=11.25),
        [(0.0, 4.0, 0.0), (11.25, 14.0, 0.0), (22.5, 0.0, 0.0), (33.75, 9.0, 0.0)], None,
    ),
    "sum": (
        2.0 + iz.Ramp(0.5, 10.0) + iz.Pulses(4.0, 20.0, 5.0),
        [(0.0, 2.0, 0.0), (4.0, 7.0, 0.0), (10.0, 7.0, 0.5), (20.0, 7.0, 0.5)], None,
    ),
    "multiples": (
        8.0 - 2 * (iz.Ramp(-0.25, 10.0) - iz.Pulses(4.0, 20.0, 5.0) / 2 - iz.Sine(3.0, frequency=80.0, phase=0.4)),
        [(0.0, 8.0, 0.0), (4.0, 13.0, 0.0), (10.0, 13.0, 0.5), (20.0, 13.0, 0.5)],
        lambda t: 6.0 * math.sin(0.16 * math.pi * t + 0.4),
    ),
    "sine": (
        iz.Sine(6.0, frequency=80.0, phase=0.4, offset=9.0),
        [(0.0, 9.0, 0.0)], lambda t: 6.0 * math.sin(0.16 * math.pi * t + 0.4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_inputs(name):
    """In two runs, the second of which begins somewhere in the input."""
    I, segments, wave = INPUTS[name]
    cells = different(5, seed=3)
    pop, twin = population(cells), ExactNetwork(twins(cells, segments, wave))
    one, other = pop.run(17.3, I), pop.run(42.7, I)
    found = [np.concatenate(pair) for pair in zip(spikes(one), spikes(other), strict=True)]
    assert_same_spikes(found, twin.run(60.0).spikes)
    assert len(found[0]) > 12


def test_states():
    """Samples, and the state after the run, which need not end with an event."""
    cells = different(5, seed=4)
    pop, twin = population(cells), ExactNetwork(twins(cells))
    res = pop.run(24.0, cells["I"], record=["V", "u"], every=1.3, neurons=[0, 2, 4])
    np.testing.assert_allclose(res.t, 1.3 * np.arange(1, 19), rtol=1e-14)
    for t, V, u in zip([*res.t, pop.t], [*res.V, pop.V[::2]], [*res.u, pop.u[::2]], strict=True):
        twin.run(t)
        np.testing.assert_allclose(V, [cell.V for cell in twin.cells[::2]], rtol=0, atol=2e-8)  # on the upstroke
        np.testing.assert_allclose(u, [cell.u for cell in twin.cells[::2]], rtol=0, atol=1e-10)
    assert len(res.spikes) == len(twin.spikes[0]) > 5


def test_what_is_set_between_runs_counts_from_then_on():
    cells = different(5, seed=11, tau_ref=0.0)
    pop, twin = population(cells), ExactNetwork(twins(cells))
    one = pop.run(21.7, cells["I"])
    twin.run(21.7)
    pop.V, pop.u, pop.d = -61.5, np.linspace(-14.0, -10.0, 5), 3.0
    for cell, u in zip(twin.cells, pop.u.tolist(), strict=True):
        cell.V, cell.u, cell.model.d = -61.5, u, 3.0
    other = pop.run(30.0, cells["I"])
    found = [np.concatenate(pair) for pair in zip(spikes(one), spikes(other), strict=True)]
    assert_same_spikes(found, twin.run(51.7).spikes)
    assert len(other.spikes) > 4


def test_refractory_periods():
    cells = different(6, seed=5, tau_ref=0.0, I=25.0)
    cells["tau_ref"] = np.array([0.0, 0.05, 0.7, 2.0, 5.0, 11.0])
    res = population(cells).run(60.0, 25.0)
    expected = ExactNetwork(twins(cells)).run(60.0).spikes
    assert_same_spikes(spikes(res), expected)
    for i, least in enumerate(cells["tau_ref"]):
        assert np.diff(expected[1][expected[0] == i]).min() > least


BOOK = judge("izhikevich2007_book_cells")["params"]


@pytest.mark.parametrize(("cell", "currents"), [
    ("RS", (60.0, 100.0, 300.0)), ("IB", (400.0, 500.0, 600.0)), ("CH", (200.0, 400.0, 600.0)),
    ("LTS", (125.0, 200.0, 300.0)),
])  # fmt: skip
def test_2007(cell, currents):
    model = Book(**BOOK[cell], cell=cell)
    pop = iz.Population(3, scheme="exact", **iz.presets[f"2007/{cell}"])
    cells = [Cell(model, BOOK[cell]["vr"], 0.0, [(0.0, I, 0.0)]) for I in currents]
    expected = ExactNetwork(cells).run(120.0).spikes
    assert_same_spikes(spikes(pop.run(120.0, currents)), expected)
    assert len(expected[0]) > 5


def test_a_cap_of_u():
    options = dict(k=1.0, vr=-56.0, vt=-42.0, vpeak=40.0, b=8.0, c=-53.0, d=20.0)
    pop = iz.Population(1, model=iz.Izhikevich2007, scheme="exact", u_max=100.0, V=-56.0, **options)
    model, raised = Book(C=100.0, a=0.03, **options), []

    def capped(u):
        raised.append(u + 20.0)
        return min(u + 20.0, 100.0)

    model.kicked = capped
    twin = ExactNetwork([Cell(model, -56.0, 0.0, [(0.0, 300.0, 0.0)])]).run(60.0)
    assert_same_spikes(spikes(pop.run(60.0, 300.0)), twin.spikes)
    assert max(raised) > 100.0 > min(raised)


def test_accommodation():
    segments = np.array([(0.0, 0.0, 0.04), (200.0, 0.0, 0.0), (300.0, 0.0, 0.32), (312.5, 0.0, 0.0)])
    parameters = dict(a=0.02, b=1.0, c=-55.0, d=4.0)
    pop = iz.Population(1, model=iz.IzhikevichAccommodation, scheme="exact", V=-65.0, u=-16.0, **parameters)
    found = in_pieces(pop, segments, 400.0)
    cell = Cell(Accommodation(**parameters), -65.0, -16.0, segments)
    assert_same_spikes(found, ExactNetwork([cell]).run(400.0).spikes)
    assert len(found[0]) == 1


def test_a_runaway_is_told():
    """The published d of -2 lets u fall without end: more than 200 000 spikes in 281 ms."""
    preset = iz.presets["2004/T"]
    pop = iz.Population(2, scheme="exact", **preset)
    with pytest.raises(RuntimeError, match=r"(?s)(?=.*neuron)(?=.*t = ).*ms"):
        pop.run(preset.duration, preset.stimulus)


# --- crossings that are hard to see ----------------------------------------------------------------------------------

LOW = dict(a=0.1, b=0.26, c=-75.0, d=1.0)


def peak():
    """V at the first maximum of a cell that rises from -75 mV, is slowed by u and sinks again."""
    model = Quadratic(**LOW)

    def slopes(t, y):
        return model.current(*y, 0.0), model.rate * model.drive(*y, None)

    def rise(t, y):
        return slopes(t, y)[0]

    rise.direction = -1
    solution = solve_ivp(slopes, (0.0, 60.0), (-75.0, -16.0), "DOP853", events=rise, rtol=1e-13, atol=1e-13)
    return solution.y_events[0][0, 0]


@pytest.mark.parametrize("margin", [1e-1, 1e-3, 1e-5])
def test_peaks_at_the_threshold(margin):
    """A threshold a little below the peak is met, by V and u that turn back at once; one above it is not."""
    V_th = peak() + margin * np.array([-1.0, 1.0])
    res = iz.Population(2, scheme="exact", V_th=V_th, V=-75.0, u=-16.0, **LOW).run(60.0)
    twin = ExactNetwork([Cell(Quadratic(**LOW, V_th=float(level)), -75.0, -16.0) for level in V_th]).run(60.0)
    assert_same_spikes(spikes(res), twin.spikes, atol=1e-9 / math.sqrt(margin))
    assert twin.cells[0].spikes
    assert twin.cells[1].spikes == []


def test_looks_do_not_begin_anew_at_the_last_event():
    """A cell at rest has no event for long; each look at it takes over the whole steps of the one before."""
    pop = iz.Population(3, scheme="exact", **iz.presets["RS"])
    for _ in range(30):
        pop.run(100.0)
    assert np.all(pop._engine.states[:, 0] > pop.t - 200.0)  # the time at which they stand


def test_rows_of_an_array_over_time_hold_from_their_times_on():
    """To the last bit: no part of a row is forgiven, as it is for steps."""
    rate = iz.TimedArray(np.array([0.0, 50.0]), 200.0)
    pop = iz.Population(500, scheme="exact", seed=6, **iz.presets["RS"])
    assert not len(pop.run(200.0, -50.0, delta=iz.Poisson(rate, weight=1e3)).spikes)
    current = iz.TimedArray(np.array([1.0, 1000.0]), 200.0)
    pop = iz.Population(1, scheme="exact", **iz.presets["RS"])
    pop.run(199.85)
    assert pop.run(1.0, current).spikes.t[0] > 200.05


@pytest.mark.parametrize("change", [iz.Sine(8.0, frequency=40.0, offset=9.0), iz.Ramp(0.5, start=2.0), 9.0])
def test_splits_after_the_input_has_changed(change):
    """Pieces of an input that begins in the course of time are known again in the next run."""

    def after(*pieces):
        pop = iz.Population(1, **iz.presets["RS"], scheme="exact")
        pop.run(5.0, 12.0)
        for T in pieces:
            pop.run(T, change)
        return pop.V[0], pop.u[0]

    assert after(10.0) == after(7.777, 2.223) == after(1.0, 9.0)


def test_a_step_with_the_current_of_the_step_before_is_a_step_like_others():
    """What was made ready for it holds as long as nothing else has come in between."""
    I = np.array([4.0, 8.0, 12.0])  # noqa: E741
    acts = [
        lambda pop: pop.step(I), lambda pop: pop.step(I, dt=0.3), lambda pop: pop.step(9.0), lambda pop: pop.step(9),
        lambda pop: pop.step(9.0, delta=0.5), lambda pop: pop.step(9.0, g=0.01, E=-60.0), lambda pop: pop.run(0.3, 7.0),
        lambda pop: pop.run(0.5, iz.TimedArray([3.0, 20.0], dt=0.2)), lambda pop: setattr(pop, "d", pop.d * 1.01),
        lambda pop: pop.step(iz.Constant(9.0)), lambda pop: pop.step(I.astype("f4")), lambda pop: pop.reset(),
    ]  # fmt: skip
    pop, twin = (iz.Population(3, scheme="exact", **iz.presets["RS"]) for _ in range(2))
    rng = np.random.default_rng(1)
    for _ in range(400):
        act = acts[min(rng.integers(16), rng.integers(16)) % len(acts)]
        if rng.random() < 0.1:
            I[rng.integers(3)] += 0.5
        for _ in range(rng.integers(1, 4)):
            twin._engine.latest = None, None
            act(pop)
            act(twin)
            assert pop.spikes.tolist() == twin.spikes.tolist()
            assert (pop.V.tobytes(), pop.u.tobytes()) == (twin.V.tobytes(), twin.u.tobytes())
    I[0] = np.nan
    for _ in range(2):
        with pytest.raises(ValueError, match="Population.step.I must be finite, got nan at index 0"):
            pop.step(I)
    pop.step(np.float64(9.0))
    with pytest.raises(ValueError, match="Population.step.I must be a number or an array of numbers in mV/ms, got 10"):
        pop.step(10**400)
