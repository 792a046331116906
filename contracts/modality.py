"""What a modality is, as frozen data: identity, limits, and the specs its model file carries.

The registry proposes, the checkpoint decides: training takes the spec from the registry, writes
what it really used into the model file, and serving reads only the file. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

JPEG, PNG = "image/jpeg", "image/png"
WFDB_ZIP, JSON = "application/zip", "application/json"


class Kind(StrEnum):
    """The kind of input, and with it the service that answers."""

    IMAGE = "image"
    ECG = "ecg"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Limits:
    """Technical limits of one input; beyond them it is an error, not an answer."""

    max_bytes: int = 32 * 1024 * 1024
    max_pixels: int = 40_000_000
    min_side: int = 32
    max_side: int = 16_384
    max_aspect: float = 20.0


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """How an upright RGB picture becomes the network's input.

    The picture is first brought to the canonical `base` size, the resolution of the training
    data (`squash`: both sides independently; `center_crop`: the centre square first), and then,
    if it differs, to the input size. Both steps are antialiased bilinear. Never padded. So an
    original and its base-sized copy meet in the same tensor. Values are scaled to 0–1 and
    normalised with `mean` and `std` per channel.
    """

    width: int = 224
    height: int = 224
    base_width: int = 224
    base_height: int = 224
    fit: Literal["squash", "center_crop"] = "squash"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """How a 12-lead record becomes a page: physical scale in mm, never z-scored.

    `trace_hz` bounds the rate at which traces are drawn, so that records of 100 Hz and 500 Hz
    look alike to the network; None draws every sample.
    """

    mm_per_second: float = 25.0
    mm_per_millivolt: float = 10.0
    pixels_per_mm: float = 1.7
    layout: Literal["3x4+1", "6x2", "12x1"] = "3x4+1"
    rhythm_lead: str = "II"
    trace_hz: float | None = 100.0


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: `number` with a range, `integer`, or `choice` with named codes.

    `choices` maps the public name to the code that the model was trained on.
    """

    name: str
    title: str
    kind: Literal["number", "integer", "choice", "flag"]
    required: bool = True
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[str, float], ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """The columns of one row in the order in which the model was trained."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a closed vocabulary (a symptom): stable id, display name, synonyms."""

    id: str
    name: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TriageRow:
    """Band and next step of one finding, with the source they were reviewed against."""

    label: str
    band: Literal["low", "moderate", "high", "urgent"]
    next_step: str
    timeline: str
    source: str


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A combination of terms that calls for help before any ranking.

    It fires when all of `all_of` and, unless that is empty, one of `any_of` are present.
    """

    code: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    message: str
    triage: TriageRow


@dataclass(frozen=True, slots=True)
class Label:
    """One class: code (the id in files and answers), display name, and what it stands for."""

    code: str
    name: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A named sum of class probabilities, such as malignant = akiec + bcc + mel."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LikelihoodScale:
    """A published scale that reads the probability of one label.

    `bands` are (name, highest probability in the band), ascending; the last ends at 1. Names in
    `clear` are for a probability that is essentially nought, by the label that is given.
    """

    name: str
    label: str
    bands: tuple[tuple[str, float], ...]
    clear: tuple[tuple[str, str], ...] = ()

    def band_of(self, probability: float) -> str:
        """Return the name of the band in which a probability lies."""
        return next(name for name, most in self.bands if probability <= most)


@dataclass(frozen=True, slots=True)
class Modality:
    """One entry of the registry: everything that gateway, service and training agree on."""

    id: str
    title: str
    kind: Kind
    activation: Literal["softmax", "sigmoid"]
    labels: tuple[Label, ...]
    media_types: tuple[str, ...]
    indication: str
    notice: str
    triage: tuple[TriageRow, ...]
    #: Labels that a decision must not miss; conformal sets are class-conditional for them.
    critical: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = ()
    scale: LikelihoodScale | None = None
    limits: Limits = field(default_factory=Limits)
    max_files: int = 1
    image: ImageSpec | None = None
    render: RenderSpec | None = None
    table: TableSpec | None = None
    vocabulary: tuple[Term, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The label codes in output order."""
        return tuple(label.code for label in self.labels)

    @property
    def is_image(self) -> bool:
        """True when a vision service answers (pictures and ECG pages)."""
        return self.kind is not Kind.TABLE


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """From logits to a decision; every number is fitted on the calibration part.

    `p = softmax(logits / temperature + bias)` or `p = sigmoid(logits / temperature + bias)` per
    label; an empty softmax bias is zero.
    Softmax: the label is `argmax(log p + shift)`; sigmoid: each label with `p >= threshold`.
    A label is in the prediction set when `p >= set_minimum[label]` (split conformal, class-
    conditional where stated). The answer is abstained when the set is empty or holds more than
    `max_set_size` labels, or when the top probability is below `min_probability`.
    For sigmoid labels, `undecided` is the half-width around the threshold, in probability,
    inside which a label counts as not decided.
    """

    activation: Literal["softmax", "sigmoid"]
    temperature: tuple[float, ...]
    bias: tuple[float, ...]
    shift: tuple[float, ...]
    thresholds: tuple[float, ...]
    set_minimum: tuple[float, ...]
    max_set_size: int
    min_probability: float = 0.0
    undecided: tuple[float, ...] = ()
    coverage: float = 0.9


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Limits of the cheap image rules, measured on training data.

    Each maps a measure (`min_side`, `blur`, `contrast`, `dark`, `bright`, `border`,
    `saturation`, …) to a low and a high bound; None means unbounded. Outside `warn` the answer
    carries a warning; outside `reject` the input is rejected before the model runs.
    """

    warn: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    reject: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
