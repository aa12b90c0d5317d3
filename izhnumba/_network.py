"""Network: the one clock of populations and synapses, and what a user runs, stops, saves and resets."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from izhnumba import _checkpoint, _checks
from izhnumba._circuit import Circuit
from izhnumba._clock_engine import ClockEngine
from izhnumba._drives import drive_feeds, exact_feeds
from izhnumba._engine import Feeds
from izhnumba._feeds import RowFeeds
from izhnumba._running import Condition, Progress, ProgressBar, progress_shown, run_slices
from izhnumba._saving import description

_LONGEST_SLICE = 64  # steps, without synapses
FIRST_KEY = 2**60  # of events of synapses: those from outside come first


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
    populations, synapses, drives, recorders : dict
        By name.
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
        T: Any,
        *,
        until: Callable[[Network], Any] | None = None,
        every: Any = None,
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
            Before anything changes.
        RuntimeError
            If V or u of a neuron stops being finite; says of which population, when, where and what to do.

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
        self._must_not_run()
        clock = self._clock
        stop = clock.time.after("Network.run.T", clock.now, T)
        show = progress_shown("Network.run.progress", progress)
        ask = self._condition(until, every)
        if not self.populations:
            raise ValueError("Network must have a population to run, got none. Add one with Network.add.")
        self._connect_clock()
        recorders = list(self.recorders.values())
        for recorder in recorders:
            recorder.begin(stop)
        inputs = self._inputs()
        clock.found = [set() for _ in self.populations]
        self._running = True
        try:
            run_slices(clock, stop, inputs, recorders, self.threads, show, ask)
        finally:
            self._running = False
            if isinstance(show, ProgressBar):
                show.close()
        for population, codes in zip(self.populations.values(), clock.found, strict=True):
            population._complain(codes)

    def _inputs(self) -> Feeds:
        """What drives it."""
        drives, populations = list(self.drives.values()), list(self.populations.values())
        if self.scheme.exact:
            return exact_feeds(drives, populations, self._clock)
        return RowFeeds(drive_feeds(drives, populations), self._clock.n, self._clock.item)

    def _condition(self, until: Any, every: Any) -> Condition | None:
        if until is None:
            if every is not None:
                raise ValueError(f"Network.run.every must come with until, got {every!r} alone.")
            return None
        _checks.kind("Network.run.until", until, Callable, "a function of the network")
        return Condition(lambda: until(self), self._clock.time.interval("Network.run.every", every))

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
        self.run(self.dt if dt is None else _checks.number("Network.step.dt", dt, "ms", above=0.0))

    def reset(self, *, weights: bool = False) -> None:
        """Back to step 0: initial V and u, nothing under way, random numbers and recorders start again. Learned weights
        stay, unless `weights` is True: then those of plastic synapses are what they were when they were connected."""
        self._must_not_run()
        _checks.kind("Network.reset.weights", weights, (bool, np.bool_), "True or False")
        for recorder in self.recorders.values():
            recorder.may_clear()
        for synapses in self.synapses.values():
            synapses._clear(bool(weights))
        for population in self.populations.values():
            population._rewind()
        for one in self.drives.values():
            one.clear()
        for recorder in self.recorders.values():
            recorder.clear()
        self._clock.now = 0

    def save(self, path: str | Path) -> None:
        """Write the whole network and where it is to one file, from which `izhnumba.load` goes on.

        Parameters
        ----------
        path : path
            An npz file that NumPy alone can read. It is replaced only when the new one is complete. Models and rules
            are stored by name; functions are not, so that nothing in a file is executed.

        Raises
        ------
        TypeError
            For inputs or rules of your own that are no dataclasses.

        Examples
        --------
        See `izhnumba.load`.
        """
        self._must_not_run()
        _checkpoint.save(_checks.place("Network.save.path", path), description(self))

    def __reduce__(self) -> Any:
        raise TypeError("Network cannot be copied or pickled. Use net.save(path) and izhnumba.load(path).")

    def _connect_clock(self) -> None:
        """Hand all synapses to the clock, with rings as long as the longest delays."""
        if self._connected:
            return
        if self.scheme.exact:
            self._connect_exact_clock()
            return
        longest: dict[ClockEngine, int] = {}
        shortest = _LONGEST_SLICE
        for synapses in self.synapses.values():
            first, last = synapses._delays()
            engine = synapses.target.population._engine
            longest[engine] = max(longest.get(engine, 1), last)
            shortest = min(shortest, first or _LONGEST_SLICE)  # 0: there are no synapses
        parts = max([1, *(synapses._rows.parts for synapses in self.synapses.values())])
        deliveries = [synapses._bind for synapses in self.synapses.values() if not synapses._is_gap()]
        gaps = [synapses._bind for synapses in self.synapses.values() if synapses._is_gap()]
        self._clock.connect(deliveries, gaps, longest, shortest, parts)
        self._connected = True

    def _connect_exact_clock(self) -> None:
        """The same in continuous time."""
        key, tables, delays = FIRST_KEY, [], [(math.inf, 0.0)]
        for engine in self._clock.engines:
            engine.forget_rules()
        for synapses in self.synapses.values():
            tables.append(synapses._project(key))
            key += len(synapses)
            delays += [synapses._delays()] if len(synapses) else []
        shortest, longest = zip(*delays, strict=True)
        self._clock.connect(tables, min(shortest), max(longest))
        self._connected = True
