"""The structure of the package: imports point downwards, optional packages stay out, files stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import izhnumba as iz

PACKAGE = Path(iz.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
# From the bottom up; a module may import those on lines above its own, or earlier on its line.
LEVELS = [
    "_compile", "_checks", "_kernels.codes",
    "_models", "_schemes",
    "_kernels.lanes", "_kernels.exprel", "_kernels.neuron", "_kernels.philox", "_kernels.raster", "_kernels.advance",
    "_kernels.embedded",
    "_clock_engine",
    "_binding", "_inputs",
    "_feeds", "_recorders",
    "_running",
    "_population", "_embedding", "_presets",
    "plot", "cli",
]  # fmt: skip
OPTIONAL = {"matplotlib", "pandas", "scipy", "jax", "brainpy", "h5py", "neo"}


def name_of(file):
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


def imports(file, *, top_level_only=False):
    """(module, names) of each import statement."""
    tree = ast.parse(file.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, [alias.name for alias in node.names]


def test_every_module_has_a_level():
    modules = {name_of(file) for file in FILES if file.name != "__init__.py"}
    assert modules == set(LEVELS)


@pytest.mark.parametrize("name", LEVELS)
def test_imports_point_downwards(name):
    file = PACKAGE.joinpath(*name.split(".")).with_suffix(".py")
    tree = ast.parse(file.read_text())
    only_for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in only_for_types or "izhnumba" not in (node.module or ""):
            continue
        below = node.module.removeprefix("izhnumba").removeprefix(".")
        for target in [below] if below in LEVELS else [f"{below}.{alias.name}".strip(".") for alias in node.names]:
            if target in LEVELS:
                assert LEVELS.index(target) < LEVELS.index(name), f"{name} imports {target}"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_only_the_edges_know_optional_packages(file):
    for module, _ in imports(file, top_level_only=True):
        assert (module or "").split(".")[0] not in OPTIONAL


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_numba_is_imported_in_kernels_or_late(file):
    if file.parent.name != "_kernels":
        assert "numba" not in {(module or "").split(".")[0] for module, _ in imports(file, top_level_only=True)}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_only_the_compile_policy_compiles(file):
    if file.name != "_compile.py":
        assert "njit" not in {
            node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)
        }
        assert not any({"njit", "jit"} & set(names) for _, names in imports(file))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_files_stay_short(file):
    assert len(file.read_text().splitlines()) <= 450


def test_import_loads_numpy_and_our_code_only():
    absent = ["numba", "llvmlite", *sorted(OPTIONAL)]
    code = f"import sys, izhnumba; print([name for name in {absent} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_public_names_are_sorted_and_documented():
    assert iz.__all__ == sorted(iz.__all__)
    public = {name for name in vars(iz) if not name.startswith("_")}
    modules = {name for name in public if type(getattr(iz, name)).__name__ == "module"}
    assert public - modules == set(iz.__all__)
    assert modules <= {"plot", "cli"}
    assert all(getattr(iz, name).__doc__ for name in iz.__all__ if callable(getattr(iz, name)))
