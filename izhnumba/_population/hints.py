"""What to write for a preset or a model that is given by name, as other simulators take them."""

from __future__ import annotations

from collections.abc import Mapping

from izhnumba._model import izhikevich
from izhnumba._model.model import Model
from izhnumba._population.presets import Preset, presets

_MODELS = {model.name: model for model in vars(izhikevich).values() if isinstance(model, Model)}


def preset(size: object, value: object) -> str:
    """How to make `size` neurons of what `value` means: a preset, its name or title, or the name of a model. "" if it
    means none of these."""
    n = size if isinstance(size, (int, tuple)) else "n"
    if isinstance(value, Preset):
        return f'Write Population({n}, **iz.presets["{value.name}"]).'
    if isinstance(value, Mapping):
        return f"Write Population({n}, **mapping)."
    if not isinstance(value, str):
        return ""
    for name in _MODELS:
        if name.lower() == value.lower():
            return f"Write model=iz.{name}."
    if value in presets:
        return preset(size, presets[value])
    return f'{presets.nearest(value)}For a preset write Population({n}, **iz.presets["RS"]).'
