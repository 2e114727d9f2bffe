"""How the face stands in the picture: how many, how large, how central, how much room.

It does not look at the pixels, only at boxes and points.
"""

from collections.abc import Sequence

import numpy as np

from biometrics.face.detect import Detection
from biometrics.face.landmarks import Landmarks

Natives = dict[str, float | None]
SECOND_SCORE = 0.6
"""Below it a second box is the detector's dream, not a second person."""


def single_face(found: Sequence[Detection]) -> float:
    """SingleFacePresent: area of the second largest face over the largest's, 0 for one face."""
    others = [face.area for face in found[1:] if face.score > SECOND_SCORE]
    return max(others, default=0.0) / max(found[0].area, 1e-9)


def measure(face: Landmarks, width: int, height: int, yaw: float) -> Natives:
    """Return the framing of `face` in a picture of `width` x `height` pixels."""
    eyes = max(face.eye_distance, 1e-6)
    chin = max(face.eye_to_chin, 1e-6)
    middle = face.between_eyes
    return {
        "InterEyeDistance": face.eye_distance / max(float(np.cos(np.radians(yaw))), 0.1),
        "HeadSize": face.eye_to_chin / height,
        "FaceOffset": float(middle[0]) / width - 0.5,
        "LeftwardCropOfTheFaceImage": float(face.right_eye[0]) / eyes,
        "RightwardCropOfTheFaceImage": (width - float(face.left_eye[0])) / eyes,
        "MarginAboveOfTheFaceImage": float(middle[1]) / chin,
        "MarginBelowOfTheFaceImage": (height - float(middle[1])) / chin,
    }
