"""A rival without a neural network: how far each test picture is from the mean of the flawless ones, pixel by pixel."""

import argparse
import json
import os
import time
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
import yaml
from anomalib.data import ImageBatch
from anomalib.metrics import AUPRO
from PIL import Image
from sklearn.metrics import precision_recall_curve, roc_auc_score


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    job = json.loads(Path(os.environ.get("LEADERSBOARD_JOB", "/config/job.json")).read_text())
    data = Path(os.environ.get("LEADERSBOARD_DATA", "/data"))
    smoothing = int((yaml.safe_load(arguments.config.read_text()) | job["overrides"])["smoothing"])
    found, training_seconds = {}, 0.0
    for category in job["benchmark"]["categories"]:
        begun = time.perf_counter()
        normal = fit(data / category / "train" / "good")
        training_seconds += time.perf_counter() - begun
        found[category] = evaluate(data / category, normal, smoothing)
        print(f"{category}:", "  ".join(f"{name} {value:.3f}" for name, value in found[category].items()), flush=True)
    params = {"method": "mean difference", "dataset": job["benchmark"]["name"], "epochs": 1, "batch_size": 1}
    report(arguments.output / "metrics.json", params | {"smoothing": smoothing}, found, training_seconds)


def report(path: Path, params: dict, found: dict[str, dict[str, float]], training_seconds: float) -> None:
    """Means over the categories, and each category's own; written last and in one step."""
    means = {name: fmean(values[name] for values in found.values()) for name in next(iter(found.values()))}
    each = {f"{category}/{name}": value for category, values in found.items() for name, value in values.items()}
    performance = {"training_time_seconds": training_seconds, "inference_time_ms": means["inference_time_ms"]}
    content = {"params": params, "metrics": means | each, "performance": performance}
    started = path.with_suffix(".part")
    started.write_text(json.dumps(content, indent=2, allow_nan=False))
    started.replace(path)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=float) / 255


def fit(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of every pixel over the flawless pictures."""
    pictures = np.stack([read(path) for path in sorted(folder.glob("*.png"))])
    return pictures.mean(axis=0), pictures.std(axis=0) + 0.02


def anomaly_map(picture: np.ndarray, mean: np.ndarray, spread: np.ndarray, smoothing: int) -> np.ndarray:
    """Distance in spreads, averaged over a window of `smoothing` pixels so that single noisy ones do not decide."""
    distance = (np.abs(picture - mean) / spread).mean(axis=-1)
    window = np.ones(smoothing) / smoothing
    for axis in (0, 1):
        distance = np.apply_along_axis(np.convolve, axis, distance, window, mode="same")
    return distance


def evaluate(category: Path, normal: tuple[np.ndarray, np.ndarray], smoothing: int) -> dict[str, float]:
    maps, masks, seconds = [], [], 0.0
    for path in sorted(category.glob("test/*/*.png")):
        picture = read(path)
        begun = time.perf_counter()
        maps.append(anomaly_map(picture, *normal, smoothing))
        seconds += time.perf_counter() - begun
        truth = category / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
        masks.append(read(truth)[..., 0] > 0 if truth.exists() else np.zeros(picture.shape[:2], bool))
    cost = {"inference_time_ms": 1000 * seconds / len(maps), "vram_mb": 0.0}
    return metrics(np.stack(maps), np.stack(masks)) | cost


def metrics(maps: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """A picture's score is that of its most anomalous place."""
    scores, defective = maps.max(axis=(1, 2)), masks.any(axis=(1, 2))
    return {
        "image_auc": float(roc_auc_score(defective, scores)),
        "image_f1": best_f1(defective, scores),
        "pixel_auc": float(roc_auc_score(masks.ravel(), maps.ravel())),
        "pixel_f1": best_f1(masks.ravel(), maps.ravel()),
        "pixel_pro": region_overlap(maps, masks),
    }


def region_overlap(maps: np.ndarray, masks: np.ndarray) -> float:
    pictures = torch.zeros(len(maps), 3, *maps.shape[1:])
    metric = AUPRO(fields=["anomaly_map", "gt_mask"])
    metric.update(ImageBatch(image=pictures, anomaly_map=torch.tensor(maps), gt_mask=torch.tensor(masks)))
    return float(metric.compute())


def best_f1(truth: np.ndarray, score: np.ndarray) -> float:
    precision, recall, _ = precision_recall_curve(truth, score)
    return float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max())


if __name__ == "__main__":
    main()
