"""The one door for users' values: a current, V jump, conductance or potential in any form is checked here, once, and
described in the one way that both engines read."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba._base.implausible import users_level, warn_of_base_unit
from izhnumba._base.words import counted
from izhnumba._input.currents import TimedArray
from izhnumba._input.functions import Function
from izhnumba._input.input import Constant, Input
from izhnumba._input.target import Array, Target
from izhnumba._synapse.receptor import Receptor

_WRAP = "Wrap it: iz.Function(f); for the scheme 'exact' sample it: iz.TimedArray(values, dt)."


class Occasion(NamedTuple):
    """Where a value is given, which makes a difference to what is said of it.

    objects: whether input objects are taken; kinds: what is, besides numbers; cure: what to do about a function;
    over_time: what to pass instead of a row per step; warns: whether numbers in the unit of SI are warned of.
    """

    objects: bool = True
    kinds: str = "an array or an input object"
    cure: str = _WRAP
    over_time: str = ""
    warns: bool = True


STEP = Occasion(objects=False, cure="Call it first.", warns=False)
RUN = Occasion()  # takes a row per step, too
DRIVE = Occasion(over_time="TimedArray(values, dt)")
LIVE = DRIVE._replace(warns=False)  # an array that drives, again: somebody may have written into it
EXACT = LIVE._replace(kinds="an array, TimedArray, Sine, Ramp, Pulses or a sum of them with the scheme 'exact'")


class Given(NamedTuple):
    """A value that a user has given, and the neurons it drives.

    value: an input object; or an array in `to.unit`, finite, that broadcasts to `to.shape` and stays as it is, or holds
    one such for each step of a run, shape (steps, ...).
    """

    value: Input | Array
    to: Target

    @property
    def over_time(self) -> bool:
        """Whether it is an array with a row per step."""
        return isinstance(self.value, np.ndarray) and self.value.ndim > len(self.to.shape)


def given(where: str, value: object, to: Target, occasion: Occasion, n_steps: int | None = None) -> Given:
    """A number, array, quantity or input object that drives `to`, checked. Plain numbers are in its unit.

    where: what it is given as, for messages; n_steps: length of a run that takes an array with a row per step.
    """
    if isinstance(value, Input) and (occasion.objects or is_constant(value)):
        return Given(value, to)
    refuse_function(where, value, occasion)
    values = np.asarray(checks.magnitude(where, value, to.unit))
    over_time = n_steps is not None and values.ndim == len(to.shape) + 1 and len(values) == n_steps
    if not _broadcasts(values.shape[over_time:], to.shape):
        raise ValueError(_misfit(where, values.shape, to.shape, n_steps, occasion.over_time))
    checks.finite(where, values, to.dtype)
    if not over_time:
        if n_steps is not None:
            warn_of_steps(where, values, to.shape, n_steps, f"Constant({where.rpartition('.')[2]})")
        if occasion.warns and to.unit in ("pA", "nS"):
            warn_of_base_unit(where, values, to.unit)
    return Given(values, to)


def is_constant(value: Input) -> bool:
    """Whether it is a `Constant`, and not a class derived from it with values of its own."""
    return isinstance(value, Constant) and type(value)._values is Constant._values


def is_ours(value: object) -> bool:
    """Whether an input, and all inputs that it is made of, are izhnumba's own: its values depend on nothing but the
    step, and where random numbers add up, on what it keeps in its memory."""
    if not isinstance(value, Input):
        return True
    inner = [one for field in vars(value).values() for one in (field if isinstance(field, tuple) else (field,))]
    own = type(value).__module__.startswith("izhnumba.") and not isinstance(value, Function)
    return own and all(map(is_ours, inner))


def refuse_negative(where: str, value: Any, receptor: Receptor, when: Callable[[int], str] | None = None) -> None:
    """Refuse what is below 0 where a conductance is given: E sets the sign of the current.

    Parameters
    ----------
    where : str
        "Owner.argument": how the error begins.
    value : array or Input
        One that may have any value is refused by its name.
    receptor : Receptor
        Whose conductance it is.
    when : function, optional
        Of rows in time, shape (rows, neurons or 1): from the number of a row to words for its time.
    """
    must = f"{where} must be >= 0 for the conductance {receptor!r}, got"
    cure = "E sets the sign of the current"
    if isinstance(value, Input):
        if value._unbounded:
            raise ValueError(f"{must} {checks.shown(value)}, whose numbers have no bound. Clip them: input.clip(0.0).")
        if isinstance(value, Constant) and is_constant(value):
            value = value.value
        elif isinstance(value, TimedArray):
            value = value.values
        else:
            return  # is looked at step by step
    values = np.asarray(value)
    negative = values < 0
    if not negative.any():
        return
    place = tuple(np.argwhere(negative)[0])
    wrong = f"{must} {values[place]:g}"
    if when is None:
        at = f" at index {', '.join(map(str, place))}" if place else ""
        raise ValueError(f"{wrong}{at}. {cure}.")
    whose = f"neuron {place[1]}" if values.shape[1] > 1 else "all neurons"
    raise ValueError(f"{wrong} for {whose} {when(int(place[0]))}. {cure}; input.clip(0.0) cuts it off.")


def refuse_function(where: str, value: object, occasion: Occasion) -> None:
    """Neither functions, of which it would be hidden when they are called, nor classes and receptors are inputs."""
    if (callable(value) or isinstance(value, Receptor)) and not (
        isinstance(value, Input) or hasattr(value, "__array__")
    ):
        cure = occasion.cure
        if isinstance(value, type):
            cure = f"Make an object: {value.__name__}(...)."
        elif isinstance(value, Receptor):
            cure = "A receptor belongs to synapses and spike inputs; for currents take Pulses(start, stop, amplitude)."
        raise TypeError(f"{where} must be a number, {occasion.kinds}, got {checks.shown(value)}. {cure}")


def pairs_of(where: str, g: Any, E: Any) -> list[tuple[object, object]]:
    """Each conductance with its reversal potential."""
    if g is None and E is None:
        return []
    if g is None or E is None:
        missing, given = ("g", "E") if g is None else ("E", "g")
        raise ValueError(f"{where}.{given} must come with {missing}, got {given} alone. Pass both or neither.")
    several = isinstance(g, (list, tuple)) and isinstance(E, (list, tuple))
    gs, Es = (g, E) if several else ([g], [E])
    if len(gs) != len(Es):
        raise ValueError(f"{where}.g must have one entry per entry of E ({len(Es)}), got {len(gs)}.")
    return list(zip(gs, Es, strict=True))


def warn_of_steps(
    where: str, values: Any, shape: tuple[int, ...], n_steps: int | None, constant: str, *, known: bool = True
) -> None:
    """Warn of an array that is taken per neuron, constant in time, and has the shape of a row per step as well.

    Parameters
    ----------
    where : str
        The argument, as "Owner.argument".
    values : ndarray or jax.Array
    shape : tuple of int
        Of the population.
    n_steps : int or None
        Of the run; None for a single step, which does not warn.
    constant : str
        How to write that a value per neuron is meant.
    known : bool
        Whether the values can be read (not traced by JAX): if all are equal, both readings mean the same.
    """
    got = values.shape
    if n_steps in (None, 1) or got[:1] != (n_steps,) or (known and (values == values.ravel()[0]).all()):
        return
    rows = (n_steps, *(1,) * (len(shape) + 1 - len(got)), *got[1:])
    warnings.warn(
        f"{where} of shape {got} for {counted(n_steps or 0, 'step')} is read as constant, with a value per neuron, and "
        f"could mean a row per step. Write {constant} for the first, np.reshape({where.rpartition('.')[2]}, {rows}) "
        "for the second.",
        stacklevel=users_level(),
    )


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    if shape in ((), to):  # the short way
        return True
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def _misfit(where: str, got: tuple[int, ...], shape: tuple[int, ...], n_steps: int | None, over_time: str) -> str:
    """The message about a shape that does not fit. over_time: as in `Occasion`."""
    if n_steps is None:
        cure = "Pass one value for all neurons or one per neuron."
        if len(got) != len(shape) and math.prod(got) == math.prod(shape):
            cure += f" Here: .reshape({', '.join(map(str, shape)) if len(shape) > 1 else -1})."
        elif over_time:
            cure += f" Over time, use {over_time}."
        return f"{where} must broadcast to shape {shape}, got shape {got}. {cure}"
    table = (n_steps, *shape)
    cure = "Pass one value for all neurons, one per neuron, or one row per step."
    if got == (n_steps,):
        cure = f"For the same input to all neurons, reshape it to {(n_steps, *(1,) * len(shape))}."
    return f"{where} must broadcast to shape {shape} or have shape {table}, got shape {got}. {cure}"
