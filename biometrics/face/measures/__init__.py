"""The measures of a portrait, one a file, named as in ISO/IEC 29794-5 where it names them.

They return native values and decide nothing; None says that it could not be assessed.
"""

from collections.abc import Mapping
from types import MappingProxyType

from biometrics.face.measures import (
    background_chroma,
    background_gradient,
    background_lightness,
    background_shadow,
    background_uniformity,
    camera_distance,
    cheek_balance,
    dynamic_range,
    ears_visible,
    expression_neutrality,
    eyes_alike,
    eyes_open,
    eyes_visible,
    face_occlusion_prevention,
    face_offset,
    face_presence,
    frame_brightness,
    gaze_across,
    glasses,
    head_pose_pitch,
    head_pose_roll,
    head_pose_yaw,
    head_size,
    illumination_uniformity,
    inter_eye_distance,
    leftward_crop,
    lips_parted,
    lower_face_colour,
    luminance_mean,
    luminance_variance,
    margin_above,
    margin_below,
    mouth_closed,
    mouth_occlusion_prevention,
    natural_colour,
    no_head_coverings,
    over_exposure_prevention,
    rightward_crop,
    sharpness,
    single_face_present,
    under_exposure_prevention,
)
from biometrics.face.measures.measure import Measure

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        module.MEASURE.name: module.MEASURE
        for module in (
            background_chroma,
            background_gradient,
            background_lightness,
            background_shadow,
            background_uniformity,
            camera_distance,
            cheek_balance,
            dynamic_range,
            ears_visible,
            expression_neutrality,
            eyes_alike,
            eyes_open,
            eyes_visible,
            face_occlusion_prevention,
            face_offset,
            face_presence,
            frame_brightness,
            gaze_across,
            glasses,
            head_pose_pitch,
            head_pose_roll,
            head_pose_yaw,
            head_size,
            illumination_uniformity,
            inter_eye_distance,
            leftward_crop,
            lips_parted,
            lower_face_colour,
            luminance_mean,
            luminance_variance,
            margin_above,
            margin_below,
            mouth_closed,
            mouth_occlusion_prevention,
            natural_colour,
            no_head_coverings,
            over_exposure_prevention,
            rightward_crop,
            sharpness,
            single_face_present,
            under_exposure_prevention,
        )
    }
)
"""By name. Each says what it measures, in which unit, and where it comes from."""
