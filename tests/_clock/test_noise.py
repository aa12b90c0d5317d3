"""Noise that kernels make as they go: the bits of the rows, however a run is split, stopped, saved or threaded."""

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._clock import inputs

N = 2100  # two blocks, of which the second is no whole word
VARIED = np.linspace(0.0, 5.0, N)
NOISES = [
    iz.Noise(4.0),
    iz.Noise(VARIED),
    5.0 + iz.Noise(4.0),
    iz.Noise(2.0) + iz.Constant(VARIED),
    iz.OrnsteinUhlenbeck(4.0, 3.0, 5.0),
    iz.OrnsteinUhlenbeck(VARIED, 3.0, 5.0),
    iz.Constant(VARIED) + 1.0 + iz.OrnsteinUhlenbeck(1.0, 3.0, 5.0),
]


@pytest.fixture
def as_rows(monkeypatch):
    """A function after whose call noise is made as rows, all steps of a slice at a time."""
    return lambda: monkeypatch.setattr(inputs.Random, "alone", lambda self: self)


def states(noise, dtype, *durations, threads=1):
    pop = iz.Population(N, dtype=dtype, seed=3, threads=threads)
    return np.concatenate([pop.run(T, noise, record="V").V for T in durations])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_noise_has_the_bits_of_its_rows(noise, dtype, as_rows):
    pieces = states(noise, dtype, 0.3, 3.1, 0.1, 4.5)
    whole = states(noise, dtype, 8.0)
    as_rows()
    np.testing.assert_array_equal(pieces, states(noise, dtype, 8.0))
    np.testing.assert_array_equal(whole, pieces)


@pytest.mark.parametrize("noise", NOISES[3:5], ids=repr)
def test_noise_does_not_depend_on_threads(noise):
    np.testing.assert_array_equal(states(noise, "float64", 4.2, threads=2), states(noise, "float64", 4.2))


def network(noise):
    net = iz.Network(dt=0.5, seed=5, threads=1)
    cells = net.add(iz.Population(100), name="cells")
    net.connect(cells, cells, iz.FixedOutDegree(10), weight=3.0, delay=1.5, receptor=iz.Pulse(), name="synapses")
    net.drive(cells, noise)
    return net


@pytest.mark.parametrize("noise", [iz.Noise(20.0), 4.0 + iz.OrnsteinUhlenbeck(4.0, 6.0, 5.0)], ids=repr)
def test_noise_goes_on_wherever_a_run_has_stopped(noise, tmp_path, as_rows):
    def finish(net):
        net.run(round(60.0 - net.t, 9))
        return net.populations["cells"].V

    stepped, stopped, saved, reset = (network(noise) for _ in range(4))
    for _ in range(7):
        stepped.step()
    stopped.run(60.0, until=lambda net: net.t >= 6.5)
    assert stopped.t == 6.5
    saved.run(60.0, until=lambda net: net.t >= 10.0)
    saved.step()
    saved.save(tmp_path / "net.npz")
    for _ in range(2):
        reset.step()
        reset.reset()
    found = [finish(net) for net in (stepped, stopped, saved, iz.load(tmp_path / "net.npz"), reset)]
    as_rows()
    for V in found:
        np.testing.assert_array_equal(V, finish(network(noise)))


def test_noise_of_a_slice_goes_on_when_a_parameter_has_been_set(as_rows):
    def run():
        net = network(iz.OrnsteinUhlenbeck(6.0, 6.0, 5.0))
        for k in range(11):
            net.step()
            if k == 5:
                net.populations["cells"].d = 3.0
        return net.populations["cells"].V

    V = run()
    as_rows()
    np.testing.assert_array_equal(V, run())


@pytest.mark.parametrize("noise", [iz.Noise(1e39), iz.OrnsteinUhlenbeck(0.0, 1e39, 5.0)], ids=repr)
def test_noise_beyond_float32_is_refused(noise):
    must = rf"{type(noise).__name__}.std must be at most 3.40282e\+38 in size \(float32\), got 1e\+39"
    with pytest.raises(ValueError, match=must):
        iz.Population(3, dtype="float64").run(1.0, noise)


def test_noise_begins_again_where_it_was_not_there():
    pop = iz.Population(3, dtype="float64", seed=3)
    process = iz.OrnsteinUhlenbeck(0.0, 1.0, 1e9)
    pop.run(0.5, process)
    pop.run(0.5, 0.0)
    pop.run(0.1, process)
    (kept,) = pop._memory.values()
    assert not np.isnan(kept[11]).any()
    other = iz.Population(3, dtype="float64", seed=3)
    other.run(1.0, 0.0)
    other.run(0.1, process)
    np.testing.assert_array_equal(next(iter(other._memory.values()))[11], kept[11])
