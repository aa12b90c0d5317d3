"""Inputs that are spikes: each counts for its weight and acts through a receptor in the step in which it falls."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from izhnumba._base import checks, paths
from izhnumba._base.sealed import assign
from izhnumba._engine.timebase import snapped, timebase_of
from izhnumba._input.currents import TimedArray
from izhnumba._input.draws import PoissonDraws
from izhnumba._input.input import Input
from izhnumba._input.target import Array, Rows, Spikes, Target
from izhnumba._input.values import fit_shape, flat, frozen, per_neuron, read_only
from izhnumba._record import blocks
from izhnumba._synapse import weight_limits
from izhnumba._synapse.receptor import Receptor
from izhnumba._synapse.receptor_contract import check_own
from izhnumba._synapse.receptors import Delta

_MOST_PER_STEP = 30.0  # expected spikes of a neuron: more is an error in a unit
_NEVER = 2.0**62  # steps, which no run reaches
_MOST_HZ = 1e9  # in continuous time: a thousand spikes in a microsecond
_EVENT_BYTES = 128  # of a spike on its way: its time, neuron, weight and number, and copies of these

Events = Callable[[float, float], tuple[Array, Array, Array, Array]]


class SpikeInput(Input):
    """Base class of inputs that are spikes. weight: of each spike, or one for all; receptor: through which they act."""

    weight: Any
    receptor: Receptor

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "bind" in vars(cls) and "_events" not in vars(cls):
            cls._events = SpikeInput._events  # type: ignore[method-assign]  # those of its base are others
        if "bind" in vars(cls) and "_spikes" not in vars(cls):
            cls._spikes = SpikeInput._spikes  # type: ignore[method-assign]
            cls._most_per_step = SpikeInput._most_per_step  # type: ignore[method-assign]

    def _events(self, to: Target) -> Events:
        """A function of (since, until) that gives the spikes later than the one and no later than the other, those at
        0 with the first ones: times (ms), neurons, weights, and numbers that tell spikes of one time apart."""
        raise ValueError(
            f"{type(self).__name__} must tell the times of its spikes with the scheme 'exact', got "
            f"{checks.shown(self)}. Use SpikeTrain or Poisson."
        )

    def _most_per_ms(self, to: Target) -> float:
        """How many spikes come in a ms at the most, as they are drawn: all neurons together. 0 for given ones."""
        return 0.0

    def _spikes(self, to: Target) -> Callable[[int, int], Spikes]:
        """A function of (step, count) that gives the spikes of these steps: those that rows of one's own stand for."""
        rows = self._bound(to)

        def spikes(step: int, count: int) -> Spikes:
            found = np.broadcast_to(rows(step, count), (count, to.n))
            steps, neurons = np.nonzero(found)
            return Spikes(
                np.searchsorted(steps, np.arange(count + 1)), neurons.astype(np.uint32), found[steps, neurons]
            )

        return spikes

    def _most_per_step(self, to: Target) -> float:
        """About how many spikes are made for a step, at the most; 0 if they are there already."""
        return to.n

    def _rows(self, to: Target) -> Rows:
        from izhnumba._numba.poisson import add_spikes, clear_spikes

        spikes, room = self._spikes(to), np.zeros((0, to.n), to.dtype)
        last = Spikes(np.zeros(1, np.int64), np.empty(0, np.uint32), np.empty(0, to.dtype))  # what is in `room`

        def rows(step: int, count: int) -> Array:
            nonlocal last, room
            clear_spikes(room, last.starts, last.neurons)
            if len(room) < count:
                room = np.zeros((count, to.n), to.dtype)
            last = spikes(step, count)
            add_spikes(room, *last)
            return read_only(room[:count])

        return rows

    def _check(self) -> None:
        name = type(self).__name__
        assign(self, weight=frozen(f"{name}.weight", self.weight))
        checks.kind(f"{name}.receptor", self.receptor, Receptor, "a receptor such as Delta()")
        check_own(self.receptor)
        if self.receptor.adds_to == "coupling":
            raise ValueError(f"{name}.receptor must be one that spikes reach, got {self.receptor!r}.")
        weight_limits.check(f"{name}.weight", self.weight, weight_limits.sign_of(self.receptor), each="neuron")

    def _weights(self, to: Target) -> Array:
        name = type(self).__name__
        if to.unit and (to.unit != "mV" or self.receptor.adds_to != "V"):
            raise ValueError(
                f"{name} must drive a population of a network or, with Delta(), be delta= of one alone, got "
                f"{self.receptor!r} where {to.unit} are expected. Use net = Network(); pop = net.add(Population(...)); "
                f"net.drive(pop, {name}(...))."
            )
        where = f"{name}.weight"
        fit_shape(where, self.weight, to.shape)
        checks.finite(where, np.asarray(self.weight), to.dtype)
        weights = np.asarray(self.weight, to.dtype)
        return np.broadcast_to(weights, to.shape).ravel() if weights.ndim else weights


def is_state(time: Any, value: Any, n: int) -> bool:
    """Whether this is what a Poisson keeps of a time, ms, with the scheme "exact": (when the next spike of each of n
    neurons comes, how many it has had)."""
    if not isinstance(time, (int, float)) or isinstance(time, bool) or not 0 <= time < math.inf:
        return False
    pair = isinstance(value, tuple) and len(value) == 2
    if not pair or not all(isinstance(one, np.ndarray) and one.shape == (n,) for one in value):
        return False
    after, count = value
    good = after.dtype == np.float64 and count.dtype == np.int64
    return bool(good and np.all(after >= time) and np.all(count >= 0))


@dataclass(frozen=True, eq=False, repr=False)
class Poisson(SpikeInput):
    """A Poisson spike train for each neuron: in a step of dt the number of spikes is Poisson with mean rate * dt. With
    the scheme "exact" spikes come at real times, with exponential waiting times between them.

    Parameters
    ----------
    rate : float, array, TimedArray or other input, Hz, >= 0
        One for all neurons, one for each, or one that changes in time. At most 30 spikes per step. With the scheme
        "exact" without that bound, and of inputs a TimedArray only.
    weight : float or array, default 1
        Of each spike, in the unit of the receptor; >= 0 for conductances.
    receptor : Receptor, default Delta()

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> cells = net.add(iz.Population(100))
    >>> drive = net.drive(cells, iz.Poisson(rate=1000.0, weight=8.0))
    >>> rec = net.record(cells, "spikes")
    >>> net.run(100.0)
    >>> len(rec) > 100
    True
    """

    rate: Any
    weight: Any = 1.0
    receptor: Receptor = field(default_factory=Delta)
    _streams = 1

    def __post_init__(self) -> None:
        self._check()
        if not isinstance(self.rate, Input):
            assign(self, rate=frozen("Poisson.rate", self.rate, "Hz", at_least=0.0))
            return
        try:
            self.rate._values(np.zeros(1), 1.0)
        except TypeError:
            must = "Poisson.rate must be a number, an array or an input without random parts and spikes"
            raise TypeError(f"{must}, got {checks.shown(self.rate)}.") from None

    def _spikes(self, to: Target) -> Callable[[int, int], Spikes]:
        draws = PoissonDraws(flat(self._weights(to), (to.n,)), to.key)
        means = None if isinstance(self.rate, Input) else self._means(np.asarray(self.rate)[np.newaxis], to)

        def spikes(step: int, count: int) -> Spikes:
            if means is not None:
                return draws.of(means, step, count)
            rates = self.rate._values(step + np.arange(count, dtype=np.float64), to.dt)
            return draws.of(self._means(rates, to), step, count)

        return spikes

    def _most_per_step(self, to: Target) -> float:
        if isinstance(self.rate, Input):
            return to.n
        means = self._means(np.asarray(self.rate)[np.newaxis], to)
        return min(to.n, float(means.sum()) * (to.n if means.shape[1] == 1 else 1) + 1.0)

    def _events(self, to: Target) -> Events:
        from izhnumba._numba.philox import fill_arrivals, fill_first, fill_thinning

        n, weights = math.prod(to.shape), self._weights(to)
        varying, most, per_ms = isinstance(self.rate, Input), self._most(to), self._most_per_ms(to)

        def candidates(since: float, until: float) -> tuple[Array, Array, Array]:
            held = to.kept(is_state)
            cure = "Use a lower rate or fewer neurons."
            checks.fits("Poisson.rate", int(per_ms * (until - since)) * _EVENT_BYTES, cure)
            if since in held:
                after, count = (values.copy() for values in held[since])
            else:
                after, count = np.empty(n), np.zeros(n, np.int64)
                with np.errstate(divide="ignore"):
                    fill_first(after, most, since, *to.key)
            start, room = (after.copy(), count.copy()), 1024
            pieces: list[list[Array]] = []
            while not pieces or pieces[-1][0].size == room // 2:
                arrays = np.empty(room), np.empty(room, np.int64), np.empty(room, np.int64)
                found = fill_arrivals(*arrays, after, count, until, most, *to.key)
                pieces.append([values[:found] for values in arrays])
                room *= 2
            # Both ends are kept: what was not used, because the run was stopped, is made again as it was.
            to.memory[to.key[1]] = {since: start, until: (after, count)}
            times, neurons, numbers = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
            return times, neurons, numbers

        def events(since: float, until: float) -> tuple[Array, Array, Array, Array]:
            times, neurons, numbers = candidates(since, until)
            if varying:
                rates = self._rates_at(times, neurons, to) * 1e-3
                keep = np.empty(times.size, np.bool_)
                fill_thinning(keep, neurons, numbers, rates / most[neurons % most.size], *to.key)
                times, neurons, numbers = times[keep], neurons[keep], numbers[keep]
            return times, neurons, np.broadcast_to(weights, n)[neurons], numbers * n + neurons

        return events

    def _most(self, to: Target) -> Array:
        """The highest rate of each neuron in continuous time, or of all of them, in 1/ms."""
        where = "Poisson.rate"
        if isinstance(self.rate, Input) and type(self.rate)._values is not TimedArray._values:
            raise ValueError(
                f"{where} must be a number, an array or a TimedArray with the scheme 'exact', got "
                f"{checks.shown(self.rate)}."
            )
        values = self.rate.values if isinstance(self.rate, TimedArray) else np.asarray(self.rate)[np.newaxis]
        fit_shape(where, values[0], to.shape)
        wrong = values[(values < 0) | (values > _MOST_HZ)]
        if wrong.size:
            raise ValueError(f"{where} must be between 0 and {_MOST_HZ:g} Hz, got {wrong[0]:g} Hz.")
        most = np.max(values, axis=0) * 1e-3 + 0.0  # not -0.0, after which all waiting times are negative
        return np.broadcast_to(most, to.shape).flatten() if most.ndim else most.reshape(1)

    def _most_per_ms(self, to: Target) -> float:
        most = self._most(to)
        return float(most.sum()) * (math.prod(to.shape) // most.size)

    def _rates_at(self, times: Array, neurons: Array, to: Target) -> Array:
        """Of each arrival, Hz."""
        values, _ = self.rate._lines(times)
        if values.ndim == 1:
            return values
        return np.asarray(per_neuron(values, to.shape)[np.arange(len(times)), neurons])

    def _means(self, rate: Array, to: Target) -> Array:
        """Expected spikes per step, shape (steps or 1, neurons or 1)."""
        where = "Poisson.rate"
        fit_shape(where, rate[0], to.shape)
        means = np.asarray(rate * (to.dt * 1e-3))
        good = (means >= 0) & (means <= _MOST_PER_STEP)
        if not good.all():
            wrong = rate[~good].flat[0]
            most = _MOST_PER_STEP / to.dt * 1e3
            raise ValueError(f"{where} must be between 0 and {most:g} Hz at this dt, got {wrong:g} Hz.")
        if means.ndim == 1:
            return means[:, np.newaxis]
        return per_neuron(means, to.shape)


@dataclass(frozen=True, eq=False, repr=False)
class SpikeTrain(SpikeInput):
    """Given spikes.

    Parameters
    ----------
    i : int array
        Neurons, by flat index.
    t : float array, ms, >= 0
        Times: a spike at t acts in the step that begins at t or before it, floor(t / dt); a thousandth of a step is
        forgiven. With the scheme "exact" it acts at t.
    weight : float or array, default 1
        Of each neuron's spikes, in the unit of the receptor; >= 0 for conductances.
    receptor : Receptor, default Delta()

    Examples
    --------
    >>> import izhnumba as iz
    >>> iz.SpikeTrain([0, 0, 1], [1.0, 2.0, 2.0], weight=20.0)
    SpikeTrain(i=[0, 0, 1], t=[1.0, 2.0, 2.0], weight=20.0, receptor=Delta())
    """

    i: Any
    t: Any
    weight: Any = 1.0
    receptor: Receptor = field(default_factory=Delta)

    @classmethod
    def from_file(cls, path: str | Path, weight: object = 1.0, receptor: Receptor | None = None) -> SpikeTrain:
        """Spikes from a file: one that a recorder wrote (`Network.record(..., to=path)`), or a text file with a spike
        per line, neuron and time in ms."""
        path = paths.file("SpikeTrain.from_file.path", path)
        if blocks.is_recording(path):
            about, _, rows = blocks.read("SpikeTrain.from_file.path", path)
            if about["kind"] != "spikes":
                raise ValueError(f"SpikeTrain.from_file.path must hold spikes, got {about['kind']} in {str(path)!r}.")
            i, t = rows[0], timebase_of(about).t(rows[1])
        else:
            table = paths.text_table("SpikeTrain.from_file.path", path)
            if table.size and table.shape[1] != 2:
                raise ValueError(
                    f"SpikeTrain.from_file.path must have two columns, neuron and time, got {table.shape[1]} in "
                    f"{str(path)!r}."
                )
            i, t = table.reshape(-1, 2).T
        return cls(i, t, weight, Delta() if receptor is None else receptor)

    def __post_init__(self) -> None:
        self._check()
        t = np.atleast_1d(np.asarray(frozen("SpikeTrain.t", self.t, "ms", at_least=0.0)))
        i = np.atleast_1d(np.asarray(frozen("SpikeTrain.i", self.i, at_least=0.0)))
        wrong = i[(i != np.rint(i)) | (i >= 2**53)]
        if wrong.size:
            raise ValueError(f"SpikeTrain.i must be whole numbers below 2**53, got {wrong[0]:g}.")
        if i.shape != t.shape or i.ndim != 1:
            raise ValueError(f"SpikeTrain.t must have one entry per entry of i ({i.size}), got shape {t.shape}.")
        assign(self, i=i.astype(np.int64), t=t)

    def _check_neurons(self, n: int) -> None:
        if self.i.size and self.i.max() >= n:
            raise ValueError(f"SpikeTrain.i must be below {n}, the number of neurons, got {self.i.max()}.")

    def _events(self, to: Target) -> Events:
        n, weights = math.prod(to.shape), self._weights(to)
        self._check_neurons(n)
        order = np.argsort(self.t, kind="stable")
        times, neurons = self.t[order], self.i[order]

        def events(since: float, until: float) -> tuple[Array, Array, Array, Array]:
            first = np.searchsorted(times, since, side="right") if since > 0 else 0
            part = slice(first, np.searchsorted(times, until, side="right"))
            return times[part], neurons[part], np.broadcast_to(weights, n)[neurons[part]], order[part]

        return events

    def _spikes(self, to: Target) -> Callable[[int, int], Spikes]:
        self._check_neurons(to.n)
        with np.errstate(over="ignore"):
            step_of = np.floor(snapped(np.minimum(self.t / to.dt, _NEVER))).astype(np.int64)
        order = np.lexsort((self.i, step_of))
        steps, neurons = step_of[order], self.i[order].astype(np.uint32)
        first = np.flatnonzero(np.append(True, (steps[1:] != steps[:-1]) | (neurons[1:] != neurons[:-1])))[: steps.size]
        counts = np.diff(first, append=steps.size)  # of spikes of one neuron and step
        if self.receptor.per_source:
            counts[...] = 1  # of which a source has one in a step
        steps, neurons = steps[first], neurons[first]
        weights = counts.astype(to.dtype) * flat(self._weights(to), (to.n,))[neurons]

        def spikes(step: int, count: int) -> Spikes:
            starts = np.searchsorted(steps, np.arange(step, step + count + 1))
            part = slice(starts[0], starts[-1])
            return Spikes(starts - starts[0], neurons[part], weights[part])

        return spikes

    def _most_per_step(self, to: Target) -> float:
        return 0.0
