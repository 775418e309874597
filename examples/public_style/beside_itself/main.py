"""Template matching baseline. Keeps its cache, log, table and plot beside the script."""

import argparse
import csv
import json
import logging
import os

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(HERE, "cache")
os.makedirs(CACHE, exist_ok=True)
logging.basicConfig(filename=os.path.join(HERE, "train.log"), level=logging.INFO)

parser = argparse.ArgumentParser()
parser.add_argument("--config")
parser.add_argument("--output", default="output")
args = parser.parse_args()


def load(folder):
    files = sorted(os.path.join(folder, f) for f in os.listdir(folder))
    return np.stack([np.asarray(Image.open(f).convert("L"), dtype=np.float32) for f in files])


rows = []
for category in sorted(os.listdir("/data")):
    if not os.path.isdir(os.path.join("/data", category)):
        continue
    cached = os.path.join(CACHE, f"{category}.npy")
    if not os.path.exists(cached):
        np.save(cached, load(f"/data/{category}/train/good").mean(axis=0))
    mean = np.load(cached)
    scores, labels = [], []
    for defect in os.listdir(f"/data/{category}/test"):
        for image in load(f"/data/{category}/test/{defect}"):
            scores.append(np.sort(np.abs(image - mean).ravel())[-100:].mean())
            labels.append(defect != "good")
    auc = roc_auc_score(labels, scores)
    logging.info("%s: %.4f", category, auc)
    rows.append((category, auc))

with open("results.csv", "w", newline="") as f:
    csv.writer(f).writerows([("category", "auc"), *rows])

plt.bar([r[0] for r in rows], [r[1] for r in rows])
plt.title("カテゴリ別の検出性能 (AUROC)")
plt.savefig("result.png")
plt.savefig(os.path.join(args.output, "result.png"))

json.dump(
    {"params": {"method": "template"}, "metrics": {"image_auc": float(np.mean([r[1] for r in rows]))}},
    open(os.path.join(args.output, "metrics.json"), "w"),
)
print("done, log in", os.path.join(HERE, "train.log"))
