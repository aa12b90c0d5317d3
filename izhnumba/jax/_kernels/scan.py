"""The loop that JAX calls: a program over lanes and steps, forwards or backwards in time, on the buffers of XLA.

Arguments of a call: the number of steps, the carry, the constants, the rows. Results: the carry after the last step,
and the rows that come out. Every array may have axes of a batch in front, of length 1 or that of the result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from izhnumba._numba.compile import STRICT, c_address_of, called, compiled
from izhnumba._numba.intrinsics import NOINLINE, WIDEST, add_attribute, call_address, copy_bytes, ints_at, stack
from izhnumba.jax._kernels import xla
from izhnumba.jax._kernels.program import ITEM, Program, Writer, width

BLOCK = 1024  # lanes that go through all steps before the next ones do, so that their rows stay in the first cache
MOST = 256  # operands of a program
ITEM_SIZE, STEPS, LANES, DTYPE, FACTS = range(5)  # of an operand, in the table of a layout, behind as many of the whole


class Operand(NamedTuple):
    """How a program reads or writes an array."""

    kind: str  # of number
    steps: bool  # whether it has a row for each step
    lanes: bool  # whether it has a number for each lane


class ScanOperands(NamedTuple):
    """The operands of a scan: inputs in the order of the program's, then the rows that come out behind the carry."""

    carry: tuple[Operand, ...]
    constants: tuple[Operand, ...]
    rows: tuple[Operand, ...]
    outs: tuple[Operand, ...]
    backwards: bool = False

    @property
    def inputs(self) -> tuple[Operand, ...]:
        return self.carry + self.constants + self.rows

    def table(self):
        """The layout as int64, for the kernel: four facts of the whole, then four of each operand (ITEM_SIZE to
        DTYPE)."""
        n_in = len(self.inputs)
        head = len(self.carry), n_in, n_in + len(self.outs), self.backwards
        facts = [(ITEM[x.kind], x.steps, x.lanes, xla.DTYPES[x.kind]) for x in self.inputs + self.outs]
        return np.array([head, *facts], np.int64).ravel()


def handler(program: Program, layout: ScanOperands, version: tuple[int, int], fastmath: frozenset[str] = STRICT) -> int:
    """The address of the compiled kernel, a C function of a call frame, for an XLA whose interface has this version."""
    TABLE, VERSION, step_of_lanes = layout.table(), np.array(version), _step_of_lanes(program, layout)

    def scan(frame):
        return walk(frame, TABLE.ctypes.data, VERSION.ctypes.data, step_of_lanes())

    return c_address_of(compiled(scan, fastmath=fastmath, caller="C"), (types.int64,))


@called
def walk(frame, table, version, step):
    """The kernel: check the call frame, then take all steps of all lanes. Returns 0, or the address of an error.

    frame, table, version, step: addresses of the call frame, of a layout's table, of the version of XLA's interface and
    of the function of `_step_of_lanes`."""
    add_attribute(NOINLINE)
    words, head = ints_at(frame), ints_at(table)
    if xla.asked(words, ints_at(version)):
        return 0
    stage = words[xla.STAGE] & 0xFFFFFFFF
    if not xla.known(words) or stage > xla.EXECUTE:
        return xla.refuse(words[xla.API], False)
    if stage < xla.EXECUTE:
        return 0  # nothing to prepare
    n_carry, n_in, n, backwards = head[0], head[1], head[2], head[3]
    if words[xla.N_ARGUMENTS] != 1 + n_in or words[xla.N_RESULTS] != n_carry + n - n_in:
        return xla.refuse(words[xla.API], True)
    facts = ints_at(table + 8 * FACTS)
    arguments, results = ints_at(words[xla.ARGUMENTS]), ints_at(words[xla.RESULTS])
    model = ints_at(results[0])  # the shape of the whole: batch and lanes
    count = ints_at(arguments[0])  # of the steps
    if not xla.holds(count, xla.INT32) or not xla.holds(model, facts[DTYPE]) or model[xla.RANK] < 1:
        return xla.refuse(words[xla.API], True)
    n_steps, lead = ints_at(count[xla.DATA])[0] & 0xFFFFFFFF, model[xla.RANK] - 1
    n_batch, n_lanes = xla.product(model, lead), ints_at(model[xla.DIMS])[lead]
    start, now, stride = stack(MOST), stack(MOST), stack(MOST)
    for batch in range(n_batch):
        for j in range(n):
            item, in_steps, in_lanes = facts[j * FACTS], facts[j * FACTS + STEPS], facts[j * FACTS + LANES]
            row = item * (n_lanes if in_lanes else 1)
            size = row * (n_steps if in_steps else 1)
            comes_out = j < n_carry or j >= n_in
            buffer = ints_at(results[j if j < n_carry else j - n_in + n_carry] if comes_out else arguments[1 + j])
            if not xla.fits(buffer, facts[j * FACTS + DTYPE], model, lead, in_steps, n_steps, in_lanes, n_lanes):
                return xla.refuse(words[xla.API], True)
            start[j] = xla.place(buffer, model, lead, batch, size)
            if j < n_carry:
                before = ints_at(arguments[1 + j])
                if not xla.fits(before, facts[j * FACTS + DTYPE], model, lead, in_steps, n_steps, in_lanes, n_lanes):
                    return xla.refuse(words[xla.API], True)
                copy_bytes(start[j], xla.place(before, model, lead, batch, size), size)
            stride[j] = row * in_steps
            if backwards:
                start[j] += (n_steps - 1) * stride[j]
                stride[j] = -stride[j]
        for lane in range(0, n_lanes, BLOCK):
            for j in range(n):
                now[j] = start[j] + lane * facts[j * FACTS] * facts[j * FACTS + LANES]
            for _ in range(n_steps):
                call_address(step, now, min(BLOCK, n_lanes - lane))
                for j in range(n):
                    now[j] += stride[j]
    return 0


def _step_of_lanes(program: Program, layout: ScanOperands):
    """`step_of_lanes()` returns the address of a function of (table of addresses of the operands, n): one step of n
    lanes."""
    inputs, outs = layout.inputs, layout.outs
    targets = list(enumerate(layout.carry)) + list(enumerate(outs, len(inputs)))

    def write(builder, table, count) -> None:
        rows = []
        for j, operand in enumerate(inputs + outs):
            address = builder.load(builder.gep(table, [count.type(j)]))
            rows.append(builder.inttoptr(address, Writer(builder, 1).type(operand.kind).as_pointer()))
        w = Writer(builder, width(layout.carry[0].kind))
        shared = {j: w.shared(rows[j], x.kind) for j, x in enumerate(inputs) if not x.lanes}
        laned = {j: row for j, row in enumerate(rows) if j not in shared}
        with w.lanes(laned, {j for j, _ in targets}, count) as places:
            values = [shared[j] if j in shared else w.load(places[j], x.kind) for j, x in enumerate(inputs)]
            for (j, x), value in zip(targets, w.run(program, values), strict=True):
                w.store(value, places[j], x.kind)

    @intrinsic
    def step_of_lanes(typingctx):
        def generate(context, builder, signature, arguments):
            word = context.get_value_type(types.int64)
            function = ir.Function(builder.module, ir.FunctionType(word, [word.as_pointer(), word]), "step_of_lanes")
            function.linkage = "internal"
            set.add(function.attributes, WIDEST)
            inside = ir.IRBuilder(function.append_basic_block())
            write(inside, *function.args)
            inside.ret(word(0))
            return builder.ptrtoint(function, word)

        return types.int64(), generate

    return step_of_lanes
