"""What spikes do in their own step, through synapses of delay 0: tables of `kernels.at_once`, one for each receptor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from izhnumba._clock.engine import ClockEngine
from izhnumba._clock.kernels import layout
from izhnumba._clock.projection import delays, stepwise, table_of
from izhnumba._clock.receptors import Part, ReceptorState
from izhnumba._engine.projection import Projection
from izhnumba._engine.table import Table


class Landing:
    """What arrives at once at a receptor of a population, or at a part of one: made ready for the kernel `land`.

    Parameters
    ----------
    engine : ClockEngine
        Of the population.
    receptor : ReceptorState
    part : Part
        Of the receptor; the first comes first.
    senders : sequence of Projection
        Those to the receptor that have delays of 0. What plastic ones, and sources with states, let arrive is there
        before the kernel runs.
    """

    def __init__(self, engine: ClockEngine, receptor: ReceptorState, part: Part, senders: Sequence[Projection]) -> None:
        from izhnumba._clock.kernels.at_once import land
        from izhnumba._clock.kernels.receptors import RATIO, TO_X

        self.table, self.address = Table(layout.LANDING_SIZE), land(engine.dtype.name)
        self._engine, self._jumps = engine, receptor.jumps_at_once
        first, last = part is receptor.parts[0], part is receptor.parts[-1]
        static = [table_of(one) for one in senders if not stepwise(one) and one.shared is None and first]
        self.table.put_table(layout.LANDS_ON, engine.table)
        self.table.put(layout.LANDING, receptor.at_once)
        self.table.put_tables(layout.LANDING_FROM, static)
        self.table[[layout.N_LANDING_FROM, layout.LANDS_LAST, layout.HARD]] = len(static), last, engine.reset == "hard"
        if not self._jumps:
            alone = part.states == 1  # arrivals add to y if there is no x
            factor = np.array([part.numbers[RATIO], 1.0 if alone else part.numbers[TO_X]], engine.dtype)
            self.table.put_all({layout.STATE: part.y if alone else part.x, layout.FACTORS: factor})

    def prepare(self) -> None:
        """Make ready for a slice: V_min may be another array now."""
        if self._jumps:
            floors = self._engine.parameters.floors
            self.table.put(layout.FLOORS, floors, also={layout.FLOORS_VARY: int(floors.size > 1)})


def landings(engines: Sequence[ClockEngine], projections: Sequence[Projection]) -> list[Landing]:
    """Those of a network."""
    at_once = [one for one in projections if delays(one).at_once]
    return [Landing(engine, receptor, part, [one for one in at_once if one.receptor is receptor])
            for engine in engines for receptor in engine.arrivals.receptors if receptor.acts_at_once
            for part in receptor.parts]  # fmt: skip
