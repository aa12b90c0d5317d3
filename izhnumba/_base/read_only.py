"""Arrays that users read and cannot write into, because that would be lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class ReadOnly(np.ndarray[Any, Any]):
    """A copy that refuses to be written into, because that would be lost. What is computed from it are plain arrays."""

    __array_priority__ = -1.0
    refusal: str  # of new values

    def __array_finalize__(self, of: object) -> None:
        self.refusal = getattr(of, "refusal", "")

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise ValueError(self.refusal)
        super().__setitem__(key, value)

    def __array_wrap__(self, result: Any, context: object = None, return_scalar: bool = False) -> Any:
        return result[()] if return_scalar else np.asarray(result)

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __reduce__(self) -> str | tuple[Any, ...]:
        return np.array(self).__reduce__()


def read_only(values: Array, refusal: str) -> Array:
    """An array, of which nobody else has a view, as one that refuses new values by this text."""
    values.flags.writeable = False
    found = values.view(ReadOnly)
    found.refusal = refusal
    return found
