"""From what a user passes to `Network.connect` to synapses."""

from __future__ import annotations

from typing import Any

import numpy as np

from izhnumba import _checks
from izhnumba._clock_engine import n_processors
from izhnumba._connectivity import AllToAll
from izhnumba._edges import given
from izhnumba._plastic_state import PlasticState
from izhnumba._plasticity import Plasticity
from izhnumba._receptors import Delta, GapJunction, Receptor
from izhnumba._rows import Draw, Layout, Rows, Shown, build, build_whole, delay_steps, drawer, streams
from izhnumba._section import Section, ends
from izhnumba._synapses import Synapses


def connected(
    source: Section, target: Section, rule: Any, weight: Any, delay: Any, receptor: Any, plasticity: Any, name: str,
    seed: int, threads: int | None, shown: Shown,
) -> Synapses:  # fmt: skip
    """The synapses; only when all is well does the target population get a port."""
    where, engine = "Network.connect", target.population._engine
    receptor = _checks.kind(f"{where}.receptor", receptor or Delta(), Receptor, "a receptor such as Delta()")
    _checks.kind(f"{where}.plasticity", plasticity, (Plasticity, type(None)), "a rule such as STDP() or None")
    both = ends(source, target)
    rule, weight, delay = given(rule, weight, delay, both)
    gap = isinstance(receptor, GapJunction)
    if gap:
        _check_gap(source, target, delay, plasticity)
    layout = Layout(engine.padded, target.start, engine.dtype)
    single = delay is None or isinstance(delay, (int, float, np.number))
    whole = isinstance(rule, AllToAll) and single and plasticity is None and not gap
    parts = _parts(engine.padded, threads) if plasticity is None else 1
    n, dt, random = rule.count(both), target.population.dt, streams(seed, name)

    def make(shown: Shown) -> Rows:
        weights = drawer(f"{where}.weight", 1.0 if weight is None else weight, "", n, random("weight"), engine.dtype)
        steps: Draw = lambda before, count: np.zeros(count, np.int64)  # noqa: E731
        if not gap:
            delays = drawer(f"{where}.delay", dt if delay is None else delay, "ms", n, random("delay"), engine.dtype)
            steps = delay_steps(delays, dt, f"{where}.delay")
        if whole:
            return build_whole(rule, both, layout, weights, int(steps(0, 1)[0]), random, shown)
        return build(rule, both, layout, weights, steps, random, shown, parts)

    rows = make(shown)
    plastic = None if plasticity is None else PlasticState(plasticity, rows, layout, dt, make)
    return Synapses(name, source, target, engine.arrivals.port(receptor), rule, both, layout, rows, plastic)


def _check_gap(source: Section, target: Section, delay: Any, plasticity: Any) -> None:
    where = "Network.connect"
    if delay is not None or plasticity is not None:
        wrong = "delay" if plasticity is None else "plasticity"
        raise ValueError(f"{where}.{wrong} must be left out with GapJunction(), which acts at all times.")
    if source.population.dtype != target.population.dtype:
        raise ValueError(
            f"{where}.pre must be {target.population.dtype} like the target for GapJunction(), got "
            f"{source.population.dtype}."
        )


def _parts(lanes: int, threads: int | None) -> int:
    """In how many parts the targets may be cut, each for one thread to own."""
    return max(1, min(threads or n_processors(), lanes // 64))
