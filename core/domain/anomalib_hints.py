"""Hints for programs that were written for anomalib 0.x or 1.x: what anomalib 2 calls what they ask for."""

from __future__ import annotations

import re

from core.domain.hint_signs import Hint, plain_hint

OLDER = "The program was written for an older anomalib than the image's 2.x"
SIZES = "pre_processor=Padim.configure_pre_processor(image_size=(256, 256)) of the model"
METRICS = 'evaluator=Evaluator(test_metrics=[AUROC(fields=["pred_score", "gt_label"], prefix="image_")]) of the model'
FIELDS = {
    "label": "gt_label", "labels": "gt_label", "mask": "gt_mask", "masks": "gt_mask", "pred_scores": "pred_score",
    "pred_labels": "pred_label", "anomaly_maps": "anomaly_map", "pred_masks": "pred_mask", "boxes": "pred_mask",
    "heat_map": "anomaly_map",
}  # fmt: skip
ARGUMENTS = {
    "task": "leave it out",
    "image_size": f"use {SIZES}",
    "input_size": f"use {SIZES}",
    "transform": f"use augmentations=, and for sizes {SIZES}",
    "train_transform": f"use train_augmentations=, and for sizes {SIZES}",
    "eval_transform": f"use test_augmentations=, and for sizes {SIZES}",
    "normalization": "leave it out, scores are normalized by the model's post-processor",
    "threshold": "leave it out, the model's post-processor finds it",
    "image_metrics": f"use {METRICS}",
    "pixel_metrics": f"use {METRICS}",
    "config": 'use TorchInferencer(path="model.pt")',
}
NAMES = {
    "MVTec": "from anomalib.data import MVTecAD",
    "MVTecDataset": "from anomalib.data import MVTecADDataset",
    "BeanTech": "from anomalib.data import BTech",
    "TaskType": "from anomalib import TaskType",
    "InferenceDataset": "from anomalib.data import PredictDataset",
    "PatchCore": "from anomalib.models import Patchcore",
    "PaDiM": "from anomalib.models import Padim",
    "EfficientAD": "from anomalib.models import EfficientAd",
    "FastFlow": "from anomalib.models import Fastflow",
    "CFlow": "from anomalib.models import Cflow",
    "STFPM": "from anomalib.models import Stfpm",
    "DRAEM": "from anomalib.models import Draem",
    "GANomaly": "from anomalib.models import Ganomaly",
    "AnomalyModule": "from anomalib.models import AnomalibModule",
    "FeatureExtractor": "from anomalib.models.components import TimmFeatureExtractor",
    "ExportMode": "from anomalib.deploy import ExportType",
    "AnomalyScoreThreshold": "from anomalib.metrics import F1AdaptiveThreshold",
    "Visualizer": "from anomalib.visualization import ImageVisualizer",
    "ImageResult": "from anomalib.visualization import ImageVisualizer",
    "superimpose_anomaly_map": "from anomalib.utils.post_processing import superimpose_anomaly_map",
    "create_metric_collection": "from anomalib.metrics import Evaluator",
}
"""Names that are gone from a module that is still there, and what to write."""
MODULES = {
    "anomalib.data.inference": "from anomalib.data import PredictDataset",
    "anomalib.data.task_type": "from anomalib import TaskType",
    "anomalib.data.base": "from anomalib.data import AnomalibDataModule, AnomalibDataset",
    "anomalib.data": "from anomalib.data import MVTecAD, Folder",
    "anomalib.models": "from anomalib.models import Padim, Patchcore",
    "anomalib.utils.callbacks": "from anomalib.callbacks import ModelCheckpoint",
    "anomalib.utils.loggers": "from anomalib.loggers import configure_logger",
    "anomalib.utils.metrics": "from anomalib.metrics import AUROC, F1Score",
    "anomalib.utils.cli": "from anomalib.cli import AnomalibCLI",
    "anomalib.callbacks": "from anomalib.metrics import Evaluator",
    "anomalib.pre_processing": "from anomalib.pre_processing import PreProcessor",
    "anomalib.post_processing": "from anomalib.post_processing import PostProcessor",
}
"""Modules that are gone: the longest beginning counts."""
ENGINE = "Build it in Python: Engine().fit(model=Padim(), datamodule=MVTecAD(root='/data', category=...))"
_IMPORT = (
    r"cannot import name '(?P<name>[A-Za-z_][A-Za-z0-9_]{0,60})' from '(?P<module>anomalib(?:\.[a-z0-9_]{1,40}){0,6})'"
)
_MODULE = r"No module named '(?P<gone>anomalib(?:\.[a-z0-9_]{1,40}){1,6})'"


def _name(match: re.Match[str]) -> str:
    name = match["name"]
    if name in NAMES:
        return f"{OLDER}: write {NAMES[name]!r}."
    return f"{OLDER}: there is no {name} in {match['module']} any more. {ENGINE}."


def _module(match: re.Match[str]) -> str:
    gone = match["gone"]
    for length in range(gone.count(".") + 1, 1, -1):
        begins = ".".join(gone.split(".")[:length])
        if begins in MODULES:
            return f"{OLDER}: there is no {gone} any more; write {MODULES[begins]!r}, or what else you need from there."
    return f"{OLDER}: there is no {gone} any more. {ENGINE}."


ANOMALIB_HINTS = (
    Hint(sign=re.compile(_IMPORT), sentence=_name),
    Hint(sign=re.compile(_MODULE), sentence=_module),
    Hint(
        sign=re.compile(
            r"TypeError: (?P<owner>[A-Z]\w{0,40})\.__init__\(\) got an unexpected keyword argument "
            rf"'(?P<name>{'|'.join(ARGUMENTS)})'"
        ),
        sentence=lambda match: f"{OLDER}: {match['name']}= is gone; {ARGUMENTS[match['name']]}.",
    ),
    Hint(
        sign=re.compile(
            rf"(?:'ImageBatch' object has no attribute |Field )'(?P<name>{'|'.join(FIELDS)})'"
            r"(?: not found in ImageBatch|\s)"
        ),
        sentence=lambda match: f"{OLDER}: {match['name']} of a batch is called {FIELDS[match['name']]} now.",
    ),
    plain_hint(
        r"Batch fields must be provided for metric",
        'A metric of anomalib 2 is told what it compares: AUROC(fields=["pred_score", "gt_label"], prefix="image_").',
    ),
    plain_hint(
        r"Unknown type for dataloaders",
        "Name what Engine is given: fit, test and predict(model=..., datamodule=...).",
    ),
    plain_hint(
        r'datamodules/[\w/]{1,60}\.py", line \d{1,6}, in prepare_data',
        "anomalib found no data where it looked, and nothing can be downloaded here: give it root='/data' and a "
        "category of the benchmark.",
    ),
)
