"""Put one answer together: judge what the network gave, or say why it was not asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from contracts.errors import ModelUnavailable
from contracts.findings import Judgement, judge
from contracts.network import Output
from contracts.schemas import Outcome, PostTest, Prediction, Reason
from contracts.triage import triage
from vision_service.model import VisionModel
from vision_service.prepare import Prepared

TTA_UNAVAILABLE = Reason(
    code="tta_unavailable",
    message="Test-time augmentation was asked for, but this model gains nothing from it and was "
    "not calibrated with it. The answer is the ordinary one.",
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose. `prevalence` is a probability between 0 and 1, exclusive."""

    prevalence: float | None = None
    use_tta: bool = False


def rejected(
    prepared: Prepared, reasons: tuple[Reason, ...], model: VisionModel, request_id: str
) -> Prediction:
    """Return an answer without scores."""
    return Prediction(
        request_id=request_id,
        modality=model.modality.id,
        outcome=Outcome.REJECTED,
        reasons=list(reasons),
        measurements=prepared.measurements,
        warnings=list(prepared.warnings),
        model=model.reference,
        input=prepared.facts,
        notice=model.modality.notice,
    )


def judged(
    prepared: Prepared, output: Output, model: VisionModel, request_id: str, options: Options
) -> Prediction:
    """Return the answer of one case; `output` holds one row.

    An input that is not what the model was made for is rejected without scores; a doubtful one
    keeps its scores but gets no single answer. Raises ModelUnavailable (503) when the network
    gave a value that is not finite.
    """
    logits = output.logits[0].tolist()
    if not all(math.isfinite(value) for value in logits):
        raise ModelUnavailable("The model gave no finite answer.")
    validity = None if model.validity is None else model.validity.assess(output)
    if validity is not None and validity.rejections:
        return rejected(prepared, validity.rejections, model, request_id)
    views = model.views if options.use_tta else None
    rule = views.decision if views is not None else model.checkpoint.release.decision
    judgement = judge(logits, rule, model.modality)
    doubts = (*prepared.doubts, *(validity.doubts if validity is not None else ()))
    if doubts:
        judgement = _doubted(judgement, doubts)
    unmet = options.use_tta and views is None
    warnings = list(prepared.warnings) + ([TTA_UNAVAILABLE] if unmet else [])
    return Prediction(
        request_id=request_id,
        modality=model.modality.id,
        outcome=judgement.outcome,
        reasons=list(judgement.reasons),
        label=judgement.label,
        probabilities=judgement.probabilities,
        findings=list(judgement.findings),
        prediction_set=list(judgement.prediction_set),
        derived=judgement.derived,
        post_test=_post_test(model, {f.label: f.positive for f in judgement.findings}, options),
        measurements=prepared.measurements,
        triage=triage(judgement, model.modality),
        warnings=warnings,
        model=model.reference,
        input=prepared.facts,
        notice=model.modality.notice,
    )


def _doubted(judgement: Judgement, doubts: tuple[Reason, ...]) -> Judgement:
    """Take the single answer back; the label stays in the prediction set for triage."""
    held = {judgement.label} if judgement.label is not None else set()
    kept = tuple(
        code for code in judgement.probabilities if code in held or code in judgement.prediction_set
    )
    return replace(
        judgement,
        outcome=Outcome.ABSTAINED,
        reasons=(*judgement.reasons, *doubts),
        label=None,
        prediction_set=kept,
    )


def _post_test(model: VisionModel, positive: dict[str, bool], options: Options) -> list[PostTest]:
    """Bayes in odds for each critical label, from the ratios in the model file."""
    if options.prevalence is None:
        return []
    results = []
    for label in model.modality.critical:
        ratios = model.checkpoint.release.likelihood_ratios.get(label)
        if ratios is None:
            continue
        ratio = ratios["positive" if positive[label] else "negative"]
        odds = options.prevalence / (1 - options.prevalence) * ratio
        results.append(
            PostTest(
                label=label,
                prevalence=options.prevalence,
                probability=odds / (1 + odds),
                likelihood_ratio=ratio,
            )
        )
    return results
