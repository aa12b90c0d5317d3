"""States beside V and u, as users see them: in a model, a population, chosen neurons, records, files; and refusals."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import everything
import numpy as np
import pytest
from everything import Adapting, Everything

import izhnumba as iz
from izhnumba import analysis
from izhnumba._model.states import may_name_states

N = 12
CURRENT = np.linspace(0.0, 30.0, N)


def cells(**options):
    return iz.Population(N, model=Adapting, u=-13.0, seed=1, **options)


# --- a model ----------------------------------------------------------------------------------------------------------


def test_help_shows_the_states():
    text = Everything.__doc__
    assert "ca' = -r_ca * ca\n" in text
    assert "\n    dend' = r_dend * (E_dend - dend) + g_dend * (V - dend) + share * I + hundredth * ca\n" in text
    assert "\n        ca = ca + jump\n" in text
    assert "\n    dend  -65  mV     voltage of a dendrite\n" in text
    assert repr(Adapting) == "<model Adapting: a, b, c, d, V_th, k2, k1, k0, g_ca, r_ca, jump, r_rise, lift; ca, rise>"
    assert list(Adapting.variables) == ["V", "u", "ca", "rise"]


def test_which_slopes_are_constant():
    assert Everything.gains == ("ca", "dend")
    assert iz.Izhikevich.gains == ()


def decay(V, u, I, p):
    return -p.a * p.ca


def other(**changes):
    states = {"ca": iz.StateVariable(0.0, "uM", "calcium", decay)}
    return dataclasses.replace(iz.Izhikevich, name="Other", **{"states": states} | changes)


def variable(**changes):
    return {"ca": iz.StateVariable(**dict(default=0.0, unit="uM", meaning="", derivative=decay) | changes)}


NAMES = "Model.states must have names of their own, got "


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(states=[1]), "Model.states must be a mapping of names to StateVariable, got [1]."),
        (dict(states={1: 2}), "Model.states must be named by str, got 1."),
        (
            dict(states={"ca": iz.Quantity(0.0, "", "")}),
            "Model.states['ca'] must be a StateVariable(default, unit, mean",
        ),
        (dict(states={"a": None}), f"{NAMES}'a'. That is a parameter."),
        (dict(states={"V": None}), f"{NAMES}'V'. Every model has that one: give it as Model.V."),
        (dict(states={"u": None}), f"{NAMES}'u'. Every model has that one: give it as Model.u."),
        (dict(states={"dt": None}), f"{NAMES}'dt'. That name is taken by populations and recorders."),
        (dict(states={"samples": None}), f"{NAMES}'samples'. That name is taken by populations and recorders."),
        (dict(states={"a b": None}), f"{NAMES}'a b'. Use letters and digits, no keyword."),
        (dict(states={"_ca": None}), f"{NAMES}'_ca'. Use letters and digits, no keyword."),
        (dict(states={"lambda": None}), f"{NAMES}'lambda'. Use letters and digits, no keyword."),
        (
            dict(states={f"s{k}": variable()["ca"] for k in range(27)}),
            "Model.states must be at most 26 beside 8 parameters, got 27.",
        ),
        (
            dict(states=variable(derivative=3.0)),
            "Model.states['ca'].derivative must be a function made by def or lambda, got 3.0.",
        ),
        (
            dict(states=variable(derivative=lambda V, u, p: 0.0)),
            "Model.states['ca'].derivative must be a function of (V, u, I, p), got <lambda>(V, u, p).",
        ),
        (
            dict(states=variable(derivative=lambda V, u, I, p: (V, u))),
            "Model.states['ca'].derivative(V, u, I, p) must be one number, got (-65.0, 0.0).",
        ),
        (
            dict(states=variable(derivative=lambda V, u, I, p: -p.tau * p.ca)),
            "Model.states['ca'].derivative must use parameters of the model, got p.tau. Did you mean 'a'? The model "
            "has a, b, c, d, V_th, k2, k1, k0, ca.",
        ),
        (
            dict(states=variable(reset=lambda u, p: [u])),
            "Model.states['ca'].reset(u, p) must be one number, got [0.0].",
        ),
        (
            dict(states=variable(slope=lambda V, p: p.a)),
            "Model.states['ca'].slope must be the derivative of states['ca'].derivative by ca, got 0.02 instead ",
        ),
        (
            dict(rate=lambda p: p.a + p.ca),
            "Model.rate must be made of parameters alone, got p.ca, a state. States may enter dV, du, threshold, ",
        ),
        (dict(C=lambda p: 1.0 + p.ca), "Model.C must be made of parameters alone, got p.ca, a state."),
        (dict(u_slope=lambda p: p.ca), "Model.u_slope must be made of parameters alone, got p.ca, a state."),
    ],
)
def test_what_is_no_state_is_refused(changes, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        other(**changes)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0, 1, "", decay), "StateVariable.unit must be a str, got 1."),
        ((0.0, "", None, decay), "StateVariable.meaning must be a str, got None."),
        ((np.nan, "", "", decay), "StateVariable.default must be "),
    ],
)
def test_a_state_variable_of_something_else_is_refused(values, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        iz.StateVariable(*values)
    assert str(caught.value).startswith(message)


def test_states_cannot_be_changed_nor_named_as_a_parameter_by_replace():
    with pytest.raises(TypeError, match=r"^Model.states cannot be changed. Make a new model with dataclasses.replace."):
        Adapting.states["ca"] = None
    with pytest.raises(ValueError, match="^Model.states must have names of their own, got 'ca'. That is a parameter."):
        dataclasses.replace(Adapting, parameters=Adapting.parameters | {"ca": iz.Quantity(0.0, "", "")})


def no_equation(V, u, I, p):
    return abs(sorted([p.ca])[0])


def test_what_numba_cannot_compile_is_told_by_name():
    model = other(states=variable(derivative=no_equation))
    with pytest.raises(
        TypeError, match=r"^Model.states\['ca'\].derivative must be an equation that Numba can compile, got no"
    ):
        iz.Population(1, model=model, scheme="euler").step(1.0)


# --- a population -----------------------------------------------------------------------------------------------------


def test_starting_values_are_given_by_name_and_views_are_live():
    pop = cells(ca=np.arange(N), rise=iz.Uniform(0.0, 2.0))
    assert np.array_equal(pop.ca, np.arange(N))
    assert 0.0 <= pop.rise.min() < pop.rise.max() <= 2.0
    first = pop.rise.copy()
    pop.ca = 3.0
    pop.ca[2] = 7.0
    assert pop.ca.tolist() == [3, 3, 7, *[3] * (N - 3)]
    pop.rise = iz.Uniform(0.0, 2.0)
    assert np.array_equal(pop.rise, first)
    assert not np.array_equal(cells(ca=iz.Uniform(0.0, 2.0)).ca, first)  # a stream of its own
    pop.run(50.0, CURRENT)
    pop.reset()
    assert np.array_equal(pop.ca, np.arange(N))
    assert np.array_equal(pop.rise, first)


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match="^Population.ca must .* got"):
        cells(ca=[1.0, 2.0])
    with pytest.raises(ValueError, match="^Population.ca must be finite, got nan"):
        cells(ca=np.nan)
    with pytest.raises(TypeError, match=r"^Population has no parameter 'caa'. Did you mean 'ca'\?"):
        cells(caa=1.0)
    pop = cells()
    with pytest.raises(TypeError, match=r"^Population has no parameter 'rize'. Did you mean 'rise'\?"):
        pop.rize = 1.0


def test_shapes_and_batches():
    pop = iz.Population((3, 4), model=Adapting, batch=2, ca=np.arange(12.0).reshape(3, 4), u=-13.0, seed=1)
    flat = cells(ca=np.arange(12.0))
    assert pop.ca.shape == (2, 3, 4)
    I = CURRENT.reshape(3, 4)
    result, one = pop.run(60.0, I, record=["rise", "ca"], every=1.0), flat.run(60.0, CURRENT, record=["ca"], every=1.0)
    assert result.ca.shape == (60, 2, 12)
    for b in range(2):
        assert np.array_equal(result.ca[:, b], one.ca)
        assert np.array_equal(pop.rise[b].ravel(), flat.rise)


def test_chosen_neurons():
    pop = cells()
    part = pop[2:6]
    part.ca = [1.0, 2.0, 3.0, 4.0]
    assert part.ca.base is not None
    part.ca[0] = 9.0
    assert pop.ca[:7].tolist() == [0.5, 0.5, 9.0, 2.0, 3.0, 4.0, 0.5]
    some = pop[[7, 3]]
    assert some.ca.tolist() == [0.5, 2.0]
    with pytest.raises(
        ValueError, match=r"^Population\[...\].ca must be set as a whole, got some values. Use pop\[...\].ca = x."
    ):
        some.ca[0] = 1.0
    some.rise = 5.0
    assert np.flatnonzero(pop.rise).tolist() == [3, 7]
    with pytest.raises(AttributeError, match=r"^Population\[...\] has no attribute 'cb'."):
        some.cb  # noqa: B018
    with pytest.raises(TypeError, match="^Section has no parameter 'cb'"):
        some.cb = 1.0


def test_copies_and_files_go_on_to_the_last_bit(tmp_path):
    whole = cells(ca=iz.Uniform(0.0, 1.0))
    whole.run(30.0, CURRENT)
    whole.save(tmp_path / "cells.npz")
    twins = [copy.deepcopy(whole), pickle.loads(pickle.dumps(whole)),
             iz.Population.load(tmp_path / "cells.npz", define=[Adapting])]  # fmt: skip
    expected = whole.run(40.0, CURRENT, record=["V", "ca", "rise"])
    for twin in twins:
        found = twin.run(40.0, CURRENT, record=["V", "ca", "rise"])
        for name in ("V", "ca", "rise"):
            assert np.array_equal(getattr(found, name), getattr(expected, name))
        twin.reset()
        assert np.array_equal(twin.ca, twin._start["ca"])
        assert np.ptp(twin.ca) > 0


def test_results():
    pop = cells()
    result = pop.run(20.0, CURRENT, record=["rise", "V"], every=2.0, neurons=[3, 11])
    assert repr(result).endswith("V (10, 2), rise (10, 2)>")
    assert list(result.to_dataframe().columns) == ["t", "i", "batch", "V", "rise"]
    with pytest.raises(AttributeError, match=r"^Result has no 'ca'. Pass record=\['ca'\] to run."):
        result.ca  # noqa: B018
    message = r"^Population.run.record must be a known name, got 'calcium'. Known: V, u, ca, rise."
    with pytest.raises(ValueError, match=message):
        pop.run(1.0, record=["calcium"])
    with pytest.raises(
        TypeError, match="^Population.run.record must be 'V', 'u', 'ca' or 'rise' or a list of them, got 3."
    ):
        pop.run(1.0, record=3)


def test_a_saved_population_keeps_its_result(tmp_path):
    pop = cells()
    pop.run(20.0, CURRENT, record=["ca"], every=2.0)
    pop.save(tmp_path / "cells.npz")
    again = iz.Population.load(tmp_path / "cells.npz", define=[Adapting])
    assert np.array_equal(again.result.ca, pop.result.ca)


# --- a network --------------------------------------------------------------------------------------------------------


def network(threads=1):
    net = iz.Network(dt=0.1, seed=4, threads=threads)
    pop = net.add(iz.Population(N, model=Adapting, u=-13.0, ca=iz.Uniform(0.0, 2.0)), name="cells")
    net.connect(
        pop, pop, iz.FixedProbability(0.3), weight=0.5, delay=iz.Uniform(1.0, 3.0), receptor=iz.Exponential(3.0)
    )
    net.connect(pop, pop, iz.FixedProbability(0.2), weight=0.05, receptor=iz.GapJunction())
    net.drive(pop, CURRENT)
    net.record(pop, ["V", "ca"], every=0.5, name="states")
    net.record(pop[2:5], "rise", every=1.0, name="rise")
    return net


def test_recorded_saved_and_loaded_in_a_network(tmp_path):
    whole, half = network(), network()
    drawn = whole.populations["cells"].ca.copy()
    assert np.ptp(drawn) > 0
    whole.run(60.0)
    half.run(20.3)
    half.save(tmp_path / "half.npz")
    again = iz.load(tmp_path / "half.npz", define=[Adapting])
    again.run(39.7)
    for name, state in (("states", "V"), ("states", "ca"), ("rise", "rise")):
        one, two = (getattr(net.recorders[name], state) for net in (whole, again))
        assert np.array_equal(one, two)
    assert whole.recorders["rise"].rise.shape == (60, 3)
    assert whole.recorders["rise"].rise.max() > 1.0
    assert "ca" in dir(whole.recorders["states"])
    whole.reset()
    assert np.array_equal(whole.populations["cells"].ca, drawn)


def test_reduced_by_a_recorder():
    net = network()
    mean = net.record(net.populations["cells"], iz.Mean("ca"), every=0.5)
    net.run(10.0)
    assert mean.values == pytest.approx(net.recorders["states"].ca.mean(axis=1))
    pop = cells()
    assert pop.run(5.0, CURRENT, record=iz.Sum("rise")).values.shape == (50,)
    with pytest.raises(ValueError, match="^Mean.state must be a known name, got 'calcium'. Known: V, u, ca, rise."):
        pop.run(1.0, record=iz.Mean("calcium"))


def test_of_several_populations():
    net = iz.Network(seed=1)
    made = {"one": (3, Adapting), "two": (2, Adapting), "plain": (2, iz.Izhikevich)}
    one, two, plain = (net.add(iz.Population(n, model, u=-13.0), name=name) for name, (n, model) in made.items())
    both = one + two
    record = net.record(both, ["V", "ca"], every=1.0)
    one.ca = 7.0
    assert both.ca.tolist() == [7.0] * 3 + [0.5] * 2
    net.drive(both, 10.0)
    net.run(5.0)
    assert record.ca.shape == record.V.shape == (5, 5)
    assert np.array_equal(record.ca[-1], both.ca)
    with pytest.raises(AttributeError, match=r"^JoinedRecorder has no 'rise'. It records \['V', 'ca'\]."):
        record.rise  # noqa: B018
    with pytest.raises(AttributeError, match="^Assembly has no attribute 'ca'."):
        (one + plain).ca  # noqa: B018
    with pytest.raises(
        ValueError, match="^Network.record.what must be a known name, got 'ca'. Known: spikes, rate, V, u."
    ):
        net.record(one + plain, "ca")


def test_no_state_may_have_the_name_of_something_else():
    net, source = network(), cells()
    pop = net.populations["cells"]
    things = [
        *net.recorders.values(), net.recorders["states"].samples, net.record(pop, iz.Mean("ca"), every=1.0),
        net.record(pop, "rate", every=1.0), net.record(pop), source, source[1:3], source.run(1.0, record="V"),
        pop[:1] + pop[1:],
    ]  # fmt: skip
    own = {*Adapting.parameters, *Adapting.variables}
    names = {name for thing in things for name in dir(thing) if name[0] != "_"} - own
    assert [name for name in names if may_name_states([name])] == []


def test_recorded_to_a_file(tmp_path):
    net, path = network(), tmp_path / "ca.rec"
    record = net.record(net.populations["cells"], ["ca", "rise"], every=0.5, to=path)
    net.run(10.0)
    assert np.array_equal(record.ca, net.recorders["states"].ca)
    assert np.array_equal(iz.io.read(path).ca, record.ca)


def test_unknown_states_are_refused_by_name():
    net = network()
    with pytest.raises(
        ValueError, match=r"^Network.record.what must be a known name, got 'calcium'. Known: spikes, rate, V, u, ca"
    ):
        net.record(net.populations["cells"], "calcium")
    with pytest.raises(AttributeError, match=r"^StateRecorder has no 'rise'. Ask Network.record for it."):
        net.recorders["states"].rise  # noqa: B018


def test_gap_junctions_take_the_threshold_of_now():
    """V of a source counts up to its threshold, which a state has raised here."""
    net = iz.Network(scheme="izhikevich2003", dt=0.1, seed=1)
    source = net.add(iz.Population(1, model=Adapting, V=80.0, u=-13.0, rise=20.0), name="source")
    target = net.add(iz.Population(1, V=-65.0, u=-13.0), name="target")
    net.connect(source, target, iz.AllToAll(), weight=0.01, receptor=iz.GapJunction())
    net.step()
    alone = iz.Population(1, scheme="izhikevich2003", V=-65.0, u=-13.0)
    alone.step(0.0, g=0.01, E=50.0)
    assert target.V == pytest.approx(alone.V, rel=1e-13)


# --- what takes V and u alone -----------------------------------------------------------------------------------------

EXACT = (
    "^Population.model must have no states beside V and u with the scheme 'exact', got Adapting with ca, rise. "
    "Use a clock scheme such as 'rk4'."
)
PLANE = "must be of a model with the states V and u alone, got Adapting with ca, rise as well. Record them in a run"


def test_the_scheme_exact_refuses_them():
    with pytest.raises(ValueError, match=EXACT):
        cells(scheme="exact")
    with pytest.raises(ValueError, match=EXACT):
        iz.Network(scheme="exact").add(iz.Population(2, model=Adapting))


@pytest.mark.parametrize("function", ["fixed_points", "nullclines"])
def test_the_phase_plane_refuses_them(function):
    arguments = [0.0, [-65.0]] if function == "nullclines" else []
    with pytest.raises(ValueError, match=f"^{function}.neuron {PLANE}"):
        getattr(analysis, function)(Adapting, *arguments)


def test_bifurcations_refuse_them():
    with pytest.raises(ValueError, match=f"^resting_state.neuron {PLANE}"):
        analysis.resting_state(cells())


def test_firing_rates_are_counted_by_the_scheme_of_the_population():
    """From where it starts, for it is not known where all states rest."""
    pop, I = cells(scheme="euler", ca=2.0), [0.0, 10.0, 20.0]
    curve = analysis.fi_curve(pop, I, duration=200.0)
    assert (curve.scheme, curve.dt) == ("euler", 0.1)
    spikes = iz.Population(3, model=Adapting, u=-13.0, ca=2.0, scheme="euler").run(200.0, I).spikes
    first = [1000 / np.diff(spikes.t[spikes.i == k])[0] if np.sum(spikes.i == k) > 1 else 0.0 for k in range(3)]
    assert curve.first == pytest.approx(first)
    assert first[0] == 0 < first[1] < first[2]
    assert 0.0 < analysis.rheobase(pop)[0] < 10.0


def test_jax_refuses_them():
    izj = pytest.importorskip("izhnumba.jax")
    params, state = izj.init(2)
    message = " must have no states beside V and u in JAX, got Adapting with ca, rise. Use izhnumba.Population, which"
    with pytest.raises(ValueError, match=f"^init.model{message}"):
        izj.init(2, model=Adapting)
    with pytest.raises(ValueError, match=f"^run.model{message}"):
        izj.run({}, state, 10.0, dt=0.1, n_steps=5, model=Adapting)
    with pytest.raises(ValueError, match=f"^recurrent.model{message}"):
        izj.recurrent(params, state, 1.0, np.zeros((2, 2)), dt=0.1, n_steps=5, model=Adapting)


assert everything.two  # its numbers are parameters, for a literal would turn float32 into float64
