"""The site: python -m sphinx -W --keep-going docs docs/_build/html"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]  # the sources beside these pages, not what is installed

import izhnumba  # noqa: E402

project = "izhnumba"
author = "The izhnumba authors"
copyright = "The izhnumba authors. Apache License 2.0"
version = release = izhnumba.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
    "docstrings",
    "examples",
    "explorer",
    "findable",
    "landing",
    "summaries",
]
exclude_patterns = ["_build", "_templates", "tutorials"]
templates_path = ["_templates"]
llms_summary = (
    "A Python package that simulates Izhikevich spiking neurons and networks of them on a CPU: NumPy arrays at the "
    "surface, loops compiled by Numba inside. Units are ms, mV and mV/ms (pA for the model of 2007)."
)

html_theme = "pydata_sphinx_theme"
html_title = "izhnumba"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_search_scorer = str(DOCS / "_ext" / "scorer.js")
html_copy_source = html_show_sourcelink = False
_wide = "index start learn/index gallery/index explore benchmarks tour changelog citing contributing deprecations"
html_sidebars = dict.fromkeys(_wide.split(), [])
html_theme_options = {
    "logo": {"image_light": "_static/logo-light.svg", "image_dark": "_static/logo-dark.svg", "text": "izhnumba"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 8,
    "search_as_you_type": True,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_center": [],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
highlight_options = {"python": {"stripnl": True}}  # sessions end with an empty line, for doctest
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block", "attrs_inline"]
myst_heading_anchors = 4

autosummary_generate = True
numpydoc_show_class_members = False
autodoc_typehints = "none"  # the docstrings state types, shapes and units
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"

sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "../examples"],
    "gallery_dirs": ["learn", "gallery"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "parallel": 2,
    "reset_argv": "examples.argv",
    "image_srcset": ["2x"],
    "ignore_repr_types": r"matplotlib[.]",  # else the last line of a block prints <matplotlib.legend.Legend ...>
    "thumbnail_size": (480, 320),
    "default_thumb_file": str(DOCS / "_static" / "logo-light.svg"),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}
