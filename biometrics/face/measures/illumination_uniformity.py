"""IlluminationUniformity: how much the light on both cheeks is alike.

Unit: shared part of both luminance histograms, 0..1.
Source: ISO/IEC 29794-5 as OFIQ 1.0.3 takes it.
"""

import numpy as np

from biometrics.face.mapping import SCALES
from biometrics.face.measures.measure import Measure
from biometrics.face.sight import Sight


def native(sight: Sight) -> float | None:
    """Return the sum of the smaller share of each luminance."""
    if sight.cheeks is None:
        return None
    lights = [sight.luminance[square] for square in sight.cheeks]
    shares = [np.bincount(light.ravel(), minlength=256) / light.size for light in lights]
    return float(np.minimum(*shares).sum())


MEASURE = Measure(
    name="IlluminationUniformity",
    unit="overlap",
    native=native,
    scale=SCALES["IlluminationUniformity"],
)
