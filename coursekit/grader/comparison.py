"""What was seen against what ours gives, in words: the first thing that does not agree, shape before value.

>>> compare(0.5, 0.75)
'yours is 0.5, ours 0.75.'
>>> compare([1, 2, 3], [1, 2, 3]) is None
True
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from .encoding import Array, Raised, Record, Refused
from .wording import brief, count, kind

# Relative and absolute, by dtype: what rounding in another order of the same sums may change.
TOLERANCE = {
    "float64": (1e-7, 1e-7),
    "float32": (1.3e-6, 1e-5),
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
# A plain number often comes from a float32 tensor's .item().
PLAIN = TOLERANCE["float32"]
HOW = ("close", "exact", "same set", "up to sign")


def compare(seen: Any, ours: Any, how: str = "close") -> str | None:
    """Compare plain data as `decode` gives them; None when they agree, else a sentence without its subject.

    Args:
        how: "close" (tolerance by dtype), "exact", "same set" (order does not count), "up to sign".

    Raises:
        ValueError: `how` is none of these.
    """
    if how not in HOW:
        raise ValueError(f"how={how!r} is no way to compare; there are {', '.join(HOW)}.")
    if isinstance(seen, Refused):
        return _refused(seen, ours)
    if seen is None and ours is not None:
        return f"yours is None, ours {kind(ours)}: is a `return` missing?"
    if isinstance(ours, Raised):
        return _raised(seen, ours)
    for types, function in _BY_TYPE:
        if isinstance(ours, types):
            return function(seen, ours, how) if type(seen) is type(ours) else _kinds(seen, ours)
    return _numbers(seen, ours, how)


def form(seen: Any, ours: Any) -> str | None:
    """Compare only what sort of thing it is, part by part: for a judge, who may take another value."""
    if isinstance(seen, Refused) or seen is None or isinstance(ours, Raised):
        return compare(seen, ours)
    if isinstance(ours, Array):
        return None if isinstance(seen, Array) and seen.type == ours.type else _kinds(seen, ours)
    if isinstance(ours, tuple):
        if not isinstance(seen, list | tuple):
            return _kinds(seen, ours)
        if len(seen) != len(ours):
            return f"yours has {count(len(seen), 'part')}, ours {len(ours)}."
        return next(
            (_at(n, said) for n, pair in enumerate(zip(seen, ours, strict=True)) if (said := form(*pair))),
            None,
        )
    if isinstance(ours, list) and isinstance(seen, list | tuple):
        return next(
            (_at(n, said) for n, one in enumerate(seen) if ours and (said := form(one, ours[0]))), None
        )
    same = type(seen) is type(ours) or (type(ours) is float and type(seen) is int)
    return None if same else _kinds(seen, ours)


def _at(place: Any, said: str) -> str:
    """The same sentence, one level further in."""
    if said.startswith("at ["):
        return f"at [{place}]{said[3:]}"
    return f"at [{place}] {said}"


def _kinds(seen: Any, ours: Any) -> str:
    if isinstance(seen, Raised):
        return f"yours raised {brief(seen)}; ours gives {kind(ours)}."
    if kind(seen) == kind(ours):
        return f"yours is {brief(seen)}, ours {brief(ours)}."
    return f"yours is {kind(seen)}, ours {kind(ours)}."


def _refused(seen: Refused, ours: Any) -> str:
    why = f" ({seen.why})" if seen.why else ""
    return f"yours is {kind(seen)}, which cannot be compared{why}; ours is {kind(ours)}."


def _raised(seen: Any, ours: Raised) -> str | None:
    if not isinstance(seen, Raised):
        return f"yours is {kind(seen)}; ours raises {ours.type}."
    if not ours.type:
        return f"yours raises {seen.type}; ours raises no error." if seen.type else None
    if ours.type in seen.bases:
        return None
    return f"yours raises {seen.type or 'no error'}, ours {ours.type}."


def _numbers(seen: Any, ours: Any, how: str) -> str | None:
    both = type(seen) in (int, float) and type(ours) is float
    if type(seen) is not type(ours) and not both:
        return _kinds(seen, ours)
    rules = (0.0, 0.0) if how == "exact" else PLAIN
    if both and (_near(float(seen), ours, rules) or (how == "up to sign" and _near(-seen, ours, rules))):
        return None
    return None if seen == ours else f"yours is {brief(seen)}, ours {brief(ours)}."


def _near(seen: float, ours: float, rules: tuple[float, float]) -> bool:
    if math.isnan(ours) or math.isinf(ours) or not math.isfinite(seen):
        return seen == ours or (math.isnan(seen) and math.isnan(ours))
    return abs(seen - ours) <= rules[1] + rules[0] * abs(ours)


def _sequences(seen: Any, ours: Any, how: str) -> str | None:
    if how == "same set":
        return _same_set(seen, ours)
    if len(seen) != len(ours):
        return f"yours has {count(len(seen), 'item')}, ours {len(ours)}."
    wrong = [
        (n, said) for n, (a, b) in enumerate(zip(seen, ours, strict=True)) if (said := compare(a, b, how))
    ]
    if not wrong:
        return None
    place, said = wrong[0]
    if len(wrong) == 1 or not all(isinstance(part, int | float | str) for part in ours):
        return _at(place, said)
    return f"{len(wrong)} of {len(ours)} items differ, the first at [{place}]: {said}"


def _same_set(seen: Any, ours: Any) -> str | None:
    came, wanted = (Counter(brief(part) for part in side) for side in (seen, ours))
    missing, extra = wanted - came, came - wanted
    if missing:
        return f"yours lacks {count(missing.total(), 'item')} that ours has, such as {next(iter(missing))}."
    if extra:
        return f"yours has {count(extra.total(), 'item')} that ours has not, such as {next(iter(extra))}."
    return None


def _dicts(seen: dict, ours: dict, how: str) -> str | None:
    if missing := [key for key in ours if key not in seen]:
        return f"yours lacks {brief(missing[0])}, which ours has."
    if extra := [key for key in seen if key not in ours]:
        return f"yours has {brief(extra[0])}, which ours has not."
    return next((_at(brief(key), said) for key in ours if (said := compare(seen[key], ours[key], how))), None)


def _records(seen: Record, ours: Record, how: str) -> str | None:
    if seen.type != ours.type:
        return _kinds(seen, ours)
    return _dicts(seen.fields, ours.fields, how)


def _arrays(seen: Array, ours: Array, how: str) -> str | None:
    if seen.shape != ours.shape:
        return f"yours has shape {seen.shape}, ours {ours.shape}."
    if seen.type != ours.type:
        return f"the shape agrees; yours is {kind(seen)}, ours {kind(ours)}."
    said = _elements(seen, ours, how)
    for part in ("dtype", "device"):
        if getattr(seen, part) != getattr(ours, part):
            other = f"yours has {part} {getattr(seen, part)}, ours {getattr(ours, part)}."
            return f"{said[:-1]}; {other}" if said else f"the values agree, but {other}"
    if said is not None:
        return said
    said = _dicts(seen.metadata, ours.metadata, how)
    return f"the values agree, but in what it carries along {said}" if said else None


def _elements(seen: Array, ours: Array, how: str) -> str | None:
    """Every element, by the rules of ours' dtype."""
    rules = (0.0, 0.0) if how == "exact" else TOLERANCE.get(ours.dtype, (0.0, 0.0))
    yours, wanted = _wide(seen.data), _wide(ours.data)
    wrong = _differ(yours, wanted, rules)
    if how == "up to sign" and wrong.any():
        wrong = min(wrong, _differ(-yours, wanted, rules), key=lambda one: int(one.sum()))
    if not wrong.any():
        return None
    place = tuple(int(index) for index in wrong.nonzero()[0])
    values = f"yours is {brief(yours[place].item())}, ours {brief(wanted[place].item())}."
    if not ours.shape:
        return values
    many = f"{int(wrong.sum())} of {math.prod(ours.shape)} values differ"
    return f"the shape agrees; {many}, the first at {list(place)}: {values}"


def _wide(data: Any) -> Any:
    """Numbers wide enough to compare in, as a tensor; text and dates as they are."""
    import numpy
    import torch

    if not isinstance(data, torch.Tensor):
        if data.dtype.kind in "UMm":
            return data
        data = torch.from_numpy(numpy.ascontiguousarray(data).reshape(data.shape))
    if data.is_complex():
        return data.to(torch.complex128)
    return data.to(torch.float64) if data.is_floating_point() else data


def _differ(seen: Any, ours: Any, rules: tuple[float, float]) -> Any:
    """Which elements are not the same: not a number equals only not a number, infinity only itself."""
    import numpy
    import torch

    if isinstance(seen, numpy.ndarray) or isinstance(ours, numpy.ndarray):
        return torch.from_numpy(numpy.asarray(numpy.asarray(seen) != numpy.asarray(ours)))
    if not (ours.is_floating_point() or ours.is_complex()):
        return seen != ours
    seen = seen.to(ours.dtype)
    near = (seen - ours).abs() <= rules[1] + rules[0] * ours.abs()
    finite = seen.isfinite() & ours.isfinite()
    same = (seen == ours) | (seen.isnan() & ours.isnan())
    return ~((near & finite) | same)


_BY_TYPE: tuple[tuple[Any, Callable[[Any, Any, str], str | None]], ...] = (
    (Array, _arrays),
    (Record, _records),
    (dict, _dicts),
    (list | tuple, _sequences),
)
