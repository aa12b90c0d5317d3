"""Plastic synapses of the exact engine: their state at real times."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.saved import Saved
from izhnumba._engine.plastic_state import PlasticState, form_of, kept, memory_start
from izhnumba._engine.table import Table, address_of
from izhnumba._engine.timebase import LONGEST_SLICE, Timebase
from izhnumba._exact.kernels import layout
from izhnumba._synapse.csr import SynapseTable
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.together import rules_in

if TYPE_CHECKING:
    from izhnumba._exact.kernels.plasticity import Kernels

Array = NDArray[Any]


class ExactPlastic(PlasticState):
    """State of plastic synapses whose times are ms, -inf for never.

    What is stored decays exponentially from the time of the event that set it. `modulator` holds its value, when it was
    that (ms), and its time constant (ms). `updates`, int64, shape (1,): how many updates are done.

    Parameters
    ----------
    rule : Plasticity
        With exponential traces.
    rows : SynapseTable
        Its offsets are the targets.
    lanes : int
        Lanes of the target population.
    time : Timebase
    first_weights : callable
        Returns the weights at the start, shape (n_synapses,).
    """

    def __init__(
        self, rule: Plasticity, rows: SynapseTable, lanes: int, time: Timebase, first_weights: Callable[[], Array]
    ) -> None:
        assert rows.offsets is not None
        x, y = time_constants(rule)
        if rule.period:
            time.interval(f"{type(rule).__name__}.period", rule.period)
        form = form_of(rule, [np.ndim(tau) > 0 for tau in x], [np.ndim(tau) > 0 for tau in y])
        self._time, fades = time, rule.eligibility_tau if form.fades else np.inf
        self._taus = np.array([0.0 if np.ndim(tau) else tau for tau in (*x, *y, fades)])
        self._tau_lanes = [np.append(tau, 1.0) for tau in (*x, *y, fades)]
        never, dtype = np.float64(-np.inf), np.dtype(np.float64)
        fields = form._replace(keeps_e=form.keeps_e or not x)  # a record has at least one
        super().__init__(
            rule, form, first_weights, rows.offsets, lanes, dtype,
            memory=kept(rows.weights.size, memory_start(fields, never, dtype)),
            y=kept((max(2, len(y)), lanes), 0.0),
            spiked=kept(lanes, never),
            modulator=kept(3, np.array([0.0, 0.0, rule.modulator_tau or np.inf])),
            updates=kept(1, np.int64(0)),
        )  # fmt: skip
        self.updates = self._kept["updates"].array

    def check(self, state: Saved, now: float) -> None:
        super().check(state, now)
        state.array("updates", np.int64, (1,), low=0)
        state.array("spiked", np.float64, self.spiked.shape, high=now + LONGEST_SLICE)

    def eligibility_left(self, now: float) -> float | Array:
        if not self.form.fades:
            return 1.0
        since = now - self._time.sample(self._time.samples_by(now, self.rule.period), self.rule.period)
        return np.asarray(np.exp(-since / self._tau_lanes[-1][:-1]))

    def modulator_at(self, now: float) -> float:
        value, since, tau = self.modulator
        return float(value * np.exp(-(now - since) / tau))

    def set_modulator(self, value: float, now: float) -> None:
        self.modulator[:2] = value, now

    def bind(self, table: Table, now: float) -> list[int]:
        """Put all that the kernels need into the table of the projection. Returns the row by which the target
        population calls them: the addresses of `arrive`, `spike` and the table."""
        found = self.kernels()
        if found.update:  # synapses may come late: of the updates on the absolute clock, those up to now are over
            self.updates[0] = self._time.samples_by(now, self.rule.period)
        table.put_all({
            layout.MEMORY: self.memory, layout.SPIKED: self.spiked,
            layout.TAUS: self._taus, layout.INCOMING: self.incoming, layout.INCOMING_STARTS: self.starts,
            layout.MODULATOR: self.modulator, layout.UPDATES: self.updates,
        })  # fmt: skip
        table.put(layout.Y, np.array([address_of(y) for y in self.y], np.int64), self.y)
        lanes = np.array([address_of(taus) for taus in self._tau_lanes], np.int64)
        table.put(layout.TAU_LANES, lanes, self._tau_lanes)
        table.put(layout.RULE_NUMBERS, self.addresses, (self.numbers, self.each))
        table[layout.UPDATE] = found.update
        table[layout.PERIOD : layout.PERIOD + 1].view(np.float64)[0] = self.rule.period
        return [found.arrive, found.spike, table.address]

    def kernels(self) -> Kernels:
        from izhnumba._exact.kernels.plasticity import kernels

        rule: Any = self.rule._functions()
        return kernels(rule, self.memory.dtype, self.form)


def time_constants(rule: Plasticity) -> tuple[list[float], list[float]]:
    """Time constants of the traces of a rule, ms, of synapses and of targets; a ValueError if the traces are tables."""
    for one in rules_in(rule):
        if one.states():
            raise ValueError(
                "Network.connect.plasticity must see no states of its targets with the scheme 'exact', got "
                f"{type(one).__name__}, which takes them after each step. Use a clock scheme."
            )
        if type(one).traces is Plasticity.traces:
            continue
        raise ValueError(
            "Network.connect.plasticity must have exponential traces with the scheme 'exact', got "
            f"{type(one).__name__}, whose traces are tables of steps. Use a rule with taus(), or a clock scheme."
        )
    x, y = rule.taus()
    for tau in (*x, *y):
        checks.array(f"{type(rule).__name__}.taus()", tau, "ms", above=0.0)
    return x, y
