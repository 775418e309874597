"""One category: PaDiM fitted to the flawless pictures, then asked about the test pictures."""

import time
from collections import defaultdict
from dataclasses import dataclass

import torch
from anomalib.data import ImageBatch, MVTecAD
from anomalib.engine import Engine
from anomalib.models import Padim
from torch.nn.functional import interpolate

from src.settings import Settings

SCRATCH = "/tmp/anomalib"  # noqa: S108 - the sandbox's own /tmp, gone with it


@dataclass(kw_only=True)
class Outcome:
    """All test pictures of a category with the truth and the model's answers, and what it cost."""

    batch: ImageBatch  # image (0 to 1), gt_label, gt_mask, pred_score, anomaly_map, image_path
    training_seconds: float
    inference_seconds: float
    vram_mb: float


def fit_and_predict(settings: Settings, category: str) -> Outcome:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(settings.seed)
    data = MVTecAD(
        root=settings.data,
        category=category,
        train_batch_size=settings.batch_size,
        eval_batch_size=settings.batch_size,
        num_workers=0,  # pictures this small are read faster than workers start
    )
    model = build(settings)
    begun = time.perf_counter()
    # Barebones: no checkpoint, no progress bar, no logger; fitting a Gaussian needs none of them.
    engine = Engine(barebones=True, accelerator="auto", default_root_dir=SCRATCH, limit_val_batches=0)
    engine.fit(model, datamodule=data)
    return predict(model.to(device).eval(), data, device, training_seconds=time.perf_counter() - begun)


def build(settings: Settings) -> Padim:
    try:
        return Padim(
            backbone=settings.backbone,
            pre_trained=settings.pre_trained,
            layers=list(settings.layers),
            n_features=settings.n_features,
            pre_processor=Padim.configure_pre_processor(image_size=(settings.image_size, settings.image_size)),
            post_processor=False,  # scores.py looks at the scores as they are
            evaluator=False,
            visualizer=False,
        )
    except OSError as error:  # timm asked its hub, and there is no network
        raise SystemExit(f"the sandbox image has no weights of {settings.backbone}: set pre_trained: false") from error


@torch.inference_mode()
def predict(model: Padim, data: MVTecAD, device: torch.device, *, training_seconds: float) -> Outcome:
    """The model's answers are at its own image size, and so are pictures and masks."""
    parts: dict[str, list] = defaultdict(list)
    seconds = 0.0
    for batch in data.test_dataloader():
        image, mask = model.pre_processor.transform(batch.image, batch.gt_mask)
        begun = clock(device)
        answer = model.model(image.to(device))
        seconds += clock(device) - begun
        parts["image"].append(interpolate(batch.image, size=image.shape[-2:], mode="bilinear"))
        parts["gt_mask"].append(mask)
        parts["gt_label"].append(batch.gt_label)
        parts["pred_score"].append(answer.pred_score.flatten().cpu())
        parts["anomaly_map"].append(answer.anomaly_map.squeeze(1).cpu())
        parts["image_path"].extend(batch.image_path)
    paths = parts.pop("image_path")
    return Outcome(
        batch=ImageBatch(image_path=paths, **{name: torch.cat(tensors) for name, tensors in parts.items()}),
        training_seconds=training_seconds,
        inference_seconds=seconds,
        vram_mb=torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else 0.0,
    )


def clock(device: torch.device) -> float:
    """Seconds; on a GPU after all that was asked of it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
