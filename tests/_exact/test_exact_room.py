"""Room that runs out in the midst of a slice: nothing and nobody may be lost when the kernel is called again."""

import numpy as np
import pytest

import izhnumba as iz


def busy(n=640, seed=3):
    """A network in blocks, each of which has more spikes in the first call than there is room for at first."""
    rng = np.random.default_rng(seed)
    net = iz.Network(scheme="exact", seed=1, threads=1)
    cells = net.add(iz.Population(n, V=rng.uniform(-70.0, -60.0, n), u=-14.0))
    pairs = rng.integers(0, n, (2, 20 * n))
    net.connect(cells, cells, tuple(pairs), weight=rng.normal(0.2, 0.5, 20 * n), delay=rng.uniform(1.0, 9.0, 20 * n))
    net.drive(cells, iz.Poisson(60.0, weight=30.0))  # between its spikes a neuron rests
    return net, net.record(cells, "spikes")


@pytest.fixture(scope="module")
def in_small_pieces():
    net, spikes = busy()
    for _ in range(80):
        net.run(0.5)
    return spikes.i, spikes.t


def test_more_spikes_than_there_is_room_for(in_small_pieces):
    net, spikes = busy()
    net.run(40.0)
    assert len(spikes) > 8 * 64
    np.testing.assert_array_equal(spikes.i, in_small_pieces[0])
    assert spikes.t.tobytes() == in_small_pieces[1].tobytes()


def test_spikes_are_in_order_and_none_is_there_twice(in_small_pieces):
    i, t = in_small_pieces
    assert np.all(np.diff(t) >= 0)
    assert len(set(zip(i.tolist(), t.tolist(), strict=True))) == len(t)


def test_large_populations_advance_by_more_than_a_moment(monkeypatch):
    """What an advance costs for each neuron does not make the next one shorter and shorter."""
    pop = iz.Population(200, scheme="exact", **iz.presets["RS"])
    monkeypatch.setattr("izhnumba._engine.run_loop._SLICE_SECONDS", 1e-9)  # as if every advance took long
    lengths = []
    pop.run(5.0, 10.0, progress=lambda done, total: lengths.append(done))
    assert len(lengths) <= 51
