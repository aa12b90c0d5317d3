"""Population: what it shows, what can be set, and the forms of input of a step."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import warnings

import numpy as np
import pytest
from cells import assert_same, assert_same_result, different, population, state

import izhnumba as iz

# --- what it shows --------------------------------------------------------------------------------------------------


def test_a_new_population():
    pop = iz.Population(3)
    assert (pop.size, pop.shape, pop.n, pop.batch, pop.dt, pop.n_steps, pop.t) == ((3,), (3,), 3, None, 0.1, 0, 0.0)
    assert (pop.model, pop.scheme, pop.dtype) == (iz.Izhikevich, iz.schemes["exp_euler"], np.dtype("float64"))
    np.testing.assert_array_equal(pop.V, [-65.0] * 3)
    np.testing.assert_array_equal(pop.u, [0.0] * 3)
    np.testing.assert_array_equal(pop.last_spike_time, [-np.inf] * 3)
    assert not pop.spikes.any()
    assert not pop.refractory.any()
    assert pop.result is None
    assert repr(pop) == f"Population(3, model=Izhikevich, scheme='exp_euler', dt=0.1, dtype='float64', seed={pop.seed})"
    assert repr(iz.Population((2, 3), batch=4, seed=5, dtype="float32", dt=0.05, scheme="euler")) == (
        "Population((2, 3), model=Izhikevich, scheme='euler', dt=0.05, dtype='float32', batch=4, seed=5)"
    )


def test_every_argument_of_the_signature_is_a_known_name():
    names = set(inspect.signature(iz.Population).parameters) - {"parameters"}
    with pytest.raises(TypeError, match="Known: ") as caught:
        iz.Population(1, wrong=1)
    known = str(caught.value).split("Known: ")[1].rstrip(".").split(", ")
    assert set(known) == names | set(iz.Izhikevich.parameters) | {"V_min", "tau_ref"}


def test_state_is_live():
    pop, twin = iz.Population(3), iz.Population(3, V=[-65.0, -50.0, 29.0], u=[0.0, 1.0, -3.0])
    V, u = pop.V, pop.u
    pop.V[1:] = -50.0, 29.0
    pop.u[...] = [0.0, 1.0, -3.0]
    for p in (pop, twin):
        p.step(5.0)
        p.run(5.0, 5.0)
    assert_same(pop, twin)
    pop.reset()
    assert V is pop.V
    assert u is pop.u
    np.testing.assert_array_equal(V, [-65.0] * 3)  # reset knows the start, not what was written later


def test_state_by_assignment():
    pop = iz.Population((2, 3), dtype="float32")
    V = pop.V
    for value in (-50.0, np.full((2, 3), -50.0), [[-50] * 3] * 2):
        pop.V = 0.0
        pop.V = value
        assert pop.V is V
        np.testing.assert_array_equal(V, np.full((2, 3), -50.0))
    pop.V += 1.0
    pop.u -= 2.0
    assert V.dtype == pop.u.dtype == "float32"
    np.testing.assert_array_equal([V[0, 0], pop.u[0, 0]], [-49.0, -2.0])


def test_spikes_are_reused():
    pop = iz.Population(2, V=[29.0, -65.0])
    first = pop.step(50.0)
    assert first is pop.spikes
    assert first.dtype == bool
    assert first.tolist() == [True, False]
    assert pop.step(0.0) is first
    assert first.tolist() == [False, False]
    pop.V[1] = 29.0
    pop.run(0.1, 50.0)
    assert first.tolist() == [False, True]
    pop.reset()
    assert first.tolist() == [False, False]


def test_time_is_an_integer_times_dt():
    pop = iz.Population(2, V=[29.0, -65.0])
    times = []
    for _k in range(1000):
        pop.step(5.0)
        times.append(pop.t)
    assert times == [(k + 1) * 0.1 for k in range(1000)]
    assert (pop.n_steps, type(pop.n_steps)) == (1000, int)
    pop.run(0.7)
    assert (pop.n_steps, pop.t) == (1007, 1007 * 0.1)


def test_last_spike_time_is_the_end_of_the_step():
    pop = population(4)
    last = np.full(4, -np.inf)
    for k in range(600):
        last[pop.step(10.0)] = (k + 1) * 0.1
        np.testing.assert_array_equal(pop.last_spike_time, last)
    assert np.isfinite(last).all()
    twin = population(4)
    twin.run(60.0, 10.0)
    np.testing.assert_array_equal(twin.last_spike_time, last)


# --- start ----------------------------------------------------------------------------------------------------------


def test_start_values():
    for value in (-60.0, -60, np.float32(-60), [-60.0, -60.0], np.array([-60, -60])):
        np.testing.assert_array_equal(iz.Population(2, V=value, u=value).V, [-60.0, -60.0])
    pop = iz.Population((2, 3), batch=4, V=np.arange(6.0).reshape(2, 3), u=np.arange(24.0).reshape(4, 2, 3))
    np.testing.assert_array_equal(pop.V, np.broadcast_to(np.arange(6.0).reshape(2, 3), (4, 2, 3)))
    np.testing.assert_array_equal(pop.u, np.arange(24.0).reshape(4, 2, 3))


def test_start_values_drawn():
    seen = []

    def draw(rng, shape):
        seen.append(shape)
        return rng.uniform(-70.0, -60.0, shape)

    pop = iz.Population((2, 3), batch=4, seed=7, V=draw, u=lambda rng, shape: rng.normal(size=shape))
    assert seen == [(4, 2, 3)]
    assert np.unique(pop.V).size == np.unique(pop.u).size == 24
    V = pop.V.copy()
    pop.V[...] = 0.0
    pop.reset()
    np.testing.assert_array_equal(pop.V, V)  # stored, not drawn again
    assert len(seen) == 1
    np.testing.assert_array_equal(iz.Population((2, 3), batch=4, seed=7, V=draw).V, V)
    for other in (dict(seed=8), dict(seed=7, name="other")):
        assert np.unique(iz.Population((2, 3), batch=4, V=draw, **other).V == V).tolist() == [False]
    np.testing.assert_array_equal(iz.Population(2, V=lambda rng, shape: -60).V, [-60.0, -60.0])


def test_u_on_its_nullcline():
    b, V = np.array([0.2, 0.25]), np.array([-70.0, -60.0])
    np.testing.assert_allclose(iz.Population(2, b=b, V=V, u="nullcline").u, b * V, rtol=1e-15)
    assert iz.Population(2, b=0.2, u="nullcline", dtype="float32").u.tolist() == [np.float32(-13.0)] * 2
    book = iz.Population(2, model=iz.Izhikevich2007, V=[-60.0, -50.0], u="nullcline")
    np.testing.assert_allclose(book.u, [0.0, -20.0], atol=1e-12)
    with pytest.raises(
        ValueError, match=r"^Population\.u must be a number for a model in which u does not leak, got 'nu"
    ):
        iz.Population(2, model=iz.IzhikevichAccommodation, u="nullcline")


def test_presets_can_be_splatted():
    for name in iz.presets:
        preset = iz.presets[name]
        pop = iz.Population((2, 2), **preset)
        assert (pop.model, pop.V[0, 0]) == (preset["model"], preset["V"])


def test_seed_is_drawn_and_kept():
    first, second = iz.Population(3), iz.Population(3)
    assert first.seed != second.seed
    assert 0 <= first.seed < 2**32
    again = iz.Population(3, seed=first.seed)
    for pop in (first, second, again):
        pop.run(5.0, iz.Noise(5.0))
    np.testing.assert_array_equal(first.V, again.V)
    assert not np.any(first.V == second.V)
    assert iz.Population(1, seed=2**70).seed == 2**70
    named = iz.Population(3, seed=first.seed, name="other")
    named.run(5.0, iz.Noise(5.0))
    assert not np.any(first.V == named.V)


def test_reset_goes_back_to_the_start():
    pop = population(5)
    before = state(pop)
    first = pop.run(40.0, iz.Noise(10.0) + iz.OrnsteinUhlenbeck(8.0, 2.0, 5.0), record=["V", "u"])
    pop.reset()
    assert state(pop) == before
    again = pop.run(40.0, iz.Noise(10.0) + iz.OrnsteinUhlenbeck(8.0, 2.0, 5.0), record=["V", "u"])
    assert first.V.tobytes() == again.V.tobytes()
    assert first.spikes.step.tolist() == again.spikes.step.tolist()
    assert len(first.spikes) > 5
    pop.a = 0.1
    pop.reset()
    assert pop.a == 0.1


# --- parameters -----------------------------------------------------------------------------------------------------


def test_parameters_can_be_read():
    pop = iz.Population(
        (2, 3), batch=2, dtype="float32", b=np.full((2, 3), 0.25), c=np.full((2, 2, 3), -60.0), tau_ref=2
    )
    assert (pop.a.shape, pop.b.shape, pop.c.shape, pop.V_min.shape) == ((), (2, 3), (2, 2, 3), ())
    assert (pop.a, pop.tau_ref, pop.V_min) == (np.float32(0.02), 2.0, -np.inf)
    for name in (*pop.model.parameters, "tau_ref", "V_min"):
        values = getattr(pop, name)
        assert values.dtype == "float32"
        assert not values.flags.writeable, name


def test_the_callers_arrays_stay_the_callers():
    a, V = np.full(3, 0.02), np.full(3, -60.0)
    pop = iz.Population(3, a=a, V=V)
    a[:], V[:] = 0.1, 0.0
    assert pop.a.tolist() == [0.02] * 3
    assert pop.V.tolist() == [-60.0] * 3
    pop.reset()
    assert pop.V.tolist() == [-60.0] * 3


def test_parameters_can_be_changed_between_calls():
    """As if a new population with the changed parameter had been made of the state reached."""
    cells = different(3) | {"tau_ref": 0.05}  # nobody is held, so that nothing but V and u passes on
    pop = population(3, cells)
    for name, value in [
        ("a", cells["a"] * 2),
        ("c", cells["c"] - 5.0),
        ("V_th", np.full(3, 25.0)),
        ("k0", 139.0),
        ("a", cells["a"]),
    ]:
        pop.run(10.0, 10.0)
        pop.step(10.0)
        setattr(pop, name, value)
        cells |= {name: value, "V": pop.V, "u": pop.u}
        twin = population(3, cells, k0=pop.k0)
        for p in (pop, twin):
            p.step(10.0)
            p.step(np.full(3, 10.0))
            p.run(10.0, 10.0)
        np.testing.assert_array_equal(pop.V, twin.V)
        np.testing.assert_array_equal(pop.u, twin.u)


def test_a_parameter_may_turn_from_a_number_into_an_array_and_back():
    cells = different(3) | {"a": 0.02, "b": 0.2, "c": -60.0, "d": 4.0}
    pop, twin = population(3, cells), population(3, cells)
    for p in (pop, twin):
        p.run(5.0, 10.0)
    for name in "abcd":
        setattr(pop, name, np.full(3, cells[name]))
    for p in (pop, twin):
        p.run(20.0, 10.0)
    for name in "abcd":
        assert getattr(pop, name).shape == (3,)
        setattr(pop, name, cells[name])
    for p in (pop, twin):
        p.run(20.0, 10.0)
    assert_same(pop, twin)


def test_parameters_per_neuron_and_per_entry_of_the_batch():
    cells = different(6)
    flat = population(6, cells)
    square = iz.Population((2, 3), **{name: values.reshape(2, 3) for name, values in cells.items()})
    entries = iz.Population(3, batch=2, **{name: values.reshape(2, 3) for name, values in cells.items()})
    first = {name: values[:3] for name, values in cells.items()}
    shared = iz.Population(3, batch=2, **first)  # of shape size: the same for both entries
    for pop in (flat, square, entries, shared):
        pop.run(50.0, 10.0)
    for pop in (square, entries):
        np.testing.assert_array_equal(pop.V.ravel(), flat.V)
    np.testing.assert_array_equal(shared.V, [flat.V[:3]] * 2)


def test_a_floor_under_V():
    pop = iz.Population(3, V_min=-70.0)
    pop.run(20.0, -20.0)
    assert pop.V.tolist() == [-70.0] * 3
    pop.V_min = -75.0
    pop.run(20.0, -20.0)
    assert pop.V.tolist() == [-75.0] * 3


# --- float32 --------------------------------------------------------------------------------------------------------


def test_float32_stays_float32():
    pop = iz.Population(3, dtype="float32", V=[-65.0, -60.0, 29.0])
    assert pop.V.dtype == pop.u.dtype == pop.V_th.dtype == "float32"
    twin = iz.Population(3, dtype="float32", V=[-65.0, -60.0, 29.0])
    for _k in range(300):
        pop.step(np.full(3, 10.1))
        twin.step(np.full(3, 10.1, np.float32))
    assert_same(pop, twin)
    result = pop.run(5.0, np.full((50, 3), 10.1), record=["V", "u"])
    assert result.V.dtype == result.u.dtype == pop.V.dtype == "float32"
    assert result.t.dtype == "float64"
    double = iz.Population(3, V=[-65.0, -60.0, 29.0])
    double.run(35.0, 10.1)
    np.testing.assert_allclose(pop.V, double.V, rtol=1e-2)
    assert not np.array_equal(pop.V, double.V)


# --- warnings -------------------------------------------------------------------------------------------------------


def warned(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert {w.filename for w in caught} <= {__file__}
    return [str(w.message) for w in caught]


def test_too_large_a_step_warns_once_with_the_one_to_use():
    def simulate(**options):
        pop = iz.Population(2, **options)
        pop.run(3.0)
        pop.step()

    text = "Population.dt = 1 ms is too large for the scheme 'exp_euler': spikes are lost and V overshoots. "
    assert warned(lambda: simulate(dt=1.0)) == [text + "Use dt <= 0.5 ms."]
    assert warned(lambda: simulate(dt=0.5)) == []
    assert warned(lambda: simulate(dt=1.0, scheme="izhikevich2003")) == []


def test_a_leap_over_the_threshold_warns_once():
    def simulate(advance, **options):
        pop = iz.Population(2, scheme="euler", **{"dt": 0.5, **options})
        for _k in range(20):
            advance(pop)

    text = "Population.V fell below -175 mV: from there a step of 'euler' leaps over the threshold. "
    for advance in (lambda pop: pop.step(np.full(2, -500.0)), lambda pop: pop.run(0.5, -500.0)):
        cure = "Use a smaller dt than 0.5 ms, a V_min or the scheme 'exp_euler'."
        assert warned(lambda: simulate(advance)) == [text + cure]  # noqa: B023
        assert warned(lambda: simulate(advance, dt=0.1, V=-80.0)) == []  # noqa: B023


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda pop: pickle.loads(pickle.dumps(pop))])
def test_copies_go_on_alike_and_apart(twin):
    noise = iz.Noise(4.0) + iz.OrnsteinUhlenbeck(8.0, 2.0, 5.0)
    cells = {name: values.reshape(3, 4) for name, values in different(12).items()}
    pop = iz.Population(
        (3, 4), model=iz.IzhikevichRef, batch=2, **cells, dtype="float32", seed=3, threads=1, name="cortex"
    )
    pop.run(53.3, noise)
    pop.d = np.full((3, 4), 6.0)
    other = twin(pop)
    assert_same(other, pop)
    assert repr(other) == repr(pop)
    V = pop.V.copy()
    later = other.run(100.0, noise, record="V")
    assert pop.V.tobytes() == V.tobytes()
    assert len(later.spikes)
    assert_same_result(pop.run(100.0, noise, record="V"), later)
    for p in (pop, other):
        p.reset()
    assert_same(other, pop)
    pop.V_min = -90.0
    assert_same(twin(pop), pop)


def test_results_presets_and_inputs_can_be_pickled():
    result = iz.Population(2, **iz.presets["RS"]).run(100.0, 10.0, record="V")
    for thing in (result, iz.presets["2004/A"], iz.Noise(4.0) + 1.0, iz.Izhikevich2007):
        assert repr(pickle.loads(pickle.dumps(thing))) == repr(thing)
    assert pickle.loads(pickle.dumps(iz.Izhikevich)) is iz.Izhikevich


def by_name(V, u, I, p):
    return p.k2 * V * V + p.k1 * V + p._asdict()["k0"] - u + I


def by_list(u, p):
    return [p.c][0]


@pytest.mark.parametrize(
    ("name", "equation", "reason", "advance"),
    [
        ("dV", by_name, "Unknown attribute '_asdict'", lambda pop: pop.step(1.0)),
        ("V_reset", by_list, "it makes a list or an array", lambda pop: pop.run(1.0, 1.0)),
    ],
)
def test_an_equation_that_does_not_compile_is_named(name, equation, reason, advance):
    model = dataclasses.replace(iz.Izhikevich, name="mine", **{name: equation})
    must = f"^Model.{name} must be an equation that Numba can compile, got {equation.__name__}: {reason}"
    pop = iz.Population(2, model=model)
    with pytest.raises(TypeError, match=must + r".*arithmetic.*k2, k1, k0\.$"):
        advance(pop)
    assert pop.t == 0


def test_more_threads_than_blocks():
    pop, twin = (iz.Population(30_000, threads=threads) for threads in (10**9, 1))
    for p in (pop, twin):
        p.run(2.0, 10.0)
    assert_same(pop, twin)
