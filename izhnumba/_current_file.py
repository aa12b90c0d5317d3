"""Files of currents for the command line: a row per step, a column per neuron and, before them, perhaps the time."""

from __future__ import annotations

import itertools
import math
import os
import re
import warnings
from array import array
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks, _npz

Array = NDArray[Any]
_UNITS = {  # of time, in ms
    "ms": 1.0, "msec": 1.0, "millisecond": 1.0, "milliseconds": 1.0,
    "s": 1e3, "sec": 1e3, "second": 1e3, "seconds": 1e3,
    "us": 1e-3, "usec": 1e-3, "\N{MICRO SIGN}s": 1e-3, "\N{GREEK SMALL LETTER MU}s": 1e-3,
}  # fmt: skip
_TIME = re.compile(r"(?:t|times?|timestamps?)(?:(?:[\s_/]+|(?=[\[(]))[\[(]?\s*([^\W\d_]+)\s*[\])]?)?")
_CURRENT = re.compile(r"(?:i|n)(?![a-z])|current|neuron|cell")  # how the label of a current begins
_COMMENT = ("#", "%")
_NEAR = 0.1  # of a step, by which printed times may be off


class Currents(NamedTuple):
    """What a file holds. values: (steps, neurons), float64. time: what it says of the time, in words, or ""."""

    values: Array
    time: str


class _Table(NamedTuple):
    """Numbers (rows, columns), the labels of the columns if there are any, and where each row lies in the file."""

    values: Array
    labels: list[str]
    places: list[str]


def read_currents(path: Path, dt: float) -> Currents:
    """The currents of a CSV or .npy file, without the time, which must rise by `dt` ms."""
    table = _read_npy(path) if path.suffix.lower() == ".npy" else _read_csv(path)
    if not table.values.size:
        raise ValueError(f"{path}: must hold at least one row of numbers, got none.")
    return _without_time(path, table, dt)


# --- the time column ------------------------------------------------------------------------------------------------


def _without_time(path: Path, table: _Table, dt: float) -> Currents:
    values, labels = table.values, [label.lower() for label in table.labels]
    for column, label in enumerate(labels[1:], start=2):
        if _TIME.fullmatch(label):
            raise ValueError(f"{path}: the time must be column 1, got {label!r} as column {column}. Put it first.")
    named = _TIME.fullmatch(labels[0]) if labels else None
    if named:
        unit = named[1] or "ms"
        if unit not in _UNITS:
            cure = "Name it 't (ms)', 't (s)' or 't (us)', or leave it out."
            raise ValueError(f"{path}: column 1 must be a time in ms, s or us, got {labels[0]!r}. {cure}")
        if len(labels) == 1:
            raise ValueError(f"{path}: must hold a column per neuron beside the time, got {labels[0]!r} alone.")
        times = values[:, 0] * _UNITS[unit]
        _check_times(path, table, times, dt, known=bool(named[1]))
        return Currents(values[:, 1:], f"column 1 of {path}, {table.labels[0]!r}, {_span(times)}")
    times = values[:, 0]
    if len(times) > 1 and values.shape[1] > 1 and not (labels and _CURRENT.match(labels[0])):
        if _rises_by(times, dt):
            cure = "" if path.suffix.lower() == ".npy" else " (head it 'I' if it is a current)"
            return Currents(values[:, 1:], f"column 1 of {path}, which rises by dt{cure}, {_span(times)}")
        if not labels:
            _warn_of_times(path, times)
    if labels and not labels[0]:
        cure = "Name it 't' or 'I', or leave row numbers out (pandas: index=False)."
        raise ValueError(f"{path}: column 1 must have a label like the others, got none. {cure}")
    return Currents(values, "")


def _span(times: Array) -> str:
    return f"{times[0]:g} to {times[-1]:g} ms"


def _rises_by(times: Array, dt: float) -> bool:
    return bool(np.all(np.abs(times - times[0] - dt * np.arange(len(times))) <= _NEAR * dt))


def _spacing(times: Array) -> float:
    """By how much evenly spaced times rise; NaN if they do not."""
    spacing = float(times[-1] - times[0]) / max(1, len(times) - 1)
    return spacing if spacing > 0 and _rises_by(times, spacing) else math.nan


def _check_times(path: Path, table: _Table, times: Array, dt: float, *, known: bool) -> None:
    """known: whether the label names the unit."""
    if _rises_by(times, dt):
        return
    spacing = _spacing(times)
    if spacing == spacing:
        seconds = not known and math.isclose(1e3 * spacing, dt, rel_tol=_NEAR)
        cure = f"Name it '{table.labels[0]} (s)'" if seconds else f"Use --dt {spacing:.6g}"
        raise ValueError(f"{path}: the time in column 1 must rise by --dt, {dt:g} ms, got {spacing:.6g} ms. {cure}.")
    rises = np.diff(times)
    row = int(np.argmax(np.abs(rises - dt) > _NEAR * dt))
    raise ValueError(
        f"{path}, {table.places[row + 1]}, column 1: the time must rise by --dt, {dt:g} ms, got {rises[row]:.6g} ms."
    )


def _warn_of_times(path: Path, times: Array) -> None:
    """A first column without a label that looks like times of another dt drives neuron 0, which may not be meant."""
    spacing = _spacing(times)
    looks_so = len(times) > 2 and math.isclose(spacing, float(f"{spacing:.1e}"), rel_tol=1e-9)
    if looks_so and min(abs(times[0]), abs(times[0] - spacing)) <= _NEAR * spacing:
        heads = "" if path.suffix.lower() == ".npy" else ", or head it 't (s)' or 'I'"
        warnings.warn(
            f"{path}: column 1 drives neuron 0, but rises by {spacing:g} in each row like a time. If it is one, use "
            f"--dt {spacing:g}{heads}.",
            stacklevel=2,
        )


# --- the forms of files ---------------------------------------------------------------------------------------------


def _read_npy(path: Path) -> _Table:
    try:
        with path.open("rb") as file:
            _npz.head(file, os.fstat(file.fileno()).st_size)
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: must be a .npy file of numbers, got one that {error}.") from None
    if values.dtype.kind not in "iuf" or values.ndim not in (1, 2):
        got = f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"{path}: must hold real numbers of shape (steps, neurons), got {got}.")
    _checks.finite(str(path), values)
    table = values.astype(np.float64, copy=False).reshape(len(values), values[:1].size)
    return _Table(table, [], [])


def _read_csv(path: Path) -> _Table:
    """Numbers separated by commas, semicolons, tabs or blanks; with the latter three decimals may have commas.

    The first line may hold labels, one per column, as may the last comment before the numbers.
    """
    try:
        lines = path.read_text("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: must be a text file of comma-separated numbers, got binary data.") from None
    numbered = [(k, line) for k, line in enumerate(lines, start=1) if not line.lstrip().startswith(_COMMENT)]
    numbered = list(itertools.dropwhile(lambda row: not row[1].strip(), numbered))
    head = numbered[0][1] if numbered else ""
    body = list(itertools.dropwhile(lambda row: not row[1].strip(), numbered[1:]))
    mark = _mark(body[0][1] if body else head)
    labels = _labels(head, mark or _mark(head).strip(" "))
    rows = body if labels else numbered
    if not rows:
        return _Table(np.empty((0, 0)), labels, [])
    (first, line), mark = rows[0], _mark(rows[0][1])
    n_columns = len(_fields(line, mark))
    if labels and len(labels) != n_columns:
        place = f"{path}, line {numbered[0][0]}"
        raise ValueError(f"{place}: must have {n_columns} labels like the columns of line {first}, got {len(labels)}.")
    values = array("d")
    decimal_comma = mark != "," and not any("." in line for _, line in rows)
    for number, line in rows:
        fields, place = _fields(line, mark), f"{path}, line {number}"
        if len(fields) != n_columns:
            raise ValueError(f"{place}: must have {n_columns} columns like line {first}, got {len(fields)}.")
        for column, field in enumerate(fields, start=1):
            value = _value(field.replace(",", ".") if decimal_comma else field)
            if value is None or not math.isfinite(value):
                raise ValueError(f"{place}, column {column}: must be a finite number, got {field.strip()[:40]!r}.")
            values.append(value)
    comments = [line.strip().lstrip("".join(_COMMENT)) for line in lines[: first - 1] if line.strip()]
    if not labels and comments and len(found := _labels(comments[-1], mark)) == n_columns:
        labels = found
    return _Table(np.array(values).reshape(len(rows), n_columns), labels, [f"line {number}" for number, _ in rows])


def _mark(line: str) -> str:
    """What separates the numbers of a line; "" if there is one alone."""
    return next((mark for mark in ";\t," if mark in line.strip()), " " if len(line.split()) > 1 else "")


def _fields(line: str, mark: str) -> list[str]:
    return line.split(mark.strip(" ") or None) if mark else [line]


def _labels(line: str, mark: str) -> list[str]:
    """The labels in a header; none if any field is not one. A comma in quotes is part of a label.

    Only the first may be empty, as pandas leaves it above row numbers."""
    blank = re.sub('"[^"]*"', lambda quoted: quoted[0].replace(mark or ",", "\0"), line)
    labels = [field.replace("\0", mark).strip(" \t#\"'") for field in _fields(blank, mark)]
    named = labels[1:] if len(labels) > 1 and not labels[0] else labels
    return labels if all(map(_is_label, named)) else []


def _is_label(text: str) -> bool:
    """Text that begins like a name: a mistyped number is none."""
    return _value(text) is None and (text[:1].isalpha() or text[:1] == "_")


def _value(field: str) -> float | None:
    try:
        return None if "_" in field else float(field)
    except ValueError:
        return None
