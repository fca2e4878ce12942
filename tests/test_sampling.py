"""Pictures read at other places: as torch's own functions do it, and small detail averaged."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import affine_grid

from coursekit.sampling import Shrinking, grid, look, mirror


def matrix(count=2, axes=2, seed=0):
    chance = torch.Generator().manual_seed(seed)
    result = torch.eye(axes + 1).repeat(count, 1, 1)
    result[:, :axes] += torch.rand(count, axes, axes + 1, generator=chance) * 0.2
    return result


@pytest.mark.parametrize("size", [(5, 7), (3, 5, 7)])
def test_places_are_those_of_torch(size):
    where = matrix(axes=len(size))
    theirs = affine_grid(where[:, :-1], [2, 1, *size], align_corners=False)
    torch.testing.assert_close(grid(where, size), theirs)


def test_the_last_row_divides():
    where = matrix()
    where[:, 2] = torch.tensor([0.1, -0.2, 1])
    x, y, w = grid(torch.cat([where, where[:, 2:]], 1)[:, :3], (4, 6)).new_zeros(3), None, None
    found = grid(where, (4, 6), projective=True)
    centre = torch.tensor([1 / 6 * 5 - 0.0, 3 / 4, 1])  # the last pixel
    x, y, w = (where[0] @ centre).tolist()
    torch.testing.assert_close(found[0, -1, -1], torch.tensor([x / w, y / w]))


@pytest.mark.parametrize("shape", [(6, 8), (4, 6, 8)])
def test_nothing_moves_without_a_movement(shape):
    x, still = torch.rand(2, 3, *shape), torch.eye(len(shape) + 1).repeat(2, 1, 1)
    torch.testing.assert_close(look(x, still, edges="border"), x, atol=1e-5, rtol=0)
    torch.testing.assert_close(look(x, still, nearest=True), x)


def test_edges_may_differ_between_pictures():
    far = torch.eye(3).repeat(2, 1, 1)
    far[:, 0, 2] = 5  # all look to the right of the picture
    fill = torch.tensor([3.0, -4]).reshape(2, 1, 1, 1)
    assert look(torch.rand(2, 1, 4, 4), far, edges=fill).unique().tolist() == [-4, 3]


class TestShrinking:
    def test_what_does_not_shrink_is_looked_at_once(self):
        larger = torch.diag(torch.tensor([0.5, 0.8, 1]))[None]
        assert Shrinking.of(larger, (64, 64), (64, 64)) == (1, 1)
        assert Shrinking.of(torch.eye(3)[None], (64, 64), (56, 56)) == (1, 1)

    def test_all_that_shrinks_is_averaged_before_and_some_of_it_looked_at_more_often(self):
        scales = torch.tensor([[1.0, 1, 1], [2, 2, 1]]).diag_embed()
        assert Shrinking.of(scales, (64, 64), (32, 32)) == (2, 2)

    def test_fine_stripes_become_grey(self):
        stripes = (torch.arange(64) % 2).float().expand(1, 1, 64, 64)
        both = torch.tensor([[1.0, 1, 1], [0.5, 0.5, 1]]).diag_embed()
        made = look(
            stripes.repeat(2, 1, 1, 1), both, (21, 21), shrinking=Shrinking.of(both, (64, 64), (21, 21))
        )
        assert (made[0] - 0.5).abs().max() < 0.2
        crude = look(stripes, both[:1], (21, 21))
        assert (crude - 0.5).abs().max() > 0.4

    def test_of_volumes_too(self):
        x = torch.rand(1, 1, 8, 8, 8)
        still = torch.eye(4)[None]
        made = look(x, still, (2, 2, 2), shrinking=Shrinking.of(still, (8, 8, 8), (2, 2, 2)))
        torch.testing.assert_close(made, torch.nn.functional.avg_pool3d(x, 4))


def test_mirrors_of_some_pictures():
    x = torch.arange(8).reshape(2, 1, 2, 2)
    signs = torch.tensor([[1.0, -1, 1], [-1, -1, 1]]).diag_embed()
    made = mirror(x, signs, signs)
    assert torch.equal(made, torch.stack([x[0].flip(-2), x[1].flip((-1, -2))]))
