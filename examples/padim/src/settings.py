"""What to run: config.yaml, then what the job overrides; the categories come from the benchmark."""

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

import yaml


@dataclass(frozen=True, kw_only=True)
class Settings:
    categories: list[str]
    dataset: str
    data: Path
    seed: int = 1
    image_size: int = 128
    backbone: str = "tf_efficientnet_lite0"
    pre_trained: bool = True
    layers: tuple[str, ...] = ("blocks.1", "blocks.2", "blocks.4")
    n_features: int = 100
    batch_size: int = 16
    maps: int = 3


def read_settings(config: Path) -> Settings:
    """Raises SystemExit with a sentence for the log when a category is not in the data."""
    job = json.loads(Path(os.environ.get("LEADERSBOARD_JOB", "/config/job.json")).read_text())
    data = Path(os.environ.get("LEADERSBOARD_DATA", "/data"))
    wanted = (yaml.safe_load(config.read_text()) or {}) | job.get("overrides", {})
    known = {field.name for field in fields(Settings)} - {"dataset", "data"}
    if ignored := sorted(set(wanted) - known):
        print(f"not a setting of this submission, ignored: {', '.join(ignored)}", flush=True)
    chosen = {name: value for name, value in wanted.items() if name in known}
    if chosen.get("categories", "all") == "all":
        chosen["categories"] = job["benchmark"]["categories"]
    for category in chosen["categories"]:
        if not (data / category / "train" / "good").is_dir():
            raise SystemExit(f"the benchmark has no category {category!r}")
    return Settings(dataset=job["benchmark"]["name"], data=data, **chosen)
