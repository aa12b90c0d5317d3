"""Files that appear complete or not at all, whatever is in their place and whoever is killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from processes import PACKAGE

import izhnumba as iz
from izhnumba._base import files

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes, pipes and locks of Unix")


def small_network(seed=1):
    net = iz.Network(seed=seed)
    net.drive(net.add(iz.Population(3, **iz.presets["RS"]), name="cells"), 10.0)
    return net


def names(folder):
    return sorted(os.listdir(folder))


# --- in place of what is there ----------------------------------------------------------------------------------------


@POSIX
def test_save_follows_links_and_keeps_the_mode(tmp_path):
    real, link, dangling = tmp_path / "real.npz", tmp_path / "link.npz", tmp_path / "dangling.npz"
    net = small_network()
    net.save(real)
    real.chmod(0o600)
    link.symlink_to(real.name)
    dangling.symlink_to("new.npz")
    net.run(10.0)
    net.save(link)
    net.save(dangling)
    assert link.is_symlink()
    assert dangling.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [iz.load(path).t for path in (real, tmp_path / "new.npz")] == [10.0, 10.0]
    assert names(tmp_path) == ["dangling.npz", "link.npz", "new.npz", "real.npz"]


@POSIX
def test_new_files_have_the_mode_of_the_user(tmp_path):
    before = os.umask(0o027)
    try:
        small_network().save(tmp_path / "state.npz")
        net = small_network()
        net.record(net.populations["cells"], to=tmp_path / "spikes")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in names(tmp_path)] == [0o640, 0o640]


@POSIX
def test_a_pipe_gets_a_checkpoint_and_stays(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    small_network().save(pipe)
    reader.join(timeout=60)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "copy.npz").write_bytes(read[0])
    assert iz.load(tmp_path / "copy.npz").t == 0.0
    assert names(tmp_path) == ["copy.npz", "pipe"]


@POSIX
def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ValueError, match="Network.save.path must be a path, got "):
        small_network().save(tmp_path / "a")
    assert names(tmp_path) == ["a", "b"]


def test_threads_that_save_to_one_path_do_not_meet(tmp_path):
    path, failures = tmp_path / "state.npz", []
    networks = [small_network(seed) for seed in range(4)]

    def save(net):
        try:
            for _ in range(15):
                net.save(path)
        except BaseException as error:  # is looked at below
            failures.append(error)

    threads = [threading.Thread(target=save, args=(net,)) for net in networks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert iz.load(path).seed in range(4)
    assert names(tmp_path) == ["state.npz"]


def test_a_long_name_leaves_room_for_a_scratch_file(tmp_path):
    path = tmp_path / ("x" * 251 + ".npz")
    small_network().save(path)
    assert names(tmp_path) == [path.name]


KILLED = """
import os, signal, sys
from pathlib import Path
from izhnumba._base import files
if sys.argv[2] == "replaced":
    with files.replaced(Path(sys.argv[1])) as scratch:
        scratch.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
with files.created(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("wrote", flush=True)
    if sys.argv[2] == "waits":
        sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def writer(folder, path, what):
    script = folder.parent / f"{folder.name}.py"
    script.write_text(KILLED)
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.Popen(
        [sys.executable, script, path, what], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@POSIX
@pytest.mark.parametrize("what", ["replaced", "created"])
def test_what_a_killed_process_leaves_is_removed_by_the_next(tmp_path, what):
    path = tmp_path / "file"
    process = writer(tmp_path, path, what)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.startswith(".izhnumba-")
    (tmp_path / ".izhnumba-of-another").touch()
    net = small_network()
    if what == "replaced":
        net.save(path)
    else:
        net.record(net.populations["cells"], to=path)
    assert names(tmp_path) == [".izhnumba-of-another", "file"]


@POSIX
def test_what_somebody_still_writes_is_left_alone(tmp_path):
    path = tmp_path / "file"
    process = writer(tmp_path, path, "waits")
    try:
        assert process.stdout.readline() == b"wrote\n"
        (busy,) = names(tmp_path)
        small_network().save(path)
        assert names(tmp_path) == [busy, "file"]
    finally:
        process.communicate(timeout=60)
    small_network().save(path)
    assert names(tmp_path) == ["file"]


def test_without_locks_nothing_is_taken_for_left(tmp_path, monkeypatch):
    """As on Windows."""
    monkeypatch.setattr(files, "fcntl", None)
    path = tmp_path / "state.npz"
    with files.replaced(path) as scratch:
        scratch.write_bytes(b"busy")
        small_network().save(path)
        assert len(names(tmp_path)) == 2
    assert path.read_bytes() == b"busy"
    assert names(tmp_path) == ["state.npz"]


def test_a_scratch_file_taken_before_it_was_locked_is_made_anew(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []

    def locked(handle, *, wait):
        if wait and not seen:
            seen.extend(names(tmp_path))
            (tmp_path / seen[0]).unlink()  # somebody else was faster
        return True

    monkeypatch.setattr(files, "_locked", locked)
    with files.created(path) as file:
        file.write(b"all")
    assert len(seen) == 1
    assert path.read_bytes() == b"all"
    assert names(tmp_path) == ["file"]


# --- recordings -------------------------------------------------------------------------------------------------------


class FullDisk:
    """A file on a disk that is full."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def writelines(self, lines):
        raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_no_recording(tmp_path, monkeypatch):
    created = files.created

    @contextmanager
    def full(path):
        with created(path) as file:
            yield FullDisk(file)

    net = small_network()
    kept, moving = net.record(net.populations["cells"]), net.record(net.populations["cells"])
    net.run(30.0)
    monkeypatch.setattr(files, "created", full)
    with pytest.raises(OSError, match="No space left"):
        moving.to = tmp_path / "spikes"
    assert (names(tmp_path), moving.to) == ([], None)
    monkeypatch.undo()
    moving.to = tmp_path / "spikes"
    net.run(30.0)
    np.testing.assert_array_equal(iz.io.read(tmp_path / "spikes").t, kept.t)


@pytest.mark.parametrize("links", [True, False])
def test_a_recording_replaces_nothing(tmp_path, monkeypatch, links):
    """Also what comes in between, and on disks without hard links."""

    def none(*_):
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", none)
    path = tmp_path / "spikes"

    def late():
        with files.created(path) as file:
            file.write(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        late()
    assert path.read_bytes() == b"theirs"
    path.unlink()
    with files.created(path) as file:
        file.write(b"ours")
    assert path.read_bytes() == b"ours"
    assert names(tmp_path) == ["spikes"]


def test_a_recorder_stays_with_its_file_when_the_process_moves(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    net = small_network()
    kept = net.record(net.populations["cells"])
    recorder = net.record(net.populations["cells"], to="spikes")
    monkeypatch.chdir(elsewhere)
    net.run(40.0)
    net.save("state.npz")
    monkeypatch.chdir(tmp_path)
    assert recorder.to == tmp_path / "spikes"
    again = iz.load(elsewhere / "state.npz")
    again.run(20.0)
    net.recorders[recorder.name].to = tmp_path / "mine"
    net.run(20.0)
    np.testing.assert_array_equal(iz.io.read("spikes").t, kept.t)
    assert names(elsewhere) == ["state.npz"]
