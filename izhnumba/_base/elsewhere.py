"""Names of other simulators, and what does the same here, for the error about a name that does not exist."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import NoReturn

from izhnumba._base.words import did_you_mean

_HERE = {
    **dict.fromkeys(("NeuronGroup", "Create", "Neuron", "IzhikevichNeuron"), "Population(n, **presets['RS'])"),
    **dict.fromkeys(
        ("PoissonGroup", "PoissonSpike", "PoissonEncoder", "SpikeSourcePoisson"), "Network.add(PoissonSource(n, rate))"
    ),
    "PoissonInput": "Poisson(rate, weight) in Network.drive",
    **dict.fromkeys(
        ("SpikeGeneratorGroup", "SpikeTimeGroup", "SpikeSourceArray", "SpikeSourceNp", "SpikeGenerator"),
        "Network.add(SpikeSource(i, t, n=n))",
    ),
    **dict.fromkeys(
        ("Step", "step", "StepCurrent", "step_current", "StepCurrentSource", "section_input", "square"),
        "Pulses(start, stop, amplitude)",
    ),
    **dict.fromkeys(
        ("DC", "DCSource", "ConstantCurrent", "constant_input"), "a number, or Pulses(start, stop, amplitude)"
    ),
    **dict.fromkeys(("ACSource", "Sinus", "sine_input", "sinusoidal_input"), "Sine(amplitude, frequency)"),
    **dict.fromkeys(("NoisyCurrentSource", "GaussianNoise", "WhiteNoise", "wiener_process"), "Noise(std=1.0)"),
    **dict.fromkeys(("ou_process", "OUProcess"), "OrnsteinUhlenbeck"),
    **dict.fromkeys(("restore", "Load", "load_checkpoint"), "load(path)"),
    **dict.fromkeys(("save", "store", "save_checkpoint"), "Network.save(path)"),
    **{
        name: f"analysis.{name}(spikes)"
        for name in ("isi", "cv", "cv2", "lv", "fano_factor", "bursts", "spike_count_correlation", "rate_spectrum")
    },
    **dict.fromkeys(("Connect", "AlignPostProj", "Projection"), "Network.connect"),
    **dict.fromkeys(("SpikeMonitor", "StateMonitor", "PopulationRateMonitor", "Monitor"), "Network.record"),
    **dict.fromkeys(("run", "Simulate", "for_loop"), "Population.run or Network.run"),
    **dict.fromkeys(("NetworkX", "DynSysGroup"), "Network"),
    **dict.fromkeys(("network_operation", "Runner"), "a loop of your own around Network.step"),
    **dict.fromkeys(("defaultclock", "SetKernelStatus"), "Network(dt=0.1, seed=1) or Population(n, dt=0.1, seed=1)"),
    **dict.fromkeys(("ms", "mV", "pA", "nS", "pF", "Hz", "second", "units"), "plain numbers in ms, mV, mV/ms or pA"),
}


def missing(module: str, name: str, known: Iterable[str]) -> NoReturn:
    """Raise the AttributeError of a module without `name`, with the nearest known name or what does the same here."""
    cure = ""
    if name[:1] != "_":  # else Python itself asks
        if name in _HERE:
            cure = f" Here it is {_HERE[name]}."
        elif importlib.util.find_spec(f"{module}.{name}"):
            cure = f" Write import {module}.{name} first."
        else:
            cure = f" {did_you_mean(name, list(known))}".rstrip()
    raise AttributeError(f"module {module!r} has no attribute {name!r}.{cure}")
