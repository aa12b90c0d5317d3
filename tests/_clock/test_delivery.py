"""What arrives at a receptor, step by step: the sums of a slow twin, bit for bit, however delivery is organised."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from interrupts import interrupted, moments, passed

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._clock import delivery as clock_delivery
from izhnumba._clock import network as clock_network
from izhnumba._clock.delivery import Delivery, Rows, window_for
from izhnumba._clock.kernels import layout

DT, STEPS, SENDERS, TARGETS = 0.5, 90, 70, 150


class Twin:
    """Sums up what arrives one synapse at a time: in the order of steps, of `connect`, of neurons and of their rows."""

    def __init__(self, dtype):
        self.arrived = np.zeros((2 * STEPS, TARGETS), dtype)
        self.synapses = {}  # name -> (pre, post, steps, weights of now)
        self.later = []  # what plastic synapses deliver, which comes behind all that others do

    def take(self, syn):
        self.synapses[syn.name] = syn.pre, syn.post, np.rint(syn.delay / DT).astype(int), syn._rows.weights.copy()

    def spike(self, step, neurons):
        for name, (pre, post, steps, weights) in self.synapses.items():
            for neuron in neurons:
                for s in np.flatnonzero(pre == neuron):
                    if name == "plastic":
                        self.later.append((step + steps[s], post[s], weights[s]))
                    else:
                        self.arrived[step + steps[s], post[s]] += weights[s]

    def sums(self, n):
        """What has arrived in each of n steps."""
        total = self.arrived.copy()
        for step, post, weight in self.later:
            total[step, post] += weight
        return total[:n]


class Loop:
    """A network whose senders spike by a table, with three kinds of synapses onto one receptor; and its twin."""

    def __init__(self, dtype, threads, plastic=False):
        rng = np.random.default_rng(3)
        self.net = iz.Network(dt=DT, seed=4, threads=threads)
        senders = self.net.add(iz.Population(SENDERS, dtype=dtype), name="senders")
        self.net.add(iz.Population(TARGETS, dtype=dtype), name="targets")
        self.table = rng.random((2 * STEPS, SENDERS)) < 0.1
        when, which = np.nonzero(self.table)
        self.net.drive(senders, iz.SpikeTrain(which, (when + 1) * DT, weight=500.0))
        self.twin, self.sums, self.seen = Twin(dtype), [], (0, 0)
        self.connect("long", iz.FixedProbability(0.3), iz.Uniform(2.0, 30.0))
        self.connect("whole", iz.AllToAll(), 2.0)
        self.connect("short", iz.FixedProbability(0.5), iz.Uniform(2.0, 6.0))
        if plastic:  # its weights stay as they are, and what it delivers comes last in any case
            rule = iz.STDP(A_plus=0.0, A_minus=0.0, w_max=1.0)
            self.connect("plastic", iz.FixedProbability(0.3), iz.Uniform(2.0, 9.0), plasticity=rule)
        self.record()

    def connect(self, name, rule, delay, **options):
        senders, targets = self.net.populations["senders"], self.net.populations["targets"]
        weight = iz.Uniform(0.0, 1.0)
        syn = self.net.connect(
            senders, targets, rule, weight=weight, delay=delay, receptor=iz.Pulse(), name=name, **options
        )
        self.twin.take(syn)

    def record(self):
        self.spikes = self.net.record(self.net.populations["senders"], "spikes", name="spikes")
        self.current = self.net.record(self.net.synapses["whole"], "current", name="current")

    def load(self, folder):
        self.note()
        self.net.save(folder / "state.npz")
        self.net = iz.load(folder / "state.npz")
        self.spikes, self.current = self.net.recorders["spikes"], self.net.recorders["current"]
        self.seen = len(self.spikes), len(self.current.t)

    def note(self):
        """Take what has been recorded, and let the twin send the spikes."""
        step, i = (values[self.seen[0] :] for values in (self.spikes.step, self.spikes.i))
        for k in np.unique(step):
            self.twin.spike(k, i[step == k])
        self.sums += [*self.current.current[self.seen[1] :]]
        self.seen = len(self.spikes), len(self.current.t)

    def agrees(self):
        self.note()
        assert (self.twin.arrived[: len(self.sums)] != 0).mean() > 0.5
        np.testing.assert_array_equal(self.sums, self.twin.sums(len(self.sums)))


def organised(monkeypatch, window, threads=1):
    """Let rings hold a window of so many slices, and so many threads share it; rows of longer ones fit no cache."""
    monkeypatch.setattr(clock_delivery, "_CACHED", -1 if window > 1 else 2**25)
    monkeypatch.setattr(clock_network, "window_for", lambda rows, length, steps, row_bytes: window * length)
    monkeypatch.setattr(clock_network.ClockNetwork, "threads_for", lambda clock, until, stop, wanted: threads)


@pytest.mark.parametrize(
    ("window", "threads", "dtype", "plastic"),
    [
        (0, 1, "float32", False),
        (1, 1, "float32", False),
        (3, 1, "float64", False),
        (2, 2, "float32", False),
        (0, 1, "float32", True),
        (5, 1, "float32", True),
    ],
)
def test_sums_of_arrivals_are_those_of_a_slow_twin(tmp_path, monkeypatch, window, threads, dtype, plastic):
    organised(monkeypatch, window, threads)
    loop, rng = Loop(dtype, threads, plastic), np.random.default_rng(window)
    held = loop.net.synapses["long"].weight
    for change in (None, "write", "set", "load", "write", "remove", "connect", None):
        loop.net.run(int(rng.integers(1, 17)) * DT)
        for _ in range(int(rng.integers(0, 4))):
            loop.net.step()
        if change in ("write", "set", "remove"):
            loop.note()
        if change == "write":  # spikes under way keep the weights that they were sent with
            held *= 0.7
        elif change == "set":
            syn = loop.net.synapses["short"]
            syn.weight = syn.weight[::-1]
        elif change == "load":
            loop.load(tmp_path)
            held = loop.net.synapses["long"].weight
        elif change == "remove":
            loop.net.remove(loop.net.synapses["short"])
            del loop.twin.synapses["short"]
        elif change == "connect":
            loop.note()
            loop.connect("new", iz.FixedProbability(0.4), iz.Uniform(1.5, 20.0))
        for name in ("long", "short"):
            if name in loop.twin.synapses:
                loop.twin.take(loop.net.synapses[name])
    loop.net.run(10.0)
    loop.agrees()


@pytest.mark.parametrize("window", [1, 4])
def test_queues_grow_with_what_is_under_way(monkeypatch, window):
    organised(monkeypatch, window)
    make_room, grown = Delivery.make_room, []
    monkeypatch.setattr(Delivery, "make_room", lambda one, room: make_room(one, room if one.waiting else room // 2))
    monkeypatch.setattr(Delivery, "grow", lambda one, grow=Delivery.grow: (grown.append(one), grow(one)))
    loop = Loop("float32", 1)
    loop.net.run(STEPS * DT)
    loop.agrees()
    assert grown


def test_who_reads_weights_in_another_thread_does_not_disturb_a_run(monkeypatch):
    """What waits is settled by the thread that runs the network."""
    organised(monkeypatch, 2)
    loop = Loop("float32", 1)
    receptor, held = loop.net.synapses["long"]._receptor_state, []

    def until(net):
        before = receptor.delivery.waiting
        one = threading.Thread(target=lambda: held.append(net.synapses["long"].weight))
        one.start()
        one.join()
        assert receptor.delivery.waiting == before > 0
        return True

    loop.net.run(30 * DT, until=until, every=12 * DT)
    loop.net.run(20 * DT)
    assert receptor.delivery.waiting == 0
    loop.agrees()


def test_queues_that_grow_must_fit(monkeypatch):
    delivery = Delivery(np.zeros((8, 64), "float32"), 4, 0)
    delivery.queues[layout.QUEUE_ROOM] = 2**19
    monkeypatch.setattr(checks, "free_memory", lambda: 2**20)
    got = r"\(0.0009766 GiB\), got rows under way, 0.03125 GiB. Use shorter delays"
    with pytest.raises(ValueError, match=f"^Network.connect.delay must fit in the free memory {got}"):
        delivery.grow()
    assert delivery.queues[layout.QUEUE_ROOM] == 2**19


@pytest.mark.parametrize("hold", [None, lambda weights: weights[3:5], memoryview])
def test_weights_are_kept_as_they_were_sent_while_somebody_holds_them(monkeypatch, hold):
    organised(monkeypatch, 2)
    loop = Loop("float32", 1)
    syn = loop.net.synapses["long"]
    waiting = lambda: syn._receptor_state.delivery.waiting  # noqa: E731
    loop.net.run(30 * DT)
    assert waiting()
    assert syn.weight.mean() > 0.4
    assert not waiting()
    held = hold(syn.weight) if hold else None
    loop.net.run(13 * DT)
    assert bool(waiting()) is (hold is None)
    if held is not None:
        loop.note()
        held[1] = 7.0
        loop.twin.take(syn)
        del held
    for _ in range(3):
        loop.net.step()
    loop.net.run(40 * DT)
    assert waiting()
    loop.agrees()


def test_weights_of_synapses_that_are_gone_can_be_read():
    loop = Loop("float32", 1)
    net, syn, receptor = loop.net, loop.net.synapses["long"], loop.net.synapses["long"]._receptor_state
    for part in (*net.recorders.values(), *net.synapses.values(), *net.drives.values()):
        net.remove(part)
    for other in (iz.Delta(), iz.Alpha(3.0)):  # the receptor is dropped when others are connected
        net.run(50.0)
        net.connect(net.populations["senders"], net.populations["targets"], iz.AllToAll(), weight=1.0, receptor=other)
    net.run(1.0)
    assert receptor not in net.populations["targets"]._engine.arrivals.receptors
    syn.weight = syn.weight * 0.5
    assert syn.weight.max() <= 0.5


def test_a_backlog_must_fit(monkeypatch):
    organised(monkeypatch, 1)
    net = iz.Network(dt=DT, threads=1)
    cells = net.add(iz.Population(TARGETS, dtype="float32"))
    syn = net.connect(cells, cells, iz.FixedOutDegree(2), weight=1.0, delay=iz.Uniform(1.0, 20_000.0))
    net.run(DT)
    monkeypatch.setattr(checks, "free_memory", lambda: 2**20)
    got = r"\(0.0009766 GiB\), got spikes under way, 0.0[0-9]+ GiB. Use shorter delays"
    with pytest.raises(ValueError, match=f"^Synapses.weight must fit in the free memory {got}"):
        syn.weight  # noqa: B018
    monkeypatch.undo()
    net.run(DT)
    assert syn.weight.size == 2 * TARGETS


def test_windows_are_interrupted_at_any_line(monkeypatch):
    organised(monkeypatch, 2)
    threads = []
    monkeypatch.setattr(clock_network.ClockNetwork, "threads_for", lambda *_: threads[-1])

    def go_on(loop):
        for n in (1, 2, 1):
            threads.append(n)
            loop.net.run(7 * DT)
            assert loop.net.synapses["short"].weight.size  # spikes under way keep their weights from now on

    def end(loop):
        loop.net.run((40 - loop.net.n_steps) * DT)
        return loop.current.current

    first, loop = Loop("float32", 1), Loop("float32", 1)
    go_on(first)
    expected, lines = end(first), passed(lambda: go_on(loop))
    first.agrees()
    mine = [at for at in moments(lines) if lines[at - 1][0].endswith(("_clock/delivery.py", "_clock/network.py"))]
    assert len(mine) > 50
    for at in mine:
        loop = Loop("float32", 1)
        assert interrupted(lambda loop=loop: go_on(loop), at)
        np.testing.assert_array_equal(end(loop), expected, err_msg=str(lines[at - 1]))


def test_windows_are_as_long_as_pays():
    def window(neurons, degree, longest, slice_length=10):
        under_way = min(1.0, longest * 0.1 / 100.0) * neurons * degree * 8
        rows = Rows(neurons, neurons * degree, slice_length, longest, under_way)
        return window_for(rows, slice_length, longest, neurons * 4)

    assert window(1_000_000, 10, 200) == window(300_000, 30, 200) == 0  # rows too short to come back to
    assert window(100_000, 100, 200) == 10  # rows are fetched ahead, so that no long ring is worth while
    assert 0 < window(10_000, 1000, 200) <= window(10_000, 100, 200) < 200
    assert window(10_000, 100, 200) < window(10_000, 1000, 10_000) < 1000
    assert window(100, 100, 10) == 0  # no longer than a slice
    assert 0 < window(100_000, 1, 20_000) < 1000  # a ring over all delays would take 8 GB
    assert window_for(Rows(0, 0, 1, 1), 64, 1, 256) == 0
