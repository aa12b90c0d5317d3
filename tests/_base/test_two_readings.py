"""An array of as many values as there are neurons and steps has two readings, and whoever passes one is told so."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis

N = 100  # neurons, and steps of 10 ms
PER = np.linspace(0.0, 10.0, N)


def told(function, *arguments, **options):
    """The warnings, each of which must point at the line that calls."""
    with warnings.catch_warnings(record=True, action="always") as caught:
        function(*arguments, **options)
    assert {w.filename for w in caught} <= {__file__}
    return [str(w.message) for w in caught]


def run(size=N, T=10.0, *, batch=None, **inputs):
    return told(iz.Population(size, batch=batch).run, T, **inputs)


def words(where, got, rows, constant=None, n_steps=N):
    name = where.rpartition(".")[2]
    return [
        f"{where} of shape {got} for {n_steps} steps is read as constant, with a value per neuron, and could mean a "
        f"row per step. Write {constant or f'Constant({name})'} for the first, "
        f"np.reshape({name}, {rows}) for the second."
    ]


@pytest.mark.parametrize("form", [np.asarray, list, tuple, np.float32, lambda x: x.astype(int)])
def test_the_two_readings_are_named(form):
    assert run(I=form(PER)) == words("Population.run.I", (N,), (N, 1))


def test_both_cures_mean_what_is_said():
    def spikes(I):
        with warnings.catch_warnings(action="ignore"):
            found = iz.Population(N, a=0.03).run(10.0, I).spikes
        return found.i.tolist(), found.step.tolist()

    assert spikes(PER) == spikes(iz.Constant(PER)) == spikes(np.broadcast_to(PER, (N, N)))
    assert spikes(np.reshape(PER, (N, 1))) == spikes(np.repeat(PER[:, np.newaxis], N, axis=1))
    assert run(I=iz.Constant(PER)) == run(I=np.reshape(PER, (N, 1))) == []


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        (dict(delta=PER), "delta"),
        (dict(g=PER / 100, E=0.0), "g"),
        (dict(g=0.1, E=-PER), "E"),
        (dict(g=[0.1, PER / 100], E=[0.0, -80.0]), "g"),
    ],
)
def test_each_input_has_them(inputs, name):
    assert run(**inputs) == words(f"Population.run.{name}", (N,), (N, 1))


def test_axes_of_a_population():
    first = np.random.default_rng(1).random((20, 30))
    assert run(30, 2.0, batch=20, I=first) == words("Population.run.I", (20, 30), (20, 1, 30), n_steps=20)
    assert run((20, 30), 3.0, I=first[0]) == words("Population.run.I", (30,), (30, 1, 1), n_steps=30)
    assert run((20, 30), 3.0, I=first) == []  # whose first axis is none of 30
    assert run((20, 30), 2.0, I=first[:, :1]) == words("Population.run.I", (20, 1), (20, 1, 1), n_steps=20)


@pytest.mark.parametrize(
    ("size", "T", "I"),
    [
        (1, 0.1, [5.0]),  # one step
        (N, 10.0, 5.0),
        (N, 10.0, np.full(N, 5.0)),  # which comes to the same
        (N, 20.0, PER),
        (N, 10.0, PER[:1]),
        (N, 10.0, np.outer(PER, PER)),
        (N, 10.0, iz.TimedArray(PER, dt=0.1)),
        (N, 10.0, iz.Noise(3.0) + PER),
        (N, 0.0, PER),
    ],
)
def test_nothing_is_said_where_there_is_one_reading(size, T, I):
    assert run(size, T, I=I) == []


def test_steps_and_drives_and_continuous_time_take_no_rows():
    cells = iz.Population(N)
    assert told(cells.step, PER) == []
    assert told(iz.Population(N, scheme="exact").run, 10.0, PER) == []
    net = iz.Network()
    told(net.drive, net.add(iz.Population(N)), PER)
    assert told(net.run, 10.0) == []
    assert told(analysis.accuracy_report, iz.Population(N), PER, 10.0, schemes=["euler"], dts=[0.1]) == []


def test_as_an_error_it_changes_nothing():
    pop = iz.Population(N)
    with pytest.raises(UserWarning, match="could mean a row per step"):
        pop.run(10.0, PER)
    assert pop.t == 0.0
    assert pop.run(50.0, PER).spikes.i.size


@pytest.mark.filterwarnings("default")
def test_a_loop_is_told_once(recwarn):
    pop = iz.Population(N)
    pop.run(1.0)  # compiles, for which Numba resets the filters
    for _ in range(3):
        pop.run(10.0, PER)
    assert len(recwarn) == 1


@pytest.mark.jax
def test_jax_names_them_when_it_traces():
    import jax

    import izhnumba.jax as izj

    params, state = izj.init(N)
    options = dict(n_steps=N, record="V")
    whole = f"np.broadcast_to({{}}, {(N, N)})"
    expected = words("run.I", (N,), (N, 1), whole.format("I"))
    assert told(jax.jit(lambda I: izj.run(params, state, I, 0.1, **options)), PER) == expected
    assert told(izj.run, params, state, PER, 0.1, **options) == expected
    assert told(izj.run, params, state, 1.0, 0.1, delta=PER, **options) == words(
        "run.delta", (N,), (N, 1), whole.format("delta")
    )
    for I in (np.broadcast_to(PER, (N, N)), PER[:, np.newaxis], np.full(N, 3.0), 3.0):
        assert told(izj.run, params, state, I, 0.1, **options) == []
    assert told(izj.run, params, state, PER, 0.1, n_steps=N + 1, record="V") == []


@pytest.mark.jax
def test_a_layer_names_them_for_itself_alone():
    import izhnumba.jax as izj

    params, state = izj.init(10)
    weights, I = np.full((10, 10), 0.1), np.linspace(5.0, 20.0, 10)

    def layer(n_steps, I=I):
        return izj.recurrent(params, weights, state, I, 0.1, delay=1.0, n_steps=n_steps)[1].spikes

    assert told(layer, 10) == words("recurrent.I", (10,), (10, 1), f"np.broadcast_to(I, {(10, 10)})", n_steps=10)
    assert told(layer, 400) == []  # though its slices are 10 steps long
    rows = np.broadcast_to(I, (400, 10))
    np.testing.assert_array_equal(layer(400), layer(400, rows))
    assert layer(400).sum() > 5
