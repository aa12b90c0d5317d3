"""`iz.kernel`: one compiled step for the user's own loops, from Python and from compiled code."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from oracle import SCHEMES

import izhnumba as iz

N, STEPS, DT = 50, 300, 0.1


def start(dtype="float64"):
    """V, u, I and parameters in the order of the model: numbers, whole ones too, and arrays."""
    rng = np.random.default_rng(5)
    V, u, I = (rng.uniform(low, high, N).astype(dtype) for low, high in ((-80, -40), (-16, -8), (0, 15)))
    return V, u, I, (0.02, 0.2, np.full(N, -65.0, dtype), np.full(N, 8.0), 30, 0.04, 5.0, 140.0)


def simulate(step, dtype="float64"):
    V, u, I, p = start(dtype)
    spikes, raster = np.zeros(N, bool), []
    for _ in range(STEPS):
        assert step(V, u, I, p, DT, spikes) == np.count_nonzero(spikes)
        raster.append(spikes.copy())
    return V, u, np.array(raster)


FLOAT32 = [("exp_euler", "float32")]


@pytest.mark.parametrize(("scheme", "dtype"), [(scheme, "float64") for scheme in SCHEMES] + FLOAT32)
def test_each_step_is_that_of_a_population(scheme, dtype):
    """The same bits; a few units of the last place where products and sums may be fused."""
    V, u, I, p = start(dtype)
    pop = iz.Population(N, scheme=scheme, dtype=dtype, dt=DT, V=V, u=u)
    step, spikes, n_spikes = iz.kernel(iz.Izhikevich, scheme, dtype), np.zeros(N, bool), 0
    tolerance = 2000 * float(np.finfo(dtype).eps) if iz.schemes[scheme].fastmath else 0.0  # V is up to some 1000 mV
    for _ in range(STEPS):
        V[:], u[:] = pop.V, pop.u
        n_spikes += step(V, u, I, p, DT, spikes)
        assert np.array_equal(spikes, pop.step(I))
        assert pytest.approx(pop.V, rel=0, abs=tolerance) == V
        assert pytest.approx(pop.u, rel=0, abs=tolerance) == u
    assert n_spikes > 10
    assert V.dtype == u.dtype == dtype


def test_called_from_compiled_code():
    step = iz.kernel(iz.Izhikevich, "exp_euler")

    @numba.njit
    def loop(V, u, I, p, spikes, raster):
        n_spikes = 0
        for k in range(len(raster)):
            n_spikes += step(V, u, I, p, DT, spikes)
            raster[k] = spikes
        return n_spikes

    V, u, I, p = start()
    raster = np.zeros((STEPS, N), bool)
    assert loop(V, u, I, p, np.zeros(N, bool), raster) == np.count_nonzero(raster) > 10
    for one, other in zip((V, u, raster), simulate(step), strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("reset", ["soft", "overshoot"])
def test_reset(reset):
    V, u, I, p = np.array([40.0]), np.array([0.0]), np.array([0.0]), (0.02, 0.2, -65.0, 8.0, 30.0, 0.04, 5.0, 140.0)
    assert iz.kernel(iz.Izhikevich, "euler", reset=reset)(V, u, I, p, DT, np.zeros(1, bool)) == 1
    V_end = 40.0 + DT * (0.04 * 40.0 * 40.0 + 5.0 * 40.0 + 140.0)
    assert V[0] == pytest.approx({"soft": V_end - 30.0, "overshoot": -65.0 + (V_end - 30.0)}[reset], rel=1e-14)
    assert u[0] == pytest.approx(DT * 0.02 * 0.2 * 40.0 + 8.0, rel=1e-14)


def test_other_model():
    model, cell = iz.Izhikevich2007, iz.presets["2007/RS"]
    p = tuple(cell.get(name, quantity.default) for name, quantity in model.parameters.items())
    V, u, I, spikes = np.full(3, -60.0), np.zeros(3), np.array([0.0, 70.0, 200.0]), np.zeros(3, bool)
    step = iz.kernel(model, "euler")
    counts = np.zeros(3, int)
    for _ in range(1000):
        step(V, u, I, p, 0.5, spikes)
        counts += spikes
    pop = iz.Population(3, scheme="euler", dt=0.5, **cell)
    pop.V, pop.u = -60.0, 0.0
    expected = np.bincount(pop.run(500.0, I=I).spikes.i, minlength=3)
    assert counts.tolist() == expected.tolist()
    assert expected[0] == 0 < expected[1] < expected[2]


def test_same_arguments_same_function():
    assert iz.kernel(iz.Izhikevich, "euler") is iz.kernel(iz.Izhikevich, scheme="euler", dtype=np.float64)
    assert iz.kernel(iz.Izhikevich, "euler") is not iz.kernel(iz.IzhikevichRef, "euler")


def test_no_neurons():
    none, p = np.zeros(0), start()[3]
    assert iz.kernel(iz.Izhikevich, "euler")(none, none, none, (*p[:2], none, none, *p[4:]), DT, np.zeros(0, bool)) == 0


def test_wrong_number_of_parameters():
    V, u, I, p = start()
    with pytest.raises(numba.TypingError, match="p must have one entry for each of a, b, c, d, V_th, k2, k1, k0"):
        iz.kernel(iz.Izhikevich, "euler")(V, u, I, p[:5], DT, np.zeros(N, bool))


def test_strided_parameters_are_refused():
    V, u, I, p = start()
    with pytest.raises(numba.TypingError, match="contiguous"):
        iz.kernel(iz.Izhikevich, "euler")(V, u, I, (np.zeros(2 * N)[::2], *p[1:]), DT, np.zeros(N, bool))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("Izhikevich",), TypeError, "kernel.model must be an izhnumba.Model, got 'Izhikevich'"),
        ((iz.Izhikevich, "eular"), ValueError, "kernel.scheme must be .*got 'eular'.*'euler'"),
        ((iz.Izhikevich, "exact"), ValueError, "kernel.scheme must be one that has steps, got 'exact'. Use .*'rk4'"),
        ((iz.Izhikevich, "euler", "float16"), ValueError, "kernel.dtype must be .*float16"),
        ((iz.Izhikevich, "euler", "float64", "firm"), ValueError, "kernel.reset must be .*got 'firm'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        iz.kernel(*arguments)
