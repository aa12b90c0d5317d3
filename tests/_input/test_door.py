"""The one door for users' values: every form of a value in one description."""

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._input import door
from izhnumba._input.target import Target

TO = Target((2, 3), 0.1, np.dtype("float32"), (1, 2), {}, "mV/ms")


class Quantity:
    """Read like a pint quantity."""

    def m_as(self, unit):
        return {"mV/ms": np.full(3, 7.0)}[unit]


@pytest.mark.parametrize(
    ("value", "meant", "over_time"),
    [
        (3, 3.0, False),
        (np.float32(2.5), 2.5, False),
        ([1, 2, 3], [1.0, 2.0, 3.0], False),
        (np.ones((2, 1), int), [[1], [1]], False),
        (Quantity(), [7.0, 7.0, 7.0], False),
        (np.ones((4, 2, 3)), np.ones((4, 2, 3)), True),
        (np.ones((4, 1, 1)), np.ones((4, 1, 1)), True),
    ],
)
def test_numbers_arrays_and_quantities_become_arrays(value, meant, over_time):
    found = door.given("Population.run.I", value, TO, door.RUN, 4)
    np.testing.assert_array_equal(found.value, meant)
    assert (found.to, found.over_time) == (TO, over_time)
    if isinstance(value, np.ndarray):
        assert found.value is value  # live


@pytest.mark.parametrize("value", [iz.Noise(1.0), iz.Constant(2.0), iz.Noise(1.0) + 2.0, 2 * iz.Sine(1.0, 5.0)])
def test_input_objects_stay_what_they_are(value):
    for occasion in (door.RUN, door.DRIVE, door.LIVE, door.EXACT):
        assert door.given("Drive.value", value, TO, occasion) == (value, TO)
    if isinstance(value, iz.Constant):
        assert door.given("Population.step.I", value, TO, door.STEP) == (value, TO)
    else:
        with pytest.raises(TypeError, match="Population.step.I must be a number or an array of numbers in mV/ms, got"):
            door.given("Population.step.I", value, TO, door.STEP)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones(5), "I must broadcast to shape (2, 3), got shape (5,). Pass one value for all neurons or one per ne"),
        (np.ones(6), "for all neurons or one per neuron. Here: .reshape(2, 3)."),
        ([[0.0, 1.0, np.nan]], "I must be finite, got nan at index (0, 2)."),
        (1e300, "I must be at most 3.40282e+38 in size (float32), got 1e+300."),
        ("x", "I must be a number or an array of numbers in mV/ms, got 'x'."),
        (iz.Noise, "Make an object: Noise(...)."),
        (iz.Delta(), "A receptor belongs to synapses and spike inputs; for currents take Pulses(start, "),
    ],
)  # fmt: skip
@pytest.mark.parametrize("occasion", [door.STEP, door.RUN, door.DRIVE, door.LIVE, door.EXACT])
def test_what_is_wrong_is_wrong_everywhere(value, message, occasion):
    with pytest.raises((TypeError, ValueError)) as caught:
        door.given("I", value, TO, occasion)
    assert message in str(caught.value)
    assert TO.memory == {}


def test_only_a_constant_is_constant():
    class Growing(iz.Constant):
        def at(self, t):
            return np.asarray(t)

    assert door.is_constant(iz.Constant(1.0))
    assert not door.is_constant(Growing(1.0))
    assert not door.is_constant(iz.Noise(1.0))


def test_a_drive_shows_what_users_use():
    net = iz.Network()
    drive = net.drive(net.add(iz.Population(2)), 1.0)
    assert [name for name in dir(drive) if name[0] != "_"] == ["receptor", "section", "value"]
