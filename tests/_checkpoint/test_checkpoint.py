"""Checkpoints: a network that was saved and loaded goes on to the last bit as if it had never stopped."""

from __future__ import annotations

import copy
import dataclasses
import json
from dataclasses import dataclass

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._checkpoint import format as checkpoint_format
from izhnumba._network.save import description


def rich_network(threads=None):
    """Every kind of part whose state must survive."""
    net = iz.Network(dt=0.5, seed=11, threads=threads)
    exc = net.add(iz.Population((20, 10), **iz.presets["RS"], tau_ref=3.0), name="exc")
    inh = net.add(iz.Population(60, **iz.presets["FS"], dtype="float32", V_min=-90.0), name="inh/0 µ")
    book = net.add(iz.Population(10, **iz.presets["2007/RS"]), name="book")
    net.connect(exc, inh, iz.FixedProbability(0.2), weight=0.3, delay=iz.Uniform(1.0, 20.0), receptor=iz.AMPA())
    net.connect(inh, exc, iz.AllToAll(), weight=-0.5, delay=2.0, receptor=iz.Pulse(3.0), name="whole")
    net.connect(inh, inh, iz.AllToAll(autapses=False), weight=0.01, delay=1.0, receptor=iz.GABA_A())
    stdp = iz.STDP(A_plus=0.05, A_minus=0.06, w_max=2.0)
    net.connect(exc[:50], exc, iz.FixedOutDegree(20), weight=1.0, delay=iz.Uniform(1.0, 9.0), plasticity=stdp)
    dopamine = net.connect(exc, exc[50:], iz.FixedInDegree(5), weight=0.5, plasticity=iz.DopamineSTDP())
    dopamine.modulator = 0.5
    net.connect(exc, book, iz.FixedInDegree(9), weight=30.0, receptor=iz.NMDA(), plasticity=iz.TsodyksMarkram())
    net.connect(inh[:9], inh[1:10], iz.OneToOne(), weight=0.01, receptor=iz.GapJunction())
    net.drive(exc, iz.Noise(std=16.0) - 0.5 * iz.Sine(-6.0, frequency=8.0))
    net.drive(exc[20:], -1 * iz.OrnsteinUhlenbeck(mean=-3.0, std=2.0, tau=10.0))
    net.drive(inh, iz.Poisson(rate=iz.TimedArray([300.0, 900.0], dt=40.0), weight=0.02, receptor=iz.AMPA()))
    net.drive(book, iz.SpikeTrain([0, 3], [10.0, 70.0], weight=40.0))
    net.drive(book, 60.0)
    net.record(exc, name="spikes")
    net.record(inh, ["V", "u"], every=2.0, neurons=[5, 2], name="states")
    net.record(exc, "rate", every=7.0, name="rate")
    net.record(dopamine, every=5.0, name="weights", start=10.0)
    net.record(net.synapses["whole"], "current", every=1.0, neurons=[0], name="current")
    return net


def outcome(net):
    found = {}
    for name, pop in net.populations.items():
        found |= {f"{name} V": pop.V, f"{name} u": pop.u, f"{name} last": pop.last_spike_time}
    for name, syn in net.synapses.items():
        found |= {f"{name} weight": syn.weight, f"{name} post": syn.post, f"{name} delay": syn.delay}
    r = net.recorders
    found |= {"i": r["spikes"].i, "step": r["spikes"].step, "rate": r["rate"].rate, "rate t": r["rate"].t}
    found |= {"V": r["states"].V, "u": r["states"].u, "t": r["states"].t, "current": r["current"].current}
    return found | {"weight": r["weights"].weight, "weight t": r["weights"].t}


def same(one, other):
    one, other = outcome(one), outcome(other)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_saved_and_loaded_at_twenty_steps(tmp_path):
    whole = rich_network()
    whole.run(120.0)
    assert len(whole.recorders["spikes"]) > 300
    net, rng = rich_network(), np.random.default_rng(0)
    stops = np.sort(rng.choice(np.arange(1, 240), 20, replace=False))
    for stop in stops:
        net.run(stop * 0.5 - net.t)
        net.save(tmp_path / "state.npz")
        net = iz.load(tmp_path / "state.npz")
        assert net.n_steps == stop
    net.run(120.0 - net.t)
    same(whole, net)
    for one in (whole, net):  # also from the start again, with the weights of the start
        one.reset(weights=True)
        one.run(30.0)
    same(whole, net)


def test_numpy_alone_reads_it(tmp_path):
    net = rich_network()
    net.run(10.0)
    net.save(tmp_path / "state.npz")
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        about = json.loads(file["about"].tobytes())
        assert about["format"] == 2
        np.testing.assert_array_equal(file["network/populations/exc/state/V"][:200], net.populations["exc"].V.ravel())
        assert all(array.dtype.kind in "biufUV" for array in file.values())


def small_network():
    net = iz.Network(seed=1)
    net.drive(net.add(iz.Population(3, **iz.presets["RS"]), name="cells"), 10.0)
    return net


def test_a_file_that_is_not_whole_loads_nothing(tmp_path):
    path, other = tmp_path / "state.npz", tmp_path / "other.npz"
    net = small_network()
    net.save(path)
    whole = path.read_bytes()
    for n in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        other.write_bytes(whole[:n])
        with pytest.raises(ValueError, match="load.path must be a checkpoint of izhnumba, got .*other.npz"):
            iz.load(other)
    for n in range(0, len(whole), 97):
        other.write_bytes(whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :])
        with pytest.raises(ValueError, match="cut short or altered"):
            iz.load(other)
    np.savez(other, a=np.arange(3))
    with pytest.raises(ValueError, match="is another kind of file"):
        iz.load(other)
    with pytest.raises(FileNotFoundError, match="load.path must be an existing file, got .*none.npz"):
        iz.load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError, match="Network.save.path must be in an existing folder"):
        net.save(tmp_path / "no" / "state.npz")
    with pytest.raises(TypeError, match="load.define must be a list of models and classes, or functions, got 5"):
        iz.load(path, define=[5])
    with pytest.raises(TypeError, match="Network cannot be copied or pickled. Use"):
        copy.deepcopy(net)
    with pytest.raises(TypeError, match="load.path must be a path, got 5"):
        iz.load(5)


def test_a_newer_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("izhnumba._checkpoint.format._FORMAT", 3)
    small_network().save(tmp_path / "state.npz")
    monkeypatch.undo()
    with pytest.raises(ValueError, match="is of format 3; this izhnumba reads format 2. Update izhnumba"):
        iz.load(tmp_path / "state.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    net = small_network()
    net.run(10.0)
    net.save(path)

    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    net.run(10.0)
    with pytest.raises(OSError, match="No space left"):
        net.save(path)
    monkeypatch.undo()
    assert iz.load(path).t == 10.0
    assert list(tmp_path.iterdir()) == [path]


def no_leak(V, V_new, u, p):
    return p.b * V


def no_slope(p):
    return p.a - p.a


@dataclass(frozen=True)
class Forgetting(iz.Plasticity):
    """Each arrival takes a little off the weight."""

    share: float = 0.1

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w * (1 - p.share), e, x


def test_models_and_rules_of_a_user_are_passed_to_load(tmp_path):
    path = tmp_path / "state.npz"
    mine = dataclasses.replace(iz.Izhikevich, name="Mine", du=no_leak, u_slope=no_slope)

    def network():
        net = iz.Network(dt=0.5, seed=1)
        cells = net.add(iz.Population(20, model=mine, u=-10.0), name="cells")
        net.connect(cells, cells, iz.FixedOutDegree(5), weight=2.0, plasticity=Forgetting(0.2), name="syn")
        net.drive(cells, iz.Noise(std=30.0))
        return net

    net, whole = network(), network()
    whole.run(60.0)
    net.run(30.0)
    net.save(path)
    for define, missing in (([], "model 'Mine'"), ([mine], "class 'Forgetting'"), ([Forgetting], "model 'Mine'")):
        with pytest.raises(ValueError, match=rf"load.define must hold the {missing}.*Call load\(path, define="):
            iz.load(path, define=define)
    again = iz.load(path, define=[mine, Forgetting])
    again.run(30.0)
    np.testing.assert_array_equal(again.populations["cells"].V, whole.populations["cells"].V)
    np.testing.assert_array_equal(again.synapses["syn"].weight, whole.synapses["syn"].weight)
    assert whole.synapses["syn"].weight.min() < 2.0
    impostor = dataclasses.replace(iz.Izhikevich, du=no_leak, u_slope=no_slope)  # under the name of another
    net = iz.Network(dt=0.5)
    net.add(iz.Population(2, model=impostor))
    net.save(path)
    with pytest.raises(ValueError, match="load.define must hold the model 'Izhikevich'"):
        iz.load(path)


@dataclass(frozen=True)
class Counting(iz.Input):
    """Counts how often it was asked."""

    step: float = 1.0

    def _rows(self, to):
        def rows(step, count):
            to.memory["asked"] = [to.memory.get("asked", [0])[0] + 1]
            return np.full((count, 1), self.step)

        return rows


def test_an_input_of_a_user_keeps_what_it_likes(tmp_path):
    net = small_network()
    drive = net.drive(net.populations["cells"], iz.Noise(1.0) + 2 * Counting(), name="mine")
    net.run(10.0)
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz", define=[Counting])
    assert again.drives["mine"]._memory["asked"] == drive._memory["asked"]


def test_what_cannot_be_stored_is_named(tmp_path):
    class Odd(iz.Input):
        def _rows(self, to):
            return lambda step, count: np.zeros((count, 1))

    net = iz.Network()
    net.drive(net.add(iz.Population(2)), Odd())
    with pytest.raises(TypeError, match="Network.save cannot store a Odd at network/drives/population/value: it is"):
        net.save(tmp_path / "state.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("gone", ["stdp", "ampa", "noise"])
def test_what_has_been_removed_does_not_come_back(tmp_path, gone):
    """Spikes under way through synapses that are gone still arrive, and each drive keeps its random numbers."""
    net = iz.Network(dt=0.5, seed=5)
    cells = net.add(iz.Population(70, **iz.presets["RS"]), name="cells")
    delays = iz.Uniform(1.0, 9.0)
    net.connect(cells, cells, iz.FixedOutDegree(6), delay=delays, plasticity=iz.STDP(A_plus=0.05), name="stdp")
    net.connect(cells, cells, iz.FixedOutDegree(6), weight=0.3, delay=delays, receptor=iz.AMPA(), name="ampa")
    net.connect(cells, cells, iz.FixedOutDegree(6), weight=0.3, delay=9.0, name="late")
    for name in ("noise", "more noise"):
        net.drive(cells, iz.OrnsteinUhlenbeck(10.0, 5.0, 3.0), name=name)
    net.run(30.5)
    net.remove(net.synapses[gone] if gone in net.synapses else net.drives[gone])
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for one in (net, again):
        one.run(20.0)
    np.testing.assert_array_equal(net.populations["cells"].V, again.populations["cells"].V)


@pytest.mark.parametrize("reset", [False, True])
def test_receptors_at_rest_that_nothing_reaches_any_more_are_loaded(tmp_path, reset):
    """With conductances V is summed up in another way: its last bits tell whether there are any."""
    net = iz.Network(dt=0.1, seed=1)
    cells = net.add(iz.Population(60, **iz.presets["RS"]), name="cells")
    net.drive(cells, iz.Noise(std=14.0))
    syn = net.connect(cells, cells, iz.AllToAll(), weight=0.0, receptor=iz.AMPA())
    net.connect(cells, cells, iz.FixedOutDegree(9), weight=0.3, receptor=iz.Alpha(3.0))
    net.record(cells, "V", name="V")
    net.run(5.0)
    net.remove(syn)
    net.run(5.0)
    if reset:
        net.reset()
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for one in (net, again):
        one.run(20.0)
        one.connect(*2 * [one.populations["cells"]], iz.OneToOne(), weight=0.3)  # both drop it now
        one.run(20.0)
    np.testing.assert_array_equal(again.recorders["V"].V, net.recorders["V"].V)


def test_saving_before_a_reset_changes_nothing_after_it(tmp_path):
    """Nothing is under way through synapses that have been removed when a network begins again: their receptors go."""
    kept = []
    for saved in (False, True):
        net = iz.Network(dt=0.5, seed=1)
        cells = net.add(iz.Population(60, **iz.presets["RS"]), name="cells")
        net.drive(cells, iz.Noise(std=14.0))
        syn = net.connect(cells, cells, iz.AllToAll(), weight=0.01, receptor=iz.AMPA())
        net.run(5.0)
        net.remove(syn)
        if saved:
            net.save(tmp_path / "state.npz")
        net.reset()
        net.connect(cells, cells, iz.OneToOne(), weight=0.3)
        net.run(20.0)
        kept.append([state.definition for state in cells._engine.outer_receptors])
    assert kept == [[iz.Delta()]] * 2


def test_drives_are_there_after_loading(tmp_path):
    net = small_network()
    net.drive(net.populations["cells"][:2], np.full(2, 5.0), name="light")
    net.run(10.0)
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    assert list(again.drives) == ["cells", "light"]
    for one in (net, again):
        one.drives["light"].value = 0.0
        one.drives["cells"].value = iz.Noise(3.0)
        one.run(20.0)
    np.testing.assert_array_equal(net.populations["cells"].V, again.populations["cells"].V)


def test_files_of_the_first_izhnumba_with_this_format(tmp_path):
    """Without the keys that came later."""
    net, path = rich_network(), tmp_path / "state.npz"
    net.record(net.populations["exc"], "V", every=1.0, neurons=[0], to=tmp_path / "V", name="file")
    net.run(20.0)
    saved = description(net)
    for one in saved["drives"].values():
        del one["ordinal"]
    del saved["recorders"]["file"]["position"]["heads"]
    checkpoint_format.save(path, checkpoint_format.NETWORK, saved)
    again = iz.load(path)
    again.run(30.0)
    recorded = again.recorders["file"].V.copy()
    net.recorders["file"].to = tmp_path / "other"
    net.run(30.0)
    same(net, again)
    assert len(recorded) == 50
    np.testing.assert_array_equal(recorded[20:], net.recorders["file"].V)


def test_each_drive_keeps_its_random_numbers(tmp_path):
    """By its ordinal, whatever became of those before it."""
    net, path = small_network(), tmp_path / "state.npz"
    for name in ("first", "second"):
        net.drive(net.populations["cells"], iz.OrnsteinUhlenbeck(0.0, 3.0, 5.0), name=name)
    net.run(10.0)
    saved = description(net)
    del saved["drives"]["first"]
    checkpoint_format.save(path, checkpoint_format.NETWORK, saved)
    net.drives["first"].value = 0.0
    again = iz.load(path)
    for one in (net, again):
        one.run(20.0)
    np.testing.assert_array_equal(net.populations["cells"].V, again.populations["cells"].V)
    saved["drives"]["cells"]["ordinal"] = saved["drives"]["second"]["ordinal"]
    checkpoint_format.save(path, checkpoint_format.NETWORK, saved)
    with pytest.raises(ValueError, match="whose network/drives/second/ordinal must be another one than those of the"):
        iz.load(path)


def test_a_recorder_that_pauses_is_loaded(tmp_path):
    net = small_network()
    rate = net.record(net.populations["cells"], "rate", every=2.0)
    net.run(10.0)
    rate.stop = net.t
    net.run(10.0)
    rate.start = net.t
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for one in (net, again):
        one.recorders[rate.name].stop = np.inf
        one.run(10.0)
    np.testing.assert_array_equal(again.recorders[rate.name].t, rate.t)
    np.testing.assert_array_equal(again.recorders[rate.name].rate, rate.rate)


def test_a_network_that_has_failed_is_loaded_with_what_it_has_recorded(tmp_path):
    for scheme, why in (("exp_euler", "became non-finite"), ("exact", "runs away")):
        net = iz.Network(scheme=scheme, seed=1)
        cells = net.add(iz.Population(3, **iz.presets["RS"]), name="cells")
        net.connect(cells, cells, iz.AllToAll(), weight=0.1, delay=2.0, receptor=iz.AMPA())
        net.drive(cells, 10.0)
        spikes = net.record(cells, name="spikes")
        net.run(30.0)
        cells.u[0] = np.nan
        with pytest.raises(RuntimeError, match=why):
            net.run(30.0)
        net.save(tmp_path / "state.npz")
        again = iz.load(tmp_path / "state.npz").recorders["spikes"]
        assert len(spikes) > 0
        np.testing.assert_array_equal(again.t, spikes.t)
