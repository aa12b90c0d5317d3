"""Rows in memory: arrays that grow at their ends, so that whoever reads them in a loop copies nothing twice."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.timebase import Column, Instant, Timebase

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
    """Rows that lie together.

    start: how many rows are before them
    counts: shape (3,): how many they are; until when they tell; for how many there is room that kernels may fill. One
        array, so that Ctrl-C cannot part them
    buffers: for each column an array of which they are the first; shown: the same, read-only
    """

    start: int
    counts: Array
    buffers: tuple[Array, ...]
    shown: tuple[Array, ...]

    @property
    def n(self) -> int:
        return int(self.counts.item(0))

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

    def __init__(self, columns: list[Column], time: Timebase, upto: Instant) -> None:
        self._columns, self._time = columns, time
        first = self._chunk(0, 0, upto, tuple([_no_rows(column) for column in columns]))
        self._chunks, self._shown = [first], (first, 0, list(first.shown))

    def _chunk(self, start: int, n: int, upto: Instant, buffers: tuple[Array, ...]) -> _Chunk:
        shown = tuple([read_only(buffer[:]) for buffer in buffers])
        return _Chunk(start, np.array([n, upto, 0], self._time.column.dtype), buffers, shown)

    @property
    def _few(self) -> int:
        """Rows that are gathered in a chunk."""
        return _SMALL // max(1, sum(column.row_bytes for column in self._columns))

    @property
    def upto(self) -> Instant:
        return self._chunks[-1].counts.item(1)

    def append(self, upto: Instant, *rows: Array) -> None:
        """Keep rows, an array per column, which nobody else writes to."""
        n, last = len(rows[0]), self._chunks[-1]
        if n > last.free:
            if n >= min(last.end, self._few):
                self._add(self._chunk(last.end, n, upto, rows))
                return
            last = self._with_room(n)
        for buffer, column in zip(last.buffers, rows, strict=True):
            buffer[last.n : last.n + n] = column
        self._lengthen(upto, n)

    def room(self, n: int) -> list[Array]:
        """For each column a view of the memory of the next rows, n or more: `keep` says that they are there."""
        last = self._with_room(n)
        return [buffer[last.n :] for buffer in last.buffers]

    def listed(self, now: Instant, n: int) -> tuple[Array, tuple[Array, ...]]:
        """The counts of a chunk with room for n more rows, and its buffers, to which a kernel may add the rows from
        `now` on by itself, as long as the counts say that there is room."""
        last = self._with_room(n)
        last.counts[1:] = now, len(last.buffers[0])
        return last.counts, last.buffers

    def _with_room(self, n: int) -> _Chunk:
        """The last chunk, a new one if it does not have room for n more rows."""
        last = self._chunks[-1]
        if n <= last.free:
            return last
        size = max(n, min(last.end, self._few))
        buffers = tuple(np.empty((size, *column.shape), column.dtype) for column in self._columns)
        return self._add(self._chunk(last.end, 0, self.upto, buffers))

    def _add(self, chunk: _Chunk) -> _Chunk:
        """Make a chunk the last one, which is returned."""
        last = self._chunks[-1]
        last.counts[2] = 0
        if last.n:
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

    def complete(self, upto: Instant) -> None:
        """There are no more rows up to then."""
        self._chunks[-1].counts[1] = upto

    def _lengthen(self, upto: Instant, n: int) -> None:
        """The next n rows have been written to the buffers of the last chunk."""
        counts = self._chunks[-1].counts
        counts[:2] = counts[0] + n, upto

    def rows(self, *, alone: bool = True) -> list[Array]:
        """All rows, a read-only array per column: the same arrays until there are more. alone: no other thread is about
        to append more."""
        chunks = self._chunks
        first = chunks[0] if len(chunks) == 1 else self._together(chunks, alone)
        n, shown = int(first.counts.item(0)), self._shown
        if shown[0] is not first or shown[1] != n:
            shown = self._shown = first, n, [buffer[:n] for buffer in first.shown]
        return shown[2]

    def _together(self, chunks: list[_Chunk], alone: bool) -> _Chunk:
        """The first of two chunks or more, which has all rows now."""
        first, *later = chunks[:]
        if first.n < later[-1].end:
            first = self._joined(first, later)
        if not alone:
            chunks[0] = first
        elif chunks[-1] is later[-1]:
            later[-1].counts[2], first.counts[1] = 0, later[-1].counts[1]
            self._chunks = [first]
        return first

    def _joined(self, first: _Chunk, later: list[_Chunk]) -> _Chunk:
        """The first chunk with those rows of later ones that it lacks."""
        upto, known = later[-1].counts.item(1), first.n
        ends = [chunk.end for chunk in later]  # kernels may add rows meanwhile
        buffers = tuple(roomy(buffer, known, ends[-1]) for buffer in first.buffers)
        for chunk, end in zip(later, ends, strict=True):
            for buffer, more in zip(buffers, chunk.buffers, strict=True):
                buffer[known:end] = more[known - chunk.start : end - chunk.start]
            known = max(known, end)
        return self._chunk(0, known, upto, buffers)

    def cleared(self) -> MemoryStore:
        """The store of a recorder that has forgotten everything, at instant 0."""
        return MemoryStore(self._columns, self._time, 0)

    def position(self) -> dict[str, Any]:
        """State for `restore`, as a checkpoint stores it: the instant so far and all rows."""
        return {"upto": self.upto, "rows": self.rows()}

    def restore(self, position: dict[str, Any]) -> None:
        """Go on from the state that `position` returned."""
        rows = position["rows"]
        self._chunks = [self._chunk(0, len(rows[0]), position["upto"], tuple(rows))]


@functools.lru_cache(maxsize=64)
def _no_rows(column: Column) -> Array:
    return np.empty((0, *column.shape), column.dtype)


def read_only(array: Array) -> Array:
    """The same array, which cannot be written to any more."""
    array.flags.writeable = False
    return array
