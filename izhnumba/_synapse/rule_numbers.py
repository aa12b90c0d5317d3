"""Numbers of a rule of plasticity: one for all synapses, or one for each, as an array or a distribution."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._synapse.distributions import Distribution

Array = NDArray[Any]
Number = float | Array | Distribution
Bounds = Mapping[str, object]  # of a number: keywords of `checks.number`, where a bound may be the name of a field
R = TypeVar("R")
_CURE = "Synapses of another value are another call of Network.connect."


def differs(value: object) -> bool:
    """Whether a value stands for numbers of each synapse."""
    return isinstance(value, (Distribution, list, tuple)) or bool(getattr(value, "ndim", 0))


def numbers_of(rule: Any, bounds: Mapping[str, Bounds], shared: Collection[str]) -> dict[str, Number]:
    """The fields of a rule that are declared as numbers, or have one for a default, by name, within bounds.

    Floats, read-only arrays of any shape, or distributions, which are looked at when they have been drawn. Names that
    begin with `tau` or `period` are of times in ms. shared: names of numbers that must be the same for all synapses.
    """
    found: dict[str, Number] = {}
    for field in dataclasses.fields(rule):
        if not (field.type in ("float", "int", float, int) or type(field.default) in (float, int)):
            continue
        where, value = f"{type(rule).__name__}.{field.name}", getattr(rule, field.name)
        unit, given = "ms" * field.name.startswith(("tau", "period")), dict(bounds.get(field.name, {}))
        others = {key: str(given.pop(key)) for key in list(given) if isinstance(given[key], str)}
        if differs(value) and field.name in shared:
            checks.refuse(where, value, "one number for all synapses", _CURE)
        found[field.name] = _of_each(where, value, unit, given) if differs(value) else _of_all(
            where, value, unit, given | {key: _most(name, found[name]) for key, name in others.items()
                                         if not isinstance(found[name], Distribution)}
        )  # fmt: skip
        for key, name in others.items():
            _check_each(where, found[field.name], {key: found[name]}, name)
    return found


def _most(name: str, value: Number) -> checks.Other:
    """The lower bound that another field sets."""
    assert not isinstance(value, Distribution)
    return checks.Other(name, float(np.max(value, initial=-np.inf)))


def _of_all(where: str, value: object, unit: str, given: Mapping[str, Any]) -> float:
    return checks.number(where, value, unit, **given)


def _of_each(where: str, value: object, unit: str, given: dict[str, Any]) -> Array | Distribution:
    """An array, a copy, or a distribution as it is. given: keywords of `checks.number`."""
    if isinstance(value, Distribution):
        return value
    most = given.pop("at_most", None)
    array = checks.array(where, value, unit, **given).copy()
    array.flags.writeable = False
    _check_each(where, array, {"at_most": most}, "")
    return array


def _check_each(where: str, value: Number, bounds: Mapping[str, Any], name: str) -> None:
    """Refuse an array with a number beyond a bound, which may be an array. name: of the field that is the bound."""
    if not isinstance(value, np.ndarray):
        return
    for key, bound in bounds.items():
        if bound is None or isinstance(bound, Distribution):
            continue
        above = key == "at_least"
        if np.ndim(bound) and np.shape(bound) != value.shape:
            bound = np.max(bound, initial=-np.inf) if above else np.min(bound, initial=np.inf)
        wrong = np.flatnonzero(value < bound if above else value > bound)
        if wrong.size:
            limit = f"{name} ({np.ravel(np.broadcast_to(bound, value.shape))[wrong[0]]:g})" if name else f"{bound:g}"
            must = f"{where} must be {'>=' if above else '<='} {limit}"
            raise ValueError(f"{must}, got {value.flat[wrong[0]]} at index {wrong[0]}.")


def varied(rule: Any) -> dict[str, object]:
    """The fields of a rule that stand for numbers of each synapse."""
    if not dataclasses.is_dataclass(rule):
        return {}
    return {field.name: value for field in dataclasses.fields(rule) if differs(value := getattr(rule, field.name))}


def plain(rule: R) -> R:
    """A rule with one number where this one has those of each synapse, to try it with."""
    values = varied(rule)
    return dataclasses.replace(rule, **{name: _one(rule, name) for name in values}) if values else rule  # type: ignore[type-var]


def _one(rule: Any, name: str) -> float:
    value = getattr(rule, name)
    if isinstance(value, Distribution):
        return float(value.draw(np.random.default_rng(0), 1)[0])
    numbers = np.asarray(value).reshape(-1)
    default = next(field.default for field in dataclasses.fields(rule) if field.name == name)
    return float(numbers[0]) if numbers.size else default if isinstance(default, (int, float)) else 1.0
