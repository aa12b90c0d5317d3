"""Modules of the package that are imported when they are used first: `iz.plot` without `import izhnumba.plot`."""

from __future__ import annotations

import pytest
from processes import run, write

import izhnumba as iz

FIRST = """
import inspect, json, sys
import izhnumba as iz
def loaded(*names):
    return [name for name in names if name in sys.modules]
"""


def test_a_module_comes_when_it_is_used(tmp_path):
    script = write(tmp_path / "script.py", FIRST, """
        before = loaded("izhnumba.plot", "izhnumba.analysis", "izhnumba.io", "izhnumba.jax", "izhnumba.brainpy")
        name = iz.plot.raster.__name__
        iz.analysis, iz.io
        print(json.dumps([before, name, loaded("izhnumba.plot", "izhnumba.analysis", "izhnumba.io")]))
    """)  # fmt: skip
    before, raster, after = run(script)
    assert before == []
    assert raster == "raster"
    assert after == ["izhnumba.plot", "izhnumba.analysis", "izhnumba.io"]


def test_help_and_completion_import_no_other_package(tmp_path):
    script = write(tmp_path / "script.py", FIRST, """
        names = dir(iz)
        inspect.getmembers(iz)  # as help(iz) does
        print(json.dumps([names, loaded("jax", "matplotlib", "numba", "scipy")]))
    """)  # fmt: skip
    names, others = run(script)
    assert {*iz.__all__, "analysis", "io", "plot", "__version__"} <= set(names)
    assert others == []


@pytest.mark.parametrize("name", ["jax", "brainpy"])
def test_what_needs_another_package_says_so(tmp_path, name):
    script = write(tmp_path / "script.py", FIRST, f"""
        sys.modules["jax"] = sys.modules["brainpy"] = None  # as if they were not installed
        try:
            iz.{name}
        except ImportError as error:
            print(json.dumps(str(error)))
    """)  # fmt: skip
    said = run(script)
    assert said.startswith(f"izhnumba.{name} needs ")
    assert said.endswith(f'in the folder of the project, with: pip install ".[{name}]"')


def test_a_misspelt_module():
    with pytest.raises(AttributeError, match="has no attribute 'analisys'. Did you mean 'analysis'?"):
        _ = iz.analisys
