"""Arrays that are lent to users: whether anybody still holds them can be asked."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class _Memory:
    """The memory of an array, of which `np.asarray` makes another array. NumPy lets every view keep that one, and not
    the first, as its base: it lives as long as any view of it."""

    def __init__(self, array: Array) -> None:
        self.array, self.__array_interface__ = array, array.__array_interface__


class Lent:
    """An array that users get to write into.

    Parameters
    ----------
    array : ndarray

    Examples
    --------
    >>> import numpy as np
    >>> numbers = np.zeros(5)
    >>> lent = Lent(numbers)
    >>> part = lent.give()[2:4]
    >>> part[...] = 1.0
    >>> numbers
    array([0., 0., 1., 1., 0.])
    >>> lent.held
    True
    >>> del part
    >>> lent.held
    False
    """

    def __init__(self, array: Array) -> None:
        self._memory = _Memory(array)
        self._given: dict[int, weakref.ref[Array]] = {}  # by thread, so that none overwrites that of another

    def give(self) -> Array:
        """The array; while somebody holds it, the same object for the same thread."""
        me = threading.get_ident()
        given = self._given[me]() if me in self._given else None
        if given is None:
            given = np.asarray(self._memory)
            self._given[me] = weakref.ref(given)
        return given

    @property
    def held(self) -> bool:
        """Whether anybody holds it, or a view of it."""
        return any(given() is not None for given in list(self._given.values()))
