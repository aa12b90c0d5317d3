"""What a rule of a user's own must be: refused when it is connected, by name and before anything is made."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import izhnumba as iz

SCHEMES = ("euler", "exact")
KNOWN = "Known: arrival, target_spike, after_spike, update, each_step, when, states, taus, traces, parameters. Names of"


@dataclass(frozen=True)
class Own(iz.Plasticity):
    """Keeps the contract."""

    gain: float = 0.25

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w + p.gain, e, x


def own(base=Own, **members):
    """A dataclass like this one but for these members."""
    return dataclass(frozen=True)(type("Own", (base,), {"__annotations__": {}, **members}))


def plain(w, e, x, y, p):
    return w, w, e, x


# --- the class --------------------------------------------------------------------------------------------------------


class Bare(iz.Plasticity):
    arrival = staticmethod(plain)


@dataclass
class Thawed(iz.Plasticity):
    arrival = staticmethod(plain)


class Undecorated(Own):
    share: float = 0.5


class Overridden(Own):
    gain = 0.5


class Misspelt(Own):
    """Its class attribute is a setting, and may be set without a decorator; `on_post` is nothing."""

    nearest: ClassVar[bool] = True

    @staticmethod
    def on_post(w, e, x, y, p):
        return w, e


DATACLASS = "Network.connect.plasticity must be a frozen dataclass, got "
FIELD = " must be a field, got an attribute of a "
DECORATE = "Write @dataclass(frozen=True) above class"
NO_DATACLASS = f"class that is no dataclass itself. {DECORATE}"
CLASSES = [
    (Bare, f"{DATACLASS}Bare, which is none. {DECORATE} Bare: its fields are the numbers that functions find in p."),
    (Thawed, f"{DATACLASS}Thawed, which can be changed after it has been connected. {DECORATE} Thawed."),
    (Undecorated, f"Undecorated.share{FIELD}{NO_DATACLASS} Undecorated."),
    (Overridden, f"Overridden.gain{FIELD}{NO_DATACLASS} Overridden."),
    (Misspelt, "Misspelt.on_post must be a method that a rule has, got one that nothing calls. Did you mean 'target_s"),
]


# --- names ------------------------------------------------------------------------------------------------------------

NAMES = [
    ("on_pre", "arrival"),
    ("on_post", "target_spike"),
    ("target_spikes", "target_spike"),
    ("targetSpike", "target_spike"),
    ("after_spikes", "after_spike"),
    ("on_update", "update"),
    ("tau", "taus"),
    ("depress", "arrival"),  # by its arguments
]
MISSPELT = [
    (own(**{name: staticmethod(plain)}),
     f"Own.{name} must be a method that a rule has, got one that nothing calls. Did you mean {meant!r}? {KNOWN}")
    for name, meant in NAMES
] + [
    (own(nearset=True), "Own.nearset must be a setting that a rule has, got one that nothing reads. Did you mean 'nea"),
    (own(updates_first=True, __annotations__={"updates_first": bool}),
     "Own.updates_first must be a setting that a rule has, got one that nothing reads. Did you mean 'update_first'?"),
]  # fmt: skip


# --- functions, numbers, traces ---------------------------------------------------------------------------------------


def returning(*results, name="arrival", **members):
    """A rule whose function returns this."""
    found = results[0] if len(results) == 1 else results
    count = 2 if name == "after_spike" else 5
    function = (lambda y, p: found) if count == 2 else (lambda w, e, x, y, p: found)
    return own(**{name: staticmethod(function)}, **members)


def taus(x, y):
    return {"taus": lambda self: (x, y)}


ARRIVAL = "Own.arrival(w, e, x, y, p) must return (amount, w, e, x), x a tuple of "
FUNCTIONS = [
    (own(base=iz.Plasticity), "Own.arrival must be a static method of (w, e, x, y, p), got none. It returns (amount, "),
    (own(arrival=lambda self, w, e, x, y, p: w), "Own.arrival must be a static method of (w, e, x, y, p), got a "
     "function. Write @staticmethod above it and leave out self: the numbers of the rule are in p."),
    (own(arrival=staticmethod(lambda w, e: w)), "Own.arrival must be a function of (w, e, x, y, p), got one of (w, e)"),
    (own(update=staticmethod(plain.__get__(1))), "Own.update must be a static method of (w, e, y, m, p), got a method"),
    (own(after_spike=staticmethod(functools.partial(plain))), "Own.after_spike must be a static method of (y, p), got"),
    (returning(None), f"{ARRIVAL}0 numbers, got None."),
    (returning(1.0, 1.0, 0.0), f"{ARRIVAL}0 numbers, got (1.0, 1.0, 0.0)."),
    (returning("1", 1.0, 0.0, ()), f"{ARRIVAL}0 numbers, got ('1', 1.0, 0.0, ())."),
    (returning(1j, 1.0, 0.0, ()), f"{ARRIVAL}0 numbers, got (1j, 1.0, 0.0, ())."),
    (returning(np.ones(3), 1.0, 0.0, ()), f"{ARRIVAL}0 numbers, got (array([1., 1., 1.]), 1.0, 0.0, ())."),
    (returning(1.0, 1.0, 0.0, (1.0,), **taus([5.0, 6.0], [])), f"{ARRIVAL}2 numbers, got (1.0, 1.0, 0.0, "),
    (returning(1.0, 1.0, 0.0, [1.0], **taus([5.0], [])), f"{ARRIVAL}1 number, got (1.0, 1.0, 0.0, [1.0])"),
    (returning(1.0, name="after_spike", **taus([], [5.0])), "Own.after_spike(y, p) must return y, y a tuple of 1 n"),
    (returning(1.0, 2.0, 3.0, name="target_spike"), "Own.target_spike(w, e, x, y, p) must return (w, e), got (1.0, 2."),
    (returning(np.nan, 1.0, 0.0, ()), "Own.arrival(w, e, x, y, p) must return finite numbers, got (nan, 1, 0) for w = "
     "1 and 0 for e, x, y. That is how synapses begin."),
    (own(arrival=staticmethod(lambda w, e, x, y, p: (w / e, w, e, x))), "Own.arrival(w, e, x, y, p) must return finit"),
    (own(taus=lambda self: [20.0]), "Own.taus() must return two lists of time constants (ms), for x and for y, got [2"),
    (own(**taus([0.0], [])), "Own.taus() must be a finite number > 0 ms, got 0.0."),
    (own(**taus([], ["5"])), "Own.taus() must be a finite number > 0 ms, got '5'."),
    (own(**taus([], [5.0])), "Own.after_spike must be a static method of (y, p) if there are traces y, which nothing "),
    (own(traces=lambda self, dt: ([[1.0, np.nan]], [])), "Own.traces(dt) must return arrays of at most 16777216 finit"),
    (own(traces=lambda self, dt: ([[]], [])), "Own.traces(dt) must return arrays of at most 16777216 finite numbers, "),
    (own(traces=lambda self, dt: None), "Own.traces(dt) must return two lists of arrays, for x and for y, got None."),
    (own(period=-1.0), "Own.period must be a finite number >= 0 ms, got -1.0."),
    (own(modulator_tau=np.inf), "Own.modulator_tau must be a finite number >= 0 ms, got inf."),
    (own(update=staticmethod(lambda w, e, y, m, p: (w, e))), "Own.period must be > 0 ms with an update, got 0. Give it "
     "a field period: float = 10.0."),
    (own(arrival=staticmethod(lambda w, e, x, y, p: (w, w + p.gian, e, x))), f"{ARRIVAL}0 numbers, got AttributeError: "
     "p has no 'gian'. Known: gain."),
    (own(parameters=lambda self: [1.0]), "Own.parameters() must be a dict of numbers by name, got [1.0]."),
    (own(parameters=lambda self: {"gain": 1.0, "a b": 2.0}), "Own.parameters() must have names that functions can rea"),
    (own(parameters=lambda self: {"gain": None}), "Own.gain must be a number, got None."),
]  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_breaks_the_contract_is_refused_before_anything_is_made(scheme):
    net = iz.Network(dt=0.5, scheme=scheme)
    cells = net.add(iz.Population(2))
    for kind, message in (*CLASSES, *MISSPELT, *FUNCTIONS):
        with pytest.raises((TypeError, ValueError)) as caught:
            net.connect(cells, cells, iz.OneToOne(), receptor=iz.Exponential(5.0), plasticity=kind())
        assert str(caught.value).startswith(message)
    assert net.synapses == {}
    assert not cells._engine.outer_receptors


@dataclass(frozen=True)
class Roundabout(Own):
    """Nothing in it breaks the contract: helpers, a private number, and functions that are undefined for large w."""

    w_max: float = 0.1
    label: str = "any"
    kept: list = field(default_factory=list)
    scale: ClassVar[float] = 2.0
    nearest: ClassVar[bool] = True

    def taus(self):
        return [20.0], [20.0]

    def describe(self):
        return self.label

    @property
    def update_rate(self):
        return 0.0

    @staticmethod
    def _powers(w, e, x, y, p):
        return w

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w - p.gain * w**0.4 * y[0], e, x

    @staticmethod
    def target_spike(w, e, x, y, p):
        return w + p.gain * (p.w_max - w) ** 0.4 * x[0], e

    @staticmethod
    def after_spike(y, p):
        return (1.0,)


def test_what_keeps_the_contract_passes():
    for rule in (Own(), Roundabout(), own(keeps_e=False)(), own(period=5.0)(), own(gain=np.float32(2.0))()):
        rule.check(0.5)


@pytest.mark.parametrize("period", [1e-12, 1e12])
def test_periods_that_no_count_of_time_can_hold(period):
    for scheme, message in (("euler", "must be"), ("exact", "must be a finite number >= 1e-09 and <= 4294967296 ms")):
        net = iz.Network(dt=0.5, scheme=scheme)
        cells = net.add(iz.Population(2))
        rule = iz.DopamineSTDP(period=period, tau_e=1e12)
        with pytest.raises(ValueError, match=f"^DopamineSTDP.period {message}"):
            net.connect(cells, cells, iz.OneToOne(), plasticity=rule)
        assert net.synapses == {}


def importing(w, e, x, y, p):
    import math

    return w, math.exp(-w), e, x


def opening(w, e, x, y, p):
    if w < -1e9:
        with open("weights.txt"):
            w = 0.0
    return w, w, e, x


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (importing, "it imports a module, which belongs at the top of the script (line {line} of {file})"),
        (opening, "Unsupported context manager in use (line {line} of {file})"),
    ],
)
def test_why_numba_does_not_compile(scheme, function, reason):
    net = iz.Network(dt=0.5, scheme=scheme)
    cells = net.add(iz.Population(2))
    rule = own(arrival=staticmethod(function))()
    line = function.__code__.co_firstlineno + {"importing": 1, "opening": 2}[function.__name__]
    with pytest.raises(TypeError) as caught:
        net.connect(cells, cells, iz.OneToOne(), plasticity=rule)
    reason = reason.format(line=line, file=Path(__file__).name)
    assert str(caught.value).startswith(f"Own must be a rule that Numba can compile: {reason}. Its functions compute")
