"""What is told of names that a network does not have, and of classes, numbers and names in place of objects."""

from __future__ import annotations

import pytest

import izhnumba as iz
from izhnumba import analysis


def test_names_in_a_network_are_told_with_those_there_are():
    net = iz.Network(seed=1)
    assert "There are none yet." in str(pytest.raises(KeyError, lambda: net.recorders["rec"]).value)
    exc = net.add(iz.Population(2), name="exc")
    source = net.add(iz.PoissonSource(2, rate=5.0), name="source")
    net.connect(source, exc, iz.AllToAll(), weight=1.0, name="input")
    net.record(exc)
    for table, name, words in (
        ("populations", "ex", "got 'ex'. Did you mean 'exc'? Known: exc, source."),
        ("recorders", "exc spike", "got 'exc spike'. Did you mean 'exc spikes'? Known: exc spikes."),
        ("synapses", "inputs", "got 'inputs'. Did you mean 'input'? Known: input."),
        ("drives", "exc", "got 'exc'. There are none yet."),
    ):
        with pytest.raises(KeyError) as raised:
            getattr(net, table)[name]
        assert str(raised.value) == f"Network.{table}.name must be a known name, {words}"
    assert net.populations["exc"] is exc
    assert net.populations.get("ex") is None


def test_of_many_names_the_first_are_told():
    net = iz.Network(seed=1)
    for k in range(52):
        net.add(iz.Population(1), name=f"p{k}")
    with pytest.raises(KeyError, match=r"Known: p0, .*, p49 and 2 more\.$"):
        net.populations["another"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda net, a, b: net.connect(a, b, 0.1, weight=1.0), "got 0.1. For a probability write FixedProbability("),
        (lambda net, a, b: net.connect(a, b, iz.OneToOne, weight=1.0), "Make an object: OneToOne(...)."),
        (
            lambda net, a, b: net.connect(a, b, iz.AllToAll(), weight=1.0, receptor=iz.Exponential),
            "Make an object: Exponential(...).",
        ),
        (
            lambda net, a, b: net.connect(a, b, iz.AllToAll(), weight=1.0, plasticity=iz.STDP),
            "Make an object: STDP(...).",
        ),
        (lambda net, a, b: analysis.rheobase("RS"), "got 'RS'. Pass iz.presets[\"RS\"]."),
        (lambda net, a, b: iz.Population(3, "izhikevich2007"), "Write model=iz.Izhikevich2007."),
    ],
)
def test_classes_numbers_and_names_in_place_of_objects(call, words):
    net = iz.Network(seed=1)
    a, b = (net.add(iz.Population(2)) for _ in range(2))
    with pytest.raises(TypeError) as raised:
        call(net, a, b)
    assert words in str(raised.value)
    assert not net.synapses
