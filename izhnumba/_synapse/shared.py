"""One weight for all synapses of a connection: what users pass, and the spikes under way through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.saved import Saved
from izhnumba._base.sealed import assign

Array = NDArray[Any]


@dataclass(frozen=True)
class Shared:
    """One weight that all synapses of an `AllToAll` connection share: a number instead of a matrix.

    `net.connect(a, b, iz.AllToAll(), weight=iz.Shared(0.5))` takes memory, and time for a step with spikes, in
    proportion to the neurons; with `weight=0.5` it is the synapses, and each has a weight that can be written.
    `syn.weight` has a single entry. There is one delay, and no plasticity. With the scheme "exact" each synapse has a
    weight of its own all the same.

    All that arrives at a neuron from the spikes of one step is added up on its own, and then to what others let arrive.

    Parameters
    ----------
    weight : float
        In the unit of the receptor.

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> cells = net.add(iz.Population(10_000, **iz.presets["RS"]), name="cells")
    >>> syn = net.connect(cells, cells, iz.AllToAll(autapses=False), weight=iz.Shared(-0.01), delay=2.0)
    >>> syn, syn.weight
    (<99990000 synapses cells -> cells, Delta(), one weight>, array([-0.01]))
    >>> syn.weight = -0.02
    """

    weight: float

    def __post_init__(self) -> None:
        assign(self, weight=checks.number("Shared.weight", self.weight))


class SharedState:
    """Spikes under way through synapses that share a weight, in the clock engine.

    Parameters
    ----------
    sources, targets : int64 arrays
        The neurons at both ends, in their populations.
    lanes : (int, int)
        Lanes of these populations, multiples of 64.
    delay : int, steps
    dtype : dtype
        Of the target population.
    apart : bool
        Whether every source reaches every target; else none reaches itself.

    Attributes
    ----------
    sources, targets : uint64, shape (lanes / 64,)
        A bit for each neuron.
    counts : int64, shape (delay or 1,)
        How many sources spiked in step k, at k modulo delay.
    sums : shape (delay or 1, 2)
        The sums of so many weights, and of one less.
    sent : uint64, shape (delay or 1, lanes / 64), or (delay or 1, 0) if `apart`
        Who spiked.
    """

    def __init__(
        self, sources: Array, targets: Array, lanes: tuple[int, int], delay: int, dtype: np.dtype[Any], apart: bool
    ) -> None:
        self.sources, self.targets = _bits(sources, lanes[0]), _bits(targets, lanes[1])
        self.delay, self.apart, self._n, steps = delay, apart, len(sources), max(delay, 1)
        self.counts, self.sums = np.zeros(steps, np.int64), np.zeros((steps, 2), dtype)
        self.sent = np.zeros((steps, 0 if apart else self.sources.size), np.uint64)
        self.over = False  # whether what was under way has been put elsewhere

    def clear(self) -> None:
        """Forget what is under way."""
        self.counts[...] = 0

    def arrivals(self, now: int) -> list[tuple[int, Array]]:
        """Spikes that arrive after step `now`: the step of arrival, and the weights for all lanes."""
        found, targets = [], np.unpackbits(self.targets.view(np.uint8), bitorder="little").astype(bool)
        for step in range(max(0, now - self.delay), now):
            slot = step % self.delay
            if self.counts[slot]:
                row = np.where(targets, self.sums[slot, 0], 0)
                if not self.apart:
                    own = np.unpackbits(self.sent[slot].view(np.uint8), bitorder="little").astype(bool)
                    row = np.where(targets & own, self.sums[slot, 1], row)
                found.append((step + self.delay, row))
        return found

    def state(self) -> dict[str, Array]:
        """What is under way, as checkpoints store it; not copied."""
        return {"counts": self.counts, "sums": self.sums, "sent": self.sent}

    def check(self, state: Saved) -> None:
        """Refuse arrays of a checkpoint that cannot be of these synapses."""
        state.array("counts", np.int64, self.counts.shape, low=0, high=self._n)
        sums = state.array("sums", self.sums.dtype, self.sums.shape)
        state.require_all("sums", ~np.isnan(sums), "be numbers")
        sent = state.array("sent", np.uint64, self.sent.shape)
        known = self.sources if sent.size else np.uint64(0)
        state.require_all("sent", (sent & ~known) == 0, "be spikes of sources")

    def load_state(self, state: dict[str, Array]) -> None:
        """Copy the arrays of a checkpoint, which `check` has passed, into these."""
        for name, array in self.state().items():
            array[...] = state[name]


def _bits(neurons: Array, lanes: int) -> Array:
    """Words of 64 bits, in which those of these neurons are set."""
    flags = np.zeros(lanes, np.uint8)
    flags[neurons] = 1
    return np.packbits(flags, bitorder="little").view(np.uint64)
