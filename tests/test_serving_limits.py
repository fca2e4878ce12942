"""What a service refuses before a pixel is decoded; `test_serving` meets the same over HTTP."""

from __future__ import annotations

import pytest
from test_serving import bomb, png

from coursekit.serving_limits import FORMATS, Limits, RefusedError, check_photo


def test_a_photo_within_its_limits_passes() -> None:
    check_photo(png(1, 2, 3), most_pixels=63)


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"", 415), (b"GIF89a" + bytes(99), 415), (png(1, 2, 3), 422), (bomb(10**5, 10**5), 422)],
)
def test_what_is_refused_has_a_status(data: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        check_photo(data, most_pixels=62)

    assert refused.value.status == status


def test_few_pixels_in_one_endless_row_are_refused() -> None:
    """They take long to shrink, and much memory, however few they are."""
    with pytest.raises(RefusedError, match="has 5,000,000 pixels in a row, and 65,536 are allowed"):
        check_photo(bomb(5_000_000, 1), most_pixels=50_000_000)


def test_limits_have_values_that_serve_a_telephone() -> None:
    assert Limits().most_pixels > 48_000_000
    assert FORMATS == ("JPEG", "PNG", "WEBP")
