"""What usually causes an error in a data block, and what to do about it.

>>> advice("Resize", ValueError("odd"), item=7)
('This one item is unlike the others.', 'Look at it: list(block.find_items(source))[7].')
"""

from __future__ import annotations

import re

# What is looked for in "step: kind of error: words of the error", the usual cause, and what to do.
KNOWN = [
    (
        r"finding items: FileNotFoundError",
        "The path is misspelt, or it is relative and Python runs in another folder than you think.",
        "Give the whole path, from the root of the disk or the drive's letter on.",
    ),
    (
        r"finding items: ValueError: (no photo|no file|no item)",
        "The folder is one too high or too deep, its files have another ending, or the table is empty.",
        "Compare what it says with what you see in the folder. find=FileNames('*.tif') says what counts.",
    ),
    (
        r"not written in UTF-8",
        "Spreadsheets write tables in the letters of their country, and umlauts differ there.",
        "Read the table as it says, and give what that reads: block.summary(table).",
    ),
    (
        r"splitting: KeyError",
        "The column or key has another name: capital letters and spaces count.",
        "Copy the name from the first item above into the split, or into groups=.",
    ),
    (
        r": KeyError",
        "The column or key has another name: capital letters and spaces count.",
        "Copy the names from the first item above into input_from= and target_from=.",
    ),
    (
        r": FileNotFoundError",
        "The table names files without the folder they lie in; or inputs and targets are in the wrong order, "
        "so that a label is taken for a file (what goes in comes first).",
        "If the folder is missing: input_from=FilePath('/the/folder/{column}').",
    ),
    (
        r": (ImportError|ModuleNotFoundError)",
        "Such files are read by a package that is not installed.",
        "Install it, restart Python, and run this again.",
    ),
    (
        r": BrokenPhotoError",
        "The file is damaged, was not copied to its end, or is no picture in spite of its name.",
        "Open it with another program. If that cannot either: copy it anew, or leave it out.",
    ),
    (
        r"A set has no order",
        "A set gives its items in another order each time Python starts, and so another split.",
        "Give sorted(it), which is a list.",
    ),
    (
        r"needs items of one shape|same type, shape and shared metadata",
        "Items come in different sizes, as photos do, and a batch is one block of numbers.",
        "Pictures: bring them to one size, item_transforms=[Resize(160)]. For sounds and series the page "
        "on types of your own says how to fill the shorter ones up.",
    ),
    (
        r"is not one of the .* names seen|none of the classes",
        "All items of that kind are held out, so that it was never learned; or its name is misspelt there.",
        "Hold out a share of each kind, split=StratifiedSplit(column); or correct the name; or leave it out.",
    ),
    (
        r"no target|are missing|have no (group|label|time)|names, and name",
        "Cells of that column are empty.",
        "Leave those items out or fill them in, before you give the table to the block.",
    ),
    (
        r"a single item",
        "Some kinds are so rare that they cannot stand on both sides; or the column names no kinds at all.",
        "Name the column of the kinds, join rare ones into one, or leave them out.",
    ),
    (
        r"the same (file|object) is",
        "The file stands in more than one row, or was stored twice under another name.",
        "If each row is about another part of it: GroupSplit keeps them together. Else leave the second out.",
    ),
    (
        r"a split is a pair(?!.*(True and False|A share says))|side of the split (is|names)|only one item in "
        r"all|nothing to split",
        "The split was made from other items than these, or there are too few items to split.",
        "Compare the number of items found, above, with how many you meant, and let a splitter such as "
        "RandomSplit() split what is found.",
    ),
    (
        r"goes in and is to come out",
        "All columns of the table were listed.",
        "List the columns that will be known before the answer is, and no others.",
    ),
    (
        r"True and False|A share says|with brackets",
        "A split says by their numbers which items stand on which side, or names what splits them.",
        "Write what it says above.",
    ),
    (
        r"splitting: ",
        "The split tears apart what belongs together: the same patient, animal or contract on both sides.",
        "Say which items belong together, split=GroupSplit(column): then whole groups are held out.",
    ),
    (
        r"Pipeline takes steps|is a kind of step|has no attribute '(random|encode|batch|item)'",
        "A function, or a class, stands where a step is asked for.",
        "Make a step of it, class Mine(Transform): def encode(self, x): return work(x), and give Mine(). "
        "A step that there is has brackets: Resize(160).",
    ),
    (
        r"works on floats",
        "Pictures are whole numbers from 0 to 255 until ToFloat has been at work, which is in the batch.",
        "Move the step from item_transforms to batch_transforms: ToFloat comes before it there.",
    ),
    (
        r"channels seem to stand last",
        "Arrays of satellites, microscopes and NumPy often have the channels in the last place.",
        "Turn the whole array around before you give it: numpy.moveaxis(pictures, -1, 1).",
    ),
    (
        r"its mask",
        "Photos and masks are paired wrongly, or one of them was resized when it was stored.",
        "Look at both files of this item; FilePath('masks/{file.stem}.png') pairs them by name.",
    ),
    (
        r"different texts in",
        "A column of free text stands among the columns of a Row.",
        "Take it out of the list of columns.",
    ),
    (
        r"is made of numbers|could not convert|which is no number|is made of columns",
        "A text or a file name stands where numbers are asked for, or the type is not the one you meant.",
        "Look at what the item holds, above, and at the type that is asked for.",
    ),
    (
        r"is a list of steps",
        "A step stands there alone.",
        "Put square brackets around it, also if it is the only one.",
    ),
    (
        r"; got an? \w+ tensor of shape",
        "Arrays may hold numbers up to 65,535, or of double precision, or have another order of axes.",
        "A picture is uint8, or float32 from 0 to 1: (array / 10_000).astype('float32') if 10,000 is the "
        "most there can be. Axes are moved by numpy.moveaxis(array, -1, -3).",
    ),
    (
        r"reading the block|inputs and targets are types",
        "What was given as inputs or targets is not a type.",
        "Give types, inputs=Image, targets=Category; names of columns go into input_from and target_from.",
    ),
]


def advice(step: str, error: Exception, item: int | None = None) -> tuple[str, str]:
    """The usual cause of an error at a step, and what to do."""
    said = f"{step}: {type(error).__name__}: {error}"
    for pattern, cause, remedy in KNOWN:
        if re.search(pattern, said, re.DOTALL):
            return cause, remedy
    if item is None:
        return (
            "It is not one that is often met.",
            "What it says is all there is to know: read it word by word.",
        )
    return "This one item is unlike the others.", f"Look at it: list(block.find_items(source))[{item}]."
