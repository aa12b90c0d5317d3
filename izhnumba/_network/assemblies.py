"""Assemblies as ends of synapses, and as what is driven or recorded: each call becomes those of their populations."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.random import streams
from izhnumba._base.words import counted
from izhnumba._engine.progress import progress_shown
from izhnumba._input.cut import cut
from izhnumba._network import connect as of_populations
from izhnumba._network import drives
from izhnumba._network import record as recording
from izhnumba._network.joined import JoinedDrive, JoinedRecorder, JoinedSynapses, places_of, starts_of
from izhnumba._network.parts import neurons_in, new_name, section_in
from izhnumba._network.synapses import limits_of
from izhnumba._population.assembly import Assembly
from izhnumba._population.section import Section
from izhnumba._record.recorder import Recorder
from izhnumba._record.reductions import StateReduction
from izhnumba._record.sampler import Sampler
from izhnumba._synapse import per_synapse
from izhnumba._synapse.connectivity import PAIR_BYTES, AllToAll, GivenPairs, Rule
from izhnumba._synapse.csr import FEWER, Piece
from izhnumba._synapse.distributions import Distribution, from_zero
from izhnumba._synapse.edges import given
from izhnumba._synapse.ends import Ends
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptors import Delta
from izhnumba._synapse.rule_numbers import varied
from izhnumba._synapse.shared import Shared

if TYPE_CHECKING:
    from izhnumba._network.network import Network

Array = NDArray[Any]
End = Assembly | Section


def connect(
    net: Network, pre: object, post: object, rule: object, weight: object, delay: object, receptor: Any,
    plasticity: Any, name: object, progress: object,
) -> JoinedSynapses:  # fmt: skip
    """Connect where an end is an assembly: the rule acts on all its neurons, then each pair of populations gets its
    synapses.

    Parameters
    ----------
    net : Network
    pre, post, rule, weight, delay, receptor, plasticity, name, progress
        As a user passed them to `Network.connect`, unchecked.
    """
    where = "Network.connect"
    source, target = end_in(net, f"{where}.pre", pre), end_in(net, f"{where}.post", post)
    for part in target._parts:
        neurons_in(net, f"{where}.post", part, of_populations.TO_NEURONS)
    shown = progress_shown(f"{where}.progress", progress, "synapses")
    whole = new_name(f"{where}.name", name, f"{source!r} to {target!r}", ())
    sections = [(one, other) for one in source._parts for other in target._parts]
    names: list[str] = []
    for one, other in sections:
        default = f"{one!r} to {other!r}" if name is None else f"{whole}: {one!r} to {other!r}"
        names.append(new_name(f"{where}.name", None, default, {*net._synapses, *names}))
    with shown as show:
        edges, learnt = _drawn(net, source, target, rule, weight, delay, receptor, plasticity, whole)
        tell = show or of_populations.nothing_shown
        makers = [
            of_populations.planned(*ends, *edge, receptor, learning, one, net.seed, tell)
            for ends, edge, learning, one in zip(sections, edges, learnt, names, strict=True)
        ]
    made = tuple(make() for make in makers)
    net._synapses.update(zip(names, made, strict=True))
    return JoinedSynapses(source, target, made)


def _drawn(
    net: Network, source: End, target: End, rule: object, weight: object, delay: object, receptor: Any,
    plasticity: Any, name: str,
) -> tuple[list[tuple[Rule, object, object]], list[object]]:  # fmt: skip
    """Rule, weight and delay, and plasticity, for each pair of populations: what a rule draws from all neurons, sorted
    by where they are.

    Parameters
    ----------
    net : Network
    source, target : Assembly or Section
    rule, weight, delay, receptor, plasticity
        As a user passed them to `Network.connect`.
    name : str
        Keys the random numbers.
    """
    where, random, both = "Network.connect", streams(net.seed, name), joined_ends(source, target)
    rule, weight, delay = given(rule, weight, delay, both)
    starts, others = starts_of(source), starts_of(target)
    simple = all(value is None or isinstance(value, (int, float, np.number, Shared)) for value in (weight, delay))
    learning = _of_each(plasticity, rule, both)
    if isinstance(rule, AllToAll) and simple and not learning:
        n = len(starts) * len(others)
        return [(rule, weight, delay)] * n, [plasticity] * n
    checks.fits(
        f"{where}.rule", rule.expected(both) * PAIR_BYTES, FEWER, counted(rule.expected(both), "synapse", form=".6g")
    )
    rule.check(both)
    pieces = list(rule.pairs(both, random("pairs")))
    nothing = np.empty(0, np.int64)
    pre, post = (np.concatenate([nothing, *(piece[end] for piece in pieces)]) for end in (0, 1))
    weights: Any = weight
    if weight is not None:
        weights = per_synapse.of_rule(f"{where}.weight", weight, "", rule, both)
        limits = limits_of(Delta() if receptor is None else receptor, plasticity, np.dtype(float))
        look = of_populations.look_at_weights(f"{where}.weight", weight, limits, np.dtype(float))
        weights = _each(f"{where}.weight", weights, "", pre, post, random("weight"), look)
    delays: Any = delay
    if delay is not None:
        delays = per_synapse.of_rule(f"{where}.delay", delay, "ms", rule, both)
        look = lambda values, before: checks.finite(f"{where}.delay", values)  # noqa: E731
        delays = _each(f"{where}.delay", delays, "ms", pre, post, random("delay"), look)
        if from_zero(delay) and not net.scheme.exact:  # as `delay_steps` rounds what it draws itself
            delays = np.floor(delays / net.dt + 0.5) * net.dt
    part, other = (np.searchsorted(of, end, side="right") - 1 for of, end in ((starts, pre), (others, post)))
    edges: list[tuple[Rule, object, object]] = []
    learnt: list[object] = []
    for p, first in enumerate(starts):
        for q, begin in enumerate(others):
            mine = np.flatnonzero((part == p) & (other == q))
            pairs = GivenPairs(pre[mine] - first, post[mine] - begin)
            here, later = (one[mine] if isinstance(one, np.ndarray) else one for one in (weights, delays))
            edges.append((pairs, here, later))
            learnt.append(_chosen(plasticity, learning, mine))
    return edges, learnt


def _of_each(plasticity: object, rule: Rule, both: Ends) -> dict[tuple[int, str], Array]:
    """The arrays among the numbers of a rule of plasticity, or of several, by its place and their name: float64, in the
    order in which `rule` yields its pairs."""
    several = plasticity if isinstance(plasticity, (list, tuple)) else [plasticity]
    found = {}
    for k, one in enumerate(several):
        for name, value in varied(one).items() if isinstance(one, Plasticity) else ():
            if not isinstance(value, Distribution):  # which each pair of populations draws for itself
                found[k, name] = np.asarray(per_synapse.of_rule(f"{type(one).__name__}.{name}", value, "", rule, both))
    return found


def _chosen(plasticity: Any, arrays: dict[tuple[int, str], Array], mine: Array) -> object:
    """Rules of plasticity with the entries `mine` of these arrays."""
    if not arrays:
        return plasticity
    several = list(plasticity) if isinstance(plasticity, (list, tuple)) else [plasticity]
    for (k, name), values in arrays.items():
        several[k] = dataclasses.replace(several[k], **{name: values[mine]})
    return several if isinstance(plasticity, (list, tuple)) else several[0]


def _each(
    where: str, value: object, unit: str, pre: Array, post: Array, rng: np.random.Generator, look: per_synapse.Look
) -> object:
    """A weight or delay for each pair, float64, or the number for all.

    Parameters
    ----------
    where, value, unit, rng, look
        As in `per_synapse.drawer`.
    pre, post : int64, shape (pairs,)
        By place.
    """
    if isinstance(value, (int, float, np.number)):
        return value
    return per_synapse.drawer(where, value, unit, len(pre), rng, look)(Piece(0, len(pre), pre, post))


def joined_ends(source: End, target: End) -> Ends:
    """Two ends, of which one at least is an assembly, as rules see them."""
    twins = None
    for shift, one in zip(starts_of(source), source._parts, strict=True):
        for begin, other in zip(starts_of(target), target._parts, strict=True):
            if one.population is other.population:
                twins = np.full(len(source), -1) if twins is None else twins
                place = np.full(one.population.n, -1)
                place[other.where] = begin + np.arange(len(other))
                mine = twins[shift : shift + len(one)]
                mine[...] = np.maximum(mine, place[one.where])
    n_pre, n_post = len(source), len(target)
    return Ends(
        n_pre, n_post, (n_pre,), (n_post,), None, None, None, twins, source.positions, target.positions
    )  # fmt: skip


def drive(net: Network, cells: object, input: object, receptor: object, name: object) -> JoinedDrive:
    """Let an input act on an assembly."""
    where = "Network.drive"
    target = end_in(net, f"{where}.population", cells)
    assert isinstance(target, Assembly)
    pieces, made = cut(f"{where}.input", input, places_of(target)), list[drives.Drive]()
    names = [None if name is None else f"{name}: {part!r}" for part in target.parts]
    try:
        for part, piece, one in zip(target.parts, pieces, names, strict=True):
            made.append(drives.drive(net, part, piece, receptor, one))
    except BaseException:
        _take_back(net._drives, made)
        raise
    return JoinedDrive(target, input, tuple(made))


def record(
    net: Network, source: object, what: object, every: object, neurons: object, synapses: object,
    start: object, stop: object, to: object, name: object,
) -> JoinedRecorder:  # fmt: skip
    """Record from an assembly.

    Parameters
    ----------
    net : Network
    source, what, every, neurons, synapses, start, stop, to, name
        As a user passed them to `Network.record`.
    """
    where = "Network.record"
    if isinstance(source, JoinedSynapses):
        raise TypeError(f"{where}.source must be synapses between two populations, got {source!r}. Record syn.parts.")
    if isinstance(source, JoinedDrive):
        raise TypeError(f"{where}.source must be a drive of one population, got {source!r}. Record drive.parts.")
    end = end_in(net, f"{where}.source", source)
    assert isinstance(end, Assembly)
    if isinstance(what, StateReduction) and what.groups is not None:
        name_of = f"{type(what).__name__}.groups"
        raise TypeError(
            f"{name_of} must be left out for {end!r}, got {checks.shown(what.groups)}. Record each population."
        )
    if isinstance(what, Sampler) or callable(what):
        raise TypeError(
            f"{where}.what must be a name or names for {end!r}, got {checks.shown(what)}. Record each population."
        )
    for option, value, cure in (
        ("to", to, "Record each population to a file of its own."),
        ("neurons", neurons, "Choose by place: (exc + inh)[places]."),
    ):
        if value is not None:
            raise ValueError(f"{where}.{option} must be left out for {end!r}, got {checks.shown(value)}. {cure}")
    made: list[Recorder] = []
    try:
        for part in end.parts:
            one = None if name is None else f"{name}: {part!r}"
            made.append(recording.record(net, part, what, every, None, synapses, start, stop, None, one))
    except BaseException:
        _take_back(net._recorders, made)
        raise
    return JoinedRecorder(end, made[0].what, tuple(made))


def _take_back(table: dict[str, Any], made: list[Any]) -> None:
    """Take parts that have just been added out of a table again."""
    for name in [name for name, one in table.items() if any(one is each for each in made)]:
        del table[name]


def end_in(net: Network, where: str, value: object) -> End:
    """An assembly, a population or chosen neurons of one, of a network."""
    if not isinstance(value, Assembly):
        return section_in(net, where, value)
    for part in value.parts:
        section_in(net, where, part)
    return value
