"""Whatever a user asks for ends, or can be ended: Ctrl-C, times, events, samples."""

from __future__ import annotations

import gc
import signal
import sys
import threading

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis
from izhnumba._base import checks
from izhnumba._exact.kernels import layout

EXACT = dict(scheme="exact")


@pytest.fixture
def ctrl_c():
    """`ctrl_c(seconds)`: KeyboardInterrupt after so long. A hang is ended by the suite's own patience.

    Nothing is collected meanwhile: Python ignores what is raised in the callback of an object that is collected, an
    interrupt as well.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        pytest.skip("no timer signals")

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    gc.enable()
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


ENDLESS = {
    "unstable u": lambda share: iz.Population(1, a=-1.0, **EXACT).run(share * 1000.0, 10.0),
    "stiff": lambda share: iz.Population(1, **EXACT).run(share * 1000.0, 10.0, g=1e7, E=0.0),
    "long": lambda share: iz.Population(1, **EXACT).step(10.0, dt=share * 4e9),
    "rheobase": lambda share: analysis.rheobase({"a": -0.02}, duration=share * 1000.0),
    "fine samples": lambda share: iz.Population(1, **EXACT).run(share * 0.03, 10.0, record="V", every=1e-9),
    "clock": lambda share: iz.Population(1, threads=1).run(round(share * 1e9) * 1e6),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_ctrl_c_ends_it(name, ctrl_c):
    ENDLESS[name](1e-9)  # compiled
    ctrl_c(0.5)
    with pytest.raises(KeyboardInterrupt):
        ENDLESS[name](1.0)


HOPELESS = {
    "steep wave": lambda pop: pop.run(1000.0, iz.Sine(1e19, 10.0)),
    "far below": lambda pop: pop.run(20.0, -9e18),
    "very stiff": lambda pop: pop.step(10.0, g=1e13, E=0.0, dt=1000.0),
    "strong": lambda pop: pop.step(1e19),
}


@pytest.mark.parametrize("name", HOPELESS)
def test_a_neuron_that_does_not_come_on_is_told(name):
    pop = iz.Population(3, **iz.presets["RS"], **EXACT)
    with pytest.raises(RuntimeError, match=r"neuron \d runs away at t = .* takes ever smaller steps"):
        HOPELESS[name](pop)
    pop.reset()
    assert len(pop.run(50.0, 10.0).spikes) == 6


def test_an_exact_run_that_was_stopped_in_the_midst_of_a_slice_goes_on():
    """Kernels come back after so many steps; what a stop leaves there is the same as without one."""
    from interrupts import interrupted

    def network():
        net = iz.Network(seed=1, **EXACT)
        cells = net.add(iz.Population(4, **iz.presets["FS"]), name="cells")
        net.drive(cells, iz.Poisson(rate=2e4, weight=0.3))
        net.drive(cells, 4.0)
        return net, net.record(cells)

    (whole, expected), (net, spikes) = network(), network()
    whole.run(2000.0)
    at = 500
    while net.t < 2000.0:
        interrupted(lambda: net.run(2000.0 - net.t), at)
        at += 701
    assert len(expected) > 50
    np.testing.assert_array_equal(spikes.t, expected.t)
    np.testing.assert_array_equal(net.populations["cells"].V, whole.populations["cells"].V)


def test_a_stop_while_room_for_events_is_made():
    """At each line of it: what has been made so far is used, or made again."""
    from interrupts import interrupted

    def network():
        net = iz.Network(seed=1, **EXACT)
        cells = net.add(iz.Population(4, **iz.presets["FS"]), name="cells")
        net.connect(cells, cells, iz.AllToAll(), weight=2.0, delay=iz.Uniform(0.5, 30.0))
        net.drive(cells, 12.0)
        spikes = net.record(cells)
        net.run(1.0)
        return net, spikes, net._clock.engines[0].blocks[0]

    (whole, expected, _), (net, spikes, block) = network(), network()
    whole.run(99.0)
    at = stopped = 1
    while stopped:
        stopped = interrupted(lambda: block.reserve(2 * int(block.table[layout.N_CHUNKS]) + 8), at)
        net.run(0.5)
        at += 1
    assert at > 10
    net.run(100.0 - net.t)
    assert len(expected) > 20
    np.testing.assert_array_equal(spikes.t, expected.t)


@pytest.mark.parametrize("after", [0.11, 0.23, 0.31])
def test_time_goes_on_from_where_ctrl_c_came(after, ctrl_c, monkeypatch):
    """A stop in the midst of a slice, which may be long, does not make the next run longer."""
    monkeypatch.setattr("izhnumba._exact.network._PATIENCE", 20.0)  # on a machine that is busy with other things
    pop = iz.Population(60, **iz.presets["FS"], threads=1, **EXACT)
    pop.run(1.0, 15.0)
    ctrl_c(after)
    with pytest.raises(KeyboardInterrupt):
        pop.run(1e6, 15.0)
    t = pop.t
    assert 1.0 <= t < 1e6
    assert pop.result.spikes.t.max(initial=0.0) <= t
    pop.run(0.5, 15.0)
    assert pop.t == pytest.approx(t + 0.5, abs=2e-9)
    twin = iz.Population(60, **iz.presets["FS"], threads=1, **EXACT)
    twin.run(pop.t, 15.0)
    np.testing.assert_array_equal(pop.V, twin.V)


@pytest.mark.parametrize("call", [lambda pop, T: pop.run(T), lambda pop, T: pop.step(dt=T)])
@pytest.mark.parametrize("T", [1e19, 1e300, 1e308, 2.0**33])
def test_times_have_an_end(call, T):
    pop = iz.Population(1, **EXACT)
    with pytest.raises(
        ValueError, match=r"Population\.(run\.T|step\.dt) must be a finite number >= 0 and <= 4294967296"
    ):
        call(pop, T)
    net = iz.Network(**EXACT)
    cells = net.add(iz.Population(1))
    for attempt in (lambda: net.run(T), lambda: net.record(cells, start=T), lambda: net.record(cells, "V", every=T)):
        with pytest.raises(ValueError, match=r"Network\.(run\.T|record\.start|record\.every) must be a finite number"):
            attempt()
    assert (pop.t, net.t) == (0.0, 0.0)


def test_runs_end_before_time_does():
    pop = iz.Population(1, **EXACT)
    pop._engine.clock.now = 2.0**32 - 5.0
    with pytest.raises(ValueError, match=r"Population.run.T must be at most 5 ms from t = 4294967291 ms on, got 6.0"):
        pop.run(6.0)
    clock = iz.Population(1, dt=1.0, scheme="izhikevich2003")
    clock._engine.table[2] = 2**61
    with pytest.raises(ValueError, match=r"Population.run.T must end before step 2\*\*62 of 1 ms, got"):
        clock.run(2.0**61)


@pytest.mark.parametrize("dt", [1e-320, 1e-10, 0.0, -1.0])
def test_time_steps_have_a_least_length(dt):
    for make in (lambda: iz.Population(1, dt=dt), lambda: iz.Network(dt=dt)):
        with pytest.raises(ValueError, match=r"(Population|Network)\.dt must be a finite number >= 1e-09 ms, got"):
            make()


def test_a_run_that_records_nothing_asks_for_no_memory(monkeypatch):
    monkeypatch.setattr(checks, "free_memory", lambda: 2**24)
    pop = iz.Population(1)
    pop.run(1e6)  # 10^7 steps, whose labels alone would be 76 MiB
    assert pop.n_steps == 10**7
    with pytest.raises(ValueError, match=r"Population.run.every must fit in the free memory .* Record fewer neurons"):
        pop.run(1e6, record="V")


def test_many_events_of_one_neuron_in_a_slice():
    """Two trains of 4000 spikes that mix, against the same spikes in one: sorted, and in no more than a moment."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.uniform(0.0, 100.0, 8000))
    first = rng.random(8000) < 0.5

    def V(*trains):
        net = iz.Network(seed=1, **EXACT)
        cells = net.add(iz.Population(2, **iz.presets["RS"]))
        for times in trains:
            train = iz.SpikeTrain(np.zeros(times.size, int), times, weight=0.02, receptor=iz.Exponential(3.0))
            net.drive(cells, train)
        net.run(110.0)
        return cells.V.copy(), cells.u.copy()

    np.testing.assert_array_equal(V(t[first], t[~first]), V(t))


def test_poisson_of_a_rate_of_minus_zero_is_silent():
    net = iz.Network(seed=1, **EXACT)
    cells = net.add(iz.Population(2, **iz.presets["RS"]))
    net.drive(cells, iz.Poisson(rate=-0.0, weight=100.0))
    spikes = net.record(cells)
    net.run(100.0)
    assert len(spikes) == 0
