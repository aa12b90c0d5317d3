"""Recorders that take a sample between two slices: weights of synapses, and whatever a user's Sampler returns."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._engine.codes import OK
from izhnumba._engine.protocol import NeuronEngine
from izhnumba._engine.timebase import Column, Instant
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

    Each sample ends a compiled call and costs some 50 us (with the scheme "exact" 300 us). `to=` is refused.

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
    """Takes a row of one column at each sample of the absolute clock: runs are cut there."""

    def __init__(
        self, engine: NeuronEngine, name: str, column: Column, every: object, index: Array | None = None
    ) -> None:
        self._every = engine.time.interval("Network.record.every", every)
        super().__init__(engine, name, [engine.time.column, column], index)

    @abstractmethod
    def _sample(self) -> Array:
        """The entry of the column now, an array that nobody else holds."""

    def _next_look(self) -> Instant:
        """When the next sample is taken."""
        return self._engine.time.next_sample(self._engine.now, self._every)

    def _take(self) -> None:
        time, now = self._engine.time, self._engine.now
        if now > self._keeps.upto and time.is_sample(now, self._every) and self._from < now <= self._until:
            self._keeps.append(now, time.labels(np.array([now])), self._sample()[np.newaxis])

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"every": self._engine.time.ms(self._every)}


class SampleRecorder(_Sampling):
    """Samples of what a `Sampler` of the user's own returns, on the absolute clock. Made by `Network.record`.

    Attributes
    ----------
    t : ndarray (samples,), ms
    values : ndarray of float64 (samples, *shape)
        shape is that of a sample.
    what : Sampler
    start, stop, name
        See `Recorder`.

    Examples
    --------
    See `Sampler`.
    """

    _kind = "a Sampler"
    _to_file = False

    def __init__(self, engine: NeuronEngine, name: str, sampler: Sampler, source: object, every: object) -> None:
        checks.takes(f"{type(sampler).__name__}.sample", sampler.sample, "source")
        self._sampler, self._of = sampler, source
        self._shape: tuple[int, ...] | None = None
        self._shape = self._sample().shape
        super().__init__(engine, name, Column("value", "<f8", self._shape), every)

    def _sample(self) -> Array:
        name, at = f"{type(self._sampler).__name__}.sample", ""
        if self._shape is not None:  # in a run
            name, at = f"{self.name}: {name}", f" at t = {self._engine.time.ms(self._engine.now):.9g} ms"
        try:
            found = self._sampler.sample(self._of)
        except Exception as error:
            if self._shape is None:
                raise
            raise RuntimeError(f"{name} raised {type(error).__name__}: {error}{at}.") from error
        try:
            value = np.array(found)
        except ValueError:  # of lists of several lengths
            value = np.array(None)
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{name} must return a number or an array of numbers, got {found!r:.60}{at}.")
        if self._shape not in (None, value.shape):
            raise ValueError(f"{name} must return shape {self._shape} as at first, got {value.shape}{at}.")
        return value.astype(np.float64, copy=False)

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
        """Samples, shape (samples, *shape of one)."""
        return self._rows_so_far()[1]

    def __len__(self) -> int:
        return len(self.t)

    def __repr__(self) -> str:
        return f"<{self._sampler!r}, {len(self)} samples>"


class WeightRecorder(_Sampling):
    """Samples of the weights of chosen synapses, on the absolute clock. Made by `Network.record`.

    Attributes
    ----------
    t : ndarray (samples,), ms
    weight : ndarray (samples, synapses)
    synapses : ndarray of int64
        Their places in `syn.weight`, in the order of the columns.
    samples : Samples
    start, stop, to, name
        See `Recorder`.
    """

    _kind = "weights"

    def __init__(self, engine: NeuronEngine, name: str, weights: Array, every: object, synapses: object = None) -> None:
        self.synapses = np.arange(weights.size)
        if synapses is not None:
            self.synapses = checks.indices("Network.record.synapses", synapses, weights.size)
        self._weights = weights
        column = Column("weight", weights.dtype.newbyteorder("<").str, self.synapses.shape)
        super().__init__(engine, name, column, every, self.synapses)

    def _sample(self) -> Array:
        return self._weights[self.synapses]

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"synapses": self.synapses}

    @property
    def samples(self) -> Samples:
        """Everything so far."""
        labels, weight = self._rows_so_far()
        return Samples(labels, self._engine.time, {"weight": weight}, self.synapses, self._t(labels))

    @property
    def t(self) -> Array:
        """Times of the samples, ms."""
        return self.samples.t

    @property
    def weight(self) -> Array:
        """Weights, (samples, synapses)."""
        return np.asarray(self.samples.weight)

    def __repr__(self) -> str:
        return f"<weights of {self.synapses.size} synapses, {len(self.samples)} samples>"
