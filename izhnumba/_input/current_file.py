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

from izhnumba._base import checks, npz
from izhnumba._base.words import counted

Array = NDArray[Any]
_UNITS = {  # of time, in ms
    "ms": 1.0, "msec": 1.0, "millisecond": 1.0, "milliseconds": 1.0,
    "s": 1e3, "sec": 1e3, "second": 1e3, "seconds": 1e3,
    "us": 1e-3, "usec": 1e-3, "\N{MICRO SIGN}s": 1e-3, "\N{GREEK SMALL LETTER MU}s": 1e-3,
}  # fmt: skip
_TIMES = ("t", "time", "times", "timestamp", "timestamps")  # how the label of a time begins
_CURRENT = re.compile(r"(?:i|n)(?![a-z])|current|neuron|cell")  # how the label of a current begins
_COMMENT = ("#", "%")
_AROUND = " \t#\"'"  # labels
_NEAR = 0.1  # of a step, by which printed times may be off


class Currents(NamedTuple):
    """The content of a file. values: (steps, neurons), float64. time: its words about the time of rows, or ""."""

    values: Array
    time: str


class _Table(NamedTuple):
    """Numbers (rows, columns), the labels of the columns if there are any, and where each row lies in the file."""

    values: Array
    labels: list[str]
    places: list[str]


def read_currents(path: Path, dt: float, content: bytes | None = None) -> Currents:
    """The currents of a CSV or .npy file, without the time, which must rise by `dt` ms. content: of a CSV file that is
    no file on disk; then `path` is what to call it."""
    if content is None and path.suffix.lower() == ".npy":
        table = _read_npy(path)
    else:
        table = _read_csv(path, path.read_bytes() if content is None else content)
    if not table.values.size:
        raise ValueError(f"{path}: must hold at least one row of numbers, got none.")
    return _without_time(path, table, dt)


# --- the time column ------------------------------------------------------------------------------------------------


def _without_time(path: Path, table: _Table, dt: float) -> Currents:
    units = [_unit_of_times(label) for label in table.labels] or [None]
    for column, unit in enumerate(units[1:], start=2):
        if unit is not None:
            got = f"{table.labels[column - 1].lower()!r} as column {column}"
            raise ValueError(f"{path}: the time must be column 1, got {got}. Put it first.")
    time = _unnamed_times(path, table, dt) if units[0] is None else _named_times(path, table, units[0], dt)
    return Currents(table.values[:, 1:] if time else table.values, time)


def _unit_of_times(label: str) -> str | None:
    """The unit in the label of a time such as "t (ms)", "" if it names none; None for other labels."""
    first, *more = re.findall(r"[^\W_]+", label.lower()) or [""]
    unit = "".join(more[1:] if more[:1] == ["in"] else more)
    return unit if first in _TIMES and len(more) <= 2 and (unit.isalpha() or not more) else None


def _named_times(path: Path, table: _Table, unit: str, dt: float) -> str:
    """The words of the file about the time in its column 1."""
    label = table.labels[0]
    if unit and unit not in _UNITS:
        cure = "Name it 't (ms)', 't (s)' or 't (us)', or leave it out."
        raise ValueError(f"{path}: column 1 must be a time in ms, s or us, got {label.lower()!r}. {cure}")
    if len(table.labels) == 1:
        raise ValueError(f"{path}: must hold a column per neuron beside the time, got {label.lower()!r} alone.")
    times = table.values[:, 0] * _UNITS[unit or "ms"]
    _check_times(path, table, times, dt, known=bool(unit))
    return f"column 1 of {path}, {label!r}, {_span(times)}"


def _unnamed_times(path: Path, table: _Table, dt: float) -> str:
    """The same for a column 1 that may be a time by its values alone; "" if it is a current."""
    times, label = table.values[:, 0], table.labels[0] if table.labels else None
    is_current = table.values.shape[1] == 1 or bool(label and _CURRENT.match(label.lower()))
    heads = path.suffix.lower() != ".npy"
    if len(times) > 1 and not is_current and _rises_by(times, dt):
        cure = " (head it 'I' if it is a current)" if heads else ""
        return f"column 1 of {path}, which rises by dt{cure}, {_span(times)}"
    if label == "":
        cure = "Name it 't' or 'I', or leave row numbers out (pandas: index=False)."
        raise ValueError(f"{path}: column 1 must have a label like the others, got none. {cure}")
    spacing = _spacing(times)
    likely = label is not None or math.isclose(spacing, float(f"{spacing:.3g}"), rel_tol=1e-9)  # not any ramp
    if len(times) > 2 and not is_current and spacing > 0 and likely:
        which = f"column 1, {label!r}," if label else "column 1"
        cure = " or head it 't (s)', and head a current 'I'" if heads else ""
        warnings.warn(
            f"{path}: {which} drives neuron 0, but rises by {spacing:.6g} in each row like times or row numbers. Leave "
            f"row numbers out; for times use --dt {spacing:.6g}{cure}.",
            stacklevel=2,
        )
    return ""


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


# --- the forms of files ---------------------------------------------------------------------------------------------


def _read_npy(path: Path) -> _Table:
    try:
        with path.open("rb") as file:
            npz.head(file, os.fstat(file.fileno()).st_size)
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: must be a .npy file of numbers, got one that {error}.") from None
    if values.dtype.kind not in "iuf" or values.ndim not in (1, 2):
        got = f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"{path}: must hold real numbers of shape (steps, neurons), got {got}.")
    checks.finite(str(path), values)
    table = values.astype(np.float64, copy=False).reshape(len(values), values[:1].size)
    return _Table(table, [], [])


def _read_csv(path: Path, content: bytes) -> _Table:
    """Numbers separated by commas, semicolons, tabs or blanks; with the latter three decimals may have commas.

    The first line may hold labels, one per column, as may the last comment before the numbers. A mark at the end of
    every line begins no column.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: must be text in UTF-8, got other bytes. Save it as CSV in UTF-8.") from None
    while lines and not lines[-1].strip():
        lines.pop()
    numbered = [(k, line) for k, line in enumerate(lines, start=1) if not line.lstrip().startswith(_COMMENT)]
    numbered = list(itertools.dropwhile(lambda row: not row[1].strip(), numbered))
    body = list(itertools.dropwhile(lambda row: not row[1].strip(), numbered[1:]))
    mark = _mark((body or numbered)[0][1]) if numbered else ""
    if mark.strip(" ") and all(line.rstrip(" ").endswith(mark) for _, line in [numbered[0], *body]):
        numbered, body = ([(k, line.rstrip(" ")[:-1]) for k, line in rows] for rows in (numbered, body))
    head = numbered[0][1] if numbered else ""
    labels = _labels(head, mark or _mark(head).strip(" "))
    rows = body if labels else numbered
    if not rows:
        return _Table(np.empty((0, 0)), labels, [])
    (first, line), mark = rows[0], _mark(rows[0][1])
    n_columns = len(_fields(line, mark))
    if labels and len(labels) != n_columns:
        place = f"{path}, line {numbered[0][0]}"
        raise ValueError(
            f"{place}: must have {counted(n_columns, 'label')} like the columns of line {first}, got {len(labels)}."
        )
    values = array("d")
    decimal_comma = mark != "," and not any("." in line for _, line in rows)
    for number, line in rows:
        fields, place = _fields(line.replace(",", ".") if decimal_comma else line, mark), f"{path}, line {number}"
        if number == first:
            _check_head(place, fields, labels)
        if len(fields) != n_columns:
            raise ValueError(f"{place}: must have {counted(n_columns, 'column')} like line {first}, got {len(fields)}.")
        for column, field in enumerate(fields, start=1):
            value = _value(field)
            if value is None or not math.isfinite(value):
                raise ValueError(f"{place}, column {column}: must be a finite number, got {field.strip()[:40]!r}.")
            values.append(value)
    comments = [line.strip().lstrip("".join(_COMMENT)) for line in lines[: first - 1] if line.strip()]
    if not labels and comments and len(found := _labels(comments[-1], mark)) == n_columns:
        labels = found
    return _Table(np.array(values).reshape(len(rows), n_columns), labels, [f"line {number}" for number, _ in rows])


def _mark(line: str) -> str:
    """The separator of the numbers of a line; "" if there is one alone."""
    return next((mark for mark in ";\t," if mark in line.strip()), " " if len(line.split()) > 1 else "")


def _fields(line: str, mark: str) -> list[str]:
    return line.split(mark.strip(" ") or None) if mark else [line]


def _check_head(place: str, fields: list[str], labels: list[str]) -> None:
    """The first row of numbers is no second row of labels, and no row of labels that one field spoils."""
    if labels and all(_value(field) is None for field in fields):
        cure = "Write units into the labels above, as in 't (ms)', or begin this line with #."
        raise ValueError(f"{place}: must hold numbers, got {fields[0].strip()[:40]!r} below the labels. {cure}")
    is_label = [_is_label(field.strip(_AROUND)) for field in fields]
    if not labels and _value(fields[0]) is None and any(is_label):
        wrong = is_label.index(False)
        got = f"{fields[wrong].strip()[:40]!r} in column {wrong + 1}"
        raise ValueError(f"{place}: must hold a label in each column or none, got {got}. Labels begin with a letter.")


def _labels(line: str, mark: str) -> list[str]:
    """The labels in a header; none if any field is not one. A comma in quotes is part of a label.

    Only the first may be empty, as pandas leaves it above row numbers."""
    blank = re.sub('"[^"]*"', lambda quoted: quoted[0].replace(mark or ",", "\0"), line)
    labels = [field.replace("\0", mark).strip(_AROUND) for field in _fields(blank, mark)]
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
