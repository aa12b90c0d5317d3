"""What the exact scheme records, and Ctrl-C in the midst of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from exact_cells import different, population

import izhnumba as iz
from izhnumba import io

RELAY = dict(a=0.5, b=0.2, c=-70.0, d=0.0, V=-70.0, u=-14.0)
TIMES = [0.0, 0.1, 0.3, 1.0, 1.05, 2.5, 2.500001, 7.25]


def network(times=TIMES, n=2):
    """Cells the first of which spikes at these times."""
    net = iz.Network(scheme="exact", seed=1)
    pop = net.add(iz.Population(n, **RELAY), name="cells")
    net.drive(pop, iz.SpikeTrain([0] * len(times), times, weight=400.0))
    return net, pop


def test_spikes_have_times_and_no_steps():
    res = population(different(5)).run(40.0, 12.0, record=["V", "u"], every=0.7)
    assert res.spikes.step is None
    assert res.spikes.t.dtype == np.float64
    frame = res.spikes.to_dataframe()
    assert list(frame.columns) == ["i", "t", "batch"]
    np.testing.assert_array_equal(frame["t"], res.spikes.t)
    states = res.to_dataframe()
    assert len(states) == 57 * 5
    np.testing.assert_array_equal(states["V"], res.V.ravel())
    np.testing.assert_array_equal(res.t, np.round(0.7 * np.arange(1, 58), 9))


def test_samples_do_not_depend_on_pieces():
    cells, recorded = different(9, seed=5), []
    for ends in ([40.0], [0.3, 0.7, 11.1, 14.0, 40.0]):
        net = iz.Network(scheme="exact", seed=1)
        pop = net.add(population(cells))
        net.drive(pop, cells["I"])
        net.connect(pop, pop, iz.AllToAll(), weight=0.1, delay=1.3, receptor=iz.Exponential(3.0))
        states = net.record(pop[2:7], ["V", "u"], every=0.7)
        for end in ends:
            net.run(end - net.t)
        recorded.append((states.t.tobytes(), states.V.tobytes(), states.u.tobytes()))
        assert states.V.shape == (57, 5)
    assert recorded[0] == recorded[1]


@pytest.mark.parametrize("pieces", [[8.0], [0.1, 0.1, 0.75, 7.05]])
def test_rates(pieces):
    """Bin j ends with sample j + 1, which belongs to it; a spike at the very start is in the first."""
    net, pop = network()
    rates = {every: net.record(pop, "rate", every=every) for every in (0.1, 0.5, 1.0)}
    assert [r.rate.tolist() for r in rates.values()] == [[]] * 3
    for T in pieces:
        net.run(T)
    for every, recorder in rates.items():
        bins = np.maximum(np.ceil(np.array(TIMES) / every - 1e-9).astype(int) - 1, 0)
        expected = np.bincount(bins, minlength=round(8.0 / every)) / (2 * every * 1e-3)
        np.testing.assert_allclose(recorder.t, every * np.arange(1, len(expected) + 1))
        if every == 0.5:
            expected[[4, 5]] = 1 / (2 * 0.5e-3)  # 2.5 is the end of a bin, 2.500001 is in the next one
        np.testing.assert_allclose(recorder.rate, expected)


def test_windows():
    """Later than start and no later than stop."""
    net, pop = network()
    spikes = net.record(pop, "spikes", start=0.1, stop=2.5)
    rate = net.record(pop, "rate", every=0.5, start=0.5, stop=3.0)
    V = net.record(pop, "V", every=0.25, start=0.5, stop=1.5)
    for T in (0.2, 0.9, 6.9):
        net.run(T)
    assert spikes.t.tolist() == [0.3, 1.0, 1.05, 2.5]
    assert rate.t.tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]
    assert rate.rate.tolist() == [1000.0, 1000.0, 0.0, 1000.0, 1000.0]
    assert V.t.tolist() == [0.75, 1.0, 1.25, 1.5]
    spikes.stop = np.inf
    net.drive(pop, iz.SpikeTrain([1], [9.0], 400.0))
    net.run(2.0)
    assert spikes.t.tolist() == [0.3, 1.0, 1.05, 2.5, 9.0]


def test_files(tmp_path):
    """What is written while it runs is what memory holds, also over pieces and a checkpoint."""
    net, pop = network()
    kept = {"spikes": net.record(pop, "spikes"), "states": net.record(pop, ["V", "u"], every=0.3)}
    net.record(pop, "spikes", to=tmp_path / "spikes.rec", name="written spikes")
    net.record(pop, ["V", "u"], every=0.3, to=tmp_path / "states.rec", name="written states")
    net.run(2.25)
    net.save(tmp_path / "net.npz")
    net.run(6.0)
    spikes, states = io.read(tmp_path / "spikes.rec"), io.read(tmp_path / "states.rec")
    assert spikes.step is None
    assert spikes.t.tobytes() == kept["spikes"].t.tobytes()
    assert spikes.t.tolist() == TIMES
    assert spikes.i.tolist() == kept["spikes"].i.tolist()
    for name in ("t", "V", "u"):
        assert getattr(states, name).tobytes() == getattr(kept["states"], name).tobytes()
    with pytest.warns(UserWarning, match=r"load: recorder 'written \w+' goes on from 2.25 ms, but its file"):
        loaded = iz.load(tmp_path / "net.npz")
    loaded.run(6.0)
    assert io.read(tmp_path / "spikes.rec").t.tolist() == TIMES
    assert io.read(tmp_path / "states.rec").V.tobytes() == states.V.tobytes()


def test_until():
    """Asked every so often, in continuous time."""
    net, pop = network([3.3])
    net.run(50.0, until=lambda net: pop.last_spike_time[0] > 0, every=0.7)
    assert net.t == 3.5
    asked = []
    net.run(3.0, until=lambda net: asked.append(net.t), every=0.7)
    np.testing.assert_allclose(asked, [4.2, 4.9, 5.6, 6.3])
    assert net.t == 6.5


def test_progress():
    net, _ = network()
    calls = []
    net.run(20.0, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (20.0, 20.0)


SIGNALS = """
import gc, os, random, signal, sys, threading
import numpy as np
import izhnumba as iz

gc.disable()  # Python ignores an interrupt in the callback of an object that is collected

def network():
    net = iz.Network(scheme="exact", seed=1, threads=int(sys.argv[1]))
    rng = np.random.default_rng(1)
    cells = net.add(iz.Population(1000, **iz.presets["RS"]), name="cells")
    net.connect(cells, cells, iz.FixedOutDegree(30), weight=0.5, delay=iz.Uniform(1.0, 9.0), plasticity=iz.STDP())
    net.connect(cells, cells, iz.FixedOutDegree(5), weight=0.1, delay=iz.Uniform(1.0, 9.0), receptor=iz.Alpha(3.0))
    net.drive(cells, iz.Sine(3.0, 8.0, offset=5.0))
    net.drive(cells, iz.Poisson(20.0, weight=4.0))
    return net, cells, net.record(cells), net.record(cells[:3], "V", every=0.9)

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this may ignore it
net, cells, spikes, V = network()
net.run(1.0)
random.seed(1)
for _ in range(12):
    timer = threading.Timer(random.uniform(0.0, 0.1), os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()  # on a busy machine the signal can come before this returns
        net.run(1e6)
    except KeyboardInterrupt:
        pass
    timer.join()
    assert net.t == cells.t
net.run(3.0)
whole, twin, expected, samples = network()
whole.run(net.t)
assert whole.t == net.t and spikes.i.tolist() == expected.i.tolist() and spikes.t.tobytes() == expected.t.tobytes()
assert cells.V.tobytes() == twin.V.tobytes() and V.V.tobytes() == samples.V.tobytes() and len(spikes) > 1000
for one, other in zip(net.synapses.values(), whole.synapses.values()):
    assert one.weight.tobytes() == other.weight.tobytes()
print("same", net.t)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_signals_at_any_time_leave_a_network_that_goes_on(threads):
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n{SIGNALS}"
    command = [sys.executable, "-c", script, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.stdout.startswith("same"), done.stderr
