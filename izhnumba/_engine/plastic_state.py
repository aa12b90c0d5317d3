"""State of plastic synapses: what a rule keeps of each synapse and of each target besides the weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.saved import Saved
from izhnumba._engine.table import address_of
from izhnumba._engine.timebase import Instant
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.plasticity_contract import may_read
from izhnumba._synapse.together import rules_in

Array = NDArray[Any]


class Kept(NamedTuple):
    """An array that a checkpoint keeps, and with what it is filled at the start: values that broadcast to it."""

    array: Array
    start: Array


class RuleForm(NamedTuple):
    """The settings of a rule for which kernels are compiled, besides its functions and dtypes.

    n_x, n_y: how many traces a synapse and a target have; fades: whether the eligibility decays; keeps_e, nearest,
    latest_first, update_first: settings of the rule; names: of its parameters, in order. What differs between synapses:
    varies: bit k is set for parameter k; x_varies, y_varies: bit k for the time constant of trace k; e_varies: that of
    the eligibility; own_y: whether each synapse has traces y of its own, for those of its target would not do.
    n_v: how many states of the target the functions find.
    """

    n_x: int
    n_y: int
    fades: bool
    keeps_e: bool
    nearest: bool
    latest_first: bool
    update_first: bool
    names: tuple[str, ...]
    varies: int
    x_varies: int
    y_varies: int
    e_varies: bool
    own_y: bool
    n_v: int


def form_of(rule: Plasticity, x: list[bool], y: list[bool]) -> RuleForm:
    """The form of a rule. x, y: of each trace, whether its time constant differs between synapses."""
    names, varied = tuple(rule.parameters()), [bool(np.ndim(value)) for value in rule.parameters().values()]
    long = rules_in(rule)[-1]
    own = [name for name, value in long.parameters().items() if np.ndim(value)]
    own_y = bool(y) and (any(y) or (bool(own) and may_read(type(long).after_spike, own)))
    settings = bool(rule.keeps_e), bool(rule.nearest), bool(rule.latest_first), bool(rule.update_first)
    return RuleForm(
        len(x), len(y), bool(np.any(np.greater(rule.eligibility_tau, 0))), *settings, names, _bits(varied), _bits(x),
        _bits(y), bool(np.ndim(rule.eligibility_tau)), own_y, len(rule.states()),
    )  # fmt: skip


def _bits(flags: list[bool]) -> int:
    return sum(1 << k for k, flag in enumerate(flags) if flag)


def kept(shape: int | tuple[int, ...], start: object) -> Kept:
    """A new array of this shape and of the dtype of `start`."""
    return Kept(np.full(shape, start), np.asarray(start))


class PlasticState(ABC):
    """State of the synapses of one call of `Network.connect` with a rule, in arrays that kernels read and write.

    Both engines keep the same four arrays. They count time differently, in steps or in ms: therefore each has a
    subclass of its own that says of which dtype times are, how what is stored decays until now, and which kernels run.

    Parameters
    ----------
    rule : Plasticity
    form : RuleForm
    first_weights : callable
        Returns the weights at the start, shape (n_synapses,). The weights themselves belong to the synapses.
    targets : ndarray of integers, shape (n_synapses,)
        Lane of the target of each synapse.
    lanes : int
        Lanes of the target population.
    dtype : float32 or float64
        Of traces, eligibilities and numbers of the rule.
    memory : Kept, shape (n_synapses,)
        Records made of `memory_start`.
    y : Kept, shape (traces, lanes)
        Traces of each target right after its latest spike.
    spiked : Kept, shape (lanes,), or (0,) if nothing needs it
        When each target spiked last.
    modulator : Kept, shape (k,)
        First its value, last how fast it decays.
    more : Kept
        Arrays of one engine alone, by name.

    Attributes
    ----------
    memory, y, spiked, modulator : ndarray
    incoming : ndarray of uint32, shape (n_synapses,) or (0,)
        Synapses ordered by target; empty if target spikes change none.
    starts : ndarray of int64, shape (lanes + 1,)
        The synapses onto target i are `incoming[starts[i] : starts[i + 1]]`.
    numbers, addresses : ndarray
        Numbers of the rule, in the order of `rule.parameters()`, and where each lies.
    each : dict of ndarray, shape (n_synapses + 1,)
        Those of which each synapse has its own, by their place in that order.
    """

    def __init__(
        self,
        rule: Plasticity,
        form: RuleForm,
        first_weights: Callable[[], Array],
        targets: Array,
        lanes: int,
        dtype: np.dtype[Any],
        *,
        memory: Kept,
        y: Kept,
        spiked: Kept,
        modulator: Kept,
        **more: Kept,
    ) -> None:
        self.rule, self.form, self.first_weights = rule, form, first_weights
        self.memory, self.y, self.spiked, self.modulator = (one.array for one in (memory, y, spiked, modulator))
        self._kept = {"memory": memory, "y": y, "spiked": spiked, "modulator": modulator, **more}
        kind = type(rule)
        meets_spikes = kind.target_spike is not None or kind.each_step is not None or form.own_y
        self.incoming = np.argsort(targets if meets_spikes else targets[:0], kind="stable").astype(np.uint32)
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(targets, minlength=lanes))]).astype(np.int64)
        values = [*rule.parameters().values(), 0.0]
        self.numbers = np.array([0.0 if np.ndim(value) else value for value in values], dtype)
        self.addresses = self.numbers.ctypes.data + self.numbers.itemsize * np.arange(self.numbers.size)
        self.each = {k: np.append(value, 0.0).astype(dtype) for k, value in enumerate(values) if np.ndim(value)}
        for k, numbers in self.each.items():
            self.addresses[k] = address_of(numbers)

    def clear(self) -> None:
        """Set all arrays to what they were at the start."""
        for array, start in self._kept.values():
            array[...] = start

    def state(self) -> dict[str, Array]:
        """The arrays by name, as checkpoints store them; not copied."""
        return {name: array for name, (array, _) in self._kept.items()}

    def check(self, state: Saved, now: Instant) -> None:
        """Refuse arrays of a checkpoint that kernels must not meet. now: the time of the checkpoint."""
        for name, (array, _) in self._kept.items():
            state.array(name, array.dtype, array.shape)
        state.require_all("modulator", ~np.isnan(state.value["modulator"]), "be numbers")
        decay = self.modulator[-1]
        good = state.value["modulator"][-1] == decay
        state.require(good, "modulator", f"decay by {decay}", str(state.value["modulator"]))

    def load_state(self, state: dict[str, Array]) -> None:
        """Copy the arrays of a checkpoint, which `check` has passed, into these."""
        for name, (array, _) in self._kept.items():
            array[...] = state[name]

    def eligibility(self, now: Instant) -> Array:
        """The number e of each synapse at present, a copy."""
        stored = self.memory["e"]
        return np.asarray(stored * np.asarray(self.eligibility_left(now), stored.dtype))

    def set_eligibility(self, values: Array, now: Instant) -> None:
        """values: float64, () or (n_synapses,)."""
        self.memory["e"] = values / self.eligibility_left(now)

    @abstractmethod
    def eligibility_left(self, now: Instant) -> float | Array:
        """The factor by which eligibilities have decayed since the latest update, as of which they are stored."""

    @abstractmethod
    def modulator_at(self, now: Instant) -> float:
        """The modulator at present."""

    @abstractmethod
    def set_modulator(self, value: float, now: Instant) -> None:
        """Make `value` the modulator at present."""

    @abstractmethod
    def kernels(self) -> tuple[int, ...]:
        """Addresses of the compiled kernels; a TypeError if Numba cannot compile the rule."""


def memory_start(form: RuleForm, never: np.generic, dtype: np.dtype[Any]) -> Array:
    """The record of a synapse before its first spike, shape ().

    Its fields are those that the rule needs: `arrival`, when the latest spike arrived, at first `never`; `x1`, `x2` and
    so on, the traces right after that; `y1` and so on, its own traces of target spikes, right after the latest; `e`,
    the eligibility as of the latest update.
    """
    fields: list[tuple[str, Any]] = [("arrival", never.dtype)] if form.n_x else []
    fields += [(f"x{j + 1}", dtype) for j in range(form.n_x) if not form.nearest]
    fields += [(f"y{j + 1}", dtype) for j in range(form.n_y) if form.own_y]
    fields += [("e", dtype)] if form.keeps_e else []
    start = np.zeros((), fields)
    if form.n_x:
        start["arrival"] = never
    return start
