"""Presets: published parameters by name, together with the step rule, the time step and the input behind them.

A picture in a paper belongs to a model *and* to a way of advancing time: nine of the twenty panels of 2004 have another
number of spikes when the equations are solved accurately (docs/concepts/patterns2004.md). So each preset carries
its scheme.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import Any

from izhnumba._base.documented import columns, documented_by
from izhnumba._base.sealed import NamedTable
from izhnumba._input.currents import Pulses, Ramp
from izhnumba._input.input import Constant, Input
from izhnumba._model.izhikevich import (
    Izhikevich,
    Izhikevich2007,
    IzhikevichAccommodation,
    IzhikevichCalcium,
    TwoCompartments,
)
from izhnumba._model.model import Model


def _about(preset: Preset) -> str:
    """The text of `help(preset)` and of `izhnumba presets NAME`."""
    model, given = preset["model"], [name for name in preset if name != "model"]
    quantities = {**model.variables, **model.parameters}
    shown = {name: quantities[name] for name in [*given, *(name for name in quantities if name not in given)]}
    values = [
        (name, f"{preset.get(name, one.default):g}", one.unit, one.meaning + " (default)" * (name not in given))
        for name, one in shown.items()
    ]
    return (
        f"{preset.name}: {preset.title}\n\n{preset.source}.\n\nModel {model.name}, with\n\n{columns(values)}\n\n"
        f"Stated with the scheme {preset.scheme}, dt {preset.dt:g} ms and, for {preset.duration:g} ms, the input\n\n"
        f"    {preset.stimulus!r}  ({model.I.unit})\n\nIn Python, a hundred of them, and the published run:\n\n"
        f"    preset = izhnumba.presets[{preset.name!r}]\n"
        f"    cells = izhnumba.Population(100, **preset)\n"
        f"    one = izhnumba.Population(1, scheme=preset.scheme, dt=preset.dt, **preset)\n"
        f'    result = one.run(preset.duration, preset.stimulus, record="V")\n'
    )


@documented_by(_about)
@dataclass(frozen=True, eq=False, repr=False)
class Preset(Mapping[str, Any]):
    """The model, start and parameters of a published neuron: a read-only mapping to pass on to a population.

    What defines the neuron are the items, which fit into any population and network. What the published picture needs
    besides are the attributes: `Population(1, **preset)` runs in the scheme and the time step of the population, the
    defaults or those that are given.

    Attributes
    ----------
    name, title : str
        The key in `presets` and what the source calls the neuron or its firing pattern.
    source : str
        Where parameters and input come from.
    scheme, dt : str, float (ms)
        The step rule and time step for which the spike times are stated and tested.
    stimulus : Input
        The published input, in mV/ms (2007 cells: pA).
    duration : float, ms
        Length of the published picture. The program of 2004 takes one sample more, at t = duration.

    Examples
    --------
    >>> import izhnumba as iz
    >>> chattering = iz.presets["CH"]
    >>> chattering["c"], chattering["d"], chattering.scheme, chattering.dt
    (-50.0, 2.0, 'exp_euler', 0.1)
    >>> pop = iz.Population(100, **chattering)
    >>> picture = iz.presets["2004/C"]
    >>> pop = iz.Population(1, scheme=picture.scheme, dt=picture.dt, **picture)
    >>> len(pop.run(picture.duration, picture.stimulus).spikes.t)
    28

    A variant is made with `|`, which gives a dict of the parameters:

    >>> pop = iz.Population(100, **chattering | {"c": -52.0, "V": -70.0})
    """

    name: str
    title: str
    source: str
    scheme: str
    dt: float
    stimulus: Input
    duration: float
    _entries: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __or__(self, other: object) -> dict[str, Any]:
        return dict(self) | dict(other) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: object) -> dict[str, Any]:
        return dict(other) | dict(self) if isinstance(other, Mapping) else NotImplemented

    def __reduce__(self) -> Any:
        return presets.of(self, super().__reduce__)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{key}={value:g}" for key, value in self.items() if key != "model")
        model, scheme = self["model"].name, f"{self.scheme} at dt {self.dt:g} ms"
        return f"<preset {self.name!r} ({self.title}): {model}, {numbers}; {scheme}>"


def _after(start: float, amplitude: float, base: float = 0.0) -> Pulses:
    return Pulses(start, inf, amplitude, base, strict=True)


def _at(starts: list[float], length: float, amplitude: float, base: float = 0.0) -> Pulses:
    return Pulses(starts, [t + length for t in starts], amplitude, base, strict=True)


# --- Simple model of spiking neurons, 2003: figure 2 ------------------------------------------------------------------
# The currents are those of the author's program of the figure; its cells start at V between -70 and -63 mV.
_CORTICAL = (
    # name  title                     a     b     c    d     T    input (mV/ms)
    ("RS",  "regular spiking",        0.02, 0.2,  -65, 8.0,  150, _after(15, 14)),
    ("IB",  "intrinsically bursting", 0.02, 0.2,  -55, 4.0,  150, _after(15, 11)),
    ("CH",  "chattering",             0.02, 0.2,  -50, 2.0,  150, _after(15, 10)),
    ("FS",  "fast spiking",           0.1,  0.2,  -65, 2.0,  150, _after(15, 10)),
    ("TC",  "thalamo-cortical",       0.02, 0.25, -65, 0.05, 150, _after(30, 1.5)),
    ("RZ",  "resonator",              0.1,  0.26, -65, 2.0,  100, _after(10, 1.5, base=-2) + _at([60], 5, 10.5)),
    ("LTS", "low-threshold spiking",  0.02, 0.25, -65, 2.0,  250, _after(25, 10)),
)  # fmt: skip

# --- Which model to use for cortical spiking neurons?, 2004: figure 1 -------------------------------------------------
_INHIBITED = Pulses(0, 50, 5, base=75) + Pulses(250, inf, 5, strict=True)
_PATTERNS = (
    # panel title                           a     b     c    d     V      dt    T    input (mV/ms)
    ("A", "tonic spiking",                0.02,   0.2,  -65, 6.0,  -70.0, 0.25, 100, _after(10, 14)),
    ("B", "phasic spiking",               0.02,   0.25, -65, 6.0,  -64.0, 0.25, 200, _after(20, 0.5)),
    ("C", "tonic bursting",               0.02,   0.2,  -50, 2.0,  -70.0, 0.25, 220, _after(22, 15)),
    ("D", "phasic bursting",              0.02,   0.25, -55, 0.05, -64.0, 0.2,  200, _after(20, 0.6)),
    ("E", "mixed mode",                   0.02,   0.2,  -55, 4.0,  -70.0, 0.25, 160, _after(16, 10)),
    ("F", "spike frequency adaptation",   0.01,   0.2,  -65, 8.0,  -70.0, 0.25, 85,  _after(8.5, 30)),
    ("G", "class 1 excitable",            0.02,  -0.1,  -55, 6.0,  -60.0, 0.25, 300, Ramp(0.075, 30)),
    ("H", "class 2 excitable",            0.2,    0.26, -65, 0.0,  -64.0, 0.25, 300, Ramp(0.015, 30, base=-0.5)),
    ("I", "spike latency",                0.02,   0.2,  -65, 6.0,  -70.0, 0.2,  100, _at([10], 3, 7.04)),
    ("J", "subthreshold oscillations",    0.05,   0.26, -60, 0.0,  -62.0, 0.25, 200, _at([20], 5, 2)),
    ("K", "resonator",                    0.1,    0.26, -60, -1.0, -62.0, 0.25, 400, _at([40, 60, 280, 320], 4, 0.65)),
    ("L", "integrator",                   0.02,  -0.1,  -55, 6.0,  -60.0, 0.25, 100,
     _at([100 / 11, 100 / 11 + 5, 70, 80], 2, 9)),
    ("M", "rebound spike",                0.03,   0.25, -60, 4.0,  -64.0, 0.2,  200, _at([20], 5, -15)),
    ("N", "rebound burst",                0.03,   0.25, -52, 0.0,  -64.0, 0.2,  200, _at([20], 5, -15)),
    ("O", "threshold variability",        0.03,   0.25, -60, 4.0,  -64.0, 0.25, 100,
     _at([10, 80], 5, 1) + _at([70], 5, -6)),
    ("P", "bistability",                  0.1,    0.26, -60, 0.0,  -61.0, 0.25, 300, _at([37.5, 216], 5, 1, base=0.24)),
    ("Q", "depolarizing after-potential", 1.0,    0.2,  -60, -21., -70.0, 0.1,  50,  _at([9], 2, 20)),
    ("R", "accommodation",                0.02,   1.0,  -55, 4.0,  -65.0, 0.5,  400,
     Ramp(1 / 25, 0, 200) + Ramp(4 / 12.5, 300, 312.5)),
    ("S", "inhibition-induced spiking",  -0.02,  -1.0,  -60, 8.0,  -63.8, 0.5,  350, _INHIBITED),
    ("T", "inhibition-induced bursting", -0.026, -1.0,  -45, -2.0, -63.8, 0.5,  350, _INHIBITED),
)  # fmt: skip
_GENTLE = {"k1": 4.1, "k0": 108.0}  # V' = 0.04 V^2 + 4.1 V + 108 - u + I
_UNUSUAL: dict[str, dict[str, Any]] = {
    "G": _GENTLE,
    "L": _GENTLE,
    "R": {"model": IzhikevichAccommodation, "u": -16.0},  # u' = a b (V + 65)
}

# --- Dynamical Systems in Neuroscience, 2007: chapter 8 ---------------------------------------------------------------
_BOOK: tuple[tuple[Any, ...], ...] = (
    # name title                             figure  C    k     vr   vt  vpeak  a    b    c    d   T    I (pA) and rules
    ("RS",  "regular spiking, layer 5 pyramidal", 12, 100, 0.7,  -60, -40, 35, 0.03,  -2, -50, 100, 520, 100, {}),
    ("IB",  "intrinsically bursting, layer 5",    19, 150, 1.2,  -75, -45, 50, 0.01,  5,  -56, 130, 600, 500, {}),
    ("CH",  "chattering, cat visual cortex",      23, 50,  1.5,  -60, -40, 25, 0.03,  1,  -40, 150, 210, 400, {}),
    ("LTS", "low-threshold spiking interneuron",  25, 100, 1.0,  -56, -42, 40, 0.03,  8,  -53, 20,  320, 200,
     {"vpeak_u": -0.1, "c_u": 0.04, "u_max": 670}),
    ("FS",  "fast spiking interneuron, layer 5",  27, 20,  1.0,  -55, -40, 25, 0.2,   0,  -45, 0,   100, 100,
     {"cubic": 0.025, "V_cubic": -55}),
    ("TC",  "thalamocortical relay, cat LGN",     31, 200, 1.6,  -60, -50, 35, 0.01,  0,  -60, 10,  650, 100,
     {"b_low": 15, "V_b": -65, "vpeak_u": 0.1, "c_u": -0.1}),
    ("RTN", "reticular thalamic nucleus, rat",    32, 40,  0.25, -65, -45, 0,  0.015, 2,  -55, 50,  650, 70,
     {"b_low": 10, "V_b": -65}),
)  # fmt: skip


def _cortical(row: tuple[Any, ...]) -> Preset:
    """A row of _CORTICAL, figure 2 of 2003, as a preset."""
    name, title, a, b, c, d, T, stimulus = row
    source = "E. M. Izhikevich, Simple model of spiking neurons, 2003, doi:10.1109/TNN.2003.820440, figure 2"
    numbers = {"V": -65, "u": b * -65, "a": a, "b": b, "c": c, "d": d}
    return Preset(name, title, source, "exp_euler", 0.1, stimulus, float(T), _entries(Izhikevich, numbers))


def _pattern(row: tuple[Any, ...]) -> Preset:
    """A row of _PATTERNS, figure 1 of 2004, as a preset."""
    panel, title, a, b, c, d, V, dt, T, stimulus = row
    source = (
        "E. M. Izhikevich, Which model to use for cortical spiking neurons?, 2004, doi:10.1109/TNN.2004.832719, "
        f"figure 1 {panel}, and its program figure1.m"
    )
    numbers = {"V": V, "u": b * V, "a": a, "b": b, "c": c, "d": d} | _UNUSUAL.get(panel, {})
    model = numbers.pop("model", Izhikevich)
    entries = _entries(model, numbers)
    return Preset(f"2004/{panel}", title, source, "izhikevich2004", dt, stimulus, float(T), entries)


def _book(row: tuple[Any, ...]) -> Preset:
    """A row of _BOOK, chapter 8 of 2007, as a preset."""
    name, title, figure, *parameters, T, current, rules = row
    source = f"E. M. Izhikevich, Dynamical Systems in Neuroscience, MIT Press, 2007, figure 8.{figure}"
    numbers = dict(zip(("C", "k", "vr", "vt", "vpeak", "a", "b", "c", "d"), parameters, strict=True)) | rules
    numbers = {"V": numbers["vr"], "u": 0} | numbers
    entries, stimulus = _entries(Izhikevich2007, numbers), Constant(float(current))
    return Preset(f"2007/{name}", title, source, "euler", 0.25, stimulus, float(T), entries)


def _more_states() -> Iterator[Preset]:
    """Neurons with states beside V and u."""
    resonator = {"V": -65, "u": 0.26 * -65, "ca": 0, "a": 0.1, "b": 0.26, "c": -65, "d": 2}
    yield Preset(
        "RZ/Ca", "resonator with calcium",
        "E. M. Izhikevich 2003, figure 2 (RZ), with the calcium-activated current of Y.-H. Liu and X.-J. Wang 2001, "
        "doi:10.1023/A:1008916026143, whose numbers are chosen for this form", "exp_euler", 0.1, Constant(10.0), 500.0,
        _entries(IzhikevichCalcium, resonator | {"g_ahp": 0.05, "E_K": -80, "r_ca": 0.0125, "influx": 0.2}),
    )  # fmt: skip
    soma = {"C": 100, "k": 3, "vr": -60, "vt": -50, "vpeak": 50, "a": 0.01, "b": 5, "c": -60, "d": 400}
    dendrite = {"G_down": 5, "G_up": 3, "C_dend": 100, "g_leak": 30}
    yield Preset(
        "2008/P23", "pyramidal cell of layer 2/3, soma and passive dendrite",
        "E. M. Izhikevich and G. M. Edelman, Large-scale model of mammalian thalamocortical systems, 2008, "
        "doi:10.1073/pnas.0712231105, supporting text (p2/3); the dendrite is passive here", "exp_euler", 0.1,
        Constant(400.0), 500.0, _entries(TwoCompartments, {"V": -60, "u": 0, "V_dend": -60} | soma | dendrite),
    )  # fmt: skip


def _entries(model: Model, numbers: Mapping[str, float]) -> dict[str, Any]:
    """The items of a preset. numbers: V, u and parameters, in their units."""
    return {"model": model} | {key: float(value) for key, value in numbers.items()}


presets: NamedTable[Preset] = NamedTable(
    "presets",
    __name__,
    chain(map(_cortical, _CORTICAL), map(_pattern, _PATTERNS), map(_book, _BOOK), _more_states()),
    'Published neurons by name, to be passed on: `Population(100, **presets["RS"])`.\n\n'
    'Names without a prefix are the cells of 2003, "2004/A" to "2004/T" the twenty firing patterns of 2004,\n'
    '"2007/..." the cells of the book of 2007; "RZ/Ca" and "2008/P23" have a state beside V and u.\n'
    "`help(presets[name])` shows parameters, source and input.",
    lambda preset: (preset.title, preset["model"].name),
)
