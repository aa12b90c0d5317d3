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

from izhnumba._base import checks
from izhnumba._base.checks import array, dtype, finite, integer, magnitude, number, one_of, size, steps, unknown

prop = settings(derandomize=True, deadline=None, max_examples=300)
TEXT, NAT = "Turn text into numbers first.", np.timedelta64("NaT", "s")
BOOL, FLOAT = "Write 1 for True and 0 for False.", "Convert it with .astype(float)."
COMPLEX = "Pass the real part or the modulus."
DENSE = "Convert it with .toarray()."
FILL = "Fill the masked elements with .filled(value)."
RAGGED = "Make all rows equally long."
SHAPE = "Pass one value for all neurons or one per neuron."
SCHEMES = dict.fromkeys(["exp_euler", "euler", "rk4"])
KNOWN = "Known: exp_euler, euler, rk4."


class Duck:
    """A sequence by its methods alone, which numpy would walk through."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [1.0, 2.0][index]

    def __repr__(self):
        return "Duck()"


class Broken:
    """An array that can neither be read nor printed."""

    @property
    def __array__(self):
        raise RuntimeError

    shape = __repr__ = __array__


# --- what passes ----------------------------------------------------------------------------------------------------

TWO = [2, 2.0, np.array(2), np.array(2.0, dtype="f4")]
TWO += [kind(2) for kind in (np.float64, np.float32, np.float16, np.longdouble, np.int8, np.uint64)]
MANY = [[1, 2], (1.0, 2), range(1, 3), [np.float32(1), np.array(2.0)], np.array([1, 2, 3])[:2]]
MANY += [arrays.array("d", [1, 2]), memoryview(np.array([1.0, 2.0])), np.array([1, 2], ">f8"), np.array([1, 2], "u1")]
MANY += [pd.Series([1, 2]), pd.Series([1.0, 2.0], dtype="Float64")]


@pytest.mark.parametrize("value", TWO)
def test_one_number(value):
    assert [type(magnitude("P.x", value, "mV")), magnitude("P.x", value, "mV")] == [float, 2.0]
    assert [type(number("P.x", value, "mV")), number("P.x", value, above=1, at_least=2, at_most=2)] == [float, 2.0]
    assert [type(integer("P.n", value)), integer("P.n", value, at_least=2, at_most=2)] == [int, 2]
    assert [type(steps("P.T", value, 0.5)), steps("P.T", value, 0.5, at_least=4)] == [int, 4]
    assert size("P.size", value) == (2,)
    assert array("P.x", value, "mV", []).shape == ()


@pytest.mark.parametrize("value", MANY)
def test_many_numbers(value):
    plain = magnitude("P.x", value, "mV")
    assert type(plain) is np.ndarray
    assert plain.dtype.kind in "fiu"
    result = array("P.x", value, "mV", [(3,), (2,)], at_least=1)
    assert type(result) is np.ndarray
    assert result.dtype == np.float64
    np.testing.assert_array_equal([plain, result], [[1, 2], [1, 2]])


def test_arrays_are_not_copied_without_need():
    for kind in ("f4", "f8", "i4", "u2"):
        value = np.arange(6, dtype=kind).reshape(2, 3)
        assert magnitude("P.x", value, "mV") is value
    value = np.array([0.0, -math.inf])
    assert array("P.V_min", value, "mV", [(2,)], finite=False) is value


def test_other_values_that_pass():
    np.testing.assert_array_equal(magnitude("P.x", [[1, 2], (3, np.float64(4))], ""), [[1, 2], [3, 4]])
    assert np.shape(magnitude("P.x", [], "mV")) == (0,)
    assert magnitude("P.x", 10**30, "mV") == 1e30
    assert number("P.V_min", -math.inf, "mV", finite=False) == -math.inf
    for whole in (2**64 - 1, np.uint64(2**64 - 1), 10**5000):
        assert integer("P.seed", whole) == int(whole)
    for value in (np.ones(3), np.zeros(0), np.arange(3), np.float32(1)):
        assert finite("P.a", value) is None
    assert one_of("P.scheme", "rk4", SCHEMES) == "rk4"
    assert type(one_of("P.scheme", np.str_("euler"), list(SCHEMES))) is str
    for several in ((4, 250), [4, 250.0], np.array([4, 250]), (np.int8(4), np.float32(250))):
        assert size("P.size", several) == (4, 250)
    for name in ("float32", np.float32, np.dtype("f4"), "f4", "float64", float, "d"):
        assert dtype("P.dtype", name) == np.dtype(name)


# --- what does not --------------------------------------------------------------------------------------------------


def refused(kind, message, check, *arguments, **options):
    with pytest.raises(kind, match=f"^{re.escape(message)}$") as caught:
        check(*arguments, **options)
    assert type(caught.value) is kind


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
        (Broken(), "a value of type Broken."),
        (scipy.sparse.csr_array((3, 3)), f"a csr_array of shape (3, 3) and dtype float64. {DENSE}"),
        (scipy.sparse.coo_matrix((3, 3)), f"a coo_matrix of shape (3, 3) and dtype float64. {DENSE}"),
        (np.array([1.0, None]), f"an array of shape (2,) and dtype object. {FLOAT}"),
        (np.array([1.0, 2.0], dtype=object), f"an array of shape (2,) and dtype object. {FLOAT}"),
        (np.array(["1"]), f"an array of shape (1,) and dtype <U1. {TEXT}"),
        (np.array([True]), f"an array of shape (1,) and dtype bool. {BOOL}"),
        (np.zeros(3, dtype=complex), f"an array of shape (3,) and dtype complex128. {COMPLEX}"),
        (np.zeros(3, dtype=[("V", float)]), "an array of shape (3,) and dtype [('V', '<f8')]."),
        (np.zeros(3, dtype="M8[s]"), "an array of shape (3,) and dtype datetime64[s]."),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), f"a MaskedArray of shape (2,) and dtype float64. {FILL}"),
        (pd.DataFrame({"a": ["x", "y"]}), "a DataFrame of shape (2, 1)."),
        ([1, True], f"True at index 1. {BOOL}"),
        ([1.0, None], "None at index 1."),
        ([[1, 2], [3, "x"]], f"'x' at index (1, 1). {TEXT}"),
        ([1, {}], "{} at index 1. Pass a list or an array."),
    ],
)
def test_values_that_are_no_numbers(value, got):
    message = f"P.x must be a number or an array of numbers in mV, got {got}"
    refused(TypeError, message, magnitude, "P.x", value, "mV")


ENDLESS: list = []
ENDLESS += [ENDLESS, ENDLESS]
HUGE = "1" + "0" * 27 + "..." + "0" * 29


@pytest.mark.parametrize(
    ("got", "value"),
    [
        (f"rows of different lengths. {RAGGED}", [[1, 2], [3]]),
        (f"rows of different lengths. {RAGGED}", [[1, 2], 3]),
        (f"rows of different lengths. {RAGGED}", [[], [1]]),
        (f"rows of different lengths. {RAGGED}", [np.zeros(3), np.zeros((3, 2))]),
        (f"rows of different lengths at index 1. {RAGGED}", [[[1], [2]], [[1], [2, 3]]]),
        ("lists nested more than 32 deep.", ENDLESS),
        (f"{HUGE}.", 10**400),
        (f"{HUGE} at index 1.", [1, 10**400]),
    ],
)
def test_numbers_that_are_no_array(got, value):
    message = f"P.x must be a number or an array of numbers in mV, got {got}"
    refused(ValueError, message, magnitude, "P.x", value, "mV")


VALUE_ERRORS = [
    ("P.x must be a finite number > 0 ms, got -0.1.", lambda: number("P.x", -0.1, "ms", above=0)),
    ("P.x must be a finite number > 0 ms, got 0.", lambda: number("P.x", 0, "ms", above=0)),
    ("P.x must be a finite number >= 0 ms, got -2.0.", lambda: number("P.x", np.float64(-2), "ms", at_least=0)),
    ("P.x must be a finite number >= 0 and <= 1, got 3.", lambda: number("P.x", 3, at_least=0, at_most=1)),
    ("P.x must be a finite number in mV, got nan.", lambda: number("P.x", math.nan, "mV")),
    ("P.x must be a number in mV, got nan.", lambda: number("P.x", math.nan, "mV", finite=False)),
    ("P.x must be a finite number, got inf.", lambda: number("P.x", math.inf)),
    ("P.x must be a number >= 0, got -inf.", lambda: number("P.x", -math.inf, at_least=0, finite=False)),
    ("P.x must be a finite number, got [1.0]. Pass one value.", lambda: number("P.x", [1.0])),
    ("P.n must be a whole number >= 1 and <= 8, got 9.", lambda: integer("P.n", 9, at_least=1, at_most=8)),
    ("P.n must be a whole number >= 1, got 0.0.", lambda: integer("P.n", 0.0, at_least=1)),
    ("P.n must be a whole number, got 2.5.", lambda: integer("P.n", 2.5)),
    ("P.n must be a whole number, got nan.", lambda: integer("P.n", math.nan)),
    ("P.n must be a whole number, got inf.", lambda: integer("P.n", math.inf)),
    ("P.n must be a whole number, got [1].", lambda: integer("P.n", [1])),
    (f"P.a must have shape () or (9,), got (2,). {SHAPE}", lambda: array("P.a", np.zeros(2), "", [(9,), (9,)])),
    (f"P.a must have shape (), (9,) or (2, 9), got (1,). {SHAPE}", lambda: array("P.a", [1], "", [(9,), (2, 9)])),
    (f"P.a must have shape () or (3,), got (1, 3). {SHAPE}", lambda: array("P.a", np.ones((1, 3)), "", [(3,)])),
    ("P.a must have shape (), got (2,). Pass one value.", lambda: array("P.a", np.zeros(2), "", [])),
    ("P.a must be >= 0 ms, got -1.0 at index 1.", lambda: array("P.a", [0, -1], "ms", [(2,)], at_least=0)),
    ("P.a must be numbers, got nan at index 1.", lambda: array("P.a", [0, math.nan], "", [(2,)], finite=False)),
    ("P.a must be finite, got nan.", lambda: finite("P.a", math.nan)),
    ("P.a must be finite, got inf at index 1.", lambda: finite("P.a", np.float32([1, math.inf]))),
    ("P.T must be a whole number of steps of 0.1 ms, got 0.25. Use 0.2 or 0.3 ms.", lambda: steps("P.T", 0.25, 0.1)),
    ("P.T must be a whole number of steps of 0.1 ms, got 0.05. Use 0 or 0.1 ms.", lambda: steps("P.T", 0.05, 0.1)),
    ("P.T must be >= 0.1 ms, got 0.", lambda: steps("P.T", 0, 0.1, at_least=1)),
    ("P.T must be >= 0.3 ms, got 0.25.", lambda: steps("P.T", 0.25, 0.1, at_least=3)),
    ("P.T must be a finite number >= 0 ms, got -1.", lambda: steps("P.T", -1, 0.1)),
    ("P.T must be a finite number >= 0 ms, got nan.", lambda: steps("P.T", math.nan, 0.1)),
    ("P.T must be a finite number >= 0 ms, got inf.", lambda: steps("P.T", math.inf, 0.1)),
    ("P.T must be less than 2**62 steps of 0.1 ms, got 1e+300.", lambda: steps("P.T", 1e300, 0.1)),
    ("P.T must be less than 2**62 steps of 1e-320 ms, got 3.", lambda: steps("P.T", 3, 1e-320)),
    ("P.T must be less than 2**62 steps of 1.0 ms, got 4611686018427387904.", lambda: steps("P.T", 2**62, 1.0)),
    (f"P.s must be a known name, got 'eulr'. Did you mean 'euler'? {KNOWN}", lambda: one_of("P.s", "eulr", SCHEMES)),
    (f"P.s must be a known name, got 'RK4'. Did you mean 'rk4'? {KNOWN}", lambda: one_of("P.s", "RK4", SCHEMES)),
    (f"P.s must be a known name, got 'zzzz'. {KNOWN}", lambda: one_of("P.s", "zzzz", SCHEMES)),
    ("P.size must be a whole number >= 1, got -1.", lambda: size("P.size", (3, -1))),
    ("P.size must be a whole number >= 1 or a tuple of 1 to 32 of them, got ().", lambda: size("P.size", ())),
    (
        "P.size must be less than 2**63 neurons in all, got (4294967296, 2147483648).",
        lambda: size("P.size", (2**32, 2**31)),
    ),
    ("P.d must be float32 or float64, got 'float16'.", lambda: dtype("P.d", np.float16)),
    ("P.d must be float32 or float64, got '>f8'.", lambda: dtype("P.d", ">f8")),
    ("P.d must be float32 or float64, got 'flot32'.", lambda: dtype("P.d", "flot32")),
    ("P.d must be float32 or float64, got 'a,,b('.", lambda: dtype("P.d", "a,,b(")),
]
TYPE_ERRORS = [
    ("P.x must be a finite number > 0 ms, got None.", lambda: number("P.x", None, "ms", above=0)),
    (f"P.x must be a finite number, got '1'. {TEXT}", lambda: number("P.x", "1")),
    (f"P.n must be a whole number, got True. {BOOL}", lambda: integer("P.n", True)),
    (f"P.n must be a whole number, got True. {BOOL}", lambda: integer("P.n", np.True_)),
    (f"P.n must be a whole number, got '3'. {TEXT}", lambda: integer("P.n", "3")),
    ("P.n must be a whole number, got NaT. Pass the time as a number.", lambda: integer("P.n", NAT)),
    (f"P.T must be a finite number >= 0 ms, got '5'. {TEXT}", lambda: steps("P.T", "5", 0.1)),
    (f"P.s must be a known name, got None. {KNOWN}", lambda: one_of("P.s", None, SCHEMES)),
    (f"P.s must be a known name, got ['rk4']. {KNOWN}", lambda: one_of("P.s", ["rk4"], SCHEMES)),
    ("P has no parameter 'vth'. Did you mean 'V_th'? Known: a, V_th.", lambda: unknown("P", "vth", ["a", "V_th"])),
    ("P has no parameter 'xyz'. Known: a.", lambda: unknown("P", "xyz", ["a"])),
    (f"P has no parameter '{'q' * 27}...{'q' * 28}'. Known: a.", lambda: unknown("P", "q" * 10**6, ["a"])),
    (f"P.size must be a whole number >= 1, got 'ab'. {TEXT}", lambda: size("P.size", "ab")),
    ("P.size must be a whole number >= 1, got None.", lambda: size("P.size", (3, None))),
    ("P.d must be float32 or float64, got None.", lambda: dtype("P.d", None)),
    ("P.d must be float32 or float64, got 32.", lambda: dtype("P.d", 32)),
]


@pytest.mark.parametrize(("message", "check"), VALUE_ERRORS)
def test_wrong_values(message, check):
    refused(ValueError, message, check)


@pytest.mark.parametrize(("message", "check"), TYPE_ERRORS)
def test_wrong_types(message, check):
    refused(TypeError, message, check)


@pytest.mark.parametrize(("bad", "kind"), list(itertools.product([math.nan, math.inf, -math.inf], ["f4", "f8", "g"])))
def test_the_first_bad_index_is_named(bad, kind):
    value = np.ones((4, 5), dtype=kind)
    value[2, 3] = value[3, 0] = bad
    refused(ValueError, f"P.a must be finite, got {bad} at index (2, 3).", array, "P.a", value, "", [(4, 5)])
    refused(ValueError, f"P.a must be finite, got {bad} at index (2, 3).", finite, "P.a", value)
    refused(ValueError, f"P.a must be finite, got {bad} at index 13.", array, "P.a", value.ravel(), "", [(20,)])
    refused(ValueError, f"P.a must be finite, got {bad}.", array, "P.a", bad, "", [(20,)])


def test_numbers_beyond_float64_are_infinite():
    with np.errstate(over="ignore"):  # infinite already where longdouble is float64
        value = np.full(3, np.longdouble(2) ** 1000) ** 1.5
    refused(ValueError, "P.a must be finite, got inf at index 0.", array, "P.a", value, "", [(3,)])


# --- steps ----------------------------------------------------------------------------------------------------------

dts = st.floats(1e-3, 10.0)


@prop
@given(whole=st.integers(0, 2**40), dt=dts)
def test_steps_is_never_wrong_for_whole_multiples(whole, dt):
    assert steps("run.T", whole * dt, dt) == whole


@prop
@given(whole=st.integers(0, 10**6), tenths=st.integers(1, 1000))
def test_steps_of_decimal_durations(whole, tenths):
    dt = tenths / 1000
    assert steps("run.T", float(fractions.Fraction(whole * tenths, 1000)), dt) == whole


@prop
@given(whole=st.integers(0, 10**6), off=st.floats(-0.99e-3, 0.99e-3), dt=dts)
def test_steps_forgives_a_thousandth_of_a_step(whole, off, dt):
    duration = (whole + off) * dt
    assume(duration >= 0)
    assert steps("run.T", duration, dt, at_least=whole) == whole


@prop
@given(whole=st.integers(0, 10**6), off=st.floats(1.01e-3, 0.99898), dt=dts)
def test_steps_names_the_two_neighbours(whole, off, dt):
    duration = (whole + off) * dt
    with pytest.raises(ValueError, match=re.escape(f"steps of {dt} ms, got {duration}. Use ")) as caught:
        steps("run.T", duration, dt)
    below, above = map(float, re.search(r"Use (\S+) or (\S+) ms\.$", str(caught.value)).groups())
    assert below < duration < above
    assert steps("run.T", below, dt) == whole
    assert steps("run.T", above, dt) == whole + 1


@prop
@given(duration=st.floats(), dt=dts, at_least=st.integers(0, 5))
def test_steps_is_right_or_refuses(duration, dt, at_least):
    try:
        whole = steps("run.T", duration, dt, at_least=at_least)
    except ValueError as error:
        assert str(error).startswith("run.T must be ")  # noqa: PT017 - either outcome is fine
    else:
        assert at_least <= whole < 2**62
        assert abs(duration - whole * dt) <= 1.001e-3 * dt + 1e-15 * duration


# --- memory ---------------------------------------------------------------------------------------------------------


def files(folder, **contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.fixture
def machine(tmp_path):
    """The folders of processes and of control groups of a machine with 1000 KiB free."""
    files(tmp_path / "proc", meminfo="MemTotal: 4000 kB\nMemAvailable:    1000 kB\nHugePages: 0\n")
    return tmp_path / "proc", tmp_path / "groups"


def test_free_memory_of_the_machine(machine, tmp_path):
    assert checks.free_memory(*machine) == 1000 * 1024
    assert checks.free_memory(tmp_path, tmp_path) is None
    assert checks.free_memory() is None if sys.platform != "linux" else checks.free_memory() > 2**20


@pytest.mark.parametrize(("limit", "free"), [("5000", 5000 - 3000 + 500), ("max", 1000 * 1024), ("100", 0)])
def test_free_memory_of_a_group(machine, limit, free):
    proc, groups = machine
    files(proc / "self", cgroup="0::/user/me\n")
    files(groups / "user/me", memory__max="max\n", memory__current="9\n", memory__stat="anon 1\ninactive_file 0\n")
    files(groups / "user", memory__max=limit, memory__current="3000\n", memory__stat="anon 1\ninactive_file 500\n")
    assert checks.free_memory(proc, groups) == free


def test_free_memory_of_a_version_1_group(machine):
    proc, groups = machine
    files(proc / "self", cgroup="7:cpu,memory:/job\n1:name=systemd:/job\n0::/\n")
    job = groups / "memory/job"
    files(job, memory__limit_in_bytes="5000\n", memory__usage_in_bytes="3000\n")
    files(job, memory__stat="inactive_file 1\ntotal_inactive_file 500\n")
    assert checks.free_memory(proc, groups) == 2500


def test_fits(monkeypatch):
    monkeypatch.setattr(checks, "free_memory", lambda: 2**30)
    checks.fits("P.run", 2**30, "Record less.")
    message = "P.run must fit in the free memory (1 GiB), got 1.5 GiB. Record less."
    refused(ValueError, message, checks.fits, "P.run", 3 * 2**29, "Record less.")
    monkeypatch.setattr(checks, "free_memory", lambda: None)
    checks.fits("P.run", 2**80, "Record less.")


# --- all of them ----------------------------------------------------------------------------------------------------

BAD = [None, "", "1", "nan", "10 mV", "\ud800", "x" * 200, b"", b"1", bytearray(b"1"), True, False, np.True_, 1j]
BAD += [np.complex64(1), fractions.Fraction(1, 7), decimal.Decimal(2), datetime.timedelta(1), datetime.date(2000, 1, 1)]
BAD += [np.timedelta64(1, "ms"), np.timedelta64(1, "ns"), np.datetime64(1, "s"), pd.NaT, pd.NA, pd.Timestamp(0)]
BAD += [object(), Ellipsis, NotImplemented, int, np.ndarray, len, np, Duck(), Broken(), {1.0: 1.0}, {1.0}]
BAD += [iter([1.0]), (x for x in [1.0]), 10**309, -(10**5000), np.array([1.0, None]), np.array(""), np.array("1.5")]
BAD += [np.zeros(n, kind) for n in (0, 1, 3) for kind in ("?", "c8", "S2", "U3", "O", "M8[s]", "m8[s]", "V4", "f8,f8")]
BAD += [np.ma.masked_less(np.arange(n), 1) for n in (1, 3)]
BAD += [scipy.sparse.eye_array(3, format=name) for name in ("csr", "coo", "dia", "lil")]
BAD += [pd.Series(["a", 1.0]), pd.DataFrame({"a": [1], "b": ["x"]}), [[1.0], [1.0, 2.0]], [[1.0, 2.0], 3.0]]
CHECKS = [
    lambda where, value: magnitude(where, value, "mV"),
    lambda where, value: number(where, value, "ms", above=0),
    lambda where, value: integer(where, value, at_least=1, at_most=2**62),
    lambda where, value: array(where, value, "mV", [(3,), (2, 2)]),
    lambda where, value: steps(where, value, 0.1),
    lambda where, value: one_of(where, value, ["RS", "IB"]),
    lambda where, value: size(where, [value]),
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


@pytest.mark.parametrize(
    "value", ["x" * 10**6, [None] * 10**6, {"a" * 10**5}, np.full(10**6, 1j), [[None] * 1000] * 1000]
)
def test_messages_stay_short(value):
    with pytest.raises(TypeError, match=r"^P\.x must be a number [^\n]{1,200}$"):
        magnitude("P.x", value, "mV")


def test_plain_values_are_cheap():
    value = np.ones(1000)
    for call in [
        lambda: number("P.dt", 0.1, "ms", above=0),
        lambda: integer("P.n", 5, at_least=1),
        lambda: magnitude("P.I", value, "mV/ms"),
        lambda: array("P.a", value, "1/ms", [(1000,)]),
        lambda: steps("P.run.T", 500.0, 0.1),
    ]:
        assert min(timeit.repeat(call, number=100, repeat=20)) / 100 < 50e-6  # about 3 us on an idle machine


def test_nothing_optional_is_imported():
    code = (
        "import sys; from izhnumba._base import checks; checks.magnitude('P.x', [1.0], 'mV');"
        "print({'numba', 'pint', 'astropy', 'saiunit', 'quantities', 'pandas', 'scipy'} & sys.modules.keys())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"
