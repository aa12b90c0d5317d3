"""What people new to the field or to this package write by mistake, and what they are told."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import analysis

RS = iz.presets["RS"]


def one(**options):
    return iz.Population(3, **options)


def network(until=None):
    net = iz.Network()
    cells = net.add(iz.Population(3))
    return net, cells


def running_until(found):
    net, cells = network()
    net.run(1.0, until=lambda net: found(cells))


LINEAR = "must make dV rise with V^2 with the scheme 'exact', got"
UNTIL = "Network.run.until must return True or False, got"
SOLUTION = "must have a solution for duration (1000 ms) at each current that is tried, got one that at I ="
CASES = {
    # Parameters for the exact scheme
    "no parabola": (lambda: one(k2=0.0, scheme="exact"), ValueError, f"Population.k2 {LINEAR} 0 in neuron 0."),
    "one is none": (lambda: one(k2=[1, 1, -2], scheme="exact"), ValueError, f"Population.k2 {LINEAR} -2 in neuron 2."),
    "another model": (
        lambda: iz.Population(1, iz.Izhikevich2007, k=0.0, scheme="exact"),
        ValueError,
        f"Population.k {LINEAR} 0 in neuron 0.",
    ),
    "huge": (
        lambda: one(k1=1e300, scheme="exact"),
        ValueError,
        "Population.k1 must make C be finite in the normal form with the scheme 'exact', got 1e+300 in neuron 0.",
    ),
    # Analysis
    "too many spikes": (
        lambda: analysis.rheobase(RS, n_spikes=10**9),
        ValueError,
        f"rheobase.neuron {SOLUTION} 131072 mV/ms runs away at t = ",
    ),
    "too strong": (
        lambda: analysis.fi_curve(RS, [0.0, 1e9]),
        ValueError,
        f"fi_curve.neuron {SOLUTION} 1e+09 mV/ms runs away at t = ",
    ),
    "too wide": (
        lambda: analysis.fixed_points(RS, V=(-1e308, 1e308)),
        ValueError,
        "fixed_points.V must be (low, high) with low < high, a finite way apart, got (-1e+308, 1e+308).",
    ),
    "backwards": (
        lambda: analysis.fixed_points(RS, V=(60, -120)),
        ValueError,
        "fixed_points.V must be (low, high) with low < high, a finite way apart, got (60, -120).",
    ),
    "a line": (
        lambda: analysis.saddle_node_current(dict(k2=0.0)),
        ValueError,
        "got the model Izhikevich with V^2 times 0. Use fixed_points",
    ),
    # Conditions
    "an array": (lambda: running_until(lambda cells: cells.spikes), TypeError, f"{UNTIL} an array of shape (3,)."),
    "no return": (lambda: running_until(lambda cells: None), TypeError, f"{UNTIL} None."),
    "text": (lambda: running_until(lambda cells: "no"), TypeError, f"{UNTIL} 'no'."),
    "nothing": (lambda: running_until(lambda cells: cells.V[:0] > 0), TypeError, f"{UNTIL} an array of shape (0,)."),
    # True and False for numbers
    "True cells": (
        lambda: iz.Population(True),
        TypeError,
        "Population.size must be a whole number >= 1, got True. Write 1 for True and 0 for False.",
    ),
    "a mask": (
        lambda: one().run(1.0, record="V", neurons=(True, False, True)),
        TypeError,
        "Population.run.neurons must be a list of whole numbers, got a mask. Use np.flatnonzero(mask).",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_is_told(case):
    call, kind, message = CASES[case]
    with pytest.raises(kind) as raised:
        call()
    assert message in str(raised.value)


@pytest.mark.parametrize("found", [True, np.True_, 1, np.array([True]), np.array(1.0)])
def test_conditions_of_many_kinds_hold(found):
    net, cells = network()
    net.run(1.0, until=lambda net: found)
    assert round(net.t, 1) == 0.1


@pytest.mark.parametrize("name", ["resting_state", "saddle_node_current", "hopf_current"])
def test_parameters_far_out_say_nothing(name):
    found = getattr(analysis, name)(dict(k1=1e200))  # without a warning
    assert not np.isfinite(found).any()
