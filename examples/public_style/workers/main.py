"""Colour histograms, read by DataLoader workers that are spawned; scored by a pool of processes."""

import argparse
import json
import multiprocessing as mp
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return torch.from_numpy(np.array(Image.open(self.paths[index]).convert("RGB")))


def histogram(picture):
    return np.concatenate([np.histogram(picture[..., c], bins=32, range=(0, 256))[0] for c in range(3)])


def features(paths, pool):
    loader = DataLoader(Pictures(paths), batch_size=8, num_workers=2, multiprocessing_context="spawn")
    return np.stack([one for batch in loader for one in pool.map(histogram, batch.numpy())])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--category", default="grain")
    args = parser.parse_args()

    root = Path("/data", args.category)
    test = sorted(root.glob("test/*/*.png"))
    with mp.Pool(2) as pool:
        train_features = features(sorted(root.glob("train/good/*.png")), pool)
        test_features = features(test, pool)
    mean, std = train_features.mean(0), train_features.std(0) + 1
    scores = np.abs((test_features - mean) / std).mean(1)
    auc = roc_auc_score([path.parent.name != "good" for path in test], scores)
    print("AUROC", auc)
    report = {"params": {"method": "histogram", "num_workers": 2}, "metrics": {"image_auc": float(auc)}}
    (args.output / "metrics.json").write_text(json.dumps(report))


if __name__ == "__main__":
    mp.set_start_method("spawn")
    main()
