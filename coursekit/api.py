"""Every public name of coursekit; `import coursekit as kit` reaches them as `kit.name`."""

from __future__ import annotations

import typing

from .acceleration import CaptureGraph, ChannelsLast, Compile, MixedPrecision
from .agreement import F1, DiceScore, IntersectionOverUnion, LabelAccuracy, MeanPrecision, MeanRecall
from .amounts import R2, MeanAbsoluteError, MeanPointDistance, Perplexity, RootMeanSquaredError
from .array_sets import aerial, cifar10, digits, fashion_mnist, mnist, satellite, small_digits, spoken_digits
from .augment import Augment, Warp
from .averaging import AverageWeights
from .backbones import Backbone, efficientnet_lite0, make_backbone
from .baselines import mean_images, nearest_mean
from .blocks import Block
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
from .checkpoints import Checkpoint, load_weights
from .choices import AmbiguousMethodError, NoMethodError
from .colours import Brightness, ColourChange, Contrast, Erase, Hue, Recolour, Saturation
from .confusion import confusion_matrix
from .convolutions import Convolution, SmallCNN
from .creating import Create, CreateBoxes, CreateKeypoints
from .cropping import CentreCrop, RandomResizedCrop, Resize
from .datablock import DataBlock
from .descriptions import alt_text
from .devices import choose_device, seed_everything
from .display import show, show_grid, show_heat, show_results
from .evidence import show_where_it_looks, where_it_looks
from .export import save_model
from .figures import framed
from .files import FileNames, FilePath, find_files
from .finding import Together, find_items
from .finding_the_rate import RateCurve, RateFinder, find_rate, suggest_rate
from .geometry import crop, flip, resize, rotate
from .heads import AmountHead, Head, Network, PointHead, Task, make_task
from .inference import SavedModel, load_model
from .inspecting import check_photos
from .interpret import Interpretation, examine, top_losses
from .learner import Learner, Prediction
from .loaders import Items, Loader, Loaders
from .logs import LogCSV, LogTensorBoard
from .losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Dice,
    Focal,
    MeanSquaredError,
    PointDistance,
    binary_cross_entropy,
    mean_squared_error,
    softmax,
)
from .metrics import Mean, Metric, Precision, Recall, accuracy, error_rate
from .mixing import CutMix, MixUp
from .movements import Crop, Fit, Flip, Movement, Perspective, Rotate, Shear, Shift, Zoom
from .onnx_export import save_onnx
from .onnx_model import OnnxModel
from .optimizers import SGD, Adam, AdamW, Optimizer, RMSProp, sgd_step
from .orders import Balanced, Bucketed, InOrder, Shuffled, Weighted
from .parallel import Distributed
from .photo_sets import blood_cells, clothes, flower, mouse, nuclei, pets, photo_table, solar_cells, temple
from .photos import BrokenPhotoError
from .ranking import AveragePrecision, RocAuc, TopAccuracy
from .recipes import Recipe
from .resnets import ResidualBlock, ResNet
from .scan_sets import (
    body_scan,
    body_slices,
    brain,
    brain_tissues,
    ct_slice,
    mr_slice,
    scanner_files,
    whole_body,
)
from .scans import BrokenScanError
from .schedules import (
    cosine,
    cosine_restarts,
    flat_cosine,
    joined,
    linear,
    one_cycle,
    show_schedule,
    step_decay,
    warmed_up,
)
from .sources import Source, SourceError, fetch
from .splits import check_split, fold_split, group_split, random_split, stratified_split, time_split
from .splitters import (
    ColumnSplit,
    FolderSplit,
    FoldSplit,
    GroupSplit,
    RandomSplit,
    StratifiedSplit,
    TimeSplit,
)
from .stepping import Accumulate, ClipGradients, Freeze
from .steps import Categorize, Normalize, RandomFlip, RandomRotate, ToFloat
from .stopping import OverfitOneBatch, StopEarly
from .subgroups import compare_groups, show_groups
from .table_sets import open_table, open_text
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
from .tracing import TraceNaN
from .transforms import Pipeline, RandomTransform, Transform
from .unets import UNet
from .vision import vision_learner
from .vocabularies import MultiCategorize, Tabulate, Tokenize
from .watching import ActivationStatistics, LossPlot, TimeAndMemory
from .web_page import save_page
from .widgets.convolutions import KernelSlide, slide_kernel
from .widgets.descents import Descent, step_down
from .widgets.digits import DigitPad, draw_digit
from .widgets.finders import RateChoice, choose_rate
from .widgets.flipbooks import Flipbook, flipbook
from .widgets.kinds import TurnedTogether, turn_together
from .widgets.loops import RecordedFit, step_through
from .widgets.rates import RateDrag, drag_rate
from .widgets.softmaxes import SoftmaxSliders, softmax_sliders
from .widgets.warps import WarpSliders, warp_sliders
from .workshop.changes import apply_changes
from .workshop.showing import clean, studio

if typing.TYPE_CHECKING:  # To a type checker each method is one more signature of the same function.
    from typing import overload as method
else:
    from .dispatch import method

__all__ = [  # noqa: RUF022 (in Python's own order, as dir() has them)
    "AbsoluteError",
    "Accumulate",
    "ActivationStatistics",
    "Adam",
    "AdamW",
    "AmbiguousMethodError",
    "AmountHead",
    "Augment",
    "AveragePrecision",
    "AverageWeights",
    "Backbone",
    "Balanced",
    "BinaryCrossEntropy",
    "Block",
    "Boxes",
    "Brightness",
    "BrokenPhotoError",
    "BrokenScanError",
    "Bucketed",
    "Callback",
    "CancelBatch",
    "CancelEpoch",
    "CancelFit",
    "CaptureGraph",
    "Categorize",
    "Category",
    "CentreCrop",
    "ChannelsLast",
    "Checkpoint",
    "ClipGradients",
    "ColourChange",
    "ColumnSplit",
    "Compile",
    "Contrast",
    "Convolution",
    "Create",
    "CreateBoxes",
    "CreateKeypoints",
    "Crop",
    "CrossEntropy",
    "CutMix",
    "DataBlock",
    "Descent",
    "Dice",
    "DiceScore",
    "DicomImage",
    "DigitPad",
    "Distributed",
    "Erase",
    "F1",
    "FileNames",
    "FilePath",
    "Fit",
    "Flip",
    "Flipbook",
    "Focal",
    "FoldSplit",
    "FolderSplit",
    "Freeze",
    "GrayImage",
    "GroupSplit",
    "Head",
    "Hue",
    "Image",
    "InOrder",
    "Interpretation",
    "IntersectionOverUnion",
    "Items",
    "KernelSlide",
    "Keypoints",
    "LabelAccuracy",
    "Learner",
    "Loader",
    "Loaders",
    "LogCSV",
    "LogTensorBoard",
    "LossPlot",
    "Mask",
    "Mean",
    "MeanAbsoluteError",
    "MeanPointDistance",
    "MeanPrecision",
    "MeanRecall",
    "MeanSquaredError",
    "Metric",
    "Metrics",
    "MixUp",
    "MixedPrecision",
    "Movement",
    "MultiCategorize",
    "MultiCategory",
    "Network",
    "NoMethodError",
    "Normalize",
    "OnnxModel",
    "Optimizer",
    "OverfitOneBatch",
    "Perplexity",
    "Perspective",
    "Pipeline",
    "PointCloud",
    "PointDistance",
    "PointHead",
    "Precision",
    "Prediction",
    "Progress",
    "R2",
    "RMSProp",
    "RandomFlip",
    "RandomResizedCrop",
    "RandomRotate",
    "RandomSplit",
    "RandomTransform",
    "RateChoice",
    "RateCurve",
    "RateDrag",
    "RateFinder",
    "Recall",
    "Recipe",
    "Recolour",
    "RecordedFit",
    "Recorder",
    "ResNet",
    "ResidualBlock",
    "Resize",
    "RocAuc",
    "RootMeanSquaredError",
    "Rotate",
    "Row",
    "SGD",
    "Saturation",
    "SavedModel",
    "Schedule",
    "Shear",
    "Shift",
    "Shuffled",
    "SmallCNN",
    "SoftmaxSliders",
    "Source",
    "SourceError",
    "StopEarly",
    "StopOnNaN",
    "StratifiedSplit",
    "Tabulate",
    "Target",
    "Task",
    "Text",
    "TimeAndMemory",
    "TimeSplit",
    "ToFloat",
    "Together",
    "Tokenize",
    "TopAccuracy",
    "TraceNaN",
    "Transform",
    "TurnedTogether",
    "TypedTensor",
    "UNet",
    "Volume",
    "VolumeMask",
    "Warp",
    "WarpSliders",
    "Weighted",
    "Zoom",
    "accuracy",
    "aerial",
    "alt_text",
    "apply_changes",
    "binary_cross_entropy",
    "blood_cells",
    "body_scan",
    "body_slices",
    "brain",
    "brain_tissues",
    "check_photos",
    "check_split",
    "choose_device",
    "choose_rate",
    "cifar10",
    "clean",
    "clothes",
    "compare_groups",
    "confusion_matrix",
    "cosine",
    "cosine_restarts",
    "crop",
    "ct_slice",
    "digits",
    "drag_rate",
    "draw_digit",
    "efficientnet_lite0",
    "error_rate",
    "examine",
    "fashion_mnist",
    "fetch",
    "find_files",
    "find_items",
    "find_rate",
    "flat_cosine",
    "flip",
    "flipbook",
    "flower",
    "fold_split",
    "framed",
    "group_split",
    "joined",
    "linear",
    "load_model",
    "load_weights",
    "make_backbone",
    "make_task",
    "mean_images",
    "mean_squared_error",
    "method",
    "mnist",
    "mouse",
    "mr_slice",
    "nearest_mean",
    "nuclei",
    "one_cycle",
    "open_table",
    "open_text",
    "pets",
    "photo_table",
    "plain",
    "random_split",
    "resize",
    "rotate",
    "satellite",
    "save_model",
    "save_onnx",
    "save_page",
    "scanner_files",
    "seed_everything",
    "sgd_step",
    "show",
    "show_grid",
    "show_groups",
    "show_heat",
    "show_results",
    "show_schedule",
    "show_where_it_looks",
    "slide_kernel",
    "small_digits",
    "softmax",
    "softmax_sliders",
    "solar_cells",
    "spoken_digits",
    "step_decay",
    "step_down",
    "step_through",
    "stratified_split",
    "studio",
    "suggest_rate",
    "temple",
    "time_split",
    "top_losses",
    "turn_together",
    "typed_like",
    "vision_learner",
    "warmed_up",
    "warp_sliders",
    "where_it_looks",
    "whole_body",
]
