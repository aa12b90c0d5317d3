"""Runs of a network: its clock is made ready for all parts, then advances them slice by slice."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base import checks
from izhnumba._engine.codes import OK
from izhnumba._engine.progress import progress_shown
from izhnumba._engine.run_loop import STOPS, Condition, Slices, run_slices
from izhnumba._engine.timebase import Instant
from izhnumba._network.drives import Drive, feeds_of
from izhnumba._network.synapses import Synapses
from izhnumba._population.parameters import hand_over
from izhnumba._population.run import report, rewind
from izhnumba._record.recorder import Recorder

if TYPE_CHECKING:
    from izhnumba._network.network import Network
    from izhnumba._population.population import Population

_NO_POPULATION = "Network must have a population to run, got none. Add one with Network.add."
_MOST_STEPS = 1024  # that are made ready at a time, and
_MOST_AHEAD = 2**18  # neuron-steps


def run(net: Network, T: object, until: Any, every: object, progress: object) -> Instant:
    """Advance a network by T, or until a condition holds. Returns how far it came."""
    clock, where = net._clock, "Network.run"
    stop = clock.time.after(f"{where}.T", clock.now, T)
    shown = progress_shown(f"{where}.progress", progress)
    ask = _condition(net, until, every)
    if not net.populations:
        raise ValueError(_NO_POPULATION)
    began, slices = clock.now, _begun(net, stop, stop)
    with shown as show:
        run_slices(slices, show, ask)
    return clock.now - began


def _begun(net: Network, stop: Instant, sure: Instant) -> Slices:
    """A run until `stop`, or `sure` at the least, for which all parts are ready."""
    catch_up(net)
    check_weights(net, sure - net._clock.now)
    bind(net)
    recorders = list(net._recorders.values())
    for recorder in recorders:
        recorder._start_run(sure)
    net._clock.found = [set() for _ in net._populations]
    return Slices(net._clock, stop, feeds_of(net), recorders, net.threads)


class SteppedRun:
    """A run that goes on from one `Network.step` to the next: what a step needs is made ready once.

    It lies in the turn of the network (`Turn.kept`), so that every other call, which may change something, ends it.

    Parameters
    ----------
    net : Network
    until : int (step) or float (ms, in continuous time)
        Where its first step ends.
    length : int
        Steps of this size that it may last.

    Attributes
    ----------
    stop : int or float
        Where the last of its steps ends.
    telling : bool
        Whether `report_all` may have something to say of the last step.
    now : int or float
        Where the last of those done has ended.
    duration : int or float
        Of that one.
    thread : int
        In which it has begun.
    """

    def __init__(self, net: Network, until: Instant, length: int) -> None:
        self.now, self.duration = net._clock.now, until - net._clock.now
        self.length, self.stop, self.thread = length, self.now + length * self.duration, threading.get_ident()
        self._slices = _begun(net, self.stop, until)
        self._feeds = self._slices.feeds
        self._drives = [(one, one._made) for one in net._drives.values()]
        self._copies = net.scheme.exact  # it follows copies of live arrays
        self._live = [one for one in net._sources.values() if one._trains.live]
        self._recorders = list(net._recorders.values())
        self._populations = list(net._populations.values())
        self._limited = [one for one in net._synapses.values() if one._limits]
        self.telling = self._watched = any(not one._ours for one in self._limited)  # what rules of a user's own make

    def goes_on(self, until: Instant) -> bool:
        """Do another step, with what has been set, or written, since the last one. Returns False, and nothing has
        changed, if it must be made ready anew."""
        if until > self.stop or self.thread != threading.get_ident():
            return False
        changed = False
        for source in self._live:
            if self._copies:
                return False
            source._read_again()
        for drive, made in self._drives:
            if drive._live:
                if self._copies:
                    return False
                drive._read_again()
                changed = True
            if drive._made is not made:  # another value
                if not self._feeds.replace(made, drive._made):
                    return False
                changed = True
        if changed:
            self._feeds.add_again(self.now)
        for population in self._populations:
            if population._to_take:
                hand_over(population)
        for synapses in self._limited:
            synapses._check_weights(self._slices.engine.time.in_steps(self.duration))
        self.advance(until)
        return True

    def advance(self, until: Instant) -> None:
        """Do a step."""
        slices = self._slices
        try:
            code = slices.advance(until)
            while slices.now < until and code not in STOPS:  # in continuous time: a long one, or after an interrupt
                for recorder in self._recorders:
                    recorder._take()
                code = slices.advance(until)
        finally:
            shown = slices.engine.publish_state()
            for recorder in self._recorders:
                recorder._take()
        self.now, self.duration = until, until - self.now
        if code in STOPS:
            self.stop = until  # there is no next one
        self.telling = code != OK or shown != OK or self._watched


def step(net: Network, steps: SteppedRun | None, dt: object) -> SteppedRun:
    """Advance a network by a step. steps: what the step before returned, if nothing has come between. They last twice
    as long each time, so that little is made in vain where something is set before each step."""
    clock = net._clock
    if not net.scheme.exact:
        if dt is not None:
            raise ValueError(
                f"Network.step.dt must be left out with the scheme {net.scheme.name!r}, got {checks.shown(dt)}."
            )
        until = (clock.now if steps is None else steps.now) + 1
    else:
        h = net.dt if dt is None else checks.number("Network.step.dt", dt, "ms", above=0.0)
        until = clock.time.after("Network.run.T", clock.now, h)
    if steps is not None and steps.goes_on(until):
        return steps
    if not net.populations:
        raise ValueError(_NO_POPULATION)
    most = max(1, min(_MOST_STEPS, _MOST_AHEAD // net._clock.n))
    steps = SteppedRun(net, until, 1 if steps is None or until <= steps.stop else min(2 * steps.length, most))
    steps.advance(until)
    return steps


def report_all(net: Network, duration: Instant) -> None:
    """Raise or warn of what went wrong in the last run, of this duration."""
    for population, codes in zip(net._populations.values(), net._clock.found, strict=True):
        report(population, codes, functools.partial(_about_synapses, net, population))
    for synapses in net._synapses.values():
        synapses._check_results(net._clock.time.in_steps(duration))


def _about_synapses(net: Network, population: Population) -> str:
    """What to do where neurons were driven too far, if synapses reach them: the end of a list."""
    largest = {
        name: float(np.abs(one.weight).max())
        for name, one in net._synapses.items()
        if one.target.population is population and len(one)
    }
    if not largest:
        return ""
    name = max(largest, key=largest.__getitem__)
    return f", or smaller weights: those of {name!r} are up to {largest[name]:g} in size"


def catch_up(net: Network) -> None:
    """Do what an interrupt has left undone: recorders take what is in the engines, and these take parameters."""
    for recorder in net._recorders.values():
        recorder._end_interrupted()
    for population in net._populations.values():
        hand_over(population)
    net._clock.publish_state()


def check_weights(net: Network, duration: Instant) -> None:
    """Refuse weights that users have written and that cannot be, as far as a run of this duration can check them."""
    for synapses in net._synapses.values():
        synapses._check_weights(net._clock.time.in_steps(duration))


def bind(net: Network) -> None:
    """Make the clock ready for the parts of a network, if they are others than those it is ready for."""
    bound, complete = net._bound
    same = parts_of(net) == bound
    if complete and same:
        return
    net._bound = bound, False
    synapses = list(net._synapses.values())
    gone = [one for one in bound if isinstance(one, Synapses) and one not in synapses]
    receptors = {one._receptor_state for one in net._drives.values()}
    receptors |= {one._receptor_state for one in (*synapses, *gone)}
    engines, sources = ([one._engine for one in some.values()] for some in (net._populations, net._sources))
    if same:  # as it was saved: with the receptors at rest that it had, which the next change of parts will drop
        receptors |= {receptor for engine in engines for receptor in engine.outer_receptors}
    net._clock.connect(engines, sources, *([one._projection for one in some] for some in (synapses, gone)), receptors)
    net._bound = parts_of(net), True


def parts_of(net: Network) -> list[Any]:
    """All that the clock must know of."""
    populations = net._populations.values()
    receptors = [receptor for population in populations for receptor in population._engine.outer_receptors]
    released = [one for synapses in net._synapses.values() for one in synapses._projection.released]
    return [
        *populations,
        *net._sources.values(),
        *net._synapses.values(),
        *released,
        *(one._receptor_state for one in net._drives.values()),
        *receptors,
    ]


def reset(net: Network, weights: object) -> None:
    """Back to time 0, with the weights of now or, of plastic synapses, with the first ones."""
    checks.kind("Network.reset.weights", weights, (bool, np.bool_), "True or False")
    catch_up(net)
    for recorder in net._recorders.values():
        recorder._may_clear()
    for synapses in net._synapses.values():
        synapses._clear(bool(weights))
    for population in net._populations.values():
        rewind(population)
    for source in net._sources.values():
        source._rewind()
    for one in net._drives.values():
        one._clear()
    for recorder in net._recorders.values():
        recorder._clear()
    bound, complete = net._bound
    known = [one for one in bound if not isinstance(one, Synapses) or net._synapses.get(one.name) is one]
    net._bound = known, complete and len(known) == len(bound)  # nothing is under way through those that are gone
    net._clock.now = 0


def remove(net: Network, parts: Sequence[object]) -> None:
    """Take synapses, drives or recorders out of a network: all of these, or none."""
    where, tables = "Network.remove.part", (net._synapses, net._drives, net._recorders)
    found: list[tuple[dict[str, Any], str, object]] = []
    for part in parts:
        checks.kind(where, part, (Synapses, Drive, Recorder), "synapses, a drive or a recorder")
        here = [(table, name, part) for table in tables for name, one in table.items() if one is part]
        if not here:
            raise ValueError(f"{where} must be in this network, got {part!r}.")
        if isinstance(part, (Synapses, Drive)):
            _must_not_be_recorded(net, part)
        found += here
    catch_up(net)
    for table, name, part in found:
        if isinstance(part, Synapses):
            bind(net)  # so that the clock knows what is under way through them
        elif isinstance(part, Recorder):
            part._leave()
        del table[name]


def _must_not_be_recorded(net: Network, part: Synapses | Drive) -> None:
    for name, recorder in net._recorders.items():
        if recorder.source is part:
            raise ValueError(
                f"Network.remove.part must not be recorded, got {part!r}, of which the recorder {name!r} "
                f"records {recorder.what}. Remove that first: net.remove(net.recorders[{name!r}])."
            )


def _condition(net: Network, until: Any, every: object) -> Condition | None:
    if until is None:
        if every is not None:
            raise ValueError(f"Network.run.every must come with until, got {checks.shown(every)} alone.")
        return None
    checks.takes("Network.run.until", until, "net")
    return Condition(lambda: _truth(until(net)), net._clock.time.interval("Network.run.every", every))


def _truth(found: object) -> bool:
    """The value of a user's condition as a bool; None, of one without a return, is False."""
    if found is None or isinstance(found, (bool, np.bool_)):
        return bool(found)
    value = np.asarray(found)
    if value.size != 1 or value.dtype.kind not in "biuf":
        got = f"an array of shape {value.shape}" if value.ndim else f"{checks.shown(found)}"
        raise TypeError(
            f"Network.run.until must return True or False, got {got}. Return a condition such as pop.spikes.any()."
        )
    return bool(value.all())
