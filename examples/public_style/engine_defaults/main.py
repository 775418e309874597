"""Train PaDiM with anomalib's defaults and test it. Results go to ./results."""

import argparse
import json
from pathlib import Path

from anomalib.data import MVTecAD
from anomalib.engine import Engine
from anomalib.models import Padim


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", default=None)
    parser.add_argument("--category", default="weave")
    parser.add_argument("--output", default="./output")
    return parser.parse_args()


def main():
    args = parse_args()

    datamodule = MVTecAD(root="/data", category=args.category, train_batch_size=8, eval_batch_size=8)
    model = Padim(backbone="tf_efficientnet_lite0", layers=["blocks.1", "blocks.2"], n_features=50)
    engine = Engine()

    engine.fit(datamodule=datamodule, model=model)
    results = engine.test(datamodule=datamodule, model=model, ckpt_path=engine.best_model_path)
    engine.predict(datamodule=datamodule, model=model)
    print("exported to", engine.export(model=model, export_type="torch"))

    with Path(args.output, "metrics.json").open("w") as f:
        json.dump({"params": {"method": "PaDiM", "category": args.category}, "metrics": results[0]}, f, indent=2)


if __name__ == "__main__":
    main()
