"""Old names work for one version more, and say what they are called now."""

from __future__ import annotations

import dataclasses
import warnings
from typing import NamedTuple

import pytest

import izhnumba as iz
from izhnumba._base.renamed import renamed


@renamed(old="new", worn="fresh")
@dataclasses.dataclass(frozen=True)
class Thing:
    new: float
    fresh: float = 2.0


@renamed(old="new")
class Pair(NamedTuple):
    first: int
    new: int = 0


@pytest.mark.parametrize("make", [lambda **x: Thing(**x), lambda **x: dataclasses.replace(Thing(1.0), **x)])
def test_old_keywords_of_dataclasses(make):
    message = r"^Thing.old is now called new; the old name goes with version 0.2. Write new.$"
    with pytest.warns(DeprecationWarning, match=message) as caught:
        thing = make(old=5.0)
    assert thing == Thing(5.0)
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match=message):
        assert thing.old == 5.0
    with pytest.warns(DeprecationWarning, match="^Thing.(old|worn) is now called") as caught:
        assert make(old=5.0, worn=1.0) == Thing(5.0, 1.0)
    assert len(caught) == 2


def test_old_names_of_named_tuples():
    with pytest.warns(DeprecationWarning, match="^Pair.old is now called new"):
        pair = Pair(1, old=2)
    with pytest.warns(DeprecationWarning, match="^Pair.old is now called new"):
        assert pair._replace(old=3) == Pair(1, 3)
    with pytest.warns(DeprecationWarning, match="^Pair.old is now called new"):
        assert pair.old == 2
    assert (Pair._fields, Pair(1), Pair._make([1, 2])) == (("first", "new"), (1, 0), (1, 2))


def test_new_names_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dataclasses.replace(Thing(new=1.0), fresh=3.0).new == 1.0
        with pytest.raises(TypeError, match="unexpected keyword argument 'other'"):
            Thing(new=1.0, other=3.0)


def test_both_names_are_refused():
    message = r"^{} must be left out where new is given, got both. Write new alone.$"
    makers = (lambda **x: Thing(**x), lambda **x: Pair(1, **x), Pair(1)._replace)
    for make, owner in zip(makers, ("Thing.old", "Pair.old", "Pair.old"), strict=True):
        for old in (5, 6):
            with pytest.raises(TypeError, match=message.format(owner)):
                make(new=5, old=old)
    with pytest.raises(TypeError, match="^Model.pull must be left out where du is given, got both. Write du alone.$"):
        iz.Model(**{**vars(iz.Izhikevich), "pull": no_leak})


def no_leak(V, V_new, u, p):
    return p.b * V - u


def test_pull_of_models_is_du():
    with pytest.warns(DeprecationWarning, match="^Model.pull is now called du"):
        model = dataclasses.replace(iz.Izhikevich, pull=no_leak)
    assert model.du is no_leak
    with pytest.warns(DeprecationWarning, match="^Model.pull is now called du"):
        assert model.pull is no_leak


def test_mean_and_std_of_log_normal_numbers_are_mu_and_sigma():
    with pytest.warns(DeprecationWarning, match="^LogNormal.(mean|std) is now called (mu|sigma)") as caught:
        weight = iz.LogNormal(mean=-0.7, std=0.9)
    assert len(caught) == 2
    assert weight == iz.LogNormal(-0.7, 0.9) == iz.LogNormal(mu=-0.7, sigma=0.9)
    with pytest.warns(DeprecationWarning, match="^LogNormal.mean is now called mu"):
        assert weight.mean == -0.7


@pytest.mark.jax
def test_held_of_a_state_of_jax_is_refractory_steps():
    import izhnumba.jax as izj

    with pytest.warns(DeprecationWarning, match="^State.held is now called refractory_steps"):
        state = izj.State(1.0, 2.0, held=3)
    with pytest.warns(DeprecationWarning, match="^State.held is now called refractory_steps"):
        assert state.held == state.refractory_steps == 3
    with pytest.warns(DeprecationWarning, match="^State.held is now called refractory_steps"):
        assert state._replace(held=5) == (1.0, 2.0, 5)
