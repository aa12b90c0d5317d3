"""izhnumba: Izhikevich spiking neurons on a CPU, NumPy outside, Numba inside."""

import typing as _typing

from izhnumba import io as io
from izhnumba._connectivity import (
    AllToAll,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
)
from izhnumba._distance import Distance
from izhnumba._distributions import LogNormal, Normal, Uniform
from izhnumba._drives import Drive
from izhnumba._elsewhere import missing as _missing
from izhnumba._embedding import kernel
from izhnumba._inputs import Constant, Input, Noise, OrnsteinUhlenbeck, Pulses, Ramp, Sine, TimedArray
from izhnumba._loading import load
from izhnumba._models import Izhikevich, Izhikevich2007, IzhikevichAccommodation, IzhikevichRef, Model, Quantity, where
from izhnumba._network import Network
from izhnumba._plasticity import Plasticity
from izhnumba._plasticity_rules import STDP, STDP2006, DopamineSTDP, Scaling, TripletSTDP, TsodyksMarkram
from izhnumba._population import Population
from izhnumba._presets import Preset, presets
from izhnumba._receptors import (
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
    Receptor,
)
from izhnumba._recorders import RateRecorder, Recorder, SpikeRecorder
from izhnumba._results import Result, Samples, Spikes
from izhnumba._samplers import StateRecorder, WeightRecorder
from izhnumba._schemes import Scheme, schemes
from izhnumba._spike_inputs import Poisson, SpikeTrain
from izhnumba._synapses import Synapses

__version__ = "0.1.0"

__all__ = [
    "AMPA",
    "AllToAll",
    "Alpha",
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
    "GABA_A",
    "GABA_B",
    "GapJunction",
    "Input",
    "Izhikevich",
    "Izhikevich2007",
    "IzhikevichAccommodation",
    "IzhikevichRef",
    "LogNormal",
    "Model",
    "NMDA",
    "Network",
    "Noise",
    "Normal",
    "OneToOne",
    "OrnsteinUhlenbeck",
    "Plasticity",
    "Poisson",
    "Population",
    "Preset",
    "Pulse",
    "Pulses",
    "Quantity",
    "Ramp",
    "RateRecorder",
    "Receptor",
    "Recorder",
    "Result",
    "STDP",
    "STDP2006",
    "Samples",
    "Scaling",
    "Scheme",
    "Sine",
    "SpikeRecorder",
    "SpikeTrain",
    "Spikes",
    "StateRecorder",
    "Synapses",
    "TimedArray",
    "TripletSTDP",
    "TsodyksMarkram",
    "Uniform",
    "WeightRecorder",
    "kernel",
    "load",
    "presets",
    "schemes",
    "where",
]

if not _typing.TYPE_CHECKING:  # for which every name would exist

    def __getattr__(name):
        _missing(__name__, name, __all__)
