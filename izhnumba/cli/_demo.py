"""`izhnumba demo`: the network of 1000 neurons of 2003, with a figure."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import izhnumba as iz
from izhnumba._base import checks
from izhnumba.cli import _figures
from izhnumba.cli._files import Subparsers, output


def add(commands: Subparsers) -> argparse.ArgumentParser:
    demo = commands.add_parser("demo", help="the network of 1000 neurons of 2003, with a figure")
    demo.add_argument("--duration", type=float, default=1000.0, metavar="MS", help="model time (default: 1000)")
    demo.add_argument("--seed", type=int, default=2003, help="seed of parameters and noise (default: 2003)")
    demo.add_argument("--plot", default="izhnumba-demo.png", metavar="FILE", help="default: izhnumba-demo.png")
    return demo


def run(arguments: argparse.Namespace) -> None:
    dt = 1.0  # ms, as in net.m, whose noise is a number per neuron and step
    duration = dt * checks.steps("--duration", arguments.duration, dt, at_least=1)
    seed = checks.integer("--seed", arguments.seed, at_least=0)
    if _figures.HAVE_MATPLOTLIB:
        _figures.check_name(arguments.plot)
    started = time.perf_counter()
    net = network_2003(seed, dt)
    built = time.perf_counter()
    with output(arguments.plot if _figures.HAVE_MATPLOTLIB else None) as figure_file:
        net.run(min(duration, 100.0))
        net.reset()
        ready = time.perf_counter()
        net.run(duration)
        seconds = time.perf_counter() - ready
        rates = ", ".join(f"{_rate(net, kind):.1f} Hz {kind}" for kind in ("excitatory", "inhibitory"))
        if figure_file:
            title = f"Network of 2003: 1000 neurons, 1,000,000 synapses\n{rates}"
            _figures.save(net, None, figure_file, title=title)

    print(f"1000 neurons, 1000000 synapses, {duration:g} ms of model time, scheme izhikevich2003, dt {dt:g} ms")
    print(f"rates             {rates}")
    print(f"wall time         {seconds:.4f} s")
    print(
        f"before that       {built - started:.2f} s to build the network, {ready - built:.2f} s to compile or load it"
    )
    print(f"real-time factor  {duration / 1000 / seconds:.0f}")
    print(f"figure            {arguments.plot if figure_file else 'none: ' + _figures.NO_MATPLOTLIB}")


def _rate(net: iz.Network, kind: str) -> float:
    """Mean rate of a kind of neurons, Hz."""
    recorder = net.recorders[kind]
    assert isinstance(recorder, iz.SpikeRecorder)
    return float(recorder.spikes.rates().mean())


def network_2003(seed: int, dt: float) -> iz.Network:
    """net.m of Izhikevich 2003: all to all, random weights, a new random current for each neuron and step."""
    net = iz.Network(dt=dt, scheme="izhikevich2003", seed=seed)
    cells = net.add(iz.Population(1000, **_cells(seed)), name="cells")
    net.connect(cells[:800], cells, iz.AllToAll(), weight=iz.Uniform(0.0, 0.5), receptor=iz.Pulse())
    net.connect(cells[800:], cells, iz.AllToAll(), weight=iz.Uniform(-1.0, 0.0), receptor=iz.Pulse())
    net.drive(cells, iz.Noise(np.where(np.arange(1000) < 800, 5.0, 2.0)))
    net.record(cells[:800], "spikes", name="excitatory")
    net.record(cells[800:], "spikes", name="inhibitory")
    net.record(cells, "V", neurons=[0])
    return net


def _cells(seed: int) -> dict[str, Any]:
    """Parameters of the 800 excitatory (RS to CH) and 200 inhibitory (LTS to FS) cells of net.m, Izhikevich 2003."""
    rng = np.random.default_rng(seed)
    e, i = rng.random(800), rng.random(200)
    a = np.append(0 * e + 0.02, 0.02 + 0.08 * i)
    b = np.append(0 * e + 0.2, 0.25 - 0.05 * i)
    c = np.append(15 * e**2 - 65, 0 * i - 65)
    d = np.append(8 - 6 * e**2, 0 * i + 2)
    return dict(a=a, b=b, c=c, d=d, u="nullcline")
