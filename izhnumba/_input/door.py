"""The door for users' values: what is asked of a current, V jump or conductance before an engine reads it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from izhnumba._base.implausible import users_level
from izhnumba._input.input import Input
from izhnumba._synapse.receptor import Receptor

SAMPLE = "Sample it: TimedArray(values, dt)."


def refuse_function(where: str, value: Any, kinds: str = "an array or an input object", cure: str = SAMPLE) -> None:
    """Neither functions, of which it would be hidden when they are called, nor classes and receptors are inputs."""
    if (callable(value) or isinstance(value, Receptor)) and not (
        isinstance(value, Input) or hasattr(value, "__array__")
    ):
        if isinstance(value, type):
            cure = f"Make an object: {value.__name__}(...)."
        elif isinstance(value, Receptor):
            cure = "A receptor belongs to synapses and spike inputs; for currents take Pulses(start, stop, amplitude)."
        raise TypeError(f"{where} must be a number, {kinds}, got {value!r:.60}. {cure}")


def broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def misfit(
    where: str, got: tuple[int, ...], shape: tuple[int, ...], n_steps: int | None, over_time: str = ""
) -> str:  # fmt: skip
    """The message about a shape. over_time: what to pass instead of a row per step, where there are no steps."""
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


def warn_of_steps(
    where: str, values: Any, shape: tuple[int, ...], n_steps: int | None, constant: str, *, known: bool = True
) -> None:
    """Warn of an array that is taken per neuron, constant in time, and has the shape of a row per step as well.

    constant: how to write that it is meant so. known: whether values can be looked at; equal ones mean the same."""
    got = values.shape
    if n_steps in (None, 1) or got[:1] != (n_steps,) or (known and (values == values.ravel()[0]).all()):
        return
    rows = (n_steps, *(1,) * (len(shape) + 1 - len(got)), *got[1:])
    warnings.warn(
        f"{where} of shape {got} for {n_steps} steps is read as constant, with a value per neuron, and could mean a "
        f"row per step. Write {constant} for the first, np.reshape({where.rpartition('.')[2]}, {rows}) for the second.",
        stacklevel=users_level(),
    )


def pairs_of(where: str, g: Any, E: Any) -> list[tuple[Any, Any]]:
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
