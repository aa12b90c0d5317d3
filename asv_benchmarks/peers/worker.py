"""What all `with_*.py` share: a process that builds one network and simulates it whenever it is asked to.

    python with_<simulator>.py network.npz seconds dtype

prints a line of JSON when the network is built, and one for each line of its standard input: each asks for one run from
the start. Nothing here needs izhnumba, so that a simulator can live in an environment of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

Simulate = Callable[[], tuple[float, int]]  # the seconds it took, and the spikes


class CannotSimulate(Exception):
    """The simulator has not got what the network needs; the message says what."""


def work(prepare: Callable[[SimpleNamespace, float, str], Simulate], version: str, *, steps: bool = False) -> None:
    """Answer with the function that `prepare(network, seconds, dtype)` returns. steps: whether it looks at
    `network.stepped`.

    Where the simulator's network has to differ, `prepare` says so in `network.note`.
    """
    network, seconds, dtype = load(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    started = time.perf_counter()
    try:
        if network.stepped and not steps:
            raise CannotSimulate("its steps are not called one by one here")
        simulate = prepare(network, seconds, dtype)
    except CannotSimulate as reason:
        say(cannot=str(reason), version=version)
        return
    say(build=time.perf_counter() - started, version=version, note=network.note)
    for _ in sys.stdin:
        elapsed, spikes = simulate()
        say(seconds=elapsed, spikes=int(spikes), neurons=network.n)


def load(path: str) -> SimpleNamespace:
    """The arrays of `networks.arrays`; what the network has not got is None."""
    absent = dict.fromkeys(("post", "weight", "delay", "plastic", "current", "std", "kicked", "kick"))
    with np.load(path) as file:
        network = SimpleNamespace(**absent | {name: x if x.ndim else x.item() for name, x in file.items()})
    network.n, network.note = network.V.size, ""
    return network


def pairs(network: SimpleNamespace) -> tuple[np.ndarray, np.ndarray]:
    """Source and target of each synapse."""
    return np.repeat(np.arange(network.n, dtype=np.int32), network.post.shape[1]), network.post.ravel()


def say(**answer: object) -> None:
    print(json.dumps(answer), flush=True)
