"""Recorders that reduce: means, sums and histograms are those of whole recordings, to the bit, however a run is cut."""

from __future__ import annotations

import numpy as np
import pytest
from reductions import counts, ordered_sum

import izhnumba as iz
from izhnumba import analysis
from izhnumba._clock.kernels import layout
from izhnumba._engine.kernels import layout as of_reductions

BINS = np.linspace(-90.0, 30.0, 13)


def cells_with_current(n=5000, scheme="exp_euler", threads=1, dtype="float64"):
    net = iz.Network(dt=0.5, seed=3, scheme=scheme, threads=threads)
    cells = net.add(iz.Population(n, dtype=dtype, **iz.presets["RS"]), name="cells")
    net.drive(cells, np.linspace(0.0, 15.0, n))
    return net, cells


def groups_of(n):
    """A label per neuron, and the groups that it makes."""
    labels = np.arange(n) * 7 % 5
    return labels, [np.flatnonzero(labels == k) for k in range(5)]


@pytest.mark.parametrize(
    ("scheme", "dtype"), [("exp_euler", "float64"), ("exp_euler", "float32"), ("exact", "float64")]
)
def test_reductions_are_those_of_the_whole_recording(scheme, dtype):
    """Of all neurons, of groups by label and of groups that overlap, of a population and of chosen neurons."""
    n = 5000 if scheme != "exact" else 300
    net, cells = cells_with_current(n, scheme, dtype=dtype)
    labels, groups = groups_of(n)
    V, u = (net.record(cells, name, every=2.0) for name in "Vu")
    part = cells[10:200:3]
    recorders = {
        "sum": net.record(cells, iz.Sum("V"), every=2.0),
        "size": net.record(cells, iz.Sum("V", absolute=True), every=2.0),
        "mean": net.record(cells, iz.Mean("u", groups=labels), every=2.0),
        "part": net.record(part, iz.Mean("V", groups=[slice(0, 5), [7, 1], part[3:9], np.arange(64) > 50]), every=2.0),
        "some": net.record(part, iz.Mean("V"), every=2.0, neurons=[3, 60, 4], name="some"),
        "counts": net.record(cells, iz.Histogram("V", BINS, groups=[cells[:100], cells[5:]]), every=2.0),
        "all": net.record(cells, iz.Histogram("V", BINS), every=2.0),
    }
    for T in (13.0, 0.5, 26.5):
        net.run(T)
    found = {name: recorder.values for name, recorder in recorders.items()}
    for recorder in recorders.values():
        np.testing.assert_array_equal(recorder.t, V.t)
    np.testing.assert_array_equal(found["sum"], ordered_sum(V.V, np.arange(n)))
    np.testing.assert_allclose(found["sum"], V.V.sum(axis=1, dtype=np.float64), rtol=1e-14)
    np.testing.assert_array_equal(found["size"], ordered_sum(abs(V.V), np.arange(n)))
    np.testing.assert_array_equal(found["mean"], np.transpose([ordered_sum(u.u, g) / len(g) for g in groups]))
    places = np.arange(10, 200, 3)
    for k, chosen in enumerate([slice(0, 5), [1, 7], slice(3, 9), slice(51, None)]):
        np.testing.assert_array_equal(found["part"][:, k], ordered_sum(V.V, places[chosen]) / len(places[chosen]))
    np.testing.assert_array_equal(found["some"], ordered_sum(V.V, places[[3, 4, 60]]) / 3)
    for k, chosen in enumerate([np.arange(100), np.arange(5, n)]):
        np.testing.assert_array_equal(found["counts"][:, k], counts(V.V, chosen, BINS))
    np.testing.assert_array_equal(found["all"], counts(V.V, np.arange(n), BINS))
    assert [found[name].dtype for name in ("mean", "all")] == [np.float64, np.int64]
    assert recorders["part"].what.groups[3].tolist() == list(range(51, 64))


def test_blocks_are_those_of_the_clock_engine():
    assert of_reductions.BLOCK == layout.BLOCK


def test_many_small_groups_and_one_large_one_are_added_up_in_the_same_order():
    """Few groups of many parts, and many of few parts, take two ways."""
    net, cells = cells_with_current(9000)
    V = net.record(cells, "V", every=1.0)
    few = net.record(cells, iz.Sum("V", groups=[cells[3:], cells[:5]]), every=1.0)
    many = net.record(cells, iz.Sum("V", groups=np.arange(9000) % 3000), every=1.0, name="many")
    net.run(2.0)
    assert (
        few.values.tolist() == np.transpose([ordered_sum(V.V, g) for g in (np.arange(3, 9000), np.arange(5))]).tolist()
    )
    chosen = np.arange(3000)[::17]
    expected = [ordered_sum(V.V, np.arange(k, 9000, 3000)) for k in chosen]
    np.testing.assert_array_equal(many.values[:, chosen], np.transpose(expected))


def test_edges_of_bins_are_numpys_in_float32_too():
    """Of V at an edge or next to one; edges that float32 does not have lie between its numbers."""
    edges = np.array([-70.1, -70.0, -69.9, -60.0, np.nextafter(-50.0, 0.0)])
    near = np.array([np.float32(edge) for edge in edges])
    V = np.concatenate([near, np.nextafter(near, np.float32(-100)), np.nextafter(near, np.float32(0))])
    for bins in (edges, edges[:2], [-np.inf, -70.0, np.inf]):
        for dtype in ("float32", "float64"):
            pop = iz.Population(V.size, V=V, u=0.0, V_th=30.0, dtype=dtype)
            what = iz.Histogram("V", bins)
            levels = what._levels(pop.dtype)
            above = (pop.V[:, None] >= levels).sum(axis=0)
            assert (above[:-1] - above[1:]).tolist() == np.histogram(V.astype(np.float64), bins)[0].tolist()


def test_windows_pauses_steps_and_reset():
    net, cells = cells_with_current(70)
    V = net.record(cells, "V", every=1.0)
    late = net.record(cells, iz.Mean("V"), every=1.0, start=10.0, stop=20.0)
    pauses = net.record(cells, iz.Mean("V"), every=1.0, name="pauses")
    for _ in range(15):
        net.step()
    net.run(5.5)
    pauses.stop = net.t
    net.run(4.0)
    pauses.start, pauses.stop = net.t, np.inf
    net.run(10.0, until=lambda net: net.t >= 25.0)
    mean = ordered_sum(V.V, np.arange(70)) / 70
    inside = (V.t > 10.0) & (V.t <= 20.0)
    np.testing.assert_array_equal(late.values, mean[inside])
    np.testing.assert_array_equal(late.t, V.t[inside])
    kept = (V.t <= 13.0) | (V.t > 17.0)
    np.testing.assert_array_equal(pauses.t, V.t[kept])
    np.testing.assert_array_equal(pauses.values, mean[kept])
    assert (len(pauses), repr(pauses)) == (21, "<Mean('V') of 70 neurons, 21 samples>")
    net.remove(late)
    net.reset()
    assert (pauses.values.shape, late.values.shape) == ((0,), (10,))
    net.run(2.0)
    assert pauses.t.size == 0  # its start is the one that was set last
    np.testing.assert_array_equal(V.V.shape, (2, 70))


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_threads_cuts_and_checkpoints_change_no_bit(scheme, tmp_path):
    """Saved in the midst, with a file, on two threads: as at once on one."""
    n = 5000 if scheme != "exact" else 600
    whole, half = (cells_with_current(n, scheme, threads) for threads in (1, 2))
    for k, (net, cells) in enumerate((whole, half)):
        labels = groups_of(n)[0]
        net.record(cells, iz.Mean("V", groups=labels), every=0.5, name="mean")
        net.record(cells, iz.Histogram("u", [-20.0, -10.0, 0.0]), every=2.0, name="counts", to=tmp_path / f"{k}.rec")
    whole[0].run(40.0)
    half[0].run(13.0)
    half[0].save(tmp_path / "half.npz")
    again = iz.load(tmp_path / "half.npz")
    again.run(27.0)
    for name in ("mean", "counts"):
        one, other = whole[0].recorders[name], again.recorders[name]
        np.testing.assert_array_equal(one.t, other.t)
        np.testing.assert_array_equal(one.values, other.values)
    assert again.recorders["mean"].what.groups[2].tolist() == groups_of(n)[1][2].tolist()
    read = iz.io.read(tmp_path / "1.rec")
    np.testing.assert_array_equal(read.values, whole[0].recorders["counts"].values)
    np.testing.assert_array_equal(read.t, whole[0].recorders["counts"].t)
    assert read.index.tolist() == list(range(n))
    assert repr(read).startswith(f"<values of {n}, 20 samples, 2 to 40 ms")


def test_a_population_by_itself_with_a_batch():
    def pop(scheme="exp_euler", batch=3):
        return iz.Population((2, 40), seed=1, scheme=scheme, batch=batch, a=iz.Uniform(0.01, 0.05), **start())

    def start():
        return dict(V=-70.0, u=-14.0)

    V = pop().run(30.0, 10.0, record="V", every=2.0).V
    result = pop().run(30.0, 10.0, record=iz.Mean("V", groups=[[0, 5], slice(3, 9)]), every=2.0, neurons=range(5, 60))
    assert result.values.shape == (15, 3, 2)
    for b in range(3):
        for k, chosen in enumerate(([5, 10], np.arange(8, 14))):
            np.testing.assert_array_equal(result.values[:, b, k], ordered_sum(V[:, b], np.array(chosen)) / len(chosen))
    assert "values (15, 3, 2)" in repr(result)
    net = iz.Network()
    mean = net.record(net.add(iz.Population(2)), iz.Mean("V"))
    for owner, reduced in (("Result", result), ("Samples", mean.samples)):
        words = f"^{owner}.to_dataframe must have states of neurons, got what they are reduced to. "
        with pytest.raises(TypeError, match=words + f"Use .*{owner.lower()}.t"):
            reduced.to_dataframe()
    exact = pop("exact", None).run(5.0, 10.0, record=iz.Histogram("V", BINS))
    assert exact.values.sum(axis=1).tolist() == [80] * 50


def test_samples_end_where_V_does():
    net, cells = cells_with_current(6)
    mean, V = net.record(cells, iz.Mean("V"), every=1.0), net.record(cells, "V", every=1.0)
    net.run(3.0)
    cells.u[0] = np.nan
    with pytest.raises(RuntimeError, match="finite"):
        net.run(3.0)
    assert mean.t.tolist() == V.t.tolist()


# --- currents and the LFP ---------------------------------------------------------------------------------------------


def currents(scheme="exp_euler"):
    net = iz.Network(dt=0.5, seed=1, scheme=scheme)
    exc = net.add(iz.Population(40, **iz.presets["RS"]), name="exc")
    inh = net.add(iz.Population(10, **iz.presets["FS"]), name="inh")
    net.drive(exc, np.linspace(2.0, 15.0, 40))
    net.drive(inh, np.linspace(5.0, 15.0, 10))
    excite = net.connect(exc, exc, iz.FixedProbability(0.3), weight=0.05, receptor=iz.AMPA(), name="excite")
    inhibit = net.connect(inh, exc, iz.FixedProbability(0.5), weight=0.05, receptor=iz.GABA_A(), name="inhibit")
    return net, excite, inhibit


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_the_lfp_is_the_weighted_sum_of_absolute_currents(scheme):
    """Mazzoni et al. 2015: AMPA 6 ms late, GABA with a weight of 1.65 and at once."""
    net, excite, inhibit = currents(scheme)
    whole = [net.record(syn, "current", every=1.0) for syn in (excite, inhibit)]
    summed = [net.record(syn, iz.Sum("current", absolute=True), every=1.0) for syn in (excite, inhibit)]
    net.run(60.0)
    a, g = (ordered_sum(abs(one.current), np.arange(40)) for one in whole)
    assert [one.values.tolist() for one in summed] == [a.tolist(), g.tolist()]
    assert a.max() > 1.0
    assert g.max() > 1.0
    t, lfp = analysis.lfp(*summed)
    assert t.tolist() == list(range(7, 61))
    np.testing.assert_array_equal(lfp, a[:-6] + 1.65 * g[6:])
    t, plain = analysis.lfp([summed[0]], summed[1], alpha=1.0, ampa_delay=0.0)
    np.testing.assert_array_equal(plain, a + g)
    t, late = analysis.lfp(*summed, ampa_delay=2.0, gaba_delay=5.0)
    np.testing.assert_array_equal(late, a[3:-2] + 1.65 * g[:-5])
    assert t[0] == 6.0
    assert analysis.lfp(*summed, ampa_delay=100.0)[1].shape == (0,)


def test_what_the_lfp_refuses():
    net, excite, inhibit = currents()
    good, other = (net.record(syn, iz.Sum("current", absolute=True), every=1.0) for syn in (excite, inhibit))
    signed = net.record(excite, iz.Sum("current"), every=1.0, name="signed")
    half = net.record(inhibit, iz.Sum("current", absolute=True), every=0.5, name="half")
    net.run(4.0)
    must = r"lfp.ampa must be recorders of izhnumba.Sum\('current', absolute=True\), got "
    for arguments, error, words in (
        (("x", other), TypeError, must + "'x'"),
        (([], other), ValueError, must + "none"),
        ((signed, other), ValueError, must + r"one of Sum\('current'\)"),
        ((good, half), ValueError, "lfp.gaba must have been sampled at the times of lfp.ampa"),
    ):
        with pytest.raises(error, match=words):
            analysis.lfp(*arguments)
    with pytest.raises(ValueError, match="lfp.ampa_delay must be a whole number of steps of 1.0 ms"):
        analysis.lfp(good, other, ampa_delay=2.5)
    good.stop = other.stop = 4.0
    net.run(3.0)
    good.start, good.stop = other.start, other.stop = 7.0, 20.0
    net.run(3.0)
    with pytest.raises(ValueError, match="lfp.ampa must have been recorded without a pause"):
        analysis.lfp(good, other)


# --- what is refused --------------------------------------------------------------------------------------------------

LABELS = "Mean.groups must be a list of index arrays, or a label per neuron, "


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: iz.Mean, TypeError, r"Network.record.what must be an object, got the class Mean. Write Mean\(...\)"),
        (lambda: iz.Mean(3), TypeError, "Mean.state must be the name of a state, such as 'V', got 3"),
        (lambda: iz.Mean("v"), ValueError, "Mean.state must be a known name, got 'v'. Did you mean 'V'"),
        (lambda: iz.Sum("current"), ValueError, "Sum.state must be a known name, got 'current'"),
        (lambda: iz.Sum("V", absolute=3), TypeError, "Sum.absolute must be True or False, got 3"),
        (lambda: iz.Mean("V", 3), TypeError, LABELS + "got 3"),
        (lambda: iz.Mean("V", []), ValueError, LABELS + "got none"),
        (lambda: iz.Mean("V", np.zeros(5, int)), ValueError, LABELS + "got 5 labels for 6 neurons. A group of its own"),
        (lambda: iz.Mean("V", [0.5] * 6), TypeError, LABELS + "whole numbers or texts, got labels of float64"),
        (lambda: iz.Mean("V", np.ones(6, bool)), TypeError, LABELS + r"got a mask. Pass \[mask\]"),
        (lambda: iz.Mean("V", [[0], []]), ValueError, r"Mean.groups\[1\] must be at least one of 6 neurons, got none"),
        (lambda: iz.Mean("V", [[0, 6]]), ValueError, r"Mean.groups\[0\] must be between 0 and 5, got 6"),
        (lambda: iz.Mean("V", [[2, 2]]), ValueError, r"Mean.groups\[0\] must name each neuron once, got 2 more than"),
        (
            lambda: iz.Mean("V", [[True]]),
            ValueError,
            r"Mean.groups\[0\] must be a mask of shape \(6,\), got one of shape",
        ),
        (
            lambda: iz.Mean("V", [iz.Population(2)[:1]]),
            ValueError,
            r"Mean.groups\[0\] must be neurons of the population",
        ),
        (
            lambda: iz.Histogram("V", [1.0]),
            ValueError,
            r"Histogram.bins must be two edges or more, ascending, got \[1.0",
        ),
        (lambda: iz.Histogram("V", [1.0, np.nan]), ValueError, "Histogram.bins must be two edges or more, ascending"),
        (lambda: iz.Histogram("V", 10), ValueError, r"Histogram.bins must be .*, got an array of shape \(\)"),
    ],
)
def test_what_is_refused(make, error, words):
    net, cells = cells_with_current(6)
    with pytest.raises(error, match=words):
        net.record(cells, make())
    assert dict(net.recorders) == {}


def test_options_and_synapses_that_do_not_fit():
    net, cells = cells_with_current(6)
    jumps = net.connect(cells, cells, iz.OneToOne(), name="jumps")
    for source, what, options, error, words in (
        (
            cells,
            iz.Mean("V"),
            {"synapses": [0]},
            ValueError,
            r"synapses must be left out when recording Mean\('V'\), got",
        ),
        (jumps, iz.Mean("V"), {}, ValueError, "Mean.state must be a known name, got 'V'"),
        (
            jumps,
            iz.Sum("current"),
            {},
            ValueError,
            r"what must be 'weight' for synapses through Delta\(\), which are no",
        ),
        (
            cells[:3],
            iz.Mean("V", [cells[2:4]]),
            {},
            ValueError,
            r"Mean.groups\[0\] must be neurons that are recorded, got",
        ),
    ):
        with pytest.raises(error, match=words):
            net.record(source, what, **options)
    with pytest.raises(ValueError, match="Mean.state must be a known name, got 'current'"):
        iz.Population(2).run(1.0, record=iz.Mean("current"))
    assert dict(net.recorders) == {}


def test_the_current_of_a_drive_is_reduced_as_that_of_synapses():
    """One through a receptor that synapses share: all its current is in either."""
    net, excite, _ = currents()
    exc = excite.target.population
    drive = net.drive(exc, iz.Poisson(rate=200.0, weight=0.02, receptor=iz.AMPA()))
    both = [net.record(source, iz.Sum("current"), every=1.0, name=str(k)) for k, source in enumerate((excite, drive))]
    net.run(10.0)
    assert both[0].values.tolist() == both[1].values.tolist()
    assert both[0].values[-1] > 0
    with pytest.raises(TypeError, match="Network.record.what must be 'current' for a drive"):
        net.record(drive, lambda drive: 1.0)
