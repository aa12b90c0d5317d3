"""What is under way to a population and what has arrived: rings, one row of lanes per step, and synaptic states."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._clock.kernels import layout
from izhnumba._engine.table import Table
from izhnumba._synapse.receptors import NMDA, Delta, GapJunction, Propagator, Receptor

Array = NDArray[Any]


class Port:
    """A receptor of a population: the ring of spikes under way to it, and its states y and x; or, of one that acts for
    several steps, the sum y of what has arrived in these, and parts of that sum, x (see `sum_latest`)."""

    def __init__(self, arrivals: Arrivals, receptor: Receptor, lanes: int, dtype: np.dtype[Any], dt: float) -> None:
        self.receptor, self._arrivals = receptor, arrivals
        self.states, *numbers, self.steps = _checked_propagator(receptor, dt)
        self.numbers = np.array([*numbers, receptor.E or 0.0], dtype)
        n_y, n_x = state_sizes(receptor, dt, lanes)
        if self.steps > 1:
            where, cure = f"{type(receptor).__name__}.duration", "Use a shorter one, or a longer dt."
            checks.fits(where, n_x * dtype.itemsize, cure)
        self.y, self.x = np.zeros(n_y, dtype), np.zeros(n_x, dtype)
        self.current = np.zeros(0, dtype)  # in the last step, if somebody records it

        self.target = (
            layout.TO_CURRENT if receptor.E is None else layout.TO_CONDUCTANCE
        )  # what y is, in the kernel's words
        if isinstance(receptor, (NMDA, GapJunction)):
            self.target = layout.TO_BLOCKED if isinstance(receptor, NMDA) else layout.TO_GAP

    def note_current(self) -> Array:
        """From now on the current of each step is noted in this array."""
        if not self.current.size:
            self.current = np.zeros(self.ring.shape[1], self.ring.dtype)
        return self.current

    @property
    def ring(self) -> Array:
        """What is under way, a row of lanes for each step."""
        return self._arrivals.ring_of(self)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way and nothing is left of what has arrived."""
        return not any(array.any() for array in (self.ring, self.y, self.x))

    def clear(self) -> None:
        for array in (self.ring, self.y, self.x):
            array[...] = 0


def _checked_propagator(receptor: Receptor, dt: float) -> Propagator:
    """That of a receptor, which may be a user's own: kernels trust it."""
    found: Any = receptor.propagator(dt)
    good = isinstance(found, Propagator) and found.states in (0, 1, 2) and all(map(math.isfinite, found[1:]))
    if not good or found.steps < 1 or (found.steps > 1 and found.states > 0):
        raise ValueError(
            f"{type(receptor).__name__}.propagator must return a Propagator of 0, 1 or 2 states, all finite, or of "
            f"several steps without states, got {found!r:.80}."
        )
    return Propagator(*found)


def state_sizes(receptor: Receptor, dt: float, lanes: int) -> tuple[int, int]:
    """Of y and x."""
    found = _checked_propagator(receptor, dt)
    if found.steps > 1:
        return lanes, (found.steps + 1) * lanes
    return lanes * (found.states > 0), lanes * (found.states > 1)


class Kinds(NamedTuple):
    """Whether there are V jumps, other receptors, and conductances; mM of magnesium, 0 if nothing is blocked."""

    jumps: bool
    receptors: bool
    conductances: bool
    magnesium: float


class Arrivals:
    """The ports of one population, in the order in which they were connected, and the length of their rings."""

    def __init__(self, lanes: int, dtype: np.dtype[Any], dt: float) -> None:
        self._lanes, self._dtype, self._dt = lanes, dtype, dt
        self.laid: tuple[int, dict[Port, Array]] = 1, {}  # length of the rings, and these: one object for Ctrl-C
        self._bound: Any = None  # which rings and noted currents are in the table, and where drives of ports go

    @property
    def ports(self) -> list[Port]:
        """All of them, in order."""
        return list(self.laid[1])

    @property
    def steps(self) -> int:
        """Length of the rings."""
        return self.laid[0]

    def ring_of(self, port: Port) -> Array:
        return self.laid[1][port]

    def port(self, receptor: Receptor) -> Port:
        """The port of this receptor, or of one equal to it."""
        for port in self.ports:
            if port.receptor == receptor:
                return port
            if isinstance(receptor, NMDA) and isinstance(port.receptor, NMDA) and receptor.Mg != port.receptor.Mg:
                raise ValueError(
                    f"NMDA.Mg must be {port.receptor.Mg:g} mM like that of the population's other NMDA receptors, got "
                    f"{receptor.Mg:g} mM."
                )
        port, (steps, rings) = Port(self, receptor, self._lanes, self._dtype, self._dt), self.laid
        self.laid = steps, rings | {port: np.zeros((steps, self._lanes), self._dtype)}
        return port

    def lay(self, steps: int, now: int, wanted: Container[Port | None]) -> None:
        """Make rings of this many steps, enough for what is under way at step `now`, which stays so. Of the ports those
        that are `wanted` stay, and others that are not at rest: a call of `connect` that was stopped leaves one."""
        before, rings = self.laid
        kept = [port for port in rings if port in wanted or not port.at_rest]
        if steps == before and len(kept) == len(rings):
            return
        n_bytes = (steps - before) * len(kept) * self._lanes * self._dtype.itemsize
        checks.fits("Network.connect.delay", n_bytes, "Use shorter delays, or float32.")
        self.laid = steps, {port: self._resized(rings[port], steps, now) for port in kept}

    def under_way(self, now: int) -> int:
        """In how many steps from `now` on the last of what is under way will have arrived."""
        ahead = (np.arange(self.steps) - now) % self.steps
        return max((int(ahead[ring.any(axis=1)].max(initial=-1)) + 1 for ring in self.laid[1].values()), default=0)

    def _resized(self, ring: Array, steps: int, now: int) -> Array:
        before = len(ring)
        if steps == before:
            return ring
        slots, longer = now + np.arange(min(before, steps)), np.zeros((steps, self._lanes), self._dtype)
        longer[slots % steps] = ring[slots % before]
        return longer

    def kinds(self) -> Kinds:
        """What there is among these."""
        jumps = [isinstance(port.receptor, Delta) for port in self.ports]
        targets = {port.target for port in self.ports}
        magnesium = [port.receptor.Mg for port in self.ports if isinstance(port.receptor, NMDA)]
        return Kinds(
            any(jumps), not all(jumps), bool(targets & {layout.TO_CONDUCTANCE, layout.TO_GAP}), *magnesium[:1] or [0.0]
        )

    def bind(self, table: Table, drives: dict[Port, Array]) -> None:
        """Put the ports, and what arrives at them from outside in the next steps, in a population's table."""
        noted = [port.current.size for port in self.laid[1]]
        if self._bound is None or self._bound[0] is not self.laid or self._bound[1] != noted:
            self._bind_ports(table, noted)
        assert self._bound is not None
        for port, (place, entry) in self._bound[2].items():
            _put_drive(place, entry, drives.get(port))

    def _bind_ports(self, table: Table, noted: list[int]) -> None:
        self._bound = None
        ports = [port for port in self.laid[1] if not isinstance(port.receptor, Delta)]
        rows = np.zeros((len(ports), layout.PORT_SIZE), np.int64)
        places = {port: (Table(row), layout.PORT_DRIVE) for port, row in zip(ports, rows, strict=True)}
        for port, (row, _) in places.items():
            row[[layout.PORT_TARGET, layout.PORT_STATES, layout.PORT_STEPS]] = port.target, port.states, port.steps
            row.put_all(
                {
                    layout.PORT_RING: port.ring,
                    layout.PORT_Y: port.y,
                    layout.PORT_X: port.x,
                    layout.PORT_NUMBERS: port.numbers,
                }
            )
            if port.current.size:
                row.put(layout.PORT_CURRENT, port.current)
        table[[layout.N_PORTS, layout.RING_STEPS, layout.INPUT_DELTA]] = 0, self.steps, 0
        for port in self.laid[1]:
            if isinstance(port.receptor, Delta):
                table.put(layout.DELTA_RING, port.ring)
                places[port] = table, layout.INPUT_DELTA
        table.put(layout.PORTS, rows, places)
        table[layout.N_PORTS] = len(rows)
        self._bound = self.laid, noted, places

    def clear(self) -> None:
        """Nothing is under way and nothing has arrived."""
        for port in self.ports:
            port.clear()

    def state(self) -> dict[str, Array]:
        """What `restore` needs to go on from here, as arrays."""
        return {f"{name}{k}": getattr(port, name).copy()
                for k, port in enumerate(self.ports) for name in ("ring", "y", "x")}  # fmt: skip

    def restore(self, state: dict[str, Array]) -> None:
        for k, port in enumerate(self.ports):
            for name in ("ring", "y", "x"):
                getattr(port, name)[...] = state[f"{name}{k}"]


def _put_drive(table: Table, entry: int, rows: Array | None) -> None:
    """Point an input at rows of shape (steps or 1, lanes or 1), or at nothing."""
    if rows is None:
        table[entry] = 0
    elif not table.points_at(entry, rows):
        stride = rows.shape[1] if len(rows) > 1 else 0
        table.put(entry, rows, also={entry + layout.STRIDE: stride, entry + layout.SHARED: int(rows.shape[1] == 1)})
