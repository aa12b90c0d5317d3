"""Currents as functions of time that have no pieces: the scheme exact does not follow them."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._input.currents import between
from izhnumba._input.input import Input
from izhnumba._input.target import Array
from izhnumba._input.values import flag

_METHODS = ("linear", "exponential")


@dataclass(frozen=True, eq=False, repr=False)
class Chirp(Input):
    """A sine whose frequency sweeps from f0 to f1 while t goes from start to stop, as for impedance profiles (ZAP).

    offset + amplitude sin(2 pi (cycles since `start`) + phase) for start <= t < stop, offset before and after; the
    same for all neurons. Cycles are the integral of the frequency, so there are (f0 + f1) / 2 of them in a second of a
    linear sweep. The scheme "exact" does not take it.

    Parameters
    ----------
    amplitude, offset : float
    f0, f1 : float, Hz, >= 0, both > 0 with the method "exponential"
        Frequency at `start` and at `stop`. With f1 < f0 it falls.
    start, stop : float, ms, start < stop
    phase : float, rad
    method : "linear" or "exponential"
        The frequency changes by as much, or by the same factor, in each ms.

    Examples
    --------
    >>> import izhnumba as iz
    >>> chirp = iz.Chirp(2.0, f0=0.0, f1=20.0, start=100.0, stop=1100.0, offset=1.0)
    >>> chirp.at([0.0, 100.0, 100.0 + 1000 * 0.025**0.5, 1100.0]).round(9)
    array([1., 1., 3., 1.])

    References
    ----------
    E. Puil, B. Gimbarzevsky, R. M. Miura: Quantification of membrane properties of trigeminal root ganglion neurons in
    guinea pigs. J. Neurophysiol. 55 (1986).
    """

    amplitude: Any
    f0: float
    f1: float
    start: float
    stop: float
    phase: float = 0.0
    offset: Any = 0.0
    method: str = "linear"

    def __post_init__(self) -> None:
        self._set_amplitude("amplitude", scalar=True)
        self._set_amplitude("offset", scalar=True)
        assign(self, method=checks.one_of("Chirp.method", self.method, _METHODS))
        above, least = (0, None) if self.method == "exponential" else (None, 0)
        for name in ("f0", "f1"):
            value = checks.number(f"Chirp.{name}", getattr(self, name), "Hz", above=above, at_least=least)
            assign(self, **{name: value})
        assign(self, start=checks.number("Chirp.start", self.start, "ms"))
        assign(self, stop=checks.number("Chirp.stop", self.stop, "ms", above=checks.Other("start", self.start)))
        assign(self, phase=checks.number("Chirp.phase", self.phase, "rad"))

    def _values(self, k: Array, dt: float) -> Array:
        on, since = between(k, self.start / dt, self.stop / dt, strict=False), k * dt - self.start
        angle = 2e-3 * math.pi * self._cycles(np.where(on, since, 0.0)) + self.phase  # 1e-3: Hz times ms
        return np.asarray(self.offset + np.where(on, self.amplitude * np.sin(angle), 0.0))

    def _cycles(self, since: Array) -> Array:
        """A thousand times the cycles in these times since `start`, ms."""
        length = self.stop - self.start
        if self.method == "linear" or self.f0 == self.f1:
            return since * (self.f0 + (self.f1 - self.f0) / (2 * length) * since)
        fold = length / math.log(self.f1 / self.f0)  # ms in which the frequency grows e-fold
        return np.asarray(self.f0 * fold * np.expm1(since / fold))


@dataclass(frozen=True, eq=False, repr=False)
class Function(Input):
    """A function of time of your own: a class with `at` (`help(izhnumba.Input)`) in one line.

    It is called for the times at which the steps of a part of a run begin, t = k dt, rounded to 1e-9 ms, and must give
    the same values for the same times. The scheme "exact" does not take it. It cannot be saved: `Network.save` refuses
    it, as pickle does a lambda. For that write the class.

    Parameters
    ----------
    f : function of t
        t: times, ms, float64, shape (steps,), ascending. Returns the values in the unit of what is driven, shape
        (steps,), the same for all neurons, or (steps, ...) where one value broadcasts to the population.
    vectorized : bool
        With False it is called once for each step: t is a float, and it returns one value. That takes longer.

    Examples
    --------
    >>> import numpy as np, izhnumba as iz
    >>> bump = iz.Function(lambda t: 10.0 * np.exp(-((t - 50.0) ** 2) / 200.0))
    >>> bump.at([30.0, 50.0]).round(3)
    array([ 1.353, 10.   ])
    >>> pop = iz.Population(3, **iz.presets["RS"])
    >>> len(pop.run(100.0, 2 * bump + iz.Noise(1.0)).spikes) > 3
    True

    One that knows nothing of arrays:

    >>> import math
    >>> iz.Function(lambda t: math.sin(0.1 * t) if t > 20.0 else 0.0, vectorized=False).at([10.0, 25.0]).round(3)
    array([0.   , 0.598])

    A value for each neuron:

    >>> iz.Function(lambda t: np.multiply.outer(t, [1.0, 2.0, 3.0])).at([1.0, 2.0])
    array([[1., 2., 3.],
           [2., 4., 6.]])
    """

    f: Callable[..., Any]
    vectorized: bool = True

    def __post_init__(self) -> None:
        checks.takes("Function.f", self.f, "t")
        assign(self, vectorized=flag("Function.vectorized", self.vectorized))

    def __repr__(self) -> str:
        way = "" if self.vectorized else ", vectorized=False"
        return f"Function({getattr(self.f, '__qualname__', self.f)}{way})"

    def at(self, t: Any) -> Any:
        if self.vectorized:
            return self.f(t)
        return np.array([checks.magnitude("Function.f()", self.f(x), "") for x in t.tolist()])

    def __copy__(self) -> Function:
        return self

    def __deepcopy__(self, memo: object) -> Function:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        try:
            pickle.dumps(self.f)
        except (pickle.PicklingError, AttributeError, TypeError):
            cure = "Write it with def at the top of a module, or a class derived from Input with at(t)."
            raise pickle.PicklingError(
                f"Function.f must be a function that pickle can name, got {self!r}. {cure}"
            ) from None
        return Function, (self.f, self.vectorized)
