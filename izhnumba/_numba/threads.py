"""Threads of compiled calls: how many are worth it, and one parallel loop at a time. Does not import Numba."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PAYS = 20_000  # neuron-steps in one call from which a second thread helps
_WORTH_COMPILING = 10_000_000_000  # neuron-steps in one run that repay compiling the parallel loop

_region = threading.Lock()
_state = {"parallel": False, "forked": False}


def n_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def may_go_parallel(neuron_steps: int, total: int, wanted: int | None) -> bool:
    """Whether a call of so many neuron-steps, in a run of `total`, should use several threads. wanted: what the user
    asks for, None: no number."""
    if neuron_steps < _PAYS or _state["forked"] or _region.locked():
        return False
    return wanted is not None or _state["parallel"] or total >= _WORTH_COMPILING


@contextmanager
def one_parallel_region() -> Iterator[None]:
    """One parallel loop at a time: the workqueue layer aborts the process if two Python threads enter one."""
    with _region:
        _state["parallel"] = True
        yield


def alone(call: Callable[..., int]) -> Callable[..., int]:
    """A compiled call that shares its work among threads, as one that waits until no other does."""

    def one_at_a_time(*arguments: object) -> int:
        with one_parallel_region():
            return call(*arguments)

    return one_at_a_time


def _after_fork() -> None:
    """GNU OpenMP kills a child that was forked after a parallel loop and enters one itself: stay serial there."""
    global _region
    _region = threading.Lock()
    layer = sys.modules.get("numba.np.ufunc.parallel")  # the user's own loops count too
    _state["forked"] = _state["parallel"] or getattr(layer, "_is_initialized", False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
