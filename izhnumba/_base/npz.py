"""Arrays from npy and npz files: declared sizes are compared with the length of the file before memory is taken."""

from __future__ import annotations

import math
import os
import warnings
import zipfile
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.words import counted

Array = NDArray[Any]
KINDS = "biufUV"  # of dtypes: numbers, texts and records; nothing that must be executed to be read
_CHUNK = 2**22  # bytes
_ENCRYPTED = 1  # among the flags of a member


class Head(NamedTuple):
    """Header of an npy file: shape of the array, whether it is in Fortran order, dtype."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * int(self.dtype.itemsize)


def head(file: IO[bytes], size: int) -> Head:
    """Read the head of an npy file of `size` bytes, up to its data; a ValueError if it is none, or declares more data
    than there are."""
    try:
        with warnings.catch_warnings(action="ignore"):
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            found = Head(*read(file))
    except Exception:  # a damaged head raises many types of errors
        raise ValueError("is no npy file") from None
    plain = found.dtype.kind in KINDS and not found.dtype.hasobject and found.dtype.subdtype is None
    if not plain or any(type(n) is not int or not 0 <= n < 2**62 for n in found.shape):
        raise ValueError(f"has elements {found.dtype} in shape {found.shape}, of which nothing can be made")
    if found.n_bytes > size - file.tell():
        raise ValueError(f"declares {counted(found.n_bytes, 'byte')} and holds {size - file.tell()}")
    return found


def arrays(file: BinaryIO) -> dict[str, Array]:
    """All arrays of an npz file by name; a ValueError that begins with "which" if they cannot be had."""
    size = file.seek(0, os.SEEK_END)
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # a damaged archive raises many types of errors
        raise ValueError(f"which cannot be read: {error}") from None
    with archive:
        members = archive.infolist()
        _check(members, size)
        return {one.filename.removesuffix(".npy"): _array(archive, one) for one in members}


def _check(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse an archive of `size` bytes with members other than uncompressed arrays of different names, or too long."""
    names = [one.filename for one in members]
    if len(set(names)) < len(names):
        raise ValueError("which holds two arrays of one name")
    for one in members:
        plain = one.compress_type == zipfile.ZIP_STORED and one.compress_size == one.file_size
        if not plain or one.flag_bits & _ENCRYPTED or not one.filename.endswith(".npy"):
            raise ValueError(f"whose member {checks.shown(one.filename)} is no array as it was saved")
    if sum(one.file_size for one in members) > size:
        raise ValueError("whose arrays are declared to be longer than the file")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    try:
        return _read(archive, member)
    except ValueError:
        raise
    except Exception as error:  # damage shows in several ways
        raise ValueError(f"whose member {checks.shown(member.filename)} cannot be read: {error}") from None


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    name, size = member.filename.removesuffix(".npy"), member.file_size
    with archive.open(member) as file:
        try:
            found = head(file, size)
        except ValueError as error:
            raise ValueError(f"whose {name} {error}") from None
        if found.n_bytes != size - file.tell():
            raise ValueError(f"whose {name} declares {counted(found.n_bytes, 'byte')} and holds {size - file.tell()}")
        data = np.empty(found.n_bytes, np.uint8)
        for begin in range(0, found.n_bytes, _CHUNK):
            part = file.read(min(_CHUNK, found.n_bytes - begin))
            data[begin : begin + len(part)] = np.frombuffer(part, np.uint8)
    if not data.size:
        return np.zeros(found.shape, found.dtype)
    return data.view(found.dtype).reshape(found.shape, order="F" if found.fortran else "C")
