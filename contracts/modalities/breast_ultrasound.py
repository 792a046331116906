"""Breast ultrasound: normal, benign, malignant (BUSI, Al-Dhabyani et al. 2020)."""

from contracts.modality import JPEG, PNG, ImageSpec, Kind, Label, Modality

BREAST_ULTRASOUND = Modality(
    id="breast-ultrasound",
    title="Breast ultrasound",
    kind=Kind.IMAGE,
    activation="softmax",
    labels=(
        Label("normal", "Normal", "benign"),
        Label("benign", "Benign Finding", "benign"),
        Label("malignant", "Malignant Finding", "malignant"),
    ),
    media_types=(JPEG, PNG),
    indication="B-mode breast ultrasound images of women aged 25 to 75.",
    notice="Research and education only, not a diagnosis. Trained on one centre's ultrasound; "
    "not for mammograms. A negative answer does not exclude cancer.",
    triage=(),
    critical=("malignant",),
    image=ImageSpec(fit="squash"),
)
