"""One call at a time: a second one, from whatever thread or from within the first, is told so and changes nothing."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest
from cells import state

import izhnumba as iz
from izhnumba._base.turns import Turn
from izhnumba._clock.kernels import layout

WITHIN = "Population.run has not ended"
ELSEWHERE = "Population must be used by one thread at a time, got a call while that of another has not ended"


def in_a_thread(call):
    """What a call in another thread raises, or None."""
    raised = []

    def run():
        try:
            call()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return raised[0] if raised else None


def test_a_turn_that_was_never_given_back_is_free_when_its_frame_has_ended():
    turn = Turn("Thing", "within")

    def take():
        turn.__enter__()
        assert turn.taken

    take()
    assert not turn.taken
    with turn, pytest.raises(RuntimeError, match="within"):
        take()
    assert not turn.taken


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_calls_in_the_midst_of_a_run(scheme):
    pop = iz.Population(3, **iz.presets["RS"], scheme=scheme, seed=1)
    twin = iz.Population(3, **iz.presets["RS"], scheme=scheme, seed=1)
    calls = [lambda: pop.step(1.0), lambda: pop.step(1.0, g=0.1, E=0.0), lambda: pop.run(1.0), pop.reset]
    seen = []

    def meddle(done, total):
        for call in calls:
            before = state(pop) if scheme != "exact" else pop.t
            with pytest.raises(RuntimeError, match=WITHIN):
                call()
            seen.append(in_a_thread(call))
            assert before == (state(pop) if scheme != "exact" else pop.t)

    pop.run(50.0, 10.0, progress=meddle)
    assert len(seen) >= 4
    assert all(isinstance(one, RuntimeError) and ELSEWHERE in str(one) for one in seen)
    twin.run(50.0, 10.0)
    np.testing.assert_array_equal(pop.V, twin.V)
    pop.step(10.0)


def test_calls_in_the_midst_of_a_run_of_a_network():
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(3, **iz.presets["RS"]))
    syn = net.connect(cells, cells, iz.OneToOne())
    calls = [
        net.step, net.reset, lambda: net.run(1.0), lambda: net.connect(cells, cells, iz.OneToOne()),
        lambda: net.drive(cells, 1.0), lambda: net.record(cells), lambda: net.remove(syn),
        lambda: net.add(iz.Population(1)), lambda: net.save("never.npz"),
    ]  # fmt: skip
    seen = []

    def meddle(done, total):
        for call in calls:
            with pytest.raises(RuntimeError, match="Network.run or connect has not ended"):
                call()
            seen.append(in_a_thread(call))

    net.run(5.0, progress=meddle)
    assert seen
    assert all("Network must be used by one thread at a time" in str(one) for one in seen)
    assert (len(net.populations), len(net.synapses), len(net.drives), len(net.recorders)) == (1, 1, 0, 0)
    net.run(5.0)
    assert net.t == 10.0


def test_a_step_that_meets_another_in_the_kernel_changes_nothing():
    pop = iz.Population(3, **iz.presets["RS"])
    pop.step(10.0)
    table, before = pop._engine.table, state(pop)
    table[layout.IN_USE] = 1  # as a call of another thread would have it
    for call in (lambda: pop.step(5.0), lambda: pop.step(np.ones(3)), lambda: pop.step(1.0, delta=1.0)):
        with pytest.raises(RuntimeError, match=ELSEWHERE):
            call()
    with pytest.raises(RuntimeError, match=ELSEWHERE):
        pop.run(1.0)
    table[layout.IN_USE] = 0
    assert state(pop) == before
    pop.step(10.0)


def test_many_threads_that_step_one_population():
    """Every step that is not refused is one of a whole: as many as the clock counts, with the bits of one thread."""
    pop = iz.Population(20_000, **iz.presets["RS"], threads=1, seed=1)
    pop.step(10.0)
    done, refused = [], []
    begin = threading.Barrier(4)

    def steps():
        begin.wait()
        for _ in range(60):
            try:
                pop.step(10.0)
                done.append(1)
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=steps) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) + len(refused) == 240
    assert pop.n_steps == 1 + len(done)
    assert all(ELSEWHERE in message for message in refused)
    twin = iz.Population(20_000, **iz.presets["RS"], threads=1, seed=1)
    for _ in range(pop.n_steps):
        twin.step(10.0)
    np.testing.assert_array_equal(pop.V, twin.V)
    np.testing.assert_array_equal(pop.u, twin.u)


@pytest.mark.parametrize("to_file", [False, True])
def test_a_recorder_is_read_by_another_thread_in_the_midst_of_a_run(to_file, tmp_path):
    """As a window with a live raster does: nothing is lost, nothing comes twice."""

    def network(**options):
        net = iz.Network(dt=0.5, seed=1, threads=1)
        cells = net.add(iz.Population(50, **iz.presets["RS"]))
        net.drive(cells, iz.Noise(std=20.0))
        return net, net.record(cells, **options), net.record(cells, "V", name="V")

    (whole, expected, V), (net, spikes, voltage) = network(), network(**({"to": tmp_path / "s"} if to_file else {}))
    whole.run(2000.0)
    lengths, over = [], threading.Event()

    def look():
        while not over.is_set():
            lengths.append((len(spikes), len(voltage.t)))

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(400):
        net.run(5.0)
    over.set()
    watcher.join(60)
    assert len(lengths) > 3
    assert lengths == sorted(lengths)
    np.testing.assert_array_equal(spikes.t, expected.t)
    np.testing.assert_array_equal(spikes.i, expected.i)
    np.testing.assert_array_equal(voltage.V, V.V)


def test_two_threads_never_have_the_turn_at_once():
    turn, inside, seen = Turn("Thing", "within"), [], []
    over = time.monotonic() + 1.0

    def work():
        while time.monotonic() < over:
            try:
                with turn:
                    inside.append(1)
                    seen.append(len(inside))
                    inside.pop()
            except RuntimeError as error:
                assert "Thing must be used by one thread at a time" in str(error)  # noqa: PT017

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(before)
    assert set(seen) == {1}
    assert not turn.taken
