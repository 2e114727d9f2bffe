"""Made-up fingers: one seed is one finger, and every seed of a touch one impression of it.

For rehearsals and tests. No real person's finger is in it, and it judges no quality.
"""

import enum
import functools
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.finger.ridges import HEIGHT, SHARES, WIDTH, Field, Pattern, grow, lay
from hardware.finger.touch import Touch, render

_KEPT: Final = 24
"""Master prints that are kept in memory: two visits' worth."""


class Condition(enum.StrEnum):
    """How a finger is put on the glass."""

    WELL = "well"
    DRY = "dry"
    WET = "wet"
    LIGHT = "light"
    HARD = "hard"
    PARTIAL = "partial"
    OFF_CENTRE = "off_centre"
    TURNED = "turned"
    SMEARED = "smeared"


class Finger:
    """A finger that no one has.

    Args:
        seed: which; the same seed is the same finger for ever.
        pattern: its class, or None: drawn as often as people have it.
        size: of the fingertip; 1 is an index finger.
    """

    def __init__(self, seed: int, pattern: Pattern | None = None, size: float = 1.0) -> None:
        self.seed = seed
        self.size = size
        generator = np.random.default_rng([_FINGERS, seed])
        drawn = generator.choice(np.array(list(SHARES), dtype=object), p=list(SHARES.values()))
        self.pattern = Pattern(drawn) if pattern is None else pattern

    @property
    def master(self) -> NDArray[np.float32]:
        """HEIGHT x WIDTH of `ridges`: +1 on ridges, -1 in valleys; not to be written to."""
        return _master(self.seed, self.pattern)[0]

    def impression(self, seed: int, condition: Condition = Condition.WELL) -> NDArray[np.uint8]:
        """Return one touch, 288 x 256 uint8, dark ridges on light ground, 500 dpi.

        Args:
            seed: which touch; the same finger, seed and condition give the same pixels.
            condition: how the finger is put on the glass.
        """
        kind = list(Condition).index(Condition(condition))
        generator = np.random.default_rng([_TOUCHES, self.seed, kind, seed])
        master, creases = _master(self.seed, self.pattern)
        touch = _touch(condition, self.size, generator)
        return render(master, creases, touch, generator)

    def rolled(self, seed: int, condition: Condition = Condition.WELL) -> NDArray[np.uint8]:
        """Return one finger rolled from nail to nail, 448 x 400 uint8, 500 dpi; else as above.

        It shows all the skin there is, 18 mm across; a real finger, when rolled, shows a third
        more, and the seams that rolling leaves are not drawn.
        """
        kind = list(Condition).index(Condition(condition))
        generator = np.random.default_rng([_ROLLS, self.seed, kind, seed])
        master, creases = _master(self.seed, self.pattern)
        flat = _touch(condition, self.size, generator)
        widened = replace(
            flat,
            across=flat.across / 2,
            down=flat.down / 2 - _ROLLED_DOWN,
            size=(flat.size[0] * _ROLLED_SHARE[0], flat.size[1] * _ROLLED_SHARE[1]),
        )
        return render(master, creases, widened, generator, _ROLLED_EXTENT)


_FINGERS: Final = 11
_TOUCHES: Final = 12
_ROLLS: Final = 14
"""So that no finger and no touch share their chance."""
_ROLLED_EXTENT: Final = (400, 448)
_ROLLED_SHARE: Final = (1.28, 1.2)
"""By which a rolled contact is wider and higher than a flat one."""
_ROLLED_DOWN: Final = 20
"""Pixels by which the pattern lies higher in the image: there is more skin below it."""


@functools.lru_cache(maxsize=_KEPT)
def _master(seed: int, pattern: Pattern) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    generator = np.random.default_rng([_FINGERS, seed, list(Pattern).index(pattern)])
    field = lay(generator, pattern)
    master, creases = grow(generator, field), _creases(generator, field)
    master.setflags(write=False)
    creases.setflags(write=False)
    return master, creases


def _creases(generator: np.random.Generator, field: Field) -> NDArray[np.float32]:
    """Return the white lines of a used hand."""
    skin = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(int(generator.integers(0, 7))):
        middle = generator.uniform((40, 90), (WIDTH - 40, HEIGHT - 60))
        column, row = int(middle[0]), int(middle[1])
        angle = field.angle[row, column] + np.pi / 2 + generator.normal(0, 0.45)
        half = generator.uniform(12, 55)
        bow = generator.normal(0, 6)
        along = np.linspace(-half, half, 16)
        x = middle[0] + along * np.cos(angle) - bow * (along / half) ** 2 * np.sin(angle)
        y = middle[1] + along * np.sin(angle) + bow * (along / half) ** 2 * np.cos(angle)
        line = np.rint(np.stack([x, y], axis=1) * 8).astype(np.int32)
        cv2.polylines(
            skin, [line], isClosed=False, color=(1.0,), thickness=1, lineType=cv2.LINE_AA, shift=3
        )
    return np.asarray(np.clip(cv2.GaussianBlur(skin, (0, 0), 0.9) * 1.7, 0, 1), np.float32)


def _touch(condition: Condition, size: float, generator: np.random.Generator) -> Touch:
    """Draw how the finger lies, for one condition."""
    ranges = _RANGES[Condition.WELL] | _RANGES[condition]
    drawn = {name: float(generator.uniform(*span)) for name, span in ranges.items()}
    angle = generator.uniform(0, 2 * np.pi)
    return Touch(
        across=drawn["across"] * _sign(generator),
        down=drawn["down"],
        turn=drawn["turn"] * _sign(generator),
        size=(drawn["half_width"] * size, drawn["half_height"] * size),
        middle=(drawn["aside"] * _sign(generator), drawn["below"]),
        strain=(drawn["strain"] * float(np.cos(angle)), drawn["strain"] * float(np.sin(angle))),
        press=drawn["press"],
        dry=drawn["dry"],
        wet=drawn["wet"],
        noise=drawn["noise"],
        smear=drawn["smear"],
        dirt=drawn["dirt"],
    )


def _sign(generator: np.random.Generator) -> float:
    return 1.0 if generator.random() < 0.5 else -1.0  # noqa: PLR2004 - a coin


_RANGES: Final[dict[Condition, dict[str, tuple[float, float]]]] = {
    Condition.WELL: {
        "across": (0, 10),
        "down": (-14, 6),
        "turn": (0, 9),
        "half_width": (120, 134),
        "half_height": (160, 180),
        "aside": (0, 6),
        "below": (6, 18),
        "strain": (0, 6),
        "press": (0.47, 0.56),
        "dry": (0.05, 0.18),
        "wet": (0.0, 0.06),
        "noise": (2.5, 4.5),
        "smear": (0, 0),
        "dirt": (0, 0.2),
    },
    Condition.DRY: {"dry": (1.15, 1.5), "press": (0.4, 0.5)},
    Condition.WET: {"wet": (0.78, 0.95), "press": (0.6, 0.7), "dry": (0, 0.05), "dirt": (0.3, 0.6)},
    Condition.LIGHT: {"press": (0.2, 0.3), "half_width": (70, 84), "half_height": (92, 112)},
    Condition.HARD: {"press": (0.8, 0.95), "half_width": (122, 134), "strain": (8, 16)},
    Condition.PARTIAL: {"half_width": (52, 66), "half_height": (60, 80), "aside": (20, 34)},
    Condition.OFF_CENTRE: {"across": (58, 84), "down": (40, 70)},
    Condition.TURNED: {"turn": (24, 36)},
    Condition.SMEARED: {"smear": (7, 11), "strain": (8, 14)},
}
"""Pixels, degrees and shares as in `Touch`; what a condition does not say is as when well."""
