"""What used to pass without a word and to change the result, and what answered in another program's words."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from processes import run, write

import izhnumba as iz
from izhnumba import analysis
from izhnumba._synapse.ends import Ends
from izhnumba._synapse.per_synapse import drawer

NAN, INF = math.nan, math.inf
RULES = (
    iz.STDP(), iz.TripletSTDP(), iz.STDP2006(), iz.DopamineSTDP(), iz.TsodyksMarkram(), iz.Scaling(5.0), iz.Clopath()
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Own(iz.Plasticity):
    share: float = 0.1
    tau: float = 20.0
    times: int = 3
    loud: bool = True
    word: str = "any"

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w * p.share * p.loud, e, x


def refused(message, call, *arguments, kind=(TypeError, ValueError), **named):
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("rule", [*RULES, Own()], ids=lambda rule: type(rule).__name__)
def test_numbers_of_a_rule_are_numbers(rule):
    for name, value in rule.parameters().items():
        if isinstance(getattr(rule, name, None), (int, float)) and name != "loud":
            where = f"{type(rule).__name__}.{name} must be "
            for wrong in ("0.5", None, True, NAN):
                refused(f"{where}a ", dataclasses.replace, rule, **{name: wrong})
            for wrong in ([value, "0.5"], [True, False], [value, NAN]):  # of which each synapse has its own
                refused(where, dataclasses.replace, rule, **{name: wrong})


def test_own_rules_are_looked_at_again_when_they_are_connected():
    rule = Own(share=np.float32(0.5), loud=np.False_)
    assert rule.parameters() == {"share": 0.5, "tau": 20.0, "times": 3.0, "loud": 0.0}
    vars(rule)["share"] = "0.5"
    net = iz.Network()
    cells = net.add(iz.Population(2))
    message = "Own.share must be a number, got '0.5'. Turn text into numbers first."
    refused(message, net.connect, cells, cells, iz.AllToAll(), plasticity=rule)


def test_bounds_that_are_other_arguments():
    refused("STDP.w_min must be a finite number, got 'x'", iz.STDP, w_min="x")
    refused("STDP.w_max must be a number >= w_min (2), got 1.0.", iz.STDP, w_min=2.0, w_max=1.0)
    refused("Uniform.low must be a finite number, got 'x'", iz.Uniform, "x", 1.0)
    refused("Uniform.high must be a finite number >= low (2), got 1.0.", iz.Uniform, 2.0, 1.0)
    refused("Ramp.start must be a finite number in ms, got 'x'", iz.Ramp, 1.0, "x")
    refused("Ramp.stop must be a number >= start (2) ms, got 1.0.", iz.Ramp, 1.0, 2.0, 1.0)
    refused("Normal.high must be a number >= low (2), got 1.0.", iz.Normal, 1.5, 1.0, 2.0, 1.0)


def test_conductances_have_a_reversal_potential():
    for make in (iz.NMDA, iz.AMPA, iz.GABA_A, iz.GABA_B):
        refused(f"{make.__name__}.E must be a finite number in mV, got None.", make, E=None)
    refused("AMPA.tau must be a finite number > 0 ms, got 0.", iz.AMPA, 0)


@pytest.mark.parametrize("receptor", [False, 0, "", [], np.empty(0), np.ones(3)])
def test_only_None_stands_for_the_default_receptor(receptor, tmp_path):
    net = iz.Network()
    cells = net.add(iz.Population(2))
    message = ".receptor must be a receptor such as Delta(), got "
    refused(f"Network.connect{message}", net.connect, cells, cells, iz.AllToAll(), receptor=receptor)
    file = write(tmp_path / "spikes.txt", "0 1.0", "1 2.0")
    refused(f"SpikeTrain{message}", iz.SpikeTrain.from_file, file, receptor=receptor)
    assert iz.SpikeTrain.from_file(file).receptor == iz.Delta()


def test_capacitance_is_above_0():
    for C in (0.0, -100.0, -0.0):
        cell = dict(iz.presets["2007/RS"]) | {"C": C}
        refused("fixed_points.neuron['C'] must be a finite number > 0 pF, got", analysis.fixed_points, cell)
    half = iz.Quantity(0.5, "", "a share", at_least=0.0)
    model = dataclasses.replace(iz.Izhikevich, name="mine", parameters={**iz.Izhikevich.parameters, "share": half})
    refused(
        "saddle_node_current.neuron['share'] must be a finite number >= 0, got -1",
        analysis.saddle_node_current, {"model": model, "share": -1},
    )  # fmt: skip


def test_what_is_not_finite():
    cell = iz.presets["RS"]
    refused("match_spikes.reference must be finite, got nan at index 1.", analysis.match_spikes, [1.0, NAN], [1.0])
    refused("match_spikes.other must be finite, got inf at index 0.", analysis.match_spikes, [1.0], [INF])
    refused("nullclines.V must be finite, got nan at index 1.", analysis.nullclines, cell, 0.0, [0.0, NAN])
    refused("resting_state.I must be finite, got nan.", analysis.resting_state, cell, NAN)
    refused("fi_curve.I must be finite, got inf at index 0.", analysis.fi_curve, cell, [INF])
    refused("fixed_points.V must be finite, got nan at index 0.", analysis.fixed_points, cell, V=(NAN, 1.0))
    refused("Distance.extent must be finite, got nan", iz.Distance, "box", extent=(1.0, NAN))
    refused("Distance.extent must be > 0, got 0.0 at index 1.", iz.Distance, "box", extent=(1.0, 0.0))
    refused("Distance.extent must be one length or a tuple of them", iz.Distance, "box", extent=[[1.0]])


def test_an_index_counts_where_there_is_one_neuron():
    for index, message in (("abc", "must be a whole number"), (1, "must be a whole number >= -1 and <= 0, got 1.")):
        refused(f"fixed_points.index {message}", analysis.fixed_points, iz.presets["RS"], index=index)
        refused(f"nullclines.index {message}", analysis.nullclines, iz.Izhikevich, 0.0, 0.0, index=index)


def test_resting_states_of_shapes_that_do_not_fit():
    refused("resting_state.I must broadcast to shape (3,), got shape (2,)", analysis.resting_state, iz.Population(3),
            [1.0, 2.0])  # fmt: skip


def test_spikes_at_times_that_no_run_reaches():
    for t in (1e19, 1e300, 1.7e308):
        train = iz.SpikeTrain([0, 0], [0.5, t], 100.0)
        pop = iz.Population(1)
        assert pop.run(3.0, delta=train).spikes.t.tolist() == [pop.result.spikes.t[0]]
    refused("SpikeTrain.i must be whole numbers below 2**53, got 1e+300", iz.SpikeTrain, [1e300], [1.0])


def test_zero_has_one_sign():
    for number in (iz.Noise(-0.0).std, iz.Poisson(-0.0).rate, iz.Normal(0.0, -0.0).std, iz.Sine(1.0, -0.0).frequency):
        assert math.copysign(1.0, number) == 1.0
    assert not np.signbit(iz.Poisson([-0.0, 1.0]).rate).any()
    assert not np.signbit(iz.Noise([[-0.0]]).std).any()


@pytest.mark.parametrize("rate", [-0.0, [-0.0, 5.0], iz.TimedArray([-0.0, 0.0], 1.0)], ids=str)
def test_no_spikes_come_at_a_rate_of_minus_0(rate):
    pop = iz.Population(2, scheme="exact", seed=1)
    assert not len(pop.run(20.0, delta=iz.Poisson(rate, weight=200.0)).spikes)


def test_rates_in_continuous_time_have_an_end():
    pop = iz.Population(2, scheme="exact")
    for rate in (1e10, iz.TimedArray([1.0, 1e10], 1.0)):
        refused("Poisson.rate must be between 0 and 1e+09 Hz, got 1e+10 Hz.", pop.run, 1.0, delta=iz.Poisson(rate))
    events = iz.Poisson(1e9)._events(target(10_000))
    refused("Poisson.rate must fit in the free memory (", events, 0.0, 1e6)


def test_inputs_of_spikes_tell_how_many_come():
    assert iz.Poisson(1e3)._most_per_ms(target(4)) == 4.0
    assert iz.Poisson([1e3, 2e3, 0.0, 0.0])._most_per_ms(target(4)) == 3.0
    assert iz.Poisson(iz.TimedArray([[1e3] * 4, [2e3] * 4], 1.0))._most_per_ms(target(4)) == 8.0
    assert iz.SpikeTrain([0], [1.0])._most_per_ms(target(4)) == 0.0


def target(n):
    from izhnumba._input.target import Target

    return Target((n,), 0.1, np.dtype("float64"), (1, 2), {}, "mV")


# --- functions of the user ------------------------------------------------------------------------------------------


def test_one_number_of_a_function_counts_for_all():
    for scheme in ("exp_euler", "exact"):
        net = iz.Network(scheme=scheme)
        cells = net.add(iz.Population(3))
        syn = net.connect(cells, cells, iz.AllToAll(), weight=lambda rng, size: 2.0, delay=lambda rng, size: 1.0)
        assert (syn.weight == 2.0).all()
        assert np.allclose(syn.delay, 1.0)
        for name in ("weight", "delay"):
            where = f"Network.connect.{name} must "
            functions = {name: lambda rng, size: "x"}
            refused(where, net.connect, cells, cells, iz.AllToAll(), **functions)
        late = {"delay": lambda rng, size: -1.0}
        refused("Network.connect.delay must be ", net.connect, cells, cells, iz.AllToAll(), **late)
        assert len(net.synapses) == 1


@pytest.mark.parametrize("function", [lambda: 1.0, lambda a: 1.0, lambda a, b, c: 1.0, int, iz.Population])
def test_functions_take_what_they_are_given(function):
    for name, unit in (("weight", ""), ("delay", "ms")):
        where = f"Network.connect.{name}"
        refused(f"{where} must be a function of (rng, size), got", drawer, where, function, unit, 3, None, None)


# --- what is too large ----------------------------------------------------------------------------------------------


HUGE = Ends(10**6, 10**6, (10**6,), (10**6,), None)
TOO_MANY = [
    (iz.AllToAll(), 1e12),
    (iz.AllToAll(autapses=False), 1e12),
    (iz.FixedProbability(0.5), 5e11),
    (iz.FixedOutDegree(10**5), 1e11),
    (iz.FixedInDegree(10**5), 1e11),
    (iz.FixedTotalNumber(10**12), 1e12),
    (iz.FixedTotalNumber(10**400), 1e30),
    (iz.Distance("gaussian", scale=1e6), 9.2e11),
    (iz.Distance(lambda distance: np.full(distance.shape, 0.25)), 2.5e11),
]


@pytest.mark.parametrize(("rule", "number"), TOO_MANY, ids=lambda x: f"{x!r:.40}")
def test_rules_know_how_many_pairs_they_yield(rule, number):
    assert rule.expected(HUGE) == pytest.approx(number, rel=0.1)
    few = Ends(30, 20, (30,), (20,), None)
    assert iz.FixedProbability(0.5).expected(few) == 300
    assert iz.Distance("box", scale=2.0).expected(few) <= 600


@pytest.mark.parametrize("rule", [rule for rule, _ in TOO_MANY], ids=lambda x: f"{x!r:.40}")
def test_sizes_that_cannot_be_are_refused_at_once(rule):
    net = iz.Network()
    cells = net.add(iz.Population(10**6, dtype="float32"))
    refused("Network.connect.rule must fit in the free memory (", net.connect, cells, cells, rule)
    assert not net.synapses


def test_plastic_synapses_are_numbered_in_32_bits():
    net = iz.Network()
    cells = net.add(iz.Population(10**5))
    message = "Network.connect.rule must yield at most 4294967295 synapses with plasticity, got 1e+10. Connect slices."
    refused(message, net.connect, cells, cells, iz.AllToAll(), plasticity=iz.STDP())


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "wrong", "near"), [(iz.schemes, "eulr", "euler"), (iz.presets, "rs", "RS")])
def test_tables_suggest_the_nearest_name(table, wrong, near):
    for kind in (KeyError, ValueError):
        with pytest.raises(kind) as caught:
            table[wrong]
        assert f".name must be a known name, got '{wrong}'. Did you mean '{near}'" in str(caught.value)
        assert not str(caught.value).startswith(("'", '"'))
    assert near in table
    assert wrong not in table
    assert table.get(wrong) is None
    assert table.get(near) is table[near]
    for key in (5, None, [], "", np.ones(3)):
        assert key not in table
        assert table.get(key, 7) == 7
        refused(f"{table._name}.name must be a known name, got ", table.__getitem__, key)
    with pytest.raises(TypeError):
        table[near] = table[near]
    assert len(table) == len(list(table)) == len(dict(table))


# --- Numba that does not compile ------------------------------------------------------------------------------------


def test_numba_that_is_told_not_to_compile(tmp_path):
    script = write(tmp_path / "script.py", """
        import json
        import izhnumba as iz
        assert iz.STDP().A_plus == 0.01
        try:
            iz.Population(2).run(1.0, 5.0)
        except RuntimeError as error:
            print(json.dumps(str(error)))
        """)  # fmt: skip
    message = run(script, NUMBA_DISABLE_JIT="1")
    assert message.startswith("NUMBA_DISABLE_JIT must be 0 or unset, got 1. Unset it: ")


def test_bounds_too_far_apart():
    with pytest.raises(ValueError, match=r"Uniform.high must be nearer to low \(-1.7e\+308\), got 1.7e\+308"):
        iz.Uniform(-1.7e308, 1.7e308)


# --- places, shapes and names ---------------------------------------------------------------------------------------


def sheet(**options):
    net = iz.Network(seed=1, **options)
    return net, net.add(iz.Population((2, 3), **iz.presets["RS"]), name="p")


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_slices_are_flat_whatever_they_cover(scheme):
    net, p = sheet(scheme=scheme)
    for n in (5, 6):
        part = p[0:n]
        assert part.shape == (n,)
        net.drive(part, np.ones(n))
        net.drive(part, iz.SpikeTrain([n - 1], [1.0], weight=np.ones(n)))
        for wrong in (np.ones((2, 3)), np.ones((2, 1))):
            refused(f"Network.drive.input must broadcast to shape ({n},), got shape", net.drive, part, wrong)
        refused("SpikeTrain.weight must have shape", net.drive, part, iz.SpikeTrain([0], [1.0], np.ones((2, 3))))
    net.drive(p, np.ones((2, 3)))
    refused("Network.drive.input must broadcast to shape (2, 3), got shape (6,).", net.drive, p, np.ones(6))
    level = np.arange(6.0)
    flat, whole = (population_driven(scheme, part, level.reshape(shape)) for part, shape in ((slice(0, 6), (6,)),
                   (None, (2, 3))))  # fmt: skip
    np.testing.assert_array_equal(flat, whole)


def population_driven(scheme, part, level):
    net, p = sheet(scheme=scheme)
    net.drive(p if part is None else p[part], level)
    net.run(5.0)
    return p.V


def test_distances_within_a_slice_are_along_a_line():
    net, p = sheet()
    near = iz.Distance("box", scale=1.0)
    assert len(net.connect(p, p, near)) == 6 + 2 * 7
    assert len(net.connect(p[0:6], p[0:6], near)) == 6 + 2 * 5
    refused("Distance must have ends of as many dimensions", net.connect, p, p[0:6], near)


def test_checkpoints_know_slices_that_cover_a_population(tmp_path):
    net, p = sheet()
    net.drive(p[:], np.arange(6.0), name="flat")
    net.drive(p, np.arange(6.0).reshape(2, 3), name="whole")
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for one in (net, again):
        assert [one.drives[name].section.shape for name in ("flat", "whole")] == [(6,), (2, 3)]
        one.run(20.0)
    np.testing.assert_array_equal(again.populations["p"].V, p.V)


def test_slices_that_are_none():
    _, p = sheet()
    for key in (slice(2, 2), slice(7, 9), slice(4, 2), slice(2, 4, -1)):
        message = "Population[...] must be a slice of at least one of 6 neurons, got slice("
        refused(message, p.__getitem__, key, kind=ValueError)
    refused("Population[...] must be a slice of whole numbers, got", p.__getitem__, slice(0.5, 3), kind=TypeError)
    refused("Population[...] must be a slice of whole numbers, got", p.__getitem__, slice(0, 3, 0), kind=ValueError)


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_what_drives_says_whose_shape_is_wrong(scheme):
    net = iz.Network(scheme=scheme)
    p = net.add(iz.Population(3))
    drive = net.drive(p, 1.0)
    cure = " must broadcast to shape (3,), got shape (2,). Pass one value for all neurons or one per neuron."
    refused("Network.drive.input" + cure, net.drive, p, [1, 2])
    refused("Drive.value" + cure, setattr, drive, "value", [1, 2])
    over_time = (
        " must broadcast to shape (3,), got shape (4, 3). Pass one value for all neurons or one per neuron. Over"
    )
    refused("Network.drive.input" + over_time, net.drive, p, np.ones((4, 3)))
    refused("Drive.value" + over_time, setattr, drive, "value", np.ones((4, 3)))
    refused("Drive.value must be a number or an array of numbers in mV/ms, got 'x'", setattr, drive, "value", "x")
    drive.value = live = np.ones(3)
    live[1] = NAN
    refused("Drive.value must be finite, got nan at index 1.", net.run, 1.0)
    assert (len(net.drives), net.t) == (1, 0.0)


@pytest.mark.parametrize("text", ["", "# source target\n", "\n \n"])
def test_a_file_without_synapses(tmp_path, text):
    net, p = sheet()
    path = tmp_path / "edges.txt"
    path.write_text(text)
    refused(
        f"Network.connect.rule must be a file with a synapse per line, got none in '{path}'.", net.connect, p, p, path
    )


def test_parts_that_nothing_can_be_set_of():
    net, _ = sheet()
    refused("Network has no parameter 'x', and none that can be set.", setattr, net, "x", 1, kind=TypeError)


def test_recording_nothing():
    net, p = sheet()
    message = "Network.record.what must be 'spikes', 'rate' or states such as ['V'], got none."
    for nothing in ([], (), set()):
        refused(message, net.record, p, nothing)
    refused("Network.record.every must be left out when recording spikes, got 1.0.", net.record, p, every=1.0)
    assert not net.recorders
    pop = iz.Population(2)
    for option, value in (("every", 0.5), ("neurons", [0])):
        where = f"Population.run.{option} must come with record, got {value} alone. Pass record=['V']."
        refused(where, pop.run, 1.0, **{option: value})
    assert pop.t == 0.0


class Rows(iz.Input):
    """With nothing but a bind, and no dataclass."""

    def __init__(self, make):
        self._make = make

    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        return lambda step, count: self._make(key, count).astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_own_inputs_add_up(dtype):
    level = iz.Constant([7.0, 3.0])
    own = Rows(lambda key, count: np.full((count, 1), 5.0))
    found, expected = (iz.Population(2, dtype=dtype).run(50.0, I) for I in (own + level, 5.0 + level))
    assert len(found.spikes) > 0
    np.testing.assert_array_equal(found.spikes.step, expected.spikes.step)
    refused("Rows.bind must give float64 of shape (", iz.Population(2).run, 1.0,
            1.0 + Rows(lambda key, count: np.ones((count, 3))))  # fmt: skip
    at = "Input.at must have an input with values at any time, not only what bind() gives, got Rows(). Record it in "
    refused(at, (own + 1.0).at, 3.0, kind=TypeError)


def test_own_inputs_have_random_numbers_of_their_own():
    keys = []
    own = Rows(lambda key, count: keys.append(key) or np.zeros((count, 1)))
    iz.Population(2, seed=1).run(0.1, own + own + iz.Noise(std=1.0))
    assert len(set(keys)) == 2
    assert keys[1][1] == (keys[0][1] + 1) % 2**32
