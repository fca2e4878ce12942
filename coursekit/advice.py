"""What usually causes an error in a data block, and what to do about it.

>>> advice("Resize", ValueError("odd"), item=7)
('This one item is unlike the others.', 'Look at it: list(block.find_items(source))[7].')
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path


@cache
def known() -> list[dict[str, str]]:
    """What is known of errors: `when` it fits, the usual `cause`, and the `remedy`."""
    return tomllib.loads(Path(__file__).with_name("advice.toml").read_text(encoding="utf-8"))["known"]


def advice(step: str, error: Exception, item: int | None = None) -> tuple[str, str]:
    """The usual cause of an error at a step, and what to do."""
    said = f"{step}: {type(error).__name__}: {error}"
    for one in known():
        if re.search(one["when"], said, re.DOTALL):
            return one["cause"], one["remedy"]
    if item is None:
        return (
            "It is not one that is often met.",
            "What it says is all there is to know: read it word by word.",
        )
    return "This one item is unlike the others.", f"Look at it: list(block.find_items(source))[{item}]."
