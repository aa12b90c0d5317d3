"""Programs as kernels: every operation, every number of lanes, and the call from XLA."""

from __future__ import annotations

import math
import re
import threading
from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from assembly import FUSED, MATHEMATICS, PACKED, count, widest_vectors
from jax import lax
from processes import COUNT, run, write

import izhnumba.jax as izj
from izhnumba._numba.compile import CONTRACT, STRICT, c_address_of, target_features
from izhnumba.jax import _ffi
from izhnumba.jax._exprel import exprel
from izhnumba.jax._kernels import scan
from izhnumba.jax._kernels.program import OPERATIONS, Number, Op, Program
from izhnumba.jax._kernels.scan import BLOCK
from izhnumba.jax._programs import NotElementwise, program
from izhnumba.jax._scan import by_kernel

pytestmark = pytest.mark.jax
DTYPES = ("float64", "float32")
dtypes = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def evaluated(function, *arrays):
    """A function of numbers, as a kernel, for each of the lanes."""
    carry, rows = (np.zeros(arrays[0].shape, arrays[0].dtype),), tuple(x[None] for x in arrays)
    _, outs = by_kernel(_step_of(function), carry, (), rows, 1, fastmath=STRICT)
    return [np.asarray(out)[0] for out in outs]


_steps = {}


def _step_of(function):
    """The same step for the same function: kernels are kept by it."""
    return _steps.setdefault(function, lambda carry, constants, row: (carry, function(*row)))


# --- operations -----------------------------------------------------------------------------------------------------


def same(names):
    return {name: (getattr(lax, name), getattr(np, name)) for name in names.split()}


def one_or_zero(function):
    return lambda *numbers: function(*numbers).astype(numbers[0].dtype)


# JAX's function and the same of NumPy, by the names of the operations; exact ones, and rounded ones.
EXACT = same("sign floor ceil sqrt abs square") | {
    "neg": (lax.neg, np.negative),
    "round": (lax.round, lambda x: np.copysign(np.where(abs(x) % 1 == 0.5, abs(x) + 0.5, np.rint(abs(x))), x)),
    "round_even": (jnp.round, np.round),
    "is_finite": (one_or_zero(lax.is_finite), np.isfinite),
    "copy": (jnp.copy, np.copy),
    "convert_element_type": (
        lambda x: (x > 0).astype(x.dtype) - (x < 7).astype("int32"),
        lambda x: 1.0 * (x > 0) - (x < 7),
    ),
}  # fmt: skip
EXACT_OF_TWO = {
    "add": (lax.add, np.add), "sub": (lax.sub, np.subtract), "mul": (lax.mul, np.multiply), "div": (lax.div, np.divide),
    "max": (lax.max, np.maximum), "min": (lax.min, np.minimum),
    "eq": (one_or_zero(lax.eq), np.equal), "ne": (one_or_zero(lax.ne), np.not_equal),
    "lt": (one_or_zero(lax.lt), np.less), "le": (one_or_zero(lax.le), np.less_equal),
    "gt": (one_or_zero(lax.gt), np.greater), "ge": (one_or_zero(lax.ge), np.greater_equal),
    "select_n": (lambda x, y: jnp.where(x < y, x, -y), lambda x, y: np.where(x < y, x, -y)),
    "and or": (one_or_zero(lambda x, y: (x > 0) & (y > 0) | (x < y)), lambda x, y: (x > 0) & (y > 0) | (x < y)),
    "xor not": (one_or_zero(lambda x, y: ~(x > 1) ^ (y > 1)), lambda x, y: ~(x > 1) ^ (y > 1)),
    "add_any": (lambda x, y: jax.grad(lambda x: x * y + x * 1.5)(x), lambda x, y: y + x.dtype.type(1.5)),
}  # fmt: skip
ROUNDED = same("exp exp2 log sin cos tan expm1 log1p sinh cosh tanh cbrt") | {
    "atan": (lax.atan, np.arctan), "erf": (lax.erf, np.vectorize(math.erf)),
    "rsqrt": (lax.rsqrt, lambda x: 1 / np.sqrt(x)), "logistic": (lax.logistic, lambda x: 1 / (1 + np.exp(-x))),
    "exprel": (exprel, lambda x: np.where(x == 0, 1, np.where(x == np.inf, x, np.expm1(x) / np.where(x == 0, 1, x)))),
    "integer_pow": (lambda x: x**3, lambda x: x**3), "negative integer_pow": (lambda x: x**-2, lambda x: 1 / x**2),
}  # fmt: skip
ROUNDED_OF_TWO = {"pow": (lax.pow, np.power), "atan2": (lax.atan2, np.arctan2)}


def everything(x, y):
    of_one = [function(x) for function, _ in (EXACT | ROUNDED).values()]
    return (*of_one, *(function(x, y) for function, _ in (EXACT_OF_TWO | ROUNDED_OF_TWO).values()))


def numbers(dtype):
    """Every pair of special numbers, and ordinary ones."""
    info, rng = np.finfo(dtype), np.random.default_rng(0)
    special = [0.0, 1.0, 0.5, 1.5, 2.5, 3.7, 80.0, 1e-30, 1e30, np.inf, np.nan, info.max]
    special = np.array([*special, *np.negative(special)], dtype)
    pairs = np.array(np.meshgrid(special, special)).reshape(2, -1)
    return np.concatenate([pairs, rng.normal(0, 4, (2, 2000)).astype(dtype)], axis=1)


def flushed(values, dtype):
    """XLA runs with subnormal numbers taken for zeros."""
    values = np.asarray(values).astype(dtype)
    return np.where(np.abs(values) < np.finfo(dtype).tiny, np.copysign(np.zeros_like(values), values), values)


@dtypes
def test_every_operation(dtype):
    table = EXACT | ROUNDED | EXACT_OF_TWO | ROUNDED_OF_TWO
    assert {name for names in table for name in names.split()} >= set(OPERATIONS)
    x, y = numbers(dtype)
    for name, value in zip(table, evaluated(everything, x, y), strict=True):
        arguments = (x, y) if name in EXACT_OF_TWO | ROUNDED_OF_TWO else (x,)
        with np.errstate(all="ignore"):
            if name in EXACT | EXACT_OF_TWO:
                expected, eps = flushed(table[name][1](*arguments), dtype), 0
            else:
                expected, eps = flushed(table[name][1](*map(np.float64, arguments)), dtype), np.finfo(dtype).eps
        assert value.dtype == dtype, name
        np.testing.assert_allclose(value, expected, rtol=8 * eps, atol=np.finfo(dtype).tiny * (eps > 0), err_msg=name)
        if name not in ("max", "min", "sign", "convert_element_type"):  # XLA's sign of -0 is -0
            zero = (value == 0) & (expected == 0)
            np.testing.assert_array_equal(np.signbit(value[zero]), np.signbit(expected[zero]), err_msg=name)


def a_few(x, y):
    return exprel(x) - y, lax.tanh(x) * y, jnp.where(x < y, lax.exp(y), x / y)


@dtypes
def test_a_lane_is_the_same_among_any_number_of_lanes(dtype):
    """Vectors and what is left of them: 1 to 70 lanes."""
    x, y = numbers(dtype)[:, -70:]
    whole = evaluated(a_few, x, y)
    for n in range(1, 70):
        for part, full in zip(evaluated(a_few, x[-n:], y[-n:]), whole, strict=True):
            np.testing.assert_array_equal(part, full[-n:])


def whole_numbers(i, j):
    arithmetic = i + j, i - j, i * j, -i, lax.max(i, j), lax.min(i, j), i.astype("float64").astype(i.dtype)
    return *arithmetic, i & j, i | j, i ^ j, ~i, (i < j).astype(i.dtype), jnp.where(i == j, i, 7)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_operations_on_whole_numbers(dtype):
    i, j = np.random.default_rng(1).integers(-9, 10, (2, 40)).astype(dtype)
    for found, expected in zip(
        evaluated(whole_numbers, i, j), whole_numbers(jnp.asarray(i), jnp.asarray(j)), strict=True
    ):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def exact(z):
    """exprel and its first two derivatives, in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        z = Decimal(z)
        if abs(z) < Decimal("1e-20"):
            return float(1 + z / 2), float(Decimal("0.5") + z / 3), 1 / 3
        e = z.exp()
        return float((e - 1) / z), float((e * (z - 1) + 1) / z**2), float((e * (z * z - 2 * z + 2) - 2) / z**3)


def exprel_and_slope(z):
    return exprel(z), jax.grad(exprel)(z)


@dtypes
def test_exprel_and_its_slope(dtype):
    most = 700 if dtype == "float64" else 85
    tiny = np.geomspace(1e-30, 0.1, 100)
    z = np.concatenate(
        [[0.0, 0.5, -0.5, 0.8], tiny, -tiny, np.linspace(-3, 3, 1001), np.linspace(-50, most, 500)]
    ).astype(dtype)
    expected = np.array([exact(float(x)) for x in z]).T
    for found in (evaluated(exprel_and_slope, z), jax.jit(jax.vmap(exprel_and_slope))(z)):
        for value, right, tolerance in zip(found, expected[:2], (4, 60), strict=True):
            np.testing.assert_allclose(value, right, rtol=tolerance * np.finfo(dtype).eps)
    # Beyond: 0 and a slope that loses digits, but no false number.
    far = np.array([-1e5, -1e30, np.finfo(dtype).min], dtype)
    for found in (evaluated(exprel_and_slope, far), jax.vmap(exprel_and_slope)(far)):
        assert np.all(np.abs(found) <= 1.001e-5)
    z = [-2.0, -1e-3, 0.0, 0.2, 3.0]
    second = jax.vmap(jax.grad(jax.grad(exprel)))(jnp.array(z))
    np.testing.assert_allclose(second, [exact(x)[2] for x in z], rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: lax.rem(x, 2.0), "rem"),
        (lambda x: lax.clamp(0.0, x, 1.0), "clamp"),
        (lambda x: lax.erf_inv(x), "erf_inv"),
        (lambda x: lax.fori_loop(0, 3, lambda i, y: 2 * y, x), "scan"),
        (lambda x: lax.scan(lambda y, _: (2 * y, None), x, length=3)[0], "scan"),
        (lambda x: lax.while_loop(lambda y: y < 9, lambda y: 2 * y, x), "while"),
        (lambda x: lax.cond(x > 0, jnp.sin, jnp.cos, x), "cond"),
        (lambda x: jnp.full(3, x).sum(), "broadcast_in_dim"),
        (lambda x: x * jnp.asarray(np.arange(3.0))[1], "an array among its numbers"),
        (lambda x: lax.select_n(x.astype("int32"), x, x, x), "select_n"),
        (lambda x: lax.square(x.astype("int32")), "square of integers"),
        (lambda x: x.astype("int32") ** 3, "integer_pow of integers"),
        (lambda x: abs(x.astype("int32")), "abs of integers"),
        (lambda x: lax.pow(x, x.astype("int32")), "pow of integers"),
        (lambda x: lax.max(x > 0, x > 1), "max"),
        (lambda x: x.astype("float16"), "numbers of dtype float16"),
        (lambda x: x.astype("complex64").real, "numbers of dtype complex64"),
    ],
)  # fmt: skip
def test_what_kernels_do_not_know_is_named(function, name):
    with pytest.raises(NotElementwise, match=f"^{name}"):
        program(lambda x: (function(x),), ["float64"])


def test_programs_are_plain_data():
    def function(x, y):
        return jax.jit(lambda x: jnp.where(x > 2.0, x, y))(x), jax.grad(lambda x: x**3 * y)(x), 7.0

    one, other = (program(lambda *x: function(*x), ["float64", "float32"]) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one.inputs == ("f8", "f4")
    assert one.outputs[-1] == Number(7.0, "f8")
    assert {op.name for op in one.ops} <= set(OPERATIONS)
    assert eval(repr(one), {"Program": Program, "Op": Op, "Number": Number}) == one


# --- runs -----------------------------------------------------------------------------------------------------------


def gradients(params, state, I, **options):
    """Everything that two kernels make, forwards and backwards."""

    def loss(params, state, I):
        options_ = {
            "tau_ref": 1.0,
            "record": ("spikes", "V", "u"),
            "backend": "numba",
            "g": 0.01 * I,
            "E": 0.0,
        } | options
        after, out = izj.run(params, state, I, 0.1, **options_)
        return jnp.sum(out.V * out.u) + jnp.sum(out.spikes), (after, out)

    both = jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True, allow_int=True)
    (_, made), slopes = jax.jit(both)(params, state, I)
    return jax.tree.map(np.asarray, (*made, slopes[0], slopes[1].V, slopes[1].u, slopes[2]))


def draw(n, n_steps, dtype, seed=0):
    rng = np.random.default_rng(seed)
    params = {"a": rng.uniform(0.02, 0.1, n), "d": rng.uniform(2, 8, n)}
    V, u, I = rng.uniform(-70, 25, n), rng.uniform(-15, -5, n), rng.normal(25, 10, (n_steps, n))
    params, V, u, I = jax.tree.map(lambda x: jnp.asarray(x, dtype), (params, V, u, I))
    return params, izj.State(V, u, jnp.zeros(n, jnp.int32)), I


@dtypes
def test_lanes_alone_and_among_neighbours(dtype):
    """Not a bit of a neuron depends on how many there are beside it, nor on the block that it is in."""
    n = 2 * BLOCK + 50
    cells = draw(n, 40, dtype)
    whole = gradients(*cells)
    assert whole[1].spikes.sum() > n
    for lanes in (slice(n - 1, n), slice(500, 2000)):
        part = gradients(*jax.tree.map(lambda x, lanes=lanes: x[..., lanes], cells))
        for alone, among in zip(jax.tree.leaves(part), jax.tree.leaves(whole), strict=True):
            np.testing.assert_array_equal(alone, among[..., lanes])


def test_what_is_no_number_stays_in_its_lane():
    cells = draw(40, 30, "float64")
    clean = gradients(*cells)
    params, state, I = cells
    I = I.at[5:, 3].set(np.nan).at[7, 20].set(np.inf)
    broken = gradients(params | {"a": params["a"].at[37].set(np.nan)}, state._replace(V=state.V.at[11].set(-np.inf)), I)
    good = ~np.isin(np.arange(40), [3, 11, 20, 37])
    for one, other in zip(jax.tree.leaves(broken), jax.tree.leaves(clean), strict=True):
        np.testing.assert_array_equal(one[..., good], other[..., good])
    assert np.isnan(broken[1].V[-1, [3, 37]]).all()
    assert broken[1].spikes[6:, 3].sum() == 0  # NaN is no spike


def test_four_threads_at_once():
    """Each compiles, then calls the same kernels as the others."""
    cells = draw(33, 20, "float64", seed=1)
    expected = gradients(*cells, scheme="izhikevich2003")
    found = {}

    def work(k):
        with jax.enable_x64(True):
            found[k] = gradients(*cells, scheme="izhikevich2003")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1, 2, 3]
    for result in found.values():
        jax.tree.map(np.testing.assert_array_equal, result, expected)


# --- machine code ---------------------------------------------------------------------------------------------------


def test_lanes_are_packed(monkeypatch, tmp_path):
    """Both passes of exponential Euler in float32: vectors of the widest kind, and no mathematical function."""
    kernels, dispatchers = [], []
    call = _ffi.call
    monkeypatch.setattr(_ffi, "call", lambda *arguments: (kernels.append(arguments[:3]), call(*arguments))[1])
    params, state, I = draw(50, 1237, "float32")
    jax.eval_shape(jax.grad(lambda I: jnp.sum(izj.run(params, state, I, 0.1, tau_ref=2.0, backend="numba")[1].V)), I)
    assert [layout.backwards for _, layout, _ in kernels][-2:] == [False, True]
    monkeypatch.setattr(scan, "c_address_of", lambda d, s: (dispatchers.append(d), c_address_of(d, s))[1])
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # code from a cache cannot be looked at
    widest = widest_vectors()
    for kernel, least in zip(kernels[-2:], (10, 30), strict=True):
        scan.handler(*kernel[:2], (0, 3), kernel[2])
        text = next(iter(dispatchers[-1].inspect_asm().values()))
        start = re.search(r"^_?step_of_lanes:", text, re.MULTILINE).end()
        lines = text[start : text.index("func_end", start)].splitlines()
        assert kernel[2] == CONTRACT
        assert count(MATHEMATICS, lines) == 0
        assert count(FUSED, lines) > least or "fma" not in target_features()
        assert min(count(PACKED, lines), count(widest, lines)) > least  # one code for all lanes, whole vectors or not
        assert count(r"\bv?(add|sub|mul|div|fn?m(add|sub)\d+)s[sd]\b", lines) < 5


SCRIPT = """
import json, warnings
import jax, numpy as np, izhnumba as iz, izhnumba.jax as izj
warnings.simplefilter("error")
params, state = izj.init(9, V=-60.0, u=-13.0)
def loss(I):
    return izj.run(params, state, I, 0.5, n_steps=100, tau_ref=2.0)[1].V.sum()
value, slope = jax.value_and_grad(loss)(15.0)
print(json.dumps([compiles(), float(value), float(slope)]))
"""


def test_a_second_process_compiles_nothing(tmp_path):
    script = write(tmp_path / "script.py", COUNT, SCRIPT)
    n_compiled, *values = run(script, cache=tmp_path / "cache")
    assert n_compiled > 0
    assert run(script, cache=tmp_path / "cache") == [0, *values]
