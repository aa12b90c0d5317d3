"""Receptors that saturate: what they make of a source's spikes has an upper bound, by published kinetics.

The states of these belong to the source neuron, for they depend on its spikes alone; what a target gets is the sum over
its synapses of weight times the state of the source, as it was a delay ago. So each synapse saturates by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._synapse.receptor import Receptor

_NO_RATES = "its kinetics are not linear. Use a clock scheme such as 'rk4', or Exponential(tau, E=)."


@dataclass(frozen=True)
class Kinetic(Receptor):
    """First-order kinetics of receptors that transmitter binds to: r' = alpha T (1 - r) - beta r.

    T is on for `duration` from the arrival of a spike on, and r the share of open receptors of a synapse, from 0 to 1:
    the weight is the strength if all are open, and the conductance or current weight times r. r is advanced by its
    exact solution. Synapses of a source have its r, each delayed by its own delay.

    Parameters
    ----------
    alpha : float, 1/(mM ms), > 0
    beta : float, 1/ms, > 0
    T : float, mM, > 0
        Height of the pulse of transmitter.
    duration : float, ms, > 0, a whole number of steps
        Its length.
    E : float, mV, optional
        Reversal potential: with it weights are conductances.
    overlap : "prolong" or "ignore"
        A spike within a pulse makes it last for `duration` from there on, or is lost.
    block : name or function of V, optional
        As that of `NMDA`, with 1 mM, for conductances.

    Notes
    -----
    Of A. Destexhe, Z. F. Mainen and T. J. Sejnowski (Neural Comput. 6, 1994). With T 1 mM for 1 ms, alpha 1.1 and beta
    0.19 stand for AMPA, 0.072 and 0.0066 for NMDA, 5 and 0.18 for GABA_A (E -80 mV). Programs of theirs ignore spikes
    within a pulse; others, such as W. W. Lytton's (Neural Comput. 8, 1996), prolong it.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(dt=0.1)
    >>> cells = net.add(iz.Population(2, **iz.presets["RS"]), name="cells")
    >>> syn = net.connect(cells, cells, ([0], [1]), weight=2.0, receptor=iz.Kinetic(alpha=1.1, beta=0.19))
    >>> kicks = net.drive(cells, iz.SpikeTrain([0, 0, 0], [1.0, 2.0, 3.0], weight=200.0))
    >>> current = net.record(syn, "current", every=1.0)
    >>> net.run(6.0)
    >>> current.current[:, 1].round(2)
    array([0.  , 1.01, 1.52, 1.65, 1.46, 1.21])
    """

    alpha: float
    beta: float
    T: float = 1.0
    duration: float = 1.0
    E: float | None = None
    overlap: str = "prolong"
    block: Any = None
    no_rates = _NO_RATES
    states = 2
    per_source = True

    def __post_init__(self) -> None:
        units = {"alpha": "", "beta": "1/ms", "T": "", "duration": "ms"}
        assign(self, **checks.numbers(self, {name: {"above": 0.0} for name in units}, units.__getitem__))
        self._check_E()
        checks.one_of("Kinetic.overlap", self.overlap, ("prolong", "ignore"))
        self._check_block()

    @property
    def quiet_tau(self) -> float:  # type: ignore[override]
        """1 / beta, ms."""
        return 1 / self.beta

    def parameters(self, dt: float) -> dict[str, float]:
        rate = self.alpha * self.T + self.beta
        return {
            "most": self.alpha * self.T / rate, "rise": math.exp(-rate * dt), "fade": math.exp(-self.beta * dt),
            "steps": checks.steps("Kinetic.duration", self.duration, dt, at_least=1),
            "ignores": float(self.overlap == "ignore"),
        }  # fmt: skip

    @staticmethod
    def advance(s, arrived, p):
        """s: r, and for how many steps T is on yet."""
        r, left = s
        if left > 0:
            r, left = p.most + (r - p.most) * p.rise, left - 1
        else:
            r = r * p.fade
        if arrived > 0 and not (p.ignores and left > 0):
            left = p.steps
        return r, left


@dataclass(frozen=True)
class Saturating(Receptor):
    """A spike opens a share of the receptors of a synapse that are closed: s += fraction (1 - s); s decays with tau.

    The weight is the strength if all are open, and the conductance or current weight times s. So the first spike counts
    for weight times `fraction`, and one that comes soon after for less. It is what becomes of `WangNMDA` without a
    rise, with fraction 1 - exp(-alpha tau_rise).

    Parameters
    ----------
    tau : float, ms, > 0
    fraction : float, 0 < fraction <= 1
    E : float, mV, optional
        Reversal potential: with it weights are conductances.
    block : name or function of V, optional
        As that of `NMDA`, with 1 mM, for conductances.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Saturating(5.0, fraction=0.5, E=0.0)
    Saturating(tau=5.0, fraction=0.5, E=0.0, block=None)
    """

    tau: float
    fraction: float = 1.0
    E: float | None = None
    block: Any = None
    no_rates = _NO_RATES
    states = 1
    per_source = True

    def __post_init__(self) -> None:
        self._check_tau("tau")
        assign(self, fraction=checks.number("Saturating.fraction", self.fraction, above=0.0, at_most=1.0))
        self._check_E()
        self._check_block()

    @property
    def quiet_tau(self) -> float:  # type: ignore[override]
        """tau, ms."""
        return self.tau

    def parameters(self, dt: float) -> dict[str, float]:
        return {"fade": math.exp(-dt / self.tau), "fraction": self.fraction}

    @staticmethod
    def advance(s, arrived, p):
        """s: the share of open receptors."""
        open_ = s[0] * p.fade
        if arrived > 0:
            open_ += p.fraction * (1 - open_)
        return (open_,)


@dataclass(frozen=True)
class WangNMDA(Receptor):
    """NMDA receptors of a synapse that saturate: s' = alpha x (1 - s) - s / tau_decay, x' = -x / tau_rise.

    A spike adds 1 to x. The weight is the conductance if all receptors are open, and the current weight s B(V) (E - V)
    with the block B of `NMDA` (X.-J. Wang, J. Neurosci. 19, 1999; N. Brunel and X.-J. Wang 2001). A step is advanced by
    the integral of the equation, taken by Gauss's rule of two points: what is left out is below 1e-9 at dt = 0.1 ms. A
    spike costs as much as one that arrives in each step for some 20 tau_rise; `Saturating` costs little more than
    `Exponential`.

    Parameters
    ----------
    alpha : float, 1/ms, > 0
    tau_rise, tau_decay : float, ms, > 0
    E : float, mV
    Mg, block
        As those of `NMDA`.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.WangNMDA()
    WangNMDA(alpha=0.5, tau_rise=2.0, tau_decay=100.0, E=0.0, Mg=1.0, block='jahr-stevens')
    """

    alpha: float = 0.5
    tau_rise: float = 2.0
    tau_decay: float = 100.0
    E: float = 0.0
    Mg: float = 1.0
    block: Any = "jahr-stevens"
    no_rates = _NO_RATES
    states = 2
    per_source = True

    def __post_init__(self) -> None:
        assign(self, alpha=checks.number("WangNMDA.alpha", self.alpha, "1/ms", above=0.0))
        for name in ("tau_rise", "tau_decay"):
            self._check_tau(name)
        assign(self, E=checks.number("WangNMDA.E", self.E, "mV"))  # there is none without
        self._check_E()
        self._check_block()

    @property
    def quiet_tau(self) -> float:  # type: ignore[override]
        """tau_decay, ms."""
        return self.tau_decay

    def parameters(self, dt: float) -> dict[str, float]:
        rise, decay = self.tau_rise, self.tau_decay
        p = {"rise": math.exp(-dt / rise), "fade": math.exp(-dt / decay), "half": dt / (2 * decay)}
        for k, share in enumerate((0.0, 0.5 - 1 / math.sqrt(12), 0.5 + 1 / math.sqrt(12))):  # start, and Gauss's points
            p[f"bound{k}"] = self.alpha * rise * (math.exp(-share * dt / rise) - p["rise"])  # by x = 1, from there on
            p[f"lost{k}"] = (1 - share) * dt / decay
        return p

    @staticmethod
    def advance(s, arrived, p):
        """s: s and x. 1 - s decays by the integral of alpha x + 1 / tau_decay, and grows by 1 / tau_decay."""
        open_, x = s
        if x > 0:
            first, second = math.exp(-x * p.bound1 - p.lost1), math.exp(-x * p.bound2 - p.lost2)
            closed = (1 - open_) * math.exp(-x * p.bound0 - p.lost0) + p.half * (first + second)
            open_, x = 1 - closed, x * p.rise
            if x < 1e-12:  # nothing is left to bind
                x = 0.0 * x
        else:
            open_ = open_ * p.fade
        return open_, x + arrived
