"""PaDiM by anomalib, for benchmarks that the platform scores: writes scores and maps, and knows no labels."""

import argparse
import json
import logging
import os
import time
import warnings
from pathlib import Path

import numpy as np
import tifffile
import yaml
from PIL import Image


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    begun = time.perf_counter()
    job = json.loads(Path(os.environ.get("LEADERSBOARD_JOB", "/config/job.json")).read_text())
    data = Path(os.environ.get("LEADERSBOARD_DATA", "/data"))
    settings = yaml.safe_load(arguments.config.read_text()) | job["overrides"]
    print(f"PaDiM, {settings['backbone']}, {settings['n_features']} features", flush=True)
    logging.disable(logging.WARNING)  # advice on coming renames is not for the reader of a job's log
    warnings.simplefilter("ignore")
    (arguments.output / "predictions" / "maps").mkdir(parents=True)
    scores = {}
    for category, ids in json.loads((data / "ids.json").read_text()).items():
        scores |= predicted(data / category, ids, settings, arguments.output / "predictions" / "maps")
        print(f"{category}: {len(ids)} pictures, {time.perf_counter() - begun:.0f} s", flush=True)
    (arguments.output / "predictions" / "scores.json").write_text(json.dumps(scores))
    params = {"method": f"PaDiM {settings['backbone']}", "dataset": job["benchmark"]["name"], "epochs": 1}
    (arguments.output / "metrics.json").write_text(json.dumps({"params": params | settings, "metrics": {}}))


def predicted(category: Path, ids: list[str], settings: dict, maps: Path) -> dict[str, float]:
    """Fits the normal pictures, writes a map for each picture to test on, and answers their scores."""
    # Here and not above: torch and anomalib take seconds to load, and the log has said by now what they are for.
    import torch  # noqa: PLC0415
    from anomalib.models.image.padim.torch_model import PadimModel  # noqa: PLC0415
    from torch.nn.functional import interpolate  # noqa: PLC0415

    torch.manual_seed(settings["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = PadimModel(settings["backbone"], settings["layers"], n_features=settings["n_features"]).to(device)
    model.train()
    model.feature_extractor.eval()  # its weights and statistics stay those of ImageNet
    for batch in batches(sorted((category / "train" / "good").glob("*.png")), settings["batch_size"]):
        model(torch.from_numpy(np.stack([read(path, settings["image_size"]) for path in batch])).to(device))
    model.fit()
    model.eval()
    scores = {}
    for batch in batches([category / "test" / f"{number}.png" for number in ids], settings["batch_size"]):
        answer = model(torch.from_numpy(np.stack([read(path, settings["image_size"]) for path in batch])).to(device))
        for path, found in zip(batch, answer.anomaly_map, strict=True):
            with Image.open(path) as image:
                size = image.height, image.width
            as_large = interpolate(found.reshape(1, 1, *found.shape[-2:]), size, mode="bilinear")[0, 0].cpu().numpy()
            tifffile.imwrite(maps / f"{path.stem}.tiff", as_large.astype(np.float32), compression="zlib")
            scores[path.stem] = float(found.max())
    return scores


def batches(paths: list[Path], size: int) -> list[list[Path]]:
    return [paths[start : start + size] for start in range(0, len(paths), size)]


def read(path: Path, size: int) -> np.ndarray:
    """A picture as the backbone was trained on (3 × size × size): ImageNet's mean and spread taken off."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR), dtype=np.float32)
    mean, spread = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return ((pixels / 255 - mean) / spread).transpose(2, 0, 1)


if __name__ == "__main__":
    main()
