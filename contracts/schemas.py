"""The JSON that callers, gateway and services exchange: one answer for all modalities.

Requests forbid unknown members; answers tolerate them, so that a service may be deployed
before the gateway. No float is ever NaN or infinite.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Message(BaseModel):
    """Base of every answer: frozen, finite numbers, unknown members ignored."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True
    )


class Outcome(StrEnum):
    """`accepted`: an answer. `abstained`: scores, no single answer. `rejected`: no scores."""

    ACCEPTED = "accepted"
    ABSTAINED = "abstained"
    REJECTED = "rejected"


class Reason(Message):
    """Why the outcome is what it is, or a warning: a stable code and a sentence for people."""

    code: str
    """Stable machine code, such as `wrong_modality` or `quality.blur`."""
    message: str
    """What it means and what to do next."""
    looks_like: str | None = None
    """Modality id that the input resembles, with `wrong_modality`."""
    route: str | None = None
    """Route that takes such an input; added by the gateway."""


class Finding(Message):
    """One label with its calibrated probability and its operating point."""

    label: str
    name: str
    probability: Probability
    threshold: Probability
    positive: bool


class Triage(Message):
    """Band and next step from the reviewed table; never a diagnosis, never treatment."""

    band: Literal["low", "moderate", "high", "urgent"]
    next_step: str
    timeline: str
    source: str


class Contribution(Message):
    """What one column of a table adds to the score, in log-odds against the reference person."""

    name: str
    value: float | str | None
    contribution: float
    unit: str = ""


class Unrecognised(Message):
    """A symptom that is not in the vocabulary: its position, and entries of ours that are close."""

    position: int
    suggestions: list[str]


class ModelRef(Message):
    """The model file that answered."""

    name: str
    version: str
    sha256: str
    preprocessing_id: str | None = None
    """Digest of the preprocessing numbers in the file."""
    calibration_id: str | None = None
    """Digest of temperature, thresholds and quantiles in the file."""


class InputFacts(Message):
    """What was received, without the input itself."""

    sha256: str
    media_type: str
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    bits: int | None = None


class PostTest(Message):
    """Probability of a finding at the caller's prevalence, by Bayes from stored ratios."""

    label: str
    prevalence: Probability
    probability: Probability
    likelihood_ratio: float


class Prediction(Message):
    """The answer of v1, one shape for every modality. A rejected answer holds no scores."""

    prediction_id: str | None = None
    """Made by the gateway; names the receipt and the feedback of this answer."""
    request_id: str
    modality: str
    outcome: Outcome
    reasons: list[Reason] = []
    label: str | None = None
    """The single answer, or null when there is none."""
    probabilities: dict[str, Probability] = {}
    """Calibrated, by label."""
    findings: list[Finding] = []
    prediction_set: list[str] = []
    """Labels that the stated coverage does not allow to exclude."""
    derived: dict[str, Probability] = {}
    post_test: list[PostTest] = []
    measurements: dict[str, float | str | bool | list[str] | None] = {}
    contributions: list[Contribution] = []
    symptoms_recognised: list[str] = []
    """Vocabulary ids that were understood, in the caller's order."""
    symptoms_unrecognised: list[Unrecognised] = []
    triage: Triage | None = None
    warnings: list[Reason] = []
    model: ModelRef
    input: InputFacts
    timing_ms: dict[str, float] = {}
    notice: str


class LeadInfluence(Message):
    """How much of the influence on an ECG page lies on one lead."""

    lead: str
    share: Probability
    """Share of the influence on all leads; zero for all when nothing spoke for the label."""
    even_share: Probability
    """The share that a map without preference gives: this lead's part of the drawn seconds."""
    peak_seconds: float | None
    """When the influence on this lead is highest, in seconds from the start of the page."""


class Explanation(Message):
    """The prediction and the evidence beside it; `withheld` says why there is no map."""

    prediction: Prediction
    kind: Literal["influence_map", "contributions", "withheld"]
    target: str | None = None
    overlay_png_base64: str | None = None
    map: list[list[float]] | None = None
    """Raw influence map, rows top to bottom, before scaling."""
    map_range: tuple[float, float] | None = None
    layer: str | None = None
    leads: list[LeadInfluence] = []
    """For an ECG record: the influence by lead. A photographed page has no known layout."""
    checks: dict[str, float | str | bool | None] = {}
    withheld_reason: str | None = None


class Recognition(Message):
    """What kind of picture this is, by the modality head alone."""

    looks_like: str | None
    probabilities: dict[str, Probability]


class ModelInfo(Message):
    """What a service says about the model it holds."""

    modality: str
    version: str
    sha256: str
    arch: str
    labels: list[str]
    parameters: int | None = None
    input_size: list[int] = []
    device: str
    backend: str
    threads: dict[str, int] = {}
    decision: dict[str, object] = {}
    metrics: dict[str, object] = {}
    provenance: dict[str, object] = {}
    limits: dict[str, float] = {}


class Health(Message):
    """Answer of `/livez` and `/readyz`."""

    status: str
    reason: str | None = None


class Problem(BaseModel):
    """RFC 9457 problem details. Never holds a value of the request."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool = False
    field: str | None = None
