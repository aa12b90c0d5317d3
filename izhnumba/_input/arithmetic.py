"""Inputs made of other inputs by arithmetic: sums, multiples, products, and values within limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._input.input import OPERATIONS, Constant, Input
from izhnumba._input.target import Array, Drawn, Rows, Target
from izhnumba._input.values import Wave, aligned, check_rows, combined, flat, product, shown, total


@dataclass(frozen=True, eq=False, repr=False)
class Sum(Input):
    """The sum of `parts`, inputs or numbers, added from left to right. Each random part draws its own numbers, even
    if it is the same object twice."""

    parts: tuple[Any, ...]

    def __post_init__(self) -> None:
        units = dict.fromkeys(_take_parts(self))
        if len(units) > 1:
            raise ValueError(f"Sum.parts must be in one unit, got {' and '.join(units)}.")

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))

    def _drawn(self, to: Target) -> Drawn | None:
        """Of one noise and constants: where it is added last, or there is one, for the order of sums matters."""
        constants = [part for part in self.parts if isinstance(part, Constant)]
        others = [part for part in self.parts if not isinstance(part, Constant)]
        last = len(constants) == 1 or self.parts[-1] in others
        found = others[0]._drawn(to) if len(others) == 1 and constants and last else None
        with np.errstate(over="ignore"):  # it shows in V
            return found and found.plus(_together(np.add, [one._bound(to)(0, 1) for one in constants]).reshape(-1))

    def _rows(self, to: Target) -> Rows:
        return _rows_of(self, np.add, to)

    def _values(self, k: Array, dt: float) -> Array:
        return total([part._values(k, dt) for part in self.parts])

    def _breaks(self) -> Array | None:
        return _all_breaks(self.parts)

    def _lines(self, t: Array) -> tuple[Array, Array]:
        levels, slopes = zip(*(part._lines(t) for part in self.parts), strict=True)
        return total(list(levels)), total(list(slopes))

    def _waves(self) -> list[Wave]:
        return [wave for part in self.parts for wave in part._waves()]

    @property
    def _made_of(self) -> tuple[Input, ...]:
        return self.parts


@dataclass(frozen=True, eq=False, repr=False)
class Product(Input):
    """The product of `parts`, inputs or arrays with a factor for each neuron, multiplied from left to right; made by
    `*`. At most one part has a unit. Each random part draws its own numbers, even if it is the same object twice."""

    parts: tuple[Any, ...]

    def __post_init__(self) -> None:
        units = _take_parts(self)
        if len(units) > 1:
            raise ValueError(f"Product.parts must have a unit in one of them at most, got {' and '.join(units)}.")

    def __repr__(self) -> str:
        return " * ".join(f"({part!r})" if isinstance(part, Sum) else repr(part) for part in self.parts)

    def _rows(self, to: Target) -> Rows:
        return _rows_of(self, np.multiply, to)

    def _values(self, k: Array, dt: float) -> Array:
        return product([part._values(k, dt) for part in self.parts])

    def _breaks(self) -> Array | None:
        """None also if two parts or more change between breaks: then it is neither lines nor sines."""
        times = _all_breaks(self.parts)
        return times if times is not None and sum(not _stands(part) for part in self.parts) < 2 else None

    def _lines(self, t: Array) -> tuple[Array, Array]:
        lines = [part._lines(t) for part in self.parts]
        dimensions = max(value.ndim for line in lines for value in line) - 1
        (level, slope), *others = [[aligned(value, dimensions) for value in line] for line in lines]
        for factor, rise in others:
            level, slope = level * factor, slope * factor + level * rise
        return level, slope

    def _waves(self) -> list[Wave]:
        found = list[Wave]()
        for place, part in enumerate(self.parts):
            others = self.parts[:place] + self.parts[place + 1 :]
            found += [wave.times(lambda t, others=others: product([one._lines(t)[0] for one in others]))
                      for wave in part._waves()]  # fmt: skip
        return found

    @property
    def _made_of(self) -> tuple[Input, ...]:
        return self.parts


@dataclass(frozen=True, eq=False, repr=False)
class Scaled(Input):
    """`factor` times the values of an input that is no sum; made by `*`, `/` and `-`."""

    factor: float
    input: Input

    def __post_init__(self) -> None:
        take_input(self)
        assign(self, factor=_factor(self.factor))

    def __repr__(self) -> str:
        return f"{self.factor:g} * {self.input!r}"

    def _rows(self, to: Target) -> Rows:
        with np.errstate(over="ignore"):  # it is looked at
            factor = to.dtype.type(self.factor)
        return _changed(self.input, to, lambda values, out: np.multiply(values, factor, out=out), "Scaled")

    def _values(self, k: Array, dt: float) -> Array:
        return self.factor * self.input._values(k, dt)

    def _breaks(self) -> Array | None:
        return self.input._breaks()

    def _lines(self, t: Array) -> tuple[Array, Array]:
        levels, slopes = self.input._lines(t)
        return self.factor * levels, self.factor * slopes

    def _waves(self) -> list[Wave]:
        return [wave._replace(amplitude=self.factor * wave.amplitude) for wave in self.input._waves()]

    @property
    def _made_of(self) -> tuple[Input, ...]:
        return (self.input,)


@dataclass(frozen=True, eq=False, repr=False)
class Clipped(Input):
    """The values of an input, `low` where they are below it and `high` where they are above; made by `Input.clip`."""

    input: Input
    low: Any = None
    high: Any = None

    def __post_init__(self) -> None:
        take_input(self)
        if not self._limits:
            raise ValueError("Input.clip must have low or high, got neither. Write input.clip(0.0).")
        for name in self._limits:
            self._set_amplitude(name)
        if len(self._limits) == 2 and np.any(np.greater(self.low, self.high)):
            raise ValueError(f"Input.clip.high must be >= low ({shown(self.low)}), got {shown(self.high)}.")
        assign(self, _unbounded=self._unbounded and self.low is None)

    @property
    def _limits(self) -> dict[str, Any]:
        return {name: value for name in ("low", "high") if (value := getattr(self, name)) is not None}

    @property
    def _per_neuron(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self._limits)

    def __repr__(self) -> str:
        limits = ", ".join(f"{name}={shown(value)}" for name, value in self._limits.items())
        return f"{in_brackets(self.input)}.clip({limits})"

    def _rows(self, to: Target) -> Rows:
        self._fit(to)
        wide = any(map(np.ndim, self._limits.values()))
        low, high = (
            limit if limit is None else (flat(limit, to.shape) if wide else np.asarray(limit)).astype(to.dtype)
            for limit in (self.low, self.high)
        )
        return _changed(
            self.input, to, lambda values, out: np.clip(values, low, high, out=None if wide else out), "Clipped"
        )

    def _values(self, k: Array, dt: float) -> Array:
        return self._clipped(self.input._values(k, dt))

    def _breaks(self) -> Array | None:
        """None also of what is not constant between breaks."""
        return self.input._breaks() if _stands(self.input) else None

    def _lines(self, t: Array) -> tuple[Array, Array]:
        levels, slopes = self.input._lines(t)
        return self._clipped(levels), slopes

    def _clipped(self, values: Array) -> Array:
        dimensions = max([values.ndim - 1, *map(np.ndim, self._limits.values())])
        return np.asarray(np.clip(aligned(values, dimensions), self.low, self.high))

    @property
    def _made_of(self) -> tuple[Input, ...]:
        return (self.input,)


# --- What they have in common ---------------------------------------------------------------------------------------


def in_brackets(value: Input) -> str:
    """The repr of an input, ready for a method or a factor behind it."""
    return f"({value!r})" if isinstance(value, (Sum, Product, Scaled)) else repr(value)


def _take_parts(made: Sum | Product) -> list[str]:
    """Make `parts` inputs, none of the kind of what is made of them, and note how many random streams they use.
    Returns their units."""
    parts: list[Input] = []
    for part in made.parts:
        parts += part.parts if isinstance(part, type(made)) else [part if isinstance(part, Input) else Constant(part)]
    units = [part._unit for part in parts if part._unit]
    streams, unbounded = sum(part._streams for part in parts), any(part._unbounded for part in parts)
    assign(made, parts=tuple(parts), _streams=streams, _unbounded=unbounded, _unit=units[0] if units else None)
    return units


def take_input(made: Any) -> None:
    """Note the unit of the input that another one is made of, and how many random streams it uses."""
    inner = checks.kind(f"{type(made).__name__}.input", made.input, Input, "an input object")
    assign(made, _unit=inner._unit, _streams=inner._streams, _unbounded=inner._unbounded)


def _rows_of(made: Sum | Product, operation: Any, to: Target) -> Rows:
    """Rows of the parts, put together from left to right by a ufunc. Each part draws from the streams behind those of
    the parts before it."""
    (seed, stream), bound = to.key, list[Rows]()
    for part in made.parts:
        bound.append(part._bound(to._replace(key=(seed, stream))))
        stream = (stream + part._streams) % 2**32

    def rows(step: int, count: int) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):  # it is looked at
            values = _together(operation, [part(step, count) for part in bound])
        if values.shape[1] == 1:  # more would cost time, and shows in V
            check_rows(type(made).__name__, values, step, to.dtype)
        return values

    return rows


def _together(operation: Any, rows: list[Array]) -> Array:
    return reduce(lambda one, other: combined(operation, one, other), rows)


def _changed(inner: Input, to: Target, change: Callable[[Array, Array | None], Array], name: str) -> Rows:
    """Rows of an input, each changed by `change(rows, out)`. name: of what is made so, for errors."""
    bound = inner._bound(to)

    def rows(step: int, count: int) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):  # it is looked at
            values = bound(step, count)
            values = change(values, values if values.flags.writeable else None)
        if values.shape[1] == 1:
            check_rows(name, values, step, to.dtype)
        return values

    return rows


def _all_breaks(parts: tuple[Any, ...]) -> Array | None:
    breaks = [part._breaks() for part in parts]
    known = [times for times in breaks if times is not None]
    return np.unique(np.concatenate(known)) if len(known) == len(breaks) else None


def _stands(value: Input) -> bool:
    """Whether an input is constant between its breaks."""
    times = value._breaks()
    return times is not None and not value._waves() and not np.any(value._lines(np.append(0.0, times))[1])


def _scaled(factor: Any, value: Input) -> Input:
    """Sums are scaled part by part, each of which draws its own numbers."""
    if isinstance(value, Sum):
        return Sum(tuple(_scaled(factor, part) for part in value.parts))
    if factor == -1 and type(value) is Constant:  # of `a - 2`; other factors would round before the dtype is known
        made = Constant(-value.value)
        assign(made, _unit=value._unit)
        return made
    if isinstance(value, Scaled):
        return Scaled(_factor(factor) * value.factor, value.input)
    return Scaled(factor, value)


def _factor(value: Any, name: str = "factor") -> float:
    return checks.number(f"Input.{name}", value)


def _times(one: Input, other: Any) -> Input:
    return Product((one, other)) if isinstance(other, Input) or np.ndim(other) else _scaled(other, one)


def _over(one: Input, divisor: Any) -> Input:
    if isinstance(divisor, Input):
        raise TypeError(
            f"Input.divisor must be a number or an array, got {checks.shown(divisor)}. Multiply by its inverse, or "
            "write a Function."
        )
    if np.ndim(divisor):
        divisor = np.asarray(checks.array("Input.divisor", divisor, "", [np.shape(divisor)]))
    else:
        divisor = _factor(divisor, "divisor")
    if not np.all(divisor):
        raise ZeroDivisionError(f"Input.divisor must not be 0, got {checks.shown(divisor)}.")
    return _times(one, 1.0 / divisor)


OPERATIONS.update({"+": lambda *parts: Sum(parts), "*": _times, "/": _over, "clip": Clipped})
