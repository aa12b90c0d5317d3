"""Copies and pickles of everything public: the same again, or refused when it is made."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis

WAYS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}
WAYS |= {f"pickle {k}": lambda x, k=k: pickle.loads(pickle.dumps(x, k)) for k in (2, 5)}


def things():
    pop = iz.Population(2, **iz.presets["RS"], seed=1)
    result = pop.run(40.0, 10.0, record=["V", "u"])
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(2))
    samples = net.record(cells, "V")
    net.run(1.0)
    yield from (result, result.spikes, samples.samples, samples.samples.t, pop)
    yield from (iz.Population((2, 3), scheme="exact", b=0.25, seed=2), iz.Population(2, batch=3, dtype="float32"))
    yield from (iz.Constant(1.0), iz.Ramp(1.0), iz.Sine(1.0, 2.0), iz.Pulses([1.0], [2.0], 3.0), iz.Noise([1.0, 2.0]))
    yield from (iz.TimedArray([1.0, 2.0], 0.5), iz.OrnsteinUhlenbeck(0.0, 1.0, 2.0), 1.0 + iz.Ramp(1.0))
    yield from (iz.Poisson(5.0), iz.Poisson(iz.TimedArray([1.0], 1.0)), iz.SpikeTrain([0], [1.0]))
    yield from (iz.Delta(), iz.Pulse(), iz.Exponential(1.0), iz.Alpha(1.0), iz.DualExponential(1.0, 2.0), iz.AMPA())
    yield from (iz.GABA_A(), iz.GABA_B(), iz.NMDA(), iz.GapJunction())
    yield from (iz.STDP(), iz.TripletSTDP(), iz.STDP2006(), iz.DopamineSTDP(), iz.TsodyksMarkram(), iz.Scaling(5.0))
    yield from (iz.Uniform(0.0, 1.0), iz.Normal(0.0, 1.0), iz.LogNormal(0.0, 1.0))
    yield from (iz.OneToOne(), iz.AllToAll(), iz.FixedProbability(0.1), iz.FixedInDegree(1), iz.FixedOutDegree(1))
    yield from (iz.FixedTotalNumber(1), iz.Distance("box", extent=(1.0, 2.0)))
    yield from (iz.Izhikevich, iz.Izhikevich2007, iz.Izhikevich.V, iz.Izhikevich.parameters)
    yield from (iz.presets, iz.schemes, iz.presets["2004/C"], iz.presets["2007/LTS"], *iz.schemes.values())
    yield from (analysis.FICurve(np.ones(2), np.ones(2), np.ones(2)), *analysis.fixed_points(iz.presets["RS"]))
    row = analysis.Accuracy("euler", 0.1, 7, 1, 0, 0.9, 0.4, 1e-3)
    yield from (row, analysis.AccuracyReport([row], 8, 2e-4, 1000.0))
    yield analysis.SpikeTimeGradients(np.zeros(1, int), np.ones(1), {"V": np.ones(1)})


THINGS = list(things())


def same(one, other):
    """Whether two objects hold the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, iz.Population):
        return same(parts(one), parts(other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (bool(vars(one)) and same(one.__getstate__(), other.__getstate__()))


def parts(pop):
    return {
        **pop._values,
        "V": pop.V,
        "u": pop.u,
        "spikes": pop.spikes,
        "t": pop.t,
        "shape": pop.shape,
        "seed": pop.seed,
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: f"{type(thing).__name__} {thing!r:.30}")
def test_copies_hold_the_same(thing, way):
    twin = WAYS[way](thing)
    assert same(thing, twin)
    assert repr(twin) == repr(thing)


def test_what_has_a_name_is_the_same_object_again():
    for thing in (iz.presets, iz.schemes, iz.presets["RS"], iz.schemes["exact"], iz.Izhikevich):
        for way in WAYS.values():
            assert way(thing) is thing


def test_columns_that_were_not_recorded_are_missing_in_copies_too():
    samples = next(thing for thing in THINGS if isinstance(thing, iz.Samples))
    for way in WAYS.values():
        with pytest.raises(AttributeError, match="Samples has no 'u'. Recorded: V."):
            _ = way(samples).u


@pytest.mark.parametrize("way", WAYS)
def test_parts_of_a_network_are_refused_when_they_are_copied(way):
    net = iz.Network()
    cells = net.add(iz.Population(2))
    synapses = net.connect(cells, cells, iz.AllToAll(), plasticity=iz.STDP())
    for thing in (net, synapses, net.drive(cells, 1.0), net.record(cells, "spikes"), net.record(cells, "V")):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            WAYS[way](thing)
    with pytest.raises((TypeError, RuntimeError), match="is in a network"):
        WAYS[way](cells)
