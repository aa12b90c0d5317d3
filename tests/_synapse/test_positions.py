"""Positions, and what follows from distances, against loops over neurons and over the images of a torus."""

from __future__ import annotations

import copy
import itertools
import math
import pickle

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._synapse.spaces import Placed

SCHEMES = ["exp_euler", "euler", "exact"]


def distance(a, b, period):
    """The least distance of a to any image of b."""
    images = itertools.product(*([-2, -1, 0, 1, 2] if length < math.inf else [0] for length in period))
    shifts = [[k * length if k else 0.0 for k, length in zip(image, period, strict=True)] for image in images]
    return min(math.dist(a, [x + dx for x, dx in zip(b, shift, strict=True)]) for shift in shifts)


def ring_and_sheet(scheme="exp_euler", periodic=(True, False), seed=1):
    """A sheet of 4 by 6 neurons and 15 others at random in the same space."""
    net = iz.Network(scheme=scheme, seed=seed)
    grid, box = iz.Grid((25.0, 20.0), periodic=periodic), iz.Box((100.0, 120.0), periodic=periodic)
    return (
        net,
        net.add(iz.Population((4, 6), positions=grid), "sheet"),
        net.add(iz.Population(15, positions=box), "box"),
    )


def distances_of(syn, a, b):
    here, there = a.positions.coordinates, b.positions.coordinates
    return [distance(here[i], there[j], a.positions.period) for i, j in zip(syn.pre, syn.post, strict=True)]


# --- where neurons are ------------------------------------------------------------------------------------------------


def test_grids_have_their_neurons_in_flat_order():
    pop = iz.Population((2, 3), positions=iz.Grid((10.0, 4.0), periodic=(False, True)))
    wanted = [((row + 0.5) * 10.0, (column + 0.5) * 4.0) for row in range(2) for column in range(3)]
    assert pop.positions.coordinates.tolist() == [list(one) for one in wanted]
    assert pop.positions.period == (math.inf, 12.0)
    line = iz.Population(3, positions=iz.Grid(2.0, periodic=True)).positions
    assert line.coordinates.tolist() == [[1.0], [3.0], [5.0]]
    assert line.period == (6.0,)


@pytest.mark.parametrize("shape", [(6, 2), (2, 3, 2)])
def test_coordinates_of_ones_own(shape):
    places = np.arange(12.0).reshape(shape)
    pop = iz.Population((2, 3), positions=places)
    places[...] = 0.0  # a copy is kept
    assert pop.positions.coordinates.tolist() == np.arange(12.0).reshape(6, 2).tolist()
    assert pop.positions.period == (math.inf, math.inf)
    assert len(pop.positions) == 6
    with pytest.raises(ValueError, match="read-only"):
        pop.positions.coordinates[0, 0] = 1.0
    with pytest.raises(AttributeError, match="Population.positions cannot be changed"):
        pop.positions = places
    assert iz.Population(3).positions is None
    assert iz.Population(3, positions=[1.0, 2.0, 4.0]).positions.coordinates.tolist() == [[1.0], [2.0], [4.0]]


def test_random_positions_are_even_in_the_box_and_keyed_by_seed_and_name():
    def made(**options):
        return iz.Population(4000, positions=iz.Box((100.0, 10.0)), **options).positions.coordinates

    places = made(seed=1, name="a")
    assert (places >= 0).all()
    assert (places < [100.0, 10.0]).all()
    np.testing.assert_allclose(places.mean(0), [50.0, 5.0], rtol=0.03)
    np.testing.assert_allclose(places.std(0) / [100.0, 10.0], math.sqrt(1 / 12), rtol=0.03)
    np.testing.assert_array_equal(places, made(seed=1, name="a"))
    assert (places != made(seed=2, name="a")).any()
    assert (places != made(seed=1, name="b")).any()
    net = iz.Network(seed=1)  # whose seed and name count from then on
    added = net.add(iz.Population(4000, positions=iz.Box((100.0, 10.0))), "a")
    np.testing.assert_array_equal(added.positions.coordinates, places)


def test_chosen_neurons_have_theirs():
    _, sheet, _ = ring_and_sheet()
    np.testing.assert_array_equal(
        sheet[[7, 3]].positions.coordinates, [sheet.positions.coordinates[7], sheet.positions.coordinates[3]]
    )
    assert sheet[::5].positions.period == sheet.positions.period
    assert iz.Population(4)[::2].positions is None


def test_copies_pickles_and_checkpoints_keep_them(tmp_path):
    net, sheet, box = ring_and_sheet()
    alone = iz.Population(15, positions=iz.Box((100.0, 120.0), periodic=True), seed=4)
    for other in (copy.deepcopy(alone), pickle.loads(pickle.dumps(alone))):
        np.testing.assert_array_equal(other.positions.coordinates, alone.positions.coordinates)
        assert other.positions.period == alone.positions.period
    syn = net.connect(sheet, box[[3, 1]], iz.AllToAll(), delay=iz.ByDistance(20.0, offset=1.0))
    net.save(tmp_path / "state.npz")
    again = iz.load(tmp_path / "state.npz")
    for name, pop in net.populations.items():
        np.testing.assert_array_equal(again.populations[name].positions.coordinates, pop.positions.coordinates)
        assert again.populations[name].positions.period == pop.positions.period
    (loaded,) = again.synapses.values()
    np.testing.assert_array_equal(loaded.distance, syn.distance)
    more = [one.connect(one.populations["sheet"], one.populations["box"], iz.Distance("exponential", 30.0))
            for one in (net, again)]  # fmt: skip
    np.testing.assert_array_equal(more[0].pre, more[1].pre)


# --- connectivity -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("periodic", [(True, False), (True, True), (False, False)])
def test_distance_connects_those_within_reach(periodic):
    net, sheet, box = ring_and_sheet(periodic=periodic)
    for source, target in ((sheet, box), (box[::2], sheet[[5, 1, 20]]), (sheet, sheet)):
        syn = net.connect(source, target, iz.Distance("box", scale=30.0, autapses=False))
        here, there = (one.positions for one in (source, target))
        pre, post = (range(one.n) if one in (sheet, box) else one.neurons.tolist() for one in (source, target))
        wanted = {
            (i, j)
            for a, i in enumerate(pre)
            for b, j in enumerate(post)
            if distance(here.coordinates[a], there.coordinates[b], here.period) <= 30.0
            and not (source is target and i == j)
        }
        assert set(zip(syn.pre.tolist(), syn.post.tolist(), strict=True)) == wanted
        assert len(syn) == len(wanted) > 3


@pytest.mark.parametrize("period", [(math.inf, math.inf), (70.0, math.inf), (70.0, 200.0), (30.0, 9.0)])
@pytest.mark.parametrize("reach", [4.0, 40.0])
def test_those_within_reach_are_found_wherever_they_are(period, reach):
    """Also of coordinates outside of the period, and of neurons that are exactly as far away as the reach."""
    rng = np.random.default_rng(2)
    net = iz.Network(seed=1)
    places = [np.rint(rng.uniform(-150.0, 250.0, (n, 2))) for n in (40, 50)]
    a, b = (net.add(iz.Population(len(xy), positions=iz.Positions(xy, period))) for xy in places)
    syn = net.connect(a, b, iz.Distance(np.ones_like, reach=reach))

    def along(x, y, length):
        apart = abs(x - y) % length
        return min(apart, length - apart)

    wanted = [
        (i, j)
        for i, here in enumerate(places[0])
        for j, there in enumerate(places[1])
        if math.hypot(*map(along, here, there, period)) <= reach
    ]
    assert list(zip(syn.pre.tolist(), syn.post.tolist(), strict=True)) == wanted
    np.testing.assert_allclose(
        syn.distance, [math.hypot(*map(along, places[0][i], places[1][j], period)) for i, j in wanted]
    )


@pytest.mark.parametrize("period", [math.inf, 1000.0])
def test_only_targets_within_reach_along_every_axis_are_looked_at(period):
    rng = np.random.default_rng(3)
    pre, post = (iz.Positions(rng.uniform(0.0, 1000.0, (n, 3)), period) for n in (20, 2000))
    space = Placed(pre, post)
    for source in range(20):
        apart = np.abs(pre.coordinates[source] - post.coordinates)
        apart = np.minimum(apart, period - apart).max(axis=1)
        (places,), distances = space.near(source, 100.0)
        np.testing.assert_array_equal(places, np.flatnonzero(apart <= 100.0))
        np.testing.assert_allclose(distances, pre.distances(post, source, places))


def test_large_populations_connect_within_their_reach():
    net = iz.Network(seed=1)
    ring = net.add(iz.Population(3000, positions=iz.Grid(1.0, periodic=True)))
    syn = net.connect(ring, ring, iz.Distance(np.ones_like, reach=2.0, autapses=False))
    assert len(syn) == 3000 * 4
    assert {*syn.distance} == {1.0, 2.0}
    far = iz.Population(200_000, positions=iz.Grid(1.0))
    with pytest.raises(
        ValueError, match="Distance must have at most 1e\\+10 pairs of neurons within reach, got 4e\\+10"
    ):
        net.connect(*[net.add(far)] * 2, iz.Distance(lambda distance: np.full_like(distance, 1e-9)))


def test_on_a_grid_it_connects_as_the_nd_size_does():
    shape, pairs = (6, 7), []
    for positions, rule in (
        (iz.Grid(1.0, periodic=True), iz.Distance("box", scale=2.3)),
        (None, iz.Distance("box", scale=2.3, periodic=True)),
    ):
        net = iz.Network(seed=1)
        pop = net.add(iz.Population(shape, positions=positions))
        syn = net.connect(pop, pop, rule)
        pairs.append((syn.pre, syn.post))
    np.testing.assert_array_equal(*pairs)


def test_probability_falls_with_distance():
    net = iz.Network(seed=1)
    line = net.add(iz.Population(400, positions=iz.Grid(1.0, periodic=True)))
    syn = net.connect(line, line, iz.Distance("gaussian", scale=20.0, p=0.8))
    found = np.bincount(np.rint(syn.distance).astype(int), minlength=201)[:60]
    d = np.arange(60)
    expected = 0.8 * np.exp(-((d / 20.0) ** 2) / 2) * 400 * np.where(d == 0, 1, 2)
    assert abs(found - expected).max() < 5 * math.sqrt(expected.max())


# --- delays and weights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("rule", [iz.AllToAll(), iz.FixedInDegree(5), iz.Distance("box", 40.0)], ids=["all", "in", "d"])
def test_delays_follow_from_distances(scheme, rule):
    net, sheet, box = ring_and_sheet(scheme)
    for source, target in ((sheet, box), (box, sheet[[20, 4, 9]]), (sheet[::-1], sheet)):
        syn = net.connect(source, target, rule, delay=iz.ByDistance(7.0, offset=0.6))
        ends = [{"sheet": sheet, "box": box}[one.population.name] for one in (syn.source, syn.target)]
        wanted = distances_of(syn, *ends)
        np.testing.assert_allclose(syn.distance, wanted, rtol=1e-12, atol=1e-12)
        delays = [0.6 + d / 7.0 for d in wanted]
        if scheme != "exact":
            np.testing.assert_array_equal(np.rint(syn.delay / 0.1), [math.floor(d / 0.1 + 0.5) for d in delays])
        else:
            np.testing.assert_allclose(syn.delay, delays, rtol=1e-12)


def test_weights_and_functions():
    net, sheet, box = ring_and_sheet()
    fall = iz.ByDistance(function=lambda d: np.exp(-d / 40.0), offset=0.25)
    for rule in (iz.AllToAll(), iz.FixedProbability(0.5)):
        syn = net.connect(sheet, box[::2], rule, weight=fall, delay=iz.ByDistance(function=lambda d: 1.0 + 0.02 * d))
        wanted = np.array(distances_of(syn, sheet, box))
        np.testing.assert_allclose(syn.weight, 0.25 + np.exp(-wanted / 40.0), rtol=1e-12)
        assert {*np.rint((syn.delay - 1.0 - 0.02 * wanted) / 0.1)} <= {0.0, -0.0}
    plastic = net.connect(sheet, box, iz.AllToAll(), weight=fall, plasticity=iz.STDP(w_max=2.0))
    before = plastic.weight.copy()
    plastic.weight[...] = 1.0
    net.reset(weights=True)
    np.testing.assert_array_equal(plastic.weight, before)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_spike_arrives_around_a_ring_when_its_distance_says(scheme):
    """Neuron 0 of 10, 1 mm apart, fires at 5 ms; each target, driven across threshold by its jump, fires then."""
    net = iz.Network(scheme=scheme, seed=1, dt=0.1)
    ring = net.add(iz.Population(10, positions=iz.Grid(1.0, periodic=True)))
    net.drive(ring, iz.SpikeTrain([0], [5.0], weight=150.0))
    net.connect(ring[[0]], ring[1:], iz.AllToAll(), weight=150.0, delay=iz.ByDistance(0.25))
    spikes = net.record(ring)
    net.run(60.0)
    first = {int(i): float(t) for i, t in zip(spikes.i[::-1], spikes.t[::-1], strict=True)}
    sent = first[0]
    for j in range(1, 10):
        assert first[j] == pytest.approx(sent + 4.0 * min(j, 10 - j), abs=1e-6)


# --- what is refused --------------------------------------------------------------------------------------------------

WRONG = {
    "too few": (
        lambda: iz.Population(3, positions=np.zeros((2, 2))),
        "Population.positions must have shape (3, d), got (2, 2).",
    ),
    "transposed": (
        lambda: iz.Population(3, positions=np.zeros((2, 3))),
        "must have shape (3, d), got (2, 3). Transpose it.",
    ),
    "nan": (
        lambda: iz.Population(2, positions=[1.0, np.nan]),
        "Population.positions must be finite, got nan at index 1",
    ),
    "none": (lambda: iz.Positions([]), "Positions.coordinates must have shape (n, d) or (n,), got (0,)."),
    "a number": (lambda: iz.Positions(3.0), "Positions.coordinates must have shape (n, d) or (n,), got ()."),
    "period": (lambda: iz.Positions([1.0], period=0.0), "Positions.period must be > 0"),
    "periods": (
        lambda: iz.Positions([1.0], period=(1.0, 2.0)),
        "Positions.period must be one for all axes or one for each of 1, got 2.",
    ),
    "spacing": (lambda: iz.Grid(-1.0), "Grid.spacing must be > 0"),
    "spacings": (
        lambda: iz.Population(3, positions=iz.Grid((1.0, 2.0))),
        "Grid.spacing must be one for all axes or one for each of 1, got 2.",
    ),
    "flags": (
        lambda: iz.Box((1.0, 2.0), periodic=(True,)),
        "Box.periodic must be one for all axes or one for each of 2",
    ),
    "extent": (lambda: iz.Box(()), "Box.extent must be one length or a tuple of them, got shape (0,)."),
    "velocity": (lambda: iz.ByDistance(0.0), "ByDistance.velocity must be a finite number > 0, got 0.0."),
    "offset": (lambda: iz.ByDistance(1.0, offset=np.inf), "ByDistance.offset must be a finite number, got inf."),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_positions(what):
    make, message = WRONG[what]
    with pytest.raises(ValueError) as error:
        make()
    assert message in str(error.value)


def test_wrong_kinds():
    for make, message in (
        (lambda: iz.ByDistance(), "ByDistance must have a velocity or a function, got neither."),
        (lambda: iz.ByDistance(1.0, function=np.sqrt), "ByDistance must have a velocity or a function, got both."),
        (lambda: iz.ByDistance(lambda d: d), "Write ByDistance(function=...)."),
        (lambda: iz.ByDistance(function=3.0), "ByDistance.function must be a function of (distance), got 3.0."),
        (
            lambda: iz.ByDistance(function=lambda: 1.0),
            "ByDistance.function must be a function of (distance), got one of ()",
        ),
        (lambda: iz.Grid(periodic="yes"), "Grid.periodic must be True or False, or a tuple of them, got 'yes'."),
        (
            lambda: iz.Population(3, positions="grid"),
            "Population.positions must be a number or an array of numbers, got",
        ),
        (
            lambda: iz.Population(3, positions=iz.Grid),
            "Population.positions must be an array (n, d), Positions, Grid or Box, got <class 'izhnumba._synapse.posi",
        ),
        (lambda: iz.Population(3, positions=iz.Grid), ". Write Grid(...)."),
        (lambda: iz.Population(3, positions=lambda: np.zeros(3)), ". Pass what it returns."),
        (lambda: iz.Population(3, pos=np.zeros(3)), "Did you mean 'positions'?"),
    ):
        with pytest.raises(TypeError) as error:
            make()
        assert message in str(error.value)


def test_connections_without_distances_leave_the_network_as_it_is():
    net, sheet, box = ring_and_sheet()
    plain = net.add(iz.Population(5), "plain")
    other = net.add(iz.Population(5, positions=iz.Grid(1.0)), "other")
    far, every, cure = iz.ByDistance(1.0), iz.AllToAll(), "Pass Population(..., positions=Grid()), or an array (n, d)."
    short = iz.ByDistance(function=lambda d: d[:1], offset=1.0)
    falls, nan = iz.ByDistance(function=lambda d: -d), iz.ByDistance(function=lambda d: d * np.nan)
    none = f"must be between populations with positions, got none. {cure}"
    one = f"must be between populations with positions, got none at one end. {cure}"
    for source, target, rule, options, message in (
        (plain, plain, every, dict(delay=far), f"Network.connect.delay {none}"),
        (sheet, plain, every, dict(weight=far), f"Network.connect.weight {one}"),
        (
            sheet,
            other,
            every,
            dict(delay=far),
            "must be between positions in the same space, got periods (100.0, inf) and",
        ),
        (plain, sheet, iz.Distance("box"), {}, f"Distance {one}"),
        (sheet, box, iz.Distance("box", extent=3.0), {}, "Distance.extent must be left out for populations with"),
        (sheet, box, iz.Distance("box", periodic=True), {}, "Distance.periodic must be left out for populations with"),
        (
            sheet,
            sheet,
            every,
            dict(delay=far),
            "got 0 ms for synapse 0. Give an offset: ByDistance(velocity, offset=1.0).",
        ),
        (
            sheet,
            box,
            every,
            dict(delay=short),
            "ByDistance.function(distance) must return one value per distance, shape () or",
        ),
        (sheet, box, every, dict(weight=falls, receptor=iz.AMPA()), "Network.connect.weight must be >= 0"),
        (sheet, box, every, dict(weight=nan), "must be finite, got nan"),
    ):
        with pytest.raises(ValueError) as error:
            net.connect(source, target, rule, **options)
        assert message in str(error.value)
    assert not net.synapses
    syn = net.connect(plain, other, iz.AllToAll())
    with pytest.raises(
        AttributeError, match="Synapses.distance must be between populations with positions, got none at one"
    ):
        _ = syn.distance
    syn = net.connect(sheet, box, iz.AllToAll())
    with pytest.raises(ValueError, match="Synapses.distance must be left to the positions, got new values"):
        syn.distance[0] = 1.0
    with pytest.raises(AttributeError, match="Synapses.distance cannot be changed"):
        syn.distance = 1.0


def test_files_of_single_populations_keep_them(tmp_path):
    pop = iz.Population((4, 6), positions=iz.Grid(25.0, periodic=(True, False)))
    pop.run(5.0)
    pop.save(tmp_path / "pop.npz")
    again = iz.Population.load(tmp_path / "pop.npz")
    np.testing.assert_array_equal(again.positions.coordinates, pop.positions.coordinates)
    assert again.positions.period == pop.positions.period
