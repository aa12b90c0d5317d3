"""What users see of izhnumba.jax: names, docstrings, the document, and what an import brings along."""

from __future__ import annotations

import inspect

import pytest
from processes import run

import izhnumba.jax as izj

pytestmark = pytest.mark.jax
FUNCTIONS = [name for name in izj.__all__ if inspect.isfunction(getattr(izj, name))]


def test_public_names():
    public = {name for name, value in vars(izj).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert public == set(izj.__all__)


@pytest.mark.parametrize("name", izj.__all__)
def test_public_things_are_documented(name):
    text = inspect.getdoc(getattr(izj, name))
    assert text
    assert not text.startswith(f"{name}(")


@pytest.mark.parametrize("name", ["run", "init", "recurrent", "fit", "spike_times"])
def test_docstrings_name_all_parameters_and_hold_an_example(name):
    function = getattr(izj, name)
    text = inspect.getdoc(function)
    assert [p for p in inspect.signature(function).parameters if p not in text] == []
    assert ">>> " in text
    assert "Raises\n" in text


def test_import_brings_no_optimizer_and_no_compiler(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys, json, izhnumba.jax\nprint(json.dumps([m.split('.')[0] for m in sys.modules]))")
    assert not {"optax", "brainpy", "brainstate", "matplotlib"} & set(run(script))
