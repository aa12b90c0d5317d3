"""Writes the page of `izhnumba explore` beside those of the site, as explorer.html."""

from __future__ import annotations

from pathlib import Path

from izhnumba.cli._explore import page


def write(app, error):
    if error is None and app.builder.format == "html":
        page.write(Path(app.outdir) / "explorer.html", site="index.html")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
