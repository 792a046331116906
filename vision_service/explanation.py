"""The evidence beside an answer: the map when it has passed its checks, else why there is none."""

from __future__ import annotations

import base64

from PIL import Image

from contracts.explainer import DEFAULT_LAYER, GRAD_CAM, InfluenceMap, NoMap, influence_map
from contracts.modality import RenderSpec
from contracts.schemas import Explanation, LeadInfluence, Outcome, Prediction
from vision_service.display import display_page
from vision_service.model import VisionModel
from vision_service.overlay import draw_overlay, encode_png
from vision_service.prepare import Prepared

NOT_CHECKED = (
    "The influence map of this model was not checked, so it is not shown: an unchecked map can "
    "mislead more than none."
)
FAILED = (
    "The influence map of this model failed its checks, so it is not shown. The model file and "
    "its card say which."
)
NO_SCORES = "The input was rejected, so there is no answer that a map could explain."


def explain(prediction: Prediction, prepared: Prepared, model: VisionModel) -> Explanation:
    """Return the explanation of a prediction; computes a gradient, so it runs in a thread."""
    facts = model.checkpoint.release.explanation
    checks = {
        name: value
        for name, value in facts.items()
        if value is None or isinstance(value, str | bool | int | float)
    }
    reason = _withheld(prediction, facts)
    if reason is not None:
        return Explanation(
            prediction=prediction, kind="withheld", checks=checks, withheld_reason=reason
        )
    target = prediction.label or max(
        prediction.probabilities, key=lambda label: prediction.probabilities[label]
    )
    try:
        found = _map(prepared, target, model)
    except NoMap as error:
        return Explanation(
            prediction=prediction, kind="withheld", checks=checks, withheld_reason=str(error)
        )
    overlay, leads = _drawn(prepared, found, model.checkpoint.release.render)
    return Explanation(
        prediction=prediction,
        kind="influence_map",
        target=target,
        overlay_png_base64=base64.b64encode(encode_png(overlay)).decode(),
        map=found.values.tolist(),
        map_range=found.value_range,
        layer=found.layer,
        leads=leads,
        checks=checks,
    )


def _map(prepared: Prepared, target: str, model: VisionModel) -> InfluenceMap:
    """The map of one label, made as the model file says; raises NoMap."""
    facts = model.checkpoint.release.explanation
    return influence_map(
        model.network,
        prepared.tensor,
        model.modality.codes.index(target),
        str(facts.get("layer", DEFAULT_LAYER)),
        method=str(facts.get("method", GRAD_CAM)),
        contrast=facts.get("contrast") is True,
    )


def _drawn(
    prepared: Prepared, found: InfluenceMap, spec: RenderSpec | None
) -> tuple[Image.Image, list[LeadInfluence]]:
    """The map over the picture, or along the traces of a record; only that path loads leads."""
    page = display_page(spec)
    if prepared.record is None or spec is None or page is None:
        return draw_overlay(prepared.canonical, found.values), []
    from vision_service.lead_overlay import draw_lead_overlay
    from vision_service.leads import lead_influence, panel_influence

    panels = panel_influence(found.values, spec)
    return draw_lead_overlay(prepared.record, panels, page), lead_influence(panels)


def _withheld(prediction: Prediction, facts: dict[str, object]) -> str | None:
    """Return why no map may be shown, or None."""
    if prediction.outcome is Outcome.REJECTED:
        return NO_SCORES
    if not facts or "passed" not in facts:
        return NOT_CHECKED
    if facts["passed"] is not True:
        return str(facts.get("reason") or FAILED)
    return None
