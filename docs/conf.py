"""How the site is made: `make docs` writes it to build/site, where it is read without a connection."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "unrolled"
author = copyright = "the authors of unrolled"
version = release = installed("unrolled")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "command_line",
    "docstrings",
    "outside",
]
exclude_patterns = ["README.md", "reference/README.md", "_ext"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
default_role = "code"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"unrolled {version}"
html_show_sourcelink = False
html_copy_source = False
pygments_style = "friendly"
highlight_language = "none"  # of blocks in docstrings, which are formulas and shapes
