"""A rival without a neural network: brightness, contrast and edges around each pixel, and how unusual they are."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import tifffile
import yaml
from PIL import Image
from scipy import ndimage


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    begun = time.perf_counter()
    job = json.loads(Path(os.environ.get("LEADERSBOARD_JOB", "/config/job.json")).read_text())
    data = Path(os.environ.get("LEADERSBOARD_DATA", "/data"))
    settings = yaml.safe_load(arguments.config.read_text()) | job["overrides"]
    maps = arguments.output / "predictions" / "maps"
    maps.mkdir(parents=True)
    scores = {}
    for category, ids in json.loads((data / "ids.json").read_text()).items():
        model = fit(sorted((data / category / "train" / "good").glob("*.png")), settings["scales"])
        for number in ids:
            found = anomaly_map(data / category / "test" / f"{number}.png", model, settings)
            tifffile.imwrite(maps / f"{number}.tiff", found.astype(np.float32), compression="zlib")
            scores[number] = float(found.max())
        print(f"{category}: {len(ids)} pictures, {time.perf_counter() - begun:.0f} s", flush=True)
    (arguments.output / "predictions" / "scores.json").write_text(json.dumps(scores))
    params = {"method": "local statistics", "dataset": job["benchmark"]["name"], "epochs": 1, "batch_size": 1}
    (arguments.output / "metrics.json").write_text(json.dumps({"params": params | settings, "metrics": {}}))


def features(path: Path, scales: list[float]) -> np.ndarray:
    """Of each pixel (height × width × features): local mean, contrast and edge strength, at each scale (pixels)."""
    with Image.open(path) as image:
        grey = np.asarray(image.convert("L"), dtype=np.float32) / 255
    edges = ndimage.gaussian_gradient_magnitude(grey, 1)
    found = []
    for scale in scales:
        mean = ndimage.gaussian_filter(grey, scale)
        contrast = np.sqrt(ndimage.gaussian_filter((grey - mean) ** 2, scale))
        found += [mean, contrast, ndimage.gaussian_filter(edges, scale)]
    return np.stack(found, axis=2)


def fit(paths: list[Path], scales: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and inverse covariance of the features of all normal pixels."""
    rows = np.concatenate([features(path, scales).reshape(-1, 3 * len(scales)) for path in paths])
    covariance = np.cov(rows, rowvar=False) + 1e-6 * np.eye(rows.shape[1])
    return rows.mean(axis=0), np.linalg.inv(covariance)


def anomaly_map(path: Path, model: tuple[np.ndarray, np.ndarray], settings: dict) -> np.ndarray:
    """Mahalanobis distance of each pixel's features, smoothed so that single noisy pixels do not decide."""
    mean, inverse = model
    away = features(path, settings["scales"]) - mean
    distance = np.sqrt(np.maximum(np.einsum("yxi,ij,yxj->yx", away, inverse, away), 0))
    return ndimage.gaussian_filter(distance, settings["smoothing"])


if __name__ == "__main__":
    main()
