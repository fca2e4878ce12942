"""Boxes and points move by a matrix, and those that leave the canvas are not there any more."""

import torch

from coursekit.places import carry, in_space, lost, move, stretching
from coursekit.tensors import Boxes, Keypoints, PointCloud
from coursekit.warping import turning


def test_each_item_moves_by_its_own_matrix():
    matrices = stretching([(1, 1), (2, 3)], [(0, 5), (0, 0)])

    assert move(torch.ones(2, 1, 2), matrices).tolist() == [[[6, 1]], [[3, 2]]]


def test_a_turned_box_holds_its_old_corners():
    box = Boxes([[0, 0, 4, 2]], canvas=(4, 6))

    assert carry(box, turning(90, [(4, 6)]), [(6, 4)]).tolist() == [[0, 2, 2, 6]]


def test_half_precision_is_moved_without_losing_places():
    place = torch.tensor([[[1000.0, 1.0]]], dtype=torch.float16)

    assert move(place, turning(180, [(2000, 2000)])).tolist() == [[[1000.0, 1999.0]]]


def test_what_is_known_of_a_point_travels_along():
    cloud = PointCloud([[1, 2, 3, 0.5, 7]], canvas=(9, 9, 9))

    assert carry(cloud, in_space(turning(90, [(0, 0)]), 0, 1)).tolist() == [[2, -1, 3, 0.5, 7]]


def test_the_edge_belongs_to_the_canvas_and_a_box_that_only_touches_it_does_not():
    assert lost(Keypoints([[6, 4], [6.1, 4]], canvas=(4, 6))).present.tolist() == [True, False]
    assert lost(Boxes([[5, 3, 8, 8], [6, 0, 8, 4]], canvas=(4, 6))).present.tolist() == [True, False]


def test_a_point_that_has_left_takes_all_that_is_known_of_it_along():
    assert lost(PointCloud([[10, 2, 3, 0.5]], canvas=(9, 9, 9))).isnan().all()
