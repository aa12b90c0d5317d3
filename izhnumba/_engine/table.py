"""Address tables: rows of int64, counts and addresses, through which compiled calls reach arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def address_of(array: Array) -> int:
    """The address of the first element of an array."""
    plain = array if array.dtype.names is None else array.view(np.uint8)  # NumPy would describe all fields, slowly
    return int(plain.__array_interface__["data"][0])


class _Owned(NamedTuple):
    """An array, its address, and an object that must live as long."""

    address: int
    array: Array
    owner: object


class Table:
    """Numbers for a compiled call, some of them addresses of arrays, which it owns: they live as long as it does.

    Parameters
    ----------
    numbers : int or ndarray of int64, 1-D
        How many numbers, all 0 at first, or the numbers themselves, such as a row of a larger table.

    Notes
    -----
    An interrupt may come between any two lines. So an array is owned before its address is written, and the array
    before it is owned until after that.

    Examples
    --------
    >>> import numpy as np
    >>> table = Table(3)
    >>> row = table.put(1, np.arange(4))
    >>> table[0] = row.size
    >>> table.array(1)
    array([0, 1, 2, 3])
    """

    def __init__(self, numbers: int | Array) -> None:
        self.numbers: Array = np.zeros(numbers, np.int64) if isinstance(numbers, int) else numbers
        self._owned: dict[int, tuple[_Owned, ...]] = {}  # by entry

    @property
    def address(self) -> int:
        """The address of the numbers."""
        return address_of(self.numbers)

    def __getitem__(self, entry: Any) -> Any:
        return self.numbers[entry]

    def __setitem__(self, entry: int | slice | list[int], value: object) -> None:
        self.numbers[entry] = value

    def put(self, entry: int, array: Array, owner: object = None, also: Mapping[int, int] | None = None) -> Array:
        """Write the address of an array, which is returned. owner: an object that must live as long; also: numbers to
        write at the same moment, by entry."""
        assert array.flags.c_contiguous  # kernels see an address alone
        in_use, mine = self._in_use(entry), _Owned(address_of(array), array, owner)
        self._owned[entry] = (*in_use, mine)
        if also:
            numbers = {entry: mine.address, **also}
            self.numbers[list(numbers)] = list(numbers.values())
        else:
            self.numbers[entry] = mine.address
        self._owned[entry] = (mine,)
        return array

    def put_all(self, arrays: dict[int, Array]) -> None:
        """Write the addresses of several arrays, by entry."""
        for entry, array in arrays.items():
            self.put(entry, array)

    def put_table(self, entry: int, table: Table) -> None:
        """Write the address of another table, and own it."""
        self.put(entry, table.numbers, table)

    def put_tables(self, entry: int, tables: list[Table]) -> None:
        """Write the address of a list of the addresses of these tables, and own them."""
        self.put(entry, np.array([table.address for table in tables], np.int64), tables)

    def points_at(self, entry: int, array: Array) -> bool:
        """Whether an entry holds the address of this very array."""
        return any(owned.array is array for owned in self._in_use(entry))

    def array(self, entry: int) -> Array:
        """The array whose address an entry holds."""
        return self._in_use(entry)[0].array

    def table(self, entry: int) -> Table:
        """The table whose address an entry holds."""
        owner = self._in_use(entry)[0].owner
        assert isinstance(owner, Table)
        return owner

    def _in_use(self, entry: int) -> tuple[_Owned, ...]:
        at = self.numbers[entry]
        return tuple([owned for owned in self._owned.get(entry, ()) if owned.address == at][:1])
