"""Numba policy: how functions are compiled and where machine code is kept. Nothing else calls numba.njit.

Numba's own disk cache watches one file and ignores the options, so an equation edited in another file, or a
parallel twin of a serial kernel, would silently run old code. Here the key is the byte code of everything the
function can reach, plus every option; a folder that cannot be written only means that nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Keeps NaN and infinity meaningful, unlike fastmath=True, under which a NaN counts as a spike.
CONTRACT = frozenset({"contract", "nsz"})
STRICT: frozenset[str] = frozenset()

known_to_numba: set[Any] = set()  # plain Python functions that kernels can call


def compiled(function: Callable[..., Any], *, fastmath: frozenset[str] = STRICT, parallel: bool = False) -> Any:
    """`function` as a lazily compiled Numba dispatcher whose machine code is shared between processes."""
    import numba

    make_jitable(function)
    _make_unique(function)
    options: dict[str, Any] = dict(error_model="numpy", nogil=True, fastmath=set(fastmath), parallel=parallel)
    dispatcher = numba.njit(**options, no_cfunc_wrapper=True)(function)
    folder = cache_folder()
    if folder is not None:
        key = repr((fingerprint(function), sorted(fastmath), parallel))
        dispatcher._cache = _DiskCache(folder, function.__name__, key)
    return dispatcher


def entry_point(dispatcher: Any, signature: tuple[Any, ...]) -> Callable[..., Any]:
    """The compiled function for `signature`, called without type dispatch: the caller vouches for the types."""
    dispatcher.compile(signature)
    call: Callable[..., Any] = dispatcher.get_overload(signature)
    return call


def inlined(function: Callable[..., Any]) -> Any:
    """`function` for use inside another compiled one, whose code it becomes part of: compiling many small functions
    one by one would take most of the start-up time."""
    import numba

    make_jitable(function)
    return numba.njit(inline="always")(function)


def make_jitable(function: Callable[..., Any]) -> None:
    """Let kernels call the plain Python functions that `function` refers to."""
    from numba.extending import register_jitable

    for _, value in _named_by(function):
        if _is_ours(value) and value not in known_to_numba:
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
    """The globals and captured variables that the code of `function` names, with their values."""
    for code in _codes(function.__code__):
        yield from ((name, function.__globals__[name]) for name in code.co_names if name in function.__globals__)
    cells = (cell.cell_contents for cell in function.__closure__ or ())
    yield from zip(function.__code__.co_freevars, cells, strict=True)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _is_ours(value: Any) -> bool:
    """A plain function or class that is not of one of the libraries that Numba itself knows."""
    theirs = ("numba", "llvmlite", "numpy", "builtins")
    return isinstance(value, types.FunctionType) and value.__module__.split(".")[0] not in theirs


def fingerprint(function: Callable[..., Any]) -> str:
    """A hash of the byte code of `function` and of everything it refers to, by name and value."""
    return hashlib.sha256(_describe(function, {}).encode()).hexdigest()


def _describe(value: Any, seen: dict[int, int]) -> str:
    value = getattr(value, "py_func", value)  # of a numba dispatcher
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
        parts = [repr((c.co_code, c.co_names, c.co_varnames)) for c in _codes(value.__code__)]
        parts += [_describe(x, seen) for c in _codes(value.__code__) for x in c.co_consts]
        parts += [f"{name}={_describe(x, seen)}" for name, x in _named_by(value)]
    elif isinstance(value, (tuple, list, frozenset)):
        parts = [_describe(x, seen) for x in value]
    elif isinstance(value, dict):
        parts = [f"{_describe(key, seen)}:{_describe(x, seen)}" for key, x in value.items()]
    elif isinstance(value, types.CodeType):
        parts = []  # listed with its function
    elif hasattr(value, "__qualname__"):
        parts = [f"{value.__module__}.{value.__qualname__}{getattr(value, '_fields', '')}"]
    else:
        parts = [f"{name}={_describe(x, seen)}" for name, x in sorted(getattr(value, "__dict__", {}).items())]
        parts += [] if hasattr(value, "__dict__") else [repr(value)]
    return f"{type(value).__name__}({', '.join(parts)})"


def cache_folder() -> Path | None:
    """Where machine code is kept between processes: a folder that can be written, or None."""
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
    yield {"Darwin": home / "Library/Caches", "Windows": home / "AppData/Local"}.get(platform.system(), home / ".cache")


class _DiskCache:
    """Numba's cache interface over one file per kernel, types and machine; the file name is the key."""

    def __init__(self, folder: Path, name: str, key: str) -> None:
        self.cache_path = str(folder)
        self._folder, self._name, self._key = folder, name, key

    def _file(self, signature: Any, codegen: Any) -> Path:
        import llvmlite
        import numba

        versions = (numba.__version__, llvmlite.__version__, sys.version_info[:2], sys.implementation.cache_tag)
        key = repr((self._key, signature, codegen.magic_tuple(), versions))
        return self._folder / f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.nbc"

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        from numba.core.compiler import CompileResult

        target_context.refresh()
        try:
            payload = pickle.loads(self._file(signature, target_context.codegen()).read_bytes())
            return CompileResult._rebuild(target_context, *payload)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):  # absent or damaged: compile
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        from numba.core.serialize import dumps

        file = self._file(signature, result.codegen)
        scratch = file.with_suffix(f".{os.getpid()}.tmp")
        try:
            scratch.write_bytes(dumps(result._reduce()))
            os.replace(scratch, file)
        except OSError:  # a full or vanished disk costs a compile next time, not this run
            scratch.unlink(missing_ok=True)

    def enable(self) -> None: ...

    def disable(self) -> None: ...

    def flush(self) -> None: ...
