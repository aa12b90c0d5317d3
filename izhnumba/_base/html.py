"""HTML that notebooks show of an object: a card of facts, tables and pictures. All text is escaped here, nothing is a
script, and colours are those of the page, so that dark ones stay legible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from numpy.typing import NDArray

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_STYLE = (
    "<style>.izhnumba{line-height:1.4}.izhnumba svg{max-width:100%;height:auto;display:block;margin:.4em 0}"
    ".izhnumba table{border-collapse:collapse;margin:.4em 0!important;font-size:inherit}"
    ".izhnumba tr{background:none!important}.izhnumba :is(td,th){text-align:left!important;border:0!important;"
    "padding:.1em 1.2em .1em 0!important;vertical-align:top}.izhnumba th{font-weight:normal;opacity:.65}</style>"
)
_LONGEST = 60  # characters of a text


def escaped(value: object, longest: int = _LONGEST) -> str:
    """A value as text, which means itself alone; of a long one the beginning."""
    text = " ".join(str(value).split())
    return (text if len(text) <= longest else text[: longest - 1] + "…").translate(_ESCAPES)


def card(kind: str, name: object, facts: Iterable[object], *parts: str) -> str:
    """What an object is and what it is called, a line for each fact, and below it tables and pictures."""
    title = f"<b>{escaped(kind)}</b> {escaped(name)}".rstrip()
    lines = "".join(f"<div>{escaped(fact, 2 * _LONGEST)}</div>" for fact in facts if fact)
    return f'{_STYLE}<div class="izhnumba"><div>{title}</div>{lines}{"".join(parts)}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[object]], most: int = 8) -> str:
    """A table with these columns, without those that are empty, and the first rows if there are many; "" for none."""
    if not rows:
        return ""
    shown = [[escaped(cell) for cell in row] for row in rows[:most]]
    used = [k for k, _ in enumerate(head) if any(row[k] for row in shown)]
    lines = ["".join(f"<td>{row[k]}</td>" for k in used) for row in shown]
    if len(rows) > most:
        lines.append(f'<td colspan="{len(used)}">… and {len(rows) - most} more</td>')
    top = "".join(f"<th>{escaped(head[k])}</th>" for k in used)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def span(values: NDArray[Any]) -> str:
    """A number, or the range of several: "0.02", "8 to 12"; "" of none."""
    if not values.size:
        return ""
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g} to {high:.4g}" if low < high else f"{low:.6g}"
