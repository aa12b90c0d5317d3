"""What plastic synapses keep besides their weights: traces, and which spikes are under way how far."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._engine.table import Table
from izhnumba._synapse.csr import SynapseTable, TargetLanes
from izhnumba._synapse.plasticity import Plasticity, fading

if TYPE_CHECKING:
    from izhnumba._clock.kernels.plasticity import Kernels

Array = NDArray[Any]


class PlasticState:
    """Arrays for the synapses of `rows` and for all lanes of their target population.

    first: gives the weights at the start. modulator: its value, and its decay in a step.
    """

    def __init__(
        self, rule: Plasticity, rows: SynapseTable, targets: TargetLanes, dt: float, first: Callable[[], Array]
    ) -> None:
        assert rows.offsets is not None
        self.rule, self.first_weights, n, lanes = rule, first, rows.weights.size, targets.lanes
        delays = max(1, rows.delays(lanes)[1])
        x, y = rule.traces(dt)
        self._tables = [np.append(decays, 0.0).astype(targets.dtype) for decays in (*x, *y)]
        self.n_x, self.n_y = len(x), len(y)
        fields: list[Any] = [("arrival", np.uint32)] if x else []
        fields += [(f"x{j + 1}", targets.dtype) for j in range(self.n_x) if not rule.nearest]
        fields += [("e", targets.dtype)] if rule.keeps_e else []
        self.memory = np.zeros(n, fields)  # side by side, for a target spike meets its synapses in no order
        self._forget_arrivals()
        self.y = np.zeros((self.n_y, lanes), targets.dtype)
        self.spiked = np.zeros(lanes if y else 0, np.int64)
        n_rows = rows.starts.size - 1
        self.cursors, self.ends = np.zeros((2, delays, n_rows), np.uint64)
        self.counts = np.zeros(delays, np.int64)
        self.over = False  # what was under way has been put elsewhere
        decay = np.exp(-dt / rule.modulator_tau) if rule.modulator_tau else 1.0
        self.modulator = np.array([0.0, decay], targets.dtype)
        self.period = (
            checks.steps(f"{type(rule).__name__}.period", rule.period, dt, at_least=1) if rule.period else 2**62
        )
        self._fading = fading(rule, self.period, dt).astype(targets.dtype)
        self._numbers = np.array(list(rule.parameters().values()), targets.dtype)
        self._addresses = self._numbers.ctypes.data + self._numbers.itemsize * np.arange(self._numbers.size)
        post = rows.offsets % np.uint32(lanes)
        needs_incoming = type(rule).target_spike is not None
        self._incoming = np.argsort(post, kind="stable").astype(np.uint32) if needs_incoming else np.empty(0, np.uint32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(post, minlength=lanes))]).astype(np.int64)

    def clear(self) -> None:
        """Back to the start; the weights are not ours."""
        for array in (self.memory, self.y, self.spiked, self.counts):
            array[...] = 0
        self._forget_arrivals()
        self.modulator[0] = 0.0

    def state(self) -> dict[str, Array]:
        """What `restore` needs to go on from here, as arrays."""
        most = int(self.counts.max())  # rows under way from one step: memory beyond was never touched
        names = ("memory", "y", "spiked", "counts", "modulator")
        under_way = {"cursors": self.cursors[:, :most], "ends": self.ends[:, :most]}
        return {name: getattr(self, name) for name in names} | under_way

    def under_way(self, rows: SynapseTable, lanes: int, now: int) -> tuple[Array, Array]:
        """Spikes that have not arrived after `now` steps: cells of a ring without end, in order of the steps in which
        they were sent, and their synapses."""
        assert rows.offsets is not None
        cells, sent = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for step in range(max(0, now - self.counts.size), now):
            slot = step % self.counts.size
            for row in range(self.counts[slot]):
                left = np.arange(self.cursors[slot, row], self.ends[slot, row], dtype=np.int64)
                sent.append(left)
                cells.append(step * lanes + rows.offsets[left].astype(np.int64))
        return np.concatenate(cells), np.concatenate(sent)

    def restore(self, state: dict[str, Array]) -> None:
        for name, values in state.items():
            array = getattr(self, name)
            (array[:, : values.shape[1]] if name in ("cursors", "ends") else array)[...] = values

    def left_of_e(self, now: int) -> float:
        """The share of an eligibility that is left since the latest update, as of which it is stored."""
        return float(self._fading[now % self.period]) if self._fading.size > 1 else 1.0

    def modulator_at(self, now: int) -> float:
        """The modulator, which the kernel keeps up to date."""
        return float(self.modulator[0])

    def set_modulator(self, value: float, now: int) -> None:
        self.modulator[0] = value

    def _forget_arrivals(self) -> None:
        """Before step 0 by so many steps that no trace is left of them, in numbers that go around at 2**32."""
        if self.n_x:
            self.memory["arrival"] = 2**32 - max(table.size for table in self._tables)

    def bind(self, table: Table, dtype: str) -> Kernels:
        """Put what the kernels need behind the entries of every projection. Returns their addresses."""
        from izhnumba._clock.kernels import plasticity as k

        table.put_all({k.Y + j: self.y[j] for j in range(self.n_y)})
        for j, decays in enumerate(self._tables):
            which = j if j < self.n_x else j - self.n_x + 2
            table.put(k.DECAYS + which, decays)
            table[k.DECAY_SIZES + which] = decays.size
        table.put_all({
            k.MEMORY: self.memory, k.SPIKED: self.spiked, k.STARTS: self._starts, k.INCOMING: self._incoming,
            k.CURSORS: self.cursors, k.ENDS: self.ends, k.COUNTS: self.counts, k.MODULATOR: self.modulator,
            k.FADING: self._fading,
        })  # fmt: skip
        table.put(k.NUMBERS, self._addresses, self._numbers)
        table[[k.DELAYS, k.PERIOD]] = self.counts.size, self.period
        return self.kernel(dtype)

    def kernel(self, dtype: str) -> Kernels:
        """The addresses of what looks after these synapses, compiled."""
        from izhnumba._clock.kernels.plasticity import kernels

        rule: Any = type(self.rule)
        fades = self._fading.size > 1
        return kernels(rule, dtype, self.memory.dtype, self.n_x, self.n_y, fades, tuple(self.rule.parameters()))
