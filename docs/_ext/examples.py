"""How examples run while the site is built, and what the notebooks made of them are like."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

_folder = tempfile.TemporaryDirectory()
# An example reads its folder from the command line, which in a notebook is that of the kernel.
_NO_ARGUMENTS = ["import sys\n", "\n", "del sys.argv[1:]  # those of the kernel: the picture goes into this folder"]


def argv(gallery_conf, script_vars):
    """What an example finds after its name on the command line: where its picture does not litter the sources."""
    return [_folder.name]


def notebooks(app):
    """Links of the site become plain words in notebooks, and examples forget the command line of the kernel."""
    for folder in ("learn", "gallery"):
        for path in Path(app.srcdir, folder).rglob("*.ipynb"):
            notebook = json.loads(path.read_text(encoding="utf-8"))
            cells = notebook["cells"]
            for cell in cells:
                if cell["cell_type"] == "markdown":
                    text = re.sub(r":doc:`([^<`]+?)\s*<[^`]*>`", r"*\1*", "".join(cell["source"]))
                    cell["source"] = text.splitlines(keepends=True)
            first = next(cell for cell in cells if cell["cell_type"] == "code")
            if folder == "gallery" and first["source"] != _NO_ARGUMENTS:
                cells.insert(cells.index(first), first | {"source": _NO_ARGUMENTS})
            path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def setup(app):
    os.environ["NUMBA_NUM_THREADS"] = "1"  # two examples run at a time, which would wait for each other's threads
    app.connect("builder-inited", notebooks, priority=900)  # after they were made
    return {"parallel_read_safe": True, "parallel_write_safe": True}
