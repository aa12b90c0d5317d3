"""Recorders that take a sample between two slices: weights of synapses, and whatever a user's Sampler returns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba._engine.codes import OK
from izhnumba._engine.protocol import NeuronEngine
from izhnumba._engine.timebase import Column, Instant
from izhnumba._record import html
from izhnumba._record.blocks import OF_SYNAPSES
from izhnumba._record.recorder import Recorder
from izhnumba._record.results import Samples

Array = NDArray[Any]


class Sampler:
    """Base class of recorded quantities of your own. `Network.record` takes one in place of a name such as "V".

    To write one:

    1. Write a class that inherits from `Sampler`, under `@dataclass(frozen=True)`. Its fields are its parameters.
    2. Write `sample(source)`, which returns a number or an array, always of the same shape. source is what was given to
       `Network.record`: a Population, chosen neurons of one, or Synapses. Read what you like, such as `V`, `u`,
       `spikes` or `weight`: it is as after the step at whose end the sample is taken. Change nothing in it, and do not
       rely on earlier calls: a run that goes on from a checkpoint has not made them.
    3. Pass it to `Network.record(source, MeanV(), every=1.0)`. That calls `sample` once, and what it returns is checked
       and sets the shape. It returns a `SampleRecorder`, with `.t` and `.values`.
    4. A checkpoint stores the fields: `izhnumba.load(path, define=[MeanV])`.

    Each sample ends a compiled call and costs some 50 us (with the scheme "exact" 300 us). `to=` is refused. A plain
    function of the source will do, too: `net.record(cells, lambda cells: cells.V.max())`; a checkpoint stores the name
    of one that has a name. Means, sums and histograms cost far less as `izhnumba.Mean`, `Sum` and `Histogram`.

    Examples
    --------
    The mean V of a population, every ms:

    >>> from dataclasses import dataclass
    >>> import izhnumba as iz
    >>> @dataclass(frozen=True)
    ... class MeanV(iz.Sampler):
    ...     def sample(self, source):
    ...         return source.V.mean()
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(100, **iz.presets["RS"]), name="cells")
    >>> current = net.drive(cells, 10.0)
    >>> mean = net.record(cells, MeanV(), every=1.0)
    >>> net.run(3.0)
    >>> mean.t, mean.values.round(1)
    (array([1., 2., 3.]), array([-58.1, -47.8,  -1.4]))
    """

    def sample(self, source: Any) -> Any:
        """The sample of now: a number or an array."""
        raise TypeError(f"{type(self).__name__} must have a method sample(source). See help(izhnumba.Sampler).")


class _Sampling(Recorder):
    """Takes a row at each sample of the absolute clock: runs are cut there."""

    def __init__(
        self, engine: NeuronEngine, name: str, columns: list[Column], every: object, index: Array | None = None
    ) -> None:
        self._every = engine.time.interval("Network.record.every", every)
        super().__init__(engine, name, [engine.time.column, *columns], index)

    @abstractmethod
    def _sample(self) -> list[Array]:
        """The entries of the columns now, arrays that nobody else holds."""

    def _next_look(self) -> Instant:
        """When the next sample is taken."""
        return self._engine.time.next_sample(self._engine.now, self._every)

    def _take(self) -> None:
        time, now = self._engine.time, self._engine.now
        if now > self._keeps.upto and time.is_sample(now, self._every) and self._from < now <= self._until:
            self._keeps.append(now, time.labels(np.array([now])), *(entry[np.newaxis] for entry in self._sample()))

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"every": self._engine.time.ms(self._every)}


class SampleRecorder(_Sampling):
    """Samples of what a `Sampler` or function of the user's own returns, on the absolute clock. Made by
    `Network.record`.

    Attributes
    ----------
    t : ndarray (samples,), ms
    values : ndarray of float64 (samples, *shape)
        shape is that of a sample.
    what : Sampler or function
    start, stop, name
        See `Recorder`.

    Examples
    --------
    The highest V of a population, every ms, by a plain function; see `Sampler` for what checkpoints can store:

    >>> import izhnumba as iz
    >>> net = iz.Network()
    >>> cells = net.add(iz.Population(100, **iz.presets["RS"]), name="cells")
    >>> current = net.drive(cells[:10], 10.0)
    >>> highest = net.record(cells, lambda cells: cells.V.max(), every=1.0)
    >>> net.run(3.0)
    >>> highest.values.round(1)
    array([-58.1, -47.8,  -1.4])
    """

    _kind = "a Sampler"
    _to_file = False

    def __init__(
        self, engine: NeuronEngine, name: str, what: Sampler | Callable[[Any], object], source: object, every: object
    ) -> None:
        self._of, self._take_from = source, what.sample if isinstance(what, Sampler) else what
        if isinstance(what, Sampler):
            self._called = f"{type(what).__name__}.sample"
            checks.takes(self._called, what.sample, "source")
        else:
            self._called, self._kind = function_name(what), "a function"
        self._shape: tuple[int, ...] | None = None
        self._shape = self._sample()[0].shape
        super().__init__(engine, name, [Column("value", "<f8", self._shape)], every)

    def _sample(self) -> list[Array]:
        name, at = self._called, ""
        if self._shape is not None:  # in a run
            name, at = f"{self.name}: {name}", f" at t = {self._engine.time.ms(self._engine.now):.9g} ms"
        try:
            found = self._take_from(self._of)
        except Exception as error:
            if self._shape is None:
                raise
            raise RuntimeError(f"{name} raised {type(error).__name__}: {error}{at}.") from error
        try:
            value = np.array(found)
        except ValueError:  # of lists of several lengths
            value = np.array(None)
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{name} must return a number or an array of numbers, got {checks.shown(found)}{at}.")
        if self._shape not in (None, value.shape):
            raise ValueError(f"{name} must return shape {self._shape} as at first, got {value.shape}{at}.")
        return [value.astype(np.float64, copy=False)]

    def _take(self) -> None:
        engine = self._engine
        if engine.now > self._keeps.upto and (engine.reliable < engine.now or engine.publish_state() != OK):
            return  # V and u mean nothing
        try:
            super()._take()
        except Exception:  # the sample is lost: it is not called again when the run ends, and the next one goes on
            self._keeps.append(engine.now, *(column.array(0) for column in self._columns))
            raise

    @property
    def t(self) -> Array:
        """Times of the samples, ms."""
        return self._t(self._rows_so_far()[0])

    @property
    def values(self) -> Array:
        """Samples, shape (samples, and that of one)."""
        return self._rows_so_far()[1]

    def __len__(self) -> int:
        return len(self.t)

    _repr_html_ = html.of_sampling_recorder

    def __repr__(self) -> str:
        what = vars(self).get("what")
        return (
            f"<{what!r}, {counted(len(self), 'sample')}>"
            if isinstance(what, Sampler)
            else f"<{self._called}, {counted(len(self), 'sample')}>"
        )


def function_name(function: object) -> str:
    """What a user's function is called."""
    return str(getattr(function, "__name__", type(function).__name__))


class WeightRecorder(_Sampling):
    """Samples of the weights of chosen synapses, and of what their rule keeps beside them, on the absolute clock. Made
    by `Network.record`.

    Attributes
    ----------
    t : ndarray (samples,), ms
    weight, eligibility : ndarray (samples, synapses)
        Those that were asked for.
    modulator : ndarray (samples,)
        If it was asked for: that of all synapses of the rule.
    synapses : ndarray of int64
        Their places in `syn.weight`, in the order of the columns.
    samples : Samples
    start, stop, to, name
        See `Recorder`.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> cells = net.add(iz.Population(3, **iz.presets["RS"]))
    >>> syn = net.connect(cells, cells, iz.AllToAll(), weight=1.0, plasticity=iz.DopamineSTDP(w_max=4.0))
    >>> learning = net.record(syn, ["weight", "modulator"], every=10.0)
    >>> syn.modulator = 0.5
    >>> net.run(20.0)
    >>> learning.weight.shape, learning.modulator.round(3)
    ((2, 9), array([0.476, 0.452]))
    """

    _kind = "weights"
    weight: Array
    eligibility: Array
    modulator: Array

    def __init__(
        self, engine: NeuronEngine, name: str, readers: dict[str, Callable[[], Array]], n: int, every: object,
        synapses: object = None,
    ) -> None:  # fmt: skip
        """Made by `Network.record`.

        Parameters
        ----------
        engine : NeuronEngine
            Of the targets.
        name : str
        readers : dict
            Of each name that is recorded a function that returns the present values, (n,) or ().
        n : int
            Synapses.
        every, synapses : as the user passed them
            Interval between samples in ms; which synapses, by place.
        """
        self.synapses = np.arange(n)
        if synapses is not None:
            self.synapses = checks.indices("Network.record.synapses", synapses, n)
        self._readers = readers
        columns = [
            Column(name, values.dtype.newbyteorder("<").str, self.synapses.shape if values.ndim else ())
            for name, values in {name: read() for name, read in readers.items()}.items()
        ]
        super().__init__(engine, name, columns, every, self.synapses)

    def _sample(self) -> list[Array]:
        found = [read() for read in self._readers.values()]
        return [values[self.synapses] if values.ndim else values for values in found]

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"synapses": self.synapses}

    @property
    def samples(self) -> Samples:
        """Everything so far."""
        labels, *columns = self._rows_so_far()
        return Samples(
            labels, self._engine.time, dict(zip(self._readers, columns, strict=True)), self.synapses, self._t(labels)
        )

    @property
    def t(self) -> Array:
        """Times of the samples, ms."""
        return self._t(self._rows_so_far()[0])

    def __getattr__(self, name: str) -> Any:
        readers = vars(self).get("_readers", ())
        if name in readers:
            return self._rows_so_far()[1 + list(readers).index(name)]
        if name in OF_SYNAPSES:
            raise AttributeError(f"WeightRecorder has no {name!r}. Ask Network.record for it.")
        return super().__getattr__(name)

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *self._readers])

    _repr_html_ = html.of_sampling_recorder

    def __repr__(self) -> str:
        names = " and ".join("weights" if name == "weight" else name for name in self._readers)
        return f"<{names} of {counted(self.synapses.size, 'synapse')}, {counted(len(self.t), 'sample')}>"
