"""The pages of docs/coming_from: their scripts, and their tables cell by cell."""

from __future__ import annotations

import re
from itertools import groupby

from processes import PACKAGE

FOLDER = PACKAGE.parent / "docs" / "coming_from"
PAGES = ("brian2", "nest", "pynn", "brainpy", "snntorch", "matlab")


def text(page):
    return (FOLDER / f"{page}.md").read_text()


def blocks(page):
    """(language, code) of each fenced block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text(page), re.M | re.S)


def run(page, *, ours):
    """The names left by the page's Python scripts with izhnumba, or by those without."""
    scripts = [code for language, code in blocks(page) if language == "python" and ("izhnumba" in code) == ours]
    assert scripts
    names = {"__name__": page}
    for code in scripts:
        exec(compile(code, f"{page}.md", "exec"), names)
    return names


def tables(page):
    """Each table as rows of cells, without its head."""
    lines = text(page).splitlines()
    for is_row, group in groupby(lines, lambda line: line.startswith("|")):
        if is_row:
            yield [[cell.strip() for cell in line.strip("|").split("|")] for line in list(group)[2:]]


def spans(page, column):
    """The code in this column of the page's tables."""
    cells = (row[column] for table in tables(page) for row in table)
    return list(dict.fromkeys(span for cell in cells for span in re.findall(r"`([^`]+)`", cell)))
