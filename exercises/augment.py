"""# One picture, seen a thousand ways

A photo of a cat, mirrored, turned by ten degrees and a little nearer, is still a photo of a cat, and your
model has never seen it. You write what moves whole batches by chance: every picture by a matrix of its own,
no matter how many movements, and everything that lies on it goes along.

1. `movements.Rotate`: draws a turn for each picture. `uniform(chance, count, low, high)` draws evenly, and
   `around(0, self.degrees)` reads what it was given. `matrices((a, b, s), (c, d, t))` makes one matrix for
   each picture, of numbers and of rows of numbers. `plane` says what turns in space: `PLANES[self.axis]`.
   (`__post_init__` is where ours refuses an axis that is none. You may leave it out.)
2. `draws.composed`: multiply movements into one that does them all. Two multiplications, or two hundred, cost
   nothing beside touching every pixel once more. They come in `float32` or `float64`: `a.to(b)` gives `a` the
   dtype and the device of `b`.
3. `augment.both_ways`: the two matrices of a movement. Places go where it leads, and a pixel looks where it
   came from. `from_middle(lengths)` leads from -1..1 to pixels.
4. `sampling.grid`: where the centre of every new pixel looks, for pictures and for volumes. With
   `projective`, the last row matters as well, and there is something to divide by.
5. `places.move`: points moved by a matrix each. `working_dtype(dtype)` says what to compute in, places and
   matrices alike.
6. `geometry.flip`, with `geometry.mirror_places` and `geometry.partners_swapped`: a mirror for every type.
   `stretching(scales, shifts)` makes matrices, `carry(x, matrix)` moves places by them, `canvases(x, "flip")`
   says how large the picture under them is, and `changed(x, values)` puts the type on again.
   `axis_number(x, axis, "flip")` is the number of an axis among `axes_of(x)`, and `inside(x, flip, axis)`
   flips what a tuple or a dict holds, and leaves a name alone.

The docstrings of the starters say the rest. Nothing has to be imported. Four checks look at the clock: yours
may take ten times as long as ours on the same device, so there is no going through a batch one by one. If
your machine has a GPU, all is asked there as well.

Before you begin: a picture is to move 10 pixels to the right. Where does its first new pixel look?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "movements.Rotate": "a turn by chance, another for each picture",
    "draws.composed": "many movements in one matrix",
    "augment.both_ways": "where pixels look, and where places go",
    "sampling.grid": "where the centre of every new pixel looks",
    "places.move": "places moved by a matrix each",
    "geometry.flip": "a mirror for every type",
    "geometry.mirror_places": "what lies on a canvas, in the mirror",
    "geometry.partners_swapped": "left and right change their names",
}


def _affine(matrix):
    """Numbers made a matrix that stays near to one that does nothing, with the last row that it has."""
    import torch

    side = matrix.shape[-1]
    nothing = torch.eye(side, dtype=matrix.dtype, device=matrix.device)
    last = torch.arange(side, device=matrix.device)[:, None] == side - 1
    return torch.where(last, nothing, nothing + matrix)


def _angles(matrices):
    """The angle of each turn in degrees, counterclockwise, or none if one of them is no turn."""
    import torch

    if matrices.ndim != 3 or matrices.shape[1:] != (3, 3):
        return None
    angle = torch.atan2(matrices[:, 0, 1], matrices[:, 0, 0])
    sine, cosine, o, one = angle.sin(), angle.cos(), 0 * angle, 0 * angle + 1
    turns = torch.stack([cosine, sine, o, -sine, cosine, o, o, o, one], -1).reshape(-1, 3, 3)
    return angle.rad2deg().tolist() if torch.allclose(turns, matrices) else None


@check(points=1, lesson="A turn is a matrix")
def a_turn_is_counterclockwise(kit, case):
    """y runs down: to the left of the middle things go down, so the sine below the diagonal has a minus."""
    import torch

    chance, frame = torch.Generator(), kit.movements.Frame.of(case.integer("count", 2, 4))
    yield "a quarter", kit.movements.Rotate((90, 90)).draw(frame, chance)
    angle = case.integer("angle", 10, 80)
    turns = kit.movements.Rotate((angle, angle)).draw(frame, chance)
    yield "another angle", turns
    for axis in ("depth", "height", "width"):
        yield f"in space, about the {axis}", kit.movements.Rotate(10, axis=axis).in_space(turns)


@check(points=2, lesson="Another draw for each picture")
def each_picture_draws_its_own_turn(kit, case):
    """Draw as many angles as there are pictures, in one go."""
    import torch

    chance = torch.Generator().manual_seed(case.integer("seed", 1, 99))
    frame, degrees = kit.movements.Frame.of(case.integer("count", 20, 40)), case.integer("degrees", 5, 60)
    yield "to either side", kit.movements.Rotate(degrees).draw(frame, chance)
    yield "from 20 to 40 degrees", kit.movements.Rotate((20, 40)).draw(frame, chance)


@each_picture_draws_its_own_turn.judge
def _(seen, case, ours):
    limits = {"to either side": (-case["degrees"], case["degrees"]), "from 20 to 40 degrees": (20, 40)}
    for label, matrices in seen.items():
        angles, (low, high) = _angles(matrices), limits[label]
        if angles is None:
            yield label, "Not all of these are turns: cosine and sine, minus sine and cosine, and (0, 0, 1)."
        elif len(angles) != case["count"]:
            yield label, f"There are {case['count']} pictures; {len(angles)} turns were drawn."
        elif len({round(angle, 6) for angle in angles}) < len(angles) / 2:
            yield label, "Pictures of one batch got the same angle."
        elif min(angles) < low - 1e-6 or max(angles) > high + 1e-6:
            most = max(angles, key=lambda angle: abs(angle - (low + high) / 2))
            yield label, f"Angles are between {low} and {high} degrees; one is {most:.3g}."
        elif label == "to either side" and min(angles) * max(angles) > 0:
            yield label, f"All {len(angles)} pictures turned to the same side."


@check(points=1, lesson="Another draw for each picture")
def the_same_seed_draws_the_same(kit, case):
    """All chance comes from the generator that you are given."""
    import torch

    frame, seed = kit.movements.Frame.of(case.integer("count", 3, 9)), case.integer("seed", 1, 99)
    rotate = kit.movements.Rotate(30)
    yield "once", rotate.draw(frame, torch.Generator().manual_seed(seed))
    yield "once more", rotate.draw(frame, torch.Generator().manual_seed(seed))
    yield "another seed", rotate.draw(frame, torch.Generator().manual_seed(seed + 1))
    torch.manual_seed(seed)
    rotate.draw(frame, torch.Generator())
    yield "what everybody draws next", torch.rand(2)


@the_same_seed_draws_the_same.judge
def _(seen, case, ours):
    if (seen["once"] != seen["once more"]).any():
        yield "once more", "The same seed drew other turns."
    if seen["another seed"].shape != seen["once"].shape or seen["another seed"].dtype != seen["once"].dtype:
        yield "another seed", "Another seed drew something else than turns."
    elif (seen["once"] == seen["another seed"]).all():
        yield "another seed", "Another seed drew the same turns."
    if (seen["what everybody draws next"] != ours["what everybody draws next"]).any():
        yield "what everybody draws next", "Chance that belongs to everybody was used."


@check(points=2, lesson="One matrix for all of it")
def the_first_movement_comes_first(kit, case):
    """A matrix stands before what it moves: what is done later is multiplied from the left."""
    import torch

    count = case.integer("count", 2, 4)
    shift = _affine(case.tensor("shift", (count, 3, 3), dtype=torch.float64))
    turn = _affine(case.tensor("turn", (count, 3, 3), dtype=torch.float64))
    tilt = _affine(case.tensor("tilt", (count, 3, 3), dtype=torch.float64))
    yield "two", kit.draws.composed([shift, turn], count, 3)
    yield "the other way round", kit.draws.composed([turn, shift], count, 3)
    yield "three", kit.draws.composed([shift, turn, tilt], count, 3)


@check(points=1, lesson="One matrix for all of it")
def one_for_all_and_none_at_all(kit, case):
    """Begin with what changes nothing, one for each picture: `torch.eye(side).expand(count, side, side)`."""
    import torch

    count, side = case.integer("count", 2, 4), case.choice("side", [3, 4])
    all_alike = _affine(case.tensor("all alike", (1, side, side), dtype=torch.float64))
    each = _affine(case.tensor("each", (count, side, side), dtype=torch.float64))
    yield "none", kit.draws.composed([], count, side)
    yield "one for all", kit.draws.composed([all_alike], count, side)
    yield "one for all, then one for each", kit.draws.composed([all_alike, each], count, side)


@check(points=2, lesson="Pixels look back")
def places_go_where_the_movement_leads(kit, case):
    """From pixels of the old picture to -1..1, then the movement, then to pixels of the new one."""
    import torch

    count = case.integer("count", 2, 3)
    matrix = _affine(case.tensor("matrix", (count, 3, 3), -0.4, 0.4, dtype=torch.float64))
    old = case.tensor("old", (1, 2), 4, 9, dtype=torch.float64)
    new = case.tensor("new", (count, 2), 4, 9, dtype=torch.float64)
    nothing = _affine(0 * matrix[:1])
    yield "made larger", kit.augment.both_ways(nothing, old, 2 * old)[1]
    yield "moved", kit.augment.both_ways(matrix, old, old)[1]
    yield "moved to another size", kit.augment.both_ways(matrix, old, new)[1]


@check(points=2, lesson="Pixels look back")
def pixels_look_where_they_came_from(kit, case):
    """What undoes a movement is its inverse, `torch.linalg.inv`. From -1 to 1, no size matters."""
    import torch

    count = case.integer("count", 2, 3)
    old = case.tensor("old", (1, 3), 4, 9, dtype=torch.float64)
    pictures = _affine(case.tensor("pictures", (count, 3, 3), -0.4, 0.4, dtype=torch.float64))
    yield "of pictures", kit.augment.both_ways(pictures, old[:, :2], 2 * old[:, :2])[0]
    volumes = _affine(case.tensor("volumes", (count, 4, 4), -0.4, 0.4, dtype=torch.float64))
    yield "of volumes", kit.augment.both_ways(volumes, old, 2 * old)[0]


@check(points=2, lesson="Pixels look back")
def every_pixel_looks_from_its_centre(kit, case):
    """Of n pixels from -1 to 1 the first centre is 1 / n from the edge; `centres(n, matrix)` lists them."""
    count, width = case.integer("count", 2, 3), case.integer("width", 2, 4)
    matrix = _affine(case.tensor("matrix", (count, 3, 3)))
    yield "where nothing moves", kit.sampling.grid(_affine(0 * matrix[:1]), (2, width))
    yield "each by its own matrix", kit.sampling.grid(matrix, (2, width))


@check(points=2, lesson="Pixels look back")
def volumes_and_tilted_pictures_look_as_well(kit, case):
    """x comes first in a place and last in a size. After a tilt, divide by what the last row makes."""
    count = case.integer("count", 2, 3)
    volumes = _affine(case.tensor("volumes", (count, 4, 4)))
    yield "volumes", kit.sampling.grid(volumes, (2, 3, 2))
    tilted = _affine(case.tensor("tilted", (count, 3, 3)))
    tilted[:, 2] = tilted[:, 2] + case.tensor("tilt", (count, 3), -0.3, 0.3)
    yield "tilted pictures", kit.sampling.grid(tilted, (2, 3), projective=True)
    yield "the last row not asked for", kit.sampling.grid(tilted, (2, 3))


@check(points=2, lesson="What lies on the picture")
def places_move_by_a_matrix_each(kit, case):
    """`points @ matrix.mT` moves the points of every picture by its own; in `working_dtype`, both of them."""
    count, points = case.integer("count", 2, 3), case.integer("points", 2, 4)
    places = case.tensor("places", (count, points, 2), 0, 50)
    matrix = _affine(case.tensor("matrix", (count, 3, 3), -2, 2))[:, :2]
    yield "by one each", kit.places.move(places, matrix)
    yield "by one for all", kit.places.move(places, matrix[:1])
    more = case.tensor("more", (count, points, 5), 0, 50)
    space = _affine(case.tensor("space", (1, 4, 4), -2, 2))[:, :3]
    yield "in space, with what travels along", kit.places.move(more, space)
    large = places.new_tensor([[[1001.0, 2003.0]]]).half()
    yield "far out, in half precision", kit.places.move(large, matrix[:1] * 0.5)


@check(points=1, lesson="What lies on the picture")
def what_lies_behind_the_viewer_is_lost(kit, case):
    """With a third row, divide by what it makes; where that is not above 0, the place is NaN."""
    points = case.integer("points", 3, 5)
    places = case.tensor("places", (1, points, 2), 0, 5)
    tilt = places.new_tensor([[[1.0, 0, 0], [0, 1, 0], [0.1, 0.1, 0.5]]])
    behind = places.new_tensor([[[1.0, 0, 0], [0, 1, 0], [0.1, 0, -0.3]]])
    yield "tilted", kit.places.move(places, tilt)
    yield "so far that some lie behind", kit.places.move(places, behind)


@check(points=2, lesson="In the mirror")
def every_type_has_its_mirror(kit, case):
    """Count axes from the end, where height and width are. A cloud of the world is mirrored at the origin."""
    width = case.integer("width", 3, 5)
    photos = kit.Image(case.tensor("photos", (2, 3, 2, width), low=0))
    mask = kit.Mask(case.labels("mask", 2 * width, classes=3).reshape(2, width), vocab=("a", "b", "c"))
    edges = case.tensor("edges", (2, 4), 0, 2).sort(dim=1).values
    boxes = kit.Boxes(edges, canvas=(2, width))
    scan = kit.Volume(case.tensor("scan", (2, 2, width)), orientation="SPL")
    cloud = kit.PointCloud(case.tensor("cloud", (3, 3)))
    for axis in ("width", "height"):
        yield f"photos, along the {axis}", kit.flip(photos, axis)
        yield f"a mask, along the {axis}", kit.flip(mask, axis)
        yield f"boxes, along the {axis}", kit.flip(boxes, axis)
        yield f"a scan, along the {axis}", kit.flip(scan, axis)
    yield "a cloud in the world", kit.flip(cloud, "depth")
    yield "all together", kit.flip((photos[0], mask, "a cat"))


@check(points=2, lesson="In the mirror")
def left_and_right_change_their_names(kit, case):
    """Let the rows of each pair change places; a point whose partner is not there keeps its row."""
    places = case.tensor("places", (2, 4, 2), 0, 6)
    names, pairs = ("nose", "left eye", "right eye", "left ear"), (("right eye", "left eye"),)
    faces = kit.Keypoints(places, canvas=((6, 8), (6, case.integer("width", 7, 9))), names=names, pairs=pairs)
    yield "faces", kit.flip(faces)
    yield "one face, upside down", kit.flip(faces[0], "height")
    yield "nose and left eye", kit.flip(faces[0][[0, 1]])
    yield "points without a name", kit.flip(kit.Keypoints(places[0], canvas=(6, 8)))


@check(points=3, lesson="One matrix for all of it")
def picture_mask_and_points_stay_together(kit, case):
    """Here the library's own `Warp` runs on your parts: a turn, a zoom and a mirror in one."""
    count = case.integer("count", 2, 3)
    photos = kit.Image(case.tensor("photos", (count, 3, 8, 12), low=0))
    masks = kit.Mask(case.labels("masks", count * 96, classes=4).reshape(count, 8, 12))
    points = kit.Keypoints(case.tensor("points", (count, 3, 2), 3, 6), canvas=((8, 12),) * count)
    edges = case.tensor("edges", (count, 1, 4), 2, 6).sort(dim=2).values
    boxes = kit.Boxes(edges, canvas=((8, 12),) * count)
    turn, zoom = kit.movements.Rotate((25, 25)), kit.movements.Zoom((1.3, 1.3))
    warp = kit.augment.Warp(turn, zoom, kit.movements.Flip(chance=1), size=(7, 10))
    moved = warp.encode((photos, masks, points, boxes))
    yield "photos", moved[0]
    yield "masks", moved[1]
    yield "points", moved[2]
    yield "boxes", moved[3]


@check(points=1, rounds=1, lesson="All at once")
def many_matrices_in_one_go(kit, case):
    """`@` multiplies whole stacks of matrices."""
    count = case.integer("count", 500, 600)
    turns = _affine(case.tensor("turns", (count, 3, 3)))
    shifts = _affine(case.tensor("shifts", (count, 3, 3)))
    yield (
        "turned and shifted",
        case.timed(lambda a, b: kit.draws.composed([a, b], count, 3), turns, shifts, at_most=10),
    )


@check(points=1, rounds=1, lesson="All at once")
def many_pictures_look_in_one_go(kit, case):
    """A column of numbers and a row of numbers added make a whole picture of sums; so do 300 of each."""
    matrices = _affine(case.tensor("matrices", (case.integer("count", 300, 400), 3, 3)))
    yield "where small pictures look", case.timed(kit.sampling.grid, matrices, (8, 8), at_most=10)


@check(points=1, rounds=1, lesson="All at once")
def many_places_move_in_one_go(kit, case):
    """`@` multiplies a stack of places by a stack of matrices, each by its own."""
    count = case.integer("count", 500, 600)
    places = case.tensor("places", (count, 8, 2), 0, 50)
    matrices = _affine(case.tensor("matrices", (count, 3, 3)))[:, :2]
    yield "places of many pictures", case.timed(kit.places.move, places, matrices, at_most=10)


@check(points=1, rounds=1, lesson="All at once")
def many_faces_are_mirrored_in_one_go(kit, case):
    """`stretching` makes a matrix for each canvas, and `carry` moves a whole batch by them."""
    count = case.integer("count", 100, 120)
    places = case.tensor("places", (count, 2, 2), 0, 6)
    eyes, pairs = ("left eye", "right eye"), (("left eye", "right eye"),)
    faces = kit.Keypoints(places, canvas=[(6, 8 + n % 3) for n in range(count)], names=eyes, pairs=pairs)
    yield "faces", case.timed(kit.flip, faces, at_most=10)


def _part(full, takes, *lines):
    """One definition with these lines for its body."""
    body = "\n".join("    " + line for line in lines)
    return {full: f"import torch\n\n\ndef {full.rpartition('.')[2]}({takes}):\n{body}\n"}


ANGLE = "angle = uniform(chance, frame.count, *around(0, self.degrees)).deg2rad()"


def _rotate(*angle, rows="(cosine, sine, 0), (-sine, cosine, 0)", plane="PLANES[self.axis]"):
    """A `Rotate` that draws its angles by these lines."""
    lines = "\n        ".join([*angle, "sine, cosine = angle.sin(), angle.cos()"])
    return {
        "movements.Rotate": f"""
@dataclass(frozen=True)
class Rotate(Movement):
    degrees: float | tuple
    axis: str = "depth"
    chance: float = 1.0

    @property
    def plane(self):
        return {plane}

    def draw(self, frame, chance):
        {lines}
        return matrices({rows})
"""
    }


def _composed(*lines):
    return _part("draws.composed", "matrices, count, side", *lines)


def _both_ways(looks="torch.linalg.inv(forward)", goes=None):
    goes = goes or "from_middle(new) @ forward @ torch.linalg.inv(from_middle(old))"
    return _part("augment.both_ways", "forward, old, new", f"return {looks}, {goes}")


ROW = "torch.arange(1 - length, length, 2, device=matrix.device, dtype=matrix.dtype) / length"


def _grid(
    row=ROW, parts="", result="parts[..., :axes] / parts[..., axes:] if projective else parts[..., :axes]"
):
    """A `grid` that asks `torch.meshgrid` where the centres are."""
    return _part(
        "sampling.grid",
        "matrix, size, projective=False",
        f"rows = [{row} for length in size]",
        "ones = torch.ones(size).to(matrix)",
        "places = torch.stack([*torch.meshgrid(*rows, indexing='ij')][::-1] + [ones], -1)",
        "axes, flat = len(size), places.reshape(1, -1, len(size) + 1)",
        "parts = (flat @ matrix.mT).reshape(-1, *size, axes + 1)",
        *([parts] if parts else []),
        f"return {result}",
    )


HOME = "matrix = torch.as_tensor(matrix).to(places.device, working_dtype(places.dtype))"
WIDE = "axes, x = matrix.shape[-1] - 1, places.to(matrix.dtype)"
MOVED = "moved = x[..., :axes] @ matrix[..., :axes].mT + matrix[:, None, :, axes]"
TILT = (
    "if moved.shape[-1] > axes:",
    "    moved, ahead = moved[..., :axes], moved[..., axes:]",
    "    moved = moved / ahead.masked_fill(ahead <= 0, torch.nan)",
)
JOINED = "return torch.cat([moved.to(places.dtype), places[..., axes:]], -1)"


def _move(*lines):
    return _part("places.move", "places, matrix", *lines)


def _flip(
    grid="plain(x).flip(number - len(axes_of(x)))",
    letters="[mirrored_letters(one, number) for one in each(x, 'orientation')]",
    points="partners_swapped(mirror_places(x, axis))",
):
    return {
        "geometry.flip": f"""
@method
def flip(x: Grid, axis: Any = "width") -> Grid:
    number = axis_number(x, axis, "flip")
    return changed(x, {grid}, orientation={letters})


@method
def flip(x: Boxes | PointCloud, axis: Any = "width") -> Any:
    return mirror_places(x, axis)


@method
def flip(x: Keypoints, axis: Any = "width") -> Keypoints:
    return {points}


@method
def flip(x: Several, axis: Any = "width") -> Several:
    return inside(x, flip, axis)
"""
    }


def _mirror(far="canvas[number]", moved="carry(x, stretching([scale] * len(shifts), shifts, count))"):
    return _part(
        "geometry.mirror_places",
        "x, axis",
        'number, count = axis_number(x, axis, "flip"), len(axes_of(x))',
        "free = isinstance(x, PointCloud) and not any(each(x, 'canvas'))",
        f"far = [0] if free else [{far} for canvas in canvases(x, 'flip')]",
        "scale = tuple(-1 if place == number else 1 for place in range(count))",
        "shifts = [tuple(length if place == number else 0 for place in range(count)) for length in far]",
        f"return {moved}",
    )


def _swapped(partners, rows="[names.index(partner[name]) for name in names]"):
    return _part(
        "geometry.partners_swapped",
        "x",
        "names = x.names or ()",
        f"partner = {partners}",
        "partner = {name: partner.get(name, name) for name in names}",
        "partner = {name: other if other in names else name for name, other in partner.items()}",
        f"return changed(x, plain(x)[..., {rows}, :]) if names else x",
    )


wrong = [
    Wrong(
        "turns clockwise",
        _rotate(ANGLE, rows="(cosine, -sine, 0), (sine, cosine, 0)"),
        caught_by=a_turn_is_counterclockwise,
        says="That is the matrix of a mathematics book, where y runs up. In a picture y runs down, and it "
        "turns clockwise.",
    ),
    Wrong(
        "takes degrees for radians",
        _rotate("angle = uniform(chance, frame.count, *around(0, self.degrees))"),
        caught_by=a_turn_is_counterclockwise,
        says="`sin` and `cos` take radians: `.deg2rad()` makes them of degrees.",
    ),
    Wrong(
        "turns about the depth only",
        _rotate(ANGLE, plane='PLANES["depth"]'),
        caught_by=a_turn_is_counterclockwise,
        says="Volumes can be turned about each axis: which two of x, y and z move depends on `self.axis`.",
    ),
    Wrong(
        "draws one angle for all",
        _rotate(
            "low, high = around(0, self.degrees)",
            "angle = uniform(chance, 1, low, high).deg2rad().expand(frame.count)",
        ),
        caught_by=each_picture_draws_its_own_turn,
        says="Pictures of one batch got the same angle.",
    ),
    Wrong(
        "turns to one side",
        _rotate(
            "low, high = self.degrees if isinstance(self.degrees, tuple) else (0, self.degrees)",
            "angle = uniform(chance, frame.count, low, high).deg2rad()",
        ),
        caught_by=each_picture_draws_its_own_turn,
        says="A single number is how far to go to either side: `around(0, self.degrees)` reads it so.",
    ),
    Wrong(
        "draws from everybody's chance",
        _rotate(
            "low, high = around(0, self.degrees)",
            "angle = (torch.rand(frame.count, dtype=torch.float64) * (high - low) + low).deg2rad()",
        ),
        caught_by=the_same_seed_draws_the_same,
        says="`torch.rand` without `generator=` draws from everybody's chance: no seed of yours repeats it.",
    ),
    Wrong(
        "starts chance anew",
        _rotate("chance = chance.manual_seed(0)", ANGLE),
        caught_by=the_same_seed_draws_the_same,
        says="You seeded the generator yourself: every batch would be turned in the same way.",
    ),
    Wrong(
        "multiplies from the right",
        _composed(
            "done = torch.eye(side, dtype=torch.float64).expand(count, side, side)",
            "for matrix in matrices:",
            "    done = done.to(matrix) @ matrix",
            "return done",
        ),
        caught_by=the_first_movement_comes_first,
        says="`done @ matrix` does `matrix` first. What comes later stands further left: `matrix @ done`.",
    ),
    Wrong(
        "multiplies number by number",
        _composed(
            "done = torch.ones(count, side, side, dtype=torch.float64)",
            "for matrix in matrices:",
            "    done = matrix * done.to(matrix)",
            "return done",
        ),
        caught_by=the_first_movement_comes_first,
        says="`*` multiplies number by number; movements are joined by the matrix product, `@`.",
    ),
    Wrong(
        "begins with the first",
        _composed(
            "matrices = list(matrices)",
            "done = matrices[0]",
            "for matrix in matrices[1:]:",
            "    done = matrix @ done",
            "return done",
        ),
        caught_by=one_for_all_and_none_at_all,
        says="There may be no movement at all: begin with a matrix that changes nothing.",
    ),
    Wrong(
        "goes through the pictures",
        _composed(
            "given = [matrix.expand(count, side, side) for matrix in matrices]",
            "done = [torch.eye(side, dtype=torch.float64) for _ in range(count)]",
            "for matrix in given:",
            "    done = [one @ before.to(one) for one, before in zip(matrix, done)]",
            "return torch.stack(done)",
        ),
        caught_by=many_matrices_in_one_go,
        says="You multiply matrix by matrix in Python. `@` does it for a whole stack, `(count, side, side)`.",
    ),
    Wrong(
        "leaves places as they are measured",
        _both_ways(
            goes="forward.expand(len(torch.broadcast_tensors(forward[:, 0, :1], new[:, :1])[0]), -1, -1)"
        ),
        caught_by=places_go_where_the_movement_leads,
        says="The movement is measured from the middle, -1 to 1, and places are in pixels: change over "
        "before, and back after.",
    ),
    Wrong(
        "leads to pixels twice",
        _both_ways(goes="from_middle(new) @ forward @ from_middle(old)"),
        caught_by=places_go_where_the_movement_leads,
        says="`from_middle` leads to pixels. From pixels to the middle leads its inverse.",
    ),
    Wrong(
        "keeps the old size",
        _both_ways(goes="from_middle(old) @ forward @ torch.linalg.inv(from_middle(old))"),
        caught_by=places_go_where_the_movement_leads,
        says="The new picture may be of another size: what comes out is measured in its pixels.",
    ),
    Wrong(
        "takes the transpose for the inverse",
        _both_ways(looks="forward.mT.contiguous()"),
        caught_by=pixels_look_where_they_came_from,
        says="The transpose undoes a turn, and only that: a shift or a zoom needs the inverse.",
    ),
    Wrong(
        "inverts each number",
        _both_ways(looks="torch.where(forward == 0, forward, 1 / forward)"),
        caught_by=pixels_look_where_they_came_from,
        says="One by each number is not the inverse of a matrix; `torch.linalg.inv` computes that.",
    ),
    Wrong(
        "looks where places go",
        _both_ways(looks="forward"),
        caught_by=picture_mask_and_points_stay_together,
        says="Picture and points moved in opposite ways: a new pixel looks back to where it came from.",
    ),
    Wrong(
        "goes from edge to edge",
        _grid(row="torch.linspace(-1, 1, length, device=matrix.device, dtype=matrix.dtype)"),
        caught_by=every_pixel_looks_from_its_centre,
        says="-1 and 1 are the edges of the picture. A pixel looks from its centre, half a pixel further in.",
    ),
    Wrong(
        "counts from the corner",
        _grid(row="2 * torch.arange(length, device=matrix.device, dtype=matrix.dtype) / length - 1"),
        caught_by=every_pixel_looks_from_its_centre,
        says="You look from the first corner of each pixel: all pictures would move by half a pixel.",
    ),
    Wrong(
        "puts y first",
        _grid(parts="parts = parts[..., [*range(axes)][::-1] + [axes]]"),
        caught_by=every_pixel_looks_from_its_centre,
        says="Your places are (y, x). A shape begins with the height, a place with x.",
    ),
    Wrong(
        "does not divide",
        _grid(result="parts[..., :axes]"),
        caught_by=volumes_and_tilted_pictures_look_as_well,
        says="With `projective` the first numbers are divided by the last: what is further away is smaller.",
    ),
    Wrong(
        "always divides",
        _grid(result="parts[..., :axes] / parts[..., axes:]"),
        caught_by=volumes_and_tilted_pictures_look_as_well,
        says="Divide only where `projective` says so: it costs a look at every pixel.",
    ),
    Wrong(
        "looks for picture after picture",
        _part(
            "sampling.grid",
            "matrix, size, projective=False",
            "axes, all_of_them = len(size), []",
            f"rows = [{ROW} for length in size]",
            "at = torch.stack([*torch.meshgrid(*rows, indexing='ij')][::-1], -1)",
            "for one in matrix:",
            "    parts = at @ one[:, :axes].T + one[:, axes]",
            "    parts = parts[..., :axes] / parts[..., axes:] if projective else parts[..., :axes]",
            "    all_of_them.append(parts)",
            "return torch.stack(all_of_them)",
        ),
        caught_by=many_pictures_look_in_one_go,
        says="You go through the matrices. Give each of their numbers the axes of a picture, and add.",
    ),
    Wrong(
        "forgets the shift",
        _move(HOME, WIDE, "moved = x[..., :axes] @ matrix[..., :axes].mT", *TILT, JOINED),
        caught_by=places_move_by_a_matrix_each,
        says="The last column is missing: it is by how much everything is shifted.",
    ),
    Wrong(
        "moves all by the first",
        _move(HOME, "matrix = matrix[:1]", WIDE, MOVED, *TILT, JOINED),
        caught_by=places_move_by_a_matrix_each,
        says="Every picture has a matrix of its own, and you moved all places by the first.",
    ),
    Wrong(
        "loses what travels along",
        _move(HOME, WIDE, MOVED, *TILT, "return moved.to(places.dtype)"),
        caught_by=places_move_by_a_matrix_each,
        says="A point may have more than a place, such as its brightness: what comes after stays as it is.",
    ),
    Wrong(
        "computes in half precision",
        _move("matrix = torch.as_tensor(matrix).to(places.device, places.dtype)", WIDE, MOVED, *TILT, JOINED),
        caught_by=places_move_by_a_matrix_each,
        says="Half precision cannot tell 2003 from 2004: compute in `working_dtype(places.dtype)`.",
    ),
    Wrong(
        "sees what is behind",
        _move(HOME, WIDE, MOVED, *TILT[:2], "    moved = moved / ahead", JOINED),
        caught_by=what_lies_behind_the_viewer_is_lost,
        says="Divided by a number below 0, what lies behind comes out in front, upside down: make it NaN.",
    ),
    Wrong(
        "moves picture after picture",
        _move(
            HOME,
            WIDE,
            "matrix = matrix.expand(len(places), -1, -1)",
            "moved = [p @ m[:, :axes].T + m[:, axes] for p, m in zip(x[..., :axes], matrix)]",
            "moved = torch.stack(moved)",
            *TILT,
            JOINED,
        ),
        caught_by=many_places_move_in_one_go,
        says="You go through the pictures. `points @ matrix.mT` moves all their points at once.",
    ),
    Wrong(
        "counts axes from the front",
        _flip(grid="plain(x).flip(number)"),
        caught_by=every_type_has_its_mirror,
        says="You counted the axes from the front, where colours or a batch may stand: count from the end.",
    ),
    Wrong(
        "leaves the patient's left where it was",
        _flip(letters="each(x, 'orientation')"),
        caught_by=every_type_has_its_mirror,
        says="The scan is mirrored, and still says that the patient's left is where it was: see "
        "`mirrored_letters`.",
    ),
    Wrong(
        "takes places for pixels",
        _mirror(far="canvas[number] - 1"),
        caught_by=every_type_has_its_mirror,
        says="A place is no pixel: on a picture of 8 pixels they go from 0 to 8, and x becomes 8 - x.",
    ),
    Wrong(
        "turns boxes inside out",
        _mirror(
            moved="carry(x, stretching([scale] * len(shifts), shifts, count)) "
            "if not isinstance(x, Boxes) else changed(x, (plain(x).unflatten(-1, (2, 2)) "
            "* plain(x).new_tensor(scale[::-1]) + plain(x).new_tensor(shifts[0][::-1])).flatten(-2))"
        ),
        caught_by=every_type_has_its_mirror,
        says="In a mirror the left edge of a box becomes its right edge; `carry` finds the new corners.",
    ),
    Wrong(
        "leaves the names",
        _flip(points="mirror_places(x, axis)"),
        caught_by=left_and_right_change_their_names,
        says="In a mirror a left eye is a right eye: the rows of each pair change places.",
    ),
    Wrong(
        "swaps one way",
        _swapped("dict(x.pairs or ())"),
        caught_by=left_and_right_change_their_names,
        says="Both rows of a pair came out the same. It goes both ways, and a row that was written over is "
        "gone: take both at once, or from a copy.",
    ),
    Wrong(
        "mirrors face after face",
        _flip(
            points="changed(x, torch.stack([plain(flip(one, axis)) for one in x])) if x.is_batch "
            "else partners_swapped(mirror_places(x, axis))"
        ),
        caught_by=many_faces_are_mirrored_in_one_go,
        says="You mirror face after face: `carry` moves a batch by one matrix for each canvas.",
    ),
]

right = [
    Right(
        "with other words of torch",
        {
            **_rotate(
                "low, high = around(0, self.degrees)",
                "share = torch.rand(frame.count, generator=chance, dtype=torch.float64)",
                "angle = torch.deg2rad(low + share * (high - low))",
            ),
            **_composed(
                "done = torch.eye(side, dtype=torch.float64).expand(count, side, side)",
                "for matrix in matrices:",
                "    done = torch.matmul(matrix, done.to(matrix))",
                "return done",
            ),
            **_both_ways(
                looks="torch.linalg.solve(forward, forward.new_ones(forward.shape[:2]).diag_embed())",
                goes="torch.linalg.solve(from_middle(old).mT, (from_middle(new) @ forward).mT).mT",
            ),
            **_grid(),
            **_move(HOME, WIDE, MOVED, *TILT, JOINED),
            **_flip(),
            **_swapped("{**dict(x.pairs or ()), **{b: a for a, b in x.pairs or ()}}"),
        },
    ),
]
