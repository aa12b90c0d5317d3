"""Chosen neurons of a population - strides, masks, lists - as ends of synapses, driven and recorded: against the same
network in which every synapse, current and column is written out neuron by neuron."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz

N = 24
MASK = np.random.default_rng(3).random(N) < 0.4
CHOSEN = {
    "stride": (slice(1, None, 5), list(range(1, N, 5))),
    "mask": (MASK, [j for j in range(N) if MASK[j]]),
    "list": ([7, 3, 19, 0], [7, 3, 19, 0]),
    "backwards": (slice(None, None, -1), list(range(N - 1, -1, -1))),
    "array": (np.array([22, 2, 11], np.uint8), [22, 2, 11]),
    "one": ([5], [5]),
}
SCHEMES = ["exp_euler", "euler", "exact"]


def network(scheme="exp_euler", **options):
    net = iz.Network(scheme=scheme, seed=5, dt=0.5, **options)
    p = net.add(iz.Population(N, **iz.presets["RS"] | {"V": np.linspace(-70.0, -50.0, N)}), "p")
    q = net.add(iz.Population(N, **iz.presets["FS"]), "q")
    net.drive(p, np.linspace(4.0, 14.0, N), name="push")
    net.drive(q, np.linspace(2.0, 9.0, N)[::-1].copy(), name="pull")
    return net, p, q


def pairs_of(syn):
    return list(zip(syn.pre.tolist(), syn.post.tolist(), strict=True))


# --- ends of synapses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHOSEN)
def test_flat_indices_in_order(name):
    key, wanted = CHOSEN[name]
    _, p, _ = network()
    part = p[key]
    assert part.neurons.tolist() == wanted
    assert len(part) == len(wanted)
    assert part.shape == (len(wanted),)
    assert part.population is p
    np.testing.assert_array_equal(part.V, [p.V[j] for j in wanted])
    assert part[1:].neurons.tolist() == wanted[1:] if len(wanted) > 1 else True
    assert part[[0]].neurons.tolist() == wanted[:1]
    assert part == p[wanted]
    assert hash(part) == hash(p[wanted])
    assert part != p[:-1]


def test_masks_of_an_nd_size_are_taken_in_flat_order():
    net = iz.Network(seed=1)
    sheet = net.add(iz.Population((3, 4)))
    mask = np.zeros((3, 4), bool)
    mask[2, 1] = mask[0, 3] = True
    assert sheet[mask].neurons.tolist() == sheet[mask.ravel()].neurons.tolist() == [3, 9]
    assert sheet[mask.tolist()].neurons.tolist() == [3, 9]


RULES = {
    "all": iz.AllToAll(autapses=False),
    "bernoulli": iz.FixedProbability(0.4, autapses=False),
    "in": iz.FixedInDegree(2, autapses=False, multapses=False),
    "out": iz.FixedOutDegree(2, autapses=False),
    "total": iz.FixedTotalNumber(9, autapses=False, multapses=False),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("target", ["stride", "list", "backwards"])
def test_rules_act_within_the_chosen_neurons(rule, target):
    net, p, _ = network()
    key, post = CHOSEN[target]
    pre = CHOSEN["mask"][1]
    pairs = pairs_of(net.connect(p[MASK], p[key], RULES[rule]))
    assert {i for i, _ in pairs} <= set(pre)
    assert {j for _, j in pairs} <= set(post)
    assert all(i != j for i, j in pairs)
    wanted = [(i, j) for i in pre for j in post if i != j]
    if rule == "all":
        assert sorted(pairs) == sorted(wanted)
    elif rule == "in":
        assert [sum(j == one for _, j in pairs) for one in post] == [2] * len(post)
        assert len(set(pairs)) == len(pairs)
    elif rule == "out":
        assert [sum(i == one for i, _ in pairs) for one in pre] == [2] * len(pre)
    elif rule == "total":
        assert len(set(pairs)) == len(pairs) == 9
    else:
        assert 0.1 * len(wanted) < len(pairs) < 0.75 * len(wanted) + 3


def test_autapses_among_all_pairs_of_overlapping_sets():
    net, p, _ = network()
    for rule in (iz.FixedInDegree(30), iz.FixedOutDegree(30), iz.FixedTotalNumber(300), iz.FixedProbability(1.0)):
        pairs = set(pairs_of(net.connect(p[[4, 9, 2]], p[[2, 4, 20]], rule)))
        assert pairs == {(i, j) for i in (4, 9, 2) for j in (2, 4, 20)}
        without = set(pairs_of(net.connect(p[[4, 9, 2]], p[[2, 4, 20]], type(rule)(*rule_n(rule), autapses=False))))
        assert without == pairs - {(4, 4), (2, 2)}


def rule_n(rule):
    return (rule.p,) if isinstance(rule, iz.FixedProbability) else (rule.n,)


def test_order_of_a_list_is_that_of_pairs_matrices_and_edges(tmp_path):
    net, p, q = network()
    source, target = p[[7, 3]], q[[0, 20]]
    assert pairs_of(net.connect(source, target, iz.OneToOne())) == [(3, 20), (7, 0)]
    matrix = np.array([[1.0, 0.0], [2.0, 3.0]])
    syn = net.connect(source, target, matrix)
    assert dict(zip(pairs_of(syn), syn.weight, strict=True)) == {(7, 0): 1.0, (3, 0): 2.0, (3, 20): 3.0}
    np.testing.assert_array_equal(syn.to_scipy().toarray(), matrix)
    assert pairs_of(net.connect(source, target, ([0, 1], [1, 1]))) == [(3, 20), (7, 20)]
    (tmp_path / "edges.txt").write_text("0 0 1.5\n1 0 2.5\n")
    syn = net.connect(source, target, tmp_path / "edges.txt")
    assert dict(zip(pairs_of(syn), syn.weight, strict=True)) == {(7, 0): 1.5, (3, 0): 2.5}
    syn = net.connect(source, target, iz.AllToAll(), weight=np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert dict(zip(pairs_of(syn), syn.weight, strict=True)) == {(7, 0): 1, (7, 20): 2, (3, 0): 3, (3, 20): 4}


def test_runs_of_neurons_are_the_same_however_they_are_named():
    made = []
    for key in (slice(4, 9), [4, 5, 6, 7, 8], np.arange(N) // 5.0 == 1, range(4, 9)):
        net, p, _ = network()
        if isinstance(key, np.ndarray):
            key = (np.arange(N) >= 4) & (np.arange(N) < 9)
        syn = net.connect(p[key], p, iz.FixedProbability(0.5), weight=iz.Normal(1.0, 0.1), delay=iz.Uniform(1.0, 5.0))
        assert syn.name == "p[4:9] to p"
        made.append((syn.pre, syn.post, syn.weight.copy(), syn.delay))
    for other in made[1:]:
        for one, two in zip(made[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


PATHS = {
    "static": dict(weight=iz.Normal(0.6, 0.3), delay=iz.Uniform(1.0, 8.0)),
    "one delay": dict(weight=0.5, delay=1.5),
    "conductance": dict(weight=0.02, delay=iz.Uniform(1.0, 3.0), receptor=iz.AMPA()),
    "plastic": dict(weight=1.0, delay=iz.Uniform(1.0, 8.0), plasticity=iz.STDP(w_max=3.0)),
    "gap": dict(weight=0.05, receptor=iz.GapJunction()),
}


@pytest.mark.parametrize(
    ("scheme", "path"), [(scheme, path) for scheme in SCHEMES for path in PATHS if (scheme, path) != ("exact", "gap")]
)
@pytest.mark.parametrize("rule", [iz.AllToAll(autapses=False), iz.FixedInDegree(3)], ids=["all", "in"])
def test_bits_are_those_of_synapses_written_out_one_by_one(scheme, path, rule):
    """Through parts that overlap and are out of order, and onto neurons that others reach as well."""
    nets = [network(scheme), network(scheme)]
    (net, p, q), (other, p2, q2) = nets
    ends = [(p[MASK], q[[19, 7, 3, 0, 23]]), (q[::-3], p[::2]), (p[[20, 2]], p[MASK])]
    for k, (source, target) in enumerate(ends):
        syn = net.connect(source, target, rule if min(len(source), len(target)) > 2 else iz.AllToAll(), **PATHS[path])
        kept = PATHS[path] | {"weight": syn.weight.copy()}
        if path != "gap":
            kept["delay"] = syn.delay
        sides = [{p: p2, q: q2}[one.population] for one in (source, target)]
        other.connect(*sides, (syn.pre, syn.post), **kept, name=f"written out {k}")
    records = [(n.record(a, "spikes"), n.record(b, "spikes")) for n, a, b in nets]
    for one, _, _ in nets:
        one.run(150.0)
    for one, two in zip(*records, strict=True):
        assert len(one) > 20
        np.testing.assert_array_equal(one.i, two.i)
        np.testing.assert_array_equal(one.t, two.t)
    np.testing.assert_array_equal(p.V, p2.V)
    np.testing.assert_array_equal(q.u, q2.u)
    for one, two in zip(net.synapses.values(), other.synapses.values(), strict=True):
        np.testing.assert_array_equal(one.weight, two.weight)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_saved_in_the_midst_and_split_runs_go_on_to_the_last_bit(scheme, tmp_path):
    def made():
        net, p, q = network(scheme)
        net.connect(p[MASK], q[[19, 7, 3]], iz.AllToAll(), weight=2.0, delay=iz.Uniform(2.0, 30.0))
        net.connect(q[::4], p[[3, 1, 8]], iz.AllToAll(), delay=3.0, weight=1.0, plasticity=iz.STDP(w_max=2.0))
        net.drive(p[[8, 1]], iz.Poisson(200.0, weight=2.0))
        net.drive(q[MASK], 3.0 if scheme == "exact" else iz.Noise(4.0))
        net.record(p[[3, 8, 1]], "V", every=1.0, neurons=[2, 0], name="V")
        net.record(p[MASK], "spikes", name="spikes")
        net.record(q[::3], "rate", every=10.0, name="rate")
        return net

    once, twice = made(), made()
    once.run(120.0)
    twice.run(47.0)
    twice.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for net in (twice, again):
        net.run(73.0)
        for name in "pq":
            np.testing.assert_array_equal(net.populations[name].V, once.populations[name].V)
        for a, b in zip(net.synapses.values(), once.synapses.values(), strict=True):
            np.testing.assert_array_equal(a.weight, b.weight)
            np.testing.assert_array_equal(a.pre, b.pre)
            np.testing.assert_array_equal(a.target.neurons, b.target.neurons)
        for name, field in (("V", "V"), ("spikes", "i"), ("spikes", "t"), ("rate", "rate")):
            np.testing.assert_array_equal(
                getattr(net.recorders[name], field), getattr(once.recorders[name], field), name
            )
    again.save(tmp_path / "again.npz")
    iz.load(tmp_path / "again.npz").run(5.0)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_single_steps_are_the_run(scheme):
    """Of all kinds of drives and recorders of chosen neurons, and of a parameter set in between."""
    results = []
    for steps in (False, True):
        net, p, q = network(scheme)
        net.connect(p[MASK], q[[19, 7, 3]], iz.AllToAll(), weight=5.0, delay=iz.Uniform(1.0, 9.0))
        net.drive(p[[8, 1]], iz.Poisson(300.0, weight=4.0))
        net.drive(q[[2, 0]], iz.Poisson(300.0, weight=4.0))
        net.drive(q[MASK], iz.Sine(3.0, 20.0) if scheme == "exact" else iz.Noise(4.0))
        net.drive(p[::-2], np.linspace(0.0, 3.0, 12))
        net.drive(p[[5, 3]], iz.Pulses(10.0, 30.0, 6.0))
        recorders = [net.record(p[MASK]), net.record(q[[7, 3, 19]]), net.record(p[::3], "rate", every=10.0),
                     net.record(q[[7, 3]], "V")]  # fmt: skip
        for half in range(2):
            if steps:
                for _ in range(80):
                    net.step()
            else:
                net.run(40.0)
            p.d = 4.0 + half
        first, second, rate, V = recorders
        results.append([first.i, first.t, second.i, second.t, rate.rate, V.V, p.V.copy(), q.u.copy()])
    assert results[0][0].size > 20
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


# --- drives -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", CHOSEN)
def test_currents_are_those_of_an_array_for_all(scheme, name):
    key, wanted = CHOSEN[name]
    values = np.linspace(3.0, 12.0, len(wanted))
    full = np.zeros(N)
    for place, neuron in enumerate(wanted):
        full[neuron] += values[place]
    results = []
    for inputs in ([(key, values)], [(slice(None), full)]):
        net = iz.Network(scheme=scheme, dt=0.5, seed=1)
        p = net.add(iz.Population(N, **iz.presets["RS"]))
        for part, value in inputs:
            net.drive(p[part], value)
        net.run(60.0)
        results.append((p.V.copy(), p.u.copy()))
    np.testing.assert_array_equal(results[0], results[1])


def test_live_arrays_over_single_steps():
    """Also what is written between steps lands at the neuron of its place."""
    light, full = np.zeros(3), np.zeros(N)
    key = [20, 4, 9]
    nets = []
    for part, value in ((key, light), (slice(None), full)):
        net = iz.Network(dt=0.5, seed=1)
        p = net.add(iz.Population(N, **iz.presets["RS"]))
        net.drive(p[part], value)
        net.drive(p[::2], 1.0)
        nets.append((net, p))
    rng = np.random.default_rng(1)
    for _ in range(40):
        light[:] = rng.uniform(0.0, 20.0, 3)
        full[key] = light
        for net, _ in nets:
            net.step()
        np.testing.assert_array_equal(nets[0][1].V, nets[1][1].V)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spikes_from_outside_reach_the_neurons_of_their_places(scheme):
    net = iz.Network(scheme=scheme, dt=0.5, seed=1)
    p = net.add(iz.Population(N, **iz.presets["RS"]))
    net.drive(p[[20, 4, 9]], iz.SpikeTrain([0, 2, 1], [5.0, 10.0, 15.0], weight=120.0))
    net.drive(p[::-7], iz.SpikeTrain([0, 3], [20.0, 25.0], weight=120.0))
    spikes = net.record(p)
    net.run(40.0)
    assert spikes.i.tolist() == [20, 9, 4, 23, 2]


def test_several_drives_through_one_receptor_and_poisson_by_place():
    """The numbers are drawn for places: of a list the same as of a slice of as many neurons, at other neurons."""
    counted = []
    for part in (slice(0, 3), [20, 4, 9]):
        net = iz.Network(dt=0.5, seed=1)
        p = net.add(iz.Population(N, **iz.presets["RS"]), "p")
        net.drive(p[part], iz.Poisson(100.0, weight=1.0))
        net.run(30.0)
        counted.append(p[part].V.copy())
        np.testing.assert_array_equal(np.delete(p.V, p[part].neurons), np.full(N - 3, p.V[10]))
    np.testing.assert_array_equal(*counted)


# --- recorders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", CHOSEN)
def test_recorders_hold_what_those_of_all_hold_of_these(scheme, name, tmp_path):
    key, wanted = CHOSEN[name]
    net, p, _ = network(scheme)
    part = p[key]
    every = {what: net.record(p, what, every=every) for what, every in (("spikes", None), ("V", 1.0), ("u", 1.0))}
    spikes, states = net.record(part), net.record(part, ["V", "u"], every=1.0)
    rate = net.record(part, "rate", every=20.0)
    to = net.record(part, "V", every=1.0, to=tmp_path / "V.rec")
    some = net.record(part, "V", every=1.0, neurons=[len(wanted) - 1, 0])
    few = net.record(part, "spikes", neurons=[0])
    net.run(100.0)
    seen = [(i, t) for i, t in zip(every["spikes"].i, every["spikes"].t, strict=True) if i in wanted]
    assert list(zip(spikes.i, spikes.t, strict=True)) == seen
    assert few.t.tolist() == [t for i, t in seen if i == wanted[0]]
    for state in "Vu":
        np.testing.assert_array_equal(getattr(states, state), getattr(every[state], state)[:, wanted])
    assert states.neurons.tolist() == wanted
    np.testing.assert_array_equal(some.V, every["V"].V[:, [wanted[-1], wanted[0]]])
    counts = [sum(20.0 * k < t <= 20.0 * (k + 1) for _, t in seen) for k in range(5)]
    np.testing.assert_allclose(rate.rate, np.array(counts) / len(wanted) / 0.02)
    read = iz.io.read(tmp_path / "V.rec")
    np.testing.assert_array_equal(read.V, to.V)
    assert read.index.tolist() == wanted


def test_values_can_be_set_through_them():
    _, p, _ = network()
    p[MASK].V = -71.0
    p[[3, 1]].u = [5.0, 6.0]
    assert (p.V[MASK] == -71.0).all()
    assert p.u[[3, 1]].tolist() == [5.0, 6.0]
    p[::2].V[...] = -72.0  # of slices views, as of NumPy's
    assert (p.V[::2] == -72.0).all()
    with pytest.raises(ValueError, match=r"Population\[...\].V must be set as a whole, got some values. Use pop"):
        p[MASK].V[0] = 3.0
    with pytest.raises(ValueError, match=r"Population\[...\].u must have shape \(\) or \(2,\), got \(3,\)"):
        p[[3, 1]].u = [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match=r"Population\[...\].V must be finite"):
        p[[3, 1]].V = np.nan
    with pytest.raises(AttributeError, match="Section.neurons cannot be changed"):
        p[MASK].neurons = [1]


# --- what is refused --------------------------------------------------------------------------------------------------

REFUSED = {
    "a short mask": (np.ones(3, bool), ValueError, "must be a mask of shape (24,), got (3,)"),
    "a list of lists": ([[0, 1]], ValueError, "must be a list of whole numbers, got an array of shape (1, 2)."),
    "a mask of lists": ([[True, False]], ValueError, "must be a mask of shape (24,), got (1, 2)"),
    "numbers for a mask": ([True, 2], ValueError, "must be a mask of shape (24,), got one of int64"),
    "an empty mask": (np.zeros(N, bool), ValueError, "must be at least one of 24 neurons, got none."),
    "no index": ([], ValueError, "must be at least one of 24 neurons, got none."),
    "too far": ([3, 24], ValueError, "must be between 0 and 23, got 24. There are 24 neurons."),
    "below": ([-1], ValueError, "must be between 0 and 23, got -1. There are 24 neurons."),
    "twice": ([3, 7, 3], ValueError, "must name each neuron once, got 3 more than once."),
    "half": ([0.5], ValueError, "must be a list of whole numbers, got 0.5."),
    "nan": ([np.nan], ValueError, "must be finite, got nan at index 0."),
    "a table": (np.zeros((2, 2), int), ValueError, "must be a list of whole numbers, got an array of shape (2, 2)"),
    "a tuple": ((3, 7), TypeError, "a mask or a list of indices, got (3, 7). Flat indices come as a list."),
    "a number": (3, TypeError, "got 3. Write pop[[3]]."),
    "text": ("exc", TypeError, "must be a slice such as pop[:800], a mask or a list of indices, got 'exc'."),
    "texts": (["exc"], TypeError, "must be a number or an array of numbers, got 'exc' at index 0."),
    "a masked array": (
        np.ma.masked_array(np.ones(N, bool), MASK),
        TypeError,
        "must be a plain mask, got a masked array.",
    ),
    "a set": ({1}, TypeError, "a mask or a list of indices, got {1}."),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_names_no_neurons(what):
    key, kind, message = REFUSED[what]
    _, p, _ = network()
    for one in (p, p[:]):
        with pytest.raises(kind) as error:
            one[key]
        assert str(error.value).startswith("Population[...] ")
        assert message in str(error.value)
    with pytest.raises(TypeError):
        list(p)


def test_targets_in_parts_are_reached_as_those_written_out():
    """With the scheme "exact" tables cut large populations into parts."""
    made, n = [], 6000
    rng = np.random.default_rng(1)
    mask, chosen = rng.random(n) < 0.1, rng.permutation(n)[:500]
    for k in range(2):
        net = iz.Network(scheme="exact", seed=1)
        p = net.add(iz.Population(n, **iz.presets["RS"]), "p")
        net.drive(p[mask], iz.SpikeTrain(np.arange(mask.sum()), np.full(mask.sum(), 1.0), weight=150.0))
        if not k:
            syn = net.connect(p[mask], p[chosen], iz.FixedInDegree(5), weight=9.0, delay=iz.Uniform(1.0, 5.0))
        else:
            net.connect(p, p, (syn.pre, syn.post), weight=9.0, delay=syn.delay)
        net.run(8.0)
        made.append(p.V.copy())
    assert (syn._rows.parts, np.unique(made[0]).size > 300) == (8, True)
    np.testing.assert_array_equal(*made)


def test_refused_connections_leave_the_network_as_it_is():
    net, p, q = network()
    for rule, options, message in (
        (iz.OneToOne(), {}, "OneToOne must have as many targets as sources (2), got 3."),
        (np.ones((3, 2)), {}, "must be a matrix of shape (2, 3) (sources, targets), got (3, 2). Transpose it."),
        (([0, 2], [0, 0]), {}, "Network.connect.pre indices must be whole numbers from 0 to 1, got 2 for synapse 1."),
        (iz.FixedInDegree(3, multapses=False), {}, "FixedInDegree.n must be at most 2"),
        (iz.AllToAll(), {"weight": np.ones((2, 2))}, "must have shape (), (6,) or (2, 3)"),
    ):
        with pytest.raises(ValueError) as error:
            net.connect(p[[4, 1]], q[[2, 9, 3]], rule, **options)
        assert message in str(error.value)
    assert not net.synapses
    assert not net.recorders
    assert len(net.drives) == 2
    with pytest.raises(ValueError, match="must broadcast to shape"):
        net.drive(p[[4, 1]], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="Network.record.neurons must be between 0 and 1, got 2"):
        net.record(p[[4, 1]], "V", neurons=[2])
    assert len(net.drives) == 2
    assert not net.recorders
    other = iz.Population(3)
    with pytest.raises(ValueError, match="Network.drive.population must be in this network"):
        net.drive(other[[2, 0]], 1.0)
