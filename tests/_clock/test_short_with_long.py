"""Short-term and long-term plasticity of one synapse: what arrives, what is learned, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import izhnumba as iz

SILENT = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-70.0, u=-14.0)
SHORT = iz.TsodyksMarkram(U=0.4, tau_rec=60.0, tau_facil=30.0)
PRE, POST, DELAY = [2, 9, 14, 40, 44, 46], [6, 12, 15, 47, 52], 3


@dataclass(frozen=True)
class Halved(iz.Plasticity):
    """A short-term rule of one's own, without numbers: it delivers half, and every trace is gone at once."""

    @staticmethod
    def arrival(w, e, x, y, p):
        return 0.5 * w, w, e, x


@dataclass(frozen=True)
class Growing(iz.Plasticity):
    """A long-term rule of arrivals alone, whose names are those of TsodyksMarkram; its trace is nearest."""

    U: float = 0.25
    nearest: bool = True

    def taus(self):
        return [20.0], []

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w + p.U * (1 + x[0]), e, x


def delivered(plasticity, scheme="euler", dtype="float64", *, weight=1.0):
    """What each arrival delivers, the weights after all, and the synapses."""
    net = iz.Network(dt=1.0, scheme=scheme, seed=1)
    source, target = (net.add(iz.Population(1, **SILENT, dtype=dtype), name=name) for name in ("source", "target"))
    syn = net.connect(
        source, target, ([0], [0]), weight=weight, delay=DELAY, receptor=iz.Exponential(0.02), plasticity=plasticity
    )
    for cells, steps in ((source, PRE), (target, POST)):
        net.drive(cells, iz.SpikeTrain([0] * len(steps), np.array(steps, float), weight=2000.0))
    current = net.record(syn, "current", every=1.0)
    net.run(60.0)
    return current.current[[k + DELAY + 1 for k in PRE], 0], syn


LONG = {
    "STDP": iz.STDP(0.1, 0.12, w_max=2.0),
    "STDP nearest": iz.STDP(0.1, 0.12, pairing="nearest", dependence="multiplicative", w_max=2.0),
    "TripletSTDP": iz.TripletSTDP(0.05, 0.06, 0.07, 0.02),
    "STDP2006": iz.STDP2006(period=10.0),
    "Scaling": iz.Scaling(target=50.0, eta=0.3, tau=50.0, period=4.0),
    "Growing": Growing(),
}


@pytest.mark.parametrize(("long", "dtype"), [*((name, "float64") for name in LONG), ("STDP", "float32")])
def test_the_factor_and_the_weight_are_those_of_each_alone(long, dtype):
    """What arrives is what the long-term rule alone delivers times the factor of the short-term rule alone."""
    together, syn = delivered([SHORT, LONG[long]], dtype=dtype)
    weights, alone = delivered(LONG[long], dtype=dtype)
    factors, _ = delivered(SHORT, dtype=dtype)
    np.testing.assert_allclose(together, weights * factors, rtol=1e-12 if dtype == "float64" else 2e-6)
    np.testing.assert_array_equal(syn.weight, alone.weight)
    assert np.ptp(weights) > 0.01
    assert syn.plasticity == (SHORT, LONG[long])


def test_a_short_term_rule_of_ones_own_without_numbers_in_any_order():
    for rules in ([Halved(), LONG["STDP"]], (LONG["STDP"], Halved())):
        found, syn = delivered(rules)
        np.testing.assert_allclose(found, 0.5 * delivered(LONG["STDP"])[0], rtol=1e-15)
        assert syn.plasticity == (Halved(), LONG["STDP"])


def learning(threads=1):
    net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=2, threads=threads)
    cells = net.add(iz.Population(100, **SILENT | {"V": iz.Uniform(-70.0, -60.0)}), name="cells")
    rules = [SHORT, iz.DopamineSTDP(0.5, 0.6, w_max=20.0, baseline=0.1, pairing="nearest")]
    net.connect(cells, cells, iz.FixedOutDegree(20), weight=12.0, delay=iz.Uniform(1.0, 20.0), receptor=iz.Pulse(),
                plasticity=rules, name="syn")  # fmt: skip
    net.drive(cells, iz.Noise(std=8.0))
    net.record(cells, "spikes", name="spikes")
    return net


def state(net):
    syn, spikes = net.synapses["syn"], net.recorders["spikes"]
    return syn.weight.copy(), np.array(syn.eligibility), spikes.i.copy(), spikes.step.copy()


def test_pieces_threads_files_and_reset(tmp_path):
    net = learning()
    net.run(301.0)
    whole = state(net)
    assert np.ptp(whole[0]) > 1
    again = learning(threads=2)
    for T in (1.0, 90.0):
        again.run(T)
    for _ in range(60):
        again.step()
    again.save(tmp_path / "net.npz")
    loaded = iz.load(tmp_path / "net.npz")
    assert loaded.synapses["syn"].plasticity == net.synapses["syn"].plasticity
    for one in (again, loaded):
        one.run(150.0)
        for found, wanted in zip(state(one), whole, strict=True):
            np.testing.assert_array_equal(found, wanted)
    net.reset(weights=True)
    assert set(net.synapses["syn"].weight) == {12.0}
    net.run(301.0)
    for found, wanted in zip(state(net), whole, strict=True):
        np.testing.assert_array_equal(found, wanted)


class Numberless(Growing):
    """Two traces more than fit beside those of others."""

    def taus(self):
        return [20.0] * 3, []


MUST = (
    "Network.connect.plasticity must be one short-term rule, which has arrival alone and keeps w and e, and one long-"
)
WRONG = [
    ([iz.STDP()], f"{MUST}term rule, as in [TsodyksMarkram(), STDP()], got [STDP]."),
    ([SHORT, SHORT], f"{MUST}term rule, as in [TsodyksMarkram(), STDP()], got [TsodyksMarkram, TsodyksMarkram]."),
    ([iz.STDP(), iz.Scaling(5.0)], f"{MUST}term rule, as in [TsodyksMarkram(), STDP()], got [STDP, Scaling]. Two "),
    ([SHORT, iz.STDP(), iz.Scaling(5.0)], f"{MUST}term rule"),
    ([], f"{MUST}term rule"),
    ([SHORT, "STDP"], "Network.connect.plasticity must be a rule such as STDP(), a list of a short-term and a"),
    ([SHORT, Numberless()], "Network.connect.plasticity must have at most 4 traces x together, got 5."),
    ([SHORT, iz.STDP(w_max=0.5)], "Network.connect.weight must be from STDP.w_min (0) to STDP.w_max (0.5), got 1"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["euler", "exact"])
def test_what_does_not_go_together(scheme):
    net = iz.Network(dt=1.0, scheme=scheme)
    cells = net.add(iz.Population(2, **SILENT))
    for rules, message in WRONG:
        with pytest.raises((TypeError, ValueError)) as caught:
            net.connect(cells, cells, iz.OneToOne(), plasticity=rules)
        assert str(caught.value).startswith(message)
    assert net.synapses == {}
