"""The site: python -m sphinx -W --keep-going docs docs/_build/html"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))  # the sources beside these pages, not what is installed

import izhnumba  # noqa: E402

project = "izhnumba"
author = "The izhnumba authors"
copyright = "The izhnumba authors"
version = release = izhnumba.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "tutorials", "porting.md"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "izhnumba"
html_static_path = ["_static"]
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 4

autosummary_generate = True
numpydoc_show_class_members = False
autodoc_typehints = "none"

_scratch = tempfile.mkdtemp()
sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "../examples"],
    "gallery_dirs": ["learn", "gallery"],
    "filename_pattern": r"\.py$",
    "reset_argv": lambda gallery_conf, script_vars: [_scratch],  # where examples put their pictures
    "download_all_examples": False,
    "show_memory": False,
}
