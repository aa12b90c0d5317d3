"""The shape of the package: imports point downwards, Numba stays below, public names are few and documented.

Run as a script it counts rooms, floors and arrows.
"""

from __future__ import annotations

import ast
import graphlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import izhnumba as iz

PACKAGE = Path(iz.__file__).parent

# The rooms, floor by floor: files of a room import each other and what lies on floors below.
FLOORS = [
    "_base _numba",
    "_model _synapse",
    "_engine",
    "_record",
    "_input",
    "_clock _exact",
    "_checkpoint",
    "_population",
    "_network analysis jax io",
    "plot brainpy",
    "__init__",
    "cli _ahead",
    "__main__",
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
OPTIONAL = {"matplotlib", "pandas", "scipy", "jax", "numba", "llvmlite", "optax", "tqdm"}
BRAINPY = {"brainpy", "brainstate", "braintools", "brainunit"}
COMPILERS = {"njit", "jit", "cfunc", "vectorize", "guvectorize", "stencil", "jitclass"}


def module_name(file):
    name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


FILES = {module_name(file): file for file in PACKAGE.rglob("*.py")}
TREES = {name: ast.parse(file.read_text()) for name, file in FILES.items()}


def imports(nodes):
    """The full names of all that is imported by some of these nodes."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(tree):
    """The statements that run when the file is imported."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not isinstance(node, (ast.FunctionDef, ast.Lambda)) and not for_types:
            yield node
            waiting += ast.iter_child_nodes(node)


def arrows():
    """Who imports whom, as pairs of modules: also inside functions and for types alone."""
    yield from arrows_by(ast.walk)


def arrows_by(walk):
    """Who imports whom by those nodes of each file that `walk` chooses."""
    for name, tree in TREES.items():
        for imported in imports(walk(tree)):
            package, _, rest = imported.partition(".")
            if package == "izhnumba":
                found = [module for module in FILES if rest == module or rest.startswith(module + ".")]
                yield name, max(found, key=len, default="__init__")


def that_run(tree):
    """All nodes but those for types alone."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            waiting += ast.iter_child_nodes(node)


def room(module):
    return module.partition(".")[0]


ARROWS = set(arrows())
ROOMS = {(room(one), room(other)) for one, other in ARROWS if room(one) != room(other)}
UPWARD = {pair for pair in ROOMS if FLOOR[pair[0]] <= FLOOR[pair[1]]}


def test_rooms_import_only_what_lies_below():
    assert set(FLOOR) == {room(name) for name in FILES}
    assert UPWARD == set()
    assert len(ROOMS) <= 105


def test_engines_do_not_know_each_other():
    assert not {("_clock", "_exact"), ("_exact", "_clock")} & ROOMS


def test_no_file_imports_itself_by_way_of_others():
    arrows = set(arrows_by(that_run))
    graph = {name: {other for one, other in arrows if one == name} - {name} for name in FILES}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError


@pytest.mark.parametrize("name", FILES)
def test_other_packages_wait_until_they_are_needed(name):
    first = {imported.partition(".")[0] for imported in imports(at_import(TREES[name]))}
    edge = "kernels" if "kernels." in name or name == "_model.compiled" else room(name)  # which kernels alone import
    compiler = set() if name == "_numba.compile" else {"numba", "llvmlite"}
    allowed = {"kernels": compiler, "_numba": compiler, "jax": {"jax"}, "brainpy": {"jax"} | BRAINPY}.get(edge, set())
    assert (OPTIONAL | BRAINPY) & first <= allowed
    everywhere = {imported.partition(".")[0] for imported in imports(ast.walk(TREES[name]))}
    if edge not in ("kernels", "_numba", "cli"):  # the command line prints versions
        assert not everywhere & {"numba", "llvmlite"}
    assert everywhere <= OPTIONAL | allowed | {"numpy", "izhnumba"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"_numba.compile"}))
def test_only_one_file_decides_how_to_compile(name):
    nodes = list(ast.walk(TREES[name]))
    names = {imported.rpartition(".")[2] for imported in imports(nodes)}
    names |= {ast.unparse(node).removeprefix("numba.") for node in nodes if isinstance(node, (ast.Name, ast.Attribute))}
    assert not names & COMPILERS


def test_import_loads_only_what_it_needs(tmp_path):
    from processes import run

    script = tmp_path / "script.py"
    script.write_text("import sys, json, izhnumba\nprint(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))")
    assert not OPTIONAL & set(run(script))


def test_public_names():
    public = {name for name, value in vars(iz).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert set(iz.__all__) == public
    assert iz.__all__ == sorted(iz.__all__)
    modules = {name for name in FILES if not re.search(r"(^|[.])_", name)}
    assert modules == {"analysis", "brainpy", "cli", "io", "jax", "plot"}


ORDINARY = re.compile(r"(?!presets|schemes)\w+|\w+\.[a-zA-Z]\w*")


def documented_things():
    from izhnumba import analysis, plot

    things = {name: getattr(iz, name) for name in iz.__all__}
    things |= {f"analysis.{name}": getattr(analysis, name) for name in analysis.__all__}
    things |= {f"plot.{name}": value for name, value in vars(plot).items() if inspect.isfunction(value)}
    things |= {
        f"{name}.{method}": value
        for name, owner in things.items()
        if inspect.isclass(owner)
        for method, value in vars(owner).items()
        if isinstance(value, property) or getattr(value, "__qualname__", "").startswith(name)
    }
    return {name: value for name, value in things.items() if ORDINARY.fullmatch(name)}


@pytest.mark.parametrize(("name", "thing"), documented_things().items(), ids=lambda x: x if isinstance(x, str) else "")
def test_public_things_are_documented(name, thing):
    text = inspect.getdoc(thing)
    assert text
    assert not text.startswith(f"{name}(")  # what a dataclass writes by itself
    if "Parameters\n" in text and (inspect.isclass(thing) or inspect.isfunction(thing)):
        parameters = inspect.signature(thing).parameters
        assert [p for p in parameters if p not in text and p != "self"] == []


def functions(node, owner=None):
    """The functions in a tree, each with the class whose method it is."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield child, owner
        inside = child if isinstance(child, ast.ClassDef) else None if isinstance(child, ast.FunctionDef) else owner
        yield from functions(child, inside)


def listed(text):
    """The names in the section Parameters of a docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^[\w*].*", section[1] if section else "", re.MULTILINE)
    return {name.strip("*") for head in heads for name in head.partition(" : ")[0].split(", ")}


CLASSES = {node.name: node for tree in TREES.values() for node in tree.body if isinstance(node, ast.ClassDef)}
NAMED = TREES | CLASSES


@pytest.mark.parametrize("name", FILES)
def test_six_arguments_have_a_section(name):
    """Or a reference: "Parameters: see `NAME`", to a module or a class."""
    for function, owner in functions(TREES[name]):
        every = function.args
        arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
        names = {one.arg for one in arguments if one} - {"self", "cls"}
        own = "\n\n".join(ast.get_docstring(node) or "" for node in (function, owner) if node)
        known = listed(own)
        for reference in re.findall(r"Parameters: see\s+`([\w.]+)`", own):
            known |= listed(ast.get_docstring(NAMED[reference])) | set(re.findall(r"\b(\w+):", own))
        if len(names) >= 6:
            assert names <= known, f"{function.name}: {sorted(names - known)}"


def test_tables_name_their_sources():
    assert all(entry.source for table in (iz.presets, iz.schemes) for entry in table.values())


@pytest.mark.parametrize("folder", ["izhnumba", "tests", "examples", "asv_benchmarks"])
def test_files_are_short(folder):
    for file in (Path(__file__).parents[1] / folder).rglob("*.py"):
        assert len(file.read_text().splitlines()) <= 450, file


@pytest.mark.parametrize("folder", ["", "concepts", "howto", "coming_from", "reference"])
def test_pages_name_files_that_exist(folder):
    root = Path(__file__).parents[1]
    pages = (root / "docs" / folder).glob("*.md")
    named = [name for page in pages for name in re.findall(r"`([\w/]+[.]py)`", page.read_text())]
    assert [name for name in named if not (root / name).exists() and not (PACKAGE / name).exists()] == []


if __name__ == "__main__":
    print(f"{len(FLOOR)} rooms on {len(FLOORS)} floors, {len(ROOMS)} arrows between them, {len(UPWARD)} not downwards")
