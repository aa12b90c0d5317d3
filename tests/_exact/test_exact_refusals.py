"""What the exact scheme does not do, it refuses by name."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._input.spike_trains import SpikeInput


def population(n=2, **options):
    return iz.Population(n, scheme="exact", **options)


def network():
    net = iz.Network(scheme="exact", seed=1)
    return net, net.add(iz.Population(2, **iz.presets["RS"]))


@dataclass(frozen=True, eq=False, repr=False)
class Mine(iz.Input):
    """An input of a user, known at the times it is asked for and nowhere else."""

    def _values(self, k, dt):
        return np.sqrt(k * dt)


@dataclass(frozen=True, eq=False, repr=False)
class Burst(SpikeInput):
    """Spikes of a user that are told by steps and not by times."""

    weight: float = 1.0
    receptor: iz.Delta = dataclasses.field(default_factory=iz.Delta)


def cubic(V, u, I, p):
    return p.k2 * V * V * V + p.k1 * V + p.k0 - u + I


def cubic_slope(V, dI, p):
    return (p.k2 + p.k2 + p.k2) * V * V + p.k1 + dI


CUBIC = dataclasses.replace(iz.Izhikevich, name="Cubic", dV=cubic, dV_slope=cubic_slope)


def floor(pop):
    pop.V_min = -80.0


def run(value):
    return lambda: population().run(10.0, value)


def drive(value):
    net, cells = network()
    net.drive(cells, value)
    net.run(1.0)


def connect(**options):
    net, cells = network()
    net.connect(cells, cells, iz.OneToOne(), **options)
    net.run(1.0)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: population(batch=3), "batch"),
        (lambda: population(dtype="float32"), "dtype"),
        (lambda: population(V_min=-80.0), "V_min"),
        (lambda: population(V_min=[-np.inf, -80.0]), "V_min"),
        (lambda: floor(population()), "V_min"),
        (lambda: population(**iz.presets["2007/FS"]).run(1.0), "cubic"),
        (lambda: population(**iz.presets["2007/TC"]).run(1.0), "V_b"),
        (lambda: population(**iz.presets["2007/RTN"]).run(1.0), "V_b"),
        (lambda: population(model=CUBIC).run(1.0), "model"),
        (run(iz.Noise(1.0)), "Noise"),
        (run(2.0 + iz.Noise(1.0)), "Noise"),
        (run(iz.OrnsteinUhlenbeck(0.0, 1.0, 5.0)), "OrnsteinUhlenbeck"),
        (run(Mine()), "Mine"),
        (lambda: drive(iz.Noise(1.0)), "Noise"),
        (lambda: drive(iz.OrnsteinUhlenbeck(0.0, 1.0, 5.0)), "OrnsteinUhlenbeck"),
        (lambda: drive(Mine()), "Mine"),
        (lambda: drive(Burst()), "Burst"),
        (lambda: drive(iz.Poisson(10.0, receptor=iz.NMDA())), "NMDA"),
        (lambda: connect(receptor=iz.NMDA(), delay=1.0), "NMDA"),
        (lambda: connect(receptor=iz.GapJunction()), "GapJunction"),
        (lambda: connect(delay=0.0), "delay"),
    ],
)
def test_what_it_does_not_do(make, word):
    with pytest.raises((TypeError, ValueError)) as error:
        make()
    assert word in str(error.value)
    assert "exact" in str(error.value) or word == "delay"


def test_functions_are_no_input():
    with pytest.raises((TypeError, ValueError), match=r"Population.run.I must be"):
        population().run(1.0, lambda t: 3.0)


def test_a_refusal_changes_nothing():
    pop = population()
    with pytest.raises((TypeError, ValueError)):
        pop.run(10.0, iz.Noise(1.0))
    assert pop.t == 0.0
    net, cells = network()
    with pytest.raises((TypeError, ValueError)):
        net.connect(cells, cells, iz.OneToOne(), delay=1.0, receptor=iz.NMDA())
    assert net.synapses == {}
    net.run(5.0)
    assert net.t == 5.0


def test_the_scheme_of_a_network_is_that_of_its_populations():
    net, cells = network()
    assert cells.scheme.name == "exact"
    with pytest.raises(ValueError, match="scheme"):
        net.add(iz.Population(1, scheme="euler"))
    with pytest.raises(ValueError, match="scheme"):
        iz.Network().add(population())


def test_there_are_no_steps_to_count():
    net, cells = network()
    for owner, name in ((cells, "Population"), (population(), "Population"), (net, "Network")):
        with pytest.raises(AttributeError, match=rf"^{name}\.n_steps is not there with the scheme 'exact'.* Use t\."):
            _ = owner.n_steps
