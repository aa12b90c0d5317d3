"""Network.step beside runs of one step, which make everything ready anew: the same bits, whatever comes in between."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from interrupts import interrupted

import izhnumba as iz

DT = 0.5


def network():
    """Every kind of part that needs no kernels of its own."""
    net = iz.Network(dt=DT, seed=1, threads=1)
    exc = net.add(iz.Population(9, **iz.presets["RS"], tau_ref=2.0), name="exc")
    inh = net.add(iz.Population(5, **iz.presets["RS"]), name="inh")
    net.connect(exc, inh, iz.FixedOutDegree(3), weight=9.0, delay=iz.Uniform(1.0, 5.0), name="static")
    stdp = iz.STDP(A_plus=0.1, w_max=3.0)
    net.connect(exc, exc, iz.FixedOutDegree(3), weight=1.0, delay=iz.Uniform(1.0, 5.0), plasticity=stdp, name="plastic")
    net.connect(inh, exc, iz.AllToAll(), weight=-1.0, delay=1.0, receptor=iz.Exponential(4.0), name="whole")
    net.drive(exc, iz.Noise(std=6.0) + 9.0, name="noise")
    net.drive(exc[2:7], np.zeros(5), name="light")
    net.drive(inh, iz.OrnsteinUhlenbeck(6.0, 3.0, 20.0), name="ou")
    net.drive(inh, iz.Poisson(rate=300.0, weight=4.0), name="poisson")
    net.drive(exc, iz.SpikeTrain([0, 4, 8], [3.0, 17.5, 33.0], weight=50.0), name="train")
    net.drive(inh, iz.TimedArray(np.linspace(0.0, 4.0, 12), dt=2.0), name="table")
    net.record(exc, "spikes", name="spikes")
    net.record(inh[:3], "spikes", name="some")
    net.record(exc, ["V", "u"], neurons=[5, 1], name="states")
    net.record(inh, "rate", every=5.0, name="rate")
    net.record(net.synapses["whole"], "current", every=1.0, name="current")
    net.record(net.synapses["plastic"], "weight", every=2.5, name="weights")
    return net


def coupled():
    """A network with gap junctions, in which weights cannot be negative."""
    net = iz.Network(dt=DT, seed=1, threads=1)
    inh = net.add(iz.Population(5, **iz.presets["RS"]), name="inh")
    net.connect(inh, inh, iz.FixedOutDegree(2), weight=0.01, receptor=iz.GapJunction(), name="gaps")
    net.drive(inh, np.linspace(8.0, 12.0, 5), name="light")
    net.record(inh, "spikes", name="some")
    return net


def conducting():
    """A network whose drives are conductances."""
    net = iz.Network(dt=DT, seed=1, threads=1)
    exc = net.add(iz.Population(9, **iz.presets["RS"]), name="exc")
    net.drive(exc[2:7], np.zeros(5), receptor=iz.Exponential(5.0, E=0.0), name="light")
    net.drive(exc, iz.OrnsteinUhlenbeck(0.2, 0.1, 20.0).clip(0.0), receptor=iz.Exponential(5.0, E=0.0), name="ou")
    net.record(exc, "spikes", name="some")
    net.record(net.drives["light"], every=1.0, name="current")
    return net


def exact():
    """In continuous time: input that changes, random spikes, synapses and samples."""
    net = iz.Network(dt=DT, seed=1, threads=1, scheme="exact")
    exc = net.add(iz.Population(8, **iz.presets["RS"], tau_ref=2.0), name="exc")
    inh = net.add(iz.Population(4, **iz.presets["RS"]), name="inh")
    net.connect(exc, inh, iz.FixedOutDegree(3), weight=9.0, delay=iz.Uniform(1.0, 5.0), name="static")
    stdp = iz.STDP(A_plus=0.1, w_max=3.0)
    net.connect(exc, exc, iz.FixedOutDegree(3), weight=1.0, delay=iz.Uniform(1.0, 5.0), plasticity=stdp, name="plastic")
    net.connect(inh, exc, iz.AllToAll(), weight=-1.0, delay=1.0, receptor=iz.Exponential(4.0), name="whole")
    net.drive(exc, iz.TimedArray(np.linspace(8.0, 20.0, 12), dt=2.0), name="noise")
    net.drive(inh, 6.0, name="ou")
    net.drive(inh, iz.Poisson(rate=300.0, weight=4.0), name="poisson")
    net.record(exc, "spikes", name="spikes")
    net.record(exc, ["V", "u"], every=0.7, name="states")
    net.record(inh, "spikes", name="some")
    net.record(inh, "rate", every=5.0, name="rate")
    net.record(net.synapses["whole"], "current", name="current")
    return net


def outcome(net):
    found = {"t": net.t}
    for name, pop in net.populations.items():
        found |= {f"{name} V": pop.V, f"{name} u": pop.u, f"{name} last": pop.last_spike_time, f"{name} s": pop.spikes}
    for name, syn in net.synapses.items():
        found |= {f"{name} weight": syn.weight}
    for name, rec in net.recorders.items():
        found |= {f"{name} {one}": getattr(rec, one) for one in ("i", "t", "V", "u", "rate", "current", "weight")
                  if one in dir(rec)}  # fmt: skip
    return {name: np.array(values) for name, values in found.items()}


def same(net, twin):
    expected = outcome(twin)
    for name, values in outcome(net).items():
        np.testing.assert_array_equal(values, expected[name], err_msg=f"{name} at {net.t}")


def light(net, k):
    net.drives["light"].value[k % 5] = 20.0 - k


def brightness(net, k):
    """As closed loops set it."""
    net.drives["light"].value = [0.0, np.full(5, 3.0), np.linspace(0.0, 9.0, 5), 7.0, 3.5][k]


def foreign_bytes(net, k):
    """A live array in the byte order of other machines."""
    net.drives["light"].value = np.full(5, 3.0 + k, ">f8" if k % 2 else ">f4")


def parameter(net, k):
    net.populations["exc"].a = 0.02 + 0.001 * k


def parameter_arrays(net, k):
    net.populations["exc"].a = 0.02 if k % 2 else np.linspace(0.02, 0.1, net.populations["exc"].n)


def threshold(net, k):  # which gap junctions depend on
    net.populations["inh"].V_th = 30.0 if k % 2 else np.linspace(25.0, 30.0, 5)


def tau_ref(net, k):
    net.populations["inh"].tau_ref = [0.0, 2.0, 1.0][k % 3]


def state(net, k):
    net.populations["exc"].V[k % 9], net.populations["inh"].u = -40.0, -10.0


def weights(net, k):
    net.synapses["static"].weight[:] = 9.0 + k
    net.synapses["whole"].weight = -1.0 - 0.1 * k


def drive_value(net, k):
    net.drives["noise"].value = iz.Noise(std=3.0) + float(k)
    net.drives["light"].value = np.full(5, 2.0) if k % 2 else 1.5


def new_drive(net, k):
    net.drive(net.populations["exc"], iz.Poisson(rate=200.0, weight=0.1, receptor=iz.Alpha(3.0)), name=f"new{k}")


def removed_drive(net, k):
    net.remove(net.drives[["ou", "noise", "train"][k % 3]])
    net.drive(net.populations["inh"], 6.0, name=["ou", "noise", "train"][k % 3])


def new_synapses(net, k):
    exc, inh = net.populations["exc"], net.populations["inh"]
    net.connect(inh, exc, iz.FixedInDegree(2), weight=0.5, delay=1.0 + k, receptor=iz.Alpha(3.0), name=f"new{k}")


def removed_synapses(net, k):
    if k == 1:
        net.remove(net.synapses["static"])
    if k == 2:
        net.remove(net.recorders["weights"])
        net.remove(net.synapses["plastic"])


def new_recorder(net, k):
    net.record(net.populations["inh"], ["V", "spikes", "rate", "u"][k % 4], name=f"new{k}")


def removed_recorder(net, k):
    if k < 3:
        net.remove(net.recorders[["spikes", "states", "current"][k]])


def window(net, k):
    for rec in net.recorders.values():
        rec.start, rec.stop = [(net.t + 1.0, np.inf), (0.0, net.t), (0.0, np.inf), (0.0, net.t + 2.0)][k % 4]


def reading(net, k):
    outcome(net)


def longer_run(net, k):
    net.run(2.0)


def run_until(net, k):
    net.run(3.0, until=lambda net: net.populations["exc"].spikes.any())


def long_question(net, k):
    net.run(6.0, until=lambda net: net.t > 8.0 + 11 * k, every=2.5)


def setting_in_a_run(net, k):
    """A condition may set parameters and states, and write into arrays, which count from the next run on."""

    def until(net):
        parameter(net, k)
        state(net, k)
        light(net, k + 1)
        reading(net, k)
        return False

    net.run(3.0, until=until)


def reset(net, k):
    if k == 3:
        net.reset(weights=True)


def checkpoint(net, k):
    net.save(net.path)


def refused(net, k):
    """What is refused changes nothing."""
    for wrong in (lambda: net.step(1.0), lambda: net.run(-1.0), lambda: setattr(net.populations["exc"], "a", np.nan),
                  lambda: setattr(net.drives["light"], "value", np.zeros(3)),
                  lambda: net.record(net.populations["exc"], "W"),
                  lambda: net.connect(net.populations["exc"], net.populations["inh"], 3)):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            wrong()


def wrong_light(net, k):
    """A live array that is not finite is refused, in its words, and the network stands where it stood."""
    light, t = net.drives["light"].value, net.t
    light[1] = np.nan
    with pytest.raises(ValueError, match="Drive.value must be finite, got nan at index 1"):
        net.step()
    assert net.t == t
    light[1] = k


def wrong_weight(net, k):
    weight, t = net.synapses["gaps"].weight, net.t
    weight[3] = -1.0
    with pytest.raises(ValueError, match="Synapses.weight of 'gaps'"):
        net.step()
    assert net.t == t
    weight[3] = 0.1


def by_another_thread(net, k):
    """A step of another thread, and what this one then reads."""
    one = threading.Thread(target=net.step)
    one.start()
    one.join()


def modulated(net, k):
    net.synapses["plastic"].weight[:] = 0.5


CHANGES = [
    light, brightness, foreign_bytes, parameter, parameter_arrays, tau_ref, state, weights, drive_value, new_drive,
    removed_drive,
    new_synapses, removed_synapses, new_recorder, removed_recorder, window, reading, longer_run, run_until,
    long_question, setting_in_a_run, reset, checkpoint, refused, wrong_light, by_another_thread, modulated,
]  # fmt: skip


def new_light(net, k):
    if k == 1:
        net.drive(net.populations["exc"], np.zeros(8), name="light")
    if k > 1:
        net.drives["light"].value[k] = 4.0


def odd_steps(net, k):
    for _ in range(3):
        net.step(0.1 + k / 3)


def constant(net, k):
    net.drives["ou"].value = float(k)


def becomes_live(net, k):
    net.drives["ou"].value = np.full(4, 6.0 + k) if k % 2 else 6.0


class Slow(iz.Network):
    """Steps that are runs."""

    def step(self, dt=None):
        self.run(dt or self.dt) if self.scheme.exact or dt is None else super().step(dt)


MADE = [
    *((change, network) for change in CHANGES),
    *((change, coupled) for change in (threshold, wrong_weight, brightness)),
    *((change, conducting) for change in (light, brightness, foreign_bytes, wrong_light, longer_run, run_until, reset)),
    (checkpoint, conducting),
]
EXACT = [
    parameter, parameter_arrays, tau_ref, state, weights, constant, becomes_live, new_light, odd_steps, new_synapses,
    new_recorder, window, reading, longer_run, run_until, reset, checkpoint, by_another_thread,
]  # fmt: skip
MADE += [(change, exact) for change in EXACT]


@pytest.mark.parametrize(("change", "make"), MADE, ids=lambda one: one.__name__)
def test_steps_are_runs_of_one_step(change, make, tmp_path, monkeypatch):
    net = make()
    monkeypatch.setattr(iz, "Network", Slow)
    twin = make()
    monkeypatch.undo()
    for one, name in ((net, "fast"), (twin, "slow")):
        vars(one)["path"] = tmp_path / name
    for k in range(5):
        for _ in range((1, 7, 2, 13, 4)[k]):
            net.step()
            twin.step()
        for one in (net, twin):
            change(one, k)
    same(net, twin)
    if change is checkpoint:
        net, twin = iz.load(net.path), iz.load(twin.path)
    net.run(20.0)
    twin.run(20.0)
    same(net, twin)
    assert len(twin.recorders["some"].i) > 3


def test_long_steps_make_room_for_what_they_record_alone():
    net = iz.Network(scheme="exact", dt=0.5, threads=1)
    cells = net.add(iz.Population(8, **iz.presets["RS"]))
    voltage = net.record(cells, "V", every=0.5)
    for _ in range(40):
        net.step(50.0)
    assert voltage.V.shape == (4000, 8)
    assert sum(chunk.buffers[1].nbytes for chunk in voltage._keeps._chunks) < 3 * voltage.V.nbytes


def test_a_step_after_an_interrupt_is_a_whole_one():
    net = exact()
    for at in range(150, 900, 50):
        t = net.t
        if interrupted(lambda: net.step(40.0), at) and net.t < t + 40.0:
            t = net.t
            net.step(40.0)
        assert net.t == pytest.approx(t + 40.0, abs=1e-8)


def test_inputs_of_a_users_own_are_asked_step_by_step():
    """They may look at something of now, and remember what was asked."""
    level = [8.0]

    class Own(iz.Input):
        def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
            def rows(step, count):
                assert memory.get("next", 0) == step or count == 1
                memory["next"] = step + count
                return np.full((count, 1), level[0], dtype)

            return rows

    net = iz.Network(dt=DT, threads=1)
    cells, twin = net.add(iz.Population(3, **iz.presets["RS"])), iz.Population(3, **iz.presets["RS"], dt=DT)
    net.drive(cells, Own())
    for k in range(40):
        level[0] = 5.0 + k
        net.step()
        twin.run(DT, 5.0 + k)
    assert cells.V.tobytes() == twin.V.tobytes()
    asked = []
    net.run(20.0, until=lambda net: asked.append(net.t) or level.__setitem__(0, level[0] + 1.0))
    for k in range(40):
        twin.run(DT, 44.0 + k)
    assert len(asked) == 40
    assert cells.V.tobytes() == twin.V.tobytes()


def test_failures_and_leaps_of_steps_are_told():
    net = iz.Network(dt=DT, threads=1, scheme="euler")
    pops = [net.add(iz.Population(2, V=-60.0), name=name) for name in ("one", "other")]
    for _ in range(5):
        net.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.step()
    for pop in pops:
        pop.V[1] = -400.0
        with pytest.warns(UserWarning, match="Population.V fell below"):
            net.step()
        net.step()
    spikes, V = net.record(pops[1], "spikes"), net.record(pops[1], "V")
    for _ in range(9):
        net.step()
    pops[1].V[0] = np.nan
    for _ in range(2):
        with pytest.raises(RuntimeError, match="^other: V became non-finite in 1 of 2 neurons at t = "):
            net.step()
    assert V.t[0] == 11 * DT
    assert np.all(spikes.t <= net.t)
    net.reset()
    net.step()
    assert net.t == DT


def test_a_second_thread_is_refused_and_an_until_cannot_step():
    net = iz.Network(dt=DT, threads=1)
    cells = net.add(iz.Population(2))
    net.record(cells, "V")
    net.step()
    found = []

    def until(net):
        for call in (net.step, lambda: net.run(1.0), lambda: setattr(net.recorders["population V"], "stop", 1.0)):
            with pytest.raises(RuntimeError):
                call()
        one = threading.Thread(target=lambda: found.append(pytest.raises(RuntimeError, net.step)))
        one.start()
        one.join()
        return True

    net.run(5.0, until=until)
    assert len(found) == 1
    assert net.t == 2 * DT
    net.step()
    assert net.recorders["population V"].t.tolist() == [0.5, 1.0, 1.5]
