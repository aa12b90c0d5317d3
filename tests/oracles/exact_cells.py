"""Neurons and networks of the exact scheme, and their slow twins beside them."""

from __future__ import annotations

import itertools

import numpy as np
from exact_oracle import Cell, ExactNetwork, Pairs, Synapse
from network_oracle import Course
from oracle import Quadratic

import izhnumba as iz

RECEPTORS = {
    "delta": (iz.Delta(), Course("delta")),
    "exponential": (iz.Exponential(3.0), Course("exp", 3.0)),
    "alpha": (iz.Alpha(2.0), Course("alpha", 2.0)),
    "dual": (iz.DualExponential(1.0, 6.0), Course("dual", 1.0, 6.0)),
    "conductance": (iz.AMPA(), Course("exp", 5.0, E=0.0)),
    "alpha conductance": (iz.Alpha(4.0, E=-80.0), Course("alpha", 4.0, E=-80.0)),
    "dual conductance": (iz.DualExponential(0.5, 4.0, E=-20.0), Course("dual", 0.5, 4.0, E=-20.0)),
}
STDP = dict(A_plus=0.3, A_minus=0.2, tau_plus=12.0, tau_minus=25.0, w_min=0.0, w_max=4.0)
RESTING = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-70.0, u=-14.0)


def different(n, seed=0, **same):
    """Parameters, start and current I of n cells, no two alike but for what is given in `same`."""
    rng = np.random.default_rng(seed)
    cells = dict(
        a=rng.uniform(0.02, 0.1, n),
        b=rng.uniform(0.2, 0.26, n),
        c=rng.uniform(-65.0, -50.0, n),
        d=rng.uniform(2.0, 8.0, n),
        tau_ref=rng.choice([0.0, 1.3], n),
        V=rng.uniform(-75.0, -55.0, n),
        u=rng.uniform(-15.0, -10.0, n),
        I=rng.uniform(0.0, 14.0, n),
    )
    return cells | {name: np.full(n, value) for name, value in same.items()}


def resting(n):
    """n equal cells at rest."""
    return {name: np.full(n, value) for name, value in {**RESTING, "tau_ref": 0.0, "I": 0.0}.items()}


def population(cells, index=slice(None), **options):
    """The cells at `index`, without their current."""
    return iz.Population(
        len(cells["V"][index]),
        scheme="exact",
        **{name: values[index] for name, values in cells.items() if name != "I"},
        **options,
    )


def twins(cells, segments=None, wave=None):
    """A twin of each cell, with its own current or with these segments for all."""
    made = []
    for values in zip(*(array.tolist() for array in cells.values()), strict=True):
        cell = dict(zip(cells, values, strict=True))
        V, u, I, tau_ref = (cell.pop(name) for name in ("V", "u", "I", "tau_ref"))
        made.append(Cell(Quadratic(**cell), V, u, segments or [(0.0, I, 0.0)], wave, tau_ref))
    return made


def both(cells, wires=(), events=(), cuts=()):
    """A network and its twin. Its populations are the cells up to each of `cuts`, and the rest.

    wires: (receptor, pre, post, weight, delay) with arrays, and perhaps the pairing of STDP behind.
    events: (t, i, receptor, weight).
    """
    net = iz.Network(scheme="exact", seed=1)
    parts = []  # population, first cell, end
    for low, high in itertools.pairwise([0, *cuts, len(cells["V"])]):
        part = net.add(population(cells, slice(low, high)), name=f"cells {low}")
        net.drive(part, cells["I"][low:high])
        net.record(part, "spikes", name=f"spikes {low}")
        parts.append((part, low, high))
    synapses = []
    for wire in wires:
        _connect(net, parts, *wire)
        synapses += _synapses(*wire)
    _drive(net, parts, events)
    return net, ExactNetwork(twins(cells), synapses, [(t, i, RECEPTORS[name][1], w) for t, i, name, w in events])


def _connect(net, parts, receptor, pre, post, weight, delay, pairing=None):
    """These synapses, for each pair of populations those between them."""
    rule = pairing and iz.STDP(**STDP, pairing=pairing)
    for (source, low, high), (target, first, end) in itertools.product(parts, repeat=2):
        here = (low <= pre) & (pre < high) & (first <= post) & (post < end)
        if here.any():
            net.connect(
                source, target, (pre[here] - low, post[here] - first), weight=weight[here], delay=delay[here],
                receptor=RECEPTORS[receptor][0], plasticity=rule,
            )  # fmt: skip


def _synapses(receptor, pre, post, weight, delay, pairing=None):
    rule = pairing and Pairs(**STDP, nearest=pairing == "nearest")
    for i, j, w, d in zip(pre.tolist(), post.tolist(), weight.tolist(), delay.tolist(), strict=True):
        yield Synapse(i, j, RECEPTORS[receptor][1], w, d, rule)


def _drive(net, parts, events):
    """A spike train has a weight of its own for each neuron, not for each spike: one train for each weight."""
    for kind in dict.fromkeys((name, weight) for _, _, name, weight in events):
        for part, low, high in parts:
            mine = [(t, i - low) for t, i, *what in events if low <= i < high and what == [*kind]]
            if mine:
                t, i = zip(*mine, strict=True)
                net.drive(part, iz.SpikeTrain(i, t, kind[1], RECEPTORS[kind[0]][0]))


def raster(net):
    """Cells and times of all spikes of a network made by `both`, by time."""
    recorders = {int(name.removeprefix("spikes ")): recorder for name, recorder in net.recorders.items()}
    i = np.concatenate([low + recorder.i for low, recorder in recorders.items()])
    t = np.concatenate([recorder.t for recorder in recorders.values()])
    order = np.lexsort((i, t))
    return i[order], t[order]


def assert_same_spikes(found, expected, atol=1e-9):
    """The same cells at the same times, up to `atol` ms. Each is (cells, times)."""
    (i, t), (j, s) = ((np.asarray(i), np.asarray(t)) for i, t in (found, expected))
    one, other = np.lexsort((t, i)), np.lexsort((s, j))
    np.testing.assert_array_equal(i[one], j[other])
    np.testing.assert_allclose(t[one], s[other], rtol=0, atol=atol)


def agree(net, twin, T, atol=1e-9):
    """Run both to T and compare their spikes. Returns the number of spikes."""
    net.run(T - net.t)
    assert_same_spikes(raster(net), twin.run(T).spikes, atol)
    return len(twin.spikes[0])
