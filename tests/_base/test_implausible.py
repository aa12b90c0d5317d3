"""What is likely to be meant otherwise is told: pairs with two readings, resets that do not reset, values that only
another unit explains. What may be meant is not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import izhnumba as iz

RS = iz.presets["RS"]


def one(**options):
    return iz.Population(3, **options)


def told(call):
    """The words of the warnings, each of which must point at the line that calls."""
    with warnings.catch_warnings(record=True, action="always") as caught:
        call()
    assert {one.filename for one in caught} <= {__file__}
    return [str(one.message) for one in caught]


PYRAMIDAL = iz.presets["2007/RS"]


def at_work(weight, receptor, model=PYRAMIDAL, **options):
    net = iz.Network()
    cells = net.add(iz.Population(3, **model))
    net.connect(cells, cells, iz.AllToAll(), weight=weight, receptor=receptor, **options)


def drive_book(value):
    net = iz.Network()
    net.drive(net.add(iz.Population(3, **PYRAMIDAL)), value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: one(c=-0.065), "Population.c is -0.065 mV, which looks like -0.065 V. Pass it in mV."),
        (lambda: iz.Population(1, **PYRAMIDAL | {"vr": -0.06}), "Population.vr is -0.06 mV, which looks like -0.06 V."),
        (lambda: iz.Population(1, **PYRAMIDAL | {"C": 1e-10}), "Population.C is 1e-10 pF, which looks like 1e-10 F."),
        (lambda: iz.GABA_A(E=-0.08), "Exponential.E is -0.08 mV, which looks like -0.08 V. Pass it in mV."),
        (lambda: iz.NMDA(E=0.05), "NMDA.E is 0.05 mV, which looks like 0.05 V. Pass it in mV."),
        (
            lambda: iz.Population(1, **PYRAMIDAL).run(1.0, [1e-10]),
            "Population.run.I is 1e-10 pA, which looks like 1e-10 A. Pass it in pA.",
        ),
        (lambda: drive_book(1e-10), "Network.drive.input is 1e-10 pA, which looks like 1e-10 A. Pass it in pA."),
        (
            lambda: at_work(1e-9, iz.AMPA()),
            "Network.connect.weight is 1e-09 nS, which looks like 1e-09 S. Pass it in nS.",
        ),
        (
            lambda: at_work(1e-9, iz.Alpha(2.0)),
            "Network.connect.weight is 1e-09 pA, which looks like 1e-09 A. Pass it in pA.",
        ),
        (
            lambda: one().run(1.0, iz.TimedArray(np.ones(9), dt=1e-4)),
            "TimedArray.dt is 0.0001 ms, of which a step of 0.1 ms takes one row in a hundred or less. Pass it in ms.",
        ),
        (
            lambda: one().run(1.0, 1.0 - 2 * iz.Pulses([0.3, 0.01], [0.5, 0.05], 10.0)),
            "Pulses from 0.01 to 0.05 ms lie between two steps of 0.1 ms and are lost. Make them as long as a step.",
        ),
    ],
)
def test_values_in_another_unit_are_told(call, message):
    (words,) = told(call)
    assert words.startswith(message)


@pytest.mark.parametrize(
    "call",
    [
        lambda: one(V=-0.065),  # some start has to be anywhere
        lambda: one(c=[-0.065, -50.0, -50.0]),
        lambda: one(c=0.0),
        lambda: iz.AMPA(E=0.0),
        lambda: one(dt=1e-4),  # to see what a step costs
        lambda: one().run(1.0, 1e-10),
        lambda: at_work(1e-9, iz.Delta()),
        lambda: at_work(1e-9, iz.AMPA(), model=RS),
        lambda: at_work(0.0, iz.AMPA()),
        lambda: at_work(1e-9, iz.AMPA(), plasticity=iz.STDP()),  # which may grow
        lambda: one(scheme="exact").run(1.0, iz.Pulses(0.01, 0.05, 10.0)),
        lambda: one(scheme="exact").run(1.0, iz.TimedArray(np.ones(9), dt=1e-4)),
        lambda: one().run(1.0, iz.Pulses([0.3, 0.5, 0.7], [0.4, 0.55, 0.7], 10.0)),
        lambda: one().run(1.0, iz.TimedArray(np.ones(9), dt=0.0125)),
    ],
)
def test_small_values_that_may_be_meant_are_not(call):
    assert told(call) == []


def connected(pairs, n=3):
    def connect():
        net = iz.Network()
        cells = net.add(iz.Population(n))
        net.connect(cells, cells, pairs)

    return connect


@pytest.mark.parametrize("pairs", [[[0, 1], [2, 0]], [(0, 1), (2, 0)], ((0, 1), (2, 0))])
def test_two_pairs_are_two_things(pairs):
    assert told(connected(pairs)) == [
        f"Network.connect.rule {pairs} is read as (pre, post) and could mean two pairs (source, target). Write "
        "([0, 1], [2, 0]) for the first, ([0, 2], [1, 0]) for the second."
    ]


@pytest.mark.parametrize(
    "pairs",
    [
        ([0, 1], [2, 0]),
        (np.array([0, 1]), np.array([2, 0])),
        [np.array([0, 1]), np.array([2, 0])],
        [[0, 1], [1, 0]],  # which comes to the same
        [[0], [1]],
        [[0, 1, 2], [1, 2, 0]],
    ],
)
def test_other_pairs_are_one_thing(pairs):
    assert told(connected(pairs)) == []


@pytest.mark.parametrize(
    ("rows", "pairs"),
    [
        ([[1, 0], [0, 1]], ""),  # the same as pairs
        ([[0, 1], [0, 1]], "two pairs (source, target) or "),
        ([[1.0, 1.0], [1.0, 0.0]], ""),
    ],
)
def test_two_rows_of_a_matrix_are_two_or_three_things(rows, pairs):
    cures = [
        str(tuple(rows)),
        *([str(tuple(map(list, zip(*rows, strict=True))))] if pairs else []),
        f"np.array({rows})",
    ]
    nths = [f"{cure} for the {nth}" for cure, nth in zip(cures, ("first", "second", "third"), strict=False)]
    assert told(connected(rows, 2)) == [
        f"Network.connect.rule {rows} is read as (pre, post) and could mean {pairs}a matrix (sources, targets). Write "
        f"{', '.join(nths)}."
    ]


def test_rows_that_connect_the_same_are_one_thing():
    assert told(connected([[0, 1], [1, 0]], 2)) == []


STUCK = "Population: a spike leaves neuron {} at {:g} mV by the reset {!r}, not below its threshold of {:g} mV"
AGAIN = "it fires again as soon as it can. Use"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(c=35.0), f"{STUCK.format(0, 35, 'hard', 30)}: {AGAIN} a c below the threshold."),
        (dict(c=[-65.0, 30.0, 40.0]), f"{STUCK.format(1, 30, 'hard', 30)}: {AGAIN} a c below the threshold."),
        (dict(V_th=-70.0), f"{STUCK.format(0, -65, 'hard', -70)}: {AGAIN} a c below the threshold."),
        (dict(c=30.0, reset="overshoot"), f"{STUCK.format(0, 30, 'overshoot', 30)}: {AGAIN} a c below the threshold."),
        (
            dict(V_th=-40.0, reset="soft"),
            f"{STUCK.format(0, 0, 'soft', -40)}: {AGAIN} the reset 'hard' for a threshold that is not above 0.",
        ),
        (dict(c=35.0, scheme="exact"), f"{STUCK.format(0, 35, 'hard', 30)}: {AGAIN} a c below the threshold."),
    ],
)
def test_resets_at_the_threshold_are_told(options, message):
    assert told(lambda: one(**options)) == [message]


def test_other_resets_are_not():
    for options in (dict(c=29.0), dict(c=35.0, reset="soft"), dict(V_th=-40.0), dict(V_th=1e3, c=-65.0)):
        assert told(lambda options=options: one(**options)) == []
    for preset in iz.presets.values():
        assert told(lambda preset=preset: iz.Population(1, **preset)) == []
