"""Population.run: forms of input, what is recorded, progress, and that a run may be cut anywhere."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from cells import assert_same, assert_same_result, different, events, population, state

import izhnumba as iz
from izhnumba._base import checks
from izhnumba._clock.engine import ClockEngine

# --- results --------------------------------------------------------------------------------------------------------


def test_an_empty_run():
    for options, shape in ((dict(), (0, 3)), (dict(batch=2), (0, 2, 3))):
        pop = iz.Population(3, **options)
        before = state(pop)
        for I in (10.0, iz.Noise(1.0), np.zeros((0, *pop.shape))):
            result = pop.run(0, I, record=["V", "u"])
            assert result.V.shape == result.u.shape == shape
            assert len(result.spikes) == len(result.t) == 0
        assert state(pop) == before
        assert pop.run(1.0, record="V", every=2.0).V.shape == shape


def test_spikes_are_events():
    pop = population(3)
    raster = np.zeros((600, 3), bool)
    for k in range(600):
        raster[k] = pop.step(10.0)
    twin = population(3)
    spikes = twin.run(60.0, 10.0).spikes
    step, i = np.nonzero(raster)
    np.testing.assert_array_equal(events(spikes), [step, 0 * i, i])
    np.testing.assert_array_equal(spikes.t, (step + 1) * 0.1)
    assert [a.dtype for a in (spikes.i, spikes.step, spikes.batch, spikes.t)] == [np.int64] * 3 + [np.float64]
    assert len(spikes) == len(step) > 5
    assert set(spikes.i) == {0, 1, 2}
    later = twin.run(60.0, 10.0).spikes
    assert later.step.min() >= 600
    assert twin.result.spikes is later


def test_events_of_a_batch():
    cells = different(6)
    pop = iz.Population((1, 3), batch=2, **{name: values.reshape(2, 1, 3) for name, values in cells.items()})
    spikes = pop.run(60.0, 10.0).spikes
    flat = population(6, cells).run(60.0, 10.0).spikes
    np.testing.assert_array_equal(events(spikes), [flat.step, flat.i // 3, flat.i % 3])
    order = np.lexsort(events(spikes)[::-1])
    np.testing.assert_array_equal(order, np.arange(len(spikes)))


def test_samples():
    pop, twin = population(4), population(4)
    result = pop.run(10.0, 10.0, record=["V", "u"])
    np.testing.assert_array_equal(result.t, (np.arange(100) + 1) * 0.1)
    for k in range(100):
        twin.step(10.0)
        np.testing.assert_array_equal(result.V[k], twin.V)  # a sample of step k is the state after it
        np.testing.assert_array_equal(result.u[k], twin.u)
    assert result.neurons.tolist() == [0, 1, 2, 3]
    V = result.V.copy()
    pop.step([3] * 4)  # what comes later leaves the result alone
    pop.run(5.0, 5.0)
    pop.run(5.0, 5.0, record="V")
    np.testing.assert_array_equal(result.V, V)


def test_samples_on_the_absolute_clock():
    pop, twin = population(4), population(4)
    full = twin.run(10.0, 10.0, record=["V", "u"])
    pop.run(0.7, 10.0)
    result = pop.run(9.3, 10.0, record="V", every=0.5)
    np.testing.assert_array_equal(result.t, np.arange(10, 101, 5) * 0.1)
    np.testing.assert_array_equal(result.V, full.V[9::5])
    for every, shape in ((10.0, (1, 4)), (10.1, (0, 4)), (0.1, (100, 4))):
        assert population(4).run(10.0, record="V", every=every).V.shape == shape


def test_chosen_neurons():
    full = population(70).run(3.0, 10.0, record=["V", "u"])
    for neurons in (
        [5, 0, 69, 5],
        np.array([64, 63], np.int32),
        [3.0, 1.0],
        [],
        np.flatnonzero([0, 1, 1]),
        7,
        range(3),
    ):
        result = population(70).run(3.0, 10.0, record=["u", "V"], neurons=neurons)
        index = np.atleast_1d(neurons).astype(int)
        np.testing.assert_array_equal(result.neurons, index)
        np.testing.assert_array_equal(result.V, full.V[:, index])
        np.testing.assert_array_equal(result.u, full.u[:, index])
        assert result.V.flags.c_contiguous
    cells = {name: values.reshape(2, 35) for name, values in different(70).items()}
    batches = iz.Population(35, batch=2, **cells).run(3.0, 10.0, record="V", neurons=[34, 0, 34], every=0.3)
    np.testing.assert_array_equal(batches.V, full.V[2::3].reshape(10, 2, 35)[:, :, [34, 0, 34]])


def test_what_was_not_recorded():
    result = iz.Population(2).run(1.0, record="V")
    for name, cure in (("u", r" Pass record=\['u'\] to run\."), ("W", "")):
        with pytest.raises(AttributeError, match=rf"^Result has no '{name}'\.{cure}$"):
            getattr(result, name)
    assert repr(result) == "<result: <0 spikes>, V (10, 2)>"
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.V, result.V)
    assert again.model is iz.Izhikevich


def test_dataframes():
    cells = {name: values.reshape(2, 3) for name, values in different(6).items()}
    result = iz.Population(3, batch=2, **cells).run(60.0, 10.0, record=["V", "u"], every=20.0, neurons=[2, 0])
    frame = result.to_dataframe()
    assert list(frame) == ["t", "i", "batch", "V", "u"]
    assert len(frame) == 3 * 2 * 2
    for _, row in frame.iterrows():
        sample, column = round(row.t / 20.0) - 1, [2, 0].index(row.i)
        assert row.V == result.V[sample, int(row.batch), column]
        assert row.u == result.u[sample, int(row.batch), column]
    spikes = result.spikes.to_dataframe()
    assert list(spikes) == ["i", "t", "step", "batch"]
    np.testing.assert_array_equal(spikes.t, result.spikes.t)
    plain = iz.Population(2).run(0.3, record="u").to_dataframe()
    assert list(plain) == ["t", "i", "batch", "u"]
    assert plain.i.tolist() == [0, 1] * 3
    assert len(iz.Population(2).run(0.3).to_dataframe()) == 0


def test_records_that_do_not_fit_are_refused(monkeypatch):
    pop = iz.Population(120)
    message = (
        r"^Population\.run\.every must fit in the free memory \(0\.01 GiB\), got 0\.01796 GiB\. "
        r"Record fewer neurons, more seldom, or a shorter run\.$"
    )
    monkeypatch.setattr(checks, "free_memory", lambda: 2**30 // 100)
    before = state(pop)
    with pytest.raises(ValueError, match=message):
        pop.run(1000.0, record=["V", "u"])
    assert state(pop) == before
    assert pop.run(1000.0, record="V", every=10.0).V.shape == (100, 120)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"^Population\.run\.every must fit in the free memory"):
        pop.run(1e14, record="V")  # more than any machine has, refused before it is asked for
    with pytest.raises(ValueError, match=r"^Population\.size must fit in the free memory .*, got .* GiB\. Use fewer"):
        iz.Population(10**13)


# --- input over time ------------------------------------------------------------------------------------------------


def stepped(table, n=5, **others):
    pop = population(n, {})
    for k, row in enumerate(table):
        pop.step(row, **{name: values[k] for name, values in others.items()})
    return pop


def test_forms_of_input_over_time():
    table = np.random.default_rng(1).normal(8.0, 8.0, (200, 5))
    twin = stepped(table)
    strided = np.repeat(table, 2, axis=0)[::2]
    for form in (
        table,
        table.tolist(),
        np.asfortranarray(table),
        strided,
        table.astype(">f8"),
        iz.TimedArray(table, 0.1),
    ):
        pop = population(5, {})
        pop.run(20.0, form)
        assert_same(pop, twin)
    single = population(5, {})
    single.run(20.0, table.astype(np.float32))
    assert_same(single, stepped(table.astype(np.float32)))
    column = population(5, {})
    column.run(20.0, table[:, :1])
    assert_same(column, stepped(table[:, 0]))
    square = iz.Population((1, 5), batch=3)
    square.run(20.0, table.reshape(200, 1, 1, 5))
    np.testing.assert_array_equal(square.V, np.broadcast_to(twin.V, (3, 1, 5)))


def test_all_inputs_over_time():
    rng = np.random.default_rng(2)
    I, delta, g = rng.normal(8, 8, (200, 5)), rng.normal(0, 1, (200, 5)), rng.uniform(0, 0.2, (200, 5))
    twin = stepped(I, delta=delta, g=g, E=np.full(200, -70.0))
    for forms in (
        dict(delta=delta, g=g, E=-70.0),
        dict(delta=iz.TimedArray(delta, 0.1), g=[iz.TimedArray(g, 0.1)], E=[np.full((200, 1), -70.0)]),
    ):
        pop = population(5, {})
        pop.run(20.0, I, **forms)
        assert_same(pop, twin)
    constant = population(5, {})
    constant.run(20.0, I, delta=delta[0], g=[g[0], g[1]], E=[0.0, -80.0])
    twin = population(5, {})
    for row in I:
        twin.step(row, delta=delta[0], g=[g[0], g[1]], E=[0.0, -80.0])
    assert_same(constant, twin)


def test_input_is_read_before_the_state_moves():
    for n in (5, 4096):
        pop, twin = population(n, {}), population(n, {})
        pop.run(5.0, I=pop.V)
        twin.run(5.0, I=twin.V.copy())
        assert_same(pop, twin)


# --- cut anywhere ---------------------------------------------------------------------------------------------------

INPUTS = {
    "constant": 10.0,
    "noise": iz.Noise(20.0),
    "ornstein": iz.OrnsteinUhlenbeck(8.0, 4.0, 5.0) + iz.OrnsteinUhlenbeck(2.0, 1.0, 50.0),
    "sine": iz.Sine(10.0, 37.0, offset=5.0),
    "table": iz.TimedArray(np.random.default_rng(3).normal(10, 10, (50, 7)), 0.9),
    "sum": 2.0 + iz.Pulses([5.05, 20.0], [15.0, 30.0], 9.0) + iz.Ramp(0.3) + iz.Noise(5.0),
}


@pytest.mark.parametrize("I", INPUTS.values(), ids=INPUTS)
def test_split_runs_are_the_whole_run(I):
    whole, split = population(7), population(7)
    options = dict(record=["V", "u"], every=0.3, neurons=[6, 2])
    result = whole.run(50.0, I, **options)
    parts = [split.run(T, I, **options) for T in (0.1, 3.7, 0, 20.2, 0.9, 25.1)]
    assert_same(whole, split)
    assert_same_result(result, *parts)
    assert len(result.spikes) > 3
    assert len(result.t) == 166


def test_random_input_starts_afresh_after_a_reset():
    pop, twin = population(4), population(4)
    I = iz.OrnsteinUhlenbeck(8.0, 4.0, 5.0)
    pop.run(10.0, I)
    pop.reset()
    for p in (pop, twin):
        p.run(10.0)
        p.run(10.0, I)
    assert_same(pop, twin)


def test_a_failed_call_leaves_random_input_where_it_was():
    whole, split = population(4), population(4)
    I = iz.OrnsteinUhlenbeck(8.0, 4.0, 5.0)
    whole.run(20.0, I)
    split.run(10.0, I)
    with pytest.raises(ValueError, match=r"Population\.run\.delta must be finite, got nan"):
        split.run(5.0, I, delta=np.nan)
    split.run(10.0, I)
    assert_same(whole, split)


# --- progress and Ctrl-C --------------------------------------------------------------------------------------------


def test_progress_is_called(monkeypatch):
    monkeypatch.setattr("izhnumba._clock.inputs._MOST_STEPS", 30)
    seen = []
    pop = population(3)
    pop.run(0.5)
    pop.run(10.0, 10.0, progress=lambda done, total: seen.append((done, total, pop.t)))
    assert [done for done, _, _ in seen] == pytest.approx([3.0, 6.0, 9.0, 10.0])
    assert {total for _, total, _ in seen} == {10.0}
    assert [t for _, _, t in seen] == pytest.approx([3.5, 6.5, 9.5, 10.5])


def test_an_exception_of_the_callback_stops_the_run(monkeypatch):
    monkeypatch.setattr("izhnumba._clock.inputs._MOST_STEPS", 30)

    def stop(done, total):
        if done > 5.0:
            raise KeyError("enough")

    I = iz.OrnsteinUhlenbeck(8.0, 4.0, 5.0)
    pop, twin = population(3), population(3)
    with pytest.raises(KeyError, match="enough"):
        pop.run(20.0, I, record="V", every=0.4, progress=stop)
    assert pop.n_steps == 60
    partial = pop.result
    rest = pop.run(20.0, I, record="V", every=0.4)
    assert_same_result(twin.run(26.0, I, record="V", every=0.4), partial, rest)
    assert_same(pop, twin)


def test_only_the_state_can_be_set_during_a_run(monkeypatch):
    monkeypatch.setattr("izhnumba._clock.inputs._MOST_STEPS", 30)
    pop, twin = population(3), population(3)
    refused = []

    def meddle(done, total):
        for call in (pop.step, lambda: pop.step(1.0), lambda: pop.step([1.0] * 3), lambda: pop.run(1.0), pop.reset):
            with pytest.raises(
                RuntimeError, match=r"^Population\.run has not ended: until then only V, u and parameters"
            ):
                call()
            refused.append(done)
        pop.V[0], pop.c = -60.0, np.full(3, -55.0)

    result = pop.run(6.0, 10.0, record="V", progress=meddle)
    parts = []
    for _k in range(2):
        parts.append(twin.run(3.0, 10.0, record="V"))
        twin.V[0], twin.c = -60.0, np.full(3, -55.0)
    assert len(refused) == 10
    assert_same_result(result, *parts)
    pop.step(1.0)
    twin.step(1.0)
    assert_same(pop, twin)


def test_ctrl_c_while_spikes_are_taken(monkeypatch):
    """The slice is done then: its spikes belong to the result."""
    pop, twin = population(3), population(3)
    listed = ClockEngine.spike_list
    interrupts = [KeyboardInterrupt]

    def interrupted(*args):
        if interrupts:
            raise interrupts.pop()
        return listed(*args)

    monkeypatch.setattr(ClockEngine, "spike_list", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pop.run(20.0, 10.0, record="V")
    assert pop.n_steps == 200
    assert_same_result(pop.result, twin.run(20.0, 10.0, record="V"))
    assert len(pop.result.spikes)


CTRL_C = """
import gc, os, signal, sys, threading, time
import numpy as np
import izhnumba as iz
from cells import assert_same, assert_same_result, population

gc.disable()  # Python ignores an interrupt in the callback of an object that is collected

def after(pop, T):
    I = iz.Noise(3.0) + iz.OrnsteinUhlenbeck(8.0, 2.0, 20.0)
    return pop.run(T, I, record=["V", "u"], every=10.0, neurons=[3, 1])

new = lambda: population(500, threads=1)  # long runs on several threads compile another loop first
after(new(), 50.0)
for delay in (0.05, 0.21, 0.4):
    pop, sent = new(), []
    def interrupt():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Timer(delay, interrupt).start()
    try:
        after(pop, 1e6)
    except KeyboardInterrupt:
        waited = time.perf_counter() - sent[0]
    assert waited < 1.0, waited
    assert 0 < pop.n_steps < 1e7
    assert len(pop.result.t) == pop.n_steps // 100
    partial, twin, T = pop.result, new(), pop.n_steps * 0.1
    rest = after(pop, 50.0)
    assert_same_result(after(twin, T + 50.0), partial, rest)
    assert_same(pop, twin)
print("answered")
"""


def test_ctrl_c(request):
    """Answered between two slices; the state is good to go on from, and the records end where it stands."""
    root = request.config.rootpath
    paths = [str(root / "tests" / "oracles"), str(root)]
    script = f"import sys; sys.path[:0] = {paths!r}\n" + CTRL_C
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout == "answered\n", done.stderr


def test_data_frames_need_pandas(monkeypatch):
    result = iz.Population(1).run(1.0, record="V")
    monkeypatch.setitem(sys.modules, "pandas", None)
    net = iz.Network()
    voltage = net.record(net.add(iz.Population(1)), "V")
    for thing in (result, result.spikes, voltage.samples):
        with pytest.raises(ImportError, match=f"^{type(thing).__name__}.to_dataframe needs pandas. Install it with"):
            thing.to_dataframe()


def test_a_failure_ends_the_record_and_does_not_heal():
    pop = iz.Population(100, scheme="exp_euler")
    pop.V[7] = np.inf
    with pytest.raises(RuntimeError, match=r"V became non-finite in 1 of 100 neurons at t = 0.1 ms, first neuron 7\."):
        pop.run(20.0, 30.0, record="V", every=0.1)
    assert pop.result.V.shape == (1, 100)
    assert not np.isfinite(pop.V[7])
    assert not pop.spikes[7]
    with pytest.raises(RuntimeError, match="first neuron 7"):
        pop.step(30.0)
    pop.reset()
    pop.run(1.0)


@pytest.mark.parametrize("n", [63, 64])
def test_padding_gives_no_warning(n):
    iz.Population(n, d=5000.0, scheme="euler", u=-13.0).run(50.0, 0.0, record="V")


def test_slices_of_noise_end_at_multiples_of_four():
    ends = []
    pop = iz.Population(300_000, dtype="float32", seed=1, threads=1)
    pop.step()
    pop.run(3.0, iz.Noise(1.0) + iz.Noise(1.0), progress=lambda done, total: ends.append(round(pop.t / pop.dt)))
    assert all(end % 4 == 0 for end in ends[:-1])
    assert ends[-1] == 31
