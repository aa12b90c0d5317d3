"""The rules of plasticity, a page each. To add one, write its class here and export it in `izhnumba/__init__.py`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.keywords import known_keywords
from izhnumba._base.sealed import assign
from izhnumba._synapse.distributions import Distribution
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.plasticity_contract import DECAYED
from izhnumba._synapse.rule_numbers import differs

Array = NDArray[Any]
POSITIVE = {"above": 0.0}
_PAIRINGS = ("all", "nearest")
NO_LESS = {"at_least": "w_min", "finite": False}


@known_keywords("STDP", apre="A_plus", apost="Write A_minus=-Apost.", taupre="tau_plus", taupost="tau_minus")
@dataclass(frozen=True)
class STDP(Plasticity):
    """Spike-timing dependent plasticity of pairs (S. Song, K. D. Miller, L. F. Abbott 2000, doi:10.1038/78829).

    A target spike adds A_plus exp(-(t_post - t_arrival) / tau_plus) to the weight for each earlier arrival, an arrival
    takes off A_minus exp(-(t_arrival - t_post) / tau_minus) for each earlier target spike. Equal times potentiate.

    Parameters
    ----------
    A_plus, A_minus : float
        Rise and fall of the weight by a pair of spikes at no distance in time, both > 0 in the paper; a negative
        A_minus, as Brian2's Apost is, makes weights grow. In the unit of the weight if `dependence` is "additive".
        With "multiplicative" they are factors: potentiation is times (w_max - w), depression times (w - w_min).
    tau_plus, tau_minus : float, ms, > 0
        Time constants with which the effect of pairs falls with their distance in time.
    w_min, w_max : float, in the unit of the weight
        Bounds, applied after each change; above there is none if w_max is left out.
    pairing : "all" or "nearest"
        Whether all earlier spikes count, or the latest alone.
    dependence : "additive" or "multiplicative"
        Whether changes depend on the weight; "multiplicative" takes a finite w_max.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.STDP(A_plus=0.01, A_minus=0.012, w_max=1.0).pairing
    'all'
    """

    keeps_e: ClassVar[bool] = False  # type: ignore[misc]
    A_plus: float = 0.01
    A_minus: float = 0.012
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    w_min: float = 0.0
    w_max: float = math.inf
    pairing: str = "all"
    dependence: str = "additive"

    def __post_init__(self) -> None:
        self._check(tau_plus=POSITIVE, tau_minus=POSITIVE, w_max=NO_LESS)
        checks.one_of("STDP.pairing", self.pairing, _PAIRINGS)
        checks.one_of("STDP.dependence", self.dependence, ("additive", "multiplicative"))
        if (
            self.dependence == "multiplicative"
            and not isinstance(self.w_max, Distribution)
            and np.isinf(self.w_max).any()
        ):
            raise ValueError("STDP.w_max must be finite if dependence is 'multiplicative', got inf.")

    def taus(self) -> tuple[list[float], list[float]]:
        return [self.tau_plus], [self.tau_minus]

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {
            "keep": float(self.pairing == "all"), "soft": float(self.dependence == "multiplicative")
        }  # fmt: skip

    @staticmethod
    def arrival(w, e, x, y, p):
        """Depression by the trace of the target's spikes."""
        scale = w - p.w_min if p.soft else 1
        return w, min(max(w - p.A_minus * scale * y[0], p.w_min), p.w_max), e, (p.keep * x[0] + 1,)

    @staticmethod
    def target_spike(w, e, x, y, p):
        """Potentiation by the trace of the arrivals."""
        scale = p.w_max - w if p.soft else 1
        return min(max(w + p.A_plus * scale * x[0], p.w_min), p.w_max), e

    @staticmethod
    def after_spike(y, p):
        """One spike more, or the latest alone."""
        return (p.keep * y[0] + 1,)


@dataclass(frozen=True)
class TripletSTDP(Plasticity):
    """Spike-timing dependent plasticity of triplets, all to all (J.-P. Pfister and W. Gerstner 2006,
    doi:10.1523/JNEUROSCI.1425-06.2006).

    A target spike adds x1 (A2_plus + A3_plus y2), an arrival takes off y1 (A2_minus + A3_minus x2): x1 and x2 are
    traces of the arrivals with tau_plus and tau_x, y1 and y2 of the target's spikes with tau_minus and tau_y; x2 and
    y2 are taken just before the event itself.

    Parameters
    ----------
    A2_plus, A3_plus, A2_minus, A3_minus : float, in the unit of the weight
        Amplitudes of pairs and of triplets; by default those of the full model for visual cortex.
    tau_plus, tau_minus, tau_x, tau_y : float, ms, > 0
        Time constants of x1, y1, x2 and y2.
    w_min, w_max : float, in the unit of the weight
        Bounds, applied after each change.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.TripletSTDP().tau_y
    125.0
    """

    keeps_e: ClassVar[bool] = False  # type: ignore[misc]
    A2_plus: float = 5e-10
    A3_plus: float = 6.2e-3
    A2_minus: float = 7e-3
    A3_minus: float = 2.3e-4
    tau_plus: float = 16.8
    tau_minus: float = 33.7
    tau_x: float = 101.0
    tau_y: float = 125.0
    w_min: float = 0.0
    w_max: float = math.inf

    def __post_init__(self) -> None:
        taus = dict.fromkeys(("tau_plus", "tau_minus", "tau_x", "tau_y"), POSITIVE)
        self._check(**taus, w_max=NO_LESS)

    def taus(self) -> tuple[list[float], list[float]]:
        return [self.tau_plus, self.tau_x], [self.tau_minus, self.tau_y]

    @staticmethod
    def arrival(w, e, x, y, p):
        """Depression by pairs, and more of it by the arrivals before."""
        w_new = w - y[0] * (p.A2_minus + p.A3_minus * x[1])
        return w, min(max(w_new, p.w_min), p.w_max), e, (x[0] + 1, x[1] + 1)

    @staticmethod
    def target_spike(w, e, x, y, p):
        """Potentiation by pairs, and more of it by the target spikes before."""
        return min(max(w + x[0] * (p.A2_plus + p.A3_plus * y[1]), p.w_min), p.w_max), e

    @staticmethod
    def after_spike(y, p):
        """One spike more in both traces."""
        return y[0] + 1, y[1] + 1


@dataclass(frozen=True)
class STDP2006(Plasticity):
    """The rule of the polychronization network, spnet (E. M. Izhikevich 2006, doi:10.1162/089976606775093882), to the
    last bit at dt = 1 ms. Not for the scheme "exact".

    Target spikes and arrivals, nearest only, add to and take from a derivative of the weight. Once a `period` it first
    shrinks, and is then added to the weight, with `drift`; as in the program this comes before the target spikes of the
    same step. Synapses with a negative weight stay as they are.

    Parameters
    ----------
    A_plus, A_minus : float, in the unit of the weight
        What a target spike adds to the derivative right after an arrival, and an arrival takes off right after a target
        spike.
    decay : float, > 0, <= 1
        Factor of both for each ms between the two spikes.
    drift : float, in the unit of the weight
        What is added to the weight once a period.
    shrink : float
        Factor of the derivative once a period.
    w_max : float, in the unit of the weight
        Upper bound; the lower one is 0.
    period : float, ms, > 0
        A whole number of steps.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.STDP2006().w_max
    10.0
    """

    A_plus: float = 0.1
    A_minus: float = 0.12
    decay: float = 0.95
    drift: float = 0.01
    shrink: float = 0.9
    w_max: float = 10.0
    period: float = 1000.0
    _shared: ClassVar[tuple[str, ...]] = ("period", "decay")
    nearest: ClassVar[bool] = True  # type: ignore[misc]
    latest_first: ClassVar[bool] = True  # type: ignore[misc]
    update_first: ClassVar[bool] = True  # type: ignore[misc]

    def __post_init__(self) -> None:
        self._check(period=POSITIVE, decay={"above": 0.0, "at_most": 1.0})

    def traces(self, dt: float) -> tuple[list[Array], list[Array]]:
        A_plus, A_minus = (1.0 if differs(A) else A for A in (self.A_plus, self.A_minus))
        late = np.concatenate([[A_minus], self._powers(A_minus, dt)])  # its next arrivals find it undecayed
        return [self._powers(A_plus, dt)], [late]

    def _functions(self) -> type:
        return _OfOwnAmplitudes if differs(self.A_plus) or differs(self.A_minus) else type(self)

    def parameters(self) -> dict[str, Any]:
        """Amplitudes of each synapse are no part of the traces."""
        rise, fall = (A if differs(A) else 1.0 for A in (self.A_plus, self.A_minus))
        return super().parameters() | {"rise": rise, "fall": fall}

    def _powers(self, start: float, dt: float) -> Array:
        """start, start * decay, ... as the program multiplies them, one after the other."""
        n = math.ceil(DECAYED / -math.log(self.decay) / dt) if self.decay < 1 else 1
        return np.asarray(np.multiply.accumulate(np.concatenate([[start], np.full(n, self.decay**dt)])))

    @staticmethod
    def arrival(w, e, x, y, p):
        """The derivative falls by the trace of the target's latest spike."""
        return w, w, e - y[0], (1,)

    @staticmethod
    def target_spike(w, e, x, y, p):
        """The derivative rises by the trace of the latest arrival."""
        return w, e + x[0]

    @staticmethod
    def after_spike(y, p):
        """The latest spike alone counts."""
        return (1,)

    @staticmethod
    def update(w, e, y, m, p):
        """Shrink the derivative, and add it to the weight."""
        e = e * p.shrink
        return w if w < 0 else min(max(w + (p.drift + e), 0 * w), p.w_max), e


class _OfOwnAmplitudes:
    """The functions of STDP2006 for synapses with amplitudes of their own: those of traces that begin at 1."""

    after_spike, update, each_step, when = STDP2006.after_spike, STDP2006.update, None, None

    @staticmethod
    def arrival(w, e, x, y, p):
        """The derivative falls by the trace of the target's latest spike."""
        return w, w, e - p.fall * y[0], (1,)

    @staticmethod
    def target_spike(w, e, x, y, p):
        """The derivative rises by the trace of the latest arrival."""
        return w, e + p.rise * x[0]


@dataclass(frozen=True)
class DopamineSTDP(Plasticity):
    """Dopamine-modulated plasticity (E. M. Izhikevich 2007, doi:10.1093/cercor/bhl152).

    Pairs of spikes change an eligibility e instead of the weight; e decays with tau_e, the weight follows
    dw/dt = (baseline + dopamine) e / (10 ms). This is summed up once in a `period`, from e and dopamine as they are
    then: by the published program's own numbers if it is 10 ms, and to the same law for any other that is short against
    tau_e and tau_d. Dopamine is `syn.modulator`: set it, add to it when there is a reward, or let the spikes of neurons
    release it by `syn.modulate`; it decays with tau_d.

    Parameters
    ----------
    A_plus, A_minus : float, in the unit of the weight
        Change of the eligibility by a pair of spikes at no distance in time.
    tau_plus, tau_minus : float, ms, > 0
        Time constants with which the effect of pairs falls with their distance in time.
    tau_e, tau_d : float, ms, > 0
        Time constants of the eligibility and of dopamine.
    baseline : float
        What acts like dopamine at all times.
    w_min, w_max : float, in the unit of the weight
        Bounds, applied after each change.
    period : float, ms, > 0
        Between updates of the weights, at most 40 tau_e; with steps a whole number of them.
    pairing : "all" or "nearest"
        Whether all earlier spikes count, or the latest alone, as in the published program.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.DopamineSTDP().tau_e
    1000.0
    """

    A_plus: float = 0.1
    A_minus: float = 0.15
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    tau_e: float = 1000.0
    tau_d: float = 200.0
    baseline: float = 0.002
    w_min: float = 0.0
    w_max: float = 4.0
    period: float = 10.0
    pairing: str = "all"
    _shared: ClassVar[tuple[str, ...]] = ("period", "tau_d")

    def __post_init__(self) -> None:
        taus = dict.fromkeys(("tau_plus", "tau_minus", "tau_e", "tau_d", "period"), POSITIVE)
        self._check(**taus, w_max=NO_LESS)
        checks.one_of("DopamineSTDP.pairing", self.pairing, _PAIRINGS)
        assign(self, modulator_tau=self.tau_d, eligibility_tau=self.tau_e)

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {
            "share": self.period / 10,  # of what grows in 10 ms
            "keep": float(self.pairing == "all"),
        }

    def taus(self) -> tuple[list[float], list[float]]:
        return [self.tau_plus], [self.tau_minus]

    @staticmethod
    def arrival(w, e, x, y, p):
        """The eligibility falls by the trace of the target's spikes."""
        return w, w, e - p.A_minus * y[0], (p.keep * x[0] + 1,)

    @staticmethod
    def target_spike(w, e, x, y, p):
        """The eligibility rises by the trace of the arrivals."""
        return w, e + p.A_plus * x[0]

    @staticmethod
    def after_spike(y, p):
        """One spike more, or the latest alone."""
        return (p.keep * y[0] + 1,)

    @staticmethod
    def update(w, e, y, m, p):
        """The weight follows the eligibility as far as there is dopamine."""
        return min(max(w + p.share * (p.baseline + m) * e, p.w_min), p.w_max), e


@dataclass(frozen=True)
class TsodyksMarkram(Plasticity):
    """Short-term plasticity: an arrival uses the share u of what is left, R (M. Tsodyks, A. Uziel, H. Markram 2000,
    doi:10.1523/JNEUROSCI.20-01-j0003.2000).

    At an arrival u rises by U (1 - u) and w u R is delivered, which is taken off R; between arrivals R recovers to 1
    with tau_rec and u falls to 0 with tau_facil. Beside a rule that changes w, `plasticity=[TsodyksMarkram(), STDP()]`
    of `Network.connect`, it scales what that rule delivers.

    Parameters
    ----------
    U : float, 0 to 1
        By how much of its distance to 1 an arrival raises u.
    tau_rec, tau_facil : float, ms, > 0
        Time constants with which R recovers and u falls.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.TsodyksMarkram(U=0.5, tau_rec=800.0, tau_facil=1.0)
    TsodyksMarkram(U=0.5, tau_rec=800.0, tau_facil=1.0)
    """

    keeps_e: ClassVar[bool] = False  # type: ignore[misc]
    U: float = 0.5
    tau_rec: float = 800.0
    tau_facil: float = 1.0

    def __post_init__(self) -> None:
        self._check(U={"at_least": 0.0, "at_most": 1.0}, tau_rec=POSITIVE, tau_facil=POSITIVE)

    def taus(self) -> tuple[list[float], list[float]]:
        return [self.tau_rec, self.tau_facil], []

    @staticmethod
    def arrival(w, e, x, y, p):
        """Use a share of what is left. x: what has gone, and u, both falling to 0."""
        left = 1 - x[0]
        u = x[1] + p.U * (1 - x[1])
        return w * u * left, w, e, (1 - (left - u * left), u)


@dataclass(frozen=True)
class Scaling(Plasticity):
    """Synaptic scaling: the weights onto a neuron grow or shrink together until it fires at a target rate (after M. C.
    W. van Rossum, G. Q. Bi, G. G. Turrigiano 2000, doi:10.1523/JNEUROSCI.20-23-08812.2000).

    Every `period` each weight is multiplied by 1 + eta (target - rate) / target, where the rate of the target neuron is
    averaged over tau.

    Parameters
    ----------
    target : float, Hz, > 0
        Rate at which weights stay as they are.
    eta : float
        Share by which weights grow in an update if the target is silent.
    tau : float, ms, > 0
        Time constant of the average.
    w_min, w_max : float, in the unit of the weight
        Bounds, applied after each change.
    period : float, ms, > 0
        Between updates; with steps a whole number of them.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Scaling(target=5.0).eta
    0.01
    """

    keeps_e: ClassVar[bool] = False  # type: ignore[misc]
    target: float
    eta: float = 0.01
    tau: float = 1000.0
    w_min: float = 0.0
    w_max: float = math.inf
    period: float = 100.0

    def __post_init__(self) -> None:
        self._check(target=POSITIVE, tau=POSITIVE, period=POSITIVE, w_max=NO_LESS)

    def taus(self) -> tuple[list[float], list[float]]:
        return [], [self.tau]

    @staticmethod
    def arrival(w, e, x, y, p):
        """Delivers the weight."""
        return w, w, e, x

    @staticmethod
    def after_spike(y, p):
        """One spike more in the average."""
        return (y[0] + 1,)

    @staticmethod
    def update(w, e, y, m, p):
        """All weights of a target by one factor."""
        error = 1 - y[0] * 1000 / (p.tau * p.target)
        return min(max(w * (1 + p.eta * error), p.w_min), p.w_max), e
