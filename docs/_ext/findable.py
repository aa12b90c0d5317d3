"""The search finds a page by its short title, too: the one it has in the list of its section."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes

SMALL = {"a", "and", "from", "of", "the", "to", "which"}


def collect(app, env):
    """Short titles by page, from all lists (toctrees) that give some."""
    env.short_titles = {
        page: title
        for parent in env.toctree_includes
        for toctree in env.get_doctree(parent).findall(addnodes.toctree)
        for title, page in toctree["entries"]
        if title
    }


def mark(app, doctree, docname):
    """Put the words of the short title into the index that the search looks through."""
    title = getattr(app.env, "short_titles", {}).get(docname)
    section = doctree.next_node(nodes.section)
    if title and section is not None:
        words = [word for word in title.lower().split() if word not in SMALL]
        entries = [("single", word, "", "main", None) for word in dict.fromkeys([title.lower(), *words])]
        section.insert(0, addnodes.index(entries=entries))


def setup(app):
    app.connect("env-updated", collect)
    app.connect("doctree-resolved", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
