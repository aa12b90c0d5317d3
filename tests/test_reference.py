"""The reference of the site has every public name once, and what each name shows is a whole docstring."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import izhnumba as iz

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
MODULES = {
    "izhnumba": None, "izhnumba.analysis": None, "izhnumba.io": None, "izhnumba.plot": "matplotlib",
    "izhnumba.jax": "jax", "izhnumba.brainpy": "brainpy",
}  # fmt: skip
SECTIONS = {"Parameters", "Attributes", "Returns", "Raises", "Notes", "References", "Examples", "Warns", "Yields"}


def listed():
    """Names on the pages of the reference, with their modules, in order."""
    names = []
    for page in sorted(REFERENCE.glob("*.rst")):
        module = None
        for line in page.read_text().splitlines():
            if line.startswith(".. currentmodule:: "):
                module = line.split(":: ")[1]
            elif re.fullmatch(r"   \w+", line):
                names.append(f"{module}.{line.strip()}")
    return names


def public(module):
    if MODULES[module] is not None:
        pytest.importorskip(MODULES[module])
    found = importlib.import_module(module)
    functions = [
        name for name, thing in vars(found).items() if inspect.isfunction(thing) and thing.__module__ == module
    ]
    return [f"{module}.{name}" for name in getattr(found, "__all__", functions) if name[0] != "_"]


def value(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize(
    "module", [pytest.param(name, marks=getattr(pytest.mark, need)) if need in ("jax", "brainpy") else name
               for name, need in MODULES.items()]
)  # fmt: skip
def test_every_public_name_is_in_the_reference_once(module):
    shown = [name for name in listed() if name.rpartition(".")[0] == module]
    plain = [name for name in public(module) if isinstance(value(name), (str, tuple, list, dict))]
    assert sorted(shown) == sorted(set(public(module)) - set(plain))
    text = (REFERENCE / "plot.rst").read_text()
    assert [name for name in plain if f"``{name.rpartition('.')[2]}``" not in text] == []


def test_every_page_of_the_reference_is_in_its_index():
    pages = re.findall(r"^(\w+)$", (REFERENCE / "index.md").read_text(), re.M)
    assert sorted(pages) == sorted(page.stem for page in REFERENCE.glob("*.rst"))


@pytest.mark.parametrize("name", [name for name in iz.__all__ if callable(getattr(iz, name))])
def test_docstrings_of_public_things_are_whole(name):
    thing = getattr(iz, name)
    text = inspect.getdoc(thing)
    first = text.split("\n\n")[0]
    assert first.rstrip().endswith((".", ":", "`.")), first
    sections = re.findall(r"^(\w+)\n-+$", text, re.M)
    assert set(sections) <= SECTIONS
    made_elsewhere = re.search(r"\b[Mm]ade by\s+`", text)
    assert ">>> " in text or "See `" in text or made_elsewhere, "no example"
