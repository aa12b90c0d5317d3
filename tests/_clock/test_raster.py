"""Lists of spikes against NumPy's own bits."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from izhnumba._clock.kernels import layout, raster
from izhnumba._clock.reports import table_of
from izhnumba._engine.protocol import SpikeList
from izhnumba._engine.table import Table

BEGAN, STEPS = 7, 5


@pytest.fixture(params=[1, 32, 64, 70])
def call(request):
    """The table of a population after a call, and the steps and neurons of its spikes."""
    rng, per_step = np.random.default_rng(1), request.param
    words = rng.integers(2**64, size=STEPS * per_step + layout.RASTER_SLACK, dtype=np.uint64)
    words &= rng.integers(2**64, size=words.size, dtype=np.uint64)
    words[rng.random(words.size) < 0.5] = 0
    bits = np.unpackbits(words[: STEPS * per_step].astype("<u8").view(np.uint8), bitorder="little")
    steps, neurons = np.nonzero(bits.reshape(STEPS, -1))
    table, reports = Table(layout.TABLE_SIZE), np.zeros((-(-per_step // 32), layout.REPORT_SIZE), np.int64)
    np.add.at(reports[:, layout.N_SPIKES], neurons // layout.BLOCK, 1)
    table.put(layout.RASTER, words)
    table.put(layout.REPORT, reports)
    table[[layout.PADDED, layout.BEGAN, layout.STEP]] = per_step * 64, BEGAN, BEGAN + STEPS
    return table, steps + BEGAN, neurons


def listed(table, counts, first=0, last=2**40, every=0):
    """What a list holds after the call, and its counts. counts: those before."""
    counts, columns = np.array(counts), np.full((2, 10_000), -1)
    one = SpikeList(SimpleNamespace(table=table), first, min(last, int(table[layout.PADDED])), every, counts, columns)
    raster.entry()(table_of(one).address, STEPS, 0)
    return columns, counts.tolist()


def test_bits_are_listed_in_order(call):
    table, steps, neurons = call
    (rows, more), counts = listed(table, [3, BEGAN, 10_000])
    assert np.array_equal(rows[3 : counts[0]], neurons)
    assert np.array_equal(more[3 : counts[0]], steps)
    assert counts == [3 + len(steps), BEGAN + STEPS, 10_000]
    assert rows[:3].tolist() == rows[counts[0] :][:3].tolist() == [-1, -1, -1]


def test_a_part_of_the_neurons_and_of_the_steps(call):
    table, steps, neurons = call
    for first, last in ((0, 1), (5, 63), (17, 2049), (64, 3000)):
        (rows, more), counts = listed(table, [0, BEGAN + 2, 10_000], first, last)
        wanted = (neurons >= first) & (neurons < last) & (steps >= BEGAN + 2)
        assert np.array_equal(rows[: counts[0]], neurons[wanted])
        assert np.array_equal(more[: counts[0]], steps[wanted])
        (rows, more), counts = listed(table, [0, BEGAN, 10_000], first, last, every=3)
        wanted = (neurons >= first) & (neurons < last)
        found = np.repeat(rows[: counts[0]], more[: counts[0]])
        assert np.array_equal(found, steps[wanted] // 3)
        assert counts[0] == len(np.unique(steps[wanted]))


def test_a_list_without_room_or_with_a_gap_stays_as_it_is(call):
    table, steps, _ = call
    for counts in ([3, BEGAN, 2 + len(steps)], [3, BEGAN, 0], [3, BEGAN - 1, 10_000]):
        assert listed(table, counts)[1] == counts
        assert (listed(table, counts)[0] == -1).all()
    assert listed(table, [3, BEGAN, 3 + len(steps)])[1] == [3 + len(steps), BEGAN + STEPS, 3 + len(steps)]
