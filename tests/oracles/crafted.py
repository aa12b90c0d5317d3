"""Files that look whole and tell of what cannot be. Run as a script it makes and loads them, for a file that gets
through may end the process: `crafted.py folder share first`.

Each leaf of what a checkpoint says is put wrong in turn, and the seal made anew. What is loaded must then run.
"""

from __future__ import annotations

import copy
import faulthandler
import functools
import io
import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np

import izhnumba as iz
from izhnumba._checkpoint import format


def static(folder):
    """Synapses that stay as they are, of every make, and drives and recorders of every kind."""
    net = iz.Network(dt=0.5, seed=11)
    exc = net.add(iz.Population((10, 7), **iz.presets["RS"], tau_ref=3.0), name="exc")
    inh = net.add(iz.Population(60, **iz.presets["FS"], dtype="float32", V_min=-90.0), name="inh")
    many = net.add(iz.Population(520, **iz.presets["RS"]), name="many")
    net.connect(exc, inh, iz.FixedProbability(0.2), weight=0.3, delay=iz.Uniform(1.0, 4.0), receptor=iz.AMPA())
    net.connect(exc[:4], many, iz.FixedOutDegree(1000), weight=0.1, delay=iz.Uniform(1.0, 4.0), name="cut")
    net.connect(inh, exc, iz.AllToAll(), weight=-0.5, delay=2.0, receptor=iz.Pulse(), name="whole")
    net.connect(inh, inh, iz.FixedOutDegree(2), weight=0.1, receptor=iz.Pulse(), name="pulses")
    net.connect(inh, inh[5:], iz.AllToAll(autapses=False), weight=0.01, delay=1.0, receptor=iz.GABA_A(), name="holes")
    net.connect(inh[:9], inh[1:10], iz.OneToOne(), weight=0.01, receptor=iz.GapJunction(), name="gaps")
    net.connect(inh[5:], inh, iz.AllToAll(autapses=False), weight=iz.Shared(0.01), delay=2.0, name="shared")
    net.drive(exc, iz.Noise(std=16.0) + iz.Sine(3.0, frequency=8.0))
    net.drive(exc[20:], iz.OrnsteinUhlenbeck(mean=3.0, std=2.0, tau=10.0), name="ou")
    net.drive(inh, iz.Poisson(rate=iz.TimedArray([300.0, 900.0], dt=40.0), weight=0.02, receptor=iz.AMPA()))
    net.drive(exc, iz.SpikeTrain([0, 3], [10.0, 70.0], weight=40.0), name="train")
    net.drive(many, np.full(520, 5.0), name="light")
    g = iz.OrnsteinUhlenbeck(mean=0.03, std=0.02, tau=10.0).clip(0.0) * iz.UniformNoise()
    net.record(net.drive(inh[::2], g, receptor=iz.AMPA(), name="g"), every=9.0, name="flow")
    noise = net.add(iz.PoissonSource((5, 6), np.linspace(5.0, 90.0, 30).reshape(5, 6)), name="noise")
    given = net.add(iz.SpikeSource([1, 0, 1], [3.0, 39.0, 58.5], n=2, positions=np.eye(2)), name="given")
    net.connect(noise, exc[:9], iz.FixedInDegree(4), weight=2.0, delay=iz.Uniform(1.0, 9.0), name="noisy")
    net.connect(given[[1, 0]], inh[3:5], iz.OneToOne(), weight=0.1, delay=7.0, receptor=iz.AMPA(), name="shown")
    net.record(noise, name="sent")
    net.record(exc, name="spikes")
    net.record(exc[5:20], name="file", to=folder / "static.rec")
    net.record(inh, ["V", "u"], every=2.0, neurons=[5, 2], name="states")
    net.record(exc, "rate", every=7.0, name="rate")
    net.record(net.synapses["whole"], every=5.0, synapses=[3, 1], name="weights", start=10.0)
    net.record(net.synapses["whole"], "current", every=1.0, neurons=[0], name="current")
    net.run(40.0)
    return net


def plastic(folder):
    """Synapses that change, with spikes under way."""
    net = iz.Network(dt=0.5, seed=3)
    exc = net.add(iz.Population(70, **iz.presets["RS"]), name="exc")
    stdp = iz.STDP(A_plus=0.05, A_minus=0.06, w_max=2.0)
    net.connect(exc[:50], exc, iz.FixedOutDegree(6), weight=1.0, delay=iz.Uniform(1.0, 9.0), plasticity=stdp, name="st")
    dopamine = net.connect(exc, exc[50:], iz.FixedInDegree(5), weight=0.5, plasticity=iz.DopamineSTDP(), name="da")
    dopamine.modulator = 0.5
    depressing = iz.TsodyksMarkram()
    net.connect(exc, exc, iz.FixedInDegree(4), weight=0.1, receptor=iz.AMPA(), plasticity=depressing, name="tm")
    pulses = iz.Kinetic(1.1, 0.19, E=0.0)
    net.connect(exc, exc, iz.FixedInDegree(3), weight=0.01, delay=iz.Uniform(1.0, 9.0), receptor=pulses, name="kinetic")
    net.connect(exc, exc, iz.OneToOne(), weight=0.01, receptor=iz.AMPA() + 0.3 * iz.NMDA(), name="mixed")
    net.drive(exc, iz.SpikeTrain([0, 3], [10.0, 17.0], weight=0.1, receptor=iz.Saturating(5.0, E=0.0)), name="train")
    net.drive(exc, iz.Noise(std=30.0))
    net.record(dopamine, every=5.0, name="weights")
    net.run(20.5)
    return net


def exact(folder):
    """In continuous time."""
    net = iz.Network(scheme="exact", seed=5)
    exc = net.add(iz.Population(520, **iz.presets["RS"], tau_ref=1.0), name="exc")
    few = net.add(iz.Population(6, **iz.presets["FS"]), name="few")
    stdp = iz.STDP(A_plus=0.05, A_minus=0.06, w_max=2.0)
    net.connect(few, exc, iz.FixedOutDegree(30), weight=1.0, delay=iz.Uniform(1.0, 9.0), receptor=iz.AMPA())
    net.connect(exc[:9], few, iz.AllToAll(), weight=1.0, delay=iz.Uniform(3.0, 9.0), plasticity=stdp, name="st")
    dopamine = iz.DopamineSTDP()
    net.connect(exc[:9], few, iz.AllToAll(), weight=0.5, delay=iz.Uniform(3.0, 9.0), plasticity=dopamine, name="da")
    net.drive(exc[:9], 15.0)
    net.drive(few, iz.Sine(4.0, frequency=20.0, offset=9.0))
    net.drive(few, iz.Poisson(rate=300.0, weight=2.0), name="poisson")
    noise = net.add(iz.PoissonSource(5, iz.TimedArray([90.0, 0.0], dt=15.0)), name="noise")
    net.connect(noise, few, iz.AllToAll(), weight=1.0, delay=2.0, name="noisy")
    net.record(noise, name="sent")
    net.record(few, name="spikes")
    net.record(few, "V", every=2.0, name="file", to=folder / "exact.rec")
    net.record(few, "rate", every=7.0, name="rate")
    net.run(23.7)
    return net


def batch(folder):
    """A population by itself that has recorded, with random numbers to go on with."""
    cells = iz.presets["RS"] | {"d": np.array([[8.0, 6.0, 2.0], [4.0, 3.0, 2.0]])}
    pop = iz.Population((2, 3), **cells, batch=2, dtype="float32", tau_ref=2.0, V_min=-90.0, seed=7, dt=0.5, name="µ")
    pop.run(
        30.0, iz.OrnsteinUhlenbeck(12.0, 3.0, 5.0), delta=iz.Noise(0.5), record=["V", "u"], every=5.0, neurons=[4, 1]
    )
    return pop


def alone(folder):
    """One of the scheme "exact"."""
    pop = iz.Population(5, scheme="exact", **iz.presets["RS"], tau_ref=1.0, seed=7)
    pop.run(30.0, iz.Sine(4.0, 20.0, offset=9.0), delta=iz.Poisson(200.0, 2.0), g=0.01, E=-70.0, record="V", every=5.0)
    return pop


NETWORKS = {"static": static, "plastic": plastic, "exact": exact}
POPULATIONS = {"batch": batch, "alone": alone}
ALL = NETWORKS | POPULATIONS


def parts_of(path):
    """What a checkpoint says, and its arrays by name."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    return json.loads(arrays.pop("about").tobytes()), arrays


def write(path, about, arrays, savez=np.savez):
    """A checkpoint that says so."""
    data = io.BytesIO()
    text = about if isinstance(about, bytes) else json.dumps(about).encode()
    savez(data, **arrays, about=np.frombuffer(text, np.uint8))
    format._seal(data)
    Path(path).write_bytes(data.getvalue())


# --- Ways in which a value can be wrong -----------------------------------------------------------------------------


def leaves(value, place=()):
    """Places in JSON of all that is no list or dict, and of the lists and dicts."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from leaves(one, (*place, key))


def at(value, place):
    for key in place:
        value = value[key]
    return value


def wrong_values(value):
    """What may stand in place of a value."""
    if isinstance(value, bool) or value is None:
        return ["x", 7, None if value is not None else True, [], {}]
    if isinstance(value, (int, float)):
        return ["x", None, True, [], {}, -1, 10**30, math.nan, math.inf, -(2**63), value + 1, 0.5, 1e308, 2**40]
    if isinstance(value, str):
        return [5, None, [], {}, "", "x", value + "x", "a\0b"]
    if isinstance(value, list):
        return [value[:-1], [*value, 7], [*value, {"list": []}], value[::-1], 5, None, {}, [*value, *value[-1:]]]
    return [{}, value | {"x": 1}, dict(list(value.items())[1:]), 5, None, [], "x"]


def wrong_arrays(array):
    """The same for arrays."""
    more = np.concatenate([array.ravel()[:1], array.ravel()]) if array.size else np.zeros(3, array.dtype)
    found = [array.ravel()[:-1], more, array[np.newaxis], array.ravel()[:0], np.zeros(3, "V8"), np.array(["x"])]
    if array.dtype.kind in "iuf":
        kinds = ("<f8", "<f4", "<i8", "<i4", ">f8", ">i8", "<u4", "|u1", "<c16")
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            found += [array.astype(kind) for kind in kinds if array.dtype != kind]
        info = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
        values = [info.max, info.min, info.max // 2, 0, 1, -1]
        values += [math.nan, math.inf, -math.inf, 1e-320] if array.dtype.kind == "f" else []
        for value in values:
            for where in {0, array.size // 2, array.size - 1} if array.size else ():
                other = array.copy()
                with np.errstate(all="ignore"):
                    other.ravel()[where] = np.array(value).astype(array.dtype)
                found.append(other)
    return found


def mutations(about, arrays):
    """(what is wrong, a function for what a checkpoint says then, arrays): most are skipped, and copies take time."""
    kind = kind_of(about)

    def saying(place, wrong):
        other = copy.deepcopy(about)
        if place:
            at(other[kind], place[:-1])[place[-1]] = wrong
        else:
            other[kind] = wrong
        return other

    for place in leaves(about[kind], ()):
        value = at(about[kind], place)
        words = named(about, place)
        for number, wrong in enumerate(wrong_values(value)):
            if json.dumps(wrong) != json.dumps(value):
                yield f"{words} = {wrong!r:.40} ({number})", functools.partial(saying, place, wrong), arrays
    for name, array in arrays.items():
        for number, wrong in enumerate(wrong_arrays(array)):
            same = wrong.dtype == array.dtype and wrong.shape == array.shape
            if not same or wrong.tobytes() != array.tobytes():
                yield f"{name} -> {wrong.dtype} {wrong.shape} ({number})", lambda: about, arrays | {name: wrong}
        yield f"{name} is missing", lambda: about, {key: value for key, value in arrays.items() if key != name}


def kind_of(about):
    """What is in a file: "network" or "population"."""
    return next(key for key in about if key != "format")


def named(about, place):
    """A place in JSON in the words of users: keys of dicts instead of their numbers."""
    words, whole = [], about[kind_of(about)]
    value = whole
    for k, key in enumerate(place):
        if isinstance(value, list) and k >= 2 and place[k - 2] == "dict":
            keys = at(whole, place[: k - 1])[0]
            words.append(str(keys[key]) if place[k - 1] == 1 else f"key {key}")
        elif key not in ("dict", 0, 1) or not (key == "dict" or place[k - 1] == "dict"):
            words.append(str(key))
        value = value[key]
    return "/".join([kind_of(about), *words])


# --- What becomes of it ---------------------------------------------------------------------------------------------


def outcome(path, name):
    """Of loading it, and of a run if that goes well."""
    load, where = (iz.load, "load") if name in NETWORKS else (iz.Population.load, "Population.load")
    with warnings.catch_warnings(action="ignore"):
        try:
            one = load(path)
        except ValueError as error:
            begins = f"{where}.path must be a checkpoint of izhnumba, got '{path}', ", f"{where}.define"
            good = str(error).startswith(begins)
            good |= "must hold what was recorded" in str(error) or "must be its recording in" in str(error)
            return "refused" if good else f"ValueError: {error}"
        except FileNotFoundError as error:
            return "refused" if "the file of recorder" in str(error) else f"FileNotFoundError: {error}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        try:
            if name in NETWORKS:
                one.run(20.0)
                for recorder in one.recorders.values():
                    repr(recorder)
            else:
                repr(one.result)
                exact = one.scheme.exact
                one.run(20.0, 5.0 if exact else iz.OrnsteinUhlenbeck(12.0, 3.0, 5.0),
                        delta=iz.Poisson(200.0, 2.0) if exact else iz.Noise(0.5))  # fmt: skip
        except (RuntimeError, ValueError) as error:  # V is no number, a rate is negative, ...
            return f"ran into {error}"
        except Exception as error:
            return f"run: {type(error).__name__}: {error}"
    return "loaded"


def main(folder, share, first):
    """Every so many of all files, from the first one on."""
    folder = Path(folder)
    number, path = 0, folder / "crafted.npz"
    for name, make in ALL.items():
        make(folder).save(folder / f"{name}.npz")
        recording = {file: file.read_bytes() for file in folder.glob("*.rec")}
        about, arrays = parts_of(folder / f"{name}.npz")
        for what, wrong, parts in mutations(about, arrays):
            number += 1
            if number % int(share) == int(first):
                print(json.dumps([number, name, what]), flush=True)
                faulthandler.dump_traceback_later(60, exit=True)
                write(path, wrong(), parts)
                print(json.dumps(outcome(path, name)), flush=True)
                faulthandler.cancel_dump_traceback_later()
                for file, data in recording.items():
                    if file.read_bytes() != data:
                        file.write_bytes(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
