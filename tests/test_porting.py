"""What docs/porting.md names exists."""

from __future__ import annotations

import importlib
import re

import pytest
from processes import PACKAGE

import izhnumba as iz

PAGE = (PACKAGE.parent / "docs" / "porting.md").read_text()
ROWS = [row for row in re.findall(r"^\| (.+) \|$", PAGE, re.M) if " | izhnumba" not in row and row != "word | here"]
NAMES = sorted(set(re.findall(r"`((?:iz|net|pop|syn|rec)\.\w+(?:\.\w+)?)", PAGE)))
CALLS = sorted(set(re.findall(r"`(iz\.(?!io|jax|load)\w+\([^`]+\)|net\.record\([^`]+\))`", PAGE)))


def scene():
    net = iz.Network()
    pop = net.add(iz.Population(2))
    return {"iz": iz, "net": net, "pop": pop, "syn": net.connect(pop, pop, iz.AllToAll()), "rec": net.record(pop)}


def test_every_row_has_two_cells_and_no_table_is_short():
    assert all(row.count(" | ") == 1 for row in ROWS)
    for part in PAGE.split("\n## ")[1:]:
        assert 15 <= part.count("\n| ") - 1 <= 30


@pytest.mark.parametrize("name", NAMES)
def test_names_exist(name):
    owner, attribute, *more = name.split(".")
    if owner == "iz" and attribute in ("jax", "brainpy"):
        pytest.importorskip("jax")
        if attribute == "brainpy":
            pytest.importorskip("brainpy")
        found = importlib.import_module(f"izhnumba.{attribute}")
    else:
        found = getattr(scene()[owner], attribute)
    for one in more:
        found = getattr(found, one)


@pytest.mark.parametrize("call", CALLS)
def test_calls_work(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    eval(call, scene())


def test_there_are_many():
    assert len(NAMES) > 50
    assert len(CALLS) > 15
    assert {"iz.Population", "net.connect", "rec.step", "iz.jax.fit"} <= set(NAMES)
