"""What one learner handed in, read but never run.

>>> one = Submission("ada", {"metrics": "def accuracy(p, t): ..."})
>>> one.problem, one.sha256[:8]
('', '38b73c19')
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

# Noted where nothing but what `coursekit submit` wrote tells when something was handed in.
OWN_CLOCK = "When it came is told by the clock of the learner's own machine."


@dataclass(frozen=True)
class Submission:
    """What a learner handed in at one time; another version of theirs is another submission.

    Attributes:
        learner: Who: a name or a number, safe to print, never empty.
        files: Each module's source text, such as `{"metrics": "..."}`; empty when there is a `problem`.
        words: The exercises that it says it is for; empty when it says nothing, and then it may be for any.
        received: When it came, with its time zone; None where nothing tells.
        origin: Where it was found, below what was given to read.
        notes: Sentences about what was left out, or is doubtful.
        problem: Why nothing of it can be graded, in one sentence; else "".
        marked_late: Whether the learning-management system marked it as late.
    """

    learner: str
    files: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    received: datetime | None = None
    origin: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""
    marked_late: bool = False

    @cached_property
    def sha256(self) -> str:
        """A digest of the content: of the files, or where nothing can be graded of where it stood and why.

        Who handed it in and when are not part of it.
        """
        whole = [self.origin, self.problem] if self.problem else sorted(self.files.items())
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()
