"""Ports of published models against plain NumPy scripts of the published equations, which know nothing of izhnumba."""

from __future__ import annotations

import ca1_plain
import ca3_plain
import distal_reward_plain
import force_plain
import grid_cells_plain
import numpy as np
import pytest
import striatum_plain
from ports import MODELS, SHORTER, events

import izhnumba as iz


@pytest.mark.parametrize("name", SHORTER)
def test_a_port_is_short_and_uses_public_names_only(name):
    source = (MODELS / f"{name}.py").read_text()
    assert len(source.splitlines()) <= 130
    assert "izhnumba._" not in source
    assert "iz._" not in source


def test_all_ports_are_tested():
    assert sorted(file.stem for file in MODELS.glob("*.py")) == sorted(SHORTER)


def test_ca1(port):
    """Spike for spike, with synapses of cells that fire before r is back at 0."""
    steps = 2000
    noise = np.random.default_rng(3).normal(200.0, 200.0, (steps // 25, 1000)).repeat(25, axis=0)
    ours = port("ca1", noise=noise)
    synapses = []
    for syn, (pre, post, _, weight, alpha, beta, E) in zip(ours["made"], ours["SYNAPSES"], strict=True):
        synapses.append((pre, post, syn.pre, syn.post, weight, alpha, beta, E))
    cells = {name: (ours["starts"][name], ours[name]) for name in ("PYR", "PV")}
    spikes, r = ca1_plain.run(cells, synapses, {"PYR": noise}, dt=0.04, steps=steps)
    assert {name: events(found) for name, found in ours["spikes"].items()} == spikes
    assert min(map(len, spikes.values())) > 50
    for recorded, opened in zip(ours["made"], r, strict=True):
        assert recorded.receptor.alpha / (recorded.receptor.alpha + recorded.receptor.beta) > opened.max() > 0


def test_ca3(port):
    """Spike for spike, and the weights to rounding, through a cue, two stimuli and another cue."""
    steps, noises = 1200, {}

    def noise(n, std):
        noises[n] = np.random.default_rng(n).normal(100.0, 4 * std, (steps // 5, n)).repeat(5, axis=0)
        return noises[n]

    ours = port("ca3", noise=noise)
    synapses = []
    for syn, (pre, post, p, weight, U, tau_facil, tau_rec, decay) in zip(ours["made"], ours["SYNAPSES"], strict=True):
        weight *= 89.2 * p / min(10 * p, 1.0) / U
        pairs = (0.5 * weight, 30.0 * weight) if pre == post == "pyramidal" else None
        delays, E = np.floor(syn.delay / 0.2 + 0.5).astype(int), 0.0 if pre == "pyramidal" else -70.0
        numbers = U, tau_facil, tau_rec, decay, E, pairs
        synapses.append((pre, post, ca3_plain.Synapses(syn.pre, syn.post, np.full(len(syn), weight), delays, *numbers)))
    drives = {name: noises[n].copy() for name, (n, *_) in ours["CELLS"].items()}
    for start, cells in ((40, 50), (80, 100), (120, 100), (200, 50)):  # ms
        drives["pyramidal"][start * 5 : start * 5 + 40, :cells] += 6000.0
    cells = {name: (ours["starts"][name], numbers) for name, (_, _, *numbers) in ours["CELLS"].items()}
    spikes = ca3_plain.run(cells, synapses, drives, dt=0.2, steps=steps)
    for name, found in ours["spikes"].items():
        assert events(found) == spikes[name]
        assert len(found) > 100
    np.testing.assert_allclose(ours["recurrent"].weight, synapses[-1][2].w, rtol=1e-9)
    assert np.ptp(ours["recurrent"].weight) > ours["at_first"]


def test_distal_reward(port):
    """Spike for spike, with weights to rounding; the program itself, in two details another, ends nearby."""
    n = 3000
    thalamus = np.random.default_rng(2007).uniform(-6.5, 6.5, (n, 1000))
    ours = port("distal_reward", thalamus=thalamus)
    syn, inhibition = ours["syn"], ours["inhibition"]

    def plain(published):
        start, waits = np.ones(len(syn)), np.random.default_rng(1)
        start[0] = 0.0
        return distal_reward_plain.run(
            syn.pre, syn.post, start, (inhibition.pre, inhibition.post), thalamus,
            iter(lambda: 1000 + waits.integers(1, 2001), None), within=1000, published=published,
        )  # fmt: skip

    (spikes, weights, rewards), (others, near, _) = plain(False), plain(True)
    last = [(k, i) for k, i in spikes if n - 1000 <= k]
    assert [event for event in events(ours["spikes"]) if event[0] < n - 1] == last
    assert len(last) > 1000
    np.testing.assert_allclose(syn.weight, weights, rtol=0, atol=1e-9)
    assert [when for when, _ in ours["rewards"] if when <= n] == [when for when in rewards if when <= n] != []
    assert abs(len(others) - len(spikes)) < 0.01 * len(spikes)
    assert np.corrcoef(near, weights)[0, 1] > 0.999


def test_force(port):
    """Spike for spike, and the output to rounding."""
    ours = port("force")
    spikes, output, decoder = force_plain.run(
        ours["static"], ours["feedback"], ours["V_start"], ours["target"], dt=0.04, learn=100.0, free=300.0, every=50,
        bias=1000.0,
    )  # fmt: skip
    assert events(ours["spikes"]) == spikes
    assert len(spikes) > 1000
    np.testing.assert_allclose(ours["output"], output, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours["decoder"], decoder, rtol=1e-6, atol=1e-9)


def test_grid_cells(port):
    """Spike for spike, until rounding of the exponential separates two cells."""
    noise = np.random.default_rng(1).normal(0.0, 12.0, (800, 32, 36))
    ours = port("grid_cells", noise=noise)
    t = 0.5 * np.arange(800)
    drive, noise = ours["drive"](t).reshape(800, -1), noise.reshape(800, -1)
    spikes = grid_cells_plain.run(ours["V_start"], drive, noise, dt=0.5, w0=3.0, shift=2, beta=3 / 13**2)
    assert events(ours["spikes"]) == spikes
    assert len(spikes) > 1000


def test_striatum(port):
    """Spike for spike, with half as much input again: single cells of three kinds, and a network with dopamine."""
    counts = []

    def trains(net, cells, rate, weight, receptor):
        counts.append(np.random.default_rng(len(counts)).poisson(rate * 1.5e-4, (3000, cells.n)))
        k, i = counts[-1].nonzero()
        number = counts[-1][k, i]
        spikes = iz.SpikeTrain(i.repeat(number), 0.1 * k.repeat(number), weight=weight, receptor=receptor)
        net.drive(cells, spikes)

    ours = port("striatum", trains=trains)
    cells = {kind: striatum_plain.Cells(22, **dopamine) for kind, dopamine in ours["KINDS"].items()}
    cortex, inhibition = (dict(zip(cells, counts[first:6:2], strict=True)) for first in (0, 1))
    spikes = striatum_plain.run(cells, [], cortex, inhibition, steps=3000)
    assert {kind: events(found) for kind, found in ours["alone"].items()} == spikes
    assert min(map(len, spikes.values())) >= 10

    net, cells = ours["networks"][-1], {}
    for name, dopamine in (("D1", dict(D1=0.8)), ("D2", dict(D2=0.8)), ("FSI", dict(fsi=0.8))):
        cells[name] = striatum_plain.Cells(net.populations[name].n, **dopamine)
    cortex = dict(zip(("FSI", "D1", "D2"), counts[-3:], strict=True))
    synapses = []
    for both, syn in net.synapses.items():
        pre, post = both.split(" to ")
        weight = 6.86875 / 1.4 / 4.0 * np.exp(-0.1 / 4.0)
        if pre == "FSI":
            weight *= 5 * (1 - 0.625 * 0.8 * (post == "FSI"))
        delays = np.floor(syn.delay / 0.1 + 0.5).astype(int)
        synapses.append((pre, post, syn.pre, syn.post, np.full(len(syn), weight), delays))
    spikes = striatum_plain.run(cells, synapses, cortex, {}, steps=1500)
    assert {name: events(found) for name, found in ours["found"][-1].items()} == spikes
    assert sum(map(len, spikes.values())) > 100
