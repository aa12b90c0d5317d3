"""What is under way to a population and what has arrived: rings, one row of lanes per step, and synaptic states."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks
from izhnumba._kernels import table as t
from izhnumba._receptors import NMDA, Delta, GapJunction, Receptor

Array = NDArray[Any]


class Port:
    """A receptor of a population: the ring of spikes under way to it, and its states y and x."""

    def __init__(self, receptor: Receptor, lanes: int, dtype: np.dtype[Any], dt: float) -> None:
        self.receptor = receptor
        self.ring = np.zeros((1, lanes), dtype)
        self.states, *numbers = receptor.propagator(dt)
        self.numbers = np.array([*numbers, receptor.E or 0.0], dtype)
        self.y = np.zeros(lanes if self.states > 0 else 0, dtype)
        self.x = np.zeros(lanes if self.states > 1 else 0, dtype)
        self.current = np.zeros(0, dtype)  # in the last step, if somebody records it

        self.target = t.TO_CURRENT if receptor.E is None else t.TO_CONDUCTANCE  # what y is, in the kernel's words
        if isinstance(receptor, (NMDA, GapJunction)):
            self.target = t.TO_BLOCKED if isinstance(receptor, NMDA) else t.TO_GAP

    def note_current(self) -> Array:
        """From now on the current of each step is noted in this array."""
        if not self.current.size:
            self.current = np.zeros(self.ring.shape[1], self.ring.dtype)
            vars(self).pop("addresses", None)
        return self.current

    def lay(self, steps: int) -> None:
        """Make a ring of so many steps."""
        self.ring = np.zeros((steps, self.ring.shape[1]), self.ring.dtype)
        vars(self).pop("addresses", None)

    @cached_property
    def addresses(self) -> list[int]:
        """Of the ring, the states, the numbers and the current, 0 if it is not noted."""
        arrays = (self.ring, self.y, self.x, self.numbers)
        return [*(array.ctypes.data for array in arrays), self.current.ctypes.data if self.current.size else 0]

    def clear(self) -> None:
        for array in (self.ring, self.y, self.x):
            array[...] = 0


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
        self.ports: list[Port] = []
        self.steps = 1
        self._bound: list[Array] = []  # must stay alive as long as the kernel may read it

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
        self.ports.append(Port(receptor, self._lanes, self._dtype, self._dt))
        self.ports[-1].lay(self.steps)
        return self.ports[-1]

    def lay(self, steps: int, now: int) -> None:
        """Make rings of this many steps, enough for what is under way at step `now`, which stays so."""
        n_bytes = (steps - self.steps) * len(self.ports) * self._lanes * self._dtype.itemsize
        _checks.fits("Network.connect.delay", n_bytes, "Use shorter delays, or float32.")
        before, self.steps = self.steps, steps
        for port in self.ports:
            under_way, slots = port.ring, now + np.arange(min(before, steps))
            port.lay(steps)
            port.ring[slots % steps] = under_way[slots % before]

    def kinds(self) -> Kinds:
        """What there is among these."""
        jumps = [isinstance(port.receptor, Delta) for port in self.ports]
        targets = {port.target for port in self.ports}
        magnesium = [port.receptor.Mg for port in self.ports if isinstance(port.receptor, NMDA)]
        return Kinds(any(jumps), not all(jumps), bool(targets & {t.TO_CONDUCTANCE, t.TO_GAP}), *magnesium[:1] or [0.0])

    def bind(self, table: Array, drives: dict[Port, Array]) -> None:
        """Put the ports, and what arrives at them from outside in the next steps, in a population's table."""
        rows = []
        table[[t.RING_STEPS, t.INPUT_JUMP]] = self.steps, 0
        for port in self.ports:
            drive, outside = drives.get(port), [0, 0, 0]
            if drive is not None:
                outside = [drive.ctypes.data, drive.shape[1] if len(drive) > 1 else 0, int(drive.shape[1] == 1)]
            if isinstance(port.receptor, Delta):
                table[t.JUMP_RING] = port.addresses[0]
                table[t.INPUT_JUMP : t.INPUT_JUMP + 3] = outside
            else:
                ring, y, x, numbers, current = port.addresses
                rows.append([port.target, port.states, ring, y, x, numbers, *outside, current])
        packed = np.array(rows, np.int64).reshape(-1)
        self._bound = [packed, *drives.values()]
        table[[t.PORTS, t.N_PORTS]] = packed.ctypes.data, len(rows)

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
