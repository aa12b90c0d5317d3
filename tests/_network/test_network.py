"""Networks against a slow twin, against NEST, and against themselves run in other pieces."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from network_oracle import Course, NetworkOracle
from oracle import Oracle, Quadratic

import izhnumba as iz

DATA = Path(__file__).parents[1] / "data"
COURSES = {
    "delta": (iz.Delta(), Course("delta"), 6.0),
    "pulse": (iz.Pulse(), Course("pulse", 1), 40.0),
    "long pulse": (iz.Pulse(0.7), Course("pulse", 7), 6.0),
    "exponential": (iz.Exponential(3.0), Course("exp", 3.0), 4.0),
    "alpha": (iz.Alpha(2.0), Course("alpha", 2.0), 3.0),
    "dual": (iz.DualExponential(1.0, 6.0), Course("dual", 1.0, 6.0), 3.0),
    "conductance": (iz.AMPA(), Course("exp", 5.0, E=0.0), 0.05),
    "nmda": (iz.NMDA(1.0, 20.0, Mg=1.2), Course("dual", 1.0, 20.0, E=0.0, Mg=1.2), 0.1),
    "gap": (iz.GapJunction(), Course("gap", E="that of the source"), 0.01),
    "alpha conductance": (iz.Alpha(4.0, E=-80.0), Course("alpha", 4.0, E=-80.0), 0.1),
}


def two_populations(scheme, receptors, *, dt=0.1, seed=0, dtype="float64", threads=None, steps=(1, 40)):
    """A network of 30 and 70 neurons, and its twin, wired at random through all these receptors."""
    rng = np.random.default_rng(seed)
    net = iz.Network(dt=dt, scheme=scheme, seed=1, threads=threads)
    twins, sizes, current = {}, {"a": 30, "b": 70}, {}
    for name, n in sizes.items():
        p = dict(a=0.05, b=0.2, c=-60.0, d=5.0)
        V, u = rng.uniform(-75, -60, n), rng.uniform(-16, -12, n)
        current[name] = rng.uniform(0, 12, n)
        net.add(iz.Population(n, **p, V=V, u=u, dtype=dtype), name=name)
        net.drive(net.populations[name], iz.Constant(current[name]))
        twins[name] = Oracle(n, Quadratic(**p), scheme, dt, V, u)
    wired = []
    for source, target in (("a", "b"), ("b", "a"), ("b", "b")):
        for receptor, course, strength in receptors:
            m = 200
            pre, post = rng.integers(sizes[source], size=m), rng.integers(sizes[target], size=m)
            delay = rng.integers(*steps, size=m)
            weight = rng.uniform(-0.5 if course.E is None else 0.0, 1, m) * strength
            gap = course.kind == "gap"
            net.connect(net.populations[source], net.populations[target], (pre, post), weight=weight,
                        delay=None if gap else delay * dt, receptor=receptor)  # fmt: skip
            order = np.lexsort((post, delay, pre))
            wired.append((source, target, course, list(zip(pre[order], post[order], weight[order], delay[order]))))  # noqa: B905
    return net, NetworkOracle(twins, wired, dt, current)


def raster(recorders):
    return sorted((int(k), name, int(i)) for name, r in recorders.items() for k, i in zip(r.step, r.i, strict=True))


@pytest.mark.parametrize("scheme", ["exp_euler", "izhikevich2003", "nest_published"])  # the others take input alike
def test_all_receptors_together(scheme):
    agrees_with_twin(scheme, list(COURSES.values()))


@pytest.mark.parametrize("receptor", [name for name in COURSES if name != "nmda"])  # a kernel of its own, as all have
def test_each_receptor(receptor):
    agrees_with_twin("exp_euler", [COURSES[receptor]])


def agrees_with_twin(scheme, receptors):
    net, twin = two_populations(scheme, receptors)
    recorders = {name: net.record(population, "spikes") for name, population in net.populations.items()}
    for _ in range(250):
        twin.step()
    net.run(25.0)
    assert raster(recorders) == sorted(twin.spikes)
    assert len(twin.spikes) > 50
    for name, population in net.populations.items():
        np.testing.assert_allclose(population.V, twin.populations[name].V, rtol=1e-6)


def test_the_recorded_network_of_nest():
    judge = json.loads((DATA / "nest310_network100_first300ms.json").read_text())
    net = iz.Network(dt=0.1, scheme="nest")
    p = {name: judge[name] for name in "abcd"}
    cells = net.add(iz.Population(100, **p, V=judge["V_init"], u=judge["U_init"]))
    net.connect(cells, cells, (judge["pre"], judge["post"]), weight=judge["weight_mV"],
                delay=np.array(judge["delay_steps"]) * 0.1)  # fmt: skip
    net.drive(cells, iz.Constant(judge["I_e"]))
    spikes, voltage = net.record(cells, "spikes"), net.record(cells, "V", every=10.0, neurons=[0])
    net.run(300.0)
    order = np.lexsort((judge["spike_neuron"], judge["spike_step"]))
    np.testing.assert_array_equal(spikes.step, np.array(judge["spike_step"])[order] - 1)
    np.testing.assert_array_equal(spikes.i, np.array(judge["spike_neuron"])[order])
    np.testing.assert_allclose(voltage.V[:, 0], judge["V0_every_100_steps"], rtol=1e-12)


def mixed_network(threads=None, dtype="float64", seed=5, n=5000):
    """Several blocks of neurons, sparse and whole rows, several receptors and random drives."""
    net = iz.Network(dt=0.5, seed=seed, threads=threads)
    exc = net.add(iz.Population(n, **iz.presets["RS"], dtype=dtype), name="exc")
    inh = net.add(iz.Population(300, **iz.presets["FS"], dtype=dtype), name="inh")
    net.connect(exc, exc, iz.FixedOutDegree(300), weight=iz.Uniform(0, 0.1), delay=iz.Uniform(1.0, 10.0))
    net.connect(exc, inh, iz.FixedInDegree(200), weight=0.02, delay=iz.Uniform(1.0, 4.0), receptor=iz.AMPA())
    net.connect(inh, exc, iz.AllToAll(), weight=-0.05, delay=2.0, receptor=iz.Pulse())
    net.connect(exc[:200], exc[200:], iz.FixedOutDegree(50), weight=0.2, delay=1.5, receptor=iz.Pulse(3.5))
    net.connect(inh[:100], inh, iz.AllToAll(autapses=False), weight=0.01, delay=1.5, receptor=iz.GABA_A())
    net.drive(exc, iz.Noise(std=4.0) + iz.Noise(std=4.0, hold=2.0))
    net.drive(inh[50:], iz.Poisson(rate=500.0, weight=0.01, receptor=iz.AMPA()))
    net.drive(exc[:1000], iz.OrnsteinUhlenbeck(mean=3.0, std=1.0, tau=10.0))
    return net, net.record(exc, "spikes"), net.record(inh, "V", every=2.0)


def outcome(net, spikes, voltage):
    states = [state.copy() for population in net.populations.values() for state in (population.V, population.u)]
    return [spikes.i, spikes.step, voltage.t, voltage.V, *states]


def test_threads_and_pieces_do_not_change_a_bit():
    whole = mixed_network(threads=1)
    whole[0].run(100.0)
    expected = outcome(*whole)
    assert len(expected[0]) > 1000
    rng = np.random.default_rng(0)
    for threads in (1, 2, 4):
        net, spikes, voltage = mixed_network(threads=threads)
        while net.n_steps < 200:
            net.run(min(int(rng.integers(1, 40)), 200 - net.n_steps) * 0.5)
        for found, wanted in zip(outcome(net, spikes, voltage), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_reset_starts_again_and_steps_equal_runs():
    net, spikes, voltage = mixed_network()
    net.run(40.0)
    first = outcome(net, spikes, voltage)
    net.reset()
    assert (net.t, len(spikes), voltage.V.shape) == (0.0, 0, (0, 300))
    for _ in range(80):
        net.step()
    for found, wanted in zip(outcome(net, spikes, voltage), first, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_whole_rows_and_single_synapses_give_the_same_bits():
    def raster_of(rule):
        net = iz.Network(dt=0.5, seed=1)
        cells = net.add(iz.Population(300, **iz.presets["RS"]), name="cells")
        weight = np.random.default_rng(0).uniform(-0.1, 0.2, (200, 300)).ravel()
        net.connect(cells[:200], cells, rule, weight=weight, delay=1.5)
        net.drive(cells, iz.Noise(std=8.0))
        spikes = net.record(cells, "spikes")
        net.run(100.0)
        return spikes.i, spikes.step, cells.V.copy()

    pre, post = np.divmod(np.arange(200 * 300), 300)
    for one, other in zip(raster_of(iz.AllToAll()), raster_of((pre, post)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_synapses_added_between_runs_leave_what_is_under_way():
    """A spike with a long delay arrives although a synapse with a longer, then one with a shorter delay is added."""
    net = iz.Network(dt=0.1, scheme="euler")
    source, target = net.add(iz.Population(1, **SILENT)), net.add(iz.Population(1, **SILENT))
    net.connect(source, target, iz.OneToOne(), weight=1.0, delay=5.0)
    net.drive(source, iz.SpikeTrain([0], [1.0], weight=200.0))
    voltage = net.record(target, "V")
    for delay in (50.0, 0.3):
        net.run(2.0)
        net.connect(target, source, iz.OneToOne(), weight=1.0, delay=delay)
    net.run(4.0)
    jump = np.flatnonzero(np.diff(voltage.V[:, 0]) > 0.5)
    np.testing.assert_allclose(voltage.t[jump + 1], 1.1 + 5.0)


def test_rings_may_shrink():
    """With a shorter shortest delay the rings need no more be whole multiples of a longer one."""
    net = iz.Network(dt=0.1, scheme="euler")
    source, target = net.add(iz.Population(1, **SILENT)), net.add(iz.Population(1, **SILENT))
    net.connect(source, target, ([0, 0], [0, 0]), weight=1.0, delay=[0.4, 0.5])  # rings of 8 steps
    net.drive(source, iz.SpikeTrain([0], [0.6], weight=200.0))
    voltage = net.record(target, "V")
    net.run(0.9)
    net.connect(target, source, iz.OneToOne(), weight=1.0, delay=0.1)  # now of 5
    net.run(1.0)
    jump = np.flatnonzero(np.diff(voltage.V[:, 0]) > 0.5)
    np.testing.assert_allclose(voltage.t[jump + 1], [0.7 + 0.4, 0.7 + 0.5])


SILENT = dict(a=0.02, b=0.2, c=-65.0, d=8.0, V=-70.0, u=-14.0)


@pytest.mark.parametrize("steps", [1, 2, 7, 64, 65, 1000])
def test_a_jump_arrives_when_it_should(steps):
    net = iz.Network(dt=0.1)
    source, target = (net.add(iz.Population(3, **SILENT), name=name) for name in ("source", "target"))
    net.connect(source, target, ([1], [2]), weight=2.0, delay=steps * 0.1)
    net.drive(source, iz.SpikeTrain([1], [3.0], weight=200.0))
    spikes, voltage = net.record(source, "spikes"), net.record(target, "V")
    net.run(150.0)
    assert (spikes.i.tolist(), spikes.step.tolist()) == ([1], [30])
    jumped = np.flatnonzero(np.diff(voltage.V[:, 2]) > 1.0)
    assert jumped.tolist() == [30 + steps - 1]
    assert not np.any(np.diff(voltage.V[:, :2], axis=0) > 1.0)


def test_poisson_statistics():
    net = iz.Network(dt=1.0, scheme="euler", seed=3)
    cells = net.add(iz.Population(2000, **SILENT))
    rates = np.repeat([20.0, 200.0, 1500.0, 0.0], 500)
    drive = iz.Poisson(rates, receptor=iz.Pulse())
    rows = drive.bind((2000,), 1.0, "float64", (3, 4), {}, unit="")(0, 400)
    for k, rate in enumerate((20.0, 200.0, 1500.0, 0.0)):
        counts, mean = rows[:, 500 * k : 500 * (k + 1)], rate * 1e-3
        assert abs(counts.mean() - mean) <= 5 * np.sqrt(mean / counts.size)
        assert abs(counts.var() - mean) <= 8 * np.sqrt((mean + 2 * mean**2) / counts.size)
    changing = iz.Poisson(iz.TimedArray([0.0, 1000.0], dt=200.0)).bind((2000,), 1.0, "float64", (3, 4), {}, unit="")(
        0, 400
    )
    assert (changing[:200].sum(), round(changing[200:].mean(), 1)) == (0, 1.0)
    net.drive(cells, drive)
    net.run(5.0)
    with pytest.raises(ValueError, match="Poisson.rate must be between 0 and 30000 Hz at this dt, got 40000 Hz"):
        net.drive(cells, iz.Poisson(40000.0))
    with pytest.raises(ValueError, match="SpikeTrain.i must be below 2000, the number of neurons, got 2000"):
        net.drive(cells, iz.SpikeTrain([2000], [1.0]))


def test_spike_trains_act_in_their_steps():
    train = iz.SpikeTrain([0, 2, 2, 0], [0.3, 0.1, 0.1, 0.35], weight=[1.0, 2.0, 4.0])
    rows = train.bind((3,), 0.1, "float64", (0, 0), {}, unit="mV")
    expected = np.zeros((5, 3))
    expected[1, 2], expected[3, 0] = 8.0, 2.0
    np.testing.assert_array_equal(rows(0, 5), expected)
    np.testing.assert_array_equal(rows(2, 3), expected[2:])


def test_a_failure_names_the_population():
    net = iz.Network()
    net.add(iz.Population(3), name="good")
    net.drive(net.add(iz.Population(3), name="bad"), iz.Constant([0.0, -1e308, 0.0]))
    with pytest.raises(
        RuntimeError, match=r"^bad: V became non-finite in 1 of 3 neurons at t = 0\.2 ms, first neuron 1"
    ):
        net.run(10.0)


@pytest.mark.parametrize(
    ("scheme", "cure"),
    [
        ("exp_euler", "Use a smaller dt than 0.1 ms or a weaker input, or smaller weights:"),
        ("exact", "Use other parameters or input, or smaller weights:"),
    ],
)
def test_a_failure_names_weights_where_there_are_any(scheme, cure):
    net = iz.Network(scheme=scheme, seed=1)
    source = net.add(iz.Population(1, **iz.presets["RS"]), name="source")
    bad = net.add(iz.Population(2, **iz.presets["RS"]), name="bad")
    net.drive(source, 10.0)
    net.connect(source, bad, iz.AllToAll(), weight=0.1, delay=1.0)
    strong = dict(weight=[[-1e160, -2e160]], receptor=iz.Exponential(5.0), name="strong")
    net.connect(source, bad, iz.AllToAll(), delay=1.0, **strong)
    with pytest.raises(RuntimeError, match=rf"^bad: .*{cure} those of 'strong' are up to 2e\+160 in size; reset\(\) "):
        net.run(10.0)


def test_the_rate_is_that_of_the_spikes():
    net, spikes, _ = mixed_network(n=500)
    rate = net.record(net.populations["exc"], "rate", every=5.0)
    some = net.record(net.populations["exc"][:100], "rate")
    for T in (17.0, 20.5, 62.5):
        net.run(T)
    np.testing.assert_array_equal(rate.t, 5.0 * np.arange(1, 21))
    np.testing.assert_allclose(rate.rate, np.bincount(spikes.step // 10, minlength=20) / (500 * 5e-3))
    first = spikes.step[spikes.i < 100]
    np.testing.assert_allclose(some.rate, np.bincount(first, minlength=200) / (100 * 0.5e-3))
    net.reset()
    assert (rate.t.size, rate.rate.size) == (0, 0)
    with pytest.raises(ValueError, match="Network.record.neurons must be left out when recording rate, got"):
        net.record(net.populations["exc"], "rate", neurons=[0])
    with pytest.raises(ValueError, match="Network.record.what must be a known name, got 'spike'"):
        net.record(net.populations["exc"], "spike")


def test_another_receptor_after_a_run_takes_effect():
    net = iz.Network(dt=0.1, seed=1)
    cells = net.add(iz.Population(2, **SILENT))
    highest = []
    for receptor in (iz.Delta(), iz.Exponential(5.0), iz.AMPA()):
        net.connect(cells, cells, ([0], [1]), weight=2.0, delay=1.0, receptor=receptor)
        if receptor == iz.Delta():
            net.drive(cells, iz.SpikeTrain([0], [0.5], weight=200.0))
        voltage = net.record(cells, "V", neurons=[1])
        net.run(5.0)
        highest.append(voltage.V.max())
        net.reset()
        net.run(0.0)
    assert np.all(np.diff(highest) > 0.5)


def test_names_do_not_meet():
    net = iz.Network()
    net.add(iz.Population(1), name="population#1")
    for expected in ("population", "population#2"):
        net.add(iz.Population(1))
        assert list(net.populations)[-1] == expected


def test_spikes_are_no_current():
    pop = iz.Population(3, **SILENT, seed=1)
    pop.run(10.0, delta=iz.Poisson(2000.0, weight=1.0))
    assert pop.V.min() > -70
    spikes = (
        "Poisson must drive a population of a network or, with Delta(), be delta= of one alone, got Delta() where "
        "mV/ms are expected. Use net = Network(); pop = net.add(Population(...)); net.drive(pop, Poisson(...))."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(spikes)}$"):
        pop.run(10.0, iz.Poisson(20.0))
    with pytest.raises(ValueError, match=r"got Pulse.* where mV are expected. Use net = Network\(\); pop ="):
        pop.run(10.0, delta=iz.Poisson(20.0, receptor=iz.Pulse()))


def test_a_leap_in_any_slice_is_told(monkeypatch):
    monkeypatch.setattr("izhnumba._clock.inputs._MOST_STEPS", 5)
    net = iz.Network(scheme="euler")
    net.drive(net.add(iz.Population(1), name="cells"), iz.Pulses(0.1, 0.2, -4000.0))
    with pytest.warns(UserWarning, match="Population.V fell below"):
        net.run(20.0)


def rs_network(n=20):
    net = iz.Network(dt=0.5, seed=1)
    return net, net.add(iz.Population(n, **iz.presets["RS"]), name="cells")


def test_arrays_that_drive_are_live():
    net, cells = rs_network(3)
    light = np.zeros(3)
    net.drive(cells, light)
    net.run(20.0)
    before = cells.V.copy()
    light[1] = 20.0
    net.step()
    assert cells.V[1] > before[1] + 5
    assert np.abs(cells.V - before)[[0, 2]].max() < 1


def test_a_run_ends_when_its_condition_holds():
    net, cells = rs_network()
    net.drive(cells, iz.Constant(np.linspace(4.0, 10.0, 20)))
    spikes = net.record(cells)
    net.run(1000.0, until=lambda net: len(spikes) >= 5)
    assert len(spikes) >= 5
    assert spikes.step[-1] == net.n_steps - 1
    t = net.t
    net.run(10.0, until=lambda net: False)
    assert net.t == t + 10.0
    asked = []
    net.run(9.0, until=lambda net: asked.append(net.t), every=2.0)
    assert asked == [time for time in np.arange(t + 10.5, t + 19.5, 0.5) if time % 2.0 == 0]
    for options, message in (
        (dict(every=1.0), "Network.run.every must come with until, got 1.0 alone"),
        (dict(until=5), r"Network.run.until must be a function of \(net\), got 5"),
        (dict(until=lambda net: False, every=0.3), "Network.run.every must be (>= 0.5 ms|a whole number)"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            net.run(5.0, **options)
    with pytest.raises(ZeroDivisionError):
        net.run(5.0, until=lambda net: 1 / 0)
    net.run(5.0)


def test_ctrl_c_leaves_a_network_that_goes_on():
    def network():
        net, spikes, voltage = mixed_network(n=500)
        return net, spikes, voltage, net.record(net.populations["exc"], "rate", every=2.0)

    whole, interrupted = network(), network()
    whole[0].run(100.0)
    net, done = interrupted[0], []

    def interrupt(now, total):
        done.append(now)
        if len(done) % 3 == 0:
            raise KeyboardInterrupt

    while net.t < 100.0:
        try:
            net.run(100.0 - net.t, progress=interrupt, until=lambda net: False, every=7.0)
        except KeyboardInterrupt:
            assert net.t == net.n_steps * 0.5
    assert len(done) > 10
    for one, other in zip(outcome(*whole[:3]), outcome(*interrupted[:3]), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(whole[3].rate, interrupted[3].rate)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(delay=1.0), r"Network.connect.delay must be left out with GapJunction\(\)"),
        (dict(plasticity=iz.STDP()), r"Network.connect.plasticity must be left out with GapJunction\(\)"),
    ],
)
def test_what_gap_junctions_do_not_take(options, message):
    net, cells = rs_network()
    with pytest.raises(ValueError, match=message):
        net.connect(cells, cells, iz.AllToAll(), receptor=iz.GapJunction(), **options)
    with pytest.raises(ValueError, match=r"Poisson.receptor must be one that spikes reach, got GapJunction"):
        net.drive(cells, iz.Poisson(10.0, receptor=iz.GapJunction()))
    assert net.synapses == {}
    net.run(5.0)
    net.reset()
    other = net.add(iz.Population(20, dtype="float32"), name="other")
    with pytest.raises(ValueError, match=r"Network.connect.pre must be float32 like the target for GapJunction"):
        net.connect(cells, other, iz.OneToOne(), receptor=iz.GapJunction())


def test_nmda_receptors_of_a_population_share_their_magnesium():
    net, cells = rs_network()
    net.connect(cells, cells, iz.OneToOne(), receptor=iz.NMDA(Mg=1.0))
    with pytest.raises(ValueError, match="NMDA.Mg must be 1 mM like that of the population's other NMDA receptors"):
        net.connect(cells, cells, iz.OneToOne(), receptor=iz.NMDA(Mg=2.0))
    with pytest.raises(ValueError, match="NMDA.Mg must be a finite number > 0"):
        iz.NMDA(Mg=0.0)
    assert len(net.synapses) == 1


@pytest.mark.parametrize(("weight", "message"), [
    (lambda rng: 1.0, r"Network.connect.weight must be a function of \(rng, size\), got one of \(rng\)"),
    (lambda rng, size: np.ones(size + 1), "Network.connect.weight must have shape"),
])  # fmt: skip
def test_functions_for_weights_are_checked(weight, message):
    net, cells = rs_network()
    with pytest.raises((TypeError, ValueError), match=message):
        net.connect(cells, cells, iz.OneToOne(), weight=weight)


def test_the_order_of_synapses_does_not_depend_on_threads():
    orders = []
    for threads in (1, 2, None):
        net = iz.Network(seed=1, threads=threads)
        cells = net.add(iz.Population(2000))
        syn = net.connect(cells[:20], cells, iz.FixedOutDegree(1500), weight=iz.Uniform(0, 1), delay=iz.Uniform(1, 9))
        orders.append((syn.pre, syn.post, syn.delay, syn.weight))
    for order in orders[1:]:
        for one, other in zip(order, orders[0], strict=True):
            np.testing.assert_array_equal(one, other)
