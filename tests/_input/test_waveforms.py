"""Inputs whose values differ between neurons, against NumPy, neuron by neuron, and against runs of each alone."""

import numpy as np
import pytest
from going_on import assert_goes_on_after_loading

import izhnumba as iz

DT, STEPS = 0.25, 240
SHAPE = (2, 3)
AMPLITUDE = np.array([[2.0], [9.0]])
FREQUENCY = np.array([20.0, 45.0, 80.0])
PHASE = np.linspace(0.0, 3.0, 6).reshape(SHAPE)
OFFSET = np.array([8.0, 9.0, 10.0])
START = np.arange(12.0).reshape(2, 2, 3) * 3.5
STOP = START + np.array([[4.0], [11.3]])


def rows(stimulus, step=0, count=STEPS, *, dtype="float64", shape=SHAPE):
    return stimulus.bind(shape, DT, dtype, (11, 22), {})(step, count).reshape(count, *shape)


def test_sines_of_neurons():
    got = rows(iz.Sine(AMPLITUDE, FREQUENCY, PHASE, OFFSET))
    t = np.arange(STEPS) * DT
    for row, column in np.ndindex(SHAPE):
        angle = 2e-3 * np.pi * FREQUENCY[column] * t + PHASE[row, column]
        expected = OFFSET[column] + AMPLITUDE[row, 0] * np.sin(angle)
        np.testing.assert_allclose(got[:, row, column], expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("strict", [False, True])
def test_pulses_of_neurons(strict):
    pulses = iz.Pulses(START, STOP, [3.0, 4.0], base=OFFSET, strict=strict)
    got = rows(pulses)
    for step, neuron in np.ndindex(STEPS, 6):
        row, column = divmod(neuron, 3)
        expected, t = OFFSET[column], step * DT
        for pulse, height in enumerate([3.0, 4.0]):
            start, stop = START[pulse, row, column], STOP[pulse, row, column]
            expected += height * ((start < t if strict else start <= t) and t < stop)
        assert got[step, row, column] == expected
    np.testing.assert_array_equal(pulses.at(np.arange(STEPS) * DT), got)


def test_pulses_of_neurons_are_looked_up_in_any_part_of_a_run():
    pulses = iz.Pulses(START + 1e6, STOP + 1e6, 3.0)
    assert rows(pulses, int(4e6), 100).any()
    assert not rows(pulses, int(3e6), 100).any()


def test_a_pulse_between_two_steps_is_warned_of_by_its_times():
    start = np.array([[1.0, 2.01, 3.0]])
    with pytest.warns(UserWarning, match=r"Pulses from 2.01 to 2.11 ms lie between two steps of 0.25 ms"):
        rows(iz.Pulses(start, start + [1.0, 0.1, 1.0], 3.0))


def test_amplitudes_beyond_float32_are_refused():
    for name, stimulus in (("Sine.offset", iz.Sine(1.0, 1.0, offset=[1.0, 1e39, 1.0])),
                           ("Pulses.amplitude", iz.Pulses(0.0, 9.0, [[1e39, 1.0, 1.0]])),
                           ("Pulses.base", iz.Pulses(0.0, 9.0, 1.0, base=[1.0, 1e39, 1.0]))):  # fmt: skip
        with pytest.raises(ValueError, match=f"{name} must be at most 3.40282e.38 in size .float32., got 1e.39"):
            rows(stimulus, dtype="float32")


WRONG = [
    ("Sine.phase must be finite, got nan at index 1", lambda: iz.Sine(1.0, 1.0, [0.0, np.nan])),
    (r"Sine.amplitude and phase must broadcast to one shape.*, got shapes \(2,\), \(3,\) of one value",
     lambda: iz.Sine([1.0, 2.0], 1.0, np.ones(3))),
    (r"Sine.frequency must have shape .*, got \(5,\)", lambda: rows(iz.Sine(1.0, np.ones(5)))),
    (r"Pulses.amplitude and base must broadcast to one shape.*, got shapes \(2,\), \(3,\) of one value",
     lambda: iz.Pulses(0.0, 1.0, [[1.0, 2.0]], base=np.ones(3))),
    (r"Pulses.stop must be >= start \(5\) ms, got 4 at index 0, 1\.$",
     lambda: iz.Pulses([[1.0, 5.0]], [[2.0, 4.0]], 1.0)),
    (r"Pulses.stop must be >= start \(5\) ms, got 1\.$", lambda: iz.Pulses(5.0, 1.0, 1.0)),
    (r"Pulses.start\[0\] must have shape .*, got \(5,\)", lambda: rows(iz.Pulses(np.ones((9, 5)), 2.0, 1.0))),
]  # fmt: skip


@pytest.mark.parametrize(("message", "make"), WRONG, ids=[message for message, _ in WRONG])
def test_wrong_arguments_are_named_with_their_value(message, make):
    with pytest.raises(ValueError, match=message):
        make()


# --- in runs --------------------------------------------------------------------------------------------------------

EACH = {  # name: all neurons, and the one of this number
    "sine": (iz.Sine([3.0, 6.0, 9.0], 45.0, [0.0, 0.5, 1.0], OFFSET),
             lambda j: iz.Sine([3.0, 6.0, 9.0][j], 45.0, [0.0, 0.5, 1.0][j], OFFSET[j])),
    "pulses": (iz.Pulses(START[:, 0], STOP[:, 0], [6.0, 9.0], base=OFFSET - 4),
               lambda j: iz.Pulses(START[:, 0, j], STOP[:, 0, j], [6.0, 9.0], base=OFFSET[j] - 4)),
    "sum": (2.0 * iz.Sine([3.0, 4.0, 2.0], 45.0) + iz.Pulses(5.0, 40.0, [OFFSET]),
            lambda j: 2.0 * iz.Sine([3.0, 4.0, 2.0][j], 45.0) + iz.Pulses(5.0, 40.0, OFFSET[j])),
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
@pytest.mark.parametrize("name", EACH)
def test_neurons_of_a_population_spike_like_each_alone(name, scheme):
    together, alone = EACH[name]
    kind = {"scheme": scheme} if scheme == "exact" else {"scheme": scheme, "dt": DT}
    pop = iz.Population(3, **kind, **iz.presets["RS"])
    one, other = pop.run(31.25, together), pop.run(38.75, together)
    found = [np.concatenate([getattr(res.spikes, x) for res in (one, other)]) for x in "it"]
    assert len(found[0]) > 3
    for j in range(3):
        expected = iz.Population(1, **kind, **iz.presets["RS"]).run(70.0, alone(j)).spikes.t
        np.testing.assert_allclose(found[1][found[0] == j], expected, rtol=0, atol=1e-9)


def test_one_frequency_per_neuron_is_refused_by_the_exact_scheme():
    pop = iz.Population(3, scheme="exact")
    message = r"Sine.frequency must be one number for all neurons with the scheme 'exact', got shape \(3,\). Drive"
    with pytest.raises(ValueError, match=message):
        pop.run(1.0, 2 * iz.Sine(1.0, FREQUENCY) + 1.0)
    assert pop.t == 0


def test_a_network_goes_on_after_loading_for_any_threads(tmp_path):
    def network(threads):
        net = iz.Network(seed=3, dt=DT, threads=threads)
        cells = net.add(iz.Population(3, **iz.presets["RS"]), name="cells")
        for name, (stimulus, _) in EACH.items():
            net.drive(cells, stimulus, name=name)
        net.drive(cells, iz.Poisson(iz.Sine([100.0, 50.0, 10.0], FREQUENCY, offset=200.0), 3.0))
        net.record(cells, "spikes", name="spikes")
        return net

    assert_goes_on_after_loading(network, 60.0, 21.5, tmp_path)
