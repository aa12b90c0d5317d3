"""A network that has recorded what pictures show, and no figure left open."""

from __future__ import annotations

import matplotlib as mpl
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

import izhnumba as iz


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def net():
    """Two populations and a source, with recorders of spikes, rates and V."""
    net = iz.Network(seed=1, dt=0.5)
    exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc")
    inh = net.add(iz.Population(20, **iz.presets["FS"]), name="inh")
    poisson = net.add(iz.PoissonSource(3, 20.0), name="poisson")
    net.connect(exc, inh, iz.FixedInDegree(10), weight=iz.Uniform(0.0, 2.0), delay=1.0)
    net.drive(exc + inh, iz.Noise(std=30.0))
    for source in (exc, inh, poisson):
        net.record(source)
    net.record(exc, "V", neurons=[7])
    net.record(inh, "rate", every=5.0)
    net.run(200.0)
    return net
