"""Surrogate spike functions: a step forward, the slopes of braintools and of the papers backward."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from recorded import judge

from izhnumba.jax import _surrogates
from izhnumba.jax._surrogates import (
    ERF,
    S2NN,
    Arctan,
    GaussianGrad,
    InvSquareGrad,
    LeakyRelu,
    LogTailedRelu,
    MultiGaussianGrad,
    NonzeroSignLog,
    PiecewiseExp,
    PiecewiseLeakyRelu,
    PiecewiseQuadratic,
    QPseudoSpike,
    ReluGrad,
    Sigmoid,
    SlayerGrad,
    SoftSign,
    SquarewaveFourierSeries,
    Surrogate,
    as_surrogate,
    relu_grad,
    surrogate,
)

pytestmark = pytest.mark.jax
JUDGE = {entry["name"]: entry for entry in judge("surrogate_gradients_braintools")["functions"]}
X = np.linspace(-5.0, 5.0, 1001)
ELEMENTWISE = {
    *("abs", "add", "sub", "neg", "mul", "div", "max", "pow", "integer_pow", "exp", "cos", "lt", "gt", "select_n"),
    *("convert_element_type", "broadcast_in_dim"),  # of constants
}

# With parameters unlike the defaults and each other.
OTHERS = [
    Sigmoid(2.5), PiecewiseQuadratic(0.4), PiecewiseExp(3.0), SoftSign(2.5), Arctan(0.3), NonzeroSignLog(2.5), ERF(1.7),
    PiecewiseLeakyRelu(0.2, 1.3), SquarewaveFourierSeries(3, 7.0), S2NN(2.0, 3.0, 1e-3), QPseudoSpike(0.7),
    LeakyRelu(0.2, 0.7), LogTailedRelu(0.3), ReluGrad(0.7, 1.9), GaussianGrad(0.8, 0.9), InvSquareGrad(7.0),
    MultiGaussianGrad(0.3, 2.5, 0.8, 1.5), SlayerGrad(2.5),
]  # fmt: skip
DEFAULTS = [getattr(_surrogates, name)() for name in JUDGE]
every = pytest.mark.parametrize("spike", DEFAULTS + OTHERS, ids=repr)
unlike = pytest.mark.parametrize("spike", OTHERS, ids=repr)
each = pytest.mark.parametrize("name", JUDGE)


def lower(name):
    """The function that belongs to a class."""
    return getattr(_surrogates, JUDGE[name]["function"][0])


def derivative(function, x):
    """Of each element, in reverse mode."""
    return jax.vjp(function, x)[1](jnp.ones_like(x))[0]


def primitives(jaxpr):
    for equation in jaxpr.eqns:
        inner = equation.params.get("jaxpr")
        yield from primitives(inner.jaxpr) if inner is not None else [equation.primitive.name]


def test_the_set_is_that_of_braintools():
    classes = {name for name, thing in vars(_surrogates).items() if inspect.isclass(thing) and name in JUDGE}
    functions = {JUDGE[name]["function"][0] for name in JUDGE}
    assert len(classes) == 18
    assert set(_surrogates.__all__) == classes | functions | {"Surrogate", "surrogate"}
    assert _surrogates.__all__ == sorted(_surrogates.__all__)


@each
def test_values_of_braintools(name):
    entry = JUDGE[name]
    spike, x = getattr(_surrogates, name)(), jnp.array(entry["x"], "float32")
    assert dataclasses.asdict(spike) == entry["defaults"]
    assert list(dataclasses.asdict(spike)) == list(entry["defaults"])
    assert spike(x).tolist() == entry["forward"]
    # Recorded in float32; its sigmoid of 8 has only four digits left of 1 - s, its cosine of pi / 2 none.
    np.testing.assert_allclose(derivative(spike, x), entry["gradient"], rtol=1e-6, atol=1e-7)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def density(x, mean, std):
    return np.exp(-((x - mean) ** 2) / (2 * std**2)) / np.sqrt(2 * np.pi * std**2)


FORMULAS = {
    "Sigmoid": lambda x, alpha: alpha * logistic(alpha * x) * logistic(-alpha * x),
    "PiecewiseQuadratic": lambda x, alpha: np.clip(alpha - alpha**2 * abs(x), 0, None),
    "PiecewiseExp": lambda x, alpha: alpha / 2 * np.exp(-alpha * abs(x)),
    "SoftSign": lambda x, alpha: alpha / (2 * (1 + abs(alpha * x)) ** 2),
    "Arctan": lambda x, alpha: alpha / (2 * (1 + (np.pi * alpha * x / 2) ** 2)),
    "NonzeroSignLog": lambda x, alpha: alpha / (1 + alpha * abs(x)),
    "ERF": lambda x, alpha: density(x, 0, 1 / (alpha * np.sqrt(2))),
    "PiecewiseLeakyRelu": lambda x, c, w: np.select([abs(x) <= w], [1 / (2 * w)], c),
    "SquarewaveFourierSeries": lambda x, n, t_period: sum(
        4 / t_period * np.cos((2 * i - 1) * 2 * np.pi * x / t_period) for i in range(1, n + 1)
    ),
    "S2NN": lambda x, alpha, beta, epsilon: np.where(
        x < 0, alpha * logistic(alpha * x) * logistic(-alpha * x), beta / (1 + abs(x))
    ),
    "QPseudoSpike": lambda x, alpha: (1 + 2 * abs(x) / (alpha + 1)) ** -alpha,
    "LeakyRelu": lambda x, alpha, beta: np.where(x >= 0, beta, alpha),
    "LogTailedRelu": lambda x, alpha: np.select([x <= 0, x <= 1], [alpha, 1], 1 / np.where(x == 0, 1, x)),
    "ReluGrad": lambda x, alpha, width: np.clip(alpha * (width - abs(x)), 0, None),
    "GaussianGrad": lambda x, sigma, alpha: alpha * density(x, 0, sigma),
    "MultiGaussianGrad": lambda x, h, s, sigma, scale: (
        scale * ((1 + h) * density(x, 0, sigma) - h * density(x, sigma, s * sigma) - h * density(x, -sigma, s * sigma))
    ),
    "InvSquareGrad": lambda x, alpha: (1 + alpha * abs(x)) ** -2,
    "SlayerGrad": lambda x, alpha: np.exp(-alpha * abs(x)),
}


@every
def test_values_of_the_formulas_and_precision(spike):
    with jax.enable_x64(True):
        for dtype, rtol in [("float64", 1e-12), ("float32", 2e-6)]:
            x = jnp.array(X, dtype)
            assert spike(x).dtype == spike.slope(x).dtype == derivative(spike, x).dtype == dtype
            expected = FORMULAS[type(spike).__name__](np.float64(x), **dataclasses.asdict(spike))
            np.testing.assert_allclose(spike.slope(x), expected, rtol=rtol, atol=rtol)
            np.testing.assert_array_equal(derivative(spike, x), spike.slope(x))
    x = jnp.array(X, "float32")
    assert spike(x).dtype == spike.slope(x).dtype == derivative(spike, x).dtype == "float32"


@every
def test_slopes_are_elementwise_and_in_one_precision(spike):
    for x64 in (False, True):
        with jax.enable_x64(x64):
            traced = jax.make_jaxpr(spike.slope)(jnp.zeros(3, "float32"))
            assert set(primitives(traced.jaxpr)) <= ELEMENTWISE
            assert not re.search(r"f64\[\d", str(traced))


@unlike
def test_forward_is_the_step(spike):
    for dtype in ("float32", "float64", "float16"):
        with jax.enable_x64(True):
            tiny = np.finfo(dtype).smallest_subnormal
            x = jnp.array([-np.inf, -1.0, -np.finfo(dtype).tiny, -0.0, 0.0, tiny, 1.0, np.inf, np.nan], dtype)
            assert spike(x).tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 0]
            assert spike(x).dtype == dtype
    assert spike(0.0) == 1.0
    assert spike([-0.5, 0.5]).tolist() == [0.0, 1.0]
    assert spike(np.array([-1, 0, 1])).tolist() == [0, 1, 1]


@every
def test_slopes_stay_finite(spike):
    x = jnp.array([-1e6, -1e3, -1e-30, 0.0, 1e-30, 1e3, 1e6], "float32")
    assert np.isfinite(spike.slope(x)).all()
    assert np.isfinite(derivative(spike.slope, x)).all()


@unlike
def test_transformations(spike):
    x = jnp.array(X[::50], "float32")
    slope = spike.slope(x)
    np.testing.assert_array_equal(jax.jit(spike)(x), spike(x))
    np.testing.assert_array_equal(jax.vmap(spike)(x), spike(x))
    close = {"rtol": 1e-5, "atol": 1e-6}  # compiled as a whole, sums may be contracted
    np.testing.assert_allclose(jax.vmap(jax.grad(spike))(x), slope, **close)
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(spike)))(x), slope, **close)
    spikes, tangent = jax.jvp(spike, (x,), (3 * jnp.ones_like(x),))
    np.testing.assert_array_equal(spikes, spike(x))
    np.testing.assert_allclose(tangent, 3 * slope, **close)
    np.testing.assert_allclose(jax.jacfwd(spike)(x), np.diag(slope), **close)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_scan(checkpoint):
    spike = SlayerGrad(2.0)

    def count(drive):
        def step(v, _):
            spikes = spike(v)
            return 0.5 * v + drive - 0.0 * spikes, spikes

        return jax.lax.scan(jax.checkpoint(step) if checkpoint else step, -1.0, None, length=4)[1].sum()

    drive, v, dv, total = 0.3, -1.0, 0.0, 0.0
    for _ in range(4):
        total += float(spike.slope(v)) * dv
        v, dv = 0.5 * v + drive, 0.5 * dv + 1.0
    value, slope = jax.value_and_grad(count)(drive)
    assert value == 2.0
    assert slope == pytest.approx(total, rel=1e-5)


def test_the_second_derivative_is_that_of_the_slope():
    assert jax.grad(jax.grad(SlayerGrad(2.0)))(0.5) == pytest.approx(-2.0 * np.exp(-1.0), rel=1e-6)


@each
def test_functions_equal_their_classes(name):
    cls, function = getattr(_surrogates, name), lower(name)
    other = next(spike for spike in OTHERS if type(spike) is cls)
    assert function.__name__ == function.__qualname__ == JUDGE[name]["function"][0]
    assert f"`{name}`" in function.__doc__
    of_class = inspect.signature(cls).parameters
    assert list(inspect.signature(function).parameters.values())[1:] == list(of_class.values())
    assert next(iter(inspect.signature(function).parameters)) == "x"
    assert pickle.loads(pickle.dumps(function)) is function
    x = jnp.array(X[::50], "float32")
    values = dataclasses.asdict(other)
    by_keyword, by_place = partial(function, **values), lambda x: function(x, *values.values())
    for spike, of_x in [(cls(), function), (other, by_keyword), (other, by_place)]:
        np.testing.assert_array_equal(of_x(x), spike(x))
        np.testing.assert_array_equal(derivative(of_x, x), spike.slope(x))
    with pytest.raises(TypeError, match="unexpected keyword argument 'gamma'"):
        function(x, gamma=1.0)


@each
def test_compared_and_hashed_by_value(name):
    cls = getattr(_surrogates, name)
    other = next(spike for spike in OTHERS if type(spike) is cls)
    assert cls() == cls(**JUDGE[name]["defaults"]) != other
    assert hash(cls()) == hash(cls(**JUDGE[name]["defaults"]))
    assert eval(repr(other), vars(_surrogates)) == other == pickle.loads(pickle.dumps(other))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(other, next(iter(JUDGE[name]["defaults"])), 1.0)


def test_parameters_become_plain_numbers():
    spike = ReluGrad(np.float32(0.5), 2)
    assert spike == ReluGrad(0.5, 2.0)
    assert repr(spike) == "ReluGrad(alpha=0.5, width=2.0)"
    assert repr(SquarewaveFourierSeries(3.0)) == "SquarewaveFourierSeries(n=3, t_period=8.0)"
    assert SoftSign(1.0) != SlayerGrad(1.0)


def test_static_argument_of_jit():
    traces = []

    def f(spike, x):
        traces.append(spike)
        return spike(x)

    compiled = jax.jit(f, static_argnums=0)
    for spike in (ReluGrad(), ReluGrad(0.3, 1.0), ReluGrad(0.4), SoftSign()):
        assert compiled(spike, 0.5) == 1.0
    assert traces == [ReluGrad(), ReluGrad(0.4), SoftSign()]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sigmoid(0.0), "Sigmoid.alpha must be a finite number > 0, got 0.0."),
        (lambda: ReluGrad(width=-1.0), "ReluGrad.width must be a finite number > 0, got -1.0."),
        (lambda: ReluGrad(alpha=-0.1), "ReluGrad.alpha must be a finite number >= 0, got -0.1."),
        (lambda: LogTailedRelu(np.nan), "LogTailedRelu.alpha must be a finite number >= 0, got nan."),
        (lambda: MultiGaussianGrad(h=np.inf), "MultiGaussianGrad.h must be a finite number, got inf."),
        (lambda: S2NN(beta=[1.0, 2.0]), "S2NN.beta must be a finite number >= 0, got [1.0, 2.0]. Pass one value."),
        (
            lambda: SlayerGrad("2"),
            "SlayerGrad.alpha must be a finite number > 0, got '2'. Turn text into numbers first.",
        ),
        (lambda: SquarewaveFourierSeries(0), "SquarewaveFourierSeries.n must be a whole number >= 1, got 0."),
        (lambda: SquarewaveFourierSeries(2.5), "SquarewaveFourierSeries.n must be a whole number >= 1, got 2.5."),
        (lambda: relu_grad(0.0, width=0), "ReluGrad.width must be a finite number > 0, got 0."),
    ],
)
def test_bad_parameters(make, message):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}$"):
        make()


@unlike
def test_every_parameter_is_checked(spike):
    for name in dataclasses.asdict(spike):
        for bad in (np.nan, np.inf, "1", None, [1.0, 2.0]):
            with pytest.raises((TypeError, ValueError), match=rf"^{type(spike).__name__}\.{name} must be a .*, got "):
                dataclasses.replace(spike, **{name: bad})


def test_zero_height_is_no_gradient():
    x = jnp.array(X[::50])
    for spike in (ReluGrad(0.0), GaussianGrad(alpha=0.0), LeakyRelu(0.0, 0.0), MultiGaussianGrad(scale=0.0)):
        assert not spike.slope(x).any()
    assert LogTailedRelu(0.0) == LogTailedRelu()


def test_a_slope_of_your_own():
    @surrogate
    def triangle(x):
        return jnp.maximum(1.0 - jnp.abs(x), 0.0)

    assert isinstance(triangle, Surrogate)
    assert re.fullmatch(r"surrogate\(<function .*triangle at 0x\w+>\)", repr(triangle))
    x = jnp.array(X[::50])
    np.testing.assert_array_equal(triangle(x), x >= 0)
    np.testing.assert_array_equal(derivative(triangle, x), np.maximum(1 - abs(x), 0))
    slope = triangle.function
    assert surrogate(slope) == triangle != surrogate(lambda x: slope(x))
    assert hash(surrogate(slope)) == hash(triangle)
    assert jax.jit(lambda spike, x: spike(x), static_argnums=0)(triangle, -0.5) == 0.0


def test_a_slope_of_your_own_may_be_of_any_precision_and_a_constant():
    for slope in (
        lambda x: 0.5,
        lambda x: np.float64(0.5),
        lambda x: jnp.where(x > 0, 0.5, 0.5),
        lambda x: np.full(x.shape, 0.5),
    ):
        for dtype in ("float32", "float64"):
            with jax.enable_x64(True):
                x = jnp.array([-1.0, 1.0], dtype)
                found = derivative(surrogate(slope), x)
                assert found.tolist() == [0.5, 0.5]
                assert found.dtype == surrogate(slope).slope(x).dtype == dtype


def test_a_class_of_your_own():
    @dataclasses.dataclass(frozen=True)
    class Box(Surrogate):
        name: str
        half: float = 0.5

        def slope(self, x):
            return jnp.where(jnp.abs(x) < self.half, 1.0, 0.0)

    assert Box("narrow", 0.1) == Box("narrow", 0.1)
    assert jax.grad(Box("wide"))(0.2) == 1.0
    with pytest.raises(TypeError, match="abstract"):
        Surrogate()


@pytest.mark.parametrize(
    ("slope", "message"),
    [
        (0.3, "surrogate.slope must be a function, got 0.3."),
        (lambda x, y: x, "surrogate.slope must be a function of (x), got one of (x, y)."),
        (
            ReluGrad(),
            "surrogate.slope must be a function, got ReluGrad(alpha=0.3, width=1.0). A surrogate is a spike function "
            "as it is.",
        ),
        (
            ReluGrad,
            "surrogate.slope must be a function, got <class 'izhnumba.jax._surrogates.ReluGrad'>. A surrogate is a "
            "spike function as it is.",
        ),
    ],
)
def test_bad_slopes(slope, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        surrogate(slope)


@each
def test_by_name(name):
    cls = getattr(_surrogates, name)
    assert as_surrogate("run.surrogate", name) == as_surrogate("run.surrogate", lower(name).__name__) == cls()


def own_vjp():
    @jax.custom_vjp
    def spike(x):
        return (x > 0).astype(x.dtype)

    spike.defvjp(lambda x: (spike(x), x), lambda x, g: (g * jnp.exp(-jnp.abs(x)),))
    return spike


def test_surrogates_and_spike_functions_pass_as_they_are():
    narrow = partial(_surrogates.piecewise_quadratic, alpha=1e5)
    for value in (ReluGrad(), surrogate(lambda x: 1.0), relu_grad, narrow, own_vjp(), jax.jit(ReluGrad())):
        assert as_surrogate("run.surrogate", value) is value

        @jax.jit
        def traced(x, value=value):
            return as_surrogate("run.surrogate", value)(x)

        assert traced(0.5) == 1.0


KNOWN = f"Known: {', '.join(JUDGE)}."
KIND = "run.surrogate must be a surrogate spike function or the name of one, got "
STEP = "run.surrogate must be 0 where x < 0 and 1 where x > 0, in the dtype of x, with a derivative of its own, got "


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("relu_gard", f"run.surrogate must be a known name, got 'relu_gard'. Did you mean 'ReluGrad'? {KNOWN}"),
        ("Sigmoids", f"run.surrogate must be a known name, got 'Sigmoids'. Did you mean 'Sigmoid'? {KNOWN}"),
        ("zzz", f"run.surrogate must be a known name, got 'zzz'. {KNOWN}"),
        (ReluGrad, f"{KIND}<class 'izhnumba.jax._surrogates.ReluGrad'>. Add parentheses: ReluGrad()."),
        (0.3, f"{KIND}0.3. Pass ReluGrad(), for one."),
        (None, f"{KIND}None. Pass ReluGrad(), for one."),
        (lambda: 0, "run.surrogate must be a function of (x), got one of ()."),
    ],
)
def test_bad_surrogates(value, message):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}$") as caught:
        as_surrogate("run.surrogate", value)
    assert caught.type is (ValueError if isinstance(value, str) else TypeError)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.exp(-jnp.abs(x)),  # a slope
        lambda x: (x >= 0).astype(x.dtype),  # no derivative
        lambda x: x >= 0,
        lambda x: ReluGrad()(x).sum(),
        lambda x: 1.0,
    ],
)
def test_functions_that_are_no_spike_functions(function):
    cure = "Make one of its slope with surrogate(slope)."
    with pytest.raises(ValueError, match=f"^{re.escape(STEP)}<function .*>. {re.escape(cure)}$"):
        as_surrogate("run.surrogate", function)


@pytest.mark.brainpy
@pytest.mark.filterwarnings("ignore")
def test_braintools_itself():
    theirs = pytest.importorskip("braintools").surrogate
    with jax.enable_x64(True):
        x = jnp.array(X)
        for spike in DEFAULTS + OTHERS:
            other = getattr(theirs, type(spike).__name__)(**dataclasses.asdict(spike))
            np.testing.assert_array_equal(spike(x), other(x))
            np.testing.assert_allclose(derivative(spike, x), derivative(other, x), rtol=1e-12, atol=1e-13)
            assert as_surrogate("run.surrogate", other) is other
