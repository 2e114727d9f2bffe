"""The networks' files are the ones we measured, or nothing starts."""

from dataclasses import replace

import pytest

from biometrics.carried import ModelAltered, ModelMissing
from biometrics.face.models import MODELS, load, read


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_network_loads(name: str) -> None:
    assert load(name).getUnconnectedOutLayersNames()


def test_a_file_of_another_digest_is_refused() -> None:
    with pytest.raises(ModelAltered, match="SHA-256"):
        read(replace(MODELS["iris"], sha256="0" * 64))


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(ModelMissing):
        read(replace(MODELS["iris"], path="mediapipe/modules/none.tflite"))


def test_a_distribution_that_is_not_there_is_said() -> None:
    with pytest.raises(ModelMissing):
        read(replace(MODELS["iris"], distribution="thunhan-no-such-distribution"))
