"""Files that appear complete or not at all: content is written to a scratch file in the same folder first.

The writer of a scratch file holds a lock on it, which ends with its process: a scratch file without a lock was left by
a killed process, and the next writer to the same path removes it. On systems without such locks it stays.
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
    """Context of a scratch file, which takes the place of `path` when the block ends; after an error `path` is as
    before.

    Links are followed and the mode stays. Where `path` is no plain file, such as a pipe, the content is copied to
    it."""
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and (target.is_dir() or not os.access(target, os.W_OK)):
        raise PermissionError(_EACCES, os.strerror(_EACCES), str(path))
    return _poured(path) if path.exists() and not path.is_file() else _replaced(target)


@contextmanager
def created(path: Path) -> Iterator[BinaryIO]:
    """Context of a file to write to, which gets the name `path` when the block ends; FileExistsError if that exists."""
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
    """Give the scratch file its name; FileExistsError if that has come to exist."""
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
    """Context of an empty file with a new name, locked, and removed at the end unless it was renamed."""
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
    """The path of a new scratch file, and the open file that holds its lock: however that ends, the lock ends with
    it."""
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
    """Whether this process now holds the lock of an open file; False where there are no locks."""
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
