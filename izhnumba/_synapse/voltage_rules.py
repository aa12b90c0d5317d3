"""Rules of plasticity that see the membrane potential of the target.

Parameters
----------
w, e, x, y, v, dt, p
    Of the functions: as the docstring of `Plasticity` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.plasticity_rules import NO_LESS, POSITIVE


@dataclass(frozen=True)
class Clopath(Plasticity):
    """Voltage-based plasticity (C. Clopath, L. Büsing, E. Vasilaki, W. Gerstner 2010, doi:10.1038/nn.2479).

    An arrival takes off A_LTD [V_minus - theta_minus]; at all times the weight grows by A_LTP x [V - theta_plus]
    [V_plus - theta_minus] per ms. Brackets are 0 below 0; V_minus and V_plus are V of the target, filtered with
    tau_minus and tau_plus, and x is the trace of the arrivals, each 1 / tau_x. In the step of a spike V is the
    threshold. A_LTD is constant here; in the paper it grows with the mean of V over seconds. Not for the scheme
    "exact".

    Parameters
    ----------
    A_LTD, A_LTP : float
        In the unit of the weight, per mV and per mV^2; by default those for visual cortex, of weights from 0 to 1.
    theta_minus, theta_plus : float, mV
        Thresholds of the filtered V, and of V for potentiation.
    tau_minus, tau_plus : float, ms, > 0
        Time constants of V_minus and V_plus; the same for all synapses.
    tau_x : float, ms, > 0
        Time constant of x.
    w_min, w_max : float, in the unit of the weight
        Bounds, applied after each change.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Clopath(w_max=1.0).theta_minus
    -70.6
    """

    _shared: ClassVar[tuple[str, ...]] = ("tau_minus", "tau_plus")
    keeps_e: ClassVar[bool] = False  # type: ignore[misc]
    A_LTD: float = 14e-5
    A_LTP: float = 8e-5
    theta_minus: float = -70.6
    theta_plus: float = -45.3
    tau_minus: float = 10.0
    tau_plus: float = 7.0
    tau_x: float = 15.0
    w_min: float = 0.0
    w_max: float = math.inf

    def __post_init__(self) -> None:
        self._check(**dict.fromkeys(("tau_minus", "tau_plus", "tau_x"), POSITIVE), w_max=NO_LESS)

    def states(self) -> list[tuple[str, float]]:
        return [("V", 0.0), ("V", self.tau_minus), ("V", self.tau_plus)]

    def taus(self) -> tuple[list[float], list[float]]:
        return [self.tau_x], []

    @staticmethod
    def arrival(w, e, x, y, v, p):
        """Depression where V_minus is above theta_minus. Parameters: see `_synapse.voltage_rules`."""
        fall = p.A_LTD * max(v[1] - p.theta_minus, 0.0)
        return w, min(max(w - fall, p.w_min), p.w_max), e, (x[0] + 1 / p.tau_x,)

    @staticmethod
    def when(v, p):
        """Whether weights grow."""
        return v[0] > p.theta_plus and v[2] > p.theta_minus

    @staticmethod
    def each_step(w, e, x, y, v, dt, p):
        """Potentiation by recent arrivals while V is high and has been. Parameters: see `_synapse.voltage_rules`."""
        rate = p.A_LTP * x[0] * (v[0] - p.theta_plus) * (v[2] - p.theta_minus)
        return min(max(w + dt * rate, p.w_min), p.w_max), e
