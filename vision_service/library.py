"""Use the models as a library: one function per modality, the very code that the service runs.

prediction = analyze_chest_xray(Path("film.jpeg").read_bytes())
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from pathlib import Path

from contracts.errors import ModelUnavailable
from contracts.registry import get_modality
from contracts.schemas import Explanation, Prediction
from serving.settings import ServiceSettings, model_path
from vision_service.answer import Options
from vision_service.explanation import explain
from vision_service.model import ModelOptions, VisionModel, load_model
from vision_service.prepare import Prepared
from vision_service.stages import Inquiry, answer


def analyze_chest_xray(
    payload: bytes, checkpoint: Path | None = None, prevalence: float | None = None
) -> Prediction:
    """Return the answer on one chest X-ray (JPEG or PNG); see `analyze`."""
    return analyze(payload, "chest-xray", checkpoint, prevalence)


def analyze_skin_lesion(
    payload: bytes, checkpoint: Path | None = None, prevalence: float | None = None
) -> Prediction:
    """Return the answer on one dermoscopic photograph (JPEG or PNG); see `analyze`."""
    return analyze(payload, "skin-lesion", checkpoint, prevalence)


def analyze_breast_ultrasound(
    payload: bytes, checkpoint: Path | None = None, prevalence: float | None = None
) -> Prediction:
    """Return the answer on one breast ultrasound image (JPEG or PNG); see `analyze`."""
    return analyze(payload, "breast-ultrasound", checkpoint, prevalence)


def analyze_ecg(
    payload: bytes, checkpoint: Path | None = None, prevalence: float | None = None
) -> Prediction:
    """Return the answer on one 12-lead ECG (WFDB zip or page image); see `analyze`."""
    return analyze(payload, "ecg", checkpoint, prevalence)


def analyze(
    payload: bytes,
    modality_id: str,
    checkpoint: Path | None = None,
    prevalence: float | None = None,
) -> Prediction:
    """Return the answer on one input, in this process and without a server.

    Without `checkpoint` the newest file in `models/<modality>/` answers; a file is loaded once
    and kept. Raises UnsupportedMediaType, InvalidInput, ModelUnavailable and BadCheckpoint.
    """
    model = _model(modality_id, checkpoint)
    return _predict(payload, model, Options(prevalence))[0]


def analyze_and_explain(
    payload: bytes, modality_id: str, checkpoint: Path | None = None
) -> Explanation:
    """Return the answer and its influence map, or why there is none; errors as `analyze`."""
    model = _model(modality_id, checkpoint)
    prediction, prepared = _predict(payload, model, Options())
    return explain(prediction, prepared, model)


def _predict(payload: bytes, model: VisionModel, options: Options) -> tuple[Prediction, Prepared]:
    """Answer one input in this thread."""
    inquiry = Inquiry(payload, str(uuid.uuid4()), options)
    with inquiry.watch.stage("total"):
        prediction, prepared = answer(inquiry, model, lambda one: model.backend.infer(one[None]))
    return prediction.model_copy(update={"timing_ms": inquiry.watch.timing_ms}), prepared


@lru_cache(maxsize=8)
def _model(modality_id: str, checkpoint: Path | None) -> VisionModel:
    """Load a model once per process. Torch answers: compiling pays for a service only."""
    settings = ServiceSettings(modality=modality_id, checkpoint=checkpoint)
    try:
        return load_model(
            model_path(settings, ".pth"), get_modality(modality_id), ModelOptions(backend="torch")
        )
    except FileNotFoundError as error:
        raise ModelUnavailable("There is no model file for this modality.") from error
