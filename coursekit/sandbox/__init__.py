"""Where the code of many learners runs: each job locked away on its own, and watched from outside.

`Sandbox` is the place that the grader starts its jobs in; `why_not` says what keeps it from being had here.
"""

from __future__ import annotations

from .availability import why_not
from .limits import Limits
from .place import Sandbox

__all__ = ["Limits", "Sandbox", "why_not"]
