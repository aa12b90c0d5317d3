"""Calls of compiled kernels from JAX: straight from XLA where its interface is one we know, else through Python."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from izhnumba._kernels import xla
from izhnumba._kernels.program import Program
from izhnumba._kernels.scan import Layout, handler

MAJOR, NEWEST_MINOR = 0, 3  # of XLA's foreign function interface, as tested
Array = np.ndarray[Any, Any]


def call(program: Program, layout: Layout, fastmath: frozenset[str], operands: Sequence[Any], results: Any) -> Any:
    """The results, described by their ShapeDtypeStructs, of a scan over these operands."""
    version = api_version()
    if _known(version):
        target = _target(program, layout, fastmath)
        return jax.ffi.ffi_call(target, results, vmap_method="expand_dims")(*operands)
    _warn_once(version)
    through_python = functools.partial(_call_with_a_frame, _handler(program, layout, fastmath), tuple(results))
    return jax.pure_callback(through_python, results, *operands, vmap_method="expand_dims")


@functools.cache
def api_version() -> tuple[int, int]:
    """Of the interface of the XLA at hand, as the header that comes with it says."""
    header = (Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h").read_text()
    major, minor = (re.search(rf"#define XLA_FFI_API_{part} (\d+)", header) for part in ("MAJOR", "MINOR"))
    return (int(major[1]), int(minor[1])) if major and minor else (-1, -1)


def _known(version: tuple[int, int]) -> bool:
    return version[0] == MAJOR and version[1] <= NEWEST_MINOR


@functools.cache
def _handler(program: Program, layout: Layout, fastmath: frozenset[str]) -> int:
    return handler(program, layout, api_version(), fastmath)


@functools.cache
def _target(program: Program, layout: Layout, fastmath: frozenset[str]) -> str:
    """The name under which XLA knows a kernel: the same in every process, as JAX may keep on disk what calls it."""
    content = repr((program, layout, sorted(fastmath)))
    name = f"izhnumba_{hashlib.sha256(content.encode()).hexdigest()[:32]}"
    capsule = jax.ffi.pycapsule(ctypes.c_void_p(_handler(program, layout, fastmath)))
    jax.ffi.register_ffi_target(name, capsule, platform="cpu", api_version=1)
    return name


@functools.cache
def _warn_once(version: tuple[int, int]) -> None:
    warnings.warn(
        f"izhnumba.jax knows XLA's foreign function interface {MAJOR}.0 to {MAJOR}.{NEWEST_MINOR}, this jax "
        f"({jax.__version__}) has {version[0]}.{version[1]}: kernels are called through Python, 0.2 ms a call.",
        RuntimeWarning,
        stacklevel=2,
    )


def _call_with_a_frame(address: int, results: Sequence[Any], *operands: Any) -> tuple[Array, ...]:
    """Call a handler with a call frame of our own making."""
    arguments = [np.asarray(operand, order="C") for operand in operands]
    n_lead = arguments[0].ndim  # of the number of steps, which has no axes but those of a batch
    lead = np.broadcast_shapes(*(argument.shape[:n_lead] for argument in arguments))
    made = tuple(np.empty((*lead, *result.shape), result.dtype) for result in results)
    kept: list[Array] = []
    frame = np.zeros(32, np.int64)
    frame[xla.N_ARGUMENTS], frame[xla.N_RESULTS] = len(arguments), len(made)
    frame[xla.ARGUMENTS], frame[xla.RESULTS] = (_buffers(arrays, kept) for arrays in (arguments, made))
    if ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(frame.ctypes.data):
        raise ValueError(xla.TEXT)
    return made


def _buffers(arrays: Sequence[Array], kept: list[Array]) -> int:
    """The address of the addresses of descriptions of arrays, which live as long as `kept`."""
    addresses = np.zeros(len(arrays) + 1, np.int64)
    for k, array in enumerate(arrays):
        dims, buffer = np.array(array.shape, np.int64), np.zeros(6, np.int64)
        kind = f"{array.dtype.kind}{array.dtype.itemsize}"
        buffer[xla.BUFFER_DTYPE], buffer[xla.DATA] = xla.DTYPES[kind], array.ctypes.data
        buffer[xla.RANK], buffer[xla.DIMS] = array.ndim, dims.ctypes.data
        addresses[k] = buffer.ctypes.data
        kept += [dims, buffer]
    kept.append(addresses)
    return addresses.ctypes.data
