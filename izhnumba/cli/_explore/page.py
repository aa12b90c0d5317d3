"""The page of `izhnumba explore`: one HTML file with all it needs, made of the sources in this folder and of the
presets and schemes of the package, so that it cannot be out of step with them."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

import izhnumba as iz

MODELS = (iz.Izhikevich, iz.IzhikevichAccommodation, iz.Izhikevich2007)
# Each may use what stands in those before it.
SCRIPTS = (
    "model", "stimulus", "exact", "plane", "network", "state", "code", "draw", "traces", "phase", "pictures",
    "fields", "controls", "words", "later", "main",
)  # fmt: skip
MARK = '<meta name="generator" content="izhnumba explore">'


def write(path: Path | str, site: str = "") -> Path:
    """Write the page to a file, and return its path. site: the address of the documentation, for a link to it."""
    path = Path(path)
    path.write_text(page(site), encoding="utf-8")
    return path


def page(site: str = "") -> str:
    """The page as HTML."""
    folder = files(__package__)
    data = json.dumps(_data(), separators=(",", ":")).replace("</", "<\\/")  # Infinity is a number in a script
    script = "\n".join(['"use strict";', f"const DATA = {data};", *(_read(folder, f"{name}.js") for name in SCRIPTS)])
    link = f'<a href="{site}" target="_top">Documentation</a>' if site else ""
    parts = {"generator": MARK, "style": _read(folder, "style.css"), "script": script, "site": link}
    return re.sub(r"<!-- (\w+) -->", lambda found: parts[found[1]], _read(folder, "index.html"))


def _read(folder: Any, name: str) -> str:
    text: str = folder.joinpath(name).read_text(encoding="utf-8")
    return text.strip()


def _data() -> dict[str, Any]:
    """What the page knows of the package, as numbers, words, lists and dicts."""
    return {
        "version": iz.__version__,
        "models": {
            model.name: {
                "I": model.I.unit,
                "u": model.u.unit,
                "parameters": {
                    name: {"unit": one.unit, "text": one.meaning, "above": one.above, "default": one.default}
                    for name, one in model.parameters.items()
                },
            }
            for model in MODELS
        },
        "schemes": {
            name: {
                "source": scheme.source,
                "dt_max": scheme.dt_max,
                "reset_first": scheme.reset_first,
                "strict_test": scheme.strict_test,
                "horner": scheme.horner,
            }
            for name, scheme in iz.schemes.items()
            if not scheme.exact
        },
        "presets": {name: _preset(preset) for name, preset in iz.presets.items() if preset["model"] in MODELS},
    }


def _preset(preset: iz.Preset) -> dict[str, Any]:
    model = preset["model"]
    defaults = {name: one.default for name, one in model.parameters.items()}
    given = {name: value for name, value in preset.items() if name != "model"}
    V, u = given.pop("V"), given.pop("u")
    return {
        "title": preset.title,
        "source": preset.source,
        "model": model.name,
        "scheme": preset.scheme,
        "dt": preset.dt,
        "T": preset.duration,
        "V": V,
        "u": u,
        "p": defaults | given,
        "stimulus": _stimulus(preset.stimulus),
    }


def _stimulus(given: iz.Input) -> dict[str, Any]:
    """A base and pieces (stimulus.js) that add up to the input in the same order."""
    base, pieces = 0.0, list[dict[str, Any]]()
    for part in getattr(given, "parts", (given,)):
        if isinstance(part, iz.Constant):
            base += float(part.value)
            continue
        assert isinstance(part, iz.Pulses | iz.Ramp)
        base += float(part.base)
        if isinstance(part, iz.Ramp):
            pieces.append(_piece("ramp", part.start, part.stop, part.slope, part.strict))
        else:
            rows = np.broadcast(part.start, part.stop, part.amplitude)
            pieces += [_piece("pulse", start, stop, size, part.strict) for start, stop, size in rows]
    return {"base": base, "pieces": pieces}


def _piece(kind: str, start: float, stop: float, size: float, strict: bool) -> dict[str, Any]:
    return {"kind": kind, "start": float(start), "stop": float(stop), "size": float(size), "strict": strict}
