"""Argument checks: what passes, and the full wording of what does not."""

from __future__ import annotations

import array as arrays
import datetime
import decimal
import fractions
import itertools
import math
import random
import re
import subprocess
import sys
import time
import timeit

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from izhnumba import _checks

prop = settings(derandomize=True, deadline=None, max_examples=300)
NUMBERS = "P.x must be a number or an array of numbers in mV, got "
TEXT = "Turn text into numbers first."
BOOL = "Write 1.0 for True and 0.0 for False."
COMPLEX = "Pass the real part or the modulus."
DENSE = "Convert it with .toarray()."
FILL = "Fill the masked elements with .filled(value)."


def refused(kind, message, check, *arguments, **options):
    with pytest.raises(kind, match=f"^{re.escape(message)}$") as caught:
        check(*arguments, **options)
    assert type(caught.value) is kind


class Duck:
    """A sequence by its methods alone, which numpy would walk through."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [1.0, 2.0][index]

    def __repr__(self):
        return "Duck()"


class Broken(np.ndarray):
    """An array that can neither be read nor printed."""

    def __array__(self, *arguments, **options):
        raise RuntimeError

    __repr__ = __str__ = __array__


# --- magnitude ------------------------------------------------------------------------------------------------------

ONES = [2, 2.0, np.array(2), np.array(2.0, dtype="f4")]
ONES += [kind(2) for kind in (np.float64, np.float32, np.float16, np.longdouble, np.int8, np.uint64)]
MANY = [[1, 2], (1.0, 2), range(1, 3), [np.float32(1), np.array(2.0)], np.array([1, 2, 3])[:2]]
MANY += [arrays.array("d", [1, 2]), memoryview(np.array([1.0, 2.0])), np.array([1, 2], ">f8"), np.array([1, 2], "u1")]
MANY += [pd.Series([1, 2]), pd.Series([1.0, 2.0], dtype="Float64")]


@pytest.mark.parametrize("value", ONES)
def test_magnitude_of_one_number_is_a_float(value):
    plain = _checks.magnitude("P.x", value, "mV")
    assert type(plain) is float
    assert plain == 2.0


@pytest.mark.parametrize("value", MANY)
def test_magnitude_of_many_numbers_is_an_array(value):
    plain = _checks.magnitude("P.x", value, "mV")
    assert type(plain) is np.ndarray
    assert plain.dtype.kind in "fiu"
    np.testing.assert_array_equal(plain, [1, 2])


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "u2"])
def test_magnitude_returns_a_plain_array_itself(dtype):
    value = np.arange(6, dtype=dtype).reshape(2, 3)
    assert _checks.magnitude("P.x", value, "mV") is value


def test_magnitude_of_nested_lists():
    np.testing.assert_array_equal(_checks.magnitude("P.x", [[1, 2], (3, np.float64(4))], ""), [[1, 2], [3, 4]])
    assert np.shape(_checks.magnitude("P.x", [], "mV")) == (0,)
    assert _checks.magnitude("P.x", 10**30, "mV") == 1e30


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "None."),
        ("10", f"'10'. {TEXT}"),
        (b"10", "b'10'."),
        (bytearray(b"10"), "bytearray(b'10'). Pass a list or an array."),
        (True, f"True. {BOOL}"),
        (np.True_, f"True. {BOOL}"),
        (1j, f"1j. {COMPLEX}"),
        (np.complex64(1), f"(1+0j). {COMPLEX}"),
        ({1: 2}, "{1: 2}. Pass a list or an array."),
        ({1}, "{1}."),
        (Ellipsis, "Ellipsis."),
        (np.float64, "<class 'numpy.float64'>."),
        (fractions.Fraction(1, 3), "Fraction(1, 3)."),
        (decimal.Decimal(1), "Decimal('1')."),
        (datetime.timedelta(1), "datetime.timedelta(days=1)."),
        (np.timedelta64(3, "ms"), "3 milliseconds. Pass the time as a number."),
        (Duck(), "Duck(). Pass a list or an array."),
        (np.zeros(()).view(Broken), "a value of type Broken."),
        (scipy.sparse.csr_array((3, 3)), f"a csr_array of shape (3, 3) and dtype float64. {DENSE}"),
        (scipy.sparse.coo_matrix((3, 3)), f"a coo_matrix of shape (3, 3) and dtype float64. {DENSE}"),
        (np.array([1.0, None]), "an array of shape (2,) and dtype object."),
        (np.array([1.0, 2.0], dtype=object), "an array of shape (2,) and dtype object."),
        (np.array(["1"]), f"an array of shape (1,) and dtype <U1. {TEXT}"),
        (np.array([True]), f"an array of shape (1,) and dtype bool. {BOOL}"),
        (np.zeros(3, dtype=complex), f"an array of shape (3,) and dtype complex128. {COMPLEX}"),
        (np.zeros(3, dtype=[("V", float)]), "an array of shape (3,) and dtype [('V', '<f8')]."),
        (np.zeros(3, dtype="M8[s]"), "an array of shape (3,) and dtype datetime64[s]."),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), f"an array of shape (2,) and dtype float64. {FILL}"),
        (pd.DataFrame({"a": ["x", "y"]}), "a DataFrame of shape (2, 1)."),
        ([1, True], f"True at index 1. {BOOL}"),
        ([1.0, None], "None at index 1."),
        ([[1, 2], [3, "x"]], f"'x' at index (1, 1). {TEXT}"),
        ([1, {}], "{} at index 1. Pass a list or an array."),
    ],
)
def test_values_that_are_no_numbers(value, got):
    refused(TypeError, NUMBERS + got, _checks.magnitude, "P.x", value, "mV")


@pytest.mark.parametrize(
    "value", [[[1, 2], [3]], [[1, 2], 3], [np.zeros(3), np.zeros((3, 2))], [[], [1]], [[[1], [2]], [[1], [2], [3]]]]
)
def test_ragged_lists(value):
    message = NUMBERS + "rows of different lengths. Make all rows equally long."
    refused(ValueError, message, _checks.magnitude, "P.x", value, "mV")


def test_ragged_list_inside_a_list():
    message = NUMBERS + "rows of different lengths at index 1. Make all rows equally long."
    refused(ValueError, message, _checks.magnitude, "P.x", [[[1], [2]], [[1], [2, 3]]], "mV")


def test_a_list_in_itself():
    endless: list = []
    endless += [endless, endless]
    refused(ValueError, NUMBERS + "lists nested more than 32 deep.", _checks.magnitude, "P.x", endless, "mV")


def test_integers_beyond_float():
    message = NUMBERS + "1" + "0" * 27 + "..." + "0" * 29 + "."
    refused(ValueError, message, _checks.magnitude, "P.x", 10**400, "mV")
    refused(ValueError, message[:-1] + " at index 1.", _checks.magnitude, "P.x", [1, 10**400], "mV")


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, [None] * 10**6, {"a" * 10**5: 1}, np.full(10**6, 1j), [[None] * 1000] * 1000, object, print],
)
def test_messages_stay_short(value):
    with pytest.raises(TypeError) as caught:
        _checks.magnitude("P.x", value, "mV")
    assert str(caught.value).startswith(NUMBERS)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


# --- number and integer ---------------------------------------------------------------------------------------------


def test_number_passes_bounds():
    assert _checks.number("P.dt", 1, "ms", above=0) == 1.0
    assert _checks.number("P.dt", np.float32(0.5), above=0, at_most=0.5) == 0.5
    assert _checks.number("P.tau", 0, "ms", at_least=0) == 0.0
    assert _checks.number("P.V_min", -math.inf, "mV", finite=False) == -math.inf


@pytest.mark.parametrize(
    ("kind", "value", "unit", "options", "message"),
    [
        (ValueError, -0.1, "ms", dict(above=0), "a finite number > 0 ms, got -0.1."),
        (ValueError, 0, "ms", dict(above=0), "a finite number > 0 ms, got 0."),
        (ValueError, np.float64(-2), "ms", dict(at_least=0), "a finite number >= 0 ms, got -2.0."),
        (ValueError, 3, "", dict(at_least=0, at_most=1), "a finite number >= 0 and <= 1, got 3."),
        (ValueError, math.nan, "mV", {}, "a finite number in mV, got nan."),
        (ValueError, math.nan, "mV", dict(finite=False), "a number in mV, got nan."),
        (ValueError, math.inf, "", {}, "a finite number, got inf."),
        (ValueError, -math.inf, "mV", dict(finite=False, at_least=0), "a number >= 0 mV, got -inf."),
        (ValueError, [1.0], "mV", {}, "a finite number in mV, got [1.0]. Pass one value."),
        (
            ValueError,
            np.zeros(9),
            "",
            {},
            "a finite number, got an array of shape (9,) and dtype float64. Pass one value.",
        ),
        (TypeError, None, "ms", dict(above=0), "a finite number > 0 ms, got None."),
        (TypeError, "1", "", {}, f"a finite number, got '1'. {TEXT}"),
    ],
)
def test_number_refuses(kind, value, unit, options, message):
    refused(kind, f"P.x must be {message}", _checks.number, "P.x", value, unit, **options)


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.uint8(3), np.float32(3), np.array(3)])
def test_integer_accepts_whole_numbers(value):
    whole = _checks.integer("P.n", value, at_least=3, at_most=3)
    assert type(whole) is int
    assert whole == 3


@pytest.mark.parametrize("value", [2**64 - 1, np.uint64(2**64 - 1), 10**5000])
def test_integer_keeps_every_digit(value):
    assert _checks.integer("P.seed", value) == int(value)


@pytest.mark.parametrize(
    ("kind", "value", "got"),
    [
        (ValueError, 0, "0."),
        (ValueError, 9, "9."),
        (ValueError, 2.5, "2.5."),
        (ValueError, math.nan, "nan."),
        (ValueError, math.inf, "inf."),
        (ValueError, [1], "[1]."),
        (TypeError, True, f"True. {BOOL}"),
        (TypeError, np.True_, f"True. {BOOL}"),
        (TypeError, "3", f"'3'. {TEXT}"),
        (TypeError, np.timedelta64(3, "ns"), "3 nanoseconds. Pass the time as a number."),
    ],
)
def test_integer_refuses(kind, value, got):
    message = f"P.threads must be a whole number >= 1 and <= 8, got {got}"
    refused(kind, message, _checks.integer, "P.threads", value, at_least=1, at_most=8)


# --- array and finite -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, np.float32(1), np.array(1), np.ones(3), [1, 1, 1], np.ones((2, 3), dtype=int)])
def test_array_accepts_one_value_or_a_shape(value):
    result = _checks.array("P.a", value, "1/ms", [(3,), (2, 3)])
    assert type(result) is np.ndarray
    assert result.dtype == np.float64
    assert result.shape == np.shape(value)
    assert (result == 1).all()


def test_array_is_not_copied_without_need():
    value = np.ones(3)
    assert _checks.array("P.a", value, "1/ms", [(3,)]) is value


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(1000,)], "() or (1000,), got (10,). Pass one value for all neurons or one per neuron."),
        ([(4, 5), (2, 4, 5)], "(), (4, 5) or (2, 4, 5), got (10,). Pass one value for all neurons or one per neuron."),
        ([(5,), (5,)], "() or (5,), got (10,). Pass one value for all neurons or one per neuron."),
        ([()], "(), got (10,). Pass one value."),
        ([], "(), got (10,). Pass one value."),
    ],
)
def test_array_of_the_wrong_shape(shapes, message):
    refused(ValueError, f"P.a must have shape {message}", _checks.array, "P.a", np.zeros(10), "1/ms", shapes)


@pytest.mark.parametrize("shape", [(1,), (3, 1), (1, 3), (0,), (2,)])
def test_array_does_not_broadcast(shape):
    message = f"P.a must have shape () or (3,), got {shape}. Pass one value for all neurons or one per neuron."
    refused(ValueError, message, _checks.array, "P.a", np.ones(shape), "1/ms", [(3,)])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_array_names_the_first_bad_index(bad, dtype):
    value = np.ones((4, 5), dtype=dtype)
    value[2, 3] = value[3, 0] = bad
    message = f"P.a must be finite, got {bad} at index (2, 3)."
    refused(ValueError, message, _checks.array, "P.a", value, "1/ms", [(4, 5)])
    refused(ValueError, message, _checks.finite, "P.a", value)
    message = f"P.a must be finite, got {bad} at index 13."
    refused(ValueError, message, _checks.array, "P.a", value.ravel(), "1/ms", [(20,)])
    refused(ValueError, f"P.a must be finite, got {bad}.", _checks.array, "P.a", bad, "1/ms", [(20,)])


def test_array_bounds_and_infinity():
    value = np.array([0.0, 1.0, -1.0])
    message = "P.tau must be >= 0 ms, got -1.0 at index 2."
    refused(ValueError, message, _checks.array, "P.tau", value, "ms", [(3,)], at_least=0)
    value[2] = -math.inf
    assert _checks.array("P.V_min", value, "mV", [(3,)], finite=False) is value
    value[1] = math.nan
    message = "P.V_min must be numbers, got nan at index 1."
    refused(ValueError, message, _checks.array, "P.V_min", value, "mV", [(3,)], finite=False)


def test_array_beyond_float64():
    if np.finfo(np.longdouble).max > np.finfo(float).max:
        value = np.full(3, np.longdouble(2) ** 2000)
        refused(ValueError, "P.a must be finite, got inf at index 0.", _checks.array, "P.a", value, "", [(3,)])


def test_finite_accepts():
    for value in (np.ones(3), np.zeros(0), np.arange(3), np.float32(1)):
        assert _checks.finite("P.a", value) is None
    refused(ValueError, "P.a must be finite, got nan.", _checks.finite, "P.a", math.nan)


# --- steps ----------------------------------------------------------------------------------------------------------

dts = st.floats(1e-3, 10.0)


@prop
@given(whole=st.integers(0, 2**40), dt=dts)
def test_steps_is_never_wrong_for_whole_multiples(whole, dt):
    assert _checks.steps("run.T", whole * dt, dt) == whole


@prop
@given(whole=st.integers(0, 10**6), tenths=st.integers(1, 1000))
def test_steps_of_decimal_durations(whole, tenths):
    dt = tenths / 1000
    assert _checks.steps("run.T", float(fractions.Fraction(whole * tenths, 1000)), dt) == whole


@prop
@given(whole=st.integers(0, 10**6), off=st.floats(-0.99e-3, 0.99e-3), dt=dts)
def test_steps_forgives_a_thousandth_of_a_step(whole, off, dt):
    duration = (whole + off) * dt
    assume(duration >= 0)
    assert _checks.steps("run.T", duration, dt) == whole


@prop
@given(whole=st.integers(0, 10**6), off=st.floats(1.01e-3, 0.99898), dt=dts)
def test_steps_names_the_two_neighbours(whole, off, dt):
    duration = (whole + off) * dt
    with pytest.raises(
        ValueError, match=f"^run.T must be a whole number of steps of {dt} ms, got {duration}. Use "
    ) as e:
        _checks.steps("run.T", duration, dt)
    below, above = map(float, re.search(r"Use (\S+) or (\S+) ms\.$", str(e.value)).groups())
    assert below < duration < above
    assert _checks.steps("run.T", below, dt) == whole
    assert _checks.steps("run.T", above, dt) == whole + 1


@prop
@given(duration=st.floats(), dt=dts, at_least=st.integers(0, 5))
def test_steps_is_right_or_refuses(duration, dt, at_least):
    try:
        whole = _checks.steps("run.T", duration, dt, at_least=at_least)
    except ValueError as error:
        assert str(error).startswith("run.T must be ")  # noqa: PT017 - either outcome is fine
    else:
        assert at_least <= whole < 2**62
        assert abs(duration - whole * dt) <= 1.001e-3 * dt + 1e-15 * duration


@pytest.mark.parametrize(
    ("duration", "at_least", "message"),
    [
        (0.25, 0, "a whole number of steps of 0.1 ms, got 0.25. Use 0.2 or 0.3 ms."),
        (0.05, 0, "a whole number of steps of 0.1 ms, got 0.05. Use 0 or 0.1 ms."),
        (1e6 + 0.05, 0, "a whole number of steps of 0.1 ms, got 1000000.05. Use 1000000 or 1000000.1 ms."),
        (0, 1, ">= 0.1 ms, got 0."),
        (0.05, 1, ">= 0.1 ms, got 0.05."),
        (0.25, 3, ">= 0.3 ms, got 0.25."),
        (-1, 0, "a finite number >= 0 ms, got -1."),
        (math.nan, 0, "a finite number >= 0 ms, got nan."),
        (math.inf, 0, "a finite number >= 0 ms, got inf."),
        (-math.inf, 0, "a finite number >= 0 ms, got -inf."),
        (1e300, 0, "less than 2**62 steps of 0.1 ms, got 1e+300."),
        (0.1 * 2**62, 0, "less than 2**62 steps of 0.1 ms, got 4.611686018427388e+17."),
        ([1, 2], 0, "a finite number >= 0 ms, got [1, 2]. Pass one value."),
    ],
)
def test_steps_refuses(duration, at_least, message):
    refused(ValueError, f"run.T must be {message}", _checks.steps, "run.T", duration, 0.1, at_least=at_least)


def test_steps_edges():
    assert _checks.steps("run.T", 0, 0.1) == 0
    assert _checks.steps("run.T", 500, 0.1) == 5000
    assert _checks.steps("every", 0.1, 0.1, at_least=1) == 1
    assert type(_checks.steps("run.T", np.float32(2), 0.5)) is int
    assert _checks.steps("run.T", 0.5 * 2**61, 0.5) == 2**61
    refused(TypeError, f"run.T must be a finite number >= 0 ms, got '5'. {TEXT}", _checks.steps, "run.T", "5", 0.1)
    message = "run.T must be less than 2**62 steps of 1e-320 ms, got 0.3."
    refused(ValueError, message, _checks.steps, "run.T", 0.3, 1e-320)


# --- names, sizes, types --------------------------------------------------------------------------------------------

SCHEMES = ["exp_euler", "euler", "rk4"]
KNOWN = "Known: exp_euler, euler, rk4."


@pytest.mark.parametrize("options", [SCHEMES, tuple(SCHEMES), dict.fromkeys(SCHEMES)])
def test_one_of(options):
    assert _checks.one_of("P.scheme", "rk4", options) == "rk4"
    assert type(_checks.one_of("P.scheme", np.str_("euler"), options)) is str


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (ValueError, "eulr", f"'eulr'. Did you mean 'euler'? {KNOWN}"),
        (ValueError, "RK4", f"'RK4'. Did you mean 'rk4'? {KNOWN}"),
        (ValueError, "zzzz", f"'zzzz'. {KNOWN}"),
        (TypeError, None, f"None. {KNOWN}"),
        (TypeError, ["rk4"], f"['rk4']. {KNOWN}"),
    ],
)
def test_one_of_refuses(kind, value, message):
    refused(kind, f"P.scheme must be a known name, got {message}", _checks.one_of, "P.scheme", value, SCHEMES)


def test_unknown_suggests_the_nearest_name():
    message = "Population has no parameter 'vth'. Did you mean 'V_th'? Known: a, V_th."
    refused(TypeError, message, _checks.unknown, "Population", "vth", ["a", "V_th"])
    refused(TypeError, "Population has no parameter 'xyz'. Known: a.", _checks.unknown, "Population", "xyz", ["a"])
    message = f"Population has no parameter '{'q' * 27}...{'q' * 28}'. Known: a."
    refused(TypeError, message, _checks.unknown, "Population", "q" * 10**6, ["a"])


@pytest.mark.parametrize("value", [(4, 250), [4, 250.0], np.array([4, 250]), (np.int8(4), np.float32(250))])
def test_size(value):
    assert _checks.size("P.size", value) == (4, 250)
    assert all(type(length) is int for length in _checks.size("P.size", value))
    assert _checks.size("P.size", 1e4) == (10_000,)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (ValueError, 0, "a whole number >= 1, got 0."),
        (ValueError, (3, -1), "a whole number >= 1, got -1."),
        (ValueError, 2.5, "a whole number >= 1, got 2.5."),
        (ValueError, (), "a whole number >= 1 or a tuple of 1 to 32 of them, got ()."),
        (ValueError, [1] * 33, "a whole number >= 1 or a tuple of 1 to 32 of them, got [1, 1, 1, 1, 1, 1, ...]."),
        (ValueError, (2**40, 2**40), "less than 2**63 neurons in all, got (1099511627776, 1099511627776)."),
        (ValueError, np.ones((2, 2)), "a whole number >= 1, got an array of shape (2, 2) and dtype float64."),
        (TypeError, "ab", f"a whole number >= 1, got 'ab'. {TEXT}"),
        (TypeError, (3, None), "a whole number >= 1, got None."),
        (TypeError, True, f"a whole number >= 1, got True. {BOOL}"),
    ],
)
def test_size_refuses(kind, value, message):
    refused(kind, f"P.size must be {message}", _checks.size, "P.size", value)


@pytest.mark.parametrize("value", ["float32", np.float32, np.dtype("f4"), "f4", "float64", float, "d"])
def test_dtype(value):
    assert _checks.dtype("P.dtype", value) == np.dtype(value)


@pytest.mark.parametrize("value", ["float16", np.float16, int, "complex128", ">f8", "flot32", "a,,b(", None, 32])
def test_dtype_refuses(value):
    kind = TypeError if value in (None, 32) else ValueError
    got = {np.float16: "'float16'", int: f"'{np.dtype(int)}'"}.get(value, repr(value))
    refused(kind, f"P.dtype must be float32 or float64, got {got}.", _checks.dtype, "P.dtype", value)


# --- memory ---------------------------------------------------------------------------------------------------------


def files(folder, **contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.fixture
def machine(tmp_path):
    """A machine with 1000 KiB free, and its folders of processes and of control groups."""
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    files(proc, meminfo="MemTotal: 4000 kB\nMemAvailable:    1000 kB\nHugePages: 0\n")
    return proc, groups


def test_free_memory_of_the_machine(machine):
    assert _checks.free_memory(*machine) == 1000 * 1024


def test_free_memory_is_unknown_elsewhere(tmp_path):
    assert _checks.free_memory(tmp_path, tmp_path) is None


@pytest.mark.parametrize(("limit", "free"), [("5000", 5000 - 3000 + 500), ("max", 1000 * 1024), ("100", 0)])
def test_free_memory_of_a_group(machine, limit, free):
    proc, groups = machine
    files(proc / "self", cgroup="0::/user/me\n")
    files(groups / "user/me", memory__max="max\n", memory__current="9\n", memory__stat="anon 1\ninactive_file 0\n")
    files(groups / "user", memory__max=limit, memory__current="3000\n", memory__stat="anon 1\ninactive_file 500\n")
    assert _checks.free_memory(proc, groups) == free


def test_free_memory_of_a_version_1_group(machine):
    proc, groups = machine
    files(proc / "self", cgroup="7:cpu,memory:/job\n1:name=systemd:/job\n0::/\n")
    files(
        groups / "memory/job",
        memory__limit_in_bytes="5000\n",
        memory__usage_in_bytes="3000\n",
        memory__stat="inactive_file 1\ntotal_inactive_file 500\n",
    )
    assert _checks.free_memory(proc, groups) == 2500


def test_free_memory_here():
    free = _checks.free_memory()
    assert free is None if sys.platform != "linux" else free > 2**20


def test_fits(monkeypatch):
    monkeypatch.setattr(_checks, "free_memory", lambda: 2**30)
    assert _checks.fits("Population.run", 2**30, "Record less.") is None
    message = "Population.run must fit in the free memory (1 GiB), got 1.5 GiB. Record less."
    refused(ValueError, message, _checks.fits, "Population.run", 3 * 2**29, "Record less.")
    monkeypatch.setattr(_checks, "free_memory", lambda: None)
    assert _checks.fits("Population.run", 2**80, "Record less.") is None


# --- all of them ----------------------------------------------------------------------------------------------------

BAD = [None, "", "1", "nan", "10 mV", "\ud800", "x" * 200, b"", b"1", bytearray(b"1"), True, False, np.True_, 1j]
BAD += [np.complex64(1), fractions.Fraction(1, 7), decimal.Decimal(2), datetime.timedelta(1), datetime.date(2000, 1, 1)]
BAD += [np.timedelta64(1, "ms"), np.timedelta64(1, "ns"), np.datetime64(1, "s"), pd.NaT, pd.NA, pd.Timestamp(0)]
BAD += [
    object(),
    Ellipsis,
    NotImplemented,
    int,
    np.ndarray,
    len,
    np,
    Duck(),
    np.zeros(2).view(Broken),
    {1.0: 1.0},
    {1.0},
]
BAD += [iter([1.0]), (x for x in [1.0]), 10**309, -(10**5000), np.array([1.0, None]), np.array(""), np.array("1.5")]
BAD += [np.zeros(n, kind) for n in (0, 1, 3) for kind in ("?", "c8", "S2", "U3", "O", "M8[s]", "m8[s]", "V4", "f8,f8")]
BAD += [np.ma.masked_less(np.arange(n), 1) for n in (1, 3)]
BAD += [scipy.sparse.eye_array(3, format=name) for name in ("csr", "coo", "dia", "lil")]
BAD += [pd.Series(["a", 1.0]), pd.DataFrame({"a": [1], "b": ["x"]}), [[1.0], [1.0, 2.0]], [[1.0, 2.0], 3.0]]
CHECKS = [
    lambda where, value: _checks.magnitude(where, value, "mV"),
    lambda where, value: _checks.number(where, value, "ms", above=0),
    lambda where, value: _checks.integer(where, value, at_least=1, at_most=2**62),
    lambda where, value: _checks.array(where, value, "mV", [(3,), (2, 2)]),
    lambda where, value: _checks.steps(where, value, 0.1),
    lambda where, value: _checks.one_of(where, value, ["RS", "IB"]),
    lambda where, value: _checks.size(where, [value]),
]


def test_ten_thousand_bad_inputs():
    rng = random.Random(1)
    start = time.perf_counter()
    for index, check in zip(range(10_000), itertools.cycle(CHECKS)):
        value = rng.choice(BAD)
        for _ in range(rng.choice([0, 0, 0, 1, 2, 40])):
            value = rng.choice([list, tuple])([1.0] * rng.randrange(3) + [value])
        with pytest.raises((TypeError, ValueError)) as caught:
            check(f"Owner.argument_{index}", value)
        message = str(caught.value)
        assert message.startswith(f"Owner.argument_{index} must "), message
        assert ", got " in message
        assert len(message) < 300, message
    assert time.perf_counter() - start < 20


def test_plain_values_are_cheap():
    value = np.ones(1000)
    calls = [
        lambda: _checks.number("P.dt", 0.1, "ms", above=0),
        lambda: _checks.integer("P.n", 5, at_least=1),
        lambda: _checks.magnitude("P.I", value, "mV/ms"),
        lambda: _checks.array("P.a", value, "1/ms", [(1000,)]),
        lambda: _checks.steps("P.run.T", 500.0, 0.1),
    ]
    for call in calls:
        assert min(timeit.repeat(call, number=100, repeat=20)) / 100 < 50e-6  # about 3 us on an idle machine


def test_nothing_optional_is_imported():
    code = (
        "import sys; from izhnumba import _checks; _checks.magnitude('P.x', [1.0], 'mV');"
        "print({'numba', 'pint', 'astropy', 'saiunit', 'quantities', 'pandas', 'scipy'} & sys.modules.keys())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"
