"""Paths: each that cannot be read or written is refused in the words of the house, and nothing is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import izhnumba as iz
from izhnumba._base import paths

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs permissions and links of POSIX")

# In a process of its own, which gives up being root: root may read and write everything.
_AS_A_USER = """
import os, sys, pathlib
from izhnumba._base import paths
if os.getuid() == 0:
    os.setuid(65534)
for what, path in (line.split() for line in sys.stdin):
    try:
        getattr(paths, what)("f.path", path)
    except OSError as error:
        print(f"{type(error).__name__} {error}")
    else:
        print("good")
"""


@POSIX
def test_what_is_not_permitted_is_said(tmp_path):
    for name in ("closed", "listed", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "there").write_text("1\n")
    (tmp_path / "open" / "secret").touch(0o000)
    for name, mode in (("closed", 0o000), ("listed", 0o555), ("open", 0o777), ("open/there", 0o666), (".", 0o755)):
        (tmp_path / name).chmod(mode)
    outer = {folder: folder.stat().st_mode for folder in list(tmp_path.parents)[:2]}  # of pytest, for its user alone
    for folder, mode in outer.items():
        folder.chmod(mode | 0o011)
    expected = {
        "place closed/x": "PermissionError f.path must be in a folder that can be entered, got 'closed/x'.",
        "place closed/x/y": "PermissionError f.path must be in a folder that can be entered, got 'closed/x/y'.",
        "file closed/there": "PermissionError f.path must be in a folder that can be entered, got 'closed/there'.",
        "text_table closed/no": "PermissionError f.path must be in a folder that can be entered, got 'closed/no'.",
        "place listed/x": "PermissionError f.path must be in a folder that can be written, got 'listed/x'.",
        "place listed/there": "PermissionError f.path must be a file that can be written, got 'listed/there'.",
        "file listed/there": "good",
        "file open/secret": "PermissionError f.path must be a file that can be read, got 'open/secret'.",
        "place open/x": "good",
        "place open/there": "good",
        "place /dev/null": "good",
    }
    command = [sys.executable, "-c", _AS_A_USER]
    environment = {**os.environ, "PYTHONPATH": str(Path(iz.__file__).parents[1])}
    try:
        done = subprocess.run(
            command,
            input="\n".join(expected),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            timeout=60,
        )
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert done.stderr == ""
    assert dict(zip(expected, done.stdout.splitlines(), strict=True)) == expected


@POSIX
@pytest.mark.parametrize("check", [paths.file, paths.place, paths.text_table])
def test_links_in_a_circle_are_no_path(check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a").symlink_to("b")
    Path("b").symlink_to("a")
    for name in ("a", "a/x"):
        with pytest.raises(ValueError, match=rf"f.path must be a path, got '{name}'. \w.+ links"):
            check("f.path", name)


@POSIX
def test_links_lead_to_their_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("good").symlink_to("new")
    Path("lost").symlink_to("nowhere/new")
    assert paths.place("f.path", "good") == Path("good")
    with pytest.raises(FileNotFoundError, match="f.path must be in an existing folder, got 'lost'. Make it first."):
        paths.place("f.path", "lost")


@pytest.mark.parametrize(
    ("check", "value", "kind", "message"),
    [
        (paths.file, "none", FileNotFoundError, "f.path must be an existing file, got 'none'."),
        (paths.file, ".", FileNotFoundError, "f.path must be an existing file, got the folder '.'."),
        (paths.file, "~/x", FileNotFoundError, "got '~/x'. Write Path(path).expanduser() for ~."),
        (paths.place, "~/x", FileNotFoundError, "got '~/x'. Write Path(path).expanduser() for ~."),
        (paths.place, "no/x", FileNotFoundError, "f.path must be in an existing folder, got 'no/x'. Make it first."),
        (paths.place, "", IsADirectoryError, "f.path must be a file, got the folder '.'."),
        (paths.place, "a\0b", ValueError, r"f.path must be a path, got 'a\x00b'. A path has no null characters."),
        (paths.place, "a" * 5000, ValueError, "f.path must be a path, got 'aaaa"),
        (paths.place, None, TypeError, "f.path must be a path, got None."),
        (paths.text_table, "text", ValueError, "f.path must be a table of numbers, got 'text': could not convert"),
    ],
)
def test_refused(check, value, kind, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("1 2\n1 x\n")
    with pytest.raises(kind) as raised:
        check("f.path", value)
    text = str(raised.value)
    assert message in text
    assert ".." not in text.replace("...", "")
    assert len(text) < 200
    assert os.listdir() == ["text"]
