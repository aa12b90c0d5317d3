"""What plastic synapses of the exact engine keep besides their weights: traces, and when they were last seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._engine.table import Table
from izhnumba._engine.timebase import Continuous
from izhnumba._exact.kernels import layout
from izhnumba._synapse.csr import SynapseTable, TargetLanes
from izhnumba._synapse.plasticity import Plasticity

Array = NDArray[Any]


class ExactPlastic:
    """Arrays for the synapses of `rows` and for all lanes of their target population. first: gives the weights at the
    start. modulator: its value, when it was that, and the time constant with which it decays."""

    def __init__(
        self, rule: Plasticity, rows: SynapseTable, targets: TargetLanes, dt: float, first: Callable[[], Array]
    ) -> None:
        assert rows.offsets is not None
        self.rule, self.first_weights, self._time = rule, first, Continuous(dt)
        x, y = time_constants(rule)
        self.n_x, self.n_y = len(x), len(y)
        fields: list[Any] = [("arrival", "<f8")] if x else []
        fields += [(f"x{j + 1}", "<f8") for j in range(self.n_x) if not rule.nearest]
        fields += [("e", "<f8")] if rule.keeps_e or not fields else []
        self.memory = np.zeros(rows.weights.size, fields)
        self.y, self.spiked = np.zeros((2, targets.lanes)), np.full(targets.lanes, -np.inf)
        self.modulator = np.array([0.0, 0.0, rule.modulator_tau or np.inf])
        self.updates = np.zeros(1, np.int64)  # done
        self._taus = np.array([*x, *y, rule.eligibility_tau or np.inf])
        self._numbers = np.array([*rule.parameters().values(), 0.0])
        self._addresses = self._numbers.ctypes.data + 8 * np.arange(self._numbers.size)
        self._incoming = np.argsort(rows.offsets, kind="stable").astype(np.uint32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(rows.offsets, minlength=targets.lanes))])
        self._forget()

    def _forget(self) -> None:
        if self.n_x:
            self.memory["arrival"] = -np.inf

    def clear(self) -> None:
        """Back to the start; the weights are not ours."""
        self.memory[...] = np.zeros(1, self.memory.dtype)
        self.y[...], self.spiked[...], self.modulator[:2], self.updates[0] = 0.0, -np.inf, 0.0, 0
        self._forget()

    def state(self) -> dict[str, Array]:
        """What `restore` needs to go on from here, as arrays."""
        return {name: getattr(self, name) for name in ("memory", "y", "spiked", "modulator", "updates")}

    def restore(self, state: dict[str, Array]) -> None:
        for name, values in state.items():
            getattr(self, name)[...] = values

    def left_of_e(self, now: float) -> float:
        """The share of an eligibility that is left since the latest update, as of which it is stored."""
        if not self.rule.eligibility_tau:
            return 1.0
        since = now - self._time.sample(self._time.samples_by(now, self.rule.period), self.rule.period)
        return float(np.exp(-since / self._taus[-1]))

    def modulator_at(self, now: float) -> float:
        """What is left of the modulator."""
        value, since, tau = self.modulator
        return float(value * np.exp(-(now - since) / tau))

    def set_modulator(self, value: float, now: float) -> None:
        self.modulator[:2] = value, now

    def kernel(self, dtype: str) -> Any:
        """What looks after these synapses, compiled."""
        from izhnumba._exact.kernels.plasticity import kernels

        rule: Any = type(self.rule)
        fades = bool(self.rule.eligibility_tau)
        return kernels(rule, self.memory.dtype, self.n_x, self.n_y, fades, tuple(self.rule.parameters()))

    def bind(self, projection: Table, now: float) -> tuple[list[int], Table]:
        """Put what the kernels need into the table of the projection; the row of the rule for its target, and what
        that points at."""
        found = self.kernel("float64")
        if found.update:  # synapses may come late: of the updates on the absolute clock, those up to now are over
            self.updates[0] = self._time.samples_by(now, self.rule.period)
        projection.put_all({
            layout.MEMORY: self.memory, layout.Y1: self.y[0], layout.Y2: self.y[1], layout.SPIKED: self.spiked,
            layout.TAUS: self._taus, layout.INCOMING: self._incoming, layout.INCOMING_STARTS: self._starts,
            layout.MODULATOR: self.modulator, layout.UPDATES: self.updates,
        })  # fmt: skip
        projection.put(layout.RULE_NUMBERS, self._addresses, self._numbers)
        projection[layout.UPDATE] = found.update
        projection[layout.PERIOD : layout.PERIOD + 1].view(np.float64)[0] = self.rule.period
        return [found.arrive, found.spike, projection.address], projection


def time_constants(rule: Plasticity) -> tuple[list[float], list[float]]:
    """Of the traces of a rule, ms; an error if they are given as tables of steps."""
    if type(rule).traces is not Plasticity.traces:
        raise ValueError(
            "Network.connect.plasticity must have exponential traces with the scheme 'exact', got "
            f"{type(rule).__name__}, whose traces are tables of steps. Use a rule with taus(), or a clock scheme."
        )
    x, y = rule.taus()
    for tau in (*x, *y):
        checks.number(f"{type(rule).__name__}.taus()", tau, "ms", above=0.0)
    return x, y
