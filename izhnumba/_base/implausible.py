"""Warnings of values that only another unit explains: those of SI where this package has ms, mV, pF, pA and nS.

Only what no model of a neuron means is told: a warning that can be wrong is worse than none. So times and rates, which
may be of any size, are taken as they are.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

_BASE = {  # the unit of SI, and the sizes in our unit that can only be meant in that
    "mV": ("V", 0.01, 0.2),
    "pF": ("F", 0.0, 1e-6),
    "pA": ("A", 0.0, 1e-6),
    "nS": ("S", 0.0, 1e-6),
}


def warn_of_base_unit(where: str, value: Any, unit: str) -> None:
    """Warn if `value`, a number or an array in `unit`, is another number than 0 that is right in the unit of SI."""
    if unit not in _BASE:
        return
    base, low, high = _BASE[unit]
    size = np.abs(value)
    if np.all((low <= size) & (size <= high)) and np.any(size):
        shown = np.ravel(value)[np.argmax(size)]
        warnings.warn(
            f"{where} is {shown:g} {unit}, which looks like {shown:g} {base}. Pass it in {unit}.",
            stacklevel=users_level(),
        )


def users_level() -> int:
    """The stacklevel, for the caller, of the line outside the package: the same warning there is shown once."""
    level, frame, inside = 1, sys._getframe(1), (__name__.partition(".")[0], "dataclasses")  # of `replace`
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in inside:
        level, frame = level + 1, frame.f_back
    return level
