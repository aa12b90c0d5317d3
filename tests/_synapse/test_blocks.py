"""What opens a conductance by V: Izhikevich's block and functions of the user's, against the slow twin; refusals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from network_oracle import Course as Conductance
from network_oracle import NetworkOracle
from oracle import Oracle, Quadratic

import izhnumba as iz


def steep(V):
    """As in the twin: arithmetic alone."""
    return 0.1 + 0.9 / (1 + math.exp(-0.1 * (V + 40.0)))


def steep_twin(V):
    return 0.1 + 0.9 / (1 + np.exp(-0.1 * (V + 40.0)))


def rational(V):
    w = (V + 80) / 60
    return w**2 / (1 + w**2)


@dataclass(frozen=True)
class Own(iz.Receptor):
    """One state behind a block of its own."""

    tau: float = 20.0
    E: float = 0.0

    def rates(self):
        return iz.Rates(1, -1 / self.tau)

    @staticmethod
    def block(V):
        return 0.1 + 0.9 / (1 + math.exp(-0.1 * (V + 40.0)))


BLOCKS = {
    "izhikevich": (iz.NMDA(0.0, 20.0, block="izhikevich"), Conductance("exp", 20.0, E=0.0, Mg=rational)),
    "function": (iz.NMDA(1.0, 20.0, block=steep), Conductance("dual", 1.0, 20.0, E=0.0, Mg=steep_twin)),
    "own": (Own(), Conductance("exp", 20.0, E=0.0, Mg=steep_twin)),
}


def wired(receptor, scheme="exp_euler", dtype="float64", threads=None):
    rng = np.random.default_rng(3)
    net = iz.Network(scheme=scheme, seed=1, threads=threads)
    V, current = rng.uniform(-75, -60, 30), rng.uniform(0, 12, 30)
    cells = net.add(iz.Population(30, a=0.05, c=-60.0, d=5.0, V=V, u=-14.0, dtype=dtype), name="cells")
    net.drive(cells, iz.Constant(current))
    pre, post = rng.integers(30, size=(2, 200))
    steps, weight = rng.integers(1, 30, 200), rng.uniform(0.0, 0.1, 200)
    net.connect(cells, cells, (pre, post), weight=weight, delay=0.1 * steps, receptor=receptor, name="syn")
    order = np.lexsort((post, steps, pre))
    return net, cells, list(zip(pre[order], post[order], weight[order], steps[order], strict=True)), V, current


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("scheme", ["exp_euler", "euler"])
def test_blocks_against_the_twin(scheme, block):
    receptor, course = BLOCKS[block]
    net, cells, edges, V, current = wired(receptor, scheme)
    neurons = Oracle(30, Quadratic(a=0.05, b=0.2, c=-60.0, d=5.0), scheme, 0.1, V, np.full(30, -14.0))
    twin = NetworkOracle({"cells": neurons}, [("cells", "cells", course, edges)], 0.1, {"cells": current})
    spikes = net.record(cells, "spikes")
    net.run(25.0)
    for _ in range(250):
        twin.step()
    assert [(int(k), "cells", int(i)) for k, i in zip(spikes.step, spikes.i, strict=True)] == sorted(twin.spikes)
    assert len(spikes) > 20
    np.testing.assert_allclose(cells.V, neurons.V, rtol=1e-5)  # the slope of a function is that of a short line


@pytest.mark.parametrize("block", ["function", "own"])
def test_pieces_and_files_do_not_change_a_bit(block, tmp_path):
    receptor, _ = BLOCKS[block]
    define = [steep] if block == "function" else [Own]
    net, cells, *_ = wired(receptor)
    net.run(20.0)
    other, *_ = wired(receptor, threads=2)
    other.run(7.0)
    other.save(tmp_path / "state.npz")
    with pytest.raises(ValueError, match=f"load.define must hold the (function|class) '{define[0].__name__}'"):
        iz.load(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz", define=define)
    assert again.synapses["syn"].receptor == receptor
    again.run(13.0)
    assert again.populations["cells"].V.tolist() == cells.V.tolist()


def test_the_recorded_current_is_behind_the_block():
    net = iz.Network()
    cells = net.add(iz.Population(2, V=[-65.0, -55.0], c=-65.0), name="cells")
    syn = net.connect(cells, cells, ([0], [1]), weight=0.1, receptor=iz.NMDA(0.0, 20.0, block=steep))
    net.drive(cells, iz.SpikeTrain([0], [0.0], 200.0))
    rec, V = net.record(syn, "current"), net.record(cells, "V")
    net.run(1.0)
    g = 0.1 * math.exp(-0.1 / 20.0)
    assert rec.current[3, 1] == pytest.approx(g * steep(V.V[2, 1]) * -V.V[2, 1], rel=1e-12)


def test_float32_blocks_are_numbers_of_32_bits():
    net, cells, *_ = wired(iz.NMDA(1.0, 20.0, block=steep), dtype="float32")
    twin, others, *_ = wired(iz.NMDA(1.0, 20.0, block=steep))
    for one in (net, twin):
        one.run(3.0)
    np.testing.assert_allclose(cells.V, others.V, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: iz.NMDA(block="mg"),
            ValueError,
            "NMDA.block must be a known name, got .mg.",
        ),
        (lambda: iz.NMDA(block=1.0), TypeError, r"NMDA.block must be a function of \(V\), got 1"),
        (
            lambda: iz.NMDA(block=lambda V, p: V),
            TypeError,
            r"NMDA.block must be a function of \(V\), got one of \(V, p\)",
        ),
        (
            lambda: iz.NMDA(block=lambda V: V),
            ValueError,
            "NMDA.block must be a finite number >= 0 at every V",
        ),
        (lambda: iz.NMDA(block=lambda V: 1 / (V + 80)), ValueError, "NMDA.block must"),
        (lambda: iz.NMDA(block=math.exp), TypeError, "NMDA.block must be a function made by def or lambda"),
        (lambda: iz.NMDA(Mg=2.0, block="izhikevich"), ValueError, "NMDA.Mg must be left out with another block"),
        (lambda: iz.NMDA(tau_rise=-1.0), ValueError, "NMDA.tau_rise must be .*>= 0"),
        (lambda: iz.NMDA(tau_rise=5.0, tau_decay=5.0), ValueError, "NMDA.tau_rise must be below tau_decay"),
    ],
)
def test_blocks_that_cannot_be(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_blocks_that_are_refused_where_they_are_connected(tmp_path):
    net, cells, *_ = wired(iz.NMDA())
    other = net.add(iz.Population(2), name="other")
    with pytest.raises(ValueError, match="NMDA must have the gate Mg of the population's receptor NMDA, got izhik"):
        net.connect(cells, cells, iz.OneToOne(), receptor=iz.NMDA(block="izhikevich"))

    def listed(V):
        return [0.5, 1.0][int(V > 0)] if isinstance(V, str) else sum([V * 0 + 1])

    with pytest.raises(TypeError, match="NMDA.block must be a function that Numba can compile, got listed: "):
        net.connect(cells, other, iz.AllToAll(), receptor=iz.NMDA(block=listed))
    assert list(net.synapses) == ["syn"]
    net.connect(cells, other, iz.AllToAll(), receptor=iz.NMDA(block=steep))
    with pytest.raises(ValueError, match="NMDA must have the gate steep of the population.s receptor NMDA, got ra"):
        net.connect(cells, other, iz.AllToAll(), receptor=iz.NMDA(block=rational))
    net.connect(other, cells[:2], iz.AllToAll(), receptor=iz.NMDA())
    third = net.add(iz.Population(2), name="third")
    net.connect(cells, third, iz.AllToAll(), receptor=iz.NMDA(block=lambda V: 1.0))
    with pytest.raises(TypeError, match="Network.save cannot store a lambda at network/.*. Write a def, whose name"):
        net.save(tmp_path / "state.npz")


@dataclass(frozen=True)
class Course(iz.Receptor):
    """A current of any course with V: y f(V)."""

    tau: float = 20.0

    def rates(self):
        return iz.Rates(1, -1 / self.tau)

    @staticmethod
    def block(V):
        return (0.1 + 0.9 / (1 + math.exp(-0.1 * (V + 40.0)))) * (0.0 - V)


@pytest.mark.parametrize("scheme", ["exp_euler", "euler"])
def test_a_current_of_any_course_with_V(scheme):
    """The same as a conductance behind a block, which says it as a product."""
    courses, blocks = wired(Course(), scheme), wired(Own(), scheme)
    for net, *_ in (courses, blocks):
        net.record(net.synapses["syn"], "current", name="current")
        net.record(net.populations["cells"], name="spikes")
        net.run(25.0)
    ours, theirs = courses[0].recorders, blocks[0].recorders
    assert ours["spikes"].step.tolist() == theirs["spikes"].step.tolist()
    assert len(ours["spikes"]) > 20
    np.testing.assert_allclose(courses[1].V, blocks[1].V, rtol=1e-5)
    np.testing.assert_allclose(ours["current"].current, theirs["current"].current, rtol=1e-3, atol=1e-6)


def test_what_has_no_block():
    exact = iz.Network(scheme="exact")
    cells = exact.add(iz.Population(2), name="cells")
    for receptor, words in ((Own(), "Own .*: its block is no polynomial"), (iz.NMDA(0.0), "NMDA .*: its magnesium")):
        with pytest.raises(ValueError, match=f"Network receptor {words}"):
            exact.connect(cells, cells, iz.AllToAll(), receptor=receptor)
