"""The exact engine of a population: its neurons as cells, rows of numbers in normal form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._exact_blocks import Block, bounds
from izhnumba._exact_ports import ExactPort, Wave
from izhnumba._kernels import exact_table as t
from izhnumba._kernels.table import MAX_PARAMETERS
from izhnumba._models import Model
from izhnumba._normal_form import NormalForm, normal_form
from izhnumba._receptors import Receptor

Array = NDArray[Any]
_STILL = 1e-3  # 1/ms^2: input that the trapping rectangle bears
_SOFT = {"hard": 0, "soft": 1, "overshoot": 2}


class ExactEngine:
    """Cells of n neurons, in blocks. `V` and `u` show the state at the time to which the population has come."""

    def __init__(self, model: Model, reset: str, n: int, V: Array, u: Array, spikes: Array) -> None:
        self.model, self.n, self.V, self.u, self.spikes = model, n, V, u, spikes
        self.dtype, self.item, self.padded = np.dtype(np.float64), 8, V.size
        self.table = np.zeros(t.TABLE_SIZE, np.int64)
        self.ports: list[ExactPort] = []
        self._parameters: dict[str, Array] = {}
        self._tau_ref = np.zeros(n)
        self._kept: dict[int, Array] = {}
        self.next = self._put(t.NEXT, np.zeros(n))
        self.last = self._put(t.LAST, np.full(n, -np.inf))
        self._block_tables = self._put(t.BLOCKS, np.zeros((len(bounds(n)), t.BLOCK_SIZE), np.int64))
        self.table[[t.N, t.N_BLOCKS, t.SOFT]] = n, len(self._block_tables), _SOFT[reset]
        self.blocks = [Block(row, *ends, 1) for row, ends in zip(self._block_tables, bounds(n), strict=True)]
        self.form: NormalForm | None = None
        self._new_parameters = True
        self._shown = np.full((2, n), np.nan)
        self.cells = np.zeros((n, 0))
        self._laid: list[ExactPort] = []
        self._piece: Any = None
        self.now = 0.0

    def _put(self, entry: int, array: Array) -> Array:
        self._kept[entry] = array
        self.table[entry] = array.ctypes.data
        return array

    # --- what it is made of ---------------------------------------------------------------------------------------

    def set_parameter(self, name: str, values: Array) -> None:
        """values: () or (n,)."""
        self._parameters[name] = np.ascontiguousarray(np.broadcast_to(values, (self.n,)), np.float64)
        self._new_parameters = True

    def set_refractory(self, tau_ref: Array) -> None:
        """tau_ref: ms, () or (n,)."""
        self._tau_ref = np.array(np.broadcast_to(tau_ref, (self.n,)), np.float64)
        if self.cells.size:
            self._more(t.TAU_REF)[:] = self._tau_ref

    def port(self, receptor: Receptor | Wave) -> ExactPort:
        """The port of this receptor, or of one equal to it."""
        for port in self.ports:
            if port.receptor == receptor:
                return port
        self.ports.append(ExactPort(receptor))
        return self.ports[-1]

    def _p(self) -> Any:
        return self.model.named_tuple()(*(self._parameters[name] for name in self.model.parameters))

    # --- cells ----------------------------------------------------------------------------------------------------

    def _more(self, which: int) -> Array:
        return self.cells[:, self.bench.n_cell + which]

    def _lay(self) -> None:
        """Lay out the cells for the ports there are."""
        from izhnumba._kernels.taylor import Bench, PortKind

        before, old = self.cells, getattr(self, "bench", None)
        states = {id(port): self._states_of(port).copy() for port in self._laid}
        with_states = [port for port in self.ports if port.states]
        self.kinds = tuple(PortKind(port.states, port.conductance) for port in with_states)
        self.bench = B = Bench(self.kinds)
        self.cells = self._put(t.CELLS, np.zeros((self.n, B.n_cell + t.N_MORE + B.n_z)))
        self._laid = with_states
        if old is None:
            self.cells[:, B.HELD] = -np.inf
            self._more(t.SINCE)[:] = -np.inf
        else:
            self.cells[:, : B.Z] = before[:, : B.Z]
            self.cells[:, B.I] = before[:, old.I]
            for entry in (t.SINCE, t.COUNT):
                self._more(entry)[:] = before[:, old.n_cell + entry]
            for port in with_states:
                if id(port) in states:
                    self._states_of(port)[:] = states[id(port)]
        self.table[t.CELL_SIZE] = self.cells.shape[1]
        self._put(t.NUMBERS, np.array([x for port in with_states for x in port.linear] or [0.0]))
        self._put(t.INLETS, np.array([self._inlet(port) for port in self.ports], np.int64).reshape(-1))
        for block in self.blocks:
            block.lay_bench(B.size)
        for number, port in enumerate(with_states):
            port.source = t.OF_PORT + number
        self._new_parameters = True

    def _states_of(self, port: ExactPort) -> Array:
        k = self._laid.index(port)
        first = self.bench.Z + self.bench.first_states()[k]
        return self.cells[:, first : first + port.states]

    def _inlet(self, port: ExactPort) -> list[int]:
        row = self.bench.X
        if port.states:
            row = self.bench.Z + self.bench.first_states()[self._laid.index(port)] + port.states - 1
        return [row, port.scale, int(np.float64(port.factor).view(np.int64))]

    def _fill(self, V: Array, u: Array) -> None:
        """Put parameters and the state into the cells."""
        B, form, cells = self.bench, normal_form(self.model, self._p()), self.cells
        before, self.form = self.form, form
        cells[:, B.X], cells[:, B.Y] = form.x(V), form.y(u)
        if before is not None:  # what has arrived is kept in the unit of the normal form
            for port in self._laid:
                new, old = ((f.gI if port.conductance else f.p * f.gI) for f in (form, before))
                self._states_of(port)[:] *= np.reshape(new / old, (-1, 1))
            cells[:, B.I] *= (form.p * form.gI) / (before.p * before.gI)
        for row, values in ((B.A, form.A), (B.B, form.B), (B.C, form.C), (B.THETA, form.theta), (B.KAPPA, form.kappa)):
            cells[:, row] = values
        cells[:, B.LEMMA] = np.where(form.kappa == 0, form.theta**2, -np.inf)
        reversal = [port for port in self._laid if port.conductance]
        for k, port in enumerate(reversal):
            cells[:, B.XE + k] = form.x(port.receptor.E)
        for which, values in (
            (t.JUMP, form.p), (t.CURRENT, form.p * form.gI), (t.CONDUCTANCE, form.gI), (t.P, form.p),
            (t.HALF, form.half), (t.Y0, form.y0), (t.GU, form.gu), (t.TAU_REF, self._tau_ref),
        ):  # fmt: skip
            self._more(which)[:] = values
        addresses = np.zeros(MAX_PARAMETERS, np.int64)
        for k, name in enumerate(self.model.parameters):
            addresses[k] = self._parameters[name].ctypes.data
        self._put(t.PARAMETERS, addresses)
        self._new_parameters = False

    def trap(self, wanted: bool) -> None:
        """Find the rectangles within which neurons without further input stay silent for ever."""
        from izhnumba._exact_trap import rectangle

        B, form = self.bench, self.form
        x = rectangle(form, self.cells[:, B.I], _STILL) if wanted else np.tile([[1.0], [-1.0]], (2, self.n))
        for which, values in zip((t.X_LOW, t.X_HIGH, t.Y_LOW, t.Y_HIGH), x, strict=True):
            self._more(which)[:] = values
        self._more(t.STILL)[:] = _STILL
        size = np.abs(x[:2]).max(0)
        for k, port in enumerate(self._laid):
            first = B.first_states()[k]
            for j, reach in enumerate(port.reach):
                bound = size + np.abs(form.x(port.receptor.E)) if port.conductance else 1.0
                self.cells[:, B.n_cell + t.N_MORE + first + j] = reach * bound

    # --- what the kernels need ------------------------------------------------------------------------------------

    def touched(self) -> bool:
        """Whether somebody has set V, u or parameters since they were shown, or added a receptor."""
        changed = not np.array_equal(self._shown, np.stack([self.V[: self.n], self.u[: self.n]]))
        return changed or self._new_parameters or self._laid != [port for port in self.ports if port.states]

    def take_up(self, now: float) -> None:
        """Go on from V, u and parameters as they are. All cells stand at the time `now`."""
        V, u = self.V[: self.n], self.u[: self.n]
        changed = np.flatnonzero((V != self._shown[0]) | (u != self._shown[1]))
        fresh = self.form is None
        if [port for port in self.ports if port.states] != self._laid or fresh:
            self._lay()
        if self._new_parameters:
            x, y = self.cells[:, self.bench.X].copy(), self.cells[:, self.bench.Y].copy()
            same = None if fresh else self.form
            self._fill(V, u)
            if same is not None and _equal(same, self.form):  # only a layout: the bits stay
                keep = np.ones(self.n, bool)
                keep[changed] = False
                self.cells[keep, self.bench.X], self.cells[keep, self.bench.Y] = x[keep], y[keep]
        elif changed.size:
            self.cells[changed, self.bench.X] = self.form.x(V)[changed]
            self.cells[changed, self.bench.Y] = self.form.y(u)[changed]
        self.cells[:, self.bench.T] = now
        self.next[:] = now

    def compile(self) -> None:
        """Put the kernels' addresses into the table."""
        from izhnumba._kernels.exact import ExactVariant, advance
        from izhnumba._kernels.exact_look import look

        self.table[t.ADVANCE] = advance(ExactVariant(self.model, self.kinds))
        self.table[t.LOOK] = look(self.kinds)

    def pieces(self, breaks: Array, rows: Array, values: Array) -> None:
        """Values (pieces, rows, n or 1) of some rows of the cells, each from its break on. The first one holds now."""
        self._put(t.BREAKS, breaks)
        self._put(t.PIECE_ROWS, rows)
        self._put(t.PIECE_VALUES, np.ascontiguousarray(values))
        self.table[[t.PIECE, t.N_PIECES, t.N_PIECE_ROWS]] = 0, len(breaks), rows.size
        self.table[t.PIECE_STRIDE] = values.shape[2] > 1

    def look(self, network: Array, what: int, lanes: Array, values: Array) -> None:
        """What is asked for at the present, of some neurons."""
        from izhnumba._kernels.exact_look import read

        record, bench = np.zeros(t.RECORD_SIZE, np.int64), np.zeros(self.bench.size * 8)
        record[[t.RECORD_TABLE, t.RECORD_ROOM, t.RECORD_N]] = self.table.ctypes.data, 1, lanes.size
        record[[t.RECORD_LANES, t.RECORD_PLACES]] = lanes.ctypes.data
        record[[t.RECORD_WHAT, t.RECORD_SAMPLES, t.RECORD_BENCH]] = what, values.ctypes.data, bench.ctypes.data
        read(self.kinds)(network, record)

    def collect(self) -> None:
        """Take the spikes of all blocks since the last time, in order of time and neuron."""
        pieces = [block.take_spikes() for block in self.blocks]
        i, when = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        order = np.lexsort((i, when))
        self.spiked = i[order], when[order]
        self.spikes[:] = 0
        self.spikes[i] = 1

    def failure(self) -> tuple[int, float] | None:
        """The first neuron that ran away, and when."""
        found = [(row[t.FAILED_TIME : t.FAILED_TIME + 1].view(np.float64)[0], int(row[t.FAILED_NEURON]))
                 for row in self._block_tables if row[t.FAILED]]  # fmt: skip
        return min(found)[::-1] if found else None


def _equal(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
