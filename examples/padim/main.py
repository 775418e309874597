"""PaDiM by anomalib: fits each category of the benchmark, evaluates it, and writes metrics.json, curves and maps."""

import argparse
import json
import logging
import time
import warnings
from pathlib import Path
from statistics import fmean

from src.settings import Settings, read_settings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    settings = read_settings(arguments.config)
    print(f"PaDiM, {settings.backbone}, {settings.n_features} features: {', '.join(settings.categories)}", flush=True)
    write_whole(arguments.output / "metrics.json", run(settings, arguments.output))


def run(settings: Settings, output: Path) -> dict:
    """Every category in turn; answers what metrics.json holds."""
    quiet()
    # Here and not above: torch and anomalib take seconds to load, and the log has said by now what they are for.
    from src import padim, pictures, scores  # noqa: PLC0415

    metrics, curves, training_seconds = {}, {}, 0.0
    for number, category in enumerate(settings.categories, start=1):
        step = f"[{number}/{len(settings.categories)}] {category}:"
        print(f"{step} training …", flush=True)
        outcome = padim.fit_and_predict(settings, category)
        metrics[category], curves[category] = scores.metrics(outcome), scores.curves(outcome)
        training_seconds += outcome.training_seconds
        print(step, "  ".join(f"{name} {value:.3f}" for name, value in metrics[category].items()), flush=True)
        pictures.save_maps(outcome, output / "anomaly_maps" / category, settings.maps)
    pictures.save_curves(curves, output / "curves")
    return report(settings, metrics, training_seconds)


def quiet() -> None:
    """The libraries' advice on workers, loggers and coming renames is not for the reader of a job's log."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")


def report(settings: Settings, metrics: dict[str, dict[str, float]], training_seconds: float) -> dict:
    """Means over the categories under the board's names, and each category's own as category/name."""
    means = {name: fmean(values[name] for values in metrics.values()) for name in next(iter(metrics.values()))}
    each = {f"{category}/{name}": value for category, values in metrics.items() for name, value in values.items()}
    return {
        "params": {
            "method": f"PaDiM {settings.backbone}" + ("" if settings.pre_trained else ", random weights"),
            "dataset": settings.dataset,
            "epochs": 1,
            "batch_size": settings.batch_size,
            "categories": ",".join(settings.categories),
            "seed": settings.seed,
            "image_size": settings.image_size,
            "n_features": settings.n_features,
        },
        "metrics": means | each,
        "performance": {
            "training_time_seconds": training_seconds,
            "peak_gpu_memory_mb": max(values["vram_mb"] for values in metrics.values()),
            "inference_time_ms": means["inference_time_ms"],
        },
    }


def write_whole(path: Path, content: dict) -> None:
    """Write the report last and in one step: the file is never seen half written."""
    started = path.with_suffix(".part")
    started.write_text(json.dumps(content, indent=2, allow_nan=False))
    started.replace(path)


if __name__ == "__main__":
    begun = time.perf_counter()
    main()
    print(f"done in {time.perf_counter() - begun:.0f} s", flush=True)
