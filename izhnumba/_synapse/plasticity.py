"""Plasticity: the base class of rules, by which arrivals, target spikes and updates change a weight."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.sealed import assign
from izhnumba._synapse import plasticity_contract
from izhnumba._synapse.plasticity_contract import DECAYED, LONGEST_TABLE
from izhnumba._synapse.rule_numbers import Bounds, numbers_of, plain

Array = NDArray[Any]


class Plasticity:
    """A rule by which weights change: an argument of `Network.connect`.

    `izhnumba.STDP`, `TripletSTDP`, `STDP2006`, `DopamineSTDP`, `Clopath`, `TsodyksMarkram`, `Scaling`, or your own. A
    network with such synapses advances one step at a time, unless its scheme is "exact".

    To write a rule:

    1. Derive a class from `izhnumba.Plasticity` and make it a frozen dataclass. Its fields are the numbers of the rule;
       those whose names begin with `tau` or `period` are in ms.
    2. Write `arrival(w, e, x, y, p) -> amount, w, e, x`, a static method like all functions below: what a spike does
       that arrives at the synapse. `amount` is delivered to the receptor, the rest is what the synapse keeps.
    3. If events leave traces that decay, write `taus(self)`: it returns two lists of time constants in ms, those of x,
       which each synapse has, and those of y, which each target neuron has, at most four of each. Functions find x and
       y decayed to the present and return what they are after the event.
    4. For what a target spike does, write `target_spike(w, e, x, y, p) -> w, e`, called for each synapse of the target,
       and then `after_spike(y, p) -> y`, called once for its traces.
    5. For what comes at regular times, write `update(w, e, y, m, p) -> w, e` and give a `period` in ms, as a field or
       class attribute.
    6. Choose settings (below), as fields or class attributes.
    7. Pass an object of the class to `Network.connect`. There it is tried on numbers, and refused if a function is
       misspelt, takes other arguments, or returns something else. Functions are compiled by Numba: they compute with
       numbers, by `math`, `min`, `max` and `if`. To load a checkpoint, pass the class in `izhnumba.load(path,
       define=[...])`.

    The arguments are numbers of one synapse:

    ====== ===========================================================================================================
    w      weight, in the unit of the receptor
    e      a number that the rule may keep, 0 at first: `syn.eligibility`
    x, y   tuples of traces of the synapse and of its target, 0 at first
    m      the modulator, such as dopamine, 0 at first: `syn.modulator`
    p      numbers of the rule by name, `p.gain`; True is 1, False is 0
    ====== ===========================================================================================================

    To see states of the target, such as V, write `states(self)`. It returns pairs of a name and a time constant in
    ms, 0 for the state itself, else for a low-pass filter of it. Then functions find a tuple v behind y:
    `arrival(w, e, x, y, v, p)`, `target_spike(w, e, x, y, v, p)`, `update(w, e, y, v, m, p)`. And there may be
    `each_step(w, e, x, y, v, dt, p) -> w, e`, called at the end of each step of dt ms for the synapses of targets for
    which `when(v, p)`, if it is there, returns True. They see what is after the step, an arrival what was before it; V
    is the threshold in the step of a spike.

    A number may differ between synapses: pass an array, in the order of weights, or a distribution. Then p holds those
    of the synapse; in `after_spike` also, whose traces y each synapse has by itself if that needs to be. `taus` and
    `parameters` find arrays in the fields then. `period` and `modulator_tau` are the same for all.

    In one step first spikes arrive, then the target spikes, then, at multiples of `period`, comes the update: an
    arrival sees the target's spikes of earlier steps, a target spike the arrivals of its own step too, an update all
    of its step and the modulator as it is at the end of that. Times are whole steps. With the scheme "exact" they are
    real, and arrivals come before the spike that they cause.

    Attributes
    ----------
    period : float, ms, >= 0
        Between calls of `update`, which must be > 0 if there is one.
    modulator_tau : float, ms, >= 0
        Time constant with which the modulator decays; 0: there is no modulator.
    eligibility_tau : float, ms, >= 0
        Time constant with which e decays; 0: it does not. It needs an update, and a period of at most 40 of it.
    keeps_e : bool
        False for a rule that has no use for e, which then takes no memory.
    nearest : bool
        True if each arrival sets its traces x to 1 and nothing else changes them: they need not be kept.
    latest_first : bool
        The order in which arrivals of one step are added up: by default the oldest spike first.
    update_first : bool
        True if the update comes before the target spikes of its step, as in programs that find spikes at the start of
        the next step.

    Examples
    --------
    Pairs of spikes potentiate; the arrival at 7 ms leaves a trace that the target finds at 11 ms:

    >>> import math
    >>> from dataclasses import dataclass
    >>> import izhnumba as iz
    >>> @dataclass(frozen=True)
    ... class Potentiation(iz.Plasticity):
    ...     gain: float = 0.1
    ...     tau: float = 20.0
    ...
    ...     def taus(self):
    ...         return [self.tau], []
    ...
    ...     @staticmethod
    ...     def arrival(w, e, x, y, p):
    ...         return w, w, e, (x[0] + 1,)
    ...
    ...     @staticmethod
    ...     def target_spike(w, e, x, y, p):
    ...         return w + p.gain * x[0], e
    >>> net = iz.Network(dt=0.5, seed=1)
    >>> cells = net.add(iz.Population(2, V=-70.0, u=-14.0))
    >>> syn = net.connect(cells, cells, ([0], [1]), weight=1.0, delay=2.0, plasticity=Potentiation(gain=0.2))
    >>> kicks = net.drive(cells, iz.SpikeTrain([0, 1], [5.0, 11.0], weight=500.0))
    >>> net.run(20.0)
    >>> math.isclose(syn.weight[0], 1 + 0.2 * math.exp(-4.0 / 20.0))
    True
    """

    keeps_e: bool = True
    nearest: bool = False
    latest_first: bool = False
    update_first: bool = False
    period: float = 0.0
    modulator_tau: float = 0.0
    eligibility_tau: float = 0.0

    _shared: ClassVar[tuple[str, ...]] = ("period", "modulator_tau")  # numbers that all synapses have in common

    arrival: ClassVar[Callable[..., Any]]
    target_spike: ClassVar[Callable[..., Any] | None] = None
    after_spike: ClassVar[Callable[..., Any] | None] = None
    update: ClassVar[Callable[..., Any] | None] = None
    each_step: ClassVar[Callable[..., Any] | None] = None
    when: ClassVar[Callable[..., Any] | None] = None

    def states(self) -> list[tuple[str, float]]:
        """What functions find in v: names of states of the target, "V", "u" or another of its model, each with 0 for
        its value or with the time constant, ms, of a low-pass filter of it; at most four. Not with the scheme
        "exact"."""
        return []

    def taus(self) -> tuple[list[float], list[float]]:
        """Time constants of the traces x of a synapse, and of the traces y of a target, ms; at most four of each."""
        return [], []

    def traces(self, dt: float) -> tuple[list[Array], list[Array]]:
        """The traces x and y as tables, for those that are no exponentials; not with the scheme "exact".

        Parameters
        ----------
        dt : float, ms

        Returns
        -------
        two lists of ndarray, each of shape (n,)
            For each trace its values 0, 1, ... steps after an event that set it to 1; after these it is 0.
        """
        kind = type(self).__name__
        names = {tau: f"{kind}.{name}" for name, tau in self._numbers().items() if isinstance(tau, float)}

        def one(tau: Any) -> Array:
            if np.ndim(tau):
                return np.asarray(dt / np.asarray(tau)).view(EachOwn)
            return exponential(tau, dt, names.get(tau, "Time constants of a rule"))

        x, y = ([one(tau) for tau in z] for z in self.taus())
        return x, y

    def parameters(self) -> dict[str, Any]:
        """The numbers that functions find in p, by name: by default the fields that are numbers, True or False."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        flags = {name: float(value) for name, value in found.items() if isinstance(value, (bool, np.bool_))}
        return self._numbers() | flags

    def check(self, dt: float) -> None:
        """Refuse a rule that does not keep the contract above. Called by `Network.connect`, before anything is made.

        Parameters
        ----------
        dt : float, ms
            Time step of the network.

        Raises
        ------
        TypeError
            If the class is no frozen dataclass, or a function is misspelt, takes other arguments or returns something
            else than the contract says.
        ValueError
            If a number, a time constant or a trace is out of bounds, or a function does not return finite numbers for a
            new synapse.
        """
        plasticity_contract.check(plain(self), Plasticity, dt)

    def _functions(self) -> type:
        """The class that has the functions of this rule."""
        return type(self)

    def __post_init__(self) -> None:
        self._numbers()

    def _numbers(self, **bounds: Bounds) -> dict[str, Any]:
        """The numeric fields by name, within these bounds: numbers that may be infinite, or numbers of each synapse."""
        limits: dict[str, Bounds] = {field.name: {"finite": False} for field in fields(self)}  # type: ignore[arg-type]
        return numbers_of(self, limits | bounds, self._shared)

    def _check(self, **bounds: Bounds) -> None:
        """Make the numeric fields floats, or arrays, within these bounds: by default finite ones."""
        finite: dict[str, Bounds] = {field.name: {} for field in fields(self)}  # type: ignore[arg-type]
        assign(self, **self._numbers(**finite | bounds))


def exponential(tau: float, dt: float, where: str = "Time constants of a rule") -> Array:
    """The table of an exponential trace, shape (n,): its values 0, 1, ... steps of dt after an event that set it to 1,
    until next to nothing is left. tau, dt: ms; where: words for tau in an error."""
    if DECAYED * tau / dt > LONGEST_TABLE:
        most = LONGEST_TABLE / DECAYED * dt
        raise ValueError(f"{where} must be at most {most:.6g} ms at this dt, got {tau:g} ms.")
    return np.asarray(np.exp(-min(dt / tau, 1e300) * np.arange(math.ceil(DECAYED * tau / dt) + 1)))


class EachOwn(np.ndarray[Any, Any]):
    """Rates, shape (synapses,), of what decays with a time constant of each synapse: exp(-rate) is left after a
    step."""


def fading(rule: Plasticity, period: int, dt: float) -> Array:
    """The factors by which an eligibility has decayed 0, 1, ..., `period` steps after an update, shape (period + 1,);
    [1] if it does not decay; the rates with which that of each synapse does, EachOwn."""
    if np.ndim(rule.eligibility_tau):
        return np.asarray(dt / np.asarray(rule.eligibility_tau)).view(EachOwn)
    if not rule.eligibility_tau:
        return np.ones(1)
    if period > LONGEST_TABLE:
        most = f"{LONGEST_TABLE * dt:.6g} ms at this dt"
        raise ValueError(f"{type(rule).__name__}.period must be at most {most}, got {rule.period:g} ms.")
    return np.asarray(np.exp(-np.arange(period + 1) * dt / rule.eligibility_tau))
