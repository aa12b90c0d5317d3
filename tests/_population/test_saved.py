"""`Population.save` and `load`: what was saved goes on to the last bit as if it had never stopped."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path

import crafted
import numpy as np
import pytest
from cells import assert_same, assert_same_result, different, state
from interrupts import interrupted, moments, passed

import izhnumba as iz

NOISE = iz.Noise(4.0) + iz.OrnsteinUhlenbeck(8.0, 2.0, 5.0)
CELLS = {name: values.reshape(3, 4) for name, values in different(12).items()}


def clock(**options):
    """Everything that a file must hold of one that goes in steps."""
    return iz.Population((3, 4), model=iz.IzhikevichRef, batch=2, **CELLS, seed=3, threads=1, name="µ/1", **options)


def exact():
    return iz.Population(6, scheme="exact", **iz.presets["RS"], tau_ref=1.0, seed=7)


MADE = {  # how it is made, and the inputs of its runs
    "float32": (lambda: clock(dtype="float32"), {"I": NOISE, "delta": iz.Noise(0.5), "g": 0.01, "E": -70.0}),
    "float64": (clock, {"I": NOISE, "delta": iz.Poisson(300.0, weight=2.0)}),
    "exact": (exact, {"I": iz.Sine(4.0, 20.0, offset=9.0), "delta": iz.Poisson(200.0, 2.0), "g": 0.01, "E": -70.0}),
}


def one(name):
    make, inputs = MADE[name]
    pop = make()
    return pop, lambda pop, T, **more: pop.run(T, **inputs, **more)


def reloaded(pop, tmp_path):
    pop.save(tmp_path / "cells.npz")
    return iz.Population.load(tmp_path / "cells.npz")


def same_state(pop, other):
    names = ("V", "u", "refractory", "last_spike_time", "t", *pop.model.parameters, "V_min", "tau_ref")
    for name in (*names, *["spikes"] * (not pop.scheme.exact)):
        np.testing.assert_array_equal(getattr(pop, name), getattr(other, name), err_msg=name)
    assert (repr(pop), pop.name, pop.threads) == (repr(other), other.name, other.threads)


@pytest.mark.parametrize("name", MADE)
def test_saved_and_loaded_at_many_moments(name, tmp_path):
    whole, run = one(name)
    result = run(whole, 80.0, record=["V", "u"], every=0.5)
    assert len(result.spikes) > 15
    pop, parts = one(name)[0], []
    stops = np.sort(np.random.default_rng(0).choice(np.arange(1, 800), 12, replace=False)) / 10
    for stop in (*stops, 80.0):
        parts.append(run(pop, stop - pop.t, record=["V", "u"], every=0.5))
        pop = reloaded(pop, tmp_path)
    same_state(whole, pop)
    for quantity in ("V", "u", "t"):
        np.testing.assert_array_equal(np.concatenate([getattr(p, quantity) for p in parts]), getattr(result, quantity))
    np.testing.assert_array_equal(np.concatenate([p.spikes.t for p in parts]), result.spikes.t)
    for again in (whole, pop):  # from the start, too
        again.reset()
        run(again, 20.0)
    same_state(whole, pop)


def test_single_steps_go_on(tmp_path):
    pop, whole = clock(), clock()
    for _ in range(30):
        whole.step(12.0)
    for _ in range(15):
        pop.step(12.0)
    pop = reloaded(pop, tmp_path)
    for _ in range(15):
        pop.step(12.0)
    assert_same(pop, whole)


@pytest.mark.parametrize("name", MADE)
def test_the_last_result_goes_along(name, tmp_path):
    pop, run = one(name)
    assert reloaded(pop, tmp_path).result is None
    result = run(pop, 30.0, record=["u", "V"], every=2.0, neurons=[4, 1])
    found = reloaded(pop, tmp_path).result
    assert repr(found) == repr(result)
    np.testing.assert_array_equal(found.spikes.t, result.spikes.t)
    np.testing.assert_array_equal(found.spikes.batch, result.spikes.batch)
    for quantity in ("V", "u", "t", "neurons"):
        np.testing.assert_array_equal(getattr(found, quantity), getattr(result, quantity))
    if name != "exact":
        assert_same_result(found, result)
    found.V[...] = 0.0  # the caller's, as ever
    rows = result.spikes.i if name == "exact" else result.spikes.step
    rows[:] = -1  # no longer what it was, and still the caller's affair
    result.V[...] = np.nan
    assert np.isnan(reloaded(pop, tmp_path).result.V).all()
    pop.reset()
    assert len(reloaded(pop, tmp_path).result.spikes) == len(result.spikes)


def test_a_run_that_was_stopped_is_saved_with_what_it_has(tmp_path):
    def stop(done, total):
        if done > 10.0:
            raise KeyboardInterrupt

    pop = clock()
    with pytest.raises(KeyboardInterrupt):
        pop.run(1e5, 12.0, progress=stop)
    again = reloaded(pop, tmp_path)
    assert again.t == pop.t > 10.0
    assert_same_result(again.result, pop.result)
    for either in (pop, again):
        either.run(10.0, 12.0)
    assert_same(again, pop)


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # files left open
def test_ctrl_c_at_any_line_of_save_leaves_the_population_and_the_file_as_they_were(tmp_path):
    pop, whole, path = clock(), clock(), tmp_path / "cells.npz"
    for each in (pop, whole):
        each.run(5.0, 12.0)
    pop.save(path)
    pop.a = 0.1  # what is in the file is known from what would be in a newer one
    whole.a = 0.1
    for moment in moments(passed(lambda: pop.save(tmp_path / "other.npz")))[::11]:
        if interrupted(lambda: pop.save(path), moment):
            assert iz.Population.load(path).a.shape in ((3, 4), ())  # the old one or the new one, whole
    pop.save(path)
    assert sorted(os.listdir(tmp_path)) == ["cells.npz", "other.npz"]
    for each in (pop, whole):
        each.run(20.0, 12.0)
    assert_same(pop, whole)


def test_parameters_that_were_set_and_drawn_and_warnings_that_were_given(tmp_path):
    places = np.arange(10.0).reshape(5, 2)
    pop = iz.Population(5, seed=1, a=iz.Uniform(0.02, 0.1), scheme="euler", dt=0.5, positions=places)
    pop.d = [8.0, 6.0, 4.0, 2.0, 0.5]
    with pytest.warns(UserWarning, match="fell below"):
        pop.run(5.0, -500.0)
    pop.V = -60.0
    again = reloaded(pop, tmp_path)
    assert_same(again, pop)
    np.testing.assert_array_equal(again.positions.coordinates, places)
    again.run(5.0, -500.0)  # and no second warning
    again.reset()
    np.testing.assert_array_equal(again.V, -65.0)


def test_the_exact_scheme_knows_the_present(tmp_path):
    pop, run = one("exact")
    run(pop, 30.0)
    again = reloaded(pop, tmp_path)
    np.testing.assert_array_equal(again.state_at(30.0), pop.state_at(30.0))
    with pytest.raises(ValueError, match=r"^Population.state_at.t must be between 30 and 30 ms, the last run, got 20"):
        again.state_at(20.0)
    run(again, 10.0)
    run(pop, 10.0)
    np.testing.assert_array_equal(again.state_at(35.0), pop.state_at(35.0))


def test_numpy_alone_reads_it(tmp_path):
    pop = clock()
    pop.run(5.0, NOISE)
    pop.save(tmp_path / "cells.npz")
    with np.load(tmp_path / "cells.npz", allow_pickle=False) as file:
        assert json.loads(file["about"].tobytes())["format"] == 2
        np.testing.assert_array_equal(file["population/state/V"][:24], pop.V.ravel())
        assert all(array.dtype.kind in "biufUV" for array in file.values())


def test_models_and_inputs_of_a_user(tmp_path):
    mine = dataclasses.replace(iz.Izhikevich, name="Mine")
    pop = iz.Population(3, model=mine, seed=1)
    pop.run(5.0, Remembering())
    pop.save(tmp_path / "cells.npz")
    with pytest.raises(
        ValueError, match=re.escape("Population.load.define must hold the model 'Mine', which is not one of izhnumba's")
    ) as caught:
        iz.Population.load(tmp_path / "cells.npz")
    assert str(caught.value).endswith("Call Population.load(path, define=[Mine]).")
    again = iz.Population.load(tmp_path / "cells.npz", define=[mine])
    assert again._memory == pop._memory
    pop._memory[next(iter(pop._memory))] = {0: object()}
    with pytest.raises(TypeError, match="^Population.save cannot store a object at population/memory/"):
        pop.save(tmp_path / "other.npz")
    assert os.listdir(tmp_path) == ["cells.npz"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Remembering(iz.Input):
    """It keeps a number for each step it was asked for, under the key of the inputs in its place."""

    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        def rows(step, count):
            memory[key[1]] = {step: 1.0, step + count: 2.0}
            return np.zeros((count, 1), dtype)

        return rows


@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_what_another_input_has_left_is_no_memory(scheme):
    """It shares the key with what comes in its place."""
    pop, fresh = (iz.Population(3, seed=1, scheme=scheme) for _ in range(2))
    key = dict(I=iz.OrnsteinUhlenbeck(8.0, 2.0, 5.0)) if scheme != "exact" else dict(delta=iz.Poisson(200.0, 2.0))
    fresh.run(5.0, **key)
    (stream,) = fresh._memory
    for wrong in ({0: 1.0, 50: 2.0}, {0: np.zeros(7)}, {0.0: (np.zeros(9), np.zeros(9, np.int64))}, {"0": None}, 5):
        pop._memory[stream] = wrong
        pop.run(5.0, **key)
        np.testing.assert_array_equal(pop.V, fresh.V)
        pop.reset()


OLDER = {  # what is in tests/data/population_format_2, after 30 ms
    "steps": lambda: iz.Population(
        (2, 3), scheme="euler", dt=0.5, seed=3, name="old", batch=2, dtype="float32", tau_ref=3.0, V_min=-90.0, u=-13.0,
        d=np.arange(2.0, 8.0).reshape(2, 3),
    ),
    "exact": lambda: iz.Population(4, scheme="exact", seed=3, **iz.presets["RS"], tau_ref=1.5),
}  # fmt: skip


@pytest.mark.parametrize("name", OLDER)
def test_files_of_the_first_izhnumba_with_this_format(name):
    current, whole = iz.Pulses(5.0, 45.0, 12.0, base=4.0), OLDER[name]()
    result = whole.run(30.0, current, record="V", every=1.0)
    pop = iz.Population.load(Path(__file__).parents[1] / "data" / "population_format_2" / f"{name}.npz")
    near = dict(rtol=0, atol=0 if name == "steps" else 1e-9)  # no bits of series are promised for ever
    np.testing.assert_allclose(pop.result.V, result.V, **near)
    np.testing.assert_allclose(pop.result.spikes.t, result.spikes.t, **near)
    for one in (pop, whole):
        one.run(40.0, current)
        assert len(one.result.spikes) > 3
    np.testing.assert_allclose(pop.V, whole.V, **near)
    np.testing.assert_allclose(pop.last_spike_time, whole.last_spike_time, **near)


# --- refused --------------------------------------------------------------------------------------------------------


def test_files_of_another_kind_are_told_from_each_other(tmp_path):
    pop, net, path = iz.Population(3), iz.Network(), tmp_path / "x.npz"
    pop.save(path)
    with pytest.raises(ValueError, match=r"^load.path .*, which holds a population: use Population.load\.$"):
        iz.load(path)
    net.save(path)
    with pytest.raises(ValueError, match=r"^Population.load.path .*x.npz', which holds a network: use load\.$"):
        iz.Population.load(path)


def test_a_file_that_is_not_whole_loads_nothing(tmp_path):
    path, other = tmp_path / "cells.npz", tmp_path / "other.npz"
    iz.Population(3, seed=1).save(path)
    whole, begins = (
        path.read_bytes(),
        "^Population.load.path must be a checkpoint of izhnumba, got .*other.npz', which ",
    )
    for n in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        other.write_bytes(whole[:n])
        with pytest.raises(ValueError, match=begins):
            iz.Population.load(other)
    for n in range(0, len(whole), 211):
        other.write_bytes(whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :])
        with pytest.raises(ValueError, match=f"{begins}is another kind of file, cut short or altered"):
            iz.Population.load(other)
    for value, error, message in (
        (tmp_path / "none.npz", FileNotFoundError, "load.path must be an existing file, got .*none.npz"),
        (5, TypeError, "load.path must be a path, got 5"),
    ):
        with pytest.raises(error, match=f"^Population.{message}"):
            iz.Population.load(value)
    with pytest.raises(TypeError, match="^Population.load.define must be a list of models and classes, or functions,"):
        iz.Population.load(path, define=[5])


def test_a_newer_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("izhnumba._checkpoint.format._FORMAT", 3)
    iz.Population(2).save(tmp_path / "cells.npz")
    monkeypatch.undo()
    with pytest.raises(ValueError, match="is of format 3; this izhnumba reads format 2.*Update izhnumba"):
        iz.Population.load(tmp_path / "cells.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("No space left on device")

    pop, path = iz.Population(2, seed=1), tmp_path / "cells.npz"
    pop.save(path)
    pop.run(1.0)
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        pop.save(path)
    monkeypatch.undo()
    assert iz.Population.load(path).t == 0.0
    assert os.listdir(tmp_path) == ["cells.npz"]
    with pytest.raises(FileNotFoundError, match="^Population.save.path must be in an existing folder"):
        pop.save(tmp_path / "no" / "cells.npz")


def test_in_a_network_and_in_a_run_it_cannot_be_saved(tmp_path):
    pop, net = iz.Population(2, seed=1), iz.Network(seed=1)

    def save(done, total):
        pop.save(tmp_path / "cells.npz")

    with pytest.raises(RuntimeError, match="Population.run has not ended"):
        pop.run(1.0, progress=save)
    pop.reset()
    net.add(pop)
    with pytest.raises(RuntimeError, match="is in a network. Call step, run, reset and save of the Network"):
        pop.save(tmp_path / "cells.npz")
    assert os.listdir(tmp_path) == []


WRONG = {  # by population of `crafted`: an array or a value of its file, and what it must be
    "batch/state/last": (lambda x: x + 100, "at most 59, got"),
    "batch/state/count": (lambda x: x - 100, "at least 0, got -40"),
    "batch/state/until": (lambda x: x + 2**30, "at most"),
    "batch/state/V": (lambda x: x[:5], "float32 of shape .64,., got float32 of shape .5,."),
    "batch/arguments/V": (lambda x: x[0], "float32 of shape .2, 2, 3., got float32 of shape .2, 3."),
    "batch/arguments/d": (lambda x: x[:, :1], "float32 of shape .. or .2, 3. or .2, 2, 3."),
    "batch/run/spikes/rows/0": (lambda x: x[1:], "int64 of shape .33,."),
    "batch/run/states/position/rows/1": (lambda x: x[:, :1], "float32 of shape .6, 4."),
    "alone/state/cells": (lambda x: x[:, 1:], "float64 of shape"),
    "alone/state/events": (lambda x: x[:-1], "uint8"),
}


@pytest.mark.parametrize("which", WRONG)
def test_arrays_that_do_not_fit(which, tmp_path):
    change, must = WRONG[which]
    name, _, place = which.partition("/")
    path = tmp_path / "x.npz"
    crafted.POPULATIONS[name](tmp_path).save(path)
    about, arrays = crafted.parts_of(path)
    array = f"population/{place}"
    if array not in arrays or place.endswith("events"):
        arrays[array] = np.zeros(3, np.uint8)
    arrays[array] = change(arrays[array])
    crafted.write(path, about, arrays)
    with pytest.raises(ValueError, match=rf"^Population.load.path .*x.npz', whose population/.* must .*{must}"):
        iz.Population.load(path)


def replaced(text, *pairs):
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text.encode()


@pytest.mark.parametrize(
    ("old", "new", "must"),
    [
        ("0.5, 2, 7, null", "0.5, 2.5, 7, null", "arguments/batch must be a whole number, got 2.5"),
        ("0.5, 2, 7, null", "-0.5, 2, 7, null", "arguments/dt must be finite and from"),
        ("0.5, 2, 7, null", "0.5, 2, -7, null", "arguments/seed must be from 0 to"),
        ("0.5, 2, 7, null", "0.5, 2, 7, 0", "arguments/threads must be from 1 to"),
        ('"exp_euler"', '"steps"', "arguments/scheme must be one of"),
        ('"exp_euler"', '"exact"', "arguments/batch must be None with the scheme 'exact', got 2"),
        ('"hard"', '"soon"', "of which no population can be made: Population.reset must be a known name"),
        (
            '{"list": []}',
            '{"list": [{"object": "Delta", "ours": true, "fields": {"dict": [[], []]}}]}',
            "state must be",
        ),
        ('{"list": ["V", "u"]}', '{"list": ["u", "V"]}', "run/states/what must be names in"),
        ('{"list": ["V", "u"]}', '{"list": ["V"]}', "rows must be 2 columns"),
        ('"began", ', '"ended", ', "run must be a dict with"),
    ],
)
def test_values_that_do_not_fit(old, new, must, tmp_path):
    path = tmp_path / "x.npz"
    crafted.batch(tmp_path).save(path)
    about, arrays = crafted.parts_of(path)
    crafted.write(path, replaced(json.dumps(about), (old, new)), arrays)
    with pytest.raises(ValueError, match=rf"^Population.load.path .*x.npz'.*{must}"):
        iz.Population.load(path)


def test_places_are_written_as_users_pass_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pop = iz.Population(2, seed=1)
    pop.save("cells.npz")
    (tmp_path / "link.npz").symlink_to("cells.npz")
    pop.run(1.0)
    pop.save("link.npz")
    assert iz.Population.load("cells.npz").t == 1.0
    assert (tmp_path / "link.npz").is_symlink()
    assert state(iz.Population.load("link.npz")) == state(pop)
