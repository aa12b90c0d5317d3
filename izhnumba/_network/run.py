"""Runs of a network: its clock is made ready for all parts, then advances them slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from izhnumba._base import checks
from izhnumba._engine.run_loop import Condition, ProgressBar, progress_shown, run_slices
from izhnumba._engine.timebase import Instant
from izhnumba._network.drives import Drive, feeds_of
from izhnumba._network.synapses import Synapses
from izhnumba._population.parameters import hand_over
from izhnumba._population.run import report
from izhnumba._record.recorder import Recorder

if TYPE_CHECKING:
    from izhnumba._network.network import Network


def run(net: Network, T: object, until: Any, every: object, progress: object) -> Instant:
    """Advance a network by T, or until a condition holds. Returns how far it came."""
    clock, where = net._clock, "Network.run"
    stop = clock.time.after(f"{where}.T", clock.now, T)
    show = progress_shown(f"{where}.progress", progress)
    ask = _condition(net, until, every)
    if not net._populations:
        raise ValueError("Network must have a population to run, got none. Add one with Network.add.")
    catch_up(net)
    check_weights(net, stop - clock.now)
    bind(net)
    recorders = list(net._recorders.values())
    for recorder in recorders:
        recorder._start_run(stop)
    feeds = feeds_of(net)
    began, clock.found = clock.now, [set() for _ in net._populations]
    try:
        run_slices(clock, stop, feeds, recorders, net.threads, show, ask)
    finally:
        if isinstance(show, ProgressBar):
            show.close()
    return clock.now - began


def report_all(net: Network, duration: Instant) -> None:
    """Raise or warn of what went wrong in the last run, of this duration."""
    for population, codes in zip(net._populations.values(), net._clock.found, strict=True):
        report(population, codes)
    for synapses in net._synapses.values():
        synapses._check_results(net._clock.time.in_steps(duration))


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
    if complete and _parts(net) == bound:
        return
    net._bound = bound, False
    synapses = list(net._synapses.values())
    gone = [one for one in bound if isinstance(one, Synapses) and one not in synapses]
    receptors = {one._receptor_state for one in net._drives.values()}
    receptors |= {one._receptor_state for one in (*synapses, *gone)}
    engines = [population._engine for population in net._populations.values()]
    net._clock.connect(engines, *([one._projection for one in some] for some in (synapses, gone)), receptors)
    net._bound = _parts(net), True


def _parts(net: Network) -> list[Any]:
    """All that the clock must know of."""
    populations = net._populations.values()
    receptors = [receptor for population in populations for receptor in population._engine.outer_receptors]
    return [*populations, *net._synapses.values(), *(one._receptor_state for one in net._drives.values()), *receptors]


def reset(net: Network, weights: object) -> None:
    """Back to time 0, with the weights of now or, of plastic synapses, with the first ones."""
    checks.kind("Network.reset.weights", weights, (bool, np.bool_), "True or False")
    catch_up(net)
    for recorder in net._recorders.values():
        recorder._may_clear()
    for synapses in net._synapses.values():
        synapses._clear(bool(weights))
    for population in net._populations.values():
        population._rewind()
    for one in net._drives.values():
        one._clear()
    for recorder in net._recorders.values():
        recorder._clear()
    net._clock.now = 0


def remove(net: Network, part: object) -> None:
    """Take synapses, a drive or a recorder out of a network."""
    where = "Network.remove.part"
    checks.kind(where, part, (Synapses, Drive, Recorder), "synapses, a drive or a recorder")
    tables = net._synapses, net._drives, net._recorders
    found = [(table, name) for table in tables for name, one in table.items() if one is part]
    if not found:
        raise ValueError(f"{where} must be in this network, got {part!r}.")
    catch_up(net)
    if isinstance(part, Synapses):
        _must_not_be_recorded(net, part)
        bind(net)  # so that the clock knows what is under way through them
    elif isinstance(part, Recorder):
        part._leave()
    ((table, name),) = found
    del table[name]


def _must_not_be_recorded(net: Network, synapses: Synapses) -> None:
    for name, recorder in net._recorders.items():
        if recorder.source is synapses:
            raise ValueError(
                f"Network.remove.part must not be recorded, got {synapses!r}, of which the recorder {name!r} "
                f"records {recorder.what}. Remove that first: net.remove(net.recorders[{name!r}])."
            )


def _condition(net: Network, until: Any, every: object) -> Condition | None:
    if until is None:
        if every is not None:
            raise ValueError(f"Network.run.every must come with until, got {every!r} alone.")
        return None
    checks.takes("Network.run.until", until, "net")
    return Condition(lambda: _truth(until(net)), net._clock.time.interval("Network.run.every", every))


def _truth(found: object) -> bool:
    """The value of a user's condition as a bool; None, of one without a return, is False."""
    if found is None or isinstance(found, (bool, np.bool_)):
        return bool(found)
    value = np.asarray(found)
    if value.size != 1 or value.dtype.kind not in "biuf":
        got = f"an array of shape {value.shape}" if value.ndim else f"{found!r:.60}"
        raise TypeError(
            f"Network.run.until must return True or False, got {got}. Return a condition such as pop.spikes.any()."
        )
    return bool(value.all())
