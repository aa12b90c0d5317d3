"""`Network.record`: the recorder that belongs to what a user passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from izhnumba._base import checks
from izhnumba._engine.states import states_of
from izhnumba._network.drives import Drive
from izhnumba._network.parts import new_name, section_in
from izhnumba._network.run import catch_up
from izhnumba._network.synapses import Synapses
from izhnumba._population.section import Section
from izhnumba._record.recorder import Recorder
from izhnumba._record.sampler import Sampler, SampleRecorder, WeightRecorder
from izhnumba._record.samples import StateRecorder, state_names
from izhnumba._record.spikes import RateRecorder, SpikeRecorder

if TYPE_CHECKING:
    from izhnumba._network.network import Network

_WHERE = "Network.record"
# The arguments that mean something for what is recorded, but for states.
_OPTIONS = {
    "spikes": ("neurons",),
    "rate": ("every",),
    "weight": ("every", "synapses"),
    "a Sampler": ("every",),
}
What = str | list[str] | Sampler


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
    recorder.source, recorder.what = source, what
    return recorder


def wanted(source: Section | Synapses | Drive, what: object) -> What:
    """The checked argument `what` of `Network.record`: a name, a list of states or a Sampler; for None the default."""
    synapses = isinstance(source, Synapses)
    if isinstance(source, Drive):
        flows = "current" if what is None else checks.kind(f"{_WHERE}.what", what, str, "'current' for a drive")
        return checks.one_of(f"{_WHERE}.what", flows, states_of("receptor"))
    if what is None:
        return "weight" if synapses else "spikes"
    if isinstance(what, Sampler):
        checks.own_dataclass(what, "so that a checkpoint can store it")
        return what
    if isinstance(what, type) and issubclass(what, Sampler):
        raise TypeError(f"{_WHERE}.what must be an object, got the class {what.__name__}. Write {what.__name__}(...).")
    if callable(what):
        cure = "Write a class with a method sample: see help(izhnumba.Sampler)."
        raise TypeError(f"{_WHERE}.what must be a name, names or a Sampler, got {what!r:.60}. {cure}")
    if synapses:
        names = ("weight", *states_of("receptor"))
        checks.kind(f"{_WHERE}.what", what, str, " or ".join(map(repr, names)) + " for synapses")
        return checks.one_of(f"{_WHERE}.what", what, names)
    if isinstance(what, str):
        return checks.one_of(f"{_WHERE}.what", what, ("spikes", "rate", *states_of("neurons")))
    found = list(state_names(f"{_WHERE}.what", what))
    if not found:
        raise ValueError(f"{_WHERE}.what must be 'spikes', 'rate' or states such as ['V'], got none.")
    return found


def label(what: What) -> str:
    """Words for what is recorded, in the default name of its recorder."""
    return type(what).__name__ if isinstance(what, Sampler) else what if isinstance(what, str) else " ".join(what)


def recorder_of(
    source: Section | Synapses | Drive, what: What, name: str, every: object, neurons: object, synapses: object
) -> Recorder:  # fmt: skip
    """The recorder of a source.

    Parameters
    ----------
    source : Section, Synapses or Drive
    what : str, list of str or Sampler
        As `wanted` returned it.
    name : str
    every, neurons, synapses
        As a user passed them: interval between samples in ms; which neurons or synapses, by index in the source.
    """
    part = source.target if isinstance(source, Synapses) else source.section if isinstance(source, Drive) else source
    engine, kind = part.population._engine, "a Sampler" if isinstance(what, Sampler) else str(what)
    _only(kind, every=every, neurons=neurons, synapses=synapses)
    if isinstance(what, Sampler):
        given = part.population if source is part and part.whole else source
        return SampleRecorder(engine, name, what, given, every)
    if what == "spikes":
        return SpikeRecorder(engine, name, None, part.where, neurons)
    if what == "rate":
        return RateRecorder(engine, name, every, part.where)
    if isinstance(source, Synapses) and what == "weight":
        return WeightRecorder(engine, name, source._rows.weights, every, synapses)
    receptor = None
    if isinstance(source, Synapses):
        receptor = source._receptor_state
        if source.receptor.adds_to == "V":
            raise ValueError(
                f"{_WHERE}.what must be 'weight' for synapses through {source.receptor!r}, which are no current."
            )
    if isinstance(source, Drive):
        receptor = source._receptor_state
        if source.receptor is None or source.receptor.adds_to == "V" or receptor is None:
            raise ValueError(
                f"{_WHERE}.source must be a drive through a receptor with a current that depends on V, got {source!r}. "
                "Its value is all that flows."
            )
    states = [what] if isinstance(what, str) else what
    sources = {state: engine.source_of(state, receptor) for state in states}
    return StateRecorder(_WHERE, engine, name, None, sources, every, neurons, part.where)


def _only(what: str, **options: object) -> None:
    known = _OPTIONS.get(what, ("every", "neurons"))
    for option, value in options.items():
        if value is not None and option not in known:
            raise ValueError(f"{_WHERE}.{option} must be left out when recording {what}, got {value!r:.60}.")
