"""Inputs that are functions of time without pieces, against plain NumPy."""

import numpy as np
import pytest

import izhnumba as iz

CHIRP = iz.Chirp(3.0, 5.0, 60.0, 20.0, 320.0, phase=0.3, offset=9.0)
CHIRPS = [
    CHIRP,
    iz.Chirp(3.0, 60.0, 0.0, 20.0, 320.0),
    iz.Chirp(3.0, 5.0, 60.0, 20.0, 320.0, offset=9.0, method="exponential"),
    iz.Chirp(3.0, 60.0, 5.0, 0.0, 320.0, phase=1.0, method="exponential"),
    iz.Chirp(3.0, 40.0, 40.0, 20.0, 320.0, method="exponential"),
]


def rows(stimulus, step=0, count=1500, *, dtype="float64", dt=0.25, unit="mV/ms"):
    return stimulus.bind((6,), dt, dtype, (11, 22), {}, unit=unit)(step, count)


@pytest.mark.parametrize("chirp", CHIRPS, ids=repr)
def test_the_angle_is_the_integral_of_the_frequency(chirp):
    """By the midpoint rule over 2^8 parts of each step."""
    dt, parts = 0.25, 2**8
    fine = (np.arange(1500 * parts) + 0.5) * (dt / parts)
    x = (fine - chirp.start) / (chirp.stop - chirp.start)
    if chirp.method == "linear":
        frequency = chirp.f0 + (chirp.f1 - chirp.f0) * x
    else:
        frequency = chirp.f0 * (chirp.f1 / chirp.f0) ** x
    cycles = np.cumsum(np.where((x > 0) & (x < 1), frequency, 0.0)) * (dt / parts) * 1e-3
    cycles = np.append(0.0, cycles[parts - 1 :: parts])[:1500]
    t = np.arange(1500) * dt
    on = (t >= chirp.start) & (t < chirp.stop)
    expected = np.where(on, chirp.offset + chirp.amplitude * np.sin(2 * np.pi * cycles + chirp.phase), chirp.offset)
    got = rows(chirp)
    assert got.shape == (1500, 1)
    np.testing.assert_allclose(got[:, 0], expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(chirp.at(t), got[:, 0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("stimulus", CHIRPS, ids=repr)
def test_chunks_and_dtypes(stimulus):
    whole = rows(stimulus, 70, 60)
    np.testing.assert_array_equal(np.concatenate([rows(stimulus, 70, 7), rows(stimulus, 77, 53)]), whole)
    low = rows(stimulus, 70, 60, dtype="float32")
    assert low.dtype == np.float32
    np.testing.assert_array_equal(low, whole.astype(np.float32))


def test_a_network_goes_on_after_loading(tmp_path):
    def network(threads):
        net = iz.Network(seed=3, dt=0.25, threads=threads)
        cells = net.add(iz.Population(3, **iz.presets["RS"]), name="cells")
        net.drive(cells, 2 * CHIRP - 9.0 + iz.Noise(1.0))
        net.drive(cells[1:], iz.Poisson(CHIRP, 3.0))
        net.record(cells, "spikes", name="spikes")
        return net

    whole, half = network(1), network(2)
    whole.run(200.0)
    half.run(81.5)
    half.save(tmp_path / "half.npz")
    other = iz.load(tmp_path / "half.npz")
    other.run(118.5)
    for x in "it":
        np.testing.assert_array_equal(getattr(other.recorders["spikes"], x), getattr(whole.recorders["spikes"], x))
    assert len(whole.recorders["spikes"].t) > 4


def test_the_exact_scheme_refuses_it_by_name():
    pop = iz.Population(2, scheme="exact")
    with pytest.raises(ValueError, match=r"with the scheme 'exact', .* got 1 \* Chirp.*Use a clock scheme"):
        pop.run(1.0, 1.0 * CHIRP)
    assert pop.t == 0


WRONG = [
    (ValueError, "Chirp.amplitude must be a finite number", lambda: iz.Chirp([1.0, 2.0], 1.0, 2.0, 0.0, 9.0)),
    (ValueError, "Chirp.f0 must be a finite number >= 0 Hz, got -1.0", lambda: iz.Chirp(1.0, -1.0, 2.0, 0.0, 9.0)),
    (ValueError, "Chirp.f1 must be a finite number > 0 Hz, got 0",
     lambda: iz.Chirp(1.0, 1.0, 0.0, 0.0, 9.0, method="exponential")),
    (ValueError, "Chirp.stop must be a finite number > start .5. ms, got 5.0", lambda: iz.Chirp(1, 1, 2, 5.0, 5.0)),
    (ValueError, "Chirp.stop must be a finite number", lambda: iz.Chirp(1.0, 1.0, 2.0, 5.0, np.inf)),
    (ValueError, "Chirp.method must be a known name, got 'log'",
     lambda: iz.Chirp(1.0, 1.0, 2.0, 0.0, 5.0, method="log")),
    (ValueError, "Chirp must be at most 3.40282e.38 in size .float32., got 1e.39",
     lambda: rows(iz.Chirp(1.0, 1.0, 2.0, 0.0, 5.0, offset=1e39), dtype="float32")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "make"), WRONG, ids=[message for _, message, _ in WRONG])
def test_wrong_arguments_are_named_with_their_value(kind, message, make):
    with pytest.raises(kind, match=message):
        make()
