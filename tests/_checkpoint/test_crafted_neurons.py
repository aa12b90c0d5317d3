"""Checkpoints that name chosen neurons, or positions, that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._base.saved import Misfit
from izhnumba._checkpoint.check_network import check
from izhnumba._network.save import description

N = 24
CRAFTED = {
    "twice": np.array([3, 3]),
    "too far": np.array([3, N]),
    "below": np.array([-1, 3]),
    "none": np.empty(0, np.int64),
    "small words": np.array([3, 4], np.int32),
    "a table": np.array([[3, 4]]),
    "a text": "all",
}


def saved_with_chosen():
    net = iz.Network(seed=5, dt=0.5)
    p, q = (net.add(iz.Population(N, **iz.presets["RS"]), name) for name in "pq")
    net.connect(p[[2, 9, 5]], q[[7, 1, 4]], iz.AllToAll(), delay=1.0)
    net.drive(p[[2, 9, 5]], 1.0)
    net.record(p[[2, 9, 5]])
    net.run(20.0)
    return description(net)


@pytest.mark.parametrize("what", CRAFTED)
@pytest.mark.parametrize(
    "place", [("synapses", "source"), ("synapses", "target"), ("drives", "section"), ("recorders", "source")]
)
def test_crafted_files_name_neurons_that_are_there(what, place):
    saved = saved_with_chosen()
    check(saved)
    part, key = place
    one = list(saved[part].values())[-1]
    one[key][1] = CRAFTED[what]
    with pytest.raises(Misfit, match=f"network/{part}/.*/{key}"):
        check(saved)


@pytest.mark.parametrize(("key", "wrong"), [("source", [2, 9, 6]), ("target", [7, 3, 1])])
def test_crafted_files_have_synapses_of_their_neurons_alone(key, wrong):
    saved = saved_with_chosen()
    (one,) = saved["synapses"].values()
    one[key][1] = np.array(wrong)
    with pytest.raises(Misfit, match="synapses of neurons 3 of those from 2|lead to neurons 3 of those from 1"):
        check(saved)


@pytest.mark.parametrize(
    "positions",
    [iz.Positions(np.zeros((23, 2))), np.zeros((24, 2)), "grid", 3.0],
    ids=["few", "an array", "text", "number"],
)
def test_crafted_files_have_positions_of_their_neurons(positions):
    net = iz.Network(seed=1)
    net.add(iz.Population((4, 6), positions=iz.Grid(25.0, periodic=True)), "sheet")
    saved = description(net)
    check(saved)
    saved["populations"]["sheet"]["arguments"]["positions"] = positions
    with pytest.raises(Misfit, match="network/populations/sheet/arguments/positions"):
        check(saved)
