"""Patches of photographs, and the defects that are drawn on them.

The photographs are scikit-image's `brick`, `grass` and `gravel`, which its documentation says are CC0. Patches to train
on are cut from the left part of a photograph and patches to test on from the right one, so that they share no pixel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

SIZE = 128
TRAIN_SHARE = 0.625
"""Of a photograph's columns; the rest is for patches to test on."""
PHOTOGRAPHS = {
    "brick": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    "grass": "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    "gravel": "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
}
"""SHA-256 of each file, so that every installation has the same pictures."""

Field = NDArray[np.float64]
"""(SIZE, SIZE): one value per pixel."""
Defect = Callable[[Field, Field, Generator, float], tuple[Field, Field]]
"""From patch, strip of the photograph, chance and strength to the changed patch and each pixel's share of defect."""

Y, X = np.mgrid[:SIZE, :SIZE].astype(np.float64)


def photograph(folder: Path, name: str) -> Field:
    """Grey values 0 to 255 of a photograph. Raises SystemExit if the file is another one than this program knows."""
    raw = (folder / f"{name}.png").read_bytes()
    if hashlib.sha256(raw).hexdigest() != PHOTOGRAPHS[name]:
        raise SystemExit(f"{name}.png of this scikit-image is another picture than that of 0.26: use that version")
    with Image.open(folder / f"{name}.png") as image:
        return np.asarray(image.convert("L")).astype(np.float64)


def strips(picture: Field) -> tuple[Field, Field]:
    """The part to train on and the part to test on."""
    column = int(picture.shape[1] * TRAIN_SHARE)
    return picture[:, :column], picture[:, column:]


def cut(strip: Field, rng: Generator) -> Field:
    """A patch from anywhere in the strip, mirrored or not."""
    top, left = (rng.integers(0, side - SIZE + 1) for side in strip.shape)
    patch = strip[top : top + SIZE, left : left + SIZE]
    return patch[:, ::-1] if rng.random() < 0.5 else patch


def camera(rng: Generator) -> Callable[[Field], NDArray[np.uint8]]:
    """Light and noise of one exposure."""
    gain, offset, noise = rng.normal(1, 0.04), rng.normal(0, 3), rng.normal(0, 2, (SIZE, SIZE))
    return lambda patch: np.clip(np.rint(gain * patch + offset + noise), 0, 255).astype(np.uint8)


def _blob(rng: Generator, smallest: float, largest: float) -> Field:
    """An ellipse somewhere in the patch: 1 inside, 0 outside, smooth over 2 pixels."""
    x, y = rng.uniform(20, SIZE - 20, 2)
    a, b = rng.uniform(smallest, largest, 2)
    turn = rng.uniform(0, np.pi)
    u = (X - x) * np.cos(turn) + (Y - y) * np.sin(turn)
    v = (Y - y) * np.cos(turn) - (X - x) * np.sin(turn)
    inside: Field = np.clip(0.5 + (1 - np.hypot(u / a, v / b)) * min(a, b) / 2, 0, 1)
    return inside


def scratch(patch: Field, _strip: Field, rng: Generator, strength: float) -> tuple[Field, Field]:
    """A bright or dark line."""
    x, y = rng.uniform(30, SIZE - 30, 2)
    turn, half, width = rng.uniform(0, np.pi), rng.uniform(20, 45), rng.uniform(1.2, 2.6)
    along = (X - x) * np.cos(turn) + (Y - y) * np.sin(turn)
    across = (Y - y) * np.cos(turn) - (X - x) * np.sin(turn)
    inside = np.clip(width + 0.5 - np.abs(across), 0, 1) * (np.abs(along) <= half)
    return patch + inside * strength * rng.choice([-120, 120]), inside


def stain(patch: Field, _strip: Field, rng: Generator, strength: float) -> tuple[Field, Field]:
    """A darker spot, under which the texture stays."""
    inside = _blob(rng, 9, 20)
    return patch * (1 - 0.7 * strength * inside), inside


def worn(patch: Field, _strip: Field, rng: Generator, strength: float) -> tuple[Field, Field]:
    """A spot without the finer structure."""
    inside = _blob(rng, 9, 20)
    soft = Image.fromarray(patch.astype(np.uint8)).filter(ImageFilter.BoxBlur(6))
    return patch + inside * strength * (np.asarray(soft, dtype=np.float64) - patch), inside


def foreign(patch: Field, strip: Field, rng: Generator, strength: float) -> tuple[Field, Field]:
    """A spot of the same material, turned by a right angle and a little darker or brighter."""
    inside = _blob(rng, 9, 20)
    other = np.rot90(cut(strip, rng)) + rng.choice([-60, 60]) * strength
    return patch + inside * (other - patch), inside


DEFECTS: tuple[Defect, ...] = (scratch, stain, worn, foreign)


def draw(strip: Field, rng: Generator, defect: Defect | None, strength: float) -> tuple[Image.Image, Image.Image]:
    """A patch and its mask; outside the mask it is what it would be without the defect, to the bit."""
    patch = cut(strip, rng)
    expose = camera(rng)
    changed, inside = defect(patch, strip, rng, strength) if defect else (patch, np.zeros((SIZE, SIZE)))
    mask = inside > 0
    pixels = np.where(mask, expose(changed), expose(patch))
    return Image.fromarray(pixels).convert("RGB"), Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
