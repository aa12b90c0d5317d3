"""Inputs that users write: a function of time or rows of their own, checked before a kernel reads them."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pytest

import izhnumba as iz


def own(kind):
    return dataclass(frozen=True, eq=False, repr=False)(kind)


@own
class Hum(iz.Input):
    """A function of time that differs between neurons."""

    gain: object = 1.0

    def at(self, t):
        return np.multiply.outer(9.0 + 4.0 * np.sin(t), self.gain)


@own
class Walk(iz.Input):
    """What depends on what came before."""

    size: float

    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        seed, stream = key

        def jump(step):
            return np.random.Generator(np.random.Philox(key=seed << 32 | stream, counter=[0, step, 0, 0])).normal()

        def rows(step, count):
            level = memory.get(stream, {}).get(step, 5.0)
            values = np.cumsum([level, *(self.size * jump(k) for k in range(step, step + count))])[1:]
            memory[stream] = {step: level, step + count: float(values[-1])}
            return values.astype(dtype)[:, np.newaxis]

        return rows


class Plain(iz.Input):
    """No dataclass. With one function for `at` or for `bind`."""

    def __init__(self, function):
        self.function = function


class Timed(Plain):
    def at(self, t):
        return self.function(t)


class Bound(Plain):
    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        return self.function(math.prod(shape))


def rows(make):
    """An own input whose rows (count, n) are made by a function of (step, count, n)."""
    return Bound(lambda n: lambda step, count: make(step, count, n))


def spikes(found):
    return found.spikes.step.tolist(), found.spikes.i.tolist()


# --- what they do -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("size", "batch", "shape"), [(6, None, (6,)), ((2, 3), None, (3,)), (3, 2, (2, 1)), (4, 3, ())]
)
def test_a_function_of_time_is_an_array_over_time(dtype, size, batch, shape):
    pop, twin = (iz.Population(size, batch=batch, dtype=dtype, **iz.presets["RS"]) for _ in range(2))
    gain = np.linspace(0.5, 1.5, math.prod(shape)).reshape(shape)
    values = Hum(gain).at(np.arange(400) / 10)
    table = np.broadcast_to(values.reshape(400, *(1,) * (len(pop.shape) - gain.ndim), *shape), (400, *pop.shape))
    assert spikes(pop.run(40.0, Hum(gain))) == spikes(twin.run(40.0, table))
    np.testing.assert_array_equal(pop.V, twin.V)
    assert len(pop.result.spikes) > 0


def test_networks_and_slices_take_them():
    gain, V = np.linspace(0.5, 1.5, 40), []
    for make in (lambda t: 1.0 + 2 * Hum(gain), lambda t: iz.TimedArray(1.0 + 2 * Hum(gain).at(t), 0.5)):
        net = iz.Network(dt=0.5, seed=1)
        cells = net.add(iz.Population((2, 40), **iz.presets["RS"]))
        net.drive(cells[20:60], make(np.arange(100) * 0.5))
        for _ in range(20):
            net.step()
        net.run(40.0)
        V.append(cells.V.copy())
    np.testing.assert_array_equal(*V)
    assert len(np.unique(V[0])) == 41


def test_times_are_those_that_one_writes():
    seen = []
    pop = iz.Population(1, dt=0.3)
    pop.run(6.0, Timed(lambda t: seen.append(t) or np.zeros(len(t))))
    assert set(np.concatenate(seen).tolist()) == {round(0.3 * k, 1) for k in range(20)}


def test_they_are_rates_too():
    drawn = [iz.Poisson(rate).bind((6,), 1.0, "float64", (1, 2), {}, unit="")(0, 200)
             for rate in (Timed(lambda t: 500.0 + t), iz.TimedArray(500.0 + np.arange(200), 1.0))]  # fmt: skip
    np.testing.assert_array_equal(*drawn)


def test_runs_go_on_from_what_is_in_memory():
    whole, halves = (iz.Population(2, seed=3, **iz.presets["RS"]) for _ in range(2))
    whole.run(80.0, Walk(1.0) + Walk(1.0))
    for _ in range(4):
        halves.run(20.0, Walk(1.0) + Walk(1.0))
    np.testing.assert_array_equal(whole.V, halves.V)
    assert len(whole._memory) == 2


@pytest.mark.parametrize("base", [iz.Ramp, iz.Noise, iz.Constant, iz.OrnsteinUhlenbeck])
def test_a_class_derived_from_another_input_has_its_own_values_alone(base):
    by_time = own(type("ByTime", (base,), {"at": lambda self, t: 3.0 + t}))
    by_rows = own(type("ByRows", (base,), {"bind": lambda self, *a, **o: lambda k, n: np.full((n, 1), 3.0)}))
    numbers = [1.0] * sum(field.default is dataclasses.MISSING for field in dataclasses.fields(base))
    for kind, level in ((by_time, lambda t: 3.0 + t), (by_rows, lambda t: np.full(len(t), 3.0))):
        pop, twin = iz.Population(2), iz.Population(2)
        pop.run(5.0, kind(*numbers))
        twin.run(5.0, level(np.arange(50) * 0.1).reshape(50, 1))
        np.testing.assert_allclose(pop.V, twin.V, rtol=1e-13)
        with pytest.raises(ValueError, match="must be a number, an array, TimedArray"):
            iz.Population(2, scheme="exact").run(5.0, kind(*numbers))
        with pytest.raises(TypeError, match="must be a number or an array"):
            iz.Population(2).step(kind(*numbers))


def test_spikes_of_a_derived_class_are_not_those_of_its_base():
    class Silent(iz.SpikeTrain):
        def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
            return lambda step, count: np.zeros((count, 1), dtype)

    train = Silent([0], [1.0], weight=200.0)
    assert not len(iz.Population(1).run(5.0, delta=train).spikes)
    with pytest.raises(ValueError, match="Silent must tell the times of its spikes with the scheme 'exact'"):
        iz.Population(1, scheme="exact").run(5.0, delta=train)


# --- what is refused --------------------------------------------------------------------------------------------------

NAN = np.array([np.nan, 1.0, 1.0])
WRONG = [
    (Timed(lambda t: 5.0), "Timed.at must give a value for each time t, shape (1,) or (1, ...), got shape ()."),
    (Timed(lambda t: [1.0] * 7), "Timed.at must give a value for each time t, shape (1,) or (1, ...), got shape (7,)."),
    (Timed(lambda t: np.ones((len(t), 2))), "Timed.at(t)[0] must have shape () or (3,), got (2,)."),
    (Timed(lambda t: np.outer(t + 1, NAN)), "Timed.at must give finite values, got nan for neuron 0 in step 0."),
    (Timed(lambda t: None), "Timed.at must be a number or an array of numbers, got None."),
    (Bound(lambda n: None), "Bound.bind() must be a function of (step, count), got None."),
    (Bound(lambda n: lambda step: np.ones(1)), "Bound.bind() must be a function of (step, count), got one of (step)."),
    (rows(lambda k, count, n: np.ones((count, 2))), "must give float64 of shape (1, 1) or (1, 3), got float64 of "),
    (rows(lambda k, count, n: np.ones((count, n), int)), "got int64 of shape (1, 3). Convert it: .astype(dtype)."),
    (rows(lambda k, count, n: np.ma.ones((count, n))), "of shape (1, 1) or (1, 3), got a MaskedArray of shape (1, 3)"),
    (rows(lambda k, count, n: np.tile(NAN, (count, 1))), "got nan for neuron 0 in step 0."),
    (rows(lambda k, count, n: np.full((count, 1), np.inf)), "finite values, got inf for all neurons in step 0."),
    (iz.Input(), "Input must define at(t) or bind(shape, dt, dtype, key, memory, *, unit), got neither. See help("),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_ones_are_refused_before_anything_changes(wrong, message):
    pop = iz.Population(3)
    net = iz.Network()
    cells = net.add(iz.Population(5))
    for stimulus in (wrong, wrong + 1.0, 2 * wrong + iz.Noise(1.0)):
        for use in (lambda one: pop.run(5.0, one), lambda one: net.drive(cells[1:4], one)):
            with pytest.raises((TypeError, ValueError)) as caught:
                use(stimulus)
            assert message in str(caught.value)
    assert (pop.t, pop.V.tolist(), pop._memory, len(net.drives)) == (0.0, [-65.0] * 3, {}, 0)


def test_a_bind_with_other_arguments_is_refused():
    class Old(iz.Input):
        def bind(self, shape, dt):
            return lambda step, count: np.zeros((count, 1))

    must = "Old.bind must be a function of (shape, dt, dtype, key, memory, *, unit), got one of (shape, dt)."
    with pytest.raises(TypeError) as caught:
        iz.Population(1).run(1.0, Old())
    assert str(caught.value) == must


def test_float32_sees_what_is_too_large():
    large = 1e300
    for stimulus in (Timed(lambda t: np.full(len(t), large)), Timed(lambda t: np.full((len(t), 2), large))):
        with pytest.raises(
            ValueError, match="Timed.at must be at most 3.40282e.* got 1e.300 for (all neurons|neuron 0) in step 0."
        ):
            iz.Population(2, dtype="float32").run(1.0, stimulus)
    with pytest.raises(ValueError, match=r"Bound.bind must give float32 of .* got float64 .* Convert it: .astype\(dty"):
        iz.Population(2, dtype="float32").run(1.0, rows(lambda k, count, n: np.ones((count, 1))))


def test_a_wrong_value_later_on_ends_the_run():
    def late(step, count, n):
        values = np.full((count, n), 10.0)
        values[np.arange(step, step + count) >= 3000, n - 1] = np.nan
        return values

    pop, twin = (iz.Population(400, **iz.presets["RS"]) for _ in range(2))
    with pytest.raises(ValueError, match="Bound.bind must give finite values, got nan for neuron 399 in step 3000."):
        pop.run(400.0, rows(late))
    assert 0 < pop.n_steps <= 3000
    twin.run(pop.t, 10.0)
    for one in (pop, twin):
        one.run(10.0, 10.0)
    np.testing.assert_array_equal(pop.V, twin.V)


@pytest.mark.parametrize(("gain", "whose"), [(1.0, "all neurons"), (np.arange(400) == 7, "neuron 7")])
def test_a_wrong_value_of_a_function_of_time_is_named_by_its_step(gain, whose):
    pop = iz.Population(400)
    late = Timed(lambda t: np.multiply.outer(np.where(t > 299.95, 1e308, 0.0), gain) * 10.0)
    message = f"Timed.at must give finite values, got inf for {whose} in step 3000."
    with np.errstate(over="ignore"), pytest.raises(ValueError) as caught:
        pop.run(400.0, late)
    assert str(caught.value) == message
    assert 0 < pop.n_steps <= 3000


def test_sums_and_parts_of_izhnumba_name_the_step_too():
    for name, late in (("Ramp", iz.Ramp(1e308, start=200.0)), ("Sum", 1.7e308 + iz.Pulses([200.0], [300.0], 1.7e308)),
                       ("Scaled", 2 * iz.Pulses([200.0], [300.0], 1.7e308))):  # fmt: skip
        with (
            np.errstate(over="ignore"),
            pytest.raises(ValueError, match=f"^{name} must be finite, .* all neurons in step 20"),
        ):
            iz.Population(1).run(400.0, late)


def test_rates_that_are_no_numbers_are_refused():
    rate = Timed(lambda t: np.where(t < 1.0, 5.0, np.nan))
    with pytest.raises(ValueError, match="Poisson.rate must be between 0 and .* Hz at this dt, got nan Hz."):
        iz.Poisson(rate).bind((6,), 1.0, "float64", (1, 2), {}, unit="")(0, 20)


def test_values_at_any_times():
    assert Hum().at([0.0, 0.0]).tolist() == [9.0, 9.0]
    assert Hum().at(0) == 9.0
    assert type(Hum().at(0)) is float
    assert Hum([1.0, 2.0]).at([[0, 0, 0]]).tolist() == [[[9.0, 18.0]] * 3]
    assert Hum().at(0.0) == (1.0 * Hum()).at(0.0)
    for wrong, error in (("late", TypeError), (np.nan, ValueError)):
        with pytest.raises(error, match="Hum.at.t must be "):
            Hum().at(wrong)
    with pytest.raises(ValueError, match=r"Timed.at must give a value for each time t, shape \(1,\) or"):
        Timed(lambda t: 5.0).at(2.0)


def test_a_class_with_an_at_of_other_arguments_is_refused():
    for at, got in ((lambda t: t, "one of (t)"), (lambda self: 0.0, "one of (self)"), (3.0, "3.0")):
        with pytest.raises(TypeError) as caught:
            type("Mine", (iz.Input,), {"at": at})
        must = "(self, t)" if callable(at) else "(t)"
        assert str(caught.value) == f"Mine.at must be a function of {must}, got {got}."


def test_an_at_may_use_that_of_its_base_or_none_of_its_object():
    class Twice(Hum):
        def at(self, t):
            t -= 0.0  # an array of its own
            return 2 * super().at(t)

    class Line(iz.Input):
        at = staticmethod(lambda t: 2 * t)

    assert own(Twice)().at(0.0) == 18.0
    assert Line().at([1.0, 2.0]).tolist() == [2.0, 4.0]


def test_without_values_at_any_time_there_is_no_at():
    with pytest.raises(TypeError, match="Input.at must have an input with values at any time, not only what bind"):
        (Walk(1.0) + 1.0).at(2.0)
    assert (Hum() + 1.0).at([0.0, 0.0]).tolist() == [10.0, 10.0]


# --- checkpoints ------------------------------------------------------------------------------------------------------


def driven(*inputs):
    net = iz.Network(seed=5)
    cells = net.add(iz.Population(4, **iz.presets["RS"]), name="cells")
    for one in inputs:
        net.drive(cells, one)
    net.run(20.0)
    return net


def test_dataclasses_are_stored(tmp_path):
    @own
    class Doubled(iz.Input):
        """With a field that is made of the others."""

        level: float
        twice: float = dataclasses.field(init=False)

        def __post_init__(self):
            object.__setattr__(self, "twice", 2 * self.level)

        def at(self, t):
            return np.full(len(t), self.twice)

    net = driven(Hum(np.ones(4)), 2 * Walk(0.5) + iz.OrnsteinUhlenbeck(0.0, 1.0, 5.0), Doubled(1.0))
    net.save(tmp_path / "net.npz")
    again = iz.load(tmp_path / "net.npz", define=[Hum, Walk, Doubled])
    for one in (net, again):
        one.run(30.0)
    np.testing.assert_array_equal(net.populations["cells"].V, again.populations["cells"].V)


def test_others_are_told_what_to_do(tmp_path):
    with pytest.raises(TypeError) as caught:
        driven(Timed(np.cos)).save(tmp_path / "net.npz")
    must = (
        "Network.save cannot store a Timed at network/drives/cells/value: it is no number, text, array or dataclass. "
    )
    assert str(caught.value) == must + (
        "Write @dataclass(frozen=True) above a class of your own, whose fields are all that it is made of."
    )

    @dataclass(frozen=True, init=False)
    class Level(iz.Input):
        level: float

        def __init__(self, percent):
            object.__setattr__(self, "level", percent / 100)

        def at(self, t):
            return np.full(len(t), self.level)

    with pytest.raises(TypeError) as caught:
        driven(Level(50)).save(tmp_path / "net.npz")
    must = (
        "Network.save cannot store a Level at network/drives/cells/value: its constructor must take its fields, (level)"
    )
    assert str(caught.value) == must + ", got one of (percent). Leave __init__ to @dataclass."
    assert not list(tmp_path.iterdir())


def sines(t):
    return math.sin(np.append(t, 0.0))


def halves(t):
    return 1.0 if np.append(t, 0.0) > 3 else 0.0


@pytest.mark.parametrize("function", [sines, halves])
def test_functions_of_one_number_are_told_that_t_is_an_array(function):
    words = "^Timed.at must compute with arrays, got .*Error: .*array.* t is an array: use np.sin, not math.sin, and np"
    with pytest.raises(TypeError, match=words):
        iz.Population(2).run(5.0, Timed(function))


def test_a_function_of_time_in_continuous_time_is_told_of_pieces():
    pop, cure = iz.Population(2, scheme="exact"), ", or a sum of Constant, TimedArray, Ramp, Pulses and Sine"
    for value, end in ((Timed(np.cos), cure), (3.0 + Timed(np.cos), cure), (iz.Noise(1.0), "")):
        with pytest.raises(ValueError, match="with the scheme 'exact'") as caught:
            pop.run(5.0, value)
        assert str(caught.value).endswith(f"Use a clock scheme such as 'rk4'{end}.")
