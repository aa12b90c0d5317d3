"""Plastic synapses of the clock engine: their state in steps, and the spikes that are under way through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.saved import Saved
from izhnumba._clock.watched import Watched
from izhnumba._engine.plastic_state import PlasticState, form_of, kept, memory_start
from izhnumba._engine.table import Table
from izhnumba._synapse.csr import SynapseTable
from izhnumba._synapse.plasticity import EachOwn, Plasticity, fading
from izhnumba._synapse.plasticity_contract import DECAYED, LONGEST_TABLE
from izhnumba._synapse.together import rules_in

if TYPE_CHECKING:
    from izhnumba._clock.kernels.plasticity import Kernels

Array = NDArray[Any]
_NO_UPDATE = 2**62  # steps


class ClockPlastic(PlasticState):
    """State of plastic synapses whose times are whole steps of dt.

    Times of arrivals are counted modulo 2**32. Decays are looked up in tables, by the number of steps. The kernel
    multiplies the modulator by its decay in each step, so that what is stored is its present value.

    Parameters
    ----------
    rule : Plasticity
    rows : SynapseTable
        With offsets.
    lanes : int
        Lanes of the target population.
    dtype : float32 or float64
    dt : float, ms
    first_weights : callable
        Returns the weights at the start, shape (n_synapses,).
    states : dict
        The states of the targets by name, shape (lanes,).
    """

    def __init__(
        self,
        rule: Plasticity,
        rows: SynapseTable,
        lanes: int,
        dtype: np.dtype[Any],
        dt: float,
        first_weights: Callable[[], Array],
        states: Mapping[str, Array],
    ) -> None:
        assert rows.offsets is not None
        x, y = rule.traces(dt)
        self._dt = dt
        self._tables = [np.append(decays, 0.0).astype(dtype) for decays in (*x, *y)]
        each = [isinstance(decays, EachOwn) for decays in (*x, *y)]
        form = form_of(rule, each[: len(x)], each[len(x) :])
        gone = [_gone(one) if own else one.size for one, own in zip(self._tables, each, strict=True)]
        never = np.uint32(2**32 - max(gone, default=1))  # all traces are 0 by step 0
        decay = np.exp(-dt / rule.modulator_tau) if rule.modulator_tau else 1.0
        super().__init__(
            rule, form, first_weights, rows.offsets % np.uint32(lanes), lanes, dtype,
            memory=kept(rows.weights.size, memory_start(form, never, dtype)),
            y=kept((form.n_y * (not form.own_y), lanes), dtype.type(0)),
            spiked=kept(lanes if y else 0, np.int64(0)),
            modulator=kept(2, np.array([0.0, decay], dtype)),
            **({"views": kept((form.n_v, lanes), dtype.type(np.nan))} if form.n_v else {}),
        )  # fmt: skip
        self.watched, seen = None, rule.states()
        if seen:
            views = self._kept["views"].array
            self.watched = Watched(f"{type(rules_in(rule)[-1]).__name__}.states()", seen, states, dt, views)
        where = f"{type(rule).__name__}.period"
        self.period = checks.steps(where, rule.period, dt, at_least=1) if rule.period else _NO_UPDATE
        self._fading = fading(rule, self.period, dt).astype(dtype)
        self.under_way = UnderWay(rows, lanes)
        self._at_once = rows.weights.size > 0 and rows.delays(lanes)[0] == 0

    def clear(self) -> None:
        super().clear()
        self.under_way.clear()

    def state(self) -> dict[str, Array]:
        return super().state() | self.under_way.state()

    def check(self, state: Saved, now: int) -> None:
        super().check(state, now)
        state.array("spiked", np.int64, self.spiked.shape, low=0, high=now)
        self.under_way.check(state, now)

    def load_state(self, state: dict[str, Array]) -> None:
        super().load_state(state)
        self.under_way.load_state(state)

    def eligibility_left(self, now: int) -> float | Array:
        if self.form.e_varies:
            return np.asarray(np.exp(-(now % self.period) * self._fading))
        return float(self._fading[now % self.period]) if self._fading.size > 1 else 1.0

    def modulator_at(self, now: int) -> float:
        return float(self.modulator[0])

    def set_modulator(self, value: float, now: int) -> None:
        self.modulator[0] = value

    def bind(self, table: Table) -> Kernels:
        """Put all that the kernels need into the table of the projection. Returns their addresses."""
        from izhnumba._clock.kernels import plasticity as k
        from izhnumba._numba.tuples import MOST

        under_way, n_x = self.under_way, self.form.n_x
        table.put_all({k.Y + j: traces for j, traces in enumerate(self.y)})
        for j, decays in enumerate(self._tables):
            which = j if j < n_x else j - n_x + MOST
            table.put(k.DECAYS + which, decays)
            table[k.DECAY_SIZES + which] = decays.size
        table.put_all({
            k.MEMORY: self.memory, k.SPIKED: self.spiked, k.STARTS: self.starts, k.INCOMING: self.incoming,
            k.CURSORS: under_way.cursors, k.ENDS: under_way.ends, k.COUNTS: under_way.counts,
            k.MODULATOR: self.modulator, k.FADING: self._fading,
        })  # fmt: skip
        table.put(k.NUMBERS, self.addresses, (self.numbers, self.each))
        if self.watched is not None:
            table.put_all({k.V + j: view for j, view in enumerate(self.watched.views)})
        table.put(k.DT, np.array([self._dt], self.numbers.dtype))
        table[[k.DELAYS, k.PERIOD, k.FADING_SIZE]] = under_way.counts.size, self.period, self._fading.size
        return self.kernels()

    def kernels(self) -> Kernels:
        from izhnumba._clock.kernels.plasticity import kernels

        rule: Any = self.rule._functions()
        return kernels(rule, self.numbers.dtype.name, self.memory.dtype, self.form, self._at_once)


def _gone(rates: Array) -> int:
    """Steps after which nothing is left of any trace that decays with one of these rates."""
    slowest = rates[rates > 0].min(initial=DECAYED)
    return min(int(DECAYED / slowest) + 1, LONGEST_TABLE)


class UnderWay:
    """Spikes that have not reached all their plastic synapses, for as many steps as the longest delay.

    Parameters
    ----------
    rows : SynapseTable
        With offsets.
    lanes : int
        Lanes of the target population.

    Attributes
    ----------
    counts : ndarray of int64, shape (delays,)
        How many rows spiked in step k, at k modulo delays.
    cursors, ends : ndarray of uint64, shape (delays, n_rows)
        Of each row that spiked: its first synapse that the spike has not reached, and the end of the row.
    over : bool
        Whether what was under way has been put elsewhere.
    """

    def __init__(self, rows: SynapseTable, lanes: int) -> None:
        self._rows, self._lanes = rows, lanes
        delays = max(1, rows.delays(lanes)[1])
        self.cursors, self.ends = np.zeros((2, delays, rows.starts.size - 1), np.uint64)
        self.counts = np.zeros(delays, np.int64)
        self.over = False

    def clear(self) -> None:
        """Forget them."""
        self.counts[...] = 0

    def state(self) -> dict[str, Array]:
        """The three arrays by name, up to the largest count: what is beyond was never written."""
        most = int(self.counts.max())
        return {"counts": self.counts, "cursors": self.cursors[:, :most], "ends": self.ends[:, :most]}

    def load_state(self, state: dict[str, Array]) -> None:
        """Copy the arrays of a checkpoint into these."""
        self.counts[...] = state["counts"]
        for array, values in ((self.cursors, state["cursors"]), (self.ends, state["ends"])):
            array[:, : values.shape[1]] = values

    def check(self, state: Saved, now: int) -> None:
        """Refuse arrays of a checkpoint that lead to other synapses than those that are there. now: steps done."""
        starts, offsets, lanes = self._rows.starts, self._rows.offsets, self._lanes
        assert offsets is not None
        slots, n_rows = self.cursors.shape
        counts = state.array("counts", np.int64, (slots,), low=0, high=n_rows)
        shape = (slots, int(counts.max()))
        cursors, ends = (state.array(name, np.uint64, shape, high=offsets.size) for name in ("cursors", "ends"))
        steps = now - 1 - (now - 1 - np.arange(slots)) % slots  # the latest with each slot
        state.require_all("counts", (steps >= 0) | (counts == 0), "be 0 for steps before the first", counts)
        slot, column = np.nonzero(np.arange(shape[1]) < counts[:, np.newaxis])
        cursor, end = (values[slot, column].astype(np.int64) for values in (cursors, ends))
        row = np.searchsorted(starts, end)  # the row of synapses that ends there, if there is one that is not empty
        first = starts[np.maximum(row - 1, 0)]
        state.require_all("ends", starts[np.minimum(row, n_rows)] == end, "be ends of rows", end)
        state.require_all("cursors", (cursor >= first) & (cursor <= end), "be within their rows", cursor)
        left, lag = cursor < end, now - steps[slot]
        state.require_all("cursors", ~left | (lag <= slots), "be at the end of rows that have been delivered", cursor)
        there = offsets[cursor[left]].astype(np.int64)
        state.require_all("cursors", there >= lag[left] * lanes, "not be before what has been delivered", cursor[left])

    def arrivals(self, now: int) -> tuple[Array, Array]:
        """Spikes that arrive after step `now`, in the order of the steps in which they were sent: the step of arrival
        times lanes plus the target's lane, and the synapse; both int64, shape (n,)."""
        offsets, slots = self._rows.offsets, self.counts.size
        assert offsets is not None
        cells, synapses = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for step in range(max(0, now - slots), now):
            slot = step % slots
            for row in range(self.counts[slot]):
                left = np.arange(self.cursors[slot, row], self.ends[slot, row], dtype=np.int64)
                synapses.append(left)
                cells.append(step * self._lanes + offsets[left].astype(np.int64))
        return np.concatenate(cells), np.concatenate(synapses)
