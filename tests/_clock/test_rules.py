"""The rules of a step, in numbers a reader can check: reset, threshold, refractoriness, and what is not finite."""

from __future__ import annotations

import numpy as np
import pytest
from cells import different, population, state
from oracle import SCHEMES, Oracle, Quadratic, steps_held
from step_alone import StepAlone

import izhnumba as iz
from izhnumba._clock import inputs

RESET_FIRST = ("exp_euler", "izhikevich2003")
STILL = dict(k2=0.0, k1=0.0, k0=0.0, a=0.0)  # V' = I - u, u' = 0: a step of 0.1 ms with I = 10 adds 1 mV to V


RESETS = [
    ("exp_euler", "hard", -65.0),
    ("exp_euler", "soft", 0.5),
    ("euler", "hard", -65.0),
    ("euler", "overshoot", -64.5),
]


# --- threshold and reset --------------------------------------------------------------------------------------------


def step(pop, I, reset="hard"):
    """A step of the equations alone, whose kernel nothing else here needs."""
    return StepAlone(pop, reset, "plain").step(np.zeros(pop.n, bool), np.full(pop.n, I)).tolist()


@pytest.mark.parametrize(("scheme", "reset", "V"), RESETS)
def test_resets(scheme, reset, V):
    """V = 29.5 + 1 is a spike; then c, V - V_th or c + (V - V_th), and u + d."""
    pop = iz.Population(2, scheme=scheme, reset=reset, V=[29.5, -65.0], d=2.0, **STILL)
    assert step(pop, 10.0, reset) == [True, False]
    if scheme in RESET_FIRST:  # what is stored is beyond the threshold until the next step
        assert pop.V.tolist() == [30.5, -64.0]
        assert pop.u.tolist() == [0.0, 0.0]
        step(pop, 2.0, reset)  # cancels u
        assert pop.V.tolist() == pytest.approx([V, -63.8])
    else:
        assert pop.V.tolist() == [V, -64.0]
    assert pop.u.tolist() == [2.0, 0.0]


def test_the_test_is_at_least_the_threshold_except_in_the_program_of_2004():
    for scheme in ("exp_euler", "euler", "izhikevich2004"):
        pop = iz.Population(2, scheme=scheme, V=[30.0 - 1.0, 30.0 - 0.875], **STILL)
        assert step(pop, 10.0) == [scheme != "izhikevich2004", True]


@pytest.mark.parametrize("scheme", ["exp_euler", "euler"])
def test_a_start_beyond_the_threshold(scheme):
    """Schemes that reset first do so without a spike; the others take a step and find V beyond the threshold."""
    pop = iz.Population(1, scheme=scheme, V=40.0, d=2.0, **STILL)
    assert step(pop, 0.0) == [scheme not in RESET_FIRST]
    assert (pop.V[0], pop.u[0]) == ((-65.2, 2.0) if scheme in RESET_FIRST else (-65.0, 2.0))


def test_a_threshold_of_any_sign():
    for V_th in (-40.0, 0.0, 25.0):
        pop = iz.Population(1, V=V_th - 0.5, V_th=V_th, d=0.0, **STILL)
        assert step(pop, -10.0) == [False]
        assert step(pop, 100.0) == [True]
        assert step(pop, 0.0) == [False]
        assert pop.V.tolist() == [-65.0]


# --- refractoriness -------------------------------------------------------------------------------------------------

HELD = {
    0.0: 0,
    0.05: 0,
    0.1: 0,
    0.10005: 0,
    0.1002: 1,
    0.25: 2,
    0.3: 2,
    1.1: 10,
    1.10005: 10,
    1.1002: 11,
    2.0: 19,
    5.0: 49,
}


def spiking(tau_ref, **options):
    """Cells that spike in the first step, with the c and d of the default."""
    n = len(tau_ref)
    return population(
        n, different(n) | dict(c=np.full(n, -65.0), d=np.full(n, 8.0), V=29.9, tau_ref=tau_ref), **options
    )


def test_steps_held():
    """ceil(tau_ref / dt) - 1 steps, where a ratio a thousandth from a whole number is that number."""
    assert steps_held(list(HELD), 0.1).tolist() == list(HELD.values())
    for dtype in ("float64", "float32"):
        pop = spiking(list(HELD), dtype=dtype)
        assert pop.step(100.0).all()
        u, n_held = pop.u + 8, np.zeros(len(HELD), int)
        for _k in range(60):
            pop.step(-100.0)
            held = pop.refractory
            n_held += held
            assert np.all((pop.V == -65.0) == held)  # reset, then at rest
            assert np.all((pop.u == u) == held)
        assert n_held.tolist() == list(HELD.values())


def test_refractory_flag_and_lost_input():
    pop = spiking([2.0, 0.0, 2.0])
    pop.V[2] = -65.0
    assert pop.step(100.0).tolist() == [True, True, False]
    for k in range(20):
        held = k < 19
        spikes = pop.step([2000.0, -50.0, -50.0])
        assert pop.refractory.tolist() == [held or spikes[0], False, False], k
        assert spikes[0] == (k == 19), k
        assert (pop.V[0] == -65.0) == held, k
    assert pop.last_spike_time[0] == 21 * 0.1


def test_refractory_without_a_period_is_the_spike_itself():
    pop = iz.Population(3, V=[-65.0, -55.0, -45.0])
    for _k in range(300):
        np.testing.assert_array_equal(pop.step(10.0), pop.refractory)


def test_a_changed_period_counts_from_the_next_spike():
    pop = iz.Population(2, V=29.9)
    pop.step(100.0)
    pop.tau_ref = [2.0, 0.0]
    assert pop.refractory.tolist() == [True, True]
    assert pop.last_spike_time.tolist() == [0.1, 0.1]
    pop.step(0.0)
    assert pop.refractory.tolist() == [False, False]
    pop.V[...] = 29.9
    assert pop.step(100.0).all()
    pop.tau_ref = 0.0
    pop.step(0.0)
    assert pop.refractory.tolist() == [True, False]  # the spike before was in a period of 2 ms
    assert np.shape(pop.tau_ref) == ()


# --- what is not finite ---------------------------------------------------------------------------------------------


def broken(table, scheme="exp_euler", **options):
    """The steps, one by one, up to the failure: the population, the message, and what the oracle says it must be."""
    pop = population(table.shape[1], {}, scheme=scheme, **options)
    oracle = Oracle(table.shape[1], Quadratic(), scheme, 0.1, -65.0, 0.0)
    for row in table:
        with np.errstate(all="ignore"):
            oracle.step(row)
        lost = ~(np.isfinite(oracle.V) & np.isfinite(oracle.u))
        if lost.any():
            break
        pop.step(row)
    first = int(np.argmax(lost))
    name = "u" if np.isfinite(oracle.V[first]) else "V"
    expected = (
        f"{name} became non-finite in {lost.sum()} of {len(lost)} neurons at t = {oracle.k * 0.1:.6g} ms, first neuron "
        f"{first}. Use a smaller dt than 0.1 ms or a weaker input; reset() starts again."
    )
    with pytest.raises(RuntimeError) as caught:
        pop.step(row)
    assert pop.n_steps == oracle.k
    return pop, str(caught.value), expected


@pytest.mark.filterwarnings("ignore:Population.V fell below")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_first_failure_is_reported(scheme, monkeypatch):
    table = np.full((30, 5), 10.0)
    table[7, [1, 3]] = -1e308  # V is large and negative then; one or two steps later its square overflows
    table[9, 0] = -1e308
    pop, message, expected = broken(table, scheme)
    assert message == expected
    spikes, failed = pop.spikes.copy(), pop.n_steps
    for most_steps in (1, 4, 2**16):
        monkeypatch.setattr(inputs, "_MOST_STEPS", most_steps)
        pop = population(5, {}, scheme=scheme)
        with pytest.raises(RuntimeError) as caught:
            pop.run(3.0, table, record="V")
        assert str(caught.value) == expected
        assert len(pop.result.V) == failed
        assert not {1, 3} & set(pop.result.spikes.i[pop.result.spikes.step >= 7])
    assert not spikes[[1, 3]].any()
    pop.reset()
    twin = population(5, {}, scheme=scheme)
    for p in (pop, twin):
        p.run(20.0, 10.0)
    assert state(pop) == state(twin)


def test_failures_in_several_blocks(monkeypatch):
    n, first = 20_000, 4_097
    table = np.full((12, n), 10.0)
    table[3, [19_999, first, 12_000, 12_001]] = -1e308
    table[5, 0] = -1e308
    for threads in (1, 2):
        pop = population(n, {}, threads=threads)
        with pytest.raises(
            RuntimeError, match=rf"^V became non-finite in 4 of {n} neurons at t = 0\.5 ms, first neuron {first}\."
        ):
            pop.run(1.2, table)


def test_a_failure_of_u_alone():
    """u overflows while V is finite: found in that step if it is the last of a stretch, else in V a step later."""
    in_u, in_V = (
        "u became non-finite in 2 of 2 neurons at t = 0.2 ms,",
        "V became non-finite in 2 of 2 neurons at t = 0.3 ms,",
    )
    singly, split = lambda p: [p.step(0.0) for _ in range(9)], lambda p: [p.run(0.2) for _ in range(4)]
    for advance, message in ((singly, in_u), (split, in_u), (lambda p: p.run(0.9), in_V)):
        pop = iz.Population(2, scheme="euler", a=1e155)
        with pytest.raises(RuntimeError, match=f"^{message} first neuron 0. Use a smaller dt than 0.1 ms"):
            advance(pop)


def test_infinity_is_not_a_spike():
    for scheme in SCHEMES:
        for dtype in ("float64", "float32")[: 1 + (scheme == "exp_euler")]:
            pop = iz.Population(
                3, scheme=scheme, dtype=dtype, V=[-65.0, -65.0, -1e200 if dtype == "float64" else -1e30]
            )
            with pytest.raises(
                RuntimeError, match=r"^V became non-finite in 1 of 3 neurons at t = 0\.1 ms, first neuron 2\."
            ):
                pop.run(0.1)
            assert not pop.spikes.any()
            assert not len(pop.result.spikes)
            np.testing.assert_array_equal(pop.last_spike_time, [-np.inf] * 3)
            assert not np.isfinite(pop.V[2])
            assert np.isfinite(pop.V[:2]).all()


def test_a_current_that_overflows_is_found():
    pop = iz.Population(3)
    message = "^Population.step.g must be finite in float64 when summed and when multiplied by E. Use smaller ones.$"
    with pytest.raises(ValueError, match=message):
        pop.step(0.0, g=[1e200, 1e200], E=[1e200, -1e200])
    assert pop.n_steps == 0
    with pytest.raises(RuntimeError, match=r"^V became non-finite in 3 of 3 neurons at t = 0\.1 ms, first neuron 0\."):
        pop.run(0.1, g=[1e200, 1e200], E=[1e200, -1e200])


def test_nan_written_by_the_caller_is_found():
    for name in ("V", "u"):
        for advance in (lambda p: p.step(0.0), lambda p: p.step([0.0] * 70), lambda p: p.run(5.0)):
            pop = population(70)
            pop.step(0.0)
            getattr(pop, name)[66:68] = np.nan
            with pytest.raises(
                RuntimeError, match=rf"^{name} became non-finite in 2 of 70 neurons at t = 0\.2 ms, first neuron 66\."
            ):
                advance(pop)


def test_nan_in_a_neuron_that_is_held():
    for name in ("V", "u"):
        for advance in (lambda p: p.step(0.0), lambda p: p.run(5.0)):
            pop = spiking([2.0] * 3)
            pop.step(100.0)
            pop.step(0.0)
            getattr(pop, name)[1] = np.nan
            with pytest.raises(
                RuntimeError, match=rf"^{name} became non-finite in 1 of 3 neurons at t = 0\.3 ms, first neuron 1\."
            ):
                advance(pop)
