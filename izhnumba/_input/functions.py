"""Currents as functions of time that have no pieces: the scheme exact does not follow them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._input.currents import between
from izhnumba._input.input import Input
from izhnumba._input.target import Array

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
