"""The call frame of XLA's foreign function interface, read as 8-byte words: their places are those of its `c_api.h`.

A kernel gets the address of a frame and returns 0, or the address of an error. No Python runs in a call. Minor versions
of the interface rename fields and functions, and append new ones. So a kernel accepts every minor version of MAJOR, and
refuses a struct that is too short; XLA writes the size in front of each.

Arguments `words`, `buffer`, `model` are pointers to the words of a frame or of a buffer.
"""

from __future__ import annotations

import numpy as np

from izhnumba._numba.intrinsics import call_address, ints_at, stack

MAJOR = 0
SIZE, EXTENSION = 0, 1  # of every struct
API, STAGE, N_ARGUMENTS, ARGUMENTS, N_RESULTS, RESULTS = 2, 4, 7, 9, 12, 14  # of a frame
ARGUMENTS_SIZE, RESULTS_SIZE = 5, 10  # of the structs in it
BUFFER_DTYPE, DATA, RANK, DIMS = 2, 3, 4, 5  # of a buffer
FRAME_BYTES, OPERANDS_BYTES, BUFFER_BYTES = 8 * (RESULTS + 1), 40, 8 * (DIMS + 1)  # up to the last one read
EXECUTE = 3  # of the stages; those before it prepare, RECORD behind it is for a GPU
DTYPES = {"b1": 1, "i4": 4, "i8": 5, "f4": 11, "f8": 12}  # XLA's numbers of them
INT32 = DTYPES["i4"]
TEXT = (
    "izhnumba: the buffers of a call must have the dtypes and shapes of its kernel, got others. Call the functions of "
    "izhnumba.jax, not their FFI targets."
)
UNKNOWN = (
    "izhnumba: call frames must be those of XLA's foreign function interface 0, in its execution, got others. Install "
    "a version of jax that izhnumba has been tested with."
)
_TEXT, _UNKNOWN = (np.frombuffer(text.encode() + b"\0", np.uint8).copy() for text in (TEXT, UNKNOWN))
_METADATA, _CREATE_ERROR, _INVALID_ARGUMENT = 1, 6, 3
_HALF = 0xFFFFFFFF  # of a word: an int32


def asked(words, version):
    """Whether XLA asks for the version of the interface only, which is then written into the frame."""
    if words[EXTENSION] == 0:
        return False
    extension = ints_at(words[EXTENSION])
    if extension[1] & _HALF != _METADATA:
        return False
    metadata = ints_at(extension[3])
    metadata[3] = version[0] | version[1] << 32
    metadata[4] &= ~_HALF  # no traits
    return True


def known(words):
    """Whether the fields of a frame are where this module reads them. The results come right behind the arguments."""
    return words[SIZE] >= FRAME_BYTES and words[ARGUMENTS_SIZE] == OPERANDS_BYTES <= words[RESULTS_SIZE]


def refuse(api, known):
    """The address of an error of XLA with TEXT (known) or UNKNOWN; 1 if the frame has no interface of XLA (api = 0)."""
    if api == 0:
        return 1
    wanted = stack(4)  # size, extension, message, code
    wanted[0], wanted[1], wanted[3] = 32, 0, _INVALID_ARGUMENT
    wanted[2] = _TEXT.ctypes.data if known else _UNKNOWN.ctypes.data
    return call_address(ints_at(api)[_CREATE_ERROR], wanted, 0)


def holds(buffer, dtype):
    """Whether a buffer has the fields that this module reads, and numbers of this dtype."""
    return buffer[SIZE] >= BUFFER_BYTES and buffer[BUFFER_DTYPE] & _HALF == dtype


def fits(buffer, dtype, model, lead, in_steps, n_steps, in_lanes, n_lanes):
    """Whether a buffer has this dtype and, behind the axes of the batch, the axes it should have.

    Parameters
    ----------
    buffer : pointer to its words
    dtype : int
        XLA's number of it.
    model : pointer to the words of the first result, whose axes are the batch and the lanes
    lead : int
        Number of axes of the batch.
    in_steps, in_lanes : bool
        Whether there is an axis of steps, and of lanes.
    n_steps, n_lanes : int
        Lengths of these.
    """
    rank = lead + in_steps + in_lanes
    if not holds(buffer, dtype) or buffer[RANK] != rank:
        return False
    dims, whole = ints_at(buffer[DIMS]), ints_at(model[DIMS])
    for axis in range(lead):
        if dims[axis] != 1 and dims[axis] != whole[axis]:
            return False
    return (not in_steps or dims[lead] == n_steps) and (not in_lanes or dims[rank - 1] == n_lanes)


def product(buffer, n_axes):
    """Product of the lengths of the first n_axes axes."""
    dims, result = ints_at(buffer[DIMS]), 1
    for axis in range(n_axes):
        result *= dims[axis]
    return result


def place(buffer, model, lead, batch, size):
    """The address of the data, `size` bytes, of member `batch` of the batch; axes of length 1 are shared by its
    members."""
    dims, whole, number, stride = ints_at(buffer[DIMS]), ints_at(model[DIMS]), 0, 1
    for axis in range(lead - 1, -1, -1):
        if dims[axis] != 1:
            number += batch % whole[axis] * stride
        stride *= dims[axis]
        batch //= whole[axis]
    return buffer[DATA] + number * size
