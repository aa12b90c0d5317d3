"""What is refused: requirement and value in the message, and nothing has changed."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from cells import different, population, state

import izhnumba as iz

NAN, INF = float("nan"), float("inf")
NUMBERS = "must be a number or an array of numbers"
PER_NEURON = "Pass one value for all neurons or one per neuron."


REFUSAL = (TypeError, ValueError)


def refused(message, call, *args, pop=None, kind=REFUSAL, **options):
    """`call` fails with a message that starts like this, and the population stays as it was."""
    before = state(pop) if pop else None
    with pytest.raises(kind, match="^" + re.escape(message)):
        call(*args, **options)
    if pop:
        assert state(pop) == before


# --- making a population --------------------------------------------------------------------------------------------

MAKING = {
    "size": [
        (0, "must be a whole number >= 1, got 0."),
        (-3, "must be a whole number >= 1, got -3."),
        (2.5, "must be a whole number >= 1, got 2.5."),
        ((4, 0), "must be a whole number >= 1, got 0."),
        ((), "must be a whole number >= 1 or a tuple of 1 to 32 of them, got ()."),
        ("3", "must be a whole number >= 1, got '3'."),
        (True, "must be a whole number >= 1, got True."),
        (None, "must be a whole number >= 1, got None."),
    ],
    "model": [("Izhikevich", "must be an izhnumba.Model, got 'Izhikevich'. Write model=iz.Izhikevich.")],
    "scheme": [
        ("exp_eulr", "must be a known name, got 'exp_eulr'. Did you mean 'exp_euler'? Known: exp_euler, euler, "),
        (4, "must be a known name, got 4. Known: exp_euler, "),
    ],
    "dt": [
        (0, "must be a finite number >= 1e-09 ms, got 0."),
        (-0.1, "must be a finite number >= 1e-09 ms, got -0.1."),
        (NAN, "must be a finite number >= 1e-09 ms, got nan."),
        (INF, "must be a finite number >= 1e-09 ms, got inf."),
        ([0.1], "must be a finite number >= 1e-09 ms, got [0.1]. Pass one value."),
        ("0.1", "must be a finite number >= 1e-09 ms, got '0.1'. Turn text into numbers first."),
    ],
    "dtype": [
        ("float16", "must be float32 or float64, got 'float16'."),
        ("int32", "must be float32 or float64, got 'int32'."),
        ("double precision", "must be float32 or float64, got 'double precision'."),
        (None, "must be float32 or float64, got None."),
    ],
    "batch": [(0, "must be a whole number >= 1, got 0."), (1.5, "must be a whole number >= 1, got 1.5.")],
    "reset": [("Hard", "must be a known name, got 'Hard'. Did you mean 'hard'? Known: hard, soft, overshoot.")],
    "seed": [(-1, "must be a whole number >= 0, got -1."), ("one", "must be a whole number >= 0, got 'one'.")],
    "threads": [(0, "must be a whole number >= 1, got 0."), (2.5, "must be a whole number >= 1, got 2.5.")],
    "name": [(5, "must be a str, got 5.")],
    "V": [
        (NAN, "must be finite, got nan."),
        ([0.0, INF, 0.0], "must be finite, got inf at index 1."),
        ([0.0, 0.0], f"must have shape () or (3,), got (2,). {PER_NEURON}"),
        ("nullcline", f"{NUMBERS} in mV, got 'nullcline'. Turn text into numbers first."),
        (lambda rng, shape: [1.0], f"must have shape () or (3,), got (1,). {PER_NEURON}"),
        (lambda rng, shape: None, f"{NUMBERS} in mV, got None."),
    ],
    "u": [
        (-INF, "must be finite, got -inf."),
        ("nulcline", "must be a known name, got 'nulcline'. Did you mean 'nullcline'? Known: nullcline."),
    ],
    "a": [
        (NAN, "must be finite, got nan."),
        (INF, "must be finite, got inf."),
        ([0.02] * 10, f"must have shape () or (3,), got (10,). {PER_NEURON}"),
        ([[0.02] * 3], f"must have shape () or (3,), got (1, 3). {PER_NEURON}"),
        ([0.02, "0.1", 0.1], f"{NUMBERS} in 1/ms, got '0.1' at index 1. Turn text into numbers first."),
        (1j, f"{NUMBERS} in 1/ms, got 1j. Pass the real part or the modulus."),
        (None, f"{NUMBERS} in 1/ms, got None."),
        (True, f"{NUMBERS} in 1/ms, got True. Write 1 for True and 0 for False."),
    ],
    "V_th": [([30.0, INF, 30.0], "must be finite, got inf at index 1.")],
    "V_min": [
        (INF, "must be finite, got inf."),
        ([-INF, NAN, -80.0], "must be numbers, got nan at index 1."),
        ([-INF, -80.0, INF], "must be finite, got inf at index 2."),
    ],
    "tau_ref": [
        (-1.0, "must be >= 0 ms, got -1.0."),
        ([0.0, 2.0, -0.5], "must be >= 0 ms, got -0.5 at index 2."),
        (NAN, "must be finite, got nan."),
        (1e9, "must be at most 5.36871e+07 ms, got 1e+09."),
        (1e308, "must be at most 5.36871e+07 ms, got 1e+308."),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", MAKING)
def test_making_a_population(name):
    for value, message in MAKING[name]:
        refused(f"Population.{name} {message}", iz.Population, **{"size": 3, name: value})


def test_unknown_names():
    for name, meant in (("vth", "V_th"), ("tau_reff", "tau_ref"), ("Vmin", "V_min"), ("thread", "threads"), ("C", "c")):
        message = f"Population has no parameter '{name}'. Did you mean '{meant}'? Known: a, b, c, d, V_th,"
        refused(message, iz.Population, 3, kind=TypeError, **{name: 1.0})
    refused("Population has no parameter 'V_th'. Did you mean 'vt", iz.Population, 3, iz.Izhikevich2007, V_th=30.0)


def test_numbers_beyond_float32():
    most = "must be at most 3.40282e+38 in size (float32), got "
    for name in ("V", "u", "a"):
        message = f"Population.{name} {most}1e+39 at index 2."
        refused(message, iz.Population, 3, dtype="float32", **{name: [0.0, 0.0, 1e39]})
    pop = iz.Population(3, dtype="float32")
    for I, got in (
        (-1e39, "-1e+39."),
        ([0.0, 1e39, 0.0], "1e+39 at index 1."),
        (np.full(3, 1e39), "1e+39 at index 0."),
    ):
        refused(f"Population.step.I {most}{got}", pop.step, I, pop=pop)
        refused(f"Population.run.I {most}{got}", pop.run, 0.1, I, pop=pop)
    refused(f"Noise.std {most}1e+39.", pop.run, 0.1, iz.Noise(1e39), pop=pop)
    refused(f"TimedArray.values {most}1e+39 at index 1.", pop.run, 0.1, iz.TimedArray([0.0, 1e39], 0.1), pop=pop)


# --- changing one ---------------------------------------------------------------------------------------------------


def test_assignments():
    pop = population(3, different(3) | {"tau_ref": 2.0})
    pop.run(1.0, 5.0)
    for name in ("V", "u", "a", "V_th", "V_min", "tau_ref"):
        for value, message in MAKING[name]:
            if not callable(value) and value != "nulcline":
                refused(f"Population.{name} {message}", setattr, pop, name, value, pop=pop)
    known = "a, b, c, d, V_th, k2, k1, k0, V_min, tau_ref, V, u."
    message = f"Population has no parameter 'vth'. Did you mean 'V_th'? Known: {known}"
    refused(message, setattr, pop, "vth", 3, pop=pop, kind=TypeError)
    for name in ("dt", "spikes", "t", "n_steps", "seed", "last_spike_time", "run"):
        message = f"Population.{name} cannot be changed. Make a new population."
        refused(message, setattr, pop, name, 1, pop=pop, kind=AttributeError)
    refused("assignment destination is read-only", pop.a.__setitem__, ..., 0.1, pop=pop)
    assert pop.step(5.0) is pop.spikes


# --- input ----------------------------------------------------------------------------------------------------------

INPUT = [
    (NAN, "must be finite, got nan."),
    (INF, "must be finite, got inf."),
    (np.array([0.0, NAN, INF]), "must be finite, got nan at index 1."),
    ([0.0, 1.0, -INF], "must be finite, got -inf at index 2."),
    ("10", f"{NUMBERS} in UNIT, got '10'. Turn text into numbers first."),
    (np.array(["a", "b", "c"]), f"{NUMBERS} in UNIT, got an array of shape (3,) and dtype <U1. Turn text into"),
    (None, f"{NUMBERS} in UNIT, got None."),
    (np.array([True, False, True]), f"{NUMBERS} in UNIT, got an array of shape (3,) and dtype bool. Write 1 "),
    ([[1.0], [1.0, 2.0]], f"{NUMBERS} in UNIT, got rows of different lengths. Make all rows equally long."),
    (np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), f"{NUMBERS} in UNIT, got a MaskedArray of shape (3,)"),
]  # fmt: skip


def test_values_of_the_input():
    pop = iz.Population(3)
    pop.run(1.0, 5.0)
    for value, message in INPUT:
        for name, unit, others in (
            ("I", "mV/ms", {}),
            ("delta", "mV", {}),
            ("g", "1/ms", {"E": 0.0}),
            ("E", "mV", {"g": 1}),
        ):
            if name == "I" or value is not None:
                inputs, text = {name: value, **others}, message.replace("UNIT", unit)
                refused(f"Population.step.{name} {text}", pop.step, pop=pop, **inputs)
                refused(f"Population.run.{name} {text}", pop.run, 1.0, pop=pop, **inputs)
    for value in (iz.Noise(1.0), iz.Sine(1.0, 1.0)):
        refused(f"Population.step.I {NUMBERS} in mV/ms, got {value!r:.20}", pop.step, value, pop=pop)


def test_shapes_of_the_input():
    pop, square = iz.Population(3), iz.Population((2, 3))
    pop.step(5.0)
    for shape in ((2,), (1, 3), (3, 1), (0,), (1, 1, 1)):
        message = f"Population.step.I must broadcast to shape (3,), got shape {shape}. {PER_NEURON}"
        refused(message, pop.step, np.zeros(shape), pop=pop)
    for shape in ((6,), (2,), (3, 2), (1, 2, 3)):
        message = f"Population.step.I must broadcast to shape (2, 3), got shape {shape}. {PER_NEURON}"
        refused(message, square.step, np.zeros(shape), pop=square)
    must = "Population.run.I must broadcast to shape (3,) or have shape (10, 3)"
    cure = "Pass one value for all neurons, one per neuron, or one row per step."
    for shape in ((2,), (9, 3), (11, 3), (10, 2), (10, 1, 3), (3, 10)):
        refused(f"{must}, got shape {shape}. {cure}", pop.run, 1.0, np.zeros(shape), pop=pop)
    cure = "For the same input to all neurons, reshape it to (10, 1)."
    refused(f"{must}, got shape (10,). {cure}", pop.run, 1.0, np.zeros(10), pop=pop)
    refused("Noise.std must have shape ", pop.run, 1.0, iz.Noise([1.0, 2.0]), pop=pop)


def test_conductances_come_with_their_reversal_potentials():
    pop = iz.Population(3)
    for door, call in (("step", pop.step), ("run", lambda **inputs: pop.run(1.0, **inputs))):
        for message, inputs in (
            ("g must come with E, got g alone. Pass both or neither.", dict(g=0.1)),
            ("E must come with g, got E alone. Pass both or neither.", dict(E=-70.0)),
            ("g must have one entry per entry of E (1), got 2.", dict(g=[0.1, 0.2], E=[0.0])),
            ("g must be finite, got nan.", dict(g=[0.1, NAN], E=[0.0, -70.0])),
        ):
            refused(f"Population.{door}.{message}", call, pop=pop, **inputs)


def test_units_of_the_book_model():
    """Its input is in pA, its conductances in nS."""
    pop = iz.Population(3, model=iz.Izhikevich2007)
    refused(f"Population.step.I {NUMBERS} in pA, got '70'.", pop.step, "70", pop=pop)
    refused(f"Population.step.g {NUMBERS} in nS, got '1'.", pop.step, g="1", E=0.0, pop=pop)
    refused(f"Population.run.E {NUMBERS} in mV, got '0'.", pop.run, 1.0, g=0.1, E="0", pop=pop)
    refused(f"Population.C {NUMBERS} in pF, got '100'.", setattr, pop, "C", "100", pop=pop)
    refused("Population.u_max must be numbers, got nan.", setattr, pop, "u_max", NAN, pop=pop)
    refused("Population.u_max must be finite, got -inf.", setattr, pop, "u_max", -INF, pop=pop)
    pop.u_max = [INF, 670.0, INF]


# --- running --------------------------------------------------------------------------------------------------------


def test_durations():
    pop = iz.Population(3)
    pop.run(1.0, 5.0)
    for T, message in (
        (-1.0, "must be a finite number >= 0 ms, got -1.0."),
        (NAN, "must be a finite number >= 0 ms, got nan."),
        (INF, "must be a finite number >= 0 ms, got inf."),
        (0.25, "must be a whole number of steps of 0.1 ms, got 0.25. Use 0.2 or 0.3 ms."),
        (10.05, "must be a whole number of steps of 0.1 ms, got 10.05. Use 10 or 10.1 ms."),
        (1e18, "must be less than 2**62 steps of 0.1 ms, got 1e+18."),
        ([1.0, 2.0], "must be a finite number >= 0 ms, got [1.0, 2.0]. Pass one value."),
        ("1 ms", "must be a finite number >= 0 ms, got '1 ms'. Turn text into numbers first."),
        (None, "must be a finite number >= 0 ms, got None."),
        (True, "must be a finite number >= 0 ms, got True."),
    ):
        refused(f"Population.run.T {message}", pop.run, T, 5.0, pop=pop)
    for every, message in (
        (0.0, "must be >= 0.1 ms, got 0.0."),
        (-1.0, "must be >= 0.1 ms, got -1.0."),
        (0.15, "must be a whole number of steps of 0.1 ms, got 0.15. Use 0.1 or 0.2 ms."),
    ):
        refused(f"Population.run.every {message}", pop.run, 1.0, record="V", every=every, pop=pop)


def test_records():
    pop, V = iz.Population(3), {"record": "V"}
    for options, message in (
        (dict(record="v"), "record must be a known name, got 'v'. Did you mean 'V'? Known: V, u."),
        (dict(record=["V", "W"]), "record must be a known name, got 'W'. Known: V, u."),
        (dict(record=[["V"]]), "record must be a known name, got ['V']. Known: V, u."),
        (dict(record=None), "record must be 'V', 'u' or a list of them, got None."),
        (dict(record=5), "record must be 'V', 'u' or a list of them, got 5."),
        (dict(**V, neurons=3), "neurons must be between 0 and 2, got 3. There are 3 neurons."),
        (dict(**V, neurons=[0, -1]), "neurons must be between 0 and 2, got -1. There are 3 neurons."),
        (
            dict(**V, neurons=[0.5]),
            "neurons must be a list of whole numbers, got 0.5. Pass flat indices such as [0, 5].",
        ),
        (dict(**V, neurons=[[0], [1]]), "neurons must be a list of whole numbers, got an array of shape (2, 1)."),
        (
            dict(**V, neurons=[True, False, True]),
            "neurons must be a list of whole numbers, got a mask. Use np.flatnonzero(",
        ),
        (
            dict(**V, neurons=np.array([True])),
            "neurons must be a list of whole numbers, got a mask. Use np.flatnonzero(",
        ),
        (dict(**V, neurons="all"), f"neurons {NUMBERS}, got 'all'."),
        (dict(**V, neurons=[0, NAN]), "neurons must be finite, got nan at index 1."),
        (dict(progress="yes"), "progress must be True, False or a function of (done, total) in ms, got 'yes'."),
    ):
        refused(f"Population.run.{message}", pop.run, 1.0, 5.0, pop=pop, **options)


# --- whatever comes -------------------------------------------------------------------------------------------------


LOW, HUGE, EMPTY = -INF, 10**400, []


class Odd:
    def __repr__(self):
        raise RuntimeError("cannot be printed")


def junk(rng):
    """A value that is no number and no shape of any argument."""
    word = "".join(rng.choices("abcxyzVu_", k=rng.randint(1, 8))) + "?"
    pick = [NAN, INF, LOW, np.float32("nan"), 1j, True, word, b"1", object(), Odd(), {}, {1.0}, Ellipsis, int, HUGE]
    pick += [[NAN] * 3, [0.0, INF, 0.0], np.full(7, 1.5), [[1.0, 2.0], [3.0]], np.zeros((3, 0)), ["1", "2", "3"], EMPTY]
    pick += [np.array([object()] * 3), np.zeros((2, 2, 2, 2)), np.array("2020-01-01", "M8[D]"), np.array([1j, 0, 0])]
    pick += [np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), np.zeros(3, "V8"), [[[1.0]]] * 3, np.array([True] * 3)]
    return rng.choice(pick + [[None] * 3])


def fitting(name, value):
    """Junk for one argument may be sense for another."""
    return (
        (name == "V_min" and value is LOW)
        or (name in ("V", "u", "progress") and value is int)  # something to call
        or (name == "progress" and value is True)
        or (name in ("record", "neurons") and value is EMPTY)
        or (name in ("seed", "threads") and value is HUGE)
    )


def test_whatever_comes_is_refused_by_name():
    """Thousands of calls with one bad argument among good ones."""
    rng = random.Random(0)
    pop = iz.Population(3)
    pop.run(1.0, 5.0)
    before = state(pop)
    parameters = [*pop.model.parameters, "V_min", "tau_ref", "V", "u"]
    making = ["size", "model", "scheme", "dt", "dtype", "batch", "reset", "seed", "threads", *parameters]
    stepping = {"I": 5.0, "delta": [0.0, 1.0, 2.0], "g": 0.1, "E": -70.0}
    running = {"T": 1.0, **stepping, "record": "V", "every": 0.2, "neurons": [0, 2], "progress": False}
    doors = [
        (making, lambda name, value: iz.Population(**{"size": 3, name: value})),
        (parameters, lambda name, value: setattr(pop, name, value)),
        (list(stepping), lambda name, value: pop.step(**{**stepping, name: value})),
        (list(running), lambda name, value: pop.run(**{**running, name: value})),
    ]
    for _k in range(4000):
        names, call = rng.choice(doors)
        name, value = rng.choice(names), junk(rng)
        if not fitting(name, value):
            with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b") as caught:
                call(name, value)
            assert len(str(caught.value)) < 400
    assert state(pop) == before
