"""What the tests of data sets share: a set that cannot be had is skipped by name, never failed or faked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from coursekit.sources import SourceError

T = TypeVar("T")


def had(load: Callable[..., T], *asked: str) -> T:
    """What the function loads, or a skip that says which set is missing."""
    name = asked[0] if asked else load.__name__
    try:
        return load(*asked)
    except SourceError as error:
        pytest.skip(f"needs the data set {name}: {error}")
