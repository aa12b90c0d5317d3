"""Receptors: what the base class promises, and what is asked of one of the user's own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import izhnumba as iz

LINEAR = [
    iz.Exponential(5.0), iz.Exponential(5.0, E=0.0), iz.Alpha(2.0), iz.DualExponential(1.0, 5.0), iz.AMPA(),
    iz.GABA_B(),
]  # fmt: skip


@dataclass(frozen=True)
class Plateau(iz.Receptor):
    """Rises with tau_rise to a plateau that fades with tau_fade, ms."""

    tau_rise: float = 2.0
    tau_fade: float = 1000.0
    E: float | None = None

    def rates(self):
        rise, fade = 1 / self.tau_rise, 1 / self.tau_fade
        return iz.Rates(2, alpha=-rise, beta=rise, gamma=-fade)


@dataclass(frozen=True)
class Own(iz.Receptor):
    """Whatever a test wants it to return."""

    found: Any = None
    adds_to: str = "current"
    gate: Any = None
    told: Any = field(default=None, compare=False)

    def propagator(self, dt):
        return self.found

    def rates(self):
        return self.told


def chain(receptor, scheme="exp_euler", weight=3.0):
    """A neuron that spikes once and one that it reaches: the network, synapses, and their current every 2 ms."""
    net = iz.Network(dt=0.5, scheme=scheme, seed=1)
    cells = net.add(iz.Population(2, **iz.presets["RS"]), name="cells")
    syn = net.connect(cells, cells, ([0], [1]), weight=weight, delay=1.0, receptor=receptor, name="syn")
    net.drive(cells, iz.SpikeTrain([0], [1.0], 200.0))
    return net, syn, net.record(syn, "current", every=2.0, name="current")


@pytest.mark.parametrize("receptor", LINEAR, ids=repr)
def test_rates_and_propagator_of_a_receptor_agree(receptor):
    ours, derived = receptor.propagator(0.3), receptor.rates().propagator(0.3)
    assert ours == pytest.approx(derived, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("gamma", [-0.4, -0.400000000001, -0.1, -2.0])
def test_propagator_from_rates_is_the_solution(gamma):
    from scipy.linalg import expm

    rates, dt = iz.Rates(2, alpha=-0.4, beta=0.7, gamma=gamma, factor=1.5), 0.5
    (decay_y, x_to_y), (_, decay_x) = expm(np.array([[rates.alpha, rates.beta], [0.0, rates.gamma]]) * dt)
    assert rates.propagator(dt)[1:5] == pytest.approx((decay_y, x_to_y, decay_x, 1.5), rel=1e-12)


def test_kinds():
    kinds = {type(one).__name__: one.adds_to for one in (iz.Delta(), iz.Pulse(), iz.NMDA(), iz.GapJunction())}
    assert kinds == {"Delta": "V", "Pulse": "current", "NMDA": "conductance", "GapJunction": "coupling"}
    assert iz.Alpha(1.0).adds_to == "current"
    assert iz.Alpha(1.0, E=0.0).adds_to == "conductance"
    assert [one.gate for one in LINEAR] == [None] * len(LINEAR)
    assert iz.NMDA(Mg=2.0).gate[:2] == ("Mg", 2.0)


def test_own_receptor_in_both_engines():
    """The current follows the equations, from the arrival on; the engines agree as dt allows."""
    receptor = Plateau()
    net, syn, current = chain(receptor)
    net.run(20.0)
    assert syn.receptor is receptor
    exact, _, there = chain(receptor, "exact")
    exact.run(20.0)
    assert current.current[:, 0].max() == there.current[:, 0].max() == 0.0
    t = np.maximum(there.t - 2.0, 0.0)  # the spike comes at 1 ms, by a jump, and has a delay of 1 ms
    y = 3.0 / (1 - 0.002) * (np.exp(-t / 1000.0) - np.exp(-t / 2.0))
    assert there.current[:, 1] == pytest.approx(y, rel=1e-9, abs=1e-12)
    assert current.current[2:, 1] == pytest.approx(y[2:], rel=0.2)
    assert current.current[-1, 1] == pytest.approx(y[-1], rel=1e-3)


def test_equal_own_receptors_are_one():
    net, syn, _ = chain(Plateau())
    cells = net.populations["cells"]
    other = net.connect(cells, cells, ([1], [0]), receptor=Plateau())
    third = net.connect(cells, cells, ([1], [0]), receptor=Plateau(tau_rise=3.0))
    assert other.receptor is syn.receptor
    assert third.receptor != syn.receptor


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_checkpoint_of_an_own_receptor(scheme, tmp_path):
    net, _, current = chain(Plateau(), scheme)
    net.run(6.0)
    net.save(tmp_path / "state.npz")
    with pytest.raises(ValueError, match=r"load.define must hold the class 'Plateau'"):
        iz.load(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz", define=[Plateau])
    for one in (net, again):
        one.run(6.0)
    assert again.recorders["current"].current.tolist() == current.current.tolist()
    assert current.current[-1, 1] > 2


class NoDataclass(iz.Receptor):
    def rates(self):
        return iz.Rates(1, -1.0)


class UndecoratedField(iz.Exponential):
    more: float = 1.0


@dataclass
class Thawed(iz.Receptor):
    tau: float = 5.0

    def rates(self):
        return iz.Rates(1, -1 / self.tau)


@dataclass(frozen=True)
class NoMethods(iz.Receptor):
    pass


@pytest.mark.parametrize(
    ("receptor", "error", "words"),
    [
        (NoDataclass(), TypeError, "NoDataclass must be a dataclass, .*Write @dataclass.frozen=True. above class NoD"),
        (UndecoratedField(2.0), TypeError, "UndecoratedField must be a dataclass, .*above class UndecoratedField"),
        (NoMethods(), TypeError, r"NoMethods must have a method rates\(\) or propagator\(dt\)"),
        (Own(None), ValueError, "Own.propagator must return a Propagator of 0, 1 or 2 states, .*got None"),
        (Own(iz.Propagator(1, steps=2)), ValueError, "or of several steps without states, got Propagator"),
        (
            Own(iz.Propagator(1, 1.1)),
            ValueError,
            r"Own.propagator must decay .decay_y, decay_x <= 1., got decay_y = 1.1",
        ),
        (Own(iz.Propagator(1, np.ones(2))), ValueError, "Own.propagator must return a Propagator of .*got Propagator"),
        (Thawed(), TypeError, "Thawed must be a frozen dataclass, got one that can be changed .* above class Thawed"),
        (Plateau(E="0 mV"), ValueError, "Plateau.E must be a finite number in mV or None, got '0 mV'"),
        (Plateau(E=np.zeros(2)), ValueError, "Plateau.E must be a finite number in mV or None, got an array of shape"),
        (Plateau(E=math.nan), ValueError, "Plateau.E must be a finite number in mV or None, got nan"),
        (Own(iz.Propagator(1), "V"), ValueError, "Own.adds_to must be 'current' or 'conductance', got 'V'"),
        (Own(iz.Propagator(1), gate=iz.NMDA().gate), ValueError, "Own.gate must come with E, its reversal potential"),
    ],
)
def test_own_receptor_that_cannot_be(receptor, error, words):
    net, syn, _ = chain(iz.Alpha(1.0))
    cells = net.populations["cells"]
    with pytest.raises(error, match=words):
        net.connect(cells, cells, iz.AllToAll(), receptor=receptor)
    assert dict(net.synapses) == {"syn": syn}
    with pytest.raises(error, match=words):
        net.drive(cells, iz.Poisson(10.0, receptor=receptor))
    net.run(1.0)


@dataclass(frozen=True)
class Telling(iz.Receptor):
    """Tells whatever rates a test wants; a function is called."""

    told: Any

    def rates(self):
        return self.told() if callable(self.told) else self.told


RETURN = "Telling.rates must return Rates of 1 or 2 states, all finite, the factor 1 unless there are two, got "
BAD_RATES = [
    (iz.Rates(0), f"{RETURN}Rates"),
    (iz.Rates(3, -1.0, 1.0, -0.1), f"{RETURN}Rates"),
    (iz.Rates(1, -1.0, factor=2.0), f"{RETURN}Rates"),
    (iz.Rates(1, math.nan), f"{RETURN}Rates"),
    (iz.Rates(1, np.array([-1.0, -2.0])), f"{RETURN}Rates"),
    ((1, -1.0), RETURN + r"\(1, -1.0\)"),
    (lambda: iz.Rates(1, -1 / 0), f"{RETURN}ZeroDivisionError: "),
    (iz.Rates(1, 0.33), r"Telling.rates must decay \(alpha, gamma <= 0\), got alpha = 0.33"),
    (iz.Rates(2, -1.0, 1.0, 0.5), r"Telling.rates must decay \(alpha, gamma <= 0\), got gamma = 0.5"),
]


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_rates_that_no_scheme_can_follow(scheme):
    net, syn, _ = chain(iz.Alpha(1.0), scheme)
    cells = net.populations["cells"]
    for told, words in BAD_RATES:
        with pytest.raises(ValueError, match=f"^{words}"):
            net.connect(cells, cells, iz.AllToAll(), receptor=Telling(told))
    assert dict(net.synapses) == {"syn": syn}


def named(**members):
    """A receptor with these members, fields if they are numbers."""
    numbers = {name: float for name, value in members.items() if isinstance(value, float)}
    return dataclass(frozen=True)(type("Named", (iz.Receptor,), {"__annotations__": numbers, **members}))()


def decays(self):
    return iz.Rates(1, -0.1)


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_names_of_own_receptors(scheme):
    net, _, _ = chain(iz.Alpha(1.0), scheme)
    cells = net.populations["cells"]
    for receptor, words in (
        (named(rate=decays), r"Named.rate must be a method .* nothing calls. Did you mean 'rates'\?"),
        (named(propagate=lambda self, dt: None, rates=decays), r"Named.propagate must .* Did you mean 'propagator'\?"),
        (named(rates=decays, e=0.0), r"Named.e must be a field .* nothing reads. Did you mean 'E'\?"),
        (named(rates=decays, E_rev=0.0), r"Named.E_rev must be a field .* Did you mean 'E'\?"),
        (named(rates=lambda self, dt: None), r"Named.rates must be a function of \(\), got one of \(dt\)"),
    ):
        with pytest.raises(TypeError, match=words):
            net.connect(cells, cells, iz.AllToAll(), receptor=receptor)
    for k, receptor in enumerate((named(rates=decays, rate=decays), named(rates=decays, rate=0.5, e=1.6, E=0.0))):
        net.connect(cells, cells, iz.OneToOne(), receptor=receptor, name=f"more{k}")


def test_propagator_without_dt():
    net, _, _ = chain(iz.Alpha(1.0))
    cells = net.populations["cells"]
    with pytest.raises(TypeError, match=r"Named.propagator must be a function of \(dt\), got one of \(\)"):
        net.connect(cells, cells, iz.OneToOne(), receptor=named(propagator=lambda self: None))


@pytest.mark.parametrize(
    ("receptor", "words"),
    [
        (Own(iz.Propagator(1, 0.5)), r"Own must .*: it does not tell its rates\(\). Write rates\(\), or use a clock"),
        (iz.NMDA(), "NMDA must .*: its magnesium block is no polynomial. Use a clock scheme such as 'rk4'"),
        (iz.Pulse(), "Pulse must .*: it ends some time after its spike, and no event says so. Use a clock scheme"),
        (iz.GapJunction(), "GapJunction must .*: it couples neurons at all times. Use a clock scheme"),
    ],
)
def test_receptors_without_rates_are_refused_in_continuous_time(receptor, words):
    net, _, _ = chain(iz.Alpha(1.0), "exact")
    cells = net.populations["cells"]
    with pytest.raises(ValueError, match="Network receptor " + words):
        net.connect(cells, cells, iz.OneToOne(), receptor=receptor)
    net.run(1.0)


def test_gates_of_a_population():
    @dataclass(frozen=True)
    class Gated(iz.Receptor):
        name: str = "Mg"
        E: float = 0.0

        @property
        def gate(self):
            return type(iz.NMDA().gate)(self.name, 2.0, "mM")

        def rates(self):
            return iz.Rates(1, -0.1)

    net, _, _ = chain(iz.NMDA())
    cells = net.populations["cells"]
    with pytest.raises(ValueError, match="Gated.Mg must be 1 mM like that of the population's other NMDA receptors"):
        net.connect(cells, cells, iz.OneToOne(), receptor=Gated())
    with pytest.raises(ValueError, match="Gated must have the gate Mg of the population's receptor NMDA, got pump"):
        net.connect(cells, cells, iz.OneToOne(), receptor=Gated("pump"))
    fresh = net.add(iz.Population(2), name="fresh")
    with pytest.raises(ValueError, match="Gated.gate must be a known name, got 'pump'. Known: Mg"):
        net.connect(cells, fresh, iz.OneToOne(), receptor=Gated("pump"))
    net.connect(cells, fresh, iz.OneToOne(), receptor=Gated())
