import argparse
import json
import os

from models.nearest import NearestNeighbour
from utils.data import categories, test_images, train_images
from utils.metrics import auroc

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", default="configs/default.yaml")
    parser.add_argument("--output", default="runs")
    opt = parser.parse_args()

    scores = {}
    for name in categories("/data"):
        model = NearestNeighbour().fit(train_images("/data", name))
        images, labels = test_images("/data", name)
        scores[name] = auroc(labels, model.score(images))
        print(f"{name}: {scores[name]:.4f}")

    os.makedirs(opt.output, exist_ok=True)
    with open(os.path.join(opt.output, "metrics.json"), "w") as f:
        json.dump({"params": {"method": "nearest"}, "metrics": {"image_auc": sum(scores.values()) / len(scores)}}, f)
