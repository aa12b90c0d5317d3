"""Checked access to the values of a checkpoint: dicts with known keys, values of known kinds. Anything else is a
Misfit, which names its place, such as network/synapses/exc to inh/rows/starts."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array = NDArray[Any]


class Misfit(ValueError):
    """The error about a value of a checkpoint. got: the value, or words for it."""

    def __init__(self, place: str, must: str, got: object) -> None:
        super().__init__(f"whose {place} must {must}, got {got if isinstance(got, str) else shown(got)}")


def shown(value: object) -> str:
    """A text of at most 60 characters for a value; an array as its dtype and shape."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return reprlib.repr(value)[:60]


class Saved:
    """A dict, stored at `place`, with exactly these keys, and perhaps optional ones."""

    def __init__(self, value: object, place: str, keys: Collection[str], optional: Collection[str] = ()) -> None:
        if not isinstance(value, dict):
            raise Misfit(place, "be a dict", shown(value))
        self.place, self.value = place, value
        missing, more = set(keys) - set(value), set(value) - set(keys) - set(optional)
        if missing or more:
            got = f"one {'without' if missing else 'with'} {shown(sorted(map(str, missing or more)))}"
            raise Misfit(place, f"be a dict with {sorted(keys)}", got)

    def at(self, key: str) -> str:
        """The place of the value of a key."""
        return f"{self.place}/{key}"

    def require(self, good: object, key: str, must: str, got: object = None) -> None:
        """Raise a Misfit about the value of a key unless `good` is true. got: words for it, or another value."""
        if not good:
            raise Misfit(self.at(key), must, shown(self.value[key]) if got is None else got)

    def kind(self, key: str, kinds: type | tuple[type, ...], words: str) -> Any:
        """The value of a key, which must be an instance of `kinds`; words: these in words. Bools are no numbers."""
        value = self.value[key]
        flag = isinstance(value, bool) and kinds is not bool
        self.require(isinstance(value, kinds) and not flag, key, f"be {words}")
        return value

    def integer(self, key: str, low: int, high: int = 2**62) -> int:
        """The value of a key, a whole number from low to high."""
        value = self.kind(key, int, "a whole number")
        self.require(low <= value <= high, key, f"be from {low} to {high}")
        return int(value)

    def real(self, key: str, low: float = -math.inf, high: float = math.inf) -> float:
        """The value of a key, a finite number from low to high."""
        value = self.kind(key, (int, float), "a number")
        good = low <= value <= high and abs(value) <= sys.float_info.max
        self.require(good, key, f"be finite and from {low} to {high}")
        return float(value)

    def one_of(self, key: str, options: Collection[str]) -> str:
        """The value of a key, one of these texts."""
        value = self.kind(key, str, "a text")
        self.require(value in options, key, f"be one of {sorted(options)}")
        return str(value)

    def array(
        self,
        key: str,
        dtype: DTypeLike,
        *shapes: tuple[int, ...],
        low: ArrayLike | None = None,
        high: ArrayLike | None = None,
    ) -> Array:
        """The value of a key, an array of this dtype and one of these shapes, with numbers from low to high."""
        dtype, wanted = np.dtype(dtype), " or ".join(map(str, shapes))
        value: Array = self.kind(key, np.ndarray, f"an array {dtype} of shape {wanted}")
        self.require(value.dtype == dtype and value.shape in shapes, key, f"be {dtype} of shape {wanted}")
        for bound, sign in ((low, "at least"), (high, "at most")):
            if bound is not None:
                good = value >= bound if sign == "at least" else value <= bound
                self.require_all(key, good, f"be {sign} {bound}")
        return value

    def require_all(self, key: str, good: Array, must: str, values: Array | None = None, first: int = 0) -> None:
        """Raise a Misfit about the value of a key, naming the first element that is not good. values: the numbers to
        show in place of that array; first: index of the first of them."""
        if not np.all(good):
            worst, numbers = int(np.argmin(good)), np.ravel(self.value[key] if values is None else values)
            raise Misfit(self.at(key), must, f"{numbers[worst]} at index {first + worst}")

    def part(self, key: str, keys: Collection[str], optional: Collection[str] = ()) -> Saved:
        """The value of a key, a dict with these keys."""
        return Saved(self.value[key], self.at(key), keys, optional)

    def named(self, key: str) -> Iterator[tuple[str, Any, str]]:
        """Name, value and place of each item of the value of a key, a dict with texts as keys."""
        for name, value in self.kind(key, dict, "a dict").items():
            self.require(isinstance(name, str), key, "have texts as names", name)
            yield name, value, f"{self.at(key)}/{name}"
