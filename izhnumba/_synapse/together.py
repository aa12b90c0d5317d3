"""Short-term and long-term plasticity of one synapse: two rules as one, whose functions call those of both."""

from __future__ import annotations

import collections
import dataclasses
import functools
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import assign
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.plasticity_contract import DECAYED, MOST_TRACES
from izhnumba._synapse.rule_numbers import plain

Array = NDArray[Any]
_MUST = "a rule such as STDP(), a list of a short-term and a long-term rule such as [TsodyksMarkram(), STDP()], or None"
_TRIED = (0.0, 0.25, 1.0)  # weights, eligibilities and traces


def rules_in(rule: Plasticity) -> tuple[Plasticity, ...]:
    """The rules as a user passed them: this one, or a short-term and a long-term one."""
    return rule.rules if isinstance(rule, Together) else (rule,)


class Together(Plasticity):
    """A short-term rule that scales what a long-term rule delivers.

    At an arrival the long-term rule comes first, as if it were alone: it says what amount is delivered and what the
    weight is from now on. The short-term rule gets that amount for w, and what it delivers of it is delivered.

    Parameters
    ----------
    short : Plasticity
        It has `arrival` alone, which returns w and e as they are.
    long : Plasticity
    """

    rules: tuple[Plasticity, Plasticity]
    shape: _Shape

    def __init__(self, short: Plasticity, long: Plasticity) -> None:
        settings = ("keeps_e", "latest_first", "update_first", "period", "modulator_tau", "eligibility_tau")
        assign(self, rules=(short, long), **{name: getattr(long, name) for name in settings})

    def states(self) -> list[tuple[str, float]]:
        return self.rules[1].states()

    def taus(self) -> tuple[list[float], list[float]]:
        (x_short, _), (x_long, y) = (rule.taus() for rule in self.rules)
        return [*x_short, *x_long], list(y)

    def traces(self, dt: float) -> tuple[list[Array], list[Array]]:
        (x_short, _), (x_long, y) = (rule.traces(dt) for rule in self.rules)
        return [*x_short, *x_long], list(y)

    def parameters(self) -> dict[str, Any]:
        return {
            f"{which}_{name}": value
            for which, rule in zip(("short", "long"), self.rules, strict=True)
            for name, value in rule.parameters().items()
        }


class _Shape(NamedTuple):
    """How many traces x the short-term and the long-term rule have, names of their parameters, whether those of the
    long-term one are always 1 after an arrival, and whether it sees states of the targets."""

    n_x: int
    n_long: int
    short_names: tuple[str, ...]
    long_names: tuple[str, ...]
    nearest: bool
    sees: bool


def _shape(short: Plasticity, long: Plasticity, dt: float) -> _Shape:
    short, long = plain(short), plain(long)
    n_x, n_long = (len(rule.traces(dt)[0]) for rule in (short, long))
    return _Shape(n_x, n_long, tuple(short.parameters()), tuple(long.parameters()), bool(long.nearest),
                  bool(long.states()))  # fmt: skip


@functools.cache
def _kind(short: Any, long: Any, shape: _Shape) -> type[Together]:
    """The class of two rules of these classes: its functions find the traces and parameters of the short-term one
    first."""
    N_X, N_P, ONES, NEAREST = shape.n_x, len(shape.short_names), (1.0,) * shape.n_long, shape.nearest
    Short, Long = (collections.namedtuple("parameters", names) for names in (shape.short_names, shape.long_names))  # noqa: PYI024
    scaled, arrived = short.arrival, long.arrival
    target_spiked, spiked, updated = long.target_spike, long.after_spike, long.update
    stepped, goes_on = long.each_step, long.when

    def arrival(w, e, x, y, p):
        amount, w, e, x_long = arrived(w, e, x[N_X:], y, Long(*p[N_P:]))
        amount, _, _, x_short = scaled(amount, 0.0, x[:N_X], (), Short(*p[:N_P]))
        return amount, w, e, x_short + (ONES if NEAREST else x_long)

    def target_spike(w, e, x, y, p):
        return target_spiked(w, e, x[N_X:], y, Long(*p[N_P:]))

    def after_spike(y, p):
        return spiked(y, Long(*p[N_P:]))

    def update(w, e, y, m, p):
        return updated(w, e, y, m, Long(*p[N_P:]))

    def seeing_arrival(w, e, x, y, v, p):
        """Parameters: see `_synapse.voltage_rules`."""
        amount, w, e, x_long = arrived(w, e, x[N_X:], y, v, Long(*p[N_P:]))
        amount, _, _, x_short = scaled(amount, 0.0, x[:N_X], (), Short(*p[:N_P]))
        return amount, w, e, x_short + (ONES if NEAREST else x_long)

    def seeing_target_spike(w, e, x, y, v, p):
        """Parameters: see `_synapse.voltage_rules`."""
        return target_spiked(w, e, x[N_X:], y, v, Long(*p[N_P:]))

    def seeing_update(w, e, y, v, m, p):
        """Parameters: see `_synapse.voltage_rules`; m: the modulator."""
        return updated(w, e, y, v, m, Long(*p[N_P:]))

    def each_step(w, e, x, y, v, dt, p):
        """Parameters: see `_synapse.voltage_rules`."""
        return stepped(w, e, x[N_X:], y, v, dt, Long(*p[N_P:]))

    def when(v, p):
        return goes_on(v, Long(*p[N_P:]))

    own: dict[str, Any] = {"arrival": arrival, "target_spike": target_spike, "update": update}
    if shape.sees:
        own = {"arrival": seeing_arrival, "target_spike": seeing_target_spike, "update": seeing_update}
    own |= {"after_spike": after_spike, "each_step": each_step, "when": when}
    members: dict[str, Any] = {name: staticmethod(one) for name, one in own.items() if getattr(long, name) is not None}
    members["shape"] = shape
    return type(f"{short.__name__} and {long.__name__}", (Together,), members)


def rule_of(where: str, value: object, dt: float) -> Plasticity | None:
    """The rule of synapses, checked, of what a user passes: a rule, a list of a short-term and a long-term one, or
    None."""
    if value is None:
        return None
    several = list(value) if isinstance(value, (list, tuple)) else None
    rules = [checks.kind(where, one, Plasticity, _MUST) for one in ([value] if several is None else several)]
    if several is not None and len(rules) != 2:
        _refuse(where, rules, "")
    for rule in rules:
        rule.check(dt)
    if several is None:
        return rules[0]
    short = [rule for rule in rules if _is_short(rule, dt)]
    if len(short) != 1:
        most = " Two long-term rules are one rule of your own: see docs/howto/own_plasticity.md." if not short else ""
        _refuse(where, rules, most)
    (long,) = (rule for rule in rules if rule is not short[0])
    n = sum(len(plain(rule).traces(dt)[0]) for rule in rules)
    if n > MOST_TRACES:
        raise ValueError(f"{where} must have at most {MOST_TRACES} traces x together, got {n}.")
    kinds: Any = (short[0]._functions(), long._functions())
    return _kind(*kinds, _shape(short[0], long, dt))(short[0], long)


def with_numbers(rule: Plasticity, values: list[dict[str, Array]], n: int) -> Plasticity:
    """A rule for n synapses with arrays (n,) where it has distributions or other arrays.

    values: by the name of the field, for each of `rules_in(rule)`."""
    rules = [
        dataclasses.replace(one, **named) if named else one  # type: ignore[type-var]
        for one, named in zip(rules_in(rule), values, strict=True)
    ]
    for one in rules:
        _check_shapes(one, n)
    if not isinstance(rule, Together):
        return rules[0]
    return _kind(*(one._functions() for one in rules), rule.shape)(*rules)


def _check_shapes(rule: Plasticity, n: int) -> None:
    """Refuse numbers of a rule that are neither one for all n synapses nor one for each."""
    kind, tau = type(rule).__name__, rule.eligibility_tau
    numbers = [(f"{kind}.parameters() {name!r}", value) for name, value in rule.parameters().items()]
    numbers += [(f"{kind}.taus()", value) for taus in rule.taus() for value in taus]
    for where, value in [*numbers, (f"{kind}.eligibility_tau", tau)]:
        if np.shape(value) not in ((), (n,)):
            raise ValueError(f"{where} must have shape () or {(n,)}, got {np.shape(value)}.")
    for where, value in numbers[len(rule.parameters()) :]:
        checks.array(where, value, "ms", above=0.0)
    if np.ndim(tau):
        least = np.min(checks.array(f"{kind}.eligibility_tau", tau, "ms", above=0.0), initial=np.inf)
        if rule.period > DECAYED * least:
            most = f"{DECAYED:g} time constants of the eligibility ({DECAYED * least:g} ms)"
            raise ValueError(f"{kind}.period must be at most {most}, got {rule.period:g} ms.")


def _refuse(where: str, rules: list[Plasticity], cure: str) -> NoReturn:
    must = f"{where} must be one short-term rule, which has arrival alone and keeps w and e, and one long-term rule"
    names = ", ".join(type(rule).__name__ for rule in rules)
    raise ValueError(f"{must}, as in [TsodyksMarkram(), STDP()], got [{names}].{cure}")


def _is_short(rule: Plasticity, dt: float) -> bool:
    """Whether a rule, which has been checked, scales what arrives and changes nothing else."""
    kind: Any = type(rule)
    rule = plain(rule)
    x, y = rule.traces(dt)
    others = (kind.target_spike, kind.after_spike, kind.update, kind.each_step)
    if y or rule.states() or any(one is not None for one in others):
        return False
    p = SimpleNamespace(**rule.parameters())
    with np.errstate(all="ignore"):
        for value in _TRIED:
            w, number = np.float64(value), np.float64(value)
            found = kind.arrival(w, number, (number,) * len(x), (), p)
            if found[1] != w or found[2] != number:
                return False
    return True
