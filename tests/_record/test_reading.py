"""Recorders that are read again and again while the network runs: no row is copied at each look, none changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest
from test_samplers import MeanV

import izhnumba as iz

READ = {
    "spikes": ("i", "step", "t"),
    "rate": ("t", "rate"),
    "V": ("t", "V"),
    "weight": ("t", "weight"),
    "mean": ("t", "values"),
}


def network():
    net = iz.Network(dt=0.5, seed=3)
    cells = net.add(iz.Population(6, **iz.presets["RS"]), name="cells")
    net.drive(cells, np.linspace(0.0, 15.0, 6))
    syn = net.connect(cells, cells, iz.OneToOne(), weight=0.0)
    net.record(cells, "spikes", name="spikes")
    net.record(cells, "rate", every=2.0, name="rate")
    net.record(cells, "V", name="V")
    net.record(syn, "weight", every=1.0, name="weight")
    net.record(cells, MeanV(), every=1.0, name="mean")
    return net


def look(net):
    return {(name, what): getattr(net.recorders[name], what) for name, some in READ.items() for what in some}


def test_a_look_at_each_step_finds_what_a_look_at_the_end_does():
    """Steps, runs and pauses in turn. What an earlier look has found stays as it was."""
    read, unread = network(), network()
    early = []
    for k in range(400):
        for net in (read, unread):
            rate = net.recorders["rate"]
            if k == 100:
                rate.stop = net.t
            elif k == 150:
                rate.start, rate.stop = net.t, np.inf
            net.run(3.5) if k % 40 == 0 else net.step()
        found = look(read)
        if k % 25 == 0:
            early.append((found, {key: array.copy() for key, array in found.items()}))
    for seen, copies in early:
        for key in seen:
            np.testing.assert_array_equal(seen[key], copies[key])
            np.testing.assert_array_equal(seen[key], found[key][: len(seen[key])])
    for key, array in look(unread).items():
        assert len(array) > 10, key
        np.testing.assert_array_equal(found[key], array, err_msg=str(key))
    for net in (read, unread):
        net.reset()
        assert not any(map(len, look(net).values()))
        net.run(120.0)
    for (key, array), other in zip(look(read).items(), look(unread).values(), strict=True):
        np.testing.assert_array_equal(array, other, err_msg=str(key))
        assert len(array)


@pytest.mark.parametrize("room", [1, 256])
def test_spikes_that_kernels_list_are_those_that_are_taken(room, tmp_path, monkeypatch):
    """Of all neurons and of some, by neuron and by bin, with and without room, through steps, runs, pauses and looks;
    one with a choice of neurons, and one with a file, take them."""
    monkeypatch.setattr("izhnumba._record.spikes._ROOM", room)
    net, rng = iz.Network(dt=0.5, seed=3, threads=1), np.random.default_rng(4)
    cells = net.add(iz.Population(70, **iz.presets["RS"]), name="cells")
    net.drive(cells, iz.Noise(10.0) + 8.0)
    listed, part, rate = (
        net.record(cells),
        net.record(cells[3:66], name="part"),
        net.record(cells[3:66], "rate", every=2.0),
    )
    chosen = net.record(cells, neurons=rng.permutation(70), name="chosen")
    filed = net.record(cells, to=tmp_path / "spikes.rec", name="filed")
    always = net.record(cells[3:66], neurons=np.arange(63), name="always")
    recorders = listed, part, chosen, filed
    for k in range(300):
        if k % 60 == 20:
            for one in recorders:
                one.stop = net.t + 7.0 if k < 200 else np.inf
        if k % 60 == 40:
            for one in recorders:
                one.start, one.stop = net.t + 3.0, np.inf
        net.run(rng.choice([0.5, 20.0])) if k % 30 == 0 else net.step()
        if k % 7 == 0:
            assert len(listed) == len(chosen) == len(filed)
    assert len(listed) > 300
    for one in (chosen, filed):
        np.testing.assert_array_equal(one.i, listed.i)
        np.testing.assert_array_equal(one.t, listed.t)
    inside = (listed.i >= 3) & (listed.i < 66)
    np.testing.assert_array_equal(part.i, listed.i[inside])
    np.testing.assert_array_equal(part.t, listed.t[inside])
    n = len(rate.rate)
    assert n == cells.n_steps // 4
    np.testing.assert_allclose(rate.rate, np.bincount(always.step // 4, minlength=n)[:n] / (63 * 2e-3))


@dataclass(frozen=True)
class Meanwhile(iz.Sampler):
    """Reads a rate in another thread, after steps of which its recorder has not taken the spikes yet."""

    def sample(self, source):
        rate = source.network.recorders.get("rate")
        if rate is not None:
            one = threading.Thread(target=lambda: rate.rate)
            one.start()
            one.join()
        return 0.0


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_a_rate_that_another_thread_reads_lacks_no_spike(scheme):
    net = iz.Network(scheme=scheme, dt=0.5)
    cells = net.add(iz.Population(6, **iz.presets["RS"]), name="cells")
    drive = net.drive(cells, np.linspace(8.0, 15.0, 6))
    net.record(cells, Meanwhile(), every=4.0)  # comes first
    rate, spikes = net.record(cells[::2], "rate", every=2.0, name="rate"), net.record(cells[::2])
    net.run(100.0)
    t = spikes.t - 0.5 * (scheme != "exact")
    assert len(spikes) > 5
    np.testing.assert_allclose(rate.rate, np.bincount((t // 2.0).astype(int), minlength=50) / (3 * 2e-3))
    silent = []
    one = threading.Thread(target=lambda: silent.append(rate.rate))
    drive.value = 0.0
    net.run(20.0)
    one.start()
    one.join()
    assert silent[0].size == 60


def test_rows_are_copied_a_few_times_at_most():
    net = network()
    net.run(200.0)
    buffers = {key: [array.base] for key, array in look(net).items()}
    for _ in range(800):
        net.step()
        for key, array in look(net).items():
            if array.base is not buffers[key][-1]:
                buffers[key].append(array.base)
    assert max(map(len, buffers.values())) <= 5, {key: len(some) for key, some in buffers.items()}


def test_a_run_that_is_read_once_is_not_copied_nor_is_there_room_left():
    net = network()
    net.run(50.0)
    voltage = net.recorders["V"]
    assert np.shares_memory(voltage.V, voltage._keeps._chunks[0].buffers[1])
    assert voltage._keeps._chunks[0].free == 0


def test_what_is_read_in_the_midst_of_a_run_is_that_of_now():
    net = network()
    net.run(10.0)
    seen = []
    net.run(20.0, until=lambda net: seen.append((net.t, *(len(net.recorders[name].t) for name in ("V", "mean")))))
    assert seen == [(t, 2 * t, t // 1) for t in np.arange(10.5, 30.5, 0.5)]


def test_only_the_arrays_of_a_result_can_be_written_to():
    net = network()
    net.run(50.0)
    for key, array in look(net).items():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
        assert len(array), key
    result = iz.Population(2, **iz.presets["RS"]).run(50.0, 10.0, record="V")
    for array in (result.V, result.t, result.spikes.i, result.spikes.t, result.spikes.step):
        array[0] = 1
        assert array[0].any()
