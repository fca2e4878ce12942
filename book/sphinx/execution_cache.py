"""What decides whether a lesson is executed again: its code and its tags, never a caption.

jupyter-cache counts all metadata of a code cell, and on a hit puts the stored metadata back. Alternative
texts and captions stand there, so an author who mends one would wait for the lesson and then not see the
change.
"""

from __future__ import annotations

from functools import partialmethod

from jupyter_cache.cache.main import JupyterCacheBase
from sphinx.application import Sphinx


def only_code_counts() -> None:
    """Make jupyter-cache compare code and tags alone. Calling it twice changes nothing."""
    if isinstance(JupyterCacheBase.__dict__["create_hashed_notebook"], partialmethod):
        return
    for name, keyword, keys in [
        ("create_hashed_notebook", "cell_metadata", ("tags",)),
        ("merge_match_into_notebook", "cell_meta", ()),
    ]:
        setattr(JupyterCacheBase, name, partialmethod(getattr(JupyterCacheBase, name), **{keyword: keys}))


def setup(app: Sphinx) -> dict[str, bool]:
    only_code_counts()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
