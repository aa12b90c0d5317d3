"""Argument checks. Every value a user passes goes through here, and every message about one is worded here:

    Owner.argument must be <requirement>, got <value>. <cure>

A plain number is taken in the unit the argument is documented in. Quantities of saiunit, brainunit, pint, astropy and
quantities are recognised by their methods, so none of these packages is imported.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import math
import operator
import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from izhnumba._base.memory import free_memory
from izhnumba._base.words import did_you_mean

Array = NDArray[Any]
Bound = float | None
Kind = TypeVar("Kind")

# How to read a quantity in a unit, by the method that only this kind of quantity has.
_READERS: dict[str, Callable[[Any, str], Any]] = {
    "to_decimal": lambda q, unit: q.to_decimal(type(q.unit)(*[unit] if unit else [])),  # saiunit, brainunit
    "m_as": lambda q, unit: q.m_as(unit),  # pint
    "to_value": lambda q, unit: q.to_value(unit),  # astropy
    "rescale": lambda q, unit: q.rescale(unit or "dimensionless").magnitude,  # quantities
}
_CURES = {  # by numpy's letter for a kind of values
    "b": "Write 1 for True and 0 for False.",
    "c": "Pass the real part or the modulus.",
    "U": "Turn text into numbers first.",
    "m": "Pass the time as a number.",
    "O": "Convert it with .astype(float).",
}
_SIGNS = {">": operator.gt, ">=": operator.ge, "<=": operator.le}
_NUMBER_TYPES = {float, int, np.float64, np.float32, np.int64, np.int32}
_TEXT = (str, bytes, bytearray, memoryview)
_TINIEST = 1e-300  # of what must be above 0
_DEEPEST = 32  # nesting of lists, and dimensions of a population: numpy's own limit is 64, older ones' 32
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60


def magnitude(where: str, value: object, unit: str) -> float | Array:
    """`value` in `unit`: a float, or an array of the real dtype it came with."""
    return _plain(f"{where} must be a number or an array of numbers{_in(unit)}", value, unit)


def without_unit(where: str, value: object, unit: str) -> Any:
    """The magnitude of a quantity in `unit`, as its package holds it (perhaps traced by JAX); other values
    unchanged."""
    reader = _reader(value)
    if reader is None:
        return value
    try:
        return reader(value, unit)
    except Exception as error:  # each package has its own
        must = f"{where} must be a number or an array of numbers{_in(unit)}"
        raise _refusal(ValueError, must, shown(value), _convert(unit)) from error


def number(
    where: str,
    value: object,
    unit: str = "",
    *,
    above: Bound = None,
    at_least: Bound = None,
    at_most: Bound = None,
    finite: bool = True,
) -> float:
    """One number within bounds, as a float.

    Parameters
    ----------
    where : str
        "Owner.argument": how an error begins.
    value : number or quantity
    unit : str
        In which a plain number is taken and a quantity is read; "" if it has none.
    above, at_least, at_most : float, optional
        Bounds, in `unit`.
    finite : bool
        False lets infinity pass, never NaN.
    """
    bounds = {">": above, ">=": at_least, "<=": at_most}
    must = f"{where} must be a {'finite ' * finite}number{_bounds(bounds, unit)}"
    plain = _plain(must, value, unit)
    if not isinstance(plain, float):
        raise _refusal(ValueError, must, shown(value), "Pass one value.")
    if not (math.isfinite(plain) if finite else plain == plain) or not _within(plain, bounds):
        raise _refusal(ValueError, must, shown(value))
    if above == 0 and plain < _TINIEST:
        raise _refusal(ValueError, must, shown(value), f"Use at least {_TINIEST:g}, of which there is an inverse.")
    return plain + 0.0 if at_least == 0 else plain  # not -0.0, through which one divides to -inf


class Other(float):
    """A bound that is the value of another argument, named in the message."""

    name: str

    def __new__(cls, name: str, value: float) -> Other:
        bound = super().__new__(cls, value)
        bound.name = name
        return bound

    def __str__(self) -> str:
        return f"{self.name} ({float(self):g})"


def numbers(
    owner: Any, bounds: Mapping[str, Mapping[str, Any]], units: Callable[[str], str] = lambda name: ""
) -> dict[str, float]:
    """The fields of a dataclass that are declared as numbers, or have one for a default, as floats by name.

    bounds: keywords of `number` by field, such as {"high": {"at_least": "low"}}, where a bound may be the name of a
    field before it. units: the unit of a field by its name."""
    found: dict[str, float] = {}
    for field in dataclasses.fields(owner):
        value, default = getattr(owner, field.name), field.default
        declared = field.type in ("float", "int", float, int) or type(default) in (float, int)
        if declared:
            given = bounds.get(field.name, {}).items()
            limits: dict[str, Any] = {key: Other(x, found[x]) if isinstance(x, str) else x for key, x in given}
            found[field.name] = number(f"{type(owner).__name__}.{field.name}", value, units(field.name), **limits)
    return found


def integer(where: str, value: Any, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """A whole number within bounds: any integer type, or a float without a fraction such as 1e4."""
    bounds = {">=": at_least, "<=": at_most}
    must = f"{where} must be a whole number{_bounds(bounds, '')}"
    exact = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))  # both are ints
    plain = value if exact else _plain(must, value, "")
    if not (exact or (isinstance(plain, float) and plain.is_integer())) or not _within(int(plain), bounds):
        raise _refusal(ValueError, must, shown(value))
    return int(plain)


def array(
    where: str,
    value: object,
    unit: str,
    shapes: Sequence[tuple[int, ...]] | None = None,
    *,
    finite: bool = True,
    above: Bound = None,
    at_least: Bound = None,
) -> NDArray[np.float64]:
    """`value` as a float64 array; not a copy if it is one already.

    Parameters
    ----------
    where : str
        "Owner.argument": how an error begins.
    value : number, quantity, array or nested list
    unit : str
        In which plain numbers are taken and quantities are read; "" if there is none.
    shapes : sequence of tuples, optional
        Its shape must be () or exactly one of these; any shape will do without them.
    finite : bool
        False lets infinity pass, never NaN.
    above, at_least : float, optional
        Bounds of every element, in `unit`.
    """
    plain = magnitude(where, value, unit)
    allowed = list(dict.fromkeys([(), *(shapes or [])]))
    if shapes is not None and np.shape(plain) not in allowed:
        *most, last = map(str, allowed)
        must = f"{where} must have shape {', '.join(most)}{' or ' * bool(most)}{last}"
        cure = "Pass one value for all neurons or one per neuron." if most else "Pass one value."
        raise _refusal(ValueError, must, str(np.shape(plain)), cure)
    with np.errstate(over="ignore"):  # a longdouble beyond float64 becomes infinite, and is refused as that
        result = np.asarray(plain, dtype=np.float64)
    good = np.isfinite(result) if finite else ~np.isnan(result)
    _require(f"{where} must be {'finite' if finite else 'numbers'}", result, good)
    bounds = {">": above, ">=": at_least}
    for sign, bound in bounds.items():
        if bound is not None:
            _require(f"{where} must be{_bounds(bounds, unit)}", result, _SIGNS[sign](result, bound))
    if at_least == 0 and np.signbit(result).any():
        return np.asarray(result + 0.0)  # not -0.0
    return result


def finite(where: str, array: Array, dtype: str | np.dtype[Any] | None = None) -> None:
    """Refuse NaN, infinity and numbers that would be infinite in `dtype`; the error names the first of them."""
    if type(array) is np.ndarray and array.dtype.kind == "f" and array.size:
        if array.ndim == 0 and abs(array.item()) <= 3.4e38:  # the short way, of one number
            return
        most = min(np.finfo(kind).max for kind in (array.dtype, dtype or array.dtype))
        if -most <= array.min() and array.max() <= most:  # makes no arrays as large as this one
            return
    _require(f"{where} must be finite", array, np.isfinite(array))
    if dtype is not None and np.dtype(dtype).itemsize < array.dtype.itemsize:
        highest = np.finfo(dtype).max
        _require(f"{where} must be at most {highest:.6g} in size ({dtype})", array, np.abs(array) <= highest)


def indices(where: str, value: object, n: int, noun: str = "") -> Array:
    """Flat indices, 0 <= i < n, as int64. noun: what there are n of, by default the argument's name."""
    if getattr(value, "dtype", None) == np.bool_ or (
        isinstance(value, (list, tuple)) and value and isinstance(value[0], bool)
    ):
        raise TypeError(f"{where} must be a list of whole numbers, got a mask. Use np.flatnonzero(mask).")
    found = np.atleast_1d(magnitude(where, value, ""))
    finite(where, found)
    fraction = found[found != np.rint(found)]
    if found.ndim != 1 or fraction.size:
        got = fraction[0] if fraction.size else f"an array of shape {found.shape}"
        raise ValueError(f"{where} must be a list of whole numbers, got {got}. Pass flat indices such as [0, 5].")
    outside = found[(found < 0) | (found >= n)]
    if outside.size:
        noun = noun or where.rpartition(".")[2]
        raise ValueError(f"{where} must be between 0 and {n - 1}, got {outside[0]:g}. There are {n} {noun}.")
    return found.astype(np.int64)


def steps(where: str, duration: object, dt: float, *, at_least: int = 0) -> int:
    """`duration` in whole steps of `dt`, both in ms. A thousandth of a step is forgiven: 0.3 is 3 steps of 0.1."""
    ratio = number(where, duration, "ms", at_least=None if at_least else 0) / dt
    if not ratio < 2**62:
        raise _refusal(ValueError, f"{where} must be less than 2**62 steps of {dt} ms", shown(duration))
    if ratio < at_least - 1e-3:
        raise _refusal(ValueError, f"{where} must be >= {at_least * dt:.15g} ms", shown(duration))
    whole = round(ratio)
    if abs(ratio - whole) > 1e-3:
        must = f"{where} must be a whole number of steps of {dt} ms"
        cure = f"Use {math.floor(ratio) * dt:.15g} or {math.ceil(ratio) * dt:.15g} ms."
        raise _refusal(ValueError, must, shown(duration), cure)
    return whole


def one_of(where: str, value: object, options: Collection[str]) -> str:
    """One of the names in `options`."""
    if isinstance(value, str) and value in options:
        return str(value)
    kind = ValueError if isinstance(value, str) else TypeError
    raise _refusal(kind, f"{where} must be a known name", shown(value), _suggestion(value, options))


def own_dataclass(value: object, why: str) -> None:
    """Refuse an object whose class is no dataclass, or has fields that a dataclass does not know. why: in words."""
    kind, name = type(value), type(value).__name__
    fields = "__dataclass_fields__" in vars(kind) or not inspect.get_annotations(kind)
    if not dataclasses.is_dataclass(value) or not fields:
        raise TypeError(f"{name} must be a dataclass, {why}. Write @dataclass(frozen=True) above class {name}.")


@overload
def kind(where: str, value: object, types: type[Kind], must_be: str, cure: str = "") -> Kind: ...
@overload
def kind(where: str, value: object, types: object, must_be: str, cure: str = "") -> Any: ...
def kind(where: str, value: object, types: Any, must_be: str, cure: str = "") -> Any:
    """`value`, if it is an instance of `types`; else a TypeError: `where` must be `must_be`."""
    if not isinstance(value, types):
        refuse(where, value, must_be, cure)
    return value


def refuse(where: str, value: object, must_be: str, cure: str = "") -> NoReturn:
    """Raise the TypeError of a value of the wrong kind: `where` must be `must_be`."""
    if isinstance(value, type) and value.__module__.startswith("izhnumba."):
        cure = cure or f"Make an object: {value.__name__}(...)."
    raise _refusal(TypeError, f"{where} must be {must_be}", shown(value), cure)


def takes(where: str, function: Callable[..., Any], *arguments: str, **named: object) -> None:
    """Refuse an object that is no function, and a function that cannot be called with these arguments."""
    must = f"{where} must be a function of ({', '.join([*arguments, *(['*', *named] if named else [])])})"
    if isinstance(function, type) or not callable(function):
        cure = f"Write {function.__name__}(...)." if isinstance(function, type) else ""
        raise _refusal(TypeError, must, shown(function), cure)
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError:
        raise _refusal(TypeError, must, f"one of {inspect.signature(function)}") from None
    except ValueError:  # built-in ones do not always tell
        return


def unknown(where: str, name: str, known: Collection[str], habits: Mapping[str, str] = {}) -> NoReturn:
    """Refuse a keyword that `where` does not have. habits: for names of other programs, in lower case, one of those
    known or a sentence."""
    meant = habits.get(str(name).lower(), name)
    cure = _suggestion(meant, known) if meant in known or meant is name else f"{meant} {_suggestion(None, known)}"
    raise TypeError(f"{where} has no parameter {shown(name)}. {cure}")


def size(where: str, value: Any) -> tuple[int, ...]:
    """The shape of a population: a whole number or a tuple of them, each at least 1."""
    several = isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)
    if several and not 1 <= len(value) <= _DEEPEST:
        must = f"{where} must be a whole number >= 1 or a tuple of 1 to {_DEEPEST} of them"
        raise _refusal(ValueError, must, shown(value))
    lengths = tuple(integer(where, n, at_least=1) for n in (value if several else (value,)))
    if math.prod(lengths) > np.iinfo(np.intp).max:
        raise _refusal(ValueError, f"{where} must be less than 2**63 neurons in all", shown(value))
    return lengths


def dtype(where: str, value: Any) -> np.dtype[Any]:
    """float32 or float64, by name or type."""
    found: np.dtype[Any] | None = None
    with contextlib.suppress(Exception):  # TypeError, ValueError or SyntaxError, depending on the value
        found = None if value is None else np.dtype(value)  # numpy takes None for float64
    if found is not None and found in (np.dtype(np.float32), np.dtype(np.float64)):
        return found
    kind = TypeError if found is None and not isinstance(value, str) else ValueError
    raise _refusal(kind, f"{where} must be float32 or float64", shown(value if found is None else str(found)))


def fits(where: str, n_bytes: float, cure: str, what: str = "") -> None:
    """Refuse to allocate n_bytes if less memory is free, before anything is allocated. what: the contents, in words."""
    free = free_memory() if n_bytes >= 2**24 else None  # less is not worth the look
    if free is not None and n_bytes > free:
        must = f"{where} must fit in the free memory ({free / 2**30:.4g} GiB)"
        needed = float(min(n_bytes, 1e300)) / 2**30
        raise _refusal(ValueError, must, f"{what}{', ' * bool(what)}{needed:.4g} GiB", cure)


def _plain(must: str, value: Any, unit: str, at: tuple[int, ...] = ()) -> float | Array:
    """`value` as plain numbers in `unit`. must: how an error begins; at: indices of `value` in the lists around it."""
    if type(value) is np.ndarray and value.ndim and value.dtype.kind in "fiu":
        return value
    if type(value) in _NUMBER_TYPES:
        with contextlib.suppress(OverflowError):
            return float(value)
    if isinstance(value, Sequence) and not isinstance(value, _TEXT):
        return _stacked(must, value, unit, at)
    reader = _reader(value)
    try:
        plain = reader(value, unit) if reader else value
        obstacle = _obstacle(plain, unit)
        values = np.asarray(None if obstacle else plain)
    except Exception as error:  # each package has its own
        kind, cure = (ValueError, _convert(unit)) if reader else (TypeError, "")
        raise _refusal(kind, must, shown(value) + _at(at), cure) from error
    if values.dtype.kind == "O" and values.ndim and any(map(_reader, values.flat)):
        return _stacked(must, values.tolist(), unit, at)
    if values.dtype.kind not in "fiu":
        kind = ValueError if type(value) is int else TypeError
        cure = _CURES.get(values.dtype.kind, "") if values.dtype != object or isinstance(value, np.ndarray) else ""
        raise _refusal(kind, must, shown(value) + _at(at), obstacle or cure)
    return values if values.ndim else float(values)


def _stacked(must: str, values: Sequence[Any], unit: str, at: tuple[int, ...]) -> Array:
    """One array from a list. Element by element unless all are numbers: numpy would drop the units of some."""
    if len(at) == _DEEPEST:
        raise _refusal(ValueError, must, f"lists nested more than {_DEEPEST} deep")
    if set(map(type, values)) <= _NUMBER_TYPES:
        with contextlib.suppress(OverflowError):  # an int too large for a float: found below, with its place
            return np.array(values, dtype=np.float64)
    parts = [_plain(must, part, unit, (*at, index)) for index, part in enumerate(values)]
    if len(set(map(np.shape, parts))) > 1:
        raise _refusal(ValueError, must, f"rows of different lengths{_at(at)}", "Make all rows equally long.")
    return np.array(parts, dtype=np.float64)


def _reader(value: object) -> Callable[[Any, str], Any] | None:
    """The function of (quantity, unit) that reads this kind of quantity; None for a plain value."""
    return next((read for method, read in _READERS.items() if hasattr(type(value), method)), None)


def _obstacle(value: object, unit: str) -> str:
    """The cure for a value of which numpy would silently drop a unit or a mask; "" for all others."""
    if isinstance(value, np.ndarray) and hasattr(value, "mask"):
        return "Fill the masked elements with .filled(value)."
    if inspect.isroutine(value):
        return "Call it first, or where an input may change in time wrap it: iz.Function(f)."
    if hasattr(type(value), "toarray"):
        return "Convert it with .toarray()."
    if hasattr(type(value), "draw"):  # a distribution
        return "Pass numbers that you have drawn: populations draw, and synapses when they are connected."
    if any(hasattr(type(value), name) for name in ("unit", "units", "dimensions")):  # brian2, for one
        by = f" / ({unit})" if set("*/^") & set(unit) else f" / {unit}" if unit else ""
        return f"Pass plain numbers{_in(unit)}{f', such as np.asarray(x{by})' if by else ''}."
    walked = hasattr(type(value), "__getitem__") and not hasattr(type(value), "__array__")
    return "Pass a list or an array." if walked and not isinstance(value, (str, bytes, memoryview)) else ""


def _refusal(kind: type[Exception], must: str, got: str, cure: str = "") -> Exception:
    return kind(f"{must}, got {got}.{' ' * bool(cure)}{cure}")


def _require(must: str, values: Array, good: Array) -> None:
    if not good.all():
        index = tuple(map(int, np.unravel_index(int(np.argmin(good)), np.shape(values))))
        raise _refusal(ValueError, must, f"{np.asarray(values)[index]}{_at(index)}")


def _within(value: float, bounds: Mapping[str, Bound]) -> bool:
    return all(_SIGNS[sign](value, bound) for sign, bound in bounds.items() if bound is not None)


def _bounds(bounds: Mapping[str, Bound], unit: str) -> str:
    text = " and ".join([f"{sign} {bound}".removesuffix(".0") for sign, bound in bounds.items() if bound is not None])
    return f" {text} {unit}".rstrip() if text else _in(unit)


def _convert(unit: str) -> str:
    return f"Its unit must convert to {unit}." if unit else "Pass it without a unit."


def _in(unit: str) -> str:
    return f" in {unit}" if unit else ""


def _at(index: tuple[int, ...]) -> str:
    return f" at index {index[0] if len(index) == 1 else index}" if index else ""


def _suggestion(name: object, known: Collection[str]) -> str:
    return f"{did_you_mean(name, known)}Known: {', '.join(known)}."


def _is_array(value: object) -> bool:
    return hasattr(type(value), "__array__") or hasattr(type(value), "toarray")


def shown(value: object) -> str:
    """A value in a few words: arrays by their shape, anything long cut in the middle."""
    try:
        if isinstance(value, (np.number, np.bool_)) or _reader(value):
            with np.printoptions(threshold=10, edgeitems=2):
                text = str(value)
        elif _is_array(value) and (shape := getattr(value, "shape", ())):
            kind = "an array" if type(value) is np.ndarray else f"a {type(value).__name__}"
            text = f"{kind} of shape {shape}" + (f" and dtype {value.dtype}" if hasattr(value, "dtype") else "")
        else:
            text = str(value) if isinstance(value, np.ndarray) else _short.repr(value)
    except Exception:  # a value that cannot be printed is named by its type
        text = f"a value of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:50]}...{text[-20:]}"
