"""Quantities of the unit packages: converted when they fit, refused when they do not, never stripped of their unit."""

from __future__ import annotations

import importlib
import re

import numpy as np
import pytest

from izhnumba._base import checks

pytestmark = pytest.mark.units
NUMBERS = r"P\.c must be a number or an array of numbers in mV, got "


@pytest.fixture(params=["saiunit", "pint", "astropy.units", "quantities"])
def units(request):
    """The namespace of units of one package: units.mV, units.ms, ..."""
    module = importlib.import_module(request.param)
    return module.UnitRegistry() if request.param == "pint" else module


def array_of(values, unit):
    """An array quantity. saiunit and pint need the array on the left, astropy and quantities take either."""
    return np.asarray(values) * unit


def test_every_unit_of_the_package_is_read(units):
    u = units
    for unit, value, plain in [
        ("ms", 0.5 * u.second, 500.0),
        ("mV", 0.02 * u.volt, 20.0),
        ("mV/ms", 8 * (u.volt / u.second), 8.0),
        ("1/ms", 0.02 / u.ms, 0.02),
        ("1/ms", 20 * u.Hz, 0.02),
        ("pA", 0.1 * u.nA, 100.0),
        ("nS", 0.003 * u.uS, 3.0),
        ("pF", 100 * u.pF, 100.0),
        ("nS/mV", 0.7 * (u.nS / u.mV), 0.7),
        ("Hz", 0.04 / u.ms, 40.0),
        ("1/(mV*ms)", 0.04 / (u.mV * u.ms), 0.04),
        ("rad", 0.5 * u.radian, 0.5),
        ("", (3 * u.mV) / (2 * u.mV), 1.5),
    ]:
        read = checks.magnitude("P.x", value, unit)
        assert type(read) is float, unit
        assert read == pytest.approx(plain, rel=1e-14), unit


def test_a_value_in_the_unit_itself_is_exact(units):
    for value in (0.1, 0.3, -65.0, 1e-300):
        assert checks.number("P.c", value * units.mV, "mV") == value


def test_arrays(units):
    values = np.linspace(-0.08, 0.03, 6)
    for value in (array_of(values, units.volt), array_of(values.reshape(2, 3), units.volt)):
        read = checks.array("P.c", value, "mV", [(6,), (2, 3)])
        assert type(read) is np.ndarray
        np.testing.assert_allclose(read, 1000 * values.reshape(read.shape), rtol=1e-15)
    read = checks.array("P.c", array_of([1, 2], units.volt), "mV", [(2,)])
    np.testing.assert_array_equal(read, [1000, 2000])


def test_lists_are_read_element_by_element(units):
    u = units
    for value in (
        [1 * u.volt, 2000 * u.mV],
        (1 * u.volt, 2000.0),
        [array_of(1.0, u.volt), 2 * u.volt],
        objects(1 * u.volt, 2000 * u.mV),
        objects(1 * u.volt, 2000.0),
        [1 * u.volt, np.float64(2000)],
    ):
        np.testing.assert_allclose(checks.magnitude("P.c", value, "mV"), [1000, 2000], rtol=1e-15)
    nested = [[1 * u.volt, 2 * u.mV], array_of([3.0, 4.0], u.volt)]
    np.testing.assert_allclose(checks.magnitude("P.c", nested, "mV"), [[1000, 2], [3000, 4000]], rtol=1e-15)


def objects(*values):
    result = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        result[index] = value
    return result


def test_misfits_name_parameter_unit_and_value(units):
    u = units
    for value, got in [
        (2.5 * u.nA, r"2\.5 (nA|nanoampere)"),
        (2.5 * u.ms, r"2\.5 (ms|millisecond)"),
        (2.5 * (u.mV / u.ms), r"2\.5 .*"),
        (array_of([1.5, 2.5], u.nA), r"\[1\.5 2\.5\] (nA|nanoampere)"),
        ([1.5 * u.mV, 2.5 * u.nA], r"2\.5 (nA|nanoampere) at index 1"),
        (objects(2.5 * u.nA, 1.5 * u.mV), r"2\.5 (nA|nanoampere) at index 0"),
        ([[1.5 * u.mV], [2.5 * u.nA]], r"2\.5 (nA|nanoampere) at index \(1, 0\)"),
    ]:
        with pytest.raises(ValueError, match=rf"^{NUMBERS}{got}\. Its unit must convert to mV\.$"):
            checks.magnitude("P.c", value, "mV")


def test_numbers_without_unit_refuse_quantities(units):
    for check, must in [(checks.integer, "a whole number"), (checks.number, "a finite number")]:
        with pytest.raises(ValueError, match=rf"^P\.n must be {must}, got 2\.5 .*\. Pass it without a unit\.$"):
            check("P.n", 2.5 * units.ms)
    with pytest.raises(
        ValueError, match=r"^P\.size must be a whole number >= 1, got 2\.5 .*\. Pass it without a unit\.$"
    ):
        checks.size("P.size", (2, 2.5 * units.ms))


def test_large_misfits_are_not_dumped(units):
    with pytest.raises(ValueError, match=rf"^{NUMBERS}.*(nA|nanoampere).* Its unit must convert") as caught:
        checks.magnitude("P.c", array_of(np.arange(1e6), units.nA), "mV")
    assert len(str(caught.value)) < 200


def test_bounds_and_nan_are_those_of_the_number(units):
    u = units
    with pytest.raises(ValueError, match=r"^P\.dt must be a finite number > 0 ms, got -1\.5 (s|second)\.$"):
        checks.number("P.dt", -1.5 * u.second, "ms", above=0)
    with pytest.raises(ValueError, match=r"^P\.c must be finite, got nan at index 1\.$"):
        checks.array("P.c", array_of([1.0, np.nan], u.volt), "mV", [(2,)])
    with pytest.raises(ValueError, match=re.escape("P.c must have shape () or (3,), got (2,). Pass one value for all")):
        checks.array("P.c", array_of([1.0, 2.0], u.volt), "mV", [(3,)])


def test_durations(units):
    u = units
    assert checks.steps("run.T", 500 * u.ms, 0.1) == 5000
    assert checks.steps("run.T", 0.3 * u.second, 0.1) == 3000
    must = r"^run\.T must be a whole number of steps of 0\.1 ms, got "
    with pytest.raises(ValueError, match=must + r"0\.25 (ms|millisecond)\. Use 0\.2 or 0\.3 ms\.$"):
        checks.steps("run.T", 0.25 * u.ms, 0.1)
    must = r"^run\.T must be a finite number >= 0 ms, got "
    with pytest.raises(ValueError, match=must + r"2\.5 (mV|millivolt)\. Its unit must convert to ms\.$"):
        checks.steps("run.T", 2.5 * u.mV, 0.1)


def test_bare_units(units):
    """A unit is no value; only in quantities is it one (1 mV), by that package's own rule."""
    if hasattr(type(units.mV), "rescale"):
        assert checks.magnitude("P.c", units.mV, "mV") == 1.0
    else:
        with pytest.raises(TypeError, match=f"^{NUMBERS}"):
            checks.magnitude("P.c", units.mV, "mV")


def test_numbers_of_other_arrays():
    """Arrays that carry no unit are plain numbers, whatever library made them."""
    import jax  # comes with saiunit

    np.testing.assert_array_equal(checks.magnitude("P.c", jax.numpy.arange(3), "mV"), [0, 1, 2])
    with pytest.raises(TypeError, match=f"^{NUMBERS}"):
        jax.jit(lambda x: checks.magnitude("P.c", x, "mV"))(1.0)
    with pytest.raises((TypeError, ValueError), match=f"^{NUMBERS}"):
        checks.magnitude("P.c", jax.numpy.zeros(2, "bfloat16"), "mV")


class Foreign(np.ndarray):
    """A quantity of a package that is not read: brian2 marks its arrays like this."""

    dimensions = "volt"


def test_quantities_of_other_packages_are_refused():
    for value in (np.ones(3).view(Foreign), [np.ones(()).view(Foreign)]):
        with pytest.raises(
            TypeError, match=rf"^{NUMBERS}.*\. Pass plain numbers in mV, such as np.asarray\(x / mV\)\.$"
        ):
            checks.magnitude("P.c", value, "mV")
        with pytest.raises(TypeError, match=r"Pass plain numbers in mV/ms, such as np.asarray\(x / \(mV/ms\)\)\.$"):
            checks.magnitude("P.d", value, "mV/ms")
        with pytest.raises(TypeError, match=r"\. Pass plain numbers\.$"):
            checks.magnitude("P.k", value, "")


def test_masked_quantities_are_refused():
    import astropy.units
    from astropy.utils.masked import Masked

    with pytest.raises(TypeError, match=rf"^{NUMBERS}.*Fill the masked elements"):
        checks.magnitude("P.c", Masked([1.0, 2.0] * astropy.units.mV, mask=[False, True]), "mV")
