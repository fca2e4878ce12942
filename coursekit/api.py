"""Every public name of coursekit, gathered in one place; `import coursekit as kit` reaches them as `kit.name`."""

from __future__ import annotations

from .splits import check_split, group_split, random_split

__all__ = [
    "check_split",
    "group_split",
    "random_split",
]
