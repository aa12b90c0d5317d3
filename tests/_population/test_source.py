"""Spike sources themselves: what they are, and what is refused."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest

import izhnumba as iz


def test_it_is_among_the_populations():
    net = iz.Network(seed=1)
    poisson, given = net.add(iz.PoissonSource(5, 10.0)), net.add(iz.SpikeSource([0], [1.0], n=2), "given")
    assert dict(net.populations) == {"source": poisson, "given": given}
    assert repr(net) == "<network: 0 neurons in 0 populations, 2 spike sources, 0 synapses, t = 0 ms>"
    assert repr(poisson) == "PoissonSource(5, rate=10.0)"
    assert repr(given) == "SpikeSource(<1 spike>, n=2)"
    assert (poisson.name, poisson.n, poisson.size, poisson.network) == ("source", 5, (5,), net)
    assert net.add(iz.PoissonSource(5, 10.0)).name == "source#1"
    assert repr(poisson[1:3]) == "source[1:3]"


def test_copies_and_pickles_outside_networks():
    for source in (iz.PoissonSource((2, 3), 7.0, positions=iz.Grid(1.0)), iz.SpikeSource([1], [2.0], n=3, name="s")):
        for other in (copy.deepcopy(source), pickle.loads(pickle.dumps(source))):
            assert repr(other) == repr(source)
            assert (other.name, other.size) == (source.name, source.size)
        iz.Network().add(source)
        with pytest.raises(RuntimeError, match="is in a network. Call save of the Network, and izhnumba.load"):
            copy.copy(source)


WRONG = {
    "rates below 0": (lambda: iz.PoissonSource(3, -1.0), "PoissonSource.rate must be >= 0, got -1"),
    "not finite": (lambda: iz.PoissonSource(3, np.nan), "PoissonSource.rate must be finite"),
    "shape": (lambda: iz.PoissonSource(3, [1.0, 2.0]), r"PoissonSource.rate must have .* or \(3,\), got \(2,\)"),
    "noise": (lambda: iz.PoissonSource(3, iz.Noise(1.0)), "must be a number, an array or an input without random"),
    "a function": (lambda: iz.PoissonSource(3, np.sin), "Wrap a function: Function"),
    "none": (lambda: iz.PoissonSource(0, 1.0), "PoissonSource.n must be a whole number >= 1, got 0"),
    "times": (lambda: iz.SpikeSource([0], [-1.0], n=1), "SpikeSource.t must be >= 0, got -1.0"),
    "times not finite": (lambda: iz.SpikeSource([0], [np.inf], n=1), "SpikeSource.t must be finite"),
    "cells": (lambda: iz.SpikeSource([3], [1.0], n=3), "SpikeSource.i must be whole numbers below 3.*got 3"),
    "halves": (lambda: iz.SpikeSource([0.5], [1.0], n=3), "SpikeSource.i must be whole numbers.*got 0.5"),
    "sizes": (lambda: iz.SpikeSource([0, 1], [1.0], n=3), r"SpikeSource.t must have one entry per entry of i \(2\)"),
    "no spikes": (lambda: iz.SpikeSource([0, 1], n=3), "SpikeSource.i must be spikes where t is left out"),
    "V": (lambda: iz.PoissonSource(3, 1.0).V, "PoissonSource has no 'V'. It has no neurons, only spikes"),
    "V of some": (lambda: iz.PoissonSource(3, 1.0)[1:].V, "PoissonSource has no 'V'. It has no neurons, only spikes"),
    "run": (lambda: iz.PoissonSource(3, 1.0).run(5.0), "PoissonSource has no 'run'. A network advances it: net.add"),
    "name": (lambda: iz.PoissonSource(3, 1.0, name=3), "PoissonSource.name must be a str"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_sources_are_refused(what):
    make, message = WRONG[what]
    with pytest.raises((TypeError, ValueError, AttributeError), match=message):
        make()


def test_attributes_that_cannot_be_set():
    source = iz.PoissonSource(3, 1.0)
    with pytest.raises(AttributeError, match="PoissonSource.n cannot be changed"):
        source.n = 4
    with pytest.raises(TypeError, match="PoissonSource has no parameter 'rates'. Did you mean 'rate'"):
        source.rates = 4.0
    with pytest.raises(ValueError, match="PoissonSource.rate must be >= 0"):
        source.rate = -1.0
    assert source.rate == 1.0


def test_what_a_network_refuses():
    net = iz.Network(seed=1, dt=0.5)
    source, cells = net.add(iz.PoissonSource(3, 1.0), "s"), net.add(iz.Population(3), "c")
    for call, message in (
        (lambda: net.drive(source, 1.0), "Network.drive.population must be neurons, got s of the spike source"),
        (lambda: net.drive(source[:2], iz.Noise(1.0)), r"population must be neurons, got s\[0:2\] of the spike source"),
        (lambda: net.connect(cells, source, iz.OneToOne()), "Network.connect.post must be neurons, got s of the spike"),
        (lambda: net.connect(source, cells, iz.OneToOne(), weight=0.1, receptor=iz.GapJunction()),
         "Network.connect.pre must be neurons for GapJunction"),
        (lambda: net.record(source, "V"), "record.what must be 'spikes', 'rate' or a Sampler for a spike source"),
        (lambda: net.record(source, ["V", "u"]), "Network.record.what must be 'spikes', 'rate' or a Sampler"),
        (lambda: net.drive(cells, source), r"Network.drive.input must be .* got PoissonSource\(3.*net.connect"),
        (lambda: iz.Population(3).run(1.0, source), r"run.I must .* got PoissonSource\("),
        (lambda: net.add(source), "Network.add.population must be in no network yet, got 's' of one"),
        (lambda: net.add(iz.Poisson(3.0)), "a Population, PoissonSource or SpikeSource, got Poisson.*net.drive"),
        (lambda: net.add(iz.PoissonSource(3, 1.0), "c"), "Network.add.name must be new in this network, got 'c'"),
        (lambda: net.add(iz.PoissonSource(3, 2000.0)), "at least 0 and below 2000 Hz.*a spike in every step of 0.5 ms"),
        (lambda: net.add(iz.SpikeSource([0], [0.0], n=1)), "SpikeSource.t must be above 0, .*the step that ends at t"),
        (lambda: net.add(iz.SpikeSource([1, 1], [1.2, 1.4], n=2)),
         "at most one spike of a cell in a step of 0.5 ms, got 1.2 and 1.4 ms of cell 1. Use a shorter dt"),
        (lambda: iz.PoissonSource(3, iz.Noise(1.0) + iz.Sine(2.0, frequency=5.0) + iz.Ramp(0.5, 1.0, 9.0)),
         r"without random parts and spikes, got Noise\(.*\.\.\..*\)\.$"),
        (lambda: iz.PoissonSource(10**13, 1.0), r"PoissonSource.n must fit in the free memory .*\. Use fewer cells"),
        (lambda: net.add(iz.SpikeSource([1, 1], [2.0, 2.0], n=2)), "2 and 2 ms of cell 1. Name each spike once"),
        (lambda: net.add(iz.PoissonSource(2, iz.Constant([1.0, 2.0, 3.0]))), "must"),
        (lambda: net.remove(source), "Network.remove.part must be synapses, a drive or a recorder"),
        (
            lambda: net.connect(cells, cells + source, iz.AllToAll()),
            "Network.connect.post must be neurons, got s of the spike",
        ),
        (lambda: net.drive(cells + source, 1.0), "Network.drive.population must be neurons, got s of the spike source"),
        (lambda: setattr(source, "rate", 3000.0), "below 2000 Hz"),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=message):
            call()
    assert list(net.populations) == ["c", "s"]
    assert not net.drives
    assert not net.synapses
    assert not net.recorders
    assert source.rate == 1.0
    net.run(1.0)
    with pytest.raises(ValueError, match="PoissonSource must come into a network at t = 0 ms, got t = 1 ms"):
        net.add(iz.PoissonSource(3, 1.0))
    with pytest.raises(RuntimeError, match=re.escape("Network.run or connect has not ended")):
        net.run(1.0, until=lambda net: setattr(source, "rate", 3.0))


def test_what_the_scheme_exact_refuses():
    net = iz.Network(seed=1, scheme="exact")
    with pytest.raises(ValueError, match="a number, an array or a TimedArray with the scheme 'exact', got Sine"):
        net.add(iz.PoissonSource(2, iz.Sine(3.0, 5.0, offset=3.0)))
    source = net.add(iz.SpikeSource([0, 0], [0.0, 0.0], n=1))  # there are no steps
    rec = net.record(source)
    net.run(1.0)
    assert rec.t.tolist() == [0.0, 0.0]


def test_sources_from_records_and_trains():
    net = iz.Network(seed=5)
    spikes = net.record(net.add(iz.Population(9, **iz.presets["RS"])))
    net.drive(spikes.source, np.linspace(4.0, 14.0, 9))
    net.run(100.0)
    result = iz.Population(3, **iz.presets["RS"]).run(100.0, [5.0, 10.0, 15.0])
    for given, n in ((spikes, 9), (spikes.spikes, 9), (result.spikes, 3), (iz.SpikeTrain([1, 0], [3.0, 2.0]), 2)):
        source = iz.SpikeSource(given, n=n)
        order = np.argsort(given.t, kind="stable")
        np.testing.assert_array_equal(source.i, given.i[order])
        np.testing.assert_array_equal(source.t, given.t[order])
    batch = iz.Population(3, batch=2).run(1.0)
    with pytest.raises(ValueError, match="SpikeSource.i must be spikes without a batch, got .* of 2 copies"):
        iz.SpikeSource(batch.spikes, n=3)
