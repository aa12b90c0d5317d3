"""Rules of plasticity at exact times, each against its formula over lists of events."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import izhnumba as iz

# A cell that spikes when it is kicked and at no other time, also a tenth of a ms after it was kicked before.
RELAY = dict(a=0.5, b=0.2, c=-70.0, d=0.0, V=-70.0, u=-14.0)
DELAY = np.array([1.37, 0.45])  # of the synapses 0 -> 2 and 1 -> 2
RNG = np.random.default_rng(4)
TRAINS = [
    ([3.0, 10.25, 11.0, 40.0], [5.5, 30.125], [8.0, 8.5, 12.0, 31.0, 44.0]),
    tuple(np.sort(RNG.uniform(0.0, 150.0, 40)).tolist() for _ in range(3)),
]
trains = pytest.mark.parametrize("trains", TRAINS, ids=["few", "many"])


def spiking(rule, trains, *, weight=1.0, receptor=None, **options):
    """Two sources and their target, which spike at these times; the synapses themselves do almost nothing."""
    net = iz.Network(scheme="exact", seed=1, **options)
    cells = net.add(iz.Population(3, **RELAY), name="cells")
    syn = net.connect(cells, cells, ([0, 1], [2, 2]), weight=weight, delay=DELAY, plasticity=rule,
                      receptor=receptor or iz.Exponential(0.01), name="syn")  # fmt: skip
    i = np.repeat([0, 1, 2], [len(t) for t in trains])
    net.drive(cells, iz.SpikeTrain(i, np.concatenate(trains), weight=400.0))
    spikes = net.record(cells, "spikes", name="spikes")
    net.record(syn, "weight", every=2.5, name="weights")
    return net, syn, spikes


def events(trains):
    """(time, synapse) of all arrivals, and (time, None) of target spikes, in order."""
    arrivals = [(t + DELAY[k], k) for k in (0, 1) for t in trains[k]]
    return sorted([*arrivals, *((t, None) for t in trains[2])], key=lambda event: event[0])


def trace(times, now, tau):
    return float(np.sum(np.exp(-(now - np.array(times)) / tau)))


def check(net, spikes, trains, T):
    """Run, and see that they spiked when they should."""
    net.run(T - net.t)
    for i, train in enumerate(trains):
        np.testing.assert_array_equal(spikes.t[spikes.i == i], [t for t in train if t <= T])


def sampled(course, T, first=1.0):
    """(samples, synapses) every 2.5 ms of weights that change at the times of `course`: (t, synapse, weight)."""
    samples, now = [], [first, first]
    for t in 2.5 * np.arange(1, int(T / 2.5) + 1):
        while course and course[0][0] <= t:
            _, k, w = course.pop(0)
            now[k] = w
        samples.append(now.copy())
    return samples


@trains
def test_triplets(trains):
    rule = iz.TripletSTDP(5e-3, 6e-3, 7e-3, 2e-3, w_max=1.05)
    net, syn, spikes = spiking(rule, trains)
    check(net, spikes, trains, 160.0)
    w, arrivals, posts, course = [1.0, 1.0], ([], []), [], []
    for t, k in events(trains):
        for j in (0, 1) if k is None else (k,):
            if k is None:
                w[j] += trace(arrivals[j], t, 16.8) * (5e-3 + 6e-3 * trace(posts, t, 125.0))
            else:
                w[j] -= trace(posts, t, 33.7) * (7e-3 + 2e-3 * trace(arrivals[j], t, 101.0))
            w[j] = min(max(w[j], 0.0), 1.05)
            course.append((t, j, w[j]))
        (posts if k is None else arrivals[k]).append(t)
    np.testing.assert_allclose(syn.weight, w, rtol=1e-12)
    found = net.recorders["weights"]
    np.testing.assert_allclose(found.weight, sampled(course, 160.0), rtol=1e-12)
    np.testing.assert_allclose(found.t, 2.5 * np.arange(1, 65))
    assert np.ptp(found.weight) > 0.01


@trains
@pytest.mark.parametrize("pairing", ["all", "nearest"])
def test_multiplicative_pairs(trains, pairing):
    rule = iz.STDP(0.03, 0.04, 12.0, 25.0, w_min=0.2, w_max=1.8, pairing=pairing, dependence="multiplicative")
    net, syn, spikes = spiking(rule, trains)
    check(net, spikes, trains, 160.0)
    w, arrivals, posts, last = [1.0, 1.0], ([], []), [], slice(-1 if pairing == "nearest" else 0, None)
    for t, k in events(trains):
        if k is None:
            w = [w[j] + 0.03 * (1.8 - w[j]) * trace(arrivals[j][last], t, 12.0) for j in (0, 1)]
            posts.append(t)
        else:
            w[k] -= 0.04 * (w[k] - 0.2) * trace(posts[last], t, 25.0)
            arrivals[k].append(t)
        w = np.clip(w, 0.2, 1.8).tolist()
    np.testing.assert_allclose(syn.weight, w, rtol=1e-12)


DOPAMINE = iz.DopamineSTDP(
    A_plus=0.1, A_minus=0.15, tau_e=50.0, tau_d=20.0, baseline=0.003, period=3.0, w_min=-1e3, w_max=1e3
)


def dopamine_course(trains, rewards, T, start=0.0, pairing="all"):
    """Weights, eligibilities and the modulator at T. rewards: (time, added); updates come every 3 ms."""
    w, jumps, arrivals, posts = np.ones(2), [(0.0, np.zeros(2))], ([], []), []
    last = slice(-1 if pairing == "nearest" else 0, None)

    def eligibility(t):
        return sum(size * np.exp(-(t - when) / 50.0) for when, size in jumps)

    updates = [(3.0 * k, "update") for k in range(1, int(T / 3.0) + 1) if 3.0 * k > start]
    for t, k in sorted([*events(trains), *updates], key=lambda event: event[0]):
        if t > T:
            break
        if k == "update":
            m = sum(size * np.exp(-(t - when) / 20.0) for when, size in rewards if when < t)
            w = w + 3.0 * (0.003 + m) * eligibility(t) / 10.0
        elif k is None:
            jumps.append((t, 0.1 * np.array([trace(arrivals[j][last], t, 20.0) for j in (0, 1)])))
            posts.append(t)
        else:
            jumps.append((t, -0.15 * trace(posts[last], t, 20.0) * np.eye(2)[k]))
            arrivals[k].append(t)
    return w, eligibility(T), sum(size * np.exp(-(T - when) / 20.0) for when, size in rewards)


@trains
@pytest.mark.parametrize("pairing", ["all", "nearest"])
def test_dopamine(trains, pairing):
    """Set and added to between runs, at times that are no multiples of the period, one of them an update's."""
    net, syn, spikes = spiking(replace(DOPAMINE, pairing=pairing), trains)
    rewards = [(17.3, 0.5), (30.0, 0.25), (31.0, 1.0), (90.1, -0.5)]
    assert syn.modulator == 0.0
    for when, size in rewards:
        check(net, spikes, trains, when)
        before = syn.modulator
        syn.modulator += size
        assert syn.modulator == pytest.approx(before + size, rel=1e-14)
    check(net, spikes, trains, 161.5)
    w, e, m = dopamine_course(trains, rewards, 161.5, pairing=pairing)
    np.testing.assert_allclose(syn.weight, w, rtol=1e-10)
    np.testing.assert_allclose(syn.eligibility, e, rtol=1e-9, atol=1e-14)
    assert syn.modulator == pytest.approx(m, rel=1e-12)
    assert np.abs(w - 1).max() > 0.01


def test_the_modulator_decays_all_the_time():
    net, syn, _ = spiking(DOPAMINE, ([1.0], [2.0], [3.0]))
    syn.modulator = 2.0
    for T in (0.1, 2.9, 3.0, 40.0):
        net.run(T - net.t)
        assert syn.modulator == pytest.approx(2.0 * np.exp(-T / 20.0), rel=1e-13)
    net.reset()
    assert syn.modulator == 0.0


def test_a_modulator_is_there_only_for_modulated_rules():
    _, syn, _ = spiking(iz.STDP(), ([1.0], [2.0], [3.0]))
    with pytest.raises(AttributeError, match="have no modulator. Connect with DopamineSTDP"):
        syn.modulator = 1.0
    with pytest.raises(AttributeError, match="have no eligibility. Connect with DopamineSTDP"):
        _ = syn.eligibility


@trains
def test_scaling(trains):
    """Every 7 ms, by the target's rate averaged over tau."""
    rule = iz.Scaling(target=20.0, eta=0.2, tau=30.0, w_min=0.5, w_max=1.6, period=7.0)
    net, syn, spikes = spiking(rule, trains, weight=[1.0, 0.6])
    check(net, spikes, trains, 160.0)
    w = np.array([1.0, 0.6])
    for t in 7.0 * np.arange(1, 23):
        rate = 1000 / 30.0 * trace([post for post in trains[2] if post <= t], t, 30.0)
        w = np.clip(w * (1 + 0.2 * (1 - rate / 20.0)), 0.5, 1.6)
    np.testing.assert_allclose(syn.weight, w, rtol=1e-12)


def test_short_term_plasticity_scales_what_arrives():
    """Seen in V, which jumps by w u R; the weight itself stays."""
    times, rule = [1.0, 4.5, 6.0, 30.0, 30.25, 150.0], iz.TsodyksMarkram(U=0.3, tau_rec=100.0, tau_facil=40.0)
    net, syn, _ = spiking(rule, (times, [], []), weight=3.0, receptor=iz.Delta())
    u, left, before = 0.0, 1.0, -np.inf
    for t in times:
        u *= np.exp(-(t - before) / 40.0)
        left = 1 - (1 - left) * np.exp(-(t - before) / 100.0)
        u += 0.3 * (1 - u)
        net.run(t + DELAY[0] - 1e-6 - net.t)
        cells = net.populations["cells"]
        V = cells.V[2]
        net.run(2e-6)
        assert cells.V[2] - V == pytest.approx(3.0 * u * left, rel=2e-5)
        left, before = left - u * left, t
    assert syn.weight.tolist() == [3.0, 3.0]


def test_short_term_with_long_term_plasticity():
    """V jumps by the weight, which pairs change, times u R."""
    pre, post = [1.0, 4.5, 6.0, 30.0, 30.25, 150.0], [5.5, 31.0]
    rules = [iz.TsodyksMarkram(U=0.3, tau_rec=100.0, tau_facil=40.0), iz.STDP(0.2, 0.1, 20.0, 30.0)]
    net, syn, _ = spiking(rules, (pre, [], post), weight=3.0, receptor=iz.Delta())
    u, left, before, w = 0.0, 1.0, -np.inf, 3.0
    for t, kind in sorted([(t + DELAY[0], "arrival") for t in pre] + [(t, "spike") for t in post]):
        if kind == "spike":
            w += 0.2 * trace([a + DELAY[0] for a in pre if a + DELAY[0] < t], t, 20.0)
            continue
        u *= np.exp(-(t - before) / 40.0)
        left = 1 - (1 - left) * np.exp(-(t - before) / 100.0)
        u += 0.3 * (1 - u)
        net.run(t - 1e-6 - net.t)
        V = (cells := net.populations["cells"]).V[2]
        net.run(2e-6)
        assert cells.V[2] - V == pytest.approx(w * u * left, rel=2e-5)
        w -= 0.1 * trace([s for s in post if s < t], t, 30.0)
        left, before = left - u * left, t
        assert syn.weight[0] == pytest.approx(w, rel=1e-12)
    assert abs(w - 3.0) > 0.01


# --- rules of users, and what is refused ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing(iz.Plasticity):
    """e counts arrivals, the weight follows two traces of either side, and an update adds what has come of them."""

    gain: float = 0.25
    period: float = 4.0

    def taus(self):
        return [5.0, 11.0], [7.0, 13.0]

    @staticmethod
    def arrival(w, e, x, y, p):
        return w, w - p.gain * y[1] * x[1], e + 1, (x[0] + 1, 1.0)

    @staticmethod
    def target_spike(w, e, x, y, p):
        return w + p.gain * (x[0] + y[0] * x[1]), e

    @staticmethod
    def after_spike(y, p):
        return 1.0, y[1] + 1

    @staticmethod
    def update(w, e, y, m, p):
        return w + 0.01 * e * y[0], 0.5 * e


def timing_course(trains, T):
    w, e, arrivals, posts = np.ones(2), np.zeros(2), ([], []), []
    updates = [(4.0 * k, "update") for k in range(1, int(T / 4.0) + 1)]
    for t, k in sorted([*events(trains), *updates], key=lambda event: event[0]):
        y = trace(posts[-1:], t, 7.0), trace(posts, t, 13.0)
        x = [(trace(arrivals[j], t, 5.0), trace(arrivals[j][-1:], t, 11.0)) for j in (0, 1)]
        if t > T:
            break
        if k == "update":
            w, e = w + 0.01 * e * y[0], 0.5 * e
        elif k is None:
            w = w + 0.25 * np.array([x[j][0] + y[0] * x[j][1] for j in (0, 1)])
            posts.append(t)
        else:
            w[k] -= 0.25 * y[1] * x[k][1]
            e[k] += 1
            arrivals[k].append(t)
    return w, e


@trains
def test_a_rule_of_the_users_own(trains):
    net, syn, spikes = spiking(Timing(), trains)
    check(net, spikes, trains, 155.0)
    w, e = timing_course(trains, 155.0)
    np.testing.assert_allclose(syn.weight, w, rtol=1e-12)
    np.testing.assert_allclose(syn.eligibility, e, rtol=1e-12)


class Tabled(Timing):
    def traces(self, dt):
        return [np.ones(3)] * 2, [np.ones(3)] * 2


class Negative(Timing):
    def taus(self):
        return [5.0, 11.0], [-7.0, 13.0]


class Broken(Timing):
    @staticmethod
    def target_spike(w, e, x, y, p):
        return w


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (iz.STDP2006(), r"plasticity must have exponential traces with the scheme 'exact', got STDP2006, whose traces"),
        (Tabled(), r"plasticity must have exponential traces with the scheme 'exact', got Tabled"),
        (Negative(), r"Negative.taus\(\) must be a finite number > 0 ms, got -7.0"),
        (Broken(), r"Broken.target_spike\(w, e, x, y, p\) must return \(w, e\), got"),
        ("STDP", r"Network.connect.plasticity must be a rule such as STDP\(\)"),
    ],
)
def test_refusals(rule, message):
    net = iz.Network(scheme="exact", seed=1)
    cells = net.add(iz.Population(3, **RELAY))
    with pytest.raises((TypeError, ValueError), match=message):
        net.connect(cells, cells, iz.OneToOne(), plasticity=rule, delay=1.0)
    assert net.synapses == {}
    net.run(1.0)


# --- bits -------------------------------------------------------------------------------------------------------------

RULES = {
    "triplets": iz.TripletSTDP(5e-3, 6e-3, 7e-3, 2e-3),
    "dopamine": iz.DopamineSTDP(baseline=0.01, period=3.0),
    "scaling": iz.Scaling(target=20.0, tau=30.0, period=7.0),
    "short-term": iz.TsodyksMarkram(U=0.3, tau_rec=100.0, tau_facil=40.0),
    "pairs": iz.STDP(0.05, 0.06, w_max=2.0),
    "own": Timing(gain=0.01),
}


def learning(threads=1, n=600):
    """All rules at once between cells that fire."""
    rng = np.random.default_rng(1)
    net = iz.Network(scheme="exact", seed=1, threads=threads)
    cells = net.add(
        iz.Population(n, a=rng.uniform(0.02, 0.1, n), b=0.2, c=-60.0, d=4.0, V=-70.0, u=-14.0), name="cells"
    )
    net.drive(cells, rng.uniform(4.0, 14.0, n))
    for k, (name, rule) in enumerate(RULES.items()):
        net.connect(cells, cells, (rng.integers(n, size=1500), rng.integers(n, size=1500)), weight=rng.random(1500),
                    delay=rng.uniform(1.0, 5.0, 1500), plasticity=rule, name=name,
                    receptor=iz.Exponential(2.0 + k % 2))  # fmt: skip
    net.record(cells, "spikes", name="spikes")
    return net


def outcome(net):
    spikes = net.recorders["spikes"]
    kept = [(syn.weight.tobytes(), syn._plastic.memory.tobytes()) for syn in net.synapses.values()]
    return spikes.i.tolist(), spikes.t.tobytes(), kept, net.synapses["dopamine"].modulator


@pytest.fixture(scope="module")
def whole():
    net = learning()
    net.synapses["dopamine"].modulator = 0.5
    net.run(40.0)
    assert len(net.recorders["spikes"]) > 600
    return outcome(net)


def test_threads_give_the_same_weights(whole):
    net = learning(threads=2)
    net.synapses["dopamine"].modulator = 0.5
    net.run(40.0)
    assert outcome(net) == whole


@pytest.mark.parametrize("ends", [[17.77, 40.0], [3.0, 6.0, 7.0, 21.0, 40.0], [*np.linspace(0.7, 40.0, 41)]])
def test_pieces_give_the_same_weights(whole, ends):
    net = learning()
    net.synapses["dopamine"].modulator = 0.5
    for end in ends:
        net.run(end - net.t)
    assert net.t == 40.0
    assert outcome(net) == whole


def test_saved_and_loaded_in_the_middle(whole, tmp_path):
    net = learning()
    net.synapses["dopamine"].modulator = 0.5
    for end in (10.3, 21.0, 40.0):
        net.run(end - net.t)
        net.save(tmp_path / "net.npz")
        net = iz.load(tmp_path / "net.npz", define=[Timing])
    assert outcome(net) == whole


def test_a_reset_with_weights_starts_again(whole):
    net = learning()
    net.run(11.1)
    net.reset(weights=True)
    net.synapses["dopamine"].modulator = 0.5
    net.run(40.0)
    assert outcome(net) == whole


def test_synapses_that_come_late():
    """Their updates are those of the absolute clock from then on, and time goes on."""
    trains = TRAINS[0]
    net, _, spikes = spiking(iz.STDP(), trains)
    check(net, spikes, trains, 7.0)
    late = net.connect(net.populations["cells"], net.populations["cells"], ([0, 1], [2, 2]), weight=1.0, delay=DELAY,
                       plasticity=DOPAMINE, receptor=iz.Exponential(0.01))  # fmt: skip
    check(net, spikes, trains, 7.5)
    check(net, spikes, trains, 60.0)
    after = tuple([t for t in train if t > 7.0] for train in trains)
    w, e, _ = dopamine_course(after, [], 60.0, start=7.0)
    np.testing.assert_allclose(late.weight, w, rtol=1e-12)
    np.testing.assert_allclose(late.eligibility, e, rtol=1e-12)
