"""What `help` shows of models."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import pydoc

import pytest

import izhnumba as iz


def shown(thing):
    return pydoc.render_doc(thing, renderer=pydoc.plaintext)


@pytest.mark.parametrize(
    "model", [iz.Izhikevich, iz.IzhikevichRef, iz.IzhikevichAccommodation, iz.Izhikevich2007], ids=lambda m: m.name
)
def test_help_of_a_model_lists_all_that_it_has(model):
    text = " ".join(shown(model).split())
    assert model.source in text
    for name, quantity in ({"V": model.V, "u": model.u, "I": model.I} | model.parameters).items():
        assert " ".join(f"{name} {quantity.default:g} {quantity.unit} {quantity.meaning}".split()) in text


def test_help_of_a_model_writes_its_equations():
    text = shown(iz.Izhikevich2007)
    for line in (
        "C V' = k * (V - vr) * (V - vt) - u + I", "b = where(V_new > V_b, b, b_low)", "u' = a * du",
        "a spike where V >= vpeak + vpeak_u * u", "    V = c + c_u * u", "C        100   pF       capacitance, > 0",
    ):  # fmt: skip
        assert f"        {line}\n" in text
    assert "    V' = k2 * V * V + k1 * V + k0 - u + I\n        u' = a * (b * V - u)\n" in shown(iz.Izhikevich).replace(
        "        V'", "    V'"
    )
    assert "u' = a * (b * (V - V_b))" in shown(iz.IzhikevichAccommodation)


def capacitance(p):
    """Text of an equation is left out."""
    if p.a > 0.0:
        return p.d
    return p.c


def test_help_of_a_users_model_whatever_its_equations_are_made_of():
    raised = dict(threshold=lambda u, p: p.V_th + u)
    pair = [lambda u, p: p.c, lambda u, p: p.c + p.d * u]
    model = dataclasses.replace(
        iz.Izhikevich, name="Mine", C=capacitance, rate=eval("lambda p: p.a"), V_reset=pair[0],
        **raised,
    )  # fmt: skip
    for twin in (model, copy.copy(model), dataclasses.replace(model)):
        text = shown(twin)
        for line in ("if a > 0.0:\n            return d\n        C = c\n", "V >= V_th + u\n", "V = <lambda>(...)\n"):
            assert line in text
        assert "u' = <lambda>(...) * (b * V - u)\n" in text


def test_help_of_the_class_stays_that_of_the_class():
    assert "To write a model:" in iz.Model.__doc__
    assert "To write a model:" in shown(iz.Model)
    assert iz.Model.__doc__ not in shown(iz.Izhikevich)
    assert pickle.loads(pickle.dumps(iz.Izhikevich)).__doc__ == iz.Izhikevich.__doc__
