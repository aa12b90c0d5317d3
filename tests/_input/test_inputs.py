"""Inputs: values against closed forms, edges in whole steps, chunks, sums, random streams, units and messages."""

import dataclasses
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from normals import normals
from scipy import stats

import izhnumba as iz

PER_NEURON = np.linspace(-1.0, 1.0, 6)
DETERMINISTIC = [
    iz.Constant(3.0),
    iz.Constant(PER_NEURON),
    iz.TimedArray([1.0, -2.0, 5.0], dt=0.7),
    iz.TimedArray(np.arange(24.0).reshape(4, 6), dt=0.5, hold=False),
    iz.Sine(2.0, frequency=40.0, phase=0.5, offset=1.0),
    iz.Sine(PER_NEURON, frequency=PER_NEURON + 40.0, phase=PER_NEURON),
    iz.Ramp(0.25, start=0.5, stop=2.0, base=-1.0),
    iz.Pulses([0.5, 0.9], [1.0, 1.5], [3.0, 4.0], base=0.5),
    iz.Pulses([0.5, 0.9], np.outer([1.0, 1.5], PER_NEURON + 2), [[3.0], [4.0]], base=PER_NEURON),
    1.0 - 2 * (iz.Sine(1.0, 10.0) - iz.Constant(PER_NEURON) / 4),
]
RANDOM = [
    iz.Noise(2.0),
    iz.Noise(np.arange(6.0)),
    iz.Noise(2.0, hold=0.3),
    iz.OrnsteinUhlenbeck(1.0, 2.0, tau=0.8),
    iz.OrnsteinUhlenbeck(PER_NEURON, 2.0, tau=0.8),
    iz.Noise(1.0) + 2.0 - 3 * iz.OrnsteinUhlenbeck(0.0, 1.0, tau=3.0) + iz.Noise(PER_NEURON + 1.0),
]
ALL = DETERMINISTIC + RANDOM


def rows(stimulus, step, count, *, shape=(6,), dt=0.1, dtype="float64", key=(11, 22), memory=None, unit="mV/ms"):
    bound = stimulus.bind(shape, dt, dtype, key, {} if memory is None else memory, unit=unit)
    return bound(step, count)


def step_of(time, dt):
    """The time in steps, exactly, both being decimals."""
    return Fraction(str(time)) / Fraction(str(dt))


# --- What holds for all ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stimulus", ALL, ids=repr)
def test_rows_are_new_contiguous_arrays_of_the_dtype(stimulus, dtype):
    bound = stimulus.bind((6,), 0.1, dtype, (1, 2), {})
    for step, count in ((0, 1), (3, 7), (2**34 + 1, 2), (5, 0)):
        values = bound(step, count)
        assert values.dtype == dtype
        assert values.shape in ((count, 1), (count, 6))
        assert values.flags.c_contiguous
        assert values.flags.writeable
        values[:] = np.nan
        assert np.isfinite(bound(step, count)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stimulus", ALL, ids=repr)
@pytest.mark.parametrize("start", [0, 2**33 + 5])
def test_chunks_have_the_bits_of_the_whole(stimulus, dtype, start):
    whole = rows(stimulus, start, 50, dtype=dtype)
    for lengths in ([1] * 50, [7, 1, 0, 30, 12], [49, 1]):
        bound, pieces, step = stimulus.bind((6,), 0.1, dtype, (11, 22), {}), [], start
        for length in lengths:
            pieces.append(bound(step, length))
            step += length
        np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("stimulus", ALL, ids=repr)
def test_split_runs_have_the_bits_of_the_whole(stimulus):
    memory = {}
    pieces = [rows(stimulus, step, 10, memory=memory) for step in range(0, 50, 10)]  # bound anew for each run
    np.testing.assert_array_equal(np.concatenate(pieces), rows(stimulus, 0, 50))


@pytest.mark.parametrize("stimulus", ALL, ids=repr)
def test_float32_sees_the_same_input(stimulus):
    low, high = rows(stimulus, 0, 40, dtype="float32"), rows(stimulus, 0, 40)
    np.testing.assert_allclose(low, high, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dt", [0.1, 0.2, 0.25, 0.01])
@pytest.mark.parametrize("stimulus", DETERMINISTIC, ids=repr)
def test_step_k_takes_the_value_at_k_dt(stimulus, dt):
    values = rows(stimulus, 0, 300, dt=dt)
    expected = stimulus.at(np.arange(300) * dt).reshape(300, -1)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("stimulus", ALL, ids=repr)
def test_inputs_cannot_be_changed(stimulus):
    name = dataclasses.fields(stimulus)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(stimulus, name, 1.0)
    for field in dataclasses.fields(stimulus):
        value = getattr(stimulus, field.name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[...] = 0.0


def test_the_array_given_stays_the_callers_own():
    mine = np.ones(6)
    stimulus = iz.Constant(mine)
    mine[:] = 7.0
    assert (rows(stimulus, 0, 2) == 1.0).all()


@pytest.mark.parametrize("stimulus", ALL, ids=repr)
def test_pickled_inputs_are_the_same(stimulus):
    np.testing.assert_array_equal(rows(pickle.loads(pickle.dumps(stimulus)), 3, 9), rows(stimulus, 3, 9))


def test_repr_is_python_for_short_values_and_short_for_long_ones():
    pulses = iz.Pulses([1.0, 5.0], 9.0, 2.0)
    assert repr(pulses) == "Pulses(start=[1.0, 5.0], stop=9.0, amplitude=2.0, base=0.0, strict=False)"
    copy = eval(repr(pulses + iz.Sine(1, 2)), vars(iz))
    np.testing.assert_array_equal(rows(copy, 0, 99), rows(pulses + iz.Sine(1, 2), 0, 99))
    assert repr(iz.Noise(np.ones((10, 10)))) == "Noise(std=<array of shape (10, 10)>, hold=None)"


# --- Shapes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 4), (3, 1), (2, 3, 4), (2, 1, 1), (2, 1, 4)])
@pytest.mark.parametrize("kind", [iz.Constant, lambda x: iz.TimedArray(x[np.newaxis], 1.0),
                                  lambda x: iz.OrnsteinUhlenbeck(x, 0.0, 1.0)])  # fmt: skip
def test_values_broadcast_to_the_population(shape, kind):
    value = np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape)
    expected = np.broadcast_to(value, (2, 3, 4)).reshape(1, 24)
    got = rows(kind(value), 0, 3, shape=(2, 3, 4))
    np.testing.assert_array_equal(np.broadcast_to(got, (3, 24)), np.repeat(expected, 3, axis=0))


def test_random_numbers_are_not_shared_by_a_batch():
    values = rows(iz.Noise(np.ones(3)), 0, 50, shape=(2, 3)).reshape(50, 2, 3)
    assert not (values[:, 0] == values[:, 1]).any()


@pytest.mark.parametrize(
    ("stimulus", "message"),
    [
        (iz.Constant(np.ones(5)), r"Constant.value must have shape \(\), \(2, 6\) or \(6,\), got \(5,\)"),
        (iz.Noise(np.ones((2, 5))), r"Noise.std must have shape .*, got \(2, 5\)"),
        (iz.OrnsteinUhlenbeck(np.ones((1, 2, 6)), 1, 1), r"OrnsteinUhlenbeck.mean must have shape .*, got \(1, 2, 6\)"),
        (iz.OrnsteinUhlenbeck(0, np.ones(2), 1), r"OrnsteinUhlenbeck.std must have shape .*, got \(2,\)"),
        (iz.TimedArray(np.ones((9, 5)), 0.1), r"TimedArray.values\[0\] must have shape .*, got \(5,\)"),
        (iz.Sine(1, 1) + iz.Constant(np.ones(5)), r"Constant.value must have shape .*, got \(5,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_before_the_run(stimulus, message):
    with pytest.raises(ValueError, match=message):
        stimulus.bind((2, 6), 0.1, "float64", (1, 2), {})


def test_at_has_the_shape_of_the_times_then_of_a_value():
    times = np.zeros((2, 5))
    assert iz.Sine(1.0, 1.0).at(times).shape == (2, 5)
    assert iz.Constant(np.ones((3, 4))).at(times).shape == (2, 5, 3, 4)
    assert (iz.Sine(1.0, 1.0) + iz.Constant(np.ones((3, 4)))).at(times).shape == (2, 5, 3, 4)
    assert type(iz.Ramp(1.0).at(2.0)) is float
    assert iz.Pulses(1.0, 2.0, 3.0).at([]).shape == (0,)
    iz.Constant(PER_NEURON).at(0.0)[:] = 1.0  # the caller's own array


# --- Waveforms ------------------------------------------------------------------------------------------------------


def test_sine_closed_form():
    t = np.arange(5000) * 0.2
    expected = 1.5 + 4.0 * np.sin(2 * np.pi * 8.0 * t / 1000 + 0.3)
    np.testing.assert_allclose(rows(iz.Sine(4.0, 8.0, 0.3, 1.5), 0, 5000, dt=0.2)[:, 0], expected, rtol=0, atol=1e-12)


def test_ramp_closed_form():
    t = np.arange(500) * 0.25
    expected = np.where((t >= 30) & (t < 80), -0.5 + 0.015 * (t - 30), -0.5)
    np.testing.assert_array_equal(rows(iz.Ramp(0.015, 30, 80, base=-0.5), 0, 500, dt=0.25)[:, 0], expected)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("dt", [0.1, 0.2, 0.25, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("time", ["0", "0.3", "0.6", "0.7", "4.3", "12.35", "1000.1", "86400000.6"])
def test_edges_fall_on_the_exact_step(time, dt, strict):
    start, stop = step_of(time, dt), step_of(Fraction(time) + Fraction("7.2"), dt)
    first = max(0, math.floor(start) - 5)
    k = range(first, first + math.ceil(stop - start) + 12)
    on = [(start < j if strict else start <= j) and j < stop for j in k]
    pulse = iz.Pulses(float(time), float(Fraction(time) + Fraction("7.2")), 1.0, strict=strict)
    assert list(rows(pulse, k[0], len(k), dt=dt)[:, 0]) == on
    ramp = [float(j * Fraction(str(dt)) - Fraction(time)) * is_on for j, is_on in zip(k, on, strict=True)]
    got = rows(iz.Ramp(1.0, pulse.start, pulse.stop, strict=strict), k[0], len(k), dt=dt)[:, 0]
    np.testing.assert_allclose(got, ramp, rtol=0, atol=1e-7)


def test_edges_seen_by_at_are_those_of_a_run():
    pulse = iz.Pulses(0.3, 0.7, 1.0, strict=True)
    k = np.arange(10)
    np.testing.assert_array_equal(pulse.at(k * 0.1), rows(pulse, 0, 10)[:, 0])
    np.testing.assert_array_equal(pulse.at([0.3, 0.1 * 3, 0.3001, 0.7, 7 * 0.1]), [0, 0, 1, 0, 0])


def test_overlapping_pulses_add_up_in_order():
    pulses = iz.Pulses([1.0, 2.0, 2.0], [4.0, 3.0, np.inf], [0.1, 0.2, 0.7], base=0.3)
    expected = [0.3, 0.3 + 0.1, 0.3 + 0.1 + 0.2 + 0.7, 0.3 + 0.1 + 0.7, 0.3 + 0.7]
    np.testing.assert_array_equal(pulses.at([0.5, 1.5, 2.5, 3.5, 9.0]), expected)


def test_one_number_serves_all_pulses():
    many = iz.Pulses([10.0, 20.0, 30.0], [11.0, 21.0, 31.0], [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(rows(iz.Pulses(many.start, many.stop, 2.0), 0, 400), rows(many, 0, 400))
    assert rows(iz.Pulses([], [], 2.0), 0, 4).tolist() == [[0.0]] * 4


# --- TimedArray -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row_dt", [0.05, 0.1, 0.2, 0.25, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("dt", [0.1, 0.2, 0.25])
@pytest.mark.parametrize("start", [0, 100_003])
def test_step_k_takes_the_row_of_its_time(row_dt, dt, start):
    row = [math.floor(k * step_of(dt, row_dt)) for k in range(start, start + 60)]
    table = iz.TimedArray(np.arange(row[-1] + 1.0), row_dt)
    assert rows(table, start, 60, dt=dt)[:, 0].tolist() == row


def test_hold_keeps_the_last_row():
    table = [[1.0] * 6, [2.0] * 6]
    np.testing.assert_array_equal(rows(iz.TimedArray(table, 0.2), 0, 6)[:, 0], [1, 1, 2, 2, 2, 2])
    np.testing.assert_array_equal(rows(iz.TimedArray(table, 0.2, hold=False), 0, 6)[:, 0], [1, 1, 2, 2, 0, 0])
    assert iz.TimedArray([1.0, 2.0], 0.2).at([-0.1, 0.0, 1e9]).tolist() == [0.0, 1.0, 2.0]


# --- Random inputs --------------------------------------------------------------------------------------------------


def test_noise_is_std_times_the_normals_of_its_key_whatever_the_dt():
    expected = normals(7, 20, 6, 11, 22)
    np.testing.assert_array_equal(rows(iz.Noise(1.0), 7, 20, dt=3.0), expected)
    np.testing.assert_array_equal(rows(iz.Noise(2.0), 7, 20), expected.astype(float) * 2.0)
    np.testing.assert_allclose(varied := rows(iz.Noise(PER_NEURON + 1), 7, 20), expected * (PER_NEURON + 1), rtol=2e-7)
    np.testing.assert_array_equal(varied, rows(iz.Noise(PER_NEURON + 1), 7, 20, dtype="float32"))


@pytest.mark.parametrize("key", [(12, 22), (11, 23), (2**32 - 1, 2**32 - 1)])
def test_seed_and_stream_decide_the_noise(key):
    assert not (rows(iz.Noise(1.0), 0, 50) == rows(iz.Noise(1.0), 0, 50, key=key)).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dt", [0.1, 1.0, 7.0])
def test_ornstein_uhlenbeck_has_its_law_at_every_step(dt, dtype):
    mean, std, tau, n = 3.0, 2.0, 5.0, 20_000
    x = rows(iz.OrnsteinUhlenbeck(mean, std, tau), 0, 12, shape=(n,), dt=dt, dtype=dtype).astype(float)
    for row in (0, 1, 11):
        assert stats.kstest(x[row], stats.norm(mean, std).cdf).pvalue > 1e-3
    for lag in (1, 2, 11):
        correlation = np.corrcoef(x[0], x[lag])[0, 1]
        rho = math.exp(-lag * dt / tau)
        assert abs(correlation - rho) < 4 * (1 - rho**2) / math.sqrt(n) + 1e-4
    assert abs(np.corrcoef(x[3, :-1], x[3, 1:])[0, 1]) < 4 / math.sqrt(n)


def test_ornstein_uhlenbeck_follows_its_recursion():
    x = rows(iz.OrnsteinUhlenbeck(1.0, 2.0, 5.0), 4, 30, dt=0.5)
    noise = normals(4, 30, 6, 11, 22).astype(float)
    y = 1.0 + 2.0 * noise[0]
    np.testing.assert_allclose(x[0], y, rtol=2e-7)
    for k in range(1, 30):
        y = 1.0 + (y - 1.0) * math.exp(-0.1) + 2.0 * math.sqrt(1 - math.exp(-0.2)) * noise[k]
        np.testing.assert_allclose(x[k], y, rtol=2e-7, atol=2e-7)


def test_float32_keeps_the_mean_of_a_slow_process():
    slow = iz.OrnsteinUhlenbeck(30.0, 0.0, tau=1e6)
    memory = {}
    rows(iz.OrnsteinUhlenbeck(29.0, 0.0, tau=1.0), 0, 1, dtype="float32", memory=memory)
    x = rows(slow, 1, 200_000, dt=0.1, dtype="float32", memory=memory)
    assert abs(x[-1, 0] - (30 - math.exp(-0.02))) < 3e-6


def test_ornstein_uhlenbeck_goes_on_where_it_stopped_and_starts_afresh_after_a_gap():
    process, memory = iz.OrnsteinUhlenbeck(0.0, 1.0, tau=1e9), {}
    first = rows(process, 0, 10, memory=memory)
    np.testing.assert_allclose(rows(process, 10, 5, memory=memory), np.tile(first[-1], (5, 1)), atol=1e-3)
    afresh = rows(process, 20, 5, memory=memory)
    assert (np.abs(afresh[0] - first[-1]) > 1e-2).all()
    np.testing.assert_array_equal(afresh, rows(process, 20, 5))


def test_ornstein_uhlenbeck_goes_on_with_the_parameters_of_the_new_run():
    memory = {}
    last = rows(iz.OrnsteinUhlenbeck(0.0, 1.0, tau=5.0), 0, 10, memory=memory)[-1]
    x = rows(iz.OrnsteinUhlenbeck(100.0, 0.0, tau=5.0), 10, 1, memory=memory)[0]
    np.testing.assert_allclose(x, 100 + (last - 100) * math.exp(-0.02))


def test_a_piece_can_be_made_again():
    process, memory = iz.OrnsteinUhlenbeck(0.0, 1.0, tau=5.0), {}
    bound = process.bind((6,), 0.1, "float64", (11, 22), memory)
    whole = rows(process, 0, 40)
    for step, count in ((0, 10), (0, 10), (10, 30), (10, 1), (10, 5), (15, 0), (15, 25)):
        np.testing.assert_array_equal(bound(step, count), whole[step : step + count])


def test_two_processes_of_one_population_do_not_mix():
    memory = {}
    a, b = (iz.OrnsteinUhlenbeck(0.0, 1.0, tau=5.0).bind((6,), 0.1, "float64", (1, s), memory) for s in (5, 6))
    pieces = [(a(k, 5), b(k, 5)) for k in range(0, 20, 5)]
    for stream, got in zip((5, 6), zip(*pieces, strict=True), strict=True):
        alone = rows(iz.OrnsteinUhlenbeck(0.0, 1.0, tau=5.0), 0, 20, key=(1, stream))
        np.testing.assert_array_equal(np.concatenate(got), alone)


@pytest.mark.parametrize("stimulus", RANDOM, ids=repr)
def test_random_inputs_have_no_value_at_a_time(stimulus):
    with pytest.raises(TypeError, match=r"Input.at must have an input without random parts, got (Noise|Ornstein)"):
        stimulus.at(1.0)


# --- Sums -----------------------------------------------------------------------------------------------------------


def test_sum_adds_rows_from_left_to_right():
    parts = [iz.Constant(0.1), iz.Sine(0.7, 30.0), iz.Constant(PER_NEURON)]
    a, b, c = (rows(part, 0, 30) for part in parts)
    np.testing.assert_array_equal(rows(parts[0] + parts[1] + parts[2], 0, 30), (a + b) + c)
    np.testing.assert_array_equal(rows(parts[0] + (parts[1] + parts[2]), 0, 30), (a + b) + c)
    assert rows(parts[0] + parts[1], 0, 30).shape == (30, 1)


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2), PER_NEURON], ids=type)
def test_numbers_and_arrays_can_be_added_from_both_sides(number):
    sine = iz.Sine(1, 5)
    for total in (number + sine, sine + number, sum([sine, iz.Constant(number)])):
        assert isinstance(total, iz.Input)
        np.testing.assert_allclose(rows(total, 0, 50), number + rows(sine, 0, 50), rtol=1e-15)


def test_random_parts_of_a_sum_draw_from_streams_of_their_own():
    noise = iz.Noise(1.0)
    expected = normals(0, 9, 6, 11, 22).astype(float) + normals(0, 9, 6, 11, 23)
    np.testing.assert_array_equal(rows(noise + noise, 0, 9), expected)
    np.testing.assert_array_equal(rows(noise + 0.0 + iz.Ramp(0.0) + noise, 0, 9), expected)
    last = rows(noise + noise, 0, 9, key=(11, 2**32 - 1))
    np.testing.assert_array_equal(last, normals(0, 9, 6, 11, 2**32 - 1).astype(float) + normals(0, 9, 6, 11, 0))


# --- Units ----------------------------------------------------------------------------------------------------------


class Quantity:
    """Read like a pint quantity: only in units of its own kind."""

    def __init__(self, magnitude, unit):
        self.magnitude, self.unit = magnitude, unit

    def m_as(self, unit):
        scale = {
            ("nA", "pA"): 1e3,
            ("pA", "pA"): 1.0,
            ("V/s", "mV/ms"): 1.0,
            ("s", "ms"): 1e3,
            ("kHz", "Hz"): 1e3,
            ("V", "mV"): 1e3,
        }
        return np.multiply(self.magnitude, scale[self.unit, unit])

    def __repr__(self):
        return f"{self.magnitude} {self.unit}"


def test_amplitudes_and_times_with_units():
    assert iz.Constant(Quantity(2.0, "nA")).at(0.0) == 2000.0
    assert rows(iz.Constant(Quantity([1.0] * 6, "nA")), 0, 2, unit="pA").tolist() == [[1000.0] * 6] * 2
    assert rows(iz.Constant(Quantity(2.0, "V/s")), 0, 1).tolist() == [[2.0]]
    assert rows(iz.Constant(Quantity(0.002, "V")), 0, 1, unit="mV").tolist() == [[2.0]]
    assert iz.Sine(1.0, Quantity(0.01, "kHz")).frequency == 10.0
    assert iz.Pulses(Quantity([1.0, 2.0], "s"), Quantity(3.0, "s"), Quantity(2.0, "nA")).at(1500.0) == 2000.0
    assert iz.Ramp(1.0, Quantity(1.0, "s")).at(Quantity(1.001, "s")) == pytest.approx(1.0)
    assert iz.TimedArray([1.0, 2.0], Quantity(1e-3, "s")).dt == 1.0
    assert iz.OrnsteinUhlenbeck(0.0, 1.0, Quantity(0.005, "s")).tau == 5.0


@pytest.mark.parametrize(
    ("stimulus", "unit", "message"),
    [
        (iz.Constant(Quantity(1.0, "nA")), "mV/ms", "Constant must be in mV/ms for this model and use, got pA"),
        (iz.Constant(Quantity(1.0, "V/s")), "pA", "Constant must be in pA for this model and use, got mV/ms"),
        (1.0 + iz.Noise(Quantity(1.0, "nA")), "mV/ms", "Noise must be in mV/ms .*, got pA"),
    ],
)
def test_units_of_another_model_are_refused(stimulus, unit, message):
    with pytest.raises(ValueError, match=message):
        rows(stimulus, 0, 1, unit=unit)


# --- Messages -------------------------------------------------------------------------------------------------------

WRONG = [
    (ValueError, "Sine.offset must be in pA like the amplitude before it, got mV/ms",
     lambda: iz.Sine(Quantity(1.0, "pA"), 1.0, offset=Quantity(1.0, "V/s"))),
    (ValueError, "Sum.parts must be in one unit, got pA and mV/ms",
     lambda: iz.Constant(Quantity(1.0, "pA")) + iz.Constant(Quantity(1.0, "V/s"))),
    (ValueError, "Constant.value must be a number .* in mV/ms, got 3.0 s", lambda: iz.Constant(Quantity(3.0, "s"))),
    (TypeError, "Constant.value must be a number or an array of numbers.*, got None", lambda: iz.Constant(None)),
    (TypeError, "Constant.value must be a number or an array of numbers.*, got 'x'", lambda: iz.Noise(1.0) + "x"),
    (TypeError, "Constant.value must be a number or an array of numbers.*, got True", lambda: iz.Constant(True)),
    (ValueError, "Constant.value must be finite, got nan", lambda: iz.Constant(np.nan)),
    (ValueError, "Constant.value must be finite, got inf at index 2", lambda: iz.Constant([0.0, 1.0, np.inf])),
    (ValueError, "TimedArray.values must be finite, got nan at index 1", lambda: iz.TimedArray([0.0, np.nan], 1.0)),
    (ValueError, r"TimedArray.values must have shape \(rows,\) .* >= 1, got \(\)", lambda: iz.TimedArray(1.0, 1.0)),
    (ValueError, r"TimedArray.values must have .* got \(0, 3\)", lambda: iz.TimedArray(np.ones((0, 3)), 1.0)),
    (ValueError, "TimedArray.dt must be a finite number > 0 ms, got 0", lambda: iz.TimedArray([1.0], 0.0)),
    (TypeError, "TimedArray.hold must be True or False, got 'no'", lambda: iz.TimedArray([1.0], 1.0, hold="no")),
    (ValueError, "Sine.frequency must be >= 0, got -1.0", lambda: iz.Sine(1.0, -1.0)),
    (ValueError, "Ramp.slope must be a finite number, got inf", lambda: iz.Ramp(np.inf)),
    (ValueError, "Ramp.start must be a finite number in ms, got inf", lambda: iz.Ramp(1.0, np.inf)),
    (ValueError, "Ramp.stop must be a number >= start .5. ms, got 4.0", lambda: iz.Ramp(1.0, 5.0, 4.0)),
    (ValueError, "Ramp.stop must be a number >= start .5. ms, got nan", lambda: iz.Ramp(1.0, 5.0, np.nan)),
    (TypeError, "Ramp.strict must be True or False, got 1", lambda: iz.Ramp(1.0, strict=1)),
    (ValueError, "Pulses.start must be finite, got inf", lambda: iz.Pulses(np.inf, np.inf, 1.0)),
    (ValueError, "Pulses.stop must be numbers, got nan at index 1", lambda: iz.Pulses(0.0, [1.0, np.nan], 1.0)),
    (ValueError, r"Pulses.start, stop and amplitude .* one length, got shapes \(2,\), \(3,\), \(\)",
     lambda: iz.Pulses([1.0, 2.0], [3.0, 4.0, 5.0], 1.0)),
    (ValueError, r"Pulses.start, stop .* one length, got .* \(2, 1\)", lambda: iz.Pulses([0.0], 1.0, [[1.0], [2.0]])),
    (ValueError, r"Pulses.stop must be >= start \(5\) ms, got 4 at index 1\.$",
     lambda: iz.Pulses([1.0, 5.0], [2.0, 4.0], 1.0)),
    (ValueError, "Noise.std must be >= 0, got -1.0 at index 1", lambda: iz.Noise([1.0, -1.0])),
    (ValueError, "OrnsteinUhlenbeck.std must be >= 0, got -2.0", lambda: iz.OrnsteinUhlenbeck(0.0, -2.0, 1.0)),
    (ValueError, "OrnsteinUhlenbeck.tau must be a finite number > 0 ms, got 0", lambda: iz.OrnsteinUhlenbeck(0, 1, 0)),
    (TypeError, "Input.at.t must be a number or an array of numbers in ms, got '5'", lambda: iz.Constant(1.0).at("5")),
    (ValueError, "Input.at.t must be finite, got nan", lambda: iz.Constant(1.0).at(np.nan)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "make"), WRONG, ids=[message for _, message, _ in WRONG])
def test_wrong_arguments_are_named_with_their_value(kind, message, make):
    with pytest.raises(kind, match=message):
        make()
