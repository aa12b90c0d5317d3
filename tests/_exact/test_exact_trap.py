"""Neurons that need not be looked at: trapping rectangles, and what the skipping of silent neurons must not change."""

from __future__ import annotations

import numpy as np
import pytest
from exact_cells import RECEPTORS, agree, assert_same_spikes, both, resting
from exact_oracle import Cell, ExactNetwork
from oracle import Quadratic

import izhnumba as iz
from izhnumba._exact import engine as exact_engine
from izhnumba._exact import network as exact_network
from izhnumba._exact.silent import rectangles
from izhnumba._model.normal_form import normal_form

STILL = 1e-3


def random_cells(n, seed):
    """Parameters and I of cells of all kinds: integrators, resonators, b > a and b < a, low thresholds."""
    rng = np.random.default_rng(seed)
    cells = dict(
        a=10 ** rng.uniform(-3.0, 0.3, n),
        b=rng.uniform(-0.5, 1.0, n),
        c=rng.uniform(-75.0, -50.0, n),
        d=rng.uniform(0.0, 10.0, n),
        V_th=rng.choice([30.0, -40.0, -55.0], n),
        k2=rng.uniform(0.02, 0.06, n),
        k1=rng.uniform(4.0, 6.0, n),
        k0=rng.uniform(100.0, 180.0, n),
    )
    return cells, rng.uniform(-20.0, 15.0, n)


def found_in(cells, I, still=STILL):
    """Form, z and rectangles of cells."""
    default = {name: quantity.default for name, quantity in iz.Izhikevich.parameters.items()}
    p = iz.Izhikevich.named_tuple()(**{name: np.asarray(value) for name, value in (default | cells).items()})
    form = normal_form(iz.Izhikevich, p)
    z = form.p * form.gI * I
    return form, z, rectangles(form, z, still)


@pytest.mark.parametrize("still", [0.0, STILL, 0.05])
@pytest.mark.parametrize("seed", range(3))
def test_the_field_points_inward(seed, still):
    """On all faces, for any change of z up to `still`, and for no neuron above its threshold."""
    form, z, (x1, x2, y1, y2) = found_in(*random_cells(2000, seed), still)
    there = x1 < x2
    assert 0.1 < np.mean(there) < 0.9
    assert np.all(y1[there] < y2[there])
    assert np.all(x2[there] < form.theta[there])
    tiny = 1e-9 * (1 + np.abs(np.array([x1, x2])).max(0) ** 2)
    rng = np.random.default_rng(seed)
    for share in [0.0, 1.0, *rng.uniform(0.0, 1.0, 50)]:
        x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
        for change in (-still, still, rng.uniform(-still, still)):
            for inward in (
                x1**2 + y + z + change,  # to the right, from the left face
                -(x2**2) - y - z - change,
                form.A * x + form.B * y1 + form.C,
                -form.A * x - form.B * y2 - form.C,
            ):
                assert np.all((inward >= -tiny)[there])


def test_a_stable_point_is_inside():
    form, z, (x1, x2, y1, y2) = found_in(*random_cells(2000, 3))
    there = x1 < x2
    root = np.sqrt(form.A**2 + 4 * form.B * (form.C - form.B * z), where=there, out=np.ones_like(z))
    stable = np.minimum((form.A + root) / (2 * form.B), (form.A - root) / (2 * form.B))
    y = -(stable**2) - z
    assert np.all(((x1 < stable) & (stable < x2) & (y1 < y) & (y < y2))[there])
    assert np.all((2 * stable + form.B < 0)[there])


@pytest.mark.parametrize(
    ("cell", "I"),
    [
        (dict(a=0.02, b=0.2), 5.0),  # beyond the saddle node
        (dict(a=0.02, b=0.25), 10.0),
        (dict(a=-0.02, b=-1.0), 0.0),  # u grows
        (dict(a=0.0, b=0.2), 0.0),  # u rests
        (dict(a=0.02, b=-0.2), -20.0),  # B and A of different signs
        (dict(a=0.1, b=0.2, V_th=-72.0), 0.0),  # at rest above the threshold
    ],
)
def test_where_there_is_none(cell, I):
    cells = {name: np.array([value, 0.02][: 1 + (name == "a")]) for name, value in cell.items()} | {
        "a": np.array([cell["a"]])
    }
    _, _, (x1, x2, y1, y2) = found_in(cells, np.array([I]))
    assert x1[0] > x2[0]
    assert y1[0] > y2[0]


def test_regular_cells_have_one():
    """The boxes of cells at rest are wide: most of their neighbourhood."""
    form, _, (x1, x2, y1, y2) = found_in(dict(a=np.array([0.02, 0.1]), b=np.array([0.2, 0.2])), np.zeros(2))
    V, u = [(x - form.half) / form.p for x in (x1, x2)], [(y - form.y0) / (form.p * form.gu) for y in (y2, y1)]
    assert np.all((V[0] < -72) & (V[1] > -64))
    assert np.all((u[0] < -14) & (u[1] > -14))


# --- through the API ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Population. a spike leaves neuron")
def test_whoever_is_inside_stays_silent():
    """Random starts in the rectangles, 10 s, also where they are looked at all the time."""
    cells, I = random_cells(600, 4)
    x1, x2, _, _ = found_in(cells, I)[2]
    cells, I = {name: values[x1 < x2] for name, values in cells.items()}, I[x1 < x2]
    form, _, (x1, x2, y1, y2) = found_in(cells, I)
    x, y = np.random.default_rng(4).uniform([x1, y1], [x2, y2])
    start = dict(V=(x - form.half) / form.p, u=(y - form.y0) / (form.p * form.gu))
    pop = iz.Population(len(I), scheme="exact", **start, **cells)
    assert len(pop.run(10_000.0, I).spikes) == 0
    x, y = form.x(pop.V), form.y(pop.u)
    assert np.all((x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2))
    watched = iz.Population(len(I), scheme="exact", **start, **cells)
    assert len(watched.run(300.0, iz.Sine(1e-9, 50.0) + I).spikes) == 0


def without_rectangles(form, z, still):
    return np.tile([[1.0], [-1.0]], (2, z.size))


def quiet_network(seed):
    """Cells near rest, most of them silent, with all receptors between them and a kick from outside now and then."""
    rng, n = np.random.default_rng(seed), 100
    net = iz.Network(scheme="exact", seed=1)
    pop = net.add(iz.Population(n, a=rng.uniform(0.02, 0.1, n), b=0.2, c=-65.0, d=6.0, V=-70.0, u=-14.0), name="cells")
    net.drive(pop, rng.uniform(-2.0, 3.9, n))
    for name, (receptor, _) in RECEPTORS.items():
        pre, post = np.divmod(rng.choice(n * n, 400, replace=False), n)
        strength = 0.02 if "conductance" in name else 2.0
        net.connect(pop, pop, (pre, post), weight=strength * rng.random(400), delay=rng.uniform(1.0, 9.0, 400),
                    receptor=receptor)  # fmt: skip
    net.drive(pop, iz.SpikeTrain(rng.integers(n, size=60), rng.uniform(0.0, 400.0, 60), weight=30.0))
    net.record(pop, "spikes", name="spikes")
    return net


def outcome(net):
    spikes, pop = net.recorders["spikes"], net.populations["cells"]
    return spikes.i.tolist(), spikes.t.tobytes(), pop.V.tobytes(), pop.u.tobytes(), pop.last_spike_time.tobytes()


@pytest.mark.parametrize("seed", range(3))
def test_skipping_changes_no_bit(monkeypatch, seed):
    """Cells in their rectangles while synaptic currents and conductances decay, and a current that is changed."""
    results = []
    for rule in (rectangles, without_rectangles):
        monkeypatch.setattr(exact_engine, "rectangles", rule)
        net = quiet_network(seed)
        net.run(333.3)
        net.drives[next(iter(net.drives))].value = 2.0
        net.run(166.7)
        results.append(outcome(net))
    assert results[0] == results[1]
    assert len(results[0][0]) > 60


@pytest.mark.parametrize("n", [1, 600])
def test_cells_at_rest_do_not_lag_behind(monkeypatch, n):
    """Or all that they have been spared would be done when V is shown, in one call that Ctrl-C must wait for."""
    lags, show = [], exact_network.ExactNetwork.publish_state

    def looked_at(clock):
        (engine,) = clock.engines
        if engine.laid is not None:
            lags.append(clock.now - engine.states[:, engine.simd_rows.T].min())
        return show(clock)

    monkeypatch.setattr(exact_network.ExactNetwork, "publish_state", looked_at)
    pop = iz.Population(n, scheme="exact", V=-70.0, u=-14.0)
    pop.run(1e5)
    assert np.all(pop._engine.extra(exact_engine.layout.X_LOW) < pop._engine.extra(exact_engine.layout.X_HIGH))
    assert len(lags) > 0
    assert max(lags) < 300.0


def test_a_current_that_wakes_cells_up():
    """Cells at rest in a rectangle, and then pulses, tables and waves that take it away."""
    inputs = [
        (iz.Pulses(200.0, 260.0, 12.0), [(0.0, 0.0, 0.0), (200.0, 12.0, 0.0), (260.0, 0.0, 0.0)]),
        (iz.TimedArray([0.0, 0.0, 9.0, 0.0], dt=90.0), [(0.0, 0.0, 0.0), (180.0, 9.0, 0.0), (270.0, 0.0, 0.0)]),
        (iz.Ramp(0.2, 150.0, 220.0), [(0.0, 0.0, 0.0), (150.0, 0.0, 0.2), (220.0, 0.0, 0.0)]),
    ]
    for I, segments in inputs:
        pop = iz.Population(1, scheme="exact", a=0.02, b=0.2, c=-65.0, d=8.0, V=-70.0, u=-14.0)
        cell = Cell(Quadratic(a=0.02, b=0.2, c=-65.0, d=8.0), -70.0, -14.0, segments)
        pieces = [pop.run(T, I).spikes for T in (160.0, 170.0)]
        t = np.concatenate([spikes.t for spikes in pieces])
        expected = ExactNetwork([cell]).run(330.0).spikes
        assert_same_spikes((np.zeros(len(t), int), t), expected, atol=1e-8)
        assert len(t) > 1


# --- neurons that cannot spike for a while ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        (dict(a=0.02, b=0.2, c=-65.0, d=8.0), ["delta", "exponential", "alpha"]),
        (dict(a=0.1, b=0.26, c=-60.0, d=2.0, V_th=0.0), ["delta", "conductance"]),
        (dict(a=0.09, b=8.0, c=-65.0, d=1.0, V=-68.0, u=-60.0), ["delta", "dual conductance"]),  # u moves fast
    ],
)
def test_no_spike_is_lost_where_slices_are_short(cell, names):
    """With a delay of 0.05 ms neurons are put off for many slices after each event."""
    rng, cells = np.random.default_rng(5), resting(4)
    cells |= {"V_th": np.full(4, 30.0)} | {name: np.full(4, value) for name, value in cell.items()}
    cells["I"] = rng.uniform(0.0, 10.0, 4)
    strength = {"delta": 8.0, "exponential": 5.0, "alpha": 5.0, "dual": 5.0}
    wires = [
        (name, *np.divmod(rng.choice(16, 6, replace=False), 4), strength.get(name, 0.1) * rng.uniform(0.1, 1.0, 6),
         np.r_[0.05, rng.uniform(0.05, 4.0, 5)])
        for name in names
    ]  # fmt: skip
    events = [
        (float(t), int(i), "delta", float(w))
        for t, i, w in zip(
            rng.uniform(0.0, 25.0, 50), rng.integers(4, size=50), rng.uniform(-40.0, 25.0, 50), strict=True
        )
    ]
    net, twin = both(cells, wires, events)
    assert agree(net, twin, 25.0, atol=1e-7) > 6
