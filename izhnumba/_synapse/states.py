"""Receptors whose states follow equations of their own: their functions, checked before a kernel is made of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from izhnumba._base import checks

MOST_STATES = 3


class States(NamedTuple):
    """The functions of a receptor's states, as kernels are compiled of them, and the numbers that they find in p.

    Parameters
    ----------
    n : int
        How many states there are, 1 to MOST_STATES.
    advance : function of (s, arrived, p)
        From the states before a step, a tuple, to those after it.
    strength : function of (s, p) or None
        The current or conductance that states make; None: the first of them.
    names, values : tuple of str, tuple of float
        Of the numbers in p.
    """

    n: int
    advance: FunctionType
    strength: FunctionType | None
    names: tuple[str, ...]
    values: tuple[float, ...]


def states_of(receptor: Any, dt: float) -> States:
    """The States of a receptor that has `advance`, tried on numbers. dt: of the clock, ms."""
    name = type(receptor).__name__
    n = receptor.states
    if not isinstance(n, int) or not 1 <= n <= MOST_STATES:
        raise ValueError(
            f"{name}.states must be 1 to {MOST_STATES}, the number of states of advance, got {checks.shown(n)}."
        )
    checks.kind(f"{name}.per_source", receptor.per_source, bool, "True or False")
    advance = _function(receptor, "advance", ("s", "arrived", "p"))
    strength = _function(receptor, "strength", ("s", "p")) if receptor.strength is not None else None
    numbers = {"dt": dt} | checks.kind(f"{name}.parameters", receptor.parameters(dt), dict, "a function to a dict")
    for key, value in numbers.items():
        checks.kind(f"{name}.parameters", key, str, "a function that returns numbers by name")
        checks.number(f"{name}.parameters {key!r}", value)
    found = States(n, advance, strength, tuple(numbers), tuple(float(one) for one in numbers.values()))
    _try(name, found, conductance=receptor.E is not None)
    return found


def _function(receptor: Any, name: str, arguments: tuple[str, ...]) -> FunctionType:
    """A static method of the class of a receptor, which takes these arguments."""
    kind = type(receptor)
    must = f"{kind.__name__}.{name} must be a static method of ({', '.join(arguments)})"
    found = inspect.getattr_static(kind, name)
    if not isinstance(found, staticmethod) or not isinstance(found.__func__, FunctionType):
        raise TypeError(
            f"{must}, got a {type(found).__name__}. Write @staticmethod above it and leave out self: numbers are in p."
        )
    checks.takes(f"{kind.__name__}.{name}", found.__func__, *arguments)
    return found.__func__


def _try(name: str, states: States, *, conductance: bool) -> None:
    """Call the functions on plain numbers: a receptor at rest must stay so, and all must be finite; an arrival must not
    make a conductance negative."""
    p, rest = SimpleNamespace(**dict(zip(states.names, states.values, strict=True))), (0.0,) * states.n
    for arrived in (0.0, 1.0):
        s: Sequence[float] = rest
        for step in range(3):
            s = _called(f"{name}.advance", states.advance, s, arrived * (step == 0), p)
            if not isinstance(s, tuple) or len(s) != states.n or not all(map(_is_number, s)):
                raise ValueError(
                    f"{name}.advance must return a tuple of {states.n} finite numbers, got {checks.shown(s)}."
                )
            y = s[0] if states.strength is None else _called(f"{name}.strength", states.strength, s, p)
            if not _is_number(y):
                raise ValueError(f"{name}.strength must return a finite number, got {checks.shown(y)}.")
            if conductance and y < 0:
                of = "advance" if states.strength is None else "strength"
                raise ValueError(
                    f"{name}.{of} must make a conductance >= 0 of what arrives, got {y:g}. E sets the sign of the "
                    "current."
                )
            if not arrived and (any(s) or y):
                raise ValueError(
                    f"{name}.advance must leave states of 0 as they are, with strength 0, while nothing arrives, got "
                    f"{s} and {checks.shown(y)}."
                )


def _called(where: str, function: Callable[..., Any], *arguments: object) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        raise ValueError(f"{where} must take states that begin at 0, got {type(error).__name__}: {error}.") from error


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and math.isfinite(value)
