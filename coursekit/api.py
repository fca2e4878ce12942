"""Every public name of coursekit; `import coursekit as kit` reaches them as `kit.name`."""

from __future__ import annotations

import typing

from .augment import Augment, Warp
from .backbones import Backbone, efficientnet_lite0
from .callbacks import (
    Callback,
    CancelBatch,
    CancelEpoch,
    CancelFit,
    Metrics,
    Progress,
    Recorder,
    Schedule,
    StopOnNaN,
)
from .choices import AmbiguousMethodError, NoMethodError
from .colours import Brightness, ColourChange, Contrast, Erase, Hue, Recolour, Saturation
from .datablock import Block, Create, DataBlock
from .datasets import body_scan, brain, clothes, ct_slice, flower, nuclei, pets, photo_table, solar_cells
from .descriptions import alt_text
from .devices import choose_device, seed_everything
from .display import show, show_grid, show_heat, show_results
from .figures import framed
from .geometry import crop, flip, resize, rotate
from .interpret import Interpretation, examine, show_where_it_looks, where_it_looks
from .learner import Learner, Prediction
from .loaders import Items, Loader, Loaders
from .losses import CrossEntropy
from .metrics import Mean, Metric, Precision, Recall, accuracy, error_rate
from .movements import Crop, Fit, Flip, Movement, Perspective, Rotate, Shear, Shift, Zoom
from .photos import BrokenPhotoError
from .schedules import cosine, one_cycle
from .sources import Source, SourceError, fetch
from .splits import check_split, group_split, random_split
from .steps import Categorize, Normalize, RandomFlip, RandomRotate, Resize, ToFloat
from .tensors import (
    Boxes,
    Category,
    DicomImage,
    GrayImage,
    Image,
    Keypoints,
    Mask,
    MultiCategory,
    PointCloud,
    Row,
    Target,
    Text,
    TypedTensor,
    Volume,
    VolumeMask,
    plain,
    typed_like,
)
from .transforms import Pipeline, RandomTransform, Transform
from .vision import Head, Network, vision_learner
from .widgets.flipbooks import Flipbook, flipbook

if typing.TYPE_CHECKING:  # To a type checker each method is one more signature of the same function.
    from typing import overload as method
else:
    from .dispatch import method

__all__ = [
    "AmbiguousMethodError",
    "Augment",
    "Backbone",
    "Block",
    "Boxes",
    "Brightness",
    "BrokenPhotoError",
    "Callback",
    "CancelBatch",
    "CancelEpoch",
    "CancelFit",
    "Categorize",
    "Category",
    "ColourChange",
    "Contrast",
    "Create",
    "Crop",
    "CrossEntropy",
    "DataBlock",
    "DicomImage",
    "Erase",
    "Fit",
    "Flip",
    "Flipbook",
    "GrayImage",
    "Head",
    "Hue",
    "Image",
    "Interpretation",
    "Items",
    "Keypoints",
    "Learner",
    "Loader",
    "Loaders",
    "Mask",
    "Mean",
    "Metric",
    "Metrics",
    "Movement",
    "MultiCategory",
    "Network",
    "NoMethodError",
    "Normalize",
    "Perspective",
    "Pipeline",
    "PointCloud",
    "Precision",
    "Prediction",
    "Progress",
    "RandomFlip",
    "RandomRotate",
    "RandomTransform",
    "Recall",
    "Recolour",
    "Recorder",
    "Resize",
    "Rotate",
    "Row",
    "Saturation",
    "Schedule",
    "Shear",
    "Shift",
    "Source",
    "SourceError",
    "StopOnNaN",
    "Target",
    "Text",
    "ToFloat",
    "Transform",
    "TypedTensor",
    "Volume",
    "VolumeMask",
    "Warp",
    "Zoom",
    "accuracy",
    "alt_text",
    "body_scan",
    "brain",
    "check_split",
    "choose_device",
    "clothes",
    "cosine",
    "crop",
    "ct_slice",
    "efficientnet_lite0",
    "error_rate",
    "examine",
    "fetch",
    "flip",
    "flipbook",
    "flower",
    "framed",
    "group_split",
    "method",
    "nuclei",
    "one_cycle",
    "pets",
    "photo_table",
    "plain",
    "random_split",
    "resize",
    "rotate",
    "seed_everything",
    "show",
    "show_grid",
    "show_heat",
    "show_results",
    "show_where_it_looks",
    "solar_cells",
    "typed_like",
    "vision_learner",
    "where_it_looks",
]
