"""Receptors of a population of the clock engine: rings of spikes under way, (steps, lanes), and synaptic states."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.lent import Lent
from izhnumba._clock.delivery import Delivery, Rows, resized
from izhnumba._clock.kernels import layout
from izhnumba._engine.table import Table
from izhnumba._model.equations import GATES
from izhnumba._synapse.injected import name_of
from izhnumba._synapse.receptor import Gate, Receptor, parts_of
from izhnumba._synapse.receptor_contract import propagator_of

Array = NDArray[Any]


_TARGETS = {
    "current": layout.TO_CURRENT, "conductance": layout.TO_CONDUCTANCE, "coupling": layout.TO_GAP, "V": layout.TO_V,
}  # fmt: skip
_GATED = {"current": layout.TO_GATED_CURRENT, "conductance": layout.TO_GATED}


class Part(NamedTuple):
    """A receptor by itself, or one of several that share a weight: what y is added to, a RECEPTOR_TARGET; how many
    states there are, and for how many steps an arrival acts; its numbers; and y and x, shape (lanes,) or () each, or of
    one that acts for several steps the sum y of what has arrived in these, and terms of that sum, x (`sum_latest`).
    advance: address of the kernel of one with functions of its own, whose states are in x, else 0; parameters: their
    numbers."""

    target: int
    states: int
    steps: int
    numbers: Array
    y: Array
    x: Array
    advance: int
    parameters: Array


class ReceptorState:
    """State of a receptor of a population: the ring of spikes under way to it, shape (steps, lanes), and the states y
    and x of its parts, one behind the other."""

    def __init__(self, arrivals: Arrivals, receptor: Receptor, lanes: int, dtype: np.dtype[Any], dt: float) -> None:
        self.definition, self._arrivals = receptor, arrivals
        self._lent: list[Lent] = []  # weights of its synapses that somebody has looked at
        n_y, n_x = state_sizes(receptor, dt, lanes)
        for one, _ in parts_of(receptor):
            if propagator_of(one, dt).steps > 1:
                where, cure = f"{type(one).__name__}.duration", "Use a shorter one, or a longer dt."
                checks.fits(where, n_x * dtype.itemsize, cure)
        self.y, self.x = np.zeros(n_y, dtype), np.zeros(n_x, dtype)
        self.current = np.zeros(0, dtype)  # in the last step, if somebody records it
        self.at_once = np.zeros(0, dtype)  # what arrives in the step of the spike, (lanes,), if there are delays of 0
        self._left: int | None = None  # the step since which there are none any more
        self.parts = list(self._parts(lanes, dtype, dt))

    def _parts(self, lanes: int, dtype: np.dtype[Any], dt: float) -> Iterator[Part]:
        """Its parts, whose y and x are pieces of `y` and `x`, of `lanes` neurons."""
        first_y = first_x = 0
        for one, ratio in parts_of(self.definition):
            gate = one.gate
            if gate is not None:
                checks.one_of(f"{name_of(one)}.gate", gate.name, GATES)
            if gate is not None and callable(gate.value):
                from izhnumba._model.compiled import compile_block

                compile_block(gate.value, dtype.name, f"{name_of(one)}.block")
            target = _TARGETS[one.adds_to] if gate is None else _GATED[one.adds_to]
            states, *numbers, steps = propagator_of(one, dt)
            n_y, n_x = state_sizes(one, dt, lanes)
            y, x = self.y[first_y : first_y + n_y], self.x[first_x : first_x + n_x]
            advance, parameters = 0, np.zeros(0, dtype)
            if one.advance is not None and not one.per_source:
                from izhnumba._clock.kernels.states import advance_lanes

                own = one.functions(dt)
                parameters = np.array(own.values, dtype)
                advance = advance_lanes(type(one).__name__, own.n, own.advance, own.strength, own.names, dtype.name)
            of_kernel = np.array([*numbers, one.E or 0.0, ratio], dtype)
            yield Part(target, states, steps, of_kernel, y, x, advance, parameters)
            first_y, first_x = first_y + n_y, first_x + n_x

    def note_current(self) -> Array:
        """Array, shape (lanes,), to which the kernel writes the current of each step from now on."""
        if not self.current.size:
            self.current = np.zeros(self.ring.shape[1], self.ring.dtype)
        return self.current

    @property
    def delivery(self) -> Delivery:
        """The spikes that are under way to it."""
        return self._arrivals.laid.deliveries[self]

    @property
    def ring(self) -> Array:
        """Weights that arrive in the next steps, shape (steps, lanes): row k % steps arrives in step k."""
        return self.delivery.ring

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way, y and x are 0, and V cannot be that of a jump of the last step."""
        return self.delivery.at_rest and not (self.y.any() or self.x.any() or self.jumps_at_once)

    @property
    def jumps_at_once(self) -> bool:
        """Whether V may jump after the spike test of a step, or may have in the last."""
        return self.definition.adds_to == "V" and self.at_once.size > 0

    @property
    def acts_at_once(self) -> bool:
        """Whether there are synapses of delay 0, of which something may arrive at the end of a step."""
        return self.at_once.size > 0 and self._left is None

    def act_at_once(self, some: bool, now: int) -> None:
        """Take note of whether there are synapses of delay 0, at step `now`. A V that has jumped over the threshold is
        a spike of the next step, also if they have gone by then."""
        if some:
            self._left = None
            if not self.at_once.size:
                self.at_once = np.zeros(self.ring.shape[1], self.ring.dtype)
        elif self.jumps_at_once and self._left in (None, now):
            self._left = now
        else:
            self.at_once = self.at_once[:0]

    def settle(self, weights: Lent, *, now: bool = True) -> None:
        """Let what is under way keep its weights at the end of each call while somebody holds these, and `now`."""
        if weights not in self._lent:
            self._lent.append(weights)
        deliveries = self._arrivals.laid.deliveries
        if self in deliveries:  # else its synapses have been removed, and nothing is under way any more
            deliveries[self].settle(now=now)

    def settle_while_held(self) -> None:
        """Let what is under way keep its weights at the end of each call only if somebody holds weights."""
        if self._lent:
            self.delivery.table[layout.SETTLES] = 0  # before it is asked: who comes in between sets it again
            if any(weights.held for weights in self._lent):
                self.delivery.settle(now=False)

    def bind(self, population: Table, senders: list[Table], rows: Rows, length: int) -> Delivery:
        """Let spikes of these projections come here. rows: of the population; length: of a slice, steps."""
        self._lent = [weights for weights in self._lent if weights.held]  # those of synapses that are gone are not kept
        self.delivery.bind(population, senders, rows, length)
        return self.delivery

    def clear(self) -> None:
        self.delivery.clear()
        self.y[...] = 0
        self.x[...] = 0


def state_sizes(receptor: Receptor, dt: float, lanes: int) -> tuple[int, int]:
    """Sizes of y and x of all its parts."""
    n_y = n_x = 0
    for one, _ in parts_of(receptor):
        found = propagator_of(one, dt)
        several = found.steps > 1
        n_y += lanes * (found.states > 0 or several)
        n_x += (found.steps + 1) * lanes if several else lanes * (found.states > 1)
        n_x += lanes * one.states * (one.advance is not None and not one.per_source)
    return n_y, n_x


class Kinds(NamedTuple):
    """Whether there are V jumps, other receptors, and conductances, and whether the current of one is recorded; the
    gate of those that have one; whether there are V jumps after the spike test."""

    deltas: bool
    receptors: bool
    conductances: bool
    noted: bool
    gate: Gate | None
    at_once: bool


class Laid(NamedTuple):
    """The spikes under way to each receptor. steps: of rings that hold all of them; window: of the rings, 0: these."""

    steps: int
    window: int
    deliveries: dict[ReceptorState, Delivery]

    def __or__(self, others: dict[ReceptorState, Delivery]) -> Laid:
        return self._replace(deliveries=self.deliveries | others)


class _Bound(NamedTuple):
    """The rings, and sizes of arrays of currents, whose addresses a table holds."""

    laid: Laid
    noted: list[int]


class Arrivals:
    """The receptors of one population, in the order in which they were connected, and their rings."""

    def __init__(self, lanes: int, dtype: np.dtype[Any], dt: float) -> None:
        self._lanes, self._dtype, self._dt = lanes, dtype, dt
        self.laid = Laid(1, 0, {})  # one object, so that Ctrl-C cannot come in between
        self._bound: _Bound | None = None

    @property
    def receptors(self) -> list[ReceptorState]:
        """All receptors, in order."""
        return list(self.laid.deliveries)

    @property
    def steps(self) -> int:
        """Length of rings that hold all that is under way, steps."""
        return self.laid.steps

    def receptor_state(self, receptor: Receptor) -> ReceptorState:
        """The state of this receptor, or of one equal to it; a new one if there is none."""
        for known in self.receptors:
            if known.definition == receptor:
                return known
        known_parts = [one for known in self.receptors for one, _ in parts_of(known.definition)]
        for one, _ in parts_of(receptor):
            _check_gate(one, known_parts)
            known_parts.append(one)
        new = ReceptorState(self, receptor, self._lanes, self._dtype, self._dt)
        empty = np.zeros((self.steps, self._lanes), self._dtype)
        self.laid |= {new: Delivery(empty, self.laid.window, 0, backlog=False)}
        return new

    def lay(self, steps: int, window: int, now: int, wanted: Container[ReceptorState | None]) -> None:
        """Make rings of `window` steps, 0: of `steps` steps, which must hold all that is under way at step `now`.
        Receptors that are neither `wanted` nor in motion are dropped: a call of `connect` that was stopped may leave
        one."""
        before = self.laid
        kept = [receptor for receptor in before.deliveries if receptor in wanted or not receptor.at_rest]
        if (steps, window) == before[:2] and not window and len(kept) == len(before.deliveries):
            return
        if not window:
            n_bytes = (steps - before.steps) * len(kept) * self._lanes * self._dtype.itemsize
            checks.fits("Network.connect.delay", n_bytes, "Use shorter delays, or float32.")
        self.laid = Laid(steps, window, {receptor: self._relaid(receptor, steps, window, now) for receptor in kept})

    def _relaid(self, receptor: ReceptorState, steps: int, window: int, now: int) -> Delivery:
        before = receptor.delivery
        if before.at_rest:
            return Delivery(np.zeros((steps, self._lanes), self._dtype), window, now, backlog=False)
        return Delivery(resized(before.held(now), steps, now), window, now)

    def under_way(self, now: int) -> int:
        """The number of steps from `now` on in which something is under way to arrive."""
        ahead, held = (np.arange(self.steps) - now) % self.steps, (one.delivery.held(now) for one in self.receptors)
        return max((int(ahead[ring.any(axis=1)].max(initial=-1)) + 1 for ring in held), default=0)

    def settle_while_held(self) -> None:
        """Let what is under way keep its weights at the end of each call only if somebody holds weights."""
        for receptor in self.receptors:
            receptor.settle_while_held()

    def kinds(self) -> Kinds:
        """Kinds of these receptors, which kernels are compiled for."""
        targets = {part.target for receptor in self.receptors for part in receptor.parts}
        gates = [one.gate for receptor in self.receptors for one, _ in parts_of(receptor.definition)]
        conductances = bool(targets & {layout.TO_CONDUCTANCE, layout.TO_GAP})
        gate = next((gate for gate in gates if gate is not None), None)
        noted = any(receptor.current.size for receptor in self.receptors)
        deltas, others = layout.TO_V in targets, bool(targets - {layout.TO_V})
        return Kinds(deltas, others, conductances, noted, gate, self.jump_at_once)

    @property
    def jump_at_once(self) -> bool:
        """Whether V may jump after the spike test of a step."""
        return any(receptor.jumps_at_once for receptor in self.receptors)

    @property
    def sampled_late(self) -> bool:
        """Whether V has its value of a step when its jumps have come after the spike test, one step at a time."""
        return any(receptor.jumps_at_once and receptor.acts_at_once for receptor in self.receptors)

    def bind(self, table: Table) -> None:
        """Write the addresses of the receptors to a table."""
        noted = [receptor.current.size for receptor in self.receptors]
        if self._bound is None or self._bound.laid is not self.laid or self._bound.noted != noted:
            self._bind_receptors(table, noted)

    def _bind_receptors(self, table: Table, noted: list[int]) -> None:
        self._bound = None
        parts = [(receptor, part) for receptor in self.receptors for part in receptor.parts]
        parts = [(receptor, part) for receptor, part in parts if part.target != layout.TO_V]
        rows = np.zeros((len(parts), layout.RECEPTOR_SIZE), np.int64)
        tables = [Table(row) for row in rows]
        for (receptor, part), row in zip(parts, tables, strict=True):
            numbers = part.target, part.states, part.steps
            row[[layout.RECEPTOR_TARGET, layout.RECEPTOR_STATES, layout.RECEPTOR_STEPS]] = numbers
            row[[layout.FIRST_PART, layout.LAST_PART]] = part is receptor.parts[0], part is receptor.parts[-1]
            row.put_all(
                {
                    layout.RECEPTOR_RING: receptor.ring,
                    layout.RECEPTOR_Y: part.y,
                    layout.RECEPTOR_X: part.x,
                    layout.RECEPTOR_NUMBERS: part.numbers,
                }
            )
            if part.advance:
                row[layout.RECEPTOR_ADVANCE] = part.advance
                addresses = part.parameters.ctypes.data + part.parameters.itemsize * np.arange(part.parameters.size)
                row.put(layout.RECEPTOR_PARAMETERS, addresses, part.parameters)
            if receptor.current.size:
                row.put(layout.RECEPTOR_CURRENT, receptor.current)
        table[[layout.N_RECEPTORS, layout.RING_STEPS]] = 0, self.laid.window or self.steps
        for receptor in self.receptors:
            if receptor.definition.adds_to == "V":
                table.put(layout.DELTA_RING, receptor.ring)
        table.put(layout.RECEPTORS, rows, tables)
        table[layout.N_RECEPTORS] = len(rows)
        self._bound = _Bound(self.laid, noted)

    def clear(self) -> None:
        """Back to the start: nothing is under way, y and x are 0."""
        for receptor in self.receptors:
            receptor.clear()

    def state(self, now: int) -> dict[str, Array]:
        """Copies of what is under way at step `now`, y and x of each receptor, by name and number, for `restore`."""
        return {f"{name}{k}": array.copy() for k, one in enumerate(self.receptors)
                for name, array in (("ring", one.delivery.held(now)), ("y", one.y), ("x", one.x))}  # fmt: skip

    def restore(self, state: dict[str, Array]) -> None:
        """Go on from what `state` returned, with rings that hold all that is under way."""
        for k, receptor in enumerate(self.receptors):
            for name in ("ring", "y", "x"):
                getattr(receptor, name)[...] = state[f"{name}{k}"]


def _check_gate(receptor: Receptor, others: list[Receptor]) -> None:
    """Refuse a second gate: kernels sum the conductances behind one."""
    gate, name = receptor.gate, name_of(receptor)
    for other in others:
        if gate is None or other.gate is None or other.gate == gate:
            continue
        of = name_of(other)
        if other.gate.name != gate.name or callable(gate.value):
            theirs, ours = (getattr(one.value, "__name__", one.name) for one in (other.gate, gate))
            raise ValueError(
                f"{name} must have the gate {theirs} of the population's receptor {of}, got {ours}. Use another "
                "population."
            )
        raise ValueError(
            f"{name}.{gate.name} must be {other.gate.value:g} {gate.unit} like that of the population's other {of} "
            f"receptors, got {gate.value:g} {gate.unit}."
        )
