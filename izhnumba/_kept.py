"""Where recorders keep their rows: in memory, or in a file of blocks.

A file is `MAGIC`, a block of JSON that describes the columns, a block of indices (int64), then a block for each piece
of rows: column after column. A block is a head of 16 bytes, which are its length (8 bytes), the CRC-32 of what follows
and the CRC-32 of these 12 bytes, and then that many bytes. Only the last block can be cut short, by a process that was
killed while it wrote.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MAGIC = b"\x93izhrec"
_VERSION = b"\x01"
_HEAD = struct.Struct("<QII")


class Column(NamedTuple):
    """Of rows: its name, the dtype and the shape of an entry."""

    name: str
    dtype: str
    shape: tuple[int, ...] = ()

    def array(self, n_rows: int, data: bytes = b"") -> Array:
        return np.frombuffer(data, self.dtype).reshape((n_rows, *self.shape))

    @property
    def row_bytes(self) -> int:
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape, dtype=np.int64))


class Memory:
    """Pieces of rows, and the instant up to which they are complete: one object, so that Ctrl-C cannot part them."""

    def __init__(self, columns: list[Column], upto: Any) -> None:
        self._columns = columns
        self._pieces: list[tuple[Any, ...]] = []
        self.clear(upto)

    @property
    def upto(self) -> Any:
        return self._pieces[-1][0]

    def append(self, upto: Any, *rows: Array) -> None:
        if len(rows[0]):
            self._pieces.append((upto, *rows))
        else:
            self._pieces[-1] = (upto, *self._pieces[-1][1:])

    def rows(self) -> list[Array]:
        """All rows, column by column."""
        if len(self._pieces) > 1:
            _, *columns = zip(*self._pieces, strict=True)
            self._pieces = [(self.upto, *(_joined(pieces) for pieces in columns))]
        return list(self._pieces[0][1:])

    def clear(self, upto: Any = 0) -> None:
        """Start again."""
        self._pieces = [(upto, *(column.array(0) for column in self._columns))]

    def position(self) -> dict[str, Any]:
        """What `restore` needs, for a checkpoint."""
        return {"upto": self.upto, "rows": self.rows()}

    def restore(self, position: dict[str, Any]) -> None:
        self._pieces = [(position["upto"], *position["rows"])]


class Stream:
    """A file to which each piece of rows is appended as a block. What could not be written waits for the next time."""

    def __init__(self, path: Path, columns: list[Column], upto: Any, about: dict[str, Any], index: Array) -> None:
        self.path, self._columns = path, columns
        head = json.dumps(about | {"columns": [column._asdict() for column in columns]}).encode()
        start = MAGIC + _VERSION + _block(head) + _block(np.asarray(index, "<i8").tobytes())
        self._start = len(start)
        # Where the next block goes, the instant so far, waiting blocks, how long the file is: one object for Ctrl-C.
        self._at: tuple[int, Any, list[bytes], int] = len(start), upto, [], len(start)
        with open(path, "xb") as file:
            file.write(start)

    @property
    def upto(self) -> Any:
        return self._at[1]

    def append(self, upto: Any, *rows: Array) -> None:
        end, _, waiting, size = self._at
        named = zip(self._columns, rows, strict=True)
        block = [_block(b"".join(np.asarray(row, c.dtype).tobytes() for c, row in named))] if len(rows[0]) else []
        self._at = end, upto, waiting + block, size
        self._write()

    def inherit(self, other: Stream) -> None:
        """Write what another file could not take."""
        end, upto, _, size = self._at
        self._at = end, upto, other._at[2], size
        self._write()

    def _write(self) -> None:
        end, upto, waiting, size = self._at
        if waiting:
            data = b"".join(waiting)
            with open(self.path, "r+b") as file:
                self._check_end(file, size, data)
                file.seek(end)
                file.write(data)
                file.truncate()
            self._at = end + len(data), upto, [], end + len(data)

    def _check_end(self, file: BinaryIO, size: int, data: bytes) -> None:
        """Refuse to cut off what somebody else has appended; what may be there is a part of our own data."""
        file.seek(size)
        more = file.read(len(data) + 1)
        if file.seek(0, 2) < size or not data.startswith(more):
            raise RuntimeError(
                f"Network.record.to must be a file of one recorder, got {str(self.path)!r}, which has changed. Give "
                "this recorder another file: recorder.to = path."
            )

    def rows(self) -> list[Array]:
        """All rows, column by column, from the file."""
        self._write()
        return read(self.path)[2]

    @property
    def filled(self) -> bool:
        """Whether there are any rows."""
        return self._at[0] > self._start or bool(self._at[2])

    def clear(self) -> None:
        """Start again; only for a file that is not filled."""
        self._at = self._start, 0, [], self._start

    def position(self) -> dict[str, Any]:
        """What `restore` needs, for a checkpoint."""
        self._write()
        return {"upto": self.upto, "end": self._at[0]}

    @classmethod
    def reopen(cls, path: Path, columns: list[Column]) -> Stream:
        """A file that exists, before `restore` says where to go on."""
        stream = cls.__new__(cls)
        stream.path, stream._columns = path, columns
        return stream

    def restore(self, position: dict[str, Any]) -> None:
        """Go on from here: what was appended later is cut off when new rows come."""
        with open(self.path, "rb") as file:
            ends = [end for end, _ in _blocks(file) if end <= position["end"]]
        if position["end"] not in ends:
            raise ValueError(f"{str(self.path)!r} must hold what was recorded before the checkpoint, got less.")
        self._start, self._at = ends[1], (position["end"], position["upto"], [], self.path.stat().st_size)


def is_recording(path: Path) -> bool:
    """Whether a file is of this kind."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read(path: Path, *, until_damage: bool = False) -> tuple[dict[str, Any], Array, list[Array]]:
    """What a file of blocks is about, its indices, and its rows column by column."""
    with open(path, "rb") as file:
        blocks = _blocks(file, until_damage=until_damage)
        (_, head), (_, index) = next(blocks), next(blocks)
        about = json.loads(head)
        columns = [Column(one["name"], one["dtype"], tuple(one["shape"])) for one in about["columns"]]
        pieces = [_rows(columns, block) for _, block in blocks]
    joined = [_joined(column) for column in zip([c.array(0) for c in columns], *pieces, strict=True)]
    return about, np.frombuffer(index, "<i8").astype(np.int64), joined


def _rows(columns: list[Column], block: bytes) -> list[Array]:
    n_rows, begin, rows = len(block) // sum(column.row_bytes for column in columns), 0, []
    for column in columns:
        end = begin + n_rows * column.row_bytes
        rows.append(column.array(n_rows, block[begin:end]))
        begin = end
    return rows


def _block(data: bytes) -> bytes:
    head = struct.pack("<QI", len(data), zlib.crc32(data))
    return head + struct.pack("<I", zlib.crc32(head)) + data


def _blocks(file: BinaryIO, *, until_damage: bool = False) -> Iterator[tuple[int, bytes]]:
    """Where each block of a file ends, and the block."""
    must, number = f"{file.name!r} must be a recording of izhnumba", 0
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError(f"{must}, got another kind of file.")
    version = file.read(1)
    if version != _VERSION:
        raise ValueError(f"{must} of format 1, got format {version[:1].hex()}. Update izhnumba.")
    while True:
        at, head = file.tell(), file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            break  # the end, or a head cut short
        length, checksum, check = _HEAD.unpack(head)
        good = zlib.crc32(head[:-4]) == check
        block = file.read(length) if good else b""
        if good and len(block) < length:
            break  # cut short
        if not good or zlib.crc32(block) != checksum:
            if until_damage and number >= 2:
                break
            raise ValueError(
                f"{must}, got one with damage in block {number}, at byte {at}. What lies before it can be read with "
                "until_damage=True."
            )
        yield file.tell(), block
        number += 1
    if number < 2:
        raise ValueError(f"{must}, got one that ends in its head.")


def _joined(pieces: Any) -> Array:
    """One array; a copy only if several pieces have rows."""
    filled = [piece for piece in pieces if len(piece)]
    return np.concatenate(filled) if len(filled) > 1 else (filled or pieces)[0]
