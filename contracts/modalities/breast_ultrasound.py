"""Breast ultrasound: normal, benign, malignant (BUSI, Al-Dhabyani et al. 2020)."""

import math

from contracts.modality import (
    JPEG,
    PNG,
    ImageSpec,
    Kind,
    Label,
    LikelihoodScale,
    Modality,
    TriageRow,
)

#: Likelihood of malignancy by the ACR BI-RADS atlas, 5th edition (2013). A category is a reader's
#: judgement, so what is read from this is an estimate: never 0 (which asks for more pictures) and
#: never 6 (which needs a biopsy).
BI_RADS = LikelihoodScale(
    name="BI-RADS",
    label="malignant",
    bands=(
        ("3", 0.02),
        ("4A", 0.10),
        ("4B", 0.50),
        ("4C", math.nextafter(0.95, 0)),  # The atlas counts 95 % itself as 5.
        ("5", 1.0),
    ),
    clear=(("normal", "1"), ("benign", "2")),
)

_NG12 = (
    "NICE guideline NG12, Suspected cancer: recognition and referral (2015), section "
    "1.4 (breast cancer)"
)
TRIAGE = (
    TriageRow(
        "normal",
        "low",
        "Have the images read together with the clinical examination. This does not exclude "
        "cancer: a lump or another symptom needs assessment whatever the picture shows.",
        "routine reading; by the suspected-cancer pathway with a lump or another symptom",
        _NG12,
    ),
    TriageRow(
        "benign",
        "moderate",
        "Have the images read by a breast radiologist together with the clinical examination."
        " A benign look does not exclude cancer.",
        "at the next breast clinic; sooner with symptoms",
        "ACR BI-RADS Atlas, 5th edition (2013), Ultrasound (categories 2 and 3)",
    ),
    TriageRow(
        "malignant",
        "urgent",
        "Refer by the suspected-cancer pathway to a breast clinic for triple assessment: "
        "clinical, imaging and, where indicated, tissue.",
        "without delay; suspected-cancer pathways aim at two weeks",
        _NG12 + "; ACR BI-RADS Atlas, 5th edition (2013), Ultrasound (categories 4 and 5)",
    ),
)

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
    triage=TRIAGE,
    critical=("malignant",),
    scale=BI_RADS,
    image=ImageSpec(fit="squash"),
)
