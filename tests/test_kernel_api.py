"""`iz.kernel`: the compiled step in the hands of a user."""

from __future__ import annotations

import numba
import numpy as np
import pytest

import izhnumba as iz

N = 130
RS = (0.02, 0.2, -65.0, 8.0, 30.0, 0.04, 5.0, 140.0)


def start(dtype):
    return np.full(N, -65.0, dtype), np.full(N, -13.0, dtype), np.zeros(N, bool)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scheme", ["euler", "izhikevich2003", "exp_euler"])
def test_same_as_population(scheme, dtype):
    current = np.linspace(0, 12, N).astype(dtype)
    V, u, spikes = start(dtype)
    step = iz.kernel(iz.Izhikevich, scheme, dtype)
    pop = iz.Population(N, scheme=scheme, dtype=dtype, u=-13.0)
    for _ in range(400):
        if scheme == "exp_euler":  # another form of exprel: compare step by step
            pop.V[:], pop.u[:] = V, u
        count = step(V, u, current, RS, 0.1, spikes)
        pop.step(current)
        assert count == spikes.sum()
        np.testing.assert_array_equal(spikes, pop.spikes)
        tolerance = {"float64": 1e-13, "float32": 1e-5}[dtype] if scheme == "exp_euler" else 0
        np.testing.assert_allclose(V, pop.V, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(u, pop.u, rtol=tolerance, atol=tolerance)


def test_inside_a_loop_of_the_user_with_arrays_as_parameters():
    step = iz.kernel(iz.Izhikevich, "euler")

    @numba.njit
    def loop(V, u, current, p, spikes, n_steps):
        total = 0
        for _ in range(n_steps):
            total += step(V, u, current, p, 0.1, spikes)
        return total

    V, u, spikes = start("float64")
    d = np.linspace(2, 8, N)
    total = loop(V, u, np.full(N, 10.0), (*RS[:3], d, *RS[4:]), spikes, 1000)
    pop = iz.Population(N, scheme="euler", d=d, u=-13.0)
    assert total == len(pop.run(100.0, 10.0).spikes)
    np.testing.assert_array_equal(V, pop.V)


def test_same_arguments_same_function():
    assert iz.kernel(iz.Izhikevich, "euler") is iz.kernel(iz.Izhikevich, "euler")


def test_wrong_number_of_parameters():
    V, u, spikes = start("float64")
    with pytest.raises(numba.core.errors.TypingError, match="p must have one entry for each of a, b, c, d, V_th"):
        iz.kernel(iz.Izhikevich, "euler")(V, u, V, RS[:4], 0.1, spikes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Izhikevich",), "kernel.model must be an izhnumba.Model, got 'Izhikevich'"),
        ((iz.Izhikevich, "eulr"), "kernel.scheme must be a known name, got 'eulr'. Did you mean 'euler'"),
        ((iz.Izhikevich, "euler", "float16"), "kernel.dtype must be float32 or float64, got .float16."),
        (
            (iz.Izhikevich, "euler", "float64", "sofd"),
            "kernel.reset must be a known name, got 'sofd'. Did you mean 'soft'",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        iz.kernel(*arguments)
