"""How good the answers are: anomalib's and torchmetrics' metrics, and the curves behind them."""

from dataclasses import replace

import torch
from anomalib.data import ImageBatch
from anomalib.metrics import AUPRO, AUROC, F1Max
from torchmetrics.functional.classification import binary_precision_recall_curve, binary_roc

from src.padim import Outcome

IMAGE, PIXEL = ["pred_score", "gt_label"], ["anomaly_map", "gt_mask"]
METRICS = {
    "image_auc": (AUROC, IMAGE),
    "image_f1": (F1Max, IMAGE),
    "pixel_auc": (AUROC, PIXEL),
    "pixel_f1": (F1Max, PIXEL),
    "pixel_pro": (AUPRO, PIXEL),
}
Curve = tuple[torch.Tensor, torch.Tensor]  # x and y


def metrics(outcome: Outcome) -> dict[str, float]:
    batch, found = scaled(outcome.batch), {}
    for name, (kind, of) in METRICS.items():
        metric = kind(fields=of)
        metric.update(batch)
        found[name] = float(metric.compute())
    found["inference_time_ms"] = 1000 * outcome.inference_seconds / len(batch.image)
    found["vram_mb"] = outcome.vram_mb
    return found


def scaled(batch: ImageBatch) -> ImageBatch:
    """The same answers between 0 and 1, in the same order.

    torchmetrics squashes anything outside 0 to 1 with a sigmoid, where Mahalanobis distances of 20 and 30 are both 1.
    """
    return replace(batch, pred_score=stretched(batch.pred_score), anomaly_map=stretched(batch.anomaly_map))


def stretched(values: torch.Tensor) -> torch.Tensor:
    return (values - values.min()) / (values.max() - values.min()).clamp(min=1e-12)


def curves(outcome: Outcome) -> dict[str, Curve]:
    """The curves by name: "ROC, images", "ROC, pixels", "PR, images", "PR, pixels" and "PRO"."""
    batch, found = scaled(outcome.batch), {}
    for what, (answer, truth) in {"images": IMAGE, "pixels": PIXEL}.items():
        answers, truths = getattr(batch, answer).flatten(), getattr(batch, truth).flatten().int()
        found[f"ROC, {what}"] = binary_roc(answers, truths)[:2]
        precision, recall, _ = binary_precision_recall_curve(answers, truths)
        found[f"PR, {what}"] = (recall, precision)
    overlap = AUPRO(fields=PIXEL)
    overlap.update(batch)
    found["PRO"] = overlap.compute_pro(cca=overlap.perform_cca(), preds=batch.anomaly_map)
    return found
