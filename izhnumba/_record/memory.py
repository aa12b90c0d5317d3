"""Rows in memory: arrays that grow at their ends, so that whoever reads them in a loop copies nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.timebase import Column, Instant

Array = NDArray[Any]
_SMALL = 2**16  # bytes: small chunks are gathered up to here


def roomy(buffer: Array, n: int, end: int) -> Array:
    """`buffer`, or where it is too small a larger one with its first n rows, with room for `end` rows. A buffer that
    grows again and again grows by a half, so that each row is copied a few times; views of it stay as they are."""
    if end <= len(buffer):
        return buffer
    larger = np.empty((end if 2 * n < end else end + end // 2, *buffer.shape[1:]), buffer.dtype)
    larger[:n] = buffer[:n]
    return larger


class _Chunk(NamedTuple):
    """Rows that lie together: until when they tell, how many rows are before them and how many they are, and for each
    column a buffer of which they are the first."""

    upto: Instant
    start: int
    n: int
    buffers: tuple[Array, ...]

    @property
    def end(self) -> int:
        return self.start + self.n

    @property
    def free(self) -> int:
        return len(self.buffers[0]) - self.n


class MemoryStore:
    """Chunks of rows, of which the last one grows, and the instant up to which they are complete.

    Readers join the chunks and get views, which stay as they are: rows that are written are never written anew. Another
    thread than the one that records may read, too. What it joins it puts in place of the first chunk, over whose end
    the later ones then reach back; only the recording thread drops these.
    """

    def __init__(self, columns: list[Column], upto: Instant) -> None:
        self._columns = columns
        self._row_bytes = max(1, sum(column.row_bytes for column in columns))
        empty = tuple(np.empty((0, *column.shape), column.dtype) for column in columns)
        self._chunks = [_Chunk(upto, 0, 0, empty)]  # one object with all, so that Ctrl-C cannot part them
        self._shown = self._chunks[0], list(empty)

    @property
    def upto(self) -> Instant:
        return self._chunks[-1].upto

    def append(self, upto: Instant, *rows: Array) -> None:
        """Keep rows, an array per column, which nobody else writes to."""
        n, last = len(rows[0]), self._chunks[-1]
        if n > last.free:
            if n >= min(last.end, _SMALL // self._row_bytes):
                self._add(_Chunk(upto, last.end, n, rows))
                return
            last = self._with_room(n)
        for buffer, column in zip(last.buffers, rows, strict=True):
            buffer[last.n : last.n + n] = column
        self._lengthen(upto, n)

    def room(self, n: int) -> list[Array]:
        """For each column a view of the memory of the next rows, n or more: `keep` says that they are there."""
        last = self._with_room(n)
        return [buffer[last.n :] for buffer in last.buffers]

    def _with_room(self, n: int) -> _Chunk:
        """The last chunk, a new one if it does not have room for n more rows."""
        last = self._chunks[-1]
        if n <= last.free:
            return last
        size = max(n, min(last.end, _SMALL // self._row_bytes))
        buffers = tuple(np.empty((size, *column.shape), column.dtype) for column in self._columns)
        return self._add(_Chunk(last.upto, last.end, 0, buffers))

    def _add(self, chunk: _Chunk) -> _Chunk:
        """Make a chunk the last one, which is returned."""
        if self._chunks[-1].n:
            self._chunks.append(chunk)
        else:
            self._chunks[-1] = chunk
        return chunk

    def keep(self, upto: Instant, n: int, room: Sequence[Array]) -> None:
        """The next n rows have been written to `room`, or to what has been left of it."""
        last = self._chunks[-1]
        if room[0].base is last.buffers[0] and len(room[0]) == last.free:
            self._lengthen(upto, n)
        else:  # somebody has read, and the rows before lie elsewhere now
            self.append(upto, *(column[:n] for column in room))

    def _lengthen(self, upto: Instant, n: int) -> None:
        """The next n rows have been written to the buffers of the last chunk."""
        _, start, before, buffers = self._chunks[-1]
        self._chunks[-1] = _Chunk(upto, start, before + n, buffers)

    def rows(self, *, alone: bool = True) -> list[Array]:
        """All rows, a read-only array per column: the same arrays until there are more. alone: no other thread is about
        to append more."""
        chunks = self._chunks
        first, last = chunks[0], chunks[-1]
        if first.n < last.end:
            first, *later = chunks[:]
            last = later[-1]
            first = _joined(first, later)
            if not alone:
                chunks[0] = first
        if alone and first is not last and self._chunks[-1] is last:
            first = first._replace(upto=last.upto)
            self._chunks = [first]
        shown = self._shown
        if shown[0] is not first:
            shown = self._shown = first, [read_only(buffer[: first.n]) for buffer in first.buffers]
        return shown[1]

    def cleared(self) -> MemoryStore:
        """The store of a recorder that has forgotten everything, at instant 0."""
        return MemoryStore(self._columns, 0)

    def position(self) -> dict[str, Any]:
        """State for `restore`, as a checkpoint stores it: the instant so far and all rows."""
        return {"upto": self.upto, "rows": self.rows()}

    def restore(self, position: dict[str, Any]) -> None:
        """Go on from the state that `position` returned."""
        rows = position["rows"]
        self._chunks = [_Chunk(position["upto"], 0, len(rows[0]), tuple(rows))]


def _joined(first: _Chunk, later: list[_Chunk]) -> _Chunk:
    """The first chunk with those rows of later ones that it lacks."""
    last = later[-1]
    buffers = tuple(roomy(buffer, first.n, last.end) for buffer in first.buffers)
    for chunk in later:
        known = max(0, first.n - chunk.start)
        if known < chunk.n:
            for buffer, more in zip(buffers, chunk.buffers, strict=True):
                buffer[chunk.start + known : chunk.end] = more[known : chunk.n]
    return _Chunk(last.upto, 0, last.end, buffers)


def read_only(array: Array) -> Array:
    """The same array, which cannot be written to any more."""
    array.flags.writeable = False
    return array
