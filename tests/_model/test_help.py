"""What `help` shows of models, schemes and presets."""

from __future__ import annotations

import copy
import dataclasses
import inspect
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


def test_help_of_the_tables_lists_what_is_in_them():
    presets, schemes = shown(iz.presets).splitlines(), shown(iz.schemes).splitlines()
    for name, preset in iz.presets.items():
        assert [name, *preset.title.split(), preset["model"].name] in map(str.split, presets)
    for name, scheme in iz.schemes.items():
        assert f"        {name:16}{scheme.source}" in schemes
    for text, use in ((presets, 'Population(100, **presets["RS"])'), (schemes, "Population(n, scheme=name)")):
        assert any(use in line for line in text)


@pytest.mark.parametrize("name", iz.presets)
def test_help_of_a_preset_has_its_numbers_and_its_source(name):
    preset, lines = iz.presets[name], shown(iz.presets[name]).splitlines()
    words = list(map(str.split, lines))
    for key, value in preset.items():
        assert key == "model" or [key, f"{value:g}"] in [line[:2] for line in words]
    text = " ".join(" ".join(lines).split())
    for part in (preset.source, preset.title, repr(preset.stimulus)):
        assert part in text
    assert f"the scheme {preset.scheme}, dt {preset.dt:g} ms" in text


def test_help_of_a_preset_says_what_to_write():
    text = inspect.getdoc(iz.presets["2004/C"])
    code = "\n".join(text.split("the published run:")[1].split("\n    "))
    found = {"izhnumba": iz}
    exec(code, found)
    assert found["cells"].n == 100
    assert len(found["result"].spikes) == 28  # as the paper's program


def test_help_of_a_scheme_says_when_it_resets_and_how_it_tests():
    assert "A spike is V > V_th at the end of a step; V and u are reset at once." in shown(iz.schemes["izhikevich2004"])
    assert "V >= V_th at the end of a step; V and u are reset at the start" in shown(iz.schemes["exp_euler"])
    assert "Scheme 'exact': no steps: " in shown(iz.schemes["exact"])
