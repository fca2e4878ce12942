"""# A rate, and when to use how much of it

A trial has given you a hundred rates and a hundred losses. You write what reads a rate off them, and then the
schedule that says how much of that rate to use when.

1. `schedules.cosine(progress, start, end)`: from `start` to `end` along half a cosine wave, while `progress`
   goes from 0 to 1. The cosine itself goes from 1 to -1 while its angle, in radians, goes from 0 to π.
   `math` is there without an import.
2. `schedules.one_cycle(progress, warm_up, start, end)`: up from `start` to 1 during the first `warm_up` part
   of training, then down from 1 to `end`, both as `cosine`. Each half has its own way from 0 to 1. There may
   be no rise at all (`warm_up=0`), or nothing else (`warm_up=1`), and `progress` may be 0 or 1 in both.
3. `finding_the_rate.suggest_rate(rates, losses)`: a fifth of the rate at which the smoothed loss is lowest.
   `smooth(losses)` is there; give it only the losses before the first that is `nan` or `inf`
   (`math.isfinite` tells them). `TEN` is 10, `A_FALL` is 0.05 and `BELOW` is 5. A loss that never fell is a
   ValueError: when the lowest smoothed loss is not at least `A_FALL` of it below the mean of the first `TEN`
   losses.

The errors for a progress outside 0 to 1 and for rates that do not rise need not be yours: `_check_progress`,
`_check_part` and `_check_curve` raise them, and you may leave them out.

Before you begin: after a warm-up of a quarter, how far has the fall come when training is at one half?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "schedules.cosine": "half a wave from start to end",
    "schedules.one_cycle": "up, and then down to nearly nothing",
    "finding_the_rate.suggest_rate": "a rate read off a trial",
}


def _trial(count, lowest):
    """Rates, and losses that fall to a lowest point and rise again, without noise."""
    rates = [10 ** (number / 10 - 6) for number in range(count)]
    return rates, [2.3 - 1.8 / (1 + abs(number - lowest) / 6) for number in range(count)]


@check(points=1, lesson="Not the same rate all the way")
def a_wave_from_1_to_0(kit, case):
    """`math.cos(math.pi * progress)` goes from 1 to -1. Shift and halve it, so that it goes from 1 to 0."""
    progress = case.integer("percent", 10, 45) / 100
    yield "at the start", kit.cosine(0.0)
    yield "on the way", kit.cosine(progress)
    yield "past the middle", kit.cosine(0.9)
    yield "at the end", kit.cosine(1.0)


@check(points=1, lesson="Not the same rate all the way")
def a_wave_between_two_ends(kit, case):
    """`end`, and of the way from there to `start` the part that the wave says."""
    start, end = case.integer("start", 2, 9), -case.integer("end", 1, 9)
    yield "down", kit.cosine(0.3, start, end)
    yield "up", kit.cosine(0.3, end, start)
    yield "at the end", kit.cosine(1.0, start, end)


@check(points=2, lesson="Not the same rate all the way")
def the_cycle_rises_first(kit, case):
    """During the rise, progress / warm_up goes from 0 to 1."""
    warm_up, start = case.integer("per cent of rise", 20, 60) / 100, case.integer("start", 5, 30) / 100
    yield "at the start", kit.one_cycle(0.0, warm_up, start)
    yield "rising", kit.one_cycle(warm_up / 3, warm_up, start)
    yield "at the top", kit.one_cycle(warm_up, warm_up, start)
    yield "as it is by default", kit.one_cycle(0.1)


@check(points=2, lesson="Not the same rate all the way")
def and_falls_in_what_is_left(kit, case):
    """During the fall, (progress - warm_up) / (1 - warm_up) goes from 0 to 1."""
    warm_up, end = case.integer("per cent of rise", 20, 60) / 100, case.integer("end", 5, 20) / 100
    yield "soon after the top", kit.one_cycle(warm_up + 0.05, warm_up, end=end)
    yield "falling", kit.one_cycle(0.8, warm_up, end=end)
    yield "at the end", kit.one_cycle(1.0, warm_up, end=end)
    yield "by default", kit.one_cycle(1.0)


@check(points=1, lesson="Not the same rate all the way")
def a_cycle_of_one_side(kit, case):
    """Without a rise the fall is all there is; without a fall, the rise. Neither divides by 0."""
    progress = case.integer("percent", 10, 80) / 100
    yield "no rise", kit.one_cycle(progress, warm_up=0.0)
    yield "no rise, at the start", kit.one_cycle(0.0, warm_up=0.0)
    yield "nothing but the rise", kit.one_cycle(progress, warm_up=1.0)
    # At the very end the top of the rise is right, and so is the end of a fall that takes no time.
    end = kit.one_cycle(1.0, warm_up=1.0)
    yield "nothing but the rise, at the end", "from 0 to 1" if 0 <= end <= 1 else end


@check(points=2, lesson="All rates in one go")
def a_fifth_of_the_rate_at_the_lowest_loss(kit, case):
    """Which *place* has the lowest smoothed loss? The rate at that place, divided by `BELOW`."""
    rates, losses = _trial(60, case.integer("lowest", 25, 45))
    yield "a smooth trial", kit.suggest_rate(rates, losses)
    yield "lowest at its end", kit.suggest_rate(rates[:25], losses[:25])


@check(points=2, lesson="All rates in one go")
def a_lucky_batch_is_not_the_lowest_point(kit, case):
    """Look for the lowest of `smooth(losses)`, not of the losses."""
    rates, losses = _trial(60, case.integer("lowest", 38, 45))
    losses[case.integer("lucky", 18, 24)] = 0.1
    yield "one easy batch", kit.suggest_rate(rates, losses)
    jumps = case.floats("jumps", 60, -0.15, 0.15)
    yield "many that jump", kit.suggest_rate(rates, [a + b for a, b in zip(losses, jumps, strict=True)])


@check(points=2, lesson="When it is not the rate")
def what_is_lost_does_not_count(kit, case):
    """Stop at the first loss that is no number. And compare the lowest with the mean of the first ten."""
    rates, losses = _trial(60, case.integer("lowest", 30, 34))
    after = case.integer("lost after", 40, 44)
    yield "nan to the end", kit.suggest_rate(rates, losses[:after] + [float("nan")] * (60 - after))
    yield (
        "inf, and then low again",
        kit.suggest_rate(rates, [*losses[:after], float("inf"), *[0.2] * (59 - after)]),
    )
    yield "small losses that fell", kit.suggest_rate(rates, [loss / 100 for loss in losses])
    flat = [2.3 + jump for jump in case.floats("jumps", 60, -0.02, 0.02)]
    yield "never fell", case.raises(lambda: kit.suggest_rate(rates, flat))
    yield "one odd batch, and no fall", case.raises(lambda: kit.suggest_rate(rates, [3.0, *flat[1:]]))


def _cosine(value, *before):
    body = "\n    ".join([*before, f"return {value}"])
    return {"schedules.cosine": f"def cosine(progress, start=1.0, end=0.0):\n    {body}\n"}


def _cycle(up="cosine(progress / warm_up, start, 1.0)", down=None, first="if progress < warm_up:"):
    down = down or "cosine((progress - warm_up) / (1 - warm_up) if warm_up < 1 else progress, 1.0, end)"
    head = "def one_cycle(progress, warm_up=0.25, start=0.04, end=1e-5):"
    return {"schedules.one_cycle": f"{head}\n    {first}\n        return {up}\n    return {down}\n"}


KEPT = """kept = []
    for loss in losses:
        if not math.isfinite(loss):
            break
        kept.append(loss)"""


def _suggest(
    kept=KEPT,
    means="smooth(kept)",
    fell="first - means[lowest] < A_FALL * abs(first)",
    answer="rates[lowest] / BELOW",
):
    lines = [
        kept,
        f"means = {means}",
        "lowest = min(range(len(means)), key=means.__getitem__)",
        "first = sum(losses[:TEN]) / TEN",
        f"if {fell}:\n        raise ValueError('the loss never fell')",
        f"return {answer}",
    ]
    body = "\n    ".join(lines)
    return {"finding_the_rate.suggest_rate": f"def suggest_rate(rates, losses):\n    {body}\n"}


right = [
    Right(
        "with other words",
        {
            **_cosine("start + (end - start) * math.sin(math.pi / 2 * progress) ** 2"),
            **_cycle(
                up="1 + (start - 1) * (1 + math.cos(math.pi * progress / warm_up)) / 2",
                first="if warm_up == 1 or progress < warm_up:",
                down="end + (1 - end) * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2",
            ),
            **_suggest(answer="0.2 * rates[lowest]"),
        },
    ),
    Right("the lowest by numpy", _suggest(means="__import__('numpy').array(smooth(kept)).tolist()")),
]

wrong = [
    Wrong(
        "a quarter of a wave",
        _cosine("end + (start - end) * math.cos(math.pi / 2 * progress)"),
        caught_by=a_wave_from_1_to_0,
        says="That is a quarter of the wave: it is fastest at the end, where training should come to rest. "
        "Half of it goes from 1 to -1.",
    ),
    Wrong(
        "a straight line",
        _cosine("start + (end - start) * progress"),
        caught_by=a_wave_from_1_to_0,
        says="A straight line has the same ends and the same middle. Half a wave is slow at both ends.",
    ),
    Wrong(
        "a wave that goes below",
        _cosine("end + (start - end) * math.cos(math.pi * progress)"),
        caught_by=a_wave_from_1_to_0,
        says="The cosine goes on to -1, and your wave as far below `end`: add 1 to it, and halve it.",
    ),
    Wrong(
        "an angle in degrees",
        _cosine("end + (start - end) * (1 + math.cos(180 * progress)) / 2"),
        caught_by=a_wave_from_1_to_0,
        says="`math.cos` takes radians: half a turn is π, not 180.",
    ),
    Wrong(
        "the ends confused",
        _cosine("start + (end - start) * (1 + math.cos(math.pi * progress)) / 2"),
        caught_by=a_wave_between_two_ends,
        says="It begins at `end` and arrives at `start`. The wave begins at 1: so it says how much of "
        "`start` is left, and `end` is what it is added to.",
    ),
    Wrong(
        "only from 1 to 0",
        _cosine("(1 + math.cos(math.pi * progress)) / 2"),
        caught_by=a_wave_between_two_ends,
        says="That is the wave from 1 to 0, whatever `start` and `end` say.",
    ),
    Wrong(
        "the end forgotten",
        _cosine("start * (1 + math.cos(math.pi * progress)) / 2"),
        caught_by=a_wave_between_two_ends,
        says="It goes from `start` to 0. The wave is a part of the way between the two, so add "
        "what is below it.",
    ),
    Wrong(
        "a rise in a line",
        _cycle(up="start + (1 - start) * progress / warm_up"),
        caught_by=the_cycle_rises_first,
        says="The rise is a straight line here. It is a half wave too, so that it starts and arrives gently.",
    ),
    Wrong(
        "a rise from nothing",
        _cycle(up="cosine(progress / warm_up, 0.0, 1.0)"),
        caught_by=the_cycle_rises_first,
        says="The rise begins at 0 and not at `start`: the first batches would teach nothing at all.",
    ),
    Wrong(
        "a rise that does not know its length",
        _cycle(up="cosine(progress, start, 1.0)"),
        caught_by=the_cycle_rises_first,
        says="The rise is not over when it should be, and then the rate jumps. Within the rise, progress / "
        "warm_up goes from 0 to 1.",
    ),
    Wrong(
        "a fall that began too early",
        _cycle(down="cosine(progress, 1.0, end)"),
        caught_by=and_falls_in_what_is_left,
        says="The fall goes by the progress of all of training: at the top it has fallen already, and the "
        "rate jumps down. Count from where the fall begins.",
    ),
    Wrong(
        "a fall that never ends",
        _cycle(down="cosine(progress - warm_up, 1.0, end)"),
        caught_by=and_falls_in_what_is_left,
        says="The fall counts from the top, and has only a part of training to go: divide by 1 - warm_up, or "
        "it never comes down to the end.",
    ),
    Wrong(
        "a rise that must be there",
        _cycle(first="if progress <= warm_up:"),
        caught_by=a_cycle_of_one_side,
        says="With no rise at all the first batch divides 0 by 0. At progress = warm_up the fall may "
        "take over.",
    ),
    Wrong(
        "a fall that must be there",
        _cycle(down="cosine((progress - warm_up) / (1 - warm_up), 1.0, end)"),
        caught_by=a_cycle_of_one_side,
        says="Where all is rise, 1 - warm_up is 0, and at the end you divide by it.",
    ),
    Wrong(
        "the rate at the lowest loss",
        _suggest(answer="rates[lowest]"),
        caught_by=a_fifth_of_the_rate_at_the_lowest_loss,
        says="That is the rate where the loss is lowest, and the edge: a step further and all is lost. Take "
        "a fifth of it.",
    ),
    Wrong(
        "a fifth of the lowest loss",
        _suggest(answer="means[lowest] / BELOW"),
        caught_by=a_fifth_of_the_rate_at_the_lowest_loss,
        says="That is a fifth of the lowest *loss*. Look up the rate at the same place.",
    ),
    Wrong(
        "takes the luckiest batch",
        _suggest(means="kept"),
        caught_by=a_lucky_batch_is_not_the_lowest_point,
        says="One easy batch decides here. The lowest point is that of the smoothed losses.",
    ),
    Wrong(
        "smooths the past alone",
        _suggest(
            means="[sum(kept[max(0, at - 6) : at + 1]) / len(kept[max(0, at - 6) : at + 1]) "
            "for at in range(len(kept))]"
        ),
        caught_by=a_fifth_of_the_rate_at_the_lowest_loss,
        says="A mean of the past comes late: its lowest point lies to the right of the true one, and so does "
        "your rate. `smooth` takes neighbours from both sides.",
    ),
    Wrong(
        "jumps over what is no number",
        _suggest(kept="kept = [loss for loss in losses if math.isfinite(loss)]"),
        caught_by=what_is_lost_does_not_count,
        says="What comes after a loss that is no number is of a model that is lost. Stop there, instead of "
        "leaving it out.",
    ),
    Wrong(
        "wants the same fall of every loss",
        _suggest(fell="first - means[lowest] < A_FALL"),
        caught_by=what_is_lost_does_not_count,
        says="`A_FALL` is a share: a loss that falls from 0.02 to 0.005 has fallen far, though not by 0.05.",
    ),
    Wrong(
        "measures the fall from the first loss",
        _suggest(fell="losses[0] - means[lowest] < A_FALL * losses[0]"),
        caught_by=what_is_lost_does_not_count,
        says="The first loss alone may be an odd one. Compare the lowest with the mean of the first `TEN`.",
    ),
    Wrong(
        "suggests something in any case",
        _suggest(fell="False"),
        caught_by=what_is_lost_does_not_count,
        says="This loss went nowhere at any rate; to suggest one would send people the wrong way.",
    ),
]
