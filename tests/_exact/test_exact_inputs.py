"""Products, delays and limits of inputs in continuous time, against the same currents written in other ways."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz

GAIN = np.array([1.0, 2.0, 2.5])


def spikes(stimulus, n=3):
    found = iz.Population(n, **iz.presets["RS"], scheme="exact").run(100.0, 3.0 + stimulus).spikes
    return found.t, found.i


def same(one, other):
    (t, i), (u, j) = spikes(one), spikes(other)
    assert len(t) > 2
    np.testing.assert_array_equal(i, j)
    np.testing.assert_allclose(t, u, rtol=0, atol=1e-9)


def test_a_wave_within_pulses_is_the_wave_in_a_run_of_its_own():
    gate = iz.Pulses([10.0, 50.0], [35.0, 80.0], [1.0, 2.0])
    pop, t = iz.Population(3, **iz.presets["RS"], scheme="exact"), []
    for end, factor in ((10.0, 0.0), (35.0, 1.0), (50.0, 0.0), (80.0, 2.0), (100.0, 0.0)):
        t += pop.run(end - pop.t, 3.0 + factor * (GAIN * iz.Sine(6.0, 60.0, 0.4, 1.0))).spikes.t.tolist()
    found, _ = spikes(gate * (GAIN * iz.Sine(6.0, 60.0, 0.4, 1.0)))
    np.testing.assert_allclose(found, t, rtol=0, atol=1e-9)
    assert len(t) > 10


def test_ramps_with_a_slope_for_each_neuron():
    ramp = iz.Ramp(0.3, 5.0, 80.0)
    t, i = spikes(GAIN * ramp * iz.TimedArray([1.0, 0.5], 30.0))
    for k, gain in enumerate(GAIN):
        alone, _ = spikes(gain * ramp * iz.TimedArray([1.0, 0.5], 30.0), n=1)
        np.testing.assert_allclose(t[i == k], alone, rtol=0, atol=1e-9)
        assert len(alone) > 1
    kinked = iz.Ramp(0.3, 5.0, 30.0) + iz.Ramp(0.15, 30.0, 80.0, base=0.0) + iz.Pulses(30.0, 80.0, 0.15 * 25.0)
    same(ramp * iz.TimedArray([1.0, 0.5], 30.0), kinked)


def test_later_and_slower():
    same(iz.Sine(9.0, 40.0).stretched(2.0).delayed(5.0), iz.Sine(9.0, 20.0, -2e-3 * np.pi * 20.0 * 5.0))
    same(iz.Pulses(-5.0, 10.0, 9.0).stretched(3.0).delayed(20.0), iz.Pulses(5.0, 50.0, 9.0))
    same(iz.Ramp(0.4, -10.0, 30.0).delayed(30.0).stretched(1.5), iz.Ramp(0.4 / 1.5, 30.0, 90.0))
    same(iz.TimedArray([9.0, 4.0, 8.0], 10.0, hold=False).delayed(15.0), iz.TimedArray([0, 9, 9, 4, 4, 8, 8, 0.0], 5.0)
         .delayed(10.0))  # fmt: skip
    burst = iz.Pulses(0.0, 20.0, 1.0) * iz.Sine(9.0, 50.0)
    same(burst.stretched(2.0).delayed(30.0),
         iz.Pulses(30.0, 70.0, 1.0) * iz.Sine(9.0, 25.0, -2e-3 * np.pi * 25.0 * 30.0))  # fmt: skip


def test_what_changes_at_an_edge_changes_there_for_all_that_rounding_does():
    """Steps from 0 to 5 at times whose way back, by division, is just before the edge."""
    for by, factor in ((5.0, 1.1), (0.3, 0.7), (13.7, 1.7), (7.3, 1.3)):
        step = iz.Pulses(10.0, 40.0, 5.0).delayed(by).stretched(factor)
        at = (10.0 + by) * factor, (40.0 + by) * factor
        same(step + iz.Pulses([2.0, *at], 99.0, 2.0), iz.Pulses(*at, 5.0) + iz.Pulses([2.0, *at], 99.0, 2.0))


def test_steps_within_limits():
    same(iz.Pulses([5.0, 50.0], [30.0, 90.0], [20.0, 3.0]).clip(1.0, 9.0),
         iz.TimedArray([1.0, *[9.0] * 5, *[1.0] * 4, *[3.0] * 8, 1.0], 5.0))  # fmt: skip


@pytest.mark.parametrize(
    ("stimulus", "got"),
    [(iz.Ramp(1.0) * iz.Ramp(2.0), "Ramp"), (iz.Sine(1.0, 9.0) * (1 + iz.Sine(1.0, 7.0)), "Sine"),
     (1 + iz.Ramp(1.0).clip(0.0), "Constant"), (-iz.Sine(1.0, 9.0).clip(0.0), "-1 . Sine")],
)  # fmt: skip
def test_what_is_neither_lines_nor_waves_is_refused(stimulus, got):
    pop = iz.Population(3, scheme="exact")
    with pytest.raises(
        ValueError, match=f"Population.run.I must be lines and sines between breaks .* got {got}.*Of the"
    ):
        pop.run(1.0, stimulus)
    with pytest.raises(ValueError, match="must be a number, an array, TimedArray, Sine, Ramp, Pulses or a sum of them"):
        pop.run(1.0, 3 * iz.UniformNoise() * iz.Ramp(1.0))
    assert pop.t == 0.0
