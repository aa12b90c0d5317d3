"""The state of plastic synapses: one interface for both engines, whatever they count time in."""

from __future__ import annotations

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._base.saved import Misfit, Saved
from izhnumba._engine.plastic_state import PlasticState

DOPAMINE = iz.DopamineSTDP(tau_d=20.0, tau_e=50.0, period=5.0)
RULES = [DOPAMINE, iz.TripletSTDP(), iz.TsodyksMarkram(), iz.Scaling(target=5.0)]
PRE, POST = [0, 0, 1, 2], [2, 1, 2, 0]


def plastic(scheme, rule=DOPAMINE):
    """Synapses that no spike has reached, and their state."""
    net = iz.Network(dt=0.5, scheme=scheme, seed=1)
    cells = net.add(iz.Population(3), name="cells")
    syn = net.connect(cells, cells, (PRE, POST), weight=[1.0, 2.0, 3.0, 4.0], delay=1.5, plasticity=rule)
    assert isinstance(syn._plastic, PlasticState)
    return syn._plastic


def copied(state):
    return {name: values.copy() for name, values in state.items()}


def filled(state):
    """The same arrays with other values: numbers of a checkpoint that could be."""
    for array in state.values():
        array[...] = np.ones((), array.dtype)


schemes = pytest.mark.parametrize("scheme", ["euler", "exact"])
rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)


@schemes
@rules
def test_clear_is_the_start_and_a_state_that_is_loaded_is_the_state(scheme, rule):
    one, other = plastic(scheme, rule), plastic(scheme, rule)
    start = copied(one.state())
    filled(one.state())
    assert rule is iz.Scaling or any(np.any(start[name] != values) for name, values in one.state().items())
    other.load_state(one.state())
    for name, values in other.state().items():
        assert values.dtype == start[name].dtype
        np.testing.assert_array_equal(values, one.state()[name])
        assert not np.shares_memory(values, one.state()[name])
    one.clear()
    for name, values in one.state().items():
        np.testing.assert_array_equal(values, start[name])


@schemes
def test_synapses_of_each_target(scheme):
    state = plastic(scheme)
    by_target = [state.incoming[state.starts[i] : state.starts[i + 1]].tolist() for i in range(3)]
    syn_post = np.array([1, 2, 2, 0])  # in the order of source, delay and target
    assert by_target == [np.flatnonzero(syn_post == i).tolist() for i in range(3)]
    assert state.incoming.dtype == np.uint32
    assert not plastic(scheme, iz.TsodyksMarkram()).incoming.size  # target spikes change nothing
    assert [int(at) for at in state.addresses[:2]] == [state.numbers[k:].ctypes.data for k in range(2)]
    assert state.numbers[: len(DOPAMINE.parameters())].tolist() == list(DOPAMINE.parameters().values())


@pytest.mark.parametrize(("scheme", "after"), [("euler", lambda ms: round(ms / 0.5)), ("exact", float)])
def test_what_is_stored_and_what_is_left_of_it(scheme, after):
    """An eligibility is stored as of the update at 10 ms."""
    state, now = plastic(scheme), after(13.0)
    state.set_eligibility(np.array([1.0, 2.0, 3.0, 4.0]), now)
    np.testing.assert_allclose(state.eligibility(now), [1.0, 2.0, 3.0, 4.0], rtol=1e-15)
    np.testing.assert_allclose(state.memory["e"], np.array([1.0, 2.0, 3.0, 4.0]) * np.exp(3.0 / 50.0), rtol=1e-12)
    state.set_modulator(2.0, now)
    assert state.modulator_at(now) == 2.0
    assert state.modulator[0] == 2.0


WRONG = {
    "memory": (lambda values: values[1:], "be .* of shape"),
    "y": (lambda values: values.astype(np.float32), "be float64 of shape"),
    "spiked": (lambda values: values + 10**6, "be at most"),
    "modulator": (lambda values: np.append(values[:-1], 0.5), "decay by "),
    "modulator ": (lambda values: values * np.nan, "be numbers"),
}


@schemes
@pytest.mark.parametrize("which", WRONG)
def test_arrays_that_kernels_must_not_meet(scheme, which):
    (change, must), state, name = WRONG[which], plastic(scheme), which.strip()
    arrays = copied(state.state())
    state.check(Saved(arrays, "place", arrays), 8)
    if name == "spiked":
        arrays[name][:] = 0
    arrays[name] = change(arrays[name])
    with pytest.raises(Misfit, match=f"^whose place/{name} must {must}"):
        state.check(Saved(arrays, "place", arrays), 8)
