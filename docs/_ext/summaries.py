"""What a page is about, in a sentence: for search engines in its head, for language models in llms.txt.

llms.txt (https://llmstxt.org) lists the pages by section, with their first sentences; llms-full.txt has their text.
Both are made of the pages at each build.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from docutils import nodes
from docutils.io import StringOutput
from sphinx import addnodes
from sphinx.builders.text import TextBuilder
from sphinx.writers.text import TextWriter

SKIPPED = ("sg_execution_times", "search", "genindex")


def summary(doctree):
    """The first sentence or two of a page, 60 to 200 characters if it can be; "" for a page without prose."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 20 and isinstance(paragraph.parent, (nodes.section, addnodes.desc_content)):
            sentences = re.findall(r".*?(?<![ (][A-Z])[.!?:](?= [A-Z]|$)|.+$", text)
            text = sentences.pop(0).rstrip(":")
            while sentences and len(text) < 60 and len(text + sentences[0]) < 200:
                text += sentences.pop(0).rstrip(":")
            return text if len(text) <= 200 else text[:199].rsplit(" ", 1)[0] + "…"
    return ""


def describe(app, pagename, templatename, context, doctree):
    """Put the description of a page into its head."""
    if pagename == app.config.root_doc:
        text = app.config.llms_summary
    else:
        text = summary(doctree) if doctree is not None else ""
    if text:
        context["metatags"] = context.get("metatags", "") + f'\n<meta name="description" content="{html.escape(text)}">'


def below(env, page):
    """All pages of the toctrees of a page, and of theirs, in their order."""
    for child in dict.fromkeys(env.toctree_includes.get(page, [])):
        yield child
        yield from below(env, child)


def sections(env):
    """(title, pages) of llms.txt: the pages of the first that list none, then the others with theirs."""
    first = env.toctree_includes.get(env.config.root_doc, [])
    yield "Overview", [page for page in first if page not in env.toctree_includes]
    for page in first:
        if page in env.toctree_includes:
            yield env.titles[page].astext(), [page, *below(env, page)]


def write(app, exception):
    """llms.txt and llms-full.txt, beside the first page."""
    if exception is not None or app.builder.format != "html":
        return
    env, config, out = app.env, app.config, Path(app.outdir)
    lines = [f"# {config.project}", "", f"> {config.llms_summary}", ""]
    for title, pages in sections(env):
        lines += [f"## {title}", ""]
        for page in pages:
            about = summary(env.get_doctree(page))
            lines.append(f"- [{env.titles[page].astext()}]({app.builder.get_target_uri(page)}){about and ': ' + about}")
        lines.append("")
    (out / "llms.txt").write_text("\n".join(lines), encoding="utf-8")
    (out / "llms-full.txt").write_text("\n\n".join(texts(app)), encoding="utf-8")


def texts(app):
    """The text of every page: Markdown as it is written, others as plain text."""
    plain = TextBuilder(app, app.env)
    plain.init()
    for page in sorted(app.env.found_docs):
        if page.endswith(SKIPPED):
            continue
        source = Path(app.env.doc2path(page))
        if source.suffix == ".md":
            text = source.read_text(encoding="utf-8")
        else:
            doctree = app.env.get_and_resolve_doctree(page, plain, tags=app.tags)
            for node in list(doctree.findall(lambda node: type(node).__module__.startswith("sphinx_gallery"))):
                node.parent.remove(node)  # links in code, which plain text has no form for
            writer = TextWriter(plain)
            writer.write(doctree, StringOutput(encoding="unicode"))
            text = writer.output
        yield f"<!-- {app.builder.get_target_uri(page)} -->\n\n{text.strip()}\n"


def setup(app):
    app.add_config_value("llms_summary", "", "env")
    app.connect("html-page-context", describe)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
