"""izhnumba: Izhikevich spiking neurons on a CPU, NumPy outside, Numba inside."""

import typing as _typing
from importlib import import_module as _import_module

from izhnumba._base.elsewhere import missing as _missing
from izhnumba._input.currents import Pulses, Ramp, Sine, TimedArray
from izhnumba._input.functions import Chirp, Function
from izhnumba._input.input import Constant, Input
from izhnumba._input.noise import Noise, OrnsteinUhlenbeck, UniformNoise
from izhnumba._input.spike_trains import Poisson, SpikeTrain
from izhnumba._model.izhikevich import (
    Izhikevich,
    Izhikevich2007,
    IzhikevichAccommodation,
    IzhikevichCalcium,
    IzhikevichRef,
    TwoCompartments,
)
from izhnumba._model.model import Model
from izhnumba._model.quantity import Quantity
from izhnumba._model.schemes import Scheme, schemes
from izhnumba._model.states import StateVariable
from izhnumba._network.drives import Drive
from izhnumba._network.joined import JoinedDrive, JoinedRecorder, JoinedSynapses
from izhnumba._network.load import load
from izhnumba._network.network import Network
from izhnumba._network.synapses import Synapses
from izhnumba._numba.where import where
from izhnumba._population.assembly import Assembly
from izhnumba._population.kernel import kernel
from izhnumba._population.population import Population
from izhnumba._population.presets import Preset, presets
from izhnumba._population.source import PoissonSource, SpikeSource
from izhnumba._record.recorder import Recorder
from izhnumba._record.reduced import ReductionRecorder
from izhnumba._record.reductions import Histogram, Mean, Sum
from izhnumba._record.results import Result, Samples, Spikes
from izhnumba._record.sampler import Sampler, SampleRecorder, WeightRecorder
from izhnumba._record.samples import StateRecorder
from izhnumba._record.spikes import RateRecorder, SpikeRecorder
from izhnumba._synapse.connectivity import AllToAll, OneToOne
from izhnumba._synapse.distance import Distance
from izhnumba._synapse.distributions import LogNormal, Normal, Uniform
from izhnumba._synapse.kinetics import Kinetic, Saturating, WangNMDA
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.plasticity_rules import STDP, STDP2006, DopamineSTDP, Scaling, TripletSTDP, TsodyksMarkram
from izhnumba._synapse.positions import Box, ByDistance, Grid, Positions
from izhnumba._synapse.random_connectivity import FixedInDegree, FixedOutDegree, FixedProbability, FixedTotalNumber
from izhnumba._synapse.receptor import Mixed, Propagator, Rates, Receptor
from izhnumba._synapse.receptors import (
    AMPA,
    GABA_A,
    GABA_B,
    NMDA,
    Alpha,
    Delta,
    DualExponential,
    Exponential,
    GapJunction,
    Pulse,
)
from izhnumba._synapse.shared import Shared
from izhnumba._synapse.voltage_rules import Clopath

__version__ = "0.1.0"

__all__ = [
    "AMPA",
    "AllToAll",
    "Alpha",
    "Assembly",
    "Box",
    "ByDistance",
    "Chirp",
    "Clopath",
    "Constant",
    "Delta",
    "Distance",
    "DopamineSTDP",
    "Drive",
    "DualExponential",
    "Exponential",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "FixedTotalNumber",
    "Function",
    "GABA_A",
    "GABA_B",
    "GapJunction",
    "Grid",
    "Histogram",
    "Input",
    "Izhikevich",
    "Izhikevich2007",
    "IzhikevichAccommodation",
    "IzhikevichCalcium",
    "IzhikevichRef",
    "JoinedDrive",
    "JoinedRecorder",
    "JoinedSynapses",
    "Kinetic",
    "LogNormal",
    "Mean",
    "Mixed",
    "Model",
    "NMDA",
    "Network",
    "Noise",
    "Normal",
    "OneToOne",
    "OrnsteinUhlenbeck",
    "Plasticity",
    "Poisson",
    "PoissonSource",
    "Population",
    "Positions",
    "Preset",
    "Propagator",
    "Pulse",
    "Pulses",
    "Quantity",
    "Ramp",
    "RateRecorder",
    "Rates",
    "Receptor",
    "Recorder",
    "ReductionRecorder",
    "Result",
    "STDP",
    "STDP2006",
    "SampleRecorder",
    "Sampler",
    "Samples",
    "Saturating",
    "Scaling",
    "Scheme",
    "Shared",
    "Sine",
    "SpikeRecorder",
    "SpikeSource",
    "SpikeTrain",
    "Spikes",
    "StateRecorder",
    "StateVariable",
    "Sum",
    "Synapses",
    "TimedArray",
    "TripletSTDP",
    "TsodyksMarkram",
    "TwoCompartments",
    "Uniform",
    "UniformNoise",
    "WangNMDA",
    "WeightRecorder",
    "kernel",
    "load",
    "presets",
    "schemes",
    "where",
]

_WAITING = ("analysis", "brainpy", "io", "jax", "plot")  # modules that are imported when they are used first

if _typing.TYPE_CHECKING:
    from izhnumba import analysis as analysis
    from izhnumba import brainpy as brainpy
    from izhnumba import io as io
    from izhnumba import jax as jax
    from izhnumba import plot as plot
else:  # for type checkers every name would exist

    def __getattr__(name):
        if name in _WAITING:
            return _import_module(f"{__name__}.{name}")
        return _missing(__name__, name, [*__all__, *_WAITING])

    def __dir__():  # without those that need other packages, which help(izhnumba) would import
        return sorted({*globals(), "analysis", "io", "plot"})
