"""The receptors of izhnumba: each is one exact propagator of one or two states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from izhnumba._base import checks
from izhnumba._base.implausible import warn_of_base_unit
from izhnumba._base.sealed import assign
from izhnumba._synapse.receptor import Propagator, Rates, Receptor


@dataclass(frozen=True)
class Delta(Receptor):
    """V jumps by the weight, in mV, in the step in which the spike arrives; with the scheme "exact" at that time.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Delta()
    Delta()
    """

    adds_to = "V"

    def rates(self) -> Rates:
        return Rates(0)


@dataclass(frozen=True)
class Pulse(Receptor):
    """The weight is a current, in mV/ms (pA), that flows for a while from the step on in which the spike arrives.

    The scheme "exact" refuses it: spikes are events there, but the end of a current is none.

    Parameters
    ----------
    duration : float, ms, > 0, a whole number of steps, optional
        By default the one step in which the spike arrives: half the dt is half the charge then. Models that were
        published with dt = 1 ms mean `Pulse(1.0)` at every dt.

    Notes
    -----
    A current from outside that is on from start to stop is `Pulses`.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Pulse().propagator(0.1).steps, iz.Pulse(1.0).propagator(0.1).steps
    (1, 10)
    """

    duration: float | None = None
    no_rates = "it ends some time after its spike, and no event says so. Use a clock scheme, or Exponential(tau)."

    def __post_init__(self) -> None:
        if self.duration is not None:
            assign(self, duration=checks.number("Pulse.duration", self.duration, "ms", above=0.0))

    def propagator(self, dt: float) -> Propagator:
        if self.duration is None:
            return Propagator(0)
        return Propagator(0, steps=checks.steps("Pulse.duration", self.duration, dt, at_least=1))


@dataclass(frozen=True)
class Exponential(Receptor):
    """Rises by the weight at once and decays with tau.

    Parameters
    ----------
    tau : float, ms, > 0
    E : float, mV, optional
        Reversal potential: with it weights are conductances.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Exponential(5.0, E=0.0)
    Exponential(tau=5.0, E=0.0)
    """

    tau: float
    E: float | None = None

    def __post_init__(self) -> None:
        self._check_tau("tau")
        self._check_E()

    def propagator(self, dt: float) -> Propagator:
        return Propagator(1, math.exp(-dt / self.tau))

    def rates(self) -> Rates:
        return Rates(1, -1 / self.tau)


@dataclass(frozen=True)
class Alpha(Receptor):
    """weight (t / tau) exp(1 - t / tau): the weight is the peak, tau after the arrival.

    Parameters
    ----------
    tau : float, ms, > 0
    E : float, mV, optional

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Alpha(2.0)
    Alpha(tau=2.0, E=None)
    """

    tau: float
    E: float | None = None

    def __post_init__(self) -> None:
        self._check_tau("tau")
        self._check_E()

    def propagator(self, dt: float) -> Propagator:
        decay = math.exp(-dt / self.tau)
        return Propagator(2, decay, decay * dt, decay, math.e / self.tau)

    def rates(self) -> Rates:
        return Rates(2, -1 / self.tau, 1.0, -1 / self.tau, math.e / self.tau)


@dataclass(frozen=True)
class DualExponential(Receptor):
    """The difference of two exponentials, scaled so that the weight is the peak.

    Parameters
    ----------
    tau_rise, tau_decay : float, ms, 0 < tau_rise < tau_decay
        For equal ones take `Alpha`.
    E : float, mV, optional

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.DualExponential(1.0, 5.0)
    DualExponential(tau_rise=1.0, tau_decay=5.0, E=None)
    """

    tau_rise: float
    tau_decay: float
    E: float | None = None

    def __post_init__(self) -> None:
        self._check_tau("tau_rise")
        self._check_tau("tau_decay")
        self._check_E()
        if self.tau_rise >= self.tau_decay:
            raise ValueError(
                f"{type(self).__name__}.tau_rise must be below tau_decay ({self.tau_decay:g} ms), got "
                f"{self.tau_rise:g} ms. For equal time constants use Alpha."
            )

    def propagator(self, dt: float) -> Propagator:
        slow, fast = math.exp(-dt / self.tau_decay), math.exp(-dt / self.tau_rise)
        return Propagator(2, slow, slow - fast, fast, 1.0 / self._peak())

    def rates(self) -> Rates:
        rise, decay = 1 / self.tau_rise, 1 / self.tau_decay
        return Rates(2, -decay, rise - decay, -rise, 1.0 / self._peak())

    def _peak(self) -> float:
        """Peak of the difference of the two exponentials."""
        ratio = self.tau_decay / self.tau_rise
        return float(ratio ** (-1 / (ratio - 1)) - ratio ** (-ratio / (ratio - 1)))


@dataclass(frozen=True)
class NMDA(Receptor):
    """Slow excitation: a conductance g that magnesium blocks at low V, current g B(V) (E - V).

    The weight is the peak of g, which rises and decays as that of `DualExponential`. B is evaluated wherever a scheme
    evaluates the current, and its slope enters exponential Euler. The scheme "exact" refuses it: B is no polynomial.

    Parameters
    ----------
    tau_rise, tau_decay : float, ms, 0 <= tau_rise < tau_decay
        With tau_rise 0 a spike raises g at once.
    E : float, mV
    Mg : float, mM, > 0
        Of the block "jahr-stevens".
    block : "jahr-stevens", "izhikevich" or function of V
        B(V), one for all receptors of a population that have one:

        - "jahr-stevens": 1 / (1 + Mg / 3.57 exp(-0.062 V)) (C. E. Jahr and C. F. Stevens 1990);
        - "izhikevich": w^2 / (1 + w^2), w = (V + 80) / 60 (E. M. Izhikevich and G. M. Edelman 2008, with tau_rise 0 and
          tau_decay 150). It rises again below -80 mV, as published;
        - a function of V in mV that Numba compiles: it computes with numbers, by `math` and conditional expressions,
          and returns a finite number >= 0. Exponential Euler takes its slope between two points 1/8 mV apart. A
          checkpoint keeps its name: `izhnumba.load(path, define=[block])`.

    Examples
    --------
    >>> import math
    >>> import izhnumba as iz
    >>> iz.NMDA()
    NMDA(tau_rise=2.0, tau_decay=150.0, E=0.0, Mg=1.0, block='jahr-stevens')
    >>> def steep(V):
    ...     return 1 / (1 + math.exp(-0.1 * (V + 20)))
    >>> net = iz.Network(dt=0.5)
    >>> cell = net.add(iz.Population(1, **iz.presets["RS"]))
    >>> spikes = net.drive(cell, iz.SpikeTrain([0], [1.0], weight=2.0, receptor=iz.NMDA(block=steep)))
    >>> net.run(10.0)
    """

    tau_rise: float = 2.0
    tau_decay: float = 150.0
    E: float = 0.0
    Mg: float = 1.0
    block: Any = "jahr-stevens"
    no_rates = "its magnesium block is no polynomial. Use a clock scheme such as 'rk4', or DualExponential(E=0)."

    def __post_init__(self) -> None:
        name = type(self).__name__
        assign(self, tau_rise=checks.number(f"{name}.tau_rise", self.tau_rise, "ms", at_least=0.0))
        if self.tau_rise:
            DualExponential.__post_init__(self)  # type: ignore[arg-type]
        else:
            self._check_tau("tau_decay")
            self._check_E()
        self._check_block()

    def _check_E(self) -> None:
        assign(self, E=checks.number("NMDA.E", self.E, "mV"))  # there is none without
        warn_of_base_unit("NMDA.E", self.E, "mV")

    def propagator(self, dt: float) -> Propagator:
        if not self.tau_rise:
            return Propagator(1, math.exp(-dt / self.tau_decay))
        return DualExponential.propagator(self, dt)  # type: ignore[arg-type]

    _peak = DualExponential._peak


@dataclass(frozen=True)
class GapJunction(Receptor):
    """An electrical synapse: the current weight (V_source - V) flows at all times; the weight is a conductance.

    V_source is that before the step and at most the source's threshold, so that a stored overshoot of V does not count.
    A junction is one way: connect (i, j) and (j, i), as `AllToAll` and pairs in both orders do. It has no delay, and a
    network with gap junctions advances one step at a time. The scheme "exact" refuses them.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> pair = net.add(iz.Population(2, **iz.presets["FS"]), name="pair")
    >>> net.connect(pair, pair, iz.AllToAll(autapses=False), weight=0.1, receptor=iz.GapJunction())
    <2 synapses pair -> pair, GapJunction()>
    """

    adds_to = "coupling"
    no_rates = "it couples neurons at all times. Use a clock scheme such as 'rk4'."

    def propagator(self, dt: float) -> Propagator:
        return Propagator(2)  # sums of weights and of weights times V, made anew in each step


def AMPA(tau: float = 5.0, E: float = 0.0) -> Exponential:
    """Fast excitation: a conductance that decays in 5 ms (E. M. Izhikevich and G. M. Edelman 2008).

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.AMPA()
    Exponential(tau=5.0, E=0.0)
    """
    return _conductance("AMPA", tau, E)


def GABA_A(tau: float = 6.0, E: float = -70.0) -> Exponential:
    """Fast inhibition: a conductance that decays in 6 ms (E. M. Izhikevich and G. M. Edelman 2008).

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.GABA_A()
    Exponential(tau=6.0, E=-70.0)
    """
    return _conductance("GABA_A", tau, E)


def GABA_B(tau: float = 150.0, E: float = -90.0) -> Exponential:
    """Slow inhibition: a conductance that decays in 150 ms (E. M. Izhikevich and G. M. Edelman 2008).

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.GABA_B()
    Exponential(tau=150.0, E=-90.0)
    """
    return _conductance("GABA_B", tau, E)


def _conductance(owner: str, tau: float, E: float) -> Exponential:
    """With a reversal potential, or it would be a current."""
    return Exponential(checks.number(f"{owner}.tau", tau, "ms", above=0.0), checks.number(f"{owner}.E", E, "mV"))
