"""Tutorials run, as scripts and as notebooks; pages are described; what is said of other files is what these say."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import pytest

import izhnumba as iz

mpl.use("Agg")
from matplotlib import pyplot as plt

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.py"))
FIGURES = {"1": 4, "2": 4, "3": 3, "4": 4, "5": 5, "6": 4}
with_sphinx = pytest.mark.skipif(find_spec("pydata_sphinx_theme") is None, reason="needs the extra `docs`")


def marked(tutorial):
    return pytest.param(tutorial, id=tutorial.stem, marks=[pytest.mark.jax] * ("jax" in tutorial.read_text()))


@pytest.mark.parametrize("tutorial", [marked(tutorial) for tutorial in TUTORIALS])
def test_a_tutorial_runs_and_shows_what_it_says(tutorial, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context():
        exec(compile(tutorial.read_text(), str(tutorial), "exec"), {"__name__": "__main__"})
    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert len(figures) == FIGURES[tutorial.stem[0]]
    for figure in figures:
        figure.canvas.draw()
        assert all(ax.get_xlabel() or ax.get_shared_x_axes().get_siblings(ax) != [ax] for ax in figure.axes)
    plt.close("all")
    assert list(tmp_path.iterdir()) == []
    printed = capsys.readouterr()
    assert printed.err == ""
    for said in {
        "1": ["rest: V = -70.0 mV", "unstable from I = 3.80", "gone from 4.00"],  # and its curve begins there
        "2": ["with inhibition: mean CV 0.3", "with a tenth of it: mean CV 1.2", "the same V: True"],
        "3": ["must be the derivative of dV by V", "the same steps: True"],
        "4": ["b =   0.2102, hidden 0.21", "d =   5.0", "by its spikes: a = 0.0299, b = 0.21, c = -58, d = 4.98"],
        "5": ["33 % before training, 100 % after it"],
        "6": ["third spike at 60.000000000000 ms"],
    }[tutorial.stem[0]]:
        assert said in printed.out


@pytest.mark.notebook
@pytest.mark.parametrize(
    "script", [TUTORIALS[0], PROJECT / "examples" / "01_one_neuron.py"], ids=lambda path: path.stem
)
def test_a_notebook_runs(script, tmp_path, monkeypatch):
    """In a kernel, whose command line is not that of the example."""
    import nbclient
    import nbformat
    from sphinx_gallery.gen_gallery import DEFAULT_GALLERY_CONF
    from sphinx_gallery.notebook import jupyter_notebook
    from sphinx_gallery.py_source_parser import split_code_and_text_blocks

    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    import examples

    folder = tmp_path / ("learn" if script in TUTORIALS else "gallery")
    folder.mkdir()
    blocks = split_code_and_text_blocks(str(script))[1]
    made = jupyter_notebook(blocks, dict(DEFAULT_GALLERY_CONF), str(folder))
    (folder / "one.ipynb").write_text(json.dumps(made))
    for _ in range(2):  # a second build finds what the first has changed
        examples.notebooks(type("App", (), {"srcdir": str(tmp_path)}))
    notebook = nbformat.read(folder / "one.ipynb", 4)
    assert sum("del sys.argv" in cell.source for cell in notebook.cells) == (folder.name == "gallery")
    assert ":doc:" not in str(notebook)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    pictures = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "image/png" in str(output)]
    assert pictures
    assert len(list(folder.glob("*.png"))) == (folder.name == "gallery")


@with_sphinx
@pytest.mark.filterwarnings("default")
def test_pages_are_described_and_ask_nobody(tmp_path, monkeypatch):
    """Two pages, built with our settings: heads, llms.txt, and no address from which a browser would load something."""
    from sphinx.application import Sphinx

    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(os.environ)
    source, out = tmp_path / "source", tmp_path / "out"
    (source / "part").mkdir(parents=True)
    (source / "index.md").write_text("# Home\n\nA first page.\n\n```{toctree}\nBrief word <alone>\npart/index\n```\n")
    (source / "alone.md").write_text(
        "# Alone\n\nBy E. M. Izhikevich, e.g. in 2003: it <stands> alone & is long enough. Second sentence.\n"
    )
    (source / "part" / "index.rst").write_text(
        "Part\n====\n\nSome words of a part. It has another sentence.\n\n.. toctree::\n\n   leaf\n"
    )
    (source / "part" / "leaf.rst").write_text("Leaf\n====\n\n" + "Very " * 60 + "long.\n\n>>> 1 + 1\n2\n")
    settings = {
        "extensions": ["myst_parser", "sphinx_design", "sphinx_copybutton", "findable", "summaries"],
        "html_static_path": [str(DOCS / "_static")], "html_favicon": None, "templates_path": [],
    }  # fmt: skip
    app = Sphinx(source, DOCS, out, out / ".doctrees", "html", settings, status=None, freshenv=True)
    app.build()
    heads = {
        page.name: re.findall(r'<meta name="description" content="(.*?)">', page.read_text())
        for page in out.glob("*.html")
    }
    assert "NUMBA_NUM_THREADS" not in set(os.environ) - before, "for as long as this process lives"
    assert heads["index.html"][0].startswith("A Python package that simulates Izhikevich spiking neurons")
    assert heads["alone.html"] == ["By E. M. Izhikevich, e.g. in 2003: it &lt;stands&gt; alone &amp; is long enough."]
    index = (out / "searchindex.js").read_text()
    for words in ("brief word", "brief", "word"):  # what the page is called in the list
        assert re.search(rf'"{words}":\[\[\d+,"",true\]\]', index)
    listed = (out / "llms.txt").read_text()
    assert listed.startswith("# izhnumba\n\n> A Python package")
    assert (
        "## Overview\n\n- [Alone](alone.html): By E. M. Izhikevich, e.g. in 2003: it <stands> alone & is long enough.\n"
        in listed
    )
    assert "## Part\n\n- [Part](part/index.html): Some words of a part. It has another sentence.\n" in listed
    assert "- [Leaf](part/leaf.html): Very Very" in listed
    assert max(map(len, listed.splitlines())) < 260
    full = (out / "llms-full.txt").read_text()
    assert "# Alone\n\nBy E. M." in full
    assert ">>> 1 + 1\n" in full
    for page in out.rglob("*.html"):
        for tag in re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", page.read_text()):
            assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", tag), tag


def bibtex(text):
    """Fields of each entry of BibTeX, by its key."""
    entries = re.findall(r"@(\w+)\{(\w+),\n(.*?)\n\}", text, re.S)
    return {key: dict(re.findall(r"(\w+)\s*= \{+(.*?)\}+,?$", body, re.M), kind=kind) for kind, key, body in entries}


def citation(text):
    """The file by blocks: of the software, then of each reference, a value by key."""
    blocks = re.split(r"^  - type:", text, flags=re.M)
    return [dict(re.findall(r"^\s*-?\s*([\w-]+): \"?(.+?)\"?$", block, re.M)) for block in blocks]


def test_pages_named_in_docstrings_are_links(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    import docstrings

    lines = [
        "It is fixed (docs/concepts/networks.md), as `docs/x.md`.",
        "",
        "    See docs/howto/units.md.",
        ">>> 'docs/a.md'",
    ]
    shown = list(lines)
    docstrings._to_rst(None, "class", "", None, None, shown)
    assert shown[0] == "It is fixed (:doc:`/concepts/networks`), as ``docs/x.md``."
    assert shown[2:] == ["    See :doc:`/howto/units`.", lines[3]]
    docstrings._to_rst(None, "data", "", None, None, lines)
    assert lines[0] == shown[0]
    assert lines[-2] == "    See docs/howto/units.md."  # a literal block
    for path in (PROJECT / "izhnumba").rglob("*.py"):
        for page in docstrings.PAGE.findall(path.read_text()):
            assert (DOCS / f"{page}.md").is_file(), (path, page)


def test_the_page_on_citing_agrees_with_the_citation_file():
    page = (DOCS / "citing.md").read_text()
    software, *references = citation((PROJECT / "CITATION.cff").read_text())
    entries = bibtex(page)
    ours, *papers = entries.values()
    for key in ("title", "version", "license"):
        assert ours[key] == software[key]
    assert ours["version"] == iz.__version__
    assert f"izhnumba {iz.__version__}," in page
    assert ours["author"] == "The izhnumba authors"
    assert len(papers) == len(references) == 3
    for entry, reference in zip(papers, references, strict=True):
        assert entry["author"] == f"{reference['family-names']}, {reference['given-names']}"
        for key, ours_key in (("title", "title"), ("journal", "journal"), ("volume", "volume"), ("issue", "number"),
                              ("year", "year"), ("doi", "doi")):  # fmt: skip
            assert entry.get(ours_key) == reference.get(key), key
        if "start" in reference:
            assert entry["pages"] == f"{reference['start']}--{reference['end']}"
