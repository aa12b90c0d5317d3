"""Rows of inputs: made in place, never in arrays of others, and read where they lie."""

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._input.target import Target


def rows(stimulus, step, count, *, shape=(6,), dtype="float64", stream=22):
    return stimulus.bind(shape, 0.1, dtype, (11, stream), {})(step, count)


class Lent(iz.Input):
    """Rows that lie in a table of its owner's."""

    def __init__(self, table):
        self.table = table

    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        return lambda step, count: self.table[step : step + count]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_and_products_are_made_in_place_but_never_in_what_is_not_ours(dtype):
    values = np.random.default_rng(1).normal(size=(40, 6)).astype(dtype)
    lent, table = Lent(values.copy()), iz.TimedArray(values, dt=0.1)
    together = 2.0 * lent + table + 0.5 * table + iz.Noise(3.0) + lent + 1.0
    expected = 2.0 * values + values + 0.5 * values + rows(iz.Noise(3.0), 0, 40, dtype=dtype, stream=23) + values + 1.0
    for _ in range(2):
        np.testing.assert_allclose(rows(together, 0, 40, dtype=dtype), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(lent.table, values)
    np.testing.assert_array_equal(table.values, values)


def test_a_table_of_the_step_and_dtype_of_the_population_is_used_where_it_lies():
    table = iz.TimedArray(np.arange(60.0).reshape(10, 6), dt=0.1, hold=False)
    bound = table._bound(Target((6,), 0.1, np.dtype("float64"), (0, 0), {}, "mV/ms"))
    assert np.shares_memory(bound(2, 5), table.values)
    np.testing.assert_array_equal(bound(2, 5), table.values[2:7])
    np.testing.assert_array_equal(bound(8, 4), [*table.values[8:], *np.zeros((2, 6))])
    assert not np.shares_memory(bound(8, 4), table.values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(6,), (2, 6), (2, 1)])
@pytest.mark.parametrize("table_dt", [0.05, 0.1, 0.13, 0.5])
@pytest.mark.parametrize("hold", [True, False])
def test_rows_of_tables_are_their_values_at_each_step(dtype, shape, table_dt, hold):
    values = np.random.default_rng(2).normal(size=(17, *shape))
    of = (2, 6) if len(shape) == 2 else (6,)
    table, found = iz.TimedArray(values, table_dt, hold), []
    for step, count in ((0, 9), (9, 1), (10, 0), (10, 90)):
        found.append(rows(table, step, count, shape=of, dtype=dtype))
    at = table.at(np.arange(100) * 0.1).reshape(100, *shape)
    np.testing.assert_array_equal(np.concatenate(found), np.broadcast_to(at, (100, *of)).reshape(100, -1).astype(dtype))


def test_tables_may_lie_column_by_column_in_memory():
    values = np.random.default_rng(1).random((20, 6))
    for laid in (np.asfortranarray(values), values.T.copy().T, np.repeat(values, 2, axis=1)[:, ::2]):
        found = iz.TimedArray(laid, 0.1).bind((6,), 0.1, "float64", (1, 2), {})(3, 9)
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, values[3:12])
    pop, twin = (iz.Population(6, V=-70.0, u=-14.0) for _ in range(2))
    pop.run(2.0, iz.TimedArray(np.asfortranarray(values), 0.1))
    twin.run(2.0, iz.TimedArray(values, 0.1))
    assert pop.V.tobytes() == twin.V.tobytes()


@pytest.mark.parametrize(("size", "batch"), [((2, 3), None), (3, 2), ((2, 3), 2)])
def test_what_is_made_of_inputs_fits_every_shape(size, batch):
    """Values of one size and of others broadcast to a population as NumPy does it, in each way they come together."""
    shape = (*([batch] if batch else []), *(size if isinstance(size, tuple) else (size,)))
    column, row = np.array([[1.0], [3.0]]), np.array([0.5, 1.0, 2.0])
    wave, gate = iz.Sine(2.0, 90.0, phase=row), iz.Pulses(0.4, 1.6, 1.0, base=column)
    t = np.arange(20) * 0.1
    by_hand = {
        wave * gate: wave.at(t)[:, None, :] * gate.at(t),
        column * wave.clip(-1.0, row): column * np.clip(wave.at(t), -1.0, row)[:, None, :],
        (gate - wave).delayed(0.3): gate.at(t - 0.3) - wave.at(t - 0.3)[:, None, :],
        gate.clip(row, 2.0): np.clip(gate.at(t), row, 2.0),
    }
    for made, values in by_hand.items():
        expected = np.broadcast_to(values.reshape(20, *(1,) * (len(shape) - 2), 2, 3), (20, *shape)).reshape(20, -1)
        np.testing.assert_allclose(rows(made, 0, 20, shape=shape), expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.broadcast_to(made.at(t), values.shape), values, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match=r"Constant.value must have shape .*got \(4,\)"):
        rows(wave * np.ones(4), 0, 1, shape=shape)
    with pytest.raises(ValueError, match=r"Clipped.low must have shape .*got \(4,\)"):
        rows(wave.clip(np.ones(4)), 0, 1, shape=shape)
