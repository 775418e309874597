from pathlib import Path

import cv2
import numpy as np


def categories(root):
    return sorted(path.name for path in Path(root).iterdir() if (path / "train").is_dir())


def read(paths):
    return np.stack([cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32) for path in paths])


def train_images(root, name):
    return read(sorted(Path(root, name, "train", "good").glob("*.png")))


def test_images(root, name):
    paths = sorted(Path(root, name, "test").glob("*/*.png"))
    return read(paths), [path.parent.name != "good" for path in paths]
