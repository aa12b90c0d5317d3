"""Files that appear complete or not at all: what is written goes to a scratch file in the same folder first.

Who writes to a scratch file holds a lock on it, which ends with the process: one that is not locked was left by a
killed process, and the next writer to the same path removes it. Where there are no such locks it stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LONGEST = 40  # characters of an ending: names of files are bounded
_EACCES = 13


def replaced(path: Path) -> AbstractContextManager[Path]:
    """A scratch file, whose content is that of `path` at the end. Links are followed and a mode stays as it is; what
    is no file, such as a pipe, gets the content. After an error all is as before."""
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and (target.is_dir() or not os.access(target, os.W_OK)):
        raise PermissionError(_EACCES, os.strerror(_EACCES), str(path))
    return _poured(path) if path.exists() and not path.is_file() else _replaced(target)


@contextmanager
def created(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which is there under the name `path` at the end; FileExistsError if something else is."""
    if os.path.lexists(path):
        remove_left(path)
        raise FileExistsError(f"{str(path)!r} exists.")
    ours: os.stat_result | None = None
    try:
        with _scratch(path) as scratch:
            with scratch.open("r+b") as file:
                yield file
                _to_disk(file)
            ours = scratch.stat()
            _name(scratch, path)
    except BaseException:  # Ctrl-C, when it had its name already
        if ours is not None and path.exists() and os.path.samestat(ours, path.stat()):
            path.unlink()
        raise


def _name(scratch: Path, path: Path) -> None:
    try:
        os.link(scratch, path)  # unlike a rename it replaces nothing
    except FileExistsError:
        raise
    except OSError:  # there are no hard links on this disk
        if os.path.lexists(path):
            raise FileExistsError(f"{str(path)!r} exists.") from None
        os.rename(scratch, path)


def remove_left(path: Path) -> None:
    """Remove the scratch files of killed processes that were to become this file."""
    with contextlib.suppress(OSError):
        for scratch in path.parent.glob(f"{_prefix(path)}*"):
            with contextlib.suppress(OSError):
                handle = os.open(scratch, os.O_RDWR)
                try:
                    if _locked(handle, wait=False) and _is_there(handle, scratch):
                        scratch.unlink()
                finally:
                    os.close(handle)


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    with _scratch(target) as scratch:
        if target.exists():
            shutil.copymode(target, scratch)
        yield scratch
        with scratch.open("ab") as file:
            _to_disk(file)
        os.replace(scratch, target)


@contextmanager
def _poured(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / path.name
        scratch.touch()
        yield scratch
        with scratch.open("rb") as source, path.open("wb") as sink:
            shutil.copyfileobj(source, sink)


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """An empty file of a new name, locked and gone at the end."""
    remove_left(target)
    path, held = _new(target)
    try:
        if fcntl is None:
            held.close()  # what is open cannot be renamed there
        yield path
    finally:
        path.unlink(missing_ok=True)
        held.close()


def _new(target: Path) -> tuple[Path, BinaryIO]:
    """The file, and what holds the lock: an object, whose end is that of the lock, whatever interrupts."""
    while True:
        path = target.with_name(f"{_prefix(target)}{secrets.token_hex(4)}{target.suffix[-_LONGEST:]}")
        held = path.open("x+b")
        _locked(held.fileno(), wait=True)
        if fcntl is None or _is_there(held.fileno(), path):
            return path, held
        held.close()  # somebody took it for one that was left, before it was locked


def _prefix(target: Path) -> str:
    return f".izhnumba-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"


def _locked(handle: int, *, wait: bool) -> bool:
    """Whether we hold the lock now; without one where there are none."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _is_there(handle: int, path: Path) -> bool:
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
