"""From what a user passes to `Network.connect` to synapses."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.implausible import warn_of_base_unit
from izhnumba._base.random import Random, streams
from izhnumba._base.words import counted
from izhnumba._clock.release import Release
from izhnumba._engine.progress import Progress, progress_shown
from izhnumba._network.parts import neurons_in, new_name, section_in
from izhnumba._network.synapses import Synapses, limits_of, of_izhnumba
from izhnumba._population.section import Section, ends
from izhnumba._population.source import Source
from izhnumba._synapse import per_synapse, together, weight_limits
from izhnumba._synapse.connectivity import AllToAll, GivenPairs, Rule
from izhnumba._synapse.csr import (
    FEWER,
    Draw,
    Least,
    Piece,
    Shown,
    SynapseTable,
    TargetLanes,
    build,
    build_shared,
    build_whole,
)
from izhnumba._synapse.distributions import Distribution, from_zero
from izhnumba._synapse.edges import given
from izhnumba._synapse.ends import Ends
from izhnumba._synapse.per_synapse import Look
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.positions import OfPairs
from izhnumba._synapse.receptor import Receptor
from izhnumba._synapse.receptor_contract import acts_at_once, check_own
from izhnumba._synapse.receptors import Delta
from izhnumba._synapse.rule_numbers import plain, varied
from izhnumba._synapse.shared import Shared
from izhnumba._synapse.weight_limits import Limit

if TYPE_CHECKING:
    from izhnumba._network.network import Network

Array = NDArray[Any]


class Options(TypedDict, total=False):
    """The arguments of `Network.connect` besides ends and rule."""

    weight: object
    delay: object
    receptor: Receptor | None
    plasticity: Plasticity | None
    name: str | None
    progress: bool | Progress


TO_NEURONS = "Spikes reach neurons alone: let the source be pre."  # what to do with a source as post
_ONE_WEIGHT = " If all have the same weight: weight=Shared(0.5)."
_PLASTIC_BYTES = 24  # of a synapse with plasticity, besides its weight and place
_MOST_PLASTIC = 2**32 - 1  # kernels number them in 32 bits


def nothing_shown(done: float, total: float) -> None:
    """Where no progress is wanted."""


def connect(
    net: Network, pre: object, post: object, rule: object, weight: object, delay: object, receptor: Any,
    plasticity: Any, name: object, progress: object,
) -> Synapses:  # fmt: skip
    """Connect two populations of a network, or slices of them, and add the synapses to it.

    Parameters
    ----------
    net : Network
    pre, post, rule, weight, delay, receptor, plasticity, name, progress
        As a user passed them to `Network.connect`, unchecked.
    """
    where = "Network.connect"
    source = section_in(net, f"{where}.pre", pre)
    target = neurons_in(net, f"{where}.post", post, TO_NEURONS)
    shown = progress_shown(f"{where}.progress", progress, "synapses")
    name = new_name(f"{where}.name", name, f"{source!r} to {target!r}", net._synapses)
    with shown as show:
        make = planned(source, target, rule, weight, delay, receptor, plasticity, name, net.seed, show or nothing_shown)
    net._synapses[name] = synapses = make()
    return synapses


def planned(
    source: Section, target: Section, rule: object, weight: object, delay: object, receptor: Any, plasticity: Any,
    name: str, seed: int, shown: Shown,
) -> Callable[[], Synapses]:  # fmt: skip
    """Check, draw and lay out synapses. Returns what makes them: only then, when all is well, does the target's engine
    get a state for the receptor.

    Parameters
    ----------
    source, target : Section
        The neurons that send, and those that receive.
    rule, weight, delay, receptor, plasticity
        As a user passed them to `Network.connect`.
    name : str
        Of the synapses; their random numbers depend on it.
    seed : int
        Of the network.
    shown : callable (done, total)
        Called with synapses drawn so far and in all.
    """
    where, engine = "Network.connect", target.population._engine
    receptor = Delta() if receptor is None else receptor
    checks.kind(f"{where}.receptor", receptor, Receptor, "a receptor such as Delta()")
    check_own(receptor)
    plasticity = plastic_rule(plasticity, receptor, target.population.dt)
    both = ends(source, target)
    rule, weight, delay = given(rule, weight, delay, both)
    shared = isinstance(weight, Shared)
    if isinstance(weight, Shared):
        _check_shared(rule, delay, receptor, plasticity)
        weight = weight.weight
    weight = per_synapse.of_rule(f"{where}.weight", 1.0 if weight is None else weight, "", rule, both)
    delay = delay if delay is None else per_synapse.of_rule(f"{where}.delay", delay, "ms", rule, both)
    if plasticity is None and isinstance(weight, (int, float, np.ndarray)):  # plastic ones may start from little
        warn_of_base_unit(f"{where}.weight", weight, _unit_of(receptor, target))
    gap = receptor.adds_to == "coupling"
    if gap:
        _check_gap(source, target, delay, plasticity)
    engine.check_receptor(receptor)
    targets = engine.target_lanes(target.start)
    shared = shared and not targets.continuous and rule.count(both) != 1  # else each has its own
    whole = isinstance(rule, AllToAll) and _single(delay) and source.consecutive and target.consecutive
    plain = plasticity is None and not receptor.per_source
    whole = whole and plain and not (gap or targets.continuous or isinstance(weight, OfPairs))
    item = engine.dtype.itemsize if whole else targets.synapse_bytes + _PLASTIC_BYTES * (plasticity is not None)
    if not shared:
        _check_size(f"{where}.rule", rule, both, item, not whole, plasticity is not None)
    rule.check(both)
    n, dt, random = rule.count(both), target.population.dt, streams(seed, name)
    own = [varied(one) for one in together.rules_in(plasticity)] if plasticity else []  # numbers of each synapse
    limits = limits_of(receptor, None if any(own) else plasticity, engine.dtype)
    lanes = targets._replace(dtype=np.dtype(float)) if any(own) else targets  # its weights are places at first

    def make(shown: Shown, drawn: Callable[[Draw], Draw] = lambda weights: weights) -> SynapseTable:
        look = look_at_weights(f"{where}.weight", weight, limits, engine.dtype)
        weights = per_synapse.drawer(f"{where}.weight", weight, "", n, random("weight"), look)
        steps: Draw = lambda piece: np.zeros(piece.n, np.int64)  # noqa: E731
        if not gap:
            look = lambda delays, before: checks.finite(f"{where}.delay", delays, engine.dtype)  # noqa: E731
            delays = per_synapse.drawer(
                f"{where}.delay", dt if delay is None else delay, "ms", n, random("delay"), look
            )
            steps = targets.delays(delays, dt, f"{where}.delay", *_shortest(delay, receptor, dt, targets))
        if shared:
            leaves_out = isinstance(rule, AllToAll) and not rule.autapses
            return build_shared(both, leaves_out, targets, weights, int(steps(Piece(0, 1))[0]))
        if whole:
            return build_whole(rule, both, targets, weights, int(steps(Piece(0, 1))[0]), random, shown)
        return build(rule, both, lanes, drawn(weights), steps, random, shown)

    if any(own):
        rows, plasticity = _with_own_numbers(make, plasticity, own, rule, both, random, engine.dtype, shown)
        weight_limits.check(f"{where}.weight", rows.weights, limits_of(receptor, plasticity, engine.dtype))
    else:
        rows = make(shown)
    plastic = release = None
    if receptor.per_source:
        release = Release(receptor, rows, targets.lanes, engine.dtype, dt)
        release.kernels()  # whatever Numba does not take shows now
    if plasticity is not None:
        drawn = isinstance(weight, Distribution) and not isinstance(rule, GivenPairs) and not any(own)
        again = drawn and (delay is None or isinstance(delay, (Distribution, int, float)))
        first = _first_weights(rows.weights, (lambda: make(lambda done, total: None).weights) if again else None)
        plastic = engine.plastic_state(plasticity, rows, first)
        if not of_izhnumba(plasticity):
            plastic.kernels()  # whatever Numba does not take shows now
    return lambda: Synapses(name, source, target, receptor, rule, rows, plastic, release)


def _with_own_numbers(
    make: Callable[[Shown, Callable[[Draw], Draw]], SynapseTable], plasticity: Plasticity,
    own: list[dict[str, object]], rule: Rule, both: Ends, random: Random, dtype: np.dtype[Any], shown: Shown,
) -> tuple[SynapseTable, Plasticity]:  # fmt: skip
    """The synapses, and the rule with arrays of their numbers in their order.

    Parameters
    ----------
    make : callable
        Lays out synapses with what is made of the draw of their weights, float64.
    plasticity : Plasticity
    own : list of dicts
        For each rule in it what stands for numbers of each synapse, by the name of a field.
    rule : Rule
        Who is connected.
    both : Ends
    random : Random
    dtype : float32 or float64
        Of weights.
    shown : Shown
    """
    n, draws = rule.count(both), dict[Any, Draw]()
    for number, (one, named) in enumerate(zip(together.rules_in(plasticity), own, strict=True)):
        for name, value in named.items():
            where = f"{type(one).__name__}.{name}"
            values = per_synapse.of_rule(where, value, "", rule, both)
            role, look = f"plasticity {where}", lambda values, before: None
            draws[number, name] = per_synapse.drawer(where, values, "", n, random(role), look)
    found: dict[Any, list[Array]] = {key: [] for key in ["weight", *draws]}

    def numbered(weights: Draw) -> Draw:
        def place(piece: Piece) -> Array:  # weights change places when they are sorted: all others follow
            found["weight"].append(weights(piece))
            for key, draw in draws.items():
                found[key].append(draw(piece))
            return piece.before + np.arange(piece.n, dtype=float)

        return place

    rows = make(shown, numbered)
    order = rows.weights.astype(np.int64)
    values = {key: np.concatenate([np.empty(0), *pieces])[order] for key, pieces in found.items()}
    arrays = [{name: values[number, name] for name in one} for number, one in enumerate(own)]
    weights = values["weight"].astype(dtype)
    return rows._replace(weights=weights), together.with_numbers(plasticity, arrays, weights.size)


def _shortest(delay: object, receptor: Receptor, dt: float, targets: TargetLanes) -> tuple[str, Least]:
    """The cure of a delay, ms, that is too short, and the shortest one."""
    if isinstance(delay, OfPairs):
        return " Give an offset: ByDistance(velocity, offset=1.0).", "step"
    if not targets.continuous and not acts_at_once(receptor, dt):
        return f" What arrives through {receptor!r} acts during the step itself, which must not be over.", "step"
    return "", "round" if from_zero(delay) else "zero"


def _unit_of(receptor: Receptor, target: Section) -> str:
    """The unit of weights, for what is in pA or nS."""
    pA = target.population.model.I.unit == "pA" and receptor.adds_to != "V"
    return ("pA" if receptor.adds_to == "current" else "nS") if pA else ""


def _single(delay: object) -> bool:
    return delay is None or isinstance(delay, (int, float, np.number))


def _check_shared(rule: Rule, delay: object, receptor: Receptor, plasticity: object) -> None:
    """Refuse what one weight cannot be shared with."""
    where, cure = "Network.connect", "Pass the number itself as weight, so that each synapse has its own."
    for name, must, value, good in (
        ("rule", "AllToAll()", rule, isinstance(rule, AllToAll)),
        ("delay", "one number", delay, _single(delay)),
        ("receptor", "a linear one", receptor, receptor.adds_to != "coupling" and not receptor.per_source),
        ("plasticity", "None", plasticity, plasticity is None),
    ):
        if not good:
            raise ValueError(f"{where}.{name} must be {must} with a Shared weight, got {checks.shown(value)}. {cure}")


def _check_size(where: str, rule: Rule, both: Ends, item: int, scratch: bool, plastic: bool) -> None:
    """Refuse what is too large before it is drawn.

    Parameters
    ----------
    where : str
    rule : Rule
    both : Ends
    item : int
        Bytes of a synapse.
    scratch : bool
        Whether the rule needs what it has to draw with.
    plastic : bool
    """
    n = rule.expected(both)
    if plastic and n > _MOST_PLASTIC:
        raise ValueError(
            f"{where} must yield at most {_MOST_PLASTIC} synapses with plasticity, got {n:.6g}. Connect slices."
        )
    cure = FEWER + _ONE_WEIGHT * (isinstance(rule, AllToAll) and not plastic)
    checks.fits(where, n * item + rule.scratch(both) * scratch, cure, counted(n, "synapse", form=".6g"))


def _first_weights(weights: Array, draw: Callable[[], Array] | None) -> Callable[[], Array]:
    """A function that returns the weights at the start. It draws them again where it can, to save memory."""
    if draw is not None:
        return draw
    if np.all(weights == weights[:1]):
        n, one = weights.size, weights[:1].copy()
        return lambda: np.repeat(one, n if one.size else 0)
    kept = weights.copy()
    return lambda: kept


def plastic_rule(value: object, receptor: Receptor, dt: float) -> Plasticity | None:
    """The rule that is meant by an argument `plasticity`; tried, and refused if it would turn the sign of a
    conductance. dt: ms."""
    found, sign = together.rule_of("Network.connect.plasticity", value, dt), weight_limits.sign_of(receptor)
    for rule in () if found is None else together.rules_in(found):
        name = type(rule).__name__
        low = getattr(rule, "w_min", 0.0)
        if of_izhnumba(rule) and not isinstance(low, Distribution):
            weight_limits.check(f"{name}.w_min", low, sign)
        amount = _first_amount(rule, dt)
        if receptor.per_source and amount != 1:
            raise ValueError(
                f"{name}.arrival must deliver the weight to {receptor!r}, where sources say what a spike is worth, got "
                f"{amount:g} for a weight of 1. Use a receptor without states of sources, or a rule for weights alone."
            )
        if amount < 0:  # NaN is the affair of the rule
            weight_limits.check(f"{name}.arrival of a weight of 1", amount, sign)
    return found


def _first_amount(rule: Plasticity, dt: float) -> Any:
    """The amount that the first arrival at a synapse of weight 1 delivers, in the unit of weights."""
    rule = plain(rule)
    x, y = ((np.float64(0.0),) * len(traces) for traces in rule.traces(dt))
    v = [(np.float64(0.0),) * len(rule.states())] if rule.states() else []
    with np.errstate(all="ignore"):
        return rule.arrival(np.float64(1.0), np.float64(0.0), x, y, *v, SimpleNamespace(**rule.parameters()))[0]


def look_at_weights(where: str, weight: object, limits: list[Limit], dtype: np.dtype[Any]) -> Look:
    truncated = isinstance(weight, Distribution) and hasattr(weight, "low")
    cure = f" Draw none below 0: {type(weight).__name__}(..., low=0)." if truncated else ""

    def look(weights: Array, before: int) -> None:
        checks.finite(where, weights, dtype)
        weight_limits.check(where, weights.astype(dtype, copy=False), limits, before, cure)

    return look


def _check_gap(source: Section, target: Section, delay: object, plasticity: object) -> None:
    where = "Network.connect"
    if isinstance(source.population, Source):
        raise TypeError(f"{where}.pre must be neurons for GapJunction(), got the spike source {source!r}, without V.")
    if delay is not None or plasticity is not None:
        wrong = "delay" if plasticity is None else "plasticity"
        raise ValueError(f"{where}.{wrong} must be left out with GapJunction(), which acts at all times.")
    if source.population.dtype != target.population.dtype:
        raise ValueError(
            f"{where}.pre must be {target.population.dtype} like the target for GapJunction(), got "
            f"{source.population.dtype}."
        )
