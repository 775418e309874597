"""What the synthetic pictures show: three surfaces, the defects that befall them, and the camera's share.

A surface is a function from coordinates to colours: a part is moved, taken away or twisted by asking for the colours
of other coordinates, so that picture and mask always agree.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

SIZE = 128

Field = NDArray[np.float64]  # (SIZE, SIZE): one value per pixel
Picture = NDArray[np.float64]  # (SIZE, SIZE, 3), 0 to 1
Mask = NDArray[np.bool_]  # (SIZE, SIZE)
Surface = Callable[[Field, Field], Picture]
Defect = Callable[[Surface, Generator, float], tuple[Picture, Mask]]

Y, X = np.mgrid[:SIZE, :SIZE].astype(np.float64) - (SIZE - 1) / 2


# --- drawing -----------------------------------------------------------------------------------------------------


def _mix(low: tuple[float, ...], high: tuple[float, ...], share: Field) -> Picture:
    dark, light = (np.array(colour, dtype=np.float64) for colour in (low, high))
    return dark + share[..., None] * (light - dark)


def _inside(distance: Field) -> Field:
    """How much of a pixel lies within an edge at signed `distance` (pixels): 1 inside, 0 outside, smooth between."""
    return np.clip(0.5 - distance, 0.0, 1.0)


def _turned(x: Field, y: Field, angle: float | Field) -> tuple[Field, Field]:
    return x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)


def _noise(rng: Generator, across: float, along: float, waves: int = 24) -> Callable[[Field, Field], Field]:
    """Smooth noise of unit variance that can be asked for anywhere: waves of about the given lengths (pixels)."""
    fx, fy = rng.normal(0, 1 / across, waves), rng.normal(0, 1 / along, waves)
    phase = rng.uniform(0, 2 * np.pi, waves)

    def at(x: Field, y: Field) -> Field:
        waves_there = np.cos(2 * np.pi * (x[..., None] * fx + y[..., None] * fy) + phase)
        return np.asarray(waves_there.sum(axis=-1) * np.sqrt(2 / waves))

    return at


# --- surfaces ----------------------------------------------------------------------------------------------------


def weave(rng: Generator) -> Surface:
    """Cloth in plain weave, laid a little differently under the camera each time."""
    angle, pitch = rng.normal(0, 0.015), 8 * rng.normal(1, 0.006)
    shift, uneven, pull = rng.normal(0, 1.5, 2), _noise(rng, 30, 30), _noise(rng, 60, 60)

    def at(x: Field, y: Field) -> Picture:
        u, v = _turned(x + 0.5 * pull(x, y) + shift[0], y + 0.5 * pull(y, x) + shift[1], angle)
        warp, weft = np.cos(np.pi * u / pitch), np.cos(np.pi * v / pitch)
        over = _inside(-6 * warp * weft)
        light = 0.62 + 0.04 * uneven(x, y) + 0.3 * (over * np.abs(warp) + (1 - over) * np.abs(weft) - 0.6)
        return light[..., None] * _mix((0.55, 0.66, 0.85), (0.94, 0.88, 0.76), over)

    return at


def grain(rng: Generator) -> Surface:
    """A sawn board: year rings that wander, and fibres along them."""
    wander, fibre, ring = _noise(rng, 140, 60), _noise(rng, 60, 2.5, 64), rng.uniform(0, 2 * np.pi)
    tone, pitch = rng.normal(0, 0.01), 15 * rng.normal(1, 0.08)

    def at(x: Field, y: Field) -> Picture:
        rings = 0.5 + 0.5 * np.sin(2 * np.pi * (y + 4 * wander(x, y)) / pitch + ring)
        share = np.clip(0.75 * rings**2 + 0.12 * fibre(x, y) + 0.1, 0, 1)
        return _mix((0.74 + tone, 0.56 + tone, 0.36), (0.47 + tone, 0.30 + tone, 0.17), share)

    return at


def gear(rng: Generator) -> Surface:
    """A turned wheel with 12 teeth, a bore and 6 holes, on a dark tray; its place and turn vary a little."""
    (cx, cy), angle = rng.normal(0, 1.1, 2), rng.normal(0, 0.025)
    tray, turned, glint = _noise(rng, 25, 25), _noise(rng, 4, 1e9), rng.normal(0.8, 0.15)

    def at(x: Field, y: Field) -> Picture:
        u, v = _turned(x - cx, y - cy, angle)
        radius, around = np.hypot(u, v), np.arctan2(v, u)
        rim = 47 + 6 * np.tanh(3 * np.cos(12 * around))
        sixth = (around + np.pi / 6) % (np.pi / 3) - np.pi / 6
        hole = np.hypot(radius * np.cos(sixth) - 30, radius * np.sin(sixth))
        metal = _inside(radius - rim) * _inside(13 - radius) * _inside(5.5 - hole)
        light = 0.62 + 0.03 * turned(radius, around) + 0.10 * np.cos(2 * (around - glint))
        tray_colour = _mix((0.10, 0.12, 0.15), (0.16, 0.18, 0.21), 0.5 + 0.25 * tray(x, y))
        steel = light[..., None] * np.array([0.97, 0.99, 1.03])
        return np.asarray(tray_colour + metal[..., None] * (steel - tray_colour))

    return at


# --- defects: each answers the whole picture and the pixels that it touched; strength goes from 1 down to 0.25 ------


def _place(rng: Generator, margin: float) -> tuple[float, float]:
    reach = SIZE / 2 - margin
    return float(rng.uniform(-reach, reach)), float(rng.uniform(-reach, reach))


def _blob(rng: Generator, radius: float, spot: tuple[float, float]) -> Field:
    """Signed distance (pixels) to the edge of an uneven patch around `spot`."""
    u, v = _turned(X - spot[0], Y - spot[1], rng.uniform(0, np.pi))
    ripple = 1 + 0.12 * np.cos(3 * np.arctan2(v, u) + rng.uniform(0, 2 * np.pi))
    return np.hypot(u / 1.25, v * 1.25) - radius * ripple


def _painted(picture: Picture, colour: Picture, share: Field) -> tuple[Picture, Mask]:
    touched = share > 0.02  # less than that is lost in the camera's noise
    share = np.where(touched, share, 0.0)[..., None]
    return picture * (1 - share) + colour * share, touched


def scratch(surface: Surface, rng: Generator, strength: float) -> tuple[Picture, Mask]:
    """A thin bent line, lighter or darker than what it crosses."""
    spot, half = _place(rng, 40), rng.uniform(10, 28)
    u, v = _turned(X - spot[0], Y - spot[1], rng.uniform(0, np.pi))
    distance = np.hypot(np.maximum(np.abs(u) - half, 0), v - rng.normal(0, 0.006) * u**2) - rng.uniform(0.5, 1.1)
    tone = np.full((SIZE, SIZE, 3), rng.choice([0.05, 0.98]))
    return _painted(surface(X, Y), tone, 0.8 * strength * _inside(distance))


def stain(surface: Surface, rng: Generator, strength: float) -> tuple[Picture, Mask]:
    """A patch whose colour is shifted, with a soft edge."""
    share = np.clip(-_blob(rng, rng.uniform(7, 13), _place(rng, 34)) / 3, 0, 1)
    picture = surface(X, Y)
    return _painted(picture, picture * rng.permutation([1.35, 0.85, 0.55]), 0.85 * strength * share)


def twist(surface: Surface, rng: Generator, strength: float) -> tuple[Picture, Mask]:
    """The texture turned about a point, most at its middle; nothing is torn."""
    (cx, cy), radius = _place(rng, 26), rng.uniform(12, 20)
    near = np.clip(1 - np.hypot(X - cx, Y - cy) / radius, 0, 1)
    touched = near > 0.1  # farther out a pixel moves by less than its own width
    x, y = _turned(X - cx, Y - cy, touched * rng.choice([-1, 1]) * 2.2 * strength * near**2 * (3 - 2 * near))
    return surface(x + cx, y + cy), touched


def speck(surface: Surface, rng: Generator, strength: float) -> tuple[Picture, Mask]:
    """A small dark foreign body."""
    share = _inside(_blob(rng, 1.2 + 4.5 * strength, _place(rng, 34)))
    return _painted(surface(X, Y), np.full((SIZE, SIZE, 3), 0.13), (0.35 + 0.55 * strength) * share)


def _replaced(surface: Surface, region: Mask, x: Field, y: Field) -> tuple[Picture, Mask]:
    """In `region` the colours of the coordinates x, y; touched are the pixels that really differ by that."""
    before, there = surface(X, Y), surface(x, y)
    touched = region & (np.abs(there - before).max(axis=-1) > 0.15)
    return np.where(touched[..., None], there, before), touched


def missing_hole(surface: Surface, rng: Generator, strength: float) -> tuple[Picture, Mask]:
    """One of the six holes was not drilled, or not through."""
    angle = float(rng.integers(6)) * np.pi / 3
    region = np.hypot(X - 30 * np.cos(angle), Y - 30 * np.sin(angle)) < 9
    # Filled with the middle of the metal between this hole and the next, drawn out along the ring.
    radius, away = np.hypot(X, Y), (np.arctan2(Y, X) - angle + np.pi) % (2 * np.pi) - np.pi
    between = angle + np.pi / 6 + 0.3 * away
    filled, touched = _replaced(surface, region, radius * np.cos(between), radius * np.sin(between))
    return _painted(surface(X, Y), filled, (0.2 + 0.8 * strength) * touched.astype(np.float64))


def moved_hole(surface: Surface, rng: Generator, strength: float) -> tuple[Picture, Mask]:
    """One of the six holes was drilled beside its place."""
    angle, turn = float(rng.integers(6)) * np.pi / 3, rng.choice([-1, 1]) * (0.05 + 0.09 * strength)
    region = np.hypot(X - 30 * np.cos(angle), Y - 30 * np.sin(angle)) < 9.5
    return _replaced(surface, region, *_turned(X, Y, turn))


def broken_tooth(surface: Surface, rng: Generator, strength: float) -> tuple[Picture, Mask]:
    """One tooth is gone, or worn down."""
    x, y = _turned(X, Y, float(rng.integers(12)) * np.pi / 6)
    region = (np.abs(np.arctan2(y, x)) < np.pi / 12) & (np.hypot(X, Y) > 52 - 9 * strength)
    return _replaced(surface, region, X * 1.3, Y * 1.3)


# --- pictures ------------------------------------------------------------------------------------------------------


CATEGORIES: dict[str, tuple[Callable[[Generator], Surface], tuple[Defect, ...]]] = {
    "weave": (weave, (scratch, stain, twist, speck)),
    "grain": (grain, (scratch, stain, twist, speck)),
    "gear": (gear, (scratch, missing_hole, moved_hole, broken_tooth)),
}


def photographed(picture: Picture, rng: Generator) -> NDArray[np.uint8]:
    """What the camera makes of it: a little more or less light, from one side, and noise in every pixel."""
    light = rng.normal(1, 0.03) + (rng.normal(0, 0.02) * X + rng.normal(0, 0.02) * Y) / (SIZE / 2)
    noisy = picture * light[..., None] + rng.normal(0, 0.015, picture.shape)
    return np.asarray((255 * np.clip(noisy, 0, 1)).round(), dtype=np.uint8)


def draw(
    category: str, folder: str, index: int, *, seed: int, defect: Defect | None = None, strength: float = 1.0
) -> tuple[NDArray[np.uint8], Mask]:
    """One picture and its mask, the same for the same arguments.

    Each picture has its own random numbers, so that adding some leaves the others as they are; with and without
    `defect` it is the same piece in the same light.
    """
    name = f"{category}/{folder}/{index}".encode()
    piece, light, flaw = (np.random.default_rng([seed, step, *name]) for step in range(3))
    surface = CATEGORIES[category][0](piece)
    picture, mask = defect(surface, flaw, strength) if defect else (surface(X, Y), np.zeros((SIZE, SIZE), bool))
    return photographed(picture, light), mask
