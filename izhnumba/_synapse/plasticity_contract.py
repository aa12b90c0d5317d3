"""The contract of a rule of plasticity, checked when the rule is connected: before a kernel runs or anything is made.

Kernels write what a rule returns into arrays, so a rule must be of the right form before it is compiled. `check` looks
at the class (a frozen dataclass whose methods have names that are called), then at its numbers and traces, and at last
calls each function on plain numbers.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import keyword
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields, is_dataclass
from types import CodeType, SimpleNamespace
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.words import counted

Array = NDArray[Any]
DECAYED = 40.0  # time constants after which a trace is nothing
LONGEST_TABLE = 2**24  # steps in a table of a trace
MOST_TRACES = 4  # of a synapse, and as many of a target
_TRIED = (1.0, 1e-6, -1e-6)  # weights: a function may be undefined beyond the bounds of its rule


class Rule(Protocol):
    """The attributes of a rule that are checked: those of the class Plasticity, which says what they are."""

    period: float
    modulator_tau: float
    eligibility_tau: float

    def states(self) -> list[tuple[str, float]]: ...

    def taus(self) -> tuple[list[float], list[float]]: ...

    def traces(self, dt: float) -> tuple[list[Array], list[Array]]: ...

    def parameters(self) -> dict[str, float]: ...


class Function(NamedTuple):
    """A function of a rule: names of its arguments and of its results."""

    arguments: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"({', '.join(self.arguments)})"


FUNCTIONS = {
    "arrival": Function(("w", "e", "x", "y", "p"), ("amount", "w", "e", "x")),
    "target_spike": Function(("w", "e", "x", "y", "p"), ("w", "e")),
    "after_spike": Function(("y", "p"), ("y",)),
    "update": Function(("w", "e", "y", "m", "p"), ("w", "e")),
}
_YES = "True or False"
SEEING = {  # what functions take if states of the target are seen, v
    "arrival": Function(("w", "e", "x", "y", "v", "p"), ("amount", "w", "e", "x")),
    "target_spike": Function(("w", "e", "x", "y", "v", "p"), ("w", "e")),
    "after_spike": FUNCTIONS["after_spike"],
    "update": Function(("w", "e", "y", "v", "m", "p"), ("w", "e")),
    "each_step": Function(("w", "e", "x", "y", "v", "dt", "p"), ("w", "e")),
    "when": Function(("v", "p"), (_YES,)),
}
_METHODS = (*SEEING, "states", "taus", "traces", "parameters")
_ELSEWHERE = {  # what functions are called in other simulators
    **dict.fromkeys(("on_pre", "pre", "pre_spike", "on_arrival", "on_spike", "pre_update"), "arrival"),
    **dict.fromkeys(("on_post", "post", "post_spike", "on_target_spike", "post_update"), "target_spike"),
    **dict.fromkeys(("on_update", "run_regularly"), "update"),
}
_SETTINGS = ("keeps_e", "nearest", "latest_first", "update_first", "modulator_tau", "eligibility_tau")


def check(rule: Rule, base: type[Rule], dt: float) -> None:
    """Refuse a rule that does not keep the contract of `base`, the class Plasticity. dt: of the clock, ms."""
    kind = type(rule)
    own = kind.__mro__[: kind.__mro__.index(base)]
    _check_dataclass(kind, own)
    _check_names(kind, base, own)
    functions = SEEING if _check_states(rule) else FUNCTIONS
    _check_functions(kind, functions)
    _check_numbers(rule)
    n_x, n_y = _check_traces(rule, base, dt)
    _try_functions(rule, functions, n_x, n_y)


def _check_dataclass(kind: type[Rule], own: Sequence[type]) -> None:
    """Refuse a class whose attributes would not reach the functions, or could change behind their back."""
    must, cure = "Network.connect.plasticity must be a frozen dataclass", "Write @dataclass(frozen=True) above class"
    if not is_dataclass(kind):
        raise TypeError(
            f"{must}, got {kind.__name__}, which is none. {cure} {kind.__name__}: its fields are the numbers that "
            "functions find in p."
        )
    if not kind.__dataclass_params__.frozen:
        raise TypeError(
            f"{must}, got {kind.__name__}, which can be changed after it has been connected. {cure} {kind.__name__}."
        )
    known = {field.name for field in fields(kind)}
    for one in own:
        if "__dataclass_fields__" not in vars(one):
            for name in _declared(one, known):
                raise TypeError(
                    f"{kind.__name__}.{name} must be a field, got an attribute of a class that is no dataclass itself. "
                    f"{cure} {one.__name__}."
                )


def _declared(kind: type, known: set[str]) -> Iterator[str]:
    """Names that a class declares as if it were a dataclass. known: fields of classes that it inherits from."""
    with contextlib.suppress(NameError):  # annotations may name what is not there
        for name, annotation in inspect.get_annotations(kind).items():
            if "ClassVar" not in str(annotation):
                yield name
    yield from (name for name in vars(kind) if name in known)


def _check_names(kind: type[Rule], base: type[Rule], own: Sequence[type]) -> None:
    """Refuse public names that nothing reads and that are near to those of the contract."""
    for name, value in ((name, value) for one in own for name, value in vars(one).items()):
        if name[:1] == "_" or hasattr(base, name) or name in SEEING:
            continue
        function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if inspect.isroutine(function):
            meant, noun, all_names = _meant(name, function), "method", _METHODS
        else:
            meant, noun, all_names = next(iter(difflib.get_close_matches(name, _SETTINGS, 1, 0.8)), None), "", _SETTINGS
        if meant is not None:
            raise TypeError(
                f"{kind.__name__}.{name} must be a {noun or 'setting'} that a rule has, got one that nothing "
                f"{'calls' if noun else 'reads'}. Did you mean {meant!r}? Known: {', '.join(all_names)}. Names of your "
                "own begin with an underscore."
            )


def _meant(name: str, function: Callable[..., Any]) -> str | None:
    """The method for which a function seems to be meant, by its name or else by its arguments."""
    near = difflib.get_close_matches(name.lower(), _METHODS, 1, 0.75)
    with contextlib.suppress(TypeError, ValueError):
        arguments = tuple(inspect.signature(function).parameters)
        near += [known for some in (FUNCTIONS, SEEING) for known, one in some.items() if one.arguments == arguments]
    return _ELSEWHERE.get(name.lower(), near[0] if near else None)


def _check_states(rule: Rule) -> int:
    """Refuse states of the target that are not named as they must be. Returns how many there are."""
    where, found = f"{type(rule).__name__}.states()", rule.states()
    good = isinstance(found, (list, tuple)) and all(
        isinstance(one, (list, tuple)) and len(one) == 2 and isinstance(one[0], str) for one in found
    )
    if not good:
        must = f'{where} must return a list of states and time constants (ms), as [("V", 0)]'
        raise TypeError(f"{must}, got {checks.shown(found)}.")
    if len(found) > MOST_TRACES:
        raise ValueError(f"{where} must return at most four states, got {len(found)}.")
    for _, tau in found:
        checks.number(where, tau, "ms", at_least=0.0)
    for name in () if found else ("each_step", "when"):
        if getattr(type(rule), name, None) is not None:
            sees = f"{type(rule).__name__}.{name}"
            raise TypeError(f'{where} must name what {sees} sees of the target, got nothing. Return [("V", 0)], say.')
    return len(found)


def _check_functions(kind: type[Rule], functions: dict[str, Function]) -> None:
    """Refuse functions that cannot be called with the arguments of the contract."""
    for name, function in functions.items():
        where, found = f"{kind.__name__}.{name}", inspect.getattr_static(kind, name, None)
        if found is None and name != "arrival":
            continue
        must = f"{where} must be a static method of {function}"
        if found is None:
            raise TypeError(f"{must}, got none. It returns ({', '.join(function.results)}).")
        if not isinstance(found, staticmethod):
            raise TypeError(
                f"{must}, got a {type(found).__name__}. Write @staticmethod above it and leave out self: the "
                "numbers of the rule are in p."
            )
        if not inspect.isfunction(found.__func__):
            raise TypeError(
                f"{must}, got a {type(found.__func__).__name__}. Write a plain function: it is compiled here."
            )
        checks.takes(where, found.__func__, *function.arguments)


def _check_numbers(rule: Rule) -> None:
    """Refuse parameters that kernels cannot hold, and settings that are no times."""
    name, numbers = type(rule).__name__, rule.parameters()
    checks.kind(f"{name}.parameters()", numbers, dict, "a dict of numbers by name")
    for key, value in numbers.items():
        if not (isinstance(key, str) and key.isidentifier() and key[0] != "_" and not keyword.iskeyword(key)):
            raise ValueError(
                f"{name}.parameters() must have names that functions can read as p.name, got {key!r}. Choose one that "
                "begins with a letter."
            )
        checks.number(f"{name}.{key}", value, finite=False)
    for setting in ("period", "modulator_tau", "eligibility_tau"):
        checks.number(f"{name}.{setting}", getattr(rule, setting), "ms", at_least=0.0)
    if getattr(type(rule), "update", None) and not rule.period:
        raise ValueError(
            f"{name}.period must be > 0 ms with an update, got {rule.period:g}. Give it a field period: float = 10.0."
        )
    if rule.eligibility_tau and not (
        getattr(type(rule), "update", None) and 0 < rule.period <= DECAYED * rule.eligibility_tau
    ):
        most = f"{DECAYED:g} time constants of the eligibility ({DECAYED * rule.eligibility_tau:g} ms)"
        raise ValueError(f"{name}.period must be > 0 and at most {most}, with an update, got {rule.period:g} ms.")


def _check_traces(rule: Rule, base: type[Rule], dt: float) -> tuple[int, int]:
    """Refuse traces of another form. Returns how many there are of a synapse, and of a target."""
    name = type(rule).__name__
    if type(rule).traces is base.traces:
        where = f"{name}.taus()"
        for tau in (tau for taus in _two_lists(where, rule.taus(), "time constants (ms)") for tau in taus):
            checks.number(where, tau, "ms", above=0.0)
    where = f"{name}.traces(dt)"
    x, y = _two_lists(where, rule.traces(dt), "arrays")
    if max(len(x), len(y)) > MOST_TRACES:
        raise ValueError(f"{where} must return at most four traces of each kind, got {len(x)} and {len(y)}.")
    for table in (*x, *y):
        values = np.asarray(table)
        good = values.ndim == 1 and 0 < values.size <= LONGEST_TABLE and values.dtype.kind in "fiu"
        if not (good and np.isfinite(values).all()):
            raise ValueError(
                f"{where} must return arrays of at most {LONGEST_TABLE} finite numbers, one for each step after an "
                f"event, got {checks.shown(table)}."
            )
    if y and getattr(type(rule), "after_spike", None) is None:
        raise TypeError(
            f"{name}.after_spike must be a static method of {FUNCTIONS['after_spike']} if there are traces y, which "
            "nothing else sets, got none. Write it, or leave y out of taus()."
        )
    return len(x), len(y)


def _two_lists(where: str, value: Any, of: str) -> tuple[Sequence[Any], Sequence[Any]]:
    """The two lists that a method returns: for traces of synapses, and of targets."""
    pair = isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(z, (tuple, list)) for z in value)
    if not pair:
        raise TypeError(f"{where} must return two lists of {of}, for x and for y, got {checks.shown(value)}.")
    return value[0], value[1]


def may_read(function: Any, names: Collection[str]) -> bool:
    """Whether a function of a rule may look at one of these numbers in p: by its code, or since it calls another."""
    codes = [function.__code__]
    for code in codes:  # which grows meanwhile
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
    used = {name for code in codes for name in code.co_names}
    calls = any(inspect.isfunction(function.__globals__.get(name)) for name in used) or function.__closure__
    return bool(calls) or not used.isdisjoint(names)


class _Numbers(SimpleNamespace):
    """The numbers of a rule by name, p, for the trial of its functions."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"p has no {name!r}. Known: {', '.join(vars(self)) or 'none'}.")


def _try_functions(rule: Rule, functions: dict[str, Function], n_x: int, n_y: int) -> None:
    """Call each function, as kernels will: in the middle of a run, where all numbers are 1, and at the first event,
    where all but the weight are 0 and the results must be finite."""
    p = _Numbers(**rule.parameters())
    several = {"x": n_x, "y": n_y}
    for name, function in functions.items():
        call, where = getattr(type(rule), name), f"{type(rule).__name__}.{name}{function}"
        if call is None:
            continue

        def results(value: float, weight: float) -> list[float]:
            number = np.float64(value)
            known = {"w": np.float64(weight), "e": number, "m": number, "p": p}
            known |= {"x": (number,) * n_x, "y": (number,) * n_y, "dt": np.float64(1.0)}
            known |= {"v": (number,) * len(rule.states())}
            arguments = [known[argument] for argument in function.arguments]  # noqa: B023
            return _called(where, call, arguments, function, several)  # noqa: B023

        results(1.0, 1.0)
        at_first = [results(0.0, weight) for weight in _TRIED]
        if not any(np.isfinite(found).all() for found in at_first):
            zero = ", ".join(argument for argument in function.arguments if argument not in "wp")
            got = ", ".join(f"{one:g}" for one in at_first[0])
            raise ValueError(
                f"{where} must return finite numbers, got ({got}) for w = {_TRIED[0]:g} and 0 for {zero}. That is how "
                "synapses begin."
            )


def _called(
    where: str, call: Callable[..., Any], arguments: list[Any], function: Function, several: dict[str, int]
) -> list[float]:
    """The results of a call, one after the other: as many numbers as the contract names."""
    last = function.results[-1]
    traces = several.get(last)
    try:
        with np.errstate(all="ignore"):
            found = call(*arguments)
        results = (found,) if len(function.results) == 1 else found
        good = isinstance(results, tuple) and len(results) == len(function.results)
        if traces is not None:
            good = good and isinstance(results[-1], tuple) and len(results[-1]) == traces
            results = (*results[:-1], *results[-1]) if good else ()
        kinds = (bool, np.bool_) if last == _YES else (int, float, np.integer, np.floating)
        good = good and all(isinstance(one, kinds) for one in results)
        got = repr(found)
    except Exception as error:
        good, got, results = False, f"{type(error).__name__}: {error}".rstrip("."), ()
    if not good:
        returns = last if len(function.results) == 1 else f"({', '.join(function.results)})"
        as_many = "" if traces is None else f", {last} a tuple of {counted(traces, 'number')}"
        raise TypeError(f"{where} must return {returns}{as_many}, got {got}.")
    return [float(one) for one in results]
