"""Scans over steps, whose step is a function of single lanes: by `lax.scan`, or by one call of a compiled kernel.

Shapes: arrays of the carry (lanes,), of the constants () or (lanes,), of the rows (n_steps,) or (n_steps, lanes).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from izhnumba.jax import _ffi
from izhnumba.jax._kernels.program import Program
from izhnumba.jax._kernels.scan import Operand, ScanOperands
from izhnumba.jax._programs import KINDS, program
from izhnumba.jax._reverse import only_once

Step = Callable[..., Any]  # (carry, constants, row) -> (carry, outs), all of them tuples of numbers
Arrays = tuple[jax.Array, ...]
FIRST_REVERSE = (
    "run.backend must be 'xla' in forward mode and for second derivatives (jvp, jacfwd, linearize, hessian), got "
    "'numba', whose kernels have first derivatives in reverse mode (grad, vjp, jacrev)."
)


def by_xla(step: Step, carry: Arrays, constants: Arrays, rows: Arrays, n_steps: int) -> tuple[Arrays, Arrays]:
    """(carry after the last step, rows that come out), forwards in time, by `lax.scan`, which JAX can differentiate."""
    return jax.lax.scan(lambda now, row: step(now, constants, row), carry, rows, length=n_steps)


def by_kernel(
    step: Step,
    carry: Arrays,
    constants: Arrays,
    rows: Arrays,
    n_steps: int,
    *,
    fastmath: frozenset[str],
    backwards: bool = False,
) -> tuple[Arrays, Arrays]:
    """The same by a compiled kernel, which JAX cannot differentiate.

    Parameters
    ----------
    step : Step
        Made of operations that kernels have; compiled once for each kind of operands.
    carry, constants, rows : tuple of arrays
    n_steps : int
    fastmath : frozenset of str
        Flags of LLVM.
    backwards : bool
        Whether to go from the last step to the first.
    """
    once, often = (tuple(_operand(x, False) for x in arrays) for arrays in (carry, constants))
    each = tuple(_operand(x, True) for x in rows)
    traced, outs = _traced(step, once, often, each)
    layout = ScanOperands(once, often, each, outs, backwards)
    n_lanes = carry[0].shape[0]
    results = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in carry]
    results += [jax.ShapeDtypeStruct((n_steps, n_lanes), _DTYPES[out.kind]) for out in outs]

    operands = only_once(FIRST_REVERSE, (jnp.int32(n_steps), *carry, *constants, *rows))
    found = _ffi.call(traced, layout, fastmath, operands, results)
    return tuple(found[: len(carry)]), tuple(found[len(carry) :])


_DTYPES = {kind: name for name, kind in KINDS.items()}


def _operand(array: jax.Array, steps: bool) -> Operand:
    """How the kernel reads an array. steps: whether its first axis is that of the steps."""
    return Operand(KINDS[array.dtype.name], steps, array.ndim > steps)


@functools.cache
def _traced(step: Step, *kinds: tuple[Operand, ...]) -> tuple[Program, tuple[Operand, ...]]:
    """(the program of a step; how the kernel writes each row that comes out). kinds: of carry, constants and rows."""
    n_carry, n_constants, n_rows = map(len, kinds)

    def flat(*numbers):
        constants = numbers[n_carry : n_carry + n_constants]
        carry, outs = step(numbers[:n_carry], constants, numbers[n_carry + n_constants :])
        return (*carry, *outs)

    dtypes = [_DTYPES[operand.kind] for operands in kinds for operand in operands]
    structs = [jax.ShapeDtypeStruct((), dtype) for dtype in dtypes]
    outs = jax.eval_shape(flat, *structs)[n_carry:]
    return program(flat, dtypes), tuple(Operand(KINDS[out.dtype.name], True, True) for out in outs)
