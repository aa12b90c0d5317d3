"""Recorders of networks: what they record when, and files that survive whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from processes import PACKAGE

import izhnumba as iz
from izhnumba._record import storage

SILENT = dict(V=-70.0, u=-14.0)


def cells_with_current(n=6, dt=0.5, **options):
    net = iz.Network(dt=dt, seed=3, **options)
    cells = net.add(iz.Population(n, **iz.presets["RS"]), name="cells")
    net.drive(cells, iz.Constant(np.linspace(0.0, 15.0, n)))
    return net, cells


# --- what is recorded -------------------------------------------------------------------------------------------------


def test_only_steps_between_start_and_stop_are_recorded():
    net, cells = cells_with_current()
    whole = [net.record(cells, what) for what in ("spikes", ["V", "u"], "rate")]
    syn = net.connect(cells, cells, iz.OneToOne(), weight=0.0)
    weights = net.record(syn, start=20.0, stop=60.0, every=10.0)
    part = [net.record(cells, what, start=20.0, stop=60.0) for what in ("spikes", ["V", "u"], "rate")]
    for T in (13.0, 20.5, 40.0, 26.5):
        net.run(T)
    inside = (whole[0].t > 20.0) & (whole[0].t <= 60.0)
    assert 0 < inside.sum() < inside.size
    np.testing.assert_array_equal(part[0].t, whole[0].t[inside])
    np.testing.assert_array_equal(part[0].i, whole[0].i[inside])
    inside = (whole[1].t > 20.0) & (whole[1].t <= 60.0)
    np.testing.assert_array_equal(part[1].t, whole[1].t[inside])
    np.testing.assert_array_equal(part[1].V, whole[1].V[inside])
    np.testing.assert_array_equal(part[2].t, whole[2].t[inside])
    np.testing.assert_array_equal(part[2].rate, whole[2].rate[inside])
    np.testing.assert_array_equal(weights.t, [30.0, 40.0, 50.0, 60.0])


def test_a_recorder_can_pause():
    net, cells = cells_with_current()
    voltage, spikes, rate = net.record(cells, "V"), net.record(cells), net.record(cells, "rate", every=2.5)
    net.run(10.0)
    voltage.stop = spikes.stop = rate.stop = net.t
    net.run(30.0)
    voltage.start = spikes.start = rate.start = net.t
    voltage.stop = spikes.stop = rate.stop = np.inf
    net.run(5.0)
    np.testing.assert_array_equal(rate.t, [2.5, 5.0, 7.5, 10.0, 42.5, 45.0])
    assert round(rate.rate[:4].sum() * 6 * 2.5e-3, 6) == np.sum(spikes.t <= 10.0)
    np.testing.assert_array_equal(voltage.t, np.concatenate([np.arange(1, 21), np.arange(81, 91)]) * 0.5)
    assert not np.any((spikes.t > 10.0) & (spikes.t <= 40.0))


def test_a_rate_has_no_bins_of_a_pause_that_ends_by_stop_alone():
    net, cells = cells_with_current()
    rate, spikes = net.record(cells, "rate", every=10.0), net.record(cells)
    net.run(25.0)
    rate.stop = spikes.stop = net.t
    net.run(32.0)
    rate.stop = spikes.stop = 83.0  # in the course of a bin
    net.run(8.0)
    rate.stop = spikes.stop = np.inf  # and in that of another, without a pause
    net.run(25.0)
    np.testing.assert_array_equal(rate.t, [10.0, 20.0, 70.0, 80.0, 90.0])
    np.testing.assert_allclose(rate.rate * 6 * 10e-3, [np.sum((spikes.t > t - 10) & (spikes.t <= t)) for t in rate.t])
    assert (spikes.spikes.start, spikes.spikes.stop) == (0.0, 90.0)
    np.testing.assert_allclose(spikes.spikes.rates(), spikes.spikes.counts() / 58e-3)


def test_some_neurons_alone():
    net, cells = cells_with_current()
    whole, some = net.record(cells), net.record(cells[1:], neurons=[4, 2])
    net.run(60.0)
    chosen = np.isin(whole.i, [5, 3])
    assert 0 < chosen.sum() < len(whole)
    np.testing.assert_array_equal(some.i, whole.i[chosen])
    np.testing.assert_array_equal(some.step, whole.step[chosen])


def test_nothing_changes_in_the_course_of_a_run_and_names_are_known():
    net, cells = cells_with_current()
    syn = net.connect(cells, cells, iz.OneToOne())
    voltage, drive = net.record(cells, "V"), net.drives["cells"]
    for change in (lambda: setattr(voltage, "stop", 5.0), lambda: setattr(drive, "value", 1.0)):
        with pytest.raises(RuntimeError, match="Network.run has not ended"):
            net.run(5.0, until=lambda net, change=change: change())
    assert len(voltage.t) == 2
    for thing, name, error, message in (
        (net, "dt", AttributeError, "Network.dt cannot be changed"),
        (net, "thread", TypeError, "Network has no parameter 'thread'"),
        (syn, "weights", TypeError, "Synapses has no parameter 'weights'. Did you mean 'weight'"),
        (syn, "receptor", AttributeError, "Synapses.receptor cannot be changed"),
        (voltage, "begin_at", TypeError, "StateRecorder has no parameter 'begin_at'"),
        (drive, "val", TypeError, "Drive has no parameter 'val'. Did you mean 'value'"),
    ):
        with pytest.raises(error, match=message):
            setattr(thing, name, 3)


# of exp(-t / 20) - exp(-t)
PEAK = 20 ** (-1 / 19) - 20 ** (-20 / 19)
RECEPTORS = {
    "pulse": (iz.Pulse(), lambda t, V: 3.0 * (np.abs(t) < 1e-9)),
    "long pulse": (iz.Pulse(2.0), lambda t, V: 3.0 * (t > -1e-9) * (t < 1.75)),
    "exponential": (iz.Exponential(5.0), lambda t, V: 3.0 * np.exp(-(t - 0.5) / 5.0) * (t > 0.25)),
    "conductance": (iz.AMPA(), lambda t, V: 3.0 * np.exp(-(t - 0.5) / 5.0) * (t > 0.25) * (0.0 - V)),
    "nmda": (
        iz.NMDA(1.0, 20.0),
        lambda t, V: (
            3.0 * (np.exp(-(t - 0.5) / 20.0) - np.exp(-(t - 0.5))) / PEAK * (t > 0.25) * (0.0 - V)
            / (1 + np.exp(-0.062 * V) / 3.57)
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("receptor", RECEPTORS)
def test_the_current_of_a_receptor(receptor):
    """One spike at step 4, with a delay of 3 steps: arrives in step 7, which begins at 3.5 ms."""
    kind, course = RECEPTORS[receptor]
    net = iz.Network(dt=0.5)
    source, cells = net.add(iz.Population(1, **SILENT)), net.add(iz.Population(3, **SILENT))
    net.drive(source, iz.SpikeTrain([0], [2.0], weight=200.0))
    syn = net.connect(source, cells, ([0, 0], [0, 2]), weight=3.0, delay=1.5, receptor=kind)
    current, voltage = net.record(syn, "current"), net.record(cells, "V")
    net.run(30.0)
    before = np.concatenate([np.full((1, 3), -70.0), voltage.V[:-1]])
    before[before >= 30.0] = -65.0  # this scheme resets first
    begin = current.t - 0.5
    expected = course(begin[:, None] - 3.5, before) * [1, 0, 1]
    np.testing.assert_allclose(current.current, expected, rtol=1e-5, atol=1e-12)
    assert expected.any()


def test_the_current_of_a_gap_junction():
    net = iz.Network(dt=0.5)
    cells = net.add(iz.Population(2, V=[-60.0, -70.0], u=-14.0))
    syn = net.connect(cells, cells, iz.AllToAll(autapses=False), weight=0.05, receptor=iz.GapJunction())
    current, voltage = net.record(syn, "current"), net.record(cells, "V")
    net.run(10.0)
    before = np.concatenate([[[-60.0, -70.0]], voltage.V[:-1]])
    np.testing.assert_allclose(current.current, 0.05 * (before[:, ::-1] - before), rtol=1e-12)


def test_gap_junctions_pull_cells_together():
    def apart(weight):
        net = iz.Network(dt=0.1, seed=1)
        cells = net.add(iz.Population(2, **{**iz.presets["FS"], "V": [-65.0, -55.0]}))
        net.drive(cells, iz.Constant([6.0, 6.5]))
        net.connect(cells, cells, iz.AllToAll(autapses=False), weight=weight, receptor=iz.GapJunction())
        voltage = net.record(cells, "V", start=500.0)
        net.run(1000.0)
        return np.abs(np.diff(voltage.V)).mean()

    assert apart(0.5) < 0.5 * apart(0.0)


@pytest.mark.parametrize(
    ("what", "options", "error", "message"),
    [
        ("V", dict(start=5.2), ValueError, "Network.record.start must be a whole number of steps of 0.5 ms, got 5.2"),
        ("V", dict(stop=-1.0), ValueError, "Network.record.stop must be"),
        ("rate", dict(neurons=[0]), ValueError, "Network.record.neurons must be left out when recording rate"),
        ("V", dict(start=5.0, stop=2.0), ValueError, r"Network.record.stop must be >= start \(5 ms\), got 2 ms"),
        ("spikes", dict(to="."), IsADirectoryError, "Network.record.to must be a file, got the folder"),
        ("spikes", dict(every=1.0), ValueError, "Network.record.every must be left out when recording spikes"),
        ("V", dict(synapses=[0]), ValueError, "Network.record.synapses must be left out when recording V"),
        ("weight", {}, ValueError, "Network.record.what must be a known name, got 'weight'"),
        ("spikes", dict(to="no/such/folder/x"), FileNotFoundError, "Network.record.to must be in an existing folder"),
        ("spikes", dict(to=5), TypeError, "Network.record.to must be a path, got 5"),
        ("rate", dict(to="no.rec"), ValueError, "Network.record.to must be left out when recording rate"),
    ],
)
def test_what_cannot_be_recorded(what, options, error, message):
    net, cells = cells_with_current()
    with pytest.raises(error, match=message):
        net.record(cells, what, **options)
    assert net.recorders == {}
    net.run(1.0)


def test_what_cannot_be_recorded_of_synapses():
    net, cells = cells_with_current()
    syn = net.connect(cells, cells, iz.OneToOne())
    for arguments, message in (
        (("current",), r"what must be 'weight' for synapses through Delta\(\)"),
        (("V",), "what must be a known name, got 'V'. Known: weight, eligibility, modulator, current"),
        (("weight",), "neurons must be left out when recording weight"),
    ):
        with pytest.raises(ValueError, match=message):
            net.record(syn, *arguments, neurons=[0])
    with pytest.raises(ValueError, match="synapses must be between 0 and 5, got 6. There are 6 synapses"):
        net.record(syn, synapses=[6])
    with pytest.raises(ValueError, match="source must be in this network"):
        iz.Network().record(syn)


# --- files ------------------------------------------------------------------------------------------------------------


def streamed(folder, T=(40.0, 0.5, 29.5)):
    """A network that records the same in memory and in files."""
    net, cells = cells_with_current()
    syn = net.connect(cells, cells, iz.AllToAll(), weight=1.0, plasticity=iz.STDP(A_plus=0.1, w_max=3.0))
    wanted = {"spikes": (cells, "spikes"), "states": (cells[2:], ["V", "u"]), "weights": (syn, "weight")}
    pairs = {
        name: (net.record(*what), net.record(*what, to=folder / name, name=f"{name} in a file"))
        for name, what in wanted.items()
    }
    for duration in T:
        net.run(duration)
    return net, pairs


def test_files_hold_what_memory_does(tmp_path):
    _, pairs = streamed(tmp_path)
    for name, (memory, file) in pairs.items():
        read = iz.io.read(tmp_path / name)
        for found in (read, file):
            np.testing.assert_array_equal(
                found.step if name == "spikes" else found.t, getattr(memory, "step", memory.t)
            )
            for column in {"spikes": ["i", "t"], "states": ["V", "u"], "weights": ["weight"]}[name]:
                np.testing.assert_array_equal(getattr(found, column), getattr(memory, column))
    np.testing.assert_array_equal(iz.io.read(tmp_path / "states").index, np.arange(2, 6))
    with pytest.raises(AttributeError, match="Samples has no 'weight'. Recorded: V, u"):
        _ = iz.io.read(tmp_path / "states").weight


def test_files_are_not_overwritten_nor_undone(tmp_path):
    net, pairs = streamed(tmp_path)
    spikes = pairs["spikes"][1]
    with pytest.raises(FileExistsError, match="Network.record.to must be a new file, got .*spikes"):
        net.record(net.populations["cells"], to=tmp_path / "spikes")
    before, t = (tmp_path / "spikes").read_bytes(), net.t
    with pytest.raises(RuntimeError, match="Network.reset must not undo what is in .* another file first"):
        net.reset()
    assert (net.t, (tmp_path / "spikes").read_bytes()) == (t, before)
    for name, (_, file) in pairs.items():
        file.to = tmp_path / f"{name} again"
    assert len(spikes) == 0
    net.reset()
    net.run(20.0)
    np.testing.assert_array_equal(iz.io.read(tmp_path / "spikes again").t, pairs["spikes"][0].t)


def test_a_recorder_can_move_to_a_file(tmp_path):
    net, cells = cells_with_current()
    kept, moving = net.record(cells), net.record(cells)
    net.run(40.0)
    moving.to = tmp_path / "spikes"
    net.run(40.0)
    np.testing.assert_array_equal(iz.io.read(tmp_path / "spikes").t, kept.t)


def test_a_file_cut_anywhere_gives_its_complete_blocks(tmp_path):
    streamed(tmp_path)
    whole, path = (tmp_path / "spikes").read_bytes(), tmp_path / "cut"
    everything = iz.io.read(tmp_path / "spikes")
    lengths = set()
    for n in range(0, len(whole), 7):
        path.write_bytes(whole[:n])
        try:
            found = iz.io.read(path)
        except ValueError as error:
            assert "must be a recording of izhnumba" in str(error)  # noqa: PT017
            assert n < 400
            continue
        np.testing.assert_array_equal(found.t, everything.t[: len(found)])
        lengths.add(len(found))
    assert len(lengths) > 2


def test_every_altered_byte_is_noticed(tmp_path):
    streamed(tmp_path)
    whole, path = bytearray((tmp_path / "spikes").read_bytes()), tmp_path / "altered"
    for n in range(0, len(whole), 5):
        altered = whole.copy()
        altered[n] ^= 16
        path.write_bytes(altered)
        with pytest.raises(ValueError, match="must be a recording of izhnumba"):
            iz.io.read(path)
    good = iz.io.read(path, until_damage=True)
    np.testing.assert_array_equal(good.t, iz.io.read(tmp_path / "spikes").t[: len(good)])
    altered[7] = 2
    path.write_bytes(altered)
    with pytest.raises(ValueError, match="of format 1, got format 02. Update izhnumba"):
        iz.io.read(path)


def test_what_could_not_be_written_is_written_later(tmp_path, monkeypatch):
    net, cells = cells_with_current()
    memory, file = net.record(cells), net.record(cells, to=tmp_path / "spikes")
    voltage = net.record(cells, "V")
    net.run(30.0)
    (tmp_path / "spikes").rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        net.run(30.0)
    (tmp_path / "elsewhere").rename(tmp_path / "spikes")
    net.run(60.0 - net.t)
    np.testing.assert_array_equal(file.t, memory.t)
    assert len(voltage.t) == 120
    assert memory.t.max() > 45


WRITER = """
import sys, numpy as np, izhnumba as iz
net = iz.Network(dt=0.1, seed=1, threads=1)
cells = net.add(iz.Population(500, **iz.presets["RS"]))
net.drive(cells, iz.Noise(std=40.0))
net.record(cells, to=sys.argv[1])
net.record(cells, "V", neurons=[0, 1], to=sys.argv[2])
net.run(1e7, progress=lambda done, total: print(net.n_steps, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_process_leaves_every_block_it_told_of(tmp_path):
    script, spikes, states = tmp_path / "writer.py", tmp_path / "spikes", tmp_path / "states"
    script.write_text(WRITER)
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    writer = subprocess.Popen([sys.executable, script, spikes, states], stdout=subprocess.PIPE, env=environment)
    told = [int(writer.stdout.readline()) for _ in range(5)]
    time.sleep(0.1)
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.communicate()[0].split()]
    voltage, found = iz.io.read(states), iz.io.read(spikes)
    assert voltage.step[-1] >= told[-1] - 1
    assert len(found) > 100
    assert found.step[-1] > told[-1] - 200


def test_memory_does_not_grow_with_what_goes_to_files(tmp_path):
    net, cells = cells_with_current()
    net.record(cells, "V", to=tmp_path / "V", name="states")
    net.record(cells, to=tmp_path / "spikes", name="spikes")
    for _ in range(20):
        net.run(50.0)
    for recorder in net.recorders.values():
        assert recorder._keeps._at.end == recorder.to.stat().st_size
        assert recorder._keeps._at.waiting == []
    assert net.recorders["states"]._room == ()
    assert isinstance(net.recorders["spikes"]._keeps, storage.FileStore)


def test_a_spike_train_comes_from_a_file(tmp_path):
    net, cells = cells_with_current()
    kept = net.record(cells, to=tmp_path / "spikes.rec")
    net.run(50.0)
    text = tmp_path / "spikes.txt"
    text.write_text("# neuron, ms\n" + "".join(f"{i}, {t}\n" for i, t in zip(kept.i, kept.t, strict=True)))
    for path in (tmp_path / "spikes.rec", text):
        train = iz.SpikeTrain.from_file(path, weight=2.0, receptor=iz.Pulse())
        np.testing.assert_array_equal(train.i, kept.i)
        np.testing.assert_array_equal(train.t, kept.t)
        assert (train.weight, train.receptor) == (2.0, iz.Pulse())
    net.record(cells, "V", to=tmp_path / "V.rec")
    (tmp_path / "three.txt").write_text("1 2 3\n")
    for name, kind, message in (
        ("V.rec", ValueError, "must hold spikes, got states"),
        ("three.txt", ValueError, "must have two columns, neuron and time, got 3"),
        ("none.txt", FileNotFoundError, "SpikeTrain.from_file.path must be an existing file"),
    ):
        with pytest.raises(kind, match=message):
            iz.SpikeTrain.from_file(tmp_path / name)


def test_large_blocks_hold_what_small_ones_do(tmp_path):
    """Cut where a block is full or written past the caches, of neurons side by side or apart: samples are the same."""

    def recorded(**options):
        net = iz.Network(dt=0.5, seed=3, threads=1)
        cells = net.add(iz.Population(5000, **iz.presets["RS"]), name="cells")
        net.drive(cells, iz.Constant(np.linspace(0.0, 15.0, 5000)))
        return net, cells, net.record(cells, ["V", "u"], name="all", **options)

    net, cells, memory = recorded()
    parts = [(slice(1, 4999), None), (slice(2000, 2100), None), (slice(0, 5000), [4999, 0, 2048, 2047, 1])]
    some = [net.record(cells[part], "V", neurons=neurons, name=str(k)) for k, (part, neurons) in enumerate(parts)]
    net.run(250.0)
    for (part, neurons), one in zip(parts, some, strict=True):
        np.testing.assert_array_equal(one.V, memory.V[:, part][:, slice(None) if neurons is None else neurons])
    net, _, file = recorded(to=tmp_path / "states")
    net.run(180.0)
    net.run(70.0)
    found = iz.io.read(tmp_path / "states")
    assert file._block_rows < 100
    for name in ("V", "u", "t"):
        np.testing.assert_array_equal(getattr(found, name), getattr(memory, name))
        np.testing.assert_array_equal(getattr(file, name), getattr(memory, name))


def test_rows_that_wait_for_their_file_stay_as_they_are(tmp_path):
    """They lie in the memory to which the kernel writes the next ones."""
    net, cells = cells_with_current()
    memory, file = net.record(cells, "V"), net.record(cells, "V", to=tmp_path / "V", name="file")
    net.run(10.0)
    (tmp_path / "V").rename(tmp_path / "elsewhere")
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            net.run(5.0)
        with pytest.raises(FileNotFoundError):
            net.step()
    (tmp_path / "elsewhere").rename(tmp_path / "V")
    net.step()
    net.run(5.0)
    np.testing.assert_array_equal(iz.io.read(tmp_path / "V").V, memory.V)
    np.testing.assert_array_equal(file.V, memory.V)
