"""Numba policy: how functions are compiled and where machine code is kept. Nothing else calls numba.njit.

Numba's own disk cache watches one file and ignores the options, so an equation edited in another file, or a
parallel twin of a serial kernel, would silently run old code. Here the key is the byte code of everything the
function can reach, plus every option; a folder that cannot be written only means that nothing is kept.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import gc
import hashlib
import os
import pickle
import platform
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from izhnumba._numba import built

# Keeps NaN and infinity meaningful, unlike fastmath=True, under which a NaN counts as a spike.
CONTRACT = frozenset({"contract", "nsz"})
STRICT: frozenset[str] = frozenset()

_told: list[Callable[[str], object]] = []  # what `telling` calls
known_to_numba: set[Any] = set()  # plain Python functions that kernels can call


class Dispatcher(Protocol):
    """A function that Numba compiles, once for each signature of argument types."""

    overloads: dict[tuple[Any, ...], Any]

    def __call__(self, *arguments: object) -> Any: ...

    def compile(self, signature: tuple[Any, ...]) -> object: ...

    def get_overload(self, signature: tuple[Any, ...]) -> Callable[..., Any]: ...


def _numba() -> types.ModuleType:
    """The module numba. RuntimeError if it must not compile: kernels take addresses, which plain Python cannot."""
    import numba

    if numba.config.DISABLE_JIT:
        raise RuntimeError(
            f"NUMBA_DISABLE_JIT must be 0 or unset, got {numba.config.DISABLE_JIT}. Unset it: izhnumba is there to be "
            "compiled, and to look into an equation of your own, call it as a plain function."
        )
    return numba


def compiled(
    function: Callable[..., Any],
    *,
    fastmath: frozenset[str] = STRICT,
    parallel: bool = False,
    caller: Literal["Python", "kernels", "C"] = "Python",
) -> Dispatcher:
    """`function` as a lazily compiled Numba dispatcher whose machine code is kept on disk. caller: who calls it; what
    only others need is not compiled."""
    numba = _numba()
    make_jitable(function)
    _make_unique(function)
    options: dict[str, Any] = dict(error_model="numpy", nogil=True, fastmath=set(fastmath), parallel=parallel)
    options |= dict(no_cpython_wrapper=caller != "Python", no_cfunc_wrapper=caller != "C")
    # Kernels make no arrays, so serial ones do without counting references to them: less to compile.
    dispatcher = numba.njit(**options, _nrt=parallel)(function)
    key = repr((fingerprint(function), sorted(fastmath), parallel, caller))
    dispatcher._cache = _DiskCache(cache_folder(), function.__name__, key)
    return dispatcher


@contextlib.contextmanager
def telling(tell: Callable[[str], object]) -> Iterator[None]:
    """Meanwhile `tell(text)` is called before anything is compiled that was not kept on disk, which takes seconds.
    Within the context of another, that one alone is told."""
    if _told:
        yield
        return
    _told.append(tell)
    try:
        yield
    finally:
        _told.remove(tell)


def reason_of(error: Exception) -> str:
    """Numba's reason to refuse a function, in a line, from the message of its error."""
    text = str(error)
    lines = [line.strip(" .:") for line in text.splitlines() if line.strip()]
    reason = next((line for line in lines if not line.startswith("Failed in ")), text.strip(" .:"))
    if "IMPORT_NAME" in reason:
        reason = "it imports a module, which belongs at the top of the script"
    places = re.findall(r'(?:File "|\bat |\bfrom )([^"\n]*?)(?:", line | \()(\d+)\b', text)
    users = [place for place in places if not re.search(r"numba[/\\](_|core|np|cpython|misc|typed)", place[0])]
    where = "".join(f" (line {line} of {os.path.basename(path)})" for path, line in users[:1])
    return reason.replace("NRT required but not enabled", "it makes a list or an array") + where


def _compile(dispatcher: Dispatcher, signature: tuple[Any, ...]) -> None:
    """Compile for `signature`. To look for garbage meanwhile would take a fifth of the time."""
    collects = gc.isenabled()
    try:
        gc.disable()
        dispatcher.compile(signature)
    finally:
        if collects:
            gc.enable()


def entry_point(dispatcher: Dispatcher, signature: tuple[Any, ...]) -> Callable[..., Any]:
    """The compiled function for `signature`, called without type dispatch: callers must pass these types."""
    _compile(dispatcher, signature)
    return dispatcher.get_overload(signature)


def address_of(
    function: Callable[[Any, Any, Any], Any], *, fastmath: frozenset[str] = STRICT, parallel: bool = False
) -> int:
    """Address of the machine code of a function of three integers that returns one, for calls from other compiled
    functions (`intrinsics.call_at`)."""
    from numba import types

    dispatcher, signature = (
        compiled(function, fastmath=fastmath, parallel=parallel, caller="kernels"),
        (types.int64,) * 3,
    )
    _compile(dispatcher, signature)
    result = dispatcher.overloads[signature]
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))


def c_address_of(dispatcher: Dispatcher, signature: tuple[Any, ...]) -> int:
    """Address of a function of the C calling convention, for a `signature` of a dispatcher whose caller is C."""
    _compile(dispatcher, signature)
    result = dispatcher.overloads[signature]
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))


def target_features() -> frozenset[str]:
    """LLVM's names, such as "avx2" and "fma", of the features of the processor that code is compiled for: this one,
    unless NUMBA_CPU_FEATURES describes another."""
    named = _numba().config.CPU_FEATURES
    if named is None:
        from llvmlite.binding import get_host_cpu_features

        return frozenset(name for name, there in get_host_cpu_features().items() if there)
    return frozenset(name[1:] for name in named.replace(" ", "").split(",") if name.startswith("+"))


def inlined(function: Callable[..., Any]) -> Dispatcher:
    """`function` for use inside other compiled ones, whose code it becomes part of: compiling many small functions one
    by one would take most of the start-up time."""
    numba = _numba()
    make_jitable(function)
    return numba.njit(inline="always")(function)


def called(function: Callable[..., Any], fastmath: Iterable[str] = ()) -> Dispatcher:
    """`function` compiled on its own, for calls from other compiled ones: once for all values of its arguments, of
    which Numba takes each that is written in a call, such as 0 or False, for a type of its own. fastmath: flags of
    LLVM."""
    numba = _numba()
    make_jitable(function)
    _make_unique(function)  # at once: a user's own function may be the first to call it
    flags = set(fastmath) or False
    options = dict(no_cfunc_wrapper=True, no_cpython_wrapper=True, _nrt=False, fastmath=flags, forceinline=False)
    dispatcher = numba.njit(**options)(function)
    template_for = dispatcher.get_call_template
    dispatcher.get_call_template = lambda kinds, named: template_for([*map(numba.types.unliteral, kinds)], named)
    return dispatcher


def make_jitable(function: Callable[..., Any]) -> None:
    """Let kernels call the plain Python functions that `function` refers to."""
    from numba.extending import is_jitted, register_jitable

    for _, value in _named_by(function):
        if is_jitted(value):  # without an option of its own it takes that of the first kernel to call it
            value.targetoptions.setdefault("fastmath", False)
            _make_unique(value.py_func)
        elif _is_ours(value) and value not in known_to_numba:
            known_to_numba.add(value)
            make_jitable(value)
            _make_unique(value)
            register_jitable(forceinline=True, no_cfunc_wrapper=True, no_cpython_wrapper=True)(value)


def _make_unique(function: Any) -> None:
    """Put the fingerprint in the name of a closure or lambda: numba links by name, and a kernel read from disk must
    not meet another closure of the same factory."""
    if "<" in function.__qualname__ and "#" not in function.__qualname__:
        function.__qualname__ += f"#{fingerprint(function)[:12]}"


def _named_by(function: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of all that the code of `function` reads from outside it: globals, captured variables, members of
    modules."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    outside = function.__globals__ | {name: cell.cell_contents for name, cell in cells}
    for first, *members in dict.fromkeys(path for code in _codes(function.__code__) for path in _paths(code)):
        if first in outside:
            value = outside[first]
            while members and isinstance(value, types.ModuleType) and not _is_theirs(value.__name__):
                value = getattr(value, members.pop(0), None)
            yield first, value


@functools.cache
def _paths(code: types.CodeType) -> tuple[tuple[str, ...], ...]:
    """The names that byte code loads from outside, each with the attributes it takes from it: ("module", "helper")."""
    paths: list[list[str]] = []
    members = False
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_CLOSURE"):
            paths.append([instruction.argval])
            members = True
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and members:
            paths[-1].append(instruction.argval)
        else:
            members = instruction.opname == "EXTENDED_ARG" and members
    return tuple(map(tuple, paths))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _is_ours(value: object) -> bool:
    """A plain function that is not one of the libraries that Numba itself knows."""
    return isinstance(value, types.FunctionType) and not _is_theirs(value.__module__)


def _is_theirs(module: str | None) -> bool:
    return (module or "").split(".")[0] in ("numba", "llvmlite", "numpy", "builtins")


def fingerprint(function: Callable[..., Any]) -> str:
    """A hash of the byte code of `function` and of everything it refers to, by name and value."""
    return _digest(_describe(function, {}).encode()).hex()


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _describe(value: Any, seen: dict[int, int]) -> str:
    """A text that differs between values for which different code is compiled. seen: number of each value, by id."""
    if hasattr(value, "py_func"):  # a numba dispatcher
        return f"{sorted(value.targetoptions.items())!r} {_describe(value.py_func, seen)}"
    value = getattr(value, "_defn", value)  # of a numba intrinsic, which writes LLVM code itself
    if isinstance(value, (bool, int, float, str, bytes, type(None), np.generic, np.dtype)):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, types.ModuleType):
        return value.__name__
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{value.tobytes()!r}"
    if id(value) in seen:
        return f"seen {seen[id(value)]}"
    seen[id(value)] = len(seen)
    if _is_ours(value):
        parts = [
            repr((c.co_code, c.co_names, c.co_varnames, c.co_flags, c.co_argcount)) for c in _codes(value.__code__)
        ]
        parts += [_describe(x, seen) for c in _codes(value.__code__) for x in c.co_consts]
        parts += [_describe(value.__defaults__, seen), _describe(value.__kwdefaults__, seen)]
        parts += [f"{name}={_describe(x, seen)}" for name, x in _named_by(value)]
    elif isinstance(value, (tuple, list, frozenset)):
        parts = [_describe(x, seen) for x in value]
    elif isinstance(value, dict):
        parts = [f"{_describe(key, seen)}:{_describe(x, seen)}" for key, x in value.items()]
    elif isinstance(value, types.CodeType):
        parts = []  # described with its function
    elif hasattr(value, "__qualname__"):
        parts = [f"{value.__module__}.{value.__qualname__}{getattr(value, '_fields', '')}"]
        if isinstance(value, type) and value.__module__.startswith("izhnumba."):  # one that writes LLVM code
            methods = [x for x in vars(value).values() if getattr(x, "__module__", None) == value.__module__]
            parts += [_describe(getattr(x, "__wrapped__", x), seen) for x in methods if callable(x)]
    elif hasattr(value, "__dict__") and not _is_theirs(type(value).__module__):
        parts = [f"{name}={_describe(x, seen)}" for name, x in sorted(vars(value).items())]
    else:
        parts = [repr(value)]
    return f"{type(value).__name__}({', '.join(parts)})"


def cache_folder() -> Path | None:
    """The folder in which machine code is kept between processes; None if none can be written."""
    for parent in _candidates():
        folder = parent / "izhnumba"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
        except OSError:
            continue
    return None


def _candidates() -> Iterator[Path]:
    if os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(os.environ["NUMBA_CACHE_DIR"])
        return
    if os.environ.get("XDG_CACHE_HOME"):
        yield Path(os.environ["XDG_CACHE_HOME"])
    try:
        home = Path.home()
    except RuntimeError:  # no home folder is known
        return
    if not home.is_dir():
        return
    yield {"Darwin": home / "Library/Caches", "Windows": home / "AppData/Local"}.get(platform.system(), home / ".cache")


@functools.cache
def _machine_of_level() -> tuple[str, str] | None:
    """Name and features of the processors of the level of this one; None if it has none, or another is described."""
    from numba import config

    level = None if config.CPU_NAME or config.CPU_FEATURES else built.level_of(target_features())
    return None if level is None else (level, built.LEVELS[level])


class _DiskCache:
    """Numba's cache interface, with one file for each kernel, signature and machine. The file name is the key.

    Code for this very processor is looked for first, in the user's folder and among what was built ahead, then code
    that was built for all processors of its level.
    """

    def __init__(self, folder: Path | None, name: str, key: str) -> None:
        self.cache_path = str(folder)
        self._folder, self._name, self._key = folder, name, key

    def _file(self, signature: object, machine: tuple[str, ...]) -> str:
        import llvmlite
        from numba import __version__, config

        versions = (__version__, llvmlite.__version__, sys.version_info[:2], sys.implementation.cache_tag)
        options = (config.OPT, config.LOOP_VECTORIZE, config.BOUNDSCHECK, config.DEBUGINFO_DEFAULT)
        key = repr((self._key, signature, machine, versions, options))
        return f"{self._name}-{_digest(key.encode()).hex()[:32]}.nbc"

    def _places(self, signature: object, machine: tuple[str, ...]) -> Iterator[Path]:
        """The files in which the code may be."""
        name = self._file(signature, machine)
        yield from (folder / name for folder in (self._folder, built.folder) if folder is not None)
        level = _machine_of_level()
        if built.folder is not None and level is not None:
            yield built.folder / self._file(signature, (machine[0], *level))

    def load_overload(self, signature: object, target_context: Any) -> object:
        from numba.core.compiler import CompileResult

        for place in self._places(signature, target_context.codegen().magic_tuple()):
            try:
                content = place.read_bytes()
                check, payload = content[:32], content[32:]
                if check == _digest(payload):  # the loader of machine code trusts what it is given
                    if b"NRT_" in payload:  # what counts references must be there; to compile, Numba loads much more
                        target_context.refresh()
                    return CompileResult._rebuild(target_context, *pickle.loads(payload))
            except Exception:  # none yet, or from a module that cannot be imported by name
                continue
        kept = "first time only" if self._folder else "each time, for no folder can be written to keep it"
        for tell in _told:
            tell(f"compiling ({kept}) ...")
        return None

    def save_overload(self, signature: object, result: Any) -> None:
        from numba.core.serialize import dumps

        if self._folder is None or result.library.has_dynamic_globals:  # addresses that hold in this process only
            return
        file = self._folder / self._file(signature, result.codegen.magic_tuple())
        scratch = file.with_suffix(f".{os.getpid()}.tmp")
        payload = dumps(result._reduce())
        try:
            scratch.write_bytes(_digest(payload) + payload)
            os.replace(scratch, file)
        except OSError:  # a full or vanished disk costs a compile next time, not this run
            with contextlib.suppress(OSError):
                scratch.unlink()

    def enable(self) -> None: ...

    def disable(self) -> None: ...

    def flush(self) -> None: ...
