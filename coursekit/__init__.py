"""Deep learning, top down: the small library that the lessons drive and the learner rebuilds.

Read it from the bottom up, or from the top down:

- apps: `vision` (on `heads`): each kind of data in five lines; `interpret`, looking at what a model does (on
  `evidence`, `subgroups`); `export`, a model as a folder (its network a blueprint: `blueprints`), and
  `inference`, which loads it anywhere; `onnx_export` (on `onnx_layers`, `onnx_shrinking`), a model as one
  graph, and `onnx_model`, which asks it without torch; `serving` (within `serving_limits`), either of them as
  a service; `web_page`, a model that answers in a page; `photo_page`, the page of both.
- training: `learner`, the `loop` made comfortable; `callbacks` that hear its `events`, and `screens` (what
  shows how far it is), each callback a few lines: `stepping`, `averaging`, `stopping`, `tracing`, `mixing`,
  `acceleration`, `parallel`, `logs`, `watching`; `checkpoints` (of where it is `standing`, in
  `tensor_files`); `predictions`; `finding_the_rate`, `schedules` and `optimizers`; `devices`, `demands` and
  `failures`: where it runs, what it needs, how it stops.
- measures: `losses` and `metrics` (`agreement`, `ranking`, `amounts`), `confusion`, `baselines`.
- networks: `backbones` (of other libraries: `borrowed`), `unets`, `resnets`, `convolutions`.
- data: `datablock`, which says itself in `sentences` and `summaries` (on `walks` and `advice`), of `blocks`
  (on `creating` and `vocabularies`); `finding` items and `files`; `splits`, `splitters` and `leaks`;
  `recipes` (on `saving`) for inference; `loaders` (`passes` in some of the `orders`, by `reading`, from what
  is `held`, by `transfer`); `augment`, batches on the device (on `movements`, `colours`, `draws`);
  `inspecting` (which photos are broken).
- sets: `photo_sets`, `array_sets`, `scan_sets` and `table_sets` (what lies in each), `sources` (where it
  comes from), on `downloads` and `archives`.
- ground: `steps`, `cropping` and `transforms` (on `samples`); `geometry` (on `places`, `warping`, `canvas`);
  `sampling`; `display` (on `drawing`, `scenes`, `figures`, `descriptions`); `batches`; `tensors` (the
  kinds: `pictures`, `points`, `volumes`, `labels`, on `typed` and `padding`), `photos` (on `decoding`) and
  `scans` (files);
  `dispatch`, `choices` and `signatures`.
- apart: `kit` (loads a learner's own library), `originals` and `definitions`; `grader` (checks that teach),
  `sandbox` (locks learners' code away) and `classroom` (all that a course hands in); `workspace`,
  `progress`, `scratch`, `notebook`, `cli`, `data` and `diagnosis`; `lessons`, `markdown`, `quizzes` and
  `server`; `widgets`; `workshop`.

Every public name stands in `api` and is reached as `coursekit.name`; nothing heavy is imported
until a name is asked for.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import *  # noqa: F403

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Find a public name in `api`, or a module of this package, on first use."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # `from . import kit` asks here too and must not load torch: until `api` is there, modules come first.
    module = None if f"{__name__}.api" in sys.modules else _module(name)
    if module is not None:
        return module
    api = importlib.import_module(".api", __name__)
    found = getattr(api, name) if name in api.__all__ else _module(name)
    if found is None:
        raise AttributeError(f"{__name__} has no {name!r}; dir({__name__}) lists what there is")
    return found


def _module(name: str) -> ModuleType | None:
    """A module of this package, or None where there is none of that name."""
    try:
        return importlib.import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        return None


def __dir__() -> list[str]:
    return sorted(importlib.import_module(".api", __name__).__all__)
