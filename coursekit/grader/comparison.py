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
# Of two answers that are both right, one may be longer, but not by so much.
SIZED, FAR_MORE, MANY = (str, bytes, list, tuple, dict), 10, 1000


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
    if said := _too_long(seen, ours):
        return said
    if isinstance(ours, Array):
        if not isinstance(seen, Array) or seen.type != ours.type:
            return _kinds(seen, ours)
        return _not_finite(seen.data, ours.data) if _is_numbers(seen) and _is_numbers(ours) else None
    if isinstance(ours, tuple):
        if not isinstance(seen, list | tuple):
            return _kinds(seen, ours)
        if len(seen) != len(ours):
            return f"yours has {count(len(seen), 'part')}, ours {len(ours)}."
        pairs = enumerate(zip(seen, ours, strict=True))
        return next((_at(n, said) for n, pair in pairs if (said := form(*pair))), None)
    if isinstance(ours, list) and isinstance(seen, list | tuple):
        parts = enumerate(seen if ours else ())
        return next((_at(n, said) for n, one in parts if (said := form(one, ours[0]))), None)
    if type(seen) is float and type(ours) is float and math.isfinite(ours) and not math.isfinite(seen):
        return f"yours is {brief(seen)}, ours {brief(ours)}."
    same = type(seen) is type(ours) or (type(ours) is float and type(seen) is int)
    return None if same else _kinds(seen, ours)


def _too_long(seen: Any, ours: Any) -> str | None:
    """What no right answer has: a judge, who walks over all of it, should not have to."""
    if isinstance(seen, Array) and isinstance(ours, Array):
        most, came = FAR_MORE * math.prod(ours.shape) + MANY, math.prod(seen.shape)
    elif isinstance(seen, SIZED) and isinstance(ours, SIZED):
        most, came = FAR_MORE * len(ours) + MANY, len(seen)
    else:
        return None
    return f"yours has {count(came, 'part')}, far more than ours." if came > most else None


def _not_finite(seen: Any, ours: Any) -> str | None:
    """Not a number agrees with every judge who asks what is larger: it has to be where ours has it, too."""
    seen, ours = _wide(seen), _wide(ours)
    if bool(seen.isfinite().all()) or not bool(ours.isfinite().all()):
        return None
    return f"yours has {brief(seen[~seen.isfinite()][0].item())} in it, ours only finite numbers."


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
    signs = (1.0, -1.0) if how == "up to sign" else (1.0,)
    if both and any(_near(sign * _as_float(seen), ours, rules) for sign in signs):
        return None
    return None if seen == ours else f"yours is {brief(seen)}, ours {brief(ours)}."


def _as_float(number: float) -> float:
    """The nearest float, infinite for a whole number that is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


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
    left = list(ours)  # long things may only look alike
    for part in seen:
        place = next((number for number, one in enumerate(left) if compare(part, one) is None), None)
        if place is None:
            return f"yours has an item that ours has not: {brief(part)}, different further in."
        del left[place]
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


def _is_numbers(value: Array) -> bool:
    return not hasattr(value.data, "__array_interface__") or value.data.dtype.kind in "biufc"


def _wide(data: Any) -> Any:
    """Numbers wide enough to compare in, as a tensor; text and dates as they are."""
    import numpy
    import torch

    if isinstance(data, numpy.ndarray):
        if data.dtype.kind in "UMm":
            return data
        # Numbers of other machines, and longer ones than torch has, become the widest that it has.
        wide = {"f": numpy.float64, "c": numpy.complex128}.get(data.dtype.kind, numpy.int64)
        data = numpy.ascontiguousarray(data, dtype=wide).reshape(data.shape)
    data = torch.as_tensor(data)
    if data.is_complex():
        return data.to(torch.complex128)
    return data.to(torch.float64 if data.is_floating_point() else torch.int64)


def _differ(seen: Any, ours: Any, rules: tuple[float, float]) -> Any:
    """Which elements are not the same: not a number equals only not a number, infinity only itself."""
    import numpy
    import torch

    if isinstance(seen, numpy.ndarray) or isinstance(ours, numpy.ndarray):
        if type(seen) is not type(ours) or seen.dtype.kind != ours.dtype.kind:
            return torch.ones(tuple(ours.shape), dtype=torch.bool)
        return torch.from_numpy(numpy.asarray(seen != ours))
    if not (ours.is_floating_point() or ours.is_complex()):
        return seen != ours
    if not seen.is_complex():
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
