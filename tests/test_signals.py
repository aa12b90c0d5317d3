"""Ctrl-C at any time leaves a network that goes on as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SIGNALS = """
import gc, os, random, signal, sys, threading
import numpy as np
import izhnumba as iz

gc.disable()  # Python ignores an interrupt in the callback of an object that is collected

def network():
    net = iz.Network(dt=0.5, seed=1, threads=1)
    cells = net.add(iz.Population(500, **iz.presets["RS"]), name="cells")
    net.connect(cells, cells, iz.FixedOutDegree(50), weight=0.5, delay=iz.Uniform(1.0, 9.0), plasticity=iz.STDP())
    net.drive(cells, iz.OrnsteinUhlenbeck(4.0, 3.0, 20.0))
    return net, cells, net.record(cells)

net, cells, spikes = network()
net.run(1.0)
random.seed(1)
for _ in range(12):
    timer = threading.Timer(random.uniform(0.0, 0.05), os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()  # on a busy machine the signal can come before this returns
        net.run(1e6)
    except KeyboardInterrupt:
        pass
    timer.join()
    assert net.t == cells.t
whole, twin, expected = network()
whole.run(net.t)
assert np.array_equal(cells.V, twin.V) and np.array_equal(spikes.i, expected.i) and len(spikes) > 100
print("same", net.t)
"""


def test_signals_at_any_time_leave_a_network_that_goes_on():
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n{SIGNALS}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240)
    assert done.stdout.startswith("same"), done.stderr
