"""Names and keywords of other simulators: the error tells what is meant."""

from __future__ import annotations

import pytest

import izhnumba as iz


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("PoissonGroup", "Network.add(PoissonSource(n, rate))"),
        ("PoissonInput", "Poisson(rate, weight) in Network.drive"),
        ("SpikeGeneratorGroup", "Network.add(SpikeSource(i, t, n=n))"),
        ("StepCurrent", "Pulses(start, stop, amplitude)"),
        ("DC", "a number, or Pulses(start, stop, amplitude)"),
        ("ACSource", "Sine(amplitude, frequency)"),
        ("cv", "analysis.cv(spikes)"),
        ("restore", "load(path)"),
    ],
)
def test_names_of_other_simulators_lead_to_ours(name, here):
    with pytest.raises(AttributeError) as raised:
        getattr(iz, name)
    assert str(raised.value) == f"module 'izhnumba' has no attribute {name!r}. Here it is {here}."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: iz.Network(method="euler"),
            "Network has no parameter 'method'. Did you mean 'scheme'? Known: dt, scheme, seed, threads, substeps.",
        ),
        (lambda: iz.STDP(Apre=0.01), "STDP has no parameter 'Apre'. Did you mean 'A_plus'? Known: A_plus, A_minus,"),
        (lambda: iz.STDP(Apost=-0.01), "STDP has no parameter 'Apost'. Write A_minus=-Apost. Known: A_plus, A_minus,"),
    ],
)
def test_keywords_of_other_simulators_lead_to_ours(make, message):
    with pytest.raises(TypeError) as raised:
        make()
    assert str(raised.value).startswith(message)
