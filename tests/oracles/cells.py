"""Populations of different cells, and what it means that two of them are equal: every bit."""

from __future__ import annotations

import numpy as np

import izhnumba as iz


def different(n, seed=0):
    """Parameters and start of n cells, no two alike. It is always these that vary: each choice compiles a kernel."""
    rng = np.random.default_rng(seed)
    return dict(
        a=rng.uniform(0.02, 0.1, n),
        b=rng.uniform(0.2, 0.26, n),
        c=rng.uniform(-65.0, -50.0, n),
        d=rng.uniform(0.05, 8.0, n),
        V_th=np.full(n, 30.0),
        tau_ref=rng.uniform(0.0, 2.0, n),
        V=rng.uniform(-75.0, 20.0, n),
        u=rng.uniform(-15.0, -10.0, n),
    )


def chosen(cells, index):
    """The cells at `index`, in that order."""
    return {name: np.asarray(values)[index] for name, values in cells.items()}


def state(pop):
    """Everything that a run changes or reads, as bytes."""
    arrays = {name: getattr(pop, name) for name in ("V", "u", "spikes", "refractory", "last_spike_time")}
    arrays |= {name: getattr(pop, name) for name in (*pop.model.parameters, "V_min", "tau_ref")}
    return {name: (array.shape, array.tobytes()) for name, array in arrays.items()} | {"n_steps": pop.n_steps}


def events(spikes):
    return np.stack([spikes.step, spikes.batch, spikes.i])


def assert_same(pop, other):
    """The same state and parameters."""
    ours, theirs = state(pop), state(other)
    differ = [name for name in ours if ours[name] != theirs[name]]
    assert not differ, differ


def assert_same_result(result, *parts):
    """The same spikes and samples as the parts, one after the other."""
    np.testing.assert_array_equal(events(result.spikes), np.concatenate([events(p.spikes) for p in parts], axis=1))
    for name in {"t", "V", "u"} & set(vars(result)):
        whole = np.concatenate([getattr(p, name) for p in parts])
        assert getattr(result, name).tobytes() == whole.tobytes(), name


def population(n, cells=None, **options):
    return iz.Population(n, **{**(different(n) if cells is None else cells), "seed": 1, **options})
