"""Inputs through receptors that are refused by name: nothing has changed then."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz

N = 5
POINT = iz.OrnsteinUhlenbeck(0.1, 0.12, 10.0)
SYNAPSE = iz.Exponential(5.0, E=0.0)


def network():
    net = iz.Network(dt=0.1, seed=1, threads=1)
    cells = net.add(iz.Population(N, V=-70.0, u=-14.0), name="cells")
    net.record(cells, name="spikes")
    return net, cells


def other_drive():
    net, cells = network()
    return net.drive(cells, 0.1, receptor=SYNAPSE)


WRONG = [
    (ValueError, r"Network.drive.input must be >= 0 for the conductance Exponential\(.*\), got -1. E sets the sign",
     lambda net, cells: net.drive(cells, -1.0, receptor=SYNAPSE)),
    (ValueError, r"input must be >= 0 for the conductance Exponential\(.*\), got -3 at index 2. E sets",
     lambda net, cells: net.drive(cells, [0.0, 1.0, -3.0, 0.0, 0.0], receptor=SYNAPSE)),
    (ValueError, r"input must be >= 0 for the conductance Exponential\(.*\), got -3. E sets",
     lambda net, cells: net.drive(cells, iz.Constant(-3.0), receptor=SYNAPSE)),
    (ValueError, r"input must be >= 0 for the conductance NMDA\(.*\), got -2 at index 1.",
     lambda net, cells: net.drive(cells, iz.TimedArray([1.0, -2.0], 9.0), receptor=iz.NMDA())),
    (ValueError, r"got OrnsteinUhlenbeck\(.*, whose numbers have no bound. Clip them: input.clip\(0.0\)",
     lambda net, cells: net.drive(cells, POINT, receptor=SYNAPSE)),
    (ValueError, r"got Constant\(value=5.0\) . 2 \* Noise\(.*, whose numbers have no bound",
     lambda net, cells: net.drive(cells, 5.0 + 2 * iz.Noise(1.0), receptor=SYNAPSE + iz.NMDA())),
    (ValueError, r"Network.drive.input must be >= 0 for .*, got -1 for all neurons in step 10. E sets .*; input.clip",
     lambda net, cells: net.drive(cells, iz.Pulses(0.0, 9.0, -1.0), receptor=SYNAPSE)),
    (ValueError, r"Network.drive.receptor must be left out for spikes, which have a receptor of their own, got Exp.*"
                 r"Write Poisson\(..., receptor=Exponential\(tau=5.0, E=0.0\)\)",
     lambda net, cells: net.drive(cells, iz.Poisson(9.0, receptor=SYNAPSE), receptor=SYNAPSE)),
    (TypeError, "Network.drive.input must be currents or spikes, got .*Give each spike input a drive of its own",
     lambda net, cells: net.drive(cells, (iz.Poisson(9.0) * iz.Ramp(1.0)).clip(0.0), receptor=SYNAPSE)),
    (ValueError, r"Network.drive.receptor must be a conductance, a current or Delta\(\), got GapJunction\(\)",
     lambda net, cells: net.drive(cells, 1.0, receptor=iz.GapJunction())),
    (TypeError, "Network.drive.receptor must be a receptor such as AMPA.*, got 5",
     lambda net, cells: net.drive(cells, 1.0, receptor=5)),
    (ValueError, r"NMDA.Mg must be 2 mM like that of the population's other NMDA receptors, got 1 mM",
     lambda net, cells: net.drive(cells, 1.0, receptor=iz.NMDA())),
    (ValueError, "Network.drive.input must broadcast to shape .5,., got shape .3,.",
     lambda net, cells: net.drive(cells, np.ones(3), receptor=SYNAPSE)),
    (ValueError, "Drive.value must be >= 0 for the conductance NMDA.*, got -1",
     lambda net, cells: setattr(net.drives["first"], "value", -1)),
    (ValueError, r"Network.drive.receptor must be left out for spikes, .* Write SpikeTrain\(",
     lambda net, cells: setattr(net.drives["first"], "value", iz.SpikeTrain([0], [1.0]))),
    (ValueError, "Network.record.source must be a drive through a receptor with a .*, got <drive of cells: 1.0>",
     lambda net, cells: net.record(net.drives["plain"])),
    (ValueError, "Network.record.what must be a known name, got 'V'. Known: current",
     lambda net, cells: net.record(net.drives["first"], "V")),
    (ValueError, "Network.record.source must be in this network, got <drive of cells",
     lambda net, cells: net.record(other_drive())),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "make"), WRONG)
def test_wrong_ones_change_nothing(kind, message, make):
    net, cells = network()
    net.drive(cells, 0.1, receptor=iz.NMDA(Mg=2.0), name="first")
    net.drive(cells, 1.0, name="plain")
    net.run(1.0)
    with pytest.raises(kind, match=message):
        make(net, cells)
    assert list(net.drives) == ["first", "plain"]
    assert list(net.recorders) == ["spikes"]
    assert net.drives["first"].value == 0.1
    assert len(cells._engine.arrivals.receptors) == 1
    net.run(1.0)


def test_a_value_below_0_in_a_run_names_the_step():
    net, cells = network()
    net.drive(cells, iz.Pulses(30.0, 40.0, -0.1, base=0.05), receptor=SYNAPSE)
    with pytest.raises(ValueError, match=r"must be >= 0 for the .*, got -0.05 for all neurons in step 300. .*clip"):
        net.run(50.0)
    light = np.zeros(N)
    net, cells = network()
    net.drive(cells, light, receptor=SYNAPSE)
    for _ in range(3):
        net.step()
    light[2] = -1.0
    for call in (net.step, lambda: net.run(1.0)):
        with pytest.raises(ValueError, match="Drive.value must be >= 0 for the conductance .*, got -1 at index 2"):
            call()
    assert net.n_steps == 3
    light[2] = 1.0
    net.step()


EXACT_WRONG = [
    (iz.Ramp(1.0).clip(0.0, 1.0), SYNAPSE, "must be lines and sines between breaks"),
    (iz.Ramp(0.1), SYNAPSE, "Network.drive.input must stay as it is between steps with the scheme 'exact', got Ramp"),
    (iz.Pulses(5.0, 9.0, -1.0), SYNAPSE, "must be >= 0 for the conductance .*, got -1 for all neurons at 5 ms"),
    (POINT.clip(0.0), SYNAPSE, "must be a number, an array, TimedArray, Sine, Ramp, Pulses"),
    (0.1, iz.NMDA(), "Network receptor NMDA must be left out with the scheme 'exact': its magnesium block"),
    (0.1, SYNAPSE + iz.AMPA(), "Network receptor Mixed must be left out with the scheme 'exact'"),
    (0.1, iz.Delta(), "Network.drive.receptor must be a current or a conductance with the scheme 'exact'"),
]


@pytest.mark.parametrize(("value", "receptor", "message"), EXACT_WRONG)
def test_exact_refusals(value, receptor, message):
    net = iz.Network(scheme="exact")
    cells = net.add(iz.Population(2), name="cells")
    with pytest.raises(ValueError, match=message):
        net.drive(cells, value, receptor=receptor)
    assert not net.drives
    assert not cells._engine.receptors
