"""`fit`: gradient descent on parameters of very different size, within bounds."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from izhnumba._base import checks
from izhnumba._base.words import counted
from izhnumba.jax import _arguments


class Fit(NamedTuple):
    """The result of `fit`.

    Attributes
    ----------
    params : pytree
        Parameters of the lowest loss, with `batches` the last ones, arranged as they were given to `fit`.
    loss : float
        The loss of these parameters.
    losses : ndarray
        The loss at the start and after each step.
    message : str
        Why the fit ended.
    """

    params: Any
    loss: float
    losses: np.ndarray[Any, Any]
    message: str


def fit(
    loss: Callable[..., Any],
    params: object,
    *,
    steps: int = 200,
    optimizer: object = None,
    learning_rate: float = 0.03,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    batches: Iterable[Any] | None = None,
    tolerance: float | None = None,
    progress: Callable[[int, float, Any], Any] | None = None,
) -> Fit:
    """Lower a loss by gradient descent.

    Parameters
    ----------
    loss : callable (params) or (params, batch) -> scalar
        A function that JAX can differentiate, such as a distance between the output of `run` and a recording.
    params : pytree of numbers and arrays
        Where to start.
    steps : int, >= 0
        At most so many.
    optimizer : optax.GradientTransformation, optional
        By default Adam with `learning_rate`, along a half cosine down to a tenth.
    learning_rate : float, > 0
        Relative: parameters are divided by their size at the start, an array by the root of its mean square, so that
        a = 0.02 and d = 8 move alike. A parameter with bounds moves between them. An `optimizer` sees these relative
        parameters.
    bounds : mapping of names to (low, high), optional
        For the top-level entries of `params`, a dict. Values at the start must lie inside.
    batches : iterable, optional
        Second arguments of the loss: each step takes the next one, and so does the loss after the last step, so that n
        steps need n + 1.
    tolerance : float, optional
        Stop once the loss is not above this.
    progress : callable (step, loss, params), optional
        Called at the start and after each step.

    Returns
    -------
    Fit

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind, and for a loss that is not a finite number at the start.
    ModuleNotFoundError
        Without optax, which comes with the extra `jax`.

    Notes
    -----
    The fit ends early if the loss or a step stops being finite, or when `batches` end, with the best parameters so far
    (with `batches`, whose losses do not compare, the last ones). `message` says why it ended. A RuntimeWarning says it,
    too, if nothing better than the start was found: because the gradient there is not finite, or 0, or so large that
    the optimizer's numbers overflow, or because no step lowered the loss.

    Examples
    --------
    The current under which a neuron has the same voltage as with 3.5 mV/ms:

    >>> import izhnumba as iz, izhnumba.jax as izj
    >>> fixed, state = izj.init(1, **iz.presets["RS"])
    >>> def voltage(params):
    ...     return izj.run(fixed, state, params["I"], 0.1, n_steps=100, record="V")[1].V
    >>> target = voltage({"I": 3.5})
    >>> found = izj.fit(lambda params: ((voltage(params) - target) ** 2).mean(), {"I": 2.0}, steps=100)
    >>> round(float(found.params["I"]), 2), found.message
    (3.5, 'All 100 steps were taken.')
    """
    import optax

    for name, value in {"loss": loss, "progress": progress}.items():
        if not (callable(value) or (name == "progress" and value is None)):
            raise TypeError(f"fit.{name} must be a function, got {checks.shown(value)}.")
    n_steps = checks.integer("fit.steps", steps, at_least=0)
    rate = checks.number("fit.learning_rate", learning_rate, above=0.0)
    enough = -math.inf if tolerance is None else checks.number("fit.tolerance", tolerance)
    start = jax.tree.map(_real, params)
    inward, outward = _coordinates(start, bounds)
    chosen = optax.adam(optax.cosine_decay_schedule(rate, max(n_steps, 1), 0.1)) if optimizer is None else optimizer
    if not all(hasattr(chosen, name) for name in ("init", "update")):
        got = checks.shown(chosen)
        raise TypeError(f"fit.optimizer must be one of optax, got {got}. Make it, as in optax.adam(0.1).")
    chosen = optax.with_extra_args_support(chosen)

    @jax.jit
    def advance(z: object, memory: object, *batch: object) -> tuple[Any, ...]:
        def value_of(z: object) -> jax.Array:
            return _one_number(loss(outward(z), *batch))

        value, slope = jax.value_and_grad(value_of)(z)
        change, memory = chosen.update(slope, memory, z, value=value, grad=slope, value_fn=value_of)
        ahead = optax.apply_updates(z, change)
        finite, same = _everywhere(jnp.isfinite, ahead), _everywhere(jnp.equal, ahead, z)
        return value, slope, outward(z), ahead, finite, same, memory

    z = inward(start)
    losses: list[float] = []
    best: tuple[float, Any] = math.inf, start
    memory, moved, reached, message = chosen.init(z), False, False, ""
    for k, batch in zip(range(n_steps + 1), _supply(batches), strict=False):
        value, slope, here, z, finite, same, memory = advance(z, memory, *batch)
        now = float(value)
        if not losses and not math.isfinite(now):
            raise ValueError(f"fit.loss must be a finite number at the start, got {now}. Start elsewhere.")
        if not math.isfinite(now):
            message = f"Stopped at step {k}: the loss became {now}."
            break
        losses.append(now)
        if now < best[0] or batches is not None:
            best = now, here
        if progress is not None:
            progress(k, now, here)
        reached = now <= enough
        if reached:
            message = f"Stopped at step {k}: the loss is within the tolerance."
            break
        if k < n_steps and not finite:
            message = f"Stopped at step {k}: {_steepness(slope)}."
            break
        moved = moved or (k < n_steps and not same)
    if not losses:
        raise ValueError("fit.batches must hold one at least, got none.")
    if not message:
        every = f"All {n_steps} steps were taken." if n_steps != 1 else "The one step was taken."
        message = every if k == n_steps else f"The batches ended after {counted(k, 'step')}."
        if n_steps and not moved:
            message += f" None moved the parameters: {_steepness(slope)}."
        elif n_steps and batches is None and best[0] == losses[0]:
            message += " None lowered the loss."
    if n_steps and not reached and (not moved or (batches is None and best[0] == losses[0])):
        cure = "docs/concepts/gradients_reach.md tells what helps."
        warnings.warn(f"fit returns its start. {message} {cure}", RuntimeWarning, stacklevel=2)
    return Fit(best[1], best[0], np.array(losses), message)


def _everywhere(test: Callable[..., Any], *trees):
    """Whether all numbers of the trees pass a test, a function of one leaf of each."""
    return jnp.all(jnp.array([jnp.all(test(*leaves)) for leaves in zip(*map(jax.tree.leaves, trees), strict=True)]))


def _steepness(slope) -> str:
    """In words, by which parameters a gradient is not finite, or by which it is steepest."""
    steepest = {
        f"params{jax.tree_util.keystr(path)}": float(np.max(np.abs(leaf), initial=0.0))
        for path, leaf in jax.tree_util.tree_leaves_with_path(slope)
    }
    wrong = [f"{value} by {name}" for name, value in steepest.items() if not math.isfinite(value)]
    if wrong:
        return f"the gradient is {', '.join(wrong)}"
    name = max(steepest, key=steepest.__getitem__, default="params")
    return f"the steepest gradient is {steepest.get(name, 0.0):.3g}, by {name}"


def _supply(batches) -> Iterator[tuple[Any, ...]]:
    """The further arguments of the loss, step by step: (batch,), or () without batches."""
    if batches is None:
        return itertools.repeat(())
    checks.kind("fit.batches", batches, Iterable, "something to iterate over")
    return ((batch,) for batch in batches)


def _one_number(value) -> jax.Array:
    """The loss, which must be one real number."""
    if jnp.shape(value) != () or not jnp.issubdtype(jnp.result_type(value), np.floating):
        raise TypeError(f"fit.loss must return one real number, got shape {jnp.shape(value)}. Take the mean, say.")
    return jnp.asarray(value)


def _real(value) -> jax.Array:
    """A leaf of `params` as an array of floats."""
    kind = _arguments.float_of(value) if isinstance(value, jax.Array) else None
    return _arguments.array("fit.params", value, "", _arguments.dtype("fit.params", kind))


def _size(x: jax.Array) -> jax.Array:
    """Root of the mean square of an array, () and never 0: of the whole, so that weights near 0 move as far as
    others."""
    size = jnp.sqrt(jnp.mean(jnp.square(x))) if x.size else jnp.ones((), x.dtype)
    return jnp.where(size == 0, 1, size).astype(x.dtype)


def _coordinates(start, bounds) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """(to coordinates, back to parameters): functions of pytrees. Coordinates are about 1, or unbounded instead of
    bounds."""
    if bounds is not None:
        checks.kind("fit.bounds", bounds, Mapping, "a mapping of names to (low, high)")
    if not bounds:
        size = jax.tree.map(_size, start)
        return (
            lambda params: jax.tree.map(jnp.divide, params, size),
            lambda z: jax.tree.map(jnp.multiply, z, size),
        )
    ways = {name: _coordinates(x, None) for name, x in _named(start).items()}
    ways |= {name: _between(name, start, pair) for name, pair in bounds.items()}
    return (
        lambda params: {name: ways[name][0](x) for name, x in params.items()},
        lambda z: {name: ways[name][1](x) for name, x in z.items()},
    )


def _named(start) -> Mapping[str, Any]:
    return checks.kind("fit.params", start, Mapping, "a dict if there are bounds")


def _between(name: str, start: Mapping[str, Any], pair) -> tuple[Any, Any]:
    """The same for one parameter between bounds, by the logit: 0.4 in the coordinate is about a tenth of their
    distance."""
    if name not in start:
        checks.unknown("fit.bounds", name, start)
    where = f"fit.bounds[{name!r}]"
    if not (isinstance(pair, Sequence) and len(pair) == 2):
        raise TypeError(f"{where} must be a pair (low, high), got {checks.shown(pair)}.")
    low, high = (checks.number(where, bound) for bound in pair)
    if not np.all((low < start[name]) & (start[name] < high)):
        raise ValueError(f"fit.params[{name!r}] must lie between its bounds, {low:g} and {high:g}, got {start[name]}.")

    def inward(x: jax.Array) -> jax.Array:
        share = (x - low) / (high - low)
        return jnp.log(share) - jnp.log1p(-share)

    return inward, lambda z: low + (high - low) * jax.nn.sigmoid(z)
