"""Inputs through receptors: conductances, currents and V jumps that are given in the course of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from going_on import assert_goes_on_after_loading
from normals import normals
from oracle import Blocked, Oracle, Quadratic

import izhnumba as iz
from izhnumba._base.random import stream_key

DT, N, STEPS = 0.1, 5, 1500
TABLE = np.abs(np.sin(0.05 * np.arange(STEPS)))[:, None] * np.linspace(0.05, 0.3, N)
POINT = iz.OrnsteinUhlenbeck(0.1, 0.12, 10.0)  # below 0 a fifth of the time
SYNAPSE = iz.Exponential(5.0, E=0.0)


def network(threads=1, scheme="exp_euler", dtype="float64", dt=DT, n=N):
    net = iz.Network(dt=dt, seed=1, scheme=scheme, threads=threads)
    cells = net.add(iz.Population(n, V=-70.0, u=-14.0, dtype=dtype), name="cells")
    net.record(cells, name="spikes")
    return net, cells


# --- what they do -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "dtype"), [("exp_euler", "float32"), ("exp_euler", "float64"), ("euler", "float64")]
)
def test_a_conductance_is_that_of_run_to_the_last_bit(scheme, dtype):
    net, cells = network(scheme=scheme, dtype=dtype)
    net.drive(cells, iz.TimedArray(TABLE, DT), receptor=SYNAPSE)
    net.run(150.0)
    alone = iz.Population(N, V=-70.0, u=-14.0, scheme=scheme, dtype=dtype, dt=DT)
    found = alone.run(150.0, 0.0, g=TABLE, E=0.0).spikes
    assert len(found) > 10
    assert net.recorders["spikes"].i.tolist() == found.i.tolist()
    assert net.recorders["spikes"].step.tolist() == found.step.tolist()
    assert cells.V.tobytes() == alone.V.tobytes()


def test_every_kind_beside_spikes_against_the_slow_loop():
    """A conductance, one behind the block, a mixture, a current, V jumps, in some neurons each, and a spike through
    the receptor whose conductance is given besides."""
    net, cells = network()
    mixture = 0.5 * SYNAPSE + 0.25 * iz.NMDA()
    few, order = np.array([3, 0, 4]), np.array([0.3, 0.1, 0.2])
    net.drive(cells, iz.TimedArray(0.1 * TABLE, DT), receptor=SYNAPSE)
    net.drive(cells[few], order, receptor=iz.NMDA(E=5.0))
    net.drive(cells[1:4], 0.2, receptor=mixture)
    net.drive(cells, iz.Pulses(20.0, 90.0, 6.0), receptor=iz.Alpha(3.0))
    net.drive(cells[few], iz.Sine(0.2, 40.0), receptor=iz.Delta())
    net.drive(cells, iz.SpikeTrain([2, 2], [10.0, 50.0], weight=0.4, receptor=SYNAPSE))
    net.run(150.0)
    slow, spikes = Oracle(N, Quadratic(), "exp_euler", DT, -70.0, -14.0), []
    blocked, mixed, arrived = np.zeros(N), np.zeros(N), np.zeros(N)
    blocked[few], mixed[1:4] = order, 0.2
    for k in range(STEPS):
        jump = np.zeros(N)
        jump[few] = 0.2 * np.sin(2e-3 * np.pi * 40.0 * k * DT)
        g = [0.1 * TABLE[k], Blocked(blocked, 1.0), 0.5 * mixed, Blocked(0.25 * mixed, 1.0), arrived.copy()]
        fired = slow.step(6.0 * (200 <= k < 900), jump, g, [0.0, 5.0, 0.0, 0.0, 0.0])
        spikes += [(k, int(i)) for i in np.flatnonzero(fired)]
        arrived *= np.exp(-DT / 5.0)
        arrived[2] += 0.4 * (k in (100, 500))
    rec = net.recorders["spikes"]
    assert list(zip(rec.step.tolist(), rec.i.tolist(), strict=True)) == spikes
    assert len(spikes) > 15
    np.testing.assert_allclose(cells.V, slow.V, rtol=0, atol=1e-8)


def test_point_conductances_of_destexhe():
    """The fluctuating conductances of A. Destexhe and others (2001) in a plain loop of the published equations: two
    processes around their means, of which what is below 0 counts as 0, with the numbers of these two drives."""
    net, cells = network(scheme="euler")
    exc, inh = iz.OrnsteinUhlenbeck(0.15, 0.08, 2.7), iz.OrnsteinUhlenbeck(0.3, 0.2, 10.5)
    for name, process, E in (("exc", exc, 0.0), ("inh", inh, -75.0)):
        net.drive(cells, process.clip(0.0), receptor=iz.Exponential(1.0, E=E), name=name)
    net.run(STEPS * DT)
    V, u, spikes, clipped = np.full(N, -70.0), np.full(N, -14.0), [], 0
    drawn = [normals(0, STEPS, N, *stream_key(1, "cells", "input", k)).astype(float) for k in (0, 1)]
    x = [process.mean + process.std * z[0] for process, z in zip((exc, inh), drawn, strict=True)]
    for k in range(STEPS):
        g = [np.maximum(values, 0.0) for values in x]
        clipped += sum(int((values < 0).sum()) for values in x)
        dV = 0.04 * V**2 + 5 * V + 140 - u + g[0] * (0.0 - V) + g[1] * (-75.0 - V)
        V, u = V + DT * dV, u + DT * 0.02 * (0.2 * V - u)
        spikes += [(k, int(i)) for i in np.flatnonzero(V >= 30)]
        V, u = np.where(V >= 30, -65.0, V), np.where(V >= 30, u + 8, u)
        for j, process in enumerate((exc, inh)):
            keep = np.exp(-DT / process.tau)
            noise = np.sqrt(1 - keep**2) * process.std * drawn[j][min(k + 1, STEPS - 1)]
            x[j] = process.mean + (x[j] - process.mean) * keep + noise
    rec = net.recorders["spikes"]
    assert list(zip(rec.step.tolist(), rec.i.tolist(), strict=True)) == spikes
    assert len(spikes) > 8
    assert clipped > 100
    np.testing.assert_allclose(cells.V, V, rtol=0, atol=1e-3)


def test_in_pA_conductances_are_in_nS():
    class Siemens:  # read like a pint quantity
        def m_as(self, unit):
            return {"nS": 4.0}[unit]

    net = iz.Network(dt=DT, seed=1)
    cells = net.add(iz.Population(2, **iz.presets["2007/RS"]), name="cells")
    drive = net.drive(cells, Siemens(), receptor=SYNAPSE)
    rec = net.record(drive, "current")
    net.run(DT)
    assert drive.value == 4.0
    np.testing.assert_allclose(rec.current, 4.0 * (0.0 - iz.presets["2007/RS"]["V"]), rtol=1e-12)
    with pytest.raises(ValueError, match="Noise must be in nS for this model and use, got pA"):
        net.drive(cells, iz.Noise(Picoampere()).clip(0.0), receptor=SYNAPSE)
    with pytest.warns(UserWarning, match="Network.drive.input is 4e-09 nS, which looks like 4e-09 S"):
        net.drive(cells, 4e-9, receptor=SYNAPSE)


class Picoampere:
    """Read like a pint quantity."""

    def m_as(self, unit):
        return {"pA": 1.0}[unit]


@pytest.mark.parametrize(
    "key", [slice(None, None, 2), slice(4, 1, -1), slice(1, 4), [2, 0, 4], np.array([1, 0, 1, 1, 0], bool)], ids=str
)
@pytest.mark.parametrize(
    "value",
    [
        0.2,
        np.array([0.1, 0.2, 0.3]),
        iz.Pulses(1.0, 9.0, 0.2),
        iz.TimedArray(np.asfortranarray([[0.1, 0.2, 0.3], [0.3, 0.1, 0.2]]), 4.0),
    ],
    ids=lambda one: type(one).__name__,
)
def test_chosen_neurons_however_they_are_named(key, value):
    """Beside a drive of all with what each of them gets."""
    net, cells = network()
    net.drive(cells[key], value, receptor=SYNAPSE)
    net.run(12.0)
    t, places = np.arange(120) * DT, np.arange(N)[key]
    g = np.zeros((120, N))
    found = value.at(t) if isinstance(value, iz.Input) else np.broadcast_to(value, (120, 3))
    g[:, places] = found if found.ndim == 2 else found[:, None]
    alone = iz.Population(N, V=-70.0, u=-14.0, dt=DT)
    alone.run(12.0, 0.0, g=g, E=0.0)
    assert cells.V.tobytes() == alone.V.tobytes()
    assert len(set(cells.V.tolist())) > 1


@pytest.mark.parametrize(("receptor", "plain"), [(iz.Saturating(5.0, E=0.0), SYNAPSE), (iz.WangNMDA(), iz.NMDA())])
def test_receptors_that_saturate_give_their_conductance(receptor, plain):
    """What is given is g itself, to whatever kinetics it belongs."""
    found = []
    for one in (receptor, plain):
        net, cells = network()
        net.drive(cells, iz.TimedArray(TABLE, DT), receptor=one)
        net.run(50.0)
        found.append(cells.V.tobytes())
    assert found[0] == found[1]


@dataclass(frozen=True)
class Rectified(iz.Receptor):
    """A current of one's own that flows below -40 mV alone."""

    tau: float = 5.0

    def rates(self):
        return iz.Rates(1, -1 / self.tau)

    @staticmethod
    def block(V):
        return 0.02 * (-40.0 - V) if V < -40.0 else 0.0


def test_a_current_of_ones_own_with_its_course_over_V():
    net, cells = network(scheme="euler")
    net.drive(cells, iz.TimedArray(60.0 * TABLE, DT), receptor=Rectified())
    net.run(STEPS * DT)
    V, u, spikes = np.full(N, -70.0), np.full(N, -14.0), []
    for k in range(STEPS):
        flows = 60.0 * TABLE[k] * np.where(V < -40.0, 0.02 * (-40.0 - V), 0.0)
        V, u = V + DT * (0.04 * V**2 + 5 * V + 140 - u + flows), u + DT * 0.02 * (0.2 * V - u)
        spikes += [(k, int(i)) for i in np.flatnonzero(V >= 30)]
        V, u = np.where(V >= 30, -65.0, V), np.where(V >= 30, u + 8, u)
    rec = net.recorders["spikes"]
    assert list(zip(rec.step.tolist(), rec.i.tolist(), strict=True)) == spikes
    assert len(spikes) > 3


def test_several_populations_are_driven_by_place():
    net, cells = network()
    more = net.add(iz.Population(3, V=-70.0, u=-14.0), name="more")
    g = np.linspace(0.05, 0.3, N + 3)
    drive = net.drive(cells + more, g, receptor=SYNAPSE)
    net.run(50.0)
    alone = iz.Population(N + 3, V=-70.0, u=-14.0, dt=DT)
    alone.run(50.0, 0.0, g=g, E=0.0)
    assert np.concatenate([cells.V, more.V]).tobytes() == alone.V.tobytes()
    assert [one.receptor for one in drive.parts] == [SYNAPSE] * 2


def test_a_recorded_drive_keeps_its_receptor():
    net, cells = network()
    drive = net.drive(cells, iz.Poisson(300.0, 0.1, SYNAPSE))
    rec = net.record(drive)
    for value in (iz.Poisson(300.0, 0.1, iz.Alpha(3.0)), 0.1):
        with pytest.raises(ValueError, match="Drive.value must act through Exponential.*, whose current is recorded"):
            drive.value = value
    drive.value = iz.Poisson(500.0, 0.1, SYNAPSE)
    net.run(20.0)
    assert rec.current.any()
    net.remove(rec)
    drive.value = 0.1


# --- runs, files, loops -----------------------------------------------------------------------------------------------


def rich(threads=1, n=N):
    net, cells = network(threads, dt=0.5, n=n)
    few = np.random.default_rng(1).permutation(n)[: n // 2]
    net.drive(cells, POINT.clip(0.0), receptor=SYNAPSE, name="point")
    net.drive(cells[few], POINT.clip(0.0) * iz.Pulses(5.0, 60.0, 1.0), receptor=iz.NMDA(), name="few")
    net.drive(cells, iz.Noise(0.5), receptor=iz.Delta(), name="jumps")
    net.drive(cells, np.full(n, 0.02), receptor=iz.GABA_A(), name="light")
    net.drive(cells, iz.Poisson(100.0, weight=0.1, receptor=SYNAPSE), name="poisson")
    net.connect(cells, cells, iz.FixedOutDegree(2), weight=0.05, delay=iz.Uniform(1.5, 9.0), receptor=SYNAPSE)
    net.record(net.drives["few"], every=1.5, name="current")
    return net


def same(one, other):
    for pop in ("V", "u"):
        assert getattr(one.populations["cells"], pop).tobytes() == getattr(other.populations["cells"], pop).tobytes()
    for name, states in (("spikes", "it"), ("current", ("t", "current"))):
        for state in states:
            found, expected = (getattr(net.recorders[name], state) for net in (one, other))
            np.testing.assert_array_equal(found, expected, err_msg=name)
    assert len(one.recorders["spikes"]) > 10


def test_runs_split_stepped_reset_and_loaded_are_one(tmp_path):
    whole, parts = rich(), rich(2)
    whole.run(80.0)
    for length in (0.5, 13.0, 7.5):
        parts.run(length)
    for _ in range(20):
        parts.step()
    parts.save(tmp_path / "net.npz")
    parts.run(3.0)
    parts = iz.load(tmp_path / "net.npz")
    assert repr(parts.drives) == repr(whole.drives)
    assert parts.drives["few"].receptor == iz.NMDA()
    parts.run(80.0 - parts.t)
    same(parts, whole)
    for net in (parts, whole):
        net.reset()
        net.run(40.0)
    same(parts, whole)
    assert_goes_on_after_loading(rich, 60.0, 21.5, tmp_path)


def test_threads_and_blocks_make_no_difference():
    one, two = rich(1, n=5000), rich(2, n=5000)
    for net in (one, two):
        net.run(20.0)
    same(one, two)


def test_values_set_and_written_in_a_closed_loop():
    """Beside a population that is stepped with its conductances."""
    net, cells = network()
    light, level = np.zeros(N), net.drive(cells, 0.0, receptor=SYNAPSE)
    live = net.drive(cells, light, receptor=iz.Exponential(5.0, E=-80.0))
    alone = iz.Population(N, V=-70.0, u=-14.0, dt=DT)
    for k in range(600):
        level.value = [0.3, np.linspace(0.1, 0.5, N), iz.TimedArray([0.2], 1.0)][k // 7 % 3]
        live.value[k % N] = 0.01 * (k % 30)
        net.step()
        g = [np.asarray(level.value.values[0] if k // 7 % 3 == 2 else level.value) + np.zeros(N), live.value]
        alone.step(0.0, g=g, E=[0.0, -80.0])
        np.testing.assert_allclose(cells.V, alone.V, rtol=0, atol=1e-9)
    assert len(net.recorders["spikes"]) > 10


def test_what_is_removed_acts_no_more():
    net, cells = network()
    drive = net.drive(cells, iz.TimedArray(TABLE, DT), receptor=SYNAPSE)
    recorder = net.record(drive)
    net.run(30.0)
    before = cells.V.copy(), cells.u.copy()
    with pytest.raises(
        ValueError, match="part must not be recorded, got <drive of cells through Exp.* records current"
    ):
        net.remove(drive)
    net.remove(recorder)
    net.remove(drive)
    net.run(20.0)
    alone = iz.Population(N, V=before[0], u=before[1], dt=DT)
    alone.run(20.0, 0.0)
    np.testing.assert_allclose(cells.V, alone.V, rtol=1e-12)
    assert cells._engine.arrivals.receptors == []


# --- the scheme exact -------------------------------------------------------------------------------------------------

STEPWISE = iz.TimedArray([0.1, 0.4, 0.0, 0.3], 20.0, hold=False)


def exact(threads=1):
    net = iz.Network(scheme="exact", seed=1, threads=threads)
    cells = net.add(iz.Population(N, V=-70.0, u=-14.0), name="cells")
    net.record(cells, name="spikes")
    net.drive(cells, STEPWISE, receptor=SYNAPSE, name="g")
    net.drive(cells[[3, 1]], np.array([0.02, 0.05]), receptor=iz.GABA_A(), name="inh")
    net.drive(cells, 2.0 * iz.Sine(1.0, 30.0), receptor=iz.Exponential(3.0), name="current")
    return net


def test_exact_conductances_are_those_of_run():
    net = exact()
    rec = net.record(net.drives["g"], every=0.7)
    V = net.record(net.populations["cells"], "V", every=0.7)
    net.run(100.0)
    alone = iz.Population(N, V=-70.0, u=-14.0, scheme="exact")
    inhibition = np.array([0.0, 0.05, 0.0, 0.02, 0.0])
    found = alone.run(100.0, 2.0 * iz.Sine(1.0, 30.0), g=[STEPWISE, inhibition], E=[0.0, -70.0]).spikes
    assert len(found) > 15
    assert net.recorders["spikes"].i.tolist() == found.i.tolist()
    np.testing.assert_allclose(net.recorders["spikes"].t, found.t, rtol=0, atol=1e-9)
    g = STEPWISE.at(np.arange(1, len(V.t) + 1) * 0.7 - 1e-4)[:, None]
    np.testing.assert_allclose(rec.current, g * (0.0 - V.V), atol=1e-9)


def test_exact_drives_go_on_after_loading(tmp_path):
    assert_goes_on_after_loading(exact, 100.0, 33.3, tmp_path)


def test_a_recorded_current_is_the_one_that_flowed():
    net, cells = network()
    order = np.array([3, 0, 4])
    drive = net.drive(cells[order], 0.2, receptor=iz.NMDA())
    rec, V = net.record(drive, "current"), net.record(cells, "V")
    assert (rec.name, rec.source) == ("cells[3, 0, 4] current", drive)
    net.run(50.0)
    before = np.vstack([np.full(N, -70.0), V.V[:-1]])[:, order]
    flowed = 0.2 / (1 + np.exp(-0.062 * before) / 3.57) * (0.0 - before)
    below = before < 30  # else it is reset first
    np.testing.assert_allclose(rec.current[below], flowed[below], rtol=1e-9)
    assert rec.neurons.tolist() == order.tolist()
