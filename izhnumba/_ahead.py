"""Runs small populations and networks of every usual kind, so that their kernels are compiled: the process in which
`izhnumba compile` does so (`python -m izhnumba._ahead`), with NUMBA_CACHE_DIR for them to be kept in."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

import izhnumba as iz
from izhnumba._numba import built
from izhnumba._numba.threads import n_processors

RS: Mapping[str, Any] = iz.presets["RS"]


def main() -> None:
    """Compile all, and take nothing from what was built before."""
    built.folder = None
    warnings.simplefilter("ignore")  # of time steps and weights, which do not matter here
    for dtype in ("float32", "float64"):
        _populations(dtype)
        _networks(dtype)
    _exact()
    _parallel()


def _populations(dtype: str) -> None:
    """All presets and schemes, with the inputs, and parameters that differ between neurons, that are most common."""
    for preset in iz.presets.values():
        iz.Population(2, dtype=dtype, **preset).run(1.0, I=1.0)
    for scheme in iz.schemes:
        if scheme != "exact":
            iz.Population(2, dtype=dtype, scheme=scheme).run(1.0, I=1.0)
    pop = iz.Population(2, dtype=dtype, **RS)
    pop.run(1.0, I=1.0, delta=1.0)
    pop.run(1.0, I=1.0, g=0.1, E=0.0)
    pop.step([1, 2])
    iz.Population(2, dtype=dtype, tau_ref=2.0, **RS).run(100.0, I=20.0)
    iz.Population(2, dtype=dtype, c=[-65.0, -60.0], d=[8.0, 6.0]).run(1.0, I=1.0, record="V")


def _networks(dtype: str) -> None:
    """The networks of 2003 and 2006, and one of every receptor, with sparse static and plastic synapses."""
    for plasticity in (None, iz.STDP2006()):
        net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=1)
        many, one = np.array([0.02, 0.1]), np.array([8.0, 2.0])
        varied: dict[str, Any] = dict(b=0.2) if plasticity else dict(b=many, c=-65.0 + one)
        cells = net.add(iz.Population(2, dtype=dtype, a=many, d=one, u=-13.0, **varied))
        pairs: object = iz.AllToAll() if plasticity is None else ([0, 1], [1, 0])
        net.connect(cells, cells, pairs, weight=1.0, receptor=iz.Pulse(), plasticity=plasticity)
        net.drive(cells, iz.Noise(5.0) if plasticity is None else iz.SpikeTrain([0], [1.0], 20.0, receptor=iz.Pulse()))
        net.record(cells, "spikes")
        net.run(100.0)
    receptors = (
        [iz.Delta()], [iz.Exponential(2.0)], [iz.AMPA(), iz.GABA_A()], [iz.AMPA(), iz.NMDA()], [iz.GapJunction()],
    )  # fmt: skip
    for kinds in receptors:
        net = iz.Network(seed=1)
        cells = net.add(iz.Population(10, dtype=dtype, **RS))
        for receptor in kinds:
            net.connect(cells, cells, iz.FixedOutDegree(2), weight=0.1, receptor=receptor)
        net.drive(cells, 10.0)
        net.record(cells, "spikes")
        net.run(50.0)
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(10, dtype=dtype, **RS))
    net.connect(cells, cells, iz.FixedOutDegree(2), weight=0.1, plasticity=iz.STDP(w_max=1.0))
    net.drive(cells, iz.OrnsteinUhlenbeck(1.0, 1.0, tau=5.0))
    net.drive(cells, iz.Poisson(100.0, 1.0))
    source = net.add(iz.PoissonSource(10, 100.0))
    net.connect(source, cells, iz.OneToOne())
    net.record(source, "spikes")
    net.run(20.0)


def _exact() -> None:
    """Populations and networks without steps."""
    pop = iz.Population(2, scheme="exact", **RS)
    pop.run(20.0, I=10.0, record="V")
    pop.step(1.0)
    for receptor in (iz.Delta(), iz.Exponential(2.0), iz.AMPA()):
        net = iz.Network(scheme="exact", seed=1)
        cells = net.add(iz.Population(10, **RS))
        net.connect(cells, cells, iz.FixedOutDegree(2), weight=0.1, delay=1.0, receptor=receptor)
        net.connect(net.add(iz.PoissonSource(10, 100.0)), cells, iz.OneToOne(), receptor=receptor)
        net.drive(cells, 10.0)
        net.record(cells, "spikes")
        net.run(20.0)


def _parallel() -> None:
    """Kernels that share work among threads."""
    if n_processors() < 2:
        return
    for dtype in ("float32", "float64"):
        iz.Population(5000, dtype=dtype, threads=2, **RS).run(10.0, I=1.0)
    net = iz.Network(seed=1, threads=2)
    cells = net.add(iz.Population(5000, **RS))
    net.connect(cells, cells, iz.FixedOutDegree(10), weight=0.1, delay=1.0)
    net.drive(cells, 10.0)
    net.run(20.0)


if __name__ == "__main__":
    main()
