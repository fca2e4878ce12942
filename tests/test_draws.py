"""What a batch step draws follows from its seed alone, and is the same for all that lies on one canvas."""

from __future__ import annotations

import pytest
import torch

from coursekit.dispatch import method
from coursekit.draws import Drawing, Setting, alike, uniform
from coursekit.tensors import DicomImage, Image, Keypoints, Mask, PointCloud, Row, Target, plain


class Louder(Drawing):
    def numbers(self, setting, chance):
        return {"by": uniform(chance, (setting.count, 1), 1, 2), "more": torch.ones(setting.count, 2, 2)}

    @method
    def apply(self, x: Row, drawn):
        return x * drawn.of(x).device["by"]


def test_each_item_has_its_row():
    made = plain(Louder().encode(Row(torch.ones(5, 3))))
    assert len(made.unique()) == 5
    assert ((made >= 1) & (made <= 2)).all()


def test_numbers_keep_their_shape_and_take_the_precision_of_the_batch():
    step = Louder()
    for dtype, expected in ((torch.float32, torch.float32), (torch.float64, torch.float64)):
        x = Row(torch.ones(5, 3, dtype=dtype))
        numbers = step.draw(step.generator).of(x)
        assert numbers.device["more"].shape == (5, 2, 2)
        assert numbers.device["by"].dtype == expected
        torch.testing.assert_close(numbers.host["by"], numbers.device["by"].double())


def test_all_on_one_canvas_share_their_numbers():
    x, places = Image(torch.rand(2, 3, 4, 6)), Keypoints(torch.rand(2, 5, 2), canvas=((4, 6),) * 2)
    step = Louder()
    drawn = step.draw(step.generator)
    assert drawn.of(x) is drawn.of(places)
    assert drawn.of(x) is drawn.of(Mask(torch.zeros(2, 4, 6, dtype=torch.uint8)))


def test_a_mask_is_spaced_as_the_scan_beside_it():
    scan = DicomImage(torch.zeros(2, 1, 4, 6), spacing=((1, 2), (1, 3)))
    mask = Mask(torch.zeros(2, 4, 6, dtype=torch.uint8))
    assert Setting.of(mask, scan.spacing).spacing == ((1, 2), (1, 3))


def test_settings():
    assert Setting.of(Image(torch.rand(3, 4, 6))) == Setting(1, ((4, 6),), (None,), 2)
    assert Setting.of(PointCloud([[1, 2, 3]])).lengths == (None,)
    assert Setting.of(Keypoints(torch.rand(2, 1, 2), canvas=((4, 6), (5, 6)))).lengths == ((4, 6), (5, 6))
    assert alike([1, 1, 1]) == (1,)


def test_what_has_no_axes_of_space_is_counted():
    assert Setting.of(Row(torch.ones(5, 3))) == Setting(5)
    assert Setting.of(Target(torch.ones(5))).count == 5


def test_a_step_says_what_it_draws():
    class Silent(Drawing):
        @method
        def apply(self, x: Row, drawn):
            return drawn.of(x)

    with pytest.raises(NotImplementedError, match="Silent says what it draws: def numbers"):
        Silent().encode(Row(torch.ones(5, 3)))
