"""Skin lesion: the seven classes of HAM10000 on dermoscopy (Tschandl et al. 2018)."""

from contracts.modality import JPEG, PNG, Derived, ImageSpec, Kind, Label, Modality, TriageRow

_NG12 = (
    "NICE guideline NG12, Suspected cancer: recognition and referral (2015), section "
    "1.7 (skin cancers)"
)
TRIAGE = (
    TriageRow(
        "akiec",
        "high",
        "Refer to dermatology for assessment: actinic keratosis and Bowen disease can precede"
        " or hide squamous cell carcinoma.",
        "referral now; suspected-cancer pathway if it is growing, tender or ulcerated",
        (
            "British Association of Dermatologists guidelines for actinic keratosis 2017 (de "
            "Berker et al., Br J Dermatol 2017;176:20–43); "
        )
        + _NG12,
    ),
    TriageRow(
        "bcc",
        "high",
        "Refer to dermatology for assessment.",
        "referral now; suspected-cancer pathway where site or size make delay matter",
        (
            "British Association of Dermatologists guidelines for basal cell carcinoma 2021 "
            "(Nasr et al., Br J Dermatol 2021;185:899–920); "
        )
        + _NG12,
    ),
    TriageRow(
        "bkl",
        "low",
        "Have the lesion seen by a clinician who examines the whole skin. This does not "
        "exclude melanoma: a lesion that is new, changing, bleeding or unlike the others "
        "needs referral.",
        "at the next examination; sooner if it changes",
        _NG12,
    ),
    TriageRow(
        "df",
        "low",
        "Have the lesion seen by a clinician who examines the whole skin. This does not "
        "exclude melanoma: a lesion that is new, changing, bleeding or unlike the others "
        "needs referral.",
        "at the next examination; sooner if it changes",
        _NG12,
    ),
    TriageRow(
        "mel",
        "urgent",
        "Refer by the suspected-cancer pathway: dermoscopy that suggests melanoma is a reason"
        " to refer by itself.",
        "without delay; suspected-cancer pathways aim at two weeks",
        _NG12 + "; NICE guideline NG14, Melanoma: assessment and management (2015)",
    ),
    TriageRow(
        "nv",
        "low",
        "Have the lesion seen by a clinician who examines the whole skin. This does not "
        "exclude melanoma: a lesion that is new, changing, bleeding or unlike the others "
        "needs referral.",
        "at the next examination; sooner if it changes",
        _NG12,
    ),
    TriageRow(
        "vasc",
        "low",
        "Have the lesion seen by a clinician. This does not exclude cancer: melanoma without "
        "pigment can look vascular, so a new, growing or bleeding lesion needs referral.",
        "at the next examination; sooner if it changes or bleeds",
        _NG12,
    ),
)

SKIN_LESION = Modality(
    id="skin-lesion",
    title="Skin lesion (dermoscopy)",
    kind=Kind.IMAGE,
    activation="softmax",
    labels=(
        Label("akiec", "Actinic Keratoses", "pre-cancerous"),
        Label("bcc", "Basal Cell Carcinoma", "malignant"),
        Label("bkl", "Benign Keratosis", "benign"),
        Label("df", "Dermatofibroma", "benign"),
        Label("mel", "Melanoma", "malignant"),
        Label("nv", "Melanocytic Nevi", "benign"),
        Label("vasc", "Vascular Lesions", "benign"),
    ),
    media_types=(JPEG, PNG),
    indication="Dermoscopic photographs of a single pigmented skin lesion.",
    notice="Research and education only, not a diagnosis. Trained on dermoscopy of two centres; "
    "not for ordinary photographs. Non-commercial use (HAM10000 licence).",
    triage=TRIAGE,
    critical=("akiec", "bcc", "mel"),
    derived=(Derived("malignant_or_premalignant", ("akiec", "bcc", "mel")),),
    image=ImageSpec(fit="center_crop"),
)
