"""Sets of photos: a table of files and what was said of each, or typed values ready to be shown.

Where the files come from, and under which licence, stands in `sources`. A set that cannot be had raises
`SourceError`, which says what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .sources import SourceError, fetch
from .tensors import Boxes, Image, Keypoints, Mask

if TYPE_CHECKING:
    import pandas

PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
# In the photo of the flower, petals are redder than this; leaves and shade are not.
PETALS = 110


def solar_cells() -> pandas.DataFrame:
    """Photos of solar cells that glow under current, and whether an expert judged each to be broken.

    Returns:
        A table with a row for each of the 2,624 cells, in the order of the file: `photo` (the file),
        `label` ("sound" or "broken"), `sure` (whether the labeller was), `kind` ("mono" or "poly", how the
        silicon was grown) and `block`, a number for each run of 60 neighbours in the file: cells of one
        panel lie together, and which cell came from which panel was not recorded.

    >>> cells = solar_cells()
    >>> len(cells), cells["label"].value_counts().to_dict()
    (2624, {'sound': 1803, 'broken': 821})
    """
    import pandas

    folder = fetch("solar_cells")
    cells = pandas.read_csv(folder / "labels.csv", sep=r"\s+", names=["photo", "probability", "kind"])
    return pandas.DataFrame(
        {
            "photo": [folder / photo for photo in cells["photo"]],
            "label": ["broken" if probability > 0.5 else "sound" for probability in cells["probability"]],
            "sure": cells["probability"].isin([0, 1]),
            "kind": cells["kind"],
            "block": cells.index // 60,
        }
    )


def clothes() -> pandas.DataFrame:
    """Photos of ten kinds of clothing that people sent in, with the split its makers chose.

    Returns:
        A table with a row for each of the 3,781 photos: `photo` (the file), `label` and `part` ("train",
        "validation" or "test").

    >>> from coursekit.sources import table
    >>> table()["clothes"].items, table()["clothes"].licence
    (3781, 'CC0 1.0')
    """
    photos = photo_table(fetch("clothes") / "clothing")
    return photos.assign(part=[photo.parts[-3] for photo in photos["photo"]])


def photo_table(folder: str | Path) -> pandas.DataFrame:
    """List the photos of a folder of your own, each labelled by the name of the folder it lies in.

    Args:
        folder: For example `pets` with `pets/cat/001.jpg` and `pets/dog/007.jpg` somewhere inside.

    Returns:
        A table with a row for each photo, sorted by file: `photo` (the file) and `label`.

    Raises:
        SourceError: The folder is not there, or holds no photos.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "cat").mkdir()
    ...     (Path(folder) / "cat" / "1.jpg").touch()
    ...     photo_table(folder)["label"].tolist()
    ['cat']
    """
    import pandas

    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder. Give the folder that holds one folder for each kind.")
    photos = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PICTURE_ENDINGS)
    if not photos:
        raise SourceError(
            f"no photo was found in {folder} (looked for {', '.join(sorted(PICTURE_ENDINGS))}). "
            "It should hold a folder for each kind, with the photos of that kind inside."
        )
    return pandas.DataFrame({"photo": photos, "label": [photo.parent.name for photo in photos]})


def flower() -> tuple[Image, Mask, Boxes, Keypoints]:
    """The photo of a dahlia, with its mask, the box around it and five points, made from the photo by rule.

    A pixel is of a petal if its red is above 110 of 255. The mask (0 background, 1 flower) is the largest
    connected region of such pixels, with its holes filled: a second flower, cut off by the edge, is left out.
    The points are the mean of the mask's pixels, which is where the petals begin, and the tips that reach
    farthest to the left, top, right and bottom. So they are good to a pixel or so, and nobody's judgement.

    Returns:
        The photo (3, 427, 640) in `uint8`, the mask of the same size, one box and five points.

    >>> photo, mask, box, points = flower()
    >>> box.tolist(), points.names
    ([[169.0, 85.0, 446.0, 360.0]], ('heart', 'left', 'top', 'right', 'bottom'))
    """
    photo = Image.open(fetch("flower") / "flower.jpg")
    region = _largest_region(np.asarray(photo)[0] > PETALS)
    rows, columns = region.nonzero()
    left, right, top, bottom = columns.min(), columns.max(), rows.min(), rows.max()
    points = {
        "heart": (columns.mean(), rows.mean()),
        "left": (left, np.median(rows[columns == left])),
        "top": (np.median(columns[rows == top]), top),
        "right": (right, np.median(rows[columns == right])),
        "bottom": (np.median(columns[rows == bottom]), bottom),
    }
    kinds, canvas = ("background", "flower"), region.shape
    places = np.array(list(points.values()), dtype=np.float32) + 0.5  # the middle of a pixel
    return (
        photo,
        Mask(region.astype(np.int64), vocab=kinds),
        Boxes([[left, top, right + 1, bottom + 1]], labels=("flower",), vocab=kinds, canvas=canvas),
        Keypoints(places, names=tuple(points), pairs=(("left", "right"),), canvas=canvas),
    )


def temple() -> Path:
    """The photo of a temple in China: a JPEG file, 640 x 427 pixels in colour.

    >>> temple().name
    'china.jpg'
    """
    return fetch("temple") / "china.jpg"


def _largest_region(pixels: np.ndarray) -> np.ndarray:
    """The largest connected region of True pixels, with its holes filled."""
    from scipy import ndimage  # type: ignore[import-untyped]  # scikit-learn, which brings the photo, needs it

    regions, _ = ndimage.label(pixels)
    return ndimage.binary_fill_holes(regions == 1 + np.bincount(regions.ravel())[1:].argmax())


def pets() -> pandas.DataFrame:
    """Photos of two breeds of cat and one of dog, outlined, and half of them with a box around the head.

    Returns:
        A table with a row for each of the 600 photos: `photo` and `trimap` (the files; a pixel of the trimap
        is 1 on the animal, 2 on the background, 3 on the border between), `breed`, `species` ("cat" or
        "dog"), `part` ("trainval" or "test", as its makers chose, or "unlisted" for two) and `left`, `top`,
        `right` and `bottom` of the head in pixels, NaN for the 304 without a box.

    >>> from coursekit.sources import table
    >>> table()["pets"].items, table()["pets"].licence
    (600, 'CC BY-SA 4.0')
    """
    import pandas

    folder = fetch("pets") / "pets"
    animals = pandas.read_csv(folder / "labels.csv")
    edges = {"head_xmin": "left", "head_ymin": "top", "head_xmax": "right", "head_ymax": "bottom"}
    return pandas.DataFrame(
        {
            "photo": [folder / "images" / name for name in animals["image"]],
            "trimap": [folder / "trimaps" / Path(name).with_suffix(".png") for name in animals["image"]],
            "breed": animals["breed"],
            "species": animals["species"],
            "part": animals["official_split"],
            **{edge: animals[column] for column, edge in edges.items()},
        }
    )


def nuclei() -> pandas.DataFrame:
    """Microscope pictures in which each nucleus of a cell was outlined.

    Returns:
        A table with a row for each of the 224 pictures: `photo` and `labels` (the files; a pixel of the
        second is 0 on the background and 1, 2, 3 ... on the first, second, third ... nucleus), `stain`
        ("fluorescent", bright nuclei in the dark, or "coloured", dark ones in the light) and `nuclei`, how
        many there are.

    >>> from coursekit.sources import table
    >>> table()["nuclei"].items, table()["nuclei"].licence
    (224, 'CC0 1.0')
    """
    import pandas

    folder = fetch("nuclei") / "nuclei"
    pictures = pandas.read_csv(folder / "index.csv")
    bright = pictures["kind"].str.startswith("fluorescence")
    return pandas.DataFrame(
        {
            "photo": [folder / "images" / name for name in pictures["image"]],
            "labels": [folder / "labels" / name for name in pictures["image"]],
            "stain": bright.map({True: "fluorescent", False: "coloured"}),
            "nuclei": pictures["nuclei"],
        }
    )


def blood_cells() -> pandas.DataFrame:
    """Photos of blood through a microscope, with a box around each cell.

    Returns:
        A table with a row for each of the 364 photos: `photo` (the file), `boxes` (an array (n, 4) of left,
        top, right and bottom in pixels), `labels` (a tuple of n names: "RBC", a red cell, "WBC", a white one,
        or "Platelets") and `part` ("train", "val" or "test"). Two boxes without width are left out.

    >>> from coursekit.sources import table
    >>> table()["blood_cells"].items, table()["blood_cells"].licence
    (364, 'MIT')
    """
    import pandas

    folder = fetch("blood_cells") / "bccd"
    boxes = pandas.read_csv(folder / "boxes.csv").query("xmin < xmax and ymin < ymax")
    cells = [group for _, group in boxes.groupby("image")]
    return pandas.DataFrame(
        {
            "photo": [folder / "images" / group["image"].iloc[0] for group in cells],
            "boxes": [group[["xmin", "ymin", "xmax", "ymax"]].to_numpy(np.float32) for group in cells],
            "labels": [tuple(group["label"]) for group in cells],
            "part": [group["split"].iloc[0] for group in cells],
        }
    )


def mouse() -> tuple[pandas.DataFrame, tuple[str, ...]]:
    """Frames of a film of a running mouse, seen from the side and, through a mirror, from below.

    Returns:
        A table with a row for each of the 90 frames that people marked: `photo` (the file) and `points`, an
        array (17, 2) of x and y in pixels, NaN for what cannot be seen. Then the names of the 17 points, such
        as "nose_top": seen in the upper half of the frame.

    >>> from coursekit.sources import table
    >>> table()["mouse"].items, table()["mouse"].licence
    (93, 'MIT')
    """
    import pandas

    folder = fetch("mouse") / "mouse"
    marked = pandas.read_csv(folder / "keypoints.csv", index_col="image")
    names = tuple(column.removesuffix("_x") for column in marked.columns[::2])
    places = marked.to_numpy(np.float32).reshape(len(marked), len(names), 2)
    photos = [folder / "images" / name for name in marked.index]
    return pandas.DataFrame({"photo": photos, "points": list(places)}), names
