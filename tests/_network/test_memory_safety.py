"""What kernels reach by address lives, fits and belongs to them, whatever users take away, write themselves or mean."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._clock import network as clock_network
from izhnumba._clock.kernels import layout
from izhnumba._engine.table import Table
from izhnumba._synapse.csr import MOST_CELLS

SCHEMES = ["exp_euler", "exact"]


# --- tables own arrays ------------------------------------------------------------------------------------------------


def test_a_table_owns_the_array_that_it_points_at():
    table = Table(4)
    address = table.put(1, np.arange(5)).ctypes.data
    garbage = [np.full(5, -1) for _ in range(20)]
    assert table[1] == address
    np.testing.assert_array_equal(table.array(1), np.arange(5))
    table.put(1, garbage[3], also={0: 5, 3: 7})
    assert (table[0], table[3], table.array(1)[0]) == (5, 7, -1)
    inner = Table(2)
    inner.put(0, np.arange(3.0))
    table.put_table(2, inner)
    address = inner.address
    del inner
    gc.collect()
    assert table[2] == address
    assert table.array(2)[0] != 0


def test_the_array_before_lives_until_its_address_is_gone(monkeypatch):
    """An interrupt between any two lines of `put` leaves the address of an array that is owned."""
    from interrupts import interrupted, moments, passed

    for at in moments(passed(lambda: Table(2).put(0, np.zeros(3)))):
        table = Table(2)
        table.put(0, np.arange(3))
        interrupted(lambda table=table: table.put(0, np.arange(7)), at)
        assert table.array(0).ctypes.data == table[0]
        assert table.array(0).size in (3, 7)


# --- taking away ------------------------------------------------------------------------------------------------------


def firing(scheme, **options):
    net = iz.Network(dt=0.5, seed=1, scheme=scheme)
    source = net.add(iz.Population(3, **iz.presets["RS"]), name="source")
    cells = net.add(iz.Population(70, **iz.presets["RS"]), name="cells")
    net.drive(source, 12.0)
    return net, source, cells


@pytest.mark.parametrize("scheme", SCHEMES)
def test_public_parts_are_read_only(scheme):
    net, source, cells = firing(scheme)
    syn = net.connect(source, cells, iz.AllToAll(), name="syn")
    net.record(cells, name="rec")
    for parts in (net.populations, net.synapses, net.drives, net.recorders):
        with pytest.raises(TypeError):
            del parts[next(iter(parts))]
        with pytest.raises(TypeError):
            parts["x"] = 1
    with pytest.raises(AttributeError, match="Network.synapses cannot be changed"):
        net.synapses = {}
    assert net.synapses["syn"] is syn


@pytest.mark.parametrize("plastic", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_synapses_that_are_removed_send_nothing_more(scheme, plastic):
    """Spikes that are under way arrive, with the weights of now; nobody reads what has been freed."""

    def network(stay):
        net, source, cells = firing(scheme)
        rule = iz.STDP(A_plus=0.1, w_max=60.0) if plastic else None
        net.connect(source, cells, iz.AllToAll(), weight=40.0, delay=6.0, plasticity=rule, name="first")
        other = iz.STDP(A_plus=0.1, w_max=60.0)
        net.connect(source, cells, iz.FixedInDegree(2), weight=1.0, delay=iz.Uniform(3.0, 7.0), plasticity=other)
        spikes = net.record(cells)
        net.run(4.5)  # the sources have spiked once
        if not stay:
            net.remove(net.synapses["first"])
            gc.collect()
            garbage = [np.full(210, 1e3) for _ in range(100)]  # where the weights were
            assert garbage
        net.run(60.0)
        return net, spikes

    (_, all_spikes), (net, spikes) = network(True), network(False)
    first = all_spikes.t < 12.0
    assert 0 < first.sum() < len(all_spikes)
    np.testing.assert_array_equal(spikes.i, all_spikes.i[first])
    np.testing.assert_array_equal(spikes.t, all_spikes.t[first])
    assert len(net.synapses) == 1
    assert next(iter(net.synapses.values())).weight.max() < 2.0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_network_without_them_is_as_one_that_never_had_them(scheme, tmp_path):
    """Before they have sent anything: also the random numbers of later drives, and what a checkpoint holds."""

    def network(more):
        net, source, cells = firing(scheme)
        if more:
            syn = net.connect(source, cells, iz.AllToAll(), weight=50.0, receptor=iz.AMPA(), plasticity=iz.STDP())
            net.run(0.0)
            drive = net.drive(cells, iz.Poisson(rate=900.0, weight=9.0))
            recorder = net.record(syn)
            with pytest.raises(ValueError, match="Network.remove.part must not be recorded, got .* Remove that first"):
                net.remove(syn)
            for part in (recorder, syn, drive):
                net.remove(part)
        net.connect(source, cells, iz.FixedInDegree(2), weight=2.0, delay=iz.Uniform(1.0, 5.0), plasticity=iz.STDP())
        net.drive(cells, iz.Poisson(rate=200.0, weight=9.0))
        return net, net.record(cells)

    (net, spikes), (twin, expected) = network(True), network(False)
    for one in (net, twin):
        one.run(50.0)
    assert len(expected) > 20
    np.testing.assert_array_equal(spikes.t, expected.t)
    np.testing.assert_array_equal(net.populations["cells"].V, twin.populations["cells"].V)
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for one in (again, twin):
        one.run(50.0)
    np.testing.assert_array_equal(again.populations["cells"].V, twin.populations["cells"].V)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_drives_keep_their_random_numbers_when_another_is_removed(scheme, tmp_path):
    def network():
        net, _, cells = firing(scheme)
        drives = [net.drive(cells, iz.Poisson(rate=200.0, weight=9.0)) for _ in range(3)]
        net.run(10.0)
        return net, drives, cells

    (net, drives, _), (twin, others, cells_of_twin) = network(), network()
    net.remove(drives[1])
    others[1].value = 0.0
    net.save(tmp_path / "state.npz")
    net = iz.load(tmp_path / "state.npz")
    last, alike = (one.drive(one.populations["cells"], iz.Poisson(rate=50.0)) for one in (net, twin))
    for one in (net, twin):
        one.run(40.0)
    np.testing.assert_array_equal(net.populations["cells"].V, cells_of_twin.V)
    assert last._ordinal == alike._ordinal


def test_a_recorder_that_is_removed_keeps_what_it_has():
    net, _, cells = firing("exp_euler")
    recorder, rate = net.record(cells, "V"), net.record(cells, "rate", every=2.5)
    net.run(10.0)
    net.remove(recorder)
    net.remove(rate)
    net.run(10.0)
    net.reset()
    assert recorder.V.shape == (20, 70)
    assert rate.t.tolist() == [2.5, 5.0, 7.5, 10.0]
    for part in (recorder, 5, cells, None):
        with pytest.raises((TypeError, ValueError), match="Network.remove.part must be"):
            net.remove(part)


# --- rings ------------------------------------------------------------------------------------------------------------


def test_slices_are_short_enough_for_rings_of_32_bits():
    assert clock_network._slice(33, [(2047, 2**20)]) == 32
    assert clock_network._slice(33, [(2047, 2**10)]) == 33
    assert clock_network._slice(1, [(2**21 - 1, 2**10)]) == 1
    for shortest in range(1, 65):
        for longest in (shortest, 100, 1999, 2047):
            length = clock_network._slice(shortest, [(longest, 2**20), (longest // 2, 64)])
            assert 1 <= length <= shortest
            assert clock_network._whole(longest, length) * 2**20 <= MOST_CELLS


def test_a_spike_with_a_long_delay_to_a_million_neurons_arrives_in_its_step(monkeypatch):
    """2**20 neurons, delays of 33 and 2047 steps: whole slices of 33 steps would be 2079 * 2**20 > 2**31 cells. The
    clock is set by hand, for memory that nobody touches costs nothing."""
    monkeypatch.setattr(checks, "free_memory", lambda: 2**40)
    # A ring of all delays, which few synapses would not get by themselves.
    monkeypatch.setattr(clock_network, "window_for", lambda rows, length, steps, row_bytes: 0)
    n, steps = 2**20, (33, 2047)
    net = iz.Network(dt=0.5, seed=1, threads=1)
    source = net.add(iz.Population(1, V=-70.0, u=-14.0), name="source")
    cells = net.add(iz.Population(n, V=-70.0, u=-14.0), name="cells")
    for weight, delay in zip((1.0, 2.0), steps, strict=True):
        net.connect(source, cells, ([0], [n - 1]), weight=weight, delay=0.5 * delay)
    try:
        net.run(0.0)
    except MemoryError:
        pytest.skip("a machine that promises no more memory than it has")

    def set_clock(step):
        with net._turn:  # so that no step goes on from one before
            net._clock.now = step
            for population in net.populations.values():
                population._engine.table[layout.STEP] = step

    ring = cells._engine.arrivals.steps
    start = 10 * ring - 2  # the last rows of the ring but one
    set_clock(start)
    source.V[0] = 29.0
    net.step()
    assert source.spikes[0]
    sent = net.n_steps - 1
    for weight, delay in zip((1.0, 2.0), steps, strict=True):
        set_clock(sent + delay - 1)
        net.step()
        assert np.all(cells.V == cells.V[0])
        net.step()  # that of step sent + delay
        assert cells.V[n - 1] - cells.V[0] == pytest.approx(weight, abs=1e-3)
        assert np.all(cells.V[: n - 1] == cells.V[0])
        cells.V[n - 1], cells.u[n - 1] = cells.V[0], cells.u[0]


@pytest.mark.parametrize("delay", [1024.0, 2.0**30, 1e18])
def test_delays_beyond_the_ring_are_refused_before_they_are_multiplied(delay):
    from izhnumba._synapse.csr import TargetLanes

    targets = TargetLanes(2**21, 0, np.dtype("float32"))
    with pytest.raises(ValueError, match="Network.connect.delay must be at most 1023 steps for 2097152 targets"):
        targets.offsets(np.array([0]), np.array([int(delay)]))


# --- what users write themselves --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Own(iz.Input):
    rows: object

    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        return lambda step, count: self.rows(count)


@pytest.mark.parametrize(
    "rows",
    [
        lambda count: np.zeros((count, 2)),
        lambda count: np.zeros((count, 1), np.int64),
        lambda count: np.zeros((count + 1, 1)),
        lambda count: np.zeros(count),
        lambda count: [[0.0]] * count,
        lambda count: None,
    ],
)
def test_rows_of_an_own_input_are_looked_at(rows):
    pop = iz.Population(200)
    with pytest.raises(ValueError, match=r"Own.bind must give float64 of shape \(\d+, 1\) or \(\d+, 200\), got "):
        pop.run(5.0, Own(rows))
    assert pop.t == 0
    net = iz.Network()
    cells = net.add(iz.Population(200))

    def drive_and_run():
        net.drive(cells, Own(rows))
        net.run(5.0)

    with pytest.raises(ValueError, match="Own.bind must give float64 of shape"):
        drive_and_run()
    assert net.t == 0


def test_rows_of_an_own_input_may_lie_in_any_order():
    values = np.linspace(0.0, 20.0, 50 * 7).reshape(50, 7)
    expected = iz.Population(7, dt=0.5).run(25.0, values)
    found = iz.Population(7, dt=0.5).run(25.0, Own(lambda count: np.asfortranarray(values[:count])))
    np.testing.assert_array_equal(found.spikes.t, expected.spikes.t)


@dataclass(frozen=True)
class OwnSpikes(iz.SpikeTrain):
    """Tells of neurons that are not there."""

    def _events(self, to):
        return lambda since, until: (np.array([until]), np.array([1000]), np.ones(1), np.zeros(1, np.int64))


def test_spikes_for_neurons_that_are_not_there():
    pop = iz.Population(3, scheme="exact")
    with pytest.raises(ValueError, match="A spike input must give neurons from 0 to 2, .*got 1000 to 1000"):
        pop.run(5.0, delta=OwnSpikes([0], [1.0]))


@dataclass(frozen=True)
class OwnReceptor(iz.Receptor):
    found: object

    def propagator(self, dt):
        return self.found

    def rates(self):
        return self.found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_an_own_receptor_tells_is_looked_at(scheme):
    from izhnumba import Propagator, Rates

    kind = Rates if scheme == "exact" else Propagator
    net, source, cells = firing(scheme)
    for found in (kind(3), kind(1, np.nan), (1,), kind(-1), SimpleNamespace(states=1)):
        with pytest.raises(ValueError, match=r"OwnReceptor\.(rates|propagator) must return"):
            net.connect(source, cells, iz.AllToAll(), receptor=OwnReceptor(found))
    assert dict(net.synapses) == {}
    net.connect(source, cells, iz.AllToAll(), receptor=OwnReceptor(kind(1)))
    net.run(5.0)


# --- what has been, and what goes on ----------------------------------------------------------------------------------


def test_steps_after_a_run_are_none_of_its_recorders(monkeypatch):
    """The spikes of a run are kept when it ends: nobody looks for them in what later steps have left."""
    pop = iz.Population(500, **iz.presets["RS"], dt=0.5)
    result = pop.run(50.0, 20.0)
    n = len(result.spikes)
    I = np.zeros(500)
    I[0] = 500.0
    for _ in range(90):
        pop.step(I)
    assert len(pop.result.spikes) == n > 1000
    assert len(pop.run(1.0, 0.0).spikes) <= 500
    pop.reset()
    assert pop.run(50.0, 20.0).spikes.i.tolist() == result.spikes.i.tolist()


@pytest.mark.parametrize("name", ["plastic", "static", "current"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_removed_from_a_network_that_was_loaded(scheme, name, tmp_path):
    """With spikes under way: the same as without the checkpoint."""

    def network():
        net, source, cells = firing(scheme)
        rule, delay = iz.STDP(A_plus=0.1, w_max=60.0), iz.Uniform(3.0, 9.0)
        net.connect(source, cells, iz.AllToAll(), weight=20.0, delay=delay, plasticity=rule, name="plastic")
        net.connect(source, cells, iz.AllToAll(), weight=20.0, delay=6.0, name="static")
        net.connect(source, cells, iz.AllToAll(), weight=2.0, delay=8.0, receptor=iz.Alpha(2.0), name="current")
        net.run(4.5)
        return net

    net = network()
    net.save(tmp_path / "state.npz")
    loaded = iz.load(tmp_path / "state.npz")
    for one in (net, loaded):
        one.remove(one.synapses[name])
    loaded.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for one in (net, loaded, again):
        one.run(15.0)
        np.testing.assert_array_equal(one.populations["cells"].V, net.populations["cells"].V)
        for kept in net.synapses:
            np.testing.assert_array_equal(one.synapses[kept].weight, net.synapses[kept].weight)
