"""Differences, multiples and products of inputs, inputs within limits, later and slower ones."""

import numpy as np
import pytest
from going_on import assert_goes_on_after_loading
from normals import normals

import izhnumba as iz

PER_NEURON = np.linspace(-1.0, 1.0, 6)


def rows(stimulus, step, count, *, dtype="float64", unit="mV/ms"):
    return stimulus.bind((6,), 0.1, dtype, (11, 22), {}, unit=unit)(step, count)


class Nanoampere:
    """Read like a pint quantity."""

    def m_as(self, unit):
        return {"pA": 1000.0}[unit]


class Saw(iz.Input):
    """One of the user's own, with values at any time."""

    def _values(self, k, dt):
        return k * dt % 3.0


@pytest.mark.parametrize(
    ("made", "meant"),
    [
        (lambda x: x - 1, lambda x: x - 1),
        (lambda x: 1 - x, lambda x: 1 - x),
        (lambda x: x - PER_NEURON, lambda x: x - PER_NEURON),
        (lambda x: PER_NEURON - x, lambda x: PER_NEURON - x),
        (lambda x: -x, lambda x: -x),
        (lambda x: 2 * x, lambda x: 2 * x),
        (lambda x: x * np.float32(0.5), lambda x: 0.5 * x),
        (lambda x: x / 4, lambda x: x / 4),
        (lambda x: -(3 * (x - 2) / 5), lambda x: -(3 * (x - 2) / 5)),
    ],
)
@pytest.mark.parametrize(
    "stimulus", [iz.Noise(1.0), iz.OrnsteinUhlenbeck(1.0, 2.0, 5.0), iz.Sine(2.0, 40.0), Saw(), iz.Noise(1.0) + Saw()],
    ids=lambda stimulus: type(stimulus).__name__,
)  # fmt: skip
def test_arithmetic_is_that_of_the_values(stimulus, made, meant):
    np.testing.assert_allclose(rows(made(stimulus), 7, 30), meant(rows(stimulus, 7, 30)) + np.zeros(1), atol=1e-14)


def test_what_is_subtracted_is_a_constant_that_kernels_add():
    for made in (iz.Noise(1.0) - 2.0, iz.Noise(1.0) + -iz.Constant(2.0)):
        assert repr(made) == "Noise(std=1.0, hold=None) + Constant(value=-2.0)"
        np.testing.assert_array_equal(rows(made, 0, 9), rows(iz.Noise(1.0) + -2.0, 0, 9))
    current = -iz.Constant(Nanoampere())
    np.testing.assert_array_equal(rows(current, 0, 1, unit="pA"), [[-1000.0]])
    with pytest.raises(ValueError, match="Constant must be in mV/ms for this model and use, got pA"):
        rows(current, 0, 1)


def test_multiples_draw_from_the_streams_of_their_parts():
    noise = iz.Noise(1.0)
    expected = normals(0, 9, 6, 11, 22).astype(float) - 2.0 * normals(0, 9, 6, 11, 23)
    np.testing.assert_array_equal(rows(noise - 2 * noise, 0, 9), expected)
    assert np.any(rows(noise - noise, 0, 9))


def test_multiples_at_any_time_and_with_units():
    np.testing.assert_allclose((3 - iz.Ramp(0.5) / 2).at([0.0, 4.0]), [3.0, 2.0])
    assert repr(2 * -iz.Function(np.cos)) == "-2 * Function(cos)"
    current = 2 * iz.Constant(Nanoampere())
    np.testing.assert_array_equal(rows(current - 1, 0, 2, unit="pA"), np.full((2, 1), 1999.0))
    with pytest.raises(ValueError, match="Constant must be in mV/ms for this model and use, got pA"):
        rows(current, 0, 1)
    with pytest.raises(ValueError, match="Scaled must be finite, got (inf|nan)"):
        rows(1e30 * (1e30 * iz.Sine(1.0, 10.0)), 0, 9, dtype="float32")


def test_products_are_those_of_the_values():
    """Of parts that draw, each with numbers of its own, in every width, with factors for each neuron and sums."""
    one, other = iz.Noise(1.0), iz.OrnsteinUhlenbeck(1.0, 2.0, 5.0)
    drawn = [rows_of_stream(stimulus, 22 + k) for k, stimulus in enumerate((one, other, one))]
    gate = rows(iz.Pulses(0.2, 1.5, 2.0, base=1.0), 7, 30)
    for made, meant in (
        (one * other * one, drawn[0] * drawn[1] * drawn[2]),
        (one * (other * one), drawn[0] * drawn[1] * drawn[2]),
        (one * (other + one), drawn[0] * (drawn[1] + drawn[2])),
        (3 * (one * iz.Pulses(0.2, 1.5, 2.0, base=1.0)) + other, 3 * (drawn[0] * gate) + drawn[1]),
        (PER_NEURON * iz.Pulses(0.2, 1.5, 2.0, base=1.0), PER_NEURON * gate),
        (iz.Pulses(0.2, 1.5, 2.0, base=1.0) * one - PER_NEURON, gate * drawn[0] - PER_NEURON),
        (one / np.arange(1.0, 7.0), drawn[0] * (1.0 / np.arange(1.0, 7.0))),
    ):
        np.testing.assert_array_equal(rows(made, 7, 30), meant)
        np.testing.assert_array_equal(rows(made, 9, 5), meant[2:7]) if other not in leaves(made) else None


def rows_of_stream(stimulus, stream):
    return stimulus.bind((6,), 0.1, "float64", (11, stream), {}, unit="mV/ms")(7, 30)


def leaves(stimulus):
    return [leaf for part in stimulus._made_of for leaf in leaves(part)] if stimulus._made_of else [stimulus]


def test_products_at_any_time_with_units_and_in_words():
    sine, gate = iz.Sine(4.0, 25.0), iz.Pulses(20.0, 60.0, 1.0)
    np.testing.assert_allclose((sine * gate).at([10.0, 30.0, 90.0]), [0.0, -4.0, 0.0], atol=1e-12)
    np.testing.assert_array_equal((iz.Ramp(1.0) * np.array([1.0, 3.0])).at([2.0, 5.0]), [[2.0, 6.0], [5.0, 15.0]])
    assert repr((iz.Constant(1.0) + 2.0) * iz.Constant(3.0)).startswith("(Constant(value=1.0) + Constant(value=2.0)) *")
    current = iz.Constant(Nanoampere()) * gate
    np.testing.assert_array_equal(rows(current, 200, 1, unit="pA"), [[1000.0]])
    with pytest.raises(ValueError, match="Constant must be in mV/ms for this model and use, got pA"):
        rows(current, 0, 1)
    with pytest.raises(ValueError, match="Product.parts must have a unit in one of them at most, got pA and pA"):
        current * iz.Constant(Nanoampere())
    with pytest.raises(ValueError, match="Product must be finite, got inf for all neurons in step 200"):
        rows(iz.Constant(1e30) * (1e30 * gate), 199, 9, dtype="float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipped_values(dtype):
    high = np.linspace(0.0, 1.0, 6)
    for stimulus in (iz.Noise(1.0), iz.OrnsteinUhlenbeck(0.5, 1.0, 3.0), iz.Sine(1.0, 200.0)):
        free = rows(stimulus, 3, 40, dtype=dtype)
        np.testing.assert_array_equal(rows(stimulus.clip(0.0), 3, 40, dtype=dtype), np.maximum(free, 0.0))
        clipped = rows(stimulus.clip(-1.0, high), 3, 40, dtype=dtype)
        np.testing.assert_array_equal(clipped, np.clip(free, -1.0, high.astype(dtype)) + np.zeros(6, dtype))
        assert clipped.dtype == dtype
    assert repr((1 + iz.Noise(1.0)).clip(0.0)) == "(Constant(value=1.0) + Noise(std=1.0, hold=None)).clip(low=0.0)"
    np.testing.assert_array_equal(iz.Ramp(1.0).clip(high=[3.0, 5.0]).at([2.0, 9.0]), [[2.0, 2.0], [3.0, 5.0]])


class Wobble(iz.Input):
    """A function of time of the user's own."""

    def at(self, t):
        return np.sin(t) * t


@pytest.mark.parametrize(
    "stimulus",
    [iz.Sine(2.0, 40.0, 0.3, 1.0), iz.Pulses([1.0, 4.0], [2.0, 7.5], [3.0, 1.0]), iz.Ramp(0.5, 1.0, 8.0), Wobble(),
     iz.TimedArray(np.arange(1.0, 9.0), dt=1.0, hold=False), iz.Chirp(1.0, 10.0, 90.0, 2.0, 9.0),
     iz.Function(np.cos), 2 * iz.Ramp(1.0) + iz.Sine(1.0, 9.0) * iz.Ramp(1.0)],
    ids=lambda stimulus: type(stimulus).__name__,
)  # fmt: skip
def test_later_and_slower(stimulus):
    """Steps of 0.1 ms fall on the edges of the input, forgiven in its own time."""
    t = np.arange(200) * 0.1
    for delay, stretch in ((3.0, 1.0), (0.0, 2.0), (-1.7, 0.5), (0.3, 3.0)):
        changed = stimulus.stretched(stretch).delayed(delay)
        assert repr(changed).endswith((f".delayed({delay})", f".stretched({stretch})"))
        expected = stimulus.at(np.round((t - delay) / stretch, 9))
        np.testing.assert_allclose(rows(changed, 0, 200)[:, 0], expected, atol=1e-9)
        np.testing.assert_allclose(changed.at(t), expected, atol=1e-9)
    again = stimulus.delayed(5.0).stretched(2.0).delayed(1.0)
    assert (again.delay, again.stretch, again.input) == (11.0, 2.0, stimulus)


def test_edges_are_where_they_are_for_all_that_rounding_does():
    later = iz.Pulses(10.0, 20.0, 1.0).delayed(7.7).stretched(3.0)  # from 53.1 to 83.1 ms
    assert later.at([53.0, 53.1, 83.0, 83.1]).tolist() == [0.0, 1.0, 1.0, 0.0]


def test_uniform_noise():
    from normals import slow_philox

    first, low, high = 6, np.linspace(-2.0, 1.0, 6), np.linspace(0.0, 1.0, 6)
    found = rows(iz.UniformNoise(low, high), first, 9)
    words = [[slow_philox([(first + k) // 4, 0, j, 0], [11, 22])[(first + k) % 4] for j in range(6)] for k in range(9)]
    np.testing.assert_allclose(found, low + (high - low) * np.array(words) * 2.0**-32, rtol=1e-15)
    held = rows(iz.UniformNoise(low, high, hold=0.3), 0, 30)
    np.testing.assert_array_equal(held, np.repeat(rows(iz.UniformNoise(low, high), 0, 10), 3, axis=0))
    many = iz.UniformNoise(3.0, 7.0).bind((1000,), 0.1, "float32", (1, 2), {})(0, 100)
    assert many.dtype == np.float32
    assert 3.0 <= many.min() < 3.001 < 6.999 < many.max() <= 7.0
    np.testing.assert_allclose([many.mean(), many.var()], [5.0, 16 / 12], rtol=0.02)
    wide = iz.UniformNoise(3.0, np.full(1000, 7.0)).bind((1000,), 0.1, "float32", (1, 2), {})(0, 100)
    np.testing.assert_array_equal(many, wide)


def test_networks_with_them_go_on_after_loading(tmp_path):
    """Whatever they keep, in float32 and for chosen neurons."""

    def network(threads):
        net = iz.Network(dt=0.5, seed=2, threads=threads)
        cells = net.add(iz.Population(12, **iz.presets["RS"], dtype="float32"), name="cells")
        ou, gate = iz.OrnsteinUhlenbeck(6.0, 8.0, 20.0), iz.Pulses([5.0], [70.0], 1.0)
        net.drive(cells, ou.clip(0.0, 15.0) * gate - 0.5 * iz.UniformNoise(0.0, 2.0, hold=1.0))
        net.drive(cells[::2], (ou * ou.clip(0.0)).clip(0.0, 4.0) + iz.Sine(3.0, 8.0).stretched(2.0).delayed(4.0))
        net.record(cells, "spikes", name="spikes")
        return net

    assert_goes_on_after_loading(network, 80.0, 33.5, tmp_path)


WRONG = [
    (ValueError, "Constant.value must be finite, got nan at index 1", lambda: np.array([1.0, np.nan]) * iz.Noise(1.0)),
    (ValueError, "Constant.value must have shape .* got \\(4,\\)", lambda: rows(np.ones(4) * iz.Noise(1.0), 0, 1)),
    (TypeError, "Input.divisor must be a number or an array, got Ramp", lambda: iz.Noise(1.0) / iz.Ramp(1.0)),
    (ZeroDivisionError, "Input.divisor must not be 0, got an array", lambda: iz.Noise(1.0) / np.array([1.0, 0.0])),
    (ValueError, "Input.clip must have low or high, got neither", lambda: iz.Noise(1.0).clip()),
    (ValueError, "Input.clip.high must be >= low \\(3.0\\), got 1.0", lambda: iz.Noise(1.0).clip(3.0, 1.0)),
    (ValueError, "Clipped.low must be finite, got nan", lambda: iz.Noise(1.0).clip(np.nan)),
    (ValueError, "Input.stretched.factor must be a finite number > 0, got 0", lambda: iz.Ramp(1.0).stretched(0)),
    (ValueError, "Input.delayed.by must be a finite number in ms, got nan", lambda: iz.Ramp(1.0).delayed(np.nan)),
    (TypeError, "must have a function of time, without random parts and spikes, got Noise",
     lambda: (iz.Noise(1.0) * iz.Ramp(1.0)).delayed(1.0)),
    (TypeError, "must have a function of time, .* got Poisson", lambda: iz.Poisson(1.0).stretched(2.0)),
    (ValueError, "UniformNoise.high must be >= low \\(2.0\\), got 1.0", lambda: iz.UniformNoise(2.0, 1.0)),
    (ValueError, "UniformNoise.hold must be a finite number > 0 ms, got 0", lambda: iz.UniformNoise(hold=0)),
    (ValueError, "UniformNoise.low and high must broadcast", lambda: iz.UniformNoise([0.0, 0.0], [1.0, 1.0, 1.0])),
    (ValueError, "Poisson must drive a population of a network", lambda: rows(iz.Poisson(1.0) * 2, 0, 1)),
    (TypeError, "Input.factor must be a finite number, got 'x'", lambda: iz.Noise(1.0) * "x"),
    (ValueError, "Input.factor must be a finite number, got nan", lambda: iz.Noise(1.0) * np.nan),
    (ZeroDivisionError, "Input.divisor must not be 0, got 0", lambda: iz.Noise(1.0) / 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "make"), WRONG)
def test_what_cannot_be_is_refused(kind, message, make):
    with pytest.raises(kind, match=message):
        make()
