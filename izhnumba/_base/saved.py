"""Reading what a checkpoint says: a dict whose keys are known, and values of a known kind. Whatever else is there is a
Misfit that names its place, such as network/synapses/exc to inh/rows/starts."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Misfit(ValueError):
    """What a checkpoint says cannot be. got: a value, or a text that tells of it."""

    def __init__(self, place: str, must: str, got: Any) -> None:
        super().__init__(f"whose {place} must {must}, got {got if isinstance(got, str) else shown(got)}")


def shown(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return reprlib.repr(value)[:60]


class Saved:
    """A dict with exactly these keys, but for optional ones."""

    def __init__(self, value: Any, place: str, keys: Collection[str], optional: Collection[str] = ()) -> None:
        self.place, self.value = place, value
        if not isinstance(value, dict):
            raise Misfit(place, "be a dict", shown(value))
        missing, more = set(keys) - set(value), set(value) - set(keys) - set(optional)
        if missing or more:
            got = f"one {'without' if missing else 'with'} {shown(sorted(map(str, missing or more)))}"
            raise Misfit(place, f"be a dict with {sorted(keys)}", got)

    def at(self, key: str) -> str:
        return f"{self.place}/{key}"

    def require(self, good: Any, key: str, must: str, got: Any = None) -> None:
        if not good:
            raise Misfit(self.at(key), must, shown(self.value[key]) if got is None else got)

    def kind(self, key: str, kinds: Any, words: str) -> Any:
        """An instance of these classes, in words. True and False are no numbers."""
        value = self.value[key]
        flag = isinstance(value, bool) and kinds is not bool
        self.require(isinstance(value, kinds) and not flag, key, f"be {words}")
        return value

    def integer(self, key: str, low: int, high: int = 2**62) -> int:
        value = self.kind(key, int, "a whole number")
        self.require(low <= value <= high, key, f"be from {low} to {high}")
        return int(value)

    def real(self, key: str, low: float = -math.inf, high: float = math.inf) -> float:
        value = self.kind(key, (int, float), "a number")
        good = low <= value <= high and abs(value) <= sys.float_info.max
        self.require(good, key, f"be finite and from {low} to {high}")
        return float(value)

    def one_of(self, key: str, options: Collection[str]) -> str:
        value = self.kind(key, str, "a text")
        self.require(value in options, key, f"be one of {sorted(options)}")
        return str(value)

    def array(self, key: str, dtype: Any, *shapes: tuple[int, ...], low: Any = None, high: Any = None) -> Array:
        """Of one of these shapes, and with no numbers outside the bounds."""
        dtype, wanted = np.dtype(dtype), " or ".join(map(str, shapes))
        value: Array = self.kind(key, np.ndarray, f"an array {dtype} of shape {wanted}")
        self.require(value.dtype == dtype and value.shape in shapes, key, f"be {dtype} of shape {wanted}")
        for bound, sign in ((low, "at least"), (high, "at most")):
            if bound is not None:
                good = value >= bound if sign == "at least" else value <= bound
                self.require_all(key, good, f"be {sign} {bound}")
        return value

    def require_all(self, key: str, good: Array, must: str, values: Array | None = None, first: int = 0) -> None:
        """Every element must be good. values: the numbers to be shown, from place `first` on, by default all."""
        if not np.all(good):
            worst, numbers = int(np.argmin(good)), np.ravel(self.value[key] if values is None else values)
            raise Misfit(self.at(key), must, f"{numbers[worst]} at index {first + worst}")

    def part(self, key: str, keys: Collection[str], optional: Collection[str] = ()) -> Saved:
        return Saved(self.value[key], self.at(key), keys, optional)

    def named(self, key: str) -> Iterator[tuple[str, Any, str]]:
        """The parts of a dict by name, each with its place."""
        for name, value in self.kind(key, dict, "a dict").items():
            self.require(isinstance(name, str), key, "have texts as names", name)
            yield name, value, f"{self.at(key)}/{name}"
