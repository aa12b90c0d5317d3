"""Small pictures in SVG, for notebooks: rasters, and traces. They stay small whatever they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.html import escaped

Array = NDArray[Any]
_WIDTH, _LEFT, _RIGHT = 520, 96, 8  # px: of the picture, of the labels, of the margin
_COLUMNS, _ROWS = 320, 64  # cells of a raster
_TALL = 104  # px of a raster, or of a trace
_COLOURS = ("#3b8ee0", "#d5702b", "#1f9e77")  # told apart by colour-blind, on white and on black
_OPAQUE = bytes([0, 175, 200, 220, 240, 255])  # of cells with no, few and many spikes
_MOST = 1_000_000  # spikes that are counted; of more every k-th
_POINTS = 120  # pairs of the least and the most along a trace


class Spiking(NamedTuple):
    """Spikes of some neurons: row of each, its time, and how many rows there are."""

    label: str
    rows: Array
    t: Array
    n: int


def raster(groups: Sequence[Spiking], start: float, stop: float) -> str:
    """Rows of neurons, group above group, from bottom to top, against time in ms. The more spikes there are in a cell
    of the picture, the darker it is."""
    total, y, parts = sum(group.n for group in groups), 0.0, []
    for k, group in enumerate(groups):
        tall = max(14.0, _TALL * group.n / max(total, 1))
        parts.append(_image(group, (start, stop), y, tall, _COLOURS[k % len(_COLOURS)]))
        parts.append(_label(group.label, y + tall / 2))
        y += tall + 3
    return _picture(parts, y, start, stop, "Raster of spikes" + "".join(f", {group.label}" for group in groups))


def traces(t: Array, columns: Array, label: str) -> str:
    """Numbers (samples, traces) against time in ms, with the range of their axis."""
    finite = columns[np.isfinite(columns)]
    if not len(t) or not finite.size:
        return ""
    low, high = float(finite.min()), float(finite.max())
    start, stop = float(t[0]), float(t[-1])
    x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * (t - start) / max(stop - start, 1e-300)
    y = 6 + (_TALL - 12) * (high - columns) / (high - low or 1.0)
    parts = [
        f'<path d="{_path(x, one)}" fill="none" stroke="{_COLOURS[k % len(_COLOURS)]}"/>' for k, one in enumerate(y.T)
    ]
    parts += [_label(label, _TALL / 2), _label(f"{high:.4g}", 10), *([_label(f"{low:.4g}", _TALL - 6)] * (low < high))]
    return _picture(parts, _TALL, start, stop, f"{label} against time")


def _picture(parts: list[str], tall: float, start: float, stop: float, title: str) -> str:
    """Parts above an axis of time."""
    right, below = _WIDTH - _RIGHT, tall + 14
    axis = (
        f'<path d="M{_LEFT} {tall:.0f}H{right}" stroke="currentColor" opacity=".4"/>'
        f'<text x="{_LEFT}" y="{below:.0f}">{start:.6g} ms</text>'
        f'<text x="{right}" y="{below:.0f}" text-anchor="end">{stop:.6g} ms</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{below + 4:.0f}" '
        f'viewBox="0 0 {_WIDTH} {below + 4:.0f}" role="img" aria-label="{escaped(title)}" font-size="11" '
        f'font-family="sans-serif" fill="currentColor">{"".join(parts)}{axis}</svg>'
    )


def _label(text: str, y: float) -> str:
    return f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{escaped(text, 15)}</text>'


def _image(group: Spiking, window: tuple[float, float], y: float, tall: float, colour: str) -> str:
    """The spikes of a group as a picture whose cells are as opaque as they hold spikes; nothing if there are none."""
    if not len(group.t):
        return ""
    start, stop = window
    rows = min(group.n, max(1, round(_ROWS * tall / _TALL)))
    row = rows - 1 - np.minimum(group.rows * rows // group.n, rows - 1)
    column = ((group.t - start) * (_COLUMNS / max(stop - start, 1e-300))).astype(np.int64)
    cells = np.bincount(row * _COLUMNS + np.clip(column, 0, _COLUMNS - 1), minlength=rows * _COLUMNS)
    most = max(int(cells.max()), 2)
    shades = np.where(cells > 0, 1 + np.rint(4 * np.sqrt(np.maximum(cells - 1, 0) / (most - 1))), 0)
    if cells.max() == 1:
        shades *= 5
    image = _png(shades.astype(np.uint8).reshape(rows, _COLUMNS), bytes.fromhex(colour[1:]))
    return (
        f'<image x="{_LEFT}" y="{y:.1f}" width="{_WIDTH - _LEFT - _RIGHT}" height="{tall:.1f}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{image}"/>'
    )


def _png(shades: Array, colour: bytes) -> str:
    """Shades 0 to 5, uint8 of shape (rows, an even number of columns), of one colour as PNG (W3C, Portable Network
    Graphics, 2003: 4 bits per cell, and a palette with its transparency), in base64."""
    import base64
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packed = shades[:, ::2] << 4 | shades[:, 1::2]
    lines = np.concatenate([np.zeros((len(packed), 1), np.uint8), packed], axis=1)  # filter 0
    head = struct.pack(">IIBBBBB", shades.shape[1], shades.shape[0], 4, 3, 0, 0, 0)
    parts = [(b"IHDR", head), (b"PLTE", colour * len(_OPAQUE)), (b"tRNS", _OPAQUE)]
    parts += [(b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)).decode()


def _path(x: Array, y: Array) -> str:
    """A line through all points, or, of many, through the least and the most of pieces of equal length."""
    if len(x) > 2 * _POINTS:
        ends = np.linspace(0, len(x), _POINTS + 1).astype(int)[:-1]
        middle = x[ends]
        y = np.stack([np.fmin.reduceat(y, ends), np.fmax.reduceat(y, ends)], axis=1).ravel()
        x = np.repeat(middle, 2)
    good = np.isfinite(y)
    points = zip(x[good].tolist(), y[good].tolist(), strict=True)
    return "M" + " ".join(f"{a:.0f} {b:.1f}" for a, b in points)


def thinned(n: int) -> int:
    """Every how many-th of n spikes a raster counts."""
    return max(1, -(-n // _MOST))
