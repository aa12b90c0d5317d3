"""The clock-driven engine: owns the lanes of a population and runs the compiled loop over them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.partition import WORD
from izhnumba._base.words import counted
from izhnumba._clock.inputs import put_rows
from izhnumba._clock.kernels import layout
from izhnumba._clock.parameters import Parameters
from izhnumba._clock.plasticity import ClockPlastic
from izhnumba._clock.receptors import Arrivals, ReceptorState
from izhnumba._clock.reports import Reports, table_of
from izhnumba._engine.arrays import StateArrays, aligned
from izhnumba._engine.codes import FAILURE, LEAP, OK
from izhnumba._engine.protocol import Failure, Record, SpikeList
from izhnumba._engine.states import states_of
from izhnumba._engine.table import Table, address_of
from izhnumba._engine.timebase import Steps, refractory_steps
from izhnumba._model.equations import Variant
from izhnumba._model.model import Model
from izhnumba._model.schemes import Scheme
from izhnumba._numba.threads import alone, may_go_parallel, n_processors
from izhnumba._synapse.csr import SynapseTable, TargetLanes
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptor import Gate, Receptor

Array = NDArray[Any]
Call = tuple[Callable[[Array, Array, float], int], Array]  # a compiled call, and its first argument

_MOST_REFRACTORY = 2**29  # steps
_NEVER = -(2**30)  # refractory_until of a neuron that has not spiked

# Of each of `_engine.states.STATES` the array, shape (lanes,), that holds it after each step.
SOURCES: dict[str, Callable[[Any, Any], Array]] = {
    "V": lambda engine, receptor: engine.V,
    "u": lambda engine, receptor: engine.u,
    "current": lambda engine, receptor: receptor.note_current(),
}


class ClockEngine:
    """Padded state, parameters and the address table of `kernels.advance` for n neurons. Parameters: see
    `PopulationEngine`."""

    def __init__(self, model: Model, scheme: Scheme, reset: str, n: int, dt: float, state: StateArrays) -> None:
        self.model, self.scheme, self.dtype, self.reset, self.n, self.dt = model, scheme, state.V.dtype, reset, n, dt
        self.time = Steps(dt)
        self.item = self.dtype.itemsize
        self.padded, self.n_blocks = state.V.size, -(-state.V.size // layout.BLOCK)  # lanes, and blocks of them
        self.calls: dict[tuple[Any, ...], Any] = {}  # kernels for the parameters of now, by what else they are for
        self.step_calls: dict[tuple[str, ...], Call] = {}  # for which the table is ready, by the inputs of a step
        self._rows: dict[str, Array] = {}
        self._given_now: tuple[Any, int] = (), 1  # names of the inputs of the slice, and threads
        self._inputs = {"I": layout.INPUT_I, "delta": layout.INPUT_DELTA, "g": layout.INPUT_G, "gE": layout.INPUT_GE}
        self.table = Table(layout.TABLE_SIZE)
        self._allocate(state)
        self.further = state.further  # states beside V and u
        self.parameters = Parameters(model, self.dtype, self.n, self.padded, self.table, self.further)
        self.arrivals = Arrivals(self.padded, self.dtype, dt)

    def _allocate(self, state: StateArrays) -> None:
        dtype, padded = self.dtype, self.padded
        self.V, self.u = self.table.put(layout.V, state.V), self.table.put(layout.U, state.u)
        self.table.put(layout.REFRACTORY_UNTIL, np.full(0, _NEVER, np.int32))
        self.last = self.table.put(layout.LAST, np.full(padded, -1, np.int64))
        self.spikes = self.table.put(layout.SPIKES, state.spikes)
        self._reports = Reports(self.n_blocks)
        self.table.put(layout.REPORT, self._reports.numbers)
        self._raster = self.table.put(layout.RASTER, np.zeros(padded // WORD + layout.RASTER_SLACK, np.uint64))
        self.table.put(layout.SCRATCH, aligned(layout.SCRATCH_ROWS * layout.BLOCK, dtype))
        for which in self._inputs.values():
            self._put_row(which, np.zeros(1, dtype))
        self.table[[layout.N, layout.PADDED, layout.THREADS]] = self.n, padded, 1
        self.empty = np.empty(0, dtype)

    def _put_row(self, which: int, rows: Array | Table) -> None:
        """Point an input of the table at rows of shape (steps or 1, n or padded or 1), or at a noise."""
        put_rows(self.table, which, rows, self.n > 1)

    def _forget_calls(self) -> None:
        """Compile for other parameters, and address other arrays, from the next call on."""
        self.calls.clear()
        self.step_calls.clear()
        self.parameters.known = None

    def set_clock(self, scheme: Scheme, dt: float) -> None:
        """Take over the scheme and the time step of a network."""
        self.scheme, self.dt, self.arrivals = scheme, dt, Arrivals(self.padded, self.dtype, dt)
        self.time = Steps(dt)
        self._forget_calls()

    # --- parameters -----------------------------------------------------------------------------------------------

    def check_parameter(self, where: str, name: str, values: Array) -> None:
        """Refuse refractory periods that cannot be counted in steps."""
        if name == "tau_ref" and np.any(values > _MOST_REFRACTORY * self.dt):
            raise ValueError(f"{where} must be at most {_MOST_REFRACTORY * self.dt:g} ms, got {np.max(values):g}.")

    def check_parameters(self) -> None:
        """No-op: any parameters go together. Required by PopulationEngine."""

    def set_parameter(self, name: str, values: Array) -> None:
        """Take over a parameter, V_min or tau_ref: float64, shape () or (n,), in its unit."""
        if name == "tau_ref":
            self._set_refractory(refractory_steps(values, self.dt))
            return
        if not self.parameters.set(name, values, self.scheme, self.reset, self.dt):
            self._forget_calls()

    @property
    def outer_receptors(self) -> list[ReceptorState]:
        """Those through which spikes come: all."""
        return self.arrivals.receptors

    def receptor_state(self, receptor: Receptor) -> ReceptorState:
        """The state of this receptor, or of one equal to it."""
        return self.arrivals.receptor_state(receptor)

    def check_receptor(self, receptor: Receptor) -> None:
        """No-op: what is wrong shows in `receptor_state`. Required by PopulationEngine."""

    def target_lanes(self, first: int) -> TargetLanes:
        """How a table of synapses onto the neurons from `first` on numbers them, and counts delays."""
        return TargetLanes(self.padded, first, self.dtype)

    def plastic_state(self, rule: Plasticity, rows: SynapseTable, first_weights: Callable[[], Array]) -> ClockPlastic:
        """The state of plastic synapses onto these neurons. first_weights: gives the weights at the start."""
        states = {name: self.source_of(name) for name in (*states_of("neurons"), *self.further)}
        return ClockPlastic(rule, rows, self.padded, self.dtype, self.dt, first_weights, states)

    def conductances(self, receptor: ReceptorState) -> Array:
        """That of a receptor in each neuron."""
        return receptor.y

    def _set_refractory(self, steps: Array) -> None:
        """Set the steps after a spike's own for which V and u stay: shape () or (n,)."""
        if not self.refractory_until.size:
            if not np.any(steps):
                return
            spiked_last = (self.last == self.step - 1) & (self.step > 0)
            now = self.step - int(self.table[layout.BASE])
            self.table.put(layout.REFRACTORY_STEPS, np.zeros(self.padded, np.int32))
            self._forget_calls()
            self.table.put(layout.REFRACTORY_UNTIL, np.where(spiked_last, now, _NEVER).astype(np.int32))
        self.table.array(layout.REFRACTORY_STEPS)[: self.n] = steps

    # --- state ----------------------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Steps done since the last reset."""
        done: int = self.table.numbers.item(layout.STEP)
        return done

    now = step  # in its timebase

    @property
    def refractory_until(self) -> Array:
        """The step since BASE in which each neuron moves again, int32 (padded,); empty if tau_ref was always 0."""
        return self.table.array(layout.REFRACTORY_UNTIL)

    def rewind(self) -> None:
        """Back to step 0, without spikes."""
        self.table[[layout.STEP, layout.BASE]] = 0
        self.refractory_until[:] = _NEVER
        self.last[:] = -1
        self.spikes[:] = 0
        self._reports.clear()
        self.arrivals.clear()

    def state(self) -> dict[str, Any]:
        """A description, made of arrays and plain values, from which `restore` goes on to the last bit."""
        arrays: dict[str, Any] = {name: array.copy() for name, array in self._state_arrays().items()}
        if self.further:
            arrays["states"] = {name: array.copy() for name, array in self.further.items()}
        receptors = {
            "receptors": [receptor.definition for receptor in self.arrivals.receptors],
            "ring_steps": self.arrivals.steps,
        }
        steps = {"count": self.table[[layout.STEP, layout.BASE]]}
        at_once = {"at_once": True} if self.arrivals.jump_at_once else {}
        return arrays | receptors | steps | at_once | self.arrivals.state(self.step)

    def prepare_for(self, state: dict[str, Any]) -> None:
        """Make the receptors of a state that is to be restored, in their order."""
        receptors = {self.arrivals.receptor_state(receptor) for receptor in state["receptors"]}
        for receptor in receptors:
            if receptor.definition.adds_to == "V" and "at_once" in state:
                receptor.act_at_once(True, 0)
        self.arrivals.lay(state["ring_steps"], 0, 0, receptors)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a description that `state` returned."""
        if state["until"].size > self.refractory_until.size:  # tau_ref was above 0 once, though it is 0 now
            self._set_refractory(np.ones(1, np.int32))
            self._set_refractory(np.zeros(1, np.int32))
        for name, array in self._state_arrays().items():
            array[...] = state[name]
        for name, array in self.further.items():
            array[...] = state["states"][name]
        self.table[[layout.STEP, layout.BASE]] = state["count"]
        self.arrivals.restore(state)

    def _state_arrays(self) -> dict[str, Array]:
        """Arrays of the state by their names in checkpoints."""
        own = {"V": self.V, "u": self.u, "last": self.last, "spikes": self.spikes}
        return own | {"until": self.refractory_until}

    def last_spike_time(self) -> Array:
        """End of the step of the last spike of each neuron, ms; -inf before the first."""
        last = self.last[: self.n]
        return np.where(last >= 0, (last + 1) * self.dt, -np.inf)

    def refractory(self) -> Array:
        """Mask of the neurons that spiked in the last step or were refractory in it, (n,)."""
        if self.refractory_until.size:
            return self.refractory_until[: self.n] > self.step - 1 - int(self.table[layout.BASE])
        return (self.last[: self.n] == self.step - 1) & (self.step > 0)

    def _rebase(self) -> None:
        """Keep the 32-bit step counts of `refractory_until` small."""
        done = self.step - int(self.table[layout.BASE])
        if done > -_NEVER // 2:
            later = np.maximum(self.refractory_until, _NEVER + done) - np.int32(done)
            self.table.put(layout.REFRACTORY_UNTIL, later, also={layout.BASE: self.step})

    # --- running --------------------------------------------------------------------------------------------------

    def row(self, name: str) -> Array:
        """The array from which single steps read the input I, delta, g or gE, (n,). It keeps its numbers."""
        if name not in self._rows:
            self._rows[name] = aligned(self.padded, self.dtype)
        return self._rows[name][: self.n]

    def step_call(self, names: tuple[str, ...], wanted_threads: int | None) -> Call:
        """`call(form, I, level)` for single steps with these inputs, and its `form`. I is the current, or empty if it
        is `level` for all neurons, or, if that is NaN, what `row("I")` holds; the other inputs are in their rows."""
        self._rebase()
        for name in names:
            self.row(name)
            self._put_row(self._inputs[name], self._rows[name])
        threads = self.threads_for(self.step + 1, self.step + 1, wanted_threads)
        self._make_room(threads)
        self.table[[layout.STEPS, layout.N_RECORDS, layout.THREADS, layout.NOISE]] = 1, 0, threads, 0
        return self._call("delta" in names, "g" in names, threads)

    def prepare(self, until: int, inputs: Mapping[str, Array | Table], threads: int) -> None:
        """Make ready for a slice: rows, (steps or 1, n or 1), or a noise, as I; rows as delta, or as g and gE."""
        now, table = self.step, self.table
        self.step_calls.clear()
        self._rebase()
        self._given_now = inputs.keys(), threads
        words = (until - now) * self.padded // WORD + layout.RASTER_SLACK
        if self._raster.size < words:
            self._raster = table.put(layout.RASTER, np.empty(words, np.uint64))
        table[layout.NOISE] = 0
        for name, rows in inputs.items():
            self._put_row(self._inputs[name], rows)
        self._make_room(threads)
        table[layout.SLICED], table[layout.THREADS] = now, threads

    def advance(self, until: int) -> int:
        names, threads = self._given_now
        self.table[layout.STEPS] = until - self.step
        call, form = self._call("delta" in names, "g" in names, threads)
        return call(form, self.empty, np.nan)

    def publish_state(self) -> int:
        """No-op: V and u are updated in place. Required by `Engine`."""
        return OK

    def prepare_slice(self, until: int, current: Array | Table, threads: int) -> int:
        """`prepare` for a network. Returns the address of the kernel `advance_slice(table, start, stop)`."""
        from izhnumba._clock.kernels import advance, lanes, receptors

        self.prepare(until, {"I": current}, threads)
        self.arrivals.bind(self.table)
        kinds = self.arrivals.kinds()
        if kinds not in self.calls:
            variant = self._variant(kinds.deltas, kinds.conductances, kinds.gate, at_once=kinds.at_once)
            note = lanes.note_current(variant) if kinds.noted else 0
            receive = receptors.receive(self.dtype.name) if kinds.deltas or kinds.receptors else 0
            self.calls[kinds] = self._form(variant, receive, note)
        self.table[layout.FORM : layout.FORM + layout.FORM_SIZE] = self.calls[kinds]
        return advance.slice_address(threads > 1)

    def threads_for(self, until: int, stop: int, wanted: int | None) -> int:
        """How many threads to use for the next steps of a run. The result does not depend on it."""
        if self.n_blocks == 1:
            return 1
        most, now = min(self.n_blocks, wanted or n_processors()), self.step
        return most if most > 1 and may_go_parallel(self.n * (until - now), self.n * (stop - now), wanted) else 1

    def _make_room(self, threads: int) -> None:
        """Allocate scratch memory for each thread."""
        if threads > 1 and self.table.array(layout.SCRATCH).size < threads * layout.SCRATCH_ROWS * layout.BLOCK:
            self.table.put(layout.SCRATCH, aligned(threads * layout.SCRATCH_ROWS * layout.BLOCK, self.dtype))

    def source_of(self, state: str, receptor: ReceptorState | None = None) -> Array:
        """Array of shape (lanes,) from which `record` reads a state. receptor: for a state of one."""
        return SOURCES[state](self, receptor) if state in SOURCES else self.further[state]

    def record(self, wanted: Sequence[Record | SpikeList]) -> None:
        """Write samples of these records in the next steps."""
        self.table[layout.N_RECORDS] = 0
        records = [one for one in wanted if isinstance(one, Record)]
        if not records:
            return
        from izhnumba._clock.kernels.records import recorder

        edges = np.arange(0, self.padded + layout.BLOCK, layout.BLOCK)
        rows = np.zeros((len(records), layout.RECORD_SIZE), np.int64)
        starts = [np.searchsorted(record.neurons, edges).astype(np.int64) for record in records]
        for row, record, start in zip(rows, records, starts, strict=True):
            row[: layout.RECORD_NEURONS] = record.every, record.first, len(record.samples), record.neurons.size
            arrays = record.neurons, start, record.places, record.source, record.samples
            row[layout.RECORD_NEURONS : layout.RECORD_REDUCTION] = [address_of(array) for array in arrays]
            row[layout.RECORD_PLACES] *= not record.consecutive
            if record.reduction is not None:
                row[layout.RECORD_REDUCTION] = record.reduction.bind(record.source, record.samples).address
        self.table.put(layout.RECORDS, rows, (records, starts))
        now = last = recorder(self.dtype.name)
        if self.arrivals.sampled_late:
            from izhnumba._clock.kernels.at_once import no_samples

            now = no_samples()
        self.table[[layout.RECORDER, layout.LAST_RECORDER, layout.N_RECORDS]] = now, last, len(records)

    @property
    def fired(self) -> bool:
        """Whether there are spikes in the last call."""
        return self._reports.any(layout.N_SPIKES)

    @property
    def leapt(self) -> bool:
        """Whether a step of Euler has led beyond the threshold in the last call."""
        return bool(self.scheme.euler_part > 0 and self._reports.any(layout.WAS_CAREFUL))

    def spike_list(self, since: int) -> tuple[Array, Array]:
        """Neurons and steps, int64, of the spikes since step `since`, in order; all are in the last call."""
        n, began = self._reports.n_spikes, self.table.numbers.item(layout.BEGAN)
        counts, neurons, steps = np.array([0, max(since, began), n]), np.empty(n, np.int64), np.empty(n, np.int64)
        table = table_of(SpikeList(self, 0, self.n, 0, counts, (neurons, steps)))
        _list_spikes()(table.address, self.step - began, 0)
        return neurons[: counts[0]], steps[: counts[0]]

    def verdict(self) -> set[int]:
        """FAILURE, LEAP or OK, for the last call."""
        return {FAILURE} if self._reports.any(layout.FAILED_COUNT) else {LEAP} if self.leapt else {OK}

    @property
    def reliable(self) -> int:
        """Steps up to which V and u were finite, the failed one included."""
        failed = self._reports.failed()
        return failed.step + 1 if failed else self.step

    def warning(self) -> str:
        """The text of the warning that goes with the code LEAP."""
        lowest = float(self.table.array(layout.CONSTANTS)[layout.CAREFUL_V])
        return (
            f"Population.V fell below {lowest:.4g} mV: from there a step of {self.scheme.name!r} leaps over the "
            f"threshold. Use a smaller dt than {self.dt:g} ms, a V_min or the scheme 'exp_euler'."
        )

    def failure(self) -> Failure | None:
        """The first values in the last slice that were not finite; None if all were."""
        failed = self._reports.failed()
        if failed is None:
            return None
        step, count, neuron, name = failed
        # V of a neuron is no number from the step on in which a further state is none
        others = [state for state, lanes in self.further.items() if not np.isfinite(lanes[neuron])]
        name = " or ".join([name, *others])
        t = (step + 1) * self.dt
        return Failure(
            t, neuron, f"{name} became non-finite in {count} of {counted(self.n, 'neuron')} at t = {t:.6g} ms, first "
            f"neuron {neuron}.", f"a smaller dt than {self.dt:g} ms or a weaker input",
        )  # fmt: skip

    # --- compiling ------------------------------------------------------------------------------------------------

    def _call(self, deltas: bool, conductances: bool, threads: int) -> Call:
        from izhnumba._clock.kernels.advance import entry

        key = deltas, conductances
        if key not in self.calls:
            form = self._form(self._variant(deltas, conductances))
            self.calls[key] = np.array([self.table.address, *form], np.int64)
        call = entry(self.dtype.name, threads > 1)
        return alone(call) if threads > 1 else call, self.calls[key]

    def _form(self, variant: Variant, receive: int = 0, note: int = 0) -> list[int]:
        """The entries from FORM on. receive, note: address of the kernel that lets receptors act, V jumps included, and
        of the one that notes their currents; 0 if there are none."""
        from izhnumba._clock.kernels import block, lanes

        kernels = block.advance_block(self.dtype.name), lanes.step_lanes(variant), receive, note
        kinds = variant.refractory, variant.deltas and not receive, variant.conductances, variant.gate is not None
        return [*kernels, variant.deltas and receive != 0, *kinds, self.scheme.euler_part > 0]

    def _variant(self, deltas: bool, conductances: bool, gate: Gate | None = None, *, at_once: bool = False) -> Variant:
        known = self.parameters.bind(self.scheme, self.reset, self.dt)
        line = not conductances and gate is None  # the slope of f by V is one
        return Variant(
            self.model, self.scheme, self.dtype.name, self.reset,
            self.parameters.varies, self.refractory_until.size > 0, self.parameters.floor, deltas, conductances,
            affine=known.affine and line, short=known.short and line, gate=gate and (gate.name, gate.value),
            at_once=at_once and self.scheme.reset_first, capped=known.capped and line, gains=True,
        )  # fmt: skip


@functools.cache
def _list_spikes() -> Callable[[int, int, int], int]:
    """That of the kernels, which import Numba."""
    from izhnumba._clock.kernels.raster import entry

    return entry()
