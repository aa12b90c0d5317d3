"""Recorders with files, saved and loaded: each goes on in its own file, and nothing that was recorded is lost."""

from __future__ import annotations

import json

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._record import blocks


def small_network():
    net = iz.Network(seed=1)
    net.drive(net.add(iz.Population(3, **iz.presets["RS"]), name="cells"), 10.0)
    return net


def test_two_networks_do_not_share_a_file(tmp_path):
    net = small_network()
    net.record(net.populations["cells"], "V", every=1.0, to=tmp_path / "V")
    net.run(10.0)
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    again.run(30.0)
    with pytest.raises(RuntimeError, match="Network.record.to must be a file of one recorder, got .*has changed"):
        net.run(10.0)
    net.recorders["cells V"].to = tmp_path / "V of the first"
    net.run(5.0)
    np.testing.assert_array_equal(iz.io.read(tmp_path / "V of the first").t, np.arange(11.0, 26.0))
    again.run(10.0)
    assert len(iz.io.read(tmp_path / "V")) == 50
    (tmp_path / "V").unlink()
    with pytest.raises(FileNotFoundError, match="the file of recorder 'cells V' must be an existing file"):
        iz.load(tmp_path / "state.npz")


def recording_network(path, seed=1):
    net = iz.Network(dt=0.5, seed=seed)
    cells = net.add(iz.Population(50, **iz.presets["RS"]), name="cells")
    net.drive(cells, iz.Noise(std=30.0))
    net.record(cells, to=path, name="spikes")
    return net


def whole_recording():
    net = iz.Network(dt=0.5, seed=1)
    cells = net.add(iz.Population(50, **iz.presets["RS"]), name="cells")
    net.drive(cells, iz.Noise(std=30.0))
    kept = net.record(cells)
    net.run(100.0)
    return kept


def test_a_recorder_goes_on_in_its_file(tmp_path):
    """From an older checkpoint: what came later shows no more, and is moved before new rows come."""
    kept, net = whole_recording(), recording_network(tmp_path / "spikes")
    net.run(40.0)
    net.save(tmp_path / "state.npz")
    early = len(net.recorders["spikes"])
    net.run(30.0)
    later = (tmp_path / "spikes").read_bytes()
    with pytest.warns(UserWarning, match=r"recorder 'spikes' goes on from 40 ms, but its file .* up to (69|70)\b"):
        again = iz.load(tmp_path / "state.npz")
    recorder = again.recorders["spikes"]
    assert recorder.to == tmp_path / "spikes"
    assert (len(recorder), recorder.t.max() <= 40.0, 0 < early < len(kept)) == (early, True, True)
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "spikes").read_bytes() == later  # loading alone, looking and saving change nothing
    again.run(60.0)
    found, beside = iz.io.read(tmp_path / "spikes"), iz.io.read(tmp_path / "spikes.1")
    np.testing.assert_array_equal(found.t, kept.t)
    np.testing.assert_array_equal(found.i, kept.i)
    inside = (kept.t > 40.0) & (kept.t <= 70.0)
    np.testing.assert_array_equal(beside.t, kept.t[inside])
    np.testing.assert_array_equal(beside.i, kept.i[inside])
    with pytest.warns(UserWarning, match="holds rows up to (99|100)"):
        once_more = iz.load(tmp_path / "state.npz")
    once_more.run(20.0)
    assert iz.io.read(tmp_path / "spikes.2").t.max() > 90.0
    assert iz.io.read(tmp_path / "spikes.1").t.tolist() == beside.t.tolist()
    (tmp_path / "spikes").write_bytes((tmp_path / "spikes").read_bytes()[:300])
    with pytest.raises(ValueError, match="must hold what was recorded before the checkpoint"):
        iz.load(tmp_path / "state.npz")


def test_later_rows_survive_a_full_disk(tmp_path, monkeypatch):
    net = recording_network(tmp_path / "spikes")
    net.run(40.0)
    net.save(tmp_path / "state.npz")
    net.run(30.0)
    before = (tmp_path / "spikes").read_bytes()
    with pytest.warns(UserWarning, match="holds rows up to"):
        again = iz.load(tmp_path / "state.npz")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("izhnumba._record.storage.shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        again.run(60.0)
    assert (tmp_path / "spikes").read_bytes() == before
    assert not (tmp_path / "spikes.1").exists()
    monkeypatch.undo()
    again.run(100.0 - again.t)
    np.testing.assert_array_equal(again.recorders["spikes"].t, whole_recording().t)
    assert len(iz.io.read(tmp_path / "spikes.1")) > 0


def test_a_block_cut_short_is_no_later_row(tmp_path):
    """A process was killed while it wrote: nothing can be read of that."""
    net = recording_network(tmp_path / "spikes")
    net.run(40.0)
    net.save(tmp_path / "state.npz")
    end = (tmp_path / "spikes").stat().st_size
    net.run(1.0)
    net.run(30.0)
    (tmp_path / "spikes").write_bytes((tmp_path / "spikes").read_bytes()[: end + 20])
    again = iz.load(tmp_path / "state.npz")
    again.run(60.0)
    np.testing.assert_array_equal(again.recorders["spikes"].t, whole_recording().t)
    assert not (tmp_path / "spikes.1").exists()


def rewritten(path, **changes):
    """A recording with another head, and the same rows."""
    data = path.read_bytes()
    length = int.from_bytes(data[8:16], "little")
    about = json.loads(data[24 : 24 + length]) | changes
    head = blocks.packed(np.frombuffer(json.dumps(about).encode(), np.uint8))
    path.write_bytes(data[:8] + b"".join(blocks.in_turn([head])) + data[24 + length :])


def test_the_file_of_another_network_is_not_taken_over(tmp_path):
    path = tmp_path / "spikes"
    net = recording_network(path)
    net.run(40.0)
    net.save(tmp_path / "state.npz")
    own = path.read_bytes()
    assert blocks.recording("path", path).about["seed"] == 1
    for changes, got in (
        (dict(kind="states"), "with the columns"),
        (dict(name="other"), "with name 'other'"),
        (dict(dt=0.25), "with dt 0.25"),
        (dict(n=51), "with n 51"),
        (dict(seed=2), "with seed 2"),
    ):
        path.write_bytes(own)
        rewritten(path, **changes)
        with pytest.raises(ValueError, match=rf"'{path}'\) must be .*got one .*{got}"):
            iz.load(tmp_path / "state.npz")
    path.unlink()
    other = recording_network(path, seed=2)
    other.run(60.0)
    with pytest.raises(ValueError, match="of recorder 'spikes' .* must be its recording in this network, got one with"):
        iz.load(tmp_path / "state.npz")
    theirs = path.read_bytes()
    rewritten(path, seed=1)
    with pytest.raises(ValueError, match=rf"'{path}'\) must hold what was recorded before the checkpoint, got"):
        iz.load(tmp_path / "state.npz")
    rewritten(path, seed=2)
    assert path.read_bytes() == theirs


def test_the_rows_before_are_known_by_their_checksums(tmp_path):
    """Blocks as long as ours, of another run of a network that is named alike."""
    path = tmp_path / "V"
    ends = []
    for current in (9.0, 10.0):
        net = iz.Network(dt=0.5, seed=1)
        cells = net.add(iz.Population(2, **iz.presets["RS"]), name="cells")
        net.drive(cells, current)
        path.unlink(missing_ok=True)
        net.record(cells, "V", name="V", to=path)
        net.run(10.0)
        ends.append(path.stat().st_size)
        if current == 9.0:
            net.save(tmp_path / "state.npz")
    assert ends[0] == ends[1]
    with pytest.raises(ValueError, match=rf"'{path}'\) must hold what was recorded .*, got something else"):
        iz.load(tmp_path / "state.npz")
