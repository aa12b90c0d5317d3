"""Several populations as one end (`exc + inh`): against one population of all their neurons."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz

N, FIRST = 30, 20
RATES = np.linspace(50.0, 300.0, N)
PARAMETERS = {"a": np.where(np.arange(N) < FIRST, 0.02, 0.1), "d": np.where(np.arange(N) < FIRST, 8.0, 2.0)}


def whole(scheme="exp_euler", **options):
    net = iz.Network(scheme=scheme, seed=5, dt=0.5, **options)
    cells = net.add(iz.Population(N, **PARAMETERS, positions=iz.Positions(np.arange(N))), "all")
    return net, cells


def joined(scheme="exp_euler", **options):
    net = iz.Network(scheme=scheme, seed=5, dt=0.5, **options)
    for name, some in (("exc", slice(FIRST)), ("inh", slice(FIRST, N))):
        parameters = {name: values[some] for name, values in PARAMETERS.items()}
        places = iz.Positions(np.arange(N)[some])
        net.add(iz.Population(len(places), **parameters, positions=places), name)
    return net, net.populations["exc"] + net.populations["inh"]


def pairs_of(syn):
    order = np.lexsort((syn.delay, syn.post, syn.pre))
    return [np.asarray(one)[order] for one in (syn.pre, syn.post, syn.weight, syn.delay)]


CONNECTIONS = {
    "in-degree": (iz.FixedInDegree(7, autapses=False), {"weight": iz.Uniform(0.5, 2.0), "delay": iz.Uniform(0.5, 4.0)}),
    "probability": (iz.FixedProbability(0.3), {"weight": iz.Normal(1.0, 0.5)}),
    "all": (iz.AllToAll(autapses=False), {"weight": 0.3, "delay": 2.0}),
    "all, a matrix": (iz.AllToAll(), {"weight": np.arange(N * N).reshape(N, N) / 900.0}),
    "pairs": (([0, 25, 19, 20], [21, 3, 19, 20]), {"weight": [4.0, 3.0, 2.0, 1.0], "delay": 1.0}),
    "matrix": (np.diag(np.arange(N) / 10.0), {}),
    "one to one": (iz.OneToOne(), {"weight": 2.0}),
    "by distance": (
        iz.FixedOutDegree(5),
        {"delay": iz.ByDistance(10.0, offset=1.0), "receptor": iz.Exponential(5.0, E=0.0), "weight": 0.05},
    ),
    "plastic": (
        iz.FixedInDegree(5),
        {"weight": 3.0, "delay": iz.Uniform(1.0, 4.0), "plasticity": iz.STDP(A_plus=0.1, A_minus=0.12, w_max=6.0)},
    ),
    "distance": (iz.Distance(lambda d: np.exp(-d / 4.0), reach=12.0), {"weight": 0.7}),
}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_synapses_are_those_of_one_population(name):
    rule, options = CONNECTIONS[name]
    seen = []
    for net, cells in (whole(), joined()):
        syn = net.connect(cells, cells, rule, name="w", **options)
        spikes, rate = net.record(cells), net.record(cells, "rate", every=5.0)
        V = net.record(cells, ["V", "u"], every=2.0)
        net.drive(cells, RATES / 15.0)
        before = [*pairs_of(syn), np.sort(np.asarray(syn.distance))]
        net.run(30.0)
        net.run(30.0)
        seen.append(
            [*before, pairs_of(syn)[2], spikes.i, spikes.t, spikes.step, rate.t, V.t, V.V, V.u, np.asarray(cells.V)]
        )
        assert len(syn) == len(before[0]) == len(syn.pre)
        assert len(spikes) == len(spikes.i) > 50
        np.testing.assert_array_equal(syn.to_scipy().toarray(), _dense(syn))
        np.testing.assert_allclose(rate.rate[:3], [len(spikes.i[spikes.t <= 5.0]) / N / 5e-3, *rate.rate[1:3]])
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)


def _dense(syn):
    W = np.zeros((N, N))
    np.add.at(W, (np.asarray(syn.pre), np.asarray(syn.post)), np.asarray(syn.weight))
    return W


@pytest.mark.parametrize("scheme", ["euler", "exact"])
def test_other_schemes_and_one_sided_ends(scheme):
    seen = []
    for net, cells in (whole(scheme), joined(scheme)):
        part = cells[FIRST - 4 : FIRST + 3]
        net.connect(cells, part, iz.FixedInDegree(6), weight=2.0, delay=1.5, name="w")
        net.connect(part, cells[:FIRST], iz.AllToAll(), weight=-1.0, name="v")
        net.drive(cells[[3, 25, 20, 2]], [20.0, 21.0, 22.0, 23.0])
        net.drive(cells, 6.0)
        spikes = net.record(cells[::3])
        net.run(80.0)
        seen.append((_numbers(spikes, scheme), np.concatenate([pop.V for pop in net.populations.values()])))
    (one, V), (other, W) = seen
    assert len(one) > 15
    np.testing.assert_allclose(one, other, rtol=1e-9)
    np.testing.assert_allclose(V, W, rtol=1e-6)


def _numbers(spikes, scheme):
    """(place, time) of spikes; of chosen neurons of one population, which has no places, from flat indices."""
    i = spikes.i if isinstance(spikes, iz.JoinedRecorder) else spikes.i // 3
    return np.stack([i, spikes.t], axis=1)


INPUTS = {
    "array": lambda: RATES / 20.0,
    "timed": lambda: iz.TimedArray(np.arange(4 * N).reshape(4, N) / 10.0, dt=5.0),
    "timed, all the same": lambda: iz.TimedArray(np.arange(N) / 2.0, dt=1.0),
    "sum": lambda: 3.0 + 2.0 * iz.Sine(np.arange(N) / 6.0, 40.0) - iz.Ramp(0.01),
    "product": lambda: iz.Sine(np.arange(N) / 6.0, 40.0) * iz.Pulses(2.0, 9.0, np.arange(N)[None] / 5.0).delayed(1.0),
    "spikes": lambda: iz.SpikeTrain([0, 19, 20, 29, 20], [1.0, 5.0, 5.0, 9.0, 11.0], weight=RATES / 3.0),
    "pulses": lambda: iz.Pulses([2.0, 9.0], [5.0, 20.0], np.arange(2 * N).reshape(2, N) / 5.0),
}


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_are_cut_where_they_have_a_value_per_neuron(name):
    seen = []
    for net, cells in (whole(), joined()):
        drive = net.drive(cells, INPUTS[name]())
        net.run(10.0)
        first = np.array(cells.V)
        drive.value = 0.0
        net.run(5.0)
        drive.value = INPUTS[name]()
        net.run(5.0)
        seen += [first, np.array(cells.V), np.array(cells.u)]
        assert repr(drive).startswith(f"<drive of {cells!r}: " if isinstance(cells, iz.Assembly) else "<drive of all: ")
    for one, other in zip(seen[:3], seen[3:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_rates_and_noise_per_neuron_reach_their_neurons():
    net, cells = joined()
    net.drive(cells, iz.Poisson(rate=np.where(np.arange(N) % 2, 1000.0, 0.0), weight=np.linspace(40.0, 60.0, N)))
    spikes = net.record(cells)
    net.run(50.0)
    assert set(spikes.i) == set(range(1, N, 2))
    net, cells = joined()
    net.drive(cells, iz.Noise(std=np.where(np.arange(N) > 24, 50.0, 0.0)))
    net.run(5.0)
    still = cells.V[:25]
    assert np.ptp(still[:FIRST]) == np.ptp(still[FIRST:]) == 0.0
    assert len(set(cells.V[25:])) == 5


def test_arrays_that_drive_stay_live():
    net, cells = joined()
    light = np.zeros(N)
    net.drive(cells, light)
    spikes = net.record(cells)
    net.run(20.0)
    assert not len(spikes)
    light[[4, 22]] = 30.0
    net.run(20.0)
    assert set(spikes.i) == {4, 22}


def test_what_is_joined_can_be_set_and_taken_out():
    net, cells = joined()
    syn = net.connect(cells, cells, iz.FixedInDegree(3), weight=1.0, plasticity=iz.DopamineSTDP())
    drive, rec = net.drive(cells, 4.0, name="push"), net.record(cells, "V", name="V")
    assert list(net.drives) == ["push: exc", "push: inh"]
    assert list(net.recorders) == ["V: exc", "V: inh"]
    assert [one.name for one in syn.parts] == list(net.synapses)
    assert list(net.synapses) == ["exc to exc", "exc to inh", "inh to exc", "inh to inh"]
    syn.weight = np.arange(len(syn)) / 100.0
    np.testing.assert_array_equal(syn.weight, np.arange(len(syn)) / 100.0)
    np.testing.assert_array_equal(syn.parts[1].weight, syn.weight[len(syn.parts[0]) :][: len(syn.parts[1])])
    syn.modulator, syn.eligibility = 0.5, 2.0
    assert {one.modulator for one in syn.parts} == {syn.modulator} == {0.5}
    assert (syn.eligibility == 2.0).all()
    rec.start, rec.stop = 2.0, 8.0
    assert {(one.start, one.stop) for one in rec.parts} == {(2.0, 8.0)}
    net.run(10.0)
    assert rec.V.shape == (12, N)
    for one in (rec, drive, syn):
        net.remove(one)
    assert not net.synapses
    assert not net.drives
    assert not net.recorders


def test_refusals_leave_all_parts_as_they_were():
    net, cells = joined()
    syn = net.connect(cells, cells, iz.FixedInDegree(3), weight=1.0, receptor=iz.Exponential(5.0, E=0.0))
    drive, rec = net.drive(cells, 4.0), net.record(cells, "spikes")
    net.record(syn.parts[2], "weight")
    before = syn.weight.copy()
    for where, value in (
        ("weight", np.append(np.ones(len(syn) - 1), -1.0)),
        ("weight", np.ones(3)),
    ):
        with pytest.raises(ValueError, match=r"Synapses\.weight must"):
            setattr(syn, where, value)
        np.testing.assert_array_equal(syn.weight, before)
    with pytest.raises(ValueError, match=r"SpikeTrain\.weight must"):
        drive.value = iz.SpikeTrain([0, 25], [1.0, 1.0], weight=np.ones(4))
    assert [one.value for one in drive.parts] == [4.0, 4.0]
    with pytest.raises(ValueError, match=r"Network\.record\.stop must"):
        rec.stop = 0.3
    with pytest.raises(ValueError, match=r"Network\.remove\.part must not be recorded"):
        net.remove(syn)
    assert len(net.synapses) == 4
    with pytest.raises(TypeError, match=r"Record syn\.parts"):
        net.record(syn, "weight")
    with pytest.raises(TypeError, match=r"must be a drive of one population, got <drive of exc .*Record drive\.parts"):
        net.record(drive, "current")


def test_after_load_the_parts_go_on():
    import tempfile

    seen = []
    for again in (False, True):
        net, cells = joined()
        net.connect(cells, cells, iz.FixedInDegree(7), weight=1.0, delay=iz.Uniform(1.0, 5.0))
        net.drive(cells, iz.TimedArray(np.arange(4 * N).reshape(4, N) / 8.0, dt=5.0))
        net.record(cells)
        net.run(15.0)
        if again:
            with tempfile.TemporaryDirectory() as folder:
                net.save(f"{folder}/state.npz")
                net = iz.load(f"{folder}/state.npz")
        net.run(15.0)
        seen.append([net.populations[name].V for name in ("exc", "inh")])
        assert len(net.synapses) == 4
    np.testing.assert_array_equal(seen[0][0], seen[1][0])
    np.testing.assert_array_equal(seen[0][1], seen[1][1])


@pytest.mark.parametrize("what", [iz.Mean("V"), iz.Sum("u", absolute=True), iz.Histogram("V", [-90.0, -60.0, 40.0])])
def test_means_over_all(what):
    seen = []
    for net, cells in (whole(), joined()):
        net.drive(cells, iz.Sine(np.arange(N) / 3.0, 40.0))
        part = cells[[2, *range(7, 29, 3)]]
        seen += [net.record(part, what, every=0.5), net.record(part, what, every=1.5, start=5.0)]
        net.run(20.0)
    assert seen[2].step.tolist() == list(range(40))
    with pytest.raises(AttributeError, match="JoinedRecorder has no 'V'"):
        _ = seen[2].V
    for one, other in zip(seen[:2], seen[2:], strict=True):
        assert isinstance(other, iz.JoinedRecorder)
        assert len(one) == len(other) > 8
        np.testing.assert_array_equal(one.t, other.t)
        assert one.values.dtype == other.values.dtype
        np.testing.assert_allclose(one.values, other.values, rtol=1e-13)


def test_neurons_by_place():
    _, cells = joined()
    exc, inh = (part.population for part in cells.parts)
    assert repr(cells) == "exc + inh"
    assert len(cells) == N
    assert cells.shape == (N,)
    assert repr(cells[18:22]) == "exc[18:20] + inh[0:2]"
    assert repr(cells[[29, 3, 4, 20]]) == "inh[9:10] + exc[3:5] + inh[0:1]"
    assert cells[np.arange(N) > 24] == cells[25:] == iz.Assembly((inh[5:],))
    assert exc + inh == cells == exc[:] + inh[:]
    assert hash(exc + inh) == hash(cells)
    assert exc[:5] + inh + exc[5:] != cells
    assert len((inh + exc[:5] + exc[5:]).parts) == 3
    np.testing.assert_array_equal((inh + exc).V, np.concatenate([inh.V, exc.V]))
    assert cells.positions.coordinates[:, 0].tolist() == list(range(N))
    assert (exc + iz.Network().add(iz.Population(3))).positions is None


# Values for as many neurons as one part has, or for any other number, are those of no assembly.
MISFITS = {
    "Noise.std": lambda: 2.0 + iz.Noise(np.ones(FIRST)),
    "TimedArray.values[0]": lambda: iz.TimedArray(np.ones((2, N - FIRST)), dt=1.0),
    "Pulses.start[0]": lambda: 2 * iz.Pulses(np.ones((1, 7)), 3.0, 1.0),
    "Poisson.rate": lambda: iz.Poisson(np.ones(FIRST)),
    "SpikeTrain.weight": lambda: iz.SpikeTrain([0], [1.0], weight=np.ones(FIRST)),
}


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda net, c: c + 3,
            TypeError,
            "Assembly must be populations, or neurons of them, got exc + inh + 3.",
        ),
        (lambda net, c: net.populations["exc"] + np.ones(3), TypeError, "Assembly must be populations, or neurons"),
        (lambda net, c: c + net.populations["exc"][7:9], ValueError, "Assembly must name each neuron once, got exc[7]"),
        (lambda net, c: c[N:], ValueError, "Population[...] must be a slice of at least one of 30 neurons"),
        (lambda net, c: c.V.__setitem__(0, 1.0), ValueError, "Assembly.V must be set in its populations"),
        (lambda net, c: setattr(c, "V", 1.0), AttributeError, "Assembly.V cannot be changed"),
        (
            lambda net, c: net.drive(c, np.ones(29)),
            ValueError,
            "Network.drive.input must broadcast to shape (30,)",
        ),
        (lambda net, c: net.drive(c, iz.SpikeTrain([30], [1.0])), ValueError, "SpikeTrain.i must be"),
        *[
            (lambda net, c, make=make: net.drive(c, make()), ValueError, f"{where} must have shape () or (30,), got (")
            for where, make in MISFITS.items()
        ],
        (
            lambda net, c: net.record(c, "V", to="x"),
            ValueError,
            "Network.record.to must be left out for exc + inh",
        ),
        (lambda net, c: net.record(c, iz.Mean("W")), ValueError, "Mean.state must be a known name, got 'W'"),
        (
            lambda net, c: net.record(c, iz.Mean("V", [[0], [29]])),
            TypeError,
            "Mean.groups must be left out for exc + inh, got [[0], [29]]. Record each population.",
        ),
        (lambda net, c: net.record(c, lambda c: 1.0), TypeError, "Network.record.what must be a name or names for"),
        (lambda net, c: net.record(c, "V", neurons=[0]), ValueError, "Choose by place: (exc + inh)[places]."),
        (lambda net, c: net.record(c, "W"), ValueError, "Network.record.what must be"),
        (lambda net, c: net.connect(c, c, ([0], [30])), ValueError, "Network.connect.post indices must be"),
        (
            lambda net, c: net.connect(c, c, iz.OneToOne(), weight=np.ones(29)),
            ValueError,
            "Network.connect.weight must",
        ),
        (lambda net, c: net.connect(c, c, iz.OneToOne(), delay=0.1), ValueError, "Network.connect.delay must"),
        (
            lambda net, c: net.connect(c, c, iz.OneToOne(), weight=np.r_[np.ones(29), -1.0], receptor=iz.AMPA()),
            ValueError,
            "for synapse 29",
        ),
        (lambda net, c: net.connect(c, joined()[1], iz.OneToOne()), ValueError, "must be in this network, got exc."),
    ],
)
def test_bad_input(make, kind, message):
    net, cells = joined()
    with pytest.raises(kind) as error:
        make(net, cells)
    assert message in str(error.value)
    assert not net.synapses
    assert not net.drives
    assert not net.recorders
