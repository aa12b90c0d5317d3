"""Presets and models by name, as other simulators take them: what to write is said."""

from __future__ import annotations

import pytest

import izhnumba as iz

RS = iz.presets["RS"]
PRESET = 'Write Population(5, **iz.presets["RS"]).'
CASES = {
    "title as a model": (
        lambda: iz.Population(5, "Regular spiking"),
        TypeError,
        f"Did you mean 'RS'? For a preset {PRESET.lower()[:5]}",
    ),
    "misspelt preset as a model": (
        lambda: iz.Population((2, 3), "RSS"),
        TypeError,
        """got 'RSS'. Did you mean 'RS'? For a preset write Population((2, 3), **iz.presets["RS"]).""",
    ),
    "model by name": (
        lambda: iz.Population(5, model="Izhikevich2007"),
        TypeError,
        "got 'Izhikevich2007'. Write model=iz.Izhikevich2007.",
    ),
    "dict as a model": (lambda: iz.Population(5, dict(RS)), TypeError, "Write Population(5, **mapping)."),
    "preset by keyword": (
        lambda: iz.Population(5, preset="RS"),
        TypeError,
        f"Population has no parameter 'preset'. {PRESET}",
    ),
    "preset itself by keyword": (
        lambda: iz.Population(5, preset=RS),
        TypeError,
        f"Population has no parameter 'preset'. {PRESET}",
    ),
    "preset as the size": (
        lambda: iz.Population("RS"),
        TypeError,
        """got 'RS'. Write Population(100, **iz.presets["RS"]).""",
    ),
    "size by another name": (
        lambda: iz.Population(N=100),
        TypeError,
        "no parameter 'N'. Did you mean 'size'? Known: a, b",
    ),
    "preset that is not there": (
        lambda: iz.presets["XS"],
        KeyError,
        "presets.name must be a known name, got 'XS'. Did you mean 'RS' or 'FS'? Known: RS, IB, CH,",
    ),
    "preset by its title": (
        lambda: iz.presets["tonic bursting"],
        KeyError,
        "got 'tonic bursting'. Did you mean '2004/C'?",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_said(case):
    call, kind, message = CASES[case]
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)


def test_every_model_is_known_by_its_name():
    for name, model in vars(iz).items():
        if isinstance(model, iz.Model):
            with pytest.raises(TypeError, match=rf"Write model=iz\.{name}\.$"):
                iz.Population(1, name)
