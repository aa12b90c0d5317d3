"""Surrogate spike functions: a step, with a slope of one's choice in place of its derivative.

To add one: 1. a frozen dataclass with `slope`; 2. its function, a line at the end; 3. both names in `__all__`. Names,
parameters, defaults and values are those of braintools 0.3.
"""

from __future__ import annotations

import inspect
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp

from izhnumba._base import checks
from izhnumba._base.sealed import assign

Array = jax.Array

__all__ = [
    "Arctan", "ERF", "GaussianGrad", "InvSquareGrad", "LeakyRelu", "LogTailedRelu", "MultiGaussianGrad",
    "NonzeroSignLog", "PiecewiseExp", "PiecewiseLeakyRelu", "PiecewiseQuadratic", "QPseudoSpike", "ReluGrad",
    "S2NN", "Sigmoid", "SlayerGrad", "SoftSign", "SquarewaveFourierSeries", "Surrogate", "arctan", "erf",
    "gaussian_grad", "inv_square_grad", "leaky_relu", "log_tailed_relu", "multi_gaussian_grad", "nonzero_sign_log",
    "piecewise_exp", "piecewise_leaky_relu", "piecewise_quadratic", "q_pseudo_spike", "relu_grad", "s2nn",
    "sigmoid", "slayer_grad", "soft_sign", "squarewave_fourier_series", "surrogate",
]  # fmt: skip


class Surrogate(ABC):
    """A spike function: 1 where x >= 0, else 0, with the derivative `slope(x)` instead of zero.

    x is the scaled distance from threshold, (V - V_th) / abs(V_th), without a unit; spikes and slope have its dtype.

    To write one of your own: 1. without parameters, call `surrogate` with its slope, a function of x. 2. With
    parameters, derive a frozen dataclass from Surrogate, whose fields are plain numbers. 3. Give it a method
    `slope(x)`, element by element, in `jax.numpy`. 4. Pass an instance to `run` as `surrogate`.

    Raises
    ------
    TypeError, ValueError
        For parameters beyond the range that a class states.

    Notes
    -----
    Forward and reverse mode, `jit`, `vmap` and `scan` use the slope; a second derivative is that of the slope.
    Parameters are no arguments of a derivative. Surrogates are compared and hashed by value, so that they can be static
    arguments of `jax.jit`.

    Examples
    --------
    >>> spike = ReluGrad(alpha=0.3, width=1.0)
    >>> x = jnp.array([-2.0, -0.5, 0.0, 0.5])
    >>> spike(x).tolist()
    [0.0, 0.0, 1.0, 1.0]
    >>> jax.vmap(jax.grad(spike))(x).round(6).tolist() == spike.slope(x).round(6).tolist()
    True
    """

    @abstractmethod
    def slope(self, x: Array) -> Array:
        """The slope at x, in the shape of x, in place of the derivative of a spike by x."""

    def __call__(self, x: object) -> Array:
        """1 where x >= 0, else 0, in the shape and dtype of x."""
        return _spikes(self, jnp.asarray(x))

    def __post_init__(self) -> None:
        for one in fields(self):  # type: ignore[arg-type]
            if check := one.metadata.get("check"):
                value = check(f"{type(self).__name__}.{one.name}", getattr(self, one.name))
                assign(self, **{one.name: value})


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _spikes(spike: Surrogate, x: Array) -> Array:
    return (x >= 0).astype(x.dtype)


@_spikes.defjvp
def _(spike: Surrogate, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    return _spikes(spike, x), jnp.asarray(spike.slope(x), x.dtype) * dx


def _parameter(check: Callable[..., float], default: float, **bounds: float):
    """A field of a surrogate, with the check of its value."""
    return field(default=default, metadata={"check": partial(check, **bounds)})


_positive = partial(_parameter, checks.number, above=0.0)  # steepness and widths
_height = partial(_parameter, checks.number, at_least=0.0)
_finite = partial(_parameter, checks.number)
_count = partial(_parameter, checks.integer, at_least=1)


def _either(x: Array, condition: Array, one, other) -> Array:
    """`one` where the condition holds, else `other`, in the dtype of x even if both are constants."""
    dtype = jnp.result_type(x, float)
    return jnp.where(condition, jnp.asarray(one, dtype), jnp.asarray(other, dtype))


def _bump(x: Array) -> Array:
    """s(x) (1 - s(x)) of the logistic function s, without cancellation or overflow."""
    e = jnp.exp(-jnp.abs(x))
    return e / (1.0 + e) ** 2


def _normal(x: Array, sigma: float) -> Array:
    """Density of the normal law of mean 0 and standard deviation sigma."""
    return jnp.exp(-0.5 * (x / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)


@dataclass(frozen=True)
class Sigmoid(Surrogate):
    """Slope alpha s (1 - s) with s = 1 / (1 + exp(-alpha x)), alpha > 0."""

    alpha: float = _positive(4.0)

    def slope(self, x: Array) -> Array:
        return self.alpha * _bump(self.alpha * x)


@dataclass(frozen=True)
class PiecewiseQuadratic(Surrogate):
    """Slope alpha max(0, 1 - alpha abs(x)), alpha > 0 (S. K. Esser et al. 2016; G. Bellec et al. 2018)."""

    alpha: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return self.alpha * jnp.maximum(1.0 - jnp.abs(self.alpha * x), 0.0)


@dataclass(frozen=True)
class PiecewiseExp(Surrogate):
    """Slope alpha / 2 exp(-alpha abs(x)), alpha > 0 (E. O. Neftci, H. Mostafa and F. Zenke 2019)."""

    alpha: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return self.alpha / 2 * jnp.exp(-self.alpha * jnp.abs(x))


@dataclass(frozen=True)
class SoftSign(Surrogate):
    """Slope alpha / 2 / (1 + alpha abs(x))^2, alpha > 0."""

    alpha: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return self.alpha / 2 / (1.0 + jnp.abs(self.alpha * x)) ** 2


@dataclass(frozen=True)
class Arctan(Surrogate):
    """Slope alpha / 2 / (1 + (pi / 2 alpha x)^2), alpha > 0."""

    alpha: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return self.alpha / 2 / (1.0 + (math.pi / 2 * self.alpha * x) ** 2)


@dataclass(frozen=True)
class NonzeroSignLog(Surrogate):
    """Slope 1 / (1 / alpha + abs(x)), alpha > 0."""

    alpha: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return 1.0 / (1 / self.alpha + jnp.abs(x))


@dataclass(frozen=True)
class ERF(Surrogate):
    """Slope alpha / sqrt(pi) exp(-(alpha x)^2), alpha > 0 (S. K. Esser et al. 2015; Y. Wu et al. 2018)."""

    alpha: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return self.alpha / math.sqrt(math.pi) * jnp.exp(-((self.alpha * x) ** 2))


@dataclass(frozen=True)
class PiecewiseLeakyRelu(Surrogate):
    """Slope 1 / (2 w) where abs(x) <= w, else c; w > 0, c >= 0 (S. Yin et al. 2017; Y. Wu et al. 2018)."""

    c: float = _height(0.01)
    w: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return _either(x, jnp.abs(x) > self.w, self.c, 1 / (2 * self.w))


@dataclass(frozen=True)
class SquarewaveFourierSeries(Surrogate):
    """Slope 4 / t_period times the sum of cos((2 i - 1) 2 pi x / t_period) over i = 1..n; n >= 1, t_period > 0. It is
    periodic, and negative in places."""

    n: int = _count(2)
    t_period: float = _positive(8.0)

    def slope(self, x: Array) -> Array:
        phase = 2 * math.pi / self.t_period * x
        total = jnp.cos(phase)
        for i in range(2, self.n + 1):
            total = total + jnp.cos((2.0 * i - 1.0) * phase)
        return 4 / self.t_period * total


@dataclass(frozen=True)
class S2NN(Surrogate):
    """Slope alpha s (1 - s) with s = 1 / (1 + exp(-alpha x)) where x < 0, else beta / (1 + x); alpha > 0, beta >= 0.
    epsilon >= 0 belongs to the integral of the slope and does nothing here (K. Suetake et al. 2022)."""

    alpha: float = _positive(4.0)
    beta: float = _height(1.0)
    epsilon: float = _height(1e-8)

    def slope(self, x: Array) -> Array:
        return _either(x, x < 0, self.alpha * _bump(self.alpha * x), self.beta / (1.0 + jnp.maximum(x, 0.0)))


@dataclass(frozen=True)
class QPseudoSpike(Surrogate):
    """Slope (1 + 2 abs(x) / (alpha + 1))^-alpha, alpha > 0 (L. Herranz-Celotti and J. Rouat 2022)."""

    alpha: float = _positive(2.0)

    def slope(self, x: Array) -> Array:
        return (1.0 + 2 / (self.alpha + 1) * jnp.abs(x)) ** -self.alpha


@dataclass(frozen=True)
class LeakyRelu(Surrogate):
    """Slope alpha where x < 0, else beta; alpha, beta >= 0."""

    alpha: float = _height(0.1)
    beta: float = _height(1.0)

    def slope(self, x: Array) -> Array:
        return _either(x, x < 0, self.alpha, self.beta)


@dataclass(frozen=True)
class LogTailedRelu(Surrogate):
    """Slope 1 / x where x > 1, 1 where 0 < x <= 1, else alpha; alpha >= 0 (Z. Cai et al. 2017)."""

    alpha: float = _height(0.0)

    def slope(self, x: Array) -> Array:
        return _either(x, x > 0, 1.0 / jnp.maximum(x, 1.0), self.alpha)


@dataclass(frozen=True)
class ReluGrad(Surrogate):
    """Slope alpha max(0, width - abs(x)), alpha >= 0, width > 0 (E. O. Neftci, H. Mostafa and F. Zenke 2019)."""

    alpha: float = _height(0.3)
    width: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return self.alpha * jnp.maximum(self.width - jnp.abs(x), 0.0)


@dataclass(frozen=True)
class GaussianGrad(Surrogate):
    """Slope alpha times the normal density of standard deviation sigma; sigma > 0, alpha >= 0 (B. Yin et al. 2021)."""

    sigma: float = _positive(0.5)
    alpha: float = _height(0.5)

    def slope(self, x: Array) -> Array:
        return self.alpha * _normal(x, self.sigma)


@dataclass(frozen=True)
class MultiGaussianGrad(Surrogate):
    """Slope scale ((1 + h) N(x; sigma) - h N(x - sigma; s sigma) - h N(x + sigma; s sigma)), with N(x; r) the normal
    density of standard deviation r; s, sigma > 0, scale >= 0, h of either sign (B. Yin et al. 2021)."""

    h: float = _finite(0.15)
    s: float = _positive(6.0)
    sigma: float = _positive(0.5)
    scale: float = _height(0.5)

    def slope(self, x: Array) -> Array:
        wide = self.s * self.sigma
        sides = _normal(x - self.sigma, wide) + _normal(x + self.sigma, wide)
        return self.scale * ((1 + self.h) * _normal(x, self.sigma) - self.h * sides)


@dataclass(frozen=True)
class InvSquareGrad(Surrogate):
    """Slope 1 / (1 + alpha abs(x))^2, alpha > 0."""

    alpha: float = _positive(100.0)

    def slope(self, x: Array) -> Array:
        return 1.0 / (1.0 + self.alpha * jnp.abs(x)) ** 2


@dataclass(frozen=True)
class SlayerGrad(Surrogate):
    """Slope exp(-alpha abs(x)), alpha > 0 (S. B. Shrestha and G. Orchard 2018)."""

    alpha: float = _positive(1.0)

    def slope(self, x: Array) -> Array:
        return jnp.exp(-self.alpha * jnp.abs(x))


@dataclass(frozen=True)
class _Own(Surrogate):
    """A surrogate whose slope is a function of the user."""

    function: Callable[[Array], Any]

    def slope(self, x: Array) -> Array:
        return jnp.asarray(self.function(x), jnp.result_type(x, float))

    def __repr__(self) -> str:
        return f"surrogate({self.function!r})"


def surrogate(slope: Callable[[Array], Any]) -> Surrogate:
    """A spike function with a slope of your own.

    Parameters
    ----------
    slope : callable (x) -> array in the shape of x
        In place of the derivative at the scaled distance from threshold x, element by element, in `jax.numpy`.

    Returns
    -------
    Surrogate
        Two are equal if made from the same function. Make it once: `jax.jit` compiles for each one anew.

    Raises
    ------
    TypeError
        For an argument that is no function of x.

    Examples
    --------
    >>> @surrogate
    ... def triangle(x):
    ...     return jnp.maximum(1.0 - jnp.abs(x), 0.0)
    >>> triangle(0.25).item(), jax.grad(triangle)(0.25).item()
    (1.0, 0.75)
    """
    where = "surrogate.slope"
    if isinstance(slope, (type, Surrogate)):
        raise TypeError(
            f"{where} must be a function, got {checks.shown(slope)}. A surrogate is a spike function as it is."
        )
    checks.kind(where, slope, Callable, "a function")
    checks.takes(where, slope, "x")
    return _Own(slope)


_BY_NAME: dict[str, type[Surrogate]] = {}  # each by the name of its class and of its function


def _function(cls: type[Surrogate]) -> Callable[..., Array]:
    """The function `name(x, *parameters)` of a class, with the name of the class in lower case and its parameters."""

    def spikes(x: object, *args: object, **parameters: object) -> Array:
        return cls(*args, **parameters)(x)

    name = re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", cls.__name__).lower()
    x = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([x, *inspect.signature(cls).parameters.values()])
    text = f"The spikes at x, 1 where x >= 0, else 0, with the derivative and the parameters of `{cls.__name__}`."
    vars(spikes).update(__signature__=signature)
    spikes.__name__, spikes.__qualname__, spikes.__doc__ = name, name, text
    _BY_NAME.update({cls.__name__: cls, name: cls})
    return spikes


sigmoid = _function(Sigmoid)
piecewise_quadratic = _function(PiecewiseQuadratic)
piecewise_exp = _function(PiecewiseExp)
soft_sign = _function(SoftSign)
arctan = _function(Arctan)
nonzero_sign_log = _function(NonzeroSignLog)
erf = _function(ERF)
piecewise_leaky_relu = _function(PiecewiseLeakyRelu)
squarewave_fourier_series = _function(SquarewaveFourierSeries)
s2nn = _function(S2NN)
q_pseudo_spike = _function(QPseudoSpike)
leaky_relu = _function(LeakyRelu)
log_tailed_relu = _function(LogTailedRelu)
relu_grad = _function(ReluGrad)
gaussian_grad = _function(GaussianGrad)
multi_gaussian_grad = _function(MultiGaussianGrad)
inv_square_grad = _function(InvSquareGrad)
slayer_grad = _function(SlayerGrad)


def as_surrogate(where: str, value: object) -> Callable[[Any], Any]:
    """The argument `where` as a spike function: a Surrogate, one by its name, or one of another package unchanged."""
    if isinstance(value, Surrogate):
        return value
    if isinstance(value, str):
        names = [name for name, cls in _BY_NAME.items() if name == cls.__name__]
        return _BY_NAME[value if value in _BY_NAME else checks.one_of(where, value, names)]()
    if isinstance(value, type) or not callable(value):
        cure = f"Add parentheses: {value.__name__}()." if isinstance(value, type) else "Pass ReluGrad(), for one."
        checks.refuse(where, value, "a surrogate spike function or the name of one", cure)
    checks.takes(where, value, "x")
    _check_spikes(where, value)
    return value


@cache
def _check_spikes(where: str, function: Callable[[Array], Any]) -> None:
    """Refuse a function that is no step at 0 or has no derivative near it."""
    with jax.ensure_compile_time_eval():  # with numbers, even while JAX traces the caller
        x = jnp.array([-1.0, -0.5, -0.1, -0.01, -0.001, 0.0, 0.001, 0.01, 0.1, 0.5, 1.0])
        spikes, pull = jax.vjp(function, x)
        step = jnp.result_type(spikes) == x.dtype and ((spikes == (x > 0)) | (x == 0)).all()  # at 0 both will do
        good = step and pull(jnp.ones_like(x))[0].any()
    if not good:
        must = "be 0 where x < 0 and 1 where x > 0, in the dtype of x, with a derivative of its own"
        raise ValueError(
            f"{where} must {must}, got {checks.shown(function)}. Make one of its slope with surrogate(slope)."
        )
