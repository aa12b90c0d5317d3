"""Odd values for each argument of everything public: taken, or refused in our words, with nothing changed."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import random
import re
import time
import warnings
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis, io, plot

CELL = dict(iz.presets["RS"])
DEEP = [1.0]
for _ in range(50):
    DEEP = [DEEP]


class Bare: ...


class Mine(np.ndarray): ...


FUNCTIONS = [lambda: 1.0, lambda a: 1.0, lambda a, b: -1.0, lambda a, b: None, lambda a, b: "x", lambda a, b, c: 1.0]
NUMBERS = [0, -1, 1, -0.0, 0.5, 2.5, 1e300, -1e300, 1e19, 2**63, -(2**63), 10**400, 1e-320, 1e-9, 1j, np.float32(3.0)]
NUMBERS += [float("nan"), float("inf"), -float("inf"), np.int64(2), np.bool_(True), np.longdouble(1e300) ** 2]
LISTS = [[], (), [1.0, 2.0], (2.0, 1.0), [0, 1, 2], [[1.0, 2.0], [3.0]], [None] * 3, ["1"] * 3, [1.0, "a"], DEEP]
LISTS += [[float("nan")] * 3, [-1.0] * 3, [True] * 3, [1.0, float("inf"), 2.0], [1e300] * 3, [10**400] * 3, range(3)]
ARRAYS = [np.ones(shape) for shape in ((), 0, (0, 3), 3, 7, (2, 2), (2, 3, 4))] + [np.full(3, 1e300), -np.ones(3)]
ARRAYS += [np.ones(3, np.float16), np.full(3, 2**64 - 1, np.uint64), np.array([1.0, np.nan, 1.0]), np.zeros(3, "V8")]
ARRAYS += [
    np.array([object()] * 3),
    np.array([1j, 0, 0]),
    np.array(["2020-01-01"] * 3, "M8[D]"),
    np.timedelta64(3, "s"),
]
ARRAYS += [np.array([True] * 3), np.array(["1"] * 3), np.zeros(3, [("x", float)]), np.array(None, object)]
ARRAYS += [np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), np.ones(3).view(Mine), np.rec.array([(1, 2)])]
TEXTS = ["", "0.5", "abc", "\0", "x" * 5000, b"x", bytearray(b"ab"), memoryview(b"ab"), Path("nowhere/at/all"), Path()]
OBJECTS = [None, True, False, {}, {"a": 1}, {1.0}, object(), ..., int, Bare, slice(0, 1), iz.Izhikevich, iz.Delta()]
OBJECTS += [iz.presets["RS"], iz.schemes["rk4"], iz.STDP(), iz.Constant(1.0), iz.Noise(1.0), iz.Uniform(1.0, 2.0)]
OBJECTS += [iz.AllToAll(), iz.Population(2)]
ODD = [*FUNCTIONS, *NUMBERS, *LISTS, *ARRAYS, *TEXTS, *OBJECTS]
ALIKE = {  # arguments that come with another one, in whose words they may be refused
    "Network.connect": {"rule": "pre|post|weight|delay", "pre": "rule", "post": "rule"},
    "Population": {"batch": "size", "dt": "tau_ref", "k2": "model", "tau_ref": "dt"},
    "Population[...]": {"key": "slice|mask|indices|neurons"},
    "Positions": {"coordinates": "period"},
    "Drive": {"value": "input"},
    "Network.record": {"what": "every|neurons|source"},
    "FixedOutDegree": {"n": "rule"}, "FixedInDegree": {"n": "rule"}, "FixedTotalNumber": {"n": "rule"},
    "recurrent": {"state": "I|V|params", "pre": "post|weights", "n_steps": "I|params", "delay": "weights",
                  "dt": "delay"},
    "run": {"state": "params|V|u", "g": "E", "E": "g", "n_steps": "I"},
    "Model": {name: "Model" for name in ("name", "source")},
}  # fmt: skip
# Warnings of values that are taken all the same.
MEANT = "too large for the scheme|leaps over the threshold|fires again as soon|are lost|looks like|one row in a hundred"
OWNERS = "Network|Population|Input|Sum|Recorder|run"  # of what is met on the way


class Door:
    """Something to call with keywords. make: gives it, and a function that shows the state of what it belongs to."""

    def __init__(self, owner, make, good, big=True):
        self.owner, self.make, self.good, self.big = owner, make, good, big

    def __repr__(self):
        return f"{self.owner}({', '.join(self.good)})"


def plain(owner, call, **good):
    return Door(owner, lambda: (call, lambda: None), good)


def of_class(name, **good):
    return plain(name, getattr(iz, name), **good)


def of_fields(thing):
    return plain(
        type(thing).__name__, type(thing), **{f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)}
    )


def of_pop(owner, call, scheme="exp_euler", **good):
    def make():
        pop = iz.Population(3, scheme=scheme, seed=1)
        return (lambda **given: call(pop, **given)), lambda: state(pop)

    return Door(owner, make, good, big=scheme != "exact")


def of_net(owner, call, scheme="exp_euler", **good):
    def make():
        net = iz.Network(seed=1, scheme=scheme)
        a, b = net.add(iz.Population(3), "a"), net.add(iz.Population(3), "b")
        syn = net.connect(a, b, iz.AllToAll(), plasticity=iz.DopamineSTDP(), name="syn")
        things = {"A": a, "B": b, "SYN": syn, "DRIVE": net.drive(a, 5.0), "REC": net.record(a, "V")}

        def named(**given):
            return call(net, **{k: things.get(x, x) if isinstance(x, str) else x for k, x in given.items()})

        return named, lambda: [state(a), state(b), syn.weight.tobytes(), syn.modulator, state_of_net(net)]

    return Door(owner, make, good, big=scheme != "exact")


def state(pop):
    values = [(name, value.tobytes(), value.shape) for name, value in pop._values.items()]
    return pop.V.tobytes(), pop.u.tobytes(), pop.t, values, pop.last_spike_time.tobytes()


def state_of_net(net):
    known = [list(x) for x in (net.populations, net.synapses, net.drives, net.recorders)]
    recorders = [(r.start, r.stop, r.to) for r in net.recorders.values()]
    return net.t, known, recorders, [repr(drive.value) for drive in net.drives.values()]


def doors():
    for model in (iz.Izhikevich, iz.Izhikevich2007):
        good = {name: known.default for name, known in model.parameters.items()} | dict(V=-65.0, u=0.0, tau_ref=2.0)
        yield plain("Population", lambda model=model, **given: iz.Population(3, model, **given), **good)
    yield plain("Population", iz.Population, size=3, model=iz.Izhikevich, scheme="rk4", dt=0.1, dtype="float64",
                batch=2, reset="hard", seed=1, threads=1, name="x", V_min=-500.0, substeps=2)  # fmt: skip
    yield plain("Population", lambda **given: iz.Population(3, scheme="exact", **given), k2=0.04, a=0.02, tau_ref=2.0)
    for scheme in ("exp_euler", "exact"):
        jumps = {} if scheme == "exact" else {"delta": 1.0}
        yield of_pop("Population.step", iz.Population.step, scheme, I=5.0, delta=1.0, g=0.1, E=-70.0)
        yield of_pop("Population.run", iz.Population.run, scheme, T=0.3, I=5.0, **jumps, g=0.1, E=-70.0, record="V",
                     every=0.1, neurons=[0], progress=False)  # fmt: skip
        for name in ("V", "u", "a", "tau_ref"):
            yield of_pop("Population", lambda pop, name=name, **given: setattr(pop, name, given[name]), scheme,
                         **{name: 1.0})  # fmt: skip
        yield from network_doors(scheme)
    yield of_pop("Population[...]", lambda pop, key: pop[key], key=slice(0, 1))
    yield plain("Network", iz.Network, dt=0.1, scheme="euler", seed=1, threads=1, substeps=2)
    yield plain("load", iz.load, path="/nowhere")
    yield plain("read", io.read, path="/nowhere")
    yield plain("SpikeTrain.from_file", iz.SpikeTrain.from_file, path="/nowhere")
    yield plain("kernel", iz.kernel, model=iz.Izhikevich, scheme="exp_euler", dtype="float64", reset="hard")
    yield from map(of_fields, (iz.Izhikevich, iz.Izhikevich.V, iz.Uniform(0.0, 1.0), iz.Normal(0.5, 0.1, 0.0, 1.0)))
    yield from map(of_fields, (iz.LogNormal(0.0, 1.0), iz.AllToAll(), iz.FixedProbability(0.1), iz.FixedOutDegree(1)))
    yield of_fields(iz.Shared(1.0))
    yield from map(of_fields, (iz.FixedInDegree(1), iz.FixedTotalNumber(1), iz.Distance("box"), iz.STDP(w_max=1.0)))
    yield from map(
        of_fields,
        (iz.TripletSTDP(), iz.STDP2006(), iz.DopamineSTDP(), iz.TsodyksMarkram(), iz.Scaling(5.0), iz.Clopath()),
    )
    yield from map(of_fields, (iz.Positions([0.0, 1.0]), iz.Grid(), iz.Box(1.0), iz.ByDistance(1.0)))
    yield plain("Population", lambda positions: iz.Population(3, positions=positions), positions=iz.Grid())
    yield of_pop("Population[...]", lambda pop, V: setattr(pop[[2, 0]], "V", V), V=1.0)
    yield from map(of_fields, (iz.Exponential(5.0, 0.0), iz.Alpha(5.0), iz.DualExponential(1.0, 5.0), iz.NMDA()))
    yield from map(of_fields, (iz.AMPA() + 0.3 * iz.NMDA(), iz.Kinetic(1.0, 0.1), iz.Saturating(5.0), iz.WangNMDA()))
    for name in ("AMPA", "GABA_A", "GABA_B"):
        yield of_class(name, tau=5.0, E=0.0)
    for stimulus in (iz.TimedArray([1.0, 2.0], 0.5), iz.Sine(1.0, 1.0), iz.Ramp(1.0), iz.Pulses(0.0, 1.0, 1.0),
                     iz.Noise(1.0), iz.OrnsteinUhlenbeck(0.0, 1.0, 1.0), iz.Constant(1.0),
                     iz.UniformNoise()):  # fmt: skip
        kind = type(stimulus)
        good = {f.name: getattr(stimulus, f.name) for f in dataclasses.fields(stimulus)}
        yield of_pop(kind.__name__, lambda pop, kind=kind, **given: pop.run(0.3, kind(**given)), **good)
    for kind, good in ((iz.Poisson, dict(rate=1.0)), (iz.SpikeTrain, dict(i=[0, 1, 2], t=[1.0] * 3))):
        for scheme in ("exp_euler", "exact"):
            yield of_pop(kind.__name__, lambda pop, kind=kind, **given: pop.run(0.3, delta=kind(**given)), scheme,
                         **good, weight=1.0, receptor=iz.Delta())  # fmt: skip
    yield plain("Input.at", iz.Ramp(1.0).at, t=1.0)
    yield plain("Clipped", iz.Ramp(1.0).clip, low=0.0, high=1.0)
    yield plain("Input.delayed", iz.Ramp(1.0).delayed, by=1.0)
    yield plain("Input.stretched", iz.Ramp(1.0).stretched, factor=2.0)
    yield plain("presets", lambda name: iz.presets[name], name="RS")
    yield plain("schemes", lambda name: iz.schemes[name], name="rk4")
    yield from analysis_doors()


def network_doors(scheme):
    def connect(net, pre, post, rule, **given):
        return net.connect(pre, post, rule, **given)

    def setter(name):
        return lambda net, _one, **given: setattr(_one, name, given[name])

    pairs = ([0, 1, 2], [0, 1, 2])
    yield of_net("Network.add", lambda net, **given: net.add(iz.Population(2), **given), scheme, name="x")
    yield of_net("Network.add", lambda net, **given: net.add(**given), scheme, population=iz.Population(2))
    yield of_net("Network.connect", connect, scheme, pre="A", post="B", rule=iz.AllToAll(), weight=1.0, delay=1.0,
                 receptor=iz.Delta(), plasticity=None, name="n", progress=False)  # fmt: skip
    yield of_net("Network.connect", connect, scheme, pre="A", post="B", rule=pairs, weight=[1.0] * 3, delay=[1.0] * 3)
    for kind in (iz.FixedOutDegree, iz.FixedInDegree, iz.FixedTotalNumber):
        yield of_net(
            kind.__name__, lambda net, pre, post, n, kind=kind: net.connect(pre, post, kind(n)), scheme, pre="A",
            post="B", n=1,
        )  # fmt: skip
    yield of_net("Network.drive", lambda net, **given: net.drive(**given), scheme, population="A", input=1.0,
                 receptor=iz.AMPA(), name="n")  # fmt: skip
    yield of_net("Network.record", lambda net, **given: net.record(**given), scheme, source="A", what="V", every=0.1,
                 neurons=[0], start=0.0, stop=1.0, name="n")  # fmt: skip
    for kind, good in ((iz.Mean, {}), (iz.Sum, {"absolute": True}), (iz.Histogram, {"bins": [-80.0, 0.0]})):
        yield of_net(
            kind.__name__, lambda net, source, kind=kind, **given: net.record(source, kind(**given)), scheme,
            source="A", state="V", groups=[0, 1, 0], **good,
        )  # fmt: skip
    yield of_net("Network.run", lambda net, **given: net.run(**given), scheme, T=0.3, until=None, progress=False)
    yield of_net("Network.save", lambda net, path: net.save(path), scheme, path="/nowhere/at/all")
    yield of_net("Synapses", setter("weight"), scheme, _one="SYN", weight=1.0)
    yield of_net("Synapses", setter("modulator"), scheme, _one="SYN", modulator=1.0)
    yield of_net("Drive", setter("value"), scheme, _one="DRIVE", value=1.0)
    for name in ("start", "stop"):
        yield of_net("Recorder", setter(name), scheme, _one="REC", **{name: 1.0})


def analysis_doors():
    for neuron in (CELL, iz.Population(2)):
        yield plain("fixed_points", analysis.fixed_points, neuron=neuron, I=0.0, index=0, V=(-80.0, -30.0))
        yield plain("resting_state", analysis.resting_state, neuron=neuron, I=0.0)
    yield plain("nullclines", analysis.nullclines, neuron=CELL, I=0.0, V=[-70.0, -60.0], index=0)
    yield plain("saddle_node_current", analysis.saddle_node_current, neuron=CELL)
    yield plain("hopf_current", analysis.hopf_current, neuron=CELL)
    yield plain("match_spikes", analysis.match_spikes, reference=[1.0, 2.0], other=[1.0, 2.0])
    yield Door("fi_curve", lambda: (lambda **given: analysis.fi_curve(**given), list), big=False,
               good=dict(neuron=CELL, I=[1.0, 2.0], duration=10.0, index=0))  # fmt: skip


def plot_doors():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    ax = pyplot.figure().add_subplot()
    result = iz.Population(3, **CELL).run(50.0, 10.0, record=["V", "u"])
    yield plain("raster", plot.raster, spikes=result, ax=ax, batch=0, size=3.0)
    yield plain("trace", plot.trace, result=result, ax=ax, variable="V", columns=[0], batch=0, peak=30.0, unit="mV")
    yield plain("phase_plane", plot.phase_plane, neuron=CELL, I=0.0, ax=ax, index=0, V=(-80.0, -30.0), u=(-20.0, 0.0),
                trajectory=result, column=0)  # fmt: skip

    yield plain("rate", plot.rate, spikes=result, ax=ax, every=5.0, sigma=5.0, batch=0)
    yield plain("isi", plot.isi, spikes=result, ax=ax, bins=10, log=True, batch=0)
    yield plain("spectrum", plot.spectrum, spikes=result, ax=ax, bin=1.0, segment=20.0, log=True, batch=0)
    yield plain("overview", plot.overview, net=result, figure=ax.figure, every=5.0, peak=30.0, title="x")


def jax_doors():
    import izhnumba.jax as izj

    good = {name: CELL[name] for name in "abcd"}
    params, start = izj.init(3, **good)
    yield plain("init", izj.init, size=3, model=iz.Izhikevich, dtype="float32", batch=2, V=-65.0, u=0.0, **good)
    yield plain("run", izj.run, params=params, state=start, I=1.0, dt=0.1, n_steps=2, scheme="euler", reset="hard",
                tau_ref=0.0, record="V", detach_reset=False, checkpoint=False, backend="xla")  # fmt: skip
    yield plain("recurrent", izj.recurrent, params=params, weights=np.zeros(2), pre=[0, 1], post=[1, 2], state=start,
                I=1.0, dt=0.1, delay=[0.1, 0.1], receptor=iz.Delta(), n_steps=2, backend="xla")  # fmt: skip
    for name, kind in vars(izj).items():
        if inspect.isclass(kind) and issubclass(kind, izj.Surrogate) and dataclasses.is_dataclass(kind):
            yield plain(name, kind, **{f.name: f.default for f in dataclasses.fields(kind)})


def fuzz(door, share, rng):
    """Call it with some of the odd values for each argument; what is wrong with the answers."""
    with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
        door.make()[0](**door.good)  # what it needs is compiled before it is timed
    for name in (name for name in door.good if name[0] != "_"):
        for value in rng.sample(ODD, round(share * len(ODD))):
            if not door.big and beyond(value):
                continue
            call, shown = door.make()
            before, begin = shown(), time.process_time()
            answer = None
            try:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", f".*({MEANT})")
                    call(**{**door.good, name: value})
            except Exception as error:
                answer = error
            wrong = verdict(door, name, answer, before == shown())
            if time.process_time() - begin > 5.0:
                wrong = "takes too long"
            if wrong:
                yield f"{door.owner}, {name} = {value!r:.80}: {wrong}"


def beyond(value):
    """Whether it is so large that a neuron fires almost without end, or so small that samples are taken so."""
    try:
        with warnings.catch_warnings(action="ignore"):
            sizes = np.abs(np.asarray(value, float))
    except (TypeError, ValueError, OverflowError):
        return False
    return bool(np.any((sizes > 1e4) | ((sizes > 0) & (sizes < 1e-6))))


def verdict(door, name, answer, unchanged):
    if answer is None or (isinstance(answer, RuntimeError) and re.search("non-finite|runs away", str(answer))):
        return ""
    if isinstance(answer, UserWarning) and "could mean a row per step" in str(answer):
        return "" if unchanged else f"has changed something, {answer}"
    if not isinstance(answer, (TypeError, ValueError, FileNotFoundError, IsADirectoryError, PermissionError)):
        return repr(answer)[:200]
    owner, text = door.owner.partition(".")[0].partition("[")[0], str(answer)
    names = f"{name}|{ALIKE.get(door.owner, {}).get(name, name)}"
    if not (re.match(f"{owner}|{OWNERS}", text) and re.search(rf"\b({names})\b", text.partition(", got")[0])):
        return f"{type(answer).__name__}: {text[:200]}"
    return "" if unchanged else f"has changed something, {text[:200]}"


@pytest.mark.parametrize("door", list(doors()), ids=repr)
def test_arguments(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stderr(StringIO()):
        assert list(fuzz(door, 0.25, random.Random(repr(door)))) == []


def test_arguments_of_plots():
    for door in plot_doors():
        assert list(fuzz(door, 0.1, random.Random(1))) == []


@pytest.mark.jax
def test_arguments_of_the_jax_adapter():
    pytest.importorskip("jax")
    for door in jax_doors():
        assert list(fuzz(door, 0.1, random.Random(1))) == []
