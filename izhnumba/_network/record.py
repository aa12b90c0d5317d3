"""`Network.record`: the recorder that belongs to what a user passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from izhnumba._base import checks
from izhnumba._engine.states import states_of
from izhnumba._network.drives import Drive
from izhnumba._network.parts import new_name, section_in
from izhnumba._network.run import catch_up
from izhnumba._network.synapses import Synapses
from izhnumba._population.population import Population
from izhnumba._population.section import Section
from izhnumba._population.source import Source
from izhnumba._record.blocks import OF_SYNAPSES
from izhnumba._record.recorder import Recorder
from izhnumba._record.reduced import ReductionRecorder
from izhnumba._record.reductions import StateReduction
from izhnumba._record.sampler import Sampler, SampleRecorder, WeightRecorder, function_name
from izhnumba._record.samples import StateRecorder, state_names
from izhnumba._record.spikes import RateRecorder, SpikeRecorder

if TYPE_CHECKING:
    from izhnumba._network.network import Network

_WHERE = "Network.record"
# The arguments that mean something for what is recorded, but for states.
_OPTIONS = {
    "spikes": ("neurons",),
    "rate": ("every",),
    "a Sampler": ("every",),
    "a function": ("every",),
}
_OF_SYNAPSES = ("every", "synapses")
States = Literal["V", "u", "current"] | list[str] | tuple[str, ...]
OfSynapses = Literal["weight", "eligibility", "modulator"]
OwnSample = Sampler | Callable[[Any], object]
Recordable = Population | Section | Synapses | Drive
What = str | list[str] | StateReduction | OwnSample


def record(
    net: Network, source: object, what: object, every: object, neurons: object, synapses: object, start: object,
    stop: object, to: object, name: object,
) -> Recorder:  # fmt: skip
    """Record from a part of a network in all runs to come; into a new file `to`, if one is given.

    Parameters
    ----------
    net : Network
    source, what, every, neurons, synapses, start, stop, to, name
        As a user passed them to `Network.record`, unchecked.
    """
    catch_up(net)
    recorder = _recorder(net, source, what, every, neurons, synapses, start, stop, name)
    recorder._turn = net._turn
    recorder._seal()
    try:
        if to is not None:
            recorder._write_to(to)
        net._recorders[recorder.name] = recorder
    except BaseException:  # Ctrl-C, when it had its file already
        if recorder.to is not None and net._recorders.get(recorder.name) is not recorder:
            recorder.to.unlink()
        raise
    return recorder


def _recorder(
    net: Network, source: object, what: object, every: object, neurons: object, synapses: object, start: object,
    stop: object, name: object,
) -> Recorder:  # fmt: skip
    """The recorder that `record` adds to the network, without a file.

    Parameters
    ----------
    net : Network
    source, what, every, neurons, synapses, start, stop, name
        As those of `record`.
    """
    if isinstance(source, (Synapses, Drive)):
        parts: dict[str, Any] = net._synapses if isinstance(source, Synapses) else net._drives
        names = [known for known, one in parts.items() if one is source]
        if not names:
            raise ValueError(f"{_WHERE}.source must be in this network, got {source!r}.")
        of = names[0]
    else:
        source = section_in(net, f"{_WHERE}.source", source)
        of = repr(source)
    what = wanted(source, what)
    name = new_name(f"{_WHERE}.name", name, f"{of} {label(what)}", net._recorders)
    recorder = recorder_of(source, what, name, every, neurons, synapses)
    recorder.start, recorder.stop = start, stop
    if recorder.stop < recorder.start:
        raise ValueError(f"{_WHERE}.stop must be >= start ({recorder.start:g} ms), got {recorder.stop:g} ms.")
    recorder.source = source
    if not isinstance(recorder, ReductionRecorder):  # which has its own, with groups of places
        recorder.what = what
    return recorder


def wanted(source: Section | Synapses | Drive, what: object) -> What:
    """The checked argument `what` of `Network.record`: a name, a list of states, a reduction, a Sampler or a function;
    for None the default."""
    where = f"{_WHERE}.what"
    if isinstance(source, Drive) and not isinstance(what, StateReduction):
        flows = "current" if what is None else checks.kind(where, what, str, "'current' for a drive")
        return checks.one_of(where, flows, states_of("receptor"))
    if what is None:
        return "weight" if isinstance(source, Synapses) else "spikes"
    if isinstance(what, Sampler):
        checks.own_dataclass(what, "so that a checkpoint can store it")
        return what
    if isinstance(what, type) and issubclass(what, (Sampler, StateReduction)):
        raise TypeError(f"{where} must be an object, got the class {what.__name__}. Write {what.__name__}(...).")
    if isinstance(source, Section) and isinstance(source.population, Source) and not callable(what):
        return _of_source(where, what)
    if isinstance(what, StateReduction):
        known = source.population.model.variables if isinstance(source, Section) else states_of("receptor")
        checks.one_of(f"{type(what).__name__}.state", what.state, known)
        return what
    if callable(what):
        checks.takes(where, what, "source")
        return what
    if isinstance(source, Synapses):
        return _of_synapses(where, what)
    assert isinstance(source, Section)
    if isinstance(what, str):
        return checks.one_of(where, what, ("spikes", "rate", *source.population.model.variables))
    found = list(state_names(where, what, source.population.model))
    if not found:
        raise ValueError(f"{where} must be 'spikes', 'rate' or states such as ['V'], got none.")
    return found


def _of_synapses(where: str, what: object) -> str | list[str]:
    """The checked names of what is recorded of synapses."""
    names = (*OF_SYNAPSES, *states_of("receptor"))
    if not isinstance(what, (list, tuple)):
        checks.kind(where, what, str, " or ".join(map(repr, names)) + " for synapses")
        return checks.one_of(where, what, names)
    alone = set(what) & set(states_of("receptor"))
    if alone or not what:
        raise ValueError(
            f"{where} must be some of {', '.join(OF_SYNAPSES)}, got {checks.shown(what)}. Record others alone."
        )
    return sorted({checks.one_of(where, name, OF_SYNAPSES) for name in what}, key=OF_SYNAPSES.index)


def _of_source(where: str, what: object) -> str:
    """The same for a spike source, but for what a user computes."""
    if not isinstance(what, str) or what not in ("spikes", "rate"):
        must = "must be 'spikes', 'rate' or a Sampler for a spike source, which has no V and no current"
        raise ValueError(f"{where} {must}, got {checks.shown(what)}. Record V of the neurons that it reaches.")
    return what


def label(what: What) -> str:
    """Words for what is recorded, in the default name of its recorder."""
    if isinstance(what, (str, list)):
        return what if isinstance(what, str) else " ".join(what)
    if isinstance(what, StateReduction):
        return f"{type(what).__name__} {what.state}"
    return type(what).__name__ if isinstance(what, Sampler) else function_name(what)


def recorder_of(
    source: Section | Synapses | Drive, what: What, name: str, every: object, neurons: object, synapses: object
) -> Recorder:  # fmt: skip
    """The recorder of a source.

    Parameters
    ----------
    source : Section, Synapses or Drive
    what : str, list of str, StateReduction, Sampler or function
        As `wanted` returned it.
    name : str
    every, neurons, synapses
        As a user passed them: interval between samples in ms; which neurons or synapses, by index in the source.
    """
    part = source.target if isinstance(source, Synapses) else source.section if isinstance(source, Drive) else source
    pop, engine = part.population, part.population._engine
    _only(what, every=every, neurons=neurons, synapses=synapses)
    if isinstance(what, StateReduction):
        key = engine.source_of(what.state, _receptor_of(source, what))
        return ReductionRecorder(_WHERE, engine, name, None, what, key, every, neurons, part.where, pop)
    if not isinstance(what, (str, list)):
        return SampleRecorder(engine, name, what, pop if source is part and part.whole else source, every)
    if what == "spikes":
        return SpikeRecorder(engine, name, None, part.where, neurons)
    if what == "rate":
        return RateRecorder(engine, name, every, part.where)
    states = [what] if isinstance(what, str) else what
    if isinstance(source, Synapses) and states[0] in OF_SYNAPSES:
        return WeightRecorder(engine, name, source._readers(states), source._rows.weights.size, every, synapses)
    sources = {state: engine.source_of(state, _receptor_of(source, what)) for state in states}
    return StateRecorder(_WHERE, engine, name, None, sources, every, neurons, part.where)


def _receptor_of(source: Section | Synapses | Drive, what: What) -> object:
    """The state of the receptor of synapses, or of a drive, whose current is recorded; None of neurons."""
    if isinstance(source, Section):
        return None
    if isinstance(source, Drive):
        receptor = source.receptor or getattr(source.value, "receptor", None)  # spikes have one of their own
        if receptor is None or receptor.adds_to == "V" or source._receptor_state is None:
            raise ValueError(
                f"{_WHERE}.source must be a drive through a receptor with a current that depends on V, got {source!r}. "
                "Its value is all that flows."
            )
    elif source.receptor.adds_to == "V":
        raise ValueError(
            f"{_WHERE}.what must be 'weight' for synapses through {source.receptor!r}, which are no current, got "
            f"{what!r}."
        )
    return source._receptor_state


def _only(what: What, **options: object) -> None:
    """Refuse options that mean nothing for what is recorded."""
    kind = what if isinstance(what, str) else what[0] if isinstance(what, list) else ""
    if callable(what) or isinstance(what, Sampler):
        kind = "a Sampler" if isinstance(what, Sampler) else "a function"
    known = _OF_SYNAPSES if kind in OF_SYNAPSES else _OPTIONS.get(kind, ("every", "neurons"))
    shown = kind if kind in _OPTIONS else str(what)
    for option, value in options.items():
        if value is not None and option not in known:
            raise ValueError(f"{_WHERE}.{option} must be left out when recording {shown}, got {checks.shown(value)}.")
