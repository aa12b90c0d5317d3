"""Rows in a file of blocks."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks, files
from izhnumba._engine.timebase import Column, Instant
from izhnumba._record import blocks as block_format
from izhnumba._record.blocks import Packed, chained, in_turn, packed_rows, packed_start
from izhnumba._record.memory import MemoryStore

Array = NDArray[Any]
_PIECE = 2**20  # bytes


class _At(NamedTuple):
    """Where the next block goes; the CRC-32 of the heads before it; the instant so far; blocks that wait to be written;
    how long the file is, and whether there are rows in it behind `end`, later ones than those of a checkpoint."""

    end: int
    heads: int
    upto: Instant
    waiting: list[Packed]
    size: int
    later: bool = False


class FileStore:
    """A file to which each piece of rows is appended as a block. What could not be written waits for the next time."""

    path: Path
    _columns: list[Column]
    _start: int
    _at: _At  # one object for Ctrl-C
    _room: Sequence[Array] = ()

    def __init__(
        self, path: Path, columns: list[Column], upto: Instant, about: dict[str, Any], index: Array,
        before: MemoryStore | FileStore | None = None,
    ) -> None:  # fmt: skip
        """Create a file and write what `before` holds.

        Parameters
        ----------
        path : Path
            Of a file that is not there yet.
        columns : list of Column
        upto : instant
            Until when the rows of `before` tell.
        about : dict
            What the head of the file says of the recording.
        index : ndarray
            Indices of the neurons or synapses that are recorded.
        before : MemoryStore or FileStore, optional
            Rows so far, or a file whose last blocks could not be written.
        """
        start, heads = packed_start(about, columns, index)
        waiting = before._at.waiting if isinstance(before, FileStore) else []
        if isinstance(before, MemoryStore):
            waiting = packed_rows(columns, before.rows())
        end = len(start) + sum(block.size for block in waiting)
        self.path, self._columns, self._start = path, columns, len(start)
        self._at = _At(end, chained(waiting, heads), upto, [], end)
        with files.created(path) as file:  # last: there is no file without an owner
            file.write(start)
            file.writelines(in_turn(waiting))

    @property
    def upto(self) -> Instant:
        return self._at.upto

    def append(self, upto: Instant, *rows: Array) -> None:
        """Write rows, an array per column, which nobody changes until they are written."""
        blocks = packed_rows(self._columns, rows)
        self._at = self._at._replace(upto=upto, waiting=self._at.waiting + blocks)
        self._write()

    def room(self, n: int) -> Sequence[Array]:
        """For each column an array for the next rows, n or more: `keep` says that they are there."""
        if self._at.waiting or not self._room or n > len(self._room[0]):
            self._room = [np.empty((n, *column.shape), column.dtype) for column in self._columns]
        return self._room

    def keep(self, upto: Instant, n: int, room: Sequence[Array]) -> None:
        """The next n rows have been written to `room`, or to what has been left of it."""
        self.append(upto, *(column[:n] for column in room))

    def _write(self) -> None:
        if not self._at.waiting:
            return
        with open(self.path, "r+b") as file:
            if self._at.later:
                self._part_with_later(file)
            end, heads, _, waiting, size, _ = self._at
            self._check_end(file, size, waiting)
            file.seek(end)
            file.writelines(in_turn(waiting))
            file.truncate()
        end += sum(block.size for block in waiting)
        self._at = self._at._replace(end=end, heads=chained(waiting, heads), waiting=[], size=end)

    def _check_end(self, file: BinaryIO, size: int, waiting: list[Packed]) -> None:
        """Refuse to cut off what somebody else has appended; what may be there is a part of our own data."""
        length, file_size = sum(block.size for block in waiting), file.seek(0, os.SEEK_END)
        file.seek(size)
        more = file.read(length + 1) if file_size > size else b""
        if file_size < size or (more and not b"".join(in_turn(waiting)).startswith(more)):
            raise RuntimeError(
                f"Network.record.to must be a file of one recorder, got {str(self.path)!r}, which has changed. Give "
                "this recorder another file: recorder.to = path."
            )

    def _part_with_later(self, file: BinaryIO) -> None:
        """Move what lies behind the end to a recording of its own, and only then cut it off."""
        if file.seek(0, os.SEEK_END) != self._at.end:  # else an interrupt came after the cut
            self._check_end(file, self._at.size, [])
            self._copy_later(file)
            file.truncate(self._at.end)
        self._at = self._at._replace(size=self._at.end, later=False)

    def _copy_later(self, file: BinaryIO) -> None:
        for number in itertools.count(1):
            beside = self.path.with_name(f"{self.path.name}.{number}")
            try:
                with files.created(beside) as copy:
                    file.seek(0)
                    copy.write(file.read(self._start))
                    file.seek(self._at.end)
                    shutil.copyfileobj(file, copy)
                return
            except FileExistsError:
                if self._is_copy(beside, file):  # an interrupt came before the cut
                    return

    def _is_copy(self, beside: Path, file: BinaryIO) -> bool:
        """Whether a file holds what lies behind the end of this one."""
        if not beside.is_file() or beside.stat().st_size != self._start + self._at.size - self._at.end:
            return False
        with open(beside, "rb") as other:
            other.seek(self._start)
            file.seek(self._at.end)
            pieces = iter(lambda: (other.read(_PIECE), file.read(_PIECE)), (b"", b""))
            return all(one == another for one, another in pieces)

    def rows(self, *, alone: bool = True) -> list[Array]:
        """All rows, column by column, from the file. alone: no other thread is about to write more."""
        if alone:
            self._write()
        return block_format.recording("Network.record.to", self.path, upto=self._at.end).rows()

    @property
    def filled(self) -> bool:
        """Whether there are any rows."""
        return self._at.end > self._start or bool(self._at.waiting)

    def cleared(self) -> FileStore:
        """The store of a recorder that has forgotten everything, at instant 0: this file, which is not filled."""
        self._at = self._at._replace(upto=0)
        return self

    def position(self) -> dict[str, Any]:
        """State for `reopen`, in a checkpoint: the instant so far, the end in bytes and the CRC-32 of the heads."""
        self._write()
        return {"upto": self.upto, "end": self._at.end, "heads": self._at.heads}

    @classmethod
    def reopen(
        cls, path: Path, columns: list[Column], about: dict[str, Any], index: Array, position: dict[str, Any]
    ) -> tuple[FileStore, Any]:
        """A file that exists, from a position on. If it holds rows behind that, which stay there until new ones come,
        the label of the last one, else None."""
        end, name = position["end"], os.fspath(path)
        where = f"load: the file of recorder {about['name']!r}"
        found = block_format.recording(where, path, until_damage=True, with_rows=False)
        expected = about | {"columns": columns, "index": index.tolist()}
        if about["kind"] == "spikes" and not found.places.size:  # older files do not say which neurons
            del expected["index"]
        there = found.about | {"columns": found.columns, "index": found.places.tolist()}
        for key, value in expected.items():
            if there.get(key, value) != value:  # older files have no seed
                got = f"of another {key}" if key in ("columns", "index") else f"with {key} {checks.shown(there[key])}"
                raise ValueError(f"{where} ({name!r}) must be its recording in this network, got one {got}.")
        blocks = {found.first.end: found.first} | {block.end: block for block, _ in found.pieces}
        if end not in blocks:
            raise ValueError(f"{where} ({name!r}) must hold what was recorded before the checkpoint, got less.")
        heads = blocks[end].heads
        if position.get("heads", heads) != heads:
            raise ValueError(
                f"{where} ({name!r}) must hold what was recorded before the checkpoint, got something else."
            )
        later = max(blocks) > end
        stream = cls.__new__(cls)
        stream.path, stream._columns, stream._start = path, columns, found.first.end
        stream._at = _At(end, heads, position["upto"], [], path.stat().st_size, later)
        return stream, found.last if later else None
