"""One simulated person: the shape and colours that a seed gives, and the texture painted so.

It poses nobody and draws no scene.
"""

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.camera.photograph import Cutout, cutout

ZOOM: Final = 3
_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 0, 340, 216
ORIGIN: Final = np.array([_LEFT, _TOP], np.float32)
FACE: Final = 468
OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIPS: Final = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
MOUTH: Final = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
BROWS: Final = (
    (46, 53, 52, 65, 55, 107, 66, 105, 63, 70),
    (276, 283, 282, 295, 285, 336, 296, 334, 293, 300),
)
EYES: Final = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
_CLOTH: Final = (
    234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361,
    323, 454, 346, 330, 197, 101, 117,
)  # fmt: skip
"""Outline of what a mask covers."""
_UNDER_EYES: Final = ((119, 118, 101), (348, 347, 330))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What makes one person of another. Shape knobs are shares, 0 leaves the photograph as it is.

    Attributes:
        hair, skin: lightness, a*, b* added (OpenCV's 0..255 scale).
        shirt: blue, green, red.
        brows, stubble, lips: how dark they are painted.
        grain: seed of moles and skin grain.
    """

    seed: int
    face_width: float
    jaw_width: float
    chin: float
    eye_distance: float
    eye_size: float
    eye_slant: float
    eye_height: float
    brow_height: float
    nose_width: float
    nose_length: float
    mouth_width: float
    mouth_height: float
    lip_fullness: float
    cheeks: float
    forehead: float
    hair: tuple[float, float, float]
    skin: tuple[float, float, float]
    shirt: tuple[int, int, int]
    brows: float
    stubble: float
    lips: float
    grain: int


_SHIRTS: Final = (
    (70, 52, 38), (52, 58, 40), (48, 40, 78), (60, 60, 62), (92, 66, 30), (40, 46, 66),
    (84, 80, 44), (66, 40, 60),
)  # fmt: skip


@lru_cache(maxsize=256)
def person(seed: int) -> Person:
    """Return the person of `seed`; the same seed gives the same person for ever.

    The first seeds stand for draws whose faces lie far apart (`tests/tools/sitter_people.py`);
    everybody else has a face between two of them, so that some look alike.
    """
    chosen = _people()
    if 1 <= seed <= len(chosen):
        return drawn(chosen[seed - 1], seed)
    dice = np.random.default_rng([20261125, abs(seed), seed < 0])
    first, second = (drawn(chosen[at], seed) for at in dice.choice(len(chosen), 2, replace=False))
    return _between(first, second, float(dice.uniform(0.25, 0.75)), int(dice.integers(1 << 31)))


def _between(first: Person, second: Person, share: float, grain: int) -> Person:
    """Return the person whose every knob lies between two others' (the shirt is the first's)."""
    mixed: dict[str, Any] = {"seed": first.seed, "shirt": first.shirt, "grain": grain}
    for knob in fields(Person):
        if knob.name not in mixed:
            one, other = getattr(first, knob.name), getattr(second, knob.name)
            value = np.asarray(one) * (1 - share) + np.asarray(other) * share
            mixed[knob.name] = tuple(value.tolist()) if isinstance(one, tuple) else float(value)
    return Person(**mixed)


def drawn(number: int, seed: int) -> Person:
    """Return the person of draw `number`, called `seed`."""
    draw = np.random.default_rng([20261124, number])

    def knob(reach: float) -> float:
        # Away from the middle: the average of a knob is the photograph itself.
        side = 1.0 if draw.random() < 0.5 else -1.0  # noqa: PLR2004 - a coin
        return float(side * reach * (0.35 + 0.65 * draw.random()))

    dark = float(draw.uniform(0.0, 1.0))
    return Person(
        seed=seed,
        face_width=knob(0.13),
        jaw_width=knob(0.17),
        chin=knob(0.13),
        eye_distance=knob(0.13),
        eye_size=knob(0.20),
        eye_slant=knob(0.16),
        eye_height=knob(0.08),
        brow_height=knob(0.10),
        nose_width=knob(0.32),
        nose_length=knob(0.13),
        mouth_width=knob(0.20),
        mouth_height=knob(0.07),
        lip_fullness=knob(0.45),
        cheeks=knob(0.10),
        forehead=knob(0.11),
        hair=(-112.0 + 72.0 * dark**1.5, 2.0 + float(draw.uniform(-3, 5)), -17.0 + 14.0 * dark),
        skin=(float(draw.uniform(-60, 0)), float(draw.uniform(-4, 5)), float(draw.uniform(-6, 8))),
        shirt=_SHIRTS[int(draw.integers(len(_SHIRTS)))],
        brows=float(draw.uniform(-0.1, 0.8)),
        stubble=float(max(0.0, draw.uniform(-0.5, 0.5))),
        lips=float(draw.uniform(-0.25, 0.3)),
        grain=int(draw.integers(1 << 31)),
    )


@lru_cache(maxsize=1)
def _people() -> tuple[int, ...]:
    text = files("hardware.camera").joinpath("data", "people.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["draws"])


@lru_cache(maxsize=16)
def texture(
    who: Person, *, shut: bool = False, mask: bool = False, glasses: bool = False
) -> NDArray[np.uint8]:
    """Return the painted head, 648 x 768 x 4: blue, green, red, opacity."""
    cut = cutout()
    crop = (slice(_TOP, _BOTTOM), slice(_LEFT, _RIGHT))
    pixels = _sharpened(cut.pixels[crop])
    head = np.asarray(
        cv2.resize(cut.mask[crop], None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB)).astype(np.float32)
    shares = _shares(cut, lab, head)
    _paint(lab, shares, who)
    if shut:
        _shut(lab, cut)
    if mask:
        _cover(lab, cut)
    if glasses:
        _darken(lab, cut)
    colour = cv2.cvtColor(np.clip(lab, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR)
    return np.dstack([np.asarray(colour, np.uint8), head])


def source_points() -> NDArray[np.float32]:
    """Return n x 2: where each point of the mesh lies in the texture."""
    return np.asarray((cutout().points[:, :2] - ORIGIN) * ZOOM, np.float32)


def _sharpened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture `ZOOM` times as large, with edges as a nearer camera would have seen."""
    large = np.asarray(
        cv2.resize(pixels, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_LANCZOS4), np.float32
    )
    low = np.asarray(cv2.erode(large, np.ones((5, 5), np.uint8)))
    high = np.asarray(cv2.dilate(large, np.ones((5, 5), np.uint8)))
    for sigma, gain in ((2.4, 0.9), (1.2, 0.9)):
        large = large + gain * (large - np.asarray(cv2.GaussianBlur(large, (0, 0), sigma)))
    # Held between what was there before: sharper edges without bright rims.
    return np.clip(large, low, high).astype(np.uint8)


def _region(
    cut: Cutout, indices: tuple[int, ...], blur: float, grow: int = 0
) -> NDArray[np.float32]:
    canvas = np.zeros(((_BOTTOM - _TOP) * ZOOM, (_RIGHT - _LEFT) * ZOOM), np.uint8)
    points = np.rint((cut.points[list(indices), :2] - ORIGIN) * ZOOM).astype(np.int32)
    cv2.fillPoly(canvas, [points], 255)
    if grow:
        change = cv2.dilate if grow > 0 else cv2.erode
        canvas = np.asarray(change(canvas, np.ones((abs(grow), abs(grow)), np.uint8)), np.uint8)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur), np.float32) / np.float32(255)


def _shares(
    cut: Cutout, lab: NDArray[np.float32], mask: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Return for each part of the head how much of a pixel belongs to it, 0..1."""
    face = _region(cut, OVAL, 6.0)
    eyes = np.maximum(*(_region(cut, eye, 1.5, 3) for eye in EYES))
    lips = _region(cut, LIPS, 2.0)
    mouth = _region(cut, MOUTH, 1.5, 9)
    brows = np.maximum(*(_region(cut, brow, 2.0) for brow in BROWS))
    rows = np.arange(lab.shape[0], dtype=np.float32)[:, None] / ZOOM + _TOP
    columns = np.arange(lab.shape[1], dtype=np.float32)[None] / ZOOM + _LEFT
    # Hair is what is more yellow and darker than skin; below the ears there is none.
    fair = (lab[..., 0] - 150) / 40 + (lab[..., 1] - 138) / 8 - (lab[..., 2] - 146) / 14
    skin_like = 1 / (1 + np.exp(-2.0 * np.asarray(cv2.GaussianBlur(fair, (0, 0), 2.0))))
    crown = cut.points[10, 1]
    inner = np.clip((rows - (crown + 12)) / 10, 0, 1) * face
    neck = np.clip((rows - 142) / 6, 0, 1) * np.ones_like(columns)
    skin = np.clip(np.maximum(np.maximum(inner, neck), skin_like * (rows > crown)), 0, 1)
    skin = np.asarray(cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 2.0), np.float32)
    below_nose = np.clip((rows - cut.points[2, 1]) / 12, 0, 1)
    beard = below_nose * face * (1 - np.clip(lips * 1.5, 0, 1))
    opaque = (mask > 0).astype(np.float32)
    return {
        "skin": skin * (1 - eyes) * (1 - mouth) * opaque,
        "hair": (1 - skin) * (1 - eyes) * opaque,
        "brows": brows,
        "lips": lips * (1 - mouth),
        "mouth": mouth,
        "rim": _region(cut, MOUTH, 3.5, -3),
        "gape": _region(cut, MOUTH, 0.8, -7),
        "beard": beard.astype(np.float32),
    }


def _paint(lab: NDArray[np.float32], shares: dict[str, NDArray[np.float32]], who: Person) -> None:
    """Recolour in place."""
    draw = np.random.default_rng(who.grain)
    for part, (light, red, yellow) in (("skin", who.skin), ("hair", who.hair)):
        # Lightness is scaled, not shifted: shadows stay shadows.
        lab[..., 0] *= 1 + shares[part] * light / 150
        lab[..., 1] += shares[part] * red
        lab[..., 2] += shares[part] * yellow
    # No teeth: a closed mouth shows the rims of its lips, and an open one is dark inside.
    lips = shares["lips"] > 0.8  # noqa: PLR2004 - well inside them
    for channel, dark in enumerate((38.0, 142.0, 134.0)):
        layer = lab[..., channel]
        layer += shares["mouth"] * (np.float32(np.median(layer[lips])) - layer)
        layer += shares["gape"] * (dark - layer)
    # Where lips meet they turn away from the light.
    lab[..., 0] *= 1 - 0.45 * shares["rim"] * (1 - shares["gape"])
    lab[..., 0] *= 1 - 0.75 * who.brows * shares["brows"]
    lab[..., 0] *= 1 - 0.4 * who.lips * shares["lips"]
    lab[..., 1] += 16 * who.lips * shares["lips"]
    dots = cv2.GaussianBlur(draw.normal(0, 1, lab.shape[:2]).astype(np.float32), (0, 0), 0.8)
    shade = np.clip(0.75 + 0.9 * np.asarray(dots), 0.2, 1.4)
    lab[..., 0] *= 1 - who.stubble * shares["beard"] * shade
    lab[..., 1:] += (128 - lab[..., 1:]) * (0.5 * who.stubble * shares["beard"])[..., None]
    lab[..., 0] += 5.0 * np.asarray(dots) * shares["skin"]


def _shut(lab: NDArray[np.float32], cut: Cutout) -> None:
    """Paint lids over both eyes: skin from below them, lashes along the lower lid."""
    for eye, under in zip(EYES, _UNDER_EYES, strict=True):
        points = (cut.points[list(eye), :2] - ORIGIN) * ZOOM
        below = np.rint((cut.points[list(under), :2] - ORIGIN) * ZOOM).astype(int)
        skin = np.median([lab[y - 3 : y + 3, x - 3 : x + 3].mean((0, 1)) for x, y in below], axis=0)
        skin[0] *= 0.94
        canvas = np.zeros(lab.shape[:2], np.uint8)
        hull = cv2.convexHull(np.rint(points).astype(np.int32))
        cv2.fillConvexPoly(canvas, hull, 255)
        lid = cv2.GaussianBlur(cv2.dilate(canvas, np.ones((13, 7), np.uint8)), (0, 0), 2.0)
        share = np.asarray(lid, np.float32)[..., None] / 255
        lab += share * (skin.astype(np.float32) - lab)
        canvas[:] = 0
        lower = np.rint(points[:9] * 16).astype(np.int32)
        cv2.polylines(canvas, [lower], isClosed=False, color=255, thickness=4,
                      lineType=cv2.LINE_AA, shift=4)  # fmt: skip
        lashes = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.9), np.float32) / 255
        lab[..., 0] *= 1 - 0.7 * lashes


def _cover(lab: NDArray[np.float32], cut: Cutout) -> None:
    """Paint a pale blue cloth with three folds over nose, mouth and chin."""
    share = _region(cut, _CLOTH, 1.2)[..., None]
    top, foot = ((float(cut.points[at, 1]) - _TOP) * ZOOM for at in (197, 152))
    rows = (np.arange(lab.shape[0], dtype=np.float32) - top) / (foot - top)
    folds = 205 - 22 * np.exp(-((((rows * 4 + 0.5) % 1 - 0.5) / 0.12) ** 2))
    cloth = np.stack([folds, np.full_like(folds, 120), np.full_like(folds, 116)], -1)[:, None]
    lab += share * (cloth - lab)


def _darken(lab: NDArray[np.float32], cut: Cutout) -> None:
    """Paint dark glasses before both eyes, and their bridge."""
    canvas = np.zeros(lab.shape[:2], np.uint8)
    centres = []
    for eye in EYES:
        x, y = (cut.points[list(eye), :2].mean(0) - ORIGIN) * ZOOM
        span = float(np.ptp(cut.points[list(eye), 0])) * ZOOM
        centres.append((round(float(x)), round(float(y))))
        cv2.ellipse(
            canvas, centres[-1], (round(0.85 * span), round(0.6 * span)), 0, 0, 360, 255, -1
        )
    cv2.line(canvas, centres[0], centres[1], 255, 2 * ZOOM)
    share = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 1.0), np.float32)[..., None] / 255
    lab += share * (np.array([22, 128, 128], np.float32) - lab)
