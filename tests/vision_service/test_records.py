"""An ECG record through the service's engine: measured facts, and signals that are none."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from contracts.registry import get_modality
from contracts.schemas import Outcome
from tests.contracts.wfdb_samples import record_zip, synthetic_ecg
from vision_service.answer import Options
from vision_service.engine import VisionEngine
from vision_service.model import ModelOptions, load_model
from vision_service.threads import ThreadPlan


@pytest.fixture
async def engine(tiny_checkpoint_path: Callable[[str], Path]) -> AsyncIterator[VisionEngine]:
    model = load_model(
        tiny_checkpoint_path("ecg"), get_modality("ecg"), ModelOptions("torch", "cpu")
    )
    async with VisionEngine(model, ThreadPlan(1, 2, 2)) as opened:
        yield opened


async def test_an_answer_to_a_record_states_what_was_measured(engine):
    answer = await engine.predict(record_zip(synthetic_ecg(75)), request_id="r", options=Options())

    assert answer.measurements["heart_rate_bpm"] == pytest.approx(75, abs=1)
    assert answer.measurements["sampling_rate_hz"] == 100.0
    assert answer.measurements["lead_names"][:3] == ["I", "II", "III"]
    assert answer.input.media_type == "application/zip"
    assert set(answer.probabilities) == {"NORM", "MI", "STTC", "CD", "HYP"}


async def test_a_flat_record_is_rejected_without_scores(engine):
    answer = await engine.predict(
        record_zip(np.zeros((12, 1000))), request_id="r", options=Options()
    )

    assert answer.outcome is Outcome.REJECTED
    assert answer.reasons[0].code == "quality.flat_line"
    assert answer.probabilities == {}
    assert answer.measurements["heart_rate_bpm"] is None


async def test_a_record_with_a_lead_off_gets_scores_but_no_single_answer(engine):
    signals = synthetic_ecg(noise_mv=0.02)
    signals[7] = 0.0

    answer = await engine.predict(record_zip(signals), request_id="r", options=Options())

    assert answer.outcome is Outcome.ABSTAINED
    assert "quality.lead_off" in {reason.code for reason in answer.reasons}
    assert answer.label is None and answer.probabilities
