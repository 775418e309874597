"""PatchCore by anomalib: its Engine trains and tests each category, and its own metrics are reported."""

import argparse
import json
import logging
import os
import time
import warnings
from pathlib import Path
from statistics import fmean

import yaml

NAMES = {
    "image_AUROC": "image_auc",
    "image_F1Max": "image_f1",
    "pixel_AUROC": "pixel_auc",
    "pixel_F1Max": "pixel_f1",
    "pixel_AUPRO": "pixel_pro",
}
"""The board's names of anomalib's metrics; F1Max is the best F1 over all thresholds."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    job = json.loads(Path(os.environ.get("LEADERSBOARD_JOB", "/config/job.json")).read_text())
    settings = (yaml.safe_load(arguments.config.read_text()) or {}) | job["overrides"]
    categories = job["benchmark"]["categories"] if settings["categories"] == "all" else settings["categories"]
    print(f"PatchCore, {settings['backbone']}: {', '.join(categories)}", flush=True)
    quiet()
    begun = time.perf_counter()
    found = {}
    for category in categories:
        found[category] = evaluated(settings, category)
        print(category, "  ".join(f"{name} {value:.3f}" for name, value in found[category].items()), flush=True)
    report = {
        "params": {
            "method": f"PatchCore {settings['backbone']}",
            "dataset": job["benchmark"]["name"],
            "epochs": 1,
            **{name: value for name, value in settings.items() if name != "categories"},
            "categories": categories,
        },
        "metrics": {name: fmean(values[name] for values in found.values()) for name in found[categories[0]]}
        | {f"{category}/{name}": value for category, values in found.items() for name, value in values.items()},
        "performance": {"total_seconds": time.perf_counter() - begun},
    }
    started = arguments.output / "metrics.part"
    started.write_text(json.dumps(report, indent=2, allow_nan=False))
    started.replace(arguments.output / "metrics.json")  # in one step: the file is never seen half written
    print(f"done in {time.perf_counter() - begun:.0f} s", flush=True)


def quiet() -> None:
    """Bars and the libraries' advice on workers and coming renames are not for the reader of a job's log."""
    os.environ["TQDM_DISABLE"] = "1"
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")


def evaluated(settings: dict, category: str) -> dict[str, float]:
    """The metrics of one category under the board's names."""
    # Here and not above: torch and anomalib take seconds to load, and the log has said by now what they are for.
    from anomalib.data import MVTecAD  # noqa: PLC0415
    from anomalib.engine import Engine  # noqa: PLC0415
    from anomalib.models import Patchcore  # noqa: PLC0415
    from lightning.pytorch import seed_everything  # noqa: PLC0415

    seed_everything(settings["seed"], verbose=False)  # NumPy's, too: the coreset is chosen by chance
    data = MVTecAD(
        root=os.environ.get("LEADERSBOARD_DATA", "/data"),
        category=category,
        train_batch_size=settings["batch_size"],
        eval_batch_size=settings["batch_size"],
        num_workers=0,  # pictures this small are read faster than workers start
    )
    model = Patchcore(
        backbone=settings["backbone"],
        layers=settings["layers"],
        coreset_sampling_ratio=settings["coreset_sampling_ratio"],
        num_neighbors=settings["num_neighbors"],
        pre_processor=Patchcore.configure_pre_processor(image_size=(settings["image_size"],) * 2),
        evaluator=evaluator(),
        visualizer=False,
    )
    engine = Engine(accelerator="auto", logger=False, enable_progress_bar=False, enable_model_summary=False)
    engine.fit(model, datamodule=data)
    (values,) = engine.test(model, datamodule=data, verbose=False)
    return {NAMES[name]: float(value) for name, value in values.items()}


def evaluator():  # noqa: ANN201 - anomalib is loaded late
    """What the board shows, computed by anomalib; its own Engine would leave the per-region overlap out."""
    from anomalib.metrics import AUPRO, AUROC, Evaluator, F1Max  # noqa: PLC0415

    image, pixel = ["pred_score", "gt_label"], ["anomaly_map", "gt_mask"]
    kinds = [(AUROC, image, "image_"), (F1Max, image, "image_"), (AUROC, pixel, "pixel_"), (F1Max, pixel, "pixel_")]
    metrics = [kind(fields=fields, prefix=prefix) for kind, fields, prefix in [*kinds, (AUPRO, pixel, "pixel_")]]
    return Evaluator(test_metrics=metrics)


if __name__ == "__main__":
    main()
