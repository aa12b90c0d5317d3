"""Recorders of synapses: weights, and what rules of plasticity keep beside them."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz


def cells_with_current(n=6, dt=0.5, **options):
    net = iz.Network(dt=dt, seed=3, **options)
    cells = net.add(iz.Population(n, **iz.presets["RS"]), name="cells")
    net.drive(cells, iz.Constant(np.linspace(0.0, 15.0, n)))
    return net, cells


def test_weights_over_time():
    net, cells = cells_with_current()
    syn = net.connect(cells, cells, iz.AllToAll(), weight=2.0, plasticity=iz.STDP(A_plus=0.1, w_max=3.0))
    recorder = net.record(syn, every=2.0, synapses=[35, 3])
    seen = []
    for _ in range(60):
        net.step()
        if net.n_steps % 4 == 0:
            seen.append(syn.weight[[35, 3]].copy())
    np.testing.assert_array_equal(recorder.weight, seen)
    np.testing.assert_array_equal(recorder.t, 2.0 * np.arange(1, 16))
    assert np.ptp(recorder.weight) > 0
    again, cells = cells_with_current()
    twin = again.connect(cells, cells, iz.AllToAll(), weight=2.0, plasticity=iz.STDP(A_plus=0.1, w_max=3.0))
    other = again.record(twin, "weight", every=2.0, synapses=[35, 3])
    again.run(30.0)
    np.testing.assert_array_equal(other.weight, seen)
    net.reset(weights=True)
    assert len(recorder.samples) == 0


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_eligibility_and_modulator_over_time(scheme, tmp_path):
    """As `syn.eligibility` and `syn.modulator` show them after each ms; with weights, of some synapses, in a file,
    saved in the midst."""

    def learning():
        net, cells = cells_with_current(scheme=scheme)
        rule = iz.DopamineSTDP(w_max=4.0)
        return net, net.connect(cells, cells, iz.AllToAll(), weight=1.0, plasticity=rule, name="syn")

    net, syn = learning()
    seen = [], [], []
    syn.modulator = 0.5
    for _ in range(50):
        net.run(1.0)
        for values, now in zip(seen, (syn.weight, syn.eligibility, syn.modulator), strict=True):
            values.append(np.array(now))
    net, syn = learning()
    syn.modulator = 0.5
    some = net.record(syn, ("modulator", "eligibility"), every=1.0, synapses=[35, 3], name="some")
    one = net.record(syn, "eligibility", every=1.0)
    net.run(20.0)
    net.save(tmp_path / "half.npz")
    every = net.record(syn, ["weight", "eligibility", "modulator"], every=1.0, to=tmp_path / "x.rec")
    net.run(30.0)
    again = iz.load(tmp_path / "half.npz")
    again.run(30.0)
    for recorder in (some, again.recorders["some"]):
        np.testing.assert_array_equal(recorder.eligibility, np.array(seen[1])[:, [35, 3]])
        np.testing.assert_array_equal(recorder.modulator, seen[2])
        assert np.ptp(recorder.eligibility) > 0
        assert repr(recorder) == "<eligibility and modulator of 2 synapses, 50 samples>"
    np.testing.assert_array_equal(one.eligibility, seen[1])
    read = iz.io.read(tmp_path / "x.rec")
    for name, values in zip(("weight", "eligibility", "modulator"), seen, strict=True):
        np.testing.assert_array_equal(getattr(every, name), values[20:])
        np.testing.assert_array_equal(getattr(read, name), values[20:])
    frame = read.to_dataframe()
    assert list(frame) == ["t", "i", "batch", "weight", "eligibility", "modulator"]
    np.testing.assert_array_equal(frame.eligibility, np.ravel(seen[1][20:]))
    np.testing.assert_array_equal(frame.modulator, np.repeat(seen[2][20:], len(syn)))
    frame = some.samples.to_dataframe()
    assert frame.i.tolist() == [35, 3] * 50
    np.testing.assert_array_equal(frame.t, np.repeat(some.t, 2))
    alone = net.record(syn, "modulator", every=1.0)
    assert alone.samples.to_dataframe().shape == (0, 2)
    net.run(3.0)
    assert list(alone.samples.to_dataframe()) == ["t", "modulator"]
    np.testing.assert_array_equal(alone.samples.to_dataframe().modulator, alone.modulator)
    with pytest.raises(AttributeError, match=r"WeightRecorder has no 'weight'. Ask Network.record for it."):
        _ = some.weight


def test_what_synapses_do_not_have_is_not_recorded():
    net, cells = cells_with_current()
    plain = net.connect(cells, cells, iz.OneToOne(), name="plain")
    for what, error, words in (
        ("eligibility", AttributeError, "Synapses 'plain' have no eligibility. Connect with DopamineSTDP"),
        (["weight", "modulator"], AttributeError, "Synapses 'plain' have no modulator"),
        (
            ["weight", "current"],
            ValueError,
            "must be some of weight, eligibility, modulator, got .*Record others alone",
        ),
        ([], ValueError, "must be some of weight, eligibility, modulator, got"),
        (["weight", "w"], ValueError, "Network.record.what must be a known name, got 'w'"),
    ):
        with pytest.raises(error, match=words):
            net.record(plain, what)
    assert dict(net.recorders) == {}
