"""What docs/coming_from says of izhnumba: names exist, code runs, and tables have the form of tables."""

from __future__ import annotations

import importlib
import re

import numpy as np
import pages
import pytest

import izhnumba as iz

NAME = re.compile(r"(?:iz|net|pop|syn|rec)(?:\.[A-Za-z_]\w*)+")


def scene():
    """What the pages call net, pop, syn, rec, and the arguments in their tables."""
    net = iz.Network(dt=0.1, scheme="euler")
    pop, pop2 = (net.add(iz.Population(4), name=name) for name in ("pop", "pop2"))
    net.drive(pop, 1.0)
    return {
        "iz": iz, "np": np, "net": net, "pop": pop, "pop2": pop2, "syn": net.connect(pop, pop, iz.AllToAll()),
        "rec": net.record(pop), "n": 4, "dt": 0.1, "pre": [0, 1], "post": [2, 3], "mask": np.arange(4) > 1,
        "matrix": np.eye(4), "currents": np.ones(10),
    }  # fmt: skip


def marked(value, code, name=None):
    """A parameter, with the marker of the package that its code needs."""
    marks = [getattr(pytest.mark, part) for part in ("jax", "brainpy") if re.search(rf"(iz|izhnumba)\.{part}\b", code)]
    return pytest.param(value, marks=marks, id=name or value)


def optional(code):
    """Import the part of izhnumba that needs another package; skip where that is missing."""
    for part in ("jax", "brainpy"):
        if re.search(rf"(iz|izhnumba)\.{part}\b", code):
            pytest.importorskip(part)
            importlib.import_module(f"izhnumba.{part}")


@pytest.mark.parametrize("page", pages.PAGES)
def test_a_table_has_three_columns_and_at_most_thirty_rows(page):
    (table, *more) = pages.tables(page)
    assert not more
    assert 10 <= len(table) <= 30
    assert all(len(row) == 3 for row in table)
    assert len(pages.text(page).splitlines()) <= 200


SCRIPTS = [marked(page, "izhnumba.jax" if page == "snntorch" else "") for page in pages.PAGES]


@pytest.mark.parametrize("page", SCRIPTS)
def test_the_script_of_ours_has_the_spikes_that_the_page_tells(page):
    if page == "snntorch":
        optional("izhnumba.jax")
    names = pages.run(page, ours=True)
    found = {"snntorch": lambda: names["ours"][0].sum(), "matlab": lambda: len(names["firings"])}
    n = int(found.get(page, lambda: len(names["ours"]))())
    assert f"the same {n} " in pages.text(page)


OURS = [marked(span, span, f"{page}: {span}") for page in pages.PAGES for span in pages.spans(page, 1)]
WORDS = " ".join(span for page in pages.PAGES for span in pages.spans(page, 2))
NAMES = [marked(name, name) for name in sorted(set(NAME.findall(WORDS)))]


@pytest.mark.parametrize("code", OURS)
def test_code_of_ours_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    optional(code)
    names = scene()
    if "iz.load(" in code:
        names["net"].save("net.npz")
    exec(code, names)


@pytest.mark.parametrize("name", NAMES)
def test_names_in_words_exist(name):
    optional(name)
    owner, *attributes = name.split(".")
    found = scene()[owner]
    for one in attributes:
        found = getattr(found, one)
