"""Network: populations, synapses, drives and recorders by name, and the one clock that advances them."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Unpack, overload

from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._base.sealed import Named, NamedPopulations, Sealed
from izhnumba._base.turns import Turn
from izhnumba._engine.progress import Progress
from izhnumba._engine.timebase import SHORTEST_STEP
from izhnumba._model.schemes import DEFAULT, scheme_named
from izhnumba._network import assemblies, html, parts
from izhnumba._network import run as running
from izhnumba._network.connect import Options, connect
from izhnumba._network.drives import Drive, Through, drive
from izhnumba._network.joined import Joined, JoinedDrive, JoinedRecorder, JoinedSynapses
from izhnumba._network.parts import Added
from izhnumba._network.record import OfSynapses, OwnSample, Recordable, States, record
from izhnumba._network.save import save
from izhnumba._network.synapses import Synapses
from izhnumba._population.assembly import Assembly
from izhnumba._population.engines import kind_of
from izhnumba._population.population import Population
from izhnumba._population.section import Section
from izhnumba._population.source import Source
from izhnumba._record.recorder import Recorder
from izhnumba._record.reduced import ReductionRecorder
from izhnumba._record.reductions import StateReduction
from izhnumba._record.sampler import SampleRecorder, WeightRecorder
from izhnumba._record.samples import StateRecorder
from izhnumba._record.spikes import RateRecorder, SpikeRecorder
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptor import Receptor

_WITHIN = "Network.run or connect has not ended: until then only states, parameters and weights may be set."
Neurons = Population | Section | Source
End = Neurons | Assembly


class Network(Sealed):
    """Populations, the synapses between them, what drives and what records them, and the one clock of all.

    Parameters
    ----------
    dt : float, ms, > 0
        Time step of every population in it. With the scheme "exact" only the default of `step`, `every` and delays.
    scheme : str
        How time advances, one of `izhnumba.schemes`.
    substeps : int, 1 to 100, optional
        V and u advance by dt / substeps, as of `Population`; all else is on the grid of dt.
    seed : int, >= 0, optional
        Key of all random numbers: connectivity, weights, delays, initial values and inputs. Without one a seed is
        drawn; it is kept in `seed`.
    threads : int, >= 1, optional
        Threads to use; without it, as many as pay. The result is the same for every number.

    Attributes
    ----------
    populations, synapses, drives, recorders : mapping
        By name; read-only. `remove` takes synapses, drives and recorders out again.
    t, n_steps : float (ms), int
        Simulated so far, t = n_steps * dt. With the scheme "exact" there is no n_steps.

    Notes
    -----
    A spike of step k with a delay of D steps arrives in step k + D: a V jump is added at its end, before the spike test
    or, with D = 0, after it; a pulse current flows during it; the state of another receptor rises after it and moves V
    from step k + D + 1 on. With the scheme "exact" a spike at t arrives at t + delay, and does then all that it does.

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

    @parts.network_keywords
    def __init__(
        self, *, dt: object = 0.1, scheme: str = DEFAULT, seed: int | None = None, threads: int | None = None,
        substeps: object = None,
    ) -> None:  # fmt: skip
        self.dt = checks.number("Network.dt", dt, "ms", at_least=SHORTEST_STEP)
        self.scheme = scheme_named("Network", scheme, substeps)
        self.seed = secrets.randbits(32) if seed is None else checks.integer("Network.seed", seed, at_least=0)
        self.threads = None if threads is None else checks.integer("Network.threads", threads, at_least=1)
        self._populations: dict[str, Population] = {}
        self._synapses: dict[str, Synapses] = Named("Network.synapses.name")
        self._drives: dict[str, Drive] = Named("Network.drives.name")
        self._recorders: dict[str, Recorder] = Named("Network.recorders.name")
        self._sources: dict[str, Source] = {}
        every = NamedPopulations(self._sources, self._populations)
        self.populations: Mapping[str, Population | Source] = MappingProxyType(every)
        self.synapses = MappingProxyType(self._synapses)
        self.drives, self.recorders = MappingProxyType(self._drives), MappingProxyType(self._recorders)
        self._clock = kind_of(self.scheme).network(self.dt)
        self._turn = Turn("Network", _WITHIN)
        self._bound: tuple[list[Any], bool] = [], False  # parts for which the clock was made ready; whether it is
        self._seal()

    _repr_html_ = html.of_network

    def __repr__(self) -> str:
        return parts.summary(self)

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

    def add(self, population: Added, name: str | None = None) -> Added:
        """Take a population or a spike source into the network; its dt, scheme, seed and threads become the network's.

        Parameters
        ----------
        population : Population, PoissonSource or SpikeSource
            That has done no step. What it was given for dt, scheme, seed and threads must agree with the network's.
            It is returned, and from now on only the network advances it.
        name : str, optional
            Names its random numbers; by default its own name, or "population" ("source"), "population#1", ...

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network(dt=0.5)
        >>> net.add(iz.Population(10), name="exc").dt
        0.5
        """
        with self._turn:
            return parts.add(self, population, name)

    # fmt: off
    @overload
    def connect(self, pre: Neurons, post: Neurons, rule: object, **options: Unpack[Options]) -> Synapses: ...
    @overload
    def connect(self, pre: Assembly, post: End, rule: object, **options: Unpack[Options]) -> JoinedSynapses: ...
    @overload
    def connect(self, pre: End, post: Assembly, rule: object, **options: Unpack[Options]) -> JoinedSynapses: ...
    # fmt: on
    @parts.connect_keywords
    def connect(
        self, pre: End, post: End, rule: object, *, weight: object = None, delay: object = None,
        receptor: Receptor | None = None, plasticity: Plasticity | Sequence[Plasticity] | None = None,
        name: str | None = None, progress: bool | Progress = False,
    ) -> Synapses | JoinedSynapses:  # fmt: skip
        """Connect populations, or chosen neurons: `exc[:400]`, `exc[::5]`, `exc[mask]`, `exc[[7, 3]]`, `exc + inh`.

        Parameters
        ----------
        pre, post : Population, neurons of one, or Assembly; pre also a PoissonSource or SpikeSource
            Sources and targets. Rules act on these alone, and count them in their order.
        rule : Rule, (pre, post), matrix or path
            A rule such as `FixedProbability(0.1)`; indices of the sources and targets of each synapse; a matrix
            (sources, targets), an array or of scipy.sparse, whose nonzero entries are connected and are the weights
            unless `weight` is given, as it must be for a mask of True and False; or a text file with a synapse per
            line: source, target and, if it has them, weight and delay.
        weight : float, array, distribution, ByDistance, callable(rng, size) or Shared, default 1
            In the unit of the receptor: mV for Delta, mV/ms (pA) for currents, 1/ms (nS) for conductances, which are
            not negative: their E sets the sign. Plastic weights lie within the bounds of their rule. An array has an
            entry per synapse, in the order of the pairs given, or for a rule of those it yields: row after row. With
            pairs, a mask or `AllToAll` a matrix (sources, targets) will do, whose other entries are left.
        delay : float, array, distribution, ByDistance or callable(rng, size), ms, 0 or at least dt, default dt
            In whole steps; what distributions from 0 on draw may be rounded to 0. With 0, Brian2's default, a spike
            acts at the end of its own step, after the test. With the scheme "exact" any time from 1e-6 ms, as it is.
        receptor : Receptor, default Delta()
            What a spike does when it arrives.
        plasticity : Plasticity, or a list of a short-term and a long-term one, optional
            How the weights change; its numbers may be arrays or distributions. `[TsodyksMarkram(), STDP()]` is both.
        name : str, optional
            Names the random numbers; by default "pre to post".
        progress : bool or callable(done, total) in synapses

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
            make = assemblies.connect if isinstance(pre, Assembly) or isinstance(post, Assembly) else connect
            return make(self, pre, post, rule, weight, delay, receptor, plasticity, name, progress)

    @overload
    def drive(self, population: Neurons, input: object, **options: Unpack[Through]) -> Drive: ...
    @overload
    def drive(self, population: Assembly, input: object, **options: Unpack[Through]) -> JoinedDrive: ...
    def drive(
        self, population: End, input: object, *, receptor: Receptor | None = None, name: str | None = None
    ) -> Drive | JoinedDrive:
        """Let an input act on a population, on chosen neurons of one, or on several (`exc + inh`).

        Parameters
        ----------
        population : Population, neurons of one, or Assembly
            Values of arrays, and neurons of a `SpikeTrain`, are counted in their order.
        input : float, array that broadcasts to it, or input object
            Currents in mV/ms (pA), evaluated at the start of each step; or spikes, `Poisson` or `SpikeTrain`, which act
            through their receptor in the step in which they fall. With the scheme "exact" currents are followed in
            continuous time (no noise), and spikes act at their own times. Several drives add up, and each draws its own
            random numbers. An array is live: what you write into it counts from the next run or step on.
        receptor : Receptor, optional
            The input is its conductance g in 1/ms (nS), not negative, towards its E, behind the block of `NMDA`; or its
            current; or V jumps of `Delta`, mV in each step. Its time constants play no part. Spikes have their own.
        name : str, optional
            In `net.drives`; by default that of the population. The `value` of a Drive can be set between runs; 0 turns
            it off.

        Examples
        --------
        >>> import numpy as np, izhnumba as iz
        >>> net, light = iz.Network(seed=1), np.zeros(10)
        >>> cells = net.add(iz.Population(10))
        >>> step, noise = net.drive(cells[:5], 4.0), net.drive(cells, iz.Noise(std=2.0))
        >>> net.drive(cells, light)
        <drive of population: <array of shape (10,)>>
        >>> light[3], step.value = 20.0, 0.0
        """
        with self._turn:
            make = assemblies.drive if isinstance(population, Assembly) else drive
            return make(self, population, input, receptor, name)

    # fmt: off
    @overload
    def record(
        self, source: Assembly, what: str | list[str] | StateReduction | None = None, **options: object
    ) -> JoinedRecorder: ...
    @overload
    def record(self, source: Neurons, what: Literal["spikes"] | None = None, **options: object) -> SpikeRecorder: ...
    @overload
    def record(self, source: Neurons, what: Literal["rate"], **options: object) -> RateRecorder: ...
    @overload
    def record(self, source: Synapses, what: OfSynapses | None = None, **options: object) -> WeightRecorder: ...
    @overload
    def record(self, source: Recordable, what: StateReduction, **options: object) -> ReductionRecorder: ...
    @overload
    def record(self, source: Neurons | Synapses, what: OwnSample, **options: object) -> SampleRecorder: ...
    @overload
    def record(self, source: Recordable, what: States, **options: object) -> StateRecorder: ...
    # fmt: on
    def record(  # type: ignore[misc]  # options of the forms above are those of this one
        self, source: End | Synapses | Drive, what: str | Sequence[str] | StateReduction | OwnSample | None = None, *,
        every: object = None, neurons: ArrayLike | None = None, synapses: ArrayLike | None = None, start: object = 0.0,
        stop: object = math.inf, to: str | Path | None = None, name: str | None = None,
    ) -> Recorder | JoinedRecorder:  # fmt: skip
        """Record from a population, chosen neurons of one or of several, or synapses, in all runs to come.

        ============ ================================ ===== === =======================================================
        what         of                               every to  gives
        ============ ================================ ===== === =======================================================
        "spikes"     neurons, sources: the default    no    yes `SpikeRecorder`: `.i`, `.t` (ms), `.step`, `.spikes`
        "rate"       neurons, sources                 yes   no  `RateRecorder`: `.t`, `.rate` (Hz per neuron)
        "V", "u"     neurons; their further states    yes   yes `StateRecorder`: `.t`, `.V`, `.u`, `.samples`
        "current"    synapses, drives with a receptor yes   yes `StateRecorder`: `.t`, `.current`, `.samples`
        "weight"     synapses: the default            yes   yes `WeightRecorder`: `.t`, `.weight`, `.samples`
        a reduction  what has a state or a current    yes   yes `ReductionRecorder`: by `Mean`, `Sum`, `Histogram`
        your own     neurons, sources, synapses       yes   no  `SampleRecorder`: by a `Sampler` or function
        ============ ================================ ===== === =======================================================

        Parameters
        ----------
        source : Population, PoissonSource, SpikeSource, neurons of one, Assembly, Synapses or Drive
        what : str, list, Mean, Sum, Histogram, Sampler or callable(source)
            As above, or a list: several states, or several of "weight", "eligibility" and "modulator". A
            current is that of a receptor, which equal receptors of a population share; an I that you drive is not kept.
        every : float, ms, a whole number of steps, default dt
            Between samples, or width of the bins, which end at t. With the scheme "exact" any time from 1e-9 ms on.
        neurons, synapses : int array, optional
            Which to record, by place among those neurons or in `syn.weight`; default all.
        start, stop : float, ms
            Only what has start < t <= stop is recorded. `rec.start` and `rec.stop` can be set between runs.
        to : path of a new file, optional
            Rows go there block by block, and memory does not grow; `izhnumba.io.read` reads it. It replaces nothing; a
            relative path is one in the working folder of now (`rec.to` is absolute). If the process is killed, it holds
            all but the last 25 ms or so of computing.
        name : str, optional
            In `net.recorders`; by default such as "exc spikes".

        Returns
        -------
        Recorder
            Of the kind above, with read-only arrays; of an Assembly a `JoinedRecorder`.

        Raises
        ------
        TypeError, ValueError, FileExistsError, FileNotFoundError, IsADirectoryError
            Before anything changes; there is no file then but what was there.

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
            make = assemblies.record if isinstance(source, (Assembly, JoinedSynapses, JoinedDrive)) else record
            return make(self, source, what, every, neurons, synapses, start, stop, to, name)

    def run(
        self, T: object, *, until: Callable[[Network], Any] | None = None, every: object = None,
        progress: bool | Progress = False,
    ) -> None:  # fmt: skip
        """Advance by T, or until a condition holds. Ctrl-C ends the run after a whole slice (within 0.1 s), good to go
        on from.

        Parameters
        ----------
        T : float, ms, >= 0
            A whole number of steps (within a thousandth). With the scheme "exact" any time, as in `Population.run`.
        until : callable(net) -> bool, optional
            Asked after each step, or each `every` ms on the absolute clock: the run ends when it returns True.
        every : float, ms, a whole number of steps, default dt
            A network that is stopped less often to be asked runs faster.
        progress : bool or callable(done, total) in ms
            True: a line on standard error, in a file or pipe one each 10 s. Your own function is called about 40 times
            per second.

        Raises
        ------
        TypeError, ValueError
            Before anything changes; also for what has been written into `syn.weight` and cannot be
            (docs/concepts/receptors.md).
        RuntimeError
            If V or u of a neuron stops being finite; says of which population, when, where and what to do. If a rule of
            your own has made a conductance negative; the run has come to its end then.

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network()
        >>> cells = net.add(iz.Population(10, **iz.presets["RS"]))
        >>> current = net.drive(cells, 10.0)
        >>> net.run(100.0, until=lambda net: cells.spikes.any())
        >>> round(net.t, 1)
        3.2
        """
        with self._turn:
            duration = running.run(self, T, until, every, progress)
        running.report_all(self, duration)

    def step(self, dt: object = None) -> None:
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
        with self._turn as kept:
            self._turn.kept = steps = running.step(self, kept, dt)
        if steps.telling:
            running.report_all(self, steps.duration)

    def reset(self, *, weights: bool = False) -> None:
        """Back to step 0: initial V and u, nothing under way, random numbers and recorders start again. Learned weights
        stay, unless `weights` is True: then those of plastic synapses are what they were when they were connected."""
        with self._turn:
            running.reset(self, weights)

    def remove(self, part: Synapses | Drive | Recorder | Joined) -> None:
        """Take synapses, a drive or a recorder out of the network.

        Spikes that are under way through synapses still arrive, with the weights of now, whatever a rule such as
        `TsodyksMarkram` would have made of these. What a recorder has recorded can still be read. Random numbers of
        all other parts stay what they are.

        Parameters
        ----------
        part : Synapses, Drive or Recorder, or all of an Assembly
            Of this network; of synapses that are being recorded, remove the recorders first. A TypeError or ValueError
            for anything else, before anything changes.

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
            running.remove(self, part.parts if isinstance(part, Joined) else [part])

    def save(self, path: str | Path) -> None:
        """Write the whole network and where it is to one file, from which `izhnumba.load` goes on (examples there).

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
        """
        with self._turn:
            save(self, path)
