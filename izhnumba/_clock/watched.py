"""What a rule of plasticity sees of its targets: arrays that the kernels of `kernels.watched` fill after each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._engine.projection import Projection
from izhnumba._engine.table import Table, address_of

Array = NDArray[Any]


class Watched:
    """States of the targets, and filters of them, as `Plasticity.states` names them.

    Parameters
    ----------
    where : str
        Words for the method that names them, in an error.
    wanted : sequence of (name, time constant in ms)
    states : dict
        The states of the targets by name, shape (lanes,).
    dt : float, ms
    views : ndarray of float32 or float64, shape (wanted, lanes)
        Filled by the kernels; NaN at first.
    """

    def __init__(
        self, where: str, wanted: Sequence[tuple[str, float]], states: Mapping[str, Array], dt: float, views: Array
    ) -> None:
        for name, _ in wanted:
            if name not in states:
                raise ValueError(f"{where} must name states of the targets, got {name!r}. Known: {', '.join(states)}.")
        self.views, self._seen = views, np.zeros_like(views[0])
        self._states = [self._seen if name == "V" else states[name] for name, _ in wanted]
        self._steps = [np.array([-np.expm1(-dt / tau) if tau else 1.0], views.dtype) for _, tau in wanted]

    def table(self, one: Projection) -> Table:
        """The table of the kernels."""
        from izhnumba._clock.kernels import watched as k

        target: Any = one.target
        table, columns = Table(k.TABLE_SIZE), zip(self._states, self.views, self._steps, strict=True)
        rows = [[address_of(state), address_of(view), address_of(step)] for state, view, step in columns]
        table.put_table(k.OF, target.table)
        table[[k.FIRST, k.N, k.N_ROWS]] = one.first_target, one.n_targets, len(rows)
        table.put(k.SEEN, self._seen)
        table.put(k.ROWS, np.array(rows, np.int64).reshape(-1), self)
        return table

    def begin(self) -> int:
        """Address of the kernel that fills the views before the first step."""
        from izhnumba._clock.kernels.watched import begin

        return begin(self.views.dtype.name)

    def watch(self, target: Any) -> int:
        """Address of the kernel that takes the states after a step, for the parameters of now. target: engine."""
        from izhnumba._clock.kernels.watched import watch

        return watch(target.model, self.views.dtype.name, target.parameters.varies)
