"""Differences and multiples of inputs."""

import numpy as np
import pytest
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


def test_multiples_draw_from_the_streams_of_their_parts():
    noise = iz.Noise(1.0)
    expected = normals(0, 9, 6, 11, 22).astype(float) - 2.0 * normals(0, 9, 6, 11, 23)
    np.testing.assert_array_equal(rows(noise - 2 * noise, 0, 9), expected)
    assert np.any(rows(noise - noise, 0, 9))


def test_multiples_at_any_time_and_with_units():
    np.testing.assert_allclose((3 - iz.Ramp(0.5) / 2).at([0.0, 4.0]), [3.0, 2.0])
    assert repr(2 * -iz.Constant(1.0)) == "-2 * Constant(value=1.0)"
    current = 2 * iz.Constant(Nanoampere())
    np.testing.assert_array_equal(rows(current - 1, 0, 2, unit="pA"), np.full((2, 1), 1999.0))
    with pytest.raises(ValueError, match="Constant must be in mV/ms for this model and use, got pA"):
        rows(current, 0, 1)
    with pytest.raises(ValueError, match="Scaled must be finite, got (inf|nan)"):
        rows(1e30 * (1e30 * iz.Sine(1.0, 10.0)), 0, 9, dtype="float32")


WRONG = [
    (
        TypeError,
        "Input.factor must be a finite number, got Sine.*Sample products in time: TimedArray",
        lambda: iz.Sine(1.0, 1.0) * iz.Sine(1.0, 1.0),
    ),
    (
        TypeError,
        "Input.factor must be a finite number, got array.*give amplitudes as an array",
        lambda: np.ones(3) * iz.Noise(1.0),
    ),
    (TypeError, "Input.factor must be a finite number, got 'x'", lambda: iz.Noise(1.0) * "x"),
    (ValueError, "Input.factor must be a finite number, got nan", lambda: iz.Noise(1.0) * np.nan),
    (ZeroDivisionError, "Input.divisor must not be 0, got 0", lambda: iz.Noise(1.0) / 0),
]


@pytest.mark.parametrize(("kind", "message", "make"), WRONG)
def test_other_factors_are_refused(kind, message, make):
    with pytest.raises(kind, match=message):
        make()
