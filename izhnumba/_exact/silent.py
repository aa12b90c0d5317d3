"""Silent rectangles: regions of x and y in which a neuron stays, and never spikes, while its input stays.

Around a stable point the rectangle [x1, x2] x [y1, y2] cannot be left if on its right side x' < 0, on its left side
x' > 0, above y' <= 0 and below y' >= 0. With A < 0 and B < 0 each of the four holds on a whole side if it holds in a
corner of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._model.normal_form import NormalForm

Array = NDArray[Any]
_TRIES = 32  # positions of the right side, between the stable point and the saddle


def rectangles(form: NormalForm, z: Array, still: float) -> Array:
    """x1, x2, y1, y2 of the largest rectangle found for each neuron, (4, n); x1 > x2 where there is none. z: constant
    input, (n,); still: size of the changes of z that the rectangle holds for. Both in the unit of the normal form."""
    with np.errstate(all="ignore"):
        A, B, C, theta = (np.broadcast_to(v, z.shape) for v in (form.A, form.B, form.C, form.theta))
        root = np.sqrt(A * A + 4 * B * (C - B * z))  # of B x^2 - A x = C - B z: y' = 0 on x' = 0
        stable, saddle = np.sort([(A + root) / (2 * B), (A - root) / (2 * B)], axis=0)
        x2 = stable + (saddle - stable) * np.arange(1, _TRIES)[:, np.newaxis] / _TRIES
        y2 = -x2 * x2 - z - 1.01 * still
        x1, y1 = -(B * y2 + C) / A, -(A * x2 + C) / B
        y = -stable * stable - z
        good = (
            (form.kappa == 0)
            & (A < 0)
            & (B < 0)
            & (2 * stable + B < 0)
            & (x2 < theta)
            & (x1 < stable)
            & (x1 * x1 + y1 + z > still)
        )
        good &= (y1 < y) & (y < y2)
        area = np.where(good, (x2 - x1) * (y2 - y1), -1.0)
    best = np.argmax(area, axis=0)
    found = np.stack([np.take_along_axis(v, best[np.newaxis], 0)[0] for v in (x1, x2, y1, y2)])
    none = np.take_along_axis(area, best[np.newaxis], 0)[0] <= 0
    found[:, none] = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    return found
