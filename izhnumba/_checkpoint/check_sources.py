"""Checks of spike sources in a checkpoint."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from izhnumba._base.partition import WORD, words
from izhnumba._base.random import stream_key
from izhnumba._base.saved import Saved
from izhnumba._checkpoint.check_populations import Frame, SavedPopulation
from izhnumba._input.input import Input
from izhnumba._input.sources import is_waiting
from izhnumba._synapse.positions import Positions

_ARGUMENTS = {"PoissonSource": ("rate",), "SpikeSource": ("i", "t")}  # by kind, besides n and positions


def check_source(one: dict[str, Any], name: str, place: str, frame: Frame) -> SavedPopulation:
    """The source `name`, stored at `place`, as a population that nothing reaches; a Misfit if it cannot be."""
    saved = Saved(one, place, ("kind", "arguments", "state", "memory"))
    kind = saved.one_of("kind", _ARGUMENTS)
    arguments = saved.part("arguments", ("n", *_ARGUMENTS[kind]), ("positions",))
    given = arguments.kind("n", (int, tuple), "a whole number or a tuple of them")
    size = given if isinstance(given, tuple) else (given,)
    good = size and len(size) <= 32 and all(type(n) is int and n > 0 for n in size) and math.prod(size) < 2**32
    arguments.require(good, "n", "be whole numbers >= 1, less than 2**32 in all")
    n = math.prod(size)
    if "positions" in arguments.value:
        positions = arguments.kind("positions", Positions, "positions")
        arguments.require(len(positions) == n, "positions", f"be those of {n} cells", positions)
    if kind == "PoissonSource":
        arguments.kind("rate", (float, np.ndarray, Input), "a number, an array or an input")
    else:
        spikes = arguments.kind("i", np.ndarray, "an array").size
        arguments.array("i", np.int64, (spikes,), low=0, high=n - 1)
        arguments.array("t", np.float64, (spikes,), low=0.0, high=math.inf)
    saved.part("state", ("spikes",)).array("spikes", np.bool_, (n,))
    stream = stream_key(frame.seed, name, "spikes", 0)[1]
    memory = saved.kind("memory", dict, "a dict")
    saved.require(set(memory) <= {stream}, "memory", f"be of the random stream {stream}", sorted(memory, key=str))
    for states in memory.values():
        good = isinstance(states, dict) and all(is_waiting(when, value, n) for when, value in states.items())
        saved.require(good, "memory", f"be states of {n} cells by time", states)
    return SavedPopulation(size, n, words(n) * WORD, np.dtype(np.float64), [], spikes_alone=True)
