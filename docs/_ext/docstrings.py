"""Docstrings for the site: they are written to be read by `help`, with little of reStructuredText in them.

`name` is code, and a link if it is public; docs/concepts/steps.md is a link to that page; `*size` is no emphasis; in
texts of data, such as models, what is indented is shown as it stands.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import izhnumba as iz

SPAN = re.compile(r"(?<![`:\w])`([^`]+)`(?![`_])")
PAGE = re.compile(r"(?<![`\w/])docs/([\w/]+)\.md\b")
INDENTED = re.compile(r"(?:^|(?<=\n\n))(?=    \S)")


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _to_rst, priority=400)  # before numpydoc
    app.connect("autodoc-process-signature", _hide_inner, priority=400)
    return {"parallel_read_safe": True}


def _hide_inner(
    app: Any, what: str, name: str, thing: Any, options: object, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    """No signature for classes of which users get objects from elsewhere."""
    return ("", None) if what == "class" and re.search(r"\b[Mm]ade by\s+`", thing.__doc__ or "") else None


def _to_rst(app: Any, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    text = "\n".join(lines)
    if what == "data":
        text = INDENTED.sub("::\n\n", text)
    module = ".".join(name.split(".")[:2])
    text = SPAN.sub(lambda found: _code(found[1], module), text)
    literal = (">>>", "...", "    ") if what == "data" else (">>>", "...")
    lines[:] = [
        line if line.startswith(literal) or line.lstrip().startswith(literal) else _pages(_plain_stars(line))
        for line in text.split("\n")
    ]


def _code(words: str, module: str) -> str:
    """Literal text, or a link where the words are a public name, of izhnumba or of the module that the docstring is of,
    with or without `iz.` and brackets."""
    name = words.removeprefix("izhnumba.").removeprefix("iz.").split("(")[0]
    for path in (f"izhnumba.{name}", f"{module}.{name}"):
        owner, _, last = path.rpartition(".")
        if last in getattr(sys.modules.get(owner), "__all__", ()):
            return f":obj:`{words} <{path}>`"
    owner, _, attribute = name.partition(".")
    if owner in iz.__all__ and hasattr(getattr(iz, owner), attribute):
        return f":obj:`{words} <izhnumba.{name}>`"
    return f"``{words}``"


def _pages(line: str) -> str:
    """The line with each page of `docs` as a link that shows its title."""
    return PAGE.sub(r":doc:`/\1`", line)


def _plain_stars(line: str) -> str:
    """The line with `*size` escaped where it stands outside code."""
    outside = re.split(r"(``.*?``|:\w+:`.*?`)", line)
    outside[::2] = [
        re.sub(r"(?<![\\*])(\*{1,2})(?=\w)", lambda stars: "\\*" * len(stars[1]), part) for part in outside[::2]
    ]
    return "".join(outside)
