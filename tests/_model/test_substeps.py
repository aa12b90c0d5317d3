"""Sub-steps: the rule of a scheme several times in each step, with the input held."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from everything import Everything
from oracle import Book, Oracle, Quadratic
from recorded import judge

import izhnumba as iz
from izhnumba import analysis

DIVISIBLE = ["euler", "midpoint", "heun", "rk4"]
N = 12


def exact_in_float32(x):
    return np.asarray(x, np.float32).astype(np.float64)


@pytest.mark.parametrize(
    ("name", "dtype", "reset", "model"),
    [
        ("euler/5", "float64", "hard", "Izhikevich"),
        ("euler/2", "float32", "overshoot", "Izhikevich2007"),
        ("midpoint/3", "float32", "hard", "Izhikevich"),
        ("heun/4", "float64", "soft", "Izhikevich2007"),
        ("rk4/2", "float64", "hard", "Izhikevich"),
    ],
)
def test_steps_are_those_of_the_oracle(name, dtype, reset, model):
    """With currents, V jumps, conductances, refractoriness and a floor, each step from the state of the population."""
    rng, dt = np.random.default_rng(5), 0.5
    scale, V_th = (20.0, 35.0) if model == "Izhikevich2007" else (1.0, 30.0)
    book = judge("izhikevich2007_book_cells")["params"]["RS"]
    preset = iz.presets["2007/RS" if scale > 1 else "RS"]
    parameters = {key: value for key, value in preset.items() if key not in ("model", "V", "u")}
    twin = Book(**book, cell="RS") if scale > 1 else Quadratic(**parameters)
    V, u = exact_in_float32(rng.uniform(-80, -50, N)), exact_in_float32(rng.uniform(-16, 0, N))
    given = dict(reset=reset, V_min=-80.0, tau_ref=1.0)
    scheme, substeps = name.split("/")
    pop = iz.Population(
        N, model=getattr(iz, model), scheme=scheme, substeps=int(substeps), dt=dt, dtype=dtype, V=V, u=u, **given,
        **parameters,
    )  # fmt: skip
    assert (pop.scheme.name, pop.scheme.substeps) == (name, int(substeps))
    oracle = Oracle(N, twin, name, dt, V, u, **given)
    tolerance, n_spikes = 1e-11 if dtype == "float64" else 1e-4, 0
    for k in range(100):
        I, delta = exact_in_float32(scale * rng.normal(8, 8, N)), exact_in_float32(rng.normal(0, 3, N))  # noqa: E741
        g = [exact_in_float32(scale * rng.uniform(0, 0.1, N))]
        spikes, expected = pop.step(I, delta=delta, g=g, E=[0.0]), oracle.step(I, delta, g, [0.0])
        close = np.abs(oracle.V - V_th) < 1e-3  # in float32 rounding may decide
        assert np.array_equal(spikes[~close], expected[~close]), k
        np.testing.assert_allclose(pop.V, oracle.V, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(pop.u, oracle.u, rtol=tolerance, atol=tolerance)
        n_spikes += spikes.sum()
        lost = np.abs(pop.V) > 200.0  # a soft reset may run away
        pop.V[lost], pop.u[lost] = -65.0, -10.0
        oracle.V, oracle.u = pop.V.astype(np.float64), pop.u.astype(np.float64)
    assert n_spikes > 10


@pytest.mark.parametrize("n_substeps", [2, 5, 10])
def test_a_network_of_a_coursework_on_a_grid_of_one_ms(n_substeps):
    """M. Shanahan's course Computational Neurodynamics: each ms the input is held, and V and u advance together by
    several steps of Euler, of those alone that have not fired; then spikes are delivered with whole delays, as a
    current of a ms."""
    rng, n, T = np.random.default_rng(2), 40, 400
    a, b, c, d = 0.02, 0.2, -65 + 15 * rng.random(n) ** 2, 8 - 6 * rng.random(n) ** 2
    W = np.where(rng.random((n, n)) < 0.2, rng.uniform(-3.0, 6.0, (n, n)), 0.0)
    D = rng.integers(1, 20, (n, n))
    background = np.where(rng.random((T, n)) < 0.02, 15.0, 0.0) + 4.0
    V, u, fired = np.full(n, -65.0), np.full(n, -13.0), np.zeros(n, bool)
    waiting, expected, dt = np.zeros((T + 21, n)), [], 1.0 / n_substeps
    for k in range(T):
        V[fired], u[fired] = c[fired], u[fired] + d[fired]
        I, fired = background[k] + waiting[k], np.zeros(n, bool)  # noqa: E741
        for _ in range(n_substeps):
            on = ~fired
            V0, u0 = V[on], u[on]
            V[on] = V0 + dt * (0.04 * V0 * V0 + 5 * V0 + 140 - u0 + I[on])
            u[on] = u0 + dt * (a * (b * V0 - u0))
            fired |= V > 30
        for i in np.flatnonzero(fired):
            expected.append((k, int(i)))
            for j in np.flatnonzero(W[i]):
                waiting[k + D[i, j], j] += W[i, j]
    net = iz.Network(dt=1.0, scheme="euler", substeps=n_substeps)
    cells = net.add(iz.Population(n, a=a, b=b, c=c, d=d, V=-65.0, u=-13.0), name="cells")
    pre, post = np.nonzero(W)
    net.connect(cells, cells, (pre, post), weight=W[pre, post], delay=D[pre, post].astype(float), receptor=iz.Pulse())
    net.drive(cells, iz.TimedArray(background, 1.0))
    spikes = net.record(cells)
    net.run(float(T))
    assert len(expected) > 100
    assert list(zip(spikes.step.tolist(), spikes.i.tolist(), strict=True)) == expected


def test_the_course_of_V_is_that_of_small_steps_up_to_the_first_spike():
    """With a constant input a step of 5 sub-steps is 5 steps, to the bit."""
    I = np.linspace(0.0, 15.0, N)  # noqa: E741
    for scheme in DIVISIBLE:
        coarse = iz.Population(N, scheme=scheme, substeps=5, dt=0.5).run(4.0, I, record="V")
        fine = iz.Population(N, scheme=scheme, dt=0.1).run(4.0, I, record="V", every=0.5)
        np.testing.assert_allclose(coarse.V, fine.V, rtol=1e-12, err_msg=scheme)


@pytest.mark.parametrize(("scheme", "n"), [("euler", 5), ("heun", 3)])
def test_states_beside_V_and_u_go_and_stay_with_them(scheme, n):
    """Up to the first spike as in small steps, and after it as right after the small step of the spike."""
    I, dt = np.linspace(0.0, 60.0, N), 0.1  # noqa: E741
    coarse = iz.Population(N, model=Everything, scheme=scheme, substeps=n, dt=n * dt, u=-13.0)
    fine = iz.Population(N, model=Everything, scheme=scheme, dt=dt, u=-13.0)
    names, spiked = ("V", "u", *Everything.states), np.zeros(N, bool)
    for _ in range(20):
        seen = {name: np.empty(N) for name in names}
        fresh, spikes = ~spiked, np.zeros(N, bool)
        for _ in range(n):
            now = fine.step(I).copy()
            for name in names:
                seen[name][~spikes] = getattr(fine, name)[~spikes]
            spikes |= now
        found = coarse.step(I)
        assert found[fresh].tolist() == spikes[fresh].tolist()
        for name in names:
            np.testing.assert_allclose(getattr(coarse, name)[fresh], seen[name][fresh], rtol=1e-12, atol=1e-12)
        spiked |= spikes
    assert 3 < spiked.sum() < N


def test_more_sub_steps_do_not_let_V_run_away():
    """From V_th on V' would be infinite within a ms."""
    pop = iz.Population(3, scheme="euler", substeps=100, dt=1.0, V=29.0, u=-13.0)
    pop.run(500.0, [5.0, 10.0, 40.0])
    assert np.abs(pop.V).max() < 100.0
    assert np.abs(pop.u).max() < 40.0


def test_threads_cuts_copies_and_checkpoints_change_no_bit(tmp_path):
    def network(threads):
        net = iz.Network(dt=1.0, scheme="rk4", substeps=2, seed=1, threads=threads)
        cells = net.add(iz.Population(3000, **iz.presets["RS"]), name="cells")
        net.drive(cells, iz.Noise(8.0))
        net.connect(cells, cells, iz.FixedOutDegree(5), weight=1.0, delay=iz.Uniform(1.0, 5.0))
        net.record(cells, "spikes", name="spikes")
        return net

    whole, half = network(1), network(2)
    whole.run(60.0)
    half.run(23.0)
    half.save(tmp_path / "half.npz")
    again = iz.load(tmp_path / "half.npz")
    assert again.scheme is whole.scheme is iz.schemes["rk4/2"]
    for _ in range(37):
        again.step()
    cells = [net.populations["cells"] for net in (whole, again)]
    assert cells[0].V.tobytes() == cells[1].V.tobytes()
    assert len(whole.recorders["spikes"]) == len(again.recorders["spikes"]) > 100
    pop = iz.Population(5, scheme="euler", substeps=4, V=-70.0, seed=1)
    pop.run(5.0, 10.0)
    copy = pickle.loads(pickle.dumps(pop))
    assert copy.scheme is pop.scheme
    assert [one.run(20.0, 10.0).spikes.step.tolist() for one in (pop, copy)][0] == copy.result.spikes.step.tolist()
    pop.save(tmp_path / "pop.npz")
    assert iz.Population.load(tmp_path / "pop.npz").scheme is pop.scheme


def test_schemes_with_sub_steps_go_by_their_name():
    assert repr(iz.schemes["euler/5"]).startswith("<scheme euler/5: forward Euler, ")
    scheme = iz.schemes["euler/5"]
    assert scheme is iz.schemes.get("euler/5")
    assert (scheme.dt_max, scheme.source) == (1.0, f"{iz.schemes['euler'].source}, in 5 sub-steps")
    assert iz.Population(1, scheme="heun", substeps=1).scheme is iz.schemes["heun"]
    assert iz.Population(1, scheme="heun/3").scheme is iz.Population(1, scheme="heun", substeps=3).scheme
    assert pickle.loads(pickle.dumps(scheme)) is scheme
    for wrong in (
        "euler/1",
        "euler/0",
        "euler/05",
        "euler/-2",
        "euler/101",
        "euler/2.0",
        "euler/",
        "/5",
        "nest/2",
        "exact/2",
    ):
        assert wrong not in iz.schemes
        with pytest.raises(ValueError, match="Population.scheme must be a known name, got"):
            iz.Population(1, scheme=wrong)
    assert "Takes sub-steps" in iz.schemes["rk4"].__doc__
    report = analysis.accuracy_report(iz.Population(2, **iz.presets["RS"]), 10.0, 50.0, schemes=["euler/5"], dts=[0.5])
    assert report.rows[0].scheme == "euler/5"
    net = iz.Network(dt=1.0, scheme="euler", substeps=5)
    net.add(iz.Population(2, scheme="euler", substeps=5))
    with pytest.raises(ValueError, match="Population.scheme must be 'euler/5' like the network's, got 'euler'"):
        net.add(iz.Population(2, scheme="euler"))
    step = iz.kernel(scheme="euler/5")
    V, u, spikes = np.full(1, -65.0), np.full(1, -13.0), np.zeros(1, bool)
    step(V, u, np.full(1, 10.0), (0.02, 0.2, -65.0, 8.0, 30.0, 0.04, 5.0, 140.0), 0.5, spikes)
    pop = iz.Population(1, u=-13.0, scheme="euler/5", dt=0.5)
    pop.step(10.0)
    assert (V[0], u[0]) == (pop.V[0], pop.u[0])


@pytest.mark.parametrize("owner", [lambda **given: iz.Population(1, **given), iz.Network])
@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            {"substeps": 5},
            ValueError,
            "substeps must be left out with the scheme 'exp_euler', got 5. Schemes that take",
        ),
        (
            {"scheme": "nest", "substeps": 2},
            ValueError,
            r"with the scheme 'nest', .* are euler, midpoint, heun, rk4; or use",
        ),
        ({"scheme": "exact", "substeps": 2}, ValueError, "substeps must be left out with the scheme 'exact'"),
        ({"scheme": "euler/5", "substeps": 5}, ValueError, "substeps must be left out with the scheme 'euler/5'"),
        ({"scheme": "euler", "substeps": 0}, ValueError, "substeps must be a whole number >= 1 and <= 100, got 0"),
        ({"scheme": "euler", "substeps": 101}, ValueError, "substeps must be a whole number >= 1 and <= 100, got 101"),
        ({"scheme": "euler", "substeps": 2.5}, (TypeError, ValueError), "substeps must be a whole number"),
        ({"scheme": "euler", "substeps": "2"}, TypeError, "substeps must be a whole number"),
    ],
)
def test_what_is_refused(owner, given, error, words):
    with pytest.raises(error, match=words):
        owner(**given)


def test_too_long_a_step_is_told():
    with pytest.warns(UserWarning, match="dt = 2 ms is too large for the scheme 'euler/5'.* Use dt <= 1 ms"):
        iz.Population(1, scheme="euler", substeps=5, dt=2.0)
