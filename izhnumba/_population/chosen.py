"""Which neurons a user names: a slice, a mask or a list of indices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.words import counted

Array = NDArray[Any]
_WHERE = "Population[...]"
_MUST = "a slice such as pop[:800], a mask or a list of indices"


def chosen_of(key: Any, neurons: range | Array, size: tuple[int, ...]) -> range | Array:
    """Those that a user names of these neurons, which have this n-d size."""
    n = len(neurons)
    if isinstance(key, slice):
        try:
            found = neurons[key]
        except (TypeError, ValueError) as error:  # of indices that are no whole numbers, and of step 0
            raise type(error)(f"{_WHERE} must be a slice of whole numbers, got {key}.") from None
        if not len(found):
            raise ValueError(f"{_WHERE} must be a slice of at least one of {counted(n, 'neuron')}, got {key}.")
        return found
    if not (isinstance(key, (list, range)) or np.ndim(getattr(key, "__array__", lambda: 0)())):
        number = isinstance(key, (int, np.integer)) and not isinstance(key, bool)
        cure = f"Write pop[[{key}]]." if number else "Flat indices come as a list." * isinstance(key, tuple)
        checks.refuse(_WHERE, key, _MUST, cure)
    first = key
    while isinstance(first, list) and first:
        first = first[0]
    if getattr(first, "dtype", None) == np.bool_ or isinstance(first, bool):
        places = np.flatnonzero(_mask(key, n, size))
    else:
        where = f"{_WHERE} indices"
        places = checks.indices(where, key, n, "neurons") if len(key) else np.empty(0, np.int64)
        twice = np.flatnonzero(np.bincount(places, minlength=1) > 1)
        if twice.size:
            raise ValueError(f"{where} must name each neuron once, got {twice[0]} more than once.")
    if not places.size:
        raise ValueError(f"{_WHERE} must be at least one of {counted(n, 'neuron')}, got none.")
    return np.asarray(as_array(neurons)[places])


def _mask(key: object, n: int, size: tuple[int, ...]) -> Array:
    if isinstance(key, np.ma.MaskedArray):  # NumPy would take what is masked for its value
        raise TypeError(f"{_WHERE} must be a plain mask, got a masked array. Fill it with .filled(False).")
    mask = np.asarray(key)
    shapes = list(dict.fromkeys([(n,), size]))
    if mask.dtype != bool or mask.shape not in shapes:
        got = mask.shape if mask.dtype == bool else f"one of {mask.dtype}"
        raise ValueError(f"{_WHERE} must be a mask of shape {' or '.join(map(str, shapes))}, got {got}.")
    return mask


def as_array(chosen: range | Array) -> Array:
    """As int64."""
    return np.arange(chosen.start, chosen.stop, chosen.step) if isinstance(chosen, range) else chosen
