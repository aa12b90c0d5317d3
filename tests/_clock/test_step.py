"""Population.step: the forms in which input may come, and what they mean."""

from __future__ import annotations

import numpy as np
import pytest
from cells import assert_same, population

import izhnumba as iz


def stepped(inputs, n=64, **options):
    pop = population(n, {}, V=-45.0, **options)
    for k in range(60):
        pop.step(*inputs[:1], **dict(inputs[1:]))
        assert pop.n_steps == k + 1
    return pop


def test_forms_of_the_current():
    n, twin = 64, stepped([10.0])
    read_only = np.full(n, 10.0)
    read_only.flags.writeable = False
    forms = [10, np.float64(10), np.float32(10), np.array(10.0), [10] * n, (10.0,) * n, np.full(n, 10.0), read_only]
    forms += [np.full(n, 10), np.full(n, 10, np.float32), np.full(2 * n, 10.0)[::2], np.full(n, 10.0)[::-1]]
    forms += [np.full(n, 10.0).astype(">f8"), np.full(1, 10.0), np.broadcast_to(10.0, n), iz.Constant(10.0)]
    for form in forms:
        assert_same(stepped([form]), twin)
    assert np.isfinite(twin.last_spike_time).all()
    assert_same(stepped([]), stepped([0.0]))


def test_a_step_reads_each_neurons_own_current():
    I = np.linspace(-5.0, 15.0, 130)
    for values in (I, I[::-1].copy()[::-1]):
        pop = population(130, {})
        for _k in range(40):
            pop.step(values)
        alone = population(1, {})
        for _k in range(40):
            alone.step(I[77])
        assert pop.V[77] == alone.V[0]
    assert np.unique(pop.V).size == 130


def test_input_of_populations_in_several_dimensions():
    I = np.arange(24.0).reshape(2, 3, 4)
    for value in (7.0, np.full((3, 4), 7.0), I, I[0], I[:, :1, :1], I[0, 0], I[0, :, :1], np.asfortranarray(I)):
        pop, flat = iz.Population((3, 4), batch=2), iz.Population(24)
        for p, values in ((pop, value), (flat, np.broadcast_to(value, (2, 3, 4)).ravel())):
            p.step(values)
            p.run(1.0, values)
        assert pop.V.ravel().tobytes() == flat.V.tobytes()


def test_jumps_and_conductances():
    """Forms that mean the same, and the order in which receptors are summed."""
    n = 4
    g = [np.full(n, 0.1), np.array([0.0, 0.05, 0.1, 0.3])]
    E = [0.0, np.full(n, -80.0)]
    total, weighted = g[0] + g[1], g[0] * 0.0 + g[1] * -80.0

    def after(**inputs):  # always with a jump and a conductance, so that one kernel does
        return stepped([3.0, *{"delta": 0.0, "g": 0.0, "E": 0.0, **inputs}.items()], n)

    twin = after(g=g, E=E)
    assert_same(after(g=tuple(g), E=tuple(E)), twin)
    np.testing.assert_allclose(after(g=total, E=weighted / total).V, twin.V, rtol=1e-12)
    assert np.unique(twin.V).size == n
    assert_same(after(g=0.1, E=-80), after(g=[[0.1] * n], E=[-80.0]))
    assert_same(after(delta=0.5), after(delta=[0.5] * n))
    assert 0.2 + 0.3 + 0.1 not in (0.1 + 0.2 + 0.3, 0.1 + 0.3 + 0.2)
    assert_same(after(g=[0.2, 0.3, 0.1], E=[0.0] * 3), after(g=0.2 + 0.3 + 0.1, E=0.0))
    none, twin = iz.Population(n), iz.Population(n)
    none.step(5.0, g=[], E=())
    twin.step(5.0)
    assert_same(none, twin)
    # One step by hand: the conductance enters the current and its derivative, the jump is added afterwards.
    pop = iz.Population(1, V=-60.0, u=-12.0)
    pop.step(3.0, delta=0.5, g=0.1, E=-80.0)
    f, J = 0.04 * 3600 - 300 + 140 + 12 + 3 + 0.1 * -20, 0.08 * -60 + 5 - 0.1
    assert pop.V[0] == pytest.approx(-60 + np.expm1(0.1 * J) / J * f + 0.5, rel=1e-14)


@pytest.mark.parametrize("shape", [4, (2, 2)])
def test_float32_populations_take_numbers_of_every_kind(shape):
    """They are rounded once; what float32 cannot hold is refused in words, without a warning, and changes nothing."""
    pop, twin = (iz.Population(shape, dtype="float32", V=-60.0) for _ in range(2))
    values = np.array([10.1, 1e-42, -3.3, 2.0**25 + 1]).reshape(pop.shape)
    for form in (values, values[::-1].copy()[::-1], values.astype(np.float32), values.tolist(), values.astype(">f8")):
        pop.step(form)
        twin.step(values.astype(np.float32))
        assert_same(pop, twin)
        pop.step(form, delta=form, g=values / 100, E=values.tolist())
        rounded = values.astype(np.float32)
        twin.step(rounded, delta=rounded, g=(values / 100).astype(np.float32), E=rounded)
        assert_same(pop, twin)
    pop.step(np.full(shape, 2**24 + 1))
    twin.step(np.full(shape, 2**24, np.float32))
    for wrong, message in (
        (1e39, "must be at most 3.40282e\\+38 in size \\(float32\\), got 1e\\+39 at index"),
        (-1e300, "must be at most 3.40282e\\+38 in size \\(float32\\), got -1e\\+300 at index"),
        (np.nan, "must be finite, got nan at index"), (np.inf, "must be finite, got inf at index"),
    ):  # fmt: skip
        bad = values.copy()
        bad.flat[2] = wrong
        for form in (bad, bad.tolist()):
            with pytest.raises(ValueError, match=f"Population.step.I {message}"):
                pop.step(form)
            with pytest.raises(ValueError, match=f"Population.step.delta {message}"):
                pop.step(values, delta=form)
            with pytest.raises(ValueError, match=f"Population.step.g {message}"):
                pop.step(values, g=form, E=0.0)
    wrongs = [True] * 4, ["1"] * 4, [1.0, None, 2.0, 3.0], [10**400] * 4, np.full(shape, True), values.ravel()[:3]
    for wrong in wrongs:
        with pytest.raises((TypeError, ValueError), match="^Population.step.I must"):
            pop.step(wrong)
    assert_same(pop, twin)


def test_current_of_a_step_is_not_kept():
    pop, twin = iz.Population(2), iz.Population(2)
    I = np.full(2, 10.0)
    pop.step(I, delta=1.0, g=0.1, E=0.0)
    I[:] = 100.0
    pop.step()
    twin.step(10.0, delta=1.0, g=0.1, E=0.0)
    twin.step(0.0)
    assert_same(pop, twin)
    pop.step(pop.V)  # the state itself as input: read before it is written
    twin.step(twin.V.copy())
    assert_same(pop, twin)


# --- the exact scheme -----------------------------------------------------------------------------------------------


def exact(n=3, **options):
    return iz.Population(n, scheme="exact", dt=0.5, **(dict(iz.presets["RS"]) | options))


@pytest.mark.parametrize("form", [12, 12.0, np.float64(12), [12.0] * 3, np.full(3, 12.0), np.full(3, 12, np.int32)])
def test_steps_of_the_exact_scheme_are_short_runs(form):
    pop, twin = exact(), exact()
    spikes = [pop.step(form, dt=dt).copy() for dt in (None, 0.125, 7.0, None, 30.0)]
    expected = [np.bincount(twin.run(T, 12.0).spikes.i, minlength=3) > 0 for T in (0.5, 0.125, 7.0, 0.5, 30.0)]
    np.testing.assert_array_equal(spikes, expected)
    assert np.any(spikes)
    assert pop.t == twin.t == 38.125
    assert (pop.V.tobytes(), pop.u.tobytes()) == (twin.V.tobytes(), twin.u.tobytes())


def test_a_long_exact_step_tells_of_all_its_spikes():
    pop = exact(2, V=[-70.0, 20.0])
    assert pop.step(dt=10_000.0).tolist() == [False, True]
    assert pop.last_spike_time[1] < 1.0


def test_jumps_come_at_the_end_of_an_exact_step():
    pop, still = exact(2, V=-70.0), exact(2, V=-70.0)
    assert pop.step(delta=[0.0, 5.0]).tolist() == [False, False]
    still.step()
    assert pop.V - still.V == pytest.approx([0.0, 5.0])
    assert pop.step(delta=[0.0, 200.0], dt=1.0).tolist() == [False, True]
    assert pop.last_spike_time.tolist() == [-np.inf, 1.5]


def test_conductances_of_an_exact_step():
    pop, twin = exact(V=-65.0), exact(V=-65.0)
    pop.step(3.0, g=[0.1, 0.2], E=[0.0, -80.0])
    twin.run(0.5, 3.0, g=[0.1, 0.2], E=[0.0, -80.0])
    assert pop.V.tobytes() == twin.V.tobytes()
    assert pop.V[0] > exact(V=-65.0).V[0]


@pytest.mark.parametrize("dt", [0.0, -1.0, np.nan])
def test_bad_length_of_an_exact_step(dt):
    with pytest.raises(ValueError, match=r"^Population\.step\.dt must be a finite number > 0"):
        exact().step(dt=dt)


def test_only_the_exact_scheme_takes_a_length():
    with pytest.raises(
        ValueError, match=r"^Population\.step\.dt must be left out with the scheme 'exp_euler', got 0.2"
    ):
        population(2, {}).step(dt=0.2)
