"""izhnumba: Izhikevich spiking neurons on a CPU, NumPy outside, Numba inside."""

from izhnumba._embedding import kernel
from izhnumba._inputs import Constant, Input, Noise, OrnsteinUhlenbeck, Pulses, Ramp, Sine, TimedArray
from izhnumba._models import Izhikevich, Izhikevich2007, IzhikevichAccommodation, IzhikevichRef, Model, Quantity, where
from izhnumba._population import Population
from izhnumba._presets import Preset, presets
from izhnumba._recorders import Result, Spikes
from izhnumba._schemes import Scheme, schemes

__version__ = "0.1.0"

__all__ = [
    "Constant",
    "Input",
    "Izhikevich",
    "Izhikevich2007",
    "IzhikevichAccommodation",
    "IzhikevichRef",
    "Model",
    "Noise",
    "OrnsteinUhlenbeck",
    "Population",
    "Preset",
    "Pulses",
    "Quantity",
    "Ramp",
    "Result",
    "Scheme",
    "Sine",
    "Spikes",
    "TimedArray",
    "kernel",
    "presets",
    "schemes",
    "where",
]
