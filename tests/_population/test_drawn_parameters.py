"""Parameters and initial states that are drawn: from which numbers, when anew, and what is refused."""

from __future__ import annotations

import copy
import hashlib
import itertools
import re

import numpy as np
import pytest
from cells import assert_same, state

import izhnumba as iz
from izhnumba.analysis import rheobase

DRAWN = dict(  # those that vary in `cells.different`, which share its kernel
    a=iz.Uniform(0.02, 0.1),
    b=iz.Normal(0.23, 0.02, low=0.2, high=0.26),
    c=iz.Uniform(-65.0, -50.0),
    d=iz.LogNormal(1.0, 0.5),
    V_th=lambda rng, shape: 30.0 + rng.random(shape),
    tau_ref=iz.Normal(1.0, 0.5, low=0.0),
    V=iz.Uniform(-75.0, -60.0),
    u=lambda rng, shape: rng.uniform(-15.0, -10.0, shape),
)
PARAMETERS = [name for name in DRAWN if name not in "Vu"]


def generator(seed, name, role):
    """The random numbers of one purpose, as docs/concepts/randomness.md states them."""
    stream = hashlib.sha256(f"{seed}/{name}/{role}/0".encode()).digest()[:4]
    key = np.array([seed % 2**32, int.from_bytes(stream, "little")], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def expected(seed, name, shape):
    """DRAWN by NumPy alone."""
    rng = {one: generator(seed, name, one if one in "Vu" else f"parameter {one}") for one in DRAWN}
    b = rng["b"].normal(0.23, 0.02, np.prod(shape))
    while np.any(wrong := np.flatnonzero((b < 0.2) | (b > 0.26))):
        b[wrong] = rng["b"].normal(0.23, 0.02, wrong.size)
    tau = rng["tau_ref"].normal(1.0, 0.5, np.prod(shape))
    while np.any(wrong := np.flatnonzero(tau < 0.0)):
        tau[wrong] = rng["tau_ref"].normal(1.0, 0.5, wrong.size)
    return dict(
        a=rng["a"].uniform(0.02, 0.1, shape), b=b.reshape(shape), c=rng["c"].uniform(-65.0, -50.0, shape),
        d=np.exp(1.0 + 0.5 * rng["d"].standard_normal(shape)), V_th=30.0 + rng["V_th"].random(shape),
        tau_ref=tau.reshape(shape), V=rng["V"].uniform(-75.0, -60.0, shape), u=rng["u"].uniform(-15.0, -10.0, shape),
    )  # fmt: skip


@pytest.mark.parametrize(("size", "batch"), [(40, None), ((4, 5), None), ((4, 5), 3)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_of_each_parameter_by_numpy_alone(size, batch, dtype):
    pop = iz.Population(size, seed=2**40 + 5, name="µ cells", batch=batch, dtype=dtype, **DRAWN)
    for name, values in expected(2**40 + 5, "µ cells", pop.shape).items():
        found = getattr(pop, name)
        assert (found.shape, found.dtype) == (pop.shape, np.dtype(dtype))
        np.testing.assert_allclose(found, values.astype(dtype), rtol=1e-15 if dtype == "float64" else 0, err_msg=name)


def test_it_runs_as_one_that_was_given_these_numbers():
    pop = iz.Population(30, seed=1, **DRAWN)
    given = iz.Population(30, seed=1, **{name: getattr(pop, name).copy() for name in DRAWN})
    assert_same(pop, given)
    for one in (pop, given):
        one.run(50.0, 10.0)
    assert len(pop.result.spikes) > 20
    assert_same(pop, given)
    pop.reset()
    given.reset()
    assert_same(pop, given)  # nothing is drawn again


def test_neither_the_order_of_arguments_nor_other_parameters_make_a_difference():
    whole = iz.Population(5, seed=1, **DRAWN)
    for names in itertools.islice(itertools.permutations(DRAWN), 0, 40320, 5000):
        assert_same(iz.Population(5, seed=1, **{name: DRAWN[name] for name in names}), whole)
    for name in PARAMETERS:
        np.testing.assert_array_equal(
            getattr(iz.Population(5, seed=1, **{name: DRAWN[name]}), name), getattr(whole, name)
        )
    others = [iz.Population(5, seed=2, **DRAWN), iz.Population(5, seed=1, name="other", **DRAWN)]
    for one, name in itertools.product(others, DRAWN):
        assert not np.any(getattr(one, name) == getattr(whole, name))
    same = iz.Population(1000, seed=1, a=iz.Uniform(0.0, 1.0), b=iz.Uniform(0.0, 1.0))
    assert abs(np.corrcoef(same.a, same.b)[0, 1]) < 0.1


def test_presets_take_distributions():
    pop = iz.Population(50, seed=1, **iz.presets["2007/RS"] | {"C": iz.Normal(100.0, 5.0, low=50.0)})
    assert (pop.model, pop.k, np.unique(pop.C).size) == (iz.Izhikevich2007, 0.7, 50)
    assert abs(pop.C.mean() - 100.0) < 3.0


def test_the_start_of_u_knows_what_was_drawn():
    pop = iz.Population(9, b=DRAWN["b"], V=DRAWN["V"], u="nullcline")
    np.testing.assert_allclose(pop.u, pop.b * pop.V, rtol=1e-14)
    net = iz.Network(seed=7)
    net.add(pop)
    np.testing.assert_allclose(pop.u, pop.b * pop.V, rtol=1e-14)


# --- in a network ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [{}, {"seed": 3}])
def test_a_network_draws_by_its_own_seed_and_name(own):
    net = iz.Network(seed=3, dt=0.5)
    pop = net.add(iz.Population((2, 10), **own, **DRAWN), name="exc")
    for name, values in expected(3, "exc", (2, 10)).items():
        np.testing.assert_allclose(getattr(pop, name), values, rtol=1e-15, err_msg=name)
    other = net.add(iz.Population((2, 10), **DRAWN), name="inh")
    assert not any(np.any(getattr(pop, name) == getattr(other, name)) for name in DRAWN)
    again = iz.Network(seed=3, dt=0.5)
    again.add(iz.Population((2, 10), **DRAWN), name="inh")
    assert state(again.populations["inh"]) == state(other)  # whatever else there is


def test_the_engine_of_a_network_uses_what_it_shows():
    net = iz.Network(seed=3)
    pop = net.add(iz.Population(30, **DRAWN), name="exc")
    alone = iz.Population(30, seed=3, name="exc", **{name: getattr(pop, name).copy() for name in DRAWN})
    net.drive(pop, 10.0)
    net.run(50.0)
    alone.run(50.0, 10.0)
    assert_same(pop, alone)
    assert len(alone.result.spikes) > 20


def test_in_the_exact_scheme_too():
    drawn = {name: DRAWN[name] for name in "abcdVu"}
    net = iz.Network(seed=3, scheme="exact")
    pop = net.add(iz.Population(20, **drawn), name="exc")
    alone = iz.Population(20, seed=3, name="exc", scheme="exact", **drawn)
    net.drive(pop, 10.0)
    net.run(50.0)
    alone.run(50.0, 10.0)
    np.testing.assert_array_equal(pop.V, alone.V)
    np.testing.assert_array_equal(pop.a, alone.a)
    assert len(alone.result.spikes) > 10


def test_what_was_set_before_it_joins_stays():
    net, given = iz.Network(seed=3), np.linspace(0.02, 0.03, 5)
    pop = iz.Population(5, seed=3, **DRAWN)
    pop.a, pop.b = given, 0.2
    pop.d = iz.Uniform(2.0, 8.0)
    net.add(pop, "cells")
    assert pop.a.tolist() == given.tolist()
    assert pop.b == 0.2
    np.testing.assert_array_equal(pop.d, generator(3, "cells", "parameter d").uniform(2.0, 8.0, 5))


def test_checkpoints_and_copies_hold_the_numbers(tmp_path):
    net = iz.Network(seed=3)
    pop = net.add(iz.Population(5, **DRAWN), name="cells")
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz").populations["cells"]
    assert_same(again, pop)
    alone = iz.Population(5, seed=3, **DRAWN)
    alone.V[...] = 0.0
    twin = copy.copy(alone)
    assert_same(twin, alone)
    alone.reset()
    twin.reset()
    assert_same(twin, alone)


# --- set later ------------------------------------------------------------------------------------------------------


def test_attributes_are_set_to_what_is_drawn():
    pop = iz.Population((2, 3), seed=4)
    pop.a, pop.tau_ref = DRAWN["a"], DRAWN["tau_ref"]
    pop.V, pop.u = DRAWN["V"], DRAWN["u"]
    for name, values in expected(4, "population", (2, 3)).items():
        if name in ("a", "tau_ref", "V", "u"):
            np.testing.assert_allclose(getattr(pop, name), values, rtol=1e-15, err_msg=name)
    first = pop.a.copy()
    pop.a = 0.02
    pop.a = DRAWN["a"]
    np.testing.assert_array_equal(pop.a, first)  # the same numbers each time
    net = iz.Network(seed=4)
    cells = net.add(iz.Population(3), name="cells")
    cells.c = DRAWN["c"]
    np.testing.assert_array_equal(cells.c, expected(4, "cells", 3)["c"])


def test_chosen_neurons_get_what_they_would_get_in_the_whole():
    whole, pop = (iz.Population((2, 3), seed=4) for _ in range(2))
    whole.V, whole.u = DRAWN["V"], lambda rng, shape: rng.normal(size=shape)
    pop[::2].V, pop[[5, 1]].V = DRAWN["V"], DRAWN["V"]
    pop[[5, 1]].u = lambda rng, shape: rng.normal(size=shape)
    pop[[0]].u = lambda rng, shape: 3.0
    for name, set_ in (("V", [0, 1, 2, 4, 5]), ("u", [1, 5])):
        found, wanted = getattr(pop, name).ravel(), getattr(whole, name).ravel()
        np.testing.assert_array_equal(found[set_], wanted[set_])
        assert (found[3], pop.u[0, 0]) == (-65.0 if name == "V" else 0.0, 3.0)
    before = state(pop)
    with pytest.raises(ValueError, match="^Population.V must be finite, got inf"):
        pop[:2].V = iz.LogNormal(1e4, 1.0)
    assert state(pop) == before


# --- refused --------------------------------------------------------------------------------------------------------

WRONG = {
    "tau_ref": (iz.Normal(0.0, 1.0), ValueError, r"tau_ref must be >= 0 ms, got -[\d.]+ at index \d+. It was drawn "
                r"from Normal\(mean=0.0, std=1.0, low=-inf, high=inf\): use one with other bounds."),
    "a": (iz.LogNormal(1e4, 1.0), ValueError, r"a must be finite, got inf at index 0. It was drawn from LogNormal\("),
    "b": (iz.Uniform, TypeError, r"b must be a function of \(rng, shape\), got <class .*\. Write Uniform\(\.\.\.\)"),
    "c": (lambda rng: -65.0, TypeError, r"c must be a function of \(rng, shape\), got one of \(rng\)"),
    "d": (lambda rng, shape: np.ones(7), ValueError, r"d must have shape \(\) or \(20,\), got \(7,\)"),
    "V_th": (lambda rng, shape: "high", TypeError, "V_th must be a number or an array of numbers in mV, got 'high'"),
    "V": (iz.LogNormal(1e4, 1.0), ValueError, "V must be finite, got inf"),
    "u": (lambda rng, shape: np.full(shape, np.nan), ValueError, "u must be finite, got nan at index 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_names_the_argument(name):
    value, error, message = WRONG[name]
    with pytest.raises(error, match=f"^Population.{message}"):
        iz.Population(20, seed=1, **{name: value})
    pop = iz.Population(20, seed=1, **DRAWN)
    before = state(pop)
    with pytest.raises(error, match=f"^Population.{message}"):
        setattr(pop, name, value)
    assert state(pop) == before


@pytest.mark.parametrize("scheme", ["exp_euler", "euler", "exact"])
@pytest.mark.parametrize("name", ["tau_ref", "V", "u"])
def test_a_population_that_cannot_join_stays_what_it_is(scheme, name):
    """What a network's seed draws is looked at before anything changes."""
    good = generator(5, "population", name if name in "Vu" else f"parameter {name}").random()
    wrong = -1.0 if name == "tau_ref" else np.nan
    pop = iz.Population(20, seed=5, **{name: lambda rng, shape: 1.0 if rng.random() == good else wrong})
    before, net = state(pop), iz.Network(scheme=scheme, seed=5, dt=0.5)
    with pytest.raises(ValueError, match=re.escape(f"Population.{name} must be ")):
        net.add(pop, "cells")
    assert (state(pop), pop.network, pop.name, pop.dt, dict(net.populations)) == (before, None, "population", 0.1, {})
    pop.run(1.0)
    net.add(iz.Population(20), "cells")


def test_the_floor_of_the_exact_scheme_is_refused_when_drawn():
    with pytest.raises(ValueError, match="Population.V_min must be -inf with the scheme 'exact'"):
        iz.Population(3, scheme="exact", V_min=iz.Uniform(-90.0, -80.0))
    assert np.unique(iz.Population(3, V_min=iz.Uniform(-90.0, -80.0), seed=1).V_min).size == 3


def test_who_draws_nothing_takes_numbers():
    with pytest.raises(TypeError, match=r"got Normal\(.*\)\. Pass numbers that you have drawn: populations draw, and"):
        rheobase(iz.presets["RS"] | {"d": iz.Normal(8.0, 1.0)})
