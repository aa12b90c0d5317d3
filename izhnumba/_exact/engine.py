"""The exact engine of a population: state and constants of each neuron as a row of numbers, in normal form."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.partition import partition
from izhnumba._engine.arrays import StateArrays
from izhnumba._engine.protocol import Failure, Record, SpikeList
from izhnumba._engine.states import STATES
from izhnumba._engine.table import Table
from izhnumba._engine.timebase import Continuous
from izhnumba._exact.blocks import blocks_of, put_under_way, shared, simd_rows, under_way
from izhnumba._exact.kernels import layout
from izhnumba._exact.kernels.simd_rows import ReceptorKind, SimdRows
from izhnumba._exact.network import ExactNetwork
from izhnumba._exact.plasticity import ExactPlastic
from izhnumba._exact.receptors import ReceptorState, Steady, Waves, described
from izhnumba._model.model import Model
from izhnumba._model.normal_form import NormalForm, normal_form
from izhnumba._model.quantity import MAX_PARAMETERS
from izhnumba._model.schemes import Scheme
from izhnumba._synapse.csr import SynapseTable, TargetLanes
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptor import Receptor

Array = NDArray[Any]
_MOST_NUMBER = np.iinfo(layout.EVENT["rule"]).max  # of inlets and rules, in events
_STATE = ("V", "u", "shown", "spikes", "last", "next")
_SOFT = {"hard": 0, "soft": 1, "overshoot": 2}


class ExactEngine:
    """n neurons, in blocks. `states`, (n, STATE_SIZE), holds the state of each at a time of its own (`kernels.layout`).

    `V` and `u`, arrays of the population, get the state of now from `publish_state`. If the user writes to them, or
    sets a parameter, `load_state` makes the states anew before the next advance. Parameters: see `PopulationEngine`."""

    def __init__(self, model: Model, scheme: Scheme, reset: str, n: int, dt: float, state: StateArrays) -> None:
        self.model, self.n, self.padded, self.time = model, n, state.V.size, Continuous(dt)
        self.dtype, self.item, self.empty = np.dtype(np.float64), 8, np.empty(0)
        self.table = Table(layout.TABLE_SIZE)
        self.V, self.u = self.table.put(layout.V, state.V), self.table.put(layout.U, state.u)
        self.spikes = state.spikes
        self.shown = self.table.put(layout.SHOWN, np.full((2, n), np.nan))
        self.next = self.table.put(layout.NEXT, np.zeros(n + layout.LANES))[:n]
        self.last = self.table.put(layout.LAST, np.full(n, -np.inf))
        self.blocks = blocks_of([(0, n)])
        self.table[[layout.N, layout.SOFT]] = n, _SOFT[reset]
        self.receptors: list[ReceptorState] = []
        self.laid: list[ReceptorState] | None = None  # receptors with a place in `states`; None before `load_state`
        self._in_tables: list[ReceptorState] = []  # receptors that kernels know
        self.connected: set[ReceptorState] = set()  # receptors that synapses and drives of a network use
        self.form: NormalForm | None = None
        self._parameters, self._tau_ref, self._changed = dict[str, Array](), np.zeros(n), True
        self._simd_rows: tuple[list[ReceptorState] | None, SimdRows] | None = None  # with the receptors it is for
        self._pieces: dict[int, Any] = {}
        self.settled: object = None  # an input of which no piece is to come, with the number of the layout
        self._rules: list[tuple[list[int], Table]] = []
        self.layout = 0  # counts the layouts of `states`
        self.latest: tuple[object, Any] = (
            None,
            None,
        )  # a constant current of a population by itself, as a key; its feeds
        self.alike = True  # whether currents and conductances have one scale for all neurons
        # `_inventory` or, at first, (), while `states` are made anew
        self.before: tuple[NormalForm, dict[Any, Array]] | tuple[()] | None = None
        self.clock = ExactNetwork(dt)
        self.clock.take_over([self], {}, np.inf, 0.0)

    # --- parameters and receptors ---------------------------------------------------------------------------------

    def set_clock(self, scheme: Scheme, dt: float) -> None:
        """Set dt, the default sampling interval of a network, ms."""
        self.time = Continuous(dt)

    def check_parameter(self, where: str, name: str, values: Array) -> None:
        """Refuse a floor of V."""
        if name == "V_min" and not np.all(np.isneginf(values)):
            raise ValueError(
                f"{where} must be -inf with the scheme 'exact', whose equations have no floor, got "
                f"{np.max(values):g}. Use a clock scheme such as 'rk4'."
            )

    def check_parameters(self) -> None:
        """Refuse parameters that have no normal form."""
        self.normal_form()

    def set_parameter(self, name: str, values: Array) -> None:
        """Set a parameter, V_min or tau_ref: shape () or (n,), in its unit."""
        wanted = np.array(np.broadcast_to(values, (self.n,)), np.float64)
        if name == "tau_ref":
            self._tau_ref = wanted
        elif name in self.model.parameters:
            self._parameters[name] = wanted
        self._changed = True

    def receptor_state(self, receptor: Receptor | Waves | Steady) -> ReceptorState:
        """The state of this receptor, or of one equal to it; a new one if there is none."""
        for known in self.receptors:
            if known.definition == receptor:
                return known
        self.receptors.append(self._new_receptor(receptor))
        return self.receptors[-1]

    def _new_receptor(self, receptor: Receptor | Waves | Steady) -> ReceptorState:
        if len(self.receptors) > _MOST_NUMBER:
            raise ValueError(f"Network receptors of a population must be at most {_MOST_NUMBER + 1}, got one more.")
        return ReceptorState(receptor)

    def check_receptor(self, receptor: Receptor) -> None:
        """Refuse receptors that have no linear equations, and more receptors than events can name."""
        if all(known.definition != receptor for known in self.receptors):
            self._new_receptor(receptor)

    def target_lanes(self, first: int) -> TargetLanes:
        """How a table of synapses onto the neurons from `first` on numbers them, and counts delays."""
        return TargetLanes(self.padded, first, self.dtype, continuous=True)

    def plastic_state(self, rule: Plasticity, rows: SynapseTable, first_weights: Callable[[], Array]) -> ExactPlastic:
        """The state of plastic synapses onto these neurons. first_weights: gives the weights at the start."""
        return ExactPlastic(rule, rows, self.padded, self.time, first_weights)

    @property
    def outer_receptors(self) -> list[ReceptorState]:
        """Receptors through which spikes come."""
        return [receptor for receptor in self.receptors if not receptor.inner]

    def keep(self, wanted: set[ReceptorState]) -> None:
        """Drop receptors that a stopped call may have left: those that kernels do not know, and that are neither in
        `wanted` nor in use."""
        wanted = wanted | self.connected
        self.receptors = [receptor for receptor in self.receptors if receptor in self._in_tables or receptor in wanted]

    def normal_form(self) -> NormalForm:
        """The normal form of the neurons with their parameters of now; an error if there is none."""
        return normal_form(self.model, self.model.named_tuple()(*map(self._parameters.get, self.model.parameters)))

    # --- time -----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.clock.now

    @property
    def reliable(self) -> float:
        """The time up to which V and u were finite, ms."""
        return self.now

    def prepare(self, until: float, inputs: Any, threads: int) -> None:
        self.clock.prepare(until, inputs, threads)

    def advance(self, until: float) -> int:
        return self.clock.advance(until)

    def threads_for(self, until: float, stop: float, wanted: int | None) -> int:
        return self.clock.threads_for(until, stop, wanted)

    def publish_state(self) -> int:
        return self.clock.publish_state()

    def record(self, wanted: Sequence[Record | SpikeList]) -> None:
        self.clock.record(wanted)

    def source_of(self, state: str, receptor: ReceptorState | None = None) -> tuple[str, ReceptorState | None]:
        """Key from which `record` reads one of STATES. receptor: for a state of one."""
        return state, receptor

    def what(self, source: tuple[str, ReceptorState | None]) -> int:
        """The number by which `kernels.sample` knows a source: receptors are counted as the cells hold them."""
        state, receptor = source
        return list(STATES).index(state) + len(STATES) * (self.laid.index(receptor) if self.laid and receptor else 0)

    @property
    def fired(self) -> bool:
        """Whether there are spikes in the last call, perhaps later than now."""
        return any(block.table[layout.N_SPIKES] for block in self.blocks)

    def spike_list(self, since: float) -> tuple[Array, Array]:
        """Neurons, int64, and times (ms) of the spikes of the last advance, in order of time and neuron."""
        pieces = [block.spikes(self.now) for block in self.blocks]
        i, when = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        order = np.argsort(when)  # faster than by both, of which only spikes at one time are in need
        i, when = i[order], when[order]
        if np.any(when[1:] == when[:-1]):
            order = np.lexsort((i, when))
            i, when = i[order], when[order]
        return i, when

    def failure(self) -> Failure | None:
        """The first neuron that ran away; None if none did."""
        return min([found for block in self.blocks if (found := block.failure())], default=None)

    def warning(self) -> str:
        return ""  # it never returns LEAP

    def last_spike_time(self) -> Array:
        return self.last.copy()

    def refractory(self) -> Array:
        """Mask of the neurons in the refractory period of their last spike, (n,)."""
        return self.last + self._tau_ref > self.now

    def conductances(self, receptor: ReceptorState) -> Array:
        """The conductance of a receptor in each neuron, (n,), 1/ms or nS, at the time of its state."""
        if receptor not in (self.laid or ()):
            return np.zeros(self.n)
        return np.asarray(self.states[:, self.states_of(receptor).start] / self.extra(layout.CONDUCTANCE))

    # --- states ---------------------------------------------------------------------------------------------------

    @property
    def simd_rows(self) -> SimdRows:
        """Numbers of the first columns of `states`, which are those of the SIMD rows."""
        if self._simd_rows is None or self._simd_rows[0] is not self.laid:
            kinds = tuple(ReceptorKind(receptor.states, receptor.conductance) for receptor in self.laid or ())
            self._simd_rows = self.laid, SimdRows(kinds)
        return self._simd_rows[1]

    def extra(self, which: int) -> Array:
        """Per-neuron constant `which` of `layout`, such as CURRENT, shape (n,): a column of `states`."""
        return self.states[:, self.simd_rows.n_loaded + which]

    def states_of(self, receptor: ReceptorState) -> slice:
        """The columns of `states` that hold the states of a receptor."""
        assert self.laid is not None
        first = self.simd_rows.Z + self.simd_rows.first_states()[self.laid.index(receptor)]
        return slice(first, first + receptor.states)

    def has_changed(self) -> bool:
        """Whether V, u, parameters or receptors differ from those that `states` was made of."""
        V, u = self.shown
        same = np.array_equal(V, self.V[: self.n]) and np.array_equal(u, self.u[: self.n])
        return not same or self._changed or self.before is not None or self.receptors != self._in_tables

    def load_state(self) -> None:
        """Make `states` anew, at the time of now, from V, u, parameters and receptors."""
        if self.before is None:  # else an interrupt has come in here
            self.before = () if self.laid is None or self.form is None else self._inventory()
        self.form = NormalForm(*np.array([np.broadcast_to(values, (self.n,)) for values in self.normal_form()]))
        self.laid = [receptor for receptor in self.receptors if receptor.states]
        R = self.simd_rows
        self.states = np.zeros((self.n, R.n_loaded + layout.N_EXTRA + R.n_z))
        self._fill()
        self.states[:, R.T] = self.now
        self.states[:, R.REFRACTORY_UNTIL] = self.extra(layout.SINCE)[:] = -np.inf
        V, u = self.V[: self.n], self.u[: self.n]
        self.states[:, R.X], self.states[:, R.Y] = self.form.x(V), self.form.y(u)
        if self.before:
            self._carry_over(*self.before)
        self._put_receptors()
        self.next[:] = self.now
        self._changed, self.before = False, None
        self.shown[...] = V, u  # last: what differs counts as set by the user

    def _inventory(self) -> tuple[NormalForm, dict[Any, Array]]:
        """The normal form, and the columns of `states` that stay in another layout, by name or receptor."""
        assert self.form is not None
        R = self.simd_rows
        columns: dict[Any, Array] = {row: self.states[:, row] for row in (R.X, R.Y, R.REFRACTORY_UNTIL)}
        columns |= {"I": self.states[:, R.I], "SINCE": self.extra(layout.SINCE), "COUNT": self.extra(layout.COUNT)}
        return self.form, columns | {receptor: self.states[:, self.states_of(receptor)] for receptor in self.laid or ()}

    def _carry_over(self, old: NormalForm, columns: dict[Any, Array]) -> None:
        """Write columns of the old `states` to the new ones, in the unit of the new normal form."""
        assert self.form is not None
        R, form = self.simd_rows, self.form
        set_by_user = (self.V[: self.n] != self.shown[0]) | (self.u[: self.n] != self.shown[1])
        alike = [np.broadcast_to(new == was, (self.n,)) for new, was in zip(form, old, strict=True)]
        kept = np.all(alike, axis=0) & ~set_by_user
        for row in (R.X, R.Y):  # not by way of V and u, which would round
            self.states[kept, row] = columns[row][kept]
        self.states[:, R.REFRACTORY_UNTIL] = columns[R.REFRACTORY_UNTIL]
        self.states[:, R.I] = columns["I"] * ((form.p * form.gI) / (old.p * old.gI))
        self.extra(layout.SINCE)[:], self.extra(layout.COUNT)[:] = columns["SINCE"], columns["COUNT"]
        for receptor in self.laid or ():
            if receptor in columns:
                unit = form.gI / old.gI * (1.0 if receptor.conductance else form.p / old.p)
                self.states[:, self.states_of(receptor)] = columns[receptor] * np.reshape(unit, (-1, 1))

    def _fill(self) -> None:
        """Write the constants that follow from the parameters to `states`."""
        assert self.form is not None
        R, form = self.simd_rows, self.form
        lemma = np.where(form.kappa == 0, form.theta**2, -np.inf)
        reversals = [form.x(np.asarray(receptor.E)) for receptor in self.laid or () if receptor.conductance]
        rows = [form.A, form.B, form.C, form.theta, form.kappa, lemma, *reversals]
        more = [form.p, form.p * form.gI, form.gI, form.p, form.half, form.y0, form.gu, self._tau_ref]
        for row, values in (*enumerate(rows, R.A), *enumerate(more, R.n_loaded)):
            self.states[:, row] = values
        self._put_parameters()

    def _put_parameters(self) -> None:
        """Write the addresses of the parameters to the table."""
        addresses = Table(MAX_PARAMETERS)
        addresses.put_all({k: self._parameters[name] for k, name in enumerate(self.model.parameters)})
        self.table.put_table(layout.PARAMETERS, addresses)

    def _fill_reach(self) -> None:
        """Write the factors by which receptors' states bound all input that will come of them to `states`."""
        assert self.form is not None
        R = self.simd_rows
        for receptor in self.laid or ():
            bound = 1.0 + np.abs(self.form.x(np.asarray(receptor.E))) if receptor.conductance else np.ones(1)
            first = R.n_loaded + layout.N_EXTRA + self.states_of(receptor).start - R.Z
            self.states[:, first : first + receptor.states] = np.outer(bound, receptor.reach)

    def _put_receptors(self) -> None:
        """Write `states`, and all that depends on its layout, to the table and its blocks."""
        self.layout += 1
        self._fill_reach()
        R, laid = self.simd_rows, self.laid or []
        self.table.put(layout.STATES, self.states, also={layout.STATE_SIZE: self.states.shape[1]})
        self.table.put(layout.NUMBERS, np.array([x for receptor in laid for x in receptor.linear] or [0.0]))
        known = list(itertools.takewhile(lambda receptor: not receptor.states or receptor in laid, self.receptors))
        inlets = [receptor.inlet(self.states_of(receptor).stop - 1 if receptor.states else R.X) for receptor in known]
        self.table.put(layout.INLETS, np.array(inlets, np.int64).reshape(-1))
        scales = np.array([self.extra(layout.CURRENT), self.extra(layout.CONDUCTANCE)])
        self.alike = bool(np.all(scales == scales[:, :1]))
        self.sample_simd_rows = simd_rows(R.size)
        record, everybody = Table(layout.RECORD_SIZE), np.arange(self.n)
        record[[layout.RECORD_TABLE, layout.RECORD_N]] = self.table.address, self.n
        record.put_all({layout.RECORD_NEURONS: everybody, layout.RECORD_PLACES: everybody})
        record.put(layout.RECORD_SIMD_ROWS, self.sample_simd_rows)
        self.table.put_table(layout.SHOWN_RECORD, record)
        for block in self.blocks:
            block.lay_simd_rows(R.size)
        self._in_tables = known

    # --- input ----------------------------------------------------------------------------------------------------

    @property
    def in_force(self) -> tuple[Any, ...] | None:
        """The description of the piece of the input that is in force, or None."""
        return self._pieces.get(int(self.table[layout.PIECE]))

    def set_pieces(self, breaks: Array, rows: Array, values: Array, descriptions: list[Any]) -> None:
        """Set the pieces of the input to come. breaks: when each begins, (pieces,), ms; rows: columns of `states`, the
        first that of the constant input; values: (pieces, rows, n or 1); descriptions: of pieces, for `in_force`."""
        first, n, self.settled = int(self.table[layout.PIECE]), len(breaks), None
        self._pieces = {first: self.in_force} | dict(enumerate(descriptions, first + 1))
        self.table.put(layout.BREAKS, np.concatenate([[-np.inf], breaks]))
        self.table.put(layout.PIECE_ROWS, rows)
        self.table.put(layout.PIECE_VALUES, np.concatenate([np.zeros((1, *values.shape[1:])), values]))
        self.table[[layout.FIRST_PIECE, layout.LAST_PIECE]] = first, first + n
        self.table[[layout.N_PIECE_ROWS, layout.PIECE_STRIDE]] = rows.size, values.shape[2] > 1

    def set_outside(self, events: Array) -> None:
        """Set the events from outside of the next advance, EVENT (k,). Their targets are neurons of the population."""
        for block, mine in zip(self.blocks, shared(self.blocks, events), strict=True):
            block.set_outside(mine, self.clock.per_ms)

    def under_way(self) -> Array:
        """The events that have not arrived, EVENT (k,). Their targets are neurons of the population."""
        return under_way(self.blocks)

    def put_under_way(self, events: Array) -> None:
        """Put events, EVENT (k,), into the slots of their times. Their targets are neurons of the population."""
        put_under_way(self.blocks, events, self.clock.per_ms)

    def cut(self, threads: int) -> None:
        """Have as few blocks as these threads can share evenly, for few fill their lanes best."""
        parts = partition(self.n)
        joined = len(parts) // threads if len(parts) % threads == 0 else 1
        edges = [(parts[k][0], parts[k + joined - 1][1]) for k in range(0, len(parts), joined)]
        if len(edges) != len(self.blocks):
            blocks, events = blocks_of(edges), self.under_way()
            for block in blocks:
                block.lay_slots(self.clock.n_slots)
                block.lay_simd_rows(self.simd_rows.size)
            put_under_way(blocks, events, self.clock.per_ms)
            self.layout += 1  # so that kernels get to know the blocks: before these, for Ctrl-C may come in between
            self.blocks = blocks

    def add_rule(self, row: list[int], projection: Table) -> int:
        """Take over the kernels of plastic synapses onto the population: their row in its table. Returns its number."""
        if len(self._rules) > _MOST_NUMBER:
            raise ValueError(
                f"Network.connect.plasticity must be for at most {_MOST_NUMBER + 1} calls to a population."
            )
        self._rules.append((row, projection))
        rows, tables = zip(*self._rules, strict=True)
        self.table.put(layout.PLASTIC, np.array(rows, np.int64).reshape(-1), tables)
        self.table[layout.N_PLASTIC] = len(rows)
        return len(rows) - 1

    def forget_rules(self) -> None:
        """Drop all rules of plasticity."""
        self.table[layout.N_PLASTIC] = 0
        self._rules = []

    def bind(self) -> None:
        """Compile the kernels of this population, and write their addresses and the blocks to the table."""
        from izhnumba._exact.kernels.advance import advance
        from izhnumba._exact.kernels.neuron import ExactVariant
        from izhnumba._exact.kernels.sample import sampling
        from izhnumba._exact.kernels.taylor_scalar import step_address

        kinds = self.simd_rows.receptors
        addresses = step_address(kinds), advance(ExactVariant(self.model, kinds)), sampling(kinds)
        self.table[[layout.STEP, layout.ADVANCE, layout.SAMPLE]] = addresses
        self.table.put(layout.BLOCKS, self.blocks[0].rows, self.blocks, also={layout.N_BLOCKS: len(self.blocks)})

    def state(self) -> dict[str, Any]:
        """A description, made of arrays and plain values, from which `restore` goes on to the last bit."""
        self.clock.finish_slice()
        if self.before is not None:  # an interrupt has come within `load_state`
            self.load_state()
        arrays = {name: getattr(self, name).copy() for name in _STATE}
        return arrays | {
            "ports": [receptor.describe() for receptor in self.receptors],
            "n_laid": -1 if self.laid is None else len(self.laid),
            "cells": None if self.laid is None else self.states.copy(),
            "form": None if self.form is None else np.array(self.form), "in_force": self.in_force, "now": self.now,
            "changed": self._changed, "events": self.under_way().view(np.uint8),
        }  # fmt: skip

    def prepare_for(self, state: dict[str, Any]) -> None:
        """Make the receptors of a state that is to be restored."""
        for one in state["ports"]:
            self.receptor_state(described(one))

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a description that `state` returned."""
        for name in _STATE:
            getattr(self, name)[...] = state[name]
        self.receptors = [self.receptor_state(described(one)) for one in state["ports"]]
        if state["cells"] is not None:
            self.laid = [receptor for receptor in self.receptors if receptor.states][: state["n_laid"]]
            self.states, self.form = state["cells"].copy(), NormalForm(*state["form"])
            self._put_parameters()
            self._put_receptors()
            self._pieces, self._changed = {int(self.table[layout.PIECE]): state["in_force"]}, state["changed"]
        if self.clock.engines == [self]:
            self.clock.now = state["now"]
        self.put_under_way(state["events"].view(layout.EVENT))

    def rewind(self) -> None:
        """Back to time 0, without spikes and events under way."""
        self.clock.now = 0.0
        self.last[:], self.spikes[:], self._pieces, self.laid, self.form = -np.inf, 0, {}, None, None
        self.table[layout.PIECE] = 0
        for block in self.blocks:
            block.clear()
        self._changed, self.before = True, None
