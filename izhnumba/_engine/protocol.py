"""Contracts of a run: the engine that advances, the inputs that it is given, and the recorders that read it.

`run_loop.Slices` calls them in this order, slice by slice: `RunRecorder._next_look`, `Feeds.reach`,
`RunRecorder._records`, `Engine.record`, `Feeds.between`, `Engine.prepare`, and then, once or several times,
`Engine.advance` and `RunRecorder._take`; at the end `Engine.publish_state` and `RunRecorder._finish`. An Instant is a
time in the engine's count (`timebase`): steps done, or ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.reduction import Reduction
from izhnumba._engine.table import Table
from izhnumba._engine.timebase import Instant, Timebase
from izhnumba._model.model import Model
from izhnumba._model.schemes import Scheme
from izhnumba._synapse.csr import SynapseTable, TargetLanes
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.receptor import Receptor

Array = NDArray[Any]


class SpikingEngine(Protocol):
    """The engine of a population or of a spike source, as recorders of spikes read it. n: neurons."""

    n: int

    @property
    def time(self) -> Timebase: ...

    @property
    def now(self) -> Instant: ...

    @property
    def reliable(self) -> Instant:
        """The instant up to which V and u were finite: now, or before the step in which a neuron failed."""
        ...

    def publish_state(self) -> int:
        """Write the present V and u to the arrays that users read. Returns one of `codes`."""
        ...

    @property
    def fired(self) -> bool:
        """Whether there may be spikes in the last advance."""
        ...

    def spike_list(self, since: Instant) -> tuple[Array, Array]:
        """Neurons (int64) and labels of the spikes since `since`, all of them in the last advance, in order of time."""
        ...


class NeuronEngine(SpikingEngine, Protocol):
    """The engine of a population, as recorders read it. dtype: of V and u."""

    model: Model
    dtype: np.dtype[Any]

    def source_of(self, state: str, receptor: Any = None) -> Any:
        """Key from which `record` reads one of STATES. receptor: the engine's ReceptorState, for a state of one."""
        ...


class SourceEngine(SpikingEngine, Protocol):
    """The engine of a spike source: n cells without V, which spike as `_input.sources` says. Made of n and the engine
    of the network, in which it is all its life."""

    table: Table
    dtype: np.dtype[Any]

    @property
    def spikes(self) -> Array:
        """Whether each cell spiked in the latest step or advance, bool (n,), the caller's."""
        ...

    def rewind(self) -> None:
        """Back to time 0."""
        ...

    def state(self) -> dict[str, Any]:
        """Arrays with which `restore` goes on from here."""
        ...

    def restore(self, state: dict[str, Any], now: Instant) -> None:
        """Go on from a state at an instant, that of the network."""
        ...


class Record(NamedTuple):
    """Samples of a state that a kernel writes while it runs.

    engine: whose state
    every: interval between samples, in the engine's count of time
    first: number of the sample in row 0
    neurons: int64, shape (k,), ascending
    places: int64, shape (k,): the column of each in a sample
    consecutive: whether neurons are consecutive and places too, from 0 on
    source: what the engine's `source_of` returned for the state
    samples: shape (rows, k): row `m - first` is sample m, in the unit of the state
    reduction: what the state is reduced to; then the results go to the rows of `samples`
    """

    engine: NeuronEngine
    every: Instant
    first: int
    neurons: Array
    places: Array
    consecutive: bool
    source: Any
    samples: Array
    reduction: Reduction | None = None


class SpikeList(NamedTuple):
    """Rows of spikes to which a kernel may add, at the end of each call, those of the neurons from `first` on, before
    `last`.

    engine: that of the population, in a network
    every: 0: a row is a neuron and the step of its spike; else a bin of so many steps, and how many spikes of a step
        are in it
    counts: shape (3,): rows so far; the instant up to which spikes have been listed; room, in rows, and 0 if others are
        to be the next
    columns: two, int64 (room,)
    """

    engine: Any
    first: int
    last: int
    every: int
    counts: Array
    columns: Sequence[Array]


class Inputs(NamedTuple):
    """The inputs of a step or run of a population by itself, as a user passes them, unchecked.

    I: current, mV/ms or pA; delta: V jumps, mV; g: conductances, 1/ms or nS; E: their reversal potentials, mV.
    """

    I: object  # noqa: E741
    delta: object = None
    g: object = None
    E: object = None


class Engine(Protocol):
    """The engine of a population or of a network, which `run_loop.Slices` advances."""

    @property
    def time(self) -> Timebase: ...

    @property
    def now(self) -> Instant: ...

    def record(self, wanted: Sequence[Record | SpikeList]) -> None:
        """Write samples of these records in the next advances, in place of those before. Spikes may be listed, too:
        recorders take what is not."""
        ...

    def threads_for(self, until: Instant, stop: Instant, wanted: int | None) -> int:
        """Threads to use in an advance to `until`, of a run that ends at `stop`. wanted: what the user asks for."""
        ...

    def prepare(self, until: Instant, inputs: Any, threads: int) -> None:
        """Make ready for a slice from now to `until`, under `inputs`, which `Feeds.between` returned for it."""
        ...

    def advance(self, until: Instant) -> int:
        """Advance to `until`, within the slice. Parameters may have been set since the last call. Returns one of
        `codes`."""
        ...

    def publish_state(self) -> int:
        """Write V and u of now to the arrays that users read. Returns one of `codes`."""
        ...


class Failure(NamedTuple):
    """Why an engine stopped: where V or u is not finite, or a neuron fires without end.

    t: ms; neuron: the first one; what: happened, in sentences; cure: what to use in place of what was used.
    """

    t: float
    neuron: int
    what: str
    cure: str


class PopulationEngine(NeuronEngine, Engine, Protocol):
    """The engine of a population. It advances arrays that the population owns, and knows nothing of units and shapes.

    Parameters
    ----------
    model : Model
    scheme : Scheme
    reset : "hard", "soft" or "overshoot"
    n : int
        Neurons.
    dt : float, ms
    state : StateArrays
        V, u and spikes of the population, which it changes in place.

    Attributes
    ----------
    table : Table
        Numbers for the compiled calls.
    empty : ndarray, shape (0,)
    padded : int
        Entries of V, whole words.
    """

    table: Table
    empty: Array
    padded: int
    V: Array
    u: Array
    spikes: Array

    def set_clock(self, scheme: Scheme, dt: float) -> None:
        """Take over the scheme and the time step of a network."""
        ...

    def check_parameter(self, where: str, name: str, values: Array) -> None:
        """Refuse values, shape () or that of the population, that the engine cannot take."""
        ...

    def check_parameters(self) -> None:
        """Refuse parameters that it cannot take together."""
        ...

    def set_parameter(self, name: str, values: Array) -> None:
        """Take over a parameter, V_min or tau_ref: float64, shape () or (n,), in its unit."""
        ...

    def last_spike_time(self) -> Array:
        """(n,), ms; -inf before the first spike of a neuron."""
        ...

    def refractory(self) -> Array:
        """Neurons that are refractory, shape (n,), bool."""
        ...

    def failure(self) -> Failure | None:
        """The Failure of the last advance, if its code was FAILURE; else None."""
        ...

    def warning(self) -> str:
        """The text of the warning that goes with the code LEAP."""
        ...

    def rewind(self) -> None:
        """Back to time 0: nothing has happened and nothing is under way. V and u are the population's affair."""
        ...

    def state(self) -> dict[str, Any]:
        """Numbers, arrays and receptors with which `restore` goes on from here."""
        ...

    def prepare_for(self, state: dict[str, Any]) -> None:
        """Have the receptors of a state that is to be restored."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        ...

    def receptor_state(self, receptor: Receptor) -> Any:
        """The state of this receptor, or of one equal to it; a new one if there is none."""
        ...

    def check_receptor(self, receptor: Receptor) -> None:
        """Refuse a receptor that the engine cannot take, before anything is made for it."""
        ...

    def target_lanes(self, first: int) -> TargetLanes:
        """How a table of synapses onto the neurons from `first` on numbers them, and counts delays."""
        ...

    def plastic_state(self, rule: Plasticity, rows: SynapseTable, first_weights: Callable[[], Array]) -> Any:
        """The state of plastic synapses onto these neurons. first_weights: gives the weights at the start."""
        ...

    @property
    def outer_receptors(self) -> list[Any]:
        """Receptors through which spikes come."""
        ...

    def conductances(self, receptor: Any) -> Array:
        """That of a receptor in each neuron, (n,), in its unit."""
        ...


class Stepper(Protocol):
    """Single steps of a population by itself."""

    def call(self) -> tuple[Callable[[Array, Array, float], int], Array]:
        """`call(form, I, level)`, and its `form`: a step with the current I (n,), or with `level` for all neurons if I
        is empty. Returns a code."""
        ...

    def plain(self, value: object) -> Array | None:
        """A value in the form that `call` takes but for its shape, that of the population; None if it needs a check."""
        ...

    def step(self, I: object, delta: object, g: object, E: object) -> int:  # noqa: E741
        """A step with plain numbers and arrays. Returns a code: NOT_PLAIN, and no step, if an input is none."""
        ...

    def step_checked(self, where: str, pop: Any, inputs: Inputs, dt: object) -> int:
        """A step with inputs in any form, or the error that they deserve. Returns a code. dt: as a user passed it."""
        ...


class Feeds(Protocol):
    """The inputs of a run. ahead: whether they may be asked for what is perhaps not reached."""

    ahead: bool

    def reach(self, now: Instant, length: float | None) -> Instant:
        """The instant at which an advance of about this length should end; None: a length with which to measure the
        speed."""
        ...

    def between(self, now: Instant, until: Instant) -> Any:
        """The inputs of an advance from `now` to `until`, as `Engine.prepare` takes them."""
        ...

    def replace(self, made: Any, other: Any) -> bool:
        """Let a drive, `made` when the feeds were, be another one from now on. Returns whether that can be done without
        making all anew."""
        ...

    def add_again(self, now: Instant) -> None:
        """Let the inputs of a step from `now` on, which `between` has returned, be as drives are now, of which some
        have been replaced or have other numbers."""
        ...


class Incoming(NamedTuple):
    """A drive of a network, as its engine reads it.

    engine: of the population; receptor: the state of that through which spikes come, None for currents; where: index of
    the neurons that are driven, in the order of the values; made: the value in the form that the engine has for it.
    """

    engine: PopulationEngine
    receptor: Any
    where: slice | Array
    made: Any


class RunRecorder(Protocol):
    """A recorder during a run. Users hold recorders, and these methods are not for them: hence the underscores."""

    def _next_look(self) -> Instant:
        """The latest instant at which the slice must end, for `_take` to be called then; infinity if any will do."""
        ...

    def _records(self, until: Instant) -> Sequence[Record | SpikeList]:
        """Records of what kernels are to write up to `until`."""
        ...

    def _take(self) -> None:
        """Store what the engine has done since the last call; after a Ctrl-C in here, the next call stores the rest."""
        ...

    def _finish(self) -> None:
        """Store the last of a run, which has ended."""
        ...
