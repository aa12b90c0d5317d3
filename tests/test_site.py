"""What the pages of the site say of other files is what these say."""

from __future__ import annotations

import re
from pathlib import Path

import izhnumba as iz

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs"


def bibtex(text):
    """Fields of each entry of BibTeX, by its key."""
    entries = re.findall(r"@(\w+)\{(\w+),\n(.*?)\n\}", text, re.S)
    return {key: dict(re.findall(r"(\w+)\s*= \{+(.*?)\}+,?$", body, re.M), kind=kind) for kind, key, body in entries}


def citation(text):
    """The file by blocks: of the software, then of each reference, a value by key."""
    blocks = re.split(r"^  - type:", text, flags=re.M)
    return [dict(re.findall(r"^\s*-?\s*([\w-]+): \"?(.+?)\"?$", block, re.M)) for block in blocks]


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
