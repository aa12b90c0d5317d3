"""Calls of compiled kernels from JAX: straight from XLA where a first small kernel has shown that it works, else
through Python."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import re
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from izhnumba._numba.compile import STRICT
from izhnumba.jax._kernels import xla
from izhnumba.jax._kernels.program import Op, Program
from izhnumba.jax._kernels.scan import Operand, ScanOperands, handler

Array = np.ndarray[Any, Any]
_lock = threading.RLock()  # XLA registers a name once only


def call(
    program: Program,
    layout: ScanOperands,
    fastmath: frozenset[str],
    operands: Sequence[jax.Array],
    results: Sequence[jax.ShapeDtypeStruct],
) -> Sequence[jax.Array]:
    """The results of a scan in a compiled kernel.

    operands: number of steps, carry, constants, rows. results: shapes and dtypes of the carry and of the rows that come
    out."""
    with _lock:
        straight = _works()
        target = _target(program, layout, fastmath) if straight else ""
    if straight:
        return jax.ffi.ffi_call(target, results, vmap_method="expand_dims")(*operands)
    through_python = functools.partial(_call_with_a_frame, _handler(program, layout, fastmath), tuple(results))
    return jax.pure_callback(through_python, results, *operands, vmap_method="expand_dims")


@functools.cache
def api_version() -> tuple[int, int]:
    """(major, minor) version of the foreign function interface of the installed XLA, by its header; (-1, -1) without
    one."""
    header = Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h"
    text = header.read_text() if header.is_file() else ""
    major, minor = (re.search(rf"#define XLA_FFI_API_{part} (\d+)", text) for part in ("MAJOR", "MINOR"))
    return (int(major[1]), int(minor[1])) if major and minor else (-1, -1)


@functools.cache
def _handler(program: Program, layout: ScanOperands, fastmath: frozenset[str]) -> int:
    """The address of the compiled kernel."""
    return handler(program, layout, api_version(), fastmath)


@functools.cache
def _target(program: Program, layout: ScanOperands, fastmath: frozenset[str]) -> str:
    """Register a kernel with XLA. Returns its name, the same in every process, as JAX may cache on disk code that calls
    it."""
    content = repr((program, layout, sorted(fastmath)))
    name = f"izhnumba_{hashlib.sha256(content.encode()).hexdigest()[:32]}"
    capsule = jax.ffi.pycapsule(ctypes.c_void_p(_handler(program, layout, fastmath)))
    jax.ffi.register_ffi_target(name, capsule, platform="cpu", api_version=1)
    return name


@functools.cache
def _works() -> bool:
    """Whether XLA can call kernels, tried once per process; if not, a RuntimeWarning says so."""
    try:
        _self_test()
    except Exception as error:
        major, minor = api_version()
        warnings.warn(
            f"izhnumba.jax cannot call kernels straight from XLA, whose foreign function interface is {major}.{minor} "
            f"in jax {jax.__version__}: they are called through Python, which is slower. Install a version of jax that "
            f"izhnumba has been tested with. A first call gave: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def _self_test() -> None:
    """Let XLA call a kernel, even while JAX traces: two steps of two lanes of x = 2 x + 1. An exception if it fails."""
    if api_version()[0] != xla.MAJOR:
        raise RuntimeError(f"nothing, it is made for version {xla.MAJOR} only.")
    lane, number, row = Operand("f4", False, True), Operand("f4", False, False), Operand("f4", True, True)
    program = Program(("f4", "f4", "f4"), (Op("mul", "f4", (0, 1)), Op("add", "f4", (3, 2))), (4, 4))
    target = _target(program, ScanOperands((lane,), (number,), (row,), (row,)), STRICT)
    operands = np.int32(2), np.array([1, 2], "f4"), np.float32(2), np.ones((2, 2), "f4")
    results = [jax.ShapeDtypeStruct(shape, np.float32) for shape in ((2,), (2, 2))]
    cpu = jax.default_device(jax.local_devices(backend="cpu")[0])
    with jax.ensure_compile_time_eval(), cpu, jax.transfer_guard("allow"):  # the user's guard is for the user's arrays
        found = [np.asarray(array).tolist() for array in jax.ffi.ffi_call(target, results)(*operands)]
    if found != [[7.0, 11.0], [[3.0, 5.0], [7.0, 11.0]]]:
        raise RuntimeError(f"{found}, a wrong result.")


def _call_with_a_frame(address: int, results: Sequence[Any], *operands) -> tuple[Array, ...]:
    """Call the kernel at an address from Python, with a call frame as XLA would make it."""
    arguments = [np.asarray(operand, order="C") for operand in operands]
    n_lead = arguments[0].ndim  # axes of the batch: the number of steps has no others
    lead = np.broadcast_shapes(*(argument.shape[:n_lead] for argument in arguments))
    made = tuple(np.empty((*lead, *result.shape), result.dtype) for result in results)
    kept: list[Array] = []
    if ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(_frame(arguments, made, kept).ctypes.data):
        raise ValueError(xla.TEXT)
    return made


def _frame(arguments: Sequence[Array], made: Sequence[Array], kept: list[Array]) -> Array:
    """A call frame, as far as kernels read it. kept: gets the arrays that it points at, which must live as long."""
    frame = np.zeros(xla.RESULTS + 1, np.int64)
    frame[xla.SIZE], frame[xla.STAGE] = 8 * frame.size, xla.EXECUTE
    frame[xla.ARGUMENTS_SIZE] = frame[xla.RESULTS_SIZE] = xla.OPERANDS_BYTES
    frame[xla.N_ARGUMENTS], frame[xla.N_RESULTS] = len(arguments), len(made)
    frame[xla.ARGUMENTS], frame[xla.RESULTS] = (_buffers(arrays, kept) for arrays in (arguments, made))
    return frame


def _buffers(arrays: Sequence[Array], kept: list[Array]) -> int:
    """The address of a table of addresses of XLA buffers, one per array. kept: gets the tables, which must live as
    long."""
    addresses = np.zeros(len(arrays) + 1, np.int64)
    for k, array in enumerate(arrays):
        dims, buffer = np.array(array.shape, np.int64), np.zeros(xla.DIMS + 1, np.int64)
        kind = f"{array.dtype.kind}{array.dtype.itemsize}"
        buffer[xla.SIZE], buffer[xla.BUFFER_DTYPE], buffer[xla.DATA] = (
            8 * buffer.size,
            xla.DTYPES[kind],
            array.ctypes.data,
        )
        buffer[xla.RANK], buffer[xla.DIMS] = array.ndim, dims.ctypes.data
        addresses[k] = buffer.ctypes.data
        kept += [dims, buffer]
    kept.append(addresses)
    return addresses.ctypes.data
