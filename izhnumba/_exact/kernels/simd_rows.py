"""SIMD rows: LANES neurons of the exact engine side by side, one in each lane, as a Taylor step reads and writes them.

In normal form a neuron is x' = x^2 + y + z - G (x - xE), y' = A x + B y + C, and every synaptic or time-dependent input
is linear: with one state y' = alpha y, with two y' = alpha y + beta x and x' = delta y + gamma x. A current is a y that
adds to z, a conductance one that adds to G.
"""

from __future__ import annotations

from typing import NamedTuple

from izhnumba._exact.kernels.layout import LANES

__all__ = ["LANES", "LAST_TERMS", "LONGEST", "ORDER", "SMALLEST", "TOLERANCE", "SimdRows", "ReceptorKind"]

ORDER = 24
TOLERANCE = 4e-16  # of x in a step, 1/ms: 1e-14 mV of V for the model of 2003
LAST_TERMS = 5 * TOLERANCE  # of the last two: a step is a quarter of the radius of convergence, and the rest a tenth
LONGEST = 60.0  # ms, of a step
SMALLEST = 1e-280  # of coefficients, for their logarithms


class ReceptorKind(NamedTuple):
    """A receptor or input with states of its own: how many (1 or 2), and whether it is a conductance."""

    states: int
    conductance: bool


class SimdRows:
    """Numbers of the rows, float64 (size, LANES), of neurons with these receptors.

    Rows up to n_state: the state, which a step moves on. T: its time, ms; X, Y: x and y; REFRACTORY_UNTIL: end of the
    refractory period, ms, -inf before the first spike; Z: the states of the receptors.
    Rows up to n_loaded: constants, which come with the state when a neuron is put into a lane. I: constant input z; A,
    B, C: of y'; THETA, KAPPA: a spike is x + KAPPA y >= THETA; LEMMA: THETA^2 if KAPPA is 0, else -inf; XE: reversal
    potential of each conductance, as an x.
    Rows behind: of the step. LIMIT: time beyond which it must not lead, ms; H: its length, ms; FULL: the length that
    the tolerance allows, ms; SAFE: 1 if no spike can hide within FULL; NEW: the state at its end; CX, CY, CZ:
    coefficients of x, y and each z, from order 0 to ORDER.
    REACH, loaded too: for each state of a receptor the factor by which its size bounds all input that will come of it.
    VISIT: the time before which the neuron needs no step, ms."""

    T, X, Y, REFRACTORY_UNTIL, Z = range(5)

    def __init__(self, receptors: tuple[ReceptorKind, ...]) -> None:
        self.receptors = receptors
        self.n_z = sum(receptor.states for receptor in receptors)
        self.n_state = n = self.Z + self.n_z
        self.I, self.A, self.B, self.C, self.THETA, self.KAPPA, self.LEMMA, self.XE = range(n, n + 8)  # noqa: E741
        self.n_loaded = n = self.XE + sum(receptor.conductance for receptor in receptors)
        self.LIMIT, self.H, self.FULL, self.SAFE, self.NEW = range(n, n + 5)
        self.CX = self.NEW + self.n_state
        self.CY = self.CX + ORDER + 1
        self.CZ = self.CY + ORDER + 1
        self.REACH = self.CZ + self.n_z * (ORDER + 1)
        self.VISIT = self.REACH + self.n_z
        self.size = self.VISIT + 1

    def first_states(self) -> list[int]:
        """For each receptor, how many states the receptors before it have."""
        return [sum(receptor.states for receptor in self.receptors[:k]) for k in range(len(self.receptors))]
