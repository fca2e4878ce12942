"""Scans as slices and points in space: the right way up, in the right proportions."""

import pytest
import torch
from drawn import SCAN, legend, texts, titles
from matplotlib import pyplot

from coursekit.display import show
from coursekit.figures import notes
from coursekit.scenes import looking_from
from coursekit.tensors import (
    PointCloud,
    Volume,
    VolumeMask,
)

pytestmark = pytest.mark.usefixtures("fresh_figures")


def test_a_scan_is_three_slices_in_millimetres_with_the_sides_of_the_patient():
    show(SCAN)
    extents = [image.get_extent() for image in pyplot.gca().images]

    assert [image.get_array().shape for image in pyplot.gca().images] == [(20, 30), (8, 30), (8, 20)]
    assert [(e[1] - e[0], abs(e[2] - e[3])) for e in extents] == [(60, 20), (60, 40), (20, 40)]
    assert [text for text in texts() if len(text) > 1] == [
        "depth 4 of 8",
        "height 10 of 20",
        "width 15 of 30",
    ]
    assert "".join(text for text in texts() if len(text) == 1) == "APRLSIRLSIAP"


def test_the_head_is_at_the_top_where_depth_leads_upwards():
    show(SCAN)
    top, bottom = pyplot.gca().images[1].get_extent()[3], pyplot.gca().images[1].get_extent()[2]

    assert (top, bottom) == (40, 0)


def test_a_scan_without_spacing_has_voxels_as_high_as_wide():
    show(Volume(torch.rand(2, 4, 8, 6)))
    extents = [image.get_extent() for image in pyplot.gca().images]

    assert [(e[1] - e[0], abs(e[2] - e[3])) for e in extents] == [(6, 8), (6, 4), (8, 4)]
    assert notes(pyplot.gca()) == ["2 channels, of which the first is shown"]


def test_a_mask_in_space_alone_and_over_its_scan():
    mask = VolumeMask((torch.rand(8, 20, 30) > 0.5).long(), vocab=("air", "bone"))
    show(mask)
    assert legend() == ["air", "bone"]
    pyplot.close("all")
    show((SCAN, mask, "head"))

    assert len(pyplot.gca().images) == 6
    assert legend() == ["bone"]
    assert titles() == ["head"]


def test_a_mask_of_another_size_is_said_to_be_one():
    show((SCAN, VolumeMask(torch.zeros(4, 20, 30, dtype=torch.int64))))

    assert notes(pyplot.gca()) == ["the mask is 4 x 20 x 30, the scan 8 x 20 x 30"]


def test_points_in_a_volume_are_seen_as_their_volume_is():
    """What lies further down in the volume is lower; what lies further back is behind."""
    show(PointCloud([[10, 10, 0], [10, 50, 0], [50, 10, 0]], canvas=(20, 60, 60)))
    order = pyplot.gca().collections[0].get_offsets().tolist()
    places = {round(x + y, 3) for x, y in order}
    first, down, across = (project([x, y, 0]) for x, y in [(10, 10), (10, 50), (50, 10)])

    assert places == {round(sum(one), 3) for one in (first, down, across)}
    assert down[1] < first[1]
    assert across[0] > first[0]


def project(point):
    right, up, _ = looking_from(in_a_volume=True)
    return float(torch.tensor(point, dtype=torch.float32) @ right), float(torch.tensor(point).float() @ up)


def test_points_in_the_world_stand_upright_and_near_ones_are_drawn_last():
    right, up, towards = looking_from(in_a_volume=False)
    show(PointCloud([[0, 0, 0], [0, 0, 1], [1, -1, 0]]))

    assert up[2] > 0.5
    assert torch.allclose(torch.linalg.cross(right, up), towards, atol=1e-6)
    assert pyplot.gca().collections[0].get_array().tolist() == sorted(
        pyplot.gca().collections[0].get_array().tolist()
    )


def test_a_feature_colours_points_and_too_many_are_drawn_by_lot():
    cloud = PointCloud(torch.rand(20_500, 4))
    show(cloud)
    shades = pyplot.gca().collections[0].get_array()

    assert len(shades) == 20_000
    assert set(shades.tolist()) <= set(cloud[:, 3].tolist())
    assert notes(pyplot.gca()) == ["20,000 of 20,500 points, drawn by lot"]
