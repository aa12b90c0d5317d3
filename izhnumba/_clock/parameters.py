"""Parameters of a population of the clock engine, and the numbers derived from them, where kernels read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._clock.constants import Derived, derived
from izhnumba._clock.kernels import layout
from izhnumba._engine.arrays import aligned
from izhnumba._engine.table import Table, address_of
from izhnumba._model.model import Model
from izhnumba._model.quantity import MAX_PARAMETERS
from izhnumba._model.schemes import Scheme
from izhnumba._model.state_steps import lane_type
from izhnumba._model.states import Unknown

Array = NDArray[Any]


class Parameters:
    """All numbers of n neurons but V and u: parameters, V_min, what is derived from them, and further states; each as
    lanes: one for all neurons, or `padded`.

    Parameters
    ----------
    model : Model
    dtype : dtype
        Of the population.
    n, padded : int
        Neurons, and lanes.
    table : Table
        Of the population, for the addresses of the lanes.
    states : dict of ndarray (padded,)
        States beside V and u, which kernels change in place.

    Attributes
    ----------
    known : Derived or None
        What has been derived from the parameters of now; None until `bind`.
    """

    def __init__(
        self, model: Model, dtype: np.dtype[Any], n: int, padded: int, table: Table, states: dict[str, Array]
    ) -> None:
        self._model, self._dtype, self._n, self._padded, self._table = model, dtype, n, padded, table
        self._type = model.named_tuple("V_min")
        self._names: tuple[str, ...] = lane_type(model)._fields
        self._lanes = dict(states)
        # of the lanes, float64, shape () or (n,)
        self._values: dict[str, Any] = {name: Unknown(name) for name in states}
        self.known: Derived | None = None

    @property
    def varies(self) -> int:
        """Bit k: parameter k differs between neurons."""
        return sum(1 << k for k, name in enumerate(self._names) if self._lanes[name].size > 1)

    @property
    def floor(self) -> bool:
        """Whether V of a neuron has a floor."""
        return bool(np.any(self._values["V_min"] > -np.inf))

    @property
    def floors(self) -> Array:
        """V_min of the lanes, or of all: shape (padded,) or (1,)."""
        return self._lanes["V_min"]

    def set(self, name: str, values: Array, scheme: Scheme, reset: str, dt: float) -> bool:
        """Take over a parameter. Returns whether kernels and addresses stay as they are.

        Parameters
        ----------
        name : str
        values : ndarray of float64, shape () or (n,)
        scheme, reset, dt
            Of the population, for what is derived.
        """
        before, floor = self.known, name == "V_min" and self.known is not None and self.floor
        self.known = None  # until it is complete: an interrupt may come in between
        fits = self._put(name, values)
        lanes = self._lanes[name].astype(np.float64)
        self._values[name] = lanes[: self._n] if values.ndim else lanes[0]
        if before is None or not fits:
            return False
        known = self._derived(scheme, reset, dt, before, name)
        if known[1:4] != before[1:4] or (name == "V_min" and self.floor != floor):  # it takes another kernel
            return False
        for one, found in known.values.items():
            if found is not before.values[one] and not self._put(one, found):
                return False
        self._constants[[layout.CAREFUL_V, layout.CAP_V]] = self._low(known), known.cap_V
        self.known = known
        return True

    def bind(self, scheme: Scheme, reset: str, dt: float) -> Derived:
        """Compute the numbers derived from the parameters, and write the addresses of all to the table."""
        known = self._derived(scheme, reset, dt)
        for name, values in known.values.items():
            self._put(name, values)
        lanes, addresses = [self._lanes[name] for name in self._names], np.zeros(MAX_PARAMETERS, np.int64)
        addresses[: len(lanes)] = [address_of(one) for one in lanes]
        self._table.put(layout.PARAMETERS, addresses, lanes)
        constants = np.array([dt, self._low(known), np.finfo(self._dtype).max, known.cap_V], self._dtype)
        self._constants = self._table.put(layout.CONSTANTS, constants)
        self.known = known
        return known

    def _derived(self, scheme: Scheme, reset: str, dt: float, before: Derived | None = None, name: str = "") -> Derived:
        with np.errstate(all="ignore"):  # such parameters lead to V and u that are not finite, which is reported
            return derived(self._model, scheme, reset, dt, self._type(**self._values), before, name)

    def _low(self, known: Derived) -> float:
        return -float(np.finfo(self._dtype).max) if known.careful_V is None else known.careful_V

    def _put(self, name: str, values: Array) -> bool:
        """Write values to their lanes. Returns whether these are where they were."""
        lanes = self._lanes.get(name)
        fits = lanes is not None and (lanes.size > 1) == (values.ndim > 0)
        if lanes is None or not fits:
            lanes = aligned(self._padded if values.ndim else 1, self._dtype)
        lanes[: self._n] = values
        lanes[self._n :] = lanes[self._n - 1 : self._n]
        self._lanes[name] = lanes
        return fits
