"""Synapses whose receptor has states of their sources: what sources send, graded, and what of it is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.saved import Saved
from izhnumba._clock.plasticity import UnderWay
from izhnumba._engine.table import Table
from izhnumba._synapse.csr import SynapseTable
from izhnumba._synapse.receptor import Receptor
from izhnumba._synapse.receptor_contract import propagator_of

if TYPE_CHECKING:
    from izhnumba._clock.kernels.states import Kernels

Array = NDArray[Any]


class Release(UnderWay):
    """The states of the source neurons of one call of `Network.connect`, and the changes of their strengths that have
    not reached all synapses.

    Parameters
    ----------
    receptor : Receptor
        With `per_source`.
    rows : SynapseTable
        With offsets.
    lanes : int
        Lanes of the target population.
    dtype : float32 or float64
        Of weights; states are float64 in any case, for there are few.
    dt : float, ms

    Attributes
    ----------
    counts, cursors, ends, over
        As of `UnderWay`, of rows that have sent something.
    amounts : ndarray of float64, shape (delays, n_rows)
        What each of these rows has sent: by what the strength of the source differs from what fading leaves of it.
    states : ndarray of float64, shape (states, n_rows)
    sent : ndarray of float64, shape (n_rows,)
        The strengths that targets know of.
    """

    def __init__(self, receptor: Receptor, rows: SynapseTable, lanes: int, dtype: np.dtype[Any], dt: float) -> None:
        super().__init__(rows, lanes)
        self._functions, self._dtype, self._owner = receptor.functions(dt), dtype, type(receptor).__name__
        self._fade = np.array([propagator_of(receptor, dt).decay_y])
        self._numbers = np.array(self._functions.values)
        self.amounts = np.zeros(self.cursors.shape)
        self.states = np.zeros((self._functions.n, rows.starts.size - 1))
        self.sent = np.zeros(rows.starts.size - 1)

    def clear(self) -> None:
        super().clear()
        self.states[...] = 0
        self.sent[...] = 0

    def state(self) -> dict[str, Array]:
        most = int(self.counts.max())
        return super().state() | {"amounts": self.amounts[:, :most], "states": self.states, "sent": self.sent}

    def load_state(self, state: dict[str, Array]) -> None:
        super().load_state(state)
        self.amounts[:, : state["amounts"].shape[1]] = state["amounts"]
        self.states[...] = state["states"]
        self.sent[...] = state["sent"]

    def check(self, state: Saved, now: int) -> None:
        super().check(state, now)
        most = state.value["cursors"].shape[1]
        for name, shape in (
            ("amounts", (self.counts.size, most)),
            ("states", self.states.shape),
            ("sent", self.sent.shape),
        ):
            values = state.array(name, np.float64, shape)
            state.require_all(name, np.isfinite(values), "be finite", values)

    def bind(self, table: Table) -> Kernels:
        """Put all that the kernels need into the table of the projection. Returns their addresses."""
        from izhnumba._clock.kernels import states as k

        table.put_all({
            k.COUNTS: self.counts, k.CURSORS: self.cursors, k.ENDS: self.ends, k.AMOUNTS: self.amounts,
            k.STATES: self.states, k.SENT: self.sent, k.FADE: self._fade,
        })  # fmt: skip
        table.put(k.NUMBERS, self._numbers.ctypes.data + 8 * np.arange(self._numbers.size), self._numbers)
        table[[k.DELAYS, k.SHORTEST]] = self.counts.size, max(1, self._rows.delays(self._lanes)[0])
        return self.kernels()

    def kernels(self) -> Kernels:
        """The addresses of the kernels, which are compiled now if they have not been."""
        from izhnumba._clock.kernels.states import release

        n, advance, strength, names, _ = self._functions
        return release(self._owner, n, advance, strength, names, self._dtype.name)

    def amounts_under_way(self, now: int) -> Array:
        """What arrives after step `now` at each of the synapses that `arrivals` tells of, in its order."""
        found, slots = [np.empty(0)], self.counts.size
        for step in range(max(0, now - slots), now):
            slot = step % slots
            for row in range(self.counts[slot]):
                left = int(self.ends[slot, row]) - int(self.cursors[slot, row])
                found.append(np.full(left, self.amounts[slot, row]))
        return np.concatenate(found)
