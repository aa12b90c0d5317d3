"""Neurons that need not be looked at for a while, and what the skipping of them must not change."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from exact_cells import RECEPTORS, agree, assert_same_spikes, both, resting
from exact_oracle import Cell, ExactNetwork
from numba import njit, types
from oracle import Quadratic

import izhnumba as iz
from izhnumba._exact import network as exact_network
from izhnumba._exact.kernels.neuron import LONGEST_REST, LONGEST_RISE, settling
from izhnumba._exact.kernels.simd_rows import LANES, ReceptorKind, SimdRows
from izhnumba._model.normal_form import normal_form


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


def rests_of(cells, I, x, y, z=0.0, reach=0.0):
    """How long the bound of `settle` lets neurons in the states x and y rest, ms, and their normal form and input."""
    default = {name: quantity.default for name, quantity in iz.Izhikevich.parameters.items()}
    p = iz.Izhikevich.named_tuple()(**{name: np.asarray(value) for name, value in (default | cells).items()})
    form = normal_form(iz.Izhikevich, p)
    R, n = SimdRows((ReceptorKind(1, False),)), len(I)
    current = form.p * form.gI * I
    values = {R.X: x, R.Y: y, R.Z: z, R.I: current, R.A: form.A, R.B: form.B, R.C: form.C, R.THETA: form.theta,
              R.KAPPA: form.kappa, R.REACH: reach, R.REFRACTORY_UNTIL: -np.inf}  # fmt: skip
    rows, found = np.zeros((R.size, LANES)), np.empty(n)
    for first in range(0, n, LANES):
        for row, value in values.items():
            rows[row] = np.resize(np.broadcast_to(value, n)[first : first + LANES], LANES)
        settle_compiled()(rows.ctypes.data, 0.0)
        found[first : first + LANES] = rows[R.VISIT, : n - first]
    return found, form, current


@functools.cache
def settle_compiled():
    settle = settling((ReceptorKind(1, False),))
    return njit(types.int64(types.int64, types.float64), error_model="numpy")(lambda simd, end: settle(simd, end))


@pytest.mark.parametrize("seed", range(3))
def test_who_may_rest_does_not_spike(seed):
    """Cells of all kinds, in states of all kinds, with the worst input that the bound allows: against many short
    steps of RK4."""
    rng, n, dt = np.random.default_rng(seed), 2000, 0.02
    cells, I = random_cells(n, seed)
    x, y = rng.uniform(-1.5, 0.8, n), rng.uniform(-1.0, 0.3, n)
    z, reach = rng.uniform(0.0, 0.05, (2, n)) * [[1.0], [2.0]]
    rests, form, current = rests_of(cells, I, x, y, z, reach)
    assert np.mean(rests > 0.0) > 0.3
    assert np.mean(rests == LONGEST_REST) > 0.1
    current = current + z * reach

    def slopes(x, y):
        return x * x + y + current, form.A * x + form.B * y + form.C

    for step in range(1, int(60.0 / dt)):
        with np.errstate(all="ignore"):
            k1 = slopes(x, y)
            k2 = slopes(x + 0.5 * dt * k1[0], y + 0.5 * dt * k1[1])
            k3 = slopes(x + 0.5 * dt * k2[0], y + 0.5 * dt * k2[1])
            k4 = slopes(x + dt * k3[0], y + dt * k3[1])
            x, y = (v + dt / 6 * (a + 2 * b + 2 * c + d) for v, a, b, c, d in zip((x, y), k1, k2, k3, k4, strict=True))
        resting = rests > step * dt + 1e-6
        assert np.all(x[resting] < form.theta[resting])


@pytest.mark.parametrize(
    ("cell", "I", "rest"),
    [
        (dict(a=0.02, b=0.2), 0.0, LONGEST_REST),
        (dict(a=0.1, b=0.2), 0.0, LONGEST_REST),
        (dict(a=0.02, b=0.2), 5.0, LONGEST_RISE),  # beyond the saddle node
        (dict(a=-0.02, b=-1.0), 0.0, LONGEST_RISE),  # u grows
        (dict(a=0.0, b=0.2), 0.0, LONGEST_RISE),  # u rests
        (dict(a=0.02, b=-0.2), 0.0, LONGEST_RISE),  # B and A of different signs
        (dict(a=0.1, b=0.2, V_th=-72.0), 0.0, 0.0),  # at rest above the threshold
    ],
)
def test_how_long_cells_near_rest_may_rest(cell, I, rest):
    """Regular cells within a few mV of rest, as long as can be; in no time those above the threshold."""
    cells = {name: np.full(4, value) for name, value in cell.items()}
    V, u = np.array([-70.0, -72.0, -67.0, -70.0]), np.array([-14.0, -14.0, -14.0, -13.8])
    found, _, _ = rests_of(cells, np.full(4, I), 0.04 * V + 2.5, -0.04 * u + 0.04 * 140.0 - 25.0 / 4)
    assert np.all(found == rest if rest == LONGEST_REST else found <= rest)


# --- through the API ------------------------------------------------------------------------------------------------


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
def test_skipping_changes_no_bit(seed):
    """Cells at rest while synaptic currents and conductances decay, and a current that is changed; or looked at in
    each ms."""
    results = []
    for pieces in (1, 333):
        net = quiet_network(seed)
        pop = net.populations["cells"]
        for _ in range(pieces):
            net.run(333.0 / pieces)
            pop._engine.next[:] = 0.0
        net.drives[next(iter(net.drives))].value = 2.0
        net.run(167.0)
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
    assert len(lags) > 0
    assert 0.0 < max(lags) < LONGEST_REST + 100.0


def test_a_current_that_wakes_cells_up():
    """Cells at rest, and then pulses, tables and waves that wake them."""
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
