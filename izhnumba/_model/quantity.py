"""Quantities of a model: defaults, units and bounds of its state and parameters, and the mapping that holds them."""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from izhnumba._base import checks

Value = TypeVar("Value")


@dataclass(frozen=True)
class Quantity:
    """A state variable or parameter of a `Model`.

    Parameters
    ----------
    default : float
        Infinite, if infinity is a value that users may give.
    unit : str
        Such as "mV" or "1/ms"; values with units of their own are converted to it. "" for a plain number.
    meaning : str
        In a few words, shown by `help(model)`.
    above, at_least : float, optional
        Values must be > above, or >= at_least.

    Raises
    ------
    TypeError, ValueError
        For a unit or a meaning that is no text, and a default that is no number or out of its bounds.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Quantity(100.0, "pF", "capacitance", above=0.0)
    Quantity(default=100.0, unit='pF', meaning='capacitance', above=0.0, at_least=None)
    """

    default: float
    unit: str
    meaning: str
    above: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        for name in ("unit", "meaning"):
            checks.kind(f"Quantity.{name}", getattr(self, name), str, "a str")
        limits: dict[str, Any] = {}
        for name in ("above", "at_least"):
            bound = getattr(self, name)
            if bound is not None:
                limits[name] = checks.Other(name, checks.number(f"Quantity.{name}", bound))
        checks.number("Quantity.default", self.default, finite=False, **limits)

    @property
    def bounds(self) -> dict[str, Any]:
        """Bounds of its values, as arguments of `checks.number` and `checks.array`."""
        return {"above": self.above, "at_least": self.at_least, "finite": math.isfinite(self.default)}


# Names that a population or its kernels use for something else than a parameter of the model.
TAKEN = {
    "V", "u", "I", "t", "p", "dt", "n", "size", "shape", "batch", "model", "scheme", "dtype", "seed", "threads", "name",
    "result", "spikes", "step", "run", "reset", "reset_kind", "refractory", "last_spike_time", "n_steps", "network",
    "state_at", "self", "V_min", "tau_ref", "gain", "z0", "z1", "save", "load", "positions", "substeps",
}  # fmt: skip
QUANTITY = "a Quantity(default, unit, meaning)"
MAX_PARAMETERS = 64  # numbers per neuron for which kernels have room: parameters, V_min and what is derived
MOST_PARAMETERS = 60  # parameters of a model


class ReadOnly(dict[str, Value]):
    """Parts of a model by name, read-only: models made by `dataclasses.replace` share them. _where: of errors."""

    _where: str

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"{self._where} cannot be changed. Make a new model with dataclasses.replace.")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)


class Parameters(ReadOnly[Quantity]):
    """The parameters of a model by name."""

    _where = "Model.parameters"


def checked_parameters(parameters: Mapping[str, Quantity]) -> Parameters:
    """Parameters of a new model; TypeError or ValueError for names and values that cannot be."""
    checks.kind("Model.parameters", parameters, Mapping, "a mapping of names to Quantity")
    if len(parameters) > MOST_PARAMETERS:
        raise ValueError(f"Model.parameters must be at most {MOST_PARAMETERS}, got {len(parameters)}.")
    for name, quantity in parameters.items():
        checks.kind("Model.parameters", name, str, "named by str")
        if not name.isidentifier() or name in TAKEN or name.startswith("_") or keyword.iskeyword(name):
            cure = "That name is taken by populations." if name in TAKEN else "Use letters and digits, no keyword."
            raise ValueError(f"Model.parameters must have names of their own, got {name!r}. {cure}")
        checks.kind(f"Model.parameters[{name!r}]", quantity, Quantity, QUANTITY)
    return Parameters(parameters)
