"""The way of a current from `Population.run` to the kernel."""

from __future__ import annotations

import sys

import izhnumba as iz
from izhnumba._clock.kernels import advance

MOST_MODULES = 16


def test_a_run_enters_few_modules_on_its_way_to_the_kernel(monkeypatch):
    pop, entered, arrived = iz.Population(100), set(), []
    pop.run(1.0, I=10.0)

    def kernel(*args):
        arrived.append(len(entered))
        return call(*args)

    call = advance.entry("float64", False)
    monkeypatch.setattr(advance, "entry", lambda dtype, parallel: kernel)

    def note(frame, event, argument):
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("izhnumba."):
            entered.add(module)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        pop.run(1.0, I=10.0)
    finally:
        sys.setprofile(before)
    assert len(arrived) == 1
    assert arrived[0] <= MOST_MODULES, sorted(entered)
