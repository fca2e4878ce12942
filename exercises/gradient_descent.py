"""# Downhill by your own step

Everything that made the model of this lesson learn fits in five functions of a few lines each. You write
them, and then a model that is told nothing but numbers learns by them.

1. `mean_images(images, labels, classes)`: the mean picture of each class. `images` have shape (N, ...): any
   number of axes after the first, and bytes or floats. The answer has shape (classes, ...).
2. `nearest_mean(images, means)`: for each image the number of the mean it is nearest to, by the squared
   differences of its pixels. Images of colour have an axis more: `x.flatten(1)` lays all axes from number 1
   on into one.
3. `mean_squared_error(predictions, targets)`: how far the predictions lie from the targets, squared, in the
   mean.
4. `binary_cross_entropy(scores, targets)`: how surprised a model is by the truth, in the mean. Scores are any
   real numbers, before the sigmoid; targets are 1 or 0, or between. A score of -200 must not end in `inf`:
   `functional.logsigmoid(x)` is the logarithm of the sigmoid, and never computes the probability itself. And
   1 less the sigmoid of x is the sigmoid of -x.
5. `sgd_step(parameters, rate)`: one step downhill for each parameter that has a gradient, in place. It leaves
   the gradients as they are: who calls it decides when they are thrown away. The `@torch.no_grad()` above it
   is given; take it away once, and read what torch says.

Both losses raise a ValueError when the two shapes are not the same. `demand_same_shape(a, b, "my_name")` does
that for you; the other errors that the docstrings mention you need not write. `torch` and `functional` are
there without an import.

Before you begin: (600, 1) less (600,), what shape is that?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "baselines.mean_images": "the mean picture of each class",
    "baselines.nearest_mean": "which mean a picture is nearest to",
    "losses.mean_squared_error": "how far numbers lie from the truth",
    "losses.binary_cross_entropy": "how surprised a model is by yes and no",
    "optimizers.sgd_step": "one step downhill",
}


@check(points=2, lesson="The laziest thing that could work")
def each_class_has_its_own_mean(kit, case):
    """Choose the images of one class, `images[labels == number]`, and take the mean along the first axis."""
    import torch

    labels = torch.tensor(case.shuffled("labels", [0, 0, 0, 1, 2, 2]), device=case.device)
    images = case.tensor("images", (6, 2, case.integer("width", 2, 4)), 0, 200)
    yield "grey pictures", kit.mean_images(images, labels, classes=3)
    yield "in bytes, with a colour axis", kit.mean_images(images.byte()[:, None], labels, classes=3)


@check(points=2, lesson="Shapes that do not match")
def a_picture_goes_to_the_nearest_mean(kit, case):
    """Distances have shape (N, C), an axis of images and one of means. Look for the least along C."""
    count = case.integer("count", 20, 30)
    images, means = case.tensor("images", (count, 2, 3)), case.tensor("means", (4, 2, 3))
    yield "four means", kit.nearest_mean(images, means)
    yield "as many means as images", kit.nearest_mean(images[:4], means)
    yield "colour pictures", kit.nearest_mean(images[:, None], means[:, None])


@check(points=1, lesson="One knob")
def squared_error_is_the_mean_of_the_squares(kit, case):
    """Take the difference, square it, take the mean."""
    count = case.integer("count", 4, 9)
    predictions, targets = (
        case.tensor("predictions", (count,), -3, 3),
        case.tensor("targets", (count,), -3, 3),
    )
    yield "a batch", kit.mean_squared_error(predictions, targets)
    yield "the predictions afterwards", predictions
    yield "points in a plane", kit.mean_squared_error(predictions[:4].view(2, 2), targets[:4].view(2, 2))


@check(points=2, lesson="Surprise instead of distance")
def surprise_is_small_where_the_model_was_right(kit, case):
    """Where the target is 1 count minus the log of the probability, where it is 0 minus that of its rest."""
    import torch

    count = case.integer("count", 4, 9)
    scores = case.tensor("scores", (count,), -3, 3)
    truth = case.labels("truth", count, classes=2).float()
    yield "yes to all", kit.binary_cross_entropy(scores, torch.ones_like(scores))
    yield "no to all", kit.binary_cross_entropy(scores, torch.zeros_like(scores))
    yield "some of each", kit.binary_cross_entropy(scores, truth)
    yield "one half", kit.binary_cross_entropy(scores, 0 * truth + 0.5)


@check(points=2, lesson="Surprise instead of distance")
def who_is_sure_and_wrong_still_learns(kit, case):
    """A probability of 0 has no logarithm: go from the score to the logarithm at once, by `logsigmoid`."""
    size = case.integer("size", 150, 900)
    truth = case.labels("truth", 4, classes=2).float()
    scores = ((1 - 2 * truth) * size).requires_grad_()  # sure, and always wrong
    loss = kit.binary_cross_entropy(scores, truth)
    yield "sure and wrong", loss.detach()
    loss.backward()
    yield "its gradient", scores.grad


@check(points=1, lesson="What goes wrong most")
def shapes_that_fit_by_accident_are_refused(kit, case):
    """Begin with `demand_same_shape`: torch itself would compare each with each, and say nothing."""
    count = case.integer("count", 3, 8)
    column, row = case.tensor("column", (count, 1)), case.tensor("row", (count,), 0, 1)
    yield "(N, 1) and (N,)", case.raises(lambda: kit.mean_squared_error(column, row))
    yield "scores (N, 1) and targets (N,)", case.raises(lambda: kit.binary_cross_entropy(column, row))


@check(points=2, lesson="Downhill")
def a_step_goes_down_the_slope(kit, case):
    """Each parameter less the rate times its gradient, in place; without a gradient it stays where it is."""
    start = (
        case.tensor("weights", (case.integer("count", 2, 5),)),
        case.tensor("bias", ()),
        case.tensor("idle", (2,)),
    )
    weights, bias, idle = parameters = [one.requires_grad_() for one in start]
    rate = case.integer("tenths", 1, 9) / 10
    ((weights + bias) ** 2).sum().backward()
    kit.sgd_step(parameters, rate)
    yield "weights after a step", weights.detach()
    yield "a bias after a step", bias.detach()
    yield "one that took no part", idle.detach()
    yield "the gradient afterwards", weights.grad
    (weights * bias).sum().backward()
    kit.sgd_step(iter(parameters), rate=rate)
    yield "weights after another", weights.detach()


@check(points=3, lesson="A spoonful at a time")
def together_they_learn(kit, case):
    """All five at work: if the others pass, this one does."""
    import torch

    count = case.integer("count", 20, 30)
    images = case.tensor("images", (count, 2, 3))
    rule = case.tensor("rule", (2, 3))
    labels = ((images * rule).sum((1, 2)) > 0).long()
    labels[:2] = torch.tensor([0, 1], device=case.device)
    means = kit.mean_images(images, labels, classes=2)
    yield "the baseline says", kit.nearest_mean(images, means)
    pixels, target = images.flatten(1), labels.float()
    for name, loss in (("surprise", kit.binary_cross_entropy), ("squares", kit.mean_squared_error)):
        weights = torch.zeros(6, requires_grad=True, device=case.device)
        for _ in range(10):
            loss(pixels @ weights, target).backward()
            kit.sgd_step([weights], 0.5)
            weights.grad = None
        yield f"scores after ten steps of {name}", (pixels @ weights).detach()


def _written(name: str, arguments: str, *lines: str) -> dict[str, str]:
    """A definition with these lines as its body."""
    body = "\n".join("    " + line for line in lines)
    return {name: f"def {name.split('.')[1]}({arguments}):\n{body}\n"}


def _means(*lines: str) -> dict[str, str]:
    return _written("baselines.mean_images", "images, labels, classes", *lines)


def _nearest(*lines: str) -> dict[str, str]:
    return _written("baselines.nearest_mean", "images, means", *lines)


def _squares(*lines: str) -> dict[str, str]:
    return _written("losses.mean_squared_error", "predictions, targets", *lines)


def _surprise(*lines: str) -> dict[str, str]:
    demand = 'demand_same_shape(scores, targets, "binary_cross_entropy")'
    return _written("losses.binary_cross_entropy", "scores, targets", demand, *lines)


def _step(*lines: str) -> dict[str, str]:
    return _written("optimizers.sgd_step", "parameters, rate", *lines)


SAME = 'demand_same_shape(predictions, targets, "mean_squared_error")'
PROBABILITY = "p = torch.sigmoid(scores)"
BOTH = "return -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()"

wrong = [
    Wrong(
        "makes one number of a class",
        _means("return torch.stack([images[labels == c].float().mean() for c in range(classes)])"),
        caught_by=each_class_has_its_own_mean,
        says="`mean()` without `dim` makes one number of all pixels; `mean(dim=0)` goes along the images.",
    ),
    Wrong(
        "takes the mean of bytes",
        _means("return torch.stack([images[labels == c].mean(dim=0) for c in range(classes)])"),
        caught_by=each_class_has_its_own_mean,
        says="Whole numbers have no mean in torch: make them floats with `.float()` first.",
    ),
    Wrong(
        "divides by all images",
        _means(
            "sums = [images[labels == c].float().sum(dim=0) for c in range(classes)]",
            "return torch.stack(sums) / len(images)",
        ),
        caught_by=each_class_has_its_own_mean,
        says="You divided by the number of *all* images; a class is divided by how many it has.",
    ),
    Wrong(
        "finds the furthest",
        _nearest("return (images[:, None] - means).square().flatten(2).sum(dim=2).argmax(dim=1)"),
        caught_by=a_picture_goes_to_the_nearest_mean,
        says="`argmax` finds the largest distance: the mean that is furthest. The nearest is at `argmin`.",
    ),
    Wrong(
        "adds up absolute differences",
        _nearest("return (images[:, None] - means).abs().flatten(2).sum(dim=2).argmin(dim=1)"),
        caught_by=a_picture_goes_to_the_nearest_mean,
        says="You added up absolute differences. Squared, one large one counts more than many small ones.",
    ),
    Wrong(
        "knows grey pictures only",
        _nearest("return ((images[:, None] - means) ** 2).sum(dim=(2, 3)).argmin(dim=1)"),
        caught_by=a_picture_goes_to_the_nearest_mean,
        says="`dim=(2, 3)` fits grey pictures only; those of colour have an axis more: `flatten(2)` first.",
    ),
    Wrong(
        "gives no axis to the means",
        _nearest("return (images - means).square().flatten(1).sum(dim=1).argmin()"),
        caught_by=a_picture_goes_to_the_nearest_mean,
        says="(N, ...) less (C, ...): N meets C. Take one mean at a time, or `images[:, None]`.",
    ),
    Wrong(
        "adds up the squares",
        _squares(SAME, "return ((predictions - targets) ** 2).sum()"),
        caught_by=squared_error_is_the_mean_of_the_squares,
        says="{yours} is the sum: it grows with the batch, and the step with it. Take the mean.",
    ),
    Wrong(
        "divides by the rows",
        _squares(SAME, "return ((predictions - targets) ** 2).sum() / len(predictions)"),
        caught_by=squared_error_is_the_mean_of_the_squares,
        says="`len` counts rows, and a row may hold several numbers: `mean()` divides by all of them.",
    ),
    Wrong(
        "changes the predictions",
        _squares(SAME, "predictions -= targets", "return (predictions**2).mean()"),
        caught_by=squared_error_is_the_mean_of_the_squares,
        says="`-=` changed the predictions of whoever asked. Give the difference a name of its own.",
    ),
    Wrong(
        "takes the root",
        _squares(SAME, "return ((predictions - targets) ** 2).mean().sqrt()"),
        caught_by=squared_error_is_the_mean_of_the_squares,
        says="{yours} is the root of the mean. That is a metric people like; this loss is the mean itself.",
    ),
    Wrong(
        "compares each with each",
        _squares("return ((predictions - targets) ** 2).mean()"),
        caught_by=shapes_that_fit_by_accident_are_refused,
        says="(N, 1) less (N,) is (N, N): each prediction was compared with every target. Refuse two shapes.",
    ),
    Wrong(
        "hands over a plain number",
        _squares(SAME, "return torch.tensor(((predictions - targets) ** 2).mean().item())"),
        caught_by=together_they_learn,
        says="`.item()` is a number without a past, and `backward` finds no way back. Leave it a tensor.",
    ),
    Wrong(
        "takes the logarithm of a probability",
        _surprise(PROBABILITY, BOTH),
        caught_by=who_is_sure_and_wrong_still_learns,
        says="A probability rounded to 0 has no logarithm: `inf`, and from there `nan`. Go by `logsigmoid`.",
    ),
    Wrong(
        "cuts probabilities off",
        _surprise("p = torch.sigmoid(scores).clamp(1e-7, 1 - 1e-7)", BOTH),
        caught_by=who_is_sure_and_wrong_still_learns,
        says="`clamp` keeps `inf` away, and the gradient too: who is most wrong learns nothing.",
    ),
    Wrong(
        "loses the minus",
        _surprise(PROBABILITY, "return (targets * p.log() + (1 - targets) * (1 - p).log()).mean()"),
        caught_by=surprise_is_small_where_the_model_was_right,
        says="{yours} is below 0: the minus is missing. Downhill would lead to a model wrong on purpose.",
    ),
    Wrong(
        "takes 1 less the logarithm",
        _surprise(
            "yes = functional.logsigmoid(scores)",
            "return -(targets * yes + (1 - targets) * (1 - yes)).mean()",
        ),
        caught_by=surprise_is_small_where_the_model_was_right,
        says="1 less the logarithm is not the logarithm of 1 less the probability: that is "
        "`logsigmoid(-scores)`.",
    ),
    Wrong(
        "confuses yes and no",
        _surprise(
            "yes, no = functional.logsigmoid(-scores), functional.logsigmoid(scores)",
            "return -(targets * yes + (1 - targets) * no).mean()",
        ),
        caught_by=surprise_is_small_where_the_model_was_right,
        says="Yes and no have changed places: a high score is a yes, so where the target is 1 it should cost "
        "little.",
    ),
    Wrong(
        "adds up the surprise",
        _surprise(
            "p = torch.sigmoid(scores)", "return -(targets * p.log() + (1 - targets) * (1 - p).log()).sum()"
        ),
        caught_by=surprise_is_small_where_the_model_was_right,
        says="{yours} is the sum of all surprises: it grows with the batch. Take the mean.",
    ),
    Wrong(
        "swaps scores and targets",
        _surprise(
            "return -(scores * functional.logsigmoid(targets) "
            "+ (1 - scores) * functional.logsigmoid(-targets)).mean()"
        ),
        caught_by=surprise_is_small_where_the_model_was_right,
        says="Scores and targets have changed places: the sigmoid is taken of the scores.",
    ),
    Wrong(
        "looks only at yes",
        _surprise("return -(targets * functional.logsigmoid(scores)).mean()"),
        caught_by=surprise_is_small_where_the_model_was_right,
        says="Where the target is 0 nothing is counted: always saying yes would cost nothing.",
    ),
    Wrong(
        "goes up",
        _step(
            "with torch.no_grad():",
            "    for parameter in parameters:",
            "        if parameter.grad is not None:",
            "            parameter += rate * parameter.grad",
        ),
        caught_by=a_step_goes_down_the_slope,
        says="You went up: the gradient points to where the loss grows. Subtract it.",
    ),
    Wrong(
        "lets the step be noted",
        _step(
            "for parameter in parameters:",
            "    if parameter.grad is not None:",
            "        parameter -= rate * parameter.grad",
        ),
        caught_by=a_step_goes_down_the_slope,
        says="The step itself must not be noted: leave `@torch.no_grad()` above it, or write it inside.",
    ),
    Wrong(
        "makes new parameters",
        _step(
            "for parameter in parameters:",
            "    if parameter.grad is not None:",
            "        parameter = parameter - rate * parameter.grad",
        ),
        caught_by=a_step_goes_down_the_slope,
        says="`parameter = parameter - ...` makes a new tensor; the model keeps the old. `parameter -= ...`",
    ),
    Wrong(
        "throws the gradients away",
        _step(
            "with torch.no_grad():",
            "    for parameter in parameters:",
            "        if parameter.grad is not None:",
            "            parameter -= rate * parameter.grad",
            "            parameter.grad = None",
        ),
        caught_by=a_step_goes_down_the_slope,
        says="The step threw the gradients away. That is for the loop, which may still want to see them.",
    ),
    Wrong(
        "expects a gradient everywhere",
        _step(
            "with torch.no_grad():",
            "    for parameter in parameters:",
            "        parameter -= rate * parameter.grad",
        ),
        caught_by=a_step_goes_down_the_slope,
        says="What took no part in the loss has no gradient: its `.grad` is None. Leave it where it is.",
    ),
]

right = [
    Right(
        "with other words of torch",
        {
            **_means(
                "sums = torch.zeros(classes, *images.shape[1:], device=images.device)",
                "sums.index_add_(0, labels, images.float())",
                "counts = torch.bincount(labels, minlength=classes)",
                "return sums / counts.view(-1, *[1] * (images.ndim - 1))",
            ),
            **_nearest("return torch.cdist(images.flatten(1).float(), means.flatten(1)).argmin(dim=1)"),
            **_squares(SAME, "return functional.mse_loss(predictions, targets)"),
            **_surprise("return functional.binary_cross_entropy_with_logits(scores, targets)"),
            **_step(
                "for parameter in parameters:",
                "    if parameter.grad is not None:",
                "        parameter.data.add_(parameter.grad, alpha=-rate)",
            ),
        },
    ),
    Right(
        "all distances at once, and the surprise as one curve",
        {
            **_nearest("return ((images[:, None] - means) ** 2).flatten(2).mean(dim=2).min(dim=1).indices"),
            **_squares(
                "if predictions.shape != targets.shape:",
                "    raise ValueError(f'{predictions.shape} and {targets.shape}')",
                "return torch.mean(torch.pow(targets - predictions, 2))",
            ),
            **_surprise("return (functional.softplus(scores) - targets * scores).mean()"),
        },
    ),
]
