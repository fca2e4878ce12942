"""Exercises and how they are judged: the form an author writes, the two sides, the words a learner reads.

Read in this order:

- `form`: what an exercise file is made of: `@check`, `Wrong`, `Right`.
- `exercises`, `starter`: finding an exercise, and cutting its starting point out of the library.
- `scenario`, `case`: what a check asks, and the inputs it draws.
- `encoding`: the plain data that cross from the learner's process.
- `runner`: the learner's side; `process`, `job`: how it is started, asked, watched and ended.
- `observing`, `reference`: what was seen there, and what ours gives.
- `comparison`, `judging`, `timing`: the one against the other; `mistakes`, `telling`, `report`: in words.
- `batch`: all of it together, for many kits; `checking`: for a learner's own.

Nothing here imports torch or the library until a check runs.
"""

from __future__ import annotations

from .form import Check, Right, Wrong, check

__all__ = ["Check", "Right", "Wrong", "check"]
