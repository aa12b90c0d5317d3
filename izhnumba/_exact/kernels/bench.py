"""The bench on which eight neurons of the exact engine stand side by side, and what a step of them must respect.

In normal form a neuron is x' = x^2 + y + z - G (x - xE), y' = A x + B y + C, and every synaptic or time-dependent input
is linear: with one state y' = alpha y, with two y' = alpha y + beta x and x' = delta y + gamma x. A current is a y that
adds to z, a conductance one that adds to G.
"""

from __future__ import annotations

from typing import NamedTuple

from izhnumba._exact.kernels.layout import LANES

__all__ = ["LANES", "LONGEST", "ORDER", "SMALLEST", "TOLERANCE", "Bench", "PortKind"]

ORDER = 20
TOLERANCE = 4e-16  # of x, in 1/ms: 1e-14 mV of V for the model of 2003
LONGEST = 60.0  # ms
SMALLEST = 1e-280


class PortKind(NamedTuple):
    """Of an input with states of its own: how many, and whether it is a conductance."""

    states: int
    conductance: bool


class Bench:
    """Where the rows of eight numbers lie that a step reads and writes. The first `n_state` rows are the state of a
    neuron, which a step moves on; the rows up to `n_cell` are fixed, and what a cell of the population begins with."""

    T, X, Y, HELD, Z = range(5)

    def __init__(self, ports: tuple[PortKind, ...]) -> None:
        self.ports = ports
        self.n_z = sum(port.states for port in ports)
        self.n_state = n = self.Z + self.n_z
        self.I, self.A, self.B, self.C, self.THETA, self.KAPPA, self.LEMMA, self.XE = range(n, n + 8)  # noqa: E741
        self.n_cell = n = self.XE + sum(port.conductance for port in ports)
        self.LIMIT, self.H, self.FULL, self.SAFE, self.NEW = range(n, n + 5)
        self.CX = self.NEW + self.n_state
        self.CY = self.CX + ORDER + 1
        self.CZ = self.CY + ORDER + 1
        self.size = self.CZ + self.n_z * (ORDER + 1)

    def first_states(self) -> list[int]:
        """The number of the first state of each port."""
        return [sum(port.states for port in self.ports[:k]) for k in range(len(self.ports))]
