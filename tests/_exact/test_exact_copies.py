"""Populations of the exact scheme that join a network, are copied, reset or set to something else."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from exact_cells import different, population

import izhnumba as iz

REST = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-70.0, u=-14.0)


def cell(n=1, **options):
    return iz.Population(n, scheme="exact", **REST | options)


def state(pop):
    return pop.V.tobytes(), pop.u.tobytes(), pop.last_spike_time.tobytes(), pop.t


def test_joining_an_exact_network_keeps_live_arrays():
    pop = iz.Population((2, 2), **REST)
    V, u, spikes = pop.V, pop.u, pop.spikes
    net = iz.Network(scheme="exact", seed=1)
    net.add(pop)
    assert pop.scheme.name == "exact"
    assert all(one is other for one, other in ((pop.V, V), (pop.u, u), (pop.spikes, spikes)))
    V[0, 1] = 35.0
    net.run(1.0)
    assert pop.last_spike_time.tolist() == [[-np.inf, 0.0], [-np.inf, -np.inf]]
    assert V[0, 1] < -60.0
    assert u[0, 1] == pytest.approx(-6.0, abs=0.2)
    net.reset()
    assert np.all(V == -70.0)


@pytest.mark.parametrize("change", [{}, dict(a=0.1, k0=145.0), dict(V=-60.0), dict(tau_ref=3.0, V_th=20.0)])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda pop: pickle.loads(pickle.dumps(pop))])
def test_copies_go_on_as_the_original(change, copied):
    """Also those made after something was set and before it was taken up."""
    cells = different(9, seed=4)
    pop = population(cells)
    pop.run(20.3, iz.Sine(8.0, 30.0, offset=8.0), delta=iz.SpikeTrain([1], [30.0], 5.0))
    for name, value in change.items():
        setattr(pop, name, value)
    twin = copied(pop)
    assert twin.V.tobytes() == pop.V.tobytes()
    one, other = (each.run(60.0, iz.Sine(8.0, 30.0, offset=8.0)).spikes for each in (pop, twin))
    assert (one.i.tolist(), one.t.tobytes()) == (other.i.tolist(), other.t.tobytes())
    assert state(pop) == state(twin)
    assert len(one) > 9


def test_checkpoints_know_what_was_set(tmp_path):
    net = iz.Network(scheme="exact", seed=1)
    pop = net.add(iz.Population(2, a=0.5, b=0.2, c=-70.0, d=0.0, V=-70.0, u=-14.0))
    net.drive(pop, 12.0)
    spikes = net.record(pop, name="spikes")
    net.run(10.3)
    pop.a, pop.k0, pop.V[1] = 0.1, 145.0, -60.0
    net.save(tmp_path / "net.npz")
    loaded = iz.load(tmp_path / "net.npz")
    for each in (net, loaded):
        each.run(50.0)
    assert loaded.recorders["spikes"].t.tobytes() == spikes.t.tobytes()
    assert len(spikes) > 6


@pytest.mark.parametrize(("reset", "V"), [("hard", -80.0), ("soft", 5.0), ("overshoot", -75.0)])
def test_other_resets(reset, V):
    """A jump takes V from -70 to 35 mV, 5 above the threshold."""
    pop = cell(reset=reset, c=-80.0)
    assert pop.step(0.0, delta=105.0, dt=1.0).all()
    assert (pop.V[0], pop.u[0]) == pytest.approx((V, -6.0), abs=1e-9)
    pop.run(0.5)
    assert np.isfinite(pop.V[0])


@pytest.mark.parametrize(("reset", "c", "V"), [("soft", -65.0, 0.0), ("overshoot", -50.0, -50.0)])
def test_resets_from_the_threshold_itself(reset, c, V):
    """Where V comes to the threshold by itself nothing is above it: V - V_th is 0, and an overshoot c."""
    pop, plain = cell(reset=reset, c=c, V=-40.0), cell(c=V, V=-40.0)
    one, other = pop.run(3.0).spikes, plain.run(3.0).spikes
    np.testing.assert_allclose(one.t, other.t, rtol=0, atol=1e-9)
    assert len(one) > 0


def test_soft_resets_repeat_what_is_still_above():
    pop = cell(reset="soft")
    t = pop.run(1.05, delta=iz.SpikeTrain([0], [1.0], 150.0)).spikes.t
    assert t[:2].tolist() == [1.0, 1.0]
    assert t[2] > 1.0


@pytest.mark.parametrize(("V_th", "V", "u"), [(30.0, 35.0, -14.0), (30.0, 30.0, -14.0), (-50.0, -45.0, 150.0)])
def test_V_set_above_the_threshold_spikes_at_once(V_th, V, u):
    pop = cell(2, V_th=V_th)
    pop.run(10.3)
    pop.V[1], pop.u[1] = V, u
    spikes = pop.run(0.5).spikes
    assert (spikes.i.tolist(), spikes.t.tolist()) == ([1], [10.3])


@pytest.mark.parametrize(("name", "value"), [("V", np.nan), ("u", np.nan), ("u", -np.inf), ("V", np.inf)])
def test_numbers_that_are_none_are_told(name, value):
    pop = cell(3)
    pop.run(2.5)
    getattr(pop, name)[1] = value
    with pytest.raises(RuntimeError, match=r"neuron 1 runs away at t = 2.5"):
        pop.run(10.0)
    pop.reset()
    assert len(pop.run(10.0).spikes) == 0
    assert pop.t == 10.0


def test_the_population_that_fails_is_told_until_the_reset():
    net = iz.Network(scheme="exact", seed=1)
    first, second = (net.add(iz.Population(2, **REST), name=name) for name in ("first", "second"))
    net.run(1.0)
    second.V[1] = np.nan
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"second: neuron 1 runs away at t = 1 ms"):
            net.run(10.0)
        second.V[1] = -70.0  # the others are in the midst of something
    assert net.t == 1.0
    net.reset()
    net.run(10.0)
    assert net.t == 10.0
    assert np.allclose([first.V, second.V], -70.0)


def test_a_run_after_a_failure_does_not_go_on():
    pop = cell(3)
    pop.V[1] = np.nan
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"neuron 1 runs away at t = 0 ms"):
            pop.run(5.0)
        with pytest.raises(RuntimeError, match=r"neuron 1 runs away at t = 0 ms"):
            pop.step(0.0)
        pop.V[1] = -70.0
    assert pop.t == 0.0


@pytest.mark.parametrize("receptor", [iz.AMPA(), iz.Delta()])
def test_receptors_connected_since_the_last_run_survive_a_checkpoint(receptor, tmp_path):
    def network():
        net = iz.Network(scheme="exact", seed=1)
        cells = net.add(iz.Population(4, **iz.presets["RS"]), name="cells")
        net.drive(cells, 12.0)
        net.connect(cells, cells, iz.AllToAll(), weight=0.02, delay=2.0, receptor=iz.GABA_A())
        net.run(5.0)
        net.connect(cells, cells, iz.AllToAll(), weight=0.02, delay=2.0, receptor=receptor)
        net.drive(cells, iz.Poisson(rate=50.0, weight=0.1, receptor=iz.Exponential(3.0)))
        return net

    net = network()
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for one in (net, again):
        one.run(40.0)
    np.testing.assert_array_equal(again.populations["cells"].V, net.populations["cells"].V)
