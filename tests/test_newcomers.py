"""What people new to the field or to this package write by mistake, and what they are told."""

from __future__ import annotations

import numpy as np
import pytest
from processes import PACKAGE

import izhnumba as iz
from izhnumba import analysis, plot

ROOT = PACKAGE.parent

RS = iz.presets["RS"]


def one(**options):
    return iz.Population(3, **options)


def network(until=None):
    net = iz.Network()
    cells = net.add(iz.Population(3))
    return net, cells


def running_until(found):
    net, cells = network()
    net.run(1.0, until=lambda net: found(cells))


def _connected(rule, **options):
    def connect():
        net, cells = network()
        net.connect(cells, cells, rule, weight=1.0, **options)

    return connect


LINEAR = "must make dV rise with V^2 with the scheme 'exact', got"
UNTIL = "Network.run.until must return True or False, got"
SOLUTION = "must have a solution for duration (1000 ms) at each current that is tried, got one that at I ="
CASES = {
    # Parameters for the exact scheme
    "no parabola": (lambda: one(k2=0.0, scheme="exact"), ValueError, f"Population.k2 {LINEAR} 0 in neuron 0."),
    "one is none": (lambda: one(k2=[1, 1, -2], scheme="exact"), ValueError, f"Population.k2 {LINEAR} -2 in neuron 2."),
    "another model": (
        lambda: iz.Population(1, iz.Izhikevich2007, k=0.0, scheme="exact"),
        ValueError,
        f"Population.k {LINEAR} 0 in neuron 0.",
    ),
    "huge": (
        lambda: one(k1=1e300, scheme="exact"),
        ValueError,
        "Population.k1 must make C be finite in the normal form with the scheme 'exact', got 1e+300 in neuron 0.",
    ),
    # Analysis
    "too many spikes": (
        lambda: analysis.rheobase(RS, n_spikes=10**9),
        ValueError,
        f"rheobase.neuron {SOLUTION} 131072 mV/ms runs away at t = ",
    ),
    "too strong": (
        lambda: analysis.fi_curve(RS, [0.0, 1e9]),
        ValueError,
        f"fi_curve.neuron {SOLUTION} 1e+09 mV/ms runs away at t = ",
    ),
    "too wide": (
        lambda: analysis.fixed_points(RS, V=(-1e308, 1e308)),
        ValueError,
        "fixed_points.V must be (low, high) with low < high, a finite way apart, got (-1e+308, 1e+308).",
    ),
    "backwards": (
        lambda: analysis.fixed_points(RS, V=(60, -120)),
        ValueError,
        "fixed_points.V must be (low, high) with low < high, a finite way apart, got (60, -120).",
    ),
    "a line": (
        lambda: analysis.saddle_node_current(dict(k2=0.0)),
        ValueError,
        "got the model Izhikevich with V^2 times 0. Use fixed_points",
    ),
    # Conditions
    "an array": (lambda: running_until(lambda cells: cells.spikes), TypeError, f"{UNTIL} an array of shape (3,)."),
    "text": (lambda: running_until(lambda cells: "no"), TypeError, f"{UNTIL} 'no'."),
    "nothing": (lambda: running_until(lambda cells: cells.V[:0] > 0), TypeError, f"{UNTIL} an array of shape (0,)."),
    # True and False for numbers
    "True cells": (
        lambda: iz.Population(True),
        TypeError,
        "Population.size must be a whole number >= 1, got True. Write 1 for True and 0 for False.",
    ),
    "a mask": (
        lambda: one().run(1.0, record="V", neurons=(True, False, True)),
        TypeError,
        "Population.run.neurons must be a list of whole numbers, got a mask. Use np.flatnonzero(mask).",
    ),
}

PRESET = 'Write Population(5, **iz.presets["RS"]).'
CASES |= {
    # How a population is made
    "preset as a model": (lambda: iz.Population(5, RS), TypeError, PRESET),
    "name as a model": (
        lambda: iz.Population(5, "RS"),
        TypeError,
        f"an izhnumba.Model, got 'RS'. {PRESET}",
    ),
    "function in a sum": (lambda: iz.Noise(1.0) + abs, TypeError, "Constant.value must be a number or an array of"),
    "function in a sum, cure": (lambda: iz.Noise(1.0) + abs, TypeError, "change in time wrap it: iz.Function(f)."),
    "function as a rate": (lambda: iz.Poisson(lambda t: 10.0), TypeError, "change in time wrap it: iz.Function(f)."),
    "current": (lambda: one(I=10.0), TypeError, "no parameter 'I'. Give the current to run or step. Known: a, b,"),
    "no size": (
        lambda: iz.Population(),
        TypeError,
        "Population.size must be given, the number of neurons. Write Population(100).",
    ),
    "parameters in a row": (lambda: iz.Population(1, 0.02, 0.2, -65, 8), TypeError, "Population.__init__() takes"),
    "a unit in text": (lambda: one(tau_ref="2 ms"), TypeError, "got '2 ms'. Turn text into numbers first."),
    "too few": (lambda: one(a=[0.02, 0.1]), ValueError, "Population.a must have shape () or (3,), got (2,)."),
    "half a neuron": (lambda: iz.Population(2.5), ValueError, "Population.size must be a whole number >= 1, got 2.5."),
    "capitals": (lambda: one(scheme="RK4"), ValueError, "got 'RK4'. Did you mean 'rk4'?"),
    # How it runs
    "current first": (lambda: one().run(np.ones(3), 10.0), ValueError, "Population.run.T must be a finite number"),
    "a function": (
        lambda: one().run(1.0, lambda t: 10.0),
        TypeError,
        "Population.run.I must be a number, an array or an input object, got <function",
    ),
    "a function of jumps": (lambda: one().run(1.0, delta=abs), TypeError, "Wrap it: iz.Function(f); for the scheme"),
    "a function in a step": (lambda: one().step(abs), TypeError, "Population.step.I must be a number, an array or"),
    "no current": (lambda: one().run(1.0, None), TypeError, "Population.run.I must be a number or an array"),
    "text": (lambda: one().run("10 ms"), TypeError, "got '10 ms'. Turn text into numbers first."),
    "part of a step": (lambda: one().run(0.25), ValueError, "got 0.25. Use 0.2 or 0.3 ms."),
    "rows and columns": (
        lambda: one().run(10.0, np.ones((3, 100))),
        ValueError,
        "must broadcast to shape (3,) or have shape (100, 3), got shape (3, 100).",
    ),
    "one current": (lambda: one().run(10.0, np.ones(100)), ValueError, "reshape it to (100, 1)."),
    "unequal rows": (lambda: one().run(0.2, [[1, 2, 3], [1]]), ValueError, "got rows of different lengths."),
    "spikes as a state": (
        lambda: one().run(1.0, record="spikes"),
        ValueError,
        "Population.run.record must be 'V', 'u' or a list of them, got 'spikes'. Spikes are in the result of a run,",
    ),
    "small letter": (lambda: one().run(1.0, record="v"), ValueError, "got 'v'. Did you mean 'V'?"),
    "nothing recorded": (lambda: one().run(1.0).V, AttributeError, "Result has no 'V'. Pass record=['V'] to run."),
    "too many values": (
        lambda: setattr(one(), "V", [-65.0] * 4),
        ValueError,
        "Population.V must have shape () or (3,)",
    ),
    "another clock": (lambda: setattr(one(), "dt", 1.0), AttributeError, "Population.dt cannot be changed."),
    "a neuron alone": (
        lambda: one()[0],
        TypeError,
        "Population[...] must be a slice such as pop[:800], a mask or a list of indices, got 0. Write pop[[0]].",
    ),
    # Networks
    "dt in a row": (lambda: iz.Network(0.1), TypeError, "Network.__init__() takes 1 positional argument"),
    "no rule": (lambda: network()[0].connect(weight=1.0), TypeError, "Network.connect() missing"),
    "probability": (
        lambda: network()[0].connect(None, None, p=0.1),
        TypeError,
        "Network.connect has no parameter 'p'. As the rule pass iz.FixedProbability(0.1). Known: pre, post, rule,",
    ),
    "names for parts": (
        lambda: network()[0].drive("population", 10.0),
        TypeError,
        "Network.drive.population must be a Population or neurons of one, got 'population'. Pass pop or pop[a:b].",
    ),
    "run by itself": (lambda: network()[1].run(1.0), RuntimeError, "Call step, run, reset and save of the Network."),
    "per cent": (lambda: iz.FixedProbability(10), ValueError, "FixedProbability.p must be a finite number >= 0 and"),
    "rule as text": (_connected("all_to_all"), FileNotFoundError, "Rules are objects such as AllToAll() or"),
    "rule as a class": (_connected(iz.AllToAll), TypeError, "must be a rule such as AllToAll()"),
    "delay in s": (
        _connected(iz.AllToAll(), delay=0.001),
        ValueError,
        "must be 0 or at least one step of 0.1 ms, got 0.001",
    ),
    "receptor as text": (_connected(iz.AllToAll(), receptor="AMPA"), TypeError, "must be a receptor such as Delta()"),
    "all in one recorder": (
        lambda: (lambda net, cells: net.record(cells, ["V", "spikes"]))(*network()),
        ValueError,
        "Network.record.what must be 'V', 'u' or a list of them, got 'spikes'. Spikes are in the result of a run, and",
    ),
    "nothing to run": (lambda: iz.Network().run(1.0), ValueError, "Network must have a population to run, got none."),
    # Analysis and plots
    "preset for a report": (
        lambda: analysis.accuracy_report(RS, 10.0, 10.0),
        TypeError,
        "accuracy_report.pop must be a Population, got <preset 'RS' (regular spikin... d=8; exp_euler at dt 0.1 ms>. "
        "Write Population(1, **preset).",
    ),
    "all spikes": (
        lambda: analysis.match_spikes(one().run(1.0).spikes, []),
        TypeError,
        "match_spikes.reference must be times of one neuron in ms, got <0 spikes>. Pass spikes.of(0).",
    ),
    "no closed form": (
        lambda: analysis.saddle_node_current(iz.presets["2007/TC"]),
        ValueError,
        "saddle_node_current.neuron must have V' quadratic in V and u' linear",
    ),
    "the name": (
        lambda: analysis.fi_curve("RS", [1.0]),
        TypeError,
        "fi_curve.neuron must be a Population, a preset or",
    ),
    "plotted arrays": (lambda: plot.raster(np.ones((3, 100))), TypeError, "raster.spikes must be a Result, Spikes"),
    "nothing plotted": (lambda: plot.trace(one().run(1.0)), AttributeError, "Pass record=['V'] to run."),
}

BY_TIME = "Spikes must be cut by times in ms, as in spikes[100.0:200.0], got [0]. Loop over spikes.trains(); one neuron"
WRAP = "Wrap it: iz.Function(f); for the scheme 'exact' sample it: iz.TimedArray(values, dt)."


PER_NEURON = "Pass one value for all neurons or one per neuron."


def driven_part(values, shape, flat, scheme):
    net = iz.Network(scheme=scheme)
    cells = net.add(iz.Population(shape))
    return net.drive(cells[:] if flat else cells, values)


def driven(value, scheme="exp_euler"):
    net = iz.Network(scheme=scheme)
    net.drive(net.add(iz.Population(3)), value)


def read(tmp="README.md"):
    return iz.io.read(ROOT / tmp)


CASES |= {
    # What a run gives
    "times without record": (
        lambda: one().run(1.0).t,
        AttributeError,
        "Result has no 't'. Pass record=['V'] to run for samples; times of spikes are in spikes.t.",
    ),
    "small letter of a result": (
        lambda: one().run(1.0, record="V").v,
        AttributeError,
        "Result has no 'v'. Did you mean 'V'?",
    ),
    "small letter, not recorded": (lambda: one().run(1.0).v, AttributeError, "no 'v'. Pass record=['V'] to run."),
    "as in a dict": (
        lambda: one().run(1.0, record="V")["V"],
        TypeError,
        "Result has no items, got ['V']. Read its attributes: V, model, neurons, spikes, t, to_dataframe.",
    ),
    "the first spike": (lambda: one().run(1.0).spikes[0], TypeError, BY_TIME),
    "a loop over spikes": (lambda: list(one().run(1.0).spikes), TypeError, BY_TIME),
    "senders": (lambda: one().run(1.0).spikes.senders, AttributeError, "Spikes has no 'senders'. Did you mean 'i'?"),
    "times": (lambda: one().run(1.0).spikes.times, AttributeError, "Spikes has no 'times'. Did you mean 't'?"),
    "spikes set": (
        lambda: setattr(one().run(1.0).spikes, "t", 1),
        AttributeError,
        "Spikes.t cannot be changed.",
    ),
    "result set": (lambda: setattr(one().run(1.0, record="V"), "V", 1), AttributeError, "Result.V cannot be changed."),
    # What drives
    "a function that drives": (
        lambda: driven(lambda t: 10.0),
        TypeError,
        "Network.drive.input must be a number, an array or an input object, got <function",
    ),
    "its cure": (lambda: driven(lambda t: 10.0), TypeError, WRAP),
    "its cure in continuous time": (lambda: driven(lambda t: 10.0, "exact"), TypeError, WRAP),
    "a class that drives": (lambda: driven(iz.Noise), TypeError, "Make an object: Noise(...)."),
    "a class in a run": (lambda: one().run(1.0, iz.Noise), TypeError, "Make an object: Noise(...)."),
    "a receptor in a run": (
        lambda: one().run(1.0, iz.Pulse()),
        TypeError,
        "got Pulse(duration=None). A receptor belongs to synapses and spike inputs; for currents take Pulses(",
    ),
    # Files
    "another file": (
        read,
        ValueError,
        f"read.path ('{ROOT / 'README.md'}') must be a recording of izhnumba, got another kind of file.",
    ),
    # Names
    "preset as an attribute": (
        lambda: iz.presets.RS,
        AttributeError,
        "presets has no attribute 'RS'. Write presets['RS'].",
    ),
    "scheme as an attribute": (lambda: iz.schemes.RK4, AttributeError, "Did you mean 'rk4'? Write schemes[name]."),
    "of Brian2": (
        lambda: iz.NeuronGroup,
        AttributeError,
        "module 'izhnumba' has no attribute 'NeuronGroup'. Here it is Population(n, **presets['RS']).",
    ),
    "letters swapped": (lambda: iz.STPD, AttributeError, "has no attribute 'STPD'. Did you mean 'STDP'?"),
    "nowhere": (lambda: iz.xyz, AttributeError, "module 'izhnumba' has no attribute 'xyz'."),
}


def test_modules_that_are_not_imported_are_named(monkeypatch):
    monkeypatch.delattr(iz, "cli", raising=False)
    with pytest.raises(AttributeError, match="module 'izhnumba' has no attribute 'cli'. Write import izhnumba.cli "):
        _ = iz.cli


def recording(what):
    net, cells = network()
    return net.record(cells, what)


CASES |= {
    # Recorders, drives
    "V of spikes": (
        lambda: recording("spikes").V,
        AttributeError,
        "SpikeRecorder has no 'V'. It records spikes: make another by net.record(source, 'V').",
    ),
    "spikes of V": (lambda: recording("V").spikes, AttributeError, "StateRecorder has no 'spikes'. It records states:"),
    "a rate misspelt": (lambda: recording("rate").rates, AttributeError, "has no 'rates'. Did you mean 'rate'?"),
    "steps that drive": (
        lambda: driven(np.ones(100)),
        ValueError,
        "got shape (100,). Pass one value for all neurons or one per neuron. Over time, use TimedArray(values, dt).",
    ),
    **{
        f"values of {got} for {shape}, {scheme}": (
            lambda got=got, shape=shape, flat=flat, scheme=scheme: driven_part(np.ones(got), shape, flat, scheme),
            ValueError,
            cure,
        )
        for scheme in ("euler", "exact")
        for got, shape, flat, cure in (
            ((2, 3), (2, 3), True, f"must broadcast to shape (6,), got shape (2, 3). {PER_NEURON} Here: .reshape(-1)."),
            (
                (6,),
                (2, 3),
                False,
                f"must broadcast to shape (2, 3), got shape (6,). {PER_NEURON} Here: .reshape(2, 3).",
            ),
            ((3, 2), (2, 3), False, f"{PER_NEURON} Over time, use TimedArray(values, dt)."),
        )
    },
    "spikes that are added": (
        lambda: driven(10.0 + iz.Poisson(5.0)),
        TypeError,
        "Network.drive.input must be currents or spikes, got Constant(value=10.0) + Poiss",
    ),
    "spikes that are scaled": (
        lambda: driven(2 * iz.SpikeTrain([0], [1.0]), "exact"),
        TypeError,
        "Give each spike input a drive of its own; its weight scales it.",
    ),
    # Analysis
    "all presets": (lambda: analysis.fixed_points(iz.presets), TypeError, "fixed_points.neuron has no parameter 'RS'."),
    "parameter misspelt": (
        lambda: analysis.fixed_points({"B": 0.26}),
        TypeError,
        "fixed_points.neuron has no parameter 'B'. Did you mean 'b'?",
    ),
    "threshold": (lambda: plot.phase_plane({"Vth": 20.0}), TypeError, "has no parameter 'Vth'. Did you mean 'V_th'?"),
    "a whole result": (
        lambda: analysis.match_spikes(one().run(1.0), []),
        TypeError,
        "match_spikes.reference must be times of one neuron in ms, got <result: <0 spikes>>. Pass spikes.of(0)",
    ),
}

PAIRS = "Pass a list of pairs as (pre, post): tuple(np.transpose(pairs))."
CASES |= {
    "a list of pairs": (_connected([(0, 1), (1, 2), (2, 0)]), TypeError, PAIRS),
    "an array of pairs": (_connected(np.array([[0, 1], [1, 2]])), ValueError, "Pass pairs as (pre, post)."),
    "a long array of pairs": (_connected(np.array([[0, 1]] * 4)), ValueError, PAIRS),
}


def test_variants_of_presets_are_dicts():
    more = {"a": 0.03, "dt": 0.2}
    assert RS | more == {**RS, **more}
    assert more | RS == {**more, **RS}
    pop = iz.Population(1, **RS | more)
    assert (float(pop.a), pop.dt, float(pop.d)) == (0.03, 0.2, 8.0)


def test_types_are_told():
    assert (ROOT / "izhnumba" / "py.typed").is_file()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("N", "size"), ("n", "size"), ("method", "scheme"), ("threshold", "V_th"), ("Vth", "V_th"), ("V_peak", "V_th"),
        ("refractory", "tau_ref"), ("t_ref", "tau_ref"), ("V_reset", "c"), ("v", "V"), ("V_m", "V"), ("V0", "V"),
        ("U", "u"), ("u0", "u"), ("vmin", "V_min"),
    ],
)  # fmt: skip
def test_names_from_elsewhere_lead_to_ours(name, meant):
    with pytest.raises(TypeError) as raised:
        one(**{name: 1.0})
    assert f"Population has no parameter {name!r}. Did you mean {meant!r}? Known: " in str(raised.value)


@pytest.mark.parametrize("case", CASES)
def test_is_told(case):
    call, kind, message = CASES[case]
    with pytest.raises(kind) as raised:
        call()
    assert message in str(raised.value)


@pytest.mark.parametrize("found", [True, np.True_, 1, np.array([True]), np.array(1.0)])
def test_conditions_of_many_kinds_hold(found):
    net, cells = network()
    net.run(1.0, until=lambda net: found)
    assert round(net.t, 1) == 0.1


@pytest.mark.parametrize("found", [None, False, np.False_, 0, np.array([False])])
def test_conditions_of_many_kinds_fail(found):
    net, cells = network()
    net.run(1.0, until=lambda net: found)
    assert round(net.t, 1) == 1.0


@pytest.mark.parametrize("name", ["resting_state", "saddle_node_current", "hopf_current"])
def test_parameters_far_out_say_nothing(name):
    found = getattr(analysis, name)(dict(k1=1e200))  # without a warning
    assert not np.isfinite(found).any()
