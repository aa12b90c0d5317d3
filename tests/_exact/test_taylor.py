"""The Taylor step on its SIMD rows: coefficients, order, residual, step size, lanes, and what SAFE promises."""

from __future__ import annotations

import platform
import re

import numpy as np
import pytest
from assembly import widest_vectors
from numba import njit, types

from izhnumba._exact.kernels.simd_rows import LAST_TERMS, LONGEST, ORDER, TOLERANCE, ReceptorKind, SimdRows
from izhnumba._exact.kernels.taylor import step_of
from izhnumba._numba.compile import target_features

LANES, LD = 16, np.longdouble
CURRENT, PAIR = ReceptorKind(1, False), ReceptorKind(2, False)
CONDUCTANCE, PAIR_CONDUCTANCE = ReceptorKind(1, True), ReceptorKind(2, True)
# Receptors, and of each alpha, beta, delta, gamma: those of synapses decay, a wave goes around, a line rises.
RECEPTORS = {
    "none": ((), []),
    "exponential": ((CURRENT,), [(-0.2, 0.0, 0.0, 0.0)]),
    "alpha": ((PAIR,), [(-0.5, 1.0, 0.0, -0.5)]),
    "wave": ((PAIR,), [(0.0, 0.3, -0.3, 0.0)]),
    "line": ((PAIR,), [(0.0, 1.0, 0.0, 0.0)]),
    "conductance": ((CONDUCTANCE,), [(-0.2, 0.0, 0.0, 0.0)]),
    "all": (
        (PAIR_CONDUCTANCE, CURRENT, PAIR, CONDUCTANCE),
        [(-0.1, 0.4, 0.0, -2.0), (-0.3, 0.0, 0.0, 0.0), (0.0, 0.1, -0.1, 0.0), (-0.2, 0.0, 0.0, 0.0)],
    ),
}
every_receptors = pytest.mark.parametrize("receptors", RECEPTORS)


class Step:
    """SIMD rows of eight random neurons, and the compiled step."""

    def __init__(self, receptors="none", seed=0, x=(-1.0, 0.7), y=(-0.4, 0.4), theta=3.7, numbers=None):
        rng = np.random.default_rng(seed)
        kinds, linear = RECEPTORS[receptors]
        self.B = B = SimdRows(kinds)
        self.numbers = np.array([v for row in numbers or linear for v in row] or [0.0])
        self.step, self.rows = step_of(kinds), np.zeros((B.size, LANES))
        for row, (low, high) in (
            (B.X, x), (B.Y, y), (B.I, (-0.1, 0.6)), (B.A, (-0.03, -0.001)), (B.B, (-0.1, -0.01)), (B.C, (-0.1, 0.1)),
        ):  # fmt: skip
            self.rows[row] = rng.uniform(low, high, LANES)
        self.rows[B.Z : B.Z + B.n_z] = rng.uniform(-0.3, 0.3, (B.n_z, LANES))
        for first, kind in zip(B.first_states(), kinds, strict=True):
            if kind.conductance:
                self.rows[B.Z + first : B.Z + first + kind.states] = rng.uniform(0.0, 0.3, (kind.states, LANES))
        self.rows[B.XE : B.n_loaded] = rng.uniform(-1.0, 2.5, (B.n_loaded - B.XE, LANES))
        self.rows[B.THETA], self.rows[B.LEMMA] = theta, np.square(theta)
        self.rows[B.LIMIT], self.rows[B.REFRACTORY_UNTIL] = np.inf, -np.inf

    def __call__(self, end=np.inf):
        """Take the step: (lanes that need attention, lanes left where they were), as sets."""
        self.before = self.rows.copy()
        masks = call(self.step)(self.rows.ctypes.data, self.numbers.ctypes.data, end)
        return tuple({k for k in range(LANES) if masks >> (shift + k) & 1} for shift in (0, LANES))

    def coefficients(self):
        """Those of x, y and the receptors' states, (2 + states, order + 1, lanes): they are written where a lane needs
        attention, as all do that are refractory."""
        B, rows = self.B, self.before.copy()
        rows[B.REFRACTORY_UNTIL] = np.inf
        call(self.step)(rows.ctypes.data, self.numbers.ctypes.data, np.inf)
        starts = [B.CX, B.CY, *(B.CZ + j * (ORDER + 1) for j in range(B.n_z))]
        return np.array([rows[k : k + ORDER + 1] for k in starts])


def call(step):
    if step not in COMPILED:
        COMPILED[step] = njit(types.int64(types.int64, types.int64, types.float64))(
            lambda simd, numbers, end: step(simd, numbers, end)
        )
    return COMPILED[step]


COMPILED = {}


# --- a twin in longer numbers ---------------------------------------------------------------------------------------


def slopes(step, x, y, z, product):
    """x', y' and z' of the equations, for numbers with +, and `product`."""
    B, rows, linear = step.B, step.before.astype(LD), step.numbers.astype(LD).reshape(-1, 4) if step.B.receptors else ()
    dx, dz, n = product(x, x) + y, [], 0
    for first, kind, (alpha, beta, delta, gamma) in zip(B.first_states(), B.receptors, linear, strict=True):
        if kind.conductance:
            dx = dx + rows[B.XE + n] * z[first] - product(z[first], x)
            n += 1
        else:
            dx = dx + z[first]
        other = [z[first + 1]] if kind.states == 2 else []
        dz.append(alpha * z[first] + (beta * other[0] if other else 0))
        dz += [delta * z[first] + gamma * one for one in other]
    return dx, rows[B.A] * x + rows[B.B] * y, dz


def series(step, order=ORDER):
    """The coefficients, by the recursion over whole series in extended precision."""
    B, rows = step.B, step.before.astype(LD)
    found = np.zeros((2 + B.n_z, order + 1, LANES), LD)
    found[:, 0] = rows[[B.X, B.Y, *range(B.Z, B.Z + B.n_z)]]

    def product(a, b):
        return np.array([sum(a[j] * b[k - j] for j in range(k + 1)) for k in range(order)])

    for k in range(order):
        x, y, *z = found[:, :order]
        dx, dy, dz = slopes(step, x, y, z, product)
        dx[0] += rows[B.I]
        dy[0] += rows[B.C]
        found[:, k + 1] = np.array([dx[k], dy[k], *(one[k] for one in dz)]) / (k + 1)
    return found


def value(coefficients, h):
    """Of polynomials (..., order, lanes) at h."""
    total = 0.0
    for k in range(coefficients.shape[-2] - 1, -1, -1):
        total = total * h + coefficients[..., k, :]
    return total


@every_receptors
@pytest.mark.parametrize("seed", range(5))
def test_coefficients(receptors, seed):
    step = Step(receptors, seed)
    step()
    found, expected = step.coefficients(), series(step)
    powers = step.rows[step.B.H] ** np.arange(ORDER + 1.0)[:, np.newaxis]
    errors, sizes = np.abs(found - expected) * powers, np.abs(expected) * powers
    assert np.max(errors / sizes.max((0, 1))) < 5e-16  # as parts of the step
    later = np.maximum.accumulate(sizes.max(0)[::-1])[::-1]  # what a coefficient leans on cancels at times
    assert np.max(errors / later) < 1e-13


@every_receptors
@pytest.mark.parametrize("seed", range(5))
def test_the_polynomial_solves_the_equations(receptors, seed):
    step = Step(receptors, seed, x=(-1.0, 4.0), theta=5.0)
    step()
    coefficients, B = step.coefficients().astype(LD), step.B
    powers = np.arange(1, ORDER + 1)[:, np.newaxis]
    for share in np.random.default_rng(seed).uniform(0.0, 1.0, 20):
        h = share * step.rows[B.H].astype(LD)
        x, y, *z = value(coefficients, h)
        derivatives = value(coefficients[:, 1:] * powers, h)
        dx, dy, dz = slopes(step, x, y, z, lambda a, b: a * b)
        rows = step.before
        residual = np.abs(derivatives - np.array([dx + rows[B.I], dy + rows[B.C], *dz]))
        assert np.max(residual / np.maximum(1.0, np.abs(derivatives))) < 1e-11


@pytest.mark.parametrize("receptors", ["none", "all"])
@pytest.mark.parametrize("order", [4, 6, 8, 10, 12])
def test_order_of_convergence(receptors, order):
    """Left out after this order, the error of a step falls by 2^(order + 1) when the step is halved."""
    step = Step(receptors, 3)
    step()
    expected = series(step)
    radius = np.abs(expected[0, -1]) ** (-1 / ORDER)
    errors = [
        np.abs(value(step.coefficients()[0, : order + 1].astype(LD), h) - value(expected[0], h))
        for h in (0.08 * radius, 0.04 * radius)
    ]
    visible = errors[1] > 1e-15
    ratio = np.median((errors[0] / errors[1])[visible]) if visible.any() else 2.0 ** (order + 1)
    assert visible.any() or order > 8
    assert 0.8 < ratio / 2.0 ** (order + 1) < 1.25


# --- the step -------------------------------------------------------------------------------------------------------


@every_receptors
def test_new_states_are_values_of_the_polynomial(receptors):
    step = Step(receptors, 1)
    attention, left = step(end=1e9)
    assert attention == left == set()  # they start far below the threshold
    B, h = step.B, step.rows[step.B.H]
    expected = value(step.coefficients().astype(LD), h.astype(LD))
    places = [B.X, B.Y, *range(B.Z, B.Z + B.n_z)]
    np.testing.assert_allclose(step.rows[places], expected.astype(float), rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(step.rows[B.T], step.before[B.T] + h)
    for k in (*places, B.T):
        np.testing.assert_array_equal(step.rows[B.NEW + k], step.rows[k])


def test_what_is_not_moved_on():
    step = Step(seed=2, x=(-0.5, -0.3))
    B = step.B
    step.rows[B.T] = 1.0
    step.rows[B.X, 1] = 3.6  # crosses
    step.rows[B.LIMIT, 2] = 1.25  # reaches its limit
    step.rows[B.REFRACTORY_UNTIL, 3] = 2.0  # is held
    step.rows[B.LIMIT, 4] = 1.0  # has no time
    step.rows[B.LIMIT, 5] = 90.0  # goes beyond the end
    step.rows[[B.THETA, B.LEMMA], 6] = [-0.2, 0.04 - 0.1]
    step.rows[B.LEMMA, 7] = -np.inf
    attention, left = step(end=1.0 + 1e-9)
    assert left == set(range(LANES))
    attention, left = step(end=1e9)
    assert (attention, left) == ({1, 2, 3, 4, 7} | left, left)
    assert {1, 3, 4, 7} <= left <= {1, 3, 4, 6, 7}
    assert step.rows[B.T, 2] == 1.25
    moved = [lane for lane in range(LANES) if lane not in left]
    unmoved = sorted(left)
    np.testing.assert_array_equal(step.rows[: B.n_state, unmoved], step.before[: B.n_state, unmoved])
    assert (step.rows[B.T, moved] > 1.0).all()


@every_receptors
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 30.0, 1e4])
def test_step_size(receptors, scale):
    """Within the radius of convergence, with the last two terms within LAST_TERMS, but not much shorter."""
    step = Step(receptors, 4, x=(-scale, scale), y=(-scale, scale), theta=1e6)
    step()
    x, _, *z = np.abs(step.coefficients())
    h = step.rows[step.B.H]
    seen = np.array([x, *z])
    for k in (ORDER, ORDER - 1):
        assert (seen[:, k] * h**k <= LAST_TERMS * (1 + 1e-4)).all()  # the logarithm is short by 7e-5
    assert (h <= LONGEST).all()
    exact = [(LAST_TERMS / np.maximum(seen[:, k].max(0), 1e-280)) ** (1 / k) for k in (ORDER, ORDER - 1)]
    assert (h >= 0.9 * np.minimum(LONGEST, np.min(exact, 0))).all()
    radius = np.max(x[10:] ** (1 / np.arange(10, ORDER + 1)[:, np.newaxis]), 0) ** -1
    assert (h < 0.4 * radius).all()  # so all that is left out is less than the last term


@every_receptors
@pytest.mark.parametrize("scale", [1e-3, 1.0, 4.0])
def test_what_is_left_out(receptors, scale):
    """Within the tolerance, which is an estimate: what the series of x goes on with behind its last term."""
    seen = []
    for seed in range(4):
        step = Step(receptors, seed, x=(-scale, scale), y=(-scale, scale), theta=1e6)
        step()
        later = series(step, ORDER + 24)[0, ORDER + 1 :]
        powers = step.rows[step.B.H].astype(LD) ** np.arange(ORDER + 1, ORDER + 25)[:, np.newaxis]
        seen.append(np.abs((later * powers).sum(0)))
    assert np.max(seen) < 4 * TOLERANCE
    assert np.median(seen) < TOLERANCE / 2


def test_at_rest_a_step_is_the_longest():
    step = Step()
    B = step.B
    step.rows[: B.n_loaded] = 0.0
    step.rows[B.X], step.rows[B.Y], step.rows[B.A], step.rows[B.B] = -0.5, -0.25, -0.004, -0.02
    step.rows[B.C] = -0.5 * 0.004 - 0.25 * 0.02
    step.rows[B.THETA], step.rows[B.LEMMA] = 3.7, 3.7**2
    step.rows[B.REFRACTORY_UNTIL] = -np.inf
    assert step(end=1e9) == (set(), set())
    assert (step.rows[B.H] > 0.9 * LONGEST).all()
    assert (step.rows[B.H] <= LONGEST).all()


@every_receptors
def test_lanes_do_not_see_one_another(receptors):
    rng, whole = np.random.default_rng(6), Step(receptors, 7)
    whole()
    for strange in (None, np.nan, np.inf, -np.inf, 1e300, 0.0):
        for lane in (0, 3, 7):
            other = Step(receptors, 8 + lane)
            if strange is not None:
                other.rows[rng.integers(0, other.B.n_loaded, 5)] = strange
            place = (lane + 3) % LANES
            other.rows[:, place] = whole.before[:, lane]
            with np.errstate(all="ignore"):
                other()
                found = other.coefficients()[..., place]
            assert other.rows[: other.B.CX, place].tobytes() == whole.rows[: other.B.CX, lane].tobytes()
            assert found.tobytes() == whole.coefficients()[..., lane].tobytes()


# --- SAFE -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("receptors", ["none", "alpha", "conductance"])
@pytest.mark.parametrize("theta", [3.7, 0.3, -0.3])
def test_safe_steps_hide_no_crossing(receptors, theta):
    """Where SAFE is set and the polynomial ends below the threshold, it has been below it all the time."""
    shares, hidden, safe = np.linspace(0.0, 1.0, 300)[:, np.newaxis], 0, 0
    for seed in range(150):
        step = Step(receptors, seed, x=(theta - 0.5, theta - 1e-3), y=(-0.2, 0.4), theta=theta)
        B, rng = step.B, np.random.default_rng(seed)
        step.rows[B.Z : B.Z + B.n_z] *= 0.1
        step.rows[B.Y, ::2] = -(step.rows[B.X, ::2] ** 2) - step.rows[B.I, ::2] + rng.uniform(0.0, 0.4, LANES // 2)
        step.rows[B.C] -= rng.uniform(0.0, 2.0, LANES)  # so that x turns back
        step()
        path = value(step.coefficients()[0], shares * step.rows[B.H])
        back = (path.max(0) >= theta) & (path[-1] < theta) & (step.rows[B.NEW + B.X] < theta)
        assert not np.any(back & (step.rows[B.SAFE] == 1.0))
        hidden, safe = hidden + back.sum(), safe + np.sum((step.rows[B.SAFE] == 1.0) & (path[-1] < theta))
    assert safe > 100
    assert hidden > 0 or theta == 3.7  # what it warns of does happen


def test_nothing_is_safe_with_nan():
    step = Step()
    step.rows[step.B.X] = np.nan
    assert step() == (set(range(LANES)),) * 2
    assert (step.rows[step.B.SAFE] == 0.0).all()


# --- machine code ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("receptors", ["none", "all"])
def test_the_step_is_packed(receptors):
    """One straight line of fused operations on whole vectors."""
    text = "".join(call(step_of(RECEPTORS[receptors][0])).inspect_asm().values())
    arm = platform.machine().lower() in ("arm64", "aarch64")
    if arm:
        assert len(re.findall(r"\bfml[as]\s+v\d+\.2d", text)) > 400
    elif "fma" in target_features():
        assert len(re.findall(rf"\bvfn?m(?:add|sub)\d+pd\s.*{widest_vectors()}", text)) > 140
        assert not re.search(r"\bvfn?m(?:add|sub)\d+sd\b", text)
    assert not re.search(r"\b_?(?:fma|exp2?|log2?|pow)\b", text)
