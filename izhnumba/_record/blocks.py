"""The format of recordings: files of blocks.

A file is `MAGIC`, a block of JSON that describes the columns, a block of indices (int64), then a block for each piece
of rows: column after column. A block is a head of 16 bytes, which are its length (8 bytes), the CRC-32 of what follows
and the CRC-32 of these 12 bytes, and then that many bytes. Only the last block can be cut short, by a process that was
killed while it wrote. Nothing that a file says is believed before it has been checked.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._engine.states import states_of
from izhnumba._engine.timebase import Column, Instant
from izhnumba._model.states import may_name_states

Array = NDArray[Any]
MAGIC = b"\x93izhrec"
VERSION = b"\x01"
_HEAD = struct.Struct("<QII")
_LARGE = 2**18  # bytes, of which a CRC-32 is worth a compiled function
_MOST_DT, _MOST_STEPS = 1e280, 2**62  # their product is a finite time
_STATES = ["<f4", "<f8"]
_LABELS = {"step": "<i8", "t": "<f8"}  # the names that timebases give to their column
OF_SYNAPSES = "weight", "eligibility", "modulator"
_KINDS: dict[str, Callable[[list[str]], bool]] = {  # whether these may be the columns beside the label
    "spikes": lambda names: names == ["i"],
    "states": lambda names: names in [[name] for name in states_of("receptor")] or _of_neurons(names),
    "weights": lambda names: names == [name for name in OF_SYNAPSES if name in names],
    "reductions": lambda names: names == ["values"],
}


def _of_neurons(names: list[str]) -> bool:
    """Whether these are names of states of neurons, in their order: V, u, and those that models have besides."""
    known = states_of("neurons")
    own = [name for name in names if name not in known]
    return names == [name for name in known if name in names] + own and may_name_states(own)


class Block(NamedTuple):
    """Where a block ends, the CRC-32 of the heads of all blocks so far, and what it holds."""

    end: int
    heads: int
    data: bytes


class Recording(NamedTuple):
    """A recording as read: its description, columns, indices of the neurons or synapses (int64), and blocks of rows."""

    about: dict[str, Any]
    columns: list[Column]
    places: Array
    first: Block  # with the indices: rows begin behind it
    pieces: list[tuple[Block, list[Array]]]
    last: Instant  # label

    def rows(self) -> list[Array]:
        """All rows, column by column."""
        pieces = [[column.array(0) for column in self.columns], *(rows for _, rows in self.pieces)]
        return [joined(column) for column in zip(*pieces, strict=True)]


def is_recording(path: Path) -> bool:
    """Whether a file is of this kind."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read(where: str, path: Path, *, until_damage: bool = False) -> tuple[dict[str, Any], Array, list[Array]]:
    """A recording: its description, indices (int64), and rows, an array per column. where: names the argument."""
    found = recording(where, path, until_damage=until_damage)
    return found.about, found.places, found.rows()


def recording(
    where: str, path: Path, *, until_damage: bool = False, upto: int | None = None, with_rows: bool = True
) -> Recording:
    """All that a file holds up to the byte `upto`; the rows are looked at in any case."""
    with open(path, "rb") as file:
        must = f"{where} ({os.fspath(path)!r}) must be a recording of izhnumba"
        size = os.fstat(file.fileno()).st_size
        blocks = _blocks(file, must, size if upto is None else min(upto, size))
        first = [block for _, block in zip(range(2), blocks, strict=False)]
        if len(first) < 2:
            raise ValueError(f"{must}, got one that ends in its head.")
        about, columns = _about(must, first[0].data)
        index = _index(must, about, columns, first[1].data)
        pieces = list[tuple[Block, list[Array]]]()
        last: Instant = -math.inf
        try:
            for block in blocks:
                rows = _rows(must, about, columns, block, last)
                last = rows[_label(columns)][-1]
                pieces.append((block._replace(data=b""), rows if with_rows else []))
        except ValueError:
            if not until_damage:
                raise
    return Recording(about, columns, index, first[1], pieces, last)


class Packed(NamedTuple):
    """A block that is to be written: its head, and pieces of memory, one behind the other, which are not copied."""

    head: bytes
    pieces: list[Array]

    @property
    def size(self) -> int:
        """In bytes, with the head."""
        return len(self.head) + sum(piece.nbytes for piece in self.pieces)


def packed(*pieces: Array) -> Packed:
    """A block."""
    checksum = 0
    for piece in pieces:
        checksum = _crc32(piece, checksum)
    head = struct.pack("<QI", sum(piece.nbytes for piece in pieces), checksum)
    return Packed(head + struct.pack("<I", zlib.crc32(head)), list(pieces))


def _crc32(piece: Array, before: int) -> int:
    """The CRC-32 of the bytes of an array, behind others."""
    if piece.nbytes < _LARGE:
        return zlib.crc32(piece.data, before)
    from izhnumba._numba.crc32 import crc32

    return crc32(piece, before)


def packed_rows(columns: list[Column], rows: Sequence[Array]) -> list[Packed]:
    """A block of rows; none if there are no rows."""
    if not len(rows[0]):
        return []
    return [packed(*(np.ascontiguousarray(row, column.dtype) for column, row in zip(columns, rows, strict=True)))]


def in_turn(blocks: Sequence[Packed]) -> list[Any]:
    """Heads and pieces of blocks in the order in which they are written."""
    return [piece for block in blocks for piece in (block.head, *block.pieces)]


def packed_start(about: dict[str, Any], columns: list[Column], index: Array) -> tuple[bytes, int]:
    """The first bytes of a file, and the CRC-32 of the heads of its two blocks."""
    about = about | {"columns": [column._asdict() for column in columns]}
    blocks = [packed(np.frombuffer(json.dumps(about).encode(), np.uint8)), packed(np.ascontiguousarray(index, "<i8"))]
    return MAGIC + VERSION + b"".join(in_turn(blocks)), chained(blocks)


def chained(blocks: Sequence[Packed], heads: int = 0) -> int:
    """The CRC-32 of the heads of blocks, behind that of those before them."""
    for block in blocks:
        heads = heads_of(block.head, heads)
    return heads


def heads_of(head: bytes, before: int = 0) -> int:
    """The CRC-32 of the heads of the blocks up to this one, but for the CRC-32 in each, to which it would be blind."""
    return zlib.crc32(head[: _HEAD.size - 4], before)


def joined(pieces: Sequence[Array]) -> Array:
    """One array; a copy only if several pieces have rows."""
    filled = [piece for piece in pieces if len(piece)]
    return np.concatenate(filled) if len(filled) > 1 else (filled or pieces)[0]


def _blocks(file: BinaryIO, must: str, size: int) -> Iterator[Block]:
    """The blocks of a file of which `size` bytes count, each read only if it is there as a whole."""
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError(f"{must}, got another kind of file.")
    version = file.read(1)
    if version != VERSION:
        raise ValueError(f"{must} of format 1, got format {version[:1].hex()}. Update izhnumba.")
    number, heads = 0, 0
    while size - (at := file.tell()) >= _HEAD.size:
        head = file.read(_HEAD.size)
        length, checksum, check = _HEAD.unpack(head)
        good = zlib.crc32(head[:-4]) == check
        if good and length > size - file.tell():
            return  # cut short
        data = file.read(length) if good else b""
        if not good or zlib.crc32(data) != checksum:
            raise ValueError(
                f"{must}, got one with damage in block {number}, at byte {at}. What lies before it can be read with "
                "until_damage=True."
            )
        heads = heads_of(head, heads)
        yield Block(file.tell(), heads, data)
        number += 1


def _about(must: str, head: bytes) -> tuple[dict[str, Any], list[Column]]:
    """The first block. Names that are not known here may be there."""
    try:
        about = json.loads(head)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise ValueError(f"{must}, got one whose head is no JSON object.")
    dt: Any = about.get("dt")
    seed: Any = about.get("seed")
    for name, good in (
        ("kind", about.get("kind") in list(_KINDS)),
        ("name", isinstance(about.get("name"), str)),
        ("dt", type(dt) in (int, float) and 0 < dt < _MOST_DT),
        ("n", type(about.get("n")) is int and 0 < about["n"] < 2**63),
        ("seed", seed is None or (type(seed) is int and seed >= 0)),
        ("columns", isinstance(about.get("columns"), list)),
    ):
        if not good:
            raise ValueError(f"{must}, got one with {name} {checks.shown(about.get(name))}.")
    columns = [_column(must, one) for one in about["columns"]]
    _check_columns(must, about["kind"], columns)
    return about | {"dt": float(dt)}, columns


def _column(must: str, one: Any) -> Column:
    shape = one.get("shape") if isinstance(one, dict) and set(one) == set(Column._fields) else None
    good = isinstance(shape, list) and all(type(n) is int and 0 <= n < 2**60 for n in shape)
    if not good or not isinstance(one["name"], str) or one["dtype"] not in ["<i8", *_STATES]:
        raise ValueError(f"{must}, got one with the column {checks.shown(one)}.")
    return Column(one["name"], one["dtype"], tuple(one["shape"]))


def _check_columns(must: str, kind: str, columns: list[Column]) -> None:
    """Spikes are (i, label), samples (label, states), all of one width, or (label, values)."""
    spikes, label = kind == "spikes", _label(columns)
    good = 0 <= label < len(columns) and label == (1 if spikes else 0)
    if good:
        others = [column for k, column in enumerate(columns) if k != label]
        good = bool(others) and _KINDS[kind]([column.name for column in others])
        good &= columns[label] == Column(columns[label].name, _LABELS[columns[label].name])
        for column in others:
            if kind == "reductions":
                good &= column.dtype in ("<i8", "<f8")
            elif column.name == "modulator":  # a number of all synapses
                good &= column.dtype in _STATES and not column.shape
            else:
                good &= column == Column("i", "<i8") if spikes else column.dtype in _STATES and len(column.shape) == 1
                good &= column[1:] == others[0][1:]
    if not good:
        raise ValueError(f"{must}, got one of {kind} with the columns {checks.shown([tuple(c) for c in columns])}.")


def _label(columns: list[Column]) -> int:
    """The number of the column of labels; -1 if there is none."""
    return next((k for k, column in enumerate(columns) if column.name in _LABELS), -1)


def _index(must: str, about: dict[str, Any], columns: list[Column], data: bytes) -> Array:
    """The second block: neurons or synapses, one for each place in a row of states; of spikes none if all neurons were
    recorded."""
    kind, shape = about["kind"], columns[1].shape
    n_places = len(data) // 8 if kind in ("spikes", "reductions") or not shape else shape[0]
    if len(data) != 8 * n_places:
        raise ValueError(
            f"{must}, got one with {counted(len(data), 'byte')} of indices for {counted(n_places, 'place')}."
        )
    index = np.frombuffer(data, "<i8").astype(np.int64)
    most = about["n"] if kind in ("spikes", "states", "reductions") else 2**63 - 1
    if np.any((index < 0) | (index >= most)):
        raise ValueError(f"{must}, got one with an index that is not from 0 to {most - 1}.")
    return index


def _rows(must: str, about: dict[str, Any], columns: list[Column], block: Block, last: float) -> list[Array]:
    """A later block. last: the label before it."""
    data, begin, rows = block.data, 0, list[Array]()
    n_rows, rest = divmod(len(data), sum(column.row_bytes for column in columns))
    if rest or not n_rows:
        raise ValueError(
            f"{must}, got one with {counted(len(data), 'byte')} of rows up to byte {block.end}, no whole rows."
        )
    for column in columns:
        end = begin + n_rows * column.row_bytes
        rows.append(column.array(n_rows, data[begin:end]))
        begin = end
    labels = rows[_label(columns)]
    ascending = max(last, 0) <= labels[0] <= labels[-1] < _MOST_STEPS and np.all(labels[1:] >= labels[:-1])
    if not ascending:
        raise ValueError(f"{must}, got one with times that do not ascend in the rows up to byte {block.end}.")
    if about["kind"] == "spikes" and np.any((rows[0] < 0) | (rows[0] >= about["n"])):
        raise ValueError(f"{must}, got one with neurons that are not from 0 to {about['n'] - 1}.")
    return rows
