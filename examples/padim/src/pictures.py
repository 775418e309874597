"""The pictures that stay with a run: curves over all categories, and some anomaly maps beside input and truth."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch

mpl.use("Agg")  # there is no screen
import matplotlib.pyplot as plt
from PIL import Image, ImageDraw

from src.padim import Outcome
from src.scores import Curve

AXES = {
    "ROC": ("false positive rate", "true positive rate"),
    "PR": ("recall", "precision"),
    "PRO": ("false positive rate", "overlap per region"),
}
POINTS = 1000  # a curve over pixels has half a million
SIDE, GAP, HEADING = 224, 6, 18  # pixels


def save_curves(found: dict[str, dict[str, Curve]], folder: Path) -> None:
    """roc.png, pr.png and pro.png: one line per category."""
    folder.mkdir(parents=True, exist_ok=True)
    titles = list(next(iter(found.values())))
    for kind, (x_label, y_label) in AXES.items():
        panels = [title for title in titles if title.split(",")[0] == kind]
        size = (4.6 * len(panels), 4.2)
        figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False, layout="constrained")
        for axis, title in zip(axes[0], panels, strict=True):
            for category, lines in found.items():
                axis.plot(*thinned(*lines[title]), label=category, linewidth=1.8)
            axis.set(title=title, xlabel=x_label, ylabel=y_label, xlim=(0, 0.3 if kind == "PRO" else 1), ylim=(0, 1.02))
            axis.grid(alpha=0.25)
            axis.legend(frameon=False, loc="lower left" if kind == "PR" else "lower right")
        figure.savefig(folder / f"{kind.lower()}.png", dpi=110)
        plt.close(figure)


def thinned(x: torch.Tensor, y: torch.Tensor) -> Curve:
    """At most POINTS of a curve's points, evenly spaced along its way."""
    way = torch.cat([torch.zeros(1), (x.diff().abs() + y.diff().abs()).cumsum(0)])
    places = torch.searchsorted(way, torch.linspace(0, float(way[-1]), POINTS)).clamp(max=len(x) - 1).unique()
    return x[places], y[places]


def save_maps(outcome: Outcome, folder: Path, count: int) -> None:
    """Input | anomaly map | truth for `count` pictures with defects, from the most to the least anomalous found."""
    folder.mkdir(parents=True, exist_ok=True)
    batch = outcome.batch.to_numpy()
    lowest, highest = np.quantile(batch.anomaly_map, [0.02, 0.999])  # one scale, so that maps can be compared
    defective = [place for place in np.argsort(-batch.pred_score) if batch.gt_label[place]]
    for place in np.linspace(0, len(defective) - 1, min(count, len(defective))).round().astype(int):
        index = defective[place]
        heat = np.clip((batch.anomaly_map[index] - lowest) / (highest - lowest), 0, 1)
        *_, defect, file = Path(batch.image_path[index]).parts
        panels = {"input": batch.image[index], "anomaly map": heat, f"truth: {defect}": batch.gt_mask[index]}
        side_by_side(panels).save(folder / f"{defect}_{Path(file).stem}.png")


def side_by_side(panels: dict[str, np.ndarray]) -> Image.Image:
    """The panels under their names; the second, a map, is laid over the first."""
    (first, picture), (second, heat), (third, truth) = panels.items()
    plain = picture.transpose(1, 2, 0) if picture.shape[0] == 3 else picture
    coloured = mpl.colormaps["inferno"](heat)[..., :3]
    overlaid = 0.35 * plain + 0.65 * coloured
    drawn = {first: plain, second: overlaid, third: np.repeat(truth[..., None].astype(float), 3, axis=2)}
    sheet = Image.new("RGB", (3 * (SIDE + GAP) - GAP, SIDE + HEADING), "white")
    for column, (name, pixels) in enumerate(drawn.items()):
        tile = Image.fromarray((255 * np.clip(pixels, 0, 1)).astype(np.uint8))
        sheet.paste(tile.resize((SIDE, SIDE), Image.Resampling.BICUBIC), (column * (SIDE + GAP), HEADING))
        ImageDraw.Draw(sheet).text((column * (SIDE + GAP) + 2, 2), name, fill="black")
    return sheet
