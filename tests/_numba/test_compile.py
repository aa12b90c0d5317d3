"""The cache of machine code: shared between processes, never stale, never mixed up, never needed."""

from __future__ import annotations

import shutil
import textwrap

import numpy as np
import pytest
from numba.core import event
from processes import COUNT, PACKAGE, finish, run, start, write

from izhnumba._numba import compile as _compile

# A user's script: a model with a helper, a captured constant and a default argument, in several schemes.
SCRIPT = """
import dataclasses, json
import numpy as np, izhnumba as iz

def leak(V, p, power=1.0):
    return p.k1 * V * power

def model(shift):
    def dV(V, u, I, p):
        return p.k2 * V * V + leak(V, p) + p.k0 - u + I + shift
    return dataclasses.replace(iz.Izhikevich, name="Shifted", dV=dV)

shifted, p = model(1.0), (0.02, 0.2, -65.0, 8.0, 30.0, 0.04, 5.0, 140.0)
results = {}
for scheme in ("exp_euler", "euler", "nest"):
    V, u, I = np.linspace(-70, -50, 64), np.full(64, -13.0), np.full(64, 10.0)
    step, spikes = iz.kernel(shifted, scheme), np.zeros(64, bool)
    results[scheme] = sum(int(step(V, u, I, p, 0.1, spikes)) for k in range(500)), V.sum().hex()
pop = iz.Population(64, model=shifted, scheme="euler", V=np.linspace(-70, -50, 64), u=-13.0)
results["population"] = int(pop.run(50.0, I=10.0).spikes.i.size), pop.V.sum().hex()
print(json.dumps([compiles(), results]))
"""

# Checks a kernel against the same equations in Python: without contraction they agree to the last bit.
AGREES = """
import dataclasses, json, sys
import numpy as np, izhnumba as iz

p = iz.Izhikevich.named_tuple()(0.02, 0.2, -65.0, 8.0, 30.0, 0.04, 5.0, 140.0)

def model(dV):
    k = dV(1.0, 0.0, 0.0, p) - dV(0.0, 0.0, 0.0, p)
    return dataclasses.replace(iz.Izhikevich, dV=dV, dV_slope=lambda V, dI, p: k + dI)

def start():
    return np.linspace(-70, -50, 9), np.full(9, -13.0), np.full(9, 10.0)

def expected(model):
    return [V + 0.1 * model.dV(V, u, I, p) for V, u, I in zip(*map(np.ndarray.tolist, start()))]

def agrees(dV):
    V, u, I = start()
    iz.kernel(model(dV), "euler")(V, u, I, tuple(p), 0.1, np.zeros(9, bool))
    return V.tolist() == expected(model(dV))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the user's script, a cache that its first run has filled, and what that run printed."""
    folder = tmp_path_factory.mktemp("project")
    script = write(folder / "script.py", COUNT, SCRIPT)
    return script, folder / "cache", run(script, cache=folder / "cache")


def test_model_of_a_script_is_compiled_once(project):
    script, cache, (n_compiled, results) = project
    assert n_compiled > len(results) == 4
    assert results["euler"] == results["nest"] == results["population"]
    assert all(count > 0 for count, _ in results.values())
    assert run(script, cache=cache) == [0, results]


def test_global_variables_that_nothing_loads_do_not_matter(project):
    script, cache, (_, results) = project
    other = write(script.with_name("other.py"), "k1 = k2 = V = 12345.0", COUNT, SCRIPT)  # p.k1 is not the global k1
    assert run(other, cache=cache) == [0, results]


EQUATIONS = """
    import helpers, numba
    from helpers import imported

    def in_another_file(V, u, I, p):
        return {k} * V - u + I

    def by_imported_helper(V, u, I, p):
        return imported(V) - u + I

    def by_module(V, u, I, p):
        return helpers.by_name(V) + helpers.CONSTANT - u + I

    def factory(captured):
        def dV(V, u, I, p):
            return captured * V - u + I
        return dV

    captured = factory({k})

    def by_default(V, u, I, p, k={k}):
        return k * V - u + I

    @numba.njit
    def jitted(V):
        return {k} * V

    def by_jitted_helper(V, u, I, p):
        return jitted(V) - u + I
"""
HELPERS = """
    CONSTANT = {k}

    def by_name(V):
        return {k} * V

    def imported(V):
        return nested(V)

    def nested(V):
        return V * {k}
"""
EDITED = """
import user_equations as user
names = "in_another_file by_imported_helper by_module captured by_default by_jitted_helper".split()
print(json.dumps([{name: agrees(dV=getattr(user, name)) for name in names}, compiles()]))
"""


def test_edited_code_never_runs_in_its_old_form(tmp_path):
    script, cache = write(tmp_path / "script.py", COUNT, AGREES, EDITED), tmp_path / "cache"
    for k in (1.25, -2.5):
        write(tmp_path / "user_equations.py", EQUATIONS.format(k=k))
        write(tmp_path / "helpers.py", HELPERS.format(k=k))
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)  # two edits within a second look alike to Python
        agree, n_compiled = run(script, cache=cache)
        assert all(agree.values()), (k, agree)
        assert n_compiled >= 6
    assert run(script, cache=cache)[1] == 1  # the user's own jitted function, called from Python


TWINS = """
import numba

def twin(k, jit):
    def helper(V):
        return k * V
    if jit:
        helper = numba.njit(helper)
    def dV(V, u, I, p):
        return helper(V) - u + I
    return dV

unnamed = lambda k: lambda V, u, I, p: k * V - u + I
order = [float(x) for x in sys.argv[1:]]
right = [agrees(dV=f) for k in order for f in (twin(k, False), twin(k, True), unnamed(k))]

models = [model(dV=twin(k, False)) for k in order[:2]]
one, other = (iz.kernel(m, "euler") for m in (models[0], models[-1]))

@numba.njit
def both(V, W, u, w, I, p, spikes):
    one(V, u, I, p, 0.1, spikes)
    other(W, w, I, p, 0.1, spikes)

(V, u, I), (W, w, _) = start(), start()
both(V, W, u, w, I, tuple(p), np.zeros(9, bool))
print(json.dumps([*right, V.tolist() == expected(models[0]), W.tolist() == expected(models[-1])]))
"""


def test_functions_of_the_same_name_are_not_mixed_up(tmp_path):
    script, cache = write(tmp_path / "script.py", COUNT, AGREES, TWINS), tmp_path / "cache"
    for order in ([1.5], [2.5, 1.5, 3.5]):  # the second time: compiled, from disk, compiled
        assert all(run(script, *order, cache=cache)), order


ADDRESS = """
import ctypes
labs = ctypes.CDLL(None).labs
labs.argtypes, labs.restype = [ctypes.c_long], ctypes.c_long

def dV(V, u, I, p):
    return labs(-3) * V - u + I

print(json.dumps([agrees(dV=dV), compiles()]))
"""


def test_code_that_holds_an_address_is_not_kept(tmp_path):
    script = write(tmp_path / "script.py", COUNT, AGREES, ADDRESS)
    for _ in range(2):
        right, n_compiled = run(script, cache=tmp_path / "cache")
        assert right
        assert n_compiled > 0


SMALL = """
import json, sys
import numpy as np, izhnumba as iz
V, u, spikes = np.full(3, -65.0), np.full(3, -13.0), np.zeros(3, bool)
step = iz.kernel(iz.Izhikevich, "euler")
p = (0.02, 0.2, -65.0, 8.0, 30.0, 0.04, 5.0, 140.0)
n_spikes = sum(int(step(V, u, np.full(3, 10.0), p, 0.1, spikes)) for k in range(1000))
print(json.dumps([compiles(), n_spikes, V.tolist(), iz.__file__]))
"""


def test_three_processes_at_once_on_a_cold_cache(tmp_path):
    script, cache = write(tmp_path / "script.py", COUNT, SMALL), tmp_path / "cache"
    results = [finish(process) for process in [start(script, cache=cache) for _ in range(3)]]
    assert all(result[1:] == results[0][1:] for result in results)
    assert run(script, cache=cache) == [0, *results[0][1:]]
    assert {file.suffix for file in cache.rglob("*.*")} == {".nbc"}


def test_read_only_installation_without_a_home_folder(project, tmp_path):
    package = shutil.copytree(PACKAGE, tmp_path / "site" / "izhnumba", ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(package.rglob("*"))
    for path in (package, *before):
        path.chmod(0o555 if path.is_dir() else 0o444)
    no_home = "import pwd\ndef unknown(uid):\n    raise KeyError(uid)\npwd.getpwuid = unknown\n"
    script = write(tmp_path / "script.py", no_home, COUNT, SMALL)
    where = dict(cache=None, package=package, HOME=None, XDG_CACHE_HOME=None, PYTHONDONTWRITEBYTECODE=1)
    n_compiled, n_spikes, _, file = run(script, **where)
    assert file.startswith(str(package))
    assert n_compiled > 0
    assert n_spikes == 9
    for path in (package, *package.rglob("*")):
        path.chmod(0o755)
    assert sorted(package.rglob("*")) == before


def test_cache_that_cannot_be_written(tmp_path):
    in_the_way = write(tmp_path / "file", "")
    script = write(tmp_path / "script.py", COUNT, SMALL)
    assert run(script, cache=in_the_way / "cache")[1] == 9


@pytest.fixture
def environment(monkeypatch):
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    return monkeypatch


def test_cache_folder_follows_the_environment(environment, tmp_path):
    environment.setenv("HOME", str(tmp_path))
    assert _compile.cache_folder() == tmp_path / ".cache" / "izhnumba"
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert _compile.cache_folder() == tmp_path / "xdg" / "izhnumba"
    environment.setenv("XDG_CACHE_HOME", str(write(tmp_path / "file", "") / "below"))
    assert _compile.cache_folder() == tmp_path / ".cache" / "izhnumba"
    environment.setenv("NUMBA_CACHE_DIR", str(tmp_path / "own"))
    assert _compile.cache_folder() == tmp_path / "own" / "izhnumba"


def test_missing_home_folder_is_not_made(environment, tmp_path):
    environment.setenv("HOME", str(tmp_path / "missing"))
    assert _compile.cache_folder() is None
    assert list(tmp_path.iterdir()) == []


def test_folder_without_permission_is_passed_over(environment, tmp_path):
    environment.setenv("HOME", str(tmp_path))
    environment.setattr("os.access", lambda path, mode: False)
    assert _compile.cache_folder() is None


def double(x):
    return x + x


def compiles_of_double(**options):
    """How often Numba compiles `double` for one call, and whether the call is right."""
    with event.install_recorder("numba:compile") as recorder:
        right = _compile.compiled(double, **options)(2.5) == 5.0
    return sum(entry.is_start for _, entry in recorder.buffer), right


@pytest.mark.parametrize(
    "damage",
    [lambda x: b"", lambda x: x[: len(x) // 2], lambda x: x[: len(x) // 3] + bytes(len(x) // 3) + x[len(x) // 3 * 2 :]],
)
def test_damaged_file_is_compiled_again(environment, tmp_path, damage):
    environment.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert compiles_of_double() == (1, True)
    assert compiles_of_double() == (0, True)
    (file,) = tmp_path.rglob("*.nbc")
    file.write_bytes(damage(file.read_bytes()))
    assert compiles_of_double() == (1, True)
    assert compiles_of_double() == (0, True)


@pytest.mark.filterwarnings("ignore::numba.NumbaPerformanceWarning")  # nothing in `double` can be parallel
@pytest.mark.parametrize("options", [dict(fastmath=_compile.CONTRACT), dict(parallel=True)])
def test_options_are_part_of_the_key(environment, tmp_path, options):
    environment.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    compiles_of_double()
    assert compiles_of_double(**options) == (1, True)
    assert compiles_of_double(**options) == (0, True)


@pytest.mark.parametrize("option", ["OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT"])
def test_numba_settings_are_part_of_the_key(environment, tmp_path, option):
    environment.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    compiles_of_double()
    environment.setattr(f"numba.config.{option}", 1)
    assert compiles_of_double() == (1, True)


def test_full_disk_costs_a_compile_and_nothing_else(environment, tmp_path):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    environment.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    environment.setattr("os.replace", full)
    assert compiles_of_double() == (1, True)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


class TestFingerprint:
    """Whatever changes the meaning of a function changes its fingerprint."""

    def outside(self, source, **names):
        exec(textwrap.dedent(source), names)
        return _compile.fingerprint(names["f"])

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("def f(x): return x + 1.0", "def f(x): return x + 1"),
            ("def f(x): return x + 0.0", "def f(x): return x + -0.0"),
            ("def f(x, k=1.0): return k * x", "def f(x, k=2.0): return k * x"),
            ("def f(x, *, k=1.0): return k * x", "def f(x, *, k=2.0): return k * x"),
            ("def f(x, y): return x - y", "def f(y, x): return y - x"),
            ("def f(x, y): return x", "def f(x, *y): return x"),
            ("def g(x): return x\ndef f(x): return g(x)", "def g(x): return -x\ndef f(x): return g(x)"),
            ("def f(x): return (lambda y: y + 1)(x)", "def f(x): return (lambda y: y + 2)(x)"),
        ],
    )
    def test_code(self, one, other):
        assert self.outside(one) == self.outside(one)
        assert self.outside(one) != self.outside(other)

    def test_values(self):
        def of(*values):
            a, b, c = values
            return _compile.fingerprint(lambda x: a + b * x + c)

        x, y = 1.5, 2.5
        assert of(x, y, x) == of(1.5, 2.5, 1.5)
        assert len({of(x, y, x), of(x, y, y), of(x, x, y), of(y, x, x)}) == 4
        assert of(1, 1, 1) != of(1, True, 1)
        assert of(np.float32(1), 1, 1) != of(np.float64(1), 1, 1)
        assert of(np.arange(3), 1, 1) != of(np.arange(3.0), 1, 1)
        assert of((1.0, (2.0, 3.0)), 1, 1) != of((1.0, (2.0, 4.0)), 1, 1)

    def test_helpers_in_other_places(self):
        def one(x):
            return x

        def other(x):
            return x + 1

        def of(f, g, h):
            return _compile.fingerprint(lambda x: f(g(h(x))))

        combinations = [(one, other, one), (one, other, other), (one, one, other), (other, one, one)]
        assert len({of(*c) for c in combinations}) == 4

    def test_options_of_jitted_helpers(self):
        import numba

        def of(**options):
            helper = numba.njit(**options)(lambda x: x)
            return _compile.fingerprint(lambda x: helper(x))

        assert of() == of()
        assert of() != of(fastmath=True)

    def test_attributes_are_not_globals(self):
        assert self.outside("def f(p): return p.k", k=1.0) == self.outside("def f(p): return p.k", k=2.0)

    def test_function_without_a_module(self):
        assert self.outside("def f(x): return x", __name__=None)


def test_functions_for_calls_have_names_of_their_own_at_once():
    """Numba links by name: a kernel read from disk must not meet another closure of the same factory."""
    from izhnumba._exact.kernels.simd_rows import ReceptorKind
    from izhnumba._exact.kernels.taylor import step_of

    names = {
        step_of(receptors).py_func.__qualname__
        for receptors in ((), (ReceptorKind(1, False),), (ReceptorKind(2, True),))
    }
    assert len(names) == 3
