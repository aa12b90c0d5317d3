"""The shape of the package: imports point downwards, Numba stays below, public names are few and documented."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from processes import PACKAGE, run

import izhnumba as iz

# Who may import whom: only what stands further up.
_ORDER = """
    _checks  _elsewhere  _implausible  _paths  _sealed  _table  _turns
    _models  _polynomial  _normal_form  _compile  _schemes
    _kernels  _kernels.codes  _kernels.table  _kernels.exprel  _kernels.lanes  _kernels.philox  _kernels.raster
    _derived  _variant  _kernels.neuron  _kernels.receptors  _kernels.advance  _kernels.network  _kernels.gap
    _kernels.plasticity  _kernels.embedded  _embedding
    _kernels.memory  _kernels.exact_table  _kernels.bench  _kernels.taylor  _kernels.taylor_scalar  _kernels.queue
    _kernels.exact_lane  _kernels.exact
    _receptors  _weight_limits  _arrivals  _binding  _inputs  _files  _blocks  _kept  _timebase  _engine  _spike_inputs
    _presets  _feeds  _clock_engine
    _kernels.exact_look  _kernels.exact_network  _kernels.exact_plasticity
    _exact_trap  _exact_ports  _exact_blocks  _exact_clock  _exact_engine  _exact_feeds
    _results  _recorders  _samplers  _running  _stepping  _distributions  _connectivity  _distance  _section
    _neurons  _population
    _edges  _rows  _per_synapse  _plasticity  _plasticity_rules  _plastic_state  _exact_plastic  _synapses  _connecting
    _recording  _drives  _network_clock  _circuit  _npz  _saved  _checkpoint  _checking_cells  _checking_synapses
    _checking  _saving  _network  _loading  io
    _phase_plane  _bifurcations  _firing  _matching
    __init__  plot  _accuracy  _kernels.adjoint  _sensitivities  _spike_gradients  analysis
    _current_file  cli
    _kernels.program  _kernels.xla  _kernels.scan
    jax._exprel  jax._surrogates  jax._neuron  jax._programs  jax._ffi  jax._reverse  jax._finite
    jax._scan  jax._solve  jax._arguments  jax._run  jax._recurrent  jax._fit  jax._spike_times  jax  brainpy
"""
ORDER = _ORDER.split()
OPTIONAL = {"matplotlib", "pandas", "scipy", "jax", "numba", "llvmlite", "optax"}
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


def test_every_file_has_its_place():
    assert sorted(ORDER) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_imports_point_downwards(name):
    above = ORDER[ORDER.index(name) :]
    for imported in imports(ast.walk(TREES[name])):
        package, _, rest = imported.partition(".")
        if package == "izhnumba":
            found = [module for module in FILES if rest == module or rest.startswith(module + ".")]
            assert max(found, key=len, default="__init__") not in above, imported


@pytest.mark.parametrize("name", FILES)
def test_other_packages_wait_until_they_are_needed(name):
    first = {imported.partition(".")[0] for imported in imports(at_import(TREES[name]))}
    edge = name.partition(".")[0]
    allowed = {"_kernels": {"numba", "llvmlite"}, "jax": {"jax"}, "brainpy": {"jax"} | BRAINPY}.get(edge, set())
    assert (OPTIONAL | BRAINPY) & first <= allowed
    everywhere = {imported.partition(".")[0] for imported in imports(ast.walk(TREES[name]))}
    if edge not in ("_kernels", "_compile", "cli"):  # the command line prints versions
        assert not everywhere & {"numba", "llvmlite"}
    assert everywhere <= OPTIONAL | allowed | {"numpy", "izhnumba"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"_compile"}))
def test_only_one_file_decides_how_to_compile(name):
    nodes = list(ast.walk(TREES[name]))
    names = {imported.rpartition(".")[2] for imported in imports(nodes)}
    names |= {ast.unparse(node).removeprefix("numba.") for node in nodes if isinstance(node, (ast.Name, ast.Attribute))}
    assert not names & COMPILERS


def test_import_loads_only_what_it_needs(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys, json, izhnumba\nprint(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))")
    assert not OPTIONAL & set(run(script, cache=tmp_path))


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
    if inspect.isclass(thing) or inspect.isfunction(thing):
        parameters = inspect.signature(thing).parameters
        if "Parameters\n" in text:
            assert [p for p in parameters if p not in text and p != "self"] == []


def test_tables_name_their_sources():
    assert all(entry.source for table in (iz.presets, iz.schemes) for entry in table.values())


@pytest.mark.parametrize("folder", ["izhnumba", "tests", "examples", "asv_benchmarks"])
def test_files_are_short(folder):
    for file in (Path(__file__).parents[1] / folder).rglob("*.py"):
        assert len(file.read_text().splitlines()) <= 450, file
