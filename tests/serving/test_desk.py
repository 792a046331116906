"""Why there is no engine: each reason has words and a time of its own."""

import pytest

from contracts.errors import ModelUnavailable
from contracts.registry import get_modality
from serving.admission import Admission
from serving.body import Pace
from serving.desk import Desk
from serving.health import HealthState
from serving.holder import ModelHolder


@pytest.mark.parametrize(
    ("mark", "words", "retry_after"),
    [
        (lambda health: None, "being loaded", 2),
        (lambda health: health.mark_failed("model_missing"), "Install its model file", 30),
    ],
)
def test_F14_a_service_without_a_model_says_whether_it_will_have_one_soon(mark, words, retry_after):
    health = HealthState()
    mark(health)
    desk = Desk(get_modality("chest-xray"), ModelHolder(), health, Admission(1), None, 1.0, Pace())

    with pytest.raises(ModelUnavailable) as caught:
        _ = desk.engine

    assert words in caught.value.detail
    assert caught.value.retry_after_seconds == retry_after
