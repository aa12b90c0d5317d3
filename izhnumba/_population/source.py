"""Spike sources: populations that spike and are nothing else, for `Network.add` and `connect`."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from izhnumba._base import checks
from izhnumba._base.random import stream_key, streams
from izhnumba._base.sealed import Fixed, assign
from izhnumba._base.words import counted, did_you_mean
from izhnumba._engine.protocol import Incoming
from izhnumba._input.input import Input
from izhnumba._input.sources import GivenTrains, PoissonTrains, Trains, checked_rate
from izhnumba._input.spike_trains import SpikeTrain
from izhnumba._input.target import Memory, Target
from izhnumba._input.values import frozen, shown
from izhnumba._population import html
from izhnumba._population.assembly import Assembly
from izhnumba._population.chosen import chosen_of
from izhnumba._population.engines import kind_of
from izhnumba._population.parameters import layout_of
from izhnumba._population.section import Section
from izhnumba._record.results import Spikes
from izhnumba._record.spikes import SpikeRecorder
from izhnumba._synapse.positions import Positions

Array = NDArray[Any]
_CELL_BYTES = 16  # of a cell, in an engine: its spikes of a step, and what chooses it in proportion to its rate
_CURES = dict.fromkeys(("V", "u", "model", "dtype"), "It has no neurons, only spikes.") | dict.fromkeys(
    ("run", "step", "reset", "save", "t"), "A network advances it: net.add(source)."
)


class Source(Fixed):
    """Base class of `PoissonSource` and `SpikeSource`: cells that spike and have no V, u or input.

    Attributes
    ----------
    n, size : int, tuple of int
        How many cells, and how they are arranged.
    name : str
        In `net.populations`; it names the random numbers.
    positions : Positions or None
    network : Network or None
    spikes : ndarray of bool, size
        Cells that spiked in the last step (exact: advance), a copy.
    """

    name: str
    n: int
    size: tuple[int, ...]
    positions: Positions | None
    _trains: Trains
    _network: Any = None
    _engine: Any  # a SourceEngine
    _to: Target
    _made: Any = None  # of the trains, for the engine

    def __init__(self, n: object, positions: object, name: object) -> None:
        of = type(self).__name__
        size = checks.size(f"{of}.n", n)
        given = "source" if name is None else checks.kind(f"{of}.name", name, str, "a str")
        checks.fits(f"{of}.n", _CELL_BYTES * math.prod(size), "Use fewer cells.")
        layout, random = layout_of(positions), streams(0, given)
        placed = layout and layout.placed(size, random("positions"))  # anew in a network, as it draws
        assign(self, size=size, n=math.prod(size), name=given, _given={"name": name}, _layout=layout, positions=placed)

    @property
    def network(self) -> Any:
        """The network that it is in, or None."""
        net = self._network
        return net if net is not None and net.populations.get(self.name) is self else None

    @property
    def spikes(self) -> Array:
        """Cells that spiked in the last step, bool."""
        found = np.zeros(self.n, np.bool_) if self._network is None else self._engine.spikes
        return found.reshape(self.size)

    def __getitem__(self, key: slice | ArrayLike) -> Section:
        """Chosen cells, as `Population[...]` gives them."""
        return Section(self, chosen_of(key, range(self.n), self.size))

    def __add__(self, other: object) -> Assembly:
        """These cells, and after them others, or neurons, as `Population` does."""
        return self[:] + other

    @property
    def _parts(self) -> tuple[Section]:
        return (self[:],)

    _repr_html_ = html.of_source

    def __getattr__(self, name: str) -> NoReturn:
        if name[:1] == "_":  # Python itself asks
            raise AttributeError(name)
        known = [known for known in dir(self) if known[:1] != "_"]
        cure = _CURES.get(name) or did_you_mean(name, known)
        raise AttributeError(f"{type(self).__name__} has no {name!r}. {cure}".rstrip())

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle and copy, outside networks."""
        if self.network is not None:
            cure = "Call save of the Network, and izhnumba.load."
            raise RuntimeError(f"{type(self).__name__} {self.name!r} is in a network. {cure}")
        return _made_again, (type(self), self._arguments() | vars(self)["_given"])

    def _arguments(self) -> dict[str, Any]:
        """Those that make such a source again, but for its name."""
        size = {"n": self.n if len(self.size) == 1 else self.size}
        return size if self.positions is None else size | {"positions": self.positions}

    # --- in a network ---------------------------------------------------------------------------------------------

    def _join(self, net: Any, name: str) -> None:
        """Become part of a network, under this name; it is as before if its clock cannot take the spikes."""
        if net._clock.now > 0:
            of = type(self).__name__
            raise ValueError(f"{of} must come into a network at t = 0 ms, got t = {net.t:g} ms. Reset the network.")
        layout: Any = vars(self)["_layout"]
        key, kind = stream_key(net.seed, name, "spikes", 0), kind_of(net.scheme)
        engine = kind.source(self.n, net._clock)
        to = Target(self.size, net.dt, engine.dtype, key, {}, "")
        made, positions = kind.trains(self._trains, to, engine), self.positions
        if layout is not None:
            positions = layout.placed(self.size, streams(net.seed, name)("positions"))
        assign(self, name=name, positions=positions, _engine=engine, _to=to, _made=made, _network=net)

    def _send(self, trains: Trains) -> None:
        """Send other spikes from now on."""
        net = self._network
        if net is None:
            assign(self, _trains=trains)
            return
        with net._turn:  # so that a run that goes on from step to step is made ready anew
            made = kind_of(net.scheme).trains(trains, self._to, self._engine)
            assign(self, _trains=trains, _made=made)

    @property
    def _memory(self) -> Memory:
        return self._to.memory

    def _incoming(self) -> Incoming:
        """What it sends as the engine of the network reads it: made anew only for arrays, which users may change."""
        if self._trains.live:
            self._made = kind_of(self._network.scheme).trains(self._trains, self._to, self._engine)
        return Incoming(self._engine, None, slice(0, self.n), self._made)

    def _read_again(self) -> None:
        """Let the feed of a live array, of a clock engine, send at the rates of now."""
        fresh: Any = kind_of(self._network.scheme).trains(self._trains, self._to, self._engine)
        self._made.rows = fresh.rows

    def _rewind(self) -> None:
        self._engine.rewind()
        self._memory.clear()


class PoissonSource(Source):
    """Cells that spike at random, each by itself, whose spikes reach all neurons that they are connected to.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        How many, or how they are arranged.
    rate : float, array, TimedArray or other input, Hz, >= 0
        One for all cells, one for each, or one that changes in time (inputs without random parts, evaluated at the
        start of each step). An array is live: what you write into it counts from the next run or step on.
    positions : array (n, d), Positions, Grid or Box, optional
        Where the cells are, as of a Population.
    name : str, optional
        Names the random numbers; by default "source".

    Attributes
    ----------
    rate : float, array or input, Hz
        It can be set between runs.
    n, size, name, positions, network, spikes
        As of a Population; `spikes` is a copy.

    Notes
    -----
    In a step of dt a cell spikes with probability rate * dt, which must be below 1, and once at the most, as neurons do
    (Brian2's PoissonGroup): the mean rate is exact. For the sum of many inputs to each neuron, several of which may
    come in a step, drive them with `Poisson`. With the scheme "exact" spikes come at real times, at any rate, which of
    inputs may be a TimedArray only. The numbers depend on the seed of the network and the name alone.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> background = net.add(iz.PoissonSource(1000, rate=10.0), name="background")
    >>> cells = net.add(iz.Population(100, **iz.presets["RS"]), name="cells")
    >>> syn = net.connect(background, cells, iz.FixedProbability(0.1), weight=2.0, delay=1.0)
    >>> sent, spikes = net.record(background, "spikes"), net.record(cells, "spikes")
    >>> net.run(500.0)
    >>> 4500 < len(sent) < 5500, len(spikes) > 100
    (True, True)
    >>> background.rate = 0.0
    """

    _trains: PoissonTrains

    def __init__(self, n: object, rate: object, *, positions: object = None, name: str | None = None) -> None:
        super().__init__(n, positions, name)
        where = "PoissonSource.rate"
        assign(self, _trains=PoissonTrains(where, checked_rate(where, rate, self.size)))
        self._seal()

    @property
    def rate(self) -> float | Array | Input:
        """Spikes of a cell per second, Hz; it can be set between runs."""
        return self._trains.rate

    @rate.setter
    def rate(self, value: object) -> None:
        self._send(PoissonTrains(self._trains.where, checked_rate(self._trains.where, value, self.size)))

    def _arguments(self) -> dict[str, Any]:
        return super()._arguments() | {"rate": self.rate}

    def __repr__(self) -> str:
        size = self.size[0] if len(self.size) == 1 else self.size
        return f"PoissonSource({size}, rate={shown(self.rate)})"


class SpikeSource(Source):
    """Cells that spike at given times, whose spikes reach all neurons that they are connected to.

    Parameters
    ----------
    i : int array, or spikes
        Cells, by flat index; or, without t, the spikes of an earlier run (`Spikes` or a SpikeRecorder) or a SpikeTrain,
        whose weight and receptor are then the affair of `connect`.
    t : float array, ms
        Times, in any order.
    n : int or tuple of int, >= 1
        How many cells, or how they are arranged.
    positions : array (n, d), Positions, Grid or Box, optional
        Where the cells are, as of a Population.
    name : str, optional
        In `net.populations`; by default "source".

    Attributes
    ----------
    i, t : ndarray of int64, float64 (ms), read-only
        All its spikes, in order of time.
    n, size, name, positions, network, spikes
        As of a Population; `spikes` is a copy.

    Notes
    -----
    A spike at t is one of the step that ends at t, or in which t lies, (k dt, (k + 1) dt]: like that of a neuron it is
    recorded at (k + 1) dt and arrives a delay later. So the recorded spikes of an earlier run are sent as they were. A
    thousandth of a step is forgiven; times must be above 0, and a cell spikes once in a step at the most. With the
    scheme "exact" a spike is at t >= 0 and arrives at t + delay.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> source = net.add(iz.SpikeSource([0, 1, 0], [5.0, 5.0, 10.0], n=2))
    >>> cell = net.add(iz.Population(1, **iz.presets["RS"]))
    >>> syn = net.connect(source, cell, ([1], [0]), weight=120.0, delay=2.0)
    >>> spikes = net.record(cell, "spikes")
    >>> net.run(20.0)
    >>> spikes.t.round(1)
    array([7.])
    >>> source.extend([1], [30.0])
    >>> source.t
    array([ 5.,  5., 10., 30.])
    """

    _trains: GivenTrains

    def __init__(
        self, i: object, t: object = None, *, n: object, positions: object = None, name: str | None = None
    ) -> None:
        super().__init__(n, positions, name)
        if t is None:
            i, t = _spikes_of(i)
        assign(self, _trains=self._checked(i, t))
        self._seal()

    @property
    def i(self) -> Array:
        """The cell of each spike, in order of time."""
        return self._trains.i

    @property
    def t(self) -> Array:
        """The time of each spike, ms, in order."""
        return self._trains.t

    def extend(self, i: object, t: object) -> None:
        """Add further spikes, between runs: cells and times (ms) as at first, all times later than `net.t`."""
        more, net = self._checked(i, t), self._network
        if net is not None and more.t.size:
            now = net._clock.now
            late = more.t > now if net.scheme.exact else more.steps_of(net.dt) >= now
            if not late.all():
                raise ValueError(
                    f"SpikeSource.extend.t must be later than {net.t:g} ms, the time of the network, got "
                    f"{more.t[~late][0]:g} ms."
                )
        i, t = np.concatenate([self.i, more.i]), np.concatenate([self.t, more.t])
        self._send(_in_order(i, t))

    def _checked(self, i: object, t: object) -> GivenTrains:
        """Spikes as a user gives them."""
        where = "SpikeSource"
        times = np.atleast_1d(np.asarray(frozen(f"{where}.t", t, "ms", at_least=0.0)))
        cells = np.atleast_1d(np.asarray(frozen(f"{where}.i", i, at_least=0.0)))
        wrong = cells[(cells != np.rint(cells)) | (cells >= self.n)]
        if wrong.size:
            raise ValueError(f"{where}.i must be whole numbers below {self.n}, the number of cells, got {wrong[0]:g}.")
        if cells.shape != times.shape or cells.ndim != 1:
            raise ValueError(f"{where}.t must have one entry per entry of i ({cells.size}), got shape {times.shape}.")
        return _in_order(cells.astype(np.int64), times)

    def _arguments(self) -> dict[str, Any]:
        return super()._arguments() | {"i": self.i, "t": self.t}

    def __repr__(self) -> str:
        size = self.size[0] if len(self.size) == 1 else self.size
        return f"SpikeSource(<{counted(self.t.size, 'spike')}>, n={size})"


SOURCES = {kind.__name__: kind for kind in (PoissonSource, SpikeSource)}  # of checkpoints


def _in_order(i: Array, t: Array) -> GivenTrains:
    order = np.argsort(t, kind="stable")
    i, t = i[order], t[order]
    i.flags.writeable = t.flags.writeable = False
    return GivenTrains("SpikeSource", i, t)


def _spikes_of(value: object) -> tuple[Array, Array]:
    """Cells and times of recorded spikes or a SpikeTrain."""
    where = "SpikeSource.i"
    spikes = checks.kind(where, value, (Spikes, SpikeRecorder, SpikeTrain), "spikes where t is left out", "Pass i, t.")
    if isinstance(spikes, Spikes) and spikes.n_batch is not None:
        copies = counted(spikes.n_batch, "copy", many="copies")
        raise ValueError(f"{where} must be spikes without a batch, got {spikes!r} of {copies}.")
    return spikes.i, spikes.t


def _made_again(kind: type[Source], arguments: dict[str, Any]) -> Source:
    return kind(**arguments)
