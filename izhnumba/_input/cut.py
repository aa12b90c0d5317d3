"""An input to many neurons, cut into those of some of them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._input.input import Input
from izhnumba._input.spike_trains import SpikeInput, SpikeTrain
from izhnumba._input.target import Target
from izhnumba._input.values import fit_shape


def cut(where: str, value: Any, places: list[slice]) -> list[Any]:
    """A number, array or input for n neurons, for each run of them.

    An array of shape (n,) becomes views, so that it stays live. Inputs are cut where they hold a value per neuron; of
    random numbers, and of values that a function or a class of one's own returns, each part has its own.

    Parameters
    ----------
    where : str
        What it is given as, for messages.
    value
        As the user passed it.
    places : list of slice
        By place, one after the other.
    """
    n = places[-1].stop
    if isinstance(value, Input):
        _refuse_misfit(value, n)
        return [_of_some(value, place, n) for place in places]
    shape = np.shape(value if hasattr(value, "shape") else np.asarray(value))
    if shape in ((), (1,)):
        return [value] * len(places)
    if shape != (n,):
        cure = "Pass one value for all neurons or one per neuron, in their order."
        raise ValueError(f"{where} must broadcast to shape {(n,)}, got shape {shape}. {cure}")
    values = value if hasattr(value, "shape") else np.asarray(value)
    return [values[place] for place in places]


def _refuse_misfit(value: Input, n: int) -> None:
    """Refuse values for another number of neurons, which would fit a part of as many."""
    value._fit(Target((n,), 1.0, np.dtype(float), (0, 0), {}, value._unit or ""))
    for name in ("rate", "weight") if isinstance(value, SpikeInput) else ():
        held = getattr(value, name, 0.0)
        if isinstance(held, Input):
            _refuse_misfit(held, n)
        else:
            fit_shape(f"{type(value).__name__}.{name}", held, (n,))


def _of_some(value: Input, place: slice, n: int) -> Input:
    """What an input for n neurons is to those at some places."""
    if isinstance(value, SpikeTrain):
        checks.indices("SpikeTrain.i", value.i, n)
        mine = (value.i >= place.start) & (value.i < place.stop)
        weight = value.weight[place] if np.shape(value.weight) == (n,) else value.weight
        return replace(value, i=value.i[mine] - place.start, t=value.t[mine], weight=weight)
    changed: dict[str, Any] = {}
    names: list[str] = [field.name for field in fields(value)] if is_dataclass(value) else []
    for name in names:
        held = getattr(value, name)
        if isinstance(held, Input):
            found: Any = _of_some(held, place, n)
        elif isinstance(held, tuple) and any(isinstance(one, Input) for one in held):
            parts = [_of_some(one, place, n) for one in held]
            found = held if all(map(_same, parts, held)) else tuple(parts)
        elif isinstance(held, np.ndarray) and held.shape[-1] == n > 1 and (held.ndim > 1 or _per_neuron(value, name)):
            found = held[..., place]
        else:
            continue
        if found is not held:
            changed[name] = found
    if not changed:
        return value
    part = replace(value, **changed)  # type: ignore[type-var]
    assign(part, _unit=value._unit)
    return part


def _per_neuron(value: Input, name: str) -> bool:
    """Whether the last axis of this field of an input, if it has but one, is that of the neurons: of rows in time, and
    of lists of pulses, it is not."""
    return name in value._per_neuron or name in ("rate", "weight")


def _same(one: object, other: object) -> bool:
    return one is other
