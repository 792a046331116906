"""Skin lesion: the seven classes of HAM10000 on dermoscopy (Tschandl et al. 2018)."""

from contracts.modality import JPEG, PNG, Derived, ImageSpec, Kind, Label, Modality

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
    triage=(),
    critical=("akiec", "bcc", "mel"),
    derived=(Derived("malignant_or_premalignant", ("akiec", "bcc", "mel")),),
    image=ImageSpec(fit="center_crop"),
)
