"""Plasticity: what arrivals and target spikes do to a weight, as scalar functions of a rule."""

from __future__ import annotations

import math
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks

Array = NDArray[Any]
DECAYED = 40.0  # time constants after which a trace is nothing
_LONGEST = 2**24  # steps in a table of a trace


def exponential(tau: float, dt: float, where: str = "Time constants of a rule") -> Array:
    """A trace n steps after an event that set it to 1."""
    if DECAYED * tau / dt > _LONGEST:
        most = _LONGEST / DECAYED * dt
        raise ValueError(f"{where} must be at most {most:.6g} ms at this dt, got {tau:g} ms.")
    return np.asarray(np.exp(-min(dt / tau, 1e300) * np.arange(math.ceil(DECAYED * tau / dt) + 1)))


def fading(rule: Plasticity, period: int, dt: float) -> Array:
    """What is left of an eligibility 0, 1, ... steps after an update, up to the next one; 1 alone if it stays."""
    if not rule.eligibility_tau:
        return np.ones(1)
    if period > _LONGEST:
        most = f"{_LONGEST * dt:.6g} ms at this dt"
        raise ValueError(f"{type(rule).__name__}.period must be at most {most}, got {rule.period:g} ms.")
    return np.asarray(np.exp(-np.arange(period + 1) * dt / rule.eligibility_tau))


class Plasticity:
    """How weights change: an argument of `Network.connect`. `izhnumba.STDP`, `TripletSTDP`, `STDP2006`,
    `DopamineSTDP`, `TsodyksMarkram` or `Scaling`, or a class of your own: a frozen dataclass of numbers with static
    methods. Only `arrival` is needed. A network with such synapses advances one step at a time, unless its scheme is
    "exact".

    A rule may keep traces, numbers that decay from event to event: up to two of each synapse, x, and up to two of each
    target neuron, y. Its functions see them decayed to the present and return what they are after the event:

        arrival(w, e, x, y, p) -> amount, w, e, x    an arrival at the synapse delivers `amount`
        target_spike(w, e, x, y, p) -> w, e          the target spikes; seen by each of its synapses, before
        after_spike(y, p) -> y                       the target's own traces change
        update(w, e, y, m, p) -> w, e                every `period` ms; m: the modulator

    where w is the weight, e a number of the synapse that the rule may keep (its eligibility), p the rule's numbers by
    name. In one step first spikes arrive, then the target spikes, then, at multiples of `period`, comes the update: an
    arrival sees the target's spikes of earlier steps, a target spike the arrivals of its own step too, an update all
    of its step and the modulator as it is at the end of that. Times are whole steps. With the scheme "exact" they are
    real, and arrivals come before the spike that they cause. A rule with `update_first = True` has its update before
    the target spikes of the same step, as programs that find spikes at the start of the next step have.

    `taus()` gives the time constants with which traces decay, of those of the synapse and of those of the target.
    Other traces than exponentials, for clock schemes alone, are what `traces(dt)` gives: for each its values n steps
    after an event that set it to 1. A rule with `nearest = True` sees in x the latest arrival alone, as traces that it
    set to 1: they follow from its time and are not kept. With `eligibility_tau` (ms) e decays, too; that needs an
    update, and a `period` of at most 40 of it. A rule that has no use for e says `keeps_e = False`.

    Examples
    --------
    Each arrival takes a share off the weight:

    >>> from dataclasses import dataclass
    >>> import izhnumba as iz
    >>> @dataclass(frozen=True)
    ... class Forgetting(iz.Plasticity):
    ...     share: float = 0.1
    ...
    ...     @staticmethod
    ...     def arrival(w, e, x, y, p):
    ...         return w, w - p.share * w, e, x
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(2))
    >>> syn = net.connect(cells, cells, iz.OneToOne(), weight=1.0, plasticity=Forgetting(0.2))
    """

    keeps_e: bool = True
    nearest: bool = False  # an arrival sets the traces x to 1 and nothing else does: they need not be kept
    latest_first: bool = False  # order in which arrivals of one step are added up: by default oldest first
    update_first: bool = False  # `update` comes before the target spikes of its step: by default behind them
    period: float = 0.0  # ms between calls of `update`; 0: never
    modulator_tau: float = 0.0  # ms with which the modulator decays; 0: there is none
    eligibility_tau: float = 0.0  # ms with which e decays; 0: it does not

    arrival: ClassVar[Any]
    target_spike: ClassVar[Any] = None
    after_spike: ClassVar[Any] = None
    update: ClassVar[Any] = None

    def traces(self, dt: float) -> tuple[list[Array], list[Array]]:
        """Those of the synapse, those of the target: each as its values n steps after an event that set it to 1."""
        names = {tau: f"{type(self).__name__}.{name}" for name, tau in self._numbers().items()}
        x, y = ([exponential(tau, dt, names.get(tau, "Time constants of a rule")) for tau in z] for z in self.taus())
        return x, y

    def taus(self) -> tuple[list[float], list[float]]:
        """Time constants of the traces of the synapse, and of those of the target, ms."""
        return [], []

    def parameters(self) -> dict[str, float]:
        """The numbers that the functions find in p."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        flags = {name: float(value) for name, value in found.items() if isinstance(value, (bool, np.bool_))}
        return self._numbers() | flags

    def check(self, dt: float) -> None:
        """Try the functions on numbers: what is wrong with them would be met far away."""
        name, (x, y) = type(self).__name__, self.traces(dt)
        if max(len(x), len(y)) > 2:
            raise ValueError(
                f"{name}.traces(dt) must return at most two traces of each kind, got {len(x)} and {len(y)}."
            )
        if self.eligibility_tau and not (type(self).update and 0 < self.period <= DECAYED * self.eligibility_tau):
            most = f"{DECAYED:g} time constants of the eligibility ({DECAYED * self.eligibility_tau:g} ms)"
            raise ValueError(f"{name}.period must be > 0 and at most {most}, with an update, got {self.period:g} ms.")
        one, p = np.float64(1.0), SimpleNamespace(**self.parameters())
        xs, ys = (one,) * len(x), (one,) * len(y)
        for function, arguments, results, several in (
            ("arrival(w, e, x, y, p)", (one, one, xs, ys, p), "(amount, w, e, x)", len(x)),
            ("target_spike(w, e, x, y, p)", (one, one, xs, ys, p), "(w, e)", None),
            ("after_spike(y, p)", (ys, p), "y", len(y)),
            ("update(w, e, y, m, p)", (one, one, ys, one, p), "(w, e)", None),
        ):
            call = getattr(type(self), function.partition("(")[0])
            if call is not None:
                _try(f"{name}.{function}", call, arguments, results, several)

    def __post_init__(self) -> None:
        self._numbers()

    def _numbers(self, **bounds: dict[str, Any]) -> dict[str, float]:
        """The numeric fields, which are times in ms where their names say so."""
        limits: dict[str, dict[str, Any]] = {field.name: {"finite": False} for field in fields(self)}  # type: ignore[arg-type]
        return checks.numbers(self, limits | bounds, lambda name: "ms" * name.startswith(("tau", "period")))

    def _check(self, **bounds: dict[str, Any]) -> None:
        """Make the numeric fields floats within these bounds."""
        finite: dict[str, dict[str, Any]] = {field.name: {} for field in fields(self)}  # type: ignore[arg-type]
        self.__dict__.update(self._numbers(**finite | bounds))


def _try(where: str, call: Any, arguments: tuple[Any, ...], results: str, traces: int | None) -> None:
    """Call it: it must return as many results, the last of them as many traces."""
    try:
        with np.errstate(all="ignore"):
            found = call(*arguments)
        last = found if results == "y" else found[-1]
        good = (results == "y" or len(found) == results.count(",") + 1) and (traces is None or len(last) == traces)
        got = repr(found)
    except Exception as error:
        good, got = False, f"{type(error).__name__}: {error}"
    if not good:
        several = "" if traces is None else f" with {traces} numbers in its last"
        raise TypeError(f"{where} must return {results}{several}, got {got}.")
