"""The states that recorders can sample, by name, besides those that models have beside V and u. To add one:

1. Name it here. The name is that of an attribute of recorders and samples, and of a column in their files.
2. Tell the clock engine from which array it is read: `SOURCES` in `_clock/engine.py`.
3. Tell the exact engine how it follows from the state of a neuron: `sample` in `_exact/kernels/sample.py`.
"""

from __future__ import annotations

from typing import NamedTuple


class State(NamedTuple):
    """A state to be recorded. of: "neurons" of a population, or a "receptor", by its synapses; text: what it is."""

    of: str
    text: str


STATES = {
    "V": State("neurons", "membrane potential, in the unit of V"),
    "u": State("neurons", "recovery variable, in the unit of u"),
    "current": State("receptor", "current of all synapses onto equal receptors, in the unit of I"),
}


def states_of(which: str) -> list[str]:
    """Names of the states of "neurons", or of a "receptor"."""
    return [name for name, state in STATES.items() if state.of == which]
