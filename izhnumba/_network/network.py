"""Network: the one clock of populations and synapses, and what a user runs, stops, saves and resets."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from izhnumba._base import checks, paths
from izhnumba._base.sealed import shown_as
from izhnumba._checkpoint import format
from izhnumba._clock.engine import ClockEngine
from izhnumba._clock.inputs import RowFeeds
from izhnumba._engine.protocol import Feeds
from izhnumba._engine.run_loop import Condition, Progress, ProgressBar, progress_shown, run_slices
from izhnumba._exact.engine import ExactEngine
from izhnumba._exact.kernels import layout
from izhnumba._network.circuit import Circuit
from izhnumba._network.drives import Drive, drive_feeds, exact_feeds
from izhnumba._network.save import description
from izhnumba._network.synapses import Synapses
from izhnumba._population.run import report
from izhnumba._record.recorder import Recorder

_LONGEST_SLICE = 64  # steps, without synapses


class Network(Circuit):
    """Populations, the synapses between them, what drives and what records them, and the one clock of all.

    Parameters
    ----------
    dt : float, ms, > 0
        Time step of every population in it. With the scheme "exact" only the default of `step`, `every` and delays.
    scheme : str
        How time advances, one of `izhnumba.schemes`.
    seed : int, >= 0, optional
        Key of all random numbers: connectivity, weights, delays, initial values and inputs. Without one a seed is
        drawn; it is kept in `seed`.
    threads : int, >= 1, optional
        Threads to use; without it, as many as pay. The result is the same for every number.

    Attributes
    ----------
    populations, synapses, drives, recorders : mapping
        By name; read-only. `remove` takes synapses, drives and recorders out again.
    t : float, ms
        Time simulated so far, n_steps * dt.
    n_steps : int
        Not there with the scheme "exact".

    Notes
    -----
    A spike of step k with a delay of D steps arrives in step k + D: a V jump is added at its end, a pulse current flows
    during it, the state of another receptor rises after it and moves V from step k + D + 1 on. With the scheme "exact"
    a spike at t arrives at t + delay, and all that it does it does then.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(dt=0.5, seed=1)
    >>> exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc")
    >>> inh = net.add(iz.Population(20, **iz.presets["FS"]), name="inh")
    >>> syn = net.connect(exc, inh, iz.FixedProbability(0.5), weight=4.0, delay=iz.Uniform(1.0, 5.0))
    >>> noise = net.drive(exc, iz.Noise(std=20.0))
    >>> spikes = net.record(inh, "spikes")
    >>> net.run(200.0)
    >>> len(syn) > 700, len(spikes.t) > 0
    (True, True)
    """

    def run(
        self,
        T: object,
        *,
        until: Callable[[Network], Any] | None = None,
        every: object = None,
        progress: bool | Progress = False,
    ) -> None:
        """Advance by T, or until a condition holds.

        Parameters
        ----------
        T : float, ms, >= 0
            A whole number of steps (within a thousandth). With the scheme "exact" any time, as in `Population.run`.
        until : callable(net) -> bool, optional
            Asked after each step, or each `every` ms on the absolute clock: the run ends when it returns True.
        every : float, ms, a whole number of steps, default dt
            A network that is stopped less often to be asked runs faster.
        progress : bool or callable(done, total) in ms
            A line on standard error, or your own function, called about 40 times per second.

        Raises
        ------
        TypeError, ValueError
            Before anything changes; also for what has been written into `syn.weight` and cannot be (docs/semantics.md).
        RuntimeError
            If V or u of a neuron stops being finite; says of which population, when, where and what to do. If a rule of
            your own has made a conductance negative; the run has come to its end then.

        Notes
        -----
        Ctrl-C ends the run after a whole slice (within 0.1 s); everything is good to go on from.

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network()
        >>> cells = net.add(iz.Population(10, **iz.presets["RS"]))
        >>> net.run(20.0)
        >>> net.t
        20.0
        >>> current = net.drive(cells, 10.0)
        >>> net.run(100.0, until=lambda net: cells.spikes.any())
        >>> round(net.t, 1)
        23.8
        """
        with self._turn:
            clock = self._clock
            stop = clock.time.after("Network.run.T", clock.now, T)
            show = progress_shown("Network.run.progress", progress)
            ask = self._condition(until, every)
            if not self._populations:
                raise ValueError("Network must have a population to run, got none. Add one with Network.add.")
            self._catch_up()
            self._check_weights(stop - clock.now)
            self._bind_parts()
            recorders = list(self._recorders.values())
            for recorder in recorders:
                recorder.start_run(stop)
            inputs = self._inputs()
            began, clock.found = clock.now, [set() for _ in self._populations]
            try:
                run_slices(clock, stop, inputs, recorders, self.threads, show, ask)
            finally:
                if isinstance(show, ProgressBar):
                    show.close()
        for population, codes in zip(self._populations.values(), clock.found, strict=True):
            report(population, codes, stacklevel=2)
        for synapses in self._synapses.values():
            synapses._check_results(self._steps(clock.now - began))

    def _check_weights(self, time: Any) -> None:
        """Refuse what has been written into the weights of synapses and cannot be, as far as a run of so many steps or
        ms can check it in passing."""
        for synapses in self._synapses.values():
            synapses._check_weights(self._steps(time))

    def _steps(self, time: Any) -> float:
        return float(time / self.dt if self.scheme.exact else time)

    def _inputs(self) -> Feeds:
        """What drives it."""
        drives, populations = list(self._drives.values()), list(self._populations.values())
        if self.scheme.exact:
            return exact_feeds(drives, populations, self._clock)
        return RowFeeds(drive_feeds(drives, populations), self._clock.n, self._clock.item)

    def _condition(self, until: Any, every: Any) -> Condition | None:
        if until is None:
            if every is not None:
                raise ValueError(f"Network.run.every must come with until, got {every!r} alone.")
            return None
        checks.takes("Network.run.until", until, "net")
        return Condition(lambda: _truth(until(self)), self._clock.time.interval("Network.run.every", every))

    def step(self, dt: Any = None) -> None:
        """Advance by one step, or with the scheme "exact" by dt ms (default net.dt).

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network()
        >>> cells = net.add(iz.Population(1, **iz.presets["RS"]))
        >>> current = net.drive(cells, 10.0)
        >>> while not cells.spikes.any():
        ...     net.step()
        >>> round(net.t, 1)
        3.2
        """
        if dt is not None and not self.scheme.exact:
            raise ValueError(f"Network.step.dt must be left out with the scheme {self.scheme.name!r}, got {dt!r}.")
        self.run(self.dt if dt is None else checks.number("Network.step.dt", dt, "ms", above=0.0))

    def reset(self, *, weights: bool = False) -> None:
        """Back to step 0: initial V and u, nothing under way, random numbers and recorders start again. Learned weights
        stay, unless `weights` is True: then those of plastic synapses are what they were when they were connected."""
        with self._turn:
            checks.kind("Network.reset.weights", weights, (bool, np.bool_), "True or False")
            self._catch_up()
            for recorder in self._recorders.values():
                recorder.may_clear()
            for synapses in self._synapses.values():
                synapses._clear(bool(weights))
            for population in self._populations.values():
                population._rewind()
            for one in self._drives.values():
                one.clear()
            for recorder in self._recorders.values():
                recorder.clear()
            self._clock.now = 0

    def remove(self, part: Synapses | Drive | Recorder) -> None:
        """Take synapses, a drive or a recorder out of the network.

        Spikes that are under way through synapses still arrive, with the weights of now, whatever a rule such as
        `TsodyksMarkram` would have made of these. What a recorder has recorded can still be read. Random numbers of
        all other parts stay what they are.

        Parameters
        ----------
        part : Synapses, Drive or Recorder
            Of this network. Synapses that are being recorded must keep their recorders company: remove those first.

        Raises
        ------
        TypeError, ValueError
            For anything else, before anything changes.
        RuntimeError
            In the course of a run, or while another thread uses the network.

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network(seed=1)
        >>> cells = net.add(iz.Population(3), name="cells")
        >>> syn = net.connect(cells, cells, iz.AllToAll(), weight=0.5)
        >>> net.remove(syn)
        >>> dict(net.synapses)
        {}
        """
        with self._turn:
            checks.kind("Network.remove.part", part, (Synapses, Drive, Recorder), "synapses, a drive or a recorder")
            tables: tuple[dict[str, Any], ...] = (self._synapses, self._drives, self._recorders)
            found = [(table, name) for table in tables for name, one in table.items() if one is part]
            if not found:
                raise ValueError(f"Network.remove.part must be in this network, got {part!r}.")
            self._catch_up()
            if isinstance(part, Synapses):
                self._must_not_be_recorded(part)
                self._bind_parts()  # so that the clock knows what is under way through them
            elif isinstance(part, Recorder):
                part._leave()
            ((table, name),) = found
            del table[name]

    def _must_not_be_recorded(self, synapses: Synapses) -> None:
        for name, recorder in self._recorders.items():
            if recorder.source is synapses:
                raise ValueError(
                    f"Network.remove.part must not be recorded, got {synapses!r}, of which the recorder {name!r} "
                    f"records {recorder.what}. Remove that first: net.remove(net.recorders[{name!r}])."
                )

    def save(self, path: str | Path) -> None:
        """Write the whole network and where it is to one file, from which `izhnumba.load` goes on.

        Parameters
        ----------
        path : path
            An npz file that NumPy alone can read. It appears complete or not at all, and until then an older file stays
            as it is. Links are followed, the mode of a file is kept, and what is no file, such as a pipe, gets the
            content. What a killed process left beside it is removed. Models and rules are stored by name; functions
            are not, so that nothing in a file is executed.

        Raises
        ------
        TypeError
            For inputs or rules of your own that are no dataclasses.
        OSError
            FileNotFoundError without the folder, IsADirectoryError, PermissionError, or what the disk says. An older
            file is as before then.
        RuntimeError
            In the course of a run, or if somebody else has changed the file of a recorder.
        ValueError
            If weights have been written that the next run would refuse.

        Examples
        --------
        See `izhnumba.load`.
        """
        with self._turn:
            self._catch_up()
            self._check_weights(math.inf)
            if self._bound[0]:
                self._bind_parts()
            format.save(paths.place("Network.save.path", path), description(self))

    def _bind_parts(self) -> None:
        """Make the clock ready for the parts of the network, if they are others than those it is ready for."""
        bound, complete = self._bound
        if complete and self._parts() == bound:
            return
        self._bound = bound, False
        engines = [population._engine for population in self._populations.values()]
        synapses = list(self._synapses.values())
        gone = [one for one in bound if isinstance(one, Synapses) and one not in synapses]
        ports = {one._port for one in self._drives.values()} | {one._port for one in (*synapses, *gone)}
        if self.scheme.exact:
            self._bind_exact(engines, synapses, ports)
        else:
            self._bind_clock(engines, synapses, gone, ports)
        self._bound = self._parts(), True

    def _parts(self) -> list[Any]:
        """All that the clock must know of."""
        populations = self._populations.values()
        ports = [port for population in populations for port in population._engine.outer_ports]
        return [*populations, *self._synapses.values(), *(one._port for one in self._drives.values()), *ports]

    def _bind_clock(
        self, engines: list[ClockEngine], synapses: list[Synapses], gone: list[Synapses], ports: set[Any]
    ) -> None:
        """Hand all synapses to the clock, with rings as long as the longest delays."""
        longest: dict[ClockEngine, int] = {}
        shortest = _LONGEST_SLICE
        for one in synapses:
            first, last = one._delays()
            engine = one.target.population._engine
            longest[engine] = max(longest.get(engine, 1), last)
            shortest = min(shortest, first or _LONGEST_SLICE)  # 0: there are no synapses
        for one in gone:  # spikes under way through them still arrive: those through plastic ones are not in rings yet
            engine = one.target.population._engine
            longest[engine] = max(longest.get(engine, 1), one._delays()[1])
        parts = max([1, *(one._rows.parts for one in synapses)])
        gaps = [one._couple for one in synapses if one._is_gap()]
        self._clock.connect(engines, gaps, ports, longest, shortest, parts)
        for one in gone:
            one._let_arrive()
        calls = [one._bind() for one in synapses if not one._is_gap()]  # whose rings stay as they are now
        self._clock.deliver(
            [(before, table) for before, _, table in calls if before], [(after, table) for _, after, table in calls]
        )

    def _bind_exact(self, engines: list[ExactEngine], synapses: list[Synapses], ports: set[Any]) -> None:
        """The same in continuous time."""
        key, tables, delays = layout.FIRST_KEY, {}, [(math.inf, 0.0)]
        for engine in engines:
            engine.forget_rules()
            engine.connected = ports & set(engine.ports)
            engine.keep(set())
        for one in synapses:
            tables[one] = one._project(key)
            key += len(one)
            delays += [one._delays()] if len(one) else []
        shortest, longest = zip(*delays, strict=True)
        self._clock.connect(engines, tables, min(shortest), max(longest))


def _truth(found: object) -> bool:
    """What a condition returns; one without a return only looks on."""
    if found is None or isinstance(found, (bool, np.bool_)):
        return bool(found)
    value = np.asarray(found)
    if value.size != 1 or value.dtype.kind not in "biuf":
        got = f"an array of shape {value.shape}" if value.ndim else f"{found!r:.60}"
        raise TypeError(
            f"Network.run.until must return True or False, got {got}. Return a condition such as pop.spikes.any()."
        )
    return bool(value.all())


shown_as(Network, Circuit)
