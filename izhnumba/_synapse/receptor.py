"""Receptors: what one is and promises, and several that share a weight."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from izhnumba._base import checks
from izhnumba._base.implausible import warn_of_base_unit
from izhnumba._base.sealed import assign
from izhnumba._synapse.states import States, states_of

_TRIED = (-150.0, -100.0, -80.0, -65.0, -50.0, -20.0, 0.0, 30.0, 100.0)  # mV


def all_finite(values: Iterable[Any]) -> bool:
    """Whether all are finite real numbers."""
    return all(isinstance(one, (int, float, np.number)) and bool(np.isfinite(one)) for one in values)


class Propagator(NamedTuple):
    """How the states of a receptor advance by one step.

    y <- decay_y y + x_to_y x (+ arrivals, if there is no x), x <- decay_x x + to_x arrivals. y is the current or the
    conductance: that of a step is what the step before has left.

    Parameters
    ----------
    states : 0, 1 or 2
        None, y alone, or y and x. Without states what arrives acts in the step itself.
    decay_y, x_to_y, decay_x, to_x : float
        Without a unit.
    steps : int, >= 1
        For how many steps what arrives acts, from the step itself on, if there are no states.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Exponential(5.0).propagator(0.5)
    Propagator(states=1, decay_y=0.9048374180359595, x_to_y=0.0, decay_x=0.0, to_x=0.0, steps=1)
    """

    states: int
    decay_y: float = 0.0
    x_to_y: float = 0.0
    decay_x: float = 0.0
    to_x: float = 0.0
    steps: int = 1


class Rates(NamedTuple):
    """How the states of a receptor change in continuous time.

    y' = alpha y + beta x (+ arrivals, if there is no x), x' = gamma x + factor arrivals. y is the current or the
    conductance.

    Parameters
    ----------
    states : 0, 1 or 2
        None, y alone, or y and x.
    alpha, beta, gamma : float, 1/ms
        alpha and gamma <= 0.
    factor : float
        Of arrivals; 1 unless there are two states.

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.Exponential(5.0).rates()
    Rates(states=1, alpha=-0.2, beta=0.0, gamma=0.0, factor=1.0)
    """

    states: int
    alpha: float = 0.0
    beta: float = 0.0
    gamma: float = 0.0
    factor: float = 1.0

    def propagator(self, dt: float) -> Propagator:
        """The exact solution over dt ms."""
        if not self.states:
            return Propagator(0)
        decay_y = math.exp(self.alpha * dt)
        if self.states == 1:
            return Propagator(1, decay_y)
        z = (self.alpha - self.gamma) * dt
        decay_x = math.exp(self.gamma * dt)
        x_to_y = self.beta * dt * decay_x * (math.expm1(z) / z if z else 1.0)
        return Propagator(2, decay_y, x_to_y, decay_x, self.factor)


class Gate(NamedTuple):
    """A factor of a conductance that depends on V. name: of its equation in `_model.equations.GATES`, and
    of the receptor's parameter, whose value and unit follow; or "block", with a function of V as the value."""

    name: str
    value: Any
    unit: str = ""

    @classmethod
    def of(cls, block: Any, Mg: float, where: str, at_least: float = 0.0) -> Gate:
        """That of a block: its name, or a user's function of V, which is tried. Mg: mM; where: words for errors;
        at_least: the least that the function may return."""
        if isinstance(block, str):
            checks.one_of(where, block, ("jahr-stevens", "izhikevich"))
            return cls("Mg", Mg, "mM") if block == "jahr-stevens" else cls("izhikevich", 0.0)
        checks.takes(where, block, "V")
        plain = getattr(block, "py_func", block)  # of a function that the user compiled with Numba already
        checks.kind(where, plain, types.FunctionType, "a function made by def or lambda")
        for V in _TRIED:
            try:
                found = plain(V)
            except Exception as error:
                got = f"{type(error).__name__} at {V:g} mV: {error}"
                raise ValueError(f"{where} must take every V, got {got}.") from error
            if not all_finite([found]) or found < at_least:
                must = "a finite number >= 0" if at_least == 0 else "a finite number"
                raise ValueError(f"{where} must be {must} at every V, got {checks.shown(found)} at {V:g} mV.")
        return cls("block", plain)


class Receptor:
    """The effect of a spike on its target, scaled by the weight of the synapse: base class of all receptors.

    `izhnumba.Delta`, `Pulse`, `Exponential`, `Alpha`, `DualExponential`, `AMPA`, `GABA_A`, `GABA_B`, `NMDA`,
    `GapJunction`; `Kinetic`, `Saturating` and `WangNMDA`, which saturate; sums of them, `AMPA() + 0.3 * NMDA()`. With a
    reversal potential `E` (mV) weights are conductances (1/ms, for Izhikevich2007 nS) and the current is g (E - V),
    whose slope enters exponential Euler; without one they are currents (mV/ms, pA). Equal receptors of a population are
    one: their synapses add to the same state. With the scheme "exact" a spike acts at the time of its arrival; what is
    not linear is refused there, and so are `Pulse`, `GapJunction` and sums.

    To write one of your own:

    1. Write a class that inherits from `Receptor`, under `@dataclass(frozen=True)`. Its fields are its parameters.
    2. Write `rates()`, which returns `izhnumba.Rates`: the linear equations of its one or two states y and x. y is the
       current; a spike adds its weight to y, or with two states `factor` times the weight to x. All schemes use them:
       clock schemes advance by their exact solution.
    3. If it has no such equations, write `propagator(dt)` instead, which returns `izhnumba.Propagator`: what a step of
       dt ms does to y and x, or for how many steps a spike acts. Then the scheme "exact" refuses it, in the words of
       `no_rates`.
    4. To make y a conductance, have a field `E`, its reversal potential. If the current depends on V in another way,
       write `block(V)`, a static method: it is y block(V) (E - V), or without E y block(V).
    5. For states that follow other equations, write `advance(s, arrived, p)`, a static method, instead of `rates()`:
       from a tuple of `states` numbers before a step, 0 at first, to those after it; `arrived` is the sum of the
       weights that arrive in this step, and p has the fields and dt. y is s[0], or what `strength(s, p)` returns. With
       `per_source = True` the states are those of a source neuron, `arrived` is 1 where it spikes, else 0, and y is the
       sum over synapses of weight times strength, a delay ago: each synapse saturates by itself (see `Kinetic`). Numba
       compiles these functions: they compute with numbers, by `math` and if.
    6. Pass it to `Network.connect(..., receptor=...)` or to a spike input. What the two methods return is checked
       there, once. A checkpoint stores the fields: `izhnumba.load(path, define=[Plateau])`.

    Attributes
    ----------
    E : float, mV, or None
        The reversal potential of a conductance.
    adds_to : {"current", "conductance", "V", "coupling"}
        What y is: a current; a conductance, if there is an `E`. `Delta` adds to V itself; `GapJunction` couples V to
        that of the source at all times. One of your own is a current or a conductance.
    block : name, function of V, or None
        The factor by which V opens a conductance, such as a magnesium block, or the course of a current with V, as a
        static method; or one of those of `NMDA`, with 1 mM. A population has one at most.
    states : int, 1 to 3
        How many `advance` has.
    per_source : bool
        Whether they are those of source neurons.
    quiet_tau : float, ms, optional
        Time constant with which the strength of a source decays where nothing else happens to it: then it sends only
        what differs from that, and otherwise in each step.
    gate : Gate or None
        The block, as kernels know it.
    no_rates : str
        Why it has no `rates()`, and what to use instead with the scheme "exact".

    Examples
    --------
    A current with a rise and a plateau: tau_rise y' = x - y, tau_fade x' = -x.

    >>> from dataclasses import dataclass
    >>> import izhnumba as iz
    >>> @dataclass(frozen=True)
    ... class Plateau(iz.Receptor):
    ...     tau_rise: float = 2.0
    ...     tau_fade: float = 1000.0
    ...
    ...     def rates(self):
    ...         rise, fade = 1 / self.tau_rise, 1 / self.tau_fade
    ...         return iz.Rates(2, alpha=-rise, beta=rise, gamma=-fade)
    >>> net = iz.Network(dt=0.5)
    >>> cells = net.add(iz.Population(2, **iz.presets["RS"]), name="cells")
    >>> syn = net.connect(cells, cells, ([0], [1]), weight=3.0, receptor=Plateau())
    >>> kick = net.drive(cells, iz.SpikeTrain(i=[0], t=[1.0], weight=100.0))
    >>> current = net.record(syn, "current", every=5.0)
    >>> net.run(20.0)
    >>> current.current[:, 1].round(2)
    array([2.14, 2.91, 2.96, 2.95])
    """

    E: float | None = None
    block: Any = None
    states: int = 0
    per_source: bool = False
    quiet_tau: float | None = None
    advance: ClassVar[Callable[..., Any] | None] = None
    strength: ClassVar[Callable[..., Any] | None] = None
    no_rates: str = "it does not tell its rates(). Write rates(), or use a clock scheme."

    @property
    def adds_to(self) -> str:
        """The sum that y is added to: "current", or with a reversal potential "conductance"."""
        return "current" if self.E is None else "conductance"

    def __add__(self, other: object) -> Mixed:
        if not isinstance(other, Receptor):
            return NotImplemented
        parts, ratios = zip(*parts_of(self), *parts_of(other), strict=True)
        return Mixed(parts, ratios)

    def __mul__(self, ratio: object) -> Mixed:
        if isinstance(ratio, Receptor):
            return NotImplemented
        by = checks.number(f"{type(self).__name__} ratio", ratio)
        parts, ratios = zip(*parts_of(self), strict=True)
        return Mixed(parts, tuple(one * by for one in ratios))

    __rmul__ = __mul__

    @property
    def gate(self) -> Gate | None:
        """What opens a conductance by V: its `block`."""
        if self.block is None:
            return None
        where, at_least = f"{type(self).__name__}.block", -math.inf if self.E is None else 0.0
        return Gate.of(self.block, getattr(self, "Mg", 1.0), where, at_least)

    def propagator(self, dt: float) -> Propagator:
        """How the states advance by dt ms: by default the exact solution of `rates()`, or what decays of the sum of
        strengths that sources have sent."""
        if self.advance is not None:
            return Propagator(1, math.exp(-dt / self.quiet_tau) if self.quiet_tau else 0.0)
        rates = self.rates()
        if rates is None:
            raise TypeError(
                f"{type(self).__name__} must have a method rates() or propagator(dt), or advance. See "
                "help(izhnumba.Receptor)."
            )
        return rates.propagator(dt)

    def parameters(self, dt: float) -> dict[str, float]:
        """The numbers that `advance` and `strength` find in p, by name: by default fields that are numbers, and dt."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        numbers = {name: float(x) for name, x in found.items() if isinstance(x, (bool, int, float, np.number))}
        return numbers | {"dt": dt}

    def functions(self, dt: float) -> States:
        """Its `advance` and `strength`, checked, and the numbers that they find in p at steps of dt ms."""
        return states_of(self, dt)

    def rates(self) -> Rates | None:
        """How the states change in continuous time, which the exact engine needs; None if it cannot be told so."""
        return None

    def _check_E(self) -> None:
        if self.E is not None:
            assign(self, E=checks.number(f"{type(self).__name__}.E", self.E, "mV"))
            warn_of_base_unit(f"{type(self).__name__}.E", self.E, "mV")

    def _check_block(self) -> None:
        name, Mg = type(self).__name__, getattr(self, "Mg", 1.0)
        if self.gate is not None and self.E is None:
            raise ValueError(f"{name}.block must come with E, the reversal potential of a conductance, got it alone.")
        if hasattr(self, "Mg"):
            assign(self, Mg=checks.number(f"{name}.Mg", Mg, "", above=0.0))
        if self.block != "jahr-stevens" and Mg != 1.0:
            raise ValueError(f"{name}.Mg must be left out with another block than 'jahr-stevens', got {Mg:g}.")

    def _check_tau(self, name: str) -> None:
        assign(self, **{name: checks.number(f"{type(self).__name__}.{name}", getattr(self, name), "ms", above=0.0)})


@dataclasses.dataclass(frozen=True, repr=False)
class Mixed(Receptor):
    """Several receptors that share the weight of a synapse: `AMPA() + 0.3 * NMDA()`.

    A spike adds its weight, times the ratio of each, to all of them: a synapse has one weight, one delay and one
    plastic rule. The recorded current is the sum, added up in the order of the parts. The states of a mixture are its
    own: those of an equal receptor by itself are others. The scheme "exact" refuses it.

    Parameters
    ----------
    parts : tuple of Receptor
        All currents, or all conductances: weights have one unit. No `Delta`, `GapJunction` or `Mixed`.
    ratios : tuple of float
        One for each part; above 0 for conductances, and not 0 for currents.

    Examples
    --------
    >>> import izhnumba as iz
    >>> 0.8 * iz.AMPA() + 0.2 * iz.NMDA(tau_decay=100.0)
    0.8 * Exponential(tau=5.0, E=0.0) + 0.2 * NMDA(tau_rise=2.0, tau_decay=100.0, E=0.0, Mg=1.0, block='jahr-stevens')
    """

    parts: tuple[Receptor, ...]
    ratios: tuple[float, ...]
    no_rates = (
        "a spike has one receptor there. Connect once for each, with weights in the ratio, or use a clock scheme."
    )

    def __post_init__(self) -> None:
        parts = checks.kind("Mixed.parts", self.parts, tuple, "a tuple of receptors")
        ratios = checks.kind("Mixed.ratios", self.ratios, tuple, "a tuple of numbers")
        if not parts or len(ratios) != len(parts):
            raise ValueError(f"Mixed.ratios must be one for each part ({len(parts)}, at least 1), got {len(ratios)}.")
        for part in parts:
            checks.kind("Mixed.parts", part, Receptor, "receptors")
            if part.per_source:
                raise ValueError(
                    f"Mixed.parts must have no states of sources, got {part!r}. Connect once for each of them."
                )
            if isinstance(part, Mixed) or part.adds_to not in ("current", "conductance"):
                raise ValueError(
                    f"Mixed.parts must be currents or conductances, got {part!r}. Connect once more for what "
                    "cannot share a weight."
                )
        kinds = {part.adds_to for part in parts}
        if len(kinds) > 1:
            raise ValueError(
                f"Mixed.parts must be all currents or all conductances, for they share a weight, got {self!r}. Connect "
                "once for each."
            )
        numbers = tuple(checks.number(f"Mixed.ratios[{k}]", one) for k, one in enumerate(ratios))
        for k, one in enumerate(numbers):
            if one == 0 or (one < 0 and kinds == {"conductance"}):
                must = "above 0 for a conductance" if kinds == {"conductance"} else "a number other than 0"
                raise ValueError(f"Mixed.ratios[{k}] must be {must}, got {one:g}.")
        assign(self, ratios=numbers)

    def __repr__(self) -> str:
        shares = ("" if one == 1 else f"{one:g} * " for one in self.ratios)
        return " + ".join(f"{share}{part!r}" for share, part in zip(shares, self.parts, strict=True))

    @property
    def adds_to(self) -> str:
        """What all parts add to."""
        return self.parts[0].adds_to


def parts_of(receptor: Receptor) -> list[tuple[Receptor, float]]:
    """The receptors to which a spike adds its weight, and the ratio of each."""
    if isinstance(receptor, Mixed):
        return list(zip(receptor.parts, receptor.ratios, strict=True))
    return [(receptor, 1.0)]


def unit_through(receptor: Receptor | None, current: str) -> str:
    """The unit of weights and of what else acts through a receptor, None for a plain current. current: the unit of
    currents of the model, mV/ms or pA."""
    if receptor is None or receptor.adds_to == "current":
        return current
    return "mV" if receptor.adds_to == "V" else "nS" if current == "pA" else "1/ms"
