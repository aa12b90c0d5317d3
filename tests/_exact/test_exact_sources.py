"""Spike sources in continuous time: the law of their spikes, rates that are set, and runs that are stopped."""

from __future__ import annotations

import numpy as np
from interrupts import interrupted, moments, passed

import izhnumba as iz


def alone(rate, n=1, seed=4):
    net = iz.Network(scheme="exact", seed=seed, dt=0.5)
    source = net.add(iz.PoissonSource(n, rate))
    return net, source, net.record(source)


def test_waiting_times_are_exponential():
    net, _, rec = alone(np.array([20.0, 200.0, 0.0]), 3)
    net.run(30_000.0)
    for cell, rate in ((0, 20.0), (1, 200.0)):
        waits = np.sort(np.diff(rec.t[rec.i == cell])) * rate * 1e-3
        n = waits.size
        assert abs(n - 30.0 * rate) < 5 * np.sqrt(30.0 * rate)
        gap = np.abs(np.arange(1, n + 1) / n - (1 - np.exp(-waits))).max()
        assert gap < 1.6 / np.sqrt(n)  # Kolmogorov and Smirnov: in one of a hundred seeds it is more
    assert not np.any(rec.i == 2)


def test_a_rate_that_is_set_stretches_what_is_waited():
    """A cell of twice the rate spikes at half the time; one that rests for a while spikes so much later."""
    _, _, plain = whole = alone(100.0)
    whole[0].run(400.0)
    net, source, rec = alone(200.0)
    net.run(100.0)
    source.rate = 0.0
    net.run(50.0)
    source.rate = 100.0
    net.run(200.0)
    wanted = np.where(plain.t <= 200.0, plain.t / 2, plain.t - 50.0)
    np.testing.assert_allclose(rec.t, wanted[: len(rec)], rtol=0, atol=1e-9)
    assert len(rec) > 20
    assert np.all(wanted[len(rec) :] > 350.0 - 1e-9)


def test_rates_in_time_thin_the_fastest_train():
    rate = np.array([[0.0, 100.0], [100.0, 0.0]])
    net, _, rec = alone(iz.TimedArray(rate, dt=500.0), 2)
    net.run(1000.0)
    assert np.all((rec.t <= 500.0) == (rec.i == 1))
    assert 60 < len(rec) < 140


def network():
    net = iz.Network(scheme="exact", seed=7, dt=0.5)
    noise = net.add(iz.PoissonSource(30, iz.TimedArray([150.0, 60.0], dt=4.0)), "noise")
    given = net.add(iz.SpikeSource(np.arange(60) % 3, 0.25 * np.arange(1, 61), n=3), "given")
    to = net.add(iz.Population(10, **iz.presets["RS"]), "to")
    net.connect(noise, to, iz.FixedInDegree(9), weight=3.0, delay=iz.Uniform(1.0, 5.0))
    net.connect(given, to, iz.AllToAll(), weight=1.0, delay=0.7)
    for name in ("noise", "given", "to"):
        net.record(net.populations[name], name=name)
    net.run(3.0)
    return net


def all_spikes(net):
    return [(one.i.tolist(), one.t.tolist()) for one in net.recorders.values()]


def test_a_run_that_is_stopped_goes_on_also_from_a_file(tmp_path):
    whole = network()
    whole.run(12.0)
    wanted = all_spikes(whole)
    assert len(wanted[2][0]) > 3
    times = moments(passed(lambda: network().run(6.0)))
    for k, at in enumerate(times[:: max(1, len(times) // 40)]):
        net = network()
        interrupted(lambda: net.run(6.0), at)  # noqa: B023
        if k % 2:
            net.save(tmp_path / f"{k}.npz")
            net = iz.load(tmp_path / f"{k}.npz")
        net.run(15.0 - net.t)
        assert all_spikes(net) == wanted
