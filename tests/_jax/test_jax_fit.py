"""izhnumba.jax.fit: values come back, stay within bounds, and move alike whatever their size."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import izhnumba as iz
import izhnumba.jax as izj

pytestmark = pytest.mark.jax
TARGET = {"a": 0.03, "d": 6.0}


def distance(params):
    """Of a and d to TARGET, each in units of its target."""
    return sum((params[name] / value - 1.0) ** 2 for name, value in TARGET.items())


# --- what it finds --------------------------------------------------------------------------------------------------


def test_small_and_large_values_come_back_alike():
    found = izj.fit(distance, {"a": 0.02, "d": 8.0}, steps=300)
    assert {name: float(x) for name, x in found.params.items()} == pytest.approx(TARGET, rel=1e-3)
    assert isinstance(found.loss, float)
    assert found.losses.shape == (301,)
    assert found.losses[0] == pytest.approx(float(distance({"a": 0.02, "d": 8.0})))
    assert found.loss == found.losses.min()
    assert float(distance(found.params)) == pytest.approx(found.loss, abs=1e-9)


def test_steps_are_alike_in_units_of_the_start():
    start = {"small": 1e-6, "large": -1e6, "none": 0.0, "several": [np.array([3.0, -3.0]), 0.5]}
    total = lambda tree: 2e6 + sum(jnp.sum(x) for x in jax.tree.leaves(tree))  # noqa: E731
    found = izj.fit(total, start, steps=1, learning_rate=0.01)  # a step of Adam is the rate in every coordinate
    for before, after in zip(jax.tree.leaves(start), jax.tree.leaves(found.params), strict=True):
        change = (np.asarray(after) - before) / np.where(np.asarray(before) == 0, 1.0, np.abs(before))
        np.testing.assert_allclose(change, -0.01, rtol=0.1)


@pytest.mark.parametrize("params", [3.0, np.array([1.0, 2.0]), [1.0, (2.0, 3)], {"x": {"y": np.float32(2.0)}}], ids=str)
def test_any_pytree(params):
    found = izj.fit(lambda tree: sum(jnp.sum((x - 1.5) ** 2) for x in jax.tree.leaves(tree)), params, steps=200)
    assert jax.tree.structure(found.params) == jax.tree.structure(params)
    assert all(np.allclose(x, 1.5, atol=0.02) for x in jax.tree.leaves(found.params))
    assert [np.shape(x) for x in jax.tree.leaves(found.params)] == [np.shape(x) for x in jax.tree.leaves(params)]


def test_precision_is_that_of_jax():
    assert izj.fit(distance, TARGET, steps=0).params["a"].dtype == np.float32
    with jax.enable_x64(True):
        assert izj.fit(distance, TARGET, steps=0).params["a"].dtype == np.float64
        assert izj.fit(distance, {"a": 0.02, "d": 8.0}, steps=100, optimizer=optax.lbfgs()).loss < 1e-15


def test_parameters_of_a_neuron():
    """From its voltage between spikes, with another a and b at the start."""
    I = np.random.default_rng(0).uniform(-10.0, 0.0, 8).repeat(200)[:, None]
    fixed, state = izj.init(1, V=-70.0, u=-14.0, **{x: iz.presets["RS"][x] for x in "cd"})

    def voltage(params):
        return izj.run(fixed | params, state, I, 0.1, record="V")[1].V

    hidden = {"a": 0.03, "b": 0.22}
    target = voltage(hidden)
    found = izj.fit(
        lambda params: ((voltage(params) - target) ** 2).mean(), {"a": 0.05, "b": 0.15},
        bounds={"a": (0.005, 0.2), "b": (0.05, 0.4)}, steps=200, learning_rate=0.1,
    )  # fmt: skip
    assert {name: float(x) for name, x in found.params.items()} == pytest.approx(hidden, rel=0.01)
    assert found.loss < 1e-3 * found.losses[0]


def test_nothing_to_do():
    found = izj.fit(distance, {"a": 0.02, "d": 8.0}, steps=0)
    assert {name: float(x) for name, x in found.params.items()} == pytest.approx({"a": 0.02, "d": 8.0})
    assert found.losses.tolist() == [found.loss]


# --- bounds ---------------------------------------------------------------------------------------------------------


def test_values_stay_within_bounds():
    seen = []
    found = izj.fit(
        distance, {"a": 0.02, "d": 3.0}, bounds={"d": (2.0, 5.0)}, steps=100, learning_rate=0.5,
        progress=lambda step, loss, params: seen.append(float(params["d"])),
    )  # fmt: skip
    assert all(2.0 < d <= 5.0 for d in seen)
    assert seen[0] == pytest.approx(3.0, rel=1e-6)
    assert float(found.params["d"]) == pytest.approx(5.0, abs=0.01)  # as near to 6 as it may
    assert float(found.params["a"]) == pytest.approx(0.03, rel=0.01)  # has none


def test_bounds_of_an_array_and_of_negative_numbers():
    start = {"c": np.array([-65.0, -50.0]), "weights": np.ones((2, 2))}
    target = np.array([-55.0, -58.0])

    def loss(params):
        return ((params["c"] - target) ** 2).sum() + ((params["weights"] - 2.0) ** 2).sum()

    found = izj.fit(loss, start, bounds={"c": (-70.0, -45.0)}, steps=300, learning_rate=0.1)
    np.testing.assert_allclose(found.params["c"], target, atol=0.01)
    np.testing.assert_allclose(found.params["weights"], 2.0, atol=0.01)


# --- batches, ends and reports --------------------------------------------------------------------------------------


def test_batches_are_the_second_argument():
    rng = np.random.default_rng(1)
    given = [(x := rng.normal(size=16), 2.0 * x - 1.0) for _ in range(201)]

    def loss(params, batch):
        x, y = batch
        return ((params["slope"] * x + params["shift"] - y) ** 2).mean()

    found = izj.fit(loss, {"slope": 1.0, "shift": 1.0}, batches=given, steps=200, learning_rate=0.05)
    assert (float(found.params["slope"]), float(found.params["shift"])) == pytest.approx((2.0, -1.0), abs=0.01)
    assert len(found.losses) == 201


def test_fit_ends_with_the_batches_and_keeps_the_last_parameters():
    def batches():
        yield from (1.5, 0.0, 5.0)

    seen = []
    found = izj.fit(
        lambda x, batch: (x - batch) ** 2, 1.0, batches=batches(), steps=100,
        progress=lambda step, loss, params: seen.append((step, loss, float(params))),
    )  # fmt: skip
    assert [step for step, _, _ in seen] == [0, 1, 2]
    assert found.losses.tolist() == [loss for _, loss, _ in seen]
    assert (found.loss, float(found.params)) == seen[-1][1:]  # not those of the lowest loss


def test_endless_batches_are_taken_as_needed():
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield np.float32(1 + len(taken))

    izj.fit(lambda x, batch: (x - batch) ** 2, 1.0, batches=endless(), steps=4)
    assert len(taken) == 5


def test_tolerance_ends_the_fit():
    found = izj.fit(distance, {"a": 0.02, "d": 8.0}, steps=1000, tolerance=1e-3)
    assert len(found.losses) < 200
    assert found.loss == found.losses[-1] <= 1e-3 < found.losses[-2]
    assert len(izj.fit(distance, TARGET, tolerance=1e-3).losses) == 1


def test_progress_sees_what_is_found():
    seen = []
    found = izj.fit(distance, {"a": 0.02, "d": 8.0}, steps=20, progress=lambda *now: seen.append(now))
    assert [step for step, _, _ in seen] == list(range(21))
    assert [loss for _, loss, _ in seen] == found.losses.tolist()
    assert {"a": float(seen[0][2]["a"]), "d": float(seen[0][2]["d"])} == pytest.approx({"a": 0.02, "d": 8.0})
    best = seen[int(np.argmin(found.losses))][2]
    assert {name: float(x) for name, x in best.items()} == {name: float(x) for name, x in found.params.items()}


def test_what_progress_raises_ends_the_fit():
    class Enough(Exception):
        pass

    def progress(step, loss, params):
        if step == 3:
            raise Enough

    with pytest.raises(Enough):
        izj.fit(distance, {"a": 0.02, "d": 8.0}, progress=progress)


@pytest.mark.parametrize("worst", [np.nan, np.inf])
def test_a_loss_that_stops_being_finite_ends_the_fit(worst):
    def loss(x):
        return jnp.where(x < 0.8, worst, x**2)

    found = izj.fit(loss, 1.0, steps=50, learning_rate=0.05)
    assert len(found.losses) < 10
    assert np.all(np.isfinite(found.losses))
    assert (found.loss, float(found.params)) == pytest.approx((found.losses.min(), 0.8), abs=0.05)


def undefined(x):
    return jnp.sqrt(x - x) + x  # its slope is NaN


def steep(x):
    return 1e30 * x  # the square of its slope is no float32


@pytest.mark.parametrize(
    ("loss", "losses", "message"),
    [
        (undefined, 1, "Stopped at step 0: the gradient is nan by params['x']."),
        (
            steep,
            6,
            "All 5 steps were taken. None moved the parameters: the steepest gradient is 2e+30, by params['x'].",
        ),
        (
            jnp.floor,
            6,
            "All 5 steps were taken. None moved the parameters: the steepest gradient is 0, by params['x'].",
        ),
        (lambda x: jnp.where(x > 2, -jnp.inf, -x), 1, "Stopped at step 1: the loss became -inf."),
        (lambda x: jnp.where(x < 2, 3.0, x), 6, "All 5 steps were taken. None lowered the loss."),
    ],
)
def test_a_fit_that_returns_its_start_says_so(loss, losses, message):
    warning = f"fit returns its start. {message} docs/concepts/gradients_reach.md tells what helps."
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(warning)}$") as caught:
        found = izj.fit(lambda params: loss(params["x"]), {"x": 2.0}, steps=5)
    assert (found.message, len(found.losses), float(found.params["x"])) == (message, losses, 2.0)
    assert caught[0].filename == __file__


def test_gradients_that_are_not_finite_are_named():
    def loss(params):
        return undefined(params["x"]["y"]) + jnp.sqrt(params["z"][1]).sum() + params["w"]

    with pytest.warns(RuntimeWarning, match="fit returns its start"):
        found = izj.fit(loss, {"w": 1.0, "x": {"y": 2.0}, "z": [1.0, np.zeros(2)]}, steps=5)
    assert found.message == "Stopped at step 0: the gradient is nan by params['x']['y'], inf by params['z'][1]."


def test_batches_that_move_nothing():
    with pytest.warns(RuntimeWarning, match="The batches ended after 2 steps. None moved the parameters: the steepest"):
        izj.fit(lambda x, batch: jnp.floor(x) + batch, 1.0, batches=[1.0, 2.0, 3.0])


def test_a_fit_says_why_it_ended():
    messages = {
        "All 3 steps were taken.": {"steps": 3},
        "All 0 steps were taken.": {"steps": 0},
        "Stopped at step 0: the loss is within the tolerance.": {"tolerance": 100.0},
        "The batches ended after 1 step.": {"batches": [1.0, 2.0]},
        "The batches ended after 0 steps.": {"batches": [1.0]},
    }
    for message, options in messages.items():
        assert izj.fit(lambda x, *batch: (x - 3.0) ** 2, 1.0, **options).message == message
    found = izj.fit(lambda x: jnp.where(x < 1.9, jnp.nan, x), 2.0, steps=30)
    assert found.message == f"Stopped at step {len(found.losses)}: the loss became nan."


def test_the_best_parameters_are_kept_when_the_loss_rises_again():
    found = izj.fit(lambda x: (x - 1.05) ** 2, 1.0, steps=30, optimizer=optax.sgd(lambda k: 0.1 * 1.2**k))
    assert found.losses[-1] > found.losses[0]
    assert found.loss == found.losses.min() == pytest.approx(float((found.params - 1.05) ** 2), rel=1e-4)


# --- optimizers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "steps"),
    [
        (optax.sgd(0.2), 60),
        (optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.05)), 200),
        (optax.adamw(0.05, weight_decay=0.0), 200),
        (optax.lbfgs(), 20),
    ],
    ids=["sgd", "clipped adam", "adamw", "lbfgs"],
)
def test_an_optimizer_of_ones_own(optimizer, steps):
    found = izj.fit(distance, {"a": 0.02, "d": 8.0}, optimizer=optimizer, steps=steps)
    assert {name: float(x) for name, x in found.params.items()} == pytest.approx(TARGET, rel=0.01)


def test_the_rate_falls_to_a_tenth():
    """Of a loss with constant slope, each step of Adam is its rate."""
    seen = []
    izj.fit(lambda x: x + 1.0, 1.0, steps=100, learning_rate=0.02, progress=lambda step, loss, x: seen.append(float(x)))
    rates = -np.diff(seen)
    assert (rates[0], rates[50], rates[99]) == pytest.approx((0.02, 0.011, 0.002), rel=0.02)


# --- refusals -------------------------------------------------------------------------------------------------------

REFUSED = [
    (dict(loss=3.0), TypeError, "fit.loss must be a function, got 3.0."),
    (dict(loss=lambda p: p["a"] * np.ones(3)), TypeError, "fit.loss must return one real number, got shape (3,)."),
    (dict(loss=lambda p: p["a"] * np.nan), ValueError, "fit.loss must be a finite number at the start, got nan. Start"),
    (dict(loss=lambda p: p["a"] / 0.0), ValueError, "fit.loss must be a finite number at the start, got inf. Start"),
    (dict(steps=-1), ValueError, "fit.steps must be a whole number >= 0, got -1."),
    (dict(steps=1.5), ValueError, "fit.steps must be a whole number >= 0, got 1.5."),
    (dict(learning_rate=0.0), ValueError, "fit.learning_rate must be a finite number > 0, got 0.0."),
    (dict(tolerance=np.nan), ValueError, "fit.tolerance must be a finite number"),
    (dict(optimizer="adam"), TypeError, "fit.optimizer must be one of optax, got 'adam'. Make it, as"),
    (dict(optimizer=optax.adam), TypeError, "fit.optimizer must be one of optax, got <function adam"),
    (dict(progress=True), TypeError, "fit.progress must be a function, got True."),
    (dict(batches=3), TypeError, "fit.batches must be something to iterate over, got 3."),
    (dict(batches=[], loss=lambda p, batch: p["a"]), ValueError, "fit.batches must hold one at least, got none."),
    (dict(params={"a": "0.02"}), TypeError, "fit.params must be a number or an array of numbers, got '0.02'."),
    (dict(params=1.0, bounds={"a": (0.0, 1.0)}), TypeError, "fit.params must be a dict if there are bounds, got "),
    (dict(bounds=(0.0, 1.0)), TypeError, "fit.bounds must be a mapping of names to (low, high), got (0.0, 1.0)."),
    (dict(bounds={"A": (0.0, 1.0)}), TypeError, "fit.bounds has no parameter 'A'. Did you mean 'a'? Known: a, d."),
    (dict(bounds={"a": 1.0}), TypeError, "fit.bounds['a'] must be a pair (low, high), got 1.0."),
    (dict(bounds={"a": (0.0, np.inf)}), ValueError, "fit.bounds['a'] must be a finite number, got inf."),
    (dict(bounds={"a": (0.05, 0.1)}), ValueError, "fit.params['a'] must lie between its bounds, 0.05 and 0.1, got 0.0"),
    (dict(bounds={"a": (0.1, 0.01)}), ValueError, "fit.params['a'] must lie between its bounds, 0.1 and 0.01, got 0.0"),
    (dict(bounds={"a": (0.02, 0.1)}), ValueError, "fit.params['a'] must lie between its bounds, 0.02 and 0.1, got 0.0"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), REFUSED, ids=lambda x: re.sub(r"\W+", " ", str(x))[:50])
def test_refusals(arguments, error, message):
    with pytest.raises(error, match="^" + re.escape(message)):
        izj.fit(**{"loss": distance, "params": {"a": 0.02, "d": 8.0}, "steps": 3} | arguments)


def test_an_error_in_the_loss_is_shown_as_it_is():
    def loss(params):
        raise KeyError("no such thing")

    with pytest.raises(KeyError, match="no such thing"):
        izj.fit(loss, 1.0)


def test_a_loss_may_be_negative():
    assert float(izj.fit(lambda x: (x - 3.0) ** 2 - 10.0, 1.0, steps=100, learning_rate=0.1).params) == pytest.approx(
        3.0, abs=0.01
    )
