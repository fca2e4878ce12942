"""# The tensor that remembers

A photo, a mask and a slice of a scan are arrays of numbers, and numbers do not mind what is done to them. You
write what does mind: the rules by which a tensor keeps its **type** and what it **knows**, and by which it
loses them where they would be a lie. Then your rules run under every picture, mask and box of the library.

Six parts, each a few lines:

1. `dressed(tensor, kind, metadata)`: a view of a tensor as one of a type. Begin here: every typed tensor is
   made by it. What refuses a tensor that cannot be one is there: `kind.check(tensor)` and
   `check_counts(tensor, kind, metadata)`, to be called like this, without an import.
2. `plain(tensor)`: the type off.
3. `typed_like(result, source)`: the type on again.
4. `kept(result, source, *others)`: the heart. An operation of the table `KEEPS` was computed on `source` and
   `others` and gave `result`, fresh and plain. May it have the type of `source`? `kind.fits(result)` says
   whether its shape and dtype could be. (`photo + 1` takes a short cut past it, `scan + 1` does not.) The
   base of all types, `TypedTensor`, is there to be asked for, too.
5. `picked(values, index)`: what an index chooses from a tuple. A batch's metadata are indexed by it.
6. `collate_typed(items)`: one batch of several items, with what each of them knows.

What a tensor knows is in its `__dict__`. A type lists the names of what a batch knows once in
`kind.shared_metadata`, and of what each of its items knows for itself in `kind.item_metadata`.

Before you begin: `photo * mask` blackens what the mask leaves out. What should the type of the result be?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "typed.dressed": "a view of a tensor as one of a type, with metadata",
    "typed.plain": "take the type off, without a copy",
    "typed.typed_like": "give a result the type and metadata of what went in",
    "typed.kept": "give a fresh result its type, if the meaning stays",
    "typed.picked": "choose from a tuple what an index chooses from an axis",
    "typed.collate_typed": "make one batch of several items",
}


@check(points=1, lesson="A tensor that says what it is")
def a_type_is_put_on_without_a_copy(kit, case):
    """`tensor.as_subclass(kind)` is a new view of the same numbers; its `__dict__` is still empty."""
    width = case.integer("width", 2, 4)
    row = case.labels("row", width, classes=3)
    mask = kit.Mask(row[None], vocab=("ground", "petal", "heart"))
    yield "the mask", mask
    table = case.labels("table", 2 * width, classes=3).reshape(2, width)
    other = kit.Mask(table)
    yield "a mask and its tensor", [other, table]
    table.add_(1)
    yield "both after a change of the tensor", [other, table]


@check(points=1, lesson="What it knows besides its numbers")
def what_cannot_be_is_refused(kit, case):
    """First of all ask `kind.check(tensor)` and `check_counts(tensor, kind, metadata)`: they raise."""
    width = case.integer("width", 2, 4)
    flat = case.tensor("flat", (1, width))
    batch = case.tensor("batch", (2, 1, 1, width))
    yield "a picture without channels", case.raises(lambda: kit.Image(flat))
    yield "a mask of fractions", case.raises(lambda: kit.Mask(flat))
    yield "two slices and one spacing", case.raises(lambda: kit.DicomImage(batch, spacing=[(1, 1)]))


@check(points=1, lesson="Free functions, and the way back")
def plain_takes_the_type_off_and_changes_nothing(kit, case):
    """Another view again: `as_subclass(torch.Tensor)`. What you were given stays what it was."""
    row = case.labels("row", case.integer("width", 2, 4), classes=3)
    mask = kit.Mask(row[None], vocab=("ground", "petal", "heart"))
    bare = kit.plain(mask)
    yield "the plain tensor and the mask", [bare, mask]
    bare.add_(1)
    yield "both after a change of the plain one", [bare, mask]


@check(points=2, lesson="Free functions, and the way back")
def typed_like_puts_the_type_back(kit, case):
    """The type of `source` and what its `__dict__` holds; a plain source gives a plain result."""
    import torch

    count = case.integer("count", 2, 4)
    values = case.tensor("values", (count, 1, 1, 2), low=-1000, high=1000)
    slices = kit.DicomImage(values, spacing=[(n + 1, 1) for n in range(count)])
    mirrored = torch.flip(slices, [-1])
    yield "slices mirrored by torch", kit.typed_like(mirrored, slices)
    yield "the same, and what torch gave", [kit.typed_like(mirrored, slices), mirrored]
    yield "like a plain tensor", kit.typed_like(slices, torch.zeros(1))
    twice = torch.cat([slices, slices])
    yield "another number of items", case.raises(lambda: kit.typed_like(twice, slices))


@check(points=2, lesson="What a model sees")
def gradients_come_through(kit, case):
    """A view takes part in the computation; `.data` and `.detach()` do not."""
    weight = case.tensor("weight", (3, 1, 1), low=1, high=2)
    weight.requires_grad_()
    picture = case.tensor("picture", (3, 1, case.integer("width", 2, 4)), low=0)
    photo = kit.Image(picture * weight)
    loss = kit.plain(photo * 2).square().sum() + weight.sum()
    loss.backward()
    yield "the loss and the gradient of the weight", [loss, weight.grad]


@check(points=2, lesson="What survives an operation")
def amounts_may_be_added_and_scaled(kit, case):
    """Set the class of the fresh result, then give it what `source` knows."""
    count = case.integer("count", 2, 4)
    values = case.tensor("values", (count, 1, 1, 2), low=-1000, high=1000)
    slices = kit.DicomImage(values, spacing=[(n + 1, 1) for n in range(count)])
    noise = case.tensor("noise", (1, 1, 2))
    yield "air at 0", slices + 1000
    yield "half of it", 0.5 * slices
    yield "with noise", slices + noise
    yield "slices and themselves", slices + slices
    yield "between two values", slices.clamp(-100, 300)
    yield "in half precision", slices.half()
    photo = kit.Image(case.tensor("photo", (3, 1, 1), low=0))
    light = case.tensor("light", (2, 3, 1, 1), low=0)
    yield "one photo and two of light", photo.add(light)


@check(points=2, lesson="What survives an operation")
def two_kinds_in_one_operation_give_a_plain_tensor(kit, case):
    """Look at each of `others`: is it a `TypedTensor`, and of exactly this kind?"""
    width = case.integer("width", 2, 4)
    photo = kit.Image(case.tensor("photo", (3, 1, width), low=0))
    mask = kit.Mask(case.labels("mask", width, classes=2)[None])
    yield "photo * mask", photo * mask
    yield "photo.mul(other=mask)", photo.mul(other=mask)
    gray = kit.GrayImage(case.tensor("gray", (1, 1, width), low=0))
    yield "photo.add(gray)", photo.add(gray)
    yield "gray.add(photo)", gray.add(photo)


@check(points=2, lesson="What survives an operation")
def a_result_that_cannot_be_of_the_type_is_plain(kit, case):
    """`kind.fits(result)` says whether it could be. And what one item knows does not suit a batch."""
    width = case.integer("width", 2, 4)
    photo = kit.Image(case.tensor("photo", (3, 1, width), low=0))
    yield "the name of a tensor's type", photo.cpu().type()
    mask = kit.Mask(case.labels("mask", width, classes=3)[None], vocab=("ground", "petal", "heart"))
    yield "a mask as bytes", mask.byte()
    yield "a mask as floats", mask.float()
    yield "a photo as whole numbers", photo.long()
    item = kit.DicomImage(case.tensor("item", (1, 1, width)), spacing=(2, 1))
    noise = case.tensor("noise", (2, 1, 1, width))
    yield "one slice and two of noise", item + noise


@check(points=1, lesson="What it knows besides its numbers")
def each_tensor_knows_for_itself(kit, case):
    """`update` the new `__dict__`: one that stands in two tensors is changed in both."""
    item = kit.DicomImage(case.tensor("item", (1, 1, case.integer("width", 2, 4))), window=(40, 400))
    lighter = item + 100
    vars(lighter).update(window=(300, 1500))
    yield "a sum and what went in", [lighter.window, item.window]
    mirrored = kit.typed_like(item.flip(-1), item)
    vars(mirrored).update(window=(300, 1500))
    yield "what was mirrored, and what went in", [mirrored.window, item.window]


@check(points=3, lesson="What it knows besides its numbers")
def indexing_a_batch_indexes_its_metadata(kit, case):
    """`torch.arange(len(values))[index]` gives the places that any index chooses."""
    import torch

    count = case.integer("count", 4, 6)
    values = case.tensor("values", (count, 1, 1, 2), low=-1000, high=1000)
    slices = kit.DicomImage(values, spacing=[(n + 1, 1) for n in range(count)])
    yield "slices[1]", slices[1]
    yield "slices[-1]", slices[-1]
    yield "slices[1:]", slices[1:]
    yield "slices[::2]", slices[::2]
    yield "slices[[2, 0]]", slices[[2, 0]]
    numbers = case.labels("numbers", 3, classes=count)
    yield "slices[numbers]", slices[numbers]
    chosen = torch.tensor(case.shuffled("chosen", [True, False] + [True] * (count - 2)))
    yield "slices[chosen]", slices[chosen]
    yield "slices[1][None]", slices[1][None]


@check(points=1, lesson="What it knows besides its numbers")
def boxes_take_their_labels_along(kit, case):
    """Boxes have a label for each row, or none at all: out of `None` nothing can be chosen."""
    count = case.integer("count", 3, 5)
    edges = case.tensor("edges", (count, 4), low=0, high=20).sort(dim=1).values
    boxes = kit.Boxes(edges, canvas=(20, 20), labels=range(count))
    keep = edges[:, 0] <= edges[:, 0].median()
    yield "boxes[keep]", boxes[keep]
    yield "boxes[[-1, 0]]", boxes[[-1, 0]]
    bare = kit.Boxes(edges, canvas=(20, 20))
    yield "boxes without labels", bare[keep]


@check(points=2, lesson="What it knows besides its numbers")
def a_batch_joins_what_its_items_know(kit, case):
    """`item_metadata` become a tuple with one value for each item, `shared_metadata` stay as they are."""
    from torch.utils.data import default_collate

    count = case.integer("count", 2, 4)
    rows = case.labels("rows", 2 * count, classes=2).reshape(count, 1, 2)
    masks = [kit.Mask(row, vocab=("outside", "inside")) for row in rows]
    yield "a batch of masks", default_collate(masks)
    values = case.tensor("values", (count, 1, 1, 2), low=-1000, high=1000)
    window = (40, 400)
    slices = [kit.DicomImage(one, spacing=(n + 1, 1), window=window) for n, one in enumerate(values)]
    yield "a batch of slices", default_collate(slices)


@check(points=2, lesson="What it knows besides its numbers")
def unlike_items_make_no_batch(kit, case):
    """Before anything is stacked, compare each item with the first: type, shape and shared metadata."""
    from torch.utils.data import default_collate

    number = case.integer("number", 0, 1)
    names = [kit.Category(number, vocab=("cat", "dog")), kit.Category(number, vocab=("dog", "cat"))]
    yield "another vocabulary", case.raises(lambda: default_collate(names))
    values = case.tensor("values", (1, 1, 4), low=0)
    shapes = [kit.Image(values), kit.Image(values[..., :2])]
    yield "another shape", case.raises(lambda: default_collate(shapes))
    types = [kit.Image(values), kit.GrayImage(values)]
    yield "another type", case.raises(lambda: default_collate(types))


def _put_on(*lines):
    return _part("dressed", "tensor, kind, metadata", *lines)


def _like(*lines):
    return _part("typed_like", "result, source", *lines)


def _keep(*lines):
    return _part("kept", "result, source, *others", "kind = type(source)", *lines)


def _pick(*lines):
    return _part("picked", "values, index", *lines)


def _join(*lines):
    head = "first, kind = items[0], type(items[0])"
    return _part("collate_typed", "items, *, collate_fn_map=None", head, *lines)


def _part(name, takes, *lines):
    """One definition with these lines for its body."""
    body = "\n".join("    " + line for line in lines)
    imports = "import torch\nfrom torch.utils.data._utils.collate import collate_tensor_fn"
    return {f"typed.{name}": f"{imports}\n\n\ndef {name}({takes}):\n{body}\n"}


ASK = ("kind.check(tensor)", "check_counts(tensor, kind, metadata)")
VIEW = ("result = tensor.as_subclass(kind)", "result.__dict__.update(metadata)", "return result")
TENSOR = ("if type(result) is not torch.Tensor:", "    return result")
FITS = ("if not kind.fits(result):", "    return result")
SHAPE = ("if kind.item_metadata and result.shape != source.shape:", "    return result")
OTHERS = (
    "if any(isinstance(one, TypedTensor) and type(one) is not kind for one in others):",
    "    return result",
)
SET = ("result.__class__ = kind", "result.__dict__.update(source.__dict__)", "return result")
NONE = ("if values is None:", "    return None", "if index is None:", "    return (values,)")
ONE = ("if isinstance(index, (int, slice)):", "    return values[index]")
PLACES = (
    "index = index.cpu() if isinstance(index, torch.Tensor) else index",
    "places = torch.arange(len(values))[index].tolist()",
)
ALIKE = (
    "for item in items:",
    "    alike = type(item) is kind and item.shape == first.shape",
    "    if not alike or any(getattr(item, n) != getattr(first, n) for n in kind.shared_metadata):",
    "        raise ValueError(f'{item!r} is not like {first!r}')",
)
OWN = "own = {name: tuple(getattr(item, name) for item in items) for name in kind.item_metadata}"
BATCH = "return dressed(collate_tensor_fn(items), kind, first.__dict__ | own)"

wrong = [
    Wrong(
        "changes the class of what it was given",
        _put_on(*ASK, "tensor.__class__ = kind", "tensor.__dict__.update(metadata)", "return tensor"),
        caught_by=a_type_is_put_on_without_a_copy,
        says="You set the class of the tensor you were given: whoever made it now holds something else. "
        "Take a new view of it first.",
    ),
    Wrong(
        "copies",
        _put_on(*ASK, "tensor = tensor.clone()", *VIEW),
        caught_by=a_type_is_put_on_without_a_copy,
        says="You copied the numbers: a change of the tensor no longer shows in the mask. A photo would take "
        "its memory twice.",
    ),
    Wrong(
        "forgets what it knows",
        _put_on(*ASK, "return tensor.as_subclass(kind)"),
        caught_by=a_type_is_put_on_without_a_copy,
        says="`as_subclass` gives the type alone; put `metadata` into the new view's `__dict__`.",
    ),
    Wrong(
        "refuses nothing",
        _put_on(*VIEW),
        caught_by=what_cannot_be_is_refused,
        says="You let everything through: the error would come later, somewhere else, and speak of shapes.",
    ),
    Wrong(
        "does not count",
        _put_on(ASK[0], *VIEW),
        caught_by=what_cannot_be_is_refused,
        says="A batch has a value for each of its items. Here it has fewer, and `batch[1].spacing` would "
        "fail, much later: `check_counts` refuses it.",
    ),
    Wrong(
        "takes the type off what it was given",
        _part("plain", "tensor", "tensor.__class__ = torch.Tensor", "return tensor"),
        caught_by=plain_takes_the_type_off_and_changes_nothing,
        says="Setting `__class__` takes the type off the mask itself, for everybody who holds it; "
        "take it off a view.",
    ),
    Wrong(
        "makes a plain copy",
        _part("plain", "tensor", "return tensor.as_subclass(torch.Tensor).clone()"),
        caught_by=plain_takes_the_type_off_and_changes_nothing,
        says="You copied: the plain tensor and the mask should be two views of the same numbers.",
    ),
    Wrong(
        "trusts detach",
        _part("plain", "tensor", "return tensor.detach()"),
        caught_by=plain_takes_the_type_off_and_changes_nothing,
        says="`detach` keeps the type: it stands in the table KEEPS. `as_subclass` chooses a type.",
    ),
    Wrong(
        "cuts the gradient off",
        _part("plain", "tensor", "return tensor.data"),
        caught_by=gradients_come_through,
        says="`.data` is no part of the computation any more: the weight is not told what the loss says.",
    ),
    Wrong(
        "puts back the type alone",
        _like(
            "if not isinstance(source, TypedTensor):",
            "    return plain(result)",
            "return result.as_subclass(type(source))",
        ),
        caught_by=typed_like_puts_the_type_back,
        says="The type is back and what the source knows is not: its `__dict__` belongs to it.",
    ),
    Wrong(
        "leaves a type on",
        _like(
            "if not isinstance(source, TypedTensor):",
            "    return result",
            "return dressed(result, type(source), source.__dict__)",
        ),
        caught_by=typed_like_puts_the_type_back,
        says="Like a plain tensor means plain: the result came with a type of its own, and kept it.",
    ),
    Wrong(
        "dresses the result itself",
        _like(
            "if not isinstance(source, TypedTensor):",
            "    return plain(result)",
            "dressed(result, type(source), source.__dict__)",
            "result.__class__ = type(source)",
            "result.__dict__.update(source.__dict__)",
            "return result",
        ),
        caught_by=typed_like_puts_the_type_back,
        says="You set the class of the result you were given; in `kept` it is fresh and nobody else has it, "
        "here it may be anybody's. Take a view.",
    ),
    Wrong(
        "keeps the type alone",
        _keep(*TENSOR, *FITS, *OTHERS, *SHAPE, "result.__class__ = kind", "return result"),
        caught_by=amounts_may_be_added_and_scaled,
        says="The type is kept, what the tensor knows is lost: `__class__` is one thing, `__dict__` another.",
    ),
    Wrong(
        "lets nothing else near",
        _keep(
            *TENSOR,
            *FITS,
            *SHAPE,
            "if any(type(one) is not kind for one in others):",
            "    return result",
            *SET,
        ),
        caught_by=amounts_may_be_added_and_scaled,
        says="A number has no kind, nor has plain noise: only a typed tensor of another kind changes what "
        "the sum is.",
    ),
    Wrong(
        "wants the same shape of all",
        _keep(*TENSOR, *FITS, *OTHERS, "if result.shape != source.shape:", "    return result", *SET),
        caught_by=amounts_may_be_added_and_scaled,
        says="A photo knows nothing of its own, so a batch of it is a batch of photos: the shape matters "
        "where the type has `item_metadata`.",
    ),
    Wrong(
        "forgets the other side",
        _keep(*TENSOR, *FITS, *SHAPE, *SET),
        caught_by=two_kinds_in_one_operation_give_a_plain_tensor,
        says="You looked at `source` alone. Half of what went in is a mask: what came out is neither.",
    ),
    Wrong(
        "takes a relative for the same",
        _keep(
            *TENSOR,
            *FITS,
            *SHAPE,
            "if any(isinstance(one, TypedTensor) and not isinstance(one, kind) for one in others):",
            "    return result",
            *SET,
        ),
        caught_by=two_kinds_in_one_operation_give_a_plain_tensor,
        says="A GrayImage is an Image too, so `isinstance` lets it pass, and the sum depends on who stands "
        "first. Compare `type(other)` with `kind`.",
    ),
    Wrong(
        "does not ask whether it fits",
        _keep(*TENSOR, *OTHERS, *SHAPE, *SET),
        caught_by=a_result_that_cannot_be_of_the_type_is_plain,
        says="A mask of fractions is no mask: ask `kind.fits(result)` before you set the class.",
    ),
    Wrong(
        "takes every result for a tensor",
        _keep(*FITS, *OTHERS, *SHAPE, *SET),
        caught_by=a_result_that_cannot_be_of_the_type_is_plain,
        says='Not every result is a tensor: `photo.type()` gives a text, and `photo + "a"` NotImplemented.',
    ),
    Wrong(
        "raises",
        _keep(*TENSOR, "kind.check(result)", *OTHERS, *SHAPE, *SET),
        caught_by=a_result_that_cannot_be_of_the_type_is_plain,
        says="An operation that makes something else is no mistake: let the result stay plain, and raise "
        "nothing.",
    ),
    Wrong(
        "gives one item's knowledge to a batch",
        _keep(*TENSOR, *FITS, *OTHERS, *SET),
        caught_by=a_result_that_cannot_be_of_the_type_is_plain,
        says="One slice and two of noise are a batch of two, and what is known is known of one item: where "
        "the shape is another, leave it plain.",
    ),
    Wrong(
        "shares what the source knows",
        _keep(
            *TENSOR,
            *FITS,
            *OTHERS,
            *SHAPE,
            "result.__class__ = kind",
            "result.__dict__ = source.__dict__",
            "return result",
        ),
        caught_by=each_tensor_knows_for_itself,
        says="Both tensors have the same `__dict__` now: a new window for one is a new window for the other.",
    ),
    Wrong(
        "takes the dict it was given",
        _put_on(*ASK, "result = tensor.as_subclass(kind)", "result.__dict__ = metadata", "return result"),
        caught_by=each_tensor_knows_for_itself,
        says="The `metadata` you were given are somebody's own: take what is in the dictionary, not it.",
    ),
    Wrong(
        "does not choose",
        _pick("return values if index is not None else (values,)"),
        caught_by=indexing_a_batch_indexes_its_metadata,
        says="One slice now has the spacings of the whole batch.",
    ),
    Wrong(
        "makes a tuple of one",
        _pick(
            *NONE,
            *PLACES,
            "places = [places] if isinstance(places, int) else places",
            "return tuple(values[place] for place in places)",
        ),
        caught_by=indexing_a_batch_indexes_its_metadata,
        says="One number chooses one item, and an item has its value itself, not a tuple of one.",
    ),
    Wrong(
        "counts True as one",
        _pick(*NONE, *ONE, "return tuple(values[int(place)] for place in index)"),
        caught_by=indexing_a_batch_indexes_its_metadata,
        says="True and False say which to take; taken as the numbers 1 and 0 they choose the second and "
        "the first, again and again.",
    ),
    Wrong(
        "makes a list",
        _pick(*NONE, *ONE, *PLACES, "return [values[place] for place in places]"),
        caught_by=indexing_a_batch_indexes_its_metadata,
        says="A list can be changed by all who hold it, and never equals a tuple: make it a tuple.",
    ),
    Wrong(
        "has no word for a new axis",
        _pick(
            "if values is None or index is None:",
            "    return values",
            *ONE,
            *PLACES,
            "return tuple(values[place] for place in places)",
        ),
        caught_by=indexing_a_batch_indexes_its_metadata,
        says="`item[None]` is a batch of one: its metadata are a tuple of one.",
    ),
    Wrong(
        "always has something to choose from",
        _pick(
            "if index is None:",
            "    return (values,)",
            *ONE,
            *PLACES,
            "return tuple(values[place] for place in places)",
        ),
        caught_by=boxes_take_their_labels_along,
        says="Boxes without labels have None for them, and out of None nothing can be chosen: it stays None.",
    ),
    Wrong(
        "joins only the numbers",
        _join(*ALIKE, "return collate_tensor_fn(items)"),
        caught_by=a_batch_joins_what_its_items_know,
        says="The numbers are joined, the type is off: `torch.stack` is a free function. Put it back on.",
    ),
    Wrong(
        "takes the first one's for all",
        _join(*ALIKE, "return dressed(collate_tensor_fn(items), kind, first.__dict__)"),
        caught_by=a_batch_joins_what_its_items_know,
        says="You gave the batch what its first item knows. Each item has its own: make a tuple of them.",
    ),
    Wrong(
        "joins the vocabulary too",
        _join(*ALIKE, OWN.replace("kind.item_metadata", "kind.shared_metadata + kind.item_metadata"), BATCH),
        caught_by=a_batch_joins_what_its_items_know,
        says="The names of the classes are the same for all, so a batch has them once; you have them "
        "once for each item.",
    ),
    Wrong(
        "joins what is not alike",
        _join(OWN, BATCH),
        caught_by=unlike_items_make_no_batch,
        says="In one item {number} is a cat, in the other it is a dog: as one batch, half of the labels are "
        "wrong, and nothing says so.",
    ),
    Wrong(
        "leaves the shapes to torch",
        _join(*(line.replace(" and item.shape == first.shape", "") for line in ALIKE), OWN, BATCH),
        caught_by=unlike_items_make_no_batch,
        says="Here torch complains of `stack`, a word nobody wrote. Compare the shapes yourself, and say "
        "which item it is.",
    ),
]

right = [
    Right(
        "one view of another",
        {
            "typed.dressed": """
def dressed(tensor, kind, metadata):
    kind.check(tensor)
    check_counts(tensor, kind, metadata)
    view = tensor.view_as(tensor)
    view.__class__ = kind
    for name, value in metadata.items():
        setattr(view, name, value)
    return view
""",
            "typed.plain": """
import torch


def plain(tensor):
    return torch.Tensor.as_subclass(tensor, torch.Tensor)
""",
            "typed.typed_like": """
def typed_like(result, source):
    kind = type(source)
    return dressed(result, kind, dict(vars(source))) if issubclass(kind, TypedTensor) else plain(result)
""",
            "typed.kept": """
import torch


def kept(result, source, *others):
    kinds = {type(one) for one in (source, *others) if isinstance(one, TypedTensor)}
    if len(kinds) > 1 or not isinstance(result, torch.Tensor):
        return result
    (kind,) = kinds
    moved = bool(kind.item_metadata) and result.shape != source.shape
    return result if moved or not kind.fits(result) else dressed(plain(result), kind, vars(source))
""",
            "typed.picked": """
import numpy
import torch


def picked(values, index):
    if values is None or index is None:
        return None if values is None else (values,)
    index = index.cpu().numpy() if isinstance(index, torch.Tensor) else index
    places = numpy.arange(len(values))[index]
    return tuple(values[place] for place in places) if places.ndim else values[places]
""",
            "typed.collate_typed": """
import torch


def collate_typed(items, *, collate_fn_map=None):
    kind, shared = type(items[0]), type(items[0]).shared_metadata
    marks = [(type(item), item.shape, [getattr(item, name) for name in shared]) for item in items]
    for number, mark in enumerate(marks):
        if mark != marks[0]:
            raise ValueError(f"item {number} is {items[number]!r}, and item 0 is {items[0]!r}")
    metadata = {name: getattr(items[0], name) for name in shared}
    for name in kind.item_metadata:
        metadata[name] = tuple(getattr(item, name) for item in items)
    return kind(torch.stack([plain(item) for item in items]), **metadata)
""",
        },
    ),
    Right(
        "case by case",
        {
            "typed.kept": """
import torch


def kept(result, source, *others):
    if type(result) is not torch.Tensor or (source.item_metadata and result.shape != source.shape):
        return result
    for other in others:
        if isinstance(other, TypedTensor) and not type(other) == type(source):
            return result
    try:
        return typed_like(result, source)
    except ValueError:
        return result
""",
            "typed.picked": """
from itertools import compress

import torch


def picked(values, index):
    if values is None:
        return None
    if index is None:
        return (values,)
    if hasattr(index, "tolist"):
        index = index.tolist()
    if isinstance(index, (int, slice)):
        return values[index]
    if index and isinstance(index[0], bool):
        return tuple(compress(values, index))
    return tuple(values[place] for place in index)
""",
        },
    ),
]
