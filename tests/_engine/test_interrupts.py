"""An interrupt at any line of any call: what goes on afterwards goes on as if there had been none."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from interrupts import interrupted, moments, passed

import izhnumba as iz

END = 16.0
SCHEMES = ["exact", "exp_euler"]


@pytest.fixture(autouse=True)
def free_memory(monkeypatch):
    """To read it from files of the system takes a third of the time that a network needs to be made."""
    monkeypatch.setattr("izhnumba._base.checks.free_memory", lambda: None)


def network(scheme):
    """Every kind of part, small."""
    exact = scheme == "exact"
    net = iz.Network(dt=0.5, seed=1, threads=1, scheme=scheme)
    exc = net.add(iz.Population(8, **iz.presets["RS"], tau_ref=2.0), name="exc")
    inh = net.add(iz.Population(4, **iz.presets["RS"]), name="inh")
    net.connect(exc, inh, iz.FixedOutDegree(3), weight=9.0, delay=iz.Uniform(1.0, 5.0), name="static")
    stdp = iz.STDP(A_plus=0.1, w_max=3.0)
    net.connect(exc, exc, iz.FixedOutDegree(3), weight=1.0, delay=iz.Uniform(1.0, 5.0), plasticity=stdp, name="plastic")
    net.connect(inh, exc, iz.AllToAll(), weight=-1.0, delay=1.0, receptor=iz.Exponential(4.0), name="whole")
    net.drive(exc, iz.TimedArray(np.linspace(8.0, 20.0, 12), dt=2.0) if exact else iz.Noise(std=6.0) + 14.0)
    net.drive(inh, 6.0 if exact else iz.OrnsteinUhlenbeck(6.0, 3.0, 20.0))
    net.drive(inh, iz.Poisson(rate=300.0, weight=4.0))
    net.record(exc, "spikes", name="spikes")
    net.record(exc, ["V", "u"], name="states")
    net.record(exc, iz.Mean("V", groups=[[0, 7], slice(2, 5)]), name="means")
    net.record(inh, "rate", every=5.0, name="rate")
    net.record(net.synapses["whole"], "current", name="current")
    net.run(5.0)
    return net


def small(scheme):
    """As much of it as what is not about synapses needs."""
    net = iz.Network(dt=0.5, seed=1, threads=1, scheme=scheme)
    exc = net.add(iz.Population(8, **iz.presets["RS"]), name="exc")
    net.drive(exc, 14.0)
    net.drive(exc, iz.Poisson(rate=300.0, weight=4.0), name="poisson")
    net.record(exc, "spikes", name="spikes")
    net.record(exc, ["V", "u"], name="states")
    net.record(exc, iz.Mean("V", groups=[[0, 7], slice(2, 5)]), name="means")
    net.run(5.0)
    return net


def outcome(net):
    found = {"t": net.t}
    for name, pop in net.populations.items():
        found |= {f"{name} V": pop.V, f"{name} u": pop.u, f"{name} last": pop.last_spike_time}
    for name, syn in net.synapses.items():
        found |= {f"{name} weight": syn.weight, f"{name} post": syn.post}
    r = net.recorders
    found |= {"i": r["spikes"].i, "spikes": r["spikes"].t, "V": r["states"].V, "samples": r["states"].t}
    found |= {"means": r["means"].values, "means at": r["means"].t}
    if "rate" in r:
        found |= {"rate": r["rate"].rate, "current": r["current"].current}
    return found


def only_once(name):
    """A call that is made again if what it makes is not there."""

    def decorate(make):
        def act(net):
            if not any("new" in parts for parts in (net.populations, net.synapses, net.drives, net.recorders)):
                make(net)

        act.__name__ = name
        return act

    return decorate


def run(net):
    net.run(6.0)


def steps(net):
    net.step()
    net.step()


def run_after_changes(net):
    if net.t < 11.0:
        net.populations["exc"].V[0], net.populations["inh"].a, net.populations["exc"].tau_ref = -50.0, 0.03, 3.0
        net.run(11.0 - net.t)


@only_once("connect")
def connect(net):
    exc, inh, delay = net.populations["exc"], net.populations["inh"], iz.Uniform(1.0, 9.0)
    net.connect(inh, exc, iz.FixedInDegree(2), weight=0.5, delay=delay, receptor=iz.Alpha(3.0), name="new")


@only_once("drive")
def drive(net):
    net.drive(net.populations["exc"], iz.Poisson(rate=80.0, weight=0.5, receptor=iz.Alpha(3.0)), name="new")


@only_once("record")
def record(net):
    net.record(net.populations["exc"], "V", name="new")


@only_once("add")
def add(net):
    net.reset()
    net.add(iz.Population(3, **iz.presets["RS"]), name="new")


def remove(net):
    if "plastic" in net.synapses:
        net.remove(net.synapses["plastic"])
    net.run(END - 1.0 - net.t)


def reset(net):
    net.reset(weights=True)


# What each is called on.
CALLS = {
    run: network, steps: network, run_after_changes: network, connect: network, drive: small, record: small, add: small,
    remove: network, reset: network,
}  # fmt: skip


@functools.cache
def chosen():
    """For each scheme and call, when it is stopped: at each line that none before it passes. And all lines passed."""
    found, known = {}, set()
    for scheme in SCHEMES:
        for call, make in CALLS.items():
            first, net = make(scheme), make(scheme)
            call(first)  # compiled, which takes many times as long where lines are watched
            lines = passed(lambda call=call, net=net: call(net))
            found[scheme, call] = moments(lines, known)
            known |= {*lines}
    return found, known


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_network_goes_on_as_if_nothing_had_happened(scheme, call):
    again, make = call not in (run, steps), CALLS[call]
    first = make(scheme)
    call(first)
    first.run(END - first.t)
    expected = outcome(first)
    assert len(expected["i"]) > 3
    stopped = 0
    for at in chosen()[0][scheme, call]:
        if again:
            net = make(scheme)
        else:  # the one that has been stopped before is as good as new
            net = first
            net.reset(weights=True)
            net.run(5.0)
        if interrupted(lambda net=net: call(net), at):
            stopped += 1
            if again:
                call(net)
        net.run(END - net.t)
        for name, values in outcome(net).items():
            np.testing.assert_array_equal(values, expected[name], err_msg=f"{name}, stopped at {at}")
    assert stopped > 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_population_goes_on(scheme):
    def population():
        pop = iz.Population(6, **iz.presets["RS"], dt=0.5, seed=3, scheme=scheme)
        pop.run(5.0, 12.0)
        return pop

    def run(pop):
        pop.run(10.0, 12.0, record="V")

    def steps(pop):
        for _ in range(3):
            pop.step(12.0, g=0.01, E=-60.0)

    def end(pop):
        pop.run(30.0 - pop.t, 12.0)
        return pop.V, pop.u, pop.last_spike_time

    @functools.cache
    def expected(call, t):
        """Of one that is never stopped: what it has recorded at t, and what it comes to."""
        pop = population()
        if call is run:
            pop.run(t - 5.0, 12.0, record="V")
            return (pop.result.V, pop.result.spikes.t) * (t > 5.0), end(pop)
        while pop.t < t:
            pop.step(12.0, g=0.01, E=-60.0)
        return (), end(pop)

    for call in (run, steps):
        first = population()
        call(population())  # compiled
        lines = passed(lambda call=call, first=first: call(first))
        for at in moments(lines, chosen()[1]):
            pop = population()
            interrupted(lambda pop=pop, call=call: call(pop), at)
            while call is steps and pop.t < 7.0:  # it goes on with what it was about
                pop.step(12.0, g=0.01, E=-60.0)
            recorded, ended = expected(call, pop.t)
            found = (pop.result.V, pop.result.spikes.t) if recorded else ()
            for one, other in zip((*found, *end(pop)), (*recorded, *ended), strict=True):
                np.testing.assert_array_equal(one, other, err_msg=f"stopped at {at}")


def test_samples_in_memory_survive_a_loop_of_interrupted_runs():
    """As a user stops and goes on: nothing that the clock has passed is missing."""
    whole = network("exp_euler")
    whole.run(END - whole.t)
    for start in range(1, 12):
        net, at = network("exp_euler"), 40 * start
        while net.t < END:
            interrupted(lambda net=net: net.run(min(5.0, END - net.t)), at)
            at += 377
        for name, values in outcome(net).items():
            np.testing.assert_array_equal(values, outcome(whole)[name], err_msg=name)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_callbacks_that_raise_stop_a_run_where_it_is(scheme):
    whole = network(scheme)
    whole.run(END - whole.t)

    def fail(*_):
        raise ZeroDivisionError("the user's own")

    for options in (dict(progress=fail), dict(until=fail), dict(until=fail, every=2.0)):
        net = network(scheme)
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            net.run(10.0, **options)
        assert 5.0 < net.t <= 15.0
        assert net.recorders["states"].t[-1] == net.t
        net.run(END - net.t)
        for name, values in outcome(net).items():
            np.testing.assert_array_equal(values, outcome(whole)[name], err_msg=name)
    pop = iz.Population(3, **iz.presets["RS"], scheme=scheme)
    with pytest.raises(ZeroDivisionError):
        pop.run(100.0, 10.0, progress=fail)
    assert 0.0 < pop.t
    assert len(pop.result.spikes) == len(iz.Population(3, **iz.presets["RS"], scheme=scheme).run(pop.t, 10.0).spikes)


FILES_LEFT_OPEN = pytest.mark.filterwarnings(  # by an interrupt between two lines: closed when nobody holds them
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@FILES_LEFT_OPEN
def test_files_of_recorders_have_an_owner_or_are_not_there(tmp_path):
    """A call that was stopped can be made again; rows that a checkpoint has not seen are moved once."""

    def recorded(folder):
        folder.mkdir()
        net = small("exp_euler")
        return net, folder / "V.rec"

    first, whole = recorded(tmp_path / "first")
    lines = passed(lambda: first.record(first.populations["exc"], "V", to=whole, name="new"))
    known = passed(lambda: first.record(first.populations["exc"], "V", name="in memory"))
    for at in moments(lines, {*known}):
        net, path = recorded(tmp_path / f"at{at}")
        if interrupted(lambda net=net, path=path: net.record(net.populations["exc"], "V", to=path, name="new"), at):
            assert ("new" in net.recorders) == path.exists()
        if "new" not in net.recorders:
            net.record(net.populations["exc"], "V", to=path, name="new")
        net.run(2.0)
        assert iz.io.read(path).V.shape == (4, 8)


@FILES_LEFT_OPEN
def test_later_rows_are_moved_once(tmp_path):
    def loaded(folder):
        folder.mkdir()
        net = small("exp_euler")
        net.record(net.populations["exc"], "V", to=folder / "V.rec", name="new")
        net.run(2.0)
        net.save(folder / "state.npz")
        net.run(3.0)
        with pytest.warns(UserWarning, match="goes on from 7 ms, but its file"):
            return iz.load(folder / "state.npz")

    first = loaded(tmp_path / "first")
    lines = passed(lambda: first.run(2.0))
    for at in moments(lines, {*passed(lambda: first.run(2.0))}):
        net = loaded(tmp_path / f"at{at}")
        interrupted(lambda net=net: net.run(2.0), at)
        net.run(12.0 - net.t)
        folder = tmp_path / f"at{at}"
        assert iz.io.read(folder / "V.rec").V.shape == (14, 8)
        assert iz.io.read(folder / "V.rec.1").V.shape == (6, 8)
        assert not (folder / "V.rec.2").exists()


def set_parameter(net):
    net.populations["exc"].a = np.linspace(0.02, 0.1, 8)


def set_drive(net):
    net.drives["poisson"].value = iz.Poisson(rate=200.0, weight=0.5, receptor=iz.Exponential(3.0))


@pytest.mark.parametrize("change", [set_parameter, set_drive], ids=lambda call: call.__name__)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_set_is_the_old_or_the_new(scheme, change, tmp_path):
    """As a whole: shown, in force and in a checkpoint."""

    def after(net):
        net.run(END - net.t)
        return outcome(net)

    old, new, first = small(scheme), small(scheme), small(scheme)
    change(new)
    expected = after(old), after(new)
    seen = set()
    for at in moments(passed(lambda: change(first))):
        net = small(scheme)
        interrupted(lambda net=net: change(net), at)
        is_new = net.populations["exc"].a.ndim > 0 or net.drives["poisson"].value.receptor == iz.Exponential(3.0)
        net.save(tmp_path / "state.npz")
        wanted = expected[is_new]
        for one in (net, iz.load(tmp_path / "state.npz")):
            for name, values in after(one).items():
                np.testing.assert_array_equal(values, wanted[name], err_msg=f"{name}, stopped at {at}")
        seen.add(is_new)
    assert False in seen


@pytest.mark.parametrize(
    "value", [dict(a=np.linspace(0.02, 0.1, 6)), dict(a=0.05), dict(V_min=-66.0), dict(tau_ref=3.0)], ids=str
)
def test_a_parameter_between_steps_is_the_old_or_the_new(value):
    """For the next step, too, which otherwise goes on with what the one before has made ready."""
    ((name, new),) = value.items()

    def population():
        pop = iz.Population(6, **iz.presets["RS"], dt=0.5, seed=3)
        pop.step(12.0)
        return pop

    def after(pop):
        for _ in range(100):
            pop.step(12.0)
        return pop.V.tolist(), pop.u.tolist()

    def change(pop):
        setattr(pop, name, new)

    old, first, other = population(), population(), population()
    change(first)
    expected, seen = {False: after(old), True: after(first)}, set()
    assert expected[False] != expected[True]
    for at in moments(passed(lambda: change(other))):
        pop = population()
        interrupted(lambda pop=pop: change(pop), at)
        is_new = bool(np.all(getattr(pop, name) == new))
        assert after(pop) == expected[is_new], f"stopped at {at}"
        seen.add(is_new)
    assert seen == {False, True}
