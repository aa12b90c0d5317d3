"""Circuit: what a network is made of, apart from how it advances. Its arguments are those of `Network`."""

from __future__ import annotations

import itertools
import math
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._base.sealed import Sealed
from izhnumba._base.turns import Turn
from izhnumba._engine.run_loop import Progress, ProgressBar, progress_shown
from izhnumba._engine.timebase import SHORTEST_STEP
from izhnumba._model.schemes import schemes
from izhnumba._network.connect import connected
from izhnumba._network.drives import Drive
from izhnumba._network.record import label, recorder_of, wanted
from izhnumba._network.synapses import Synapses
from izhnumba._population.engines import join, kind_of
from izhnumba._population.parameters import hand_over
from izhnumba._population.population import Population
from izhnumba._population.section import Section
from izhnumba._record.recorder import Recorder
from izhnumba._record.sampler import Sampler
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptor import Receptor


class Circuit(Sealed):
    """Populations, synapses, drives and recorders, by name."""

    def __init__(
        self, *, dt: Any = 0.1, scheme: str = "exp_euler", seed: int | None = None, threads: int | None = None
    ) -> None:
        self.dt = checks.number("Network.dt", dt, "ms", at_least=SHORTEST_STEP)
        self.scheme = schemes[checks.one_of("Network.scheme", scheme, schemes)]
        self.seed = secrets.randbits(32) if seed is None else checks.integer("Network.seed", seed, at_least=0)
        self.threads = None if threads is None else checks.integer("Network.threads", threads, at_least=1)
        self._populations: dict[str, Population] = {}
        self._synapses: dict[str, Synapses] = {}
        self._drives: dict[str, Drive] = {}
        self._recorders: dict[str, Recorder] = {}
        self._clock: Any = kind_of(self.scheme).network(self.dt)
        within = "Network.run or connect has not ended: until then only states, parameters and weights may be set."
        self._turn = Turn("Network", within)
        self._bound: tuple[list[Any], bool] = [], False  # parts for which the clock was made ready; whether it is
        self._seal()

    def __repr__(self) -> str:
        n, synapses = sum(pop.n for pop in self.populations.values()), sum(map(len, self.synapses.values()))
        return f"<network: {n} neurons in {len(self.populations)} populations, {synapses} synapses, t = {self.t:g} ms>"

    @property
    def populations(self) -> Mapping[str, Population]:
        """By name; read-only, `add` puts them in."""
        return MappingProxyType(self._populations)

    @property
    def synapses(self) -> Mapping[str, Synapses]:
        """By name; read-only, `connect` puts them in and `remove` takes them out."""
        return MappingProxyType(self._synapses)

    @property
    def drives(self) -> Mapping[str, Drive]:
        """By name; read-only, `drive` puts them in and `remove` takes them out."""
        return MappingProxyType(self._drives)

    @property
    def recorders(self) -> Mapping[str, Recorder]:
        """By name; read-only, `record` puts them in and `remove` takes them out."""
        return MappingProxyType(self._recorders)

    @property
    def n_steps(self) -> int:
        """Steps done since the start or the last reset; the scheme 'exact' has none."""
        if self.scheme.exact:
            raise AttributeError("Network.n_steps is not there with the scheme 'exact', which has no steps. Use t.")
        return self._clock.step

    @property
    def t(self) -> float:
        """Time simulated so far, ms."""
        return self._clock.time.ms(self._clock.now)

    def add(self, population: Population, name: str | None = None) -> Population:
        """Take a population into the network; its dt, scheme, seed and threads become the network's.

        Parameters
        ----------
        population : Population
            That has done no step. What it was given for dt, scheme, seed and threads must agree with the network's.
        name : str, optional
            Names its random numbers; by default its own name, or "population", "population#1", ...

        Returns
        -------
        Population
            The same one. From now on only the network advances it.

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network(dt=0.5)
        >>> net.add(iz.Population(10), name="exc").dt
        0.5
        """
        with self._turn:
            checks.kind("Network.add.population", population, Population, "a Population")
            if population.network is not None:
                raise ValueError(f"Network.add.population must be in no network yet, got {population.name!r} of one.")
            wanted = population._given["name"] if name is None else name
            name = self._name("Network.add.name", wanted, "population", self._populations)
            join(population, self, name)
            self._populations[name] = population
        return population

    def connect(
        self,
        pre: Population | Section,
        post: Population | Section,
        rule: Any,
        *,
        weight: Any = None,
        delay: Any = None,
        receptor: Receptor | None = None,
        plasticity: Plasticity | None = None,
        name: str | None = None,
        progress: bool | Progress = False,
    ) -> Synapses:
        """Connect two populations, or slices such as `exc[:400]`.

        Parameters
        ----------
        pre, post : Population or slice of one
            Sources and targets.
        rule : Rule, (pre, post), matrix or path
            A rule such as `FixedProbability(0.1)`; indices of the sources and targets of each synapse; a matrix
            (sources, targets), an array or of scipy.sparse, whose nonzero entries are connected and are the weights
            unless `weight` is given, as it must be for a mask of True and False; or a text file with a synapse per
            line: source, target and, if it has them, weight and delay.
        weight : float, array, distribution or callable(rng, size), default 1
            In the unit of the receptor: mV for Delta, mV/ms (pA) for currents, 1/ms (nS) for conductances, which are
            not negative: their E sets the sign. Plastic weights lie within the bounds of their rule. An array has an
            entry per synapse, in the order of the pairs given, or for a rule of those it yields: row after row. With
            pairs, a mask or `AllToAll` a matrix (sources, targets) will do, whose other entries are left.
        delay : the same, ms, at least dt, default dt
            Rounded to whole steps. With the scheme "exact" any time from 1e-6 ms on, as it is.
        receptor : Receptor, default Delta()
            What a spike does when it arrives.
        plasticity : Plasticity, optional
            How the weights change.
        name : str, optional
            Names the random numbers; by default "pre to post".
        progress : bool or callable(done, total) in synapses

        Returns
        -------
        Synapses

        Raises
        ------
        TypeError, ValueError
            The network is as before then.

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network(seed=3)
        >>> cells = net.add(iz.Population(100))
        >>> net.connect(cells, cells[:50], iz.FixedOutDegree(10), weight=0.5, delay=iz.Uniform(1.0, 5.0))
        <1000 synapses population -> population[0:50], Delta()>
        """
        with self._turn:  # nothing else may be built in the meantime
            source, target = self._section("Network.connect.pre", pre), self._section("Network.connect.post", post)
            shown = progress_shown("Network.connect.progress", progress, "synapses") or (lambda done, total: None)
            name = self._name("Network.connect.name", name, f"{source!r} to {target!r}", self._synapses)
            try:
                synapses = connected(source, target, rule, weight, delay, receptor, plasticity, name, self.seed, shown)
            finally:
                if isinstance(shown, ProgressBar):
                    shown.close()
            self._synapses[name] = synapses
        return synapses

    def drive(self, population: Population | Section, input: Any, *, name: str | None = None) -> Drive:
        """Let a current or spikes act on a population, or on a slice of one.

        Parameters
        ----------
        population : Population or slice of one
        input : float, array that broadcasts to it, or input object
            Currents in mV/ms (pA), evaluated at the start of each step; or spikes, `Poisson` or `SpikeTrain`, which act
            through their receptor in the step in which they fall. With the scheme "exact" currents are followed in
            continuous time (no noise), and spikes act at their own times. Several drives add up, and each draws its own
            random numbers. An array is live: what you write into it counts from the next run or step on.
        name : str, optional
            In `net.drives`; by default that of the population.

        Returns
        -------
        Drive
            Its `value` can be set between runs; 0 turns it off.

        Examples
        --------
        >>> import numpy as np, izhnumba as iz
        >>> net = iz.Network(seed=1)
        >>> cells = net.add(iz.Population(10))
        >>> step = net.drive(cells[:5], 4.0)
        >>> noise = net.drive(cells, iz.Noise(std=2.0))
        >>> light = np.zeros(10)
        >>> net.drive(cells, light)
        <drive of population: <array of shape (10,)>>
        >>> light[3] = 20.0
        >>> step.value = 0.0
        """
        with self._turn:
            part = self._section("Network.drive.population", population)
            others = [one._ordinal for one in self._drives.values() if one.section.population is part.population]
            name = self._name("Network.drive.name", name, repr(part), self._drives)
            self._drives[name] = drive = Drive(part, input, max(others, default=-1) + 1)
            drive._turn = self._turn
        return drive

    def record(
        self,
        source: Population | Section | Synapses,
        what: str | Sequence[str] | Sampler | None = None,
        *,
        every: Any = None,
        neurons: ArrayLike | None = None,
        synapses: ArrayLike | None = None,
        start: Any = 0.0,
        stop: Any = math.inf,
        to: str | Path | None = None,
        name: str | None = None,
    ) -> Any:
        """Record from a population, a slice of one, or synapses, in all runs to come.

        Parameters
        ----------
        source : Population, slice of one, or Synapses
        what : str, list or Sampler
            Of a population: "spikes" (default), "rate", or "V", "u" or both. Of synapses: "weight" (default), or
            "current", that of their receptor: all synapses onto equal receptors of a population share it. Of either
            whatever a `Sampler` of your own returns.
        every : float, ms, a whole number of steps, default dt
            Time between samples, or width of the bins in which spikes are counted. With the scheme "exact" any time
            from 1e-9 ms on.
        neurons, synapses : int array, optional
            Which to record, by place in the slice or in `syn.weight`; default all.
        start, stop : float, ms
            Only steps between are recorded; with the scheme "exact" what is later than start and no later than stop.
            `rec.start` and `rec.stop` can be set between runs.
        to : path of a new file, optional
            Spikes and samples go there block by block, and memory does not grow; `izhnumba.io.read` reads it. It
            replaces nothing and appears with a whole head or not at all; a relative path is one in the working folder
            of now (`rec.to` is absolute). If the process is killed, it holds all but the last 25 ms or so of computing.
            A network loaded from an older checkpoint first moves later rows to a file of their own, `<name>.1`.
        name : str, optional
            In `net.recorders`; by default such as "exc spikes".

        Returns
        -------
        SpikeRecorder, RateRecorder, StateRecorder, WeightRecorder or SampleRecorder
            With `.i`, `.t`, `.step` (None with the scheme "exact"); or `.t` and `.rate`; or `.t` and `.V`, `.u` or
            `.current`; or `.t` and `.weight`; or `.t` and `.values`.

        Raises
        ------
        TypeError, ValueError, FileExistsError, FileNotFoundError, IsADirectoryError
            Before anything changes; there is no file then but what was there.
        RuntimeError
            In the course of a run.

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network()
        >>> cells = net.add(iz.Population(10, **iz.presets["RS"]))
        >>> current = net.drive(cells, 10.0)
        >>> voltage = net.record(cells, "V", every=1.0, neurons=[0, 1])
        >>> net.run(50.0)
        >>> voltage.V.shape
        (50, 2)
        """
        with self._turn:
            self._catch_up()
            recorder = self._recorder(source, what, every, neurons, synapses, start, stop, name)
            recorder._turn = self._turn
            recorder._seal()
            try:
                if to is not None:
                    recorder.write_to(to)
                self._recorders[recorder.name] = recorder
            except BaseException:  # Ctrl-C, when it had its file already
                if recorder.to is not None and self._recorders.get(recorder.name) is not recorder:
                    recorder.to.unlink()
                raise
        return recorder

    def _recorder(
        self, source: Any, what: Any, every: Any, neurons: Any, synapses: Any, start: Any, stop: Any, name: Any
    ) -> Recorder:
        if not isinstance(source, Synapses):
            source = self._section("Network.record.source", source)
        elif self._synapses.get(source.name) is not source:
            raise ValueError(f"Network.record.source must be in this network, got {source!r}.")
        what = wanted(source, what)
        of = source.name if isinstance(source, Synapses) else repr(source)
        name = self._name("Network.record.name", name, f"{of} {label(what)}", self._recorders)
        recorder = recorder_of(source, what, name, every, neurons, synapses)
        recorder.start, recorder.stop = start, stop
        if recorder.stop < recorder.start:
            raise ValueError(f"Network.record.stop must be >= start ({recorder.start:g} ms), got {recorder.stop:g} ms.")
        recorder.source, recorder.what = source, what
        return recorder

    def _catch_up(self) -> None:
        """Do what an interrupt has left undone: recorders take what is in the engines, and these take parameters."""
        for recorder in self._recorders.values():
            recorder.catch_up()
        for population in self._populations.values():
            hand_over(population)
        self._clock.publish_state()

    def _name(self, where: str, name: Any, default: str, taken: Any) -> str:
        if name is None:
            numbered = (f"{default}#{k}" for k in itertools.count(1))
            return next(free for free in itertools.chain([default], numbered) if free not in taken)
        checks.kind(where, name, str, "a str")
        if name in taken:
            raise ValueError(f"{where} must be new in this network, got {name!r}. Choose another name.")
        return str(name)

    def _section(self, where: str, value: Any) -> Section:
        """A population of this network, or a slice of one, as a section."""
        part = Section(value, 0, value.n, whole=True) if isinstance(value, Population) else value
        if not isinstance(part, Section):
            raise TypeError(f"{where} must be a Population or a slice of one, got {value!r}. Pass pop or pop[a:b].")
        if part.population.network is not self:
            raise ValueError(f"{where} must be in this network, got {part!r}. Add it first.")
        return part
