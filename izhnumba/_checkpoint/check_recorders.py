"""Checks of what recorders have recorded, against recorders that have been made anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from izhnumba._base.saved import Saved
from izhnumba._base.words import counted
from izhnumba._record.recorder import Recorder


def check_position(recorder: Recorder, position: dict[str, Any], to: str | None, now: Any, place: str) -> None:
    """Raise a Misfit if the saved position of a recorder does not fit the recorder that has been made anew."""
    time, rate = recorder._engine.time, recorder._kind == "rate"
    more = ("born", "before") if rate else ()
    optional = ("heads",) * bool(to) + ("windows",) * (recorder._kind == "spikes")
    saved = Saved(position, place, ("upto", *more, "end" if to else "rows"), optional)
    instant = saved.integer if isinstance(now, int) else saved.real
    instant("upto", 0, now)
    last_bin = time.samples_by(now, recorder._every) if rate else 0
    if rate:
        instant("born", 0, now)
        size = saved.kind("before", np.ndarray, "an array").size
        before = saved.array("before", np.int64, (size,), low=0, high=last_bin)
        saved.require_all("before", before[1:] > before[:-1], "ascend", before[1:])
    _check_windows(recorder, saved, now)
    if to:
        saved.integer("end", 1)
        if "heads" in position:
            saved.integer("heads", 0, 2**32 - 1)
        return
    columns, n_rows = _columns(recorder, saved)
    if rate:
        bins = columns.array("bin", np.int64, (n_rows,), low=0, high=last_bin)
        columns.require_all("bin", bins[1:] >= bins[:-1], "ascend", bins[1:])
        columns.array("count", np.int64, (n_rows,), low=0)
        return
    labels = columns.value[time.column.name]
    columns.require_all(time.column.name, labels[1:] >= labels[:-1], "ascend", labels[1:])
    instants = time.instants(labels)
    good = (instants >= 0) & (instants <= now)
    columns.require_all(time.column.name, good, f"not be later than {time.ms(now):g} ms", labels)
    if recorder._kind == "spikes":
        neurons = columns.array("i", np.int64, (n_rows,), low=recorder._first, high=recorder._last - 1)
        if recorder._chosen is not None:
            columns.require_all("i", recorder._chosen[neurons], "be neurons that are recorded", neurons)


def check_rows(recorder: Recorder, position: dict[str, Any], place: str) -> None:
    """The same for a recorder that will record no more, whose rows may have been changed since: they are the user's."""
    saved = Saved(position, place, ("upto", "rows"), ("windows",) * (recorder._kind == "spikes"))
    _check_windows(recorder, saved, None)
    (saved.integer if isinstance(recorder._engine.now, int) else saved.real)("upto", 0)
    _columns(recorder, saved)


def _check_windows(recorder: Recorder, saved: Saved, now: Any) -> None:
    """The windows in which spikes were recorded, where they are told: pairs of instants, not later than `now`."""
    if "windows" in saved.value:
        n = saved.kind("windows", np.ndarray, "an array").size // 2
        windows = saved.array("windows", recorder._engine.time.column.dtype, (n, 2), low=0, high=now).ravel()
        saved.require_all("windows", windows[1:] > windows[:-1], "ascend", windows[1:])


def _columns(recorder: Recorder, saved: Saved) -> tuple[Saved, int]:
    """The columns of rows that fit a recorder, by name, and how many rows there are."""
    rows = saved.kind("rows", list, "a list of columns")
    saved.require(len(rows) == len(recorder._columns), "rows", f"be {counted(len(recorder._columns), 'column')}", rows)
    columns = Saved({c.name: row for c, row in zip(recorder._columns, rows, strict=True)}, saved.at("rows"),
                    [column.name for column in recorder._columns])  # fmt: skip
    n_rows = len(rows[0]) if isinstance(rows[0], np.ndarray) and rows[0].ndim else 0
    for column in recorder._columns:
        columns.array(column.name, column.dtype, (n_rows, *column.shape))
    return columns, n_rows
