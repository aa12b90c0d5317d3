"""The scheme of docs/howto/own_scheme.md, put into the table: the spikes of the loop in NumPy that the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import izhnumba as iz

PAGE = (Path(__file__).parent.parent / "docs" / "howto" / "own_scheme.md").read_text()


def test_the_scheme_of_the_page_spikes_as_its_loop(monkeypatch):
    loop, scheme = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    shown = [float(t) for t in re.search(r"^\[(.*)\]$", loop, re.M)[1].split(", ")]
    names = {"__name__": __name__}
    exec(scheme, names)
    monkeypatch.setitem(iz.schemes._entries, "ralston", names["entry"])
    cell = iz.Population(1, scheme="ralston", dt=0.05, V=-70.0, u=-14.0)
    assert cell.run(100.0, I=10.0).spikes.t.round(2).tolist() == shown
