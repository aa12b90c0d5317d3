"""Writes files.zip, checkpoints and recordings that later versions must read: `python make.py files.zip`.

They were written by commit e355704, the last one before the package was ordered into folders; with a later one they
would prove nothing. Each network is saved in mid-run, goes on, and its states then and there are kept beside the
checkpoint. Where a checkpoint tells the path of a recorder's file, it says FOLDER instead of the folder it was in.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import os
import platform
import sys
import tempfile
import zipfile
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np

import izhnumba as iz

GOES_ON = 50.0  # ms
RS, FS = iz.presets["RS"], iz.presets["FS"]


# --- networks, each with the time at which it is saved --------------------------------------------------------------


def cells(net, *, dtype="float64", n=24, m=12):
    """Sources that fire and targets that do not all, and a recorder of either's spikes."""
    exc = net.add(iz.Population((n // 4, 4), tau_ref=3.0, dtype=dtype, **RS), name="exc")
    inh = net.add(iz.Population(m, dtype=dtype, **FS), name="inh/0 µ")
    net.drive(exc, np.linspace(6.0, 18.0, n).reshape(-1, 4).astype(dtype), name="I")
    net.record(exc, name="spikes")
    net.record(inh, name="spikes of inh")
    return exc, inh


def currents():
    """Jumps and currents, sparse and dense; spikes under way, also through synapses that have been removed."""
    net = iz.Network(dt=0.5, seed=1)
    exc, inh = cells(net)
    late = iz.Uniform(1.0, 20.0)
    net.connect(exc, inh, iz.FixedProbability(0.3), weight=1.0, delay=late, name="delta")
    net.connect(exc[:9], inh, iz.FixedOutDegree(6), weight=3.0, delay=late, receptor=iz.Pulse(), name="pulse")
    net.connect(inh, exc, iz.AllToAll(), weight=-0.4, delay=2.0, receptor=iz.Pulse(3.0), name="long pulse")
    net.connect(exc, inh[3:], iz.FixedInDegree(4), weight=0.5, delay=late, receptor=iz.Exponential(5.0), name="exp")
    net.connect(inh, inh, iz.AllToAll(autapses=False), weight=0.1, delay=1.5, receptor=iz.Alpha(2.0), name="alpha")
    dual = iz.DualExponential(1.0, 5.0)
    net.connect(exc, exc, (range(20), range(1, 21)), weight=np.linspace(0.0, 2.0, 20), receptor=dual, name="dual")
    gone = net.connect(exc, inh, iz.FixedOutDegree(3), weight=1.0, delay=late)
    net.run(40.0)
    net.remove(gone)
    net.run(1.5)
    return net


def conductances():
    """In float32: conductances, with NMDA and gap junctions."""
    net = iz.Network(dt=0.5, seed=2)
    exc, inh = cells(net, dtype="float32")
    late = iz.Uniform(1.0, 9.0)
    net.connect(exc, inh, iz.FixedProbability(0.3), weight=0.05, delay=late, receptor=iz.AMPA(), name="AMPA")
    net.connect(exc, exc, iz.FixedInDegree(5), weight=0.02, delay=late, receptor=iz.NMDA(), name="NMDA")
    net.connect(inh, exc, iz.FixedInDegree(3), weight=0.05, delay=late, receptor=iz.GABA_A(), name="GABA_A")
    net.connect(inh, exc, iz.AllToAll(), weight=0.001, delay=3.0, receptor=iz.GABA_B(), name="GABA_B")
    alpha, dual = iz.Alpha(2.0, E=0.0), iz.DualExponential(1.0, 5.0, E=-70.0)
    net.connect(exc, inh, iz.FixedTotalNumber(40), weight=0.03, delay=late, receptor=alpha, name="alpha")
    net.connect(inh, inh, iz.FixedTotalNumber(30), weight=0.03, delay=late, receptor=dual, name="dual")
    net.connect(inh[:9], inh[1:10], iz.OneToOne(), weight=0.02, receptor=iz.GapJunction(), name="gap")
    net.record(net.synapses["NMDA"], "current", every=1.0, neurons=[0, 7], name="current")
    net.run(41.5)
    return net


def inputs():
    """Every input with its random numbers, sums and multiples of them, on populations and slices."""
    net = iz.Network(dt=0.5, seed=3)
    exc, inh = cells(net)
    net.drive(exc, iz.Noise(std=6.0))
    net.drive(exc, iz.Noise(std=np.linspace(0.0, 5.0, 24).reshape(6, 4), hold=2.0) - 0.5 * iz.Sine(-6.0, frequency=8.0))
    net.drive(exc[10:], -1 * iz.OrnsteinUhlenbeck(mean=-3.0, std=2.0, tau=10.0))
    gone = net.drive(exc, iz.OrnsteinUhlenbeck(0.0, 3.0, 5.0))
    net.drive(exc[3:], iz.OrnsteinUhlenbeck(0.0, 3.0, 5.0) + iz.Constant(0.5) + 1.0, name="sum")
    net.drive(inh, iz.Poisson(rate=iz.TimedArray([300.0, 900.0], dt=40.0), weight=0.02, receptor=iz.AMPA()))
    net.drive(inh, iz.Poisson(rate=np.linspace(0.0, 400.0, 12), weight=3.0))
    net.drive(inh, iz.SpikeTrain([0, 3, 3], [10.0, 41.0, 70.0], weight=40.0))
    net.drive(inh[:6], iz.TimedArray(np.arange(60.0).reshape(10, 6), dt=9.0, hold=False))
    net.drive(inh, iz.Ramp(0.1, start=20.0, stop=80.0))
    net.drive(inh[4:], iz.Pulses([10.0, 38.0], [12.0, 60.0], 5.0))
    net.run(20.0)
    net.remove(gone)
    net.run(21.5)
    return net


def models():
    """Every model, reset and option of a population; arrays of parameters; parameters and states set in between."""
    net = iz.Network(dt=0.1, seed=4)
    start = dict(V=lambda rng, shape: rng.uniform(-70.0, -50.0, shape), u="nullcline")
    linear = dict(k2=0.0, k1=-0.2, k0=0.0, V_th=10.0, b=0.0, d=1.0, V=np.linspace(-9.0, 9.0, 9))
    a = net.add(iz.Population(9, a=np.linspace(0.02, 0.1, 9), **linear, reset="soft", V_min=-5.0), name="a")
    b = net.add(iz.Population(6, model=iz.IzhikevichRef, tau_ref=np.arange(6.0), **start, reset="overshoot"), name="b")
    c = net.add(iz.Population(5, **iz.presets["2004/R"]), name="c")
    d = net.add(iz.Population((2, 2), **iz.presets["2007/RS"]), name="d")
    e = net.add(iz.Population(3, **iz.presets["2007/FS"], dtype="float32"), name="e")
    f = net.add(iz.Population(3, **iz.presets["2007/TC"]), name="f")
    for one, I in ((a, 9.0), (b, 12.0), (c, 1.0), (d, 100.0), (e, 200.0), (f, 150.0)):
        net.drive(one, I)
        net.record(one)
    net.connect(a, d, iz.AllToAll(), weight=20.0, delay=2.0, receptor=iz.Alpha(2.0))
    net.run(30.0)
    a.V_th, b.V = 12.0, np.linspace(-70.0, -60.0, 6)
    net.run(11.2)
    return net


def rules():
    """Every rule of plasticity; delays of up to 20 ms; rewards."""
    net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=5)
    exc, inh = cells(net)
    late = iz.Uniform(1.0, 20.0)
    for name, rule in RULES.items():
        receptor = iz.AMPA() if name == "TsodyksMarkram" else iz.Pulse()
        target = exc if name in ("STDP", "STDP2006") else inh
        some = iz.FixedOutDegree(3)
        net.connect(exc, target, some, weight=0.2, delay=late, receptor=receptor, plasticity=rule, name=name)
        net.record(net.synapses[name], every=5.0, synapses=[0, 40], name=name)
    net.run(30.0)
    net.synapses["DopamineSTDP"].modulator = 0.5
    net.run(41.0)
    return net


RULES = {
    "STDP": iz.STDP(0.05, 0.06, w_max=2.0),
    "STDP of nearest": iz.STDP(0.05, 0.06, w_max=2.0, pairing="nearest", dependence="multiplicative"),
    "TripletSTDP": iz.TripletSTDP(w_max=2.0),
    "STDP2006": iz.STDP2006(period=30.0),
    "DopamineSTDP": iz.DopamineSTDP(),
    "TsodyksMarkram": iz.TsodyksMarkram(),
    "Scaling": iz.Scaling(target=20.0, w_max=2.0, period=30.0),
}


def rules_float32():
    """Rules with float32 weights; plastic synapses that have been removed while spikes are under way."""
    net = iz.Network(dt=0.5, seed=6)
    exc, inh = cells(net, dtype="float32")
    late = iz.Uniform(1.0, 15.0)
    for name in ("STDP", "DopamineSTDP", "TsodyksMarkram"):
        net.connect(exc, exc, iz.FixedOutDegree(4), weight=0.3, delay=late, plasticity=RULES[name], name=name)
    gone = net.connect(exc, inh, iz.FixedOutDegree(4), weight=0.5, delay=late, plasticity=RULES["TripletSTDP"])
    net.synapses["DopamineSTDP"].modulator = 0.5
    net.run(40.0)
    net.remove(gone)
    net.run(1.5)
    return net


def recorders():
    """Every recorder, in memory and in a file, in the midst of its recording, before it or after; one pauses."""
    net = iz.Network(dt=0.5, seed=7)
    exc, inh = cells(net)
    some, stdp = iz.FixedOutDegree(4), RULES["STDP"]
    syn = net.connect(exc, inh, some, weight=0.3, delay=5.0, receptor=iz.AMPA(), plasticity=stdp)
    _record(net, exc, inh, syn)
    net.record(exc, "V", every=2.0, neurons=[1], start=60.0, stop=70.0, name="later")
    net.record(syn, "current", every=1.0, neurons=[3], stop=20.0, name="earlier")
    net.record(exc, "rate", every=7.0, stop=20.0, name="pause")
    net.run(35.0)
    net.recorders["pause"].start, net.recorders["pause"].stop = 35.0, np.inf
    net.run(6.5)
    return net


def _record(net, exc, inh, syn):
    net.record(exc, "rate", every=7.0, name="rate")
    files = {what: f"{net.scheme.name} {what}.rec" for what in ("spikes", "states", "weights")}
    for kind, to in (("memory", dict.fromkeys(files)), ("file", files)):
        net.record(exc[4:], name=f"part in {kind}", to=to["spikes"])
        net.record(inh, ["u", "V"], every=1.5, neurons=[5, 2], name=f"states in {kind}", to=to["states"])
        net.record(syn, every=5.0, start=10.0, synapses=[7, 1], name=f"weights in {kind}", to=to["weights"])


def no_leak(V, V_new, u, p):
    return p.b * V - u - u


@dataclasses.dataclass(frozen=True)
class Forgetting(iz.Plasticity):
    """Each arrival takes a little off the weight."""

    share: float = 0.1

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w * (1 - p.share), e, x


def own():
    """A model and a rule of a user's own, which `load` is given."""
    net = iz.Network(dt=0.5, seed=8)
    model = dataclasses.replace(iz.Izhikevich, name="Mine", pull=no_leak)
    mine = net.add(iz.Population(8, model=model, u=-10.0), name="mine")
    net.connect(mine, mine, iz.FixedOutDegree(3), weight=2.0, delay=3.0, plasticity=Forgetting(0.2), name="forgetting")
    net.drive(mine, iz.Noise(std=30.0))
    net.record(mine, name="spikes")
    net.run(31.5)
    return net


def exact():
    """Receptors, inputs, models and recorders of the exact scheme; events under way, also of removed synapses."""
    net = iz.Network(scheme="exact", seed=9)
    exc, inh = cells(net)
    book = net.add(iz.Population(4, **iz.presets["2007/RS"]), name="book")
    late = iz.Uniform(0.3, 15.0)
    for k, (receptor, weight) in enumerate(
        [(iz.Delta(), 1.0), (iz.Exponential(5.0), 0.5), (iz.Alpha(2.0), 0.5), (iz.DualExponential(1.0, 5.0), 0.5),
         (iz.AMPA(), 0.03), (iz.Alpha(2.0, E=0.0), 0.02), (iz.DualExponential(1.0, 5.0, E=-70.0), 0.02)]
    ):  # fmt: skip
        net.connect(exc, inh, iz.FixedProbability(0.1), weight=weight, delay=late, receptor=receptor, name=f"{k}")
    net.connect(inh, book, iz.FixedInDegree(5), weight=20.0, delay=4.25, receptor=iz.Exponential(3.0), name="book")
    syn = net.connect(exc[:9], exc, iz.FixedOutDegree(3), weight=0.4, delay=late, plasticity=RULES["STDP"], name="stdp")
    gone = net.connect(exc, inh, iz.FixedOutDegree(3), weight=0.5, delay=late)
    net.drive(exc, iz.Sine(3.0, frequency=30.0))
    net.drive(inh, iz.Poisson(rate=iz.TimedArray([100.0, 300.0], dt=40.0), weight=5.0))
    net.drive(inh, iz.Poisson(rate=200.0, weight=0.1, receptor=iz.AMPA()))
    net.drive(inh[2:], iz.SpikeTrain([0, 3], [5.5, 60.25], weight=30.0))
    net.drive(book, iz.Pulses(10.5, 70.5, 120.0) + iz.TimedArray([0.0, 20.0], dt=40.0))
    net.drive(exc[:3], 2 * iz.Ramp(0.1))
    _record(net, exc, inh, syn)
    net.run(40.0)
    net.remove(gone)
    net.run(1.3)
    return net


def exact_rules():
    """Every rule that the exact scheme has."""
    net = iz.Network(scheme="exact", seed=10)
    exc, inh = cells(net)
    some, late = iz.FixedOutDegree(3), iz.Uniform(0.3, 15.0)
    for name, rule in RULES.items():
        if name != "STDP2006":
            net.connect(exc, inh, some, weight=0.2, delay=late, plasticity=rule, name=name)
            net.record(net.synapses[name], every=5.0, synapses=[0, 40], name=name)
    net.run(30.0)
    net.synapses["DopamineSTDP"].modulator = 0.5
    net.run(31.3)
    return net


def scheme(name):
    net = iz.Network(dt=0.25, scheme=name, seed=11)
    net.drive(net.add(iz.Population(4, **RS), name="exc"), 12.0)
    net.record(net.populations["exc"], name="spikes")
    net.run(31.5)
    return net


NETWORKS = {one.__name__: one for one in (
    currents, conductances, inputs, models, rules, rules_float32, recorders, own, exact, exact_rules,
)}  # fmt: skip
for name in ("euler", "izhikevich2004", "nest", "nest_published", "rk4"):
    NETWORKS[name] = functools.partial(scheme, name)


# --- what is kept ----------------------------------------------------------------------------------------------------


def outcome(net):
    """All that a user can read off a network: arrays by name."""
    found = {"t": np.array(net.t), "names": np.array([net.scheme.name, *net.populations, *net.synapses, *net.drives])}
    for name, pop in net.populations.items():
        parts = {p: getattr(pop, p) for p in ("V", "u", "last_spike_time", "refractory", *pop.model.parameters)}
        found |= {f"{name}: {key}": np.array(value) for key, value in parts.items()}
        found[f"{name}: model"] = np.array(pop.model.name)
    for name, syn in net.synapses.items():
        found |= {f"{name}: {key}": np.array(getattr(syn, key)) for key in ("pre", "post", "weight", "delay")}
        found[f"{name}: receptor and rule"] = np.array([repr(syn.receptor), repr(syn.plasticity)])
    for name, rec in net.recorders.items():
        for key in ("i", "step", "t", "rate", "V", "u", "current", "weight"):
            if getattr(rec, key, None) is not None:
                found[f"{name}: {key}"] = np.array(getattr(rec, key))
    return found


def machine():
    """What decides on the last bits of results: processor, NumPy and C library."""
    cpu = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    wide = llvmlite.binding.get_host_cpu_features()["avx512f"]
    disabled = os.environ.get("NPY_DISABLE_CPU_FEATURES", "")
    return np.array([cpu, str(wide), disabled, np.__version__, *platform.libc_ver()])


def moved(checkpoint, old, new):
    """A checkpoint, bytes, in which the folder of recorders' files is another: its text "about", and its digest."""
    with np.load(io.BytesIO(checkpoint)) as file:
        arrays = {name: file[name] for name in file}
    text = arrays["about"].tobytes().replace(old.encode(), new.encode())
    arrays["about"] = np.frombuffer(text, arrays["about"].dtype)
    file = io.BytesIO()
    np.savez(file, **arrays)
    data = file.getvalue()[:-2] + (64).to_bytes(2, "little")  # the digest is the comment of the zip file
    return data + hashlib.sha256(data).hexdigest().encode()


def main(path):
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as files:
        os.chdir(work)
        for name, make in NETWORKS.items():
            net = make()
            net.save("state.npz")
            files.writestr(f"{name}.npz", moved(Path("state.npz").read_bytes(), os.getcwd(), "FOLDER"))
            for recording in sorted(Path().glob("*.rec")):
                files.writestr(recording.name, recording.read_bytes())
            kept = {f"saved, {key}": value for key, value in outcome(net).items()}
            net.run(GOES_ON)
            kept |= {f"later, {key}": value for key, value in outcome(net).items()}
            np.savez("outcome.npz", machine=machine(), **kept)
            files.writestr(f"{name} outcome.npz", Path("outcome.npz").read_bytes())
            print(name, sum(len(rec.i) for rec in net.recorders.values() if hasattr(rec, "i")), "spikes")
            for recording in Path().glob("*.rec"):
                recording.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
