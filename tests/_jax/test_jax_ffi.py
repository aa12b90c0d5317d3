"""Kernels called by XLA: its call frames, what is refused, and the way through Python where that does not work."""

from __future__ import annotations

import ctypes
import re
import threading
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_jax_kernels import draw, gradients

import izhnumba.jax as izj
from izhnumba._numba.compile import STRICT
from izhnumba.jax import _ffi
from izhnumba.jax._kernels import xla
from izhnumba.jax._kernels.program import Op, Program
from izhnumba.jax._kernels.scan import Operand, ScanOperands

pytestmark = pytest.mark.jax


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


TINY = Program(("f4", "f4", "f4"), (Op("mul", "f4", (0, 1)), Op("add", "f4", (3, 2))), (4, 4))  # V k + I
KEPT = []
LANE, NUMBER, ROW = Operand("f4", False, True), Operand("f4", False, False), Operand("f4", True, True)


def tiny_call(arguments, results):
    name = _ffi._target(TINY, ScanOperands((LANE,), (NUMBER,), (ROW,), (ROW,)), STRICT)
    structs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in results]
    return jax.block_until_ready(jax.ffi.ffi_call(name, structs)(*arguments))


def test_wrong_buffers_are_an_error_of_python():
    n, V, k, I = jnp.int32(3), jnp.ones(5, "float32"), jnp.float32(2), jnp.ones((3, 5), "float32")
    right = [((5,), "float32"), ((3, 5), "float32")]
    assert tiny_call((n, V, k, I), right)[1][:, 0].tolist() == [3, 7, 15]
    assert tiny_call((n, V[None], k[None], I[None]), [((1, 5), "float32"), ((1, 3, 5), "float32")])[1].shape == (
        1,
        3,
        5,
    )
    for arguments, results in [
        ((n, V.astype("int32"), k, I), right),
        ((n, V[:4], k, I), right),
        ((n, V, k[None], I), right),
        ((n, V, k, I[:2]), right),
        ((n, V, k, I.astype("float64")), right),
        ((jnp.int32(4), V, k, I), right),
        ((jnp.int32(-4), V, k, I), right),
        ((n, V, k), right),
        ((n, V, k, I, I), right),
        ((n, V, k, I), right[:1]),
        ((n, V, k, I), [right[0], ((3, 4), "float32")]),
        ((n, V, k, I), [right[0], ((3, 5), "int32")]),
        ((n, V, k, I), [((), "float32"), right[1]]),
        ((n, jnp.ones((2, 5), "float32"), k[None], I[None]), [((3, 5), "float32"), ((3, 3, 5), "float32")]),
    ]:
        with pytest.raises((jax.errors.JaxRuntimeError, ValueError), match="izhnumba: the buffers of a call must have"):
            tiny_call(arguments, results)


def frame_of_tiny(kept):
    """A call of TINY with three steps of five lanes, and what it returns."""
    arguments = [np.int32(3), np.ones(5, "float32"), np.float32(2), np.ones((3, 5), "float32")]
    arguments, made = list(map(np.asarray, arguments)), (np.zeros(5, "float32"), np.zeros((3, 5), "float32"))
    kept += [*arguments, *made]
    return _ffi._frame(arguments, made, kept), made


def called(frame):
    """What a handler returns: 0, or the address of an error."""
    address = _ffi._handler(TINY, ScanOperands((LANE,), (NUMBER,), (ROW,), (ROW,)), STRICT)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(frame.ctypes.data)


def words_at(address, n):
    return np.ctypeslib.as_array(ctypes.cast(int(address), ctypes.POINTER(ctypes.c_int64)), (n,))


def argument(frame, k):
    return words_at(words_at(frame[xla.ARGUMENTS], k + 1)[k], 6)


def result(frame, k):
    return words_at(words_at(frame[xla.RESULTS], k + 1)[k], 6)


@pytest.mark.parametrize("change", [
    lambda frame: frame.__setitem__(xla.SIZE, 168 + 64),  # of a frame with a future and more
    lambda frame: frame.__setitem__(xla.RESULTS_SIZE, 48),
    lambda frame: argument(frame, 1).__setitem__(xla.SIZE, 56),
    lambda frame: result(frame, 1).__setitem__(xla.SIZE, 56),
    lambda frame: frame.__setitem__(xla.STAGE, 3 + (7 << 32)),  # an int32, and what lies behind it
    lambda frame: frame.__setitem__(xla.EXTENSION, np.array([24, 99, 0]).ctypes.data),
])  # fmt: skip
def test_frames_of_a_newer_minor_version(change):
    """Their structs have more fields behind those that are read."""
    kept = []
    frame, made = frame_of_tiny(kept)
    change(frame)
    assert called(frame) == 0
    assert made[1][:, 0].tolist() == [3, 7, 15]


@pytest.mark.parametrize("change", [
    lambda frame: frame.__setitem__(xla.SIZE, 8 * xla.RESULTS),
    lambda frame: frame.__setitem__(xla.ARGUMENTS_SIZE, 48),  # the results would lie elsewhere
    lambda frame: frame.__setitem__(xla.RESULTS_SIZE, 32),
    lambda frame: argument(frame, 0).__setitem__(xla.SIZE, 40),
    lambda frame: argument(frame, 0).__setitem__(xla.BUFFER_DTYPE, 5),
    lambda frame: argument(frame, 1).__setitem__(xla.SIZE, 40),
    lambda frame: result(frame, 0).__setitem__(xla.SIZE, 40),
    lambda frame: result(frame, 1).__setitem__(xla.SIZE, 40),
    lambda frame: frame.__setitem__(xla.STAGE, 4),
    lambda frame: frame.__setitem__(xla.STAGE, 5),
])  # fmt: skip
def test_frames_that_are_not_read(change):
    """Structs that are too short, and the recording of a call, whose arguments may hold anything."""
    kept = []
    frame, made = frame_of_tiny(kept)
    change(frame)
    assert called(frame) != 0
    assert not made[1].any()


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_stages_before_the_execution_need_nothing(stage):
    kept = []
    frame, made = frame_of_tiny(kept)
    frame[xla.STAGE] = stage
    assert called(frame) == 0
    assert not made[1].any()


def test_an_unknown_frame_is_an_error_of_python():
    """XLA's own, which has been told to record."""

    @ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
    def recorded(address):
        frame = words_at(address, 16)
        if not frame[xla.EXTENSION]:
            frame[xla.STAGE] = 4
        return called(frame)

    capsule = jax.ffi.pycapsule(ctypes.cast(recorded, ctypes.c_void_p))
    jax.ffi.register_ffi_target("recorded_call_of_a_test", capsule, platform="cpu", api_version=1)
    arguments = jnp.int32(3), jnp.ones(5, "float32"), jnp.float32(2), jnp.ones((3, 5), "float32")
    structs = [jax.ShapeDtypeStruct(shape, "float32") for shape in ((5,), (3, 5))]
    with pytest.raises((jax.errors.JaxRuntimeError, ValueError), match="izhnumba: call frames must be those of XLA's"):
        jax.block_until_ready(jax.ffi.ffi_call("recorded_call_of_a_test", structs)(*arguments))
    KEPT.append(recorded)  # which XLA does not forget


def test_this_xla_calls_kernels():
    """The newest one, too: not through Python, as it would also do."""
    assert _ffi.api_version()[0] == xla.MAJOR
    assert _ffi._works()


@pytest.mark.parametrize("traced", [jax.jit, jax.grad, jax.vmap], ids=["jit", "grad", "vmap"])
def test_the_self_test_under_transformations(traced):
    _ffi._works.cache_clear()
    found = []
    traced(lambda x: (found.append(_ffi._works()), x)[1])(np.ones(()) if traced is jax.grad else np.ones(2))
    assert found == [True]


def test_kernels_are_registered_once():
    """By whichever thread comes first."""
    other = TINY._replace(ops=(TINY.ops[0]._replace(name="div"), TINY.ops[1]))
    kernel = other, ScanOperands((LANE,), (NUMBER,), (ROW,), (ROW,)), STRICT
    operands = jnp.int32(3), jnp.ones(5, "float32"), jnp.float32(2), jnp.ones((3, 5), "float32")
    structs = [jax.ShapeDtypeStruct(shape, "float32") for shape in ((5,), (3, 5))]
    start, found = threading.Barrier(4), []

    def work():
        start.wait()
        found.append(np.asarray(_ffi.call(*kernel, operands, structs)[1])[:, 0].tolist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[1.5, 1.75, 1.875]] * 4


def crashes():
    raise RuntimeError("a test says no")


UNKNOWN_INTERFACES = {
    "wrong result": (_ffi.jax.ffi, "ffi_call", lambda *_: lambda *_: (np.zeros(2), np.zeros(2)), "gave: .*0.0.* wrong"),
    "error": (_ffi, "_self_test", crashes, "A first call gave: a test says no"),
    "major": (
        _ffi,
        "api_version",
        lambda: (1, 0),
        "interface is 1.0 in jax .* gave: nothing, it is made for version 0",
    ),
    "none": (jax.ffi, "include_dir", lambda: "/nowhere", "interface is -1.-1 in jax"),
}


@pytest.fixture
def unknown_interface(monkeypatch):
    """An XLA that does not call kernels as expected."""

    def clear():
        for cache in (_ffi._works, _ffi.api_version):
            getattr(cache, "cache_clear", int)()
        jax.clear_caches()

    def apply(owner, name, value):
        monkeypatch.setattr(owner, name, value)
        clear()

    yield apply
    monkeypatch.undo()
    clear()


def batch_of_gradients(cells):
    params, state, I = cells
    scaled = jnp.array([1.0, 1.3])
    return gradients(*cells), jax.vmap(
        jax.grad(lambda s: jnp.sum(izj.run(params, state, s * I, 0.1, backend="numba")[1].V))
    )(scaled)


@pytest.mark.parametrize(("owner", "name", "value", "match"), UNKNOWN_INTERFACES.values(), ids=UNKNOWN_INTERFACES)
def test_the_call_through_python(owner, name, value, match, request):
    cells = draw(5, 30, "float64")
    expected = batch_of_gradients(cells)
    request.getfixturevalue("unknown_interface")(owner, name, value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [batch_of_gradients(cells) for _ in range(2)]
    (warning,) = caught
    assert warning.category is RuntimeWarning
    assert re.match(
        r"izhnumba\.jax cannot call kernels straight from XLA, .* called through Python", str(warning.message)
    )
    assert re.search(match, str(warning.message))
    for result in found:
        jax.tree.map(np.testing.assert_array_equal, result, expected)


def test_a_guard_of_the_users_does_not_fail_the_first_call():
    with jax.transfer_guard("disallow"):
        _ffi._self_test()
