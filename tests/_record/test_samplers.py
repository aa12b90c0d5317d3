"""Recorders of the user's own: what a Sampler returns, when, and what is asked of it; what users see of recorders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import izhnumba as iz


@dataclass(frozen=True)
class MeanV(iz.Sampler):
    """Mean V of the source."""

    def sample(self, source):
        return source.V.mean()


@dataclass(frozen=True)
class Share(iz.Sampler):
    """Of the neurons or synapses that are above a bound."""

    of: str = "V"
    bound: float = -60.0

    def sample(self, source):
        return np.array([(getattr(source, self.of) > self.bound).sum(), len(np.ravel(getattr(source, self.of)))])


def cells_with_current(scheme="exp_euler", n=6):
    net = iz.Network(dt=0.5, seed=3, scheme=scheme)
    cells = net.add(iz.Population(n, **iz.presets["RS"]), name="cells")
    net.drive(cells, np.linspace(0.0, 15.0, n))
    return net, cells


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_samples_are_those_of_the_states(scheme):
    """As V of the same run, of a population and of a slice, from start on, across runs."""
    net, cells = cells_with_current(scheme)
    V = net.record(cells, "V", every=2.0)
    mean, part = net.record(cells, MeanV(), every=2.0), net.record(cells[2:4], MeanV(), every=2.0)
    late = net.record(cells, MeanV(), every=4.0, start=10.0, name="late")
    for T in (13.0, 0.5, 26.5):
        net.run(T)
    assert mean.name == "cells MeanV"
    assert mean.t.tolist() == part.t.tolist() == V.t.tolist()
    assert mean.values.tolist() == V.V.mean(axis=1).tolist()
    assert part.values.tolist() == V.V[:, 2:4].mean(axis=1).tolist()
    assert late.values.tolist() == mean.values[5::2].tolist()
    assert late.t.tolist() == mean.t[5::2].tolist()
    assert (len(mean), repr(mean)) == (20, "<MeanV(), 20 samples>")
    net.reset()
    assert mean.values.shape == (0,)
    net.run(4.0)
    assert mean.values.tolist() == V.V.mean(axis=1).tolist()


def test_samples_change_nothing():
    without, _ = cells_with_current("exact")
    sampled, cells = cells_with_current("exact")
    sampled.record(cells, MeanV(), every=0.7)
    spikes = [net.record(net.populations["cells"]) for net in (without, sampled)]
    for net in (without, sampled):
        net.run(60.0)
    assert spikes[0].t.tolist() == spikes[1].t.tolist()
    assert len(spikes[0]) > 5


def test_arrays_and_synapses():
    net, cells = cells_with_current()
    syn = net.connect(cells, cells, iz.AllToAll(), weight=1.0, plasticity=iz.STDP(A_plus=0.1, w_max=3.0), name="syn")
    share = net.record(syn, Share("weight", 1.0), every=5.0)
    net.run(40.0)
    assert share.values.shape == (8, 2)
    assert share.values.dtype == np.float64
    assert share.values[-1].tolist() == [(syn.weight > 1.0).sum(), 36]
    net.remove(share)
    net.run(5.0)
    assert len(share) == 8


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_a_plain_function_is_called_as_a_sampler_is(scheme, tmp_path):
    """Of a population, a slice and synapses; checkpoints store its name, and a lambda has none."""
    net, cells = cells_with_current(scheme)
    syn = net.connect(cells, cells, iz.OneToOne(), weight=0.5, name="syn")

    def highest(source):
        return source.V.max()

    V = net.record(cells, "V", every=2.0)
    whole, part = net.record(cells, highest, every=2.0), net.record(cells[:3], highest, every=2.0, start=10.0)
    sums = net.record(syn, lambda syn: [syn.weight.sum(), len(syn)], every=2.0)
    net.run(20.0)
    assert whole.values.tolist() == V.V.max(axis=1).tolist()
    assert part.values.tolist() == V.V[5:, :3].max(axis=1).tolist()
    assert sums.values.tolist() == [[3.0, 6.0]] * 10
    assert (whole.name, repr(whole), whole.what) == ("cells highest", "<highest, 10 samples>", highest)
    with pytest.raises(
        TypeError, match="Network.save cannot store a lambda at network/recorders/syn <lambda>/what. Write"
    ):
        net.save(tmp_path / "state.npz")
    net.remove(sums)
    net.save(tmp_path / "state.npz")
    with pytest.raises(ValueError, match=r"load.define must hold the function 'highest'"):
        iz.load(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz", define=[highest])
    for one in (net, again):
        one.run(10.0)
    assert again.recorders["cells highest"].values.tolist() == whole.values.tolist()
    assert len(whole) == 15


def test_an_error_in_a_function_names_it():
    net, cells = cells_with_current()
    net.record(cells, lambda source: 1 / (4.0 - net.t), every=1.0, name="mine")
    with pytest.raises(RuntimeError, match=r"^mine: <lambda> raised ZeroDivisionError: .* at t = 4 ms\.$"):
        net.run(10.0)


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_checkpoint(scheme, tmp_path):
    net, cells = cells_with_current(scheme)
    share = net.record(cells, Share(bound=-65.0), every=2.0, name="share")
    net.run(10.0)
    net.save(tmp_path / "state.npz")
    with pytest.raises(ValueError, match=r"load.define must hold the class 'Share'"):
        iz.load(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz", define=[Share])
    for one in (net, again):
        one.run(10.0)
    assert again.recorders["share"].what == Share(bound=-65.0)
    assert again.recorders["share"].values.tolist() == share.values.tolist()
    assert share.values.shape == (10, 2)


def test_checkpoint_of_another_shape(tmp_path):
    net, cells = cells_with_current()
    net.record(cells, Share(), every=2.0, name="share")
    net.run(4.0)
    net.save(tmp_path / "state.npz")
    other = dataclass(frozen=True)(type("Share", (iz.Sampler,), {"of": "V", "bound": 0.0, "__annotations__":
        {"of": str, "bound": float}, "sample": lambda self, source: 1.0}))  # fmt: skip
    with pytest.raises(ValueError, match=r"network/recorders/share/position/rows/value must be .* of shape \(2,\)"):
        iz.load(tmp_path / "state.npz", define=[other])


class Undecorated(iz.Sampler):
    def sample(self, source):
        return 1.0


@dataclass(frozen=True)
class Returns(iz.Sampler):
    """Whatever a test wants it to return."""

    found: object = None

    def sample(self, source):
        return self.found(source) if callable(self.found) else self.found


@dataclass(frozen=True)
class WithoutMethod(iz.Sampler):
    def samples(self, source):
        return 1.0


@dataclass(frozen=True)
class WithoutSource(iz.Sampler):
    def sample(self):
        return 1.0


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        (MeanV, TypeError, r"Network.record.what must be an object, got the class MeanV. Write MeanV\(...\)"),
        (lambda: 1.0, TypeError, r"Network.record.what must be a function of \(source\), got one of \(\)"),
        (list, TypeError, r"Network.record.what must be a function of \(source\), got .*list"),
        (lambda source: None, TypeError, "<lambda> must return a number or an array of numbers, got None"),
        (Undecorated(), TypeError, "Undecorated must be a dataclass, so that a checkpoint can store it. Write @datac"),
        (WithoutMethod(), TypeError, r"WithoutMethod must have a method sample\(source\)"),
        (WithoutSource(), TypeError, r"WithoutSource.sample must be a function of \(source\), got one of \(\)"),
        (
            [MeanV(), "V"],
            TypeError,
            "Network.record.what must be 'V', 'u' or a list of them, .*Record MeanV\\(...\\) on its own",
        ),
        (["V", iz.Mean("V")], TypeError, "Network.record.what must be .* or a list .*Record Mean\\(...\\) on its own"),
        (Returns(), TypeError, "Returns.sample must return a number or an array of numbers, got None"),
        (Returns("V"), TypeError, "Returns.sample must return a number or an array of numbers, got 'V'"),
        (Returns([[1], [2, 3]]), TypeError, "Returns.sample must return a number or an array of numbers, got"),
    ],
)
def test_what_is_refused(what, error, words):
    net, cells = cells_with_current()
    with pytest.raises(error, match=words):
        net.record(cells, what)
    assert dict(net.recorders) == {}
    net.run(1.0)


def test_options_that_mean_nothing(tmp_path):
    net, cells = cells_with_current()
    for what, shown in ((MeanV(), "a Sampler"), (lambda source: 0.0, "a function")):
        for option, value in {"to": tmp_path / "x", "neurons": [0], "synapses": [0]}.items():
            words = f"Network.record.{option} must be left out when recording {shown}, got"
            with pytest.raises(ValueError, match=words):
                net.record(cells, what, **{option: value})
    assert list(tmp_path.iterdir()) == []
    assert dict(net.recorders) == {}


def test_a_sampler_that_fails_on_the_way_is_told_of_once():
    net, cells = cells_with_current()
    grows = net.record(cells, Returns(lambda source: np.zeros(1 + (net.t > 2.0))), every=1.0)
    with pytest.raises(
        ValueError,
        match=r"^cells Returns: Returns.sample must return shape \(1,\) as at first, got \(2,\) at t = 3 ms\.$",
    ):
        net.run(10.0)
    assert net.t == 3.0
    assert grows.t.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="Returns.sample must return shape"):
        net.run(10.0)
    net.remove(grows)
    net.run(1.0)
    assert net.t == 5.0


def test_an_error_in_sample_names_recorder_and_time():
    net, cells = cells_with_current()
    fails = net.record(cells, Returns(lambda source: 1 / (4.0 - net.t)), every=1.0, name="mine")
    words = r"^mine: Returns.sample raised ZeroDivisionError: .* at t = 4 ms\.$"
    with pytest.raises(RuntimeError, match=words) as caught:
        net.run(10.0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert net.t == 4.0
    net.run(2.0)
    assert fails.t.tolist() == [1.0, 2.0, 3.0, 5.0, 6.0]  # the sample is lost, and the run goes on from there


def test_samplers_are_for_networks():
    with pytest.raises(TypeError, match="Population.run.record must be .*Samplers record from a Network."):
        iz.Population(2).run(1.0, record=MeanV())


def test_samples_end_where_V_does():
    net, cells = cells_with_current()
    mean = net.record(cells, MeanV(), every=1.0)
    net.run(3.0)
    cells.u[0] = np.nan
    with pytest.raises(RuntimeError, match="finite"):
        net.run(3.0)
    assert mean.t.tolist() == [1.0, 2.0, 3.0]


# --- what users see ---------------------------------------------------------------------------------------------------

OF_ALL = {"name", "source", "start", "stop", "to", "what"}


def test_completion_shows_what_users_read():
    net, cells = cells_with_current()
    syn = net.connect(cells, cells, iz.OneToOne(), receptor=iz.Alpha(1.0), name="syn")
    shown = {
        "spikes": {"i", "step", "t", "spikes"},
        "rate": {"t", "rate"},
        "V": {"V", "t", "neurons", "samples"},
        iz.Mean("V"): {"t", "values", "neurons", "samples"},
        MeanV(): {"t", "values"},
    }
    for what, own in shown.items():
        assert public(net.record(cells, what)) == OF_ALL | own
    assert public(net.record(syn)) == OF_ALL | {"t", "weight", "synapses", "samples"}
    assert public(net.record(syn, "current")) == OF_ALL | {"t", "current", "neurons", "samples"}
    assert public(syn) == {"pre", "post", "weight", "delay", "distance", "source", "target", "receptor", "plasticity",
                           "name", "modulator", "eligibility", "to_scipy", "modulate", "modulated_by"}  # fmt: skip
    result = iz.Population(2).run(1.0, record="V")
    assert public(result) == {"model", "spikes", "t", "neurons", "V", "to_dataframe"}
    assert public(result.spikes) == {"i", "t", "step", "batch", "n_batch", "to_dataframe", "n", "neurons", "start",
                                     "stop", "trains", "of", "counts", "rates"}  # fmt: skip
    assert public(net.recorders["cells V"].samples) == {"t", "step", "index", "V", "to_dataframe"}


def public(thing):
    names = {name for name in dir(thing) if name[:1] != "_"}
    assert all(hasattr(type(thing), name) or hasattr(thing, name) for name in names)
    return names
