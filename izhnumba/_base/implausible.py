"""Warnings of values that only another unit explains: V, F, A and S where this package has mV, pF, pA and nS.

Only values that no model of a neuron has are warned of: a warning that can be wrong is worse than none. So times and
rates, which may be of any size, are taken as they are.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BASE = {  # by our unit: that of SI, and the lowest and highest size in our unit that can only be meant in that of SI
    "mV": ("V", 0.01, 0.2),
    "pF": ("F", 0.0, 1e-6),
    "pA": ("A", 0.0, 1e-6),
    "nS": ("S", 0.0, 1e-6),
}


def warn_of_base_unit(where: str, value: float | NDArray[Any], unit: str) -> None:
    """Warn if `value`, a number or an array in `unit`, is not 0 and can only be meant in the unit of SI."""
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
    """The `stacklevel` by which the caller's warning names the line of the user, outside the package."""
    level, frame, inside = 1, sys._getframe(1), (__name__.partition(".")[0], "dataclasses")  # of `replace`
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in inside:
        level, frame = level + 1, frame.f_back
    return level
