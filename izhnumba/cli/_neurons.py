"""Which neurons `izhnumba run` simulates: those of a preset or of a model, with parameters of one's own."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._engine.timebase import SHORTEST_STEP
from izhnumba._model.schemes import DEFAULT

MODELS = {
    model.name: model
    for model in (
        iz.Izhikevich,
        iz.IzhikevichRef,
        iz.Izhikevich2007,
        iz.IzhikevichAccommodation,
        iz.IzhikevichCalcium,
        iz.TwoCompartments,
    )
}


@dataclass(frozen=True)
class Neurons:
    """What was asked for.

    name : of the preset, or of the model.
    changed : the parameters that were given.
    options : arguments of `Population` besides its size: model, start and parameters.
    scheme, dt : of the preset, or as given.
    """

    name: str
    changed: list[str]
    options: dict[str, Any]
    scheme: str
    dt: float

    @property
    def title(self) -> str:
        return self.name + f" with its own {', '.join(self.changed)}" * bool(self.changed)

    def peak(self, population: iz.Population) -> float:
        """Height of a spike, mV, in a figure."""
        return float(getattr(population, "vpeak" if "vpeak" in population.model.parameters else "V_th").max())


def add_options(run: argparse.ArgumentParser) -> None:
    which = run.add_mutually_exclusive_group()
    which.add_argument("--preset", metavar="NAME", help="see `izhnumba presets` (default: RS)")
    about = f"in place of a preset the model with its defaults: {', '.join(MODELS)}"
    which.add_argument("--model", metavar="NAME", help=about)
    run.add_argument(
        "--dt",
        type=float,
        metavar="MS",
        help="step, or with --scheme exact time between rows and samples (default: the preset's, or 0.1)",
    )
    schemes = f"{', '.join(iz.schemes)} (default: the preset's, or {DEFAULT})"
    run.add_argument("--scheme", metavar="NAME", help=schemes)
    for model, names in _new_names().items():
        head = "start and parameters" if model is iz.Izhikevich else f"further ones of {model.name}"
        about = "one number for all, or one per neuron: --a 0.02,0.1 or, with a minus first, --c=-65,-50"
        group = run.add_argument_group(head, about if model is iz.Izhikevich else None)
        for name in names:
            kind = _start_of_u if name == "u" else _numbers
            group.add_argument(f"--{name}", dest=name, type=kind, metavar="X", help=_about(name))
            if "_" in name:
                dashed = f"--{name.replace('_', '-')}"
                group.add_argument(dashed, dest=name, type=kind, metavar="X", help=argparse.SUPPRESS)
    group.add_argument("--V_min", "--V-min", type=_numbers, metavar="MV", help="of any model: floor of V, mV")
    group.add_argument(
        "--tau-ref",
        "--tau_ref",
        type=float,
        default=0.0,
        metavar="MS",
        help="of any model: refractory time (default: 0)",
    )


def chosen(arguments: argparse.Namespace) -> Neurons:
    """The neurons of a command line. A ValueError for a parameter that they do not have."""
    base: dict[str, Any]
    if arguments.model is None:
        preset = iz.presets["RS" if arguments.preset is None else arguments.preset]
        name, base, scheme, dt = preset.name, dict(preset), preset.scheme, preset.dt
    else:
        name = checks.one_of("--model", arguments.model, MODELS)
        base, scheme, dt = {"model": MODELS[name]}, DEFAULT, 0.1
    model = base["model"]
    names = [*model.variables, *model.parameters, "V_min"]
    every = [*(one for new in _new_names().values() for one in new), "V_min"]
    given = {one: value for one in every if (value := getattr(arguments, one)) is not None}
    for one in given:
        if one not in names:
            own = f"{'preset' if arguments.model is None else 'model'} {name}"
            raise ValueError(f"--{one} must be left out with --{own}, which has {', '.join(names)}.")
    scheme = scheme if arguments.scheme is None else arguments.scheme
    dt = checks.number("--dt", dt if arguments.dt is None else arguments.dt, "ms", at_least=SHORTEST_STEP)
    return Neurons(name, list(given), base | given | {"tau_ref": arguments.tau_ref}, scheme, dt)


def _new_names() -> dict[iz.Model, list[str]]:
    """States and parameters of each model that those before it do not have."""
    found: dict[iz.Model, list[str]] = {}
    seen = set[str]()
    for model in MODELS.values():
        names = [name for name in {**model.variables, **model.parameters} if name not in seen]
        seen |= set(names)
        if names:
            found[model] = names
    return found


def _about(name: str) -> str:
    """What a state or parameter is, with the units that it has in some model."""
    known = [{**model.variables, **model.parameters} for model in MODELS.values()]
    quantities = [quantity[name] for quantity in known if name in quantity]
    units = " or ".join(dict.fromkeys(one.unit for one in quantities if one.unit))
    start = {"V": ", at the start", "u": ", at the start; or nullcline, where it rests"}.get(name, "")
    return f"{quantities[0].meaning}{', ' * bool(units)}{units}{start}"


def _numbers(text: str) -> float | list[float]:
    """A number, or several separated by commas."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        message = f"must be a number, or one per neuron separated by commas, got {checks.shown(text)}"
        raise argparse.ArgumentTypeError(message) from None
    return values if len(values) > 1 else values[0]


def _start_of_u(text: str) -> str | float | list[float]:
    return text if text == "nullcline" else _numbers(text)
