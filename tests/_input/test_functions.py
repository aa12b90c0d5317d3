"""Inputs that are functions of time without pieces, against plain NumPy."""

import copy
import math
import pickle

import numpy as np
import pytest
from going_on import assert_goes_on_after_loading

import izhnumba as iz

CHIRP = iz.Chirp(3.0, 5.0, 60.0, 20.0, 320.0, phase=0.3, offset=9.0)
CHIRPS = [
    CHIRP,
    iz.Chirp(3.0, 60.0, 0.0, 20.0, 320.0),
    iz.Chirp(3.0, 5.0, 60.0, 20.0, 320.0, offset=9.0, method="exponential"),
    iz.Chirp(3.0, 60.0, 5.0, 0.0, 320.0, phase=1.0, method="exponential"),
    iz.Chirp(3.0, 40.0, 40.0, 20.0, 320.0, method="exponential"),
]


def bump(t):
    return 12.0 * np.exp(-((t - 50.0) ** 2) / 200.0)


GAIN = np.arange(6.0)
FUNCTIONS = [iz.Function(bump), iz.Function(lambda t: np.multiply.outer(np.sin(t), GAIN))]


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


@pytest.mark.parametrize("stimulus", [*CHIRPS, *FUNCTIONS], ids=repr)
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

    assert_goes_on_after_loading(network, 200.0, 81.5, tmp_path)


@pytest.mark.parametrize("stimulus", [CHIRP, FUNCTIONS[0]], ids=repr)
def test_the_exact_scheme_refuses_it_by_name(stimulus):
    pop, name = iz.Population(2, scheme="exact"), type(stimulus).__name__
    with pytest.raises(ValueError, match=rf"with the scheme 'exact', .* got 1 \* {name}.*Use a clock scheme"):
        pop.run(1.0, 1.0 * stimulus)
    assert pop.t == 0


# --- Function -------------------------------------------------------------------------------------------------------


def test_a_function_is_called_with_the_times_of_the_steps():
    seen = []
    rows(iz.Function(lambda t: seen.append(t) or 0.0 * t), 3, 4, dt=0.7)
    assert [t.tolist() for t in seen] == [[2.1, 2.8, 3.5, 4.2]]
    np.testing.assert_array_equal(rows(FUNCTIONS[0])[:, 0], bump(np.arange(1500) * 0.25))
    expected = np.sin(np.arange(40) * 0.25)[:, np.newaxis] * GAIN
    np.testing.assert_array_equal(rows(FUNCTIONS[1], 0, 40), expected)


def test_a_function_drives_as_the_class_and_the_table_do():
    def spikes(stimulus, *lengths):
        net = iz.Network(seed=3, dt=0.25)
        cells = net.add(iz.Population(3, **iz.presets["RS"]), name="cells")
        net.drive(cells, 2 * stimulus - 1.0 + iz.Noise(1.0))
        net.drive(cells[1:], iz.Poisson(stimulus, 3.0))
        rec = net.record(cells, "spikes")
        for length in lengths:
            net.run(length)
        return rec.i.tolist(), rec.t.tolist()

    expected = spikes(iz.TimedArray(bump(np.arange(400) * 0.25), 0.25), 100.0)
    assert len(expected[0]) > 4
    assert spikes(iz.Function(bump), 100.0) == expected
    assert spikes(iz.Function(bump), 21.5, 78.5) == expected


def test_a_function_is_asked_for_no_step_that_is_not_sure_to_come():
    """One that looks at what `until` has noted gives the same as a loop around it."""
    level, seen = [3.0], []

    def until(net):
        level[0] += 0.5
        seen.append(cells.V[0])
        return False

    net = iz.Network(dt=0.5)
    cells = net.add(iz.Population(1, V=-65.0))
    net.drive(cells, iz.Function(lambda t: np.full(len(t), level[0])))
    net.run(10.0, until=until, every=0.5)
    alone, expected = iz.Population(1, V=-65.0, dt=0.5), []
    for step in range(20):
        alone.step(3.0 + 0.5 * step)
        expected.append(alone.V[0])
    assert seen == expected


def test_functions_are_copied_and_pickled_if_they_have_a_name():
    np.testing.assert_array_equal(rows(pickle.loads(pickle.dumps(FUNCTIONS[0]))), rows(FUNCTIONS[0]))
    np.testing.assert_array_equal(rows(copy.deepcopy(FUNCTIONS[1])), rows(FUNCTIONS[1]))
    with pytest.raises(
        pickle.PicklingError, match=r"Function.f must be a function that pickle can name, got .*<lambda>"
    ):
        pickle.dumps(1.0 + FUNCTIONS[1])


def test_a_network_with_a_function_is_not_saved(tmp_path):
    net = iz.Network(seed=3, dt=0.25)
    net.drive(net.add(iz.Population(6)), 1.0 + FUNCTIONS[1], name="wave")
    with pytest.raises(
        TypeError, match=r"Network.save cannot store a Function at network/.*: it holds <function <lambda>"
    ):
        net.save(tmp_path / "net.npz")
    assert not list(tmp_path.iterdir())
    net.run(1.0)


def test_errors_of_a_function_leave_the_population_as_it_was():
    pop = iz.Population(6, dt=0.25)
    for f, message in (
        (lambda t: 3.0, r"Function.at must give a value for each time t, shape \(\d+,\)"),
        (lambda t: np.ones((len(t), 5)), r"Function.at\(t\)\[0\] must have shape"),
        (
            lambda t: np.where(t < 0, t, np.nan),
            "Function.at must give finite values, got nan for all neurons in step 0",
        ),
        (lambda t: math.sin(t), "Function.at must compute with arrays"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            pop.run(2.0, iz.Function(f))
        assert pop.t == 0
        assert (pop.V == iz.Population(6, dt=0.25).V).all()


WRONG = [
    (TypeError, r"Function.f must be a function of \(t\), got 3", lambda: iz.Function(3)),
    (TypeError, r"Function.f must be a function of \(t\), got one of \(\)", lambda: iz.Function(lambda: 3)),
    (TypeError, r"Function.f must be a function of \(t\), got .*Write Saw", lambda: iz.Function(type("Saw", (), {}))),
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


def test_a_function_of_one_time_is_called_step_by_step():
    """With floats, in plain Python; the same values as those of the vectorised one."""
    seen = []

    def plain(t):
        seen.append(t)
        return 12.0 * math.exp(-((t - 50.0) ** 2) / 200.0) if t > 2.0 else 0.0

    found = rows(iz.Function(plain, vectorized=False), 3, 40)
    assert seen == [k * 0.25 for k in range(3, 43)]
    assert all(type(t) is float for t in seen)
    expected = np.where(np.array(seen) > 2.0, bump(np.array(seen)), 0.0)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-14)
    each = iz.Function(lambda t: [math.sin(t)] * 6, vectorized=False)
    np.testing.assert_allclose(rows(each, 0, 9), np.sin(np.arange(9) * 0.25)[:, None] + np.zeros(6), rtol=1e-14)
    assert repr(iz.Function(math.sin, vectorized=False)) == "Function(sin, vectorized=False)"
    assert pickle.loads(pickle.dumps(iz.Function(bump, vectorized=False))).vectorized is False
    with pytest.raises(
        TypeError, match=r"Function.at must compute with arrays.*or write Function\(f, vectorized=False\)"
    ):
        rows(iz.Function(plain))
    with pytest.raises(TypeError, match="Function.f.. must be a number or an array of numbers, got None"):
        rows(iz.Function(lambda t: None, vectorized=False))
    with pytest.raises(TypeError, match="^Function.f.. must be a number or an array of numbers, got 'a'. Turn text"):
        rows(iz.Function(lambda t: "a", vectorized=False))
    cure = r"got shape \(\). t is an array: .* np.where, not if; or write Function\(f, vectorized=False\)\.$"
    with pytest.raises(ValueError, match=cure):
        iz.Population(3).run(0.1, iz.Function(lambda t: 1.0 if t > 2.0 else 0.0))
    with pytest.raises(TypeError, match="Function.vectorized must be True or False, got 5"):
        iz.Function(bump, 5)
