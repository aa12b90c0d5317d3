"""What is bound to a time and not to a step: a network published with steps of 1 ms can be refined."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz


def test_a_long_pulse_means_the_same_at_every_dt():
    """An EPSP of weight 5: its height converges if its charge does not depend on dt."""
    heights = {}
    for duration in (None, 1.0):
        for dt in (1.0, 0.5, 0.1, 0.01):
            net = iz.Network(dt=dt, scheme="rk4")
            cells = net.add(iz.Population(2, a=[0.02, 0.02], d=[8.0, 8.0], V=-70.0, u=-14.0))
            net.connect(cells, cells, ([0], [1]), weight=5.0, delay=1.0, receptor=iz.Pulse(duration))
            net.drive(cells, iz.SpikeTrain([0], [2.0], weight=200.0 / dt, receptor=iz.Pulse()))
            V = net.record(cells[1:], "V")
            net.run(20.0)
            heights[duration, dt] = V.V.max() + 70.0
    assert heights[None, 0.1] < 0.15 * heights[None, 1.0]
    assert heights[None, 1.0] == heights[1.0, 1.0]
    errors = [abs(heights[1.0, dt] - heights[1.0, 0.01]) for dt in (1.0, 0.5, 0.1)]
    assert max(errors) < 0.001 * heights[1.0, 0.01]


def test_nothing_is_left_of_pulses_that_are_over():
    """What is taken off a sum again leaves digits behind; the sum of the latest steps does not."""
    net = iz.Network(dt=0.1, seed=2)
    source, target = net.add(iz.Population(50, **iz.presets["RS"])), net.add(iz.Population(3, V=-70.0, u=-14.0))
    net.drive(source, iz.Noise(std=40.0))
    weight = np.random.default_rng(1).uniform(-1e3, 1e-3, (50, 3)) * 1e-3
    syn = net.connect(source, target, iz.AllToAll(), weight=weight.ravel(), receptor=iz.Pulse(2.5))
    current = net.record(syn, "current")
    net.run(200.0)
    assert np.count_nonzero(current.current) > 100
    source.V, source.u = -70.0, -14.0
    net.remove(next(iter(net.drives.values())))
    net.run(20.0)
    assert not current.current[-100:].any()


def test_the_duration_of_a_pulse():
    net = iz.Network(dt=0.1)
    cells = net.add(iz.Population(1000))
    for duration, message in (
        (0.25, r"Pulse.duration must be a whole number of steps of 0.1 ms, got 0.25. Use 0.2 or 0.3 ms."),
        (1e-5, r"Pulse.duration must be >= 0.1 ms, got 1e-05"),
        (1e12, r"Pulse.duration must fit in the free memory .*, got .* GiB. Use a shorter one, or a longer dt."),
    ):
        with pytest.raises(ValueError, match=message):
            net.connect(cells, cells, iz.OneToOne(), receptor=iz.Pulse(duration))
    with pytest.raises(ValueError, match="Pulse.duration must be a finite number > 0 ms, got -1.0"):
        iz.Pulse(-1.0)
    assert not net.synapses


def published(dt, T=1000.0):
    """The network of 2003 on 100 neurons, its pulses and its noise bound to 1 ms, however fine the steps."""
    net = iz.Network(dt=dt, scheme="rk4", seed=3)
    a, d = np.repeat([0.02, 0.1], [80, 20]), np.repeat([8.0, 2.0], [80, 20])
    cells = net.add(iz.Population(100, a=a, b=0.2, d=d, u=-13.0), name="cells")
    weight = np.random.default_rng(1).uniform(0, 1, 10_000) * np.repeat([5.0, -10.0], [8000, 2000])
    net.connect(cells, cells, iz.AllToAll(), weight=weight, delay=1.0, receptor=iz.Pulse(1.0))
    net.drive(cells, iz.Noise(std=np.repeat([5.0, 2.0], [80, 20]), hold=1.0))
    spikes = net.record(cells)
    net.run(T)
    return len(spikes)


def test_a_network_published_with_1_ms_can_be_refined():
    counts = {dt: published(dt) for dt in (0.25, 0.1, 0.05)}
    assert min(counts.values()) > 100
    assert max(counts.values()) < 1.15 * min(counts.values()), counts


def test_noise_that_holds_is_one_function_of_time():
    std = np.arange(1.0, 7.0)
    coarse = iz.Noise(std).bind((6,), 1.0, "float64", (11, 22), {})(0, 8)
    for dt, n in ((0.5, 2), (0.1, 10)):
        bound = iz.Noise(std, hold=1.0).bind((6,), dt, "float64", (11, 22), {})
        np.testing.assert_array_equal(bound(0, 8 * n), np.repeat(coarse, n, axis=0))
        np.testing.assert_array_equal(bound(n + 1, 2 * n), np.repeat(coarse, n, axis=0)[n + 1 : 3 * n + 1])
    with pytest.raises(ValueError, match="Noise.hold must be a whole number of steps of 0.1 ms, got 0.25. Use 0.2 or"):
        iz.Noise(1.0, hold=0.25).bind((6,), 0.1, "float64", (11, 22), {})
    with pytest.raises(ValueError, match="Noise.hold must be a finite number > 0 ms, got 0"):
        iz.Noise(1.0, hold=0)
