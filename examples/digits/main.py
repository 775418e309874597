"""Digits by scikit-learn's logistic regression: writes the ten probabilities of each picture to test on."""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import yaml
from PIL import Image
from sklearn.linear_model import LogisticRegression


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    job = json.loads(Path(os.environ.get("LEADERSBOARD_JOB", "/config/job.json")).read_text())
    data = Path(os.environ.get("LEADERSBOARD_DATA", "/data"))
    settings = yaml.safe_load(arguments.config.read_text()) | job["overrides"]
    known = json.loads((data / "train.json").read_text())
    trained = {name: digit for name, digit in known.items() if (data / "train" / f"{name}.png").is_file()}
    model = LogisticRegression(C=settings["C"], max_iter=settings["max_iter"])
    model.fit(pictures(data / "train", list(trained)), list(trained.values()))
    ids = json.loads((data / "ids.json").read_text())["test"]
    rows = {name: [0.0] * 10 for name in ids}
    for name, row in zip(ids, model.predict_proba(pictures(data / "test", ids)), strict=True):
        for digit, probability in zip(model.classes_, row, strict=True):
            rows[name][int(digit)] = float(probability)
    (arguments.output / "predictions").mkdir()
    (arguments.output / "predictions" / "probabilities.json").write_text(json.dumps(rows))
    params = {"method": "logistic regression", "dataset": job["benchmark"]["name"], **settings}
    (arguments.output / "metrics.json").write_text(json.dumps({"params": params, "metrics": {}}))
    print(f"{len(trained)} pictures to train on, {len(ids)} to test on", flush=True)


def pictures(folder: Path, names: list[str]) -> np.ndarray:
    """One row of 64 values from 0 to 1 for each picture."""
    rows = []
    for name in names:
        with Image.open(folder / f"{name}.png") as image:
            rows.append(np.asarray(image, dtype=np.float64).ravel() / 255)
    return np.stack(rows)


if __name__ == "__main__":
    main()
